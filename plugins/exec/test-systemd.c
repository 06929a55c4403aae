/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The stand-in. It runs in a process of its own, so that its children are not ours. */
#define _GNU_SOURCE
#include "plugins/exec/test-systemd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "plugins/exec/unit-message.h"

#define UNITS_MAX 64

struct unit {
        char *name, *object;
        pid_t pid;
        int code, status; /* 0: runs */
        const char *result;
        gint64 deadline; /* 0: none */
        int fds[3];
        char *program, *cwd, *user;
        GPtrArray *argv, *env, *unset;
        bool has_env, knows_exit_type;
};

static struct {
        DBusConnection *connection;
        enum test_systemd_flaw flaw;
        FILE *journal;
        struct unit units[UNITS_MAX];
        unsigned n_units;
} m;

static void read_strings(DBusMessageIter *value, GPtrArray *list, bool undouble)
{
        DBusMessageIter item;

        dbus_message_iter_recurse(value, &item);
        for (; dbus_message_iter_get_arg_type(&item) == DBUS_TYPE_STRING; dbus_message_iter_next(&item)) {
                GString *text;
                const char *raw;

                dbus_message_iter_get_basic(&item, &raw);
                text = g_string_new(raw);
                if (undouble)
                        g_string_replace(text, "$$", "$", 0);
                g_ptr_array_add(list, g_string_free(text, FALSE));
        }
}

static void read_command(DBusMessageIter *value, struct unit *unit)
{
        DBusMessageIter list, command;
        const char *program;

        dbus_message_iter_recurse(value, &list);
        dbus_message_iter_recurse(&list, &command);
        dbus_message_iter_get_basic(&command, &program);
        unit->program = g_strdup(program);
        dbus_message_iter_next(&command);
        read_strings(&command, unit->argv, true);
        g_ptr_array_add(unit->argv, NULL);
}

static void read_property(struct unit *unit, const char *name, DBusMessageIter *value)
{
        static const char *const fds[] = {"StandardInputFileDescriptor", "StandardOutputFileDescriptor",
                                          "StandardErrorFileDescriptor"};
        DBusBasicValue basic;

        for (int i = 0; i < 3; i++)
                if (strcmp(name, fds[i]) == 0)
                        dbus_message_iter_get_basic(value, &unit->fds[i]);
        if (strcmp(name, "ExecStart") == 0)
                read_command(value, unit);
        if (strcmp(name, "Environment") == 0)
                read_strings(value, unit->env, false);
        if (strcmp(name, "UnsetEnvironment") == 0)
                read_strings(value, unit->unset, false);
        if (strcmp(name, "ExitType") == 0)
                unit->knows_exit_type = true;
        if (!dbus_type_is_basic(dbus_message_iter_get_arg_type(value)))
                return;
        if (strcmp(name, "RuntimeMaxUSec") == 0) {
                dbus_message_iter_get_basic(value, &basic);
                unit->deadline = g_get_monotonic_time() + (gint64) basic.u64;
        } else if (strcmp(name, "WorkingDirectory") == 0) {
                dbus_message_iter_get_basic(value, &basic);
                unit->cwd = g_strdup(basic.str);
        } else if (strcmp(name, "User") == 0) {
                dbus_message_iter_get_basic(value, &basic);
                unit->user = g_strdup(basic.str);
        }
}

static const char *read_unit(DBusMessage *message, struct unit *unit)
{
        DBusMessageIter top, list;
        const char *name, *key;

        *unit = (struct unit){.fds = {-1, -1, -1}, .result = "success"};
        unit->argv = g_ptr_array_new();
        unit->env = g_ptr_array_new();
        unit->unset = g_ptr_array_new();
        dbus_message_iter_init(message, &top);
        dbus_message_iter_get_basic(&top, &name);
        unit->name = g_strdup(name);
        unit->object = tn_exec_unit_path(name);
        dbus_message_iter_next(&top);
        dbus_message_iter_next(&top);
        dbus_message_iter_recurse(&top, &list);
        for (; dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_STRUCT; dbus_message_iter_next(&list)) {
                DBusMessageIter entry, value;

                dbus_message_iter_recurse(&list, &entry);
                dbus_message_iter_get_basic(&entry, &key);
                dbus_message_iter_next(&entry);
                dbus_message_iter_recurse(&entry, &value);
                read_property(unit, key, &value);
        }
        return unit->name;
}

static char **make_env(const struct unit *unit)
{
        char **env = g_strsplit("PATH=/usr/bin:/bin LANG=C INVOCATION_ID=1 MANAGER=1", " ", 0);

        for (guint i = 0; i < unit->env->len; i++) {
                g_auto(GStrv) pair = g_strsplit(g_ptr_array_index(unit->env, i), "=", 2);

                env = g_environ_setenv(env, pair[0], pair[1], TRUE);
        }
        for (guint i = 0; i < unit->unset->len; i++)
                env = g_environ_unsetenv(env, g_ptr_array_index(unit->unset, i));
        return env;
}

static void fail_unit(int pipe_fd, int status)
{
        (void) !write(pipe_fd, "x", 1);
        _exit(status);
}

static void run_unit(const struct unit *unit, int pipe_fd)
{
        (void) setsid();
        for (int i = 0; i < 3; i++) {
                int fd = unit->fds[i] >= 0 ? unit->fds[i] : open("/dev/null", O_RDWR);

                (void) dup2(fd, i);
        }
        for (int fd = 3; fd < 64; fd++)
                if (fd != pipe_fd)
                        close(fd);
        if (unit->user && strcmp(unit->user, "nonesuch") == 0)
                fail_unit(pipe_fd, 217);
        if (unit->cwd && chdir(unit->cwd) < 0)
                fail_unit(pipe_fd, 200);
        execve(unit->program, (char **) unit->argv->pdata, make_env(unit));
        fail_unit(pipe_fd, 203);
}

/* Like Type=exec: returns when exec has worked, or when the child that has not done it has ended. */
static void start_unit(struct unit *unit)
{
        int fds[2];
        char byte;

        if (pipe2(fds, O_CLOEXEC) < 0)
                abort();
        unit->pid = fork();
        if (unit->pid == 0)
                run_unit(unit, fds[1]);
        close(fds[1]);
        if (read(fds[0], &byte, 1) == 1)
                (void) waitid(P_PID, (id_t) unit->pid, &(siginfo_t){0}, WEXITED | WNOWAIT);
        close(fds[0]);
        for (int i = 0; i < 3; i++)
                if (unit->fds[i] >= 0)
                        close(unit->fds[i]);
}

static void tell(const struct unit *unit)
{
        DBusMessage *signal = dbus_message_new_signal(unit->object, DBUS_INTERFACE_PROPERTIES,
                                                      "PropertiesChanged");
        const char *interface = "org.freedesktop.systemd1.Service";
        DBusMessageIter top, list;

        dbus_message_iter_init_append(signal, &top);
        dbus_message_iter_append_basic(&top, DBUS_TYPE_STRING, &interface);
        dbus_message_iter_open_container(&top, DBUS_TYPE_ARRAY, "{sv}", &list);
        dbus_message_iter_close_container(&top, &list);
        dbus_message_iter_open_container(&top, DBUS_TYPE_ARRAY, "s", &list);
        dbus_message_iter_close_container(&top, &list);
        if (m.flaw != TEST_SYSTEMD_SILENT)
                dbus_connection_send(m.connection, signal, NULL);
        dbus_message_unref(signal);
}

static void reap(void)
{
        for (unsigned i = 0; i < m.n_units; i++) {
                struct unit *unit = &m.units[i];
                siginfo_t info = {0};

                if (unit->code == 0 && unit->deadline && g_get_monotonic_time() > unit->deadline) {
                        unit->result = "timeout";
                        unit->deadline = 0;
                        kill(-unit->pid, SIGTERM);
                }
                if (unit->code != 0 || waitid(P_PID, (id_t) unit->pid, &info, WEXITED | WNOHANG) < 0 ||
                    info.si_pid == 0)
                        continue;
                unit->code = info.si_code;
                unit->status = info.si_status;
                if (strcmp(unit->result, "timeout") != 0 && (unit->code != CLD_EXITED || unit->status != 0))
                        unit->result = unit->code == CLD_EXITED ? "exit-code" : "signal";
                tell(unit);
        }
}

static void add_entry(DBusMessageIter *list, const char *name, const char *type, const void *value)
{
        DBusMessageIter entry, variant;

        dbus_message_iter_open_container(list, DBUS_TYPE_DICT_ENTRY, NULL, &entry);
        dbus_message_iter_append_basic(&entry, DBUS_TYPE_STRING, &name);
        dbus_message_iter_open_container(&entry, DBUS_TYPE_VARIANT, type, &variant);
        dbus_message_iter_append_basic(&variant, *type, value);
        dbus_message_iter_close_container(&entry, &variant);
        dbus_message_iter_close_container(list, &entry);
}

static void append_state(DBusMessage *reply, const struct unit *unit)
{
        const char *active = unit->code == 0                        ? "active"
                             : strcmp(unit->result, "success") == 0 ? "inactive"
                                                                    : "failed";
        bool executed = unit->code != CLD_EXITED || unit->status < 200;
        dbus_uint64_t since = executed ? 12345 : 0;
        dbus_uint32_t pid = (dbus_uint32_t) unit->pid;
        DBusMessageIter top, list;

        dbus_message_iter_init_append(reply, &top);
        dbus_message_iter_open_container(&top, DBUS_TYPE_ARRAY, "{sv}", &list);
        add_entry(&list, "Id", "s", &unit->name);
        add_entry(&list, "ActiveState", "s", &active);
        add_entry(&list, "ActiveEnterTimestampMonotonic", "t", &since);
        add_entry(&list, "ExecMainPID", "u", &pid);
        add_entry(&list, "ExecMainCode", "i", &unit->code);
        add_entry(&list, "ExecMainStatus", "i", &unit->status);
        add_entry(&list, "Result", "s", &unit->result);
        dbus_message_iter_close_container(&top, &list);
}

static void append_environment(DBusMessage *reply)
{
        static const char *const env[] = {"PATH=/usr/bin:/bin", "LANG=C", "MANAGER=1"};
        DBusMessageIter top, variant, list;

        dbus_message_iter_init_append(reply, &top);
        dbus_message_iter_open_container(&top, DBUS_TYPE_VARIANT, "as", &variant);
        dbus_message_iter_open_container(&variant, DBUS_TYPE_ARRAY, "s", &list);
        for (size_t i = 0; i < G_N_ELEMENTS(env); i++)
                dbus_message_iter_append_basic(&list, DBUS_TYPE_STRING, &env[i]);
        dbus_message_iter_close_container(&variant, &list);
        dbus_message_iter_close_container(&top, &variant);
}

static struct unit *find_unit(const char *name, bool by_object)
{
        for (unsigned i = 0; i < m.n_units; i++)
                if (strcmp(by_object ? m.units[i].object : m.units[i].name, name) == 0)
                        return &m.units[i];
        return NULL;
}

static DBusMessage *start_transient(DBusMessage *message)
{
        struct unit *unit = &m.units[m.n_units];
        const char *job = "/org/freedesktop/systemd1/job/1";
        DBusMessage *reply;

        fprintf(m.journal, "StartTransientUnit %s\n", read_unit(message, unit));
        if (m.flaw == TEST_SYSTEMD_FAILS)
                return dbus_message_new_error(message, "org.freedesktop.systemd1.Odd", "the moon is full");
        if (m.flaw == TEST_SYSTEMD_OLD && unit->knows_exit_type)
                return dbus_message_new_error(message, "org.freedesktop.DBus.Error.PropertyReadOnly",
                                              "Cannot set property ExitType, or unknown property.");
        start_unit(unit);
        m.n_units++;
        reap();
        tell(unit);
        reply = dbus_message_new_method_return(message);
        dbus_message_append_args(reply, DBUS_TYPE_OBJECT_PATH, &job, DBUS_TYPE_INVALID);
        return reply;
}

static DBusMessage *answer(DBusMessage *message)
{
        const char *method = dbus_message_get_member(message), *name = "";
        struct unit *unit = find_unit(dbus_message_get_path(message), true);
        DBusMessage *reply;

        if (m.flaw == TEST_SYSTEMD_DENIES)
                return dbus_message_new_error(message, DBUS_ERROR_ACCESS_DENIED, "not you");
        if (strcmp(method, "StartTransientUnit") == 0)
                return start_transient(message);
        reply = dbus_message_new_method_return(message);
        if (strcmp(method, "GetAll") == 0 && unit)
                append_state(reply, unit);
        if (strcmp(method, "Get") == 0)
                append_environment(reply);
        if (strcmp(method, "KillUnit") == 0 || strcmp(method, "UnrefUnit") == 0) {
                DBusMessageIter top;

                dbus_message_iter_init(message, &top);
                dbus_message_iter_get_basic(&top, &name);
                unit = find_unit(name, false);
                dbus_message_iter_next(&top);
        }
        if (strcmp(method, "KillUnit") == 0 && unit) {
                dbus_int32_t signal = 0;

                dbus_message_get_args(message, NULL, DBUS_TYPE_STRING, &name, DBUS_TYPE_STRING, &method,
                                      DBUS_TYPE_INT32, &signal, DBUS_TYPE_INVALID);
                kill(-unit->pid, signal);
                method = "KillUnit";
        }
        fprintf(m.journal, "%s %s\n", method, name);
        return reply;
}

static DBusHandlerResult on_call(DBusConnection *connection, DBusMessage *message, void *data)
{
        DBusMessage *reply;

        (void) data;
        if (dbus_message_get_type(message) != DBUS_MESSAGE_TYPE_METHOD_CALL)
                return DBUS_HANDLER_RESULT_NOT_YET_HANDLED;
        reply = answer(message);
        fflush(m.journal);
        if (!dbus_message_get_no_reply(message))
                dbus_connection_send(connection, reply, NULL);
        dbus_message_unref(reply);
        return DBUS_HANDLER_RESULT_HANDLED;
}

static void manage(const struct test_systemd *systemd, enum test_systemd_flaw flaw, int ready_fd)
{
        (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        m.flaw = flaw;
        m.journal = fopen(systemd->journal, "w");
        m.connection = dbus_connection_open_private(systemd->address, NULL);
        if (!m.journal || !m.connection || !dbus_bus_register(m.connection, NULL))
                _exit(1);
        if (flaw != TEST_SYSTEMD_ABSENT)
                dbus_bus_request_name(m.connection, SYSTEMD_NAME, 0, NULL);
        dbus_connection_add_filter(m.connection, on_call, NULL, NULL);
        (void) !write(ready_fd, "x", 1);
        close(ready_fd);
        while (dbus_connection_read_write_dispatch(m.connection, 10))
                reap();
        _exit(0);
}

static pid_t start_bus(char *address, size_t size)
{
        int fds[2];
        pid_t pid;
        ssize_t n;

        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        pid = fork();
        if (pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) dup2(fds[1], STDOUT_FILENO);
                execlp("dbus-daemon", "dbus-daemon", "--session", "--nofork", "--print-address", NULL);
                _exit(127);
        }
        close(fds[1]);
        n = read(fds[0], address, size - 1);
        close(fds[0]);
        assert_true(n > 0);
        address[n] = '\0';
        address[strcspn(address, "\n")] = '\0';
        return pid;
}

void test_systemd_start(struct test_systemd *systemd, enum test_systemd_flaw flaw, const char *folder)
{
        int fds[2];
        char byte;

        systemd->bus = start_bus(systemd->address, sizeof systemd->address);
        systemd->journal = g_build_filename(folder, "journal", NULL);
        assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
        systemd->manager = fork();
        if (systemd->manager == 0)
                manage(systemd, flaw, fds[1]);
        close(fds[1]);
        assert_int_equal(read(fds[0], &byte, 1), 1);
        close(fds[0]);
        g_setenv("DBUS_SYSTEM_BUS_ADDRESS", systemd->address, TRUE);
}

void test_systemd_stop(struct test_systemd *systemd)
{
        const pid_t pids[] = {systemd->manager, systemd->bus};

        for (size_t i = 0; i < G_N_ELEMENTS(pids); i++)
                if (pids[i] > 0) {
                        (void) kill(pids[i], SIGKILL);
                        assert_int_equal(waitpid(pids[i], NULL, 0), pids[i]);
                }
        g_free(systemd->journal);
        *systemd = (struct test_systemd){0};
        g_unsetenv("DBUS_SYSTEM_BUS_ADDRESS");
}

unsigned test_systemd_count(const struct test_systemd *systemd, const char *line)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;
        unsigned n = 0;

        assert_true(g_file_get_contents(systemd->journal, &text, NULL, NULL));
        lines = g_strsplit(text, "\n", -1);
        for (size_t i = 0; lines[i]; i++)
                n += g_str_has_prefix(lines[i], line);
        return n;
}
