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

#define ASK_DEADLINE_S     120
#define REFRESH_DEADLINE_S 600
#define INSTALL_DEADLINE_S 3600 /* a kernel with its images on a slow disk */

/* Command lines after the program's name; the packages follow. Of a query, "%s" is what is asked for. */
struct manager {
        const char *program;
        const char *refresh[4];
        const char *install[12];
        const char *simulate[12];
        const char *upgrade[12];
        const char *remove[6];
        const char *query_program;
        const char *query[6]; /* ends with success and some output when the package is known */
        const char *known;    /* what that output has then, or NULL: anything */
        const char *locks[3]; /* files that its kind locks by fcntl(2) */
        bool simulate_fails;  /* it ends without success when it only told what it would do */
};

static const struct manager managers[] = {
        {
                .program = "apt-get",
                .refresh = {"-q", "update"},
                .install = {"-y", "-q", "-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Use-Pty=0",
                            "-o", "DPkg::Lock::Timeout=0", "--no-install-recommends", "install", "--"},
                .simulate = {"-s", "-q", "--no-install-recommends", "install", "--"},
                .upgrade = {"-y", "-q", "-o", "Dpkg::Options::=--force-confold", "-o", "Dpkg::Use-Pty=0",
                            "-o", "DPkg::Lock::Timeout=0", "--only-upgrade", "install", "--"},
                .remove = {"-y", "-q", "remove", "--"},
                .query_program = "apt-cache",
                .query = {"-q", "policy", "%s"},
                .known = "Candidate: ",
                .locks = {"var/lib/dpkg/lock-frontend", "var/lib/dpkg/lock"},
        },
        {
                .program = "dnf",
                .refresh = {"-q", "makecache"},
                .install = {"-y", "--setopt=install_weak_deps=False", "install"},
                .simulate = {"--assumeno", "--setopt=install_weak_deps=False", "install"},
                .upgrade = {"-y", "upgrade"},
                .remove = {"-y", "remove"},
                .query_program = "dnf",
                .query = {"-q", "repoquery", "%s"},
                .simulate_fails = true,
        },
        {
                .program = "zypper",
                .refresh = {"--non-interactive", "refresh"},
                .install = {"--non-interactive", "install", "--no-recommends", "--force-resolution"},
                .simulate = {"--non-interactive", "install", "--dry-run", "--no-recommends",
                             "--force-resolution"},
                .upgrade = {"--non-interactive", "update"},
                .remove = {"--non-interactive", "remove"},
                .query_program = "zypper",
                .query = {"--non-interactive", "--no-refresh", "search", "--match-exact", "%s"},
        },
        {
                .program = "apk",
                .refresh = {"update"},
                .install = {"--no-interactive", "--wait", "1", "add"},
                .simulate = {"--no-interactive", "--simulate", "add"},
                .upgrade = {"--no-interactive", "--wait", "1", "add", "--upgrade"},
                .remove = {"--no-interactive", "--wait", "1", "del"},
                .query_program = "apk",
                .query = {"search", "--exact", "%s"},
        },
};

struct tn_packages {
        const struct tn_env *env;
        tn_tool_run_func run;
        const struct manager *manager;
};

struct tn_packages *tn_packages_new(const struct tn_env *env, tn_tool_run_func run, GError **error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(managers); i++) {
                g_autofree char *path = tn_tool_find(env, managers[i].program);
                struct tn_packages *packages;

                if (!path)
                        continue;
                packages = g_new0(struct tn_packages, 1);
                *packages = (struct tn_packages){env, run ? run : tn_tool_run, &managers[i]};
                return packages;
        }
        (void) tn_error_set(
                error, TN_ERROR_UNSUPPORTED,
                "this guest has no package manager that is known here (apt-get, dnf, zypper, apk); "
                "install the driver's package in the way of your distribution");
        return NULL;
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

        return tn_tool_must(packages->run, packages->env, (const char *const *) argv, deadline_s, progress,
                            NULL, error);
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
                return run_manager(packages, manager->simulate, names, INSTALL_DEADLINE_S, progress, error);
        if (!packages->run(packages->env, (const char *const *) argv, INSTALL_DEADLINE_S, progress, &result,
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
               run_manager(packages, packages->manager->install, names, INSTALL_DEADLINE_S, progress, error);
}

bool tn_packages_upgrade(const struct tn_packages *packages, const char *const *names,
                         struct tn_progress *progress, GError **error)
{
        return are_names(names, error) && tn_packages_check_lock(packages, error) &&
               run_manager(packages, packages->manager->upgrade, names, INSTALL_DEADLINE_S, progress, error);
}

bool tn_packages_remove(const struct tn_packages *packages, const char *const *names,
                        struct tn_progress *progress, GError **error)
{
        return tn_packages_check_lock(packages, error) &&
               run_manager(packages, packages->manager->remove, names, INSTALL_DEADLINE_S, progress, error);
}
