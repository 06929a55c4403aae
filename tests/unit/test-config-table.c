/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of settings must keep its own rules, since the manual is made of it. */
#include "support.h"

#include <string.h>

#include "agent/config-table.h"

/* Each default is a value that the reader itself would accept. */
static void test_defaults_are_valid(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = config_from(m, "");

        (void) state;
        assert_true(tn_config_table_len > 10);
        for (size_t i = 0; i < tn_config_table_len; i++) {
                const struct tn_config_key *row = &tn_config_table[i];
                g_autoptr(GError) error = NULL;

                assert_non_null(row->fallback);
                if (!tn_config_override(config, row->group, row->key, row->fallback, &error))
                        fail_msg("[%s] %s: %s", row->group, row->key, error->message);
        }
}

static void test_rows_are_whole(void **state)
{
        (void) state;
        for (size_t i = 0; i < tn_config_table_len; i++) {
                const struct tn_config_key *row = &tn_config_table[i];
                g_autofree char *may_be = tn_config_table_describe(row);

                assert_true(row->doc && g_str_has_suffix(row->doc, "."));
                assert_true(*may_be != '\0');
                assert_ptr_equal(tn_config_table_find(row->group, row->key), row); /* no row twice */
                assert_int_equal(row->type == TN_CONFIG_ENUM, row->words != NULL);
                if (row->type == TN_CONFIG_INT)
                        assert_true(row->min < row->max);
                if (row->type == TN_CONFIG_BOOL) /* plugins compare with these words */
                        assert_true(g_str_equal(row->fallback, "yes") || g_str_equal(row->fallback, "no"));
        }
}

/* The lists of known names rely on it. */
static void test_groups_are_contiguous(void **state)
{
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
        const char *last = "";

        (void) state;
        for (size_t i = 0; i < tn_config_table_len; i++) {
                const char *group = tn_config_table[i].group;

                if (!g_str_equal(group, last) && !g_hash_table_add(seen, (char *) group))
                        fail_msg("group %s is in two places", group);
                last = group;
        }
}

static void test_find(void **state)
{
        (void) state;
        assert_null(tn_config_table_find("policy", "nothing"));
        assert_null(tn_config_table_find("nothing", "preset"));
        assert_null(tn_config_table_find("", ""));
}

static void test_describe(void **state)
{
        static const struct {
                const char *group, *key, *text;
        } rows[] = {
                {"policy", "preset", "one of standard, open, locked"},
                {"limits", "clients", "a number from 1 to 256"},
                {"timesync", "write-rtc", "yes or no"},
                {"log", "file", "an absolute path, or empty"},
                {"policy", "allow", "names separated by commas"},
                {"channel", "path", "text"},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *text = tn_config_table_describe(
                        tn_config_table_find(rows[i].group, rows[i].key));

                assert_string_equal(text, rows[i].text);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_defaults_are_valid),
                cmocka_unit_test(test_rows_are_whole),
                cmocka_unit_test(test_groups_are_contiguous),
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_describe),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
