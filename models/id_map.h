/*
 * From one or two ids to the row of a table: how the envelope finds what it keeps. Open addressing,
 * linear probing, never more than 3/4 full. Memory comes from OpenSSL, whose failures the tests of
 * the envelope count down.
 *
 * Must not know: what the ids and rows are of; key bytes.
 */
#ifndef CMK_MODELS_ID_MAP_H
#define CMK_MODELS_ID_MAP_H

#include "sim/base.h"

#define CMK_ID_MAP_NONE UINT32_MAX /* no row */

typedef struct CmkIdSlot {
    uint32_t first;
    uint32_t second;
    uint32_t row_plus_1; /* 0: empty */
} CmkIdSlot;

/* All 0 is an empty map. */
typedef struct CmkIdMap {
    CmkIdSlot *slots; /* owned */
    uint32_t slots_log2;
    uint32_t count;
} CmkIdMap;

/* The row, or CMK_ID_MAP_NONE. */
uint32_t cmk_id_map_find(const CmkIdMap *map, uint32_t first, uint32_t second);

/* Makes sure of room for one more; false when memory is out, and then the map is as it was. */
bool cmk_id_map_reserve(CmkIdMap *map);

/* The ids are new to the map, and there is room for them. */
void cmk_id_map_add(CmkIdMap *map, uint32_t first, uint32_t second, uint32_t row);

/* Takes out ids that are there. */
void cmk_id_map_remove(CmkIdMap *map, uint32_t first, uint32_t second);

/* Gives the memory back; the map is empty then. */
void cmk_id_map_clear(CmkIdMap *map);

#endif
