/*
 * What was given to whom, when, and when it was taken away again: written down from the records of
 * what people asked for, as in a diary. It knows nothing of what followed later by itself
 * (propagation, new tokens), and of the rows of the world only what never changes: where things
 * lie, and which principal a person has.
 */
#ifndef CMK_TESTS_UNIT_MODELS_ACCESS_CHRONICLE_H
#define CMK_TESTS_UNIT_MODELS_ACCESS_CHRONICLE_H

#include "models/model.h"
#include "sim/journal.h"

#define CHRONICLE_LINES_MAX 512
#define CHRONICLE_PRINCIPALS_MAX 2049
#define CHRONICLE_THINGS_MAX 8 /* key vaults, identities, Backup vaults, scopes: each */

typedef struct Grant {
    uint32_t principal;
    uint32_t role;
    uint32_t scope; /* or else: */
    uint32_t key_vault;
    uint32_t managed_hsm; /* or else this one: */
    uint32_t is_on_keys;  /* not `/`, but `/keys` or a key */
    uint32_t key;
    uint32_t is_lost; /* with its key vault (SD-15) */
    uint32_t reserved;
    uint64_t seq;
    CmkTime given_at;
    CmkTime taken_at; /* CMK_TIME_MAX: nobody has */
} Grant;

/* Somebody comes into a group, or goes. */
typedef struct Passage {
    uint32_t principal;
    uint32_t group;
    uint32_t is_in;
    uint32_t reserved;
    CmkTime at; /* 0: before the scenario began */
} Passage;

typedef struct Permit {
    uint32_t principal;
    uint32_t key_vault;
    uint64_t permissions;
    uint64_t of_template; /* what the last permissions before the scenario began were */
} Permit;

typedef struct Attached {
    uint32_t backup_vault;
    uint32_t identity;
    uint32_t is_there;
    uint32_t is_lost; /* the identity was deleted while it was attached */
} Attached;

typedef struct Life {
    uint64_t seq; /* of its making; 0 for people, who were always there */
    CmkTime made_at;
    CmkTime deleted_at; /* CMK_TIME_MAX: it is there */
    uint32_t identity;
    uint32_t backup_vault; /* of a system-assigned one */
} Life;

/* A subscription goes to another tenant. */
typedef struct Move {
    uint32_t subscription;
    uint32_t reserved;
    uint64_t seq;
} Move;

typedef struct Chronicle {
    Grant grants[CHRONICLE_LINES_MAX];
    Passage passages[CHRONICLE_LINES_MAX];
    Permit permits[CHRONICLE_LINES_MAX];
    Attached attached[CHRONICLE_LINES_MAX];
    Move moves[CHRONICLE_LINES_MAX];
    Life lives[CHRONICLE_PRINCIPALS_MAX]; /* by principal */
    uint32_t grant_count;
    uint32_t passage_count;
    uint32_t permit_count;
    uint32_t attached_count;
    uint32_t move_count;
    uint32_t uses_policies[CHRONICLE_THINGS_MAX];    /* by key vault */
    uint32_t principal_of[CHRONICLE_THINGS_MAX];     /* by identity; 0: none now */
    uint32_t system_principal[CHRONICLE_THINGS_MAX]; /* by Backup vault; 0: none now */
    uint32_t parent[CHRONICLE_THINGS_MAX];           /* by scope: as it was in the beginning */
} Chronicle;

/* Writes into `chronicle`, which is all zeros, from the first record on. */
CmkReader chronicle_reader(Chronicle *chronicle);

#endif
