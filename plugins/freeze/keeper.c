/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The keeper. Why a freeze always ends:
 *
 *  1. The keeper makes no call that can hang once something may be frozen. Freezing and thawing are done by
 *     workers, its children; it only polls. Its memory is locked, so it waits for no disk either.
 *  2. It thaws on whatever comes first: the agent says so, the agent is gone (end of the connection, or
 *     SIGTERM by PR_SET_PDEATHSIG), SIGTERM or SIGINT from anybody, the deadline (a timer on
 *     CLOCK_BOOTTIME, which a sleeping machine does not stop), a file system that failed to freeze.
 *  3. A freeze that hangs in the kernel holds up its worker alone: the others are thawed meanwhile. When
 *     the kernel lets go, that file system is frozen, the keeper sees it on the board and thaws it too. The
 *     worker is not killed: killed, it would leave a frozen file system behind and nobody to tell.
 *  4. A thaw that hangs holds up its worker alone: after a while another worker takes the rest. A thaw
 *     that fails is tried again every second.
 *  5. If the keeper is killed, the agent starts another one in rescue: same board, steps 3 and 4.
 *  6. If keeper and agent are killed together, the next agent finds the marker (marker.h) and does 5.
 *
 * What is left is a kernel that never lets go, of which the report tells. Only opening the mount points is
 * done by the keeper itself, before anything is frozen; if that hangs, the agent gives up on the keeper.
 */
#define _GNU_SOURCE
#include "plugins/freeze/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/fd.h"
#include "plugins/freeze/hooks.h"
#include "plugins/freeze/process.h"
#include "plugins/freeze/worker.h"

#define WORKERS_MAX 8
#define STUCK_USEC  2000000 /* at most; a thaw takes milliseconds */
#define RETRY_USEC  1000000

enum { POLL_CONTROL, POLL_SIGNAL, POLL_WAKE, POLL_TIMER, POLL_WORKERS };

struct worker {
        pid_t pid;
        int pid_fd;
        bool thaws;
};

struct keep {
        struct freeze_board *board;
        const struct freeze_kernel *kernel;
        const GPtrArray *hooks;
        int root_fd, control, signal_fd, wake_fd, timer_fd;
        int *fds; /* FREEZE_ITEMS_MAX */
        struct worker workers[WORKERS_MAX];
        unsigned n_workers;
        unsigned seen_tries;
        uint64_t progress_at, retry_at;
        bool go, quit, agent_gone;
};

static void poke_agent(const struct keep *k)
{
        (void) send(k->control, "w", 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* a full queue wakes it as well */
}

static void set_phase(const struct keep *k, enum freeze_phase phase)
{
        k->board->phase = (int) phase;
        poke_agent(k);
}

static void stop(const struct keep *k, enum freeze_why why)
{
        freeze_board_set_why(k->board, why);
        k->board->stop = true;
}

static void start_worker(struct keep *k, bool thaws)
{
        struct freeze_worker_task task = {k->board, k->kernel, k->fds, k->wake_fd};
        struct worker worker = {.thaws = thaws, .pid_fd = -1};

        if (k->n_workers == WORKERS_MAX)
                return;
        worker.pid = fork();
        if (worker.pid == 0) {
                (void) prctl(PR_SET_PDEATHSIG, SIGKILL);
                (void) prctl(PR_SET_NAME, thaws ? "tn-thaw" : "tn-freeze");
                (void) close(k->control);
                thaws ? freeze_worker_thaw(&task) : freeze_worker_freeze(&task);
        }
        if (worker.pid > 0)
                worker.pid_fd = freeze_process_watch(worker.pid);
        if (!thaws && worker.pid > 0)
                k->board->freezer = worker.pid;
        if (worker.pid > 0 && worker.pid_fd >= 0)
                k->workers[k->n_workers++] = worker;
        else
                stop(k, FREEZE_WHY_FAILED);
}

static unsigned count_workers(const struct keep *k, bool thaws)
{
        unsigned n = 0;

        for (unsigned i = 0; i < k->n_workers; i++)
                n += k->workers[i].thaws == thaws;
        return n;
}

/* What a worker of this kind left in the middle of a call, when there is none any more, may be frozen. */
static void take_over(const struct keep *k, enum freeze_state state)
{
        for (unsigned i = 0; i < k->board->n_items; i++)
                if (k->board->items[i].state == (int) state)
                        k->board->items[i].state = FREEZE_STATE_FROZEN;
}

static void reap(struct keep *k, unsigned index)
{
        struct worker worker = k->workers[index];

        (void) waitpid(worker.pid, NULL, WNOHANG); /* in rescue it is not our child */
        tn_fd_close(&worker.pid_fd);
        k->workers[index] = k->workers[--k->n_workers];
        if (!worker.thaws && freeze_board_count(k->board, FREEZE_STATE_FREEZING))
                stop(k, FREEZE_WHY_FAILED); /* it was killed in the middle of a call */
        if (count_workers(k, worker.thaws) == 0)
                take_over(k, worker.thaws ? FREEZE_STATE_THAWING : FREEZE_STATE_FREEZING);
        if (!worker.thaws)
                k->board->freezer = 0;
        else
                k->retry_at = freeze_now_usec() + RETRY_USEC;
}

static void open_all(struct keep *k)
{
        struct freeze_board *board = k->board;

        for (unsigned i = 0; i < board->n_items && !board->stop; i++) {
                struct freeze_item *item = &board->items[i];
                int fd = k->kernel->open(freeze_board_name(board, i), item->device);

                k->fds[i] = fd >= 0 ? fd : -1;
                if (fd >= 0)
                        continue;
                item->error = -fd;
                item->state = fd == -ENODEV ? FREEZE_STATE_SKIPPED : FREEZE_STATE_FAILED;
                if (fd != -ENODEV)
                        stop(k, FREEZE_WHY_FAILED);
        }
}

static void close_all(struct keep *k)
{
        for (unsigned i = 0; i < FREEZE_ITEMS_MAX; i++)
                tn_fd_close(&k->fds[i]);
}

static void be_thawed(struct keep *k)
{
        close_all(k); /* a thaw hook may want to unmount */
        k->board->thawed_at = freeze_now_usec();
        set_phase(k, FREEZE_PHASE_THAWED);
}

static void begin(struct keep *k)
{
        set_phase(k, FREEZE_PHASE_OPEN);
        k->board->flush_at = freeze_now_usec();
        open_all(k);
        if (k->board->stop) {
                be_thawed(k);
                return;
        }
        set_phase(k, FREEZE_PHASE_FLUSH);
        start_worker(k, false);
}

static void begin_thaw(struct keep *k)
{
        stop(k, FREEZE_WHY_FAILED); /* the reason is there already, but for a worker that was killed */
        k->board->thaw_at = k->progress_at = freeze_now_usec();
        k->retry_at = 0;
        set_phase(k, FREEZE_PHASE_THAW);
}

static void watch_freezing(struct keep *k)
{
        const struct freeze_board *board = k->board;

        if (!board->stop && count_workers(k, false) == 0) { /* it is through, or was killed */
                if (board->phase == FREEZE_PHASE_FREEZE && !freeze_board_count(board, FREEZE_STATE_FAILED) &&
                    !freeze_board_count(board, FREEZE_STATE_PENDING))
                        set_phase(k, FREEZE_PHASE_FROZEN);
                else
                        stop(k, FREEZE_WHY_FAILED);
        }
        if (board->stop)
                begin_thaw(k);
}

/* When the worker that thaws is taken for stuck. */
static uint64_t stuck_at(const struct keep *k)
{
        return k->progress_at + MIN(STUCK_USEC, k->board->timeout_usec / 2);
}

static void watch_thawing(struct keep *k)
{
        uint64_t now = freeze_now_usec();
        unsigned thawers = count_workers(k, true);

        if (!freeze_board_holds(k->board)) {
                be_thawed(k);
                return;
        }
        if (k->seen_tries != k->board->tries) {
                k->seen_tries = k->board->tries;
                k->progress_at = now;
                poke_agent(k);
        }
        if (freeze_board_count(k->board, FREEZE_STATE_FROZEN) == 0)
                return;
        if (thawers == 0 ? now >= k->retry_at : now >= stuck_at(k)) {
                k->progress_at = now;
                k->retry_at = now + RETRY_USEC;
                start_worker(k, true);
        }
}

/* One step forward; called after every event. */
static void advance(struct keep *k)
{
        switch ((enum freeze_phase) k->board->phase) {
        case FREEZE_PHASE_WAIT:
                if (k->board->stop || k->quit)
                        be_thawed(k);
                else if (k->go)
                        begin(k);
                break;
        case FREEZE_PHASE_FLUSH:
        case FREEZE_PHASE_FREEZE:
                watch_freezing(k);
                break;
        case FREEZE_PHASE_FROZEN:
                if (k->board->stop)
                        begin_thaw(k);
                break;
        case FREEZE_PHASE_THAW:
                watch_thawing(k);
                break;
        case FREEZE_PHASE_OPEN:
        case FREEZE_PHASE_THAWED:
                break;
        }
}

static void obey(struct keep *k)
{
        char order = 0;
        ssize_t n = recv(k->control, &order, 1, MSG_DONTWAIT);

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n <= 0) {
                k->agent_gone = true;
                stop(k, FREEZE_WHY_ORPHAN);
        } else if (order == FREEZE_GO) {
                k->go = true;
        } else if (order == FREEZE_THAW) {
                stop(k, FREEZE_WHY_REQUEST);
        } else if (order == FREEZE_QUIT) {
                k->quit = true;
                stop(k, FREEZE_WHY_REQUEST);
        }
}

/* When advance() has to be called though nothing happens; 0: never. */
static uint64_t next_alarm(const struct keep *k)
{
        const struct freeze_board *board = k->board;

        switch ((enum freeze_phase) board->phase) {
        case FREEZE_PHASE_FLUSH:
                return board->flush_at + board->timeout_usec;
        case FREEZE_PHASE_FREEZE:
        case FREEZE_PHASE_FROZEN:
                return board->freeze_at + board->timeout_usec;
        case FREEZE_PHASE_THAW:
                if (freeze_board_count(board, FREEZE_STATE_FROZEN) == 0)
                        return 0; /* all that is left is in the kernel */
                return count_workers(k, true) ? stuck_at(k) : k->retry_at;
        default:
                return 0;
        }
}

static void set_timer(const struct keep *k)
{
        uint64_t when = next_alarm(k);
        struct itimerspec spec = {.it_value = {(time_t) (when / 1000000), (long) (when % 1000000) * 1000}};

        (void) timerfd_settime(k->timer_fd, TFD_TIMER_ABSTIME, &spec, NULL); /* 0 disarms */
}

static void on_timer(const struct keep *k)
{
        uint64_t ticks;
        enum freeze_phase phase = (enum freeze_phase) k->board->phase;

        if (read(k->timer_fd, &ticks, sizeof ticks) == sizeof ticks && phase >= FREEZE_PHASE_FLUSH &&
            phase <= FREEZE_PHASE_FROZEN && freeze_now_usec() >= next_alarm(k))
                stop(k, FREEZE_WHY_DEADLINE);
}

static void wait_event(struct keep *k)
{
        struct pollfd pfds[POLL_WORKERS + WORKERS_MAX] = {
                [POLL_CONTROL] = {k->agent_gone ? -1 : k->control, POLLIN, 0},
                [POLL_SIGNAL] = {k->signal_fd, POLLIN, 0},
                [POLL_WAKE] = {k->wake_fd, POLLIN, 0},
                [POLL_TIMER] = {k->timer_fd, POLLIN, 0},
        };
        struct signalfd_siginfo info;
        uint64_t pokes;

        for (unsigned i = 0; i < k->n_workers; i++)
                pfds[POLL_WORKERS + i] = (struct pollfd){k->workers[i].pid_fd, POLLIN, 0};
        set_timer(k);
        if (poll(pfds, POLL_WORKERS + k->n_workers, -1) < 0)
                return;
        if (pfds[POLL_CONTROL].revents)
                obey(k);
        if (pfds[POLL_SIGNAL].revents && read(k->signal_fd, &info, sizeof info) == sizeof info)
                stop(k, FREEZE_WHY_SIGNAL);
        if (pfds[POLL_WAKE].revents && read(k->wake_fd, &pokes, sizeof pokes) == sizeof pokes)
                poke_agent(k);
        if (pfds[POLL_TIMER].revents)
                on_timer(k);
        for (unsigned i = k->n_workers; i-- > 0;) /* reap() puts the last one in the place of this one */
                if (pfds[POLL_WORKERS + i].revents)
                        reap(k, i);
}

static void lock_memory(struct freeze_board *board)
{
        tn_autofd int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

        board->lock_error = mlockall(MCL_CURRENT | MCL_FUTURE) < 0 ? errno : 0;
        if (fd >= 0 && write(fd, "-1000", 5) < 0)
                return; /* wants CAP_SYS_RESOURCE; a killed keeper is rescued by the agent */
}

static void set_up(struct keep *k)
{
        sigset_t signals;

        sigemptyset(&signals);
        sigaddset(&signals, SIGTERM);
        sigaddset(&signals, SIGINT);
        k->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
        k->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        k->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);
        k->fds = malloc(FREEZE_ITEMS_MAX * sizeof *k->fds);
        if (k->signal_fd < 0 || k->wake_fd < 0 || k->timer_fd < 0 || !k->fds)
                _exit(1);
        memset(k->fds, 0xff, FREEZE_ITEMS_MAX * sizeof *k->fds); /* -1 */
        lock_memory(k->board);
}

/* What the keeper before us left in the kernel is watched like a worker of our own. */
static void set_up_rescue(struct keep *k)
{
        pid_t freezer = k->board->freezer;
        int pid_fd = freezer > 0 ? freeze_process_watch(freezer) : -1;

        if (pid_fd >= 0)
                k->workers[k->n_workers++] = (struct worker){freezer, pid_fd, false};
        else
                take_over(k, FREEZE_STATE_FREEZING);
        take_over(k, FREEZE_STATE_THAWING);
        stop(k, FREEZE_WHY_RESCUE);
        begin_thaw(k);
}

/* Everything is thawed, and there is no agent to do it. */
static void tidy_up(struct keep *k)
{
        if (*k->board->marker)
                (void) unlinkat(k->root_fd, k->board->marker, 0); /* the agent may have been quicker */
        freeze_hooks_run_orphaned(k->hooks, k->board);
}

static _Noreturn void run(struct keep *k, bool rescue)
{
        set_up(k);
        if (rescue)
                set_up_rescue(k);
        for (;;) {
                int before;

                do {
                        before = k->board->phase;
                        advance(k);
                } while (before != k->board->phase);
                if (k->board->phase == FREEZE_PHASE_THAWED && (k->quit || k->agent_gone))
                        break;
                wait_event(k);
        }
        if (k->agent_gone && !k->quit)
                tidy_up(k);
        _exit(0);
}

bool freeze_keeper_start(struct freeze_board *board, const struct freeze_kernel *kernel,
                         const GPtrArray *hooks, int root_fd, bool rescue, struct freeze_keeper *ret,
                         GError **error)
{
        struct keep k = {.board = board, .kernel = kernel, .hooks = hooks, .root_fd = root_fd};
        tn_autofd int ours = -1, theirs = -1, pid_fd = -1;
        int pair[2];
        pid_t pid;

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return tn_error_errno(error, errno, "connection to the freezer");
        ours = pair[0];
        theirs = pair[1];
        pid = freeze_process_fork("tn-freezer", SIGTERM, (int[]){theirs, root_fd}, 2);
        if (pid == 0) {
                k.control = theirs;
                run(&k, rescue);
        }
        if (pid < 0)
                return tn_error_errno(error, errno, "start the freezer");
        pid_fd = freeze_process_watch(pid);
        if (pid_fd < 0) {
                (void) tn_error_errno(error, errno, "watch the freezer");
                (void) kill(pid, SIGKILL); /* nothing is frozen before FREEZE_GO */
                (void) waitpid(pid, NULL, 0);
                return false;
        }
        *ret = (struct freeze_keeper){pid, tn_fd_steal(&pid_fd), tn_fd_steal(&ours)};
        return true;
}

void freeze_keeper_order(struct freeze_keeper *keeper, enum freeze_order order)
{
        char byte = (char) order;

        (void) send(keeper->control, &byte, 1, MSG_DONTWAIT | MSG_NOSIGNAL); /* dead: its pidfd tells */
}

void freeze_keeper_drain(struct freeze_keeper *keeper)
{
        char bytes[16];

        while (recv(keeper->control, bytes, sizeof bytes, MSG_DONTWAIT) > 0)
                ;
}

void freeze_keeper_forget(struct freeze_keeper *keeper)
{
        if (keeper->pid > 0)
                (void) waitpid(keeper->pid, NULL, WNOHANG);
        tn_fd_close(&keeper->control);
        tn_fd_close(&keeper->pid_fd);
        keeper->pid = 0;
}
