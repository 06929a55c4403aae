/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Reads drivers.d. */
#include "pvdrivers/rows.h"

void tn_rows_free_one(void *row)
{
        g_free(row);
}

void tn_rows_read(const struct tn_env *env, GPtrArray *rows, GPtrArray *mistakes)
{
        (void) env;
        (void) rows;
        (void) mistakes;
}
