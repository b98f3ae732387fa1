/*
 * The journal: every operation and its outcome, handed to readers as it happens.
 *
 * Readers look at the record and at the world right after it; they change neither. All analysis,
 * the store, the expectations and the real cryptography are readers.
 */
#ifndef CMK_SIM_JOURNAL_H
#define CMK_SIM_JOURNAL_H

#include "sim/tables.h"

#define CMK_READERS_MAX 8

typedef struct CmkReader {
    void (*read)(void *self, const CmkWorld *world, const CmkRecord *record);
    void *self;
} CmkReader;

typedef struct CmkJournal {
    CmkReader readers[CMK_READERS_MAX];
    uint32_t count;
} CmkJournal;

/* Adds a reader; they are called in the order in which they were added. */
void cmk_journal_add(CmkJournal *journal, CmkReader reader);

#endif
