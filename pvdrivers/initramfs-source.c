/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A window on a file, refilled by pread(), or on memory, which is all window from the start. */
#include "pvdrivers/initramfs-source.h"

#include <string.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

#define WINDOW (64 * 1024)

void tn_initramfs_source_init(struct tn_initramfs_source *source, int fd, uint64_t offset, uint64_t end)
{
        uint8_t *buffer = g_malloc(WINDOW);

        *source = (struct tn_initramfs_source){
                .bytes = buffer, .offset = offset, .end = end, .fd = fd, .buffer = buffer};
}

void tn_initramfs_source_init_memory(struct tn_initramfs_source *source, const uint8_t *bytes,
                                     uint64_t offset, uint64_t end)
{
        *source = (struct tn_initramfs_source){.bytes = bytes + offset,
                                               .len = (size_t) (end - offset),
                                               .offset = offset,
                                               .end = end,
                                               .fd = -1};
}

void tn_initramfs_source_deinit(struct tn_initramfs_source *source)
{
        tn_fd_close(&source->fd);
        g_clear_pointer(&source->buffer, g_free);
}

bool tn_initramfs_source_last(const struct tn_initramfs_source *source)
{
        return source->fd < 0 || source->offset + source->len >= source->end;
}

static bool read_some(struct tn_initramfs_source *source, GError **error)
{
        uint64_t at = source->offset + source->len;
        size_t room = (size_t) MIN(WINDOW - source->len, source->end - at);
        ssize_t n = pread(source->fd, source->buffer + source->len, room, (off_t) at);

        if (n < 0 && errno == EINTR)
                return true;
        if (n < 0)
                return tn_error_errno(error, errno, "read at byte %" G_GUINT64_FORMAT, at);
        if (n == 0) /* it became shorter */
                source->end = at;
        source->len += (size_t) n;
        return true;
}

bool tn_initramfs_source_fill(struct tn_initramfs_source *source, size_t wanted, GError **error)
{
        if (source->len >= wanted || tn_initramfs_source_last(source))
                return true;
        memmove(source->buffer, source->bytes, source->len);
        source->bytes = source->buffer;
        while (source->len < wanted && !tn_initramfs_source_last(source))
                if (!read_some(source, error))
                        return false;
        return true;
}

void tn_initramfs_source_take(struct tn_initramfs_source *source, size_t n)
{
        source->bytes += n;
        source->len -= n;
        source->offset += n;
}
