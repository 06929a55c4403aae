/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Asking package managers: stand-ins for them, real programs in a folder, that are slow, locked, talk
 * rubbish or never stop talking; and lists that are old. */
#include "update/manager.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "support.h"

#define CURRENT                                                                                             \
        "tenon:\\n  Installed: 0.1.0-1\\n  Candidate: 0.1.0-1\\n  Version table:\\n *** 0.1.0-1 500\\n"     \
        "        500 file:/r ./ Packages\\n"

static const struct machine *here; /* whose programs are run */

/* The program of the machine, not the one of this computer. */
static bool run_of_machine(const struct tn_env *env, const char *const *argv, unsigned deadline_s,
                           struct tn_progress *progress, struct tn_tool_result *ret, GError **error)
{
        g_auto(GStrv) moved = g_strdupv((char **) argv);
        struct tn_env running = *env;

        running.recorded = false;
        g_free(moved[0]);
        moved[0] = machine_path(here, argv[0] + 1);
        return tn_tool_run(&running, (const char *const *) moved, deadline_s, progress, ret, error);
}

/* A machine with dpkg's database and @script as apt-cache; lists that were fetched @days ago. */
static struct machine *machine_with(const char *script, unsigned days)
{
        struct machine *machine = machine_new();
        g_autofree char *text = g_strdup_printf("#!/bin/sh\n%s\n", script);
        g_autofree char *program = NULL, *lists = NULL;
        struct timespec times[2];

        machine_write(machine, "usr/bin/apt-cache", text);
        machine_write(machine, "var/lib/dpkg/status", "");
        machine_write(machine, "var/lib/apt/lists/lock", "");
        program = machine_path(machine, "usr/bin/apt-cache");
        lists = machine_path(machine, "var/lib/apt/lists");
        assert_int_equal(chmod(program, 0755), 0);
        machine->realtime_usec = UINT64_C(1795694400) * G_USEC_PER_SEC;
        times[0].tv_sec = times[1].tv_sec = 1795694400 - (time_t) days * 86400;
        times[0].tv_nsec = times[1].tv_nsec = 0;
        assert_int_equal(utimensat(AT_FDCWD, lists, times, 0), 0);
        here = machine;
        return machine;
}

static struct tn_verdict *ask(const struct machine *machine, const char *name, unsigned deadline_s,
                              GError **error)
{
        const struct tn_update_manager request = {name, "tenon", 30, deadline_s, run_of_machine};

        return tn_update_manager_ask(&machine->env, &request, error);
}

static void answers(void **state)
{
        g_autoptr(machine_t) machine = machine_with("printf '" CURRENT "'; echo \"$*\" >\"$0.asked\"", 1);
        g_autoptr(tn_verdict_t) verdict = ask(machine, "auto", 10, NULL);
        g_autofree char *asked = tn_env_read_line(&machine->env, "usr/bin/apt-cache.asked");

        (void) state;
        assert_non_null(verdict);
        assert_int_equal(verdict->status, TN_UPDATE_CURRENT);
        assert_string_equal(verdict->source, "apt");
        assert_string_equal(verdict->verified_by, "apt");
        assert_string_equal(asked, "-q policy -- tenon");
}

static const struct {
        const char *script;
        unsigned deadline_s;
        const char *message; /* a part of it */
} failures[] = {
        /* It and what it started never stop, and it never stops talking. */
        {"sleep 60 & yes rubbish", 1, "did not answer within 1 s"},
        {"echo 'E: Could not get lock /var/lib/dpkg/lock'; exit 100", 10,
         "exit status 100: E: Could not get lock"},
        {"kill -9 $$", 10, "exit status -1"},
        {"head -c 3000 /dev/zero | tr '\\0' '\\377'", 10, "is not understood"},
        {"yes 'tenon:' | head -c 3000000", 20, "is not understood"},
        {"printf 'tenon:\\n  Installed: `reboot`\\n  Candidate: 1\\n'", 10, "something else than a version"},
};

static void failures_are_unknown(void **state)
{
        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(failures); i++) {
                g_autoptr(machine_t) machine = machine_with(failures[i].script, 1);
                g_autoptr(tn_verdict_t) verdict = ask(machine, "auto", failures[i].deadline_s, NULL);

                assert_int_equal(verdict->status, TN_UPDATE_UNKNOWN);
                assert_contains(verdict->message, failures[i].message);
        }
}

static void old_lists_say_nothing(void **state)
{
        g_autoptr(machine_t) machine = machine_with("printf '" CURRENT "'", 31);
        g_autoptr(tn_verdict_t) verdict = ask(machine, "auto", 10, NULL);

        (void) state;
        assert_int_equal(verdict->status, TN_UPDATE_UNKNOWN);
        assert_string_equal(
                verdict->message,
                "the lists of packages are 31 days old, so that they say nothing; try apt-get update");
}

static void old_lists_may_say_that_there_is_a_newer_one(void **state)
{
        g_autoptr(tn_verdict_t) verdict = tn_verdict_new(TN_VERDICT_PACKAGES, "apt");

        (void) state;
        verdict->status = TN_UPDATE_OUT_OF_DATE;
        tn_update_judge_age(verdict, 1000 * 86400, 30, "x");
        assert_int_equal(verdict->status, TN_UPDATE_OUT_OF_DATE);
        verdict->status = TN_UPDATE_CURRENT;
        tn_update_judge_age(verdict, 1000 * 86400, 0, "x");
        tn_update_judge_age(verdict, -1, 30, "x");
        assert_int_equal(verdict->status, TN_UPDATE_CURRENT);
}

/* apt-cache is there, but the machine is another distribution's. */
static void database_tells_whose_machine_it_is(void **state)
{
        g_autoptr(machine_t) machine = machine_new();
        GError *error = NULL;

        (void) state;
        machine_write(machine, "usr/bin/apt-cache", "");
        assert_null(ask(machine, "auto", 10, &error));
        assert_null(error);
        assert_null(ask(machine, "dnf", 10, &error));
        assert_error(error, TN_ERROR_NOT_FOUND,
                     "package-manager=dnf in [update] of tenond.conf, but there is none here");
}

/* dnf and zypper fail when there is no such package; the machine is theirs by its database. */
static void no_such_package_is_no_failure(void **state)
{
        static const struct {
                const char *name, *script;
        } others[] = {{"dnf", "#!/bin/sh\necho 'Error: No matching Packages to list' >&2; exit 1\n"},
                      {"zypper", "#!/bin/sh\necho \"package 'tenon' not found.\"; exit 104\n"}};

        (void) state;
        for (size_t i = 0; i < G_N_ELEMENTS(others); i++) {
                g_autoptr(machine_t) machine = machine_new();
                g_autofree char *path = g_strconcat("usr/bin/", others[i].name, NULL), *program = NULL;
                g_autoptr(tn_verdict_t) verdict = NULL;

                here = machine;
                machine_write(machine, path, others[i].script);
                machine_write(machine, "var/lib/rpm/Packages", "");
                program = machine_path(machine, path);
                assert_int_equal(chmod(program, 0755), 0);
                verdict = ask(machine, "auto", 10, NULL);
                assert_string_equal(verdict->source, others[i].name);
                assert_int_equal(verdict->status, TN_UPDATE_UNMANAGED);
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(answers),
                cmocka_unit_test(failures_are_unknown),
                cmocka_unit_test(old_lists_say_nothing),
                cmocka_unit_test(old_lists_may_say_that_there_is_a_newer_one),
                cmocka_unit_test(no_such_package_is_no_failure),
                cmocka_unit_test(database_tells_whose_machine_it_is),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
