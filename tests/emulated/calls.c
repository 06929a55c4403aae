/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A stand-in for system calls that the emulators of Debian 12 do not know: openat2(2) in qemu-user 7.2 and
 * valgrind 3.19, pidfd_open(2) in valgrind. Preloaded into unit tests by scripts/cross and scripts/sanitize,
 * it takes the place of syscall(3), by which Tenon makes both. It is never installed.
 *
 * The surprising thing: openat2's promise to stay below a folder is kept by looking at one component after
 * the other. That is enough for tests, whose folders nobody else changes, and for nothing else.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINKS_MAX 40

/* Where a path has come to: without links, and what is left to walk. Both relative to the folder. */
struct walk {
        const struct open_how *how;
        int dir;
        char done[PATH_MAX], rest[PATH_MAX];
        unsigned links;
};

static int fail(int code)
{
        errno = code;
        return -1;
}

/* Takes the first component of the rest off into @name; false at the end. */
static bool take(char *rest, char *name)
{
        size_t skip = strspn(rest, "/"), len = strcspn(rest + skip, "/");

        if (len == 0 || len > NAME_MAX)
                return false;
        memcpy(name, rest + skip, len);
        name[len] = '\0';
        memmove(rest, rest + skip + len, strlen(rest + skip + len) + 1);
        return true;
}

/* The link at @place takes its own place in front of the rest. */
static int follow(struct walk *walk, const char *place)
{
        char target[PATH_MAX];
        ssize_t n = readlinkat(walk->dir, place, target, sizeof target - 1);

        if (walk->how->resolve & RESOLVE_NO_SYMLINKS || ++walk->links > LINKS_MAX)
                return fail(ELOOP);
        if (n < 0 || (size_t) n + strlen(walk->rest) + 2 > sizeof target)
                return fail(ENAMETOOLONG);
        target[n] = '\0';
        if (*target == '/')
                *walk->done = '\0';
        strcat(strcat(target, "/"), walk->rest);
        strcpy(walk->rest, target);
        return 0;
}

static int step(struct walk *walk, const char *name)
{
        bool last = walk->rest[strspn(walk->rest, "/")] == '\0';
        char place[PATH_MAX], *slash = strrchr(walk->done, '/');
        struct stat st;

        if (strcmp(name, ".") == 0)
                return 0;
        if (strcmp(name, "..") == 0) {
                *(slash ? slash : walk->done) = '\0';
                return 0;
        }
        if (snprintf(place, sizeof place, "%s%s%s", walk->done, *walk->done ? "/" : "", name) >= PATH_MAX)
                return fail(ENAMETOOLONG);
        if (fstatat(walk->dir, place, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(st.st_mode) &&
            !(last && walk->how->flags & (O_NOFOLLOW | O_EXCL)))
                return follow(walk, place);
        strcpy(walk->done, place);
        return 0;
}

static int open_below(int dir, const char *path, const struct open_how *how)
{
        bool from_root = *path == '/' && !(how->resolve & RESOLVE_IN_ROOT);
        struct walk walk = {.how = how, .dir = from_root ? open("/", O_PATH | O_CLOEXEC) : dir};
        char name[NAME_MAX + 1];
        int fd = 0, code;

        if (*path == '\0')
                return fail(ENOENT);
        if (strlen(path) >= sizeof walk.rest)
                return fail(ENAMETOOLONG);
        strcpy(walk.rest, path);
        while (fd == 0 && take(walk.rest, name))
                fd = step(&walk, name);
        if (fd == 0)
                fd = openat(walk.dir, *walk.done ? walk.done : ".", (int) how->flags, (mode_t) how->mode);
        code = errno;
        if (from_root)
                close(walk.dir);
        errno = code;
        return fd;
}

struct watched {
        pid_t pid;
        int fd; /* closed at its end, which the other end of the pipe sees */
};

static void *await_end(void *data)
{
        struct watched *watched = data;
        siginfo_t info;

        while (waitid(P_PID, (id_t) watched->pid, &info, WEXITED | WNOWAIT) < 0 && errno != ECHILD)
                continue;
        while (kill(watched->pid, 0) == 0 &&
               waitid(P_PID, (id_t) watched->pid, &info, WEXITED | WNOWAIT) < 0)
                usleep(10000); /* no child of ours */
        close(watched->fd);
        free(watched);
        return NULL;
}

static int open_pid(pid_t pid)
{
        struct watched *watched;
        pthread_t thread;
        int fds[2];

        if (kill(pid, 0) < 0 && errno == ESRCH)
                return -1;
        if (pipe2(fds, O_CLOEXEC) < 0)
                return -1;
        watched = malloc(sizeof *watched);
        if (!watched)
                return fail(ENOMEM);
        *watched = (struct watched){pid, fds[1]};
        if (pthread_create(&thread, NULL, await_end, watched) != 0)
                return fail(ENOMEM);
        pthread_detach(thread);
        return fds[0];
}

__attribute__((visibility("default"))) long syscall(long number, ...)
{
        static long (*next)(long, ...);
        long a[6];
        va_list args;

        va_start(args, number);
        for (size_t i = 0; i < 6; i++)
                a[i] = va_arg(args, long);
        va_end(args);
        if (number == SYS_openat2)
                return open_below((int) a[0], (const char *) a[1], (const struct open_how *) a[2]);
        if (number == SYS_pidfd_open && getenv("TN_EMULATE_PIDFD"))
                return open_pid((pid_t) a[0]);
        if (!next)
                next = (long (*)(long, ...)) dlsym(RTLD_NEXT, "syscall");
        return next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
}
