/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-get-memory-blocks and guest-get-memory-block-info: /sys/devices/system/memory. Guests without
 * memory hot-plug in their kernel have no such directory.
 */
#include <string.h>

#include "lib/error.h"
#include "plugins/guestinfo/guestinfo.h"

#define MEMORY_PATH "sys/devices/system/memory"

static gint compare_numbers(gconstpointer a, gconstpointer b)
{
        guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

        return (x > y) - (x < y);
}

static json_t *describe_block(const struct tn_env *env, guint64 index)
{
        g_autofree char *directory = g_strdup_printf(MEMORY_PATH "/memory%" G_GUINT64_FORMAT, index);
        g_autofree char *state_path = g_build_filename(directory, "state", NULL);
        g_autofree char *removable_path = g_build_filename(directory, "removable", NULL);
        g_autofree char *state = tn_env_read_line(env, state_path);
        json_t *entry = json_object();
        int64_t removable;

        (void) json_object_set_new(entry, "phys-index", tn_guestinfo_uint(index));
        (void) json_object_set_new(entry, "online", json_boolean(g_strcmp0(state, "online") == 0));
        if (tn_env_read_int64(env, removable_path, &removable))
                (void) json_object_set_new(entry, "can-offline", json_boolean(removable != 0));
        return entry;
}

json_t *tn_memory_run_blocks(struct tenon_host *host, json_t *args, GError **error)
{
        g_auto(GStrv) names = tn_env_list(host->env, MEMORY_PATH);
        g_autoptr(GArray) indexes = g_array_new(FALSE, FALSE, sizeof(guint64));
        json_t *reply;

        (void) args;
        if (!names && tn_env_exists(host->env, MEMORY_PATH)) {
                (void) tn_error_set(error, TN_ERROR_FAILED, "/" MEMORY_PATH " cannot be listed");
                return NULL;
        }
        /* A kernel without memory hot-plug has no blocks. */
        for (size_t i = 0; names && names[i]; i++) {
                guint64 index;

                if (tn_guestinfo_numbered(names[i], "memory", &index))
                        g_array_append_val(indexes, index);
        }
        g_array_sort(indexes, compare_numbers);
        reply = json_array();
        for (guint i = 0; i < indexes->len; i++)
                (void) json_array_append_new(reply,
                                             describe_block(host->env, g_array_index(indexes, guint64, i)));
        return reply;
}

json_t *tn_memory_run_block_info(struct tenon_host *host, json_t *args, GError **error)
{
        g_autofree char *line = tn_env_read_line(host->env, MEMORY_PATH "/block_size_bytes");
        json_t *reply;
        guint64 size;

        (void) args;
        if (!line || !g_ascii_string_to_unsigned(line, 16, 0, G_MAXINT64, &size, NULL)) {
                (void) tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                    "/" MEMORY_PATH "/block_size_bytes cannot be read: the kernel has no "
                                    "memory hot-plug");
                return NULL;
        }
        reply = json_object();
        (void) json_object_set_new(reply, "size", tn_guestinfo_uint(size));
        return reply;
}
