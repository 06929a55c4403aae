/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A distribution's boot loader stands in a folder of its own on the EFI system partition, and the firmware's
 * boot entries name it. They stay behind, so it is copied to EFI/BOOT. The surprising thing: shim starts the
 * GRUB that stands beside itself, so both go there; fbx64.efi must not, for shim would start that one first.
 */
#include "pvdrivers/fixes-loader.h"

#include "pvdrivers/change.h"
#include "pvdrivers/esp.h"

/* What shim and GRUB look for beside themselves. */
static const char *const beside[] = {"grub%.efi", "mm%.efi", "grub.cfg"};

static void add_copy(GPtrArray *changes, const char *from, char *to)
{
        struct tn_change *change = tn_change_new_copy(to, from,
                                                      "firmware without boot entries finds the boot loader");

        g_ptr_array_add(change->details, g_strdup_printf("a copy of /%s", from));
        g_ptr_array_add(changes, change);
}

/* The loader last: what it needs must stand there before it is found. */
static void copy_folder(const struct tn_env *env, const char *folder, const char *efi, GPtrArray *changes)
{
        g_autofree char *loader = tn_esp_find_loader(env, folder),
                        *boot = tn_esp_find_member(env, efi, "BOOT");

        if (!boot)
                boot = g_strdup_printf("%s/BOOT", efi);
        for (size_t i = 0; i < G_N_ELEMENTS(beside); i++) {
                g_autofree char *from = tn_esp_find_named(env, folder, beside[i]);
                g_autofree char *name = from ? g_path_get_basename(from) : NULL;
                g_autofree char *there = from ? tn_esp_find_member(env, boot, name) : NULL;

                if (from && !there && !g_str_equal(from, loader))
                        add_copy(changes, from, g_strdup_printf("%s/%s", boot, name));
        }
        add_copy(changes, loader, g_strdup_printf("%s/%s", boot, tn_esp_fallback_name(env)));
}

void tn_fixes_loader(const struct tn_env *env, GPtrArray *changes, GPtrArray *notes)
{
        const char *esp = tn_env_exists(env, "sys/firmware/efi") ? tn_esp_find(env) : NULL;
        g_autofree char *fallback = esp ? tn_esp_find_fallback(env) : NULL;
        g_autofree char *efi = esp ? tn_esp_find_member(env, esp, "EFI") : NULL;
        g_autoptr(GPtrArray) folders = NULL;

        if (!efi || fallback)
                return;
        folders = tn_esp_find_folders(env);
        if (folders->len != 1) {
                g_ptr_array_add(
                        notes, g_strdup_printf("/%s/BOOT/%s is missing, and is not made: %s; copy your boot "
                                               "loader there (grub-install --removable, bootctl install)",
                                               efi, tn_esp_fallback_name(env),
                                               folders->len ? "there is more than one boot loader"
                                                            : "no boot loader is known here"));
                return;
        }
        copy_folder(env, g_ptr_array_index(folders, 0), efi, changes);
        g_ptr_array_add(notes,
                        g_strdup_printf("updates do not reach the copy in /%s/BOOT: after the move, let the "
                                        "boot loader install itself anew (Debian: dpkg-reconfigure "
                                        "grub-efi-amd64, and say yes to the removable media path)",
                                        efi));
}
