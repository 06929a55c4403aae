/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A small text file, a line for each thing: when it was told, "told" or "seen", its id. */
#include "tray/memory.h"

#include <string.h>

#define FILE_MAX (256 * 1024)

struct tn_tray_memory {
        char *path;
        GHashTable *told; /* id → gint64 *, when */
        GHashTable *seen; /* the ids among them that were looked at */
};

static void put(struct tn_tray_memory *memory, const char *id, gint64 when)
{
        gint64 *at = g_new(gint64, 1);

        *at = when;
        g_hash_table_replace(memory->told, g_strdup(id), at);
}

static void drop(struct tn_tray_memory *memory, const char *id)
{
        g_hash_table_remove(memory->seen, id);
        g_hash_table_remove(memory->told, id);
}

/* "1700000000 seen update:1.2" */
static void read_line(struct tn_tray_memory *memory, const char *line)
{
        g_auto(GStrv) words = g_strsplit(line, " ", 3);
        gint64 when;

        if (g_strv_length(words) != 3 || !g_utf8_validate(words[2], -1, NULL) ||
            !g_ascii_string_to_signed(words[0], 10, 0, G_MAXINT64, &when, NULL) ||
            g_hash_table_size(memory->told) >= TN_TRAY_MEMORY_MAX)
                return;
        put(memory, words[2], when);
        if (g_str_equal(words[1], "seen"))
                g_hash_table_add(memory->seen, g_strdup(words[2]));
}

static void read_file(struct tn_tray_memory *memory)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        gsize size;

        if (!g_file_get_contents(memory->path, &text, &size, NULL) || size > FILE_MAX)
                return;
        lines = g_strsplit(text, "\n", -1);
        for (char **line = lines; *line; line++)
                read_line(memory, *line);
}

/* What cannot be written is told again after the next login: no harm, so no error. */
static void write_file(const struct tn_tray_memory *memory)
{
        g_autoptr(GString) text = g_string_new(NULL);
        g_autofree char *folder = memory->path ? g_path_get_dirname(memory->path) : NULL;
        g_autoptr(GError) error = NULL;
        GHashTableIter iter;
        void *id, *when;

        if (!memory->path)
                return;
        g_hash_table_iter_init(&iter, memory->told);
        while (g_hash_table_iter_next(&iter, &id, &when))
                g_string_append_printf(text, "%" G_GINT64_FORMAT " %s %s\n", *(gint64 *) when,
                                       g_hash_table_contains(memory->seen, id) ? "seen" : "told",
                                       (char *) id);
        (void) g_mkdir_with_parents(folder, 0700);
        if (!g_file_set_contents_full(memory->path, text->str, (gssize) text->len,
                                      G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
                g_debug("%s", error->message);
}

struct tn_tray_memory *tn_tray_memory_new(const char *path)
{
        struct tn_tray_memory *memory = g_new0(struct tn_tray_memory, 1);

        *memory = (struct tn_tray_memory){
                .path = g_strdup(path),
                .told = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
                .seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        };
        if (path)
                read_file(memory);
        return memory;
}

void tn_tray_memory_free(struct tn_tray_memory *memory)
{
        if (!memory)
                return;
        g_hash_table_unref(memory->told);
        g_hash_table_unref(memory->seen);
        g_free(memory->path);
        g_free(memory);
}

bool tn_tray_memory_was_told(const struct tn_tray_memory *memory, const char *id)
{
        return g_hash_table_contains(memory->told, id);
}

static void drop_oldest(struct tn_tray_memory *memory)
{
        const char *oldest = NULL;
        gint64 since = G_MAXINT64;
        GHashTableIter iter;
        void *id, *when;

        g_hash_table_iter_init(&iter, memory->told);
        while (g_hash_table_iter_next(&iter, &id, &when)) {
                if (oldest && *(gint64 *) when >= since)
                        continue;
                oldest = id;
                since = *(gint64 *) when;
        }
        if (oldest)
                drop(memory, oldest);
}

void tn_tray_memory_tell(struct tn_tray_memory *memory, const char *id, gint64 now)
{
        if (g_hash_table_size(memory->told) >= TN_TRAY_MEMORY_MAX)
                drop_oldest(memory);
        put(memory, id, now);
        write_file(memory);
}

void tn_tray_memory_see(struct tn_tray_memory *memory)
{
        guint before = g_hash_table_size(memory->seen);
        GHashTableIter iter;
        void *id;

        g_hash_table_iter_init(&iter, memory->told);
        while (g_hash_table_iter_next(&iter, &id, NULL))
                g_hash_table_add(memory->seen, g_strdup(id));
        if (g_hash_table_size(memory->seen) != before)
                write_file(memory);
}

GHashTable *tn_tray_memory_seen(const struct tn_tray_memory *memory)
{
        return memory->seen;
}

void tn_tray_memory_keep(struct tn_tray_memory *memory, GHashTable *present, gint64 now)
{
        GHashTableIter iter;
        void *id, *when;
        bool changed = false;

        g_hash_table_iter_init(&iter, memory->told);
        while (g_hash_table_iter_next(&iter, &id, &when)) {
                gint64 age = now - *(gint64 *) when;

                if (g_hash_table_contains(present, id) || (age >= 0 && age < TN_TRAY_FORGET_S))
                        continue;
                g_hash_table_remove(memory->seen, id);
                g_hash_table_iter_remove(&iter);
                changed = true;
        }
        if (changed)
                write_file(memory);
}
