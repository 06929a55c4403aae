/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * One program from start to status: its pipes, its runner (a unit, or a plain child when that is refused),
 * its time limit, its end. The surprising thing: in a unit, outputs are written through a descriptor that
 * can also read, so that a program which outlives the agent is not killed by SIGPIPE while it writes.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "plugins/exec/exec.h"

#define UNIT_PIPE_BYTES (1024 * 1024) /* what a program may write while no agent reads */

struct tn_exec_times tn_exec_times = {.grace_ms = 5000, .poll_ms = 5000};

struct tn_exec_job {
        struct tenon_host *host;
        struct tn_exec_request *request;
        struct tn_exec_units *units;   /* NULL: a plain child */
        struct tn_exec_runner *runner; /* NULL after the end */
        tn_exec_job_started started;
        void *data;
        int child_fds[3]; /* until it started */
        struct tn_exec_input *input;
        struct tn_exec_output *outputs[2]; /* NULL: not captured */
        pid_t pid;
        bool ended, complete;
        struct tn_exec_end end;
        guint grace_source; /* after the end: until outputs are taken for complete */
        guint limit_source; /* timeout-ms */
        guint kill_source;  /* after SIGTERM */
};

static void close_child_fds(struct tn_exec_job *job)
{
        if (job->child_fds[1] == job->child_fds[2])
                job->child_fds[2] = -1;
        for (int i = 0; i < 3; i++)
                tn_fd_close(&job->child_fds[i]);
}

static void release_runner(struct tn_exec_job *job)
{
        if (job->runner)
                job->runner->ops->free(job->runner);
        job->runner = NULL;
        g_clear_handle_id(&job->limit_source, g_source_remove);
        g_clear_handle_id(&job->kill_source, g_source_remove);
}

static void complete(struct tn_exec_job *job)
{
        g_clear_handle_id(&job->grace_source, g_source_remove);
        job->complete = true;
        for (int i = 0; i < 2; i++)
                if (job->outputs[i] && job->outputs[i]->bytes)
                        job->outputs[i]->max = job->outputs[i]->bytes->len; /* what comes now is too late */
}

static void check_complete(struct tn_exec_job *job)
{
        if (!job->ended || job->complete)
                return;
        for (int i = 0; i < 2; i++)
                if (job->outputs[i] && !job->outputs[i]->eof)
                        return;
        complete(job);
}

static void on_eof(struct tn_exec_output *output, void *data)
{
        (void) output;
        check_complete(data);
}

static gboolean on_grace_over(void *data)
{
        struct tn_exec_job *job = data;

        job->grace_source = 0;
        complete(job);
        return G_SOURCE_REMOVE;
}

static gboolean on_kill(void *data)
{
        struct tn_exec_job *job = data;

        job->kill_source = 0;
        job->runner->ops->kill(job->runner, SIGKILL);
        return G_SOURCE_REMOVE;
}

void tn_exec_job_terminate(struct tn_exec_job *job, int signal)
{
        if (!job->runner || job->pid == 0)
                return;
        job->runner->ops->kill(job->runner, signal ? signal : SIGTERM);
        if (!signal && !job->kill_source)
                job->kill_source = g_timeout_add(tn_exec_times.grace_ms, on_kill, job);
}

static gboolean on_limit(void *data)
{
        struct tn_exec_job *job = data;

        job->limit_source = 0;
        job->end.timed_out = true;
        tn_exec_job_terminate(job, 0);
        return G_SOURCE_REMOVE;
}

static void on_started(pid_t pid, void *data)
{
        struct tn_exec_job *job = data;

        job->pid = pid;
        close_child_fds(job);
        if (job->request->timeout_ms && !job->runner->ops->keeps_time)
                job->limit_source = g_timeout_add(job->request->timeout_ms, on_limit, job);
        job->started(job, pid, NULL, job->data);
}

static void on_ended(const struct tn_exec_end *end, void *data)
{
        struct tn_exec_job *job = data;
        bool timed_out = job->end.timed_out;

        release_runner(job);
        job->end = *end;
        job->end.timed_out |= timed_out;
        job->ended = true;
        job->grace_source = g_timeout_add(tn_exec_times.grace_ms, on_grace_over, job);
        check_complete(job);
}

static bool start_plain(struct tn_exec_job *job, GError **error);

static void on_not_started(const GError *error, bool refused, void *data)
{
        struct tn_exec_job *job = data;
        g_autoptr(GError) plain_error = NULL;

        release_runner(job);
        if (refused) {
                job->host->log(job->host, 4, "guest-exec runs without a systemd unit: %s", error->message);
                if (start_plain(job, &plain_error))
                        return;
                error = plain_error;
        }
        close_child_fds(job);
        job->started(job, 0, error, job->data); /* frees the job */
}

static const struct tn_exec_events events = {
        .started = on_started, .not_started = on_not_started, .ended = on_ended};

static bool start_plain(struct tn_exec_job *job, GError **error)
{
        job->units = NULL;
        job->runner = tn_exec_plain_start(job->request, job->child_fds, &events, job, error);
        return job->runner != NULL;
}

static bool start(struct tn_exec_job *job, GError **error)
{
        g_autoptr(GError) unit_error = NULL;

        if (!job->units)
                return start_plain(job, error);
        job->runner = tn_exec_unit_start(job->units, job->request, job->child_fds, &events, job,
                                         &unit_error);
        if (job->runner)
                return true;
        job->host->log(job->host, 4, "guest-exec runs without a systemd unit: %s", unit_error->message);
        return start_plain(job, error);
}

/* Where /proc is missing, it stays as it was. */
static void make_readable(int *fd)
{
        char path[sizeof "/proc/self/fd/" + 3 * sizeof *fd];
        int both;

        (void) snprintf(path, sizeof path, "/proc/self/fd/%d", *fd);
        both = open(path, O_RDWR | O_CLOEXEC);
        if (both < 0)
                return;
        (void) fcntl(both, F_SETPIPE_SZ, UNIT_PIPE_BYTES);
        tn_fd_close(fd);
        *fd = both;
}

static bool open_output(struct tn_exec_job *job, int number, const struct tn_exec_job_limits *limits,
                        GError **error)
{
        int ours;

        if (!tn_exec_pipe(&ours, &job->child_fds[number], true, error))
                return false;
        if (job->units)
                make_readable(&job->child_fds[number]);
        job->outputs[number - 1] = tn_exec_output_new(ours, limits->output_max, limits->budget, on_eof, job);
        return true;
}

static bool open_streams(struct tn_exec_job *job, const struct tn_exec_job_limits *limits, GError **error)
{
        struct tn_exec_request *request = job->request;
        int ours;

        if (request->has_input) {
                if (!tn_exec_pipe(&ours, &job->child_fds[0], false, error))
                        return false;
                job->input = tn_exec_input_new(ours, g_steal_pointer(&request->input), request->input_len);
        }
        if ((request->capture_out && !open_output(job, 1, limits, error)) ||
            (request->capture_err && !open_output(job, 2, limits, error)))
                return false;
        if (request->merged)
                job->child_fds[2] = job->child_fds[1];
        return true;
}

struct tn_exec_job *tn_exec_job_start(struct tenon_host *host, struct tn_exec_request *request,
                                      struct tn_exec_units *units, const struct tn_exec_job_limits *limits,
                                      tn_exec_job_started started, void *data, GError **error)
{
        struct tn_exec_job *job = g_new0(struct tn_exec_job, 1);

        *job = (struct tn_exec_job){
                .host = host,
                .request = request,
                .units = units,
                .started = started,
                .data = data,
                .child_fds = {-1, -1, -1},
                .end = {.exit_code = -1},
        };
        if (open_streams(job, limits, error) && start(job, error))
                return job;
        tn_exec_job_free(job);
        return NULL;
}

void tn_exec_job_free(struct tn_exec_job *job)
{
        release_runner(job);
        g_clear_handle_id(&job->grace_source, g_source_remove);
        close_child_fds(job);
        tn_exec_input_free(job->input);
        tn_exec_output_free(job->outputs[0]);
        tn_exec_output_free(job->outputs[1]);
        tn_exec_request_free(job->request);
        g_free(job);
}

pid_t tn_exec_job_pid(const struct tn_exec_job *job)
{
        return job->pid;
}

bool tn_exec_job_exited(const struct tn_exec_job *job)
{
        return job->complete;
}

bool tn_exec_job_in_unit(const struct tn_exec_job *job)
{
        return job->units != NULL;
}

struct tn_exec_output *tn_exec_job_steal_output(struct tn_exec_job *job)
{
        for (int i = 0; i < 2; i++)
                if (job->outputs[i] && !job->outputs[i]->eof)
                        return g_steal_pointer(&job->outputs[i]);
        return NULL;
}

const struct tn_exec_output *tn_exec_job_output(const struct tn_exec_job *job, unsigned number)
{
        return job->outputs[number];
}

json_t *tn_exec_job_status(const struct tn_exec_job *job, GError **error)
{
        json_t *status;

        if (job->complete && job->end.lost) {
                (void) tn_error_set(error, TN_ERROR_FAILED, "how PID %d ended is not known: %s",
                                    (int) job->pid, job->end.lost);
                return NULL;
        }
        status = json_pack("{s:b}", "exited", (int) job->complete);
        if (!job->complete)
                return status;
        if (job->end.exit_code >= 0)
                json_object_set_new(status, "exitcode", json_integer(job->end.exit_code));
        else
                json_object_set_new(status, "signal", json_integer(job->end.signal));
        if (job->end.timed_out)
                json_object_set_new(status, "timed-out", json_true());
        return status;
}
