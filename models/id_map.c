#include "models/id_map.h"

#include <openssl/crypto.h>

static uint32_t home_of(const CmkIdMap *map, uint32_t first, uint32_t second)
{
    uint64_t key = ((uint64_t)second << 32) | first;
    return (uint32_t)((key * UINT64_C(0x9e3779b97f4a7c15)) >> (64 - map->slots_log2));
}

uint32_t cmk_id_map_find(const CmkIdMap *map, uint32_t first, uint32_t second)
{
    if (map->count == 0) {
        return CMK_ID_MAP_NONE;
    }
    const uint32_t mask = (UINT32_C(1) << map->slots_log2) - 1;
    uint32_t at = home_of(map, first, second);
    while (map->slots[at].row_plus_1 != 0) { /* ends: at most 3/4 of the slots are full */
        if (map->slots[at].first == first && map->slots[at].second == second) {
            return map->slots[at].row_plus_1 - 1;
        }
        at = (at + 1) & mask;
    }
    return CMK_ID_MAP_NONE;
}

/* Ids are new to the map, and there is room. */
static void put(CmkIdMap *map, CmkIdSlot slot)
{
    const uint32_t mask = (UINT32_C(1) << map->slots_log2) - 1;
    uint32_t at = home_of(map, slot.first, slot.second);
    while (map->slots[at].row_plus_1 != 0) {
        CMK_ASSERT(map->slots[at].first != slot.first || map->slots[at].second != slot.second);
        at = (at + 1) & mask;
    }
    map->slots[at] = slot;
    map->count++;
}

bool cmk_id_map_reserve(CmkIdMap *map)
{
    const uint64_t slots = map->slots == NULL ? 0 : UINT64_C(1) << map->slots_log2;
    if (map->count + UINT64_C(1) <= slots / 4 * 3) {
        return true;
    }
    CmkIdMap larger = {.slots_log2 = map->slots == NULL ? 6 : map->slots_log2 + 1};
    CMK_ASSERT(larger.slots_log2 < 32);
    larger.slots = OPENSSL_zalloc(sizeof(CmkIdSlot) << larger.slots_log2);
    if (larger.slots == NULL) {
        return false;
    }
    for (uint64_t i = 0; i < slots; i++) {
        if (map->slots[i].row_plus_1 != 0) {
            put(&larger, map->slots[i]);
        }
    }
    OPENSSL_free(map->slots);
    *map = larger;
    return true;
}

void cmk_id_map_add(CmkIdMap *map, uint32_t first, uint32_t second, uint32_t row)
{
    CMK_ASSERT(row != CMK_ID_MAP_NONE);
    put(map, (CmkIdSlot){.first = first, .second = second, .row_plus_1 = row + 1});
}

/* Moves later entries of the run up, so that no search meets a false end. */
void cmk_id_map_remove(CmkIdMap *map, uint32_t first, uint32_t second)
{
    const uint32_t mask = (UINT32_C(1) << map->slots_log2) - 1;
    uint32_t hole = home_of(map, first, second);
    while (map->slots[hole].first != first || map->slots[hole].second != second ||
           map->slots[hole].row_plus_1 == 0) {
        CMK_ASSERT(map->slots[hole].row_plus_1 != 0);
        hole = (hole + 1) & mask;
    }
    uint32_t at = (hole + 1) & mask;
    while (map->slots[at].row_plus_1 != 0) {
        uint32_t home = home_of(map, map->slots[at].first, map->slots[at].second);
        if (((at - home) & mask) >= ((at - hole) & mask)) {
            map->slots[hole] = map->slots[at];
            hole = at;
        }
        at = (at + 1) & mask;
    }
    map->slots[hole] = (CmkIdSlot){0};
    map->count--;
}

void cmk_id_map_clear(CmkIdMap *map)
{
    OPENSSL_free(map->slots);
    *map = (CmkIdMap){0};
}
