/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* tenond: options, wiring, signals. All else is in the library tenon-core. */
#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <fcntl.h>

#include "agent/agent.h"
#include "agent/config-qga.h"
#include "agent/daemon.h"
#include "agent/notify.h"
#include "agent/options.h"
#include "agent/poller.h"
#include "agent/stored.h"
#include "lib/error.h"
#include "lib/fd-store.h"
#include "lib/fd.h"
#include "lib/log.h"
#include "lib/names.h"
#include "lib/rest.h"

#define REST_MS 100 /* a host that has waited for us has asked its first questions */

enum {
        EXIT_USAGE = 2,
};

static void set_up_log(struct tn_log *log, const struct tn_config *config)
{
        const char *file = tn_config_get_nonempty(config, "log", "file");
        enum tn_log_level level;
        int fd;

        if (tn_log_level_parse(tn_config_get(config, "log", "level"), &level))
                tn_log_set_level(log, level);
        if (!file)
                return;
        fd = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0)
                tn_log_set_file(log, fd);
        else
                tn_log(log, TN_LOG_WARNING, TN_FIELDS({TN_F_FILE, file}),
                       "log file %s: %s; going on without it", file, g_strerror(errno));
}

struct running {
        GMainLoop *loop;
        struct tn_agent *agent;
};

static gboolean on_signal(int fd, GIOCondition condition, void *data)
{
        struct running *running = data;
        struct signalfd_siginfo info;

        (void) condition;
        if (read(fd, &info, sizeof info) != sizeof info)
                return G_SOURCE_CONTINUE;
        if (info.ssi_signo != SIGHUP) {
                g_main_loop_quit(running->loop);
                return G_SOURCE_CONTINUE;
        }
        tn_notify_reloading();
        tn_agent_reload(running->agent);
        tn_notify_ready();
        return G_SOURCE_CONTINUE;
}

static int activated_fd(GError **error)
{
        static const char *const stored[] = {TN_FD_WATCHDOG, NULL};
        int n;
        int fd = tn_fd_store_find_other(stored, &n);

        if (fd == -2)
                tn_error_set(error, TN_ERROR_INVALID,
                             "socket activation passed %d sockets; exactly one is needed", n);
        return fd;
}

static struct tn_config *read_config(const struct tn_env *env, const struct tn_options *options,
                                     char **ret_path, GError **error)
{
        bool required;
        g_autofree char *path = tn_options_config_path(options, &required);
        g_autoptr(tn_config_t) config = tn_config_new(env, path, required, error);

        if (!config || !tn_options_apply(options, config, error))
                return NULL;
        *ret_path = g_steal_pointer(&path);
        return g_steal_pointer(&config);
}

static void print_command(const struct tn_command *command, void *data)
{
        (void) data;
        puts(command->desc->name);
}

static void dump(const struct tn_config *config)
{
        g_autofree char *text = tn_config_qga_dump(config);

        for (const char *const *mistake = tn_config_mistakes(config); *mistake; mistake++)
                fprintf(stderr, "tenond: configuration: %s\n", *mistake);
        fputs(text, stdout);
}

static gboolean on_started(void *data)
{
        (void) data;
        tn_rest();
        return G_SOURCE_REMOVE;
}

static int loop(struct tn_agent *agent, const sigset_t *signals)
{
        g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
        struct running running = {loop, agent};
        /* Not g_unix_signal_add(): that starts a thread of GLib's own, and there is to be one thread. */
        tn_autofd int fd = signalfd(-1, signals, SFD_CLOEXEC | SFD_NONBLOCK);
        guint source = g_unix_fd_add(fd, G_IO_IN, on_signal, &running);

        tn_notify_ready();
        tn_notify_start_beating(agent->facts);
        (void) g_timeout_add(REST_MS, on_started, NULL);
        g_main_loop_run(loop);
        tn_notify_stopping();
        g_source_remove(source);
        return EXIT_SUCCESS;
}

static int run(struct tn_agent *agent, const sigset_t *signals, GError **error)
{
        int listen_fd = activated_fd(error);
        tn_autofd int pidfile = -1;

        tn_stored_release(agent);
        tn_fd_store_forget();
        if (listen_fd < -1 || !tn_agent_open(agent, listen_fd, error))
                return EXIT_FAILURE;
        if (tn_config_get_bool(agent->config, "agent", "daemonize")) {
                pidfile = tn_daemon_lock_pidfile(tn_config_get(agent->config, "agent", "pidfile"), error);
                if (pidfile < 0 || !tn_daemon_detach(pidfile, error))
                        return EXIT_FAILURE;
        }
        return loop(agent, signals);
}

static int start(const struct tn_env *env, const struct tn_options *options, const sigset_t *signals,
                 GError **error)
{
        g_autofree char *path = NULL;
        struct tn_config *config = read_config(env, options, &path, error);
        struct tn_agent *agent;
        int status = EXIT_SUCCESS;

        if (!config)
                return EXIT_FAILURE;
        if (options->dump) {
                dump(config);
                tn_config_free(config);
                return EXIT_SUCCESS;
        }
        set_up_log(env->log, config);
        agent = tn_agent_new(env, config, path,
                             options->plugin_dirs ? (const char *const *) options->plugin_dirs->pdata
                                                  : NULL);
        if (options->list_commands)
                tn_commands_foreach(agent->commands, print_command, NULL);
        else
                status = run(agent, signals, error);
        tn_agent_free(agent);
        return status;
}

static void block_signals(sigset_t *ret_signals)
{
        (void) signal(SIGPIPE, SIG_IGN);
        sigemptyset(ret_signals);
        sigaddset(ret_signals, SIGTERM);
        sigaddset(ret_signals, SIGINT);
        sigaddset(ret_signals, SIGHUP);
        (void) sigprocmask(SIG_BLOCK, ret_signals, NULL);
}

int main(int argc, char **argv)
{
        g_autoptr(tn_log_t) log = tn_log_new(TN_LOG_NOTICE);
        g_autoptr(GError) error = NULL;
        struct tn_options options = {0};
        struct tn_env env = {0};
        int status = EXIT_FAILURE;
        sigset_t signals;

        block_signals(&signals);
        tn_fd_store_keep_from_children();
        if (!tn_options_parse(argc, argv, &options, &error)) {
                const char *name = options.as_qga ? TN_NAME_QGA : "tenond";

                fprintf(stderr, "%s: %s; try %s --help\n", name, error->message, name);
                return options.as_qga ? EXIT_FAILURE : EXIT_USAGE;
        }
        if (options.version) {
                printf(options.as_qga ? "QEMU Guest Agent %s (Tenon)\n" : "Tenon %s\n", TN_VERSION);
                return EXIT_SUCCESS;
        }
        tn_poller_init();
        if (tn_env_init_system(&env, log, &error))
                status = start(&env, &options, &signals, &error);
        if (error)
                fprintf(stderr, "tenond: %s\n", error->message);
        tn_env_deinit(&env);
        tn_options_clear(&options);
        return status;
}
