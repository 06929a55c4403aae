/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * One freeze, seen from the agent:
 *
 *   hooks "freeze" → plan → keeper freezes → frozen → keeper thaws → hooks "thaw" → keeper ends → replies
 *
 * The keeper is started before the first hook, so that hooks are owed their "thaw" even if the agent dies
 * in the middle of them. What the keeper does is read off the board; look() compares it with what was seen
 * last. The timer here is only the second line: it catches a keeper that hangs while it opens mount points,
 * was stopped, or cannot thaw. Nothing in this file waits, but for freeze_run_free(). Longer than a room,
 * because it is one state machine.
 */
#include "plugins/freeze/run.h"

#include "lib/error.h"
#include "lib/json.h"
#include "plugins/freeze/hooks.h"
#include "plugins/freeze/link.h"
#include "plugins/freeze/marker.h"
#include "plugins/freeze/plan.h"
#include "plugins/freeze/report.h"
#include "plugins/freeze/sequence.h"
#include "plugins/freeze/settings.h"

#define GRACE_MS    3000 /* at most: beyond a deadline that the keeper holds */
#define STOP_MS     3000 /* waiting for the thaw when the agent ends */
#define RESCUES_MAX 5

enum stage {
        STAGE_IDLE,
        STAGE_FREEZE_HOOKS,
        STAGE_KEEPER, /* from FREEZE_GO on, until nothing is frozen */
        STAGE_THAW_HOOKS,
        STAGE_END, /* the keeper was told to end */
};

struct freeze_run {
        struct tenon_host *host;
        struct freeze_link *link;
        enum stage stage;
        struct freeze_board *board; /* NULL when idle, like the next three */
        struct freeze_plan *plan;
        GPtrArray *hooks;
        char **only;
        struct freeze_sequence sequence;
        guint timer;
        int seen_phase;
        bool hanging; /* callers were told that not everything could be thawed */
        unsigned rescues;
        struct tenon_call *freeze_call; /* NULL: none waits */
        GPtrArray *thaw_calls;
        char *error;         /* why the freeze failed; the first one stays */
        json_t *last_report; /* NULL: there was no freeze */
};

static void publish(struct freeze_run *run, const char *state)
{
        json_t *fact = json_pack("{s:s}", "state", state);

        tn_json_set_text(fact, "error", run->error);
        run->host->fact_set(run->host, "freeze", fact);
}

static void set_error(struct freeze_run *run, const char *message)
{
        if (run->error)
                return;
        run->error = g_strdup(message);
        run->host->log(run->host, 4, "freeze: %s", message);
}

static void answer_freeze(struct freeze_run *run, unsigned count)
{
        struct tenon_call *call = g_steal_pointer(&run->freeze_call);
        bool late = run->board->why == FREEZE_WHY_DEADLINE;

        if (call && run->error)
                run->host->fail(call,
                                g_error_new_literal(TN_ERROR, late ? TN_ERROR_TIMEOUT : TN_ERROR_FAILED,
                                                    run->error));
        else if (call)
                run->host->reply(call, json_integer(count));
}

/* @error: NULL for the count. */
static void answer_thaws(struct freeze_run *run, const char *error)
{
        g_autoptr(GPtrArray) calls = g_steal_pointer(&run->thaw_calls);
        unsigned count = freeze_board_thawed(run->board);

        run->thaw_calls = g_ptr_array_new();
        for (guint i = 0; i < calls->len; i++)
                if (error)
                        run->host->fail(g_ptr_array_index(calls, i),
                                        g_error_new_literal(TN_ERROR, TN_ERROR_BUSY, error));
                else
                        run->host->reply(g_ptr_array_index(calls, i), json_integer(count));
}

static void set_timer(struct freeze_run *run, uint64_t ms, GSourceFunc func)
{
        g_clear_handle_id(&run->timer, g_source_remove);
        run->timer = func ? g_timeout_add((guint) ms, func, run) : 0;
}

/* How long the keeper may take beyond what it should; shorter when the whole freeze is to be short. */
static uint64_t grace_ms(const struct freeze_run *run)
{
        return MIN(GRACE_MS, run->board->timeout_usec / 1000);
}

static void forget(struct freeze_run *run)
{
        set_timer(run, 0, NULL);
        g_clear_pointer(&run->board, freeze_board_free);
        g_clear_pointer(&run->plan, freeze_plan_free);
        g_clear_pointer(&run->hooks, g_ptr_array_unref);
        g_clear_pointer(&run->only, g_strfreev);
        g_clear_pointer(&run->error, g_free);
        run->stage = STAGE_IDLE;
}

/* Last step: nothing is frozen, no hook and no keeper runs. */
static void finish(struct freeze_run *run)
{
        json_decref(run->last_report);
        run->last_report = freeze_report_new(run->board, run->plan, run->hooks, run->error);
        publish(run, "thawed");
        answer_freeze(run, 0);
        answer_thaws(run, NULL);
        forget(run);
}

static gboolean on_end_late(void *data)
{
        struct freeze_run *run = data;

        run->timer = 0;
        freeze_link_abandon(run->link);
        finish(run);
        return G_SOURCE_REMOVE;
}

static void on_thaw_hooks_done(const char *failure, void *data)
{
        struct freeze_run *run = data;

        (void) failure; /* a thaw hook's is in the report */
        run->stage = STAGE_END;
        if (!freeze_link_is_up(run->link)) {
                finish(run);
                return;
        }
        freeze_link_quit(run->link);
        set_timer(run, grace_ms(run), on_end_late);
}

static void tell_why(struct freeze_run *run)
{
        enum freeze_why why = (enum freeze_why) run->board->why;
        unsigned thawed = freeze_board_thawed(run->board);

        if (why != FREEZE_WHY_REQUEST && why != FREEZE_WHY_FAILED && thawed)
                run->host->log(run->host, 4, "%u file systems were thawed without the host: %s", thawed,
                               freeze_report_why(why));
}

/* Nothing is frozen any more: writing is possible again. */
static void settle(struct freeze_run *run)
{
        set_timer(run, 0, NULL);
        run->board->phase = FREEZE_PHASE_THAWED; /* without a keeper nobody else says so */
        if (run->freeze_call) {
                g_autofree char *failure = freeze_report_failure(run->board);

                set_error(run, failure);
        }
        publish(run, "thawed");
        tell_why(run);
        if (run->plan)
                freeze_marker_remove(run->host, run->plan);
        run->stage = STAGE_THAW_HOOKS;
        run->sequence.done = on_thaw_hooks_done;
        freeze_sequence_thaw(&run->sequence);
}

static gboolean on_thaw_late(void *data)
{
        struct freeze_run *run = data;
        g_autofree char *message = freeze_report_hanging(run->board);

        run->timer = 0;
        if (!message) /* it was thawed just now; the keeper's poke is under way */
                return G_SOURCE_REMOVE;
        run->hanging = true;
        set_error(run, message);
        publish(run, "thawing");
        answer_freeze(run, 0);
        answer_thaws(run, message);
        return G_SOURCE_REMOVE;
}

static bool start_keeper(struct freeze_run *run, bool rescue, GError **error)
{
        run->seen_phase = FREEZE_PHASE_WAIT;
        return freeze_link_start(run->link, run->board, run->hooks, run->host->root_fd, rescue, error);
}

static gboolean on_rescue(void *data);

/* Another keeper thaws what the one before held. Tried again later when it cannot be started, because
 * there is nothing else left to try. */
static void rescue(struct freeze_run *run)
{
        g_autoptr(GError) error = NULL;

        publish(run, "thawing");
        if (run->rescues++ < RESCUES_MAX && start_keeper(run, true, &error)) {
                run->host->log(run->host, 4, "another freezer thaws what is still frozen");
                set_timer(run, grace_ms(run), on_thaw_late);
                return;
        }
        (void) on_thaw_late(run);
        run->host->log(run->host, 3, "file systems are still frozen (try fsfreeze -u): %s",
                       error ? error->message : "one freezer after the other was killed");
        run->rescues = 0;
        set_timer(run, 10 * grace_ms(run), on_rescue);
}

static gboolean on_rescue(void *data)
{
        struct freeze_run *run = data;

        run->timer = 0;
        rescue(run);
        return G_SOURCE_REMOVE;
}

static void keeper_lost(struct freeze_run *run)
{
        run->board->stop = true;
        freeze_board_set_why(run->board, FREEZE_WHY_RESCUE);
        if (freeze_board_holds(run->board))
                rescue(run);
        else
                settle(run);
}

static gboolean on_ended(void *data)
{
        struct freeze_run *run = data;

        if (run->stage == STAGE_END)
                finish(run);
        else if (run->stage == STAGE_KEEPER)
                keeper_lost(run);
        return G_SOURCE_REMOVE; /* in the stages of hooks: those go on, and find no keeper afterwards */
}

/* The keeper holds its deadlines by itself, unless it cannot run. */
static gboolean on_overdue(void *data)
{
        struct freeze_run *run = data;

        run->timer = 0;
        freeze_board_set_why(run->board, FREEZE_WHY_DEADLINE);
        run->board->stop = true;
        if (run->board->phase <= FREEZE_PHASE_FLUSH)
                set_error(run, "opening the file systems did not end in time; nothing was frozen");
        freeze_link_abandon(run->link);
        keeper_lost(run);
        return G_SOURCE_REMOVE;
}

static void become_frozen(struct freeze_run *run)
{
        unsigned count = freeze_board_count(run->board, FREEZE_STATE_FROZEN);

        if (count)
                publish(run, "frozen");
        else /* the kernel could freeze none of them: stays thawed */
                freeze_link_thaw(run->link);
        answer_freeze(run, count);
}

/* What the board says, compared with what was seen of it last. */
static gboolean look(void *data)
{
        struct freeze_run *run = data;
        int phase = run->board->phase;

        if (phase == run->seen_phase || run->stage != STAGE_KEEPER)
                return G_SOURCE_CONTINUE;
        /* A quick thaw may be over before we are told that it began; who follows the states sees it all the
         * same. */
        if (phase == FREEZE_PHASE_THAWED && run->seen_phase == FREEZE_PHASE_FROZEN)
                publish(run, "thawing");
        run->seen_phase = phase;
        switch ((enum freeze_phase) phase) {
        case FREEZE_PHASE_FREEZE:
                set_timer(run, run->board->timeout_usec / 1000 + grace_ms(run), on_overdue);
                break;
        case FREEZE_PHASE_FROZEN:
                set_timer(run, run->board->timeout_usec / 1000 + grace_ms(run), on_overdue);
                become_frozen(run);
                break;
        case FREEZE_PHASE_THAW:
                set_timer(run, grace_ms(run), on_thaw_late);
                publish(run, "thawing");
                break;
        case FREEZE_PHASE_THAWED:
                settle(run);
                break;
        case FREEZE_PHASE_WAIT:
        case FREEZE_PHASE_OPEN:
        case FREEZE_PHASE_FLUSH:
                break;
        }
        return G_SOURCE_CONTINUE;
}

static bool fill_board(struct freeze_run *run, GError **error)
{
        g_auto(GStrv) exclude = freeze_settings_exclude(run->host);

        run->plan = freeze_plan_new(run->host->env, (const char *const *) exclude,
                                    (const char *const *) run->only, error);
        return run->plan && freeze_plan_fill(run->plan->steps, run->board, error);
}

/* The hooks are through; or not: then the keeper is told not to begin, and answers that all is thawed. The
 * plan is made only now, because hooks may have mounted something. */
static void on_freeze_hooks_done(const char *failure, void *data)
{
        struct freeze_run *run = data;
        g_autoptr(GError) error = NULL;

        run->stage = STAGE_KEEPER;
        if (!failure && !fill_board(run, &error))
                failure = error->message;
        if (!freeze_link_is_up(run->link)) {
                set_error(run, failure ? failure : "the freezer was ended from outside");
                settle(run);
                return;
        }
        set_timer(run, run->board->timeout_usec / 1000 + grace_ms(run), on_overdue);
        if (failure) {
                set_error(run, failure);
                freeze_link_thaw(run->link);
                return;
        }
        freeze_marker_write(run->host, run->plan, run->board);
        publish(run, "freezing");
        freeze_link_go(run->link);
}

/* What every run begins with. */
static bool prepare(struct freeze_run *run, unsigned timeout_ms, GError **error)
{
        run->board = freeze_board_new(error);
        if (!run->board)
                return false;
        run->hooks = freeze_settings_hooks(run->host);
        run->board->n_hooks = run->hooks->len;
        run->board->timeout_usec = (uint64_t) timeout_ms * 1000;
        run->board->began_at = freeze_now_usec();
        run->sequence = (struct freeze_sequence){.host = run->host,
                                                 .hooks = run->hooks,
                                                 .board = run->board,
                                                 .done = on_freeze_hooks_done,
                                                 .data = run};
        run->rescues = 0;
        run->hanging = false;
        return true;
}

/* False with @error NULL: there is nothing to freeze. */
static bool anything_to_freeze(struct freeze_run *run, const char *const *only, GError **error)
{
        g_auto(GStrv) exclude = freeze_settings_exclude(run->host);
        g_autoptr(freeze_plan_t)
                plan = freeze_plan_new(run->host->env, (const char *const *) exclude, only, error);

        return plan && plan->steps->len > 0;
}

void freeze_run_freeze(struct freeze_run *run, struct tenon_call *call, unsigned timeout_ms,
                       const char *const *only)
{
        GError *error = NULL;

        if (run->stage != STAGE_IDLE) {
                run->host->fail(call,
                                g_error_new(TN_ERROR, TN_ERROR_BUSY,
                                            "a freeze is already under way; see tenon-get-freeze-report"));
                return;
        }
        if (!anything_to_freeze(run, only, &error) && !error) {
                run->host->reply(call, json_integer(0));
                return;
        }
        if (error || !prepare(run, timeout_ms, &error) || !start_keeper(run, false, &error)) {
                forget(run);
                run->host->fail(call, error);
                return;
        }
        run->only = g_strdupv((char **) only);
        run->freeze_call = call;
        run->stage = STAGE_FREEZE_HOOKS;
        publish(run, "hooks");
        run->host->log(run->host, 6, "freeze asked for: %u hooks, frozen for at most %u ms", run->hooks->len,
                       timeout_ms);
        freeze_sequence_freeze(&run->sequence);
}

void freeze_run_thaw(struct freeze_run *run, struct tenon_call *call)
{
        if (run->stage == STAGE_IDLE) {
                run->host->reply(call, json_integer(0));
                return;
        }
        if (run->hanging && run->stage == STAGE_KEEPER) {
                run->host->fail(call, g_error_new_literal(TN_ERROR, TN_ERROR_BUSY, run->error));
                return;
        }
        g_ptr_array_add(run->thaw_calls, call);
        if (run->stage == STAGE_FREEZE_HOOKS)
                freeze_sequence_cancel(&run->sequence);
        else if (run->stage == STAGE_KEEPER)
                freeze_link_thaw(run->link);
}

const char *freeze_run_status(const struct freeze_run *run)
{
        return run->board && run->stage == STAGE_KEEPER && freeze_board_holds(run->board) ? "frozen"
                                                                                          : "thawed";
}

json_t *freeze_run_report(const struct freeze_run *run)
{
        if (run->stage != STAGE_IDLE)
                return freeze_report_new(run->board, run->plan, run->hooks, run->error);
        return run->last_report ? json_incref(run->last_report) : json_pack("{s:s}", "state", "none");
}

/* An agent and its keeper were killed while frozen. Which hooks had run is not known: all get a "thaw". */
static void thaw_leftovers(struct freeze_run *run)
{
        g_autoptr(GError) error = NULL;

        if (!prepare(run, freeze_settings_timeout_ms(run->host), &error) || !fill_board(run, &error)) {
                run->host->log(run->host, 3, "file systems may be frozen (try fsfreeze -u): %s",
                               error->message);
                forget(run);
                return;
        }
        for (unsigned i = 0; i < run->board->n_items; i++)
                run->board->items[i].state = FREEZE_STATE_FROZEN;
        for (guint i = 0; i < run->hooks->len; i++)
                run->board->hook_begun[i] = !((struct freeze_hook *) run->hooks->pdata[i])->refused;
        run->host->log(run->host, 4, "an agent before this one was killed while frozen: thawing");
        run->stage = STAGE_KEEPER;
        keeper_lost(run);
}

struct freeze_run *freeze_run_new(struct tenon_host *host)
{
        struct freeze_run *run = g_new0(struct freeze_run, 1);
        g_autoptr(freeze_plan_t) plan = NULL;

        run->host = host;
        run->link = freeze_link_new(look, on_ended, run);
        run->thaw_calls = g_ptr_array_new();
        publish(run, "thawed");
        plan = freeze_plan_new(host->env, NULL, NULL, NULL);
        if (plan && freeze_marker_found(host, plan))
                thaw_leftovers(run);
        return run;
}

static void leave(struct freeze_run *run)
{
        if (run->freeze_call)
                set_error(run, "the agent is stopping");
        freeze_link_leave(run->link, run->board, STOP_MS);
        if (run->plan && !freeze_board_holds(run->board))
                freeze_marker_remove(run->host, run->plan);
        answer_freeze(run, 0);
        answer_thaws(run, NULL);
        forget(run);
}

void freeze_run_free(struct freeze_run *run)
{
        if (!run)
                return;
        if (run->stage != STAGE_IDLE)
                leave(run);
        freeze_link_free(run->link);
        json_decref(run->last_report);
        g_ptr_array_unref(run->thaw_calls);
        g_free(run);
}
