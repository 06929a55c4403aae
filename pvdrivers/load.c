/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * udev loads what a device names; this is for the rest: drivers that no device names, and devices that came
 * before their module was installed. A real watchdog is always taken, one that cannot know its hardware only
 * when the administrator asks. What the administrator has forbidden stays out, and that is said.
 */
#include "pvdrivers/load.h"

#include <errno.h>

#include <string.h>

#include "pvdrivers/modules-load.h"

static const char *const action_names[] = {"wanted", "present", "skipped", "loaded", "refused"};

static void free_step(void *data)
{
        struct tn_load_step *step = data;

        g_free(step->module);
        g_free(step->reason);
        g_free(step);
}

static bool has_step(const GPtrArray *steps, const char *module)
{
        for (guint i = 0; i < steps->len; i++)
                if (g_str_equal(((struct tn_load_step *) steps->pdata[i])->module, module))
                        return true;
        return false;
}

/* Takes @reason. */
static struct tn_load_step *add_step(GPtrArray *steps, const char *module, enum tn_load_action action,
                                     char *reason)
{
        struct tn_load_step *step = g_new0(struct tn_load_step, 1);

        step->module = g_strdup(module);
        step->action = action;
        step->reason = reason;
        g_ptr_array_add(steps, step);
        return step;
}

/* Why a module that is wanted cannot be had, or NULL. */
static char *obstacle(const struct tn_inventory *inventory, const struct tn_module *module,
                      bool by_any_means)
{
        switch (module->state) {
        case TN_MODULE_BLACKLISTED:
                if (by_any_means && !module->blacklist_absolute)
                        return NULL;
                return g_strdup_printf("forbidden by %s", module->blacklisted_by);
        case TN_MODULE_UNSIGNED:
                return g_strdup("it has no signature, and Secure Boot lets no such in");
        case TN_MODULE_MISSING:
                return g_strdup_printf("kernel %s has no such module; run: tenonctl drivers install",
                                       inventory->release);
        default:
                return NULL;
        }
}

/* Takes @reason. */
static struct tn_load_step *want(GPtrArray *steps, const struct tn_inventory *inventory,
                                 const struct tn_catalogue *catalogue, const char *name, char *reason)
{
        g_autoptr(tn_module_t) module = tn_kernel_module(inventory->kernel, name);
        g_autofree char *why = reason;
        bool by_any_means = tn_catalogue_wish(catalogue, name) == TN_PV_WISH_YES;
        char *against = obstacle(inventory, module, by_any_means);
        struct tn_load_step *step;

        if (tn_catalogue_wish(catalogue, name) == TN_PV_WISH_NO) {
                g_free(against);
                against = g_strdup("drivers.d says load=no");
        }
        step = add_step(steps, name, against ? TN_LOAD_SKIPPED : TN_LOAD_WANTED,
                        against ? against : g_steal_pointer(&why));
        step->by_any_means = by_any_means;
        return step;
}

/* Present devices of the catalogue that nothing drives. ACPI and DMI show no driver of their own, there the
 * module's state tells. */
static void decide_devices(GPtrArray *steps, const struct tn_catalogue *catalogue,
                           const struct tn_inventory *inventory)
{
        for (guint i = 0; i < inventory->items->len; i++) {
                const struct tn_inventory_item *item = inventory->items->pdata[i];
                const struct tn_device *device = item->is.device;

                if (!item->is.row || device->driver || (item->is.row->flags & TN_PV_EMULATED) ||
                    item->state <= TN_MODULE_LOADED || has_step(steps, item->is.row->module))
                        continue;
                (void) want(steps, inventory, catalogue, item->is.row->module,
                            g_strdup_printf("for %s %s", device->bus, device->name));
        }
}

static bool has_watchdog(const struct tn_env *env, const GPtrArray *steps,
                         const struct tn_catalogue *catalogue)
{
        g_auto(GStrv) devices = tn_env_list(env, "sys/class/watchdog");

        for (guint i = 0; i < steps->len; i++) {
                const struct tn_load_step *step = steps->pdata[i];
                const struct tn_pv_driver *row = tn_catalogue_find_module(catalogue, step->module);

                if (step->action == TN_LOAD_WANTED && row && row->role == TN_PV_WATCHDOG)
                        return true;
        }
        return devices && devices[0];
}

/* A driver without a device: of a watchdog the first one will do, and none where there is one already. */
static void decide_explicit(GPtrArray *steps, const struct tn_env *env, const struct tn_catalogue *catalogue,
                            const struct tn_inventory *inventory, const struct tn_pv_driver *row)
{
        enum tn_module_state state = tn_kernel_driver_state(inventory->kernel, row);
        enum tn_pv_wish wish = tn_catalogue_wish(catalogue, row->module);

        if (has_step(steps, row->module) || ((row->flags & TN_PV_UNSAFE) && wish != TN_PV_WISH_YES))
                return;
        if (state == TN_MODULE_LOADED) {
                add_step(steps, row->module, TN_LOAD_PRESENT, g_strdup("loaded already"))->by_name = true;
                return;
        }
        if (state == TN_MODULE_BUILTIN || (state == TN_MODULE_MISSING && wish != TN_PV_WISH_YES))
                return;
        if (row->role == TN_PV_WATCHDOG && has_watchdog(env, steps, catalogue))
                return;
        want(steps, inventory, catalogue, row->module,
             g_strdup_printf("no device names it, and this is %s",
                             tn_catalogue_platform_name(inventory->platform)))
                ->by_name = true;
}

GPtrArray *tn_load_decide(const struct tn_env *env, const struct tn_catalogue *catalogue,
                          const struct tn_inventory *inventory)
{
        GPtrArray *steps = g_ptr_array_new_with_free_func(free_step);

        if (!inventory->kernel)
                return steps;
        decide_devices(steps, catalogue, inventory);
        for (guint i = 0; i < inventory->explicit_rows->len; i++)
                decide_explicit(steps, env, catalogue, inventory, inventory->explicit_rows->pdata[i]);
        return steps;
}

/* What a kernel answers where the host does not offer the thing: not a failure. */
static bool means_absent(int error)
{
        return error == -ENODEV || error == -EOPNOTSUPP || error == -ENXIO;
}

static void insert_one(struct tn_load_step *step, tn_load_insert insert, void *data)
{
        int error = insert(step->module, data);
        char *reason;

        step->action = error == 0 || error == -EEXIST ? TN_LOAD_LOADED : TN_LOAD_REFUSED;
        if (step->action == TN_LOAD_LOADED)
                return;
        reason = g_strdup_printf("%s: %s%s", step->reason,
                                 means_absent(error) ? "the kernel finds no such thing at this host: "
                                                     : "the kernel refuses it: ",
                                 g_strerror(-error));
        g_free(step->reason);
        step->reason = reason;
        step->absent = means_absent(error);
}

bool tn_load_act(const struct tn_env *env, GPtrArray *steps, tn_load_insert insert, void *data,
                 GError **error)
{
        g_autoptr(GPtrArray) keep = g_ptr_array_new();

        for (guint i = 0; i < steps->len; i++) {
                struct tn_load_step *step = steps->pdata[i];

                if (step->action == TN_LOAD_WANTED)
                        insert_one(step, insert, data);
                if (step->by_name && (step->action == TN_LOAD_LOADED || step->action == TN_LOAD_PRESENT))
                        g_ptr_array_add(keep, step->module);
        }
        return tn_modules_load_write(env, keep, error);
}

char *tn_load_line(const struct tn_load_step *step)
{
        return g_strdup_printf("%s: %s, %s", step->module, action_names[step->action], step->reason);
}

json_t *tn_load_to_json(const GPtrArray *steps)
{
        json_t *list = json_array();

        for (guint i = 0; i < steps->len; i++) {
                const struct tn_load_step *step = steps->pdata[i];

                json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:b}", "module", step->module,
                                                      "action", action_names[step->action], "reason",
                                                      step->reason, "by-name", step->by_name));
        }
        return list;
}

bool tn_load_failed(const GPtrArray *steps)
{
        for (guint i = 0; i < steps->len; i++) {
                const struct tn_load_step *step = steps->pdata[i];

                if (step->action == TN_LOAD_REFUSED && !step->absent)
                        return true;
        }
        return false;
}
