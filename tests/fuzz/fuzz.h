/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What libFuzzer, or replay.c in its place, calls for each input; and a recorded machine for targets whose
 * parsers read files. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An empty recorded machine, in a folder of its own that is removed at the end. The same at each call. */
const struct tn_env *fuzz_root(void);
/* Makes the folders on the way, too. */
void fuzz_root_put(const char *path, const void *bytes, size_t len);
void fuzz_root_remove(const char *path);
/* Several files of one input: "== PATH\n" and the file's bytes, again and again. A path that is not in
 * @paths (NULL-ended) is left out; one that is, but not in the input, is no file of the machine. */
void fuzz_root_unpack(const uint8_t *data, size_t size, const char *const *paths);
