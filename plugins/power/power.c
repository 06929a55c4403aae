/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * guest-shutdown: hooks, each with a time limit, then the request to the system. Progress stands on the
 * board as the fact "shutdown". Hooks run in transient systemd units of their own, outside the agent's
 * sandbox; where there is no systemd, as plain children.
 */
#include "plugins/power/power.h"
#include "lib/error.h"
#include "lib/hooks.h"

static const struct power_mode modes[] = {
        {"powerdown", "PowerOff", "poweroff.target", "/sbin/poweroff", "-P"},
        {"halt", "Halt", "halt.target", "/sbin/halt", "-H"},
        {"reboot", "Reboot", "reboot.target", "/sbin/reboot", "-r"},
};

struct power {
        struct tenon_host *host;
        struct tenon_call *call; /* NULL: nothing under way */
        const struct power_mode *mode;
        GPtrArray *hooks; /* struct tn_hook */
        guint next_hook;
        json_t *results; /* of the hooks so far */
        struct power_request *request;
        guint step_source;
        struct power_suspend *suspend;
};

const struct power_mode *power_mode_find(const char *name)
{
        if (!name)
                return &modes[0];
        for (size_t i = 0; i < G_N_ELEMENTS(modes); i++)
                if (g_str_equal(modes[i].name, name))
                        return &modes[i];
        return NULL;
}

static void publish(struct power *power, const char *state, const char *member, const char *value)
{
        json_t *fact = json_pack("{s:s}", "state", state);

        if (power->mode)
                json_object_set_new(fact, "mode", json_string(power->mode->name));
        if (member)
                json_object_set_new(fact, member, json_string(value));
        if (power->results)
                json_object_set_new(fact, "hooks", json_deep_copy(power->results));
        power->host->fact_set(power->host, "shutdown", fact);
}

static void forget(struct power *power)
{
        g_clear_handle_id(&power->step_source, g_source_remove);
        g_clear_pointer(&power->request, power_request_free);
        g_clear_pointer(&power->hooks, g_ptr_array_unref);
        g_clear_pointer(&power->results, json_decref);
        power->call = NULL;
}

static gboolean on_forget(void *data)
{
        struct power *power = data;

        power->step_source = 0;
        forget(power);
        return G_SOURCE_REMOVE;
}

static void on_requested(bool ok, const char *how, const GError *error, void *data)
{
        struct power *power = data;

        if (ok) {
                power->host->log(power->host, 5, "%s asked for by the host and accepted by %s",
                                 power->mode->name, how);
                publish(power, "requested", "by", how);
                power->host->reply(power->call, NULL);
        } else {
                power->host->log(power->host, 3, "%s", error->message);
                publish(power, "failed", "error", error->message);
                power->host->fail(power->call, g_error_copy(error));
        }
        power->call = NULL;
        /* The request is still on the stack above us. */
        power->step_source = g_idle_add(on_forget, power);
}

static void run_next_hook(struct power *power);

static void note_hook(struct power *power, const char *path, const char *result)
{
        json_array_append_new(power->results, json_pack("{s:s, s:s}", "hook", path, "result", result));
}

static void on_hook_done(struct tenon_host *host, const struct tenon_child_result *result, void *data)
{
        struct power *power = data;
        const struct tn_hook *hook = g_ptr_array_index(power->hooks, power->next_hook - 1);
        g_autofree char *text = result->timed_out          ? g_strdup("timed out")
                                : result->exit_status == 0 ? g_strdup("ok")
                                : result->signal           ? g_strdup_printf("signal %d", result->signal)
                                                 : g_strdup_printf("exit status %d", result->exit_status);

        if (result->timed_out || result->exit_status != 0)
                host->log(host, 4, "power hook %s: %s; going on: %.200s", hook->path, text, result->output);
        note_hook(power, hook->path, text);
        run_next_hook(power);
}

static unsigned hook_timeout_ms(struct tenon_host *host)
{
        const char *text = host->config(host, "power", "hook-timeout-ms");

        return text ? (unsigned) g_ascii_strtoull(text, NULL, 10) : 30000;
}

static bool start_hook(struct power *power, const struct tn_hook *hook, GError **error)
{
        struct tenon_host *host = power->host;
        unsigned deadline_ms;
        g_auto(GStrv) argv = tn_hooks_argv(host->env, hook->path, power->mode->name, hook_timeout_ms(host),
                                           &deadline_ms);

        return host->run(host, (const char *const *) argv, deadline_ms, on_hook_done, power, error);
}

static void run_next_hook(struct power *power)
{
        while (power->next_hook < power->hooks->len) {
                const struct tn_hook *hook = g_ptr_array_index(power->hooks, power->next_hook++);
                g_autoptr(GError) error = NULL;

                publish(power, "hooks", "hook", hook->path);
                if (!hook->refused && start_hook(power, hook, &error))
                        return;
                power->host->log(power->host, 4, "power hook %s was not run: %s", hook->path,
                                 hook->refused ? hook->refused : error->message);
                note_hook(power, hook->path, "not run");
        }
        publish(power, "requesting", NULL, NULL);
        power->request = power_request_start(power->host, power->mode, on_requested, power);
}

static void shutdown_start(struct tenon_host *host, struct tenon_call *call, json_t *args)
{
        struct power *power = host->data;
        const struct power_mode *mode = power_mode_find(json_string_value(json_object_get(args, "mode")));
        const char *directory = host->config(host, "power", "hook-directory");

        if (!mode) {
                host->fail(call, g_error_new(TN_ERROR, TN_ERROR_INVALID,
                                             "mode is invalid (valid values are: halt|powerdown|reboot)"));
                return;
        }
        if (power->call) {
                host->fail(call, g_error_new(TN_ERROR, TN_ERROR_BUSY, "a %s is already under way",
                                             power->mode->name));
                return;
        }
        forget(power);
        power->call = call;
        power->mode = mode;
        power->next_hook = 0;
        power->results = json_array();
        power->hooks = directory ? tn_hooks_list(host->env, directory)
                                 : g_ptr_array_new_with_free_func((GDestroyNotify) tn_hook_free);
        host->log(host, 5, "%s asked for by the host, %u hooks", mode->name, power->hooks->len);
        run_next_hook(power);
}

struct power_suspend *power_get_suspend(struct tenon_host *host)
{
        return ((struct power *) host->data)->suspend;
}

static bool power_start(struct tenon_host *host, GError **error)
{
        struct power *power = g_new0(struct power, 1);

        power->host = host;
        power->suspend = power_suspend_new(host);
        host->data = power;
        publish(power, "idle", NULL, NULL);
        return true;
}

static void power_stop(struct tenon_host *host)
{
        struct power *power = host->data;

        if (power->call)
                host->fail(power->call, g_error_new(TN_ERROR, TN_ERROR_FAILED, "the agent is stopping"));
        forget(power);
        power_suspend_free(power->suspend);
        g_free(power);
        host->data = NULL;
}

static const struct tenon_command commands[] = {
        {.name = "guest-shutdown",
         .args = "mode:str?",
         .summary = "Power down, halt or reboot through logind or systemd, after the hooks",
         .category = TENON_CATEGORY_POWER,
         .flags = TENON_COMMAND_CHANGES | TENON_COMMAND_NO_REPLY,
         .start = shutdown_start},
        {.name = "guest-suspend-ram",
         .args = "",
         .summary = "Sleep with memory kept (suspend)",
         .category = TENON_CATEGORY_POWER,
         .flags = TENON_COMMAND_CHANGES | TENON_COMMAND_NO_REPLY,
         .start = power_suspend_start_ram},
        {.name = "guest-suspend-disk",
         .args = "",
         .summary = "Sleep with memory saved on disk (hibernate)",
         .category = TENON_CATEGORY_POWER,
         .flags = TENON_COMMAND_CHANGES | TENON_COMMAND_NO_REPLY,
         .start = power_suspend_start_disk},
        {.name = "guest-suspend-hybrid",
         .args = "",
         .summary = "Sleep with memory kept, and saved on disk as well",
         .category = TENON_CATEGORY_POWER,
         .flags = TENON_COMMAND_CHANGES | TENON_COMMAND_NO_REPLY,
         .start = power_suspend_start_hybrid},
        {.name = NULL},
};

const struct tenon_plugin tenon_plugin = {
        .abi = TENON_PLUGIN_ABI,
        .name = "power",
        .summary = "Shutdown, reboot and sleep that the host asks for",
        .start = power_start,
        .stop = power_stop,
        .commands = commands,
};
