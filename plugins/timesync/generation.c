/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The kernel's own uevents, from netlink. The surprising thing: every process may send such messages to the
 * group, so only those of the port number 0, the kernel's, count.
 */
#define _GNU_SOURCE
#include "plugins/timesync/generation.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "lib/error.h"
#include "lib/fd.h"

#define KERNEL_GROUP 1
#define MESSAGE_MAX  8192 /* the kernel's are below 2 KiB of variables and a path */

struct tn_generation {
        int fd;
        guint source;
        void (*changed)(void *data);
        void *data;
};

bool tn_generation_parse(const char *message, size_t len)
{
        const char *end = message + len;

        while (message < end) {
                size_t text_len = strnlen(message, (size_t) (end - message));

                if (text_len == strlen("NEW_VMGENID=1") && memcmp(message, "NEW_VMGENID=1", text_len) == 0)
                        return true;
                message += text_len + 1;
        }
        return false;
}

static gboolean on_event(gint fd, GIOCondition condition, void *data)
{
        struct tn_generation *generation = data;
        char message[MESSAGE_MAX];
        struct sockaddr_nl sender = {0};
        socklen_t sender_len = sizeof sender;
        ssize_t len;

        (void) condition;
        while ((len = recvfrom(fd, message, sizeof message, MSG_DONTWAIT, (struct sockaddr *) &sender,
                               &sender_len)) > 0) {
                if (sender.nl_pid == 0 && tn_generation_parse(message, (size_t) len))
                        generation->changed(generation->data);
                sender_len = sizeof sender;
        }
        return G_SOURCE_CONTINUE; /* events that were lost are no reason to stop */
}

struct tn_generation *tn_generation_new(void (*changed)(void *data), void *data, GError **error)
{
        const struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP};
        tn_autofd int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                                  NETLINK_KOBJECT_UEVENT);
        struct tn_generation *generation;

        if (fd < 0 || bind(fd, (const struct sockaddr *) &address, sizeof address) < 0) {
                (void) tn_error_errno(error, errno, "hear the kernel's events");
                return NULL;
        }
        generation = g_new0(struct tn_generation, 1);
        *generation = (struct tn_generation){.fd = tn_fd_steal(&fd), .changed = changed, .data = data};
        generation->source = g_unix_fd_add(generation->fd, G_IO_IN, on_event, generation);
        return generation;
}

void tn_generation_free(struct tn_generation *generation)
{
        if (!generation)
                return;
        g_clear_handle_id(&generation->source, g_source_remove);
        tn_fd_close(&generation->fd);
        g_free(generation);
}
