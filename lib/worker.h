/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Questions that may never be answered (an ioctl to a sick drive, a file server that is away), asked in a
 * copy of this process, one copy at a time, with a deadline. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

struct tn_worker;

/* Runs in the copy: writes what it finds out to @fd. All else that the agent has open is closed there. */
typedef void (*tn_worker_func)(const struct tn_env *env, const void *job, int fd);
/* What was written until the copy ended or the deadline passed; also called when the worker is freed. */
typedef void (*tn_worker_done)(const void *bytes, size_t len, void *data);

struct tn_worker *tn_worker_new(const struct tn_env *env);
/* NULL is fine. Calls @done of what is under way. */
void tn_worker_free(struct tn_worker *worker);

/* @done is called from the loop exactly once. False with @error (TN_ERROR_BUSY while a copy works, or hangs
 * although its deadline has passed): it is not called, nothing was started. */
bool tn_worker_run(struct tn_worker *worker, tn_worker_func func, const void *job, unsigned deadline_ms,
                   tn_worker_done done, void *data, GError **error);
