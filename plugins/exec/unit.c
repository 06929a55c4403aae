/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A program in a transient unit. The surprising things: the unit's state is always asked for (GetAll) and
 * signals are only the reason to ask, for anybody could send one; and until StartTransientUnit has been
 * sent, every failure means "try another way", after it none does, for the program must not run twice.
 */
#include <fcntl.h>
#include <sys/wait.h>

#include "lib/bus.h"
#include "lib/env.h"
#include "lib/error.h"
#include "plugins/exec/exec.h"
#include "plugins/exec/unit-message.h"

#define ASK_MS   10000
#define START_MS 30000 /* the unit may have to wait for others */

struct tn_exec_units {
        struct tenon_host *host;
        struct tn_bus *bus; /* NULL: not connected */
        struct tn_bus_match *lost;
        GPtrArray *list; /* struct unit, all that are not freed */
        guint close_source;
        unsigned serial;
        bool no_exit_type; /* systemd is older than 250 */
};

struct unit {
        struct tn_exec_runner runner; /* first */
        struct tn_exec_units *units;
        const struct tn_exec_request *request; /* NULL: started */
        const int *fds;
        const struct tn_exec_events *events;
        void *data;
        char *name, *object;
        char **manager_env;
        struct tn_bus_match *match;
        guint poll_source;
        unsigned calls; /* under way */
        bool asking, ask_again;
        bool exit_type; /* as it was asked for */
        bool sent, started, done;
        bool released; /* nobody wants to hear of it */
};

/* What systemd's exit statuses of a child that never became the program mean; systemd.exec(5). */
static const struct {
        int status;
        const char *why;
} failures[] = {
        {200, "cannot change to the directory"},
        {203, "systemd could not execute it"},
        {204, "no memory"},
        {216, "the group does not exist"},
        {217, "the user does not exist"},
        {219, "no control group"},
        {226, "no name space"},
        {229, "SELinux refused it"},
        {231, "AppArmor refused it"},
};

static void unit_free(void *data)
{
        struct unit *unit = data;

        g_clear_handle_id(&unit->poll_source, g_source_remove);
        g_strfreev(unit->manager_env);
        g_free(unit->name);
        g_free(unit->object);
        g_free(unit);
}

static void call(struct unit *unit, DBusMessage *message, int timeout_ms, tn_bus_done done)
{
        unit->calls++;
        tn_bus_call(unit->units->bus, message, timeout_ms, done, unit);
        dbus_message_unref(message);
}

/* The callback's first line: false when the unit is not wanted any more, and may be gone now. */
static bool call_ended(struct unit *unit)
{
        unit->calls--;
        if (!unit->released)
                return true;
        if (unit->calls == 0)
                g_ptr_array_remove(unit->units->list, unit);
        return false;
}

static void on_ignored(DBusMessage *reply, const GError *error, void *data)
{
        struct unit *unit = data;

        (void) reply;
        if (error)
                unit->units->host->log(unit->units->host, 7, "%s: %s", unit->name, error->message);
        (void) call_ended(unit);
}

static void stop_watching(struct unit *unit)
{
        unit->done = true;
        g_clear_handle_id(&unit->poll_source, g_source_remove);
        tn_bus_unsubscribe(unit->match);
        unit->match = NULL;
}

static void refuse(struct unit *unit, const GError *error, bool refused)
{
        stop_watching(unit);
        unit->events->not_started(error, refused, unit->data);
}

static void end(struct unit *unit, const struct tn_exec_end *how)
{
        stop_watching(unit);
        unit->events->ended(how, unit->data);
}

static const char *find_failure(const struct tn_exec_unit_state *state)
{
        if (state->active_usec > 0 || state->code != CLD_EXITED)
                return NULL;
        for (size_t i = 0; i < G_N_ELEMENTS(failures); i++)
                if (failures[i].status == state->status)
                        return failures[i].why;
        return NULL;
}

static bool is_over(const struct tn_exec_unit_state *state)
{
        return state->job == 0 &&
               (g_str_equal(state->active, "inactive") || g_str_equal(state->active, "failed"));
}

/* Before it started: did it, or will it never? */
static void look_at_start(struct unit *unit, const struct tn_exec_unit_state *state)
{
        const char *why = find_failure(state);
        g_autoptr(GError) error = NULL;

        if (state->pid > 0 && !why &&
            (state->code != 0 || g_str_equal(state->active, "active") ||
             g_str_equal(state->active, "deactivating"))) {
                unit->started = true;
                unit->request = NULL;
                unit->events->started((pid_t) state->pid, unit->data);
        } else if (why || is_over(state)) {
                (void) tn_error_set(&error, TN_ERROR_FAILED,
                                    "Failed to execute child process “%s” (%s; see journalctl -u %s)",
                                    unit->request->path, why ? why : state->result, unit->name);
                refuse(unit, error, false);
        }
}

static void look_at_end(struct unit *unit, const struct tn_exec_unit_state *state)
{
        struct tn_exec_end how = {.exit_code = -1, .timed_out = g_str_equal(state->result, "timeout")};

        if (state->code == CLD_EXITED)
                how.exit_code = state->status;
        else if (state->code != 0)
                how.signal = state->status;
        else if (is_over(state))
                how.lost = "systemd does not know how it ended";
        else
                return;
        end(unit, &how);
}

static void ask(struct unit *unit);

static void on_state(DBusMessage *reply, const GError *error, void *data)
{
        struct unit *unit = data;
        struct tn_exec_unit_state state;

        if (!call_ended(unit) || unit->done)
                return;
        unit->asking = false;
        if (reply && tn_exec_unit_message_state(reply, &state)) {
                if (!unit->started)
                        look_at_start(unit, &state);
                if (unit->started && !unit->done)
                        look_at_end(unit, &state);
        } else if (error) {
                unit->units->host->log(unit->units->host, 7, "%s: %s", unit->name, error->message);
        }
        if (!unit->done && unit->ask_again)
                ask(unit);
}

static void ask(struct unit *unit)
{
        unit->ask_again = unit->asking;
        if (unit->asking)
                return;
        unit->asking = true;
        call(unit, tn_exec_unit_message_get_all(unit->object), ASK_MS, on_state);
}

static void on_changed(DBusMessage *signal, void *data)
{
        struct unit *unit = data;

        (void) signal;
        if (unit->sent)
                ask(unit);
}

static gboolean on_poll(void *data)
{
        ask(data);
        return G_SOURCE_CONTINUE;
}

static void send_start(struct unit *unit);

static void on_start(DBusMessage *reply, const GError *error, void *data)
{
        struct unit *unit = data;

        (void) reply;
        if (!call_ended(unit) || unit->done)
                return;
        if (!error) {
                unit->poll_source = g_timeout_add(tn_exec_times.poll_ms, on_poll, unit);
                ask(unit);
        } else if (unit->exit_type && g_error_matches(error, TN_ERROR, TN_ERROR_FAILED)) {
                /* Perhaps it does not know the property; what it refused, it did not start. */
                unit->units->no_exit_type = true;
                send_start(unit);
        } else {
                if (g_error_matches(error, TN_ERROR, TN_ERROR_TIMEOUT))
                        call(unit, tn_exec_unit_message_stop(unit->name), ASK_MS, on_ignored);
                refuse(unit, error, g_error_matches(error, TN_ERROR, TN_ERROR_DENIED));
        }
}

static void send_start(struct unit *unit)
{
        struct tn_exec_unit_spec spec = {
                .name = unit->name,
                .request = unit->request,
                .fds = unit->fds,
                .manager_env = (const char *const *) unit->manager_env,
                .until_group_ends = !unit->units->no_exit_type,
        };

        unit->exit_type = spec.until_group_ends;
        unit->sent = true;
        call(unit, tn_exec_unit_message_start(&spec), START_MS, on_start);
}

/* The first answer from systemd: it is there, and descriptors can be passed from now on. */
static void on_environment(DBusMessage *reply, const GError *error, void *data)
{
        struct unit *unit = data;

        if (!call_ended(unit) || unit->done)
                return;
        if (error) {
                refuse(unit, error, true);
                return;
        }
        unit->manager_env = tn_exec_unit_message_strings(reply);
        send_start(unit);
}

static gboolean on_close(void *data)
{
        struct tn_exec_units *units = data;

        units->close_source = 0;
        for (guint i = 0; i < units->list->len; i++) {
                struct unit *unit = g_ptr_array_index(units->list, i);

                unit->match = NULL; /* ends with the connection */
        }
        g_clear_pointer(&units->bus, tn_bus_free);
        return G_SOURCE_REMOVE;
}

/* Calls under way have got their error already, or get it before the connection is closed. */
static void on_lost(DBusMessage *signal, void *data)
{
        struct tn_exec_units *units = data;
        struct tn_exec_end how = {.exit_code = -1, .lost = "the connection to systemd was lost"};
        g_autoptr(GError) error = g_error_new_literal(TN_ERROR, TN_ERROR_FAILED, how.lost);

        (void) signal;
        for (guint i = 0; i < units->list->len; i++) {
                struct unit *unit = g_ptr_array_index(units->list, i);

                if (unit->released || unit->done || !unit->sent)
                        continue;
                if (unit->started)
                        end(unit, &how);
                else
                        refuse(unit, error, false);
        }
        if (!units->close_source)
                units->close_source = g_idle_add_full(G_PRIORITY_LOW, on_close, units, NULL);
}

static void on_subscribed(DBusMessage *reply, const GError *error, void *data)
{
        struct tn_exec_units *units = data;

        (void) reply;
        if (error) /* then the polls do it */
                units->host->log(units->host, 7, "systemd sends no signals: %s", error->message);
}

static bool connect_bus(struct tn_exec_units *units, GError **error)
{
        DBusMessage *subscribe;

        if (units->close_source)
                return tn_error_set(error, TN_ERROR_BUSY, "the connection to the bus was just lost");
        if (units->bus)
                return true;
        units->bus = tn_bus_open(NULL, error);
        if (!units->bus)
                return false;
        units->lost = tn_bus_subscribe(units->bus, NULL, DBUS_PATH_LOCAL, DBUS_INTERFACE_LOCAL,
                                       "Disconnected", on_lost, units);
        subscribe = tn_exec_unit_message_subscribe();
        tn_bus_call(units->bus, subscribe, ASK_MS, on_subscribed, units);
        dbus_message_unref(subscribe);
        return true;
}

static void unit_kill(struct tn_exec_runner *runner, int signal)
{
        struct unit *unit = (struct unit *) runner;

        if (unit->started && !unit->done)
                call(unit, tn_exec_unit_message_kill(unit->name, signal), ASK_MS, on_ignored);
}

static void unit_release(struct tn_exec_runner *runner)
{
        struct unit *unit = (struct unit *) runner;

        if (unit->units->bus && unit->sent)
                call(unit, tn_exec_unit_message_unref(unit->name), ASK_MS, on_ignored);
        stop_watching(unit);
        unit->released = true;
        if (unit->calls == 0)
                g_ptr_array_remove(unit->units->list, unit);
}

static const struct tn_exec_runner_ops unit_ops = {
        .keeps_time = true, .kill = unit_kill, .free = unit_release};

static char *make_name(struct tn_exec_units *units, const char *what)
{
        /* Not the number of a process: those come again, and a unit may outlive us. */
        return g_strdup_printf("tenon-%s-%" G_GINT64_MODIFIER "x-%u.service", what, g_get_real_time(),
                               ++units->serial);
}

struct tn_exec_runner *tn_exec_unit_start(struct tn_exec_units *units, const struct tn_exec_request *request,
                                          const int fds[3], const struct tn_exec_events *events, void *data,
                                          GError **error)
{
        struct unit *unit;

        if (!connect_bus(units, error))
                return NULL;
        unit = g_new0(struct unit, 1);
        *unit = (struct unit){
                .runner = {&unit_ops},
                .units = units,
                .request = request,
                .fds = fds,
                .events = events,
                .data = data,
                .name = make_name(units, "exec"),
        };
        unit->object = tn_exec_unit_path(unit->name);
        g_ptr_array_add(units->list, unit);
        unit->match = tn_bus_subscribe(units->bus, SYSTEMD_NAME, unit->object, DBUS_INTERFACE_PROPERTIES,
                                       "PropertiesChanged", on_changed, unit);
        call(unit, tn_exec_unit_message_get("Environment"), ASK_MS, on_environment);
        return &unit->runner;
}

void tn_exec_units_leave_output(struct tn_exec_units *units, int fd)
{
        g_autofree char *name = make_name(units, "exec-output");
        DBusMessage *message;

        if (!units->bus)
                return;
        (void) fcntl(fd, F_SETFL, 0); /* the other reader has to wait, as cat(1) does */
        message = tn_exec_unit_message_drain(name, fd);
        tn_bus_send(units->bus, message);
        dbus_message_unref(message);
        tn_bus_flush(units->bus);
}

struct tn_exec_units *tn_exec_units_new(struct tenon_host *host)
{
        struct tn_exec_units *units = g_new0(struct tn_exec_units, 1);

        units->host = host;
        units->list = g_ptr_array_new_with_free_func(unit_free);
        return units;
}

void tn_exec_units_free(struct tn_exec_units *units)
{
        if (!units)
                return;
        g_clear_handle_id(&units->close_source, g_source_remove);
        tn_bus_free(units->bus);
        g_ptr_array_unref(units->list);
        g_free(units);
}
