/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What systemd and a service tell each other: sd_notify(3), sd_watchdog_enabled(3), sd_listen_fds(3). These
 * protocols are promised not to change, and programs are expected to speak them by themselves: an idle agent
 * has no other use for libsystemd. Without systemd nothing happens.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>

#define TN_SYSTEMD_FIRST_FD 3 /* SD_LISTEN_FDS_START */

/* Sends "READY=1" and the like; with @fd, unless it is -1, a copy of that descriptor. False: nobody was
 * told. */
bool tn_systemd_notify(const char *state, int fd);
/* WatchdogSec= of our unit, in microseconds. False: there is none, or it is not for us. */
bool tn_systemd_watchdog(guint64 *ret_usec);
/* The names of the descriptors that were passed to us, from TN_SYSTEMD_FIRST_FD on; empty when there are
 * none. Those without a name are "unknown". Free with g_strfreev(). */
char **tn_systemd_listen_names(void);
/* Children do not get them; until tn_systemd_forget_fds() they are still found. */
void tn_systemd_keep_fds(void);
void tn_systemd_forget_fds(void);
