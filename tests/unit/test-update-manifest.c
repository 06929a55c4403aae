/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Manifests: what is taken, what is refused and why, when one may be believed, and what it says of a
 * version. */
#include "update/manifest.h"

#include "support.h"

#define NOW INT64_C(1795694400) /* 2026-11-26 12:00 UTC */

#define HEAD                                                                                                \
        "{'format': 1, 'product': 'tenon', 'channel': 'stable', 'serial': 7, 'issued': "                    \
        "'2026-11-20T00:00:00Z', 'expires': '2026-12-20T00:00:00Z', "

static const char good[] = HEAD
        "'releases': [{'version': '0.2.0', 'severity': 'security', 'later': 1}, {'version': "
        "'0.1.5'}], 'revoked': [{'version': '0.0.9', 'reason': 'loses data'}], 'later': []}";

/* Of a text in which ' stands for ". */
static struct tn_manifest *parse(const char *text, GError **error)
{
        g_autofree char *json = g_strdelimit(g_strdup(text), "'", '"');

        return tn_manifest_parse(json, strlen(json), error);
}

static void whole_one(void **state)
{
        g_autoptr(tn_manifest_t) manifest = parse(good, NULL);

        (void) state;
        assert_non_null(manifest);
        assert_string_equal(manifest->channel, "stable");
        assert_int_equal(manifest->serial, 7);
        assert_int_equal(manifest->expires - manifest->issued, 30 * 86400);
        assert_int_equal(manifest->releases->len, 2);
        assert_true(g_array_index(manifest->releases, struct tn_manifest_release, 0).security);
        assert_string_equal(g_array_index(manifest->revoked, struct tn_manifest_revoked, 0).reason,
                            "loses data");
}

static const struct {
        const char *from, *to; /* replaced in the good one */
        int code;
        const char *message;
} mistakes[] = {
        {"'format': 1", "'format': 2", TN_ERROR_UNSUPPORTED,
         "its \"format\" is not 1: it is for another version of Tenon"},
        {"'format': 1", "'format': '1'", TN_ERROR_UNSUPPORTED,
         "its \"format\" is not 1: it is for another version of Tenon"},
        {"'product': 'tenon'", "'product': 'other'", TN_ERROR_INVALID, "it is not about tenon"},
        {"'product': 'tenon', ", "", TN_ERROR_INVALID, "\"product\" is missing, or is no text"},
        {"'channel': 'stable'", "'channel': 1", TN_ERROR_INVALID, "\"channel\" is missing, or is no text"},
        {"'serial': 7", "'serial': 0", TN_ERROR_INVALID,
         "\"serial\" is missing, or is no whole number above 0"},
        {"'serial': 7", "'serial': 7.5", TN_ERROR_INVALID,
         "\"serial\" is missing, or is no whole number above 0"},
        {"'serial': 7", "'serial': 9007199254740992", TN_ERROR_INVALID,
         "\"serial\" is missing, or is no whole number above 0"},
        {"2026-11-20T00:00:00Z", "2026-11-20", TN_ERROR_INVALID,
         "\"issued\" is no time like 2026-11-26T14:00:00Z"},
        {"2026-12-20T00:00:00Z", "2026-13-20T00:00:00Z", TN_ERROR_INVALID,
         "\"expires\" is no time like 2026-11-26T14:00:00Z"},
        {"2026-12-20T00:00:00Z", "2026-11-20T00:00:00Z", TN_ERROR_INVALID,
         "it expires before it was issued"},
        {"'releases': [", "'none': [", TN_ERROR_INVALID,
         "\"releases\" is missing, or is no list with something in it"},
        {"'0.2.0'", "'0.2 0'", TN_ERROR_INVALID, "a \"version\" in it is none"},
        {"'security'", "'awful'", TN_ERROR_INVALID,
         "the \"severity\" of 0.2.0 is neither normal nor security"},
        {"loses data", "loses\\ndata", TN_ERROR_INVALID, "the \"reason\" for 0.0.9 has control characters"},
        {"'revoked': [{", "'revoked': [5, {", TN_ERROR_INVALID, "\"version\" is missing, or is no text"},
        {"'revoked': [", "'revoked': 1, 'x': [", TN_ERROR_INVALID, "\"revoked\" is missing, or is no list"},
};

static void mistakes_are_named(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
                g_auto(GStrv) parts = g_strsplit(good, mistakes[i].from, -1);
                g_autofree char *text = g_strjoinv(mistakes[i].to, parts);
                GError *error = NULL;

                assert_int_equal(g_strv_length(parts), 2);
                assert_null(parse(text, &error));
                assert_error(error, mistakes[i].code, mistakes[i].message);
        }
}

static void rubbish_is_refused(void **state)
{
        static const char *const rubbish[] = {"",
                                              "[]",
                                              "null",
                                              "{",
                                              "{}x",
                                              "\xff",
                                              "{'format': 1, 'format': 1}",
                                              "{'a': '\\u0000'}",
                                              "{'a': '\xc3\x28'}"};
        g_autofree char *deep = g_strnfill(100000, '['), *large = g_strnfill(TN_MANIFEST_MAX + 1, ' ');
        g_autoptr(GString) rows = g_string_new(HEAD "'releases': [");
        GError *error = NULL;

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rubbish); i++)
                assert_null(parse(rubbish[i], NULL));
        for (size_t len = 0; len < strlen(good) - 1; len++) {
                g_autofree char *cut = g_strndup(good, len);

                assert_null(parse(cut, NULL));
        }
        assert_null(parse(deep, NULL));
        assert_null(parse(large, &error));
        assert_error(error, TN_ERROR_LIMIT, "it has more than 262144 bytes");
        for (unsigned i = 0; i <= TN_MANIFEST_ROWS_MAX; i++)
                g_string_append_printf(rows, "%s{'version': '1.%u'}", i ? ", " : "", i);
        g_string_append(rows, "]}");
        assert_null(parse(rows->str, &error));
        assert_error(error, TN_ERROR_LIMIT, "\"releases\" has more than 1024 rows");
}

static void old_ones_are_not_believed(void **state)
{
        g_autoptr(tn_manifest_t) manifest = parse(good, NULL);
        GError *error = NULL;

        (void) state;
        assert_true(tn_manifest_is_fresh(manifest, "stable", 0, NOW, NULL));
        assert_true(tn_manifest_is_fresh(manifest, "stable", 7, NOW, NULL));
        assert_false(tn_manifest_is_fresh(manifest, "stable", 8, NOW, &error));
        assert_error(error, TN_ERROR_DENIED, "its serial 7 is older than 8, which was seen here before");
        assert_false(tn_manifest_is_fresh(manifest, "stable", 0, manifest->expires, &error));
        assert_error(error, TN_ERROR_TIMEOUT, "it has expired (2026-12-20 00:00 UTC): get a newer one");
        assert_false(tn_manifest_is_fresh(manifest, "stable", 0, manifest->issued - 86401, &error));
        assert_error(error, TN_ERROR_INVALID,
                     "it was issued in the future (2026-11-20 00:00 UTC): is the clock right?");
        assert_false(tn_manifest_is_fresh(manifest, "testing", 0, NOW, &error));
        assert_error(error, TN_ERROR_INVALID,
                     "it is for another channel than 'testing'; see channel in [update] of tenond.conf(5)");
}

static void versions_are_judged(void **state)
{
        static const struct {
                const char *installed;
                enum tn_update_status status;
                bool security;
        } cases[] = {
                {"0.1.0", TN_UPDATE_OUT_OF_DATE, true}, {"0.2.0", TN_UPDATE_CURRENT, false},
                {"0.2.1", TN_UPDATE_NEWER, false},      {"0.2.0~rc1", TN_UPDATE_OUT_OF_DATE, true},
                {"0.0.9", TN_UPDATE_REVOKED, true},
        };
        g_autoptr(tn_manifest_t) manifest = parse(good, NULL);

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autoptr(tn_verdict_t) verdict = tn_verdict_new(TN_VERDICT_MANIFEST, "manifest");

                tn_manifest_judge(manifest, cases[i].installed, verdict);
                assert_int_equal(verdict->status, cases[i].status);
                assert_int_equal(verdict->security, cases[i].security);
                assert_string_equal(verdict->candidate, "0.2.0");
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(whole_one),           cmocka_unit_test(mistakes_are_named),
                cmocka_unit_test(rubbish_is_refused),  cmocka_unit_test(old_ones_are_not_believed),
                cmocka_unit_test(versions_are_judged),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
