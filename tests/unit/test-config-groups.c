/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Groups with a name of the administrator's: judged as a whole, over all files; none is used half. */
#include "support.h"

#include <string.h>

#define CONF "/etc/tenon/tenond.conf"

static struct tn_config *read_two(struct machine *m, const char *text, const char *drop_in)
{
        struct tn_config *config;

        machine_write(m, "etc/tenon/tenond.conf", text);
        if (drop_in)
                machine_write(m, "etc/tenon/tenond.conf.d/x.conf", drop_in);
        config = tn_config_new(&m->env, CONF, true, NULL);
        assert_non_null(config);
        return config;
}

static void test_good_groups(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = read_two(m,
                                                 "[check root]\ntype=filesystem\nrequired=1\n"
                                                 "[check db]\ntype=unit\nunit=db.service\n"
                                                 "[check b.c_d-1]\ntype=io-pressure\nwarning=0\n",
                                                 NULL);
        g_auto(GStrv) names = tn_config_names(config, "check");
        g_autofree char *list = g_strjoinv(" ", names);

        (void) state;
        assert_null(tn_config_mistakes(config)[0]);
        assert_string_equal(list, "b.c_d-1 db root");
        assert_string_equal(tn_config_get(config, "check root", "required"), "yes");
        assert_string_equal(tn_config_get(config, "check root", "path"), "/");
        assert_string_equal(tn_config_get(config, "check root", "warning"), "90");
        assert_string_equal(tn_config_get(config, "check b.c_d-1", "critical"), "80");
        assert_null(tn_config_get(config, "check db", "path"));
        assert_string_equal(tn_config_origin(config, "check db", "unit"), CONF);
        assert_null(tn_config_origin(config, "check db", "interval-ms"));
}

/* The type may stand in one file and the limits in another one; the later file wins. */
static void test_over_two_files(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = read_two(m, "[check l]\nwarning=5000\ncritical=200\n",
                                                 "[check l]\ntype=load\ncritical=6000\n");

        (void) state;
        assert_null(tn_config_mistakes(config)[0]);
        assert_string_equal(tn_config_get(config, "check l", "warning"), "5000");
        assert_string_equal(tn_config_get(config, "check l", "critical"), "6000");
}

/* Each mistake, the words that must be in its sentence; the group is then not there at all. */
static const struct {
        const char *text, *said;
} mistakes[] = {
        {"[check x]\n", "[check x], key 'type' is missing; it is one of loop, memory-pressure"},
        {"[check x]\ntype=\n", "key 'type' is missing"},
        {"[check x]\ntype=disk\n", "[check x], key 'type': 'disk' is not one of loop"},
        {"[check x]\ntype=unit\n", "[check x], key 'unit' is missing; type=unit needs it"},
        {"[check x]\ntype=unit\nunit=\n", "key 'unit' is missing"},
        {"[check x]\ntype=script\npath=rel\n", "key 'path': 'rel' is not an absolute path"},
        {"[check x]\ntype=load\npath=/\n", "[check x], key 'path' is not for type=load; remove it"},
        {"[check x]\ntype=unit\nunit=a.service\nwarning=3\n", "key 'warning' is not for type=unit"},
        {"[check x]\ntype=filesystem\nwarning=101\n", "key 'warning': '101' is not a number from 0 to 100"},
        {"[check x]\ntype=filesystem\nwarning=95\ncritical=94\n",
         "key 'critical': 94 is below warning=95; change one of them"},
        {"[check x]\ntype=memory-available\nwarning=5\ncritical=6\n",
         "key 'critical': 6 is above warning=5; change one of them"},
        {"[check x]\ntype=loop\nwarning=20000\n", "key 'critical': 10000 is below warning=20000"},
        {"[check x]\ntype=loop\nwaning=1\n", "key 'waning' is unknown (known: type, enabled"},
        {"[check x]\ntype=loop\ninterval-ms=5\n", "key 'interval-ms': '5' is not a number from 1000"},
        {"[check x]\ntype=loop\nrequired=perhaps\n", "key 'required': 'perhaps' is not yes or no"},
        {"[check a b]\ntype=loop\n", "[check a b], its name is not 1 to 63 characters"},
        {"[check a/b]\ntype=loop\n", "[check a/b], its name is not 1 to 63 characters"},
};

static void test_mistakes(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
                g_autoptr(machine_t) m = machine_new();
                g_autoptr(tn_config_t) config = read_two(m, mistakes[i].text, "[check good]\ntype=load\n");
                g_auto(GStrv) names = tn_config_names(config, "check");
                const char *said = tn_config_mistakes(config)[0];

                assert_contains(said, mistakes[i].said);
                assert_true(g_str_has_prefix(said, CONF ": group [check "));
                assert_null(tn_config_mistakes(config)[1]);
                assert_string_equal(names[0], "good");
                assert_null(names[1]);
                /* A check has nothing to do with what the host may ask, but a watchdog is not fed without.
                 */
                assert_string_equal(tn_config_get(config, "policy", "preset"), "standard");
                assert_string_equal(tn_config_get(config, "watchdog", "mode"), "refused");
        }
}

/* All mistakes of a group are told at once, each with the file in which it is. */
static void test_several_mistakes(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t)
                config = read_two(m, "[check x]\ntype=load\npath=/\n", "[check x]\nin-a-row=0\n");
        const char *const *said = tn_config_mistakes(config);

        (void) state;
        assert_contains(said[0], "x.conf: group [check x], key 'in-a-row'");
        assert_contains(said[1], CONF ": group [check x], key 'path'");
        assert_null(said[2]);
}

struct count {
        unsigned rows, named;
};

static void count_row(const struct tn_config *config, const char *group, const struct tn_config_key *row,
                      void *data)
{
        struct count *count = data;

        assert_non_null(tn_config_get(config, group, row->key));
        count->rows++;
        count->named += g_str_equal(group, "check u");
        assert_false(g_str_has_suffix(group, TN_CONFIG_NAMED));
}

static void test_foreach(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) none = read_two(m, "", NULL), one = NULL;
        struct count before = {0}, after = {0};

        (void) state;
        tn_config_foreach(none, count_row, &before);
        one = read_two(m, "[check u]\ntype=unit\nunit=a.service\n[check bad]\n", NULL);
        tn_config_foreach(one, count_row, &after);
        assert_int_equal(before.named, 0);
        assert_int_equal(after.named, 6); /* five of all types, and unit */
        assert_int_equal(after.rows, before.rows + 6);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_good_groups), cmocka_unit_test(test_over_two_files),
                cmocka_unit_test(test_mistakes),    cmocka_unit_test(test_several_mistakes),
                cmocka_unit_test(test_foreach),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
