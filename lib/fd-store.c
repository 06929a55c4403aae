/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* sd_listen_fds_with_names(3) and sd_pid_notify_with_fds(3). */
#include "lib/fd-store.h"

#include <glib.h>
#include <systemd/sd-daemon.h>

int tn_fd_store_find(const char *name)
{
        g_auto(GStrv) names = NULL;
        int n = sd_listen_fds_with_names(0, &names);

        for (int i = 0; i < n; i++)
                if (g_str_equal(names[i], name))
                        return SD_LISTEN_FDS_START + i;
        return -1;
}

int tn_fd_store_find_other(const char *const *known, int *ret_number)
{
        g_auto(GStrv) names = NULL;
        int n = sd_listen_fds_with_names(0, &names);
        int found = -1, number = 0;

        for (int i = 0; i < n; i++)
                if (!g_strv_contains(known, names[i])) {
                        found = SD_LISTEN_FDS_START + i;
                        number++;
                }
        if (number > 1)
                *ret_number = number;
        return number > 1 ? -2 : found;
}

void tn_fd_store_keep_from_children(void)
{
        (void) sd_listen_fds(0); /* sets FD_CLOEXEC */
}

void tn_fd_store_forget(void)
{
        (void) sd_listen_fds(1); /* unsets the variables */
}

bool tn_fd_store_exists(void)
{
        return g_getenv("NOTIFY_SOCKET") != NULL;
}

bool tn_fd_store_put(const char *name, int fd)
{
        /* Without FDPOLL=0 systemd would drop it as soon as poll(2) tells of an error. */
        g_autofree char *state = g_strdup_printf("FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);

        return sd_pid_notify_with_fds(0, 0, state, &fd, 1) > 0;
}

void tn_fd_store_drop(const char *name)
{
        g_autofree char *state = g_strdup_printf("FDSTOREREMOVE=1\nFDNAME=%s", name);

        (void) sd_notify(0, state);
}
