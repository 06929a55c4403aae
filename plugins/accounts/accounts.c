/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Passwords and SSH keys that the host sets: guest-set-user-password by chpasswd(8), guest-ssh-* by
 * tenon-accounts-helper(8). Neither /etc nor home directories are writable for the agent itself, so both run
 * outside of its sandbox; secrets go there on standard input only.
 */
#include <string.h>

#include "lib/env.h"
#include "lib/error.h"
#include "lib/names.h"
#include "lib/outside.h"
#include "plugins/accounts/password.h"
#include "tenon/plugin.h"

#define PASSWORD_TIMEOUT_MS 30000 /* chpasswd waits up to 15 s for the lock of the password file */
#define KEYS_TIMEOUT_MS     30000 /* home directories may be on a slow network */

struct accounts {
        struct tn_outside *outside;
};

/* One call under way. */
struct request {
        struct tenon_host *host;
        struct tenon_call *call;
        char *line; /* what chpasswd was told; a secret */
};

static struct request *request_new(struct tenon_host *host, struct tenon_call *call)
{
        struct request *request = g_new0(struct request, 1);

        request->host = host;
        request->call = call;
        return request;
}

static void request_free(struct request *request)
{
        tn_password_free(request->line);
        g_free(request);
}

/* NULL: there is none. */
static const char *find_chpasswd(struct tenon_host *host)
{
        const char *configured = host->config(host, "accounts", "chpasswd");
        static const char *const places[] = {"/usr/sbin/chpasswd", "/sbin/chpasswd", "/usr/bin/chpasswd",
                                             "/bin/chpasswd"};

        if (configured)
                return configured;
        for (size_t i = 0; i < G_N_ELEMENTS(places); i++)
                if (tn_env_exists(host->env, places[i] + 1))
                        return places[i];
        return NULL;
}

static GError *password_error(const struct request *request, const struct tn_child_result *result)
{
        g_autofree char *complaint = tn_password_complaint(request->line, result->output);
        g_autofree char *ending = tn_child_describe(result);

        return g_error_new(TN_ERROR, result->timed_out ? TN_ERROR_TIMEOUT : TN_ERROR_FAILED,
                           "child process has failed to set user password: %s",
                           complaint ? complaint : ending);
}

static void on_password_set(const struct tn_child_result *result, const GError *error, void *data)
{
        struct request *request = data;

        if (error)
                request->host->fail(request->call, g_error_copy(error));
        else if (result->exit_status != 0)
                request->host->fail(request->call, password_error(request, result));
        else
                request->host->reply(request->call, json_object());
        request_free(request);
}

static void password_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct accounts *accounts = host->data;
        const char *username = json_string_value(json_object_get(args, "username"));
        const char *base64 = json_string_value(json_object_get(args, "password"));
        bool crypted = json_is_true(json_object_get(args, "crypted"));
        const char *argv[] = {find_chpasswd(host), crypted ? "-e" : NULL, NULL};
        struct request *request;
        GError *error = NULL;
        char *line;

        if (!tn_password_line(username, base64, &line, &error)) {
                host->fail(call, error);
                return;
        }
        request = request_new(host, call);
        request->line = line;
        if (argv[0]) {
                tn_outside_run(accounts->outside, argv, line, strlen(line), PASSWORD_TIMEOUT_MS,
                               on_password_set, request);
                return;
        }
        request_free(request);
        host->fail(call,
                   g_error_new(TN_ERROR, TN_ERROR_UNSUPPORTED, "chpasswd is not installed in the guest"));
}

static void on_keys_changed(json_t *value, const GError *error, void *data)
{
        struct request *request = data;

        if (error)
                request->host->fail(request->call, g_error_copy(error));
        else
                request->host->reply(request->call, json_incref(value));
        request_free(request);
}

static void on_keys_read(json_t *value, const GError *error, void *data)
{
        json_auto_t *reply = error ? NULL : json_pack("{s:O}", "keys", value);

        on_keys_changed(reply, error, data);
}

/* @args go as they are: the helper checks them, since it is the one who acts. */
static void ask_helper(struct tenon_host *host, struct tenon_call *call, const char *operation, json_t *args,
                       tn_outside_answered answered)
{
        struct accounts *accounts = host->data;
        const char *helper = host->config(host, "accounts", "helper");
        json_auto_t *question = json_pack("{s:s}", "op", operation);

        (void) json_object_update(question, args);
        tn_outside_ask(accounts->outside, helper ? helper : TN_PATH_ACCOUNTS_HELPER, question,
                       KEYS_TIMEOUT_MS, answered, request_new(host, call));
}

static void keys_get_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        ask_helper(host, call, "get-authorized-keys", args, on_keys_read);
}

static void keys_add_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        ask_helper(host, call, "add-authorized-keys", args, on_keys_changed);
}

static void keys_remove_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        ask_helper(host, call, "remove-authorized-keys", args, on_keys_changed);
}

static bool accounts_start(struct tenon_host *host, GError **error)
{
        struct accounts *accounts = g_new0(struct accounts, 1);

        (void) error;
        accounts->outside = tn_outside_new(host->env);
        host->data = accounts;
        return true;
}

static void accounts_stop(struct tenon_host *host)
{
        struct accounts *accounts = host->data;

        tn_outside_free(accounts->outside);
        g_free(accounts);
        host->data = NULL;
}

static const struct tenon_command commands[] = {
        {.name = "guest-set-user-password",
         .args = "username:str,password:str,crypted:bool",
         .summary = "Set a user's password",
         .category = TENON_CATEGORY_ACCOUNTS,
         .flags = TENON_COMMAND_CHANGES,
         .start = password_start},
        {.name = "guest-ssh-get-authorized-keys",
         .args = "username:str",
         .summary = "SSH keys that may log in as a user",
         .category = TENON_CATEGORY_ACCOUNTS,
         .start = keys_get_start},
        {.name = "guest-ssh-add-authorized-keys",
         .args = "username:str,keys:[str],reset:bool?",
         .summary = "Let SSH keys log in as a user",
         .category = TENON_CATEGORY_ACCOUNTS,
         .flags = TENON_COMMAND_CHANGES,
         .start = keys_add_start},
        {.name = "guest-ssh-remove-authorized-keys",
         .args = "username:str,keys:[str]",
         .summary = "Let SSH keys no longer log in as a user",
         .category = TENON_CATEGORY_ACCOUNTS,
         .flags = TENON_COMMAND_CHANGES,
         .start = keys_remove_start},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "accounts",
        .summary = "Passwords and SSH keys that the host sets",
        .start = accounts_start,
        .stop = accounts_stop,
        .commands = commands,
};
