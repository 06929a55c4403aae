/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* drivers.d: good rows, wishes, and each mistake with its words. */
#define _GNU_SOURCE /* nftw */
#include "detect/test-folder.h"

#include "lib/env.h"
#include "lib/names.h"
#include "pvdrivers/catalogue.h"

#define FOLDER (TN_PATH_DRIVERS_D + 1)

struct bench {
        char *root;
        struct tn_env env;
        struct tn_catalogue *catalogue;
        GPtrArray *mistakes;
};

static int set_up(void **state)
{
        struct bench *bench = g_new0(struct bench, 1);

        bench->root = folder_new();
        assert_true(tn_env_init_root(&bench->env, bench->root, NULL));
        bench->mistakes = g_ptr_array_new_with_free_func(g_free);
        *state = bench;
        return 0;
}

static int tear_down(void **state)
{
        struct bench *bench = *state;

        tn_catalogue_free(bench->catalogue);
        g_ptr_array_unref(bench->mistakes);
        tn_env_deinit(&bench->env);
        folder_free(bench->root);
        g_free(bench);
        return 0;
}

static void put(struct bench *bench, const char *name, const char *text)
{
        g_autofree char *path = g_strdup_printf("%s/%s", FOLDER, name);

        folder_put(bench->root, path, text);
}

static struct tn_catalogue *look(struct bench *bench)
{
        tn_catalogue_free(bench->catalogue);
        g_ptr_array_set_size(bench->mistakes, 0);
        bench->catalogue = tn_catalogue_new(&bench->env, bench->mistakes);
        return bench->catalogue;
}

/* One file a.conf with @text: one mistake, with this end after the file's name. */
static void assert_mistake(struct bench *bench, const char *text, const char *words)
{
        g_autofree char *expected = g_strdup_printf("/%s/a.conf: %s", FOLDER, words);

        put(bench, "a.conf", text);
        (void) look(bench);
        if (bench->mistakes->len == 0)
                fail_msg("no mistake in: %s", text);
        assert_string_equal(bench->mistakes->pdata[0], expected);
        assert_int_equal(bench->mistakes->len, 1);
}

#define ROW "[acme_net]\nrole=network\nmatch=pci:v0000ACE1d*sv*sd*bc*sc*i*\n"

static void test_row(void **state)
{
        struct bench *bench = *state;
        const struct tn_pv_driver *row;

        put(bench, "acme.conf",
            "[acme-net]\nrole=network\nplatforms= kvm  xen\nmatch=pci:v0000ACE1d*  virtio:d00000001v*\n"
            "config=CONFIG_ACME\nboot=yes\nreplaces=e1000 ne2k-pci\nneeds=virtio_pci\nreason=so  it is\n");
        row = tn_catalogue_at(look(bench), 0);
        assert_int_equal(bench->mistakes->len, 0);
        assert_string_equal(row->module, "acme_net");
        assert_int_equal(row->role, TN_PV_NETWORK);
        assert_int_equal(row->platforms, TN_PV_ON(TN_PV_KVM) | TN_PV_ON(TN_PV_XEN));
        assert_string_equal(row->match, "pci:v0000ACE1d* virtio:d00000001v*");
        assert_string_equal(row->config, "CONFIG_ACME");
        assert_int_equal(row->flags, TN_PV_BOOT);
        assert_string_equal(row->replaces, "e1000 ne2k_pci");
        assert_string_equal(row->needs, "virtio_pci");
        assert_string_equal(row->reason, "so it is");
        assert_true(g_str_has_suffix(row->file, "drivers.d/acme.conf"));
        /* It stands before our own row. */
        assert_string_equal(tn_catalogue_match(bench->catalogue, "virtio:d00000001v00001AF4")->module,
                            "acme_net");
        assert_non_null(tn_catalogue_find_module(bench->catalogue, "virtio_net"));
}

static void test_defaults(void **state)
{
        struct bench *bench = *state;
        const struct tn_pv_driver *row;

        put(bench, "a.conf", "[acme]\nrole=clock\nexplicit=yes\nboot=no\n");
        row = tn_catalogue_at(look(bench), 0);
        assert_int_equal(bench->mistakes->len, 0);
        assert_int_equal(row->platforms, TN_PV_ON(_TN_PV_PLATFORM_MAX) - 1);
        assert_int_equal(row->flags, TN_PV_EXPLICIT);
        assert_null(row->match);
        assert_null(row->config);
}

static void test_wishes(void **state)
{
        struct bench *bench = *state;

        put(bench, "a.conf", "[softdog]\nload=yes\n[ptp-kvm]\nload=no\n[xen_wdt]\nload=auto\n");
        put(bench, "b.conf", ROW "load=no\n");
        put(bench, "c.txt", "[i6300esb]\nload=no\n");
        assert_string_equal(tn_catalogue_at(look(bench), 0)->module, "acme_net");
        assert_int_equal(bench->mistakes->len, 0);
        assert_int_equal(tn_catalogue_wish(bench->catalogue, "softdog"), TN_PV_WISH_YES);
        assert_int_equal(tn_catalogue_wish(bench->catalogue, "ptp_kvm"), TN_PV_WISH_NO);
        assert_int_equal(tn_catalogue_wish(bench->catalogue, "xen_wdt"), TN_PV_WISH_AUTO);
        assert_int_equal(tn_catalogue_wish(bench->catalogue, "acme_net"), TN_PV_WISH_NO);
        assert_int_equal(tn_catalogue_wish(bench->catalogue, "i6300esb"), TN_PV_WISH_AUTO);
}

static void test_mistakes_of_keys(void **state)
{
        struct bench *bench = *state;

        assert_mistake(
                bench, "[a]\nmatch=pci:v1*\n",
                "group [a], key 'role': is missing; roles are: storage network console balloon rng gpu "
                "input share socket clock watchdog panic bus other");
        assert_mistake(bench, ROW "boot=perhaps\n",
                       "group [acme_net], key 'boot': 'perhaps' is neither yes nor no");
        assert_mistake(bench, ROW "load=perhaps\n",
                       "group [acme_net], key 'load': 'perhaps' is none of: auto yes no");
        assert_mistake(
                bench, ROW "platforms=kvm qemu\n",
                "group [acme_net], key 'platforms': 'qemu' is not a platform; platforms are: kvm vmware "
                "xen hyperv virtualbox aws gcp azure");
        assert_mistake(bench, ROW "needs=../x\n",
                       "group [acme_net], key 'needs': '../x' is not the name of a module; write names of "
                       "modules with spaces between");
        assert_mistake(bench, ROW "config=ACME\n",
                       "group [acme_net], key 'config': 'ACME' does not begin with CONFIG_");
        assert_mistake(bench, ROW "module=x\n",
                       "group [acme_net]: unknown key 'module'; see tenon-drivers.d(5)");
        assert_mistake(bench, "[a b]\nrole=network\n", "group [a b]: is not the name of a module");
        assert_mistake(
                bench, "[a]\nrole=network\n",
                "group [a], key 'match': is missing; give a pattern, or explicit=yes for a module that "
                "no device names");
}

static void test_mistakes_of_patterns(void **state)
{
        static const struct {
                const char *pattern, *fault;
        } bad[] = {
                {"8086:100e", "does not begin with a bus and a colon, like pci:"},
                {"*", "does not begin with a bus and a colon, like pci:"},
                {":x", "does not begin with a bus and a colon, like pci:"},
                {"pci:*", "matches every device of its bus"},
                {"pci:", "matches every device of its bus"},
                {"pci:v0000808[6d*", "has a [ without a ]"},
                {"pci:v0000808]6d*", "has a ] without a ["},
                {"pci:v0000808[]6d*", "has an empty [ ]"},
                {"pci:v[0[8]6d*", "has a [ within [ ]"},
        };
        struct bench *bench = *state;

        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                g_autofree char *text = g_strdup_printf("[a]\nrole=network\nmatch=%s\n", bad[i].pattern);
                g_autofree char *words = g_strdup_printf("group [a], key 'match': the pattern '%s' %s; "
                                                         "write it as `modinfo -F alias` prints it",
                                                         bad[i].pattern, bad[i].fault);

                assert_mistake(bench, text, words);
        }
}

/* What is wrong is left out, the rest goes on: in the file and in the next ones. */
static void test_rest_goes_on(void **state)
{
        struct bench *bench = *state;

        put(bench, "a.conf", "[bad]\nrole=nothing\nmatch=pci:v1*\n" ROW);
        put(bench, "b.conf", "not a key file\n");
        put(bench, "c.conf", "[third]\nrole=rng\nexplicit=yes\n");
        assert_string_equal(tn_catalogue_at(look(bench), 0)->module, "acme_net");
        assert_string_equal(tn_catalogue_at(bench->catalogue, 1)->module, "third");
        assert_string_equal(tn_catalogue_at(bench->catalogue, 2)->module, "virtio_pci");
        assert_int_equal(bench->mistakes->len, 2);
        assert_non_null(strstr(bench->mistakes->pdata[1], "drivers.d/b.conf: "));
}

static void test_limits(void **state)
{
        struct bench *bench = *state;
        g_autoptr(GString) text = g_string_new(NULL);

        for (int i = 0; i < 300; i++)
                g_string_append_printf(text, "[m%d]\nrole=rng\nexplicit=yes\n", i);
        put(bench, "a.conf", text->str);
        assert_string_equal(tn_catalogue_at(look(bench), 255)->module, "m255");
        assert_string_equal(tn_catalogue_at(bench->catalogue, 256)->module, "virtio_pci");
        assert_int_equal(bench->mistakes->len, 44);
}

static void test_writable_by_all(void **state)
{
        struct bench *bench = *state;
        g_autofree char *path = g_build_filename(bench->root, FOLDER, "a.conf", NULL);

        put(bench, "a.conf", ROW);
        assert_int_equal(chmod(path, 0666), 0);
        assert_string_equal(tn_catalogue_at(look(bench), 0)->module, "virtio_pci");
        assert_int_equal(bench->mistakes->len, 1);
        assert_non_null(strstr(bench->mistakes->pdata[0], "chmod o-w"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(test_row),
                TEST(test_defaults),
                TEST(test_wishes),
                TEST(test_mistakes_of_keys),
                TEST(test_mistakes_of_patterns),
                TEST(test_rest_goes_on),
                TEST(test_limits),
                TEST(test_writable_by_all),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
