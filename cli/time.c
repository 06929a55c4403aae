/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl time: how right the clock is, who keeps it, what happened to it; --watch goes on. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/machine.h"
#include "cli/plot.h"
#include "cli/status-rows.h"
#include "cli/time-setup.h"
#include "cli/when.h"

#define WATCH_SECONDS 10

static double number(const json_t *object, const char *key)
{
        return json_number_value(json_object_get(object, key));
}

static void print_offset(const json_t *status)
{
        g_autofree char *offset = tn_when_duration(fabs(number(status, "offset")));
        g_autofree char *error = tn_when_duration(number(status, "error"));
        g_autofree char *jitter = tn_when_duration(number(status, "jitter"));

        if (!json_is_string(json_object_get(status, "source")))
                tn_cli_line("Offset", "not known yet");
        else
                tn_cli_line("Offset", "%s %s, ±%s, by %s, jitter %s", offset,
                            number(status, "offset") < 0 ? "ahead" : "behind", error,
                            tn_cli_text(status, "source"), jitter);
        tn_cli_line("Frequency", "%+.3f ppm", number(status, "frequency-ppb") / 1000);
}

static void print_sources(const json_t *sources)
{
        json_t *source;
        size_t i;

        json_array_foreach(sources, i, source)
        {
                const char *problem = tn_cli_text(source, "problem");
                g_autofree char *offset = tn_when_duration(fabs(number(source, "offset")));
                g_autofree char *error = tn_when_duration(number(source, "error"));
                g_autofree char *measured = g_strdup_printf(
                        "%s %s, ±%s, %s", offset, number(source, "offset") < 0 ? "ahead" : "behind", error,
                        tn_cli_text(source, "quality"));
                bool known = json_is_string(json_object_get(source, "quality"));

                tn_cli_line(i ? "" : "Sources", "%s%s%s%s%s%s", tn_cli_text(source, "name"),
                            json_is_true(json_object_get(source, "used")) ? " (used)" : "",
                            known ? ": " : "", known ? measured : "", *problem ? ": " : "", problem);
        }
}

static void print_jump(const json_t *status)
{
        const json_t *jump = json_object_get(status, "last-jump");
        g_autofree char *when = tn_when_text((time_t) number(jump, "at-seconds"));
        g_autofree char *behind = tn_when_duration(fabs(number(jump, "behind")));

        tn_cli_line("Jumps", "%.0f since the agent started", number(status, "jumps"));
        if (!json_is_object(jump))
                return;
        tn_cli_line("Last jump", "%s: %s %s, seen by %s: %s", when, behind,
                    number(jump, "behind") < 0 ? "ahead" : "behind", tn_cli_text(jump, "source"),
                    tn_cli_text(jump, "outcome"));
}

static void print_plot(const json_t *status)
{
        const json_t *history = json_object_get(status, "history");
        struct winsize size = {0};

        if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col < 40)
                return;
        tn_plot_offsets(history, number(status, "interval-seconds"), size.ws_col);
}

static void print_time(const json_t *status)
{
        const char *owner = tn_cli_text(status, "owner"), *refusal = tn_cli_text(status, "refusal");
        const char *zone = tn_cli_text(status, "zone");
        int leap = (int) number(status, "leap"), east = (int) number(status, "utc-offset-seconds") / 60;

        if (*refusal)
                tn_cli_line("Attention", "%s", refusal);
        tn_status_print_problems(status);
        tn_cli_line("Clock", "kept by %s, mode %s (configured: %s)", owner, tn_cli_text(status, "mode"),
                    tn_cli_text(status, "configured-mode"));
        print_offset(status);
        print_sources(json_object_get(status, "sources"));
        print_jump(status);
        tn_cli_line("Time zone", "%s (UTC%c%02d:%02d)", zone, east < 0 ? '-' : '+', abs(east) / 60,
                    abs(east) % 60);
        tn_cli_line("Leap second", "%s",
                    leap > 0   ? "inserted at the end of this UTC day"
                    : leap < 0 ? "deleted at the end of this UTC day"
                               : "none is announced");
        print_plot(status);
}

static bool is_well(const json_t *status)
{
        return !*tn_cli_text(status, "refusal") && !json_array_size(json_object_get(status, "problems"));
}

struct setup {
        gboolean undo, dry_run, json;
};

static void print_lines(char sign, const json_t *change, const char *member)
{
        const char *text = json_string_value(json_object_get(change, member));
        g_auto(GStrv) lines = text ? g_strsplit(text, "\n", -1) : NULL;

        if (text)
                tn_cli_say("%c%c%c %s", sign, sign, sign, tn_cli_text(change, "file"));
        for (size_t i = 0; text && lines[i] && (*lines[i] || lines[i + 1]); i++)
                tn_cli_say("%c%s", sign, lines[i]);
}

static void print_changes(const json_t *changes, bool dry_run)
{
        json_t *change;
        size_t i;

        json_array_foreach(changes, i, change)
        {
                print_lines('-', change, "before");
                print_lines('+', change, "after");
        }
        tn_cli_say("%s", json_array_size(changes) == 0 ? "Nothing to do."
                         : dry_run                     ? "Nothing was changed, because of --dry-run."
                                                       : "To put it into force: systemctl restart chrony");
}

static int set_up(const struct tn_env *env, void *data)
{
        const struct setup *setup = data;
        json_auto_t *changes = json_array();
        g_autoptr(GError) error = NULL;

        if (!tn_time_setup(env, setup->undo, setup->dry_run, changes, &error))
                return tn_cli_fail(error);
        if (tn_cli_wants_json()) {
                json_auto_t *value = json_pack("{s:b, s:O}", "dry-run", (int) setup->dry_run, "changes",
                                               changes);

                tn_cli_print_json(value);
        } else {
                print_changes(changes, setup->dry_run);
        }
        return TN_EXIT_OK;
}

int tn_cli_time_setup(int argc, char **argv)
{
        struct setup setup = {0};
        const struct tn_cli_value values[] = {
                {"undo", &setup.undo}, {"dry-run", &setup.dry_run}, {"json", &setup.json}, {NULL}};

        return tn_cli_options(&argc, &argv, values) ? tn_cli_on_machine(NULL, set_up, &setup, TN_EXIT_USAGE)
                                                    : TN_EXIT_USAGE;
}

int tn_cli_time(int argc, char **argv)
{
        static const struct tn_question question = {"tenon-get-time-status", NULL, tn_alone_time, print_time,
                                                    is_well};
        gboolean json = FALSE, watch = FALSE;
        const struct tn_cli_value values[] = {{"json", &json}, {"watch", &watch}, {NULL}};
        int status;

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        do {
                if (watch && !json && isatty(STDOUT_FILENO))
                        fputs("\033[H\033[J", stdout);
                status = tn_ask(&question);
                (void) fflush(stdout);
        } while (watch && (status == TN_EXIT_OK || status == TN_EXIT_NO) && sleep(WATCH_SECONDS) == 0);
        return status;
}
