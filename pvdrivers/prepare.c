/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Prepare. The order matters: everything that may refuse comes first; then copies of all files; then the
 * small files, each of which the present hardware boots with as well; then the images, each of which is
 * built beside the old one and read before it takes its place. A guest that stops anywhere in between boots.
 */
#include "pvdrivers/prepare.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "lib/json.h"
#include "lib/names.h"
#include "pvdrivers/boot.h"
#include "pvdrivers/fixes.h"
#include "pvdrivers/leftovers.h"
#include "pvdrivers/packages.h"
#include "pvdrivers/plan.h"
#include "pvdrivers/room.h"
#include "pvdrivers/transaction.h"
#include "pvdrivers/undo.h"

#define TEXT_ROOM       (64 * 1024)  /* bytes for a small file and its copy, generously */
#define IMAGE_GROWTH    (8ULL << 20) /* what the drivers and their firmware may add to an image */
#define UNPACKED_FACTOR 5            /* builders lay an image's files out below /var/tmp first */

struct job {
        const struct tn_env *env;
        const struct tn_catalogue *catalogue;
        const struct tn_prepare_options *options;
        tn_tool_run_func run;
        struct tn_progress *progress;
        struct tn_kernels *kernels;
        struct tn_fixes *fixes;
        struct tn_transaction *transaction;
        json_t *images;
};

static const struct tn_fixes_image *image_at(const struct job *job, guint index)
{
        return g_ptr_array_index(job->fixes->rebuild, index);
}

static struct tn_kernel *rebuilt(const struct job *job, guint index)
{
        return image_at(job, index)->kernel;
}

static const struct tn_change *change_at(const struct job *job, guint index)
{
        return g_ptr_array_index(job->fixes->changes, index);
}

/* Does the boot loader start a copy of the image? It is renewed, and may become larger, too. */
static void need_copies(const struct job *job, struct tn_room *room)
{
        g_autoptr(tn_boot_t) boot = tn_boot_read(job->env, job->kernels);

        for (guint i = 0; i < job->fixes->rebuild->len; i++) {
                const struct tn_boot_entry *entry = tn_boot_find(boot, rebuilt(job, i)->release);

                if (entry && entry->initrds->len &&
                    !g_ptr_array_find_with_equal_func(entry->initrds, rebuilt(job, i)->initramfs,
                                                      g_str_equal, NULL))
                        tn_room_need(room, entry->initrds->pdata[entry->initrds->len - 1], IMAGE_GROWTH, 1,
                                     "the boot loader's copies of the images");
        }
}

static bool check_room(const struct job *job, GError **error)
{
        g_autoptr(tn_room_t) room = tn_room_new(job->env);
        static const char store[] = TN_PATH_PREPARED "/x";
        uint64_t largest = 0;

        for (guint i = 0; i < job->fixes->changes->len; i++) {
                const struct tn_change *change = change_at(job, i);
                uint64_t size = change->source ? tn_room_size(job->env, change->source) : 0;

                tn_room_need(room, change->path, MAX(size, TEXT_ROOM), 2,
                             size ? "a copy of the boot loader" : "configuration");
                tn_room_need(room, store + 1, TEXT_ROOM, 1, "copies of the files as they are");
        }
        for (guint i = 0; i < job->fixes->rebuild->len; i++) {
                uint64_t size = tn_room_size(job->env, rebuilt(job, i)->initramfs);

                /* One image at a time is there twice; each may become larger. */
                tn_room_need(room, rebuilt(job, i)->initramfs, IMAGE_GROWTH, 1, "drivers in the new images");
                tn_room_need(room, store + 1, size, 1, "copies of the files as they are");
                largest = MAX(largest, size);
        }
        if (job->fixes->rebuild->len) {
                tn_room_need(room, rebuilt(job, 0)->initramfs, largest, 1, "a new image beside the old one");
                tn_room_need(room, "var/tmp/x", largest * UNPACKED_FACTOR, 0, "building an image");
        }
        if (tn_rebuild_has_hooks(job->env))
                need_copies(job, room);
        return tn_room_check(room, error);
}

/* What is kept must be what the changes were made of: it took a while to read the images. From here on the
 * transaction notices who else writes. */
static bool keep_all(const struct job *job, GError **error)
{
        tn_progress_step(job->progress, "backup", "keeping copies of all files that will change");
        for (guint i = 0; i < job->fixes->changes->len; i++)
                if (!tn_transaction_make_folders(job->transaction, change_at(job, i)->path, error) ||
                    !tn_transaction_keep(job->transaction, change_at(job, i)->path, error) ||
                    !tn_change_check(job->env, change_at(job, i), error))
                        return false;
        for (guint i = 0; i < job->fixes->rebuild->len; i++)
                if (!tn_transaction_keep(job->transaction, rebuilt(job, i)->initramfs, error))
                        return false;
        return true;
}

static bool write_one(const struct job *job, const struct tn_change *change, GError **error)
{
        if (change->source)
                return tn_transaction_copy(job->transaction, change->path, change->source, 0644, error);
        return tn_transaction_write(job->transaction, change->path, change->text, strlen(change->text), 0644,
                                    error);
}

static bool write_all(const struct job *job, GError **error)
{
        for (guint i = 0; i < job->fixes->changes->len; i++) {
                const struct tn_change *change = change_at(job, i);

                tn_progress_step(job->progress, "file", "writing /%s: %s", change->path, change->why);
                if (!write_one(job, change, error))
                        return false;
        }
        return true;
}

static bool build_image(const struct job *job, const struct tn_fixes_image *image, GError **error)
{
        struct tn_kernel *kernel = image->kernel;
        g_autofree char *temp = tn_transaction_temp(job->transaction, kernel->initramfs);
        uint64_t before = tn_room_size(job->env, kernel->initramfs), after;
        g_autofree char *path = g_strconcat("/", kernel->initramfs, NULL);

        tn_progress_step(job->progress, "image", "building the image of %s by %s", kernel->release,
                         image->tool->name);
        if (!tn_rebuild_run(image->tool, job->run, job->env, kernel, temp, job->progress, error))
                return false;
        tn_progress_step(job->progress, "verify", "reading the new image of %s", kernel->release);
        if (!tn_rebuild_verify(job->env, kernel, temp, job->fixes->modules, error))
                return false;
        after = tn_room_size(job->env, temp);
        if (!tn_transaction_swap(job->transaction, kernel->initramfs, error))
                return false;
        json_array_append_new(job->images, json_pack("{s:s, s:s, s:I, s:I}", "kernel", kernel->release,
                                                     "file", path, "size-before", (json_int_t) before,
                                                     "size-after", (json_int_t) after));
        return tn_rebuild_announce(job->run, job->env, kernel, job->progress, error);
}

static bool build_all(const struct job *job, GError **error)
{
        for (guint i = 0; i < job->fixes->rebuild->len; i++)
                if (!build_image(job, image_at(job, i), error))
                        return g_prefix_error(error, "the image of %s: ", rebuilt(job, i)->release), false;
        return true;
}

/* What failed is taken back; if that fails, too, the journal stays for the next one. */
static void take_back(struct job *job, GError **error)
{
        g_autoptr(GError) reason = NULL;

        tn_progress_note(job->progress, "failed; taking back what was changed");
        /* Who finishes it undoes this one, and no earlier one; a full disk may refuse that record. */
        (void) tn_transaction_mark_undo(job->transaction, false, NULL);
        if (tn_undo_restore(job->env, job->transaction, false, job->run, job->progress, &reason))
                g_prefix_error(error, "nothing was changed: ");
        else
                g_prefix_error(error,
                               "not all could be taken back (%s; `tenonctl drivers undo` tries again): ",
                               reason->message);
}

static struct tn_plan *make_plan(const struct job *job, GError **error)
{
        const struct tn_plan_options options = {.target = job->options->target,
                                                .devices = job->options->devices};

        return tn_plan_make(job->env, job->catalogue, &options, error);
}

static json_t *about(const struct job *job)
{
        uint64_t now = job->env->now_usec(job->env, CLOCK_REALTIME) / G_USEC_PER_SEC;

        return json_pack("{s:s, s:I, s:s}", "target", tn_catalogue_platform_name(job->options->target),
                         "time", (json_int_t) now, "tenon", TN_VERSION);
}

/* All that changes something. */
static bool work(struct job *job, GError **error)
{
        json_auto_t *who = about(job);

        job->transaction = tn_transaction_begin(job->env, who, error);
        if (!job->transaction)
                return false;
        if (keep_all(job, error) && write_all(job, error) && build_all(job, error) &&
            tn_transaction_commit(job->transaction, error))
                return true;
        take_back(job, error);
        return false;
}

static json_t *report(const struct job *job, const struct tn_plan *plan)
{
        json_t *result;
        bool done = job->transaction != NULL;

        result = json_pack("{s:s, s:b, s:o, s:O, s:o, s:o, s:o, s:o}", "target",
                           tn_catalogue_platform_name(job->options->target), "dry-run",
                           job->options->dry_run, "changes", tn_changes_to_json(job->fixes->changes),
                           "images", job->images, "notes", tn_json_texts(job->fixes->notes), "mistakes",
                           tn_json_texts(tn_catalogue_mistakes(job->catalogue)), "old-tools",
                           tn_leftovers_to_json(job->env, job->options->target), "plan",
                           tn_plan_to_json(plan));
        if (done)
                json_object_set_new(result, "transaction", json_string(tn_transaction_id(job->transaction)));
        return result;
}

/* A dry run tells which images would be built. */
static void list_images(const struct job *job)
{
        for (guint i = 0; i < job->fixes->rebuild->len; i++) {
                g_autofree char *path = g_strconcat("/", rebuilt(job, i)->initramfs, NULL);

                json_array_append_new(job->images,
                                      json_pack("{s:s, s:s, s:s}", "kernel", rebuilt(job, i)->release,
                                                "file", path, "builder", image_at(job, i)->tool->name));
        }
}

static json_t *run_job(struct job *job, int *ret_exit_status, GError **error)
{
        bool idle;
        g_autoptr(tn_plan_t) plan = NULL;

        job->fixes = tn_fixes_collect(job->env, job->catalogue, job->kernels, job->options->target, error);
        if (!job->fixes)
                return NULL;
        idle = !job->fixes->changes->len && !job->fixes->rebuild->len;
        if (job->progress)
                job->progress->total = idle || job->options->dry_run
                                               ? 2
                                               : 3 + job->fixes->changes->len + 2 * job->fixes->rebuild->len;
        tn_progress_step(job->progress, "check", "%u files to write, %u images to build",
                         job->fixes->changes->len, job->fixes->rebuild->len);
        if (!idle && !check_room(job, error))
                return NULL;
        if (job->options->dry_run)
                list_images(job);
        else if (!idle && !work(job, error))
                return NULL;
        tn_progress_step(job->progress, "plan", "looking again: is this guest ready now?");
        plan = make_plan(job, error);
        if (!plan)
                return NULL;
        *ret_exit_status = tn_plan_exit_status(plan);
        return report(job, plan);
}

json_t *tn_prepare_run(const struct tn_env *env, const struct tn_catalogue *catalogue,
                       const struct tn_prepare_options *options, struct tn_progress *progress,
                       int *ret_exit_status, GError **error)
{
        struct job job = {.env = env,
                          .catalogue = catalogue,
                          .options = options,
                          .progress = progress,
                          .run = options->run ? options->run : tn_tool_run};
        tn_autofd int lock = -1;
        g_autoptr(tn_plan_t) before = make_plan(&job, error);
        json_t *result;

        tn_progress_notes(progress, tn_catalogue_mistakes(catalogue));
        /* A guest that has no kernel at all is refused here. */
        if (!before)
                return NULL;
        if (!options->dry_run) {
                lock = tn_transaction_lock(env, error);
                if (lock < 0 || !tn_packages_check_idle(env, error) ||
                    !tn_undo_recover(env, job.run, progress, error))
                        return NULL;
        }
        job.kernels = tn_kernels_new(env);
        job.images = json_array();
        result = run_job(&job, ret_exit_status, error);
        json_decref(job.images);
        tn_transaction_free(job.transaction);
        tn_fixes_free(job.fixes);
        tn_kernels_free(job.kernels);
        return result;
}
