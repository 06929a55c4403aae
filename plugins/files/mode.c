/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The modes of guest-file-open: fopen(3)'s, with every place in which it allows the 'b'. */
#include <fcntl.h>
#include <string.h>

#include "plugins/files/files.h"

#define WRITE (O_WRONLY | O_CREAT)
#define BOTH  (O_RDWR | O_CREAT)

static const struct tn_files_mode modes[] = {
        {"r", O_RDONLY},         {"rb", O_RDONLY},         {"w", WRITE | O_TRUNC},   {"wb", WRITE | O_TRUNC},
        {"a", WRITE | O_APPEND}, {"ab", WRITE | O_APPEND}, {"r+", O_RDWR},           {"rb+", O_RDWR},
        {"r+b", O_RDWR},         {"w+", BOTH | O_TRUNC},   {"wb+", BOTH | O_TRUNC},  {"w+b", BOTH | O_TRUNC},
        {"a+", BOTH | O_APPEND}, {"ab+", BOTH | O_APPEND}, {"a+b", BOTH | O_APPEND},
};

const struct tn_files_mode *tn_files_mode_find(const char *name)
{
        if (!name)
                return &modes[0];
        for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
                if (strcmp(modes[i].name, name) == 0)
                        return &modes[i];
        return NULL;
}
