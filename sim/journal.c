#include "sim/journal.h"

void cmk_journal_add(CmkJournal *journal, CmkReader reader)
{
    CMK_ASSERT(journal->count < CMK_READERS_MAX);
    CMK_ASSERT(reader.read != NULL);
    journal->readers[journal->count++] = reader;
}
