/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Jumps of the clock. A timerfd with TFD_TIMER_CANCEL_ON_SET becomes readable when CLOCK_REALTIME is set,
 * and at no other time, so waiting costs no wakeup. How far it was is the change of its distance to
 * CLOCK_BOOTTIME, which nobody can set, and which goes on while the machine sleeps. The surprising thing: a
 * clock that is slewed, by NTP for example, is no jump, for both clocks are slewed alike.
 */
#define _GNU_SOURCE
#include "plugins/timesync/jump.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

#define NEVER_SECONDS INT64_C(0x7fffffffff) /* 17 millennia from 1970 */
#define CLOSE_USEC    100U                  /* two looks that are no further apart are one moment */
#define LOOKS_MAX     8

G_STATIC_ASSERT(sizeof(time_t) == sizeof NEVER_SECONDS); /* on 32 bits, too: see meson.build */

struct tn_jump {
        const struct tn_env *env;
        int fd;
        guint source;
        struct tn_jump_pair last;
        void (*jumped)(int64_t distance_usec, const struct tn_jump_pair *now, void *data);
        void *data;
};

/* A pair that was read in one go: a process that is preempted in between looks again. */
static struct tn_jump_pair look(const struct tn_env *env)
{
        struct tn_jump_pair pair = {0};

        for (unsigned i = 0; i < LOOKS_MAX; i++) {
                uint64_t before = env->now_usec(env, CLOCK_BOOTTIME), after;

                pair.realtime = env->now_usec(env, CLOCK_REALTIME);
                after = env->now_usec(env, CLOCK_BOOTTIME);
                pair.boottime = before + (after - before) / 2;
                if (after - before <= CLOSE_USEC)
                        break;
        }
        return pair;
}

int64_t tn_jump_distance(const struct tn_jump_pair *before, const struct tn_jump_pair *after)
{
        int64_t distance = (int64_t) (after->realtime - before->realtime) -
                           (int64_t) (after->boottime - before->boottime);

        return distance > -TN_JUMP_LEAST_USEC && distance < TN_JUMP_LEAST_USEC ? 0 : distance;
}

static bool arm(struct tn_jump *jump, GError **error)
{
        struct itimerspec never = {.it_value.tv_sec = NEVER_SECONDS};

        if (timerfd_settime(jump->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL) == 0)
                return true;
        return tn_error_errno(error, errno, "watch the clock");
}

static gboolean on_set(int fd, GIOCondition condition, void *data)
{
        struct tn_jump *jump = data;
        struct tn_jump_pair now;
        uint64_t expirations;
        int64_t distance;

        (void) condition;
        if (read(fd, &expirations, sizeof expirations) < 0 && errno != ECANCELED)
                return G_SOURCE_CONTINUE;
        if (!arm(jump, NULL)) {
                jump->source = 0;
                return G_SOURCE_REMOVE;
        }
        now = look(jump->env);
        distance = tn_jump_distance(&jump->last, &now);
        jump->last = now;
        jump->jumped(distance, &now, jump->data);
        return G_SOURCE_CONTINUE;
}

struct tn_jump *tn_jump_new(const struct tn_env *env,
                            void (*jumped)(int64_t distance_usec, const struct tn_jump_pair *now,
                                           void *data),
                            void *data, GError **error)
{
        struct tn_jump *jump = g_new0(struct tn_jump, 1);

        *jump = (struct tn_jump){.env = env, .jumped = jumped, .data = data};
        jump->fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        if (jump->fd < 0)
                (void) tn_error_errno(error, errno, "watch the clock");
        if (jump->fd < 0 || !arm(jump, error)) {
                tn_jump_free(jump);
                return NULL;
        }
        jump->last = look(env);
        jump->source = g_unix_fd_add(jump->fd, G_IO_IN, on_set, jump);
        return jump;
}

void tn_jump_free(struct tn_jump *jump)
{
        if (!jump)
                return;
        g_clear_handle_id(&jump->source, g_source_remove);
        tn_fd_close(&jump->fd);
        g_free(jump);
}
