/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The health of all NVMe drives is asked in one copy of this process, drive after drive; each answer is
 * written out at once, so that a drive that hangs costs only itself and those behind it.
 */
#include "plugins/guestinfo/smart.h"

#include <string.h>
#include <unistd.h>

#include "lib/worker.h"
#include "plugins/guestinfo/block.h"
#include "plugins/guestinfo/nvme.h"

#define DEADLINE_MS 2000
#define DRIVES_MAX  128

struct tn_smart {
        GPtrArray *controllers; /* names, one for each of @entries */
        GPtrArray *entries;     /* json_t, borrowed from @reply */
        struct tenon_host *host;
        struct tenon_call *call;
        json_t *reply;
};

/* What the copy writes; smaller than PIPE_BUF, so never in pieces of two drives. */
struct answer {
        guint32 place; /* in controllers */
        guint8 page[TN_NVME_PAGE_BYTES];
};

struct tn_smart *tn_smart_new(void)
{
        struct tn_smart *smart = g_new0(struct tn_smart, 1);

        smart->controllers = g_ptr_array_new_with_free_func(g_free);
        smart->entries = g_ptr_array_new();
        return smart;
}

void tn_smart_free(struct tn_smart *smart)
{
        if (!smart)
                return;
        g_ptr_array_unref(smart->controllers);
        g_ptr_array_unref(smart->entries);
        g_free(smart);
}

void tn_smart_want(struct tn_smart *smart, const struct tn_env *env, const char *syspath, json_t *entry)
{
        g_autofree char *controller = tn_block_nvme_controller(env, syspath);
        g_autofree char *node = controller ? g_strconcat("dev/", controller, NULL) : NULL;

        if (env->recorded || !node || smart->entries->len >= DRIVES_MAX || !tn_env_exists(env, node))
                return;
        g_ptr_array_add(smart->controllers, g_steal_pointer(&controller));
        g_ptr_array_add(smart->entries, entry);
}

static void ask(const struct tn_env *env, const void *job, int fd)
{
        const struct tn_smart *smart = job;

        for (guint i = 0; i < smart->controllers->len; i++) {
                struct answer answer = {.place = i};

                if (tn_nvme_read_page(env, smart->controllers->pdata[i], answer.page) &&
                    write(fd, &answer, sizeof answer) < 0)
                        return; /* nobody waits any more */
        }
}

static void on_answers(const void *bytes, size_t len, void *data)
{
        struct tn_smart *smart = data;
        const guint8 *p = bytes;
        struct answer answer;

        for (; len >= sizeof answer; len -= sizeof answer, p += sizeof answer) {
                memcpy(&answer, p, sizeof answer);
                if (answer.place < smart->entries->len)
                        (void) json_object_set_new(smart->entries->pdata[answer.place], "smart",
                                                   tn_nvme_smart_json(answer.page));
        }
        smart->host->reply(smart->call, smart->reply);
        tn_smart_free(smart);
}

void tn_smart_reply(struct tn_smart *smart, struct tn_worker *worker, struct tenon_host *host,
                    struct tenon_call *call, json_t *reply)
{
        smart->host = host;
        smart->call = call;
        smart->reply = reply;
        if (worker && smart->entries->len > 0 &&
            tn_worker_run(worker, ask, smart, DEADLINE_MS, on_answers, smart, NULL))
                return;
        host->reply(call, reply);
        tn_smart_free(smart);
}
