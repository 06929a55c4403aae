/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* For tests of the keeper: it lives in a simulated guest (sim.h), and time passes when the test says so. To
 * be included after cmocka.h. */
#pragma once

#include "plugins/timesync/sim.h"

#define MSEC        1e6
#define STORY(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

struct story {
        struct sim *sim;
        struct tn_keeper keeper;
        int64_t next;
};

static inline void begin(struct story *story, enum tn_keeper_mode mode)
{
        struct tn_keeper_settings settings = {.mode = mode,
                                              .step_nsec = 100 * TN_NSEC_PER_MSEC,
                                              .interval_s = 10,
                                              .host_limit_nsec = TN_NSEC_PER_SEC};
        struct tn_keeper_world world = sim_world(story->sim);

        tn_keeper_init(&story->keeper, &world, &settings);
        story->next = tn_keeper_tick(&story->keeper);
}

static inline void run(struct story *story, double seconds)
{
        sim_run(story->sim, &story->keeper, &story->next, seconds);
}

static inline int set_up(void **state)
{
        struct story *story = g_new0(struct story, 1);

        story->sim = sim_new();
        *state = story;
        return 0;
}

static inline int tear_down(void **state)
{
        struct story *story = *state;

        tn_keeper_deinit(&story->keeper);
        sim_free(story->sim);
        g_free(story);
        return 0;
}
