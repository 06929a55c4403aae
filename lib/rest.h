/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Letting go of what only the start needed. */
#pragma once

/* Gives free memory of the heap back, and unmaps the pages of program and libraries: see rest.c for what
 * that does and does not. For once, when the start is over. Nothing but the next touch of each page is
 * slower. */
void tn_rest(void);
