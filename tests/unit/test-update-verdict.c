/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Many sources, one word: a table of what is concluded from what. */
#include "update/verdict.h"

#include "support.h"

/* A source that has nothing to say is empty. */
static const struct {
        const char *packages, *manifest, *host;
        const char *status, *source;
        int exit_status;
} cases[] = {
        {NULL, NULL, NULL, "unknown", NULL, 20},
        {"current", NULL, NULL, "current", "apt", 0},
        {"out-of-date", NULL, NULL, "out-of-date", "apt", 10},
        {"unmanaged", NULL, NULL, "unmanaged", "apt", 20},
        {"newer", NULL, NULL, "newer", "apt", 0},
        /* The host's word is advice: what the distribution has is fine. */
        {"current", NULL, "out-of-date", "managed", "apt", 0},
        {"current", NULL, "newer", "managed", "apt", 0},
        {"current", NULL, "current", "current", "apt", 0},
        {"unmanaged", NULL, "out-of-date", "out-of-date", "host", 10},
        {"unmanaged", NULL, "current", "current", "host", 0},
        {NULL, NULL, "newer", "newer", "host", 0},
        {"current", NULL, "revoked", "revoked", "host", 11},
        /* A manifest that was configured is believed when it warns. */
        {"current", "out-of-date", NULL, "out-of-date", "manifest", 10},
        {"current", "revoked", NULL, "revoked", "manifest", 11},
        {"out-of-date", "out-of-date", "out-of-date", "out-of-date", "apt", 10},
        {"unmanaged", "current", NULL, "current", "manifest", 0},
        /* A source that failed: never current. */
        {"unknown", NULL, NULL, "unknown", "apt", 20},
        {"unknown", "current", NULL, "unknown", "apt", 20},
        {"current", "unknown", NULL, "unknown", "manifest", 20},
        {"unmanaged", "unknown", "current", "unknown", "manifest", 20},
        {"unknown", "out-of-date", NULL, "out-of-date", "manifest", 10},
        {"out-of-date", "unknown", NULL, "out-of-date", "apt", 10},
        {"unknown", NULL, "out-of-date", "unknown", "apt", 20},
        {"unknown", NULL, "revoked", "revoked", "host", 11},
};

static void add(GPtrArray *verdicts, enum tn_verdict_kind kind, const char *source, const char *status)
{
        struct tn_verdict *verdict = status ? tn_verdict_new(kind, source) : NULL;

        if (!verdict)
                return;
        verdict->status = tn_update_status_parse(status);
        verdict->candidate = g_strdup("0.2.0");
        g_ptr_array_add(verdicts, verdict);
}

static GPtrArray *verdicts_of(const char *packages, const char *manifest, const char *host)
{
        GPtrArray *verdicts = g_ptr_array_new_with_free_func((GDestroyNotify) tn_verdict_free);

        add(verdicts, TN_VERDICT_HOST, "host", host); /* the order says nothing */
        add(verdicts, TN_VERDICT_PACKAGES, "apt", packages);
        add(verdicts, TN_VERDICT_MANIFEST, "manifest", manifest);
        return verdicts;
}

static void table(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autoptr(GPtrArray)
                        verdicts = verdicts_of(cases[i].packages, cases[i].manifest, cases[i].host);
                json_auto_t *result = tn_verdict_conclude(verdicts, "0.1.0", 5);
                const char *status = json_string_value(json_object_get(result, "status"));
                const char *source = json_string_value(json_object_get(result, "source"));

                if (g_strcmp0(status, cases[i].status) != 0 || g_strcmp0(source, cases[i].source) != 0)
                        fail_msg("case %zu: %s by %s", i, status, source);
                assert_int_equal(tn_update_exit_status(tn_update_status_parse(status), false),
                                 cases[i].exit_status);
                assert_int_equal(json_array_size(json_object_get(result, "problems")),
                                 cases[i].exit_status == 10 || cases[i].exit_status == 11);
                assert_true(*json_string_value(json_object_get(result, "message")));
        }
}

static void security_is_told(void **state)
{
        g_autoptr(GPtrArray) verdicts = verdicts_of("out-of-date", NULL, NULL);
        struct tn_verdict *verdict = g_ptr_array_index(verdicts, 0);

        (void) state;
        verdict->security = true;
        verdict->installed = g_strdup("0.1.0-1");
        verdict->verified_by = g_strdup("apt");
        assert_json(
                tn_verdict_conclude(verdicts, "0.1.0", 5),
                "{'status': 'out-of-date', 'installed': '0.1.0-1', 'candidate': '0.2.0', 'source': 'apt', "
                "'verified-by': 'apt', 'checked-at': 5, 'security': true, 'message': '0.2.0 is available, "
                "and "
                "mends a security problem', 'sources': [{'source': 'apt', 'status': 'out-of-date', "
                "'candidate': '0.2.0', 'verified-by': 'apt'}], "
                "'problems': ['Tenon 0.1.0-1 is out of date: 0.2.0 is available, and mends a security "
                "problem'], 'remedies': ['tenonctl update install']}");
        assert_int_equal(tn_update_exit_status(TN_UPDATE_OUT_OF_DATE, true), 11);
        assert_int_equal(tn_update_exit_status(TN_UPDATE_CURRENT, true), 0);
}

static void messages_do_nothing_to_terminals(void **state)
{
        g_autoptr(tn_verdict_t) verdict = tn_verdict_new(TN_VERDICT_PACKAGES, "apt");

        (void) state;
        assert_string_equal(tn_verdict_fail(verdict, "it said %s", "\033[2J\r\nE")->message,
                            "it said  [2J  E");
}

static void host_announces(void **state)
{
        static const char *const bad[] = {"0.0.9", "0.1.0", NULL};
        g_autoptr(tn_verdict_t) older = tn_verdict_of_host("0.1.0", "0.0.5", NULL);
        g_autoptr(tn_verdict_t) same = tn_verdict_of_host("0.1.0", "0.1.0", NULL);
        g_autoptr(tn_verdict_t) newer = tn_verdict_of_host("0.1.0", "0.1.1", NULL);
        g_autoptr(tn_verdict_t) revoked = tn_verdict_of_host("0.1.0", NULL, bad);

        (void) state;
        assert_int_equal(older->status, TN_UPDATE_NEWER);
        assert_int_equal(same->status, TN_UPDATE_CURRENT);
        assert_int_equal(newer->status, TN_UPDATE_OUT_OF_DATE);
        assert_int_equal(revoked->status, TN_UPDATE_REVOKED);
        assert_null(revoked->verified_by);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(table),
                cmocka_unit_test(security_is_told),
                cmocka_unit_test(messages_do_nothing_to_terminals),
                cmocka_unit_test(host_announces),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
