/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What must not leave a machine in a bug report, and what must stay readable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <glib.h>
#include <string.h>

#include "cli/mask.h"

static void assert_masked(const char *text, const char *wanted)
{
        g_autoptr(tn_mask_t) mask = tn_mask_new();
        g_autofree char *got = NULL;

        tn_mask_word(mask, "web-7", "<host name>");
        tn_mask_word(mask, "0123456789abcdef0123456789abcdef", "<machine id>");
        got = tn_mask_text(mask, text);
        assert_string_equal(got, wanted);
}

static void test_secrets(void **state)
{
        (void) state;
        assert_masked("password=hunter2 next", "password=\"<secret>\" next");
        assert_masked("\"password\": \"a \\\" b\", \"x\": 1", "\"password\": \"<secret>\", \"x\": 1");
        assert_masked("API_KEY: abc,", "API_KEY: \"<secret>\",");
        assert_masked("{\"token\": 5}", "{\"token\": \"<secret>\"}");
        assert_masked("https://joe:pw@host/x", "https://<secret>@host/x");
        assert_masked("a -----BEGIN PRIVATE KEY-----\nMIIE\nvQ==\n-----END PRIVATE KEY----- b", "a <key> b");
        assert_masked("cut off -----BEGIN EC PRIVATE KEY-----\nMIIE\n", "cut off <key>");
        assert_masked("ssh-ed25519 AAAAC3NzaC1l/+x= joe@laptop\n", "<key>\n");
        assert_masked("\"serial\": \"S3RIAL\", \"user\": \"joe\"",
                      "\"serial\": \"<left out>\", \"user\": \"<left out>\"");
}

static void test_addresses(void **state)
{
        (void) state;
        assert_masked("10.0.0.1 and 10.0.0.2, then 10.0.0.1", "address-1 and address-2, then address-1");
        assert_masked("127.0.0.1 0.0.0.0 ::1 ::", "127.0.0.1 0.0.0.0 ::1 ::");
        assert_masked("fe80::5054:ff:fe12:3456%eth0 2001:DB8::1", "address-1%eth0 address-2");
        assert_masked("2001:db8::1 2001:DB8::1", "address-1 address-1");
        assert_masked("::ffff:10.0.0.1.", "address-1.");
        assert_masked("52:54:00:12:34:56", "mac-1");
        assert_masked("[10.0.0.1]:80 \"10.0.0.1\"", "[address-1]:80 \"address-1\"");
}

static void test_names(void **state)
{
        (void) state;
        assert_masked("web-7 WEB-7.example web-78 myweb-7",
                      "<host name> <host name>.example web-78 myweb-7");
        assert_masked("id 0123456789abcdef0123456789abcdef", "id <machine id>");
        assert_masked("UUID=11111111-2222-3333-4444-555555555555", "UUID=uuid-1");
        assert_masked("/home/joe/x /home/ann /home/joe", "/home/user-1/x /home/user-2 /home/user-1");
}

static void test_what_stays(void **state)
{
        static const char text[] =
                "2026-11-26T15:04:05 tenond 0.1.0: kernel 6.1.0-37-amd64, 0000:00:03.0, pid 12, "
                "12:34:56, virtio0: 1.2.3, v1.2.3.4.5, std::string, passed=3, eth0: up";

        (void) state;
        assert_masked(text, text);
}

static void test_hostile_text(void **state)
{
        g_autofree char *colons = g_strnfill(200000, ':');
        g_autofree char *quotes = g_strconcat("password=\"", colons, NULL);
        g_autoptr(tn_mask_t) mask = tn_mask_new();
        g_autofree char *one = tn_mask_text(mask, colons), *two = tn_mask_text(mask, quotes);
        g_autofree char *bytes = tn_mask_text(mask, "\xff\xfe 10.0.0.1 \xc3");

        (void) state;
        assert_non_null(one);
        assert_non_null(two);
        assert_string_equal(bytes, "\xff\xfe address-1 \xc3");
        assert_true(tn_mask_count(mask) >= 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_secrets),      cmocka_unit_test(test_addresses),
                cmocka_unit_test(test_names),        cmocka_unit_test(test_what_stays),
                cmocka_unit_test(test_hostile_text),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
