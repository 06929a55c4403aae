/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * tenon-host cp. The surprising thing: in the guest a file is replaced without a question, for no agent can
 * be asked to open a file only if it is new; on this host nothing is, unless --force says so. The name of a
 * file is the one that was typed, never one that the guest gave.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/host.h"
#include "host/print.h"
#include "host/target.h"
#include "host/transfer.h"
#include "host/trouble.h"
#include "lib/fd.h"

#define GUEST         "guest:"
#define MAX_SIZE_MIB  1024
#define PROGRESS_USEC 200000

struct job {
        struct tn_target *target; /* to this host */
        int fd;                   /* to the guest */
        uint64_t sum;
        uint64_t total; /* 0: nobody knows */
        gint64 told;    /* when */
        bool terminal;
};

static void show_progress(struct job *job, bool last)
{
        gint64 now = g_get_monotonic_time();

        if (!job->terminal || (!last && now - job->told < PROGRESS_USEC))
                return;
        job->told = now;
        fprintf(stderr, "\r%.1f MiB", (double) job->sum / 1048576);
        if (job->total > 0)
                fprintf(stderr, " of %.1f MiB", (double) job->total / 1048576);
        fputs(last ? "\n" : "", stderr);
}

static bool take(const void *bytes, size_t len, uint64_t sum, void *data, GError **error)
{
        struct job *job = data;

        job->sum = sum;
        show_progress(job, false);
        return tn_target_write(job->target, bytes, len, error);
}

/* As much as there is up to @size, so that few requests are sent. */
static bool give(void *bytes, size_t size, size_t *ret_len, void *data, GError **error)
{
        struct job *job = data;
        size_t used = 0;

        while (used < size) {
                ssize_t n = read(job->fd, (char *) bytes + used, size - used);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return tn_trouble_errno(error, TN_TROUBLE_LOCAL, errno, "read the source");
                if (n == 0)
                        break;
                used += (size_t) n;
        }
        job->sum += used;
        show_progress(job, false);
        *ret_len = used;
        return true;
}

static int open_source(const char *path, uint64_t *ret_size, GError **error)
{
        tn_autofd int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0) {
                (void) tn_trouble_errno(error, TN_TROUBLE_LOCAL, errno, "open %s", path);
                return -1;
        }
        if (S_ISDIR(st.st_mode)) {
                (void) tn_trouble_set(error, TN_TROUBLE_LOCAL,
                                      "%s is a folder; one file is copied at a time", path);
                return -1;
        }
        *ret_size = S_ISREG(st.st_mode) ? (uint64_t) st.st_size : 0;
        return tn_fd_steal(&fd);
}

/* NULL: not of the guest. Else absolute and with a last component that is a name. */
static const char *guest_path(const char *word)
{
        return g_str_has_prefix(word, GUEST) ? word + strlen(GUEST) : NULL;
}

static bool check_paths(const char *from, const char *to, GError **error)
{
        const char *path = from ? from : to;
        g_autofree char *name = path ? g_path_get_basename(path) : NULL;

        if (!from == !to)
                return tn_trouble_set(error, TN_TROUBLE_LOCAL,
                                      "one of source and target must be " GUEST "/PATH");
        if (*path != '/' || g_str_has_suffix(path, "/") || g_str_equal(name, ".") || g_str_equal(name, ".."))
                return tn_trouble_set(error, TN_TROUBLE_LOCAL,
                                      "'" GUEST "%s' is not " GUEST "/PATH of a file", path);
        return true;
}

static bool get(struct tn_guest *guest, const char *path, const char *to, bool force, uint64_t max,
                struct job *job, GError **error)
{
        g_autofree char *name = g_path_get_basename(path);
        g_autoptr(tn_target_t) target = tn_target_new(to, name, force, error);

        job->target = target;
        return target && tn_transfer_get(guest, path, max, take, job, error) &&
               tn_target_finish(target, error);
}

static bool put(struct tn_guest *guest, const char *from, const char *path, struct job *job, GError **error)
{
        tn_autofd int fd = open_source(from, &job->total, error);

        job->fd = fd;
        return fd >= 0 && tn_transfer_put(guest, path, give, job, error);
}

static int run(struct tn_host *host, char **argv, bool force, int64_t max_mib)
{
        const char *from = guest_path(argv[1]), *to = guest_path(argv[2]);
        struct job job = {.fd = -1, .terminal = !host->json && isatty(STDERR_FILENO)};
        g_autoptr(GError) error = NULL;
        g_autoptr(tn_guest_t) guest = NULL;
        json_auto_t *told = NULL;

        if (!check_paths(from, to, &error))
                return tn_trouble_report(error);
        guest = tn_host_open(host, &error);
        if (!guest ||
            !(from ? get(guest, from, argv[2], force, (uint64_t) max_mib * 1024 * 1024, &job, &error)
                   : put(guest, argv[1], to, &job, &error)))
                return tn_trouble_report(error);
        show_progress(&job, true);
        told = json_pack("{s:I}", "bytes", (json_int_t) job.sum);
        if (host->json)
                tn_print_json(told);
        return 0;
}

int tn_host_cp(struct tn_host *host, int argc, char **argv)
{
        gboolean force = FALSE;
        gint64 max_mib = MAX_SIZE_MIB;
        const GOptionEntry entries[] = {
                {"force", 'f', 0, G_OPTION_ARG_NONE, &force, "Replace a file of this host", NULL},
                {"max-size", 'm', 0, G_OPTION_ARG_INT64, &max_mib,
                 "Most that is taken from the guest (1024)", "MIB"},
                {NULL},
        };

        if (!tn_host_parse(host, &argc, &argv, entries, 2, 2))
                return TN_TROUBLE_LOCAL;
        if (max_mib < 1 || max_mib > 1024 * 1024 * 1024) {
                fputs("tenon-host cp: --max-size is in MiB, 1 to 1073741824\n", stderr);
                return TN_TROUBLE_LOCAL;
        }
        return run(host, argv, force, max_mib);
}
