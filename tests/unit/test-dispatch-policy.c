/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Who may ask for what, what it leaves in the log, and what is counted. */
#include "bench.h"

#include <string.h>

static void assert_denied(struct talk *talk, const char *command, const char *why)
{
        g_autofree char *request = g_strdup_printf("{'execute': '%s'}", command);
        g_autofree char *wanted = g_strdup_printf(
                "{'error': {'class': 'CommandNotFound', 'desc': \"Command %s has been disabled: %s\"}}\n",
                command, why);

        talk_send(talk, request);
        assert_said(talk, wanted);
}

static void assert_ok(struct talk *talk, const char *command)
{
        g_autofree char *request = g_strdup_printf("{'execute': '%s'}", command);

        talk_send(talk, request);
        assert_said(talk, "{'return': {}}\n");
}

static void test_refusals_name_the_remedy(void **state)
{
        g_autoptr(bench_t) bench = bench_new("[policy]\nblock=test-echo\npreset=locked\n");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        assert_denied(talk, "test-echo",
                      "the command is not allowed (remove it from block= in [policy] of tenond.conf, or "
                      "from --block-rpcs, to "
                      "allow it)");
        assert_denied(talk, "test-thaw",
                      "the command is not allowed (preset=standard or allow=test-thaw in [policy] of "
                      "tenond.conf would "
                      "allow it)");
        assert_denied(talk, "test-exec",
                      "the command is not allowed (preset=open or allow=test-exec in [policy] of "
                      "tenond.conf would "
                      "allow it)");
        assert_int_equal(tn_dispatch_counters(bench->dispatch)->refused, 3);
        assert_non_null(
                machine_logged(bench->machine, "4|test-exec by tester refused: the command is not allowed"));
        assert_ok(talk, "guest-ping");
}

/* Refusal comes before a look at the arguments. */
static void test_refused_with_bad_arguments(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'test-exec', 'arguments': {'x': 1}, 'id': 9}");
        assert_contains(talk->said->str, "has been disabled");
        assert_contains(talk->said->str, "{\"id\": 9, ");
}

static void test_policy_is_replaced(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(tn_config_t) open = config_from(bench->machine, "[policy]\npreset=open\n");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'test-exec'}");
        assert_contains(talk->said->str, "CommandNotFound");
        g_string_truncate(talk->said, 0);
        tn_dispatch_set_policy(bench->dispatch, tn_policy_new(open));
        assert_ok(talk, "test-exec");
        assert_string_equal(tn_policy_preset(tn_dispatch_policy(bench->dispatch)), "open");
}

static void test_local_user(void **state)
{
        static const char why[] = "only root may ask for it; try sudo";
        g_autoptr(bench_t) bench = bench_new("[policy]\npreset=open\n");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_LOCAL_USER);

        (void) state;
        assert_ok(talk, "guest-ping");
        assert_ok(talk, "test-echo");
        assert_denied(talk, "test-change", why); /* of the category info, and yet it changes something */
        assert_denied(talk, "test-quiet", why);
        assert_denied(talk, "test-exec", why);
        assert_denied(talk, "test-thaw", why);
}

static void test_local_root(void **state)
{
        g_autoptr(bench_t) bench = bench_new("[policy]\npreset=locked\nblock=test-echo\n");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_LOCAL_ROOT);

        (void) state;
        assert_ok(talk, "test-exec");
        assert_ok(talk, "test-echo");
        assert_ok(talk, "test-change");
}

static void test_frozen(void **state)
{
        static const char why[] = "the command is not allowed (the agent is in frozen state)";
        g_autoptr(bench_t) bench = bench_new("[policy]\nblock=test-thaw\n");
        g_autoptr(talk_t) host = talk_new(bench, TN_TRUST_HOST), root = talk_new(bench, TN_TRUST_LOCAL_ROOT);

        (void) state;
        tn_facts_set(bench->facts, "freeze", "freeze", json_of("{'state': 'frozen'}"), NULL);
        assert_denied(host, "test-echo", why);
        assert_denied(root, "test-echo", why);
        assert_denied(host, "test-exec", why); /* not the policy's text: frozen comes first */
        assert_ok(host, "guest-ping");
        assert_ok(root, "test-thaw");
        tn_facts_set(bench->facts, "freeze", "freeze", json_of("{'state': 'thawed'}"), NULL);
        assert_ok(host, "test-echo");
        tn_facts_set(bench->facts, "freeze", "freeze", json_of("'rubbish'"), NULL);
        assert_ok(host, "test-echo");
}

static void test_audit(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'test-change', 'arguments': {'value': 'SECRET'}}");
        assert_int_equal(bench->machine->log->len, 1);
        assert_string_equal(
                g_ptr_array_index(bench->machine->log, 0),
                "5|test-change by tester over test-line: ok|MESSAGE_ID=a84c5f0e3b1d4b7e9c2f6d8017e5c3b4|"
                "TENON_COMMAND=test-change|TENON_PEER=tester|TENON_TRANSPORT=test-line|TENON_RESULT=ok|"
                "TENON_DURATION_USEC=0");
        talk_send(talk, "{'execute': 'test-change-fail'}");
        assert_contains(machine_logged(bench->machine, "test-change-fail"),
                        "over test-line: not-found, failed to open file '/x' (mode: 'r'): No such file or "
                        "directory|");
        assert_contains(machine_logged(bench->machine, "test-change-fail"), "TENON_RESULT=not-found");
}

static void test_audit_of_a_later_end(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'test-change-later'}");
        assert_int_equal(bench->machine->log->len, 0);
        bench->machine->monotonic_usec += 1234567;
        bench_reply(bench, 0, "null");
        assert_contains(machine_logged(bench->machine, "test-change-later by"),
                        "TENON_DURATION_USEC=1234567");
        talk_send(talk, "{'execute': 'test-quiet'}");
        bench_reply(bench, 0, "null");
        assert_non_null(machine_logged(bench->machine, "test-quiet by tester over test-line: ok"));
        assert_int_equal(bench->machine->log->len, 2);
}

/* About twenty of them a minute, for ever. */
static void test_reading_leaves_no_trace(void **state)
{
        static const char *const requests[] = {
                "{'execute': 'guest-ping'}",
                "{'execute': 'test-echo'}",
                "{'execute': 'guest-pong'}",
                "{'execute': 'test-fail'}",
                "{",
                "[]",
                "{'execute': 'guest-sync', 'arguments': {'id': 1}}",
        };
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(requests); i++)
                talk_send(talk, requests[i]);
        assert_int_equal(bench->machine->log->len, 0);
}

static void test_refusals_are_rate_limited(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        for (int i = 0; i < 1000; i++)
                talk_send(talk, "{'execute': 'test-exec'}");
        assert_int_equal(bench->machine->log->len, 5);
        assert_int_equal(tn_dispatch_counters(bench->dispatch)->refused, 1000);
        bench->machine->monotonic_usec += 60 * G_USEC_PER_SEC;
        talk_send(talk, "{'execute': 'test-exec'}");
        assert_int_equal(bench->machine->log->len, 6);
}

static void test_counters(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);
        const struct tn_counters *c = tn_dispatch_counters(bench->dispatch);

        (void) state;
        talk_send(talk, "{'execute': 'guest-ping'}");
        talk_send(talk, "{'execute': 'guest-pong'}");
        talk_send(talk, "{'execute': 'test-exec'}");
        talk_send(talk, "{'execute': 'test-fail'}");
        talk_send(talk, "[]");
        talk_send(talk, "{");
        tn_session_parse_error(talk->session, "JSON parse error, too long");
        assert_int_equal(c->requests, 6);
        assert_int_equal(c->errors, 6);
        assert_int_equal(c->parse_errors, 3);
        assert_int_equal(c->refused, 1);
        assert_int_equal(c->abandoned, 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_refusals_name_the_remedy),
                cmocka_unit_test(test_refused_with_bad_arguments),
                cmocka_unit_test(test_policy_is_replaced),
                cmocka_unit_test(test_local_user),
                cmocka_unit_test(test_local_root),
                cmocka_unit_test(test_frozen),
                cmocka_unit_test(test_audit),
                cmocka_unit_test(test_audit_of_a_later_end),
                cmocka_unit_test(test_reading_leaves_no_trace),
                cmocka_unit_test(test_refusals_are_rate_limited),
                cmocka_unit_test(test_counters),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
