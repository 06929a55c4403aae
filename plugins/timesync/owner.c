/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A unit that runs has a control group, so one look at a directory tells it: no bus, no fork. The table is
 * in the order of belief: where two run, the one that steers the clock more directly comes first.
 */
#include "plugins/timesync/owner.h"

#include <string.h>

static const char *const makestep[] = {"/usr/bin/chronyc", "makestep", NULL};
/* What it measured before the jump would bend what it measures now. */
static const char *const burst[] = {"/usr/bin/chronyc", "-m", "reset sources", "burst 3/5", NULL};

static const struct tn_clock_owner owners[] = {
        {"phc2sys", "system-phc2sys.slice",
         NULL}, /* the instances of a template have a slice of their own */
        {"phc2sys", "phc2sys.service", NULL},
        {"chronyd", "chrony.service", makestep, burst},
        {"chronyd", "chronyd.service", makestep, burst},
        {"chronyd", "chronyd-restricted.service", makestep, burst},
        {"ntpd", "ntpsec.service", NULL},
        {"ntpd", "ntpd.service", NULL},
        {"ntpd", "ntp.service", NULL},
        {"systemd-timesyncd", "systemd-timesyncd.service", NULL},
        {"openntpd", "openntpd.service", NULL},
        {"ptp4l", "system-ptp4l.slice", NULL}, /* with software time stamps it keeps the system clock */
        {"ptp4l", "ptp4l.service", NULL},
        {"VBoxService", "virtualbox-guest-utils.service", NULL},
        {"VBoxService", "vboxadd-service.service", NULL},
};

/* Instances of templates, and daemons without a unit of their own. */
static const struct {
        const char *comm; /* as /proc/PID/comm cuts it */
        struct tn_clock_owner owner;
} processes[] = {
        {"phc2sys", {"phc2sys", NULL, NULL}}, {"chronyd", {"chronyd", NULL, makestep, burst}},
        {"ntpd", {"ntpd", NULL, NULL}},       {"systemd-timesyn", {"systemd-timesyncd", NULL, NULL}},
        {"ptp4l", {"ptp4l", NULL, NULL}},     {"VBoxService", {"VBoxService", NULL, NULL}},
};

static const char *const slices[] = {"sys/fs/cgroup/system.slice", "sys/fs/cgroup/systemd/system.slice"};

static const struct tn_clock_owner *among_units(const struct tn_env *env, const char *slice)
{
        for (size_t i = 0; i < G_N_ELEMENTS(owners); i++) {
                g_autofree char *group = g_strdup_printf("%s/%s", slice, owners[i].unit);

                if (tn_env_exists(env, group))
                        return &owners[i];
        }
        return NULL;
}

static const struct tn_clock_owner *by_name(const char *comm)
{
        for (size_t i = 0; i < G_N_ELEMENTS(processes); i++)
                if (g_str_equal(processes[i].comm, comm))
                        return &processes[i].owner;
        return NULL;
}

static const struct tn_clock_owner *among_processes(const struct tn_env *env)
{
        g_auto(GStrv) entries = tn_env_list(env, "proc");

        for (size_t i = 0; entries && entries[i]; i++) {
                g_autofree char *path = g_strdup_printf("proc/%s/comm", entries[i]);
                g_autofree char *comm = g_ascii_isdigit(entries[i][0]) ? tn_env_read_line(env, path) : NULL;
                const struct tn_clock_owner *owner = comm ? by_name(comm) : NULL;

                if (owner)
                        return owner;
        }
        return NULL;
}

const struct tn_clock_owner *tn_clock_owner_find(const struct tn_env *env)
{
        for (size_t i = 0; i < G_N_ELEMENTS(slices); i++)
                if (tn_env_exists(env, slices[i]))
                        return among_units(env, slices[i]);
        return among_processes(env);
}
