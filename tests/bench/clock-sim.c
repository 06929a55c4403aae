/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A day of the simulated guest's clock (plugins/timesync/sim.h), a line each minute: hours, offset from the
 * host in milliseconds, frequency in ppm. The words are the oscillator's drift in ppm, its wander in ppb per
 * second's root, the milliseconds by which timers and readings are late at worst, the hour at which the
 * hardware clock goes back by an hour, for an hour (or -1: it never does), and the hours at which the guest
 * stands still for ten minutes.
 *
 *   clock-sim DRIFT WANDER JITTER LIE [HOUR…]
 */
#include <stdio.h>
#include <stdlib.h>

#include "plugins/timesync/sim.h"

int main(int argc, char **argv)
{
        struct sim *sim = sim_new();
        struct tn_keeper_world world = sim_world(sim);
        struct tn_keeper_settings settings = {.mode = TN_KEEPER_AUTO,
                                              .step_nsec = 100 * TN_NSEC_PER_MSEC,
                                              .interval_s = 10,
                                              .host_limit_nsec = TN_NSEC_PER_SEC};
        struct tn_keeper keeper;
        int64_t next;

        if (argc < 5) {
                fputs("usage: clock-sim DRIFT WANDER JITTER LIE [HOUR…]\n", stderr);
                return 2;
        }
        sim->oscillator_ppb = atof(argv[1]) * 1000;
        sim->wander_ppb = atof(argv[2]);
        tn_keeper_init(&keeper, &world, &settings);
        next = tn_keeper_tick(&keeper);
        for (int minute = 0; minute < 24 * 60; minute++) {
                int lie = atoi(argv[4]) * 60;

                sim->timer_late_nsec = (int64_t) (atof(argv[3]) * 1e6 * g_rand_double(sim->random));
                sim->rtc_delay_nsec = 100 * TN_NSEC_PER_USEC + sim->timer_late_nsec / 10;
                if (lie >= 0 && (minute == lie || minute == lie + 60))
                        sim->rtc_late_nsec += (minute == lie ? 3600 : -3600) * TN_NSEC_PER_SEC;
                for (int i = 5; i < argc; i++)
                        if (minute == atoi(argv[i]) * 60)
                                sim_pause(sim, 600);
                sim->worst_nsec = 0;
                sim_run(sim, &keeper, &next, 60);
                printf("%.3f %.3f %.3f %.3f\n", minute / 60.0, sim_offset(sim) / 1e6,
                       sim->frequency_ppb / 1e3, sim->worst_nsec / 1e6);
        }
        fprintf(stderr, "steps %u, backward %u, jumps %u\n", sim->steps, sim->backward_steps,
                (unsigned) keeper.jumps);
        tn_keeper_deinit(&keeper);
        sim_free(sim);
        return 0;
}
