/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The writing load of the freeze benchmark: COUNT processes write files in a folder, over and over, until
 * SIGTERM. Then it prints for how many milliseconds the longest write of any of them was blocked, and how
 * many MiB were written.
 *
 *   writer FOLDER COUNT
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES 65536
#define FILE_BLOCKS 1024 /* 64 MiB, then from the start again */
#define PAUSE_NSEC  2000000

static volatile sig_atomic_t over;

struct figures {
        uint64_t longest_usec, blocks;
};

static void on_term(int number)
{
        (void) number;
        over = 1;
}

static uint64_t now_usec(void)
{
        struct timespec now;

        clock_gettime(CLOCK_MONOTONIC, &now);
        return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

static void load(const char *folder, int number, struct figures *figures)
{
        static char block[BLOCK_BYTES];
        char path[4096];
        int fd;

        snprintf(path, sizeof path, "%s/load-%d", folder, number);
        fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        memset(block, number, sizeof block);
        for (uint64_t i = 0; fd >= 0 && !over; i++) {
                uint64_t begin = now_usec(), took;

                if (pwrite(fd, block, sizeof block, (off_t) (i % FILE_BLOCKS) * BLOCK_BYTES) < 0)
                        break;
                took = now_usec() - begin;
                if (took > figures->longest_usec)
                        figures->longest_usec = took;
                figures->blocks++;
                nanosleep(&(struct timespec){.tv_nsec = PAUSE_NSEC}, NULL);
        }
        _exit(fd < 0);
}

int main(int argc, char **argv)
{
        int count = argc == 3 ? atoi(argv[2]) : 0;
        struct figures *figures, sum = {0};

        if (count < 1 || count > 64) {
                fprintf(stderr, "usage: writer FOLDER COUNT\n");
                return 2;
        }
        figures = mmap(NULL, sizeof *figures * (size_t) count, PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (figures == MAP_FAILED)
                return 1;
        signal(SIGTERM, on_term);
        for (int i = 0; i < count; i++)
                if (fork() == 0)
                        load(argv[1], i, &figures[i]);
        while (!over)
                pause();
        signal(SIGTERM, SIG_IGN);
        kill(0, SIGTERM);
        while (wait(NULL) > 0)
                ;
        for (int i = 0; i < count; i++) {
                sum.blocks += figures[i].blocks;
                if (figures[i].longest_usec > sum.longest_usec)
                        sum.longest_usec = figures[i].longest_usec;
        }
        printf("%.1f %llu\n", (double) sum.longest_usec / 1000, (unsigned long long) (sum.blocks / 16));
        return 0;
}
