/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The agent as a whole on a made machine: its status, its health, what it refuses to start with, reload. */
#define _GNU_SOURCE
#include "support.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/agent.h"
#include "agent/transports.h"

static const char *const no_plugins[] = {NULL};

struct stage {
        struct machine *machine;
        char *socket, *control;
        struct tn_agent *agent;
};

static void set_up(struct stage *s, const char *extra)
{
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;
        struct tn_config *config;

        *s = (struct stage){.machine = machine_new()};
        s->socket = machine_path(s->machine, "s");
        s->control = machine_path(s->machine, "run/c");
        text = g_strdup_printf("[channel]\nmethod=unix-listen\npath=%s\n[agent]\ncontrol-socket=%s\n%s",
                               s->socket, s->control, extra);
        machine_write(s->machine, "t.conf", text);
        config = tn_config_new(&s->machine->env, "/t.conf", true, &error);
        assert_non_null(config);
        s->agent = tn_agent_new(&s->machine->env, config, "/t.conf", no_plugins);
        assert_true(tn_agent_open(s->agent, -1, &error));
}

static void tear_down(struct stage *s)
{
        tn_agent_free(s->agent);
        assert_int_equal(access(s->socket, F_OK), -1); /* no sockets are left behind */
        assert_int_equal(access(s->control, F_OK), -1);
        g_free(s->socket);
        g_free(s->control);
        machine_free(s->machine);
}

static void test_status(void **state)
{
        struct stage s;
        json_auto_t *status = NULL;
        json_t *channels;
        mode_t mode;
        struct stat st;

        (void) state;
        set_up(&s, "[policy]\nblock=guest-ping\n");
        s.machine->monotonic_usec += 7900000;
        status = tn_agent_status(s.agent);
        assert_json(json_incref(json_object_get(status, "health")),
                    "{'state': 'ok', 'problems': [], 'remedies': []}");
        assert_json(json_incref(json_object_get(status, "policy")),
                    "{'preset': 'standard', 'allow': [], 'only': [], 'block': ['guest-ping']}");
        assert_json(json_incref(json_object_get(status, "counters")),
                    "{'requests': 0, 'errors': 0, 'parse-errors': 0, 'refused': 0, 'abandoned': 0}");
        assert_json(json_incref(json_object_get(status, "uptime-seconds")), "7");
        assert_json(json_incref(json_object_get(status, "plugins")), "[]");
        assert_json(json_incref(json_object_get(json_object_get(status, "hypervisor"), "primary")), "null");
        assert_null(json_object_get(json_object_get(status, "facts"), "hypervisor"));
        channels = json_object_get(status, "channels");
        assert_int_equal(json_array_size(channels), 2);
        assert_string_equal(json_string_value(json_object_get(json_array_get(channels, 0), "path")),
                            s.socket);
        assert_string_equal(json_string_value(json_object_get(json_array_get(channels, 1), "role")),
                            "control");
        for (int i = 0; i < 2; i++) {
                assert_int_equal(stat(i ? s.control : s.socket, &st), 0);
                mode = st.st_mode & 0777;
                assert_int_equal(mode, i ? 0666 : 0600);
        }
        tear_down(&s);
}

static void test_mistakes_are_a_problem(void **state)
{
        struct stage s;
        json_auto_t *health = NULL;

        (void) state;
        set_up(&s, "[policy]\npreset=opne\n");
        health = tn_agent_health(s.agent);
        assert_string_equal(json_string_value(json_object_get(health, "state")), "degraded");
        assert_string_equal(
                json_string_value(json_array_get(json_object_get(health, "problems"), 0)),
                "configuration: /t.conf: group [policy], key 'preset': 'opne' is not one of standard, open, "
                "locked");
        assert_string_equal(tn_policy_preset(tn_dispatch_policy(s.agent->dispatch)), "locked");
        assert_non_null(machine_logged(s.machine, "MESSAGE_ID=0d2c7a4be2d84d8fb3a4c0d3c8e1b7a2"));
        tear_down(&s);
}

static void test_names_that_no_command_has(void **state)
{
        struct stage s;

        (void) state;
        set_up(&s, "[policy]\nallow=guest-exce\nblock=guest-ping,guest-pnig\n");
        assert_non_null(machine_logged(s.machine,
                                       "4|configuration: group [policy], key 'allow': no command is named "
                                       "'guest-exce'; see tenonctl plugins"));
        assert_non_null(machine_logged(s.machine, "key 'block': no command is named 'guest-pnig'"));
        assert_null(machine_logged(s.machine, "'guest-ping'"));
        tear_down(&s);
}

static void assert_no_start(struct machine *m, const char *text, int code, const char *message)
{
        g_autoptr(GError) error = NULL;
        struct tn_agent *agent = tn_agent_new(&m->env, config_from(m, text), "/etc/test.conf", no_plugins);

        assert_false(tn_agent_open(agent, -1, &error));
        tn_agent_free(agent);
        assert_contains(error->message, message);
        assert_int_equal(error->code, code);
}

static void test_unreachable_host(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *file = machine_path(m, "file");
        g_autofree char *busy = g_strdup_printf("[channel]\nmethod=unix-listen\npath=%s\n", file);

        (void) state;
        machine_write(m, "file", "precious");
        assert_no_start(m, "[channel]\nmethod=unix-listen\n", TN_ERROR_INVALID,
                        "method unix-listen needs a path: --path=PATH, or path= in [channel]");
        assert_no_start(m, "[channel]\nmethod=vsock-listen\npath=nonsense\n", TN_ERROR_INVALID,
                        "'nonsense' is not a vsock address; write CID:PORT, such as 3:1234");
        assert_no_start(m, "[channel]\nmethod=unix-listen\npath=/nonexistent/dir/s\n", TN_ERROR_NOT_FOUND,
                        "listen on /nonexistent/dir/s: No such file or directory");
        assert_no_start(m, busy, TN_ERROR_BUSY, "exists and is not a socket; choose another path");
        assert_int_equal(access(file, F_OK), 0);
}

/* A port that is not there yet is a state, and a problem to be told. */
static void test_waiting_port(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        struct tn_agent *agent = tn_agent_new(&m->env, config_from(m, "[agent]\ncontrol-socket=\n"),
                                              "/etc/test.conf", no_plugins);
        json_auto_t *health = NULL;

        (void) state;
        assert_true(tn_agent_open(agent, -1, NULL));
        health = tn_agent_health(agent);
        assert_string_equal(json_string_value(json_object_get(health, "state")), "degraded");
        assert_contains(json_string_value(json_array_get(json_object_get(health, "problems"), 0)),
                        "/dev/virtio-ports/org.qemu.guest_agent.0: no such device");
        assert_contains(json_string_value(json_array_get(json_object_get(health, "remedies"), 0)),
                        "add it to the virtual machine");
        tn_agent_free(agent);
}

/* At the end the plugins are stopped after the channels were closed, and each fact that goes asks for the
 * health once more. */
static void test_health_after_the_port(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        struct tn_agent *agent = tn_agent_new(&m->env, config_from(m, "[agent]\ncontrol-socket=\n"),
                                              "/etc/test.conf", no_plugins);
        json_auto_t *health = NULL;

        (void) state;
        assert_true(tn_agent_open(agent, -1, NULL));
        tn_transports_close(agent);
        assert_null(agent->port);
        health = tn_agent_health(agent);
        assert_string_equal(json_string_value(json_object_get(health, "state")), "ok");
        tn_agent_free(agent);
}

static void test_control_socket_is_optional(void **state)
{
        struct stage s;
        g_autofree char *extra = NULL;
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *file = machine_path(m, "file");

        (void) state;
        machine_write(m, "file", "");
        extra = g_strdup_printf("control-socket=%s\n",
                                file); /* the group [agent] is open; the later one wins */
        set_up(&s, extra);
        assert_null(s.agent->control);
        assert_contains(s.agent->control_problem, "is not a socket");
        assert_non_null(machine_logged(s.machine, "4|no control socket, tenonctl cannot ask this agent: "));
        tear_down(&s);
}

static void reload_with(struct stage *s, const char *text)
{
        machine_write(s->machine, "t.conf", text);
        tn_agent_reload(s->agent);
}

static const char *preset(const struct stage *s)
{
        return tn_policy_preset(tn_dispatch_policy(s->agent->dispatch));
}

static void test_reload(void **state)
{
        struct stage s;

        (void) state;
        set_up(&s, "");
        reload_with(&s, "[policy]\npreset=open\n");
        assert_string_equal(preset(&s), "open");
        assert_non_null(machine_logged(s.machine, "configuration reloaded, policy open"));
        reload_with(&s, "[policy]\npreset=loked\n"); /* the old one stays in force */
        assert_string_equal(preset(&s), "open");
        assert_non_null(machine_logged(s.machine, "configuration not reloaded; the old one stays in force"));
        reload_with(&s, "[log]\nlevel=error\n");
        assert_string_equal(preset(&s), "standard");
        tn_log(s.machine->env.log, TN_LOG_WARNING, NULL, "quiet now");
        assert_null(machine_logged(s.machine, "quiet now"));
        tear_down(&s);
}

/* What was said on the command line was not taken back by editing a file. */
static void test_reload_keeps_the_command_line(void **state)
{
        struct stage s;

        (void) state;
        set_up(&s, "");
        assert_true(tn_config_override(s.agent->config, "policy", "block", "guest-ping", NULL));
        for (int i = 0; i < 2; i++) {
                reload_with(&s, "[policy]\npreset=open\nblock=guest-info\n");
                assert_string_equal(preset(&s), "open");
                assert_string_equal(tn_policy_blocked_names(tn_dispatch_policy(s.agent->dispatch))[0],
                                    "guest-ping");
        }
        tear_down(&s);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_status),
                cmocka_unit_test(test_mistakes_are_a_problem),
                cmocka_unit_test(test_names_that_no_command_has),
                cmocka_unit_test(test_unreachable_host),
                cmocka_unit_test(test_waiting_port),
                cmocka_unit_test(test_health_after_the_port),
                cmocka_unit_test(test_control_socket_is_optional),
                cmocka_unit_test(test_reload),
                cmocka_unit_test(test_reload_keeps_the_command_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
