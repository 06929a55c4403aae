/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * QMP proper, for the port org.tenon.agent.0 (QEMU: docs/interop/qmp-spec): greeting, qmp_capabilities,
 * events. The surprising thing: events are never queued for a host that does not read; they are counted, and
 * the count comes with the next event that gets through ("dropped").
 */
#include "agent/dispatch-private.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"

#define HELD_MAX (64 * 1024) /* bytes of events that wait behind a reply that is half sent */

void tn_session_use_qmp(struct tn_session *session, tn_session_full full)
{
        session->qmp = true;
        session->full = full;
}

void tn_session_allow_events(struct tn_session *session, tn_session_full full)
{
        session->full = full;
}

static json_t *version(void)
{
        g_auto(GStrv) parts = g_strsplit(TN_VERSION, ".", 3);
        json_t *numbers = json_object();
        const char *const names[] = {"major", "minor", "micro"};

        for (size_t i = 0; i < G_N_ELEMENTS(names) && parts[i]; i++)
                json_object_set_new(numbers, names[i], json_integer(g_ascii_strtoll(parts[i], NULL, 10)));
        return json_pack("{s:o, s:s}", "tenon", numbers, "package", "tenon-" TN_VERSION);
}

void tn_session_greet(struct tn_session *session)
{
        json_auto_t *greeting = json_pack("{s:{s:o, s:[]}}", "QMP", "version", version(), "capabilities");
        g_autofree char *text = tn_json_line(greeting);
        g_autofree char *line = g_strdup_printf("%s\n", text);

        session->negotiated = false;
        session->events_dropped = 0;
        g_ptr_array_remove_fast(session->dispatch->subscribers, session);
        tn_session_write_line(session, line);
}

bool tn_qmp_handle(struct tn_session *session, const char *command, json_t **ret_value, GError **error)
{
        bool is_negotiation = g_str_equal(command, "qmp_capabilities");

        *ret_value = NULL;
        if (!session->qmp || (session->negotiated && !is_negotiation))
                return false;
        if (!session->negotiated && is_negotiation) {
                session->negotiated = true;
                g_ptr_array_add(session->dispatch->subscribers, session);
                *ret_value = json_object();
        } else if (session->negotiated) {
                tn_error_set(error, TN_ERROR_COMMAND_UNKNOWN,
                             "Capabilities negotiation is already complete, command ignored");
        } else {
                tn_error_set(error, TN_ERROR_COMMAND_UNKNOWN,
                             "Expecting capabilities negotiation with 'qmp_capabilities'");
        }
        return true;
}

static json_t *timestamp(const struct tn_env *env)
{
        uint64_t usec = env->now_usec(env, CLOCK_REALTIME);

        return json_pack("{s:I, s:I}", "seconds", (json_int_t) (usec / G_USEC_PER_SEC), "microseconds",
                         (json_int_t) (usec % G_USEC_PER_SEC));
}

static void send_event(struct tn_session *session, json_t *event)
{
        g_autofree char *text = NULL, *line = NULL;

        if (session->full(session->data) || tn_session_held(session) >= HELD_MAX) {
                session->events_dropped++;
                return;
        }
        if (session->events_dropped > 0)
                json_object_set_new(event, "dropped", json_integer((json_int_t) session->events_dropped));
        else
                json_object_del(event, "dropped");
        session->events_dropped = 0;
        text = tn_json_line(event);
        line = g_strdup_printf("%s\n", text);
        tn_session_write_line(session, line);
}

/* Why this boot became necessary: found before any host could listen, so it is told to each that comes. */
static void add_last_reset(json_t *data, const json_t *watchdog)
{
        json_t *last = json_object_get(watchdog, "last-reset");

        if (json_is_true(json_object_get(last, "this-boot")))
                json_object_set(data, "last-reset", last);
}

void tn_qmp_say_started(struct tn_session *session)
{
        const struct tn_env *env = session->dispatch->env;
        uint64_t usec = env->now_usec(env, CLOCK_BOOTTIME) - session->dispatch->started_usec;
        json_auto_t *event = json_pack("{s:s, s:{s:s, s:I}, s:o}", "event", "AGENT_STARTED", "data",
                                       "version", TN_VERSION, "uptime-seconds",
                                       (json_int_t) (usec / G_USEC_PER_SEC), "timestamp", timestamp(env));

        add_last_reset(json_object_get(event, "data"), tn_facts_get(session->dispatch->facts, "watchdog"));
        send_event(session, event);
}

static void replay(json_t *event, void *session)
{
        send_event(session, event);
}

void tn_call_watch_events(struct tenon_call *call, uint64_t usec)
{
        struct tn_session *session = call->session;
        GPtrArray *subscribers = call->dispatch->subscribers;

        if (!session || session->qmp || !session->full) {
                tn_call_fail(
                        call,
                        g_error_new(TN_ERROR, TN_ERROR_UNSUPPORTED,
                                    "events go to the control socket, and to hosts on the port " TN_PORT_QMP
                                    " after qmp_capabilities; not here"));
                return;
        }
        tn_call_reply(call, json_object());
        tn_history_each(&session->dispatch->history, usec, replay, session);
        if (!g_ptr_array_find(subscribers, session, NULL))
                g_ptr_array_add(subscribers, session);
}

void tn_dispatch_emit(struct tn_dispatch *dispatch, const char *name, json_t *data)
{
        json_auto_t *event = json_pack("{s:s, s:o, s:o}", "event", name, "data", data, "timestamp",
                                       timestamp(dispatch->env));

        tn_history_push(&dispatch->history, dispatch->env->now_usec(dispatch->env, CLOCK_REALTIME), event);
        for (guint i = 0; i < dispatch->subscribers->len; i++)
                send_event(g_ptr_array_index(dispatch->subscribers, i), event);
}
