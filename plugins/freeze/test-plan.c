/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The plan: from a mount table and sysfs to an order, or a reason. Steps are written as "/a /b". */
#include "plugins/freeze/mounts.h"
#include "plugins/freeze/plan.h"
#include "plugins/freeze/test-support.h"

#include <string.h>

#define ROOT "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"

static char *steps_of(const struct freeze_plan *plan)
{
        GString *text = g_string_new(NULL);

        for (guint i = 0; i < plan->steps->len; i++)
                g_string_append_printf(text, "%s%s", i ? " " : "", freeze_fs_name(plan->steps->pdata[i]));
        return g_string_free(text, FALSE);
}

static void assert_steps(struct world *world, const char *mountinfo, const char *expected)
{
        g_autoptr(freeze_plan_t) plan = NULL;
        g_autofree char *steps = NULL;

        world_write(world, "proc/1/mountinfo", mountinfo);
        plan = freeze_plan_new(&world->env, NULL, NULL, NULL);
        assert_non_null(plan);
        steps = steps_of(plan);
        assert_string_equal(steps, expected);
        for (guint i = 0; i < plan->steps->len; i++)
                assert_int_equal(((struct freeze_fs *) plan->steps->pdata[i])->order, i + 1);
}

static const char *reason(const struct freeze_plan *plan, const char *name)
{
        for (guint i = 0; i < plan->all->len; i++) {
                const struct freeze_fs *fs = g_ptr_array_index(plan->all, i);

                if (strcmp(freeze_fs_name(fs), name) == 0)
                        return fs->why_not;
        }
        fail_msg("%s is not in the plan", name);
        return NULL;
}

static void test_deepest_first(void **state)
{
        g_autoptr(world_t) world = world_new();

        assert_steps(world,
                     ROOT "21 20 8:2 / /a rw - ext4 /dev/sda2 rw\n"
                          "22 21 8:3 / /a/b rw - xfs /dev/sda3 rw\n"
                          "23 20 8:4 / /c rw - ext4 /dev/sda4 rw\n",
                     "/c /a/b /a /");
}

static void test_one_per_device(void **state)
{
        g_autoptr(world_t) world = world_new();

        assert_steps(world,
                     ROOT "21 20 8:2 / /a rw - ext4 /dev/sda2 rw\n"
                          "22 20 8:2 /sub /bind rw - ext4 /dev/sda2 rw\n"
                          "23 20 8:1 /etc/hosts /c/hosts rw - ext4 /dev/sda1 rw\n",
                     "/a /");
}

static void test_loop_file_before_its_holder(void **state)
{
        g_autoptr(world_t) world = world_new();

        /* The image was mounted first, so the reverse order alone would freeze its holder first. */
        world_write(world, "sys/dev/block/7:0/loop/backing_file", "/data/images/disk.img\n");
        assert_steps(world,
                     ROOT "21 20 7:0 / /img rw - ext4 /dev/loop0 rw\n"
                          "22 20 8:2 / /data rw - ext4 /dev/sda2 rw\n",
                     "/img /data /");
}

static void test_loop_below_mapper_and_partition(void **state)
{
        g_autoptr(world_t) world = world_new();

        /* dm-0 on a partition of loop3, whose file is on /data: /m before /data. */
        world_write(world, "sys/dev/block/253:0/slaves/loop3p1/partition", "1\n");
        world_write(world, "sys/dev/block/253:0/slaves/loop/backing_file", "/data/x (deleted)\n");
        assert_steps(world,
                     ROOT "21 20 253:0 / /m rw - ext4 /dev/mapper/m rw\n"
                          "22 20 8:2 / /data rw - ext4 /dev/sda2 rw\n",
                     "/m /data /");
}

static void test_chain_of_loops(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_write(world, "sys/dev/block/7:0/loop/backing_file", "/data/outer.img\n");
        world_write(world, "sys/dev/block/7:1/loop/backing_file", "/outer/inner.img\n");
        assert_steps(world,
                     ROOT "21 20 7:1 / /inner rw - ext4 /dev/loop1 rw\n"
                          "22 20 7:0 / /outer rw - ext4 /dev/loop0 rw\n"
                          "23 20 8:2 / /data rw - ext4 /dev/sda2 rw\n",
                     "/inner /outer /data /");
}

static void test_circle_ends(void **state)
{
        g_autoptr(world_t) world = world_new();

        world_write(world, "sys/dev/block/7:0/loop/backing_file", "/b/a.img\n");
        world_write(world, "sys/dev/block/7:1/loop/backing_file", "/a/b.img\n");
        assert_steps(world,
                     "20 1 7:0 / /a rw - ext4 /dev/loop0 rw\n"
                     "21 1 7:1 / /b rw - ext4 /dev/loop1 rw\n",
                     "/a /b");
}

static void test_btrfs_on_loops(void **state)
{
        g_autoptr(world_t) world = world_new();

        /* The second device of the file system is the one on a file. */
        world_write(world, "sys/fs/btrfs/1234/devices/sdb", "");
        world_write(world, "sys/fs/btrfs/1234/devices/loop5", "");
        world_write(world, "sys/class/block/sdb/size", "1\n");
        world_write(world, "sys/class/block/loop5/loop/backing_file", "/data/b.img\n");
        assert_steps(world,
                     ROOT "21 20 0:40 /@ /b rw - btrfs /dev/sdb rw\n"
                          "22 20 8:2 / /data rw - ext4 /dev/sda2 rw\n"
                          "23 20 0:40 /@home /home rw - btrfs /dev/sdb rw\n",
                     "/b /data /");
}

static void test_reasons(void **state)
{
        g_autoptr(world_t) world = world_new();
        g_autoptr(freeze_plan_t) plan = NULL;
        g_autofree char *steps = NULL;
        const char *exclude[] = {"/ex*", NULL};

        world_write(world, "proc/1/mountinfo",
                    ROOT "21 20 0:5 / /proc rw - proc proc rw\n"
                         "22 20 0:6 / /run rw - tmpfs tmpfs rw\n"
                         "23 20 8:5 / /ntfs rw - fuseblk /dev/sda5 rw\n"
                         "24 20 0:7 / /ssh rw - fuse.sshfs x:/ rw\n"
                         "25 24 8:6 / /ssh/disk rw - ext4 /dev/sda6 rw\n"
                         "26 20 0:8 / /nfs rw - nfs4 x:/ rw\n"
                         "27 20 0:9 / /tank rw - zfs tank rw\n"
                         "28 20 0:10 / /merged rw - overlay overlay rw\n"
                         "29 20 8:7 / /extra rw - ext4 /dev/sda7 rw\n"
                         "30 20 8:8 / /old rw - ext4 /dev/sda8 rw\n"
                         "31 20 0:11 / /old rw - tmpfs tmpfs rw\n"
                         "32 20 8:9 / /boot/efi rw - vfat /dev/sda9 rw\n");
        plan = freeze_plan_new(&world->env, exclude, NULL, NULL);
        steps = steps_of(plan);
        assert_string_equal(steps, "/boot/efi /");
        assert_true(((struct freeze_fs *) plan->steps->pdata[0])->flush_only);
        assert_non_null(strstr(reason(plan, "/ntfs"), "FUSE"));
        assert_non_null(strstr(reason(plan, "/ssh"), "FUSE"));
        assert_non_null(strstr(reason(plan, "/ssh/disk"), "could hang"));
        assert_non_null(strstr(reason(plan, "/nfs"), "not a disk"));
        assert_non_null(strstr(reason(plan, "/tank"), "ZFS"));
        assert_non_null(strstr(reason(plan, "/merged"), "layers"));
        assert_non_null(strstr(reason(plan, "/run"), "memory"));
        assert_non_null(strstr(reason(plan, "/extra"), "excluded"));
        assert_non_null(strstr(reason(plan, "/old"), "covered"));
        assert_int_equal(plan->all->len, 12); /* all but /proc */
}

static void test_covered_path_is_not_used(void **state)
{
        g_autoptr(world_t) world = world_new();
        g_autoptr(freeze_plan_t) plan = NULL;
        const struct freeze_fs *fs;

        world_write(world, "proc/1/mountinfo",
                    ROOT "21 20 8:2 / /a rw - ext4 /dev/sda2 rw\n"
                         "22 21 8:3 / /a rw - ext4 /dev/sda3 rw\n"
                         "23 20 8:2 /sub /b rw - ext4 /dev/sda2 rw\n");
        plan = freeze_plan_new(&world->env, NULL, NULL, NULL);
        assert_int_equal(plan->steps->len, 3);
        fs = g_ptr_array_index(plan->steps, 1);
        assert_string_equal(freeze_fs_name(fs), "/a");
        assert_string_equal(fs->source, "/dev/sda2");
        assert_int_equal(fs->reach->len, 1);
        assert_string_equal(g_ptr_array_index(fs->reach, 0), "/b");
}

static void test_only_and_exclude(void **state)
{
        g_autoptr(world_t) world = world_new();
        const char *only[] = {"/data", "/nowhere", NULL}, *none[] = {"/nowhere", NULL};
        g_autoptr(freeze_plan_t) some = freeze_plan_new(&world->env, NULL, only, NULL);
        g_autoptr(freeze_plan_t) nothing = freeze_plan_new(&world->env, NULL, none, NULL);
        g_autofree char *steps = steps_of(some);

        assert_string_equal(steps, "/data");
        assert_string_equal(reason(some, "/"), "was not asked for");
        assert_int_equal(nothing->steps->len, 0);
}

static GPtrArray *parse(const char *text, GError **error)
{
        FILE *file = fmemopen((char *) text, strlen(text), "r");
        GPtrArray *mounts = freeze_mounts_parse(file, error);

        assert_int_equal(fclose(file), 0);
        return mounts;
}

static void test_broken_table(void **state)
{
        g_autoptr(GError) error = NULL;

        assert_null(parse("20 21\n", &error));
        assert_non_null(error);
}

static void test_parents_in_a_circle(void **state)
{
        g_autoptr(GPtrArray) mounts = parse("20 21 8:1 / /a rw - ext4 /dev/a rw\n"
                                            "21 20 8:2 / /b rw - ext4 /dev/b rw\n",
                                            NULL);

        assert_int_equal(mounts->len, 2);
        assert_null(freeze_mounts_find(mounts, "/c"));
        assert_string_equal(freeze_mounts_find(mounts, "/b/x")->target, "/b");
}

static void test_escaped_names(void **state)
{
        g_autoptr(GPtrArray) mounts = parse("20 1 8:1 / /with\\040space rw - ext4 /dev/a rw\n", NULL);

        assert_string_equal(((struct freeze_mount *) mounts->pdata[0])->target, "/with space");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_deepest_first),
                cmocka_unit_test(test_one_per_device),
                cmocka_unit_test(test_loop_file_before_its_holder),
                cmocka_unit_test(test_loop_below_mapper_and_partition),
                cmocka_unit_test(test_chain_of_loops),
                cmocka_unit_test(test_circle_ends),
                cmocka_unit_test(test_btrfs_on_loops),
                cmocka_unit_test(test_reasons),
                cmocka_unit_test(test_covered_path_is_not_used),
                cmocka_unit_test(test_only_and_exclude),
                cmocka_unit_test(test_broken_table),
                cmocka_unit_test(test_parents_in_a_circle),
                cmocka_unit_test(test_escaped_names),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
