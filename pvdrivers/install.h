/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Drivers that the kernels here lack, from the distribution's packages: which are wanted, which package has
 * them, its installation, and whether they are there then.
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "pvdrivers/catalogue.h"
#include "pvdrivers/packages.h"
#include "pvdrivers/progress.h"

struct tn_install_options {
        unsigned roles;             /* 1U << role of each; 0: all */
        enum tn_pv_platform target; /* the maximum: what this machine's own devices want */
        bool dry_run;
        tn_tool_run_func run; /* NULL: tn_tool_run */
};

/* Fills in roles and target from words of a command line; @roles and @target may be NULL. False with @error,
 * which lists the words that there are. */
bool tn_install_parse(const char *const *roles, const char *target, struct tn_install_options *options,
                      GError **error);

/* {"missing": [{"module", "kernel", "role", "packages": [name]}], "packages": [name], "dry-run": bool,
 *  "modules": [{"module", "kernel", "state", "loaded": bool, "needs-reboot": bool,
 *               "default": bool}], "mistakes": [text about a mistake in drivers.d]}
 * New reference. NULL with @error when no package has what is missing (TN_ERROR_NOT_FOUND), the package
 * database is in use (TN_ERROR_BUSY), the installation failed, or the module is not there after it. */
json_t *tn_install_run(const struct tn_env *env, const struct tn_catalogue *catalogue,
                       const struct tn_install_options *options, struct tn_progress *progress,
                       GError **error);
