/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The D-Bus messages between us and systemd's manager, built and read; nothing is sent here. See
 * org.freedesktop.systemd1(5). Kept apart from unit.c so that they can be tested without a bus.
 */
#pragma once

#include <dbus/dbus.h>

#include "plugins/exec/exec.h"

#define SYSTEMD_NAME      "org.freedesktop.systemd1"
#define SYSTEMD_PATH      "/org/freedesktop/systemd1"
#define SYSTEMD_MANAGER   "org.freedesktop.systemd1.Manager"
#define SYSTEMD_UNIT_PATH "/org/freedesktop/systemd1/unit/"

#define EXEC_SYSLOG_IDENTIFIER "tenon-exec"
#define EXEC_SLICE             "tenon-exec.slice" /* where an administrator limits all of them together */

/* One unit to start. */
struct tn_exec_unit_spec {
        const char *name;
        const struct tn_exec_request *request;
        const int *fds;                 /* three; -1: nothing to read, the journal to write to */
        const char *const *manager_env; /* what systemd would add: "NAME=value"; NULL-ended */
        bool until_group_ends;          /* ExitType=cgroup, systemd 250 */
};

/* StartTransientUnit. */
DBusMessage *tn_exec_unit_message_start(const struct tn_exec_unit_spec *spec);
/* StartTransientUnit of a `cat` from @fd to nowhere. */
DBusMessage *tn_exec_unit_message_drain(const char *name, int fd);
/* Asks for signals. */
DBusMessage *tn_exec_unit_message_subscribe(void);
/* A property of the manager. */
DBusMessage *tn_exec_unit_message_get(const char *property);
/* All properties of a unit. */
DBusMessage *tn_exec_unit_message_get_all(const char *object);
/* Lets go of what AddRef holds. */
DBusMessage *tn_exec_unit_message_unref(const char *name);
DBusMessage *tn_exec_unit_message_stop(const char *name);
DBusMessage *tn_exec_unit_message_kill(const char *name, int signal);

/* The reply of a Get of a list of strings; NULL when it is not one. Free with g_strfreev(). */
char **tn_exec_unit_message_strings(DBusMessage *reply);

/* What GetAll says of a unit. */
struct tn_exec_unit_state {
        char active[24];      /* ActiveState */
        char result[24];      /* Result: "success", "exit-code", "timeout", … */
        uint32_t job;         /* a job is pending */
        uint32_t pid;         /* ExecMainPID, kept after the end */
        int32_t code;         /* ExecMainCode: CLD_EXITED, …; 0 before the end */
        int32_t status;       /* ExecMainStatus */
        uint64_t active_usec; /* ActiveEnterTimestampMonotonic: 0 until it was ever active */
};
bool tn_exec_unit_message_state(DBusMessage *reply, struct tn_exec_unit_state *ret);

/* Object path of a unit. Free with g_free(). */
char *tn_exec_unit_path(const char *name);

/* Names of variables that systemd sets by itself and @env does not. Free with g_strfreev(). */
char **tn_exec_unit_unset(const char *const *manager_env, const char *const *env);
