/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The group [freeze] of the configuration, converted. */
#pragma once

#include "tenon/plugin.h"

unsigned freeze_settings_timeout_ms(struct tenon_host *host);
unsigned freeze_settings_hook_limit_ms(struct tenon_host *host);
/* Globs. Never NULL; free with g_strfreev(). */
char **freeze_settings_exclude(struct tenon_host *host);
/* The hooks as they are now: struct freeze_hook. Never NULL. */
GPtrArray *freeze_settings_hooks(struct tenon_host *host);
