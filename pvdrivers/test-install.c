/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which package is asked for where, and what becomes of each answer. The package managers here are
 * stand-ins: a function that writes down what it was asked and answers from a list. apt-get itself is tested
 * in a guest.
 */
#define _GNU_SOURCE
#include "detect/test-folder.h"
#include "lib/error.h"
#include "lib/names.h"
#include "pvdrivers/install.h"
#include "pvdrivers/leftovers.h"
#include "pvdrivers/packages.h"

#define RELEASE "6.1.0-9-cloud-amd64"
#define ROWS    TN_PATH_DRIVERS_D "/acme.conf"

static char *root;
static struct tn_env env;
static GString *asked;       /* command lines, one a line */
static const char *known;    /* packages that the stand-in knows, with blanks around each */
static const char *installs; /* a module's file that its installation puts into the root, or NULL */
static const char *lists;    /* a modules.dep that names the module afterwards, or NULL */
static int install_status;   /* how its installation ends */

static bool stand_in(const struct tn_env *e, const char *const *argv, unsigned deadline_s,
                     struct tn_progress *progress, struct tn_tool_result *ret, GError **error)
{
        g_autofree char *line = g_strjoinv(" ", (char **) argv);
        g_autofree char *last = NULL;
        guint count = g_strv_length((char **) argv);

        (void) e;
        (void) deadline_s;
        (void) progress;
        (void) error;
        g_string_append_printf(asked, "%s\n", line);
        last = g_strdup_printf(" %s ", argv[count - 1]);
        *ret = (struct tn_tool_result){.output = g_string_new(NULL)};
        if (strstr(line, "policy") || strstr(line, "repoquery") || strstr(line, "search"))
                g_string_append(ret->output, known && strstr(known, last) ? "Candidate: 1\n" : "");
        if (strstr(line, " install ") || strstr(line, " add ")) {
                ret->exit_status = install_status;
                g_string_append(ret->output, install_status ? "E: Unable to fetch some archives\n" : "");
                if (!install_status && installs && !strstr(line, "-s "))
                        folder_put(root, installs, "module");
                if (!install_status && lists && !strstr(line, "-s "))
                        folder_put(root, lists, "kernel/drivers/net/vmxnet3.ko:\n");
        }
        return true;
}

static void begin(const char *os_release, const char *program)
{
        g_autofree char *path = g_strdup_printf("usr/bin/%s", program);

        root = folder_new();
        folder_put(root, "etc/os-release", os_release);
        folder_put(root, path, "stand-in");
        folder_put(root, "lib/modules/" RELEASE "/modules.dep", "");
        folder_put(root, "lib/modules/" RELEASE "/modules.builtin", "");
        folder_put(root, "boot/vmlinuz-" RELEASE, "x");
        folder_put(root, "proc/sys/kernel/osrelease", RELEASE "\n");
        assert_true(tn_env_init_root(&env, root, NULL));
        g_free(env.machine);
        env.machine = g_strdup("x86_64");
        asked = g_string_new(NULL);
        known = installs = lists = NULL;
        install_status = 0;
}

static void end(void)
{
        g_string_free(asked, TRUE);
        tn_env_deinit(&env);
        folder_free(root);
}

/* Names of the candidates, joined by a blank. */
static char *candidates(const char *release, const char *module)
{
        g_autoptr(GPtrArray) list = tn_packages_candidates(&env, release, module);
        GString *text = g_string_new(NULL);

        for (guint i = 0; i < list->len; i++) {
                g_autofree char *names = g_strjoinv("+", g_ptr_array_index(list, i));

                g_string_append_printf(text, "%s%s", i ? " " : "", names);
        }
        return g_string_free(text, FALSE);
}

static void check_candidates(const char *os_release, const char *release, const char *module,
                             const char *wanted)
{
        g_autofree char *got = NULL;

        begin(os_release, "apt-get");
        got = candidates(release, module);
        assert_string_equal(got, wanted);
        end();
}

static void test_candidates(void **state)
{
        (void) state;
        check_candidates("ID=debian\n", "6.1.0-9-cloud-amd64", "vmxnet3", "linux-image-amd64");
        check_candidates("ID=debian\n", "6.1.0-9-amd64", "vmxnet3", "");
        check_candidates("ID=debian\n", "6.1.0-9-amd64", "vboxsf",
                         "virtualbox-guest-dkms+linux-headers-6.1.0-9-amd64");
        check_candidates("ID=ubuntu\nID_LIKE=debian\n", "6.8.0-31-generic", "vmw_pvscsi",
                         "linux-modules-extra-6.8.0-31-generic");
        check_candidates("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n", "6.8.0-31-kvm", "i6300esb",
                         "linux-image-generic linux-modules-extra-6.8.0-31-kvm");
        check_candidates("ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n", "5.14.0-427.el9.x86_64",
                         "i6300esb",
                         "kernel-modules-5.14.0-427.el9.x86_64 kernel-modules-extra-5.14.0-427.el9.x86_64");
        check_candidates("ID='opensuse-leap'\nID_LIKE='suse opensuse'\n", "6.4.0-150600.21-default",
                         "vmxnet3", "kernel-default kernel-default-optional kernel-default-extra");
        check_candidates("ID=alpine\n", "6.12.1-0-virt", "vmxnet3", "linux-lts");
        check_candidates("ID=gentoo\n", "6.12.1", "vmxnet3", "");
        check_candidates("", "6.12.1", "vmxnet3", "");
}

static json_t *install(const struct tn_install_options *options, GError **error)
{
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(&env, NULL);
        struct tn_install_options mine = *options;

        mine.run = stand_in;
        return tn_install_run(&env, catalogue, &mine, NULL, error);
}

static const struct tn_install_options vmware_network = {.roles = 1U << TN_PV_NETWORK,
                                                         .target = TN_PV_VMWARE};

/* A Debian guest whose repository has the kernel with the driver. */
static void begin_with_package(void)
{
        begin("ID=debian\n", "apt-get");
        known = " linux-image-amd64 ";
        installs = "lib/modules/6.1.0-9-amd64/kernel/drivers/net/vmxnet3.ko";
        folder_put(root, "lib/modules/6.1.0-9-amd64/modules.dep", "kernel/drivers/net/vmxnet3.ko:\n");
        folder_put(root, "boot/vmlinuz-6.1.0-9-amd64", "x");
}

static void test_installs_and_looks(void **state)
{
        GError *error = NULL;
        json_auto_t *result = NULL;
        json_t *module;

        (void) state;
        begin_with_package();
        result = install(&vmware_network, &error);
        if (error)
                fail_msg("%s", error->message);
        assert_non_null(strstr(asked->str, " --no-install-recommends install -- linux-image-amd64\n"));
        module = json_array_get(json_object_get(result, "modules"), 0);
        assert_string_equal(json_string_value(json_object_get(module, "kernel")), "6.1.0-9-amd64");
        assert_true(json_is_true(json_object_get(module, "needs-reboot")));
        assert_false(json_is_true(json_object_get(module, "loaded")));
        end();
}

static void check_fails(int code, const char *words)
{
        GError *error = NULL;

        assert_null(install(&vmware_network, &error));
        assert_int_equal(error->code, code);
        if (!strstr(error->message, words))
                fail_msg("'%s' is not in '%s'", words, error->message);
        g_clear_error(&error);
        end();
}

static void test_failures(void **state)
{
        (void) state;
        begin("ID=debian\n", "apt-get");
        check_fails(TN_ERROR_NOT_FOUND, "looked for: linux-image-amd64");
        begin("ID=gentoo\n", "apt-get");
        check_fails(TN_ERROR_NOT_FOUND, "no package of this distribution is known here");
        begin("ID=debian\n", "nothing");
        check_fails(TN_ERROR_UNSUPPORTED, "no package manager");
        begin("ID=debian\n", "apt-get");
        known = " linux-image-amd64 ";
        install_status = 100;
        check_fails(TN_ERROR_FAILED, "Unable to fetch");
        begin("ID=debian\n", "apt-get");
        known = " linux-image-amd64 "; /* and it installs nothing */
        check_fails(TN_ERROR_FAILED, "has the driver vmxnet3 now");
        begin("ID=debian\n", "apt-get");
        known = " linux-image-amd64 ";
        lists = "lib/modules/6.1.0-9-amd64/modules.dep"; /* of which the file does not come */
        folder_put(root, "boot/vmlinuz-6.1.0-9-amd64", "x");
        check_fails(TN_ERROR_FAILED, "has the driver vmxnet3 now");
}

/* The kernel that runs has it now, and the one that boots next has not: that is no success. */
static void test_default_kernel(void **state)
{
        (void) state;
        begin("ID=fedora\n", "dnf");
        known = " kernel-modules-" RELEASE " kernel-modules-6.8.0-1 ";
        folder_put(root, "lib/modules/6.8.0-1/modules.dep", "");
        folder_put(root, "lib/modules/6.8.0-1/modules.builtin", "");
        folder_put(root, "boot/vmlinuz-6.8.0-1", "x");
        folder_put(root, "boot/grub2/grub.cfg",
                   "menuentry 'x' {\n linux /boot/vmlinuz-6.8.0-1 root=UUID=1\n}\n");
        installs = "lib/modules/" RELEASE "/kernel/drivers/net/vmxnet3.ko";
        lists = "lib/modules/" RELEASE "/modules.dep";
        check_fails(TN_ERROR_FAILED,
                    "neither the kernel 6.8.0-1 nor one that could boot in its place has the "
                    "driver vmxnet3 now");
}

static void test_dry_run(void **state)
{
        struct tn_install_options options = vmware_network;
        GError *error = NULL;
        json_auto_t *result = NULL;

        (void) state;
        begin("ID=debian\n", "apt-get");
        known = " linux-image-amd64 ";
        options.dry_run = true;
        result = install(&options, &error);
        assert_non_null(result);
        assert_non_null(strstr(asked->str, "apt-get -s "));
        assert_null(strstr(asked->str, "apt-get -y "));
        assert_int_equal(json_array_size(json_object_get(result, "modules")), 0);
        end();
}

static void test_other_managers(void **state)
{
        static const struct {
                const char *os_release, *program, *known, *wanted;
        } rows[] = {
                {"ID=fedora\n", "dnf", " kernel-modules-" RELEASE " ",
                 "dnf -y --setopt=install_weak_deps=False install kernel-modules-" RELEASE "\n"},
                {"ID=alpine\n", "apk", " linux-lts ", NULL},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                GError *error = NULL;

                begin(rows[i].os_release, rows[i].program);
                known = rows[i].known;
                assert_null(install(&vmware_network, &error));
                if (rows[i].wanted)
                        assert_non_null(strstr(asked->str, rows[i].wanted));
                else
                        assert_int_equal(error->code, TN_ERROR_NOT_FOUND);
                g_clear_error(&error);
                end();
        }
}

/* What each package manager is told, and nothing else. */
static void test_command_lines(void **state)
{
        static const struct {
                const char *program, *asked, *install, *simulate, *upgrade, *remove;
        } rows[] = {
                {"apt-get", "/usr/bin/apt-cache -q policy tenon\n",
                 "/usr/bin/apt-get -y -q -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 -o "
                 "DPkg::Lock::Timeout=0 --no-remove --no-install-recommends install -- tenon\n",
                 "/usr/bin/apt-get -s -q --no-remove --no-install-recommends install -- tenon\n",
                 "/usr/bin/apt-get -y -q -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 -o "
                 "DPkg::Lock::Timeout=0 --no-remove --only-upgrade install -- tenon\n",
                 "/usr/bin/dpkg --remove tenon\n"},
                {"dnf", "/usr/bin/dnf -q repoquery tenon\n",
                 "/usr/bin/dnf -y --setopt=install_weak_deps=False install tenon\n",
                 "/usr/bin/dnf --assumeno --setopt=install_weak_deps=False install tenon\n",
                 "/usr/bin/dnf -y --best upgrade tenon\n", "/usr/bin/rpm -e tenon\n"},
                {"zypper", "/usr/bin/zypper --non-interactive --no-refresh search --match-exact tenon\n",
                 "/usr/bin/zypper --non-interactive install --no-recommends --no-force-resolution tenon\n",
                 "/usr/bin/zypper --non-interactive install --dry-run --no-recommends --no-force-resolution "
                 "tenon\n",
                 "/usr/bin/zypper --non-interactive update --no-force-resolution tenon\n",
                 "/usr/bin/rpm -e tenon\n"},
                {"apk", "/usr/bin/apk search --exact tenon\n",
                 "/usr/bin/apk --no-interactive --wait 1 add tenon\n",
                 "/usr/bin/apk --no-interactive --simulate add tenon\n",
                 "/usr/bin/apk --no-interactive --wait 1 add --upgrade tenon\n",
                 "/usr/bin/apk --no-interactive --wait 1 del tenon\n"},
        };
        const char *const names[] = {"tenon", NULL}, *const wrong[] = {"--reinstall", NULL};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(tn_packages_t) packages = NULL;
                g_autofree char *wanted = g_strconcat(rows[i].asked, rows[i].install, rows[i].simulate,
                                                      rows[i].upgrade, rows[i].remove, NULL);
                GError *error = NULL;

                begin("ID=x\n", rows[i].program);
                known = " tenon ";
                packages = tn_packages_new(&env, NULL, stand_in, NULL);
                assert_true(tn_packages_knows(packages, "tenon"));
                assert_true(tn_packages_install(packages, names, false, NULL, NULL));
                assert_true(tn_packages_install(packages, names, true, NULL, NULL));
                assert_true(tn_packages_upgrade(packages, names, NULL, NULL));
                assert_true(tn_packages_remove(packages, names, NULL, NULL));
                assert_string_equal(asked->str, wanted);
                assert_false(tn_packages_install(packages, wrong, false, NULL, &error));
                assert_string_equal(error->message, "'--reinstall' is no name of a package");
                g_clear_error(&error);
                assert_false(tn_packages_upgrade(packages, wrong, NULL, &error));
                g_clear_error(&error);
                end();
        }
}

/* zypper installs and nevertheless ends with another status than 0. */
static void test_zypper_statuses(void **state)
{
        static const struct {
                int status;
                bool done;
        } rows[] = {{0, true}, {102, true}, {103, true}, {106, true}, {107, true}, {4, false}, {104, false}};
        const char *const names[] = {"tenon", NULL};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(tn_packages_t) packages = NULL;

                begin("ID=x\n", "zypper");
                install_status = rows[i].status;
                packages = tn_packages_new(&env, NULL, stand_in, NULL);
                assert_int_equal(tn_packages_install(packages, names, false, NULL, NULL), rows[i].done);
                end();
        }
}

/* Programs of other distributions are installed for other reasons, too. */
static void test_which_manager(void **state)
{
        static const struct {
                const char *database, *name, *program, *error;
        } rows[] = {
                {"var/lib/rpm/rpmdb.sqlite", NULL, "dnf", NULL},
                {"var/lib/rpm/rpmdb.sqlite", "auto", "dnf", NULL},
                {"var/lib/rpm/rpmdb.sqlite", "apt", "apt-get", NULL},
                {"var/lib/dpkg/status", NULL, "apt-get", NULL},
                {"var/lib/dpkg/status", "dnf", "dnf", NULL},
                {"none", NULL, "apt-get", NULL},
                {"none", "zypper", NULL, "this guest has no zypper, which package-manager= names"},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                g_autoptr(tn_packages_t) packages = NULL;
                g_autoptr(GError) error = NULL;

                begin("ID=x\n", "apt-get");
                folder_put(root, "usr/bin/dnf", "stand-in");
                folder_put(root, rows[i].database, "");
                packages = tn_packages_new(&env, rows[i].name, stand_in, &error);
                if (rows[i].program)
                        assert_string_equal(tn_packages_name(packages), rows[i].program);
                else
                        assert_string_equal(error->message, rows[i].error);
                end();
        }
}

/* The lock is held by another process: the kernel tells of no lock of our own. */
static void test_held_lock(void **state)
{
        pid_t pid;

        (void) state;
        begin("ID=debian\n", "apt-get");
        known = " linux-image-amd64 ";
        pid = folder_lock(root, "var/lib/dpkg/lock-frontend");
        check_fails(TN_ERROR_BUSY, "/var/lib/dpkg/lock-frontend; nothing was changed");
        folder_release(pid);
}

static void test_leftovers(void **state)
{
        json_auto_t *on_kvm = NULL, *on_vmware = NULL, *result = NULL;
        GError *error = NULL;

        (void) state;
        begin("ID=debian\n", "apt-get");
        folder_put(root, "usr/bin/vmtoolsd", "x");
        folder_put(root, "var/lib/dpkg/info/open-vm-tools.list", "");
        folder_put(root, "usr/lib/parallels-tools/install", "x");
        on_kvm = tn_leftovers_to_json(&env, TN_PV_KVM);
        on_vmware = tn_leftovers_to_json(&env, TN_PV_VMWARE);
        assert_int_equal(json_array_size(on_kvm), 2);
        assert_int_equal(json_array_size(on_vmware), 1);
        assert_false(tn_leftovers_remove(&env, TN_PV_KVM, false, stand_in, NULL, &result, &error));
        assert_int_equal(error->code, TN_ERROR_DENIED);
        assert_null(result);
        assert_string_equal(asked->str, "");
        g_clear_error(&error);
        assert_true(tn_leftovers_remove(&env, TN_PV_KVM, true, stand_in, NULL, &result, &error));
        assert_string_equal(json_string_value(json_array_get(json_object_get(result, "removed"), 0)),
                            "open-vm-tools");
        assert_int_equal(json_array_size(json_object_get(result, "left")), 1);
        end();
}

/* Kernels of which nothing is known lack nothing that one could name: that is an error, no good news. */
static void test_no_modules_folder(void **state)
{
        g_autofree char *path = NULL;

        (void) state;
        begin("ID=debian\n", "apt-get");
        path = g_build_filename(root, "lib/modules/" RELEASE "/modules.builtin", NULL);
        assert_int_equal(unlink(path), 0); /* what is left of the folder is no kernel's */
        check_fails(TN_ERROR_NOT_FOUND,
                    "whether the kernel " RELEASE " has the driver vmxnet3 cannot be told");
}

/* A row that is left out may be the one that matters: it is told, and the rest goes on. */
static void test_bad_catalogue(void **state)
{
        GError *error = NULL;
        json_auto_t *result = NULL;
        const json_t *mistakes;

        (void) state;
        begin_with_package();
        folder_put(root, ROWS + 1, "[acme]\nrole=network\nmatch=pci:v0000[\n");
        result = install(&vmware_network, &error);
        if (error)
                fail_msg("%s", error->message);
        mistakes = json_object_get(result, "mistakes");
        assert_int_equal(json_array_size(mistakes), 1);
        assert_non_null(strstr(json_string_value(json_array_get(mistakes, 0)),
                               ROWS ": group [acme], key 'match': the pattern "));
        end();
}

static void test_words(void **state)
{
        const char *const roles[] = {"network", "watchdog", NULL}, *const wrong[] = {"netwerk", NULL};
        struct tn_install_options options = {0};
        GError *error = NULL;

        (void) state;
        assert_true(tn_install_parse(roles, NULL, &options, &error));
        assert_int_equal(options.roles, 1U << TN_PV_NETWORK | 1U << TN_PV_WATCHDOG);
        assert_int_equal(options.target, _TN_PV_PLATFORM_MAX);
        assert_false(tn_install_parse(wrong, NULL, &options, &error));
        assert_non_null(strstr(error->message, "no role 'netwerk'; there are: storage, network"));
        g_clear_error(&error);
        assert_false(tn_install_parse(NULL, "moon", &options, &error));
        assert_non_null(strstr(error->message, "no target 'moon'; there are: kvm, vmware"));
        g_clear_error(&error);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_candidates),      cmocka_unit_test(test_installs_and_looks),
                cmocka_unit_test(test_failures),        cmocka_unit_test(test_dry_run),
                cmocka_unit_test(test_held_lock),       cmocka_unit_test(test_other_managers),
                cmocka_unit_test(test_leftovers),       cmocka_unit_test(test_words),
                cmocka_unit_test(test_command_lines),   cmocka_unit_test(test_which_manager),
                cmocka_unit_test(test_zypper_statuses), cmocka_unit_test(test_default_kernel),
                cmocka_unit_test(test_bad_catalogue),   cmocka_unit_test(test_no_modules_folder),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
