/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The distribution's package manager: apt-get, dnf, zypper or apk. It is never asked a question and never
 * asks one; what it prints goes to the progress.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "pvdrivers/tool.h"

struct tn_packages; /* the manager of one machine */

/* @name: what package-manager= in tenond.conf(5) says, "apt", "dnf", …; "auto" or NULL: the one whose
 * database is here. NULL with @error (TN_ERROR_UNSUPPORTED) when the machine has not got it. @run NULL:
 * tn_tool_run. */
struct tn_packages *tn_packages_new(const struct tn_env *env, const char *name, tn_tool_run_func run,
                                    GError **error);
void tn_packages_free(struct tn_packages *packages);
typedef struct tn_packages tn_packages_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_packages_t, tn_packages_free)

/* "apt-get", "dnf", … Borrowed. */
const char *tn_packages_name(const struct tn_packages *packages);

/* Is the package database free? False with @error (TN_ERROR_BUSY), which names who has it. */
bool tn_packages_check_lock(const struct tn_packages *packages, GError **error);
/* The same for who needs no manager: true where none is known. */
bool tn_packages_check_idle(const struct tn_env *env, GError **error);
/* Fetches the lists of what there is. */
bool tn_packages_refresh(const struct tn_packages *packages, struct tn_progress *progress, GError **error);
/* Can it install a package of this name? */
bool tn_packages_knows(const struct tn_packages *packages, const char *name);
/* The package that has the file of @module for the kernel @release, asked from the manager; NULL where it
 * cannot tell. Free with g_free(). */
char *tn_packages_find_module(const struct tn_packages *packages, const char *release, const char *module);
/* Installs, or with @dry_run only tells what would be. @names: NULL-ended, not empty. */
bool tn_packages_install(const struct tn_packages *packages, const char *const *names, bool dry_run,
                         struct tn_progress *progress, GError **error);
/* Brings what is installed to its newest version; what is not installed stays so. */
bool tn_packages_upgrade(const struct tn_packages *packages, const char *const *names,
                         struct tn_progress *progress, GError **error);
/* Removes these and no others: an @error where another package needs one of them. The configuration files
 * stay where the manager makes that difference. */
bool tn_packages_remove(const struct tn_packages *packages, const char *const *names,
                        struct tn_progress *progress, GError **error);

/* A place where packages with drivers are looked for, in the order of the table. */
struct tn_packages_candidate {
        const char *family;  /* ID or a word of ID_LIKE in os-release(5) */
        const char *release; /* pattern (fnmatch) of kernel releases that it is for */
        const char
                *package; /* "%k" is the kernel's release, "%a" the distribution's name of the processor */
        const char *modules; /* only for these modules (words), or NULL */
        bool other_kernel;   /* brings a kernel of its own: the drivers are there after a reboot */
        const char *with;    /* a package to install beside it (headers for dkms), or NULL */
};

/* Names of packages that may have @module for the kernel @release here, the best one first. Of char **: the
 * package and what goes with it. Free with g_ptr_array_unref(). */
GPtrArray *tn_packages_candidates(const struct tn_env *env, const char *release, const char *module);
