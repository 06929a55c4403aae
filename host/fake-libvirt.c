/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* A stand-in for libvirt.so.0, found through LD_LIBRARY_PATH. There is one domain, "web". */
#include <stddef.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

EXPORT void *virConnectOpen(const char *uri);
EXPORT int virConnectClose(void *connection);
EXPORT void *virDomainLookupByName(void *connection, const char *name);
EXPORT int virDomainFree(void *domain);
EXPORT int virGetLastErrorCode(void);
EXPORT const char *virGetLastErrorMessage(void);
EXPORT void virSetErrorFunc(void *data, void (*func)(void *data, void *error));
EXPORT void *fake_libvirt_fail(int why, const char *text);

static int thing, code;
static const char *message = "";

void *fake_libvirt_fail(int why, const char *text)
{
        code = why;
        message = text;
        return NULL;
}

void *virConnectOpen(const char *uri)
{
        return uri && strcmp(uri, "fake:///") == 0 ? &thing : fake_libvirt_fail(38, "no libvirtd there");
}

int virConnectClose(void *connection)
{
        return connection == &thing ? 0 : -1;
}

void *virDomainLookupByName(void *connection, const char *name)
{
        return connection == &thing && strcmp(name, "web") == 0 ? &thing
                                                                : fake_libvirt_fail(42, "Domain not found");
}

int virDomainFree(void *domain)
{
        return domain == &thing ? 0 : -1;
}

int virGetLastErrorCode(void)
{
        return code;
}

const char *virGetLastErrorMessage(void)
{
        return message;
}

void virSetErrorFunc(void *data, void (*func)(void *data, void *error))
{
        func(data, NULL);
}
