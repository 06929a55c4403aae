/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The host that only remembers, and a root with the few programs that tests run. */
#define _GNU_SOURCE
#include "plugins/exec/test-host.h"

#include <glib/gstdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/base64.h"

#define WAIT_USEC (10 * G_USEC_PER_SEC)

static const char *test_config(struct tenon_host *host, const char *group, const char *key)
{
        struct test_host *h = (struct test_host *) host;
        const struct {
                const char *key, *value;
        } settings[] = {
                {"allow", h->allow},
                {"max-jobs", h->max_jobs},
                {"output-size", h->output_size},
                {"transient-units", h->transient_units},
        };

        assert_string_equal(group, "exec");
        for (size_t i = 0; i < G_N_ELEMENTS(settings); i++)
                if (g_str_equal(settings[i].key, key))
                        return settings[i].value;
        fail_msg("no setting %s", key);
        return NULL;
}

static G_GNUC_PRINTF(3, 4) void test_log(struct tenon_host *host, int level, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        g_string_append_printf(((struct test_host *) host)->log, "<%d>", level);
        g_string_append_vprintf(((struct test_host *) host)->log, format, args);
        g_string_append_c(((struct test_host *) host)->log, '\n');
        va_end(args);
}

/* A call is the host itself: there is never more than one. */
static void test_reply(struct tenon_call *call, json_t *value)
{
        struct test_host *h = (struct test_host *) call;

        h->answers++;
        h->answer = value ? value : json_object();
}

static void test_fail(struct tenon_call *call, GError *error)
{
        struct test_host *h = (struct test_host *) call;

        h->answers++;
        h->error = error;
}

static void test_reply_stream(struct tenon_call *call, const struct tenon_stream *stream, void *data)
{
        struct test_host *h = (struct test_host *) call;
        g_autoptr(GString) text = g_string_new(NULL);

        for (unsigned i = 0; stream->next(data, text, h->cut_after > 0 && i >= h->cut_after); i++)
                assert_true(text->len < (i + 1) * 150000); /* in pieces */
        stream->free(data);
        h->answers++;
        h->answer = json_loads(text->str, JSON_REJECT_DUPLICATES, NULL);
        assert_non_null(h->answer);
}

void test_host_add(struct test_host *h, const char *path, mode_t mode)
{
        g_autofree char *full = g_build_filename(h->root, path, NULL);

        if (S_ISDIR(mode)) {
                assert_int_equal(g_mkdir_with_parents(full, 0755), 0);
                return;
        }
        assert_true(g_file_set_contents(full, "", 0, NULL));
        assert_int_equal(g_chmod(full, mode), 0);
}

int test_host_set_up(void **state)
{
        static const char *const programs[] = {"sh", "cat", "true", "echo", "sleep", "printenv", "head"};
        struct test_host *h = g_new0(struct test_host, 1);

        (void) signal(SIGPIPE, SIG_IGN); /* as in the agent */
        tn_exec_times = (struct tn_exec_times){.grace_ms = 500, .poll_ms = 500};
        h->root = g_dir_make_tmp("tenon-exec-XXXXXX", NULL);
        assert_non_null(h->root);
        test_host_add(h, "bin", S_IFDIR);
        for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
                g_autofree char *real = g_find_program_in_path(programs[i]);
                g_autofree char *folder = g_path_get_dirname(real);

                test_host_add(h, folder, S_IFDIR);
                test_host_add(h, real, 0755);
        }
        test_host_add(h, "bin/sh", 0755);
        assert_true(tn_env_init_root(&h->env, h->root, NULL));
        h->log = g_string_new(NULL);
        h->host = (struct tenon_host){
                .env = &h->env,
                .root_fd = h->env.root_fd,
                .config = test_config,
                .log = test_log,
                .reply = test_reply,
                .fail = test_fail,
                .reply_stream = test_reply_stream,
        };
        assert_true(tenon_plugin.start(&h->host, NULL));
        *state = h;
        return 0;
}

int test_host_tear_down(void **state)
{
        struct test_host *h = *state;
        const char *argv[] = {"rm", "-rf", h->root, NULL};

        if (h->host.data)
                tenon_plugin.stop(&h->host);
        assert_true(g_spawn_sync(NULL, (char **) argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL,
                                 NULL, NULL));
        tn_env_deinit(&h->env);
        g_clear_error(&h->error);
        g_string_free(h->log, TRUE);
        g_free(h->root);
        g_free(h);
        return 0;
}

static gboolean on_time(void *data)
{
        (void) data;
        return G_SOURCE_CONTINUE; /* only ends the wait of the loop */
}

json_t *test_host_call(struct test_host *h, const char *name, json_t *args)
{
        const struct tenon_command *command = tenon_plugin.commands;
        gint64 end = g_get_monotonic_time() + WAIT_USEC;
        guint tick;
        json_t *value;

        g_clear_error(&h->error);
        while (command->name && !g_str_equal(command->name, name))
                command++;
        assert_non_null(command->name);
        if (command->run) {
                value = command->run(&h->host, args, &h->error);
        } else {
                h->answers = 0;
                h->answer = NULL;
                command->start(&h->host, (struct tenon_call *) h, args);
                tick = g_timeout_add(100, on_time, NULL);
                while (h->answers == 0 && g_get_monotonic_time() < end)
                        g_main_context_iteration(NULL, TRUE);
                g_source_remove(tick);
                assert_int_equal(h->answers, 1);
                value = h->answer;
        }
        assert_true(!value == !!h->error);
        json_decref(args);
        return value;
}

json_t *test_json(const char *text)
{
        g_autofree char *quoted = g_strdelimit(g_strdup(text), "'", '"');
        json_error_t error;
        json_t *value = json_loads(quoted, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);

        if (!value)
                fail_msg("%s: %s", error.text, text);
        return value;
}

int64_t test_host_exec(struct test_host *h, const char *args)
{
        json_t *value = test_host_call(h, "guest-exec", test_json(args));
        int64_t pid = json_integer_value(json_object_get(value, "pid"));

        if (!value)
                fail_msg("%s: %s", args, h->error->message);
        json_decref(value);
        assert_true(pid > 0);
        return pid;
}

json_t *test_host_wait(struct test_host *h, int64_t pid)
{
        gint64 end = g_get_monotonic_time() + WAIT_USEC;

        while (g_get_monotonic_time() < end) {
                json_t *status = test_host_call(h, "guest-exec-status",
                                                json_pack("{s:I}", "pid", (json_int_t) pid));

                if (!status)
                        fail_msg("status: %s", h->error->message);
                if (json_is_true(json_object_get(status, "exited")))
                        return status;
                json_decref(status);
                g_main_context_iteration(NULL, FALSE);
                g_usleep(1000);
        }
        fail_msg("it does not exit");
        return NULL;
}

void assert_json_is(json_t *value, const char *text, int line)
{
        json_t *wanted = test_json(text);
        char *got = json_dumps(value, JSON_ENCODE_ANY);

        if (!json_equal(value, wanted))
                fail_msg("line %d: %s, not %s", line, got, text);
        free(got);
        json_decref(wanted);
        json_decref(value);
}

void assert_refused_at(struct test_host *h, const char *args, const char *message, int line)
{
        json_t *value = test_host_call(h, "guest-exec", test_json(args));

        if (value || strcmp(h->error->message, message) != 0)
                fail_msg("line %d: %s, not %s", line, value ? "it was done" : h->error->message, message);
}

char *test_decode(json_t *status, const char *member)
{
        json_t *text = json_object_get(status, member);
        uint8_t *bytes;
        size_t len;
        char *copy;

        if (!text)
                return NULL;
        assert_true(tn_base64_decode(json_string_value(text), json_string_length(text), &bytes, &len, NULL));
        copy = g_strndup((const char *) bytes, len);
        g_free(bytes);
        return copy;
}
