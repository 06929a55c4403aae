/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The parser of KEY=VALUE files, guest-get-osinfo, guest-get-host-name, guest-get-timezone, guest-get-users.
 */
#include "plugins/guestinfo/test-support.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <utmp.h>

#include "plugins/guestinfo/envfile.h"
#include "plugins/guestinfo/users.h"

static void test_values(void **state)
{
        static const struct {
                const char *text, *value; /* of the variable A; NULL: not there */
        } cases[] = {
                {"A=plain\n", "plain"},
                {"A=plain", "plain"},
                {"A=\n", ""},
                {"A=\"\"", ""},
                {"A=\"Foo Bar\"\n", "Foo Bar"},
                {"A='Foo Bar'\n", "Foo Bar"}, /* the peer answers 'Foo */
                {"A='1'\n", "1"},
                {"A='a\\\"$b'\n", "a\\\"$b"}, /* nothing is special in single quotes */
                {"A=\"a\\\"b\\$c\\`d\\\\e\"\n", "a\"b$c`d\\e"},
                {"A=\"it\\'s\"\n", "it's"}, /* so does qemu-ga, unlike a shell */
                {"A=\"a\\nb\"\n", "a\\nb"}, /* other escapes stay as they are */
                {"A=a\\ b\n", "a b"},
                {"A=\"x\"'y'z\n", "xyz"},
                {"A=trailing  \t\r\n", "trailing"},
                {"A=\"kept  \"  \n", "kept  "},
                {"  A=indented\n", "indented"},
                {"A=first\nA=last\n", "last"},
                {"# A=comment\n", NULL},
                {"A =no\n", NULL},
                {"1A=no\nexport\n=\n", NULL},
                {"A=\"open\nB=b\n", "open"}, /* the open quote ends with its line */
                {"B='open\nA=a\n", "a"},
                {"A=\"back\\\nB=b", "back\\"},
                {"A=back\\", "back\\"},
                {"A=a=b\n", "a=b"},
                {"A=a#b\n", "a#b"},
                {"", NULL},
        };

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                g_autoptr(GHashTable) variables = tn_envfile_parse(cases[i].text);
                const char *value = g_hash_table_lookup(variables, "A");

                if (g_strcmp0(value, cases[i].value) != 0)
                        fail_msg("%s gives %s", cases[i].text, value ? value : "nothing");
        }
}

static void assert_osinfo(struct machine *machine, const char *expected)
{
        json_t *reply = machine_run(machine, "guest-get-osinfo");

        assert_reply_type("guest-get-osinfo", reply);
        assert_json(reply, expected);
        json_decref(reply);
}

static void test_osinfo(void **state)
{
        g_autoptr(machine_t) machine = machine_new();

        (void) state;
        assert_osinfo(machine, "{}"); /* nothing known, nothing said */

        machine_add(machine, "usr/lib/os-release = ID=vendor\nusr/lib/os-release = NAME='Vendor OS'\n"
                             "proc/sys/kernel/osrelease = 6.1.0-9-amd64\n"
                             "proc/sys/kernel/version = #1 SMP Debian");
        assert_osinfo(machine, "{\"id\": \"vendor\", \"name\": \"Vendor OS\", \"kernel-release\":"
                               " \"6.1.0-9-amd64\", \"kernel-version\": \"#1 SMP Debian\"}");

        machine_add(machine, "etc/os-release = ID=local\netc/os-release = PRETTY_NAME=\"Local \\\"OS\\\"\"\n"
                             "etc/os-release = VERSION=\"1 (One)\"\netc/os-release = VERSION_ID='1'\n"
                             "etc/os-release = VARIANT=Server\netc/os-release = VARIANT_ID=server");
        g_free(machine->env.machine);
        machine->env.machine = g_strdup("s390x");
        assert_osinfo(machine,
                      "{\"id\": \"local\", \"pretty-name\": \"Local \\\"OS\\\"\", \"version\": \"1 (One)\","
                      " \"version-id\": \"1\", \"variant\": \"Server\", \"variant-id\": \"server\","
                      " \"kernel-release\": \"6.1.0-9-amd64\", \"kernel-version\": \"#1 SMP Debian\","
                      " \"machine\": \"s390x\"}");
}

/* QGA_OS_RELEASE of the peer replaces both files, also when it leads nowhere. */
static void test_chosen_os_release(void **state)
{
        g_autoptr(machine_t) machine = machine_new();

        (void) state;
        machine_add(machine, "etc/os-release = ID=local\nsrv/mine = ID=\"chosen\"");
        machine_set(machine, "os-release", "/srv/mine");
        assert_osinfo(machine, "{\"id\": \"chosen\"}");
        machine_set(machine, "os-release", "/srv/none");
        assert_osinfo(machine, "{}");
        machine_set(machine, "os-release", "");
        assert_osinfo(machine, "{\"id\": \"local\"}");
}

/* Bytes that are not UTF-8 must not cost the answer. */
static void test_broken_text(void **state)
{
        static const char text[] = "NAME=\"Caf\xe9\"\n";
        g_autoptr(machine_t) machine = machine_new();

        (void) state;
        machine_write(machine, "etc/os-release", text, sizeof text - 1);
        assert_osinfo(machine, "{\"name\": \"Caf\xef\xbf\xbd\"}");
}

static void assert_reply(struct machine *machine, const char *command, const char *expected)
{
        json_t *reply = machine_run(machine, command);

        assert_reply_type(command, reply);
        assert_json(reply, expected);
        json_decref(reply);
}

static void test_host_name(void **state)
{
        g_autoptr(machine_t) machine = machine_new();

        (void) state;
        machine_add(machine, "etc/hostname = from-file");
        assert_reply(machine, "guest-get-host-name", "{\"host-name\": \"from-file\"}");
        machine_add(machine, "proc/sys/kernel/hostname = from-kernel");
        assert_reply(machine, "guest-get-host-name", "{\"host-name\": \"from-kernel\"}");
}

static uint64_t fake_seconds;

static uint64_t fake_now(const struct tn_env *env, clockid_t clock)
{
        (void) env;
        (void) clock;
        return fake_seconds * G_USEC_PER_SEC;
}

/* A zone file of the second version: one type of local time, no transitions, and a rule for the future. */
static void write_zone(struct machine *machine, const char *path, gint32 offset, const char *name,
                       const char *rule)
{
        const char header[44] = {'T', 'Z', 'i', 'f', '2', [39] = 1, [43] = (char) (strlen(name) + 1)};
        const gint32 type_offset = GINT32_TO_BE(offset);
        g_autoptr(GString) file = g_string_new(NULL);

        for (int version = 1; version <= 2; version++) {
                g_string_append_len(file, header, sizeof header);
                g_string_append_len(file, (const char *) &type_offset, sizeof type_offset);
                g_string_append_len(file, "\0\0", 2); /* no daylight saving; the first name */
                g_string_append_len(file, name, (gssize) strlen(name) + 1);
        }
        g_string_append_printf(file, "\n%s\n", rule);
        machine_write(machine, path, file->str, file->len);
}

static void test_timezone(void **state)
{
        g_autoptr(machine_t) machine = machine_new();

        (void) state;
        machine->env.now_usec = fake_now;
        fake_seconds = 1784000000;                                                         /* July 2026 */
        assert_reply(machine, "guest-get-timezone", "{\"zone\": \"UTC\", \"offset\": 0}"); /* no file */

        write_zone(machine, "usr/share/zoneinfo/Europe/Berlin", 3600, "CET", "CET-1CEST,M3.5.0,M10.5.0/3");
        machine_add(machine, "etc/localtime -> /usr/share/zoneinfo/Europe/Berlin");
        assert_reply(machine, "guest-get-timezone", "{\"zone\": \"CEST\", \"offset\": 7200}");
        fake_seconds = 1767225600; /* January 2026 */
        assert_reply(machine, "guest-get-timezone", "{\"zone\": \"CET\", \"offset\": 3600}");

        /* the guest moves while we run */
        write_zone(machine, "usr/share/zoneinfo/Europe/Berlin", -12600, "-0330", "<-0330>3:30");
        assert_reply(machine, "guest-get-timezone", "{\"zone\": \"-0330\", \"offset\": -12600}");

        machine_write(machine, "usr/share/zoneinfo/Europe/Berlin", "rubbish", 7);
        assert_reply(machine, "guest-get-timezone", "{\"zone\": \"UTC\", \"offset\": 0}");
}

static void add_record(GByteArray *bytes, short type, const char *user, int seconds, int usec)
{
        struct utmp record = {.ut_type = type};

        memcpy(record.ut_user, user, MIN(strlen(user), sizeof record.ut_user));
        record.ut_tv.tv_sec = seconds;
        record.ut_tv.tv_usec = usec;
        g_byte_array_append(bytes, (guint8 *) &record, sizeof record);
}

static void test_utmp(void **state)
{
        g_autoptr(GHashTable) users = tn_users_new();
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        json_t *reply;

        (void) state;
        add_record(bytes, BOOT_TIME, "reboot", 100, 0);
        add_record(bytes, USER_PROCESS, "alice", 2000, 500000);
        add_record(bytes, USER_PROCESS, "alice", 1000, 250000);
        add_record(bytes, USER_PROCESS, "alice", 3000, 0);
        add_record(bytes, DEAD_PROCESS, "bob", 900, 0);
        add_record(bytes, USER_PROCESS, "", 800, 0);
        add_record(bytes, USER_PROCESS, "name-of-exactly-thirty-two-bytes", 700, 0);
        g_byte_array_append(bytes, (const guint8 *) "half a record", 13);
        tn_users_add_utmp(users, bytes->data, bytes->len);
        reply = tn_users_json(users, false);
        assert_reply_type("guest-get-users", reply);
        assert_json(reply, "[{\"user\": \"name-of-exactly-thirty-two-bytes\", \"login-time\": 700.0},"
                           " {\"user\": \"alice\", \"login-time\": 1000.25}]");
        json_decref(reply);
        reply = tn_users_json(users, true);
        assert_json(
                reply,
                "[{\"user\": \"name-of-exactly-thirty-two-bytes\", \"login-time\": 700.0, \"sessions\": 1},"
                " {\"user\": \"alice\", \"login-time\": 1000.25, \"sessions\": 3}]");
        json_decref(reply);
}

/* After 2038 the 32-bit seconds of utmp are negative for who reads them as int. */
static void test_utmp_after_2038(void **state)
{
        g_autoptr(GHashTable) users = tn_users_new();
        g_autoptr(GByteArray) bytes = g_byte_array_new();
        struct utmp record = {.ut_type = USER_PROCESS, .ut_user = "late"};
        json_t *reply;

        (void) state;
        record.ut_tv.tv_sec = (__typeof__(record.ut_tv.tv_sec)) 2200000000U;
        g_byte_array_append(bytes, (guint8 *) &record, sizeof record);
        tn_users_add_utmp(users, bytes->data, bytes->len);
        reply = tn_users_json(users, false);
        assert_json(reply, "[{\"user\": \"late\", \"login-time\": 2200000000.0}]");
        json_decref(reply);
}

static void test_users_of_logind(void **state)
{
        g_autoptr(machine_t) machine = machine_new();
        g_autoptr(GByteArray) utmp = g_byte_array_new();

        (void) state;
        assert_reply(machine, "guest-get-users", "[]");
        machine_add(machine,
                    "run/systemd/sessions/1 = UID=0\nrun/systemd/sessions/1 = USER=root\n"
                    "run/systemd/sessions/1 = CLASS=user\nrun/systemd/sessions/1 = STATE=active\n"
                    "run/systemd/sessions/1 = REALTIME=1700000000250000\n"
                    "run/systemd/sessions/4 = UID=0\nrun/systemd/sessions/4 = USER=root\n"
                    "run/systemd/sessions/4 = CLASS=user-early\n"
                    "run/systemd/sessions/4 = REALTIME=1600000000000000\n"
                    "run/systemd/sessions/c1 = USER=gdm\nrun/systemd/sessions/c1 = CLASS=greeter\n"
                    "run/systemd/sessions/c1 = REALTIME=1\n"
                    "run/systemd/sessions/5 = USER=gone\nrun/systemd/sessions/5 = STATE=closing\n"
                    "run/systemd/sessions/5 = REALTIME=1\n"
                    "run/systemd/sessions/6 = UID=1000\nrun/systemd/sessions/6 = REALTIME=1650000000000000\n"
                    "run/systemd/users/1000 = NAME=carol\n"
                    "run/systemd/sessions/6.ref = USER=a-pipe\nrun/systemd/sessions/6.ref = REALTIME=1\n"
                    "run/systemd/sessions/7 = USER=timeless");
        assert_reply(machine, "guest-get-users",
                     "[{\"user\": \"root\", \"login-time\": 1600000000.0},"
                     " {\"user\": \"carol\", \"login-time\": 1650000000.0}]");
        /* utmp adds, and the earlier login wins */
        add_record(utmp, USER_PROCESS, "dave", 1500000000, 0);
        add_record(utmp, USER_PROCESS, "root", 1690000000, 0);
        add_record(utmp, USER_PROCESS, "carol", 1640000000, 0);
        machine_write(machine, "var/run/utmp", utmp->data, utmp->len);
        assert_reply(machine, "guest-get-users",
                     "[{\"user\": \"dave\", \"login-time\": 1500000000.0},"
                     " {\"user\": \"root\", \"login-time\": 1600000000.0},"
                     " {\"user\": \"carol\", \"login-time\": 1640000000.0}]");
}

static bool speaks(int inotify_fd)
{
        struct pollfd ready = {.fd = inotify_fd, .events = POLLIN};
        char scrap[4096];

        return poll(&ready, 1, 0) == 1 && read(inotify_fd, scrap, sizeof scrap) > 0;
}

/* A login is a record that is renamed into its place, a logout one that goes, a terminal a line of utmp. */
static void test_watch_of_users(void **state)
{
        g_autoptr(machine_t) machine = machine_new();
        g_autofree char *beside = g_build_filename(machine->root, "run/systemd/sessions/.tmp", NULL);
        g_autofree char *record = g_build_filename(machine->root, "run/systemd/sessions/1", NULL);
        int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

        (void) state;
        assert_false(tn_users_watch(&machine->env, fd)); /* not even /run */
        machine_add(machine, "run/other = 1");
        assert_true(tn_users_watch(&machine->env, fd));
        machine_add(machine, "run/systemd/users/1 = 1"); /* systemd comes up, */
        assert_true(speaks(fd));
        assert_true(tn_users_watch(&machine->env, fd));
        machine_add(machine, "run/systemd/sessions/.tmp = USER=alice"); /* then logind, */
        assert_true(speaks(fd));
        assert_true(tn_users_watch(&machine->env, fd));
        machine_add(machine, "run/another = 1"); /* and what else happens in /run wakes nobody any more */
        assert_false(speaks(fd));
        assert_int_equal(rename(beside, record), 0);
        assert_true(speaks(fd));
        assert_int_equal(unlink(record), 0);
        assert_true(speaks(fd));
        machine_add(machine, "run/utmp = x");
        assert_true(tn_users_watch(&machine->env, fd));
        assert_false(speaks(fd));
        machine_add(machine, "run/utmp = y");
        assert_true(speaks(fd));
        close(fd);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_values),
                cmocka_unit_test(test_osinfo),
                cmocka_unit_test(test_chosen_os_release),
                cmocka_unit_test(test_broken_text),
                cmocka_unit_test(test_host_name),
                cmocka_unit_test(test_timezone),
                cmocka_unit_test(test_utmp),
                cmocka_unit_test(test_utmp_after_2038),
                cmocka_unit_test(test_users_of_logind),
                cmocka_unit_test(test_watch_of_users),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
