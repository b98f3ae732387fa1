/*
 * Where resources lie: key vaults and identities in resource groups, those in subscriptions, those
 * in management groups (AC-9). The longest way from a resource outwards is short, so everything
 * here takes O(depth).
 */
#ifndef CMK_MODELS_SCOPE_H
#define CMK_MODELS_SCOPE_H

#include "models/entities.h"

/* What an operation is about, for whoever asks whether it is allowed there. */
typedef struct CmkPlace {
    CmkScopeId scope; /* the resource group, or the scope itself; {0}: the directory */
    CmkKeyVaultId key_vault;
    CmkManagedHsmId managed_hsm; /* {0}: not inside one */
    CmkKeyId key;
    bool is_on_keys; /* inside an HSM: `/keys` or a key, not `/` (HSM-7) */
} CmkPlace;

/* A key vault, or one key in it. */
CmkPlace cmk_place_of_key(const CmkWorld *world, CmkKeyVaultId key_vault, CmkKeyId key);

/* What the arguments of an operation that takes `permission` are about: the kind of permission says
 * which of them. */
CmkPlace cmk_place_of(const CmkWorld *world, const CmkArgs *args, CmkPermissions permission);

/* Where an assignment was made. */
CmkPlace cmk_place_of_assignment(const CmkWorld *world, const CmkAssignment *assignment);

/* Whether `inner` is `outer` or lies in it. */
bool cmk_scope_contains(const CmkWorld *world, CmkScopeId outer, CmkScopeId inner);

/* The subscription that a scope lies in or is; {0} for management groups and the directory. */
CmkScopeId cmk_scope_subscription(const CmkWorld *world, CmkScopeId scope);

/* How often that subscription has moved to another tenant; 0 where there is none (MI-13). */
uint32_t cmk_scope_tenant(const CmkWorld *world, CmkScopeId scope);

/* The scope that counts the role assignments made at a place: its subscription, or the management
 * group itself (AC-20). */
CmkScopeId cmk_scope_that_counts(const CmkWorld *world, CmkScopeId scope);

#endif
