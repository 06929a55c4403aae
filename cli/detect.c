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

#include "cli/options.h"
#include "detect/detect.h"
#include "detect/machine.h"
#include "lib/json.h"

enum { EXIT_VIRTUAL = 0, EXIT_BARE_METAL = 1, EXIT_TROUBLE = 2 };

struct options {
        gboolean json;
        char *record;  /* directory, or NULL */
        char *machine; /* directory, or NULL */
};

static int complain(const GError *error, const char *remedy)
{
        (void) fprintf(stderr, "tenonctl detect: %s%s%s\n", error->message, remedy ? "; " : "",
                       remedy ?: "");
        return EXIT_TROUBLE;
}

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
                printf("%s (%s)\n", primary->id,
                       primary->kind == TN_DETECT_CONTAINER ? "container" : "virtual machine");
        else if (host)
                printf("none (bare metal, host under %s)\n", host->id);
        else
                printf("none (bare metal)\n");
}

static void add_line(struct libscols_table *table, const struct tn_detect_fact *fact)
{
        struct libscols_line *line = scols_table_new_line(table, NULL);
        g_autofree char *confidence = g_strdup_printf("%u%%", fact->confidence);

        if (!line)
                return;
        (void) scols_line_set_data(line, 0, tn_detect_kind_name(fact->kind));
        (void) scols_line_set_data(line, 1, fact->id);
        (void) scols_line_set_data(line, 2, confidence);
        (void) scols_line_set_data(line, 3, fact->evidence);
}

static void print_table(const struct tn_detect *detect)
{
        struct libscols_table *table = scols_new_table();
        const struct tn_detect_fact *fact;

        if (!table)
                return;
        (void) scols_table_enable_noencoding(table, 1); /* evidence is escaped already */
        (void) scols_table_new_column(table, "KIND", 0, 0);
        (void) scols_table_new_column(table, "ID", 0, 0);
        (void) scols_table_new_column(table, "SURE", 0, SCOLS_FL_RIGHT);
        (void) scols_table_new_column(table, "EVIDENCE", 0, SCOLS_FL_WRAP);
        for (size_t i = 0; (fact = tn_detect_fact(detect, i)); i++)
                add_line(table, fact);
        (void) scols_print_table(table);
        scols_unref_table(table);
}

static void print_json(const struct tn_detect *detect)
{
        json_t *object = tn_detect_to_json(detect);
        g_autofree char *text = tn_json_pretty(object);

        json_decref(object);
        puts(text);
}

static int judge(const struct tn_env *env, bool json)
{
        g_autoptr(tn_detect_t) detect = tn_detect_run(env);

        if (json)
                print_json(detect);
        else {
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
                return complain(error, NULL);
        printf("recorded into %s\n", dir);
        return EXIT_SUCCESS;
}

static int run(const struct options *options)
{
        g_autoptr(GError) error = NULL;
        struct tn_env env;
        int status;

        if (options->machine ? !tn_machine_open(&env, options->machine, &error)
                             : !tn_env_init_system(&env, NULL, &error))
                return complain(error,
                                options->machine ? "make one with `tenonctl detect --record DIR`" : NULL);
        status = options->record ? record(&env, options->record) : judge(&env, options->json);
        if (options->machine)
                tn_machine_close(&env);
        else
                tn_env_deinit(&env);
        return status;
}

int tn_cli_detect(int argc, char **argv)
{
        struct options options = {0};
        const struct tn_cli_value values[] = {
                {"json", &options.json}, {"record", &options.record}, {"machine", &options.machine}, {NULL}};
        int status = EXIT_TROUBLE;

        if (tn_cli_options(&argc, &argv, values))
                status = run(&options);
        g_free(options.record);
        g_free(options.machine);
        return status;
}
