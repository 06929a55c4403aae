/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The error domain: every code has its name and class, errno values become codes, errno itself survives. */
#define _GNU_SOURCE
#include "support.h"

#include <dlfcn.h>
#include <string.h>

static void test_every_code_is_named(void **state)
{
        (void) state;
        for (int code = 0; code < _TN_ERROR_MAX; code++) {
                assert_non_null(tn_error_name(code));
                assert_string_equal(tn_error_class(code),
                                    code == TN_ERROR_COMMAND_UNKNOWN ? "CommandNotFound" : "GenericError");
                for (int other = 0; other < code; other++)
                        assert_string_not_equal(tn_error_name(code), tn_error_name(other));
        }
}

static void test_unknown_codes(void **state)
{
        const int codes[] = {-1, _TN_ERROR_MAX, G_MAXINT};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(codes); i++) {
                assert_string_equal(tn_error_class(codes[i]), "GenericError");
                assert_string_equal(tn_error_name(codes[i]), "failed");
        }
}

static void test_errno_becomes_code(void **state)
{
        static const struct {
                int errnum, code;
        } rows[] = {
                {ENOENT, TN_ERROR_NOT_FOUND},  {ENODEV, TN_ERROR_NOT_FOUND},
                {EINVAL, TN_ERROR_INVALID},    {EACCES, TN_ERROR_DENIED},
                {EROFS, TN_ERROR_DENIED},      {EOPNOTSUPP, TN_ERROR_UNSUPPORTED},
                {ETIMEDOUT, TN_ERROR_TIMEOUT}, {EBUSY, TN_ERROR_BUSY},
                {EMFILE, TN_ERROR_LIMIT},      {EIO, TN_ERROR_FAILED},
                {0x7fff, TN_ERROR_FAILED},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(GError) error = NULL;

                errno = 0;
                assert_false(tn_error_errno(&error, rows[i].errnum, "open %s", "/x"));
                assert_int_equal(errno, rows[i].errnum);
                assert_true(g_error_matches(error, TN_ERROR, rows[i].code));
                assert_true(g_str_has_prefix(error->message, "open /x: "));
        }
}

static void test_errno_text(void **state)
{
        GError *error = NULL;

        (void) state;
        (void) tn_error_errno(&error, ENOENT, "open %s", "/x");
        /* KubeVirt greps for these words. */
        assert_error(error, TN_ERROR_NOT_FOUND, "open /x: No such file or directory");
}

static void test_set(void **state)
{
        GError *error = NULL;

        (void) state;
        assert_false(tn_error_set(&error, TN_ERROR_LIMIT, "%d of %s", 7, "100%s"));
        assert_error(error, TN_ERROR_LIMIT, "7 of 100%s");
}

static void test_nobody_wants_the_error(void **state)
{
        (void) state;
        assert_false(tn_error_set(NULL, TN_ERROR_FAILED, "x"));
        assert_false(tn_error_errno(NULL, ENOENT, "x"));
        assert_int_equal(errno, ENOENT);
}

/* Each plugin has a copy of lib/: the string of one that was unloaded must not be the name. */
static void test_domain_outlives_a_plugin(void **state)
{
        Dl_info info;

        (void) state;
        assert_string_equal(g_quark_to_string(TN_ERROR), "tenon-error-quark");
        assert_int_equal(dladdr(g_quark_to_string(TN_ERROR), &info), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_every_code_is_named),
                cmocka_unit_test(test_unknown_codes),
                cmocka_unit_test(test_errno_becomes_code),
                cmocka_unit_test(test_errno_text),
                cmocka_unit_test(test_set),
                cmocka_unit_test(test_nobody_wants_the_error),
                cmocka_unit_test(test_domain_outlives_a_plugin),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
