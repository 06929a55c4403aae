/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The part of a recording that is about kernels and their modules. */
#pragma once

#include <glib.h>
#include <stdbool.h>

#include "lib/env.h"

/* Writes below @root_fd what each kernel says of the modules of the catalogue and of @devices (struct
 * tn_device). */
bool tn_kernel_record(const struct tn_env *env, const GPtrArray *devices, int root_fd, GError **error);
