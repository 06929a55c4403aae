/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What tenon-accounts-helper can do; see tenon-accounts-helper(8). */
#pragma once

#include "lib/helper.h"
#include "plugins/accounts/user.h"

/* get-authorized-keys, add-authorized-keys, remove-authorized-keys: {"username", "keys"?, "reset"?}. Each
 * turns this process into the user. */
extern const struct tn_helper tn_accounts_helper;

/* The same with accounts of a test's own; @find must outlive it. */
struct tn_helper tn_accounts_helper_for(const tn_user_find_func *find);
