/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * 15. Is there room in /boot for the images that are to be made anew? The old one of each stays as a backup
 * until the new one was read.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "lib/fd.h"
#include "pvdrivers/checks/check.h"

#define GROWTH_PERCENT 120 /* a new image, with the modules that were missing */

/* Of an image that cannot be read as one, too: it is the one that is to be made anew. */
static uint64_t size_of(const struct tn_env *env, const char *path)
{
        tn_autofd int fd = tn_env_open(env, path, O_PATH, NULL);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 ? (uint64_t) st.st_size : 0;
}

/* Bytes that the images to be made anew need, each beside its old one. */
static uint64_t needed(const struct tn_check_context *context, unsigned *ret_images)
{
        uint64_t bytes = 0;

        *ret_images = 0;
        for (guint i = 0; i < context->subjects->len; i++) {
                const struct tn_check_kernel *subject = context->subjects->pdata[i];

                for (guint j = 0; j < subject->paths->len; j++, (*ret_images)++)
                        bytes += size_of(context->env, subject->paths->pdata[j]) * GROWTH_PERCENT / 100;
        }
        return bytes;
}

/* Did the check of the images find one that has to be made anew? */
static bool rebuild_wanted(const struct tn_check_context *context)
{
        for (guint i = 0; i < context->plan->checks->len; i++) {
                const struct tn_check *check = context->plan->checks->pdata[i];

                if (strcmp(check->id, "initramfs") == 0 && check->verdict == TN_VERDICT_FATAL)
                        return true;
        }
        return false;
}

void tn_check_boot_space(struct tn_check_context *context)
{
        unsigned images;
        uint64_t wanted = needed(context, &images), there;
        tn_autofd int fd = tn_env_open(context->env, "boot", O_PATH | O_DIRECTORY, NULL);
        struct statvfs vfs;
        struct tn_check *check;

        if (fd < 0 || fstatvfs(fd, &vfs) < 0) {
                tn_check_add(context, TN_VERDICT_NOT_APPLICABLE, "there is no folder /boot");
                return;
        }
        there = (uint64_t) vfs.f_bavail * vfs.f_frsize;
        check = tn_check_add(
                context, there < wanted && rebuild_wanted(context) ? TN_VERDICT_LOSS : TN_VERDICT_READY,
                "/boot has %" G_GUINT64_FORMAT
                " MiB free; %u images made anew beside the old ones need %" G_GUINT64_FORMAT " MiB",
                there >> 20, images, (wanted + (1 << 20) - 1) >> 20);
        if (there < wanted)
                tn_check_set_remedy(check, "remove old kernels first: apt autoremove, dnf remove "
                                           "--oldinstallonly, zypper purge-kernels");
        if (vfs.f_flag & ST_RDONLY)
                tn_check_set_remedy(check, "/boot is mounted read-only: mount -o remount,rw /boot");
        tn_check_set_data(check, json_pack("{s:I, s:I, s:b}", "free", (json_int_t) there, "needed",
                                           (json_int_t) wanted, "read-only", (vfs.f_flag & ST_RDONLY) != 0));
}
