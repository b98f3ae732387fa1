#include "faults/catalogue.h"

#include <string.h>

static const CmkFault faults[] = {
    {.name = "hsm.delete",
     .text = "A Managed HSM is deleted with its keys and local roles, which come back with it; it "
             "is paid for all the same.",
     .rules = "HSM-10 HSM-12 ERR-M5",
     .op = CMK_OP_MANAGED_HSM_DELETE,
     .end = CMK_OP_MANAGED_HSM_RECOVER,
     .heals = {CMK_OP_MANAGED_HSM_RECOVER}},
    {.name = "hsm.lose_security_domain",
     .text = "So many people lose their keys to the security domain of a Managed HSM that it opens "
             "nothing any more.",
     .rules = "HSM-4",
     .op = CMK_OP_MANAGED_HSM_LOSE_DOMAIN_KEYS,
     .given = {"holders", INT32_MAX},
     .endless = "nobody can make these keys again"},
    {.name = "identity.delete",
     .text = "A user-assigned identity is deleted; another one of its name is somebody else.",
     .rules = "MI-7 BV-29 OQ-4",
     .op = CMK_OP_IDENTITY_DELETE,
     .endless = "a deleted identity does not come back",
     .heals = {CMK_OP_IDENTITY_CREATE, CMK_OP_IDENTITY_ATTACH, CMK_OP_ROLE_ASSIGN,
               CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION}},
    {.name = "identity.detach",
     .text = "A user-assigned identity is detached from a Backup vault.",
     .rules = "MI-6 BV-29 BV-31",
     .op = CMK_OP_IDENTITY_DETACH,
     .end = CMK_OP_IDENTITY_ATTACH,
     .heals = {CMK_OP_IDENTITY_ATTACH}},
    {.name = "identity.disable",
     .text = "The system-assigned identity of a Backup vault is switched off, which deletes its "
             "principal.",
     .rules = "MI-5 MI-16 BV-29 BV-30",
     .op = CMK_OP_SYSTEM_IDENTITY_DISABLE,
     .end = CMK_OP_SYSTEM_IDENTITY_ENABLE,
     .heals = {CMK_OP_SYSTEM_IDENTITY_ENABLE, CMK_OP_ROLE_ASSIGN,
               CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION}},
    {.name = "key.delete",
     .text = "A key is deleted with all its versions, and is purged when its retention ends.",
     .rules = "SD-5 SD-6 KV-25 BV-23",
     .op = CMK_OP_KEY_DELETE,
     .end = CMK_OP_KEY_RECOVER,
     .heals = {CMK_OP_KEY_RECOVER}},
    {.name = "key.disable",
     .text = "A key version is disabled.",
     .rules = "KV-16 KVE-6 ERR-M9",
     .op = CMK_OP_KEY_UPDATE,
     .end = CMK_OP_KEY_UPDATE,
     .given = {"enabled", CMK_SAYS_FALSE},
     .heals = {CMK_OP_KEY_UPDATE}},
    {.name = "key.expire",
     .text = "A key version expires at this moment.",
     .rules = "KV-13 KV-14 KVE-7 ERR-M10",
     .op = CMK_OP_KEY_UPDATE,
     .end = CMK_OP_KEY_UPDATE,
     .given = {"expires", CMK_FAULT_NOW},
     .heals = {CMK_OP_KEY_UPDATE}},
    {.name = "key.purge",
     .text = "A deleted key is destroyed for good.",
     .rules = "SD-9 BV-23 OQ-29",
     .op = CMK_OP_KEY_PURGE,
     .endless = "what is purged is lost"},
    {.name = "keyvault.delete",
     .text = "A key vault is deleted with its keys; its role assignments do not come back with it.",
     .rules = "SD-15 SD-16 SD-19 ERR-M5",
     .op = CMK_OP_KEY_VAULT_DELETE,
     .end = CMK_OP_KEY_VAULT_RECOVER,
     .heals = {CMK_OP_KEY_VAULT_RECOVER, CMK_OP_ROLE_ASSIGN}},
    {.name = "keyvault.throttle",
     .text = "Somebody else uses up all requests that a key vault answers, or a share of them.",
     .rules = "KVE-14 THR-2 ERR-M12",
     .op = CMK_OP_KEY_VAULT_THROTTLE,
     .end = CMK_OP_KEY_VAULT_UNTHROTTLE,
     .heals = {CMK_OP_KEY_VAULT_UNTHROTTLE}},
    {.name = "network.break_private_endpoint",
     .text = "The connection of a subnet to a key vault by a private endpoint is broken.",
     .rules = "NET-8 KVE-5 ERR-M7",
     .op = CMK_OP_KEY_VAULT_DISCONNECT_PRIVATE_ENDPOINT,
     .end = CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT,
     .heals = {CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT}},
    {.name = "network.deny",
     .text = "The firewall of a key vault denies all networks that it has no rule for.",
     .rules = "NET-3 NET-9 KVE-4 ERR-M7 OQ-19",
     .op = CMK_OP_KEY_VAULT_SET_NETWORK,
     .end = CMK_OP_KEY_VAULT_SET_NETWORK,
     .given = {"default_action", CMK_DEFAULT_ACTION_DENY + 1},
     .heals = {CMK_OP_KEY_VAULT_SET_NETWORK, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION}},
    {.name = "network.disable_public_access",
     .text = "The public access to a key vault is switched off.",
     .rules = "NET-3 NET-9 KVE-5 ERR-M7 OQ-19",
     .op = CMK_OP_KEY_VAULT_SET_NETWORK,
     .end = CMK_OP_KEY_VAULT_SET_NETWORK,
     .given = {"public_access", CMK_PUBLIC_ACCESS_DISABLED + 1},
     .heals = {CMK_OP_KEY_VAULT_SET_NETWORK, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION}},
    {.name = "policy.remove",
     .text = "A key vault's access policy for an identity is removed.",
     .rules = "AC-5 AC-7 AC-14 BV-32",
     .op = CMK_OP_ACCESS_POLICY_REMOVE,
     .end = CMK_OP_ACCESS_POLICY_SET,
     .heals = {CMK_OP_ACCESS_POLICY_SET}},
    {.name = "region.outage",
     .text = "A region is lost, and with it the key vaults and Managed HSMs that live there.",
     .rules = "REL-2 REL-4 KVE-18 ERR-M12",
     .op = CMK_OP_REGION_LOSE,
     .end = CMK_OP_REGION_RETURN,
     .heals = {CMK_OP_REGION_RETURN}},
    {.name = "region.zone_outage",
     .text = "A region loses one of its availability zones.",
     .rules = "REL-3",
     .op = CMK_OP_REGION_LOSE_ZONE,
     .end = CMK_OP_REGION_RETURN_ZONE,
     .heals = {CMK_OP_REGION_RETURN_ZONE}},
    {.name = "role.revoke",
     .text = "Roles of an identity on a key vault, in a Managed HSM or on a key are taken away.",
     .rules = "AC-8 AC-10 BV-32 ERR-1 HSM-8",
     .op = CMK_OP_ROLE_REMOVE,
     .end = CMK_OP_ROLE_ASSIGN,
     .heals = {CMK_OP_ROLE_ASSIGN}},
    {.name = "secret.delete",
     .text = "The secret with the credentials of a database is deleted.",
     .rules = "BK-2 SD-5 SEC-1",
     .op = CMK_OP_SECRET_DELETE,
     .end = CMK_OP_SECRET_RECOVER,
     .heals = {CMK_OP_SECRET_RECOVER}},
    {.name = "secret.disable",
     .text = "The secret with the credentials of a database is disabled.",
     .rules = "BK-2 KV-18 SEC-2",
     .op = CMK_OP_SECRET_UPDATE,
     .end = CMK_OP_SECRET_UPDATE,
     .given = {"enabled", CMK_SAYS_FALSE},
     .heals = {CMK_OP_SECRET_UPDATE}},
    {.name = "service.fail",
     .text = "The Backup service meets internal errors: for a Backup vault, in a region, or "
             "everywhere.",
     .rules = "ERR-12 ERR-M12 BV-27 BV-T14 OQ-13",
     .op = CMK_OP_SERVICE_FAIL,
     .end = CMK_OP_SERVICE_RECOVER,
     .heals = {CMK_OP_SERVICE_RECOVER, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION}},
    {.name = "subscription.move_tenant",
     .text = "A subscription moves to another tenant, which breaks the identities in it.",
     .rules = "MI-13 KVE-1 ERR-M13",
     .op = CMK_OP_SUBSCRIPTION_MOVE_TENANT,
     .endless = "identities do not come back with their subscription",
     .heals = {CMK_OP_IDENTITY_DELETE, CMK_OP_IDENTITY_CREATE, CMK_OP_IDENTITY_ATTACH,
               CMK_OP_ROLE_ASSIGN, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION}},
};

const CmkFault *cmk_faults(uint32_t *ret_count)
{
    CMK_ASSERT(ret_count != NULL);
    *ret_count = (uint32_t)CMK_ARRAY_LEN(faults);
    return faults;
}

const CmkFault *cmk_fault_find(const char *name)
{
    CMK_ASSERT(name != NULL);
    size_t low = 0;
    size_t high = CMK_ARRAY_LEN(faults);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const int order = strcmp(name, faults[middle].name);
        if (order == 0) {
            return &faults[middle];
        }
        low = order > 0 ? middle + 1 : low;
        high = order < 0 ? middle : high;
    }
    return NULL;
}

const CmkParam *cmk_fault_param(const CmkModel *model, CmkOpId op, const char *name)
{
    CMK_ASSERT(op != CMK_OP_NONE && op < model->operation_count);
    const CmkOperation *operation = model->operations[op];
    for (uint32_t i = 0; i < CMK_PARAMS_MAX && operation->params[i].name != NULL; i++) {
        if (strcmp(operation->params[i].name, name) == 0) {
            return &operation->params[i];
        }
    }
    return NULL;
}

void cmk_fault_give(const CmkModel *model, const CmkFaultValue *value, CmkTime now, CmkArgs *args)
{
    if (value->param == NULL) {
        return;
    }
    const CmkParam *param = cmk_fault_param(model, args->op, value->param);
    CMK_ASSERT(param != NULL && param->is_num != 0);
    args->num[param->slot] = value->value == CMK_FAULT_NOW ? now : value->value;
}
