/*
 * Field tables: what keys a map of a scenario file may have, of which type, where the value goes,
 * and what it means. One table serves the reading of files, and everything else that has to know
 * the keys: documentation, schema, completion.
 *
 * A map is read into a struct, whose first member is the node it was read from. A table tells for
 * each key the member by its offset. Texts and references are kept as nodes, which know their place
 * and live as long as the tree; a list becomes a GArray. A key that is left out gives the value of
 * its `fallback`, or else zero: NULL, 0, false, an absent reference.
 *
 * Must not know: which keys there are, what a reference refers to, operations.
 */
#ifndef CMK_SCENARIOS_FIELDS_H
#define CMK_SCENARIOS_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>

#include "scenarios/diagnostic.h"
#include "scenarios/quantity.h"
#include "scenarios/tree.h"

typedef enum CmkFieldType {
    CMK_FIELD_TEXT,      /* const CmkNode *: any text but an empty one */
    CMK_FIELD_NAME,      /* const CmkNode *: min..max letters, digits and those in `also` */
    CMK_FIELD_WORD,      /* uint32_t: what the vocabulary says */
    CMK_FIELD_BOOLEAN,   /* bool */
    CMK_FIELD_INTEGER,   /* int64_t, min..max */
    CMK_FIELD_SEED,      /* uint64_t */
    CMK_FIELD_DURATION,  /* int64_t: microseconds, min..max; an exact length */
    CMK_FIELD_PERIOD,    /* CmkPeriod: months may be in it; not zero */
    CMK_FIELD_RETENTION, /* CmkPeriod: in days or longer; zero for the word default */
    CMK_FIELD_INSTANT,   /* CmkTime: absolute or counted from the start; never 0 */
    CMK_FIELD_SIZE,      /* int64_t: bytes, min..max */
    CMK_FIELD_SHARE,     /* int64_t: parts per million, min..max */
    CMK_FIELD_REPEAT,    /* CmkRepeat */
    CMK_FIELD_RANGE,     /* CmkAddressRange */
    CMK_FIELD_REFERENCE, /* CmkReference, to be resolved by who knows the names */
    CMK_FIELD_NODE,      /* const CmkNode *: any shape, read elsewhere */
    CMK_FIELD_MAP,       /* struct of the table `fields` */
    CMK_FIELD_LATER,     /* nothing: a key that later versions of the language have */
    CMK_FIELD_TYPE__COUNT
} CmkFieldType;

/* A name in the file that stands for something else in it. */
typedef struct CmkReference {
    const CmkNode *node; /* the text; NULL: absent */
    uint32_t kind;       /* what it turned out to be; 0: not resolved */
    uint32_t row;
    uint32_t owner;   /* row of what it is in: the vault of a key or instance */
    uint32_t version; /* number after a key's name, 0 if none */
} CmkReference;

/* Words that stand for numbers: either a list, or functions that know one. */
typedef struct CmkVocabulary {
    const char *what;         /* "a region" */
    const char *const *words; /* each stands for its index; ends at NULL. NULL: the functions */
    /* The number of a word; false if there is no such word. */
    bool (*find)(const char *word, uint32_t *ret_value);
    /* The words one by one, for suggestions; NULL beyond the last. */
    const char *(*word)(uint32_t index);
    const char *list; /* the command that lists them, if they are too many for a hint; or NULL */
} CmkVocabulary;

typedef struct CmkFields CmkFields;

typedef struct CmkField {
    const char *name;
    const char *doc; /* one clause, without a full stop: "the Azure region, such as westeurope" */
    CmkFieldType type;
    bool is_required;
    bool is_list;        /* GArray * of what the type says; NULL if absent */
    bool begins_plainly; /* names: characters of `also` are not allowed at the beginning */
    uint8_t min_items;
    size_t offset;
    int64_t min; /* range of numbers, length of names; max 0: no range; the first of instants */
    int64_t max;
    const char *also;                /* names: other characters that are allowed */
    const char *fallback;            /* value when the key is absent, as one would write it */
    const char *shorthand;           /* map: the key that a mere text stands for */
    uint32_t accepts;                /* reference: what kinds, the resolver's own number */
    const CmkVocabulary *vocabulary; /* word */
    const CmkFields *fields;         /* map */
} CmkField;

struct CmkFields {
    const char *what; /* "a key vault" */
    const CmkField *rows;
    size_t count;
    size_t size_bytes; /* of the struct */
};

/* A table, and in it a key that this version of the language does not have yet. */
#define CMK_FIELDS(table_name, item_type, item_text, table_rows)                                   \
    const CmkFields table_name = {.what = (item_text),                                             \
                                  .rows = (table_rows),                                            \
                                  .count = CMK_ARRAY_LEN(table_rows),                              \
                                  .size_bytes = sizeof(item_type)}
#define CMK_FIELD_OF_LATER(key, text)                                                              \
    {                                                                                              \
        .name = (key), .doc = (text), .type = CMK_FIELD_LATER                                      \
    }

/* What reading needs to know. */
typedef struct CmkReading {
    CmkDiagnostics *diagnostics;
    CmkTime start; /* what "+3d" counts from */
} CmkReading;

/*
 * Reads a map into `ret`, `fields->size_bytes` zeroed bytes. Each mistake is reported; what is
 * right is filled in all the same. Returns whether there was no mistake. Free with
 * cmk_fields_clear().
 */
bool cmk_fields_read(const CmkReading *reading, const CmkFields *fields, const CmkNode *map,
                     void *ret);

/* Reads one value of a field that is no list: `ret` is what the type says. */
bool cmk_field_read(const CmkReading *reading, const CmkField *field, const CmkNode *node,
                    void *ret);

/* Frees the lists in a struct that was zeroed and perhaps read. */
void cmk_fields_clear(const CmkFields *fields, void *item);

/* Calls `visit` for each reference in a struct that was read, in the order of the table; goes on
 * after false, and returns whether all calls returned true. */
bool cmk_fields_visit(const CmkFields *fields, void *item,
                      bool (*visit)(void *self, const CmkField *field, CmkReference *reference),
                      void *self);

/* The bytes that a value of this type takes in a struct or a list. */
size_t cmk_field_size(const CmkField *field);

/* The type in words for documentation and messages: "a duration such as 36h". */
const char *cmk_field_type_text(CmkFieldType type);

/* The number of a word; false if there is no such word. */
bool cmk_vocabulary_find(const CmkVocabulary *vocabulary, const char *word, uint32_t *ret_value);

/* The words one by one; NULL beyond the last. */
const char *cmk_vocabulary_word(const CmkVocabulary *vocabulary, uint32_t index);

/* Reports a text that is none of the words of a vocabulary, with near ones as hint. */
void cmk_vocabulary_miss(CmkDiagnostics *diagnostics, CmkPosition at, const char *word,
                         const CmkVocabulary *vocabulary);

/* Whether a map has a key that looks like a slip of `name` and is not in the table (NULL: none). */
bool cmk_node_has_slip(const CmkNode *map, const char *name, const CmkFields *fields);

/* Reports that a node is of the wrong kind; `what` says where: "`keys`". Returns whether it was of
 * the right one. */
bool cmk_node_expect(CmkDiagnostics *diagnostics, const CmkNode *node, CmkNodeKind kind,
                     const char *what);

#endif
