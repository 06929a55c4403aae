/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Segments of an image, one after the other, as init/initramfs.c of the kernel takes them: zeros are
 * skipped, '0' at a multiple of 4 begins an archive, anything else must be a compressor's magic. What a
 * compressor gives is again archives with zeros between them.
 */
#include "pvdrivers/initramfs.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "pvdrivers/cpio.h"
#include "pvdrivers/initramfs-collect.h"
#include "pvdrivers/initramfs-source.h"
#include "pvdrivers/kernel.h"
#include "pvdrivers/pe.h"
#include "pvdrivers/unpack.h"

#define PIECE      (64 * 1024) /* bytes that a decompressor gives at once */
#define FREE_RATIO (64U << 20) /* bytes unpacked that the limit on the ratio does not look at */

#define BOOTCONFIG      "#BOOTCONFIG\n"
#define BOOTCONFIG_TAIL 20 /* bytes behind its text */

struct scan {
        const char *path;
        struct tn_initramfs_source source;
        struct tn_initramfs_collect collect;
        struct tn_initramfs_segment segment; /* under way */
        struct tn_cpio *cpio;
        uint64_t begin;    /* of the image in the file */
        uint64_t unpacked; /* of all segments */
        bool in_archive;
        uint8_t piece[PIECE];
};

/* "segment 2 (xz) at byte 30720, 124 bytes into it". */
static void place(const struct scan *scan, GError **error)
{
        const struct tn_initramfs_segment *segment = &scan->segment;
        const char *remedy = g_error_matches(*error, TN_ERROR, TN_ERROR_INVALID)
                                     ? "; the image is damaged, cut off or of another kind: rebuild it"
                                     : "";
        g_autofree char *text = g_strdup((*error)->message);

        g_clear_pointer(&(*error)->message, g_free);
        (*error)->message = g_strdup_printf(
                "/%s: byte %" G_GUINT64_FORMAT " (segment %u, %s, begins at byte %" G_GUINT64_FORMAT
                ", %" G_GUINT64_FORMAT " bytes unpacked): %s%s",
                scan->path, scan->source.offset, scan->collect.into->segments->len + 1,
                segment->compressor ? segment->compressor : "unknown", segment->offset, segment->unpacked,
                text, remedy);
}

static bool cut_off(GError **error)
{
        return tn_error_set(error, TN_ERROR_INVALID, "the file ends in the middle");
}

static bool count_unpacked(struct scan *scan, size_t len, GError **error)
{
        uint64_t packed = scan->source.offset - scan->segment.offset + scan->source.len;

        scan->segment.unpacked += len;
        scan->unpacked += len;
        if (scan->unpacked > TN_INITRAMFS_UNPACKED_MAX)
                return tn_error_set(error, TN_ERROR_LIMIT, "it is larger than %llu bytes when unpacked",
                                    TN_INITRAMFS_UNPACKED_MAX);
        if (scan->segment.unpacked > FREE_RATIO &&
            (scan->segment.unpacked - FREE_RATIO) / TN_INITRAMFS_RATIO_MAX > packed)
                return tn_error_set(error, TN_ERROR_LIMIT,
                                    "it grows to more than %d times its size when unpacked",
                                    TN_INITRAMFS_RATIO_MAX);
        return true;
}

/* Archives, with zeros between them. */
static bool feed(struct scan *scan, const uint8_t *bytes, size_t len, GError **error)
{
        while (len > 0) {
                size_t used = 1;

                if (!scan->in_archive && *bytes != 0) {
                        if (*bytes != '0')
                                return tn_error_set(error, TN_ERROR_INVALID,
                                                    "what it unpacks to is no cpio archive");
                        scan->in_archive = true;
                }
                if (scan->in_archive && !tn_cpio_push(scan->cpio, bytes, len, &used, error))
                        return false;
                scan->in_archive = scan->in_archive && !tn_cpio_ended(scan->cpio);
                bytes += used;
                len -= used;
        }
        return true;
}

static bool plain_segment(struct scan *scan, GError **error)
{
        do {
                size_t used;

                if (!tn_initramfs_source_fill(&scan->source, 1, error))
                        return false;
                if (scan->source.len == 0)
                        return cut_off(error);
                if (!tn_cpio_push(scan->cpio, scan->source.bytes, scan->source.len, &used, error))
                        return false;
                tn_initramfs_source_take(&scan->source, used);
                if (!count_unpacked(scan, used, error))
                        return false;
        } while (!tn_cpio_ended(scan->cpio));
        return true;
}

/* One step of the decompressor; *ret_moved: it took or gave something. */
static bool unpack_some(struct scan *scan, const struct tn_unpack_method *method, void *state,
                        bool *ret_moved, bool *ret_ended, GError **error)
{
        struct tn_initramfs_source *source = &scan->source;
        struct tn_unpack_io io = {
                .in = source->bytes,
                .in_len = source->len,
                .out = scan->piece,
                .out_len = PIECE,
                .last = tn_initramfs_source_last(source),
        };
        size_t given;

        if (!method->step(state, &io, error))
                return false;
        given = PIECE - io.out_len;
        *ret_moved = given > 0 || io.in_len < source->len;
        *ret_ended = io.ended;
        tn_initramfs_source_take(source, source->len - io.in_len);
        return count_unpacked(scan, given, error) && feed(scan, scan->piece, given, error);
}

static bool unpack_all(struct scan *scan, const struct tn_unpack_method *method, void *state, GError **error)
{
        bool moved, ended;

        do {
                if (!tn_initramfs_source_fill(&scan->source, 1, error) ||
                    !unpack_some(scan, method, state, &moved, &ended, error))
                        return false;
                if (moved || ended)
                        continue;
                if (tn_initramfs_source_last(&scan->source))
                        return cut_off(error);
                if (!tn_initramfs_source_fill(&scan->source, scan->source.len + 1, error))
                        return false;
        } while (!ended);
        if (scan->segment.unpacked == 0)
                return tn_error_set(error, TN_ERROR_INVALID, "there is nothing in it");
        return !scan->in_archive ||
               tn_error_set(error, TN_ERROR_INVALID, "the archive in it ends in the middle");
}

static bool packed_segment(struct scan *scan, GError **error)
{
        const struct tn_unpack_method *method = tn_unpack_find(scan->source.bytes,
                                                               MIN(scan->source.len, TN_UNPACK_MAGIC_MAX));
        void *state;
        bool ok;

        if (!method)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "neither a cpio archive nor a known compressor begins here");
        scan->segment.compressor = method->name;
        if (!method->open)
                return tn_error_set(error, TN_ERROR_UNSUPPORTED,
                                    "it is compressed with %s, which is not read here; %s", method->name,
                                    method->remedy);
        state = method->open();
        if (!state)
                return tn_error_set(error, TN_ERROR_FAILED,
                                    "the decompressor does not start: out of memory");
        ok = unpack_all(scan, method, state, error);
        method->close(state);
        return ok;
}

static bool skip_zeros(struct scan *scan, GError **error)
{
        do {
                if (!tn_initramfs_source_fill(&scan->source, 1, error))
                        return false;
                while (scan->source.len > 0 && scan->source.bytes[0] == 0)
                        tn_initramfs_source_take(&scan->source, 1);
        } while (scan->source.len == 0 && !tn_initramfs_source_last(&scan->source));
        return tn_initramfs_source_fill(&scan->source, TN_UNPACK_MAGIC_MAX, error);
}

static bool one_segment(struct scan *scan, GError **error)
{
        struct tn_initramfs *into = scan->collect.into;
        unsigned files_before = scan->collect.files;
        bool plain = scan->source.bytes[0] == '0' && (scan->source.offset - scan->begin) % 4 == 0;

        scan->segment = (struct tn_initramfs_segment){.compressor = plain ? "none" : NULL,
                                                      .offset = scan->source.offset};
        if (into->segments->len >= TN_INITRAMFS_SEGMENTS_MAX)
                return tn_error_set(error, TN_ERROR_LIMIT, "it has more than %d segments",
                                    TN_INITRAMFS_SEGMENTS_MAX);
        if (!(plain ? plain_segment(scan, error) : packed_segment(scan, error)))
                return false;
        scan->segment.size = scan->source.offset - scan->segment.offset;
        scan->segment.files = scan->collect.files - files_before;
        g_array_append_val(into->segments, scan->segment);
        return true;
}

static bool all_segments(struct scan *scan, GError **error)
{
        for (;;) {
                if (!skip_zeros(scan, error))
                        return false;
                if (scan->source.len == 0)
                        break;
                if (!one_segment(scan, error))
                        return false;
        }
        return scan->collect.into->segments->len > 0 ||
               tn_error_set(error, TN_ERROR_INVALID, "it has no segment: the image is empty");
}

/* Takes @source over. */
static struct tn_initramfs *run(const char *path, const struct tn_initramfs_source *source, GError **error)
{
        struct scan *scan = g_new0(struct scan, 1);
        struct tn_initramfs *initramfs = tn_initramfs_collect_begin(&scan->collect, path);
        struct tn_cpio_sink sink = tn_initramfs_collect_sink(&scan->collect);
        GError *why = NULL;

        scan->path = path;
        scan->source = *source;
        scan->begin = source->offset;
        scan->cpio = tn_cpio_new(&sink, TN_INITRAMFS_NAME_MAX);
        if (!all_segments(scan, &why))
                place(scan, &why);
        tn_initramfs_collect_end(&scan->collect);
        if (why) {
                g_propagate_error(error, why);
                g_clear_pointer(&initramfs, tn_initramfs_free);
        }
        tn_cpio_free(scan->cpio);
        tn_initramfs_source_deinit(&scan->source);
        g_free(scan);
        return initramfs;
}

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
        initramfs = run(path, &source, error);
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

        if (!find_range(head, MIN(len, TN_PE_HEAD_MAX),
                        head + (len < BOOTCONFIG_TAIL ? 0 : len - BOOTCONFIG_TAIL), &range, error)) {
                g_prefix_error(error, "/%s: ", path);
                return NULL;
        }
        tn_initramfs_source_init_memory(&source, head, range.begin, range.end);
        initramfs = run(path, &source, error);
        if (initramfs)
                initramfs->size = range.end - range.begin;
        return initramfs;
}
