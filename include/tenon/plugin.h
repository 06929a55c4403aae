/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * All that a Tenon plugin sees of the agent. A plugin is a shared module in $libdir/tenon/plugins that
 * exports one descriptor, `const struct tenon_plugin tenon_plugin`. It runs on the agent's one main loop
 * (GLib's default context) and must never block it: what can block goes through tenon_host.run, or the
 * plugin's own GSource. Needs only GLib (core) and jansson. See tenon-plugin(7).
 */
#pragma once

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>

#define TENON_PLUGIN_ABI 3U /* raised whenever anything in this file changes its layout or meaning */

struct tn_env;        /* the machine, lib/env.h; opaque to plugins that are built elsewhere */
struct tenon_call;    /* one request under way */
struct tn_bus_method; /* lib/bus-object.h; opaque to plugins that are built elsewhere */

enum tenon_probe {
        TENON_PROBE_YES,   /* start me */
        TENON_PROBE_NO,    /* this machine has nothing for me: unload me */
        TENON_PROBE_LATER, /* hardware may still appear; asked again when a device is added */
};

/* What a command touches: the unit in which policy presets allow or refuse (tenond.conf(5)). */
enum tenon_category {
        TENON_CATEGORY_AGENT,    /* ping, sync, info: never refused by a preset */
        TENON_CATEGORY_INFO,     /* reads facts of the guest */
        TENON_CATEGORY_POWER,    /* shutdown, reboot, suspend */
        TENON_CATEGORY_TIME,     /* sets the clock */
        TENON_CATEGORY_FREEZE,   /* freezes, thaws, trims file systems */
        TENON_CATEGORY_HOTPLUG,  /* CPUs and memory on- and offline */
        TENON_CATEGORY_EXEC,     /* runs programs */
        TENON_CATEGORY_FILES,    /* reads and writes files */
        TENON_CATEGORY_ACCOUNTS, /* passwords and keys */
        TENON_CATEGORY_WATCHDOG, /* arms, disarms, starves the watchdog */
        _TENON_CATEGORY_MAX,
};

enum tenon_command_flags {
        TENON_COMMAND_CHANGES = 1 << 0,      /* changes state: one audit record a call */
        TENON_COMMAND_WHILE_FROZEN = 1 << 1, /* allowed while file systems are frozen */
        TENON_COMMAND_NO_REPLY = 1 << 2,     /* success is not answered, only errors are */
};

struct tenon_host;

/* Exactly one of run and start is set. @args is an object that has been checked against the signature;
 * it is borrowed and lives as long as the call. */
struct tenon_command {
        const char *name;    /* wire name; a NULL name ends the table */
        const char *args;    /* signature, e.g. "time:int?" or "vcpus:[{logical-id:int,online:bool}]" */
        const char *summary; /* one line for `tenonctl plugins` and the man page */
        enum tenon_category category;
        unsigned flags;
        /* Answers at once: the reply (ownership goes to the agent), or NULL with *error set. */
        json_t *(*run)(struct tenon_host *host, json_t *args, GError **error);
        /* Answers later: exactly one host->reply(call, …) or host->fail(call, …), now or then. */
        void (*start)(struct tenon_host *host, struct tenon_call *call, json_t *args);
};

struct tenon_plugin {
        unsigned abi;             /* TENON_PLUGIN_ABI */
        const char *name;         /* [a-z0-9-]+, the name in configuration and logs */
        const char *summary;      /* one line */
        const char *const *after; /* NULL, or names of plugins to start before this one; NULL-ended */
        enum tenon_probe (*probe)(struct tenon_host *host);     /* NULL: YES */
        bool (*start)(struct tenon_host *host, GError **error); /* NULL: nothing to start */
        void (*stop)(struct tenon_host *host);                  /* NULL: nothing to stop */
        const struct tenon_command *commands;                   /* NULL: none */
};

/* How a child ended. @exit_status is -1 unless it exited; @signal is 0 unless it was killed by one. */
struct tenon_child_result {
        int exit_status;
        int signal;
        bool timed_out;     /* killed by us: the deadline passed */
        const char *output; /* first 64 KiB of stdout and stderr; borrowed */
};
typedef void (*tenon_child_done)(struct tenon_host *host, const struct tenon_child_result *result,
                                 void *data);

/* A reply that is made while it is sent, so that a large one never exists as a whole. Both functions run on
 * the loop and may not end other calls. */
struct tenon_stream {
        /* Appends the next piece of the value's JSON text, some 100 KiB, to @out; false after the last one.
         * With @cut nobody wants the rest: the text is to end now, short, but whole. */
        bool (*next)(void *data, GString *out, bool cut);
        void (*free)(void *data); /* once, when the text has ended or nobody waits for it any more */
};
/* A fact has changed; @value is borrowed, NULL when it was removed. */
typedef void (*tenon_fact_func)(struct tenon_host *host, const char *name, json_t *value);

/* What a plugin may call. One struct per plugin; lives from before probe until after stop. */
struct tenon_host {
        void *data;               /* the plugin's own */
        const struct tn_env *env; /* the machine */
        int root_fd;              /* the machine's root directory, for openat(); not "/" in tests */

        /* Text of a setting, or NULL when it is empty or unknown; yes-or-no settings read "yes" or "no".
         * Borrowed. A plugin built elsewhere uses the group "plugin NAME", where any key is accepted. */
        const char *(*config)(struct tenon_host *host, const char *group, const char *key);
        /* Puts a fact on the board under @name; takes ownership of @value, NULL removes the fact. A name
         * belongs to the plugin that set it first. */
        void (*fact_set)(struct tenon_host *host, const char *name, json_t *value);
        /* A fact of anybody's, borrowed, or NULL. */
        json_t *(*fact_get)(struct tenon_host *host, const char *name);
        /* One log record at a syslog(3) level, with TENON_PLUGIN= set. */
        void (*log)(struct tenon_host *host, int level, const char *format, ...) G_GNUC_PRINTF(3, 4);
        /* Starts argv[0] (absolute path) without a shell, in a session of its own, killed with its group
         * after @deadline_ms. @done runs on the loop exactly once. False with @error: not started. */
        bool (*run)(struct tenon_host *host, const char *const *argv, unsigned deadline_ms,
                    tenon_child_done done, void *data, GError **error);
        /* Ends a call that a start function was given. Takes ownership of @value / @error. */
        void (*reply)(struct tenon_call *call, json_t *value);
        void (*fail)(struct tenon_call *call, GError *error);
        /* In place of reply(): a value as a stream. Borrows @stream, takes ownership of @data. */
        void (*reply_stream)(struct tenon_call *call, const struct tenon_stream *stream, void *data);
        /* Does anybody still wait for the reply? A handle that nobody will learn of need not be kept. */
        bool (*is_awaited)(const struct tenon_call *call);
        /* The names of the groups [KIND NAME] of the configuration in which there is no mistake, sorted.
         * Free with g_strfreev(). */
        char **(*config_names)(struct tenon_host *host, const char *kind);
        /* From now on @func is called for each change of a fact of anybody's, until stop. One for each
         * plugin. */
        void (*fact_watch)(struct tenon_host *host, tenon_fact_func func);
        /* From now on and until stop, calls over D-Bus of the methods in the table @methods are the
         * plugin's, if data/org.tenon.Agent1.xml has them in @interface. For what is not a command of the
         * host's. One table for each plugin. */
        void (*bus_serve)(struct tenon_host *host, const char *interface,
                          const struct tn_bus_method *methods, void *data);
};

/* The one symbol that a plugin exports. */
extern const struct tenon_plugin tenon_plugin __attribute__((visibility("default")));
