/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-shutdown against a host that only takes notes: nothing here can shut down the machine that the test
 * runs on. Programs are never started (run is a fake), and the bus is a dbus-daemon of the test's own, where
 * logind and systemd are processes of the test or not there at all. This file is longer than others, because
 * the cast of the story is in it.
 */
#define _GNU_SOURCE
#include "plugins/power/power.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <dbus/dbus.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"

#define NO_BUS "unix:path=/nonexistent/bus"

/* How the next program ends. */
struct ending {
        struct tenon_child_result result;
        bool not_started;
};

struct stage {
        struct tenon_host host;
        struct tn_env env;
        char *dir;
        GPtrArray *runs; /* "argv | deadline" */
        GQueue endings;  /* struct ending, borrowed; empty: exit status 0 */
        GString *states; /* of the fact, in order */
        json_t *fact;    /* the newest */
        GString *log;
        const char *hooks; /* the setting */
        unsigned replies, failures;
        char *failure;
        int failure_code;
};

static struct stage *stage; /* calls have no other way to it */

struct run {
        tenon_child_done done;
        void *data;
        struct ending ending;
};

static gboolean on_run_done(void *data)
{
        g_autofree struct run *run = data;

        run->done(&stage->host, &run->ending.result, run->data);
        return G_SOURCE_REMOVE;
}

static bool fake_run(struct tenon_host *host, const char *const *argv, unsigned deadline_ms,
                     tenon_child_done done, void *data, GError **error)
{
        static const struct ending success = {.result = {.output = ""}};
        const struct ending *ending = g_queue_pop_head(&stage->endings);
        g_autofree char *command = g_strjoinv(" ", (char **) argv);
        struct run *run;

        g_ptr_array_add(stage->runs, g_strdup_printf("%s | %u", command, deadline_ms));
        if (ending && ending->not_started)
                return tn_error_set(error, TN_ERROR_NOT_FOUND, "start %s: No such file", argv[0]);
        run = g_new0(struct run, 1);
        *run = (struct run){done, data, ending ? *ending : success};
        g_idle_add(on_run_done, run);
        return true;
}

static const char *fake_config(struct tenon_host *host, const char *group, const char *key)
{
        if (g_str_equal(group, "power") && g_str_equal(key, "hook-directory"))
                return stage->hooks;
        return g_str_equal(key, "hook-timeout-ms") ? "1500" : NULL;
}

static void fake_fact_set(struct tenon_host *host, const char *name, json_t *value)
{
        assert_string_equal(name, "shutdown");
        g_string_append_printf(stage->states, "%s ", json_string_value(json_object_get(value, "state")));
        json_decref(stage->fact);
        stage->fact = value;
}

static void fake_log(struct tenon_host *host, int level, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        g_string_append_printf(stage->log, "%d|", level);
        g_string_append_vprintf(stage->log, format, args);
        g_string_append_c(stage->log, '\n');
        va_end(args);
}

static void fake_reply(struct tenon_call *call, json_t *value)
{
        assert_ptr_equal(call, stage);
        json_decref(value);
        stage->replies++;
}

static void fake_fail(struct tenon_call *call, GError *error)
{
        assert_ptr_equal(call, stage);
        g_free(stage->failure);
        stage->failure = g_strdup(error->message);
        stage->failure_code = error->code;
        stage->failures++;
        g_error_free(error);
}

static int set_up(void **state)
{
        (void) g_setenv("DBUS_SYSTEM_BUS_ADDRESS", NO_BUS, TRUE);
        stage = g_new0(struct stage, 1);
        stage->dir = g_dir_make_tmp("tenon-power-XXXXXX", NULL);
        if (!stage->dir || !tn_env_init_root(&stage->env, stage->dir, NULL))
                return -1;
        stage->runs = g_ptr_array_new_with_free_func(g_free);
        stage->states = g_string_new(NULL);
        stage->log = g_string_new(NULL);
        stage->host = (struct tenon_host){
                .env = &stage->env,
                .root_fd = stage->env.root_fd,
                .config = fake_config,
                .fact_set = fake_fact_set,
                .log = fake_log,
                .run = fake_run,
                .reply = fake_reply,
                .fail = fake_fail,
        };
        return tenon_plugin.start(&stage->host, NULL) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        return remove(path);
}

static int tear_down(void **state)
{
        tenon_plugin.stop(&stage->host);
        (void) nftw(stage->dir, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
        tn_env_deinit(&stage->env);
        g_ptr_array_unref(stage->runs);
        g_queue_clear(&stage->endings);
        g_string_free(stage->states, TRUE);
        g_string_free(stage->log, TRUE);
        json_decref(stage->fact);
        g_free(stage->failure);
        g_free(stage->dir);
        g_free(stage);
        return 0;
}

/* Vocabulary. */

static void ask(const char *mode)
{
        json_auto_t *args = mode ? json_pack("{s:s}", "mode", mode) : json_object();
        const struct tenon_command *command = tenon_plugin.commands;

        while (!g_str_equal(command->name, "guest-shutdown"))
                command++;
        command->start(&stage->host, (struct tenon_call *) stage, args);
}

static gboolean on_alarm(void *data)
{
        *(bool *) data = true;
        return G_SOURCE_REMOVE;
}

static void wait_for_answers(unsigned wanted)
{
        bool late = false;
        guint alarm = g_timeout_add(5000, on_alarm, &late);

        while (stage->replies + stage->failures < wanted && !late)
                g_main_context_iteration(NULL, TRUE);
        assert_false(late);
        g_source_remove(alarm);
}

static void add_file(const char *name, mode_t mode)
{
        g_autofree char *path = g_build_filename(stage->dir, name, NULL);
        g_autofree char *folder = g_path_get_dirname(path);

        assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
        assert_true(g_file_set_contents(path, "", 0, NULL));
        assert_int_equal(chmod(path, mode), 0);
}

static void assert_run(unsigned index, const char *wanted)
{
        assert_true(index < stage->runs->len);
        assert_string_equal(g_ptr_array_index(stage->runs, index), wanted);
}

static void assert_fact(const char *wanted)
{
        g_autofree char *plain = g_strdelimit(g_strdup(wanted), "'", '"');
        json_auto_t *value = json_loads(plain, 0, NULL);

        assert_non_null(value);
        if (!json_equal(stage->fact, value)) {
                print_error("fact: %s\n", json_dumps(stage->fact, 0));
                assert_string_equal("fact differs", wanted);
        }
}

/* The line that fake_run() notes for the classic way down, which depends on what is installed here. */
static char *classic(const char *program, const char *flag)
{
        if (access(program, X_OK) == 0)
                return g_strdup_printf("%s | 60000", program);
        return g_strdup_printf("/sbin/shutdown -h %s +0 hypervisor initiated shutdown | 60000", flag);
}

/* A bus of our own. */

static pid_t bus_pid;

static int start_bus(void **state)
{
        static const char config[] =
                "<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><policy "
                "context=\"default\">"
                "<allow send_destination=\"*\" eavesdrop=\"true\"/><allow eavesdrop=\"true\"/>"
                "<allow own=\"*\"/></policy></busconfig>";
        char address[256] = "";
        g_autofree char *path = NULL;
        int fds[2];

        if (set_up(state) < 0 || pipe(fds) < 0)
                return -1;
        path = g_build_filename(stage->dir, "bus.conf", NULL);
        if (!g_file_set_contents(path, config, -1, NULL) || (bus_pid = fork()) < 0)
                return -1;
        if (bus_pid == 0) {
                g_autofree char *option = g_strdup_printf("--config-file=%s", path);

                (void) dup2(fds[1], STDOUT_FILENO);
                execlp("dbus-daemon", "dbus-daemon", option, "--nofork", "--print-address", NULL);
                _exit(127);
        }
        close(fds[1]);
        if (read(fds[0], address, sizeof address - 1) <= 0)
                return -1;
        close(fds[0]);
        address[strcspn(address, "\n")] = '\0';
        (void) g_setenv("DBUS_SYSTEM_BUS_ADDRESS", address, TRUE);
        return 0;
}

static int stop_bus(void **state)
{
        (void) kill(bus_pid, SIGTERM);
        (void) waitpid(bus_pid, NULL, 0);
        return tear_down(state);
}

/* "Member(argument, …)" of a call; a refusal or an empty return is the answer. */
static void answer(DBusConnection *c, DBusMessage *call, bool accept, int out_fd)
{
        g_autoptr(GString) text = g_string_new(dbus_message_get_member(call));
        const char *a = "", *b = "";
        dbus_bool_t flag = TRUE;
        DBusMessage *reply = accept ? dbus_message_new_method_return(call)
                                    : dbus_message_new_error(call, DBUS_ERROR_ACCESS_DENIED, "not today");

        if (dbus_message_get_args(call, NULL, DBUS_TYPE_BOOLEAN, &flag, DBUS_TYPE_INVALID))
                g_string_append_printf(text, "(%s)", flag ? "true" : "false");
        else if (dbus_message_get_args(call, NULL, DBUS_TYPE_STRING, &a, DBUS_TYPE_STRING, &b,
                                       DBUS_TYPE_INVALID))
                g_string_append_printf(text, "(%s, %s)", a, b);
        (void) !write(out_fd, text->str, text->len);
        (void) dbus_connection_send(c, reply, NULL);
        dbus_connection_flush(c);
        dbus_message_unref(reply);
}

/* A process that owns @name and answers one call; *ret_fd gives what it was asked. */
static pid_t serve(const char *name, bool accept, int *ret_fd)
{
        int fds[2];
        char ready;
        pid_t pid;

        assert_int_equal(pipe(fds), 0);
        pid = fork();
        if (pid == 0) {
                DBusConnection *c = dbus_connection_open_private(g_getenv("DBUS_SYSTEM_BUS_ADDRESS"), NULL);
                DBusMessage *call;

                if (!c || !dbus_bus_register(c, NULL) || dbus_bus_request_name(c, name, 0, NULL) != 1)
                        _exit(1);
                (void) !write(fds[1], "+", 1);
                while (dbus_connection_read_write(c, 10000))
                        while ((call = dbus_connection_pop_message(c)))
                                if (dbus_message_get_type(call) == DBUS_MESSAGE_TYPE_METHOD_CALL) {
                                        answer(c, call, accept, fds[1]);
                                        _exit(0);
                                }
                _exit(1);
        }
        close(fds[1]);
        assert_int_equal(read(fds[0], &ready, 1), 1);
        *ret_fd = fds[0];
        return pid;
}

static void assert_served(pid_t pid, int fd, const char *wanted)
{
        char text[256] = "";
        int status;

        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        assert_true(read(fd, text, sizeof text - 1) > 0);
        close(fd);
        assert_string_equal(text, wanted);
}

/* Stories. */

static void test_modes(void **state)
{
        static const char *const bad[] = {"", "shutdown", "Halt", "reboot "};

        (void) state;
        assert_string_equal(power_mode_find(NULL)->name, "powerdown");
        assert_string_equal(power_mode_find("halt")->target, "halt.target");
        assert_string_equal(power_mode_find("reboot")->logind_method, "Reboot");
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                ask(bad[i]);
                assert_int_equal(stage->failures, i + 1); /* at once */
                assert_string_equal(stage->failure,
                                    "mode is invalid (valid values are: halt|powerdown|reboot)");
                assert_int_equal(stage->failure_code, TN_ERROR_INVALID);
        }
        assert_int_equal(stage->runs->len, 0);
        assert_string_equal(stage->states->str, "idle ");
}

static void test_no_bus_at_all(void **state)
{
        static const char *const programs[][3] = {{"powerdown", "/sbin/poweroff", "-P"},
                                                  {"halt", "/sbin/halt", "-H"},
                                                  {"reboot", "/sbin/reboot", "-r"}};

        (void) state;
        for (unsigned i = 0; i < G_N_ELEMENTS(programs); i++) {
                g_autofree char *wanted = classic(programs[i][1], programs[i][2]);

                ask(programs[i][0]);
                assert_int_equal(stage->replies, i); /* never from within */
                wait_for_answers(i + 1);
                assert_run(i, wanted);
        }
        assert_int_equal(stage->failures, 0);
        assert_fact("{'state': 'requested', 'mode': 'reboot', 'by': 'program', 'hooks': []}");
}

static void test_nothing_works(void **state)
{
        static const struct ending refused = {.result = {.exit_status = 1, .output = "no permission\n"}};

        (void) state;
        g_queue_push_tail(&stage->endings, (void *) &refused);
        ask(NULL);
        wait_for_answers(1);
        assert_int_equal(stage->failures, 1);
        assert_non_null(strstr(stage->failure,
                               "failed to powerdown the guest (logind: connect to the bus at " NO_BUS));
        assert_non_null(strstr(stage->failure, "; systemd: connect to the bus at "));
        assert_non_null(
                strstr(stage->failure, "; program: /sbin/poweroff: exit status 1, signal 0 no permission"));
        assert_string_equal(json_string_value(json_object_get(stage->fact, "state")), "failed");
        assert_non_null(strstr(stage->log->str, "3|failed to powerdown the guest"));
        ask("reboot"); /* the next one is not in its way */
        wait_for_answers(2);
        assert_int_equal(stage->replies, 1);
}

static void test_program_is_not_there(void **state)
{
        static const struct ending missing = {.not_started = true};

        (void) state;
        g_queue_push_tail(&stage->endings, (void *) &missing);
        ask("halt");
        wait_for_answers(1);
        assert_non_null(strstr(stage->failure, "; program: start /sbin/"));
}

static void test_nobody_owns_the_names(void **state)
{
        g_autofree char *wanted = classic("/sbin/poweroff", "-P");

        (void) state;
        ask("powerdown");
        wait_for_answers(1);
        assert_int_equal(stage->replies, 1);
        assert_int_equal(stage->runs->len, 1);
        assert_run(0, wanted);
        assert_string_equal(stage->states->str, "idle requesting requested ");
}

static void test_logind_accepts(void **state)
{
        int fd;
        pid_t pid = serve("org.freedesktop.login1", true, &fd);

        (void) state;
        ask("powerdown");
        wait_for_answers(1);
        assert_served(pid, fd, "PowerOff(false)");
        assert_int_equal(stage->replies, 1);
        assert_int_equal(stage->runs->len, 0);
        assert_fact("{'state': 'requested', 'mode': 'powerdown', 'by': 'logind', 'hooks': []}");
}

static void test_logind_refuses(void **state)
{
        int logind_fd, systemd_fd;
        pid_t logind = serve("org.freedesktop.login1", false, &logind_fd);
        pid_t systemd = serve("org.freedesktop.systemd1", true, &systemd_fd);

        (void) state;
        ask("reboot");
        wait_for_answers(1);
        assert_served(logind, logind_fd, "Reboot(false)");
        assert_served(systemd, systemd_fd, "StartUnit(reboot.target, replace-irreversibly)");
        assert_int_equal(stage->replies, 1);
        assert_int_equal(stage->runs->len, 0);
        assert_fact("{'state': 'requested', 'mode': 'reboot', 'by': 'systemd', 'hooks': []}");
}

static void test_hooks(void **state)
{
        static const struct ending failed = {.result = {.exit_status = 3, .output = "disk full"}};
        static const struct ending late = {
                .result = {.exit_status = -1, .signal = 9, .timed_out = true, .output = ""}};
        static const struct ending killed = {.result = {.exit_status = -1, .signal = 11, .output = ""}};
        static const struct ending missing = {.not_started = true};
        static const struct ending *const endings[] = {&failed, &late, &killed, &missing};

        (void) state;
        stage->hooks = "/etc/power.d";
        add_file("etc/power.d/10-fails", 0755);
        add_file("etc/power.d/20-hangs", 0700);
        add_file("etc/power.d/30-crashes", 0555);
        add_file("etc/power.d/40-bad-interpreter", 0755);
        add_file("etc/power.d/50-works", 0755);
        add_file("etc/power.d/60-anybodys", 0757);
        add_file("etc/power.d/README", 0644);
        add_file("etc/power.d/70-old~", 0755);
        add_file("etc/power.d/.hidden", 0755);
        for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
                g_queue_push_tail(&stage->endings, (void *) endings[i]);
        ask("halt");
        wait_for_answers(1);
        assert_int_equal(stage->replies, 1); /* no hook keeps the guest up */
        assert_int_equal(stage->runs->len, 6);
        assert_run(0, "/etc/power.d/10-fails halt | 1500");
        assert_run(4, "/etc/power.d/50-works halt | 1500");
        assert_fact("{'state': 'requested', 'mode': 'halt', 'by': 'program', 'hooks': ["
                    "{'hook': '/etc/power.d/10-fails', 'result': 'exit status 3'},"
                    "{'hook': '/etc/power.d/20-hangs', 'result': 'timed out'},"
                    "{'hook': '/etc/power.d/30-crashes', 'result': 'signal 11'},"
                    "{'hook': '/etc/power.d/40-bad-interpreter', 'result': 'not run'},"
                    "{'hook': '/etc/power.d/50-works', 'result': 'ok'},"
                    "{'hook': '/etc/power.d/60-anybodys', 'result': 'not run'}]}");
        assert_string_equal(stage->states->str,
                            "idle hooks hooks hooks hooks hooks hooks requesting requested ");
        assert_non_null(strstr(stage->log->str,
                               "4|power hook /etc/power.d/10-fails: exit status 3; going on: disk full"));
        assert_non_null(strstr(stage->log->str,
                               "4|power hook /etc/power.d/60-anybodys was not run: is writable by "
                               "others; run: chmod go-w on it"));
}

static void test_hook_directory_of_anybody(void **state)
{
        g_autofree char *path = g_build_filename(stage->dir, "etc/power.d", NULL);

        (void) state;
        stage->hooks = "/etc/power.d";
        add_file("etc/power.d/10", 0755);
        assert_int_equal(chmod(path, 0777), 0);
        ask(NULL);
        wait_for_answers(1);
        assert_int_equal(stage->runs->len, 1); /* the way down, and no hook */
        assert_non_null(
                strstr(stage->log->str, "its directory is writable by others; run: chmod go-w on it"));
}

static void test_hook_in_a_unit(void **state)
{
        (void) state;
        stage->hooks = "/etc/power.d";
        add_file("etc/power.d/10", 0755);
        add_file("usr/bin/systemd-run", 0755);
        add_file("run/systemd/system/x", 0644);
        ask(NULL);
        wait_for_answers(1);
        assert_run(
                0,
                "/usr/bin/systemd-run --quiet --wait --collect --service-type=exec -p RuntimeMaxSec=1500ms "
                "/etc/power.d/10 powerdown | 6500");
}

static void test_busy(void **state)
{
        (void) state;
        stage->hooks = "/etc/power.d";
        add_file("etc/power.d/10", 0755);
        ask("reboot");
        ask("halt");
        assert_int_equal(stage->failures, 1);
        assert_string_equal(stage->failure, "a reboot is already under way");
        assert_int_equal(stage->failure_code, TN_ERROR_BUSY);
        wait_for_answers(2);
        assert_int_equal(stage->replies, 1);
        assert_run(0, "/etc/power.d/10 reboot | 1500");
}

/* The agent is stopped: by the shutdown that was asked for, more often than not. */
static void test_stop_under_way(void **state)
{
        (void) state;
        ask(NULL);
        tenon_plugin.stop(&stage->host);
        assert_int_equal(stage->failures, 1);
        assert_string_equal(stage->failure, "the agent is stopping");
        while (g_main_context_iteration(NULL, FALSE))
                ; /* nothing of it is left to run */
        assert_int_equal(stage->runs->len, 0);
        assert_true(tenon_plugin.start(&stage->host, NULL));
}

#define STORY(name)          cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define STORY_WITH_BUS(name) cmocka_unit_test_setup_teardown(name, start_bus, stop_bus)

int main(void)
{
        const struct CMUnitTest tests[] = {
                STORY(test_modes),
                STORY(test_no_bus_at_all),
                STORY(test_nothing_works),
                STORY(test_program_is_not_there),
                STORY_WITH_BUS(test_nobody_owns_the_names),
                STORY_WITH_BUS(test_logind_accepts),
                STORY_WITH_BUS(test_logind_refuses),
                STORY(test_hooks),
                STORY(test_hook_directory_of_anybody),
                STORY(test_hook_in_a_unit),
                STORY(test_busy),
                STORY(test_stop_under_way),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
