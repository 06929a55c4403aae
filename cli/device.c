/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Devices seen from the command line: libkmod tells of modules. Reads only. */
#include "cli/device.h"

#include <libkmod.h>

static const char *state_of(struct kmod_module *module)
{
        switch (kmod_module_get_initstate(module)) {
        case KMOD_MODULE_BUILTIN:
                return "is built in, but does not drive it";
        case KMOD_MODULE_LIVE:
        case KMOD_MODULE_COMING:
                return "is loaded, but does not drive it";
        default:
                return "is on the disk; load it with modprobe";
        }
}

static char *advice_for(struct kmod_ctx *context, const char *alias)
{
        struct kmod_list *found = NULL;
        g_autoptr(GString) text = g_string_new(NULL);

        if (kmod_module_new_from_lookup(context, alias, &found) >= 0)
                for (struct kmod_list *item = found; item; item = kmod_list_next(found, item)) {
                        struct kmod_module *module = kmod_module_get_module(item);

                        g_string_append_printf(text, "%smodule %s %s", text->len ? ", " : "",
                                               kmod_module_get_name(module), state_of(module));
                        kmod_module_unref(module);
                }
        kmod_module_unref_list(found);
        if (text->len == 0)
                g_string_append(text, "this kernel has no module for it");
        return g_string_free(g_steal_pointer(&text), FALSE);
}

char *tn_device_module_advice(const struct tn_env *env, const char *bus, const char *device)
{
        g_autofree char *path = g_strdup_printf("sys/bus/%s/devices/%s/modalias", bus, device);
        g_autofree char *alias = tn_env_read_line(env, path);
        struct kmod_ctx *context = kmod_new(NULL, NULL);
        char *advice;

        if (!alias || !context) {
                kmod_unref(context);
                return g_strdup("it does not say which module it wants");
        }
        advice = advice_for(context, alias);
        kmod_unref(context);
        return advice;
}
