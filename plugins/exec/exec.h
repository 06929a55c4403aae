/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What the files of this plugin share, from the floor up: a request; its program; its streams; two ways to
 * run it; the job that is all of these together; the table of jobs.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tenon/plugin.h"

/* Written by tests only. */
extern struct tn_exec_times {
        unsigned grace_ms; /* from SIGTERM to SIGKILL; and for a pipe that others hold after the end */
        unsigned poll_ms;  /* a signal of systemd's that was lost must not leave a job running for ever */
} tn_exec_times;

/* request.c */

/* What guest-exec was asked for, checked. */
struct tn_exec_request {
        char *path;    /* as the host named it; argv[0] */
        char *program; /* absolute, once it was found */
        char **argv;
        char **env; /* NULL: the usual one; else nothing but this */
        char *cwd;  /* absolute; never NULL */
        char *user; /* NULL: root */
        uint8_t *input;
        size_t input_len;
        bool has_input; /* else stdin is empty */
        bool capture_out;
        bool capture_err;
        bool merged;         /* both in out */
        unsigned timeout_ms; /* 0: none */
};

typedef struct tn_exec_request tn_exec_request_t;
struct tn_exec_request *tn_exec_request_parse(json_t *args, GError **error);
/* Runs the program, which has been found, by /bin/sh. */
void tn_exec_request_use_shell(struct tn_exec_request *request);
void tn_exec_request_free(struct tn_exec_request *request);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_exec_request_t, tn_exec_request_free)

/* "TERM", "SIGTERM" or a number; 0 with @error when it is none. */
int tn_exec_signal_parse(json_t *value, GError **error);

/* program.c */

/* The absolute path of what execvp() would run, by the PATH of @child_env, else the agent's own; a relative
 * path starts at @cwd. @child_env may be NULL. */
char *tn_exec_program_find(const struct tn_env *env, const char *name, const char *cwd, char **child_env,
                           GError **error);
/* Neither ELF nor "#!", but text: what execvp() gives to the shell, and execve() and systemd refuse. */
bool tn_exec_program_is_text(const struct tn_env *env, const char *program);
/* Is @program in @list, the setting allow? Entries without '/' are looked up like a program. */
bool tn_exec_program_check_allowed(const struct tn_env *env, const char *program, const char *list,
                                   GError **error);

/* stream.c */

/* Bytes that all outputs together may keep. */
struct tn_exec_budget {
        size_t used;
        size_t max;
        bool (*make_room)(void *data); /* false: nothing more can be dropped */
        void *data;
};

struct tn_exec_output {
        int fd;
        guint source;
        GByteArray *bytes;
        size_t max;
        bool truncated;
        bool eof;
        struct tn_exec_budget *budget;
        void (*on_eof)(struct tn_exec_output *output, void *data);
        void *data;
};

/* Keeps the first @max bytes of @fd, which it owns, and throws the rest away. @on_eof runs once, from the
 * loop. */
struct tn_exec_output *tn_exec_output_new(int fd, size_t max, struct tn_exec_budget *budget,
                                          void (*on_eof)(struct tn_exec_output *output, void *data),
                                          void *data);
/* Forgets what was kept and goes on throwing away; from now on @on_eof is the one given here. */
void tn_exec_output_forget(struct tn_exec_output *output,
                           void (*on_eof)(struct tn_exec_output *output, void *data), void *data);
/* NULL is fine. */
void tn_exec_output_free(struct tn_exec_output *output);

struct tn_exec_input;

/* Writes what there is as the reader takes it, then closes @fd, which it owns. Takes over @bytes. */
struct tn_exec_input *tn_exec_input_new(int fd, uint8_t *bytes, size_t len);
void tn_exec_input_free(struct tn_exec_input *input);

/* Both ends O_CLOEXEC; ours never blocks. */
bool tn_exec_pipe(int *ret_ours, int *ret_theirs, bool we_read, GError **error);

/* runner: a way to run a request. */

struct tn_exec_end {
        int exit_code; /* -1 unless it exited */
        int signal;    /* 0 unless a signal ended it */
        bool timed_out;
        const char *lost; /* NULL, or why nobody knows how it ended */
};

/* Called from the loop: one started or not_started; after started, one ended. */
struct tn_exec_events {
        void (*started)(pid_t pid, void *data);
        /* @refused: nothing was tried, and another way may be. */
        void (*not_started)(const GError *error, bool refused, void *data);
        void (*ended)(const struct tn_exec_end *end, void *data);
};

struct tn_exec_runner;
struct tn_exec_runner_ops {
        bool keeps_time; /* ends the child after timeout_ms by itself */
        void (*kill)(struct tn_exec_runner *runner, int signal); /* all processes of it */
        void (*free)(struct tn_exec_runner *runner);             /* not the processes */
};
struct tn_exec_runner {
        const struct tn_exec_runner_ops *ops;
};

/* plain.c: a child of ours in a session of its own. @fds become 0, 1, 2; -1 is /dev/null. Borrows all. */
struct tn_exec_runner *tn_exec_plain_start(const struct tn_exec_request *request, const int fds[3],
                                           const struct tn_exec_events *events, void *data, GError **error);

/* unit.c: a transient unit of systemd. */

struct tn_exec_units;
struct tn_exec_units *tn_exec_units_new(struct tenon_host *host);
/* All runners must have been freed. NULL is fine. */
void tn_exec_units_free(struct tn_exec_units *units);
/* As tn_exec_plain_start(), but -1 is the journal for outputs. @request and @fds must live until started or
 * not_started. NULL with @error: there is no bus. */
struct tn_exec_runner *tn_exec_unit_start(struct tn_exec_units *units, const struct tn_exec_request *request,
                                          const int fds[3], const struct tn_exec_events *events, void *data,
                                          GError **error);
/* Before the agent ends: starts a unit that reads @fd to its end, so that who writes to it lives on. */
void tn_exec_units_leave_output(struct tn_exec_units *units, int fd);

/* job.c */

struct tn_exec_job;
struct tn_exec_job_limits {
        size_t output_max;
        struct tn_exec_budget *budget;
};
/* From the loop, once: @pid, or @error (then the job is to be freed). */
typedef void (*tn_exec_job_started)(struct tn_exec_job *job, pid_t pid, const GError *error, void *data);

/* Takes over @request. @units NULL: a plain child. */
struct tn_exec_job *tn_exec_job_start(struct tenon_host *host, struct tn_exec_request *request,
                                      struct tn_exec_units *units, const struct tn_exec_job_limits *limits,
                                      tn_exec_job_started started, void *data, GError **error);
/* What runs is not ended. Not from within its callback. */
void tn_exec_job_free(struct tn_exec_job *job);
/* 0: not started yet. */
pid_t tn_exec_job_pid(const struct tn_exec_job *job);
/* Ended, and its outputs are complete. */
bool tn_exec_job_exited(const struct tn_exec_job *job);
/* GuestExecStatus without the outputs; NULL with @error when nobody knows. */
json_t *tn_exec_job_status(const struct tn_exec_job *job, GError **error);
/* 0: standard output, 1: standard error; NULL when it is not captured. */
const struct tn_exec_output *tn_exec_job_output(const struct tn_exec_job *job, unsigned number);
/* @signal 0: SIGTERM now and SIGKILL after the grace. Nothing when it has ended. */
void tn_exec_job_terminate(struct tn_exec_job *job, int signal);
/* An output that somebody else still writes to, or NULL; the caller's from now on. */
struct tn_exec_output *tn_exec_job_steal_output(struct tn_exec_job *job);
/* Does it run in a transient unit? */
bool tn_exec_job_in_unit(const struct tn_exec_job *job);

/* telling.c */

typedef void (*tn_exec_told)(struct tn_exec_job *job, void *data);

/* Replies with @status, which it takes over, and the outputs of @job. @told is called when they are not
 * needed any more, possibly from here. */
void tn_exec_tell(struct tenon_host *host, struct tenon_call *call, struct tn_exec_job *job, json_t *status,
                  tn_exec_told told, void *data);
