/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * authorized_keys of a user who wishes us ill: links, foreign directories, races. Each request runs in a
 * child that becomes the user (uid 65534 when the tests run as root, else who runs them), as the helper
 * does. What only root can set up is left out without root.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "plugins/accounts/keys-serve.h"

#define SSH       "home/bob/.ssh"
#define FILE_PATH SSH "/authorized_keys"

struct machine {
        struct tn_env env;
        char *root;
        uid_t uid;
};

static struct machine machine;

static bool find_bob(const char *name, struct tn_user *ret, GError **error)
{
        if (strcmp(name, "bob") != 0)
                return tn_error_set(error, TN_ERROR_NOT_FOUND, "failed to lookup user '%s': no such user",
                                    name);
        *ret = (struct tn_user){
                .name = g_strdup("bob"),
                .home = g_strdup("/home/bob/"),
                .uid = machine.uid,
                .gid = machine.uid ? (gid_t) machine.uid : getgid(),
        };
        return true;
}

static char *at(const char *path)
{
        return g_build_filename(machine.root, path, NULL);
}

static void give(const char *path, uid_t uid)
{
        g_autofree char *full = at(path);

        if (geteuid() == 0)
                assert_int_equal(lchown(full, uid, uid), 0);
}

static void make_directory(const char *path, mode_t mode)
{
        g_autofree char *full = at(path);

        assert_int_equal(mkdir(full, mode), 0);
        assert_int_equal(chmod(full, mode), 0);
        give(path, machine.uid);
}

static void put(const char *path, const char *text)
{
        g_autofree char *full = at(path);

        assert_true(g_file_set_contents(full, text, -1, NULL));
        give(path, machine.uid);
}

static void put_link(const char *path, const char *target)
{
        g_autofree char *full = at(path), *full_target = at(target);

        assert_int_equal(symlink(full_target, full), 0);
        give(path, machine.uid);
}

static void assert_file(const char *path, const char *expected)
{
        g_autofree char *full = at(path), *text = NULL;

        assert_true(g_file_get_contents(full, &text, NULL, NULL));
        assert_string_equal(text, expected);
}

static void assert_mode(const char *path, mode_t mode)
{
        g_autofree char *full = at(path);
        struct stat st;

        assert_int_equal(lstat(full, &st), 0);
        assert_int_equal(st.st_mode, mode);
        assert_int_equal(st.st_uid, machine.uid);
}

/* How many names are in a directory. */
static unsigned count(const char *path)
{
        g_auto(GStrv) names = tn_env_list(&machine.env, path);

        assert_non_null(names);
        return g_strv_length(names);
}

static void remove_tree(const char *path)
{
        g_autoptr(GDir) dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);

        for (const char *name; dir && (name = g_dir_read_name(dir));) {
                g_autofree char *child = g_build_filename(path, name, NULL);

                remove_tree(child);
        }
        (void) g_remove(path);
}

static int set_up(void **state)
{
        (void) state;
        (void) umask(0);
        machine.uid = geteuid() == 0 ? 65534 : geteuid();
        machine.root = g_dir_make_tmp("tenon-keys-XXXXXX", NULL);
        assert_int_equal(chmod(machine.root, 0755), 0);
        assert_true(tn_env_init_root(&machine.env, machine.root, NULL));
        make_directory("home", 0755);
        give("home", geteuid());
        make_directory("home/bob", 0755);
        return 0;
}

static int tear_down(void **state)
{
        (void) state;
        tn_env_deinit(&machine.env);
        remove_tree(machine.root);
        g_free(machine.root);
        return 0;
}

/* Starts a child that answers @request into a pipe; the pipe's end. */
static int ask_in_child(const char *request, pid_t *ret_pid)
{
        int fds[2];

        assert_int_equal(pipe(fds), 0);
        *ret_pid = fork();
        assert_true(*ret_pid >= 0);
        if (*ret_pid == 0) {
                static const tn_user_find_func find = find_bob;
                struct tn_helper helper = tn_accounts_helper_for(&find);
                g_autofree char *answer = NULL;

                (void) alarm(5); /* nothing here may wait for anybody */
                answer = tn_helper_answer(&helper, &machine.env, request, strlen(request));
                _exit(write(fds[1], answer, strlen(answer)) < 0);
        }
        close(fds[1]);
        return fds[0];
}

static json_t *take_answer(int fd, pid_t pid)
{
        char text[65536];
        size_t used = 0;
        ssize_t n;
        int status;
        json_t *answer;

        while ((n = read(fd, text + used, sizeof text - used)) > 0)
                used += (size_t) n;
        close(fd);
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        answer = json_loadb(text, used, 0, NULL);
        assert_non_null(answer);
        return answer;
}

/* ' stands for " in @format. */
static G_GNUC_PRINTF(1, 2) json_t *ask(const char *format, ...)
{
        g_autofree char *request = NULL;
        va_list args;
        pid_t pid;
        int fd;

        va_start(args, format);
        request = g_strdelimit(g_strdup_vprintf(format, args), "'", '"');
        va_end(args);
        fd = ask_in_child(request, &pid);
        return take_answer(fd, pid);
}

static void assert_answer(json_t *answer, const char *expected)
{
        g_autofree char *text = g_strdelimit(g_strdup(expected), "'", '"');
        json_auto_t *is = answer, *wanted = json_loads(text, 0, NULL);

        assert_non_null(wanted);
        if (!json_equal(is, wanted))
                fail_msg("is %s, should be %s", json_dumps(is, 0), text);
}

/* The error has the code and its message contains @part. */
static void assert_error(json_t *answer, const char *code, const char *part)
{
        json_auto_t *is = answer;
        const char *is_code = "", *message = "";

        if (json_unpack(is, "{s:{s:s, s:s}}", "error", "code", &is_code, "message", &message) < 0)
                fail_msg("no error: %s", json_dumps(is, 0));
        assert_string_equal(is_code, code);
        if (!strstr(message, part))
                fail_msg("'%s' is not in '%s'", part, message);
}

#define GET         "{'op': 'get-authorized-keys', 'username': 'bob'}"
#define ADD(keys)   "{'op': 'add-authorized-keys', 'username': 'bob', 'keys': [" keys "]}"
#define RESET(keys) "{'op': 'add-authorized-keys', 'username': 'bob', 'reset': true, 'keys': [" keys "]}"
#define DROP(keys)  "{'op': 'remove-authorized-keys', 'username': 'bob', 'keys': [" keys "]}"
#define DONE        "{'return': {}}"

static void test_first_key(void **state)
{
        (void) state;
        assert_error(ask(GET), "not-found",
                     "failed to read '/home/bob/.ssh/authorized_keys': No such file or directory");
        assert_answer(ask(DROP("'a 1'")), DONE);
        assert_int_equal(count("home/bob"), 0);
        assert_answer(ask(ADD("'a 1', 'b 2', 'a 1'")), DONE);
        assert_mode(SSH, S_IFDIR | 0700);
        assert_mode(FILE_PATH, S_IFREG | 0600);
        assert_file(FILE_PATH, "a 1\nb 2\n");
        assert_answer(ask(GET), "{'return': ['a 1', 'b 2']}");
        assert_int_equal(count(SSH), 1);
}

static void test_change(void **state)
{
        (void) state;
        make_directory(SSH, 0755);
        put(FILE_PATH, "# by hand\nb 2\n\nc 3");
        assert_answer(ask(ADD("'b 2', 'a 1'")), DONE);
        assert_file(FILE_PATH, "# by hand\nb 2\n\nc 3\na 1\n");
        assert_answer(ask(DROP("'c 3', 'd 4'")), DONE);
        assert_file(FILE_PATH, "# by hand\nb 2\n\na 1\n");
        assert_mode(SSH, S_IFDIR | 0755);
        assert_answer(ask(RESET("'e 5'")), DONE);
        assert_file(FILE_PATH, "e 5\n");
        assert_answer(ask(RESET("")), DONE);
        assert_answer(ask(GET), "{'return': []}");
        assert_int_equal(count(SSH), 1);
}

/* What changes nothing is not written: the file keeps its inode. */
static void test_unchanged(void **state)
{
        g_autofree char *full = at(FILE_PATH);
        struct stat before, after;

        (void) state;
        make_directory(SSH, 0700);
        put(FILE_PATH, "a 1\n");
        assert_int_equal(stat(full, &before), 0);
        assert_answer(ask(ADD("'a 1'")), DONE);
        assert_answer(ask(DROP("'b 2'")), DONE);
        assert_int_equal(stat(full, &after), 0);
        assert_int_equal(before.st_ino, after.st_ino);
}

static void test_bad_requests(void **state)
{
        (void) state;
        assert_error(ask("{"), "invalid", "no known operation");
        assert_error(ask("[]"), "invalid", "no known operation");
        assert_error(ask("{'op': 'format-disk'}"), "invalid", "no known operation");
        assert_error(ask("{'op': 'get-authorized-keys'}"), "invalid", "no username");
        assert_error(ask("{'op': 'get-authorized-keys', 'username': 'eve'}"), "not-found",
                     "failed to lookup user 'eve': no such user");
        assert_error(ask(ADD("'#a'")), "invalid", "begins with '#'");
        assert_error(ask(DROP("'a\\nb'")), "invalid", "more than one line");
        assert_int_equal(count("home/bob"), 0);
}

static void test_no_home(void **state)
{
        g_autofree char *home = at("home/bob");

        (void) state;
        assert_int_equal(rmdir(home), 0);
        assert_error(ask(GET), "not-found", "No such file or directory");
        assert_answer(ask(DROP("'a 1'")), DONE);
        assert_error(ask(ADD("'a 1'")), "not-found", "failed to open '/home/bob'");
}

static void test_linked_directories(void **state)
{
        g_autofree char *home = at("home/bob"), *moved = at("home/moved"), *link = at(SSH);

        (void) state;
        make_directory("elsewhere", 0777);
        put("elsewhere/authorized_keys", "secret\n");
        put_link(SSH, "elsewhere");
        assert_error(ask(GET), "denied", "'/home/bob/.ssh' is a symbolic link");
        assert_error(ask(ADD("'a 1'")), "denied", "'/home/bob/.ssh' is a symbolic link");
        assert_error(ask(RESET("'a 1'")), "denied", "'/home/bob/.ssh' is a symbolic link");
        assert_error(ask(DROP("'secret'")), "denied", "'/home/bob/.ssh' is a symbolic link");
        assert_int_equal(unlink(link), 0);
        assert_int_equal(rename(home, moved), 0);
        put_link("home/bob", "home/moved");
        assert_error(ask(ADD("'a 1'")), "denied", "'/home/bob' is a symbolic link");
        assert_int_equal(count("home/moved"), 0);
        assert_file("elsewhere/authorized_keys", "secret\n");
        assert_int_equal(count("elsewhere"), 1);
}

static void test_linked_file(void **state)
{
        (void) state;
        make_directory(SSH, 0700);
        put("secret", "secret\n");
        put_link(FILE_PATH, "secret");
        assert_error(ask(GET), "denied", "authorized_keys' is a symbolic link");
        assert_error(ask(ADD("'a 1'")), "denied", "authorized_keys' is a symbolic link");
        assert_error(ask(DROP("'secret'")), "denied", "authorized_keys' is a symbolic link");
        assert_answer(ask(RESET("'a 1'")), DONE); /* replaces the link itself */
        assert_mode(FILE_PATH, S_IFREG | 0600);
        assert_file("secret", "secret\n");
}

static void test_hard_link(void **state)
{
        g_autofree char *secret = at("secret"), *file = at(FILE_PATH);

        (void) state;
        if (geteuid() != 0)
                skip();
        make_directory(SSH, 0700);
        put("secret", "secret\n");
        give("secret", 0);
        assert_int_equal(link(secret, file), 0);
        assert_int_equal(chmod(secret, 0600), 0);
        assert_error(ask(GET), "denied", "Permission denied");
        assert_error(ask(ADD("'a 1'")), "denied", "Permission denied");
        assert_int_equal(chmod(secret, 0644), 0);
        assert_answer(ask(ADD("'a 1'")), DONE); /* readable for all; the link is left behind */
        assert_file(FILE_PATH, "secret\na 1\n");
        assert_mode(FILE_PATH, S_IFREG | 0600);
        assert_file("secret", "secret\n");
}

static void test_foreign_directories(void **state)
{
        (void) state;
        if (geteuid() != 0)
                skip();
        make_directory(SSH, 0777);
        give(SSH, 0);
        assert_error(ask(ADD("'a 1'")), "denied",
                     "'/home/bob/.ssh' belongs to uid 0, not to bob (uid 65534)");
        assert_int_equal(count(SSH), 0);
        give("home/bob", 0);
        assert_error(ask(GET), "denied", "'/home/bob' belongs to uid 0, not to bob (uid 65534)");
}

static void test_odd_files(void **state)
{
        g_autofree char *full = at(FILE_PATH), *large = g_strnfill(1024 * 1024 + 1, 'a');

        (void) state;
        make_directory(SSH, 0700);
        assert_int_equal(mkfifo(full, 0666), 0);
        assert_error(ask(GET), "denied", "is not a regular file");
        assert_int_equal(unlink(full), 0);
        make_directory(FILE_PATH, 0700);
        assert_error(ask(GET), "denied", "is not a regular file");
        assert_error(ask(RESET("'a 1'")), "failed", "failed to write");
        assert_int_equal(count(SSH), 1); /* no temporary file is left */
        assert_int_equal(rmdir(full), 0);
        put(FILE_PATH, large);
        assert_error(ask(GET), "limit", "larger than 1048576 bytes");
        assert_true(g_file_set_contents(full, "a\0b\n", 4, NULL));
        give(FILE_PATH, machine.uid);
        assert_error(ask(ADD("'a 1'")), "invalid", "NUL byte");
}

/* Eight requests at once: none overwrites what another has added. */
static void test_together(void **state)
{
        pid_t pids[8];
        int fds[8];
        json_auto_t *answer = NULL;

        (void) state;
        for (unsigned i = 0; i < G_N_ELEMENTS(pids); i++) {
                g_autofree char *request = g_strdup_printf(
                        "{\"op\": \"add-authorized-keys\", \"username\": \"bob\", \"keys\": "
                        "[\"key %u\"]}",
                        i);

                fds[i] = ask_in_child(request, &pids[i]);
        }
        for (unsigned i = 0; i < G_N_ELEMENTS(pids); i++)
                assert_answer(take_answer(fds[i], pids[i]), DONE);
        answer = ask(GET);
        assert_int_equal(json_array_size(json_object_get(answer, "return")), G_N_ELEMENTS(pids));
}

/* Swaps ~/.ssh and a link to a directory that all may write to, for ever. */
static pid_t start_swapping(const char *one, const char *other)
{
        pid_t pid = fork();

        assert_true(pid >= 0);
        if (pid == 0)
                for (;;)
                        (void) renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
        return pid;
}

static void test_race(void **state)
{
        g_autofree char *ssh = at(SSH), *trap = at("home/bob/trap");
        unsigned done = 0, refused = 0;
        pid_t pid;

        (void) state;
        make_directory("victim", 0777);
        make_directory(SSH, 0700);
        put_link("home/bob/trap", "victim");
        pid = start_swapping(ssh, trap);
        for (unsigned i = 0; i < 400; i++) {
                json_auto_t *answer = ask(ADD("'key %u'"), i);

                if (json_object_get(answer, "return"))
                        done++;
                else
                        refused++;
        }
        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, NULL, 0);
        assert_int_equal(count("victim"), 0);
        assert_true(done > 0 && refused > 0); /* else nothing was raced */
}

#define FILE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                FILE_TEST(test_first_key),    FILE_TEST(test_change),    FILE_TEST(test_unchanged),
                FILE_TEST(test_bad_requests), FILE_TEST(test_no_home),   FILE_TEST(test_linked_directories),
                FILE_TEST(test_linked_file),  FILE_TEST(test_hard_link), FILE_TEST(test_foreign_directories),
                FILE_TEST(test_odd_files),    FILE_TEST(test_together),  FILE_TEST(test_race),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
