/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenonctl update: what the last check found, check, install. It needs no agent; as root it keeps what it
 * found where the agent looks, and so tells hosts and D-Bus, too.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "agent/config.h"
#include "cli/cli.h"
#include "cli/progress.h"
#include "lib/env.h"
#include "lib/error.h"
#include "lib/json-file.h"
#include "lib/json.h"
#include "lib/names.h"
#include "pvdrivers/tool.h"
#include "update/check.h"
#include "update/install.h"
#include "update/verdict.h"

#define DAY_S   86400
#define CHECK_S 300

struct request {
        struct tn_env env;
        tn_config_t *config;
        struct tn_update_settings settings;
        char *file;   /* the configuration; NULL: the usual one */
        char *folder; /* what is kept between two checks */
        gboolean json;
};

static void read_settings(struct request *request)
{
        const struct tn_config *config = request->config;
        bool fetched = tn_config_get_nonempty(config, "update", "manifest-url") != NULL;

        request->settings = (struct tn_update_settings){
                .package = tn_config_get(config, "update", "package"),
                .manager = tn_config_get(config, "update", "package-manager"),
                .max_age_days = (unsigned) tn_config_get_int(config, "update", "max-age-days"),
                .announcement = tn_config_get_bool(config, "update", "host-version"),
                .manifest = tn_config_get_nonempty(config, "update", "manifest"),
                .keys = tn_config_get_nonempty(config, "update", "keys"),
                .channel = tn_config_get(config, "update", "channel"),
                .statedir = tn_config_get(config, "agent", "statedir"),
        };
        if (!request->settings.manifest && fetched)
                request->settings.manifest = TN_PATH_FETCHED;
        request->folder = g_build_filename(request->settings.statedir, TN_UPDATE_FOLDER, NULL);
}

static bool request_init(struct request *request, GError **error)
{
        if (!tn_env_init_system(&request->env, NULL, error))
                return false;
        request->config = tn_config_new(&request->env, request->file ? request->file : TN_PATH_CONFIG,
                                        request->file != NULL, error);
        if (request->config) {
                read_settings(request);
                return true;
        }
        tn_env_deinit(&request->env);
        return false;
}

static void request_clear(struct request *request)
{
        tn_config_free(request->config);
        tn_env_deinit(&request->env);
        g_free(request->folder);
        g_free(request->file);
}

static void print_sources(const json_t *result)
{
        json_t *row;
        size_t i;

        json_array_foreach(json_object_get(result, "sources"), i, row)
        {
                const char *candidate = tn_cli_text(row, "candidate"),
                           *message = tn_cli_text(row, "message");

                tn_cli_line(i ? "" : "Sources", "%s: %s%s%s%s%s", tn_cli_text(row, "source"),
                            tn_cli_text(row, "status"), *candidate ? ", newest " : "", candidate,
                            *message ? ": " : "", message);
        }
}

static void print_result(const json_t *result, const json_t *installation)
{
        time_t at = (time_t) json_integer_value(json_object_get(result, "checked-at"));
        const char *verified = tn_cli_text(result, "verified-by"),
                   *candidate = tn_cli_text(result, "candidate");
        const char *error = tn_cli_text(installation, "error");
        char text[64];
        struct tm tm;

        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", localtime_r(&at, &tm));
        tn_cli_line("Update", "%s: %s", tn_cli_text(result, "status"), tn_cli_text(result, "message"));
        tn_cli_line("Installed", "%s", tn_cli_text(result, "installed"));
        if (*candidate)
                tn_cli_line("Newest", "%s, says %s%s%s", candidate, tn_cli_text(result, "source"),
                            *verified ? ", verified by " : ", not verified", verified);
        print_sources(result);
        tn_cli_line("Checked", "%s", at ? text : "never");
        if (*error)
                tn_cli_line("Failed", "the last installation: %s", error);
}

/* Prints and gives the exit status. Takes @result. */
static int tell(const struct request *request, json_t *result)
{
        json_auto_t *installation = tn_json_file_read(&request->env, request->folder, TN_UPDATE_INSTALLED);
        int status = tn_update_exit_status(tn_update_status_parse(tn_cli_text(result, "status")),
                                           json_is_true(json_object_get(result, "security")));

        if (request->json)
                tn_cli_print_json(result);
        else
                print_result(result, installation);
        json_decref(result);
        return status;
}

/* What was found is kept by who may; others only read. */
static void keep(const struct request *request, const char *name, const json_t *value)
{
        g_autoptr(GError) error = NULL;

        if (access(request->settings.statedir, W_OK) != 0 ||
            tn_json_file_write(&request->env, request->folder, name, value, &error))
                return;
        g_prefix_error(&error, "not kept: ");
        tn_cli_warn(error->message);
}

/* Checks and keeps. New reference. */
static json_t *look(struct request *request)
{
        struct tn_progress progress;
        json_t *result;

        tn_cli_progress_init(&progress);
        progress.total = TN_UPDATE_STEPS;
        /* Each source may take a minute. In a pipe nobody watches, and JSON is for programs. */
        if (!request->json && isatty(STDERR_FILENO))
                request->settings.progress = &progress;
        result = tn_update_check(&request->env, &request->settings);
        request->settings.progress = NULL;
        tn_cli_progress_end(&progress);
        json_object_set_new(result, "version", json_string(TN_VERSION));
        keep(request, TN_UPDATE_RESULT, result);
        return result;
}

static int check(struct request *request)
{
        return tell(request, look(request));
}

/* After an installation: by the program that has come, for this one is still the old version. */
static void check_again(struct request *request)
{
        const char *const argv[] = {
                TN_PATH_CTL,   "update", "check", "--json", request->file ? "--file" : NULL,
                request->file, NULL};
        g_auto(tn_tool_result_t) ignored = {0};

        if (!tn_tool_run(&request->env, argv, CHECK_S, NULL, &ignored, NULL))
                json_decref(look(request));
}

/* Good news that are old, or of another version, are none. */
static void judge_record(const struct request *request, json_t *result)
{
        json_int_t days = (time(NULL) - json_integer_value(json_object_get(result, "checked-at"))) / DAY_S;
        unsigned max_days = request->settings.max_age_days;
        g_autofree char *message = NULL;

        if (!g_str_equal(tn_cli_text(result, "version"), TN_VERSION))
                message = g_strdup_printf("the last check was for Tenon %s; try tenonctl update check",
                                          tn_cli_text(result, "version"));
        else if (max_days > 0 && days >= max_days)
                message = g_strdup_printf("the last check was %" JSON_INTEGER_FORMAT
                                          " days ago; try tenonctl update check",
                                          days);
        if (!message ||
            tn_update_exit_status(tn_update_status_parse(tn_cli_text(result, "status")), false) != 0)
                return;
        json_object_set_new(result, "status", json_string("unknown"));
        json_object_set_new(result, "message", json_string(message));
}

static int show(struct request *request)
{
        json_t *result = tn_json_file_read(&request->env, request->folder, TN_UPDATE_RESULT);

        if (result)
                judge_record(request, result);
        else
                result = json_pack("{s:s, s:s, s:n, s:n, s:n, s:I, s:b, s:s, s:[], s:[], s:[], s:s}",
                                   "status", "unknown", "installed", TN_VERSION, "candidate", "source",
                                   "verified-by", "checked-at", (json_int_t) 0, "security", 0, "message",
                                   "nobody has checked yet; try tenonctl update check", "sources",
                                   "problems", "remedies", "version", TN_VERSION);
        return tell(request, result);
}

/* The record of how an installation ended. Takes @result; NULL: it failed. */
static void keep_installation(struct request *request, json_t *result, const GError *error)
{
        json_auto_t *record = result ? result
                                     : json_pack("{s:s, s:o}", "state", "failed", "error",
                                                 tn_json_text(error->message));

        json_object_set_new(record, "at", json_integer((json_int_t) time(NULL)));
        keep(request, TN_UPDATE_INSTALLED, record);
}

static int install(struct request *request)
{
        g_autoptr(GError) error = NULL;
        struct tn_progress progress;
        json_auto_t *result = NULL;

        tn_cli_progress_init(&progress);
        progress.total = 1;
        result = tn_update_install(&request->env, &request->settings, &progress, &error);
        tn_cli_progress_end(&progress);
        keep_installation(request, json_incref(result), error);
        if (!result) {
                return tn_cli_fail_with(error, TN_EXIT_USAGE);
        }
        check_again(request);
        if (request->json)
                tn_cli_print_json(result);
        else if (g_str_equal(tn_cli_text(result, "state"), "done"))
                tn_cli_say("Updated from %s to %s by %s.", tn_cli_text(result, "from"),
                           tn_cli_text(result, "to"), tn_cli_text(result, "by"));
        else
                tn_cli_say("%s has nothing newer than %s.", tn_cli_text(result, "by"),
                           tn_cli_text(result, "from"));
        return TN_EXIT_OK;
}

static int run(int argc, char **argv, int (*action)(struct request *request))
{
        struct request request = {0};
        const struct tn_cli_value values[] = {{"json", &request.json}, {"file", &request.file}, {NULL}};
        g_autoptr(GError) error = NULL;
        int status;

        if (!tn_cli_options(&argc, &argv, values))
                return TN_EXIT_USAGE;
        if (!request_init(&request, &error)) {
                g_free(request.file);
                return tn_cli_fail_with(error, TN_EXIT_USAGE);
        }
        status = action(&request);
        request_clear(&request);
        return status;
}

int tn_cli_update(int argc, char **argv)
{
        return run(argc, argv, show);
}

int tn_cli_update_check(int argc, char **argv)
{
        return run(argc, argv, check);
}

int tn_cli_update_install(int argc, char **argv)
{
        return run(argc, argv, install);
}
