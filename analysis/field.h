/*
 * What can be asked of an entity at any moment: the state fields that conditions name, as in
 * `key.kv-prod/backup-kek.enabled`. One table serves the parser, its messages and documentation.
 */
#ifndef CMK_ANALYSIS_FIELD_H
#define CMK_ANALYSIS_FIELD_H

#include "analysis/value.h"
#include "models/model.h"

typedef struct CmkStateField {
    const char *name; /* "encryption" */
    CmkType type;
    uint64_t reads; /* bit per table that the value depends on */
    int64_t (*get)(const CmkWorld *world, uint32_t row);
    const char *doc; /* one clause, without a full stop */
} CmkStateField;

typedef struct CmkStateKind {
    const char *name; /* as in paths, and as in names of scenarios: "backup_vault" */
    const CmkStateField *fields;
    size_t count;
} CmkStateKind;

/* The words of CmkEncryption, CmkTier and CmkRedundancy; each ends at NULL. */
extern const char *const cmk_words_encryption[];
extern const char *const cmk_words_tier[];
extern const char *const cmk_words_redundancy[];

const CmkStateKind *cmk_state_kinds(size_t *ret_count);

/* What can be asked of one version of a key: `key.kv-prod/backup-kek/2.enabled`. Its `get` takes
 * the row of the version, 0 for one that there is not. */
const CmkStateKind *cmk_state_kind_of_versions(void);

/* NULL if there is none. `length` characters of the name are looked at. */
const CmkStateKind *cmk_state_kind_find(const char *name, size_t length);
const CmkStateField *cmk_state_field_find(const CmkStateKind *kind, const char *name);

/* The names of the fields of a kind, of which there are `kind->count`; free with g_free(). */
const char **cmk_state_field_list(const CmkStateKind *kind);

#endif
