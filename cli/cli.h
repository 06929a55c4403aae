/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the verbs of tenonctl share. argv[0] is the verb. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "cli/options.h"
#include "cli/screen.h"

/* Exit statuses, documented in tenonctl(1). */
enum {
        TN_EXIT_OK = 0,
        TN_EXIT_NO = 1, /* detect: bare metal; status: something needs attention; config: a mistake; drivers:
                           one lacks */
        TN_EXIT_USAGE = 2,       /* wrong usage, or it could not be done */
        TN_EXIT_NOT_RUNNING = 3, /* there is no agent to ask */
        /* tenonctl update has 10, 11 and 20 besides, see update/verdict.h */
};

int tn_cli_status(int argc, char **argv);
int tn_cli_config(int argc, char **argv);
int tn_cli_plugins(int argc, char **argv);
int tn_cli_policy(int argc, char **argv);
int tn_cli_events(int argc, char **argv);
int tn_cli_freeze(int argc, char **argv);
int tn_cli_support(int argc, char **argv);
int tn_cli_time(int argc, char **argv);
int tn_cli_health(int argc, char **argv);
int tn_cli_time_setup(int argc, char **argv);
int tn_cli_update(int argc, char **argv);
int tn_cli_update_check(int argc, char **argv);
int tn_cli_update_install(int argc, char **argv);

struct tn_config;
/* What tenonctl config --json prints. New reference. */
json_t *tn_cli_config_json(const struct tn_config *config);

/* Prints "tenonctl: …" and returns TN_EXIT_USAGE, or TN_EXIT_NOT_RUNNING for an agent that is not there. */
int tn_cli_complain(const GError *error);
/* The same; with --json, standard output gets an object with the member "error". */
int tn_cli_fail(const GError *error);
/* The same under the name of the verb, with another exit status. */
int tn_cli_fail_with(const GError *error, int status);
/* The member "error". New reference. */
json_t *tn_cli_error_json(const GError *error, int status);
/* Is it root who runs this? Else @why not is told, as the failure with the exit status @failure. */
bool tn_cli_is_root(const char *why, int failure);
/* Prints "tenonctl VERB: …" for what is not as it should be, and goes on. */
void tn_cli_warn(const char *text);
/* Prints @value indented, with a line end. */
void tn_cli_print_json(const json_t *value);
void tn_cli_set_socket(const char *path);
/* The control socket: --socket, or the configuration's. Borrowed. */
const char *tn_cli_socket(void);
/* A setting of the configuration in its usual place, or NULL when it is empty. g_free(). */
char *tn_cli_setting(const char *group, const char *key);
/* The text of a member, or "". Borrowed. */
const char *tn_cli_text(const json_t *object, const char *key);
