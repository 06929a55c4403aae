/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* Looks rows up. Rows of drivers.d stand first. */
#include "pvdrivers/catalogue.h"

#include <fnmatch.h>
#include <string.h>

#include "pvdrivers/catalogue-table.h"
#include "pvdrivers/rows.h"

struct tn_catalogue {
        struct tn_rows rows;
        GPtrArray *mistakes; /* char * */
};

static const char *const role_names[_TN_PV_ROLE_MAX] = {
        [TN_PV_STORAGE] = "storage", [TN_PV_NETWORK] = "network",   [TN_PV_CONSOLE] = "console",
        [TN_PV_BALLOON] = "balloon", [TN_PV_RNG] = "rng",           [TN_PV_GPU] = "gpu",
        [TN_PV_INPUT] = "input",     [TN_PV_SHARE] = "share",       [TN_PV_SOCKET] = "socket",
        [TN_PV_CLOCK] = "clock",     [TN_PV_WATCHDOG] = "watchdog", [TN_PV_PANIC] = "panic",
        [TN_PV_BUS] = "bus",         [TN_PV_OTHER] = "other",
};

static const char *const platform_names[_TN_PV_PLATFORM_MAX] = {
        [TN_PV_KVM] = "kvm",       [TN_PV_VMWARE] = "vmware",         [TN_PV_XEN] = "xen",
        [TN_PV_HYPERV] = "hyperv", [TN_PV_VIRTUALBOX] = "virtualbox", [TN_PV_AWS] = "aws",
        [TN_PV_GCP] = "gcp",       [TN_PV_AZURE] = "azure",
};

struct tn_catalogue *tn_catalogue_new(const struct tn_env *env, GPtrArray *mistakes)
{
        struct tn_catalogue *catalogue = g_new0(struct tn_catalogue, 1);

        catalogue->mistakes = g_ptr_array_new_with_free_func(g_free);
        tn_rows_read(env, &catalogue->rows, catalogue->mistakes);
        for (guint i = 0; mistakes && i < catalogue->mistakes->len; i++)
                g_ptr_array_add(mistakes, g_strdup(catalogue->mistakes->pdata[i]));
        return catalogue;
}

void tn_catalogue_free(struct tn_catalogue *catalogue)
{
        if (!catalogue)
                return;
        tn_rows_clear(&catalogue->rows);
        g_ptr_array_unref(catalogue->mistakes);
        g_free(catalogue);
}

const GPtrArray *tn_catalogue_mistakes(const struct tn_catalogue *catalogue)
{
        return catalogue->mistakes;
}

const struct tn_pv_driver *tn_catalogue_at(const struct tn_catalogue *catalogue, size_t index)
{
        const GPtrArray *extra = catalogue->rows.drivers;

        if (index < extra->len)
                return extra->pdata[index];
        index -= extra->len;
        return index < tn_catalogue_table_len ? &tn_catalogue_table[index] : NULL;
}

/* Length of the word of a list at @word, and through *ret_next the next word, NULL behind the last one. */
static size_t word_length(const char *word, const char **ret_next)
{
        size_t len = strcspn(word, " ");

        *ret_next = word[len] ? word + len + 1 : NULL;
        return len;
}

static bool same_module(const char *a, const char *b, size_t b_len)
{
        size_t i = 0;

        for (; i < b_len && a[i]; i++)
                if ((a[i] == '-' ? '_' : a[i]) != (b[i] == '-' ? '_' : b[i]))
                        return false;
        return i == b_len && a[i] == '\0';
}

bool tn_catalogue_list_has(const char *list, const char *module)
{
        const char *next = NULL;

        for (const char *word = list; word; word = next) {
                size_t len = word_length(word, &next);

                if (same_module(module, word, len))
                        return true;
        }
        return false;
}

const struct tn_pv_driver *tn_catalogue_find_module(const struct tn_catalogue *catalogue, const char *module)
{
        const struct tn_pv_driver *driver = NULL;

        for (size_t i = 0; (driver = tn_catalogue_at(catalogue, i)); i++)
                if (same_module(module, driver->module, strlen(driver->module)))
                        break;
        return driver;
}

/* Nearly all patterns differ from a modalias before their first wildcard: those cost no fnmatch(). */
static bool begins_alike(const char *pattern, const char *modalias)
{
        return strncmp(pattern, modalias, strcspn(pattern, "*?[ ")) == 0;
}

bool tn_catalogue_driver_matches(const struct tn_pv_driver *driver, const char *modalias)
{
        const char *next = NULL;

        for (const char *word = driver->match; word; word = next) {
                size_t len = word_length(word, &next);
                g_autofree char *pattern = begins_alike(word, modalias) ? g_strndup(word, len) : NULL;

                if (pattern && fnmatch(pattern, modalias, 0) == 0)
                        return true;
        }
        return false;
}

const struct tn_pv_driver *tn_catalogue_match(const struct tn_catalogue *catalogue, const char *modalias)
{
        const struct tn_pv_driver *driver = NULL;

        for (size_t i = 0; (driver = tn_catalogue_at(catalogue, i)); i++)
                if (tn_catalogue_driver_matches(driver, modalias))
                        break;
        return driver;
}

GPtrArray *tn_catalogue_for(const struct tn_catalogue *catalogue, enum tn_pv_platform platform,
                            enum tn_pv_role role)
{
        GPtrArray *found = g_ptr_array_new();
        const struct tn_pv_driver *driver;

        for (size_t i = 0; (driver = tn_catalogue_at(catalogue, i)); i++)
                if ((driver->platforms & TN_PV_ON(platform)) &&
                    (role == _TN_PV_ROLE_MAX || driver->role == role))
                        g_ptr_array_add(found, (void *) driver);
        return found;
}

enum tn_pv_wish tn_catalogue_wish(const struct tn_catalogue *catalogue, const char *module)
{
        return GPOINTER_TO_INT(g_hash_table_lookup(catalogue->rows.wishes, module));
}

const char *tn_catalogue_role_name(enum tn_pv_role role)
{
        return role_names[role];
}

const char *tn_catalogue_platform_name(enum tn_pv_platform platform)
{
        return platform_names[platform];
}

static unsigned find_name(const char *const *names, unsigned count, const char *name)
{
        unsigned i = 0;

        while (i < count && !g_str_equal(names[i], name))
                i++;
        return i;
}

enum tn_pv_role tn_catalogue_role_parse(const char *name)
{
        return find_name(role_names, _TN_PV_ROLE_MAX, name);
}

enum tn_pv_platform tn_catalogue_platform_parse(const char *name)
{
        return find_name(platform_names, _TN_PV_PLATFORM_MAX, name);
}
