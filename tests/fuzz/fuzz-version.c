/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Three lines, three versions: the order that both rule books give them is one. But to rpm a version without
 * a release is any release of it, so versions of both kinds have none.
 */
#include <glib.h>
#include <string.h>

#include "lib/version.h"
#include "tests/fuzz/fuzz.h"

static int sign(enum tn_version_rules rules, const char *a, const char *b)
{
        int order = tn_version_compare(rules, a, b);

        return (order > 0) - (order < 0);
}

static bool has_release(const char *version)
{
        return strchr(version, '-') != NULL;
}

static void check(enum tn_version_rules rules, const char *a, const char *b, const char *c)
{
        g_assert_cmpint(sign(rules, a, a), ==, 0);
        g_assert_cmpint(sign(rules, a, b), ==, -sign(rules, b, a));
        if (sign(rules, a, b) <= 0 && sign(rules, b, c) <= 0)
                g_assert_cmpint(sign(rules, a, c), <=, 0);
        if (sign(rules, a, b) == 0)
                g_assert_cmpint(sign(rules, a, c), ==, sign(rules, b, c));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autofree char *text = g_strndup((const char *) data, size);
        g_auto(GStrv) lines = g_strsplit(text, "\n", 4);

        if (g_strv_length(lines) < 3)
                return 0;
        (void) tn_version_is_valid(lines[0]);
        if (!tn_version_is_valid(lines[0]) || !tn_version_is_valid(lines[1]) ||
            !tn_version_is_valid(lines[2])) {
                (void) tn_version_compare(TN_VERSION_DPKG, lines[0], lines[1]);
                (void) tn_version_compare(TN_VERSION_RPM, lines[0], lines[1]);
                return 0;
        }
        check(TN_VERSION_DPKG, lines[0], lines[1], lines[2]);
        if (has_release(lines[0]) == has_release(lines[1]) && has_release(lines[1]) == has_release(lines[2]))
                check(TN_VERSION_RPM, lines[0], lines[1], lines[2]);
        return 0;
}
