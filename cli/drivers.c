/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenonctl drivers: the inventory as a table, then what could be better. Runs in the caller's process with
 * the caller's rights; the agent is not asked.
 */
#include "cli/drivers.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/machine.h"
#include "cli/table.h"
#include "lib/json.h"
#include "pvdrivers/device-record.h"

struct options {
        gboolean json, all;
        char *machine, *record;
};

/* A bus that only carries the device in the next line. */
static bool is_carrier(const json_t *devices, const json_t *row)
{
        json_t *other;
        size_t i;

        if (!g_str_equal(tn_cli_text(row, "role"), "bus"))
                return false;
        json_array_foreach(devices, i, other) if (g_str_equal(tn_cli_text(other, "parent"),
                                                              tn_cli_text(row, "device"))) return true;
        return false;
}

char *tn_cli_used_by(const json_t *device)
{
        GString *text = g_string_new(NULL);
        static const char *const members[] = {"interfaces", "disks"};

        for (size_t m = 0; m < G_N_ELEMENTS(members); m++) {
                json_t *name;
                size_t i;

                json_array_foreach(json_object_get(device, members[m]), i, name)
                        g_string_append_printf(text, "%s%s", text->len ? " " : "", json_string_value(name));
        }
        return g_string_free(text, FALSE);
}

/* "i6300ESB timer (i6300esb)": the driver, and the module where that has another name. */
static char *driver_and_module(const json_t *row)
{
        const char *driver = tn_cli_text(row, "driver"), *module = tn_cli_text(row, "module");
        g_autofree char *same = g_strdelimit(g_strdup(driver), "-", '_');

        if (*driver && (*module == '\0' || g_str_equal(same, module)))
                return g_strdup(driver);
        return g_strdup_printf("%s%s%s%s", *driver ? driver : "-", *module ? " (" : "", module,
                               *module ? ")" : "");
}

static void add_row(struct libscols_table *table, const json_t *row)
{
        g_autofree char *used_by = tn_cli_used_by(row), *driver = driver_and_module(row);
        g_autofree char *device = g_strdup_printf("%s %s", tn_cli_text(row, "bus"),
                                                  tn_cli_text(row, "device"));
        const char *cells[] = {device,  tn_cli_text(row, "role"),  tn_cli_text(row, "kind"),
                               used_by, tn_cli_text(row, "state"), driver};

        tn_table_add(table, cells);
}

static void print_table(const json_t *devices, bool all)
{
        static const char *const headers[] = {"DEVICE", "ROLE", "KIND", "AS", "STATE", "DRIVER", NULL};
        struct libscols_table *table = tn_table_new(headers);
        struct libscols_column *last = scols_table_get_column(table, G_N_ELEMENTS(headers) - 2);
        unsigned left_out = 0;
        json_t *row;
        size_t i;

        (void) scols_column_set_flags(last, 0); /* a name that is cut in pieces helps nobody */
        json_array_foreach(devices, i, row)
        {
                bool other = g_str_equal(tn_cli_text(row, "kind"), "other");

                if (all || (!other && !is_carrier(devices, row)))
                        add_row(table, row);
                else
                        left_out += other;
        }
        tn_table_print(table);
        if (left_out > 0)
                tn_cli_say("%u more %s parts of the board or passed through; --all shows them", left_out,
                           left_out == 1 ? "device is" : "devices are");
}

static void print_changes(const json_t *changes)
{
        json_t *change;
        size_t i;

        json_array_foreach(changes, i, change)
                tn_cli_say("    %-11s %s", tn_cli_text(change, "host"), tn_cli_text(change, "change"));
}

static void print_problems(const json_t *devices)
{
        json_t *row;
        size_t i;

        json_array_foreach(devices, i, row) if (json_is_string(json_object_get(row, "problem")))
        {
                putchar('\n');
                tn_cli_say("%s %s has no driver: %s", tn_cli_text(row, "bus"), tn_cli_text(row, "device"),
                           tn_cli_text(row, "problem"));
        }
}

static void print_one_advice(const json_t *row, const json_t *advice)
{
        g_autofree char *used_by = tn_cli_used_by(row);
        const char *module = tn_cli_text(advice, "module"), *state = tn_cli_text(advice, "state");

        putchar('\n');
        tn_cli_say("%s %s%s%s%s is emulated; %s would be %s.%s", tn_cli_text(row, "bus"),
                   tn_cli_text(row, "device"), *used_by ? " (" : "", used_by, *used_by ? ")" : "", module,
                   g_str_equal(tn_cli_text(advice, "importance"), "high") ? "faster" : "easier on the host",
                   g_str_equal(state, "missing")
                           ? " This kernel lacks it; first run: tenonctl drivers install"
                           : "");
        print_changes(json_object_get(advice, "changes"));
}

static void print_advice(const json_t *devices)
{
        bool disk = false;
        json_t *row;
        size_t i;

        json_array_foreach(devices, i, row)
        {
                const json_t *advice = json_object_get(row, "advice");

                if (!advice)
                        continue;
                print_one_advice(row, advice);
                disk = disk || g_str_equal(tn_cli_text(row, "role"), "storage");
        }
        if (disk)
                printf("\nDisks and interfaces change their names with their bus: run `tenonctl drivers "
                       "plan` before.\n");
}

static void print_absent(const json_t *absent)
{
        json_t *row;
        size_t i;

        json_array_foreach(absent, i, row)
        {
                putchar('\n');
                tn_cli_say("There is no %s device; the host could add one.", tn_cli_text(row, "role"));
                print_changes(json_object_get(row, "changes"));
        }
}

static void print_without_device(const json_t *list)
{
        json_t *row;
        size_t i;

        json_array_foreach(list, i, row)
                tn_cli_say("%s, a %s that no device names: %s", tn_cli_text(row, "module"),
                           tn_cli_text(row, "role"), tn_cli_text(row, "state"));
}

static void print_inventory(const json_t *value, bool all)
{
        const json_t *devices = json_object_get(value, "devices");
        const char *platform = tn_cli_text(value, "platform"), *kernel = tn_cli_text(value, "kernel");

        tn_cli_say("Platform %s, kernel %s", *platform ? platform : "unknown or none",
                   *kernel ? kernel : "unknown");
        print_table(devices, all);
        print_without_device(json_object_get(value, "without-device"));
        print_problems(devices);
        print_advice(devices);
        print_absent(json_object_get(value, "absent"));
}

json_t *tn_cli_inventory(const struct tn_env *env, GPtrArray *mistakes)
{
        g_autoptr(tn_catalogue_t) catalogue = tn_catalogue_new(env, mistakes);
        g_autoptr(tn_detect_t) detect = tn_detect_run(env);
        g_autoptr(tn_kernels_t) kernels = tn_kernels_new(env);
        g_autoptr(tn_inventory_t) inventory = tn_inventory_new(env, catalogue, detect, kernels);

        return tn_inventory_to_json(inventory);
}

static bool has_problem(const json_t *devices)
{
        json_t *row;
        size_t i;

        json_array_foreach(devices, i, row) if (json_object_get(row, "problem")) return true;
        return false;
}

static int show(const struct tn_env *env, const struct options *options)
{
        g_autoptr(GPtrArray) mistakes = g_ptr_array_new_with_free_func(g_free);
        json_auto_t *value = tn_cli_inventory(env, mistakes);

        for (guint i = 0; i < mistakes->len; i++)
                tn_cli_warn(mistakes->pdata[i]);
        if (options->json)
                tn_cli_print_json(value);
        else
                print_inventory(value, options->all);
        return mistakes->len > 0 || has_problem(json_object_get(value, "devices")) ? TN_EXIT_NO : TN_EXIT_OK;
}

static int record(const struct tn_env *env, const char *dir)
{
        g_autoptr(GError) error = NULL;

        if (!tn_device_record(env, dir, &error))
                return tn_cli_fail(error);
        tn_cli_say("recorded into %s", dir);
        return TN_EXIT_OK;
}

static int run(const struct tn_env *env, void *data)
{
        const struct options *options = data;

        return options->record ? record(env, options->record) : show(env, options);
}

int tn_cli_drivers(int argc, char **argv)
{
        struct options options = {0};
        const struct tn_cli_value values[] = {{"json", &options.json},
                                              {"all", &options.all},
                                              {"record", &options.record},
                                              {"machine", &options.machine},
                                              {NULL}};
        int status;

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        status = tn_cli_on_machine(options.machine, run, &options, TN_EXIT_USAGE);
        g_free(options.machine);
        g_free(options.record);
        return status;
}
