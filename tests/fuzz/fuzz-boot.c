/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the boot loaders' files say, and of which disks the root file system is. */
#include <string.h>

#include "pvdrivers/boot.h"
#include "pvdrivers/root.h"
#include "tests/fuzz/fuzz.h"

static const char *const paths[] = {"boot/grub/grub.cfg",
                                    "boot/grub/grubenv",
                                    "boot/grub2/grubenv",
                                    "boot/loader/loader.conf",
                                    "boot/loader/entries/a.conf",
                                    "boot/loader/entries/b.conf",
                                    "boot/extlinux/extlinux.conf",
                                    "boot/EFI/Linux/a.efi",
                                    "etc/default/grub",
                                    "etc/fstab",
                                    "etc/crypttab",
                                    "proc/1/mountinfo",
                                    "proc/self/mountinfo",
                                    "proc/cmdline",
                                    NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autoptr(tn_kernels_t) kernels = NULL;
        g_autoptr(tn_boot_t) boot = NULL;
        g_autoptr(tn_root_t) root = NULL;

        fuzz_root_put("boot/vmlinuz-6.1.0-1-amd64", "", 0);
        fuzz_root_put("lib/modules/6.1.0-1-amd64/modules.dep", "", 0);
        fuzz_root_unpack(data, size, paths);
        kernels = tn_kernels_new(fuzz_root());
        boot = tn_boot_read(fuzz_root(), kernels);
        g_assert_nonnull(boot->evidence);
        g_assert_cmpuint(boot->entries->len, <=, TN_BOOT_ENTRIES_MAX);
        for (guint i = 0; i < boot->entries->len; i++) {
                const struct tn_boot_entry *entry = boot->entries->pdata[i];

                g_assert_nonnull(entry->options);
                g_assert_nonnull(entry->file);
        }
        root = tn_root_read(fuzz_root(), boot->chosen ? boot->chosen->options : NULL);
        g_assert_nonnull(root->evidence);
        (void) tn_kernels_default(kernels);
        return 0;
}
