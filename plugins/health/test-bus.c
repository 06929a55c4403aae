/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What goes over the bus, over a real one of the test's own: the heartbeats' methods, on an object that
 * stands in for the agent's, and the check of a unit, with a stand-in for systemd. */
#define _GNU_SOURCE
#include "plugins/health/test-support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/bus-object.h"
#include "lib/names.h"
#include "plugins/health/beat-bus.h"
#include "plugins/health/bus-link.h"
#include "plugins/health/checks.h"

#define SYSTEMD "org.freedesktop.systemd1"
#define UNIT    "/org/freedesktop/systemd1/unit/db_2eservice"

struct scene {
        struct stage *stage;
        struct health_bus *link;
        struct tn_bus *other; /* a client, or systemd */
        /* Heartbeats. */
        struct heartbeats *beats;
        struct health_access *access;
        struct beat_bus *service;
        struct tn_bus *agent;
        struct tn_bus_interface interface;
        const struct tn_bus_interface *interfaces[2];
        struct tn_bus_object *object;
        /* Of the newest answer. */
        unsigned answers;
        bool failed;
        char text[512];
        /* The unit. */
        struct health_checks *checks;
        struct tn_bus_object *manager, *unit;
        const char *load, *active;
        unsigned asked;
        bool mute;
        GPtrArray *unanswered;
};

static int daemon_pid;

static int start_daemon(void **state)
{
        FILE *said = popen("dbus-daemon --session --fork --print-address=1 --print-pid=1 2>/dev/null", "r");
        char address[256] = "";

        (void) state;
        if (!said || fscanf(said, "%255s %d", address, &daemon_pid) != 2 || pclose(said) != 0)
                return -1;
        return g_setenv("DBUS_SYSTEM_BUS_ADDRESS", address, TRUE) ? 0 : -1;
}

static int end_daemon(void **state)
{
        (void) state;
        return kill(daemon_pid, SIGTERM);
}

static void on_heartbeat(const struct heartbeat *heartbeat, const char *what, void *data)
{
        (void) heartbeat;
}

static void on_check(const struct health_check *check, enum health_severity before, void *data)
{
        (void) check;
}

static void on_rearm(void *data)
{
        (void) data;
}

static void on_answer(DBusMessage *reply, const GError *error, void *data)
{
        struct scene *scene = data;

        scene->answers++;
        scene->failed = !reply;
        g_strlcpy(scene->text, error ? error->message : "", sizeof scene->text);
}

static bool is_answered(void *data)
{
        return ((struct scene *) data)->answers > 0;
}

static struct scene *open_scene(void **state)
{
        struct scene *scene = g_new0(struct scene, 1);

        scene->stage = *state;
        scene->link = health_bus_new();
        scene->other = tn_bus_open(NULL, NULL);
        assert_non_null(scene->other);
        return scene;
}

static struct scene *open_service(void **state)
{
        struct scene *scene = open_scene(state);

        scene->access = health_access_new(&scene->stage->host);
        scene->beats = heartbeats_new(&scene->stage->env, 8,
                                      (struct heartbeats_events){on_heartbeat, on_rearm, scene});
        scene->service = beat_bus_new(&scene->stage->host, scene->beats, scene->access);
        scene->agent = tn_bus_open(NULL, NULL);
        scene->interface = (struct tn_bus_interface){TN_BUS_HEARTBEATS, scene->stage->served, NULL};
        scene->interfaces[0] = &scene->interface;
        scene->object = tn_bus_object_new(scene->agent, TN_BUS_PATH, scene->interfaces, "",
                                          scene->stage->served_data);
        tn_bus_own_name(scene->agent, TN_BUS_NAME, on_answer, scene);
        loop_until_true(is_answered, scene);
        assert_false(scene->failed);
        return scene;
}

static void close_scene(struct scene *scene)
{
        tn_bus_object_free(scene->object);
        tn_bus_free(scene->agent);
        beat_bus_free(scene->service);
        heartbeats_free(scene->beats);
        health_access_free(scene->access);
        health_checks_free(scene->checks);
        health_bus_free(scene->link);
        tn_bus_object_free(scene->manager);
        tn_bus_object_free(scene->unit);
        tn_bus_free(scene->other);
        if (scene->unanswered)
                g_ptr_array_free(scene->unanswered, TRUE);
        g_free(scene);
}

/* A call with a string, a number, or neither. */
static void call(struct scene *scene, const char *method, const char *name, dbus_uint32_t timeout)
{
        DBusMessage *message = dbus_message_new_method_call(TN_BUS_NAME, TN_BUS_PATH, TN_BUS_HEARTBEATS,
                                                            method);

        if (name)
                (void) dbus_message_append_args(message, DBUS_TYPE_STRING, &name, DBUS_TYPE_INVALID);
        if (timeout)
                (void) dbus_message_append_args(message, DBUS_TYPE_UINT32, &timeout, DBUS_TYPE_INVALID);
        scene->answers = 0;
        tn_bus_call(scene->other, message, 5000, on_answer, scene);
        dbus_message_unref(message);
        loop_until_true(is_answered, scene);
}

static void test_service(void **state)
{
        struct scene *scene = open_service(state);

        call(scene, "Register", "db", 30);
        assert_false(scene->failed);
        assert_int_equal(heartbeats_find(scene->beats, "db")->timeout_usec, 30 * G_USEC_PER_SEC);
        assert_false(heartbeats_find(scene->beats, "db")->required);
        call(scene, "RegisterRequired", "web", 5);
        assert_true(heartbeats_find(scene->beats, "web")->required);
        stage_pass(scene->stage, 20);
        call(scene, "Beat", "db", 0);
        stage_pass(scene->stage, 20);
        heartbeats_turn(scene->beats);
        assert_false(heartbeats_find(scene->beats, "db")->missed);
        assert_true(heartbeats_find(scene->beats, "web")->missed);
        call(scene, "List", NULL, 0);
        assert_false(scene->failed);
        call(scene, "Unregister", "web", 0);
        assert_null(heartbeats_find(scene->beats, "web"));
        close_scene(scene);
}

static void test_service_refuses(void **state)
{
        struct scene *scene = open_service(state);

        call(scene, "Beat", "nobody", 0);
        assert_true(scene->failed);
        assert_string_equal(scene->text, "no heartbeat 'nobody' is registered");
        call(scene, "Register", "a b", 30);
        assert_contains(scene->text, "1 to 63 characters");
        call(scene, "Register", "a", 4000000000);
        assert_contains(scene->text, "1 s to 86400 s");
        call(scene, "Register", "a", 0);
        assert_contains(scene->text, "Register takes the arguments 'su', not 's'");
        call(scene, "Beat", NULL, 0);
        assert_true(scene->failed);
        assert_null(heartbeats_find(scene->beats, "a"));
        close_scene(scene);
}

/* What tenon-get-health tells of it. */
static void test_problem(void **state)
{
        struct scene *scene = open_service(state);
        struct tenon_host *host = &scene->stage->host;

        assert_string_equal(beat_bus_problem(scene->service), "the agent is not on the bus");
        host->fact_set(host, "dbus", json_pack("{s:s, s:s}", "state", "absent", "problem", "no bus"));
        assert_string_equal(beat_bus_problem(scene->service), "no bus");
        host->fact_set(host, "dbus", json_pack("{s:s}", "state", "connected"));
        assert_null(beat_bus_problem(scene->service));
        close_scene(scene);
}

/* systemd, as far as the check knows it. */
static void run_load(struct tn_bus_request *request, void *data)
{
        struct scene *scene = data;
        DBusMessage *reply = dbus_message_new_method_return(tn_bus_request_message(request));
        const char *path = UNIT;

        scene->asked++;
        if (scene->mute) {
                g_ptr_array_add(scene->unanswered, request);
                dbus_message_unref(reply);
                return;
        }
        (void) dbus_message_append_args(reply, DBUS_TYPE_OBJECT_PATH, &path, DBUS_TYPE_INVALID);
        tn_bus_request_reply(request, reply);
}

static void run_subscribe(struct tn_bus_request *request, void *data)
{
        (void) data;
        tn_bus_request_reply(request, NULL);
}

static void get_load(DBusMessageIter *ret, void *data)
{
        (void) dbus_message_iter_append_basic(ret, DBUS_TYPE_STRING, &((struct scene *) data)->load);
}

static void get_active(DBusMessageIter *ret, void *data)
{
        (void) dbus_message_iter_append_basic(ret, DBUS_TYPE_STRING, &((struct scene *) data)->active);
}

static const struct tn_bus_method manager_methods[] = {
        {"LoadUnit", "s", 0, run_load}, {"Subscribe", "", 0, run_subscribe}, {NULL}};
static const struct tn_bus_property unit_properties[] = {
        {"LoadState", "s", get_load}, {"ActiveState", "s", get_active}, {NULL}};
static const struct tn_bus_interface manager_interface = {SYSTEMD ".Manager", manager_methods, NULL};
static const struct tn_bus_interface unit_interface = {SYSTEMD ".Unit", NULL, unit_properties};
static const struct tn_bus_interface *const managers[] = {&manager_interface, NULL};
static const struct tn_bus_interface *const units[] = {&unit_interface, NULL};

static struct scene *open_unit(void **state)
{
        struct scene *scene = open_scene(state);

        scene->load = "loaded";
        scene->active = "active";
        scene->unanswered = g_ptr_array_new();
        scene->manager = tn_bus_object_new(scene->other, "/org/freedesktop/systemd1", managers, "", scene);
        scene->unit = tn_bus_object_new(scene->other, UNIT, units, "", scene);
        tn_bus_own_name(scene->other, SYSTEMD, on_answer, scene);
        loop_until_true(is_answered, scene);
        assert_false(scene->failed);
        stage_set(scene->stage, "check u", "type", "unit", "unit", "db.service", "in-a-row", "2", "required",
                  "yes", "interval-ms", "10000", NULL);
        scene->checks = health_checks_new(&scene->stage->host, scene->link,
                                          (struct health_checks_events){on_check, on_rearm, scene});
        health_checks_turn(scene->checks);
        return scene;
}

/* The member @member of the check, copied. */
static char *get(const struct scene *scene, const char *member)
{
        json_auto_t *rows = health_checks_to_json(scene->checks);

        for (size_t i = 0; i < json_array_size(rows); i++) {
                json_t *row = json_array_get(rows, i);

                if (g_str_equal(json_string_value(json_object_get(row, "name")), "u"))
                        return g_strdup(json_string_value(json_object_get(row, member)));
        }
        return NULL;
}

static const char *awaited;

static bool is_result(void *data)
{
        g_autofree char *message = get(data, "message");

        return message && strstr(message, awaited);
}

static void await_message(struct scene *scene, const char *text)
{
        awaited = text;
        loop_until_true(is_result, scene);
}

static void tell_change(struct scene *scene, const char *active)
{
        scene->active = active;
        tn_bus_object_emit(scene->unit,
                           dbus_message_new_signal(UNIT, DBUS_INTERFACE_PROPERTIES, "PropertiesChanged"));
}

static void test_unit_stops_and_starts(void **state)
{
        struct scene *scene = open_unit(state);

        await_message(scene, "db.service is active");
        loop_for(50);                                           /* the subscription is with the bus */
        assert_int_equal(health_checks_next(scene->checks), 0); /* nothing is asked while all is well */
        tell_change(scene, "failed");
        await_message(scene, "db.service is failed");
        assert_null(health_checks_culprit(scene->checks)); /* one of two */
        stage_pass(scene->stage, 10);
        health_checks_turn(scene->checks);
        loop_for(50);
        assert_non_null(health_checks_culprit(scene->checks));
        assert_contains(health_checks_culprit(scene->checks)->reason, "db.service is failed");
        tell_change(scene, "active");
        await_message(scene, "db.service is active");
        assert_null(health_checks_culprit(scene->checks));
        assert_int_equal(scene->asked, 1); /* the path is known */
        close_scene(scene);
}

static void test_unit_states(void **state)
{
        static const struct {
                const char *load, *active, *result, *message;
        } rows[] = {
                {"loaded", "activating", "warning", "is activating"},
                {"loaded", "reloading", "ok", "is reloading"},
                {"loaded", "inactive", "critical", "is inactive"},
                {"not-found", "inactive", "unknown", "there is no unit db.service"},
                {"loaded", "dreaming", "unknown", "'dreaming', which is not known here"},
        };
        struct scene *scene = open_unit(state);

        await_message(scene, "db.service is active");
        loop_for(50);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *result = NULL;

                scene->load = rows[i].load;
                tell_change(scene, rows[i].active);
                await_message(scene, rows[i].message);
                result = get(scene, "result");
                assert_string_equal(result, rows[i].result);
        }
        close_scene(scene);
}

/* systemd does not answer: unknown, after a time, and nothing closes. */
static void test_mute_systemd(void **state)
{
        struct scene *scene = open_scene(state);
        g_autofree char *state_name = NULL;

        scene->unanswered = g_ptr_array_new();
        scene->mute = true;
        scene->manager = tn_bus_object_new(scene->other, "/org/freedesktop/systemd1", managers, "", scene);
        tn_bus_own_name(scene->other, SYSTEMD, on_answer, scene);
        loop_until_true(is_answered, scene);
        stage_set(scene->stage, "check u", "type", "unit", "unit", "db.service", "required", "yes", NULL);
        scene->checks = health_checks_new(&scene->stage->host, scene->link,
                                          (struct health_checks_events){on_check, on_rearm, scene});
        health_checks_turn(scene->checks);
        loop_for(50);
        stage_pass(scene->stage, 16);
        health_checks_turn(scene->checks);
        state_name = get(scene, "state");
        assert_string_equal(state_name, "unknown");
        assert_null(health_checks_culprit(scene->checks));
        /* The answer comes when nobody wants it any more: the check is gone, the connection is not. */
        g_clear_pointer(&scene->checks, health_checks_free);
        for (guint i = 0; i < scene->unanswered->len; i++)
                tn_bus_request_reply(g_ptr_array_index(scene->unanswered, i), NULL);
        loop_for(100);
        close_scene(scene);
}

/* The last test: the bus goes away; all that was on it is unknown, and said. */
static void test_bus_is_lost(void **state)
{
        struct scene *scene = open_unit(state);

        await_message(scene, "db.service is active");
        (void) kill(daemon_pid, SIGKILL);
        await_message(scene, "the connection to the system bus was lost");
        loop_for(100); /* the connection is dropped */
        stage_pass(scene->stage, 10);
        health_checks_turn(scene->checks);
        await_message(scene, "connect to the bus at");
        assert_null(health_checks_culprit(scene->checks));
        close_scene(scene);
        assert_int_equal(start_daemon(NULL), 0);
}

#define on_stage(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                on_stage(test_service),     on_stage(test_service_refuses),
                on_stage(test_problem),     on_stage(test_unit_stops_and_starts),
                on_stage(test_unit_states), on_stage(test_mute_systemd),
                on_stage(test_bus_is_lost),
        };

        return cmocka_run_group_tests(tests, start_daemon, end_daemon);
}
