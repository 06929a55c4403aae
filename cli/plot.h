/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A small plot in a terminal, of block characters. */
#pragma once

#include <jansson.h>

/* Offsets in nanoseconds, oldest first, one each @interval_s seconds, in @columns columns. */
void tn_plot_offsets(const json_t *offsets, double interval_s, unsigned columns);
