/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Planned changes: made, freed, looked at again, told. */
#include "pvdrivers/change.h"

#include "lib/error.h"
#include "lib/json.h"

struct tn_change *tn_change_new(char *path, char *text, const char *old, const char *why, bool in_initramfs)
{
        struct tn_change *change = g_new0(struct tn_change, 1);

        *change = (struct tn_change){.path = path,
                                     .text = text,
                                     .old = g_strdup(old),
                                     .why = g_strdup(why),
                                     .details = g_ptr_array_new_with_free_func(g_free),
                                     .in_initramfs = in_initramfs};
        return change;
}

struct tn_change *tn_change_new_copy(char *path, const char *source, const char *why)
{
        struct tn_change *change = tn_change_new(path, NULL, "", why, false);

        change->source = g_strdup(source);
        return change;
}

static void change_free(void *data)
{
        struct tn_change *change = data;

        g_free(change->path);
        g_free(change->text);
        g_free(change->old);
        g_free(change->source);
        g_free(change->why);
        g_ptr_array_unref(change->details);
        g_free(change);
}

char *tn_change_read(const struct tn_env *env, const char *path, GError **error)
{
        g_autoptr(GError) reason = NULL;
        char *text = NULL;

        if (tn_env_read(env, path, &text, NULL, &reason))
                return text;
        if (g_error_matches(reason, TN_ERROR, TN_ERROR_NOT_FOUND))
                return g_strdup("");
        g_propagate_error(error, g_steal_pointer(&reason));
        return NULL;
}

bool tn_change_check(const struct tn_env *env, const struct tn_change *change, GError **error)
{
        g_autofree char *now = tn_change_read(env, change->path, error);

        if (!now)
                return false;
        return g_str_equal(now, change->old) ||
               tn_error_set(error, TN_ERROR_BUSY,
                            "/%s was changed by another program after it had been read; run this again when "
                            "that has ended",
                            change->path);
}

GPtrArray *tn_changes_new(void)
{
        return g_ptr_array_new_with_free_func(change_free);
}

json_t *tn_changes_to_json(const GPtrArray *changes)
{
        json_t *list = json_array();

        for (guint i = 0; i < changes->len; i++) {
                const struct tn_change *change = g_ptr_array_index((GPtrArray *) changes, i);
                g_autofree char *path = g_strconcat("/", change->path, NULL), *source = NULL;

                if (change->source)
                        source = g_strconcat("/", change->source, NULL);
                json_array_append_new(list,
                                      json_pack("{s:o, s:s, s:o, s:o}", "file", tn_json_text(path), "why",
                                                change->why, "details", tn_json_texts(change->details),
                                                source ? "copy-of" : "text",
                                                tn_json_text(source ? source : change->text)));
        }
        return list;
}
