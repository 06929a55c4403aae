/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Pure text filters: bytes in, the part that detection needs out. They are also the privacy of recorded
 * machines, so what is not wanted is not let through, rather than what is secret being taken out.
 */
#define _GNU_SOURCE /* memmem */
#include "detect/filter.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>

#include "detect/tags.h"

static char *finish(GString *out)
{
        if (out->len > 0)
                return g_string_free(out, FALSE);
        g_string_free(out, TRUE);
        return NULL;
}

/* Appends as a line of its own, once. */
static void append_line(GString *out, const char *line)
{
        size_t len = strlen(line);

        for (const char *p = out->str; (p = strstr(p, line)); p++)
                if ((p == out->str || p[-1] == '\n') && (p[len] == '\n' || p[len] == '\0'))
                        return;
        g_string_append_printf(out, "%s%s", out->len ? "\n" : "", line);
}

static char **split_lines(const char *data, size_t len)
{
        g_autofree char *text = g_strndup(data, len); /* ends at the first NUL, as text does */

        return g_strsplit(text, "\n", -1);
}

static bool listed(const char *const *list, const char *word)
{
        for (; *list; list++)
                if (g_str_equal(*list, word))
                        return true;
        return false;
}

static bool listed_prefix(const char *const *list, const char *word)
{
        for (; *list; list++)
                if (g_str_has_prefix(word, *list))
                        return true;
        return false;
}

/* The lines that begin with one of @prefixes. */
static char *keep_lines(const char *data, size_t len, const char *const *prefixes)
{
        g_auto(GStrv) lines = split_lines(data, len);
        GString *out = g_string_new(NULL);

        for (char **line = lines; *line; line++)
                if (listed_prefix(prefixes, *line))
                        append_line(out, *line);
        return finish(out);
}

/* The words that are in @words or begin with one of @prefixes. */
static char *keep_words(const char *data, size_t len, const char *const *words, const char *const *prefixes)
{
        g_autofree char *text = g_strndup(data, len);
        g_auto(GStrv) split = g_strsplit_set(text, " \t\n", -1);
        GString *out = g_string_new(NULL);

        for (char **word = split; *word; word++)
                if (**word && (listed(words, *word) || listed_prefix(prefixes, *word)))
                        g_string_append_printf(out, "%s%s", out->len ? " " : "", *word);
        return finish(out);
}

/* The markers that occur, one a line. */
static char *keep_markers(const char *data, size_t len, const char *const *markers)
{
        g_autofree char *text = g_strndup(data, len);
        GString *out = g_string_new(NULL);

        for (; *markers; markers++)
                if (strstr(text, *markers))
                        append_line(out, *markers);
        return finish(out);
}

char *tn_filter_line(const char *data, size_t len)
{
        g_autofree char *text = g_strndup(data, len);

        text[strcspn(text, "\n")] = '\0';
        g_strstrip(text);
        return *text ? g_steal_pointer(&text) : NULL;
}

char *tn_filter_bytes(const char *data, size_t len)
{
        char *copy = g_malloc(len + 1);

        memcpy(copy, data, len);
        copy[len] = '\0';
        return copy;
}

static bool says_emulator(const char *value)
{
        return strstr(value, "QEMU") || strstr(value, "UML") || strstr(value, "qemu") ||
               strstr(value, "pSeries");
}

/* Lines "KEY\t: VALUE" of processors, with one form of white space. */
char *tn_filter_cpuinfo(const char *data, size_t len)
{
        static const char *const whole[] = {"vendor_id", "platform", NULL};
        static const char *const named[] = {"model name", "model", "machine", "Hardware", "cpu", NULL};
        static const char *const flags[] = {"hypervisor", "tdx_guest", NULL};
        static const char *const none[] = {NULL};
        g_auto(GStrv) lines = split_lines(data, len);
        GString *out = g_string_new(NULL);

        for (char **line = lines; *line; line++) {
                char *value = strchr(*line, ':');
                g_autofree char *kept = NULL, *entry = NULL;

                if (!value)
                        continue;
                *value++ = '\0';
                g_strstrip(*line);
                g_strstrip(value);
                if (listed(whole, *line) || (listed(named, *line) && says_emulator(value)))
                        kept = g_strdup(value);
                else if (g_str_equal(*line, "flags"))
                        kept = keep_words(value, strlen(value), flags, none);
                if (!kept)
                        continue;
                entry = g_strdup_printf("%s\t: %s", *line, kept);
                append_line(out, entry);
        }
        return finish(out);
}

char *tn_filter_cmdline(const char *data, size_t len)
{
        static const char *const words[] = {"pci=off",  "pci=conf1", "reboot=k",       "panic=1",
                                            "nomodule", "noacpi",    "i8042.direct=1", NULL};
        static const char *const prefixes[] = {"virtio_mmio.device=", "systemd.unit=kata-containers.target",
                                               NULL};

        return keep_words(data, len, words, prefixes);
}

char *tn_filter_version(const char *data, size_t len)
{
        static const char *const markers[] = {"BrandZ virtual linux", "gVisor", "gvisor",
                                              /* gVisor's constant since its first release */
                                              "#1 SMP Sun Jan 10 15:06:54 PST 2016", NULL};

        return keep_markers(data, len, markers);
}

char *tn_filter_sysinfo(const char *data, size_t len)
{
        static const char *const prefixes[] = {"LPAR Number", "VM00 Control Program", NULL};

        return keep_lines(data, len, prefixes);
}

char *tn_filter_lparcfg(const char *data, size_t len)
{
        static const char *const prefixes[] = {"shared_processor_mode=", "system_type=", NULL};

        return keep_lines(data, len, prefixes);
}

char *tn_filter_clocksources(const char *data, size_t len)
{
        static const char *const words[] = {"kvm-clock", "xen", "lguest", NULL};
        static const char *const prefixes[] = {"hyperv_clocksource", NULL};

        return keep_words(data, len, words, prefixes);
}

char *tn_filter_status(const char *data, size_t len)
{
        static const char *const prefixes[] = {"TracerPid:", "VxID:", NULL};

        return keep_lines(data, len, prefixes);
}

/* Entries end in NUL; recordings made by hand have lines. */
char *tn_filter_environ(const char *data, size_t len)
{
        static const char name[] = "container=";

        for (size_t start = 0, end; start < len; start = end + 1) {
                for (end = start; end < len && data[end] != '\0' && data[end] != '\n';)
                        end++;
                if (end - start >= strlen(name) && memcmp(data + start, name, strlen(name)) == 0)
                        return g_strndup(data + start, end - start);
        }
        return NULL;
}

char *tn_filter_cgroup(const char *data, size_t len)
{
        static const char *const markers[] = {"/docker/",     "/docker-",  "/libpod-", "/lxc/",
                                              "/lxc.payload", "/kubepods", NULL};

        return keep_markers(data, len, markers);
}

char *tn_filter_asset_tag(const char *data, size_t len)
{
        g_autofree char *line = tn_filter_line(data, len);

        for (const char *const *tag = tn_tags_asset; line && *tag; tag++)
                if (g_str_has_prefix(line, *tag))
                        return g_strdup(*tag);
        for (const char *const *tag = tn_tags_asset_suffix; line && *tag; tag++)
                if (g_str_has_suffix(line, *tag))
                        return g_strdup(*tag);
        return NULL;
}

char *tn_filter_serial(const char *data, size_t len)
{
        static const char *const prefixes[] = {"GoogleCloud-", NULL};
        g_autofree char *line = tn_filter_line(data, len);

        if (line && listed_prefix(prefixes, line))
                return g_strdup(prefixes[0]);
        if (line && g_str_has_suffix(line, ".brightbox.com"))
                return g_strdup(".brightbox.com");
        return NULL;
}

/* EC2 on Xen: the only UUIDs that say where they are from. */
char *tn_filter_uuid(const char *data, size_t len)
{
        g_autofree char *line = tn_filter_line(data, len);

        return line && g_ascii_strncasecmp(line, "ec2", 3) == 0 ? g_strdup("ec2") : NULL;
}

char *tn_filter_oem_strings(const char *data, size_t len)
{
        static const char marker[] = "vboxVer_";

        return memmem(data, len, marker, strlen(marker)) ? g_strdup(marker) : NULL;
}

char *tn_filter_partition(const char *data, size_t len)
{
        (void) data;
        return len > 0 ? g_strdup("partition") : NULL;
}
