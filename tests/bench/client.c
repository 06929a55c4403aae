/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Benchmark client: sends one request N times over a unix socket, waits for each reply line, prints the
 * round-trip times in microseconds: "median p90 p99 min". With the word "echo" as its only argument after
 * the path it is the floor: a server that answers every line with the same bytes. "exec" instead of a
 * request is guest-exec of /bin/true with its output captured, and guest-exec-status without a pause until
 * it says that the program has ended.
 *
 *   client SOCKET REQUEST COUNT
 *   client SOCKET exec COUNT
 *   client SOCKET echo
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void die(const char *what)
{
        fprintf(stderr, "client: %s: %s\n", what, strerror(errno));
        exit(1);
}

static double now_usec(void)
{
        struct timespec ts;

        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (double) ts.tv_sec * 1e6 + (double) ts.tv_nsec / 1e3;
}

static int compare(const void *a, const void *b)
{
        double x = *(const double *) a, y = *(const double *) b;

        return (x > y) - (x < y);
}

static int open_socket(const char *path, struct sockaddr_un *ret_addr)
{
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

        *ret_addr = (struct sockaddr_un){.sun_family = AF_UNIX};
        if (fd < 0 || strlen(path) >= sizeof ret_addr->sun_path)
                die("socket");
        strcpy(ret_addr->sun_path, path);
        return fd;
}

static char reply[8 << 20];

static void ask(int fd, const char *line)
{
        size_t len = 0;

        if (write(fd, line, strlen(line)) < 0)
                die("write");
        do {
                ssize_t n = read(fd, reply + len, sizeof reply - 1 - len);

                if (n <= 0)
                        die("read");
                len += (size_t) n;
        } while (reply[len - 1] != '\n');
        reply[len] = '\0';
}

static void execute(int fd)
{
        static const char start[] = "{\"execute\": \"guest-exec\", \"arguments\": "
                                    "{\"path\": \"/bin/true\", \"capture-output\": true}}\n";
        char status[100];
        const char *pid;

        ask(fd, start);
        pid = strstr(reply, "\"pid\":");
        if (!pid)
                die(reply);
        snprintf(status, sizeof status,
                 "{\"execute\": \"guest-exec-status\", \"arguments\": {\"pid\": %ld}}\n",
                 strtol(pid + strlen("\"pid\":"), NULL, 10));
        do
                ask(fd, status);
        while (!strstr(reply, "\"exited\": true"));
        if (!strstr(reply, "\"exitcode\": 0"))
                die(reply);
}

static void serve_echo(const char *path)
{
        static const char reply[] = "{\"return\": {}}\n";
        struct sockaddr_un addr;
        int fd = open_socket(path, &addr), client;

        if (bind(fd, (struct sockaddr *) &addr, sizeof addr) < 0 || listen(fd, 1) < 0 ||
            (client = accept(fd, NULL, NULL)) < 0)
                die("listen");
        for (char buffer[65536]; read(client, buffer, sizeof buffer) > 0;)
                if (write(client, reply, sizeof reply - 1) < 0)
                        die("write");
}

static void measure(const char *path, const char *request, size_t count)
{
        double *times = calloc(count, sizeof *times);
        struct sockaddr_un addr;
        int fd = open_socket(path, &addr);
        char *line = malloc(strlen(request) + 2);

        sprintf(line, "%s\n", request);
        if (!times || connect(fd, (struct sockaddr *) &addr, sizeof addr) < 0)
                die("connect");
        for (size_t i = 0; i < count; i++) {
                double start = now_usec();

                if (strcmp(request, "exec") == 0)
                        execute(fd);
                else
                        ask(fd, line);
                times[i] = now_usec() - start;
        }
        qsort(times, count, sizeof *times, compare);
        printf("%.1f %.1f %.1f %.1f\n", times[count / 2], times[count * 9 / 10], times[count * 99 / 100],
               times[0]);
        free(times);
        free(line);
}

int main(int argc, char **argv)
{
        if (argc == 3 && strcmp(argv[2], "echo") == 0)
                serve_echo(argv[1]);
        else if (argc == 4 && strtoul(argv[3], NULL, 10) > 0)
                measure(argv[1], argv[2], strtoul(argv[3], NULL, 10));
        else {
                fprintf(stderr, "usage: client SOCKET REQUEST|exec COUNT | client SOCKET echo\n");
                return 2;
        }
        return 0;
}
