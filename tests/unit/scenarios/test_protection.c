/* Secrets, resource guards and what protects a Backup vault in scenario files: what world is made
 * of them, and that steps and faults find them. */
#include <string.h>

#include <criterion/criterion.h>

#include "models/model.h"
#include "sim/engine.h"
#include "tests/unit/scenarios/reading.h"

#define WORLD                                                                                      \
    "cmksim: 1\n"                                                                                  \
    "name: protection\n"                                                                           \
    "start: 2025-03-03T00:00:00Z\n"                                                                \
    "horizon: 30d\n"                                                                               \
    "world:\n"                                                                                     \
    "  scopes:\n"                                                                                  \
    "    - {name: sub-else, kind: subscription}\n"                                                 \
    "    - {name: rg-guards, kind: resource_group, in: sub-else}\n"                                \
    "  users: [{name: alice}]\n"                                                                   \
    "  key_vaults:\n"                                                                              \
    "    - {name: kv-one, region: westeurope, secrets: [{name: a}, {name: b, enabled: false}]}\n"  \
    "    - name: kv-two\n"                                                                         \
    "      region: westeurope\n"                                                                   \
    "      permission_model: access_policy\n"                                                      \
    "      secrets: [{name: a, exists: false}]\n"                                                  \
    "      access_policies:\n"                                                                     \
    "        - {principal: bv-prod, permissions: [all, secrets/get, secrets/recover]}\n"           \
    "  policies:\n"                                                                                \
    "    - name: weekly\n"                                                                         \
    "      datastores: {vault: P3M}\n"                                                             \
    "      schedule: R/2025-03-03T03:00:00+00:00/P7D\n"                                            \
    "  resource_guards:\n"                                                                         \
    "    - {name: strict, resource_group: rg-guards}\n"                                            \
    "    - {name: lenient, excludes: [instance.delete, instance.change_policy]}\n"                 \
    "  backup_vaults:\n"                                                                           \
    "    - name: bv-prod\n"                                                                        \
    "      region: westeurope\n"                                                                   \
    "      redundancy: geo\n"                                                                      \
    "      identities: [system]\n"                                                                 \
    "      immutability: Unlocked\n"                                                               \
    "      cross_subscription_restore: PermanentlyDisabled\n"                                      \
    "      resource_guard: lenient\n"                                                              \
    "      instances:\n"                                                                           \
    "        - {name: pg, datasource: AzureDatabaseForPostgreSQLFlexibleServer, size: 8 GiB,\n"    \
    "           daily_change: 1%, policy: weekly, secret: kv-two/a}\n"                             \
    "    - {name: bv-plain, region: westeurope, redundancy: local}\n"                              \
    "  fleets:\n"                                                                                  \
    "    - {count: 2, name: \"bv-{n}\", like: bv-prod}\n"

static CmkSim build(const char *timeline, CmkScenario **ret_scenario)
{
    g_autofree char *text = g_strconcat(WORLD, "timeline:\n", timeline, NULL);
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(text);
    *ret_scenario = reading_good(diagnostics);
    return reading_build(*ret_scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
}

#define NO_STEP "  - {at: +29d, do: secret.set, with: kv-two/a}\n"

Test(protection, the_world_is_as_it_is_written)
{
    CmkScenario *scenario = NULL;
    CmkSim sim = build(NO_STEP, &scenario);
    const struct {
        const char *name;
        uint32_t key_vault;
        uint32_t state;
        uint32_t is_enabled;
    } secrets[] = {{"a", 1, CMK_SECRET_ACTIVE, 1},
                   {"b", 1, CMK_SECRET_ACTIVE, 0},
                   {"a", 2, CMK_SECRET_ABSENT, 0}};
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(secrets); i++) {
        const CmkSecret *secret = cmk_secret(sim.world, (CmkSecretId){i + 1});
        cr_expect_str_eq(cmk_name(sim.world, secret->name), secrets[i].name);
        cr_expect_eq(secret->key_vault, secrets[i].key_vault);
        cr_expect_eq(secret->state, secrets[i].state);
        cr_expect_eq(secret->is_enabled, secrets[i].is_enabled);
    }
    const CmkResourceGuard *strict = cmk_resource_guard(sim.world, (CmkResourceGuardId){1});
    const CmkResourceGuard *lenient = cmk_resource_guard(sim.world, (CmkResourceGuardId){2});
    cr_expect_eq(strict->resource_group, CMK_SCOPE__FIRST_DECLARED + 1);
    cr_expect_eq(strict->excluded, 0);
    cr_expect_eq(lenient->resource_group, CMK_SCOPE_DEFAULT_RESOURCE_GROUP);
    cr_expect_eq(lenient->excluded, 1U << 0 | 1U << 3);
    for (uint32_t i = 1; i <= 4; i++) { /* the second is plain, the others are like the first */
        const CmkBackupVault *vault = cmk_backup_vault(sim.world, (CmkBackupVaultId){i});
        const bool is_plain = i == 2;
        cr_expect_eq(vault->immutability,
                     is_plain ? CMK_IMMUTABILITY_DISABLED : CMK_IMMUTABILITY_UNLOCKED);
        cr_expect_eq(vault->cross_subscription, is_plain
                                                    ? CMK_CROSS_SUBSCRIPTION_ENABLED
                                                    : CMK_CROSS_SUBSCRIPTION_PERMANENTLY_DISABLED);
        cr_expect_eq(vault->resource_guard, is_plain ? 0 : 2);
    }
    for (uint32_t i = 1; i <= 3; i++) {
        cr_expect_eq(cmk_instance(sim.world, (CmkInstanceId){i})->secret, 3);
    }
    const uint64_t all =
        CMK_PERMISSION_KEYS_ALL | CMK_PERMISSION_SECRET_GET | CMK_PERMISSION_SECRET_RECOVER;
    cr_expect_eq(cmk_access_policy(sim.world, (CmkAccessPolicyId){1})->permissions, all);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* A disabled secret is as disabled after a fault as before it, and one that is set is there. */
Test(protection, steps_and_faults_find_secrets)
{
    CmkScenario *scenario = NULL;
    CmkSim sim = build("  - {at: +1d, do: secret.set, with: kv-two/a, expect_status: ok}\n"
                       "  - {at: +2d, fault: secret.disable, target: kv-one/a, for: 2d}\n"
                       "  - {at: +2d, fault: secret.disable, target: kv-one/b, for: 2d}\n"
                       "  - {at: +2d, fault: secret.delete, target: kv-two/a, for: 2d}\n",
                       &scenario);
    const CmkTime start = cmk_world_now(sim.world);
    const struct {
        int64_t day;
        uint32_t is_enabled[2];
        uint32_t state;
    } moments[] = {{1, {1, 0}, CMK_SECRET_ACTIVE},
                   {2, {0, 0}, CMK_SECRET_DELETED},
                   {4, {1, 0}, CMK_SECRET_ACTIVE}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(moments); i++) {
        const CmkTime time = start + moments[i].day * CMK_DAY_US + CMK_HOUR_US;
        cr_assert_eq(cmk_engine_run(&sim, time, NULL, NULL), CMK_ENGINE_REACHED);
        for (uint32_t k = 0; k < 2; k++) {
            cr_expect_eq(cmk_secret(sim.world, (CmkSecretId){k + 1})->is_enabled,
                         moments[i].is_enabled[k], "secret %u on day %d", k, (int)moments[i].day);
        }
        cr_expect_eq(cmk_secret(sim.world, (CmkSecretId){3})->state, moments[i].state, "%zu", i);
    }
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}
