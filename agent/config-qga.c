/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Translation between qemu-ga's [general] and our groups: one table, read in both directions. */
#include "agent/config-qga.h"

#include "lib/error.h"

enum kind {
        AS_IS,   /* the value is ours, too */
        SWITCH,  /* true means `value`, false says nothing */
        IGNORED, /* we always do so */
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
        {"retry-path", NULL, NULL, IGNORED, NULL},
        {"block-rpcs", "policy", "block", AS_IS, NULL},
        {"allow-rpcs", "policy", "only", AS_IS, NULL},
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
                if (row->kind == AS_IS)
                        *ret_value = g_strdup(value);
                else
                        *ret_value = row->kind == SWITCH && is_true(value) ? g_strdup(row->value) : NULL;
                return true;
        }
        return tn_error_set(error, TN_ERROR_INVALID, "key '%s' is unknown to qemu-ga; see man qemu-ga", key);
}

char *tn_config_qga_dump(const struct tn_config *config)
{
        GString *text = g_string_new("[" TN_CONFIG_QGA_GROUP "]\n");

        for (size_t i = 0; i < G_N_ELEMENTS(rows) - 1; i++) {
                const struct row *row = &rows[i];
                const char *value = row->group ? tn_config_get(config, row->group, row->key) : "";

                if (row->kind == IGNORED)
                        g_string_append_printf(text, "%s=true\n", row->qga);
                else if (row->kind == SWITCH)
                        g_string_append_printf(text, "%s=%s\n", row->qga,
                                               g_strcmp0(value, row->value) == 0 ? "true" : "false");
                else if (value && *value)
                        g_string_append_printf(text, "%s=%s\n", row->qga, value);
        }
        return g_string_free(text, FALSE);
}
