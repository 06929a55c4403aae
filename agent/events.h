/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Changes of facts as QMP events, and the fact "health". */
#pragma once

#include "agent/agent.h"

/* Subscribes to the board and to the state of the ports. */
void tn_events_start(struct tn_agent *agent);
/* Devices came or went: the fact "driver-advice" is made anew, once for many of them. */
void tn_events_update_drivers(struct tn_agent *agent);
/* Something that health is made of may have changed. */
void tn_events_update_health(struct tn_agent *agent);
