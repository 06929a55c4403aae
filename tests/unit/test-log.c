/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The log: levels, fields, sinks, the file beside the sink, the rate limit. */
#define _GNU_SOURCE
#include "support.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/names.h"

static void ignore_record(void *data, enum tn_log_level level, const struct tn_log_field *fields,
                          const char *message)
{
}

static void test_levels(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        tn_log_set_level(m->env.log, TN_LOG_WARNING);
        tn_log(m->env.log, TN_LOG_NOTICE, NULL, "hidden");
        tn_log(m->env.log, TN_LOG_WARNING, NULL, "shown");
        tn_log(m->env.log, TN_LOG_ERR, NULL, "shown too");
        assert_int_equal(m->log->len, 2);
        assert_string_equal(g_ptr_array_index(m->log, 0), "4|shown");
        assert_string_equal(g_ptr_array_index(m->log, 1), "3|shown too");
}

static void test_fields(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        tn_log(m->env.log, TN_LOG_INFO,
               TN_FIELDS({TN_F_PLUGIN, "power"}, {TN_F_FILE, NULL}, {TN_F_ERROR, "denied"}), "%s of %d",
               "100%", 3);
        assert_string_equal(g_ptr_array_index(m->log, 0),
                            "6|100% of 3|TENON_PLUGIN=power|TENON_ERROR=denied");
}

static void test_errno_survives(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        errno = EXDEV;
        tn_log(m->env.log, TN_LOG_ERR, NULL, "x");
        assert_int_equal(errno, EXDEV);
        tn_log(NULL, TN_LOG_ERR, NULL, "into the void");
        assert_int_equal(errno, EXDEV);
}

static void test_level_names(void **state)
{
        static const struct {
                const char *name;
                enum tn_log_level level;
        } rows[] = {
                {"error", TN_LOG_ERR}, {"warning", TN_LOG_WARNING}, {"notice", TN_LOG_NOTICE},
                {"info", TN_LOG_INFO}, {"debug", TN_LOG_DEBUG},
        };
        enum tn_log_level level = TN_LOG_NOTICE;

        (void) state;
        assert_false(tn_log_level_parse("loud", &level));
        assert_false(tn_log_level_parse("", &level));
        assert_int_equal(level, TN_LOG_NOTICE);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                assert_true(tn_log_level_parse(rows[i].name, &level));
                assert_int_equal(level, rows[i].level);
        }
}

static void test_file(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *path = machine_path(m, "log"), *text = NULL;

        (void) state;
        tn_log_set_file(m->env.log, open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
        tn_log(m->env.log, TN_LOG_WARNING, TN_FIELDS({TN_F_FILE, "f"}), "first");
        tn_log(m->env.log, TN_LOG_ERR, NULL, "second");
        assert_true(g_file_get_contents(path, &text, NULL, NULL));
        assert_true(g_regex_match_simple("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ warning: first\n"
                                         "\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ error: second\n$",
                                         text, 0, 0));
        assert_int_equal(m->log->len, 2); /* the sink has them as well */
        tn_log_set_file(m->env.log, -1);
        tn_log(m->env.log, TN_LOG_ERR, NULL, "third");
        g_clear_pointer(&text, g_free);
        assert_true(g_file_get_contents(path, &text, NULL, NULL));
        assert_null(strstr(text, "third"));
}

static void test_full_disk(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        tn_log_set_file(m->env.log, open("/dev/full", O_WRONLY | O_CLOEXEC));
        tn_log(m->env.log, TN_LOG_ERR, NULL, "still there");
        assert_non_null(machine_logged(m, "still there"));
}

/* What a log of @make says, when stderr is a file that JOURNAL_STREAM names, or not. */
static char *said_at_stderr(struct tn_log *(*make)(void), bool journal)
{
        g_autofree char *path = g_build_filename(g_get_tmp_dir(), "tenon-stderr-XXXXXX", NULL);
        g_autofree char *stream = NULL;
        char *text = NULL;
        int fd = g_mkstemp(path), saved = dup(STDERR_FILENO);
        struct tn_log *log;
        struct stat st;

        assert_int_equal(fstat(fd, &st), 0);
        stream = g_strdup_printf("%llu:%llu", (unsigned long long) st.st_dev,
                                 (unsigned long long) st.st_ino + !journal);
        (void) g_setenv("JOURNAL_STREAM", stream, TRUE);
        assert_int_equal(dup2(fd, STDERR_FILENO), STDERR_FILENO);
        log = make();
        tn_log(log, TN_LOG_NOTICE, TN_FIELDS({TN_F_FILE, "secret"}), "hello");
        tn_log(log, TN_LOG_DEBUG, NULL, "hidden");
        assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
        assert_true(g_file_get_contents(path, &text, NULL, NULL));
        tn_log_free(log);
        (void) unlink(path);
        close(fd);
        close(saved);
        return text;
}

static struct tn_log *lasting(void)
{
        return tn_log_new(TN_LOG_INFO);
}

static struct tn_log *brief(void)
{
        return tn_log_new_brief("tenon-drivers", TN_LOG_INFO);
}

/* Without a journal at stderr there is plain text, which carries the level and nothing else. */
static void test_stderr(void **state)
{
        g_autofree char *agent = said_at_stderr(lasting, false), *program = said_at_stderr(brief, false);

        (void) state;
        assert_string_equal(agent, "tenond: notice: hello\n");
        assert_string_equal(program, "tenon-drivers: notice: hello\n");
}

/* A program that ends soon writes what the journal reads from a stream. */
static void test_stream(void **state)
{
        g_autofree char *program = said_at_stderr(brief, true);

        (void) state;
        assert_string_equal(program, "<5>hello\n");
}

/* While file systems are frozen, nothing is written; afterwards all of it, with its fields and its age. */
static void test_held_back(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        tn_log_hold(m->env.log);
        tn_log_hold(m->env.log); /* calls do not add up */
        tn_log(m->env.log, TN_LOG_NOTICE, TN_FIELDS({TN_F_PLUGIN, "freeze"}, {TN_F_FILE, NULL}), "first");
        tn_log(m->env.log, TN_LOG_ERR, NULL, "second");
        assert_int_equal(m->log->len, 0);
        tn_log_release(m->env.log);
        assert_int_equal(m->log->len, 2);
        assert_string_equal(g_ptr_array_index(m->log, 0),
                            "5|first (held back for 0.0 s)|TENON_PLUGIN=freeze");
        assert_string_equal(g_ptr_array_index(m->log, 1), "3|second (held back for 0.0 s)");
        tn_log(m->env.log, TN_LOG_ERR, NULL, "third");
        assert_string_equal(g_ptr_array_index(m->log, 2), "3|third");
        tn_log_release(m->env.log);
        tn_log_release(NULL);
        assert_int_equal(m->log->len, 3);
}

static void test_held_back_too_many(void **state)
{
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        tn_log_hold(m->env.log);
        for (unsigned i = 0; i < TN_LOG_HELD_MAX + 10; i++)
                tn_log(m->env.log, TN_LOG_ERR, NULL, "record %u", i);
        tn_log_release(m->env.log);
        assert_int_equal(m->log->len, TN_LOG_HELD_MAX + 1);
        assert_contains((const char *) g_ptr_array_index(m->log, 0), "3|record 10 (held back");
        assert_contains((const char *) g_ptr_array_index(m->log, TN_LOG_HELD_MAX),
                        "4|10 older records were dropped");
}

/* What is still held when the log ends is written, not lost. */
static void test_held_back_at_the_end(void **state)
{
        g_autofree char *path = g_build_filename(g_get_tmp_dir(), "tenon-held-XXXXXX", NULL);
        g_autofree char *text = NULL;
        int fd = g_mkstemp(path);
        struct tn_log *log = tn_log_new_sink(TN_LOG_NOTICE, ignore_record, NULL);

        (void) state;
        tn_log_set_file(log, fd);
        tn_log_hold(log);
        tn_log(log, TN_LOG_ERR, NULL, "last words");
        tn_log_free(log);
        assert_true(g_file_get_contents(path, &text, NULL, NULL));
        assert_contains(text, "error: last words (held back");
        (void) unlink(path);
}

static void test_rate_limit(void **state)
{
        struct tn_log_ratelimit limit = {0};

        (void) state;
        for (unsigned i = 0; i < 5; i++)
                assert_true(tn_log_ratelimit_ok(&limit, 5, 60 * G_USEC_PER_SEC, 1000 + i));
        assert_false(tn_log_ratelimit_ok(&limit, 5, 60 * G_USEC_PER_SEC, 2000));
        assert_false(tn_log_ratelimit_ok(&limit, 5, 60 * G_USEC_PER_SEC, 999 + 60 * G_USEC_PER_SEC));
        assert_true(tn_log_ratelimit_ok(&limit, 5, 60 * G_USEC_PER_SEC, 1000 + 60 * G_USEC_PER_SEC));
        assert_int_equal(limit.used, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_held_back),
                cmocka_unit_test(test_held_back_too_many),
                cmocka_unit_test(test_held_back_at_the_end),
                cmocka_unit_test(test_levels),
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_file),
                cmocka_unit_test(test_full_disk),
                cmocka_unit_test(test_stderr),
                cmocka_unit_test(test_stream),
                cmocka_unit_test(test_errno_survives),
                cmocka_unit_test(test_level_names),
                cmocka_unit_test(test_rate_limit),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
