/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Values of settings, by the type of their row. */
#include "agent/config-value.h"

#include <glib.h>

static const struct {
        const char *word;
        bool value;
} bool_words[] = {
        {"yes", true}, {"true", true},   {"on", true},   {"1", true},
        {"no", false}, {"false", false}, {"off", false}, {"0", false},
};

static bool parse_bool(const char *text, bool *ret)
{
        for (size_t i = 0; i < G_N_ELEMENTS(bool_words); i++)
                if (g_ascii_strcasecmp(text, bool_words[i].word) == 0) {
                        *ret = bool_words[i].value;
                        return true;
                }
        return false;
}

bool tn_config_value_fits(const struct tn_config_key *row, const char *value)
{
        gint64 number;
        bool flag;

        switch (row->type) {
        case TN_CONFIG_BOOL:
                return parse_bool(value, &flag);
        case TN_CONFIG_INT:
                return g_ascii_string_to_signed(value, 10, row->min, row->max, &number, NULL);
        case TN_CONFIG_ENUM: {
                g_auto(GStrv) words = g_strsplit(row->words, "|", -1);

                return g_strv_contains((const char *const *) words, value);
        }
        case TN_CONFIG_PATH:
                return *value == '\0' || g_path_is_absolute(value);
        case TN_CONFIG_LIST:
        case TN_CONFIG_STRING:
        default:
                return g_utf8_validate(value, -1, NULL);
        }
}

const char *tn_config_value_normal(const struct tn_config_key *row, const char *value)
{
        bool flag;

        if (row && row->type == TN_CONFIG_BOOL && parse_bool(value, &flag))
                return flag ? "yes" : "no";
        return value;
}
