/* Private endpoints: of key vaults and Managed HSMs, by which Backup and people get to keys past
 * all network rules (NET-6, NET-8), and of Backup vaults, which a user-assigned identity rules out
 * (NET-10). */
#include "models/model.h"
#include "models/mutate.h"
#include "models/network.h"
#include "models/rows.h"

/* ---- which one ------------------------------------------------------------------------------- */

static bool is_of_backup_vault(CmkOpId op)
{
    return op == CMK_OP_BACKUP_VAULT_ADD_PRIVATE_ENDPOINT ||
           op == CMK_OP_BACKUP_VAULT_REMOVE_PRIVATE_ENDPOINT;
}

static uint32_t first_of(const CmkWorld *world, const CmkArgs *args)
{
    const CmkRuleSetId set = cmk_network_set_of(world, args);
    return is_of_backup_vault(args->op) ? cmk_backup_vault_of(world, args)->first_private_endpoint
                                        : cmk_rule_set(world, set)->first_private_endpoint;
}

CmkPrivateEndpointId cmk_network_endpoint(const CmkWorld *world, const CmkArgs *args)
{
    uint32_t row = first_of(world, args);
    while (row != 0 && cmk_private_endpoint(world, (CmkPrivateEndpointId){row})->network !=
                           args->ref[CMK_REF_NETWORK]) {
        row = cmk_private_endpoint(world, (CmkPrivateEndpointId){row})->next;
    }
    return (CmkPrivateEndpointId){row};
}

/* ---- guards ---------------------------------------------------------------------------------- */

static bool network_is_a_subnet(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)ret_blame;
    return cmk_network(world, (CmkNetworkId){args->ref[CMK_REF_NETWORK]})->kind ==
           CMK_NETWORK_SUBNET;
}

const CmkGuard cmk_guard_network_is_a_subnet = {
    .name = "network-is-a-subnet",
    .holds = network_is_a_subnet,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "NET-8",
    .text = "A private endpoint is in a subnet of a virtual network, not in a range of addresses."};

static bool private_endpoint_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkPrivateEndpoint *endpoint =
        cmk_private_endpoint(world, cmk_network_endpoint(world, args));
    *ret_blame = endpoint->changed_by;
    return endpoint->state != CMK_ENDPOINT_DISCONNECTED;
}

const CmkGuard cmk_guard_private_endpoint_exists = {
    .name = "private-endpoint-exists",
    .holds = private_endpoint_exists,
    .status = CMK_STATUS_OF(NOT_FOUND),
    .rule = "NET-8",
    .text = "The subnet is connected by a private endpoint, approved or not."};

static bool private_endpoint_is_new(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return !private_endpoint_exists(world, args, ret_blame);
}

const CmkGuard cmk_guard_private_endpoint_is_new = {
    .name = "private-endpoint-is-new",
    .holds = private_endpoint_is_new,
    .status = CMK_STATUS_OF(CONFLICT),
    .rule = "NET-8",
    .text = "The subnet is not connected by a private endpoint yet."};

static bool private_endpoints_have_room(const CmkWorld *world, const CmkArgs *args,
                                        uint64_t *ret_blame)
{
    const CmkRuleSetId set = cmk_network_set_of(world, args);
    *ret_blame = cmk_rule_set(world, set)->changed_by;
    return cmk_rule_set(world, set)->private_endpoint_count < CMK_PRIVATE_ENDPOINTS_MAX;
}

const CmkGuard cmk_guard_private_endpoints_have_room = {
    .name = "private-endpoints-have-room",
    .holds = private_endpoints_have_room,
    .status = CMK_STATUS_OF(BAD_PARAMETER),
    .rule = "NET-13",
    .text = "The key vault or Managed HSM has at most 64 private endpoints."};

static bool settings_use_no_user_identity(const CmkWorld *world, const CmkArgs *args,
                                          uint64_t *ret_blame)
{
    *ret_blame = cmk_backup_vault_of(world, args)->encryption_by;
    return cmk_backup_vault_of(world, args)->identity == 0;
}

static bool use_system_identity(const CmkWorld *world, const CmkArgs *refused, CmkArgs *ret)
{
    ret->ref[CMK_REF_BACKUP_VAULT] = refused->ref[CMK_REF_BACKUP_VAULT];
    ret->num[CMK_NUM_SYSTEM] = 1;
    return cmk_backup_vault_of(world, refused)->system_principal != 0;
}

const CmkGuard cmk_guard_settings_use_no_user_identity = {
    .name = "settings-use-no-user-identity",
    .holds = settings_use_no_user_identity,
    .status = CMK_STATUS_OF(USER_IDENTITY_NETWORK_RESTRICTED),
    .rule = "NET-10 ERR-17",
    .text = "The encryption settings of the Backup vault use no user-assigned identity.",
    .repairs = {{CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION, use_system_identity,
                 "let the settings use the system-assigned identity"}}};

/* ---- connecting ------------------------------------------------------------------------------ */

static CmkPrivateEndpointId make_endpoint(CmkSim *sim, const CmkArgs *args)
{
    const CmkPrivateEndpointId id = {cmk_world_row_add(sim->world, CMK_TABLE_PRIVATE_ENDPOINT)};
    CmkPrivateEndpoint *endpoint = cmk_private_endpoint_mut(sim, id);
    endpoint->network = args->ref[CMK_REF_NETWORK];
    endpoint->next = first_of(sim->world, args);
    if (is_of_backup_vault(args->op)) {
        const CmkBackupVaultId vault = {args->ref[CMK_REF_BACKUP_VAULT]};
        endpoint->backup_vault = vault.i;
        cmk_backup_vault_mut(sim, vault)->first_private_endpoint = id.i;
    } else {
        const CmkRuleSetId set = cmk_network_set_of(sim->world, args);
        endpoint->rule_set = set.i;
        cmk_rule_set_mut(sim, set)->first_private_endpoint = id.i;
    }
    return id;
}

static CmkPrivateEndpointId set_state(CmkSim *sim, const CmkArgs *args, CmkEndpointState state)
{
    const CmkPrivateEndpointId known = cmk_network_endpoint(sim->world, args);
    const CmkPrivateEndpointId id = known.i != 0 ? known : make_endpoint(sim, args);
    CmkPrivateEndpoint *endpoint = cmk_private_endpoint_mut(sim, id);
    endpoint->state = state;
    endpoint->changed_by = cmk_this_seq(sim);
    return id;
}

static uint32_t *count_of(CmkSim *sim, const CmkArgs *args)
{
    if (is_of_backup_vault(args->op)) {
        const CmkBackupVaultId vault = {args->ref[CMK_REF_BACKUP_VAULT]};
        return &cmk_backup_vault_mut(sim, vault)->private_endpoint_count;
    }
    const CmkRuleSetId set = cmk_network_set_of(sim->world, args);
    return &cmk_rule_set_mut(sim, set)->private_endpoint_count;
}

static uint32_t connect(CmkSim *sim, const CmkArgs *args)
{
    const bool is_pending = args->num[0] == CMK_SAYS_FALSE;
    ++*count_of(sim, args);
    return set_state(sim, args, is_pending ? CMK_ENDPOINT_PENDING : CMK_ENDPOINT_APPROVED).i;
}

static uint32_t disconnect(CmkSim *sim, const CmkArgs *args)
{
    --*count_of(sim, args);
    return set_state(sim, args, CMK_ENDPOINT_DISCONNECTED).i;
}

static uint32_t approve(CmkSim *sim, const CmkArgs *args)
{
    return set_state(sim, args, CMK_ENDPOINT_APPROVED).i;
}

static uint32_t reject(CmkSim *sim, const CmkArgs *args)
{
    return set_state(sim, args, CMK_ENDPOINT_REJECTED).i;
}

/* ---- of key vaults --------------------------------------------------------------------------- */

#define NETWORK_PARAM                                                                              \
    {                                                                                              \
        "network", CMK_PARAM_NETWORK, 0, 1, CMK_REF_NETWORK                                        \
    }
#define OF_KEY_VAULT                                                                               \
    .permission = CMK_PERMISSION_KEY_VAULT_WRITE,                                                  \
    .writes = CMK_BIT(RULE_SET) | CMK_BIT(PRIVATE_ENDPOINT)

const CmkOperation cmk_op_key_vault_connect_private_endpoint = {
    .name = "key_vault.connect_private_endpoint",
    .text = "A subnet is connected to a key vault by a private endpoint, which is approved at once "
            "or waits for it.",
    .params = {CMK_KEY_VAULT_PARAM, NETWORK_PARAM, {"approved", CMK_PARAM_BOOLEAN, 1, 0, 0}},
    OF_KEY_VAULT,
    .guards = {CMK_GUARDS_TO_SET_NETWORK, CMK_GUARD_NETWORK_IS_A_SUBNET,
               CMK_GUARD_PRIVATE_ENDPOINT_IS_NEW, CMK_GUARD_PRIVATE_ENDPOINTS_HAVE_ROOM},
    .effect = connect,
    .rules = "NET-2 NET-8 NET-13 NET-14 REL-8",
    .action = "Microsoft.KeyVault/vaults/PrivateEndpointConnectionsApproval/action",
    .az = "az network private-endpoint create",
};

const CmkOperation cmk_op_key_vault_approve_private_endpoint = {
    .name = "key_vault.approve_private_endpoint",
    .text = "The private endpoint of a subnet at a key vault is approved.",
    .params = {CMK_KEY_VAULT_PARAM, NETWORK_PARAM},
    OF_KEY_VAULT,
    .guards = {CMK_GUARDS_TO_SET_NETWORK, CMK_GUARD_PRIVATE_ENDPOINT_EXISTS},
    .effect = approve,
    .rules = "NET-2 NET-8 NET-14 REL-8",
    .action = "Microsoft.KeyVault/vaults/privateEndpointConnections/write",
    .az = "az keyvault private-endpoint-connection approve",
};

const CmkOperation cmk_op_key_vault_reject_private_endpoint = {
    .name = "key_vault.reject_private_endpoint",
    .text = "The private endpoint of a subnet at a key vault is rejected: nothing passes it.",
    .params = {CMK_KEY_VAULT_PARAM, NETWORK_PARAM},
    OF_KEY_VAULT,
    .guards = {CMK_GUARDS_TO_SET_NETWORK, CMK_GUARD_PRIVATE_ENDPOINT_EXISTS},
    .effect = reject,
    .rules = "NET-2 NET-8 NET-14 REL-8",
    .action = "Microsoft.KeyVault/vaults/privateEndpointConnections/write",
    .az = "az keyvault private-endpoint-connection reject",
};

const CmkOperation cmk_op_key_vault_disconnect_private_endpoint = {
    .name = "key_vault.disconnect_private_endpoint",
    .text = "The private endpoint of a subnet at a key vault is deleted, or its connection is "
            "broken.",
    .params = {CMK_KEY_VAULT_PARAM, NETWORK_PARAM},
    OF_KEY_VAULT,
    .guards = {CMK_GUARDS_TO_SET_NETWORK, CMK_GUARD_PRIVATE_ENDPOINT_EXISTS},
    .effect = disconnect,
    .rules = "NET-2 NET-8 NET-14 REL-8",
    .action = "Microsoft.KeyVault/vaults/privateEndpointConnections/delete",
    .az = "az keyvault private-endpoint-connection delete",
};

/* ---- of Managed HSMs (HSM-22) ------------------------------------------------------------------
 */

#define OF_HSM                                                                                     \
    .permission = CMK_PERMISSION_MANAGED_HSM_WRITE,                                                \
    .writes = CMK_BIT(RULE_SET) | CMK_BIT(PRIVATE_ENDPOINT)

const CmkOperation cmk_op_managed_hsm_connect_private_endpoint = {
    .name = "managed_hsm.connect_private_endpoint",
    .text = "A subnet is connected to a Managed HSM by a private endpoint, which is approved at "
            "once or waits for it.",
    .params = {CMK_MANAGED_HSM_PARAM, NETWORK_PARAM, {"approved", CMK_PARAM_BOOLEAN, 1, 0, 0}},
    OF_HSM,
    .guards = {CMK_GUARDS_TO_SET_NETWORK_OF_HSM, CMK_GUARD_NETWORK_IS_A_SUBNET,
               CMK_GUARD_PRIVATE_ENDPOINT_IS_NEW, CMK_GUARD_PRIVATE_ENDPOINTS_HAVE_ROOM},
    .effect = connect,
    .rules = "HSM-2 HSM-22 NET-2 NET-8 NET-14",
    .action = "Microsoft.KeyVault/managedHSMs/PrivateEndpointConnectionsApproval/action",
    .az = "az network private-endpoint create",
};

const CmkOperation cmk_op_managed_hsm_approve_private_endpoint = {
    .name = "managed_hsm.approve_private_endpoint",
    .text = "The private endpoint of a subnet at a Managed HSM is approved.",
    .params = {CMK_MANAGED_HSM_PARAM, NETWORK_PARAM},
    OF_HSM,
    .guards = {CMK_GUARDS_TO_SET_NETWORK_OF_HSM, CMK_GUARD_PRIVATE_ENDPOINT_EXISTS},
    .effect = approve,
    .rules = "HSM-2 HSM-22 NET-2 NET-8 NET-14",
    .action = "Microsoft.KeyVault/managedHSMs/privateEndpointConnections/write",
    .az = "az keyvault private-endpoint-connection approve --hsm-name",
};

const CmkOperation cmk_op_managed_hsm_reject_private_endpoint = {
    .name = "managed_hsm.reject_private_endpoint",
    .text = "The private endpoint of a subnet at a Managed HSM is rejected: nothing passes it.",
    .params = {CMK_MANAGED_HSM_PARAM, NETWORK_PARAM},
    OF_HSM,
    .guards = {CMK_GUARDS_TO_SET_NETWORK_OF_HSM, CMK_GUARD_PRIVATE_ENDPOINT_EXISTS},
    .effect = reject,
    .rules = "HSM-2 HSM-22 NET-2 NET-8 NET-14",
    .action = "Microsoft.KeyVault/managedHSMs/privateEndpointConnections/write",
    .az = "az keyvault private-endpoint-connection reject --hsm-name",
};

const CmkOperation cmk_op_managed_hsm_disconnect_private_endpoint = {
    .name = "managed_hsm.disconnect_private_endpoint",
    .text = "The private endpoint of a subnet at a Managed HSM is deleted, or its connection is "
            "broken.",
    .params = {CMK_MANAGED_HSM_PARAM, NETWORK_PARAM},
    OF_HSM,
    .guards = {CMK_GUARDS_TO_SET_NETWORK_OF_HSM, CMK_GUARD_PRIVATE_ENDPOINT_EXISTS},
    .effect = disconnect,
    .rules = "HSM-2 HSM-22 NET-2 NET-8 NET-14",
    .action = "Microsoft.KeyVault/managedHSMs/privateEndpointConnections/delete",
    .az = "az keyvault private-endpoint-connection delete --hsm-name",
};

/* ---- of Backup vaults ------------------------------------------------------------------------ */

#define TO_MANAGE_BACKUP_VAULT                                                                     \
    CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_BACKUP_VAULT_EXISTS,                                     \
        CMK_GUARD_BACKUP_VAULT_IS_NOT_MOVING, CMK_GUARD_BACKUP_VAULT_IS_REACHABLE
#define OF_BACKUP_VAULT                                                                            \
    .permission = CMK_PERMISSION_BACKUP_VAULT_WRITE,                                               \
    .params = {{"vault", CMK_PARAM_BACKUP_VAULT, 0, 1, CMK_REF_BACKUP_VAULT}, NETWORK_PARAM},      \
    .writes = CMK_BIT(BACKUP_VAULT) | CMK_BIT(PRIVATE_ENDPOINT)

static uint32_t backup_vault_add_private_endpoint(CmkSim *sim, const CmkArgs *args)
{
    const uint32_t row = connect(sim, args);
    cmk_backup_vault_succeed(sim, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]});
    return row;
}

/* An update to a user-assigned identity that is on its way has passed the check already. */
const CmkOperation cmk_op_backup_vault_add_private_endpoint = {
    .name = "backup_vault.add_private_endpoint",
    .text = "A subnet is connected to a Backup vault by a private endpoint of Azure Backup.",
    OF_BACKUP_VAULT,
    .guards = {TO_MANAGE_BACKUP_VAULT, CMK_GUARD_SETTINGS_ARE_NOT_BEING_UPDATED,
               CMK_GUARD_NETWORK_IS_A_SUBNET, CMK_GUARD_PRIVATE_ENDPOINT_IS_NEW,
               CMK_GUARD_SETTINGS_USE_NO_USER_IDENTITY},
    .effect = backup_vault_add_private_endpoint,
    .rules = "NET-10 BV-12",
    .action = "Microsoft.DataProtection/backupVaults/privateEndpointConnectionsApproval/action",
    .az = "az network private-endpoint create",
};

static uint32_t backup_vault_remove_private_endpoint(CmkSim *sim, const CmkArgs *args)
{
    const uint32_t row = disconnect(sim, args);
    cmk_backup_vault_succeed(sim, (CmkBackupVaultId){args->ref[CMK_REF_BACKUP_VAULT]});
    return row;
}

const CmkOperation cmk_op_backup_vault_remove_private_endpoint = {
    .name = "backup_vault.remove_private_endpoint",
    .text = "A private endpoint of a Backup vault is deleted.",
    OF_BACKUP_VAULT,
    .guards = {TO_MANAGE_BACKUP_VAULT, CMK_GUARD_PRIVATE_ENDPOINT_EXISTS},
    .effect = backup_vault_remove_private_endpoint,
    .rules = "NET-10 BV-12",
    .action = "Microsoft.DataProtection/backupVaults/privateEndpointConnections/delete",
    .az = "az network private-endpoint delete",
};
