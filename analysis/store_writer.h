/*
 * The thread behind the store: takes batches of rows through a bounded queue, owns the database
 * connection, and gives the file its name when it is complete.
 *
 * One thread fills rows, one writes them. Batches circulate: when all of them are full, the filling
 * thread waits, so memory is bounded. After a failure the writing thread only gives batches back.
 *
 * Must not know: what the rows mean, nor where they come from.
 */
#ifndef CMK_ANALYSIS_STORE_WRITER_H
#define CMK_ANALYSIS_STORE_WRITER_H

#include <stdbool.h>

#include <glib.h>
#include <sqlite3.h>

#include "analysis/store_schema.h"

typedef struct CmkStoreWriter CmkStoreWriter;

/* What is to be written after the last batch, on the writing thread: an SQLite result code. */
typedef int (*CmkStoreFill)(void *self, sqlite3 *db);

/* Begins a file that will be at `path`. Never NULL; cmk_store_writer_close() tells failures. */
CmkStoreWriter *cmk_store_writer_open(const char *path);

/* Room for the next row of a table, to be filled before the next call; NULL after a failure. Waits
 * while all batches are on their way. */
void *cmk_store_writer_row(CmkStoreWriter *writer, CmkStoreTable table);

bool cmk_store_writer_has_failed(CmkStoreWriter *writer);

/* Writes the rest and whatever `fill` writes, then names the file; frees the writer. On failure
 * false and CMK_STORE_ERROR_WRITE, and nothing is left. */
bool cmk_store_writer_close(CmkStoreWriter *writer, CmkStoreFill fill, void *self, GError **error);

/* Removes the file and frees the writer. */
void cmk_store_writer_abort(CmkStoreWriter *writer);

#endif
