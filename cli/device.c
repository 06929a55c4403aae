/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Devices seen from the command line: /proc/PID/fd for owners, libkmod for modules. Reads only. */
#define _GNU_SOURCE
#include "cli/device.h"

#include <fcntl.h>
#include <libkmod.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"

static bool has_open(const struct tn_env *env, const char *pid, dev_t rdev)
{
        g_autofree char *folder = g_strdup_printf("proc/%s/fd", pid);
        g_auto(GStrv) fds = tn_env_list(env, folder);
        tn_autofd int dir = fds ? tn_env_open(env, folder, O_PATH | O_DIRECTORY, NULL) : -1;

        for (size_t i = 0; dir >= 0 && fds[i]; i++) {
                struct stat st;

                if (fstatat(dir, fds[i], &st, 0) == 0 && S_ISCHR(st.st_mode) && st.st_rdev == rdev)
                        return true;
        }
        return false;
}

char *tn_device_owner(const struct tn_env *env, const char *path)
{
        tn_autofd int node = tn_env_open(env, path + strspn(path, "/"), O_PATH, NULL);
        g_auto(GStrv) processes = tn_env_list(env, "proc");
        struct stat st;

        if (node < 0 || fstat(node, &st) < 0 || !S_ISCHR(st.st_mode))
                return NULL;
        for (size_t i = 0; processes && processes[i]; i++) {
                g_autofree char *path_of_name = g_strdup_printf("proc/%s/comm", processes[i]);
                g_autofree char *name = NULL;

                if (!g_ascii_isdigit(processes[i][0]) || !has_open(env, processes[i], st.st_rdev))
                        continue;
                name = tn_env_read_line(env, path_of_name);
                return g_strdup_printf("%s (pid %s)", name ? name : "a process", processes[i]);
        }
        return NULL;
}

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
