/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * The table of findings. Adding one of a kind and id that is already there merges: the better source
 * stays, and so does the higher confidence; both pieces of evidence are told.
 */
#include "detect/finding.h"

#include <stdarg.h>
#include <string.h>

#define QUOTE_MAX    64U  /* bytes of a value that evidence quotes */
#define EVIDENCE_MAX 400U /* bytes of evidence; what comes later is left out */

static void finding_free(void *data)
{
        struct tn_finding *finding = data;

        g_free(finding->fact.id);
        g_free(finding->fact.evidence);
        g_free(finding);
}

void tn_finding_init(struct tn_findings *findings)
{
        *findings = (struct tn_findings){.array = g_ptr_array_new_with_free_func(finding_free)};
}

void tn_finding_deinit(struct tn_findings *findings)
{
        g_clear_pointer(&findings->array, g_ptr_array_unref);
}

struct tn_finding *tn_finding_find(const struct tn_findings *findings, enum tn_detect_kind kind,
                                   const char *id)
{
        for (unsigned i = 0; i < findings->array->len; i++) {
                struct tn_finding *finding = findings->array->pdata[i];

                if (finding->fact.kind == kind && g_str_equal(finding->fact.id, id))
                        return finding;
        }
        return NULL;
}

static void merge(struct tn_finding *finding, enum tn_source source, unsigned confidence,
                  const char *evidence)
{
        char *both;

        finding->source = MIN(finding->source, source);
        finding->fact.confidence = MAX(finding->fact.confidence, confidence);
        if (strlen(finding->fact.evidence) + strlen(evidence) > EVIDENCE_MAX)
                return;
        both = g_strdup_printf("%s; %s", finding->fact.evidence, evidence);
        g_free(finding->fact.evidence);
        finding->fact.evidence = both;
}

void tn_finding_add(struct tn_findings *findings, enum tn_detect_kind kind, enum tn_source source,
                    const char *id, unsigned confidence, const char *format, ...)
{
        struct tn_finding *finding = tn_finding_find(findings, kind, id);
        g_autofree char *evidence = NULL;
        va_list args;

        va_start(args, format);
        evidence = g_strdup_vprintf(format, args);
        va_end(args);
        if (finding) {
                merge(finding, source, confidence, evidence);
                return;
        }
        finding = g_new(struct tn_finding, 1);
        *finding = (struct tn_finding){
                .fact = {kind, g_strdup(id), confidence, g_steal_pointer(&evidence)},
                .source = source,
        };
        g_ptr_array_add(findings->array, finding);
}

void tn_finding_add_text(struct tn_findings *findings, enum tn_detect_kind kind, enum tn_source source,
                         const char *id, unsigned confidence, const struct tn_evidence *evidence,
                         enum tn_evidence_item item)
{
        g_autofree char *quoted = tn_finding_quote(tn_evidence_text(evidence, item),
                                                   tn_evidence_len(evidence, item));

        tn_finding_add(findings, kind, source, id, confidence, "/%s %s", tn_evidence_path(evidence, item),
                       quoted);
}

char *tn_finding_quote(const char *bytes, size_t len)
{
        GString *out = g_string_new("\"");

        while (len > 0 && bytes[len - 1] == '\0')
                len--;
        for (size_t i = 0; i < MIN(len, QUOTE_MAX); i++) {
                unsigned char c = (unsigned char) bytes[i];

                if (c == '"' || c == '\\')
                        g_string_append_printf(out, "\\%c", c);
                else if (g_ascii_isprint((char) c))
                        g_string_append_c(out, (char) c);
                else
                        g_string_append_printf(out, "\\x%02x", c);
        }
        g_string_append(out, len > QUOTE_MAX ? "…\"" : "\"");
        return g_string_free(out, FALSE);
}
