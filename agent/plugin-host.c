/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The functions that a plugin may call, bound to the agent's parts. */
#include "agent/plugin-host.h"

#include <unistd.h>

#include "agent/dispatch.h"
#include "lib/bus-object.h"
#include "lib/child.h"
#include "lib/log.h"
#include "lib/names.h"

struct tn_plugin_host {
        struct tenon_host host; /* first: the plugin's pointer is ours */
        const struct tn_config *config;
        struct tn_facts *facts;
        char *name;
        tenon_fact_func watch; /* NULL: not subscribed */
        const char *served;    /* the interface of D-Bus whose methods are the plugin's; NULL: none */
        const struct tn_bus_method *methods;
        void *methods_data;
        GPtrArray *children; /* struct child_run under way; borrowed, each removes itself */
};

struct child_run {
        struct tn_plugin_host *owner;
        struct tn_child *child;
        tenon_child_done done;
        void *data;
};

static const char *host_config(struct tenon_host *host, const char *group, const char *key)
{
        return tn_config_get_nonempty(((struct tn_plugin_host *) host)->config, group, key);
}

static char **host_config_names(struct tenon_host *host, const char *kind)
{
        return tn_config_names(((struct tn_plugin_host *) host)->config, kind);
}

static void host_fact_set(struct tenon_host *host, const char *name, json_t *value)
{
        struct tn_plugin_host *self = (struct tn_plugin_host *) host;
        g_autoptr(GError) error = NULL;

        if (!tn_facts_set(self->facts, self->name, name, value, &error))
                tn_log(host->env->log, TN_LOG_ERR, TN_FIELDS({TN_F_PLUGIN, self->name}), "%s",
                       error->message);
}

static json_t *host_fact_get(struct tenon_host *host, const char *name)
{
        return tn_facts_get(((struct tn_plugin_host *) host)->facts, name);
}

static void on_fact(const char *name, const json_t *value, void *data)
{
        struct tn_plugin_host *self = data;

        self->watch(&self->host, name, (json_t *) value);
}

static void host_fact_watch(struct tenon_host *host, tenon_fact_func func)
{
        struct tn_plugin_host *self = (struct tn_plugin_host *) host;

        if (self->watch)
                tn_facts_unsubscribe(self->facts, on_fact, self);
        self->watch = func;
        if (func)
                tn_facts_subscribe(self->facts, on_fact, self);
}

void tn_plugin_host_unwatch(struct tn_plugin_host *self)
{
        if (self->watch)
                tn_facts_unsubscribe(self->facts, on_fact, self);
        self->watch = NULL;
        self->served = NULL;
}

static void host_bus_serve(struct tenon_host *host, const char *interface,
                           const struct tn_bus_method *methods, void *data)
{
        struct tn_plugin_host *self = (struct tn_plugin_host *) host;

        self->served = interface;
        self->methods = methods;
        self->methods_data = data;
}

const struct tn_bus_method *tn_plugin_host_find_method(const struct tn_plugin_host *self,
                                                       const char *interface, const char *name,
                                                       void **ret_data)
{
        if (g_strcmp0(self->served, interface) != 0)
                return NULL;
        for (const struct tn_bus_method *method = self->methods; method->name; method++) {
                if (g_str_equal(method->name, name)) {
                        *ret_data = self->methods_data;
                        return method;
                }
        }
        return NULL;
}

static void host_log(struct tenon_host *host, int level, const char *format, ...)
{
        struct tn_plugin_host *self = (struct tn_plugin_host *) host;
        va_list args;

        va_start(args, format);
        tn_log_valist(host->env->log, (enum tn_log_level) CLAMP(level, TN_LOG_ERR, TN_LOG_DEBUG),
                      TN_FIELDS({TN_F_PLUGIN, self->name}), format, args);
        va_end(args);
}

static void on_child_done(const struct tn_child_result *result, void *data)
{
        g_autofree struct child_run *run = data;
        struct tenon_child_result out = {
                .exit_status = result->exit_status,
                .signal = result->signal,
                .timed_out = result->timed_out,
                .output = result->output,
        };

        g_ptr_array_remove_fast(run->owner->children, run);
        run->done(&run->owner->host, &out, run->data);
}

static bool host_run(struct tenon_host *host, const char *const *argv, unsigned deadline_ms,
                     tenon_child_done done, void *data, GError **error)
{
        struct tn_plugin_host *self = (struct tn_plugin_host *) host;
        struct child_run *run = g_new0(struct child_run, 1);

        *run = (struct child_run){.owner = self, .done = done, .data = data};
        run->child = tn_child_start(argv, deadline_ms, on_child_done, run, error);
        if (!run->child) {
                g_free(run);
                return false;
        }
        g_ptr_array_add(self->children, run);
        return true;
}

struct tn_plugin_host *tn_plugin_host_new(const struct tn_env *env, const struct tn_config *config,
                                          struct tn_facts *facts, const char *name)
{
        struct tn_plugin_host *self = g_new0(struct tn_plugin_host, 1);

        self->host = (struct tenon_host){
                .env = env,
                .root_fd = env->root_fd,
                .config = host_config,
                .fact_set = host_fact_set,
                .fact_get = host_fact_get,
                .log = host_log,
                .run = host_run,
                .reply = tn_call_reply,
                .fail = tn_call_fail,
                .reply_stream = tn_call_reply_stream,
                .is_awaited = tn_call_is_awaited,
                .config_names = host_config_names,
                .fact_watch = host_fact_watch,
                .bus_serve = host_bus_serve,
        };
        self->config = config;
        self->facts = facts;
        self->name = g_strdup(name);
        self->children = g_ptr_array_new();
        return self;
}

void tn_plugin_host_free(struct tn_plugin_host *self)
{
        if (!self)
                return;
        tn_plugin_host_unwatch(self);
        for (guint i = 0; i < self->children->len; i++) {
                struct child_run *run = g_ptr_array_index(self->children, i);

                tn_child_abandon(run->child);
                g_free(run);
        }
        g_ptr_array_free(self->children, TRUE);
        g_free(self->name);
        g_free(self);
}

struct tenon_host *tn_plugin_host_get(struct tn_plugin_host *self)
{
        return &self->host;
}
