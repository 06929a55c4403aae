/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The plugin "update": what tenonctl update found, for hosts and the board; what the host announces; and
 * asking for a check or an installation. The surprising thing is how little is here: package managers,
 * networks and signatures are for programs outside of the agent. They leave a file, and inotify tells of it,
 * so that it is the same whether the timer, a user, or a host asked. Files are touched when the loop turns,
 * not before, for `tenond --dump-conf` starts plugins, too.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib-unix.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "lib/json-file.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/names.h"
#include "lib/outside.h"
#include "lib/version.h"
#include "tenon/plugin.h"

#define CHECK_MS    200000 /* each source has 60 s */
#define START_MS    30000
#define REVOKED_MAX 64
#define SYSTEMCTL   "/usr/bin/systemctl"

struct update {
        char *folder;       /* what the programs leave behind */
        json_t *fact;       /* the last one */
        GPtrArray *waiting; /* struct tenon_call: who waits for the check under way */
        bool checking;
        guint start_source, watch_source;
        int inotify_fd;
};

static bool has_units(const struct tenon_host *host)
{
        return tn_outside_is_other(host->env);
}

/* What the last check found, as a fact; NULL: nobody has checked. */
static json_t *read_fact(struct tenon_host *host)
{
        const struct update *update = host->data;
        json_t *fact = tn_json_file_read(host->env, update->folder, TN_UPDATE_RESULT);
        json_t *installation;

        if (!fact || !json_is_string(json_object_get(fact, "status"))) {
                json_decref(fact);
                return NULL;
        }
        installation = tn_json_file_read(host->env, update->folder, TN_UPDATE_INSTALLED);
        if (installation)
                json_object_set_new(fact, "installation", installation);
        return fact;
}

static void renew(struct tenon_host *host)
{
        struct update *update = host->data;
        json_t *fact = read_fact(host);

        if (!fact || json_equal(fact, update->fact)) {
                json_decref(fact);
                return;
        }
        json_decref(update->fact);
        update->fact = json_incref(fact);
        host->fact_set(host, "update", fact);
}

static gboolean on_written(int fd, GIOCondition condition, void *data)
{
        char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));

        (void) condition;
        while (read(fd, buffer, sizeof buffer) > 0)
                ;
        renew(data);
        return G_SOURCE_CONTINUE;
}

static void watch(struct tenon_host *host)
{
        struct update *update = host->data;
        const char *relative = update->folder + strspn(update->folder, "/");
        g_autofree char *path = g_strdup_printf("/proc/self/fd/%d/%s", host->root_fd, relative);

        if (mkdirat(host->root_fd, relative, 0755) == 0)
                (void) fchmodat(host->root_fd, relative, 0755, 0); /* not what the umask made of it */
        update->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (update->inotify_fd < 0 || inotify_add_watch(update->inotify_fd, path, IN_MOVED_TO) < 0) {
                host->log(host, TN_LOG_WARNING, "checks for updates are not seen: watch %s: %m",
                          update->folder);
                return;
        }
        update->watch_source = g_unix_fd_add(update->inotify_fd, G_IO_IN, on_written, host);
}

/* Ends the calls that wait; @error NULL: with what was found. */
static void answer_waiting(struct tenon_host *host, const GError *error)
{
        struct update *update = host->data;
        g_autoptr(GPtrArray) waiting = g_steal_pointer(&update->waiting);

        update->waiting = g_ptr_array_new();
        update->checking = false;
        for (guint i = 0; i < waiting->len; i++)
                if (error)
                        host->fail(g_ptr_array_index(waiting, i), g_error_copy(error));
                else
                        host->reply(g_ptr_array_index(waiting, i), json_incref(update->fact));
}

/* The statuses of tenonctl update that are answers. */
static bool is_answer(const struct tenon_child_result *result)
{
        static const int statuses[] = {0, 10, 11, 20};

        for (size_t i = 0; i < G_N_ELEMENTS(statuses); i++)
                if (result->exit_status == statuses[i])
                        return true;
        return false;
}

static void on_checked(struct tenon_host *host, const struct tenon_child_result *result, void *data)
{
        struct update *update = host->data;
        g_autoptr(GError) error = NULL;

        (void) data;
        renew(host); /* inotify would tell a little later */
        if (result->timed_out)
                (void) tn_error_set(&error, TN_ERROR_TIMEOUT, "the check did not end within %d s",
                                    CHECK_MS / 1000);
        else if (!is_answer(result) || !update->fact)
                (void) tn_error_set(&error, TN_ERROR_FAILED, "the check ended with exit status %d: %.300s",
                                    result->exit_status, result->output);
        if (error)
                host->log(host, TN_LOG_WARNING, "%s", error->message);
        answer_waiting(host, error);
}

/* One at a time. False with @error: not started. */
static bool check(struct tenon_host *host, GError **error)
{
        static const char *const unit[] = {SYSTEMCTL, "start", TN_UNIT_UPDATE_CHECK, NULL};
        const char *program = host->config(host, "update", "program");
        const char *const plain[] = {program ? program : TN_PATH_CTL, "update", "check", "--json", NULL};
        struct update *update = host->data;

        if (!update->checking)
                update->checking = host->run(host, has_units(host) ? unit : plain, CHECK_MS, on_checked,
                                             NULL, error);
        return update->checking;
}

static void check_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct update *update = host->data;
        GError *error = NULL;

        (void) args;
        if (check(host, &error))
                g_ptr_array_add(update->waiting, call);
        else
                host->fail(call, error);
}

static void on_install_begun(struct tenon_host *host, const struct tenon_child_result *result, void *call)
{
        GError *error = NULL;

        if (result->exit_status == 0) {
                host->reply(call, json_pack("{s:s}", "state", "begun"));
                return;
        }
        (void) tn_error_set(&error, TN_ERROR_FAILED, "systemd did not start %s: %.300s",
                            TN_UNIT_UPDATE_INSTALL, result->output);
        host->fail(call, error);
}

/* Only begun, for the agent is started anew by it. How it ended is in the fact. */
static void install_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        static const char *const unit[] = {SYSTEMCTL, "--no-block", "start", TN_UNIT_UPDATE_INSTALL, NULL};
        GError *error = NULL;

        (void) args;
        if (!has_units(host)) {
                (void) tn_error_set(
                        &error, TN_ERROR_UNSUPPORTED,
                        "an update ends the agent, so that it is installed outside of it by systemd, "
                        "which does not run here; in the guest: tenonctl update install");
                host->fail(call, error);
        } else if (!host->run(host, unit, START_MS, on_install_begun, call, &error)) {
                host->fail(call, error);
        }
}

static bool is_announcement(const json_t *args, GError **error)
{
        const char *version = json_string_value(json_object_get(args, "version"));
        const json_t *revoked = json_object_get(args, "revoked");
        json_t *row;
        size_t i;

        if (version && *version && !tn_version_is_valid(version))
                return tn_error_set(error, TN_ERROR_INVALID, "'version' is none: '%.64s'", version);
        if (json_array_size(revoked) > REVOKED_MAX)
                return tn_error_set(error, TN_ERROR_LIMIT, "'revoked' has more than %d versions",
                                    REVOKED_MAX);
        json_array_foreach(revoked, i, row)
        {
                if (!tn_version_is_valid(json_string_value(row)))
                        return tn_error_set(error, TN_ERROR_INVALID, "'revoked[%zu]' is no version", i);
        }
        return true;
}

/* The host's wish is kept, and looked at by the next check, which is begun at once. */
static json_t *set_desired_run(struct tenon_host *host, json_t *args, GError **error)
{
        struct update *update = host->data;
        const char *version = json_string_value(json_object_get(args, "version"));
        json_auto_t *announced = json_object(), *before = NULL;
        g_autoptr(GError) not_checked = NULL;

        if (!is_announcement(args, error))
                return NULL;
        if (version && *version)
                json_object_set(announced, "version", json_object_get(args, "version"));
        if (json_object_get(args, "revoked"))
                json_object_set(announced, "revoked", json_object_get(args, "revoked"));
        before = tn_json_file_read(host->env, update->folder, TN_UPDATE_ANNOUNCED);
        if (before && json_equal(before, announced)) /* hosts say it at each start */
                return json_object();
        if (!tn_json_file_write(host->env, update->folder, TN_UPDATE_ANNOUNCED, announced, error))
                return NULL;
        if (!check(host, &not_checked))
                host->log(host, TN_LOG_WARNING, "check for an update: %s", not_checked->message);
        return json_object();
}

/* After an upgrade by whomever, what was found before it is no longer true. */
static bool is_outdated(const json_t *fact)
{
        const char *version = json_string_value(json_object_get(fact, "version"));

        return fact && (json_array_size(json_object_get(fact, "problems")) > 0 ||
                        g_strcmp0(version, TN_VERSION) != 0);
}

static gboolean on_start(void *data)
{
        struct tenon_host *host = data;
        struct update *update = host->data;
        g_autoptr(GError) error = NULL;

        update->start_source = 0;
        watch(host);
        renew(host);
        if (is_outdated(update->fact) && !check(host, &error))
                host->log(host, TN_LOG_WARNING, "check for an update: %s", error->message);
        return G_SOURCE_REMOVE;
}

static bool update_start(struct tenon_host *host, GError **error)
{
        const char *statedir = host->config(host, "agent", "statedir");
        struct update *update = g_new0(struct update, 1);

        (void) error;
        update->folder = g_build_filename(statedir ? statedir : TN_PATH_STATEDIR, TN_UPDATE_FOLDER, NULL);
        update->waiting = g_ptr_array_new();
        update->inotify_fd = -1;
        host->data = update;
        update->start_source = g_idle_add(on_start, host);
        return true;
}

static void update_stop(struct tenon_host *host)
{
        g_autoptr(GError) error = g_error_new(TN_ERROR, TN_ERROR_FAILED, "the agent is stopping");
        struct update *update = host->data;

        answer_waiting(host, error);
        g_clear_handle_id(&update->start_source, g_source_remove);
        g_clear_handle_id(&update->watch_source, g_source_remove);
        tn_fd_close(&update->inotify_fd);
        g_ptr_array_free(update->waiting, TRUE);
        json_decref(update->fact);
        g_free(update->folder);
        g_free(update);
        host->data = NULL;
}

/* A check changes nothing in the guest, so that it is a question; what it costs is bounded, since there is
 * one at a time. An installation runs what a package brings. */
static const struct tenon_command commands[] = {
        {.name = "tenon-update-check",
         .args = "",
         .summary = "Ask whether there is a newer Tenon; answers when it is known",
         .category = TENON_CATEGORY_INFO,
         .start = check_start},
        {.name = "tenon-update-install",
         .args = "",
         .summary = "Ask the package manager for the newest Tenon; answers when it has begun",
         .category = TENON_CATEGORY_EXEC,
         .flags = TENON_COMMAND_CHANGES,
         .start = install_start},
        {.name = "tenon-set-desired-version",
         .args = "version:str?,revoked:[str]?",
         .summary = "Say which version the host would like; advice only",
         .category = TENON_CATEGORY_INFO,
         .flags = TENON_COMMAND_CHANGES,
         .run = set_desired_run},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "update",
        .summary = "Is there a newer Tenon; checks, announcements of the host, installation",
        .start = update_start,
        .stop = update_stop,
        .commands = commands,
};
