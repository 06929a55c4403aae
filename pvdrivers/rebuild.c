/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The table of initramfs builders. None is asked to replace an image (update-initramfs -u, mkinitcpio -P
 * would): each writes a new file beside it, which is read before it takes the place of the old one.
 */
#include "pvdrivers/rebuild.h"

#include <string.h>

#include "lib/error.h"
#include "pvdrivers/initramfs.h"
#include "pvdrivers/rebuild-config.h"

#define BUILD_DEADLINE_S 1800 /* a slow disk and an emulated processor included */
#define HOOK_DEADLINE_S  300
#define POST_UPDATE      "etc/initramfs/post-update.d"
#define RUN_PARTS        "run-parts"

static const char *const mkinitramfs_arguments[] = {"-o", "%o", "%k", NULL};
static const char *const dracut_arguments[] = {"--force", "--kver", "%k", "%o", NULL};
static const char *const mkinitcpio_arguments[] = {"-k", "%k", "-g", "%o", NULL};
static const char *const mkinitfs_arguments[] = {"-o", "%o", "%k", NULL};

/* In the order in which they are preferred where several are installed and no image tells. */
static const struct tn_rebuild_tool tools[] = {
        {"initramfs-tools", "mkinitramfs", TN_GENERATOR_INITRAMFS_TOOLS, tn_rebuild_config_initramfs_tools,
         mkinitramfs_arguments},
        {"dracut", "dracut", TN_GENERATOR_DRACUT, tn_rebuild_config_dracut, dracut_arguments},
        {"mkinitcpio", "mkinitcpio", TN_GENERATOR_MKINITCPIO, tn_rebuild_config_mkinitcpio,
         mkinitcpio_arguments},
        {"mkinitfs", "mkinitfs", TN_GENERATOR_MKINITFS, tn_rebuild_config_mkinitfs, mkinitfs_arguments},
};

static bool is_installed(const struct tn_env *env, const struct tn_rebuild_tool *tool)
{
        g_autofree char *path = tn_tool_find(env, tool->program);

        return path != NULL;
}

/* Is there an image at @path, and what has made it, or would make it? False with @error when that cannot be
 * told and the image may be a good one; an INVALID one is none. */
static bool find_maker(const struct tn_env *env, const char *path, bool *ret_made,
                       enum tn_generator *ret_generator, GError **error)
{
        g_autoptr(GError) reason = NULL;
        g_autoptr(tn_initramfs_t) image = path ? tn_initramfs_read(env, path, &reason) : NULL;
        enum tn_generator generator = tn_generator_find(env, image);

        if (reason && !g_error_matches(reason, TN_ERROR, TN_ERROR_INVALID))
                return tn_error_set(error, TN_ERROR_NOT_FOUND, "which program has built it is unknown (%s)",
                                    reason->message);
        if (image && generator == _TN_GENERATOR_MAX)
                return tn_error_set(error, TN_ERROR_NOT_FOUND, "/%s was built by an unknown program", path);
        *ret_made = image != NULL;
        *ret_generator = generator;
        return true;
}

const struct tn_rebuild_tool *tn_rebuild_find(const struct tn_env *env, const char *image, GError **error)
{
        const struct tn_rebuild_tool *first = NULL;
        enum tn_generator generator = _TN_GENERATOR_MAX;
        bool made = false;

        if (!find_maker(env, image, &made, &generator, error))
                return NULL;
        for (size_t i = 0; i < G_N_ELEMENTS(tools); i++) {
                if (!is_installed(env, &tools[i]))
                        continue;
                if (tools[i].generator == generator)
                        return &tools[i];
                first = first ? first : &tools[i];
        }
        if (!first)
                (void) tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                    "no program that builds initramfs images is installed (initramfs-tools, "
                                    "dracut, mkinitcpio, mkinitfs); install the one of your distribution");
        else if (made)
                (void) tn_error_set(error, TN_ERROR_NOT_FOUND,
                                    "/%s was built by %s, which cannot be run here", image,
                                    tn_generator_name(generator));
        return made ? NULL : first;
}

static char **build_argv(const struct tn_rebuild_tool *tool, const char *program, const char *release,
                         const char *out)
{
        g_autoptr(GPtrArray) argv = g_ptr_array_new();

        g_ptr_array_add(argv, g_strdup(program));
        for (const char *const *word = tool->arguments; *word; word++) {
                if (g_str_equal(*word, "%k"))
                        g_ptr_array_add(argv, g_strdup(release));
                else if (g_str_equal(*word, "%o"))
                        g_ptr_array_add(argv, g_strconcat("/", out, NULL));
                else
                        g_ptr_array_add(argv, g_strdup(*word));
        }
        g_ptr_array_add(argv, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&argv), FALSE);
}

bool tn_rebuild_run(const struct tn_rebuild_tool *tool, tn_tool_run_func run, const struct tn_env *env,
                    const struct tn_kernel *kernel, const char *out, struct tn_progress *progress,
                    GError **error)
{
        g_autofree char *program = tn_tool_find(env, tool->program);
        g_auto(GStrv) argv = build_argv(tool, program ? program : tool->program, kernel->release, out);

        if (!program)
                return tn_error_set(error, TN_ERROR_NOT_FOUND, "%s is not installed any more",
                                    tool->program);
        return tn_tool_must(run, env, (const char *const *) argv, BUILD_DEADLINE_S, progress, NULL, error);
}

static bool check_module(struct tn_kernel *kernel, const struct tn_initramfs *image, const char *name,
                         GError **error)
{
        g_autoptr(tn_module_t) module = tn_kernel_module(kernel, name);

        if (!module->path || tn_initramfs_find_module(image, kernel->release, name))
                return true;
        return tn_error_set(error, TN_ERROR_FAILED, "the new image of %s lacks the module %s",
                            kernel->release, name);
}

bool tn_rebuild_verify(const struct tn_env *env, struct tn_kernel *kernel, const char *path, char **modules,
                       GError **error)
{
        g_autoptr(tn_initramfs_t) image = tn_initramfs_read(env, path, error);

        if (!image)
                return g_prefix_error(error, "the new image of %s: ", kernel->release), false;
        if (!tn_initramfs_has_file(image, "init"))
                return tn_error_set(error, TN_ERROR_FAILED, "the new image of %s has no /init",
                                    kernel->release);
        for (char **name = modules; *name; name++) {
                g_auto(GStrv) needs = tn_kernel_module_dependencies(kernel, *name);

                if (!check_module(kernel, image, *name, error))
                        return false;
                for (char **need = needs; need && *need; need++)
                        if (!check_module(kernel, image, *need, error))
                                return false;
        }
        return true;
}

bool tn_rebuild_has_hooks(const struct tn_env *env)
{
        g_auto(GStrv) names = tn_env_list(env, POST_UPDATE);
        g_autofree char *program = tn_tool_find(env, RUN_PARTS);

        return names && *names && program;
}

bool tn_rebuild_announce(tn_tool_run_func run, const struct tn_env *env, const struct tn_kernel *kernel,
                         struct tn_progress *progress, GError **error)
{
        g_autofree char *release = g_strdup_printf("--arg=%s", kernel->release);
        g_autofree char *image = g_strdup_printf("--arg=/%s", kernel->initramfs);
        g_autofree char *program = tn_tool_find(env, RUN_PARTS);
        const char *argv[] = {program, release, image, "/" POST_UPDATE, NULL};

        return !tn_rebuild_has_hooks(env) ||
               tn_tool_must(run, env, argv, HOOK_DEADLINE_S, progress, NULL, error);
}

bool tn_rebuild_announce_files(tn_tool_run_func run, const struct tn_env *env, const GPtrArray *paths,
                               struct tn_progress *progress, GError **error)
{
        g_autoptr(tn_kernels_t) kernels = tn_kernels_new(env);
        struct tn_kernel *kernel;
        bool good = true;

        for (size_t i = 0; (kernel = tn_kernels_at(kernels, i)); i++)
                if (kernel->initramfs && g_ptr_array_find_with_equal_func(
                                                 (GPtrArray *) paths, kernel->initramfs, g_str_equal, NULL))
                        good &= tn_rebuild_announce(run, env, kernel, progress, good ? error : NULL);
        return good;
}
