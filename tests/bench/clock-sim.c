/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A day of the simulated guest's clock (plugins/timesync/sim.h), a line each minute: hours, offset from the
 * host in milliseconds, frequency in ppm, largest offset of the minute in milliseconds. The oscillator is
 * made
 * (--drift, --wander), recorded (--oscillator), or both.
 *
 *   clock-sim [--drift=PPM] [--wander=PPB] [--oscillator=FILE] [--late=MS | --timers=FILE] [--lie=HOUR]
 * [HOUR…]
 *
 * --wander is for each second's root; --late the time by which timers and readings are late at worst; --lie
 * the hour at which the hardware clock goes back by an hour, for an hour; the other words the hours at which
 * the guest stands still for ten minutes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "plugins/timesync/sim.h"

struct wishes {
        double drift_ppm, wander_ppb, late_ms;
        char *oscillator, *timers;
        int lie_hour;
        char **hours;
};

static void begin(struct sim *sim, const struct wishes *wishes)
{
        sim->oscillator_ppb = wishes->drift_ppm * 1000;
        sim->wander_ppb = wishes->wander_ppb;
        if (wishes->oscillator)
                sim->oscillator = sim_recorded_oscillator(wishes->oscillator);
        if (wishes->timers)
                sim->timers = sim_recorded_timers(wishes->timers);
}

/* What the wishes do to the world in this minute. */
static void disturb(struct sim *sim, const struct wishes *wishes, int minute)
{
        int lie = wishes->lie_hour * 60;

        sim->timer_late_nsec = (int64_t) (wishes->late_ms * 1e6 * g_rand_double(sim->random));
        sim->rtc_delay_nsec = 100 * TN_NSEC_PER_USEC + sim->timer_late_nsec / 10;
        if (lie >= 0 && (minute == lie || minute == lie + 60))
                sim->rtc_late_nsec += (minute == lie ? 3600 : -3600) * TN_NSEC_PER_SEC;
        for (size_t i = 0; wishes->hours && wishes->hours[i]; i++)
                if (minute == atoi(wishes->hours[i]) * 60)
                        sim_pause(sim, 600);
}

static void run(const struct wishes *wishes)
{
        struct sim *sim = sim_new();
        struct tn_keeper_world world = sim_world(sim);
        struct tn_keeper_settings settings = {.mode = TN_KEEPER_AUTO,
                                              .step_nsec = 100 * TN_NSEC_PER_MSEC,
                                              .interval_s = 10,
                                              .host_limit_nsec = TN_NSEC_PER_SEC};
        struct tn_keeper keeper;
        int64_t next;

        begin(sim, wishes);
        tn_keeper_init(&keeper, &world, &settings);
        next = tn_keeper_tick(&keeper);
        for (int minute = 0; minute < 24 * 60; minute++) {
                disturb(sim, wishes, minute);
                sim->worst_nsec = 0;
                sim_run(sim, &keeper, &next, 60);
                printf("%.3f %.3f %.3f %.3f\n", minute / 60.0, sim_offset(sim) / 1e6,
                       sim->frequency_ppb / 1e3, sim->worst_nsec / 1e6);
        }
        fprintf(stderr, "steps %u, backward %u, jumps %u\n", sim->steps, sim->backward_steps,
                (unsigned) keeper.jumps);
        tn_keeper_deinit(&keeper);
        sim_free(sim);
}

int main(int argc, char **argv)
{
        struct wishes wishes = {.lie_hour = -1};
        const GOptionEntry options[] = {
                {"drift", 0, 0, G_OPTION_ARG_DOUBLE, &wishes.drift_ppm, NULL, "PPM"},
                {"wander", 0, 0, G_OPTION_ARG_DOUBLE, &wishes.wander_ppb, NULL, "PPB"},
                {"oscillator", 0, 0, G_OPTION_ARG_FILENAME, &wishes.oscillator, NULL, "FILE"},
                {"late", 0, 0, G_OPTION_ARG_DOUBLE, &wishes.late_ms, NULL, "MS"},
                {"timers", 0, 0, G_OPTION_ARG_FILENAME, &wishes.timers, NULL, "FILE"},
                {"lie", 0, 0, G_OPTION_ARG_INT, &wishes.lie_hour, NULL, "HOUR"},
                {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_STRING_ARRAY, &wishes.hours, NULL, "HOUR…"},
                {NULL}};
        g_autoptr(GOptionContext) context = g_option_context_new(NULL);
        g_autoptr(GError) error = NULL;

        g_option_context_add_main_entries(context, options, NULL);
        if (!g_option_context_parse(context, &argc, &argv, &error)) {
                fprintf(stderr, "clock-sim: %s\n", error->message);
                return 2;
        }
        run(&wishes);
        g_strfreev(wishes.hours);
        g_free(wishes.oscillator);
        g_free(wishes.timers);
        return 0;
}
