/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Framing of bad streams: whatever stood before, the request that comes next is delivered, and one mistake
 * makes one error. */
#include "framing.h"

#include <string.h>

#define LIMIT 4096

static const char *const abandoned[] = {
        "{",
        "[",
        "{\"execute\":",
        "{\"execute\":\"guest-pi",
        "{\"execute\":\"guest-pi\\",
        "{\"execute\":\"guest-ping\"",
        "{\"execute\":\"guest-ping\",\"arguments\":{\"id\":1}",
        "{'execute':'guest-pi",
        "{'execute':'it\\'",
        "{\"execute\":\"x\",\"arguments\":{\"list\":[{\"id\":1},{\"id\":2},{\"id\":3}",
        "{\"a\":\"b\\u00",
        "[[[[[{\"x\":[",
        "{\"execute\":\"guest-sync\",\"arguments\":{\"id\":17000000000",
};

/* libvirt's first words after a reconnect, on the line that its predecessor left half written. */
static void test_sync_on_the_same_line(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(abandoned); i++) {
                g_autoptr(framing_t) f = framing_new(LIMIT);

                framing_push(f, abandoned[i]);
                framing_push(f, LIBVIRT_SYNC "\n");
                assert_delivered(f, "M:" LIBVIRT_SYNC "\n");
                framing_push(f, PING);
                assert_delivered(f, "M:" PING "\n");
                assert_int_equal(tn_frame_pending(f->frame), 0);
        }
}

static void test_sync_on_the_next_line(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(abandoned); i++) {
                g_autoptr(framing_t) f = framing_new(LIMIT);

                framing_push(f, abandoned[i]);
                framing_push(f, "\n" LIBVIRT_SYNC "\n");
                assert_true(f->errors <= 1);
                assert_int_equal(f->messages, 1);
                assert_true(g_str_has_suffix(f->log->str, "M:" LIBVIRT_SYNC "\n"));
        }
}

static void test_many_half_objects_before_the_sync(void **state)
{
        g_autoptr(framing_t) f = framing_new(1 << 20);

        (void) state;
        framing_push(f, "{\"execute\":\"x\",\"arguments\":{\"list\":[");
        framing_push_times(f, "{\"id\":1},", 100);
        framing_push(f, LIBVIRT_SYNC "\n");
        assert_delivered(f, "M:" LIBVIRT_SYNC "\n");
        framing_push_times(f, "{\"execute\":", 50);
        framing_push(f, LIBVIRT_SYNC "\n");
        assert_delivered(f, "M:" LIBVIRT_SYNC "\n");
}

static void test_other_orders_of_members(void **state)
{
        static const char *const rows[] = {
                "{\"arguments\":{\"id\":5},\"execute\":\"guest-sync\"}",
                "{\"id\":\"x\",\"execute\":\"guest-ping\"}",
                "{ \"execute\": \"guest-ping\" }",
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(framing_t) f = framing_new(LIMIT);
                g_autofree char *wanted = g_strdup_printf("M:%s\n", rows[i]);

                framing_push(f, "{\"execute\":");
                framing_push(f, rows[i]);
                framing_push(f, "\n");
                assert_delivered(f, wanted);
        }
}

/* One request inside another's arguments is data as long as the outer one gets whole. */
static void test_nested_request_is_data(void **state)
{
        static const char text[] =
                "{\"execute\":\"x\",\"arguments\":{\"y\":{\"execute\":\"guest-shutdown\"}}}";
        g_autoptr(framing_t) f = framing_new(LIMIT);

        (void) state;
        framing_push(f, text);
        framing_push(f, "\n");
        assert_int_equal(f->messages, 1);
        assert_memory_equal(f->log->str + 2, text, sizeof text - 1);
}

static void test_ff_anywhere(void **state)
{
        static const char text[] = "{\"execute\":\"x\",\"arguments\":{\"a\":[1,\"b\\\\\"]}}\n";

        (void) state;
        for (size_t at = 0; at <= sizeof text - 3; at++) { /* up to the place before the last bracket */
                g_autoptr(framing_t) f = framing_new(LIMIT);

                tn_frame_push(f->frame, text, at);
                framing_push(f, "\xff\xff" PING "\n");
                assert_delivered(f, "M:" PING "\n");
        }
}

static void test_oversized(void **state)
{
        g_autoptr(framing_t) f = framing_new(1000);

        (void) state;
        framing_push(f, "{\"a\":\"");
        framing_push_times(f, "0123456789", 100000);
        assert_delivered(f, "E:JSON parse error, the message is larger than 1000 bytes\n");
        assert_true(tn_frame_pending(f->frame) < 256 * 1024);
        framing_push(f, "\"}\n" PING);
        assert_delivered(f, "M:" PING "\n");
}

static void test_exactly_at_the_limit(void **state)
{
        g_autoptr(framing_t) f = framing_new(100);
        g_autofree char *filler = g_strnfill(92, 'x');
        g_autofree char *fits = g_strdup_printf("{\"a\":\"%s\"}", filler);
        g_autofree char *wanted = g_strdup_printf("M:%s\n", fits);

        (void) state;
        assert_int_equal(strlen(fits), 100);
        framing_push(f, fits);
        assert_delivered(f, wanted);
        framing_push(f, "{ ");
        framing_push(f, fits + 1);
        assert_delivered(f, "E:JSON parse error, the message is larger than 100 bytes\n");
        framing_push(f, "\n" PING "\n");
        assert_delivered(f, "M:" PING "\n");
}

/* Line ends and white space count as well. */
static void test_oversized_by_line_ends(void **state)
{
        g_autoptr(framing_t) f = framing_new(1000);

        (void) state;
        framing_push(f, "{");
        framing_push_times(f, "\n", 100000);
        assert_int_equal(f->messages, 0);
        assert_int_equal(f->errors, 1);
        assert_true(tn_frame_pending(f->frame) <= 1000);
        g_string_truncate(f->log, 0);
        framing_push(f, PING "\n");
        assert_delivered(f, "M:" PING "\n");
}

/* The end of an oversized line may be a request, when its beginning was abandoned. */
static void test_sync_after_oversized(void **state)
{
        g_autoptr(framing_t) f = framing_new(1000);

        (void) state;
        framing_push(f, "{\"a\":[");
        framing_push_times(f, "0123456789,", 100000);
        framing_push(f, LIBVIRT_SYNC "\n");
        assert_delivered(f,
                         "E:JSON parse error, the message is larger than 1000 bytes\nM:" LIBVIRT_SYNC "\n");
}

/* Which bytes are dropped with an oversized message does not depend on how they came. */
static void test_sync_after_oversized_string(void **state)
{
        g_autofree char *filler = g_strnfill(200, 'x');
        g_autofree char *text = g_strdup_printf("{\"a\":\"%s" PING "\n", filler);

        (void) state;
        for (size_t piece = 1; piece <= strlen(text); piece++) {
                g_autoptr(framing_t) f = framing_new(100);

                for (size_t at = 0; at < strlen(text); at += piece) {
                        g_autofree char *part = g_strndup(text + at, piece);

                        framing_push(f, part);
                }
                assert_delivered(f,
                                 "E:JSON parse error, the message is larger than 100 bytes\nM:" PING "\n");
        }
}

/* But no request that is too large itself. */
static void test_sync_to_an_oversized_one(void **state)
{
        g_autoptr(framing_t) f = framing_new(1000);
        g_autofree char *filler = g_strnfill(1000, 'x');

        (void) state;
        framing_push(f, "{\"a\":[");
        framing_push_times(f, "0123456789,", 100000);
        g_string_truncate(f->log, 0);
        framing_push(f, "{\"execute\":\"guest-ping\",\"id\":\"");
        framing_push(f, filler);
        framing_push(f, "\"}\n");
        assert_int_equal(f->messages, 0);
        framing_push(f, PING "\n");
        assert_delivered(f, "M:" PING "\n");
}

static void push_nested(struct framing *f, unsigned depth)
{
        framing_push_times(f, "[", depth);
        framing_push_times(f, "]", depth);
}

static void test_depth(void **state)
{
        g_autoptr(framing_t) f = framing_new(1 << 20);

        (void) state;
        push_nested(f, TN_FRAME_DEPTH_MAX);
        assert_int_equal(f->messages, 1);
        assert_int_equal(f->errors, 0);
        g_string_truncate(f->log, 0);
        push_nested(f, TN_FRAME_DEPTH_MAX + 1);
        assert_delivered(f, "E:JSON parse error, nesting is deeper than 1024 levels\n");
        framing_push(f, PING);
        assert_delivered(f, "M:" PING "\n");
}

static void test_depth_without_an_end(void **state)
{
        static const char *const openers[] = {"[", "{", "{\"a\":[", "[{\"x\":"};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(openers); i++) {
                g_autoptr(framing_t) f = framing_new(64 << 20);

                framing_push_times(f, openers[i], 100000);
                assert_delivered(f, "E:JSON parse error, nesting is deeper than 1024 levels\n");
                framing_push(f, "\n" PING "\n");
                assert_delivered(f, "M:" PING "\n");
        }
}

/* The second line holds only the closers of the first, and they are no news. */
static void test_depth_over_two_lines(void **state)
{
        g_autoptr(framing_t) f = framing_new(1 << 20);

        (void) state;
        framing_push_times(f, "[", 2000);
        framing_push(f, "\n");
        framing_push_times(f, "]", 2000);
        framing_push(f, "\n" PING "\n");
        assert_delivered(f, "E:JSON parse error, nesting is deeper than 1024 levels\nM:" PING "\n");
}

static void test_tokens(void **state)
{
        g_autoptr(framing_t) f = framing_new(64 << 20);

        (void) state;
        framing_push(f, "[0");
        framing_push_times(f, ",0", TN_FRAME_TOKENS_MAX - 1);
        assert_delivered(f, "");
        framing_push(f, ",0");
        assert_delivered(f, "E:JSON parse error, the message has too many values\n");
        framing_push_times(f, ",0", 1000);
        framing_push(f, "]\n" PING "\n");
        assert_delivered(f, "M:" PING "\n");
}

static void test_stray_closers(void **state)
{
        g_autoptr(framing_t) f = framing_new(LIMIT);

        (void) state;
        framing_push_times(f, "]}", 500);
        framing_push(f, "\n" PING "\n");
        assert_int_equal(f->messages, 2); /* all of the rubbish is one text, which is not JSON */
        assert_int_equal(f->errors, 0);
        assert_true(g_str_has_suffix(f->log->str, "M:" PING "\n"));
}

/* Buffers of a large message are not kept. */
static void test_memory_is_given_back(void **state)
{
        g_autoptr(framing_t) f = framing_new(64 << 20);

        (void) state;
        framing_push(f, "{\"a\":\"");
        framing_push_times(f, "0123456789012345678901234567890123456789", 500000);
        assert_int_equal(tn_frame_pending(f->frame), 6 + 40 * 500000);
        framing_push(f, "\xff");
        assert_int_equal(tn_frame_pending(f->frame), 0);
        framing_push(f, PING);
        assert_delivered(f, "M:" PING "\n");
}

/* Bytes that are likely to mean something, in any order: no crash, bounded memory, and after 0xFF all is
 * well. */
static void test_random_streams(void **state)
{
        static const char *const atoms[] = {
                "{", "}",  "[",  "]",    "\"",   "'", "\\",   ":",           ",",    "\n", "\r",
                " ", "\t", "\1", "\x80", "\xfe", "0", "null", "\"execute\"", "\xff", PING, LIBVIRT_SYNC};
        g_autoptr(GRand) rand = g_rand_new_with_seed(20260101);

        (void) state;
        for (unsigned round = 0; round < 3000; round++) {
                g_autoptr(framing_t) f = framing_new(500);
                int atoms_in_round = g_rand_int_range(rand, 0, 300);

                for (int i = 0; i < atoms_in_round; i++)
                        framing_push(f, atoms[g_rand_int_range(rand, 0, G_N_ELEMENTS(atoms))]);
                assert_true(tn_frame_pending(f->frame) < 256 * 1024);
                assert_true(f->errors + f->messages <= (unsigned) atoms_in_round + 1);
                g_string_truncate(f->log, 0);
                framing_push(f, "\xff" LIBVIRT_SYNC "\n");
                assert_delivered(f, "M:" LIBVIRT_SYNC "\n");
        }
}

static void test_random_bytes(void **state)
{
        g_autoptr(GRand) rand = g_rand_new_with_seed(7);

        (void) state;
        for (unsigned round = 0; round < 300; round++) {
                g_autoptr(framing_t) f = framing_new(2000);
                char bytes[1024];

                for (size_t i = 0; i < sizeof bytes; i++)
                        bytes[i] = (char) g_rand_int_range(rand, 0, 256);
                tn_frame_push(f->frame, bytes, sizeof bytes);
                g_string_truncate(f->log, 0);
                framing_push(f, "\xff" PING);
                assert_delivered(f, "M:" PING "\n");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_sync_on_the_same_line),
                cmocka_unit_test(test_sync_on_the_next_line),
                cmocka_unit_test(test_other_orders_of_members),
                cmocka_unit_test(test_many_half_objects_before_the_sync),
                cmocka_unit_test(test_nested_request_is_data),
                cmocka_unit_test(test_ff_anywhere),
                cmocka_unit_test(test_oversized),
                cmocka_unit_test(test_exactly_at_the_limit),
                cmocka_unit_test(test_oversized_by_line_ends),
                cmocka_unit_test(test_sync_after_oversized),
                cmocka_unit_test(test_sync_after_oversized_string),
                cmocka_unit_test(test_sync_to_an_oversized_one),
                cmocka_unit_test(test_depth),
                cmocka_unit_test(test_depth_without_an_end),
                cmocka_unit_test(test_depth_over_two_lines),
                cmocka_unit_test(test_tokens),
                cmocka_unit_test(test_stray_closers),
                cmocka_unit_test(test_memory_is_given_back),
                cmocka_unit_test(test_random_streams),
                cmocka_unit_test(test_random_bytes),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
