/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Is a shared module whole? The dynamic loader maps one that was cut off (a full disk, a copy that was
 * interrupted) as if it were, and the process dies of SIGBUS when it touches what is missing. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* Looks at the file only; @path is for the error. Files that are no ELF at all pass. */
bool tn_module_check_whole(int fd, const char *path, GError **error);
