/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The list of evidence and how it is loaded. The surprising thing: regular files are insisted on below
 * a recorded root (a recording with a fifo or a device node in it must neither block nor reach a device),
 * and reading stops at each item's limit, because /proc/cpuinfo of a big machine takes its time.
 */
#define _GNU_SOURCE
#include "detect/evidence.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "detect/paths.h"
#include "lib/fd.h"

#define SMALL  TN_PATHS_SMALL
#define LEAVES 32

struct item {
        char *path;
        enum tn_evidence_form form;
        char *text; /* NULL: nothing */
        size_t len;
};

struct tn_evidence {
        char *machine;
        struct item items[_TN_EVIDENCE_MAX];
        struct {
                uint32_t leaf;
                struct tn_cpuid regs;
        } leaves[LEAVES];
        size_t n_leaves;
};

/* The file's first @limit bytes, or NULL. */
static char *read_head(const struct tn_env *env, const char *path, size_t limit, size_t *ret_len)
{
        g_autofree char *buffer = NULL;
        size_t size = MIN(limit, SMALL), used = 0;
        tn_autofd int fd = -1;
        struct stat st;

        if (env->recorded) {
                tn_autofd int peek = tn_env_open(env, path, O_PATH, NULL);

                if (peek < 0 || fstat(peek, &st) < 0 || !S_ISREG(st.st_mode))
                        return NULL;
        }
        fd = tn_env_open(env, path, O_RDONLY | O_NOCTTY | O_NONBLOCK, NULL);
        if (fd < 0)
                return NULL;
        buffer = g_malloc(size + 1);
        while (used < limit) {
                ssize_t n = read(fd, buffer + used, size - used);

                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return NULL;
                if (n == 0)
                        break;
                used += (size_t) n;
                if (used == size && size < limit)
                        buffer = g_realloc(buffer, (size = MIN(size * 4, limit)) + 1);
        }
        buffer[used] = '\0';
        *ret_len = used;
        return g_steal_pointer(&buffer);
}

static void load_file(const struct tn_env *env, const struct tn_path_row *row, size_t limit,
                      struct item *item)
{
        g_autofree char *data = NULL;
        size_t len = 0;

        data = read_head(env, item->path, limit, &len);
        if (!data)
                return;
        item->form = TN_EVIDENCE_FILE;
        item->text = row->filter(data, len);
        if (item->text)
                item->len = row->filter == tn_filter_bytes ? len : strlen(item->text);
}

static void load_names(const struct tn_env *env, const struct tn_path_row *row, struct item *item)
{
        g_auto(GStrv) names = tn_env_list(env, item->path);
        GString *kept;

        if (!names)
                return;
        kept = g_string_new(NULL);
        for (char **name = names; *name; name++)
                for (const char *const *pattern = row->names; *pattern; pattern++)
                        if (fnmatch(*pattern, *name, 0) == 0 && !strchr(*name, '\n')) {
                                g_string_append_printf(kept, "%s%s", kept->len ? "\n" : "", *name);
                                break;
                        }
        item->form = TN_EVIDENCE_DIRECTORY;
        item->len = kept->len;
        item->text = g_string_free(kept, FALSE);
}

static void load_existence(const struct tn_env *env, struct item *item)
{
        tn_autofd int fd = tn_env_open(env, item->path, O_PATH, NULL);
        struct stat st;

        if (fd >= 0 && fstat(fd, &st) == 0)
                item->form = S_ISDIR(st.st_mode) ? TN_EVIDENCE_DIRECTORY : TN_EVIDENCE_FILE;
}

static void load_item(const struct tn_env *env, enum tn_evidence_item which, struct item *item)
{
        const struct tn_path_row *row = &tn_paths[which];
        size_t limit = row->limit;

        /* x86 repeats itself for each CPU; others speak of the machine at the end. */
        if (which == TN_PROC_CPUINFO && g_str_has_suffix(env->machine, "86"))
                limit = 2 * SMALL;
        if (which == TN_PROC_CPUINFO && g_str_equal(env->machine, "x86_64"))
                limit = 2 * SMALL;
        if (row->names)
                load_names(env, row, item);
        else if (row->filter)
                load_file(env, row, limit, item);
        else if (row->link) {
                item->text = tn_env_readlink(env, item->path);
                item->len = item->text ? strlen(item->text) : 0;
                item->form = item->text ? TN_EVIDENCE_LINK : TN_EVIDENCE_MISSING;
        } else
                load_existence(env, item);
}

/* The kernel has it in sysfs, and proc/device-tree is a link to there; a recording may have either. */
static const char *device_tree(const struct tn_env *env)
{
        static const char *const places[] = {"proc/device-tree", "sys/firmware/devicetree/base"};

        return !tn_env_exists(env, places[0]) && tn_env_exists(env, places[1]) ? places[1] : places[0];
}

static char *item_path(const struct tn_evidence *evidence, enum tn_evidence_item which, const char *tree)
{
        const char *path = tn_paths[which].path;
        const char *tracer;

        if (which == TN_TRACER_COMM) {
                tracer = strstr(tn_evidence_text(evidence, TN_PROC_STATUS), "TracerPid:");
                return g_strdup_printf("proc/%d/comm", tracer ? atoi(tracer + strlen("TracerPid:")) : 0);
        }
        if (path[0] == '@')
                return path[1] ? g_strdup_printf("%s/%s", tree, path + 1) : g_strdup(tree);
        return g_strdup(path);
}

static bool load_leaf(struct tn_evidence *evidence, const struct tn_env *env, uint32_t leaf,
                      struct tn_cpuid *ret)
{
        struct tn_cpuid regs;

        if (evidence->n_leaves == LEAVES || !env->cpuid(env, leaf, 0, &regs))
                return false;
        evidence->leaves[evidence->n_leaves].leaf = leaf;
        evidence->leaves[evidence->n_leaves++].regs = regs;
        *ret = regs;
        return true;
}

/* SEV_STATUS: from the msr device where root may read it (a recording may have a sparse file there), else
 * from the leaves of a recording. */
static void load_sev_status(struct tn_evidence *evidence, const struct tn_env *env)
{
        tn_autofd int peek = tn_env_open(env, "dev/cpu/0/msr", O_PATH, NULL), fd = -1;
        struct tn_cpuid regs;
        struct stat st;
        uint64_t value;

        if (peek >= 0 && (!env->recorded || (fstat(peek, &st) == 0 && S_ISREG(st.st_mode))))
                fd = tn_env_open(env, "dev/cpu/0/msr", O_RDONLY, NULL);
        if (fd < 0 || pread(fd, &value, sizeof value, TN_CPUID_MSR_SEV_STATUS) != sizeof value) {
                if (env->recorded)
                        (void) load_leaf(evidence, env, TN_CPUID_MSR_SEV_STATUS, &regs);
                return;
        }
        evidence->leaves[evidence->n_leaves].leaf = TN_CPUID_MSR_SEV_STATUS;
        evidence->leaves[evidence->n_leaves++].regs = (struct tn_cpuid){.eax = (uint32_t) value,
                                                                        .edx = (uint32_t) (value >> 32)};
}

/* Without the hypervisor bit, the hypervisor's leaves hold anything: Intel answers with its last leaf. A
 * recording may lack leaves 0 and 1; then what it has is looked at. */
static void load_cpuid(struct tn_evidence *evidence, const struct tn_env *env)
{
        static const uint32_t hyperv[] = {0x40000001, 0x40000003, 0x4000000C};
        struct tn_cpuid base = {.eax = UINT32_MAX}, features = {.ecx = UINT32_MAX}, regs;

        (void) load_leaf(evidence, env, 0, &base);
        (void) load_leaf(evidence, env, 1, &features);
        if (!(features.ecx >> 31))
                return;
        for (uint32_t leaf = 0x40000000; leaf <= 0x40000F00; leaf += 0x100)
                (void) load_leaf(evidence, env, leaf, &regs);
        for (size_t i = 0; i < G_N_ELEMENTS(hyperv); i++)
                (void) load_leaf(evidence, env, hyperv[i], &regs);
        if (base.eax >= 0x21)
                (void) load_leaf(evidence, env, 0x21, &regs);
        regs.eax = UINT32_MAX;
        (void) load_leaf(evidence, env, 0x80000000, &regs);
        if (regs.eax >= 0x8000001F && load_leaf(evidence, env, 0x8000001F, &regs) && (regs.eax & 2))
                load_sev_status(evidence, env);
}

struct tn_evidence *tn_evidence_load(const struct tn_env *env)
{
        struct tn_evidence *evidence = g_new0(struct tn_evidence, 1);
        const char *tree = device_tree(env);

        evidence->machine = g_strdup(env->machine);
        for (unsigned i = 0; i < _TN_EVIDENCE_MAX; i++) {
                evidence->items[i].path = item_path(evidence, i, tree);
                load_item(env, i, &evidence->items[i]);
        }
        load_cpuid(evidence, env);
        return evidence;
}

void tn_evidence_free(struct tn_evidence *evidence)
{
        if (!evidence)
                return;
        for (unsigned i = 0; i < _TN_EVIDENCE_MAX; i++) {
                g_free(evidence->items[i].path);
                g_free(evidence->items[i].text);
        }
        g_free(evidence->machine);
        g_free(evidence);
}

const char *tn_evidence_machine(const struct tn_evidence *evidence)
{
        return evidence->machine;
}

bool tn_evidence_is_x86(const struct tn_evidence *evidence)
{
        const char *m = evidence->machine;

        return evidence->n_leaves > 0 || g_str_equal(m, "x86_64") ||
               (m[0] == 'i' && m[1] && g_str_has_suffix(m, "86"));
}

const char *tn_evidence_path(const struct tn_evidence *evidence, enum tn_evidence_item item)
{
        return evidence->items[item].path;
}

enum tn_evidence_form tn_evidence_form(const struct tn_evidence *evidence, enum tn_evidence_item item)
{
        return evidence->items[item].form;
}

const char *tn_evidence_text(const struct tn_evidence *evidence, enum tn_evidence_item item)
{
        return evidence->items[item].text ?: "";
}

size_t tn_evidence_len(const struct tn_evidence *evidence, enum tn_evidence_item item)
{
        return evidence->items[item].len;
}

bool tn_evidence_cpuid(const struct tn_evidence *evidence, uint32_t leaf, struct tn_cpuid *ret)
{
        for (size_t i = 0; i < evidence->n_leaves; i++)
                if (evidence->leaves[i].leaf == leaf) {
                        *ret = evidence->leaves[i].regs;
                        return true;
                }
        return false;
}

bool tn_evidence_cpuid_at(const struct tn_evidence *evidence, size_t index, uint32_t *ret_leaf,
                          struct tn_cpuid *ret)
{
        if (index >= evidence->n_leaves)
                return false;
        *ret_leaf = evidence->leaves[index].leaf;
        *ret = evidence->leaves[index].regs;
        return true;
}
