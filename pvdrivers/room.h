/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Is there room for what is going to be written, and may it be written at all? Asked before anything is
 * touched. Needs of folders on the same file system add up.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/env.h"

struct tn_room;

struct tn_room *tn_room_new(const struct tn_env *env);
void tn_room_free(struct tn_room *room);
typedef struct tn_room tn_room_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_room_t, tn_room_free)

/* @bytes in @files new files below the folder of @path, which need not be there yet, for @what ("a new
 * image"). */
void tn_room_need(struct tn_room *room, const char *path, uint64_t bytes, unsigned files, const char *what);
/* False with @error when a file system is read-only or too full: what needs how much, what there is, where.
 */
bool tn_room_check(struct tn_room *room, GError **error);
/* Size of the file at @path; 0 when it is not there. */
uint64_t tn_room_size(const struct tn_env *env, const char *path);
