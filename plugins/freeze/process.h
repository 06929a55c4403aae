/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Child processes that are copies of the agent: forked without exec, because nothing may be read from a
 * disk any more when they are needed. The agent has one thread, so a copy of it is whole. */
#pragma once

#include <glib.h>
#include <stddef.h>
#include <sys/types.h>

/* Like fork(2): 0 in the child, -1 with errno set. The child has all signals blocked, no descriptors but 0
 * to 2 (the first two are /dev/null) and @keep, and is sent @death_signal when its parent dies. It ends by
 * _exit(2) and uses no GLib main loop. */
pid_t freeze_process_fork(const char *name, int death_signal, const int *keep, size_t n_keep);

/* A pidfd of @pid, or -1 with errno set. */
int freeze_process_watch(pid_t pid);

/* Runs a program to its end, or kills its group after @deadline_ms. Waits; not for the agent itself. */
void freeze_process_run(char **argv, unsigned deadline_ms);
