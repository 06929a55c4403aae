/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What the agent says of the drivers of recorded machines, and how bad it is. */
#include "support.h"

#include "agent/driver-advice.h"
#include "detect/detect.h"
#include "detect/machine.h"
#include "pvdrivers/platform.h"

static json_t *advice_of(const char *machine)
{
        g_autofree char *folder = g_build_filename(g_getenv("TN_MACHINES"), machine, NULL);
        g_autoptr(tn_catalogue_t) catalogue = NULL;
        g_autoptr(tn_detect_t) detect = NULL;
        struct tn_env env;
        json_t *fact;

        assert_true(tn_machine_open(&env, folder, NULL));
        catalogue = tn_catalogue_new(&env, NULL);
        detect = tn_detect_run(&env);
        fact = tn_driver_advice(&env, catalogue, tn_platform_of(detect));
        tn_machine_close(&env);
        return fact;
}

/* The first piece of advice of @severity that has @words; each piece has a severity. */
static void assert_advice(const char *machine, const char *severity, const char *words)
{
        json_auto_t *fact = advice_of(machine);
        const json_t *severities = json_object_get(fact, "severities");
        bool found = false;
        json_t *text;
        size_t i;

        assert_string_equal(json_string_value(json_object_get(fact, "state")), "advice");
        assert_int_equal(json_array_size(json_object_get(fact, "advice")), json_array_size(severities));
        json_array_foreach(json_object_get(fact, "advice"), i, text)
        {
                if (strstr(json_string_value(text), words)) {
                        assert_string_equal(json_string_value(json_array_get(severities, i)), severity);
                        found = true;
                }
        }
        assert_true(found);
}

static void test_severity(void **state)
{
        (void) state;
        assert_advice("drivers-vmware-old-template", "warning", "with vmxnet3 it would be faster");
        assert_advice("drivers-cloud-kernel", "critical", "is emulated");
        assert_advice("drivers-azure", "critical", "has no driver; it needs mana");
}

static void test_nothing(void **state)
{
        json_auto_t *fact = advice_of("drivers-aws-nitro");

        (void) state;
        assert_string_equal(json_string_value(json_object_get(fact, "state")), "ok");
        assert_int_equal(json_array_size(json_object_get(fact, "advice")), 0);
        assert_int_equal(json_array_size(json_object_get(fact, "severities")), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_severity),
                cmocka_unit_test(test_nothing),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
