/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-host: asks the agent of a guest from its host. One table of verbs; help comes from it. No privileges
 * are needed but the right to use the socket, and nothing that comes from the guest is trusted.
 *
 * Exit statuses:
 *   0    done
 *   1    the guest answered with an error; status: something in the guest needs attention
 *   2    wrong usage, or it could not be done on this host
 *   3    no connection, or what came over it is no answer
 *   124  a time-out
 * exec: the status of the program, or 128 and the number of the signal that ended it. A status that is not
 * the program's comes with a line on standard error that begins with "tenon-host:".
 */
#include <locale.h>
#include <math.h>
#include <stdio.h>

#include "host/host.h"
#include "host/trouble.h"
#include "lib/names.h"

#define TIMEOUT_S     10.0
#define TIMEOUT_S_MAX 86400.0
#define ARGS_WIDTH    37

static const struct verb {
        const char *name, *args, *summary;
        int (*run)(struct tn_host *host, int argc, char **argv);
        bool strict; /* options end at the first other word: what follows has options of its own */
} verbs[] = {
        {"status", "", "How the guest and its agent do, on one screen", tn_host_status},
        {"ask", "COMMAND [JSON-OBJECT | KEY=VALUE…]", "Any command of the agent's", tn_host_ask},
        {"watch", "[EVENT…]", "What the guest tells by itself, as it comes", tn_host_watch},
        {"exec", "[--] PROGRAM [ARGUMENT…]", "Run a program in the guest", tn_host_exec, true},
        {"cp", "SOURCE TARGET", "Copy a file; one side is guest:/PATH", tn_host_cp},
        {"freeze", "", "Freeze the guest's file systems, for a snapshot", tn_host_freeze},
        {"thaw", "", "Thaw them", tn_host_thaw},
        {"time", "[--set | --every SECONDS]", "How far the guest's clock is from this host's", tn_host_time},
};

static char *list_verbs(void)
{
        GString *text = g_string_new("Verbs:\n");

        for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++) {
                const struct verb *verb = &verbs[i];
                int pad = ARGS_WIDTH - (int) g_utf8_strlen(verb->args, -1);

                g_string_append_printf(text, "  %-7s %s%*s %s\n", verb->name, verb->args, pad, "",
                                       verb->summary);
        }
        g_string_append(text, "\ntenon-host VERB --help explains a verb. See tenon-host(1).");
        return g_string_free(text, FALSE);
}

static const struct verb *find_verb(const char *name)
{
        for (size_t i = 0; i < G_N_ELEMENTS(verbs); i++)
                if (g_str_equal(verbs[i].name, name))
                        return &verbs[i];
        return NULL;
}

bool tn_host_parse(struct tn_host *host, int *argc, char ***argv, const GOptionEntry *entries, int min,
                   int max)
{
        const GOptionEntry common[] = {
                {"json", 'j', 0, G_OPTION_ARG_NONE, &host->json, "Print JSON", NULL},
                {NULL},
        };
        const struct verb *verb = find_verb((*argv)[0]);
        g_autoptr(GOptionContext) context = g_option_context_new(verb->args);
        g_autofree char *name = g_strdup_printf("tenon-host --socket SOCKET %s", verb->name);
        g_autoptr(GError) error = NULL;

        g_set_prgname(name);
        g_option_context_set_summary(context, verb->summary);
        g_option_context_set_strict_posix(context, verb->strict);
        if (entries)
                g_option_context_add_main_entries(context, entries, NULL);
        g_option_context_add_main_entries(context, common, NULL);
        if (g_option_context_parse(context, argc, argv, &error)) {
                if (*argc > 1 && g_str_equal((*argv)[1], "--")) {
                        (*argv)++;
                        (*argc)--;
                }
                if (*argc - 1 >= min && *argc - 1 <= max)
                        return true;
                (void) tn_trouble_set(&error, TN_TROUBLE_LOCAL,
                                      *argc - 1 < min ? "too few words" : "too many words");
        }
        fprintf(stderr, "tenon-host %s: %s; try tenon-host %s --help\n", verb->name, error->message,
                verb->name);
        return false;
}

bool tn_host_seconds(double seconds, const char *option, unsigned *ret_ms)
{
        if (!(seconds > 0 && seconds <= TIMEOUT_S_MAX)) { /* also when it is no number */
                fprintf(stderr, "tenon-host: %s is in seconds, up to %.0f\n", option, TIMEOUT_S_MAX);
                return false;
        }
        *ret_ms = (unsigned) ceil(seconds * 1000);
        return true;
}

struct tn_guest *tn_host_open(const struct tn_host *host, GError **error)
{
        const struct tn_guest_address address = {.socket = host->socket,
                                                 .domain = host->domain,
                                                 .uri = host->uri,
                                                 .timeout_ms = (unsigned) ceil(host->timeout_s * 1000)};

        return tn_guest_open(&address, error);
}

static bool parse_globals(struct tn_host *host, int *argc, char ***argv, gboolean *ret_version)
{
        const GOptionEntry entries[] = {
                {"socket", 's', 0, G_OPTION_ARG_FILENAME, &host->socket,
                 "Unix socket of the guest's port, or vsock:CID:PORT", "SOCKET"},
                {"domain", 'd', 0, G_OPTION_ARG_STRING, &host->domain, "Ask through libvirt", "NAME"},
                {"connect", 'c', 0, G_OPTION_ARG_STRING, &host->uri, "Which libvirt, with --domain", "URI"},
                {"timeout", 't', 0, G_OPTION_ARG_DOUBLE, &host->timeout_s,
                 "For the connection, and for each answer (10)", "SECONDS"},
                {"json", 'j', 0, G_OPTION_ARG_NONE, &host->json, "Print JSON", NULL},
                {"version", 'V', 0, G_OPTION_ARG_NONE, ret_version, "Print the version", NULL},
                {NULL},
        };
        g_autoptr(GOptionContext) context = g_option_context_new("VERB [ARGUMENT…]");
        g_autofree char *list = list_verbs();
        g_autoptr(GError) error = NULL;

        g_set_prgname("tenon-host");
        g_option_context_set_strict_posix(context, TRUE);
        g_option_context_set_summary(context, list);
        g_option_context_add_main_entries(context, entries, NULL);
        if (g_option_context_parse(context, argc, argv, &error))
                return true;
        fprintf(stderr, "tenon-host: %s; try tenon-host --help\n", error->message);
        return false;
}

static int run_verb(struct tn_host *host, int argc, char **argv)
{
        const struct verb *verb = argc > 1 ? find_verb(argv[1]) : NULL;
        bool wants_help = argc > 2 && (g_str_equal(argv[2], "--help") || g_str_equal(argv[2], "-h"));
        unsigned ms;

        if (!verb) {
                fprintf(stderr, "tenon-host: %s%s; try tenon-host --help\n",
                        argc > 1 ? "unknown verb " : "a verb is missing", argc > 1 ? argv[1] : "");
                return TN_TROUBLE_LOCAL;
        }
        if (!wants_help && !host->socket == !host->domain) {
                fputs("tenon-host: which guest? Say --socket SOCKET or --domain NAME, before the verb\n",
                      stderr);
                return TN_TROUBLE_LOCAL;
        }
        if (!tn_host_seconds(host->timeout_s, "--timeout", &ms))
                return TN_TROUBLE_LOCAL;
        return verb->run(host, argc - 1, argv + 1);
}

int main(int argc, char **argv)
{
        struct tn_host host = {.timeout_s = TIMEOUT_S};
        gboolean version = FALSE;
        int status = TN_TROUBLE_LOCAL;

        setlocale(LC_ALL, "");
        if (parse_globals(&host, &argc, &argv, &version)) {
                if (version)
                        puts("Tenon " TN_VERSION);
                status = version ? 0 : run_verb(&host, argc, argv);
        }
        if (fflush(stdout) != 0 && status == 0)
                status = TN_TROUBLE_LOCAL;
        g_free(host.socket);
        g_free(host.domain);
        g_free(host.uri);
        return status;
}
