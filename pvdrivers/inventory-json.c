/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The inventory as JSON: what `tenonctl drivers --json` and tenon-get-drivers give out. Stable: members are
 * added, never renamed. */
#include "lib/json.h"
#include "pvdrivers/advice.h"
#include "pvdrivers/inventory.h"

static json_t *state_to_json(enum tn_module_state state)
{
        return state < _TN_MODULE_STATE_MAX ? json_string(tn_kernel_state_name(state)) : json_null();
}

static json_t *role_to_json(enum tn_pv_role role)
{
        return role < _TN_PV_ROLE_MAX ? json_string(tn_catalogue_role_name(role)) : json_null();
}

static json_t *better_to_json(const struct tn_inventory *inventory, const struct tn_inventory_item *item)
{
        return json_pack("{s:s, s:o, s:s, s:o}", "module", item->is.better->module, "state",
                         state_to_json(item->better_state), "importance",
                         tn_advice_important(item->is.role) ? "high" : "low", "changes",
                         tn_advice_changes(inventory->hosts, item->is.better));
}

static json_t *item_to_json(const struct tn_inventory *inventory, const struct tn_inventory_item *item)
{
        json_t *object = tn_judge_to_json(&item->is);

        json_object_set_new(object, "state", state_to_json(item->state));
        tn_json_set_text(object, "problem", item->problem);
        if (item->is.better)
                json_object_set_new(object, "advice", better_to_json(inventory, item));
        return object;
}

static json_t *devices_to_json(const struct tn_inventory *inventory)
{
        json_t *list = json_array();

        for (guint i = 0; i < inventory->items->len; i++)
                json_array_append_new(list, item_to_json(inventory, inventory->items->pdata[i]));
        return list;
}

/* Drivers that no device asks for and that this kernel has; those that are unsafe only where they are
 * loaded. */
static json_t *explicit_to_json(const struct tn_inventory *inventory)
{
        json_t *list = json_array();

        for (guint i = 0; i < inventory->explicit_rows->len; i++) {
                const struct tn_pv_driver *row = inventory->explicit_rows->pdata[i];
                enum tn_module_state state = inventory->kernel
                                                     ? tn_kernel_driver_state(inventory->kernel, row)
                                                     : _TN_MODULE_STATE_MAX;

                if (state == TN_MODULE_MISSING || ((row->flags & TN_PV_UNSAFE) && state != TN_MODULE_LOADED))
                        continue;
                json_array_append_new(list,
                                      json_pack("{s:s, s:o, s:o}", "module", row->module, "role",
                                                role_to_json(row->role), "state", state_to_json(state)));
        }
        return list;
}

/* What every guest of this platform could have and this one has not: role, and how the host adds it. */
static json_t *absent_to_json(const struct tn_inventory *inventory)
{
        static const struct {
                enum tn_pv_role role;
                const char *module;
        } wanted[] = {
                {TN_PV_RNG, "virtio_rng"}, {TN_PV_BALLOON, "virtio_balloon"}, {TN_PV_WATCHDOG, "i6300esb"}};
        json_t *list = json_array();

        for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
                const struct tn_pv_driver driver = {.module = wanted[i].module};
                json_t *changes = tn_advice_changes(inventory->hosts, &driver);

                if (json_array_size(changes) > 0 && !tn_inventory_has_role(inventory, wanted[i].role))
                        json_array_append_new(list, json_pack("{s:o, s:s, s:O}", "role",
                                                              role_to_json(wanted[i].role), "module",
                                                              wanted[i].module, "changes", changes));
                json_decref(changes);
        }
        return list;
}

json_t *tn_inventory_to_json(const struct tn_inventory *inventory)
{
        json_t *object = json_object();
        const char *platform = inventory->platform < _TN_PV_PLATFORM_MAX
                                       ? tn_catalogue_platform_name(inventory->platform)
                                       : NULL;

        json_object_set_new(object, "platform", tn_json_text(platform));
        json_object_set_new(object, "kernel", tn_json_text(inventory->release));
        json_object_set_new(object, "devices", devices_to_json(inventory));
        json_object_set_new(object, "without-device", explicit_to_json(inventory));
        json_object_set_new(object, "absent", absent_to_json(inventory));
        return object;
}
