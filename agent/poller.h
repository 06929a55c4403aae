/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* How the main loop waits: by epoll(7) in place of poll(2), which asks each descriptor anew in every turn.
 */
#pragma once

/* Makes GLib's default main context wait so. Call once, before any source is attached to the context. */
void tn_poller_init(void);
