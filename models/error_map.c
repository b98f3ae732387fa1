#include "models/error_map.h"

#include <stdio.h>
#include <string.h>

#include "models/key.h"
#include "models/model.h"
#include "models/secret.h"

#define MISSING CMK_STATUS_OF(MISSING_PERMISSION)
#define AUTH CMK_STATUS_OF(AUTH_FAILURE)
#define CANCELLED CMK_STATUS_OF(JOB_CANCELLED)
#define RETRY CMK_STATUS_OF(RETRYABLE)
#define NO_SECRET CMK_STATUS_OF(INVALID_SECRET)
#define NO_RIGHTS CMK_STATUS_OF(MISSING_PERMISSIONS_ON_SECRET_STORE)

/* ERR-M: condition, by the guard that finds it; then settings and jobs (OQ-1 says how they differ).
 */
static const CmkErrorRow rows[] = {
    {"ERR-M1", CMK_GUARD_SYSTEM_IDENTITY_IS_ON, CMK_STATUS_OF(SYSTEM_IDENTITY_NOT_ENABLED), MISSING,
     false},
    {"ERR-M2", CMK_GUARD_USER_IDENTITY_IS_ATTACHED, CMK_STATUS_OF(USER_IDENTITY_NOT_FOUND), MISSING,
     false},
    {"ERR-M3", CMK_GUARD_ROLE_LETS_GET, AUTH, MISSING, false},
    {"ERR-M3", CMK_GUARD_POLICY_LETS_GET, AUTH, MISSING, false},
    {"ERR-M4", CMK_GUARD_ROLE_LETS_WRAP, MISSING, MISSING, false},
    {"ERR-M4", CMK_GUARD_POLICY_LETS_WRAP, MISSING, MISSING, false},
    {"ERR-M4", CMK_GUARD_ROLE_LETS_UNWRAP, MISSING, MISSING, false},
    {"ERR-M4", CMK_GUARD_POLICY_LETS_UNWRAP, MISSING, MISSING, false},
    {"ERR-M3", CMK_GUARD_LOCAL_ROLE_LETS_GET, AUTH, MISSING, false},
    {"ERR-M4", CMK_GUARD_LOCAL_ROLE_LETS_WRAP, MISSING, MISSING, false},
    {"ERR-M4", CMK_GUARD_LOCAL_ROLE_LETS_UNWRAP, MISSING, MISSING, false},
    {"ERR-M5", CMK_GUARD_KEY_VAULT_EXISTS, AUTH, AUTH, false},
    {"ERR-M5", CMK_GUARD_MANAGED_HSM_EXISTS, AUTH, AUTH, false},
    {"ERR-M5", CMK_GUARD_MANAGED_HSM_IS_ACTIVATED, AUTH, AUTH, false},
    {"ERR-M6", CMK_GUARD_KEY_IS_NOT_BEING_DELETED, AUTH, AUTH, false},
    {"ERR-M6", CMK_GUARD_KEY_IS_NOT_BEING_RECOVERED, AUTH, AUTH, false},
    {"ERR-M6", CMK_GUARD_KEY_EXISTS, AUTH, AUTH, false},
    {"ERR-M6", CMK_GUARD_VERSION_EXISTS, AUTH, AUTH, false},
    {"ERR-M9", CMK_GUARD_VERSION_IS_ENABLED, AUTH, AUTH, false},
    {"ERR-M9", CMK_GUARD_OLD_VERSION_IS_ENABLED, AUTH, AUTH, false},
    {"ERR-M9", CMK_GUARD_VERSION_IS_ENABLED_FOR_PUBLIC_OPS, AUTH, AUTH, false},
    {"ERR-M10", CMK_GUARD_VERSION_HAS_NOT_EXPIRED, AUTH, AUTH, false},
    {"ERR-M10", CMK_GUARD_VERSION_IS_YET_VALID, AUTH, AUTH, false},
    {"ERR-M10", CMK_GUARD_BACKUP_FINDS_IT_NOT_EXPIRED, AUTH, AUTH, false},
    {"ERR-M10", CMK_GUARD_BACKUP_FINDS_IT_YET_VALID, AUTH, AUTH, false},
    {"ERR-M4", CMK_GUARD_KEY_OPS_INCLUDE_THIS, MISSING, MISSING, false},
    {"ERR-M7", CMK_GUARD_CONNECTION_LETS_BACKUP_IN, AUTH, AUTH, false},
    {"ERR-M7", CMK_GUARD_FIREWALL_LETS_BACKUP_IN, AUTH, AUTH, false},
    {"ERR-M8", CMK_GUARD_KEY_TYPE_CAN_DO_THIS, MISSING, MISSING, false},
    {"ERR-M12", CMK_GUARD_KEY_VAULT_IS_REACHABLE, RETRY, RETRY, true},
    {"ERR-M12", CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED, RETRY, RETRY, true},
    {"ERR-M12", CMK_GUARD_MANAGED_HSM_IS_REACHABLE, RETRY, RETRY, true},
    {"ERR-M12", CMK_GUARD_MANAGED_HSM_HAS_CAPACITY, RETRY, RETRY, true},
    {"ERR-M12", CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, RETRY, RETRY, true},
    {"ERR-M12", CMK_GUARD_BACKUP_SERVICE_WORKS, RETRY, RETRY, true},
    {"ERR-M13", CMK_GUARD_CALLER_IS_KNOWN, AUTH, MISSING, false},
    {"OQ-27", CMK_GUARD_DATA_KEYS_ARE_REWRAPPED_WHOLLY, AUTH, AUTH, false},
    {"BK-18", CMK_GUARD_INSTANCE_IS_KEPT, CANCELLED, CANCELLED, false},
    /* Of credentials, which no settings name. */
    {"SEC-1", CMK_GUARD_ROLE_LETS_READ_SECRET, NO_RIGHTS, NO_RIGHTS, false},
    {"SEC-1", CMK_GUARD_POLICY_LETS_READ_SECRET, NO_RIGHTS, NO_RIGHTS, false},
    {"SEC-1", CMK_GUARD_SECRET_EXISTS, NO_SECRET, NO_SECRET, false},
    {"SEC-2", CMK_GUARD_SECRET_IS_ENABLED, NO_SECRET, NO_SECRET, false},
};

const CmkErrorRow *cmk_error_rows(uint32_t *ret_count)
{
    *ret_count = (uint32_t)CMK_ARRAY_LEN(rows);
    return rows;
}

const CmkErrorRow *cmk_error_find(CmkGuardId guard)
{
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        if (rows[i].guard == guard) {
            return &rows[i];
        }
    }
    return NULL;
}

/* ---- which code ------------------------------------------------------------------------------ */

/* ERR-18: the same code with another target. An old key that does not answer in the check of step
 * 14 is one that cannot be used; in the midst of re-wrapping it is a passing trouble (9.4, OQ-13).
 */
static CmkStatus of_current_key(CmkStatus status, CmkErrorKey key)
{
    const bool is_without_identity =
        key == CMK_ERROR_KEY_OF_OLD_IDENTITY &&
        (status == CMK_STATUS_OF(SYSTEM_IDENTITY_NOT_ENABLED) ||
         status == CMK_STATUS_OF(USER_IDENTITY_NOT_FOUND)); /* which has no rights at all */
    if (status == MISSING || is_without_identity) {
        return CMK_STATUS_OF(MISSING_PERMISSION_ON_CURRENT_KEY);
    }
    const bool is_out_of_reach = status == RETRY && key != CMK_ERROR_REWRAPPED_KEY;
    return status == AUTH || is_out_of_reach ? CMK_STATUS_OF(AUTH_FAILURE_ON_CURRENT_KEY) : status;
}

/* OQ-2: the article prints each of the two codes with the other one's text. */
static CmkStatus swapped(CmkStatus status)
{
    if (status == CMK_STATUS_OF(SOFT_DELETE_NOT_ENABLED)) {
        return CMK_STATUS_OF(PURGE_PROTECTION_NOT_ENABLED);
    }
    return status == CMK_STATUS_OF(PURGE_PROTECTION_NOT_ENABLED)
               ? CMK_STATUS_OF(SOFT_DELETE_NOT_ENABLED)
               : status;
}

static bool is_postgres(const CmkWorld *world, const CmkTask *task)
{
    static const char prefix[] = "AzureDatabaseForPostgreSQL";
    uint32_t count = 0;
    const CmkQueue *queue = cmk_queue(world, (CmkQueueId){task->queue});
    const CmkInstance *instance = cmk_instance(world, (CmkInstanceId){queue->instance});
    const char *name = cmk_datasource_facts(&count)[instance->datasource].name;
    return name != NULL && strncmp(name, prefix, sizeof(prefix) - 1) == 0;
}

/* What is said of keys is said of credentials in other words (SEC-1). */
static CmkStatus of_secret(const CmkWorld *world, const CmkOutcome *refusal)
{
    const CmkErrorRow *row = cmk_error_find(refusal->guard);
    const bool is_forbidden = refusal->guard == CMK_GUARD_SECRET_IS_ENABLED &&
                              cmk_knob(world, CMK_KNOB_DISABLED_SECRET_IS_FORBIDDEN) != 0;
    const CmkStatus status = row != NULL ? row->job : refusal->status;
    if (status == MISSING || is_forbidden) {
        return NO_RIGHTS;
    }
    return status == AUTH ? CMK_STATUS_OF(INVALID_SECRET_STORE) : status;
}

CmkStatus cmk_error_status(const CmkWorld *world, const CmkTask *task, const CmkOutcome *refusal,
                           CmkErrorKey key)
{
    const CmkErrorRow *row = cmk_error_find(refusal->guard);
    if (key == CMK_ERROR_SECRET) {
        return of_secret(world, refusal);
    }
    if (task->kind == CMK_TASK_SETTINGS) {
        const bool is_as_of_job = cmk_knob(world, CMK_KNOB_SETTINGS_FAIL_LIKE_JOBS) != 0; /* OQ-1 */
        const CmkStatus found = row != NULL ? row->settings : refusal->status;
        const CmkStatus status = row != NULL && is_as_of_job ? row->job : found;
        const bool is_swapped = cmk_knob(world, CMK_KNOB_ARTICLE_LITERAL_SWAP) != 0;
        const CmkStatus told = is_swapped ? swapped(status) : status;
        return key == CMK_ERROR_TARGET_KEY ? told : of_current_key(told, key);
    }
    if (row == NULL) {
        return refusal->status;
    }
    if (task->kind == CMK_TASK_DELETION) {
        return CMK_STATUS_OF(DELETION_FAILED); /* the last column of ERR-M */
    }
    const bool is_generic = row->job == MISSING && is_postgres(world, task) &&
                            cmk_knob(world, CMK_KNOB_PG_GENERIC_ERROR) != 0;
    return is_generic ? CMK_STATUS_OF(GENERIC_DATABASE_ERROR) : row->job;
}

/* ---- the catalogue (section 11.1) ------------------------------------------------------------ */

/* What an error of a job carries (BK-19). ERR-24: the prefix of the code says whose error it is;
 * simulated codes (ERR-22) stand for user errors. */
#define USER_ERROR true, false
#define PASSING false, true

static const CmkErrorFacts errors[] = {
    {MISSING, 0, USER_ERROR, "ERR-1", "identity",
     "Give the identity of the encryption settings get, wrap and unwrap on an RSA key, then repeat "
     "the operation."},
    {AUTH, 0, USER_ERROR, "ERR-2", "key",
     "See that key vault, key and version exist, can be reached and are enabled and valid, and "
     "that the identity may read the key."},
    {CMK_STATUS_OF(SOFT_DELETE_NOT_ENABLED), 0, USER_ERROR, "ERR-3", "keyVault",
     "Switch soft delete on at the key vault, then repeat the operation."},
    {CMK_STATUS_OF(PURGE_PROTECTION_NOT_ENABLED), 0, USER_ERROR, "ERR-4", "keyVault",
     "Switch purge protection on at the key vault, then repeat the operation."},
    {CMK_STATUS_OF(SYSTEM_IDENTITY_NOT_ENABLED), 0, USER_ERROR, "ERR-5", "identity",
     "Switch the system-assigned identity on and give it its rights, or use a user-assigned one."},
    {CMK_STATUS_OF(USER_IDENTITY_NOT_FOUND), 0, USER_ERROR, "ERR-6", "identity",
     "Attach the identity to the Backup vault, or update the settings to one that is attached."},
    {CMK_STATUS_OF(DELETION_FAILED), 0, PASSING, "ERR-7", "encryptionSettings",
     "Bring identity, rights and key back, then delete the Backup vault again."},
    {CMK_STATUS_OF(GENERIC_DATABASE_ERROR), 0, USER_ERROR, "ERR-8", "backupInstance",
     "Give the identity of the encryption settings its rights on the key back."},
    {CMK_STATUS_OF(CROSS_TENANT_MOVE), 0, USER_ERROR, "ERR-9", "identity",
     "Detach the identity, move the Backup vault, then attach one of the new tenant."},
    {CANCELLED, 0, USER_ERROR, "BK-18", "backupInstance",
     "Take the deleted instance back and start the job again, if it is still wanted."},
    {CMK_STATUS_OF(BACKUP_VAULT_NOT_EMPTY), 0, USER_ERROR, "ERR-10", "backupVault",
     "Delete the instances, recovery points and policies of the Backup vault first."},
    {RETRY, 0, PASSING, "ERR-12", "keyVault", "Try again later."},
    {CMK_STATUS_OF(VAULT_MOVE_NOT_SUPPORTED), 0, USER_ERROR, "ERR-13", "backupVault",
     "Leave the Backup vault where it is, or protect the instances in a new one."},
    {CMK_STATUS_OF(NOT_REVERSIBLE), 0, USER_ERROR, "ERR-14", "encryptionSettings",
     "Keep the state and the infrastructure encryption; only key and identity can change."},
    {CMK_STATUS_OF(KEY_AND_IDENTITY_TOGETHER), 0, USER_ERROR, "ERR-15", "encryptionSettings",
     "Change the identity first and the key with a second request."},
    {CMK_STATUS_OF(SYSTEM_IDENTITY_AT_CREATION), 0, USER_ERROR, "ERR-16", "identity",
     "Create the Backup vault with a user-assigned identity, or without a key."},
    {CMK_STATUS_OF(USER_IDENTITY_NETWORK_RESTRICTED), 0, USER_ERROR, "ERR-17", "identity",
     "Open the key vault to all networks and remove private endpoints of the Backup vault, or use "
     "the system-assigned identity."},
    {CMK_STATUS_OF(MISSING_PERMISSION_ON_CURRENT_KEY), 0, USER_ERROR, "ERR-18", "currentKey",
     "Give the identity get and unwrap on the key that is in use now, then change key or "
     "identity."},
    {CMK_STATUS_OF(AUTH_FAILURE_ON_CURRENT_KEY), 0, USER_ERROR, "ERR-18", "currentKey",
     "Bring the key that is in use now back, enable it and see that it can be reached, then change "
     "the key."},
    {CMK_STATUS_OF(VAULT_IS_MOVING), 0, USER_ERROR, "ERR-19", "backupVault",
     "Wait until the Backup vault has arrived."},
    {NO_SECRET, 0, USER_ERROR, "SEC-1", "secret",
     "See that the secret with the credentials is in the key vault, and enabled."},
    {CMK_STATUS_OF(INVALID_SECRET_STORE), 0, USER_ERROR, "SEC-1", "keyVault",
     "See that the key vault with the credentials exists and can be reached."},
    {NO_RIGHTS, 0, USER_ERROR, "SEC-1", "identity",
     "Switch the system-assigned identity of the Backup vault on and let it read secrets in that "
     "key vault."},
};

const CmkErrorFacts *cmk_errors(uint32_t *ret_count)
{
    *ret_count = (uint32_t)CMK_ARRAY_LEN(errors);
    return errors;
}

const CmkErrorFacts *cmk_error_facts(CmkStatus status)
{
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(errors); i++) {
        if (errors[i].status == status) {
            return &errors[i];
        }
    }
    return NULL;
}

/* ---- what to do about the other statuses ----------------------------------------------------- */

typedef struct Advice {
    CmkStatus status;
    const char *text;
} Advice;

/* Those that a guard without repairs ends with, and that are not codes of Backup above. */
static const Advice advices[] = {
    {CMK_STATUS_OF(ACCESS_DENIED), "Ask as somebody to whom an access policy of the key vault "
                                   "gives this permission, or set one."},
    {CMK_STATUS_OF(FORBIDDEN_BY_RBAC),
     "Ask as somebody who has a role with this data action, or assign one at the key vault."},
    {CMK_STATUS_OF(PURGE_REFUSED),
     "Wait until the retention of the key ends, which purges it, or recover it."},
    {CMK_STATUS_OF(KEY_NOT_FOUND),
     "Name a key and a version that exist; what is to be recovered or purged must be deleted."},
    {CMK_STATUS_OF(VAULT_NOT_FOUND),
     "Name what exists; what is to be recovered or purged must be deleted."},
    {CMK_STATUS_OF(KEY_IS_BEING_DELETED), "Ask again when the deletion is over."},
    {CMK_STATUS_OF(KEY_IS_BEING_RECOVERED), "Ask again when the recovery is over."},
    {CMK_STATUS_OF(METHOD_NOT_ALLOWED),
     "Wait until the retention of the key vault ends, which purges it, or recover it."},
    {CMK_STATUS_OF(BAD_PARAMETER), "Ask again with values that are allowed, or for another key."},
    {CMK_STATUS_OF(ALREADY_EXISTS),
     "Choose another name, or recover or purge the deleted key vault that holds this one."},
    {CMK_STATUS_OF(MANAGED_HSM_NOT_FOUND),
     "Name a Managed HSM that exists; what is to be recovered or purged must be deleted."},
    {CMK_STATUS_OF(MANAGED_HSM_NOT_ACTIVATED),
     "Download the security domain of the Managed HSM, which activates it."},
    {CMK_STATUS_OF(MANAGED_HSM_BUSY),
     "Ask again later, spread the jobs over the day, or let fewer of them share the HSM."},
    {CMK_STATUS_OF(SECURITY_DOMAIN_LOST),
     "Nothing brings it back: keep the HSM that still has it, or make another one with new keys."},
    {CMK_STATUS_OF(MANAGED_HSM_FULL), "Purge what is deleted, or make another Managed HSM or key."},
    {CMK_STATUS_OF(MANAGED_HSM_EXISTS_ALREADY),
     "Choose another name, or recover or purge the deleted Managed HSM that holds this one."},
    {CMK_STATUS_OF(NOT_FOUND), "Name what exists, or make, attach or assign it first."},
    {CMK_STATUS_OF(CONFLICT),
     "See what state it is in: it may be there already, or something else has to be done or to end "
     "first."},
    {CMK_STATUS_OF(WRONG_PERMISSION_MODEL),
     "Assign a role instead, or switch the key vault over to access policies."},
    {CMK_STATUS_OF(AUTHORIZATION_FAILED), "Ask as somebody whose role allows this at the resource "
                                          "or at what contains it, or assign one."},
    {CMK_STATUS_OF(PRINCIPAL_NOT_FOUND),
     "Wait until the whole directory knows the new principal, then assign the role again."},
    {CMK_STATUS_OF(PRINCIPAL_OF_ANOTHER_TENANT),
     "Name an identity of the tenant that the scope is of; one of the old tenant stays behind."},
    {CMK_STATUS_OF(ROLE_ASSIGNMENT_EXISTS),
     "Nothing is to be done; if it does not act yet, wait until it does."},
    {CMK_STATUS_OF(ROLE_ASSIGNMENTS_FULL),
     "Remove assignments that nobody needs, or assign roles to groups."},
    {CMK_STATUS_OF(ACCESS_POLICIES_FULL),
     "Remove policies that nobody needs, or switch the key vault over to roles."},
    {CMK_STATUS_OF(POLICY_DOES_NOT_FIT), "Take a policy all of whose stores the datasource has."},
    {CMK_STATUS_OF(REGION_MISMATCH), "Take a key of the Backup vault's own region."},
    {CMK_STATUS_OF(ENCRYPTION_STAYS_INCONSISTENT),
     "Attach the identity again, give it its rights on the key, and see that the key can be used; "
     "or update the encryption settings."},
    {CMK_STATUS_OF(INFRASTRUCTURE_NEEDS_KEY),
     "Create the Backup vault with a customer-managed key, or without infrastructure encryption."},
    {CMK_STATUS_OF(REDUNDANCY_LOCKED),
     "Choose the redundancy before anything is protected, or make another Backup vault."},
    {CMK_STATUS_OF(REGION_HAS_NO_ZONES), "Name a region that has availability zones."},
    {CMK_STATUS_OF(CROSS_REGION_RESTORE_NOT_OFFERED),
     "Take a geo-redundant Backup vault in a region that has a pair."},
    {CMK_STATUS_OF(CROSS_REGION_RESTORE_IS_FINAL),
     "Leave the Backup vault geo-redundant, or protect the instances in a new one."},
    {CMK_STATUS_OF(POINT_ARCHIVED),
     "Take a point of the vault tier, or restore this one in the Backup vault's own region."},
    {CMK_STATUS_OF(POINT_NOT_FOUND), "Take another point, or wait for the next backup."},
    {CMK_STATUS_OF(MOMENT_NOT_COVERED),
     "Ask for a moment that is over and not older than the first recovery point."},
    {CMK_STATUS_OF(BACKUP_IS_CONTINUOUS),
     "Restore to any moment instead: there is nothing to add by hand, unless the policy keeps the "
     "instance in the vault store too."},
    {CMK_STATUS_OF(SOFT_DELETE_IS_FINAL), "Leave it as it is: there is no way back."},
    {CMK_STATUS_OF(SECRET_NOT_FOUND), "Name a secret that is deleted and can still be recovered."},
    {CMK_STATUS_OF(IMMUTABILITY_LOCKED), "Leave it as it is: there is no way back."},
    {CMK_STATUS_OF(VAULT_IS_IMMUTABLE),
     "Stop the protection and keep the data, or wait until the points expire."},
    {CMK_STATUS_OF(CROSS_SUBSCRIPTION_RESTORE_IS_FINAL),
     "Restore in the Backup vault's own subscription."},
};

const char *cmk_status_advice(CmkStatus status)
{
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(advices); i++) {
        if (advices[i].status == status) {
            return advices[i].text;
        }
    }
    const CmkErrorFacts *facts = cmk_error_facts(status);
    return facts == NULL ? NULL : facts->action;
}

/* ---- the message (ERR-23) -------------------------------------------------------------------- */

/* Appends what fits; gives the new length. */
static uint32_t append(char *text, size_t size, uint32_t length, const char *more)
{
    const size_t room = size - 1 - length;
    const size_t count = strlen(more) < room ? strlen(more) : room;
    memcpy(text + length, more, count);
    text[length + count] = '\0';
    return length + (uint32_t)count;
}

static uint32_t append_all(char *text, size_t size, uint32_t length, const char *const words[])
{
    for (uint32_t i = 0; words[i] != NULL; i++) {
        length = append(text, size, length, words[i]);
    }
    return length;
}

/* A key vault's or HSM's own answers have an HTTP status; what Backup finds out by itself has none.
 */
static uint32_t append_answer(const CmkModel *model, const CmkWorld *world,
                              const CmkRecord *refused, char *text, size_t size, uint32_t length)
{
    const CmkStatusRow *answer = &model->statuses[refused->status];
    const CmkOperation *operation = model->operations[refused->args.op];
    const CmkKeyId key = {refused->args.ref[CMK_REF_KEY]};
    const CmkSecretId secret = {refused->args.ref[CMK_REF_SECRET]};
    if (answer->http == 0 || operation->action == NULL || (key.i == 0 && secret.i == 0)) {
        return length;
    }
    char http[16];
    char uri[CMK_KEY_URI_SIZE]; /* with the version that the request names (KV-6) */
    if (secret.i != 0) {
        cmk_secret_uri_format(world, secret, uri);
    } else {
        cmk_key_uri_format(world, key, (CmkVersionId){refused->args.ref[CMK_REF_VERSION]}, uri);
    }
    (void)snprintf(http, sizeof(http), "%u ", answer->http);
    const bool is_hsm = cmk_key(world, key)->managed_hsm != 0;
    const char *const words[] = {is_hsm ? " The Managed HSM answered: "
                                        : " The key vault answered: ",
                                 http,
                                 answer->code,
                                 answer->inner != NULL ? ", inner code " : "",
                                 answer->inner != NULL ? answer->inner : "",
                                 ", action ",
                                 operation->action,
                                 ", resource ",
                                 uri,
                                 secret.i != 0 ? " (secret URI)." : " (key URI).",
                                 NULL};
    return append_all(text, size, length, words);
}

uint32_t cmk_error_message(const CmkModel *model, const CmkWorld *world, CmkStatus status,
                           const CmkRecord *refused, char *ret_text, size_t size)
{
    CMK_ASSERT(size > 0);
    const CmkStatusRow *row = &model->statuses[status];
    const CmkErrorFacts *facts = cmk_error_facts(status);
    const char *const words[] = {row->code, ": ", row->text, ".", NULL};
    ret_text[0] = '\0';
    uint32_t length = append_all(ret_text, size, 0, words);
    if (refused != NULL) {
        length = append_answer(model, world, refused, ret_text, size, length);
    }
    if (facts != NULL) {
        const char *const advice[] = {" ", facts->action, NULL};
        length = append_all(ret_text, size, length, advice);
    }
    return length;
}
