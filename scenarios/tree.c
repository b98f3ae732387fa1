#include "scenarios/tree.h"

#include <string.h>

#include "scenarios/tree_nodes.h"
#include "sim/base.h"

#define NODES_PER_CHUNK 256
/* Maps with more entries than this get a hash table. */
#define LINEAR_ENTRIES_MAX 8
#define TEXT_CHUNK_SIZE 4096

/* ---- making a tree --------------------------------------------------------------------------- */

static void free_index(gpointer index)
{
    g_hash_table_destroy(index);
}

CmkTree *cmk_tree_new(void)
{
    CmkTree *tree = g_new0(CmkTree, 1);
    tree->chunks = g_ptr_array_new_with_free_func(g_free);
    tree->indexes = g_ptr_array_new_with_free_func(free_index);
    tree->texts = g_string_chunk_new(TEXT_CHUNK_SIZE);
    return tree;
}

void cmk_tree_free(CmkTree *tree)
{
    if (tree == NULL)
        return;
    g_ptr_array_unref(tree->indexes);
    g_ptr_array_unref(tree->chunks);
    g_string_chunk_free(tree->texts);
    g_free(tree);
}

static CmkNode *new_node(CmkTree *tree)
{
    const uint32_t slot = tree->count % NODES_PER_CHUNK;
    if (slot == 0)
        g_ptr_array_add(tree->chunks, g_new0(CmkNode, NODES_PER_CHUNK));
    CmkNode *chunk = g_ptr_array_index(tree->chunks, tree->chunks->len - 1);
    tree->count++;
    return &chunk[slot];
}

/* Makes the entries of a map findable by hash from now on. */
static void index_map(CmkTree *tree, CmkNode *map)
{
    CMK_ASSERT(map->index == NULL);
    map->index = g_hash_table_new(g_str_hash, g_str_equal);
    g_ptr_array_add(tree->indexes, map->index);
    for (CmkNode *entry = map->first; entry != NULL; entry = entry->next)
        g_hash_table_insert(map->index, (gpointer)(uintptr_t)entry->key, entry);
}

CmkNode *cmk_tree_add(CmkTree *tree, CmkNode *parent, CmkNodeKind kind, CmkPosition at,
                      const char *key, CmkPosition key_at)
{
    CmkNode *node = new_node(tree);
    *node = (CmkNode){.parent = parent, .kind = kind, .at = at, .key = key, .key_at = key_at};
    if (parent == NULL) {
        tree->root = node;
        return node;
    }
    CMK_ASSERT((key != NULL) == (parent->kind == CMK_NODE_MAP));
    if (parent->last == NULL)
        parent->first = node;
    else
        parent->last->next = node;
    parent->last = node;
    parent->count++;
    if (parent->index != NULL)
        g_hash_table_insert(parent->index, (gpointer)(uintptr_t)key, node);
    else if (parent->kind == CMK_NODE_MAP && parent->count > LINEAR_ENTRIES_MAX)
        index_map(tree, parent);
    return node;
}

const char *cmk_tree_keep_text(CmkTree *tree, const char *text, size_t size_bytes)
{
    return g_string_chunk_insert_len(tree->texts, text, (gssize)size_bytes);
}

/* ---- reading it ------------------------------------------------------------------------------ */

const CmkNode *cmk_tree_root(const CmkTree *tree)
{
    CMK_ASSERT(tree->root != NULL);
    return tree->root;
}

uint32_t cmk_tree_count(const CmkTree *tree)
{
    return tree->count;
}

CmkNodeKind cmk_node_kind(const CmkNode *node)
{
    return node->kind;
}

const char *cmk_node_kind_text(const CmkNode *node)
{
    static const char *const texts[] = {
        [CMK_NODE_SCALAR] = "a text",
        [CMK_NODE_SEQUENCE] = "a list",
        [CMK_NODE_MAP] = "a map",
    };
    _Static_assert(CMK_ARRAY_LEN(texts) == CMK_NODE_KIND__COUNT, "each kind has its words");
    return texts[node->kind];
}

CmkPosition cmk_node_position(const CmkNode *node)
{
    return node->at;
}

const char *cmk_node_text(const CmkNode *scalar)
{
    CMK_ASSERT(scalar->kind == CMK_NODE_SCALAR);
    CMK_ASSERT(scalar->text != NULL);
    return scalar->text;
}

bool cmk_node_is_quoted(const CmkNode *scalar)
{
    CMK_ASSERT(scalar->kind == CMK_NODE_SCALAR);
    return scalar->is_quoted;
}

bool cmk_node_is_absent(const CmkNode *node)
{
    return node->kind == CMK_NODE_SCALAR && !node->is_quoted && node->text[0] == '\0';
}

uint32_t cmk_node_count(const CmkNode *node)
{
    return node->count;
}

const CmkNode *cmk_node_first(const CmkNode *node)
{
    return node->first;
}

const CmkNode *cmk_node_next(const CmkNode *node)
{
    return node->next;
}

const CmkNode *cmk_node_parent(const CmkNode *node)
{
    return node->parent;
}

const char *cmk_node_key(const CmkNode *value)
{
    return value->key;
}

CmkPosition cmk_node_key_position(const CmkNode *value)
{
    return value->key_at;
}

const CmkNode *cmk_node_get(const CmkNode *map, const char *key)
{
    CMK_ASSERT(key != NULL);
    if (map->kind != CMK_NODE_MAP)
        return NULL;
    if (map->index != NULL)
        return g_hash_table_lookup(map->index, key);
    for (const CmkNode *entry = map->first; entry != NULL; entry = entry->next)
        if (strcmp(entry->key, key) == 0)
            return entry;
    return NULL;
}

const CmkNode *cmk_node_at(const CmkNode *node, uint32_t index)
{
    const CmkNode *item = node->first;
    for (uint32_t i = 0; i < index && item != NULL; i++)
        item = item->next;
    return item;
}
