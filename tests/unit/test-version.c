/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Versions: the cases that deb-version(7), rpm-version(7) and their makers' tests tell of, and, where dpkg
 * and rpm are installed, what they themselves say of each pair. */
#include "lib/version.h"

#include <stdio.h>

#include "support.h"

struct pair {
        const char *older, *newer;
};

static const struct pair dpkg_pairs[] = {
        {"1.0~rc1", "1.0"},       {"1.0~beta1~svn1245", "1.0~beta1"},
        {"1.0~~", "1.0~"},        {"1.0", "1.0a"},
        {"1.9", "1.10"},          {"0.9", "1:0.1"},
        {"1.0-1", "1.0-2"},       {"1.0-1", "1.0-1+deb12u1"},
        {"1.0-1~bpo1", "1.0-1"},  {"1.0a", "1.0+"},
        {"1.0-9", "1.0-10"},      {"0:1.2.3-2", "0:1.2.3-10"},
        {"1.18.36~5", "1.18.36"}, {"5.2.15-2+b8", "5.2.15-2+b13"},
        {"0.1.0", "0.1.0-1"},     {"1.0a7-1", "1.0a10-1"},
};

static const struct pair rpm_pairs[] = {
        {"1.0", "1.0.1"},        {"2.0", "2.0.1"},
        {"5.5p1", "5.5p2"},      {"5.5p1", "5.5p10"},
        {"10xyz", "10.1xyz"},    {"xyz.4", "8"},
        {"1.0~rc1", "1.0"},      {"1.0~rc1~git123", "1.0~rc1"},
        {"1.0", "1.0^git1"},     {"1.0^git1", "1.0^git2"},
        {"1.0^git1", "1.01"},    {"1.0^20160101", "1.0.1"},
        {"1.0~rc1^git1", "1.0"}, {"1.0^git1~pre", "1.0^git1"},
        {"6.0", "6.0.rc1"},      {"10a1.1", "10b2"},
        {"1.0aa", "1.0aaa"},     {"2a", "2.0"},
};

/* @b is of other text and the same version. */
static const struct pair dpkg_same[] = {
        {"1.0", "0:1.0"}, {"1.0", "1.0-0"}, {"1.01", "1.1"}, {"1.0-", "1.0"}};
static const struct pair rpm_same[] = {
        {"1.05", "1.5"}, {"1.0", "1_0"}, {"1.0", "0:1.0"}, {"2.0", "2.0-1.fc40"}, {"1..0", "1.0"}};

static void check_pairs(enum tn_version_rules rules, const struct pair *pairs, size_t count)
{
        for (size_t i = 0; i < count; i++) {
                if (tn_version_compare(rules, pairs[i].older, pairs[i].newer) != -1 ||
                    tn_version_compare(rules, pairs[i].newer, pairs[i].older) != 1)
                        fail_msg("%s is not older than %s", pairs[i].older, pairs[i].newer);
                assert_int_equal(tn_version_compare(rules, pairs[i].older, pairs[i].older), 0);
        }
}

static void check_same(enum tn_version_rules rules, const struct pair *pairs, size_t count)
{
        for (size_t i = 0; i < count; i++)
                if (tn_version_compare(rules, pairs[i].older, pairs[i].newer) != 0 ||
                    tn_version_compare(rules, pairs[i].newer, pairs[i].older) != 0)
                        fail_msg("%s is not the same as %s", pairs[i].older, pairs[i].newer);
}

static void documented_cases_of_dpkg(void **state)
{
        (void) state;
        check_pairs(TN_VERSION_DPKG, dpkg_pairs, G_N_ELEMENTS(dpkg_pairs));
        check_same(TN_VERSION_DPKG, dpkg_same, G_N_ELEMENTS(dpkg_same));
}

static void documented_cases_of_rpm(void **state)
{
        (void) state;
        check_pairs(TN_VERSION_RPM, rpm_pairs, G_N_ELEMENTS(rpm_pairs));
        check_same(TN_VERSION_RPM, rpm_same, G_N_ELEMENTS(rpm_same));
}

/* Exit status 0: yes. */
static bool dpkg_says(const char *a, const char *relation, const char *b)
{
        const char *const argv[] = {"/usr/bin/dpkg", "--compare-versions", a, relation, b, NULL};
        int status = -1;

        assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL,
                                 &status, NULL));
        return status == 0;
}

/* The real one, for each of the pairs, and each with its neighbour. */
static void dpkg_itself_agrees(void **state)
{
        (void) state;
        if (!g_file_test("/usr/bin/dpkg", G_FILE_TEST_IS_EXECUTABLE))
                return;
        for (size_t i = 0; i < G_N_ELEMENTS(dpkg_pairs); i++) {
                const char *other = dpkg_pairs[(i + 1) % G_N_ELEMENTS(dpkg_pairs)].newer;

                assert_true(dpkg_says(dpkg_pairs[i].older, "lt", dpkg_pairs[i].newer));
                if (dpkg_says(dpkg_pairs[i].older, "lt", other) !=
                    (tn_version_compare(TN_VERSION_DPKG, dpkg_pairs[i].older, other) < 0))
                        fail_msg("dpkg does not agree about %s and %s", dpkg_pairs[i].older, other);
        }
}

/* One process for all pairs: each text with each. */
static void rpm_itself_agrees(void **state)
{
        g_autoptr(GString) program = g_string_new("%{lua:"), ours = g_string_new(NULL);
        g_autofree char *output = NULL;
        const char *argv[] = {"/usr/bin/rpm", "--eval", NULL, NULL};

        (void) state;
        if (!g_file_test(argv[0], G_FILE_TEST_IS_EXECUTABLE))
                return;
        for (size_t i = 0; i < G_N_ELEMENTS(rpm_pairs); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(rpm_pairs); j++) {
                        g_string_append_printf(program, "print(rpm.vercmp('%s','%s'));", rpm_pairs[i].older,
                                               rpm_pairs[j].newer);
                        g_string_append_printf(
                                ours, "%d",
                                tn_version_compare(TN_VERSION_RPM, rpm_pairs[i].older, rpm_pairs[j].newer));
                }
        g_string_append(program, "}");
        argv[2] = program->str;
        assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &output,
                                 NULL, NULL, NULL));
        g_strchomp(output);
        assert_string_equal(output, ours->str);
}

static void texts_that_are_versions(void **state)
{
        g_autofree char *limit = g_strnfill(TN_VERSION_MAX, '1'),
                        *above = g_strnfill(TN_VERSION_MAX + 1, '1');

        (void) state;
        assert_true(tn_version_is_valid("0.1.0"));
        assert_true(tn_version_is_valid("1:2.0~rc1-1.fc40^x"));
        assert_true(tn_version_is_valid(limit));
        assert_false(tn_version_is_valid(above));
        assert_false(tn_version_is_valid(""));
        assert_false(tn_version_is_valid("v1"));
        assert_false(tn_version_is_valid("-1"));
        assert_false(tn_version_is_valid("1 0"));
        assert_false(tn_version_is_valid("1;reboot"));
        assert_false(tn_version_is_valid("1\n"));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(documented_cases_of_dpkg), cmocka_unit_test(documented_cases_of_rpm),
                cmocka_unit_test(dpkg_itself_agrees),       cmocka_unit_test(rpm_itself_agrees),
                cmocka_unit_test(texts_that_are_versions),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
