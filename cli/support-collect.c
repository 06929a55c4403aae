/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * What goes into a bug report: a table. Every text is masked on its way in; the recorded machine has no
 * secrets by its nature (tenon-machine(5)) and would be of no use as a test if it were changed.
 */
#include <gnu/libc-version.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "agent/config.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "cli/drivers.h"
#include "cli/support.h"
#include "detect/detect.h"
#include "lib/error.h"
#include "lib/json.h"
#include "lib/names.h"
#include "pvdrivers/device-record.h"
#include "pvdrivers/tool.h"

#define LOG_LINES    "5000"
#define LOG_BYTES    (2 * 1024 * 1024) /* of the log: the last ones */
#define LOG_DEADLINE 60                /* seconds */

/* A new text, or NULL with @error: it cannot be had. */
typedef char *(*make_func)(const struct tn_support *support, const char *argument, GError **error);

static char *ask(const struct tn_support *support, const char *command, GError **error)
{
        json_auto_t *reply = tn_client_ask(tn_cli_socket(), command, error);

        (void) support;
        return reply ? tn_json_pretty(reply) : NULL;
}

/* Who is logged in is nobody's business. */
static char *ask_status(const struct tn_support *support, const char *command, GError **error)
{
        json_auto_t *reply = tn_client_ask(tn_cli_socket(), command, error);

        (void) support;
        if (!reply)
                return NULL;
        if (json_object_get(json_object_get(reply, "facts"), "users"))
                json_object_set_new(json_object_get(reply, "facts"), "users", json_string("<left out>"));
        return tn_json_pretty(reply);
}

static char *detect(const struct tn_support *support, const char *argument, GError **error)
{
        g_autoptr(tn_detect_t) detected = tn_detect_run(support->env);
        json_auto_t *value = tn_detect_to_json(detected);

        (void) argument;
        (void) error;
        return tn_json_pretty(value);
}

static char *inventory(const struct tn_support *support, const char *argument, GError **error)
{
        json_auto_t *value = tn_cli_inventory(support->env, NULL);

        (void) argument;
        (void) error;
        return tn_json_pretty(value);
}

static char *config(const struct tn_support *support, const char *argument, GError **error)
{
        g_autoptr(tn_config_t) in_force = tn_config_new(support->env, TN_PATH_CONFIG, false, error);
        json_auto_t *value = in_force ? tn_cli_config_json(in_force) : NULL;

        (void) argument;
        return value ? tn_json_pretty(value) : NULL;
}

static void append_os(GString *text, const struct tn_env *env)
{
        static const char *const keys[] = {"PRETTY_NAME=", "ID=", "VERSION_ID=", NULL};
        g_autofree char *release = NULL;
        g_auto(GStrv) lines = NULL;

        if (!tn_env_read(env, "etc/os-release", &release, NULL, NULL) &&
            !tn_env_read(env, "usr/lib/os-release", &release, NULL, NULL))
                return;
        lines = g_strsplit(release, "\n", 0);
        for (size_t i = 0; lines[i]; i++)
                for (size_t k = 0; keys[k]; k++)
                        if (g_str_has_prefix(lines[i], keys[k]))
                                g_string_append_printf(text, "%s\n", lines[i]);
}

/* Programs of other agents: two that want one port are a common mistake. */
static void append_others(GString *text, const struct tn_env *env)
{
        static const char *const programs[] = {"qemu-ga",   "vmtoolsd", "VBoxService", "hv_kvp_daemon",
                                               "xe-daemon", "waagent",  "cloud-init"};

        for (size_t i = 0; i < G_N_ELEMENTS(programs); i++) {
                g_autofree char *path = tn_tool_find(env, programs[i]);

                if (path)
                        g_string_append_printf(text, "installed: %s\n", path);
        }
}

static char *versions(const struct tn_support *support, const char *argument, GError **error)
{
        GString *text = g_string_new("tenon " TN_VERSION "\n");
        struct utsname name;

        (void) argument;
        (void) error;
        if (uname(&name) == 0)
                g_string_append_printf(text, "%s %s %s %s\n", name.sysname, name.release, name.version,
                                       name.machine);
        g_string_append_printf(text, "glib %u.%u.%u\njansson %s\nlibc %s\nasked by %s\n", glib_major_version,
                               glib_minor_version, glib_micro_version, jansson_version_str(),
                               gnu_get_libc_version(), geteuid() == 0 ? "root" : "a user");
        append_os(text, support->env);
        append_others(text, support->env);
        return g_string_free(text, FALSE);
}

static void keep_line(const json_t *event, void *data)
{
        GString *log = data;

        g_string_append_printf(log, "%s\n", tn_cli_text(event, "line"));
        if (log->len > 2 * LOG_BYTES)
                g_string_erase(log, 0, (gssize) (log->len - LOG_BYTES));
}

static char *journal(const struct tn_support *support, const char *argument, GError **error)
{
        g_autofree char *program = tn_tool_find(support->env, "journalctl");
        const char *argv[] = {
                program,  "--no-pager", "--no-hostname", "-q", "-o", "short-iso", "-n", LOG_LINES, "-u",
                "tenond", "-u",         "tenon-drivers", NULL};
        g_autoptr(GString) log = g_string_new(NULL);
        struct tn_progress lines = {.tell = keep_line, .data = log};

        (void) argument;
        if (!program) {
                tn_error_set(error, TN_ERROR_UNSUPPORTED, "there is no journalctl");
                return NULL;
        }
        if (!tn_tool_must(tn_tool_run, support->env, argv, LOG_DEADLINE, &lines, NULL, error))
                return NULL;
        if (log->len > 0)
                return g_string_free(g_steal_pointer(&log), FALSE);
        tn_error_set(error, TN_ERROR_DENIED,
                     "the journal has nothing of the agent that this user may read; "
                     "root may read all");
        return NULL;
}

/* The file that [log] names, if it does. */
static char *log_file(const struct tn_support *support, const char *argument, GError **error)
{
        g_autofree char *path = tn_cli_setting("log", "file"), *text = NULL;
        gsize len;

        (void) support;
        (void) argument;
        if (!path) {
                tn_error_set(error, TN_ERROR_NOT_FOUND, "no file= in [log]: the log is the journal's");
                return NULL;
        }
        if (!g_file_get_contents(path, &text, &len, error))
                return NULL;
        return len > LOG_BYTES ? g_strdup(text + len - LOG_BYTES) : g_steal_pointer(&text);
}

static const struct {
        const char *name, *what;
        make_func make;
        const char *argument;
} items[] = {
        {"versions.txt", "Tenon, kernel, libraries, distribution, other agents", versions, NULL},
        {"detect.json", "what this machine is", detect, NULL},
        {"drivers.json", "devices, drivers, advice", inventory, NULL},
        {"config.json", "the configuration in force", config, NULL},
        {"status.json", "the agent's status: channels, plugins, facts, health", ask_status,
         "tenon-get-status"},
        {"policy.json", "what the host may ask", ask, "tenon-get-policy"},
        {"health.json", "checks and heartbeats", ask, "tenon-get-health"},
        {"time.json", "the clock, and who keeps it", ask, "tenon-get-time-status"},
        {"watchdog.json", "the watchdog", ask, "tenon-get-watchdog"},
        {"journal.txt", "the journal of tenond and tenon-drivers", journal, NULL},
        {"log.txt", "the agent's log file", log_file, NULL},
};

static void note_missing(struct tn_support *support, const char *name, const char *why)
{
        g_autofree char *masked = tn_mask_text(support->mask, why);

        json_array_append_new(support->missing,
                              json_pack("{s:s, s:o}", "name", name, "why", tn_json_text(masked)));
}

static bool collect_one(struct tn_support *support, size_t i, GError **error)
{
        g_autoptr(GError) local = NULL;
        g_autofree char *text = NULL;

        tn_progress_step(support->progress, items[i].name, "collecting %s", items[i].what);
        text = items[i].make(support, items[i].argument, &local);
        if (text)
                return tn_support_add(support, items[i].name, items[i].what, text, error);
        note_missing(support, items[i].name, local->message);
        return true;
}

static void record_machine(struct tn_support *support)
{
        g_autofree char *path = g_build_filename(support->folder, "machine", NULL);
        g_autoptr(GError) error = NULL;

        tn_progress_step(support->progress, "machine", "recording this machine");
        if (tn_device_record(support->env, path, &error))
                json_array_append_new(support->contents,
                                      json_pack("{s:s, s:s}", "name", "machine/", "what",
                                                "this machine as detection sees it, see tenon-machine(5)"));
        else
                note_missing(support, "machine/", error->message);
}

/* What is in it, for who opens it. */
static bool add_readme(struct tn_support *support, GError **error)
{
        g_autoptr(GString) text = g_string_new("A report about Tenon, made by tenonctl support.\n\n"
                                               "Masked: passwords, keys and tokens, host name, machine and "
                                               "boot id, IP and MAC addresses, UUIDs,\n"
                                               "serial numbers, names of users. The same word has the same "
                                               "mask everywhere. What no program can\n"
                                               "know to be a secret, such as the names of your checks, is "
                                               "still there: look through it.\n\n");
        json_t *row;
        size_t i;

        json_array_foreach(support->contents, i, row) g_string_append_printf(
                text, "%-18s %s\n", tn_cli_text(row, "name"), tn_cli_text(row, "what"));
        json_array_foreach(support->missing, i, row) g_string_append_printf(
                text, "%-18s is missing: %s\n", tn_cli_text(row, "name"), tn_cli_text(row, "why"));
        return tn_support_add(support, "README.txt", "this list", text->str, error);
}

bool tn_support_collect(struct tn_support *support, GError **error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(items); i++) {
                if (!collect_one(support, i, error))
                        return false;
                if (tn_support_signal())
                        return tn_error_set(error, TN_ERROR_FAILED,
                                            "ended by a signal; nothing was written");
        }
        record_machine(support);
        return add_readme(support, error);
}
