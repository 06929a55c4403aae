/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Problems and remedies stay in step, whatever a plugin put on the board. */
#include "support.h"

#include "lib/problems.h"

static void test_in_step(void **state)
{
        json_t *object = json_object();

        (void) state;
        tn_problems_add(object, "mend it", "%s is broken", "x");
        tn_problems_add(object, NULL, "bytes: \xff");
        assert_json(object,
                    "{'problems': ['x is broken', 'bytes: \\uFFFD'], 'remedies': ['mend it', null]}");
}

static void assert_added(const char *fact, const char *wanted)
{
        json_auto_t *from = json_of(fact);
        json_t *object = json_object();

        tn_problems_init(object);
        tn_problems_add_all(object, from);
        assert_json(object, wanted);
}

static void test_facts_of_anybody(void **state)
{
        (void) state;
        assert_added("{'problems': ['a', 'b'], 'remedies': ['do', null]}",
                     "{'problems': ['a', 'b'], 'remedies': ['do', null]}");
        assert_added("{'problems': ['a', 'b']}", "{'problems': ['a', 'b'], 'remedies': [null, null]}");
        assert_added("{'problems': ['a', 3, 'b'], 'remedies': ['x', 'y', 'z']}",
                     "{'problems': ['a', 'b'], 'remedies': ['x', 'z']}");
        assert_added("{'problems': ['a'], 'remedies': [7, 'more']}",
                     "{'problems': ['a'], 'remedies': [null]}");
        assert_added("{'problems': 'a', 'remedies': {}}", "{'problems': [], 'remedies': []}");
        assert_added("[1]", "{'problems': [], 'remedies': []}");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_in_step),
                cmocka_unit_test(test_facts_of_anybody),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
