/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Transient units with an input, and the client's side of helpers. The surprising thing: when
 * the deadline passes, only systemd-run is killed by us; the unit is ended by systemd a second later
 * (RuntimeMaxSec), because killing the messenger does not stop the work.
 */
#define _GNU_SOURCE
#include "lib/outside.h"

#include <string.h>
#include <unistd.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"

#define OUTPUT_MAX    (8 * 1024 * 1024) /* bytes; an answer with the largest authorized_keys fits */
#define UNIT_GRACE_MS 1000
#define SYSTEMD_RUN   "usr/bin/systemd-run"
#define OUR_PREFIX    "tenon-"

struct tn_outside {
        const struct tn_env *env;
        GPtrArray *jobs; /* struct job under way */
};

struct job {
        struct tn_outside *outside;
        struct tn_child *child;
        tn_outside_done done;
        void *data;
};

struct question {
        char *helper;
        tn_outside_answered answered;
        void *data;
};

struct tn_outside *tn_outside_new(const struct tn_env *env)
{
        struct tn_outside *outside = g_new0(struct tn_outside, 1);

        outside->env = env;
        outside->jobs = g_ptr_array_new();
        return outside;
}

void tn_outside_free(struct tn_outside *outside)
{
        g_autoptr(GError) error = g_error_new(TN_ERROR, TN_ERROR_FAILED, "the agent is stopping");

        if (!outside)
                return;
        for (guint i = 0; i < outside->jobs->len; i++) {
                g_autofree struct job *job = g_ptr_array_index(outside->jobs, i);

                tn_child_abandon(job->child);
                job->done(NULL, error, job->data);
        }
        g_ptr_array_free(outside->jobs, TRUE);
        g_free(outside);
}

static void on_done(const struct tn_child_result *result, void *data)
{
        g_autofree struct job *job = data;

        g_ptr_array_remove_fast(job->outside->jobs, job);
        job->done(result, NULL, job->data);
}

static bool has_systemd(const struct tn_env *env)
{
        return tn_env_exists(env, TN_PATH_SYSTEMD_RUNNING) && tn_env_exists(env, SYSTEMD_RUN);
}

/* In the unit, process 1 has more rights than we, so that the kernel does not even tell its namespace. */
bool tn_outside_is_other(const struct tn_env *env)
{
        g_autofree char *ours = tn_env_readlink(env, "proc/self/ns/mnt");
        g_autofree char *theirs = tn_env_readlink(env, "proc/1/ns/mnt");

        return geteuid() == 0 && has_systemd(env) && ours && g_strcmp0(ours, theirs) != 0;
}

/* A program of ours has a unit that is named after it, for which data/tenon-*-helper.conf are: drop-ins that
 * systemd adds to all units whose names begin so (systemd.unit(5)). NULL for other programs. */
static char *unit_option(const char *program)
{
        g_autofree char *name = g_path_get_basename(program);

        if (!g_str_has_prefix(name, OUR_PREFIX))
                return NULL;
        return g_strdup_printf("--unit=%s-%08x", name, g_random_int());
}

char **tn_outside_argv(const struct tn_env *env, const char *const *argv, unsigned limit_ms)
{
        static const char *const unit[] = {"/" SYSTEMD_RUN,       "--quiet", "--wait", "--collect", "--pipe",
                                           "--service-type=exec", "-p"};
        g_autoptr(GPtrArray) full = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *named = unit_option(argv[0]);

        if (has_systemd(env)) {
                for (size_t i = 0; i < G_N_ELEMENTS(unit); i++)
                        g_ptr_array_add(full, g_strdup(unit[i]));
                g_ptr_array_add(full, g_strdup_printf("RuntimeMaxSec=%ums", limit_ms));
                if (named)
                        g_ptr_array_add(full, g_steal_pointer(&named));
        }
        for (; *argv; argv++)
                g_ptr_array_add(full, g_strdup(*argv));
        g_ptr_array_add(full, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&full), FALSE);
}

static void start(struct tn_outside *outside, const char *const *argv, const void *input, size_t input_len,
                  unsigned deadline_ms, tn_child_line line, tn_outside_done done, void *data)
{
        g_auto(GStrv) full = tn_outside_argv(outside->env, argv, deadline_ms + UNIT_GRACE_MS);
        g_autoptr(GError) error = NULL;
        struct job *job = g_new0(struct job, 1);

        *job = (struct job){.outside = outside, .done = done, .data = data};
        job->child = tn_child_start_input((const char *const *) full, input, input_len, OUTPUT_MAX,
                                          deadline_ms, on_done, job, &error);
        if (job->child) {
                g_ptr_array_add(outside->jobs, job);
                if (line)
                        tn_child_watch(job->child, line, data);
                return;
        }
        g_free(job);
        done(NULL, error, data);
}

void tn_outside_run(struct tn_outside *outside, const char *const *argv, const void *input, size_t input_len,
                    unsigned deadline_ms, tn_outside_done done, void *data)
{
        start(outside, argv, input, input_len, deadline_ms, NULL, done, data);
}

void tn_outside_watch(struct tn_outside *outside, const char *const *argv, unsigned deadline_ms,
                      tn_child_line line, tn_outside_done done, void *data)
{
        start(outside, argv, "", 0, deadline_ms, line, done, data);
}

int tn_outside_error_code(const char *name)
{
        for (int code = 0; code < _TN_ERROR_MAX; code++)
                if (g_strcmp0(tn_error_name(code), name) == 0)
                        return code;
        return TN_ERROR_FAILED;
}

/* The last line, for a name service module may have printed something before it. */
static json_t *last_object(const char *output)
{
        g_autofree char *text = g_strchomp(g_strdup(output));
        const char *newline = strrchr(text, '\n');
        json_t *value = json_loads(newline ? newline + 1 : text, 0, NULL);

        if (!json_is_object(value))
                g_clear_pointer(&value, json_decref);
        return value;
}

/* The answer's value, a new reference; NULL with @error when it says so or is not to be understood. */
static json_t *read_answer(const char *helper, const struct tn_child_result *result, GError **error)
{
        json_auto_t *answer = last_object(result->output);
        json_t *failure = json_object_get(answer, "error"), *value = json_object_get(answer, "return");
        g_autofree char *ending = NULL;

        if (failure) {
                const char *message = json_string_value(json_object_get(failure, "message"));

                (void) tn_error_set(
                        error, tn_outside_error_code(json_string_value(json_object_get(failure, "code"))),
                        "%s", message ? message : "no reason given");
                return NULL;
        }
        if (value && result->exit_status == 0)
                return json_incref(value);
        ending = tn_child_describe(result);
        (void) tn_error_set(error, result->timed_out ? TN_ERROR_TIMEOUT : TN_ERROR_FAILED, "%s %s%s%.200s",
                            helper, ending, *result->output ? ": " : "", result->output);
        return NULL;
}

static void on_helper_done(const struct tn_child_result *result, const GError *not_run, void *data)
{
        g_autofree struct question *question = data;
        g_autofree char *helper = question->helper;
        g_autoptr(GError) error = not_run ? g_error_copy(not_run) : NULL;
        json_auto_t *value = result ? read_answer(helper, result, &error) : NULL;

        question->answered(value, error, question->data);
}

void tn_outside_ask(struct tn_outside *outside, const char *helper, const json_t *request,
                    unsigned deadline_ms, tn_outside_answered answered, void *data)
{
        const char *argv[] = {helper, NULL};
        g_autofree char *text = tn_json_line(request);
        struct question *question = g_new0(struct question, 1);

        *question = (struct question){.helper = g_strdup(helper), .answered = answered, .data = data};
        tn_outside_run(outside, argv, text, strlen(text), deadline_ms, on_helper_done, question);
}
