/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Rows of third parties, tenon-drivers.d(5). */
#pragma once

#include "pvdrivers/catalogue.h"

/* Appends the rows of all files (struct tn_pv_driver *, free with tn_rows_free_one()) to @rows, and a text
 * about each mistake to @mistakes (may be NULL). */
void tn_rows_read(const struct tn_env *env, GPtrArray *rows, GPtrArray *mistakes);
void tn_rows_free_one(void *row);
