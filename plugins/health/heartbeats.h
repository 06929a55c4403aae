/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The registry of heartbeats: programs that say again and again that they are well. It knows names, owners
 * and deadlines; sockets and buses are elsewhere (beat-socket.c, beat-bus.c). All times are of the monotonic
 * clock, which stands still while the guest sleeps, and which nobody sets.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/env.h"

#define HEARTBEAT_NAME_MAX       63
#define HEARTBEAT_TIMEOUT_MIN_MS 1000
#define HEARTBEAT_TIMEOUT_MAX_MS (24 * 3600 * 1000)

struct heartbeats;

struct heartbeat {
        char *name;
        uid_t uid;
        pid_t pid; /* of the owner, whose end is a missed beat; 0: nobody's */
        uint64_t timeout_usec, deadline_usec;
        bool required, missed;
        bool forgiven;       /* since its last beat */
        bool implicit;       /* registered by a first beat, without a name of its own */
        char *reason;        /* why it is missed */
        uint64_t since_usec; /* realtime: registered, missed or well again */
        uint64_t beats;
        struct heartbeats *owner;
        pid_t sender_pid; /* a child of the owner's that has beaten for it, and … */
        uid_t sender_uid;
        int pidfd;
        guint pid_source;
};

struct heartbeats_events {
        /* One was registered, unregistered (@heartbeat is about to go), missed, or is well again. */
        void (*changed)(const struct heartbeat *heartbeat, const char *what, void *data);
        void (*rearm)(void *data);
        void *data;
};

struct heartbeats *heartbeats_new(const struct tn_env *env, unsigned max, struct heartbeats_events events);
void heartbeats_free(struct heartbeats *heartbeats);

/* Who asks. Root may touch all heartbeats, others their own. */
struct heartbeat_peer {
        uid_t uid;
        pid_t pid; /* 0: its end means nothing */
        bool root;
};

/* The same name, owner process and timeout again change nothing, so that a client may repeat itself. */
bool heartbeats_register(struct heartbeats *heartbeats, const char *name, const struct heartbeat_peer *peer,
                         uint64_t timeout_ms, bool required, GError **error);
bool heartbeats_beat(struct heartbeats *heartbeats, const char *name, const struct heartbeat_peer *peer,
                     GError **error);
bool heartbeats_unregister(struct heartbeats *heartbeats, const char *name,
                           const struct heartbeat_peer *peer, GError **error);

/* For those that have found the heartbeat by other means. */
void heartbeats_beat_now(struct heartbeat *heartbeat);
/* Missed at once, before its time: the program says so itself, or it is gone. */
void heartbeats_fail(struct heartbeat *heartbeat, const char *reason);
void heartbeats_set_timeout(struct heartbeat *heartbeat, uint64_t timeout_ms);
void heartbeats_remove(struct heartbeat *heartbeat);

/* NULL: there is none. */
struct heartbeat *heartbeats_find(const struct heartbeats *heartbeats, const char *name);
struct heartbeat *heartbeats_find_pid(const struct heartbeats *heartbeats, pid_t pid);

/* Judges whose time is over. Not while what has come is still unread. */
void heartbeats_turn(struct heartbeats *heartbeats);
/* When the next one's time is over; 0: never. */
uint64_t heartbeats_next(const struct heartbeats *heartbeats);
/* Nobody is judged before this time. */
void heartbeats_hold(struct heartbeats *heartbeats, uint64_t until_usec);
/* Something stood still, and who waited for it could not beat: all have their whole time again. @once: but
 * not a second time without a beat. */
void heartbeats_forgive(struct heartbeats *heartbeats, bool once);

/* The first required one that is missed, or NULL. */
const struct heartbeat *heartbeats_culprit(const struct heartbeats *heartbeats);
void heartbeats_foreach(const struct heartbeats *heartbeats,
                        void (*func)(const struct heartbeat *heartbeat, void *data), void *data);
/* The fact; with @times also what changes with each beat. New reference. */
json_t *heartbeats_to_json(const struct heartbeats *heartbeats, bool times);
