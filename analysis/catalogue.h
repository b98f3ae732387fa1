/*
 * The catalogue of everything that the model knows: the rows of its tables as entries, by kind.
 *
 * Lists, explanations, JSON and the pages of docs/reference are printed from these entries, so a
 * row that is added to a table shows up in all of them.
 *
 * Must not know: how entries are printed, the command line.
 */
#ifndef CMK_ANALYSIS_CATALOGUE_H
#define CMK_ANALYSIS_CATALOGUE_H

#include "analysis/entry.h"
#include "models/entities.h"
#include "sim/tables.h"

typedef struct CmkCatalogueKind {
    const char *name;    /* "ops": as `cmksim list` takes it, and as its page is called */
    const char *title;   /* "Operations" */
    const char *text;    /* what they are, one or two sentences */
    const char *aliases; /* property by which an entry is found too, NULL if none */
    GPtrArray *(*entries)(void);
} CmkCatalogueKind;

/* All kinds; those with the same names as others come first. */
const CmkCatalogueKind *cmk_catalogue_kinds(uint32_t *ret_count);
/* NULL for an unknown name. */
const CmkCatalogueKind *cmk_catalogue_kind(const char *name);

/* Every entry called `name`, whatever its kind and the case of its letters. Owned by the caller. */
GPtrArray *cmk_catalogue_find(const char *name);

/* What to do for somebody who asked for `name` in vain: a near name, the list of those that begin
 * so, names that contain it, or where all lists are. Owned by the caller. */
char *cmk_catalogue_hint(const char *name);

/* Keeps the entries whose name begins with `prefix`, up to where a word of it ends: "key" keeps
 * "key.get" and "key-exists", not "key_vault.create"; "BV-T" keeps "BV-T1", "User"
 * "UserErrorCMKKeyVaultAuthFailure". */
void cmk_catalogue_keep_prefix(GPtrArray *entries, const char *prefix);

/* What --where may say of the property called `name`, which all entries have: its texts or words,
 * each once. */
GPtrArray *cmk_catalogue_values(const GPtrArray *entries, const char *name);

/* Keeps the entries whose property holds the value, or one of its words does. False if one of them
 * has no such property. */
bool cmk_catalogue_keep_where(GPtrArray *entries, const char *property, const char *value);

/* Replaces the IDs of the property "rules", if the entry has it, by entries that say what each rule
 * is and where it comes from. */
void cmk_catalogue_spell_rules(CmkEntry *entry);

/* How many rules are modelled, how tests show these, how many are left out; which of the modelled
 * are shown coarsely, by name only, or not. */
CmkEntry *cmk_catalogue_coverage(void);

/* ---- entries by kind; each owned by the caller ----------------------------------------------- */

GPtrArray *cmk_catalogue_rules(void);
GPtrArray *cmk_catalogue_operations(void);
GPtrArray *cmk_catalogue_guards(void);
GPtrArray *cmk_catalogue_statuses(void);
GPtrArray *cmk_catalogue_errors(void);
GPtrArray *cmk_catalogue_knobs(void);
GPtrArray *cmk_catalogue_profiles(void);
GPtrArray *cmk_catalogue_roles(void);
GPtrArray *cmk_catalogue_regions(void);
GPtrArray *cmk_catalogue_datasources(void);
GPtrArray *cmk_catalogue_prices(void);
GPtrArray *cmk_catalogue_faults(void);

/* A value of a knob as people read it: "10 min". Owned by the caller. */
char *cmk_knob_text(const CmkKnob *knob, int64_t value);

/* Words for the bits of CmkOperation.permission and CmkRoleFacts.permissions. Owned by caller. */
char *cmk_catalogue_permissions(CmkPermissions permissions);

#endif
