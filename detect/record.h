/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Writing below a recording's own directory; nothing is followed out of it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

/* Makes and opens the directories of @path below @dir_fd, the last component too. -1 with @error. */
int tn_record_directories(int dir_fd, const char *path, GError **error);
/* A new file @name in @dir_fd. */
bool tn_record_write(int dir_fd, const char *name, const char *text, size_t len, GError **error);
