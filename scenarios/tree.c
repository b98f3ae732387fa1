#include "scenarios/tree.h"

#include <string.h>

#include <yaml.h>

#include "sim/base.h"

#define MIB ((size_t)1024 * 1024)
#define NODES_PER_CHUNK 256
/* Maps with more entries than this get a hash table. */
#define LINEAR_ENTRIES_MAX 8
#define INDENT 2
#define TEXT_CHUNK_SIZE 4096

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
    GPtrArray *chunks;  /* arrays of NODES_PER_CHUNK nodes */
    GPtrArray *indexes; /* the hash tables of large maps */
    GStringChunk *texts;
    uint32_t count;
};

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

/* Text that no YAML parser should see. */

/* Whether a character may stand in a file as it is. Lone CR and the Unicode line ends are refused
 * so that everybody counts lines alike. */
static bool is_accepted(gunichar c)
{
    if (c < 0x20)
        return c == '\t' || c == '\n' || c == '\r';
    if (c < 0xA0)
        return c < 0x7F;
    return c != 0x2028 && c != 0x2029 && c != 0xFEFF && c != 0xFFFE && c != 0xFFFF;
}

static void report_bad_bytes(CmkDiagnostics *diagnostics, const char *text, size_t size,
                             size_t offset)
{
    const CmkPosition at = cmk_diagnostics_position(diagnostics, offset);
    const unsigned byte = (unsigned char)text[offset];
    const bool is_utf16 =
        size >= 2 && (memcmp(text, "\xFF\xFE", 2) == 0 || memcmp(text, "\xFE\xFF", 2) == 0);
    cmk_diagnostics_error(diagnostics, at, "the byte 0x%02X is not part of a UTF-8 text", byte);
    if (is_utf16)
        cmk_diagnostics_hint(diagnostics, "the file looks like UTF-16; save it as UTF-8");
    else
        cmk_diagnostics_hint(diagnostics, "save the file as UTF-8");
}

static void report_bad_character(CmkDiagnostics *diagnostics, size_t offset, gunichar c)
{
    const CmkPosition at = cmk_diagnostics_position(diagnostics, offset);
    if (c == 0)
        cmk_diagnostics_error(diagnostics, at, "there is a NUL byte; this is not a text file");
    else if (c == '\r')
        cmk_diagnostics_error(diagnostics, at, "a carriage return that does not end a line");
    else
        cmk_diagnostics_error(diagnostics, at, "the character U+%04X is not accepted as it is", c);
    if (c == '\r')
        cmk_diagnostics_hint(diagnostics, "end lines with LF or CR LF");
    else if (c != 0)
        cmk_diagnostics_hint(diagnostics, "write \"\\u%04X\" in double quotes if it is meant", c);
}

/* Looks at every character before libyaml does, whose own message about bytes has no place. */
static bool check_text(CmkDiagnostics *diagnostics)
{
    size_t size = 0;
    const char *text = cmk_diagnostics_text(diagnostics, &size);
    size_t used;
    for (size_t i = 0; i < size; i += used) {
        gunichar c = (unsigned char)text[i];
        used = 1;
        if (c >= 0x80) {
            c = g_utf8_get_char_validated(text + i, (gssize)(size - i));
            if (c == (gunichar)-1 || c == (gunichar)-2) {
                report_bad_bytes(diagnostics, text, size, i);
                return false;
            }
            used = (size_t)g_unichar_to_utf8(c, NULL);
        }
        const bool is_lone_return = c == '\r' && (i + 1 == size || text[i + 1] != '\n');
        if (!is_accepted(c) || is_lone_return) {
            report_bad_character(diagnostics, i, c);
            return false;
        }
    }
    return true;
}

/* What libyaml says, in our words. */

typedef struct Advice {
    const char *problem; /* a part of libyaml's problem */
    const char *context; /* a part of libyaml's context */
    const char *message; /* said instead of the problem; NULL to keep libyaml's words */
    const char *note;    /* said of the place where the context began */
    const char *hint;
} Advice;

/* The first row that fits counts. The texts on the left are libyaml's (scanner.c and parser.c of
 * 0.2.5). */
static const Advice advices[] = {
    {"unexpected end of stream", "quoted scalar", "a quoted text is not closed",
     "the text begins here", "close it with the same kind of quote"},
    {"unexpected document indicator", "quoted scalar", "a quoted text is not closed",
     "the text begins here", "close it with the same kind of quote"},
    {"unknown escape character", "", "there is no such escape in double quotes", NULL,
     "write \\\\ for a backslash, or use single quotes"},
    {"did not find expected hexdecimal number", "",
     "an escape lacks digits: \\x takes 2, \\u takes 4, \\U takes 8 hexadecimal digits", NULL,
     NULL},
    {"invalid Unicode character escape code", "", "the escape does not stand for a character", NULL,
     NULL},
    {"expected ',' or ']'", "", "a comma or ] is missing", "the list begins here", NULL},
    {"expected ',' or '}'", "", "a comma or } is missing", "the map begins here", NULL},
    {"did not find expected node content", "", "a key, a value or a closing bracket is missing",
     NULL, NULL},
    {"did not find expected '-' indicator", "", "this line does not belong to the list above it",
     "the list begins here", "items of a list start with - in the same column"},
    {"did not find expected key", "block mapping", "this line does not belong to the map above it",
     "the map begins here", "keys of a map start in the same column"},
    {"could not find expected ':'", "", "a key without a colon", "the key is here",
     "write `key: value`"},
    {"mapping values are not allowed", "", "a colon where no key can be", NULL,
     "indent keys of one map alike; put a text that contains `: ` in quotes"},
    {"block sequence entries are not allowed", "", "a list cannot begin here", NULL,
     "put the first - on a line of its own"},
    {"block collection entry", "", "a list cannot begin here", NULL,
     "put the first - on a line of its own"},
    {"tab character that violates indentation", "", "a tab cannot indent", NULL, "use spaces"},
    {"tab character where an indentation space", "", "a tab cannot indent", NULL, "use spaces"},
    {"did not find expected <document start>", "", "text after the end of the document", NULL,
     "one file holds one document, indented alike"},
    {"incompatible YAML document", "", "the version of YAML is not 1.1 or 1.2", NULL,
     "leave the %YAML line out"},
    {"undefined tag handle", "", "tags (!) are not accepted", NULL,
     "put a text that begins with ! in quotes"},
};

static const Advice *find_advice(const char *problem, const char *context)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(advices); i++)
        if (strstr(problem, advices[i].problem) != NULL &&
            strstr(context, advices[i].context) != NULL)
            return &advices[i];
    return NULL;
}

static CmkPosition position_from_mark(yaml_mark_t mark)
{
    CMK_ASSERT(mark.line < UINT32_MAX);
    CMK_ASSERT(mark.column < UINT32_MAX);
    return (CmkPosition){.line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

/* The character at a mark; 0 at the end of the text. */
static char character_at(const CmkDiagnostics *diagnostics, CmkPosition at)
{
    size_t size = 0;
    const char *text = cmk_diagnostics_text(diagnostics, &size);
    CmkPosition here = {.line = 1, .column = 1};
    for (size_t i = 0; i < size; i++) {
        const bool is_tail = ((unsigned char)text[i] & 0xC0) == 0x80;
        if (!is_tail && here.line == at.line && here.column == at.column)
            return text[i];
        if (text[i] == '\n')
            here = (CmkPosition){.line = here.line + 1, .column = 1};
        else if (!is_tail)
            here.column++;
    }
    return '\0';
}

/* "found character that cannot start any token": mostly a tab. */
static void report_bad_start(Builder *builder, CmkPosition at)
{
    const char c = character_at(builder->diagnostics, at);
    if (c == '\t') {
        cmk_diagnostics_error(builder->diagnostics, at, "a tab cannot indent");
        cmk_diagnostics_hint(builder->diagnostics, "use spaces");
        return;
    }
    cmk_diagnostics_error(builder->diagnostics, at, "a text cannot begin with `%c`", c);
    cmk_diagnostics_hint(builder->diagnostics, "put it in quotes");
}

/* libyaml spreads its reasons over four fields; which of them are set depends on the layer that
 * failed. */
static void report_parser(Builder *builder)
{
    const yaml_parser_t *parser = &builder->parser;
    CmkDiagnostics *diagnostics = builder->diagnostics;
    const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;
    const char *context = parser->context == NULL ? "" : parser->context;
    if (parser->error == YAML_MEMORY_ERROR) {
        cmk_diagnostics_error(diagnostics, position_from_mark(parser->mark), "out of memory");
        return;
    }
    if (parser->error == YAML_READER_ERROR) { /* has no mark; check_text() leaves none to happen */
        size_t size = 0;
        cmk_diagnostics_text(diagnostics, &size);
        const size_t offset = MIN(parser->problem_offset, size);
        cmk_diagnostics_error(diagnostics, cmk_diagnostics_position(diagnostics, offset), "%s",
                              problem);
        return;
    }
    const CmkPosition at = position_from_mark(parser->problem_mark);
    if (strstr(problem, "cannot start any token") != NULL) {
        report_bad_start(builder, at);
        return;
    }
    const Advice *advice = find_advice(problem, context);
    if (advice == NULL) {
        cmk_diagnostics_error(diagnostics, at, "%s", problem);
        if (context[0] != '\0')
            cmk_diagnostics_note(diagnostics, position_from_mark(parser->context_mark),
                                 "%s that begins here", context);
        return;
    }
    cmk_diagnostics_error(diagnostics, at, "%s",
                          advice->message != NULL ? advice->message : problem);
    if (advice->note != NULL && context[0] != '\0')
        cmk_diagnostics_note(diagnostics, position_from_mark(parser->context_mark), "%s",
                             advice->note);
    if (advice->hint != NULL)
        cmk_diagnostics_hint(diagnostics, "%s", advice->hint);
}

/* Building the tree from events. Each function returns false if reading must stop. */

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

/* Adds a node at the end of what is open, or as the root. */
static CmkNode *add_node(Builder *builder, CmkNodeKind kind, CmkPosition at)
{
    CmkTree *tree = builder->tree;
    CmkNode *parent = builder->open;
    CmkNode *node = new_node(tree);
    *node = (CmkNode){.parent = parent, .kind = kind, .at = at, .key_at = at};
    if (parent == NULL) {
        tree->root = node;
        return node;
    }
    if (parent->last == NULL)
        parent->first = node;
    else
        parent->last->next = node;
    parent->last = node;
    parent->count++;
    if (parent->kind == CMK_NODE_MAP) {
        CMK_ASSERT(builder->key.text != NULL);
        node->key = builder->key.text;
        node->key_at = builder->key.at;
        builder->key.text = NULL;
        if (parent->index != NULL)
            g_hash_table_insert(parent->index, (gpointer)(uintptr_t)node->key, node);
        else if (parent->count > LINEAR_ENTRIES_MAX)
            index_map(tree, parent);
    }
    return node;
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
    builder->key.text = g_string_chunk_insert_len(builder->tree->texts, text, (gssize)size);
    builder->key.at = at;
    return true;
}

static bool take_scalar(Builder *builder, const yaml_event_t *event)
{
    const CmkPosition at = position_from_mark(event->start_mark);
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
    node->text = g_string_chunk_insert_len(builder->tree->texts, text, (gssize)size);
    node->is_quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    return true;
}

static bool take_start(Builder *builder, const yaml_event_t *event, CmkNodeKind kind)
{
    const CmkPosition at = position_from_mark(event->start_mark);
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
    const CmkPosition at = position_from_mark(event->start_mark);
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
    cmk_diagnostics_error(builder->diagnostics, position_from_mark(event->start_mark),
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
            report_parser(builder);
            return false;
        }
        is_good = take_event(builder, &event);
        yaml_event_delete(&event);
    }
    return is_good;
}

static void free_index(gpointer index)
{
    g_hash_table_destroy(index);
}

static CmkTree *new_tree(void)
{
    CmkTree *tree = g_new0(CmkTree, 1);
    tree->chunks = g_ptr_array_new_with_free_func(g_free);
    tree->indexes = g_ptr_array_new_with_free_func(free_index);
    tree->texts = g_string_chunk_new(TEXT_CHUNK_SIZE);
    return tree;
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
    if (!check_text(diagnostics))
        return NULL;
    if (yaml_parser_initialize(&builder.parser) == 0) {
        cmk_diagnostics_error(diagnostics, (CmkPosition){0, 0}, "out of memory");
        return NULL;
    }
    yaml_parser_set_encoding(&builder.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&builder.parser, (const unsigned char *)text, size);
    g_autoptr(CmkTree) tree = new_tree();
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

void cmk_tree_free(CmkTree *tree)
{
    if (tree == NULL)
        return;
    g_ptr_array_unref(tree->indexes);
    g_ptr_array_unref(tree->chunks);
    g_string_chunk_free(tree->texts);
    g_free(tree);
}

/* Reading the tree. */

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

/* The canonical form. */

static const char *skip_digits(const char *text)
{
    while (g_ascii_isdigit(*text))
        text++;
    return text;
}

/* Whether YAML's core schema reads a plain text as a number. */
static bool looks_like_number(const char *text)
{
    if (g_str_has_prefix(text, "0x"))
        return text[2] != '\0' && text[2 + strspn(text + 2, "0123456789abcdefABCDEF")] == '\0';
    if (g_str_has_prefix(text, "0o"))
        return text[2] != '\0' && text[2 + strspn(text + 2, "01234567")] == '\0';
    if (*text == '+' || *text == '-')
        text++;
    const char *end = skip_digits(text);
    bool has_digits = end != text;
    if (*end == '.') {
        const char *fraction = end + 1;
        end = skip_digits(fraction);
        has_digits = has_digits || end != fraction;
    }
    if (!has_digits)
        return g_ascii_strcasecmp(text, ".inf") == 0 || g_ascii_strcasecmp(text, ".nan") == 0;
    if (*end == 'e' || *end == 'E') {
        const char *exponent = end + 1;
        if (*exponent == '+' || *exponent == '-')
            exponent++;
        end = skip_digits(exponent);
        if (end == exponent)
            return false;
    }
    return *end == '\0';
}

/* Whether some YAML reader takes a plain text for something else than a text. */
static bool is_ambiguous(const char *text)
{
    static const char *const words[] = {"true", "false", "null", "~", "yes",
                                        "no",   "on",    "off",  "y", "n"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(words); i++)
        if (g_ascii_strcasecmp(text, words[i]) == 0)
            return true;
    return looks_like_number(text);
}

/* Whether plain text reads back as the same text, as a key or as a value of block style. */
static bool is_plain_safe(const char *text)
{
    const size_t size = strlen(text);
    if (size == 0 || strchr("?:,[]{}#&*!|>'\"%@` ", text[0]) != NULL)
        return false;
    if (text[0] == '-' && (text[1] == ' ' || text[1] == '\0' || text[1] == '-'))
        return false;
    if (g_str_has_prefix(text, "...") || strstr(text, ": ") != NULL || strstr(text, " #") != NULL)
        return false;
    if (text[size - 1] == ' ' || text[size - 1] == ':')
        return false;
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20)
            return false;
    g_autofree gunichar *characters = g_utf8_to_ucs4_fast(text, -1, NULL);
    for (size_t i = 0; characters[i] != 0; i++)
        if (!is_accepted(characters[i]))
            return false;
    return true;
}

static void print_quoted(const char *text, GString *out)
{
    g_autofree gunichar *characters = g_utf8_to_ucs4_fast(text, -1, NULL);
    g_string_append_c(out, '"');
    for (size_t i = 0; characters[i] != 0; i++) {
        const gunichar c = characters[i];
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", (char)c);
        else if (c == '\n')
            g_string_append(out, "\\n");
        else if (c == '\t')
            g_string_append(out, "\\t");
        else if (c != '\r' && is_accepted(c))
            g_string_append_unichar(out, c);
        else
            g_string_append_printf(out, c <= 0xFF ? "\\x%02X" : "\\u%04X", c);
    }
    g_string_append_c(out, '"');
}

static void print_scalar(const CmkNode *scalar, GString *out)
{
    if (cmk_node_is_absent(scalar))
        return;
    if (is_plain_safe(scalar->text) && !(scalar->is_quoted && is_ambiguous(scalar->text)))
        g_string_append(out, scalar->text);
    else
        print_quoted(scalar->text, out);
}

static void print_indent(uint32_t level, GString *out)
{
    for (uint32_t i = 0; i < level * INDENT; i++)
        g_string_append_c(out, ' ');
}

/* Prints what stands before the node's own content: "key:" or "-". The first item of a list in a
 * list and the first entry of a map in a list stand on the line of the dash. */
static void print_lead(const CmkNode *node, const CmkNode *top, uint32_t level, GString *out)
{
    if (node == top)
        return;
    const CmkNode *parent = node->parent;
    const bool is_beside_dash =
        node == parent->first && parent != top && parent->parent->kind == CMK_NODE_SEQUENCE;
    if (is_beside_dash)
        g_string_append_c(out, ' ');
    else
        print_indent(level, out);
    if (parent->kind == CMK_NODE_SEQUENCE) {
        g_string_append_c(out, '-');
        return;
    }
    if (is_plain_safe(node->key))
        g_string_append(out, node->key);
    else
        print_quoted(node->key, out);
    g_string_append_c(out, ':');
}

/* Prints the lead of a node and, if it has no items, all of it. */
static void print_head(const CmkNode *node, const CmkNode *top, uint32_t level, GString *out)
{
    print_lead(node, top, level, out);
    if (node->first != NULL) {
        const bool is_item = node != top && node->parent->kind == CMK_NODE_SEQUENCE;
        if (node != top && !is_item)
            g_string_append_c(out, '\n');
        return;
    }
    if (node != top && !cmk_node_is_absent(node))
        g_string_append_c(out, ' ');
    if (node->kind == CMK_NODE_SCALAR)
        print_scalar(node, out);
    else
        g_string_append(out, node->kind == CMK_NODE_MAP ? "{}" : "[]");
    g_string_append_c(out, '\n');
}

void cmk_node_print(const CmkNode *node, GString *out)
{
    uint32_t level = 0; /* of the items of the node at hand's parent */
    const CmkNode *at = node;
    for (;;) { /* visits each node below `node` once, parents first */
        print_head(at, node, level, out);
        if (at->first != NULL) {
            level += at == node ? 0 : 1;
            at = at->first;
            continue;
        }
        while (at != node && at->next == NULL) {
            at = at->parent;
            level -= at == node ? 0 : 1;
        }
        if (at == node)
            return;
        at = at->next;
    }
}
