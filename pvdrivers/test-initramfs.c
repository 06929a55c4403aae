/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Images of every compressor, in segments, damaged and cut off. What a real tool makes of a real image is
 * compared in tests/guest; here each image is made by the libraries that tools use.
 */
#define _GNU_SOURCE
#include <bzlib.h>
#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#include "detect/test-folder.h"
#include "lib/error.h"
#include "pvdrivers/initramfs.h"

#define ROOM (1 << 20)

static void entry(GByteArray *out, const char *magic, const char *name, unsigned mode, const char *body)
{
        static const guint8 zeros[4];
        g_autofree char *header = NULL;
        size_t len = strlen(name) + 1, size = strlen(body);
        unsigned sum = 0;

        for (size_t i = 0; strcmp(magic, "070702") == 0 && i < size; i++)
                sum += (unsigned char) body[i];
        header = g_strdup_printf("%s%08x%08x%08x%08x%08x%08x%08zx%08x%08x%08x%08x%08zx%08x", magic, 1, mode,
                                 0, 0, 1, 0, size, 0, 0, 0, 0, len, sum);
        g_byte_array_append(out, (const guint8 *) header, 110);
        g_byte_array_append(out, (const guint8 *) name, (guint) len);
        g_byte_array_append(out, zeros, -out->len & 3);
        g_byte_array_append(out, (const guint8 *) body, (guint) size);
        g_byte_array_append(out, zeros, -out->len & 3);
}

static GByteArray *archive_of(const char *magic)
{
        GByteArray *out = g_byte_array_new();
        g_autofree char *large = g_strnfill(300000, 'x');

        entry(out, magic, ".", 0040755, "");
        entry(out, magic, "lib", 0120777, "usr/lib");
        entry(out, magic, "usr/lib/modules/6.1/kernel/drivers/block/virtio_blk.ko.xz", 0100644, "ELF");
        entry(out, magic, "./usr/lib/modules/6.1/kernel/net/9p/9pnet-virtio.ko.zst", 0100644, "ELF");
        entry(out, magic, "/nix/store/x/lib/modules/6.2/extra/a.ko.gz", 0100644, large);
        entry(out, magic, "usr/lib/modules/6.1/modules.dep", 0100644, "");
        entry(out, magic, "etc/fstab", 0100644, "/dev/sda1 / ext4\n");
        entry(out, magic, "usr/bin/text", 0100755, "not kept");
        entry(out, magic, "TRAILER!!!", 0, "");
        return out;
}

static GByteArray *archive(void)
{
        return archive_of("070701");
}

static GByteArray *early(void)
{
        GByteArray *out = g_byte_array_new();
        static const guint8 zeros[512];

        entry(out, "070701", "kernel/x86/microcode/GenuineIntel.bin", 0100644, "microcode");
        entry(out, "070701", "TRAILER!!!", 0, "");
        g_byte_array_append(out, zeros, -out->len & 511);
        return out;
}

/* Compressors: plain bytes in, at most ROOM bytes out. */
static size_t pack_none(const GByteArray *in, guint8 *out)
{
        memcpy(out, in->data, in->len);
        return in->len;
}

static size_t pack_gzip(const GByteArray *in, guint8 *out)
{
        z_stream stream = {.next_in = in->data, .avail_in = in->len, .next_out = out, .avail_out = ROOM};

        assert_int_equal(deflateInit2(&stream, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
        assert_int_equal(deflateEnd(&stream), Z_OK);
        return ROOM - stream.avail_out;
}

static size_t pack_xz(const GByteArray *in, guint8 *out)
{
        size_t len = 0;

        assert_int_equal(
                lzma_easy_buffer_encode(6, LZMA_CHECK_CRC32, NULL, in->data, in->len, out, &len, ROOM),
                LZMA_OK);
        return len;
}

static size_t pack_lzma(const GByteArray *in, guint8 *out)
{
        lzma_stream stream = LZMA_STREAM_INIT;
        lzma_options_lzma options;
        size_t len;

        assert_false(lzma_lzma_preset(&options, 6));
        assert_int_equal(lzma_alone_encoder(&stream, &options), LZMA_OK);
        stream.next_in = in->data;
        stream.avail_in = in->len;
        stream.next_out = out;
        stream.avail_out = ROOM;
        assert_int_equal(lzma_code(&stream, LZMA_FINISH), LZMA_STREAM_END);
        len = (size_t) stream.total_out;
        lzma_end(&stream);
        return len;
}

static size_t pack_zstd(const GByteArray *in, guint8 *out)
{
        size_t len = ZSTD_compress(out, ROOM, in->data, in->len, 3);

        assert_false(ZSTD_isError(len));
        return len;
}

static size_t pack_lz4(const GByteArray *in, guint8 *out)
{
        int len = LZ4_compress_default((const char *) in->data, (char *) out + 8, (int) in->len, ROOM - 8);
        const guint32 head[] = {GUINT32_TO_LE(0x184c2102), GUINT32_TO_LE((guint32) len)};

        assert_true(len > 0);
        memcpy(out, head, sizeof head);
        return (size_t) len + 8;
}

static size_t pack_bzip2(const GByteArray *in, guint8 *out)
{
        unsigned len = ROOM;

        assert_int_equal(BZ2_bzBuffToBuffCompress((char *) out, &len, (char *) in->data, in->len, 6, 0, 0),
                         BZ_OK);
        return len;
}

static const struct {
        const char *name;
        size_t (*pack)(const GByteArray *in, guint8 *out);
} compressors[] = {
        {"none", pack_none}, {"gzip", pack_gzip}, {"xz", pack_xz},       {"lzma", pack_lzma},
        {"zstd", pack_zstd}, {"lz4", pack_lz4},   {"bzip2", pack_bzip2},
};

/* @plain packed, behind the bytes of @before (may be NULL). */
static GByteArray *image_of(size_t compressor, const GByteArray *before, const GByteArray *plain)
{
        GByteArray *image = g_byte_array_new();
        g_autofree guint8 *room = g_malloc(ROOM);
        size_t len = compressors[compressor].pack(plain, room);

        if (before)
                g_byte_array_append(image, before->data, before->len);
        g_byte_array_append(image, room, (guint) len);
        return image;
}

static void check_contents(const struct tn_initramfs *image)
{
        assert_string_equal(tn_initramfs_find_module(image, "6.1", "virtio-blk"),
                            "usr/lib/modules/6.1/kernel/drivers/block/virtio_blk.ko.xz");
        assert_string_equal(tn_initramfs_find_module(image, "6.1", "9pnet_virtio"),
                            "usr/lib/modules/6.1/kernel/net/9p/9pnet-virtio.ko.zst");
        assert_non_null(tn_initramfs_find_module(image, "6.2", "a"));
        assert_null(tn_initramfs_find_module(image, "6.1", "a"));
        assert_true(tn_initramfs_has_release(image, "6.1"));
        assert_false(tn_initramfs_has_release(image, "6"));
        assert_true(tn_initramfs_has_file(image, "etc/fstab"));
        assert_false(tn_initramfs_has_file(image, "."));
        assert_string_equal(tn_initramfs_find_text(image, "etc/fstab"), "/dev/sda1 / ext4\n");
        assert_null(tn_initramfs_find_text(image, "usr/bin/text"));
        assert_string_equal(g_hash_table_lookup(image->links, "lib"), "usr/lib");
}

static void test_compressors(void **state)
{
        g_autoptr(GByteArray) plain = archive(), before = early();

        for (size_t i = 0; i < G_N_ELEMENTS(compressors); i++) {
                g_autoptr(GByteArray) image = image_of(i, before, plain);
                g_autoptr(GError) error = NULL;
                g_autoptr(tn_initramfs_t)
                        parsed = tn_initramfs_parse("image", image->data, image->len, &error);
                const struct tn_initramfs_segment *last;

                if (!parsed)
                        fail_msg("%s: %s", compressors[i].name, error->message);
                check_contents(parsed);
                assert_true(tn_initramfs_has_file(parsed, "kernel/x86/microcode/GenuineIntel.bin"));
                assert_int_equal(parsed->segments->len, 2);
                assert_string_equal(tn_initramfs_compressor(parsed), compressors[i].name);
                last = &g_array_index(parsed->segments, struct tn_initramfs_segment, 1);
                assert_int_equal(last->offset, before->len);
                assert_int_equal(last->unpacked, plain->len);
                assert_int_equal(last->files, 8);
                assert_int_equal(last->offset + last->size, image->len);
        }
}

/* Through a file and its window of 64 KiB; with padding behind. */
static void test_file(void **state)
{
        char *folder = folder_new();
        g_autoptr(GByteArray) plain = archive();
        static const guint8 zeros[1000];
        struct tn_env env;

        assert_true(tn_env_init_root(&env, folder, NULL));
        for (size_t i = 0; i < G_N_ELEMENTS(compressors); i++) {
                g_autoptr(GByteArray) image = image_of(i, NULL, plain);
                g_autoptr(tn_initramfs_t) parsed = NULL;

                g_byte_array_append(image, zeros, sizeof zeros);
                folder_write(folder, "boot/image", (const char *) image->data, image->len);
                parsed = tn_initramfs_read(&env, "boot/image", NULL);
                assert_non_null(parsed);
                check_contents(parsed);
                assert_int_equal(parsed->size, image->len);
        }
        tn_env_deinit(&env);
        folder_free(folder);
}

/* Cut off at every length: an error that names file and place, and never an image. */
static void test_cut_off(void **state)
{
        g_autoptr(GByteArray) small = g_byte_array_new();

        entry(small, "070701", "etc/fstab", 0100644, "x");
        entry(small, "070701", "TRAILER!!!", 0, "");
        for (size_t i = 0; i < G_N_ELEMENTS(compressors); i++) {
                g_autoptr(GByteArray) image = image_of(i, NULL, small);

                for (guint len = 0; len < image->len; len++) {
                        g_autoptr(GError) error = NULL;
                        g_autofree guint8 *copy = g_memdup2(image->data, len);
                        g_autoptr(tn_initramfs_t) parsed = tn_initramfs_parse("boot/i", copy, len, &error);

                        if (parsed)
                                fail_msg("%s cut off at %u of %u is read", compressors[i].name, len,
                                         image->len);
                        assert_true(g_str_has_prefix(error->message, "/boot/i: "));
                        assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_INVALID));
                        assert_non_null(strstr(error->message, "rebuild it"));
                }
        }
}

/* One byte changed in the middle of the packed data is noticed by the checksums of all but lz4 and lzma. */
static void test_damaged(void **state)
{
        g_autoptr(GByteArray) plain = archive();
        static const size_t checked[] = {1, 2, 6}; /* gzip, xz, bzip2 */

        for (size_t i = 0; i < G_N_ELEMENTS(checked); i++) {
                g_autoptr(GByteArray) image = image_of(checked[i], NULL, plain);
                g_autoptr(GError) error = NULL;

                image->data[image->len / 2] ^= 0x10;
                assert_null(tn_initramfs_parse("i", image->data, image->len, &error));
                assert_non_null(strstr(error->message, "segment 1"));
        }
}

static void test_checksums(void **state)
{
        g_autoptr(GByteArray) plain = archive_of("070702");
        g_autoptr(tn_initramfs_t) good = tn_initramfs_parse("i", plain->data, plain->len, NULL);
        g_autoptr(GError) error = NULL;
        guint8 *body = memmem(plain->data, plain->len, "not kept", 8);

        check_contents(good);
        body[0] = 'N';
        assert_null(tn_initramfs_parse("i", plain->data, plain->len, &error));
        assert_non_null(strstr(error->message, "the checksum of \"usr/bin/text\" is wrong"));
}

static void expect(const char *bytes, size_t len, enum tn_error code, const char *part)
{
        g_autoptr(GError) error = NULL;

        assert_null(tn_initramfs_parse("i", bytes, len, &error));
        if (!strstr(error->message, part) || error->code != (int) code)
                fail_msg("\"%s\" is not in \"%s\" (%d)", part, error->message, error->code);
}

static void test_foreign(void **state)
{
        g_autofree char *long_name = g_strdup_printf(
                "07070100000001000081a400000000000000000000000100000000%08x%s", 0,
                "0000000000000000000000000000000000100000"
                "00000000");

        expect("", 0, TN_ERROR_INVALID, "the image is empty");
        expect("\0\0\0\0", 4, TN_ERROR_INVALID, "the image is empty");
        expect("#!/bin/sh\n", 10, TN_ERROR_INVALID, "neither a cpio archive nor a known compressor");
        expect("0707", 4, TN_ERROR_INVALID, "the file ends in the middle");
        expect("070707aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
               "aaaaaaaaaaaaaaaaaaaaaaaaa",
               111, TN_ERROR_INVALID, "old kind (odc)");
        expect(long_name, strlen(long_name), TN_ERROR_INVALID, "name has 1048576 bytes");
        expect("\x89LZO\0\r\n\x1a\n....", 13, TN_ERROR_UNSUPPORTED, "lzop");
        expect("\x04\x22\x4d\x18....", 8, TN_ERROR_UNSUPPORTED, "lz4 -l");
        expect("\0\0"
               "070701",
               8, TN_ERROR_INVALID, "byte 2");
        expect("\x28\xb5\x2f\xfd"
               "aaaaaaaaaaaa",
               16, TN_ERROR_INVALID, "segment 1, zstd");
}

/* A small image that grows without end is stopped early. */
static void test_bomb(void **state)
{
        g_autofree guint8 *zeros = g_malloc0(100 << 20), *room = g_malloc(ROOM);
        g_autoptr(GError) error = NULL;
        size_t len = ZSTD_compress(room, ROOM, zeros, 100 << 20, 3);

        assert_false(ZSTD_isError(len));
        assert_null(tn_initramfs_parse("i", room, len, &error));
        assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_LIMIT));
        assert_non_null(strstr(error->message, "more than 1000 times its size"));
}

static void test_no_file(void **state)
{
        char *folder = folder_new();
        g_autoptr(GError) missing = NULL, directory = NULL;
        struct tn_env env;

        assert_true(tn_env_init_root(&env, folder, NULL));
        assert_null(tn_initramfs_read(&env, "boot/i", &missing));
        assert_true(g_error_matches(missing, TN_ERROR, TN_ERROR_NOT_FOUND));
        folder_mkdir(folder, "boot");
        assert_null(tn_initramfs_read(&env, "boot", &directory));
        assert_string_equal(directory->message, "/boot: it is no regular file");
        tn_env_deinit(&env);
        folder_free(folder);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(test_compressors), cmocka_unit_test(test_file),
                cmocka_unit_test(test_cut_off),     cmocka_unit_test(test_damaged),
                cmocka_unit_test(test_checksums),   cmocka_unit_test(test_foreign),
                cmocka_unit_test(test_bomb),        cmocka_unit_test(test_no_file),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
