/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* QMP proper: greeting, negotiation, ids out of order, events, and a host that does not read them. */
#include "bench.h"

#include <string.h>

static bool full;

static bool is_full(void *data)
{
        return full;
}

static struct talk *qmp_new(struct bench *bench)
{
        struct talk *talk = talk_new(bench, TN_TRUST_HOST);

        full = false;
        tn_session_use_qmp(talk->session, is_full);
        tn_session_greet(talk->session);
        assert_contains(talk->said->str, "{\"QMP\": {\"version\": {\"tenon\": {\"major\": ");
        assert_contains(talk->said->str, "\"capabilities\": []}}\n");
        g_string_truncate(talk->said, 0);
        return talk;
}

static struct talk *negotiated_new(struct bench *bench)
{
        struct talk *talk = qmp_new(bench);

        talk_send(talk, "{'execute': 'qmp_capabilities'}");
        assert_true(g_str_has_prefix(talk->said->str, "{\"return\": {}}\n{\"event\": \"AGENT_STARTED\", "));
        g_string_truncate(talk->said, 0);
        return talk;
}

static void test_negotiation_comes_first(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = qmp_new(bench);

        (void) state;
        talk_send(talk, "{'execute': 'guest-ping', 'id': 1}");
        assert_said(talk, "{'id': 1, 'error': {'class': 'CommandNotFound', 'desc': \"Expecting capabilities "
                          "negotiation with 'qmp_capabilities'\"}}\n");
        talk_send(talk, "{'execute': 'qmp_capabilities'}");
        g_string_truncate(talk->said, 0);
        talk_send(talk, "{'execute': 'qmp_capabilities'}");
        assert_said(talk, ERROR_REPLY("CommandNotFound",
                                      "Capabilities negotiation is already complete, command ignored"));
        talk_send(talk, "{'execute': 'guest-ping'}");
        assert_said(talk, "{'return': {}}\n");
        tn_session_greet(talk->session); /* another host: from the beginning */
        g_string_truncate(talk->said, 0);
        talk_send(talk, "{'execute': 'guest-ping'}");
        assert_contains(talk->said->str, "Expecting capabilities negotiation");
}

static void test_not_on_the_other_port(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        talk_send(talk, "{'execute': 'qmp_capabilities'}");
        assert_said(talk, ERROR_REPLY("CommandNotFound", "The command qmp_capabilities has not been found"));
        tn_dispatch_emit(bench->dispatch, "NETWORK_CHANGED", json_object());
        assert_said(talk, "");
}

static void test_ids_may_be_out_of_order(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = negotiated_new(bench);

        (void) state;
        talk_send(talk, "{'execute': 'test-later', 'id': 'slow'}");
        talk_send(talk, "{'execute': 'guest-ping', 'id': 'fast'}");
        assert_said(talk, "{'return': {}, 'id': 'fast'}\n");
        talk_send(talk, "{'execute': 'guest-ping'}"); /* without an id it could not be told apart */
        assert_said(talk, "");
        bench_reply(bench, 0, "1");
        assert_said(talk, "{'return': 1, 'id': 'slow'}\n{'return': {}}\n");
}

/* The error of a command that is answered only when it fails has its id, too, and waits for nobody. */
static void test_error_of_no_reply_has_its_id(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = negotiated_new(bench);

        (void) state;
        talk_send(talk, "{'execute': 'test-later', 'id': 'slow'}");
        talk_send(talk, "{'execute': 'test-quiet', 'id': 'quiet'}");
        bench_fail(bench, 1, "no");
        assert_said(talk, "{'id': 'quiet', 'error': {'class': 'GenericError', 'desc': 'no'}}\n");
        bench_reply(bench, 0, "1");
        assert_said(talk, "{'return': 1, 'id': 'slow'}\n");
}

static void test_events_reach_who_negotiated(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) waiting = qmp_new(bench);
        g_autoptr(talk_t) talk = negotiated_new(bench);

        (void) state;
        bench->machine->realtime_usec = 5000007;
        tn_dispatch_emit(bench->dispatch, "NETWORK_CHANGED", json_of("[1]"));
        assert_said(talk, "{'event': 'NETWORK_CHANGED', 'data': [1], 'timestamp': {'seconds': 5, "
                          "'microseconds': 7}}\n");
        assert_said(waiting, "");
}

static void test_events_are_dropped_and_counted(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = negotiated_new(bench);

        (void) state;
        full = true;
        for (int i = 0; i < 3; i++)
                tn_dispatch_emit(bench->dispatch, "NETWORK_CHANGED", json_null());
        assert_said(talk, "");
        full = false;
        tn_dispatch_emit(bench->dispatch, "HEALTH_CHANGED", json_null());
        assert_contains(talk->said->str, "\"event\": \"HEALTH_CHANGED\"");
        assert_contains(talk->said->str, "\"dropped\": 3}\n");
        g_string_truncate(talk->said, 0);
        tn_dispatch_emit(bench->dispatch, "HEALTH_CHANGED", json_null());
        assert_null(strstr(talk->said->str, "dropped"));
}

static void test_a_session_that_is_gone_gets_nothing(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        struct talk *talk = negotiated_new(bench);

        (void) state;
        talk_free(talk);
        tn_dispatch_emit(bench->dispatch, "NETWORK_CHANGED", json_null()); /* valgrind and ASan watch */
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_negotiation_comes_first),
                cmocka_unit_test(test_not_on_the_other_port),
                cmocka_unit_test(test_ids_may_be_out_of_order),
                cmocka_unit_test(test_error_of_no_reply_has_its_id),
                cmocka_unit_test(test_events_reach_who_negotiated),
                cmocka_unit_test(test_events_are_dropped_and_counted),
                cmocka_unit_test(test_a_session_that_is_gone_gets_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
