/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A signer for the tests: keys and signatures in minisign's format, made by libsodium. */
#pragma once

#include <glib.h>
#include <sodium.h>
#include <string.h>

#include "lib/base64.h"

struct signer {
        uint8_t id[8];
        uint8_t public_key[crypto_sign_PUBLICKEYBYTES], secret_key[crypto_sign_SECRETKEYBYTES];
};

/* The same @number is the same signer. */
static inline struct signer signer_new(uint8_t number)
{
        uint8_t seed[crypto_sign_SEEDBYTES] = {number};
        struct signer signer = {.id = {number, 2, 3, 4, 5, 6, 7, 8}};

        g_assert_true(sodium_init() >= 0);
        (void) crypto_sign_seed_keypair(signer.public_key, signer.secret_key, seed);
        return signer;
}

static inline void signing_append(GString *text, const char *kind, const uint8_t id[8], const uint8_t *bytes,
                                  size_t len)
{
        g_autoptr(GByteArray) all = g_byte_array_new();

        g_byte_array_append(all, (const uint8_t *) kind, 2);
        g_byte_array_append(all, id, 8);
        g_byte_array_append(all, bytes, (guint) len);
        tn_base64_append(text, all->data, all->len);
        g_string_append_c(text, '\n');
}

/* The .pub file. */
static inline char *signer_public(const struct signer *signer)
{
        GString *text = g_string_new("untrusted comment: a key of the tests\n");

        signing_append(text, "Ed", signer->id, signer->public_key, sizeof signer->public_key);
        return g_string_free(text, FALSE);
}

/* The .minisig file. */
static inline char *signer_sign(const struct signer *signer, const char *message, size_t len, bool hashed,
                                const char *comment)
{
        GString *text = g_string_new("untrusted comment: made by a test\n");
        g_autofree uint8_t *tied = g_malloc(crypto_sign_BYTES + strlen(comment));
        uint8_t hash[64], signature[crypto_sign_BYTES], global[crypto_sign_BYTES];

        (void) crypto_generichash(hash, sizeof hash, (const uint8_t *) message, len, NULL, 0);
        (void) crypto_sign_detached(signature, NULL, hashed ? hash : (const uint8_t *) message,
                                    hashed ? sizeof hash : len, signer->secret_key);
        memcpy(tied, signature, sizeof signature);
        memcpy(tied + sizeof signature, comment, strlen(comment));
        (void) crypto_sign_detached(global, NULL, tied, sizeof signature + strlen(comment),
                                    signer->secret_key);
        signing_append(text, hashed ? "ED" : "Ed", signer->id, signature, sizeof signature);
        g_string_append_printf(text, "trusted comment: %s\n", comment);
        tn_base64_append(text, global, sizeof global);
        return g_string_free(g_string_append_c(text, '\n'), FALSE);
}
