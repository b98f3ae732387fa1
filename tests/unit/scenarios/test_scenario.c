/*
 * Scenario files: what is read from a good one, the world that is made of it, and what is said
 * about each file of the corpus of malformed ones.
 */
#include "scenarios/scenario.h"

#include <string.h>

#include <criterion/criterion.h>

#include "scenarios/language.h"
#include "sim/engine.h"

#define EXAMPLE "scenarios/troubleshooting/permission-revoked.yaml"
#define CORPUS "tests/corpus/bad"
#define FILE_SIZE_MAX 1000000

/* ---- helpers --------------------------------------------------------------------------------- */

static CmkDiagnostics *collector(const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    return cmk_diagnostics_new("f.yaml", bytes);
}

static CmkDiagnostics *collector_of_file(const char *path)
{
    g_autoptr(GError) error = NULL;
    CmkDiagnostics *diagnostics = cmk_diagnostics_open(path, FILE_SIZE_MAX, &error);
    cr_assert_not_null(diagnostics, "%s", error == NULL ? path : error->message);
    return diagnostics;
}

static char *printed(const CmkDiagnostics *diagnostics)
{
    GString *text = g_string_new(NULL);
    cmk_diagnostics_print(diagnostics, text);
    return g_string_free(text, FALSE);
}

/* A scenario that must be good. */
static CmkScenario *read_good(CmkDiagnostics *diagnostics)
{
    CmkScenario *scenario = cmk_scenario_read(diagnostics);
    g_autofree char *text = printed(diagnostics);
    cr_assert_not_null(scenario, "%s", text);
    return scenario;
}

/* A world that the rules must let through. */
static CmkSim build_good(const CmkScenario *scenario, CmkVariant variant, uint64_t seed,
                         CmkDiagnostics *diagnostics)
{
    CmkSim sim = {.model = cmk_azure_model(), .is_self_checking = true};
    const bool is_built = cmk_scenario_build(scenario, variant, seed, &sim, diagnostics);
    g_autofree char *text = printed(diagnostics);
    cr_assert(is_built, "%s", text);
    return sim;
}

/* The digest of the world at the start; 0 for a world that cannot be made. */
static CmkDigest digest_of(const char *text, CmkVariant variant, uint64_t seed)
{
    g_autoptr(CmkDiagnostics) diagnostics = collector(text);
    CmkScenario *scenario = read_good(diagnostics);
    CmkSim sim = build_good(scenario, variant, seed, diagnostics);
    const CmkDigest digest = cmk_world_digest(sim.world);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
    return digest;
}

/* The messages about a text, one line each: "line:column: message | hint". */
static char *complaints(const char *text)
{
    g_autoptr(CmkDiagnostics) diagnostics = collector(text);
    CmkScenario *scenario = cmk_scenario_read(diagnostics);
    CmkSim sim = {.model = cmk_azure_model()};
    if (scenario != NULL &&
        cmk_scenario_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, &sim, diagnostics)) {
        cmk_world_free(sim.world);
    }
    cmk_scenario_free(scenario);
    GString *lines = g_string_new(NULL);
    for (size_t i = 0; i < cmk_diagnostics_kept(diagnostics); i++) {
        const CmkDiagnostic *error = cmk_diagnostics_get(diagnostics, i);
        g_string_append_printf(lines, "%u:%u: %s%s%s\n", error->at.line, error->at.column,
                               error->message, error->hint == NULL ? "" : " | ",
                               error->hint == NULL ? "" : error->hint);
    }
    return g_string_free(lines, FALSE);
}

/* ---- a small world to vary ------------------------------------------------------------------- */

#define HEAD "cmksim: 1\nname: small\nstart: 2025-03-03T00:00:00Z\nhorizon: 30d\n"
#define KEY_VAULT                                                                                  \
    "  key_vaults:\n"                                                                              \
    "    - {name: kv-prod, region: West Europe, purge_protection: true, keys: [{name: kek}]}\n"
#define POLICY                                                                                     \
    "  policies:\n"                                                                                \
    "    - name: daily\n"                                                                          \
    "      datastores: {vault: P7D}\n"                                                             \
    "      schedule: R/2025-03-03T03:00:00+00:00/P1D\n"
#define IDENTITY "  identities: [{name: id-backup, region: westeurope}]\n"
#define VAULT                                                                                      \
    "  backup_vaults:\n"                                                                           \
    "    - name: bv-prod\n"                                                                        \
    "      region: westeurope\n"                                                                   \
    "      redundancy: geo\n"                                                                      \
    "      identities: [id-backup]\n"                                                              \
    "      encryption: {key: kv-prod/kek, identity: id-backup}\n"                                  \
    "      instances:\n"                                                                           \
    "        - {name: media, datasource: AzureBlob, size: 8 GiB, daily_change: 1%, policy: "       \
    "daily}\n"
#define ROLE "Key Vault Crypto Service Encryption User"
#define GRANT "  grants: [{principal: id-backup, role: " ROLE ", scope: kv-prod}]\n"
#define SMALL HEAD "world:\n" KEY_VAULT IDENTITY POLICY VAULT GRANT

static const CmkPlanned *planned(const CmkScenario *scenario, guint index)
{
    cr_assert_lt(index, scenario->plan->len);
    return &g_array_index(scenario->plan, CmkPlanned, index);
}

static const CmkExpectation *expectation(const CmkScenario *scenario, guint index)
{
    cr_assert_lt(index, scenario->expectations->len);
    return &g_array_index(scenario->expectations, CmkExpectation, index);
}

/* ---- the example ----------------------------------------------------------------------------- */

Test(scenario, example_is_read)
{
    g_autoptr(CmkDiagnostics) diagnostics = collector_of_file(EXAMPLE);
    CmkScenario *scenario = read_good(diagnostics);
    cr_assert_str_eq(scenario->name, "permission-revoked");
    cr_assert(g_str_has_prefix(scenario->summary, "The role on the key is removed"));
    cr_assert_eq(scenario->shows->len, 6);
    cr_assert_str_eq(g_ptr_array_index(scenario->shows, 4), "BK-22");
    cr_assert_eq(scenario->end - scenario->start, 60 * CMK_DAY_US);
    cr_assert_eq(scenario->seed, 1);
    cr_assert_eq(scenario->plan->len, 4);
    cr_assert_str_eq(planned(scenario, 0)->text, "role.revoke: id-backup on kv-prod");
    cr_assert_str_eq(planned(scenario, 0)->id, "revoke");
    cr_assert_eq(planned(scenario, 0)->kind, CMK_PLAN_FAULT);
    cr_assert_eq(planned(scenario, 0)->op, CMK_OP_ROLE_REMOVE);
    cr_assert_eq(planned(scenario, 0)->args.actor, CMK_ACTOR_FAULT);
    cr_assert_eq(planned(scenario, 1)->expect_status, CMK_STATUS_OF(MISSING_PERMISSION));
    cr_assert_eq(planned(scenario, 2)->remedies, 1);
    cr_assert_eq(planned(scenario, 2)->expect_status, -1);
    cr_assert_eq(planned(scenario, 3)->expect_status, CMK_STATUS_OK);
    cr_assert_eq(scenario->expectations->len, 7);
    cr_assert_eq(expectation(scenario, 4)->kind, CMK_EXPECT_EVENTUALLY);
    cr_assert_eq(expectation(scenario, 4)->from.plan, 3);
    cr_assert_eq(expectation(scenario, 4)->within_us, 2 * CMK_DAY_US);
    cr_assert_str_eq(expectation(scenario, 4)->text,
                     "eventually within 2d after step.regrant: points(overdue = true).count == 0");
    cr_assert_eq(cmk_scenario_find(scenario, "key", "kv-prod/backup-kek"), 1);
    cr_assert_eq(cmk_scenario_find(scenario, "instance", "web-disk"), 3);
    cr_assert_eq(cmk_scenario_find(scenario, "instance", "bv-prod/web-disk"), 3);
    cr_assert_eq(cmk_scenario_find(scenario, "instance", "web"), 0);
    cr_assert_eq(cmk_scenario_find(scenario, "nothing", "web-disk"), 0);
    cmk_scenario_free(scenario);
}

Test(scenario, example_becomes_a_world)
{
    g_autoptr(CmkDiagnostics) diagnostics = collector_of_file(EXAMPLE);
    CmkScenario *scenario = read_good(diagnostics);
    CmkSim sim = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 7, diagnostics);
    cr_assert_eq(cmk_world_now(sim.world), scenario->start);
    cr_assert_eq(cmk_world_seed(sim.world), 7);
    cr_assert(cmk_is_open(sim.world));
    const CmkBackupVault *vault = cmk_backup_vault(sim.world, (CmkBackupVaultId){1});
    cr_assert_eq(vault->encryption, CMK_ENCRYPTION_ENABLED);
    cr_assert_eq(vault->redundancy, CMK_REDUNDANCY_GEO);
    cr_assert_str_eq(cmk_name(sim.world, vault->name), "bv-prod");
    const CmkInstance *instance = cmk_instance(sim.world, (CmkInstanceId){1});
    cr_assert_eq(instance->size_bytes, (int64_t)250 << 30);
    cr_assert_eq(instance->daily_change_ppm, 20000);
    cr_assert_eq(instance->sample_bytes, 64 << 10);
    cr_assert_eq(instance->state, CMK_INSTANCE_PROTECTED);
    const CmkPlanRow *row = cmk_plan(sim.world, (CmkPlanId){3});
    cr_assert_eq(row->remedies, 1);
    cr_assert_eq(row->args.origin, 3);
    cr_assert_str_eq(cmk_name(sim.world, row->name), "regrant");
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* Entities have the same rows without the faults; only what is planned differs. */
Test(scenario, variant_without_faults)
{
    g_autoptr(CmkDiagnostics) diagnostics = collector_of_file(EXAMPLE);
    CmkScenario *scenario = read_good(diagnostics);
    CmkSim with = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    CmkSim without = build_good(scenario, CMK_VARIANT_WITHOUT_FAULTS, 1, diagnostics);
    cr_assert_eq(cmk_world_count(with.world, CMK_TABLE_PLAN), 4);
    cr_assert_eq(cmk_world_count(without.world, CMK_TABLE_PLAN), 2);
    for (uint32_t table = CMK_TABLE_REGION; table < CMK_TABLE_PLAN; table++) {
        cr_assert_eq(cmk_world_count(with.world, table), cmk_world_count(without.world, table),
                     "table %s", cmk_world_table_name(with.world, table));
    }
    cr_assert_not(cmk_digest_equal(cmk_world_digest(with.world), cmk_world_digest(without.world)));
    cr_assert_eq(cmk_engine_run(&without, scenario->end, NULL, NULL), CMK_ENGINE_REACHED);
    cmk_world_free(with.world);
    cmk_world_free(without.world);
    cmk_scenario_free(scenario);
}

/* ---- digest ---------------------------------------------------------------------------------- */

Test(scenario, digest_begins_with_what_the_run_is_about)
{
    const CmkDigest small = digest_of(SMALL, CMK_VARIANT_AS_WRITTEN, 1);
    cr_assert(cmk_digest_equal(small, digest_of(SMALL, CMK_VARIANT_AS_WRITTEN, 1)));
    cr_assert(
        cmk_digest_equal(small, digest_of("# a comment\n" SMALL "\n\n", CMK_VARIANT_AS_WRITTEN, 1)),
        "comments and empty lines are not part of it");
    cr_assert_not(cmk_digest_equal(small, digest_of(SMALL, CMK_VARIANT_AS_WRITTEN, 2)), "seed");
    cr_assert_not(cmk_digest_equal(small, digest_of(SMALL, CMK_VARIANT_WITHOUT_FAULTS, 1)),
                  "variant");
    cr_assert_not(cmk_digest_equal(small, digest_of(SMALL "settings: {retries: 4}\n",
                                                    CMK_VARIANT_AS_WRITTEN, 1)),
                  "settings");
}

/* ---- the head -------------------------------------------------------------------------------- */

Test(scenario, settings_override_the_profile)
{
    g_autoptr(CmkDiagnostics) diagnostics =
        collector(SMALL "profile: realistic\ntags: [a, b]\nseed: 0x2a\n"
                        "settings: {rotation_poll: 2h, retries: 3, require_same_region: true}\n");
    CmkScenario *scenario = read_good(diagnostics);
    cr_assert_eq(scenario->knobs[CMK_KNOB_ROLE_PROPAGATION], 600 * CMK_SECOND_US);
    cr_assert_eq(scenario->knobs[CMK_KNOB_ROTATION_POLL], 2 * CMK_HOUR_US);
    cr_assert_eq(scenario->knobs[CMK_KNOB_RETRIES], 3);
    cr_assert_eq(scenario->knobs[CMK_KNOB_REQUIRE_SAME_REGION], 1);
    cr_assert_eq(scenario->tags->len, 2);
    cr_assert_eq(scenario->seed, 42);
    /* Propagation takes ten minutes, and is completed before the start all the same. */
    CmkSim sim = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    cr_assert_eq(cmk_assignment(sim.world, (CmkAssignmentId){1})->state, CMK_ASSIGNMENT_ACTIVE);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* ---- worlds ---------------------------------------------------------------------------------- */

static const char system_world[] = HEAD
    "world:\n"
    "  key_vaults:\n"
    "    - name: kv-policy\n"
    "      region: northeurope\n"
    "      permission_model: access_policy\n"
    "      purge_protection: true\n"
    "      retention_days: 7\n"
    "      sku: premium\n"
    "      keys: [{name: hsm, type: RSA-HSM, size: 3072, expires: +20d}, {name: off, enabled: "
    "false}]\n"
    "      access_policies: [{principal: bv-sys, permissions: [get, wrapKey, unwrapKey]}]\n" POLICY
    "  backup_vaults:\n"
    "    - {name: bv-sys, region: westeurope, redundancy: zone, identities: [system], "
    "encryption: {key: kv-policy/hsm/1, identity: system}}\n"
    "    - {name: bv-plain, region: westeurope, redundancy: local}\n";

Test(scenario, system_identity_and_access_policy)
{
    g_autoptr(CmkDiagnostics) diagnostics = collector(system_world);
    CmkScenario *scenario = read_good(diagnostics);
    CmkSim sim = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    const CmkKeyVault *key_vault = cmk_key_vault(sim.world, (CmkKeyVaultId){1});
    cr_assert_eq(key_vault->permission_model, CMK_PERMISSIONS_POLICY);
    cr_assert_eq(key_vault->retention_days, 7);
    cr_assert_eq(key_vault->sku, CMK_SKU_PREMIUM);
    cr_assert(key_vault->has_soft_delete);
    cr_assert_eq(cmk_key(sim.world, (CmkKeyId){1})->size_bits, 3072);
    cr_assert_eq(cmk_key(sim.world, (CmkKeyId){2})->size_bits, 2048);
    cr_assert_eq(cmk_version(sim.world, (CmkVersionId){1})->expires,
                 scenario->start + 20 * CMK_DAY_US);
    cr_assert(cmk_version(sim.world, (CmkVersionId){1})->is_enabled);
    cr_assert_not(cmk_version(sim.world, (CmkVersionId){2})->is_enabled);
    const CmkBackupVault *vault = cmk_backup_vault(sim.world, (CmkBackupVaultId){1});
    cr_assert_eq(vault->encryption, CMK_ENCRYPTION_ENABLED);
    cr_assert_eq(vault->identity, 0);
    cr_assert_eq(vault->pinned_version, 1);
    cr_assert_eq(vault->principal, vault->system_principal);
    cr_assert_eq(cmk_backup_vault(sim.world, (CmkBackupVaultId){2})->encryption,
                 CMK_ENCRYPTION_DISABLED);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* BK-4 to BK-14: the long form of a policy; what it leaves out is as in the short form. */
static const char long_policy[] =
    HEAD "world:\n" KEY_VAULT IDENTITY "  policies:\n"
         "    - name: daily\n"
         "      datastores: {vault: P7D}\n"
         "      schedules: [R/2025-03-03T03:00:00+05:30/P1D, R/2025-03-03T12:00:00+05:30/P1W]\n"
         "      retention:\n"
         "        - {tag: weekly, keep: P12W, priority: 7}\n"
         "        - {tag: monthly, keep: {vault: P1Y}, takes: first_of_week}\n"
         "        - {tag: yearly, keep: P1Y, archive: on_expiry, archive_keep: P9Y}\n" VAULT
         "      soft_delete: always_on\n"
         "      soft_delete_retention: 60d\n" GRANT
         "timeline: [{at: +1d, do: backup.run, with: {instance: media, tag: weekly}}]\n";

Test(scenario, policies_have_schedules_and_rules)
{
    /* The archive is for databases. */
    g_autoptr(GString) text = g_string_new(long_policy);
    (void)g_string_replace(text, "AzureBlob", "AzureDatabaseForMySQL", 0);
    g_autoptr(CmkDiagnostics) diagnostics = collector(text->str);
    CmkScenario *scenario = read_good(diagnostics);
    CmkSim sim = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    const CmkPolicy *policy = cmk_policy(sim.world, (CmkPolicyId){1});
    cr_assert_eq(policy->schedule_count, 2);
    cr_assert_eq(policy->utc_offset_us, 330 * CMK_MINUTE_US);
    cr_assert_eq(policy->schedules[1].start - policy->schedules[0].start, 9 * CMK_HOUR_US);
    cr_assert_eq(policy->schedules[1].period.us, 7 * CMK_DAY_US);
    const struct {
        CmkTag tag;
        CmkCriterion criterion;
        uint32_t priority;
        CmkArchiving archiving;
        int32_t months;
        int64_t days;
    } rules[] = {{CMK_TAG_DEFAULT, CMK_CRITERION_ALL_BACKUPS, 99, CMK_ARCHIVING_NEVER, 0, 7},
                 {CMK_TAG_DAILY, CMK_CRITERION_NONE, 0, CMK_ARCHIVING_NEVER, 0, 0},
                 {CMK_TAG_WEEKLY, CMK_CRITERION_FIRST_OF_WEEK, 7, CMK_ARCHIVING_NEVER, 0, 84},
                 {CMK_TAG_MONTHLY, CMK_CRITERION_FIRST_OF_WEEK, 15, CMK_ARCHIVING_NEVER, 12, 0},
                 {CMK_TAG_YEARLY, CMK_CRITERION_FIRST_OF_YEAR, 10, CMK_ARCHIVING_ON_EXPIRY, 12, 0}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(rules); i++) {
        const CmkRetention *rule = &policy->retention[rules[i].tag];
        cr_expect_eq(rule->criterion, rules[i].criterion, "%zu", i);
        cr_expect_eq(rule->priority, rules[i].priority, "%zu", i);
        cr_expect_eq(rule->archiving, rules[i].archiving, "%zu", i);
        cr_expect_eq(rule->vault.months, rules[i].months, "%zu", i);
        cr_expect_eq(rule->vault.us, rules[i].days * CMK_DAY_US, "%zu", i);
    }
    cr_assert_eq(policy->retention[CMK_TAG_YEARLY].archive.months, 108);
    cr_assert(policy->has_archive);
    cr_assert_eq(planned(scenario, 0)->args.num[0], CMK_TAG_WEEKLY);
    const CmkBackupVault *vault = cmk_backup_vault(sim.world, (CmkBackupVaultId){1});
    cr_assert_eq(vault->soft_delete, CMK_SOFT_DELETE_ALWAYS_ON);
    cr_assert_eq(vault->soft_delete_days, 60);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

Test(scenario, fleet_of_vaults_like_one)
{
    g_autoptr(CmkDiagnostics) diagnostics = collector(
        SMALL
        "  fleets: [{count: 200, name: \"bv-{n}-x\", like: bv-prod, vary: {schedule: {uniform: "
        "24h}}}]\n"
        "timeline:\n"
        "  - {at: +1d, do: backup.restore, with: {instance: bv-007-x/media, point: oldest}}\n"
        "  - {at: +2d, fault: identity.detach, target: {vault: bv-200-x, identity: "
        "id-backup}}\n");
    CmkScenario *scenario = read_good(diagnostics);
    cr_assert_eq(cmk_scenario_find(scenario, "backup_vault", "bv-007-x"), 8);
    cr_assert_eq(cmk_scenario_find(scenario, "instance", "bv-007-x/media"), 8);
    cr_assert_eq(cmk_scenario_find(scenario, "instance", "media"), 1);
    cr_assert_eq(planned(scenario, 0)->args.ref[CMK_REF_INSTANCE], 8);
    cr_assert_eq(planned(scenario, 0)->args.ref[CMK_REF_BACKUP_VAULT], 8);
    cr_assert_eq(planned(scenario, 0)->args.num[0], CMK_POINT_OLDEST);
    cr_assert_eq(planned(scenario, 1)->args.ref[CMK_REF_BACKUP_VAULT], 201);
    CmkSim sim = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    CmkSim other = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 2, diagnostics);
    cr_assert_eq(cmk_world_count(sim.world, CMK_TABLE_BACKUP_VAULT), 201);
    uint32_t differences = 0;
    for (uint32_t i = 2; i <= 201; i++) {
        const CmkInstance *instance = cmk_instance(sim.world, (CmkInstanceId){i});
        cr_assert_eq(cmk_backup_vault(sim.world, (CmkBackupVaultId){i})->encryption,
                     CMK_ENCRYPTION_ENABLED);
        cr_assert_eq(instance->backup_vault, i);
        cr_assert_geq(instance->schedule_offset_us, 0);
        cr_assert_lt(instance->schedule_offset_us, CMK_DAY_US);
        differences += instance->schedule_offset_us !=
                       cmk_instance(other.world, (CmkInstanceId){i})->schedule_offset_us;
    }
    cr_assert_eq(differences, 200, "another seed draws other schedules");
    const CmkBackupVault *last = cmk_backup_vault(sim.world, (CmkBackupVaultId){201});
    cr_assert_str_eq(cmk_name(sim.world, last->name), "bv-200-x");
    cr_assert_eq(cmk_engine_run(&sim, scenario->end, NULL, NULL), CMK_ENGINE_REACHED);
    cmk_world_free(sim.world);
    cmk_world_free(other.world);
    cmk_scenario_free(scenario);
}

/* Members of a fleet with system-assigned identities get the grants of the vault they are like. */
Test(scenario, fleet_with_system_identities)
{
    g_autofree char *text = g_strconcat(system_world,
                                        "  fleets: [{count: 3, name: \"sys-{n}\", like: bv-sys}, "
                                        "{count: 2, name: \"plain-{n}\", like: bv-plain}]\n",
                                        NULL);
    g_autoptr(CmkDiagnostics) diagnostics = collector(text);
    CmkScenario *scenario = read_good(diagnostics);
    CmkSim sim = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    cr_assert_eq(cmk_world_count(sim.world, CMK_TABLE_BACKUP_VAULT), 7);
    cr_assert_eq(cmk_world_count(sim.world, CMK_TABLE_ACCESS_POLICY), 4);
    for (uint32_t i = 3; i <= 5; i++) {
        cr_assert_eq(cmk_backup_vault(sim.world, (CmkBackupVaultId){i})->encryption,
                     CMK_ENCRYPTION_ENABLED);
    }
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* A world that just fits must not be too small in any table when everything goes wrong. */
Test(scenario, limits_hold_for_points_that_cannot_expire)
{
    g_autoptr(CmkDiagnostics) diagnostics =
        collector(SMALL "timeline: [{at: +8d, fault: key.disable, target: kv-prod/kek}]\n");
    CmkScenario *scenario = read_good(diagnostics);
    CmkSim sim = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    cr_assert_eq(cmk_engine_run(&sim, scenario->end, NULL, NULL), CMK_ENGINE_REACHED);
    cr_assert_null(sim.exhausted);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* ---- the timeline ---------------------------------------------------------------------------- */

Test(scenario, timeline_is_put_in_order)
{
    g_autoptr(CmkDiagnostics) diagnostics = collector(
        SMALL "timeline:\n"
              "  - {at: +5d, id: late, do: key.rotate, with: {key: kv-prod/kek}, remedies: slow}\n"
              "  - {at: +1d, id: slow, fault: keyvault.throttle, target: kv-prod, for: 4d}\n"
              "  - {at: +1d, id: first, do: role.assign, with: {principal: id-backup, role: " ROLE
              ", scope: kv-prod/kek}}\n"
              "  - {at: 2025-03-06T01:00:00+01:00, fault: key.disable, target: kv-prod/kek, for: "
              "30d}\n"
              "expect:\n"
              "  - always: {that: cost.total > 0 USD, from: fault.slow.end, until: step.late}\n"
              "  - always: {that: cost.total > 0 USD, from: +2d}\n"
              "  - eventually: {that: \"cost.total >\\n  0 USD\", within: 0s, after: "
              "fault.slow.start}\n");
    CmkScenario *scenario = read_good(diagnostics);
    cr_assert_eq(scenario->plan->len, 6);
    cr_assert_str_eq(planned(scenario, 0)->id, "slow");
    cr_assert_str_eq(planned(scenario, 1)->id, "first");
    cr_assert_eq(planned(scenario, 1)->args.ref[CMK_REF_KEY], 1);
    cr_assert_eq(planned(scenario, 1)->args.ref[CMK_REF_KEY_VAULT], 1);
    cr_assert_eq(planned(scenario, 2)->time, scenario->start + 3 * CMK_DAY_US);
    cr_assert_str_eq(planned(scenario, 3)->id, "late");
    cr_assert_eq(planned(scenario, 3)->remedies, 1);
    cr_assert_eq(planned(scenario, 4)->kind, CMK_PLAN_FAULT_END);
    cr_assert_eq(planned(scenario, 4)->of, 1);
    cr_assert_eq(planned(scenario, 4)->op, CMK_OP_KEY_VAULT_UNTHROTTLE);
    cr_assert_str_eq(planned(scenario, 4)->text, "end of keyvault.throttle: kv-prod");
    cr_assert_eq(planned(scenario, 5)->of, 3);
    cr_assert_eq(expectation(scenario, 0)->from.plan, 5);
    cr_assert_eq(expectation(scenario, 0)->until.plan, 4);
    cr_assert_eq(expectation(scenario, 1)->from.time, scenario->start + 2 * CMK_DAY_US);
    cr_assert_eq(expectation(scenario, 1)->until.time, scenario->end);
    cr_assert_eq(expectation(scenario, 2)->from.plan, 1);
    cr_assert_str_eq(expectation(scenario, 2)->text,
                     "eventually within 0s after fault.slow.start: cost.total > 0 USD");
    CmkSim sim = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    cr_assert_eq(cmk_plan(sim.world, (CmkPlanId){6})->of, 3);
    cr_assert_eq(cmk_engine_run(&sim, scenario->end, NULL, NULL), CMK_ENGINE_REACHED);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* Each fault of the catalogue, and the arguments of its end. */
Test(scenario, ends_give_back_what_the_world_had)
{
    g_autofree char *text = g_strconcat(
        system_world,
        "  identities: [{name: id-one, region: westeurope}]\n"
        "  grants: [{principal: id-one, role: Key Vault Crypto User, scope: kv-policy/hsm}]\n"
        "timeline:\n"
        "  - {at: +1d, fault: role.revoke, target: {principal: id-one, scope: kv-policy/hsm}, for: "
        "1h}\n"
        "  - {at: +2d, fault: policy.remove, target: {principal: bv-sys, key_vault: kv-policy}, "
        "for: 1h}\n"
        "  - {at: +3d, fault: key.expire, target: kv-policy/hsm/1, for: 1h}\n"
        "  - {at: +4d, fault: region.outage, target: northeurope, for: 1h}\n"
        "  - {at: +5d, fault: identity.disable, target: bv-sys, for: 1h}\n"
        "  - {at: +6d, fault: key.delete, target: {key: kv-policy/off}, for: 1h}\n",
        NULL);
    g_autoptr(CmkDiagnostics) diagnostics = collector(text);
    CmkScenario *scenario = read_good(diagnostics);
    cr_assert_eq(scenario->plan->len, 12);
    const CmkPlanned *assign = planned(scenario, 1);
    cr_assert_eq(assign->op, CMK_OP_ROLE_ASSIGN);
    cr_assert_eq(assign->args.ref[CMK_REF_IDENTITY], 1);
    cr_assert_eq(assign->args.ref[CMK_REF_KEY], 1);
    cr_assert_eq(assign->args.num[0], cmk_role_find("Key Vault Crypto User"));
    const CmkPlanned *set = planned(scenario, 3);
    cr_assert_eq(set->op, CMK_OP_ACCESS_POLICY_SET);
    cr_assert_eq(set->args.ref[CMK_REF_BACKUP_VAULT], 1);
    cr_assert_eq(set->args.num[0],
                 CMK_PERMISSION_GET | CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP);
    const CmkPlanned *expire = planned(scenario, 4);
    cr_assert_eq(expire->args.num[1], expire->time);
    cr_assert_eq(expire->args.num[CMK_NUM_VERSION], 1);
    cr_assert_eq(planned(scenario, 5)->args.num[1], CMK_TIME_MAX);
    cr_assert_eq(planned(scenario, 7)->op, CMK_OP_REGION_RETURN);
    cr_assert_eq(planned(scenario, 9)->op, CMK_OP_SYSTEM_IDENTITY_ENABLE);
    cr_assert_eq(planned(scenario, 11)->op, CMK_OP_KEY_RECOVER);
    CmkSim sim = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    cr_assert_eq(cmk_engine_run(&sim, scenario->end, NULL, NULL), CMK_ENGINE_REACHED);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

Test(scenario, end_that_the_world_does_not_tell)
{
    g_autofree char *said = complaints(
        SMALL
        "timeline:\n"
        "  - {at: +1d, fault: role.revoke, target: {principal: id-backup, scope: kv-prod/kek}, "
        "for: 1h}\n");
    cr_assert_not_null(strstr(said, "the end of role.revoke needs to know the `role`"), "%s", said);
    g_autofree char *helped = complaints(
        SMALL
        "timeline:\n"
        "  - {at: +1d, fault: role.revoke, target: {principal: id-backup, scope: kv-prod/kek, "
        "role: " ROLE "}, for: 1h}\n");
    cr_assert_str_eq(helped, "");
}

/* ---- the journal's readers ------------------------------------------------------------------- */

static void count_records(void *self, const CmkWorld *world, const CmkRecord *record)
{
    (void)world;
    uint64_t *count = self;
    cr_assert_eq(record->seq, ++*count);
}

/* Keys of every kind, in the world and made by steps. */
#define KEYS                                                                                       \
    "  key_vaults:\n"                                                                              \
    "    - name: kv-prod\n"                                                                        \
    "      region: westeurope\n"                                                                   \
    "      purge_protection: true\n"                                                               \
    "      sku: premium\n"                                                                         \
    "      keys:\n"                                                                                \
    "        - {name: new, exists: false}\n"                                                       \
    "        - {name: kek, key_ops: [wrapKey, unwrapKey], rotation_policy: {rotate_after: 40d}}\n" \
    "        - {name: curve, type: EC-HSM, curve: P-256K}\n"                                       \
    "        - {name: oct, type: oct-HSM, size: 192, enabled: false}\n"                            \
    "        - {name: also-new, exists: false}\n"
#define KEY_STEPS                                                                                  \
    "timeline:\n"                                                                                  \
    "  - {at: +1d, do: key.create, with: {key: kv-prod/new, type: RSA, size: 3072, enabled: "      \
    "false, expires: +20d, not_before: +2d, key_ops: [sign, verify]}}\n"                           \
    "  - {at: +2d, do: key.create, with: {key: kv-prod/also-new, type: EC, curve: P-521}}\n"       \
    "  - {at: +3d, do: key.set_rotation_policy, with: {key: kv-prod/new, rotate_after: 7d, "       \
    "expiry: 30d}}\n"                                                                              \
    "  - {at: +4d, do: key.update, with: {key: kv-prod/kek/1, key_ops: [unwrapKey]}}\n"

static const CmkVersion *newest(const CmkWorld *world, uint32_t key)
{
    return cmk_version(world, (CmkVersionId){cmk_key(world, (CmkKeyId){key})->current_version});
}

Test(scenario, keys_of_every_kind)
{
    g_autoptr(CmkDiagnostics) diagnostics =
        collector(HEAD "world:\n" KEYS POLICY IDENTITY VAULT GRANT KEY_STEPS);
    CmkScenario *scenario = read_good(diagnostics);
    CmkSim sim = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    cr_assert_eq(cmk_key(sim.world, (CmkKeyId){1})->state, CMK_KEY_ABSENT);
    cr_assert_eq(newest(sim.world, 2)->key_ops, CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP);
    cr_assert_eq(cmk_key(sim.world, (CmkKeyId){3})->curve, CMK_CURVE_P256K);
    cr_assert_eq(cmk_key(sim.world, (CmkKeyId){4})->type, CMK_KEY_OCT_HSM);
    cr_assert_eq(cmk_key(sim.world, (CmkKeyId){4})->size_bits, 192);
    cr_assert_eq(newest(sim.world, 4)->is_enabled, 0);
    cr_assert_eq(cmk_engine_run(&sim, scenario->start + 5 * CMK_DAY_US, NULL, NULL),
                 CMK_ENGINE_REACHED);
    const CmkKey *key = cmk_key(sim.world, (CmkKeyId){1});
    const CmkVersion *version = newest(sim.world, 1);
    cr_assert_eq(key->state, CMK_KEY_ACTIVE);
    cr_assert_eq(key->size_bits, 3072);
    cr_assert_eq(version->is_enabled, 0);
    cr_assert_eq(version->expires, scenario->start + 20 * CMK_DAY_US);
    cr_assert_eq(version->not_before, scenario->start + 2 * CMK_DAY_US);
    cr_assert_eq(version->key_ops, CMK_PERMISSION_SIGN | CMK_PERMISSION_VERIFY);
    cr_assert_eq(cmk_key(sim.world, (CmkKeyId){5})->curve, CMK_CURVE_P521);
    cr_assert_eq(newest(sim.world, 2)->key_ops, CMK_PERMISSION_UNWRAP);
    cr_assert_eq(cmk_engine_run(&sim, scenario->end, NULL, NULL), CMK_ENGINE_REACHED);
    cr_assert_eq(newest(sim.world, 1)->number, 5, "each week from the first day on");
    cr_assert_eq(newest(sim.world, 2)->number, 2, "it was 30 days old at the start");
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

Test(scenario, readers_see_the_set_up)
{
    g_autoptr(CmkDiagnostics) diagnostics = collector(SMALL);
    CmkScenario *scenario = read_good(diagnostics);
    uint64_t count = 0;
    CmkJournal journal = {.count = 0};
    cmk_journal_add(&journal, (CmkReader){.read = count_records, .self = &count});
    CmkSim sim = {.model = cmk_azure_model(), .journal = &journal};
    cr_assert(cmk_scenario_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, &sim, diagnostics));
    cr_assert_eq(count + 1, cmk_world_next_seq(sim.world));
    cr_assert_eq(sim.journal, &journal);
    cr_assert_eq(journal.count, 1);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* ---- mistakes -------------------------------------------------------------------------------- */

/* A file that the rules refuse leaves no world behind. */
Test(scenario, refused_world_is_gone)
{
    g_autoptr(CmkDiagnostics) diagnostics =
        collector_of_file(CORPUS "/rules-purge-protection-off.yaml");
    CmkScenario *scenario = read_good(diagnostics);
    CmkSim sim = {.model = cmk_azure_model()};
    cr_assert_not(cmk_scenario_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, &sim, diagnostics));
    cr_assert_null(sim.world);
    cr_assert_null(sim.journal);
    cmk_scenario_free(scenario);
}

Test(scenario, odd_files_are_refused_gently)
{
    static const char *const texts[] = {
        "{}",
        "cmksim: 1\n",
        "cmksim: {}\n",
        "cmksim: [1]\nname: x\n",
        "cmksim: 1\nname: []\nworld: 3\ntimeline: 3\nexpect: {}\nsettings: []\n",
        "cmksim: 1\nstart: [1]\nhorizon: {}\nworld: {key_vaults: [1, [], {}], identities: [{}], "
        "policies: [{}], backup_vaults: [{}], grants: [{}], fleets: [{}]}\ntimeline: [{}, 1, []]\n"
        "expect: [{}, 1, {always: []}, {at: 1}, {eventually: {}}]\nshows: {}\ntags: x\n",
        SMALL "  fleets: [{count: 0, name: x, like: y}]\n",
        SMALL "  fleets: [{count: 5, name: \"{n}{n}\", like: bv-prod}]\n",
        SMALL "  fleets: [{count: 5, name: \"{n}\", like: bv-prod}]\n",
        SMALL
        "  fleets: [{count: 2, name: \"a{n}\", like: bv-prod}, {count: 2, name: \"b{n}\", like: "
        "a1}]\n",
        SMALL "timeline: [{at: +1d, do: , with: 3}]\n",
        SMALL "timeline: [{at: +1d, do: role.assign}]\n",
        SMALL "timeline: [{at: +1d, do: role.assign, with: []}]\n",
        SMALL "timeline: [{at: +1d, do: role.assign, with: x}]\n",
        SMALL "timeline: [{at: +1d, do: role.assign, fault: role.revoke}]\n",
        SMALL "timeline: [{at: +1d, fault: key.disable, target: [kv-prod/kek]}]\n",
        SMALL
        "timeline: [{at: +1d, fault: policy.remove, target: {principal: id-backup, key_vault: "
        "kv-prod}, for: 1h}]\n",
        SMALL "expect: [{always: {that: x, from: fault.nobody.start}}]\n",
        SMALL "expect: [{always: {that: x, from: fault.nobody}}]\n",
        SMALL "expect: [{at: {time: +99d, that: x}}]\n",
        SMALL "settings: {retries: 17}\n",
        SMALL "settings: {retries: [1]}\n",
        "cmksim: 1\nname: x\nstart: 1970-01-02T00:00:00Z\nhorizon: 1d\nworld: {backup_vaults: "
        "[{name: bv, region: westeurope, redundancy: geo}]}\n",
        "cmksim: 1\nname: x\nstart: 2200-01-02T00:00:00Z\nhorizon: P9Y\nworld: {backup_vaults: "
        "[{name: bv, region: westeurope, redundancy: geo}]}\n",
        "cmksim: 1\nname: x\nstart: +5d\nhorizon: 1d\nworld: {backup_vaults: "
        "[{name: bv, region: westeurope, redundancy: geo}]}\n",
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(texts); i++) {
        g_autofree char *said = complaints(texts[i]);
        cr_assert_str_neq(said, "", "text %zu", i);
    }
}

static void remember_last(void *self, const CmkWorld *world, const CmkRecord *record)
{
    (void)world;
    *(CmkRecord *)self = *record;
}

/* A version that a step names by its number is looked up when its moment has come: it may have been
 * made in the run, or not be there. */
Test(scenario, key_versions_are_looked_up_in_time)
{
    static const struct {
        const char *step;
        CmkStatus status;
        uint32_t version; /* row */
    } cases[] = {
        {"{at: +2d, do: key.update, with: {key: kv-prod/kek, enabled: false}}", CMK_STATUS_OK, 2},
        {"{at: +2d, do: key.update, with: {key: kv-prod/kek/1, enabled: false}}", CMK_STATUS_OK, 1},
        {"{at: +2d, do: key.update, with: {key: kv-prod/kek/2, enabled: false}}", CMK_STATUS_OK, 2},
        {"{at: +2d, do: key.update, with: {key: kv-prod/kek/3, enabled: false}}",
         CMK_STATUS_OF(KEY_NOT_FOUND), 0},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        g_autofree char *text = g_strconcat(
            SMALL "timeline:\n  - {at: +1d, do: key.rotate, with: {key: kv-prod/kek}}\n  - ",
            cases[i].step, "\n", NULL);
        g_autoptr(CmkDiagnostics) diagnostics = collector(text);
        CmkScenario *scenario = read_good(diagnostics);
        CmkSim sim = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
        CmkRecord last = {.seq = 0};
        CmkJournal journal = {.count = 0};
        cmk_journal_add(&journal, (CmkReader){.read = remember_last, .self = &last});
        sim.journal = &journal;
        const CmkTime moment = scenario->start + 2 * CMK_DAY_US;
        while (last.args.op != CMK_OP_KEY_UPDATE && cmk_engine_step(&sim, moment)) {
        }
        cr_expect_eq(last.args.op, CMK_OP_KEY_UPDATE, "%s", cases[i].step);
        cr_expect_eq(last.status, cases[i].status, "%s", cases[i].step);
        cr_expect_eq(last.result, cases[i].version, "%s: row %u", cases[i].step, last.result);
        cmk_world_free(sim.world);
        cmk_scenario_free(scenario);
    }
}

/* The end of a fault that was refused does not come to pass: it would end somebody else's. */
Test(scenario, a_refused_fault_has_no_end)
{
    g_autoptr(CmkDiagnostics) diagnostics = collector(
        SMALL "timeline:\n"
              "  - {at: +1d, id: long, fault: region.outage, target: westeurope, for: 4d}\n"
              "  - {at: +2d, id: short, fault: region.outage, target: westeurope, for: 1d}\n");
    CmkScenario *scenario = read_good(diagnostics);
    CmkSim sim = build_good(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    const CmkRegionId region = cmk_region_find("westeurope");
    (void)cmk_engine_run(&sim, scenario->start + 4 * CMK_DAY_US, NULL, NULL);
    cr_expect_eq(cmk_region(sim.world, region)->state, CMK_REGION_FAILED_OVER);
    (void)cmk_engine_run(&sim, scenario->start + 6 * CMK_DAY_US, NULL, NULL);
    cr_expect_eq(cmk_region(sim.world, region)->state, CMK_REGION_UP);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* What is said about a file of the corpus: where, how many mistakes, what, and the next step. */
typedef struct BadFile {
    const char *name;
    CmkPosition at;    /* of the first one */
    size_t count;      /* of mistakes */
    const char *says;  /* part of its message */
    const char *hints; /* part of its hint; NULL: the message says it all */
} BadFile;

static const BadFile bad_files[] = {
    {"absent-key-vault-with-sku",
     {12, 37},
     1,
     "a key vault that does not exist has no `sku`",
     "say it in the step that creates the key vault: do: key_vault.create"},
    {"absent-key-with-type",
     {11, 45},
     1,
     "a key that does not exist has no `type`",
     "say it in the step that creates the key: do: key.create"},
    {"ambiguous-instance",
     {35, 52},
     1,
     "several backup instances are called `media`",
     "say which one as vault/media"},
    {"archive-after-no-time",
     {18, 16},
     1,
     "`archive: after` needs `archive_after`",
     "add the age: archive_after: P30D"},
    {"archive-at-two-moments",
     {19, 22},
     1,
     "`archive` says another moment than `archive_after`",
     "leave one of the two out"},
    {"archive-on-expiry-for-no-time",
     {15, 7},
     1,
     "`archive_keep` and `archive: on_expiry` go together (BK-9)",
     "write both: {archive: on_expiry, archive_keep: P1Y}"},
    {"archive-without-vault",
     {17, 22},
     1,
     "only points in the vault can move to the archive (BK-24)",
     "add `vault` to `datastores`, or leave this out"},
    {"backup-by-no-rule",
     {29, 60},
     1,
     "`hourly` is not a retention rule",
     "possible are `default`, `daily`, `weekly`, `monthly`, `yearly`"},
    {"bad-indentation",
     {8, 6},
     1,
     "this line does not belong to the list above it",
     "items of a list start with - in the same column"},
    {"bad-schedule", {17, 17}, 1, "`every day at 3` is not a repeating interval", NULL},
    {"boolean-yes", {9, 25}, 1, "`yes` is not a boolean; did you mean true?", NULL},
    {"comment-only", {0, 0}, 1, "the file holds nothing", NULL},
    {"curve-of-rsa", {11, 41}, 1, "RSA keys have no `curve` (KV-2)", "write `size`, in bits"},
    {"duplicate-ids", {30, 19}, 1, "a second item has the id `revoke`", NULL},
    {"duplicate-key-name",
     {12, 18},
     1,
     "a second key is called `backup-kek`",
     "give it another name"},
    {"duplicate-vault-name",
     {26, 14},
     1,
     "a second Backup vault is called `bv-prod`",
     "give it another name"},
    {"empty-world",
     {5, 8},
     1,
     "`world` needs the key `backup_vaults`",
     "add `backup_vaults`: Backup vaults with what they back up"},
    {"end-of-endless-fault",
     {32, 58},
     1,
     "the fault `revoke` has no end",
     "give it `for`, or write step.ID for the step that remedies i"},
    {"enum-typo",
     {21, 19},
     1,
     "`geographic` is not a redundancy",
     "possible are `local`, `zone`, `geo`"},
    {"fault-that-does-not-end",
     {29, 78},
     1,
     "key.purge does not end by itself: what is purged is lost",
     "leave `for` out"},
    {"fleet-like-unknown",
     {27, 41},
     1,
     "there is no Backup vault called `bv-prd`",
     "did you mean `bv-prod`?"},
    {"fleet-name-taken",
     {27, 25},
     1,
     "a second Backup vault is called `bv-07`",
     "give the vaults of this fleet another pattern of names"},
    {"fleet-too-large",
     {5, 1},
     1,
     "this world is too large: it needs room for 4302443088 recovery points, and there is room "
     "for 2147483647",
     "make the fleet smaller, the horizon shorter, or back up less"},
    {"fleet-without-number",
     {27, 25},
     1,
     "`bv-more` cannot be the names of a fleet's vaults",
     "use letters, digits and -, and {n} once: \"bv-{n}\""},
    {"for-on-a-step",
     {30, 144},
     1,
     "`for` is for faults",
     "add a second step that undoes this one"},
    {"ambiguous-scope",
     {29, 85},
     3,
     "both a key vault and a resource group are called `kv-prod`",
     "rename one of them"},
    {"as-an-identity", {31, 32}, 1, "there is no user called `id-backup`", "possible is `alice`"},
    {"as-in-with", {31, 52}, 1, "role.assign has no parameter `as`", "write `as` beside `do`"},
    {"as-on-a-fault", {30, 31}, 1, "`as` is for steps", "leave it out"},
    {"as-unknown-user", {31, 32}, 1, "there is no user called `alcie`", "did you mean `alice`?"},
    {"as-without-rights",
     {32, 19},
     1,
     "region.return asks nobody for rights, so `as` would do nothing",
     "leave it out"},
    {"group-in-group",
     {8, 31},
     1,
     "there is no identity, Backup vault or user called `inner`",
     "possible are `id-backup`, `bv-prod`"},
    {"key-in-absent-key-vault",
     {12, 44},
     1,
     "a key vault that does not exist has no keys",
     "add `exists: false` to the key"},
    {"key-vault-without-region",
     {12, 7},
     1,
     "a key vault needs `region`",
     "add the Azure region, such as westeurope"},
    {"scope-as-a-path", {28, 85}, 1, "is a path, not a name", "the name that it has in `world`"},
    {"scope-in-itself", {7, 48}, 2, "`mg-a` lies in itself", "leave `in` out of the outermost one"},
    {"scope-in-wrong-kind",
     {8, 49},
     1,
     "a resource group lies in a subscription, but `mg-corp` is a management group",
     "name a subscription"},
    {"unknown-resource-group",
     {12, 23},
     1,
     "there is no resource group called `rg-pord`",
     "did you mean `rg-prod`?"},
    {"grant-to-unknown-principal",
     {27, 19},
     1,
     "there is no identity, Backup vault, user or group called `id-bakcup`",
     "did you mean `id-backup`?"},
    {"horizon-before-last-step",
     {30, 10},
     1,
     "`+7d` is after the horizon, which ends at 2025-03-09T00:00:00Z",
     "give a longer `horizon`"},
    {"horizon-zero", {4, 10}, 1, "`0d` is no time at all", NULL},
    {"identity-name-too-short",
     {13, 14},
     1,
     "`id` has 2 characters, but the name of a user-assigned identity has 3 to 128",
     NULL},
    {"infrastructure-with-system",
     {23, 55},
     1,
     "infrastructure encryption begins with a user-assigned identity (BV-20 BV-21 BV-22)",
     "name one of the vault's `identities`"},
    {"key-in-unknown-vault",
     {23, 25},
     1,
     "there is no key vault called `kv-prd`",
     "did you mean `kv-prod`?"},
    {"key-of-later-version",
     {28, 1},
     1,
     "`operators` is not part of this version of the language",
     "leave it out: it would hold people who notice, react and rep"},
    {"key-without-vault",
     {23, 25},
     1,
     "there is no key called `backup-kek`",
     "name a key as vault/key"},
    {"list-for-map",
     {7, 7},
     1,
     "an item of `key_vaults` must be a map, but is a list",
     "write `key: value` lines below it, indented alike"},
    {"many-mistakes", {4, 1}, 12, "a scenario has no key `horizont`", "did you mean `horizon`?"},
    {"map-for-list",
     {7, 5},
     1,
     "`key_vaults` must be a list, but is a map",
     "write each item on a line of its own after `- `"},
    {"missing-parameter",
     {29, 55},
     1,
     "role.revoke needs `scope`",
     "add to `target` `scope`: a name given elsewhere in the file"},
    {"missing-unit-size", {25, 54}, 1, "`800` lacks a unit", NULL},
    {"missing-zone",
     {3, 8},
     1,
     "`2025-03-03T00:00:00` is not an instant: the time zone is missing, Z or an offset such as "
     "+01:00",
     NULL},
    {"month-as-m",
     {16, 27},
     1,
     "`3M` has the unit `M`; months and years are written P3M or P1Y",
     NULL},
    {"more-than-twenty", {7, 29}, 25, "`nowhere` is not a region of the model", NULL},
    {"name-of-identity-too-short",
     {13, 14},
     1,
     "`id` has 2 characters, but the name of a user-assigned identity has 3 to 128",
     NULL},
    {"name-too-long",
     {7, 13},
     1,
     "`kv-production-europe-west-2` has 27 characters, but the name of a key vault has 3 to 24",
     NULL},
    {"name-with-blank",
     {7, 13},
     1,
     "`kv prod` cannot be the name of a key vault",
     "use letters and digits, and any of -"},
    {"negative-time",
     {29, 10},
     1,
     "`-5d` is before the start, from which moments are counted",
     NULL},
    {"neither-do-nor-fault",
     {29, 5},
     1,
     "this item says neither `do` nor `fault`",
     "write one of them: `do` for what a person does, `fault` for "},
    {"no-backup-vault",
     {18, 18},
     1,
     "`backup_vaults` is empty",
     "Backup vaults with what they back up"},
    {"no-value", {4, 9}, 1, "`horizon` has no value", "how long it goes on: 60d or P2M"},
    {"no-version", {1, 1}, 1, "the key `cmksim` is missing", "begin the file with `cmksim: 1`"},
    {"no-world",
     {1, 1},
     1,
     "a scenario needs the key `world`",
     "add `world`: the fleet as it is at the start"},
    {"not-a-map",
     {1, 1},
     1,
     "a scenario must be a map, but is a list",
     "write `key: value` lines below it, indented alike"},
    {"operation-as-fault",
     {29, 34},
     1,
     "`role.remove` is not a fault of the catalogue",
     "it is an operation that a step can do: write it behind `do:`"},
    {"operation-of-the-service",
     {30, 32},
     1,
     "`point.expire` is not an operation that a step can do",
     "`cmksim list ops --where step=yes` lists them"},
    {"pinned-version-two",
     {23, 25},
     1,
     "at the start a key has version 1 only",
     "leave the number out to use the current version"},
    {"policy-with-two-schedule-keys",
     {18, 18},
     1,
     "a policy has `schedule` or `schedules`, not both",
     "write when backups start"},
    {"policy-without-schedule",
     {15, 7},
     1,
     "a policy needs the key `schedule`",
     "R/2025-03-03T02:00:00+00:00/P1D"},
    {"policy-without-stores",
     {16, 19},
     1,
     "the policy keeps recovery points nowhere",
     "write {operational: P7D}, {vault: P3M} or both"},
    {"policy-retention-as-a-length", {18, 18}, 1, "`retention` must be a list", "after `- `"},
    {"prices-empty", {5, 8}, 1, "`prices` has no value", "in a file of their own"},
    {"prices-inline", {5, 9}, 1, "`prices` must be a text, but is a map", "in a file of their own"},
    {"prices-missing", {5, 9}, 1, "the price book cannot be read", "write `default`, or a path"},
    {"prices-with-mistakes", {5, 9}, 2, "many.yaml:5:3: `vault_tier_gsr`", "vault_tier_grs"},
    {"remedies-a-step", {30, 149}, 1, "`regrant` is a step, not a fault", "possible is `revoke`"},
    {"remedies-before-the-fault",
     {30, 149},
     1,
     "the fault `revoke` comes only after this step",
     NULL},
    {"remedies-unknown-id", {30, 149}, 1, "no fault has the id `revok`", "did you mean `revoke`?"},
    {"retention-of-default",
     {19, 17},
     1,
     "the rule default is what `datastores` says (BK-10)",
     "write daily, weekly, monthly or yearly"},
    {"retention-of-eleven-years",
     {19, 31},
     1,
     "backups are kept for at most 10 years (BK-14)",
     "write P10Y or less"},
    {"retention-out-of-range", {10, 23}, 1, "`91` is not within 7 to 90", NULL},
    {"rsa-1024",
     {11, 47},
     1,
     "RSA keys of 1024 bits do not exist (KV-2)",
     "write 2048, 3072 or 4096"},
    {"rotation-policy-both-ways", {12, 70}, 1, "(ROT-9)", "from the creation or from the expiry"},
    {"rules-archive-for-blob",
     {26, 11},
     1,
     "(BK-1)",
     "this must hold: The datasource has each store that the polic"},
    {"rules-cross-region-restore-local",
     {22, 29},
     1,
     "the rules refuse this world (BV-4): SimErrorCrossRegionRestoreNotOffered",
     "geo-redundant"},
    {"rules-fleet",
     {23, 19},
     1,
     "BV-39 ERR-4",
     "this must hold: The key vault has purge protection."},
    {"rules-purge-protection-alone",
     {7, 7},
     1,
     "(SD-3)",
     "this must hold: A key vault with purge protection has soft d"},
    {"rules-rotation-too-soon", {11, 47}, 1, "(ROT-9)", NULL},
    {"size-of-ec",
     {11, 40},
     1,
     "EC keys have no `size` (KV-2)",
     "write `curve`: P-256, P-256K, P-384 or P-521"},
    {"key-op-unknown", {11, 51}, 1, "`get` is not an operation of keys", NULL},
    {"rules-hsm-key-in-standard-vault",
     {11, 11},
     1,
     "(KV-3)",
     "this must hold: HSM-protected keys are in premium key vaults"},
    {"rules-identity-not-attached",
     {22, 19},
     1,
     "ERR-6",
     "this must hold: The user-assigned identity that the settings"},
    {"rules-key-disabled",
     {23, 19},
     1,
     "ERR-M9",
     "this must hold: The key version is enabled and inside its va"},
    {"rules-key-expired",
     {23, 19},
     1,
     "ERR-M10",
     "this must hold: The key version is enabled and inside its va"},
    {"rules-key-is-ec",
     {23, 19},
     1,
     "KV-5",
     "this must hold: The key is RSA or RSA-HSM of 2048, 3072 or 4"},
    {"rules-no-grant",
     {23, 19},
     1,
     "KVE-3",
     "this must hold: A role assignment lets the identity read the"},
    {"rules-purge-protection-off",
     {23, 19},
     1,
     "BV-39 ERR-4",
     "this must hold: The key vault has purge protection."},
    {"rules-soft-delete-off",
     {23, 19},
     1,
     "ERR-3",
     "this must hold: The key vault has soft delete."},
    {"rules-weak-role",
     {23, 19},
     1,
     "KVE-3",
     "this must hold: A role assignment lets the identity unwrap w"},
    {"retention-rule-twice",
     {20, 17},
     1,
     "the policy has this rule already",
     "there is one rule each"},
    {"schedule-with-count",
     {17, 17},
     1,
     "`R5/2025-03-03T03:00:00+00:00/P1D` must repeat without end, so R and / stand together",
     NULL},
    {"schedules-of-two-clocks",
     {17, 18},
     1,
     "the schedules of a policy go by one clock (BK-6)",
     "write all starts with the same offset"},
    {"schedules-too-many",
     {17, 18},
     1,
     "a policy has at most 8 schedules",
     "write a shorter period instead"},
    {"seed-not-a-number",
     {5, 7},
     1,
     "`random` is not a seed; write a whole number such as 42 or 0x2a",
     NULL},
    {"setting-out-of-range",
     {5, 30},
     1,
     "`2d` of `role_propagation` is not within 0 s to 1 d",
     NULL},
    {"setting-wrong-type", {5, 33}, 1, "`1h` is not a boolean; write true or false", NULL},
    {"soft-delete-for-a-week",
     {22, 30},
     1,
     "`7d` of `soft_delete_retention` is not within 14 d to 180 d",
     NULL},
    {"sql-expectation",
     {32, 5},
     1,
     "`sql` is not part of this version of the language",
     "leave it out: it would hold a query on the database of the r"},
    {"start-without-time",
     {3, 8},
     1,
     "`2025-03-03` is not an instant: the time of day is missing",
     NULL},
    {"step-after-horizon",
     {30, 10},
     1,
     "`+70d` is after the horizon, which ends at 2025-04-02T00:00:00Z",
     "give a longer `horizon`"},
    {"step-before-start",
     {29, 10},
     1,
     "`2025-02-28T00:00:00Z` is before the start, which is 2025-03-03T00:00:00Z",
     "what was before belongs into `world`"},
    {"tab-indentation", {7, 1}, 1, "a tab cannot indent", "use spaces"},
    {"two-expectations-in-one",
     {32, 5},
     1,
     "an expectation says one of always, never, final, at and eventually",
     "begin each expectation with a `- ` of its own"},
    {"unclosed-quote",
     {33, 1},
     1,
     "a quoted text is not closed",
     "close it with the same kind of quote"},
    {"unknown-datasource",
     {25, 37},
     1,
     "`AzureBlobs` is not a datasource of the model",
     "did you mean `AzureBlob`?"},
    {"unknown-fault",
     {29, 34},
     1,
     "`role.revoked` is not a fault of the catalogue",
     "did you mean `role.revoke`?"},
    {"unknown-key-in-vault",
     {23, 25},
     1,
     "there is no key called `kv-prod/backup-key`",
     "did you mean `kv-prod/backup-kek`?"},
    {"unknown-key-near",
     {9, 7},
     1,
     "a key vault has no key `purge_protecton`",
     "did you mean `purge_protection`?"},
    {"unknown-knob",
     {5, 12},
     1,
     "`role_propogation` is not a setting",
     "did you mean `role_propagation`?"},
    {"unknown-moment",
     {32, 75},
     1,
     "no step of the timeline has the id `regrand`",
     "did you mean `regrant`?"},
    {"unknown-operation",
     {30, 32},
     1,
     "`role.asign` is not an operation that a step can do",
     "did you mean `role.assign`?"},
    {"unknown-parameter",
     {30, 52},
     1,
     "role.assign has no parameter `principle`",
     "did you mean `principal`?"},
    {"unknown-redundancy",
     {30, 95},
     1,
     "`georedundant` is not a redundancy",
     "possible are `local`, `zone`, `geo`"},
    {"unknown-state-of-settings",
     {30, 93},
     1,
     "`Enable` is not a state of the encryption settings",
     "did you mean `Enabled`?"},
    {"unknown-policy",
     {25, 89},
     1,
     "there is no policy called `blob-weekly`",
     "possible is `blob-daily`"},
    {"unknown-profile", {5, 10}, 1, "`realistc` is not a profile", "did you mean `realistic`?"},
    {"unknown-region",
     {8, 15},
     1,
     "`westeuropa` is not a region of the model",
     "did you mean `westeurope`?"},
    {"unknown-role",
     {27, 36},
     1,
     "`Key Vault Crypto Service Encryption` is not a role of the model",
     "possible are `Key Vault Administrator`, `Key Vault Crypto Of"},
    {"unknown-rule", {3, 16}, 1, "`BV-99` is not a rule of the model", "did you mean `BV-"},
    {"unknown-status",
     {30, 154},
     1,
     "`UserErrorCMKMissingManagedIdentityPermissionOnKeyVault` is not a status that an operation "
     "can end with",
     "did you mean `UserErrorCMKMissingMangedIdentityPermissionOnK"},
    {"unknown-top-key", {31, 1}, 1, "a scenario has no key `expects`", "did you mean `expect`?"},
    {"version-not-first",
     {4, 1},
     1,
     "`cmksim` must be the first key",
     "begin the file with `cmksim: 1`"},
    {"version-of-the-language",
     {1, 9},
     1,
     "this program reads version 1 of the language",
     "write `cmksim: 1`"},
    {"wrong-unit-size", {25, 54}, 1, "`800 GIB` has the unit `GIB`; did you mean GiB?", NULL},
};

static void check_bad_file(const BadFile *file)
{
    g_autofree char *path = g_strdup_printf("%s/%s.yaml", CORPUS, file->name);
    g_autoptr(CmkDiagnostics) diagnostics = collector_of_file(path);
    CmkScenario *scenario = cmk_scenario_read(diagnostics);
    CmkSim sim = {.model = cmk_azure_model()};
    const bool is_built = scenario != NULL && cmk_scenario_build(scenario, CMK_VARIANT_AS_WRITTEN,
                                                                 1, &sim, diagnostics);
    cr_assert_not(is_built, "%s is accepted", path);
    cr_assert_null(sim.world, "%s leaves a world", path);
    g_autofree char *text = printed(diagnostics);
    cr_assert_eq(cmk_diagnostics_count(diagnostics), file->count, "%s", text);
    const CmkDiagnostic *first = cmk_diagnostics_get(diagnostics, 0);
    cr_assert_eq(first->at.line, file->at.line, "%s", text);
    cr_assert_eq(first->at.column, file->at.column, "%s", text);
    cr_assert_not_null(strstr(first->message, file->says), "%s", text);
    if (file->hints != NULL) {
        cr_assert_not_null(first->hint, "%s", text);
        cr_assert_not_null(strstr(first->hint, file->hints), "%s", text);
    }
    cmk_scenario_free(scenario);
}

Test(scenario, corpus_of_malformed_files)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(bad_files); i++) {
        check_bad_file(&bad_files[i]);
    }
    g_autoptr(GDir) directory = g_dir_open(CORPUS, 0, NULL);
    cr_assert_not_null(directory);
    size_t found = 0;
    for (const char *name = g_dir_read_name(directory); name != NULL;
         name = g_dir_read_name(directory)) {
        bool is_listed = false;
        for (size_t i = 0; g_str_has_suffix(name, ".yaml") && i < CMK_ARRAY_LEN(bad_files); i++) {
            g_autofree char *listed = g_strconcat(bad_files[i].name, ".yaml", NULL);
            is_listed |= strcmp(listed, name) == 0;
        }
        cr_assert(is_listed || !g_str_has_suffix(name, ".yaml"), "%s is not in the table", name);
        found += is_listed;
    }
    cr_assert_eq(found, CMK_ARRAY_LEN(bad_files));
}

/* ---- the tables ------------------------------------------------------------------------------ */

static void check_fields(const CmkFields *fields, uint32_t depth)
{
    cr_assert_lt(depth, 8);
    for (size_t i = 0; i < fields->count; i++) {
        const CmkField *field = &fields->rows[i];
        cr_assert_not_null(field->name);
        cr_assert_not_null(field->doc, "%s", field->name);
        cr_assert(field->doc[strlen(field->doc) - 1] != '.', "%s", field->name);
        if (field->type == CMK_FIELD_LATER) {
            continue;
        }
        cr_assert_leq(field->offset + (field->is_list ? sizeof(GArray *) : cmk_field_size(field)),
                      fields->size_bytes, "%s", field->name);
        cr_assert_geq(field->offset, sizeof(const CmkNode *), "%s", field->name);
        cr_assert_eq(field->type == CMK_FIELD_WORD, field->vocabulary != NULL, "%s", field->name);
        cr_assert_eq(field->type == CMK_FIELD_MAP, field->fields != NULL, "%s", field->name);
        cr_assert_eq(field->type == CMK_FIELD_REFERENCE, field->accepts != 0, "%s", field->name);
        if (field->fields != NULL) {
            check_fields(field->fields, depth + 1);
        }
        for (size_t j = 0; j < i; j++) {
            cr_assert_str_neq(fields->rows[j].name, field->name);
            cr_assert(fields->rows[j].type == CMK_FIELD_LATER ||
                          fields->rows[j].offset != field->offset,
                      "%s and %s share a place", fields->rows[j].name, field->name);
        }
    }
}

Test(language, tables_are_complete)
{
    check_fields(cmk_language_fields(), 0);
}

static void check_words(const CmkVocabulary *vocabulary)
{
    cr_assert_not_null(cmk_vocabulary_word(vocabulary, 0), "%s", vocabulary->what);
    for (uint32_t i = 0; cmk_vocabulary_word(vocabulary, i) != NULL; i++) {
        uint32_t value = 0;
        const char *word = cmk_vocabulary_word(vocabulary, i);
        cr_assert(cmk_vocabulary_find(vocabulary, word, &value), "%s is not %s", word,
                  vocabulary->what);
    }
    uint32_t value = 99;
    cr_assert_not(cmk_vocabulary_find(vocabulary, "no such word", &value));
    cr_assert_eq(value, 99);
}

Test(language, each_word_is_found_again)
{
    check_words(&cmk_vocabulary_regions);
    check_words(&cmk_vocabulary_roles);
    check_words(&cmk_vocabulary_datasources);
    check_words(&cmk_vocabulary_rules);
    check_words(&cmk_vocabulary_profiles);
    check_words(&cmk_vocabulary_knobs);
    check_words(&cmk_vocabulary_operations);
    check_words(&cmk_vocabulary_faults);
    check_words(&cmk_vocabulary_statuses);
    check_words(&cmk_vocabulary_permissions);
}
