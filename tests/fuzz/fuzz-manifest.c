/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Any bytes are a manifest or an error, never both, and what was read can be judged. */
#include "tests/fuzz/fuzz.h"

#include "lib/version.h"
#include "update/manifest.h"

static void judge(const struct tn_manifest *manifest)
{
        g_autoptr(tn_verdict_t) verdict = tn_verdict_new(TN_VERDICT_MANIFEST, "manifest");
        g_autoptr(GError) error = NULL;

        g_assert_cmpuint(manifest->releases->len, >, 0);
        g_assert_cmpuint(manifest->releases->len, <=, TN_MANIFEST_ROWS_MAX);
        g_assert_cmpint(manifest->serial, >, 0);
        g_assert_true(tn_manifest_is_fresh(manifest, "stable", 1, manifest->issued, &error) ==
                      (error == NULL));
        tn_manifest_judge(manifest, "0.1.0", verdict);
        g_assert_cmpint(verdict->status, !=, TN_UPDATE_UNKNOWN);
        g_assert_true(tn_version_is_valid(verdict->candidate));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_manifest_t) manifest = tn_manifest_parse((const char *) data, size, &error);

        g_assert_true((manifest == NULL) == (error != NULL));
        if (manifest)
                judge(manifest);
        return 0;
}
