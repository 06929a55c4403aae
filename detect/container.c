/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * Containers, in systemd-detect-virt's order; what virt-what knows beyond it follows. The manager's own
 * word (a file in /run, container= of PID 1) is better than the traces it leaves, because an image can
 * carry a .dockerenv of the machine that it was made on.
 */
#include "detect/finding.h"

#include <string.h>

/* First inode numbers of proc's namespaces, include/linux/proc_ns.h: the machine's own. */
#define CGROUP_NS_INIT "cgroup:[4026531835]"
#define PID_NS_INIT    "pid:[4026531836]"

/* What managers call themselves. systemd's names, then virt-what's. */
static const struct {
        const char *said, *id;
} managers[] = {
        {"lxc", "lxc"},
        {"lxc-libvirt", "lxc-libvirt"},
        {"systemd-nspawn", "systemd-nspawn"},
        {"docker", "docker"},
        {"podman", "podman"},
        {"rkt", "rkt"},
        {"wsl", "wsl"},
        {"proot", "proot"},
        {"pouch", "pouch"},
        {"crio", "crio"},
};

/* Where a manager tells its name. */
static const enum tn_evidence_item names[] = {TN_HOST_CONTAINER_MANAGER, TN_SYSTEMD_CONTAINER,
                                              TN_PROC_1_ENVIRON};

static const struct {
        enum tn_evidence_item item;
        const char *id;
        enum tn_source source;
} traces[] = {
        {TN_CONTAINERENV, "podman", TN_SOURCE_CONTAINER},
        {TN_DOCKERENV, "docker", TN_SOURCE_CONTAINER}, /* last: it stays in images */
        {TN_DOCKERINIT, "docker", TN_SOURCE_CONTAINER_MORE},
};

/* What a control group's path of PID 1 or of ourselves says. */
static const struct {
        const char *marker, *id;
        bool init_only; /* a service of the host could be named so: believed of PID 1 only */
} groups[] = {
        {"/docker/", "docker"}, {"/docker-", "docker", true}, {"/libpod-", "podman"},
        {"/lxc/", "lxc"},       {"/lxc.payload", "lxc"},
};

static void add(struct tn_findings *findings, enum tn_source source, const char *id, unsigned confidence,
                const struct tn_evidence *evidence, enum tn_evidence_item item)
{
        if (*tn_evidence_text(evidence, item))
                tn_finding_add_text(findings, TN_DETECT_CONTAINER, source, id, confidence, evidence, item);
        else
                tn_finding_add(findings, TN_DETECT_CONTAINER, source, id, confidence, "/%s",
                               tn_evidence_path(evidence, item));
}

static bool judge_kernel(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        const char *release = tn_evidence_text(evidence, TN_PROC_OSRELEASE);

        if (tn_evidence_exists(evidence, TN_PROC_VZ) && !tn_evidence_exists(evidence, TN_PROC_BC))
                add(findings, TN_SOURCE_CONTAINER, "openvz", 90, evidence, TN_PROC_VZ);
        else if (strstr(release, "Microsoft") || strstr(release, "WSL"))
                add(findings, TN_SOURCE_CONTAINER, "wsl", 95, evidence, TN_PROC_OSRELEASE);
        else if (g_str_has_prefix(tn_evidence_text(evidence, TN_TRACER_COMM), "proot"))
                add(findings, TN_SOURCE_CONTAINER, "proot", 90, evidence, TN_TRACER_COMM);
        else
                return false;
        return true;
}

static bool judge_traces(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        for (size_t i = 0; i < G_N_ELEMENTS(traces); i++)
                if (tn_evidence_exists(evidence, traces[i].item)) {
                        add(findings, traces[i].source, traces[i].id, 85, evidence, traces[i].item);
                        return true;
                }
        return false;
}

/* "oci" is what images say of themselves, whoever runs them. */
static void judge_name(const struct tn_evidence *evidence, struct tn_findings *findings,
                       enum tn_evidence_item item, const char *name)
{
        for (size_t i = 0; i < G_N_ELEMENTS(managers); i++)
                if (g_str_equal(managers[i].said, name)) {
                        add(findings, TN_SOURCE_CONTAINER, managers[i].id, 95, evidence, item);
                        return;
                }
        if (g_str_equal(name, "zone") && strstr(tn_evidence_text(evidence, TN_PROC_VERSION), "BrandZ")) {
                add(findings, TN_SOURCE_CONTAINER, "illumos-lx", 95, evidence, item);
                return;
        }
        if (!g_str_equal(name, "oci") || !judge_traces(evidence, findings))
                add(findings, TN_SOURCE_CONTAINER, "container-other", 85, evidence, item);
        if (g_str_equal(name, "oci"))
                add(findings, TN_SOURCE_CONTAINER_NOTE, "oci", 70, evidence, item);
}

static bool judge_names(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        for (size_t i = 0; i < G_N_ELEMENTS(names); i++) {
                const char *name = tn_evidence_text(evidence, names[i]);

                if (g_str_has_prefix(name, "container="))
                        name += strlen("container=");
                if (*name) {
                        judge_name(evidence, findings, names[i], name);
                        return true;
                }
        }
        return false;
}

/* Not the machine's own namespaces. Kernels without such links are asked by what the control groups'
 * root directory has and others have not. */
static void judge_namespaces(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        const char *cgroup = tn_evidence_text(evidence, TN_NS_CGROUP),
                   *pid = tn_evidence_text(evidence, TN_NS_PID);

        if (*cgroup && !g_str_equal(cgroup, CGROUP_NS_INIT))
                add(findings, TN_SOURCE_CONTAINER, "container-other", 60, evidence, TN_NS_CGROUP);
        else if (*pid && !g_str_equal(pid, PID_NS_INIT))
                add(findings, TN_SOURCE_CONTAINER, "container-other", 60, evidence, TN_NS_PID);
        if (*cgroup)
                return;
        if (tn_evidence_exists(evidence, TN_CGROUP2_EVENTS) && tn_evidence_exists(evidence, TN_CGROUP2_TYPE))
                add(findings, TN_SOURCE_CONTAINER, "container-other", 60, evidence, TN_CGROUP2_TYPE);
        else if (!tn_evidence_exists(evidence, TN_CGROUP2) && tn_evidence_exists(evidence, TN_CGROUP1) &&
                 !tn_evidence_exists(evidence, TN_CGROUP1_RELEASE_AGENT))
                tn_finding_add(findings, TN_DETECT_CONTAINER, TN_SOURCE_CONTAINER, "container-other", 55,
                               "/sys/fs/cgroup/systemd has no release_agent");
}

static void judge_groups(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        static const enum tn_evidence_item items[] = {TN_PROC_1_CGROUP, TN_PROC_SELF_CGROUP};

        for (size_t i = 0; i < G_N_ELEMENTS(items); i++)
                for (size_t j = 0; j < G_N_ELEMENTS(groups); j++)
                        if (strstr(tn_evidence_text(evidence, items[i]), groups[j].marker) &&
                            (items[i] == TN_PROC_1_CGROUP || !groups[j].init_only))
                                add(findings, TN_SOURCE_CONTAINER_MORE, groups[j].id, 75, evidence,
                                    items[i]);
        if (strstr(tn_evidence_text(evidence, TN_PROC_1_CGROUP), "/kubepods") &&
            !tn_finding_find(findings, TN_DETECT_CONTAINER, "docker"))
                add(findings, TN_SOURCE_CONTAINER_MORE, "container-other", 70, evidence, TN_PROC_1_CGROUP);
}

/* What stands beside the manager: sandboxes that answer as a kernel, and Linux-VServer. */
static void judge_more(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        const char *version = tn_evidence_text(evidence, TN_PROC_VERSION);
        const char *vserver = strstr(tn_evidence_text(evidence, TN_PROC_STATUS), "VxID:");
        guint64 context = vserver ? g_ascii_strtoull(vserver + strlen("VxID:"), NULL, 10) : 0;

        if (strstr(version, "isor") || strstr(version, "Jan 10 15:06:54 PST 2016") ||
            strstr(tn_evidence_text(evidence, TN_PROC_OSRELEASE), "gvisor"))
                add(findings, TN_SOURCE_CONTAINER_MORE, "gvisor", 80, evidence,
                    *version ? TN_PROC_VERSION : TN_PROC_OSRELEASE);
        if (strstr(tn_evidence_text(evidence, TN_PROC_CMDLINE), "kata-containers.target"))
                add(findings, TN_SOURCE_CONTAINER_NOTE, "kata", 80, evidence, TN_PROC_CMDLINE);
        if (context > 0) {
                add(findings, TN_SOURCE_CONTAINER_MORE, "linux_vserver", 90, evidence, TN_PROC_STATUS);
                add(findings, TN_SOURCE_CONTAINER_NOTE, "linux_vserver-guest", 90, evidence, TN_PROC_STATUS);
        } else if (vserver)
                tn_finding_add_text(findings, TN_DETECT_HOST, TN_SOURCE_OTHER, "linux_vserver-host", 90,
                                    evidence, TN_PROC_STATUS);
}

void tn_container_judge(const struct tn_evidence *evidence, struct tn_findings *findings)
{
        bool found = judge_kernel(evidence, findings) || judge_names(evidence, findings) ||
                     judge_traces(evidence, findings);

        judge_groups(evidence, findings);
        judge_more(evidence, findings);
        if (!found && findings->array->len == 0)
                judge_namespaces(evidence, findings);
}
