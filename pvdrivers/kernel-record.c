/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A kernel's lists have thousands of lines; a recording gets those of the modules that matter here, and of
 * the aliases those that match a device. A module that is signed is represented by its signature's mark
 * alone, and only where signatures are asked for.
 */
#define _GNU_SOURCE
#include "pvdrivers/kernel-record.h"

#include <string.h>

#include "detect/record.h"
#include "lib/fd.h"
#include "pvdrivers/blacklist.h"
#include "pvdrivers/catalogue.h"
#include "pvdrivers/device.h"
#include "pvdrivers/kernel-index.h"
#include "pvdrivers/kernel-private.h"

struct recording {
        const struct tn_env *env;
        const GPtrArray *devices;
        GHashTable *names;   /* modules that matter: a set */
        GHashTable *options; /* options of the catalogue's rows: a set */
        int root_fd;
        GError **error;
};

static void add_list(GHashTable *names, const char *list)
{
        g_auto(GStrv) words = g_strsplit(list ? list : "", " ", -1);

        for (size_t i = 0; words[i]; i++)
                if (*words[i])
                        g_hash_table_add(names, g_strdelimit(g_strdup(words[i]), "-", '_'));
}

static void collect_catalogue(struct recording *recording)
{
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(recording->env, NULL);
        const struct tn_pv_driver *row;

        for (size_t i = 0; (row = tn_catalogue_at(catalogue, i)); i++) {
                add_list(recording->names, row->module);
                add_list(recording->names, row->replaces);
                add_list(recording->names, row->needs);
                add_list(recording->options, row->config);
        }
}

static bool put(const struct recording *recording, const char *folder, const char *name, const char *text)
{
        tn_autofd int fd = tn_record_directories(recording->root_fd, folder, recording->error);

        return fd >= 0 && (faccessat(fd, name, F_OK, 0) == 0 ||
                           tn_record_write(fd, name, text, strlen(text), recording->error));
}

/* Modules of devices, which the catalogue need not know. */
static void collect_aliases(const struct recording *recording, struct tn_kernel *kernel, GString *aliases)
{
        for (guint i = 0; i < recording->devices->len; i++) {
                const struct tn_device *device = recording->devices->pdata[i];
                g_auto(GStrv) modules = NULL;

                if (!device->modalias || g_str_equal(device->bus, "dmi"))
                        continue;
                modules = tn_kernel_lookup_alias(kernel, device->modalias);
                for (size_t j = 0; modules[j]; j++) {
                        g_hash_table_add(recording->names, g_strdup(modules[j]));
                        g_string_append_printf(aliases, "alias %s %s\n", device->modalias, modules[j]);
                }
        }
}

static bool put_dependencies(const struct recording *recording, const struct tn_kernel *kernel)
{
        g_autoptr(GString) text = g_string_new(NULL);
        GHashTableIter iter;
        gpointer name;

        g_hash_table_iter_init(&iter, recording->names);
        while (g_hash_table_iter_next(&iter, &name, NULL)) {
                const char *path = g_hash_table_lookup(kernel->index->paths, name);
                const char *needs = g_hash_table_lookup(kernel->index->needs, name);

                if (path)
                        g_string_append_printf(text, "%s:%s%s\n", path, needs && *needs ? " " : "",
                                               needs ? needs : "");
        }
        return put(recording, kernel->modules_dir, "modules.dep", text->str);
}

static bool put_builtin(const struct recording *recording, const struct tn_kernel *kernel)
{
        g_autoptr(GString) text = g_string_new(NULL);
        GHashTableIter iter;
        gpointer name;

        g_hash_table_iter_init(&iter, recording->names);
        while (g_hash_table_iter_next(&iter, &name, NULL))
                if (g_hash_table_contains(kernel->index->builtin, name))
                        g_string_append_printf(text, "kernel/%s.ko\n", (char *) name);
        return put(recording, kernel->modules_dir, "modules.builtin", text->str);
}

static bool put_options(const struct recording *recording, struct tn_kernel *kernel)
{
        g_autofree char *name = g_strdup_printf("config-%s", kernel->release);
        g_autoptr(GString) text = g_string_new(NULL);
        GHashTableIter iter;
        gpointer option;

        g_hash_table_iter_init(&iter, recording->options);
        while (g_hash_table_iter_next(&iter, &option, NULL)) {
                char value = tn_kernel_config(kernel, option);

                if (value == '\0')
                        return true;
                if (value != 'n')
                        g_string_append_printf(text, "%s=%c\n", (char *) option, value);
        }
        return put(recording, "boot", name, text->str);
}

static bool put_signatures(const struct recording *recording, struct tn_kernel *kernel)
{
        GHashTableIter iter;
        gpointer name;

        g_hash_table_iter_init(&iter, recording->names);
        while (g_hash_table_iter_next(&iter, &name, NULL)) {
                g_autoptr(tn_module_t) module = tn_kernel_module(kernel, name);
                g_autofree char *folder = module->path ? g_path_get_dirname(module->path) : NULL;
                g_autofree char *file = module->path ? g_path_get_basename(module->path) : NULL;

                if (module->has_signature && !put(recording, folder, file, TN_KERNEL_SIGNATURE_MARK))
                        return false;
        }
        return true;
}

static bool put_loaded(const struct recording *recording)
{
        GHashTableIter iter;
        gpointer name;

        g_hash_table_iter_init(&iter, recording->names);
        while (g_hash_table_iter_next(&iter, &name, NULL)) {
                g_autofree char *folder = g_strdup_printf("sys/module/%s", (char *) name);
                g_autofree char *path = g_strdup_printf("%s/initstate", folder);
                g_autofree char *state = tn_env_read_line(recording->env, path);
                g_autofree char *text = g_strdup_printf("%s\n", state);

                if (state && !put(recording, folder, "initstate", text))
                        return false;
        }
        return true;
}

/* All in one file: which of them the administrator used is told by its name, in no other way. */
static bool put_blacklist(const struct recording *recording)
{
        g_autoptr(GHashTable) list = tn_blacklist_read(recording->env);
        GHashTableIter iter;
        gpointer name, value;

        g_hash_table_iter_init(&iter, list);
        while (g_hash_table_iter_next(&iter, &name, &value)) {
                const struct tn_blacklist_entry *entry = value;
                g_autofree char *folder = NULL, *file = NULL, *text = NULL;

                if (!g_hash_table_contains(recording->names, name) || *entry->where != '/')
                        continue;
                folder = g_path_get_dirname(entry->where + 1);
                file = g_strdup_printf("%s.conf", (char *) name);
                text = entry->absolute ? g_strdup_printf("install %s /bin/false\n", (char *) name)
                                       : g_strdup_printf("blacklist %s\n", (char *) name);
                if (!put(recording, folder, file, text))
                        return false;
        }
        return true;
}

static bool put_kernel(const struct recording *recording, struct tn_kernel *kernel)
{
        g_autoptr(GString) aliases = g_string_new(NULL);

        collect_aliases(recording, kernel, aliases);
        if (!kernel->modules_dir)
                return true;
        return put_dependencies(recording, kernel) && put_builtin(recording, kernel) &&
               put(recording, kernel->modules_dir, "modules.alias", aliases->str) &&
               put_options(recording, kernel) &&
               (!tn_kernel_signature_enforced(recording->env) || put_signatures(recording, kernel));
}

bool tn_kernel_record(const struct tn_env *env, const GPtrArray *devices, int root_fd, GError **error)
{
        struct recording recording = {.env = env, .devices = devices, .root_fd = root_fd, .error = error};
        g_autoptr(tn_kernels_t) kernels = tn_kernels_new(env);
        struct tn_kernel *running = tn_kernels_running(kernels);
        bool ok;

        recording.names = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        recording.options = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        collect_catalogue(&recording);
        ok = !running || put_kernel(&recording, running);
        ok = ok && put_loaded(&recording) && put_blacklist(&recording);
        g_hash_table_unref(recording.names);
        g_hash_table_unref(recording.options);
        return ok;
}
