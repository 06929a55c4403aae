/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Configuration reader. Values are kept as checked text and converted when asked for, so that there is one
 * store and `tenonctl config` prints what was written. The surprising thing: a mistake in [policy] sets
 * preset=locked, because a typing error must not open what an administrator wanted closed; and one in
 * [watchdog] sets its mode to a word that no file can have, for it must neither arm nor disarm anything.
 */
#include "agent/config.h"

#include <string.h>

#include "agent/config-groups.h"
#include "agent/config-qga.h"
#include "agent/config-value.h"
#include "lib/error.h"

#define COMMAND_LINE "command line"
#define MISTAKE      "a mistake in the configuration"

struct setting {
        char *value;
        char *origin;
};

/* A group that the administrator has given its name. */
struct named_group {
        char *file; /* the first one that has it */
        bool mistaken;
};

struct tn_config {
        GHashTable *settings; /* "group\nkey" → struct setting */
        GTree *named;         /* name of the group → struct named_group */
        GPtrArray *mistakes;  /* NULL-ended only when asked for */
        bool policy_mistaken, watchdog_mistaken;
};

static void setting_free(void *data)
{
        struct setting *setting = data;

        g_free(setting->value);
        g_free(setting->origin);
        g_free(setting);
}

static const struct setting *find(const struct tn_config *config, const char *group, const char *key)
{
        g_autofree char *name = g_strdup_printf("%s\n%s", group, key);

        return g_hash_table_lookup(config->settings, name);
}

static void store(struct tn_config *config, const char *group, const char *key, const char *value,
                  const char *origin)
{
        const struct tn_config_key *row = tn_config_table_find(group, key);
        struct setting *setting = g_new0(struct setting, 1);

        setting->value = g_strdup(tn_config_value_normal(row, value));
        setting->origin = g_strdup(origin);
        g_hash_table_insert(config->settings, g_strdup_printf("%s\n%s", group, key), setting);
}

/* The known name that was most likely meant, or NULL: the same letters but for one, or the same beginning.
 */
static const char *guess_key(const char *group, const char *key)
{
        for (size_t i = 0; i < tn_config_table_len; i++) {
                const struct tn_config_key *row = &tn_config_table[i];
                size_t same = 0, len = strlen(row->key);

                if (!tn_config_table_fits(row, group))
                        continue;
                while (key[same] && key[same] == row->key[same])
                        same++;
                if (same >= len / 2 && same > 1)
                        return row->key;
        }
        return NULL;
}

static char *known_names(const char *group)
{
        GString *names = g_string_new(NULL);
        const char *last = NULL;

        for (size_t i = 0; i < tn_config_table_len; i++) {
                const struct tn_config_key *row = &tn_config_table[i];
                const char *name = group ? row->key : row->group;

                if ((group && !tn_config_table_fits(row, group)) || g_strcmp0(name, last) == 0)
                        continue;
                g_string_append_printf(names, "%s%s", names->len ? ", " : "", name);
                last = name;
        }
        return g_string_free(names, FALSE);
}

static bool unknown_key(const char *group, const char *key, GError **error)
{
        g_autofree char *names = known_names(group);
        const char *guess = guess_key(group, key);

        if (guess)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "key '%s' is unknown; did you mean '%s'? (known: %s)", key, guess,
                                    names);
        return tn_error_set(error, TN_ERROR_INVALID, "key '%s' is unknown (known: %s)", key, names);
}

static bool check(const char *group, const char *key, const char *value, GError **error)
{
        const struct tn_config_key *row = tn_config_table_find(group, key);
        g_autofree char *may_be = NULL;

        if (!row && g_str_has_prefix(group, TN_CONFIG_PLUGIN_GROUP))
                return true;
        if (!row)
                return unknown_key(group, key, error);
        /* What a value in a named group may be depends on the type, which may stand in another file. */
        if (tn_config_table_is_named(group) || tn_config_value_fits(row, value))
                return true;
        may_be = tn_config_table_describe(row);
        return tn_error_set(error, TN_ERROR_INVALID, "key '%s': '%s' is not %s", key, value, may_be);
}

static bool group_known(const char *group)
{
        for (size_t i = 0; i < tn_config_table_len; i++)
                if (tn_config_table_fits(&tn_config_table[i], group))
                        return true;
        return g_str_has_prefix(group, TN_CONFIG_PLUGIN_GROUP) || g_str_equal(group, TN_CONFIG_QGA_GROUP);
}

static struct named_group *note_group(struct tn_config *config, const char *file, const char *name)
{
        struct named_group *group = g_tree_lookup(config->named, name);

        if (!group) {
                group = g_new0(struct named_group, 1);
                group->file = g_strdup(file);
                g_tree_insert(config->named, g_strdup(name), group);
        }
        return group;
}

static void add_mistake(struct tn_config *config, const char *file, const char *group, const char *what)
{
        if (group)
                g_ptr_array_add(config->mistakes, g_strdup_printf("%s: group [%s], %s", file, group, what));
        else
                g_ptr_array_add(config->mistakes, g_strdup_printf("%s: %s", file, what));
        if (group && tn_config_table_is_named(group))
                note_group(config, file, group)->mistaken = true;
        /* A file that cannot be read, or a group whose name is not known, may have held the policy, too. */
        if (!group || g_str_equal(group, "policy") || g_str_equal(group, TN_CONFIG_QGA_GROUP) ||
            !group_known(group))
                config->policy_mistaken = true;
        /* Nor is a watchdog armed without a check that it was to be fed by. */
        if (!group || g_str_equal(group, "watchdog") || tn_config_table_is_named(group) ||
            !group_known(group))
                config->watchdog_mistaken = true;
}

/* One setting of a file; those of qemu-ga's group under their own names here. */
static bool merge_key(struct tn_config *config, GKeyFile *keys, const char *file, const char *group,
                      const char *key, GError **error)
{
        g_autofree char *value = g_key_file_get_string(keys, group, key, error);
        g_autofree char *translated = NULL;

        if (!value)
                return false;
        g_strchomp(value); /* blanks at the end are not seen by who wrote them */
        if (g_str_equal(group, TN_CONFIG_QGA_GROUP)) {
                if (!tn_config_qga_translate(key, value, &group, &key, &translated, error))
                        return false;
                if (!translated)
                        return true;
        }
        if (!check(group, key, translated ? translated : value, error))
                return false;
        store(config, group, key, translated ? translated : value, file);
        return true;
}

static void merge_group(struct tn_config *config, GKeyFile *keys, const char *file, const char *group)
{
        g_auto(GStrv) names = g_key_file_get_keys(keys, group, NULL, NULL);

        if (tn_config_table_is_named(group))
                (void) note_group(config, file, group);
        for (size_t i = 0; names && names[i]; i++) {
                g_autoptr(GError) error = NULL;

                if (!merge_key(config, keys, file, group, names[i], &error))
                        add_mistake(config, file, group, error->message);
        }
}

static void merge_file(struct tn_config *config, const char *file, const char *text, size_t len)
{
        g_autoptr(GKeyFile) keys = g_key_file_new();
        g_autoptr(GError) error = NULL;
        g_auto(GStrv) groups = NULL;

        if (memchr(text, '\0', len)) { /* GKeyFile would not read on */
                add_mistake(config, file, NULL, "it has NUL bytes and so is no text; write it anew");
                return;
        }
        /* An empty file is an empty configuration; to GKeyFile it is an error. */
        if (len > 0 && !g_key_file_load_from_data(keys, text, len, G_KEY_FILE_NONE, &error)) {
                add_mistake(config, file, NULL, error->message);
                return;
        }
        groups = g_key_file_get_groups(keys, NULL);
        for (size_t i = 0; groups[i]; i++) {
                const char *fault = tn_config_table_is_named(groups[i]) ? tn_config_group_fault(groups[i])
                                                                        : NULL;

                if (fault) {
                        add_mistake(config, file, groups[i], fault);
                } else if (group_known(groups[i])) {
                        merge_group(config, keys, file, groups[i]);
                } else {
                        g_autofree char *names = known_names(NULL);
                        g_autofree char *what = g_strdup_printf("the group is unknown (known: %s)", names);

                        add_mistake(config, file, groups[i], what);
                }
        }
}

static bool read_file(struct tn_config *config, const struct tn_env *env, const char *file, GError **error)
{
        g_autofree char *text = NULL;
        size_t len;

        if (!tn_env_read(env, file + strspn(file, "/"), &text, &len, error))
                return false;
        merge_file(config, file, text, len);
        return true;
}

static void read_drop_ins(struct tn_config *config, const struct tn_env *env, const char *path)
{
        g_autofree char *folder = g_strdup_printf("%s.d", path);
        g_auto(GStrv) names = tn_env_list(env, folder + strspn(folder, "/"));

        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *file = g_build_filename(folder, names[i], NULL);
                g_autoptr(GError) error = NULL;

                if (g_str_has_suffix(names[i], ".conf") && !read_file(config, env, file, &error))
                        add_mistake(config, file, NULL, error->message);
        }
}

/* Its readers are used to an agent that allows whatever is not blocked. */
static void read_qga_file(struct tn_config *config, const struct tn_env *env)
{
        if (read_file(config, env, TN_CONFIG_QGA_FILE, NULL))
                tn_config_default(config, "policy", "preset", "open", TN_CONFIG_QGA_FILE);
}

struct group_judgement {
        struct tn_config *config;
        const char *group;
};

static void on_group_mistake(const char *file, const char *what, void *data)
{
        struct group_judgement *judgement = data;

        add_mistake(judgement->config, file, judgement->group, what);
}

static gboolean add_group(void *name, void *value, void *data)
{
        const struct named_group *group = value;

        if (!group->mistaken)
                g_ptr_array_add(data, g_strdup(name));
        return FALSE;
}

/* The named groups in which no mistake was found so far. */
static GPtrArray *good_groups(const struct tn_config *config)
{
        GPtrArray *groups = g_ptr_array_new_with_free_func(g_free);

        g_tree_foreach(config->named, add_group, groups);
        return groups;
}

static void check_named_groups(struct tn_config *config)
{
        g_autoptr(GPtrArray) groups = good_groups(config);

        for (guint i = 0; i < groups->len; i++) {
                struct group_judgement judgement = {config, g_ptr_array_index(groups, i)};
                const struct named_group *group = g_tree_lookup(config->named, judgement.group);

                tn_config_group_check(config, judgement.group, group->file, on_group_mistake, &judgement);
        }
}

static void named_group_free(void *data)
{
        struct named_group *group = data;

        g_free(group->file);
        g_free(group);
}

static int compare_names(gconstpointer a, gconstpointer b, void *data)
{
        (void) data;
        return strcmp(a, b);
}

struct tn_config *tn_config_new(const struct tn_env *env, const char *path, bool required, GError **error)
{
        g_autoptr(tn_config_t) config = g_new0(struct tn_config, 1);
        g_autoptr(GError) local = NULL;

        config->settings = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, setting_free);
        config->named = g_tree_new_full(compare_names, NULL, g_free, named_group_free);
        config->mistakes = g_ptr_array_new_with_free_func(g_free);
        if (!read_file(config, env, path, &local)) {
                if (required) {
                        g_propagate_prefixed_error(error, g_steal_pointer(&local), "configuration file: ");
                        return NULL;
                }
                if (!g_error_matches(local, TN_ERROR, TN_ERROR_NOT_FOUND))
                        add_mistake(config, path, NULL, local->message);
        }
        read_drop_ins(config, env, path);
        check_named_groups(config);
        /* An installed system whose administrator has said nothing to Tenon yet, but has to its predecessor.
         */
        if (!required && g_hash_table_size(config->settings) == 0 && config->mistakes->len == 0)
                read_qga_file(config, env);
        if (config->policy_mistaken)
                store(config, "policy", "preset", "locked", MISTAKE);
        if (config->watchdog_mistaken)
                store(config, "watchdog", "mode", "refused", MISTAKE);
        return g_steal_pointer(&config);
}

void tn_config_free(struct tn_config *config)
{
        if (!config)
                return;
        g_hash_table_unref(config->settings);
        g_tree_unref(config->named);
        g_ptr_array_unref(config->mistakes);
        g_free(config);
}

const char *const *tn_config_mistakes(const struct tn_config *config)
{
        guint len = config->mistakes->len;

        if (len == 0 || g_ptr_array_index(config->mistakes, len - 1))
                g_ptr_array_add(config->mistakes, NULL);
        return (const char *const *) config->mistakes->pdata;
}

bool tn_config_override(struct tn_config *config, const char *group, const char *key, const char *value,
                        GError **error)
{
        if (!check(group, key, value, error))
                return false;
        store(config, group, key, value, COMMAND_LINE);
        return true;
}

void tn_config_default(struct tn_config *config, const char *group, const char *key, const char *value,
                       const char *origin)
{
        if (!find(config, group, key))
                store(config, group, key, value, origin);
}

void tn_config_carry_over(struct tn_config *config, const struct tn_config *from)
{
        for (size_t i = 0; i < tn_config_table_len; i++) {
                const struct tn_config_key *row = &tn_config_table[i];
                const struct setting *setting = find(from, row->group, row->key);

                if (setting && g_str_equal(setting->origin, COMMAND_LINE))
                        store(config, row->group, row->key, setting->value, COMMAND_LINE);
                else if (setting && !g_path_is_absolute(setting->origin) &&
                         !g_str_equal(setting->origin, MISTAKE))
                        tn_config_default(config, row->group, row->key, setting->value, setting->origin);
        }
}

const char *tn_config_get(const struct tn_config *config, const char *group, const char *key)
{
        const struct setting *setting = find(config, group, key);
        const struct setting *type = find(config, group, "type");
        const struct tn_config_key *row = tn_config_table_find_for(group, key, type ? type->value : NULL);

        if (setting)
                return setting->value;
        return row ? row->fallback : NULL;
}

char **tn_config_names(const struct tn_config *config, const char *kind)
{
        g_autoptr(GPtrArray) groups = good_groups(config);
        GPtrArray *names = g_ptr_array_new();
        size_t len = strlen(kind);

        for (guint i = 0; i < groups->len; i++) {
                const char *group = g_ptr_array_index(groups, i);

                if (g_str_has_prefix(group, kind) && group[len] == ' ')
                        g_ptr_array_add(names, g_strdup(group + len + 1));
        }
        g_ptr_array_add(names, NULL);
        return (char **) g_ptr_array_free(names, FALSE);
}

void tn_config_foreach(const struct tn_config *config, tn_config_func func, void *data)
{
        g_autoptr(GPtrArray) groups = good_groups(config);

        for (size_t i = 0; i < tn_config_table_len; i++)
                if (!g_str_has_suffix(tn_config_table[i].group, TN_CONFIG_NAMED))
                        func(config, tn_config_table[i].group, &tn_config_table[i], data);
        for (guint g = 0; g < groups->len; g++) {
                const char *group = g_ptr_array_index(groups, g),
                           *type = tn_config_get(config, group, "type");

                for (size_t i = 0; i < tn_config_table_len; i++) {
                        const struct tn_config_key *row = &tn_config_table[i];

                        if (tn_config_table_fits(row, group) &&
                            tn_config_table_find_for(group, row->key, type) == row)
                                func(config, group, row, data);
                }
        }
}

const char *tn_config_get_nonempty(const struct tn_config *config, const char *group, const char *key)
{
        const char *value = tn_config_get(config, group, key);

        return value && *value ? value : NULL;
}

int64_t tn_config_get_int(const struct tn_config *config, const char *group, const char *key)
{
        return g_ascii_strtoll(tn_config_get(config, group, key), NULL, 10);
}

bool tn_config_get_bool(const struct tn_config *config, const char *group, const char *key)
{
        return g_str_equal(tn_config_get(config, group, key), "yes");
}

char **tn_config_get_list(const struct tn_config *config, const char *group, const char *key)
{
        g_auto(GStrv) words = g_strsplit_set(tn_config_get(config, group, key), ",;", -1);
        g_autoptr(GPtrArray) kept = g_ptr_array_new();

        for (size_t i = 0; words[i]; i++)
                if (*g_strstrip(words[i]))
                        g_ptr_array_add(kept, g_strdup(words[i]));
        g_ptr_array_add(kept, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&kept), FALSE);
}

const char *tn_config_origin(const struct tn_config *config, const char *group, const char *key)
{
        const struct setting *setting = find(config, group, key);

        return setting ? setting->origin : NULL;
}
