/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The helper's end of the socket over which it hands out open files. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd-pass.h"
#include "lib/fd.h"
#include "lib/file-open.h"
#include "plugins/files/open.h"

/* Sends all @requests, has them served to the end, and gives the answers. */
static void serve(const char *root, const char *const *requests, const char *const *answers, int *ret_fds)
{
        struct tn_env env;
        char text[4096];
        int fds[2];

        assert_true(tn_env_init_root(&env, root, NULL));
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
        for (size_t i = 0; requests[i]; i++)
                assert_true(tn_fd_pass_send(fds[0], requests[i], strlen(requests[i]), -1));
        assert_int_equal(shutdown(fds[0], SHUT_WR), 0);
        assert_true(tn_open_serve(&env, fds[1]));
        for (size_t i = 0; requests[i]; i++) {
                ssize_t n = tn_fd_pass_receive(fds[0], text, sizeof text - 1, &ret_fds[i]);

                assert_true(n > 0);
                text[n] = '\0';
                assert_string_equal(text, answers[i]);
        }
        close(fds[0]);
        close(fds[1]);
        tn_env_deinit(&env);
}

static void test_serve(void **state)
{
        static const char *const requests[] = {
                "{\"path\": \"/new\", \"mode\": \"w\", \"nofollow\": false}",
                "{\"path\": \"/no/such\", \"mode\": \"r\", \"nofollow\": false}",
                "{\"path\": \"/new\"}",
                "{\"mode\": \"r\"}",
                "rubbish",
                "{\"path\": \"/new\", \"mode\": \"rw\"}",
                NULL,
        };
        static const char *const answers[] = {
                "{\"return\": true}",
                "{\"error\": {\"code\": \"not-found\", \"message\": \"failed to open file '/no/such' (mode: "
                "'r'): No such file or directory\"}}",
                "{\"return\": true}",
                "{\"error\": {\"code\": \"invalid\", \"message\": \"the request has no path\"}}",
                "{\"error\": {\"code\": \"invalid\", \"message\": \"the request has no path\"}}",
                "{\"error\": {\"code\": \"invalid\", \"message\": \"invalid file open mode 'rw'\"}}",
        };
        g_autofree char *root = g_dir_make_tmp("tenon-open-XXXXXX", NULL);
        g_autofree char *path = g_build_filename(root, "new", NULL);
        int fds[G_N_ELEMENTS(answers)];
        struct stat st;

        (void) state;
        serve(root, requests, answers, fds);
        for (size_t i = 0; i < G_N_ELEMENTS(fds); i++)
                assert_int_equal(fds[i] >= 0, i == 0 || i == 2);
        assert_int_equal(write(fds[0], "text", 4), 4);
        assert_int_equal(fcntl(fds[0], F_GETFD), FD_CLOEXEC);
        assert_true(fcntl(fds[2], F_GETFL) & O_NONBLOCK);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 07777, 0666);
        assert_int_equal(st.st_size, 4);
        close(fds[0]);
        close(fds[2]);
        (void) g_unlink(path);
        (void) g_rmdir(root);
}

/* Too long a message is refused, not cut; and what is no socket is told. */
static void test_refusals(void **state)
{
        g_autofree char *text = g_strnfill(100000, ' ');
        int fds[2], size = 300000;
        struct tn_env env;

        (void) state;
        assert_true(tn_env_init_root(&env, "/", NULL));
        assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
        (void) setsockopt(fds[0], SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
        assert_true(tn_fd_pass_send(fds[0], text, 100000, fds[0]));
        assert_false(tn_open_serve(&env, fds[1]));
        close(fds[0]);
        close(fds[1]);
        fds[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
        assert_false(tn_open_serve(&env, fds[0]));
        close(fds[0]);
        tn_env_deinit(&env);
}

/* As before Linux 5.6, or where a unit has RestrictSUIDSGID=yes. */
static bool forbid_openat2(void)
{
        struct sock_filter rules[] = {
                BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
                BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
                BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        };
        struct sock_fprog program = {.len = G_N_ELEMENTS(rules), .filter = rules};

        return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
               prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/* Opens without following links; the code of the error, or -1. */
static int open_nofollow(const struct tn_env *env, const char *root, const char *name, const char *mode)
{
        g_autofree char *path = g_strconcat(root, name, NULL);
        g_autoptr(GError) error = NULL;
        tn_autofd int fd = tn_file_open(env, path, mode, true, &error);

        return fd >= 0 ? -1 : error->code;
}

/* In a process of its own, for a filter stays. The number of the row that is wrong, or zero. */
static int check_rows(const char *root)
{
        static const struct {
                const char *name, *mode;
                int code;
        } rows[] = {
                {"/dir/file", "r", -1},
                {"//dir/./file", "r", -1},
                {"/dir/../dir/file", "r", -1},
                {"/dir/new", "w", -1},
                {"/dir/", "r", -1},
                {"/dir/link", "r", TN_ERROR_DENIED},
                {"/dir/link", "w", TN_ERROR_DENIED},
                {"/to-dir/file", "r", TN_ERROR_DENIED},
                {"/dir/missing", "r", TN_ERROR_NOT_FOUND},
                {"/missing/file", "w", TN_ERROR_NOT_FOUND},
        };
        struct tn_env env;

        if (!tn_env_init_system(&env, NULL, NULL) || !forbid_openat2())
                return 100;
        if (open_nofollow(&env, "", "", "r") != TN_ERROR_NOT_FOUND)
                return 101;
        for (int i = 0; i < (int) G_N_ELEMENTS(rows); i++)
                if (open_nofollow(&env, root, rows[i].name, rows[i].mode) != rows[i].code)
                        return i + 1;
        return 0;
}

static void check_nofollow(void)
{
        g_autofree char *root = g_dir_make_tmp("tenon-open-XXXXXX", NULL),
                        *dir = g_strconcat(root, "/dir", NULL);
        g_autofree char *file = g_strconcat(dir, "/file", NULL), *link = g_strconcat(dir, "/link", NULL);
        g_autofree char *to_dir = g_strconcat(root, "/to-dir", NULL), *new = g_strconcat(dir, "/new", NULL);
        int status;
        pid_t pid;

        assert_int_equal(g_mkdir(dir, 0700), 0);
        assert_true(g_file_set_contents(file, "x", -1, NULL));
        assert_int_equal(symlink("file", link), 0);
        assert_int_equal(symlink("dir", to_dir), 0);
        pid = fork();
        assert_true(pid >= 0);
        if (pid == 0)
                _exit(check_rows(root));
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        for (size_t i = 0; i < 4; i++)
                assert_int_equal(g_unlink((const char *[]){file, link, to_dir, new}[i]), 0);
        assert_int_equal(g_rmdir(dir) + g_rmdir(root), 0);
}

static void test_nofollow_without_openat2(void **state)
{
        (void) state;
        if (g_getenv("TN_TEST_EMULATED")) /* emulators and valgrind do without seccomp(2) */
                skip();
        check_nofollow();
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_serve),
                cmocka_unit_test(test_refusals),
                cmocka_unit_test(test_nofollow_without_openat2),
        };

        umask(077);
        return cmocka_run_group_tests(tests, NULL, NULL);
}
