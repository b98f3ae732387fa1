/*
 * What the two sides of a test can be: typed values in whole numbers, read from text and written
 * for people.
 *
 * Must not know: conditions, the world.
 */
#ifndef CMK_ANALYSIS_VALUE_H
#define CMK_ANALYSIS_VALUE_H

#include <glib.h>

#include "sim/base.h"

typedef enum CmkValueKind {
    CMK_VALUE_BOOLEAN, /* 0 or 1 */
    CMK_VALUE_INTEGER,
    CMK_VALUE_DURATION, /* microseconds */
    CMK_VALUE_INSTANT,  /* CmkTime */
    CMK_VALUE_MONEY,    /* 10^-9 of a US dollar */
    CMK_VALUE_SIZE,     /* bytes */
    CMK_VALUE_SHARE,    /* parts per million */
    CMK_VALUE_WORD,     /* index of one of the type's words */
    CMK_VALUE_NAME,  /* row of something with a name: analysis/name_index.h reads and writes it */
    CMK_VALUE_CODES, /* rows of the status table, in filters only: a CmkStatusSet holds them */
    CMK_VALUE_KIND__COUNT
} CmkValueKind;

typedef struct CmkType {
    CmkValueKind kind;
    const char *const *words; /* of a word, ends at NULL */
    const char *names;        /* of a name: kind of what has it, "identity" */
} CmkType;

/* Stands for a value that is not there: the first job of none, a key that never expires. */
#define CMK_VALUE_NONE INT64_MIN

/* Room for a message of cmk_value_parse(). */
#define CMK_VALUE_MESSAGE_SIZE 256

/* Whether two values of these types may be compared. */
bool cmk_type_equal(const CmkType *a, const CmkType *b);

/* Whether < and > make sense. */
bool cmk_type_is_ordered(const CmkType *type);

/* "a whole number", "a duration such as 36h": for messages. */
const char *cmk_type_text(const CmkType *type);

/* Reads a value of any kind but a name or codes. start: what "+3d" counts from. On failure false
 * and one sentence in `message`. */
bool cmk_value_parse(const CmkType *type, const char *text, CmkTime start, int64_t *ret_value,
                     char message[CMK_VALUE_MESSAGE_SIZE]);

/* Appends a value of any kind but a name or codes; "nothing" for CMK_VALUE_NONE. */
void cmk_value_format(const CmkType *type, int64_t value, GString *out);

/* How many words there are. */
size_t cmk_words_count(const char *const *words);

/* Appends a moment as counted from the start, as one writes it in a scenario: "+23d2h". */
void cmk_offset_format(CmkTime time, CmkTime start, GString *out);

#endif
