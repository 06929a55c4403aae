/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* After tn_rest() less is resident, and everything is as it was: code, constants, what the linker wrote. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "lib/rest.h"

static const char *const words[] = {"relocated", "read-only", "data"}; /* RELRO: pointers */
static char written[] = "data that is written";

static long resident_kib(void)
{
        g_autofree char *text = NULL;
        const char *line;

        assert_true(g_file_get_contents("/proc/self/status", &text, NULL, NULL));
        line = strstr(text, "VmRSS:");
        assert_non_null(line);
        return strtol(line + strlen("VmRSS:"), NULL, 10);
}

static void test_less_is_resident(void **state)
{
        long before, after;

        (void) state;
        before = resident_kib();
        tn_rest();
        after = resident_kib();
        print_message("%ld KiB before, %ld KiB after\n", before, after);
        assert_true(after < before);
}

static void test_nothing_is_lost(void **state)
{
        g_autofree char *joined = NULL;

        (void) state;
        written[0] = 'D';
        for (int i = 0; i < 3; i++)
                tn_rest();
        joined = g_strjoin(" ", words[0], words[1], words[2], written, NULL);
        assert_string_equal(joined, "relocated read-only data Data that is written");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_less_is_resident),
                cmocka_unit_test(test_nothing_is_lost),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
