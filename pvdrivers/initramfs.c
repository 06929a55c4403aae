/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Where in its file an image is: all of it, but for a bootconfig behind it; or a section of a unified kernel
 * image. What is in it is read by initramfs-scan.c.
 */
#include "pvdrivers/initramfs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "pvdrivers/initramfs-scan.h"
#include "pvdrivers/pe.h"

#define BOOTCONFIG      "#BOOTCONFIG\n"
#define BOOTCONFIG_TAIL 20 /* bytes behind its text */

/* An image in its file, when it is not all of it. */
struct range {
        uint64_t begin, end;
};

/* bootconfig(8) appends itself: its text, length, checksum and a magic. */
static void leave_bootconfig(const uint8_t *tail, struct range *range)
{
        uint32_t size;

        memcpy(&size, tail, sizeof size);
        size = GUINT32_FROM_LE(size);
        if (memcmp(tail + 8, BOOTCONFIG, strlen(BOOTCONFIG)) == 0 && size <= range->end - BOOTCONFIG_TAIL)
                range->end -= BOOTCONFIG_TAIL + size;
}

static bool find_range(const uint8_t *head, size_t head_len, const uint8_t *tail, struct range *range,
                       GError **error)
{
        struct tn_pe_section section;

        if (range->end > TN_INITRAMFS_IMAGE_MAX)
                return tn_error_set(error, TN_ERROR_LIMIT, "it is larger than %llu bytes",
                                    TN_INITRAMFS_IMAGE_MAX);
        if (range->end >= BOOTCONFIG_TAIL)
                leave_bootconfig(tail, range);
        if (!tn_pe_check(head, head_len))
                return true;
        if (!tn_pe_find_section(head, head_len, ".initrd", &section))
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "it is a program without a section .initrd: no unified kernel image");
        if (section.offset > range->end || section.size > range->end - section.offset)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "its section .initrd is cut off; make the image anew");
        *range = (struct range){section.offset, section.offset + (uint64_t) section.size};
        return true;
}

static bool pread_all(int fd, uint8_t *into, size_t len, uint64_t at, GError **error)
{
        while (len > 0) {
                ssize_t n = pread(fd, into, len, (off_t) at);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return tn_error_errno(error, errno, "read");
                if (n == 0)
                        return tn_error_set(error, TN_ERROR_BUSY, "it became shorter; try again");
                into += n;
                at += (uint64_t) n;
                len -= (size_t) n;
        }
        return true;
}

static bool find_file_range(int fd, struct range *ret, GError **error)
{
        uint8_t head[TN_PE_HEAD_MAX], tail[BOOTCONFIG_TAIL];
        struct stat st;
        size_t head_len, tail_len;

        if (fstat(fd, &st) < 0)
                return tn_error_errno(error, errno, "stat");
        if (!S_ISREG(st.st_mode))
                return tn_error_set(error, TN_ERROR_INVALID, "it is no regular file");
        *ret = (struct range){0, (uint64_t) st.st_size};
        head_len = (size_t) MIN(ret->end, sizeof head);
        tail_len = (size_t) MIN(ret->end, sizeof tail);
        return pread_all(fd, head, head_len, 0, error) &&
               pread_all(fd, tail, tail_len, ret->end - tail_len, error) &&
               find_range(head, head_len, tail, ret, error);
}

struct tn_initramfs *tn_initramfs_read(const struct tn_env *env, const char *path, GError **error)
{
        struct tn_initramfs_source source;
        struct tn_initramfs *initramfs;
        struct range range;
        tn_autofd int fd = tn_env_open(env, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, error);

        if (fd < 0)
                return NULL;
        if (!find_file_range(fd, &range, error)) {
                g_prefix_error(error, "/%s: ", path);
                return NULL;
        }
        tn_initramfs_source_init(&source, tn_fd_steal(&fd), range.begin, range.end);
        initramfs = tn_initramfs_scan(path, &source, error);
        if (initramfs)
                initramfs->size = range.end - range.begin;
        return initramfs;
}

struct tn_initramfs *tn_initramfs_parse(const char *path, const void *bytes, size_t len, GError **error)
{
        const uint8_t *head = bytes;
        struct tn_initramfs_source source;
        struct tn_initramfs *initramfs;
        struct range range = {0, len};

        if (len == 0)
                head = (const uint8_t *) ""; /* an empty image is bytes, too: NULL has no tail */
        if (!find_range(head, MIN(len, TN_PE_HEAD_MAX),
                        head + (len < BOOTCONFIG_TAIL ? 0 : len - BOOTCONFIG_TAIL), &range, error)) {
                g_prefix_error(error, "/%s: ", path);
                return NULL;
        }
        tn_initramfs_source_init_memory(&source, head, range.begin, range.end);
        initramfs = tn_initramfs_scan(path, &source, error);
        if (initramfs)
                initramfs->size = range.end - range.begin;
        return initramfs;
}
