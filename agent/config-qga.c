/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Translation between qemu-ga's [general] and our groups: one table, read in both directions. */
#include "agent/config-qga.h"

#include "agent/transports.h"
#include "lib/error.h"

enum kind {
        AS_IS,  /* the value is ours, too */
        LIST,   /* the same, and dumped also when it is empty, as qemu-ga does */
        SWITCH, /* true means `value`, false says nothing */
};

static const struct row {
        const char *qga;
        const char *group, *key;
        enum kind kind;
        const char *value;
} rows[] = {
        {"daemon", "agent", "daemonize", SWITCH, "yes"},
        {"method", "channel", "method", AS_IS, NULL},
        {"path", "channel", "path", AS_IS, NULL},
        {"logfile", "log", "file", AS_IS, NULL},
        {"pidfile", "agent", "pidfile", AS_IS, NULL},
        {"fsfreeze-hook", "freeze", "qga-hook", AS_IS, NULL},
        {"statedir", "agent", "statedir", AS_IS, NULL},
        {"verbose", "log", "level", SWITCH, "debug"},
        {"retry-path", "channel", "retry-path", SWITCH, "yes"},
        {"block-rpcs", "policy", "block", LIST, NULL},
        {"allow-rpcs", "policy", "only", LIST, NULL},
        {"blacklist", "policy", "block", AS_IS, NULL}, /* before QEMU 9.1; not dumped */
};

static bool is_true(const char *value)
{
        return g_ascii_strcasecmp(value, "true") == 0 || g_str_equal(value, "1") ||
               g_ascii_strcasecmp(value, "yes") == 0;
}

bool tn_config_qga_translate(const char *key, const char *value, const char **ret_group,
                             const char **ret_key, char **ret_value, GError **error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const struct row *row = &rows[i];

                if (!g_str_equal(row->qga, key))
                        continue;
                *ret_group = row->group;
                *ret_key = row->key;
                if (row->kind == SWITCH)
                        *ret_value = is_true(value) ? g_strdup(row->value) : NULL;
                else
                        *ret_value = g_strdup(value);
                return true;
        }
        return tn_error_set(error, TN_ERROR_INVALID, "key '%s' is unknown to qemu-ga; see man qemu-ga", key);
}

/* The value in force; of the path also the usual one of the method. */
static const char *in_force(const struct tn_config *config, const struct row *row)
{
        const char *value = tn_config_get(config, row->group, row->key);

        if (!*value && g_str_equal(row->qga, "path"))
                value = tn_transports_usual_path(tn_config_get(config, "channel", "method"));
        return value ? value : "";
}

char *tn_config_qga_dump(const struct tn_config *config)
{
        GString *text = g_string_new("[" TN_CONFIG_QGA_GROUP "]\n");

        for (size_t i = 0; i < G_N_ELEMENTS(rows) - 1; i++) {
                const struct row *row = &rows[i];
                const char *value = in_force(config, row);

                if (row->kind == SWITCH)
                        value = g_str_equal(value, row->value) ? "true" : "false";
                if (*value || row->kind == LIST)
                        g_string_append_printf(text, "%s=%s\n", row->qga, value);
        }
        return g_string_free(text, FALSE);
}
