/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* rtnetlink messages → interfaces; pure. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

#include "plugins/guestinfo/interfaces.h"

/* How far a dump has come after some of its bytes. */
enum tn_dump {
        TN_DUMP_MORE,        /* the end has not been seen yet */
        TN_DUMP_DONE,        /* complete */
        TN_DUMP_INTERRUPTED, /* complete, but the kernel's table changed meanwhile: ask again */
};

/* Takes in one datagram of an RTM_GETLINK, RTM_GETADDR or RTM_GETSTATS dump; links have to come first. Never
 * reads outside of @bytes, whatever the lengths inside claim. False with @error: the kernel reported an
 * error, or the bytes are no netlink messages. */
bool tn_rtnetlink_parse(struct tn_interfaces *interfaces, const void *bytes, size_t len,
                        enum tn_dump *ret_state, GError **error);
