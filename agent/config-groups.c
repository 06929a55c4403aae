/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The rules of named groups: `type` is there, each key is for this type, its value fits the type's row, what
 * is needed is set, and limits stand in their order. */
#include "agent/config-groups.h"

#include <string.h>

#include "agent/config-value.h"

#define NAME_MAX_LEN 63
#define NAME_CHARS   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"

struct judged {
        const struct tn_config *config;
        const char *group, *type;
        const char *place; /* a file that has the group */
        tn_config_report report;
        void *data;
};

const char *tn_config_group_fault(const char *group)
{
        const char *name = strchr(group, ' ');
        size_t len = name ? strlen(++name) : 0;

        if (len == 0 || len > NAME_MAX_LEN || strspn(name, NAME_CHARS) != len)
                return "its name is not 1 to 63 characters out of letters, digits, '_', '.' and '-'";
        return NULL;
}

static void report(const struct judged *judged, const char *file, const char *format, ...)
        G_GNUC_PRINTF(3, 4);

static void report(const struct judged *judged, const char *file, const char *format, ...)
{
        g_autofree char *what = NULL, *full = NULL;
        va_list args;

        va_start(args, format);
        what = g_strdup_vprintf(format, args);
        va_end(args);
        full = g_strdup_printf("%s; nothing of this group is used", what);
        judged->report(file ? file : judged->place, full, judged->data);
}

static void check_value(const struct judged *judged, const struct tn_config_key *row, const char *value,
                        const char *origin)
{
        g_autofree char *may_be = NULL;

        if (tn_config_value_fits(row, value))
                return;
        may_be = tn_config_table_describe(row);
        report(judged, origin, "key '%s': '%s' is not %s", row->key, value, may_be);
}

/* Limits that stand in the wrong order would never be reached, or always. 0 is no limit. */
static void check_order(const struct judged *judged, const struct tn_config_key *row)
{
        const char *other = row->at_least ? row->at_least : row->at_most;
        const char *text = tn_config_get(judged->config, judged->group, row->key);
        const char *other_text = other ? tn_config_get(judged->config, judged->group, other) : NULL;
        const struct tn_config_key *bound_row = other ? tn_config_table_find_for(judged->group, other,
                                                                                 judged->type)
                                                      : NULL;
        gint64 value = text ? g_ascii_strtoll(text, NULL, 10) : 0;
        gint64 bound = other_text ? g_ascii_strtoll(other_text, NULL, 10) : 0;

        /* What is no number for its row is a mistake of its own. */
        if (!bound_row || !tn_config_value_fits(row, text) || !tn_config_value_fits(bound_row, other_text))
                return;
        if (value == 0 || bound == 0 || (row->at_least ? value >= bound : value <= bound))
                return;
        report(judged, tn_config_origin(judged->config, judged->group, row->key),
               "key '%s': %s is %s %s=%s; change one of them", row->key, text,
               row->at_least ? "below" : "above", other, other_text);
}

static void check_row(const struct judged *judged, const struct tn_config_key *row)
{
        const char *origin = tn_config_origin(judged->config, judged->group, row->key);
        const char *value = origin ? tn_config_get(judged->config, judged->group, row->key) : NULL;

        if (value)
                check_value(judged, row, value, origin);
        if (row->needed && (!value || !*value))
                report(judged, origin, "key '%s' is missing; type=%s needs it", row->key, judged->type);
        check_order(judged, row);
}

/* Keys that are known, but say nothing to this type. */
static void check_foreign(const struct judged *judged, const struct tn_config_key *row)
{
        const char *origin = tn_config_origin(judged->config, judged->group, row->key);

        if (origin && !tn_config_table_find_for(judged->group, row->key, judged->type))
                report(judged, origin, "key '%s' is not for type=%s; remove it", row->key, judged->type);
}

static bool find_type(struct judged *judged)
{
        const struct tn_config_key *row = tn_config_table_find(judged->group, "type");
        const char *origin = tn_config_origin(judged->config, judged->group, "type");
        g_autofree char *may_be = tn_config_table_describe(row);

        judged->type = tn_config_get(judged->config, judged->group, "type");
        if (!origin || !*judged->type)
                report(judged, origin, "key 'type' is missing; it is %s", may_be);
        else if (!tn_config_value_fits(row, judged->type))
                report(judged, origin, "key 'type': '%s' is not %s", judged->type, may_be);
        else
                return true;
        return false;
}

void tn_config_group_check(const struct tn_config *config, const char *group, const char *file,
                           tn_config_report func, void *data)
{
        struct judged judged = {
                .config = config, .group = group, .place = file, .report = func, .data = data};
        const char *last = NULL;

        if (!find_type(&judged))
                return;
        for (size_t i = 0; i < tn_config_table_len; i++) {
                const struct tn_config_key *row = &tn_config_table[i];

                if (!tn_config_table_fits(row, group))
                        continue;
                if (tn_config_table_find_for(group, row->key, judged.type) == row)
                        check_row(&judged, row);
                else if (g_strcmp0(last, row->key) != 0)
                        check_foreign(&judged, row);
                last = row->key;
        }
}
