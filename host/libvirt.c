/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * virDomainQemuAgentCommand(), found by dlopen. The surprising thing: libvirt swallows the guest's reply
 * when it is an error and gives back a text of its own, in the language of its daemon. So an error is told
 * apart by libvirt's code, and a time-out by the time that has passed.
 */
#include "host/libvirt.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include "host/message.h"
#include "host/trouble.h"
#include "lib/json.h"

/* virterror.h; part of libvirt's stable interface. */
#define ERR_INTERNAL           1
#define ERR_AGENT_UNRESPONSIVE 86

struct functions {
        void *(*open)(const char *uri);
        int (*close)(void *connection);
        void *(*find)(void *connection, const char *name);
        int (*unref)(void *domain);
        char *(*command)(void *domain, const char *text, int timeout_s, unsigned flags);
        int (*error_code)(void);
        const char *(*error_text)(void);
        void (*set_error_func)(void *data, void (*func)(void *data, void *error));
};

struct tn_libvirt {
        void *libraries[2];
        struct functions call;
        void *connection;
        void *domain;
};

static const struct library {
        const char *file;
        const char *package; /* for people */
} libraries[] = {
        {"libvirt.so.0", "libvirt0 (Debian, Ubuntu) or libvirt-libs (Fedora, RHEL)"},
        {"libvirt-qemu.so.0", "libvirt0 (Debian, Ubuntu) or libvirt-libs (Fedora, RHEL)"},
};

static const struct symbol {
        unsigned library;
        const char *name;
        size_t offset;
} symbols[] = {
        {0, "virConnectOpen", offsetof(struct functions, open)},
        {0, "virConnectClose", offsetof(struct functions, close)},
        {0, "virDomainLookupByName", offsetof(struct functions, find)},
        {0, "virDomainFree", offsetof(struct functions, unref)},
        {0, "virGetLastErrorCode", offsetof(struct functions, error_code)},
        {0, "virGetLastErrorMessage", offsetof(struct functions, error_text)},
        {0, "virSetErrorFunc", offsetof(struct functions, set_error_func)},
        {1, "virDomainQemuAgentCommand", offsetof(struct functions, command)},
};

static void libvirt_free(void *data)
{
        struct tn_libvirt *libvirt = data;

        if (libvirt->domain)
                (void) libvirt->call.unref(libvirt->domain);
        if (libvirt->connection)
                (void) libvirt->call.close(libvirt->connection);
        /* The libraries stay: libvirt has threads and exit handlers of its own. */
        g_free(libvirt);
}

static bool load(struct tn_libvirt *libvirt, GError **error)
{
        for (size_t i = 0; i < G_N_ELEMENTS(libraries); i++) {
                libvirt->libraries[i] = dlopen(libraries[i].file, RTLD_NOW | RTLD_GLOBAL);
                if (!libvirt->libraries[i])
                        return tn_trouble_set(
                                error, TN_TROUBLE_LOCAL,
                                "--domain needs libvirt's library; install the package %s (%s)",
                                libraries[i].package, dlerror());
        }
        for (size_t i = 0; i < G_N_ELEMENTS(symbols); i++) {
                void *found = dlsym(libvirt->libraries[symbols[i].library], symbols[i].name);

                if (!found)
                        return tn_trouble_set(error, TN_TROUBLE_LOCAL, "%s is too old: it lacks %s",
                                              libraries[symbols[i].library].file, symbols[i].name);
                memcpy((char *) &libvirt->call + symbols[i].offset, &found, sizeof found);
        }
        return true;
}

/* libvirt would print every error on standard error by itself. */
static void be_silent(void *data, void *error)
{
        (void) data;
        (void) error;
}

static bool connect_to(struct tn_libvirt *libvirt, const char *uri, const char *domain, GError **error)
{
        const struct functions *call = &libvirt->call;

        call->set_error_func(NULL, be_silent);
        libvirt->connection = call->open(uri);
        if (!libvirt->connection)
                return tn_trouble_set(error, TN_TROUBLE_LINK, "no connection to libvirt (%s): %s",
                                      uri ? uri : "its default; see --connect", call->error_text());
        libvirt->domain = call->find(libvirt->connection, domain);
        if (!libvirt->domain)
                return tn_trouble_set(
                        error, TN_TROUBLE_LINK,
                        "libvirt (%s) does not find the domain '%s': %s; --connect URI chooses "
                        "another libvirt, such as qemu:///system",
                        uri ? uri : "its default", domain, call->error_text());
        return true;
}

struct tn_libvirt *tn_libvirt_open(const char *uri, const char *domain, GError **error)
{
        struct tn_libvirt *libvirt = g_new0(struct tn_libvirt, 1);

        if (load(libvirt, error) && connect_to(libvirt, uri, domain, error))
                return libvirt;
        libvirt_free(libvirt);
        return NULL;
}

static bool explain(const struct functions *call, bool in_time, GError **error)
{
        int code = call->error_code();
        enum tn_trouble trouble = code == ERR_INTERNAL ? TN_TROUBLE_GUEST : TN_TROUBLE_LINK;

        if (code == ERR_AGENT_UNRESPONSIVE && !in_time)
                trouble = TN_TROUBLE_TIMEOUT;
        return tn_trouble_set(error, trouble, "libvirt says: %.*s", TN_MESSAGE_DESC_MAX, call->error_text());
}

static bool libvirt_ask(void *data, const struct tn_ask *ask, json_t **ret_reply, GError **error)
{
        struct tn_libvirt *libvirt = data;
        g_autofree char *request = tn_message_request(ask->command, ask->args, NULL);
        unsigned seconds = ask->timeout_ms / 1000 + (ask->timeout_ms % 1000 > 0);
        gint64 begin = g_get_monotonic_time();
        char *text = libvirt->call.command(libvirt->domain, g_strchomp(request), (int) seconds, 0);
        bool good;

        if (!text)
                return explain(&libvirt->call,
                               g_get_monotonic_time() - begin < (gint64) seconds * G_USEC_PER_SEC, error);
        good = strlen(text) <= ask->reply_max
                       ? tn_message_parse(text, strlen(text), ret_reply, error)
                       : tn_trouble_set(error, TN_TROUBLE_LINK, "the guest's reply is too long");
        free(text);
        return good;
}

static bool libvirt_next_event(void *data, json_t **ret_event, GError **error)
{
        (void) data;
        (void) ret_event;
        return tn_trouble_set(error, TN_TROUBLE_LOCAL,
                              "libvirt does not hand on what the guest's agent tells by itself; watch needs "
                              "--socket with the guest's second port, org.tenon.agent.0");
}

const struct tn_guest_ops tn_libvirt_ops = {
        .ask = libvirt_ask,
        .next_event = libvirt_next_event,
        .free = libvirt_free,
};
