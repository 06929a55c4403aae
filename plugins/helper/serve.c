/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of what the helper can be asked. */
#include "plugins/helper/serve.h"

#include <jansson.h>
#include <string.h>

#include "lib/error.h"
#include "lib/json.h"
#include "plugins/helper/keys-file.h"
#include "plugins/helper/keys.h"
#include "plugins/helper/online.h"

/* The reply or NULL with @error. @user is NULL for what concerns none. */
struct operation {
        const char *name;
        json_t *(*run)(const struct tn_env *env, const json_t *request, GError **error);
        json_t *(*run_as)(const struct tn_env *env, const struct tn_user *user, const json_t *request,
                          GError **error);
};

static json_t *get_keys(const struct tn_env *env, const struct tn_user *user, const json_t *request,
                        GError **error)
{
        (void) request;
        return tn_keys_file_get(env, user, error);
}

static json_t *add_keys(const struct tn_env *env, const struct tn_user *user, const json_t *request,
                        GError **error)
{
        bool reset = json_is_true(json_object_get(request, "reset"));

        return tn_keys_file_add(env, user, json_object_get(request, "keys"), reset, error) ? json_object()
                                                                                           : NULL;
}

static json_t *remove_keys(const struct tn_env *env, const struct tn_user *user, const json_t *request,
                           GError **error)
{
        return tn_keys_file_remove(env, user, json_object_get(request, "keys"), error) ? json_object()
                                                                                       : NULL;
}

static const struct operation operations[] = {
        {"get-authorized-keys", .run_as = get_keys},
        {"add-authorized-keys", .run_as = add_keys},
        {"remove-authorized-keys", .run_as = remove_keys},
        {"set-vcpus", .run = tn_online_set_vcpus},
        {"set-memory-blocks", .run = tn_online_set_memory_blocks},
        {"sleep", .run = tn_online_sleep},
};

static json_t *run_as(const struct operation *operation, const struct tn_env *env,
                      tn_user_find_func find_user, const json_t *request, GError **error)
{
        const char *name = json_string_value(json_object_get(request, "username"));
        const json_t *keys = json_object_get(request, "keys");
        struct tn_user user = {0};
        json_t *reply;

        if (!name) {
                tn_error_set(error, TN_ERROR_INVALID, "the request has no username");
                return NULL;
        }
        if (operation->run_as != get_keys && !tn_keys_check(keys, error))
                return NULL;
        if (!find_user(name, &user, error))
                return NULL;
        reply = operation->run_as(env, &user, request, error);
        tn_user_clear(&user);
        return reply;
}

static json_t *run(const struct tn_env *env, tn_user_find_func find_user, const json_t *request,
                   GError **error)
{
        const char *name = json_string_value(json_object_get(request, "op"));

        for (size_t i = 0; i < G_N_ELEMENTS(operations); i++) {
                const struct operation *operation = &operations[i];

                if (g_strcmp0(operation->name, name) != 0)
                        continue;
                return operation->run ? operation->run(env, request, error)
                                      : run_as(operation, env, find_user, request, error);
        }
        tn_error_set(error, TN_ERROR_INVALID, "the request has no known operation");
        return NULL;
}

char *tn_serve_answer(const struct tn_env *env, tn_user_find_func find_user, const char *text, size_t len)
{
        json_auto_t *request = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        g_autoptr(GError) error = NULL;
        json_t *value = run(env, find_user, request, &error);
        json_auto_t *answer = json_object();
        g_autofree char *line = NULL;

        if (value)
                json_object_set_new(answer, "return", value);
        else
                json_object_set_new(answer, "error",
                                    json_pack("{s:s, s:o}", "code", tn_error_name(error->code), "message",
                                              tn_json_text(error->message)));
        line = tn_json_line(answer);
        return g_strconcat(line, "\n", NULL);
}
