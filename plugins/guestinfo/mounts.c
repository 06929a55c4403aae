/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Reads the mount table. The surprising thing is may_hang: a size is asked with statfs(), and no answer from
 * a FUSE process, a cluster or a network server may ever hold up the agent, not even one that only lies on
 * the way to the mount point, or below an overlay.
 */
#include "plugins/guestinfo/mounts.h"

#include <string.h>
#include <sys/sysmacros.h>

#include "lib/mountinfo.h"

#define PARENTS_MAX 256 /* mounts above one another; guards against a loop in a broken table */

/* Types that mean something beside their device number. */
static const struct {
        const char *type;
        enum tn_mount_kind kind;
        bool named_source;
} types[] = {
        {"btrfs", TN_MOUNT_LOCAL, true},    {"bcachefs", TN_MOUNT_LOCAL, true},
        {"zfs", TN_MOUNT_LOCAL, false},     {"overlay", TN_MOUNT_OVERLAY, false},
        {"9p", TN_MOUNT_NETWORK},           {"afs", TN_MOUNT_NETWORK},
        {"beegfs", TN_MOUNT_NETWORK},       {"ceph", TN_MOUNT_NETWORK},
        {"cifs", TN_MOUNT_NETWORK},         {"coda", TN_MOUNT_NETWORK},
        {"glusterfs", TN_MOUNT_NETWORK},    {"gpfs", TN_MOUNT_NETWORK},
        {"lustre", TN_MOUNT_NETWORK},       {"ncpfs", TN_MOUNT_NETWORK},
        {"nfs", TN_MOUNT_NETWORK},          {"nfs4", TN_MOUNT_NETWORK},
        {"orangefs", TN_MOUNT_NETWORK},     {"smb3", TN_MOUNT_NETWORK},
        {"smbfs", TN_MOUNT_NETWORK},        {"virtiofs", TN_MOUNT_NETWORK},
        {"fuse.ceph", TN_MOUNT_NETWORK},    {"fuse.ceph-fuse", TN_MOUNT_NETWORK},
        {"fuse.davfs2", TN_MOUNT_NETWORK},  {"fuse.glusterfs", TN_MOUNT_NETWORK},
        {"fuse.juicefs", TN_MOUNT_NETWORK}, {"fuse.rclone", TN_MOUNT_NETWORK},
        {"fuse.s3fs", TN_MOUNT_NETWORK},    {"fuse.sshfs", TN_MOUNT_NETWORK},
};

/* On a block device of several machines. */
static const char *const cluster_types[] = {"gfs2", "ocfs2"};

static void mount_free(gpointer data)
{
        struct tn_mount *mount = data;

        g_free(mount->source);
        g_free(mount->root);
        g_free(mount->target);
        g_free(mount->type);
        g_free(mount->part);
        g_free(mount->layers);
        g_free(mount);
}

static void set_kind(struct tn_mount *mount)
{
        mount->kind = major(mount->device) != 0 ? TN_MOUNT_LOCAL : TN_MOUNT_OTHER;
        for (size_t i = 0; mount->kind == TN_MOUNT_OTHER && i < G_N_ELEMENTS(types); i++)
                if (strcmp(mount->type, types[i].type) == 0) {
                        mount->kind = types[i].kind;
                        mount->named_source = types[i].named_source;
                }
}

/* Somebody else has to answer before statfs() or a path lookup returns. */
static bool is_remote(const struct tn_mount *mount)
{
        if (mount->kind == TN_MOUNT_NETWORK || g_str_has_prefix(mount->type, "fuse")) /* also fuseblk */
                return true;
        for (size_t i = 0; i < G_N_ELEMENTS(cluster_types); i++)
                if (strcmp(mount->type, cluster_types[i]) == 0)
                        return true;
        return false;
}

static bool lies_below(const char *path, const char *directory)
{
        size_t len = strlen(directory);

        while (len > 0 && directory[len - 1] == '/')
                len--;
        return strncmp(path, directory, len) == 0 && (path[len] == '/' || path[len] == '\0');
}

/* Is one of the directories that an overlay's size comes from on a mount that may hang? */
static bool layers_may_hang(const struct tn_mount *overlay, GPtrArray *mounts)
{
        g_auto(GStrv) layers = g_strsplit(overlay->layers ? overlay->layers : "", ":", -1);

        for (guint i = 0; i < mounts->len; i++) {
                const struct tn_mount *mount = g_ptr_array_index(mounts, i);

                for (size_t j = 0; mount->may_hang && layers[j]; j++)
                        if (lies_below(layers[j], mount->target))
                                return true;
        }
        return false;
}

static void mark_overlays(GPtrArray *mounts)
{
        for (guint i = 0; i < mounts->len; i++) {
                struct tn_mount *mount = g_ptr_array_index(mounts, i);

                if (mount->kind == TN_MOUNT_OVERLAY && !mount->may_hang)
                        mount->may_hang = layers_may_hang(mount, mounts);
        }
}

static void mark_hanging(GPtrArray *mounts)
{
        g_autoptr(GHashTable) by_id = g_hash_table_new(NULL, NULL);

        for (guint i = 0; i < mounts->len; i++) {
                struct tn_mount *mount = g_ptr_array_index(mounts, i);

                g_hash_table_insert(by_id, GINT_TO_POINTER(mount->id), mount);
        }
        for (guint i = 0; i < mounts->len; i++) {
                struct tn_mount *mount = g_ptr_array_index(mounts, i);
                const struct tn_mount *above = mount;

                for (int depth = 0; above && depth < PARENTS_MAX; depth++) {
                        mount->may_hang |= is_remote(above);
                        above = g_hash_table_lookup(by_id, GINT_TO_POINTER(above->parent));
                }
        }
}

static void set_options(struct tn_mount *mount, const char *options)
{
        if (strcmp(mount->type, "btrfs") == 0) {
                char *subvolume = tn_mountinfo_option(options, "subvol");

                mount->part = subvolume ? subvolume : g_strdup(mount->root);
        } else if (mount->kind == TN_MOUNT_OVERLAY) {
                char *upper = tn_mountinfo_option(options, "upperdir"); /* without one it is read-only */

                mount->layers = upper ? upper : tn_mountinfo_option(options, "lowerdir");
        }
}

static void add_mount(const struct tn_mountinfo *info, void *data)
{
        struct tn_mount *mount = g_new0(struct tn_mount, 1);

        mount->id = info->id;
        mount->parent = info->parent;
        mount->device = info->device;
        mount->source = g_strdup(info->source);
        mount->root = g_strdup(info->root);
        mount->target = g_strdup(info->target);
        mount->type = g_strdup(info->type);
        set_kind(mount);
        set_options(mount, info->options);
        g_ptr_array_add(data, mount);
}

/* Takes @mounts; NULL when the table could not be read. */
static GPtrArray *judge(GPtrArray *mounts, bool complete)
{
        if (!complete) {
                g_ptr_array_unref(mounts);
                return NULL;
        }
        mark_hanging(mounts);
        mark_overlays(mounts);
        return mounts;
}

GPtrArray *tn_mounts_parse(FILE *file, GError **error)
{
        GPtrArray *mounts = g_ptr_array_new_with_free_func(mount_free);

        return judge(mounts, tn_mountinfo_parse(file, add_mount, mounts, error));
}

GPtrArray *tn_mounts_read(const struct tn_env *env, GError **error)
{
        GPtrArray *mounts = g_ptr_array_new_with_free_func(mount_free);

        return judge(mounts, tn_mountinfo_read(env, add_mount, mounts, error));
}
