/* Managed identities: their life, and their place on a Backup vault (section 5). */
#include "models/access.h"
#include "models/key_store.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/repairs.h"
#include "models/rows.h"

/* The row that attaches the identity of the arguments to their vault, attached or not; 0 if there
 * never was one. O(identities of the vault). */
static CmkAttachmentId attachment_of(const CmkWorld *world, const CmkArgs *args)
{
    uint32_t row = cmk_backup_vault_of(world, args)->first_attachment;
    while (row != 0) {
        const CmkAttachment *attachment = cmk_attachment(world, (CmkAttachmentId){row});
        if (attachment->identity == args->ref[CMK_REF_IDENTITY]) {
            break;
        }
        row = attachment->next_of_vault;
    }
    return (CmkAttachmentId){row};
}

/* ---- guards on requests: who asks? ----------------------------------------------------------- */

static bool system_identity_is_on(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->system_by;
    return args->ref[CMK_REF_IDENTITY] != 0 ||
           cmk_backup_vault_of(world, args)->system_principal != 0;
}

const CmkGuard cmk_guard_system_identity_is_on = {
    .name = "system-identity-is-on",
    .holds = system_identity_is_on,
    .status = CMK_STATUS_OF(SYSTEM_IDENTITY_OFF),
    .rule = "ERR-M1 BV-29 MI-5",
    .text = "The system-assigned identity that the encryption settings use is switched on.",
    .repairs = {{CMK_OP_SYSTEM_IDENTITY_ENABLE, cmk_repair_enable_system,
                 "switch the system-assigned identity on; give its new principal its rights and "
                 "update the encryption settings"}}};

static bool user_identity_is_attached(const CmkWorld *world, const CmkArgs *args,
                                      uint64_t *ret_blame)
{
    if (args->ref[CMK_REF_IDENTITY] == 0) {
        return true;
    }
    const CmkIdentity *identity = cmk_identity_of(world, args);
    const CmkAttachment *attachment = cmk_attachment(world, attachment_of(world, args));
    *ret_blame = attachment->is_attached ? identity->changed_by : attachment->changed_by;
    /* Nobody told Backup that the identity was deleted; the token still opens doors. */
    const bool has_token =
        attachment->is_orphaned != 0 &&
        cmk_principal_token_works(world, (CmkPrincipalId){args->ref[CMK_REF_PRINCIPAL]},
                                  (CmkKeyVaultId){args->ref[CMK_REF_KEY_VAULT]});
    return has_token || (attachment->is_attached != 0 && identity->state == CMK_IDENTITY_ACTIVE);
}

const CmkGuard cmk_guard_user_identity_is_attached = {
    .name = "user-identity-is-attached",
    .holds = user_identity_is_attached,
    .status = CMK_STATUS_OF(USER_IDENTITY_NOT_ATTACHED),
    .rule = "ERR-M2 BV-29 MI-6 MI-8 OQ-11",
    .text = "The user-assigned identity of the encryption settings is attached to the vault.",
    .repairs = CMK_REPAIRS_ATTACH};

/* Where the key vault or Managed HSM that is asked lies. */
static CmkScopeId store_group(const CmkWorld *world, const CmkArgs *args)
{
    const CmkManagedHsmId hsm = {args->ref[CMK_REF_MANAGED_HSM]};
    return (CmkScopeId){cmk_is_about_hsm(args) ? cmk_managed_hsm(world, hsm)->resource_group
                                               : cmk_key_vault_of(world, args)->resource_group};
}

static bool caller_is_known(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkPrincipalId id = {args->ref[CMK_REF_PRINCIPAL]};
    const CmkKeyVaultId key_vault = {args->ref[CMK_REF_KEY_VAULT]};
    const CmkBackupVaultId vault = {args->ref[CMK_REF_BACKUP_VAULT]};
    const CmkPrincipal *principal = cmk_principal(world, id);
    *ret_blame = principal->changed_by;
    const bool has_token =
        principal->is_alive != 0 || cmk_principal_token_works(world, id, key_vault);
    return has_token &&
           cmk_principal_crosses_no_tenant(world, id, vault, store_group(world, args), ret_blame);
}

static bool enable_system_again(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return refused->ref[CMK_REF_IDENTITY] == 0 && cmk_repair_enable_system(world, refused, ret);
}

/* Whether the identity has another principal by now, which may come here. */
static bool has_successor(const CmkWorld *world, const CmkArgs *refused)
{
    const CmkPrincipalId present = cmk_access_caller(world, refused);
    uint64_t ignored = 0;
    return present.i != 0 && present.i != refused->ref[CMK_REF_PRINCIPAL] &&
           cmk_principal_crosses_no_tenant(world, present,
                                           (CmkBackupVaultId){refused->ref[CMK_REF_BACKUP_VAULT]},
                                           store_group(world, refused), &ignored);
}

/* The request as that principal would make it, if it has to be given rights first. */
static bool needs_rights(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret_request)
{
    const CmkPrincipalId present = cmk_access_caller(world, refused);
    uint64_t ignored = 0;
    *ret_request = *refused;
    ret_request->ref[CMK_REF_PRINCIPAL] = present.i;
    return has_successor(world, refused) &&
           !cmk_access_to_key_is_granted(world, present, (CmkKeyId){refused->ref[CMK_REF_KEY]},
                                         CMK_PERMISSION_UNWRAP, &ignored);
}

static bool assign_to_successor(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    CmkArgs request;
    return needs_rights(world, refused, &request) && cmk_repair_assign_role(world, &request, ret);
}

static bool set_for_successor(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    CmkArgs request;
    return needs_rights(world, refused, &request) && cmk_repair_set_policy(world, &request, ret);
}

static bool bind_to_successor(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    return has_successor(world, refused) && cmk_repair_update_encryption(world, refused, ret);
}

const CmkGuard cmk_guard_caller_is_known = {
    .name = "caller-is-known",
    .holds = caller_is_known,
    .status = CMK_STATUS_OF(UNAUTHORIZED),
    .rule = "ERR-M13 KVE-1 MI-5 MI-7 MI-8 MI-13",
    .text = "The principal that the encryption settings are bound to exists, or its last token "
            "has not run out, and it is of the tenant of Backup vault and key vault.",
    .repairs = {
        {CMK_OP_IDENTITY_DELETE, cmk_repair_delete_identity,
         "delete the identity that stayed behind in another tenant, and create it again"},
        {CMK_OP_SYSTEM_IDENTITY_DISABLE, cmk_repair_disable_system,
         "switch the system-assigned identity that stayed behind in another tenant off and on"},
        {CMK_OP_IDENTITY_CREATE, cmk_repair_create_identity, "create the identity again"},
        {CMK_OP_IDENTITY_ATTACH, cmk_repair_attach_identity, "attach it to the Backup vault"},
        {CMK_OP_SYSTEM_IDENTITY_ENABLE, enable_system_again,
         "switch the system-assigned identity on"},
        {CMK_OP_ROLE_ASSIGN, assign_to_successor, "assign the role to the new principal"},
        {CMK_OP_ACCESS_POLICY_SET, set_for_successor, "set the policy for the new principal"},
        {CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION, bind_to_successor,
         "update the encryption settings, which binds them to the new principal"}}};

/* ---- guards on the life of identities -------------------------------------------------------- */

static bool identity_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_identity_of(world, args)->changed_by;
    return cmk_identity_of(world, args)->state == CMK_IDENTITY_ACTIVE;
}

const CmkGuard cmk_guard_identity_exists = {
    .name = "identity-exists",
    .holds = identity_exists,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "MI-1",
    .text = "The user-assigned identity exists.",
    .repairs = {{CMK_OP_IDENTITY_CREATE, cmk_repair_create_identity, "create the identity again"}}};

static bool identity_is_absent(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return !identity_exists(world, args, ret_blame);
}

const CmkGuard cmk_guard_identity_is_absent = {.name = "identity-is-absent",
                                               .holds = identity_is_absent,
                                               .status = CMK_STATUS_OF(CONFLICT),
                                               .rule = "MI-7",
                                               .text = "No identity has this name now."};

static bool identity_is_attached(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkAttachment *attachment = cmk_attachment(world, attachment_of(world, args));
    *ret_blame = attachment->changed_by;
    return attachment->is_attached != 0;
}

const CmkGuard cmk_guard_identity_is_attached = {
    .name = "identity-is-attached",
    .holds = identity_is_attached,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "MI-6",
    .text = "The identity is attached to the Backup vault."};

static bool identity_is_not_attached(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    return !identity_is_attached(world, args, ret_blame);
}

const CmkGuard cmk_guard_identity_is_not_attached = {
    .name = "identity-is-not-attached",
    .holds = identity_is_not_attached,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "MI-6",
    .text = "The identity is not attached to the Backup vault yet."};

static bool system_identity_is_off(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->system_by;
    return cmk_backup_vault_of(world, args)->system_principal == 0;
}

const CmkGuard cmk_guard_system_identity_is_off = {.name = "system-identity-is-off",
                                                   .holds = system_identity_is_off,
                                                   .status = CMK_STATUS_OF(CONFLICT),
                                                   .rule = "MI-4",
                                                   .text = "The system-assigned identity is off."};

static bool system_identity_to_disable_is_on(const CmkWorld *world, const CmkArgs *args,
                                             uint64_t *ret_blame)
{
    return !system_identity_is_off(world, args, ret_blame);
}

const CmkGuard cmk_guard_system_identity_to_disable_is_on = {
    .name = "system-identity-to-disable-is-on",
    .holds = system_identity_to_disable_is_on,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "MI-5",
    .text = "The system-assigned identity is on."};

/* ---- operations ------------------------------------------------------------------------------ */

/* `home`: the resource group of the identity or vault. A principal is in no region, so an outage of
 * the identity's does not stop its use (MI-12). */
static uint32_t add_principal(CmkSim *sim, uint32_t identity, uint32_t vault, CmkScopeId home)
{
    const CmkPrincipalId id = {cmk_world_row_add(sim->world, CMK_TABLE_PRINCIPAL)};
    uint32_t *last =
        identity != 0
            ? &cmk_identity_mut(sim, (CmkIdentityId){identity})->last_principal
            : &cmk_backup_vault_mut(sim, (CmkBackupVaultId){vault})->last_system_principal;
    *cmk_principal_mut(sim, id) = (CmkPrincipal){.identity = identity,
                                                 .backup_vault = vault,
                                                 .is_alive = 1,
                                                 .previous = *last,
                                                 .tenant = cmk_scope_tenant(sim->world, home),
                                                 .made_at = cmk_world_now(sim->world),
                                                 .changed_by = cmk_this_seq(sim)};
    *last = id.i;
    return id.i;
}

static void end_principal(CmkSim *sim, uint32_t row)
{
    CmkPrincipal *principal = cmk_principal_mut(sim, (CmkPrincipalId){row});
    principal->is_alive = 0; /* its assignments stay behind and grant nothing to anybody, AC-15 */
    principal->changed_by = cmk_this_seq(sim);
}

static uint32_t identity_create(CmkSim *sim, const CmkArgs *args)
{
    CmkIdentity *identity = cmk_identity_mut(sim, (CmkIdentityId){args->ref[CMK_REF_IDENTITY]});
    identity->state = CMK_IDENTITY_ACTIVE;
    identity->region = args->ref[CMK_REF_REGION];
    identity->epoch++;
    identity->changed_by = cmk_this_seq(sim);
    identity->principal = add_principal(sim, args->ref[CMK_REF_IDENTITY], 0, /* MI-7: a new one */
                                        (CmkScopeId){identity->resource_group});
    return identity->principal;
}

const CmkOperation cmk_op_identity_create = {
    .name = "identity.create",
    .text = "A user-assigned identity is created, with a principal of its own.",
    .params = {{"identity", CMK_PARAM_IDENTITY, 0, 1, CMK_REF_IDENTITY},
               {"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION}},
    .permission = CMK_PERMISSION_IDENTITY_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_IDENTITY_IS_ABSENT},
    .writes = CMK_BIT(IDENTITY) | CMK_BIT(PRINCIPAL),
    .effect = identity_create,
    .rules = "MI-1 MI-3 MI-7",
    .action = "Microsoft.ManagedIdentity/userAssignedIdentities/write",
    .az = "az identity create",
};

static void detach(CmkSim *sim, CmkAttachmentId id)
{
    CmkAttachment *attachment = cmk_attachment_mut(sim, id);
    attachment->is_attached = 0;
    attachment->is_orphaned = 0;
    attachment->changed_by = cmk_this_seq(sim);
    const CmkBackupVaultId vault = {attachment->backup_vault};
    if (cmk_backup_vault(sim->world, vault)->identity == attachment->identity) {
        cmk_encryption_break(sim, vault);
    }
}

static uint32_t identity_delete(CmkSim *sim, const CmkArgs *args)
{
    CmkIdentity *identity = cmk_identity_mut(sim, (CmkIdentityId){args->ref[CMK_REF_IDENTITY]});
    const CmkPrincipalId principal = {identity->principal};
    const CmkTime token_end = cmk_principal_token_end(sim->world, principal);
    end_principal(sim, principal.i);
    cmk_principal_mut(sim, principal)->token_until = token_end;
    identity->state = CMK_IDENTITY_ABSENT;
    identity->principal = 0;
    identity->epoch++;
    identity->changed_by = cmk_this_seq(sim);
    uint32_t row = identity->first_attachment;
    while (row != 0) {
        const CmkAttachment *attachment = cmk_attachment(sim->world, (CmkAttachmentId){row});
        const uint32_t next = attachment->next_of_identity;
        if (attachment->is_attached) {
            detach(sim, (CmkAttachmentId){row});
            cmk_attachment_mut(sim, (CmkAttachmentId){row})->is_orphaned = 1;
        }
        row = next;
    }
    return args->ref[CMK_REF_IDENTITY];
}

const CmkOperation cmk_op_identity_delete = {
    .name = "identity.delete",
    .text = "A user-assigned identity is deleted, and its principal with it.",
    .params = {{"identity", CMK_PARAM_IDENTITY, 0, 1, CMK_REF_IDENTITY}},
    .permission = CMK_PERMISSION_IDENTITY_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_IDENTITY_EXISTS},
    .writes = CMK_BIT(IDENTITY) | CMK_BIT(PRINCIPAL) | CMK_BIT(ATTACHMENT) | CMK_BIT(BACKUP_VAULT),
    .effect = identity_delete,
    .rules = "MI-7 MI-8 MI-9 AC-15 BV-29 BV-T11 OQ-4 OQ-11",
    .action = "Microsoft.ManagedIdentity/userAssignedIdentities/delete",
    .az = "az identity delete",
};

uint32_t cmk_identity_give(CmkSim *sim, const CmkArgs *args)
{
    CmkAttachmentId id = attachment_of(sim->world, args);
    if (id.i == 0) {
        CmkBackupVault *vault =
            cmk_backup_vault_mut(sim, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]});
        CmkIdentity *identity = cmk_identity_mut(sim, (CmkIdentityId){args->ref[CMK_REF_IDENTITY]});
        id = (CmkAttachmentId){cmk_world_row_add(sim->world, CMK_TABLE_ATTACHMENT)};
        *cmk_attachment_mut(sim, id) =
            (CmkAttachment){.backup_vault = args->ref[CMK_REF_BACKUP_VAULT],
                            .identity = args->ref[CMK_REF_IDENTITY],
                            .next_of_vault = vault->first_attachment,
                            .next_of_identity = identity->first_attachment};
        vault->first_attachment = id.i;
        identity->first_attachment = id.i;
    }
    CmkAttachment *attachment = cmk_attachment_mut(sim, id);
    attachment->is_attached = 1;
    attachment->is_orphaned = 0;
    attachment->changed_by = cmk_this_seq(sim);
    return id.i;
}

static uint32_t identity_attach(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId vault = {args->ref[CMK_REF_BACKUP_VAULT]};
    const uint32_t row = cmk_identity_give(sim, args);
    cmk_backup_vault_succeed(sim, vault);
    cmk_encryption_expect_healing(sim, vault, args);
    return row;
}

const CmkOperation cmk_op_identity_attach = {
    .name = "identity.attach",
    .text = "A user-assigned identity is attached to a Backup vault.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"identity", CMK_PARAM_IDENTITY, 0, 1, CMK_REF_IDENTITY}},
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_ACTOR_MAY_ASSIGN_IDENTITY,
               CMK_GUARD_BACKUP_VAULT_EXISTS, CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING,
               CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, CMK_GUARD_IDENTITY_EXISTS,
               CMK_GUARD_PRINCIPAL_IS_OF_THE_TENANT, CMK_GUARD_IDENTITY_IS_NOT_ATTACHED},
    .writes = CMK_BIT(ATTACHMENT) | CMK_BIT(BACKUP_VAULT) | CMK_BIT(IDENTITY) | CMK_BIT_TIMERS,
    .effect = identity_attach,
    .rules = "MI-2 MI-6 MI-13 MI-15 BV-12 BV-31",
    .action = "Microsoft.DataProtection/backupVaults/write",
    .az = "az dataprotection backup-vault identity assign",
};

void cmk_identity_take_all(CmkSim *sim, CmkBackupVaultId id)
{
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    uint32_t row = vault->first_attachment;
    while (row != 0) {
        CmkAttachment *attachment = cmk_attachment_mut(sim, (CmkAttachmentId){row});
        if (attachment->is_attached != 0) {
            attachment->is_attached = 0;
            attachment->changed_by = cmk_this_seq(sim);
        }
        row = attachment->next_of_vault;
    }
    if (vault->system_principal != 0) {
        end_principal(sim, vault->system_principal);
        vault->system_principal = 0;
        vault->system_by = cmk_this_seq(sim);
    }
}

static uint32_t identity_detach(CmkSim *sim, const CmkArgs *args)
{
    const CmkAttachmentId id = attachment_of(sim->world, args);
    detach(sim, id);
    cmk_backup_vault_succeed(sim, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]});
    return id.i;
}

const CmkOperation cmk_op_identity_detach = {
    .name = "identity.detach",
    .text = "A user-assigned identity is detached from a Backup vault; it keeps its rights.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT},
               {"identity", CMK_PARAM_IDENTITY, 0, 1, CMK_REF_IDENTITY}},
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_EXISTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_IDENTITY_IS_ATTACHED},
    .writes = CMK_BIT(ATTACHMENT) | CMK_BIT(BACKUP_VAULT),
    .effect = identity_detach,
    .rules = "MI-6 BV-12 BV-29 BV-T11",
    .action = "Microsoft.DataProtection/backupVaults/write",
    .az = "az dataprotection backup-vault identity remove",
};

static uint32_t system_identity_enable(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    vault->system_principal = /* MI-5: a new one each time */
        add_principal(sim, 0, id.i, (CmkScopeId){vault->resource_group});
    vault->system_by = cmk_this_seq(sim);
    cmk_backup_vault_succeed(sim, id);
    return vault->system_principal;
}

const CmkOperation cmk_op_system_identity_enable = {
    .name = "system_identity.enable",
    .text = "The Backup vault's system-assigned identity is switched on, with a new principal.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}},
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_EXISTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_SYSTEM_IDENTITY_IS_OFF},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(PRINCIPAL),
    .effect = system_identity_enable,
    .rules = "MI-4 MI-5 BV-12",
    .action = "Microsoft.DataProtection/backupVaults/write",
    .az = "az dataprotection backup-vault identity assign --system-assigned",
};

static uint32_t system_identity_disable(CmkSim *sim, const CmkArgs *args)
{
    const CmkBackupVaultId id = {args->ref[CMK_REF_BACKUP_VAULT]};
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    end_principal(sim, vault->system_principal);
    vault->system_principal = 0;
    vault->system_by = cmk_this_seq(sim);
    cmk_backup_vault_succeed(sim, id);
    if (vault->identity == 0) {
        cmk_encryption_break(sim, id);
    }
    return id.i;
}

const CmkOperation cmk_op_system_identity_disable = {
    .name = "system_identity.disable",
    .text = "The Backup vault's system-assigned identity is switched off; its principal is gone.",
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}},
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_EXISTS,
               CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE,
               CMK_GUARD_SYSTEM_IDENTITY_TO_DISABLE_IS_ON},
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(PRINCIPAL),
    .effect = system_identity_disable,
    .rules = "MI-5 MI-16 BV-12 BV-29 BV-T11",
    .action = "Microsoft.DataProtection/backupVaults/write",
    .az = "az dataprotection backup-vault identity remove --system-assigned",
};
