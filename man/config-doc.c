/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Prints the settings as scdoc(5), for tenond.conf(5). Runs while Tenon is built and is not installed. The
 * rows come from tn_config_table, so the manual says of a setting what the agent checks.
 */
#include <glib.h>
#include <stdio.h>
#include <string.h>

#include "agent/config-table.h"

/* Text that scdoc prints as it is. */
static char *escape(const char *text)
{
        GString *out = g_string_new(NULL);

        for (; *text; text++) {
                if (strchr("\\*_[]#|<>", *text))
                        g_string_append_c(out, '\\');
                g_string_append_c(out, *text);
        }
        return g_string_free(out, FALSE);
}

static void print_row(const struct tn_config_key *row)
{
        g_autofree char *doc = escape(row->doc);
        g_autofree char *may_be = tn_config_table_describe(row);
        g_autofree char *value = escape(may_be);
        g_autofree char *fallback = escape(row->fallback);

        printf("*%s*=\n\t%s\n\n\t", row->key, doc);
        if (row->when) {
                g_auto(GStrv) types = g_strsplit(row->when, "|", -1);
                g_autofree char *list = g_strjoinv("*, *", types);

                printf("For type *%s*. ", list);
        }
        printf("Value: %s. ", value);
        if (row->needed)
                printf("It must be set.\n\n");
        else if (*fallback)
                printf("Default: *%s*.\n\n", fallback);
        else
                printf("Default: empty.\n\n");
}

int main(void)
{
        const char *group = NULL;

        for (size_t i = 0; i < tn_config_table_len; i++) {
                if (g_strcmp0(group, tn_config_table[i].group) != 0)
                        printf("## [%s]\n\n", tn_config_table[i].group);
                group = tn_config_table[i].group;
                print_row(&tn_config_table[i]);
        }
        return fflush(stdout) == 0 ? 0 : 1;
}
