/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Recordings by careless and by hostile hands: each is judged or refused with a message that names the
 * file, never read past its own root, never a crash, never a wait. Long, because each kind of harm is a case
 * of its own.
 */
#define _GNU_SOURCE /* nftw */
#include <fcntl.h>

#include "detect/detect.h"
#include "detect/machine.h"
#include "detect/test-folder.h"

#define KVM_LEAVES                                                                                          \
        "00000001 00000000 000806EA 00010800 FFFA3203 BFEBFBFF\n"                                           \
        "40000000 00000000 40000001 4B4D564B 564B4D56 0000004D\n"

static void expect_refused(const char *folder, const char *file, const char *reason)
{
        g_autoptr(GError) error = NULL;
        struct tn_env env = {.root_fd = -77};

        assert_false(tn_machine_open(&env, folder, &error));
        assert_non_null(error);
        assert_non_null(strstr(error->message, file));
        assert_non_null(strstr(error->message, reason));
        assert_int_equal(env.root_fd, -77);
}

static tn_detect_t *judge(const char *folder)
{
        g_autoptr(GError) error = NULL;
        tn_detect_t *detect;
        struct tn_env env;

        if (!tn_machine_open(&env, folder, &error))
                fail_msg("%s", error->message);
        detect = tn_detect_run(&env);
        tn_machine_close(&env);
        return detect;
}

static void expect_bare_metal(const char *folder)
{
        g_autoptr(tn_detect_t) detect = judge(folder);

        assert_null(tn_detect_primary(detect));
        assert_false(tn_detect_virtual(detect));
        assert_null(tn_detect_fact(detect, 0));
}

static void expect_primary(const char *folder, const char *id)
{
        g_autoptr(tn_detect_t) detect = judge(folder);

        assert_non_null(tn_detect_primary(detect));
        assert_string_equal(tn_detect_primary(detect)->id, id);
        assert_true(tn_detect_virtual(detect));
}

static void test_cpuid_is_strict(void **state)
{
        static const struct {
                const char *text, *where;
        } bad[] = {
                {"00000001 00000000 000806EA 00010800 FFFA3203\n", "cpuid.txt:1"}, /* a field is missing */
                {KVM_LEAVES "40000100 00000000 0000", "cpuid.txt:3"},              /* truncated */
                {KVM_LEAVES "\n# comment\n40000100 00000000 00000000 00000000 00000000 000000000\n",
                 "cpuid.txt:5"},
                {"00000001 00000000 000806EA 00010800 FFFA3203 BFEBFBFF 00000000\n", "cpuid.txt:1"},
                {"0x000001 00000000 000806EA 00010800 FFFA3203 BFEBFBFF\n", "cpuid.txt:1"},
                {"1 0 806EA 10800 FFFA3203 BFEBFBFF\n", "cpuid.txt:1"},
                {"-0000001 00000000 000806EA 00010800 FFFA3203 BFEBFBFF\n", "cpuid.txt:1"},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(bad); i++) {
                char *folder = folder_new();

                folder_put(folder, "cpuid.txt", bad[i].text);
                expect_refused(folder, bad[i].where, "8 hexadecimal digits");
                folder_free(folder);
        }
}

static void test_cpuid_is_read(void **state)
{
        char *folder = folder_new();
        struct tn_env env;
        struct tn_cpuid regs = {1, 2, 3, 4};

        (void) state;
        folder_put(folder, "cpuid.txt",
                   "# made by hand\r\n\n\t 00000007 00000001 0000000a 0000000B 0000000c 0000000D\r\n");
        assert_true(tn_machine_open(&env, folder, NULL));
        assert_true(env.recorded);
        assert_string_equal(env.machine, "unknown");
        assert_false(env.cpuid(&env, 7, 0, &regs));
        assert_int_equal(regs.eax, 1);
        assert_true(env.cpuid(&env, 7, 1, &regs));
        assert_int_equal(regs.eax, 10);
        assert_int_equal(regs.ebx, 11);
        assert_int_equal(regs.ecx, 12);
        assert_int_equal(regs.edx, 13);
        tn_machine_close(&env);
        folder_free(folder);
}

static void test_own_files_are_no_evidence(void **state)
{
        char *folder = folder_new();
        struct tn_env env;

        (void) state;
        folder_put(folder, "cpuid.txt", KVM_LEAVES);
        folder_put(folder, ".dockerenv", "");
        folder_put(folder, "machine.txt", "x86_64\n");
        assert_true(tn_machine_open(&env, folder, NULL));
        assert_false(tn_env_exists(&env, "cpuid.txt"));
        assert_false(tn_env_exists(&env, ".dockerenv"));
        assert_false(tn_env_exists(&env, "."));
        assert_string_equal(env.machine, "x86_64");
        tn_machine_close(&env);
        expect_primary(folder, "kvm");
        folder_free(folder);
}

static void test_parts_of_the_wrong_kind(void **state)
{
        char *folder = folder_new();
        g_autofree char *big = g_strnfill(1024 * 1024, 'A');
        g_autofree char *fifo = folder_path(folder, "d/cpuid.txt");
        char *sub;

        (void) state;
        assert_int_equal(mkfifo(fifo, 0600), 0);
        folder_mkdir(folder, "a/cpuid.txt");
        folder_put(folder, "b/root", "a file\n");
        folder_link(folder, "/", "c/root");
        folder_put(folder, "e/cpuid.txt", big);
        folder_write(folder, "f/cpuid.txt",
                     "\x7f"
                     "ELF\0\0\0\x02",
                     8);
        folder_write(folder, "g/machine.txt", "\xff\xfe\0\x01", 4);
        folder_put(folder, "h/machine.txt", "x86_64 and more\n");
        folder_link(folder, "/etc/passwd", "i/cpuid.txt");
        static const struct {
                const char *name, *file, *reason;
        } cases[] = {
                {"a", "cpuid.txt", "not a regular file"},
                {"b", "root", "must be a directory"},
                {"c", "root", "must be a directory"},
                {"d", "cpuid.txt", "not a regular file"},
                {"e", "cpuid.txt", "larger"},
                {"f", "cpuid.txt", "not a text file"},
                {"g", "machine.txt", "one word"},
                {"h", "machine.txt", "one word"},
                {"i", "cpuid.txt", "symbolic link"},
                {"missing", "missing", "No such file"},
        };
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                sub = g_build_filename(folder, cases[i].name, NULL);
                expect_refused(sub, cases[i].file, cases[i].reason);
                g_free(sub);
        }
        folder_free(folder);
}

static void test_garbage_evidence(void **state)
{
        static const char *const paths[] = {
                "root/proc/cpuinfo",
                "root/proc/cmdline",
                "root/proc/1/environ",
                "root/proc/1/cgroup",
                "root/proc/sysinfo",
                "root/proc/self/status",
                "root/proc/version",
                "root/proc/ppc64/lparcfg",
                "root/sys/class/dmi/id/product_name",
                "root/sys/class/dmi/id/sys_vendor",
                "root/sys/class/dmi/id/chassis_asset_tag",
                "root/sys/hypervisor/properties/features",
                "root/sys/firmware/dmi/entries/0-0/raw",
                "root/sys/firmware/dmi/entries/11-0/raw",
                "root/sys/firmware/acpi/tables/FACP",
                "root/proc/device-tree/compatible",
                "root/proc/device-tree/model",
                "root/run/.containerenv/x",
                "root/sys/devices/system/clocksource/clocksource0/available_clocksource",
        };
        g_autofree char *noise = g_malloc(1024 * 1024);
        char *folder = folder_new();
        g_autoptr(tn_detect_t) detect = NULL;

        (void) state;
        for (size_t i = 0; i < 1024 * 1024; i++)
                noise[i] = (char) (i * 2654435761U >> 13);
        for (size_t i = 0; i < G_N_ELEMENTS(paths); i++)
                folder_write(folder, paths[i], noise, 1024 * 1024);
        detect = judge(folder);
        assert_string_equal(tn_detect_primary(detect)->id,
                            "podman"); /* the one thing that is there for sure */
        folder_free(folder);
}

static void test_truncated_tables(void **state)
{
        char *folder = folder_new();

        (void) state;
        folder_write(folder, "root/sys/firmware/dmi/entries/0-0/raw", "\0\x18", 2);
        folder_write(folder, "root/sys/firmware/acpi/tables/FACP", "FACP\x14\x01", 6);
        folder_write(folder, "root/proc/device-tree/hypervisor/compatible", "", 0);
        folder_put(folder, "root/proc/sysinfo", "LPAR Num");
        folder_put(folder, "root/proc/self/status", "TracerPid:\t-99999999999999999999\n");
        folder_put(folder, "root/sys/hypervisor/properties/features", "xyz\n");
        expect_primary(folder, "unknown"); /* the hypervisor node, which says nothing */
        folder_free(folder);
}

static void test_links_stay_inside(void **state)
{
        char *folder = folder_new();

        (void) state;
        folder_put(folder, "outside/product_name", "VMware7,1\n");
        folder_link(folder, "../../../../../../outside/product_name", "root/sys/class/dmi/id/product_name");
        folder_link(folder, "/proc/cpuinfo", "root/proc/cpuinfo");
        folder_link(folder, "loop-b", "root/sys/class/dmi/id/sys_vendor");
        folder_link(folder, "sys_vendor", "root/sys/class/dmi/id/loop-b");
        folder_link(folder, ".", "root/proc/device-tree");
        expect_bare_metal(folder);
        folder_free(folder);
}

/* sysfs is made of links: those inside the root are followed, absolute ones from the root. */
static void test_links_inside_work(void **state)
{
        char *folder = folder_new();

        (void) state;
        folder_put(folder, "root/sys/devices/virtual/dmi/id/product_name", "VMware7,1\n");
        folder_link(folder, "/sys/devices/virtual/dmi/id", "root/sys/class/dmi/id");
        expect_primary(folder, "vmware");
        folder_free(folder);
}

static void test_files_of_the_wrong_kind(void **state)
{
        char *folder = folder_new();
        g_autofree char *fifo = folder_path(folder, "root/sys/class/dmi/id/sys_vendor");

        (void) state;
        assert_int_equal(mkfifo(fifo, 0600), 0);
        folder_mkdir(folder, "root/sys/class/dmi/id/product_name");
        folder_mkdir(folder, "root/proc/cpuinfo");
        folder_put(folder, "root/sys/bus/acpi/devices", "a file\n");
        folder_mkdir(folder, "root/proc/self/ns/cgroup");
        expect_bare_metal(folder);
        folder_free(folder);
}

static void test_nothing_at_all(void **state)
{
        char *folder = folder_new();

        (void) state;
        expect_bare_metal(folder);
        folder_mkdir(folder, "root");
        expect_bare_metal(folder);
        folder_free(folder);
}

/* A sparse file in the place of the msr device: what `dd` of the device would leave. */
static void test_msr_file(void **state)
{
        static const uint64_t status = 7; /* SEV, SEV-ES, SEV-SNP: active */
        char *folder = folder_new();
        g_autofree char *path = folder_path(folder, "root/dev/cpu/0/msr");
        g_autoptr(tn_detect_t) detect = NULL;
        int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

        (void) state;
        assert_true(fd >= 0);
        assert_int_equal(pwrite(fd, &status, sizeof status, 0xC0010131), sizeof status);
        assert_int_equal(close(fd), 0);
        folder_put(folder, "cpuid.txt",
                   KVM_LEAVES "80000000 00000000 80000021 68747541 444D4163 69746E65\n"
                              "8000001F 00000000 00000002 00000073 00000000 00000000\n");
        detect = judge(folder);
        assert_non_null(tn_detect_find(detect, TN_DETECT_CONFIDENTIAL, "sev-snp"));
        assert_null(tn_detect_find(detect, TN_DETECT_CONFIDENTIAL, "sev"));
        folder_free(folder);
}

/* Evidence of an unknown hypervisor carries its signature, safe to print. */
static void test_unknown_signature_is_told(void **state)
{
        char *folder = folder_new();
        g_autoptr(tn_detect_t) detect = NULL;
        const struct tn_detect_fact *fact;

        (void) state;
        folder_put(folder, "cpuid.txt",
                   "00000001 00000000 000806EA 00010800 FFFA3203 BFEBFBFF\n"
                   "40000000 00000000 40000001 2F65344C 61694620 1B2E0A01\n");
        detect = judge(folder);
        fact = tn_detect_primary(detect);
        assert_non_null(fact);
        assert_string_equal(fact->id, "unknown");
        assert_int_equal(fact->kind, TN_DETECT_HYPERVISOR);
        assert_non_null(strstr(fact->evidence, "\"L4e/ Fia\\x01\\x0a.\\x1b\""));
        assert_non_null(strstr(fact->evidence, "ebx 0x2f65344c"));
        folder_free(folder);
}

/* What a recording says is shown on a terminal. */
static void test_no_escape_sequences(void **state)
{
        char *folder = folder_new();
        g_autoptr(tn_detect_t) detect = NULL;

        (void) state;
        folder_put(folder, "root/proc/sysinfo", "VM00 Control Program: \033[2JKVM\n");
        folder_put(folder, "root/sys/class/dmi/id/bios_vendor", "SeaBIOS\033[31m\n");
        folder_put(folder, "root/run/systemd/container", "evil\033]0;x\007\n");
        folder_put(folder, "root/proc/device-tree/fw-cfg\033[1m/x", "");
        detect = judge(folder);
        assert_non_null(tn_detect_fact(detect, 3));
        for (size_t i = 0; tn_detect_fact(detect, i); i++) {
                assert_null(strchr(tn_detect_fact(detect, i)->evidence, '\033'));
                assert_null(strchr(tn_detect_fact(detect, i)->evidence, '\007'));
        }
        folder_free(folder);
}

static void test_json_shape(void **state)
{
        char *folder = folder_new();
        g_autoptr(tn_detect_t) detect = NULL;
        json_t *answer, *fact;

        (void) state;
        folder_put(folder, "cpuid.txt", KVM_LEAVES);
        detect = judge(folder);
        answer = tn_detect_to_json(detect);
        fact = json_array_get(json_object_get(answer, "facts"), 0);
        assert_true(json_is_true(json_object_get(answer, "virtual")));
        assert_int_equal(json_object_size(json_object_get(answer, "primary")), 2);
        assert_int_equal(json_object_size(fact), 4);
        assert_true(json_is_integer(json_object_get(fact, "confidence")));
        assert_string_equal(json_string_value(json_object_get(fact, "kind")), "hypervisor");
        assert_string_equal(json_string_value(json_object_get(fact, "id")), "kvm");
        assert_string_equal(json_string_value(json_object_get(fact, "evidence")),
                            "CPUID 0x40000000 \"KVMKVMKVM\"");
        json_decref(answer);
        folder_free(folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_cpuid_is_strict),
                cmocka_unit_test(test_cpuid_is_read),
                cmocka_unit_test(test_own_files_are_no_evidence),
                cmocka_unit_test(test_parts_of_the_wrong_kind),
                cmocka_unit_test(test_garbage_evidence),
                cmocka_unit_test(test_truncated_tables),
                cmocka_unit_test(test_links_stay_inside),
                cmocka_unit_test(test_links_inside_work),
                cmocka_unit_test(test_files_of_the_wrong_kind),
                cmocka_unit_test(test_nothing_at_all),
                cmocka_unit_test(test_msr_file),
                cmocka_unit_test(test_no_escape_sequences),
                cmocka_unit_test(test_unknown_signature_is_told),
                cmocka_unit_test(test_json_shape),
        };

        return cmocka_run_group_tests_name("machine", tests, NULL, NULL);
}
