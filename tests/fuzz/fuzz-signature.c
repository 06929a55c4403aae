/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The first line is a signature, the rest arguments: a signature that is none is refused, and no arguments
 * crash one that is. */
#include <glib.h>
#include <string.h>

#include "agent/signature.h"
#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autofree char *text = g_strndup((const char *) data, size);
        char *rest = strchr(text, '\n');
        g_autoptr(GError) error = NULL;
        json_t *args;

        if (!rest)
                return 0;
        *rest++ = '\0';
        if (!tn_signature_valid(text))
                return 0;
        args = tn_json_parse(rest, strlen(rest), NULL);
        if (json_is_object(args))
                g_assert_true(tn_signature_check(text, args, &error) == (error == NULL));
        json_decref(args);
        return 0;
}
