/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The arguments of guest-exec become a struct. Nothing is looked up here. The surprising thing: JSON text
 * may have a NUL in it, which no argument of a program can have.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <string.h>

#include "lib/base64.h"
#include "lib/error.h"
#include "plugins/exec/exec.h"

static const struct {
        const char *name;
        bool out, err, merged;
} captures[] = {
        {"none", false, false, false},    {"stdout", true, false, false}, {"stderr", false, true, false},
        {"separated", true, true, false}, {"merged", true, false, true},
};

void tn_exec_request_free(struct tn_exec_request *request)
{
        if (!request)
                return;
        g_free(request->path);
        g_free(request->program);
        g_strfreev(request->argv);
        g_strfreev(request->env);
        g_free(request->cwd);
        g_free(request->user);
        g_free(request->input);
        g_free(request);
}

static bool check_text(json_t *value, const char *name, GError **error)
{
        if (strlen(json_string_value(value)) == json_string_length(value))
                return true;
        return tn_error_set(error, TN_ERROR_INVALID, "Parameter '%s' has a NUL in it", name);
}

/* NULL when it is not there. */
static bool parse_text(json_t *args, const char *name, char **ret, GError **error)
{
        json_t *value = json_object_get(args, name);

        if (value && !check_text(value, name, error))
                return false;
        *ret = g_strdup(json_string_value(value));
        return true;
}

/* The strings of a list behind @first, which may be NULL. */
static bool parse_list(json_t *args, const char *name, const char *first, char ***ret, GError **error)
{
        json_t *list = json_object_get(args, name), *item;
        g_autoptr(GPtrArray) texts = g_ptr_array_new_with_free_func(g_free);
        size_t i;

        if (first)
                g_ptr_array_add(texts, g_strdup(first));
        json_array_foreach(list, i, item)
        {
                if (!check_text(item, name, error))
                        return false;
                g_ptr_array_add(texts, g_strdup(json_string_value(item)));
        }
        g_ptr_array_add(texts, NULL);
        *ret = (char **) g_ptr_array_free(g_steal_pointer(&texts), FALSE);
        return true;
}

static bool parse_env(json_t *args, char ***ret, GError **error)
{
        if (!json_object_get(args, "env"))
                return true;
        if (!parse_list(args, "env", NULL, ret, error))
                return false;
        for (char **entry = *ret; *entry; entry++)
                if (strchr(*entry, '=') == NULL || **entry == '=')
                        return tn_error_set(error, TN_ERROR_INVALID,
                                            "Parameter 'env': '%s' is not NAME=VALUE", *entry);
        return true;
}

static bool parse_capture(json_t *value, struct tn_exec_request *request, GError **error)
{
        const char *name = json_is_true(value) ? "separated" : json_string_value(value);

        if (!name)
                return true;
        for (size_t i = 0; i < G_N_ELEMENTS(captures); i++)
                if (strcmp(captures[i].name, name) == 0) {
                        request->capture_out = captures[i].out;
                        request->capture_err = captures[i].err;
                        request->merged = captures[i].merged;
                        return true;
                }
        return tn_error_set(error, TN_ERROR_INVALID, "Parameter 'capture-output' does not accept value '%s'",
                            name);
}

static bool parse_input(json_t *value, struct tn_exec_request *request, GError **error)
{
        request->has_input = value != NULL;
        return !value || tn_base64_decode(json_string_value(value), json_string_length(value),
                                          &request->input, &request->input_len, error);
}

static bool parse_timeout(json_t *value, struct tn_exec_request *request, GError **error)
{
        json_int_t ms = json_integer_value(value);

        if (value && (ms < 1 || ms > G_MAXINT32))
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "value '%" JSON_INTEGER_FORMAT "' is invalid for argument timeout-ms",
                                    ms);
        request->timeout_ms = (unsigned) ms;
        return true;
}

static bool parse_cwd(json_t *args, struct tn_exec_request *request, GError **error)
{
        if (!parse_text(args, "cwd", &request->cwd, error))
                return false;
        if (request->cwd && !g_path_is_absolute(request->cwd))
                return tn_error_set(error, TN_ERROR_INVALID, "Parameter 'cwd' must be an absolute path");
        if (!request->cwd) /* ours is "/", unless the agent was started by hand; another user may not get
                              there */
                request->cwd = json_object_get(args, "user") ? g_strdup("/") : g_get_current_dir();
        return true;
}

struct tn_exec_request *tn_exec_request_parse(json_t *args, GError **error)
{
        g_autoptr(tn_exec_request_t) request = g_new0(struct tn_exec_request, 1);

        if (!parse_text(args, "path", &request->path, error) ||
            !parse_list(args, "arg", request->path, &request->argv, error) ||
            !parse_env(args, &request->env, error) || !parse_cwd(args, request, error) ||
            !parse_text(args, "user", &request->user, error) ||
            !parse_capture(json_object_get(args, "capture-output"), request, error) ||
            !parse_timeout(json_object_get(args, "timeout-ms"), request, error) ||
            !parse_input(json_object_get(args, "input-data"), request, error))
                return NULL;
        return g_steal_pointer(&request);
}

void tn_exec_request_use_shell(struct tn_exec_request *request)
{
        GPtrArray *argv = g_ptr_array_new();

        g_ptr_array_add(argv, g_strdup("/bin/sh"));
        g_ptr_array_add(argv, g_steal_pointer(&request->program));
        for (char **arg = request->argv + 1; *arg; arg++)
                g_ptr_array_add(argv, g_strdup(*arg));
        g_ptr_array_add(argv, NULL);
        g_strfreev(request->argv);
        request->argv = (char **) g_ptr_array_free(argv, FALSE);
        request->program = g_strdup("/bin/sh");
}

int tn_exec_signal_parse(json_t *value, GError **error)
{
        const char *name = json_string_value(value);
        json_int_t number = json_integer_value(value);

        if (name && g_str_has_prefix(name, "SIG"))
                name += 3;
        for (int i = 1; name && i < NSIG; i++)
                if (g_strcmp0(sigabbrev_np(i), name) == 0)
                        return i;
        if (!name && number > 0 && number < NSIG)
                return (int) number;
        if (name)
                (void) tn_error_set(error, TN_ERROR_INVALID, "Parameter 'signal' does not accept value '%s'",
                                    json_string_value(value));
        else
                (void) tn_error_set(error, TN_ERROR_INVALID,
                                    "value '%" JSON_INTEGER_FORMAT "' is invalid for argument signal",
                                    number);
        return 0;
}
