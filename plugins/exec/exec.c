/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The commands guest-exec, guest-exec-status and tenon-exec-terminate, and the table of jobs. A record lives
 * until its end has been told, or until its place or its bytes are needed for a newer one.
 */
#include <malloc.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/names.h"
#include "plugins/exec/exec.h"

#define KEPT_BYTES (64 * 1024 * 1024) /* of all outputs together, at least two of full size */
#define TRIM_BYTES (1024 * 1024)      /* after a status of this size memory is given back to the system */
#define TRIM_MS    1000

struct exec {
        struct tenon_host *host;
        struct tn_exec_units *units;
        GPtrArray *jobs;   /* struct tn_exec_job, oldest first */
        GPtrArray *calls;  /* struct starting */
        GPtrArray *drains; /* struct tn_exec_output of jobs that are forgotten, oldest first */
        struct tn_exec_budget budget;
        guint trim_source;
};

/* A guest-exec whose program does not run yet. */
struct starting {
        struct exec *exec;
        struct tenon_call *call;
        struct tn_exec_job *job;
};

static size_t setting(struct tenon_host *host, const char *key, size_t fallback)
{
        const char *text = host->config(host, "exec", key);

        return text ? (size_t) g_ascii_strtoull(text, NULL, 10) : fallback;
}

static void on_drained(struct tn_exec_output *output, void *data)
{
        struct exec *exec = data;

        g_ptr_array_remove(exec->drains, output);
        tn_exec_output_free(output);
}

/* What others still write to is read on, but for nobody. */
static void drop(struct exec *exec, struct tn_exec_job *job)
{
        struct tn_exec_output *output;

        while ((output = tn_exec_job_steal_output(job))) {
                tn_exec_output_forget(output, on_drained, exec);
                g_ptr_array_add(exec->drains, output);
        }
        while (exec->drains->len > setting(exec->host, "max-jobs", 64))
                tn_exec_output_free(g_ptr_array_remove_index(exec->drains, 0));
        g_ptr_array_remove(exec->jobs, job);
        tn_exec_job_free(job);
}

static bool drop_oldest(void *data)
{
        struct exec *exec = data;

        for (guint i = 0; i < exec->jobs->len; i++) {
                struct tn_exec_job *job = g_ptr_array_index(exec->jobs, i);

                if (tn_exec_job_exited(job)) {
                        exec->host->log(exec->host, 5,
                                        "the result of PID %d was never asked for and is dropped",
                                        (int) tn_exec_job_pid(job));
                        drop(exec, job);
                        return true;
                }
        }
        return false;
}

static struct tn_exec_job *find(struct exec *exec, int64_t pid, GError **error)
{
        for (guint i = 0; pid > 0 && i < exec->jobs->len; i++) {
                struct tn_exec_job *job = g_ptr_array_index(exec->jobs, i);

                if (tn_exec_job_pid(job) == pid)
                        return job;
        }
        (void) tn_error_set(error, TN_ERROR_NOT_FOUND, "PID %" G_GINT64_FORMAT " does not exist", pid);
        return NULL;
}

/* Numbers of processes come again; the older record is then one that has ended. */
static void drop_namesake(struct exec *exec, const struct tn_exec_job *job)
{
        struct tn_exec_job *older = find(exec, tn_exec_job_pid(job), NULL);

        if (older && older != job)
                drop(exec, older);
}

static void on_started(struct tn_exec_job *job, pid_t pid, const GError *error, void *data)
{
        struct starting *starting = data;
        struct exec *exec = starting->exec;

        if (error) {
                exec->host->fail(starting->call, g_error_copy(error));
                drop(exec, job);
        } else {
                drop_namesake(exec, job);
                exec->host->reply(starting->call, json_pack("{s:I}", "pid", (json_int_t) pid));
        }
        g_ptr_array_remove_fast(exec->calls, starting);
}

static bool use_units(struct tenon_host *host)
{
        return g_strcmp0(host->config(host, "exec", "transient-units"), "no") != 0 &&
               tn_env_exists(host->env, TN_PATH_SYSTEMD_RUNNING);
}

/* A request that may be run, or NULL. */
static struct tn_exec_request *prepare(struct tenon_host *host, json_t *args, GError **error)
{
        g_autoptr(tn_exec_request_t) request = tn_exec_request_parse(args, error);
        const char *allow = host->config(host, "exec", "allow");

        if (!request)
                return NULL;
        request->program = tn_exec_program_find(host->env, request->path, request->cwd, request->env, error);
        if (!request->program ||
            (allow && !tn_exec_program_check_allowed(host->env, request->program, allow, error)))
                return NULL;
        if (tn_exec_program_is_text(host->env, request->program))
                tn_exec_request_use_shell(request);
        return g_steal_pointer(&request);
}

static bool make_place(struct exec *exec, GError **error)
{
        size_t max = setting(exec->host, "max-jobs", 64);

        while (exec->jobs->len >= max)
                if (!drop_oldest(exec))
                        return tn_error_set(
                                error, TN_ERROR_LIMIT,
                                "%u programs are running; wait for one, or end one (the limit is "
                                "max-jobs in the group [exec] of the configuration)",
                                exec->jobs->len);
        return true;
}

static bool start_job(struct exec *exec, struct tenon_call *call, json_t *args, GError **error)
{
        struct tn_exec_job_limits limits = {
                .output_max = setting(exec->host, "output-size", 16 * 1024 * 1024),
                .budget = &exec->budget,
        };
        struct tn_exec_request *request;
        struct starting *starting;

        if (!make_place(exec, error) || !(request = prepare(exec->host, args, error)))
                return false;
        exec->budget.max = MAX(KEPT_BYTES, 2 * limits.output_max);
        starting = g_new0(struct starting, 1);
        starting->exec = exec;
        starting->call = call;
        starting->job = tn_exec_job_start(exec->host, request, use_units(exec->host) ? exec->units : NULL,
                                          &limits, on_started, starting, error);
        if (!starting->job) {
                g_free(starting);
                return false;
        }
        g_ptr_array_add(exec->jobs, starting->job);
        g_ptr_array_add(exec->calls, starting);
        return true;
}

static void start_run(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        GError *error = NULL;

        if (!start_job(host->data, call, args, &error))
                host->fail(call, error);
}

static gboolean on_trim(void *data)
{
        struct exec *exec = data;

        exec->trim_source = 0;
        (void) malloc_trim(0);
        return G_SOURCE_REMOVE;
}

static void on_told(struct tn_exec_job *job, void *data)
{
        struct exec *exec = data;
        size_t used = exec->budget.used;

        drop(exec, job);
        if (used - exec->budget.used >= TRIM_BYTES && !exec->trim_source)
                exec->trim_source = g_timeout_add(TRIM_MS, on_trim, exec);
}

/* Once its end has been told, the record is gone, even while its outputs are still being sent. */
static void status_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct exec *exec = host->data;
        GError *error = NULL;
        struct tn_exec_job *job = find(exec, json_integer_value(json_object_get(args, "pid")), &error);
        json_t *status = job ? tn_exec_job_status(job, &error) : NULL;

        if (!status) {
                host->fail(call, error);
                if (job)
                        drop(exec, job);
        } else if (!tn_exec_job_exited(job)) {
                host->reply(call, status);
        } else {
                g_ptr_array_remove(exec->jobs, job);
                tn_exec_tell(host, call, job, status, on_told, exec);
        }
}

static json_t *terminate_run(struct tenon_host *host, json_t *args, GError **error)
{
        json_t *signal_arg = json_object_get(args, "signal");
        struct tn_exec_job *job = find(host->data, json_integer_value(json_object_get(args, "pid")), error);
        int signal = 0;

        if (!job || (signal_arg && !(signal = tn_exec_signal_parse(signal_arg, error))))
                return NULL;
        tn_exec_job_terminate(job, signal);
        return json_object();
}

static bool plugin_start(struct tenon_host *host, GError **error)
{
        struct exec *exec = g_new0(struct exec, 1);

        (void) error;
        exec->host = host;
        exec->units = tn_exec_units_new(host);
        exec->jobs = g_ptr_array_new();
        exec->calls = g_ptr_array_new_with_free_func(g_free);
        exec->drains = g_ptr_array_new();
        exec->budget.make_room = drop_oldest;
        exec->budget.data = exec;
        host->data = exec;
        return true;
}

/* What runs in a unit lives on, and so that it is not stopped by a full pipe, somebody goes on reading. */
static void leave_job(struct exec *exec, struct tn_exec_job *job)
{
        struct tn_exec_output *output;

        while ((output = tn_exec_job_steal_output(job))) {
                if (tn_exec_job_in_unit(job) && tn_exec_job_pid(job) > 0)
                        tn_exec_units_leave_output(exec->units, output->fd);
                tn_exec_output_free(output);
        }
        tn_exec_job_free(job);
}

static void plugin_stop(struct tenon_host *host)
{
        struct exec *exec = host->data;

        for (guint i = 0; i < exec->calls->len; i++) {
                struct starting *starting = g_ptr_array_index(exec->calls, i);

                host->fail(starting->call, g_error_new(TN_ERROR, TN_ERROR_FAILED, "the agent is stopping"));
        }
        g_ptr_array_unref(exec->calls);
        for (guint i = 0; i < exec->jobs->len; i++)
                leave_job(exec, g_ptr_array_index(exec->jobs, i));
        g_ptr_array_unref(exec->jobs);
        for (guint i = 0; i < exec->drains->len; i++) {
                struct tn_exec_output *output = g_ptr_array_index(exec->drains, i);

                tn_exec_units_leave_output(exec->units, output->fd); /* of plain children there is no bus */
                tn_exec_output_free(output);
        }
        g_ptr_array_unref(exec->drains);
        g_clear_handle_id(&exec->trim_source, g_source_remove);
        tn_exec_units_free(exec->units);
        g_free(exec);
        host->data = NULL;
}

static const struct tenon_command commands[] = {
        {.name = "guest-exec",
         .args = "path:str,arg:[str]?,env:[str]?,input-data:str?,capture-output:<bool|str>?,cwd:str?,user:"
                 "str?,"
                 "timeout-ms:int?",
         .summary = "Run a program, in a systemd unit of its own where there is systemd",
         .category = TENON_CATEGORY_EXEC,
         .flags = TENON_COMMAND_CHANGES,
         .start = start_run},
        {.name = "guest-exec-status",
         .args = "pid:int",
         .summary = "How a program ended, and what it wrote; once",
         .category = TENON_CATEGORY_EXEC,
         .start = status_start},
        {.name = "tenon-exec-terminate",
         .args = "pid:int,signal:<int|str>?",
         .summary = "Send a signal to a program and its children; by default SIGTERM, then SIGKILL",
         .category = TENON_CATEGORY_EXEC,
         .flags = TENON_COMMAND_CHANGES,
         .run = terminate_run},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "exec",
        .summary = "Programs that the host runs",
        .start = plugin_start,
        .stop = plugin_stop,
        .commands = commands,
};
