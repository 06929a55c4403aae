/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Verbs that put one question to the agent and print its answer. */
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "cli/alone.h"

struct tn_question {
        const char *command;
        const char *member;                   /* the part of the answer that is told; NULL: all */
        tn_alone_func alone;                  /* what is told where no agent runs; or NULL */
        void (*print)(const json_t *value);   /* for people */
        bool (*is_well)(const json_t *value); /* false: exit status 1; NULL: it always is */
};

/* Asks and prints, as JSON or for people; the exit status. */
int tn_ask(const struct tn_question *question);
/* The same for a verb with no other options than --json. */
int tn_ask_verb(int argc, char **argv, const struct tn_question *question);
