/*
 * The world: one block of memory without pointers that holds everything the future depends on.
 *
 * A world is a set of tables. A table is an array of plain rows of fixed size that never move; row
 * 0 stands for "none", so a handle of 0 is never valid. Deleting is a state of a row, as in the
 * real cloud; only the bulk tables (timers, tasks, recovery points) recycle rows, through a free
 * list. The block is reserved for the limits given at the start and touched only where it is used.
 *
 * Cloning copies the used part of each table; two worlds are equal when these bytes are.
 *
 * Must not know: what any table means. The engine owns the first tables (enum below), the models
 * the ones after them.
 */
#ifndef CMK_SIM_WORLD_H
#define CMK_SIM_WORLD_H

#include "sim/base.h"
#include "sim/hash.h"

/* Tables that belong to the engine. A model numbers its own from CMK_TABLE_FIRST_OF_MODEL. */
enum {
    CMK_TABLE_AGENDA_HEAP, /* ordered keys of pending timers, sim/agenda.c */
    CMK_TABLE_TIMER,       /* what each pending timer will do, sim/agenda.c */
    CMK_TABLE_FIRST_OF_MODEL
};

#define CMK_TABLES_MAX 64

/* The most rows that one operation, or one handler of a timer, may add to one table. Each table is
 * reserved with as much to spare: what goes beyond a limit is noticed after it has happened, and
 * ends the run then, so a table that is exactly full does no harm to those who add nothing. */
#define CMK_ROWS_PER_OPERATION 8

/* How a model describes one of its tables. */
typedef struct CmkTableSpec {
    const char *name;    /* for messages: "recovery points" */
    uint32_t row_size;   /* bytes, a multiple of 8 */
    uint32_t limit;      /* most rows at one time, row 0 not counted */
    uint32_t is_scratch; /* 1: an accumulator, which refused operations may change too */
    uint32_t reserved;
} CmkTableSpec;

typedef struct CmkWorld CmkWorld;

/* A fresh world with `count` tables; NULL when the memory cannot be reserved. Free with
 * cmk_world_free(). Time starts at 0, the first sequence number is 1. */
CmkWorld *cmk_world_new(const CmkTableSpec *specs, uint32_t count, uint64_t seed);

/* A copy that behaves exactly like the original; NULL when the memory cannot be reserved. */
CmkWorld *cmk_world_clone(const CmkWorld *world);

/* Accepts NULL. */
void cmk_world_free(CmkWorld *world);

/* Same bytes in everything that counts; `ret_table`, if given, names the first table that differs
 * (NULL: only time, sequence or digest do). Linear in the bytes in use. */
bool cmk_world_equal(const CmkWorld *a, const CmkWorld *b, const char **ret_table);

/* One bit per table that is not the same in both, which must have the same tables. */
uint64_t cmk_world_differing_tables(const CmkWorld *a, const CmkWorld *b);

/* Bytes in use, which is what a clone copies. */
size_t cmk_world_used_bytes(const CmkWorld *world);

/* ---- time, seed, sequence, digest ------------------------------------------------------------ */

CmkTime cmk_world_now(const CmkWorld *world);

/* Moves the clock; it never runs backwards. */
void cmk_world_set_now(CmkWorld *world, CmkTime now);

uint64_t cmk_world_seed(const CmkWorld *world);

/* The sequence number that the next operation will get. */
uint64_t cmk_world_next_seq(const CmkWorld *world);

CmkDigest cmk_world_digest(const CmkWorld *world);

/* Sets the start of the digest: what the run is about, before its first record. */
void cmk_world_fold(CmkWorld *world, const void *data, size_t size_bytes);

/* ---- rows ------------------------------------------------------------------------------------ */

/* Highest row ever used, so rows are 1..count (free ones in recycling tables included). */
uint32_t cmk_world_count(const CmkWorld *world, uint32_t table);

uint32_t cmk_world_limit(const CmkWorld *world, uint32_t table);

const char *cmk_world_table_name(const CmkWorld *world, uint32_t table);

/* The row, which must exist. */
const void *cmk_world_row(const CmkWorld *world, uint32_t table, uint32_t row);

/* The row, for writing; marks the table as written for the self-check. Only the engine and
 * models/mutate.h may call the functions from here on. */
void *cmk_world_row_mut(CmkWorld *world, uint32_t table, uint32_t row);

/* A new zeroed row, the last one given back or else a fresh one. As long as no table is overfull,
 * up to CMK_ROWS_PER_OPERATION rows may be added to each. */
uint32_t cmk_world_row_add(CmkWorld *world, uint32_t table);

/* Gives a row back. Its bytes stay readable until the row is handed out again, except for the
 * first four, which chain the free rows: a recycling table keeps a spare uint32_t there. */
void cmk_world_row_recycle(CmkWorld *world, uint32_t table, uint32_t row);

/* Whether the table is below its limit. */
bool cmk_world_has_room(const CmkWorld *world, uint32_t table);

/* The name of a table with more rows in use than its limit, NULL if there is none. */
const char *cmk_world_overfull_table(const CmkWorld *world);

/* The engine's own view of a table for sim/agenda.c: all rows as one array, and the number of
 * rows in use set by hand (at most limit + CMK_ROWS_PER_OPERATION). */
void *cmk_world_rows_mut(CmkWorld *world, uint32_t table);
void cmk_world_set_count(CmkWorld *world, uint32_t table, uint32_t count);

/* One bit per table written since the last cmk_world_clear_written(). */
uint64_t cmk_world_written(const CmkWorld *world);
void cmk_world_clear_written(CmkWorld *world);

/* One bit per scratch table (CmkTableSpec.is_scratch). */
uint64_t cmk_world_scratch_tables(const CmkWorld *world);

/* Takes the next sequence number and folds the record of the operation that bears it. */
void cmk_world_commit_record(CmkWorld *world, const void *record, size_t size_bytes);

#endif
