/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-drivers-prepare and its like: `tenon-drivers` is started outside of the sandbox and takes minutes,
 * so the call is answered when it has started. How it goes on is the fact `drivers-prepare`, which is an
 * event on the QMP port, and tenon-get-drivers-prepare for those who ask.
 */
#pragma once

#include "tenon/plugin.h"

struct drivers_prepare;

struct drivers_prepare *drivers_prepare_new(struct tenon_host *host);
/* What is under way goes on outside, or is ended with us; an interrupted one is taken back by the next. */
void drivers_prepare_free(struct drivers_prepare *prepare);

/* Arguments: target, dry-run. */
json_t *drivers_prepare_begin(struct drivers_prepare *prepare, const json_t *args, GError **error);
/* Arguments: all, force. */
json_t *drivers_prepare_undo(struct drivers_prepare *prepare, const json_t *args, GError **error);
/* The fact, with "result" when it has ended. */
json_t *drivers_prepare_state(struct drivers_prepare *prepare);
