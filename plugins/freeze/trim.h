/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* guest-fstrim: unused blocks are given back to the host, in a child without a deadline. */
#pragma once

#include <stdint.h>

#include "tenon/plugin.h"

struct freeze_trim;

struct freeze_trim *freeze_trim_new(struct tenon_host *host);
/* Ends the child. */
void freeze_trim_free(struct freeze_trim *trim);

/* Ends @call later. The fact "trim" tells how far it is. */
void freeze_trim_start(struct freeze_trim *trim, struct tenon_call *call, uint64_t minimum);
