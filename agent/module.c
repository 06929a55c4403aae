/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The check of a module's program headers against its size. Other mistakes in a module the loader finds
 * itself, and says so. */
#define _GNU_SOURCE
#include "agent/module.h"

#include <link.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"

static bool read_at(int fd, void *buffer, size_t len, uint64_t offset)
{
        return pread(fd, buffer, len, (off_t) offset) == (ssize_t) len;
}

static bool segments_fit(int fd, uint64_t size)
{
        ElfW(Ehdr) header;

        if (!read_at(fd, &header, sizeof header, 0) || memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
                return true; /* no module at all, which the loader will say */
        for (unsigned i = 0; i < header.e_phnum; i++) {
                ElfW(Phdr) segment;

                if (!read_at(fd, &segment, sizeof segment, header.e_phoff + i * sizeof segment))
                        return false;
                if (segment.p_type == PT_LOAD &&
                    (segment.p_offset > size || segment.p_filesz > size - segment.p_offset))
                        return false;
        }
        return true;
}

bool tn_module_check_whole(int fd, const char *path, GError **error)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return tn_error_errno(error, errno, "check %s", path);
        if (!segments_fit(fd, (uint64_t) st.st_size))
                return tn_error_set(error, TN_ERROR_INVALID, "%s is cut off; install it again", path);
        return true;
}
