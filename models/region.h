/*
 * What the state of a region means for the key vaults in it.
 */
#ifndef CMK_MODELS_REGION_H
#define CMK_MODELS_REGION_H

#include "models/entities.h"

/* Whether key vaults of the region answer at all: by themselves or from the pair (REL-4, REL-7). */
bool cmk_region_answers(const CmkWorld *world, CmkRegionId region);

/* The record to blame where they do not answer: of the loss of the region, or of its pair. */
uint64_t cmk_region_blame(const CmkWorld *world, CmkRegionId region);

/* Whether the region is up and nothing of it is in its pair. */
bool cmk_region_is_up(const CmkWorld *world, CmkRegionId region);

/* Whether they take requests that change something (REL-3, REL-7, REL-8). */
bool cmk_region_is_writable(const CmkWorld *world, CmkRegionId region);

/* Whether private links to key vaults of the region work: not at once after a failover (REL-11). */
bool cmk_region_links_work(const CmkWorld *world, CmkRegionId region);

/* Whether what is not failed over stands still: from the loss until the region is back. */
bool cmk_region_is_down(const CmkWorld *world, CmkRegionId region);

/* The region that this one is paired with; {0} if there is none (REL-17). */
CmkRegionId cmk_region_pair(const CmkWorld *world, CmkRegionId id);

/* Where the job of Backup runs that is asked for, or under way: in the pair, or else in the vault's
 * region. */
CmkRegionId cmk_region_of_job(const CmkWorld *world, const CmkArgs *args);

#endif
