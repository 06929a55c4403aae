/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * D-Bus to systemd. It is reached by the system bus, or by its own socket where no bus runs (early, or a
 * system without dbus), which speaks the same without a bus in between.
 */
#include "plugins/watchdog/manager.h"

#include <string.h>

#include "lib/bus.h"
#include "lib/names.h"

#define SERVICE "org.freedesktop.systemd1"
#define OBJECT  "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define PRIVATE "run/systemd/private"
#define ASK_MS  5000

struct question {
        watchdog_manager_answered answered;
        void *data;
};

struct watchdog_manager {
        const struct tn_env *env;
        struct tn_bus *bus; /* NULL: none, or not while nothing is asked */
        struct watchdog_pid1 pid1;
        GArray *questions; /* struct question that wait */
        guint none_source, close_source;
        enum watchdog_end end;
        bool leaving; /* we are being stopped, and ask why: the connection stays */
        bool ended;
        bool told; /* systemd has answered it */
};

struct watchdog_manager *watchdog_manager_new(const struct tn_env *env)
{
        struct watchdog_manager *manager = g_new0(struct watchdog_manager, 1);

        manager->env = env;
        manager->questions = g_array_new(FALSE, FALSE, sizeof(struct question));
        return manager;
}

void watchdog_manager_free(struct watchdog_manager *manager)
{
        if (!manager)
                return;
        g_clear_handle_id(&manager->none_source, g_source_remove);
        g_clear_handle_id(&manager->close_source, g_source_remove);
        tn_bus_free(manager->bus);
        g_array_unref(manager->questions);
        g_free(manager->pid1.device);
        g_free(manager);
}

static struct tn_bus *open_private(const struct tn_env *env)
{
        return !env->recorded && tn_env_exists(env, PRIVATE) ? tn_bus_open("unix:path=/" PRIVATE, NULL)
                                                             : NULL;
}

static struct tn_bus *open_bus(const struct tn_env *env)
{
        struct tn_bus *bus = NULL;

        if (!tn_env_exists(env, TN_PATH_SYSTEMD_RUNNING))
                return NULL;
        bus = tn_bus_open(NULL, NULL);
        return bus ? bus : open_private(env);
}

/* The connection is closed when nothing is asked: an idle agent holds none. */
static gboolean on_close(void *data)
{
        struct watchdog_manager *manager = data;

        manager->close_source = 0;
        g_clear_pointer(&manager->bus, tn_bus_free);
        return G_SOURCE_REMOVE;
}

static void answer(struct watchdog_manager *manager)
{
        g_autoptr(GArray) questions = g_steal_pointer(&manager->questions);

        manager->questions = g_array_new(FALSE, FALSE, sizeof(struct question));
        if (!manager->close_source && !manager->leaving)
                manager->close_source = g_idle_add(on_close, manager);
        for (guint i = 0; i < questions->len; i++) {
                struct question *question = &g_array_index(questions, struct question, i);

                question->answered(question->data);
        }
}

static gboolean on_none(void *data)
{
        struct watchdog_manager *manager = data;

        manager->none_source = 0;
        answer(manager);
        return G_SOURCE_REMOVE;
}

static void take_property(struct watchdog_pid1 *pid1, const char *name, DBusMessageIter *value)
{
        int type = dbus_message_iter_get_arg_type(value);
        dbus_uint64_t number = 0;
        const char *text = NULL;

        if (type == DBUS_TYPE_UINT64)
                dbus_message_iter_get_basic(value, &number);
        else if (type == DBUS_TYPE_STRING)
                dbus_message_iter_get_basic(value, &text);
        if (g_str_equal(name, "RuntimeWatchdogUSec"))
                pid1->runtime_usec = number;
        else if (g_str_equal(name, "RebootWatchdogUSec") ||
                 g_str_equal(name, "ShutdownWatchdogUSec")) /* its name before systemd 244 */
                pid1->reboot_usec = number;
        else if (g_str_equal(name, "WatchdogLastPingTimestamp"))
                pid1->last_ping_usec = number == G_MAXUINT64 ? 0 : number;
        else if (g_str_equal(name, "WatchdogDevice") && text && *text)
                pid1->device = g_strdup(text);
}

/* a{sv} */
static void take_properties(struct watchdog_pid1 *pid1, DBusMessage *reply)
{
        DBusMessageIter top, list, entry, variant;

        if (!dbus_message_has_signature(reply, "a{sv}"))
                return;
        g_clear_pointer(&pid1->device, g_free);
        *pid1 = (struct watchdog_pid1){.known = true};
        dbus_message_iter_init(reply, &top);
        for (dbus_message_iter_recurse(&top, &list);
             dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_DICT_ENTRY; dbus_message_iter_next(&list)) {
                const char *name;

                dbus_message_iter_recurse(&list, &entry);
                dbus_message_iter_get_basic(&entry, &name);
                dbus_message_iter_next(&entry);
                dbus_message_iter_recurse(&entry, &variant);
                take_property(pid1, name, &variant);
        }
}

static void on_properties(DBusMessage *reply, const GError *error, void *data)
{
        struct watchdog_manager *manager = data;

        if (reply)
                take_properties(&manager->pid1, reply);
        answer(manager);
}

static bool connect(struct watchdog_manager *manager)
{
        g_clear_handle_id(&manager->close_source, g_source_remove);
        if (!manager->bus)
                manager->bus = open_bus(manager->env);
        return manager->bus != NULL;
}

void watchdog_manager_ask(struct watchdog_manager *manager, watchdog_manager_answered answered, void *data)
{
        struct question question = {answered, data};
        const char *interface = MANAGER;
        DBusMessage *message;

        g_array_append_val(manager->questions, question);
        if (manager->questions->len > 1)
                return;
        if (!connect(manager)) {
                manager->none_source = g_idle_add(on_none, manager);
                return;
        }
        message = dbus_message_new_method_call(SERVICE, OBJECT, DBUS_INTERFACE_PROPERTIES, "GetAll");
        dbus_message_append_args(message, DBUS_TYPE_STRING, &interface, DBUS_TYPE_INVALID);
        tn_bus_call(manager->bus, message, ASK_MS, on_properties, manager);
        dbus_message_unref(message);
}

const struct watchdog_pid1 *watchdog_manager_get(const struct watchdog_manager *manager)
{
        return &manager->pid1;
}

bool watchdog_pid1_feeds(const struct watchdog_pid1 *pid1)
{
        /* RuntimeWatchdogSec=default, where it takes what the device is set to, says no time. A name alone
         * may be that of WatchdogDevice=, for the reboot. */
        return pid1->known && pid1->runtime_usec != 0 && (pid1->runtime_usec != G_MAXUINT64 || pid1->device);
}

bool watchdog_pid1_guards_reboot(const struct watchdog_pid1 *pid1, const struct tn_env *env)
{
        if (pid1->reboot_usec == 0 || pid1->reboot_usec == G_MAXUINT64)
                return false;
        /* The first one has two nodes, of which systemd takes either. */
        if (pid1->device && !g_str_equal(pid1->device, "/dev/watchdog0") &&
            !g_str_equal(pid1->device, "/dev/watchdog"))
                return tn_env_exists(env, pid1->device + strspn(pid1->device, "/"));
        return tn_env_exists(env, "dev/watchdog0") || tn_env_exists(env, "dev/watchdog");
}

bool watchdog_pid1_is_overdue(const struct watchdog_pid1 *pid1, uint64_t now_usec)
{
        if (pid1->runtime_usec == 0 || pid1->runtime_usec == G_MAXUINT64)
                return false;
        /* It feeds twice in that time. A clock that was set back tells nothing. */
        return pid1->last_ping_usec == 0 ||
               (now_usec > pid1->last_ping_usec && now_usec - pid1->last_ping_usec > pid1->runtime_usec);
}

bool watchdog_manager_reboot(struct watchdog_manager *manager)
{
        const char *unit = "reboot.target", *mode = "replace-irreversibly";
        DBusMessage *message;

        if (!connect(manager))
                return false;
        message = dbus_message_new_method_call(SERVICE, OBJECT, MANAGER, "StartUnit");
        dbus_message_append_args(message, DBUS_TYPE_STRING, &unit, DBUS_TYPE_STRING, &mode,
                                 DBUS_TYPE_INVALID);
        tn_bus_send(manager->bus, message);
        dbus_message_unref(message);
        return true;
}

/* Our unit by our control group, "0::/system.slice/tenond.service". */
static char *own_unit(const struct tn_env *env)
{
        g_autofree char *group = tn_env_read_line(env, "proc/self/cgroup");

        return group ? g_path_get_basename(group) : g_strdup("");
}

/* The ways down that systemd itself guards with no watchdog: a reset would switch on what was to be off, or
 * hit the kernel or the user space that comes after. */
static bool is_unguarded(const char *unit)
{
        static const char *const targets[] = {"poweroff.target", "halt.target", "kexec.target",
                                              "soft-reboot.target", NULL};

        return g_strv_contains(targets, unit);
}

enum watchdog_end watchdog_end_after_job(enum watchdog_end so_far, const char *own, const char *unit,
                                         const char *type)
{
        bool down = g_str_equal(type, "start");

        if (down && is_unguarded(unit))
                return WATCHDOG_END_DOWN;
        if (down && g_str_equal(unit, "shutdown.target") && so_far != WATCHDOG_END_DOWN)
                return WATCHDOG_END_REBOOT;
        if (so_far == WATCHDOG_END_STOP && g_str_equal(unit, own) &&
            (g_str_equal(type, "restart") || g_str_equal(type, "try-restart")))
                return WATCHDOG_END_RESTART;
        return so_far;
}

/* ListJobs: a(usssoo), of each the id, the unit, what is done with it. */
static void on_jobs(DBusMessage *reply, const GError *error, void *data)
{
        struct watchdog_manager *manager = data;
        g_autofree char *own = own_unit(manager->env);
        DBusMessageIter top, list, job;

        manager->ended = true;
        if (!reply || !dbus_message_has_signature(reply, "a(usssoo)"))
                return;
        manager->told = true;
        dbus_message_iter_init(reply, &top);
        for (dbus_message_iter_recurse(&top, &list);
             dbus_message_iter_get_arg_type(&list) == DBUS_TYPE_STRUCT; dbus_message_iter_next(&list)) {
                const char *unit, *type;

                dbus_message_iter_recurse(&list, &job);
                dbus_message_iter_next(&job);
                dbus_message_iter_get_basic(&job, &unit);
                dbus_message_iter_next(&job);
                dbus_message_iter_get_basic(&job, &type);
                manager->end = watchdog_end_after_job(manager->end, own, unit, type);
        }
}

/* The loop has ended already, so it is turned here; the bus keeps the time limit. */
static void ask_jobs(struct watchdog_manager *manager)
{
        DBusMessage *message = dbus_message_new_method_call(SERVICE, OBJECT, MANAGER, "ListJobs");

        manager->ended = false;
        tn_bus_call(manager->bus, message, ASK_MS, on_jobs, manager);
        dbus_message_unref(message);
        while (!manager->ended)
                g_main_context_iteration(NULL, TRUE);
}

enum watchdog_end watchdog_manager_why(struct watchdog_manager *manager)
{
        manager->end = WATCHDOG_END_STOP;
        manager->told = false;
        manager->leaving = true; /* what was asked before is answered meanwhile, too */
        if (connect(manager))
                ask_jobs(manager);
        if (manager->told)
                return manager->end;
        /* At a shutdown the message bus may go before us; systemd's own socket does not. */
        g_clear_pointer(&manager->bus, tn_bus_free);
        manager->bus = open_private(manager->env);
        if (manager->bus)
                ask_jobs(manager);
        return manager->end;
}
