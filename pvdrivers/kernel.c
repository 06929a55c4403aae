/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What one kernel knows of a module: its lists (kernel-index.c), sysfs for what runs, blacklists, and
 * whether this machine lets in what is not signed. */
#include "pvdrivers/kernel.h"

#include <string.h>

#include "pvdrivers/blacklist.h"
#include "pvdrivers/kernel-index.h"
#include "pvdrivers/kernel-private.h"

static const char *const state_names[_TN_MODULE_STATE_MAX] = {
        [TN_MODULE_BUILTIN] = "built-in",        [TN_MODULE_LOADED] = "loaded",
        [TN_MODULE_ON_DISK] = "on-disk",         [TN_MODULE_MISSING] = "missing",
        [TN_MODULE_BLACKLISTED] = "blacklisted", [TN_MODULE_UNSIGNED] = "unsigned",
};

const char *tn_kernel_state_name(enum tn_module_state state)
{
        return state_names[state];
}

static GHashTable *read_options(const struct tn_kernel *kernel)
{
        g_autofree char *boot = g_strdup_printf("boot/config-%s", kernel->release);
        g_autofree char *own = g_strdup_printf("%s/config", kernel->modules_dir);
        GHashTable *options = tn_kernel_index_options(kernel->owner->env, boot);

        return options || !kernel->modules_dir ? options : tn_kernel_index_options(kernel->owner->env, own);
}

static struct tn_kernel_index *index_of(struct tn_kernel *kernel)
{
        if (!kernel->index) {
                kernel->index = tn_kernel_index_new(kernel->owner->env, kernel->modules_dir);
                kernel->index->options = read_options(kernel);
        }
        return kernel->index;
}

char tn_kernel_config(struct tn_kernel *kernel, const char *option)
{
        GHashTable *options = index_of(kernel)->options;
        const char *value = options ? g_hash_table_lookup(options, option) : NULL;

        if (!options)
                return '\0';
        if (!value)
                return 'n';
        return *value == 'm' ? 'm' : 'y';
}

/* A module that was loaded has initstate; one that is built in has only its parameters there, if any. */
static bool is_loaded(const struct tn_env *env, const char *name)
{
        g_autofree char *path = g_strdup_printf("sys/module/%s/initstate", name);
        g_autofree char *state = tn_env_read_line(env, path);

        return state && (g_str_equal(state, "live") || g_str_equal(state, "coming"));
}

static bool is_builtin(struct tn_kernel *kernel, const char *name)
{
        g_autofree char *folder = g_strdup_printf("sys/module/%s", name);

        return g_hash_table_contains(index_of(kernel)->builtin, name) ||
               (kernel->running && !g_hash_table_contains(index_of(kernel)->paths, name) &&
                tn_env_exists(kernel->owner->env, folder));
}

/* Lockdown comes with Secure Boot on the kernels of distributions; sig_enforce is the same by hand. */
bool tn_kernel_signature_enforced(const struct tn_env *env)
{
        g_autofree char *lockdown = tn_env_read_line(env, "sys/kernel/security/lockdown");
        g_autofree char *enforce = tn_env_read_line(env, "sys/module/module/parameters/sig_enforce");

        return (lockdown && (strstr(lockdown, "[integrity]") || strstr(lockdown, "[confidentiality]"))) ||
               (enforce && g_str_equal(enforce, "Y"));
}

static enum tn_module_state state_of(struct tn_kernel *kernel, const struct tn_module *module,
                                     const char *file)
{
        const struct tn_env *env = kernel->owner->env;

        if (kernel->running && is_loaded(env, module->name))
                return TN_MODULE_LOADED;
        if (is_builtin(kernel, module->name))
                return TN_MODULE_BUILTIN;
        if (!file)
                return TN_MODULE_MISSING;
        if (module->blacklisted_by)
                return TN_MODULE_BLACKLISTED;
        if (tn_kernel_signature_enforced(env) && !module->has_signature)
                return TN_MODULE_UNSIGNED;
        return TN_MODULE_ON_DISK;
}

static GHashTable *blacklist_of(const struct tn_kernels *kernels)
{
        struct tn_kernels *own = (struct tn_kernels *) kernels; /* a cache: read when first asked for */

        if (!own->blacklist)
                own->blacklist = tn_blacklist_read(own->env);
        return own->blacklist;
}

/* Looking for a signature may mean to unpack the module: @always, or only where it decides. */
static struct tn_module *find_module(struct tn_kernel *kernel, const char *name, bool always)
{
        struct tn_module *module = g_new0(struct tn_module, 1);
        const struct tn_blacklist_entry *entry;
        const char *file;

        module->name = g_strdelimit(g_strdup(name), "-", '_');
        file = g_hash_table_lookup(index_of(kernel)->paths, module->name);
        if (file) {
                module->path = *file == '/' ? g_strdup(file + 1)
                                            : g_strdup_printf("%s/%s", kernel->modules_dir, file);
                module->has_signature = (always || tn_kernel_signature_enforced(kernel->owner->env)) &&
                                        tn_kernel_index_signed(kernel->index, file);
        }
        entry = g_hash_table_lookup(blacklist_of(kernel->owner), module->name);
        if (entry) {
                module->blacklisted_by = g_strdup(entry->where);
                module->blacklist_absolute = entry->absolute;
        }
        module->state = state_of(kernel, module, file);
        return module;
}

struct tn_module *tn_kernel_module(struct tn_kernel *kernel, const char *name)
{
        return find_module(kernel, name, true);
}

void tn_kernel_module_free(struct tn_module *module)
{
        if (!module)
                return;
        g_free(module->name);
        g_free(module->path);
        g_free(module->blacklisted_by);
        g_free(module);
}

enum tn_module_state tn_kernel_module_state(struct tn_kernel *kernel, const char *name)
{
        g_autoptr(tn_module_t) module = find_module(kernel, name, false);

        return module->state;
}

enum tn_module_state tn_kernel_driver_state(struct tn_kernel *kernel, const struct tn_pv_driver *driver)
{
        enum tn_module_state state = tn_kernel_module_state(kernel, driver->module);

        if (state == TN_MODULE_MISSING && driver->config && tn_kernel_config(kernel, driver->config) == 'y')
                return TN_MODULE_BUILTIN;
        return state;
}

bool tn_kernel_module_usable(struct tn_kernel *kernel, const char *name)
{
        enum tn_module_state state = tn_kernel_module_state(kernel, name);

        return state == TN_MODULE_BUILTIN || state == TN_MODULE_LOADED || state == TN_MODULE_ON_DISK;
}

char **tn_kernel_module_dependencies(struct tn_kernel *kernel, const char *name)
{
        g_autofree char *key = g_strdelimit(g_strdup(name), "-", '_');
        const char *files = g_hash_table_lookup(index_of(kernel)->needs, key);
        char **list = g_strsplit(files ? files : "", " ", -1);

        for (size_t i = 0; list[i]; i++) {
                char *module = tn_kernel_module_name(list[i]);

                g_free(list[i]);
                list[i] = module;
        }
        return list;
}

char **tn_kernel_lookup_alias(struct tn_kernel *kernel, const char *modalias)
{
        g_autoptr(GPtrArray) names = g_ptr_array_new_with_free_func(g_free);

        tn_kernel_index_lookup(index_of(kernel), modalias, names);
        g_ptr_array_add(names, NULL);
        return (char **) g_ptr_array_free(g_steal_pointer(&names), FALSE);
}
