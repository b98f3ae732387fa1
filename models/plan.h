/*
 * The timeline: operations planned for known moments, in the world itself, so that a clone carries
 * them out too.
 */
#ifndef CMK_MODELS_PLAN_H
#define CMK_MODELS_PLAN_H

#include "models/entities.h"

/* The live recovery point that `choice` means for the instance now; {0} if there is none. */
CmkPointId cmk_plan_choose_point(const CmkWorld *world, CmkInstanceId instance,
                                 CmkPointChoice choice);

#endif
