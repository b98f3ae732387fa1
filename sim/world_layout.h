/*
 * How a world lies in memory, for the files of the engine that touch it with every timer. Everybody
 * else uses sim/world.h.
 *
 * The block begins with this header; then come the tables, each on a page of its own.
 */
#ifndef CMK_SIM_WORLD_LAYOUT_H
#define CMK_SIM_WORLD_LAYOUT_H

#include <string.h>

#include "sim/world.h"

typedef struct CmkTable {
    uint64_t offset; /* of row 0, from the start of the block */
    uint32_t row_size;
    uint32_t limit;
    uint32_t count;     /* rows 1..count have been in use */
    uint32_t free_head; /* first recycled row, 0 if none */
    uint32_t free_count;
    uint32_t is_scratch;
    char name[32];
} CmkTable;

struct CmkWorld {
    uint64_t reserved_bytes; /* of the whole block */
    CmkTime now;
    uint64_t seed;
    uint64_t next_seq;
    CmkDigest digest;
    uint32_t table_count;
    uint32_t reserved;
    uint64_t overfull; /* bit per table with more rows in use than its limit */
    CmkTable tables[CMK_TABLES_MAX];
    uint64_t written; /* bit per table, between two clears; not part of what a world is */
};

static inline char *cmk_layout_row(CmkWorld *world, uint32_t table, uint32_t row)
{
    const CmkTable *t = &world->tables[table];
    return (char *)world + t->offset + (uint64_t)row * t->row_size;
}

/* To be called when a table's number of rows in use has changed. */
static inline void cmk_layout_note_use(CmkWorld *world, uint32_t table)
{
    const CmkTable *t = &world->tables[table];
    const uint64_t bit = UINT64_C(1) << table;
    if (t->count - t->free_count > t->limit) {
        world->overfull |= bit;
    } else if (world->overfull != 0) {
        world->overfull &= ~bit;
    }
}

/* As cmk_world_row_add(), but a row that was in use before keeps its bytes, and nothing is marked
 * as written. */
static inline uint32_t cmk_layout_take(CmkWorld *world, uint32_t table)
{
    CmkTable *t = &world->tables[table];
    uint32_t row = t->free_head;
    if (row != 0) {
        memcpy(&t->free_head, cmk_layout_row(world, table, row), sizeof(t->free_head));
        t->free_count--;
    } else {
        CMK_ASSERT(t->count < t->limit + CMK_ROWS_PER_OPERATION);
        row = ++t->count;
    }
    cmk_layout_note_use(world, table);
    return row;
}

#endif
