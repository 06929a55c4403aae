/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Whoever reads sees the old file or the new one. */
#include "lib/json-file.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/replace.h"

#define FOLDER_MODE 0755
#define FILE_MODE   0644

static const char *relative(const char *path)
{
        return path + strspn(path, "/");
}

json_t *tn_json_file_read(const struct tn_env *env, const char *folder, const char *name)
{
        g_autofree char *path = g_strdup_printf("%s/%s", relative(folder), name), *text = NULL;
        json_t *value;
        size_t len;

        if (!tn_env_read(env, path, &text, &len, NULL))
                return NULL;
        value = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(value))
                g_clear_pointer(&value, json_decref);
        return value;
}

bool tn_json_file_write(const struct tn_env *env, const char *folder, const char *name, const json_t *value,
                        GError **error)
{
        g_autofree char *path = g_strdup_printf("%s/%s", relative(folder), name);
        g_autofree char *line = tn_json_line(value), *text = g_strconcat(line, "\n", NULL);

        if (mkdirat(env->root_fd, relative(folder), FOLDER_MODE) == 0)
                (void) fchmodat(env->root_fd, relative(folder), FOLDER_MODE,
                                0); /* not what the umask made */
        else if (errno != EEXIST)
                return tn_error_errno(error, errno, "make the folder /%s", relative(folder));
        return tn_replace_file(env, path, text, FILE_MODE, error);
}
