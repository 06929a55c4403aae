/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * modprobe.d and the kernel's command line: `blacklist NAME`, `install NAME /bin/false` and its like,
 * modprobe.blacklist= and module_blacklist=. Read here and not by libkmod, because libkmod does not say in
 * which file a line stands, and reads the command line of the machine that it runs on.
 */
#include "pvdrivers/blacklist.h"

#include <string.h>

/* In the order of modprobe.d(5): a file hides those of the same name in later folders. */
static const char *const folders[] = {"etc/modprobe.d", "run/modprobe.d", "usr/local/lib/modprobe.d",
                                      "usr/lib/modprobe.d", "lib/modprobe.d"};

/* Commands by which an `install` line says no. */
static const char *const refusals[] = {"/bin/false",    "/bin/true",     "/usr/bin/false",
                                       "/usr/bin/true", "/sbin/nologin", "/usr/sbin/nologin"};

static void free_entry(void *data)
{
        struct tn_blacklist_entry *entry = data;

        g_free(entry->where);
        g_free(entry);
}

/* The first line counts, but an absolute one replaces one that is not. */
static void add(GHashTable *list, const char *module, const char *where, bool absolute)
{
        g_autofree char *name = g_strdelimit(g_strdup(module), "-", '_');
        const struct tn_blacklist_entry *known = g_hash_table_lookup(list, name);
        struct tn_blacklist_entry *entry;

        if (*name == '\0' || (known && (known->absolute || !absolute)))
                return;
        entry = g_new0(struct tn_blacklist_entry, 1);
        entry->where = g_strdup(where);
        entry->absolute = absolute;
        g_hash_table_replace(list, g_steal_pointer(&name), entry);
}

static bool refuses(const char *command)
{
        for (size_t i = 0; command && i < G_N_ELEMENTS(refusals); i++)
                if (g_str_equal(command, refusals[i]))
                        return true;
        return false;
}

static void read_line(GHashTable *list, const char *line, const char *where)
{
        char *words[3] = {NULL};
        g_auto(GStrv) parts = g_strsplit_set(line, " \t\r", -1);
        size_t n = 0;

        for (size_t i = 0; parts[i] && n < G_N_ELEMENTS(words); i++)
                if (*parts[i])
                        words[n++] = parts[i];
        if (n >= 2 && g_str_equal(words[0], "blacklist"))
                add(list, words[1], where, false);
        else if (n == 3 && g_str_equal(words[0], "install") && refuses(words[2]))
                add(list, words[1], where, true);
}

static void read_file(GHashTable *list, const struct tn_env *env, const char *path)
{
        g_autofree char *text = NULL, *where = g_strdup_printf("/%s", path);
        g_auto(GStrv) lines = NULL;

        if (!tn_env_read(env, path, &text, NULL, NULL))
                return;
        lines = g_strsplit(text, "\n", -1);
        for (size_t i = 0; lines[i]; i++)
                read_line(list, lines[i], where);
}

static void read_folder(GHashTable *list, const struct tn_env *env, const char *folder, GHashTable *seen)
{
        g_auto(GStrv) names = tn_env_list(env, folder);

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *path = g_strdup_printf("%s/%s", folder, names[i]);

                if (g_str_has_suffix(names[i], ".conf") && g_hash_table_add(seen, g_strdup(names[i])))
                        read_file(list, env, path);
        }
}

static void read_cmdline(GHashTable *list, const struct tn_env *env)
{
        g_autofree char *text = tn_env_read_line(env, "proc/cmdline");
        g_auto(GStrv) words = g_strsplit(text ? text : "", " ", -1);

        for (size_t i = 0; words[i]; i++) {
                const char *value = strchr(words[i], '=');
                bool absolute = g_str_has_prefix(words[i], "module_blacklist=");
                g_auto(GStrv) modules = NULL;

                if (!absolute && !g_str_has_prefix(words[i], "modprobe.blacklist="))
                        continue;
                modules = g_strsplit(value + 1, ",", -1);
                for (size_t j = 0; modules[j]; j++)
                        add(list, modules[j], "kernel command line", absolute);
        }
}

GHashTable *tn_blacklist_read(const struct tn_env *env)
{
        GHashTable *list = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, free_entry);
        g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);

        for (size_t i = 0; i < G_N_ELEMENTS(folders); i++)
                read_folder(list, env, folders[i], seen);
        read_cmdline(list, env);
        return list;
}
