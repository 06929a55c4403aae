/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The registry of heartbeats. A beat makes a missed one well again. */
#define _GNU_SOURCE
#include "plugins/health/heartbeats.h"

#include <glib-unix.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "lib/problems.h"

#define USER_SHARE 4 /* a user other than root may have one of so many */
#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-@:"

struct heartbeats {
        const struct tn_env *env;
        unsigned max;
        struct heartbeats_events events;
        GPtrArray *list; /* struct heartbeat */
};

static uint64_t now(const struct heartbeats *heartbeats)
{
        return tn_env_monotonic_usec(heartbeats->env);
}

static void rearm(const struct heartbeats *heartbeats)
{
        heartbeats->events.rearm(heartbeats->events.data);
}

static void changed(const struct heartbeat *heartbeat, const char *what)
{
        heartbeat->owner->events.changed(heartbeat, what, heartbeat->owner->events.data);
}

static void note_time(struct heartbeat *heartbeat)
{
        const struct tn_env *env = heartbeat->owner->env;

        heartbeat->since_usec = env->now_usec(env, CLOCK_REALTIME);
}

static void let_go(struct heartbeat *heartbeat)
{
        g_clear_handle_id(&heartbeat->pid_source, g_source_remove);
        tn_fd_close(&heartbeat->pidfd);
}

static void heartbeat_free(void *data)
{
        struct heartbeat *heartbeat = data;

        let_go(heartbeat);
        g_free(heartbeat->name);
        g_free(heartbeat->reason);
        g_free(heartbeat);
}

struct heartbeats *heartbeats_new(const struct tn_env *env, unsigned max, struct heartbeats_events events)
{
        struct heartbeats *heartbeats = g_new0(struct heartbeats, 1);

        heartbeats->env = env;
        heartbeats->max = max;
        heartbeats->events = events;
        heartbeats->list = g_ptr_array_new_with_free_func(heartbeat_free);
        return heartbeats;
}

void heartbeats_free(struct heartbeats *heartbeats)
{
        if (!heartbeats)
                return;
        g_ptr_array_free(heartbeats->list, TRUE);
        g_free(heartbeats);
}

struct heartbeat *heartbeats_find(const struct heartbeats *heartbeats, const char *name)
{
        for (guint i = 0; i < heartbeats->list->len; i++) {
                struct heartbeat *heartbeat = g_ptr_array_index(heartbeats->list, i);

                if (g_str_equal(heartbeat->name, name))
                        return heartbeat;
        }
        return NULL;
}

struct heartbeat *heartbeats_find_pid(const struct heartbeats *heartbeats, pid_t pid)
{
        for (guint i = 0; i < heartbeats->list->len; i++) {
                struct heartbeat *heartbeat = g_ptr_array_index(heartbeats->list, i);

                if (heartbeat->pid == pid && heartbeat->pid_source)
                        return heartbeat;
        }
        return NULL;
}

void heartbeats_beat_now(struct heartbeat *heartbeat)
{
        heartbeat->beats++;
        heartbeat->forgiven = false;
        heartbeat->deadline_usec = now(heartbeat->owner) + heartbeat->timeout_usec;
        rearm(heartbeat->owner);
        if (!heartbeat->missed)
                return;
        heartbeat->missed = false;
        g_clear_pointer(&heartbeat->reason, g_free);
        note_time(heartbeat);
        changed(heartbeat, "beats again");
}

void heartbeats_fail(struct heartbeat *heartbeat, const char *reason)
{
        if (heartbeat->missed)
                return;
        heartbeat->missed = true;
        heartbeat->reason = g_strdup(reason);
        note_time(heartbeat);
        rearm(heartbeat->owner);
        changed(heartbeat, "was missed");
}

void heartbeats_set_timeout(struct heartbeat *heartbeat, uint64_t timeout_ms)
{
        heartbeat->timeout_usec = CLAMP(timeout_ms, HEARTBEAT_TIMEOUT_MIN_MS, HEARTBEAT_TIMEOUT_MAX_MS) *
                                  1000;
        heartbeat->deadline_usec = now(heartbeat->owner) + heartbeat->timeout_usec;
        rearm(heartbeat->owner);
}

void heartbeats_remove(struct heartbeat *heartbeat)
{
        struct heartbeats *heartbeats = heartbeat->owner;
        guint index = 0;

        (void) g_ptr_array_find(heartbeats->list, heartbeat, &index);
        (void) g_ptr_array_steal_index(heartbeats->list, index);
        rearm(heartbeats);
        changed(heartbeat, "was unregistered");
        heartbeat_free(heartbeat);
}

static gboolean on_owner_ended(int fd, GIOCondition condition, void *data)
{
        struct heartbeat *heartbeat = data;
        g_autofree char *reason = g_strdup_printf("process %d ended without unregistering", heartbeat->pid);

        (void) fd;
        (void) condition;
        heartbeat->pid_source = 0;
        let_go(heartbeat);
        heartbeats_fail(heartbeat, reason);
        return G_SOURCE_REMOVE;
}

/* One that has ended already is seen so at once, by the loop. */
static void watch_owner(struct heartbeat *heartbeat, pid_t pid)
{
        let_go(heartbeat);
        heartbeat->pid = pid;
        heartbeat->pidfd = pid > 0 ? (int) syscall(SYS_pidfd_open, pid, 0) : -1;
        if (heartbeat->pidfd >= 0)
                heartbeat->pid_source = g_unix_fd_add(heartbeat->pidfd, G_IO_IN, on_owner_ended, heartbeat);
}

static bool check_arguments(const char *name, uint64_t timeout_ms, GError **error)
{
        size_t len = strlen(name);

        if (len == 0 || len > HEARTBEAT_NAME_MAX || strspn(name, NAME_CHARS) != len)
                return tn_error_set(
                        error, TN_ERROR_INVALID,
                        "the name of a heartbeat is 1 to %d characters out of letters, digits and "
                        "_.-@:",
                        HEARTBEAT_NAME_MAX);
        if (timeout_ms < HEARTBEAT_TIMEOUT_MIN_MS || timeout_ms > HEARTBEAT_TIMEOUT_MAX_MS)
                return tn_error_set(error, TN_ERROR_INVALID, "the timeout of a heartbeat is %d s to %d s",
                                    HEARTBEAT_TIMEOUT_MIN_MS / 1000, HEARTBEAT_TIMEOUT_MAX_MS / 1000);
        return true;
}

static bool check_room(const struct heartbeats *heartbeats, const struct heartbeat_peer *peer,
                       GError **error)
{
        unsigned own = 0, share = MAX(heartbeats->max / USER_SHARE, 1);

        for (guint i = 0; i < heartbeats->list->len; i++)
                own += ((struct heartbeat *) g_ptr_array_index(heartbeats->list, i))->uid == peer->uid;
        if (heartbeats->list->len >= heartbeats->max)
                return tn_error_set(error, TN_ERROR_LIMIT,
                                    "there are %u heartbeats already; see max in [heartbeat]",
                                    heartbeats->max);
        if (!peer->root && own >= share)
                return tn_error_set(error, TN_ERROR_LIMIT,
                                    "this user has %u heartbeats already; see max in [heartbeat]", own);
        return true;
}

static bool check_owner(const struct heartbeat *heartbeat, const struct heartbeat_peer *peer, GError **error)
{
        return peer->root || heartbeat->uid == peer->uid ||
               tn_error_set(error, TN_ERROR_DENIED, "heartbeat '%s' belongs to another user",
                            heartbeat->name);
}

static bool is_repeated(const struct heartbeat *heartbeat, const struct heartbeat_peer *peer,
                        uint64_t timeout_ms, bool required)
{
        return peer->pid && heartbeat->pid == peer->pid && heartbeat->pid_source &&
               heartbeat->timeout_usec == timeout_ms * 1000 && heartbeat->required == required;
}

bool heartbeats_register(struct heartbeats *heartbeats, const char *name, const struct heartbeat_peer *peer,
                         uint64_t timeout_ms, bool required, GError **error)
{
        struct heartbeat *heartbeat = heartbeats_find(heartbeats, name);

        if (!check_arguments(name, timeout_ms, error) ||
            (heartbeat ? !check_owner(heartbeat, peer, error) : !check_room(heartbeats, peer, error)))
                return false;
        if (heartbeat && is_repeated(heartbeat, peer, timeout_ms, required))
                return true;
        if (!heartbeat) {
                heartbeat = g_new0(struct heartbeat, 1);
                heartbeat->owner = heartbeats;
                heartbeat->name = g_strdup(name);
                heartbeat->uid = peer->uid;
                heartbeat->pidfd = -1;
                g_ptr_array_add(heartbeats->list, heartbeat);
        }
        watch_owner(heartbeat, peer->pid);
        heartbeat->sender_pid = 0;
        heartbeat->required = required;
        heartbeat->implicit = false;
        heartbeat->missed = false;
        g_clear_pointer(&heartbeat->reason, g_free);
        note_time(heartbeat);
        heartbeats_set_timeout(heartbeat, timeout_ms);
        changed(heartbeat, "was registered");
        return true;
}

static struct heartbeat *find_own(struct heartbeats *heartbeats, const char *name,
                                  const struct heartbeat_peer *peer, GError **error)
{
        struct heartbeat *heartbeat = heartbeats_find(heartbeats, name);

        if (!heartbeat)
                (void) tn_error_set(error, TN_ERROR_NOT_FOUND, "no heartbeat '%s' is registered", name);
        return heartbeat && check_owner(heartbeat, peer, error) ? heartbeat : NULL;
}

bool heartbeats_beat(struct heartbeats *heartbeats, const char *name, const struct heartbeat_peer *peer,
                     GError **error)
{
        struct heartbeat *heartbeat = find_own(heartbeats, name, peer, error);

        if (heartbeat)
                heartbeats_beat_now(heartbeat);
        return heartbeat != NULL;
}

bool heartbeats_unregister(struct heartbeats *heartbeats, const char *name,
                           const struct heartbeat_peer *peer, GError **error)
{
        struct heartbeat *heartbeat = find_own(heartbeats, name, peer, error);

        if (heartbeat)
                heartbeats_remove(heartbeat);
        return heartbeat != NULL;
}

void heartbeats_turn(struct heartbeats *heartbeats)
{
        uint64_t usec = now(heartbeats);

        for (guint i = 0; i < heartbeats->list->len; i++) {
                struct heartbeat *heartbeat = g_ptr_array_index(heartbeats->list, i);
                g_autofree char *reason = NULL;

                if (heartbeat->missed || heartbeat->deadline_usec > usec)
                        continue;
                reason = g_strdup_printf("no beat for %.0f s",
                                         (double) heartbeat->timeout_usec / G_USEC_PER_SEC);
                heartbeats_fail(heartbeat, reason);
        }
}

uint64_t heartbeats_next(const struct heartbeats *heartbeats)
{
        uint64_t next = 0;

        for (guint i = 0; i < heartbeats->list->len; i++) {
                const struct heartbeat *heartbeat = g_ptr_array_index(heartbeats->list, i);

                if (!heartbeat->missed && (!next || heartbeat->deadline_usec < next))
                        next = heartbeat->deadline_usec;
        }
        return next;
}

void heartbeats_hold(struct heartbeats *heartbeats, uint64_t until_usec)
{
        for (guint i = 0; i < heartbeats->list->len; i++) {
                struct heartbeat *heartbeat = g_ptr_array_index(heartbeats->list, i);

                heartbeat->deadline_usec = MAX(heartbeat->deadline_usec, until_usec);
        }
        rearm(heartbeats);
}

void heartbeats_forgive(struct heartbeats *heartbeats, bool once)
{
        for (guint i = 0; i < heartbeats->list->len; i++) {
                struct heartbeat *heartbeat = g_ptr_array_index(heartbeats->list, i);

                if (once && heartbeat->forgiven)
                        continue;
                heartbeat->forgiven = once;
                heartbeat->deadline_usec = now(heartbeats) + heartbeat->timeout_usec;
        }
        rearm(heartbeats);
}

const struct heartbeat *heartbeats_culprit(const struct heartbeats *heartbeats)
{
        for (guint i = 0; i < heartbeats->list->len; i++) {
                const struct heartbeat *heartbeat = g_ptr_array_index(heartbeats->list, i);

                if (heartbeat->required && heartbeat->missed)
                        return heartbeat;
        }
        return NULL;
}

void heartbeats_foreach(const struct heartbeats *heartbeats,
                        void (*func)(const struct heartbeat *heartbeat, void *data), void *data)
{
        for (guint i = 0; i < heartbeats->list->len; i++)
                func(g_ptr_array_index(heartbeats->list, i), data);
}

static json_t *describe(const struct heartbeat *heartbeat, bool times)
{
        json_t *row = json_pack("{s:s, s:s, s:b, s:I, s:I, s:I, s:I}", "name", heartbeat->name, "state",
                                heartbeat->missed ? "missed" : "ok", "required", heartbeat->required,
                                "timeout-ms", (json_int_t) (heartbeat->timeout_usec / 1000), "uid",
                                (json_int_t) heartbeat->uid, "pid", (json_int_t) heartbeat->pid, "since",
                                (json_int_t) (heartbeat->since_usec / G_USEC_PER_SEC));
        uint64_t usec = now(heartbeat->owner);

        if (heartbeat->missed)
                json_object_set_new(row, "reason", json_string(heartbeat->reason));
        if (!times)
                return row;
        json_object_set_new(row, "beats", json_integer((json_int_t) heartbeat->beats));
        if (!heartbeat->missed)
                json_object_set_new(
                        row, "left-ms",
                        json_integer(heartbeat->deadline_usec > usec
                                             ? (json_int_t) (heartbeat->deadline_usec - usec) / 1000
                                             : 0));
        return row;
}

static void add_problem(json_t *fact, const struct heartbeat *heartbeat)
{
        g_autofree char *remedy = g_strdup_printf(
                "start the program again; if it will not come back: tenonctl heartbeat remove %s",
                heartbeat->name);

        tn_problems_add(fact, remedy, "heartbeat %s was missed: %s", heartbeat->name, heartbeat->reason);
}

json_t *heartbeats_to_json(const struct heartbeats *heartbeats, bool times)
{
        json_t *rows = json_array(), *fact = json_pack("{s:o}", "heartbeats", rows);

        tn_problems_init(fact);
        for (guint i = 0; i < heartbeats->list->len; i++) {
                const struct heartbeat *heartbeat = g_ptr_array_index(heartbeats->list, i);

                json_array_append_new(rows, describe(heartbeat, times));
                if (heartbeat->missed)
                        add_problem(fact, heartbeat);
        }
        return fact;
}
