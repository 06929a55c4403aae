/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Sleep: the steps logind, systemd, helper, and when each is taken. The bus is a dbus-daemon of the test's
 * own, with a child on it that answers as logind and systemd would; nothing here goes to sleep.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dbus/dbus.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "tenon/plugin.h"

struct bench {
        struct tenon_host host; /* first, so that it is found from the host */
        struct tn_env env;
        char *root;
        char *helper; /* the setting */
        pid_t bus_pid;
        pid_t service_pid;
        unsigned ended;
        bool ok; /* of the last call */
        GError *error;
        GString *log;
};

/* How the machine answers. */
struct manners {
        const char *check;  /* logind's method and its answer, "CanSuspend=yes"; NULL: there is no logind */
        const char *method; /* of logind that is accepted */
        const char *unit;   /* that systemd starts; NULL: there is no systemd */
};

static struct bench *current; /* a call knows nothing but that it is one */

static const char *fake_config(struct tenon_host *host, const char *group, const char *key)
{
        struct bench *bench = (struct bench *) host;

        return g_str_equal(group, "agent") && g_str_equal(key, "helper") ? bench->helper : NULL;
}

static void fake_fact_set(struct tenon_host *host, const char *name, json_t *value)
{
        (void) host;
        (void) name;
        json_decref(value);
}

static G_GNUC_PRINTF(3, 4) void fake_log(struct tenon_host *host, int level, const char *format, ...)
{
        va_list args;

        (void) level;
        va_start(args, format);
        g_string_append_vprintf(((struct bench *) host)->log, format, args);
        va_end(args);
}

static void fake_reply(struct tenon_call *call, json_t *value)
{
        (void) call;
        assert_null(value);
        current->ended++;
        current->ok = true;
}

static void fake_fail(struct tenon_call *call, GError *error)
{
        (void) call;
        current->ended++;
        current->ok = false;
        current->error = error;
}

static void put(struct bench *bench, const char *path, const char *text)
{
        g_autofree char *full = g_build_filename(bench->root, path, NULL);
        g_autofree char *directory = g_path_get_dirname(full);

        assert_int_equal(g_mkdir_with_parents(directory, 0755), 0);
        assert_true(g_file_set_contents(full, text, -1, NULL));
}

/* A machine whose kernel can sleep in every way and that has no bus. */
static int set_up(void **state)
{
        struct bench *bench = g_new0(struct bench, 1);

        bench->root = g_dir_make_tmp("tenon-suspend-XXXXXX", NULL);
        bench->log = g_string_new(NULL);
        assert_true(tn_env_init_root(&bench->env, bench->root, NULL));
        put(bench, "sys/power/state", "freeze mem disk\n");
        put(bench, "sys/power/disk", "[platform] shutdown reboot suspend\n");
        (void) g_setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", true);
        bench->host = (struct tenon_host){.env = &bench->env,
                                          .config = fake_config,
                                          .fact_set = fake_fact_set,
                                          .log = fake_log,
                                          .reply = fake_reply,
                                          .fail = fake_fail};
        assert_true(tenon_plugin.start(&bench->host, NULL));
        *state = current = bench;
        return 0;
}

static void end_process(pid_t pid)
{
        if (pid <= 0)
                return;
        (void) kill(pid, SIGTERM);
        (void) waitpid(pid, NULL, 0);
}

static void remove_tree(const char *path)
{
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);

        for (const char *name; dir && (name = g_dir_read_name(dir));) {
                g_autofree char *child = g_build_filename(path, name, NULL);

                remove_tree(child);
        }
        (void) g_remove(path);
}

static int tear_down(void **state)
{
        struct bench *bench = *state;

        if (bench->host.data)
                tenon_plugin.stop(&bench->host);
        end_process(bench->service_pid);
        end_process(bench->bus_pid);
        tn_env_deinit(&bench->env);
        remove_tree(bench->root);
        g_clear_error(&bench->error);
        g_string_free(bench->log, TRUE);
        g_free(bench->root);
        g_free(bench->helper);
        g_free(bench);
        return 0;
}

static DBusMessage *answer_call(DBusMessage *call, const struct manners *manners)
{
        const char *member = dbus_message_get_member(call), *unit = NULL, *job = "/job/1";
        size_t len = manners->check ? strcspn(manners->check, "=") : 0;
        DBusMessage *reply = dbus_message_new_method_return(call);

        if (len && strncmp(manners->check, member, len) == 0 && member[len] == '\0') {
                const char *answer = manners->check + len + 1;

                dbus_message_append_args(reply, DBUS_TYPE_STRING, &answer, DBUS_TYPE_INVALID);
                return reply;
        }
        if (g_strcmp0(member, manners->method) == 0)
                return reply;
        (void) dbus_message_get_args(call, NULL, DBUS_TYPE_STRING, &unit, DBUS_TYPE_INVALID);
        if (g_str_equal(member, "StartUnit") && unit && g_strcmp0(unit, manners->unit) == 0) {
                dbus_message_append_args(reply, DBUS_TYPE_OBJECT_PATH, &job, DBUS_TYPE_INVALID);
                return reply;
        }
        dbus_message_unref(reply);
        return dbus_message_new_error(call, DBUS_ERROR_FAILED, "not what was expected");
}

/* Never returns. A byte on @ready_fd tells that the names are taken. */
static void serve(const char *address, const struct manners *manners, int ready_fd)
{
        DBusConnection *bus = dbus_connection_open_private(address, NULL);

        if (!bus || !dbus_bus_register(bus, NULL))
                _exit(1);
        if (manners->check)
                (void) dbus_bus_request_name(bus, "org.freedesktop.login1", 0, NULL);
        if (manners->unit)
                (void) dbus_bus_request_name(bus, "org.freedesktop.systemd1", 0, NULL);
        if (write(ready_fd, "", 1) != 1)
                _exit(1);
        while (dbus_connection_read_write(bus, -1))
                for (DBusMessage *call; (call = dbus_connection_pop_message(bus)); dbus_message_unref(call))
                        if (dbus_message_get_type(call) == DBUS_MESSAGE_TYPE_METHOD_CALL)
                                (void) dbus_connection_send(bus, answer_call(call, manners), NULL);
        _exit(0);
}

static void start_bus(struct bench *bench, const struct manners *manners)
{
        char address[256] = "", ready;
        int fds[2];

        assert_int_equal(pipe(fds), 0);
        bench->bus_pid = fork();
        if (bench->bus_pid == 0) {
                (void) dup2(fds[1], STDOUT_FILENO);
                execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--print-address", NULL);
                _exit(127);
        }
        assert_true(read(fds[0], address, sizeof address - 1) > 0);
        address[strcspn(address, "\n")] = '\0';
        (void) g_setenv("DBUS_SYSTEM_BUS_ADDRESS", address, true);
        bench->service_pid = fork();
        if (bench->service_pid == 0)
                serve(address, manners, fds[1]);
        assert_int_equal(read(fds[0], &ready, 1), 1);
        close(fds[0]);
        close(fds[1]);
}

/* The helper becomes a shell script, in which $d is the bench's folder. */
static void set_helper(struct bench *bench, const char *lines)
{
        g_autofree char *text = g_strdup_printf("#!/bin/sh\nd=%s\n%s\n", bench->root, lines);

        put(bench, "helper", text);
        bench->helper = g_build_filename(bench->root, "helper", NULL);
        assert_int_equal(chmod(bench->helper, 0755), 0);
}

static void begin(struct bench *bench, const char *name)
{
        json_auto_t *args = json_object();

        g_clear_error(&bench->error);
        bench->ended = 0;
        for (const struct tenon_command *command = tenon_plugin.commands; command->name; command++)
                if (g_str_equal(command->name, name)) {
                        command->start(&bench->host, (struct tenon_call *) bench, args);
                        return;
                }
        fail_msg("there is no command %s", name);
}

static void run(struct bench *bench, const char *name)
{
        begin(bench, name);
        while (!bench->ended)
                (void) g_main_context_iteration(NULL, TRUE);
        while (g_main_context_iteration(NULL, FALSE))
                ; /* lets the request go */
        assert_int_equal(bench->ended, 1);
}

static void assert_accepted(struct bench *bench, const char *by)
{
        g_autofree char *wanted = g_strdup_printf("accepted by %s", by);

        if (!bench->ok)
                fail_msg("%s", bench->error->message);
        assert_true(g_str_has_suffix(bench->log->str, wanted));
}

static void assert_failed(struct bench *bench, int code, const char *message)
{
        assert_false(bench->ok);
        assert_string_equal(bench->error->message, message);
        assert_int_equal(bench->error->code, code);
}

#define UNSUPPORTED "the requested suspend mode is not supported by the guest"

static void test_kernel_cannot(void **state)
{
        struct bench *bench = *state;

        put(bench, "sys/power/disk", "[platform] shutdown\n");
        run(bench, "guest-suspend-hybrid");
        assert_failed(bench, TN_ERROR_UNSUPPORTED, UNSUPPORTED " (its kernel cannot hybrid-sleep)");
        put(bench, "sys/power/state", "freeze mem\n");
        run(bench, "guest-suspend-disk");
        assert_failed(bench, TN_ERROR_UNSUPPORTED, UNSUPPORTED " (its kernel cannot hibernate)");
        put(bench, "sys/power/state", "\n");
        run(bench, "guest-suspend-ram");
        assert_failed(bench, TN_ERROR_UNSUPPORTED, UNSUPPORTED " (its kernel cannot suspend)");
}

static void test_logind(void **state)
{
        static const struct {
                const char *command;
                struct manners manners;
        } rows[] = {
                {"guest-suspend-ram", {"CanSuspend=yes", "Suspend", NULL}},
                {"guest-suspend-disk", {"CanHibernate=yes", "Hibernate", NULL}},
                {"guest-suspend-hybrid", {"CanHybridSleep=challenge", "HybridSleep", NULL}},
        };
        struct bench *bench = *state;

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                start_bus(bench, &rows[i].manners);
                run(bench, rows[i].command);
                assert_accepted(bench, "logind");
                end_process(bench->service_pid);
                end_process(bench->bus_pid);
        }
        bench->service_pid = bench->bus_pid = 0;
}

/* What logind says is final: systemd, which would obey, is not asked. */
static void test_logind_cannot(void **state)
{
        start_bus(*state, &(struct manners){"CanHibernate=na", "Hibernate", "hibernate.target"});
        run(*state, "guest-suspend-disk");
        assert_failed(*state, TN_ERROR_UNSUPPORTED, UNSUPPORTED " (logind: CanHibernate is 'na')");
}

static void test_systemd(void **state)
{
        start_bus(*state, &(struct manners){NULL, NULL, "suspend.target"});
        run(*state, "guest-suspend-ram");
        assert_accepted(*state, "systemd");
}

static void test_helper(void **state)
{
        struct bench *bench = *state;
        g_autofree char *question = NULL;

        set_helper(bench, "cat >$d/input\necho '{\"return\": {}}'");
        run(bench, "guest-suspend-hybrid");
        assert_accepted(bench, "program");
        assert_true(tn_env_read(&bench->env, "input", &question, NULL, NULL));
        assert_string_equal(question, "{\"op\": \"sleep\", \"mode\": \"hybrid\"}");
}

static void test_all_refuse(void **state)
{
        struct bench *bench = *state;

        set_helper(bench, "echo '{\"error\": {\"code\": \"busy\", \"message\": \"kernel is busy\"}}'");
        start_bus(bench, &(struct manners){"CanSuspend=yes", NULL, "other.target"});
        run(bench, "guest-suspend-ram");
        assert_failed(bench, TN_ERROR_FAILED,
                      "failed to suspend the guest (logind: not what was expected; systemd: not what was "
                      "expected; "
                      "program: kernel is busy)");
}

static void test_stop_and_busy(void **state)
{
        struct bench *bench = *state;

        set_helper(bench, "exec sleep 60");
        begin(bench, "guest-suspend-ram");
        for (unsigned i = 0; i < 20; i++)
                (void) g_main_context_iteration(NULL, FALSE);
        assert_int_equal(bench->ended, 0);
        begin(bench, "guest-suspend-disk");
        assert_failed(bench, TN_ERROR_BUSY, "going to sleep is already under way");
        g_clear_error(&bench->error);
        bench->ended = 0;
        tenon_plugin.stop(&bench->host);
        assert_int_equal(bench->ended, 1);
        assert_failed(bench, TN_ERROR_FAILED, "the agent is stopping");
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                BENCH_TEST(test_kernel_cannot), BENCH_TEST(test_logind), BENCH_TEST(test_logind_cannot),
                BENCH_TEST(test_systemd),       BENCH_TEST(test_helper), BENCH_TEST(test_all_refuse),
                BENCH_TEST(test_stop_and_busy),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
