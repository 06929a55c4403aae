/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The format is that of Documentation/driver-api/early-userspace/buffer-format.rst of the kernel: a header
 * of 110 characters, the name with its NUL, zeros up to a multiple of 4, the body, zeros up to a multiple
 * of 4. All numbers are 8 hexadecimal digits. The last entry is called TRAILER!!!.
 *
 * The surprising thing: the kernel skips an entry with a bad name silently; here it is an error, for such an
 * archive is damaged and what it would do is not worth guessing.
 */
#include "pvdrivers/cpio.h"

#include <string.h>
#include <sys/stat.h>

#include "lib/error.h"

#define HEADER_LEN 110
#define TRAILER    "TRAILER!!!"

enum state { AT_HEADER, AT_NAME, AT_NAME_PADDING, AT_BODY, AT_BODY_PADDING, AT_END };

/* Numbers of the header, in their order. */
enum field {
        INO,
        MODE,
        UID,
        GID,
        NLINK,
        MTIME,
        FILESIZE,
        MAJOR,
        MINOR,
        RMAJOR,
        RMINOR,
        NAMESIZE,
        CHECK,
        FIELDS
};

struct tn_cpio {
        struct tn_cpio_sink sink;
        uint32_t name_max;
        enum state state;
        uint64_t offset;  /* in the archive */
        GByteArray *held; /* of the header or the name */
        char *name;       /* of the entry under way */
        bool checked;     /* the archive has checksums */
        uint32_t fields[FIELDS];
        uint32_t body_left;
        uint32_t sum;
};

struct tn_cpio *tn_cpio_new(const struct tn_cpio_sink *sink, uint32_t name_max)
{
        struct tn_cpio *cpio = g_new0(struct tn_cpio, 1);

        cpio->sink = *sink;
        cpio->name_max = name_max;
        cpio->held = g_byte_array_new();
        return cpio;
}

void tn_cpio_free(struct tn_cpio *cpio)
{
        if (!cpio)
                return;
        g_byte_array_unref(cpio->held);
        g_free(cpio->name);
        g_free(cpio);
}

bool tn_cpio_ended(const struct tn_cpio *cpio)
{
        return cpio->state == AT_END;
}

uint64_t tn_cpio_offset(const struct tn_cpio *cpio)
{
        return cpio->offset;
}

static bool parse_number(const uint8_t *text, uint32_t *ret)
{
        uint32_t value = 0;

        for (size_t i = 0; i < 8; i++) {
                int digit = g_ascii_xdigit_value((char) text[i]);

                if (digit < 0)
                        return false;
                value = value << 4 | (uint32_t) digit;
        }
        *ret = value;
        return true;
}

static bool parse_header(struct tn_cpio *cpio, GError **error)
{
        const uint8_t *header = cpio->held->data;

        if (memcmp(header, "070701", 6) != 0 && memcmp(header, "070702", 6) != 0)
                return tn_error_set(
                        error, TN_ERROR_INVALID,
                        memcmp(header, "070707", 6) == 0
                                ? "a cpio archive of the old kind (odc), which the kernel does not take"
                                : "no header of a cpio archive where one should be");
        for (size_t i = 0; i < FIELDS; i++)
                if (!parse_number(header + 6 + 8 * i, &cpio->fields[i]))
                        return tn_error_set(error, TN_ERROR_INVALID,
                                            "a header of a cpio archive has a bad number");
        if (cpio->fields[NAMESIZE] == 0 || cpio->fields[NAMESIZE] > cpio->name_max)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "an entry's name has %u bytes, allowed are 1 to %u",
                                    cpio->fields[NAMESIZE], cpio->name_max);
        cpio->checked = header[5] == '2';
        cpio->state = AT_NAME;
        return true;
}

/* How many zeros follow. */
static size_t padding(const struct tn_cpio *cpio)
{
        return (size_t) (-cpio->offset & 3);
}

static bool end_entry(struct tn_cpio *cpio, GError **error)
{
        if (cpio->checked && S_ISREG(cpio->fields[MODE]) && cpio->sum != cpio->fields[CHECK])
                return tn_error_set(error, TN_ERROR_INVALID, "the checksum of \"%s\" is wrong", cpio->name);
        cpio->state = AT_BODY_PADDING;
        return cpio->sink.end(cpio->sink.data, error);
}

static bool parse_name(struct tn_cpio *cpio, GError **error)
{
        const char *name = (const char *) cpio->held->data;
        size_t size = cpio->fields[NAMESIZE];

        if (name[size - 1] != '\0' || strlen(name) != size - 1)
                return tn_error_set(error, TN_ERROR_INVALID, "an entry's name does not end where it should");
        g_free(cpio->name);
        cpio->name = g_strdup(name);
        cpio->body_left = cpio->fields[FILESIZE];
        cpio->sum = 0;
        cpio->state = AT_NAME_PADDING;
        return true;
}

static bool begin_body(struct tn_cpio *cpio, GError **error)
{
        struct tn_cpio_entry entry = {cpio->name, cpio->fields[MODE], cpio->fields[FILESIZE]};

        if (strcmp(cpio->name, TRAILER) == 0) {
                cpio->state = AT_END;
                return true;
        }
        cpio->state = AT_BODY;
        if (!cpio->sink.entry(cpio->sink.data, &entry, error))
                return false;
        return cpio->body_left > 0 || end_entry(cpio, error);
}

/* Collects up to @wanted bytes; true when they are all there. */
static bool hold(struct tn_cpio *cpio, size_t wanted, const uint8_t *bytes, size_t len, size_t *ret_used)
{
        *ret_used = MIN(wanted - cpio->held->len, len);
        g_byte_array_append(cpio->held, bytes, (guint) *ret_used);
        return cpio->held->len == wanted;
}

static bool take_header(struct tn_cpio *cpio, const uint8_t *bytes, size_t len, size_t *ret_used,
                        GError **error)
{
        if (!hold(cpio, HEADER_LEN, bytes, len, ret_used))
                return true;
        if (!parse_header(cpio, error))
                return false;
        g_byte_array_set_size(cpio->held, 0);
        return true;
}

static bool take_name(struct tn_cpio *cpio, const uint8_t *bytes, size_t len, size_t *ret_used,
                      GError **error)
{
        if (!hold(cpio, cpio->fields[NAMESIZE], bytes, len, ret_used))
                return true;
        if (!parse_name(cpio, error))
                return false;
        g_byte_array_set_size(cpio->held, 0);
        return true;
}

static bool take_body(struct tn_cpio *cpio, const uint8_t *bytes, size_t len, size_t *ret_used,
                      GError **error)
{
        size_t n = MIN(cpio->body_left, len);

        if (n == 0)
                return true;
        if (cpio->checked)
                for (size_t i = 0; i < n; i++)
                        cpio->sum += bytes[i];
        *ret_used = n;
        cpio->body_left -= (uint32_t) n;
        if (!cpio->sink.body(cpio->sink.data, bytes, n, error))
                return false;
        return cpio->body_left > 0 || end_entry(cpio, error);
}

/* One step: takes at least one byte, or changes the state. */
static bool step(struct tn_cpio *cpio, const uint8_t *bytes, size_t len, size_t *ret_used, GError **error)
{
        size_t left;

        *ret_used = 0;
        switch (cpio->state) {
        case AT_HEADER:
                return take_header(cpio, bytes, len, ret_used, error);
        case AT_NAME:
                return take_name(cpio, bytes, len, ret_used, error);
        case AT_NAME_PADDING:
        case AT_BODY_PADDING:
                left = padding(cpio);
                *ret_used = MIN(left, len);
                if (*ret_used < left)
                        return true;
                if (cpio->state == AT_NAME_PADDING)
                        return begin_body(cpio, error);
                cpio->state = AT_HEADER;
                return true;
        case AT_BODY:
                return take_body(cpio, bytes, len, ret_used, error);
        case AT_END:
        default:
                return true;
        }
}

bool tn_cpio_push(struct tn_cpio *cpio, const uint8_t *bytes, size_t len, size_t *ret_used, GError **error)
{
        size_t used = 0;

        if (cpio->state == AT_END) {
                cpio->state = AT_HEADER;
                cpio->offset = 0;
        }
        while (cpio->state != AT_END) {
                enum state before = cpio->state;
                size_t n;

                if (!step(cpio, bytes + used, len - used, &n, error))
                        return false;
                used += n;
                cpio->offset += n;
                if (n == 0 && cpio->state == before)
                        break;
        }
        *ret_used = used;
        return true;
}
