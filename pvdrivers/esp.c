/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The EFI system partition: where it is, and its file for firmware without boot entries. */
#include "pvdrivers/esp.h"

static const char *const mounts[] = {"boot/efi", "efi", "boot"};

/* Folders below EFI that hold no boot loader of a Linux. */
static const char *const others[] = {"BOOT", "Microsoft", "tools"};

/* Boot loaders, best first. */
static const char *const loaders[] = {"shim%.efi", "grub%.efi", "systemd-boot%.efi"};

static const struct machine {
        const char *machine, *fallback, *suffix; /* uname -m, what the firmware knows, "%" above */
} machines[] = {
        {"x86_64", "BOOTX64.EFI", "x64"},
        {"aarch64", "BOOTAA64.EFI", "aa64"},
        {"i686", "BOOTIA32.EFI", "ia32"},
        {"riscv64", "BOOTRISCV64.EFI", "riscv64"},
};

static const struct machine *find_machine(const struct tn_env *env)
{
        for (size_t i = 0; i < G_N_ELEMENTS(machines); i++)
                if (g_str_equal(env->machine, machines[i].machine))
                        return &machines[i];
        return &machines[0];
}

const char *tn_esp_fallback_name(const struct tn_env *env)
{
        return find_machine(env)->fallback;
}

char *tn_esp_find_member(const struct tn_env *env, const char *folder, const char *name)
{
        g_auto(GStrv) names = tn_env_list(env, folder);

        for (size_t i = 0; names && names[i]; i++)
                if (g_ascii_strcasecmp(names[i], name) == 0)
                        return g_strdup_printf("%s/%s", folder, names[i]);
        return NULL;
}

char *tn_esp_find_named(const struct tn_env *env, const char *folder, const char *pattern)
{
        g_auto(GStrv) parts = g_strsplit(pattern, "%", -1);
        g_autofree char *name = g_strjoinv(find_machine(env)->suffix, parts);

        return tn_esp_find_member(env, folder, name);
}

const char *tn_esp_find(const struct tn_env *env)
{
        for (size_t i = 0; i < G_N_ELEMENTS(mounts); i++) {
                g_autofree char *efi = tn_esp_find_member(env, mounts[i], "EFI");

                if (efi)
                        return mounts[i];
        }
        return NULL;
}

bool tn_esp_hidden(const struct tn_env *env)
{
        g_auto(GStrv) names = tn_env_list(env, mounts[0]);

        return !names && tn_env_exists(env, mounts[0]);
}

char *tn_esp_find_fallback(const struct tn_env *env)
{
        for (size_t i = 0; i < G_N_ELEMENTS(mounts); i++) {
                g_autofree char *efi = tn_esp_find_member(env, mounts[i], "EFI");
                g_autofree char *boot = efi ? tn_esp_find_member(env, efi, "BOOT") : NULL;
                char *file = boot ? tn_esp_find_member(env, boot, tn_esp_fallback_name(env)) : NULL;

                if (file)
                        return file;
        }
        return NULL;
}

char *tn_esp_find_loader(const struct tn_env *env, const char *folder)
{
        char *found = NULL;

        for (size_t i = 0; !found && i < G_N_ELEMENTS(loaders); i++)
                found = tn_esp_find_named(env, folder, loaders[i]);
        return found;
}

static bool is_other(const char *name)
{
        for (size_t i = 0; i < G_N_ELEMENTS(others); i++)
                if (g_ascii_strcasecmp(name, others[i]) == 0)
                        return true;
        return false;
}

GPtrArray *tn_esp_find_folders(const struct tn_env *env)
{
        GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
        const char *esp = tn_esp_find(env);
        g_autofree char *efi = esp ? tn_esp_find_member(env, esp, "EFI") : NULL;
        g_auto(GStrv) names = efi ? tn_env_list(env, efi) : NULL;

        for (char **name = names; name && *name; name++) {
                g_autofree char *folder = g_strdup_printf("%s/%s", efi, *name);
                g_autofree char *loader = is_other(*name) ? NULL : tn_esp_find_loader(env, folder);

                if (loader)
                        g_ptr_array_add(found, g_steal_pointer(&folder));
        }
        return found;
}
