/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenonctl watchdog: its state, and the three things that root may do with it. A test resets the machine, so
 * it asks first and counts down; until it is over, Ctrl-C calls it off.
 */
#include "cli/watchdog.h"

#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/ask.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/table.h"
#include "lib/env.h"
#include "lib/error.h"
#include "lib/holder.h"

#define COUNTDOWN_SECONDS 10

static gboolean yes;

static json_int_t number(const json_t *object, const char *key)
{
        return json_integer_value(json_object_get(object, key));
}

/* Root sees who has it open; the agent in its sandbox does not. */
static char *find_owner(const char *device)
{
        struct tn_env env;
        char *found;

        if (!tn_env_init_system(&env, NULL, NULL))
                return NULL;
        found = tn_holder_find_watchdog(&env, device);
        tn_env_deinit(&env);
        return found;
}

static void print_owner(const json_t *watchdog)
{
        const char *owner = tn_cli_text(watchdog, "owner");
        const json_t *systemd = json_object_get(watchdog, "systemd");
        g_autofree char *found = NULL;

        if (!g_str_equal(tn_cli_text(watchdog, "state"), "foreign"))
                return;
        if (!*owner)
                found = find_owner(tn_cli_text(watchdog, "owned-device"));
        tn_cli_line("Owner", "%s", found ? found : *owner ? owner : "not known");
        if (json_object_get(systemd, "last-ping-seconds-ago"))
                tn_cli_line("", "systemd fed it %" JSON_INTEGER_FORMAT " s ago",
                            number(systemd, "last-ping-seconds-ago"));
        if (json_object_get(systemd, "overdue"))
                tn_cli_line("",
                            "systemd is overdue: RuntimeWatchdogSec=%" JSON_INTEGER_FORMAT
                            " and it has no device, or hangs",
                            number(systemd, "runtime-watchdog-seconds"));
}

/* "timeout 8 s (7 s were wanted)" */
static char *describe_seconds(const json_t *watchdog, const char *what)
{
        g_autofree char *key = g_strdup_printf("%s-seconds", what);
        g_autofree char *wanted_key = g_strdup_printf("%s-wanted-seconds", what);
        json_int_t wanted = number(watchdog, wanted_key);
        g_autofree char *remark = wanted ? g_strdup_printf(" (%" JSON_INTEGER_FORMAT " s were wanted)",
                                                           wanted)
                                         : g_strdup("");

        return g_strdup_printf("%s %" JSON_INTEGER_FORMAT " s%s", what, number(watchdog, key), remark);
}

/* What the kernel does at the pretimeout of the armed device; "" when it does not say. */
static const char *find_governor(const json_t *watchdog)
{
        json_t *row;
        size_t i;

        json_array_foreach(json_object_get(watchdog, "devices"), i, row)
        {
                if (g_str_equal(tn_cli_text(row, "device"), tn_cli_text(watchdog, "device")))
                        return tn_cli_text(row, "pretimeout-governor");
        }
        return "";
}

static void print_armed(const json_t *watchdog)
{
        const json_t *feed = json_object_get(watchdog, "feed");
        const char *last_resort = tn_cli_text(watchdog, "last-resort");
        g_autofree char *timeout = describe_seconds(watchdog, "timeout");
        g_autofree char *pretimeout = describe_seconds(watchdog, "pretimeout");

        if (*tn_cli_text(watchdog, "device"))
                tn_cli_line("Device", "/dev/%s, %s, %s", tn_cli_text(watchdog, "device"),
                            tn_cli_text(watchdog, "identity"), timeout);
        if (number(watchdog, "pretimeout-seconds"))
                tn_cli_line("", "%s, governor %s", pretimeout,
                            *find_governor(watchdog) ? find_governor(watchdog) : "not told");
        if (*last_resort)
                tn_cli_line("", "%s", last_resort);
        if (feed)
                tn_cli_line("Fed",
                            "%" JSON_INTEGER_FORMAT " times, the last time %.1f s ago, longest gap %.1f s",
                            number(feed, "count"), (double) number(feed, "last-ms-ago") / 1000,
                            (double) number(feed, "longest-gap-ms") / 1000);
}

static void print_history(const json_t *watchdog)
{
        const json_t *last = json_object_get(watchdog, "last-reset"),
                     *brake = json_object_get(watchdog, "brake");

        tn_cli_line("Resets", "%" JSON_INTEGER_FORMAT, number(watchdog, "resets"));
        if (last)
                tn_cli_line("", "the last one: %s: %s", tn_cli_text(last, "cause"),
                            tn_cli_text(last, "reason"));
        if (brake)
                tn_cli_line("Brake",
                            "on, after %" JSON_INTEGER_FORMAT " resets within %" JSON_INTEGER_FORMAT
                            " min: armed, but no check stops the feeding; tenonctl watchdog arm releases it",
                            number(brake, "resets"), number(brake, "minutes"));
}

static void print_devices(const json_t *watchdog)
{
        const char *headers[] = {"DEVICE", "DRIVER", "STATE", "TIMEOUT", "REMARK", NULL};
        struct libscols_table *table;
        json_t *row;
        size_t i;

        if (json_array_size(json_object_get(watchdog, "devices")) == 0)
                return;
        putchar('\n');
        table = tn_table_new(headers);
        json_array_foreach(json_object_get(watchdog, "devices"), i, row)
        {
                g_autofree char *timeout = json_object_get(row, "timeout")
                                                   ? g_strdup_printf("%" JSON_INTEGER_FORMAT " s",
                                                                     number(row, "timeout"))
                                                   : NULL;
                const char *driver = tn_cli_text(row, "driver"), *doubt = tn_cli_text(row, "doubt");
                const char *cells[] = {
                        tn_cli_text(row, "device"), *driver ? driver : tn_cli_text(row, "identity"),
                        tn_cli_text(row, "state"), timeout, *doubt ? doubt : tn_cli_text(row, "why")};

                tn_table_add(table, cells);
        }
        tn_table_print(table);
}

static void print_panic(const json_t *watchdog)
{
        json_t *row;
        size_t i;

        json_array_foreach(json_object_get(watchdog, "pvpanic"), i, row) tn_cli_line(
                i ? "" : "pvpanic", "%s: %s", tn_cli_text(row, "device"),
                *tn_cli_text(row, "driver") ? "the host is told when the kernel panics"
                                            : "no driver; load the module pvpanic-pci or pvpanic-mmio");
}

static void print_all(const json_t *watchdog)
{
        const char *reason = tn_cli_text(watchdog, "reason");

        tn_cli_line("Watchdog", "%s (mode %s)", tn_cli_text(watchdog, "state"),
                    tn_cli_text(watchdog, "mode"));
        if (*reason)
                tn_cli_line("", "%s", reason);
        print_owner(watchdog);
        print_armed(watchdog);
        print_history(watchdog);
        print_panic(watchdog);
        print_devices(watchdog);
}

static bool is_well(const json_t *watchdog)
{
        const char *state = tn_cli_text(watchdog, "state");

        return !g_str_equal(state, "refused") && !g_str_equal(state, "starving") &&
               !json_object_get(watchdog, "brake") &&
               !json_object_get(json_object_get(watchdog, "systemd"), "overdue");
}

static void print_armed_now(const json_t *reply)
{
        tn_cli_say("/dev/%s (%s) is armed; it resets this machine when it is not fed for "
                   "%" JSON_INTEGER_FORMAT " s.",
                   tn_cli_text(reply, "device"), tn_cli_text(reply, "identity"),
                   number(reply, "timeout-seconds"));
}

static void print_disarmed(const json_t *reply)
{
        (void) reply;
        tn_cli_say("The watchdog is disarmed until the next boot, or tenonctl watchdog arm.");
}

static void print_starving(const json_t *reply)
{
        json_int_t seconds = number(reply, "resets-after-seconds");

        tn_cli_say("The watchdog is fed no more. The machine should be reset within %" JSON_INTEGER_FORMAT
                   " s; tenonctl watchdog arm calls it off.",
                   seconds ? seconds : number(reply, "timeout-seconds"));
}

static bool confirmed(void)
{
        char text[8] = "";

        if (yes)
                return true;
        if (!isatty(STDIN_FILENO)) {
                fprintf(stderr,
                        "tenonctl watchdog test: this resets the machine; add --yes to do it without being "
                        "asked\n");
                return false;
        }
        printf("This stops feeding the watchdog, so that it RESETS THIS MACHINE without a shutdown.\n"
               "What is not on the disk is lost. Type yes to go on: ");
        fflush(stdout);
        return fgets(text, sizeof text, stdin) && g_str_equal(g_strchomp(text), "yes");
}

/* Before anybody is asked and made to wait. */
static int must_be_armed(void)
{
        g_autoptr(GError) error = NULL;
        json_auto_t *watchdog = tn_client_ask(tn_cli_socket(), "tenon-get-watchdog", &error);

        if (!watchdog)
                return tn_cli_fail(error);
        if (json_object_get(watchdog, "feed"))
                return TN_EXIT_OK;
        (void) tn_error_set(&error, TN_ERROR_UNSUPPORTED,
                            "there is nothing to test, the watchdog is not armed: %s",
                            tn_cli_text(watchdog, "reason"));
        return tn_cli_fail_with(error, TN_EXIT_USAGE);
}

static int test(void)
{
        static const struct tn_question question = {"tenon-watchdog-test", NULL, tn_alone_watchdog,
                                                    print_starving, NULL};
        int result = must_be_armed();

        if (result != TN_EXIT_OK)
                return result;
        if (!confirmed())
                return TN_EXIT_USAGE;
        for (int left = COUNTDOWN_SECONDS; left > 0; left--) {
                fprintf(stderr, "\rFeeding stops in %2d s; Ctrl-C calls it off ", left);
                sleep(1);
        }
        fputc('\n', stderr);
        return tn_ask(&question);
}

int tn_cli_watchdog_status(int argc, char **argv)
{
        static const struct tn_question question = {"tenon-get-watchdog", NULL, tn_alone_watchdog, print_all,
                                                    is_well};

        return tn_ask_verb(argc, argv, &question);
}

int tn_cli_watchdog_arm(int argc, char **argv)
{
        static const struct tn_question question = {"tenon-watchdog-arm", NULL, tn_alone_watchdog,
                                                    print_armed_now, NULL};

        return tn_ask_verb(argc, argv, &question);
}

int tn_cli_watchdog_disarm(int argc, char **argv)
{
        static const struct tn_question question = {"tenon-watchdog-disarm", NULL, tn_alone_watchdog,
                                                    print_disarmed, NULL};

        return tn_ask_verb(argc, argv, &question);
}

int tn_cli_watchdog_test(int argc, char **argv)
{
        gboolean json = FALSE;
        const struct tn_cli_value values[] = {{"json", &json}, {"yes", &yes}, {NULL}};

        return tn_cli_options(&argc, &argv, values) ? test() : TN_EXIT_USAGE;
}
