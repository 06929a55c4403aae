/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* PackageKit on the system bus: what it knows of one package, and asking it to update it. Waits. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "update/verdict.h"

struct tn_packagekit;

/* Text of what PackageKit does, 0 to 100 %. */
typedef void (*tn_packagekit_progress)(unsigned percent, void *data);

/* @bus NULL: the system bus. @deadline_ms is for each question. NULL with @error (TN_ERROR_NOT_FOUND: there
 * is no PackageKit, and nothing is wrong with that). */
struct tn_packagekit *tn_packagekit_open(const char *bus, unsigned deadline_ms, GError **error);
void tn_packagekit_close(struct tn_packagekit *kit);
typedef struct tn_packagekit tn_packagekit_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_packagekit_t, tn_packagekit_close)

/* NULL with @error. */
struct tn_verdict *tn_packagekit_ask(struct tn_packagekit *kit, const char *package, unsigned max_age_days,
                                     GError **error);
/* Updates the package to its newest version; polkit decides whether this user may. @ret_version, g_free():
 * what it became; NULL: there was nothing newer. */
bool tn_packagekit_update(struct tn_packagekit *kit, const char *package, tn_packagekit_progress progress,
                          void *data, char **ret_version, GError **error);
