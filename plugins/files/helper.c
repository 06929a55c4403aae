/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-files-helper: opens files for the agent outside of its sandbox, until the agent has had enough.
 * Started with systemd-run by the plugin files, with a socket as standard input; see tenon-files-helper(8).
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/env.h"
#include "plugins/files/open.h"

int main(int argc, char **argv)
{
        g_autoptr(GError) error = NULL;
        struct tn_env env;
        bool served;

        (void) argv;
        if (argc > 1) {
                fputs("usage: tenon-files-helper <>SOCKET; see tenon-files-helper(8)\n", stderr);
                return 2;
        }
        (void) umask(077);
        if (!tn_env_init_system(&env, NULL, &error)) {
                fprintf(stderr, "tenon-files-helper: %s\n", error->message);
                return 1;
        }
        served = tn_open_serve(&env, STDIN_FILENO);
        if (!served)
                perror("tenon-files-helper: standard input");
        tn_env_deinit(&env);
        return served ? 0 : 1;
}
