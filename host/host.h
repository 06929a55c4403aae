/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the verbs of tenon-host share. argv[0] is the verb; what they return is the exit status. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "host/guest.h"

struct tn_host {
        char *socket; /* --socket, --domain: one of both */
        char *domain;
        char *uri;        /* --connect */
        double timeout_s; /* --timeout before the verb */
        gboolean json;
};

int tn_host_status(struct tn_host *host, int argc, char **argv);
int tn_host_ask(struct tn_host *host, int argc, char **argv);
int tn_host_watch(struct tn_host *host, int argc, char **argv);
int tn_host_exec(struct tn_host *host, int argc, char **argv);
int tn_host_cp(struct tn_host *host, int argc, char **argv);
int tn_host_freeze(struct tn_host *host, int argc, char **argv);
int tn_host_thaw(struct tn_host *host, int argc, char **argv);
int tn_host_time(struct tn_host *host, int argc, char **argv);

/* Parses @entries (NULL: none) and --json; at least @min and at most @max words
 * may be left, which are then argv[1]…. False after an error that was printed. */
bool tn_host_parse(struct tn_host *host, int *argc, char ***argv, const GOptionEntry *entries, int min,
                   int max);
/* Connects. NULL with @error. */
struct tn_guest *tn_host_open(const struct tn_host *host, GError **error);
/* Seconds, as an option has them, into milliseconds; false after an error that was printed. */
bool tn_host_seconds(double seconds, const char *option, unsigned *ret_ms);
