/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * File servers are asked in a copy of this process, one mount after the other; each answer is written out at
 * once, so that a server that is away costs only the size of its own mounts and of those behind them.
 */
#include "plugins/guestinfo/fs-network.h"

#include <string.h>
#include <unistd.h>

#include "lib/worker.h"
#include "plugins/guestinfo/fs-entry.h"

struct question {
        GPtrArray *mounts, *selected;
        struct tenon_host *host;
        struct tenon_call *call;
        json_t *reply;
};

/* What the copy writes; smaller than PIPE_BUF, so never in pieces. */
struct answer {
        guint64 place; /* in selected and in the reply */
        struct tn_fs_size size;
};

static void ask(const struct tn_env *env, const void *job, int fd)
{
        const struct question *question = job;

        for (guint i = 0; i < question->selected->len; i++) {
                const struct tn_mount *mount = question->selected->pdata[i];
                struct answer answer = {.place = i};

                if (mount->may_hang && tn_fs_entry_read_size(env, mount, &answer.size) &&
                    write(fd, &answer, sizeof answer) < 0)
                        return; /* nobody waits any more */
        }
}

static void send_reply(struct question *question)
{
        question->host->reply(question->call, question->reply);
        g_ptr_array_unref(question->selected);
        g_ptr_array_unref(question->mounts);
        g_free(question);
}

static void on_answers(const void *bytes, size_t len, void *data)
{
        struct question *question = data;
        const guint8 *p = bytes;
        struct answer answer;

        for (; len >= sizeof answer; len -= sizeof answer, p += sizeof answer) {
                json_t *entry;

                memcpy(&answer, p, sizeof answer);
                entry = json_array_get(question->reply, (size_t) answer.place);
                if (entry)
                        tn_fs_entry_set_size(entry, &answer.size);
        }
        send_reply(question);
}

void tn_fs_network_reply(struct tn_worker *worker, struct tenon_host *host, struct tenon_call *call,
                         GPtrArray *mounts, GPtrArray *selected, unsigned deadline_ms, json_t *reply)
{
        struct question *question = g_new(struct question, 1);

        *question = (struct question){
                .mounts = g_ptr_array_ref(mounts),
                .selected = g_ptr_array_ref(selected),
                .host = host,
                .call = call,
                .reply = reply,
        };
        if (!tn_worker_run(worker, ask, question, deadline_ms, on_answers, question, NULL))
                send_reply(question);
}
