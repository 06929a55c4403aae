/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Sessions and calls: replies leave in the order of the requests, with exceptions that keep a host from
 * waiting for nothing. guest-sync drops what was still owed to the requests before it (its sender has given
 * up on them); a command without a reply holds nobody up; while a freeze or a trim takes its time, the
 * commands that are allowed in the frozen state are answered at once; and over QMP a request with an id is
 * answered when it is done.
 *
 * A reply may be a stream: its text is pulled piece by piece by whoever sends the bytes. Until its end no
 * other line goes out.
 */
#include <string.h>

#include "agent/dispatch-private.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"

static void call_free(struct tenon_call *call)
{
        if (call->stream)
                call->stream->free(call->stream_data);
        json_decref(call->id);
        json_decref(call->args);
        g_free(call->peer);
        g_free(call->transport);
        g_free(call->line);
        g_free(call);
}

/* The line around a value: {"return": value} or {"error": …}, with the id of the request, which qemu-ga puts
 * before an error and behind a value. */
static void begin_line(GString *line, const struct tenon_call *call, const char *member, json_t *id)
{
        if (call && call->desc->flags & TN_COMMAND_DELIMITED)
                g_string_append_c(line, '\xff');
        g_string_append_c(line, '{');
        if (id && *member == 'e') {
                g_string_append(line, "\"id\": ");
                tn_json_append(line, id);
                g_string_append(line, ", ");
        }
        g_string_append_c(line, '"');
        g_string_append(line, member);
        g_string_append(line, "\": ");
}

static void end_line(GString *line, const char *member, json_t *id)
{
        if (id && *member != 'e') {
                g_string_append(line, ", \"id\": ");
                tn_json_append(line, id);
        }
        g_string_append(line, "}\n");
}

/* Takes @value. */
static char *reply_line(const struct tenon_call *call, const char *member, json_t *value, json_t *id)
{
        GString *line = g_string_sized_new(256);

        begin_line(line, call, member, id);
        tn_json_append(line, value);
        end_line(line, member, id);
        json_decref(value);
        return g_string_free(line, FALSE);
}

static char *error_line(const GError *error, json_t *id)
{
        json_t *value = json_object();
        int code = error->domain == TN_ERROR ? error->code : TN_ERROR_FAILED;

        json_object_set_new(value, "class", json_string(tn_error_class(code)));
        json_object_set_new(value, "desc", tn_json_text(error->message));
        return reply_line(NULL, "error", value, id);
}

void tn_session_write_line(struct tn_session *session, const char *line)
{
        if (session->streaming)
                g_string_append(session->held, line);
        else
                session->write(line, strlen(line), session->data);
}

size_t tn_session_held(const struct tn_session *session)
{
        return session->held->len;
}

/* May this finished call be answered although @waiting, an older one, is not done? */
static bool may_overtake(const struct tn_session *session, const struct tenon_call *call,
                         const struct tenon_call *waiting)
{
        if (session->qmp && call->id)
                return true;
        return waiting->desc->category == TENON_CATEGORY_FREEZE && call->desc &&
               (call->desc->flags & TENON_COMMAND_WHILE_FROZEN);
}

/* The next call that is ready and whose turn it is, or NULL; it has left the queue. */
static struct tenon_call *take_ready(struct tn_session *session)
{
        const struct tenon_call *waiting = NULL; /* the oldest that is not done */

        for (GList *link = session->calls.head; link; link = link->next) {
                struct tenon_call *call = link->data;

                if (!call->line && !call->stream) {
                        waiting = waiting ? waiting : call;
                } else if (!waiting || may_overtake(session, call, waiting)) {
                        g_queue_delete_link(&session->calls, link);
                        return call;
                }
        }
        return NULL;
}

/* The first bytes only: whoever sends them pulls the rest. */
static void start_stream(struct tn_session *session, struct tenon_call *call)
{
        g_autoptr(GString) head = g_string_new(NULL);

        begin_line(head, call, "return", NULL);
        session->streaming = call;
        session->write(head->str, head->len, session->data);
}

/* Sends what is ready. A write may pull a stream to its end, and so come back here. */
static void flush(struct tn_session *session)
{
        struct tenon_call *call;

        while (!session->streaming && (call = take_ready(session))) {
                if (call->stream) {
                        start_stream(session, call);
                } else {
                        tn_session_write_line(session, call->line);
                        call_free(call);
                }
        }
}

/* The text of the value is complete in @out: what follows it. */
static void end_stream(struct tn_session *session, GString *out)
{
        struct tenon_call *call = session->streaming;

        end_line(out, "return", call->id);
        g_string_append_len(out, session->held->str, (gssize) session->held->len);
        g_string_truncate(session->held, 0);
        session->streaming = NULL;
        call_free(call);
}

bool tn_session_pull(struct tn_session *session, GString *out)
{
        struct tenon_call *call = session->streaming;

        if (!call)
                return false;
        if (!call->stream->next(call->stream_data, out, false)) {
                end_stream(session, out);
                flush(session);
        }
        return true;
}

/* A client that starts over is not sent the rest; but what it was sent must still be a line of JSON. */
static void cut_stream(struct tn_session *session)
{
        g_autoptr(GString) rest = g_string_new(NULL);
        struct tenon_call *call = session->streaming;

        if (!call)
                return;
        (void) call->stream->next(call->stream_data, rest, true);
        session->dispatch->counters.abandoned++;
        end_stream(session, rest);
        session->write(rest->str, rest->len, session->data);
}

static void audit(const struct tenon_call *call, const GError *error)
{
        const char *result = error ? tn_error_name(error->domain == TN_ERROR ? error->code : TN_ERROR_FAILED)
                                   : "ok";
        g_autofree char *duration = NULL;

        if (!(call->desc->flags & TENON_COMMAND_CHANGES))
                return;
        duration = g_strdup_printf("%" G_GUINT64_FORMAT,
                                   tn_env_monotonic_usec(call->dispatch->env) - call->started_usec);
        tn_log(call->dispatch->env->log, TN_LOG_NOTICE,
               TN_FIELDS({TN_F_MESSAGE_ID, TN_MSG_AUDIT}, {TN_F_COMMAND, call->desc->name},
                         {TN_F_PEER, call->peer}, {TN_F_TRANSPORT, call->transport}, {TN_F_RESULT, result},
                         {TN_F_DURATION, duration}),
               "%s by %s over %s: %s%s%s", call->desc->name, call->peer, call->transport, result,
               error ? ", " : "", error ? error->message : "");
}

/* A line that belongs to no call waits for its turn behind replies that are still owed. Takes @line. */
static void answer_line(struct tn_session *session, char *line, json_t *id)
{
        struct tenon_call *call = g_new0(struct tenon_call, 1);

        call->line = line;
        call->id = json_incref(id);
        call->ended = true;
        g_queue_push_tail(&session->calls, call);
        flush(session);
}

/* A command without a reply is not in the queue: its error goes out only while nobody asked anything else.
 */
static void end_without_reply(struct tenon_call *call, const GError *error)
{
        if (call->session)
                g_queue_remove(&call->session->silent, call);
        if (error && call->session && call->session->serial == call->serial)
                answer_line(call->session, error_line(error, call->id), call->id);
        call_free(call);
}

/* Takes @value. @call->done may free the session. */
static void end_as_value(struct tenon_call *call, json_t *value, const GError *error)
{
        struct tn_session *session = call->session;

        if (session) {
                g_queue_remove(&session->calls, call);
                g_queue_remove(&session->silent, call);
                call->done(error ? NULL : value, error, call->done_data);
        } else {
                call->dispatch->counters.abandoned++;
        }
        json_decref(value);
        call_free(call);
}

static void end(struct tenon_call *call, json_t *value, const GError *error)
{
        struct tn_session *session = call->session;

        g_return_if_fail(!call->ended);
        call->ended = true;
        audit(call, error);
        if (error)
                call->dispatch->counters.errors++;
        if (call->done) {
                end_as_value(call, value, error);
                return;
        }
        if (call->desc->flags & TENON_COMMAND_NO_REPLY) {
                json_decref(value);
                end_without_reply(call, error);
                return;
        }
        if (!session) {
                call->dispatch->counters.abandoned++;
                json_decref(value);
                call_free(call);
                return;
        }
        call->line = error ? error_line(error, call->id) : reply_line(call, "return", value, call->id);
        if (error)
                json_decref(value);
        flush(session);
}

void tn_call_reply(struct tenon_call *call, json_t *value)
{
        end(call, value ? value : json_object(), NULL);
}

void tn_call_fail(struct tenon_call *call, GError *error)
{
        g_autoptr(GError) owned = error;

        end(call, NULL, owned);
}

void tn_call_reply_stream(struct tenon_call *call, const struct tenon_stream *stream, void *data)
{
        struct tn_session *session = call->session;

        g_return_if_fail(!call->ended);
        if (call->done) { /* what is too large to be held as a whole is too large for a message, too */
                stream->free(data);
                tn_call_fail(call,
                             g_error_new(TN_ERROR, TN_ERROR_UNSUPPORTED,
                                         "the answer of %s is not for D-Bus; ask over the control socket",
                                         call->desc->name));
                return;
        }
        call->ended = true;
        audit(call, NULL);
        call->stream = stream;
        call->stream_data = data;
        if (session && !(call->desc->flags & TENON_COMMAND_NO_REPLY)) {
                flush(session);
                return;
        }
        if (!session)
                call->dispatch->counters.abandoned++;
        else
                g_queue_remove(&session->silent, call);
        call_free(call);
}

bool tn_call_is_awaited(const struct tenon_call *call)
{
        return call->session != NULL;
}

struct tn_session *tn_session_new(struct tn_dispatch *dispatch, enum tn_trust trust, const char *transport,
                                  const char *peer, tn_session_write write, void *data)
{
        struct tn_session *session = g_new0(struct tn_session, 1);

        session->dispatch = dispatch;
        session->trust = trust;
        session->transport = g_strdup(transport);
        session->peer = g_strdup(peer);
        session->write = write;
        session->data = data;
        g_queue_init(&session->calls);
        g_queue_init(&session->silent);
        session->held = g_string_new(NULL);
        return session;
}

void tn_session_abandon(struct tn_session *session)
{
        struct tenon_call *call = g_steal_pointer(&session->streaming);

        if (call) {
                session->dispatch->counters.abandoned++;
                call_free(call);
        }
        g_string_truncate(session->held, 0);
        while ((call = g_queue_pop_head(&session->calls))) {
                call->session = NULL;
                if (call->ended) { /* waited only for its turn */
                        session->dispatch->counters.abandoned++;
                        call_free(call);
                }
        }
        while ((call = g_queue_pop_head(&session->silent)))
                call->session = NULL;
}

/* Not abandoned: a host that waits without a limit must hear that nothing will come. */
static void fail_unfinished(struct tn_session *session)
{
        for (GList *link = session->calls.head; link; link = link->next) {
                struct tenon_call *call = link->data, *answer;
                g_autoptr(GError) error = NULL;

                if (call->ended)
                        continue;
                tn_error_set(&error, TN_ERROR_FAILED,
                             "the agent is being stopped while %s is under way; look whether it was done "
                             "before asking again",
                             call->desc->name);
                answer = g_new0(struct tenon_call, 1);
                answer->line = error_line(error, call->id);
                answer->id = json_incref(call->id);
                answer->ended = true;
                call->session = NULL;
                link->data = answer;
                session->dispatch->counters.errors++;
        }
}

void tn_session_finish(struct tn_session *session)
{
        fail_unfinished(session);
        flush(session);
}

void tn_session_on_restart(struct tn_session *session, void (*func)(void *data))
{
        session->restarted = func;
}

void tn_session_restart(struct tn_session *session)
{
        cut_stream(session);
        tn_session_abandon(session);
        if (session->restarted)
                session->restarted(session->data);
}

void tn_session_push(struct tn_session *session, struct tenon_call *call)
{
        g_queue_push_tail(call->desc->flags & TENON_COMMAND_NO_REPLY ? &session->silent : &session->calls,
                          call);
}

void tn_session_free(struct tn_session *session)
{
        if (!session)
                return;
        g_ptr_array_remove_fast(session->dispatch->subscribers, session);
        tn_session_abandon(session);
        g_free(session->transport);
        g_free(session->peer);
        g_string_free(session->held, TRUE);
        g_free(session);
}

unsigned tn_session_pending(const struct tn_session *session)
{
        return g_queue_get_length((GQueue *) &session->calls) + (session->streaming ? 1 : 0);
}

void tn_session_answer_error(struct tn_session *session, const GError *error, json_t *id)
{
        session->dispatch->counters.errors++;
        answer_line(session, error_line(error, id), id);
}

void tn_session_answer_value(struct tn_session *session, json_t *value, json_t *id)
{
        answer_line(session, reply_line(NULL, "return", value, id), id);
}
