/*
 * Which code of the Backup service a refused request leads to (section 11.2).
 */
#ifndef CMK_MODELS_ERROR_MAP_H
#define CMK_MODELS_ERROR_MAP_H

#include "models/entities.h"

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

#endif
