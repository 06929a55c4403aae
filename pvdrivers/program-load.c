/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The verbs load and inventory of tenon-drivers: the thin half, with libkmod at its end. */
#include <errno.h>
#include <libkmod.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/log.h"
#include "pvdrivers/load.h"
#include "pvdrivers/program.h"

/* What a verb looks at, made and unmade together. */
struct view {
        struct tn_catalogue *catalogue;
        struct tn_detect *detect;
        struct tn_kernels *kernels;
        struct tn_inventory *inventory;
};

static void view_init(struct view *view, const struct tn_env *env)
{
        g_autoptr(GPtrArray) mistakes = g_ptr_array_new_with_free_func(g_free);

        view->catalogue = tn_catalogue_new(env, mistakes);
        view->detect = tn_detect_run(env);
        view->kernels = tn_kernels_new(env);
        view->inventory = tn_inventory_new(env, view->catalogue, view->detect, view->kernels);
        for (guint i = 0; i < mistakes->len; i++)
                tn_log(env->log, TN_LOG_ERR, NULL, "%s", (const char *) mistakes->pdata[i]);
}

static void view_deinit(struct view *view)
{
        tn_inventory_free(view->inventory);
        tn_kernels_free(view->kernels);
        tn_detect_free(view->detect);
        tn_catalogue_free(view->catalogue);
}

/* Blacklists were looked at before (load.c), and for what the administrator asked for by name they do not
 * count, as with modprobe. */
static int insert(const char *name, void *data)
{
        struct kmod_ctx *ctx = data;
        struct kmod_module *module = NULL;
        int error = kmod_module_new_from_name(ctx, name, &module);

        if (error < 0)
                return error;
        error = kmod_module_probe_insert_module(module, KMOD_PROBE_IGNORE_LOADED, NULL, NULL, NULL, NULL);
        kmod_module_unref(module);
        return error > 0 ? -EPERM : error;
}

static bool act(const struct tn_env *env, GPtrArray *steps)
{
        struct kmod_ctx *ctx = kmod_new(NULL, NULL);
        g_autoptr(GError) error = NULL;
        bool ok;

        if (!ctx) {
                tn_log(env->log, TN_LOG_ERR, NULL, "libkmod does not start: %s", g_strerror(errno));
                return false;
        }
        ok = tn_load_act(env, steps, insert, ctx, &error);
        kmod_unref(ctx);
        if (!ok)
                tn_log(env->log, TN_LOG_ERR, NULL,
                       "the next start will not know of modules without a device: %s", error->message);
        return ok && !tn_load_failed(steps);
}

static void tell(const struct tn_env *env, const GPtrArray *steps, bool dry_run)
{
        for (guint i = 0; i < steps->len; i++) {
                const struct tn_load_step *step = steps->pdata[i];
                g_autofree char *line = tn_load_line(step);
                bool trouble = step->action == TN_LOAD_SKIPPED ||
                               (step->action == TN_LOAD_REFUSED && !step->absent);

                if (dry_run)
                        puts(line);
                else
                        tn_log(env->log, trouble ? TN_LOG_WARNING : TN_LOG_INFO, NULL, "%s", line);
        }
        if (steps->len == 0 && dry_run)
                puts("nothing to load");
}

static int load(const struct tn_env *env, bool dry_run, bool json)
{
        g_autoptr(GPtrArray) steps = NULL;
        struct view view;
        bool ok = true;

        view_init(&view, env);
        if (!view.inventory->kernel)
                tn_log(env->log, TN_LOG_WARNING, NULL,
                       "the running kernel has no folder in /lib/modules: nothing can be loaded");
        steps = tn_load_decide(env, view.catalogue, view.inventory);
        if (!dry_run)
                ok = act(env, steps);
        if (json) {
                json_auto_t *value = tn_load_to_json(steps);

                tn_program_print_json(value);
        } else {
                tell(env, steps, dry_run);
        }
        view_deinit(&view);
        return ok ? TN_PROGRAM_OK : TN_PROGRAM_FAILED;
}

int tn_program_load(const struct tn_env *env, int argc, char **argv)
{
        gboolean dry_run = FALSE, json = FALSE;
        const GOptionEntry entries[] = {
                {"dry-run", 0, 0, G_OPTION_ARG_NONE, &dry_run, "Say what would be done, and do nothing",
                 NULL},
                {"json", 0, 0, G_OPTION_ARG_NONE, &json, "Print JSON", NULL},
                {NULL},
        };

        if (!tn_program_options(&argc, &argv, entries, "Loads the drivers that this machine wants."))
                return TN_PROGRAM_USAGE;
        if (!dry_run && geteuid() != 0) {
                fprintf(stderr, "tenon-drivers load: only root may load modules; --dry-run says what would "
                                "be done\n");
                return TN_PROGRAM_FAILED;
        }
        return load(env, dry_run, json);
}

int tn_program_inventory(const struct tn_env *env, int argc, char **argv)
{
        const GOptionEntry entries[] = {{NULL}};
        json_auto_t *value = NULL;
        struct view view;

        if (!tn_program_options(&argc, &argv, entries, "Prints devices, drivers and advice as JSON."))
                return TN_PROGRAM_USAGE;
        view_init(&view, env);
        value = tn_inventory_to_json(view.inventory);
        tn_program_print_json(value);
        view_deinit(&view);
        return TN_PROGRAM_OK;
}
