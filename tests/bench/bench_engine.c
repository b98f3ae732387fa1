#include "tests/bench/bench_engine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include "sim/chance.h"
#include "sim/engine.h"

__extension__ typedef unsigned __int128 Key;

#define ROUNDS 7

/* ---- time and chance ------------------------------------------------------------------------- */

static double cpu_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static double wall_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare_doubles(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(const double *values)
{
    double sorted[ROUNDS];
    memcpy(sorted, values, sizeof(sorted));
    qsort(sorted, ROUNDS, sizeof(sorted[0]), compare_doubles);
    return sorted[ROUNDS / 2];
}

/* Everybody draws from a xorshift generator and by the inverse of the engine's own logarithm. */
static int64_t draw_exponential(uint64_t *state, uint64_t mean_us)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (int64_t)(cmk_minus_log_q32(*state) * mean_us >> 32);
}

#define SEED UINT64_C(88172645463325252)
#define HOLD_MEAN_US UINT64_C(1000000)

/* ---- something that can be run for a while --------------------------------------------------- */

typedef struct Runner {
    const char *name;
    void *(*start)(uint32_t size);
    uint64_t (*run)(void *self, uint64_t count); /* a number that must not be optimised away */
    void (*end)(void *self);
} Runner;

typedef struct Measure {
    double cpu_ns; /* per operation, median */
    double wall_ns;
} Measure;

static void *checked(void *memory)
{
    if (memory == NULL) {
        (void)fputs("bench: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return memory;
}

/* Zeroed, in huge pages where the system gives them, as the engine's worlds are. */
static void *allocate(size_t bytes)
{
    const size_t huge = (size_t)2 << 20;
    const size_t alignment = bytes >= huge ? huge : 4096;
    bytes = (bytes + alignment - 1) / alignment * alignment;
    void *memory = checked(aligned_alloc(alignment, bytes));
    if (bytes >= huge) {
        (void)madvise(memory, bytes, MADV_HUGEPAGE);
    }
    memset(memory, 0, bytes);
    return memory;
}

#define RUNNERS_MAX 5

/* All of them started, warmed up, and then run in turns. */
static void measure(const Runner *runners, size_t runner_count, uint32_t size, uint64_t count,
                    Measure *ret_measures)
{
    static volatile uint64_t sink;
    void *selves[RUNNERS_MAX];
    double cpu[RUNNERS_MAX][ROUNDS], wall[RUNNERS_MAX][ROUNDS];
    CMK_ASSERT(runner_count <= RUNNERS_MAX);
    for (size_t i = 0; i < runner_count; i++) {
        selves[i] = runners[i].start(size);
        sink = runners[i].run(selves[i], size > 100000 ? size : 100000);
    }
    for (size_t round = 0; round < ROUNDS; round++) {
        for (size_t i = 0; i < runner_count; i++) {
            const double cpu_start = cpu_seconds(), wall_start = wall_seconds();
            sink = runners[i].run(selves[i], count);
            cpu[i][round] = (cpu_seconds() - cpu_start) / (double)count * 1e9;
            wall[i][round] = (wall_seconds() - wall_start) / (double)count * 1e9;
        }
    }
    for (size_t i = 0; i < runner_count; i++) {
        ret_measures[i] = (Measure){.cpu_ns = median(cpu[i]), .wall_ns = median(wall[i])};
        runners[i].end(selves[i]);
    }
    (void)sink;
}

/* ---- a bare 4-ary heap of 16-byte entries ---------------------------------------------------- */

/* The shape of sim/agenda.c and nothing else: no records, no handles, no classes, no checks. */
typedef struct Bare {
    Key *heap; /* root at 3, children of k from 4(k-2) on */
    size_t count;
    uint64_t order;
    uint64_t random;
} Bare;

static inline void bare_push(Bare *bare, uint64_t time, uint64_t slot)
{
    const Key key = (Key)time << 64 | bare->order++ << 24 | slot;
    size_t k = 3 + bare->count++;
    while (k > 3 && key < bare->heap[(k >> 2) + 2]) {
        bare->heap[k] = bare->heap[(k >> 2) + 2];
        k = (k >> 2) + 2;
    }
    bare->heap[k] = key;
}

static inline Key bare_pop(Bare *bare)
{
    Key *heap = bare->heap;
    const Key top = heap[3];
    const size_t end = 3 + --bare->count;
    const Key key = heap[end];
    const bool is_large = end > 4096;
    size_t k = 3, child = 4;
    while (child + 3 < end) {
        if (is_large) {
            const char *next = (const char *)&heap[4 * (child - 2)];
            __builtin_prefetch(next);
            __builtin_prefetch(next + 64);
            __builtin_prefetch(next + 128);
            __builtin_prefetch(next + 192);
        }
        const size_t left = child + (heap[child + 1] < heap[child]);
        const size_t right = child + 2 + (heap[child + 3] < heap[child + 2]);
        const size_t least = heap[right] < heap[left] ? right : left;
        if (!(heap[least] < key)) {
            heap[k] = key;
            return top;
        }
        heap[k] = heap[least];
        k = least;
        child = 4 * (k - 2);
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
    return top;
}

static void *bare_start(uint32_t size)
{
    Bare *bare = checked(calloc(1, sizeof(*bare)));
    bare->heap = allocate(sizeof(Key) * ((size_t)size + 16));
    bare->random = SEED;
    for (uint32_t i = 0; i < size; i++) {
        bare_push(bare, (uint64_t)draw_exponential(&bare->random, HOLD_MEAN_US), i);
    }
    return bare;
}

static uint64_t bare_hold(void *self, uint64_t count)
{
    Bare *bare = self;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        const Key key = bare_pop(bare);
        const uint64_t time = (uint64_t)(key >> 64), slot = (uint64_t)key & 0xffffff;
        sum += slot;
        bare_push(bare, time + (uint64_t)draw_exponential(&bare->random, HOLD_MEAN_US), slot);
    }
    return sum;
}

static void bare_end(void *self)
{
    Bare *bare = self;
    free(bare->heap);
    free(bare);
}

/* ---- a plain binary heap of 24-byte entries -------------------------------------------------- */

typedef struct Entry {
    int64_t time;
    uint64_t order;
    uint64_t slot;
} Entry;

typedef struct Binary {
    Entry *heap; /* root at 1 */
    size_t count;
    uint64_t order;
    uint64_t random;
} Binary;

static inline bool entry_is_before(const Entry *a, const Entry *b)
{
    return a->time < b->time || (a->time == b->time && a->order < b->order);
}

static inline void binary_push(Binary *binary, int64_t time, uint64_t slot)
{
    const Entry entry = {time, binary->order++, slot};
    size_t k = ++binary->count;
    while (k > 1 && entry_is_before(&entry, &binary->heap[k / 2])) {
        binary->heap[k] = binary->heap[k / 2];
        k /= 2;
    }
    binary->heap[k] = entry;
}

static inline Entry binary_pop(Binary *binary)
{
    Entry *heap = binary->heap;
    const Entry top = heap[1], entry = heap[binary->count--];
    size_t k = 1;
    for (size_t child = 2; child <= binary->count; child = 2 * k) {
        if (child < binary->count && entry_is_before(&heap[child + 1], &heap[child])) {
            child++;
        }
        if (!entry_is_before(&heap[child], &entry)) {
            break;
        }
        heap[k] = heap[child];
        k = child;
    }
    heap[k] = entry;
    return top;
}

static void *binary_start(uint32_t size)
{
    Binary *binary = checked(calloc(1, sizeof(*binary)));
    binary->heap = allocate(sizeof(Entry) * ((size_t)size + 4));
    binary->random = SEED;
    for (uint32_t i = 0; i < size; i++) {
        binary_push(binary, draw_exponential(&binary->random, HOLD_MEAN_US), i);
    }
    return binary;
}

static uint64_t binary_hold(void *self, uint64_t count)
{
    Binary *binary = self;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        const Entry entry = binary_pop(binary);
        sum += entry.slot;
        binary_push(binary, entry.time + draw_exponential(&binary->random, HOLD_MEAN_US),
                    entry.slot);
    }
    return sum;
}

static void binary_end(void *self)
{
    Binary *binary = self;
    free(binary->heap);
    free(binary);
}

/* ---- our agenda ------------------------------------------------------------------------------ */

typedef struct Agenda {
    CmkWorld *world;
    CmkTimerId *handles; /* by subject */
    uint32_t size;
    uint32_t reserved;
    uint64_t random;
} Agenda;

static inline CmkTimerId agenda_push(Agenda *agenda, CmkTime time, uint32_t subject)
{
    const CmkTimer timer = {.kind = 1, .subject = subject, .cause_seq = 1};
    return cmk_agenda_push(agenda->world, time, subject % CMK_TIMER_CLASSES_MAX, &timer);
}

static void *agenda_start(uint32_t size)
{
    Agenda *agenda = checked(calloc(1, sizeof(*agenda)));
    const CmkTableSpec specs[] = {
        [CMK_TABLE_AGENDA_HEAP] = cmk_agenda_heap_spec(2 * size),
        [CMK_TABLE_TIMER] = cmk_agenda_timer_spec(2 * size),
    };
    agenda->world = checked(cmk_world_new(specs, CMK_ARRAY_LEN(specs), 1));
    agenda->handles = allocate(sizeof(CmkTimerId) * size);
    agenda->size = size;
    agenda->random = SEED;
    for (uint32_t i = 0; i < size; i++) {
        agenda->handles[i] =
            agenda_push(agenda, draw_exponential(&agenda->random, HOLD_MEAN_US), i);
    }
    return agenda;
}

/* The subject of the timer that was due; `ret_id` is its next one. */
static inline uint32_t agenda_hold_once(Agenda *agenda, CmkTimerId *ret_id)
{
    CmkTime time = 0;
    CmkTimer timer;
    const bool is_due = cmk_agenda_pop(agenda->world, CMK_TIME_MAX, &time, &timer);
    CMK_ASSERT(is_due);
    cmk_world_set_now(agenda->world, time);
    *ret_id =
        agenda_push(agenda, time + draw_exponential(&agenda->random, HOLD_MEAN_US), timer.subject);
    return timer.subject;
}

static uint64_t agenda_hold(void *self, uint64_t count)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        CmkTimerId id;
        sum += agenda_hold_once(self, &id);
        sum += id.generation;
    }
    return sum;
}

/* Keeps each subject's handle; after every fourth hold some other timer is cancelled and set anew.
 */
static uint64_t agenda_hold_and_cancel(void *self, uint64_t count)
{
    Agenda *agenda = self;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        CmkTimerId id;
        const uint32_t due = agenda_hold_once(agenda, &id);
        agenda->handles[due] = id;
        sum += due;
        if (i % 4 == 0) {
            const int64_t delay = draw_exponential(&agenda->random, HOLD_MEAN_US);
            const uint32_t subject = (uint32_t)((agenda->random >> 32) * agenda->size >> 32);
            const bool is_cancelled = cmk_agenda_cancel(agenda->world, agenda->handles[subject]);
            CMK_ASSERT(is_cancelled);
            agenda->handles[subject] =
                agenda_push(agenda, cmk_world_now(agenda->world) + delay, subject);
        }
    }
    return sum;
}

static void agenda_end(void *self)
{
    Agenda *agenda = self;
    cmk_world_free(agenda->world);
    free(agenda->handles);
    free(agenda);
}

static void *draws_start(uint32_t size)
{
    (void)size;
    uint64_t *state = checked(malloc(sizeof(*state)));
    *state = SEED;
    return state;
}

static uint64_t draws_run(void *self, uint64_t count)
{
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        sum += (uint64_t)draw_exponential(self, HOLD_MEAN_US);
    }
    return sum;
}

static const char *verdict(bool is_gate_held, bool is_aim_reached)
{
    return is_aim_reached ? "aim" : is_gate_held ? "gate" : "**missed**";
}

static void bench_hold(FILE *out)
{
    const Runner runners[] = {
        {"bare 4-ary heap, 16 B", bare_start, bare_hold, bare_end},
        {"agenda: records, handles, classes", agenda_start, agenda_hold, agenda_end},
        {"agenda, every 4th hold also replaces a timer", agenda_start, agenda_hold_and_cancel,
         agenda_end},
        {"binary heap, 24 B", binary_start, binary_hold, binary_end},
        {"the draw alone", draws_start, draws_run, free},
    };
    const uint32_t sizes[] = {1000, 100000, 1000000};
    (void)fprintf(out,
                  "### HOLD: take the next timer, set one an exponential time later\n\n"
                  "Draws: xorshift bits through the engine's logarithm, the same for all. Medians "
                  "of %d interleaved rounds.\n\n"
                  "| pending | | CPU ns | wall ns | M/s | to the bare heap | gate 0.7, aim 0.85 |\n"
                  "|---:|---|---:|---:|---:|---:|---|\n",
                  ROUNDS);
    for (size_t s = 0; s < CMK_ARRAY_LEN(sizes); s++) {
        Measure measures[CMK_ARRAY_LEN(runners)];
        measure(runners, CMK_ARRAY_LEN(runners), sizes[s], 1000000, measures);
        for (size_t i = 0; i < CMK_ARRAY_LEN(runners); i++) {
            const double ratio = measures[0].cpu_ns / measures[i].cpu_ns;
            (void)fprintf(out, "| %u | %s | %.1f | %.1f | %.2f | %.2f | %s |\n", sizes[s],
                          runners[i].name, measures[i].cpu_ns, measures[i].wall_ns,
                          1e3 / measures[i].cpu_ns, ratio,
                          i == 1 ? verdict(ratio >= 0.7, ratio >= 0.85) : "");
        }
    }
}

/* ---- a queue: one server, load 0.9 ----------------------------------------------------------- */

#define MM1_BETWEEN_US INT64_C(1000000)
#define MM1_SERVICE_US INT64_C(900000)
#define MM1_RING 8192

enum {
    EVENT_ARRIVAL,
    EVENT_DEPARTURE,
    EVENT__COUNT
};
enum {
    TABLE_SERVER = CMK_TABLE_FIRST_OF_MODEL,
    TABLE_RING,
    TABLE_QUEUE__COUNT
};

typedef struct Server {
    uint64_t draws;
    uint64_t arrived;
    uint64_t departed;
    int64_t in_system_us;
} Server;

/* As a model draws: from the engine's chance, counting what it has used. */
static int64_t server_draw(Server *server, uint64_t seed, int64_t mean_us)
{
    return cmk_chance_exponential(seed, (CmkStream){1, 1}, server->draws++, mean_us);
}

typedef struct Line {
    Bare bare;
    Server server;
    CmkTime ring[MM1_RING];
} Line;

static void *line_start(uint32_t size)
{
    Line *line = checked(calloc(1, sizeof(*line)));
    line->bare.heap = allocate(sizeof(Key) * ((size_t)size + 16));
    bare_push(&line->bare, (uint64_t)server_draw(&line->server, SEED, MM1_BETWEEN_US),
              EVENT_ARRIVAL);
    return line;
}

static uint64_t line_run(void *self, uint64_t count)
{
    Line *line = self;
    Server *server = &line->server;
    for (uint64_t i = 0; i < count; i++) {
        const Key key = bare_pop(&line->bare);
        const CmkTime now = (CmkTime)(uint64_t)(key >> 64);
        bool is_next_served;
        if (((uint64_t)key & 0xffffff) == EVENT_ARRIVAL) {
            CMK_ASSERT(server->arrived - server->departed < MM1_RING);
            line->ring[server->arrived++ % MM1_RING] = now;
            bare_push(&line->bare, (uint64_t)(now + server_draw(server, SEED, MM1_BETWEEN_US)),
                      EVENT_ARRIVAL);
            is_next_served = server->arrived - server->departed == 1;
        } else {
            server->in_system_us += now - line->ring[server->departed++ % MM1_RING];
            is_next_served = server->arrived != server->departed;
        }
        if (is_next_served) {
            bare_push(&line->bare, (uint64_t)(now + server_draw(server, SEED, MM1_SERVICE_US)),
                      EVENT_DEPARTURE);
        }
    }
    return (uint64_t)server->in_system_us;
}

static void line_end(void *self)
{
    Line *line = self;
    free(line->bare.heap);
    free(line);
}

static void queue_set(CmkSim *sim, Server *server, uint32_t kind, int64_t mean_us)
{
    static const CmkArgs by_nobody = {.actor = CMK_ACTOR_PLATFORM};
    const CmkTime at =
        cmk_world_now(sim->world) + server_draw(server, cmk_world_seed(sim->world), mean_us);
    (void)cmk_engine_set_timer(sim, at, kind, 1, &by_nobody);
}

static void queue_arrive(CmkSim *sim, const CmkTimer *timer)
{
    Server *server = cmk_world_row_mut(sim->world, TABLE_SERVER, timer->subject);
    CMK_ASSERT(server->arrived - server->departed < MM1_RING);
    const uint32_t place = 1 + (uint32_t)(server->arrived++ % MM1_RING);
    CmkTime *came = cmk_world_row_mut(sim->world, TABLE_RING, place);
    *came = cmk_world_now(sim->world);
    queue_set(sim, server, EVENT_ARRIVAL, MM1_BETWEEN_US);
    if (server->arrived - server->departed == 1) {
        queue_set(sim, server, EVENT_DEPARTURE, MM1_SERVICE_US);
    }
}

static void queue_depart(CmkSim *sim, const CmkTimer *timer)
{
    Server *server = cmk_world_row_mut(sim->world, TABLE_SERVER, timer->subject);
    const uint32_t place = 1 + (uint32_t)(server->departed++ % MM1_RING);
    const CmkTime *came = cmk_world_row(sim->world, TABLE_RING, place);
    server->in_system_us += cmk_world_now(sim->world) - *came;
    if (server->arrived != server->departed) {
        queue_set(sim, server, EVENT_DEPARTURE, MM1_SERVICE_US);
    }
}

static const CmkEventRow queue_events[EVENT__COUNT] = {
    [EVENT_ARRIVAL] = {.name = "arrival", .handle = queue_arrive},
    [EVENT_DEPARTURE] = {.name = "departure", .handle = queue_depart},
};

static const CmkModel queue_model = {.events = queue_events, .event_count = EVENT__COUNT};

static void *queue_start(uint32_t size)
{
    const CmkTableSpec specs[TABLE_QUEUE__COUNT] = {
        [CMK_TABLE_AGENDA_HEAP] = cmk_agenda_heap_spec(size),
        [CMK_TABLE_TIMER] = cmk_agenda_timer_spec(size),
        [TABLE_SERVER] = {.name = "server", .row_size = sizeof(Server), .limit = 1},
        [TABLE_RING] = {.name = "ring", .row_size = sizeof(CmkTime), .limit = MM1_RING},
    };
    CmkSim *sim = checked(calloc(1, sizeof(*sim)));
    sim->model = &queue_model;
    sim->world = checked(cmk_world_new(specs, TABLE_QUEUE__COUNT, SEED));
    cmk_world_set_count(sim->world, TABLE_RING, MM1_RING);
    const uint32_t row = cmk_world_row_add(sim->world, TABLE_SERVER);
    Server *server = cmk_world_row_mut(sim->world, TABLE_SERVER, row);
    queue_set(sim, server, EVENT_ARRIVAL, MM1_BETWEEN_US);
    return sim;
}

/* As cmk_engine_run() does it, but counting. */
static uint64_t queue_run(void *self, uint64_t count)
{
    CmkSim *sim = self;
    for (uint64_t i = 0; i < count; i++) {
        const bool is_due = cmk_engine_step(sim, CMK_TIME_MAX);
        CMK_ASSERT(is_due);
    }
    const Server *server = cmk_world_row(sim->world, TABLE_SERVER, 1);
    return (uint64_t)server->in_system_us;
}

static void queue_end(void *self)
{
    CmkSim *sim = self;
    cmk_world_free(sim->world);
    free(sim);
}

static void bench_mm1(FILE *out)
{
    const Runner runners[] = {
        {"straight line on the bare heap", line_start, line_run, line_end},
        {"events on the engine", queue_start, queue_run, queue_end},
    };
    /* Same draws, same order of events: the same customers. */
    void *line = line_start(4), *queue = queue_start(4);
    const bool is_same = line_run(line, 100000) == queue_run(queue, 100000);
    line_end(line);
    queue_end(queue);
    Measure measures[CMK_ARRAY_LEN(runners)];
    measure(runners, CMK_ARRAY_LEN(runners), 4, 2000000, measures);
    const double ratio = measures[0].cpu_ns / measures[1].cpu_ns;
    (void)fprintf(out,
                  "\n### M/M/1, load 0.9, two events per customer, no operations\n\n"
                  "Draws: cmk_chance_exponential(), by both. %s.\n\n"
                  "| | CPU ns per event | wall ns | M/s | ratio | gate 0.6, aim 0.8 |\n"
                  "|---|---:|---:|---:|---:|---|\n",
                  is_same ? "Both give the same sum of times in system"
                          : "**The two disagree in the sum of times in system**");
    for (size_t i = 0; i < CMK_ARRAY_LEN(runners); i++) {
        (void)fprintf(out, "| %s | %.1f | %.1f | %.2f | %.2f | %s |\n", runners[i].name,
                      measures[i].cpu_ns, measures[i].wall_ns, 1e3 / measures[i].cpu_ns,
                      i == 1 ? ratio : 1.0, i == 1 ? verdict(ratio >= 0.6, ratio >= 0.8) : "");
    }
}

/* ---- one operation --------------------------------------------------------------------------- */

enum {
    TABLE_JAR = CMK_TABLE_FIRST_OF_MODEL,
    TABLE_JAR__COUNT
};
enum {
    OP_POUR = 1,
    OP__COUNT
};
enum {
    GUARD_EXISTS = 1,
    GUARD_OPEN,
    GUARD_DIFFERS,
    GUARD_POSITIVE,
    GUARD_HOLDS,
    GUARD__COUNT
};

#define JARS 1024

typedef struct Jar {
    uint64_t changed_by;
    int64_t level;
    uint64_t is_open;
} Jar;

static const Jar *jar_of(const CmkWorld *world, uint32_t row)
{
    return cmk_world_row(world, TABLE_JAR, row);
}

static bool jar_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)ret_blame;
    return args->ref[0] - 1 < cmk_world_count(world, TABLE_JAR);
}

static bool jar_is_open(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = jar_of(world, args->ref[0])->changed_by;
    return jar_of(world, args->ref[0])->is_open != 0;
}

static bool jars_differ(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return args->ref[0] != args->ref[1];
}

static bool amount_is_positive(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return args->num[0] > 0;
}

static bool jar_holds_enough(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = jar_of(world, args->ref[0])->changed_by;
    return jar_of(world, args->ref[0])->level >= args->num[0];
}

static uint32_t pour(CmkSim *sim, const CmkArgs *args)
{
    Jar *from = cmk_world_row_mut(sim->world, TABLE_JAR, args->ref[0]);
    Jar *to = cmk_world_row_mut(sim->world, TABLE_JAR, args->ref[1]);
    from->level -= args->num[0];
    to->level += args->num[0];
    from->changed_by = to->changed_by = cmk_world_next_seq(sim->world);
    return args->ref[1];
}

static const CmkGuard *const jar_guards[GUARD__COUNT] = {
    [GUARD_EXISTS] = &(const CmkGuard){.name = "exists", .holds = jar_exists, .status = 2},
    [GUARD_OPEN] = &(const CmkGuard){.name = "open", .holds = jar_is_open, .status = 3},
    [GUARD_DIFFERS] = &(const CmkGuard){.name = "differs", .holds = jars_differ, .status = 4},
    [GUARD_POSITIVE] =
        &(const CmkGuard){.name = "positive", .holds = amount_is_positive, .status = 5},
    [GUARD_HOLDS] = &(const CmkGuard){.name = "holds", .holds = jar_holds_enough, .status = 6},
};

static const CmkOperation *const jar_operations[OP__COUNT] = {
    [OP_POUR] =
        &(const CmkOperation){
            .name = "pour",
            .guards = {GUARD_EXISTS, GUARD_OPEN, GUARD_DIFFERS, GUARD_POSITIVE, GUARD_HOLDS},
            .writes = UINT64_C(1) << TABLE_JAR,
            .effect = pour,
        },
};

static const CmkModel jar_model = {
    .operations = jar_operations,
    .guards = jar_guards,
    .operation_count = OP__COUNT,
    .guard_count = GUARD__COUNT,
};

static void *jars_start(uint32_t size)
{
    const CmkTableSpec specs[TABLE_JAR__COUNT] = {
        [CMK_TABLE_AGENDA_HEAP] = cmk_agenda_heap_spec(1),
        [CMK_TABLE_TIMER] = cmk_agenda_timer_spec(1),
        [TABLE_JAR] = {.name = "jars", .row_size = sizeof(Jar), .limit = size},
    };
    CmkSim *sim = checked(calloc(1, sizeof(*sim)));
    sim->model = &jar_model;
    sim->world = checked(cmk_world_new(specs, TABLE_JAR__COUNT, 1));
    for (uint32_t i = 0; i < size; i++) {
        Jar *jar =
            cmk_world_row_mut(sim->world, TABLE_JAR, cmk_world_row_add(sim->world, TABLE_JAR));
        jar->level = INT64_C(1) << 40;
        jar->is_open = 1;
    }
    return sim;
}

static uint64_t pour_often(CmkSim *sim, uint64_t count, int64_t amount)
{
    uint64_t random = SEED, sum = 0;
    CmkArgs args = {.op = OP_POUR, .actor = CMK_ACTOR_PLATFORM, .num = {amount}};
    for (uint64_t i = 0; i < count; i++) {
        random = random * UINT64_C(6364136223846793005) + 1;
        const uint32_t from = (uint32_t)(random >> 40) % JARS;
        args.ref[0] = 1 + from;
        args.ref[1] = 1 + (from + 1) % JARS;
        sum += cmk_apply(sim, &args).status;
    }
    return sum;
}

static uint64_t jars_run(void *self, uint64_t count)
{
    const uint64_t refused = pour_often(self, count, 1);
    CMK_ASSERT(refused == 0);
    return refused;
}

static uint64_t jars_refuse(void *self, uint64_t count)
{
    return pour_often(self, count, INT64_C(1) << 50);
}

static uint64_t jars_fold(void *self, uint64_t count)
{
    const CmkSim *sim = self;
    CmkRecord record;
    memset(&record, 0, sizeof(record));
    for (uint64_t i = 0; i < count; i++) {
        record.seq = i;
        cmk_world_fold(sim->world, &record, sizeof(record));
    }
    return cmk_world_digest(sim->world).low;
}

static void jars_end(void *self)
{
    queue_end(self);
}

static void bench_apply(FILE *out)
{
    const Runner runners[] = {
        {"granted: 5 guards, effect on 2 rows, record, digest", jars_start, jars_run, jars_end},
        {"refused by the fifth guard", jars_start, jars_refuse, jars_end},
        {"the digest of a record alone", jars_start, jars_fold, jars_end},
    };
    Measure measures[CMK_ARRAY_LEN(runners)];
    measure(runners, CMK_ARRAY_LEN(runners), JARS, 1000000, measures);
    (void)fprintf(out, "\n### One operation: cmk_apply(), no readers, no self-check\n\n"
                       "| | CPU ns | wall ns | gate 100, aim 50 |\n|---|---:|---:|---|\n");
    for (size_t i = 0; i < CMK_ARRAY_LEN(runners); i++) {
        (void)fprintf(out, "| %s | %.1f | %.1f | %s |\n", runners[i].name, measures[i].cpu_ns,
                      measures[i].wall_ns,
                      i == 0 ? verdict(measures[0].cpu_ns <= 100, measures[0].cpu_ns <= 50) : "");
    }
}

void bench_engine(FILE *out)
{
    (void)fprintf(out, "## Engine\n\n");
    bench_hold(out);
    bench_mm1(out);
    bench_apply(out);
    (void)fputc('\n', out);
    (void)fflush(out);
}
