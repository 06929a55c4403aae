/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* qemu-ga's configuration: its group in any of our files, its own file where we have none, and the way back.
 */
#include "support.h"

#include <string.h>

#include "agent/config-qga.h"

static struct tn_config *read_config(struct machine *m)
{
        struct tn_config *config = tn_config_new(&m->env, "/etc/tenon/tenond.conf", false, NULL);

        assert_non_null(config);
        return config;
}

static void test_group_general(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t)
                config = config_from(m, "[general]\nmethod=unix-listen\npath=/run/s\nlogfile=/var/log/"
                                        "x\nverbose=true\nretry-path=true\n"
                                        "block-rpcs=guest-exec,guest-file-open\nallow-rpcs=guest-"
                                        "ping\nstatedir=/run/st\ndaemon=1\n");

        (void) state;
        assert_string_equal(tn_config_get(config, "channel", "method"), "unix-listen");
        assert_string_equal(tn_config_get(config, "channel", "path"), "/run/s");
        assert_string_equal(tn_config_get(config, "log", "file"), "/var/log/x");
        assert_string_equal(tn_config_get(config, "log", "level"), "debug");
        assert_string_equal(tn_config_get(config, "policy", "block"), "guest-exec,guest-file-open");
        assert_string_equal(tn_config_get(config, "policy", "only"), "guest-ping");
        assert_string_equal(tn_config_get(config, "agent", "statedir"), "/run/st");
        assert_true(tn_config_get_bool(config, "agent", "daemonize"));
}

static void test_switches_that_are_off(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t)
                config = config_from(m, "[general]\nverbose=false\ndaemon=0\n[log]\nlevel=info\n");

        (void) state;
        assert_string_equal(tn_config_get(config, "log", "level"), "info");
        assert_false(tn_config_get_bool(config, "agent", "daemonize"));
}

/* Its lists are a policy, so a mistake beside them locks. */
static void test_mistakes(void **state)
{
        static const char *const rows[][2] = {
                {"[general]\nblock-rpc=guest-exec\n",
                 "key 'block-rpc' is unknown to qemu-ga; see man qemu-ga"},
                {"[general]\nmethod=pigeon\n", "'pigeon' is not one of virtio-serial"},
                {"[general]\nstatedir=relative\n", "'relative' is not an absolute path"},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(machine_t) m = machine_new();
                g_autoptr(tn_config_t) config = NULL;

                machine_write(m, "etc/tenon/tenond.conf", rows[i][0]);
                config = read_config(m);
                assert_contains(*tn_config_mistakes(config), "/etc/tenon/tenond.conf: group [general], ");
                assert_contains(*tn_config_mistakes(config), rows[i][1]);
                assert_string_equal(tn_config_get(config, "policy", "preset"), "locked");
        }
}

static void test_predecessors_file(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) without = NULL, with = NULL, asked = NULL;

        (void) state;
        machine_write(m, "etc/qemu/qemu-ga.conf", "[general]\nblock-rpcs=guest-exec\n");
        without = read_config(m);
        assert_string_equal(tn_config_get(without, "policy", "block"), "guest-exec");
        assert_string_equal(tn_config_origin(without, "policy", "block"), "/etc/qemu/qemu-ga.conf");
        machine_write(m, "etc/tenon/tenond.conf", "[log]\nlevel=info\n");
        with = read_config(m); /* the administrator has spoken to us */
        assert_string_equal(tn_config_get(with, "policy", "block"), "");
        machine_write(m, "etc/empty.conf", "");
        asked = tn_config_new(&m->env, "/etc/empty.conf", true, NULL); /* -c FILE means that file */
        assert_string_equal(tn_config_get(asked, "policy", "block"), "");
}

static void test_dump(void **state)
{
        g_autoptr(machine_t) m = machine_new(), back = machine_new();
        g_autoptr(tn_config_t) config = config_from(
                m,
                "[channel]\nmethod=isa-serial\npath=/dev/ttyS1\n[policy]\nblock=a,b\n[log]\nlevel=debug\n");
        g_autofree char *text = tn_config_qga_dump(config);
        g_autoptr(tn_config_t) again = config_from(back, text);

        (void) state;
        assert_true(g_str_has_prefix(text, "[general]\n"));
        assert_contains(text, "\nmethod=isa-serial\npath=/dev/ttyS1\n");
        assert_contains(text, "\nblock-rpcs=a,b\n");
        assert_contains(text, "\nallow-rpcs=\n");
        assert_contains(text, "\nretry-path=false\n");
        assert_null(strstr(text, "blacklist"));
        assert_string_equal(tn_config_get(again, "channel", "path"), "/dev/ttyS1");
        assert_string_equal(tn_config_get(again, "policy", "block"), "a,b");
        assert_string_equal(tn_config_get(again, "log", "level"), "debug");
}

/* All keys come back as they were, and the usual path where none was given. */
static void test_dump_of_all_keys(void **state)
{
        static const char all[] = "[general]\ndaemon=true\nmethod=virtio-serial\npath=/path/to/port\n"
                                  "logfile=/var/log/x\npidfile=/var/foo/qemu-ga.pid\nfsfreeze-hook=/h\n"
                                  "statedir=/var/state\nverbose=true\nretry-path=true\n"
                                  "block-rpcs=guest-ping;guest-get-time\nallow-rpcs=guest-info,guest-sync\n";
        g_autoptr(machine_t) m = machine_new(), empty = machine_new();
        g_autoptr(tn_config_t) config = config_from(m, all), usual = config_from(empty, "");
        g_autofree char *text = tn_config_qga_dump(config), *usual_text = tn_config_qga_dump(usual);

        (void) state;
        assert_string_equal(text, all);
        assert_contains(usual_text, "\npath=/dev/virtio-ports/org.qemu.guest_agent.0\n");
        assert_contains(usual_text, "\nblock-rpcs=\nallow-rpcs=\n");
}

static void test_translate_leaves_outputs_alone(void **state)
{
        const char *group = "g", *key = "k";
        char *value = (char *) "v";
        GError *error = NULL;

        (void) state;
        assert_false(tn_config_qga_translate("nonsense", "1", &group, &key, &value, &error));
        assert_error(error, TN_ERROR_INVALID, "key 'nonsense' is unknown to qemu-ga; see man qemu-ga");
        assert_string_equal(group, "g");
        assert_string_equal(key, "k");
        assert_string_equal(value, "v");
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_group_general),
                cmocka_unit_test(test_switches_that_are_off),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_predecessors_file),
                cmocka_unit_test(test_dump),
                cmocka_unit_test(test_dump_of_all_keys),
                cmocka_unit_test(test_translate_leaves_outputs_alone),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
