/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Any bytes are an image or an error, never both, and what was read can be asked. */
#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "pvdrivers/initramfs.h"

static void ask(const struct tn_initramfs *initramfs)
{
        g_assert_cmpuint(initramfs->segments->len, >, 0);
        for (guint i = 0; i < initramfs->files->len; i++)
                g_assert_true(tn_initramfs_has_file(initramfs, initramfs->files->pdata[i]));
        (void) tn_initramfs_find_module(initramfs, "6.1", "virtio-blk");
        (void) tn_initramfs_has_release(initramfs, "6.1");
        (void) tn_initramfs_find_text(initramfs, "etc/fstab");
        g_assert_nonnull(tn_initramfs_compressor(initramfs));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_initramfs_t) initramfs = tn_initramfs_parse("image", data, size, &error);

        g_assert_true((initramfs == NULL) == (error != NULL));
        if (initramfs)
                ask(initramfs);
        else
                g_assert_true(g_str_has_prefix(error->message, "/image: "));
        return 0;
}
