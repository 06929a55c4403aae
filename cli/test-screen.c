/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Lines for people: what is escaped, where they are wrapped, what a mark adds; and times. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "cli/screen.h"
#include "cli/since.h"
#include "cli/when.h"

static void assert_escaped(const char *text, const char *wanted)
{
        g_autofree char *got = tn_screen_escape(text);

        assert_string_equal(got, wanted);
}

static void test_hostile_bytes(void **state)
{
        (void) state;
        assert_escaped("plain äöü €", "plain äöü €");
        assert_escaped("\033]0;title\007\033[2J", "\\x1b]0;title\\x07\\x1b[2J");
        assert_escaped("a\nb\tc\r", "a\\x0ab\\x09c\\x0d");
        assert_escaped("\xc2\x9b"
                       "1m",
                       "\\x9b1m"); /* a control character of Latin 1 */
        assert_escaped("\x9b\xff\xc3", "\\x9b\\xff\\xc3");
        assert_escaped("abc\xe2\x80\xae"
                       "fed",
                       "abc<U+202E>fed");
        assert_escaped("\xe2\x81\xa6x\xef\xbb\xbf", "<U+2066>x<U+FEFF>");
        assert_escaped("", "");
}

static void assert_lines(struct tn_screen screen, enum tn_mark mark, const char *text, const char *wanted)
{
        g_autofree char *got = tn_screen_format(&screen, mark, "Label", text);

        assert_string_equal(got, wanted);
}

static void test_in_a_pipe_a_line_is_a_line(void **state)
{
        const char *text = "one two three four five six seven eight nine ten eleven twelve";
        g_autofree char *wanted = g_strdup_printf("Label        %s\n", text);

        (void) state;
        assert_lines((struct tn_screen){0}, TN_MARK_BAD, text, wanted);
        assert_lines((struct tn_screen){0}, TN_MARK_BAD, "", "Label        \n");
}

static void test_wrapped_at_the_width(void **state)
{
        const struct tn_screen forty = {.columns = 40};

        (void) state;
        assert_lines(forty, TN_MARK_NONE, "one two three four five six seven",
                     "Label        one two three four "
                     "five six\n             seven\n");
        assert_lines(forty, TN_MARK_NONE, "exactly-twenty-seven-lettrs x",
                     "Label        exactly-twenty-seven-lettrs\n             x\n");
        assert_lines(forty, TN_MARK_NONE, "a-word-that-is-longer-than-a-whole-line-of-it",
                     "Label        a-word-that-is-longer-than-\n             a-whole-line-of-it\n");
        assert_lines(forty, TN_MARK_NONE, "漢字漢字漢字漢字漢字漢字漢字漢字",
                     "Label        漢字漢字漢字漢字漢字漢字漢\n             字漢字\n");
}

/* A terminal of ten columns wraps by itself; nothing is lost and nothing loops. */
static void test_too_narrow(void **state)
{
        (void) state;
        assert_lines((struct tn_screen){.columns = 10}, TN_MARK_NONE, "one two three four five",
                     "Label        one two three four five\n");
}

static void test_marks(void **state)
{
        (void) state;
        assert_lines((struct tn_screen){.marks = true, .unicode = true}, TN_MARK_GOOD, "x",
                     "● Label        x\n");
        assert_lines((struct tn_screen){.marks = true}, TN_MARK_BAD, "x", "! Label        x\n");
        assert_lines((struct tn_screen){.marks = true}, TN_MARK_NONE, "x", "  Label        x\n");
        assert_lines((struct tn_screen){.marks = true, .unicode = true, .color = true}, TN_MARK_BAD, "x",
                     "\033[1;33m▲\033[0m \033[1;33mLabel       \033[0m x\n");
}

static void test_colour_words(void **state)
{
        (void) state;
        assert_true(tn_screen_set_color("never"));
        assert_false(tn_screen_get()->color);
        assert_true(tn_screen_set_color("always"));
        assert_true(tn_screen_get()->color);
        assert_false(tn_screen_set_color("yes"));
        assert_true(tn_screen_get()->color);
        assert_true(tn_screen_set_color("auto"));
}

static void assert_text(char *got, const char *wanted)
{
        assert_string_equal(got, wanted);
        g_free(got);
}

static void test_times(void **state)
{
        g_autofree char *epoch = tn_when_text(0);

        (void) state;
        assert_text(tn_when_duration(1234567), "1.23 ms");
        assert_text(tn_when_duration(0), "0 ns");
        assert_text(tn_when_duration(-2e9), "-2 s");
        assert_text(tn_when_span(59), "59 s");
        assert_text(tn_when_span(125), "2 min 5 s");
        assert_text(tn_when_span(2 * 86400 + 3600 * 5 + 7), "2 d 5 h");
        assert_text(tn_when_span(-1), "0 s");
        assert_int_equal(strlen(epoch), strlen("1970-01-01 00:00:00"));
}

static void assert_since(const char *text, int64_t wanted)
{
        g_autoptr(GError) error = NULL;
        int64_t seconds = -1;

        assert_true(tn_since_parse(text, 1000000, &seconds, &error));
        assert_int_equal(seconds, wanted);
}

static void test_points_in_time(void **state)
{
        static const char *const wrong[] = {"",   "@",          "yesterday",        "10 min",       "-5",
                                            "5w", "2026-13-01", "2026-01-01 25:00", "99999999999d", "@x",
                                            NULL};
        int64_t seconds = 7;

        (void) state;
        g_setenv("TZ", "UTC", TRUE);
        assert_since("90", 999910);
        assert_since("90s", 999910);
        assert_since("10min", 999400);
        assert_since("2h", 992800);
        assert_since("1d", 913600);
        assert_since("@5", 5);
        assert_since("1970-01-02", 86400);
        assert_since("1970-01-02 01:02", 86400 + 3720);
        assert_since("1970-01-02T01:02:03", 86400 + 3723);
        for (size_t i = 0; wrong[i]; i++) {
                g_autoptr(GError) error = NULL;

                assert_false(tn_since_parse(wrong[i], 1000000, &seconds, &error));
                assert_non_null(strstr(error->message, "is no time; write 10min"));
        }
        assert_int_equal(seconds, 7);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_hostile_bytes),
                cmocka_unit_test(test_in_a_pipe_a_line_is_a_line),
                cmocka_unit_test(test_wrapped_at_the_width),
                cmocka_unit_test(test_too_narrow),
                cmocka_unit_test(test_marks),
                cmocka_unit_test(test_colour_words),
                cmocka_unit_test(test_times),
                cmocka_unit_test(test_points_in_time),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
