/*
 * A YAML file as a tree whose every node knows its place, in the strict subset that scenarios use:
 * one document; keys are scalars, each once per map; no anchors, aliases or tags; UTF-8 with LF or
 * CR LF line ends. Scalars stay text: what they mean is for the field tables to say.
 *
 * All of a tree is owned by its CmkTree and constant; node pointers and texts live as long as it
 * does. Limits on bytes, values and depth hold before memory is spent, so no file can exhaust the
 * program.
 *
 * Must not know: which keys there are, quantities, operations.
 */
#ifndef CMK_SCENARIOS_TREE_H
#define CMK_SCENARIOS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "scenarios/diagnostic.h"

/* The longest key, in bytes. libyaml finds the colon of a key only within 1024 characters. */
#define CMK_TREE_KEY_SIZE_MAX 256

typedef enum CmkNodeKind {
    CMK_NODE_SCALAR,
    CMK_NODE_SEQUENCE,
    CMK_NODE_MAP,
    CMK_NODE_KIND__COUNT
} CmkNodeKind;

typedef struct CmkNode CmkNode;
typedef struct CmkTree CmkTree;

/* What a file may have at most. */
typedef struct CmkTreeLimits {
    size_t bytes_max;   /* of text */
    uint32_t nodes_max; /* scalars, sequences and maps; keys do not count */
    uint32_t depth_max; /* of nesting; a lone scalar has depth 1 */
} CmkTreeLimits;

/* 64 MiB, 2,000,000 nodes, depth 64. */
CmkTreeLimits cmk_tree_limits_default(void);

/*
 * Reads the text of the collector. limits: NULL for the default. Returns NULL and adds at least one
 * error if the text is not in the subset; no tree is returned for a file with any error. Free with
 * cmk_tree_free(). The tree does not need the collector afterwards.
 */
CmkTree *cmk_tree_parse(CmkDiagnostics *diagnostics, const CmkTreeLimits *limits);

/* Accepts NULL. */
void cmk_tree_free(CmkTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmkTree, cmk_tree_free)

/* The outermost node, never NULL. */
const CmkNode *cmk_tree_root(const CmkTree *tree);

/* How many nodes the tree has. */
uint32_t cmk_tree_count(const CmkTree *tree);

CmkNodeKind cmk_node_kind(const CmkNode *node);

/* "a text", "a list" or "a map", for messages. */
const char *cmk_node_kind_text(const CmkNode *node);

/* Where the node begins; for a value that was left out, the place behind the colon or dash. */
CmkPosition cmk_node_position(const CmkNode *node);

/* The text of a scalar: UTF-8 without NUL inside, "" for a value that was left out. */
const char *cmk_node_text(const CmkNode *scalar);

/* Whether a scalar was written in quotes or as a block (| or >), so that it is a text and never a
 * number, a boolean or nothing. */
bool cmk_node_is_quoted(const CmkNode *scalar);

/* Whether the node is a value that was left out, as in `key:` at the end of a line. */
bool cmk_node_is_absent(const CmkNode *node);

/* How many items a sequence or entries a map has; 0 for a scalar. */
uint32_t cmk_node_count(const CmkNode *node);

/*
 * The items of a sequence or the values of a map, in the order of the file:
 *     for (const CmkNode *item = cmk_node_first(list); item != NULL; item = cmk_node_next(item))
 * NULL at the end, and for a scalar.
 */
const CmkNode *cmk_node_first(const CmkNode *node);
const CmkNode *cmk_node_next(const CmkNode *node);

/* What holds the node; NULL for the root. */
const CmkNode *cmk_node_parent(const CmkNode *node);

/* The key of a value in a map; NULL for an item of a sequence and for the root. */
const char *cmk_node_key(const CmkNode *value);

/* Where the key of a value in a map begins; the position of the node itself if it has no key. */
CmkPosition cmk_node_key_position(const CmkNode *value);

/* The value of a key in a map; NULL if it has no such key or the node is not a map. O(1) on
 * average. */
const CmkNode *cmk_node_get(const CmkNode *map, const char *key);

/* The item of a sequence or map at an index; NULL beyond the end. O(index). */
const CmkNode *cmk_node_at(const CmkNode *node, uint32_t index);

/*
 * Appends the node in canonical form, the same for all files that say the same: block style, two
 * spaces per level, keys in the order of the file, no comments, one line per scalar, double quotes
 * only where plain text would read differently. A quoted text that would otherwise be a number, a
 * boolean or nothing keeps quotes. Reading it back gives the same tree, but for positions.
 */
void cmk_node_print(const CmkNode *node, GString *out);

#endif
