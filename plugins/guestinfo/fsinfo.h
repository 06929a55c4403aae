/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What is remembered of the file systems between two questions. */
#pragma once

#include "lib/env.h"

struct tn_fsinfo;

/* Remembers nothing yet, and never anything where the kernel would not tell of changes (a recorded machine).
 */
struct tn_fsinfo *tn_fsinfo_new(const struct tn_env *env);
/* NULL is fine. */
void tn_fsinfo_free(struct tn_fsinfo *fsinfo);
