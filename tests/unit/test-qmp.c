/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* QMP proper: greeting, negotiation, ids out of order, events, and a host that does not read them. */
#include "bench.h"

#include <string.h>

#include "agent/history.h"

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

/* The control socket speaks QGA's dialect and has events all the same. */
static void test_events_for_who_watches(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_LOCAL_USER);
        g_autoptr(talk_t) host = talk_new(bench, TN_TRUST_HOST);

        (void) state;
        full = false;
        tn_session_allow_events(talk->session, is_full);
        bench->machine->realtime_usec = 5000007;
        tn_dispatch_emit(bench->dispatch, "OLD", json_of("1"));
        bench->machine->realtime_usec = 7000000;
        tn_dispatch_emit(bench->dispatch, "NEW", json_of("2"));
        talk_send(talk, "{'execute': 'tenon-watch-events', 'arguments': {'since': 6}}");
        assert_said(talk, "{'return': {}}\n{'event': 'NEW', 'data': 2, 'timestamp': {'seconds': 7, "
                          "'microseconds': 0}}\n");
        talk_send(talk, "{'execute': 'tenon-watch-events'}"); /* twice is once */
        talk_send(talk, "{'execute': 'guest-ping'}");
        tn_dispatch_emit(bench->dispatch, "LIVE", json_of("3"));
        assert_said(talk, "{'return': {}}\n{'return': {}}\n{'event': 'LIVE', 'data': 3, 'timestamp': "
                          "{'seconds': 7, 'microseconds': 0}}\n");
        talk_send(host, "{'execute': 'tenon-watch-events'}");
        assert_contains(host->said->str, "events go to the control socket");
}

static void test_watching_since_ever(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_LOCAL_ROOT);

        (void) state;
        full = false;
        tn_session_allow_events(talk->session, is_full);
        tn_dispatch_emit(bench->dispatch, "OLD", json_object());
        talk_send(talk, "{'execute': 'tenon-watch-events', 'arguments': {'since': -9223372036854775808}}");
        assert_contains(talk->said->str, "\"OLD\"");
        g_string_truncate(talk->said, 0);
        talk_send(talk, "{'execute': 'tenon-watch-events', 'arguments': {'since': 9223372036854775807}}");
        assert_said(talk, "{'return': {}}\n");
        full = true; /* who does not read is not sent more, and is told */
        tn_dispatch_emit(bench->dispatch, "LOST", json_object());
        full = false;
        tn_dispatch_emit(bench->dispatch, "NEXT", json_object());
        assert_contains(talk->said->str, "\"dropped\": 1");
        assert_null(strstr(talk->said->str, "LOST"));
}

static void count_event(json_t *event, void *data)
{
        unsigned *n = data;

        assert_string_equal(json_string_value(json_object_get(event, "event")), "E");
        (*n)++;
}

static void test_history_is_bounded(void **state)
{
        json_auto_t *small = json_of("{'event': 'E'}");
        json_auto_t *large = json_object();
        struct tn_history history;
        g_autofree char *text = g_strnfill(TN_HISTORY_BYTES / 2, 'x');
        unsigned n = 0;

        (void) state;
        tn_history_init(&history);
        for (unsigned i = 0; i < 2 * TN_HISTORY_EVENTS; i++)
                tn_history_push(&history, i, small);
        tn_history_each(&history, 0, count_event, &n);
        assert_int_equal(n, TN_HISTORY_EVENTS);
        n = 0;
        tn_history_each(&history, 2 * TN_HISTORY_EVENTS - 3, count_event, &n);
        assert_int_equal(n, 3);
        json_object_set_new(large, "event", json_string("E"));
        json_object_set_new(large, "text", json_string(text));
        for (unsigned i = 0; i < 3; i++)
                tn_history_push(&history, 1000, large);
        n = 0;
        tn_history_each(&history, 0, count_event, &n);
        assert_int_equal(n, 1); /* two of them are more than is kept */
        json_object_set_new(large, "more", json_string(text));
        tn_history_push(&history, 1000, large);
        assert_int_equal(history.entries.length, 1);
        assert_true(history.bytes <= TN_HISTORY_BYTES);
        tn_history_deinit(&history);
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
                cmocka_unit_test(test_events_for_who_watches),
                cmocka_unit_test(test_watching_since_ever),
                cmocka_unit_test(test_history_is_bounded),
                cmocka_unit_test(test_events_are_dropped_and_counted),
                cmocka_unit_test(test_a_session_that_is_gone_gets_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
