/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Magnitudes only, on a logarithmic scale: a pause of ten minutes and a millisecond fit on one picture. */
#include "cli/plot.h"

#include <glib.h>
#include <math.h>
#include <stdio.h>

#define ROWS        8
#define LABEL_WIDTH 13

/* The offset that reaches the top of each row, from above; nanoseconds. */
static const struct {
        double nsec;
        const char *label;
} rows[ROWS] = {{1e11, "100 s"}, {1e10, "10 s"}, {1e9, "1 s"},    {1e8, "100 ms"},
                {1e7, "10 ms"},  {1e6, "1 ms"},  {1e5, "100 µs"}, {1e4, "10 µs"}};

/* The largest offset of those that share a column. */
static double column_value(const json_t *offsets, size_t column, size_t columns)
{
        size_t len = json_array_size(offsets), first = column * len / columns;
        size_t last = MAX((column + 1) * len / columns, first + 1);
        double largest = 0;

        for (size_t i = first; i < last && i < len; i++)
                largest = MAX(largest, fabs(json_number_value(json_array_get(offsets, i))));
        return largest;
}

void tn_plot_offsets(const json_t *offsets, double interval_s, unsigned columns)
{
        size_t len = json_array_size(offsets), width = MIN(columns - LABEL_WIDTH - 1, len);

        if (len < 2)
                return;
        printf("\n%-*sthe last %.0f min, size of the offset\n", LABEL_WIDTH, "",
               ceil((double) len * interval_s / 60));
        for (size_t row = 0; row < ROWS; row++) {
                int pad = LABEL_WIDTH - 1 - (int) g_utf8_strlen(rows[row].label, -1);

                printf("%*s%s ", pad, "", rows[row].label);
                for (size_t column = 0; column < width; column++) {
                        double value = column_value(offsets, column, width);

                        fputs(value >= rows[row].nsec         ? "█"
                              : value >= rows[row].nsec / 3.2 ? "▄"
                                                              : " ",
                              stdout);
                }
                putchar('\n');
        }
}
