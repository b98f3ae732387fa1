/*
 * Who may do what, told a second time from the rules of section 3 and 5 alone: by going through
 * a chronicle of what was given and taken, without lists, indexes or states of the model. Slow and
 * plain, to be compared with the guards.
 */
#ifndef CMK_TESTS_UNIT_MODELS_ACCESS_ORACLE_H
#define CMK_TESTS_UNIT_MODELS_ACCESS_ORACLE_H

#include "tests/unit/models/access_chronicle.h"

/* Of the world it reads what time it is, the knobs, and what never changes: which principal a
 * person has, kinds of scopes, and the resource groups of key vaults, identities and vaults. */
typedef struct Oracle {
    const Chronicle *chronicle;
    const CmkWorld *world;
} Oracle;

/* The guard that refuses a request of Backup on a key (key.get, wrap or unwrap), as far as access
 * goes; CMK_GUARD_NONE if none does. The key vault must exist and answer. */
CmkGuardId oracle_request(const Oracle *oracle, const CmkArgs *args);

/* The same for a named person who asks for one of the operations of oracle_order(). */
CmkGuardId oracle_person(const Oracle *oracle, const CmkArgs *args);

/* The operations it knows of which people ask for, from 0 on; CMK_OP_NONE after the last. */
CmkOpId oracle_order(uint32_t index);

#endif
