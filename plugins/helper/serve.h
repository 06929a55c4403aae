/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* One request as text in, one answer as text out: all of tenon-system-helper but reading and printing. */
#pragma once

#include <stddef.h>

#include "plugins/helper/user.h"

struct tn_env;

/* {"return": value} or {"error": {"code", "message"}}, one line with its newline. Free with g_free(). */
char *tn_serve_answer(const struct tn_env *env, tn_user_find_func find_user, const char *request,
                      size_t len);
