/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The words in which the tests of this plugin are written: a machine made of a folder, clocks that stand
 * still until a test moves them, settings, a board, a log, and programs that end as a test says.
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

#include "lib/env.h"
#include "tenon/plugin.h"

#define START_USEC    (UINT64_C(1000) * G_USEC_PER_SEC)       /* of the monotonic clock */
#define REALTIME_USEC (UINT64_C(1800000000) * G_USEC_PER_SEC) /* of the other one */

/* The surprising thing: env is the first member, so its clock finds the stage. */
struct stage {
        struct tn_env env;
        struct tenon_host host;
        char *dir;
        uint64_t monotonic_usec, realtime_usec;
        GHashTable *settings; /* "group\nkey" → value */
        GHashTable *facts;    /* name → json_t */
        GString *log;         /* "level|text\n" */
        GString *story;       /* log records and facts by name, in their order */
        unsigned fact_changes;
        tenon_fact_func watch;
        /* Of the next programs. */
        struct tenon_child_result ending;
        bool hangs; /* none of them ends until end_program() */
        unsigned programs;
        GPtrArray *running;
        const struct tn_bus_method *served; /* over D-Bus, and with what */
        void *served_data;
};

int stage_set_up(void **state);
int stage_tear_down(void **state);

void stage_write(struct stage *stage, const char *path, const char *text);
char *stage_path(const struct stage *stage, const char *path);
/* "check db", "type", "load", … NULL-ended pairs after the group. */
void stage_set(struct stage *stage, const char *group, ...) G_GNUC_NULL_TERMINATED;
/* Both clocks. */
void stage_pass(struct stage *stage, uint64_t seconds);
/* Ends the programs that hang. */
void stage_end_programs(struct stage *stage);
/* Borrowed; NULL: no such fact. */
json_t *stage_fact(const struct stage *stage, const char *name);

/* Turns the loop until a function says yes; fails the test after 10 s. */
void loop_until_true(bool (*done)(void *data), void *data);
void loop_for(unsigned ms);

#define assert_contains(text, part)                                                                         \
        do {                                                                                                \
                const char *text_ = (text);                                                                 \
                                                                                                            \
                if (!text_ || !strstr(text_, part))                                                         \
                        fail_msg("\"%s\" is not in \"%s\"", part, text_ ? text_ : "(null)");                \
        } while (false)
