/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Files of KEY=VALUE lines: os-release(5), logind's sessions; and utmp(5) beside them. */
#include <string.h>

#include "plugins/guestinfo/envfile.h"
#include "plugins/guestinfo/users.h"
#include "tests/fuzz/fuzz.h"

static void check_names(const char *text)
{
        g_autoptr(GHashTable) table = tn_envfile_parse(text);
        GHashTableIter iter;
        void *name, *value;

        g_hash_table_iter_init(&iter, table);
        while (g_hash_table_iter_next(&iter, &name, &value)) {
                g_assert_cmpstr(name, !=, "");
                g_assert_nonnull(value);
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        g_autofree char *text = g_strndup((const char *) data, size);
        g_autoptr(GHashTable) users = tn_users_new();
        json_t *list;

        check_names(text);
        tn_users_add_session(users, text, "somebody");
        tn_users_add_session(users, text, NULL);
        tn_users_add_utmp(users, data, size);
        list = tn_users_json(users, true);
        g_assert_true(json_is_array(list));
        json_decref(list);
        return 0;
}
