/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Framing of the QGA stream; see frame.h for the rules. The scanner only follows strings and brackets;
 * whether a text is JSON is jansson's business. The surprising thing: QEMU's dialect also allows strings
 * in single quotes, so a message that used them is rewritten before it is handed on.
 */
#define _GNU_SOURCE
#include "agent/frame.h"

#include <glib.h>
#include <jansson.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>

#include "lib/json.h"

#define KEEP_BYTES     (64 * 1024)       /* a buffer above this is large */
#define KEEP_MAX       (2 * 1024 * 1024) /* and above this is not kept at all */
#define TRIM_TOKENS    10000 /* after a message of so many values free memory goes back to the system */
#define CANDIDATES_MAX 16    /* places in a line that are tried as the start of a request */

struct scanner {
        unsigned depth;
        unsigned tokens;
        char quote; /* '"', '\'' or 0 */
        bool escaped;
        bool dialect; /* strings in single quotes, or \' in others, were seen: the text needs rewriting */
};

enum scan {
        SCAN_MORE,
        SCAN_WHOLE,  /* this byte closed the outermost bracket */
        SCAN_BROKEN, /* line end inside a string */
};

struct tn_frame {
        size_t max_bytes;
        tn_frame_func func;
        void *data;
        struct scanner scanner;
        GString *text;     /* raw bytes of the message, or of its last lines while skipping */
        size_t line_start; /* where in text the current line began */
        bool skipping;     /* an error was reported; waiting for the end of this message or line */
        bool mute_closers; /* after skipping: brackets that close nothing are its leftovers */
};

static enum scan scan_string_byte(struct scanner *s, char c)
{
        if (c == '\n')
                return SCAN_BROKEN;
        if (s->escaped) {
                s->escaped = false;
                s->dialect |= c == '\'';
        } else if (c == '\\') {
                s->escaped = true;
        } else if (c == s->quote) {
                s->quote = 0;
        }
        return SCAN_MORE;
}

static enum scan scan_byte(struct scanner *s, char c)
{
        if (s->quote)
                return scan_string_byte(s, c);
        switch (c) {
        case '\'':
                s->dialect = true;
                /* fall through */
        case '"':
                s->quote = c;
                break;
        case '{':
        case '[':
                s->depth++;
                s->tokens++;
                break;
        case '}':
        case ']':
                if (s->depth > 0 && --s->depth == 0)
                        return SCAN_WHOLE;
                break;
        case ',':
        case ':':
                s->tokens++;
                break;
        default:
                break;
        }
        return SCAN_MORE;
}

/* 'it\'s "x"' → "it's \"x\"". Both inside and outside of double-quoted strings nothing else changes. */
static GString *rewrite_single_quotes(const char *text, size_t len)
{
        GString *out = g_string_sized_new(len + 16);
        char quote = 0;

        for (size_t i = 0; i < len; i++) {
                char c = text[i];

                if (quote && c == '\\' && i + 1 < len) {
                        if (text[i + 1] != '\'')
                                g_string_append_c(out, c);
                        g_string_append_c(out, text[++i]);
                        continue;
                }
                if (!quote && (c == '"' || c == '\'')) {
                        quote = c;
                        c = '"';
                } else if (quote && c == quote) {
                        quote = 0;
                        c = '"';
                } else if (quote == '\'' && c == '"') {
                        g_string_append_c(out, '\\');
                }
                g_string_append_c(out, c);
        }
        return out;
}

static void start_over(struct tn_frame *frame)
{
        bool many_values = frame->scanner.tokens > TRIM_TOKENS;

        frame->scanner = (struct scanner){0};
        frame->line_start = 0;
        g_string_truncate(frame->text, 0);
        if (frame->text->allocated_len > KEEP_MAX) {
                g_string_free(frame->text, TRUE);
                frame->text = g_string_new(NULL);
        }
        if (many_values)
                (void) malloc_trim(0); /* they are gone by now as well */
}

bool tn_frame_is_large(const struct tn_frame *frame)
{
        return frame->text->allocated_len > KEEP_BYTES;
}

void tn_frame_shrink(struct tn_frame *frame)
{
        if (frame->text->len > 0 || !tn_frame_is_large(frame))
                return;
        g_string_free(frame->text, TRUE);
        frame->text = g_string_new(NULL);
}

static void deliver(struct tn_frame *frame, const char *text, size_t len, bool dialect)
{
        GString *rewritten;

        frame->mute_closers = false;
        if (!dialect) {
                frame->func(TN_FRAME_MESSAGE, text, len, frame->data);
                return;
        }
        rewritten = rewrite_single_quotes(text, len);
        frame->func(TN_FRAME_MESSAGE, rewritten->str, rewritten->len, frame->data);
        g_string_free(rewritten, TRUE);
}

static void fail(struct tn_frame *frame, const char *why)
{
        frame->func(TN_FRAME_ERROR, why, strlen(why), frame->data);
}

/* True when text[0..len) is one whole object, white space aside, with a member "execute". */
static bool is_request(const char *text, size_t len)
{
        struct scanner scanner = {0};
        json_t *value;
        bool yes;

        for (size_t i = 0; i < len; i++) {
                enum scan scan = scan_byte(&scanner, text[i]);

                if (scan == SCAN_BROKEN || (scan == SCAN_WHOLE && i + 1 < len))
                        return false;
        }
        if (scanner.depth > 0 || scanner.quote || scanner.dialect)
                return false;
        value = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
        yes = json_is_string(json_object_get(value, "execute"));
        json_decref(value);
        return yes;
}

/* Requests are looked for by the members with which they begin. */
static bool may_begin_request(const char *text)
{
        if (*text++ != '{')
                return false;
        text += strspn(text, " \t");
        return g_str_has_prefix(text, "\"execute\"") || g_str_has_prefix(text, "\"arguments\"") ||
               g_str_has_prefix(text, "\"id\"");
}

/* A line ended while a message is open: does the line end with a whole request? Then what stands before
 * it was abandoned. Tried from the end, because what was abandoned may look like many requests. */
static bool resync(struct tn_frame *frame)
{
        const char *line = frame->text->str + frame->line_start;
        size_t len = frame->text->len - frame->line_start;
        unsigned tried = 0;

        while (len > 0 && g_ascii_isspace(line[len - 1]))
                len--;
        if (!memmem(line, len, "\"execute\"", 9))
                return false;
        for (size_t i = len; i-- > 0 && tried < CANDIDATES_MAX && len - i <= frame->max_bytes;) {
                bool is_open_message = i == 0 && frame->line_start == 0 && !frame->skipping;

                if (is_open_message || !may_begin_request(line + i))
                        continue;
                tried++;
                if (is_request(line + i, len - i)) {
                        deliver(frame, line + i, len - i, false);
                        return true;
                }
        }
        return false;
}

static void skip_rest(struct tn_frame *frame, const char *why)
{
        fail(frame, why);
        frame->skipping = true;
        g_string_truncate(frame->text, 0);
        frame->line_start = 0;
}

static void check_limits(struct tn_frame *frame)
{
        if (frame->skipping) {
                /* Only the last lines are kept, to find a request in them. */
                if (frame->text->len > 2 * KEEP_BYTES) {
                        g_string_erase(frame->text, 0, KEEP_BYTES);
                        frame->line_start = 0;
                }
        } else if (frame->text->len > frame->max_bytes) {
                g_autofree char *why = g_strdup_printf(
                        "JSON parse error, the message is larger than %zu bytes", frame->max_bytes);

                skip_rest(frame, why);
        } else if (frame->scanner.depth > TN_FRAME_DEPTH_MAX) {
                skip_rest(frame, "JSON parse error, nesting is deeper than 1024 levels");
        } else if (frame->scanner.tokens > TN_FRAME_TOKENS_MAX) {
                skip_rest(frame, "JSON parse error, the message has too many values");
        }
}

static void end_of_line(struct tn_frame *frame, bool broken)
{
        bool found = resync(frame);

        if (!found && !broken && !frame->skipping) {
                frame->line_start = frame->text->len; /* one message over several lines */
                return;
        }
        if (!found && !frame->skipping)
                fail(frame, "JSON parse error, line end inside a string");
        frame->mute_closers = frame->skipping && !found;
        frame->skipping = false;
        start_over(frame);
}

/* The end of something that is not in brackets: a bare value or rubbish. jansson will say which. */
static void end_of_junk(struct tn_frame *frame)
{
        if (!frame->skipping)
                deliver(frame, frame->text->str, frame->text->len, frame->scanner.dialect);
        frame->skipping = false;
        start_over(frame);
}

static void push_byte(struct tn_frame *frame, char c)
{
        if (frame->text->len == 0 && !frame->skipping) {
                if (g_ascii_isspace(c) || (frame->mute_closers && strchr("]},", c)))
                        return;
        } else if (frame->scanner.depth == 0 && !frame->scanner.quote &&
                   (c == '{' || c == '[' || c == '\n')) {
                end_of_junk(frame);
                if (c == '\n')
                        return;
        }
        g_string_append_c(frame->text, c);
        switch (scan_byte(&frame->scanner, c)) {
        case SCAN_WHOLE:
                check_limits(frame); /* the last byte counts, too */
                end_of_junk(frame);
                return;
        case SCAN_BROKEN:
                end_of_line(frame, true);
                return;
        case SCAN_MORE:
                if (c == '\n')
                        end_of_line(frame, false);
                check_limits(frame);
                return;
        }
}

struct tn_frame *tn_frame_new(size_t max_bytes, tn_frame_func func, void *data)
{
        struct tn_frame *frame = g_new0(struct tn_frame, 1);

        frame->max_bytes = max_bytes;
        frame->func = func;
        frame->data = data;
        frame->text = g_string_new(NULL);
        return frame;
}

void tn_frame_free(struct tn_frame *frame)
{
        if (!frame)
                return;
        g_string_free(frame->text, TRUE);
        g_free(frame);
}

void tn_frame_reset(struct tn_frame *frame)
{
        frame->skipping = false;
        frame->mute_closers = false;
        start_over(frame);
        tn_frame_shrink(frame);
}

size_t tn_frame_pending(const struct tn_frame *frame)
{
        return frame->text->len;
}

/* How many bytes from here are the inside of a string and mean nothing to the scanner: base64, mostly. */
static size_t plain_span(const struct scanner *scanner, const char *bytes, size_t len)
{
        size_t i = 0;

        if (!scanner->quote || scanner->escaped)
                return 0;
        while ((i += tn_json_plain_span(bytes + i, len - i)) < len && bytes[i] != scanner->quote &&
               bytes[i] != '\\' && bytes[i] != '\n' && (unsigned char) bytes[i] != 0xFF)
                i++;
        return i;
}

/* How many bytes more may come before check_limits() has a say: it is asked at the same one, however the
 * stream came in pieces. */
static size_t room(const struct tn_frame *frame)
{
        return (frame->skipping ? 2 * KEEP_BYTES : frame->max_bytes) + 1 - frame->text->len;
}

void tn_frame_push(struct tn_frame *frame, const char *bytes, size_t len)
{
        size_t i = 0;

        while (i < len) {
                size_t span = plain_span(&frame->scanner, bytes + i, MIN(len - i, room(frame)));

                if (span > 0) {
                        g_string_append_len(frame->text, bytes + i, (gssize) span);
                        check_limits(frame);
                        i += span;
                } else if ((unsigned char) bytes[i] == 0xFF) {
                        tn_frame_reset(frame);
                        i++;
                } else {
                        push_byte(frame, bytes[i++]);
                }
        }
}
