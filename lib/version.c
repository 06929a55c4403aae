/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Both rules read a version in turns, what is no number and then a number, and differ in the rest. The
 * surprising thing is the tilde: it sorts before everything, even before the end, so that 1.0~rc1 comes
 * before 1.0. rpm's caret sorts after the end and before everything else, so that 1.0^git1 is between 1.0
 * and 1.0.1.
 */
#include "lib/version.h"

#include <glib.h>
#include <string.h>

/* A part of a version: [text, end). */
struct part {
        const char *text, *end;
};

static bool at_end(const struct part *part)
{
        return part->text == part->end;
}

static char peek(const struct part *part)
{
        return at_end(part) ? '\0' : *part->text;
}

/* Takes the digits at the head away; without leading zeros. */
static struct part take_number(struct part *part)
{
        struct part number;

        while (peek(part) == '0')
                part->text++;
        number.text = part->text;
        while (g_ascii_isdigit(peek(part)))
                part->text++;
        number.end = part->text;
        return number;
}

/* Numbers of any length. */
static int compare_numbers(const struct part *a, const struct part *b)
{
        size_t a_len = (size_t) (a->end - a->text), b_len = (size_t) (b->end - b->text);

        if (a_len != b_len)
                return a_len < b_len ? -1 : 1;
        return memcmp(a->text, b->text, a_len);
}

/* The place of a character between numbers for dpkg: ~, the end or a number, letters, the rest. */
static int dpkg_weight(char c)
{
        if (c == '~')
                return -1;
        if (c == '\0' || g_ascii_isdigit(c))
                return 0;
        return g_ascii_isalpha(c) ? (unsigned char) c : (unsigned char) c + 256;
}

static int dpkg_compare_parts(struct part a, struct part b)
{
        while (!at_end(&a) || !at_end(&b)) {
                struct part a_number, b_number;
                int order;

                while ((!at_end(&a) && !g_ascii_isdigit(peek(&a))) ||
                       (!at_end(&b) && !g_ascii_isdigit(peek(&b)))) {
                        order = dpkg_weight(peek(&a)) - dpkg_weight(peek(&b));
                        if (order != 0)
                                return order;
                        a.text++; /* of equal weight and not both numbers: both have a character here */
                        b.text++;
                }
                a_number = take_number(&a);
                b_number = take_number(&b);
                order = compare_numbers(&a_number, &b_number);
                if (order != 0)
                        return order;
        }
        return 0;
}

/* A run of letters or digits. */
static struct part rpm_take_run(struct part *part, bool digits)
{
        struct part run = {part->text, part->text};

        if (digits)
                return take_number(part);
        while (g_ascii_isalpha(peek(part)))
                part->text++;
        run.end = part->text;
        return run;
}

static void rpm_skip_separators(struct part *part)
{
        while (!at_end(part) && !g_ascii_isalnum(*part->text) && *part->text != '~' && *part->text != '^')
                part->text++;
}

/* @marker stands at the head of one of them at least: who lacks it is decided now. *@ret 0: both had it. */
static bool rpm_marker(struct part *a, struct part *b, char marker, int *ret)
{
        bool in_a = peek(a) == marker, in_b = peek(b) == marker;

        if (!in_a && !in_b)
                return false;
        *ret = 0;
        if (in_a && in_b) {
                a->text++;
                b->text++;
        } else if (marker == '~') {
                *ret = in_a ? -1 : 1;
        } else { /* the caret comes after the end, and before all else */
                *ret = in_a ? (at_end(b) ? 1 : -1) : (at_end(a) ? -1 : 1);
        }
        return true;
}

static int rpm_compare_runs(struct part *a, struct part *b)
{
        bool a_digits = g_ascii_isdigit(peek(a)), b_digits = g_ascii_isdigit(peek(b));
        struct part a_run, b_run;
        size_t a_len, b_len;
        int order;

        if (a_digits != b_digits)
                return a_digits ? 1 : -1; /* a number is newer than letters */
        a_run = rpm_take_run(a, a_digits);
        b_run = rpm_take_run(b, b_digits);
        if (a_digits)
                return compare_numbers(&a_run, &b_run);
        a_len = (size_t) (a_run.end - a_run.text);
        b_len = (size_t) (b_run.end - b_run.text);
        order = memcmp(a_run.text, b_run.text, MIN(a_len, b_len));
        return order != 0 ? order : (a_len > b_len) - (a_len < b_len);
}

static int rpm_compare_parts(struct part a, struct part b)
{
        for (;;) {
                int order;

                rpm_skip_separators(&a);
                rpm_skip_separators(&b);
                if (rpm_marker(&a, &b, '~', &order) || rpm_marker(&a, &b, '^', &order)) {
                        if (order != 0)
                                return order;
                        continue;
                }
                if (at_end(&a) || at_end(&b))
                        return at_end(&b) - at_end(&a);
                order = rpm_compare_runs(&a, &b);
                if (order != 0)
                        return order;
        }
}

/* EPOCH:VERSION-REVISION; what is not there is empty. */
struct version {
        struct part epoch, upstream, revision;
        bool has_revision;
};

static struct version split(const char *text)
{
        const char *end = text + strlen(text), *colon = strchr(text, ':'), *hyphen;
        struct version version = {.epoch = {text, text}};

        if (colon && strspn(text, "0123456789") == (size_t) (colon - text)) {
                version.epoch.end = colon;
                text = colon + 1;
        }
        hyphen = strrchr(text, '-');
        version.has_revision = hyphen != NULL;
        version.upstream = (struct part){text, hyphen ? hyphen : end};
        version.revision = (struct part){hyphen ? hyphen + 1 : end, end};
        return version;
}

int tn_version_compare(enum tn_version_rules rules, const char *a, const char *b)
{
        int (*compare)(struct part, struct part) = rules == TN_VERSION_RPM ? rpm_compare_parts
                                                                           : dpkg_compare_parts;
        struct version left = split(a), right = split(b);
        struct part left_epoch = take_number(&left.epoch), right_epoch = take_number(&right.epoch);
        int order = compare_numbers(&left_epoch, &right_epoch);

        if (order == 0)
                order = compare(left.upstream, right.upstream);
        /* To rpm a version without a release is any release of it; to dpkg it is revision 0. */
        if (order == 0 && (rules == TN_VERSION_DPKG || (left.has_revision && right.has_revision)))
                order = compare(left.revision, right.revision);
        return (order > 0) - (order < 0);
}

bool tn_version_is_valid(const char *text)
{
        static const char allowed[] = G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS ".+-~^:_";
        size_t len = strlen(text);

        return len > 0 && len <= TN_VERSION_MAX && g_ascii_isdigit(*text) && strspn(text, allowed) == len;
}
