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

uint32_t cmk_agenda_count(const CmkWorld *world)
{
    const uint32_t rows = world->tables[CMK_TABLE_AGENDA_HEAP].count;
    return rows == 0 ? 0 : rows - (uint32_t)ROOT + 1;
}

static Key *heap_of(CmkWorld *world)
{
    char *rows = cmk_layout_row(world, CMK_TABLE_AGENDA_HEAP, 0);
    return __builtin_assume_aligned(rows, 64);
}

static CmkTimer *timers_of(CmkWorld *world)
{
    char *rows = cmk_layout_row(world, CMK_TABLE_TIMER, 0);
    return __builtin_assume_aligned(rows, 64);
}

/* Sets the number of keys in the heap. */
static void set_pending(CmkWorld *world, size_t count)
{
    CmkTable *table = &world->tables[CMK_TABLE_AGENDA_HEAP];
    table->count = count == 0 ? 0 : (uint32_t)(ROOT + count - 1);
    CMK_ASSERT(table->count < table->limit + CMK_ROWS_PER_OPERATION);
    world->written |= UINT64_C(1) << CMK_TABLE_AGENDA_HEAP;
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

CmkTimerId cmk_agenda_push(CmkWorld *world, CmkTime time, uint32_t class_of_ties,
                           const CmkTimer *timer)
{
    CMK_ASSERT(time >= world->now);
    CMK_ASSERT(class_of_ties < CMK_TIMER_CLASSES_MAX);
    CmkTimer *timers = timers_of(world);
    const uint64_t order = take_order(timers);
    const uint32_t row = cmk_layout_take(world, CMK_TABLE_TIMER);
    CmkTimer *slot = &timers[row];
    /* By fields, as the caller has just written them: a wider load would wait for its stores. */
    slot->next_free = 0;
    slot->kind = timer->kind;
    slot->is_cancelled = 0;
    slot->subject = timer->subject;
    slot->epoch = timer->epoch;
    slot->cause_seq = timer->cause_seq;
    slot->origin = timer->origin;
    slot->generation = (uint32_t)order; /* unique among the timers that can be pending together */

    const uint64_t low =
        (uint64_t)class_of_ties << (ROW_BITS + ORDER_BITS) | order << ROW_BITS | row;
    const size_t count = cmk_agenda_count(world);
    set_pending(world, count + 1);
    sift_up(heap_of(world), ROOT + count, (Key)(uint64_t)time << 64 | low);
    return (CmkTimerId){.row = row, .generation = slot->generation};
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

bool cmk_agenda_pop(CmkWorld *world, CmkTime until, CmkTime *ret_time, CmkTimer *ret_timer)
{
    Key *heap = heap_of(world);
    CmkTimer *timers = timers_of(world);
    bool is_found = false;
    for (size_t left = cmk_agenda_count(world); left > 0 && !is_found; left--) {
        const CmkTime time = (CmkTime)(uint64_t)(heap[ROOT] >> 64);
        if (time > until) {
            break;
        }
        CmkTimer *slot = &timers[(uint64_t)heap[ROOT] & ROW_MASK];
        const size_t end = ROOT + left - 1; /* of the heap without its root */
        if (end > ROOT) {
            sift_down(heap, end, heap[end]);
            /* The next one is needed soon, and its row is anywhere. */
            __builtin_prefetch(&timers[(uint64_t)heap[ROOT] & ROW_MASK]);
        }
        set_pending(world, left - 1);
        is_found = slot->is_cancelled == 0;
        if (is_found) {
            *ret_time = time;
            ret_timer->next_free = 0; ret_timer->kind = slot->kind; ret_timer->is_cancelled = 0; ret_timer->subject = slot->subject; ret_timer->epoch = slot->epoch; ret_timer->cause_seq = slot->cause_seq; ret_timer->origin = slot->origin; ret_timer->generation = slot->generation;
        }
        slot->is_cancelled = 1; /* a handle to it cancels nothing any more */
        cmk_layout_give_back(world, CMK_TABLE_TIMER, (uint32_t)(slot - timers));
    }
    return is_found;
}
