/*
 * What others ask about the retention of an instance (BV-9, MUA-6).
 */
#ifndef CMK_MODELS_IMMUTABILITY_H
#define CMK_MODELS_IMMUTABILITY_H

#include "models/entities.h"

/* Whether the policy that the arguments name keeps points in the vault and archive tiers for less
 * time than the policy that the instance has, with any tag, if they were made now. O(tags). */
bool cmk_retention_is_reduced(const CmkWorld *world, const CmkArgs *args);

#endif
