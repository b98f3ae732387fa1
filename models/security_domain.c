/* The security domain of a Managed HSM: activation, the people who keep its keys, and full backups
 * that another HSM with the same domain can restore (HSM-3, HSM-4, HSM-15). */
#include "models/access.h"
#include "models/key.h"
#include "models/key_store.h"
#include "models/managed_hsm.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/rows.h"

/* HSM-4; that one person alone is no quorum is what the command line says. */
#define KEYS_MIN 3
#define QUORUM_MIN 2
#define QUORUM_MAX 10

/* Slots of managed_hsm.restore. */
enum {
    RESTORE_OF,    /* row of the HSM that was backed up */
    RESTORE_BACKUP /* 1 for the first of it; 0: the last */
};

bool cmk_security_domain_opens(const CmkWorld *world, CmkSecurityDomainId id)
{
    const CmkSecurityDomain *domain = cmk_security_domain(world, id);
    return id.i != 0 && domain->keys - domain->keys_lost >= domain->quorum;
}

static int64_t or_else(int64_t value, int64_t otherwise)
{
    return value != 0 ? value : otherwise;
}

static CmkManagedHsmId hsm_of(const CmkArgs *args)
{
    return (CmkManagedHsmId){args->ref[CMK_REF_MANAGED_HSM]};
}

/* ---- activation ------------------------------------------------------------------------------ */

static bool managed_hsm_is_new(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_managed_hsm_of(world, args)->changed_by;
    return cmk_managed_hsm_of(world, args)->state == CMK_MANAGED_HSM_PROVISIONED;
}

const CmkGuard cmk_guard_managed_hsm_is_new = {
    .name = "managed-hsm-is-new",
    .holds = managed_hsm_is_new,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "HSM-3",
    .text = "The Managed HSM is provisioned and has not been activated yet."};

static bool security_domain_is_possible(const CmkWorld *world, const CmkArgs *args,
                                        uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    const int64_t keys = or_else(args->num[CMK_ACTIVATE_KEYS], KEYS_MIN);
    const int64_t quorum = or_else(args->num[CMK_ACTIVATE_QUORUM], QUORUM_MIN);
    return keys >= KEYS_MIN && quorum >= QUORUM_MIN && quorum <= QUORUM_MAX && quorum <= keys;
}

const CmkGuard cmk_guard_security_domain_is_possible = {
    .name = "security-domain-is-possible",
    .holds = security_domain_is_possible,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "HSM-4",
    .text = "The security domain has 3 wrapping keys or more, of which a quorum of 2 to 10 opens "
            "it."};

void cmk_managed_hsm_activate(CmkSim *sim, CmkManagedHsmId id, CmkSecurityDomainId domain)
{
    CmkManagedHsm *hsm = cmk_managed_hsm_mut(sim, id);
    hsm->domain = domain.i;
    hsm->state = CMK_MANAGED_HSM_ACTIVE;
    hsm->changed_by = cmk_this_seq(sim);
}

static uint32_t managed_hsm_activate(CmkSim *sim, const CmkArgs *args)
{
    const CmkManagedHsmId id = hsm_of(args);
    const CmkSecurityDomainId domain = {cmk_world_row_add(sim->world, CMK_TABLE_SECURITY_DOMAIN)};
    *cmk_security_domain_mut(sim, domain) =
        (CmkSecurityDomain){.managed_hsm = id.i,
                            .keys = (uint32_t)or_else(args->num[CMK_ACTIVATE_KEYS], KEYS_MIN),
                            .quorum = (uint32_t)or_else(args->num[CMK_ACTIVATE_QUORUM], QUORUM_MIN),
                            .changed_by = cmk_this_seq(sim)};
    cmk_managed_hsm_activate(sim, id, domain);
    return id.i;
}

#define HSM_PARAM                                                                                  \
    {                                                                                              \
        "managed_hsm", CMK_PARAM_MANAGED_HSM, 0, 1, CMK_REF_MANAGED_HSM                            \
    }

const CmkOperation cmk_op_managed_hsm_activate = {
    .name = "managed_hsm.activate",
    .text = "The security domain of a Managed HSM is downloaded under the keys of those who will "
            "keep it, which activates the HSM.",
    .params = {HSM_PARAM,
               {"keys", CMK_PARAM_INTEGER, 1, 0, CMK_ACTIVATE_KEYS},
               {"quorum", CMK_PARAM_INTEGER, 1, 0, CMK_ACTIVATE_QUORUM}},
    .permission = CMK_PERMISSION_SECURITY_DOMAIN,
    .guards = {CMK_GUARD_MANAGED_HSM_EXISTS, CMK_GUARD_MANAGED_HSM_IS_REACHABLE,
               CMK_GUARD_CONNECTION_LETS_ACTOR_IN, CMK_GUARD_FIREWALL_LETS_ACTOR_IN,
               CMK_GUARD_LOCAL_ROLE_LETS_ACTOR, CMK_GUARD_MANAGED_HSM_IS_NEW,
               CMK_GUARD_SECURITY_DOMAIN_IS_POSSIBLE},
    .writes = CMK_BIT(MANAGED_HSM) | CMK_BIT(SECURITY_DOMAIN),
    .effect = managed_hsm_activate,
    .rules = "HSM-3 HSM-4 HSM-6",
    .action = "Microsoft.KeyVault/managedHsm/securitydomain/download/action",
    .az = "az keyvault security-domain download",
};

/* ---- the people who keep its keys ------------------------------------------------------------ */

static bool security_domain_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_managed_hsm_of(world, args)->changed_by;
    return cmk_managed_hsm_of(world, args)->domain != 0;
}

const CmkGuard cmk_guard_security_domain_exists = {
    .name = "security-domain-exists",
    .holds = security_domain_exists,
    .status = CMK_STATUS_OF(MANAGED_HSM_NOT_ACTIVATED),
    .rule = "HSM-4",
    .text = "The Managed HSM has been activated, so that somebody keeps its security domain."};

static uint32_t managed_hsm_lose_domain_keys(CmkSim *sim, const CmkArgs *args)
{
    const CmkSecurityDomainId id = {cmk_managed_hsm(sim->world, hsm_of(args))->domain};
    CmkSecurityDomain *domain = cmk_security_domain_mut(sim, id);
    const int64_t left = domain->keys - domain->keys_lost;
    const int64_t lost = or_else(args->num[0], 1);
    domain->keys_lost += (uint32_t)(lost < left ? lost : left);
    domain->changed_by = cmk_this_seq(sim);
    return id.i;
}

const CmkOperation cmk_op_managed_hsm_lose_domain_keys = {
    .name = "managed_hsm.lose_domain_keys",
    .text = "People lose the keys to the security domain of a Managed HSM: with fewer of them than "
            "its quorum it opens nothing any more.",
    .params = {HSM_PARAM, {"holders", CMK_PARAM_INTEGER, 1, 0, 0}},
    .guards = {CMK_GUARD_SECURITY_DOMAIN_EXISTS},
    .writes = CMK_BIT(SECURITY_DOMAIN),
    .effect = managed_hsm_lose_domain_keys,
    .rules = "HSM-4",
};

/* ---- full backups ---------------------------------------------------------------------------- */

/* The HSM whose backup a request brings; {0} for any other request. */
static CmkManagedHsmId source_of(const CmkArgs *args)
{
    const bool is_restore = args->op == CMK_OP_MANAGED_HSM_RESTORE;
    return (CmkManagedHsmId){is_restore ? (uint32_t)args->num[RESTORE_OF] : 0};
}

CmkHsmBackupId cmk_hsm_backup_named(const CmkWorld *world, const CmkArgs *args)
{
    const CmkManagedHsmId of = source_of(args);
    const int64_t number = args->num[RESTORE_BACKUP];
    int64_t count = 0;
    uint32_t row = cmk_managed_hsm(world, of)->last_backup;
    for (uint32_t at = row; at != 0; at = cmk_hsm_backup(world, (CmkHsmBackupId){at})->previous) {
        count++;
    }
    if (number > count) {
        return (CmkHsmBackupId){0};
    }
    while (number != 0 && count > number) {
        row = cmk_hsm_backup(world, (CmkHsmBackupId){row})->previous;
        count--;
    }
    return (CmkHsmBackupId){row};
}

/* The keys that are there, each as in a backup of its own, which nobody can open by itself. */
static void keep_keys(CmkSim *sim, CmkHsmBackup *backup, uint32_t first_key)
{
    for (uint32_t row = first_key; row != 0;
         row = cmk_key(sim->world, (CmkKeyId){row})->next_of_key_vault) {
        if (cmk_key(sim->world, (CmkKeyId){row})->state == CMK_KEY_ACTIVE) {
            const CmkKeyBackupId kept = cmk_key_keep(sim, (CmkKeyId){row});
            backup->first_key_backup = backup->key_count == 0 ? kept.i : backup->first_key_backup;
            backup->key_count++;
        }
    }
}

static void keep_assignments(CmkSim *sim, CmkHsmBackup *backup, uint32_t first_assignment)
{
    for (uint32_t row = first_assignment; row != 0;
         row = cmk_assignment(sim->world, (CmkAssignmentId){row})->next_of_key_vault) {
        const uint32_t state = cmk_assignment(sim->world, (CmkAssignmentId){row})->state;
        if (state == CMK_ASSIGNMENT_ACTIVE || state == CMK_ASSIGNMENT_GRANTING) {
            const uint32_t kept = cmk_world_row_add(sim->world, CMK_TABLE_KEPT_ASSIGNMENT);
            cmk_kept_assignment_mut(sim, (CmkKeptAssignmentId){kept})->assignment = row;
            backup->first_assignment =
                backup->assignment_count == 0 ? kept : backup->first_assignment;
            backup->assignment_count++;
        }
    }
}

static uint32_t managed_hsm_backup(CmkSim *sim, const CmkArgs *args)
{
    CmkManagedHsm *hsm = cmk_managed_hsm_mut(sim, hsm_of(args));
    const CmkHsmBackupId id = {cmk_world_row_add(sim->world, CMK_TABLE_HSM_BACKUP)};
    CmkHsmBackup *backup = cmk_hsm_backup_mut(sim, id);
    *backup = (CmkHsmBackup){.managed_hsm = args->ref[CMK_REF_MANAGED_HSM],
                             .domain = hsm->domain,
                             .previous = hsm->last_backup,
                             .created = cmk_world_now(sim->world),
                             .changed_by = cmk_this_seq(sim)};
    hsm->last_backup = id.i;
    keep_keys(sim, backup, hsm->first_key);
    keep_assignments(sim, backup, hsm->first_assignment);
    return id.i;
}

const CmkOperation cmk_op_managed_hsm_backup = {
    .name = "managed_hsm.backup",
    .text = "A full backup of a Managed HSM is made: its keys with all versions, and its local "
            "roles, sealed under its security domain.",
    .params = {HSM_PARAM},
    .permission = CMK_PERMISSION_HSM_BACKUP,
    .guards = {CMK_GUARD_MANAGED_HSM_EXISTS, CMK_GUARD_MANAGED_HSM_IS_REACHABLE,
               CMK_GUARD_CONNECTION_LETS_ACTOR_IN, CMK_GUARD_FIREWALL_LETS_ACTOR_IN,
               CMK_GUARD_MANAGED_HSM_IS_ACTIVATED, CMK_GUARD_LOCAL_ROLE_LETS_ACTOR},
    .writes = CMK_BIT(MANAGED_HSM) | CMK_BIT(HSM_BACKUP) | CMK_BIT(KEY_BACKUP) |
              CMK_BIT(KEPT_VERSION) | CMK_BIT(KEPT_ASSIGNMENT) | CMK_BIT(VERSION),
    .effect = managed_hsm_backup,
    .rules = "HSM-15 HSM-R1 HSM-R8",
    .action = "Microsoft.KeyVault/managedHsm/backup/start/action",
    .az = "az keyvault backup start --hsm-name",
};

/* ---- disaster recovery ----------------------------------------------------------------------- */

static bool hsm_backup_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = cmk_managed_hsm(world, source_of(args))->changed_by;
    return cmk_hsm_backup_named(world, args).i != 0;
}

const CmkGuard cmk_guard_hsm_backup_exists = {
    .name = "hsm-backup-exists",
    .holds = hsm_backup_exists,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "HSM-15",
    .text = "Somebody has kept this full backup of the Managed HSM."};

/* A new one takes the security domain over; one that has it already is given what it lacks. */
static bool managed_hsm_takes_backup(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    const CmkHsmBackup *backup = cmk_hsm_backup(world, cmk_hsm_backup_named(world, args));
    const CmkManagedHsm *hsm = cmk_managed_hsm_of(world, args);
    *ret_blame = hsm->changed_by;
    return hsm->state == CMK_MANAGED_HSM_PROVISIONED || hsm->domain == backup->domain;
}

const CmkGuard cmk_guard_managed_hsm_takes_backup = {
    .name = "managed-hsm-takes-backup",
    .holds = managed_hsm_takes_backup,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "HSM-4 HSM-15",
    .text = "The Managed HSM is not activated yet, or has the security domain of the backup."};

static bool security_domain_has_quorum(const CmkWorld *world, const CmkArgs *args,
                                       uint64_t *ret_blame)
{
    const CmkHsmBackup *backup = cmk_hsm_backup(world, cmk_hsm_backup_named(world, args));
    const CmkSecurityDomainId domain = {backup->domain};
    *ret_blame = cmk_security_domain(world, domain)->changed_by;
    return cmk_security_domain_opens(world, domain);
}

const CmkGuard cmk_guard_security_domain_has_quorum = {
    .name = "security-domain-has-quorum",
    .holds = security_domain_has_quorum,
    .status = CMK_STATUS_OF(SECURITY_DOMAIN_LOST),
    .rule = "HSM-4 HSM-15",
    .text = "Those who still keep keys to the security domain of the backup are its quorum."};

/* The key in the new HSM that has the name; 0 if nobody has thought of it. O(keys of the HSM). */
static uint32_t key_named_as(const CmkWorld *world, CmkManagedHsmId hsm, uint32_t key)
{
    const char *name = cmk_name(world, cmk_key(world, (CmkKeyId){key})->name);
    uint32_t row = cmk_managed_hsm(world, hsm)->first_key;
    while (row != 0 &&
           !cmk_is_same_name(name, cmk_name(world, cmk_key(world, (CmkKeyId){row})->name))) {
        row = cmk_key(world, (CmkKeyId){row})->next_of_key_vault;
    }
    return row;
}

/* What is there stays as it is (assumed). */
static bool is_gone(const CmkWorld *world, uint32_t key)
{
    const uint32_t state = cmk_key(world, (CmkKeyId){key})->state;
    return state == CMK_KEY_ABSENT || state == CMK_KEY_PURGED;
}

static bool has_assignment(const CmkWorld *world, CmkManagedHsmId id, const CmkAssignment *was,
                           uint32_t key)
{
    uint32_t row = cmk_managed_hsm(world, id)->first_assignment;
    bool is_there = false;
    while (row != 0 && !is_there) {
        const CmkAssignment *other = cmk_assignment(world, (CmkAssignmentId){row});
        is_there =
            other->principal == was->principal && other->role == was->role && other->key == key &&
            other->is_on_keys == was->is_on_keys &&
            (other->state == CMK_ASSIGNMENT_ACTIVE || other->state == CMK_ASSIGNMENT_GRANTING);
        row = other->next_of_key_vault;
    }
    return is_there;
}

static void restore_keys(CmkSim *sim, CmkManagedHsmId id, const CmkHsmBackup *backup,
                         const CmkArgs *args)
{
    for (uint32_t i = 0; i < backup->key_count; i++) {
        const CmkKeyBackupId kept = {backup->first_key_backup + i};
        const uint32_t key = key_named_as(sim->world, id, cmk_key_backup(sim->world, kept)->key);
        if (key != 0 && is_gone(sim->world, key)) {
            cmk_key_bring_back(sim, (CmkKeyId){key}, kept, args);
        }
    }
}

static void restore_assignments(CmkSim *sim, CmkManagedHsmId id, const CmkHsmBackup *backup)
{
    for (uint32_t i = 0; i < backup->assignment_count; i++) {
        const CmkKeptAssignmentId kept = {backup->first_assignment + i};
        const CmkAssignment was = *cmk_assignment(
            sim->world, (CmkAssignmentId){cmk_kept_assignment(sim->world, kept)->assignment});
        const uint32_t key = was.key == 0 ? 0 : key_named_as(sim->world, id, was.key);
        if ((was.key != 0 && key == 0) || has_assignment(sim->world, id, &was, key)) {
            continue;
        }
        CmkAssignment *assignment =
            cmk_local_role_give(sim, id, (CmkPrincipalId){was.principal}, was.role);
        assignment->is_on_keys = was.is_on_keys;
        assignment->key = key;
    }
}

/* What takes two commands, upload of the security domain and restore, is one here. */
static uint32_t managed_hsm_restore(CmkSim *sim, const CmkArgs *args)
{
    const CmkManagedHsmId id = hsm_of(args);
    const CmkHsmBackup backup = *cmk_hsm_backup(sim->world, cmk_hsm_backup_named(sim->world, args));
    cmk_managed_hsm_activate(sim, id, (CmkSecurityDomainId){backup.domain});
    restore_keys(sim, id, &backup, args);
    restore_assignments(sim, id, &backup);
    return id.i;
}

const CmkOperation cmk_op_managed_hsm_restore = {
    .name = "managed_hsm.restore",
    .text = "A newly provisioned Managed HSM takes over the security domain of another one and "
            "what is in its backup: keys and roles are the same, their addresses are not.",
    .params = {HSM_PARAM,
               {"of", CMK_PARAM_HSM_SOURCE, 1, 1, RESTORE_OF},
               {"backup", CMK_PARAM_INTEGER, 1, 0, RESTORE_BACKUP}},
    .permission = CMK_PERMISSION_HSM_RESTORE,
    .guards = {CMK_GUARD_MANAGED_HSM_EXISTS, CMK_GUARD_MANAGED_HSM_IS_REACHABLE,
               CMK_GUARD_CONNECTION_LETS_ACTOR_IN, CMK_GUARD_FIREWALL_LETS_ACTOR_IN,
               CMK_GUARD_LOCAL_ROLE_LETS_ACTOR, CMK_GUARD_HSM_BACKUP_EXISTS,
               CMK_GUARD_MANAGED_HSM_TAKES_BACKUP, CMK_GUARD_SECURITY_DOMAIN_HAS_QUORUM},
    .writes = CMK_BIT(MANAGED_HSM) | CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT(PRINCIPAL) |
              CMK_BIT(ASSIGNMENT) | CMK_BIT_TIMERS,
    .effect = managed_hsm_restore,
    .rules = "HSM-4 HSM-15 HSM-R1 HSM-R9",
    .action = "Microsoft.KeyVault/managedHsm/restore/start/action",
    .az = "az keyvault security-domain upload",
};
