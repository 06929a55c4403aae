/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the tray shows for what the agent says. */
#include "tray/view.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define WELL                                                                                                \
        "'org.tenon.Agent1': {'Version': '1.2', 'State': 'ok', 'Problems': []},"                            \
        "'org.tenon.Agent1.Hypervisor': {'State': 'present', 'Id': 'kvm'},"                                 \
        "'org.tenon.Agent1.Channels': {'State': 'open'},"                                                   \
        "'org.tenon.Agent1.Drivers': {'State': 'ok', 'Advice': []},"                                        \
        "'org.tenon.Agent1.Time': {'State': 'present', 'Owner': 'chronyd', 'Source': 'ptp_kvm'},"           \
        "'org.tenon.Agent1.Updates': {'State': 'present', 'Status': 'current', 'Installed': '1.2'},"

/* Apostrophes stand for quotes. */
static struct tn_tray_view *view_of(const char *facts, GHashTable *seen)
{
        g_autofree char *text = g_strdelimit(g_strdup(facts), "'", '"');
        json_error_t error;
        json_auto_t *value = json_loads(text, 0, &error);

        if (!value)
                fail_msg("%s: %s", error.text, text);
        return tn_tray_view_new(value, seen);
}

static const struct tn_tray_thing *thing(const struct tn_tray_view *view, guint i)
{
        assert_true(i < view->things->len);
        return g_ptr_array_index(view->things, i);
}

static bool says(const struct tn_tray_view *view, const char *line)
{
        for (guint i = 0; i < view->summary->len; i++)
                if (g_str_equal(g_ptr_array_index(view->summary, i), line))
                        return true;
        return false;
}

static void test_stopped(void **state)
{
        struct tn_tray_view *view = tn_tray_view_new(NULL, NULL);

        (void) state;
        assert_int_equal(view->state, TN_TRAY_STOPPED);
        assert_string_equal(view->headline, "Tenon is not running");
        assert_non_null(strstr(view->tooltip, "systemctl start tenond"));
        assert_int_equal(view->things->len, 0);
        assert_int_equal(view->summary->len, 0);
        tn_tray_view_free(view);
}

static void test_well(void **state)
{
        struct tn_tray_view *view = view_of(
                "{" WELL "'org.tenon.Agent1.Watchdog': {'State': 'fed', 'Device': 'watchdog0'}}", NULL);

        (void) state;
        assert_int_equal(view->state, TN_TRAY_WELL);
        assert_string_equal(view->headline, "Tenon: all is well");
        assert_int_equal(view->things->len, 0);
        assert_true(says(view, "Machine: kvm"));
        assert_true(says(view, "Host: its channel is open"));
        assert_true(says(view, "Drivers: as they should be"));
        assert_true(says(view, "Watchdog: fed, watchdog0"));
        assert_true(says(view, "Time: kept by chronyd, compared with ptp_kvm"));
        assert_true(says(view, "Version: 1.2 (current)"));
        assert_non_null(strstr(view->tooltip, "Watchdog: fed"));
        tn_tray_view_free(view);
}

/* Parts that are not there, and an agent that has fewer interfaces than we know. */
static void test_absent(void **state)
{
        static const char *const facts[] = {
                "{}",
                "{'org.tenon.Agent1.Drivers': {'State': 'absent'}, 'org.tenon.Agent1.Time': {'State': "
                "'absent'},"
                "'org.tenon.Agent1.Watchdog': {'State': 'absent'}, 'org.tenon.Agent1.Updates': {'State': "
                "'absent', 'Status': ''}}",
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
                struct tn_tray_view *view = view_of(facts[i], NULL);

                assert_int_equal(view->state, TN_TRAY_WELL);
                assert_true(says(view, "Machine: no virtual machine"));
                assert_true(says(view, "Host: there is no channel to it"));
                assert_true(says(view, "Drivers: not looked at, the plugin drivers does not run"));
                assert_true(says(view, "Watchdog: there is none"));
                assert_true(says(view, "Time: not looked after, the plugin timesync does not run"));
                tn_tray_view_free(view);
        }
}

/* Everything at once, in its order. */
static void test_things(void **state)
{
        struct tn_tray_view *view = view_of(
                "{'shutdown': {'state': 'hooks', 'mode': 'reboot', 'at': 17},"
                "'org.tenon.Agent1': {'Problems': ['a is bad', 'b is\\nworse'], 'Remedies': ['mend a', '']},"
                "'org.tenon.Agent1.Watchdog': {'LastReset': {'this-boot': true, 'cause': 'starved', "
                "'reason': "
                "'check disk', 'time': 1234}},"
                "'org.tenon.Agent1.Drivers': {'State': 'advice', 'Advice': ['eth0 has no driver', 'slow'],"
                "'Severities': ['critical', 'warning']},"
                "'org.tenon.Agent1.Time': {'State': 'present', 'Owner': 'nobody'},"
                "'org.tenon.Agent1.Updates': {'State': 'present', 'Status': 'out-of-date', 'Candidate': "
                "'1.3',"
                "'Installed': '1.2'}}",
                NULL);

        (void) state;
        assert_int_equal(view->state, TN_TRAY_ATTENTION);
        assert_string_equal(view->headline, "Tenon: 7 things need attention");
        assert_int_equal(view->things->len, 7);
        assert_string_equal(thing(view, 0)->id, "shutdown:17");
        assert_string_equal(thing(view, 0)->text,
                            "The host asks this machine to restart now. Save your work.");
        assert_true(thing(view, 0)->urgent);
        assert_string_equal(thing(view, 1)->id, "problem:a is bad");
        assert_string_equal(thing(view, 1)->text, "a is bad – mend a");
        assert_true(thing(view, 1)->lasting);
        assert_string_equal(thing(view, 2)->text, "b is worse");
        assert_string_equal(thing(view, 2)->id, "problem:b is worse");
        assert_string_equal(thing(view, 3)->id, "reset:1234");
        assert_string_equal(thing(view, 3)->text, "The watchdog reset this machine (starved): check disk");
        assert_string_equal(thing(view, 4)->id, "driver:eth0 has no driver");
        assert_false(thing(view, 4)->lasting);
        assert_string_equal(thing(view, 4)->title, "A driver is missing");
        assert_true(thing(view, 4)->urgent);
        assert_string_equal(thing(view, 5)->title, "Advice about a driver");
        assert_false(thing(view, 5)->urgent);
        assert_string_equal(thing(view, 6)->id, "update:out-of-date:1.3");
        assert_string_equal(thing(view, 6)->text, "Version 1.3 of Tenon is available, 1.2 is installed.");
        assert_true(says(view, "Time: nobody keeps the clock; tenonctl time setup advises"));
        assert_true(says(view, "Drivers: 2 pieces of advice"));
        tn_tray_view_free(view);
}

/* What was looked at is shown on, and is no reason for the sign; a problem is one until it is gone. */
static void test_seen(void **state)
{
        g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
        const char *facts = "{'org.tenon.Agent1': {'Problems': ['a']},"
                            "'org.tenon.Agent1.Drivers': {'State': 'advice', 'Advice': ['b']}}";
        const char *advice = "{'org.tenon.Agent1.Drivers': {'State': 'advice', 'Advice': ['b']}}";
        struct tn_tray_view *view;

        (void) state;
        g_hash_table_add(seen, (char *) "problem:a");
        g_hash_table_add(seen, (char *) "driver:b");
        view = view_of(facts, seen);
        assert_int_equal(view->state, TN_TRAY_ATTENTION);
        assert_string_equal(view->headline, "Tenon: 1 thing needs attention");
        assert_int_equal(view->things->len, 2);
        tn_tray_view_free(view);
        view = view_of(advice, seen);
        assert_int_equal(view->state, TN_TRAY_WELL);
        assert_string_equal(view->headline, "Tenon: nothing new");
        assert_int_equal(view->things->len, 1);
        tn_tray_view_free(view);
        view = view_of(advice, NULL);
        assert_int_equal(view->state, TN_TRAY_ATTENTION);
        tn_tray_view_free(view);
}

static void test_no_news(void **state)
{
        static const char *const facts[] = {
                "{'shutdown': {'state': 'failed', 'at': 3}}",
                "{'org.tenon.Agent1.Watchdog': {'LastReset': {'this-boot': false, 'cause': 'hang', 'time': "
                "1}}}",
                "{'org.tenon.Agent1.Watchdog': {'LastReset': {}}}",
                "{'org.tenon.Agent1.Updates': {'Status': 'managed', 'Candidate': '2'}}",
                "{'org.tenon.Agent1.Updates': {'Status': 'unknown'}}",
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
                struct tn_tray_view *view = view_of(facts[i], NULL);

                assert_int_equal(view->state, TN_TRAY_WELL);
                assert_int_equal(view->things->len, 0);
                tn_tray_view_free(view);
        }
}

static void test_security_update(void **state)
{
        static const char *const facts[] = {
                "{'org.tenon.Agent1.Updates': {'Status': 'out-of-date', 'Candidate': '2', 'Security': true,"
                "'Message': 'Install 2 soon'}}",
                "{'org.tenon.Agent1.Updates': {'Status': 'revoked', 'Message': 'Install 2 soon'}}",
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
                struct tn_tray_view *view = view_of(facts[i], NULL);

                assert_string_equal(thing(view, 0)->title, "Security update for Tenon");
                assert_string_equal(thing(view, 0)->text, "Install 2 soon");
                assert_true(thing(view, 0)->urgent);
                tn_tray_view_free(view);
        }
}

/* Values of other types than the contract's, long texts, many problems: shown as far as they go. */
static void test_bad_input(void **state)
{
        g_autoptr(GString) many = g_string_new("{'org.tenon.Agent1': {'Problems': [0");
        g_autofree char *wide = g_strnfill(3000, 'x');
        struct tn_tray_view *view;

        (void) state;
        for (int i = 0; i < 100; i++)
                g_string_append_printf(many, ", '%d %sä'", i, wide);
        g_string_append(many, "]}}");
        view = view_of(many->str, NULL);
        assert_string_equal(view->headline, "Tenon: 100 things need attention");
        assert_int_equal(view->things->len, TN_TRAY_THINGS_MAX);
        assert_int_equal(g_utf8_strlen(thing(view, 0)->text, -1), TN_TRAY_TEXT_MAX);
        assert_true(g_str_has_suffix(thing(view, 0)->text, "…"));
        assert_true(strlen(view->tooltip) < 4096);
        tn_tray_view_free(view);
        view = view_of(
                "{'org.tenon.Agent1': 3, 'shutdown': 'now', 'org.tenon.Agent1.Drivers': {'State': 5,"
                "'Advice': {'a': 1}}, 'org.tenon.Agent1.Watchdog': {'State': 'fed', 'LastReset': []}}",
                NULL);
        assert_int_equal(view->state, TN_TRAY_WELL);
        tn_tray_view_free(view);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_stopped),   cmocka_unit_test(test_well),
                cmocka_unit_test(test_absent),    cmocka_unit_test(test_things),
                cmocka_unit_test(test_seen),      cmocka_unit_test(test_no_news),
                cmocka_unit_test(test_bad_input), cmocka_unit_test(test_security_update),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
