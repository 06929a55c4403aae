/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The plugin as a whole: what it touches and when, what the host is told, and what a freeze does to
 * heartbeats. */
#include "plugins/health/test-support.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "lib/names.h"

static char *start(struct stage *stage)
{
        char *path = stage_path(stage, "hb.sock");

        stage_set(stage, "heartbeat", "socket", path, "dbus", "no", NULL);
        stage_write(stage, "proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 500 kB\n");
        stage_set(stage, "check m", "type", "memory-available", "warning", "10", "critical", "3", NULL);
        assert_true(tenon_plugin.start(&stage->host, NULL));
        return path;
}

static bool is_open(void *data)
{
        return access(data, F_OK) == 0;
}

/* `tenond --dump-conf` starts and stops plugins without ever turning the loop. */
static void test_nothing_before_the_loop(void **state)
{
        struct stage *stage = *state;
        g_autofree char *path = start(stage);

        assert_false(is_open(path));
        assert_non_null(stage_fact(stage, "health-gate")); /* what it knows, it says at once */
        tenon_plugin.stop(&stage->host);
        loop_for(20);
        assert_false(is_open(path));
        assert_null(stage->host.data);
}

static json_t *ask(struct stage *stage)
{
        assert_string_equal(tenon_plugin.commands[0].name, "tenon-get-health");
        return tenon_plugin.commands[0].run(&stage->host, NULL, NULL);
}

static void test_what_the_host_is_told(void **state)
{
        struct stage *stage = *state;
        g_autofree char *path = start(stage);
        json_auto_t *early = ask(stage), *reply = NULL;
        json_t *access_json;

        assert_int_equal(json_array_size(json_object_get(early, "checks")), 0);
        loop_until_true(is_open, path);
        reply = ask(stage);
        assert_int_equal(json_array_size(json_object_get(reply, "checks")), 2);
        assert_int_equal(json_array_size(json_object_get(reply, "heartbeats")), 0);
        assert_true(json_is_true(json_object_get(json_object_get(reply, "gate"), "feed")));
        access_json = json_object_get(reply, "heartbeat-access");
        assert_string_equal(json_string_value(json_object_get(access_json, "socket")), path);
        assert_true(json_is_false(json_object_get(access_json, "dbus")));
        assert_null(json_object_get(access_json, "socket-problem"));
        tenon_plugin.stop(&stage->host);
        assert_false(is_open(path));
}

static void send_text(const char *path, const char *text)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

        memcpy(address.sun_path, path, strlen(path));
        assert_int_equal(sendto(fd, text, strlen(text), 0, (struct sockaddr *) &address, sizeof address),
                         strlen(text));
        close(fd);
}

/* A member of the first heartbeat. */
static json_int_t left_ms(struct stage *stage)
{
        json_auto_t *reply = ask(stage);

        return json_integer_value(
                json_object_get(json_array_get(json_object_get(reply, "heartbeats"), 0), "left-ms"));
}

static bool has_heartbeat(void *data)
{
        return left_ms(data) > 0;
}

static void set_freeze(struct stage *stage, const char *state)
{
        stage->host.fact_set(&stage->host, "freeze", json_pack("{s:s}", "state", state));
}

/* The freeze begins and ends between two turns of the timer. */
static void test_thawed_programs_have_their_time(void **state)
{
        struct stage *stage = *state;
        g_autofree char *path = start(stage);

        loop_until_true(is_open, path);
        send_text(path, TN_BEAT_REGISTER "=db\nWATCHDOG_USEC=30000000");
        loop_until_true(has_heartbeat, stage);
        stage_pass(stage, 5);
        assert_int_equal(left_ms(stage), 25000);
        set_freeze(stage, "freezing");
        set_freeze(stage, "frozen");
        stage_pass(stage, 24);
        assert_int_equal(left_ms(stage), 1000);
        set_freeze(stage, "thawed");
        assert_int_equal(left_ms(stage), 30000);
        stage->host.fact_set(&stage->host, "os", json_object()); /* another fact is nothing to it */
        stage_pass(stage, 7);
        set_freeze(stage, "thawed");
        assert_int_equal(left_ms(stage), 23000);
        tenon_plugin.stop(&stage->host);
}

static void test_socket_that_cannot_be(void **state)
{
        struct stage *stage = *state;
        g_autofree char *path = start(stage);
        json_auto_t *reply = NULL;

        assert_false(is_open(path));
        stage_set(stage, "heartbeat", "socket", "/nonexistent/folder/hb.sock", NULL);
        loop_for(50);
        reply = ask(stage);
        assert_contains(json_string_value(json_object_get(json_object_get(reply, "heartbeat-access"),
                                                          "socket-problem")),
                        "/nonexistent/folder/hb.sock");
        assert_int_equal(json_array_size(json_object_get(reply, "checks")), 2); /* all else works */
        tenon_plugin.stop(&stage->host);
}

#define on_stage(test) cmocka_unit_test_setup_teardown(test, stage_set_up, stage_tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                on_stage(test_nothing_before_the_loop),
                on_stage(test_what_the_host_is_told),
                on_stage(test_thawed_programs_have_their_time),
                on_stage(test_socket_that_cannot_be),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
