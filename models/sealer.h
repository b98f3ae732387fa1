/*
 * Carries out with real cryptography what the journal says was granted: a reader that drives the
 * envelope. It is also the independent judge of the rules: where the model says that data can be
 * read the bytes must come back, where it says that they are lost nothing must be able to open
 * them.
 *
 * Must not know: files, the scenario.
 */
#ifndef CMK_MODELS_SEALER_H
#define CMK_MODELS_SEALER_H

#include "models/entities.h"
#include "models/envelope.h"
#include "sim/journal.h"

typedef struct CmkSealer {
    CmkEnvelope *envelope;  /* owned by the caller, outlives the sealer */
    bool has_platform_key;  /* made for the first vault that needs it */
    char disagreement[256]; /* "" while model and arithmetic agree */
} CmkSealer;

/* Add it to the journal before the first operation. */
CmkReader cmk_sealer_reader(CmkSealer *sealer);

/* What restoring every remaining recovery point would give, each really decrypted if there is an
 * envelope and the model lets its restore through. */
typedef struct CmkRestoreCounts {
    uint32_t restored; /* let through, and where there was ciphertext the bytes came back */
    uint32_t proven;   /* of these: really decrypted and compared */
    uint32_t refused;  /* a guard refuses now; the data could come back */
    uint32_t lost;     /* nothing can ever open them */
    uint32_t mismatch; /* let through, but the bytes did not come back: a bug */
} CmkRestoreCounts;

/* `sealer` may be NULL (no cryptography). O(points). */
CmkRestoreCounts cmk_sealer_check_all(CmkSealer *sealer, const CmkModel *model,
                                      const CmkWorld *world);

#endif
