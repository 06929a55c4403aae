/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The pure half makes text of a line, the other one asks what the terminal can. */
#include "cli/screen.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define LABEL_WIDTH 12 /* and a space behind it */
#define MARK_WIDTH  2
#define TEXT_MIN    20 /* columns; a terminal that has fewer for it wraps by itself */
#define RESET       "\033[0m"

static const struct {
        const char *unicode, *ascii, *color;
} marks[] = {
        [TN_MARK_NONE] = {" ", " ", ""},          [TN_MARK_GOOD] = {"●", "+", "\033[32m"},
        [TN_MARK_BAD] = {"▲", "!", "\033[1;33m"}, [TN_MARK_OFF] = {"○", "-", "\033[2m"},
        [TN_MARK_PLAIN] = {"·", " ", "\033[2m"},
};

static enum { AUTO, ALWAYS, NEVER } when_color;

bool tn_screen_set_color(const char *when)
{
        static const char *const words[] = {[AUTO] = "auto", [ALWAYS] = "always", [NEVER] = "never"};

        for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
                if (g_str_equal(words[i], when)) {
                        when_color = i;
                        return true;
                }
        return false;
}

static unsigned find_columns(void)
{
        struct winsize size;

        return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

const struct tn_screen *tn_screen_get(void)
{
        static struct tn_screen screen;
        const char *term = g_getenv("TERM"), *no_color = g_getenv("NO_COLOR");
        bool terminal = isatty(STDOUT_FILENO), able = term && !g_str_equal(term, "dumb");

        screen.marks = (terminal && able) || when_color == ALWAYS;
        screen.color = when_color == ALWAYS ||
                       (when_color == AUTO && terminal && able && !(no_color && *no_color));
        screen.unicode = g_get_charset(NULL);
        screen.columns = terminal ? find_columns() : 0;
        return &screen;
}

/* Characters of general use that change how others are shown. */
static bool is_steering(gunichar c)
{
        return (c >= 0x200b && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
               (c >= 0x2060 && c <= 0x206f) || c == 0xfeff || c == 0x61c || (c >= 0xfff9 && c <= 0xfffb) ||
               c >= 0xe0000;
}

char *tn_screen_escape(const char *text)
{
        GString *out = g_string_new(NULL);

        while (*text) {
                gunichar c = g_utf8_get_char_validated(text, -1);

                if (c == (gunichar) -1 || c == (gunichar) -2) {
                        g_string_append_printf(out, "\\x%02x", (guchar) *text++);
                        continue;
                }
                if (c < 0x20 || (c >= 0x7f && c < 0xa0))
                        g_string_append_printf(out, "\\x%02x", c);
                else if (is_steering(c))
                        g_string_append_printf(out, "<U+%04X>", c);
                else
                        g_string_append_unichar(out, c);
                text = g_utf8_next_char(text);
        }
        return g_string_free(out, FALSE);
}

static unsigned width_of(gunichar c)
{
        return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

/* The end of what fits into @columns, at a space where there is one. */
static const char *fit(const char *text, unsigned columns)
{
        const char *space = NULL, *at = text;

        for (unsigned used = 0; *at; at = g_utf8_next_char(at)) {
                used += width_of(g_utf8_get_char(at));
                if (*at == ' ' && at > text)
                        space = at;
                if (used > columns)
                        return space ? space : at > text ? at : g_utf8_next_char(at);
        }
        return at;
}

static void append_head(GString *out, const struct tn_screen *screen, enum tn_mark mark, const char *label)
{
        const char *color = screen->color ? marks[mark].color : "";
        const char *bold = screen->color && *label ? (mark == TN_MARK_BAD ? color : "\033[1m") : "";

        if (screen->marks && mark != TN_MARK_NONE)
                g_string_append_printf(out, "%s%s%s ", color,
                                       screen->unicode ? marks[mark].unicode : marks[mark].ascii,
                                       *color ? RESET : "");
        else if (screen->marks)
                g_string_append(out, "  ");
        g_string_append_printf(out, "%s%-*s%s ", bold, LABEL_WIDTH, label, *bold ? RESET : "");
}

char *tn_screen_format(const struct tn_screen *screen, enum tn_mark mark, const char *label,
                       const char *text)
{
        g_autofree char *clean = tn_screen_escape(text);
        unsigned indent = LABEL_WIDTH + 1 + (screen->marks ? MARK_WIDTH : 0);
        bool wraps = screen->columns >= indent + TEXT_MIN;
        const char *at = clean;
        GString *out = g_string_new(NULL);

        append_head(out, screen, mark, label);
        do {
                const char *end = wraps ? fit(at, screen->columns - indent) : at + strlen(at);

                if (at != clean)
                        g_string_append_printf(out, "%*s", (int) indent, "");
                g_string_append_len(out, at, end - at);
                g_string_append_c(out, '\n');
                at = end + strspn(end, " ");
        } while (*at);
        return g_string_free(out, FALSE);
}

static void print_line(const struct tn_screen *screen, enum tn_mark mark, const char *label,
                       const char *format, va_list args)
{
        g_autofree char *text = g_strdup_vprintf(format, args);
        g_autofree char *lines = tn_screen_format(screen, mark, label, text);

        fputs(lines, stdout);
}

void tn_cli_say(const char *format, ...)
{
        g_autofree char *text = NULL, *clean = NULL;
        va_list args;

        va_start(args, format);
        text = g_strdup_vprintf(format, args);
        va_end(args);
        clean = tn_screen_escape(text);
        puts(clean);
}

void tn_cli_line(const char *label, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        print_line(tn_screen_get(), TN_MARK_NONE, label, format, args);
        va_end(args);
}

void tn_cli_marked(enum tn_mark mark, const char *label, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        print_line(tn_screen_get(), mark, label, format, args);
        va_end(args);
}
