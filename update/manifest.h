/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A list of versions that somebody has signed, see tenon-manifest(5). Parsing and judging are pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/env.h"
#include "update/verdict.h"

#define TN_MANIFEST_MAX        (256 * 1024)              /* bytes */
#define TN_MANIFEST_ROWS_MAX   1024                      /* releases, and versions that are revoked */
#define TN_MANIFEST_SERIAL_MAX INT64_C(9007199254740991) /* what every JSON library can hold */

struct tn_manifest_release {
        char *version;
        bool security;
};

struct tn_manifest_revoked {
        char *version;
        char *reason; /* or NULL */
};

struct tn_manifest {
        char *channel;
        int64_t serial;
        int64_t issued, expires; /* seconds since 1970 */
        GArray *releases;        /* struct tn_manifest_release */
        GArray *revoked;         /* struct tn_manifest_revoked */
};

/* NULL with @error. */
struct tn_manifest *tn_manifest_parse(const char *text, size_t len, GError **error);
void tn_manifest_free(struct tn_manifest *manifest);
typedef struct tn_manifest tn_manifest_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_manifest_t, tn_manifest_free)

/* May it still be believed? @last_serial is the highest that was seen on this channel. False with @error. */
bool tn_manifest_is_fresh(const struct tn_manifest *manifest, const char *channel, int64_t last_serial,
                          int64_t now, GError **error);
/* What it says of the version @installed. */
void tn_manifest_judge(const struct tn_manifest *manifest, const char *installed,
                       struct tn_verdict *verdict);

/* A time as in a manifest, "2026-11-26T14:00:00Z"; seconds since 1970. */
bool tn_manifest_parse_time(const char *text, int64_t *ret);
