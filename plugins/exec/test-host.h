/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The words in which the tests of this plugin are written: a host whose root is a temporary folder, with
 * empty files in the places of the programs. The surprising thing: what is found below that root is run
 * from the real one, where /bin/sh is /bin/sh.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"
#include "plugins/exec/exec.h"

struct test_host {
        struct tenon_host host; /* first: its functions find us */
        struct tn_env env;
        char *root;
        const char *allow, *max_jobs, *output_size, *transient_units;
        GString *log;
        unsigned cut_after; /* pieces of a stream, when it is not 0 */
        unsigned answers;
        json_t *answer;
        GError *error;
};

/* setup and teardown of one test; the plugin is started. */
int test_host_set_up(void **state);
int test_host_tear_down(void **state);
/* An empty file or folder below the root. */
void test_host_add(struct test_host *h, const char *path, mode_t mode);

/* The reply, or NULL with h->error. Turns the loop until there is one. Takes @args. */
json_t *test_host_call(struct test_host *h, const char *name, json_t *args);
/* guest-exec with arguments as JSON in which ' stands for "; the pid. */
int64_t test_host_exec(struct test_host *h, const char *args);
/* The status, as soon as it has exited; fails after 10 s. */
json_t *test_host_wait(struct test_host *h, int64_t pid);

/* Compares with such a text; frees. */
void assert_json_is(json_t *value, const char *text, int line);
#define assert_status(h, pid, text) assert_json_is(test_host_wait(h, pid), text, __LINE__)
#define assert_run(h, args, text)   assert_status(h, test_host_exec(h, args), text)
/* guest-exec is refused with this message. */
void assert_refused_at(struct test_host *h, const char *args, const char *message, int line);
#define assert_refused(h, args, message) assert_refused_at(h, args, message, __LINE__)

json_t *test_json(const char *text);
/* The decoded text of a member of a status. Free with g_free(). */
char *test_decode(json_t *status, const char *member);
