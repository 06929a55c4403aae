/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Work that the agent's own sandbox forbids: a program is started as a transient unit of its own
 * (systemd-run), or as a plain child where systemd does not run, for there is no sandbox either. What it
 * has to know, it is told on its standard input, never on its command line, which everybody can read.
 *
 * tenon-system-helper and tenon-accounts-helper are programs of ours that are asked this way: one JSON
 * request, one JSON answer (lib/helper.h).
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/child.h"

struct tn_env;
struct tn_outside; /* the jobs of one owner */

/* How a program ended; or @error when it was not started, or when its owner went away first. */
typedef void (*tn_outside_done)(const struct tn_child_result *result, const GError *error, void *data);
/* What the helper answered, borrowed, or @error. */
typedef void (*tn_outside_answered)(json_t *value, const GError *error, void *data);

struct tn_outside *tn_outside_new(const struct tn_env *env);
/* Ends what is under way; each callback is called with an error. NULL is fine. */
void tn_outside_free(struct tn_outside *outside);

/* Does this process live in a sandbox that a unit of its own would not have? True for root with systemd, in
 * another mount namespace than process 1. */
bool tn_outside_is_other(const struct tn_env *env);

/* The code by its tn_error_name(), as answers have it. */
int tn_outside_error_code(const char *name);

/* The command line that runs @argv outside, ended after @limit_ms: @argv itself where systemd does not run.
 * A program of ours gets a unit of its own name, and with it the sandbox that is installed for that name.
 * Free with g_strfreev(). */
char **tn_outside_argv(const struct tn_env *env, const char *const *argv, unsigned limit_ms);

/* Starts argv[0], an absolute path. @done is called exactly once, possibly from here; it must not free
 * @outside. */
void tn_outside_run(struct tn_outside *outside, const char *const *argv, const void *input, size_t input_len,
                    unsigned deadline_ms, tn_outside_done done, void *data);

/* The same without an input, and each line of its output goes to @line when it comes. */
void tn_outside_watch(struct tn_outside *outside, const char *const *argv, unsigned deadline_ms,
                      tn_child_line line, tn_outside_done done, void *data);

/* Asks the program @helper. @answered as with tn_outside_run(). */
void tn_outside_ask(struct tn_outside *outside, const char *helper, const json_t *request,
                    unsigned deadline_ms, tn_outside_answered answered, void *data);
