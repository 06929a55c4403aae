/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Talking rtnetlink: one bounded dump, and a socket that becomes readable when something changes. */
#pragma once

#include <glib.h>
#include <stdbool.h>

struct tn_interfaces;

/* Fills @interfaces with all links and addresses of the running kernel's network namespace, in at most
 * about a second. */
bool tn_netlink_dump(struct tn_interfaces *interfaces, GError **error);

/* Renews the statistics of exactly the interfaces that are in @interfaces, over @fd, a socket of
 * tn_netlink_open() that is to be closed after a failure. False with @error also when the kernel has other
 * interfaces by now. */
bool tn_netlink_renew_statistics(int fd, struct tn_interfaces *interfaces, GError **error);
int tn_netlink_open(GError **error);

/* A non-blocking socket that hears of links and addresses that come, go or change; -1 with @error. */
int tn_netlink_subscribe(GError **error);

/* Throws away what waits on the socket (its messages say only: ask again). */
void tn_netlink_drain(int fd);

/* A subscription that nobody waits on: it only knows whether it heard anything since it was last asked. */
int tn_netlink_listen(GError **error);
/* True also when it heard more than it could keep, or does not work any more. */
bool tn_netlink_heard(int fd);
