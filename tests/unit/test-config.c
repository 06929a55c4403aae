/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Configuration: order of files, conversions, and that every mistake names file, group, key and remedy, and
 * never opens what was to be closed. */
#include "support.h"

#include <string.h>

#define FILE_ "/etc/tenon/tenond.conf"

static struct tn_config *read_config(struct machine *m)
{
        g_autoptr(GError) error = NULL;
        struct tn_config *config = tn_config_new(&m->env, FILE_, false, &error);

        assert_non_null(config);
        return config;
}

static struct tn_config *read_text(struct machine *m, const char *text)
{
        machine_write(m, FILE_, text);
        return read_config(m);
}

static void test_nothing_there(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = read_config(m);
        GError *error = NULL;

        (void) state;
        assert_null(*tn_config_mistakes(config));
        assert_string_equal(tn_config_get(config, "policy", "preset"), "standard");
        assert_null(tn_config_origin(config, "policy", "preset"));
        assert_null(tn_config_get(config, "policy", "nothing"));
        assert_null(tn_config_get_nonempty(config, "log", "file"));
        /* -c FILE: it must be there. */
        assert_null(tn_config_new(&m->env, "/etc/none.conf", true, &error));
        assert_error(error, TN_ERROR_NOT_FOUND,
                     "configuration file: open /etc/none.conf: No such file or directory");
}

static void test_values(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = read_text(
                m,
                "# comment\r\n[limits]\r\n clients = 3 \r\n\r\n[timesync]\nwrite-rtc=OFF\n"
                "[policy]\nallow=guest-exec;guest-file-open, ,x\n[plugin acme-thing]\nanything = goes \n");
        g_auto(GStrv) list = tn_config_get_list(config, "policy", "allow");
        g_autofree char *joined = g_strjoinv("|", list);

        (void) state;
        assert_null(*tn_config_mistakes(config));
        assert_int_equal(tn_config_get_int(config, "limits", "clients"), 3);
        assert_string_equal(tn_config_get(config, "timesync", "write-rtc"), "no"); /* one spelling */
        assert_false(tn_config_get_bool(config, "timesync", "write-rtc"));
        assert_string_equal(joined, "guest-exec|guest-file-open|x");
        assert_string_equal(tn_config_get(config, "plugin acme-thing", "anything"), "goes");
        assert_string_equal(tn_config_origin(config, "limits", "clients"), FILE_);
}

static void test_words_for_yes_and_no(void **state)
{
        static const char *const yes[] = {"yes", "true", "on", "1", "Yes"}, *const no[] = {"no", "false",
                                                                                           "off", "0"};
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = read_config(m);

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(yes); i++) {
                assert_true(tn_config_override(config, "timesync", "write-rtc", yes[i], NULL));
                assert_true(tn_config_get_bool(config, "timesync", "write-rtc"));
        }
        for (size_t i = 0; i < G_N_ELEMENTS(no); i++) {
                assert_true(tn_config_override(config, "timesync", "write-rtc", no[i], NULL));
                assert_false(tn_config_get_bool(config, "timesync", "write-rtc"));
        }
        assert_false(tn_config_override(config, "timesync", "write-rtc", "", NULL));
}

static void test_drop_ins(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = NULL;
        g_autoptr(GError) error = NULL;

        (void) state;
        machine_write(m, FILE_, "[policy]\npreset=locked\n[limits]\nclients=2\n");
        machine_write(m, FILE_ ".d/20-b.conf", "[policy]\npreset=open\n");
        machine_write(m, FILE_ ".d/10-a.conf", "[policy]\npreset=standard\nblock=x\n");
        machine_write(m, FILE_ ".d/30-c.conf.bak", "[policy]\npreset=locked\n");
        config = read_config(m);
        assert_null(*tn_config_mistakes(config));
        assert_string_equal(tn_config_get(config, "policy", "preset"), "open");
        assert_string_equal(tn_config_origin(config, "policy", "preset"), FILE_ ".d/20-b.conf");
        assert_string_equal(tn_config_get(config, "policy", "block"), "x");
        assert_int_equal(tn_config_get_int(config, "limits", "clients"), 2);
        assert_true(tn_config_override(config, "policy", "preset", "locked", &error));
        assert_string_equal(tn_config_get(config, "policy", "preset"), "locked");
        assert_string_equal(tn_config_origin(config, "policy", "preset"), "command line");
}

static void test_drop_ins_alone(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = NULL;

        (void) state;
        machine_write(m, FILE_ ".d/x.conf", "[log]\nlevel=debug\n");
        config = read_config(m);
        assert_string_equal(tn_config_get(config, "log", "level"), "debug");
}

static const struct {
        const char *text, *mistake; /* how it begins */
        bool locks;                 /* it may have been about the policy */
} mistakes[] = {
        {"[limits]\nclients=many\n", "group [limits], key 'clients': 'many' is not a number from 1 to 256",
         false},
        {"[limits]\nclients=0\n", "group [limits], key 'clients': '0' is not a number from 1 to 256", false},
        {"[limits]\nclients=257\n", "group [limits], key 'clients': '257' is not a number from 1 to 256",
         false},
        {"[limits]\nclients=\n", "group [limits], key 'clients': '' is not a number from 1 to 256", false},
        {"[limits]\nclients=7 # why\n",
         "group [limits], key 'clients': '7 # why' is not a number from 1 to 256", false},
        {"[limits]\nclientz=1\n",
         "group [limits], key 'clientz' is unknown; did you mean 'clients'? (known: message-size, "
         "output-size, "
         "clients, pending-calls)",
         false},
        {"[timesync]\nwrite-rtc=maybe\n", "group [timesync], key 'write-rtc': 'maybe' is not yes or no",
         false},
        {"[log]\nfile=relative\n", "group [log], key 'file': 'relative' is not an absolute path, or empty",
         false},
        {"[log]\nzzz=1\n", "group [log], key 'zzz' is unknown (known: level, file)", false},
        {"[limit]\nclients=1\n", "group [limit], the group is unknown (known: channel, ",
         true}, /* it may have been meant to be the policy's */
        {"[policy]\npreset=opne\n",
         "group [policy], key 'preset': 'opne' is not one of standard, open, locked", true},
        {"[policy]\nbloc=guest-exec\n",
         "group [policy], key 'bloc' is unknown; did you mean 'block'? (known: preset, ", true},
        {"[policy]\nbloc=guest-exec\npreset=open\n",
         "group [policy], key 'bloc' is unknown; did you mean 'block'? (known: preset, ", true},
        {"[policy]\npreset=open\nbloc=guest-exec\n",
         "group [policy], key 'bloc' is unknown; did you mean 'block'? (known: preset, ", true},
};

static void test_mistakes(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(mistakes); i++) {
                g_autoptr(machine_t) m = machine_new();
                g_autoptr(tn_config_t) config = read_text(m, mistakes[i].text);
                g_autofree char *wanted = g_strdup_printf(FILE_ ": %s", mistakes[i].mistake);

                assert_non_null(*tn_config_mistakes(config));
                if (!g_str_has_prefix(*tn_config_mistakes(config), wanted))
                        assert_string_equal(*tn_config_mistakes(config), wanted);
                assert_null(tn_config_mistakes(config)[1]);
                assert_null(tn_config_mistakes(config)[1]); /* asked twice, still one */
                assert_string_equal(tn_config_get(config, "policy", "preset"),
                                    mistakes[i].locks ? "locked" : "standard");
                assert_int_equal(tn_config_get_int(config, "limits", "clients"), 16);
        }
}

/* A mistake in the policy locks, whatever a later file says. */
static void test_mistake_beats_later_files(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = NULL;

        (void) state;
        machine_write(m, FILE_, "[policy]\nbolck=guest-exec\n");
        machine_write(m, FILE_ ".d/10.conf", "[policy]\npreset=open\n");
        config = read_config(m);
        assert_string_equal(tn_config_get(config, "policy", "preset"), "locked");
        assert_string_equal(tn_config_origin(config, "policy", "preset"), "a mistake in the configuration");
}

/* Nothing of such a file can be trusted, and it may have held the policy: locked, with one mistake each. */
static void test_not_a_configuration(void **state)
{
        static const struct {
                const char *bytes;
                size_t len;
        } rows[] = {
                {"preset=open\n", 12},
                {"[policy\npreset=open\n", 20},
                {"[policy]\npreset\n", 16},
                {"\x7f"
                 "ELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
                 16},
                {"\0\0\0\0", 4},
                {"\xff\xfe[\0p\0", 6},
                {"{\"policy\": {\"preset\": \"open\"}}", 30},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(machine_t) m = machine_new();
                g_autoptr(tn_config_t) config = NULL;

                machine_write_len(m, FILE_, rows[i].bytes, rows[i].len);
                config = read_config(m);
                assert_non_null(*tn_config_mistakes(config));
                assert_true(g_str_has_prefix(*tn_config_mistakes(config), FILE_ ": "));
                assert_true(g_utf8_validate(*tn_config_mistakes(config), -1, NULL));
                assert_string_equal(tn_config_get(config, "policy", "preset"), "locked");
        }
}

static void test_bytes_inside_a_value(void **state)
{
        static const char latin1[] = "[log]\nfile=/v\xe9\n", nul[] = "[policy]\npreset=open\0x\n";
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = read_text(m, latin1), with_nul = NULL;

        (void) state;
        assert_contains(*tn_config_mistakes(config), FILE_ ": group [log], ");
        assert_string_equal(tn_config_get(config, "log", "file"), "");
        machine_write_len(m, FILE_, nul, sizeof nul - 1);
        with_nul = read_config(m);
        assert_non_null(*tn_config_mistakes(with_nul));
        assert_string_equal(tn_config_get(with_nul, "policy", "preset"), "locked");
}

static void test_unreadable(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = NULL;

        (void) state;
        machine_write(m, FILE_ "/is-a-folder", "");
        config = read_config(m);
        assert_contains(*tn_config_mistakes(config), "Is a directory");
        assert_string_equal(tn_config_get(config, "policy", "preset"), "locked");
}

static void test_one_mistake_leaves_the_rest(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t)
                config = read_text(m, "[limits]\nclients=x\npending-calls=9\n[log]\nlevel=info\n");

        (void) state;
        assert_non_null(*tn_config_mistakes(config));
        assert_int_equal(tn_config_get_int(config, "limits", "pending-calls"), 9);
        assert_string_equal(tn_config_get(config, "log", "level"), "info");
}

static void test_override_is_checked(void **state)
{
        g_autoptr(machine_t) m = machine_new();
        g_autoptr(tn_config_t) config = read_config(m);
        GError *error = NULL;

        (void) state;
        assert_false(tn_config_override(config, "channel", "method", "carrier-pigeon", &error));
        assert_error(error, TN_ERROR_INVALID,
                     "key 'method': 'carrier-pigeon' is not one of virtio-serial, unix-listen, isa-serial, "
                     "vsock-listen");
        assert_string_equal(tn_config_get(config, "channel", "method"), "virtio-serial");
        assert_false(tn_config_override(config, "log", "file", "rel", NULL));
        assert_true(tn_config_override(config, "log", "file", "", NULL));
        tn_config_free(NULL);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_nothing_there),
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_words_for_yes_and_no),
                cmocka_unit_test(test_drop_ins),
                cmocka_unit_test(test_drop_ins_alone),
                cmocka_unit_test(test_mistakes),
                cmocka_unit_test(test_not_a_configuration),
                cmocka_unit_test(test_mistake_beats_later_files),
                cmocka_unit_test(test_bytes_inside_a_value),
                cmocka_unit_test(test_unreadable),
                cmocka_unit_test(test_override_is_checked),
                cmocka_unit_test(test_one_mistake_leaves_the_rest),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
