/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Times as people read them. */
#include "cli/when.h"

#include <glib.h>
#include <math.h>

char *tn_when_text(time_t seconds)
{
        char text[64] = "";
        struct tm tm;

        if (localtime_r(&seconds, &tm))
                strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm);
        return g_strdup(*text ? text : "?");
}

char *tn_when_duration(double nsec)
{
        static const struct {
                double nsec;
                const char *name;
        } units[] = {{1e9, "s"}, {1e6, "ms"}, {1e3, "µs"}, {1, "ns"}};
        size_t i = 0;

        while (i + 1 < G_N_ELEMENTS(units) && fabs(nsec) < units[i].nsec)
                i++;
        return g_strdup_printf("%.3g %s", nsec / units[i].nsec, units[i].name);
}

char *tn_when_span(int64_t seconds)
{
        static const struct {
                int64_t seconds;
                const char *name, *next;
        } units[] = {{86400, "d", "h"}, {3600, "h", "min"}, {60, "min", "s"}};

        for (size_t i = 0; i < G_N_ELEMENTS(units); i++) {
                int64_t below = i + 1 < G_N_ELEMENTS(units) ? units[i + 1].seconds : 1;

                if (seconds >= units[i].seconds)
                        return g_strdup_printf("%" G_GINT64_FORMAT " %s %" G_GINT64_FORMAT " %s",
                                               seconds / units[i].seconds, units[i].name,
                                               seconds % units[i].seconds / below, units[i].next);
        }
        return g_strdup_printf("%" G_GINT64_FORMAT " s", MAX(seconds, 0));
}
