/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Every name that leaves the process: ports, paths, log fields, message ids, environment variables.
 * Paths that depend on the installation prefix come from the build (tenon-build.h).
 */
#pragma once

#include "tenon-build.h"

/* virtio-serial port names (QEMU: `name=` of the virtserialport device). */
#define TN_PORT_QGA "org.qemu.guest_agent.0"
#define TN_PORT_QMP "org.tenon.agent.0"

/* Under this name tenond has qemu-ga's defaults. */
#define TN_NAME_QGA "qemu-ga"

/* Well-known files, relative to the root that struct tn_env was given. */
#define TN_PATH_VIRTIO_PORTS_CLASS "sys/class/virtio-ports"
#define TN_PATH_SYSTEMD_RUNNING    "run/systemd/system"

/* Defaults of the configuration; the prefix decides where they are. */
#define TN_PATH_CONFIG          TN_SYSCONFDIR "/tenon/tenond.conf"
#define TN_PATH_POWER_D         TN_SYSCONFDIR "/tenon/power.d"
#define TN_PATH_FREEZE_D        TN_SYSCONFDIR "/tenon/freeze.d"
#define TN_PATH_DRIVERS_D       TN_SYSCONFDIR "/tenon/drivers.d"
#define TN_PATH_DRIVERS         TN_LIBEXECDIR "/tenon-drivers"
#define TN_PATH_PLUGINS         TN_LIBDIR "/tenon/plugins"
#define TN_PATH_HELPER          TN_LIBEXECDIR "/tenon-system-helper"
#define TN_PATH_ACCOUNTS_HELPER TN_LIBEXECDIR "/tenon-accounts-helper"
#define TN_PATH_FILES_HELPER    TN_LIBEXECDIR "/tenon-files-helper"
#define TN_PATH_STATEDIR        TN_LOCALSTATEDIR "/lib/tenon"
#define TN_PATH_ICONS           TN_ICONDIR
#define TN_PATH_RUNDIR          TN_RUNSTATEDIR "/tenon"
#define TN_PATH_PREPARED        TN_PATH_STATEDIR "/drivers"
#define TN_PATH_CONTROL         TN_PATH_RUNDIR "/control.sock"
#define TN_PATH_HEARTBEAT       TN_PATH_RUNDIR "/heartbeat.sock"
#define TN_PATH_KEYS            TN_SYSCONFDIR "/tenon/keys"
#define TN_PATH_VENDOR_KEYS     TN_DATADIR "/keys"
#define TN_PATH_FETCHED         TN_LOCALSTATEDIR "/cache/tenon-fetch/manifest.json"
#define TN_PATH_CTL             TN_BINDIR "/tenonctl"
#define TN_PATH_PIDFILE         TN_RUNSTATEDIR "/tenond.pid"
#define TN_PATH_VIRTIO_QGA      "/dev/virtio-ports/" TN_PORT_QGA
#define TN_PATH_VIRTIO_QMP      "/dev/virtio-ports/" TN_PORT_QMP
#define TN_PATH_ISA_SERIAL      "/dev/ttyS0"

/* Files in the folder TN_UPDATE_FOLDER of the state directory; what is in them: docs/update.md. */
#define TN_UPDATE_FOLDER    "update"
#define TN_UPDATE_RESULT    "result.json"    /* what the last check found */
#define TN_UPDATE_SERIALS   "serials.json"   /* the highest serial of each channel */
#define TN_UPDATE_ANNOUNCED "announced.json" /* what the host wants */
#define TN_UPDATE_INSTALLED "install.json"   /* how the last installation ended */

/* Units that the agent starts. */
#define TN_UNIT_UPDATE_CHECK   "tenon-update-check.service"
#define TN_UNIT_UPDATE_INSTALL "tenon-update-install.service"

/* Journal fields, documented in tenond(8) and in log.h. */
#define TN_F_PLUGIN     "TENON_PLUGIN"
#define TN_F_COMMAND    "TENON_COMMAND"
#define TN_F_HYPERVISOR "TENON_HYPERVISOR"
#define TN_F_TRANSPORT  "TENON_TRANSPORT"
#define TN_F_ERROR      "TENON_ERROR"
#define TN_F_FILE       "TENON_FILE"
#define TN_F_PEER       "TENON_PEER"
#define TN_F_RESULT     "TENON_RESULT"
#define TN_F_DURATION   "TENON_DURATION_USEC"
#define TN_F_CHECK      "TENON_CHECK"
#define TN_F_MESSAGE_ID "MESSAGE_ID"

/* Names in systemd's store for descriptors. */
#define TN_FD_WATCHDOG "watchdog"

/* Message ids (sd-id128) of the events that an administrator may match on. */
#define TN_MSG_STARTED          "6c1f0f5a1d8e4f0a9b6f3f0a52f1f8d1"
#define TN_MSG_CONFIG_ERROR     "0d2c7a4be2d84d8fb3a4c0d3c8e1b7a2"
#define TN_MSG_PLUGIN_ERROR     "f3a9be5d07c94c5c8f8a3b1f0c6f4e93"
#define TN_MSG_AUDIT            "a84c5f0e3b1d4b7e9c2f6d8017e5c3b4"
#define TN_MSG_WATCHDOG_STARVED "366123439f6a4dd9bbd04895d250f372"
#define TN_MSG_WATCHDOG_RESET   "63c8e88096a64b4dbed84814c0e1067e"
#define TN_MSG_HEALTH           "d729fd4e3dfd4e90b4e72b69dc5ceafe"
#define TN_MSG_HEALTH_GATE      "7ab290d85d104b2d85fbf921fa6bc573"

/* The service on the system bus. */
#define TN_BUS_NAME       "org.tenon.Agent1"
#define TN_BUS_PATH       "/org/tenon/Agent1"
#define TN_BUS_TRAY       "org.tenon.Tray" /* on session buses: the tray program */
#define TN_BUS_HEARTBEATS "org.tenon.Agent1.Heartbeats"
#define TN_BUS_MANAGER    "/org/tenon" /* where the ObjectManager is */

/* Of polkit's actions, data/org.tenon.Agent1.policy. */
#define TN_POLKIT_PREFIX "org.tenon.agent1."

/* Commands of the plugin update, which the service offers where it runs. */
#define TN_COMMAND_UPDATE_CHECK   "tenon-update-check"
#define TN_COMMAND_UPDATE_INSTALL "tenon-update-install"

/* What our own clients add to sd_notify(3)'s protocol on the heartbeat socket, see tenon-heartbeat(7). */
#define TN_BEAT_REGISTER   "X_TENON_REGISTER"
#define TN_BEAT_UNREGISTER "X_TENON_UNREGISTER"
#define TN_BEAT_REQUIRED   "X_TENON_REQUIRED"
#define TN_BEAT_RESULT     "X_TENON_RESULT"
