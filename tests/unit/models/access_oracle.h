/*
 * Who may do what, told a second time from the rules of section 3 and 5 alone: by going through
 * whole tables, without lists, indexes or anything of models/access.h. Slow and plain, to be
 * compared with the guards.
 */
#ifndef CMK_TESTS_UNIT_MODELS_ACCESS_ORACLE_H
#define CMK_TESTS_UNIT_MODELS_ACCESS_ORACLE_H

#include "models/model.h"

/* The guard that refuses a request of Backup on a key (key.get, wrap or unwrap), as far as access
 * goes; CMK_GUARD_NONE if none does. The key vault must exist and answer. */
CmkGuardId oracle_request(const CmkWorld *world, const CmkArgs *args);

/* The same for a named person who asks for an operation on a key (key.rotate, key.delete). */
CmkGuardId oracle_person_on_key(const CmkWorld *world, const CmkArgs *args);

/* The same for what a named person manages: role.assign, access_policy.set,
 * key_vault.set_permission_model, identity.create and identity.attach, group.add_member. */
CmkGuardId oracle_person_manages(const CmkWorld *world, const CmkArgs *args);

#endif
