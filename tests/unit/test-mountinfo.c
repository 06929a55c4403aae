/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/error.h"
#include "lib/mountinfo.h"
#include "tests/unit/support.h"

static void note(const struct tn_mountinfo *mount, void *data)
{
        g_string_append_printf(data, "%d<%d %u:%u [%s] [%s] [%s] [%s] [%s];", mount->id, mount->parent,
                               major(mount->device), minor(mount->device), mount->root, mount->target,
                               mount->type, mount->source, mount->options);
}

static char *parse(const char *text, GError **error)
{
        FILE *file = fmemopen((char *) text, strlen(text), "r");
        GString *notes = g_string_new(NULL);
        bool ok = tn_mountinfo_parse(file, note, notes, error);

        assert_int_equal(fclose(file), 0);
        return g_string_free(notes, !ok);
}

static void assert_parsed(const char *text, const char *expected)
{
        g_autofree char *parsed = parse(text, NULL);

        assert_non_null(parsed);
        assert_string_equal(parsed, expected);
}

static void test_fields(void **state)
{
        (void) state;
        assert_parsed("36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n",
                      "36<35 98:0 [/mnt1] [/mnt2] [ext3] [/dev/root] [rw,errors=continue];");
        assert_parsed("1 0 259:1048575 / / rw - xfs /dev/x rw",
                      "1<0 259:1048575 [/] [/] [xfs] [/dev/x] [rw];");
        assert_parsed("2 1 0:9 / /a rw shared:1 master:2 propagate_from:3 - tmpfs none rw\n"
                      "3 1 0:4 mnt:[4026532] /run/netns/x rw - nsfs nsfs rw\n",
                      "2<1 0:9 [/] [/a] [tmpfs] [none] [rw];"
                      "3<1 0:4 [mnt:[4026532]] [/run/netns/x] [nsfs] [nsfs] [rw];");
}

static void test_escapes(void **state)
{
        (void) state;
        assert_parsed("1 0 8:1 /a\\040b /c\\011d\\012e\\134f rw - fuse.x\\040y //srv/my\\040share rw\n",
                      "1<0 8:1 [/a b] [/c\td\ne\\f] [fuse.x y] [//srv/my share] [rw];");
        /* No escape of the kernel's, and one that is cut off. */
        assert_parsed("1 0 8:1 / /a\\9b\\04 rw - ext4 x rw\n", "1<0 8:1 [/] [/a\\9b\\04] [ext4] [x] [rw];");
        assert_parsed("1 0 8:1 / /gone\\040(deleted) rw - ext4 x rw\n",
                      "1<0 8:1 [/] [/gone] [ext4] [x] [rw];");
}

static void test_empty_source(void **state)
{
        (void) state;
        assert_parsed("1 0 0:5 / /a rw - tmpfs  rw,size=1k\n", "1<0 0:5 [/] [/a] [tmpfs] [] [rw,size=1k];");
        assert_parsed("1 0 0:5 / /a rw - tmpfs x\n", "1<0 0:5 [/] [/a] [tmpfs] [x] [];");
}

static void test_other_lines_are_left_out(void **state)
{
        (void) state;
        assert_parsed("what\n\n1 0 8:1 / /no/separator rw ext4 x rw\n1 0 8:1 /\n1 0 8:1\n1 0 8:1 / / rw -\n"
                      "1 0 8:1 / / rw - ext4\n2 1 8:1 / /b rw - ext4 x rw\n",
                      "2<1 8:1 [/] [/b] [ext4] [x] [rw];");
}

static void test_nothing_is_an_error(void **state)
{
        const char *const texts[] = {"\n", "what\n", "1 2 3\n"};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(texts); i++) {
                g_autoptr(GError) error = NULL;

                assert_null(parse(texts[i], &error));
                assert_int_equal(error->code, TN_ERROR_INVALID);
        }
}

static void assert_option(const char *options, const char *name, const char *expected)
{
        g_autofree char *value = tn_mountinfo_option(options, name);

        assert_string_equal(value ? value : "(none)", expected);
}

static void test_options(void **state)
{
        const char *options = "rw,subvolid=256,subvol=/a\\054b,upperdir=/up\\040per,empty=";

        (void) state;
        assert_option(options, "subvol", "/a,b");
        assert_option(options, "subvolid", "256");
        assert_option(options, "upperdir", "/up per");
        assert_option(options, "empty", "");
        assert_option(options, "rw", "(none)"); /* has no value */
        assert_option(options, "sub", "(none)");
        assert_option("", "a", "(none)");
}

/* Overlays of containers have lines of many thousand bytes. */
static void test_long_line(void **state)
{
        g_autofree char *lower = g_strnfill(100000, 'x');
        g_autofree char *line = g_strdup_printf("1 0 0:5 / /a rw - overlay o rw,lowerdir=%s\n", lower);
        g_autofree char *expected = g_strdup_printf("1<0 0:5 [/] [/a] [overlay] [o] [rw,lowerdir=%s];",
                                                    lower);

        (void) state;
        assert_parsed(line, expected);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_fields),
                cmocka_unit_test(test_escapes),
                cmocka_unit_test(test_empty_source),
                cmocka_unit_test(test_other_lines_are_left_out),
                cmocka_unit_test(test_nothing_is_an_error),
                cmocka_unit_test(test_options),
                cmocka_unit_test(test_long_line),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
