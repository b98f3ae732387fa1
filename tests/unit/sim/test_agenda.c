#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "sim/agenda.h"
#include "tests/unit/sim/abort.h"

static CmkWorld *make(uint32_t timers_max)
{
    const CmkTableSpec specs[] = {
        [CMK_TABLE_AGENDA_HEAP] = cmk_agenda_heap_spec(timers_max),
        [CMK_TABLE_TIMER] = cmk_agenda_timer_spec(timers_max),
    };
    return cmk_world_new(specs, CMK_ARRAY_LEN(specs), 1);
}

static CmkTimerId push(CmkWorld *world, CmkTime time, uint32_t class_of_ties, uint32_t subject)
{
    const CmkTimer timer = {.subject = subject};
    return cmk_agenda_push(world, time, class_of_ties, &timer);
}

/* Subject of the next timer due at `until` or before, 0 if there is none. */
static uint32_t pop(CmkWorld *world, CmkTime until)
{
    CmkTime time = -1;
    CmkTimer timer;
    return cmk_agenda_pop(world, until, &time, &timer) ? timer.subject : 0;
}

Test(agenda, orders_by_time_class_and_scheduling)
{
    CmkWorld *world = make(100);
    const struct {
        CmkTime time;
        uint32_t class_of_ties;
        uint32_t subject;
    } pushed[] = {{20, 0, 7}, {10, 5, 4}, {10, 2, 1}, {10, 5, 5}, {30, 0, 9},
                  {10, 2, 2}, {20, 0, 8}, {10, 4, 3}, {10, 15, 6}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(pushed); i++) {
        (void)push(world, pushed[i].time, pushed[i].class_of_ties, pushed[i].subject);
    }
    cr_assert_eq(cmk_agenda_count(world), CMK_ARRAY_LEN(pushed));
    for (uint32_t expected = 1; expected <= CMK_ARRAY_LEN(pushed); expected++) {
        cr_assert_eq(pop(world, 30), expected);
    }
    cr_assert_eq(pop(world, CMK_TIME_MAX), 0);
    cr_assert_eq(cmk_agenda_count(world), 0);
    cmk_world_free(world);
}

Test(agenda, gives_back_what_was_set)
{
    CmkWorld *world = make(4);
    const CmkTimer set = {.kind = 65535,
                          .subject = UINT32_MAX,
                          .epoch = 3,
                          .cause_seq = UINT64_MAX,
                          .origin = 5,
                          .next_free = 99,
                          .is_cancelled = 1,
                          .generation = 1234};
    const CmkTimerId id = cmk_agenda_push(world, CMK_TIME_MAX, 0, &set);
    cr_assert_neq(id.row, 0);
    CmkTime time = -1;
    CmkTimer got;
    memset(&got, 0xee, sizeof(got));
    cr_assert_not(cmk_agenda_pop(world, CMK_TIME_MAX - 1, &time, &got));
    cr_assert_eq(time, -1, "nothing is due: outputs are untouched");
    cr_assert_eq(got.subject, 0xeeeeeeee);
    cr_assert(cmk_agenda_pop(world, CMK_TIME_MAX, &time, &got), "until is inclusive");
    cr_assert_eq(time, CMK_TIME_MAX);
    cr_assert_eq(got.kind, 65535);
    cr_assert_eq(got.subject, UINT32_MAX);
    cr_assert_eq(got.epoch, 3);
    cr_assert_eq(got.cause_seq, UINT64_MAX);
    cr_assert_eq(got.origin, 5);
    cr_assert_eq(got.is_cancelled, 0, "the three of the agenda's own are not the caller's");
    cr_assert_eq(got.generation, id.generation);
    cmk_world_free(world);
}

Test(agenda, cancels)
{
    CmkWorld *world = make(4);
    cr_assert_not(cmk_agenda_cancel(world, (CmkTimerId){0, 0}), "no timer");
    const CmkTimerId first = push(world, 10, 0, 1);
    const CmkTimerId second = push(world, 20, 0, 2);
    cmk_world_clear_written(world);
    cr_assert_not(cmk_agenda_cancel(world, (CmkTimerId){first.row, first.generation + 1}));
    cr_assert_eq(cmk_world_written(world), 0, "what cancels nothing writes nothing");
    cr_assert(cmk_agenda_cancel(world, first));
    cr_assert_not(cmk_agenda_cancel(world, first), "only once");
    cr_assert_eq(cmk_agenda_count(world), 2, "a cancelled one stays until its time");
    cr_assert_eq(pop(world, 15), 0, "the cancelled one is gone, the other is not due");
    cr_assert_eq(cmk_agenda_count(world), 1);

    const CmkTimerId third = push(world, 30, 0, 3);
    cr_assert_eq(third.row, first.row, "the row is used again");
    cr_assert_not(cmk_agenda_cancel(world, first), "but an old handle does not reach it");
    cr_assert_eq(pop(world, 100), 2);
    cr_assert_not(cmk_agenda_cancel(world, second), "it has fired");
    cr_assert_eq(pop(world, 100), 3);
    cr_assert_not(cmk_agenda_cancel(world, third), "it has fired, and its row is free");
    cmk_world_free(world);
}

/* ---- the same operations on a sorted list ---------------------------------------------------- */

typedef struct Entry {
    CmkTime time;
    uint32_t class_of_ties;
    uint32_t subject; /* order of scheduling, from 1 */
    bool is_cancelled;
    CmkTimerId id;
} Entry;

/* Sorted, the next one last. */
typedef struct List {
    Entry *entries;
    size_t count;
} List;

static bool is_before(const Entry *a, const Entry *b)
{
    if (a->time != b->time) {
        return a->time < b->time;
    }
    if (a->class_of_ties != b->class_of_ties) {
        return a->class_of_ties < b->class_of_ties;
    }
    return a->subject < b->subject;
}

static void list_push(List *list, Entry entry)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        if (is_before(&list->entries[middle], &entry)) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    memmove(&list->entries[low + 1], &list->entries[low],
            (list->count - low) * sizeof(list->entries[0]));
    list->entries[low] = entry;
    list->count++;
}

/* As cmk_agenda_pop(): drops cancelled ones that are due. */
static bool list_pop(List *list, CmkTime until, Entry *ret_entry)
{
    while (list->count > 0 && list->entries[list->count - 1].time <= until) {
        *ret_entry = list->entries[--list->count];
        if (!ret_entry->is_cancelled) {
            return true;
        }
    }
    return false;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

typedef struct Mix {
    const char *name;
    uint32_t operations;
    uint32_t push_percent;
    uint32_t cancel_percent; /* the rest pops */
    uint32_t horizon_us;     /* small: nearly everything is a tie */
    uint32_t pending_max;
} Mix;

typedef struct Trial {
    const Mix *mix;
    CmkWorld *world;
    List list;
    CmkTime now;
    uint64_t random;
    uint32_t scheduled;
    CmkTimerId fired; /* the last one: a stale handle */
} Trial;

static void trial_push(Trial *trial)
{
    if (trial->list.count >= trial->mix->pending_max) {
        return;
    }
    Entry entry = {.time =
                       trial->now + (CmkTime)(next_random(&trial->random) % trial->mix->horizon_us),
                   .class_of_ties = (uint32_t)(next_random(&trial->random) % CMK_TIMER_CLASSES_MAX),
                   .subject = ++trial->scheduled};
    entry.id = push(trial->world, entry.time, entry.class_of_ties, entry.subject);
    list_push(&trial->list, entry);
}

static void trial_cancel(Trial *trial)
{
    if (trial->list.count > 0) {
        Entry *entry = &trial->list.entries[next_random(&trial->random) % trial->list.count];
        cr_assert_eq(cmk_agenda_cancel(trial->world, entry->id), !entry->is_cancelled, "%s",
                     trial->mix->name);
        entry->is_cancelled = true;
    }
    cr_assert_not(cmk_agenda_cancel(trial->world, trial->fired), "%s: stale", trial->mix->name);
}

static void trial_pop(Trial *trial)
{
    const CmkTime until =
        trial->now + (CmkTime)(next_random(&trial->random) % trial->mix->horizon_us);
    CmkTime time = 0;
    CmkTimer timer;
    Entry expected = {.subject = 0};
    const bool is_due = list_pop(&trial->list, until, &expected);
    cr_assert_eq(cmk_agenda_pop(trial->world, until, &time, &timer), is_due, "%s",
                 trial->mix->name);
    if (is_due) {
        cr_assert_eq(timer.subject, expected.subject, "%s: got %u, expected %u at %" PRId64,
                     trial->mix->name, timer.subject, expected.subject, expected.time);
        cr_assert_eq(time, expected.time);
        trial->now = time;
        trial->fired = expected.id;
        cmk_world_set_now(trial->world, time);
    }
}

static void trial_run(Trial *trial, uint32_t operations)
{
    for (uint32_t i = 0; i < operations; i++) {
        const uint32_t draw = (uint32_t)(next_random(&trial->random) % 100);
        if (draw < trial->mix->push_percent) {
            trial_push(trial);
        } else if (draw < trial->mix->push_percent + trial->mix->cancel_percent) {
            trial_cancel(trial);
        } else {
            trial_pop(trial);
        }
        cr_assert_eq(cmk_agenda_count(trial->world), trial->list.count, "%s", trial->mix->name);
    }
}

Test(agenda, agrees_with_a_sorted_list)
{
    const Mix mixes[] = {
        {"few pending", 100000, 40, 10, 1000, 50},
        {"ties everywhere", 100000, 45, 10, 4, 300},
        {"many cancelled", 100000, 40, 40, 100000, 2000},
        /* beyond the size from which the heap fetches ahead, and back again */
        {"growing", 30000, 60, 5, 1000000, 9000},
        {"wide", 100000, 48, 4, 2000000000, 1000},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(mixes); i++) {
        Trial trial = {.mix = &mixes[i],
                       .world = make(mixes[i].pending_max),
                       .list = {.entries = calloc(mixes[i].pending_max + 1, sizeof(Entry))},
                       .random = 88172645463325252 + i};
        trial_run(&trial, mixes[i].operations);
        /* In the middle of it, a clone gets the same future; then both are emptied. */
        CmkWorld *clone = cmk_world_clone(trial.world);
        const Trial before = trial;
        Entry *entries = calloc(mixes[i].pending_max + 1, sizeof(Entry));
        memcpy(entries, trial.list.entries, trial.list.count * sizeof(Entry));
        trial_run(&trial, 10000);
        Trial twin = before;
        twin.world = clone;
        twin.list.entries = entries;
        trial_run(&twin, 10000);
        cr_assert(cmk_world_equal(trial.world, clone, NULL), "%s", mixes[i].name);
        for (uint32_t left = trial.mix->pending_max; trial.list.count > 0; left--) {
            cr_assert_neq(left, 0);
            trial.now = CMK_TIME_MAX - INT64_C(4000000000);
            trial_pop(&trial);
        }
        cr_assert_eq(cmk_agenda_count(trial.world), 0);
        cmk_world_free(trial.world);
        cmk_world_free(clone);
        free(trial.list.entries);
        free(entries);
    }
}

/* Around the size from which the heap fetches ahead, every size of the last family of siblings. */
Test(agenda, sorts_heaps_of_every_size)
{
    for (uint32_t size = 1; size < 4400; size += size < 40 || size > 4080 ? 1 : 37) {
        CmkWorld *world = make(4400);
        uint64_t random = 9 + size;
        for (uint32_t i = 1; i <= size; i++) {
            (void)push(world, (CmkTime)(next_random(&random) % (2 * size)), 0, i);
        }
        CmkTime before = 0, time = 0;
        CmkTimer timer;
        uint32_t subject_before = 0;
        for (uint32_t i = 0; i < size; i++) {
            cr_assert(cmk_agenda_pop(world, CMK_TIME_MAX, &time, &timer));
            cr_assert(time > before || (time == before && timer.subject > subject_before),
                      "size %u, timer %u", size, i);
            before = time;
            subject_before = timer.subject;
        }
        cr_assert_eq(cmk_agenda_count(world), 0);
        cmk_world_free(world);
    }
}

Test(agenda, knows_its_limit)
{
    CmkWorld *world = make(3);
    for (uint32_t i = 1; i <= 3; i++) {
        cr_assert(cmk_world_has_room(world, CMK_TABLE_TIMER));
        (void)push(world, 5, 0, i);
        cr_assert_null(cmk_world_overfull_table(world));
    }
    cr_assert_not(cmk_world_has_room(world, CMK_TABLE_TIMER));
    (void)push(world, 5, 0, 4);
    cr_assert_str_eq(cmk_world_overfull_table(world), "timers");
    cr_assert_eq(pop(world, 5), 1);
    cr_assert_null(cmk_world_overfull_table(world));
    cmk_world_free(world);
}

static void abort_on_the_past(void)
{
    CmkWorld *world = make(4);
    cmk_world_set_now(world, 10);
    (void)push(world, 9, 0, 1);
}

static void abort_on_unknown_class(void)
{
    (void)push(make(4), 10, CMK_TIMER_CLASSES_MAX, 1);
}

static void abort_on_too_many(void)
{
    CmkWorld *world = make(4);
    for (uint32_t i = 0; i <= 4 + CMK_ROWS_PER_OPERATION; i++) {
        (void)push(world, 10, 0, 1);
    }
}

static void abort_on_too_large_an_agenda(void)
{
    (void)cmk_agenda_timer_spec(CMK_TIMERS_MAX + 1);
}

Test(agenda, asserts)
{
    const AbortCase cases[] = {
        {"the past", "time >= world->now", abort_on_the_past},
        {"unknown class", "CMK_TIMER_CLASSES_MAX", abort_on_unknown_class},
        {"too many", "CMK_ROWS_PER_OPERATION", abort_on_too_many},
        {"too large", "CMK_TIMERS_MAX", abort_on_too_large_an_agenda},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        cr_assert(aborts_as_told(&cases[i]), "%s", cases[i].name);
    }
}
