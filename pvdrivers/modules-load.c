/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Writes modules-load.d by a temporary file and a rename. The surprising thing: a file that has modules of
 * another hypervisor, from before the guest was moved, is rewritten too, because it is ours as a whole.
 */
#define _GNU_SOURCE
#include "pvdrivers/modules-load.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/error.h"
#include "lib/fd.h"

#define FOLDER    "etc/modules-load.d"
#define NAME      "tenon.conf"
#define TEMPORARY ".tenon.conf.new"

static char *compose(const GPtrArray *modules)
{
        GString *text = g_string_new(
                "# Written by tenon-drivers(8): drivers of this hypervisor that no device names.\n"
                "# Changes are lost; `load=no` in drivers.d keeps a module out.\n");

        for (guint i = 0; i < modules->len; i++)
                g_string_append_printf(text, "%s\n", (const char *) modules->pdata[i]);
        return g_string_free(text, FALSE);
}

static bool write_text(int fd, const char *text, GError **error)
{
        size_t len = strlen(text);

        while (len > 0) {
                ssize_t n = write(fd, text, len);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return tn_error_errno(error, errno, "write /" FOLDER "/" TEMPORARY);
                text += n;
                len -= (size_t) n;
        }
        return fsync(fd) == 0 || tn_error_errno(error, errno, "write /" FOLDER "/" TEMPORARY);
}

static bool replace(int folder, const char *text, GError **error)
{
        tn_autofd int fd = openat(folder, TEMPORARY, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
                                  0644);

        if (fd < 0)
                return tn_error_errno(error, errno, "create /" FOLDER "/" TEMPORARY);
        if (!write_text(fd, text, error) || fchmod(fd, 0644) < 0 ||
            renameat(folder, TEMPORARY, folder, NAME) < 0) {
                if (error && !*error)
                        (void) tn_error_errno(error, errno, "write /" FOLDER "/" NAME);
                (void) unlinkat(folder, TEMPORARY, 0);
                return false;
        }
        return true;
}

static int open_folder(const struct tn_env *env, GError **error)
{
        tn_autofd int etc = tn_env_open(env, "etc", O_PATH | O_DIRECTORY, error);

        if (etc < 0)
                return -1;
        if (mkdirat(etc, "modules-load.d", 0755) < 0 && errno != EEXIST) {
                (void) tn_error_errno(error, errno, "make the directory /" FOLDER);
                return -1;
        }
        return tn_env_open(env, FOLDER, O_RDONLY | O_DIRECTORY, error);
}

bool tn_modules_load_write(const struct tn_env *env, const GPtrArray *modules, GError **error)
{
        g_autofree char *text = compose(modules), *old = NULL;
        bool exists = tn_env_exists(env, FOLDER "/" NAME);
        tn_autofd int folder = -1;

        if (modules->len == 0 && !exists)
                return true;
        if (modules->len > 0 && exists && tn_env_read(env, FOLDER "/" NAME, &old, NULL, NULL) &&
            g_str_equal(old, text))
                return true;
        folder = open_folder(env, error);
        if (folder < 0)
                return false;
        if (modules->len > 0)
                return replace(folder, text, error);
        return unlinkat(folder, NAME, 0) == 0 || tn_error_errno(error, errno, "remove /" FOLDER "/" NAME);
}
