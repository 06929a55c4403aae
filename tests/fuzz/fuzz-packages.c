/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What a package manager prints is an answer or an error; versions in an answer are versions. */
#include "tests/fuzz/fuzz.h"

#include "lib/version.h"
#include "update/answer.h"

static void check(const struct tn_update_answer *answer)
{
        g_assert_true(!answer->installed || tn_version_is_valid(answer->installed));
        g_assert_true(!answer->candidate || tn_version_is_valid(answer->candidate));
        g_assert_true(!answer->newer || (answer->installed && answer->candidate));
        if (answer->installed && answer->candidate)
                g_assert_cmpint(tn_version_compare(TN_VERSION_RPM, answer->installed, answer->candidate), ==,
                                -tn_version_compare(TN_VERSION_RPM, answer->candidate, answer->installed));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const tn_update_answer_func parsers[] = {tn_update_answer_apt, tn_update_answer_dnf,
                                                        tn_update_answer_zypper, tn_update_answer_apk};
        g_autofree char *text = g_strndup((const char *) data, size);

        for (size_t i = 0; i < G_N_ELEMENTS(parsers); i++) {
                g_auto(tn_update_answer_t) answer = {0};
                g_autoptr(GError) error = NULL;

                g_assert_true(parsers[i](text, "tenon", &answer, &error) == (error == NULL));
                check(&answer);
        }
        return 0;
}
