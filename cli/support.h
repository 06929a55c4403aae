/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl support: its parts. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#include "cli/mask.h"
#include "lib/env.h"
#include "pvdrivers/progress.h"

/* The folder that becomes the tarball, and what is told of it. */
struct tn_support {
        const struct tn_env *env;
        char *stage;  /* a folder of our own beside the output */
        char *folder; /* in it: what goes in */
        char *name;   /* the folder's last component */
        struct tn_mask *mask;
        struct tn_progress *progress;
        json_t *contents; /* array of {"name", "what", "size"} */
        json_t *missing;  /* array of {"name", "why"} */
};

/* Makes the folders beside @output. */
bool tn_support_init(struct tn_support *support, const struct tn_env *env, const char *output,
                     struct tn_progress *progress, GError **error);
/* Removes them. */
void tn_support_deinit(struct tn_support *support);

/* Collects all there is; what cannot be had is noted in "missing". False with @error: it cannot be written,
 * or a signal came. */
#define TN_SUPPORT_STEPS 13
bool tn_support_collect(struct tn_support *support, GError **error);
/* Makes @output, which must not exist, of the folder: whole, and for its owner only. */
bool tn_support_pack(struct tn_support *support, const char *output, GError **error);

/* One more file, masked. */
bool tn_support_add(struct tn_support *support, const char *name, const char *what, const char *text,
                    GError **error);
/* The signal that came, or 0. */
int tn_support_signal(void);
