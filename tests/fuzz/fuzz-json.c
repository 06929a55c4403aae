/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What is read as JSON can be printed and read again, and is the same; an error says where. */
#include <glib.h>
#include <math.h>
#include <string.h>

#include "lib/json.h"
#include "tests/fuzz/fuzz.h"

/* Numbers are printed with 16 digits. */
static bool same(const json_t *a, const json_t *b)
{
        const char *name;
        json_t *member;
        bool equal = json_typeof(a) == json_typeof(b);
        size_t i;

        if (json_is_real(a))
                return equal &&
                       fabs(json_real_value(a) - json_real_value(b)) <= fabs(json_real_value(a)) * 1e-15;
        if (json_is_array(a)) {
                equal = equal && json_array_size(a) == json_array_size(b);
                json_array_foreach((json_t *) a, i, member)
                        equal = equal && same(member, json_array_get(b, i));
                return equal;
        }
        if (!json_is_object(a))
                return json_equal(a, b);
        equal = equal && json_object_size(a) == json_object_size(b);
        json_object_foreach((json_t *) a, name, member)
                equal = equal && json_object_get(b, name) && same(member, json_object_get(b, name));
        return equal;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
        json_error_t error = {.text = ""};
        json_t *value = tn_json_parse((const char *) data, size, &error), *again;
        g_autofree char *line = NULL, *pretty = NULL;

        g_assert_true((value == NULL) == (*error.text != '\0'));
        g_assert_cmpuint(tn_json_plain_span((const char *) data, size), <=, size);
        if (!value)
                return 0;
        line = tn_json_line(value);
        pretty = tn_json_pretty(value);
        g_assert_nonnull(pretty);
        again = tn_json_parse(line, strlen(line), NULL);
        g_assert_true(same(value, again));
        json_decref(again);
        json_decref(value);
        return 0;
}
