/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What dispatch.c (requests), session.c (replies) and qmp.c (the second protocol) share. Nobody else's. */
#pragma once

#include "agent/dispatch.h"
#include "agent/history.h"
#include "lib/log.h"

struct tn_dispatch {
        const struct tn_env *env;
        const struct tn_commands *commands;
        const struct tn_facts *facts;
        struct tn_policy *policy;
        struct tn_counters counters;
        struct tn_log_ratelimit refusals;
        uint64_t started_usec;     /* CLOCK_BOOTTIME */
        GPtrArray *subscribers;    /* struct tn_session that take events; borrowed */
        struct tn_history history; /* the latest events */
};

struct tn_session {
        struct tn_dispatch *dispatch;
        enum tn_trust trust;
        char *transport;
        char *peer;
        tn_session_write write;
        void *data;
        GQueue calls;                 /* struct tenon_call whose reply is owed, oldest first */
        GQueue silent;                /* struct tenon_call under way that are answered only when they fail */
        struct tenon_call *streaming; /* its reply is half sent; no other line may go out before its end */
        GString *held;                /* events that wait for that */
        uint64_t serial;              /* of the newest request */
        bool qmp;                     /* speaks QMP proper: greeting, negotiation, events */
        bool negotiated;              /* qmp_capabilities was given */
        tn_session_full full;         /* NULL: no events go to this session */
        void (*restarted)(void *data); /* NULL: nobody wants to know */
        uint64_t events_dropped;
};

struct tenon_call {
        struct tn_session *session; /* NULL: nobody waits any more */
        struct tn_dispatch *dispatch;
        const struct tenon_command *desc;
        json_t *id;
        json_t *args;
        char *peer; /* copies: the session may be gone when the call ends */
        char *transport;
        tn_session_done done; /* NULL: the reply is a line of JSON */
        void *done_data;
        char *line; /* the reply, when there is one; or */
        const struct tenon_stream *stream;
        void *stream_data;
        uint64_t started_usec;
        uint64_t serial;
        bool ended;
};

/* Starts a reply in its turn: an error for a request that did not become a call. */
void tn_session_answer_error(struct tn_session *session, const GError *error, json_t *id);
/* The same with a value, of which it takes ownership. */
void tn_session_answer_value(struct tn_session *session, json_t *value, json_t *id);
/* A sync: replies that are still owed are dropped, and the channel is told. */
void tn_session_restart(struct tn_session *session);
/* Puts a call into its queue; from now on tn_call_reply() or tn_call_fail() ends it. */
void tn_session_push(struct tn_session *session, struct tenon_call *call);
/* Writes a whole line, behind a reply that is half sent. */
void tn_session_write_line(struct tn_session *session, const char *line);

/* Bytes of lines that wait for the end of a stream. */
size_t tn_session_held(const struct tn_session *session);

/* QMP's own commands and the rule that negotiation comes first. True: @command has been dealt with, with a
 * value in *ret_value (new reference) or an error. */
bool tn_qmp_handle(struct tn_session *session, const char *command, json_t **ret_value, GError **error);
/* The first event of each negotiated session: since when the agent runs. */
void tn_qmp_say_started(struct tn_session *session);
