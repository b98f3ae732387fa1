/*
 * Who may do what: role assignments, access policies and groups, as they act now (section 3).
 */
#ifndef CMK_MODELS_ACCESS_H
#define CMK_MODELS_ACCESS_H

#include "models/scope.h"

/* Whether the principal has the permission (one CMK_PERMISSION_* bit) on the key now, under the
 * key vault's own permission model, by itself or through a group. Where it has not, `ret_blame` is
 * the record that took it away, or 0 if it never had it. O(assignments of the principal and its
 * groups). */
bool cmk_access_is_granted(const CmkWorld *world, CmkPrincipalId principal, CmkKeyVaultId key_vault,
                           CmkKeyId key, CmkPermissions permission, uint64_t *ret_blame);

/* The same wherever the key lives: in a Managed HSM its local roles decide (HSM-7). */
bool cmk_access_to_key_is_granted(const CmkWorld *world, CmkPrincipalId principal, CmkKeyId key,
                                  CmkPermissions permission, uint64_t *ret_blame);

/* What an operation takes inside a Managed HSM. */
CmkPermissions cmk_local_permissions_for(const CmkArgs *args);

/* Gives the principal a local role at `/`, which acts at once. For effects that write Managed HSMs,
 * principals and assignments. */
CmkAssignment *cmk_local_role_give(CmkSim *sim, CmkManagedHsmId id, CmkPrincipalId principal,
                                   uint32_t role);

/* Whether a role gives the principal one of the permissions at a place. Otherwise as above. */
bool cmk_access_roles_let(const CmkWorld *world, CmkPrincipalId principal, CmkPlace place,
                          CmkPermissions permissions, uint64_t *ret_blame);

/* Whether the person who asks has one of the permissions at a place; people who are not named have
 * them all. Otherwise as above. */
bool cmk_access_actor_may(const CmkWorld *world, const CmkArgs *args, CmkPlace place,
                          CmkPermissions permissions, uint64_t *ret_blame);

/* A repair: fills in role.assign so that the person who was refused gets the least role that has
 * one of the permissions; false if that would not help. */
bool cmk_access_let_actor(const CmkWorld *world, const CmkArgs *refused, CmkPlace place,
                          CmkPermissions permissions, CmkArgs *ret);

/* The principal that arguments name by user or group, by identity, or by Backup vault for its
 * system-assigned one; {0} if there is none now. */
CmkPrincipalId cmk_access_caller(const CmkWorld *world, const CmkArgs *args);

/* The newest principal that arguments name in the same way and that is no more, {0} if there is
 * none; and the one before it. */
CmkPrincipalId cmk_access_left_behind(const CmkWorld *world, const CmkArgs *args);
CmkPrincipalId cmk_access_left_before(const CmkWorld *world, CmkPrincipalId id);

/* What a role lets its holder do, as CMK_PERMISSION_* bits. */
CmkPermissions cmk_role_permissions(uint32_t role);

/* Whether any of that is about data, the keys and secrets in key vaults, and not about resources.
 */
bool cmk_role_has_data_actions(uint32_t role);

/* Whether the principal is known to the directory that its subscription trusts: neither deleted nor
 * left behind in another tenant (MI-5, MI-7, MI-13). */
bool cmk_principal_is_alive(const CmkWorld *world, CmkPrincipalId id);

/* Whether the principal is of the tenant of its identity, of the Backup vault and of the key vault:
 * identities do not cross tenants, and a key vault turns away the token of another one (MI-13,
 * KVE-1). Sets *ret_blame only where not. */
bool cmk_principal_crosses_no_tenant(const CmkWorld *world, CmkPrincipalId id,
                                     CmkBackupVaultId vault, CmkScopeId store, uint64_t *ret_blame);

/* The next time at which the principal gets a new token, later than now; now without tokens. */
CmkTime cmk_principal_token_end(const CmkWorld *world, CmkPrincipalId id);

/* Whether a request can still be made with the last token of a principal that was deleted: only key
 * vaults with roles take it (MI-8). */
bool cmk_principal_token_works(const CmkWorld *world, CmkPrincipalId id, CmkKeyVaultId key_vault);

/* The permissions of the policy that access_policy.remove with these arguments would take away; 0
 * for none. */
uint64_t cmk_access_policy_permissions(const CmkWorld *world, const CmkArgs *remove);

/* Takes an assignment away for good, from its lists' point of view: it grants nothing from now on
 * and is not counted any more. */
void cmk_assignment_end(CmkSim *sim, CmkAssignmentId id);

#endif
