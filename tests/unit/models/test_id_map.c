/* Maps from ids to rows, against a plain list of what should be in them. */
#include "models/id_map.h"

#include <criterion/criterion.h>

#include "sim/chance.h"

#define IDS 300 /* of each kind, few enough that they come and go and collide */
#define MOVES 20000

Test(id_map, finds_what_was_added_and_not_removed)
{
    uint32_t rows[IDS][2] = {0}; /* row + 1, 0: not there */
    CmkIdMap map = {0};
    cr_assert_eq(cmk_id_map_find(&map, 1, 0), CMK_ID_MAP_NONE);
    uint32_t count = 0;
    for (uint64_t i = 0; i < MOVES; i++) {
        const uint64_t dice = cmk_chance_bits(20250303, (CmkStream){1, 0}, i);
        const uint32_t first = (uint32_t)(dice % IDS);
        const uint32_t second = (uint32_t)(dice >> 32) % 2;
        uint32_t *row = &rows[first][second];
        if (*row == 0) {
            cr_assert(cmk_id_map_reserve(&map));
            cmk_id_map_add(&map, first, second, (uint32_t)i);
            *row = (uint32_t)i + 1;
            count++;
        } else if (i % 3 != 0) {
            cmk_id_map_remove(&map, first, second);
            *row = 0;
            count--;
        }
        cr_assert_eq(map.count, count);
        cr_assert_leq(map.count, (UINT32_C(1) << map.slots_log2) / 4 * 3);
        const uint32_t other = (uint32_t)(dice >> 16) % IDS; /* and one that was left alone */
        for (uint32_t k = 0; k < 2; k++) {
            const uint32_t wanted = rows[other][k] == 0 ? CMK_ID_MAP_NONE : rows[other][k] - 1;
            cr_assert_eq(cmk_id_map_find(&map, other, k), wanted);
        }
    }
    cmk_id_map_clear(&map);
    cr_assert_eq(cmk_id_map_find(&map, 1, 0), CMK_ID_MAP_NONE);
}
