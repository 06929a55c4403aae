/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* --domain, with a libvirt of our own making; meson sets LD_LIBRARY_PATH. */
#include "host/fake.h"

#include <string.h>

#include "host/guest.h"
#include "host/trouble.h"

static struct tn_guest *open_guest(const char *uri, const char *domain, GError **error)
{
        const struct tn_guest_address address = {.domain = domain, .uri = uri, .timeout_ms = 700};

        return tn_guest_open(&address, error);
}

static void test_good(void **state)
{
        g_autoptr(tn_guest_t) guest = open_guest("fake:///", "web", NULL);
        json_auto_t *value = NULL;

        (void) state;
        assert_non_null(guest);
        assert_true(tn_guest_ask(guest, "good", json_pack("{s:i}", "a", 1), &value, NULL));
        assert_int_equal(json_integer_value(value), 5);
}

static void test_no_guest(void **state)
{
        GError *error = NULL;

        (void) state;
        assert_null(open_guest(NULL, "web", &error));
        assert_trouble(error, TN_TROUBLE_LINK, "no libvirtd there");
        assert_null(open_guest("fake:///", "other", &error));
        assert_trouble(error, TN_TROUBLE_LINK, "does not find the domain 'other'");
}

static void assert_fails(const char *command, int code, const char *why)
{
        g_autoptr(tn_guest_t) guest = open_guest("fake:///", "web", NULL);
        json_auto_t *value = NULL;
        GError *error = NULL;

        assert_false(tn_guest_ask(guest, command, NULL, &value, &error));
        assert_trouble(error, code, why);
}

static void test_errors(void **state)
{
        (void) state;
        assert_fails("refused", TN_TROUBLE_GUEST, "agent command: no");
        assert_fails("garbage", TN_TROUBLE_LINK, "no JSON");
        assert_fails("gone", TN_TROUBLE_LINK, "not responding");
        assert_fails("slow", TN_TROUBLE_TIMEOUT, "not responding");
}

/* What the guest says is an answer, and one may go on; anything else is the end of it. */
static void test_broken(void **state)
{
        g_autoptr(tn_guest_t) guest = open_guest("fake:///", "web", NULL);
        json_auto_t *value = NULL;
        GError *error = NULL;

        (void) state;
        assert_false(tn_guest_ask(guest, "refused", NULL, &value, &error));
        assert_trouble(error, TN_TROUBLE_GUEST, "no");
        assert_false(tn_guest_ask(guest, "gone", NULL, &value, &error));
        assert_trouble(error, TN_TROUBLE_LINK, "gone: libvirt says");
        assert_false(tn_guest_ask(guest, "good", json_pack("{s:i}", "a", 1), &value, &error));
        assert_trouble(error, TN_TROUBLE_LINK, "given up");
}

static void test_no_events(void **state)
{
        g_autoptr(tn_guest_t) guest = open_guest("fake:///", "web", NULL);
        GError *error = NULL;
        json_t *event;

        (void) state;
        assert_false(tn_guest_next_event(guest, &event, &error));
        assert_trouble(error, TN_TROUBLE_LOCAL, "org.tenon.agent.0");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),      cmocka_unit_test(test_no_guest),
                cmocka_unit_test(test_errors),    cmocka_unit_test(test_broken),
                cmocka_unit_test(test_no_events),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
