/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* sd_notify(3): ready, stopping, and systemd's software watchdog. Nothing happens without NOTIFY_SOCKET. */
#pragma once

#include "agent/facts.h"

/* READY=1: after the start, and after each reload. */
void tn_notify_ready(void);
/* From now on WATCHDOG=1 from the main loop, twice in each WatchdogSec=, unless the fact "watchdog" says
 * that this is done elsewhere. Once. @facts is borrowed for ever. */
void tn_notify_start_beating(const struct tn_facts *facts);
void tn_notify_reloading(void);
void tn_notify_stopping(void);
