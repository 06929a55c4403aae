/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Where a file is written: its folder, opened below the root of the env, and its name in there. What is
 * written replaces a file as a whole or not at all: a new file beside it, synced, then renamed over it.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/env.h"

struct tn_place {
        int dir_fd; /* owned */
        char *name; /* of the file in it */
        char *path; /* the whole, for messages, without '/' at its head */
        bool live;  /* it is in the running system, which a boot loader starts */
};

/* Opens the folder of @path. False with @error when it is not there. A symbolic link to the folder is
 * followed inside of the root; one that is the file itself is not. */
bool tn_place_open(struct tn_place *place, const struct tn_env *env, const char *path, GError **error);
void tn_place_close(struct tn_place *place);
typedef struct tn_place tn_place_t;
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(tn_place_t, tn_place_close)

/* ".NAME.tenon-TAG": beside the file, hidden from who reads all files of a folder. Free with g_free(). */
char *tn_place_temp_name(const struct tn_place *place, const char *tag);

/* A new empty file of that name for writing, mode 0600; what was there is removed. -1 with @error. */
int tn_place_create(const struct tn_place *place, const char *name, GError **error);
bool tn_place_write_all(int fd, const void *bytes, size_t len, const char *path, GError **error);
/* Copies all of @from to @to. */
bool tn_place_copy(int from, int to, const char *path, GError **error);
/* Renames @temp over the file and makes sure that a power cut does not undo it. */
bool tn_place_rename(const struct tn_place *place, const char *temp, GError **error);
/* Removes @name, which need not be there, for good. */
bool tn_place_remove(const struct tn_place *place, const char *name, GError **error);

/* Has ext4 and XFS write their journal back into place, because GRUB reads them without replaying it: at the
 * request of Linux 5.14 where that is there, else by freezing for a moment. btrfs and FAT have no journal.
 * In a folder that stands for a machine it only syncs. */
void tn_place_settle(const struct tn_place *place);
