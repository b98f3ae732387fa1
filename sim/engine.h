/*
 * The loop: takes the next timer, moves the clock, lets its handler apply operations.
 */
#ifndef CMK_SIM_ENGINE_H
#define CMK_SIM_ENGINE_H

#include "sim/apply.h"

typedef enum CmkEngineEnd {
    CMK_ENGINE_REACHED, /* nothing is due any more up to the given time */
    CMK_ENGINE_LIMIT,   /* a table of the world is full: CmkSim.exhausted */
    CMK_ENGINE_STOPPED  /* the caller's check said so */
} CmkEngineEnd;

/* Handles the next timer due at `until` or before; false if there is none. */
bool cmk_engine_step(CmkSim *sim, CmkTime until);

/* Runs to `until` (inclusive) and leaves the clock there. `must_stop`, if given, is asked after
 * each timer. */
CmkEngineEnd cmk_engine_run(CmkSim *sim, CmkTime until, bool (*must_stop)(void *self), void *self);

/* Sets a timer of kind `kind` about row `subject`, caused by the operation being applied with
 * `args`; takes class and epoch from the event table. For effects. */
CmkTimerId cmk_engine_set_timer(CmkSim *sim, CmkTime time, uint32_t kind, uint32_t subject,
                                const CmkArgs *args);

/* Sets a timer again for another time, as it is or with another subject: its epoch and what it is
 * caused by stay. For handlers. */
CmkTimerId cmk_engine_repeat_timer(CmkSim *sim, CmkTime time, const CmkTimer *timer);

/* Arguments for an operation that PLATFORM carries out because of `timer`. */
CmkArgs cmk_args_of_timer(CmkOpId op, const CmkTimer *timer);

#endif
