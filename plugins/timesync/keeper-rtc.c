/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The keeper's dealings with the hardware clock. The surprising thing: it is dropped for a while, not
 * for ever, since a host that has put it right tells nobody. */
#include "plugins/timesync/keeper-rtc.h"

#include <string.h>

#define SEARCH_STEPS 16                     /* readings for each turn of the second while searching */
#define FOUND_NSEC   (2 * TN_NSEC_PER_MSEC) /* the phase is known well enough */
#define HURRY_NSEC   (3 * TN_NSEC_PER_SEC)  /* after so long a search a rough one is enough */
#define GIVE_IN_NSEC (15 * TN_NSEC_PER_SEC) /* … and after so long one that shows a step */
#define PHASE_BELIEVED                                                                                      \
        (1500 * TN_NSEC_PER_MSEC)             /* at start: RTC and clock agree, but for a part of a second */
#define MADE_UP_NSEC   (60 * TN_NSEC_PER_SEC) /* by then a pause that the host made up for is noticed */
#define RTC_PAUSE_NSEC (600 * TN_NSEC_PER_SEC) /* one that makes no sense is left alone so long at most */
#define RTC_FIRST_NSEC (30 * TN_NSEC_PER_SEC)  /* … and at first */

static int64_t raw_now(const struct tn_keeper *keeper)
{
        return keeper->world.clock->raw_nsec(keeper->world.clock->data);
}

static void set_reference(struct tn_keeper *keeper, int64_t nsec, int64_t error_nsec)
{
        keeper->has_reference = true;
        keeper->reference_nsec = nsec;
        keeper->reference_error_nsec = error_nsec;
}

static void search(struct tn_keeper *keeper)
{
        keeper->searching = true;
        keeper->since_nsec = raw_now(keeper);
}

/* Where timers are late by much, the last milliseconds would take long; where each reading takes long, as
 * while the agent is traced, they never come. */
static bool located(const struct tn_keeper *keeper)
{
        int64_t took = raw_now(keeper) - keeper->since_nsec, enough = FOUND_NSEC;

        if (took > HURRY_NSEC)
                enough = TN_KEEPER_ROUGH_NSEC;
        if (took > GIVE_IN_NSEC)
                enough = MAX(enough, keeper->settings.step_nsec);
        return keeper->phase.turned && tn_phase_error(&keeper->phase) <= enough;
}

/* A guest that was starved for some seconds, again and again, makes the best clock look wild; a clock that
 * is broken stays so. So the first pause is short, and each that follows soon is twice as long. */
static int64_t next_pause(struct tn_keeper *keeper, int64_t now)
{
        bool soon = keeper->rtc_dropped_at && now - keeper->rtc_dropped_at < 2 * RTC_PAUSE_NSEC;

        keeper->rtc_pause_nsec = soon ? MIN(2 * keeper->rtc_pause_nsec, RTC_PAUSE_NSEC) : RTC_FIRST_NSEC;
        keeper->rtc_dropped_at = now;
        return keeper->rtc_pause_nsec;
}

static void drop_rtc(struct tn_keeper *keeper, const char *problem)
{
        int64_t now = raw_now(keeper);

        tn_keeper_tell(keeper, 4, "the hardware clock is not used: it %s", problem);
        keeper->rtc_problem = problem;
        keeper->rtc_dropped_until = now + next_pause(keeper, now);
        keeper->phase = (struct tn_phase){0};
        keeper->contradicted = false;
        search(keeper);
        keeper->contradictions = 0;
}

void tn_keeper_rtc_read(struct tn_keeper *keeper)
{
        struct tn_phase_reading reading = {.before_nsec = raw_now(keeper)};
        bool returns = keeper->rtc_dropped_until != 0;

        if (keeper->rtc_dropped_until > reading.before_nsec)
                return;
        keeper->rtc_dropped_until = 0;
        if (!keeper->world.read_rtc(keeper->world.data, &reading.seconds)) {
                keeper->rtc_problem = "cannot be read";
                keeper->rtc_dropped_until = reading.before_nsec + RTC_PAUSE_NSEC;
                return;
        }
        reading.after_nsec = raw_now(keeper);
        if (tn_keeper_is_absurd(reading.seconds)) {
                drop_rtc(keeper, TN_KEEPER_ABSURD);
                return;
        }
        keeper->rtc_problem = NULL;
        if (returns) /* what made it look wild may have been the guest: its first sample is one after a jump
                      */
                keeper->contradicted = true;
        if (tn_phase_add(&keeper->phase, &reading)) {
                if (keeper->searching && located(keeper)) {
                        keeper->searching = false;
                        keeper->contradictions = 0;
                }
                return;
        }
        search(keeper);
        keeper->contradicted = true;
        if (++keeper->contradictions > TN_KEEPER_TRIES)
                drop_rtc(keeper, "stands still, or runs wildly");
}

bool tn_keeper_rtc_sample(struct tn_keeper *keeper, struct tn_sample *ret)
{
        int64_t apart; /* hardware clock minus system clock */

        if (keeper->searching || keeper->rtc_dropped_until)
                return false;
        apart = tn_phase_middle(&keeper->phase) - keeper->raw_offset_nsec;
        if (!keeper->has_reference) {
                bool agree = keeper->clock_believed || llabs(apart) <= PHASE_BELIEVED;

                /* Where they do not agree, the hardware clock is right, to a second. */
                set_reference(keeper, agree ? apart : 0,
                              keeper->clock_believed
                                      ? keeper->believed_error_nsec + tn_phase_error(&keeper->phase)
                                      : TN_NSEC_PER_SEC);
        }
        *ret = (struct tn_sample){.offset_nsec = apart - keeper->reference_nsec,
                                  .error_nsec = tn_phase_error(&keeper->phase) + keeper->raw_error_nsec,
                                  .at_nsec = keeper->phase.at_nsec};
        return true;
}

void tn_keeper_rtc_forget(struct tn_keeper *keeper)
{
        keeper->phase = (struct tn_phase){0};
        keeper->contradicted = true;
        search(keeper);
}

void tn_keeper_rtc_learn(struct tn_keeper *keeper, int64_t offset_nsec, int64_t error_nsec)
{
        if (!keeper->searching && !keeper->rtc_dropped_until && keeper->phase.at_nsec)
                set_reference(keeper,
                              tn_phase_middle(&keeper->phase) - keeper->raw_offset_nsec - offset_nsec,
                              error_nsec + tn_phase_error(&keeper->phase));
}

/* Does the last step of the host's, or do the last ones together, explain the sample? */
bool tn_keeper_rtc_explained(struct tn_keeper *keeper, const struct tn_sample *sample, int64_t slack_nsec)
{
        int64_t left = sample->offset_nsec, now = raw_now(keeper);
        bool explained = false;

        for (size_t i = 0; i < G_N_ELEMENTS(keeper->made_up) && !explained; i++) {
                if (!keeper->made_up[i].at || now - keeper->made_up[i].at > MADE_UP_NSEC)
                        break;
                left -= keeper->made_up[i].nsec;
                explained = llabs(left) <= slack_nsec + sample->error_nsec + keeper->believed_error_nsec;
        }
        memset(keeper->made_up, 0, sizeof keeper->made_up);
        return explained;
}

/* So much earlier as timers are late, and no more readings for each turn than they allow. */
int64_t tn_keeper_rtc_next(struct tn_keeper *keeper, int64_t now)
{
        int64_t late = keeper->usual_late_nsec;
        int64_t steps = 2 * tn_phase_error(&keeper->phase) / MAX(late, 1);

        return tn_phase_next(&keeper->phase, now + late, (unsigned) CLAMP(steps, 1, SEARCH_STEPS)) - late;
}

/* The look that just was came after the second had turned, and would not have shown a small jump. */
bool tn_keeper_rtc_came_late(const struct tn_keeper *keeper)
{
        return tn_phase_misses(&keeper->phase, keeper->phase.at_nsec) >
               MAX(keeper->settings.step_nsec, keeper->late_nsec + 2 * TN_KEEPER_LEAD_NSEC);
}
