/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* One question to the running agent, over its control socket. Waits; the command line may. */
#pragma once

#include <glib.h>
#include <jansson.h>

/* The value of "return". NULL with @error: TN_ERROR_NOT_FOUND when no agent listens at @socket. New
 * reference. */
json_t *tn_client_ask(const char *socket, const char *command, GError **error);
