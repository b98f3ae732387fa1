/*
 * The codes of the Backup service: which one a refused request leads to (section 11.2), and what
 * each of them says to those who meet it (section 11.1).
 */
#ifndef CMK_MODELS_ERROR_MAP_H
#define CMK_MODELS_ERROR_MAP_H

#include "models/entities.h"
#include "sim/apply.h"

typedef struct CmkErrorRow {
    const char *rule;   /* "ERR-M3" */
    CmkGuardId guard;   /* that refused */
    CmkStatus settings; /* code when settings were to be set */
    CmkStatus job;      /* code of a backup or restore job; also of a background one, unseen */
    bool is_transient;  /* tried again before it counts (OQ-25) */
} CmkErrorRow;

const CmkErrorRow *cmk_error_rows(uint32_t *ret_count);

/* The row for a guard; NULL where the refusal is a code of Backup itself already. */
const CmkErrorRow *cmk_error_find(CmkGuardId guard);

/* What a refused request was about: of an update, whose key. */
typedef enum CmkErrorKey {
    CMK_ERROR_TARGET_KEY,          /* the one that the settings are to name */
    CMK_ERROR_CURRENT_KEY,         /* the one that they name: its loss is told apart (ERR-18) */
    CMK_ERROR_KEY_OF_OLD_IDENTITY, /* the same, for the identity that is to go (OQ-31) */
    CMK_ERROR_REWRAPPED_KEY,       /* the same, after it has passed its check (9.4, step 15) */
    CMK_ERROR_SECRET               /* no key, but the credentials of a database (SEC-1) */
} CmkErrorKey;

/* The code of a job that ends with this refusal, the knobs of OQ-1, OQ-2 and OQ-22 heard. */
CmkStatus cmk_error_status(const CmkWorld *world, const CmkTask *task, const CmkOutcome *refusal,
                           CmkErrorKey key);

/* What Backup says about one of its codes. */
typedef struct CmkErrorFacts {
    CmkStatus status;
    uint16_t reserved;
    bool is_user_error; /* somebody has to do something first (ERR-24) */
    bool is_retryable;  /* the same request may succeed later, or once the cause is gone */
    const char *rule;   /* "ERR-1" */
    const char *target; /* which part of the request it is about */
    const char *action; /* what to do, one sentence; what it means is CmkStatusRow.text */
} CmkErrorFacts;

const CmkErrorFacts *cmk_errors(uint32_t *ret_count);

/* NULL for a status that is not one of Backup's codes. */
const CmkErrorFacts *cmk_error_facts(CmkStatus status);

/* What to do about a refusal that no operation repairs, one sentence: what Backup says of its own
 * codes, and for every other status that a guard without repairs ends with. NULL if nothing does.
 */
const char *cmk_status_advice(CmkStatus status);

/* The longest message that cmk_error_message() composes, with the zero at its end. */
#define CMK_ERROR_MESSAGE_BYTES 1024

/* What Backup would show for a job that failed with `status` because of the record `refused`: its
 * own words, the key vault's answer inside them where there was one, and what to do (ERR-23). Gives
 * the length. `size` is at least 1; what does not fit is cut off. */
uint32_t cmk_error_message(const CmkModel *model, const CmkWorld *world, CmkStatus status,
                           const CmkRecord *refused, char *ret_text, size_t size);

#endif
