/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Passwords. The surprising thing: base64 that is cut short is an error here. The QEMU guest agent decodes
 * it to nothing, and so would set an empty password.
 */
#define _GNU_SOURCE
#include "plugins/accounts/password.h"

#include <string.h>

#include "lib/error.h"

#define COMPLAINT_MAX 200 /* bytes */

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* Wipes and frees. */
static void free_secret(char *secret, size_t len)
{
        if (secret)
                explicit_bzero(secret, len);
        g_free(secret);
}

/* @base64 without the newlines that Proxmox VE puts into it. */
static char *without_newlines(const char *base64)
{
        char *packed = g_malloc(strlen(base64) + 1), *end = packed;

        for (; *base64; base64++)
                if (*base64 != '\n')
                        *end++ = *base64;
        *end = '\0';
        return packed;
}

/* Groups of four, and '=' only at the end. */
static bool is_base64(const char *text)
{
        size_t len = strlen(text), digits = strspn(text, alphabet), padding = strspn(text + digits, "=");

        return digits + padding == len && padding <= 2 && len % 4 == 0;
}

/* NUL-terminated; a NUL inside shows by strlen(). */
static char *decode(const char *base64, size_t *ret_len, GError **error)
{
        char *packed = without_newlines(base64), *password = NULL;
        size_t size = strlen(packed);

        if (is_base64(packed)) {
                gsize len;
                char *raw = (char *) g_base64_decode(packed, &len);

                password = g_strndup("", len); /* len + 1 zero bytes */
                memcpy(password, raw, len);
                free_secret(raw, len);
                *ret_len = len;
        } else {
                (void) tn_error_set(error, TN_ERROR_INVALID,
                                    "Base64 data contains invalid characters, or is cut short");
        }
        free_secret(packed, size);
        return password;
}

bool tn_password_line(const char *username, const char *base64, char **ret_line, GError **error)
{
        size_t len = 0;
        char *password = decode(base64, &len, error);
        bool ok = false;

        if (!password)
                return false;
        if (strlen(password) != len || strchr(password, '\n'))
                (void) tn_error_set(error, TN_ERROR_INVALID, "forbidden characters in raw password");
        else if (len == 0)
                (void) tn_error_set(error, TN_ERROR_INVALID,
                                    "the password is empty; an account without password is not made here");
        else if (*username == '\0' || strpbrk(username, "\n:"))
                (void) tn_error_set(error, TN_ERROR_INVALID, "forbidden characters in username");
        else
                ok = true;
        if (ok)
                *ret_line = g_strconcat(username, ":", password, "\n", NULL);
        free_secret(password, len);
        return ok;
}

void tn_password_free(char *line)
{
        free_secret(line, line ? strlen(line) : 0);
}

char *tn_password_complaint(const char *line, const char *output)
{
        const char *colon = strchr(line, ':');
        g_autofree char *complaint = g_strndup(output, COMPLAINT_MAX);
        char *password = g_strndup(colon + 1, strcspn(colon + 1, "\n"));
        bool repeats = strstr(output, password) != NULL;

        tn_password_free(password);
        g_strdelimit(g_strstrip(complaint), "\n", ' ');
        return *complaint && !repeats ? g_steal_pointer(&complaint) : NULL;
}
