/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * grub.cfg as grub-mkconfig writes it: menuentry and submenu blocks, `linux` and `initrd` lines in them,
 * `set default=`. It is a script, but what decides is written in these few forms. The default is a number
 * ("0", "1>2" with submenus), a title or an id; "${saved_entry}" stands in the environment block.
 */
#include <string.h>

#include "pvdrivers/boot-private.h"
#include "pvdrivers/textfile.h"

#define SUBMENUS_MAX 8

struct menu {
        char *level;    /* as in tn_boot_entry; NULL for the top */
        unsigned count; /* entries and submenus in it */
        int depth;      /* of braces outside of it */
};

struct parse {
        struct tn_boot_reader *reader;
        const char *file; /* grub.cfg */
        struct menu menus[SUBMENUS_MAX];
        int menu, depth, entry_depth;
        struct tn_boot_entry *entry;
        char *chosen; /* of `set default=` */
        unsigned chosen_at;
        bool bls; /* entries are in BLS files */
        GPtrArray *variables;
        char *variables_file;
};

static const char *const configs[] = {"boot/grub/grub.cfg", "boot/grub2/grub.cfg"};

static char *find_config(const struct tn_env *env)
{
        for (size_t i = 0; i < G_N_ELEMENTS(configs); i++)
                if (tn_env_exists(env, configs[i]))
                        return g_strdup(configs[i]);
        g_auto(GStrv) vendors = tn_env_list(env, "boot/efi/EFI");

        for (size_t i = 0; vendors && vendors[i]; i++) {
                char *path = g_strdup_printf("boot/efi/EFI/%s/grub.cfg", vendors[i]);

                if (tn_env_exists(env, path))
                        return path;
                g_free(path);
        }
        return NULL;
}

GPtrArray *tn_boot_grub_variables(const struct tn_env *env, char **ret_file)
{
        static const char *const files[] = {"boot/grub/grubenv", "boot/grub2/grubenv"};

        for (size_t i = 0; i < G_N_ELEMENTS(files); i++)
                if (tn_env_exists(env, files[i])) {
                        *ret_file = g_strdup(files[i]);
                        return tn_textfile_read(env, files[i]);
                }
        *ret_file = g_strdup("grubenv");
        return tn_textfile_parse("");
}

/* The text between quotes at @text, or its first word. */
static char *quoted(const char *text)
{
        char quote = *text == '\'' || *text == '"' ? *text : '\0';
        const char *end = quote ? strchr(text + 1, quote) : text + strcspn(text, " \t{");

        return quote ? g_strndup(text + 1, end ? (gsize) (end - text - 1) : strlen(text + 1))
                     : g_strndup(text, (gsize) (end - text));
}

/* menuentry 'Title' … --id x, or $menuentry_id_option 'x' */
static char *id_of(const char *text)
{
        static const char *const marks[] = {"$menuentry_id_option ", "--id ", "--id="};

        for (size_t i = 0; i < G_N_ELEMENTS(marks); i++) {
                const char *at = strstr(text, marks[i]);

                if (at)
                        return quoted(at + strlen(marks[i]));
        }
        return NULL;
}

/* "NUMBER\nID\nTITLE" of the next entry or submenu of this menu. */
static char *next_level(struct menu *menu, const char *rest)
{
        g_autofree char *title = quoted(rest), *id = id_of(rest);

        return g_strdup_printf("%u\n%s\n%s", menu->count++, id ? id : title, title);
}

static void begin_entry(struct parse *parse, const struct tn_line *line, const char *rest)
{
        char *level = next_level(&parse->menus[parse->menu], rest);
        struct tn_boot_entry *entry = tn_boot_add(parse->reader, parse->file, line->number);

        if (!entry) {
                g_free(level);
                return;
        }
        entry->title = quoted(rest);
        entry->id = id_of(rest);
        for (int i = 1; i <= parse->menu; i++)
                g_ptr_array_add(entry->levels, g_strdup(parse->menus[i].level));
        g_ptr_array_add(entry->levels, level);
        parse->entry = entry;
        parse->entry_depth = parse->depth;
}

static void begin_menu(struct parse *parse, const char *rest)
{
        char *level = next_level(&parse->menus[parse->menu], rest);

        if (parse->menu + 1 < SUBMENUS_MAX)
                parse->menus[++parse->menu] = (struct menu){.level = level, .depth = parse->depth};
        else
                g_free(level);
}

static void end_menu(struct parse *parse)
{
        g_free(parse->menus[parse->menu--].level);
}

static void set_default(struct parse *parse, const struct tn_line *line, const char *value)
{
        g_autofree char *text = quoted(value);

        if (strstr(text, "next_entry")) /* for one boot only */
                return;
        g_free(parse->chosen);
        parse->chosen = g_steal_pointer(&text);
        parse->chosen_at = line->number;
}

/* The text behind @word and white space, or NULL. */
static const char *behind(const char *text, const char *word)
{
        size_t len = strlen(word);

        if (strncmp(text, word, len) != 0 || (text[len] != ' ' && text[len] != '\t'))
                return NULL;
        return text + len + strspn(text + len, " \t");
}

static void entry_line(struct parse *parse, const char *text)
{
        static const char *const kernels[] = {"linux", "linuxefi", "linux16"};
        static const char *const initrds[] = {"initrd", "initrdefi", "initrd16"};
        const char *rest;

        for (size_t i = 0; i < G_N_ELEMENTS(kernels); i++)
                if ((rest = behind(text, kernels[i]))) {
                        g_autofree char *path = g_strndup(rest, strcspn(rest, " \t"));

                        tn_boot_set_image(parse->reader, parse->entry, path);
                        g_free(parse->entry->options);
                        parse->entry->options = g_strstrip(g_strdup(rest + strlen(path)));
                }
        for (size_t i = 0; i < G_N_ELEMENTS(initrds); i++)
                if ((rest = behind(text, initrds[i])))
                        tn_boot_add_initrds(parse->reader, parse->entry, rest);
}

/* Braces that open or close blocks stand at the end or alone; "${name}" in between is balanced. */
static void count_braces(struct parse *parse, const char *text)
{
        for (; *text; text++)
                parse->depth += (*text == '{') - (*text == '}');
        if (parse->entry && parse->depth <= parse->entry_depth)
                parse->entry = NULL;
        while (parse->menu > 0 && parse->depth <= parse->menus[parse->menu].depth)
                end_menu(parse);
}

static void parse_line(struct parse *parse, const struct tn_line *line)
{
        const char *rest;

        if (parse->entry)
                entry_line(parse, line->text);
        else if ((rest = behind(line->text, "menuentry")))
                begin_entry(parse, line, rest);
        else if ((rest = behind(line->text, "submenu")))
                begin_menu(parse, rest);
        else if (g_str_has_prefix(line->text, "set default="))
                set_default(parse, line, line->text + strlen("set default="));
        else if (g_str_equal(line->text, "blscfg"))
                parse->bls = true;
        count_braces(parse, line->text);
}

/* Do the first parts of the entry's way fit "1>id>title"? */
static bool leads_to(const struct tn_boot_entry *entry, char **parts, guint count)
{
        if (entry->levels->len < count)
                return false;
        for (guint i = 0; i < count; i++) {
                g_auto(GStrv) names = g_strsplit(entry->levels->pdata[i], "\n", -1);

                if (!g_strv_contains((const char *const *) names, parts[i]))
                        return false;
        }
        return true;
}

/* The entry itself, or the first one of a submenu that was named. */
static const struct tn_boot_entry *find_entry(const struct tn_boot *boot, const char *chosen)
{
        g_auto(GStrv) parts = g_strsplit(chosen, ">", -1);
        guint count = g_strv_length(parts);
        const struct tn_boot_entry *inside = NULL;

        for (guint i = 0; i < boot->entries->len; i++) {
                const struct tn_boot_entry *entry = boot->entries->pdata[i];

                if (!leads_to(entry, parts, count))
                        continue;
                if (entry->levels->len == count)
                        return entry;
                inside = inside ? inside : entry;
        }
        return inside;
}

static void choose(struct parse *parse)
{
        struct tn_boot *boot = parse->reader->boot;
        g_autofree char *saved = tn_textfile_setting(parse->variables, "saved_entry", NULL);
        bool by_saved = parse->bls || (parse->chosen && strstr(parse->chosen, "saved_entry"));
        const char *wanted = by_saved ? saved : parse->chosen;
        const struct tn_boot_entry *entry = wanted && *wanted ? find_entry(boot, wanted) : NULL;

        if (entry && by_saved)
                tn_boot_choose(boot, entry, "/%s: saved_entry=%s", parse->variables_file, wanted);
        else if (entry)
                tn_boot_choose(boot, entry, "/%s line %u: default=%s", parse->file, parse->chosen_at,
                               wanted);
        else if (boot->entries->len > 0)
                tn_boot_choose(boot, boot->entries->pdata[0], "the first entry of /%s%s%s%s", parse->file,
                               wanted && *wanted ? "; there is no entry \"" : "",
                               wanted && *wanted ? wanted : "",
                               wanted && *wanted ? "\", which is the default" : "");
        else if (boot->denied)
                tn_boot_choose(boot, NULL, "/%s can be read by root only", parse->file);
}

bool tn_boot_grub_read(struct tn_boot_reader *reader)
{
        g_autofree char *file = find_config(reader->env);
        g_autoptr(GPtrArray) lines = NULL;
        struct parse parse = {.reader = reader, .file = file};

        if (!file)
                return false;
        lines = tn_textfile_try(reader->env, file, &reader->boot->denied);
        reader->boot->loader = "grub";
        parse.variables = tn_boot_grub_variables(reader->env, &parse.variables_file);
        for (guint i = 0; i < lines->len; i++)
                parse_line(&parse, lines->pdata[i]);
        while (parse.menu > 0)
                end_menu(&parse);
        if (parse.bls)
                parse.bls = tn_boot_bls_add(reader, "boot/loader/entries", parse.variables);
        choose(&parse);
        g_free(parse.chosen);
        g_free(parse.variables_file);
        g_ptr_array_unref(parse.variables);
        return true;
}
