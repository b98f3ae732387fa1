/*
 * Which versions of HSM-protected keys are in use, as they are billed: from a request on until 30
 * days after the last one (COST-13, COST-14), be the key deleted meanwhile or not (SD-21).
 *
 * The versions in use in a key vault are a list in the order of their last use, so that those whose
 * time is over are at its front: a request costs O(1), each version that falls out of use O(1) once
 * more, and the number in use is known at every moment without a timer.
 */
#ifndef CMK_MODELS_KEY_USE_H
#define CMK_MODELS_KEY_USE_H

#include "models/gauge.h"
#include "sim/engine.h"

/* Notes that a request used the version; does nothing for keys that are not HSM-protected. */
void cmk_key_use_note(CmkSim *sim, CmkVersionId version);

/* Versions x microseconds from the scenario's start to now, for each tier of the price. */
void cmk_key_use_read(const CmkWorld *world, CmkKeyVaultId key_vault, CmkHsmKeys kind,
                      CmkIntegral ret_integrals[CMK_HSM_KEY_TIERS]);

#endif
