/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The one error domain. Inside, a GError with one of these codes; on the QGA wire, {"error": {"class",
 * "desc"}} with the class that tn_error_class() gives. An error says what was tried, on what, and what
 * the reader can do.
 */
#pragma once

#include <errno.h>
#include <glib.h>
#include <stdbool.h>

#define TN_ERROR (tn_error_quark())

enum tn_error {
        TN_ERROR_FAILED,          /* anything else; the message says what */
        TN_ERROR_INVALID,         /* the input is malformed or out of its limits */
        TN_ERROR_NOT_FOUND,       /* the thing that was named does not exist */
        TN_ERROR_COMMAND_UNKNOWN, /* no such command, or the policy does not allow it */
        TN_ERROR_UNSUPPORTED,     /* this machine or build cannot do it */
        TN_ERROR_DENIED,          /* permissions, ownership, policy */
        TN_ERROR_TIMEOUT,         /* a deadline passed */
        TN_ERROR_LIMIT,           /* one of the limits of tenond.conf(5) was reached */
        TN_ERROR_BUSY,            /* somebody else has it, or it is already under way */
        _TN_ERROR_MAX,
};

GQuark tn_error_quark(void);

/* QGA error class of @code: "CommandNotFound" or "GenericError". Static string. */
const char *tn_error_class(int code);

/* Short stable name of @code for logs and JSON ("not-found"). Static string. */
const char *tn_error_name(int code);

/* Sets @error from @errnum, "<message>: <strerror>"; always returns false, so that callers can
 * `return tn_error_errno(error, errno, "open %s", path);`. errno itself is kept. */
bool tn_error_errno(GError **error, int errnum, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* Sets @error; always returns false. */
bool tn_error_set(GError **error, enum tn_error code, const char *format, ...) G_GNUC_PRINTF(3, 4);
