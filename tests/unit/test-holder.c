/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Who has a device open: a terminal of our own is the device, because nobody else has it. It is one of a
 * high number, for a container's terminals (another instance of devpts) have the same numbers, and what runs
 * beside the tests may be one.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/fd.h"
#include "lib/holder.h"
#include "tests/unit/support.h"

#define TERMINALS 40

static void test_who_has_it_open_and_who_only_looks(void **state)
{
        int masters[TERMINALS], master;
        g_autofree char *us = NULL, *nobody = NULL, *found = NULL;
        g_autofree char *comm = NULL;
        char node[64];
        struct tn_env env;

        (void) state;
        for (size_t i = 0; i < TERMINALS; i++)
                assert_true((masters[i] = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC)) >= 0);
        master = masters[TERMINALS - 1];
        assert_true(grantpt(master) == 0 && unlockpt(master) == 0);
        assert_int_equal(ptsname_r(master, node, sizeof(node)), 0);
        assert_true(tn_env_init_system(&env, NULL, NULL));
        comm = tn_env_read_line(&env, "proc/self/comm");

        /* The question itself must never be the answer, nor somebody who looks at the node. */
        nobody = tn_holder_find(&env, node);
        assert_null(nobody);
        {
                tn_autofd int looking = open(node, O_PATH | O_CLOEXEC);

                assert_true(looking >= 0);
                nobody = tn_holder_find(&env, node);
                assert_null(nobody);
        }

        tn_autofd int held = open(node, O_RDWR | O_NOCTTY | O_CLOEXEC);
        us = g_strdup_printf("%s (pid %d)", comm, (int) getpid());
        found = tn_holder_find(&env, node);
        assert_string_equal(found, us);
        for (size_t i = 0; i < TERMINALS; i++)
                tn_fd_close(&masters[i]);
        tn_env_deinit(&env);
}

static void test_what_is_no_device_has_no_holder(void **state)
{
        g_autofree char *file = NULL, *missing = NULL;
        struct tn_env env;

        (void) state;
        assert_true(tn_env_init_system(&env, NULL, NULL));
        file = tn_holder_find(&env, "/proc/self/status");
        missing = tn_holder_find(&env, "/dev/no-such-device");
        assert_null(file);
        assert_null(missing);
        tn_env_deinit(&env);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_who_has_it_open_and_who_only_looks),
                cmocka_unit_test(test_what_is_no_device_has_no_holder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
