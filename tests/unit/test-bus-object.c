/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Objects on a real bus: calls, arguments, properties, introspection, errors, who calls, limits. */
#include "support.h"

#include <string.h>
#include <unistd.h>

#include "bus-daemon.h"
#include "lib/bus-object.h"

#define PATH      "/org/tenon/Test"
#define INTERFACE "org.tenon.Test"
#define NAME      "org.tenon.Test1"

struct scene {
        struct tn_bus *server, *client;
        struct tn_bus_object *object;
        GPtrArray *waiting; /* struct tn_bus_request of Wait */
        uid_t uid;
        unsigned signals;
        /* Of the newest answer. */
        unsigned answers, failures;
        char *error_name;
        char *text; /* the first string in it, or the error's message */
};

static void run_echo(struct tn_bus_request *request, void *data)
{
        DBusMessage *reply = dbus_message_new_method_return(tn_bus_request_message(request));
        const char *text;

        (void) data;
        (void) dbus_message_get_args(tn_bus_request_message(request), NULL, DBUS_TYPE_STRING, &text,
                                     DBUS_TYPE_INVALID);
        (void) dbus_message_append_args(reply, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
        tn_bus_request_reply(request, reply);
}

static void run_who(struct tn_bus_request *request, void *data)
{
        ((struct scene *) data)->uid = tn_bus_request_uid(request);
        tn_bus_request_reply(request, NULL);
}

static void run_wait(struct tn_bus_request *request, void *data)
{
        g_ptr_array_add(((struct scene *) data)->waiting, request);
}

static void run_deny(struct tn_bus_request *request, void *data)
{
        (void) data;
        tn_bus_request_fail(request, g_error_new(TN_ERROR, TN_ERROR_DENIED, "not for you"));
}

static void get_colour(DBusMessageIter *ret, void *data)
{
        const char *colour = "blue";

        (void) data;
        (void) dbus_message_iter_append_basic(ret, DBUS_TYPE_STRING, &colour);
}

static const struct tn_bus_method methods[] = {
        {"Echo", "s", 0, run_echo},
        {"Who", "", TN_BUS_WITH_UID, run_who},
        {"Wait", "", 0, run_wait},
        {"Deny", "", 0, run_deny},
        {NULL},
};
static const struct tn_bus_property properties[] = {{"Colour", "s", get_colour}, {NULL}};
static const struct tn_bus_interface interface = {INTERFACE, methods, properties};
static const struct tn_bus_interface *const interfaces[] = {&interface, NULL};

static void note(struct scene *scene, const char *error_name, const char *text)
{
        scene->answers++;
        scene->failures += error_name != NULL;
        g_free(scene->error_name);
        g_free(scene->text);
        scene->error_name = g_strdup(error_name);
        scene->text = g_strdup(text);
}

/* Below tn_bus_call(), since an error's name is of interest here. */
static void on_answer(DBusPendingCall *pending, void *data)
{
        DBusMessage *reply = dbus_pending_call_steal_reply(pending);
        const char *text = NULL;

        (void) dbus_message_get_args(reply, NULL, DBUS_TYPE_STRING, &text, DBUS_TYPE_INVALID);
        note(data, dbus_message_get_error_name(reply), text);
        dbus_message_unref(reply);
}

/* Strings, ended by NULL. */
static void send_call(struct scene *scene, const char *interface_name, const char *method,
                      const char *const *args)
{
        DBusMessage *call = dbus_message_new_method_call(NAME, PATH, interface_name, method);
        DBusPendingCall *pending = NULL;

        for (; *args; args++)
                assert_true(dbus_message_append_args(call, DBUS_TYPE_STRING, args, DBUS_TYPE_INVALID));
        assert_true(dbus_connection_send_with_reply(tn_bus_connection(scene->client), call, &pending, 5000));
        assert_true(dbus_pending_call_set_notify(pending, on_answer, scene, NULL));
        dbus_pending_call_unref(pending);
        dbus_message_unref(call);
}

static void ask(struct scene *scene, const char *interface_name, const char *method, const char *const *args)
{
        unsigned before = scene->answers;

        send_call(scene, interface_name, method, args);
        loop_until(&scene->answers, before + 1);
}

#define ASK(scene, interface_name, method, ...)                                                             \
        ask(scene, interface_name, method, (const char *const[]){__VA_ARGS__ __VA_OPT__(, ) NULL})

static void on_named(DBusMessage *reply, const GError *error, void *data)
{
        note(data, error ? "failed" : NULL, error ? error->message : NULL);
}

static struct scene *open_scene(void **state)
{
        const struct bus_daemon *daemon = *state;
        struct scene *scene = g_new0(struct scene, 1);

        scene->uid = (uid_t) -1;
        scene->waiting = g_ptr_array_new();
        scene->server = tn_bus_open(daemon->address, NULL);
        scene->client = tn_bus_open(daemon->address, NULL);
        assert_non_null(scene->server);
        assert_non_null(scene->client);
        scene->object = tn_bus_object_new(scene->server, PATH, interfaces, "<node/>", scene);
        assert_non_null(scene->object);
        tn_bus_own_name(scene->server, NAME, on_named, scene);
        loop_until(&scene->answers, 1);
        assert_null(scene->error_name);
        return scene;
}

static void close_scene(struct scene *scene)
{
        tn_bus_object_free(scene->object);
        tn_bus_free(scene->client);
        tn_bus_free(scene->server);
        g_ptr_array_free(scene->waiting, TRUE);
        g_free(scene->error_name);
        g_free(scene->text);
        g_free(scene);
}

static void test_calls(void **state)
{
        struct scene *scene = open_scene(state);

        ASK(scene, INTERFACE, "Echo", "hello");
        assert_null(scene->error_name);
        assert_string_equal(scene->text, "hello");
        ASK(scene, NULL, "Echo", "no interface");
        assert_string_equal(scene->text, "no interface");
        ASK(scene, INTERFACE, "Who");
        assert_null(scene->error_name);
        assert_int_equal(scene->uid, getuid());
        ASK(scene, DBUS_INTERFACE_PEER, "Ping");
        assert_null(scene->error_name);
        close_scene(scene);
}

static void test_errors(void **state)
{
        struct scene *scene = open_scene(state);

        ASK(scene, INTERFACE, "Echo");
        assert_string_equal(scene->error_name, DBUS_ERROR_INVALID_ARGS);
        assert_string_equal(scene->text, "Echo takes the arguments 's', not ''");
        ASK(scene, INTERFACE, "Echo", "a", "b");
        assert_string_equal(scene->error_name, DBUS_ERROR_INVALID_ARGS);
        ASK(scene, INTERFACE, "Nothing");
        assert_string_equal(scene->error_name, DBUS_ERROR_UNKNOWN_METHOD);
        ASK(scene, "org.tenon.Else", "Echo", "a");
        assert_string_equal(scene->error_name, DBUS_ERROR_UNKNOWN_INTERFACE);
        ASK(scene, INTERFACE, "Deny");
        assert_string_equal(scene->error_name, DBUS_ERROR_ACCESS_DENIED);
        assert_string_equal(scene->text, "not for you");
        close_scene(scene);
}

static void test_error_names(void **state)
{
        (void) state;
        for (int code = 0; code < _TN_ERROR_MAX; code++)
                assert_true(dbus_validate_error_name(tn_bus_error_name(code), NULL));
        assert_string_equal(tn_bus_error_name(-1), DBUS_ERROR_FAILED);
        assert_string_equal(tn_bus_error_name(_TN_ERROR_MAX), DBUS_ERROR_FAILED);
}

static void test_properties(void **state)
{
        struct scene *scene = open_scene(state);

        ASK(scene, DBUS_INTERFACE_PROPERTIES, "Get", INTERFACE, "Colour");
        assert_null(scene->error_name);
        ASK(scene, DBUS_INTERFACE_PROPERTIES, "GetAll", INTERFACE);
        assert_null(scene->error_name);
        ASK(scene, DBUS_INTERFACE_PROPERTIES, "Get", INTERFACE, "Taste");
        assert_string_equal(scene->error_name, DBUS_ERROR_UNKNOWN_PROPERTY);
        ASK(scene, DBUS_INTERFACE_PROPERTIES, "Get", "org.tenon.Else", "Colour");
        assert_string_equal(scene->error_name, DBUS_ERROR_UNKNOWN_INTERFACE);
        ASK(scene, DBUS_INTERFACE_PROPERTIES, "Get");
        assert_string_equal(scene->error_name, DBUS_ERROR_UNKNOWN_METHOD);
        ASK(scene, DBUS_INTERFACE_PROPERTIES, "Set", INTERFACE, "Colour", "red"); /* not a variant */
        assert_string_equal(scene->error_name, DBUS_ERROR_UNKNOWN_METHOD);
        close_scene(scene);
}

static void test_introspection(void **state)
{
        struct scene *scene = open_scene(state);

        ASK(scene, DBUS_INTERFACE_INTROSPECTABLE, "Introspect");
        assert_string_equal(scene->text, "<node/>");
        close_scene(scene);
}

/* One caller has a share; the other one is still served. */
static void test_calls_of_one_caller(void **state)
{
        const struct bus_daemon *daemon = *state;
        struct scene *scene = open_scene(state);
        struct tn_bus *first = scene->client;
        static const char *const none[] = {NULL};
        unsigned before = scene->answers;

        for (unsigned i = 0; i < TN_BUS_CALLS_SENDER_MAX + 3; i++)
                send_call(scene, INTERFACE, "Wait", none);
        loop_until(&scene->answers, before + 3);
        assert_int_equal(scene->failures, 3);
        assert_string_equal(scene->error_name, DBUS_ERROR_LIMITS_EXCEEDED);
        scene->client = tn_bus_open(daemon->address, NULL);
        ASK(scene, INTERFACE, "Echo", "other");
        assert_string_equal(scene->text, "other");
        for (guint i = 0; i < scene->waiting->len; i++)
                tn_bus_request_reply(g_ptr_array_index(scene->waiting, i), NULL);
        loop_until(&scene->answers, before + TN_BUS_CALLS_SENDER_MAX + 4);
        assert_int_equal(scene->failures, 3);
        tn_bus_free(first);
        close_scene(scene);
}

/* Answering after the object is gone is nobody's harm. */
static void test_late_answer(void **state)
{
        struct scene *scene = open_scene(state);
        static const char *const none[] = {NULL};

        send_call(scene, INTERFACE, "Wait", none);
        while (scene->waiting->len == 0)
                g_main_context_iteration(NULL, TRUE);
        g_clear_pointer(&scene->object, tn_bus_object_free);
        tn_bus_request_reply(g_ptr_array_index(scene->waiting, 0), NULL);
        close_scene(scene);
}

static void on_signal(DBusMessage *signal, void *data)
{
        (void) signal;
        ((struct scene *) data)->signals++;
}

static void test_signals(void **state)
{
        struct scene *scene = open_scene(state);

        (void) tn_bus_subscribe(scene->client, NAME, PATH, INTERFACE, "Changed", on_signal, scene);
        ASK(scene, INTERFACE, "Echo", "the match is there now");
        tn_bus_object_emit(scene->object, dbus_message_new_signal(PATH, INTERFACE, "Changed"));
        loop_until(&scene->signals, 1);
        close_scene(scene);
}

static void test_name_is_taken(void **state)
{
        struct scene *scene = open_scene(state);

        tn_bus_own_name(scene->client, NAME, on_named, scene);
        loop_until(&scene->answers, 2);
        assert_string_equal(scene->text, "another process has the name org.tenon.Test1 on the bus");
        assert_null(
                tn_bus_object_new(scene->server, PATH, interfaces, "<node/>", scene)); /* as is the path */
        close_scene(scene);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_calls),         cmocka_unit_test(test_errors),
                cmocka_unit_test(test_error_names),   cmocka_unit_test(test_properties),
                cmocka_unit_test(test_introspection), cmocka_unit_test(test_calls_of_one_caller),
                cmocka_unit_test(test_late_answer),   cmocka_unit_test(test_signals),
                cmocka_unit_test(test_name_is_taken),
        };

        return cmocka_run_group_tests(tests, bus_daemon_start, bus_daemon_end);
}
