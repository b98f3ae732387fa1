/* The local roles of Managed HSMs: who may do what inside one (HSM-6 to HSM-9). The question itself
 * is that of models/access.c; here are the guards that ask it, and what mends a no. */
#include "models/access.h"
#include "models/key_store.h"
#include "models/managed_hsm.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/repairs.h"
#include "models/rows.h"

/* HSM-20; what is assigned for all keys counts as at the HSM (assumed). */
#define ASSIGNMENTS_MAX 50
#define ASSIGNMENTS_OF_KEY_MAX 10

static CmkPlace place_in_hsm(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_place_of(world, args, CMK_PERMISSION_GET);
}

static bool is_let(const CmkWorld *world, CmkPrincipalId principal, CmkPlace place,
                   CmkPermissions permissions, uint64_t *ret_blame)
{
    const bool is_so = cmk_access_roles_let(world, principal, place, permissions, ret_blame);
    if (!is_so && *ret_blame == 0) { /* it never had it */
        *ret_blame = cmk_principal(world, principal)->changed_by;
    }
    return is_so;
}

bool cmk_access_to_key_is_granted(const CmkWorld *world, CmkPrincipalId principal, CmkKeyId key,
                                  CmkPermissions permission, uint64_t *ret_blame)
{
    CmkArgs args = {.op = CMK_OP_KEY_GET};
    cmk_key_store_refer(world, key, &args);
    return cmk_is_about_hsm(&args)
               ? is_let(world, principal, place_in_hsm(world, &args), permission, ret_blame)
               : cmk_access_is_granted(world, principal,
                                       (CmkKeyVaultId){args.ref[CMK_REF_KEY_VAULT]}, key,
                                       permission, ret_blame);
}

/* ---- what mends a no ------------------------------------------------------------------------- */

/* The local role that lets its holder do one of these and the least besides. O(roles). */
static uint32_t least_local_role_for(CmkPermissions permissions)
{
    uint32_t count = 0;
    const CmkRoleFacts *roles = cmk_role_facts(&count);
    uint32_t best = 0;
    for (uint32_t i = 1; i < count; i++) {
        const int bits = __builtin_popcountll(roles[i].permissions);
        if (roles[i].kind == CMK_ROLE_LOCAL && (roles[i].permissions & permissions) != 0 &&
            (best == 0 || bits < __builtin_popcountll(roles[best].permissions))) {
            best = i;
        }
    }
    return best;
}

bool cmk_repair_local_role_of_actor(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    uint64_t ignored = 0;
    const CmkPersonId actor = {refused->ref[CMK_REF_ACTOR]};
    const CmkPrincipal *principal =
        cmk_principal(world, (CmkPrincipalId){cmk_person(world, actor)->principal});
    const CmkScopeId group = {cmk_managed_hsm_of(world, refused)->resource_group};
    ret->ref[CMK_REF_GRANTEE] = actor.i;
    ret->ref[CMK_REF_MANAGED_HSM] = refused->ref[CMK_REF_MANAGED_HSM];
    ret->num[0] = least_local_role_for(cmk_local_permissions_for(refused));
    return cmk_is_about_hsm(refused) && ret->num[0] != 0 &&
           cmk_managed_hsm_of(world, refused)->state == CMK_MANAGED_HSM_ACTIVE &&
           principal->tenant == cmk_scope_tenant(world, group) &&
           cmk_guard_assignment_is_new.holds(world, ret, &ignored);
}

static bool assign_local_role(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    uint64_t ignored = 0;
    ret->ref[CMK_REF_IDENTITY] = refused->ref[CMK_REF_IDENTITY];
    if (refused->ref[CMK_REF_IDENTITY] == 0) {
        ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
    }
    ret->ref[CMK_REF_MANAGED_HSM] = refused->ref[CMK_REF_MANAGED_HSM];
    ret->ref[CMK_REF_KEY] = refused->ref[CMK_REF_KEY];
    ret->num[0] = cmk_role_find("Managed HSM Crypto Service Encryption User");
    return refused->ref[CMK_REF_PRINCIPAL] == cmk_access_caller(world, refused).i &&
           cmk_guard_assignment_is_new.holds(world, ret, &ignored); /* else it is on its way */
}

/* ---- guards on requests ---------------------------------------------------------------------- */

static bool lets(const CmkWorld *world, const CmkArgs *args, CmkPermissions permission,
                 uint64_t *ret_blame)
{
    return !cmk_is_about_hsm(args) || is_let(world, (CmkPrincipalId){args->ref[CMK_REF_PRINCIPAL]},
                                             place_in_hsm(world, args), permission, ret_blame);
}

#define LOCAL_ROLE_GUARD(small, bit, words, action)                                                \
    static bool local_role_lets_##small(const CmkWorld *world, const CmkArgs *args,                \
                                        uint64_t *ret_blame)                                       \
    {                                                                                              \
        return lets(world, args, bit, ret_blame);                                                  \
    }                                                                                              \
    const CmkGuard cmk_guard_local_role_lets_##small = {                                           \
        .name = "local-role-lets-" #small,                                                         \
        .holds = local_role_lets_##small,                                                          \
        .status = CMK_STATUS_OF(FORBIDDEN_BY_LOCAL_RBAC),                                          \
        .rule = "HSM-7 HSM-8 KVE-19",                                                              \
        .text = "A local role of the Managed HSM lets the identity " words " (" action ").",       \
        .repairs = {{CMK_OP_ROLE_ASSIGN, assign_local_role,                                        \
                     "assign Managed HSM Crypto Service Encryption User to the identity on the "   \
                     "key"}}}

LOCAL_ROLE_GUARD(get, CMK_PERMISSION_GET, "read the key", "keys/read/action");
LOCAL_ROLE_GUARD(wrap, CMK_PERMISSION_WRAP, "wrap with the key", "keys/wrap/action");
LOCAL_ROLE_GUARD(unwrap, CMK_PERMISSION_UNWRAP, "unwrap with the key", "keys/unwrap/action");

CmkPermissions cmk_local_permissions_for(const CmkArgs *args)
{
    /* Deleted keys are the affair of others than keys in use are (HSM-9). */
    const bool is_of_deleted =
        args->op == CMK_OP_KEY_GET_DELETED || args->op == CMK_OP_KEY_LIST_DELETED;
    return is_of_deleted ? CMK_PERMISSION_READ_DELETED
                         : cmk_azure_model()->operations[args->op]->permission;
}

static bool local_role_lets_actor(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkPermissions permissions = cmk_local_permissions_for(args);
    const CmkPersonId actor = {args->ref[CMK_REF_ACTOR]};
    return !cmk_is_about_hsm(args) || actor.i == 0 ||
           is_let(world, (CmkPrincipalId){cmk_person(world, actor)->principal},
                  cmk_place_of(world, args, permissions), permissions, ret_blame);
}

const CmkGuard cmk_guard_local_role_lets_actor = {
    .name = "local-role-lets-actor",
    .holds = local_role_lets_actor,
    .status = CMK_STATUS_OF(FORBIDDEN_BY_LOCAL_RBAC),
    .rule = "HSM-6 HSM-7 HSM-9 HSM-14",
    .text = "A local role of the Managed HSM lets the person who asks do this.",
    .repairs = {{CMK_OP_ROLE_ASSIGN, cmk_repair_local_role_of_actor,
                 "give the person a local role of the Managed HSM that allows it"}}};

/* ---- assigning them -------------------------------------------------------------------------- */

static bool role_fits_scope(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    uint32_t count = 0;
    const bool is_local = cmk_role_facts(&count)[args->num[0]].kind == CMK_ROLE_LOCAL;
    (void)world;
    (void)ret_blame;
    return is_local == cmk_is_about_hsm(args);
}

/* That roles of Azure for the HSM as a resource are assigned where it lies, and not at itself, is a
 * simplification: `/` is the name of the HSM in both worlds. */
const CmkGuard cmk_guard_role_fits_scope = {
    .name = "role-fits-scope",
    .holds = role_fits_scope,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "HSM-7",
    .text = "A local role is assigned in a Managed HSM, any other role elsewhere."};

/* O(assignments in the HSM) */
static bool local_assignments_have_room(const CmkWorld *world, const CmkArgs *args,
                                        uint64_t *ret_blame)
{
    const uint32_t key = args->ref[CMK_REF_KEY];
    uint32_t count = 0;
    uint32_t row = cmk_managed_hsm_of(world, args)->first_assignment;
    while (row != 0) {
        const CmkAssignment *assignment = cmk_assignment(world, (CmkAssignmentId){row});
        const bool is_listed = assignment->state == CMK_ASSIGNMENT_ACTIVE ||
                               assignment->state == CMK_ASSIGNMENT_GRANTING;
        if (is_listed && assignment->key == key) {
            count++;
            *ret_blame = assignment->changed_by > *ret_blame ? assignment->changed_by : *ret_blame;
        }
        row = assignment->next_of_key_vault;
    }
    return count < (key != 0 ? ASSIGNMENTS_OF_KEY_MAX : ASSIGNMENTS_MAX);
}

const CmkGuard cmk_guard_local_assignments_have_room = {
    .name = "local-assignments-have-room",
    .holds = local_assignments_have_room,
    .status = CMK_STATUS_OF(ROLE_ASSIGNMENTS_FULL),
    .rule = "HSM-20",
    .text = "The Managed HSM has fewer than 50 role assignments of its own, or the key fewer than "
            "10."};

CmkAssignment *cmk_local_role_give(CmkSim *sim, CmkManagedHsmId id, CmkPrincipalId principal_id,
                                   uint32_t role)
{
    const uint32_t row = cmk_world_row_add(sim->world, CMK_TABLE_ASSIGNMENT);
    CmkManagedHsm *hsm = cmk_managed_hsm_mut(sim, id);
    CmkPrincipal *principal = cmk_principal_mut(sim, principal_id);
    CmkAssignment *assignment = cmk_assignment_mut(sim, (CmkAssignmentId){row});
    *assignment =
        (CmkAssignment){.principal = principal_id.i,
                        .role = role,
                        .managed_hsm = id.i,
                        .state = CMK_ASSIGNMENT_ACTIVE,
                        .tenant = cmk_scope_tenant(sim->world, (CmkScopeId){hsm->resource_group}),
                        .next_of_principal = principal->first_assignment,
                        .next_of_key_vault = hsm->first_assignment,
                        .changed_by = cmk_this_seq(sim)};
    principal->first_assignment = row;
    hsm->first_assignment = row;
    return assignment;
}
