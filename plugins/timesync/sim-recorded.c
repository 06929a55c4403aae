/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What was measured of a guest's clock is right to its bound only; taken line by line, that would look like
 * an oscillator that jumps by a thousand ppm. So a line counts when its bound is less than ten millionths of
 * the time since the last line that counted: then the rate between the two is right to 20 ppm, and taken to
 * be steady. A pause is not smoothed: on both sides of it a line counts. After its end a recording begins
 * anew, where the clock then is.
 */
#include "plugins/timesync/sim-recorded.h"

#include <stdbool.h>
#include <stdio.h>

#include "plugins/timesync/sample.h"

#define CERTAIN    1e-5
#define START_NSEC 300e9 /* the line with the least bound within it is the first that counts */
#define PAUSE_NSEC 1e9   /* no oscillator moves a clock so far between two lines */

struct line {
        double at, ahead, bound; /* nanoseconds */
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

static void add_line(const double *numbers, void *data)
{
        struct line line = {numbers[0] * 1e6, numbers[1] * 1e3, numbers[2] * 1e3};

        g_array_append_val((GArray *) data, line);
}

static guint find_first(const GArray *lines)
{
        const struct line *all = (const struct line *) lines->data;
        guint best = 0;

        for (guint i = 0; i < lines->len && all[i].at - all[0].at < START_NSEC; i++)
                if (all[i].bound < all[best].bound)
                        best = i;
        return best;
}

/* The lines that count, from the first one on. */
static GArray *thin_out(const GArray *lines)
{
        const struct line *all = (const struct line *) lines->data;
        GArray *knots = g_array_new(FALSE, FALSE, sizeof(struct line));
        guint first = find_first(lines), last = first;

        for (guint i = first; i < lines->len; i++) {
                struct line knot = {all[i].at - all[first].at, all[i].ahead - all[first].ahead,
                                    all[i].bound};
                bool before = i + 1 < lines->len && ABS(all[i + 1].ahead - all[i].ahead) > PAUSE_NSEC;
                bool after = i > first && ABS(all[i].ahead - all[i - 1].ahead) > PAUSE_NSEC;

                if (i > first && !before && !after && all[i].bound > CERTAIN * (all[i].at - all[last].at))
                        continue;
                last = i;
                g_array_append_val(knots, knot);
        }
        return knots;
}

GArray *sim_recorded_oscillator(const char *path)
{
        g_autoptr(GArray) lines = g_array_new(FALSE, FALSE, sizeof(struct line));
        GArray *knots;

        each_line(path, add_line, lines);
        knots = lines->len ? thin_out(lines) : NULL;
        if (!knots || knots->len < 3)
                g_error("%s: too short", path);
        return knots;
}

double sim_recorded_ahead(const GArray *oscillator, double nsec)
{
        const struct line *knots = (const struct line *) oscillator->data;
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
