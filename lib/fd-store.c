/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* sd_listen_fds_with_names(3) and sd_pid_notify_with_fds(3). */
#include "lib/fd-store.h"

#include <glib.h>

#include "lib/systemd.h"

int tn_fd_store_find(const char *name)
{
        g_auto(GStrv) names = tn_systemd_listen_names();

        for (int i = 0; names[i]; i++)
                if (g_str_equal(names[i], name))
                        return TN_SYSTEMD_FIRST_FD + i;
        return -1;
}

int tn_fd_store_find_other(const char *const *known, int *ret_number)
{
        g_auto(GStrv) names = tn_systemd_listen_names();
        int found = -1, number = 0;

        for (int i = 0; names[i]; i++)
                if (!g_strv_contains(known, names[i])) {
                        found = TN_SYSTEMD_FIRST_FD + i;
                        number++;
                }
        if (number > 1)
                *ret_number = number;
        return number > 1 ? -2 : found;
}

void tn_fd_store_keep_from_children(void)
{
        tn_systemd_keep_fds();
}

void tn_fd_store_forget(void)
{
        tn_systemd_forget_fds();
}

bool tn_fd_store_exists(void)
{
        return g_getenv("NOTIFY_SOCKET") != NULL;
}

bool tn_fd_store_put(const char *name, int fd)
{
        /* Without FDPOLL=0 systemd would drop it as soon as poll(2) tells of an error. */
        g_autofree char *state = g_strdup_printf("FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);

        return tn_systemd_notify(state, fd);
}

void tn_fd_store_drop(const char *name)
{
        g_autofree char *state = g_strdup_printf("FDSTOREREMOVE=1\nFDNAME=%s", name);

        (void) tn_systemd_notify(state, -1);
}
