/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Copyright (C) 2026 the Tenon developers */

/* The board of facts. Subscribers are called in the order in which they came, from tn_facts_set(). */
#include "agent/facts.h"

#include "lib/error.h"

struct fact {
        char *owner;
        json_t *value;
};

struct subscriber {
        tn_facts_func func;
        void *data;
};

struct tn_facts {
        GTree *facts; /* name → struct fact; a tree, so that listings are sorted */
        GArray *subscribers;
};

static int compare(gconstpointer a, gconstpointer b, void *data)
{
        return g_strcmp0(a, b);
}

static void fact_free(void *data)
{
        struct fact *fact = data;

        g_free(fact->owner);
        json_decref(fact->value);
        g_free(fact);
}

static void announce(struct tn_facts *facts, const char *name, const json_t *value)
{
        for (guint i = 0; i < facts->subscribers->len; i++) {
                struct subscriber *s = &g_array_index(facts->subscribers, struct subscriber, i);

                s->func(name, value, s->data);
        }
}

struct tn_facts *tn_facts_new(void)
{
        struct tn_facts *facts = g_new0(struct tn_facts, 1);

        facts->facts = g_tree_new_full(compare, NULL, g_free, fact_free);
        facts->subscribers = g_array_new(FALSE, FALSE, sizeof(struct subscriber));
        return facts;
}

void tn_facts_free(struct tn_facts *facts)
{
        if (!facts)
                return;
        g_tree_destroy(facts->facts);
        g_array_free(facts->subscribers, TRUE);
        g_free(facts);
}

static void fact_remove(struct tn_facts *facts, const char *name)
{
        g_autofree char *copy = g_strdup(name); /* @name may be the key itself */

        if (g_tree_remove(facts->facts, copy))
                announce(facts, copy, NULL);
}

bool tn_facts_set(struct tn_facts *facts, const char *owner, const char *name, json_t *value, GError **error)
{
        struct fact *fact = g_tree_lookup(facts->facts, name);

        if (fact && g_strcmp0(fact->owner, owner) != 0) {
                json_decref(value);
                return tn_error_set(error, TN_ERROR_DENIED, "fact '%s' belongs to %s, not to %s", name,
                                    fact->owner, owner);
        }
        if (!value) {
                fact_remove(facts, name);
                return true;
        }
        if (fact && json_equal(fact->value, value)) {
                json_decref(value);
                return true;
        }
        fact = g_new0(struct fact, 1);
        fact->owner = g_strdup(owner);
        fact->value = value;
        g_tree_insert(facts->facts, g_strdup(name), fact);
        announce(facts, name, value);
        return true;
}

json_t *tn_facts_get(const struct tn_facts *facts, const char *name)
{
        struct fact *fact = g_tree_lookup(facts->facts, name);

        return fact ? fact->value : NULL;
}

struct owned {
        const char *owner;
        GPtrArray *names;
};

static gboolean collect_owned(void *name, void *value, void *data)
{
        const struct fact *fact = value;
        struct owned *owned = data;

        if (g_strcmp0(fact->owner, owned->owner) == 0)
                g_ptr_array_add(owned->names, name);
        return FALSE;
}

void tn_facts_drop_owner(struct tn_facts *facts, const char *owner)
{
        g_autoptr(GPtrArray) names = g_ptr_array_new();
        struct owned owned = {owner, names};

        g_tree_foreach(facts->facts, collect_owned, &owned);
        for (guint i = 0; i < names->len; i++)
                fact_remove(facts, g_ptr_array_index(names, i));
}

static gboolean add_to_object(void *name, void *value, void *data)
{
        const struct fact *fact = value;

        json_object_set(data, name, fact->value);
        return FALSE;
}

json_t *tn_facts_to_json(const struct tn_facts *facts)
{
        json_t *object = json_object();

        g_tree_foreach(facts->facts, add_to_object, object);
        return object;
}

void tn_facts_subscribe(struct tn_facts *facts, tn_facts_func func, void *data)
{
        struct subscriber s = {func, data};

        g_array_append_val(facts->subscribers, s);
}

void tn_facts_unsubscribe(struct tn_facts *facts, tn_facts_func func, void *data)
{
        for (guint i = facts->subscribers->len; i-- > 0;) {
                const struct subscriber *s = &g_array_index(facts->subscribers, struct subscriber, i);

                if (s->func == func && s->data == data)
                        g_array_remove_index(facts->subscribers, i);
        }
}
