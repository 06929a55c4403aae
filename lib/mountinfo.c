/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Parser of mountinfo. Fields are divided by single spaces, for one of them may be empty: a source of "" is
 * written as nothing (fs/proc_namespace.c, show_mountinfo). Not libmount, which is made for mounting: it
 * brings libblkid and libselinux into the agent, more memory than all of the agent's own code.
 */
#include "lib/mountinfo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

#define DELETED " (deleted)" /* d_path() says so when the mount point was removed below the mount */

static bool is_octal(const char *digits)
{
        return digits[0] >= '0' && digits[0] <= '3' && digits[1] >= '0' && digits[1] <= '7' &&
               digits[2] >= '0' && digits[2] <= '7';
}

/* Undoes the kernel's mangle() in place: "\040" is a space. */
static char *unescape(char *text)
{
        char *to = text;

        for (const char *from = text; *from; to++) {
                if (from[0] == '\\' && is_octal(from + 1)) {
                        *to = (char) ((from[1] - '0') << 6 | (from[2] - '0') << 3 | (from[3] - '0'));
                        from += 4;
                } else {
                        *to = *from++;
                }
        }
        *to = '\0';
        return text;
}

/* The next field of @rest, which moves behind it; NULL at the end. */
static char *next_field(char **rest)
{
        return strsep(rest, " ");
}

/* Skips the optional fields, whose end is a lone "-". */
static bool skip_to_separator(char **rest)
{
        const char *field;

        while ((field = next_field(rest)))
                if (strcmp(field, "-") == 0)
                        return true;
        return false;
}

static bool parse_line(char *line, struct tn_mountinfo *mount)
{
        unsigned major_number, minor_number;
        int numbers = 0;
        char *root, *target, *flags, *type, *source;

        if (sscanf(line, "%d %d %u:%u %n", &mount->id, &mount->parent, &major_number, &minor_number,
                   &numbers) != 4 ||
            numbers == 0)
                return false;
        line += numbers;
        root = next_field(&line);
        target = next_field(&line);
        flags = next_field(&line);
        if (!flags || !skip_to_separator(&line))
                return false;
        type = next_field(&line);
        source = next_field(&line);
        if (!source)
                return false;
        mount->device = makedev(major_number, minor_number);
        mount->root = unescape(root);
        mount->target = unescape(target);
        if (g_str_has_suffix(target, DELETED))
                target[strlen(target) - strlen(DELETED)] = '\0';
        mount->flags = flags;
        mount->type = unescape(type);
        mount->source = unescape(source);
        mount->options = line ? line : "";
        return true;
}

bool tn_mountinfo_parse(FILE *file, tn_mountinfo_func func, void *data, GError **error)
{
        char *line = NULL;
        size_t size = 0;
        ssize_t len;
        bool any = false;

        errno = 0;
        while ((len = getline(&line, &size, file)) > 0) {
                struct tn_mountinfo mount;

                if (line[len - 1] == '\n')
                        line[len - 1] = '\0';
                if (!parse_line(line, &mount))
                        continue;
                func(&mount, data);
                any = true;
        }
        free(line);
        if (ferror(file))
                return tn_error_errno(error, errno, "read the mount table");
        return any || tn_error_set(error, TN_ERROR_INVALID, "read the mount table: no mount is in it");
}

/* A comma in a value is escaped (seq_show_option()), so what is divided first is divided rightly. */
char *tn_mountinfo_option(const char *options, const char *name)
{
        size_t len = strlen(name);

        while (*options) {
                size_t end = strcspn(options, ",");

                if (strncmp(options, name, len) == 0 && options[len] == '=')
                        return unescape(g_strndup(options + len + 1, end - len - 1));
                options += end;
                options += *options == ',';
        }
        return NULL;
}

int tn_mountinfo_open(const struct tn_env *env, GError **error)
{
        int fd = tn_env_open(env, "proc/1/mountinfo", O_RDONLY, NULL);

        return fd >= 0 ? fd : tn_env_open(env, "proc/self/mountinfo", O_RDONLY, error);
}

bool tn_mountinfo_read(const struct tn_env *env, tn_mountinfo_func func, void *data, GError **error)
{
        int fd = tn_mountinfo_open(env, error);
        FILE *file = fd < 0 ? NULL : fdopen(fd, "re");
        bool ok;

        if (fd < 0)
                return false;
        if (!file) {
                (void) tn_error_errno(error, errno, "read the mount table");
                tn_fd_close(&fd);
                return false;
        }
        ok = tn_mountinfo_parse(file, func, data, error);
        (void) fclose(file); /* it was only read */
        return ok;
}
