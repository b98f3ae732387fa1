#include "sim/agenda.h"

#include <string.h>

#include "sim/world_layout.h"

/*
 * A 4-ary heap of 16-byte keys. A key packs time (64 bits), class (4), order of scheduling (36) and
 * timer row (24) so that one unsigned comparison of 128 bits orders it. The root is row 3 and the
 * children of row k are rows 4(k-2) to 4(k-2)+3: four siblings fill one cache line.
 */
__extension__ typedef unsigned __int128 Key;

#define ROOT ((size_t)3)
#define ROW_BITS 24
#define ORDER_BITS 36
#define ROW_MASK ((UINT64_C(1) << ROW_BITS) - 1)
/* From this many pending timers on the heap is larger than the first caches. */
#define PREFETCH_FROM ((size_t)4096)

CmkTableSpec cmk_agenda_heap_spec(uint32_t timers_max)
{
    CMK_ASSERT(timers_max <= CMK_TIMERS_MAX);
    return (CmkTableSpec){
        .name = "pending timers", .row_size = sizeof(Key), .limit = timers_max + (uint32_t)ROOT};
}

CmkTableSpec cmk_agenda_timer_spec(uint32_t timers_max)
{
    CMK_ASSERT(timers_max <= CMK_TIMERS_MAX);
    return (CmkTableSpec){.name = "timers", .row_size = sizeof(CmkTimer), .limit = timers_max};
}

static size_t parent_of(size_t k)
{
    return (k >> 2) + 2;
}

static size_t first_child_of(size_t k)
{
    return 4 * (k - 2);
}

#define BOTH_TABLES ((UINT64_C(1) << CMK_TABLE_AGENDA_HEAP) | (UINT64_C(1) << CMK_TABLE_TIMER))

static size_t pending_of(const CmkTable *heap_table)
{
    return heap_table->count == 0 ? 0 : heap_table->count - ROOT + 1;
}

uint32_t cmk_agenda_count(const CmkWorld *world)
{
    return (uint32_t)pending_of(&world->tables[CMK_TABLE_AGENDA_HEAP]);
}

static Key *heap_of(CmkWorld *world)
{
    char *rows = (char *)world + world->tables[CMK_TABLE_AGENDA_HEAP].offset;
    return __builtin_assume_aligned(rows, 64);
}

static CmkTimer *timers_of(CmkWorld *world)
{
    char *rows = (char *)world + world->tables[CMK_TABLE_TIMER].offset;
    return __builtin_assume_aligned(rows, 64);
}

/* Row 0 of the timer table, which is nobody's timer, keeps the agenda's counter in its first eight
 * bytes. */
static uint64_t take_order(CmkTimer *timers)
{
    uint64_t order;
    memcpy(&order, timers, sizeof(order));
    CMK_ASSERT(order < UINT64_C(1) << ORDER_BITS);
    const uint64_t next = order + 1;
    memcpy(timers, &next, sizeof(next));
    return order;
}

/* As cmk_world_row_add() and cmk_world_row_recycle(), for rows of which the size is known. */
static uint32_t take_row(CmkWorld *world, const CmkTimer *timers)
{
    CmkTable *table = &world->tables[CMK_TABLE_TIMER];
    const uint32_t row = table->free_head;
    if (row == 0) {
        return cmk_layout_take(world, CMK_TABLE_TIMER);
    }
    table->free_head = timers[row].next_free;
    table->free_count--;
    cmk_layout_note_use(world, CMK_TABLE_TIMER);
    return row;
}

static void give_row_back(CmkWorld *world, CmkTimer *timers, uint32_t row)
{
    CmkTable *table = &world->tables[CMK_TABLE_TIMER];
    timers[row].next_free = table->free_head;
    table->free_head = row;
    table->free_count++;
    cmk_layout_note_use(world, CMK_TABLE_TIMER);
}

static void sift_up(Key *heap, size_t k, Key key)
{
    while (k > ROOT && key < heap[parent_of(k)]) {
        heap[k] = heap[parent_of(k)];
        k = parent_of(k);
    }
    heap[k] = key;
}

/* Puts `key` where the root was; `end` is one past the last row of the heap. */
static void sift_down(Key *heap, size_t end, Key key)
{
    size_t k = ROOT;
    size_t child = first_child_of(k);
    const bool is_large = end > PREFETCH_FROM;
    while (child + 3 < end) {
        if (is_large) {
            const char *grandchildren = (const char *)&heap[first_child_of(child)];
            __builtin_prefetch(grandchildren);
            __builtin_prefetch(grandchildren + 64);
            __builtin_prefetch(grandchildren + 128);
            __builtin_prefetch(grandchildren + 192);
        }
        size_t left = child + (heap[child + 1] < heap[child]);
        size_t right = child + 2 + (heap[child + 3] < heap[child + 2]);
        size_t least = heap[right] < heap[left] ? right : left;
        if (!(heap[least] < key)) {
            heap[k] = key;
            return;
        }
        heap[k] = heap[least];
        k = least;
        child = first_child_of(k);
    }
    size_t least = child;
    for (size_t i = child + 1; i < end; i++) {
        least = heap[i] < heap[least] ? i : least;
    }
    if (child < end && heap[least] < key) {
        heap[k] = heap[least];
        k = least;
    }
    heap[k] = key;
}

/* Copies what the caller of push has set; the rest is for the agenda to fill in. By fields, as they
 * were written a moment ago: a wider load would wait until those stores have reached the cache. */
static inline void copy_timer(CmkTimer *to, const CmkTimer *from)
{
    to->next_free = 0;
    to->kind = from->kind;
    to->is_cancelled = 0;
    to->subject = from->subject;
    to->epoch = from->epoch;
    to->cause_seq = from->cause_seq;
    to->origin = from->origin;
}

CmkTimerId cmk_agenda_push(CmkWorld *world, CmkTime time, uint32_t class_of_ties,
                           const CmkTimer *timer)
{
    CMK_ASSERT(time >= world->now);
    CMK_ASSERT(class_of_ties < CMK_TIMER_CLASSES_MAX);
    CmkTimer *timers = timers_of(world);
    const uint64_t order = take_order(timers);
    const uint32_t row = take_row(world, timers);
    CmkTimer *slot = &timers[row];
    copy_timer(slot, timer);
    slot->generation = (uint32_t)order; /* unique among timers that can be pending together */
    const uint64_t low =
        (uint64_t)class_of_ties << (ROW_BITS + ORDER_BITS) | order << ROW_BITS | row;
    CmkTable *heap_table = &world->tables[CMK_TABLE_AGENDA_HEAP];
    const size_t place = ROOT + pending_of(heap_table);
    CMK_ASSERT(place < heap_table->limit + CMK_ROWS_PER_OPERATION);
    heap_table->count = (uint32_t)place;
    world->written |= BOTH_TABLES;
    sift_up(heap_of(world), place, (Key)(uint64_t)time << 64 | low);
    return (CmkTimerId){.row = row, .generation = (uint32_t)order};
}

bool cmk_agenda_cancel(CmkWorld *world, CmkTimerId id)
{
    if (id.row == 0) {
        return false;
    }
    const CmkTimer *timer = cmk_world_row(world, CMK_TABLE_TIMER, id.row);
    if (timer->generation != id.generation || timer->is_cancelled != 0) {
        return false;
    }
    CmkTimer *pending = cmk_world_row_mut(world, CMK_TABLE_TIMER, id.row);
    pending->is_cancelled = 1;
    return true;
}

/* Takes the root off the heap and fetches what the next one will need. */
static void remove_root(CmkTable *heap_table, Key *heap, const CmkTimer *timers)
{
    const size_t last = heap_table->count; /* the row of the last key */
    heap_table->count = last == ROOT ? 0 : (uint32_t)last - 1;
    if (last > ROOT) {
        sift_down(heap, last, heap[last]);
        __builtin_prefetch(&timers[(uint64_t)heap[ROOT] & ROW_MASK]);
    }
}

bool cmk_agenda_pop(CmkWorld *world, CmkTime until, CmkTime *ret_time, CmkTimer *ret_timer)
{
    CmkTable *heap_table = &world->tables[CMK_TABLE_AGENDA_HEAP];
    Key *heap = heap_of(world);
    CmkTimer *timers = timers_of(world);
    while (heap_table->count != 0) {
        const CmkTime time = (CmkTime)(uint64_t)(heap[ROOT] >> 64);
        if (time > until) {
            return false;
        }
        const uint32_t row = (uint32_t)((uint64_t)heap[ROOT] & ROW_MASK);
        remove_root(heap_table, heap, timers);
        const bool is_cancelled = timers[row].is_cancelled != 0;
        if (!is_cancelled) {
            *ret_time = time;
            copy_timer(ret_timer, &timers[row]);
            ret_timer->generation = timers[row].generation;
            timers[row].is_cancelled = 1; /* a handle to it cancels nothing any more */
        }
        give_row_back(world, timers, row);
        world->written |= BOTH_TABLES;
        if (!is_cancelled) {
            return true;
        }
    }
    return false;
}
