/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What drivers.d says, tenon-drivers.d(5): rows of third parties, and wishes of the administrator. */
#pragma once

#include "pvdrivers/catalogue.h"

struct tn_rows {
        GPtrArray *drivers; /* of struct tn_pv_driver; owned */
        GHashTable *wishes; /* module → GINT_TO_POINTER(enum tn_pv_wish) */
};

/* Reads all files. A text about each mistake goes to @mistakes (may be NULL). */
void tn_rows_read(const struct tn_env *env, struct tn_rows *ret, GPtrArray *mistakes);
void tn_rows_clear(struct tn_rows *rows);
