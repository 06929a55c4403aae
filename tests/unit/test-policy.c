/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Policy: what each preset lets through, how the lists change that, and that a refusal names its remedy. */
#include "support.h"

#include "agent/policy.h"

static struct tn_policy *policy_from(const char *text)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = config_from(m, text);

        return tn_policy_new(config); /* outlives the configuration */
}

static void test_presets(void **state)
{
        /* agent, info, power, time, freeze, hotplug, exec, files, accounts, watchdog */
        static const struct {
                const char *preset, *allows;
        } rows[] = {
                {"locked", "yyynnnnnnn"},
                {"standard", "yyyyynnnnn"},
                {"open", "yyyyyyyyyy"},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *text = g_strdup_printf("[policy]\npreset=%s\n", rows[i].preset);
                struct tn_policy *policy = policy_from(text);

                assert_string_equal(tn_policy_preset(policy), rows[i].preset);
                for (int category = 0; category < _TENON_CATEGORY_MAX; category++) {
                        const struct tenon_command command = {.name = "x",
                                                              .category = (enum tenon_category) category};

                        assert_int_equal(tn_policy_allows(policy, &command),
                                         rows[i].allows[category] == 'y');
                }
                tn_policy_free(policy);
        }
}

static void test_default_is_standard(void **state)
{
        struct tn_policy *policy = policy_from("");

        (void) state;
        assert_string_equal(tn_policy_preset(policy), "standard");
        assert_null(*tn_policy_allowed_names(policy));
        assert_null(*tn_policy_blocked_names(policy));
        tn_policy_free(policy);
        tn_policy_free(NULL);
}

static void test_lists(void **state)
{
        static const struct tenon_command exec = {.name = "guest-exec", .category = TENON_CATEGORY_EXEC};
        static const struct tenon_command ping = {.name = "guest-ping", .category = TENON_CATEGORY_AGENT};
        static const struct tenon_command both = {.name = "guest-both", .category = TENON_CATEGORY_EXEC};
        static const struct tenon_command other = {.name = "guest-exec-status",
                                                   .category = TENON_CATEGORY_EXEC};
        struct tn_policy *policy = policy_from(
                "[policy]\npreset=locked\nallow=guest-exec; guest-both,\nblock=guest-both , guest-ping\n");

        (void) state;
        assert_true(tn_policy_allows(policy, &exec));
        assert_false(tn_policy_allows(policy, &other)); /* whole names only */
        assert_false(tn_policy_allows(policy, &both));  /* block wins */
        assert_false(tn_policy_allows(policy, &ping));  /* by name even the agent's own */
        assert_string_equal(tn_policy_allowed_names(policy)[1], "guest-both");
        assert_string_equal(tn_policy_blocked_names(policy)[1], "guest-ping");
        tn_policy_free(policy);
}

/* qemu-ga's allow-rpcs: whoever is not on it is out, whatever the preset and allow say. */
static void test_only(void **state)
{
        static const struct tenon_command ping = {.name = "guest-ping", .category = TENON_CATEGORY_AGENT};
        static const struct tenon_command exec = {.name = "guest-exec", .category = TENON_CATEGORY_EXEC};
        static const struct tenon_command info = {.name = "guest-info", .category = TENON_CATEGORY_AGENT};
        struct tn_policy *policy = policy_from("[policy]\nonly=guest-ping,guest-exec\nallow=guest-info\n");
        struct tn_policy *blocked = policy_from("[policy]\nonly=guest-ping\nblock=guest-ping\n");
        g_autofree char *remedy = NULL;

        (void) state;
        assert_true(tn_policy_allows(policy, &ping));
        assert_true(tn_policy_allows(policy, &exec));
        assert_false(tn_policy_allows(policy, &info));
        assert_false(tn_policy_allows(blocked, &ping));
        remedy = tn_policy_explain(policy, &info);
        assert_contains(remedy, "only=");
        tn_policy_free(policy);
        tn_policy_free(blocked);
}

static void test_remedies(void **state)
{
        static const struct {
                const char *config, *name;
                enum tenon_category category;
                const char *remedy;
        } rows[] = {
                {"preset=locked", "guest-set-time", TENON_CATEGORY_TIME,
                 "preset=standard or allow=guest-set-time in [policy] of tenond.conf would allow it"},
                {"preset=standard", "guest-exec", TENON_CATEGORY_EXEC,
                 "preset=open or allow=guest-exec in [policy] of tenond.conf would allow it"},
                {"preset=open\nblock=guest-exec", "guest-exec", TENON_CATEGORY_EXEC,
                 "remove it from block= in [policy] of tenond.conf, or from --block-rpcs, to allow it"},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autofree char *text = g_strdup_printf("[policy]\n%s\n", rows[i].config);
                const struct tenon_command command = {.name = rows[i].name, .category = rows[i].category};
                struct tn_policy *policy = policy_from(text);
                g_autofree char *remedy = tn_policy_explain(policy, &command);

                assert_false(tn_policy_allows(policy, &command));
                assert_string_equal(remedy, rows[i].remedy);
                tn_policy_free(policy);
        }
}

/* The remedy is taken at its word. */
static void test_remedies_work(void **state)
{
        static const struct tenon_command command = {.name = "guest-exec", .category = TENON_CATEGORY_EXEC};
        static const char *const remedies[] = {"preset=open", "allow=guest-exec"};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(remedies); i++) {
                g_autofree char *text = g_strdup_printf("[policy]\n%s\n", remedies[i]);
                struct tn_policy *policy = policy_from(text);

                assert_true(tn_policy_allows(policy, &command));
                tn_policy_free(policy);
        }
}

static void test_categories_are_named(void **state)
{
        (void) state;
        for (int category = 0; category < _TENON_CATEGORY_MAX; category++)
                assert_non_null(tn_policy_category_name((enum tenon_category) category));
        assert_string_equal(tn_policy_category_name(TENON_CATEGORY_ACCOUNTS), "accounts");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_presets),
                cmocka_unit_test(test_default_is_standard),
                cmocka_unit_test(test_lists),
                cmocka_unit_test(test_only),
                cmocka_unit_test(test_remedies),
                cmocka_unit_test(test_remedies_work),
                cmocka_unit_test(test_categories_are_named),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
