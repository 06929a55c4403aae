/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A table of patterns, applied one after the other. Where a pattern can only propose, a function decides. */
#include "cli/mask.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

struct word {
        GRegex *regex;
        const char *instead; /* static */
};

struct tn_mask {
        GArray *words;       /* struct word */
        GHashTable *masks;   /* "kind text" → "kind-1" */
        GHashTable *numbers; /* kind → the last number */
        GRegex **patterns;   /* as many as rules */
        unsigned count;
};

/* True: it is what the pattern looked for. */
typedef bool (*judge_func)(const char *text);

static bool is_ipv4(const char *text)
{
        struct in_addr addr;

        if (inet_pton(AF_INET, text, &addr) != 1)
                return false;
        return addr.s_addr != htonl(INADDR_ANY) && ntohl(addr.s_addr) >> 24 != 127;
}

static bool is_ipv6(const char *text)
{
        struct in6_addr addr;

        if (inet_pton(AF_INET6, text, &addr) != 1)
                return false;
        return !IN6_IS_ADDR_LOOPBACK(&addr) && !IN6_IS_ADDR_UNSPECIFIED(&addr);
}

#define HEX   "[0-9A-Fa-f]"
/* A JSON string, a quoted word, or a word: what stands behind the name of a secret. */
#define VALUE "(\"(?:[^\"\\\\]|\\\\.)*\"|'[^']*'|[^\\s,;\"'{}\\[\\]]+)"

/* @kind NULL: becomes @instead, before which the first group is kept. */
static const struct rule {
        const char *pattern, *kind, *instead;
        judge_func judge;
} rules[] = {
        {"()-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\\z)", NULL, "<key>", NULL},
        {"()\\b(?:ssh-[a-z0-9]+|ecdsa-sha2-[a-z0-9-]+|sk-[a-z0-9@.-]+) AAAA[0-9A-Za-z+/=]+(?: "
         "[^\\s\"\\\\]+)?",
         NULL, "<key>", NULL},
        {"(\\b[a-z][a-z0-9+.-]*://)[^/\\s\"@]+(?=@)", NULL, "<secret>", NULL},
        {"(?i)((?:password|passwd|passphrase|passcode|secret|token|credentials?|api[-_]?key|private[-_]?key|"
         "crypted-password)\"?\\s*[:=]\\s*)" VALUE,
         NULL, "\"<secret>\"", NULL},
        {"(?i)(\"(?:serial|serial-number|wwn|wwid|nguid|eui64?|user|user-name)\"\\s*:\\s*)" VALUE, NULL,
         "\"<left out>\"", NULL},
        {"(?<!" HEX ")" HEX "{8}-" HEX "{4}-" HEX "{4}-" HEX "{4}-" HEX "{12}(?!" HEX ")", "uuid", NULL,
         NULL},
        {"(?<![0-9A-Fa-f:])(?:" HEX "{2}:){5}" HEX "{2}(?![0-9A-Fa-f:])", "mac", NULL, NULL},
        {"(?<![\\w:.])(?=[0-9A-Fa-f]*:[0-9A-Fa-f]*:)[0-9A-Fa-f:]+(?:\\.[0-9]+){0,3}", "address", NULL,
         is_ipv6},
        {"(?<![\\w.])[0-9]{1,3}(?:\\.[0-9]{1,3}){3}(?![\\w.]*\\w)", "address", NULL, is_ipv4},
        {"(?<=/home/)[^/\\s\"':,;]+", "user", NULL, NULL},
};

static void word_clear(void *data)
{
        g_regex_unref(((struct word *) data)->regex);
}

struct tn_mask *tn_mask_new(void)
{
        struct tn_mask *mask = g_new0(struct tn_mask, 1);

        mask->words = g_array_new(FALSE, FALSE, sizeof(struct word));
        g_array_set_clear_func(mask->words, word_clear);
        mask->masks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
        mask->numbers = g_hash_table_new(g_str_hash, g_str_equal);
        mask->patterns = g_new0(GRegex *, G_N_ELEMENTS(rules));
        for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
                g_autoptr(GError) error = NULL;

                mask->patterns[i] = g_regex_new(rules[i].pattern,
                                                G_REGEX_RAW | G_REGEX_DOTALL | G_REGEX_OPTIMIZE, 0, &error);
                if (!mask->patterns[i])
                        g_error("pattern %zu: %s", i, error->message);
        }
        return mask;
}

void tn_mask_free(struct tn_mask *mask)
{
        if (!mask)
                return;
        for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
                g_regex_unref(mask->patterns[i]);
        g_free(mask->patterns);
        g_array_free(mask->words, TRUE);
        g_hash_table_unref(mask->masks);
        g_hash_table_unref(mask->numbers);
        g_free(mask);
}

void tn_mask_word(struct tn_mask *mask, const char *word, const char *instead)
{
        g_autofree char *quoted = NULL, *pattern = NULL;
        struct word entry = {.instead = instead};

        if (!word || strlen(word) < 2)
                return;
        quoted = g_regex_escape_string(word, -1);
        pattern = g_strdup_printf("(?<![A-Za-z0-9])%s(?![A-Za-z0-9])", quoted);
        entry.regex = g_regex_new(pattern, G_REGEX_RAW | G_REGEX_CASELESS, 0, NULL);
        if (entry.regex)
                g_array_append_val(mask->words, entry);
}

/* "address-2" for the second address that was seen. Borrowed. */
static const char *mask_of(struct tn_mask *mask, const char *kind, const char *text)
{
        g_autofree char *lower = g_ascii_strdown(text, -1);
        char *key = g_strdup_printf("%s %s", kind, lower);
        const char *known = g_hash_table_lookup(mask->masks, key);
        guint number;
        char *made;

        if (known) {
                g_free(key);
                return known;
        }
        number = GPOINTER_TO_UINT(g_hash_table_lookup(mask->numbers, kind)) + 1;
        g_hash_table_insert(mask->numbers, (void *) kind, GUINT_TO_POINTER(number));
        made = g_strdup_printf("%s-%u", kind, number);
        g_hash_table_insert(mask->masks, key, made);
        return made;
}

struct replacing {
        struct tn_mask *mask;
        const struct rule *rule;
        const char *instead; /* of a word; then there is no rule */
};

static gboolean replace(const GMatchInfo *match, GString *out, void *data)
{
        const struct replacing *replacing = data;
        const struct rule *rule = replacing->rule;
        g_autofree char *text = g_match_info_fetch(match, 0);

        if (rule && rule->judge && !rule->judge(text)) {
                g_string_append(out, text);
                return FALSE;
        }
        replacing->mask->count++;
        if (!rule) {
                g_string_append(out, replacing->instead);
        } else if (rule->kind) {
                g_string_append(out, mask_of(replacing->mask, rule->kind, text));
        } else {
                g_autofree char *kept = g_match_info_fetch(match, 1);

                g_string_append_printf(out, "%s%s", kept, rule->instead);
        }
        return FALSE;
}

/* Takes @text. A pattern that gives up (a limit of PCRE's) must not let anything through. */
static char *apply(GRegex *regex, char *text, struct replacing *replacing)
{
        g_autofree char *owned = text;
        char *out = g_regex_replace_eval(regex, owned, -1, 0, 0, replace, replacing, NULL);

        return out ? out : g_strdup("<left out: it could not be searched>\n");
}

char *tn_mask_text(struct tn_mask *mask, const char *text)
{
        char *out = g_strdup(text);

        for (size_t i = 0; i < G_N_ELEMENTS(rules); i++)
                out = apply(mask->patterns[i], out, &(struct replacing){mask, &rules[i], NULL});
        for (guint i = 0; i < mask->words->len; i++) {
                const struct word *word = &g_array_index(mask->words, struct word, i);

                out = apply(word->regex, out, &(struct replacing){mask, NULL, word->instead});
        }
        return out;
}

unsigned tn_mask_count(const struct tn_mask *mask)
{
        return mask->count;
}
