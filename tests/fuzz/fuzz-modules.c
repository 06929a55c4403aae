/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A kernel's lists (modules.dep, modules.alias, modules.builtin, its configuration), modprobe.d and the
 * kernel command line; each module and alias can be asked for. */
#include <string.h>

#include "pvdrivers/kernel.h"
#include "tests/fuzz/fuzz.h"

#define FOLDER "lib/modules/6.1.0-1-amd64/"

static const char *const paths[] = {FOLDER "modules.dep",          FOLDER "modules.alias",
                                    FOLDER "modules.builtin",      FOLDER "modules.builtin.modinfo",
                                    FOLDER "kernel/virtio_blk.ko", "boot/config-6.1.0-1-amd64",
                                    "etc/modprobe.d/a.conf",       "proc/cmdline",
                                    "proc/sys/kernel/osrelease",   NULL};

static void ask(struct tn_kernel *kernel, const char *name)
{
        g_autoptr(tn_module_t) module = tn_kernel_module(kernel, name);
        g_auto(GStrv) needs = tn_kernel_module_dependencies(kernel, name);

        g_assert_nonnull(module);
        g_assert_nonnull(needs);
        g_assert_cmpint(module->state, <, _TN_MODULE_STATE_MAX);
        g_assert_true(tn_kernel_module_usable(kernel, name) == (module->state <= TN_MODULE_ON_DISK));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autoptr(tn_kernels_t) kernels = NULL;
        struct tn_kernel *kernel;

        fuzz_root_put(FOLDER "modules.order", "", 0);
        fuzz_root_unpack(data, size, paths);
        kernels = tn_kernels_new(fuzz_root());
        kernel = tn_kernels_at(kernels, 0);
        if (kernel) {
                g_auto(GStrv)
                        names = tn_kernel_lookup_alias(kernel, "pci:v00001AF4d00001001sv0sd0bc01sc00i00");

                ask(kernel, "virtio_blk");
                ask(kernel, "virtio-pci");
                for (size_t i = 0; names[i]; i++)
                        ask(kernel, names[i]);
                (void) tn_kernel_config(kernel, "CONFIG_VIRTIO_BLK");
        }
        (void) tn_kernels_running(kernels);
        (void) tn_kernels_default(kernels);
        return 0;
}
