/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * How long the agent's main loop is busy with one thing, and so deaf to all else. The surprising thing:
 * nothing wakes up for it. A source of the loop that is never ready by itself is asked before and after each
 * sleep of the loop; the time between the end of one sleep and the beginning of the next is what is
 * measured.
 */
#include "lib/env.h"
#include "plugins/health/check.h"

struct loop_source {
        GSource source; /* first */
        struct health_check *check;
        uint64_t woke_usec; /* 0: not yet */
        double longest_ms;  /* since the last measurement */
};

static bool is_long(const struct loop_source *loop)
{
        const struct health_check *check = loop->check;

        return health_judge(loop->longest_ms, check->warning, check->critical, false) != HEALTH_OK;
}

/* Before the sleep. While the check is not well it is measured in its interval, by the timer of all checks.
 */
static gboolean on_prepare(GSource *source, gint *timeout)
{
        struct loop_source *loop = (struct loop_source *) source;

        *timeout = -1;
        if (loop->woke_usec) {
                uint64_t busy = tn_env_monotonic_usec(loop->check->host->env) - loop->woke_usec;

                loop->longest_ms = MAX(loop->longest_ms, (double) busy / 1000);
                loop->woke_usec = 0;
        }
        return loop->check->due_usec == 0 && is_long(loop);
}

/* After the sleep. */
static gboolean on_check(GSource *source)
{
        struct loop_source *loop = (struct loop_source *) source;

        loop->woke_usec = tn_env_monotonic_usec(loop->check->host->env);
        return FALSE;
}

static gboolean on_dispatch(GSource *source, GSourceFunc func, void *data)
{
        (void) func;
        (void) data;
        health_check_look(((struct loop_source *) source)->check);
        return G_SOURCE_CONTINUE;
}

static GSourceFuncs functions = {.prepare = on_prepare, .check = on_check, .dispatch = on_dispatch};

static void init(struct health_check *check)
{
        GSource *source = g_source_new(&functions, sizeof(struct loop_source));

        ((struct loop_source *) source)->check = check;
        g_source_set_static_name(source, "health: loop");
        g_source_set_priority(source, G_MININT); /* else others that are ready keep it from being asked */
        (void) g_source_attach(source, NULL);
        check->own = source;
}

static void deinit(struct health_check *check)
{
        if (!check->own)
                return;
        g_source_destroy(check->own);
        g_source_unref(check->own);
}

static void measure(struct health_check *check)
{
        struct loop_source *loop = check->own;
        double longest_ms = loop->longest_ms;

        loop->longest_ms = 0;
        health_check_value(check, longest_ms, "the main loop was busy for up to %.0f ms", longest_ms);
}

static bool watches(const struct health_check *check)
{
        (void) check;
        return true;
}

const struct health_type health_type_loop = {
        .name = "loop",
        .remedy = "the host gives too little CPU time, or the agent hangs: journalctl -u tenond",
        .unit = " ms",
        .deadline_ms = 1000,
        .init = init,
        .deinit = deinit,
        .measure = measure,
        .watches = watches,
};
