/*
 * An entry of a catalogue: something that has a name, with properties in the order in which people
 * want to read them. The one description from which text, JSON and Markdown are printed.
 *
 * Texts that are added are copied. A value that is NULL or "" is left out of texts and is null in
 * JSON, so that all entries of one kind have the same properties.
 *
 * Must not know: what the entries are about.
 */
#ifndef CMK_ANALYSIS_ENTRY_H
#define CMK_ANALYSIS_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

/* Where a property is shown besides JSON and the explanation of its entry. */
typedef enum CmkPropertyUse {
    CMK_PROPERTY_DETAIL, /* nowhere else */
    CMK_PROPERTY_COLUMN, /* a column of lists and of pages */
    CMK_PROPERTY_PAGE,   /* a column of pages, too wide for lists */
    CMK_PROPERTY__COUNT
} CmkPropertyUse;

typedef enum CmkPropertyShape {
    CMK_PROPERTY_TEXT,
    CMK_PROPERTY_NUMBER,
    CMK_PROPERTY_WORDS,   /* strings that stand side by side */
    CMK_PROPERTY_LINES,   /* strings that want a line each */
    CMK_PROPERTY_ENTRIES, /* CmkEntry, shown only by their properties */
    CMK_PROPERTY__SHAPES
} CmkPropertyShape;

typedef struct CmkProperty {
    const char *name; /* a constant: "rules" */
    CmkPropertyUse use;
    CmkPropertyShape shape;
    char *text;
    int64_t number;
    GPtrArray *list; /* of char * or CmkEntry * */
} CmkProperty;

typedef struct CmkEntry {
    const char *kind; /* a constant: "rule" */
    char *name;
    GArray *properties; /* of CmkProperty */
} CmkEntry;

CmkEntry *cmk_entry_new(const char *kind, const char *name);
/* Accepts NULL. */
void cmk_entry_free(CmkEntry *entry);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmkEntry, cmk_entry_free)

/* Each adds a property. `words` are separated by blanks; `list` is taken over. */
void cmk_entry_add_text(CmkEntry *entry, CmkPropertyUse use, const char *name, const char *text);
void cmk_entry_add_number(CmkEntry *entry, CmkPropertyUse use, const char *name, int64_t number);
void cmk_entry_add_words(CmkEntry *entry, CmkPropertyUse use, const char *name, const char *words);
void cmk_entry_add_lines(CmkEntry *entry, CmkPropertyUse use, const char *name, GPtrArray *list);
void cmk_entry_add_entries(CmkEntry *entry, CmkPropertyUse use, const char *name, GPtrArray *list);

/* Makes lists for the functions above: of char *, of CmkEntry *. */
GPtrArray *cmk_lines_new(void);
GPtrArray *cmk_entries_new(void);

/* The property called so; NULL if there is none. */
const CmkProperty *cmk_entry_property(const CmkEntry *entry, const char *name);

/* The names of all properties, separated by commas. Owned by the caller. */
char *cmk_entry_property_names(const CmkEntry *entry);

/* Its value as one text: words and lines are joined by `separator`. Owned by the caller. */
char *cmk_property_text(const CmkProperty *property, const char *separator);

/* ---- printing -------------------------------------------------------------------------------- */

/* A line of headings and a line for each entry, in columns of equal width; nothing is cut. */
void cmk_entries_print_table(const GPtrArray *entries, GString *out);

/* Everything about one entry. */
void cmk_entry_print(const CmkEntry *entry, GString *out);

/* An array of objects under "entries" beside "schema_version"; keys in the order of the alphabet.
 */
void cmk_entries_print_json(const GPtrArray *entries, GString *out);

/* A table of a page; names have anchors. */
void cmk_entries_print_markdown(const GPtrArray *entries, GString *out);

#endif
