/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-network-get-interfaces and the fact "network". A recorded machine has no kernel to ask, so both
 * are unsupported there.
 *
 * Names and addresses are remembered, as the JSON that was answered; only statistics are asked each time.
 * What is remembered is forgotten as soon as a subscription of our own has heard anything at all, which is
 * looked at before each answer: the kernel queues its messages there before the call that changed something
 * returns, and a queue that ran over (ENOBUFS) counts as a message. And the statistics that come have to be
 * of exactly the interfaces that are remembered. Without a subscription nothing is remembered.
 */
#include "plugins/guestinfo/network.h"

#include "lib/error.h"
#include "lib/fd.h"
#include "plugins/guestinfo/guestinfo.h"
#include "plugins/guestinfo/interfaces.h"
#include "plugins/guestinfo/netlink.h"

#define REMEMBERED_MAX 256 /* interfaces; more cost too much memory, and are asked anew */

struct tn_network {
        int changes_fd;                   /* hears of all that could make what we remember untrue */
        int statistics_fd;                /* -1: the kernel does not tell statistics alone (before 4.7) */
        struct tn_interfaces *interfaces; /* of @reply */
        json_t *reply;                    /* NULL: nothing is remembered */
};

struct tn_network *tn_network_new(const struct tn_env *env)
{
        int fd = env->recorded ? -1 : tn_netlink_listen(NULL);
        struct tn_network *network;

        if (fd < 0)
                return NULL;
        network = g_new0(struct tn_network, 1);
        network->changes_fd = fd;
        network->statistics_fd = tn_netlink_open(NULL);
        return network;
}

static void forget(struct tn_network *network)
{
        g_clear_pointer(&network->reply, json_decref);
        g_clear_pointer(&network->interfaces, tn_interfaces_free);
}

void tn_network_free(struct tn_network *network)
{
        if (!network)
                return;
        forget(network);
        tn_fd_close(&network->changes_fd);
        tn_fd_close(&network->statistics_fd);
        g_free(network);
}

/* What is remembered, with the statistics of now; NULL when it has to be made anew. */
static json_t *recall(struct tn_network *network)
{
        g_autoptr(GError) error = NULL;

        if (!network->reply || network->reply->refcount > 1) /* somebody kept it: it must not change */
                return NULL;
        if (!tn_netlink_renew_statistics(network->statistics_fd, network->interfaces, &error)) {
                tn_fd_close(&network->statistics_fd); /* the rest of an answer may wait on it */
                if (!g_error_matches(error, TN_ERROR, TN_ERROR_UNSUPPORTED))
                        network->statistics_fd = tn_netlink_open(NULL);
                return NULL;
        }
        tn_interfaces_show_statistics(network->interfaces);
        return json_incref(network->reply);
}

static void remember(struct tn_network *network, struct tn_interfaces **interfaces, json_t *reply)
{
        if (network->statistics_fd < 0 || g_hash_table_size((*interfaces)->by_index) > REMEMBERED_MAX)
                return;
        network->interfaces = g_steal_pointer(interfaces);
        network->reply = json_incref(reply);
}

static struct tn_interfaces *read_interfaces(struct tenon_host *host, GError **error)
{
        g_autoptr(tn_interfaces_t) interfaces = tn_interfaces_new();

        if (host->env->recorded) {
                (void) tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                    "a recorded machine has no kernel to ask for network interfaces");
                return NULL;
        }
        return tn_netlink_dump(interfaces, error) ? g_steal_pointer(&interfaces) : NULL;
}

json_t *tn_network_run(struct tenon_host *host, json_t *args, GError **error)
{
        struct tn_network *network = ((struct tn_guestinfo *) host->data)->remembered_network;
        g_autoptr(tn_interfaces_t) interfaces = NULL;
        json_t *reply;

        (void) args;
        if (network && tn_netlink_heard(network->changes_fd))
                forget(network);
        reply = network ? recall(network) : NULL;
        if (reply)
                return reply;
        if (network)
                forget(network);
        interfaces = read_interfaces(host, error);
        if (!interfaces)
                return NULL;
        reply = tn_interfaces_json(interfaces, true);
        if (network)
                remember(network, &interfaces, reply);
        return reply;
}

json_t *tn_network_fact(struct tenon_host *host, GError **error)
{
        g_autoptr(tn_interfaces_t) interfaces = read_interfaces(host, error);

        return interfaces ? tn_interfaces_json(interfaces, false) : NULL;
}
