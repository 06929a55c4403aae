/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The conclusion: which finding is the primary, and what becomes of those that it overrules. A finding
 * that merely shows somebody else's interface goes (Hyper-V's in KVM, KVM's in VirtualBox); what firmware
 * says beside a better source becomes a firmware fact (QEMU's machine model below KVM).
 */
#include "detect/detect.h"

#include <string.h>

#include "detect/finding.h"
#include "lib/json.h"

struct tn_detect {
        GPtrArray *facts; /* of struct tn_detect_fact, owned; the primary first */
        bool has_primary;
};

static const char *const kind_names[_TN_DETECT_KIND_MAX] = {
        [TN_DETECT_HYPERVISOR] = "hypervisor",
        [TN_DETECT_CONTAINER] = "container",
        [TN_DETECT_CLOUD] = "cloud",
        [TN_DETECT_FIRMWARE] = "firmware",
        [TN_DETECT_CONFIDENTIAL] = "confidential",
        [TN_DETECT_HOST] = "host",
};

/* VMMs that use KVM's interface without being a KVM guest in their users' eyes. */
static const char *const kvm_users[] = {"oracle", "parallels", NULL};

static void fact_free(void *data)
{
        struct tn_detect_fact *fact = data;

        g_free(fact->id);
        g_free(fact->evidence);
        g_free(fact);
}

/* Below a host (dom0, a root partition) another hypervisor counts only where it cannot be the host's own. */
static bool eligible(const struct tn_findings *findings, const struct tn_finding *finding)
{
        if (finding->fact.kind != TN_DETECT_HYPERVISOR || finding->source >= TN_SOURCE_DETAIL)
                return false;
        if (!findings->host)
                return true;
        return (finding->source == TN_SOURCE_DMI_STRONG || finding->source == TN_SOURCE_UML ||
                finding->source == TN_SOURCE_CPUID) &&
               !tn_finding_find(findings, TN_DETECT_HOST, finding->fact.id);
}

static struct tn_finding *choose_hypervisor(const struct tn_findings *findings)
{
        struct tn_finding *best = NULL;

        for (unsigned i = 0; i < findings->array->len; i++) {
                struct tn_finding *finding = findings->array->pdata[i];

                if (eligible(findings, finding) && (!best || finding->source < best->source))
                        best = finding;
        }
        return best;
}

static struct tn_finding *choose_container(const struct tn_findings *findings)
{
        struct tn_finding *best = NULL;

        for (unsigned i = 0; i < findings->array->len; i++) {
                struct tn_finding *finding = findings->array->pdata[i];

                if (finding->fact.kind == TN_DETECT_CONTAINER &&
                    finding->source < TN_SOURCE_CONTAINER_NOTE && (!best || finding->source < best->source))
                        best = finding;
        }
        return best;
}

/* What becomes of a hypervisor finding beside @chosen, which is NULL on hosts and bare metal. Returns
 * false when the finding goes; may turn it into a firmware fact. */
static bool settle(struct tn_finding *finding, const struct tn_finding *chosen, bool host)
{
        const char *id = finding->fact.id;

        if (finding == chosen)
                return true;
        if (chosen && g_str_equal(id, "kvm") && g_strv_contains(kvm_users, chosen->fact.id))
                return false;
        switch (finding->source) {
        case TN_SOURCE_DMI:
        case TN_SOURCE_ACPI:
        case TN_SOURCE_DEVICE_TREE:
                finding->fact.kind = TN_DETECT_FIRMWARE;
                return true;
        case TN_SOURCE_HYPERV:
                return chosen && chosen->source == TN_SOURCE_UML;
        case TN_SOURCE_UNKNOWN:
        case TN_SOURCE_IMPLIED:
        case TN_SOURCE_BIT:
                return false;
        default:
                return !host;
        }
}

static void take(struct tn_detect *detect, const struct tn_finding *finding)
{
        struct tn_detect_fact *fact = g_new(struct tn_detect_fact, 1);

        *fact = (struct tn_detect_fact){
                .kind = finding->fact.kind,
                .id = g_strdup(finding->fact.id),
                .confidence = finding->fact.confidence,
                .evidence = g_strdup(finding->fact.evidence),
        };
        g_ptr_array_add(detect->facts, fact);
}

static struct tn_detect *conclude(const struct tn_findings *findings)
{
        struct tn_detect *detect = g_new0(struct tn_detect, 1);
        struct tn_finding *chosen = choose_hypervisor(findings), *container = choose_container(findings);
        struct tn_finding *primary = container ?: chosen;

        detect->facts = g_ptr_array_new_with_free_func(fact_free);
        detect->has_primary = primary != NULL;
        if (primary)
                take(detect, primary);
        if (chosen && chosen != primary)
                take(detect, chosen);
        for (unsigned i = 0; i < findings->array->len; i++) {
                struct tn_finding *finding = findings->array->pdata[i];

                if (finding == primary || finding == chosen)
                        continue;
                if (finding->fact.kind == TN_DETECT_HYPERVISOR && !settle(finding, chosen, findings->host))
                        continue;
                /* A firmware fact that is there already, from a source of its own, stays the only one. */
                if (!tn_detect_find(detect, finding->fact.kind, finding->fact.id))
                        take(detect, finding);
        }
        return detect;
}

/* The order matters where a judge asks what was found before it: CPUID before DMI (Google on x86), both
 * before the VMMs, all before the confidential guests. */
struct tn_detect *tn_detect_run(const struct tn_env *env)
{
        g_autoptr(tn_evidence_t) evidence = tn_evidence_load(env);
        struct tn_findings findings;
        struct tn_detect *detect;

        tn_finding_init(&findings);
        tn_container_judge(evidence, &findings);
        tn_cpuid_judge(evidence, &findings);
        tn_xen_judge(evidence, &findings);
        tn_dmi_judge(evidence, &findings);
        tn_devicetree_judge(evidence, &findings);
        tn_platform_judge(evidence, &findings);
        tn_cloud_judge(evidence, &findings);
        tn_vmm_judge(evidence, &findings);
        tn_confidential_judge(evidence, &findings);
        detect = conclude(&findings);
        tn_finding_deinit(&findings);
        return detect;
}

void tn_detect_free(struct tn_detect *detect)
{
        if (!detect)
                return;
        g_ptr_array_unref(detect->facts);
        g_free(detect);
}

const struct tn_detect_fact *tn_detect_primary(const struct tn_detect *detect)
{
        return detect->has_primary ? detect->facts->pdata[0] : NULL;
}

bool tn_detect_virtual(const struct tn_detect *detect)
{
        return detect->has_primary;
}

const struct tn_detect_fact *tn_detect_fact(const struct tn_detect *detect, size_t index)
{
        return index < detect->facts->len ? detect->facts->pdata[index] : NULL;
}

const struct tn_detect_fact *tn_detect_find(const struct tn_detect *detect, enum tn_detect_kind kind,
                                            const char *id)
{
        const struct tn_detect_fact *fact;

        for (size_t i = 0; (fact = tn_detect_fact(detect, i)); i++)
                if (fact->kind == kind && g_str_equal(fact->id, id))
                        return fact;
        return NULL;
}

const char *tn_detect_kind_name(enum tn_detect_kind kind)
{
        return kind_names[kind];
}

static json_t *fact_to_json(const struct tn_detect_fact *fact, bool brief)
{
        json_t *object = json_object();

        json_object_set_new(object, "kind", json_string(kind_names[fact->kind]));
        json_object_set_new(object, "id", tn_json_text(fact->id));
        if (brief)
                return object;
        json_object_set_new(object, "confidence", json_integer(fact->confidence));
        json_object_set_new(object, "evidence", tn_json_text(fact->evidence));
        return object;
}

json_t *tn_detect_to_json(const struct tn_detect *detect)
{
        const struct tn_detect_fact *primary = tn_detect_primary(detect), *fact;
        json_t *object = json_object(), *facts = json_array();

        for (size_t i = 0; (fact = tn_detect_fact(detect, i)); i++)
                json_array_append_new(facts, fact_to_json(fact, false));
        json_object_set_new(object, "primary", primary ? fact_to_json(primary, true) : json_null());
        json_object_set_new(object, "virtual", json_boolean(tn_detect_virtual(detect)));
        json_object_set_new(object, "facts", facts);
        return object;
}
