/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* What depmod knows (modules.dep), and what only the catalogue knows: a virtio disk needs its bus's driver.
 */
#include "pvdrivers/chain.h"

static void add_once(GPtrArray *chain, const char *name)
{
        char *module = tn_kernel_module_name(name);

        if (g_ptr_array_find_with_equal_func(chain, module, g_str_equal, NULL))
                g_free(module);
        else
                g_ptr_array_add(chain, module);
}

static void add_module(GPtrArray *chain, struct tn_kernel *kernel, const char *name)
{
        g_auto(GStrv) needs = tn_kernel_module_dependencies(kernel, name);

        for (guint i = g_strv_length(needs); i > 0; i--) /* modules.dep has what loads first at the end */
                add_once(chain, needs[i - 1]);
        add_once(chain, name);
}

GPtrArray *tn_chain_of_module(struct tn_kernel *kernel, const char *module)
{
        GPtrArray *chain = g_ptr_array_new_with_free_func(g_free);

        add_module(chain, kernel, module);
        return chain;
}

GPtrArray *tn_chain_of_driver(struct tn_kernel *kernel, const struct tn_pv_driver *driver)
{
        GPtrArray *chain = g_ptr_array_new_with_free_func(g_free);
        g_auto(GStrv) needs = g_strsplit(driver->needs ? driver->needs : "", " ", -1);

        for (size_t i = 0; needs[i]; i++)
                if (*needs[i])
                        add_module(chain, kernel, needs[i]);
        add_module(chain, kernel, driver->module);
        return chain;
}
