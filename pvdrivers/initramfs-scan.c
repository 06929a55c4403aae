/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Segments of an image, one after the other, as init/initramfs.c of the kernel takes them: zeros are
 * skipped, '0' at a multiple of 4 begins an archive, anything else must be a compressor's magic. What a
 * compressor gives is again archives with zeros between them.
 */
#include "pvdrivers/initramfs-scan.h"

#include "lib/error.h"
#include "pvdrivers/cpio.h"
#include "pvdrivers/initramfs-collect.h"
#include "pvdrivers/unpack.h"

#define PIECE      (64 * 1024) /* bytes that a decompressor gives at once */
#define FREE_RATIO (64U << 20) /* bytes unpacked that the limit on the ratio does not look at */

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

struct tn_initramfs *tn_initramfs_scan(const char *path, const struct tn_initramfs_source *source,
                                       GError **error)
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
