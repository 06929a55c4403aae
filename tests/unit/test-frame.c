/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Framing of well-formed streams: however they are cut into pieces, each text comes out once and whole. */
#include "framing.h"

#include <string.h>

#define LIMIT 4096

static void test_no_newline_needed(void **state)
{
        g_autoptr(framing_t) f = framing_new(LIMIT);

        (void) state;
        framing_push(f, PING);
        assert_delivered(f, "M:" PING "\n");
        assert_int_equal(tn_frame_pending(f->frame), 0);
        framing_push(f, "\n");
        assert_delivered(f, "");
}

static void test_two_in_one_write(void **state)
{
        static const char *const between[] = {"", "\n", "\r\n", " ", "\n\n\t\n"};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(between); i++) {
                g_autoptr(framing_t) f = framing_new(LIMIT);

                framing_push(f, PING);
                framing_push(f, between[i]);
                framing_push(f, LIBVIRT_SYNC);
                assert_delivered(f, "M:" PING "\nM:" LIBVIRT_SYNC "\n");
        }
}

static const char *const stories[][2] = {
        {LIBVIRT_SYNC "\n" PING "\n", "M:" LIBVIRT_SYNC "\nM:" PING "\n"},
        {"{\"execute\": \"x\", \"arguments\": {\"a\": \"}{][\\\"\\\\\"}}",
         "M:{\"execute\": \"x\", \"arguments\": "
         "{\"a\": \"}{][\\\"\\\\\"}}\n"},
        {"{'execute': 'it\\'s \"x\"'}\n", "M:{\"execute\": \"it's \\\"x\\\"\"}\n"},
        {"garbage\n" PING, "M:garbage\nM:" PING "\n"},
        {"{\"a\":\"half\xff" PING "\n", "M:" PING "\n"},
        {"{\"a\":\"half\n" PING "\n", "E:JSON parse error, line end inside a string\nM:" PING "\n"},
        {"{\"a\":" LIBVIRT_SYNC "\n", "M:" LIBVIRT_SYNC "\n"},
        {"{\n  \"execute\":\n  \"guest-ping\"\n}\n", "M:{\n  \"execute\":\n  \"guest-ping\"\n}\n"},
};

static void test_cut_at_every_byte(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(stories); i++) {
                size_t len = strlen(stories[i][0]);

                for (size_t cut = 0; cut <= len; cut++) {
                        g_autoptr(framing_t) f = framing_new(LIMIT);

                        tn_frame_push(f->frame, stories[i][0], cut);
                        tn_frame_push(f->frame, stories[i][0] + cut, len - cut);
                        assert_delivered(f, stories[i][1]);
                }
        }
}

static void test_one_byte_at_a_time(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(stories); i++) {
                g_autoptr(framing_t) f = framing_new(LIMIT);

                for (const char *c = stories[i][0]; *c; c++)
                        tn_frame_push(f->frame, c, 1);
                assert_delivered(f, stories[i][1]);
        }
}

static void test_single_quotes(void **state)
{
        static const char *const rows[][2] = {
                {"{'execute':'guest-ping'}", "{\"execute\":\"guest-ping\"}"},
                {"{'a':'it\\'s'}", "{\"a\":\"it's\"}"},
                {"{'a':'say \"x\"'}", "{\"a\":\"say \\\"x\\\"\"}"},
                {"{'a':'say \\\"x\\\"'}", "{\"a\":\"say \\\"x\\\"\"}"},
                {"{\"a\":\"it\\'s\"}", "{\"a\":\"it's\"}"},
                {"{\"a\":\"it's\"}", "{\"a\":\"it's\"}"},
                {"{'a':'\\\\', \"b\":'}'}", "{\"a\":\"\\\\\", \"b\":\"}\"}"},
                {"{'a':'\\u0041\\n'}", "{\"a\":\"\\u0041\\n\"}"},
                {"{'':''}", "{\"\":\"\"}"},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(framing_t) f = framing_new(LIMIT);
                g_autofree char *wanted = g_strdup_printf("M:%s\n", rows[i][1]);

                framing_push(f, rows[i][0]);
                assert_delivered(f, wanted);
        }
}

static void test_pretty_printed(void **state)
{
        static const char text[] =
                "{\r\n    \"execute\": \"guest-set-vcpus\",\r\n    \"arguments\": {\r\n"
                "        \"vcpus\": [\r\n            {\r\n                \"logical-id\": 1,\r\n"
                "                \"online\": true\r\n            }\r\n        ]\r\n    },\r\n"
                "    \"id\": {\"execute\": 7}\r\n}";
        g_autoptr(framing_t) f = framing_new(LIMIT);

        (void) state;
        framing_push(f, text);
        framing_push(f, "\n");
        assert_int_equal(f->messages, 1);
        assert_int_equal(f->errors, 0);
        assert_memory_equal(f->log->str + 2, text, sizeof text - 1);
}

/* Not requests, but JSON; it is the dispatcher that says so. Nothing must stick. */
static void test_scalars_and_arrays(void **state)
{
        g_autoptr(framing_t) f = framing_new(LIMIT);

        (void) state;
        framing_push(f, "1\n\"x\"\nnull\n[1,2]\n[]\n'y'\n-1.5e3" PING);
        assert_delivered(f, "M:1\nM:\"x\"\nM:null\nM:[1,2]\nM:[]\nM:\"y\"\nM:-1.5e3\nM:" PING "\n");
}

static void test_white_space_is_nothing(void **state)
{
        g_autoptr(framing_t) f = framing_new(LIMIT);

        (void) state;
        framing_push_times(f, " \t\r\n", 100000);
        assert_delivered(f, "");
        assert_int_equal(tn_frame_pending(f->frame), 0);
}

static void test_nul_and_binary(void **state)
{
        static const char bytes[] = "\0\1\2{\"a\":\"\0\x80\xfe\"}\n";
        g_autoptr(framing_t) f = framing_new(LIMIT);

        (void) state;
        tn_frame_push(f->frame, bytes, sizeof bytes - 1);
        assert_int_equal(f->messages, 2); /* the junk before the bracket, and the object; neither is JSON */
        assert_int_equal(f->errors, 0);
        g_string_truncate(f->log, 0);
        framing_push(f, PING);
        assert_delivered(f, "M:" PING "\n");
}

static void test_pending(void **state)
{
        g_autoptr(framing_t) f = framing_new(1 << 20);

        (void) state;
        framing_push(f, "{\"a\":");
        assert_int_equal(tn_frame_pending(f->frame), 5);
        framing_push_times(f, "1,", 100000);
        assert_int_equal(tn_frame_pending(f->frame), 200005);
        tn_frame_reset(f->frame);
        assert_int_equal(tn_frame_pending(f->frame), 0);
        framing_push(f, PING);
        assert_delivered(f, "M:" PING "\n");
        tn_frame_free(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_no_newline_needed),      cmocka_unit_test(test_two_in_one_write),
                cmocka_unit_test(test_cut_at_every_byte),      cmocka_unit_test(test_one_byte_at_a_time),
                cmocka_unit_test(test_single_quotes),          cmocka_unit_test(test_pretty_printed),
                cmocka_unit_test(test_scalars_and_arrays),     cmocka_unit_test(test_nul_and_binary),
                cmocka_unit_test(test_white_space_is_nothing), cmocka_unit_test(test_pending),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
