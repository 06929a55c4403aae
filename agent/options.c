/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The command line, from one table, and its way into the configuration, where it is checked like any other
 * setting. Lists add to what the files say, everything else replaces it, as with qemu-ga. The surprising
 * thing: getopt_long() and not GOption, because existing units glue arguments to letters (-F/path,
 * -mMETHOD), which GOption refuses.
 */
#include "agent/options.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "agent/config-qga.h"
#include "lib/error.h"
#include "lib/names.h"

#define DEFAULT_HOOK "/etc/qemu/fsfreeze-hook"
#define OPTIONS_MAX  32

enum kind {
        FLAG,  /* bool */
        TEXT,  /* char *, the last one wins */
        NAME,  /* the same, of a file: made absolute */
        LIST,  /* char *, joined by commas */
        MANY,  /* GPtrArray of char *, NULL-ended after parsing */
        MAYBE, /* char *, with a default: the argument is glued on or absent */
        HELP,
};

static const struct option_row {
        char letter; /* 0: none */
        const char *name;
        enum kind kind;
        size_t offset; /* in struct tn_options */
        const char *metavar, *help;
} rows[] = {
#define AT(member) offsetof(struct tn_options, member)
        {'m', "method", TEXT, AT(method), "METHOD",
         "virtio-serial (default), isa-serial, unix-listen, vsock-listen"},
        {'p', "path", TEXT, AT(path), "PATH", "Device, socket, or CID:PORT"},
        {'c', "config", TEXT, AT(config), "FILE", "Configuration in place of " TN_PATH_CONFIG},
        {'D', "dump-conf", FLAG, AT(dump), NULL, "Print the settings in qemu-ga's format and exit"},
        {'t', "statedir", NAME, AT(statedir), "DIR", "Where state is kept"},
        {'d', "daemonize", FLAG, AT(daemonize), NULL, "Go to the background"},
        {'f', "pidfile", NAME, AT(pidfile), "FILE", "Pid file, with --daemonize"},
        {'l', "logfile", NAME, AT(logfile), "FILE", "Text log, appended"},
        {'F', "fsfreeze-hook", MAYBE, AT(hook), "[=FILE]",
         "qemu-ga's freeze hook, run beside our own (" DEFAULT_HOOK ")"},
        {'b', "block-rpcs", LIST, AT(block), "LIST", "Commands to refuse; help lists them all"},
        {'a', "allow-rpcs", LIST, AT(allow), "LIST", "Refuse all but these; help lists them all"},
        {0, "blacklist", LIST, AT(block), "LIST", "The name that --block-rpcs had before QEMU 9.1"},
        {'r', "retry-path", FLAG, AT(retry), NULL,
         "Accepted for qemu-ga's sake: a missing device is always waited for"},
        {0, "plugin-dir", MANY, AT(plugin_dirs), "DIR",
         "Plugins in place of " TN_PATH_PLUGINS "; may be repeated"},
        {'v', "verbose", FLAG, AT(verbose), NULL, "Log everything"},
        {'V', "version", FLAG, AT(version), NULL, "Print the version"},
        {'h', "help", HELP, 0, NULL, "Print this"},
#undef AT
};

static void print_help(const char *program)
{
        printf("Usage: %s [OPTION]...\n\nThe Tenon guest agent; see tenond(8).\n\n", program);
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const struct option_row *row = &rows[i];
                g_autofree char *letter = row->letter ? g_strdup_printf("-%c, ", row->letter)
                                                      : g_strdup("    ");
                g_autofree char *name = g_strdup_printf("--%s%s%s", row->name,
                                                        row->metavar && row->kind != MAYBE ? "=" : "",
                                                        row->metavar ? row->metavar : "");

                printf("  %s%-24s %s\n", letter, name, row->help);
        }
}

/* getopt's own tables: the letters with their colons, and the long names. */
static void build_tables(GString *letters, struct option *longs)
{
        g_string_append_c(letters, ':'); /* missing arguments are told apart from unknown options */
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                const struct option_row *row = &rows[i];
                int takes = row->kind == FLAG || row->kind == HELP ? no_argument
                            : row->kind == MAYBE                   ? optional_argument
                                                                   : required_argument;

                longs[i] = (struct option){.name = row->name, .has_arg = takes, .val = 256 + (int) i};
                if (row->letter)
                        g_string_append_printf(letters, "%c%s", row->letter,
                                               takes == required_argument   ? ":"
                                               : takes == optional_argument ? "::"
                                                                            : "");
        }
        longs[G_N_ELEMENTS(rows)] = (struct option){0};
}

static const struct option_row *find_row(int option)
{
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++)
                if (option == 256 + (int) i || (rows[i].letter && option == rows[i].letter))
                        return &rows[i];
        return NULL;
}

static void store(struct tn_options *options, const struct option_row *row, const char *value)
{
        void *target = (char *) options + row->offset;
        char **text = target;
        GPtrArray **many = target;
        g_autofree char *before = NULL;

        switch (row->kind) {
        case FLAG:
                *(bool *) target = true;
                break;
        case MANY:
                if (!*many)
                        *many = g_ptr_array_new_null_terminated(4, g_free, TRUE);
                g_ptr_array_add(*many, g_strdup(value));
                break;
        case LIST:
                if (!*value) /* the variable of a unit that is not set */
                        break;
                before = *text;
                *text = before ? g_strdup_printf("%s,%s", before, value) : g_strdup(value);
                break;
        case TEXT:
                g_free(*text);
                *text = g_strdup(value);
                break;
        case MAYBE:
        case NAME:
                g_free(*text);
                *text = g_canonicalize_filename(value ? value : DEFAULT_HOOK, NULL);
                break;
        case HELP:
                print_help(options->as_qga ? TN_NAME_QGA : "tenond");
                exit(EXIT_SUCCESS);
        }
}

static bool is_help(const char *list)
{
        return g_strcmp0(list, "help") == 0 || g_strcmp0(list, "?") == 0;
}

bool tn_options_parse(int argc, char **argv, struct tn_options *options, GError **error)
{
        g_autofree char *name = g_path_get_basename(argv[0]);
        g_autoptr(GString) letters = g_string_new(NULL);
        struct option longs[OPTIONS_MAX];
        int option;

        G_STATIC_ASSERT(G_N_ELEMENTS(rows) < OPTIONS_MAX);
        build_tables(letters, longs);
        options->as_qga = g_str_equal(name, TN_NAME_QGA);
        opterr = 0;
        while ((option = getopt_long(argc, argv, letters->str, longs, NULL)) != -1) {
                const struct option_row *row = find_row(option);

                if (option == ':')
                        return tn_error_set(error, TN_ERROR_INVALID, "option '%s' needs an argument",
                                            argv[optind - 1]);
                if (!row)
                        return tn_error_set(error, TN_ERROR_INVALID, "unknown option '%s'",
                                            argv[optind - 1]);
                store(options, row, optarg);
        }
        if (optind < argc)
                return tn_error_set(error, TN_ERROR_INVALID, "unexpected argument '%s'", argv[optind]);
        options->list_commands = is_help(options->block) || is_help(options->allow);
        return true;
}

void tn_options_clear(struct tn_options *options)
{
        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                void *target = (char *) options + rows[i].offset;

                if (rows[i].kind == MANY)
                        g_clear_pointer((GPtrArray **) target, g_ptr_array_unref);
                else if (rows[i].kind != FLAG && rows[i].kind != HELP)
                        g_clear_pointer((char **) target, g_free);
        }
}

char *tn_options_config_path(const struct tn_options *options, bool *ret_required)
{
        const char *variable = g_getenv("QGA_CONF");

        *ret_required = options->config != NULL;
        return g_canonicalize_filename(options->config ? options->config
                                       : variable      ? variable
                                                       : TN_PATH_CONFIG,
                                       NULL);
}

static bool override(struct tn_config *config, const char *group, const char *key, const char *value,
                     GError **error)
{
        const struct tn_config_key *row = tn_config_table_find(group, key);
        const char *before = tn_config_get_nonempty(config, group, key);
        g_autofree char *joined = NULL;

        if (!value)
                return true;
        if (row->type == TN_CONFIG_LIST && before)
                value = joined = g_strdup_printf("%s,%s", before, value);
        if (tn_config_override(config, group, key, value, error))
                return true;
        g_prefix_error(error, "command line: group [%s], ", group);
        return false;
}

static const struct {
        const char *group, *key, *value;
} qga_defaults[] = {
        {"policy", "preset", "open"},
        {"agent", "pidfile", "/var/run/qemu-ga.pid"},
        {"agent", "statedir", "/var/run"},
};

bool tn_options_apply(const struct tn_options *options, struct tn_config *config, GError **error)
{
        const char *os_release = g_getenv("QGA_OS_RELEASE");
        g_autofree char *os_release_path = os_release ? g_canonicalize_filename(os_release, NULL) : NULL;
        const struct {
                const char *group, *key, *value;
        } given[] = {
                {"channel", "method", options->method},
                {"channel", "path", options->path},
                {"agent", "statedir", options->statedir},
                {"agent", "daemonize", options->daemonize ? "yes" : NULL},
                {"agent", "pidfile", options->pidfile},
                {"log", "file", options->logfile},
                {"log", "level", options->verbose ? "debug" : NULL},
                {"policy", "block", is_help(options->block) ? NULL : options->block},
                {"policy", "only", is_help(options->allow) ? NULL : options->allow},
                {"freeze", "qga-hook", options->hook},
                {"channel", "retry-path", options->retry ? "yes" : NULL},
                {"guestinfo", "os-release", os_release_path},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(given); i++)
                if (!override(config, given[i].group, given[i].key, given[i].value, error))
                        return false;
        /* Who calls us qemu-ga expects what qemu-ga does, unless the configuration has a word on it. */
        for (size_t i = 0; options->as_qga && i < G_N_ELEMENTS(qga_defaults); i++)
                tn_config_default(config, qga_defaults[i].group, qga_defaults[i].key, qga_defaults[i].value,
                                  "the name " TN_NAME_QGA);
        return true;
}
