/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Reading mountinfo. The surprising thing is hidden: a path of the table may lead to another file system
 * that was mounted over it later, and freezing by that path would freeze the wrong one.
 */
#include "plugins/freeze/mounts.h"

#include <string.h>

#include "lib/mountinfo.h"

#define PARENTS_MAX 256 /* mounts above one another; guards against a loop in a broken table */

static const char *const remote_types[] = {
        "9p",     "afs",   "beegfs", "ceph", "cifs",     "coda", "glusterfs", "gpfs",
        "lustre", "ncpfs", "nfs",    "nfs4", "orangefs", "smb3", "smbfs",     "virtiofs",
};

bool freeze_mounts_type_may_hang(const char *type)
{
        if (g_str_has_prefix(type, "fuse") && strcmp(type, "fusectl") != 0) /* fuse, fuseblk, fuse.sshfs */
                return true;
        for (size_t i = 0; i < G_N_ELEMENTS(remote_types); i++)
                if (strcmp(type, remote_types[i]) == 0)
                        return true;
        return false;
}

static void mount_free(void *data)
{
        struct freeze_mount *mount = data;

        g_free(mount->source);
        g_free(mount->target);
        g_free(mount->type);
        g_free(mount);
}

static void add_mount(const struct tn_mountinfo *info, void *data)
{
        struct freeze_mount *mount = g_new0(struct freeze_mount, 1);

        mount->id = info->id;
        mount->parent = info->parent;
        mount->device = info->device;
        mount->source = g_strdup(info->source);
        mount->target = g_strdup(info->target);
        mount->type = g_strdup(info->type);
        g_ptr_array_add(data, mount);
}

/* True when @path is @directory or lies below it. */
static bool is_below(const char *path, const char *directory)
{
        size_t len = strlen(directory);

        if (strncmp(path, directory, len) != 0)
                return false;
        return len == 0 || directory[len - 1] == '/' || path[len] == '/' || path[len] == '\0';
}

static bool is_above(GHashTable *by_id, const struct freeze_mount *above, const struct freeze_mount *mount)
{
        for (int depth = 0; mount && depth < PARENTS_MAX; depth++) {
                if (mount == above)
                        return true;
                mount = g_hash_table_lookup(by_id, GINT_TO_POINTER(mount->parent));
        }
        return false;
}

/* A later mount at the same place or above it, which this one is not mounted on, covers it. */
static bool is_hidden(GPtrArray *mounts, guint index, GHashTable *by_id)
{
        const struct freeze_mount *mount = g_ptr_array_index(mounts, index);

        for (guint i = index + 1; i < mounts->len; i++) {
                const struct freeze_mount *later = g_ptr_array_index(mounts, i);

                if (is_below(mount->target, later->target) && !is_above(by_id, later, mount))
                        return true;
        }
        return false;
}

static bool may_hang(const struct freeze_mount *mount, GHashTable *by_id)
{
        for (int depth = 0; mount && depth < PARENTS_MAX; depth++) {
                if (freeze_mounts_type_may_hang(mount->type))
                        return true;
                mount = g_hash_table_lookup(by_id, GINT_TO_POINTER(mount->parent));
        }
        return false;
}

static void mark(GPtrArray *mounts)
{
        g_autoptr(GHashTable) by_id = g_hash_table_new(NULL, NULL);

        for (guint i = 0; i < mounts->len; i++) {
                struct freeze_mount *mount = g_ptr_array_index(mounts, i);

                g_hash_table_insert(by_id, GINT_TO_POINTER(mount->id), mount);
        }
        for (guint i = 0; i < mounts->len; i++) {
                struct freeze_mount *mount = g_ptr_array_index(mounts, i);

                mount->hidden = is_hidden(mounts, i, by_id);
                mount->may_hang = may_hang(mount, by_id);
        }
}

/* Takes @mounts; NULL when the table could not be read. */
static GPtrArray *judge(GPtrArray *mounts, bool complete)
{
        if (!complete) {
                g_ptr_array_unref(mounts);
                return NULL;
        }
        mark(mounts);
        return mounts;
}

GPtrArray *freeze_mounts_parse(FILE *file, GError **error)
{
        GPtrArray *mounts = g_ptr_array_new_with_free_func(mount_free);

        return judge(mounts, tn_mountinfo_parse(file, add_mount, mounts, error));
}

GPtrArray *freeze_mounts_read(const struct tn_env *env, GError **error)
{
        GPtrArray *mounts = g_ptr_array_new_with_free_func(mount_free);

        return judge(mounts, tn_mountinfo_read(env, add_mount, mounts, error));
}

const struct freeze_mount *freeze_mounts_find(GPtrArray *mounts, const char *path)
{
        const struct freeze_mount *best = NULL;

        for (guint i = 0; i < mounts->len; i++) {
                const struct freeze_mount *mount = g_ptr_array_index(mounts, i);

                if (!mount->hidden && is_below(path, mount->target) &&
                    (!best || strlen(mount->target) >= strlen(best->target)))
                        best = mount;
        }
        return best;
}
