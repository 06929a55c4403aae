/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A stand-in for system calls that the emulators of Debian 12 do not know: openat2(2) in qemu-user 7.2 and
 * valgrind 3.19, pidfd_open(2) in valgrind. Preloaded into unit tests by scripts/cross and scripts/sanitize,
 * it takes the place of syscall(3), by which Tenon makes both, and of two functions more: posix_spawn(3),
 * which in qemu-user cannot tell that a program is missing, and cmocka's, to leave out what an emulator
 * cannot do. It is never installed.
 *
 * The surprising thing: openat2's promise to stay below a folder is kept by looking at one component after
 * the other. That is enough for tests, whose folders nobody else changes, and for nothing else.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/openat2.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
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

#include <cmocka.h>

#define LINKS_MAX 40
#define ARGS_MAX  16

/* The head of this file itself, which the linker names. */
extern const ElfW(Ehdr) __ehdr_start __attribute__((visibility("hidden")));

/* Where a path has come to: without links, and what is left to walk. Both relative to the folder. */
struct walk {
        const struct open_how *how;
        int dir;
        char done[PATH_MAX], rest[PATH_MAX];
        unsigned links;
};

static int failed(int code)
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
                return failed(ELOOP);
        if (n < 0 || (size_t) n + strlen(walk->rest) + 2 > sizeof target)
                return failed(ENAMETOOLONG);
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
                return failed(ENAMETOOLONG);
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
                return failed(ENOENT);
        if (strlen(path) >= sizeof walk.rest)
                return failed(ENAMETOOLONG);
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

/* By descriptor, whose process open_pid() was asked for; for waitid(2) with P_PIDFD. */
static pid_t watched_pids[1024];

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
                return failed(ENOMEM);
        *watched = (struct watched){pid, fds[1]};
        if (pthread_create(&thread, NULL, await_end, watched) != 0)
                return failed(ENOMEM);
        pthread_detach(thread);
        if (fds[0] < (int) (sizeof watched_pids / sizeof *watched_pids))
                watched_pids[fds[0]] = pid;
        return fds[0];
}

__attribute__((visibility("default"))) int waitid(idtype_t type, id_t id, siginfo_t *info, int options)
{
        static int (*next)(idtype_t, id_t, siginfo_t *, int);

        if (!next)
                next = (int (*)(idtype_t, id_t, siginfo_t *, int)) dlsym(RTLD_NEXT, "waitid");
        if (type == (idtype_t) P_PIDFD && id < sizeof watched_pids / sizeof *watched_pids &&
            watched_pids[id])
                return next(P_PID, (id_t) watched_pids[id], info, options);
        return next(type, id, info, options);
}

/* A program of the machine that is emulated, as this file is: the kernel here does not start those. */
static bool is_emulated(const char *path)
{
        ElfW(Ehdr) head = {0};
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        bool emulated = read(fd, &head, sizeof head) == sizeof head &&
                        memcmp(head.e_ident, ELFMAG, SELFMAG) == 0 &&
                        head.e_ident[EI_CLASS] == __ehdr_start.e_ident[EI_CLASS] &&
                        head.e_machine == __ehdr_start.e_machine;

        close(fd);
        return emulated;
}

/* vfork(2) is a fork in qemu-user: an error of the child's does not come back. And a program of the emulated
 * machine needs the emulator, which TN_EMULATED_RUN names. */
__attribute__((visibility("default"))) int posix_spawn(pid_t *ret_pid, const char *path,
                                                       const posix_spawn_file_actions_t *actions,
                                                       const posix_spawnattr_t *attr, char *const argv[],
                                                       char *const envp[])
{
        int (*next)(pid_t *, const char *, const posix_spawn_file_actions_t *, const posix_spawnattr_t *,
                    char *const[], char *const[]) = dlsym(RTLD_NEXT, "posix_spawn");
        char *run = getenv("TN_EMULATED_RUN"), *longer[ARGS_MAX + 2] = {run, (char *) path};

        if (access(path, X_OK) < 0)
                return errno;
        if (!run || !is_emulated(path))
                return next(ret_pid, path, actions, attr, argv, envp);
        for (size_t i = 1; argv[i]; i++) {
                if (i == ARGS_MAX)
                        return E2BIG;
                longer[i + 1] = argv[i];
        }
        return next(ret_pid, run, actions, attr, longer, envp);
}

/* Whether a word is in the list of TN_EMULATED_SKIP, which is `NAME NAME …` of cmocka's tests. */
static bool is_skipped(const char *name)
{
        const char *list = getenv("TN_EMULATED_SKIP");
        size_t len = strlen(name);

        for (const char *p = list; p && (p = strstr(p, name)); p += len)
                if ((p == list || p[-1] == ' ') && (p[len] == ' ' || p[len] == '\0'))
                        return true;
        return false;
}

/* What cmocka_run_group_tests() calls. */
__attribute__((visibility("default"))) int _cmocka_run_group_tests(const char *group,
                                                                   const struct CMUnitTest *tests,
                                                                   size_t count, CMFixtureFunction set_up,
                                                                   CMFixtureFunction tear_down)
{
        int (*next)(const char *, const struct CMUnitTest *, size_t, CMFixtureFunction,
                    CMFixtureFunction) = dlsym(RTLD_NEXT, "_cmocka_run_group_tests");
        struct CMUnitTest *left = calloc(count, sizeof *left);
        size_t n = 0;

        for (size_t i = 0; left && i < count; i++) {
                if (is_skipped(tests[i].name))
                        printf("[  EMULATED] %s is left out\n", tests[i].name);
                else
                        left[n++] = tests[i];
        }
        return next(group, left, n, set_up, tear_down);
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
