/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Child processes. The surprising thing: "finished" means that the process itself ended, not that its
 * pipe is at its end; a daemon that it left behind with our pipe open must not hold up the answer.
 */
#define _GNU_SOURCE
#include "lib/child.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

struct tn_child {
        pid_t pid;
        int pid_fd;
        int out_fd;
        int in_fd; /* -1: all input is written, or there was none */
        guint pid_source;
        guint out_source;
        guint in_source;
        guint deadline_source;
        bool timed_out;
        GString *output;
        size_t output_max;
        char *input; /* may be a secret */
        size_t input_len;
        size_t input_done;
        tn_child_done done;
        void *data;
        tn_child_line line_func; /* NULL: nobody watches */
        void *line_data;
        GString *line; /* what has come of the present one */
};

static void close_input(struct tn_child *child)
{
        g_clear_handle_id(&child->in_source, g_source_remove);
        tn_fd_close(&child->in_fd);
        if (child->input)
                explicit_bzero(child->input, child->input_len);
        g_clear_pointer(&child->input, g_free);
}

static void child_free(struct tn_child *child)
{
        close_input(child);
        g_clear_handle_id(&child->pid_source, g_source_remove);
        g_clear_handle_id(&child->out_source, g_source_remove);
        g_clear_handle_id(&child->deadline_source, g_source_remove);
        tn_fd_close(&child->pid_fd);
        tn_fd_close(&child->out_fd);
        g_string_free(child->output, TRUE);
        if (child->line)
                g_string_free(child->line, TRUE);
        g_free(child);
}

static void tell_lines(struct tn_child *child, const char *bytes, size_t len)
{
        for (size_t i = 0; i < len; i++) {
                if (bytes[i] == '\n') {
                        child->line_func(child->line->str, child->line_data);
                        g_string_truncate(child->line, 0);
                } else if (child->line->len < TN_CHILD_LINE_MAX) {
                        g_string_append_c(child->line, bytes[i]);
                }
        }
}

void tn_child_watch(struct tn_child *child, tn_child_line line, void *data)
{
        child->line_func = line;
        child->line_data = data;
        child->line = g_string_new(NULL);
}

/* False at the end of the pipe. */
static bool drain(struct tn_child *child)
{
        char buffer[4096];

        for (;;) {
                ssize_t n = read(child->out_fd, buffer, sizeof buffer);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EAGAIN;
                if (n == 0)
                        return false;
                g_string_append_len(child->output, buffer,
                                    MIN(n, (ssize_t) (child->output_max - child->output->len)));
                if (child->line_func)
                        tell_lines(child, buffer, (size_t) n);
        }
}

static gboolean on_output(int fd, GIOCondition condition, void *data)
{
        struct tn_child *child = data;

        (void) fd;
        (void) condition;
        if (drain(child))
                return G_SOURCE_CONTINUE;
        child->out_source = 0;
        return G_SOURCE_REMOVE;
}

/* A child that does not read all of its input is no error: how it ends tells. */
static gboolean on_input(int fd, GIOCondition condition, void *data)
{
        struct tn_child *child = data;
        ssize_t n = send(fd, child->input + child->input_done, child->input_len - child->input_done,
                         MSG_NOSIGNAL | MSG_DONTWAIT);

        (void) condition;
        if (n < 0 && (errno == EINTR || errno == EAGAIN))
                return G_SOURCE_CONTINUE;
        if (n > 0)
                child->input_done += (size_t) n;
        if (n > 0 && child->input_done < child->input_len)
                return G_SOURCE_CONTINUE;
        child->in_source = 0;
        close_input(child);
        return G_SOURCE_REMOVE;
}

static gboolean on_ended(int fd, GIOCondition condition, void *data)
{
        struct tn_child *child = data;
        struct tn_child_result result = {.exit_status = -1};
        siginfo_t info = {0};

        (void) fd;
        (void) condition;
        if (waitid((idtype_t) P_PIDFD, (id_t) child->pid_fd, &info, WEXITED) == 0) {
                if (info.si_code == CLD_EXITED)
                        result.exit_status = info.si_status;
                else
                        result.signal = info.si_status;
        }
        (void) drain(child);
        result.timed_out = child->timed_out;
        result.output = child->output->str;
        child->pid_source = 0;
        child->done(&result, child->data);
        child_free(child);
        return G_SOURCE_REMOVE;
}

static gboolean on_deadline(void *data)
{
        struct tn_child *child = data;

        child->timed_out = true;
        child->deadline_source = 0;
        (void) kill(-child->pid, SIGKILL); /* its end arrives at the pidfd */
        return G_SOURCE_REMOVE;
}

/* @in_fd -1: /dev/null. */
static int spawn(const char *const *argv, int in_fd, int out_fd, pid_t *ret_pid)
{
        posix_spawn_file_actions_t actions;
        posix_spawnattr_t attr;
        sigset_t all, none;
        int r;

        sigfillset(&all);
        sigemptyset(&none);
        posix_spawn_file_actions_init(&actions);
        posix_spawnattr_init(&attr);
        if (in_fd < 0)
                posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
        else
                posix_spawn_file_actions_adddup2(&actions, in_fd, STDIN_FILENO);
        posix_spawn_file_actions_adddup2(&actions, out_fd, STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, out_fd, STDERR_FILENO);
        posix_spawnattr_setsigmask(&attr, &none);
        posix_spawnattr_setsigdefault(&attr, &all);
        posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        r = posix_spawn(ret_pid, argv[0], &actions, &attr, (char *const *) argv, environ);
        posix_spawnattr_destroy(&attr);
        posix_spawn_file_actions_destroy(&actions);
        return r;
}

static bool spawn_watched(const char *const *argv, int in_fd, int out_fd, pid_t *ret_pid, int *ret_pid_fd,
                          GError **error)
{
        int pid_fd, r = spawn(argv, in_fd, out_fd, ret_pid);

        if (r != 0)
                return tn_error_errno(error, r, "start %s", argv[0]);
        pid_fd = (int) syscall(SYS_pidfd_open, *ret_pid, 0);
        if (pid_fd < 0) {
                tn_error_errno(error, errno, "watch %s", argv[0]);
                (void) kill(-*ret_pid, SIGKILL);
                (void) waitpid(*ret_pid, NULL, 0);
                return false;
        }
        *ret_pid_fd = pid_fd;
        return true;
}

/* @in_fd is our end of the input, or -1; taken over. */
static struct tn_child *start(const char *const *argv, int their_in_fd, int *in_fd, unsigned deadline_ms,
                              tn_child_done done, void *data, GError **error)
{
        tn_autofd int read_fd = -1, write_fd = -1;
        struct tn_child *child;
        int fds[2], pid_fd = -1;
        pid_t pid;

        if (pipe2(fds, O_CLOEXEC) < 0) {
                tn_error_errno(error, errno, "pipe for %s", argv[0]);
                return NULL;
        }
        read_fd = fds[0];
        write_fd = fds[1];
        (void) fcntl(read_fd, F_SETFL, O_NONBLOCK);
        if (!spawn_watched(argv, their_in_fd, write_fd, &pid, &pid_fd, error))
                return NULL;
        child = g_new0(struct tn_child, 1);
        child->pid = pid;
        child->pid_fd = pid_fd;
        child->out_fd = tn_fd_steal(&read_fd);
        child->in_fd = tn_fd_steal(in_fd);
        child->output = g_string_new(NULL);
        child->output_max = TN_CHILD_OUTPUT_MAX;
        child->done = done;
        child->data = data;
        child->pid_source = g_unix_fd_add(child->pid_fd, G_IO_IN, on_ended, child);
        child->out_source = g_unix_fd_add(child->out_fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_output, child);
        child->deadline_source = g_timeout_add(deadline_ms, on_deadline, child);
        return child;
}

struct tn_child *tn_child_start(const char *const *argv, unsigned deadline_ms, tn_child_done done,
                                void *data, GError **error)
{
        int none = -1;

        return start(argv, -1, &none, deadline_ms, done, data, error);
}

struct tn_child *tn_child_start_on(const char *const *argv, int in_fd, unsigned deadline_ms,
                                   tn_child_done done, void *data, GError **error)
{
        int none = -1;

        return start(argv, in_fd, &none, deadline_ms, done, data, error);
}

struct tn_child *tn_child_start_input(const char *const *argv, const void *input, size_t input_len,
                                      size_t output_max, unsigned deadline_ms, tn_child_done done,
                                      void *data, GError **error)
{
        tn_autofd int our_fd = -1, their_fd = -1;
        struct tn_child *child;
        int fds[2];

        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0) {
                tn_error_errno(error, errno, "socket pair for %s", argv[0]);
                return NULL;
        }
        our_fd = fds[0];
        their_fd = fds[1];
        (void) shutdown(our_fd, SHUT_RD); /* what the child writes to its standard input goes nowhere */
        child = start(argv, their_fd, &our_fd, deadline_ms, done, data, error);
        if (!child)
                return NULL;
        child->output_max = output_max;
        child->input = g_memdup2(input, input_len);
        child->input_len = input_len;
        if (input_len == 0)
                close_input(child);
        else
                child->in_source = g_unix_fd_add(child->in_fd, G_IO_OUT | G_IO_ERR | G_IO_HUP, on_input,
                                                 child);
        return child;
}

void tn_child_abandon(struct tn_child *child)
{
        if (!child)
                return;
        (void) kill(-child->pid, SIGKILL);
        (void) waitpid(child->pid, NULL, 0); /* SIGKILLed: does not wait long */
        child_free(child);
}

char *tn_child_describe(const struct tn_child_result *result)
{
        if (result->timed_out)
                return g_strdup("timed out and was killed");
        if (result->signal)
                return g_strdup_printf("was ended by signal %d", result->signal);
        return g_strdup_printf("ended with exit status %d", result->exit_status);
}
