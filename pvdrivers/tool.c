/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Runs a program and waits for it. The surprising thing: it lives in a process group of its own, which is
 * killed as a whole when the deadline passes, unless it must not be cut off; of its output the end is kept,
 * since that says why it failed.
 */
#define _GNU_SOURCE
#include "pvdrivers/tool.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"

static const char *const folders[] = {"usr/sbin", "usr/bin", "sbin", "bin", NULL};

char *tn_tool_find(const struct tn_env *env, const char *name)
{
        for (size_t i = 0; folders[i]; i++) {
                g_autofree char *path = g_strdup_printf("%s/%s", folders[i], name);

                if (tn_env_exists(env, path))
                        return g_strconcat("/", path, NULL);
        }
        return NULL;
}

/* Ours, with what would make programs ask questions or speak other languages replaced. */
static char **environment(void)
{
        char **list = g_get_environ();

        list = g_environ_setenv(list, "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                TRUE);
        list = g_environ_setenv(list, "LC_ALL", "C.UTF-8", TRUE);
        list = g_environ_setenv(list, "HOME", "/root", FALSE);
        list = g_environ_setenv(list, "DEBIAN_FRONTEND", "noninteractive", TRUE);
        list = g_environ_setenv(list, "NEEDRESTART_SUSPEND", "1", TRUE);
        return list;
}

/* A terminal that is closed, its Ctrl-C, a unit that is stopped, a reader of our output that is gone. */
static const int endings[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE};

struct endings {
        struct sigaction before[G_N_ELEMENTS(endings)];
};

static void ignore_endings(struct endings *saved)
{
        const struct sigaction ignore = {.sa_handler = SIG_IGN};

        for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
                (void) sigaction(endings[i], &ignore, &saved->before[i]);
}

static void restore_endings(const struct endings *saved)
{
        for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
                (void) sigaction(endings[i], &saved->before[i], NULL);
}

/* In the child. With a deadline it dies with us: a builder that nobody waits for would still write its image
 * when the next run has taken all of this back. */
G_GNUC_NORETURN static void become(const char *const *argv, int out_fd, char **list, bool dies_with_us)
{
        int in_fd = open("/dev/null", O_RDONLY);
        sigset_t none;

        sigemptyset(&none);
        (void) sigprocmask(SIG_SETMASK, &none, NULL);
        for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
                (void) signal(endings[i], SIG_DFL);
        if (dies_with_us)
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void) setsid();
        if (in_fd >= 0 && dup2(in_fd, STDIN_FILENO) >= 0 && dup2(out_fd, STDOUT_FILENO) >= 0 &&
            dup2(out_fd, STDERR_FILENO) >= 0)
                (void) execve(argv[0], (char *const *) argv, list);
        _exit(127);
}

/* Its process, or -1 with @error. Whether it can be run is asked before, since the child cannot tell. */
static pid_t spawn(const char *const *argv, int out_fd, bool dies_with_us, GError **error)
{
        g_auto(GStrv) list = environment();
        pid_t pid = -1;

        if (access(argv[0], X_OK) == 0)
                pid = fork();
        if (pid == 0)
                become(argv, out_fd, list, dies_with_us);
        if (pid < 0)
                (void) tn_error_errno(error, errno, "run %s", argv[0]);
        return pid;
}

/* Takes bytes in, gives whole lines to the progress. A carriage return ends a line, too: progress bars. */
static void take(const char *bytes, size_t len, GString *line, const char *program,
                 struct tn_progress *progress, GString *output)
{
        g_string_append_len(output, bytes, (gssize) len);
        if (output->len > TN_TOOL_OUTPUT_MAX)
                g_string_erase(output, 0, (gssize) (output->len - TN_TOOL_OUTPUT_MAX));
        for (size_t i = 0; i < len; i++) {
                if (bytes[i] != '\n' && bytes[i] != '\r') {
                        if (line->len < TN_TOOL_LINE_MAX)
                                g_string_append_c(line, bytes[i]);
                        continue;
                }
                if (line->len > 0)
                        tn_progress_output(progress, program, line->str);
                g_string_truncate(line, 0);
        }
}

/* Reads until the program has ended; false when the deadline passed before. A daemon that it left behind
 * with our pipe open does not hold us up. */
static bool collect(pid_t pid, int fd, gint64 deadline_usec, const char *program,
                    struct tn_progress *progress, GString *output)
{
        g_autoptr(GString) line = g_string_new(NULL);
        bool open = true, ended = false;
        char buffer[8192];

        while (!ended) {
                siginfo_t info = {0};
                struct pollfd waiting = {.fd = open ? fd : -1, .events = POLLIN};

                (void) poll(&waiting, 1, 100);
                ended = waitid(P_PID, (id_t) pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid;
                while (open) {
                        ssize_t n = read(fd, buffer, sizeof buffer);

                        if (n > 0)
                                take(buffer, (size_t) n, line, program, progress, output);
                        else if (n == 0 || (errno != EINTR && errno != EAGAIN))
                                open = false;
                        else if (errno == EAGAIN)
                                break;
                }
                if (!ended && g_get_monotonic_time() > deadline_usec)
                        return false;
        }
        if (line->len > 0)
                tn_progress_output(progress, program, line->str);
        return true;
}

static void wait_for(pid_t pid, int fd, gint64 deadline_usec, const char *program,
                     struct tn_progress *progress, struct tn_tool_result *ret)
{
        int status = 0;

        *ret = (struct tn_tool_result){.exit_status = -1, .output = g_string_new(NULL)};
        if (!collect(pid, fd, deadline_usec, program, progress, ret->output)) {
                ret->timed_out = true;
                (void) kill(-pid, SIGKILL);
        }
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
                ;
        if (WIFEXITED(status))
                ret->exit_status = WEXITSTATUS(status);
        else
                ret->signal = WTERMSIG(status);
}

bool tn_tool_run(const struct tn_env *env, const char *const *argv, unsigned deadline_s,
                 struct tn_progress *progress, struct tn_tool_result *ret, GError **error)
{
        g_autofree char *program = g_path_get_basename(argv[0]);
        bool to_its_end = deadline_s == TN_TOOL_TO_ITS_END;
        gint64 deadline = to_its_end ? G_MAXINT64
                                     : g_get_monotonic_time() + (gint64) deadline_s * G_USEC_PER_SEC;
        struct endings saved;
        tn_autofd int read_fd = -1, write_fd = -1;
        int fds[2];
        pid_t pid;

        if (env->recorded)
                return tn_error_set(error, TN_ERROR_UNSUPPORTED, "%s: nothing is run in a recorded machine",
                                    argv[0]);
        if (pipe2(fds, O_CLOEXEC) < 0)
                return tn_error_errno(error, errno, "pipe for %s", argv[0]);
        read_fd = fds[0];
        write_fd = fds[1];
        (void) fcntl(read_fd, F_SETFL, O_NONBLOCK);
        if (to_its_end)
                ignore_endings(&saved);
        pid = spawn(argv, write_fd, !to_its_end, error);
        tn_fd_close(&write_fd);
        if (pid > 0)
                wait_for(pid, read_fd, deadline, program, progress, ret);
        if (to_its_end)
                restore_endings(&saved);
        return pid > 0;
}

void tn_tool_result_clear(struct tn_tool_result *result)
{
        if (result->output)
                g_string_free(result->output, TRUE);
        result->output = NULL;
}

/* The last lines that say something, as one. */
static char *last_words(const char *output)
{
        g_auto(GStrv) lines = g_strsplit_set(output, "\r\n", -1);
        g_autoptr(GString) words = g_string_new(NULL);
        guint count = g_strv_length(lines);
        unsigned taken = 0;

        for (guint i = count; i > 0 && taken < 3; i--) {
                const char *line = g_strstrip(lines[i - 1]);

                if (!*line)
                        continue;
                if (words->len)
                        g_string_prepend(words, " / ");
                g_string_prepend(words, line);
                taken++;
        }
        return g_strndup(words->str, MIN(words->len, 600));
}

bool tn_tool_judge(const char *program, unsigned deadline_s, const struct tn_tool_result *result,
                   GError **error)
{
        g_autofree char *words = NULL;

        if (result->exit_status == 0)
                return true;
        words = last_words(result->output->str);
        if (result->timed_out)
                return tn_error_set(error, TN_ERROR_TIMEOUT, "%s did not end within %u s: %s", program,
                                    deadline_s, words);
        if (result->signal)
                return tn_error_set(error, TN_ERROR_FAILED, "%s was ended by signal %d: %s", program,
                                    result->signal, words);
        return tn_error_set(error, TN_ERROR_FAILED, "%s ended with exit status %d: %s", program,
                            result->exit_status, words);
}

bool tn_tool_must(tn_tool_run_func run, const struct tn_env *env, const char *const *argv,
                  unsigned deadline_s, struct tn_progress *progress, char **output, GError **error)
{
        g_auto(tn_tool_result_t) result = {0};

        if (!run(env, argv, deadline_s, progress, &result, error) ||
            !tn_tool_judge(argv[0], deadline_s, &result, error))
                return false;
        if (output)
                *output = g_strdup(result.output->str);
        return true;
}
