#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "sim/world.h"
#include "tests/unit/sim/abort.h"

enum {
    TABLE_PLAIN = CMK_TABLE_FIRST_OF_MODEL,
    TABLE_WIDE,
    TABLE_SCRATCH,
    TABLE__COUNT
};

#define WIDE_LIMIT 100

typedef struct Plain {
    uint32_t next_free;
    uint32_t value;
} Plain;

typedef struct Wide {
    uint32_t next_free;
    uint32_t value;
    uint64_t rest[4];
} Wide;

static CmkWorld *make(void)
{
    const CmkTableSpec specs[TABLE__COUNT] = {
        [CMK_TABLE_AGENDA_HEAP] = {.name = "heap", .row_size = 16, .limit = 8},
        [CMK_TABLE_TIMER] = {.name = "timers", .row_size = 32, .limit = 8},
        [TABLE_PLAIN] = {.name = "plain", .row_size = sizeof(Plain), .limit = 3},
        [TABLE_WIDE] = {.name = "wide", .row_size = sizeof(Wide), .limit = WIDE_LIMIT},
        [TABLE_SCRATCH] = {.name = "scratch", .row_size = 8, .limit = 5, .is_scratch = 1},
    };
    return cmk_world_new(specs, TABLE__COUNT, 77);
}

static uint32_t add_plain(CmkWorld *world, uint32_t value)
{
    const uint32_t row = cmk_world_row_add(world, TABLE_PLAIN);
    Plain *plain = cmk_world_row_mut(world, TABLE_PLAIN, row);
    plain->value = value;
    return row;
}

static const Plain *plain_of(const CmkWorld *world, uint32_t row)
{
    return cmk_world_row(world, TABLE_PLAIN, row);
}

Test(world, starts_empty)
{
    CmkWorld *world = make();
    cr_assert_not_null(world);
    cr_assert_eq(cmk_world_now(world), 0);
    cr_assert_eq(cmk_world_seed(world), 77);
    cr_assert_eq(cmk_world_next_seq(world), 1);
    cr_assert(cmk_digest_equal(cmk_world_digest(world), (CmkDigest){0, 0}));
    cr_assert_eq(cmk_world_written(world), 0);
    cr_assert_eq(cmk_world_scratch_tables(world), UINT64_C(1) << TABLE_SCRATCH);
    cr_assert_null(cmk_world_overfull_table(world));
    for (uint32_t table = 0; table < TABLE__COUNT; table++) {
        cr_assert_eq(cmk_world_count(world, table), 0);
        cr_assert(cmk_world_has_room(world, table));
    }
    cr_assert_str_eq(cmk_world_table_name(world, TABLE_WIDE), "wide");
    cr_assert_eq(cmk_world_limit(world, TABLE_WIDE), WIDE_LIMIT);
    cr_assert_eq(plain_of(world, 0)->value, 0, "row 0 can be read and is zero");

    cmk_world_set_now(world, 5);
    cmk_world_set_now(world, 5);
    cr_assert_eq(cmk_world_now(world), 5);
    cmk_world_free(world);
    cmk_world_free(NULL);
}

Test(world, hands_out_and_recycles_rows)
{
    CmkWorld *world = make();
    for (uint32_t i = 1; i <= 3; i++) {
        cr_assert_eq(add_plain(world, 10 * i), i);
    }
    cr_assert_not(cmk_world_has_room(world, TABLE_PLAIN));
    cr_assert_null(cmk_world_overfull_table(world), "exactly full is no harm");

    cmk_world_row_recycle(world, TABLE_PLAIN, 2);
    cr_assert(cmk_world_has_room(world, TABLE_PLAIN));
    cmk_world_row_recycle(world, TABLE_PLAIN, 3);
    cr_assert_eq(cmk_world_count(world, TABLE_PLAIN), 3, "free rows are counted");
    cr_assert_eq(plain_of(world, 2)->value, 20, "the bytes of a free row can still be read");
    cr_assert_eq(plain_of(world, 3)->value, 30);

    cr_assert_eq(cmk_world_row_add(world, TABLE_PLAIN), 3, "the last row given back comes first");
    cr_assert_eq(plain_of(world, 3)->value, 0, "a row handed out again is zero");
    cr_assert_eq(plain_of(world, 3)->next_free, 0);
    cr_assert_eq(cmk_world_row_add(world, TABLE_PLAIN), 2);
    cr_assert_eq(cmk_world_row_add(world, TABLE_PLAIN), 4);
    cr_assert_str_eq(cmk_world_overfull_table(world), "plain", "beyond the limit by one");
    cmk_world_row_recycle(world, TABLE_PLAIN, 1);
    cr_assert_null(cmk_world_overfull_table(world));
    cr_assert_not(cmk_world_has_room(world, TABLE_PLAIN));

    /* Neighbours do not overlap, whatever the size of a row. */
    for (uint32_t i = 1; i <= WIDE_LIMIT; i++) {
        const uint32_t row = cmk_world_row_add(world, TABLE_WIDE);
        memset(cmk_world_row_mut(world, TABLE_WIDE, row), (int)(i & 0xff), sizeof(Wide));
    }
    for (uint32_t i = 1; i <= WIDE_LIMIT; i++) {
        Wide expected;
        memset(&expected, (int)(i & 0xff), sizeof(expected));
        cr_assert_eq(memcmp(cmk_world_row(world, TABLE_WIDE, i), &expected, sizeof(Wide)), 0,
                     "row %u", i);
    }
    cmk_world_free(world);
}

/* Random taking and giving back, beside a list that does the same. */
Test(world, recycles_as_a_stack_would)
{
    CmkWorld *world = make();
    uint32_t free_rows[WIDE_LIMIT + 1], used_rows[WIDE_LIMIT + 1];
    uint32_t free_count = 0, used_count = 0, highest = 0;
    uint64_t state = 20250101;
    for (int i = 0; i < 50000; i++) {
        state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
        const uint32_t draw = (uint32_t)(state >> 33);
        const bool is_adding = used_count == 0 || (draw % 2 == 0 && used_count < WIDE_LIMIT);
        if (is_adding) {
            const uint32_t expected = free_count > 0 ? free_rows[--free_count] : ++highest;
            cr_assert_eq(cmk_world_row_add(world, TABLE_WIDE), expected, "operation %d", i);
            used_rows[used_count++] = expected;
        } else {
            const uint32_t at = draw / 2 % used_count;
            free_rows[free_count++] = used_rows[at];
            cmk_world_row_recycle(world, TABLE_WIDE, used_rows[at]);
            used_rows[at] = used_rows[--used_count];
        }
        cr_assert_eq(cmk_world_count(world, TABLE_WIDE), highest);
        cr_assert_eq(cmk_world_has_room(world, TABLE_WIDE), used_count < WIDE_LIMIT);
    }
    cmk_world_free(world);
}

Test(world, clones_are_equal_and_independent)
{
    CmkWorld *world = make();
    (void)add_plain(world, 1);
    (void)add_plain(world, 2);
    (void)cmk_world_row_add(world, TABLE_WIDE);
    cmk_world_row_recycle(world, TABLE_PLAIN, 1);
    cmk_world_fold(world, "scenario", 8);
    cmk_world_set_now(world, 12345);

    CmkWorld *copy = cmk_world_clone(world);
    const char *differs = "untouched";
    cr_assert(cmk_world_equal(world, copy, &differs));
    cr_assert_str_eq(differs, "untouched");
    cr_assert_eq(cmk_world_used_bytes(world), cmk_world_used_bytes(copy));
    cr_assert_eq(cmk_world_differing_tables(world, copy), 0);

    /* The same history from here on gives the same world, recycled rows included. */
    cr_assert_eq(add_plain(world, 9), add_plain(copy, 9));
    cr_assert(cmk_world_equal(world, copy, NULL));

    Wide *wide = cmk_world_row_mut(copy, TABLE_WIDE, 1);
    wide->rest[3] = 1;
    const Wide *original = cmk_world_row(world, TABLE_WIDE, 1);
    cr_assert_eq(original->rest[3], 0);
    cr_assert_not(cmk_world_equal(world, copy, &differs));
    cr_assert_str_eq(differs, "wide");
    cr_assert_eq(cmk_world_differing_tables(world, copy), UINT64_C(1) << TABLE_WIDE);

    cmk_world_free(world);
    const Wide *left = cmk_world_row(copy, TABLE_WIDE, 1);
    cr_assert_eq(left->rest[3], 1, "a clone does not need its original");
    cmk_world_free(copy);
}

typedef struct Difference {
    const char *table; /* NULL: not a table */
    void (*make)(CmkWorld *world);
} Difference;

static void differ_in_count(CmkWorld *world)
{
    (void)cmk_world_row_add(world, TABLE_SCRATCH);
}

static void differ_in_free_rows(CmkWorld *world)
{
    cmk_world_row_recycle(world, TABLE_WIDE, 1);
}

static void differ_in_time(CmkWorld *world)
{
    cmk_world_set_now(world, 1);
}

static void differ_in_digest(CmkWorld *world)
{
    cmk_world_fold(world, "x", 1);
}

static void differ_in_sequence(CmkWorld *world)
{
    cmk_world_commit_record(world, "x", 1);
}

Test(world, equality_names_what_differs)
{
    const Difference differences[] = {
        {"scratch", differ_in_count}, {"wide", differ_in_free_rows}, {NULL, differ_in_time},
        {NULL, differ_in_digest},     {NULL, differ_in_sequence},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(differences); i++) {
        CmkWorld *world = make();
        (void)cmk_world_row_add(world, TABLE_WIDE);
        CmkWorld *other = cmk_world_clone(world);
        differences[i].make(other);
        const char *differs = "untouched";
        cr_assert_not(cmk_world_equal(world, other, &differs), "difference %zu", i);
        if (differences[i].table == NULL) {
            cr_assert_null(differs, "difference %zu", i);
        } else {
            cr_assert_str_eq(differs, differences[i].table, "difference %zu", i);
        }
        cmk_world_free(world);
        cmk_world_free(other);
    }
    /* What has been written lately is a note for the self-check, no property of the world. */
    CmkWorld *world = make();
    CmkWorld *other = cmk_world_clone(world);
    (void)cmk_world_rows_mut(other, TABLE_WIDE);
    cr_assert(cmk_world_equal(world, other, NULL));
    cmk_world_free(world);
    cmk_world_free(other);
}

Test(world, counts_bytes_in_use)
{
    CmkWorld *world = make();
    const size_t empty = cmk_world_used_bytes(world);
    (void)add_plain(world, 1);
    cr_assert_eq(cmk_world_used_bytes(world), empty + sizeof(Plain));
    (void)cmk_world_row_add(world, TABLE_WIDE);
    cr_assert_eq(cmk_world_used_bytes(world), empty + sizeof(Plain) + sizeof(Wide));
    cmk_world_row_recycle(world, TABLE_WIDE, 1);
    cr_assert_eq(cmk_world_used_bytes(world), empty + sizeof(Plain) + sizeof(Wide));
    cmk_world_free(world);

    /* Reserving is not using: a large table is a matter of address space. */
    const CmkTableSpec specs[] = {
        {.name = "heap", .row_size = 16, .limit = 1},
        {.name = "timers", .row_size = 32, .limit = 1},
        {.name = "big", .row_size = 8, .limit = 100000000},
    };
    CmkWorld *big = cmk_world_new(specs, CMK_ARRAY_LEN(specs), 1);
    cr_assert_not_null(big);
    (void)cmk_world_row_add(big, CMK_TABLE_FIRST_OF_MODEL);
    cr_assert_lt(cmk_world_used_bytes(big), (size_t)1 << 16);
    cmk_world_free(big);
}

Test(world, notes_what_is_written)
{
    CmkWorld *world = make();
    const uint64_t plain = UINT64_C(1) << TABLE_PLAIN, wide = UINT64_C(1) << TABLE_WIDE;
    (void)cmk_world_row_add(world, TABLE_PLAIN);
    cr_assert_eq(cmk_world_written(world), plain);
    (void)cmk_world_row_add(world, TABLE_WIDE);
    cr_assert_eq(cmk_world_written(world), plain | wide);
    cmk_world_clear_written(world);
    (void)cmk_world_row(world, TABLE_WIDE, 1);
    cr_assert_eq(cmk_world_written(world), 0, "reading leaves no mark");
    (void)cmk_world_row_mut(world, TABLE_WIDE, 1);
    cr_assert_eq(cmk_world_written(world), wide);
    cmk_world_clear_written(world);
    cmk_world_row_recycle(world, TABLE_PLAIN, 1);
    cr_assert_eq(cmk_world_written(world), plain);
    cmk_world_clear_written(world);
    (void)cmk_world_rows_mut(world, TABLE_SCRATCH);
    cr_assert_eq(cmk_world_written(world), UINT64_C(1) << TABLE_SCRATCH);
    cmk_world_clear_written(world);
    cmk_world_set_count(world, TABLE_SCRATCH, 4);
    cr_assert_eq(cmk_world_written(world), UINT64_C(1) << TABLE_SCRATCH);
    cmk_world_free(world);
}

Test(world, digest_is_a_chain)
{
    CmkWorld *world = make();
    cmk_world_fold(world, "a", 1);
    cmk_world_fold(world, "b", 1);
    const CmkDigest ab = cmk_world_digest(world);
    const CmkDigest a = cmk_digest_fold((CmkDigest){0, 0}, "a", 1);
    const CmkDigest b = cmk_digest_fold((CmkDigest){0, 0}, "b", 1);
    cr_assert(cmk_digest_equal(ab, cmk_digest_fold(a, "b", 1)));
    cr_assert_not(cmk_digest_equal(ab, cmk_digest_fold(b, "a", 1)), "the order counts");
    cr_assert_not(cmk_digest_equal(ab, cmk_digest_fold((CmkDigest){0, 0}, "ab", 2)));
    cr_assert_eq(cmk_world_next_seq(world), 1);
    cmk_world_commit_record(world, "c", 1);
    cr_assert_eq(cmk_world_next_seq(world), 2);
    cr_assert(cmk_digest_equal(cmk_world_digest(world), cmk_digest_fold(ab, "c", 1)));

    /* Both halves of what was before go on into both halves of what is after. */
    const CmkDigest other_low = cmk_digest_fold((CmkDigest){a.low ^ 1, a.high}, "b", 1);
    const CmkDigest other_high = cmk_digest_fold((CmkDigest){a.low, a.high ^ 1}, "b", 1);
    cr_assert_neq(ab.low, other_low.low);
    cr_assert_neq(ab.high, other_low.high);
    cr_assert_neq(ab.low, other_high.low);

    char text[CMK_DIGEST_TEXT_SIZE];
    cmk_digest_format((CmkDigest){.low = 0xab, .high = UINT64_C(0x0123456789abcdef)}, text);
    cr_assert_str_eq(text, "0123456789abcdef00000000000000ab");
    cmk_world_free(world);
}

static void abort_on_row_beyond(void)
{
    (void)cmk_world_row(make(), TABLE_PLAIN, 1);
}

static void abort_on_writing_row_0(void)
{
    (void)cmk_world_row_mut(make(), TABLE_PLAIN, 0);
}

static void abort_on_unknown_table(void)
{
    (void)cmk_world_count(make(), TABLE__COUNT);
}

static void abort_beyond_the_spare_rows(void)
{
    CmkWorld *world = make();
    for (uint32_t i = 0; i < 3 + CMK_ROWS_PER_OPERATION; i++) {
        (void)cmk_world_row_add(world, TABLE_PLAIN);
    }
    if (strcmp(cmk_world_overfull_table(world), "plain") != 0) {
        _exit(1);
    }
    (void)cmk_world_row_add(world, TABLE_PLAIN);
}

static void abort_on_time_running_back(void)
{
    CmkWorld *world = make();
    cmk_world_set_now(world, 5);
    cmk_world_set_now(world, 4);
}

static void abort_on_recycling_too_often(void)
{
    CmkWorld *world = make();
    (void)cmk_world_row_add(world, TABLE_PLAIN);
    cmk_world_row_recycle(world, TABLE_PLAIN, 1);
    cmk_world_row_recycle(world, TABLE_PLAIN, 1);
}

static void abort_on_count_beyond(void)
{
    cmk_world_set_count(make(), TABLE_PLAIN, 3 + CMK_ROWS_PER_OPERATION + 1);
}

Test(world, asserts)
{
    const AbortCase cases[] = {
        {"row beyond", "row <= t->count", abort_on_row_beyond},
        {"row 0", "row != 0", abort_on_writing_row_0},
        {"unknown table", "table < world->table_count", abort_on_unknown_table},
        {"spare rows", "CMK_ROWS_PER_OPERATION", abort_beyond_the_spare_rows},
        {"time runs back", "now >= world->now", abort_on_time_running_back},
        {"recycled twice", "free_count < t->count", abort_on_recycling_too_often},
        {"count beyond", "CMK_ROWS_PER_OPERATION", abort_on_count_beyond},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        cr_assert(aborts_as_told(&cases[i]), "%s", cases[i].name);
    }
}
