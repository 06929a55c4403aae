/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Undo. All files of a transaction are looked at before the first one is touched, so a refusal changes
 * nothing. From then on an interrupted undo is finished by whoever comes next.
 */
#include "pvdrivers/undo.h"

#include "lib/error.h"
#include "lib/fd.h"
#include "lib/json.h"
#include "pvdrivers/packages.h"
#include "pvdrivers/rebuild.h"

static char *join(const GPtrArray *paths)
{
        g_autoptr(GString) text = g_string_new(NULL);

        for (guint i = 0; i < paths->len; i++)
                g_string_append_printf(text, "%s/%s", i ? ", " : "",
                                       (const char *) g_ptr_array_index((GPtrArray *) paths, i));
        return g_string_free(g_steal_pointer(&text), FALSE);
}

static json_t *path_text(const char *path)
{
        g_autofree char *whole = g_strconcat("/", path, NULL);

        return tn_json_text(whole);
}

bool tn_undo_restore(const struct tn_env *env, struct tn_transaction *transaction, bool force,
                     tn_tool_run_func run, struct tn_progress *progress, GError **error)
{
        if (!tn_transaction_restore(transaction, force, error))
                return false;
        if (!tn_rebuild_announce_files(run ? run : tn_tool_run, env, tn_transaction_files(transaction),
                                       progress, error)) {
                g_prefix_error(error,
                               "the files are restored, but not what programs made of an image, such as "
                               "its copy on the EFI system partition: ");
                return false;
        }
        return tn_transaction_forget(transaction, error);
}

/* @left: files that stay as they are, or NULL. */
static void tell_undone(const struct tn_transaction *transaction, GPtrArray *left, json_t *result)
{
        GPtrArray *files = (GPtrArray *) tn_transaction_files(transaction);

        for (guint i = 0; i < files->len; i++)
                if (!left || !g_ptr_array_find_with_equal_func(left, files->pdata[i], g_str_equal, NULL))
                        json_array_append_new(json_object_get(result, "restored"),
                                              path_text(files->pdata[i]));
        json_array_append_new(json_object_get(result, "undone"),
                              json_string(tn_transaction_id(transaction)));
}

/* What is taken back here is told in @result. */
static bool recover_one(const struct tn_env *env, const char *id, const struct tn_undo_options *options,
                        struct tn_progress *progress, json_t *result, GError **error)
{
        g_autoptr(tn_transaction_t) transaction = tn_transaction_open(env, id, error);
        g_autoptr(GPtrArray) changed = NULL;
        bool force;

        if (!transaction)
                return false;
        if (tn_transaction_committed(transaction))
                return true;
        force = options->force || tn_transaction_forced(transaction);
        if (tn_transaction_about(transaction))
                tn_progress_note(progress, "an earlier run (%s) was interrupted; taking it back", id);
        changed = tn_transaction_find_changed(transaction, error);
        if (!changed)
                return false;
        if (changed->len && !force) {
                g_autofree char *names = join(changed);

                tn_progress_note(progress, "left as they are, because somebody changed them since: %s",
                                 names);
        }
        if (!tn_undo_restore(env, transaction, force, options->run, progress, error))
                return false;
        if (tn_transaction_about(transaction))
                tell_undone(transaction, force ? NULL : changed, result);
        return true;
}

static bool recover(const struct tn_env *env, const struct tn_undo_options *options,
                    struct tn_progress *progress, json_t *result, GError **error)
{
        g_auto(GStrv) ids = tn_transaction_list(env);

        for (guint i = g_strv_length(ids); i > 0; i--)
                if (!recover_one(env, ids[i - 1], options, progress, result, error)) {
                        g_prefix_error(error, "take back the interrupted run %s: ", ids[i - 1]);
                        return false;
                }
        return true;
}

static json_t *result_new(void)
{
        return json_pack("{s:[], s:[]}", "restored", "undone");
}

bool tn_undo_recover(const struct tn_env *env, tn_tool_run_func run, struct tn_progress *progress,
                     GError **error)
{
        const struct tn_undo_options options = {.run = run};
        json_auto_t *result = result_new();

        return recover(env, &options, progress, result, error);
}

static bool is_told(const json_t *told, const char *path)
{
        json_auto_t *text = path_text(path);
        json_t *row;
        size_t i;

        json_array_foreach(told, i, row) if (json_equal(row, text)) return true;
        return false;
}

/* @told: files that are not compared, since a later transaction has them, which a dry run leaves as it is.
 */
static bool check_unchanged(struct tn_transaction *transaction, const json_t *told, GError **error)
{
        g_autoptr(GPtrArray) changed = tn_transaction_find_changed(transaction, error);
        g_autofree char *names = NULL;

        if (!changed)
                return false;
        for (guint i = changed->len; i > 0; i--)
                if (is_told(told, changed->pdata[i - 1]))
                        g_ptr_array_remove_index(changed, i - 1);
        if (!changed->len)
                return true;
        names = join(changed);
        return tn_error_set(error, TN_ERROR_DENIED,
                            "somebody changed since what prepare wrote: %s; nothing was undone. Undo with "
                            "--force replaces them with what they were before",
                            names);
}

static bool undo_one(const struct tn_env *env, const char *id, const struct tn_undo_options *options,
                     struct tn_progress *progress, json_t *result, GError **error)
{
        g_autoptr(tn_transaction_t) transaction = tn_transaction_open(env, id, error);
        const json_t *told = options->dry_run ? json_object_get(result, "restored") : NULL;

        if (!transaction)
                return false;
        /* What was interrupted, which only a dry run finds here, is taken back without a question. */
        if (!options->force && tn_transaction_committed(transaction) &&
            !check_unchanged(transaction, told, error))
                return false;
        if (!options->dry_run) {
                tn_progress_step(progress, "undo", "restoring %u files",
                                 tn_transaction_files(transaction)->len);
                if (!tn_transaction_mark_undo(transaction, options->force, error))
                        return false;
                if (!tn_undo_restore(env, transaction, true, options->run, progress, error)) {
                        g_prefix_error(error, "not all is undone (`tenonctl drivers undo` tries again): ");
                        return false;
                }
        }
        tell_undone(transaction, NULL, result);
        return true;
}

json_t *tn_undo_run(const struct tn_env *env, const struct tn_undo_options *options,
                    struct tn_progress *progress, GError **error)
{
        tn_autofd int lock = tn_transaction_lock(env, error);
        json_auto_t *result = result_new();
        g_auto(GStrv) ids = NULL;
        guint count, last;
        bool finished;

        if (lock < 0 || (!options->dry_run && (!tn_packages_check_idle(env, error) ||
                                               !recover(env, options, progress, result, error))))
                return NULL;
        finished = json_array_size(json_object_get(result, "undone")) > 0;
        ids = tn_transaction_list(env);
        count = g_strv_length(ids);
        if (!count && !finished) {
                (void) tn_error_set(
                        error, TN_ERROR_NOT_FOUND,
                        "there is nothing to undo: no `drivers prepare` is recorded in this guest");
                return NULL;
        }
        last = options->all ? 0 : finished ? count : count - 1;
        if (progress)
                progress->total = count - last;
        for (guint i = count; i > last; i--)
                if (!undo_one(env, ids[i - 1], options, progress, result, error))
                        return NULL;
        json_object_set_new(result, "left", json_integer(last));
        return g_steal_pointer(&result);
}

static json_t *describe(const struct tn_transaction *transaction)
{
        const GPtrArray *files = tn_transaction_files(transaction);
        const char *state = tn_transaction_committed(transaction) ? "prepared" : "interrupted";
        json_t *row = json_pack("{s:s, s:s, s:[]}", "id", tn_transaction_id(transaction), "state", state,
                                "files");
        static const char *const members[] = {"target", "time"};

        for (size_t i = 0; i < G_N_ELEMENTS(members); i++) {
                json_t *value = json_object_get(tn_transaction_about(transaction), members[i]);

                if (value)
                        json_object_set(row, members[i], value);
        }
        for (guint i = 0; i < files->len; i++)
                json_array_append_new(json_object_get(row, "files"), path_text(files->pdata[i]));
        return row;
}

json_t *tn_undo_list(const struct tn_env *env)
{
        g_auto(GStrv) ids = tn_transaction_list(env);
        json_t *list = json_array();

        for (char **id = ids; *id; id++) {
                g_autoptr(tn_transaction_t) transaction = tn_transaction_open(env, *id, NULL);

                if (transaction)
                        json_array_append_new(list, describe(transaction));
        }
        return list;
}
