/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The world of the tests. The hook directory stands twice: below the machine's root, where it is listed, and
 * at the same absolute path outside, where its programs are started. */
#define _GNU_SOURCE
#include "plugins/freeze/test-support.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/child.h"
#include "plugins/freeze/kernel.h"

#define WAIT_MS 8000

static struct fake *fake_in_use; /* the kernel's functions have no other way to it */

static const char mountinfo[] = "20 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
                                "21 20 0:5 / /proc rw - proc proc rw\n"
                                "22 20 0:6 / /run rw - tmpfs tmpfs rw\n"
                                "23 20 8:2 / /data rw - ext4 /dev/sda2 rw\n"
                                "24 23 8:3 / /data/deep rw - ext4 /dev/sda3 rw\n";

struct fake_fs *fake_find(struct fake *fake, const char *path)
{
        for (unsigned i = 0; i < fake->n_fs; i++)
                if (strcmp(fake->fs[i].path, path) == 0)
                        return &fake->fs[i];
        return NULL;
}

static void note(const char *what, const char *path)
{
        unsigned n = fake_in_use->n_notes++;

        if (n < FAKE_NOTES_MAX)
                (void) snprintf(fake_in_use->notes[n], sizeof fake_in_use->notes[n], "%s %s", what, path);
}

static void hang(_Atomic bool *flag)
{
        for (int i = 0; i < 5000 && *flag; i++) /* not for ever, should a test fail and forget us */
                usleep(2000);
}

static int fake_open(const char *targets, uint64_t device)
{
        struct fake_fs *fs = fake_find(fake_in_use, targets);

        (void) device;
        fake_in_use->opener = getpid();
        if (!fs)
                return -ENODEV;
        hang(&fs->hang_open);
        return fs->open_error ? -fs->open_error : open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int fake_flush(int fd, const char *path)
{
        struct fake_fs *fs = fake_find(fake_in_use, path);

        (void) fd;
        note("flush", path);
        hang(&fs->hang_flush);
        return -fs->flush_error;
}

static int fake_freeze(int fd, const char *path)
{
        struct fake_fs *fs = fake_find(fake_in_use, path);

        (void) fd;
        note("freeze", path);
        fake_in_use->freezer = getpid();
        hang(&fs->hang_freeze);
        if (!fs->freeze_error)
                fs->frozen++;
        return -fs->freeze_error;
}

static int fake_thaw(int fd, const char *path)
{
        struct fake_fs *fs = fake_find(fake_in_use, path);

        (void) fd;
        hang(&fs->hang_thaw);
        if (fs->thaw_failures > 0) {
                fs->thaw_failures--;
                return -EIO;
        }
        if (fs->frozen == 0)
                return -EINVAL;
        note("thaw", path);
        fs->frozen--;
        return 0;
}

static int fake_trim(int fd, const char *path, uint64_t *minimum, uint64_t *ret_trimmed)
{
        struct fake_fs *fs = fake_find(fake_in_use, path);

        (void) fd;
        note("trim", path);
        hang(&fs->hang_freeze);
        if (fs->trim_error)
                return -fs->trim_error;
        *minimum = MAX(*minimum, 4096);
        *ret_trimmed = 1000;
        return 0;
}

static const struct freeze_kernel fake_kernel = {fake_open, fake_flush, fake_freeze, fake_thaw, fake_trim};

char *fake_notes(struct fake *fake, const char *prefix)
{
        GString *text = g_string_new(NULL);

        for (unsigned i = 0; i < MIN(fake->n_notes, FAKE_NOTES_MAX); i++)
                if (g_str_has_prefix(fake->notes[i], prefix))
                        g_string_append_printf(text, "%s%s", text->len ? ", " : "", fake->notes[i]);
        return g_string_free(text, FALSE);
}

int fake_frozen(const struct fake *fake)
{
        int n = 0;

        for (unsigned i = 0; i < fake->n_fs; i++)
                n += fake->fs[i].frozen;
        return n;
}

static const char *host_config(struct tenon_host *host, const char *group, const char *key)
{
        g_autofree char *name = g_strdup_printf("%s %s", group, key);

        return g_hash_table_lookup(((struct world *) host)->settings, name);
}

static void host_fact_set(struct tenon_host *host, const char *name, json_t *value)
{
        struct world *world = (struct world *) host;
        const char *state = json_string_value(json_object_get(value, "state"));

        if (strcmp(name, "freeze") == 0 && !json_equal(json_object_get(world->facts, name), value))
                g_string_append_printf(world->states, "%s ", state);
        assert_int_equal(json_object_set_new(world->facts, name, value), 0);
}

static json_t *host_fact_get(struct tenon_host *host, const char *name)
{
        return json_object_get(((struct world *) host)->facts, name);
}

static G_GNUC_PRINTF(3, 4) void host_log(struct tenon_host *host, int level, const char *format, ...)
{
        struct world *world = (struct world *) host;
        va_list args;

        va_start(args, format);
        g_string_append_printf(world->log, "<%d>", level);
        g_string_append_vprintf(world->log, format, args);
        g_string_append_c(world->log, '\n');
        va_end(args);
}

struct child {
        struct world *world;
        tenon_child_done done;
        void *data;
};

static void on_child_done(const struct tn_child_result *result, void *data)
{
        g_autofree struct child *child = data;
        const struct tenon_child_result out = {result->exit_status, result->signal, result->timed_out,
                                               result->output};

        child->world->running--;
        child->done(&child->world->host, &out, child->data);
}

static bool host_run(struct tenon_host *host, const char *const *argv, unsigned deadline_ms,
                     tenon_child_done done, void *data, GError **error)
{
        struct world *world = (struct world *) host;
        struct child *child = g_new0(struct child, 1);

        *child = (struct child){world, done, data};
        if (!tn_child_start(argv, deadline_ms, on_child_done, child, error)) {
                g_free(child);
                return false;
        }
        world->running++;
        return true;
}

static void host_reply(struct tenon_call *call, json_t *value)
{
        struct answer *answer = (struct answer *) call;

        assert_false(answer->done);
        *answer = (struct answer){.done = true, .value = value};
}

static void host_fail(struct tenon_call *call, GError *error)
{
        struct answer *answer = (struct answer *) call;

        assert_false(answer->done);
        *answer = (struct answer){.done = true, .error = error};
}

static void answer_free(void *data)
{
        struct answer *answer = data;

        json_decref(answer->value);
        g_clear_error(&answer->error);
        g_free(answer);
}

void world_set(struct world *world, const char *group, const char *key, const char *value)
{
        g_hash_table_insert(world->settings, g_strdup_printf("%s %s", group, key), g_strdup(value));
}

void world_write(struct world *world, const char *path, const char *text)
{
        g_autofree char *full = g_build_filename(world->root, path, NULL);
        g_autofree char *folder = g_path_get_dirname(full);

        assert_int_equal(g_mkdir_with_parents(folder, 0755), 0);
        assert_true(g_file_set_contents(full, text, -1, NULL));
}

void world_add_hook(struct world *world, const char *name, const char *script)
{
        g_autofree char *folder = g_strdup_printf("%s/hooks", world->root);
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *inner = g_build_filename(world->root, path, NULL);
        g_autofree char *text = g_strdup_printf("#!/bin/sh\necho %s $1 >>%s/notes\n%s\n", name, world->root,
                                                script);

        world_write(world, path + strlen(world->root), text);
        world_write(world, path, text);
        assert_int_equal(chmod(path, 0755), 0);
        assert_int_equal(chmod(inner, 0755), 0);
        world_set(world, "freeze", "hook-directory", folder);
}

char *world_hook_notes(struct world *world)
{
        g_autofree char *path = g_build_filename(world->root, "notes", NULL);
        char *text = NULL;

        if (!g_file_get_contents(path, &text, NULL, NULL))
                return g_strdup("");
        return g_strdelimit(g_strchomp(text), "\n", ' ');
}

static void set_host(struct world *world)
{
        world->host = (struct tenon_host){
                .env = &world->env,
                .root_fd = world->env.root_fd,
                .config = host_config,
                .fact_set = host_fact_set,
                .fact_get = host_fact_get,
                .log = host_log,
                .run = host_run,
                .reply = host_reply,
                .fail = host_fail,
        };
}

struct world *world_new(void)
{
        static const char *const paths[] = {"/", "/data", "/data/deep"};
        struct world *world = g_new0(struct world, 1);

        world->root = g_dir_make_tmp("tenon-freeze-XXXXXX", NULL);
        assert_true(tn_env_init_root(&world->env, world->root, NULL));
        world->env.recorded = false; /* no openat2(), which valgrind does not know; there are no links */
        world->fake = fake_in_use = mmap(NULL, sizeof *world->fake, PROT_READ | PROT_WRITE,
                                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        assert_true(world->fake != MAP_FAILED);
        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
                world->fake->fs[world->fake->n_fs++].path = paths[i];
        world->settings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        world->facts = json_object();
        world->states = g_string_new(NULL);
        world->log = g_string_new(NULL);
        world->answers = g_ptr_array_new_with_free_func(answer_free);
        set_host(world);
        world_write(world, "proc/1/mountinfo", mountinfo);
        world_write(world, "proc/sys/kernel/random/boot_id", "this-boot\n");
        world_set(world, "freeze", "timeout-ms", "5000");
        world_set(world, "agent", "statedir", "/run/state");
        freeze_kernel_set(&fake_kernel);
        return world;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
        (void) st;
        (void) type;
        (void) walk;
        return remove(path);
}

void world_free(struct world *world)
{
        freeze_kernel_set(NULL);
        tn_env_deinit(&world->env);
        (void) nftw(world->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        (void) munmap(world->fake, sizeof *world->fake);
        g_hash_table_unref(world->settings);
        json_decref(world->facts);
        g_string_free(world->states, TRUE);
        g_string_free(world->log, TRUE);
        g_ptr_array_unref(world->answers);
        g_free(world->root);
        g_free(world);
}

void world_start(struct world *world)
{
        assert_true(tenon_plugin.start(&world->host, NULL));
}

void world_stop(struct world *world)
{
        tenon_plugin.stop(&world->host);
}

struct answer *world_call(struct world *world, const char *command, const char *args)
{
        const struct tenon_command *row = tenon_plugin.commands;
        struct answer *answer = g_new0(struct answer, 1);
        json_auto_t *object = json_loads(args ? args : "{}", 0, NULL);

        assert_non_null(object);
        while (row->name && strcmp(row->name, command) != 0)
                row++;
        assert_non_null(row->name);
        g_ptr_array_add(world->answers, answer);
        if (row->start) {
                row->start(&world->host, (struct tenon_call *) answer, object);
        } else {
                answer->value = row->run(&world->host, object, &answer->error);
                answer->done = true;
        }
        return answer;
}

static gboolean on_tick(void *data)
{
        *(bool *) data = true;
        return G_SOURCE_REMOVE;
}

void world_turn(struct world *world, unsigned ms)
{
        bool over = false;

        (void) world;
        (void) g_timeout_add(ms, on_tick, &over);
        while (!over)
                g_main_context_iteration(NULL, TRUE);
}

void world_wait(struct world *world, struct answer *answer)
{
        bool late = false;
        guint source = g_timeout_add(WAIT_MS, on_tick, &late);

        while (!answer->done && !late)
                g_main_context_iteration(NULL, TRUE);
        if (late)
                fail_msg("no answer; log so far: %s", world->log->str);
        g_source_remove(source);
}

json_t *world_ask(struct world *world, const char *command, const char *args)
{
        struct answer *answer = world_call(world, command, args);

        world_wait(world, answer);
        if (!answer->value)
                fail_msg("%s: %s", command, answer->error->message);
        return answer->value;
}

const char *world_ask_failing(struct world *world, const char *command, const char *args)
{
        struct answer *answer = world_call(world, command, args);

        world_wait(world, answer);
        assert_null(answer->value);
        return answer->error->message;
}

void world_wait_state(struct world *world, const char *state)
{
        gint64 end = g_get_monotonic_time() + WAIT_MS * 1000;

        while (g_strcmp0(
                       json_string_value(json_object_get(json_object_get(world->facts, "freeze"), "state")),
                       state) != 0) {
                if (g_get_monotonic_time() > end)
                        fail_msg("the state was never %s: %s", state, world->states->str);
                world_turn(world, 5);
        }
}
