/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of known settings. Rows are grouped as tenond.conf(5) prints them. */
#include "agent/config-table.h"

#include <glib.h>
#include <string.h>

#include "lib/names.h"

/* clang-format off */
const struct tn_config_key tn_config_table[] = {
        {"channel", "method", TN_CONFIG_ENUM, "virtio-serial",
         .words = "virtio-serial|unix-listen|isa-serial|vsock-listen",
         .doc = "How the host is reached."},
        {"channel", "path", TN_CONFIG_STRING, "",
         .doc = "Device, socket path, or CID:PORT for vsock-listen. Empty: the method's usual one."},
        {"channel", "retry-path", TN_CONFIG_BOOL, "no",
         .doc = "qemu-ga's setting, kept for --dump-conf. It changes nothing: a missing device is always waited "
                "for."},

        {"qmp", "method", TN_CONFIG_ENUM, "virtio-serial", .words = "virtio-serial|unix-listen",
         .doc = "Where QMP with events is spoken, beside the channel; see docs/protocol.md."},
        {"qmp", "path", TN_CONFIG_STRING, TN_PATH_VIRTIO_QMP,
         .doc = "Device or socket path. Empty: no QMP."},

        {"agent", "statedir", TN_CONFIG_PATH, TN_PATH_STATEDIR,
         .doc = "Where state that survives a restart is kept."},
        {"agent", "helper", TN_CONFIG_PATH, TN_PATH_HELPER,
         .doc = "The program that changes CPUs and memory outside of the agent's sandbox, see "
                "tenon-system-helper(8)."},
        {"agent", "control-socket", TN_CONFIG_PATH, TN_PATH_CONTROL,
         .doc = "Socket for tenonctl. Empty: none. Everybody may read the status; the rest is for root."},

        {"agent", "dbus", TN_CONFIG_BOOL, "yes",
         .doc = "Offer org.tenon.Agent1(5) on the system bus, if there is one. The host and tenonctl do not need "
                "it."},

        {"agent", "daemonize", TN_CONFIG_BOOL, "no",
         .doc = "Go to the background after the start. For systems without systemd."},
        {"agent", "pidfile", TN_CONFIG_PATH, TN_PATH_PIDFILE,
         .doc = "Written, and locked, when the agent goes to the background."},

        {"log", "level", TN_CONFIG_ENUM, "notice", .words = "error|warning|notice|info|debug",
         .doc = "The least important record that is still written."},
        {"log", "file", TN_CONFIG_PATH, "",
         .doc = "Text log, appended, beside the journal. Empty: none."},

        {"policy", "preset", TN_CONFIG_ENUM, "standard", .words = "standard|open|locked",
         .doc = "What the host may ask: standard (information, power, time, freeze), open (everything "
                "installed), locked (information and power). A confidential guest starts locked."},
        {"policy", "allow", TN_CONFIG_LIST, "",
         .doc = "Commands that are allowed whatever the preset says."},
        {"policy", "only", TN_CONFIG_LIST, "",
         .doc = "When not empty, nothing but these commands (qemu-ga's allow-rpcs); block still wins."},
        {"policy", "block", TN_CONFIG_LIST, "",
         .doc = "Commands that are refused whatever the preset and allow say."},

        {"plugins", "directory", TN_CONFIG_PATH, TN_PATH_PLUGINS,
         .doc = "Where plugins are. It and its files must belong to root (or the agent's user) and be writable "
                "by nobody else."},
        {"plugins", "disable", TN_CONFIG_LIST, "",
         .doc = "Plugins, by name, that are not started."},

        {"limits", "message-size", TN_CONFIG_INT, "67108864", .min = 4096, .max = 67108864,
         .doc = "Largest request, in bytes."},
        {"limits", "output-size", TN_CONFIG_INT, "1048576", .min = 4096, .max = 67108864,
         .doc = "Bytes of replies that may wait for a host that does not read; above it no request is read."},
        {"limits", "clients", TN_CONFIG_INT, "16", .min = 1, .max = 256,
         .doc = "Connections at the same time on a listening socket; more wait in the kernel's queue."},
        {"limits", "pending-calls", TN_CONFIG_INT, "64", .min = 1, .max = 1024,
         .doc = "Requests under way on one connection; above it no request is read."},

        {"power", "hook-directory", TN_CONFIG_PATH, TN_PATH_POWER_D,
         .doc = "Programs that are run before a shutdown that the host asked for."},
        {"power", "hook-timeout-ms", TN_CONFIG_INT, "30000", .min = 100, .max = 600000,
         .doc = "Milliseconds that one hook may take; then it is killed and the shutdown goes on."},

        {"freeze", "timeout-ms", TN_CONFIG_INT, "60000", .min = 1000, .max = 3600000,
         .doc = "Milliseconds after which frozen file systems are thawed, whatever became of the host. Flushing "
                "them before gets as long again."},
        {"freeze", "exclude", TN_CONFIG_LIST, "",
         .doc = "Mount points that are never frozen; * and ? are wildcards."},
        {"freeze", "hook-directory", TN_CONFIG_PATH, TN_PATH_FREEZE_D,
         .doc = "Programs that are run before a freeze, and in reverse order after the thaw."},
        {"freeze", "hook-timeout-ms", TN_CONFIG_INT, "30000", .min = 100, .max = 600000,
         .doc = "Milliseconds that one hook may take; then it is killed, and the freeze fails."},
        {"freeze", "qga-hook", TN_CONFIG_PATH, "/etc/qemu/fsfreeze-hook",
         .doc = "The hook of qemu-ga, run before those of hook-directory. Empty: none."},

        {"timesync", "mode", TN_CONFIG_ENUM, "auto", .words = "auto|observe|assist|discipline|off",
         .doc = "What is done about the clock: observe (measure and tell), assist (after a jump ask the time daemon "
                "to step it), discipline (keep it, while no daemon does), auto (observe while a daemon runs, "
                "else discipline), off."},
        {"timesync", "step-threshold-ms", TN_CONFIG_INT, "100", .min = 1, .max = 86400000,
         .doc = "Milliseconds; after a pause or a restore, a clock that is off by more is stepped, not slewed."},
        {"timesync", "backward-steps", TN_CONFIG_BOOL, "no",
         .doc = "The clock may also be stepped backward. Programs may not like it. Without it a clock that is "
                "ahead by up to a second is slewed back, and one that is further ahead is left alone and told as "
                "a problem."},
        {"timesync", "host-limit-ms", TN_CONFIG_INT, "1000", .min = 1, .max = 86400000,
         .doc = "Milliseconds; when a time daemon of the guest is synchronised, and the host's clock is off from it by "
                "more, that is told as a problem. It is never followed."},
        {"timesync", "interval-s", TN_CONFIG_INT, "10", .min = 10, .max = 3600,
         .doc = "Seconds between two looks at the clock: about as long a jump may go unnoticed."},
        {"timesync", "write-rtc", TN_CONFIG_BOOL, "yes",
         .doc = "guest-set-time also sets the hardware clock."},

        {"watchdog", "mode", TN_CONFIG_ENUM, "auto", .words = "auto|own|systemd|off",
         .doc = "auto arms a watchdog device that the host gave to this guest on purpose, own the best one that "
                "there is, systemd lets systemd watch the agent and opens no device, off does nothing."},
        {"watchdog", "device", TN_CONFIG_STRING, "",
         .doc = "Which device: a node (watchdog0), a driver (i6300esb) or an identity. Empty: the best one."},
        {"watchdog", "timeout-seconds", TN_CONFIG_INT, "0", .min = 0, .max = 65535,
         .doc = "Seconds without feeding after which the device resets the machine. 0: 60, or what the device can."},
        {"watchdog", "pretimeout-seconds", TN_CONFIG_INT, "0", .min = 0, .max = 65534,
         .doc = "Seconds before the reset at which the kernel is told, where the device can. 0: not."},
        {"watchdog", "action", TN_CONFIG_ENUM, "reset", .words = "reset|reboot",
         .doc = "When a required check is critical: stop feeding, or first try an orderly reboot for two minutes."},
        {"watchdog", "brake-resets", TN_CONFIG_INT, "3", .min = 0, .max = 32,
         .doc = "After so many resets within brake-minutes no check stops the feeding any more. 0: no brake."},
        {"watchdog", "brake-minutes", TN_CONFIG_INT, "60", .min = 1, .max = 10080,
         .doc = "Minutes within which resets are counted."},

        {"files", "helper", TN_CONFIG_PATH, TN_PATH_FILES_HELPER,
         .doc = "The program that opens files outside of the agent's sandbox, see tenon-files-helper(8)."},
        {"files", "max-handles", TN_CONFIG_INT, "64", .min = 1, .max = 1024,
         .doc = "Files that the host may hold open at the same time."},

        {"exec", "allow", TN_CONFIG_LIST, "",
         .doc = "Programs that guest-exec may run: absolute paths, or names that are looked up in PATH. "
                "Empty: all."},
        {"exec", "max-jobs", TN_CONFIG_INT, "64", .min = 1, .max = 1024,
         .doc = "Programs of guest-exec that run, or whose result has not been fetched. Above it the oldest "
                "result is dropped."},
        {"exec", "output-size", TN_CONFIG_INT, "16777216", .min = 4096, .max = 67108864,
         .doc = "Bytes that are kept of each of the two outputs of a program; the rest is thrown away."},
        {"exec", "transient-units", TN_CONFIG_BOOL, "yes",
         .doc = "Run each program in a systemd unit of its own. Where systemd does not run, and with no, it is "
                "a plain child of the agent, inside of its sandbox."},

        {"accounts", "helper", TN_CONFIG_PATH, TN_PATH_ACCOUNTS_HELPER,
         .doc = "The program that changes users' keys, see tenon-accounts-helper(8)."},
        {"accounts", "chpasswd", TN_CONFIG_PATH, "",
         .doc = "Program that sets passwords, used like chpasswd(8). Empty: the system's."},

        {"drivers", "program", TN_CONFIG_PATH, TN_PATH_DRIVERS,
         .doc = "The program that sees the kernel's modules, which the agent's sandbox hides; see tenon-drivers(8)."},

        {"guestinfo", "os-release", TN_CONFIG_PATH, "",
         .doc = "File that is read in place of /etc/os-release. Empty: the usual two."},
        {"guestinfo", "network-filesystems", TN_CONFIG_BOOL, "no",
         .doc = "guest-get-fsinfo also tells of NFS, CIFS, 9p, virtiofs and the like, and asks those, and FUSE, for "
                "their sizes."},
        {"guestinfo", "network-timeout-ms", TN_CONFIG_INT, "2000", .min = 100, .max = 600000,
         .doc = "Milliseconds after which file systems that have not answered are told without sizes."},

        {"update", "package", TN_CONFIG_STRING, "tenon",
         .doc = "The package that is asked for."},
        {"update", "package-manager", TN_CONFIG_ENUM, "auto", .words = "auto|packagekit|apt|dnf|zypper|apk|none",
         .doc = "Who is asked: auto (PackageKit where it is there, else the distribution's own), one of them, or none."},
        {"update", "max-age-days", TN_CONFIG_INT, "30", .min = 0, .max = 3650,
         .doc = "Lists of packages that were fetched longer ago say nothing: the status is unknown. 0: any age will do."},
        {"update", "host-version", TN_CONFIG_BOOL, "yes",
         .doc = "Take the host's word (tenon-set-desired-version) as advice."},
        {"update", "manifest", TN_CONFIG_PATH, "",
         .doc = "A signed manifest, see tenon-manifest(5). Its signature is beside it, with .minisig at the end of the "
                "name. Empty: the fetched one, where there is a manifest-url."},
        {"update", "manifest-url", TN_CONFIG_STRING, "",
         .doc = "Where tenon-fetch(8) gets the manifest and its signature, by http or https. Empty: nowhere."},
        {"update", "channel", TN_CONFIG_STRING, "stable",
         .doc = "The channel that the manifest must be for."},
        {"update", "keys", TN_CONFIG_PATH, TN_PATH_KEYS,
         .doc = "Folder with the public keys (*.pub) of those who may sign manifests, beside " TN_PATH_VENDOR_KEYS "."},
        {"update", "program", TN_CONFIG_PATH, TN_PATH_CTL,
         .doc = "The program that checks where systemd does not run: tenonctl, or what takes its place."},

        {"check NAME", "type", TN_CONFIG_ENUM, "",
         .words = "loop|memory-pressure|io-pressure|memory-available|filesystem|load|file-handles|unit|process|"
                  "script",
         .needed = true, .doc = "What is checked; see CHECKS."},
        {"check NAME", "enabled", TN_CONFIG_BOOL, "yes", .doc = "Run this check."},
        {"check NAME", "required", TN_CONFIG_BOOL, "no",
         .doc = "While it is critical, the watchdog is not fed."},
        {"check NAME", "interval-ms", TN_CONFIG_INT, "30000", .min = 1000, .max = 86400000,
         .doc = "Milliseconds between two measurements. Where the kernel or systemd tells of changes, only while "
                "it is not ok."},
        {"check NAME", "in-a-row", TN_CONFIG_INT, "3", .min = 1, .max = 1000,
         .doc = "So many measurements after each other must be bad before the check is warning or critical. One "
                "good one makes it ok."},
        {"check NAME", "warning", TN_CONFIG_INT, "1000", .min = 0, .max = 3600000, .when = "loop",
         .doc = "Milliseconds that the agent's main loop was busy with one thing. 0: no warning."},
        {"check NAME", "warning", TN_CONFIG_INT, "40", .min = 0, .max = 100,
         .when = "memory-pressure|io-pressure",
         .doc = "Percent of the last 10 s in which tasks waited. 0: no warning."},
        {"check NAME", "warning", TN_CONFIG_INT, "10", .min = 0, .max = 100, .when = "memory-available",
         .doc = "Percent of the memory that is left. 0: no warning."},
        {"check NAME", "warning", TN_CONFIG_INT, "90", .min = 0, .max = 100, .when = "filesystem|file-handles",
         .doc = "Percent that are used. 0: no warning."},
        {"check NAME", "warning", TN_CONFIG_INT, "300", .min = 0, .max = 1000000, .when = "load",
         .doc = "Load average of one minute for each processor, in percent. 0: no warning."},
        {"check NAME", "critical", TN_CONFIG_INT, "10000", .min = 0, .max = 3600000, .when = "loop",
         .at_least = "warning", .doc = "The same for critical. 0: never."},
        {"check NAME", "critical", TN_CONFIG_INT, "80", .min = 0, .max = 100,
         .when = "memory-pressure|io-pressure", .at_least = "warning", .doc = "The same for critical. 0: never."},
        {"check NAME", "critical", TN_CONFIG_INT, "3", .min = 0, .max = 100, .when = "memory-available",
         .at_most = "warning", .doc = "The same for critical. 0: never."},
        {"check NAME", "critical", TN_CONFIG_INT, "98", .min = 0, .max = 100, .when = "filesystem|file-handles",
         .at_least = "warning",
         .doc = "The same for critical. 0: never."},
        {"check NAME", "critical", TN_CONFIG_INT, "0", .min = 0, .max = 1000000, .when = "load",
         .at_least = "warning", .doc = "The same for critical. 0: never."},
        {"check NAME", "stall", TN_CONFIG_ENUM, "some", .words = "some|full",
         .when = "memory-pressure|io-pressure",
         .doc = "Time in which at least one task waited (some), or all that had something to do (full)."},
        {"check NAME", "writable", TN_CONFIG_BOOL, "yes", .when = "filesystem",
         .doc = "It is critical when it is mounted read-only."},
        {"check NAME", "path", TN_CONFIG_PATH, "/", .when = "filesystem", .doc = "The mount point."},
        {"check NAME", "path", TN_CONFIG_PATH, "", .when = "script", .needed = true,
         .doc = "The program. It and its directory must belong to root and be writable by nobody else."},
        {"check NAME", "timeout-ms", TN_CONFIG_INT, "10000", .min = 100, .max = 600000, .when = "script",
         .doc = "Milliseconds that it may take; then it is killed, and the check is unknown."},
        {"check NAME", "unit", TN_CONFIG_STRING, "", .when = "unit", .needed = true,
         .doc = "The unit of systemd that must be active, with its suffix."},
        {"check NAME", "process", TN_CONFIG_STRING, "", .when = "process",
         .doc = "Name of the process as in /proc/PID/comm, so at most 15 characters."},
        {"check NAME", "pid-file", TN_CONFIG_PATH, "", .when = "process",
         .doc = "File with its number. With process as well, both must be right."},

        {"heartbeat", "socket", TN_CONFIG_PATH, TN_PATH_HEARTBEAT,
         .doc = "Socket for the beats of programs, see tenon-heartbeat(7). Empty: none."},
        {"heartbeat", "dbus", TN_CONFIG_BOOL, "yes",
         .doc = "Take beats over D-Bus, too, see org.tenon.Agent1(5)."},
        {"heartbeat", "users", TN_CONFIG_LIST, "",
         .doc = "Users, and groups as @GROUP, that may register heartbeats beside root."},
        {"heartbeat", "required-users", TN_CONFIG_LIST, "",
         .doc = "The same, also for required ones, without which the watchdog is not fed."},
        {"heartbeat", "timeout-ms", TN_CONFIG_INT, "60000", .min = 1000, .max = 86400000,
         .doc = "Milliseconds between beats of a program that beats without having told its own time."},
        {"heartbeat", "max", TN_CONFIG_INT, "64", .min = 1, .max = 1024,
         .doc = "Heartbeats at the same time. One user other than root has a quarter of them at most."},
};
/* clang-format on */

const size_t tn_config_table_len = G_N_ELEMENTS(tn_config_table);

static bool is_pattern(const struct tn_config_key *row)
{
        return g_str_has_suffix(row->group, TN_CONFIG_NAMED);
}

bool tn_config_table_fits(const struct tn_config_key *row, const char *group)
{
        size_t stem = strlen(row->group) - strlen("NAME"); /* with the blank */

        return is_pattern(row) ? strncmp(row->group, group, stem) == 0 : g_str_equal(row->group, group);
}

bool tn_config_table_is_named(const char *group)
{
        for (size_t i = 0; i < tn_config_table_len; i++)
                if (is_pattern(&tn_config_table[i]) && tn_config_table_fits(&tn_config_table[i], group))
                        return true;
        return false;
}

static bool is_for(const struct tn_config_key *row, const char *type)
{
        g_auto(GStrv) words = row->when ? g_strsplit(row->when, "|", -1) : NULL;

        return !words || (type && g_strv_contains((const char *const *) words, type));
}

static const struct tn_config_key *find(const char *group, const char *key, bool any, const char *type)
{
        for (size_t i = 0; i < tn_config_table_len; i++) {
                const struct tn_config_key *row = &tn_config_table[i];

                if (tn_config_table_fits(row, group) && g_str_equal(row->key, key) &&
                    (any || is_for(row, type)))
                        return row;
        }
        return NULL;
}

const struct tn_config_key *tn_config_table_find(const char *group, const char *key)
{
        return find(group, key, true, NULL);
}

const struct tn_config_key *tn_config_table_find_for(const char *group, const char *key, const char *type)
{
        return find(group, key, false, type);
}

char *tn_config_table_describe(const struct tn_config_key *row)
{
        switch (row->type) {
        case TN_CONFIG_BOOL:
                return g_strdup("yes or no");
        case TN_CONFIG_INT:
                return g_strdup_printf("a number from %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT, row->min,
                                       row->max);
        case TN_CONFIG_ENUM: {
                g_auto(GStrv) words = g_strsplit(row->words, "|", -1);
                g_autofree char *list = g_strjoinv(", ", words);

                return g_strdup_printf("one of %s", list);
        }
        case TN_CONFIG_PATH:
                return g_strdup("an absolute path, or empty");
        case TN_CONFIG_LIST:
                return g_strdup("names separated by commas");
        case TN_CONFIG_STRING:
        default:
                return g_strdup("text");
        }
}
