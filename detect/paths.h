/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Where each piece of evidence is and how much of it is wanted; evidence.c reads it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "detect/evidence.h"
#include "detect/filter.h"

#define TN_PATHS_SMALL 4096U
#define TN_PATHS_LARGE (256U * 1024U)

struct tn_path_row {
        const char *path;         /* "@" stands for the device tree's two places */
        tn_filter filter;         /* file to read; NULL: only existence counts */
        size_t limit;             /* bytes to read */
        const char *const *names; /* directory: names of interest, fnmatch(3) patterns, NULL-ended */
        bool link;                /* symbolic link: its target */
};

extern const struct tn_path_row tn_paths[_TN_EVIDENCE_MAX];
