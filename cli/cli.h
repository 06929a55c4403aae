/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the verbs of tenonctl share. argv[0] is the verb. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* Exit statuses, documented in tenonctl(1). */
enum {
        TN_EXIT_OK = 0,
        TN_EXIT_NO = 1, /* detect: bare metal; status: something needs attention; config: a mistake; drivers:
                           one lacks */
        TN_EXIT_USAGE = 2,       /* wrong usage, or it could not be done */
        TN_EXIT_NOT_RUNNING = 3, /* there is no agent to ask */
};

int tn_cli_status(int argc, char **argv);
int tn_cli_config(int argc, char **argv);
int tn_cli_plugins(int argc, char **argv);
int tn_cli_policy(int argc, char **argv);
int tn_cli_freeze(int argc, char **argv);
int tn_cli_time(int argc, char **argv);
int tn_cli_health(int argc, char **argv);
int tn_cli_heartbeat(int argc, char **argv);
int tn_cli_watchdog(int argc, char **argv);

/* Parses @entries; prints an error with a hint and returns false on wrong usage or leftover arguments. */
bool tn_cli_options(int *argc, char ***argv, const GOptionEntry *entries, const char *summary);
/* Prints "tenonctl: …" and returns TN_EXIT_USAGE, or TN_EXIT_NOT_RUNNING for an agent that is not there. */
int tn_cli_fail(const GError *error);
/* Prints @value indented, with a line end. */
void tn_cli_print_json(const json_t *value);
/* Prints one line of a screen: what it is about (may be ""), and the text. */
void tn_cli_line(const char *label, const char *format, ...) G_GNUC_PRINTF(2, 3);
/* The control socket: --socket, or the configuration's. Borrowed. */
const char *tn_cli_socket(void);
/* A setting of the configuration in its usual place, or NULL when it is empty. g_free(). */
char *tn_cli_setting(const char *group, const char *key);
/* The text of a member, or "". Borrowed. */
const char *tn_cli_text(const json_t *object, const char *key);
