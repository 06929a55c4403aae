/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Error domain: one table binds each code to its name and to its class on the QGA wire. errno values
 * become a code here and nowhere else, so ENOENT is "not-found" whoever met it.
 */
#include "lib/error.h"

#include <stdarg.h>

static const struct {
        const char *name;
        const char *class;
} codes[_TN_ERROR_MAX] = {
        [TN_ERROR_FAILED] = {"failed", "GenericError"},
        [TN_ERROR_INVALID] = {"invalid", "GenericError"},
        [TN_ERROR_NOT_FOUND] = {"not-found", "GenericError"},
        [TN_ERROR_COMMAND_UNKNOWN] = {"command-not-found", "CommandNotFound"},
        [TN_ERROR_UNSUPPORTED] = {"unsupported", "GenericError"},
        [TN_ERROR_DENIED] = {"denied", "GenericError"},
        [TN_ERROR_TIMEOUT] = {"timeout", "GenericError"},
        [TN_ERROR_LIMIT] = {"limit", "GenericError"},
        [TN_ERROR_BUSY] = {"busy", "GenericError"},
};

/* Copied by GLib, unlike G_DEFINE_QUARK's: each plugin has this function, and one that is unloaded takes its
 * strings along. */
GQuark tn_error_quark(void)
{
        static GQuark quark;

        if (!quark)
                quark = g_quark_from_string("tenon-error-quark");
        return quark;
}

static enum tn_error code_from_errno(int errnum)
{
        switch (errnum) {
        case ENOENT:
        case ENODEV:
        case ENXIO:
        case ESRCH:
                return TN_ERROR_NOT_FOUND;
        case EINVAL:
        case ERANGE:
        case ENAMETOOLONG:
                return TN_ERROR_INVALID;
        case EPERM:
        case EACCES:
        case EROFS:
        case ELOOP:
                return TN_ERROR_DENIED;
        case ENOSYS:
        case EOPNOTSUPP:
        case ENOTTY:
                return TN_ERROR_UNSUPPORTED;
        case ETIMEDOUT:
                return TN_ERROR_TIMEOUT;
        case EBUSY:
        case EAGAIN:
                return TN_ERROR_BUSY;
        case E2BIG:
        case EFBIG:
        case EMFILE:
        case ENFILE:
        case ENOSPC:
                return TN_ERROR_LIMIT;
        default:
                return TN_ERROR_FAILED;
        }
}

const char *tn_error_class(int code)
{
        return code >= 0 && code < _TN_ERROR_MAX ? codes[code].class : "GenericError";
}

const char *tn_error_name(int code)
{
        return code >= 0 && code < _TN_ERROR_MAX ? codes[code].name : "failed";
}

bool tn_error_errno(GError **error, int errnum, const char *format, ...)
{
        g_autofree char *what = NULL;
        va_list args;

        if (!error) /* many a file is looked for that most machines do not have */
                return errno = errnum, false;
        va_start(args, format);
        what = g_strdup_vprintf(format, args);
        va_end(args);
        g_set_error(error, TN_ERROR, (int) code_from_errno(errnum), "%s: %s", what, g_strerror(errnum));
        errno = errnum;
        return false;
}

bool tn_error_set(GError **error, enum tn_error code, const char *format, ...)
{
        g_autofree char *what = NULL;
        va_list args;

        if (!error)
                return false;
        va_start(args, format);
        what = g_strdup_vprintf(format, args);
        va_end(args);
        g_set_error_literal(error, TN_ERROR, (int) code, what);
        return false;
}
