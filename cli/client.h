/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Questions to the running agent, over its control socket. They wait; the command line may. */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

/* The value of "return". NULL with @error: TN_ERROR_NOT_FOUND when no agent listens at @socket. New
 * reference. */
json_t *tn_client_ask(const char *socket, const char *command, GError **error);

/* What comes after the reply to @request, one JSON object a line. False from @func ends it well. */
typedef bool (*tn_client_func)(json_t *line, void *data);
/* False with @error: TN_ERROR_NOT_FOUND when no agent listens, or when it went away. */
bool tn_client_follow(const char *socket, const json_t *request, tn_client_func func, void *data,
                      GError **error);
