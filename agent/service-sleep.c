/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The fact "sleep": logind says that the machine goes to sleep or has woken up. The surprising thing: its
 * signal is not believed, for on the system bus everybody may send us one; it is the reason to ask. A
 * machine may be asleep before the answer comes, so the kernel's clocks are asked, too: one of them goes on
 * in sleep, and one does not.
 */
#include "agent/service-private.h"

#include "agent/facts.h"

#define LOGIND     "org.freedesktop.login1"
#define PATH       "/org/freedesktop/login1"
#define MANAGER    "org.freedesktop.login1.Manager"
#define TIMEOUT_MS 10000
#define LEAST_USEC (G_USEC_PER_SEC / 10) /* of sleep; two clocks are not read at the same moment */

static void ask(struct tn_service *service);

static bool read_boolean(DBusMessage *reply, bool *ret)
{
        DBusMessageIter iter, value;
        dbus_bool_t answer;

        if (!dbus_message_iter_init(reply, &iter) ||
            dbus_message_iter_get_arg_type(&iter) != DBUS_TYPE_VARIANT)
                return false;
        dbus_message_iter_recurse(&iter, &value);
        if (dbus_message_iter_get_arg_type(&value) != DBUS_TYPE_BOOLEAN)
                return false;
        dbus_message_iter_get_basic(&value, &answer);
        *ret = answer;
        return true;
}

static uint64_t asleep_usec(const struct tn_env *env)
{
        uint64_t awake = env->now_usec(env, CLOCK_MONOTONIC), all = env->now_usec(env, CLOCK_BOOTTIME);

        return all > awake ? all - awake : 0;
}

static void on_answer(DBusMessage *reply, const GError *error, void *data)
{
        struct tn_service *service = data;
        bool again = service->sleep_question == TN_SERVICE_ASKED_AGAIN, going;
        uint64_t asleep = asleep_usec(service->agent->env);

        service->sleep_question = TN_SERVICE_NOT_ASKED;
        if (!error && read_boolean(reply, &going) &&
            (going != service->sleeping || asleep > service->asleep_usec + LEAST_USEC)) {
                service->sleeping = going;
                service->asleep_usec = asleep;
                (void) tn_facts_set(service->agent->facts, "agent", "sleep",
                                    json_pack("{s:s, s:I}", "state", going ? "going" : "awake",
                                              "asleep-usec", (json_int_t) asleep),
                                    NULL);
        }
        if (again)
                ask(service);
}

/* One question at a time, however many signals come. */
static void ask(struct tn_service *service)
{
        const char *interface = MANAGER, *property = "PreparingForSleep";
        DBusMessage *message;

        if (service->sleep_question != TN_SERVICE_NOT_ASKED) {
                service->sleep_question = TN_SERVICE_ASKED_AGAIN;
                return;
        }
        message = dbus_message_new_method_call(LOGIND, PATH, DBUS_INTERFACE_PROPERTIES, "Get");
        (void) dbus_message_append_args(message, DBUS_TYPE_STRING, &interface, DBUS_TYPE_STRING, &property,
                                        DBUS_TYPE_INVALID);
        dbus_message_set_auto_start(message, FALSE);
        service->sleep_question = TN_SERVICE_ASKED;
        tn_bus_call(service->bus, message, TIMEOUT_MS, on_answer, service);
        dbus_message_unref(message);
}

static void on_signal(DBusMessage *signal, void *data)
{
        (void) signal;
        ask(data);
}

void tn_service_watch_sleep(struct tn_service *service)
{
        service->sleep_question = TN_SERVICE_NOT_ASKED;
        if (service->asleep_usec == 0)
                service->asleep_usec = asleep_usec(service->agent->env);
        if (service->sleeping) /* the bus before this one was lost meanwhile */
                ask(service);
        service->sleep_match = tn_bus_subscribe(service->bus, LOGIND, PATH, MANAGER, "PrepareForSleep",
                                                on_signal, service);
}
