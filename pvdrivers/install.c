/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Install. A package is trusted no further than its files: after the installation the kernels are looked at
 * anew, and a driver that is not there is an error, whatever the package manager said.
 */
#include "pvdrivers/install.h"

#include <string.h>

#include "lib/error.h"
#include "lib/json.h"
#include "pvdrivers/install-wanted.h"

#define LOAD_DEADLINE_S 60

struct job {
        const struct tn_env *env;
        const struct tn_catalogue *catalogue;
        const struct tn_install_options *options;
        tn_tool_run_func run;
        struct tn_progress *progress;
        struct tn_packages *packages;
        GPtrArray *missing; /* struct tn_install_missing */
        GPtrArray *chosen;  /* char *: packages to install */
        json_t *rows;       /* "missing" of the answer */
        bool refreshed;
};

static void choose(struct job *job, json_t *row, const char *package)
{
        json_array_append_new(json_object_get(row, "packages"), json_string(package));
        if (!g_ptr_array_find_with_equal_func(job->chosen, package, g_str_equal, NULL))
                g_ptr_array_add(job->chosen, g_strdup(package));
}

/* The first candidate that the manager knows. @tried gets the names of all. */
static bool choose_candidate(struct job *job, json_t *row, const struct tn_install_missing *missing,
                             GString *tried)
{
        g_autoptr(GPtrArray) candidates = tn_packages_candidates(job->env, missing->kernel->release,
                                                                 missing->row->module);
        g_autofree char *told = tn_packages_find_module(job->packages, missing->kernel->release,
                                                        missing->row->module);

        if (told) {
                choose(job, row, told);
                return true;
        }
        for (guint i = 0; i < candidates->len; i++) {
                char **names = g_ptr_array_index(candidates, i);

                g_string_append_printf(tried, "%s%s", tried->len ? ", " : "", names[0]);
                if (!tn_packages_knows(job->packages, names[0]))
                        continue;
                for (char **name = names; *name; name++)
                        choose(job, row, *name);
                return true;
        }
        return false;
}

/* The lists may be old or missing: fetched once, when a package is not found in them. */
static bool refresh(struct job *job, GError **error)
{
        if (job->refreshed || job->options->dry_run)
                return false;
        job->refreshed = true;
        tn_progress_step(job->progress, "refresh", "fetching the lists of packages by %s",
                         tn_packages_name(job->packages));
        return tn_packages_check_lock(job->packages, error) &&
               tn_packages_refresh(job->packages, job->progress, error);
}

static bool choose_for(struct job *job, const struct tn_install_missing *missing, GError **error)
{
        g_autoptr(GString) tried = g_string_new(NULL);
        g_autoptr(GError) reason = NULL;
        json_t *row = json_pack("{s:s, s:s, s:s, s:[]}", "module", missing->row->module, "kernel",
                                missing->kernel->release, "role", tn_catalogue_role_name(missing->row->role),
                                "packages");

        json_array_append_new(job->rows, row);
        if (choose_candidate(job, row, missing, tried))
                return true;
        if (refresh(job, &reason)) {
                g_string_truncate(tried, 0);
                if (choose_candidate(job, row, missing, tried))
                        return true;
        }
        if (g_error_matches(reason, TN_ERROR, TN_ERROR_BUSY)) {
                g_propagate_error(error, g_steal_pointer(&reason));
                return false;
        }
        return tn_error_set(
                error, TN_ERROR_NOT_FOUND,
                "no package that %s knows has the driver %s for the kernel %s (looked for: %s)%s%s; "
                "nothing was installed",
                tn_packages_name(job->packages), missing->row->module, missing->kernel->release,
                tried->len ? tried->str : "no package of this distribution is known here",
                reason ? "; fetching the lists of packages failed: " : "", reason ? reason->message : "");
}

/* By its name, without a blacklist's say: somebody asked for it. */
static bool load(const struct job *job, const char *module)
{
        g_autofree char *modprobe = tn_tool_find(job->env, "modprobe");
        const char *const argv[] = {modprobe, "-q", module, NULL};

        return modprobe && tn_tool_must(job->run, job->env, argv, LOAD_DEADLINE_S, NULL, NULL, NULL);
}

/* depmod's list is not enough: the file must be there. */
static bool has_module(const struct tn_env *env, struct tn_kernel *kernel, const char *name)
{
        g_autoptr(tn_module_t) module = tn_kernel_module(kernel, name);

        return module->state != TN_MODULE_MISSING && (!module->path || tn_env_exists(env, module->path));
}

/* The kernel that has @module now: the one that lacked it, else the newest other one, which boots next. Not
 * the one that runs: that @release is still without it. */
static struct tn_kernel *find_kernel(const struct tn_env *env, const struct tn_kernels *kernels,
                                     const char *release, const char *module)
{
        struct tn_kernel *same = tn_kernels_find(kernels, release), *kernel;

        if (same && has_module(env, same, module))
                return same;
        for (size_t i = 0; (kernel = tn_kernels_at(kernels, i)); i++)
                if (!kernel->running && has_module(env, kernel, module))
                        return kernel;
        return NULL;
}

static bool is_told(const json_t *modules, const char *release, const char *module)
{
        json_t *row;
        size_t i;

        json_array_foreach(modules, i, row)
        {
                if (g_str_equal(json_string_value(json_object_get(row, "module")), module) &&
                    g_str_equal(json_string_value(json_object_get(row, "kernel")), release))
                        return true;
        }
        return false;
}

static bool check_module(const struct job *job, const struct tn_kernels *kernels, const char *release,
                         const char *module, json_t *modules, GError **error)
{
        struct tn_kernel *kernel = find_kernel(job->env, kernels, release, module);
        bool loaded = false, running;

        if (!kernel)
                return tn_error_set(
                        error, TN_ERROR_FAILED,
                        "%s has installed the packages, but neither the kernel %s nor one that could "
                        "boot in its place has the driver %s now",
                        tn_packages_name(job->packages), release, module);
        if (is_told(modules, kernel->release, module))
                return true;
        running = kernel == tn_kernels_running(kernels);
        if (running && tn_kernel_module_usable(kernel, module))
                loaded = load(job, module);
        json_array_append_new(
                modules,
                json_pack("{s:s, s:s, s:s, s:b, s:b, s:b}", "module", module, "kernel", kernel->release,
                          "state", tn_kernel_state_name(tn_kernel_module_state(kernel, module)), "loaded",
                          loaded, "needs-reboot", !running, "default", kernel->is_default));
        return true;
}

/* Looks at the kernels anew. */
static json_t *check_all(const struct job *job, GError **error)
{
        g_autoptr(tn_kernels_t) kernels = tn_kernels_new(job->env);
        json_auto_t *modules = json_array();

        tn_progress_step(job->progress, "verify", "looking whether the drivers are there now");
        for (guint i = 0; i < job->missing->len; i++) {
                const struct tn_install_missing *missing = g_ptr_array_index(job->missing, i);

                if (!check_module(job, kernels, missing->kernel->release, missing->row->module, modules,
                                  error))
                        return NULL;
        }
        return g_steal_pointer(&modules);
}

static bool install(struct job *job, GError **error)
{
        for (guint i = 0; i < job->missing->len; i++)
                if (!choose_for(job, g_ptr_array_index(job->missing, i), error))
                        return false;
        g_ptr_array_add(job->chosen, NULL);
        tn_progress_step(job->progress, "install", "%s %s", tn_packages_name(job->packages),
                         job->options->dry_run ? "tells what it would install" : "installs the packages");
        return tn_packages_install(job->packages, (const char *const *) job->chosen->pdata,
                                   job->options->dry_run, job->progress, error);
}

static json_t *run_job(struct job *job, GError **error)
{
        json_auto_t *modules = NULL;

        if (job->missing->len > 0) {
                job->packages = tn_packages_new(job->env, NULL, job->run, error);
                if (!job->packages || !install(job, error))
                        return NULL;
                if (!job->options->dry_run) {
                        modules = check_all(job, error);
                        if (!modules)
                                return NULL;
                }
        }
        if (!modules)
                modules = json_array();
        return json_pack("{s:b, s:O, s:o, s:O, s:o}", "dry-run", job->options->dry_run, "missing", job->rows,
                         "packages", tn_json_texts(job->chosen), "modules", modules, "mistakes",
                         tn_json_texts(tn_catalogue_mistakes(job->catalogue)));
}

json_t *tn_install_run(const struct tn_env *env, const struct tn_catalogue *catalogue,
                       const struct tn_install_options *options, struct tn_progress *progress,
                       GError **error)
{
        g_autoptr(tn_kernels_t) kernels = tn_kernels_new(env);
        struct job job = {.env = env,
                          .catalogue = catalogue,
                          .options = options,
                          .progress = progress,
                          .run = options->run ? options->run : tn_tool_run};
        json_t *result;

        tn_progress_notes(progress, tn_catalogue_mistakes(catalogue));
        job.missing = tn_install_wanted_missing(env, catalogue, kernels, options, error);
        if (!job.missing)
                return NULL;
        job.chosen = g_ptr_array_new_with_free_func(g_free);
        job.rows = json_array();
        if (progress)
                progress->total = 3;
        result = run_job(&job, error);
        json_decref(job.rows);
        g_ptr_array_unref(job.chosen);
        g_ptr_array_unref(job.missing);
        tn_packages_free(job.packages);
        return result;
}
