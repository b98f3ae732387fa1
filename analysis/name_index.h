/*
 * The names of a scenario, found by kind: what is declared in the file ("backup_vault",
 * "key_vault", "key", "identity", "policy", "instance"), its planned "fault"s and "step"s by their
 * ids, and what the model knows ("region", "datasource"). An instance "vault/instance" is found as
 * "instance" too, while it is the only one called so.
 */
#ifndef CMK_ANALYSIS_NAME_INDEX_H
#define CMK_ANALYSIS_NAME_INDEX_H

#include <glib.h>

#include "scenarios/scenario.h"

typedef struct CmkNameIndex CmkNameIndex;

/* Rows that no world has, for what an identity of a Backup vault can be besides a user's. */
#define CMK_NAME_NONE 0
#define CMK_NAME_SYSTEM UINT32_MAX

/* The scenario must outlive the names. O(names). */
CmkNameIndex *cmk_name_index_new(const CmkScenario *scenario);
void cmk_name_index_free(CmkNameIndex *names);

/* The row that bears a name, of a fault or step its index in the plan + 1; false if there is none.
 * "none" names row 0 and, for identities, "system" CMK_NAME_SYSTEM, unless something else bears
 * these names. */
bool cmk_name_index_find(const CmkNameIndex *names, const char *kind, const char *name,
                         uint32_t *ret_row);

/* The name of a row; "none", "system" or "?" for what has none. O(names). */
const char *cmk_name_index_text(const CmkNameIndex *names, const char *kind, uint32_t row);

/* All names of a kind, for suggestions; free the array, not the names, with g_free(). O(names). */
const char **cmk_name_index_list(const CmkNameIndex *names, const char *kind, size_t *ret_count);

/* The kind in words: "Backup vault". */
const char *cmk_name_index_kind_text(const char *kind);

#endif
