/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Errors of tenon-host. The surprising thing: a domain of its own beside lib/error.h, because here an error
 * has one reader, the shell, and one question to answer: whose fault was it. Its codes are the exit
 * statuses.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define TN_TROUBLE (tn_trouble_quark())

enum tn_trouble {
        TN_TROUBLE_GUEST = 1,     /* the guest answered, with an error; its text is the guest's */
        TN_TROUBLE_LOCAL = 2,     /* wrong usage, or something on this host */
        TN_TROUBLE_LINK = 3,      /* no connection, or what came over it is no answer */
        TN_TROUBLE_TIMEOUT = 124, /* as timeout(1) has it */
};

GQuark tn_trouble_quark(void);
/* Sets @error; always returns false. */
bool tn_trouble_set(GError **error, enum tn_trouble code, const char *format, ...) G_GNUC_PRINTF(3, 4);
/* The same, ": " and the text of @errnum added. */
bool tn_trouble_errno(GError **error, enum tn_trouble code, int errnum, const char *format, ...)
        G_GNUC_PRINTF(4, 5);
/* Is it the guest's answer, after which the connection is as good as before? */
bool tn_trouble_is_answer(const GError *error);
/* Prints "tenon-host: …" on standard error, escaped, and returns the exit status. */
int tn_trouble_report(const GError *error);
