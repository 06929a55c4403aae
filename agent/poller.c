/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * poll() costs the kernel a visit to every descriptor in every turn of the loop, and plugins bring about a
 * dozen: more than a short request costs otherwise. So what GLib asks for is registered with epoll and stays
 * so.
 *
 * The surprising thing is what must not go wrong: a descriptor that is closed, and its number used again for
 * another file before the next turn, looks the same to GLib's list. GLib wakes its context up whenever a
 * source comes or goes. So what follows a wake-up, or another list, is an ordinary poll(); and when all has
 * been quiet for a turn, all are registered once more: EEXIST says that it is still the same file.
 *
 * Some files report an event to whoever asks first (/proc/PID/mountinfo, /proc/pressure/: POLLPRI), and
 * registering asks. They are polled just before; and who watches one reads it in a turn after that in which
 * the watch began.
 */
#include "agent/poller.h"

#include <errno.h>
#include <glib.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "lib/fd.h"

#define READY_MAX 32 /* in one turn; the kernel hands out the rest in the next, in turn */

/* What GLib asks of one descriptor. */
struct asked {
        int fd;
        uint32_t events;
        uint32_t birth;   /* tells a file from an older one of the same number; 0: not registered */
        uint32_t revents; /* there without waiting: a file that epoll does not take, a closed descriptor */
};

static struct {
        int fd;          /* -1: not yet */
        int wake_fd;     /* GLib's own */
        bool woken;      /* in the last turn */
        bool registered; /* all of the list */
        GArray *list;    /* GPollFD: GLib's list as it was last seen */
        GArray *asked;   /* struct asked, one of each descriptor */
        uint32_t births;
} poller = {.fd = -1, .wake_fd = -1};

static struct asked *get_asked(const GArray *list, unsigned i)
{
        return &g_array_index(list, struct asked, i);
}

static const struct asked *find_asked(const GArray *list, int fd)
{
        for (unsigned i = 0; i < list->len; i++)
                if (get_asked(list, i)->fd == fd)
                        return get_asked(list, i);
        return NULL;
}

static bool control(int operation, const struct asked *asked)
{
        struct epoll_event event = {.events = asked->events,
                                    .data.u64 = (uint64_t) asked->birth << 32 | (uint32_t) asked->fd};

        return epoll_ctl(poller.fd, operation, asked->fd, &event) == 0;
}

/* What epoll refuses is what poll() would report at once. False when it is something else, such as ENOSPC.
 */
static bool refused(struct asked *asked)
{
        if (errno != EPERM && errno != EBADF)
                return false;
        asked->birth = 0;
        asked->revents = errno == EBADF ? POLLNVAL : asked->events & (POLLIN | POLLOUT);
        return true;
}

static bool add(struct asked *asked)
{
        struct pollfd now = {.fd = asked->fd, .events = POLLPRI};

        if ((asked->events & POLLPRI) && poll(&now, 1, 0) > 0)
                asked->revents = (uint32_t) now.revents & (asked->events | POLLERR | POLLHUP | POLLNVAL);
        asked->birth = ++poller.births;
        return control(EPOLL_CTL_ADD, asked);
}

static bool register_one(struct asked *asked, const struct asked *before)
{
        if (add(asked))
                return true;
        if (errno != EEXIST || !before)
                return refused(asked);
        asked->birth = before->birth; /* the same file as before */
        return before->events == asked->events || control(EPOLL_CTL_MOD, asked) || refused(asked);
}

/* GLib's list, with what it asks of one descriptor in several entries put together. */
static GArray *take_list(const GPollFD *fds, unsigned n)
{
        GArray *list = g_array_sized_new(FALSE, FALSE, sizeof(struct asked), n);

        for (unsigned i = 0; i < n; i++) {
                struct asked *known = (struct asked *) find_asked(list, fds[i].fd);
                struct asked fresh = {.fd = fds[i].fd, .events = fds[i].events};

                if (known)
                        known->events |= fds[i].events;
                else
                        g_array_append_val(list, fresh);
        }
        return list;
}

static void forget_all(void)
{
        poller.registered = false;
        tn_fd_close(&poller.fd);
        g_clear_pointer(&poller.asked, g_array_unref);
}

/* Registers what is new, drops what is gone. On failure nothing is registered. */
static bool update(const GPollFD *fds, unsigned n)
{
        g_autoptr(GArray) before = poller.asked;
        bool good = true;

        poller.asked = take_list(fds, n);
        if (poller.fd < 0)
                poller.fd = epoll_create1(EPOLL_CLOEXEC);
        for (unsigned i = 0; before && i < before->len; i++)
                if (!find_asked(poller.asked, get_asked(before, i)->fd))
                        (void) control(EPOLL_CTL_DEL, get_asked(before, i)); /* may be closed already */
        for (unsigned i = 0; good && i < poller.asked->len; i++) {
                struct asked *asked = get_asked(poller.asked, i);

                good = poller.fd >= 0 && register_one(asked, before ? find_asked(before, asked->fd) : NULL);
        }
        poller.registered = good;
        if (!good)
                forget_all();
        return good;
}

static bool is_same(const GPollFD *fds, unsigned n)
{
        if (poller.woken || !poller.list || poller.list->len != n)
                return false;
        for (unsigned i = 0; i < n; i++) {
                const GPollFD *seen = &g_array_index(poller.list, GPollFD, i);

                if (seen->fd != fds[i].fd || seen->events != fds[i].events)
                        return false;
        }
        return true;
}

static void remember(const GPollFD *fds, unsigned n)
{
        if (!poller.list)
                poller.list = g_array_new(FALSE, FALSE, sizeof *fds);
        g_array_set_size(poller.list, 0);
        g_array_append_vals(poller.list, fds, n);
        poller.registered = false;
}

static void report(GPollFD *fds, unsigned n, int fd, uint32_t events)
{
        for (unsigned i = 0; i < n; i++)
                if (fds[i].fd == fd)
                        fds[i].revents |= (gushort) (events &
                                                     (fds[i].events | POLLERR | POLLHUP | POLLNVAL));
}

/* What needs no waiting; that of a POLLPRI is told once. */
static bool report_refused(GPollFD *fds, unsigned n)
{
        bool any = false;

        for (unsigned i = 0; i < poller.asked->len; i++) {
                struct asked *asked = get_asked(poller.asked, i);

                if (!asked->revents)
                        continue;
                report(fds, n, asked->fd, asked->revents);
                if (asked->birth)
                        asked->revents = 0;
                any = true;
        }
        return any;
}

/* False when the event belongs to a file that is not asked for any more, but that another process, too,
 * holds: only a new epoll gets rid of it. */
static bool report_ready(GPollFD *fds, unsigned n, const struct epoll_event *event)
{
        int fd = (int) (event->data.u64 & UINT32_MAX);
        const struct asked *asked = find_asked(poller.asked, fd);

        if (!asked || asked->birth != event->data.u64 >> 32)
                return false;
        if (fd == poller.wake_fd)
                poller.woken = true;
        report(fds, n, fd, event->events);
        return true;
}

static gint count_reported(const GPollFD *fds, unsigned n)
{
        gint count = 0;

        for (unsigned i = 0; i < n; i++)
                count += fds[i].revents != 0;
        return count;
}

/* While sources come and go. */
static gint wait_by_poll(GPollFD *fds, unsigned n, gint timeout)
{
        gint count = g_poll(fds, n, timeout);

        poller.woken = false;
        for (unsigned i = 0; i < n; i++)
                if (fds[i].fd == poller.wake_fd && fds[i].revents)
                        poller.woken = true;
        return count;
}

static gint wait(GPollFD *fds, guint n, gint timeout)
{
        struct epoll_event ready[READY_MAX];
        bool stale = false;
        int count;

        if (!is_same(fds, n)) {
                remember(fds, n);
                return wait_by_poll(fds, n, timeout);
        }
        if (!poller.registered && !update(fds, n))
                return wait_by_poll(fds, n, timeout);
        if (report_refused(fds, n))
                timeout = 0;
        count = epoll_wait(poller.fd, ready, READY_MAX, timeout);
        for (int i = 0; i < count; i++)
                stale |= !report_ready(fds, n, &ready[i]);
        if (stale)
                forget_all();
        return count < 0 && timeout != 0 ? -1 : count_reported(fds, n);
}

void tn_poller_init(void)
{
        GMainContext *context = g_main_context_default();
        GPollFD fd = {.fd = -1};
        gint priority, timeout;

        if (!g_main_context_acquire(context))
                return;
        (void) g_main_context_prepare(context, &priority);
        if (g_main_context_query(context, G_MAXINT, &timeout, &fd, 1) ==
            1) { /* without sources, its own alone */
                poller.wake_fd = fd.fd;
                poller.fd = epoll_create1(EPOLL_CLOEXEC);
                g_main_context_set_poll_func(context, wait);
        }
        g_main_context_release(context);
}
