/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The loader: what is refused and with which remedy, the order of starting and stopping, and that nothing
 * that a plugin does wrong touches the others. */
#include "support.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/command.h"
#include "agent/facts.h"
#include "agent/plugins.h"

struct loader {
        struct machine *machine;
        struct tn_config *config;
        struct tn_commands *commands;
        struct tn_facts *facts;
        struct tn_plugins *plugins;
        char *dir; /* of the modules */
};

static struct loader *loader_new(const char *config)
{
        struct loader *l = g_new0(struct loader, 1);

        l->machine = machine_new();
        l->config = config_from(l->machine, config);
        l->commands = tn_commands_new();
        l->facts = tn_facts_new();
        l->plugins = tn_plugins_new(&l->machine->env, l->config, l->commands, l->facts);
        l->dir = g_dir_make_tmp("tenon-plugins-XXXXXX", NULL);
        return l;
}

static void loader_free(struct loader *l)
{
        tn_plugins_free(l->plugins);
        assert_json(tn_facts_to_json(l->facts), "{}"); /* whoever stopped took its facts along */
        tn_commands_free(l->commands);
        tn_facts_free(l->facts);
        tn_config_free(l->config);
        machine_free(l->machine);
        remove_tree(l->dir);
        g_free(l->dir);
        g_free(l);
}
typedef struct loader loader_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(loader_t, loader_free)

/* Copies test plugins into the loader's folder. Returns the path of the last one; free with g_free(). */
static char *put(struct loader *l, const char *names, mode_t mode)
{
        g_auto(GStrv) list = g_strsplit(names, " ", -1);
        char *to = NULL;

        for (size_t i = 0; list[i]; i++) {
                g_autofree char *file = g_strdup_printf("%s.so", list[i]);
                g_autofree char *from = g_build_filename(g_getenv("TN_TEST_PLUGINS"), file, NULL);
                g_autofree char *bytes = NULL;
                gsize len;

                g_free(to);
                to = g_build_filename(l->dir, file, NULL);
                assert_true(g_file_get_contents(from, &bytes, &len, NULL));
                assert_true(g_file_set_contents(to, bytes, (gssize) len, NULL));
                assert_int_equal(chmod(to, mode), 0);
        }
        return to;
}

static void load_and_start(struct loader *l)
{
        g_autoptr(GError) error = NULL;

        assert_true(tn_plugins_load_directory(l->plugins, l->dir, &error));
        tn_plugins_start(l->plugins);
}

/* "name:state" of each, or the reason of one. */
static void assert_states(struct loader *l, const char *wanted)
{
        json_auto_t *list = tn_plugins_to_json(l->plugins);
        g_autoptr(GString) text = g_string_new(NULL);
        json_t *row;
        size_t i;

        json_array_foreach(list, i, row) g_string_append_printf(
                text, "%s%s:%s", i ? " " : "", json_string_value(json_object_get(row, "name")),
                json_string_value(json_object_get(row, "state")));
        assert_string_equal(text->str, wanted);
}

static void assert_reason(struct loader *l, const char *name, const char *wanted)
{
        json_auto_t *list = tn_plugins_to_json(l->plugins);
        json_t *row;
        size_t i;

        json_array_foreach(list, i,
                           row) if (g_strcmp0(json_string_value(json_object_get(row, "name")), name) == 0)
        {
                const char *reason = json_string_value(json_object_get(row, "reason"));

                assert_contains(reason, wanted);
                assert_non_null(machine_logged(l->machine, wanted)); /* and once in the log */
                return;
        }
        fail_msg("no plugin %s", name);
}

static void test_good(void **state)
{
        g_autoptr(loader_t) l = loader_new("[plugin good]\nword=hello\n");
        g_autofree char *file = put(l, "good", 0644);
        const struct tn_command *command;
        json_auto_t *list = NULL;

        (void) state;
        load_and_start(l);
        assert_states(l, "good:running");
        assert_int_equal(tn_plugins_problems(l->plugins), 0);
        command = tn_commands_find(l->commands, "test-good");
        assert_json(command->desc->run(command->host, NULL, NULL), "{'word': 'hello'}");
        assert_json(json_incref(tn_facts_get(l->facts, "good")), "true");
        list = tn_plugins_to_json(l->plugins);
        assert_json(json_incref(json_object_get(json_array_get(list, 0), "commands")),
                    "[{'name': 'test-good', 'summary': 'Tells a word', 'category': 'info'}]");
        assert_string_equal(json_string_value(json_object_get(json_array_get(list, 0), "file")), file);
}

/* Modules that come from one folder one after the other are different modules. */
static void test_several(void **state)
{
        g_autoptr(loader_t) l = loader_new("");

        (void) state;
        g_free(put(l, "good later bad-start circle-a", 0644));
        load_and_start(l);
        assert_states(l, "bad-start:failed circle-a:running good:running later:waiting");
}

static void test_each_bad_one(void **state)
{
        static const struct {
                const char *file, *name, *state, *reason;
        } rows[] = {
                {"bad-abi", "bad-abi", "refused",
                 "it was built for plugin ABI 4, this agent has 3; rebuild it"},
                {"bad-name", "bad-name", "refused", "its descriptor has no valid name (a-z, 0-9 and -)"},
                {"bad-no-symbol", "bad-no-symbol", "refused",
                 "exports no symbol tenon_plugin; see tenon-plugin(7)"},
                {"bad-signature", "bad-signature", "failed",
                 "command test-odd: the signature \"id:integer\" is malformed"},
                {"bad-start", "bad-start", "failed", "the flux is out of capacity"},
                {"duplicate", "duplicate", "failed", "command test-good is already provided by good"},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(loader_t) l = loader_new("");
                g_autofree char *names = g_strdup_printf("good %s", rows[i].file);
                g_autofree char *wanted = g_strdup_printf("%s:%s good:running", rows[i].name, rows[i].state);

                g_free(put(l, names, 0644));
                load_and_start(l);
                assert_states(l, wanted);
                assert_reason(l, rows[i].name, rows[i].reason);
                assert_int_equal(tn_plugins_problems(l->plugins), 1);
                assert_null(tn_facts_get(l->facts, "bad-start"));
                assert_null(tn_commands_find(l->commands, "test-fine"));
                assert_null(tn_commands_find(l->commands, "test-unique"));
                assert_non_null(tn_commands_find(l->commands, "test-good"));
        }
}

static void test_circle(void **state)
{
        g_autoptr(loader_t) l = loader_new("");

        (void) state;
        g_free(put(l, "circle-a circle-b good", 0644));
        load_and_start(l);
        assert_states(l, "circle-a:failed circle-b:failed good:running");
        assert_reason(l, "circle-b", "its 'after' is part of a circle; it was not started");
}

static void test_writable_file_is_never_mapped(void **state)
{
        static const mode_t modes[] = {0646, 0664, 0666, 0777};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(modes); i++) {
                g_autoptr(loader_t) l = loader_new("");
                g_autofree char *file = put(l, "good", modes[i]);
                g_autofree char *remedy = g_strdup_printf("run: chmod go-w %s", file);

                (void) unsetenv("TN_TEST_GOOD_WAS_MAPPED");
                load_and_start(l);
                assert_states(l, "good:refused");
                assert_reason(l, "good", remedy);
                assert_null(getenv("TN_TEST_GOOD_WAS_MAPPED"));
        }
}

static void test_foreign_file(void **state)
{
        g_autoptr(loader_t) l = loader_new("");
        g_autofree char *file = put(l, "good", 0644);
        g_autofree char *remedy = g_strdup_printf("%s belongs to uid 12345; run: chown root %s", file, file);

        (void) state;
        if (chown(file, 12345, 0) < 0)
                skip(); /* only root can give a file away */
        load_and_start(l);
        assert_reason(l, "good", remedy);
}

static void test_folders(void **state)
{
        g_autoptr(loader_t) l = loader_new("");
        g_autofree char *file = put(l, "good", 0644);
        g_autoptr(GError) error = NULL;

        (void) state;
        assert_int_equal(chmod(l->dir, 0777), 0);
        assert_false(tn_plugins_load_directory(l->plugins, l->dir, &error));
        assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_DENIED));
        assert_contains(error->message, "is writable by others (mode 0777); run: chmod go-w");
        g_clear_error(&error);
        assert_false(tn_plugins_load_directory(l->plugins, "/nonexistent/plugins", &error));
        assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_NOT_FOUND));
        assert_contains(error->message, "open plugin directory /nonexistent/plugins: No such file");
        assert_states(l, "");
}

static void test_rubbish_in_the_folder(void **state)
{
        g_autoptr(loader_t) l = loader_new("");
        g_autofree char *empty = g_build_filename(l->dir, "empty.so", NULL);
        g_autofree char *text = g_build_filename(l->dir, "README", NULL);
        g_autofree char *link = g_build_filename(l->dir, "gone.so", NULL);
        g_autofree char *folder = g_build_filename(l->dir, "folder.so", NULL);
        g_autofree char *fifo = g_build_filename(l->dir, "pipe.so", NULL);

        (void) state;
        assert_true(g_file_set_contents(empty, "", 0, NULL));
        assert_true(g_file_set_contents(text, "x", 1, NULL));
        assert_int_equal(symlink("/nonexistent/x.so", link), 0);
        assert_int_equal(mkdir(folder, 0755), 0);
        assert_int_equal(mkfifo(fifo, 0644), 0); /* must not be waited for */
        g_free(put(l, "good", 0644));
        load_and_start(l);
        assert_states(l, "empty:refused folder:refused gone:refused good:running pipe:refused");
        assert_reason(l, "gone", "No such file or directory");
        assert_reason(l, "empty", "is not a loadable module");
}

/* A full disk, a copy that was interrupted: whatever is left of a module, it must not take us down. */
static void test_cut_off(void **state)
{
        g_autoptr(loader_t) l = loader_new("");
        g_autofree char *file = put(l, "good", 0644);
        g_autofree char *bytes = NULL;
        gsize len;

        (void) state;
        assert_true(g_file_get_contents(file, &bytes, &len, NULL));
        for (gsize cut = 0; cut < len; cut += cut < 1024 ? 31 : 509) {
                g_autoptr(loader_t) each = loader_new("");
                g_autofree char *path = g_build_filename(each->dir, "cut.so", NULL);

                assert_true(g_file_set_contents(path, bytes, (gssize) cut, NULL));
                assert_int_equal(chmod(path, 0644), 0);
                load_and_start(each);
                if (cut < 1024) /* beyond, what is missing may be debug information */
                        assert_int_equal(tn_plugins_problems(each->plugins), 1);
        }
}

static void test_same_name_twice(void **state)
{
        g_autoptr(loader_t) l = loader_new("");
        g_autofree char *file = put(l, "good", 0644);
        g_autofree char *copy = g_build_filename(l->dir, "zz.so", NULL);
        g_autofree char *bytes = NULL;
        gsize len;

        (void) state;
        assert_true(g_file_get_contents(file, &bytes, &len, NULL));
        assert_true(g_file_set_contents(copy, bytes, (gssize) len, NULL));
        load_and_start(l);
        assert_states(l, "good:running zz:refused");
        assert_reason(l, "zz", "the name good is already taken by ");
}

static void test_disabled(void **state)
{
        g_autoptr(loader_t) l = loader_new("[plugins]\ndisable=good, nobody\n");

        (void) state;
        g_free(put(l, "good later", 0644));
        load_and_start(l);
        assert_states(l, "good:disabled later:waiting");
        assert_null(tn_commands_find(l->commands, "test-good"));
        assert_int_equal(tn_plugins_problems(l->plugins), 0);
}

static void test_later(void **state)
{
        g_autoptr(loader_t) l = loader_new("");

        (void) state;
        g_free(put(l, "later", 0644));
        load_and_start(l);
        tn_plugins_retry(l->plugins);
        assert_states(l, "later:waiting");
        machine_write(l->machine, "hardware", "");
        tn_plugins_retry(l->plugins);
        assert_states(l, "later:running");
        tn_plugins_retry(l->plugins);
        assert_states(l, "later:running");
}

static void test_stopped_when_commands_are_refused(void **state)
{
        g_autoptr(loader_t) l = loader_new("");

        (void) state;
        g_free(put(l, "bad-signature", 0644));
        load_and_start(l);
        assert_non_null(machine_logged(l->machine, "bad-signature was stopped|TENON_PLUGIN=bad-signature"));
}

static GString *order;

#define ORDERED(id)                                                                                         \
        static bool start_##id(struct tenon_host *host, GError **error)                                     \
        {                                                                                                   \
                g_string_append(order, "+" #id " ");                                                        \
                return true;                                                                                \
        }                                                                                                   \
        static void stop_##id(struct tenon_host *host)                                                      \
        {                                                                                                   \
                g_string_append(order, "-" #id " ");                                                        \
        }
ORDERED(a)
ORDERED(b)
ORDERED(c)

static void test_order(void **state)
{
        static const char *const after_c[] = {"c", "not-installed", NULL}, *const after_a[] = {"a", NULL};
        static const struct tenon_plugin a = {.abi = TENON_PLUGIN_ABI,
                                              .name = "a",
                                              .summary = "",
                                              .after = after_c,
                                              .start = start_a,
                                              .stop = stop_a};
        static const struct tenon_plugin b = {.abi = TENON_PLUGIN_ABI,
                                              .name = "b",
                                              .summary = "",
                                              .after = after_a,
                                              .start = start_b,
                                              .stop = stop_b};
        static const struct tenon_plugin c = {
                .abi = TENON_PLUGIN_ABI, .name = "c", .summary = "", .start = start_c, .stop = stop_c};
        struct loader *l = loader_new("");

        (void) state;
        order = g_string_new(NULL);
        tn_plugins_add(l->plugins, &a, "a.so");
        tn_plugins_add(l->plugins, &b, "b.so");
        tn_plugins_add(l->plugins, &c, "c.so");
        tn_plugins_start(l->plugins);
        loader_free(l);
        assert_string_equal(order->str, "+c +a +b -b -a -c ");
        g_string_free(order, TRUE);
        tn_plugins_free(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good),
                cmocka_unit_test(test_several),
                cmocka_unit_test(test_each_bad_one),
                cmocka_unit_test(test_circle),
                cmocka_unit_test(test_writable_file_is_never_mapped),
                cmocka_unit_test(test_foreign_file),
                cmocka_unit_test(test_folders),
                cmocka_unit_test(test_rubbish_in_the_folder),
                cmocka_unit_test(test_cut_off),
                cmocka_unit_test(test_same_name_twice),
                cmocka_unit_test(test_disabled),
                cmocka_unit_test(test_later),
                cmocka_unit_test(test_stopped_when_commands_are_refused),
                cmocka_unit_test(test_order),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
