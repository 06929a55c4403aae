/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Hook directories: programs of the administrator's that run before or after something that the host asked
 * for. Which files are hooks, which of those may be trusted, and how one is started. Runs nothing.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

/* A hook, or the reason why it is not run. */
struct tn_hook {
        char *path;    /* absolute */
        char *refused; /* NULL: may be run */
};

void tn_hook_free(struct tn_hook *hook);

/* The hooks of @directory (absolute), in the order of their names. Files that begin with '.' or end with
 * '~', and such that are not executable at all (a README), are left out silently; executable ones that
 * somebody else than root could have written are listed with a reason. Elements are struct tn_hook, owned
 * by the array. Never NULL. */
GPtrArray *tn_hooks_list(const struct tn_env *env, const char *directory);

/* The one hook at @path (absolute), judged the same way; NULL when it is not there or not executable. */
struct tn_hook *tn_hooks_find(const struct tn_env *env, const char *path);

/* The command line that runs @path with one argument: in a transient systemd unit, outside of our sandbox,
 * ended after @limit_ms; where there is no systemd, the program itself. *ret_deadline_ms is when the caller
 * has to end what it started. Free with g_strfreev(). */
char **tn_hooks_argv(const struct tn_env *env, const char *path, const char *argument, unsigned limit_ms,
                     unsigned *ret_deadline_ms);
