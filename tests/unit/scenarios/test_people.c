/* Scopes, users, groups and `as` in scenario files: what world is made of them, and how steps end
 * that somebody asks for. */
#include "scenarios/scenario.h"

#include <string.h>

#include <criterion/criterion.h>

#include "sim/engine.h"

#define HEAD                                                                                       \
    "cmksim: 1\n"                                                                                  \
    "name: people\n"                                                                               \
    "start: 2025-03-03T00:00:00Z\n"                                                                \
    "horizon: 10d\n"                                                                               \
    "profile: realistic\n"
#define WORLD                                                                                      \
    "world:\n"                                                                                     \
    "  scopes:\n"                                                                                  \
    "    - {name: rg-prod, kind: resource_group, in: sub-prod}\n"                                  \
    "    - {name: sub-prod, kind: subscription, in: mg-corp}\n"                                    \
    "    - {name: mg-corp, kind: management_group}\n"                                              \
    "    - {name: rg-else, kind: resource_group}\n"                                                \
    "  users: [{name: alice}, {name: bob}, {name: carol}]\n"                                       \
    "  groups: [{name: backup-identities, members: [id-backup, bv-prod]}]\n"                       \
    "  key_vaults:\n"                                                                              \
    "    - name: kv-prod\n"                                                                        \
    "      region: westeurope\n"                                                                   \
    "      resource_group: rg-prod\n"                                                              \
    "      purge_protection: true\n"                                                               \
    "      keys: [{name: kek}]\n"                                                                  \
    "    - {name: kv-else, region: westeurope, resource_group: rg-else, keys: [{name: kek}]}\n"    \
    "  identities: [{name: id-backup, region: westeurope, resource_group: rg-prod}]\n"             \
    "  policies:\n"                                                                                \
    "    - name: daily\n"                                                                          \
    "      datastores: {vault: P7D}\n"                                                             \
    "      schedule: R/2025-03-03T03:00:00+00:00/P1D\n"                                            \
    "  backup_vaults:\n"                                                                           \
    "    - name: bv-prod\n"                                                                        \
    "      region: westeurope\n"                                                                   \
    "      redundancy: geo\n"                                                                      \
    "      resource_group: rg-prod\n"                                                              \
    "      identities: [id-backup, system]\n"                                                      \
    "      encryption: {key: kv-prod/kek, identity: system}\n"                                     \
    "      instances:\n"                                                                           \
    "        - {name: media, datasource: AzureBlob, size: 8 GiB, daily_change: 1%,\n"              \
    "           policy: daily}\n"                                                                  \
    "  grants:\n"                                                                                  \
    "    - principal: backup-identities\n"                                                         \
    "      role: Key Vault Crypto Service Encryption User\n"                                       \
    "      scope: rg-prod\n"                                                                       \
    "    - {principal: alice, role: Owner, scope: mg-corp}\n"                                      \
    "    - {principal: bob, role: Contributor, scope: sub-prod}\n"

typedef struct Ends {
    CmkStatus status[32];
    uint32_t count;
} Ends;

static void read_steps(void *self, const CmkWorld *world, const CmkRecord *record)
{
    Ends *ends = self;
    (void)world;
    if (record->args.actor == CMK_ACTOR_STEP) {
        cr_assert_lt(ends->count, CMK_ARRAY_LEN(ends->status));
        ends->status[ends->count++] = record->status;
    }
}

/* Builds and runs `timeline`; gives how the steps ended. */
static Ends run(const char *timeline)
{
    g_autofree char *text = g_strconcat(HEAD, WORLD, "timeline:\n", timeline, NULL);
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    g_autoptr(CmkDiagnostics) diagnostics = cmk_diagnostics_new("f.yaml", bytes);
    CmkScenario *scenario = cmk_scenario_read(diagnostics);
    GString *said = g_string_new(NULL);
    cmk_diagnostics_print(diagnostics, said);
    cr_assert_not_null(scenario, "%s", said->str);
    Ends ends = {.count = 0};
    CmkJournal journal = {0};
    cmk_journal_add(&journal, (CmkReader){.read = read_steps, .self = &ends});
    CmkSim sim = {.model = cmk_azure_model(), .journal = &journal, .is_self_checking = true};
    const bool is_built =
        cmk_scenario_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, &sim, diagnostics);
    cmk_diagnostics_print(diagnostics, said);
    cr_assert(is_built, "%s", said->str);
    cr_assert_eq(cmk_engine_run(&sim, scenario->end, NULL, NULL), CMK_ENGINE_REACHED);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
    (void)g_string_free(said, TRUE);
    return ends;
}

static void expect_ends(const Ends *ends, const CmkStatus *expected, size_t count)
{
    cr_assert_eq(ends->count, count);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(ends->status[i], expected[i], "step %zu ended with %s", i + 1,
                     cmk_azure_model()->statuses[ends->status[i]].name);
    }
}

/* The vault's own identity opens the key through the group: else the world would be refused. */
Test(people, steps_end_by_the_rights_of_who_asks)
{
    static const CmkStatus expected[] = {CMK_STATUS_OF(AUTHORIZATION_FAILED),
                                         CMK_STATUS_OF(FORBIDDEN_BY_RBAC),
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OF(AUTHORIZATION_FAILED),
                                         CMK_STATUS_OK};
    const Ends ends = run(
        "  - {at: +1d, as: bob, do: role.assign, with: {principal: bob, role: Key Vault Crypto "
        "Officer, scope: rg-prod}}\n"
        "  - {at: +2d, as: bob, do: key.rotate, with: kv-prod/kek}\n"
        "  - {at: +3d, as: alice, do: role.assign, with: {principal: bob, role: Key Vault Crypto "
        "Officer, scope: rg-prod}}\n"
        "  - {at: +4d, as: bob, do: key.rotate, with: kv-prod/kek}\n"
        "  - {at: +5d, as: alice, do: role.assign, with: {principal: bob, role: Owner, scope: "
        "kv-else}}\n"
        "  - {at: +6d, do: role.remove, with: {principal: bob, scope: rg-prod}}\n");
    expect_ends(&ends, expected, CMK_ARRAY_LEN(expected));
}

/* Contributor, Backup Operator and nobody at a vault and what it protects. */
Test(people, operators_run_backups_and_delete_nothing)
{
    static const CmkStatus expected[] = {CMK_STATUS_OF(AUTHORIZATION_FAILED),
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OF(AUTHORIZATION_FAILED),
                                         CMK_STATUS_OF(AUTHORIZATION_FAILED),
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OF(BACKUP_VAULT_NOT_EMPTY)};
    const Ends ends =
        run("  - {at: +1d, as: carol, do: backup.run, with: media}\n"
            "  - {at: +2d, as: alice, do: role.assign, with: {principal: carol, role: Backup "
            "Operator, scope: rg-prod}}\n"
            "  - {at: +3d, as: carol, do: backup.run, with: media}\n"
            "  - {at: +4d, as: carol, do: backup.restore, with: {instance: media, point: latest}}\n"
            "  - {at: +5d, as: carol, do: instance.delete, with: media}\n"
            "  - {at: +6d, as: carol, do: backup_vault.delete, with: bv-prod}\n"
            "  - {at: +7d, as: bob, do: instance.delete, with: media}\n"
            "  - {at: +8d, as: bob, do: backup_vault.delete, with: bv-prod}\n");
    expect_ends(&ends, expected, CMK_ARRAY_LEN(expected));
}

/* The data plane as Backup uses it, with rights of one's own; what is deleted is read elsewhere. */
Test(people, keys_are_read_wrapped_and_released_by_those_who_may)
{
    static const CmkStatus expected[] = {CMK_STATUS_OF(FORBIDDEN_BY_RBAC),
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OF(FORBIDDEN_BY_RBAC),
                                         CMK_STATUS_OF(KEY_NOT_FOUND),
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OF(KEY_NOT_FOUND),
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OK};
    const Ends ends =
        run("  - {at: +1d, as: carol, do: key.show, with: kv-prod/kek}\n"
            "  - {at: +2d, do: role.assign, with: {principal: carol, role: Key Vault Crypto User, "
            "scope: kv-prod}}\n"
            "  - {at: +3d, as: carol, do: key.show, with: kv-prod/kek/1}\n"
            "  - {at: +3d1h, as: carol, do: key.wrap_data, with: kv-prod/kek}\n"
            "  - {at: +3d2h, as: carol, do: key.unwrap_data, with: kv-prod/kek/1}\n"
            "  - {at: +3d3h, as: carol, do: key.release, with: kv-prod/kek}\n"
            "  - {at: +3d4h, as: carol, do: key.get_deleted, with: kv-prod/kek}\n"
            "  - {at: +4d, do: key.delete, with: kv-prod/kek}\n"
            "  - {at: +5d, as: carol, do: key.show, with: kv-prod/kek}\n"
            "  - {at: +5d1h, as: carol, do: key.get_deleted, with: kv-prod/kek}\n"
            "  - {at: +5d2h, as: carol, do: key.list_deleted, with: kv-prod}\n");
    expect_ends(&ends, expected, CMK_ARRAY_LEN(expected));
}

/* MI-18: right after the identity was made; the wrong type helps as little as none. */
Test(people, the_type_of_a_new_principal_spares_the_lookup)
{
    static const CmkStatus expected[] = {CMK_STATUS_OK, CMK_STATUS_OK,
                                         CMK_STATUS_OF(PRINCIPAL_NOT_FOUND),
                                         CMK_STATUS_OF(PRINCIPAL_NOT_FOUND), CMK_STATUS_OK};
    const Ends ends =
        run("  - {at: +1d, do: identity.delete, with: id-backup}\n"
            "  - {at: +2d, do: identity.create, with: {identity: id-backup, region: westeurope}}\n"
            "  - {at: +2d, do: role.assign, with: {principal: id-backup, role: Key Vault Reader, "
            "scope: "
            "rg-prod}}\n"
            "  - {at: +2d, do: role.assign, with: {principal: id-backup, role: Key Vault Reader, "
            "scope: "
            "rg-prod, principal_type: User}}\n"
            "  - {at: +2d, do: role.assign, with: {principal: id-backup, role: Key Vault Reader, "
            "scope: "
            "rg-prod, principal_type: ServicePrincipal}}\n");
    expect_ends(&ends, expected, CMK_ARRAY_LEN(expected));
}

Test(people, groups_and_permission_models_are_changed_by_steps)
{
    static const CmkStatus expected[] = {CMK_STATUS_OK,
                                         CMK_STATUS_OF(CONFLICT),
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OF(NOT_FOUND),
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OK,
                                         CMK_STATUS_OF(ACCESS_DENIED)};
    const Ends ends =
        run("  - {at: +1d, do: group.add_member, with: {group: backup-identities, member: alice}}\n"
            "  - {at: +2d, do: group.add_member, with: {group: backup-identities, member: "
            "bv-prod}}\n"
            "  - {at: +3d, do: group.remove_member, with: {group: backup-identities, member: "
            "bv-prod}}\n"
            "  - {at: +4d, do: group.remove_member, with: {group: backup-identities, member: "
            "bob}}\n"
            "  - {at: +5d, as: alice, do: key_vault.set_permission_model, with: {key_vault: "
            "kv-prod, permission_model: access_policy}}\n"
            "  - {at: +6d, as: bob, do: key_vault.redeploy_template, with: kv-prod}\n"
            "  - {at: +7d, as: bob, do: key.rotate, with: kv-prod/kek}\n");
    expect_ends(&ends, expected, CMK_ARRAY_LEN(expected));
}

/* A fault takes a role at a scope away and gives back what the world had there. */
Test(people, a_role_at_a_scope_is_given_back_at_the_end_of_a_fault)
{
    static const CmkStatus expected[] = {CMK_STATUS_OF(AUTHORIZATION_FAILED), CMK_STATUS_OK};
    const Ends ends =
        run("  - {at: +1d, fault: role.revoke, target: {principal: bob, scope: sub-prod}, for: "
            "2d}\n"
            "  - {at: +2d, as: bob, do: key_vault.redeploy_template, with: kv-prod}\n"
            "  - {at: +4d, as: bob, do: key_vault.redeploy_template, with: kv-prod}\n");
    expect_ends(&ends, expected, CMK_ARRAY_LEN(expected));
}
