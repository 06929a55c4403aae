/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of known settings. Rows are grouped as tenond.conf(5) prints them. */
#include "agent/config-table.h"

#include <glib.h>

#include "lib/names.h"

/* clang-format off */
const struct tn_config_key tn_config_table[] = {
        {"channel", "method", TN_CONFIG_ENUM, "virtio-serial",
         .words = "virtio-serial|unix-listen|isa-serial|vsock-listen",
         .doc = "How the host is reached."},
        {"channel", "path", TN_CONFIG_STRING, "",
         .doc = "Device, socket path, or CID:PORT for vsock-listen. Empty: the method's usual one."},

        {"qmp", "method", TN_CONFIG_ENUM, "virtio-serial", .words = "virtio-serial|unix-listen",
         .doc = "Where QMP with events is spoken, beside the channel; see docs/protocol.md."},
        {"qmp", "path", TN_CONFIG_STRING, TN_PATH_VIRTIO_QMP,
         .doc = "Device or socket path. Empty: no QMP."},

        {"agent", "statedir", TN_CONFIG_PATH, TN_PATH_STATEDIR,
         .doc = "Where state that survives a restart is kept."},
        {"agent", "helper", TN_CONFIG_PATH, TN_PATH_HELPER,
         .doc = "The program that does what the agent's sandbox forbids, see tenon-system-helper(8)."},
        {"agent", "control-socket", TN_CONFIG_PATH, TN_PATH_CONTROL,
         .doc = "Socket for tenonctl. Empty: none. Everybody may read the status; the rest is for root."},

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

        {"timesync", "write-rtc", TN_CONFIG_BOOL, "yes",
         .doc = "guest-set-time also sets the hardware clock."},

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
};
/* clang-format on */

const size_t tn_config_table_len = G_N_ELEMENTS(tn_config_table);

const struct tn_config_key *tn_config_table_find(const char *group, const char *key)
{
        for (size_t i = 0; i < tn_config_table_len; i++)
                if (g_str_equal(tn_config_table[i].group, group) && g_str_equal(tn_config_table[i].key, key))
                        return &tn_config_table[i];
        return NULL;
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
