/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * A program as a child of the agent, in a session of its own: where there is no systemd. The surprising
 * thing: whether exec worked is told by a pipe that exec closes, and that is waited for on the loop, for a
 * program on a dead server may take its time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "plugins/exec/exec.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif
#ifndef CLOSE_RANGE_CLOEXEC
#define CLOSE_RANGE_CLOEXEC (1U << 2)
#endif

/* What only the agent may know of; the rest of its environment is passed on. */
static const char *const agents_own[] = {"NOTIFY_SOCKET", "WATCHDOG_PID",  "WATCHDOG_USEC",
                                         "LISTEN_FDS",    "LISTEN_PID",    "LISTEN_FDNAMES",
                                         "INVOCATION_ID", "JOURNAL_STREAM"};

/* Where a child failed before the program ran; what it writes to the pipe. */
struct failure {
        enum {
                AT_SETUP,
                AT_CWD,
                AT_USER,
                AT_EXEC,
        } step;
        int errnum;
};

struct identity {
        uid_t uid;
        gid_t gid;
        gid_t groups[256];
        int n_groups;
};

struct plain {
        struct tn_exec_runner runner; /* first */
        const struct tn_exec_events *events;
        void *data;
        char *path, *cwd, *user; /* for messages */
        pid_t pid;
        int pid_fd;
        int failure_fd;
        guint source;
        bool ended;
};

static bool find_identity(const char *user, struct identity *ret, char ***env, GError **error)
{
        const struct passwd *pw;

        errno = 0;
        pw = getpwnam(user);
        if (!pw && errno && errno != ENOENT)
                return tn_error_errno(error, errno, "look up user '%s'", user);
        if (!pw)
                return tn_error_set(error, TN_ERROR_NOT_FOUND, "user '%s' does not exist", user);
        ret->uid = pw->pw_uid;
        ret->gid = pw->pw_gid;
        ret->n_groups = G_N_ELEMENTS(ret->groups);
        if (getgrouplist(user, pw->pw_gid, ret->groups, &ret->n_groups) < 0)
                ret->n_groups = G_N_ELEMENTS(ret->groups); /* more than that: the first ones */
        if (!env)
                return true;
        *env = g_environ_setenv(*env, "HOME", pw->pw_dir, TRUE);
        *env = g_environ_setenv(*env, "USER", user, TRUE);
        *env = g_environ_setenv(*env, "LOGNAME", user, TRUE);
        *env = g_environ_setenv(*env, "SHELL", pw->pw_shell, TRUE);
        return true;
}

static G_NORETURN void fail_child(int fd, int step)
{
        struct failure failure = {.step = step, .errnum = errno};

        (void) !write(fd, &failure, sizeof failure);
        _exit(127);
}

/* The descriptor that is to become @number: above 2, so that none is overwritten before its turn. */
static int stand_by(int fd, int number)
{
        return fd >= 0 ? fcntl(fd, F_DUPFD_CLOEXEC, 3)
                       : open("/dev/null", (number == STDIN_FILENO ? O_RDONLY : O_WRONLY) | O_CLOEXEC);
}

static bool become(const struct identity *who)
{
        return setgroups((size_t) who->n_groups, who->groups) == 0 &&
               setresgid(who->gid, who->gid, who->gid) == 0 && setresuid(who->uid, who->uid, who->uid) == 0;
}

static G_NORETURN void run_child(const struct tn_exec_request *request, const int fds[3], char **env,
                                 const struct identity *who, int failure_fd)
{
        sigset_t none;
        int ready[3];

        (void) setsid();
        for (int i = 0; i < 3; i++)
                if ((ready[i] = stand_by(fds[i], i)) < 0)
                        fail_child(failure_fd, AT_SETUP);
        for (int i = 0; i < 3; i++)
                if (dup2(ready[i], i) < 0)
                        fail_child(failure_fd, AT_SETUP);
#ifdef SYS_close_range
        /* Ours all have the flag; who started us may have left some without. */
        (void) syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
#endif
        sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        (void) signal(SIGPIPE, SIG_DFL);
        (void) umask(022);
        if (who && !become(who))
                fail_child(failure_fd, AT_USER);
        if (chdir(request->cwd) < 0)
                fail_child(failure_fd, AT_CWD);
        (void) execve(request->program, request->argv, env);
        fail_child(failure_fd, AT_EXEC);
}

static GError *describe(const struct plain *plain, const struct failure *failure)
{
        GError *error = NULL;

        switch (failure->step) {
        case AT_CWD:
                (void) tn_error_errno(&error, failure->errnum, "Failed to change to directory “%s”",
                                      plain->cwd);
                break;
        case AT_USER:
                (void) tn_error_errno(&error, failure->errnum, "Failed to become user “%s”", plain->user);
                break;
        case AT_SETUP:
        case AT_EXEC:
        default:
                (void) tn_error_set(&error, failure->errnum == ENOENT ? TN_ERROR_NOT_FOUND : TN_ERROR_FAILED,
                                    "Failed to execute child process “%s” (%s)", plain->path,
                                    g_strerror(failure->errnum));
        }
        return error;
}

static gboolean on_ended(int fd, GIOCondition condition, void *data)
{
        struct plain *plain = data;
        struct tn_exec_end end = {.exit_code = -1};
        siginfo_t info = {0};

        (void) condition;
        plain->source = 0;
        plain->ended = true; /* from here on its number may be another's */
        if (waitid((idtype_t) P_PIDFD, (id_t) fd, &info, WEXITED) < 0)
                end.lost = "somebody else has waited for it";
        else if (info.si_code == CLD_EXITED)
                end.exit_code = info.si_status;
        else
                end.signal = info.si_status;
        plain->events->ended(&end, plain->data);
        return G_SOURCE_REMOVE;
}

static gboolean on_executed(int fd, GIOCondition condition, void *data)
{
        struct plain *plain = data;
        struct failure failure;
        ssize_t n = read(fd, &failure, sizeof failure);

        (void) condition;
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return G_SOURCE_CONTINUE;
        tn_fd_close(&plain->failure_fd);
        if (n != sizeof failure) { /* the end of the pipe: the program runs */
                plain->source = g_unix_fd_add(plain->pid_fd, G_IO_IN, on_ended, plain);
                plain->events->started(plain->pid, plain->data);
        } else {
                g_autoptr(GError) error = describe(plain, &failure);

                plain->source = 0;
                plain->ended = true;
                (void) waitid((idtype_t) P_PIDFD, (id_t) plain->pid_fd, &(siginfo_t){0}, WEXITED);
                plain->events->not_started(error, false, plain->data);
        }
        return G_SOURCE_REMOVE;
}

static void plain_kill(struct tn_exec_runner *runner, int signal)
{
        struct plain *plain = (struct plain *) runner;

        if (!plain->ended) /* until it is waited for, its number is taken, and so is its group's */
                (void) kill(-plain->pid, signal);
}

static void plain_free(struct tn_exec_runner *runner)
{
        struct plain *plain = (struct plain *) runner;

        g_clear_handle_id(&plain->source, g_source_remove);
        tn_fd_close(&plain->pid_fd);
        tn_fd_close(&plain->failure_fd);
        g_free(plain->path);
        g_free(plain->cwd);
        g_free(plain->user);
        g_free(plain);
}

static const struct tn_exec_runner_ops plain_ops = {.kill = plain_kill, .free = plain_free};

static struct plain *plain_new(const struct tn_exec_request *request, pid_t pid, int pid_fd, int failure_fd)
{
        struct plain *plain = g_new0(struct plain, 1);

        *plain = (struct plain){
                .runner = {&plain_ops},
                .path = g_strdup(request->path),
                .cwd = g_strdup(request->cwd),
                .user = g_strdup(request->user),
                .pid = pid,
                .pid_fd = pid_fd,
                .failure_fd = failure_fd,
        };
        plain->source = g_unix_fd_add(failure_fd, G_IO_IN | G_IO_HUP, on_executed, plain);
        return plain;
}

struct tn_exec_runner *tn_exec_plain_start(const struct tn_exec_request *request, const int fds[3],
                                           const struct tn_exec_events *events, void *data, GError **error)
{
        g_auto(GStrv) env = request->env ? g_strdupv(request->env) : g_get_environ();
        tn_autofd int failure_read = -1, failure_write = -1;
        g_autofree struct identity *who = request->user ? g_new0(struct identity, 1) : NULL;
        struct plain *plain;
        pid_t pid;
        int pid_fd;

        for (size_t i = 0; !request->env && i < G_N_ELEMENTS(agents_own); i++)
                env = g_environ_unsetenv(env, agents_own[i]);
        if ((who && !find_identity(request->user, who, request->env ? NULL : &env, error)) ||
            !tn_exec_pipe(&failure_read, &failure_write, true, error))
                return NULL;
        pid = fork();
        if (pid == 0)
                run_child(request, fds, env, who, failure_write);
        if (pid < 0) {
                (void) tn_error_errno(error, errno, "Failed to execute child process “%s”: fork",
                                      request->path);
                return NULL;
        }
        pid_fd = (int) syscall(SYS_pidfd_open, pid, 0);
        if (pid_fd < 0) {
                (void) tn_error_errno(error, errno, "watch “%s”", request->path);
                (void) kill(pid, SIGKILL);
                (void) waitpid(pid, NULL, 0);
                return NULL;
        }
        plain = plain_new(request, pid, pid_fd, tn_fd_steal(&failure_read));
        plain->events = events;
        plain->data = data;
        return &plain->runner;
}
