/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of what the helper can be asked about keys: whose they are is found out first. */
#include "plugins/accounts/keys-serve.h"

#include "lib/error.h"
#include "plugins/accounts/keys-file.h"
#include "plugins/accounts/keys.h"

static bool find_user(const json_t *request, const struct tn_helper *helper, struct tn_user *ret,
                      GError **error)
{
        const char *name = json_string_value(json_object_get(request, "username"));
        const tn_user_find_func *find = helper->data;

        if (!name)
                return tn_error_set(error, TN_ERROR_INVALID, "the request has no username");
        return (*find)(name, ret, error);
}

static json_t *get_keys(const struct tn_env *env, const json_t *request, const struct tn_helper *helper,
                        GError **error)
{
        struct tn_user user = {0};
        json_t *reply;

        if (!find_user(request, helper, &user, error))
                return NULL;
        reply = tn_keys_file_get(env, &user, error);
        tn_user_clear(&user);
        return reply;
}

static json_t *change_keys(const struct tn_env *env, const json_t *request, const struct tn_helper *helper,
                           bool add, GError **error)
{
        const json_t *keys = json_object_get(request, "keys");
        bool reset = json_is_true(json_object_get(request, "reset"));
        struct tn_user user = {0};
        bool done;

        if (!tn_keys_check(keys, error) || !find_user(request, helper, &user, error))
                return NULL;
        done = add ? tn_keys_file_add(env, &user, keys, reset, error)
                   : tn_keys_file_remove(env, &user, keys, error);
        tn_user_clear(&user);
        return done ? json_object() : NULL;
}

static json_t *add_keys(const struct tn_env *env, const json_t *request, const struct tn_helper *helper,
                        GError **error)
{
        return change_keys(env, request, helper, true, error);
}

static json_t *remove_keys(const struct tn_env *env, const json_t *request, const struct tn_helper *helper,
                           GError **error)
{
        return change_keys(env, request, helper, false, error);
}

static const struct tn_helper_operation operations[] = {
        {"get-authorized-keys", get_keys},
        {"add-authorized-keys", add_keys},
        {"remove-authorized-keys", remove_keys},
};

static const tn_user_find_func find_in_database = tn_user_find;

const struct tn_helper tn_accounts_helper = {
        .program = "tenon-accounts-helper",
        .operations = operations,
        .count = G_N_ELEMENTS(operations),
        .data = &find_in_database,
};

struct tn_helper tn_accounts_helper_for(const tn_user_find_func *find)
{
        struct tn_helper helper = tn_accounts_helper;

        helper.data = find;
        return helper;
}
