/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* dlopen() with its answers put right. The dynamic linker remembers what it has loaded, so nothing is
 * remembered here. */
#include "lib/library.h"

#include <dlfcn.h>

void *tn_library_find(const char *soname, const char *symbol)
{
        void *handle = dlopen(soname, RTLD_LAZY | RTLD_LOCAL);

        return handle ? dlsym(handle, symbol) : 0;
}
