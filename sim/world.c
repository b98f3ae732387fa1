#define _GNU_SOURCE /* MAP_ANONYMOUS, MAP_NORESERVE, madvise */
#include "sim/world.h"

#include <string.h>
#include <sys/mman.h>

#include "sim/world_layout.h"

#define TABLE_ALIGNMENT ((uint64_t)4096)
#define HUGE_PAGE_BYTES ((uint64_t)2 << 20)

static uint64_t align_up(uint64_t bytes, uint64_t to)
{
    return (bytes + to - 1) & ~(to - 1);
}

static CmkWorld *reserve(uint64_t bytes)
{
    void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (block == MAP_FAILED) {
        return NULL;
    }
    if (bytes >= HUGE_PAGE_BYTES) {
        /* Only advice: with small pages everything works, a little slower. */
        (void)madvise(block, bytes, MADV_HUGEPAGE);
    }
    return block;
}

CmkWorld *cmk_world_new(const CmkTableSpec *specs, uint32_t count, uint64_t seed)
{
    CMK_ASSERT(count >= CMK_TABLE_FIRST_OF_MODEL);
    CMK_ASSERT(count <= CMK_TABLES_MAX);
    uint64_t offset = align_up(sizeof(CmkWorld), TABLE_ALIGNMENT);
    CmkTable tables[CMK_TABLES_MAX];
    memset(tables, 0, sizeof(tables));
    for (uint32_t i = 0; i < count; i++) {
        CMK_ASSERT(specs[i].row_size >= 8 && specs[i].row_size % 8 == 0);
        CMK_ASSERT(specs[i].limit < UINT32_MAX - CMK_ROWS_PER_OPERATION);
        CMK_ASSERT(strlen(specs[i].name) < sizeof(tables[i].name));
        tables[i].offset = offset;
        tables[i].row_size = specs[i].row_size;
        tables[i].limit = specs[i].limit;
        tables[i].is_scratch = specs[i].is_scratch;
        strncpy(tables[i].name, specs[i].name, sizeof(tables[i].name) - 1);
        uint64_t rows = (uint64_t)specs[i].limit + 1 + CMK_ROWS_PER_OPERATION;
        offset = align_up(offset + (uint64_t)specs[i].row_size * rows, TABLE_ALIGNMENT);
    }
    CmkWorld *world = reserve(offset);
    if (world == NULL) {
        return NULL;
    }
    world->reserved_bytes = offset;
    world->seed = seed;
    world->next_seq = 1;
    world->table_count = count;
    memcpy(world->tables, tables, sizeof(tables));
    return world;
}

static const CmkTable *table_of(const CmkWorld *world, uint32_t table)
{
    CMK_ASSERT(table < world->table_count);
    return &world->tables[table];
}

static size_t used_bytes(const CmkTable *table)
{
    return (size_t)table->row_size * ((size_t)table->count + 1);
}

CmkWorld *cmk_world_clone(const CmkWorld *world)
{
    CmkWorld *copy = reserve(world->reserved_bytes);
    if (copy == NULL) {
        return NULL;
    }
    memcpy(copy, world, sizeof(*world));
    for (uint32_t i = 0; i < world->table_count; i++) {
        const CmkTable *table = &world->tables[i];
        memcpy((char *)copy + table->offset, (const char *)world + table->offset,
               used_bytes(table));
    }
    return copy;
}

void cmk_world_free(CmkWorld *world)
{
    if (world != NULL) {
        (void)munmap(world, world->reserved_bytes);
    }
}

uint64_t cmk_world_differing_tables(const CmkWorld *a, const CmkWorld *b)
{
    CMK_ASSERT(a->table_count == b->table_count);
    uint64_t mask = 0;
    for (uint32_t i = 0; i < a->table_count; i++) {
        const CmkTable *table = &a->tables[i];
        const bool is_same = memcmp(table, &b->tables[i], sizeof(*table)) == 0 &&
                             memcmp((const char *)a + table->offset,
                                    (const char *)b + table->offset, used_bytes(table)) == 0;
        mask |= is_same ? 0 : UINT64_C(1) << i;
    }
    return mask;
}

bool cmk_world_equal(const CmkWorld *a, const CmkWorld *b, const char **ret_table)
{
    const uint64_t differing =
        a->table_count == b->table_count ? cmk_world_differing_tables(a, b) : 0;
    const bool is_equal = differing == 0 && memcmp(a, b, offsetof(CmkWorld, tables)) == 0;
    if (!is_equal && ret_table != NULL) {
        *ret_table = differing == 0 ? NULL : a->tables[__builtin_ctzll(differing)].name;
    }
    return is_equal;
}

size_t cmk_world_used_bytes(const CmkWorld *world)
{
    size_t bytes = sizeof(*world);
    for (uint32_t i = 0; i < world->table_count; i++) {
        bytes += used_bytes(&world->tables[i]);
    }
    return bytes;
}

CmkTime cmk_world_now(const CmkWorld *world)
{
    return world->now;
}

void cmk_world_set_now(CmkWorld *world, CmkTime now)
{
    CMK_ASSERT(now >= world->now);
    world->now = now;
}

uint64_t cmk_world_seed(const CmkWorld *world)
{
    return world->seed;
}

uint64_t cmk_world_next_seq(const CmkWorld *world)
{
    return world->next_seq;
}

CmkDigest cmk_world_digest(const CmkWorld *world)
{
    return world->digest;
}

void cmk_world_fold(CmkWorld *world, const void *data, size_t size_bytes)
{
    world->digest = cmk_digest_fold(world->digest, data, size_bytes);
}

void cmk_world_commit_record(CmkWorld *world, const void *record, size_t size_bytes)
{
    world->digest = cmk_digest_fold(world->digest, record, size_bytes);
    world->next_seq++;
}

uint32_t cmk_world_count(const CmkWorld *world, uint32_t table)
{
    return table_of(world, table)->count;
}

uint32_t cmk_world_limit(const CmkWorld *world, uint32_t table)
{
    return table_of(world, table)->limit;
}

const char *cmk_world_table_name(const CmkWorld *world, uint32_t table)
{
    return table_of(world, table)->name;
}

const void *cmk_world_row(const CmkWorld *world, uint32_t table, uint32_t row)
{
    const CmkTable *t = table_of(world, table);
    CMK_ASSERT(row <= t->count);
    return (const char *)world + t->offset + (uint64_t)row * t->row_size;
}

void *cmk_world_row_mut(CmkWorld *world, uint32_t table, uint32_t row)
{
    CMK_ASSERT(row != 0 && row <= table_of(world, table)->count);
    world->written |= UINT64_C(1) << table;
    return cmk_layout_row(world, table, row);
}

uint32_t cmk_world_row_add(CmkWorld *world, uint32_t table)
{
    CMK_ASSERT(table < world->table_count);
    const uint32_t used_before = world->tables[table].count;
    const uint32_t row = cmk_layout_take(world, table);
    world->written |= UINT64_C(1) << table;
    if (row <= used_before) { /* the fresh pages of the block are zero */
        memset(cmk_layout_row(world, table, row), 0, world->tables[table].row_size);
    }
    return row;
}

void cmk_world_row_recycle(CmkWorld *world, uint32_t table, uint32_t row)
{
    CMK_ASSERT(table < world->table_count);
    CmkTable *t = &world->tables[table];
    CMK_ASSERT(row != 0 && row <= t->count);
    CMK_ASSERT(t->free_count < t->count);
    memcpy(cmk_layout_row(world, table, row), &t->free_head, sizeof(t->free_head));
    t->free_head = row;
    t->free_count++;
    world->written |= UINT64_C(1) << table;
    cmk_layout_note_use(world, table);
}

bool cmk_world_has_room(const CmkWorld *world, uint32_t table)
{
    const CmkTable *t = table_of(world, table);
    return t->count - t->free_count < t->limit;
}

const char *cmk_world_overfull_table(const CmkWorld *world)
{
    return world->overfull == 0 ? NULL : world->tables[__builtin_ctzll(world->overfull)].name;
}

void *cmk_world_rows_mut(CmkWorld *world, uint32_t table)
{
    world->written |= UINT64_C(1) << table;
    return (char *)world + table_of(world, table)->offset;
}

void cmk_world_set_count(CmkWorld *world, uint32_t table, uint32_t count)
{
    CMK_ASSERT(count <= table_of(world, table)->limit + CMK_ROWS_PER_OPERATION);
    world->tables[table].count = count;
    world->written |= UINT64_C(1) << table;
}

uint64_t cmk_world_written(const CmkWorld *world)
{
    return world->written;
}

void cmk_world_clear_written(CmkWorld *world)
{
    world->written = 0;
}

uint64_t cmk_world_scratch_tables(const CmkWorld *world)
{
    uint64_t mask = 0;
    for (uint32_t i = 0; i < world->table_count; i++) {
        mask |= world->tables[i].is_scratch != 0 ? UINT64_C(1) << i : 0;
    }
    return mask;
}
