/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Argument signatures: what a command declares about its arguments, and the check of a request against it
 * with the error texts that QGA clients know.
 *
 *   signature = [ member { "," member } ]
 *   member    = name ":" type [ "?" ]                     "?": may be absent
 *   type      = "int" | "str" | "bool" | "number" | "any"
 *             | "[" type "]"                              array
 *             | "{" signature "}"                         object
 *             | "<" type { "|" type } ">"                 one of several
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* Checks that @signature itself is well formed (plugins are asked once, at load). */
bool tn_signature_valid(const char *signature);

/* Checks @args, an object, against @signature. Unexpected, missing and ill-typed members are errors that
 * name the member with its path ("vcpus[0].online"). */
bool tn_signature_check(const char *signature, json_t *args, GError **error);
