/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Shared libraries that are loaded when they are first needed, because an idle agent does not need them and
 * their memory would be most of its own: libdbus (lib/dbus.c) and libsystemd (lib/log.c).
 */
#pragma once

/* The function @symbol of the library @soname, or NULL when either is not there. A library that has been
 * loaded stays. */
void *tn_library_find(const char *soname, const char *symbol);
