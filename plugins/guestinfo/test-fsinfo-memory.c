/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What is remembered of file systems is never untrue, and sizes that may hang are asked elsewhere. The
 * surprising thing: these machines are made of files, but not "recorded", so that they are watched; their
 * clock is ours.
 */
#define _GNU_SOURCE
#include "plugins/guestinfo/test-support.h"

#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/json.h"

#define SETTLED_USEC (300 * 1000)

static uint64_t now_usec = 1000 * 1000;

static uint64_t fake_now(const struct tn_env *env, clockid_t clock)
{
        (void) env;
        (void) clock;
        return now_usec;
}

static struct machine *watched_machine(const char *fixture)
{
        struct machine *machine = machine_new();

        if (fixture)
                machine_add_fixture(machine, fixture);
        machine_add(machine, "sys/kernel/uevent_seqnum = 7");
        machine->env.recorded = false;
        machine->env.now_usec = fake_now;
        return machine;
}

/* Another disk in its place, without a word of it from anybody. */
static void set_serial(struct machine *machine, const char *serial)
{
        machine_write(machine, "sys/devices/pci0000:00/0000:00:04.0/virtio1/block/vda/serial", serial,
                      strlen(serial));
}

static void assert_serial(struct machine *machine, const char *serial)
{
        json_t *reply = machine_run(machine, "guest-get-fsinfo");
        json_t *disk = json_array_get(json_object_get(json_array_get(reply, 0), "disk"), 0);

        assert_reply_type("guest-get-fsinfo", reply);
        assert_int_equal(g_strcmp0(json_string_value(json_object_get(disk, "serial")), serial), 0);
        json_decref(reply);
}

static struct machine *machine_of_one_disk(void)
{
        struct machine *machine = watched_machine(NULL);

        machine_add(machine, "sys/dev/block/254:1 -> "
                             "../../devices/pci0000:00/0000:00:04.0/virtio1/block/vda\n"
                             "sys/devices/pci0000:00/0000:00:04.0/virtio1/block/vda/dev = 254:1\n"
                             "proc/1/mountinfo = 29 1 254:1 / / rw - ext4 /dev/vda rw");
        set_serial(machine, "one");
        return machine;
}

/* The number is read through the descriptor that was opened at the start, so the file has to stay. */
static void test_event_of_the_kernel(void **state)
{
        g_autoptr(machine_t) machine = machine_of_one_disk();
        g_autofree char *path = g_build_filename(machine->root, "sys/kernel/uevent_seqnum", NULL);
        FILE *file = fopen(path, "r+e");

        (void) state;
        assert_non_null(file);
        assert_serial(machine, "one");
        now_usec += SETTLED_USEC;
        assert_serial(machine, "one");
        for (int i = 0; i < 3; i++) {
                g_autofree char *serial = g_strdup_printf("serial %d", i);

                set_serial(machine, serial);
                rewind(file);
                assert_true(fprintf(file, "%d\n", 100 + i) > 0);
                assert_int_equal(fflush(file), 0);
                assert_serial(machine, serial); /* at once */
                set_serial(machine, "late");
                assert_serial(machine, "late"); /* shortly after an event nothing is kept */
                now_usec += SETTLED_USEC;
                assert_serial(machine, "late");
                set_serial(machine, "unheard");
                assert_serial(machine, "late"); /* and then it is */
        }
        assert_int_equal(fclose(file), 0);
}

static void test_record_of_udev(void **state)
{
        static const char record[] = "E:ID_SERIAL=udevs\n";
        g_autoptr(machine_t) machine = machine_of_one_disk();

        (void) state;
        machine_add(machine, "run/udev/data/");
        assert_serial(machine, "one");
        now_usec += SETTLED_USEC;
        assert_serial(machine, "one");
        machine_write(machine, "run/udev/data/b254:1", record, strlen(record));
        assert_serial(machine, "udevs");
}

/* A member of a RAID goes without an event. */
static void test_raid_is_not_remembered(void **state)
{
        g_autoptr(machine_t) machine = watched_machine("md-raid1.tree");
        g_autofree char *slave = g_build_filename(machine->root, "sys/devices/virtual/block/md0/slaves/sdb1",
                                                  NULL);
        json_t *reply;

        (void) state;
        for (int members = 2; members > 0; members--) {
                reply = machine_run(machine, "guest-get-fsinfo");
                now_usec += SETTLED_USEC;
                json_decref(reply);
                reply = machine_run(machine, "guest-get-fsinfo");
                assert_int_equal(json_array_size(json_object_get(json_array_get(reply, 0), "disk")),
                                 members);
                json_decref(reply);
                (void) unlink(slave); /* twice; the second time it is gone already */
        }
}

/* A file system of @type at /: the one that the machine's files really lie on, so that it has a size. */
static struct machine *machine_with_size(const char *type, const char *anonymous_type)
{
        struct machine *machine = watched_machine(NULL);
        g_autofree char *line = NULL;
        struct stat st;

        assert_int_equal(stat(machine->root, &st), 0);
        line = g_strdup_printf("proc/1/mountinfo = 29 1 %u:%u / / rw - %s source rw", major(st.st_dev),
                               minor(st.st_dev), major(st.st_dev) ? type : anonymous_type);
        machine_add(machine, line);
        return machine;
}

static bool has_size(const json_t *reply)
{
        return json_integer_value(json_object_get(json_array_get(reply, 0), "total-bytes")) > 0;
}

static void test_kept_answer(void **state)
{
        g_autoptr(machine_t) machine = machine_with_size("ext4", "zfs");
        json_t *first, *second;

        (void) state;
        json_decref(machine_run(machine, "guest-get-fsinfo"));
        now_usec += SETTLED_USEC;
        first = machine_run(machine, "guest-get-fsinfo");
        second = machine_run(machine, "guest-get-fsinfo");
        assert_true(has_size(first) && has_size(second));
        assert_ptr_not_equal(first, second); /* while somebody holds the first, it stays as it was */
        json_decref(first);
        json_decref(second);
}

static void test_sizes_that_may_hang(void **state)
{
        g_autoptr(machine_t) machine = machine_with_size("fuseblk", "nfs4");
        json_t *reply;

        (void) state;
        machine_add(machine, "proc/1/mountinfo = 30 29 0:99 / /mnt rw - nfs4 server:/export rw");
        machine_start_command(machine, "guest-get-fsinfo");
        assert_int_equal(machine->replies, 1); /* nobody is asked */
        assert_false(has_size(machine->reply));

        machine_set(machine, "network-filesystems", "yes");
        reply = machine_run(machine, "guest-get-fsinfo");
        assert_int_equal(json_array_size(reply), 2);
        assert_true(has_size(reply));
        assert_json(json_array_get(reply, 1), "{\"name\": \"server:/export\", \"mountpoint\": \"/mnt\","
                                              " \"type\": \"nfs4\", \"disk\": []}");
        json_decref(reply);

        machine_start_command(machine, "guest-get-fsinfo");
        assert_int_equal(machine->replies, 0); /* somebody else is asking */
        machine_start_command(machine, "guest-get-fsinfo");
        assert_int_equal(machine->replies, 1); /* no second copy: told without sizes */
        assert_false(has_size(machine->reply));
        json_decref(g_steal_pointer(&machine->reply));
        while (machine->replies == 1)
                g_main_context_iteration(NULL, TRUE);
        assert_true(has_size(machine->reply)); /* the first one's */
}

static unsigned count_overlays(struct machine *machine)
{
        json_t *reply = machine_run(machine, "guest-get-fsinfo");
        unsigned count = 0;

        for (size_t i = 0; i < json_array_size(reply); i++) {
                const char *target = json_string_value(
                        json_object_get(json_array_get(reply, i), "mountpoint"));

                count += g_str_has_prefix(target, machine->root);
        }
        json_decref(reply);
        return count;
}

/* The real mount table, in a mount namespace of our own. */
static void test_mounts_come_and_go(void **state)
{
        g_autoptr(machine_t) machine = watched_machine(NULL);
        g_autofree char *target = g_build_filename(machine->root, "target", NULL);
        g_autofree char *layers = g_strdup_printf("lowerdir=%s/a:%s/b", machine->root, machine->root);

        (void) state;
        machine_add(machine, "proc/1/mountinfo -> /proc/self/mountinfo\na/\nb/\ntarget/");
        if ((unshare(CLONE_NEWNS) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0) ||
            mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0)
                skip();
        assert_int_equal(count_overlays(machine), 0);
        now_usec += SETTLED_USEC;
        for (int i = 0; i < 3; i++) {
                assert_int_equal(count_overlays(machine), 0);
                if (mount("overlay", target, "overlay", 0, layers) < 0)
                        skip();
                assert_int_equal(count_overlays(machine), 1);
                assert_int_equal(count_overlays(machine), 1);
                assert_int_equal(umount(target), 0); /* nothing of ours holds it */
                assert_int_equal(count_overlays(machine), 0);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_event_of_the_kernel),    cmocka_unit_test(test_record_of_udev),
                cmocka_unit_test(test_raid_is_not_remembered), cmocka_unit_test(test_kept_answer),
                cmocka_unit_test(test_sizes_that_may_hang),    cmocka_unit_test(test_mounts_come_and_go),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
