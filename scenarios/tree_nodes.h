/*
 * The nodes of a tree as they lie in memory, for the files that make and print trees; all others go
 * by tree.h.
 */
#ifndef CMK_SCENARIOS_TREE_NODES_H
#define CMK_SCENARIOS_TREE_NODES_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "scenarios/tree.h"

struct CmkNode {
    CmkNode *parent;
    CmkNode *first;
    CmkNode *last;
    CmkNode *next;
    const char *key;   /* NULL but in a map */
    const char *text;  /* NULL but in a scalar */
    GHashTable *index; /* key -> node; NULL while a map is small */
    CmkPosition at;
    CmkPosition key_at;
    uint32_t count;
    CmkNodeKind kind;
    bool is_quoted;
};

struct CmkTree {
    CmkNode *root;
    GPtrArray *chunks;  /* arrays of nodes */
    GPtrArray *indexes; /* the hash tables of large maps */
    GStringChunk *texts;
    uint32_t count;
};

/* A tree without nodes. */
CmkTree *cmk_tree_new(void);

/* A node at the end of `parent`, or the root if that is NULL. In a map the caller gives it `key`
 * and `key_at`, else NULL and the place of the node. */
CmkNode *cmk_tree_add(CmkTree *tree, CmkNode *parent, CmkNodeKind kind, CmkPosition at,
                      const char *key, CmkPosition key_at);

/* A copy of a text that lives as long as the tree. */
const char *cmk_tree_keep_text(CmkTree *tree, const char *text, size_t size_bytes);

#endif
