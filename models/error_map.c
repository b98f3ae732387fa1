#include "models/error_map.h"

#define MISSING CMK_STATUS_OF(MISSING_PERMISSION)
#define AUTH CMK_STATUS_OF(AUTH_FAILURE)
#define RETRY CMK_STATUS_OF(RETRYABLE)

/* ERR-M: condition, by the guard that finds it; then settings and jobs. */
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
    {"ERR-M5", CMK_GUARD_KEY_VAULT_EXISTS, AUTH, AUTH, false},
    {"ERR-M6", CMK_GUARD_KEY_IS_NOT_BEING_DELETED, AUTH, AUTH, false},
    {"ERR-M6", CMK_GUARD_KEY_IS_NOT_BEING_RECOVERED, AUTH, AUTH, false},
    {"ERR-M6", CMK_GUARD_KEY_EXISTS, AUTH, AUTH, false},
    {"ERR-M6", CMK_GUARD_VERSION_EXISTS, AUTH, AUTH, false},
    {"ERR-M9", CMK_GUARD_VERSION_IS_ENABLED, AUTH, AUTH, false},
    {"ERR-M9", CMK_GUARD_VERSION_IS_ENABLED_FOR_PUBLIC_OPS, AUTH, AUTH, false},
    {"ERR-M10", CMK_GUARD_VERSION_HAS_NOT_EXPIRED, AUTH, AUTH, false},
    {"ERR-M10", CMK_GUARD_VERSION_IS_YET_VALID, AUTH, AUTH, false},
    {"ERR-M10", CMK_GUARD_BACKUP_FINDS_IT_NOT_EXPIRED, AUTH, AUTH, false},
    {"ERR-M10", CMK_GUARD_BACKUP_FINDS_IT_YET_VALID, AUTH, AUTH, false},
    {"ERR-M4", CMK_GUARD_KEY_OPS_INCLUDE_THIS, MISSING, MISSING, false},
    {"ERR-M8", CMK_GUARD_KEY_TYPE_CAN_DO_THIS, MISSING, MISSING, false},
    {"ERR-M12", CMK_GUARD_KEY_VAULT_IS_REACHABLE, RETRY, RETRY, true},
    {"ERR-M12", CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED, RETRY, RETRY, true},
    {"ERR-M12", CMK_GUARD_BACKUP_VAULT_IS_REACHABLE, RETRY, RETRY, true},
    {"ERR-M13", CMK_GUARD_CALLER_IS_KNOWN, AUTH, MISSING, false},
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
