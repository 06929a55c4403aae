/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Commands that are run as values, without the text around them: as D-Bus does. */
#include "bench.h"

#include <string.h>

struct outcome {
        unsigned count;
        char *text;               /* of the value, or of the error */
        int code;                 /* -1: none */
        struct tn_session *frees; /* in the callback */
};

static void on_done(const json_t *value, const GError *error, void *data)
{
        struct outcome *outcome = data;
        char *line = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

        assert_true(!value != !error);
        outcome->count++;
        g_free(outcome->text);
        outcome->text = g_strdup(error ? error->message : line);
        outcome->code = error ? error->code : -1;
        free(line);
        g_clear_pointer(&outcome->frees, tn_session_free);
}

static void run(struct bench *bench, enum tn_trust trust, const char *command, const char *args,
                struct outcome *outcome)
{
        struct tn_session *session = tn_session_new(bench->dispatch, trust, "dbus", "uid 7", NULL, NULL);

        outcome->frees = session;
        tn_session_run(session, command, json_of(args), on_done, outcome);
}

static void test_at_once(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        struct outcome o = {0};

        (void) state;
        run(bench, TN_TRUST_LOCAL_USER, "test-echo", "{'value': 5}", &o);
        assert_int_equal(o.count, 1);
        assert_string_equal(o.text, "{\"value\": 5}");
        run(bench, TN_TRUST_LOCAL_USER, "test-fail", "{}", &o);
        assert_int_equal(o.count, 2);
        assert_int_equal(o.code,
                         TN_ERROR_NOT_FOUND); /* the code is kept, which a reply line has no place for */
        g_free(o.text);
}

static void test_refused(void **state)
{
        static const struct {
                const char *command, *args, *text;
        } rows[] = {
                {"test-nothing", "{}", "The command test-nothing has not been found"},
                {"test-change", "{}", "only root may ask for it"},
                {"test-big", "{'size': 'x'}", "size"},
                {"test-big", "{'size': 1, 'other': 2}", "other"},
        };
        g_autoptr(bench_t) bench = bench_new("");
        struct outcome o = {0};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                run(bench, TN_TRUST_LOCAL_USER, rows[i].command, rows[i].args, &o);
                assert_int_equal(o.count, i + 1);
                assert_contains(o.text, rows[i].text);
        }
        assert_int_equal(tn_dispatch_counters(bench->dispatch)->errors, G_N_ELEMENTS(rows));
        g_free(o.text);
}

static void test_later_with_audit(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        struct outcome o = {0};

        (void) state;
        run(bench, TN_TRUST_LOCAL_ROOT, "test-change-later", "{}", &o);
        assert_int_equal(o.count, 0);
        bench_reply(bench, 0, "[1]");
        assert_int_equal(o.count, 1);
        assert_string_equal(o.text, "[1]");
        assert_non_null(machine_logged(bench->machine, "test-change-later by uid 7 over dbus: ok"));
        g_free(o.text);
}

/* Who asked is gone: the command ends, and nobody is told. */
static void test_abandoned(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        struct outcome o = {0};

        (void) state;
        run(bench, TN_TRUST_LOCAL_ROOT, "test-change-later", "{}", &o);
        g_clear_pointer(&o.frees, tn_session_free);
        bench_fail(bench, 0, "no");
        assert_int_equal(o.count, 0);
        assert_int_equal(tn_dispatch_counters(bench->dispatch)->abandoned, 1);
}

static void test_stream(void **state)
{
        g_autoptr(bench_t) bench = bench_new("");
        struct outcome o = {0};

        (void) state;
        run(bench, TN_TRUST_LOCAL_USER, "test-stream", "{'size': 5000}", &o);
        assert_int_equal(o.code, TN_ERROR_UNSUPPORTED);
        assert_int_equal(bench->streams, 0);
        g_free(o.text);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_at_once),          cmocka_unit_test(test_refused),
                cmocka_unit_test(test_later_with_audit), cmocka_unit_test(test_abandoned),
                cmocka_unit_test(test_stream),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
