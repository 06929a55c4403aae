/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What was measured of a guest's clock is right to some hundred microseconds, which within two seconds would
 * look like a hundred ppm. So of each minute one line counts, the one with the smallest bound, and between
 * two of these the oscillator is taken to be steady. A pause is not smoothed: on both sides of it a line
 * counts. After its end a recording begins anew, where the clock then is.
 */
#include "plugins/timesync/sim-recorded.h"

#include <stdbool.h>
#include <stdio.h>

#include "plugins/timesync/sample.h"

#define BLOCK_NSEC 60e9
#define PAUSE_NSEC 1e9 /* no oscillator moves a clock so far between two lines */

struct knot {
        double at, ahead; /* nanoseconds since the first one */
};

struct line {
        double at, ahead, bound;
};

/* Calls @add for each line that is no comment, with its numbers. */
static void each_line(const char *path, void (*add)(const double *numbers, void *data), void *data)
{
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;

        if (!g_file_get_contents(path, &text, NULL, NULL))
                g_error("cannot read %s", path);
        lines = g_strsplit(text, "\n", -1);
        for (size_t i = 0; lines[i]; i++) {
                double numbers[3];

                if (*lines[i] == '#' || *lines[i] == '\0')
                        continue;
                if (sscanf(lines[i], "%lf %lf %lf", &numbers[0], &numbers[1], &numbers[2]) != 3)
                        g_error("%s:%zu: not three numbers", path, i + 1);
                add(numbers, data);
        }
}

struct thinning {
        GArray *knots;
        struct line best, last;
        double block_began;
        bool empty;
};

static void keep(struct thinning *thinning, const struct line *line)
{
        struct knot knot = {line->at, line->ahead};
        GArray *knots = thinning->knots;

        if (knots->len == 0 || g_array_index(knots, struct knot, knots->len - 1).at < knot.at)
                g_array_append_val(knots, knot);
}

static void add_line(const double *numbers, void *data)
{
        struct thinning *thinning = data;
        struct line line = {numbers[0] * 1e6, numbers[1] * 1e3, numbers[2] * 1e3};
        bool pause = !thinning->empty && ABS(line.ahead - thinning->last.ahead) > PAUSE_NSEC;

        if (pause)
                keep(thinning, &thinning->last);
        else if (!thinning->empty && line.at - thinning->block_began >= BLOCK_NSEC)
                keep(thinning, &thinning->best);
        if (pause)
                keep(thinning, &line);
        if (thinning->empty || pause || line.at - thinning->block_began >= BLOCK_NSEC) {
                thinning->block_began = line.at;
                thinning->best = line;
        } else if (line.bound < thinning->best.bound) {
                thinning->best = line;
        }
        thinning->last = line;
        thinning->empty = false;
}

GArray *sim_recorded_oscillator(const char *path)
{
        GArray *knots = g_array_new(FALSE, FALSE, sizeof(struct knot));
        struct thinning thinning = {.knots = knots, .empty = true};
        struct knot first;

        each_line(path, add_line, &thinning);
        keep(&thinning, &thinning.best);
        if (knots->len < 3)
                g_error("%s: too short", path);
        first = g_array_index(knots, struct knot, 0);
        for (guint i = 0; i < knots->len; i++) {
                struct knot *knot = &g_array_index(knots, struct knot, i);

                knot->at -= first.at;
                knot->ahead -= first.ahead;
        }
        return knots;
}

double sim_recorded_ahead(const GArray *oscillator, double nsec)
{
        const struct knot *knots = (const struct knot *) oscillator->data;
        guint low = 0, high = oscillator->len - 1;
        double rounds = (double) (int64_t) (nsec / knots[high].at), at = nsec - rounds * knots[high].at;
        double ahead = rounds * knots[high].ahead;

        while (high - low > 1) {
                guint middle = (low + high) / 2;

                if (knots[middle].at <= at)
                        low = middle;
                else
                        high = middle;
        }
        return ahead + knots[low].ahead +
               (at - knots[low].at) / (knots[high].at - knots[low].at) *
                       (knots[high].ahead - knots[low].ahead);
}

static void add_late(const double *numbers, void *data)
{
        int64_t late = (int64_t) numbers[0] * TN_NSEC_PER_USEC;

        g_array_append_val((GArray *) data, late);
}

GArray *sim_recorded_timers(const char *path)
{
        GArray *late = g_array_new(FALSE, FALSE, sizeof(int64_t));

        each_line(path, add_late, late);
        if (late->len == 0)
                g_error("%s: empty", path);
        return late;
}
