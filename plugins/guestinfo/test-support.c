/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Machines made of text, and the host that only remembers. */
#define _GNU_SOURCE
#include "plugins/guestinfo/test-support.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/json.h"

static const char *fake_config(struct tenon_host *host, const char *group, const char *key)
{
        const char *text = json_string_value(json_object_get(((struct machine *) host)->settings, key));

        return strcmp(group, "guestinfo") == 0 ? text : NULL;
}

static void fake_fact_set(struct tenon_host *host, const char *name, json_t *value)
{
        struct machine *machine = (struct machine *) host;

        machine->facts_set++;
        assert_int_equal(json_object_set_new(machine->facts, name, value), 0);
}

static json_t *fake_fact_get(struct tenon_host *host, const char *name)
{
        return json_object_get(((struct machine *) host)->facts, name);
}

static G_GNUC_PRINTF(3, 4) void fake_log(struct tenon_host *host, int level, const char *format, ...)
{
        struct machine *machine = (struct machine *) host;
        va_list args;

        va_start(args, format);
        g_string_append_printf(machine->log, "<%d>", level);
        g_string_append_vprintf(machine->log, format, args);
        g_string_append_c(machine->log, '\n');
        va_end(args);
}

/* A call is the machine itself: there is one at a time. */
static void fake_reply(struct tenon_call *call, json_t *value)
{
        struct machine *machine = (struct machine *) call;

        assert_null(machine->reply);
        machine->reply = value;
        machine->replies++;
}

static void fake_fail(struct tenon_call *call, GError *error)
{
        struct machine *machine = (struct machine *) call;

        assert_null(machine->error);
        machine->error = error;
        machine->replies++;
}

static struct machine *wrap(char *root)
{
        struct machine *machine = g_new0(struct machine, 1);

        machine->root = root;
        if (root)
                assert_true(tn_env_init_root(&machine->env, root, NULL));
        else
                assert_true(tn_env_init_system(&machine->env, NULL, NULL));
        machine->facts = json_object();
        machine->settings = json_object();
        machine->log = g_string_new(NULL);
        machine->host = (struct tenon_host){
                .env = &machine->env,
                .root_fd = machine->env.root_fd,
                .config = fake_config,
                .fact_set = fake_fact_set,
                .fact_get = fake_fact_get,
                .log = fake_log,
                .reply = fake_reply,
                .fail = fake_fail,
        };
        return machine;
}

struct machine *machine_running(void)
{
        return wrap(NULL);
}

struct machine *machine_new(void)
{
        char *root = g_dir_make_tmp("tenon-machine-XXXXXX", NULL);

        assert_non_null(root);
        return wrap(root);
}

static void remove_tree(const char *path)
{
        GDir *dir = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);

        for (const char *name; dir && (name = g_dir_read_name(dir));) {
                g_autofree char *child = g_build_filename(path, name, NULL);

                remove_tree(child);
        }
        if (dir)
                g_dir_close(dir);
        (void) g_remove(path);
}

void machine_free(struct machine *machine)
{
        if (!machine)
                return;
        if (machine->host.data)
                tenon_plugin.stop(&machine->host);
        json_decref(machine->reply);
        g_clear_error(&machine->error);
        tn_env_deinit(&machine->env);
        if (machine->root)
                remove_tree(machine->root);
        g_free(machine->root);
        json_decref(machine->facts);
        json_decref(machine->settings);
        g_string_free(machine->log, TRUE);
        g_free(machine);
}

static char *place(struct machine *machine, const char *path)
{
        char *full = g_build_filename(machine->root, path, NULL);
        g_autofree char *parent = g_path_get_dirname(full);

        assert_int_equal(g_mkdir_with_parents(parent, 0755), 0);
        return full;
}

static void append_line(struct machine *machine, const char *path, const char *line)
{
        g_autofree char *full = place(machine, path);
        FILE *file = fopen(full, "ae");

        assert_non_null(file);
        assert_true(fprintf(file, "%s\n", line) > 0);
        assert_int_equal(fclose(file), 0);
}

static void add_line(struct machine *machine, char *line)
{
        char *link = strstr(line, " -> "), *text = strstr(line, " = ");
        g_autofree char *full = NULL;

        if (!*line || *line == '#')
                return;
        if (link && (!text || link < text)) {
                *link = '\0';
                full = place(machine, line);
                assert_int_equal(symlink(link + strlen(" -> "), full), 0);
        } else if (text) {
                *text = '\0';
                append_line(machine, line, text + strlen(" = "));
        } else {
                assert_true(g_str_has_suffix(line, "/"));
                full = place(machine, line);
                assert_int_equal(g_mkdir_with_parents(full, 0755), 0);
        }
}

void machine_add(struct machine *machine, const char *text)
{
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

        for (size_t i = 0; lines[i]; i++)
                add_line(machine, lines[i]);
}

static char *fixture_path(const char *name)
{
        const char *directory = g_getenv("TN_FIXTURES"); /* set by the build system */

        assert_non_null(directory);
        return g_build_filename(directory, name, NULL);
}

void machine_add_fixture(struct machine *machine, const char *name)
{
        g_autofree char *path = fixture_path(name), *text = NULL;

        assert_true(g_file_get_contents(path, &text, NULL, NULL));
        machine_add(machine, text);
}

void machine_write(struct machine *machine, const char *path, const void *bytes, size_t len)
{
        g_autofree char *full = place(machine, path);

        assert_true(g_file_set_contents(full, bytes, (gssize) len, NULL));
}

static const struct tenon_command *find_command(const char *name)
{
        for (const struct tenon_command *command = tenon_plugin.commands; command->name; command++)
                if (strcmp(command->name, name) == 0)
                        return command;
        fail_msg("there is no command %s", name);
        return NULL;
}

static gboolean give_up(gpointer data)
{
        (void) data;
        fail_msg("a command did not answer");
        return G_SOURCE_REMOVE;
}

void machine_start_command(struct machine *machine, const char *name)
{
        const struct tenon_command *command = find_command(name);
        json_t *args = json_object(), *reply;

        if (!machine->host.data)
                assert_true(tenon_plugin.start(&machine->host, NULL));
        machine->replies = 0;
        g_clear_pointer(&machine->reply, json_decref);
        g_clear_error(&machine->error);
        if (command->run) {
                GError *error = NULL;

                reply = command->run(&machine->host, args, &error);
                assert_true(!reply == !!error);
                if (reply)
                        fake_reply((struct tenon_call *) machine, reply);
                else
                        fake_fail((struct tenon_call *) machine, error);
        } else {
                command->start(&machine->host, (struct tenon_call *) machine, args);
        }
        json_decref(args);
}

void machine_wait_for(struct machine *machine, const char *name)
{
        guint deadline = g_timeout_add_seconds(10, give_up, NULL);

        machine_start_command(machine, name);
        while (machine->replies == 0)
                g_main_context_iteration(NULL, TRUE);
        g_source_remove(deadline);
        assert_int_equal(machine->replies, 1);
}

json_t *machine_run(struct machine *machine, const char *name)
{
        machine_wait_for(machine, name);
        if (!machine->reply)
                fail_msg("%s: %s", name, machine->error->message);
        return g_steal_pointer(&machine->reply);
}

int machine_run_failing(struct machine *machine, const char *name)
{
        machine_wait_for(machine, name);
        assert_null(machine->reply);
        return machine->error->code;
}

void machine_set(struct machine *machine, const char *key, const char *value)
{
        assert_int_equal(json_object_set_new(machine->settings, key, json_string(value)), 0);
}

static void assert_json_equal(const json_t *value, const json_t *expected)
{
        g_autofree char *is = tn_json_pretty(value), *should = tn_json_pretty(expected);

        if (!json_equal(value, expected))
                fail_msg("is:\n%s\nshould be:\n%s", is, should);
}

void assert_json(const json_t *value, const char *expected)
{
        json_error_t why;
        json_t *should = json_loads(expected, JSON_DECODE_ANY, &why);

        if (!should)
                fail_msg("%s in %s", why.text, expected);
        assert_json_equal(value, should);
        json_decref(should);
}

#define FIXTURE_HEAD                                                                                        \
        "# SPDX-License-Identifier: LGPL-2.1-or-later\n# Copyright (C) 2026 the Tenon developers\n"

void assert_json_fixture(json_t *value, const char *name)
{
        g_autofree char *path = fixture_path(name), *text = NULL;

        if (g_getenv("TN_FIXTURES_WRITE")) {
                g_autofree char *pretty = tn_json_pretty(value);
                g_autofree char *file = g_strconcat(FIXTURE_HEAD, pretty, "\n", NULL);

                assert_true(g_file_set_contents(path, file, -1, NULL));
        }
        assert_true(g_file_get_contents(path, &text, NULL, NULL));
        assert_true(g_str_has_prefix(text, FIXTURE_HEAD));
        assert_json(value, text + strlen(FIXTURE_HEAD));
}
