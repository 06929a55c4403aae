/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Base64 by tables: the encoder turns 12 bits into two characters at once, the decoder adds up four
 * table values for each group, in which one high bit says that any of the four was not a digit. Only then
 * it looks at single characters. The tables are made on first use; there is one thread.
 */
#include "lib/base64.h"

#include <string.h>

#include "lib/error.h"

#define BAD         0x80000000U
/* Input characters of one step where the bytes are not wanted. */
#define CHECK_PIECE 16384
#define BLOCK       64 /* characters that are checked at once */

static const char digits[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char pairs[4096][2];     /* 12 bits → two digits */
static uint32_t values[4][256]; /* digit at place 0…3 → its bits where they belong in the group, or BAD */
static bool ready;

static void prepare(void)
{
        if (ready)
                return;
        for (unsigned i = 0; i < G_N_ELEMENTS(pairs); i++) {
                pairs[i][0] = digits[i >> 6];
                pairs[i][1] = digits[i & 63];
        }
        for (unsigned place = 0; place < 4; place++) {
                for (unsigned c = 0; c < 256; c++)
                        values[place][c] = BAD;
                for (uint32_t value = 0; value < 64; value++)
                        values[place][(unsigned char) digits[value]] = value << (18 - 6 * place);
        }
        ready = true;
}

static char *put_group(char *out, uint32_t group)
{
        memcpy(out, pairs[group >> 12], 2);
        memcpy(out + 2, pairs[group & 4095], 2);
        return out + 4;
}

size_t tn_base64_encode(const void *bytes, size_t len, char *out)
{
        const uint8_t *in = bytes;
        char *at = out;

        prepare();
        for (; len >= 6; len -= 6, in += 6) {
                uint64_t word = (uint64_t) in[0] << 40 | (uint64_t) in[1] << 32 | (uint64_t) in[2] << 24 |
                                (uint64_t) in[3] << 16 | (uint64_t) in[4] << 8 | in[5];

                at = put_group(at, (uint32_t) (word >> 24));
                at = put_group(at, word & 0xFFFFFF);
        }
        for (; len > 0; len -= MIN(len, 3), in += 3) {
                uint32_t group = (uint32_t) in[0] << 16 | (len > 1 ? (uint32_t) in[1] << 8 : 0) |
                                 (len > 2 ? in[2] : 0);

                at = put_group(at, group);
                if (len < 3)
                        at[-1] = '=';
                if (len < 2)
                        at[-2] = '=';
        }
        return (size_t) (at - out);
}

void tn_base64_append(GString *out, const void *bytes, size_t len)
{
        size_t used = out->len;

        g_string_set_size(out, used + TN_BASE64_SIZE(len));
        (void) tn_base64_encode(bytes, len, out->str + used);
}

static uint8_t *put_bytes(uint8_t *out, uint32_t group, unsigned count)
{
        out[0] = (uint8_t) (group >> 16);
        if (count > 1)
                out[1] = (uint8_t) (group >> 8);
        if (count > 2)
                out[2] = (uint8_t) group;
        return out + count;
}

/* Whole groups of digits; returns how many characters that were. */
static size_t decode_groups(const char *text, size_t len, uint8_t **out)
{
        const unsigned char *in = (const unsigned char *) text;
        uint8_t *at = *out;
        size_t i = 0;

        for (; i + 4 <= len; i += 4) {
                uint32_t group = values[0][in[i]] | values[1][in[i + 1]] | values[2][in[i + 2]] |
                                 values[3][in[i + 3]];

                if (group & BAD)
                        break;
                at = put_bytes(at, group, 3);
        }
        *out = at;
        return i;
}

/* One character, wherever it stands. False: it may not stand there. */
static bool decode_character(struct tn_base64_decoder *decoder, unsigned char c, uint8_t **out)
{
        if (c == '\n' || c == '\r')
                return true;
        if (decoder->ended)
                return false;
        if (c == '=' && decoder->digits >= 2) {
                decoder->padding++;
        } else {
                if (decoder->padding > 0 || values[0][c] & BAD)
                        return false;
                decoder->bits |= values[decoder->digits++][c];
        }
        if (decoder->digits + decoder->padding < 4)
                return true;
        *out = put_bytes(*out, decoder->bits, decoder->digits - 1);
        *decoder = (struct tn_base64_decoder){.ended = decoder->padding > 0};
        return true;
}

bool tn_base64_decode_piece(struct tn_base64_decoder *decoder, const char *text, size_t len, uint8_t *out,
                            size_t *ret_len, GError **error)
{
        uint8_t *at = out;
        size_t i = 0;

        prepare();
        while (i < len) {
                if (decoder->digits == 0 && !decoder->ended)
                        i += decode_groups(text + i, len - i, &at);
                if (i < len && !decode_character(decoder, (unsigned char) text[i++], &at))
                        return tn_error_set(error, TN_ERROR_INVALID,
                                            "Base64 data contains invalid characters");
        }
        *ret_len = (size_t) (at - out);
        return true;
}

bool tn_base64_decode_end(const struct tn_base64_decoder *decoder, GError **error)
{
        if (decoder->digits > 0)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "Base64 data is incomplete: it ends within a group of four characters");
        return true;
}

typedef signed char vector_t __attribute__((vector_size(16)));

/* How many characters from here are digits, in blocks: all of them, mostly. With bit 5 set all letters are
 * small ones, and '/' stands before '0'. */
static size_t digit_blocks(const char *text, size_t len)
{
        size_t i = 0;

        for (; i + BLOCK <= len; i += BLOCK) {
                vector_t v[BLOCK / sizeof(vector_t)], digits_only = {0};
                uint64_t halves[2];

                memcpy(v, text + i, BLOCK);
                digits_only = ~digits_only;
                for (size_t j = 0; j < G_N_ELEMENTS(v); j++) {
                        vector_t small = v[j] | 0x20;

                        digits_only &= ((small >= 'a') & (small <= 'z')) | ((v[j] >= '/') & (v[j] <= '9')) |
                                       (v[j] == '+');
                }
                memcpy(halves, &digits_only, sizeof halves);
                if ((halves[0] & halves[1]) != UINT64_MAX)
                        break;
        }
        return i;
}

bool tn_base64_check(const char *text, size_t len, size_t *ret_bytes, GError **error)
{
        struct tn_base64_decoder decoder = {0};
        uint8_t scratch[TN_BASE64_BYTES(CHECK_PIECE)];
        size_t sum = 0;

        for (size_t i = 0; i < len;) {
                size_t piece, n = 0;

                if (decoder.digits == 0 && !decoder.ended)
                        n = digit_blocks(text + i, len - i);
                sum += n / 4 * 3;
                i += n;
                piece = MIN(CHECK_PIECE, len - i);
                if (!tn_base64_decode_piece(&decoder, text + i, piece, scratch, &n, error))
                        return false;
                sum += n;
                i += piece;
        }
        if (!tn_base64_decode_end(&decoder, error))
                return false;
        *ret_bytes = sum;
        return true;
}

bool tn_base64_decode(const char *text, size_t len, uint8_t **ret, size_t *ret_len, GError **error)
{
        struct tn_base64_decoder decoder = {0};
        g_autofree uint8_t *bytes = g_malloc(TN_BASE64_BYTES(len) + 1);
        size_t n;

        if (!tn_base64_decode_piece(&decoder, text, len, bytes, &n, error) ||
            !tn_base64_decode_end(&decoder, error))
                return false;
        *ret = g_steal_pointer(&bytes);
        *ret_len = n;
        return true;
}
