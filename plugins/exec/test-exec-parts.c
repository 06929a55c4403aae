/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The parts that talk to nobody: environments, unit names, messages, what systemd's answers mean. */
#include "plugins/exec/test-host.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "plugins/exec/unit-message.h"

static void test_unset(void **state)
{
        static const char *const manager[] = {"PATH=/bin", "LANG=C", "EXTRA=1", "GIVEN=2", "BARE", NULL};
        static const char *const env[] = {"HOME=/x", "GIVEN=3", "PATH=", NULL};
        g_auto(GStrv) unset = tn_exec_unit_unset(manager, env);
        g_auto(GStrv) all = tn_exec_unit_unset(NULL, env + 3);
        const char *const *list = (const char *const *) unset;

        (void) state;
        assert_true(g_strv_contains(list, "LANG"));
        assert_true(g_strv_contains(list, "EXTRA"));
        assert_true(g_strv_contains(list, "BARE"));
        assert_true(g_strv_contains(list, "INVOCATION_ID"));
        assert_false(g_strv_contains(list, "HOME"));
        assert_false(g_strv_contains(list, "GIVEN"));
        assert_false(g_strv_contains(list, "PATH"));
        assert_true(g_strv_contains((const char *const *) all, "PATH"));
        for (size_t i = 0; unset[i]; i++) /* each once */
                assert_false(g_strv_contains(list + i + 1, unset[i]));
}

static void test_path(void **state)
{
        g_autofree char *path = tn_exec_unit_path("tenon-exec-5-1.service");

        (void) state;
        assert_string_equal(path, "/org/freedesktop/systemd1/unit/tenon_2dexec_2d5_2d1_2eservice");
}

/* The value of a property in StartTransientUnit, or false. */
static bool find_property(DBusMessage *message, const char *name, DBusMessageIter *ret)
{
        DBusMessageIter top, list;

        dbus_message_iter_init(message, &top);
        dbus_message_iter_next(&top);
        dbus_message_iter_next(&top);
        dbus_message_iter_recurse(&top, &list);
        for (; dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_STRUCT; dbus_message_iter_next(&list)) {
                DBusMessageIter entry;
                const char *key;

                dbus_message_iter_recurse(&list, &entry);
                dbus_message_iter_get_basic(&entry, &key);
                if (strcmp(key, name) != 0)
                        continue;
                dbus_message_iter_next(&entry);
                dbus_message_iter_recurse(&entry, ret);
                return true;
        }
        return false;
}

static void assert_text_property(DBusMessage *message, const char *name, const char *wanted)
{
        DBusMessageIter value;
        const char *text;

        assert_true(find_property(message, name, &value));
        assert_int_equal(dbus_message_iter_get_arg_type(&value), DBUS_TYPE_STRING);
        dbus_message_iter_get_basic(&value, &text);
        assert_string_equal(text, wanted);
}

static struct tn_exec_request *request_of(const char *text)
{
        json_t *args = test_json(text);
        struct tn_exec_request *request = tn_exec_request_parse(args, NULL);

        assert_non_null(request);
        json_decref(args);
        request->program = g_strdup("/usr/bin/x");
        return request;
}

static void test_start_message(void **state)
{
        g_autoptr(tn_exec_request_t) request = request_of(
                "{'path':'x','arg':['$HOME','a$$b','%n',''],'user':'daemon','cwd':'/tmp','timeout-ms':1500,"
                "'env':['A=1']}");
        int fds[3] = {-1, STDOUT_FILENO, -1};
        struct tn_exec_unit_spec spec = {.name = "n.service", .request = request, .fds = fds};
        DBusMessage *message = tn_exec_unit_message_start(&spec);
        DBusMessageIter value, commands, command, words;
        static const char *const wanted[] = {"x", "$$HOME", "a$$$$b", "%n", ""};
        dbus_uint64_t usec;

        (void) state;
        assert_true(dbus_message_has_signature(message, "ssa(sv)a(sa(sv))"));
        assert_text_property(message, "Type", "exec");
        assert_text_property(message, "KillMode", "control-group");
        assert_text_property(message, "SyslogIdentifier", "tenon-exec");
        assert_text_property(message, "Description", "guest-exec of /usr/bin/x");
        assert_text_property(message, "User", "daemon");
        assert_text_property(message, "WorkingDirectory", "/tmp");
        assert_text_property(message, "StandardError", "journal");
        assert_true(find_property(message, "StandardOutputFileDescriptor", &value));
        assert_false(find_property(message, "StandardInputFileDescriptor", &value));
        assert_false(find_property(message, "StandardErrorFileDescriptor", &value));
        assert_false(find_property(message, "ExitType", &value));
        assert_true(find_property(message, "UnsetEnvironment", &value));
        assert_true(find_property(message, "RuntimeMaxUSec", &value));
        dbus_message_iter_get_basic(&value, &usec);
        assert_int_equal(usec, 1500000);
        assert_true(find_property(message, "ExecStart", &value));
        dbus_message_iter_recurse(&value, &commands);
        dbus_message_iter_recurse(&commands, &command);
        dbus_message_iter_next(&command);
        dbus_message_iter_recurse(&command, &words);
        for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++, dbus_message_iter_next(&words)) {
                const char *word;

                assert_int_equal(dbus_message_iter_get_arg_type(&words), DBUS_TYPE_STRING);
                dbus_message_iter_get_basic(&words, &word);
                assert_string_equal(word, wanted[i]);
        }
        dbus_message_unref(message);
        spec.until_group_ends = true;
        g_clear_pointer(&request->env, g_strfreev);
        message = tn_exec_unit_message_start(&spec);
        assert_text_property(message, "ExitType", "cgroup");
        assert_false(find_property(message, "Environment", &value));
        assert_false(find_property(message, "UnsetEnvironment", &value));
        dbus_message_unref(message);
}

/* Bus peers may answer anything: none of it may end the agent. */
static void test_foreign_replies(void **state)
{
        DBusMessage *message = dbus_message_new(DBUS_MESSAGE_TYPE_METHOD_RETURN);
        struct tn_exec_unit_state unit = {.pid = 77};
        const char *text = "text";
        DBusMessageIter top, variant;

        (void) state;
        assert_false(tn_exec_unit_message_state(message, &unit));
        assert_null(tn_exec_unit_message_strings(message));
        dbus_message_iter_init_append(message, &top);
        dbus_message_iter_open_container(&top, DBUS_TYPE_VARIANT, "s", &variant);
        dbus_message_iter_append_basic(&variant, DBUS_TYPE_STRING, &text);
        dbus_message_iter_close_container(&top, &variant);
        assert_false(tn_exec_unit_message_state(message, &unit));
        assert_null(tn_exec_unit_message_strings(message));
        assert_int_equal(unit.pid, 77);
        dbus_message_unref(message);
}

static void test_find(void **state)
{
        struct test_host *h = *state;
        g_autofree char *old_path = g_strdup(g_getenv("PATH")), *found = NULL;
        char a[] = "A=1", path[] = "PATH=/nonesuch:/b", nowhere[] = "PATH=/nonesuch";
        char *has_it[] = {a, path, NULL}, *has_not[] = {nowhere, NULL};
        GError *error = NULL;

        test_host_add(h, "a", S_IFDIR);
        test_host_add(h, "b", S_IFDIR);
        test_host_add(h, "a/one", 0644);
        test_host_add(h, "b/one", 0755);
        test_host_add(h, "a/two", 0644);
        test_host_add(h, "a/dir", S_IFDIR);
        g_setenv("PATH", "relative::/nonesuch:/a:/b", TRUE);
        found = tn_exec_program_find(&h->env, "one", "/", NULL, NULL);
        assert_string_equal(found, "/b/one");
        g_free(found);
        found = tn_exec_program_find(&h->env, "./one", "/b", NULL, NULL);
        assert_string_equal(found, "/b/./one");
        g_free(found);
        found = tn_exec_program_find(&h->env, "one", "/", has_it, NULL);
        assert_string_equal(found, "/b/one");
        assert_null(tn_exec_program_find(&h->env, "one", "/", has_not, NULL));
        assert_null(tn_exec_program_find(&h->env, "two", "/", NULL, &error));
        assert_string_equal(error->message, "Failed to execute child process “two” (Permission denied)");
        assert_int_equal(error->code, TN_ERROR_DENIED);
        g_clear_error(&error);
        assert_null(tn_exec_program_find(&h->env, "dir", "/", NULL, NULL));
        assert_null(tn_exec_program_find(&h->env, "three", "/", NULL, &error));
        assert_int_equal(error->code, TN_ERROR_NOT_FOUND);
        g_clear_error(&error);
        g_setenv("PATH", old_path, TRUE);
}

/* execvp() gives a file without "#!" to the shell; so does qemu-ga. */
static void test_text_without_interpreter(void **state)
{
        struct test_host *h = *state;
        static const struct {
                const char *name, *content;
                size_t len;
                bool is_text;
        } rows[] = {
                {"text", "echo hi\n", 8, true},
                {"script", "#!/bin/sh\necho hi\n", 18, false},
                {"elf", "\177ELF\2\1\1", 7, false},
                {"binary", "MZ\0\1", 4, false},
                {"empty", "", 0, false},
        };
        g_autoptr(tn_exec_request_t) request = NULL;
        json_auto_t *args = json_pack("{s:s, s:[s]}", "path", "./text", "arg", "one");

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *path = g_build_filename(h->root, rows[i].name, NULL);

                assert_true(g_file_set_contents(path, rows[i].content, (gssize) rows[i].len, NULL));
                assert_int_equal(tn_exec_program_is_text(&h->env, rows[i].name), rows[i].is_text);
        }
        assert_false(tn_exec_program_is_text(&h->env, "missing"));
        request = tn_exec_request_parse(args, NULL);
        request->program = g_strdup("/text");
        tn_exec_request_use_shell(request);
        assert_string_equal(request->program, "/bin/sh");
        assert_string_equal(request->argv[0], "/bin/sh");
        assert_string_equal(request->argv[1], "/text");
        assert_string_equal(request->argv[2], "one");
        assert_null(request->argv[3]);
}

static void test_allowed(void **state)
{
        struct test_host *h = *state;
        g_autofree char *link = g_build_filename(h->root, "alias", NULL);
        g_autofree char *applet = g_build_filename(h->root, "a/applet", NULL);

        test_host_add(h, "a", S_IFDIR);
        test_host_add(h, "a/one", 0755);
        test_host_add(h, "a/two", 0755);
        assert_int_equal(symlink("a", link), 0);
        assert_int_equal(symlink("one", applet), 0);
        assert_true(tn_exec_program_check_allowed(&h->env, "/a/one", "/x/y;/a/one", NULL));
        assert_true(tn_exec_program_check_allowed(&h->env, "/alias/one", "/a/one", NULL));
        assert_true(tn_exec_program_check_allowed(&h->env, "/a/../a/one", "/alias/one", NULL));
        assert_false(tn_exec_program_check_allowed(&h->env, "/a/two", "/a/one", NULL));
        /* The same file by another name is another program: think of busybox. */
        assert_false(tn_exec_program_check_allowed(&h->env, "/a/one", "/a/applet", NULL));
        assert_false(tn_exec_program_check_allowed(&h->env, "/a/one", "one", NULL)); /* not in PATH */
        assert_false(tn_exec_program_check_allowed(&h->env, "/a/one", ", ,", NULL));
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_unset),
                cmocka_unit_test(test_path),
                cmocka_unit_test(test_start_message),
                cmocka_unit_test(test_foreign_replies),
                cmocka_unit_test_setup_teardown(test_find, test_host_set_up, test_host_tear_down),
                cmocka_unit_test_setup_teardown(test_text_without_interpreter, test_host_set_up,
                                                test_host_tear_down),
                cmocka_unit_test_setup_teardown(test_allowed, test_host_set_up, test_host_tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
