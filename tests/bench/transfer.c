/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Benchmark client for guest files: moves a file of SIZE bytes through an agent in requests of CHUNK bytes,
 * PASSES times, and prints the throughput of each pass in MiB of the file a second. What arrives is compared
 * by its length only: base64 of the client's would be part of the figure.
 *
 *   transfer SOCKET read PATH SIZE CHUNK PASSES
 *   transfer SOCKET write PATH SIZE CHUNK PASSES
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define MIB          1048576.0
#define REPLY_LENGTH (1 << 20)

static char reply[REPLY_LENGTH]; /* of a long one, the last piece that came */

static _Noreturn void die(const char *what)
{
        fprintf(stderr, "transfer: %s: %.200s\n", what, errno ? strerror(errno) : reply);
        exit(1);
}

static double now(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double) ts.tv_sec + (double) ts.tv_nsec / 1e9;
}

static int dial(const char *path)
{
        struct sockaddr_un addr = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        if (fd < 0 || strlen(path) >= sizeof addr.sun_path)
                die("socket");
        strcpy(addr.sun_path, path);
        if (connect(fd, (struct sockaddr *) &addr, sizeof addr) < 0)
                die("connect");
        return fd;
}

/* The length of the reply; its begin (or, of a long one, its end) is in @reply. */
static size_t ask(int fd, const char *request, size_t len)
{
        size_t sum = 0;
        ssize_t n;

        while (len > 0) {
                n = write(fd, request, len);
                if (n <= 0)
                        die("write");
                request += n;
                len -= (size_t) n;
        }
        do {
                n = read(fd, reply, sizeof reply - 1);
                if (n <= 0)
                        die("read");
                reply[n] = '\0';
                sum += (size_t) n;
        } while (reply[n - 1] != '\n');
        errno = 0;
        if (strstr(reply, "\"error\""))
                die("the agent refused");
        return sum;
}

static long open_file(int fd, const char *path, const char *mode)
{
        char text[512];
        int len = snprintf(text, sizeof text,
                           "{\"execute\": \"guest-file-open\", \"arguments\": {\"path\": \"%s\", \"mode\": "
                           "\"%s\"}}\n",
                           path, mode);
        const char *number;

        (void) ask(fd, text, (size_t) len);
        number = strpbrk(reply, "0123456789");
        return number ? atol(number) : -1;
}

static void rewind_file(int fd, long handle)
{
        char text[256];
        int len = snprintf(text, sizeof text,
                           "{\"execute\": \"guest-file-seek\", \"arguments\": {\"handle\": %ld, \"offset\": "
                           "0, \"whence\": 0}}\n",
                           handle);

        (void) ask(fd, text, (size_t) len);
}

static size_t base64_size(size_t bytes)
{
        return (bytes + 2) / 3 * 4;
}

static void read_file(int fd, long handle, size_t size, size_t chunk)
{
        char text[256];
        int len = snprintf(text, sizeof text,
                           "{\"execute\": \"guest-file-read\", \"arguments\": {\"handle\": %ld, \"count\": "
                           "%zu}}\n",
                           handle, chunk);

        for (size_t done = 0; done < size; done += chunk) {
                size_t wanted = base64_size(size - done < chunk ? size - done : chunk);
                size_t got = ask(fd, text, (size_t) len);

                if (got < wanted || got > wanted + 100)
                        die("a reply has the wrong length");
        }
}

static void write_file(int fd, long handle, size_t size, size_t chunk)
{
        char *text = malloc(base64_size(chunk) + 256);
        int head = sprintf(text,
                           "{\"execute\": \"guest-file-write\", \"arguments\": {\"handle\": %ld, "
                           "\"buf-b64\": \"",
                           handle);

        for (size_t done = 0; done < size; done += chunk) {
                size_t bytes = size - done < chunk ? size - done : chunk, chars = base64_size(bytes);
                char count[64];

                memset(text + head, 'Q', chars);
                if (bytes % 3)
                        memcpy(text + head + chars - 4, bytes % 3 == 1 ? "QQ==" : "QQQ=", 4);
                strcpy(text + head + chars, "\"}}\n");
                (void) ask(fd, text, (size_t) head + chars + 4);
                snprintf(count, sizeof count, "\"count\": %zu", bytes);
                if (!strstr(reply, count))
                        die("not all was written");
        }
        free(text);
}

int main(int argc, char **argv)
{
        size_t size, chunk;
        int fd, writing;
        long handle;

        if (argc != 7) {
                fprintf(stderr, "usage: transfer SOCKET read|write PATH SIZE CHUNK PASSES\n");
                return 2;
        }
        writing = strcmp(argv[2], "write") == 0;
        size = strtoul(argv[4], NULL, 10);
        chunk = strtoul(argv[5], NULL, 10);
        fd = dial(argv[1]);
        handle = open_file(fd, argv[3], writing ? "w+" : "r");
        for (unsigned long left = strtoul(argv[6], NULL, 10); left > 0; left--) {
                double start = now();

                (writing ? write_file : read_file)(fd, handle, size, chunk);
                printf("%.1f\n", (double) size / MIB / (now() - start));
                rewind_file(fd, handle);
        }
        return 0;
}
