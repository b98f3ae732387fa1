/*
 * What the stores of keys answered while faults were in force, and what Backup made of it: read
 * from the database of a finished run.
 */
#ifndef CMK_ANALYSIS_ANSWERS_H
#define CMK_ANALYSIS_ANSWERS_H

#include "analysis/entry.h"

/* One entry for each fault, store of keys, kind of job and answer, in the order of the faults (view
 * v_answers). NULL (CMK_STORE_ERROR) if the database cannot be read. Owned by the caller. */
GPtrArray *cmk_answers_read(const char *db_path, GError **error);

#endif
