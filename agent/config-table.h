/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of known settings: the source of validation, of tenond.conf(5) and of `tenonctl config`. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum tn_config_type {
        TN_CONFIG_BOOL,   /* yes, no, true, false, on, off, 1, 0 */
        TN_CONFIG_INT,    /* min … max */
        TN_CONFIG_ENUM,   /* one of the words in `words`, separated by '|' */
        TN_CONFIG_STRING, /* any text */
        TN_CONFIG_PATH,   /* absolute path, or empty */
        TN_CONFIG_LIST,   /* words separated by ',' or ';' */
};

struct tn_config_key {
        const char *group;
        const char *key;
        enum tn_config_type type;
        const char *fallback; /* the default, as text */
        int64_t min, max;     /* TN_CONFIG_INT */
        const char *words;    /* TN_CONFIG_ENUM */
        const char *doc;      /* one line */
};

extern const struct tn_config_key tn_config_table[];
extern const size_t tn_config_table_len;

/* Groups whose name begins with this take any key: settings of plugins that are built elsewhere. */
#define TN_CONFIG_PLUGIN_GROUP "plugin "

/* The row, or NULL. */
const struct tn_config_key *tn_config_table_find(const char *group, const char *key);
/* What a value of this row may be, for messages and the manual: "one of a|b", "1 to 5", … g_free(). */
char *tn_config_table_describe(const struct tn_config_key *row);
