/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Things come first: the shutdown, the agent's problems, the reset, drivers, the update. Then a line for
 * each part, also for the one that is not there. Texts of the agent are cut to a length and to one line.
 */
#include "tray/view.h"

#include <string.h>

#include "lib/names.h"

static const json_t *interface_of(const json_t *facts, const char *part)
{
        g_autofree char *name = *part ? g_strconcat(TN_BUS_NAME ".", part, NULL) : g_strdup(TN_BUS_NAME);

        return json_object_get(facts, name);
}

static const char *text_of(const json_t *object, const char *key)
{
        const char *text = json_string_value(json_object_get(object, key));

        return text ? text : "";
}

static bool is(const json_t *object, const char *key, const char *value)
{
        return g_str_equal(text_of(object, key), value);
}

static bool is_absent(const json_t *part)
{
        return !*text_of(part, "State") || is(part, "State", "absent");
}

/* One line of at most TN_TRAY_TEXT_MAX characters. */
static char *cut(const char *text)
{
        g_autofree char *line = g_strdelimit(g_strdup(text), "\n\r\t", ' ');
        g_autofree char *head = NULL;

        if (g_utf8_strlen(line, -1) <= TN_TRAY_TEXT_MAX)
                return g_steal_pointer(&line);
        head = g_utf8_substring(line, 0, TN_TRAY_TEXT_MAX - 1);
        return g_strconcat(head, "…", NULL);
}

static void thing_free(void *data)
{
        struct tn_tray_thing *thing = data;

        g_free(thing->id);
        g_free(thing->title);
        g_free(thing->text);
        g_free(thing);
}

/* Takes @id. */
static struct tn_tray_thing *add(struct tn_tray_view *view, char *id, const char *title, const char *text)
{
        struct tn_tray_thing *thing = g_new0(struct tn_tray_thing, 1);

        g_strdelimit(id, "\n\r", ' '); /* memory.h keeps one a line */
        *thing = (struct tn_tray_thing){.id = id, .title = g_strdup(title), .text = cut(text)};
        g_ptr_array_add(view->things, thing);
        return thing;
}

static void add_shutdown(struct tn_tray_view *view, const json_t *shutdown)
{
        const char *mode = text_of(shutdown, "mode");
        g_autofree char *text = NULL;

        if (!json_is_object(shutdown) || is(shutdown, "state", "failed"))
                return;
        text = g_strdup_printf("The host asks this machine to %s now. Save your work.",
                               g_str_equal(mode, "reboot") ? "restart"
                               : g_str_equal(mode, "halt") ? "halt"
                                                           : "shut down");
        add(view,
            g_strdup_printf("shutdown:%" JSON_INTEGER_FORMAT,
                            json_integer_value(json_object_get(shutdown, "at"))),
            "Shutdown requested by the host", text)
                ->urgent = true;
}

static void add_problems(struct tn_tray_view *view, const json_t *agent)
{
        json_t *problem;
        size_t i;

        json_array_foreach(json_object_get(agent, "Problems"), i, problem)
        {
                const char *text = json_string_value(problem);
                const char *remedy = json_string_value(
                        json_array_get(json_object_get(agent, "Remedies"), i));
                g_autofree char *both = NULL;
                struct tn_tray_thing *thing;

                if (!text)
                        continue;
                both = g_strjoin(remedy && *remedy ? " – " : NULL, text, remedy, NULL);
                thing = add(view, g_strconcat("problem:", text, NULL), "Tenon needs attention", both);
                thing->lasting = true;
                thing->urgent = true;
        }
}

static void add_reset(struct tn_tray_view *view, const json_t *watchdog)
{
        const json_t *last = json_object_get(watchdog, "LastReset");
        const char *reason = text_of(last, "reason");
        g_autofree char *text = NULL;

        if (!json_is_true(json_object_get(last, "this-boot")))
                return;
        text = g_strdup_printf("The watchdog reset this machine (%s): %s", text_of(last, "cause"),
                               *reason ? reason : "no reason was recorded");
        add(view,
            g_strdup_printf("reset:%" JSON_INTEGER_FORMAT,
                            json_integer_value(json_object_get(last, "time"))),
            "This machine was reset", text);
}

/* A device that does not work is news of another kind than one that could be faster. */
static void add_advice(struct tn_tray_view *view, const json_t *drivers)
{
        const json_t *severities = json_object_get(drivers, "Severities");
        json_t *advice;
        size_t i;

        json_array_foreach(json_object_get(drivers, "Advice"), i, advice)
        {
                const char *text = json_string_value(advice);
                const char *severity = json_string_value(json_array_get(severities, i));
                bool missing = severity && g_str_equal(severity, "critical");

                if (text)
                        add(view, g_strconcat("driver:", text, NULL),
                            missing ? "A driver is missing" : "Advice about a driver", text)
                                ->urgent = missing;
        }
}

static void add_update(struct tn_tray_view *view, const json_t *updates)
{
        const char *candidate = text_of(updates, "Candidate"), *message = text_of(updates, "Message");
        bool revoked = is(updates, "Status", "revoked");
        bool security = revoked || json_is_true(json_object_get(updates, "Security"));
        g_autofree char *text = NULL;

        if (!is(updates, "Status", "out-of-date") && !revoked)
                return;
        text = g_strdup_printf("Version %s of Tenon is available, %s is installed.", candidate,
                               text_of(updates, "Installed"));
        add(view, g_strdup_printf("update:%s:%s", text_of(updates, "Status"), candidate),
            security ? "Security update for Tenon" : "Update for Tenon", *message ? message : text)
                ->urgent = security;
}

static void say(struct tn_tray_view *view, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void say(struct tn_tray_view *view, const char *format, ...)
{
        g_autofree char *text = NULL;
        va_list args;

        va_start(args, format);
        text = g_strdup_vprintf(format, args);
        va_end(args);
        g_ptr_array_add(view->summary, cut(text));
}

static void say_machine(struct tn_tray_view *view, const json_t *facts)
{
        const json_t *hypervisor = interface_of(facts, "Hypervisor"),
                     *channels = interface_of(facts, "Channels");
        const char *id = text_of(hypervisor, "Id"), *problem = text_of(channels, "Problem");

        say(view, "Machine: %s", *id ? id : "no virtual machine");
        if (is_absent(channels))
                say(view, "Host: there is no channel to it");
        else if (is(channels, "State", "open"))
                say(view, "Host: its channel is open");
        else
                say(view, "Host: channel is %s%s%s", text_of(channels, "State"), *problem ? ": " : "",
                    problem);
}

static void say_drivers(struct tn_tray_view *view, const json_t *drivers)
{
        size_t count = json_array_size(json_object_get(drivers, "Advice"));

        if (is_absent(drivers))
                say(view, "Drivers: not looked at, the plugin drivers does not run");
        else if (count == 0)
                say(view, "Drivers: as they should be");
        else
                say(view, "Drivers: %zu piece%s of advice", count, count > 1 ? "s" : "");
}

static void say_watchdog(struct tn_tray_view *view, const json_t *watchdog)
{
        const char *device = text_of(watchdog, "Device"), *reason = text_of(watchdog, "Reason");

        if (is_absent(watchdog))
                say(view, "Watchdog: there is none");
        else
                say(view, "Watchdog: %s%s%s%s%s", text_of(watchdog, "State"), *device ? ", " : "", device,
                    *reason ? ": " : "", reason);
}

static void say_time(struct tn_tray_view *view, const json_t *clock)
{
        const char *source = text_of(clock, "Source");

        if (is_absent(clock))
                say(view, "Time: not looked after, the plugin timesync does not run");
        else if (is(clock, "Owner", "nobody"))
                say(view, "Time: nobody keeps the clock; tenonctl time setup advises");
        else
                say(view, "Time: kept by %s%s%s", text_of(clock, "Owner"), *source ? ", compared with " : "",
                    source);
}

static void say_update(struct tn_tray_view *view, const json_t *agent, const json_t *updates)
{
        const char *status = text_of(updates, "Status");

        say(view, "Version: %s%s%s%s", text_of(agent, "Version"), *status ? " (" : "", status,
            *status ? ")" : "");
}

static void conclude(struct tn_tray_view *view, GHashTable *seen)
{
        g_autoptr(GString) tooltip = g_string_new(NULL);
        guint fresh = 0, count = view->things->len;

        for (guint i = 0; i < count; i++) {
                const struct tn_tray_thing *thing = g_ptr_array_index(view->things, i);

                fresh += thing->lasting || !seen || !g_hash_table_contains(seen, thing->id);
                if (i < TN_TRAY_THINGS_MAX)
                        g_string_append_printf(tooltip, "%s\n", thing->text);
        }
        view->state = fresh ? TN_TRAY_ATTENTION : TN_TRAY_WELL;
        if (fresh)
                view->headline = g_strdup_printf("Tenon: %u thing%s attention", fresh,
                                                 fresh > 1 ? "s need" : " needs");
        else if (count)
                view->headline = g_strdup("Tenon: nothing new");
        else
                view->headline = g_strdup("Tenon: all is well");
        if (count > TN_TRAY_THINGS_MAX)
                g_ptr_array_set_size(view->things, TN_TRAY_THINGS_MAX);
        for (guint i = 0; count == 0 && i < view->summary->len; i++)
                g_string_append_printf(tooltip, "%s\n", (char *) g_ptr_array_index(view->summary, i));
        view->tooltip = g_strchomp(g_strdup(tooltip->str));
}

struct tn_tray_view *tn_tray_view_new(const json_t *facts, GHashTable *seen)
{
        struct tn_tray_view *view = g_new0(struct tn_tray_view, 1);
        const json_t *agent = interface_of(facts, "");

        view->things = g_ptr_array_new_with_free_func(thing_free);
        view->summary = g_ptr_array_new_with_free_func(g_free);
        if (!facts) {
                view->headline = g_strdup("Tenon is not running");
                view->tooltip = g_strdup(
                        "The guest agent of this machine does not run. As root: systemctl start tenond");
                return view;
        }
        add_shutdown(view, json_object_get(facts, "shutdown"));
        add_problems(view, agent);
        add_reset(view, interface_of(facts, "Watchdog"));
        add_advice(view, interface_of(facts, "Drivers"));
        add_update(view, interface_of(facts, "Updates"));
        say_machine(view, facts);
        say_drivers(view, interface_of(facts, "Drivers"));
        say_watchdog(view, interface_of(facts, "Watchdog"));
        say_time(view, interface_of(facts, "Time"));
        say_update(view, agent, interface_of(facts, "Updates"));
        conclude(view, seen);
        return view;
}

void tn_tray_view_free(struct tn_tray_view *view)
{
        if (!view)
                return;
        g_ptr_array_unref(view->things);
        g_ptr_array_unref(view->summary);
        g_free(view->headline);
        g_free(view->tooltip);
        g_free(view);
}
