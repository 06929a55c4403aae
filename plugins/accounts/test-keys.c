/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The text of authorized_keys: what is a key, and that all other bytes survive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/error.h"
#include "plugins/accounts/keys.h"

static json_t *keys_of(const char *text)
{
        json_t *keys = json_loads(text, 0, NULL);

        assert_non_null(keys);
        return keys;
}

static void assert_list(const char *text, const char *expected)
{
        json_auto_t *list = tn_keys_list(text), *wanted = keys_of(expected);

        assert_true(json_equal(list, wanted));
}

static void assert_changed(char *(*change)(const char *text, const json_t *keys), const char *text,
                           const char *keys, const char *expected)
{
        json_auto_t *list = keys_of(keys);
        g_autofree char *after = change(text, list);

        assert_string_equal(after, expected);
}

static void test_list(void **state)
{
        (void) state;
        assert_list("", "[]");
        assert_list("# c\n\n  \nssh-a A x\n\tssh-b B \r\n#ssh-c C", "[\"ssh-a A x\", \"ssh-b B\"]");
        assert_list("ssh-a A", "[\"ssh-a A\"]");
        assert_list("ssh-a \xff\n", "[\"ssh-a \\ufffd\"]");
}

static void test_add(void **state)
{
        (void) state;
        assert_changed(tn_keys_add, "", "[\"a 1\", \"b 2\"]", "a 1\nb 2\n");
        assert_changed(tn_keys_add, "# mine\n\nb 2", "[\"a 1\", \"b 2\", \" a 1 \", \"\"]",
                       "# mine\n\nb 2\na 1\n");
        assert_changed(tn_keys_add, "  b 2\r\n", "[\"b 2\"]", "  b 2\r\n");
        assert_changed(tn_keys_add, "b 2 note", "[\"b 2\"]", "b 2 note\nb 2\n");
}

static void test_remove(void **state)
{
        (void) state;
        assert_changed(tn_keys_remove, "# a 1\na 1\n\n a 1\nb 2", "[\"a 1\"]", "# a 1\n\nb 2");
        assert_changed(tn_keys_remove, "a 1\nb 2", "[\"b 2\", \"c 3\"]", "a 1\n");
        assert_changed(tn_keys_remove, "a 1\n\n", "[\"\", \"a\"]", "a 1\n\n");
        /* By the name that the list has for it. */
        assert_changed(tn_keys_remove, "ssh-a A Jos\xe9\nb 2\n", "[\"ssh-a A Jos\\ufffd\"]", "b 2\n");
}

static void assert_refused(const char *keys, const char *expected)
{
        json_auto_t *list = keys ? keys_of(keys) : NULL;
        g_autoptr(GError) error = NULL;

        assert_false(tn_keys_check(list, &error));
        assert_string_equal(error->message, expected);
        assert_int_equal(error->code, TN_ERROR_INVALID);
}

static void test_check(void **state)
{
        json_auto_t *good = keys_of("[\"ssh-a A\", \"\", \"no-pty ssh-b B #c\"]");

        (void) state;
        assert_true(tn_keys_check(good, NULL));
        assert_refused(NULL, "the request has no list of keys");
        assert_refused("{}", "the request has no list of keys");
        assert_refused("[1]", "invalid OpenSSH public key: keys[0] is not text");
        assert_refused("[\"a\", \"#b\"]", "invalid OpenSSH public key: keys[1] begins with '#'");
        assert_refused("[\"a\\nb\"]", "invalid OpenSSH public key: keys[0] has more than one line");
        assert_refused("[\"a\\rb\"]", "invalid OpenSSH public key: keys[0] has more than one line");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_add),
                cmocka_unit_test(test_remove),
                cmocka_unit_test(test_check),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
