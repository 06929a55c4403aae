/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Problems and their remedies, in step. */
#include "lib/problems.h"

#include "lib/json.h"

void tn_problems_init(json_t *object)
{
        json_object_set_new(object, "problems", json_array());
        json_object_set_new(object, "remedies", json_array());
}

/* Takes @remedy. */
static void add(json_t *object, json_t *problem, json_t *remedy)
{
        if (!json_object_get(object, "problems"))
                tn_problems_init(object);
        json_array_append(json_object_get(object, "problems"), problem);
        json_array_append_new(json_object_get(object, "remedies"), remedy);
}

void tn_problems_add(json_t *object, const char *remedy, const char *format, ...)
{
        g_autofree char *text = NULL;
        json_auto_t *problem = NULL;
        va_list args;

        va_start(args, format);
        text = g_strdup_vprintf(format, args);
        va_end(args);
        problem = tn_json_text(text);
        add(object, problem, tn_json_text(remedy));
}

void tn_problems_add_all(json_t *object, const json_t *from)
{
        const json_t *remedies = json_object_get(from, "remedies");
        json_t *problem;
        size_t i;

        json_array_foreach(json_object_get(from, "problems"), i, problem)
        {
                json_t *remedy = json_array_get(remedies, i);

                if (json_is_string(problem))
                        add(object, problem, json_is_string(remedy) ? json_incref(remedy) : json_null());
        }
}
