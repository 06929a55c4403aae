/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which characters a guest may not send to the host's terminal. The surprising thing: on a terminal that
 * does not do UTF-8, the second bytes of ordinary letters are C1 controls, so there nothing beyond ASCII
 * passes.
 */
#include "host/escape.h"

#include <glib.h>
#include <stdbool.h>

/* Beyond ASCII, in order. U+200C and U+200D stay: Persian and Hindi are written with them. */
static const struct {
        gunichar first, last;
} unsafe[] = {
        {0x80, 0x9F},       /* C1 controls */
        {0x61C, 0x61C},     /* Arabic letter mark */
        {0x180E, 0x180E},   /* invisible */
        {0x200B, 0x200B},   /* zero width space */
        {0x200E, 0x200F},   /* marks of direction */
        {0x2028, 0x202E},   /* line and paragraph separator, embeddings and overrides of direction */
        {0x2060, 0x206F},   /* word joiner, invisible operators, isolates, deprecated formats */
        {0xFDD0, 0xFDEF},   /* no characters */
        {0xFEFF, 0xFEFF},   /* byte order mark */
        {0xFFF9, 0xFFFF},   /* annotations, replacement marks, no characters */
        {0xE0000, 0xE0FFF}, /* tags, variation selectors */
};

static bool is_safe(gunichar c, unsigned flags)
{
        if (c < 0x80)
                return (c >= 0x20 && c != 0x7F) || (flags & TN_ESCAPE_LINES && (c == '\n' || c == '\t'));
        if (flags & TN_ESCAPE_ASCII)
                return false;
        for (size_t i = 0; i < G_N_ELEMENTS(unsafe); i++)
                if (c >= unsafe[i].first && c <= unsafe[i].last)
                        return c == 0xFFFD; /* what an agent puts for bytes that were no UTF-8 */
        return true;
}

static void append_escape(GString *out, gunichar c)
{
        if (c == '\n' || c == '\r' || c == '\t')
                g_string_append(out, c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t");
        else if (c < 0x80)
                g_string_append_printf(out, "\\x%02x", c);
        else
                g_string_append_printf(out, c > 0xFFFF ? "\\U%08x" : "\\u%04x", c);
}

char *tn_escape(const char *text, size_t len, unsigned flags)
{
        GString *out = g_string_sized_new(len);
        const char *end = len > 0 ? text + len : text; /* which may be NULL */

        while (text < end) {
                gunichar c = g_utf8_get_char_validated(text, end - text);

                if (c >= (gunichar) -2) { /* no UTF-8, cut off, or NUL */
                        g_string_append_printf(out, "\\x%02x", (unsigned char) *text++);
                        continue;
                }
                if (is_safe(c, flags))
                        g_string_append_len(out, text, g_utf8_next_char(text) - text);
                else
                        append_escape(out, c);
                text = g_utf8_next_char(text);
        }
        return g_string_free(out, FALSE);
}
