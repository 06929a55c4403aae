/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Which way to the guest is taken, and what is the same on all of them. */
#include "host/guest.h"

#include "host/connection.h"
#include "host/libvirt.h"
#include "host/message.h"
#include "host/qmp.h"
#include "host/trouble.h"

#define SOCKET_REQUEST_MAX  (32 * 1024 * 1024)
#define LIBVIRT_REQUEST_MAX (3 * 1024 * 1024) /* libvirt's own limit for a string is 4 MiB */

static struct tn_guest *new_guest(const struct tn_guest_ops *ops, void *data, const char *dialect,
                                  unsigned timeout_ms, size_t request_max)
{
        struct tn_guest *guest = g_new0(struct tn_guest, 1);

        *guest = (struct tn_guest){.ops = ops,
                                   .data = data,
                                   .dialect = dialect,
                                   .timeout_ms = timeout_ms,
                                   .request_max = request_max};
        return guest;
}

static struct tn_guest *open_socket(const struct tn_guest_address *address, GError **error)
{
        gint64 deadline = g_get_monotonic_time() + (gint64) address->timeout_ms * 1000;
        struct tn_connection *connection = tn_connection_open(address->socket, deadline, error);
        struct tn_qmp *qmp = connection ? tn_qmp_new(connection, TN_QMP_GREETING_MS, deadline, error) : NULL;

        if (!qmp)
                return NULL;
        return new_guest(&tn_qmp_ops, qmp,
                         tn_qmp_has_events(qmp) ? "QMP, with events" : "the QEMU guest agent's protocol",
                         address->timeout_ms, SOCKET_REQUEST_MAX);
}

struct tn_guest *tn_guest_open(const struct tn_guest_address *address, GError **error)
{
        struct tn_libvirt *libvirt;

        if (address->socket)
                return open_socket(address, error);
        libvirt = tn_libvirt_open(address->uri, address->domain, error);
        return libvirt ? new_guest(&tn_libvirt_ops, libvirt, "libvirt", address->timeout_ms,
                                   LIBVIRT_REQUEST_MAX)
                       : NULL;
}

void tn_guest_free(struct tn_guest *guest)
{
        if (!guest)
                return;
        guest->ops->free(guest->data);
        g_free(guest);
}

bool tn_guest_ask_with(struct tn_guest *guest, const struct tn_ask *ask, json_t **ret, GError **error)
{
        struct tn_ask full = *ask;
        json_auto_t *reply = NULL;
        GError *why = NULL;

        if (guest->broken)
                return tn_trouble_set(error, TN_TROUBLE_LINK, "the connection was given up");
        if (full.timeout_ms == 0)
                full.timeout_ms = guest->timeout_ms;
        if (full.reply_max == 0)
                full.reply_max = TN_CONNECTION_LINE_MAX;
        if (guest->ops->ask(guest->data, &full, &reply, &why) && tn_message_unwrap(reply, ret, &why))
                return true;
        if (!tn_trouble_is_answer(why)) {
                guest->broken = true;
                g_prefix_error(&why, "%s: ", ask->command);
        }
        g_propagate_error(error, why);
        return false;
}

bool tn_guest_ask(struct tn_guest *guest, const char *command, json_t *args, json_t **ret, GError **error)
{
        json_auto_t *owned = args;
        struct tn_ask ask = {.command = command, .args = owned};

        return tn_guest_ask_with(guest, &ask, ret, error);
}

bool tn_guest_next_event(struct tn_guest *guest, json_t **ret, GError **error)
{
        return guest->ops->next_event(guest->data, ret, error);
}
