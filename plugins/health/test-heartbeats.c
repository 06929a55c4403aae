/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Heartbeats: who may, what is missed and when, and what programs send over the socket, good and bad. A
 * hall, because the registry and the socket are told in the same stories, on one scene.
 */
#define _GNU_SOURCE
#include "plugins/health/test-support.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "lib/error.h"
#include "lib/names.h"
#include "plugins/health/access.h"
#include "plugins/health/beat-socket.h"
#include "plugins/health/heartbeats.h"

#define MAX_BEATS 8
#define OTHER     4711 /* a user that nobody knows */
#define LISTED    1001
#define TRUSTED   1002
#define MEMBER    1003

struct scene {
        struct stage *stage;
        struct heartbeats *beats;
        struct health_access *access;
        struct beat_socket *sock;
        GString *story; /* "db was registered\n" */
};

static void on_changed(const struct heartbeat *heartbeat, const char *what, void *data)
{
        g_string_append_printf(((struct scene *) data)->story, "%s %s\n", heartbeat->name, what);
}

static void on_rearm(void *data)
{
        (void) data;
}

static struct scene *open_scene(void **state)
{
        struct scene *scene = g_new0(struct scene, 1);

        scene->stage = *state;
        scene->story = g_string_new(NULL);
        stage_write(scene->stage, "etc/passwd",
                    "root:x:0:0::/:/bin/sh\nlisted:x:1001:1001::/:/bin/sh\ntrusted:x:1002:1002::/:/bin/sh\n"
                    "member:x:1003:50::/:/bin/sh\nextra:x:1004:1004::/:/bin/sh\n");
        stage_write(scene->stage, "etc/group", "ops:x:50:extra\n");
        stage_set(scene->stage, "heartbeat", "users", "listed, @ops; nobody-of-that-name, 1005",
                  "required-users", "trusted", NULL);
        scene->access = health_access_new(&scene->stage->host);
        scene->beats = heartbeats_new(&scene->stage->env, MAX_BEATS,
                                      (struct heartbeats_events){on_changed, on_rearm, scene});
        scene->sock = beat_socket_new(&scene->stage->host, scene->beats, scene->access, 60000);
        return scene;
}

static void close_scene(struct scene *scene)
{
        beat_socket_free(scene->sock);
        heartbeats_free(scene->beats);
        health_access_free(scene->access);
        g_string_free(scene->story, TRUE);
        g_free(scene);
}

static const struct heartbeat_peer root = {.root = true};

static void pass(struct scene *scene, uint64_t seconds)
{
        stage_pass(scene->stage, seconds);
        heartbeats_turn(scene->beats);
}

static bool is_missed(const struct scene *scene, const char *name)
{
        return heartbeats_find(scene->beats, name)->missed;
}

/* Sends as if over the socket; "" or the reason of the refusal. */
static char *reason;

static const char *take_as(struct scene *scene, uid_t uid, pid_t pid, const char *text)
{
        g_free(reason);
        reason = beat_socket_take(scene->sock, text, strlen(text), uid, pid);
        return reason ? reason : "";
}

static void test_missed_and_well_again(void **state)
{
        struct scene *scene = open_scene(state);
        g_autoptr(GError) error = NULL;

        assert_true(heartbeats_register(scene->beats, "db", &root, 30000, true, &error));
        assert_int_equal(heartbeats_next(scene->beats), START_USEC + 30 * G_USEC_PER_SEC);
        pass(scene, 29);
        assert_true(heartbeats_beat(scene->beats, "db", &root, &error));
        pass(scene, 29);
        assert_false(is_missed(scene, "db"));
        pass(scene, 1);
        assert_true(is_missed(scene, "db"));
        assert_string_equal(heartbeats_culprit(scene->beats)->reason, "no beat for 30 s");
        assert_int_equal(heartbeats_next(scene->beats), 0); /* said once */
        pass(scene, 1000);
        assert_true(heartbeats_beat(scene->beats, "db", &root, &error));
        assert_null(heartbeats_culprit(scene->beats));
        assert_true(heartbeats_unregister(scene->beats, "db", &root, &error));
        assert_string_equal(scene->story->str,
                            "db was registered\ndb was missed\ndb beats again\ndb was unregistered\n");
        close_scene(scene);
}

static void test_not_required_closes_nothing(void **state)
{
        struct scene *scene = open_scene(state);

        assert_true(heartbeats_register(scene->beats, "web", &root, 1000, false, NULL));
        pass(scene, 2);
        assert_true(is_missed(scene, "web"));
        assert_null(heartbeats_culprit(scene->beats));
        close_scene(scene);
}

static void test_wall_clock_and_standstill(void **state)
{
        struct scene *scene = open_scene(state);

        assert_true(heartbeats_register(scene->beats, "db", &root, 30000, false, NULL));
        scene->stage->realtime_usec += UINT64_C(864000) * G_USEC_PER_SEC;
        heartbeats_turn(scene->beats);
        assert_false(is_missed(scene, "db"));
        scene->stage->realtime_usec = 0;
        pass(scene, 20);
        assert_false(is_missed(scene, "db"));
        stage_pass(scene->stage, 500); /* the machine stood still: before anybody is judged … */
        heartbeats_forgive(scene->beats, true);
        pass(scene, 29);
        assert_false(is_missed(scene, "db"));
        stage_pass(scene->stage, 500);
        heartbeats_forgive(scene->beats, true); /* … but not again and again without a beat */
        heartbeats_turn(scene->beats);
        assert_true(is_missed(scene, "db"));
        assert_true(heartbeats_beat(scene->beats, "db", &root, NULL));
        pass(scene, 29);
        heartbeats_forgive(scene->beats, false); /* thawed */
        pass(scene, 29);
        assert_false(is_missed(scene, "db"));
        heartbeats_hold(scene->beats, scene->stage->monotonic_usec + 10 * G_USEC_PER_SEC);
        pass(scene, 9);
        assert_false(is_missed(scene, "db"));
        pass(scene, 1);
        assert_true(is_missed(scene, "db"));
        close_scene(scene);
}

static void test_bad_arguments(void **state)
{
        static const char *const names[] = {
                "",         "a b", "a/b",
                "\xc3\xa4", "a\n", "0123456789012345678901234567890123456789012345678901234567890123"};
        struct scene *scene = open_scene(state);
        g_autoptr(GError) error = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                assert_false(heartbeats_register(scene->beats, names[i], &root, 30000, false, &error));
                assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_INVALID));
                g_clear_error(&error);
        }
        assert_false(heartbeats_register(scene->beats, "a", &root, 999, false, &error));
        assert_contains(error->message, "1 s to 86400 s");
        g_clear_error(&error);
        assert_false(heartbeats_register(scene->beats, "a", &root, 86400001, false, NULL));
        assert_false(heartbeats_beat(scene->beats, "nobody", &root, &error));
        assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_NOT_FOUND));
        assert_int_equal(scene->story->len, 0);
        close_scene(scene);
}

static void test_limits(void **state)
{
        struct scene *scene = open_scene(state);
        const struct heartbeat_peer user = {.uid = LISTED};
        g_autoptr(GError) error = NULL;

        /* A quarter for one user. */
        assert_true(heartbeats_register(scene->beats, "u1", &user, 1000, false, NULL));
        assert_true(heartbeats_register(scene->beats, "u2", &user, 1000, false, NULL));
        assert_false(heartbeats_register(scene->beats, "u3", &user, 1000, false, &error));
        assert_contains(error->message, "this user has 2 heartbeats already; see max in [heartbeat]");
        g_clear_error(&error);
        assert_true(
                heartbeats_register(scene->beats, "u2", &user, 2000, false, NULL)); /* again is no more */
        for (unsigned i = 0; i < MAX_BEATS - 2; i++) {
                g_autofree char *name = g_strdup_printf("r%u", i);

                assert_true(heartbeats_register(scene->beats, name, &root, 1000, false, NULL));
        }
        assert_false(heartbeats_register(scene->beats, "r9", &root, 1000, false, &error));
        assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_LIMIT));
        close_scene(scene);
}

static void test_others_heartbeats(void **state)
{
        struct scene *scene = open_scene(state);
        const struct heartbeat_peer one = {.uid = LISTED}, two = {.uid = MEMBER};
        g_autoptr(GError) error = NULL;

        assert_true(heartbeats_register(scene->beats, "one", &one, 1000, false, NULL));
        assert_false(heartbeats_beat(scene->beats, "one", &two, &error));
        assert_true(g_error_matches(error, TN_ERROR, TN_ERROR_DENIED));
        assert_false(heartbeats_unregister(scene->beats, "one", &two, NULL));
        assert_false(heartbeats_register(scene->beats, "one", &two, 1000, false, NULL));
        assert_true(heartbeats_beat(scene->beats, "one", &root, NULL));
        assert_true(heartbeats_unregister(scene->beats, "one", &one, NULL));
        close_scene(scene);
}

static void test_access(void **state)
{
        static const struct {
                uid_t uid;
                bool may, may_required;
        } rows[] = {{0, true, true},     {LISTED, true, false}, {TRUSTED, true, true}, {MEMBER, true, false},
                    {1004, true, false}, {1005, true, false},   {OTHER, false, false}, {50, false, false}};
        struct scene *scene = open_scene(state);
        g_autoptr(GError) error = NULL;

        for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
                struct heartbeat_peer peer = health_access_peer(rows[i].uid, 0);

                assert_int_equal(health_access_check(scene->access, &peer, false, NULL), rows[i].may);
                assert_int_equal(health_access_check(scene->access, &peer, true, NULL),
                                 rows[i].may_required);
        }
        assert_contains(scene->stage->log->str,
                        "'nobody-of-that-name' is neither in /etc/passwd nor a number");
        assert_false(
                health_access_check(scene->access, &(struct heartbeat_peer){.uid = OTHER}, false, &error));
        assert_contains(error->message, "users= in [heartbeat] of tenond.conf allows it");
        close_scene(scene);
}

/* What comes over the socket. The process is this one: it lives. */
static void test_messages(void **state)
{
        struct scene *scene = open_scene(state);
        pid_t me = getpid();

        assert_string_equal(take_as(scene, 0, me, TN_BEAT_REGISTER "=db\nWATCHDOG_USEC=5000000"), "");
        assert_int_equal(heartbeats_find(scene->beats, "db")->timeout_usec, 5000000);
        pass(scene, 4);
        assert_string_equal(take_as(scene, 0, me, TN_BEAT_REGISTER "=db\nWATCHDOG_USEC=5000000"), "");
        pass(scene, 1);
        assert_true(is_missed(scene, "db")); /* registering again is no beat */
        assert_string_equal(take_as(scene, 0, me, "WATCHDOG=1"), "");
        assert_false(is_missed(scene, "db"));
        assert_string_equal(take_as(scene, 0, me, "READY=1\nSTATUS=up"), "");
        assert_string_equal(take_as(scene, 0, me, "WATCHDOG_USEC=9000000"), "");
        assert_int_equal(heartbeats_next(scene->beats), scene->stage->monotonic_usec + 9 * G_USEC_PER_SEC);
        assert_string_equal(take_as(scene, 0, me, "STATUS=disk gone\nWATCHDOG=trigger"), "");
        assert_string_equal(heartbeats_find(scene->beats, "db")->reason, "disk gone");
        assert_string_equal(take_as(scene, 0, me, "STOPPING=1"), "");
        assert_null(heartbeats_find(scene->beats, "db"));
        assert_string_equal(take_as(scene, 0, me, "STOPPING=1"), "");
        assert_contains(take_as(scene, 0, me, TN_BEAT_UNREGISTER "=db"), "no heartbeat 'db' is registered");
        close_scene(scene);
}

/* A program that knows only sd_notify: its first beat registers it under its name. */
static void test_first_beat(void **state)
{
        struct scene *scene = open_scene(state);
        pid_t me = getpid();
        g_autofree char *comm = g_strdup_printf("proc/%d/comm", me), *other = g_strdup_printf("db-x-%d", me);

        stage_write(scene->stage, comm, "db x\n");
        assert_string_equal(take_as(scene, 0, me, "READY=1"), "");
        assert_int_equal(scene->story->len, 0);
        assert_string_equal(take_as(scene, 0, me, "WATCHDOG=1"), "");
        assert_int_equal(heartbeats_find(scene->beats, "db-x")->timeout_usec, 60 * G_USEC_PER_SEC);
        assert_int_equal(heartbeats_find(scene->beats, "db-x")->beats, 1);
        assert_string_equal(take_as(scene, 0, me, "WATCHDOG=1"), "");
        assert_int_equal(heartbeats_find(scene->beats, "db-x")->beats, 2);
        assert_string_equal(take_as(scene, 0, me, "STOPPING=1"), "");
        assert_true(heartbeats_register(scene->beats, "db-x", &root, 1000, false, NULL));
        assert_string_equal(take_as(scene, 0, me, "WATCHDOG=1"), "");
        assert_non_null(heartbeats_find(scene->beats, other)); /* the name was taken */
        assert_contains(take_as(scene, OTHER, 1, "WATCHDOG=1"), "may not register heartbeats");
        assert_contains(take_as(scene, LISTED, me, TN_BEAT_REGISTER "=x\n" TN_BEAT_REQUIRED "=1"),
                        "may not register required heartbeats; required-users=");
        assert_contains(take_as(scene, 0, me, "rubbish"), "not in the protocol of sd_notify(3)");
        close_scene(scene);
}

/* A child of the owner's has become another user; a stranger of that user may not beat. */
static void test_children_beat(void **state)
{
        struct scene *scene = open_scene(state);
        g_autofree char *stat = g_strdup_printf("70 (a) b) S %d 1", getpid());

        stage_write(scene->stage, "proc/71/stat", "71 (sh) S 70 1");
        stage_write(scene->stage, "proc/70/stat", stat);
        stage_write(scene->stage, "proc/80/stat", "80 (sh) S 1 1");
        assert_string_equal(take_as(scene, 0, getpid(), TN_BEAT_REGISTER "=db"), "");
        assert_string_equal(take_as(scene, OTHER, 71, "WATCHDOG=1"), "");
        assert_int_equal(heartbeats_find(scene->beats, "db")->beats, 1);
        assert_contains(take_as(scene, OTHER, 80, "WATCHDOG=1"), "may not register");
        assert_contains(take_as(scene, OTHER, 71, TN_BEAT_UNREGISTER "=db"), "belongs to another user");
        assert_int_equal(heartbeats_find(scene->beats, "db")->beats, 1);
        close_scene(scene);
}

/* The agent was started again, and a beat came before the registration of the program's parent. */
static void test_beat_before_registration(void **state)
{
        struct scene *scene = open_scene(state);
        g_autofree char *stat = g_strdup_printf("proc/%d/stat", getpid());
        g_autofree char *line = g_strdup_printf("%d (sh) S %d 1", getpid(), getppid());

        stage_write(scene->stage, stat, line);
        assert_string_equal(take_as(scene, 0, getpid(), "WATCHDOG=1"), "");
        assert_string_equal(take_as(scene, 0, getpid(), "WATCHDOG=1"), "");
        assert_int_equal(heartbeats_find(scene->beats, "process")->beats, 2);
        assert_string_equal(take_as(scene, 0, getppid(), TN_BEAT_REGISTER "=db"), "");
        assert_string_equal(take_as(scene, 0, getpid(), "WATCHDOG=1"), "");
        assert_int_equal(heartbeats_find(scene->beats, "db")->beats, 1);
        assert_null(heartbeats_find(scene->beats, "process"));
        close_scene(scene);
}

/* Strangers cannot make us walk through /proc without end, and those that are known are not held up by them.
 */
static void test_flood_of_strangers(void **state)
{
        struct scene *scene = open_scene(state);

        assert_string_equal(take_as(scene, 0, getpid(), TN_BEAT_REGISTER "=db"), "");
        for (unsigned i = 0; i < 100000; i++)
                if (i == 0 || i == 99999)
                        assert_contains(take_as(scene, OTHER, 90, "WATCHDOG=1"), "may not register");
                else
                        g_free(beat_socket_take(scene->sock, "WATCHDOG=1", 10, OTHER, 90));
        assert_string_equal(take_as(scene, 0, getpid(), "WATCHDOG=1"), "");
        assert_int_equal(heartbeats_find(scene->beats, "db")->beats, 1);
        close_scene(scene);
}

static bool is_gone(void *data)
{
        return is_missed(data, "p");
}

static void test_owner_dies(void **state)
{
        struct scene *scene = open_scene(state);
        pid_t pid = fork();

        if (pid == 0) {
                pause();
                _exit(0);
        }
        assert_string_equal(take_as(scene, 0, pid, TN_BEAT_REGISTER "=p\n" TN_BEAT_REQUIRED "=1"), "");
        (void) kill(pid, SIGKILL);
        loop_until_true(is_gone, scene);
        assert_contains(heartbeats_culprit(scene->beats)->reason, "ended without unregistering");
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        close_scene(scene);
}

/* The real socket, and the real sd_notify. */
struct sending {
        struct scene *scene;
        const char *name;
        unsigned beats;
};

static bool has_beaten(void *data)
{
        const struct sending *sending = data;
        const struct heartbeat *heartbeat = heartbeats_find(sending->scene->beats, sending->name);

        return heartbeat && heartbeat->beats >= sending->beats;
}

static char *open_real(struct scene *scene)
{
        char *path = stage_path(scene->stage, "hb.sock");
        g_autoptr(GError) error = NULL;

        if (!beat_socket_open(scene->sock, path, &error))
                fail_msg("%s", error->message);
        return path;
}

static void test_real_sd_notify(void **state)
{
        struct scene *scene = open_scene(state);
        g_autofree char *path = open_real(scene);
        struct sending sending = {scene, "process", 2};
        struct stat st;

        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0666);
        (void) g_setenv("NOTIFY_SOCKET", path, TRUE);
        assert_true(sd_notify(0, "READY=1") > 0);
        assert_true(sd_notify(0, "WATCHDOG=1") > 0);
        assert_true(sd_notify(0, "WATCHDOG=1") > 0);
        loop_until_true(has_beaten, &sending);
        assert_int_equal(heartbeats_find(scene->beats, "process")->pid, getpid());
        (void) g_unsetenv("NOTIFY_SOCKET");
        close_scene(scene);
        assert_int_equal(access(path, F_OK), -1);
}

static int connect_to(const char *path, bool bound)
{
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

        if (bound)
                assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof address.sun_family), 0);
        memcpy(address.sun_path, path, strlen(path));
        assert_int_equal(connect(fd, (struct sockaddr *) &address, sizeof address), 0);
        return fd;
}

static void expect_answer(struct scene *scene, int fd, const char *text, size_t len, const char *wanted)
{
        char answer[300] = "";

        assert_int_equal(send(fd, text, len, 0), len);
        for (unsigned i = 0; i < 500 && recv(fd, answer, sizeof answer - 1, MSG_DONTWAIT) < 0; i++)
                loop_for(10);
        if (!strstr(answer, wanted))
                fail_msg("the answer is '%s', not '%s'", answer, wanted);
}

static void test_answers(void **state)
{
        struct scene *scene = open_scene(state);
        g_autofree char *path = open_real(scene), *large = g_strnfill(5000, 'x');
        int fd = connect_to(path, true);

        expect_answer(scene, fd, TN_BEAT_REGISTER "=db", strlen(TN_BEAT_REGISTER "=db"),
                      TN_BEAT_RESULT "=ok");
        expect_answer(scene, fd, TN_BEAT_REGISTER "=a b", strlen(TN_BEAT_REGISTER "=a b"),
                      "1 to 63 characters");
        expect_answer(scene, fd, large, 5000, "longer than 4096 bytes");
        expect_answer(scene, fd, "\0\0\0", 3, "not in the protocol");
        expect_answer(scene, fd, "", 0, TN_BEAT_RESULT "=ok");
        close(fd);
        close_scene(scene);
}

/* BARRIER=1 hands over a descriptor and waits for it to be closed; many descriptors must not pile up. */
static void test_descriptors_are_closed(void **state)
{
        struct scene *scene = open_scene(state);
        g_autofree char *path = open_real(scene);
        int fd = connect_to(path, false), ends[2];
        union {
                char bytes[CMSG_SPACE(sizeof(int) * 20)];
                struct cmsghdr header;
        } control = {.bytes = {0}};
        struct iovec part = {(char *) "BARRIER=1", 9};
        struct msghdr message = {.msg_iov = &part,
                                 .msg_iovlen = 1,
                                 .msg_control = &control,
                                 .msg_controllen = sizeof control};
        char byte;

        assert_int_equal(pipe(ends), 0);
        control.header = (struct cmsghdr){
                .cmsg_len = CMSG_LEN(sizeof(int) * 20), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
        for (size_t i = 0; i < 20; i++)
                memcpy(CMSG_DATA(&control.header) + i * sizeof(int), &ends[1], sizeof(int));
        assert_int_equal(sendmsg(fd, &message, 0), 9);
        close(ends[1]);
        loop_for(100);
        assert_int_equal(read(ends[0], &byte, 1), 0); /* the other end is closed everywhere */
        close(ends[0]);
        close(fd);
        close_scene(scene);
}

static gboolean on_tick(void *data)
{
        ++*(unsigned *) data;
        return G_SOURCE_CONTINUE;
}

/* A process that sends as fast as it can does not keep the loop from other things. */
static void test_flood(void **state)
{
        struct scene *scene = open_scene(state);
        g_autofree char *path = open_real(scene);
        unsigned ticks = 0;
        guint source;
        pid_t pid = fork();

        if (pid == 0) {
                int fd = connect_to(path, false);

                for (;;)
                        (void) send(fd, "WATCHDOG=1", 10, 0);
        }
        source = g_timeout_add(10, on_tick, &ticks);
        loop_for(1000);
        g_source_remove(source);
        assert_true(ticks > 10);
        (void) kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        close_scene(scene);
}

static void test_socket_path(void **state)
{
        struct scene *scene = open_scene(state), *second = open_scene(state);
        g_autofree char *path = open_real(scene), *file = stage_path(scene->stage, "file");
        g_autoptr(GError) error = NULL;
        g_autofree char *none = stage_path(scene->stage, "no/such/folder"), *large = g_strnfill(200, 'x');

        assert_false(beat_socket_open(second->sock, path, &error));
        assert_contains(error->message, "is in use by another process");
        g_clear_error(&error);
        stage_write(scene->stage, "file", "");
        assert_false(beat_socket_open(second->sock, file, &error));
        assert_contains(error->message, "is not a socket");
        g_clear_error(&error);
        assert_false(beat_socket_open(second->sock, none, NULL));
        assert_false(beat_socket_open(second->sock, large, NULL));
        close_scene(second);
        assert_int_equal(access(path, F_OK), 0); /* the first one's is still there */
        close_scene(scene);
}

static void test_stale_socket(void **state)
{
        struct scene *scene = open_scene(state);
        g_autofree char *path = stage_path(scene->stage, "hb.sock");
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

        memcpy(address.sun_path, path, strlen(path));
        assert_int_equal(bind(fd, (struct sockaddr *) &address, sizeof address), 0);
        close(fd);
        g_free(open_real(scene));
        close_scene(scene);
}

static int forget_reason(void **state)
{
        g_clear_pointer(&reason, g_free);
        return stage_tear_down(state);
}

#define on_stage(test) cmocka_unit_test_setup_teardown(test, stage_set_up, forget_reason)

int main(void)
{
        const struct CMUnitTest tests[] = {
                on_stage(test_missed_and_well_again),
                on_stage(test_not_required_closes_nothing),
                on_stage(test_wall_clock_and_standstill),
                on_stage(test_bad_arguments),
                on_stage(test_limits),
                on_stage(test_others_heartbeats),
                on_stage(test_access),
                on_stage(test_messages),
                on_stage(test_first_beat),
                on_stage(test_children_beat),
                on_stage(test_beat_before_registration),
                on_stage(test_flood_of_strangers),
                on_stage(test_owner_dies),
                on_stage(test_real_sd_notify),
                on_stage(test_answers),
                on_stage(test_descriptors_are_closed),
                on_stage(test_flood),
                on_stage(test_socket_path),
                on_stage(test_stale_socket),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
