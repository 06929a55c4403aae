/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The keeper's connection and its end, as GSources. A keeper that hangs in the kernel cannot be reaped when
 * it is given up; that is made good at the next start.
 */
#define _GNU_SOURCE
#include "plugins/freeze/link.h"

#include <glib-unix.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "plugins/freeze/keeper.h"

struct freeze_link {
        GSourceFunc changed, ended;
        void *data;
        struct freeze_keeper keeper; /* pid 0: none */
        guint control_source, pid_source;
        GArray *abandoned; /* pid_t */
};

static void forget(struct freeze_link *link)
{
        g_clear_handle_id(&link->control_source, g_source_remove);
        g_clear_handle_id(&link->pid_source, g_source_remove);
        freeze_keeper_forget(&link->keeper);
}

static gboolean on_poke(int fd, GIOCondition condition, void *data)
{
        struct freeze_link *link = data;

        (void) fd;
        if (!(condition & G_IO_IN)) {
                link->control_source = 0; /* the pidfd tells of its end */
                return G_SOURCE_REMOVE;
        }
        freeze_keeper_drain(&link->keeper);
        (void) link->changed(link->data); /* may end the link */
        return link->control_source ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static gboolean on_ended(int fd, GIOCondition condition, void *data)
{
        struct freeze_link *link = data;

        (void) fd;
        (void) condition;
        link->pid_source = 0;
        forget(link);
        (void) link->ended(link->data);
        return G_SOURCE_REMOVE;
}

static void reap_abandoned(struct freeze_link *link)
{
        for (guint i = link->abandoned->len; i-- > 0;)
                if (waitpid(g_array_index(link->abandoned, pid_t, i), NULL, WNOHANG) != 0)
                        g_array_remove_index_fast(link->abandoned, i);
}

struct freeze_link *freeze_link_new(GSourceFunc changed, GSourceFunc ended, void *data)
{
        struct freeze_link *link = g_new0(struct freeze_link, 1);

        link->changed = changed;
        link->ended = ended;
        link->data = data;
        link->keeper = (struct freeze_keeper){0, -1, -1};
        link->abandoned = g_array_new(FALSE, FALSE, sizeof(pid_t));
        return link;
}

void freeze_link_free(struct freeze_link *link)
{
        if (!link)
                return;
        forget(link);
        reap_abandoned(link);
        g_array_unref(link->abandoned);
        g_free(link);
}

bool freeze_link_start(struct freeze_link *link, struct freeze_board *board, const GPtrArray *hooks,
                       int root_fd, bool rescue, GError **error)
{
        reap_abandoned(link);
        if (!freeze_keeper_start(board, freeze_kernel_get(), hooks, root_fd, rescue, &link->keeper, error))
                return false;
        link->control_source = g_unix_fd_add(link->keeper.control, G_IO_IN | G_IO_HUP | G_IO_ERR, on_poke,
                                             link);
        link->pid_source = g_unix_fd_add(link->keeper.pid_fd, G_IO_IN, on_ended, link);
        return true;
}

bool freeze_link_is_up(const struct freeze_link *link)
{
        return link->keeper.pid > 0;
}

void freeze_link_thaw(struct freeze_link *link)
{
        freeze_keeper_order(&link->keeper, FREEZE_THAW);
}

void freeze_link_go(struct freeze_link *link)
{
        freeze_keeper_order(&link->keeper, FREEZE_GO);
}

void freeze_link_quit(struct freeze_link *link)
{
        freeze_keeper_order(&link->keeper, FREEZE_QUIT);
}

void freeze_link_abandon(struct freeze_link *link)
{
        pid_t pid = link->keeper.pid;

        if (pid <= 0)
                return;
        (void) kill(pid, SIGKILL);
        if (waitpid(pid, NULL, WNOHANG) == 0)
                g_array_append_val(link->abandoned, pid);
        link->keeper.pid = 0;
        forget(link);
}

void freeze_link_leave(struct freeze_link *link, const struct freeze_board *board, unsigned limit_ms)
{
        uint64_t end = freeze_now_usec() + limit_ms * UINT64_C(1000);
        struct pollfd pfd = {.fd = link->keeper.control, .events = POLLIN};

        if (!freeze_link_is_up(link))
                return;
        (void) shutdown(link->keeper.control, SHUT_WR);
        while (board->phase != FREEZE_PHASE_THAWED && freeze_now_usec() < end) {
                if (poll(&pfd, 1, 100) > 0 && pfd.revents & POLLHUP)
                        break;
                freeze_keeper_drain(&link->keeper);
        }
        forget(link);
}
