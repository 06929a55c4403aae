/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Progress for people. What programs print is shown on a terminal only, and only its latest line. */
#include "cli/progress.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/cli.h"

#define BAR_WIDTH     20
#define COLUMNS_USUAL 80

/* The latest step, for the line that is renewed while its program prints. */
static char *latest;

static unsigned columns(void)
{
        struct winsize size;

        return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > BAR_WIDTH ? size.ws_col
                                                                                       : COLUMNS_USUAL;
}

static void draw(const struct tn_progress *progress, const char *more)
{
        unsigned filled = progress->total ? progress->done * BAR_WIDTH / progress->total : 0;
        g_autofree char *text = g_strdup_printf("%s%s%s", latest ? latest : "", *more ? ": " : "", more);
        g_autofree char *valid = tn_screen_escape(text);
        g_autofree char *cut = g_utf8_substring(
                valid, 0, MIN(g_utf8_strlen(valid, -1), (glong) columns() - BAR_WIDTH - 5));

        fprintf(stderr, "\r\033[K[%.*s%*s] %s", (int) filled, "####################",
                (int) (BAR_WIDTH - filled), "", cut);
        (void) fflush(stderr);
}

static void on_terminal(const json_t *event, void *data)
{
        const char *kind = tn_cli_text(event, "event");
        g_autofree char *clean = tn_screen_escape(tn_cli_text(event, "text"));

        if (g_str_equal(kind, "output")) {
                draw(data, tn_cli_text(event, "line"));
        } else if (g_str_equal(kind, "note")) {
                fprintf(stderr, "\r\033[K%s\n", clean);
        } else {
                g_free(latest);
                latest = g_strdup(tn_cli_text(event, "text"));
                draw(data, "");
        }
}

static void on_lines(const json_t *event, void *data)
{
        const struct tn_progress *progress = data;
        const char *kind = tn_cli_text(event, "event");
        g_autofree char *clean = tn_screen_escape(tn_cli_text(event, "text"));

        if (g_str_equal(kind, "step"))
                fprintf(stderr, "[%u/%u] %s\n", progress->done, progress->total, clean);
        else if (g_str_equal(kind, "note"))
                fprintf(stderr, "%s\n", clean);
}

void tn_cli_progress_init(struct tn_progress *progress)
{
        *progress = (struct tn_progress){.tell = isatty(STDERR_FILENO) ? on_terminal : on_lines,
                                         .data = progress};
}

void tn_cli_progress_end(struct tn_progress *progress)
{
        if (progress->tell == on_terminal && latest)
                fprintf(stderr, "\r\033[K");
        g_clear_pointer(&latest, g_free);
}
