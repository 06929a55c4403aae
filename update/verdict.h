/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What one source says of the installed version, and what follows from all of them. Pure. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Words of VMware's, so that hosts know them, and two of ours: managed and newer. See docs/update.md. */
enum tn_update_status {
        TN_UPDATE_UNKNOWN,     /* a source that was to be asked did not answer as it should */
        TN_UPDATE_CURRENT,     /* there is nothing newer */
        TN_UPDATE_MANAGED,     /* the distribution's newest; the host knows another one: fine */
        TN_UPDATE_NEWER,       /* newer than what the source knows */
        TN_UPDATE_OUT_OF_DATE, /* there is a newer one */
        TN_UPDATE_REVOKED,     /* this version is not to be used any more */
        TN_UPDATE_UNMANAGED,   /* no repository and nobody else has it */
        _TN_UPDATE_MAX,
};

enum tn_verdict_kind {
        TN_VERDICT_PACKAGES, /* the strongest */
        TN_VERDICT_MANIFEST,
        TN_VERDICT_HOST, /* advice only */
};

struct tn_verdict {
        enum tn_verdict_kind kind;
        enum tn_update_status status;
        const char *source; /* "apt", "packagekit", "manifest", "host", …; static */
        char *installed;    /* as this source writes it; NULL where it does not know */
        char *candidate;    /* the newest one that it knows, or NULL */
        char *verified_by;  /* what its word rests on, or NULL: on nothing */
        char *message;      /* a sentence, or NULL */
        bool security;      /* the newer one mends a hole */
};

struct tn_verdict *tn_verdict_new(enum tn_verdict_kind kind, const char *source);
void tn_verdict_free(struct tn_verdict *verdict);
typedef struct tn_verdict tn_verdict_t;
G_DEFINE_AUTOPTR_CLEANUP_FUNC(tn_verdict_t, tn_verdict_free)

/* Makes it unknown, for this reason. Returns @verdict. */
struct tn_verdict *tn_verdict_fail(struct tn_verdict *verdict, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* "current", "out-of-date", … Static. */
const char *tn_update_status_name(enum tn_update_status status);
/* TN_UPDATE_UNKNOWN when it is no such word. */
enum tn_update_status tn_update_status_parse(const char *name);
/* 0 current, 10 update, 11 security or revoked, 20 unknown. */
int tn_update_exit_status(enum tn_update_status status, bool security);

/* What the host announced, as a verdict: @version is what it wants, NULL is nothing; @revoked a NULL-ended
 * list of what it calls bad. */
struct tn_verdict *tn_verdict_of_host(const char *installed, const char *version,
                                      const char *const *revoked);

/* All of @verdicts (struct tn_verdict) together: the object that is the fact `update`. */
json_t *tn_verdict_conclude(const GPtrArray *verdicts, const char *installed, int64_t checked_at);
