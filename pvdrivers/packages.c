/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of package managers, and asking them. */
#define _GNU_SOURCE
#include "pvdrivers/packages.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

#define ASK_DEADLINE_S      120
#define REFRESH_DEADLINE_S  600
#define SIMULATE_DEADLINE_S 3600

/* Of zypper(8): a reboot, or itself anew, is needed; a repository was skipped; a package's script failed. */
#define ZYPPER_REBOOT  102
#define ZYPPER_RESTART 103
#define ZYPPER_SKIPPED 106
#define ZYPPER_SCRIPT  107

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

/* Command lines after the program's name; the packages follow. Of a query, "%s" is what is asked for. */
struct manager {
        const char *name;     /* as package-manager= has it */
        const char *database; /* there is one here: this machine is managed by it */
        const char *program;
        const char *const *refresh;
        const char *const *install;
        const char *const *simulate;
        const char *const *upgrade;
        const char *remove_program; /* that takes nothing else along, as the manager itself would; or NULL */
        const char *const *remove;
        const char *query_program;
        const char *const *query; /* ends with success and some output when the package is known */
        const char *known;        /* what that output has then, or NULL: anything */
        const char *locks[3];     /* files that its kind locks by fcntl(2) */
        int fine[4];              /* exit statuses that say more than 0 does, but that it was done */
        bool simulate_fails;      /* it ends without success when it only told what it would do */
};

/* None of them may remove a package to make room for another: apt-get and zypper would, unasked. */
static const struct manager managers[] = {
        {
                .name = "apt",
                .database = "var/lib/dpkg",
                .program = "apt-get",
                .refresh = WORDS("-q", "update"),
                .install = WORDS("-y", "-q", "-o", "Dpkg::Options::=--force-confold", "-o",
                                 "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=0", "--no-remove",
                                 "--no-install-recommends", "install", "--"),
                .simulate = WORDS("-s", "-q", "--no-remove", "--no-install-recommends", "install", "--"),
                .upgrade = WORDS("-y", "-q", "-o", "Dpkg::Options::=--force-confold", "-o",
                                 "Dpkg::Use-Pty=0", "-o", "DPkg::Lock::Timeout=0", "--no-remove",
                                 "--only-upgrade", "install", "--"),
                .remove_program = "dpkg",
                .remove = WORDS("--remove"),
                .query_program = "apt-cache",
                .query = WORDS("-q", "policy", "%s"),
                .known = "Candidate: ",
                .locks = {"var/lib/dpkg/lock-frontend", "var/lib/dpkg/lock"},
        },
        {
                .name = "dnf",
                .database = "var/lib/rpm",
                .program = "dnf",
                .refresh = WORDS("-q", "makecache"),
                .install = WORDS("-y", "--setopt=install_weak_deps=False", "install"),
                .simulate = WORDS("--assumeno", "--setopt=install_weak_deps=False", "install"),
                .upgrade = WORDS("-y", "--best", "upgrade"),
                .remove_program = "rpm",
                .remove = WORDS("-e"),
                .query_program = "dnf",
                .query = WORDS("-q", "repoquery", "%s"),
                .simulate_fails = true,
        },
        {
                .name = "zypper",
                .database = "var/lib/rpm",
                .program = "zypper",
                .refresh = WORDS("--non-interactive", "refresh"),
                .install = WORDS("--non-interactive", "install", "--no-recommends", "--no-force-resolution"),
                .simulate = WORDS("--non-interactive", "install", "--dry-run", "--no-recommends",
                                  "--no-force-resolution"),
                .upgrade = WORDS("--non-interactive", "update", "--no-force-resolution"),
                .remove_program = "rpm",
                .remove = WORDS("-e"),
                .fine = {ZYPPER_REBOOT, ZYPPER_RESTART, ZYPPER_SKIPPED, ZYPPER_SCRIPT},
                .query_program = "zypper",
                .query = WORDS("--non-interactive", "--no-refresh", "search", "--match-exact", "%s"),
        },
        {
                .name = "apk",
                .database = "lib/apk/db/installed",
                .program = "apk",
                .refresh = WORDS("update"),
                .install = WORDS("--no-interactive", "--wait", "1", "add"),
                .simulate = WORDS("--no-interactive", "--simulate", "add"),
                .upgrade = WORDS("--no-interactive", "--wait", "1", "add", "--upgrade"),
                .remove = WORDS("--no-interactive", "--wait", "1", "del"),
                .query_program = "apk",
                .query = WORDS("search", "--exact", "%s"),
        },
};

struct tn_packages {
        const struct tn_env *env;
        tn_tool_run_func run;
        const struct manager *manager;
};

/* Of the name, or of any (NULL). With @managed, only one whose database is here. */
static const struct manager *find(const struct tn_env *env, const char *name, bool managed)
{
        for (size_t i = 0; i < G_N_ELEMENTS(managers); i++) {
                const struct manager *manager = &managers[i];
                g_autofree char *path = NULL;

                if ((name && !g_str_equal(name, manager->name)) ||
                    (managed && !tn_env_exists(env, manager->database)))
                        continue;
                path = tn_tool_find(env, manager->program);
                if (path)
                        return manager;
        }
        return NULL;
}

struct tn_packages *tn_packages_new(const struct tn_env *env, const char *name, tn_tool_run_func run,
                                    GError **error)
{
        const char *wanted = g_strcmp0(name, "auto") == 0 ? NULL : name;
        const struct manager *manager = find(env, wanted, true);
        struct tn_packages *packages;

        /* A program of another distribution comes last; a manager that was named needs no database. */
        if (!manager)
                manager = find(env, wanted, false);
        if (!manager) {
                (void) (wanted ? tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                              "this guest has no %s, which package-manager= names", wanted)
                               : tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                              "this guest has no package manager that is known here "
                                              "(apt-get, dnf, "
                                              "zypper, apk); install the package in the way of your "
                                              "distribution"));
                return NULL;
        }
        packages = g_new0(struct tn_packages, 1);
        *packages = (struct tn_packages){env, run ? run : tn_tool_run, manager};
        return packages;
}

void tn_packages_free(struct tn_packages *packages)
{
        g_free(packages);
}

const char *tn_packages_name(const struct tn_packages *packages)
{
        return packages->manager->program;
}

/* "apt" for the process @pid, for people. */
static char *process_name(const struct tn_env *env, pid_t pid)
{
        g_autofree char *path = g_strdup_printf("proc/%d/comm", (int) pid);

        return tn_env_read_line(env, path);
}

static bool check_lock(const struct tn_packages *packages, const char *path, GError **error)
{
        tn_autofd int fd = tn_env_open(packages->env, path, O_RDWR, NULL);
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        g_autofree char *name = NULL;

        if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
                return true;
        name = process_name(packages->env, lock.l_pid);
        return tn_error_set(
                error, TN_ERROR_BUSY,
                "the package database is in use: process %d (%s) holds /%s; nothing was changed. Try "
                "again when it has ended",
                (int) lock.l_pid, name ? name : "unknown", path);
}

bool tn_packages_check_lock(const struct tn_packages *packages, GError **error)
{
        for (const char *const *path = packages->manager->locks; *path; path++)
                if (!check_lock(packages, *path, error))
                        return false;
        return true;
}

bool tn_packages_check_idle(const struct tn_env *env, GError **error)
{
        g_autoptr(tn_packages_t) packages = tn_packages_new(env, NULL, NULL, NULL);

        return !packages || tn_packages_check_lock(packages, error);
}

/* @program with @words, "%s" replaced by @asked, then @names. Free with g_strfreev(). */
static char **build_argv(const struct tn_packages *packages, const char *program, const char *const *words,
                         const char *asked, const char *const *names)
{
        g_autoptr(GPtrArray) argv = g_ptr_array_new();
        char *path = tn_tool_find(packages->env, program);

        g_ptr_array_add(argv, path ? path : g_strconcat("/usr/bin/", program, NULL));
        for (; *words; words++)
                g_ptr_array_add(argv, g_strdup(g_str_equal(*words, "%s") ? asked : *words));
        for (; names && *names; names++)
                g_ptr_array_add(argv, g_strdup(*names));
        g_ptr_array_add(argv, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&argv), FALSE);
}

static bool run_manager(const struct tn_packages *packages, const char *const *words,
                        const char *const *names, unsigned deadline_s, struct tn_progress *progress,
                        GError **error)
{
        g_auto(GStrv) argv = build_argv(packages, packages->manager->program, words, NULL, names);
        g_auto(tn_tool_result_t) result = {0};

        if (!packages->run(packages->env, (const char *const *) argv, deadline_s, progress, &result, error))
                return false;
        for (size_t i = 0; i < G_N_ELEMENTS(packages->manager->fine); i++)
                if (packages->manager->fine[i] && result.exit_status == packages->manager->fine[i])
                        return true;
        return tn_tool_judge(argv[0], deadline_s, &result, error);
}

bool tn_packages_refresh(const struct tn_packages *packages, struct tn_progress *progress, GError **error)
{
        return run_manager(packages, packages->manager->refresh, NULL, REFRESH_DEADLINE_S, progress, error);
}

/* Names end in our command lines: nothing that could be taken for an option or a pattern. */
static bool is_name(const char *name)
{
        static const char allowed[] = G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "+-._~:";

        return g_ascii_isalnum(*name) && strspn(name, allowed) == strlen(name);
}

bool tn_packages_knows(const struct tn_packages *packages, const char *name)
{
        g_auto(GStrv) argv = build_argv(packages, packages->manager->query_program, packages->manager->query,
                                        name, NULL);
        g_autofree char *output = NULL;

        if (!is_name(name) || !tn_tool_must(packages->run, packages->env, (const char *const *) argv,
                                            ASK_DEADLINE_S, NULL, &output, NULL))
                return false;
        g_strstrip(output);
        if (packages->manager->known && !strstr(output, packages->manager->known))
                return false;
        /* apt-cache also answers for packages that others only name. */
        return *output && !strstr(output, "Candidate: (none)");
}

char *tn_packages_find_module(const struct tn_packages *packages, const char *release, const char *module)
{
        g_autofree char *file = g_strdup_printf("*/modules/%s/*/%s.ko*", release, module);
        const char *const words[] = {
                "-q",     "repoquery", "--queryformat", "%{name}-%{version}-%{release}.%{arch}\n",
                "--file", NULL};
        const char *const asked[] = {file, NULL};
        g_auto(GStrv) argv = NULL;
        g_autofree char *output = NULL;

        if (!g_str_equal(packages->manager->program, "dnf") || !is_name(release) || !is_name(module))
                return NULL;
        argv = build_argv(packages, "dnf", words, NULL, asked);
        if (!tn_tool_must(packages->run, packages->env, (const char *const *) argv, ASK_DEADLINE_S, NULL,
                          &output, NULL))
                return NULL;
        g_strstrip(output);
        output[strcspn(output, "\r\n")] = '\0';
        return is_name(output) ? g_steal_pointer(&output) : NULL;
}

static bool simulate(const struct tn_packages *packages, const char *const *names,
                     struct tn_progress *progress, GError **error)
{
        const struct manager *manager = packages->manager;
        g_auto(GStrv) argv = build_argv(packages, manager->program, manager->simulate, NULL, names);
        g_auto(tn_tool_result_t) result = {0};

        if (!manager->simulate_fails)
                return run_manager(packages, manager->simulate, names, SIMULATE_DEADLINE_S, progress, error);
        if (!packages->run(packages->env, (const char *const *) argv, SIMULATE_DEADLINE_S, progress, &result,
                           error))
                return false;
        return strstr(result.output->str, "Operation aborted") || result.exit_status == 0 ||
               tn_error_set(error, TN_ERROR_FAILED, "%s would not install this: %.400s", argv[0],
                            result.output->str);
}

static bool are_names(const char *const *names, GError **error)
{
        for (; *names; names++)
                if (!is_name(*names))
                        return tn_error_set(error, TN_ERROR_INVALID, "'%s' is no name of a package", *names);
        return true;
}

bool tn_packages_install(const struct tn_packages *packages, const char *const *names, bool dry_run,
                         struct tn_progress *progress, GError **error)
{
        if (!are_names(names, error))
                return false;
        if (dry_run)
                return simulate(packages, names, progress, error);
        return tn_packages_check_lock(packages, error) &&
               run_manager(packages, packages->manager->install, names, TN_TOOL_TO_ITS_END, progress, error);
}

bool tn_packages_upgrade(const struct tn_packages *packages, const char *const *names,
                         struct tn_progress *progress, GError **error)
{
        return are_names(names, error) && tn_packages_check_lock(packages, error) &&
               run_manager(packages, packages->manager->upgrade, names, TN_TOOL_TO_ITS_END, progress, error);
}

bool tn_packages_remove(const struct tn_packages *packages, const char *const *names,
                        struct tn_progress *progress, GError **error)
{
        const struct manager *manager = packages->manager;
        const char *program = manager->remove_program ? manager->remove_program : manager->program;
        g_auto(GStrv) argv = NULL;

        if (!are_names(names, error) || !tn_packages_check_lock(packages, error))
                return false;
        argv = build_argv(packages, program, manager->remove, NULL, names);
        return tn_tool_must(packages->run, packages->env, (const char *const *) argv, TN_TOOL_TO_ITS_END,
                            progress, NULL, error);
}
