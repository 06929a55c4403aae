/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Errors whose codes are exit statuses, and the one way in which they are told. */
#include "host/trouble.h"

#include <stdio.h>
#include <string.h>

#include "host/print.h"

GQuark tn_trouble_quark(void)
{
        return g_quark_from_static_string("tenon-host");
}

bool tn_trouble_set(GError **error, enum tn_trouble code, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        if (error)
                *error = g_error_new_valist(TN_TROUBLE, (int) code, format, args);
        va_end(args);
        return false;
}

bool tn_trouble_errno(GError **error, enum tn_trouble code, int errnum, const char *format, ...)
{
        g_autofree char *text = NULL;
        va_list args;

        va_start(args, format);
        text = g_strdup_vprintf(format, args);
        va_end(args);
        return tn_trouble_set(error, code, "%s: %s", text, g_strerror(errnum));
}

bool tn_trouble_is_answer(const GError *error)
{
        return g_error_matches(error, TN_TROUBLE, TN_TROUBLE_GUEST);
}

int tn_trouble_report(const GError *error)
{
        g_autofree char *text = tn_print_text(error->message, strlen(error->message));

        (void) fflush(stdout);
        fprintf(stderr, "tenon-host: %s\n", text);
        return error->domain == TN_TROUBLE ? error->code : TN_TROUBLE_LOCAL;
}
