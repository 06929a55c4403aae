/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Lines for people on standard output. On a terminal they have colour and marks and are wrapped at its
 * width; in a pipe a line is a line. Whatever a text has in it, it cannot steer the terminal.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* What a line of `tenonctl status` says of its subject. */
enum tn_mark {
        TN_MARK_NONE, /* it goes on from the line above */
        TN_MARK_GOOD,
        TN_MARK_BAD,   /* needs attention */
        TN_MARK_OFF,   /* is not there, or not used */
        TN_MARK_PLAIN, /* a fact, neither good nor bad */
};

/* How lines are written; a function of the terminal, or of a test. */
struct tn_screen {
        bool color;
        bool marks;       /* with a column for marks */
        bool unicode;     /* in which they are not ASCII */
        unsigned columns; /* 0: lines are not wrapped */
};

/* auto, always or never; false for anything else. */
bool tn_screen_set_color(const char *when);
/* That of standard output. */
const struct tn_screen *tn_screen_get(void);

/* @text without what steers a terminal: control characters become \x1b, what turns the direction of writing
 * <U+202E>, bytes that are no UTF-8 \xff. Free with g_free(). */
char *tn_screen_escape(const char *text);
/* One line, or several below each other, with their ends. Free with g_free(). */
char *tn_screen_format(const struct tn_screen *screen, enum tn_mark mark, const char *label,
                       const char *text);

/* Prints one line that is not wrapped; the format has no line end. */
void tn_cli_say(const char *format, ...) G_GNUC_PRINTF(1, 2);
/* Prints one line: what it is about (may be ""), and the text. */
void tn_cli_line(const char *label, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The same with a mark. */
void tn_cli_marked(enum tn_mark mark, const char *label, const char *format, ...) G_GNUC_PRINTF(3, 4);
