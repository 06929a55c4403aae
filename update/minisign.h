/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Signatures in minisign's format: Ed25519 over the file (Ed) or over its BLAKE2b hash (ED), and a second
 * one over the first and its trusted comment. Texts in, a judgement out; only the folders of keys are read.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/env.h"

#define TN_MINISIGN_TEXT_MAX    4096 /* bytes of a signature or a key */
#define TN_MINISIGN_COMMENT_MAX 1024
#define TN_MINISIGN_ID          17 /* 16 digits and the NUL */
#define TN_MINISIGN_KEYS_MAX    64 /* in one folder */

struct tn_minisign_key {
        uint8_t id[8];
        uint8_t key[32];
};

struct tn_minisign_signature {
        bool hashed; /* ED */
        uint8_t id[8];
        uint8_t bytes[64];
        uint8_t global[64];
        char comment[TN_MINISIGN_COMMENT_MAX + 1]; /* the trusted one */
};

/* The id as people read it, with the digits in minisign's order. */
void tn_minisign_print_id(const uint8_t id[8], char ret[TN_MINISIGN_ID]);

/* The text of a .pub file. */
bool tn_minisign_parse_key(const char *text, size_t len, struct tn_minisign_key *ret, GError **error);
/* The text of a .minisig file. */
bool tn_minisign_parse(const char *text, size_t len, struct tn_minisign_signature *ret, GError **error);

/* Reads each *.pub in the folders (relative to the root; NULL-ended; a missing one is empty). A file that is
 * no key is skipped and told in @problems, of char *. Returns struct tn_minisign_key; g_array_unref(). */
GArray *tn_minisign_read_keys(const struct tn_env *env, const char *const *folders, GPtrArray *problems);

/* Is @message signed by one of @keys? False with @error: it is not, or libsodium is not there. */
bool tn_minisign_verify(const struct tn_minisign_signature *signature, const void *message, size_t len,
                        const GArray *keys, GError **error);
