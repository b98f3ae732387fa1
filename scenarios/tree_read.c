/* From the events of libyaml to a tree. */
#include <string.h>

#include <yaml.h>

#include "scenarios/tree.h"
#include "scenarios/tree_nodes.h"
#include "scenarios/tree_problem.h"
#include "scenarios/tree_text.h"
#include "sim/base.h"

#define MIB ((size_t)1024 * 1024)

/* A key that waits for its value. */
typedef struct PendingKey {
    const char *text;
    CmkPosition at;
} PendingKey;

typedef struct Builder {
    yaml_parser_t parser;
    CmkDiagnostics *diagnostics;
    CmkTreeLimits limits;
    CmkTree *tree;
    CmkNode *open; /* the innermost sequence or map that has not ended */
    PendingKey key;
    uint32_t depth;
    bool is_ended; /* the one document is over */
} Builder;

CmkTreeLimits cmk_tree_limits_default(void)
{
    return (CmkTreeLimits){.bytes_max = 64 * MIB, .nodes_max = 2000000, .depth_max = 64};
}

/* ---- building the tree; each function returns false if reading must stop ----------------------
 */

/* Adds a node at the end of what is open, or as the root. */
static CmkNode *add_node(Builder *builder, CmkNodeKind kind, CmkPosition at)
{
    const bool is_entry = builder->open != NULL && builder->open->kind == CMK_NODE_MAP;
    const PendingKey key = is_entry ? builder->key : (PendingKey){.at = at};
    if (is_entry) {
        CMK_ASSERT(key.text != NULL);
        builder->key.text = NULL;
    }
    return cmk_tree_add(builder->tree, builder->open, kind, at, key.text, key.at);
}

static bool is_key_next(const Builder *builder)
{
    return builder->open != NULL && builder->open->kind == CMK_NODE_MAP &&
           builder->key.text == NULL;
}

/* Limits that hold for every kind of node. */
static bool check_node(Builder *builder, CmkPosition at)
{
    CMK_ASSERT(builder->tree->root == NULL || builder->open != NULL); /* see take_document() */
    if (builder->depth >= builder->limits.depth_max) {
        cmk_diagnostics_error(builder->diagnostics, at,
                              "nested deeper than %" G_GUINT32_FORMAT " levels",
                              builder->limits.depth_max);
        return false;
    }
    if (builder->tree->count >= builder->limits.nodes_max) {
        cmk_diagnostics_error(builder->diagnostics, at, "more than %" G_GUINT32_FORMAT " values",
                              builder->limits.nodes_max);
        return false;
    }
    return true;
}

/* Anchors and tags are errors, but reading goes on to find more of them. */
static void refuse_properties(Builder *builder, CmkPosition at, const yaml_char_t *anchor,
                              const yaml_char_t *tag)
{
    if (anchor != NULL) {
        cmk_diagnostics_error(builder->diagnostics, at, "anchors are not accepted: `&%s`",
                              (const char *)anchor);
        cmk_diagnostics_hint(builder->diagnostics,
                             "write the value out, or put a text that begins with & in quotes");
    }
    if (tag != NULL) {
        cmk_diagnostics_error(builder->diagnostics, at, "tags are not accepted: `%s`",
                              (const char *)tag);
        cmk_diagnostics_hint(builder->diagnostics,
                             "leave the tag out, or put a text that begins with ! in quotes");
    }
}

/* Takes a key of the open map. The text of a key given twice is taken too, to go on. */
static bool take_key(Builder *builder, CmkPosition at, const char *text, size_t size)
{
    CmkDiagnostics *diagnostics = builder->diagnostics;
    const char *bad = NULL;
    if (size == 0)
        bad = "a key is empty";
    else if (size > CMK_TREE_KEY_SIZE_MAX)
        bad = "a key is longer than 256 bytes";
    for (size_t i = 0; i < size && bad == NULL; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7F)
            bad = "a key holds a control character";
    if (bad != NULL) {
        cmk_diagnostics_error(diagnostics, at, "%s", bad);
        return false;
    }
    const CmkNode *earlier = cmk_node_get(builder->open, text);
    if (earlier != NULL) {
        cmk_diagnostics_error(diagnostics, at, "the key `%s` is given twice", text);
        cmk_diagnostics_note(diagnostics, earlier->key_at, "it is given first here");
    }
    builder->key.text = cmk_tree_keep_text(builder->tree, text, size);
    builder->key.at = at;
    return true;
}

static bool take_scalar(Builder *builder, const yaml_event_t *event)
{
    const CmkPosition at = cmk_tree_position(event->start_mark);
    const char *text = (const char *)event->data.scalar.value;
    const size_t size = event->data.scalar.length;
    refuse_properties(builder, at, event->data.scalar.anchor, event->data.scalar.tag);
    if (memchr(text, '\0', size) != NULL) {
        cmk_diagnostics_error(builder->diagnostics, at, "a text holds a NUL character");
        return false;
    }
    if (is_key_next(builder))
        return take_key(builder, at, text, size);
    if (!check_node(builder, at))
        return false;
    CmkNode *node = add_node(builder, CMK_NODE_SCALAR, at);
    node->text = cmk_tree_keep_text(builder->tree, text, size);
    node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return true;
}

static bool take_start(Builder *builder, const yaml_event_t *event, CmkNodeKind kind)
{
    const CmkPosition at = cmk_tree_position(event->start_mark);
    if (kind == CMK_NODE_MAP)
        refuse_properties(builder, at, event->data.mapping_start.anchor,
                          event->data.mapping_start.tag);
    else
        refuse_properties(builder, at, event->data.sequence_start.anchor,
                          event->data.sequence_start.tag);
    if (is_key_next(builder)) {
        cmk_diagnostics_error(builder->diagnostics, at,
                              "a key must be a word, not a list or a map");
        cmk_diagnostics_hint(builder->diagnostics, "put a text that begins with [ or { in quotes");
        return false;
    }
    if (!check_node(builder, at))
        return false;
    builder->open = add_node(builder, kind, at);
    builder->depth++;
    return true;
}

static void take_end(Builder *builder)
{
    CMK_ASSERT(builder->open != NULL);
    CMK_ASSERT(builder->depth > 0);
    CMK_ASSERT(builder->key.text == NULL);
    builder->open = builder->open->parent;
    builder->depth--;
}

/* An alias is refused, and an absent value stands in for it to go on. */
static bool take_alias(Builder *builder, const yaml_event_t *event)
{
    const CmkPosition at = cmk_tree_position(event->start_mark);
    const char *name = (const char *)event->data.alias.anchor;
    cmk_diagnostics_error(builder->diagnostics, at, "aliases are not accepted: `*%s`", name);
    cmk_diagnostics_hint(builder->diagnostics,
                         "write the value out, or put a text that begins with * in quotes");
    if (is_key_next(builder))
        return take_key(builder, at, name, strlen(name));
    if (!check_node(builder, at))
        return false;
    add_node(builder, CMK_NODE_SCALAR, at)->text = "";
    return true;
}

static bool take_document(Builder *builder, const yaml_event_t *event)
{
    if (builder->tree->root == NULL)
        return true;
    cmk_diagnostics_error(builder->diagnostics, cmk_tree_position(event->start_mark),
                          "a second document begins here");
    cmk_diagnostics_hint(builder->diagnostics, "one file holds one document");
    return false;
}

static bool take_event(Builder *builder, const yaml_event_t *event)
{
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return take_scalar(builder, event);
    case YAML_SEQUENCE_START_EVENT:
        return take_start(builder, event, CMK_NODE_SEQUENCE);
    case YAML_MAPPING_START_EVENT:
        return take_start(builder, event, CMK_NODE_MAP);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
        take_end(builder);
        return true;
    case YAML_ALIAS_EVENT:
        return take_alias(builder, event);
    case YAML_STREAM_END_EVENT:
        builder->is_ended = true;
        return true;
    case YAML_DOCUMENT_START_EVENT:
        return take_document(builder, event);
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
        return true;
    }
    CMK_ASSERT(false);
    return false;
}

/* Feeds events to the builder until the text ends or something forbids to go on. */
static bool take_events(Builder *builder)
{
    bool is_good = true;
    while (is_good && !builder->is_ended) { /* each event consumes text, so this ends */
        yaml_event_t event;
        if (yaml_parser_parse(&builder->parser, &event) == 0) {
            cmk_tree_report_problem(&builder->parser, builder->diagnostics);
            return false;
        }
        is_good = take_event(builder, &event);
        yaml_event_delete(&event);
    }
    return is_good;
}

/* A file of blanks and comments holds one absent value at most. */
static bool is_empty(const CmkTree *tree)
{
    return tree->root == NULL || cmk_node_is_absent(tree->root);
}

CmkTree *cmk_tree_parse(CmkDiagnostics *diagnostics, const CmkTreeLimits *limits)
{
    CMK_ASSERT(diagnostics != NULL);
    const size_t errors_before = cmk_diagnostics_count(diagnostics);
    Builder builder = {
        .diagnostics = diagnostics,
        .limits = limits == NULL ? cmk_tree_limits_default() : *limits,
    };
    size_t size = 0;
    const char *text = cmk_diagnostics_text(diagnostics, &size);
    if (size > builder.limits.bytes_max || size > G_MAXINT32) {
        cmk_diagnostics_error(diagnostics, (CmkPosition){0, 0}, "the text is larger than %zu bytes",
                              MIN(builder.limits.bytes_max, (size_t)G_MAXINT32));
        return NULL;
    }
    if (!cmk_tree_check_text(diagnostics))
        return NULL;
    if (yaml_parser_initialize(&builder.parser) == 0) {
        cmk_diagnostics_error(diagnostics, (CmkPosition){0, 0}, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&builder.parser, (const unsigned char *)text, size);
    g_autoptr(CmkTree) tree = cmk_tree_new();
    builder.tree = tree;
    const bool is_good = take_events(&builder);
    yaml_parser_delete(&builder.parser);
    if (is_good && is_empty(tree)) {
        cmk_diagnostics_error(diagnostics, (CmkPosition){0, 0}, "the file holds nothing");
        cmk_diagnostics_hint(diagnostics, "write `key: value` lines into it");
    }
    if (!is_good || cmk_diagnostics_count(diagnostics) > errors_before)
        return NULL;
    return g_steal_pointer(&tree);
}
