/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-get-osinfo and guest-get-host-name: what system this is. The kernel's names come from uname(2) on
 * the running machine and from /proc/sys/kernel of a recorded one; the distribution's from os-release(5),
 * or from the file that the setting guestinfo/os-release names instead (the peer's QGA_OS_RELEASE).
 */
#define _GNU_SOURCE /* O_PATH */
#include <fcntl.h>
#include <limits.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/json.h"
#include "plugins/guestinfo/envfile.h"
#include "plugins/guestinfo/guestinfo.h"

static const struct {
        const char *field, *variable;
} release_fields[] = {
        {"id", "ID"},
        {"name", "NAME"},
        {"pretty-name", "PRETTY_NAME"},
        {"version", "VERSION"},
        {"version-id", "VERSION_ID"},
        {"variant", "VARIANT"},
        {"variant-id", "VARIANT_ID"},
};

/* Paths to try, one after the other, ended by NULL. */
static void release_paths(struct tenon_host *host, const char *ret_paths[3])
{
        const char *chosen = host->config(host, TN_GUESTINFO_GROUP, "os-release");
        bool is_chosen = chosen && *chosen;

        ret_paths[0] = is_chosen ? chosen + strspn(chosen, "/") : "etc/os-release";
        ret_paths[1] = is_chosen ? NULL : "usr/lib/os-release";
        ret_paths[2] = NULL;
}

static bool read_release(struct tenon_host *host, char **ret_text)
{
        const char *paths[3];

        release_paths(host, paths);
        for (size_t i = 0; paths[i]; i++)
                if (tn_env_read(host->env, paths[i], ret_text, NULL, NULL))
                        return true;
        return false;
}

int tn_osinfo_open_release(struct tenon_host *host)
{
        const char *paths[3];

        release_paths(host, paths);
        for (size_t i = 0; paths[i]; i++) {
                int fd = tn_env_open(host->env, paths[i], O_PATH, NULL);

                if (fd >= 0)
                        return fd;
        }
        return -1;
}

static void add_release(json_t *info, const char *text)
{
        g_autoptr(GHashTable) variables = tn_envfile_parse(text);

        for (size_t i = 0; i < G_N_ELEMENTS(release_fields); i++)
                tn_json_set_text(info, release_fields[i].field,
                                 g_hash_table_lookup(variables, release_fields[i].variable));
}

static void add_running_kernel(json_t *info)
{
        struct utsname uts;

        if (uname(&uts) < 0)
                return;
        tn_json_set_text(info, "kernel-release", uts.release);
        tn_json_set_text(info, "kernel-version", uts.version);
        tn_json_set_text(info, "machine", uts.machine);
}

static void add_recorded_kernel(const struct tn_env *env, json_t *info)
{
        g_autofree char *release = tn_env_read_line(env, "proc/sys/kernel/osrelease");
        g_autofree char *version = tn_env_read_line(env, "proc/sys/kernel/version");

        tn_json_set_text(info, "kernel-release", release);
        tn_json_set_text(info, "kernel-version", version);
        if (strcmp(env->machine, "unknown") != 0)
                tn_json_set_text(info, "machine", env->machine);
}

json_t *tn_osinfo_fact(struct tenon_host *host, GError **error)
{
        g_autofree char *release = NULL;
        json_t *info = json_object();

        (void) error; /* all fields are optional: what is not known is not said */
        if (host->env->recorded)
                add_recorded_kernel(host->env, info);
        else
                add_running_kernel(info);
        if (read_release(host, &release))
                add_release(info, release);
        return info;
}

json_t *tn_osinfo_run(struct tenon_host *host, json_t *args, GError **error)
{
        (void) args;
        return tn_osinfo_fact(host, error);
}

static char *recorded_host_name(const struct tn_env *env)
{
        char *name = tn_env_read_line(env, "proc/sys/kernel/hostname");

        return name ? name : tn_env_read_line(env, "etc/hostname");
}

json_t *tn_osinfo_run_host_name(struct tenon_host *host, json_t *args, GError **error)
{
        char running[HOST_NAME_MAX + 1] = "";
        g_autofree char *recorded = NULL;
        json_t *reply;

        (void) args;
        if (host->env->recorded) {
                recorded = recorded_host_name(host->env);
        } else if (gethostname(running, sizeof running - 1) < 0) {
                (void) tn_error_errno(error, errno, "get the host name");
                return NULL;
        }
        reply = json_object();
        tn_json_set_text(reply, "host-name", recorded ? recorded : running);
        return reply;
}
