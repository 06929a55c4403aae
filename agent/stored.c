/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The one case in which the agent itself knows what a watchdog is: nobody else is there to disarm it. */
#include "agent/stored.h"

#include <errno.h>
#include <unistd.h>

#include "lib/fd-store.h"
#include "lib/log.h"
#include "lib/names.h"

void tn_stored_release(const struct tn_agent *agent)
{
        int fd = tn_fd_store_find(TN_FD_WATCHDOG);

        if (fd < 0 || tn_facts_get(agent->facts, "watchdog"))
                return;
        if (write(fd, "V", 1) == 1) /* the magic close */
                tn_log(agent->env->log, TN_LOG_WARNING, NULL,
                       "the plugin watchdog does not run, so the watchdog of before was disarmed");
        else
                tn_log(agent->env->log, TN_LOG_ERR, NULL, "disarm the watchdog of before: %s",
                       g_strerror(errno));
        close(fd);
        tn_fd_store_drop(TN_FD_WATCHDOG);
}
