/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 3. Which entry boots, and will the target's firmware find the boot loader at all? A UEFI guest's boot
 * variables stay behind with the old machine: the new one's firmware knows only EFI/BOOT/BOOTX64.EFI.
 */
#include <string.h>

#include "pvdrivers/checks/check.h"

static const char *const esps[] = {"boot/efi", "efi", "boot"};

static const struct {
        const char *machine, *name;
} fallbacks[] = {
        {"x86_64", "BOOTX64.EFI"},
        {"aarch64", "BOOTAA64.EFI"},
        {"i686", "BOOTIA32.EFI"},
        {"riscv64", "BOOTRISCV64.EFI"},
};

static const char *fallback_name(const struct tn_env *env)
{
        for (size_t i = 0; i < G_N_ELEMENTS(fallbacks); i++)
                if (g_str_equal(env->machine, fallbacks[i].machine))
                        return fallbacks[i].name;
        return "BOOTX64.EFI";
}

/* Member of a folder whatever its case, as a path; vfat does not care. NULL: not there. */
static char *find_member(const struct tn_env *env, const char *folder, const char *name)
{
        g_auto(GStrv) names = tn_env_list(env, folder);

        for (size_t i = 0; names && names[i]; i++)
                if (g_ascii_strcasecmp(names[i], name) == 0)
                        return g_strdup_printf("%s/%s", folder, names[i]);
        return NULL;
}

static char *find_fallback(const struct tn_env *env, const char *name)
{
        for (size_t i = 0; i < G_N_ELEMENTS(esps); i++) {
                g_autofree char *efi = find_member(env, esps[i], "EFI");
                g_autofree char *boot = efi ? find_member(env, efi, "BOOT") : NULL;
                char *file = boot ? find_member(env, boot, name) : NULL;

                if (file)
                        return file;
        }
        return NULL;
}

/* The ESP's folder, when it can be looked into. */
static const char *find_esp(const struct tn_env *env)
{
        for (size_t i = 0; i < G_N_ELEMENTS(esps); i++) {
                g_autofree char *efi = find_member(env, esps[i], "EFI");

                if (efi)
                        return esps[i];
        }
        return NULL;
}

/* A folder that is there and cannot be listed: the ESP is root's. */
static bool hidden_esp(const struct tn_env *env)
{
        g_auto(GStrv) names = tn_env_list(env, "boot/efi");

        return !names && tn_env_exists(env, "boot/efi");
}

static void look_at_default(struct tn_check_context *context)
{
        const struct tn_boot *boot = context->boot;
        const struct tn_check_kernel *chosen = NULL;
        struct tn_check *check;

        for (guint i = 0; i < context->subjects->len; i++) {
                const struct tn_check_kernel *subject = context->subjects->pdata[i];

                if (subject->boots)
                        chosen = subject;
        }
        if (boot->chosen && !boot->chosen->release) {
                check = tn_check_add(context, TN_VERDICT_LOSS,
                                     "the default entry \"%s\" (%s) starts no kernel that is installed",
                                     boot->chosen->title ? boot->chosen->title : boot->chosen->id,
                                     boot->evidence);
                tn_check_set_remedy(check, "choose another default, for example: grub-set-default 0; grubby "
                                           "--set-default-index=0");
                return;
        }
        if (boot->denied) {
                check = tn_check_add(context, TN_VERDICT_UNKNOWN, "%s", boot->evidence);
                tn_check_set_remedy(check, "plan as root");
                return;
        }
        check = tn_check_add(context, TN_VERDICT_READY, "%s boots: %s%s",
                             chosen ? chosen->kernel->release : "the newest", boot->evidence,
                             boot->chosen ? "" : ", so the newest kernel is taken for the default");
        tn_check_set_data(check, json_pack("{s:s?, s:s?, s:i}", "loader", boot->loader, "default",
                                           chosen ? chosen->kernel->release : NULL, "entries",
                                           (int) boot->entries->len));
}

/* SecureBoot-GUID: four bytes of attributes, then the value. */
static bool secure_boot(const struct tn_env *env)
{
        g_autofree char *value = NULL;
        size_t len = 0;

        return tn_env_read(env, "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
                           &value, &len, NULL) &&
               len == 5 && value[4] == 1;
}

static void look_at_uefi(struct tn_check_context *context)
{
        const char *name = fallback_name(context->env), *esp = find_esp(context->env);
        g_autofree char *file = find_fallback(context->env, name);
        bool secure = secure_boot(context->env);
        struct tn_check *check;

        if (file) {
                check = tn_check_add(context, TN_VERDICT_READY,
                                     "boots by UEFI%s; the target's firmware finds /%s",
                                     secure ? " with Secure Boot" : "", file);
                tn_check_set_remedy(check, "give the new machine UEFI firmware%s",
                                    secure ? ", with Secure Boot and Microsoft's keys or without Secure Boot"
                                           : " (OVMF)");
        } else if (!esp && hidden_esp(context->env)) {
                check = tn_check_add(context, TN_VERDICT_UNKNOWN,
                                     "boots by UEFI; /boot/efi is there, and only root may look into it");
                tn_check_set_remedy(check, "plan as root");
        } else if (!esp) {
                check = tn_check_add(
                        context, TN_VERDICT_UNKNOWN,
                        "boots by UEFI, and no EFI system partition is mounted at /boot/efi, /efi or /boot");
                tn_check_set_remedy(check, "mount it and plan again");
        } else {
                check = tn_check_add(
                        context, TN_VERDICT_FATAL,
                        "boots by UEFI, and /%s/EFI/BOOT/%s is missing: the boot entries in this machine's "
                        "firmware stay behind, and the target's firmware knows only that file",
                        esp, name);
                tn_check_set_remedy(
                        check,
                        "grub-install --target=x86_64-efi --removable; or bootctl install; or copy the "
                        "distribution's shim to that name and grub beside it");
        }
        tn_check_set_data(check, json_pack("{s:s, s:b, s:s?}", "firmware", "uefi", "secure-boot", secure,
                                           "fallback", file));
}

static void look_at_firmware(struct tn_check_context *context)
{
        struct tn_check *check;

        if (tn_env_exists(context->env, "sys/firmware/efi")) {
                look_at_uefi(context);
                return;
        }
        if (!tn_env_exists(context->env, "sys/firmware")) {
                check = tn_check_add(
                        context, TN_VERDICT_NOT_APPLICABLE,
                        "no /sys/firmware here: whether it boots by UEFI or BIOS cannot be told");
                return;
        }
        check = tn_check_add(context, TN_VERDICT_READY, "boots by BIOS: there is no /sys/firmware/efi");
        tn_check_set_remedy(check, "%s",
                            context->target == TN_PV_HYPERV || context->target == TN_PV_AZURE
                                    ? "make the new machine of generation 1"
                                    : "give the new machine BIOS firmware, not UEFI");
        tn_check_set_data(check, json_pack("{s:s}", "firmware", "bios"));
}

void tn_check_boot_entry(struct tn_check_context *context)
{
        look_at_default(context);
        look_at_firmware(context);
}
