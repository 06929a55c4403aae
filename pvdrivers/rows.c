/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Reads drivers.d: key files, one group for each module. A mistake names file, group, key and the remedy,
 * and leaves that group out; the rest goes on. Keys are a table, so that tenon-drivers.d(5) and this file
 * cannot disagree (test-rows.c).
 */
#define _GNU_SOURCE
#include "pvdrivers/rows.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "lib/fd.h"
#include "lib/names.h"

#define FOLDER          (TN_PATH_DRIVERS_D + 1)
#define ROWS_MAX        256 /* of all files */
#define MODULE_NAME_MAX 55  /* the kernel's MODULE_NAME_LEN on 64 bits */

enum key {
        KEY_ROLE,
        KEY_PLATFORMS,
        KEY_MATCH,
        KEY_CONFIG,
        KEY_REPLACES,
        KEY_NEEDS,
        KEY_REASON,
        KEY_BOOT,
        KEY_EXPLICIT,
        KEY_UNSAFE,
        KEY_LOAD,
        _KEY_MAX,
};

static const char *const key_names[_KEY_MAX] = {
        [KEY_ROLE] = "role",     [KEY_PLATFORMS] = "platforms", [KEY_MATCH] = "match",
        [KEY_CONFIG] = "config", [KEY_REPLACES] = "replaces",   [KEY_NEEDS] = "needs",
        [KEY_REASON] = "reason", [KEY_BOOT] = "boot",           [KEY_EXPLICIT] = "explicit",
        [KEY_UNSAFE] = "unsafe", [KEY_LOAD] = "load",
};

/* One group under way. */
struct reader {
        struct tn_rows *rows;
        GPtrArray *mistakes;
        const char *file, *group;
        GKeyFile *keys;
        bool failed;
};

static void complain(struct reader *reader, enum key key, const char *format, ...) G_GNUC_PRINTF(3, 4);

static void complain(struct reader *reader, enum key key, const char *format, ...)
{
        g_autofree char *what = NULL;
        va_list args;

        va_start(args, format);
        what = g_strdup_vprintf(format, args);
        va_end(args);
        reader->failed = true;
        if (!reader->mistakes)
                return;
        if (key < _KEY_MAX)
                g_ptr_array_add(reader->mistakes,
                                g_strdup_printf("/%s: group [%s], key '%s': %s", reader->file, reader->group,
                                                key_names[key], what));
        else
                g_ptr_array_add(reader->mistakes,
                                g_strdup_printf("/%s: group [%s]: %s", reader->file, reader->group, what));
}

/* Value of a key with single spaces between its words, or NULL: missing or empty. */
static char *get(const struct reader *reader, enum key key)
{
        g_autofree char *text = g_key_file_get_string(reader->keys, reader->group, key_names[key], NULL);
        g_autoptr(GString) words = g_string_new(NULL);
        g_auto(GStrv) parts = g_strsplit_set(text ? text : "", " \t", -1);

        for (size_t i = 0; parts[i]; i++)
                if (*parts[i])
                        g_string_append_printf(words, "%s%s", words->len ? " " : "", parts[i]);
        return words->len ? g_string_free(g_steal_pointer(&words), FALSE) : NULL;
}

static bool is_module_name(const char *name)
{
        size_t len = strlen(name);

        return len > 0 && len <= MODULE_NAME_MAX &&
               strspn(name, G_CSET_a_2_z G_CSET_A_2_Z G_CSET_DIGITS "_-") == len;
}

static char *get_modules(struct reader *reader, enum key key)
{
        char *list = get(reader, key);
        g_auto(GStrv) names = g_strsplit(list ? list : "", " ", -1);

        for (size_t i = 0; names[i]; i++)
                if (*names[i] && !is_module_name(names[i]))
                        complain(reader, key,
                                 "'%s' is not the name of a module; write names of modules with spaces "
                                 "between",
                                 names[i]);
        return list ? g_strdelimit(list, "-", '_') : NULL;
}

static unsigned get_flag(struct reader *reader, enum key key, unsigned flag)
{
        g_autofree char *text = get(reader, key);

        if (!text || g_str_equal(text, "no"))
                return 0;
        if (!g_str_equal(text, "yes"))
                complain(reader, key, "'%s' is neither yes nor no", text);
        return flag;
}

static enum tn_pv_role get_role(struct reader *reader)
{
        g_autofree char *text = get(reader, KEY_ROLE);
        enum tn_pv_role role = text ? tn_catalogue_role_parse(text) : _TN_PV_ROLE_MAX;
        g_autoptr(GString) known = g_string_new(NULL);

        if (role < _TN_PV_ROLE_MAX)
                return role;
        for (int i = 0; i < _TN_PV_ROLE_MAX; i++)
                g_string_append_printf(known, "%s%s", i ? " " : "", tn_catalogue_role_name(i));
        if (text)
                complain(reader, KEY_ROLE, "'%s' is not a role; roles are: %s", text, known->str);
        else
                complain(reader, KEY_ROLE, "is missing; roles are: %s", known->str);
        return role;
}

/* All of them where the key is missing. */
static unsigned get_platforms(struct reader *reader)
{
        g_autofree char *text = get(reader, KEY_PLATFORMS);
        g_auto(GStrv) names = g_strsplit(text ? text : "", " ", -1);
        unsigned set = 0;

        for (size_t i = 0; names[i] && *names[i]; i++) {
                enum tn_pv_platform platform = tn_catalogue_platform_parse(names[i]);

                if (platform < _TN_PV_PLATFORM_MAX)
                        set |= TN_PV_ON(platform);
                else
                        complain(reader, KEY_PLATFORMS,
                                 "'%s' is not a platform; platforms are: kvm vmware xen hyperv virtualbox "
                                 "aws gcp azure",
                                 names[i]);
        }
        return text ? set : TN_PV_ON(_TN_PV_PLATFORM_MAX) - 1;
}

/* Why a pattern would not do, or NULL. */
static const char *pattern_fault(const char *pattern)
{
        const char *rest = strchr(pattern, ':'), *open = NULL;

        if (!rest || !g_ascii_islower(*pattern) || (size_t) (rest - pattern) != strcspn(pattern, ":[?"))
                return "does not begin with a bus and a colon, like pci:";
        if (strspn(rest + 1, "*?") == strlen(rest + 1))
                return "matches every device of its bus";
        for (const char *p = pattern; *p; p++) {
                if (*p == '[' && open)
                        return "has a [ within [ ]";
                if (*p == '[')
                        open = p;
                else if (*p == ']' && (!open || p == open + 1))
                        return open ? "has an empty [ ]" : "has a ] without a [";
                else if (*p == ']')
                        open = NULL;
        }
        return open ? "has a [ without a ]" : NULL;
}

static char *get_match(struct reader *reader)
{
        char *text = get(reader, KEY_MATCH);
        g_auto(GStrv) patterns = g_strsplit(text ? text : "", " ", -1);

        for (size_t i = 0; patterns[i] && *patterns[i]; i++)
                if (pattern_fault(patterns[i]))
                        complain(reader, KEY_MATCH,
                                 "the pattern '%s' %s; write it as `modinfo -F alias` prints it",
                                 patterns[i], pattern_fault(patterns[i]));
        return text;
}

static void free_driver(void *data)
{
        struct tn_pv_driver *driver = data;

        g_free((char *) driver->module);
        g_free((char *) driver->match);
        g_free((char *) driver->config);
        g_free((char *) driver->replaces);
        g_free((char *) driver->needs);
        g_free((char *) driver->reason);
        g_free((char *) driver->file);
        g_free(driver);
}

static struct tn_pv_driver *read_driver(struct reader *reader)
{
        struct tn_pv_driver *driver = g_new0(struct tn_pv_driver, 1);

        driver->module = g_strdelimit(g_strdup(reader->group), "-", '_');
        driver->role = get_role(reader);
        driver->platforms = get_platforms(reader);
        driver->match = get_match(reader);
        driver->config = get(reader, KEY_CONFIG);
        driver->replaces = get_modules(reader, KEY_REPLACES);
        driver->needs = get_modules(reader, KEY_NEEDS);
        driver->reason = get(reader, KEY_REASON);
        driver->flags = get_flag(reader, KEY_BOOT, TN_PV_BOOT) |
                        get_flag(reader, KEY_EXPLICIT, TN_PV_EXPLICIT) |
                        get_flag(reader, KEY_UNSAFE, TN_PV_UNSAFE);
        driver->file = g_strdup(reader->file);
        if (driver->config && !g_str_has_prefix(driver->config, "CONFIG_"))
                complain(reader, KEY_CONFIG, "'%s' does not begin with CONFIG_", driver->config);
        if (!driver->match && !(driver->flags & TN_PV_EXPLICIT))
                complain(reader, KEY_MATCH,
                         "is missing; give a pattern, or explicit=yes for a module that no device names");
        return driver;
}

static void read_wish(struct reader *reader)
{
        g_autofree char *text = get(reader, KEY_LOAD);
        enum tn_pv_wish wish = TN_PV_WISH_AUTO;

        if (!text || g_str_equal(text, "auto"))
                return;
        if (g_str_equal(text, "yes"))
                wish = TN_PV_WISH_YES;
        else if (g_str_equal(text, "no"))
                wish = TN_PV_WISH_NO;
        else
                complain(reader, KEY_LOAD, "'%s' is none of: auto yes no", text);
        g_hash_table_insert(reader->rows->wishes, g_strdelimit(g_strdup(reader->group), "-", '_'),
                            GINT_TO_POINTER(wish));
}

/* A group that has nothing but the wish speaks of a module that the catalogue knows already. */
static bool is_wish_alone(struct reader *reader)
{
        g_auto(GStrv) keys = g_key_file_get_keys(reader->keys, reader->group, NULL, NULL);
        bool alone = true;

        for (size_t i = 0; keys && keys[i]; i++) {
                size_t known = 0;

                while (known < _KEY_MAX && !g_str_equal(keys[i], key_names[known]))
                        known++;
                if (known == _KEY_MAX)
                        complain(reader, _KEY_MAX, "unknown key '%s'; see tenon-drivers.d(5)", keys[i]);
                alone = alone && known == KEY_LOAD;
        }
        return alone;
}

static void read_group(struct reader *reader)
{
        struct tn_pv_driver *driver;

        reader->failed = false;
        if (!is_module_name(reader->group)) {
                complain(reader, _KEY_MAX, "is not the name of a module");
                return;
        }
        read_wish(reader);
        if (is_wish_alone(reader) || reader->failed)
                return;
        driver = read_driver(reader);
        if (!reader->failed && reader->rows->drivers->len >= ROWS_MAX)
                complain(reader, _KEY_MAX, "is one of more than %d; the rest is left out", ROWS_MAX);
        if (reader->failed)
                free_driver(driver);
        else
                g_ptr_array_add(reader->rows->drivers, driver);
}

static void file_mistake(const struct reader *reader, const char *what)
{
        if (reader->mistakes)
                g_ptr_array_add(reader->mistakes, g_strdup_printf("/%s: %s", reader->file, what));
}

/* What anybody may write does not decide which modules the kernel gets. */
static bool writable_by_all(const struct tn_env *env, const char *path)
{
        tn_autofd int fd = tn_env_open(env, path, O_PATH, NULL);
        struct stat st;

        return fd >= 0 && fstat(fd, &st) == 0 && (st.st_mode & S_IWOTH);
}

static void read_file(const struct tn_env *env, struct reader *reader)
{
        g_autoptr(GKeyFile) keys = g_key_file_new();
        g_autoptr(GError) error = NULL;
        g_autofree char *text = NULL;
        g_auto(GStrv) groups = NULL;
        size_t len = 0;

        if (writable_by_all(env, reader->file)) {
                file_mistake(reader, "is writable by everybody and was not read; run: chmod o-w on it");
                return;
        }
        if (!tn_env_read(env, reader->file, &text, &len, &error) ||
            !g_key_file_load_from_data(keys, text, len, G_KEY_FILE_NONE, &error)) {
                file_mistake(reader, error->message);
                return;
        }
        reader->keys = keys;
        groups = g_key_file_get_groups(keys, NULL);
        for (size_t i = 0; groups[i]; i++) {
                reader->group = groups[i];
                read_group(reader);
        }
}

void tn_rows_read(const struct tn_env *env, struct tn_rows *ret, GPtrArray *mistakes)
{
        g_auto(GStrv) names = tn_env_list(env, FOLDER);

        ret->drivers = g_ptr_array_new_with_free_func(free_driver);
        ret->wishes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        for (size_t i = 0; names && names[i]; i++) {
                g_autofree char *path = g_strdup_printf("%s/%s", FOLDER, names[i]);
                struct reader reader = {.rows = ret, .mistakes = mistakes, .file = path};

                if (g_str_has_suffix(names[i], ".conf"))
                        read_file(env, &reader);
        }
}

void tn_rows_clear(struct tn_rows *rows)
{
        g_ptr_array_unref(rows->drivers);
        g_hash_table_unref(rows->wishes);
}
