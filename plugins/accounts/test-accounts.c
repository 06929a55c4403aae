/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Passwords and keys up to the door of the sandbox: what chpasswd and the helper are told, and what becomes
 * of their answers. Both are scripts here; this machine's accounts are never touched.
 */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/env.h"
#include "lib/error.h"
#include "plugins/accounts/password.h"
#include "tenon/plugin.h"

struct bench {
        struct tenon_host host; /* first, so that it is found from the host */
        struct tn_env env;
        char *root;
        char *chpasswd; /* the settings */
        char *helper;
        unsigned ended;
        json_t *value; /* of the last call */
        GError *error;
};

static struct bench *current; /* a call knows nothing but that it is one */

static const char *fake_config(struct tenon_host *host, const char *group, const char *key)
{
        struct bench *bench = (struct bench *) host;

        if (g_str_equal(group, "accounts") && g_str_equal(key, "chpasswd"))
                return bench->chpasswd;
        return g_str_equal(group, "accounts") && g_str_equal(key, "helper") ? bench->helper : NULL;
}

static void fake_reply(struct tenon_call *call, json_t *value)
{
        (void) call;
        current->ended++;
        current->value = value;
}

static void fake_fail(struct tenon_call *call, GError *error)
{
        (void) call;
        current->ended++;
        current->error = error;
}

static int set_up(void **state)
{
        struct bench *bench = g_new0(struct bench, 1);

        bench->root = g_dir_make_tmp("tenon-accounts-XXXXXX", NULL);
        assert_true(tn_env_init_root(&bench->env, bench->root, NULL));
        bench->host = (struct tenon_host){
                .env = &bench->env, .config = fake_config, .reply = fake_reply, .fail = fake_fail};
        assert_true(tenon_plugin.start(&bench->host, NULL));
        *state = current = bench;
        return 0;
}

static void remove_tree(const char *path)
{
        g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);

        for (const char *name; dir && (name = g_dir_read_name(dir));) {
                g_autofree char *child = g_build_filename(path, name, NULL);

                remove_tree(child);
        }
        (void) g_remove(path);
}

static void forget(struct bench *bench)
{
        g_clear_pointer(&bench->value, json_decref);
        g_clear_error(&bench->error);
        bench->ended = 0;
}

static int tear_down(void **state)
{
        struct bench *bench = *state;

        if (bench->host.data)
                tenon_plugin.stop(&bench->host);
        forget(bench);
        tn_env_deinit(&bench->env);
        remove_tree(bench->root);
        g_free(bench->root);
        g_free(bench->chpasswd);
        g_free(bench->helper);
        g_free(bench);
        return 0;
}

/* A shell script in the bench's folder, which is $d; its path. */
static char *script(struct bench *bench, const char *name, const char *text)
{
        char *path = g_build_filename(bench->root, name, NULL);
        g_autofree char *full = g_strdup_printf("#!/bin/sh\nd=%s\n%s\n", bench->root, text);

        assert_true(g_file_set_contents(path, full, -1, NULL));
        assert_int_equal(chmod(path, 0755), 0);
        return path;
}

static void begin(struct bench *bench, const char *name, const char *args)
{
        g_autofree char *text = g_strdelimit(g_strdup(args), "'", '"');
        json_auto_t *object = json_loads(text, 0, NULL);

        assert_non_null(object);
        forget(bench);
        for (const struct tenon_command *command = tenon_plugin.commands; command->name; command++)
                if (g_str_equal(command->name, name)) {
                        command->start(&bench->host, (struct tenon_call *) bench, object);
                        return;
                }
        fail_msg("there is no command %s", name);
}

static void run(struct bench *bench, const char *name, const char *args)
{
        begin(bench, name, args);
        while (!bench->ended)
                (void) g_main_context_iteration(NULL, TRUE);
        assert_int_equal(bench->ended, 1);
}

static void assert_value(struct bench *bench, const char *expected)
{
        g_autofree char *text = g_strdelimit(g_strdup(expected), "'", '"');
        json_auto_t *wanted = json_loads(text, 0, NULL);

        if (bench->error)
                fail_msg("%s", bench->error->message);
        assert_true(json_equal(bench->value, wanted));
}

static void assert_error(struct bench *bench, int code, const char *message)
{
        assert_null(bench->value);
        assert_non_null(bench->error);
        assert_string_equal(bench->error->message, message);
        assert_int_equal(bench->error->code, code);
}

static char *read_file(struct bench *bench, const char *path)
{
        char *text = NULL;

        assert_true(tn_env_read(&bench->env, path, &text, NULL, NULL));
        return text;
}

static void assert_line(const char *username, const char *base64, const char *expected)
{
        char *line;

        assert_true(tn_password_line(username, base64, &line, NULL));
        assert_string_equal(line, expected);
        tn_password_free(line);
}

static void assert_no_line(const char *username, const char *base64, const char *expected)
{
        g_autoptr(GError) error = NULL;
        char *line = (char *) "untouched";

        assert_false(tn_password_line(username, base64, &line, &error));
        assert_string_equal(line, "untouched");
        assert_string_equal(error->message, expected);
        assert_int_equal(error->code, TN_ERROR_INVALID);
}

#define BAD_BASE64 "Base64 data contains invalid characters, or is cut short"

static void test_password_line(void **state)
{
        (void) state;
        assert_line("bob", "c2VjcmV0", "bob:secret\n");
        assert_line("bob", "c2Vj\ncmV0\n", "bob:secret\n"); /* Proxmox VE */
        assert_line("bob", "YTpi", "bob:a:b\n");
        assert_line("bob", "/+8=", "bob:\xff\xef\n");
        assert_no_line("bob", "c2VjcmV", BAD_BASE64);
        assert_no_line("bob", "c2V*cmV0", BAD_BASE64);
        assert_no_line("bob", "c2V=cmV0", BAD_BASE64);
        assert_no_line("bob", "====", BAD_BASE64);
        assert_no_line("bob", "", "the password is empty; an account without password is not made here");
        assert_no_line("bob", "YQpi", "forbidden characters in raw password");
        assert_no_line("bob", "YQBi", "forbidden characters in raw password");
        assert_no_line("bob:x", "YQ==", "forbidden characters in username");
        assert_no_line("bob\nroot", "YQ==", "forbidden characters in username");
        assert_no_line("", "YQ==", "forbidden characters in username");
}

static void test_password_complaint(void **state)
{
        g_autofree char *told = tn_password_complaint("bob:secret\n", "chpasswd: no user\nsecond\n\n");
        g_autofree char *repeated = tn_password_complaint("bob:secret\n", "chpasswd: weak\n'secret'\n");
        g_autofree char *silent = tn_password_complaint("bob:secret\n", "\n");

        (void) state;
        assert_string_equal(told, "chpasswd: no user second");
        assert_null(repeated);
        assert_null(silent);
}

/* The password goes to standard input and nowhere else. */
static void test_set_password(void **state)
{
        struct bench *bench = *state;
        g_autofree char *arguments = NULL, *input = NULL, *traces = NULL;

        bench->chpasswd = script(bench, "chpasswd",
                                 "echo \"$*\" >$d/arguments\ncat >$d/input\n"
                                 "{ env; tr '\\0' ' ' </proc/$PPID/environ; tr '\\0' ' ' "
                                 "</proc/$$/cmdline; } >$d/traces");
        run(bench, "guest-set-user-password",
            "{'username': 'bob', 'password': 'c2VjcmV0d29yZA==', 'crypted': false}");
        assert_value(bench, "{}");
        arguments = read_file(bench, "arguments");
        input = read_file(bench, "input");
        traces = read_file(bench, "traces");
        assert_string_equal(arguments, "\n");
        assert_string_equal(input, "bob:secretword\n");
        assert_null(strstr(traces, "secretword"));
        assert_non_null(strstr(traces, "chpasswd"));
        run(bench, "guest-set-user-password",
            "{'username': 'bob', 'password': 'JDYkeA==', 'crypted': true}");
        g_free(arguments);
        arguments = read_file(bench, "arguments");
        assert_string_equal(arguments, "-e\n");
}

static void test_set_password_failing(void **state)
{
        struct bench *bench = *state;

        run(bench, "guest-set-user-password", "{'username': 'bob', 'password': 'YQ==', 'crypted': false}");
        assert_error(bench, TN_ERROR_UNSUPPORTED, "chpasswd is not installed in the guest");
        bench->chpasswd = script(bench, "chpasswd",
                                 "read line\necho \"chpasswd: $MISSING no such user\" >&2\n"
                                 "exit 1");
        run(bench, "guest-set-user-password",
            "{'username': 'bob', 'password': 'c2VjcmV0', 'crypted': false}");
        assert_error(bench, TN_ERROR_FAILED,
                     "child process has failed to set user password: chpasswd:  no such user");
        g_free(bench->chpasswd);
        bench->chpasswd = script(bench, "chpasswd", "read line\necho \"bad password $line\"\nexit 3");
        run(bench, "guest-set-user-password",
            "{'username': 'bob', 'password': 'c2VjcmV0', 'crypted': false}");
        assert_error(bench, TN_ERROR_FAILED,
                     "child process has failed to set user password: ended with exit status 3");
        run(bench, "guest-set-user-password", "{'username': 'b:b', 'password': 'YQ==', 'crypted': false}");
        assert_error(bench, TN_ERROR_INVALID, "forbidden characters in username");
}

static void test_keys(void **state)
{
        struct bench *bench = *state;
        g_autofree char *input = NULL;

        bench->helper = script(bench, "helper",
                               "cat >$d/input\necho 'nss: noise'\necho '{\"return\": [\"a 1\"]}'");
        run(bench, "guest-ssh-get-authorized-keys", "{'username': 'bob'}");
        assert_value(bench, "{'keys': ['a 1']}");
        input = read_file(bench, "input");
        assert_string_equal(input, "{\"op\": \"get-authorized-keys\", \"username\": \"bob\"}");
        g_free(bench->helper);
        bench->helper = script(bench, "helper", "cat >$d/input\necho '{\"return\": {}}'");
        run(bench, "guest-ssh-add-authorized-keys", "{'username': 'bob', 'keys': ['a 1'], 'reset': true}");
        assert_value(bench, "{}");
        g_free(input);
        input = read_file(bench, "input");
        assert_string_equal(input,
                            "{\"op\": \"add-authorized-keys\", \"username\": \"bob\", \"keys\": [\"a 1\"], "
                            "\"reset\": true}");
        run(bench, "guest-ssh-remove-authorized-keys", "{'username': 'bob', 'keys': []}");
        assert_value(bench, "{}");
}

static void test_keys_failing(void **state)
{
        struct bench *bench = *state;

        bench->helper = script(bench, "helper",
                               "echo '{\"error\": {\"code\": \"denied\", \"message\": \"no\"}}'");
        run(bench, "guest-ssh-get-authorized-keys", "{'username': 'bob'}");
        assert_error(bench, TN_ERROR_DENIED, "no");
        g_free(bench->helper);
        bench->helper = g_strdup("/nonexistent/helper");
        run(bench, "guest-ssh-get-authorized-keys", "{'username': 'bob'}");
        assert_error(bench, TN_ERROR_NOT_FOUND, "start /nonexistent/helper: No such file or directory");
}

/* A call that is under way when the plugin stops is answered. */
static void test_stop(void **state)
{
        struct bench *bench = *state;

        bench->helper = script(bench, "helper", "exec sleep 60");
        begin(bench, "guest-ssh-get-authorized-keys", "{'username': 'bob'}");
        assert_int_equal(bench->ended, 0);
        tenon_plugin.stop(&bench->host);
        assert_int_equal(bench->ended, 1);
        assert_error(bench, TN_ERROR_FAILED, "the agent is stopping");
}

#define BENCH_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_password_line),
                cmocka_unit_test(test_password_complaint),
                BENCH_TEST(test_set_password),
                BENCH_TEST(test_set_password_failing),
                BENCH_TEST(test_keys),
                BENCH_TEST(test_keys_failing),
                BENCH_TEST(test_stop),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
