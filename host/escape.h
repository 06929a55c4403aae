/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Text of a guest made harmless for a terminal. Pure. The escapes are there to be seen, not to be decoded: a
 * backslash itself stays as it is.
 */
#pragma once

#include <stddef.h>

enum tn_escape_flags {
        TN_ESCAPE_LINES = 1, /* line ends and tabs stay */
        TN_ESCAPE_ASCII = 2, /* the terminal does not do UTF-8: all beyond ASCII is escaped */
};

/* \n \r \t, \xNN for other controls and for bytes that are no UTF-8, \uNNNN for what is invisible or turns
 * the direction of writing. Free with g_free(). */
char *tn_escape(const char *text, size_t len, unsigned flags);
