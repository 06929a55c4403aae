/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * From a JSON text to a reply: is it a request, is the command known, allowed, possible while frozen, do
 * its arguments fit; run it; answer in the order of the requests; leave an audit record of what changes
 * state. Knows sessions, not file descriptors: a session is handed a function that takes reply bytes.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "agent/command.h"
#include "agent/facts.h"
#include "agent/policy.h"
#include "lib/env.h"

struct tn_dispatch;
struct tn_session;

/* Who is at the other end, which decides what is asked of the policy. */
enum tn_trust {
        TN_TRUST_HOST,       /* the policy decides */
        TN_TRUST_LOCAL_ROOT, /* root of this guest: everything */
        TN_TRUST_LOCAL_USER, /* a user of this guest: information only */
};

struct tn_counters {
        uint64_t requests;     /* JSON texts that arrived whole */
        uint64_t errors;       /* answered with an error, for whatever reason */
        uint64_t parse_errors; /* were not JSON or not a request */
        uint64_t refused;      /* by policy or because frozen */
        uint64_t abandoned;    /* replies dropped because the client had moved on or gone */
};

struct tn_dispatch *tn_dispatch_new(const struct tn_env *env, const struct tn_commands *commands,
                                    const struct tn_facts *facts);
void tn_dispatch_free(struct tn_dispatch *dispatch);
/* Takes ownership of @policy. */
void tn_dispatch_set_policy(struct tn_dispatch *dispatch, struct tn_policy *policy);
const struct tn_policy *tn_dispatch_policy(const struct tn_dispatch *dispatch);
const struct tn_counters *tn_dispatch_counters(const struct tn_dispatch *dispatch);

/* Takes the bytes of one reply line. */
typedef void (*tn_session_write)(const char *bytes, size_t len, void *data);

/* @peer and @transport, for logs ("host", "uid 0 pid 12"; "virtio-serial"), are copied. */
struct tn_session *tn_session_new(struct tn_dispatch *dispatch, enum tn_trust trust, const char *transport,
                                  const char *peer, tn_session_write write, void *data);
/* Calls @func whenever a sync shows that the client has started over. */
void tn_session_on_restart(struct tn_session *session, void (*func)(void *data));

/* True while the other side reads too slowly to be told more than it asked for. */
typedef bool (*tn_session_full)(void *data);
/* This session speaks QMP proper (docs/protocol.md): a greeting, negotiation before the first command,
 * events. Directly after tn_session_new(). */
void tn_session_use_qmp(struct tn_session *session, tn_session_full full);
/* This session speaks the dialect of QGA and may ask for events all the same: tenon-watch-events. */
void tn_session_allow_events(struct tn_session *session, tn_session_full full);
/* Ends a call of that command: the reply, then the events since @usec that are still known, and from now on
 * every one. Fails the call where events do not go to its session. */
void tn_call_watch_events(struct tenon_call *call, uint64_t usec);
/* Sends the greeting of a QMP session: a host has connected. Negotiation begins anew. */
void tn_session_greet(struct tn_session *session);
/* Sends {"event": @name, "data": @data, "timestamp"} to all QMP sessions that have negotiated and those that
 * watch. Takes
 * ownership of @data. A session that does not read loses the event; it is told how many with the next one.
 */
void tn_dispatch_emit(struct tn_dispatch *dispatch, const char *name, json_t *data);

/* Of a command that was run without the text around it: @value or @error, both borrowed. */
typedef void (*tn_session_done)(const json_t *value, const GError *error, void *data);
/* One command as a value: for D-Bus. The same checks, the same audit record. @done is called exactly once,
 * now or later, unless the session is freed before, which it may do itself. Takes ownership of @args, an
 * object.
 */
void tn_session_run(struct tn_session *session, const char *command, json_t *args, tn_session_done done,
                    void *data);

/* Requests under way go on; their replies are dropped. */
void tn_session_free(struct tn_session *session);

/* One JSON text from the framing. */
void tn_session_message(struct tn_session *session, const char *text, size_t len);
/* The framing found something that is no message: answered with an error. */
void tn_session_parse_error(struct tn_session *session, const char *why);
/* Appends the next piece of a reply that is sent as a stream to @out, which must be where the session's own
 * writes end, too. False: no such reply is under way. For whoever sends the bytes, when it has room. */
bool tn_session_pull(struct tn_session *session, GString *out);
/* Requests whose reply is still owed. */
unsigned tn_session_pending(const struct tn_session *session);
/* The agent stops: replies that are ready go out, and an error for each request that is still under way. */
void tn_session_finish(struct tn_session *session);
/* The other side was replaced: replies still owed are dropped. */
void tn_session_abandon(struct tn_session *session);

/* The functions of struct tenon_host. Take ownership of @value / @error. */
void tn_call_reply(struct tenon_call *call, json_t *value);
void tn_call_fail(struct tenon_call *call, GError *error);
void tn_call_reply_stream(struct tenon_call *call, const struct tenon_stream *stream, void *data);
bool tn_call_is_awaited(const struct tenon_call *call);
