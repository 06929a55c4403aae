/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenonctl support: one tarball for a bug report, without secrets. */
#include "cli/support.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/client.h"
#include "cli/machine.h"
#include "cli/progress.h"

static volatile sig_atomic_t signal_seen;

static void on_signal(int number)
{
        signal_seen = number;
}

int tn_support_signal(void)
{
        return signal_seen;
}

/* A signal must not leave half of a report behind: it is looked at between the steps. */
static void catch_signals(void)
{
        const struct sigaction action = {.sa_handler = on_signal};

        (void) sigaction(SIGINT, &action, NULL);
        (void) sigaction(SIGTERM, &action, NULL);
        (void) sigaction(SIGHUP, &action, NULL);
}

static char *usual_name(void)
{
        g_autoptr(GDateTime) now = g_date_time_new_now_local();

        return g_date_time_format(now, "tenon-support-%Y%m%d-%H%M%S.tar.gz");
}

static void print_result(const struct tn_support *support, const char *output)
{
        json_t *row;
        size_t i;

        json_array_foreach(support->contents, i, row)
                tn_cli_say("  %-18s %s", tn_cli_text(row, "name"), tn_cli_text(row, "what"));
        json_array_foreach(support->missing, i, row)
                tn_cli_say("  %-18s is missing: %s", tn_cli_text(row, "name"), tn_cli_text(row, "why"));
        putchar('\n');
        tn_cli_say("%u words were masked: addresses, names, keys. Look through it before you send it: tar "
                   "-xzf %s",
                   tn_mask_count(support->mask), output);
}

static json_t *to_json(const struct tn_support *support, const char *output)
{
        return json_pack("{s:s, s:O, s:O, s:i}", "file", output, "contents", support->contents, "missing",
                         support->missing, "masked", (int) tn_mask_count(support->mask));
}

static bool make(struct tn_support *support, const struct tn_env *env, const char *output, GError **error)
{
        struct tn_progress progress;
        bool made;

        tn_cli_progress_init(&progress);
        progress.total = TN_SUPPORT_STEPS;
        made = tn_support_init(support, env, output, &progress, error) &&
               tn_support_collect(support, error) && tn_support_pack(support, output, error);
        tn_cli_progress_end(&progress);
        return made;
}

static int run(const struct tn_env *env, void *data)
{
        const char *output = data;
        struct tn_support support = {0};
        g_autoptr(GError) error = NULL;
        int status = TN_EXIT_OK;

        if (!make(&support, env, output, &error)) {
                status = tn_cli_fail_with(error, TN_EXIT_USAGE);
        } else if (tn_cli_wants_json()) {
                json_auto_t *value = to_json(&support, output);

                tn_cli_print_json(value);
        } else {
                tn_cli_say("%s", output);
                print_result(&support, output);
        }
        tn_support_deinit(&support);
        return status;
}

/* A report can be made all the same: of why it does not run. */
static void say_without_agent(void)
{
        g_autoptr(GError) error = NULL;
        json_auto_t *pong = tn_client_ask(tn_cli_socket(), "guest-ping", &error);

        if (!pong)
                (void) tn_cli_complain(error);
}

int tn_cli_support(int argc, char **argv)
{
        g_autofree char *output = NULL;
        gboolean json = FALSE;
        const struct tn_cli_value values[] = {{"json", &json}, {"output", &output}, {NULL}};

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        if (!output)
                output = usual_name();
        say_without_agent();
        catch_signals();
        return tn_cli_on_machine(NULL, run, output, TN_EXIT_USAGE);
}
