/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The plan. One step for each file system on a block device, in the reverse order of mounting, so that what
 * lies deepest comes first; but a file system on a loop file comes before the one that holds the file, for
 * its flushing writes there. That would wait for ever once the holder is frozen. Read-only mounts are
 * steps as well: freezing them costs nothing, and they may become writable meanwhile.
 */
#include "plugins/freeze/plan.h"

#include <fnmatch.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "lib/error.h"
#include "lib/json.h"
#include "plugins/freeze/mounts.h"
#include "plugins/freeze/stack.h"

/* Types that only show the kernel's own state; nobody asks why /proc is not frozen. */
static const char *const pseudo_types[] = {
        "autofs",     "binfmt_misc", "bpf",       "cgroup",    "cgroup2", "configfs", "debugfs", "devpts",
        "devtmpfs",   "efivarfs",    "fusectl",   "hugetlbfs", "mqueue",  "nsfs",     "proc",    "pstore",
        "rpc_pipefs", "securityfs",  "selinuxfs", "smackfs",   "sysfs",   "tracefs",
};

/* Their device number is anonymous, but they lie on the block device that the source names. */
static const char *const anonymous_types[] = {"btrfs", "bcachefs"};

/* No freeze in the kernel (no freeze_fs in their super_operations): written out, not frozen. */
static const char *const flush_types[] = {
        "cramfs", "erofs", "exfat", "iso9660", "msdos", "romfs", "squashfs", "udf", "vfat",
};

static const char why_flush[] = "the kernel cannot freeze this type; its data are only written out";

static const struct {
        const char *type;
        const char *why;
} reasons[] = {
        {"overlay", "its layers belong to other file systems, which are frozen where they can be"},
        {"ramfs", "is in memory, not on a disk"},
        {"tmpfs", "is in memory, not on a disk"},
        {"zfs", "ZFS cannot be frozen; its state on disk is consistent at any time"},
};

static bool contains(const char *const *list, size_t n, const char *name)
{
        for (size_t i = 0; i < n; i++)
                if (strcmp(list[i], name) == 0)
                        return true;
        return false;
}

const char *freeze_fs_name(const struct freeze_fs *fs)
{
        return g_ptr_array_index(fs->targets, 0);
}

static void fs_free(void *data)
{
        struct freeze_fs *fs = data;

        g_free(fs->source);
        g_free(fs->type);
        g_ptr_array_unref(fs->targets);
        g_ptr_array_unref(fs->reach);
        if (fs->files)
                g_ptr_array_unref(fs->files);
        g_free(fs);
}

static struct freeze_fs *find_device(const struct freeze_plan *plan, dev_t device)
{
        for (guint i = 0; i < plan->all->len; i++) {
                struct freeze_fs *fs = g_ptr_array_index(plan->all, i);

                if (fs->device == device)
                        return fs;
        }
        return NULL;
}

static void add_mount(struct freeze_plan *plan, const struct freeze_mount *mount)
{
        struct freeze_fs *fs = find_device(plan, mount->device);

        if (!fs) {
                fs = g_new0(struct freeze_fs, 1);
                fs->device = mount->device;
                fs->source = g_strdup(mount->source);
                fs->type = g_strdup(mount->type);
                fs->targets = g_ptr_array_new_with_free_func(g_free);
                fs->reach = g_ptr_array_new_with_free_func(g_free);
                g_ptr_array_add(plan->all, fs);
        }
        g_ptr_array_add(fs->targets, g_strdup(mount->target));
        if (!mount->hidden && !mount->may_hang)
                g_ptr_array_add(fs->reach, g_strdup(mount->target));
}

static bool any_target(const struct freeze_fs *fs, const char *const *list, bool globs)
{
        for (; list && *list; list++)
                for (guint i = 0; i < fs->targets->len; i++) {
                        const char *target = g_ptr_array_index(fs->targets, i);

                        if (globs ? fnmatch(*list, target, 0) == 0 : strcmp(*list, target) == 0)
                                return true;
                }
        return false;
}

static const char *type_reason(const struct freeze_fs *fs)
{
        if (g_str_has_prefix(fs->type, "fuse"))
                return "FUSE cannot be frozen, and looking at it could hang";
        if (freeze_mounts_type_may_hang(fs->type))
                return "is not a disk of this machine";
        for (size_t i = 0; i < G_N_ELEMENTS(reasons); i++)
                if (strcmp(reasons[i].type, fs->type) == 0)
                        return reasons[i].why;
        if (major(fs->device) == 0 && !contains(anonymous_types, G_N_ELEMENTS(anonymous_types), fs->type))
                return "is not on a block device";
        return NULL;
}

static const char *judge(const struct freeze_fs *fs, const char *const *exclude, const char *const *only)
{
        const char *reason = type_reason(fs);

        if (reason)
                return reason;
        if (any_target(fs, exclude, true))
                return "excluded by exclude in [freeze]";
        if (only && !any_target(fs, only, false))
                return "was not asked for";
        if (fs->reach->len == 0)
                return "is covered by other mounts, or below one that could hang";
        return NULL;
}

/* True when a file that @fs lies on is held by @holder. */
static bool lies_on(const struct freeze_plan *plan, const struct freeze_fs *fs,
                    const struct freeze_fs *holder)
{
        for (guint i = 0; i < fs->files->len; i++) {
                const struct freeze_mount *mount = freeze_mounts_find(plan->mounts,
                                                                      g_ptr_array_index(fs->files, i));

                if (mount && mount->device == holder->device)
                        return true;
        }
        return false;
}

/* First all that lie on @fs, then @fs itself. The order was given before the descent, so that a circle
 * (which a kernel does not allow) ends. */
static void add_step(struct freeze_plan *plan, struct freeze_fs *fs)
{
        if (fs->why_not || fs->order)
                return;
        fs->order = 1;
        for (guint i = plan->all->len; i-- > 0;) {
                struct freeze_fs *other = g_ptr_array_index(plan->all, i);

                if (!other->why_not && !other->order && lies_on(plan, other, fs))
                        add_step(plan, other);
        }
        g_ptr_array_add(plan->steps, fs);
        fs->order = plan->steps->len;
}

struct freeze_plan *freeze_plan_new(const struct tn_env *env, const char *const *exclude,
                                    const char *const *only, GError **error)
{
        GPtrArray *mounts = freeze_mounts_read(env, error);
        struct freeze_plan *plan;

        if (!mounts)
                return NULL;
        plan = g_new0(struct freeze_plan, 1);
        plan->mounts = mounts;
        plan->all = g_ptr_array_new_with_free_func(fs_free);
        plan->steps = g_ptr_array_new();
        for (guint i = 0; i < mounts->len; i++) {
                const struct freeze_mount *mount = g_ptr_array_index(mounts, i);

                if (!contains(pseudo_types, G_N_ELEMENTS(pseudo_types), mount->type))
                        add_mount(plan, mount);
        }
        for (guint i = 0; i < plan->all->len; i++) {
                struct freeze_fs *fs = g_ptr_array_index(plan->all, i);

                fs->why_not = judge(fs, exclude, only);
                fs->flush_only = contains(flush_types, G_N_ELEMENTS(flush_types), fs->type);
                fs->files = freeze_stack_files(env, fs->device, fs->source);
        }
        for (guint i = plan->all->len; i-- > 0;)
                add_step(plan, g_ptr_array_index(plan->all, i));
        return plan;
}

void freeze_plan_free(struct freeze_plan *plan)
{
        if (!plan)
                return;
        g_ptr_array_unref(plan->steps);
        g_ptr_array_unref(plan->all);
        g_ptr_array_unref(plan->mounts);
        g_free(plan);
}

bool freeze_plan_fill(const GPtrArray *list, struct freeze_board *board, GError **error)
{
        for (guint i = 0; i < list->len; i++) {
                const struct freeze_fs *fs = g_ptr_array_index(list, i);

                if (!fs->why_not && !freeze_board_add(board, fs->device, fs->flush_only, fs->reach))
                        return tn_error_set(error, TN_ERROR_LIMIT, "there are more than %d file systems",
                                            FREEZE_ITEMS_MAX);
        }
        return true;
}

static json_t *fs_to_json(const struct freeze_fs *fs)
{
        const char *reason = fs->why_not ? fs->why_not : fs->flush_only ? why_flush : NULL;
        json_t *row = json_object();

        json_object_set_new(row, "mountpoint", tn_json_text(freeze_fs_name(fs)));
        json_object_set_new(row, "device", tn_json_text(fs->source));
        json_object_set_new(row, "type", tn_json_text(fs->type));
        json_object_set_new(row, "verdict",
                            json_string(fs->why_not      ? "skip"
                                        : fs->flush_only ? "flush"
                                                         : "freeze"));
        if (fs->order)
                json_object_set_new(row, "order", json_integer(fs->order));
        tn_json_set_text(row, "reason", reason);
        return row;
}

json_t *freeze_plan_to_json(const struct freeze_plan *plan)
{
        json_t *rows = json_array();

        for (guint i = 0; i < plan->steps->len; i++)
                json_array_append_new(rows, fs_to_json(g_ptr_array_index(plan->steps, i)));
        for (guint i = 0; i < plan->all->len; i++) {
                const struct freeze_fs *fs = g_ptr_array_index(plan->all, i);

                if (fs->why_not)
                        json_array_append_new(rows, fs_to_json(fs));
        }
        return rows;
}
