/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Reads the machine once, runs the checks in order, and concludes. The order and the number of the checks
 * are those of docs/drivers-plan.md.
 */
#include "pvdrivers/plan.h"

#include "lib/error.h"
#include "lib/json.h"
#include "pvdrivers/checks/check.h"
#include "pvdrivers/devname.h"
#include "pvdrivers/plan-devices.h"

static const struct {
        const char *id;
        tn_check_func run;
} checks[] = {
        {"kernel-modules", tn_check_kernel_modules},
        {"initramfs", tn_check_initramfs},
        {"boot-entry", tn_check_boot_entry},
        {"root-device", tn_check_root_device},
        {"interface-names", tn_check_interface_names},
        {"leftovers", tn_check_leftovers},
        {"clock", tn_check_clock},
        {"console", tn_check_console},
        {"disk-order", tn_check_disk_order},
        {"cpu-level", tn_check_cpu_level},
        {"disk-keys", tn_check_disk_keys},
        {"freeze-hooks", tn_check_freeze_hooks},
        {"access-control", tn_check_access_control},
        {"agent", tn_check_agent},
        {"boot-space", tn_check_boot_space},
};

static const char *const verdict_names[_TN_VERDICT_MAX] = {
        [TN_VERDICT_READY] = "ready",
        [TN_VERDICT_LOSS] = "loss",
        [TN_VERDICT_FATAL] = "fatal",
        [TN_VERDICT_UNKNOWN] = "unknown",
        [TN_VERDICT_NOT_APPLICABLE] = "not-applicable",
};

const char *tn_verdict_name(enum tn_verdict verdict)
{
        return verdict_names[verdict];
}

static void free_check(void *data)
{
        struct tn_check *check = data;

        g_free(check->kernel);
        g_free(check->evidence);
        g_free(check->remedy);
        json_decref(check->data);
        g_free(check);
}

static void free_subject(void *data)
{
        struct tn_check_kernel *subject = data;

        g_ptr_array_unref(subject->paths);
        g_ptr_array_unref(subject->images);
        g_clear_error(&subject->error);
        g_free(subject);
}

static void free_image(void *data)
{
        tn_initramfs_free(data);
}

/* The images that the entry of this kernel loads; without an entry the one that lies beside it. */
static void read_images(struct tn_check_context *context, struct tn_check_kernel *subject)
{
        const struct tn_boot_entry *entry = tn_boot_find(context->boot, subject->kernel->release);

        for (guint i = 0; entry && i < entry->initrds->len; i++)
                g_ptr_array_add(subject->paths, g_strdup(entry->initrds->pdata[i]));
        if (!entry && subject->kernel->initramfs)
                g_ptr_array_add(subject->paths, g_strdup(subject->kernel->initramfs));
        for (guint i = 0; i < subject->paths->len && !subject->error; i++) {
                struct tn_initramfs *image = tn_initramfs_read(context->env, subject->paths->pdata[i],
                                                               &subject->error);

                if (image)
                        g_ptr_array_add(subject->images, image);
        }
}

/* Modules of a kernel that was removed are no kernel that could boot. */
static bool can_boot(const struct tn_check_context *context, const struct tn_kernel *kernel, bool any_image)
{
        return kernel->image || !any_image || tn_boot_find(context->boot, kernel->release);
}

static const struct tn_kernel *find_default(const struct tn_check_context *context, bool any_image)
{
        const struct tn_boot_entry *chosen = context->boot->chosen;
        const struct tn_kernel *kernel = chosen && chosen->release
                                                 ? tn_kernels_find(context->kernels, chosen->release)
                                                 : NULL;

        if (!kernel)
                kernel = tn_kernels_default(context->kernels);
        for (size_t i = 0; !kernel && tn_kernels_at(context->kernels, i); i++)
                if (can_boot(context, tn_kernels_at(context->kernels, i), any_image))
                        kernel = tn_kernels_at(context->kernels, i);
        return kernel;
}

static void read_subjects(struct tn_check_context *context)
{
        const struct tn_kernel *chosen;
        struct tn_kernel *kernel;
        bool any_image = false;

        for (size_t i = 0; (kernel = tn_kernels_at(context->kernels, i)); i++)
                any_image |= kernel->image != NULL;
        chosen = find_default(context, any_image);
        for (size_t i = 0; (kernel = tn_kernels_at(context->kernels, i)); i++) {
                struct tn_check_kernel *subject;

                if (!can_boot(context, kernel, any_image))
                        continue;
                subject = g_new0(struct tn_check_kernel, 1);
                subject->kernel = kernel;
                subject->boots = kernel == chosen;
                subject->paths = g_ptr_array_new_with_free_func(g_free);
                subject->images = g_ptr_array_new_with_free_func(free_image);
                read_images(context, subject);
                g_ptr_array_add(context->subjects, subject);
        }
}

static json_t *image_to_json(const struct tn_initramfs *image)
{
        return json_pack("{s:o, s:s, s:I, s:i, s:i}", "path", tn_json_text(image->path), "compressor",
                         tn_initramfs_compressor(image), "size", (json_int_t) image->size, "files",
                         (int) image->files->len, "modules", (int) g_hash_table_size(image->modules));
}

static json_t *subject_to_json(const struct tn_check_kernel *subject)
{
        const struct tn_kernel *kernel = subject->kernel;
        json_t *images = json_array();

        for (guint i = 0; i < subject->images->len; i++)
                json_array_append_new(images, image_to_json(subject->images->pdata[i]));
        return json_pack("{s:o, s:b, s:b, s:o, s:o}", "release", tn_json_text(kernel->release), "running",
                         kernel->running, "default", subject->boots, "image", tn_json_text(kernel->image),
                         "initramfs", images);
}

static void run_checks(struct tn_check_context *context)
{
        struct tn_plan *plan = context->plan;

        for (size_t i = 0; i < G_N_ELEMENTS(checks); i++) {
                guint before = plan->checks->len;

                context->id = checks[i].id;
                checks[i].run(context);
                g_assert(plan->checks->len > before); /* a check that says nothing is a bug of ours */
        }
        for (guint i = 0; i < context->devices->len; i++) {
                const struct tn_pv_driver *driver = context->devices->pdata[i];

                g_ptr_array_add(plan->devices, g_strdup(driver->module));
        }
        for (guint i = 0; i < context->subjects->len; i++)
                json_array_append_new(plan->kernels, subject_to_json(context->subjects->pdata[i]));
}

static struct tn_plan *plan_new(enum tn_pv_platform target)
{
        struct tn_plan *plan = g_new0(struct tn_plan, 1);

        plan->target = target;
        plan->devices = g_ptr_array_new_with_free_func(g_free);
        plan->checks = g_ptr_array_new_with_free_func(free_check);
        plan->kernels = json_array();
        return plan;
}

static void context_deinit(struct tn_check_context *context)
{
        g_ptr_array_unref(context->subjects);
        g_ptr_array_unref(context->disks);
        tn_root_free(context->root);
        tn_boot_free(context->boot);
        tn_kernels_free(context->kernels);
}

struct tn_plan *tn_plan_make(const struct tn_env *env, const struct tn_catalogue *catalogue,
                             const struct tn_plan_options *options, GError **error)
{
        g_autoptr(GPtrArray)
                devices = tn_plan_devices_find(catalogue, options->target, options->devices, error);
        struct tn_check_context context = {
                .env = env, .catalogue = catalogue, .target = options->target, .devices = devices};
        g_autofree char *command_line = NULL, *where = NULL;

        if (!devices)
                return NULL;
        context.kernels = tn_kernels_new(env);
        context.disks = tn_devname_disks(env);
        context.boot = tn_boot_read(env, context.kernels);
        command_line = tn_check_options(&context, &where);
        context.root = tn_root_read(env, command_line);
        context.subjects = g_ptr_array_new_with_free_func(free_subject);
        read_subjects(&context);
        if (context.subjects->len > 0) {
                context.plan = plan_new(options->target);
                run_checks(&context);
        } else {
                tn_error_set(error, TN_ERROR_NOT_FOUND,
                             "no kernel is installed here: /lib/modules has none and /boot has no image; a "
                             "container, or a guest whose kernel the host has, is moved without a plan");
        }
        context_deinit(&context);
        return context.plan;
}

void tn_plan_free(struct tn_plan *plan)
{
        if (!plan)
                return;
        g_ptr_array_unref(plan->devices);
        g_ptr_array_unref(plan->checks);
        json_decref(plan->kernels);
        g_free(plan);
}

/* How bad: a higher number hides a lower one. What is unknown may be fatal, so it hides a loss. */
static int weight(enum tn_verdict verdict)
{
        static const int weights[_TN_VERDICT_MAX] = {
                [TN_VERDICT_LOSS] = 1, [TN_VERDICT_UNKNOWN] = 2, [TN_VERDICT_FATAL] = 3};

        return weights[verdict];
}

enum tn_verdict tn_plan_verdict(const struct tn_plan *plan)
{
        enum tn_verdict worst = TN_VERDICT_READY;

        for (guint i = 0; i < plan->checks->len; i++) {
                const struct tn_check *check = plan->checks->pdata[i];
                enum tn_verdict verdict = check->verdict;

                if (check->fallback && weight(verdict) > weight(TN_VERDICT_LOSS))
                        verdict = TN_VERDICT_LOSS;
                if (weight(verdict) > weight(worst))
                        worst = verdict;
        }
        return worst;
}

int tn_plan_exit_status(const struct tn_plan *plan)
{
        static const int statuses[_TN_VERDICT_MAX] = {
                [TN_VERDICT_READY] = TN_PLAN_EXIT_READY,
                [TN_VERDICT_LOSS] = TN_PLAN_EXIT_LOSS,
                [TN_VERDICT_FATAL] = TN_PLAN_EXIT_FATAL,
                [TN_VERDICT_UNKNOWN] = TN_PLAN_EXIT_NO_VERDICT,
        };

        return statuses[tn_plan_verdict(plan)];
}

static json_t *check_to_json(const struct tn_check *check)
{
        json_t *object = json_pack("{s:s, s:s, s:o, s:o, s:o, s:b}", "id", check->id, "verdict",
                                   tn_verdict_name(check->verdict), "kernel", tn_json_text(check->kernel),
                                   "evidence", tn_json_text(check->evidence), "remedy",
                                   tn_json_text(check->remedy), "fixable", check->fixable);

        json_object_set_new(object, "fallback", json_boolean(check->fallback));
        json_object_set(object, "data", check->data ? check->data : json_null());
        return object;
}

json_t *tn_plan_to_json(const struct tn_plan *plan)
{
        json_t *list = json_array();

        for (guint i = 0; i < plan->checks->len; i++)
                json_array_append_new(list, check_to_json(plan->checks->pdata[i]));
        return json_pack("{s:s, s:s, s:i, s:o, s:O, s:o}", "target",
                         tn_catalogue_platform_name(plan->target), "verdict",
                         tn_verdict_name(tn_plan_verdict(plan)), "exit-status", tn_plan_exit_status(plan),
                         "devices", tn_json_texts(plan->devices), "kernels", plan->kernels, "checks", list);
}
