/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * minisign's two files. The surprising thing: libsodium is loaded by the first signature and not linked,
 * since tenonctl has it not to do with signatures but here, and a long `tenonctl heartbeat run` should not
 * carry it.
 */
#include "update/minisign.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/error.h"
#include "lib/library.h"

#define SONAME "libsodium.so.23"

static const char untrusted[] = "untrusted comment: ", trusted[] = "trusted comment: ";

/* Bytes of the two base64 lines of a signature, and of the one of a key. */
#define SIGNATURE_BYTES (2 + 8 + 64)
#define KEY_BYTES       (2 + 8 + 32)

/* What is left of a text. */
struct lines {
        const char *text, *end;
};

/* The next line without its end; a CR before it is part of the end. */
static bool next_line(struct lines *lines, const char **ret, size_t *ret_len)
{
        const char *newline = memchr(lines->text, '\n', (size_t) (lines->end - lines->text));
        const char *end = newline ? newline : lines->end;

        if (lines->text == lines->end)
                return false;
        *ret = lines->text;
        *ret_len = (size_t) (end - lines->text);
        if (*ret_len > 0 && (*ret)[*ret_len - 1] == '\r')
                (*ret_len)--;
        lines->text = newline ? newline + 1 : lines->end;
        return true;
}

/* A line that begins with @head; the rest of it. */
static bool next_comment(struct lines *lines, const char *head, const char **ret, size_t *ret_len)
{
        size_t head_len = strlen(head);

        if (!next_line(lines, ret, ret_len) || *ret_len < head_len || memcmp(*ret, head, head_len) != 0)
                return false;
        *ret += head_len;
        *ret_len -= head_len;
        return true;
}

/* A line of base64 that is exactly @len bytes. */
static bool next_bytes(struct lines *lines, uint8_t *ret, size_t len)
{
        g_autofree uint8_t *bytes = NULL;
        const char *line;
        size_t line_len, got;

        if (!next_line(lines, &line, &line_len) || !tn_base64_decode(line, line_len, &bytes, &got, NULL) ||
            got != len)
                return false;
        memcpy(ret, bytes, len);
        return true;
}

/* Nothing but empty lines. */
static bool at_end(struct lines *lines)
{
        const char *line;
        size_t len;

        while (next_line(lines, &line, &len))
                if (len > 0)
                        return false;
        return true;
}

void tn_minisign_print_id(const uint8_t id[8], char ret[TN_MINISIGN_ID])
{
        for (size_t i = 0; i < 8; i++) /* a little-endian number */
                (void) snprintf(ret + 2 * i, 3, "%02X", id[7 - i]);
}

bool tn_minisign_parse_key(const char *text, size_t len, struct tn_minisign_key *ret, GError **error)
{
        struct lines lines = {text, text + len};
        uint8_t bytes[KEY_BYTES];
        const char *comment;
        size_t comment_len;

        if (len > TN_MINISIGN_TEXT_MAX || !next_comment(&lines, untrusted, &comment, &comment_len) ||
            !next_bytes(&lines, bytes, sizeof bytes) || !at_end(&lines) || memcmp(bytes, "Ed", 2) != 0)
                return tn_error_set(error, TN_ERROR_INVALID, "this is no public key of minisign");
        memcpy(ret->id, bytes + 2, 8);
        memcpy(ret->key, bytes + 10, 32);
        return true;
}

/* The comment is shown to people: no control characters, and text. */
static bool take_comment(const char *comment, size_t len, char *ret)
{
        if (len > TN_MINISIGN_COMMENT_MAX || !g_utf8_validate(comment, (gssize) len, NULL))
                return false;
        for (size_t i = 0; i < len; i++)
                if ((unsigned char) comment[i] < ' ' && comment[i] != '\t')
                        return false;
        memcpy(ret, comment, len);
        ret[len] = '\0';
        return true;
}

bool tn_minisign_parse(const char *text, size_t len, struct tn_minisign_signature *ret, GError **error)
{
        struct lines lines = {text, text + len};
        struct tn_minisign_signature signature = {0};
        uint8_t bytes[SIGNATURE_BYTES];
        const char *comment;
        size_t comment_len;

        if (len > TN_MINISIGN_TEXT_MAX)
                return tn_error_set(error, TN_ERROR_LIMIT, "the signature has more than %u bytes",
                                    TN_MINISIGN_TEXT_MAX);
        if (!next_comment(&lines, untrusted, &comment, &comment_len) ||
            !next_bytes(&lines, bytes, sizeof bytes) ||
            !next_comment(&lines, trusted, &comment, &comment_len) ||
            !take_comment(comment, comment_len, signature.comment) ||
            !next_bytes(&lines, signature.global, sizeof signature.global) || !at_end(&lines))
                return tn_error_set(error, TN_ERROR_INVALID, "the signature is not in minisign's format");
        if (memcmp(bytes, "ED", 2) != 0 && memcmp(bytes, "Ed", 2) != 0)
                return tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                    "the signature is of a kind that is not known here");
        signature.hashed = bytes[1] == 'D';
        memcpy(signature.id, bytes + 2, 8);
        memcpy(signature.bytes, bytes + 10, 64);
        *ret = signature;
        return true;
}

static void read_key(const struct tn_env *env, const char *path, GArray *keys, GPtrArray *problems)
{
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        struct tn_minisign_key key;
        size_t len;

        if (tn_env_read(env, path, &text, &len, &error) && tn_minisign_parse_key(text, len, &key, &error))
                g_array_append_val(keys, key);
        else
                g_ptr_array_add(problems, g_strdup_printf("/%s: %s", path, error->message));
}

GArray *tn_minisign_read_keys(const struct tn_env *env, const char *const *folders, GPtrArray *problems)
{
        GArray *keys = g_array_new(FALSE, FALSE, sizeof(struct tn_minisign_key));

        for (; *folders; folders++) {
                g_auto(GStrv) names = tn_env_list(env, *folders);
                guint max = keys->len + TN_MINISIGN_KEYS_MAX;

                for (char **name = names; name && *name && keys->len < max; name++) {
                        g_autofree char *path = g_strdup_printf("%s/%s", *folders, *name);

                        if (g_str_has_suffix(*name, ".pub"))
                                read_key(env, path, keys, problems);
                }
        }
        return keys;
}

/* The functions of libsodium that are used here. */
struct sodium {
        __typeof__(&sodium_init) init;
        __typeof__(&crypto_sign_verify_detached) verify;
        __typeof__(&crypto_generichash) hash;
};

static bool load(struct sodium *sodium, GError **error)
{
        *sodium = (struct sodium){
                (__typeof__(sodium->init)) tn_library_find(SONAME, "sodium_init"),
                (__typeof__(sodium->verify)) tn_library_find(SONAME, "crypto_sign_verify_detached"),
                (__typeof__(sodium->hash)) tn_library_find(SONAME, "crypto_generichash")};
        if (!sodium->init || !sodium->verify || !sodium->hash || sodium->init() < 0)
                return tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                    "signatures need libsodium (%s), which is not installed", SONAME);
        return true;
}

/* The signature of the file, and the one that ties the trusted comment to it. */
static bool is_good(const struct sodium *sodium, const struct tn_minisign_signature *signature,
                    const uint8_t *message, size_t len, const uint8_t *key)
{
        size_t comment_len = strlen(signature->comment);
        uint8_t hash[64], tied[sizeof signature->bytes + TN_MINISIGN_COMMENT_MAX];

        if (signature->hashed) {
                (void) sodium->hash(hash, sizeof hash, message, len, NULL, 0);
                message = hash;
                len = sizeof hash;
        }
        memcpy(tied, signature->bytes, sizeof signature->bytes);
        memcpy(tied + sizeof signature->bytes, signature->comment, comment_len);
        return sodium->verify(signature->bytes, message, len, key) == 0 &&
               sodium->verify(signature->global, tied, sizeof signature->bytes + comment_len, key) == 0;
}

bool tn_minisign_verify(const struct tn_minisign_signature *signature, const void *message, size_t len,
                        const GArray *keys, GError **error)
{
        char id[TN_MINISIGN_ID];
        struct sodium sodium;
        bool known = false;

        if (!load(&sodium, error))
                return false;
        for (guint i = 0; i < keys->len; i++) {
                const struct tn_minisign_key *key = &g_array_index(keys, struct tn_minisign_key, i);

                if (memcmp(key->id, signature->id, sizeof key->id) != 0)
                        continue;
                known = true; /* an id is no proof of who made the key: another one may have it, too */
                if (is_good(&sodium, signature, message, len, key->key))
                        return true;
        }
        tn_minisign_print_id(signature->id, id);
        if (!known)
                return tn_error_set(error, TN_ERROR_DENIED,
                                    "it is signed by the key %s, which is not trusted here", id);
        return tn_error_set(error, TN_ERROR_DENIED,
                            "the signature of the key %s is wrong: the file was changed, or is not whole",
                            id);
}
