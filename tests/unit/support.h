/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The words in which the unit tests are written: a machine made of a temporary folder, a clock that stands
 * still until a test moves it, a log that is kept, and short ways to wait and to compare.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "agent/config.h"
#include "lib/env.h"
#include "lib/error.h"
#include "lib/log.h"

/* The surprising thing: env is the first member, so the env's own functions find their machine. */
struct machine {
        struct tn_env env;
        char *dir;              /* the root directory; absolute */
        uint64_t realtime_usec; /* what the clocks say */
        uint64_t monotonic_usec;
        uint64_t set_usec; /* what set_realtime() was last given */
        GPtrArray *log;    /* one text for each record: "level|message|FIELD=value|…" */
};

struct machine *machine_new(void);
void machine_free(struct machine *machine);
typedef struct machine machine_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(machine_t, machine_free)

/* Makes the folders on the way, too. */
void machine_write(struct machine *machine, const char *path, const char *text);
void machine_write_len(struct machine *machine, const char *path, const char *text, size_t len);
void machine_link(struct machine *machine, const char *path, const char *target);
/* Absolute path in the running system. Free with g_free(). */
char *machine_path(const struct machine *machine, const char *path);
/* The newest record that contains @text, or NULL. Borrowed. */
const char *machine_logged(const struct machine *machine, const char *text);

/* A configuration from the text of a file; fails the test when it has a mistake. */
struct tn_config *config_from(struct machine *machine, const char *text);

/* Removes a folder with all that is in it. */
void remove_tree(const char *path);

/* Turns the main loop until *@flag is at least @wanted; fails the test after 5 s. */
void loop_until(const unsigned *flag, unsigned wanted);
/* Turns the main loop for some time. */
void loop_for(unsigned ms);

/* A new reference from text in which ' stands for ". */
json_t *json_of(const char *text);
/* Compares a value with such a text; takes the reference. */
#define assert_json(value, text) assert_json_at(value, text, __FILE__, __LINE__)
void assert_json_at(json_t *value, const char *text, const char *file, int line);

/* Checks domain, code and text, and frees the error. */
#define assert_error(error, wanted_code, wanted_text)                                                       \
        do {                                                                                                \
                assert_non_null(error);                                                                     \
                assert_string_equal((error)->message, wanted_text);                                         \
                assert_true((error)->domain == TN_ERROR);                                                   \
                assert_int_equal((error)->code, wanted_code);                                               \
                g_clear_error(&(error));                                                                    \
        } while (false)

/* Fails unless @text contains @part. */
#define assert_contains(text, part)                                                                         \
        do {                                                                                                \
                if (!(text) || !strstr(text, part))                                                         \
                        fail_msg("\"%s\" is not in \"%s\"", part, (text) ? (text) : "(null)");              \
        } while (false)
