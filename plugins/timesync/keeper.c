/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * One look at the clocks, and what follows. In this order: has somebody set the clock; what does the precise
 * source say, if there is one; what does the hardware clock say; was there a jump; act.
 */
#include "plugins/timesync/keeper.h"

#include <string.h>

#include "lib/error.h"
#include "plugins/timesync/keeper-phc.h"
#include "plugins/timesync/keeper-rtc.h"

#define LATE_MAX_NSEC      (200 * TN_NSEC_PER_MSEC) /* a guest that is that slow misses jumps of so much */
#define CLOSE_NSEC         (20 * TN_NSEC_PER_USEC)  /* two looks that are no further apart are one moment */
#define READINGS_MAX       8
#define AGAIN_MAX          3
#define SET_ERROR_NSEC     TN_NSEC_PER_SEC /* who sets a clock takes so long at most, it is believed */
#define FOREIGN_NSEC       (10 * TN_NSEC_PER_MSEC) /* more than any slewing does between two looks */
#define JUMP_RECENT_NSEC   (60 * TN_NSEC_PER_SEC)
#define JUMP_PATIENCE_NSEC (1800 * TN_NSEC_PER_SEC) /* a daemon may take so long to notice a jump */
#define OFFSET_MAX_NSEC    (INT64_C(10) * 366 * 86400 * TN_NSEC_PER_SEC) /* ten years stopped: no */

static int64_t raw_now(const struct tn_keeper *keeper)
{
        return keeper->world.clock->raw_nsec(keeper->world.clock->data);
}

/* CLOCK_REALTIME minus the clock that @get reads. A processor that is taken away in between spoils a
 * reading, for as long as it is away; so the fastest of some counts. */
static int64_t offset_to(const struct tn_clock *clock, int64_t (*get)(void *data), int64_t *ret_error)
{
        int64_t best = 0, least = G_MAXINT64;

        for (unsigned i = 0; i < READINGS_MAX && least > CLOSE_NSEC; i++) {
                int64_t before = get(clock->data), real = clock->realtime_nsec(clock->data);
                int64_t width = get(clock->data) - before;

                if (width >= least)
                        continue;
                least = width;
                best = real - (before + width / 2);
        }
        *ret_error = (least + 1) / 2;
        return best;
}

static void read_offsets(struct tn_keeper *keeper)
{
        const struct tn_clock *clock = keeper->world.clock;

        keeper->boot_offset_nsec = offset_to(clock, clock->boottime_nsec, &keeper->boot_error_nsec);
        keeper->raw_offset_nsec = offset_to(clock, clock->raw_nsec, &keeper->raw_error_nsec);
}

void tn_keeper_init(struct tn_keeper *keeper, const struct tn_keeper_world *world,
                    const struct tn_keeper_settings *settings)
{
        struct tn_clock_state state;

        *keeper = (struct tn_keeper){
                .world = *world, .settings = *settings, .searching = true, .vmclock.fd = -1};
        keeper->since_nsec = raw_now(keeper);
        keeper->servo.limits = (struct tn_servo_limits){.step_nsec = settings->step_nsec,
                                                        .backward = settings->backward,
                                                        .offset_max_nsec = OFFSET_MAX_NSEC,
                                                        .constant_nsec = settings->interval_s *
                                                                         TN_NSEC_PER_SEC};
        if (settings->mode == TN_KEEPER_OFF)
                return;
        keeper->owner = tn_clock_owner_find(world->env);
        read_offsets(keeper);
        /* What an earlier owner of the clock, or an earlier start of ours, found that the oscillator needs.
         */
        if (world->clock->get_state(world->clock->data, &state, NULL))
                keeper->servo.frequency_ppb = keeper->servo.drift_ppb = state.frequency_ppb;
}

void tn_keeper_deinit(struct tn_keeper *keeper)
{
        tn_phc_free(keeper->phc);
        keeper->phc = NULL;
        tn_vmclock_close(&keeper->vmclock);
        g_clear_pointer(&keeper->phc_problem, g_free);
        g_clear_pointer(&keeper->host_problem, g_free);
}

enum tn_keeper_mode tn_keeper_mode_now(const struct tn_keeper *keeper)
{
        enum tn_keeper_mode mode = keeper->settings.mode;

        if (mode == TN_KEEPER_AUTO || mode == TN_KEEPER_DISCIPLINE)
                return keeper->owner ? TN_KEEPER_OBSERVE : TN_KEEPER_DISCIPLINE;
        if (mode == TN_KEEPER_ASSIST && !keeper->owner)
                return TN_KEEPER_OBSERVE;
        return mode;
}

/* The clock was made right by somebody who knows. What the hardware clock showed before says nothing now:
 * the guest may just have stood still, and this may be why. So that is located anew, and learnt from the
 * clock. */
static void believe_clock(struct tn_keeper *keeper, int64_t error_nsec)
{
        if (!keeper->rtc_dropped_until)
                tn_keeper_rtc_forget(keeper);
        keeper->contradicted = false;
        keeper->has_reference = false;
        keeper->clock_believed = true;
        keeper->believed_error_nsec = error_nsec;
}

/* The host has stepped the clock by so much. Was that for a pause that the keeper has not noticed yet? It
 * was when the hardware clock contradicts by just as much; a pause that comes now contradicts by something
 * else. */
static void believe_host(struct tn_keeper *keeper, int64_t step_nsec, int64_t error_nsec)
{
        if (keeper->searching || keeper->rtc_dropped_until || !keeper->phase.at_nsec) {
                believe_clock(keeper, error_nsec);
                return;
        }
        tn_keeper_rtc_learn(keeper, 0, error_nsec);
        keeper->contradicted = false;
        keeper->believed_error_nsec = error_nsec;
        memmove(&keeper->made_up[1], &keeper->made_up[0], sizeof keeper->made_up - sizeof *keeper->made_up);
        keeper->made_up[0].nsec = step_nsec;
        keeper->made_up[0].at = raw_now(keeper);
}

static void start_anew(struct tn_keeper *keeper)
{
        keeper->epoch++;
        read_offsets(keeper);
        keeper->servo.last_nsec = 0;
        believe_clock(keeper, SET_ERROR_NSEC);
}

void tn_keeper_clock_was_set(struct tn_keeper *keeper)
{
        int64_t before = keeper->boot_offset_nsec;

        start_anew(keeper);
        keeper->set_sample = (struct tn_sample){.offset_nsec = keeper->boot_offset_nsec - before,
                                                .error_nsec = SET_ERROR_NSEC,
                                                .at_nsec = raw_now(keeper)};
}

/* A step by somebody else is a decision of theirs: the hardware clock is learnt anew. */
static void notice_steps(struct tn_keeper *keeper)
{
        int64_t before = keeper->boot_offset_nsec, error = keeper->boot_error_nsec, moved;

        read_offsets(keeper);
        moved = keeper->boot_offset_nsec - before;
        if (llabs(moved) > FOREIGN_NSEC + error + keeper->boot_error_nsec)
                start_anew(keeper);
}

/* Is there a daemon that says that its time is right? */
static bool owner_is_right(const struct tn_keeper *keeper, int64_t *ret_error_nsec)
{
        const struct tn_clock *clock = keeper->world.clock;
        struct tn_clock_state state;

        if (!keeper->owner || keeper->contradicted || !clock->get_state(clock->data, &state, NULL) ||
            !state.synchronized)
                return false;
        *ret_error_nsec = state.maxerror_usec * TN_NSEC_PER_USEC;
        return true;
}

/* After a jump the kernel still believes what the daemon said before it. When the daemon has left the clock
 * where it is for long, it was not the guest that jumped, but the hardware clock. */
static bool owner_is_content(struct tn_keeper *keeper, int64_t apart_nsec)
{
        int64_t now = raw_now(keeper);

        if (keeper->doubt_since == 0 ||
            llabs(apart_nsec - keeper->doubt_nsec) > keeper->settings.step_nsec) {
                keeper->doubt_since = now;
                keeper->doubt_nsec = apart_nsec;
        }
        return now - keeper->doubt_since >= JUMP_PATIENCE_NSEC;
}

static void learn_from_owner(struct tn_keeper *keeper)
{
        int64_t apart = tn_phase_middle(&keeper->phase) - keeper->raw_offset_nsec - keeper->reference_nsec;
        int64_t error;

        if (!owner_is_right(keeper, &error))
                return;
        if (keeper->has_reference && keeper->reference_error_nsec < TN_NSEC_PER_SEC &&
            llabs(apart) > MAX(keeper->settings.step_nsec, error) && !owner_is_content(keeper, apart))
                return;
        keeper->doubt_since = 0;
        tn_keeper_rtc_learn(keeper, 0, error);
}

/* The host's clock, so far from ours, beside a daemon that asks servers of its own: which of the two is
 * wrong cannot be seen from here, so it is told and not followed. Right after a jump it is no news. */
static void judge_host(struct tn_keeper *keeper, int64_t offset_nsec, int64_t error_nsec, const char *source)
{
        int64_t now = raw_now(keeper), owner_error = 0;
        int64_t beyond = llabs(offset_nsec) - keeper->settings.host_limit_nsec - error_nsec;
        bool apart = beyond > 0 && owner_is_right(keeper, &owner_error) && beyond > owner_error;

        if (!apart) { /* one source's good word is no answer to another's */
                if (!keeper->apart_nsec || g_str_equal(keeper->apart_source, source))
                        keeper->apart_since = keeper->apart_nsec = 0;
                return;
        }
        if (keeper->apart_since == 0)
                keeper->apart_since = now;
        if (keeper->apart_nsec ||
            (keeper->last_jump_nsec && keeper->apart_since - keeper->last_jump_nsec < JUMP_RECENT_NSEC &&
             now - keeper->apart_since < JUMP_PATIENCE_NSEC))
                return;
        keeper->apart_nsec = offset_nsec;
        keeper->apart_source = source;
        tn_keeper_tell(
                keeper, 4,
                "the host's clock (seen by %s) is %.3f s %s that of %s in this guest; it is not followed",
                source, (double) llabs(offset_nsec) / 1e9, offset_nsec < 0 ? "behind" : "ahead of",
                keeper->owner->name);
}

static void remember(struct tn_keeper *keeper, const struct tn_sample *sample, const char *source)
{
        keeper->sample = *sample;
        keeper->source = source;
        keeper->samples++;
        keeper->history_nsec[keeper->history_at] = sample->offset_nsec;
        keeper->history_at = (keeper->history_at + 1) % TN_KEEPER_HISTORY;
        keeper->history_len = MIN(keeper->history_len + 1, TN_KEEPER_HISTORY);
}

static void count_jump(struct tn_keeper *keeper, const struct tn_sample *sample, const char *outcome)
{
        const struct tn_clock *clock = keeper->world.clock;

        keeper->jumps++;
        keeper->last_jump_nsec = raw_now(keeper);
        keeper->last_jump = (struct tn_keeper_jump){
                .when_sec = clock->realtime_nsec(clock->data) / TN_NSEC_PER_SEC,
                .nsec = sample->offset_nsec,
                .source = keeper->source,
                .outcome = outcome,
        };
        tn_keeper_tell(keeper, 5, "the clock was %.3f s %s (seen by %s): %s",
                       (double) llabs(sample->offset_nsec) / 1e9,
                       sample->offset_nsec < 0 ? "ahead" : "behind", keeper->source, outcome);
}

static bool apply(struct tn_keeper *keeper, const struct tn_servo_decision *decision, GError **error)
{
        const struct tn_clock *clock = keeper->world.clock;

        if (decision->action == TN_SERVO_STEP) {
                if (!clock->step(clock->data, decision->step_nsec, error))
                        return false;
                keeper->steps++;
                keeper->epoch++;
                read_offsets(keeper);
        }
        return decision->action == TN_SERVO_KEEP || decision->action == TN_SERVO_REFUSE ||
               clock->set_frequency(clock->data, decision->frequency_ppb, error);
}

static void discipline(struct tn_keeper *keeper, const struct tn_sample *sample, bool jumped)
{
        struct tn_servo_decision decision = tn_servo_add(&keeper->servo, sample, jumped);
        g_autoptr(GError) error = NULL;

        keeper->refusal = decision.action == TN_SERVO_REFUSE ? decision.reason : NULL;
        if (!apply(keeper, &decision, &error)) {
                tn_keeper_tell(keeper, 3, "the clock is left as it is: %s", error->message);
                keeper->refusal = "the kernel refuses";
        }
        if (jumped && llabs(sample->offset_nsec) > keeper->settings.step_nsec)
                count_jump(keeper, sample,
                           keeper->refusal                    ? keeper->refusal
                           : decision.action == TN_SERVO_STEP ? "stepped"
                                                              : "slewed");
}

static void react(struct tn_keeper *keeper, const struct tn_sample *sample, bool jumped)
{
        bool large = llabs(sample->offset_nsec) > keeper->settings.step_nsec + sample->error_nsec;

        switch (tn_keeper_mode_now(keeper)) {
        case TN_KEEPER_DISCIPLINE:
                discipline(keeper, sample, jumped);
                break;
        case TN_KEEPER_ASSIST:
                if (jumped && large) {
                        count_jump(keeper, sample, "the daemon is asked to step it");
                        keeper->world.ask_owner(keeper->world.data, keeper->owner);
                }
                break;
        case TN_KEEPER_OBSERVE:
                if (jumped && large)
                        count_jump(keeper, sample, "reported only");
                break;
        case TN_KEEPER_OFF:
        case TN_KEEPER_AUTO:
        default:
                break;
        }
}

/* Timers are late: by less than a millisecond on a quiet machine, by tens of them under emulation, and by
 * seconds after loadvm, which is a sign of its own. The worst is remembered for some minutes. */
static void learn_lateness(struct tn_keeper *keeper)
{
        int64_t late = keeper->due_nsec ? raw_now(keeper) - keeper->due_nsec : 0;

        keeper->suspicious = late > LATE_MAX_NSEC;
        late = CLAMP(late, 0, LATE_MAX_NSEC);
        keeper->late_nsec = MAX(late, keeper->late_nsec - keeper->late_nsec / 16);
        keeper->usual_late_nsec += (late - keeper->usual_late_nsec) / 4;
}

/* At most one in ten seconds, while nothing is wrong. A look that came after the second had turned shows no
 * jump of less than a second; that is left to the next one, but when the timer was so late that the guest
 * may have stood still. When the phase is known badly, the next look is to cut in two what is possible, so
 * it comes where the second may turn. */
static int64_t next_look(struct tn_keeper *keeper, bool was_searching)
{
        int64_t now = raw_now(keeper), later = now + keeper->settings.interval_s * TN_NSEC_PER_SEC;
        int64_t lead = TN_KEEPER_LEAD_NSEC + keeper->late_nsec, usual = keeper->usual_late_nsec;

        if (keeper->rtc_dropped_until)
                return keeper->phc ? later : keeper->rtc_dropped_until;
        if (keeper->searching)
                return tn_keeper_rtc_next(keeper, now);
        if (!was_searching && !keeper->phc && (keeper->suspicious || keeper->again > 0) &&
            tn_keeper_rtc_came_late(keeper) && keeper->again < AGAIN_MAX) {
                keeper->again++;
                return tn_phase_early(&keeper->phase, now, lead);
        }
        keeper->again = 0;
        if (!keeper->phc && tn_phase_error(&keeper->phase) > TN_KEEPER_ROUGH_NSEC)
                return tn_phase_next(&keeper->phase, later + usual, 1) - usual;
        return tn_phase_early(&keeper->phase, later, lead);
}

/* The hardware clock may be late by a part of a second, and nobody set it since. */
static void judge_by_rtc(struct tn_keeper *keeper)
{
        if (keeper->reference_error_nsec < TN_NSEC_PER_SEC)
                judge_host(keeper, keeper->reference_nsec, TN_NSEC_PER_SEC, "rtc");
}

int64_t tn_keeper_tick(struct tn_keeper *keeper)
{
        bool was_searching = keeper->searching, precise;
        struct tn_sample sample;

        if (keeper->settings.mode == TN_KEEPER_OFF)
                return 0;
        learn_lateness(keeper);
        if (!was_searching)
                keeper->owner = tn_clock_owner_find(keeper->world.env);
        if (!keeper->owner)
                keeper->apart_since = keeper->apart_nsec = 0;
        notice_steps(keeper);
        tn_keeper_read_vmclock(keeper);
        tn_keeper_rtc_read(keeper);
        tn_keeper_phc_find(keeper);
        precise = (!was_searching || keeper->samples == 0) && tn_keeper_phc_measure(keeper, &sample);
        if (precise) {
                bool jumped = tn_keeper_phc_jumped(keeper, &sample);

                remember(keeper, &sample, keeper->phc->kind->name);
                if (!jumped)
                        tn_keeper_rtc_learn(keeper, sample.offset_nsec, sample.error_nsec);
                react(keeper, &sample, jumped);
                keeper->contradicted = false;
                judge_host(keeper, sample.offset_nsec, sample.error_nsec, keeper->source);
        } else if (!keeper->phc) {
                learn_from_owner(keeper);
                if (tn_keeper_rtc_sample(keeper, &sample)) {
                        bool jumped = keeper->contradicted || keeper->samples == 0;

                        if (keeper->contradicted &&
                            tn_keeper_rtc_explained(keeper, &sample, 2 * FOREIGN_NSEC)) {
                                tn_keeper_rtc_learn(keeper, 0, keeper->believed_error_nsec);
                                sample.offset_nsec = 0;
                                jumped = false;
                        }
                        keeper->contradicted = false;
                        remember(keeper, &sample, "rtc");
                        react(keeper, &sample, jumped);
                        judge_by_rtc(keeper);
                }
        }
        return keeper->due_nsec = next_look(keeper, was_searching);
}

void tn_keeper_doubt(struct tn_keeper *keeper)
{
        if (keeper->settings.mode != TN_KEEPER_OFF && !keeper->rtc_dropped_until)
                tn_keeper_rtc_forget(keeper);
}

unsigned tn_keeper_epoch(struct tn_keeper *keeper)
{
        notice_steps(keeper);
        return keeper->epoch;
}

bool tn_keeper_adjust(struct tn_keeper *keeper, int64_t offset_nsec, int64_t error_nsec, unsigned epoch,
                      bool step, GError **error)
{
        struct tn_sample sample = {
                .offset_nsec = offset_nsec, .error_nsec = error_nsec, .at_nsec = raw_now(keeper)};
        struct tn_servo_decision decision = {
                .action = TN_SERVO_STEP, .step_nsec = offset_nsec, .frequency_ppb = keeper->servo.drift_ppb};

        if (offset_nsec < -OFFSET_MAX_NSEC || offset_nsec > OFFSET_MAX_NSEC || error_nsec < 0 ||
            error_nsec > OFFSET_MAX_NSEC)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "an offset or an error of more than ten years, or a negative error, is "
                                    "not followed; the clock was not changed");
        if (keeper->owner) {
                judge_host(keeper, offset_nsec, error_nsec, "host");
                return tn_error_set(error, TN_ERROR_BUSY,
                                    "%s keeps the clock of this guest; it was not changed",
                                    keeper->owner->name);
        }
        if (tn_keeper_mode_now(keeper) != TN_KEEPER_DISCIPLINE)
                return tn_error_set(error, TN_ERROR_DENIED,
                                    "mode=%s in the group [timesync] leaves the clock alone; "
                                    "mode=auto or mode=discipline would follow the host",
                                    tn_keeper_mode_name(keeper->settings.mode));
        keeper->host_sample = sample;
        g_clear_pointer(&keeper->host_problem, g_free);
        notice_steps(keeper);
        if (epoch != keeper->epoch)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "the clock was set since it was measured; measure again");
        if (!tn_keeper_phc_agrees(keeper, &sample, error))
                return false;
        if (!step) {
                decision = tn_servo_add(&keeper->servo, &sample, true);
        } else if (llabs(offset_nsec) <= error_nsec) {
                decision.action = TN_SERVO_KEEP;
        }
        if (decision.action == TN_SERVO_REFUSE)
                return tn_error_set(error, TN_ERROR_DENIED, "%s", decision.reason);
        if (!apply(keeper, &decision, error))
                return false;
        remember(keeper, &sample, "host");
        if (decision.action == TN_SERVO_STEP)
                believe_host(keeper, offset_nsec, error_nsec);
        else if (llabs(offset_nsec) <= FOREIGN_NSEC + error_nsec)
                tn_keeper_rtc_learn(keeper, offset_nsec, error_nsec);
        return true;
}
