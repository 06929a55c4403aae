/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the verbs of tenon-drivers share. argv[0] is the verb. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "lib/env.h"

/* Exit statuses, documented in tenon-drivers(8). */
enum {
        TN_PROGRAM_OK = 0,
        TN_PROGRAM_FAILED = 1, /* it was tried and did not work */
        TN_PROGRAM_USAGE = 2,
};

int tn_program_load(const struct tn_env *env, int argc, char **argv);
int tn_program_inventory(const struct tn_env *env, int argc, char **argv);
int tn_program_plan(const struct tn_env *env, int argc, char **argv);
int tn_program_prepare(const struct tn_env *env, int argc, char **argv);
int tn_program_undo(const struct tn_env *env, int argc, char **argv);
int tn_program_install(const struct tn_env *env, int argc, char **argv);

/* Parses @entries; prints an error with a hint and returns false on wrong usage or leftover arguments. */
bool tn_program_options(int *argc, char ***argv, const GOptionEntry *entries, const char *summary);
/* One line of JSON on stdout. */
void tn_program_print_json(const json_t *value);
