/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-host freeze and thaw. The surprising thing: --timeout is not how long we wait but how long the guest
 * stays frozen: then its agent thaws by itself, whatever became of us.
 */
#include <stdio.h>

#include "host/host.h"
#include "host/print.h"
#include "host/trouble.h"

#define PATIENCE_MS (10 * 60 * 1000) /* hooks of databases take their time, and so does writing out */

/* Prints how many file systems it was. */
static int tell(const struct tn_host *host, const json_t *value, const char *what)
{
        g_autofree char *number = tn_print_scalar(value);

        if (host->json)
                tn_print_json(value);
        else
                printf("%s: %s\n", what, number);
        return 0;
}

static int run(struct tn_host *host, const char *command, json_t *args, const char *what)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_guest_t) guest = tn_host_open(host, &error);
        json_auto_t *value = NULL, *owned = args;
        struct tn_ask ask = {.command = command, .args = owned, .timeout_ms = PATIENCE_MS};

        if (guest)
                ask.timeout_ms = MAX(guest->timeout_ms, PATIENCE_MS);
        if (guest && tn_guest_ask_with(guest, &ask, &value, &error))
                return tell(host, value, what);
        return tn_trouble_report(error);
}

int tn_host_freeze(struct tn_host *host, int argc, char **argv)
{
        int seconds = 0;
        const GOptionEntry entries[] = {
                {"timeout", 't', 0, G_OPTION_ARG_INT, &seconds,
                 "The guest thaws itself after this time (Tenon's agent; its own default: 60)", "SECONDS"},
                {NULL},
        };
        int status;

        if (!tn_host_parse(host, &argc, &argv, entries, 0, 0))
                return TN_TROUBLE_LOCAL;
        status = run(host, "guest-fsfreeze-freeze", seconds ? json_pack("{s:i}", "timeout", seconds) : NULL,
                     "File systems frozen");
        if (status == TN_TROUBLE_TIMEOUT || status == TN_TROUBLE_LINK)
                fputs("tenon-host: whether the guest is frozen is not known; thaw does no harm\n", stderr);
        return status;
}

int tn_host_thaw(struct tn_host *host, int argc, char **argv)
{
        if (!tn_host_parse(host, &argc, &argv, NULL, 0, 0))
                return TN_TROUBLE_LOCAL;
        return run(host, "guest-fsfreeze-thaw", NULL, "File systems thawed");
}
