/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* /etc/modules-load.d/tenon.conf: what is loaded by name at each start. */
#pragma once

#include <glib.h>

#include "lib/env.h"

/* Makes the file say exactly @modules (of char *); removes it when there are none. Does nothing when it is
 * so already. The old file stays when the new one cannot be written. */
bool tn_modules_load_write(const struct tn_env *env, const GPtrArray *modules, GError **error);
