/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of settings must keep its own rules, since the manual is made of it. */
#include "support.h"

#include <string.h>

#include "agent/config-table.h"
#include "agent/config-value.h"

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
                if (row->needed) /* there is no default */
                        continue;
                assert_true(tn_config_value_fits(row, row->fallback));
                if (!tn_config_override(config, row->group, row->key, row->fallback, &error))
                        fail_msg("[%s] %s: %s", row->group, row->key, error->message);
        }
}

/* No row twice: neither for all types, nor for one of them. */
static bool is_only_row(const struct tn_config_key *row)
{
        g_auto(GStrv) types = row->when ? g_strsplit(row->when, "|", -1) : NULL;

        if (!types)
                return tn_config_table_find(row->group, row->key) == row;
        for (size_t i = 0; types[i]; i++)
                if (tn_config_table_find_for(row->group, row->key, types[i]) != row)
                        return false;
        return true;
}

/* The types that rows speak of are those of the key `type`, and the limits in their rows are keys, too. */
static void test_types_and_limits_exist(void **state)
{
        (void) state;
        for (size_t i = 0; i < tn_config_table_len; i++) {
                const struct tn_config_key *row = &tn_config_table[i];
                g_auto(GStrv) types = row->when ? g_strsplit(row->when, "|", -1) : NULL;
                const char *bound = row->at_least ? row->at_least : row->at_most;

                /* A mistake is told once for each key because of it. */
                if (i > 0 && tn_config_table_find(row->group, row->key) != row)
                        assert_string_equal(tn_config_table[i - 1].key, row->key);
                for (size_t t = 0; types && types[t]; t++) {
                        assert_true(
                                tn_config_value_fits(tn_config_table_find(row->group, "type"), types[t]));
                        if (bound)
                                assert_non_null(tn_config_table_find_for(row->group, bound, types[t]));
                }
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
                assert_true(is_only_row(row));
                assert_true(!row->needed || !*row->fallback);
                assert_true((!row->when && !row->needed) || tn_config_table_is_named(row->group));
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
        assert_non_null(tn_config_table_find("check db", "warning"));
        assert_null(tn_config_table_find("checkdb", "warning"));
        assert_int_equal(tn_config_table_find_for("check db", "warning", "loop")->max, 3600000);
        assert_int_equal(tn_config_table_find_for("check db", "warning", "io-pressure")->max, 100);
        assert_null(tn_config_table_find_for("check db", "warning", "unit"));
        assert_null(tn_config_table_find_for("check db", "warning", NULL));
        assert_true(tn_config_table_is_named("check db"));
        assert_false(tn_config_table_is_named("policy"));
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
                cmocka_unit_test(test_types_and_limits_exist),
                cmocka_unit_test(test_groups_are_contiguous),
                cmocka_unit_test(test_find),
                cmocka_unit_test(test_describe),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
