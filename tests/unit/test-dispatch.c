/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* From a JSON text to a reply: what is refused and with which words, ids, and the order of replies. */
#include "bench.h"

#include <string.h>

static const char *const mistakes[][2] = {
        {"7", ERROR_REPLY("GenericError", "QMP input must be a JSON object")},
        {"null", ERROR_REPLY("GenericError", "QMP input must be a JSON object")},
        {"'x'", ERROR_REPLY("GenericError", "QMP input must be a JSON object")},
        {"[]", ERROR_REPLY("GenericError", "QMP input must be a JSON object")},
        {"[{'execute': 'guest-ping'}]", ERROR_REPLY("GenericError", "QMP input must be a JSON object")},
        {"{}", ERROR_REPLY("GenericError", "QMP input lacks member 'execute'")},
        {"{'arguments': {}}", ERROR_REPLY("GenericError", "QMP input lacks member 'execute'")},
        {"{'execute': 'guest-ping', 'x': 1}",
         ERROR_REPLY("GenericError", "QMP input member 'x' is unexpected")},
        {"{'exec-oob': 'guest-ping'}",
         ERROR_REPLY("GenericError", "QMP input member 'exec-oob' is unexpected")},
        {"{'execute': 1}", ERROR_REPLY("GenericError", "QMP input member 'execute' must be a string")},
        {"{'execute': null}", ERROR_REPLY("GenericError", "QMP input member 'execute' must be a string")},
        {"{'execute': 'guest-ping', 'arguments': null}",
         ERROR_REPLY("GenericError", "QMP input member 'arguments' must be an object")},
        {"{'execute': 'guest-ping', 'arguments': []}",
         ERROR_REPLY("GenericError", "QMP input member 'arguments' must be an object")},
        {"{'execute': 'guest-pong'}",
         ERROR_REPLY("CommandNotFound", "The command guest-pong has not been found")},
        {"{'execute': ''}", ERROR_REPLY("CommandNotFound", "The command  has not been found")},
        {"{'execute': 'guest-ping', 'arguments': {'foo': 1}}",
         ERROR_REPLY("GenericError", "Parameter 'foo' is unexpected")},
        {"{'execute': 'guest-sync'}", ERROR_REPLY("GenericError", "Parameter 'id' is missing")},
        {"{'execute': 'guest-sync-delimited', 'arguments': {'id': '1'}}",
         ERROR_REPLY("GenericError", "Invalid parameter type for 'id', expected: integer")},
        {"{'execute': 'test-exec'}",
         ERROR_REPLY("CommandNotFound", "Command test-exec has been disabled: the command is not allowed "
                                        "(preset=open or allow=test-exec "
                                        "in [policy] of tenond.conf would allow it)")},
        {"{'execute': 'test-fail'}",
         ERROR_REPLY("GenericError", "failed to open file '/x' (mode: 'r'): No such file or directory")},
        {"{'execute': 'test-mute'}", ERROR_REPLY("GenericError", "test-mute failed")},
};

static void test_mistakes(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
                talk_send(talk, mistakes[i][0]);
                assert_said(talk, mistakes[i][1]);
        }
        assert_int_equal(tn_dispatch_counters(bench->dispatch)->errors, G_N_ELEMENTS(mistakes));
}

static void test_not_json(void **state)
{
        static const char *const texts[] = {
                "",
                "{",
                "{\"execute\":}",
                "{\"execute\": \"guest-ping\",}",
                "tru",
                "\x01",
                "{\"a\":\xff}",
                "{'a': 1, 'a': 2}",
                "{\"execute\": \"\\x\"}",
                "nul\xc3\xa9",
        };
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                talk_send(talk, texts[i]);
                assert_true(g_str_has_prefix(talk->said->str,
                                             "{\"error\": {\"class\": \"GenericError\", \"desc\": "
                                             "\"JSON parse error, "));
                assert_true(g_str_has_suffix(talk->said->str, "\"}}\n"));
                assert_ptr_equal(strchr(talk->said->str, '\n') + 1, talk->said->str + talk->said->len);
                g_string_truncate(talk->said, 0);
        }
        assert_int_equal(tn_dispatch_counters(bench->dispatch)->parse_errors, G_N_ELEMENTS(texts));
        talk_send(talk, "{'execute': 'guest-ping'}");
        assert_said(talk, "{'return': {}}\n");
}

static void test_ids(void **state)
{
        static const char *const ids[] = {
                "7",        "-1",
                "'x'",      "null",
                "true",     "1.5",
                "[1, 'a']", "{'a': {'b': null}}",
                "''",       "9223372036854775807",
        };
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(ids); i++) {
                g_autofree char *good = g_strdup_printf("{'execute': 'guest-ping', 'id': %s}", ids[i]);
                g_autofree char *bad = g_strdup_printf("{'execute': 'guest-pong', 'id': %s}", ids[i]);
                g_autofree char *answer = g_strdup_printf("{'return': {}, 'id': %s}\n", ids[i]);
                g_autofree char *error = g_strdup_printf(
                        "{'id': %s, 'error': {'class': 'CommandNotFound', 'desc': "
                        "'The command guest-pong has not been found'}}\n",
                        ids[i]);

                talk_send(talk, good);
                assert_said(talk, answer);
                talk_send(talk, bad);
                assert_said(talk, error);
        }
}

static void test_sync(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'guest-sync', 'arguments': {'id': 1700000000000}}");
        assert_said(talk, "{'return': 1700000000000}\n");
        talk_send(talk, "{'execute': 'guest-sync-delimited', 'arguments': {'id': -5}, 'id': 'x'}");
        assert_said(talk, "\xff{'return': -5, 'id': 'x'}\n");
}

static void test_name_with_a_nul(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'guest-ping\\u0000x'}");
        assert_contains(talk->said->str, "CommandNotFound");
}

/* A later answer waits for the earlier ones, an error no less than a value. */
static void test_order(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'test-later', 'id': 1}");
        talk_send(talk, "{'execute': 'guest-ping', 'id': 2}");
        talk_send(talk, "{'execute': 'guest-pong', 'id': 3}");
        talk_send(talk, "{'execute': 'test-later', 'id': 4}");
        talk_send(talk, "{");
        assert_said(talk, "");
        assert_int_equal(tn_session_pending(talk->session), 5);
        bench_reply(bench, 1, "'fourth'");
        assert_said(talk, "");
        bench_reply(bench, 0, "'first'");
        assert_true(g_str_has_prefix(
                talk->said->str,
                "{\"return\": \"first\", \"id\": 1}\n{\"return\": {}, \"id\": 2}\n{\"id\": 3, \"error\": "));
        assert_contains(talk->said->str, "}\n{\"return\": \"fourth\", \"id\": 4}\n{\"error\": ");
        assert_int_equal(tn_session_pending(talk->session), 0);
}

static void test_sync_drops_what_is_owed(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'test-later'}");
        talk_send(talk, "{'execute': 'guest-ping'}");
        talk_send(talk, "{'execute': 'guest-sync', 'arguments': {'id': 1}}");
        assert_said(talk, "{'return': 1}\n");
        talk_send(talk, "{'execute': 'guest-ping'}");
        assert_said(talk, "{'return': {}}\n");
        bench_reply(bench, 0, "'too late'");
        assert_said(talk, "");
        assert_int_equal(tn_dispatch_counters(bench->dispatch)->abandoned, 2);
}

static void test_no_reply(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'test-quiet', 'id': 1}");
        talk_send(talk, "{'execute': 'guest-ping', 'id': 2}"); /* is not held up */
        assert_said(talk, "{'return': {}, 'id': 2}\n");
        bench_reply(bench, 0, "null");
        assert_said(talk, "");
        talk_send(talk, "{'execute': 'test-quiet', 'id': 3}");
        bench_fail(bench, 0, "no power switch");
        assert_said(talk, "{'id': 3, 'error': {'class': 'GenericError', 'desc': 'no power switch'}}\n");
}

/* Its sender has asked something else meanwhile, and would take the error for that one's answer. */
static void test_late_error_of_no_reply(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'test-quiet'}");
        talk_send(talk, "{'execute': 'guest-sync', 'arguments': {'id': 1}}");
        assert_said(talk, "{'return': 1}\n");
        bench_fail(bench, 0, "no power switch");
        assert_said(talk, "");
}

static void test_error_of_no_reply_waits_for_its_turn(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'test-later'}");
        talk_send(talk, "{'execute': 'test-quiet'}");
        bench_fail(bench, 1, "no power switch");
        assert_said(talk, "");
        bench_reply(bench, 0, "'first'");
        assert_said(
                talk,
                "{'return': 'first'}\n{'error': {'class': 'GenericError', 'desc': 'no power switch'}}\n");
}

static void test_session_ends_first(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        struct talk *talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'test-later'}");
        talk_send(talk, "{'execute': 'test-quiet'}");
        talk_send(talk, "{'execute': 'guest-ping'}");
        talk_send(talk, "{'execute': 'test-change-later'}");
        talk_free(talk);
        bench_fail(bench, 2, "x");
        bench_reply(bench, 0, "1");
        bench_fail(bench, 0, "x");
        assert_int_equal(tn_dispatch_counters(bench->dispatch)->abandoned, 3);
        assert_non_null(
                machine_logged(bench->machine, "test-change-later by tester")); /* audited all the same */
        tn_session_free(NULL);
        tn_dispatch_free(NULL);
}

static void test_sessions_do_not_mix(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) one = talk_new(bench, TN_TRUST_HOST), two = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(one, "{'execute': 'test-later'}");
        talk_send(two, "{'execute': 'guest-sync', 'arguments': {'id': 1}}");
        assert_said(two, "{'return': 1}\n");
        bench_reply(bench, 0, "'for one'");
        assert_said(one, "{'return': 'for one'}\n");
        assert_said(two, "");
}

/* A null reply of a start function is {}. */
static void test_reply_without_a_value(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'test-later'}");
        tn_call_reply(g_queue_pop_head(&bench->calls), NULL);
        assert_said(talk, "{'return': {}}\n");
}

/* A host that asks on while its freeze is under way, without a sync, is not kept waiting. */
static void test_ping_overtakes_a_freeze(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'test-later-freeze', 'id': 1}");
        talk_send(talk, "{'execute': 'guest-ping', 'id': 2}");
        assert_said(talk, "{'return': {}, 'id': 2}\n");
        talk_send(talk, "{'execute': 'test-later', 'id': 3}"); /* not one of those: in its turn */
        talk_send(talk, "{'execute': 'guest-ping', 'id': 4}");
        assert_said(talk, "{'return': {}, 'id': 4}\n");
        bench_reply(bench, 1, "'three'");
        assert_said(talk, "");
        bench_reply(bench, 0, "'one'");
        assert_said(talk, "{'return': 'one', 'id': 1}\n{'return': 'three', 'id': 3}\n");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_not_json),
                cmocka_unit_test(test_ids),
                cmocka_unit_test(test_sync),
                cmocka_unit_test(test_name_with_a_nul),
                cmocka_unit_test(test_order),
                cmocka_unit_test(test_sync_drops_what_is_owed),
                cmocka_unit_test(test_no_reply),
                cmocka_unit_test(test_late_error_of_no_reply),
                cmocka_unit_test(test_error_of_no_reply_waits_for_its_turn),
                cmocka_unit_test(test_session_ends_first),
                cmocka_unit_test(test_sessions_do_not_mix),
                cmocka_unit_test(test_reply_without_a_value),
                cmocka_unit_test(test_ping_overtakes_a_freeze),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
