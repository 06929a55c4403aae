/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A child process on the main loop: started without a shell, in a session of its own, its output collected
 * up to a limit, killed with its whole group when the deadline passes. Ends are seen through a pidfd, so
 * nothing here depends on SIGCHLD.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#define TN_CHILD_OUTPUT_MAX (64 * 1024) /* bytes kept of stdout and stderr together; the rest is drained */

struct tn_child_result {
        int exit_status;    /* -1 unless it exited */
        int signal;         /* 0 unless a signal ended it */
        bool timed_out;     /* the deadline passed and it was killed */
        const char *output; /* NUL-terminated, borrowed for the callback */
};

struct tn_child;
typedef void (*tn_child_done)(const struct tn_child_result *result, void *data);

/* Starts argv[0], an absolute path. @done is called once, from the loop, never from here; after it the
 * child is freed. Returns NULL with @error when nothing was started. */
struct tn_child *tn_child_start(const char *const *argv, unsigned deadline_ms, tn_child_done done,
                                void *data, GError **error);

/* The same with @input on its standard input (a socket), then the end of it; the copy of it that is kept is
 * wiped. Keeps up to @output_max bytes of output. */
struct tn_child *tn_child_start_input(const char *const *argv, const void *input, size_t input_len,
                                      size_t output_max, unsigned deadline_ms, tn_child_done done,
                                      void *data, GError **error);

/* The same with @in_fd, which stays the caller's, as its standard input. */
struct tn_child *tn_child_start_on(const char *const *argv, int in_fd, unsigned deadline_ms,
                                   tn_child_done done, void *data, GError **error);
/* Hands each line of output to @line as it comes, without its end and cut after TN_CHILD_LINE_MAX bytes;
 * call it right after the start. The text is borrowed. */
#define TN_CHILD_LINE_MAX 65536
typedef void (*tn_child_line)(const char *line, void *data);
void tn_child_watch(struct tn_child *child, tn_child_line line, void *data);

/* Kills the group and frees; @done is not called. NULL is fine. */
void tn_child_abandon(struct tn_child *child);

/* Text for people: "exit status 3", "signal 9", "timed out". Free with g_free(). */
char *tn_child_describe(const struct tn_child_result *result);
