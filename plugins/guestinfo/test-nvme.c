/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The health of NVMe drives: a page of known bytes, and drives that cannot be asked. */
#include "plugins/guestinfo/test-support.h"

#include <string.h>

#include "plugins/guestinfo/block.h"
#include "plugins/guestinfo/nvme.h"

/* Byte by byte, so that the test is the same on a big-endian machine. */
static void put(guint8 *page, size_t offset, size_t size, guint64 value)
{
        for (size_t i = 0; i < size; i++)
                page[offset + i] = (guint8) (value >> 8 * i);
}

static void test_known_page(void **state)
{
        guint8 page[TN_NVME_PAGE_BYTES];
        json_t *smart;

        (void) state;
        memset(page, 0xEE, sizeof page); /* what is reserved must not matter */
        put(page, 0, 1, 4);
        put(page, 1, 2, 310);
        put(page, 3, 1, 100);
        put(page, 4, 1, 10);
        put(page, 5, 1, 255);
        for (size_t i = 0; i < 10; i++) {
                put(page, 32 + 16 * i, 8, 0x0102030405060700 + i);
                put(page, 40 + 16 * i, 8, i);
        }
        put(page, 72, 8, G_MAXUINT64); /* jansson has no more than 63 bits */
        smart = tn_nvme_smart_json(page);
        assert_reply_type("GuestDiskSmart", smart);
        assert_json(smart,
                    "{\"type\": \"nvme\", \"critical-warning\": 4, \"temperature\": 310,"
                    " \"available-spare\": 100, \"available-spare-threshold\": 10, \"percentage-used\": 255,"
                    " \"data-units-read-lo\": 72623859790382848, \"data-units-read-hi\": 0,"
                    " \"data-units-written-lo\": 72623859790382849, \"data-units-written-hi\": 1,"
                    " \"host-read-commands-lo\": 72623859790382850,"
                    " \"host-read-commands-hi\": 9223372036854775807,"
                    " \"host-write-commands-lo\": 72623859790382851, \"host-write-commands-hi\": 3,"
                    " \"controller-busy-time-lo\": 72623859790382852, \"controller-busy-time-hi\": 4,"
                    " \"power-cycles-lo\": 72623859790382853, \"power-cycles-hi\": 5,"
                    " \"power-on-hours-lo\": 72623859790382854, \"power-on-hours-hi\": 6,"
                    " \"unsafe-shutdowns-lo\": 72623859790382855, \"unsafe-shutdowns-hi\": 7,"
                    " \"media-errors-lo\": 72623859790382856, \"media-errors-hi\": 8,"
                    " \"number-of-error-log-entries-lo\": 72623859790382857,"
                    " \"number-of-error-log-entries-hi\": 9}");
        json_decref(smart);
}

static void test_controller_of_a_namespace(void **state)
{
        static const struct {
                const char *tree, *disk, *controller;
        } cases[] = {
                {"nvme.tree", "nvme0n1", "nvme0"},
                {"nvme-multipath.tree", "nvme0n1", "nvme0"},
                {"virtio.tree", "vda", NULL},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autoptr(machine_t) machine = machine_new();
                g_autofree char *path = NULL, *controller = NULL;

                machine_add_fixture(machine, cases[i].tree);
                path = tn_block_find_name(&machine->env, cases[i].disk);
                assert_non_null(path);
                controller = tn_block_nvme_controller(&machine->env, path);
                assert_int_equal(g_strcmp0(controller, cases[i].controller), 0);
        }
}

/* A file in the place of the drive takes no ioctl: the answer comes, and without the health. */
static void test_drive_that_cannot_be_asked(void **state)
{
        g_autoptr(machine_t) machine = machine_new();
        json_t *reply;

        (void) state;
        machine_add_fixture(machine, "nvme.tree");
        machine_add(machine, "dev/nvme0 = x");
        machine->env.recorded = false;
        for (int i = 0; i < 3; i++) {
                machine_start_command(machine, "guest-get-disks");
                assert_int_equal(machine->replies, 0); /* it is being asked */
                while (machine->replies == 0)
                        g_main_context_iteration(NULL, TRUE);
                reply = machine->reply;
                assert_reply_type("guest-get-disks", reply);
                assert_string_equal(json_string_value(json_object_get(json_array_get(reply, 0), "name")),
                                    "/dev/nvme0n1");
                assert_null(json_object_get(json_array_get(reply, 0), "smart"));
        }
        machine_start_command(machine, "guest-get-disks");
        tenon_plugin.stop(&machine->host); /* what is owed is answered */
        assert_int_equal(machine->replies, 1);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_known_page),
                cmocka_unit_test(test_controller_of_a_namespace),
                cmocka_unit_test(test_drive_that_cannot_be_asked),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
