/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-host ask: any command, and what it returned, as it fits: a word, a table, an outline. The surprising
 * thing: some commands are answered only when they fail. For these silence, or a guest that is gone, is good
 * news.
 */
#include <stdio.h>

#include "host/arguments.h"
#include "host/host.h"
#include "host/print.h"
#include "host/trouble.h"

/* guest-info: "success-response": false. */
static const char *const silent[] = {"guest-shutdown", "guest-suspend-disk", "guest-suspend-ram",
                                     "guest-suspend-hybrid", NULL};

static int tell(const struct tn_host *host, const json_t *value)
{
        if (host->json)
                tn_print_json(value);
        else
                tn_print_value(value);
        return 0;
}

static int explain(const char *command, const GError *error)
{
        if (tn_trouble_is_answer(error) || !g_strv_contains(silent, command))
                return tn_trouble_report(error);
        fprintf(stderr, "tenon-host: %s was sent; it is answered only when it fails\n", command);
        return 0;
}

int tn_host_ask(struct tn_host *host, int argc, char **argv)
{
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_guest_t) guest = NULL;
        json_auto_t *args = NULL, *value = NULL;

        if (!tn_host_parse(host, &argc, &argv, NULL, 1, G_MAXINT))
                return TN_TROUBLE_LOCAL;
        if (!tn_arguments_parse(argv + 2, &args, &error))
                return tn_trouble_report(error);
        guest = tn_host_open(host, &error);
        if (!guest)
                return tn_trouble_report(error);
        if (!tn_guest_ask(guest, argv[1], json_incref(args), &value, &error))
                return explain(argv[1], error);
        return tell(host, value);
}
