/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The board of facts: ownership, change signals, and that no change is no signal. */
#include "support.h"

#include "agent/facts.h"

struct news {
        unsigned count;
        GString *text;
};

static void on_fact(const char *name, const json_t *value, void *data)
{
        struct news *news = data;
        char *line = value ? json_dumps(value, JSON_ENCODE_ANY) : NULL;

        news->count++;
        g_string_append_printf(news->text, "%s=%s;", name, line ? line : "gone");
        free(line);
}

static void test_set_and_get(void **state)
{
        struct tn_facts *facts = tn_facts_new();
        GError *error = NULL;

        (void) state;
        assert_null(tn_facts_get(facts, "os"));
        assert_true(tn_facts_set(facts, "guestinfo", "os", json_of("{'id': 'debian'}"), &error));
        assert_json(json_incref(tn_facts_get(facts, "os")), "{'id': 'debian'}");
        assert_true(tn_facts_set(facts, "guestinfo", "os", json_of("7"), &error));
        assert_true(tn_facts_set(facts, "power", "a", json_of("true"), &error));
        assert_json(tn_facts_to_json(facts), "{'a': true, 'os': 7}");
        assert_true(tn_facts_set(facts, "guestinfo", "os", NULL, &error));
        assert_null(tn_facts_get(facts, "os"));
        assert_true(tn_facts_set(facts, "guestinfo", "never-there", NULL, &error));
        tn_facts_free(facts);
        tn_facts_free(NULL);
}

static void test_owner(void **state)
{
        struct tn_facts *facts = tn_facts_new();
        GError *error = NULL;

        (void) state;
        assert_true(tn_facts_set(facts, "guestinfo", "os", json_of("1"), &error));
        assert_false(tn_facts_set(facts, "intruder", "os", json_of("2"), &error));
        assert_error(error, TN_ERROR_DENIED, "fact 'os' belongs to guestinfo, not to intruder");
        assert_false(tn_facts_set(facts, "intruder", "os", NULL, NULL));
        assert_json(json_incref(tn_facts_get(facts, "os")), "1");
        assert_true(tn_facts_set(facts, "guestinfo", "os", NULL, &error));
        assert_true(tn_facts_set(facts, "intruder", "os", json_of("2"), &error)); /* free again */
        tn_facts_free(facts);
}

static void test_news(void **state)
{
        struct tn_facts *facts = tn_facts_new();
        struct news first = {.text = g_string_new(NULL)}, second = {.text = g_string_new(NULL)};

        (void) state;
        tn_facts_subscribe(facts, on_fact, &first);
        tn_facts_subscribe(facts, on_fact, &second);
        tn_facts_set(facts, "x", "n", json_of("1"), NULL);
        tn_facts_set(facts, "x", "n", json_of("1"), NULL); /* no change */
        tn_facts_set(facts, "y", "n", json_of("3"), NULL); /* refused */
        tn_facts_set(facts, "x", "n", json_of("2"), NULL);
        tn_facts_set(facts, "x", "n", NULL, NULL);
        tn_facts_set(facts, "x", "n", NULL, NULL); /* was not there */
        assert_string_equal(first.text->str, "n=1;n=2;n=gone;");
        assert_string_equal(second.text->str, first.text->str);
        tn_facts_free(facts);
        g_string_free(first.text, TRUE);
        g_string_free(second.text, TRUE);
}

static void test_drop_owner(void **state)
{
        struct tn_facts *facts = tn_facts_new();
        struct news news = {.text = g_string_new(NULL)};

        (void) state;
        for (const char *const *name = (const char *const[]){"c", "a", "b", NULL}; *name; name++)
                tn_facts_set(facts, "plugin", *name, json_of("1"), NULL);
        tn_facts_set(facts, "other", "d", json_of("1"), NULL);
        tn_facts_subscribe(facts, on_fact, &news);
        tn_facts_drop_owner(facts, "plugin");
        assert_string_equal(news.text->str, "a=gone;b=gone;c=gone;");
        assert_json(tn_facts_to_json(facts), "{'d': 1}");
        tn_facts_drop_owner(facts, "nobody");
        tn_facts_free(facts);
        g_string_free(news.text, TRUE);
}

/* A name that was computed, and is gone after the call. */
static void test_names_are_copied(void **state)
{
        struct tn_facts *facts = tn_facts_new();
        char name[] = "temporary", owner[] = "plugin";

        (void) state;
        tn_facts_set(facts, owner, name, json_of("1"), NULL);
        name[0] = owner[0] = 'X';
        assert_non_null(tn_facts_get(facts, "temporary"));
        assert_true(tn_facts_set(facts, "plugin", "temporary", json_of("2"), NULL));
        tn_facts_free(facts);
}

static void test_unsubscribe(void **state)
{
        struct tn_facts *facts = tn_facts_new();
        struct news first = {.text = g_string_new(NULL)}, second = {.text = g_string_new(NULL)};

        (void) state;
        tn_facts_subscribe(facts, on_fact, &first);
        tn_facts_subscribe(facts, on_fact, &second);
        tn_facts_unsubscribe(facts, on_fact, &first);
        tn_facts_unsubscribe(facts, on_fact, &first); /* is not there any more */
        assert_true(tn_facts_set(facts, "x", "n", json_of("1"), NULL));
        assert_int_equal(first.count, 0);
        assert_int_equal(second.count, 1);
        g_string_free(first.text, TRUE);
        g_string_free(second.text, TRUE);
        tn_facts_free(facts);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_set_and_get),
                cmocka_unit_test(test_owner),
                cmocka_unit_test(test_news),
                cmocka_unit_test(test_drop_owner),
                cmocka_unit_test(test_names_are_copied),
                cmocka_unit_test(test_unsubscribe),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
