/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The kernel's mount table: what is told has all its parts, and is selected from what was read. */
#define _GNU_SOURCE
#include <stdio.h>

#include "lib/mountinfo.h"
#include "plugins/guestinfo/mounts.h"
#include "tests/fuzz/fuzz.h"

static void check(const struct tn_mountinfo *mount, void *data)
{
        g_autofree char *value = tn_mountinfo_option(mount->options, "subvol");

        g_assert_nonnull(mount->root);
        g_assert_nonnull(mount->target);
        g_assert_nonnull(mount->type);
        g_assert_nonnull(mount->source);
        g_assert_nonnull(mount->flags);
        (*(unsigned *) data)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        FILE *file = size > 0 ? fmemopen((void *) data, size, "r") : NULL;
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) mounts = NULL, selected = NULL;
        unsigned count = 0;

        if (!file)
                return 0;
        g_assert_true(tn_mountinfo_parse(file, check, &count, &error) == (error == NULL));
        rewind(file);
        mounts = tn_mounts_parse(file, NULL);
        if (mounts) {
                g_assert_cmpuint(mounts->len, ==, count);
                selected = tn_mounts_select(mounts, true);
                g_assert_cmpuint(selected->len, <=, mounts->len);
        }
        fclose(file);
        return 0;
}
