/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenond's command line. Letters and long names are qemu-ga's where it has them, and so are the environment
 * variables QGA_CONF (the configuration file) and QGA_OS_RELEASE (the file read in place of os-release). */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "agent/config.h"

struct tn_options {
        char *method, *path, *config, *statedir, *logfile, *pidfile, *block, *allow, *hook;
        GPtrArray *plugin_dirs; /* of char *, NULL-ended; NULL: none given */
        bool daemonize, dump, verbose, version, retry;
        bool as_qga;        /* started under the name qemu-ga: its defaults, not ours */
        bool list_commands; /* --block-rpcs=help or --allow-rpcs=help */
};

/* Fills @options, zero-initialised. --help prints and exits. */
bool tn_options_parse(int argc, char **argv, struct tn_options *options, GError **error);
void tn_options_clear(struct tn_options *options);

/* Puts what was given over what the files say. */
bool tn_options_apply(const struct tn_options *options, struct tn_config *config, GError **error);

/* The configuration file: --config, else QGA_CONF, else the installed one. *ret_required: it has to exist.
 * Free with g_free(). */
char *tn_options_config_path(const struct tn_options *options, bool *ret_required);
