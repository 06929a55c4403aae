/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Any bytes are a configuration, with mistakes or without; each setting of it can be asked, and a mistake in
 * [policy] locks. The file of qemu-ga is one, too. */
#include <string.h>

#include "agent/config-qga.h"
#include "agent/config.h"
#include "agent/policy.h"
#include "tests/fuzz/fuzz.h"

static void ask(const struct tn_config *config, const char *group, const struct tn_config_key *row,
                void *data)
{
        const char *value = tn_config_get(config, group, row->key);

        g_assert_nonnull(value);
        g_assert_true(g_utf8_validate(value, -1, NULL));
        (void) tn_config_origin(config, group, row->key);
        (*(unsigned *) data)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        static const char *const paths[] = {"etc/tenon/tenond.conf", "etc/tenon/tenond.conf.d/a.conf",
                                            "etc/qemu/qemu-ga.conf", NULL};
        g_autoptr(tn_config_t) config = NULL;
        g_autofree char *dump = NULL;
        g_auto(GStrv) checks = NULL;
        struct tn_policy *policy;
        const char *const *mistakes;
        unsigned settings = 0;

        fuzz_root_unpack(data, size, paths);
        config = tn_config_new(fuzz_root(), "/etc/tenon/tenond.conf", false, NULL);
        g_assert_nonnull(config);
        tn_config_foreach(config, ask, &settings);
        g_assert_cmpuint(settings, >, 0);
        mistakes = tn_config_mistakes(config);
        policy = tn_policy_new(config);
        for (size_t i = 0; mistakes[i]; i++)
                if (g_pattern_match_simple("/etc/*.conf: group [policy], *", mistakes[i]))
                        g_assert_cmpstr(tn_policy_preset(policy), ==, "locked");
        checks = tn_config_names(config, "check");
        dump = tn_config_qga_dump(config);
        tn_policy_free(policy);
        return 0;
}
