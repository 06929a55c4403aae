/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the keeper knows, as JSON. Times are nanoseconds unless their names say otherwise. */
#include <stdlib.h>
#include <time.h>

#include "lib/json.h"
#include "lib/problems.h"
#include "plugins/timesync/keeper.h"

#define LEAP_PAUSE_NSEC  (600 * TN_NSEC_PER_SEC)
#define CONTRADICTS_NSEC (2 * TN_NSEC_PER_SEC) /* it may be late by a second, and read by another */

static const char *const mode_names[] = {
        [TN_KEEPER_OFF] = "off",       [TN_KEEPER_OBSERVE] = "observe",
        [TN_KEEPER_ASSIST] = "assist", [TN_KEEPER_DISCIPLINE] = "discipline",
        [TN_KEEPER_AUTO] = "auto",
};

const char *tn_keeper_mode_name(enum tn_keeper_mode mode)
{
        return mode_names[mode];
}

bool tn_keeper_mode_parse(const char *name, enum tn_keeper_mode *ret)
{
        for (size_t i = 0; i < G_N_ELEMENTS(mode_names); i++)
                if (g_strcmp0(mode_names[i], name) == 0) {
                        *ret = i;
                        return true;
                }
        return false;
}

void tn_keeper_tell(const struct tn_keeper *keeper, int level, const char *format, ...)
{
        g_autofree char *text = NULL;
        va_list args;

        va_start(args, format);
        text = g_strdup_vprintf(format, args);
        va_end(args);
        keeper->world.tell(keeper->world.data, level, text);
}

static json_t *jump(const struct tn_keeper *keeper)
{
        const struct tn_keeper_jump *last = &keeper->last_jump;

        if (keeper->jumps == 0)
                return json_null();
        return json_pack("{s:I, s:I, s:s, s:s}", "at-seconds", (json_int_t) last->when_sec, "behind",
                         (json_int_t) last->nsec, "source", last->source, "outcome", last->outcome);
}

/* Who keeps the clock: exactly one. */
static const char *owner_name(const struct tn_keeper *keeper)
{
        if (keeper->owner)
                return keeper->owner->name;
        return tn_keeper_mode_now(keeper) == TN_KEEPER_DISCIPLINE ? "tenon" : "nobody";
}

static void add_problems(json_t *summary, const struct tn_keeper *keeper)
{
        tn_problems_init(summary);
        if (keeper->apart_nsec)
                tn_problems_add(
                        summary,
                        "compare both with a third clock; set right the host's, or the servers of the "
                        "guest's daemon",
                        "the host's clock (seen by %s) is %.3f s %s that of %s in this guest",
                        keeper->apart_source, (double) llabs(keeper->apart_nsec) / 1e9,
                        keeper->apart_nsec < 0 ? "behind" : "ahead of", owner_name(keeper));
        if (keeper->refusal && g_str_equal(keeper->refusal, TN_SERVO_AHEAD))
                tn_problems_add(summary,
                                "see which is right; then set the clock (date, guest-set-time), or allow "
                                "backward-steps=yes in [timesync]",
                                "the clock is %.3f s ahead of %s, and is not set back",
                                (double) llabs(keeper->sample.offset_nsec) / 1e9, keeper->source);
}

/* In the sandbox each question about the state of the clock is one to another process, and a wakeup. */
static bool ask_state(struct tn_keeper *keeper, struct tn_clock_state *ret)
{
        const struct tn_clock *clock = keeper->world.clock;

        if (!clock->get_state(clock->data, ret, NULL))
                return false;
        keeper->leap = ret->leap;
        keeper->leap_next = clock->raw_nsec(clock->data) + LEAP_PAUSE_NSEC;
        return true;
}

/* The zone that local times are shown in, and a leap second that was announced. */
static void add_calendar(json_t *summary, struct tn_keeper *keeper)
{
        const struct tn_clock *clock = keeper->world.clock;
        time_t now = (time_t) (clock->realtime_nsec(clock->data) / TN_NSEC_PER_SEC);
        struct tn_clock_state state;
        struct tm tm;

        tzset(); /* the guest may choose another zone while we run */
        if (localtime_r(&now, &tm)) {
                tn_json_set_text(summary, "zone", tm.tm_zone);
                json_object_set_new(summary, "utc-offset-seconds", json_integer(tm.tm_gmtoff));
        }
        if (clock->raw_nsec(clock->data) >= keeper->leap_next)
                (void) ask_state(keeper, &state); /* else what is known stays */
        if (keeper->leap_next)
                json_object_set_new(summary, "leap", json_integer(keeper->leap));
}

json_t *tn_keeper_summary(struct tn_keeper *keeper)
{
        json_t *summary = json_object();

        json_object_set_new(summary, "mode", json_string(tn_keeper_mode_name(tn_keeper_mode_now(keeper))));
        json_object_set_new(summary, "owner", json_string(owner_name(keeper)));
        json_object_set_new(summary, "source", keeper->source ? json_string(keeper->source) : json_null());
        json_object_set_new(summary, "jumps", json_integer((json_int_t) keeper->jumps));
        json_object_set_new(summary, "last-jump", jump(keeper));
        add_calendar(summary, keeper);
        add_problems(summary, keeper);
        return summary;
}

/* Mean difference of neighbours in the history. */
static int64_t jitter_nsec(const struct tn_keeper *keeper)
{
        int64_t sum = 0;
        unsigned n = keeper->history_len;

        for (unsigned i = 1; i < n; i++) {
                unsigned at = (keeper->history_at + TN_KEEPER_HISTORY - i) % TN_KEEPER_HISTORY;
                unsigned before = (at + TN_KEEPER_HISTORY - 1) % TN_KEEPER_HISTORY;

                sum += llabs(keeper->history_nsec[at] - keeper->history_nsec[before]) / (n - 1);
        }
        return sum;
}

static json_t *history(const struct tn_keeper *keeper)
{
        json_t *list = json_array();

        for (unsigned i = keeper->history_len; i > 0; i--) /* oldest first */
                json_array_append_new(
                        list,
                        json_integer((json_int_t) keeper
                                             ->history_nsec[(keeper->history_at + TN_KEEPER_HISTORY - i) %
                                                            TN_KEEPER_HISTORY]));
        return list;
}

/* How far a source is to be believed, in a word. */
static const char *quality(int64_t error_nsec)
{
        static const struct {
                int64_t below_nsec;
                const char *name;
        } rows[] = {
                {100 * TN_NSEC_PER_USEC, "precise"},
                {50 * TN_NSEC_PER_MSEC, "good"},
                {G_MAXINT64, "coarse"},
        };
        size_t i = 0;

        while (error_nsec >= rows[i].below_nsec)
                i++;
        return rows[i].name;
}

/* @sample: what it said last; at_nsec is 0: nothing yet. */
static void add_source(json_t *list, const struct tn_keeper *keeper, const char *name,
                       const struct tn_sample *sample, const char *problem)
{
        json_t *row = json_object();
        bool known = sample->at_nsec != 0;

        json_object_set_new(row, "name", json_string(name));
        json_object_set_new(row, "used", json_boolean(g_strcmp0(keeper->source, name) == 0));
        json_object_set_new(row, "problem", tn_json_text(problem));
        json_object_set_new(row, "offset", known ? json_integer(sample->offset_nsec) : json_null());
        json_object_set_new(row, "error", known ? json_integer(sample->error_nsec) : json_null());
        json_object_set_new(row, "quality", known ? json_string(quality(sample->error_nsec)) : json_null());
        json_array_append_new(list, row);
}

/* The hardware clock, whether it is the source or stands by. While it contradicts a better one, what it
 * shows is told, and not what was learnt of it. */
static struct tn_sample rtc_sample(const struct tn_keeper *keeper)
{
        bool contradicts = llabs(keeper->reference_nsec) > CONTRADICTS_NSEC;

        if (keeper->searching || keeper->rtc_dropped_until || !keeper->has_reference)
                return (struct tn_sample){0};
        return (struct tn_sample){
                .offset_nsec = tn_phase_middle(&keeper->phase) - keeper->raw_offset_nsec -
                               (contradicts ? 0 : keeper->reference_nsec),
                .error_nsec = tn_phase_error(&keeper->phase) + keeper->raw_error_nsec +
                              (contradicts ? TN_NSEC_PER_SEC : keeper->reference_error_nsec),
                .at_nsec = keeper->phase.at_nsec,
        };
}

/* Why it is not used, or not to be relied on. Free with g_free(). */
static char *rtc_problem(const struct tn_keeper *keeper)
{
        bool precise = keeper->phc && g_strcmp0(keeper->source, keeper->phc->kind->name) == 0;

        if (keeper->rtc_problem)
                return g_strdup(keeper->rtc_problem);
        if (keeper->searching)
                return g_strdup("is being located");
        if (precise && keeper->has_reference && llabs(keeper->reference_nsec) > CONTRADICTS_NSEC)
                return g_strdup_printf("contradicts %s by %+.1f s", keeper->source,
                                       (double) keeper->reference_nsec / 1e9);
        return NULL;
}

/* Best first. */
static json_t *sources(const struct tn_keeper *keeper)
{
        g_autofree char *problem = rtc_problem(keeper);
        const struct tn_sample none = {0}, rtc = rtc_sample(keeper);
        json_t *list = json_array();

        if (keeper->phc)
                add_source(list, keeper, keeper->phc->kind->name, &keeper->phc_sample, NULL);
        else if (keeper->phc_bad)
                add_source(list, keeper, keeper->phc_bad->name, &none, keeper->phc_problem);
        if (keeper->host_sample.at_nsec)
                add_source(list, keeper, "host", &keeper->host_sample, keeper->host_problem);
        add_source(list, keeper, "rtc", &rtc, problem);
        if (keeper->set_sample.at_nsec)
                add_source(list, keeper, "guest-set-time", &keeper->set_sample, NULL);
        return list;
}

json_t *tn_keeper_to_json(struct tn_keeper *keeper)
{
        struct tn_clock_state state;
        bool state_known = ask_state(keeper, &state);
        json_t *object = tn_keeper_summary(keeper);
        bool known = keeper->source != NULL;
        bool from_rtc = g_strcmp0(keeper->source, "rtc") == 0;
        int64_t error = keeper->sample.error_nsec + (from_rtc ? keeper->reference_error_nsec : 0);

        json_object_set_new(object, "configured-mode",
                            json_string(tn_keeper_mode_name(keeper->settings.mode)));
        json_object_set_new(object, "sources", sources(keeper));
        json_object_set_new(object, "offset",
                            known ? json_integer(keeper->sample.offset_nsec) : json_null());
        json_object_set_new(object, "error", known ? json_integer(error) : json_null());
        json_object_set_new(object, "jitter", json_integer(jitter_nsec(keeper)));
        json_object_set_new(object, "interval-seconds", json_integer(keeper->settings.interval_s));
        json_object_set_new(object, "refusal", tn_json_text(keeper->refusal));
        json_object_set_new(object, "disruptions",
                            keeper->vmclock.known ? json_integer((json_int_t) keeper->disruptions)
                                                  : json_null());
        json_object_set_new(object, "steps", json_integer((json_int_t) keeper->steps));
        json_object_set_new(object, "samples", json_integer((json_int_t) keeper->samples));
        json_object_set_new(object, "epoch", json_integer(keeper->epoch));
        if (state_known) {
                json_object_set_new(object, "synchronized", json_boolean(state.synchronized));
                json_object_set_new(object, "frequency-ppb", json_integer((json_int_t) state.frequency_ppb));
                json_object_set_new(object, "tai-offset", json_integer(state.tai_offset));
        }
        json_object_set_new(object, "history", history(keeper));
        return object;
}
