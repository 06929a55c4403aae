/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* One row for each generator: files that it leaves in its images, its program, its commands. */
#include "pvdrivers/generator.h"

#include "pvdrivers/textfile.h"

static const struct {
        const char *name;
        const char *marks[4]; /* files in an image */
        const char *programs[3];
        const char *add;     /* %m: the modules, one space between them */
        const char *rebuild; /* %k: the kernel's release */
} generators[_TN_GENERATOR_MAX + 1] = {
        [TN_GENERATOR_DRACUT] =
                {
                        .name = "dracut",
                        .marks = {"usr/lib/dracut", "lib/dracut", "usr/lib/dracut-lib.sh"},
                        .programs = {"usr/bin/dracut", "usr/sbin/dracut", "sbin/dracut"},
                        .add = "write add_drivers+=\" %m \" into /etc/dracut.conf.d/50-tenon.conf",
                        .rebuild = "dracut --force --kver %k",
                },
        [TN_GENERATOR_INITRAMFS_TOOLS] =
                {
                        .name = "initramfs-tools",
                        .marks = {"conf/initramfs.conf", "scripts/functions"},
                        .programs = {"usr/sbin/update-initramfs", "sbin/update-initramfs"},
                        .add = "put the lines %m into /etc/initramfs-tools/modules",
                        .rebuild = "update-initramfs -u -k %k",
                },
        [TN_GENERATOR_MKINITCPIO] =
                {
                        .name = "mkinitcpio",
                        .marks = {"buildconfig", "init_functions"},
                        .programs = {"usr/bin/mkinitcpio", "sbin/mkinitcpio"},
                        .add = "write MODULES+=(%m) into /etc/mkinitcpio.conf.d/50-tenon.conf",
                        .rebuild = "mkinitcpio -P",
                },
        [TN_GENERATOR_MKINITFS] =
                {
                        .name = "mkinitfs",
                        .marks = {"usr/share/mkinitfs", "etc/mkinitfs", "sbin/nlplug-findfs",
                                  "usr/sbin/nlplug-findfs"},
                        .programs = {"sbin/mkinitfs", "usr/sbin/mkinitfs"},
                        .add = "list the files of %m in /etc/mkinitfs/features.d/tenon.modules and put "
                               "tenon into features= "
                               "of /etc/mkinitfs/mkinitfs.conf",
                        .rebuild = "mkinitfs %k",
                },
        [TN_GENERATOR_MAKE_INITRD] =
                {
                        .name = "make-initrd",
                        .marks = {"bin/initrd-sh-functions", "etc/initrd/cmdline.d", "lib/initrd"},
                        .programs = {"usr/sbin/make-initrd", "sbin/make-initrd"},
                        .add = "write MODULES_ADD += %m into /etc/initrd.mk",
                        .rebuild = "make-initrd -k %k",
                },
        [_TN_GENERATOR_MAX] =
                {
                        .name = "unknown",
                        .add = "have the tool that made the image put %m into it",
                        .rebuild = "make the image of %k anew",
                },
};

const char *tn_generator_name(enum tn_generator generator)
{
        return generators[generator].name;
}

static bool made(size_t generator, const struct tn_initramfs *image)
{
        for (size_t i = 0; i < G_N_ELEMENTS(generators[generator].marks) && generators[generator].marks[i];
             i++)
                if (tn_initramfs_has_file(image, generators[generator].marks[i]))
                        return true;
        return false;
}

static bool installed(size_t generator, const struct tn_env *env)
{
        for (size_t i = 0;
             i < G_N_ELEMENTS(generators[generator].programs) && generators[generator].programs[i]; i++)
                if (tn_env_exists(env, generators[generator].programs[i]))
                        return true;
        return false;
}

enum tn_generator tn_generator_find(const struct tn_env *env, const struct tn_initramfs *image)
{
        for (size_t i = 0; i < _TN_GENERATOR_MAX; i++)
                if (image ? made(i, image) : installed(i, env))
                        return i;
        return _TN_GENERATOR_MAX;
}

static char *fill(const char *format, const char *mark, const char *text)
{
        g_auto(GStrv) parts = g_strsplit(format, mark, -1);

        return g_strjoinv(text, parts);
}

char *tn_generator_rebuild(enum tn_generator generator, const char *release)
{
        return fill(generators[generator].rebuild, "%k", release);
}

char *tn_generator_remedy(enum tn_generator generator, const GPtrArray *modules, const char *release)
{
        g_autoptr(GString) names = g_string_new(NULL);
        g_autofree char *add = NULL, *rebuild = tn_generator_rebuild(generator, release);

        for (guint i = 0; i < modules->len; i++)
                g_string_append_printf(names, "%s%s", i > 0 ? " " : "", (const char *) modules->pdata[i]);
        add = fill(generators[generator].add, "%m", names->str);
        return g_strdup_printf("%s, then run: %s", add, rebuild);
}

/* Settings by which an image is made for this machine alone; the last file that has one counts. */
static const struct {
        enum tn_generator generator;
        const char *pattern, *key, *value;
} narrow[] = {
        {TN_GENERATOR_INITRAMFS_TOOLS, "etc/initramfs-tools/initramfs.conf", "MODULES", "dep"},
        {TN_GENERATOR_INITRAMFS_TOOLS, "etc/initramfs-tools/conf.d/*", "MODULES", "dep"},
        {TN_GENERATOR_DRACUT, "usr/lib/dracut/dracut.conf.d/*.conf", "hostonly", "yes"},
        {TN_GENERATOR_DRACUT, "etc/dracut.conf", "hostonly", "yes"},
        {TN_GENERATOR_DRACUT, "etc/dracut.conf.d/*.conf", "hostonly", "yes"},
};

char *tn_generator_reason(const struct tn_env *env, enum tn_generator generator)
{
        char *reason = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(narrow); i++) {
                g_autoptr(GPtrArray) paths = narrow[i].generator == generator
                                                     ? tn_textfile_glob(env, narrow[i].pattern)
                                                     : NULL;

                for (guint j = 0; paths && j < paths->len; j++) {
                        g_autofree char *value = tn_textfile_read_setting(env, paths->pdata[j],
                                                                          narrow[i].key);

                        if (!value)
                                continue;
                        g_clear_pointer(&reason, g_free);
                        if (g_str_equal(value, narrow[i].value))
                                reason = g_strdup_printf("%s=%s in /%s", narrow[i].key, value,
                                                         (const char *) paths->pdata[j]);
                }
        }
        return reason;
}
