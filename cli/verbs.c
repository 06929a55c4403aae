/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The table. It is compiled twice: into tenonctl, and without the code of the verbs into the program that
 * writes the completion of the shells while Tenon is built. A hall, since it is one table.
 */
#include "cli/verbs.h"

#include <stddef.h>

#ifdef TN_VERBS_WITHOUT_CODE
#define RUN(function) NULL
#else
#include "cli/cli.h"
#include "cli/detect.h"
#include "cli/drivers-plan.h"
#include "cli/drivers.h"
#include "cli/heartbeat.h"
#include "cli/watchdog.h"
#define RUN(function) function
#endif

#define FLAG(name, help)                                                                                    \
        {                                                                                                   \
                name, 0, TN_OPTION_FLAG, NULL, help, NULL, false                                            \
        }
#define LETTER(name, letter, help)                                                                          \
        {                                                                                                   \
                name, letter, TN_OPTION_FLAG, NULL, help, NULL, false                                       \
        }
#define TEXT(name, value, help)                                                                             \
        {                                                                                                   \
                name, 0, TN_OPTION_TEXT, value, help, NULL, false                                           \
        }
#define WORDS(name, value, words, help)                                                                     \
        {                                                                                                   \
                name, 0, TN_OPTION_TEXT, value, help, words, false                                          \
        }
#define NUMBER(name, value, help)                                                                           \
        {                                                                                                   \
                name, 0, TN_OPTION_NUMBER, value, help, NULL, false                                         \
        }
#define FILE_OF(name, value, help)                                                                          \
        {                                                                                                   \
                name, 0, TN_OPTION_FILE, value, help, NULL, false                                           \
        }
#define DIR_OF(name, value, help)                                                                           \
        {                                                                                                   \
                name, 0, TN_OPTION_DIR, value, help, NULL, false                                            \
        }
#define JSON      FLAG("json", "Print JSON")
#define PLATFORMS "kvm vmware xen hyperv virtualbox aws gcp azure"
#define ROLES     "storage network console balloon rng gpu input watchdog clock share"
#define NO_AGENT  "3 no agent runs"

const char tn_error_members[] = "code message exit-status";

const struct tn_option tn_common_options[] = {
        FILE_OF("socket", "PATH", "Ask the agent whose control socket this is"),
        WORDS("color", "WHEN", "auto always never", "Colour: auto (the default), always, never"),
        {NULL},
};

const struct tn_option tn_first_options[] = {
        LETTER("version", 'V', "Print the version"),
        LETTER("help", 'h', "Print this; tenonctl VERB --help explains a verb"),
        {NULL},
};

static const struct tn_option json_only[] = {JSON, {NULL}};

static const struct tn_option detect_options[] = {
        JSON,
        DIR_OF("record", "DIR", "Record this machine's evidence into a new directory, without secrets"),
        DIR_OF("machine", "DIR", "Judge a recorded machine instead of this one"),
        {NULL},
};

static const struct tn_option config_options[] = {
        JSON,
        FILE_OF("file", "FILE", "Read FILE and FILE.d in place of the usual configuration"),
        {NULL},
};

static const struct tn_option drivers_options[] = {
        JSON,
        FLAG("all", "Show parts of the board, too"),
        DIR_OF("record", "DIR", "Record this machine and its devices into a new directory, without secrets"),
        DIR_OF("machine", "DIR", "Look at a recorded machine instead of this one"),
        {NULL},
};

static const struct tn_option plan_options[] = {
        {"target", 0, TN_OPTION_TEXT, "PLATFORM", "Where to: " PLATFORMS, PLATFORMS, true},
        TEXT("devices", "MODULE,…",
             "Modules of the devices that the new machine has, in place of the platform's usual ones"),
        JSON,
        DIR_OF("root", "DIR", "Look at the root file system in this folder instead of this machine"),
        {NULL},
};

static const struct tn_option prepare_options[] = {
        {"target", 0, TN_OPTION_TEXT, "PLATFORM", "Where the guest goes to: " PLATFORMS, PLATFORMS, true},
        FLAG("dry-run", "Say what would be done, and do nothing"),
        FLAG("remove-old-tools", "After the move: remove other hypervisors' guest tools"),
        JSON,
        {NULL},
};

static const struct tn_option undo_options[] = {
        FLAG("all", "Every prepare, not only the last one"),
        FLAG("force", "Also files that somebody changed since"),
        FLAG("list", "Only list what can be undone"),
        FLAG("dry-run", "Say what would be done, and do nothing"),
        JSON,
        {NULL},
};

static const struct tn_option install_options[] = {
        WORDS("target", "PLATFORM", PLATFORMS, "For the devices of another hypervisor"),
        FLAG("dry-run", "Say what would be installed"),
        JSON,
        {NULL},
};

static const struct tn_verb drivers_verbs[] = {
        {"plan", "", "Would this guest boot on another hypervisor, and what would it lose there?",
         plan_options, "0 ready, 1 would not boot, 2 boots with a loss, 4 no verdict, or wrong usage",
         "target verdict exit-status devices kernels checks", NULL, RUN(tn_cli_drivers_plan), NULL},
        {"prepare", "", "Make this guest ready for another hypervisor", prepare_options,
         "those of the plan afterwards: 0 ready, 1 would not boot, 2 boots with a loss, 4 not done",
         "target dry-run changes images notes old-tools plan transaction", NULL, RUN(tn_cli_drivers_prepare),
         NULL},
        {"undo", "", "Take back what drivers prepare did", undo_options, "0 done", "restored undone left",
         NULL, RUN(tn_cli_drivers_undo), NULL},
        {"install", "[ROLE…]", "Install the packages with drivers that the kernels here lack",
         install_options, "0 done", "dry-run missing packages modules", ROLES, RUN(tn_cli_drivers_install),
         NULL},
        {NULL},
};

static const struct tn_option events_options[] = {
        FLAG("json", "Print JSON, one object a line"),
        TEXT("since", "TIME", "First those since then, as far as the agent knows them: 10min, 2h, a date"),
        NUMBER("count", "N", "End after so many"),
        {NULL},
};

static const struct tn_option freeze_options[] = {
        {"check", 0, TN_OPTION_FLAG, NULL, "Tell what would be frozen, and what not", NULL, true},
        JSON,
        {NULL},
};

static const struct tn_option run_options[] = {
        {"name", 0, TN_OPTION_TEXT, "NAME", "Name of the heartbeat", NULL, true},
        NUMBER("timeout", "SECONDS", "Longest time between two beats (60)"),
        FLAG("required", "While it is missed, no watchdog is fed"),
        FILE_OF("heartbeat-socket", "PATH", "Socket of the agent for heartbeats"),
        {NULL},
};

static const struct tn_option remove_options[] = {
        JSON,
        FILE_OF("heartbeat-socket", "PATH", "Socket of the agent for heartbeats"),
        {NULL},
};

static const struct tn_verb heartbeat_verbs[] = {
        {"list", "", "The heartbeats that are registered", json_only,
         "0 all beat, 1 one is missed, " NO_AGENT,
         "[] name state reason since timeout-ms required uid pid beats left-ms", NULL,
         RUN(tn_cli_heartbeat_list), NULL},
        {"run", "-- COMMAND [ARGUMENT…]", "Run a command that must say that it is well", run_options,
         "that of the command, 128 and the number of the signal that ended it", NULL, NULL,
         RUN(tn_cli_heartbeat_run), NULL},
        {"remove", "NAME", "Unregister a heartbeat whose program will not come back", remove_options,
         "0 done, " NO_AGENT, "", NULL, RUN(tn_cli_heartbeat_remove), NULL},
        {NULL},
};

static const struct tn_option support_options[] = {
        FILE_OF("output", "FILE", "Write it there (tenon-support-DATE-TIME.tar.gz)"),
        JSON,
        {NULL},
};

static const struct tn_option time_options[] = {
        JSON,
        LETTER("watch", 'w', "Print it again each 10 seconds"),
        {NULL},
};

static const struct tn_option setup_options[] = {
        FLAG("undo", "Remove what it wrote"),
        FLAG("dry-run", "Only print what would be done"),
        JSON,
        {NULL},
};

static const struct tn_verb time_verbs[] = {
        {"setup", "", "Make chrony use the hypervisor's clock", setup_options, "0 done", "dry-run changes",
         NULL, RUN(tn_cli_time_setup), NULL},
        {NULL},
};

static const struct tn_option test_options[] = {
        JSON,
        FLAG("yes", "Do not ask for a confirmation"),
        {NULL},
};

#define WATCHDOG_EXITS                                                                                      \
        "0 nothing is wrong, 1 it was refused, is starving, its brake is on, or systemd is "                \
        "overdue, " NO_AGENT

static const struct tn_verb watchdog_verbs[] = {
        {"status", "", "Whether it is fed, by whom, and why it fired", json_only, WATCHDOG_EXITS,
         "mode state reason resets devices pvpanic", NULL, RUN(tn_cli_watchdog_status), NULL},
        {"arm", "", "Arm the best device; releases the brake", json_only, "0 done, " NO_AGENT,
         "device identity timeout-seconds", NULL, RUN(tn_cli_watchdog_arm), NULL},
        {"disarm", "", "Disarm it until the next boot", json_only, "0 done, " NO_AGENT, "", NULL,
         RUN(tn_cli_watchdog_disarm), NULL},
        {"test", "", "Stop feeding it, so that the machine is reset", test_options, "0 done, " NO_AGENT,
         "timeout-seconds", NULL, RUN(tn_cli_watchdog_test), NULL},
        {NULL},
};

#define UPDATE_EXITS                                                                                        \
        "0 current, managed or newer, 10 there is a newer one, 11 it mends a security problem, or this "    \
        "one is "                                                                                           \
        "revoked, 20 unknown or unmanaged"
#define UPDATE_JSON                                                                                         \
        "status installed candidate source verified-by checked-at security message sources problems "       \
        "remedies "                                                                                         \
        "version"

static const struct tn_verb update_verbs[] = {
        {"check", "", "Ask now whether there is a newer one", config_options, UPDATE_EXITS, UPDATE_JSON,
         NULL, RUN(tn_cli_update_check), NULL},
        {"install", "", "Ask the package manager for the newest one", config_options,
         "0 done, or there is nothing newer", "state from to by at", NULL, RUN(tn_cli_update_install), NULL},
        {NULL},
};

const struct tn_verb tn_verbs[] = {
        {"status", "", "What needs attention, what machine this is, who talks to the host", json_only,
         "0 the agent is well, 1 something needs attention, " NO_AGENT,
         "version health hypervisor channels policy plugins drivers watchdog update time counters facts "
         "uptime-seconds",
         NULL, RUN(tn_cli_status), NULL},
        {"detect", "", "Which hypervisor, container and cloud", detect_options,
         "0 a virtual machine or a container, or it was recorded, 1 bare metal", "primary virtual facts",
         NULL, RUN(tn_cli_detect), NULL},
        {"config", "", "Settings in force and where they come from; reports mistakes", config_options,
         "0 no mistake, 1 there is a mistake", "settings mistakes", NULL, RUN(tn_cli_config), NULL},
        {"drivers", "", "Devices, their drivers, and what would be better", drivers_options,
         "0 nothing lacks, 1 a paravirtual device has no driver, or drivers.d has a mistake",
         "platform kernel devices without-device absent", NULL, RUN(tn_cli_drivers), drivers_verbs},
        {"events", "", "What happens, as it happens", events_options, "0 --count were printed, " NO_AGENT,
         "event data timestamp dropped", NULL, RUN(tn_cli_events), NULL},
        {"freeze", "", "What a freeze for a snapshot would do, and what not, and why", freeze_options,
         "0 it would work, 1 a hook cannot be trusted, " NO_AGENT, "file-systems hooks timeout-ms", NULL,
         RUN(tn_cli_freeze), NULL},
        {"health", "", "Checks, heartbeats, and whether a watchdog may be fed", json_only,
         "0 all is well, 1 something needs attention, " NO_AGENT,
         "health gate checks heartbeats heartbeat-access", NULL, RUN(tn_cli_health), NULL},
        {"heartbeat", "", "Programs that must say that they are well", NULL, NULL, NULL, NULL, NULL,
         heartbeat_verbs},
        {"plugins", "", "Plugins, their state and their commands", json_only, "0 done, " NO_AGENT,
         "[] name file state reason summary commands", NULL, RUN(tn_cli_plugins), NULL},
        {"policy", "", "What the host may ask, and what would allow the rest", json_only,
         "0 done, " NO_AGENT, "preset origin commands", NULL, RUN(tn_cli_policy), NULL},
        {"support", "", "One tarball for a bug report, without secrets", support_options, "0 it was written",
         "file contents missing masked", NULL, RUN(tn_cli_support), NULL},
        {"time", "", "How right the clock is, and who keeps it", time_options,
         "0 done, 1 the clock is not put right or needs attention, " NO_AGENT,
         "owner mode configured-mode source sources offset error jitter interval-seconds refusal steps "
         "samples "
         "epoch synchronized frequency-ppb leap tai-offset zone utc-offset-seconds jumps last-jump "
         "disruptions "
         "problems remedies "
         "history",
         NULL, RUN(tn_cli_time), time_verbs},
        {"update", "", "Is there a newer Tenon? What the last check found", config_options, UPDATE_EXITS,
         UPDATE_JSON, NULL, RUN(tn_cli_update), update_verbs},
        {"watchdog", "", "The watchdog that resets a machine that hangs", json_only, WATCHDOG_EXITS,
         "mode state reason resets devices pvpanic", NULL, RUN(tn_cli_watchdog_status), watchdog_verbs},
        {NULL},
};
