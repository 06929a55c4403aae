/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The stage on which the parts of this plugin are tested. */
#define _GNU_SOURCE
#include "plugins/health/test-support.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/log.h"
#include "lib/names.h"

static struct stage *current; /* tn_log's sink has it too, but children have no other way */

struct program {
        tenon_child_done done;
        void *data;
        struct tenon_child_result ending;
};

static uint64_t fake_now(const struct tn_env *env, clockid_t clock)
{
        const struct stage *stage = (const struct stage *) env;

        return clock == CLOCK_REALTIME ? stage->realtime_usec : stage->monotonic_usec;
}

static const char *fake_config(struct tenon_host *host, const char *group, const char *key)
{
        g_autofree char *name = g_strdup_printf("%s\n%s", group, key);
        const char *value = g_hash_table_lookup(current->settings, name);

        return value && *value ? value : NULL;
}

static int compare(gconstpointer a, gconstpointer b)
{
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static char **fake_config_names(struct tenon_host *host, const char *kind)
{
        g_autoptr(GHashTable) seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        GPtrArray *names = g_ptr_array_new();
        GHashTableIter iter;
        void *key;

        g_hash_table_iter_init(&iter, current->settings);
        while (g_hash_table_iter_next(&iter, &key, NULL)) {
                g_autofree char *group = g_strndup(key, strcspn(key, "\n"));

                if (g_str_has_prefix(group, kind) && group[strlen(kind)] == ' ' &&
                    g_hash_table_add(seen, g_strdup(group)))
                        g_ptr_array_add(names, g_strdup(group + strlen(kind) + 1));
        }
        g_ptr_array_sort(names, compare);
        g_ptr_array_add(names, NULL);
        return (char **) g_ptr_array_free(names, FALSE);
}

static void fake_fact_set(struct tenon_host *host, const char *name, json_t *value)
{
        json_t *before = g_hash_table_lookup(current->facts, name);

        if (before && json_equal(before, value)) {
                json_decref(value);
                return;
        }
        current->fact_changes++;
        g_string_append_printf(current->story, "fact %s\n", name);
        g_hash_table_insert(current->facts, g_strdup(name), value);
        if (current->watch)
                current->watch(host, name, value);
}

static void fake_fact_watch(struct tenon_host *host, tenon_fact_func func)
{
        current->watch = func;
}

static void fake_bus_serve(struct tenon_host *host, const char *interface,
                           const struct tn_bus_method *methods, void *data)
{
        assert_string_equal(interface, TN_BUS_HEARTBEATS);
        current->served = methods;
        current->served_data = data;
}

static json_t *fake_fact_get(struct tenon_host *host, const char *name)
{
        return g_hash_table_lookup(current->facts, name);
}

static void take_record(void *data, enum tn_log_level level, const struct tn_log_field *fields,
                        const char *message)
{
        struct stage *stage = data;

        (void) fields;
        g_string_append_printf(stage->log, "%d|%s\n", level, message);
        g_string_append_printf(stage->story, "log %s\n", message);
}

static void fake_log(struct tenon_host *host, int level, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void fake_log(struct tenon_host *host, int level, const char *format, ...)
{
        g_autofree char *text = NULL;
        va_list args;

        va_start(args, format);
        text = g_strdup_vprintf(format, args);
        va_end(args);
        take_record(current, (enum tn_log_level) level, NULL, text);
}

static gboolean on_program_ended(void *data)
{
        g_autofree struct program *program = data;

        program->done(&current->host, &program->ending, program->data);
        return G_SOURCE_REMOVE;
}

static bool fake_run(struct tenon_host *host, const char *const *argv, unsigned deadline_ms,
                     tenon_child_done done, void *data, GError **error)
{
        struct program *program = g_new0(struct program, 1);

        *program = (struct program){done, data, current->ending};
        current->programs++;
        if (current->hangs)
                g_ptr_array_add(current->running, program);
        else
                g_idle_add(on_program_ended, program);
        return true;
}

void stage_end_programs(struct stage *stage)
{
        for (guint i = 0; i < stage->running->len; i++)
                (void) on_program_ended(g_ptr_array_index(stage->running, i));
        g_ptr_array_set_size(stage->running, 0);
}

static void release(void *value)
{
        json_decref(value);
}

int stage_set_up(void **state)
{
        struct stage *stage = g_new0(struct stage, 1);

        current = stage;
        stage->dir = g_dir_make_tmp("tenon-health-XXXXXX", NULL);
        if (!stage->dir || !tn_env_init_root(&stage->env, stage->dir, NULL))
                return -1;
        stage->env.now_usec = fake_now;
        stage->log = g_string_new(NULL);
        stage->story = g_string_new(NULL);
        stage->env.log = tn_log_new_sink(TN_LOG_DEBUG, take_record, stage);
        stage->monotonic_usec = START_USEC;
        stage->realtime_usec = REALTIME_USEC;
        stage->settings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        stage->facts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, release);
        stage->running = g_ptr_array_new();
        stage->ending.output = "";
        stage->host = (struct tenon_host){
                .env = &stage->env,
                .root_fd = stage->env.root_fd,
                .config = fake_config,
                .config_names = fake_config_names,
                .fact_set = fake_fact_set,
                .fact_get = fake_fact_get,
                .fact_watch = fake_fact_watch,
                .bus_serve = fake_bus_serve,
                .log = fake_log,
                .run = fake_run,
        };
        *state = stage;
        return 0;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
        return remove(path);
}

int stage_tear_down(void **state)
{
        struct stage *stage = *state;

        tn_log_free(stage->env.log);
        tn_env_deinit(&stage->env);
        (void) nftw(stage->dir, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
        g_hash_table_unref(stage->settings);
        g_hash_table_unref(stage->facts);
        g_string_free(stage->log, TRUE);
        g_string_free(stage->story, TRUE);
        for (guint i = 0; i < stage->running->len; i++)
                g_free(g_ptr_array_index(stage->running, i));
        g_ptr_array_free(stage->running, TRUE);
        g_free(stage->dir);
        g_free(stage);
        current = NULL;
        return 0;
}

char *stage_path(const struct stage *stage, const char *path)
{
        return g_build_filename(stage->dir, path, NULL);
}

void stage_write(struct stage *stage, const char *path, const char *text)
{
        g_autofree char *full = stage_path(stage, path);
        g_autofree char *folder = g_path_get_dirname(full);

        assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
        assert_true(g_file_set_contents(full, text, -1, NULL));
}

void stage_set(struct stage *stage, const char *group, ...)
{
        const char *key;
        va_list args;

        va_start(args, group);
        while ((key = va_arg(args, const char *))) {
                const char *value = va_arg(args, const char *);

                g_hash_table_insert(stage->settings, g_strdup_printf("%s\n%s", group, key), g_strdup(value));
        }
        va_end(args);
}

void stage_pass(struct stage *stage, uint64_t seconds)
{
        stage->monotonic_usec += seconds * G_USEC_PER_SEC;
        stage->realtime_usec += seconds * G_USEC_PER_SEC;
}

json_t *stage_fact(const struct stage *stage, const char *name)
{
        return g_hash_table_lookup(stage->facts, name);
}

static gboolean on_tick(void *data)
{
        ++*(unsigned *) data;
        return G_SOURCE_CONTINUE;
}

void loop_until_true(bool (*done)(void *data), void *data)
{
        unsigned ticks = 0;
        guint source = g_timeout_add(10, on_tick, &ticks);

        while (!done(data)) {
                if (ticks > 1000)
                        fail_msg("the loop turned for 10 s in vain");
                g_main_context_iteration(NULL, TRUE);
        }
        g_source_remove(source);
}

void loop_for(unsigned ms)
{
        unsigned ticks = 0;
        guint source = g_timeout_add(ms, on_tick, &ticks);

        while (ticks == 0)
                g_main_context_iteration(NULL, TRUE);
        g_source_remove(source);
}
