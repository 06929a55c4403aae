/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Who can open a LUKS2 volume without a passphrase: the tokens in its header. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define TN_LUKS_HEADER_MAX (4U << 20) /* bytes: the largest header that cryptsetup makes */

struct tn_luks {
        unsigned keyslots;
        unsigned bound;    /* keyslots that a token opens */
        GPtrArray *tokens; /* char *: types, "systemd-tpm2", "clevis" */
};

/* The first bytes of a device or file. False: no LUKS2 header, or a damaged one. Clear with tn_luks_clear().
 */
bool tn_luks_parse(const void *bytes, size_t len, struct tn_luks *ret);
void tn_luks_clear(struct tn_luks *luks);
