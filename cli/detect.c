/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * `tenonctl detect`: options in, one of three things done, exit status out. Runs in the caller's process
 * with the caller's rights; the daemon is not asked.
 */
#include "cli/detect.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/machine.h"
#include "cli/table.h"
#include "detect/detect.h"
#include "detect/machine.h"

enum { EXIT_VIRTUAL = 0, EXIT_BARE_METAL = 1, EXIT_TROUBLE = 2 };

struct options {
        gboolean json;
        char *record;  /* directory, or NULL */
        char *machine; /* directory, or NULL */
};

static const struct tn_detect_fact *find_host(const struct tn_detect *detect)
{
        const struct tn_detect_fact *fact;

        for (size_t i = 0; (fact = tn_detect_fact(detect, i)); i++)
                if (fact->kind == TN_DETECT_HOST)
                        break;
        return fact;
}

static void print_headline(const struct tn_detect *detect)
{
        const struct tn_detect_fact *primary = tn_detect_primary(detect), *host = find_host(detect);

        if (primary)
                tn_cli_say("%s (%s)", primary->id,
                           primary->kind == TN_DETECT_CONTAINER ? "container" : "virtual machine");
        else if (host)
                tn_cli_say("none (bare metal, host under %s)", host->id);
        else
                tn_cli_say("none (bare metal)");
}

static void print_table(const struct tn_detect *detect)
{
        static const char *const headers[] = {"KIND", "ID", "SURE", "EVIDENCE", NULL};
        struct libscols_table *table = tn_table_new(headers);
        const struct tn_detect_fact *fact;

        (void) scols_column_set_flags(scols_table_get_column(table, 2), SCOLS_FL_RIGHT);
        for (size_t i = 0; (fact = tn_detect_fact(detect, i)); i++) {
                g_autofree char *sure = g_strdup_printf("%u%%", fact->confidence);
                const char *cells[] = {tn_detect_kind_name(fact->kind), fact->id, sure, fact->evidence};

                tn_table_add(table, cells);
        }
        tn_table_print(table);
}

static int judge(const struct tn_env *env, bool json)
{
        g_autoptr(tn_detect_t) detect = tn_detect_run(env);

        if (json) {
                json_auto_t *value = tn_detect_to_json(detect);

                tn_cli_print_json(value);
        } else {
                print_headline(detect);
                if (tn_detect_fact(detect, 0))
                        print_table(detect);
        }
        if (fflush(stdout) != 0) {
                perror("tenonctl detect: write the answer to stdout");
                return EXIT_TROUBLE;
        }
        return tn_detect_virtual(detect) ? EXIT_VIRTUAL : EXIT_BARE_METAL;
}

static int record(const struct tn_env *env, const char *dir)
{
        g_autoptr(GError) error = NULL;

        if (!tn_machine_record(env, dir, &error))
                return tn_cli_fail_with(error, EXIT_TROUBLE);
        tn_cli_say("recorded into %s", dir);
        return EXIT_SUCCESS;
}

static int run(const struct tn_env *env, void *data)
{
        const struct options *options = data;

        return options->record ? record(env, options->record) : judge(env, options->json);
}

int tn_cli_detect(int argc, char **argv)
{
        struct options options = {0};
        const struct tn_cli_value values[] = {
                {"json", &options.json}, {"record", &options.record}, {"machine", &options.machine}, {NULL}};
        int status = EXIT_TROUBLE;

        if (tn_cli_options(&argc, &argv, values))
                status = tn_cli_on_machine(options.machine, run, &options, EXIT_TROUBLE);
        g_free(options.record);
        g_free(options.machine);
        return status;
}
