/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The port's life: waiting for the device, busy (another agent holds it), open. The surprising thing: a
 * virtio-serial port can be opened once only, and nobody tells when its holder lets go of it; inotify on
 * the device node does (IN_CLOSE), so even that is waited for without a timer.
 */
#define _GNU_SOURCE
#include "agent/port.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

#include "agent/channel.h"
#include "lib/error.h"
#include "lib/fd.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/names.h"

#define RETRY_MS 200
#define RETRIES  10 /* after each time that somebody closes the device */

enum state {
        WAITING, /* no such device */
        BUSY,    /* another process has it */
        FAILED,  /* it is there, but of no use to us */
        OPEN,
};

static const char *const state_names[] = {"waiting", "busy", "failed", "open"};

struct tn_port {
        const struct tn_env *env;
        struct tn_dispatch *dispatch;
        const struct tn_config *config;
        enum tn_port_kind kind;
        char *path;
        enum state state;
        char *problem;
        const char *remedy; /* for it; static, may be NULL */
        struct tn_channel *channel;
        void (*changed)(void *data);
        void *changed_data;
        int inotify_fd;
        guint inotify_source, retry_source;
        unsigned retries; /* that are left */
};

static const char *transport_name(const struct tn_port *port)
{
        return port->kind == TN_PORT_ISA_SERIAL ? "isa-serial" : "virtio-serial";
}

static void stop_watching(struct tn_port *port)
{
        g_clear_handle_id(&port->inotify_source, g_source_remove);
        g_clear_handle_id(&port->retry_source, g_source_remove);
        tn_fd_close(&port->inotify_fd);
}

static enum tn_log_level log_level(const struct tn_port *port)
{
        if (port->state == BUSY || port->state == FAILED)
                return TN_LOG_WARNING;
        return port->kind == TN_PORT_VIRTIO_QMP ? TN_LOG_DEBUG : TN_LOG_NOTICE;
}

/* Logged once for each change of the problem, not for each attempt. */
static void set_state(struct tn_port *port, enum state state, const char *problem, const char *remedy)
{
        bool news = state != port->state || g_strcmp0(problem, port->problem) != 0;

        port->state = state;
        port->remedy = remedy;
        if (!news)
                return;
        g_free(port->problem);
        port->problem = g_strdup(problem);
        tn_log(port->env->log, log_level(port),
               TN_FIELDS({TN_F_TRANSPORT, transport_name(port)}, {TN_F_FILE, port->path}), "%s: %s%s%s",
               port->path, problem ? problem : "open", remedy ? "; " : "", remedy ? remedy : "");
        if (port->changed)
                port->changed(port->changed_data);
}

/* The node's path relative to the root: @path itself, or, where no udev makes links, the node of the port
 * that has this name. Free with g_free(). */
static char *find_node(const struct tn_port *port)
{
        const char *path = port->path + strspn(port->path, "/");
        g_autofree char *name = g_path_get_basename(path);
        g_auto(GStrv) ports = NULL;

        if (tn_env_exists(port->env, path) || port->kind == TN_PORT_ISA_SERIAL)
                return g_strdup(path);
        ports = tn_env_list(port->env, TN_PATH_VIRTIO_PORTS_CLASS);
        for (size_t i = 0; ports && ports[i]; i++) {
                g_autofree char *attribute = g_strdup_printf(TN_PATH_VIRTIO_PORTS_CLASS "/%s/name",
                                                             ports[i]);
                g_autofree char *value = tn_env_read_line(port->env, attribute);

                if (g_strcmp0(value, name) == 0)
                        return g_strdup_printf("dev/%s", ports[i]);
        }
        return g_strdup(path);
}

static bool set_raw(int fd, GError **error)
{
        struct termios tio;

        if (tcgetattr(fd, &tio) < 0)
                return tn_error_errno(error, errno, "it is not a serial line");
        cfmakeraw(&tio);
        tio.c_cflag |= CLOCAL | CREAD;
        cfsetspeed(&tio, B38400);
        if (tcsetattr(fd, TCSANOW, &tio) < 0)
                return tn_error_errno(error, errno, "set the serial line to raw mode");
        return true;
}

static gboolean on_closed(int fd, GIOCondition condition, void *data)
{
        struct tn_port *port = data;

        (void) fd;
        (void) condition;
        stop_watching(port); /* removes this source; opening again makes a new one if need be */
        port->retries = RETRIES;
        tn_port_retry(port);
        return G_SOURCE_REMOVE;
}

static gboolean on_retry(void *data)
{
        struct tn_port *port = data;

        port->retry_source = 0;
        port->retries--;
        tn_port_retry(port);
        return G_SOURCE_REMOVE;
}

/* The kernel tells that a file is closed before its driver lets go of the device (__fput() in
 * fs/file_table.c), and nobody tells of what came before we watched. */
static void retry_soon(struct tn_port *port)
{
        if (port->retries > 0 && port->retry_source == 0)
                port->retry_source = g_timeout_add(RETRY_MS, on_retry, port);
}

static void watch_for_close(struct tn_port *port, const char *node)
{
        g_autofree char *absolute = g_strdup_printf("/%s", node);

        if (port->env->recorded || port->inotify_source)
                return;
        port->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
        if (port->inotify_fd < 0 ||
            inotify_add_watch(port->inotify_fd, absolute, IN_CLOSE | IN_DELETE_SELF) < 0) {
                tn_fd_close(&port->inotify_fd);
                return;
        }
        port->inotify_source = g_unix_fd_add(port->inotify_fd, G_IO_IN, on_closed, port);
}

static void on_gone(struct tn_channel *channel, void *data)
{
        struct tn_port *port = data;

        tn_channel_free(channel);
        port->channel = NULL;
        set_state(port, WAITING, "the device was removed",
                  "add it to the virtual machine again, it is used as soon as it appears");
        tn_port_retry(port);
}

static void use_fd(struct tn_port *port, int fd)
{
        g_autoptr(GError) error = NULL;
        bool virtio = port->kind != TN_PORT_ISA_SERIAL;

        if (!virtio && !set_raw(fd, &error)) {
                close(fd);
                set_state(port, FAILED, error->message, NULL);
                return;
        }
        port->channel = tn_channel_new(port->dispatch, port->config, fd,
                                       virtio ? TN_CHANNEL_PORT : TN_CHANNEL_TTY, TN_TRUST_HOST,
                                       transport_name(port), "host", on_gone, port, &error);
        if (port->channel && port->kind == TN_PORT_VIRTIO_QMP)
                tn_channel_use_qmp(port->channel);
        set_state(port, port->channel ? OPEN : FAILED, port->channel ? NULL : error->message, NULL);
}

void tn_port_retry(struct tn_port *port)
{
        g_autofree char *node = NULL, *problem = NULL;
        int fd;

        if (port->channel)
                return;
        node = find_node(port);
        fd = tn_env_open(port->env, node, O_RDWR | O_NONBLOCK | O_NOCTTY, NULL);
        if (fd >= 0) {
                stop_watching(port);
                use_fd(port, fd);
                return;
        }
        switch (errno) {
        case ENOENT:
        case ENODEV:
        case ENXIO:
                set_state(
                        port, WAITING, "no such device",
                        "add it to the virtual machine (libvirt: <channel type='unix'>), it is used as soon "
                        "as it appears");
                break;
        case EBUSY:
                watch_for_close(port, node);
                retry_soon(port);
                set_state(port, BUSY, "another program has it open (qemu-guest-agent?)",
                          "stop that program; the port is used as soon as it lets go");
                break;
        default:
                problem = g_strdup_printf("cannot be opened: %s", g_strerror(errno));
                set_state(port, FAILED, problem, NULL);
        }
}

struct tn_port *tn_port_new(const struct tn_env *env, struct tn_dispatch *dispatch,
                            const struct tn_config *config, enum tn_port_kind kind, const char *path)
{
        struct tn_port *port = g_new0(struct tn_port, 1);

        port->env = env;
        port->dispatch = dispatch;
        port->config = config;
        port->kind = kind;
        port->path = g_strdup(path);
        port->inotify_fd = -1;
        port->retries = 1;
        tn_port_retry(port);
        return port;
}

void tn_port_watch(struct tn_port *port, void (*func)(void *data), void *data)
{
        port->changed = func;
        port->changed_data = data;
}

void tn_port_free(struct tn_port *port)
{
        if (!port)
                return;
        stop_watching(port);
        tn_channel_finish(port->channel);
        tn_channel_free(port->channel);
        g_free(port->path);
        g_free(port->problem);
        g_free(port);
}

const char *tn_port_problem(const struct tn_port *port)
{
        return port->state == OPEN ? NULL : port->problem;
}

const char *tn_port_remedy(const struct tn_port *port)
{
        return port->state == OPEN ? NULL : port->remedy;
}

json_t *tn_port_to_json(const struct tn_port *port)
{
        json_t *object = json_pack("{s:s}", "state", state_names[port->state]);
        json_t *clients = json_array();

        if (port->state != OPEN)
                json_object_set_new(object, "problem", json_string(port->problem));
        tn_json_set_text(object, "remedy", tn_port_remedy(port));
        if (port->channel)
                json_array_append_new(clients, tn_channel_to_json(port->channel));
        json_object_set_new(object, "clients", clients);
        return object;
}
