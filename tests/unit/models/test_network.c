/* Addresses and their prefixes, and what a closed key vault means for settings, jobs and the pair
 * of its region. Who is let in, row by row: tests/tables/network.tbl. */
#include <criterion/criterion.h>

#include "models/network.h"
#include "tests/unit/models/estate.h"

#define ADDRESS(a, b, c, d)                                                                        \
    ((uint32_t)(a) << 24 | (uint32_t)(b) << 16 | (uint32_t)(c) << 8 | (uint32_t)(d))

static CmkRuleSet rules_of(const Estate *estate)
{
    return *cmk_rule_set(estate->sim.world, (CmkRuleSetId){ESTATE_KV});
}

/* ---- addresses ------------------------------------------------------------------------------- */

/* At both ends of a range, one address further, and with each prefix that is a case of its own. */
Test(network, ranges_contain_what_begins_alike)
{
    const struct {
        CmkNetwork outer, inner;
        bool is_in;
    } cases[] = {
        {{.address = ADDRESS(203, 0, 113, 0), .prefix_bits = 24},
         {.address = ADDRESS(203, 0, 113, 0), .prefix_bits = 32},
         true},
        {{.address = ADDRESS(203, 0, 113, 0), .prefix_bits = 24},
         {.address = ADDRESS(203, 0, 113, 255), .prefix_bits = 32},
         true},
        {{.address = ADDRESS(203, 0, 113, 0), .prefix_bits = 24},
         {.address = ADDRESS(203, 0, 112, 255), .prefix_bits = 32},
         false},
        {{.address = ADDRESS(203, 0, 113, 0), .prefix_bits = 24},
         {.address = ADDRESS(203, 0, 114, 0), .prefix_bits = 32},
         false},
        {{.address = ADDRESS(203, 0, 113, 0), .prefix_bits = 24},
         {.address = ADDRESS(203, 0, 113, 0), .prefix_bits = 24},
         true},
        {{.address = ADDRESS(203, 0, 113, 0), .prefix_bits = 24},
         {.address = ADDRESS(203, 0, 113, 0), .prefix_bits = 23},
         false},
        {{.address = ADDRESS(203, 0, 113, 4), .prefix_bits = 31},
         {.address = ADDRESS(203, 0, 113, 5), .prefix_bits = 32},
         true},
        {{.address = ADDRESS(203, 0, 113, 4), .prefix_bits = 31},
         {.address = ADDRESS(203, 0, 113, 6), .prefix_bits = 32},
         false},
        {{.address = ADDRESS(203, 0, 113, 7), .prefix_bits = 32},
         {.address = ADDRESS(203, 0, 113, 7), .prefix_bits = 32},
         true},
        {{.address = ADDRESS(128, 0, 0, 0), .prefix_bits = 1},
         {.address = ADDRESS(127, 255, 255, 255), .prefix_bits = 32},
         false},
        {{.address = 0, .prefix_bits = 0}, {.address = UINT32_MAX, .prefix_bits = 32}, true},
        {{.kind = CMK_NETWORK_SUBNET}, {.kind = CMK_NETWORK_SUBNET}, false},
        {{.address = 0, .prefix_bits = 0}, {.kind = CMK_NETWORK_SUBNET}, false},
    };
    Estate *estate = estate_new(&(EstateOptions){.has_no_cmk = true});
    CmkWorld *world = estate->sim.world;
    CmkNetwork *rows = cmk_world_row_mut(world, CMK_TABLE_NETWORK, 1);
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        rows[0] = cases[i].outer;
        rows[1] = cases[i].inner;
        cr_expect_eq(cmk_network_contains(world, (CmkNetworkId){1}, (CmkNetworkId){2}),
                     cases[i].is_in, "case %zu", i);
        /* The open internet is in no range but that of all addresses; and all are in themselves. */
        cr_expect_eq(cmk_network_contains(world, (CmkNetworkId){1}, (CmkNetworkId){0}),
                     rows[0].kind == CMK_NETWORK_ADDRESS_RANGE && rows[0].prefix_bits == 0,
                     "case %zu", i);
        cr_expect(cmk_network_contains(world, (CmkNetworkId){1}, (CmkNetworkId){1}), "case %zu", i);
    }
    estate_free(estate);
}

/* NET-4: the ends of each of the three, and ranges that hold one of them. */
Test(network, private_ranges_are_those_of_rfc_1918)
{
    const struct {
        uint32_t address, prefix_bits;
        bool is_public;
    } cases[] = {
        {ADDRESS(9, 255, 255, 255), 32, true},    {ADDRESS(10, 0, 0, 0), 32, false},
        {ADDRESS(10, 255, 255, 255), 32, false},  {ADDRESS(11, 0, 0, 0), 32, true},
        {ADDRESS(172, 15, 255, 255), 32, true},   {ADDRESS(172, 16, 0, 0), 32, false},
        {ADDRESS(172, 31, 255, 255), 32, false},  {ADDRESS(172, 32, 0, 0), 32, true},
        {ADDRESS(192, 167, 255, 255), 32, true},  {ADDRESS(192, 168, 0, 0), 32, false},
        {ADDRESS(192, 168, 255, 255), 32, false}, {ADDRESS(192, 169, 0, 0), 32, true},
        {ADDRESS(10, 0, 0, 0), 8, false},         {ADDRESS(8, 0, 0, 0), 6, false},
        {ADDRESS(172, 0, 0, 0), 8, false},        {ADDRESS(192, 168, 4, 0), 22, false},
        {ADDRESS(203, 0, 113, 0), 24, true},      {0, 0, false},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        const CmkNetwork range = {.address = cases[i].address, .prefix_bits = cases[i].prefix_bits};
        cr_expect_eq(cmk_network_is_public(&range), cases[i].is_public, "case %zu", i);
    }
}

/* ---- limits ---------------------------------------------------------------------------------- */

/* NET-4, NET-13: rules and connections are counted as they come and go. */
Test(network, rules_and_endpoints_are_counted)
{
    Estate *estate = estate_new(&(EstateOptions){.has_no_cmk = true});
    CmkArgs args = estate_args(estate, CMK_OP_KEY_VAULT_ADD_NETWORK_RULE);
    (void)estate_must_apply(estate, args);
    args.ref[CMK_REF_NETWORK] = ESTATE_DESK;
    (void)estate_must_apply(estate, args);
    args.ref[CMK_REF_NETWORK] = ESTATE_SUBNET;
    (void)estate_must_apply(estate, args);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_REMOVE_NETWORK_RULE);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_ADD_PERIMETER_RULE);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT);
    cr_expect_eq(rules_of(estate).rule_counts[CMK_NETWORK_ADDRESS_RANGE], 1);
    cr_expect_eq(rules_of(estate).rule_counts[CMK_NETWORK_SUBNET], 1);
    cr_expect_eq(rules_of(estate).private_endpoint_count, 1);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_DISCONNECT_PRIVATE_ENDPOINT);
    cr_expect_eq(rules_of(estate).private_endpoint_count, 0);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT);
    /* Another key vault of the name begins anew (NET-1). */
    (void)estate_must(estate, CMK_OP_KEY_VAULT_SET_NETWORK);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_DELETE);
    estate_run(estate, 91 * CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_CREATE);
    cr_expect_str_eq(estate->trouble, "");
    cr_expect_eq(rules_of(estate).rule_counts[CMK_NETWORK_ADDRESS_RANGE], 0);
    cr_expect_eq(rules_of(estate).rule_counts[CMK_NETWORK_SUBNET], 0);
    cr_expect_eq(rules_of(estate).private_endpoint_count, 0);
    cr_expect_eq(rules_of(estate).default_action, CMK_DEFAULT_ACTION_ALLOW);
    estate_free(estate);
}

/* ---- settings and jobs ----------------------------------------------------------------------- */

/* OQ-19: closing the key vault later leaves the settings alone, or breaks those that use it with a
 * user-assigned identity until an update repairs them. */
Test(network, a_key_vault_that_is_closed_later_breaks_settings_if_wanted)
{
    for (int breaks = 0; breaks <= 1; breaks++) {
        for (int uses_system = 0; uses_system <= 1; uses_system++) {
            Estate *estate = estate_new(
                &(EstateOptions){.uses_system = uses_system != 0,
                                 .knobs = {[CMK_KNOB_LATE_LIMIT_BREAKS_SETTINGS] = 1 + breaks}});
            (void)estate_must(estate, CMK_OP_KEY_VAULT_SET_NETWORK);
            const bool is_broken = breaks != 0 && uses_system == 0;
            cr_expect_eq(estate_vault(estate)->encryption,
                         is_broken ? CMK_ENCRYPTION_INCONSISTENT : CMK_ENCRYPTION_ENABLED);
            CmkArgs open = estate_args(estate, CMK_OP_KEY_VAULT_SET_NETWORK);
            open.num[CMK_SET_DEFAULT_ACTION] = CMK_DEFAULT_ACTION_ALLOW + 1;
            (void)estate_must_apply(estate, open);
            cr_expect_eq(estate_vault(estate)->encryption,
                         is_broken ? CMK_ENCRYPTION_INCONSISTENT : CMK_ENCRYPTION_ENABLED);
            (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
            estate_run(estate, CMK_MINUTE_US);
            cr_expect_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED);
            cr_expect_str_eq(estate->trouble, "");
            estate_free(estate);
        }
    }
}

/* A key vault whose rules are written to again while it is limited breaks nothing anew. */
Test(network, only_a_key_vault_that_was_open_is_limited_later)
{
    Estate *estate = estate_new(
        &(EstateOptions){.has_no_cmk = true, .knobs = {[CMK_KNOB_LATE_LIMIT_BREAKS_SETTINGS] = 2}});
    CmkArgs close = estate_args(estate, CMK_OP_KEY_VAULT_SET_NETWORK);
    close.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    (void)estate_must_apply(estate, close);
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    estate_run(estate, CMK_MINUTE_US);
    cr_expect_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED);
    (void)estate_must_apply(estate, close); /* of another key vault */
    cr_expect_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED);
    cr_expect_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* NET-2: from outside nobody gets to the keys of a closed key vault, but whoever manages it does.
 */
Test(network, management_is_never_blocked)
{
    static const CmkOpId managed[] = {CMK_OP_KEY_VAULT_SET_PURGE_PROTECTION,
                                      CMK_OP_KEY_VAULT_SET_NETWORK,
                                      CMK_OP_KEY_VAULT_ADD_NETWORK_RULE,
                                      CMK_OP_KEY_VAULT_CONNECT_PRIVATE_ENDPOINT,
                                      CMK_OP_ROLE_REMOVE,
                                      CMK_OP_ROLE_ASSIGN,
                                      CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION,
                                      CMK_OP_KEY_VAULT_DELETE,
                                      CMK_OP_KEY_VAULT_RECOVER};
    Estate *estate = estate_new(&(EstateOptions){.uses_system = true});
    CmkArgs owner = estate_args(estate, CMK_OP_ROLE_ASSIGN);
    owner.ref[CMK_REF_KEY_VAULT] = 0;
    owner.ref[CMK_REF_SCOPE] = ESTATE_RESOURCE_GROUP;
    owner.ref[CMK_REF_GRANTEE] = ESTATE_ALICE;
    owner.num[0] = cmk_role_find("Owner");
    (void)estate_must_apply(estate, owner);
    CmkArgs close = estate_args(estate, CMK_OP_KEY_VAULT_SET_NETWORK);
    close.num[CMK_SET_PUBLIC_ACCESS] = CMK_PUBLIC_ACCESS_DISABLED + 1;
    (void)estate_must_apply(estate, close);
    CmkArgs list = estate_args(estate, CMK_OP_KEY_LIST);
    list.ref[CMK_REF_ACTOR] = ESTATE_ALICE;
    cr_expect_eq(estate_apply(estate, &list).guard, CMK_GUARD_CONNECTION_LETS_ACTOR_IN);
    for (size_t i = 0; i < CMK_ARRAY_LEN(managed); i++) {
        CmkArgs args = estate_args(estate, managed[i]);
        args.ref[CMK_REF_ACTOR] = ESTATE_ALICE;
        const CmkOutcome outcome = estate_apply(estate, &args);
        cr_expect_eq(outcome.status, CMK_STATUS_OK, "%s: %s",
                     estate->sim.model->operations[managed[i]]->name,
                     estate_guard_name(estate, outcome.guard));
    }
    estate_free(estate);
}

/* NET-14: what is changed in the midst of a job acts on the next request of it. */
Test(network, changes_act_at_once)
{
    Estate *estate = estate_new(NULL);
    (void)estate_must(estate, CMK_OP_BACKUP_RUN);
    estate_run(estate, CMK_MINUTE_US);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_SET_NETWORK);
    estate_run(estate, CMK_HOUR_US);
    const CmkRecord *fail = estate_last(estate, CMK_OP_TASK_FAIL);
    cr_assert_not_null(fail);
    cr_expect_eq(fail->args.num[0], CMK_STATUS_OF(AUTH_FAILURE));
    const CmkRecord *refused = estate_last(estate, CMK_OP_KEY_GET);
    cr_expect_eq(refused->guard, CMK_GUARD_FIREWALL_LETS_BACKUP_IN);
    cr_expect_eq(refused->blame_seq, estate_last(estate, CMK_OP_KEY_VAULT_SET_NETWORK)->seq);
    cr_expect_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* Turned away at the door: no bill, no place in the window, but a refusal that is counted. */
Test(network, what_is_turned_away_costs_nothing)
{
    Estate *estate = estate_new(NULL);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_SET_NETWORK);
    const CmkKeyVaultMeter before =
        *cmk_key_vault_meter(estate->sim.world, (CmkKeyVaultId){ESTATE_KV});
    cr_expect_eq(estate_try(estate, CMK_OP_KEY_GET).guard, CMK_GUARD_FIREWALL_LETS_BACKUP_IN);
    CmkArgs list = estate_args(estate, CMK_OP_KEY_LIST);
    list.ref[CMK_REF_ACTOR] = ESTATE_ALICE;
    cr_expect_eq(estate_apply(estate, &list).guard, CMK_GUARD_FIREWALL_LETS_ACTOR_IN);
    const CmkKeyVaultMeter *after =
        cmk_key_vault_meter(estate->sim.world, (CmkKeyVaultId){ESTATE_KV});
    cr_expect_eq(after->window_used, before.window_used);
    cr_expect_eq(after->requests_2048, before.requests_2048);
    cr_expect_eq(after->refused, before.refused + 2);
    estate_free(estate);
}

/* ---- the pair -------------------------------------------------------------------------------- */

/* REL-13: the pair lacks what was written last, and has it again after the failback. */
Test(network, the_pair_lacks_the_last_rules)
{
    Estate *estate = estate_new(&(EstateOptions){
        .uses_system = true, .knobs = {[CMK_KNOB_REPLICATION_LAG] = 1 + 5 * CMK_MINUTE_US}});
    (void)estate_must(estate, CMK_OP_KEY_VAULT_ADD_NETWORK_RULE);
    CmkArgs close = estate_args(estate, CMK_OP_KEY_VAULT_SET_NETWORK);
    (void)estate_must_apply(estate, close);
    estate_run(estate, 10 * CMK_MINUTE_US);
    const uint64_t replicated_by = rules_of(estate).changed_by;
    close.num[CMK_SET_PUBLIC_ACCESS] = CMK_PUBLIC_ACCESS_DISABLED + 1;
    close.num[CMK_SET_BYPASS] = CMK_BYPASS_NONE + 1;
    (void)estate_must_apply(estate, close);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_REMOVE_NETWORK_RULE);
    CmkArgs desk = estate_args(estate, CMK_OP_KEY_VAULT_ADD_NETWORK_RULE);
    desk.ref[CMK_REF_NETWORK] = ESTATE_DESK;
    (void)estate_must_apply(estate, desk);
    const CmkRuleSet own = rules_of(estate);
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    estate_run(estate, 5 * CMK_HOUR_US);
    cr_expect_eq(rules_of(estate).public_access, CMK_PUBLIC_ACCESS_ENABLED);
    cr_expect_eq(rules_of(estate).default_action, CMK_DEFAULT_ACTION_DENY);
    cr_expect_eq(rules_of(estate).bypass, CMK_BYPASS_AZURE_SERVICES);
    cr_expect_eq(rules_of(estate).changed_by, replicated_by);
    cr_expect_eq(cmk_network_rule(estate->sim.world, (CmkNetworkRuleId){1})->is_in_force, 1);
    cr_expect_eq(cmk_network_rule(estate->sim.world, (CmkNetworkRuleId){2})->is_in_force, 0);
    cr_expect_eq(estate_try(estate, CMK_OP_KEY_GET).status, CMK_STATUS_OK);
    (void)estate_must(estate, CMK_OP_REGION_RETURN);
    estate_run(estate, CMK_HOUR_US);
    cr_expect_eq(rules_of(estate).public_access, own.public_access);
    cr_expect_eq(rules_of(estate).bypass, own.bypass);
    cr_expect_eq(rules_of(estate).changed_by, own.changed_by);
    cr_expect_eq(cmk_network_rule(estate->sim.world, (CmkNetworkRuleId){1})->is_in_force, 0);
    cr_expect_eq(cmk_network_rule(estate->sim.world, (CmkNetworkRuleId){2})->is_in_force, 1);
    cr_expect_eq(estate_try(estate, CMK_OP_KEY_GET).guard, CMK_GUARD_CONNECTION_LETS_BACKUP_IN);
    cr_expect_str_eq(estate->trouble, "");
    estate_free(estate);
}
