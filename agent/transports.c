/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The ways to and from the agent: one channel to the host (a port, a listening socket, or one that systemd
 * passed), the second port that speaks QMP, and the control socket. Only the first one has to work.
 */
#define _GNU_SOURCE
#include "agent/transports.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "lib/error.h"
#include "lib/json.h"
#include "lib/log.h"
#include "lib/names.h"

static const struct {
        const char *name;
        const char *path; /* the usual one; NULL: must be given */
} methods[] = {
        {"virtio-serial", TN_PATH_VIRTIO_QGA},
        {"isa-serial", TN_PATH_ISA_SERIAL},
        {"unix-listen", NULL},
        {"vsock-listen", NULL},
};

const char *tn_transports_usual_path(const char *method)
{
        for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
                if (g_str_equal(methods[i].name, method))
                        return methods[i].path;
        return NULL;
}

static bool choose_method(struct tn_agent *agent, GError **error)
{
        const char *method = tn_config_get(agent->config, "channel", "method");
        const char *path = tn_config_get_nonempty(agent->config, "channel", "path");

        for (size_t i = 0; i < G_N_ELEMENTS(methods); i++)
                if (g_str_equal(methods[i].name, method)) {
                        agent->method = methods[i].name;
                        agent->path = g_strdup(path ? path : methods[i].path);
                }
        if (!agent->path)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "method %s needs a path: --path=PATH, or path= in [channel]", method);
        return true;
}

static bool open_host_listener(struct tn_agent *agent, GError **error)
{
        bool vsock = g_str_equal(agent->method, "vsock-listen");
        /* Who may open the socket speaks for the host: root only. */
        int fd = vsock ? tn_listener_open_vsock(agent->path, error)
                       : tn_listener_open_unix(agent->path, 0600, error);

        if (fd < 0)
                return false;
        agent->listener = tn_listener_new(agent->dispatch, agent->config, fd, TN_LISTENER_HOST,
                                          agent->method, vsock ? NULL : agent->path);
        return true;
}

/* Socket activation (sd_listen_fds(3)): the family of the socket is the method. */
static bool use_activated(struct tn_agent *agent, int fd, GError **error)
{
        struct sockaddr_storage addr = {0};
        socklen_t len = sizeof addr;

        if (getsockname(fd, (struct sockaddr *) &addr, &len) < 0)
                return tn_error_errno(error, errno, "socket activation: descriptor %d", fd);
        if (addr.ss_family != AF_UNIX && addr.ss_family != AF_VSOCK)
                return tn_error_set(error, TN_ERROR_INVALID,
                                    "socket activation: the socket is neither AF_UNIX nor AF_VSOCK");
        agent->method = addr.ss_family == AF_UNIX ? "unix-listen" : "vsock-listen";
        agent->path = g_strdup("(socket activation)");
        agent->listener = tn_listener_new(agent->dispatch, agent->config, fd, TN_LISTENER_HOST,
                                          agent->method, NULL);
        return true;
}

static bool open_host_channel(struct tn_agent *agent, int listen_fd, GError **error)
{
        if (listen_fd >= 0)
                return use_activated(agent, listen_fd, error);
        if (!choose_method(agent, error))
                return false;
        if (g_str_has_suffix(agent->method, "-listen"))
                return open_host_listener(agent, error);
        agent->port = tn_port_new(agent->env, agent->dispatch, agent->config,
                                  g_str_equal(agent->method, "isa-serial") ? TN_PORT_ISA_SERIAL
                                                                           : TN_PORT_VIRTIO_SERIAL,
                                  agent->path);
        return true;
}

/* The control socket is a convenience: without it the agent serves its host all the same. */
static void open_control(struct tn_agent *agent)
{
        const char *path = tn_config_get_nonempty(agent->config, "agent", "control-socket");
        g_autofree char *folder = path ? g_path_get_dirname(path) : NULL;
        g_autoptr(GError) error = NULL;
        int fd;

        if (!path)
                return;
        (void) g_mkdir_with_parents(folder, 0755);
        fd = tn_listener_open_unix(path, 0666, &error);
        if (fd < 0) {
                agent->control_problem = g_strdup(error->message);
                tn_log(agent->env->log, TN_LOG_WARNING, TN_FIELDS({TN_F_FILE, path}),
                       "no control socket, tenonctl cannot ask this agent: %s", error->message);
                return;
        }
        agent->control = tn_listener_new(agent->dispatch, agent->config, fd, TN_LISTENER_CONTROL, "control",
                                         path);
}

/* The second port is an offer: without it nothing is missing. */
static void open_qmp(struct tn_agent *agent)
{
        const char *path = tn_config_get_nonempty(agent->config, "qmp", "path");
        g_autoptr(GError) error = NULL;
        int fd;

        if (!path)
                return;
        if (g_str_equal(tn_config_get(agent->config, "qmp", "method"), "virtio-serial")) {
                if (g_str_equal(agent->method, "virtio-serial")) /* not beside a developer's socket */
                        agent->qmp_port = tn_port_new(agent->env, agent->dispatch, agent->config,
                                                      TN_PORT_VIRTIO_QMP, path);
                return;
        }
        fd = tn_listener_open_unix(path, 0600, &error);
        if (fd < 0)
                tn_log(agent->env->log, TN_LOG_WARNING, TN_FIELDS({TN_F_FILE, path}), "no QMP socket: %s",
                       error->message);
        else
                agent->qmp_listener = tn_listener_new(agent->dispatch, agent->config, fd, TN_LISTENER_QMP,
                                                      "unix-listen", path);
}

bool tn_transports_open(struct tn_agent *agent, int listen_fd, GError **error)
{
        if (!open_host_channel(agent, listen_fd, error))
                return false;
        open_qmp(agent);
        open_control(agent);
        return true;
}

void tn_transports_retry(struct tn_agent *agent)
{
        if (agent->port)
                tn_port_retry(agent->port);
        if (agent->qmp_port)
                tn_port_retry(agent->qmp_port);
}

void tn_transports_close(struct tn_agent *agent)
{
        /* The plugins are stopped after this, and their last facts ask what state the channels are in. */
        g_clear_pointer(&agent->control, tn_listener_free);
        g_clear_pointer(&agent->qmp_listener, tn_listener_free);
        g_clear_pointer(&agent->listener, tn_listener_free);
        g_clear_pointer(&agent->qmp_port, tn_port_free);
        g_clear_pointer(&agent->port, tn_port_free);
}

static json_t *describe(const char *role, const char *method, const char *path, json_t *state)
{
        json_object_set_new(state, "role", json_string(role));
        json_object_set_new(state, "method", json_string(method));
        json_object_set_new(state, "path", tn_json_text(path));
        return state;
}

static json_t *listening(const struct tn_listener *listener)
{
        return json_pack("{s:s, s:o}", "state", "open", "clients", tn_listener_to_json(listener));
}

json_t *tn_transports_to_json(const struct tn_agent *agent)
{
        const char *qmp_path = tn_config_get(agent->config, "qmp", "path");
        json_t *list = json_array();

        json_array_append_new(
                list, describe("host", agent->method, agent->path,
                               agent->port ? tn_port_to_json(agent->port) : listening(agent->listener)));
        if (agent->qmp_port)
                json_array_append_new(
                        list, describe("qmp", "virtio-serial", qmp_path, tn_port_to_json(agent->qmp_port)));
        if (agent->qmp_listener)
                json_array_append_new(
                        list, describe("qmp", "unix-listen", qmp_path, listening(agent->qmp_listener)));
        if (agent->control)
                json_array_append_new(list, describe("control", "unix-listen",
                                                     tn_config_get(agent->config, "agent", "control-socket"),
                                                     listening(agent->control)));
        return list;
}
