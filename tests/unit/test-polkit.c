/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Questions to polkit over a real bus, with a stand-in for it: each answer, none, nonsense, a caller who
 * leaves, one who takes his question back. */
#include "support.h"

#include <string.h>

#include "bus-daemon.h"
#include "lib/bus-object.h"
#include "lib/polkit.h"

#define ACTION "org.tenon.agent1.test"

enum says { YES, NO, CHALLENGE, NONSENSE, FAILS, NOTHING };

struct scene {
        struct tn_bus *agent, *polkit, *caller;
        struct tn_bus_object *authority;
        DBusMessage *call;
        struct tn_polkit *question;
        enum says says;
        struct tn_bus_request *kept; /* the question that is not answered */
        dbus_uint32_t flags;
        char *action, *subject;
        unsigned asked, cancelled;
        /* What came of it. */
        unsigned answers;
        char *refusal; /* NULL: allowed */
        int code;
};

static void read_question(struct scene *scene, DBusMessage *message)
{
        DBusMessageIter iter, subject, details, detail, value;
        const char *text;

        assert_true(dbus_message_iter_init(message, &iter));
        dbus_message_iter_recurse(&iter, &subject);
        dbus_message_iter_get_basic(&subject, &text);
        assert_string_equal(text, "system-bus-name");
        assert_true(dbus_message_iter_next(&subject));
        dbus_message_iter_recurse(&subject, &details);
        dbus_message_iter_recurse(&details, &detail);
        assert_true(dbus_message_iter_next(&detail));
        dbus_message_iter_recurse(&detail, &value);
        dbus_message_iter_get_basic(&value, &text);
        g_free(scene->subject);
        scene->subject = g_strdup(text);
        assert_true(dbus_message_iter_next(&iter));
        dbus_message_iter_get_basic(&iter, &text);
        g_free(scene->action);
        scene->action = g_strdup(text);
        assert_true(dbus_message_iter_next(&iter) && dbus_message_iter_next(&iter));
        dbus_message_iter_get_basic(&iter, &scene->flags);
}

static void append_answer(DBusMessage *reply, dbus_bool_t yes, dbus_bool_t challenge)
{
        DBusMessageIter iter, answer, details;

        dbus_message_iter_init_append(reply, &iter);
        assert_true(dbus_message_iter_open_container(&iter, DBUS_TYPE_STRUCT, NULL, &answer));
        assert_true(dbus_message_iter_append_basic(&answer, DBUS_TYPE_BOOLEAN, &yes));
        assert_true(dbus_message_iter_append_basic(&answer, DBUS_TYPE_BOOLEAN, &challenge));
        assert_true(dbus_message_iter_open_container(&answer, DBUS_TYPE_ARRAY, "{ss}", &details));
        assert_true(dbus_message_iter_close_container(&answer, &details));
        assert_true(dbus_message_iter_close_container(&iter, &answer));
}

static void run_check(struct tn_bus_request *request, void *data)
{
        struct scene *scene = data;
        DBusMessage *reply;

        scene->asked++;
        read_question(scene, tn_bus_request_message(request));
        if (scene->says == NOTHING) {
                scene->kept = request;
                return;
        }
        if (scene->says == FAILS) {
                tn_bus_request_fail(request, g_error_new(TN_ERROR, TN_ERROR_FAILED, "out of order"));
                return;
        }
        reply = dbus_message_new_method_return(tn_bus_request_message(request));
        if (scene->says != NONSENSE)
                append_answer(reply, scene->says == YES, scene->says == CHALLENGE);
        tn_bus_request_reply(request, reply);
}

static void run_cancel(struct tn_bus_request *request, void *data)
{
        ((struct scene *) data)->cancelled++;
        tn_bus_request_reply(request, NULL);
}

static const struct tn_bus_method methods[] = {
        {"CheckAuthorization", "(sa{sv})sa{ss}us", 0, run_check},
        {"CancelCheckAuthorization", "s", 0, run_cancel},
        {NULL},
};
static const struct tn_bus_interface interface = {"org.freedesktop.PolicyKit1.Authority", methods, NULL};
static const struct tn_bus_interface *const interfaces[] = {&interface, NULL};

static void on_named(DBusMessage *reply, const GError *error, void *data)
{
        assert_non_null(reply);
        ((struct scene *) data)->answers++;
}

static void on_id(DBusMessage *reply, const GError *error, void *data)
{
        (void) error;
        (void) dbus_message_set_sender(((struct scene *) data)->call, dbus_message_get_destination(reply));
        ((struct scene *) data)->answers++;
}

/* @served: there is a polkit. */
static struct scene *open_scene(void **state, bool served)
{
        const struct bus_daemon *daemon = *state;
        struct scene *scene = g_new0(struct scene, 1);
        DBusMessage *id = dbus_message_new_method_call(DBUS_SERVICE_DBUS, DBUS_PATH_DBUS,
                                                       DBUS_INTERFACE_DBUS, "GetId");

        scene->agent = tn_bus_open(daemon->address, NULL);
        scene->polkit = tn_bus_open(daemon->address, NULL);
        scene->caller = tn_bus_open(daemon->address, NULL);
        scene->authority = tn_bus_object_new(scene->polkit, "/org/freedesktop/PolicyKit1/Authority",
                                             interfaces, "", scene);
        if (served) {
                tn_bus_own_name(scene->polkit, "org.freedesktop.PolicyKit1", on_named, scene);
                loop_until(&scene->answers, 1);
        }
        scene->answers = 0;
        scene->call = dbus_message_new_method_call("org.tenon.Agent1", "/a", "a.b", "C");
        tn_bus_call(scene->caller, id, 5000, on_id, scene);
        dbus_message_unref(id);
        loop_until(&scene->answers, 1);
        scene->answers = 0;
        return scene;
}

static void close_scene(struct scene *scene)
{
        tn_bus_object_free(scene->authority);
        if (scene->kept)
                tn_bus_request_reply(scene->kept, NULL);
        tn_bus_free(scene->agent);
        tn_bus_free(scene->polkit);
        tn_bus_free(scene->caller);
        dbus_message_unref(scene->call);
        g_free(scene->action);
        g_free(scene->subject);
        g_free(scene->refusal);
        g_free(scene);
}

static void on_done(const GError *error, void *data)
{
        struct scene *scene = data;

        scene->question = NULL;
        scene->answers++;
        scene->code = error ? error->code : -1;
        g_free(scene->refusal);
        scene->refusal = error ? g_strdup(error->message) : NULL;
}

static void ask(struct scene *scene)
{
        scene->question = tn_polkit_ask(scene->agent, scene->call, ACTION, on_done, scene);
        assert_int_equal(scene->answers, 0); /* never from within */
}

static void test_answers(void **state)
{
        static const struct {
                enum says says;
                bool interactive;
                const char *refusal;
        } rows[] = {
                {YES, false, NULL},
                {YES, true, NULL},
                {NO, true, "polkit does not allow you " ACTION},
                {CHALLENGE, false, "polkit wants a password for " ACTION},
                {CHALLENGE, true, "polkit does not allow you " ACTION}, /* none was given */
                {NONSENSE, true, "polkit's answer about " ACTION " is not understood"},
                {FAILS, true, "polkit was asked about " ACTION ": out of order"},
        };
        struct scene *scene = open_scene(state, true);

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                scene->answers = 0;
                scene->says = rows[i].says;
                dbus_message_set_allow_interactive_authorization(scene->call, rows[i].interactive);
                ask(scene);
                loop_until(&scene->answers, 1);
                assert_string_equal(scene->action, ACTION);
                assert_string_equal(scene->subject, dbus_message_get_sender(scene->call));
                assert_int_equal(scene->flags, rows[i].interactive);
                if (rows[i].refusal) {
                        assert_contains(scene->refusal, rows[i].refusal);
                        assert_int_equal(scene->code, TN_ERROR_DENIED);
                } else {
                        assert_null(scene->refusal);
                }
        }
        close_scene(scene);
}

static void test_absent(void **state)
{
        struct scene *scene = open_scene(state, false);

        ask(scene);
        loop_until(&scene->answers, 1);
        assert_int_equal(scene->code, TN_ERROR_DENIED);
        assert_contains(scene->refusal, "only root may ask for it, because polkit is not there");
        close_scene(scene);
}

static void test_caller_leaves(void **state)
{
        struct scene *scene = open_scene(state, true);

        scene->says = NOTHING;
        ask(scene);
        loop_until(&scene->asked, 1);
        g_clear_pointer(&scene->caller, tn_bus_free);
        loop_until(&scene->answers, 1);
        assert_contains(scene->refusal, "left before polkit had answered");
        loop_until(&scene->cancelled, 1);
        tn_bus_request_reply(g_steal_pointer(&scene->kept), NULL); /* too late; to nobody */
        loop_for(50);
        assert_int_equal(scene->answers, 1);
        close_scene(scene);
}

/* Everybody can send everybody a signal with the bus' words in it: it takes nobody's question back. */
static void test_false_news(void **state)
{
        struct scene *scene = open_scene(state, true);
        DBusMessage *news = dbus_message_new_signal(DBUS_PATH_DBUS, DBUS_INTERFACE_DBUS, "NameOwnerChanged");
        const char *name = dbus_message_get_sender(scene->call), *none = "";

        scene->says = NOTHING;
        ask(scene);
        loop_until(&scene->asked, 1);
        assert_true(dbus_message_append_args(news, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &name,
                                             DBUS_TYPE_STRING, &none, DBUS_TYPE_INVALID));
        assert_true(dbus_message_set_destination(
                news, dbus_message_get_sender(tn_bus_request_message(scene->kept))));
        tn_bus_send(scene->caller, news);
        dbus_message_unref(news);
        loop_for(100);
        assert_int_equal(scene->answers, 0);
        tn_polkit_cancel(scene->question);
        loop_until(&scene->cancelled, 1);
        close_scene(scene);
}

static void test_cancel(void **state)
{
        struct scene *scene = open_scene(state, true);

        scene->says = NOTHING;
        ask(scene);
        loop_until(&scene->asked, 1);
        tn_polkit_cancel(scene->question);
        loop_until(&scene->cancelled, 1);
        tn_bus_request_reply(g_steal_pointer(&scene->kept), NULL);
        loop_for(50);
        assert_int_equal(scene->answers, 0);
        tn_polkit_cancel(NULL);
        close_scene(scene);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_answers),       cmocka_unit_test(test_absent),
                cmocka_unit_test(test_caller_leaves), cmocka_unit_test(test_false_news),
                cmocka_unit_test(test_cancel),
        };

        return cmocka_run_group_tests(tests, bus_daemon_start, bus_daemon_end);
}
