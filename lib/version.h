/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which of two versions is the newer one, by dpkg's rules (deb-version(7)) and by rpm's (rpm-version(7)).
 * Pure.
 */
#pragma once

#include <stdbool.h>

#define TN_VERSION_MAX 128 /* characters of a version that somebody tells us */

enum tn_version_rules {
        TN_VERSION_DPKG, /* also for versions of Tenon itself, which have no revision */
        TN_VERSION_RPM,
};

/* Less than, equal to or greater than 0, as strcmp(3). Any text has a place. */
int tn_version_compare(enum tn_version_rules rules, const char *a, const char *b);

/* Does this look like a version? A digit first, then letters, digits and .+-~^:_ up to TN_VERSION_MAX. */
bool tn_version_is_valid(const char *text);
