/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The main job of a program that does one thing for the agent outside of its sandbox: one JSON object on
 * standard input, one line on standard output. lib/outside.h is the other side. What the program can do is
 * a table of its own.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stddef.h>

struct tn_env;
struct tn_helper;

struct tn_helper_operation {
        const char *name; /* the member "op" of the request */
        /* The reply, a new reference; NULL with @error. */
        json_t *(*run)(const struct tn_env *env, const json_t *request, const struct tn_helper *helper,
                       GError **error);
};

struct tn_helper {
        const char *program;
        const struct tn_helper_operation *operations;
        size_t count;
        const void *data; /* for the operations: what a test puts in the place of this machine */
};

/* {"return": value} or {"error": {"code", "message"}}, one line with its newline. Free with g_free(). */
char *tn_helper_answer(const struct tn_helper *helper, const struct tn_env *env, const char *request,
                       size_t len);

/* All of main(): takes no arguments, reads the request, prints the answer. The exit status. */
int tn_helper_main(const struct tn_helper *helper, int argc);
