/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Replies that are made while they are sent: in whose turn, with how much memory, and what becomes of them
 * when the host does not read, goes away or starts over.
 */
#define _GNU_SOURCE
#include "line.h"

#include <string.h>
#include <sys/socket.h>

#define STREAM(size) "{'execute': 'test-stream', 'arguments': {'size': " #size "}}"

/* For peer_try_send(), which does not turn the loop. */
static const char huge[] = "{\"execute\":\"test-stream\",\"arguments\":{\"size\":50000000}}";

static void expect_letters(struct peer *host, size_t count, const char *tail)
{
        g_autofree char *letters = g_strnfill(count, 'x');
        g_autofree char *wanted = g_strconcat("{'return': '", letters, "'", tail, NULL);

        peer_expect(host, wanted);
}

static void test_sizes(void **state)
{
        static const struct {
                const char *request;
                size_t size;
        } rows[] = {{STREAM(0), 0},       {STREAM(1), 1},           {STREAM(1000), 1000},
                    {STREAM(1001), 1001}, {STREAM(300000), 300000}, {STREAM(5000000), 5000000}};
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                peer_send(line.host, rows[i].request);
                expect_letters(line.host, rows[i].size, "}");
                assert_int_equal(bench->streams, 0);
        }
}

/* Replies keep their order, with an id each, before, between and after streams. */
static void test_pipelined(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        peer_send(line.host, "{'execute': 'test-later', 'id': 1}"
                             "{'execute': 'test-stream', 'arguments': {'size': 400000}, 'id': 2}"
                             "{'execute': 'guest-ping', 'id': 3}"
                             "{'execute': 'test-stream', 'arguments': {'size': 2}, 'id': [4]}"
                             "{'execute': 'test-fail', 'id': 5}");
        peer_expect_silence(line.host);
        assert_int_equal(bench->stream_bytes, 0); /* not its turn */
        bench_reply(bench, 0, "'late'");
        peer_expect(line.host, "{'return': 'late', 'id': 1}");
        expect_letters(line.host, 400000, ", 'id': 2}");
        peer_expect(line.host, "{'return': {}, 'id': 3}");
        expect_letters(line.host, 2, ", 'id': [4]}");
        g_free(peer_line(line.host));
        peer_expect_silence(line.host);
}

/* Fifty million letters for a host that does not read: as many are made as are sent, and the others live. */
static void test_a_host_that_does_not_read(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line, other;
        size_t before = rss_kib();

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        line_up(&other, bench, TN_CHANNEL_SOCKET);
        assert_int_equal(peer_try_send(line.host, huge, strlen(huge)), strlen(huge));
        loop_for(100);
        assert_true(bench->stream_bytes > 0 && bench->stream_bytes < 2000000);
        assert_true(idle_cost_ms(200) < 50);
        if (measures_memory())
                assert_true(rss_kib() < before + 4096);
        peer_send(other.host, "{'execute': 'guest-ping'}");
        peer_expect(other.host, "{'return': {}}");
        g_clear_pointer(&line.host, peer_free);
        loop_until(&line.gone, 1);
        assert_int_equal(bench->streams, 0);
}

static void test_two_streams_take_turns(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line, other;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        line_up(&other, bench, TN_CHANNEL_SOCKET);
        peer_send(line.host, STREAM(3000000));
        peer_send(other.host, STREAM(3000000));
        expect_letters(other.host, 3000000, "}");
        expect_letters(line.host, 3000000, "}");
}

/* A client that gave up in mid-reply gets the end of that line, short and whole, and then its answer. */
static void test_sync_cuts(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;
        g_autofree char *cut = NULL;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        assert_int_equal(peer_try_send(line.host, huge, strlen(huge)), strlen(huge));
        assert_int_equal(peer_try_send(line.host, "{\"execute\":\"test-later\"}", 24), 24);
        loop_for(50);
        assert_int_equal(bench->streams, 1);
        peer_send(line.host, "{'execute': 'guest-sync', 'arguments': {'id': 7}}");
        cut = peer_line(line.host);
        assert_true(g_str_has_prefix(cut, "{\"return\": \"xxx"));
        assert_true(g_str_has_suffix(cut, "xxxc\"}"));
        assert_true(strlen(cut) < 2000000);
        peer_expect(line.host, "{'return': 7}");
        assert_int_equal(bench->streams, 0);
        assert_int_equal(tn_dispatch_counters(bench->dispatch)->abandoned, 1);
        bench_reply(bench, 0, "1"); /* that was owed before the sync */
        peer_expect_silence(line.host);
}

/* A call that nobody waits for any more. */
static void test_abandoned_before_it_begins(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        peer_send(line.host, "{'execute': 'test-later'}" STREAM(10) "{'execute': 'test-later'}");
        loop_for(20);
        assert_int_equal(bench->streams, 1);
        assert_true(bench->host.is_awaited(g_queue_peek_head(&bench->calls)));
        g_clear_pointer(&line.host, peer_free);
        loop_until(&line.gone, 1);
        assert_int_equal(bench->streams, 0);
        assert_false(bench->host.is_awaited(g_queue_peek_head(&bench->calls)));
}

static void test_half_close(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        peer_send(line.host, STREAM(2000000));
        assert_int_equal(shutdown(line.host->fd, SHUT_WR), 0);
        loop_for(50);
        assert_int_equal(line.gone, 0);
        expect_letters(line.host, 2000000, "}");
        peer_expect_end(line.host);
        assert_int_equal(line.gone, 1);
}

/* Events never stand in the middle of a line; those that come during a long one follow it. */
static void test_events_wait(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;
        g_autofree char *started = NULL, *event = NULL;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        tn_channel_use_qmp(line.channel);
        g_free(peer_line(line.host));
        peer_send(line.host, "{'execute': 'qmp_capabilities'}");
        peer_expect(line.host, "{'return': {}}");
        started = peer_line(line.host);
        peer_send(line.host, "{'execute': 'test-stream', 'arguments': {'size': 3000000}, 'id': 1}");
        loop_for(20);
        tn_dispatch_emit(bench->dispatch, "HAPPENED", json_object());
        peer_send(line.host, "{'execute': 'guest-ping', 'id': 2}");
        expect_letters(line.host, 3000000, ", 'id': 1}");
        event = peer_line(line.host);
        assert_contains(event, "{\"event\": \"HAPPENED\"");
        peer_expect(line.host, "{'return': {}, 'id': 2}");
}

/* More events than may wait are counted. */
static void test_events_are_dropped(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;
        g_autofree char *name = g_strnfill(10000, 'E'), *last = NULL;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        tn_channel_use_qmp(line.channel);
        peer_send(line.host, "{'execute': 'qmp_capabilities'}" STREAM(3000000));
        loop_for(20);
        for (int i = 0; i < 20; i++)
                tn_dispatch_emit(bench->dispatch, name, json_object());
        for (int i = 0; i < 4 + 7; i++) /* greeting, negotiation, start, stream */
                g_free(peer_line(line.host));
        peer_expect_silence(line.host);
        tn_dispatch_emit(bench->dispatch, "LAST", json_object());
        last = peer_line(line.host);
        assert_contains(last, "\"dropped\": 13");
}

/* Large requests leave no memory behind, two seconds later. */
static void test_memory_is_given_back(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;
        g_autoptr(GString) zeros = g_string_new("{\"execute\":\"guest-pong\",\"arguments\":{\"x\":[0");
        size_t before = rss_kib();

        (void) state;
        for (int i = 0; i < 1 << 20; i++)
                g_string_append(zeros, ",0");
        g_string_append(zeros, "]}}");
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        for (int i = 0; i < 3; i++) {
                g_autofree char *reply = NULL;

                peer_send_len(line.host, zeros->str, zeros->len);
                reply = peer_line(line.host);
                assert_contains(reply, "CommandNotFound");
        }
        g_string_free(g_steal_pointer(&zeros), TRUE);
        loop_for(2300);
        if (measures_memory())
                assert_true(rss_kib() < before + 4096);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sizes),
                cmocka_unit_test(test_pipelined),
                cmocka_unit_test(test_a_host_that_does_not_read),
                cmocka_unit_test(test_two_streams_take_turns),
                cmocka_unit_test(test_sync_cuts),
                cmocka_unit_test(test_abandoned_before_it_begins),
                cmocka_unit_test(test_half_close),
                cmocka_unit_test(test_events_wait),
                cmocka_unit_test(test_events_are_dropped),
                cmocka_unit_test(test_memory_is_given_back),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
