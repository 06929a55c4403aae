/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 1. Has every kernel the drivers of the target's devices: built in, or as a file that it may load? Without
 * the disk's driver the guest does not boot; without the others it loses what they drive.
 */
#include <string.h>

#include "lib/json.h"
#include "pvdrivers/chain.h"
#include "pvdrivers/checks/check.h"
#include "pvdrivers/textfile.h"

/* Distributions that keep such modules apart: where the rest is. */
static const struct {
        const char *id;      /* in os-release */
        const char *flavour; /* in the kernel's release, or NULL: any */
        const char *package; /* %s: the release */
} packages[] = {
        {"ubuntu", NULL, "linux-modules-extra-%s"},
        {"debian", "-cloud-", "linux-image-amd64 (the kernel %s is the small one for clouds)"},
        {"debian", NULL, "linux-image-%s"},
        {"fedora", NULL, "kernel-modules-%s, kernel-modules-extra-%s"},
        {"rhel", NULL, "kernel-modules-%s, kernel-modules-extra-%s"},
        {"suse", NULL, "kernel-default (not kernel-default-base; installed is %s)"},
        {"alpine", "-virt", "linux-lts (the kernel %s is the small one for guests)"},
        {"alpine", NULL, "linux-lts (installed is %s)"},
        {"arch", NULL, "linux (installed is %s)"},
};

static char *package_of(const struct tn_check_context *context, const char *release)
{
        for (size_t i = 0; i < G_N_ELEMENTS(packages); i++)
                if (tn_check_like(context->env, packages[i].id) &&
                    (!packages[i].flavour || strstr(release, packages[i].flavour))) {
                        g_auto(GStrv) parts = g_strsplit(packages[i].package, "%s", -1);

                        return g_strjoinv(release, parts);
                }
        return NULL;
}

/* What stands in the way of a module that does not load. */
struct found {
        GPtrArray *missing;     /* char * */
        GPtrArray *blacklisted; /* char *: "virtio_blk (by /etc/…)" */
        GPtrArray *untrusted;   /* char *: not signed */
        unsigned usable;
};

static void look_at(struct found *found, struct tn_kernel *kernel, const char *name)
{
        g_autoptr(tn_module_t) module = tn_kernel_module(kernel, name);

        switch (module->state) {
        case TN_MODULE_MISSING:
                g_ptr_array_add(found->missing, g_strdup(module->name));
                break;
        case TN_MODULE_BLACKLISTED:
                g_ptr_array_add(found->blacklisted,
                                g_strdup_printf("%s (by %s)", module->name, module->blacklisted_by));
                break;
        case TN_MODULE_UNSIGNED:
                g_ptr_array_add(found->untrusted, g_strdup(module->name));
                break;
        default:
                found->usable++;
        }
}

static void found_init(struct found *found)
{
        found->missing = g_ptr_array_new_with_free_func(g_free);
        found->blacklisted = g_ptr_array_new_with_free_func(g_free);
        found->untrusted = g_ptr_array_new_with_free_func(g_free);
}

static void found_deinit(struct found *found)
{
        g_ptr_array_unref(found->missing);
        g_ptr_array_unref(found->blacklisted);
        g_ptr_array_unref(found->untrusted);
}

static void set_remedy(struct tn_check_context *context, struct tn_check *check, const struct found *found,
                       const struct tn_pv_driver *driver, const char *release)
{
        g_autofree char *package = package_of(context, release);

        if (found->blacklisted->len > 0)
                tn_check_set_remedy(
                        check,
                        "take the line out of the file that blacklists it, if it was not meant for good");
        else if (found->untrusted->len > 0)
                tn_check_set_remedy(
                        check, "sign the module with a key that the firmware knows (mokutil --import), or "
                               "install the distribution's signed one");
        else
                tn_check_set_remedy(check, "tenonctl drivers install %s%s%s",
                                    tn_catalogue_role_name(driver->role), package ? "; the package is " : "",
                                    package ? package : "");
}

static const char *loss_of(const struct tn_pv_driver *driver)
{
        static const char *const losses[_TN_PV_ROLE_MAX] = {
                [TN_PV_STORAGE] = "no disk would be found",
                [TN_PV_NETWORK] = "there would be no network",
                [TN_PV_CONSOLE] = "there would be no port of a guest agent",
                [TN_PV_CLOCK] = "the host's clock and its guest services would be missing",
        };

        return losses[driver->role] ? losses[driver->role] : "the device would not work";
}

/* The driver's state, and how many others it takes along. */
static struct tn_check *usable(struct tn_check_context *context, const struct tn_check_kernel *subject,
                               const struct tn_pv_driver *driver, unsigned modules)
{
        g_autoptr(tn_module_t) module = tn_kernel_module(subject->kernel, driver->module);

        return tn_check_add(context, TN_VERDICT_READY, "%s: %s%s%s, with the %u modules that it needs",
                            driver->module, tn_kernel_state_name(module->state), module->path ? ", /" : "",
                            module->path ? module->path : "", modules - 1);
}

static void look_at_device(struct tn_check_context *context, const struct tn_check_kernel *subject,
                           const struct tn_pv_driver *driver)
{
        g_autoptr(GPtrArray) chain = tn_chain_of_driver(subject->kernel, driver);
        g_autofree char *missing = NULL, *blacklisted = NULL, *untrusted = NULL;
        struct found found = {0};
        struct tn_check *check;
        bool bad;

        found_init(&found);
        for (guint i = 0; i < chain->len; i++)
                look_at(&found, subject->kernel, chain->pdata[i]);
        missing = tn_check_join(found.missing, ", ");
        blacklisted = tn_check_join(found.blacklisted, ", ");
        untrusted = tn_check_join(found.untrusted, ", ");
        bad = *missing || *blacklisted || *untrusted;
        if (bad)
                check = tn_check_add(
                        context, driver->role == TN_PV_STORAGE ? TN_VERDICT_FATAL : TN_VERDICT_LOSS,
                        "%s: %s%s%s%s%s%s; %s", driver->module, *missing ? "the kernel has no " : "",
                        missing, *blacklisted ? " blacklisted: " : "", blacklisted,
                        *untrusted ? " not signed, which this kernel demands: " : "", untrusted,
                        loss_of(driver));
        else
                check = usable(context, subject, driver, found.usable);
        tn_check_set_kernel(check, subject);
        if (bad)
                set_remedy(context, check, &found, driver, subject->kernel->release);
        tn_check_set_data(check, json_pack("{s:s, s:s, s:o, s:o, s:o}", "device", driver->module, "role",
                                           tn_catalogue_role_name(driver->role), "missing",
                                           tn_json_texts(found.missing), "blacklisted",
                                           tn_json_texts(found.blacklisted), "unsigned",
                                           tn_json_texts(found.untrusted)));
        found_deinit(&found);
}

/* Lines CONFIG_X=y of the kernel's own configuration; empty where there is none. */
static GPtrArray *read_config(const struct tn_check_context *context, const char *release)
{
        g_autofree char *path = g_strdup_printf("boot/config-%s", release);

        return tn_textfile_read(context->env, path);
}

/* A kernel whose folder of modules is not there: what is not built in does not load. */
static void look_at_monolith(struct tn_check_context *context, const struct tn_check_kernel *subject,
                             const struct tn_pv_driver *driver, const GPtrArray *config)
{
        g_autofree char *value = tn_textfile_setting(config, driver->config, NULL);
        const char *release = subject->kernel->release;
        bool runs = tn_kernel_module_usable(subject->kernel, driver->module);
        bool builtin = runs || (value && g_str_equal(value, "y"));
        enum tn_verdict bad = driver->role == TN_PV_STORAGE ? TN_VERDICT_FATAL : TN_VERDICT_LOSS;
        struct tn_check *check;

        if (runs)
                check = tn_check_add(
                        context, TN_VERDICT_READY,
                        "%s: runs in this kernel (/sys/module/%s), which has no folder /lib/modules/%s",
                        driver->module, driver->module, release);
        else if (config->len == 0)
                check = tn_check_add(context, TN_VERDICT_UNKNOWN,
                                     "%s: /lib/modules/%s and /boot/config-%s are missing: whether it is "
                                     "built in cannot be told",
                                     driver->module, release, release);
        else
                check = tn_check_add(
                        context, builtin ? TN_VERDICT_READY : bad,
                        "%s: %s (/boot/config-%s: %s=%s), and there is no folder /lib/modules/%s",
                        driver->module, builtin ? "built in" : "not built in", release, driver->config,
                        value ? value : "n", release);
        if (!builtin)
                tn_check_set_remedy(check, "install the package of this kernel again, or remove the kernel");
        tn_check_set_kernel(check, subject);
}

static void look_at_kernel(struct tn_check_context *context, const struct tn_check_kernel *subject)
{
        g_autoptr(GPtrArray) config = subject->kernel->modules_dir
                                              ? NULL
                                              : read_config(context, subject->kernel->release);

        for (guint i = 0; i < context->devices->len; i++) {
                if (config)
                        look_at_monolith(context, subject, context->devices->pdata[i], config);
                else
                        look_at_device(context, subject, context->devices->pdata[i]);
        }
}

void tn_check_kernel_modules(struct tn_check_context *context)
{
        for (guint i = 0; i < context->subjects->len; i++)
                look_at_kernel(context, context->subjects->pdata[i]);
}
