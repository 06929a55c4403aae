/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Calls over a real bus, a dbus-daemon of the test's own: answers, errors, time limits, no bus at all. */
#define _GNU_SOURCE
#include "support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus-daemon.h"
#include "lib/bus-object.h"
#include "lib/bus.h"

struct answer {
        unsigned count;
        int type; /* of the message, or 0 */
        int code; /* of the error, or -1 */
        char text[256];
};

static void on_answer(DBusMessage *reply, const GError *error, void *data)
{
        struct answer *answer = data;

        assert_true(!reply != !error);
        answer->count++;
        answer->type = reply ? dbus_message_get_type(reply) : 0;
        answer->code = error ? error->code : -1;
        g_strlcpy(answer->text, error ? error->message : "", sizeof answer->text);
}

static void call(struct tn_bus *bus, const char *service, const char *method, int timeout_ms,
                 struct answer *answer)
{
        DBusMessage *message = dbus_message_new_method_call(service, "/org/freedesktop/DBus",
                                                            "org.freedesktop.DBus", method);

        answer->count = 0;
        tn_bus_call(bus, message, timeout_ms, on_answer, answer);
        assert_int_equal(answer->count, 0); /* never from within */
        dbus_message_unref(message);
}

static struct tn_bus *open_bus(void **state)
{
        const struct bus_daemon *daemon = *state;
        g_autoptr(GError) error = NULL;
        struct tn_bus *bus = tn_bus_open(daemon->address, &error);

        assert_non_null(bus);
        return bus;
}

static void test_answer(void **state)
{
        struct tn_bus *bus = open_bus(state);
        struct answer a = {0};

        call(bus, DBUS_SERVICE_DBUS, "ListNames", 5000, &a);
        loop_until(&a.count, 1);
        assert_int_equal(a.type, DBUS_MESSAGE_TYPE_METHOD_RETURN);
        tn_bus_free(bus);
}

static void test_many_answers(void **state)
{
        struct tn_bus *bus = open_bus(state);
        struct answer a[100] = {0};

        for (size_t i = 0; i < G_N_ELEMENTS(a); i++)
                call(bus, DBUS_SERVICE_DBUS, "ListNames", 5000, &a[i]);
        for (size_t i = 0; i < G_N_ELEMENTS(a); i++) {
                loop_until(&a[i].count, 1);
                assert_int_equal(a[i].type, DBUS_MESSAGE_TYPE_METHOD_RETURN);
        }
        tn_bus_free(bus);
}

static void test_unknown_service(void **state)
{
        struct tn_bus *bus = open_bus(state);
        struct answer a = {0};

        call(bus, "org.tenon.NobodyOwnsThis", "X", 5000, &a);
        loop_until(&a.count, 1);
        assert_int_equal(a.code, TN_ERROR_NOT_FOUND);
        assert_contains(a.text, "org.tenon.NobodyOwnsThis");
        tn_bus_free(bus);
}

static void test_unknown_method(void **state)
{
        struct tn_bus *bus = open_bus(state);
        struct answer a = {0};

        call(bus, DBUS_SERVICE_DBUS, "NoSuchMethod", 5000, &a);
        loop_until(&a.count, 1);
        assert_int_equal(a.code, TN_ERROR_FAILED);
        tn_bus_free(bus);
}

/* A peer that owns a name, and never answers: a second connection that nobody dispatches. */
static void test_timeout(void **state)
{
        const struct bus_daemon *daemon = *state;
        struct tn_bus *bus = open_bus(state);
        DBusConnection *mute = dbus_connection_open_private(daemon->address, NULL);
        struct answer a = {0};
        gint64 started;

        assert_non_null(mute);
        dbus_connection_set_exit_on_disconnect(mute, FALSE);
        assert_true(dbus_bus_register(mute, NULL));
        started = g_get_monotonic_time();
        call(bus, dbus_bus_get_unique_name(mute), "X", 300, &a);
        loop_until(&a.count, 1);
        assert_int_equal(a.code, TN_ERROR_TIMEOUT);
        assert_in_range(g_get_monotonic_time() - started, 250000, 3000000);
        dbus_connection_close(mute);
        dbus_connection_unref(mute);
        tn_bus_free(bus);
}

static void test_free_with_calls_under_way(void **state)
{
        struct tn_bus *bus = open_bus(state);
        struct answer a = {0};

        call(bus, DBUS_SERVICE_DBUS, "ListNames", 5000, &a);
        tn_bus_free(bus);
        loop_for(50);
        assert_int_equal(a.count, 0);
        tn_bus_free(NULL);
}

static void test_no_bus(void **state)
{
        g_autoptr(GError) error = NULL;

        (void) state;
        assert_null(tn_bus_open("unix:path=/nonexistent/bus", &error));
        assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_NOT_FOUND));
        assert_contains(error->message, "unix:path=/nonexistent/bus");
}

/* Without an address the environment decides, so that nothing here ever meets the machine's own bus. */
static void test_environment(void **state)
{
        const struct bus_daemon *daemon = *state;
        struct tn_bus *bus;
        struct answer a = {0};

        (void) g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", TRUE);
        assert_null(tn_bus_open(NULL, NULL));
        (void) g_setenv("DBUS_SYSTEM_BUS_ADDRESS", daemon->address, TRUE);
        bus = tn_bus_open(NULL, NULL);
        assert_non_null(bus);
        call(bus, DBUS_SERVICE_DBUS, "GetId", 5000, &a);
        loop_until(&a.count, 1);
        assert_int_equal(a.code, -1);
        tn_bus_free(bus);
}

static void on_signal(DBusMessage *signal, void *data)
{
        assert_true(dbus_message_is_signal(signal, DBUS_INTERFACE_DBUS, "NameOwnerChanged"));
        ++*(unsigned *) data;
}

static void own(struct tn_bus *bus, const char *name)
{
        struct answer a = {0};

        tn_bus_own_name(bus, name, on_answer, &a);
        loop_until(&a.count, 1);
        assert_int_equal(a.code, -1);
}

/* Of one name all changes of owner, or only the last one; of other names nothing. */
static void test_owner(void **state)
{
        struct tn_bus *watcher = open_bus(state), *owner = open_bus(state), *other = open_bus(state);
        unsigned changes = 0, leaves = 0;

        (void) tn_bus_watch_owner(watcher, "org.tenon.Owned", on_signal, &changes);
        (void) tn_bus_watch_leave(watcher, "org.tenon.Owned", on_signal, &leaves);
        own(watcher, "org.tenon.Watcher"); /* the bus has read the rules before it answers */
        own(other, "org.tenon.Other");
        own(owner, "org.tenon.Owned");
        loop_until(&changes, 1);
        assert_int_equal(leaves, 0);
        tn_bus_free(other);
        tn_bus_free(owner);
        loop_until(&changes, 2);
        loop_until(&leaves, 1);
        own(watcher, "org.tenon.Owned");
        loop_until(&changes, 3);
        assert_int_equal(leaves, 1);
        tn_bus_free(watcher);
}

/* The last test: the bus goes away while a call is under way, and calls after that fail as well. */
static void test_bus_is_lost(void **state)
{
        struct bus_daemon *daemon = *state;
        struct tn_bus *bus = open_bus(state);
        struct answer a = {0}, b = {0};

        call(bus, DBUS_SERVICE_DBUS, "GetId", 5000, &a);
        loop_until(&a.count, 1);
        (void) kill(daemon->pid, SIGSTOP);
        call(bus, DBUS_SERVICE_DBUS, "ListNames", 4000, &a);
        loop_for(20);
        assert_int_equal(a.count, 0);
        (void) kill(daemon->pid, SIGKILL);
        loop_until(&a.count, 1);
        assert_int_not_equal(a.code, -1);
        call(bus, DBUS_SERVICE_DBUS, "ListNames", 4000, &b);
        loop_until(&b.count, 1);
        assert_int_equal(b.code, TN_ERROR_NOT_FOUND);
        assert_string_equal(b.text, "the connection to the bus was lost");
        tn_bus_free(bus);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answer),          cmocka_unit_test(test_many_answers),
                cmocka_unit_test(test_unknown_service), cmocka_unit_test(test_unknown_method),
                cmocka_unit_test(test_timeout),         cmocka_unit_test(test_free_with_calls_under_way),
                cmocka_unit_test(test_no_bus),          cmocka_unit_test(test_environment),
                cmocka_unit_test(test_owner),           cmocka_unit_test(test_bus_is_lost),
        };

        return cmocka_run_group_tests(tests, bus_daemon_start, bus_daemon_end);
}
