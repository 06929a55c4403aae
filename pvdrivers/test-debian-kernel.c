/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The catalogue against the lists of a real kernel below the root directory argv[1]: Debian 12's, cut down
 * (fixtures/extract.py), or a whole one. Each row's module is there, or the row says why not; each pattern
 * is one of the module's; and no pattern of a module that only guests have is missing.
 */
#define _GNU_SOURCE /* nftw */
#include "detect/test-folder.h"

#include <fcntl.h>

#include "lib/env.h"
#include "lib/fd.h"
#include "pvdrivers/kernel.h"

#define ROWS_CHECKED_MIN 60 /* fewer means that the folder has no lists */

static struct tn_env env;
static struct tn_catalogue *catalogue;
static struct tn_kernels *kernels;
static struct tn_kernel *kernel;

/* Kernels of other processors, or of the time after Debian 12: the row names the version. */
static bool excused(const struct tn_pv_driver *row)
{
        static const char *const words[] = {"not in Debian 12", "Linux 6.", "s390x", "arm64",
                                            "never a module"};

        for (size_t i = 0; row->reason && i < G_N_ELEMENTS(words); i++)
                if (strstr(row->reason, words[i]))
                        return true;
        return false;
}

static void test_modules(void **state)
{
        const struct tn_pv_driver *row;
        unsigned there = 0;

        (void) state;
        for (size_t i = 0; (row = tn_catalogue_at(catalogue, i)); i++)
                if (tn_kernel_driver_state(kernel, row) != TN_MODULE_MISSING)
                        there++;
                else if (!excused(row))
                        fail_msg("%s (%s) is not in %s; say why in its reason", row->module, row->config,
                                 kernel->release);
        assert_true(there >= ROWS_CHECKED_MIN);
}

/* Where the module is a file, its option says m. */
static void test_options(void **state)
{
        const struct tn_pv_driver *row;

        (void) state;
        for (size_t i = 0; (row = tn_catalogue_at(catalogue, i)); i++) {
                g_autoptr(tn_module_t) module = tn_kernel_module(kernel, row->module);
                char value = tn_kernel_config(kernel, row->config);

                if (module->path && value != 'm' && value != 'y')
                        fail_msg("%s is there, but %s is not set: not its option?", row->module,
                                 row->config);
        }
}

/* A device that the pattern is for. */
static char *sample(const char *pattern)
{
        g_auto(GStrv) parts = g_strsplit(pattern, "*", -1);

        return g_strjoinv("00000001", parts);
}

static void test_patterns(void **state)
{
        const struct tn_pv_driver *row;

        (void) state;
        for (size_t i = 0; (row = tn_catalogue_at(catalogue, i)); i++) {
                g_auto(GStrv) patterns = g_strsplit(row->match ? row->match : "", " ", -1);
                g_autoptr(tn_module_t) module = tn_kernel_module(kernel, row->module);

                for (size_t j = 0; module->path && patterns[j] && *patterns[j]; j++) {
                        g_autofree char *device = sample(patterns[j]);
                        g_auto(GStrv) found = tn_kernel_lookup_alias(kernel, device);

                        if (!g_strv_contains((const char *const *) found, row->module))
                                fail_msg("%s does not take %s", row->module, patterns[j]);
                }
        }
}

/* Real hardware has these drivers, too: the catalogue lists the devices of guests only. */
static bool also_hardware(const struct tn_pv_driver *row)
{
        static const char *const names[] = {"mlx5_core", "mlx4_core", "ixgbevf",
                                            "nvme",      "iTCO_wdt",  "i6300esb"};

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
                if (g_str_equal(row->module, names[i]))
                        return true;
        return (row->flags & TN_PV_EMULATED) != 0;
}

static bool of_device(const char *pattern)
{
        static const char *const buses[] = {"pci:", "virtio:", "vmbus:", "xen:", "acpi", "of:"};

        for (size_t i = 0; i < G_N_ELEMENTS(buses); i++)
                if (g_str_has_prefix(pattern, buses[i]))
                        return true;
        return false;
}

/* One line "alias PATTERN MODULE" of the kernel. */
static void check_line(const char *line)
{
        g_auto(GStrv) words = g_strsplit(line, " ", 3);
        const struct tn_pv_driver *row;
        bool known = false;

        if (g_strv_length(words) != 3 || !of_device(words[1]))
                return;
        row = tn_catalogue_find_module(catalogue, words[2]);
        if (!row || also_hardware(row))
                return;
        for (size_t i = 0; (row = tn_catalogue_at(catalogue, i)) && !known; i++)
                known = g_str_equal(row->module, words[2]) && tn_catalogue_list_has(row->match, words[1]);
        if (!known)
                fail_msg("the row of %s lacks %s", words[2], words[1]);
}

static void test_no_device_is_missing(void **state)
{
        g_autofree char *path = g_strdup_printf("%s/modules.alias", kernel->modules_dir);
        tn_autofd int fd = tn_env_open(&env, path, O_RDONLY, NULL);
        FILE *stream = fdopen(dup(fd), "r");
        unsigned lines = 0;
        char *line = NULL;
        size_t size = 0;

        (void) state;
        assert_non_null(stream);
        for (; getline(&line, &size, stream) > 0; lines++)
                check_line(g_strchomp(line));
        free(line);
        fclose(stream);
        assert_true(lines > 500);
}

int main(int argc, char **argv)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_modules),
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_patterns),
                cmocka_unit_test(test_no_device_is_missing),
        };
        int failed;

        if (!tn_env_init_root(&env, argc > 1 ? argv[1] : "", NULL))
                return 1;
        catalogue = tn_catalogue_new(&env, NULL);
        kernels = tn_kernels_new(&env);
        kernel = tn_kernels_at(kernels, 0);
        failed = kernel ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
        tn_kernels_free(kernels);
        tn_catalogue_free(catalogue);
        tn_env_deinit(&env);
        return failed;
}
