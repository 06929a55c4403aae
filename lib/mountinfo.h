/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The kernel's mount table, /proc/PID/mountinfo, as proc_pid_mountinfo(5) describes it. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>

#include "lib/env.h"

/* One line. All strings are borrowed and without escapes, but for @options. */
struct tn_mountinfo {
        int id, parent;
        dev_t device;        /* of the superblock; major 0 where it is anonymous */
        const char *root;    /* which part of the file system is mounted */
        const char *target;  /* where */
        const char *type;    /* "ext4", "fuse.sshfs" */
        const char *source;  /* "/dev/vda1", "rpool/data", "none"; may be empty */
        const char *flags;   /* of this mount: "ro,nosuid" */
        const char *options; /* the file system's own, for tn_mountinfo_option() */
};

typedef void (*tn_mountinfo_func)(const struct tn_mountinfo *mount, void *data);

/* Calls @func for each line of @file, in their order; the file is read to its end, not closed. Lines that
 * are none are left out; false with @error when there is no other, or when reading fails. */
bool tn_mountinfo_parse(FILE *file, tn_mountinfo_func func, void *data, GError **error);

/* Value of "name=value" in the options of a file system, or NULL. Free with g_free(). */
char *tn_mountinfo_option(const char *options, const char *name);

/* The machine's table and not that of our own mount namespace (the unit has ProtectSystem= and PrivateTmp=),
 * where it can be read: a descriptor, or -1 with @error. */
int tn_mountinfo_open(const struct tn_env *env, GError **error);
/* tn_mountinfo_parse() of that file. */
bool tn_mountinfo_read(const struct tn_env *env, tn_mountinfo_func func, void *data, GError **error);
