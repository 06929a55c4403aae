/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Requests as large as the protocol allows: they are answered, and their memory is given back. */
#include "bench.h"

#include <string.h>

#include "agent/frame.h"
#include "peer.h"

static char *zeros_request(const char *command, const char *argument, size_t bytes)
{
        GString *text = g_string_sized_new(bytes + 100);

        g_string_printf(text, "{\"execute\":\"%s\",\"arguments\":{\"%s\":[0", command, argument);
        while (text->len < bytes)
                g_string_append(text, ",0");
        g_string_append(text, "]}}");
        return g_string_free(text, FALSE);
}

static void on_frame(enum tn_frame_kind kind, const char *text, size_t len, void *data)
{
        const struct talk *talk = data;

        assert_int_equal(kind, TN_FRAME_MESSAGE);
        tn_session_message(talk->session, text, len);
}

static void send_zeros(struct talk *talk, const char *command, const char *argument, const char *answer)
{
        g_autofree char *text = zeros_request(command, argument, 4 << 20);

        struct tn_frame *frame = tn_frame_new(8 << 20, on_frame, talk);

        tn_frame_push(frame, text, strlen(text));
        tn_frame_free(frame);
        assert_true(g_str_has_prefix(talk->said->str, answer));
        g_string_free(talk->said, TRUE);
        talk->said = g_string_new(NULL);
}

/* Whether such a request is run or refused, afterwards the process is about as small as before. */
static void test_zeros(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);
        size_t before;

        (void) state;
        send_zeros(talk, "guest-ping", "x", "{\"error\": ");
        before = rss_kib();
        for (int i = 0; i < 3; i++) {
                send_zeros(talk, "test-echo", "value", "{\"return\": {\"value\": [0, 0, ");
                send_zeros(talk, "guest-ping", "x",
                           "{\"error\": {\"class\": \"GenericError\", \"desc\": \"Parameter 'x'");
                send_zeros(talk, "guest-pong", "x", "{\"error\": {\"class\": \"CommandNotFound\"");
        }
        if (measures_memory())
                assert_true(rss_kib() < before + 2048);
}

/* The peer keeps 187 MB after one of these. */
static void test_first_refused_request(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);
        size_t before = rss_kib();

        (void) state;
        send_zeros(talk, "guest-pong", "x", "{\"error\": ");
        if (measures_memory())
                assert_true(rss_kib() < before + 4096);
}

static void test_deep_nesting(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);
        g_autoptr(GString) text = g_string_new("{\"execute\":\"test-echo\",\"arguments\":{\"value\":");

        (void) state;
        for (int i = 0; i < 1022; i++)
                g_string_append_c(text, '[');
        for (int i = 0; i < 1022; i++)
                g_string_append_c(text, ']');
        g_string_append(text, "}}");
        tn_session_message(talk->session, text->str, text->len);
        assert_true(g_str_has_prefix(talk->said->str, "{\"return\": {\"value\": [[[["));
        assert_true(g_str_has_suffix(talk->said->str, "]]]]}}\n"));
}

static void test_long_names(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        g_autoptr(talk_t) talk = talk_new(bench, TN_TRUST_HOST);
        g_autofree char *name = g_strnfill(1 << 20, 'n');
        g_autofree char *command = g_strdup_printf("{'execute': '%s'}", name);
        g_autofree char *argument = g_strdup_printf("{'execute': 'guest-ping', 'arguments': {'%s': 1}}",
                                                    name);

        (void) state;
        talk_send(talk, command);
        assert_contains(talk->said->str, "has not been found");
        g_string_truncate(talk->said, 0);
        talk_send(talk, argument);
        assert_contains(talk->said->str, "is unexpected");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_first_refused_request),
                cmocka_unit_test(test_zeros),
                cmocka_unit_test(test_deep_nesting),
                cmocka_unit_test(test_long_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
