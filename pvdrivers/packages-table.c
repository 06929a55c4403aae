/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Which package of which distribution has the drivers that another one left out. Distributions split their
 * kernels in two ways: more modules for the same kernel (Ubuntu, Fedora, SUSE), or another kernel (Debian's
 * and Alpine's for clouds), which needs a reboot.
 */
#include <fnmatch.h>
#include <string.h>

#include "pvdrivers/catalogue.h"
#include "pvdrivers/packages.h"

static const struct tn_packages_candidate table[] = {
        /* Ubuntu: the kernel package has what most machines need; -kvm is a kernel without the rest. */
        {"ubuntu", "*-kvm", "linux-image-generic", .other_kernel = true},
        {"ubuntu", "*", "linux-modules-extra-%k"},
        {"ubuntu", "*", "virtualbox-guest-dkms", .modules = "vboxguest vboxsf vboxvideo",
         .with = "linux-headers-%k"},
        /* Debian's kernel for clouds drives paravirtual devices and NVMe; it has no emulated disk or card,
         * no watchdog and no graphics. */
        {"debian", "*-cloud-*", "linux-image-%a", .other_kernel = true},
        {"debian", "*", "virtualbox-guest-dkms", .modules = "vboxguest vboxsf vboxvideo",
         .with = "linux-headers-%k"},
        /* Fedora, RHEL and their relatives: core, modules, modules-extra; Oracle's own kernel likewise. */
        {"fedora", "*uek*", "kernel-uek-modules-%k"},
        {"fedora", "*uek*", "kernel-uek-modules-extra-%k"},
        {"fedora", "*", "kernel-modules-%k"},
        {"fedora", "*", "kernel-modules-extra-%k"},
        {"rhel", "*uek*", "kernel-uek-modules-extra-%k"},
        {"rhel", "*", "kernel-modules-%k"},
        {"rhel", "*", "kernel-modules-extra-%k"},
        {"amzn", "*", "kernel-modules-extra-%k"},
        /* SUSE: -base is a small part of the same kernel, which the whole one replaces. */
        {"suse", "*-default", "kernel-default"},
        {"suse", "*-default", "kernel-default-optional"},
        {"suse", "*-default", "kernel-default-extra"},
        {"suse", "*-kvmsmall", "kernel-default", .other_kernel = true},
        {"alpine", "*-virt", "linux-lts", .other_kernel = true},
};

/* uname -m → Debian's name in linux-image-NAME. */
static const char *debian_arch(const char *machine)
{
        static const struct {
                const char *machine, *name;
        } names[] = {
                {"x86_64", "amd64"},        {"aarch64", "arm64"}, {"i686", "686-pae"},
                {"ppc64le", "powerpc64le"}, {"s390x", "s390x"},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
                if (g_str_equal(names[i].machine, machine))
                        return names[i].name;
        return machine;
}

static char *fill(const char *pattern, const char *release, const char *arch)
{
        g_auto(GStrv) by_release = g_strsplit(pattern, "%k", -1);
        g_autofree char *with_release = g_strjoinv(release, by_release);
        g_auto(GStrv) by_arch = g_strsplit(with_release, "%a", -1);

        return g_strjoinv(arch, by_arch);
}

/* Value of @key in os-release, without quotes; "" when there is none. Free with g_free(). */
static char *os_release_value(const char *text, const char *key)
{
        g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
        size_t len = strlen(key);

        for (char **line = lines; *line; line++)
                if (strncmp(*line, key, len) == 0 && (*line)[len] == '=') {
                        char *value = g_strstrip(g_strdup(*line + len + 1));
                        size_t end = strlen(value);

                        if (end >= 2 && strchr("\"'", *value) && value[end - 1] == *value) {
                                memmove(value, value + 1, end - 2);
                                value[end - 2] = '\0';
                        }
                        return value;
                }
        return g_strdup("");
}

/* The distribution itself, then what it says it is like. Free with g_strfreev(). */
static char **families(const struct tn_env *env)
{
        g_autofree char *text = NULL, *own = NULL, *like = NULL, *words = NULL;

        if (!tn_env_read(env, "etc/os-release", &text, NULL, NULL) &&
            !tn_env_read(env, "usr/lib/os-release", &text, NULL, NULL))
                text = g_strdup("");
        own = os_release_value(text, "ID");
        like = os_release_value(text, "ID_LIKE");
        words = g_strdup_printf("%s %s", own, like);
        /* openSUSE's names are many; all say that they are like one of these two. */
        return g_strsplit(words, " ", -1);
}

static bool fits(const struct tn_packages_candidate *row, const char *family, const char *release,
                 const char *module)
{
        return g_str_equal(row->family, family) && fnmatch(row->release, release, 0) == 0 &&
               (!row->modules || tn_catalogue_list_has(row->modules, module));
}

static char **packages_of(const struct tn_packages_candidate *row, const char *release, const char *arch)
{
        char **names = g_new0(char *, 3);

        names[0] = fill(row->package, release, arch);
        names[1] = row->with ? fill(row->with, release, arch) : NULL;
        return names;
}

GPtrArray *tn_packages_candidates(const struct tn_env *env, const char *release, const char *module)
{
        g_auto(GStrv) words = families(env);
        GPtrArray *found = g_ptr_array_new_with_free_func((GDestroyNotify) g_strfreev);

        for (char **family = words; *family; family++) {
                guint before = found->len;

                for (size_t i = 0; i < G_N_ELEMENTS(table); i++)
                        if (fits(&table[i], *family, release, module))
                                g_ptr_array_add(found,
                                                packages_of(&table[i], release, debian_arch(env->machine)));
                /* What a distribution says of itself is nearer than what it is like. */
                if (found->len > before)
                        break;
        }
        return found;
}
