/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The test machine and the small helpers of support.h. */
#define _GNU_SOURCE
#include "support.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 5000

static uint64_t fake_now_usec(const struct tn_env *env, clockid_t clock)
{
        const struct machine *machine = (const struct machine *) env;

        return clock == CLOCK_REALTIME ? machine->realtime_usec : machine->monotonic_usec;
}

static bool fake_set_realtime(const struct tn_env *env, uint64_t usec, GError **error)
{
        struct machine *machine = (struct machine *) env;

        (void) error;
        machine->set_usec = usec;
        return true;
}

static void keep_record(void *data, enum tn_log_level level, const struct tn_log_field *fields,
                        const char *message)
{
        GString *record = g_string_new(NULL);

        g_string_printf(record, "%d|%s", (int) level, message);
        for (; fields && fields->name; fields++)
                if (fields->value)
                        g_string_append_printf(record, "|%s=%s", fields->name, fields->value);
        g_ptr_array_add(data, g_string_free(record, FALSE));
}

struct machine *machine_new(void)
{
        struct machine *machine = g_new0(struct machine, 1);
        g_autoptr(GError) error = NULL;

        machine->dir = g_dir_make_tmp("tenon-unit-XXXXXX", NULL);
        assert_non_null(machine->dir);
        assert_true(tn_env_init_root(&machine->env, machine->dir, &error));
        machine->log = g_ptr_array_new_with_free_func(g_free);
        machine->env.log = tn_log_new_sink(TN_LOG_DEBUG, keep_record, machine->log);
        machine->env.now_usec = fake_now_usec;
        machine->env.set_realtime = fake_set_realtime;
        machine->realtime_usec = UINT64_C(1700000000) * G_USEC_PER_SEC;
        machine->monotonic_usec = UINT64_C(100) * G_USEC_PER_SEC;
        return machine;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        (void) st;
        (void) type;
        (void) ftw;
        return remove(path);
}

void remove_tree(const char *path)
{
        (void) nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

void machine_free(struct machine *machine)
{
        if (!machine)
                return;
        tn_log_free(machine->env.log);
        g_ptr_array_unref(machine->log);
        tn_env_deinit(&machine->env);
        remove_tree(machine->dir);
        g_free(machine->dir);
        g_free(machine);
}

char *machine_path(const struct machine *machine, const char *path)
{
        return g_build_filename(machine->dir, path, NULL);
}

static void make_parents(const char *file)
{
        g_autofree char *folder = g_path_get_dirname(file);

        assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
}

void machine_write_len(struct machine *machine, const char *path, const char *text, size_t len)
{
        g_autofree char *file = machine_path(machine, path);

        make_parents(file);
        assert_true(g_file_set_contents(file, text, (gssize) len, NULL));
}

void machine_write(struct machine *machine, const char *path, const char *text)
{
        machine_write_len(machine, path, text, strlen(text));
}

void machine_link(struct machine *machine, const char *path, const char *target)
{
        g_autofree char *file = machine_path(machine, path);

        make_parents(file);
        assert_int_equal(symlink(target, file), 0);
}

const char *machine_logged(const struct machine *machine, const char *text)
{
        for (guint i = machine->log->len; i-- > 0;)
                if (strstr(g_ptr_array_index(machine->log, i), text))
                        return g_ptr_array_index(machine->log, i);
        return NULL;
}

struct tn_config *config_from(struct machine *machine, const char *text)
{
        g_autoptr(GError) error = NULL;
        struct tn_config *config;

        machine_write(machine, "etc/test.conf", text);
        config = tn_config_new(&machine->env, "/etc/test.conf", true, &error);
        assert_non_null(config);
        if (*tn_config_mistakes(config))
                fail_msg("the test's own configuration: %s", *tn_config_mistakes(config));
        return config;
}

static gboolean on_alarm(void *data)
{
        *(bool *) data = true;
        return G_SOURCE_REMOVE;
}

void loop_until(const unsigned *flag, unsigned wanted)
{
        bool late = false;
        guint alarm = g_timeout_add(PATIENCE_MS, on_alarm, &late);

        while (*flag < wanted && !late)
                g_main_context_iteration(NULL, TRUE);
        if (late)
                fail_msg("waited %d ms for a count of %u, have %u", PATIENCE_MS, wanted, *flag);
        g_source_remove(alarm);
}

void loop_for(unsigned ms)
{
        bool over = false;

        g_timeout_add(ms, on_alarm, &over);
        while (!over)
                g_main_context_iteration(NULL, TRUE);
}

json_t *json_of(const char *text)
{
        g_autofree char *plain = g_strdelimit(g_strdup(text), "'", '"');
        json_error_t error;
        json_t *value = json_loads(plain, JSON_DECODE_ANY, &error);

        if (!value)
                fail_msg("the test's own JSON %s: %s", text, error.text);
        return value;
}

void assert_json_at(json_t *value, const char *text, const char *file, int line)
{
        json_auto_t *got = value, *wanted = json_of(text);

        if (!json_equal(got, wanted)) {
                print_error("%s:%d: got %s, wanted %s\n", file, line,
                            got ? json_dumps(got, JSON_ENCODE_ANY) : "NULL", text);
                _fail(file, line);
        }
}
