/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/*
 * An agent starts once and then waits for days. What the start alone has touched (the linker's tables, the
 * parsers of the configuration, all of the detection) would count as this process' working set for ever, and
 * a page that somebody maps is among the last that the kernel takes for others.
 *
 * Heap: malloc_trim() gives free memory back. Program and libraries: the pages of segments that cannot be
 * written are unmapped. That frees nothing at once: they stay in the page cache, where the kernel takes them
 * when it needs room, and a page that is touched again is mapped again, from there, in a microsecond or
 * less. Segments that can be written, and those that the linker has made read-only after it wrote them
 * (RELRO), are copies that exist nowhere else, and are not touched.
 */
#define _GNU_SOURCE
#include "lib/rest.h"

#include <link.h>
#include <malloc.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* A module whose read-only text the linker had to change, on old 32-bit systems, is a copy as a whole. */
static bool has_text_relocations(const struct dl_phdr_info *module)
{
        for (unsigned i = 0; i < module->dlpi_phnum; i++) {
                const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
                const ElfW(Dyn) *entry = (const void *) (module->dlpi_addr + segment->p_vaddr);

                if (segment->p_type != PT_DYNAMIC)
                        continue;
                for (; entry->d_tag != DT_NULL; entry++)
                        if (entry->d_tag == DT_TEXTREL ||
                            (entry->d_tag == DT_FLAGS && (entry->d_un.d_val & DF_TEXTREL)))
                                return true;
        }
        return false;
}

static int let_go(struct dl_phdr_info *module, size_t size, void *data)
{
        const uintptr_t page = (uintptr_t) sysconf(_SC_PAGESIZE);

        (void) size;
        (void) data;
        if (has_text_relocations(module))
                return 0;
        for (unsigned i = 0; i < module->dlpi_phnum; i++) {
                const ElfW(Phdr) *segment = &module->dlpi_phdr[i];
                uintptr_t start = module->dlpi_addr + segment->p_vaddr;
                uintptr_t first = start & ~(page - 1);

                if (segment->p_type == PT_LOAD && !(segment->p_flags & PF_W))
                        (void) madvise((void *) first, start + segment->p_memsz - first, MADV_DONTNEED);
        }
        return 0;
}

void tn_rest(void)
{
        (void) malloc_trim(0);
        (void) dl_iterate_phdr(let_go, NULL);
}
