/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * netplan's YAML, as far as it decides about names: the members of `ethernets:`, and `match:` and
 * `set-name:` below each, in block or in flow style ({macaddress: …}). Indentation tells what belongs to
 * what; nothing else of YAML is needed for that, and no YAML library links in for it.
 */
#include <string.h>

#include "pvdrivers/netconf.h"
#include "pvdrivers/textfile.h"

static const char *const patterns[] = {"etc/netplan/*.yaml", "run/netplan/*.yaml", "lib/netplan/*.yaml",
                                       "usr/lib/netplan/*.yaml"};

/* The card under way. */
struct card {
        char *id, *name, *mac, *set_name;
        unsigned line;
        bool by_other; /* matched by its driver alone */
};

struct parse {
        struct tn_netconf_list *list;
        const char *file;
        int ethernets;  /* indentation of `ethernets:`; -1: not inside */
        int card_depth; /* of the cards in it; -1: none seen */
        struct card card;
};

static void end_card(struct parse *parse)
{
        struct card *card = &parse->card;

        if (card->id) {
                const char *name = card->name ? card->name : (card->mac || card->by_other ? NULL : card->id);

                tn_netconf_add(parse->list, "netplan", name, card->mac, parse->file, card->line, false);
                if (card->mac && card->set_name) /* netplan writes a .link file of it */
                        tn_netconf_add(parse->list, "netplan", card->set_name, card->mac, parse->file,
                                       card->line, true);
        }
        g_free(card->id);
        g_free(card->name);
        g_free(card->mac);
        g_free(card->set_name);
        *card = (struct card){0};
}

/* The scalar behind @key (with its ':') in @text, or NULL. */
static char *scalar(const char *text, const char *key)
{
        const char *at = strstr(text, key);
        size_t len;
        char quote;

        if (!at || (at > text && g_ascii_isalpha(at[-1])) || (at > text && at[-1] == '-'))
                return NULL;
        at += strlen(key);
        at += strspn(at, " \t");
        quote = *at == '"' || *at == '\'' ? *at : '\0';
        len = quote ? strcspn(at + 1, quote == '"' ? "\"" : "'") : strcspn(at, " ,}#\r");
        return len > 0 ? g_strndup(quote ? at + 1 : at, len) : NULL;
}

static void take(char **place, char *value)
{
        if (!value)
                return;
        g_free(*place);
        *place = value;
}

static void card_line(struct card *card, const char *text)
{
        g_autofree char *driver = scalar(text, "driver:");

        take(&card->mac, scalar(text, "macaddress:"));
        take(&card->set_name, scalar(text, "set-name:"));
        take(&card->name, scalar(text, "name:"));
        card->by_other |= driver != NULL;
}

static void begin_card(struct parse *parse, const char *text, unsigned number)
{
        g_autofree char *id = g_strndup(text, strcspn(text, ":"));

        end_card(parse);
        g_strstrip(g_strdelimit(id, "\"'", ' '));
        parse->card.id = g_strdup(id);
        parse->card.line = number;
        card_line(&parse->card, strchr(text, ':') ? strchr(text, ':') + 1 : "");
}

static void parse_line(struct parse *parse, const char *raw, unsigned number)
{
        int depth = (int) strspn(raw, " ");
        const char *text = raw + depth;

        if (*text == '\0' || *text == '#' || *text == '\r')
                return;
        if (parse->ethernets >= 0 && depth <= parse->ethernets) {
                end_card(parse);
                parse->ethernets = parse->card_depth = -1;
        }
        if (parse->ethernets < 0) {
                if (g_str_has_prefix(text, "ethernets:"))
                        parse->ethernets = depth;
                return;
        }
        if (parse->card_depth < 0)
                parse->card_depth = depth;
        if (depth == parse->card_depth)
                begin_card(parse, text, number);
        else
                card_line(&parse->card, text);
}

static void read_file(struct tn_netconf_list *list, const struct tn_env *env, const char *path)
{
        struct parse parse = {.list = list, .file = path, .ethernets = -1, .card_depth = -1};
        g_autoptr(GPtrArray)
                seen = tn_netconf_lines(list, env, path); /* remembers what only root may read */
        g_autofree char *text = NULL;
        g_auto(GStrv) lines = NULL;

        if (seen->len == 0 || !tn_env_read(env, path, &text, NULL, NULL))
                return;
        lines = g_strsplit(text, "\n", -1);
        for (unsigned i = 0; lines[i]; i++)
                parse_line(&parse, lines[i], i + 1);
        end_card(&parse);
}

void tn_netconf_netplan(struct tn_netconf_list *list, const struct tn_env *env)
{
        for (size_t i = 0; i < G_N_ELEMENTS(patterns); i++) {
                g_autoptr(GPtrArray) paths = tn_textfile_glob(env, patterns[i]);

                for (guint j = 0; j < paths->len; j++)
                        read_file(list, env, paths->pdata[j]);
        }
}
