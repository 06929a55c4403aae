/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Programs of the distribution that do the work: mkinitramfs, dracut, apt-get, … Started without a shell,
 * with a deadline, a plain environment and no terminal, and waited for: this is not for the agent's loop.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"
#include "pvdrivers/progress.h"

#define TN_TOOL_LINE_MAX   4096        /* bytes of a line; the rest of it is thrown away */
#define TN_TOOL_OUTPUT_MAX (64 * 1024) /* bytes kept: the last ones */

struct tn_tool_result {
        int exit_status; /* -1 unless it exited */
        int signal;      /* 0 unless a signal ended it */
        bool timed_out;
        GString *output; /* stdout and stderr */
};

#define TN_TOOL_TO_ITS_END 0 /* a deadline for what must not be cut off: a package manager at its work */

/* Runs @argv, whose first word is an absolute path below the root of the env. Each line goes to @progress.
 * When @deadline_s is over it is killed, and when we end, too; not so with TN_TOOL_TO_ITS_END: it is waited
 * for, and SIGINT, SIGTERM, SIGHUP, SIGQUIT and SIGPIPE do not end us meanwhile.
 * False with @error: not started. Else @ret is set; free it with tn_tool_result_clear(). */
typedef bool (*tn_tool_run_func)(const struct tn_env *env, const char *const *argv, unsigned deadline_s,
                                 struct tn_progress *progress, struct tn_tool_result *ret, GError **error);

bool tn_tool_run(const struct tn_env *env, const char *const *argv, unsigned deadline_s,
                 struct tn_progress *progress, struct tn_tool_result *ret, GError **error);
void tn_tool_result_clear(struct tn_tool_result *result);
typedef struct tn_tool_result tn_tool_result_t;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(tn_tool_result_t, tn_tool_result_clear)

/* Was it a success? Else false with an @error that ends with what the program printed last. */
bool tn_tool_judge(const char *program, unsigned deadline_s, const struct tn_tool_result *result,
                   GError **error);

/* By @run, and to success: false with an @error that ends with what the program printed last. @output gets
 * what it printed and may be NULL; free with g_free(). */
bool tn_tool_must(tn_tool_run_func run, const struct tn_env *env, const char *const *argv,
                  unsigned deadline_s, struct tn_progress *progress, char **output, GError **error);

/* Full path, with '/' at its head, of the program @name in the usual folders of the env's root; NULL when it
 * is not installed. Free with g_free(). */
char *tn_tool_find(const struct tn_env *env, const char *name);
