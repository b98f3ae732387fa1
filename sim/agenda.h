/*
 * The agenda: pending timers, ordered by (time, class, order of scheduling) and nothing else.
 *
 * It lives in two tables of the world, so a clone of the world carries its future with it. Each
 * timer says what will happen (kind), to which row (subject), and under which epoch of that row it
 * was set: when the row has moved on, the timer is stale and does nothing.
 */
#ifndef CMK_SIM_AGENDA_H
#define CMK_SIM_AGENDA_H

#include "sim/world.h"

/* Most timers that may be pending at once, and the classes that order ties. */
#define CMK_TIMERS_MAX ((UINT32_C(1) << 24) - 16)
#define CMK_TIMER_CLASSES_MAX 16

typedef struct CmkTimer {
    uint32_t next_free; /* of the recycling table */
    uint16_t kind;      /* row of the model's event table */
    uint16_t is_cancelled;
    uint32_t subject; /* row the timer is about */
    uint32_t epoch;   /* of that row when the timer was set */
    uint64_t cause_seq;
    uint32_t origin; /* step or fault that started the chain of causes, 0 if none */
    uint32_t generation;
} CmkTimer;
_Static_assert(sizeof(CmkTimer) == 32, "a timer has no padding");

/* Names one scheduling of a timer; {0, 0} names none. */
typedef struct CmkTimerId {
    uint32_t row;
    uint32_t generation;
} CmkTimerId;

/* What to put into the world's specs for the two tables; at most CMK_TIMERS_MAX. */
CmkTableSpec cmk_agenda_heap_spec(uint32_t timers_max);
CmkTableSpec cmk_agenda_timer_spec(uint32_t timers_max);

/* Sets a timer for `time` (not before now). `timer` gives kind, subject, epoch, cause, origin.
 * O(log pending). Going beyond the limit of timers makes CMK_TABLE_TIMER overfull. */
CmkTimerId cmk_agenda_push(CmkWorld *world, CmkTime time, uint32_t class_of_ties,
                           const CmkTimer *timer);

/* Makes a pending timer do nothing; false when it has fired or been cancelled. O(1). Its row stays
 * taken until its time has come. */
bool cmk_agenda_cancel(CmkWorld *world, CmkTimerId id);

/* Takes the next timer, if there is one due at `until` or before; moves no clock. O(log pending).
 */
bool cmk_agenda_pop(CmkWorld *world, CmkTime until, CmkTime *ret_time, CmkTimer *ret_timer);

/* Pending timers, cancelled ones included. */
uint32_t cmk_agenda_count(const CmkWorld *world);

#endif
