/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Plugin loader. The surprising thing: a module is opened first, checked by fstat() on that descriptor, and
 * then loaded through /proc/self/fd, so that what was checked is what runs. A file that fails the check is
 * never mapped; its constructors do not run.
 */
#define _GNU_SOURCE
#include "agent/plugins.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/dispatch.h"
#include "agent/module.h"
#include "agent/plugin-host.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/names.h"

enum state {
        LOADED,
        RUNNING,
        UNUSED,   /* probe said NO */
        WAITING,  /* probe said LATER */
        DISABLED, /* by configuration */
        FAILED,   /* loaded, did not start */
        REFUSED,  /* never loaded */
};

static const char *const state_names[] = {"loaded",   "running", "unused", "waiting",
                                          "disabled", "failed",  "refused"};

struct plugin {
        const struct tenon_plugin *desc; /* NULL when refused or unloaded */
        struct tn_plugin_host *host;
        void *handle;
        int fd;     /* what was checked and mapped; open as long, for dlopen() knows it by its number */
        char *name; /* from the descriptor, else from the file */
        char *file;
        char *reason;
        json_t *about; /* what was the descriptor's, of one that is unloaded */
        enum state state;
};

struct tn_plugins {
        const struct tn_env *env;
        const struct tn_config *config;
        struct tn_commands *commands;
        struct tn_facts *facts;
        GPtrArray *list;    /* struct plugin, in the order of their files */
        GPtrArray *running; /* struct plugin, in the order of their start; borrowed */
};

static void unmap(struct plugin *plugin)
{
        g_clear_pointer(&plugin->host, tn_plugin_host_free);
        if (plugin->handle)
                dlclose(plugin->handle);
        plugin->handle = NULL;
        tn_fd_close(&plugin->fd);
        plugin->desc = NULL;
}

static void plugin_free(void *data)
{
        struct plugin *plugin = data;

        unmap(plugin);
        json_decref(plugin->about);
        g_free(plugin->name);
        g_free(plugin->file);
        g_free(plugin->reason);
        g_free(plugin);
}

struct tn_plugins *tn_plugins_new(const struct tn_env *env, const struct tn_config *config,
                                  struct tn_commands *commands, struct tn_facts *facts)
{
        struct tn_plugins *plugins = g_new0(struct tn_plugins, 1);

        plugins->env = env;
        plugins->config = config;
        plugins->commands = commands;
        plugins->facts = facts;
        plugins->list = g_ptr_array_new_with_free_func(plugin_free);
        plugins->running = g_ptr_array_new();
        return plugins;
}

static void stop_plugin(struct tn_plugins *plugins, struct plugin *plugin)
{
        tn_commands_remove(plugins->commands, plugin->name);
        tn_plugin_host_unwatch(plugin->host);
        if (plugin->desc->stop)
                plugin->desc->stop(tn_plugin_host_get(plugin->host));
        tn_facts_drop_owner(plugins->facts, plugin->name);
        plugin->state = LOADED;
}

void tn_plugins_free(struct tn_plugins *plugins)
{
        if (!plugins)
                return;
        for (guint i = plugins->running->len; i-- > 0;)
                stop_plugin(plugins, g_ptr_array_index(plugins->running, i));
        g_ptr_array_free(plugins->running, TRUE);
        g_ptr_array_free(plugins->list, TRUE);
        g_free(plugins);
}

/* Takes @error. */
static void give_up(struct tn_plugins *plugins, struct plugin *plugin, enum state state, GError *error)
{
        plugin->state = state;
        plugin->reason = g_strdup(error->message);
        tn_log(plugins->env->log, TN_LOG_ERR,
               TN_FIELDS({TN_F_MESSAGE_ID, TN_MSG_PLUGIN_ERROR}, {TN_F_PLUGIN, plugin->name},
                         {TN_F_FILE, plugin->file}, {TN_F_ERROR, tn_error_name(error->code)}),
               "plugin %s %s: %s", plugin->name, state_names[state], error->message);
        g_error_free(error);
}

static bool check_owner(int fd, const char *what, GError **error)
{
        struct stat st;

        if (fstat(fd, &st) < 0)
                return tn_error_errno(error, errno, "check %s", what);
        if (st.st_uid != 0 && st.st_uid != geteuid())
                return tn_error_set(error, TN_ERROR_DENIED, "%s belongs to uid %u; run: chown root %s", what,
                                    st.st_uid, what);
        if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
                return tn_error_set(error, TN_ERROR_DENIED,
                                    "%s is writable by others (mode %04o); run: chmod go-w %s", what,
                                    st.st_mode & 07777, what);
        return true;
}

static bool name_valid(const char *name)
{
        return name && *name && strlen(name) < 64 &&
               strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(name);
}

static bool check_descriptor(const struct tn_plugins *plugins, const struct tenon_plugin *desc,
                             GError **error)
{
        if (desc->abi != TENON_PLUGIN_ABI)
                return tn_error_set(
                        error, TN_ERROR_UNSUPPORTED,
                        "it was built for plugin ABI %u, this agent has %u; rebuild it against this version",
                        desc->abi, TENON_PLUGIN_ABI);
        if (!name_valid(desc->name))
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "its descriptor has no valid name (a-z, 0-9 and -)");
        for (guint i = 0; i < plugins->list->len; i++) {
                const struct plugin *other = g_ptr_array_index(plugins->list, i);

                if (other->desc && g_str_equal(other->desc->name, desc->name))
                        return tn_error_set(error, TN_ERROR_BUSY, "the name %s is already taken by %s",
                                            desc->name, other->file);
        }
        return true;
}

static bool check_file(int fd, const char *path, GError **error)
{
        struct stat st;

        if (!check_owner(fd, path, error))
                return false;
        /* The loader would wait for a pipe's other end. */
        if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
                return tn_error_set(error, TN_ERROR_INVALID, "%s is not a regular file", path);
        return tn_module_check_whole(fd, path, error);
}

static const struct tenon_plugin *load(const char *path, int *ret_fd, void **ret_handle, GError **error)
{
        tn_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        g_autofree char *checked = NULL;
        const struct tenon_plugin *desc;
        void *handle;

        if (fd < 0) {
                tn_error_errno(error, errno, "open %s", path);
                return NULL;
        }
        if (!check_file(fd, path, error))
                return NULL;
        checked = g_strdup_printf("/proc/self/fd/%d", fd);
        handle = dlopen(checked, RTLD_NOW | RTLD_LOCAL);
        if (!handle) {
                tn_error_set(error, TN_ERROR_INVALID, "%s is not a loadable module: %s", path, dlerror());
                return NULL;
        }
        desc = dlsym(handle, "tenon_plugin");
        if (!desc) {
                dlclose(handle);
                tn_error_set(error, TN_ERROR_INVALID,
                             "%s exports no symbol tenon_plugin; see tenon-plugin(7)", path);
                return NULL;
        }
        *ret_fd = tn_fd_steal(&fd);
        *ret_handle = handle;
        return desc;
}

static struct plugin *new_row(struct tn_plugins *plugins, const char *file)
{
        struct plugin *plugin = g_new0(struct plugin, 1);
        g_autofree char *base = g_path_get_basename(file);

        plugin->fd = -1;
        plugin->file = g_strdup(file);
        plugin->name = g_strndup(base, strcspn(base, "."));
        g_ptr_array_add(plugins->list, plugin);
        return plugin;
}

static void accept_descriptor(struct tn_plugins *plugins, struct plugin *plugin,
                              const struct tenon_plugin *desc)
{
        GError *error = NULL;

        if (!check_descriptor(plugins, desc, &error)) {
                give_up(plugins, plugin, REFUSED, error);
                return;
        }
        plugin->desc = desc;
        g_free(plugin->name);
        plugin->name = g_strdup(desc->name);
        plugin->host = tn_plugin_host_new(plugins->env, plugins->config, plugins->facts, desc->name);
}

void tn_plugins_add(struct tn_plugins *plugins, const struct tenon_plugin *desc, const char *file)
{
        accept_descriptor(plugins, new_row(plugins, file), desc);
}

static void load_file(struct tn_plugins *plugins, const char *path)
{
        struct plugin *plugin = new_row(plugins, path);
        GError *error = NULL;
        const struct tenon_plugin *desc = load(path, &plugin->fd, &plugin->handle, &error);

        if (desc)
                accept_descriptor(plugins, plugin, desc);
        else
                give_up(plugins, plugin, REFUSED, error);
}

bool tn_plugins_load_directory(struct tn_plugins *plugins, const char *directory, GError **error)
{
        struct dirent **entries = NULL;
        tn_autofd int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int n;

        if (fd < 0)
                return tn_error_errno(error, errno, "open plugin directory %s", directory);
        if (!check_owner(fd, directory, error))
                return false;
        n = scandirat(fd, ".", &entries, NULL, alphasort);
        for (int i = 0; i < n; i++) {
                g_autofree char *path = g_build_filename(directory, entries[i]->d_name, NULL);

                if (g_str_has_suffix(path, ".so"))
                        load_file(plugins, path);
                free(entries[i]);
        }
        free(entries);
        return true;
}

static json_t *commands_to_json(const struct tenon_command *desc)
{
        json_t *list = json_array();

        for (; desc && desc->name; desc++)
                json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", desc->name, "summary",
                                                      desc->summary ? desc->summary : "", "category",
                                                      tn_policy_category_name(desc->category)));
        return list;
}

static json_t *describe(const struct tenon_plugin *desc)
{
        return json_pack("{s:s*, s:o}", "summary", desc->summary, "commands",
                         commands_to_json(desc->commands));
}

/* For one that this machine has no use for, or whose administrator has none. */
static void unload(struct plugin *plugin, enum state state)
{
        plugin->state = state;
        plugin->about = describe(plugin->desc);
        unmap(plugin);
}

static void start_plugin(struct tn_plugins *plugins, struct plugin *plugin)
{
        struct tenon_host *host = tn_plugin_host_get(plugin->host);
        GError *error = NULL;
        enum tenon_probe probe = plugin->desc->probe ? plugin->desc->probe(host) : TENON_PROBE_YES;

        if (probe == TENON_PROBE_LATER) {
                plugin->state = WAITING;
                return;
        }
        if (probe == TENON_PROBE_NO) {
                unload(plugin, UNUSED);
                return;
        }
        if (plugin->desc->start && !plugin->desc->start(host, &error)) {
                tn_facts_drop_owner(plugins->facts, plugin->name);
                give_up(plugins, plugin, FAILED,
                        error ? error : g_error_new(TN_ERROR, TN_ERROR_FAILED, "no reason given"));
                return;
        }
        if (!tn_commands_add(plugins->commands, plugin->name, host, plugin->desc->commands, &error)) {
                stop_plugin(plugins, plugin);
                give_up(plugins, plugin, FAILED, error);
                return;
        }
        plugin->state = RUNNING;
        g_ptr_array_add(plugins->running, plugin);
}

static bool is_settled(const struct tn_plugins *plugins, const char *name)
{
        for (guint i = 0; i < plugins->list->len; i++) {
                const struct plugin *plugin = g_ptr_array_index(plugins->list, i);

                if (g_str_equal(plugin->name, name) && plugin->state == LOADED)
                        return false;
        }
        return true; /* started, given up, or not there at all: nothing to wait for */
}

static bool may_start(const struct tn_plugins *plugins, const struct plugin *plugin)
{
        for (const char *const *name = plugin->desc->after; name && *name; name++)
                if (!is_settled(plugins, *name))
                        return false;
        return true;
}

void tn_plugins_start(struct tn_plugins *plugins)
{
        g_auto(GStrv) disabled = tn_config_get_list(plugins->config, "plugins", "disable");
        bool progress;

        for (guint i = 0; i < plugins->list->len; i++) {
                struct plugin *plugin = g_ptr_array_index(plugins->list, i);

                if (plugin->state == LOADED && g_strv_contains((const char *const *) disabled, plugin->name))
                        unload(plugin, DISABLED);
        }
        do {
                progress = false;
                for (guint i = 0; i < plugins->list->len; i++) {
                        struct plugin *plugin = g_ptr_array_index(plugins->list, i);

                        if (plugin->state == LOADED && may_start(plugins, plugin)) {
                                start_plugin(plugins, plugin);
                                progress = true;
                        }
                }
        } while (progress);
        for (guint i = 0; i < plugins->list->len; i++) {
                struct plugin *plugin = g_ptr_array_index(plugins->list, i);

                if (plugin->state == LOADED)
                        give_up(plugins, plugin, FAILED,
                                g_error_new(TN_ERROR, TN_ERROR_INVALID,
                                            "its 'after' is part of a circle; it was not started"));
        }
}

void tn_plugins_retry(struct tn_plugins *plugins)
{
        for (guint i = 0; i < plugins->list->len; i++) {
                struct plugin *plugin = g_ptr_array_index(plugins->list, i);

                if (plugin->state == WAITING)
                        start_plugin(plugins, plugin);
        }
}

json_t *tn_plugins_to_json(const struct tn_plugins *plugins)
{
        json_t *list = json_array();

        for (guint i = 0; i < plugins->list->len; i++) {
                const struct plugin *plugin = g_ptr_array_index(plugins->list, i);
                json_t *row = json_pack("{s:s, s:s, s:s}", "name", plugin->name, "file", plugin->file,
                                        "state", state_names[plugin->state]);

                if (plugin->reason)
                        json_object_set_new(row, "reason", json_string(plugin->reason));
                if (plugin->about)
                        json_object_update(row, plugin->about);
                else if (plugin->desc)
                        json_object_update_new(row, describe(plugin->desc));
                json_array_append_new(list, row);
        }
        return list;
}

const struct tn_bus_method *tn_plugins_find_method(const struct tn_plugins *plugins, const char *interface,
                                                   const char *name, void **ret_data)
{
        for (guint i = 0; i < plugins->running->len; i++) {
                const struct plugin *plugin = g_ptr_array_index(plugins->running, i);
                const struct tn_bus_method *method = tn_plugin_host_find_method(plugin->host, interface,
                                                                                name, ret_data);

                if (method)
                        return method;
        }
        return NULL;
}

unsigned tn_plugins_problems(const struct tn_plugins *plugins)
{
        unsigned n = 0;

        for (guint i = 0; i < plugins->list->len; i++) {
                const struct plugin *plugin = g_ptr_array_index(plugins->list, i);

                n += plugin->state == FAILED || plugin->state == REFUSED;
        }
        return n;
}
