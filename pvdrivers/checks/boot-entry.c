/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 3. Which entry boots, and will the target's firmware find the boot loader at all? A UEFI guest's boot
 * variables stay behind with the old machine: the new one's firmware knows only EFI/BOOT/BOOTX64.EFI.
 */
#include <string.h>

#include "lib/json.h"
#include "pvdrivers/checks/check.h"
#include "pvdrivers/esp.h"

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

/* GRUB's and the Boot Loader Specification's rescue entries are known by their titles. */
static bool is_rescue(const struct tn_boot_entry *entry)
{
        g_autofree char *title = g_ascii_strdown(entry->title ? entry->title : "", -1);

        return strstr(title, "rescue") || strstr(title, "recovery");
}

/* What is left to choose in the menu when the default does not come up there. */
static void look_at_others(struct tn_check_context *context)
{
        const struct tn_boot *boot = context->boot;
        const struct tn_boot_entry *rescue = NULL;
        g_autoptr(GPtrArray) kernels = g_ptr_array_new();
        g_autofree char *names = NULL;
        struct tn_check *check;

        for (guint i = 0; i < boot->entries->len; i++) {
                const struct tn_boot_entry *entry = boot->entries->pdata[i];

                if (!rescue && is_rescue(entry))
                        rescue = entry;
                if (entry->release &&
                    !(boot->chosen && g_strcmp0(boot->chosen->release, entry->release) == 0) &&
                    !g_ptr_array_find_with_equal_func(kernels, entry->release, g_str_equal, NULL))
                        g_ptr_array_add(kernels, entry->release);
        }
        if (!boot->chosen)
                return;
        names = tn_check_join(kernels, ", ");
        check = tn_check_add(context, TN_VERDICT_READY, "beside the default there is %s%s, and %s%s",
                             kernels->len ? "another kernel to choose: " : "no other kernel to choose",
                             names, rescue ? "a rescue entry: " : "no rescue entry",
                             rescue ? rescue->title : "");
        if (!kernels->len && !rescue)
                tn_check_set_remedy(check, "keep a second kernel until the guest has started there");
        tn_check_set_data(check, json_pack("{s:o, s:o}", "other-kernels", tn_json_texts(kernels), "rescue",
                                           tn_json_text(rescue ? rescue->title : NULL)));
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
        const char *name = tn_esp_fallback_name(context->env), *esp = tn_esp_find(context->env);
        g_autofree char *file = tn_esp_find_fallback(context->env);
        bool secure = secure_boot(context->env);
        struct tn_check *check;

        if (file) {
                check = tn_check_add(context, TN_VERDICT_READY,
                                     "boots by UEFI%s; the target's firmware finds /%s",
                                     secure ? " with Secure Boot" : "", file);
                tn_check_set_remedy(check, "give the new machine UEFI firmware%s",
                                    secure ? ", with Secure Boot and Microsoft's keys or without Secure Boot"
                                           : " (OVMF)");
        } else if (!esp && tn_esp_hidden(context->env)) {
                check = tn_check_add(context, TN_VERDICT_UNKNOWN,
                                     "boots by UEFI; /boot/efi is there, and only root may look into it");
                tn_check_set_remedy(check, "plan as root");
        } else if (!esp) {
                check = tn_check_add(
                        context, TN_VERDICT_UNKNOWN,
                        "boots by UEFI, and no EFI system partition is mounted at /boot/efi, /efi or /boot");
                tn_check_set_remedy(check, "mount it and plan again");
        } else {
                g_autoptr(GPtrArray) folders = tn_esp_find_folders(context->env);

                check = tn_check_add(
                        context, TN_VERDICT_FATAL,
                        "boots by UEFI, and /%s/EFI/BOOT/%s is missing: the boot entries in this machine's "
                        "firmware stay behind, and the target's firmware knows only that file",
                        esp, name);
                check->fixable = folders->len == 1;
                tn_check_set_remedy(
                        check, "%sgrub-install --removable, or bootctl install",
                        check->fixable ? "`tenonctl drivers prepare` copies the boot loader there; by hand: "
                                       : "");
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
        look_at_others(context);
        look_at_firmware(context);
}
