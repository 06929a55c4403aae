/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What systemd tells a service and hears of it: sd_notify(3) with its watchdog, and sockets passed to us
 * (sd_listen_fds(3)). Nothing happens without NOTIFY_SOCKET. */
#pragma once

/* READY=1: after the start, and after each reload. */
void tn_notify_ready(void);
/* From now on WATCHDOG=1 from the main loop, twice in each WatchdogSec=. Once. */
void tn_notify_start_beating(void);
void tn_notify_reloading(void);
void tn_notify_stopping(void);

#define TN_NOTIFY_FIRST_FD 3 /* SD_LISTEN_FDS_START */

/* How many sockets were passed to us, from TN_NOTIFY_FIRST_FD on; they are close-on-exec from now on, and
 * the environment says nothing of them any more. */
unsigned tn_notify_listen_fds(void);
