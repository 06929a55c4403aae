/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A dispatcher with commands that a test can hold back: test-later, test-later-change and test-quiet stay
 * under way until bench_reply() or bench_fail(). The reply of test-stream is a stream of letters: x, and at
 * the end of one that was cut a single c.
 */
#pragma once

#include "support.h"

#include "agent/command.h"
#include "agent/dispatch.h"
#include "agent/facts.h"

struct bench {
        struct machine *machine;
        struct tn_config *config;
        struct tn_commands *commands;
        struct tn_facts *facts;
        struct tn_dispatch *dispatch;
        struct tenon_host host;
        GQueue calls;          /* struct tenon_call under way, oldest first */
        unsigned streams;      /* of test-stream that have not been freed */
        unsigned stream_bytes; /* that were pulled of all of them */
};

/* @config is the text of a configuration file. */
struct bench *bench_new(const char *config);
void bench_free(struct bench *bench);
typedef struct bench bench_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(bench_t, bench_free)

/* Ends the call at @index of those under way. */
void bench_reply(struct bench *bench, unsigned index, const char *value);
void bench_fail(struct bench *bench, unsigned index, const char *message);

/* A session whose replies are kept as text. */
struct talk {
        struct tn_session *session;
        GString *said; /* since the last assert_said() */
};

struct talk *talk_new(struct bench *bench, enum tn_trust trust);
void talk_free(struct talk *talk);
typedef struct talk talk_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(talk_t, talk_free)

/* @text is JSON in which ' stands for ". */
void talk_send(struct talk *talk, const char *text);
/* Compares what was said since the last time; in @wanted as well ' stands for ". */
#define assert_said(talk, wanted) assert_said_at(talk, wanted, __FILE__, __LINE__)
void assert_said_at(struct talk *talk, const char *wanted, const char *file, int line);

#define ERROR_REPLY(class, desc) "{'error': {'class': '" class "', 'desc': \"" desc "\"}}\n"
