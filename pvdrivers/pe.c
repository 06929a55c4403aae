/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * MZ header, at byte 60 the place of the PE header: "PE\0\0", 20 bytes of COFF header, an optional header,
 * and 40 bytes for each section: name[8], size in memory, address, size in the file, offset in the file.
 */
#include "pvdrivers/pe.h"

#include <string.h>

#define COFF_LEN    24 /* with the magic */
#define SECTION_LEN 40

static uint32_t get32(const uint8_t *at)
{
        return (uint32_t) at[0] | (uint32_t) at[1] << 8 | (uint32_t) at[2] << 16 | (uint32_t) at[3] << 24;
}

static uint32_t get16(const uint8_t *at)
{
        return (uint32_t) at[0] | (uint32_t) at[1] << 8;
}

/* Offset of the PE header, or 0. */
static size_t find_header(const uint8_t *head, size_t len)
{
        size_t at;

        if (len < 64 || memcmp(head, "MZ", 2) != 0)
                return 0;
        at = get32(head + 60);
        if (at > len || len - at < COFF_LEN || memcmp(head + at, "PE\0\0", 4) != 0)
                return 0;
        return at;
}

bool tn_pe_check(const uint8_t *head, size_t len)
{
        return find_header(head, len) != 0;
}

bool tn_pe_find_section(const uint8_t *head, size_t len, const char *name, struct tn_pe_section *ret)
{
        size_t header = find_header(head, len), at;

        if (header == 0)
                return false;
        at = header + COFF_LEN + get16(head + header + 20);
        for (uint32_t i = get16(head + header + 6); i > 0 && at + SECTION_LEN <= len;
             i--, at += SECTION_LEN) {
                char found[9] = {0};

                memcpy(found, head + at, 8);
                if (strcmp(found, name) != 0)
                        continue;
                *ret = (struct tn_pe_section){
                        .offset = get32(head + at + 20),
                        .size = MIN(get32(head + at + 8), get32(head + at + 16)),
                };
                return true;
        }
        return false;
}
