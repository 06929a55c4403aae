/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-get-disks and guest-get-diskstats. Devices without a medium (size 0) are left out, as the peer
 * does. Where there is an NVMe drive, guest-get-disks answers later: asking a drive for its health is an
 * ioctl that a sick one may never answer.
 */
#include <string.h>

#include "lib/json.h"
#include "plugins/guestinfo/block.h"
#include "plugins/guestinfo/guestinfo.h"
#include "plugins/guestinfo/smart.h"

static json_t *nodes_json(char **syspaths)
{
        json_t *list = json_array();

        for (size_t i = 0; syspaths[i]; i++) {
                g_autofree char *node = tn_block_node(syspaths[i]);

                (void) json_array_append_new(list, tn_json_text(node));
        }
        return list;
}

static json_t *describe_disk(const struct tn_env *env, const char *syspath)
{
        g_autofree char *node = tn_block_node(syspath);
        g_autofree char *alias_path = g_strconcat(syspath, "/dm/name", NULL);
        g_autofree char *alias = tn_env_read_line(env, alias_path);
        g_auto(GStrv) slaves = tn_block_slaves(env, syspath);
        json_t *entry = json_object();

        tn_json_set_text(entry, "name", node);
        (void) json_object_set_new(entry, "partition", json_false());
        (void) json_object_set_new(entry, "dependencies", nodes_json(slaves));
        /* Device mapper, RAID, loop and RAM disks are plugged in nowhere. */
        if (!strstr(syspath, "/virtual/block/"))
                (void) json_object_set_new(entry, "address", tn_block_address(env, syspath));
        tn_json_set_text(entry, "alias", alias);
        return entry;
}

static void append_partitions(const struct tn_env *env, const char *disk, json_t *list)
{
        g_auto(GStrv) names = tn_env_list(env, disk);
        char *parent[] = {(char *) disk, NULL};

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *syspath = g_build_filename(disk, names[i], NULL);
                g_autofree char *mark = g_strconcat(syspath, "/partition", NULL);
                g_autofree char *node = NULL;
                json_t *entry;

                if (!tn_env_exists(env, mark))
                        continue;
                node = tn_block_node(syspath);
                entry = json_object();
                tn_json_set_text(entry, "name", node);
                (void) json_object_set_new(entry, "partition", json_true());
                (void) json_object_set_new(entry, "dependencies", nodes_json(parent));
                (void) json_array_append_new(list, entry);
        }
}

void tn_disks_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        const struct tn_guestinfo *self = host->data;
        g_auto(GStrv) names = tn_env_list(host->env, "sys/block");
        struct tn_smart *smart = tn_smart_new();
        json_t *reply = json_array();

        (void) args;
        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *size_path = g_strconcat("sys/block/", names[i], "/size", NULL);
                g_autofree char *syspath = tn_block_find_name(host->env, names[i]);
                int64_t sectors;
                json_t *entry;

                if (!syspath || !tn_env_read_int64(host->env, size_path, &sectors) || sectors == 0)
                        continue;
                entry = describe_disk(host->env, syspath);
                (void) json_array_append_new(reply, entry);
                tn_smart_want(smart, host->env, syspath, entry);
                append_partitions(host->env, syspath, reply);
        }
        tn_smart_reply(smart, self->disks_worker, host, call, reply);
}

/* The columns of /proc/diskstats behind the name, Documentation/admin-guide/iostats.rst. */
static const char *const stat_columns[] = {
        "read-ios",       "read-merges",     "read-sectors",  "read-ticks",  "write-ios",    "write-merges",
        "write-sectors",  "write-ticks",     "ios-pgr",       "total-ticks", "weight-ticks", "discard-ios",
        "discard-merges", "discard-sectors", "discard-ticks", "flush-ios",   "flush-ticks",
};

static json_t *describe_stats(const char *line)
{
        g_autoptr(GPtrArray) words = g_ptr_array_new();
        g_auto(GStrv) pieces = g_strsplit(line, " ", -1);
        json_t *entry, *stats;
        guint64 major, minor, value;

        for (size_t i = 0; pieces[i]; i++)
                if (*pieces[i])
                        g_ptr_array_add(words, pieces[i]);
        if (words->len < 4 ||
            !g_ascii_string_to_unsigned(words->pdata[0], 10, 0, G_MAXUINT32, &major, NULL) ||
            !g_ascii_string_to_unsigned(words->pdata[1], 10, 0, G_MAXUINT32, &minor, NULL))
                return NULL;
        stats = json_object();
        for (guint i = 0; i < G_N_ELEMENTS(stat_columns) && i + 3 < words->len; i++)
                if (g_ascii_string_to_unsigned(words->pdata[i + 3], 10, 0, G_MAXUINT64, &value, NULL))
                        (void) json_object_set_new(stats, stat_columns[i], tn_guestinfo_uint(value));
        entry = json_object();
        tn_json_set_text(entry, "name", words->pdata[2]);
        (void) json_object_set_new(entry, "major", tn_guestinfo_uint(major));
        (void) json_object_set_new(entry, "minor", tn_guestinfo_uint(minor));
        (void) json_object_set_new(entry, "stats", stats);
        return entry;
}

json_t *tn_diskstats_run(struct tenon_host *host, json_t *args, GError **error)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        json_t *reply;

        (void) args;
        if (!tn_env_read(host->env, "proc/diskstats", &text, NULL, error))
                return NULL;
        lines = g_strsplit(text, "\n", -1);
        reply = json_array();
        for (size_t i = 0; lines[i]; i++) {
                json_t *entry = describe_stats(lines[i]);

                if (entry)
                        (void) json_array_append_new(reply, entry);
        }
        return reply;
}
