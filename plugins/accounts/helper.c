/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-accounts-helper: reads or changes the keys of one user for the agent, as that user, and ends.
 * Started with systemd-run by the plugin accounts; see tenon-accounts-helper(8).
 */
#include "plugins/accounts/keys-serve.h"

int main(int argc, char **argv)
{
        (void) argv;
        return tn_helper_main(&tn_accounts_helper, argc);
}
