/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Rooted file access: what is read, what is not, that outputs stay untouched on failure, and that a recorded
 * root cannot be left by symbolic links. */
#define _GNU_SOURCE
#include "support.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/fd.h"

static void test_read(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *text = NULL;
        g_autoptr(GError) error = NULL;
        size_t len = 0;

        (void) state;
        machine_write_len(m, "a/b", "x\0y\n", 4);
        assert_true(tn_env_read(&m->env, "a/b", &text, &len, &error));
        assert_int_equal(len, 4);
        assert_memory_equal(text, "x\0y\n", 5);
        g_clear_pointer(&text, g_free);
        assert_true(tn_env_read(&m->env, "a/b", &text, NULL, &error));
        assert_string_equal(text, "x");
}

static void test_read_failures(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        char *text = (char *) "untouched";
        GError *error = NULL;
        size_t len = 99;

        (void) state;
        assert_false(tn_env_read(&m->env, "none", &text, &len, &error));
        assert_error(error, TN_ERROR_NOT_FOUND, "open /none: No such file or directory");
        machine_write(m, "dir/file", "");
        assert_false(tn_env_read(&m->env, "dir", &text, &len, &error));
        assert_error(error, TN_ERROR_FAILED, "read /dir: Is a directory");
        assert_string_equal(text, "untouched");
        assert_int_equal(len, 99);
        assert_false(tn_env_read(&m->env, "none", &text, NULL, NULL));
}

static void test_read_limit(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *big = g_malloc0(TN_ENV_READ_MAX + 1);
        g_autofree char *text = NULL;
        GError *error = NULL;
        size_t len = 0;

        (void) state;
        machine_write_len(m, "fits", big, TN_ENV_READ_MAX);
        machine_write_len(m, "over", big, TN_ENV_READ_MAX + 1);
        assert_true(tn_env_read(&m->env, "fits", &text, &len, &error));
        assert_int_equal(len, TN_ENV_READ_MAX);
        assert_false(tn_env_read(&m->env, "over", &text, &len, &error));
        assert_error(error, TN_ERROR_LIMIT, "/over is larger than 1048576 bytes");
}

/* Their size is 0 until they are read. */
static void test_read_proc(void **state)
{
        struct tn_env env;
        g_autofree char *text = NULL;
        size_t len = 0;

        (void) state;
        assert_true(tn_env_init_system(&env, NULL, NULL));
        assert_false(env.recorded);
        assert_true(tn_env_read(&env, "proc/self/status", &text, &len, NULL));
        assert_true(len > 100);
        assert_contains(text, "\nPid:");
        assert_true(env.now_usec(&env, CLOCK_REALTIME) > UINT64_C(1700000000000000));
        tn_env_deinit(&env);
        tn_env_deinit(&env); /* twice is harmless */
}

static void test_read_line(void **state)
{
        static const struct {
                const char *text, *line;
        } rows[] = {
                {"one\ntwo\n", "one"}, {"  one \t\n", "one"}, {"one", "one"}, {"", NULL},
                {"\ntwo", NULL},       {" \n", NULL},
        };
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *line = NULL;

                machine_write(m, "f", rows[i].text);
                line = tn_env_read_line(&m->env, "f");
                if (rows[i].line)
                        assert_string_equal(line, rows[i].line);
                else
                        assert_null(line);
        }
        assert_null(tn_env_read_line(&m->env, "none"));
}

static void test_read_int64(void **state)
{
        static const struct {
                const char *text;
                bool ok;
                int64_t value;
        } rows[] = {
                {"42\n", true, 42},
                {"-7", true, -7},
                {"0x1f\n", true, 31},
                {"12abc", false, 0},
                {"", false, 0},
                {"0x", false, 0},
                {"x", false, 0},
                {"1 2", false, 0},
                {"9223372036854775807", true, INT64_MAX},
                {"9223372036854775808", false, 0},
        };
        g_autoptr(machine_t) m = machine_new();

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                int64_t value = 123456;

                machine_write(m, "n", rows[i].text);
                assert_int_equal(tn_env_read_int64(&m->env, "n", &value), rows[i].ok);
                assert_int_equal(value, rows[i].ok ? rows[i].value : 123456);
        }
}

static void test_list(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_auto(GStrv) names = NULL;
        g_autofree char *joined = NULL;

        (void) state;
        machine_write(m, "d/b", "");
        machine_write(m, "d/a", "");
        machine_write(m, "d/.hidden", "");
        names = tn_env_list(&m->env, "d");
        joined = g_strjoinv(" ", names);
        assert_string_equal(joined, ".hidden a b");
        assert_null(tn_env_list(&m->env, "d/a"));
        assert_null(tn_env_list(&m->env, "none"));
        assert_true(tn_env_exists(&m->env, "d/a"));
        assert_false(tn_env_exists(&m->env, "d/c"));
}

static void test_links(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *target = NULL, *name = NULL;

        (void) state;
        machine_link(m, "driver", "../../bus/drivers/virtio_net");
        target = tn_env_readlink(&m->env, "driver");
        name = tn_env_readlink_name(&m->env, "driver");
        assert_string_equal(target, "../../bus/drivers/virtio_net");
        assert_string_equal(name, "virtio_net");
        machine_write(m, "file", "");
        assert_null(tn_env_readlink(&m->env, "file"));
        assert_null(tn_env_readlink_name(&m->env, "none"));
}

/* A hostile recording: nothing below it may lead out. */
static void test_recorded_root_is_a_cage(void **state)
{
        static const char *const ways[] = {"abs", "up", "dir/secret", "../secret", "etc/../../secret"};
        g_autofree char *outside = g_dir_make_tmp("tenon-secret-XXXXXX", NULL);
        g_autofree char *secret = g_build_filename(outside, "secret", NULL);
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *up = g_strdup_printf("../../../../../..%s", secret);

        (void) state;
        assert_true(g_file_set_contents(secret, "secret", -1, NULL));
        machine_link(m, "abs", secret);
        machine_link(m, "up", up);
        machine_link(m, "dir", outside);
        machine_write(m, "etc/x", "");
        for (size_t i = 0; i < G_N_ELEMENTS(ways); i++) {
                assert_null(tn_env_read_line(&m->env, ways[i]));
                assert_false(tn_env_exists(&m->env, ways[i]));
        }
        assert_null(tn_env_list(&m->env, "dir"));
        remove_tree(outside);
}

/* An absolute link means the recording's own root. */
static void test_recorded_absolute_link(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autofree char *line = NULL;

        (void) state;
        machine_write(m, "usr/lib/os-release", "inside\n");
        machine_link(m, "etc/os-release", "/usr/lib/os-release");
        line = tn_env_read_line(&m->env, "etc/os-release");
        assert_string_equal(line, "inside");
}

static void test_open(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        tn_autofd int fd = -1;
        GError *error = NULL;

        (void) state;
        machine_write(m, "f", "");
        fd = tn_env_open(&m->env, "f", O_RDONLY, &error);
        assert_true(fd >= 0);
        assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
        assert_int_equal(tn_env_open(&m->env, "none", O_RDONLY, &error), -1);
        assert_int_equal(errno, ENOENT);
        assert_error(error, TN_ERROR_NOT_FOUND, "open /none: No such file or directory");
}

static void test_recorded_machine_is_inert(void **state)
{
        g_autofree char *dir = g_dir_make_tmp("tenon-unit-XXXXXX", NULL);
        struct tn_cpuid leaf = {7, 7, 7, 7};
        struct tn_env env = {.root_fd = -7};
        GError *error = NULL;

        (void) state;
        assert_false(tn_env_init_root(&env, "/nonexistent-root", &error));
        assert_error(error, TN_ERROR_NOT_FOUND, "open /nonexistent-root: No such file or directory");
        assert_int_equal(env.root_fd, -7);
        assert_true(tn_env_init_root(&env, dir, &error));
        assert_false(env.cpuid(&env, 0, 0, &leaf));
        assert_int_equal(leaf.eax, 7);
        assert_false(env.set_realtime(&env, 1, &error));
        assert_error(error, TN_ERROR_UNSUPPORTED, "a recorded machine has no clock to set");
        assert_string_equal(env.machine, "unknown");
        tn_env_deinit(&env);
        remove_tree(dir);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_read),
                cmocka_unit_test(test_read_failures),
                cmocka_unit_test(test_read_limit),
                cmocka_unit_test(test_read_proc),
                cmocka_unit_test(test_read_line),
                cmocka_unit_test(test_read_int64),
                cmocka_unit_test(test_list),
                cmocka_unit_test(test_links),
                cmocka_unit_test(test_open),
                cmocka_unit_test(test_recorded_root_is_a_cage),
                cmocka_unit_test(test_recorded_absolute_link),
                cmocka_unit_test(test_recorded_machine_is_inert),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
