/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Channels over socket pairs, with a real main loop: all the ways in which a host behaves badly. */
#define _GNU_SOURCE
#include "line.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_request_and_reply(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        peer_send(line.host, "{'execute': 'guest-ping'}");
        peer_expect(line.host, "{'return': {}}");
        peer_send(line.host,
                  "{'execute':'guest-sync-delimited','arguments':{'id':5}}\n{'execute':'test-echo'}\n");
        peer_expect(line.host, "\xff{'return': 5}");
        peer_expect(line.host, "{'return': {}}");
        peer_send(line.host, "\x01\x02rubbish\n");
        g_free(peer_line(line.host));
        peer_send(line.host, "{'half\xff{'execute': 'guest-ping'}");
        peer_expect(line.host, "{'return': {}}");
        peer_expect_silence(line.host);
}

/* One host leaves and another comes before the guest looks: it says the byte, and is greeted. */
static void test_qmp_begins_anew(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;
        g_autofree char *first = NULL, *second = NULL;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        tn_channel_use_qmp(line.channel);
        first = peer_line(line.host);
        assert_non_null(strstr(first, "\"QMP\""));
        peer_send(line.host, "{'execute': 'qmp_capabilities'}");
        peer_expect(line.host, "{'return': {}}");
        g_free(peer_line(line.host)); /* AGENT_STARTED */
        peer_send(line.host, "{'execute': 'test-later', 'id': 1}{'half\xff");
        second = peer_line(line.host);
        assert_string_equal(first, second);
        peer_send(line.host, "{'execute': 'qmp_capabilities', 'id': 2}");
        peer_expect(line.host, "{'return': {}, 'id': 2}");
        g_free(peer_line(line.host));
        bench_reply(bench, 0, "'to one that has left'");
        peer_expect_silence(line.host);
}

static void test_json(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        peer_send(line.host, "{'execute': 'guest-ping'}");
        peer_expect(line.host, "{'return': {}}");
        assert_json(
                tn_channel_to_json(line.channel),
                "{'peer': 'host', 'connected': true, 'bytes-in': 25, 'bytes-out': 15, 'waiting-bytes': 0}");
}

static void test_half_close(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        peer_send(line.host, "{'execute': 'test-later'}{'execute': 'guest-ping'}");
        assert_int_equal(shutdown(line.host->fd, SHUT_WR), 0);
        peer_expect_silence(line.host);
        assert_int_equal(line.gone, 0); /* it still owes two replies */
        bench_reply(bench, 0, "'late'");
        peer_expect(line.host, "{'return': 'late'}");
        peer_expect(line.host, "{'return': {}}");
        peer_expect_end(line.host);
        assert_int_equal(line.gone, 1);
}

static void test_half_close_with_a_large_reply(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;
        g_autofree char *reply = NULL;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        peer_send(line.host, "{'execute': 'test-big', 'arguments': {'size': 3000000}}");
        assert_int_equal(shutdown(line.host->fd, SHUT_WR), 0);
        loop_for(50); /* nobody reads yet */
        assert_int_equal(line.gone, 0);
        reply = peer_line(line.host);
        assert_int_equal(strlen(reply), 3000000 + strlen("{\"return\": \"\"}"));
        peer_expect_end(line.host);
        assert_int_equal(line.gone, 1);
}

/* The agent stops: a request that nobody has looked at yet is answered, one that is under way by an error.
 */
static void test_finish(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        peer_send(line.host, "{'execute': 'guest-ping', 'id': 1}{'execute': 'test-later', 'id': 2}");
        peer_expect(line.host, "{'return': {}, 'id': 1}");
        peer_send(line.host, "{'execute': 'guest-ping', 'id': 3}"); /* the loop does not run any more */
        tn_channel_finish(line.channel);
        peer_expect(line.host,
                    "{'id': 2, 'error': {'class': 'GenericError', 'desc': 'the agent is being stopped while "
                    "test-later is under way; look whether it was done before asking again'}}");
        peer_expect(line.host, "{'return': {}, 'id': 3}");
        bench_reply(bench, 0, "'too late'");
        peer_expect_silence(line.host);
}

/* Proxmox sends guest-shutdown and closes: it has to be carried out. */
static void test_close_after_a_request(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        assert_true(peer_try_send(line.host, "{\"execute\":\"test-quiet\"}\n", 25) == 25);
        g_clear_pointer(&line.host, peer_free);
        loop_until(&line.gone, 1);
        assert_int_equal(g_queue_get_length(&bench->calls), 1);
}

static void test_reset_in_mid_reply(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line, other;

        (void) state;
        line_up(&other, bench, TN_CHANNEL_SOCKET);
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        peer_send(line.host,
                  "{'execute': 'test-later'}{'execute': 'test-big', 'arguments': {'size': 3000000}}");
        bench_reply(bench, 0, "1");
        loop_for(20);
        g_clear_pointer(&line.host, peer_free);
        loop_until(&line.gone, 1);
        peer_send(other.host, "{'execute': 'guest-ping'}");
        peer_expect(other.host, "{'return': {}}");
}

static void test_gone_while_a_call_is_under_way(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        peer_send(line.host, "{'execute': 'test-later'}");
        loop_for(20);
        g_clear_pointer(&line.host, peer_free);
        loop_until(&line.gone, 1);
        bench_reply(bench, 0, "1");
        assert_int_equal(tn_dispatch_counters(bench->dispatch)->abandoned, 1);
}

/* A hundred thousand requests, nobody reads: memory stays bounded, others are served, nothing is lost. */
static void test_host_that_never_reads(void **state)
{
        enum { REQUESTS = 100000 };
        g_autoptr(bench_t) bench = bench_new("[limits]\noutput-size=65536\n");
        g_auto(line_t) line, other;
        g_autoptr(GString) text = g_string_new(NULL);
        size_t sent, before;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        line_up(&other, bench, TN_CHANNEL_SOCKET);
        for (unsigned i = 0; i < REQUESTS; i++)
                g_string_append_printf(text, "{\"execute\":\"guest-ping\",\"id\":%u}\n", i);
        before = rss_kib();
        sent = peer_try_send(line.host, text->str, text->len);
        for (size_t n = 1; n > 0 || g_main_context_pending(NULL); sent += n) {
                g_main_context_iteration(NULL, FALSE);
                n = peer_try_send(line.host, text->str + sent, text->len - sent);
        }
        assert_true(sent < text->len); /* it was not let in for free */
        if (measures_memory())
                assert_true(rss_kib() < before + 4096);
        assert_true(idle_cost_ms(200) < 50); /* and waits without spinning */
        peer_send(other.host, "{'execute': 'guest-ping'}");
        peer_expect(other.host, "{'return': {}}");
        for (unsigned i = 0; i < REQUESTS; i++) {
                g_autofree char *wanted = g_strdup_printf("{\"return\": {}, \"id\": %u}", i);

                if (sent < text->len)
                        sent += peer_try_send(line.host, text->str + sent, text->len - sent);
                peer_expect(line.host, wanted);
        }
        peer_expect_silence(line.host);
        assert_int_equal(line.gone, 0);
}

/* A host that always leaves something unread: what it has read must not be kept. */
static void test_output_that_is_never_empty(void **state)
{
        enum { SIZE = 100000, LEAD = 8, ROUNDS = 500 };
        static const char request[] = "{'execute': 'test-big', 'arguments': {'size': 100000}}";
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;
        size_t before = 0;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        for (unsigned i = 0; i < LEAD; i++)
                peer_send(line.host, request);
        for (unsigned i = 0; i < ROUNDS; i++) {
                for (size_t left = SIZE + 15; left > 0;) {
                        char buffer[16384];
                        ssize_t n = read(line.host->fd, buffer, MIN(left, sizeof buffer));

                        left -= n > 0 ? (size_t) n : 0;
                        g_main_context_iteration(NULL, FALSE);
                }
                peer_send(line.host, request);
                if (i == ROUNDS / 4)
                        before = rss_kib();
        }
        if (measures_memory())
                assert_true(rss_kib() < before + 4096);
}

static void test_pending_limit(void **state)
{
        g_autoptr(bench_t) bench = bench_new("[limits]\npending-calls=2\n");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        for (int i = 0; i < 4; i++) {
                peer_send(line.host, "{'execute': 'test-later'}");
                loop_for(10);
        }
        assert_int_equal(g_queue_get_length(&bench->calls), 2);
        bench_reply(bench, 0, "1");
        peer_expect(line.host, "{'return': 1}");
        loop_for(20);
        assert_int_equal(g_queue_get_length(&bench->calls), 3); /* those two had come in one piece */
        for (int i = 0; i < 3; i++)
                bench_reply(bench, 0, "2");
        for (int i = 0; i < 3; i++)
                peer_expect(line.host, "{'return': 2}");
}

static void test_flood_does_not_starve_others(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) flood, other;
        g_autofree char *filler = g_strnfill(1 << 20, ' ');
        gint64 started;

        (void) state;
        line_up(&flood, bench, TN_CHANNEL_SOCKET);
        line_up(&other, bench, TN_CHANNEL_SOCKET);
        peer_send(flood.host, "{'execute': 'test-echo', 'arguments': {'value': '");
        started = g_get_monotonic_time();
        peer_try_send(other.host, "{\"execute\": \"guest-ping\"}", 25);
        for (int i = 0; i < 20 && other.host->got->len == 0; i++) {
                char buffer[64];
                ssize_t n = read(other.host->fd, buffer, sizeof buffer);

                if (n > 0)
                        g_string_append_len(other.host->got, buffer, n);
                peer_send_len(flood.host, filler, 1 << 20);
        }
        peer_expect(other.host, "{'return': {}}");
        assert_true(g_get_monotonic_time() - started < 2 * G_USEC_PER_SEC);
}

/* A port whose host leaves is not gone: it is waited for, without spinning, and what was half said is
 * dropped. */
static void test_port_without_a_host(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_PORT);
        peer_send(line.host, "{'execute': 'guest-ping'}");
        peer_expect(line.host, "{'return': {}}");
        peer_send(line.host, "{'execute': 'test-later'}{'execute': ");
        loop_for(20);
        g_clear_pointer(&line.host, peer_free);
        assert_true(idle_cost_ms(200) < 50);
        assert_int_equal(line.gone, 0);
        assert_json(tn_channel_to_json(line.channel), "{'peer': 'host', 'connected': false, 'bytes-in': 62, "
                                                      "'bytes-out': 15, 'waiting-bytes': 0}");
        bench_reply(bench, 0, "1"); /* to nobody */
        assert_int_equal(tn_dispatch_counters(bench->dispatch)->abandoned, 1);
}

static void test_what_cannot_be_watched(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autofree char *path = machine_path(bench->machine, "file");
        GError *error = NULL;
        int fd;

        (void) state;
        machine_write(bench->machine, "file", "");
        fd = open(path, O_RDWR | O_CLOEXEC);
        assert_null(tn_channel_new(bench->dispatch, bench->config, fd, TN_CHANNEL_PORT, TN_TRUST_HOST, "t",
                                   "p", line_on_gone, NULL, &error));
        assert_error(error, TN_ERROR_DENIED,
                     "watch channel (it must be a device or a socket): Operation not permitted");
        assert_int_equal(fcntl(fd, F_GETFD), -1); /* closed on failure, too */
        tn_channel_free(NULL);
}

static void test_idle(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_auto(line_t) line;

        (void) state;
        line_up(&line, bench, TN_CHANNEL_SOCKET);
        assert_true(idle_cost_ms(300) < 30);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_request_and_reply),
                cmocka_unit_test(test_qmp_begins_anew),
                cmocka_unit_test(test_json),
                cmocka_unit_test(test_half_close),
                cmocka_unit_test(test_half_close_with_a_large_reply),
                cmocka_unit_test(test_finish),
                cmocka_unit_test(test_close_after_a_request),
                cmocka_unit_test(test_reset_in_mid_reply),
                cmocka_unit_test(test_gone_while_a_call_is_under_way),
                cmocka_unit_test(test_host_that_never_reads),
                cmocka_unit_test(test_output_that_is_never_empty),
                cmocka_unit_test(test_pending_limit),
                cmocka_unit_test(test_flood_does_not_starve_others),
                cmocka_unit_test(test_port_without_a_host),
                cmocka_unit_test(test_what_cannot_be_watched),
                cmocka_unit_test(test_idle),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
