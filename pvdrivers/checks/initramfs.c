/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 2. Are the drivers of the target's disks in the image that the kernel loads, with all that they need, and
 * what the root file system stands on? The image itself is read, whatever the tool that made it has said.
 */
#include <string.h>

#include "lib/error.h"
#include "lib/json.h"
#include "pvdrivers/chain.h"
#include "pvdrivers/checks/check.h"
#include "pvdrivers/generator.h"

/* Folders of modules that are packed again inside of the image. */
static const char *const nested[] = {"squash-root.img", "squashfs-root.img", "erofs-root.img",
                                     "squash/root.img"};

static bool in_images(const struct tn_check_kernel *subject, const char *module)
{
        for (guint i = 0; i < subject->images->len; i++)
                if (tn_initramfs_find_module(subject->images->pdata[i], subject->kernel->release, module))
                        return true;
        return false;
}

static bool any_image_has(const struct tn_check_kernel *subject, const char *name)
{
        for (guint i = 0; i < subject->images->len; i++)
                if (tn_initramfs_has_file(subject->images->pdata[i], name))
                        return true;
        return false;
}

static bool has_release(const struct tn_check_kernel *subject)
{
        for (guint i = 0; i < subject->images->len; i++)
                if (tn_initramfs_has_release(subject->images->pdata[i], subject->kernel->release))
                        return true;
        return false;
}

static const char *find_nested(const struct tn_check_kernel *subject)
{
        for (size_t i = 0; i < G_N_ELEMENTS(nested); i++)
                if (any_image_has(subject, nested[i]))
                        return nested[i];
        return NULL;
}

/* Adds what of a chain is neither built in nor in the image. @strict: also what the kernel does not have at
 * all; for the root's own layers that means built in, since this machine has booted with it. */
static void add_missing(const struct tn_check_kernel *subject, const GPtrArray *chain, bool strict,
                        GPtrArray *missing)
{
        for (guint i = 0; i < chain->len; i++) {
                g_autoptr(tn_module_t) module = tn_kernel_module(subject->kernel, chain->pdata[i]);
                bool lacks = module->path ? !in_images(subject, module->name)
                                          : strict && module->state == TN_MODULE_MISSING;

                if (lacks && !g_ptr_array_find_with_equal_func(missing, module->name, g_str_equal, NULL))
                        g_ptr_array_add(missing, g_strdup(module->name));
        }
}

/* Adds "virtio_blk (by etc/modprobe.d/x.conf)" for what of a chain the image itself forbids: an image keeps
 * the files of the day on which it was made. */
static void add_forbidden(const struct tn_check_kernel *subject, const GPtrArray *chain,
                          GPtrArray *forbidden)
{
        for (guint i = 0; i < chain->len; i++)
                for (guint j = 0; j < subject->images->len; j++) {
                        const char *module = chain->pdata[i];
                        const char *file = tn_initramfs_find_blacklist(subject->images->pdata[j], module);

                        if (file && in_images(subject, module))
                                g_ptr_array_add(forbidden, g_strdup_printf("%s (by %s)", module, file));
                }
}

/* A finding about drivers of disks that an image has and forbids, or NULL. */
static struct tn_check *look_for_forbidden(struct tn_check_context *context,
                                           const struct tn_check_kernel *subject, const char *paths,
                                           enum tn_generator generator)
{
        g_autoptr(GPtrArray) forbidden = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *names = NULL, *rebuild = tn_generator_rebuild(generator, subject->kernel->release);
        struct tn_check *check;

        for (guint i = 0; i < context->devices->len; i++) {
                const struct tn_pv_driver *driver = context->devices->pdata[i];
                g_autoptr(GPtrArray) chain = tn_chain_of_driver(subject->kernel, driver);

                if (driver->role == TN_PV_STORAGE)
                        add_forbidden(subject, chain, forbidden);
        }
        if (forbidden->len == 0)
                return NULL;
        names = tn_check_join(forbidden, ", ");
        check = tn_check_add(context, TN_VERDICT_FATAL, "/%s has the drivers of the disk, and forbids %s",
                             paths, names);
        tn_check_set_remedy(check, "take the line out of /etc/modprobe.d, then run: %s", rebuild);
        return check;
}

/* Drivers of disks whose chain is not complete, and the modules that are missing. */
static void find_missing(const struct tn_check_context *context, const struct tn_check_kernel *subject,
                         GPtrArray *devices, GPtrArray *missing)
{
        for (guint i = 0; i < context->devices->len; i++) {
                const struct tn_pv_driver *driver = context->devices->pdata[i];
                bool boots = driver->role == TN_PV_STORAGE ||
                             (driver->role == TN_PV_NETWORK && context->root->network);
                g_autoptr(GPtrArray) chain = boots ? tn_chain_of_driver(subject->kernel, driver) : NULL;
                guint before = missing->len;

                if (!chain)
                        continue;
                add_missing(subject, chain, true, missing);
                if (missing->len > before)
                        g_ptr_array_add(devices, g_strdup(driver->module));
        }
        for (guint i = 0; i < context->root->modules->len; i++) {
                g_autoptr(GPtrArray)
                        chain = tn_chain_of_module(subject->kernel, context->root->modules->pdata[i]);

                add_missing(subject, chain, false, missing);
        }
}

static json_t *data_of(const struct tn_check_kernel *subject, const GPtrArray *devices,
                       const GPtrArray *missing, enum tn_generator generator)
{
        return json_pack("{s:o, s:s, s:o, s:o}", "images", tn_json_texts(subject->paths), "generator",
                         tn_generator_name(generator), "devices", tn_json_texts(devices), "missing",
                         tn_json_texts(missing));
}

static enum tn_generator generator_of(const struct tn_check_context *context,
                                      const struct tn_check_kernel *subject)
{
        guint len = subject->images->len;

        return tn_generator_find(context->env, len > 0 ? subject->images->pdata[len - 1] : NULL);
}

/* Can the generator put in what is missing? Not what the kernel itself does not have. */
static bool all_on_disk(const struct tn_check_kernel *subject, const GPtrArray *missing)
{
        for (guint i = 0; i < missing->len; i++) {
                g_autoptr(tn_module_t) module = tn_kernel_module(subject->kernel, missing->pdata[i]);

                if (!module->path)
                        return false;
        }
        return true;
}

static struct tn_check *complete(struct tn_check_context *context, const char *paths,
                                 enum tn_generator generator)
{
        if (*paths == '\0')
                return tn_check_add(context, TN_VERDICT_READY,
                                    "there is no initramfs, and all that is needed is built in");
        return tn_check_add(context, TN_VERDICT_READY,
                            "/%s (made by %s) has the drivers of the disk and what / stands on (%s)", paths,
                            tn_generator_name(generator), context->root->evidence);
}

static bool needed_by_another(const struct tn_check_kernel *subject, const GPtrArray *modules,
                              const char *name)
{
        for (guint i = 0; i < modules->len; i++) {
                g_auto(GStrv) needs = tn_kernel_module_dependencies(subject->kernel, modules->pdata[i]);

                if (g_strv_contains((const char *const *) needs, name))
                        return true;
        }
        return false;
}

/* What a generator has to be told: it finds by itself what those modules need. Borrowed names. */
static GPtrArray *without_needed(const struct tn_check_kernel *subject, const GPtrArray *modules)
{
        GPtrArray *left = g_ptr_array_new();

        for (guint i = 0; i < modules->len; i++)
                if (!needed_by_another(subject, modules, modules->pdata[i]))
                        g_ptr_array_add(left, modules->pdata[i]);
        return left;
}

static struct tn_check *incomplete(struct tn_check_context *context, const struct tn_check_kernel *subject,
                                   const GPtrArray *missing, enum tn_generator generator)
{
        g_autofree char *paths = tn_check_join(subject->paths, ", /"), *names = tn_check_join(missing, ", ");
        g_autoptr(GPtrArray) wanted = without_needed(subject, missing);
        g_autofree char *remedy = tn_generator_remedy(generator, wanted, subject->kernel->release);
        g_autofree char *reason = tn_generator_reason(context->env, generator);
        struct tn_check *check;

        if (*paths == '\0')
                check = tn_check_add(context, TN_VERDICT_FATAL,
                                     "there is no initramfs, and not built in are %s", names);
        else
                check = tn_check_add(context, TN_VERDICT_FATAL, "/%s lacks %s%s%s%s%s", paths, names,
                                     has_release(subject) ? "" : "; it has no module of this kernel at all",
                                     reason ? "; it was made for this machine alone (" : "",
                                     reason ? reason : "", reason ? ")" : "");
        tn_check_set_remedy(check, "%s", remedy);
        check->fixable = generator != _TN_GENERATOR_MAX && all_on_disk(subject, missing);
        if (!all_on_disk(subject, missing))
                tn_check_set_remedy(check, "first see to what the kernel lacks (kernel-modules), then: %s",
                                    remedy);
        return check;
}

static void judge(struct tn_check_context *context, const struct tn_check_kernel *subject)
{
        g_autoptr(GPtrArray) devices = g_ptr_array_new_with_free_func(g_free);
        g_autoptr(GPtrArray) missing = g_ptr_array_new_with_free_func(g_free);
        enum tn_generator generator = generator_of(context, subject);
        g_autofree char *paths = tn_check_join(subject->paths, ", /");
        const char *packed_again = find_nested(subject);
        struct tn_check *check;

        if (subject->kernel->modules_dir)
                find_missing(context, subject, devices, missing);
        if (!subject->kernel->modules_dir) {
                check = tn_check_add(context, TN_VERDICT_NOT_APPLICABLE,
                                     "this kernel has no modules; see kernel-modules for what is built in");
        } else if (missing->len == 0) {
                check = look_for_forbidden(context, subject, paths, generator);
                if (!check)
                        check = complete(context, paths, generator);
        } else if (packed_again) {
                check = tn_check_add(context, TN_VERDICT_UNKNOWN,
                                     "/%s has its modules in %s, which is not read here", paths,
                                     packed_again);
                tn_check_set_remedy(check,
                                    "make the image without it (dracut --omit squash) and plan again");
        } else {
                check = incomplete(context, subject, missing, generator);
        }
        tn_check_set_kernel(check, subject);
        tn_check_set_data(check, data_of(subject, devices, missing, generator));
}

/* An image that cannot be read does not boot either, unless it is only us who may not or cannot read it. */
static void unreadable(struct tn_check_context *context, const struct tn_check_kernel *subject)
{
        bool only_us = g_error_matches(subject->error, TN_ERROR, TN_ERROR_DENIED) ||
                       g_error_matches(subject->error, TN_ERROR, TN_ERROR_UNSUPPORTED) ||
                       g_error_matches(subject->error, TN_ERROR, TN_ERROR_FAILED) ||
                       g_error_matches(subject->error, TN_ERROR, TN_ERROR_LIMIT) ||
                       g_error_matches(subject->error, TN_ERROR, TN_ERROR_BUSY);
        struct tn_check *check = tn_check_add(context, only_us ? TN_VERDICT_UNKNOWN : TN_VERDICT_FATAL, "%s",
                                              subject->error->message);
        enum tn_generator generator = generator_of(context, subject);
        g_autofree char *rebuild = tn_generator_rebuild(generator, subject->kernel->release);
        g_autoptr(GPtrArray) none = g_ptr_array_new();

        if (g_error_matches(subject->error, TN_ERROR, TN_ERROR_DENIED))
                tn_check_set_remedy(check, "plan as root");
        else
                tn_check_set_remedy(check, "%s", rebuild);
        check->fixable = !only_us && generator != _TN_GENERATOR_MAX;
        tn_check_set_kernel(check, subject);
        tn_check_set_data(check, data_of(subject, none, none, generator));
}

void tn_check_initramfs(struct tn_check_context *context)
{
        for (guint i = 0; i < context->subjects->len; i++) {
                const struct tn_check_kernel *subject = context->subjects->pdata[i];

                if (subject->error)
                        unreadable(context, subject);
                else
                        judge(context, subject);
        }
}
