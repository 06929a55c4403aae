/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenon-host watch: one line for each event; with --json one JSON object in each line, as it came. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "host/host.h"
#include "host/print.h"
#include "host/trouble.h"

static char *format_time(const json_t *timestamp)
{
        json_int_t seconds = json_integer_value(json_object_get(timestamp, "seconds"));
        json_int_t usec = json_integer_value(json_object_get(timestamp, "microseconds"));
        time_t when = (time_t) seconds;
        char text[64];
        struct tm tm;

        if (!localtime_r(&when, &tm) || strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm) == 0)
                return g_strdup("(no time)");
        return g_strdup_printf("%s.%06d", text, (int) CLAMP(usec, 0, 999999));
}

/* Members as key=value in one line; what is not an object, as it is. Begins with a space unless empty. */
static char *format_data(const json_t *data)
{
        GString *text = g_string_new(NULL);
        const char *key;
        json_t *value;

        if (data && !json_is_object(data)) {
                g_autofree char *word = tn_print_scalar(data);

                g_string_append_printf(text, " %s", word);
        }
        json_object_foreach((json_t *) data, key, value)
        {
                g_autofree char *name = tn_print_text(key, strlen(key));
                g_autofree char *word = tn_print_scalar(value);

                g_string_append_printf(text, " %s=%s", name, word);
        }
        return g_string_free(text, FALSE);
}

static void print_event(const json_t *event)
{
        g_autofree char *when = format_time(json_object_get(event, "timestamp"));
        g_autofree char *name = tn_print_member(event, "event");
        g_autofree char *data = format_data(json_object_get(event, "data"));
        json_int_t dropped = json_integer_value(json_object_get(event, "dropped"));

        if (dropped > 0)
                printf("%s (before this, %" JSON_INTEGER_FORMAT " events were lost: they were not read fast "
                       "enough)\n",
                       when, dropped);
        printf("%s %s%s\n", when, name, data);
}

/* No names: all are. */
static bool is_wanted(const json_t *event, char **names)
{
        return !names[0] || g_strv_contains((const char *const *) names,
                                            json_string_value(json_object_get(event, "event")));
}

int tn_host_watch(struct tn_host *host, int argc, char **argv)
{
        int count = 0;
        const GOptionEntry entries[] = {
                {"count", 'n', 0, G_OPTION_ARG_INT, &count, "End after this many events", "N"},
                {NULL},
        };
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_guest_t) guest = NULL;

        if (!tn_host_parse(host, &argc, &argv, entries, 0, G_MAXINT))
                return TN_TROUBLE_LOCAL;
        guest = tn_host_open(host, &error);
        for (int seen = 0; guest && (count <= 0 || seen < count);) {
                json_auto_t *event = NULL;

                if (!tn_guest_next_event(guest, &event, &error))
                        return tn_trouble_report(error);
                if (!is_wanted(event, argv + 1))
                        continue;
                seen++;
                if (host->json)
                        tn_print_json_line(event);
                else
                        print_event(event);
                if (fflush(stdout) != 0)
                        return TN_TROUBLE_LOCAL;
        }
        return guest ? 0 : tn_trouble_report(error);
}
