/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A request to set a password as the line that chpasswd(8) reads. Pure; what it makes is a secret. */
#pragma once

#include <glib.h>
#include <stdbool.h>

/* "user:password\n". White space of the base64 is ignored; anything else that is not whole base64 is
 * refused, as are an empty password and characters that would begin another line or field. Free with
 * tn_password_free(). */
bool tn_password_line(const char *username, const char *base64, char **ret_line, GError **error);

/* Wipes and frees. NULL is fine. */
void tn_password_free(char *line);

/* The beginning of what chpasswd said, as one line for an error message; NULL when it said nothing, or when
 * it repeats the password of @line. Free with g_free(). */
char *tn_password_complaint(const char *line, const char *output);
