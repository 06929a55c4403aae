/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of known settings: the source of validation, of tenond.conf(5) and of `tenonctl config`. */
#pragma once

#include <stdbool.h>
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
        /* Only of groups that end with TN_CONFIG_NAMED: */
        const char *when;     /* the words of `type` that have this row, separated by '|'; NULL: all */
        bool needed;          /* there is no default */
        const char *at_least; /* a key of the same group whose value this one must not be below, … */
        const char *at_most;  /* … or above */
};

extern const struct tn_config_key tn_config_table[];
extern const size_t tn_config_table_len;

/* Groups whose name begins with this take any key: settings of plugins that are built elsewhere. */
#define TN_CONFIG_PLUGIN_GROUP "plugin "

/* A group of the table that ends with this stands for as many groups as the administrator writes, each with
 * a name in its place, and each of them with a key `type`. See config-groups.h. */
#define TN_CONFIG_NAMED " NAME"

/* Whether the row is of this group. */
bool tn_config_table_fits(const struct tn_config_key *row, const char *group);
/* Whether the group is one of those with a name: "check db". */
bool tn_config_table_is_named(const char *group);
/* The row, or NULL; the first of several for different types. */
const struct tn_config_key *tn_config_table_find(const char *group, const char *key);
/* The row of this type, or NULL. */
const struct tn_config_key *tn_config_table_find_for(const char *group, const char *key, const char *type);
/* What a value of this row may be, for messages and the manual: "one of a|b", "1 to 5", … g_free(). */
char *tn_config_table_describe(const struct tn_config_key *row);
