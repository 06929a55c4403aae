/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The table of types, by the names that they have in the configuration. */
#include "plugins/health/check.h"

const struct health_type *const health_types[] = {
        &health_type_loop,
        &health_type_memory_pressure,
        &health_type_io_pressure,
        &health_type_memory_available,
        &health_type_filesystem,
        &health_type_load,
        &health_type_file_handles,
        &health_type_unit,
        &health_type_process,
        &health_type_script,
        NULL,
};

const struct health_type *health_type_find(const char *name)
{
        for (const struct health_type *const *type = health_types; *type; type++)
                if (g_strcmp0((*type)->name, name) == 0)
                        return *type;
        return NULL;
}
