/* Good scenario files: what is read from them, and the world that is made of it. */
#include <string.h>

#include <criterion/criterion.h>

#include "sim/engine.h"
#include "tests/unit/scenarios/reading.h"

#define EXAMPLE "scenarios/troubleshooting/permission-revoked.yaml"

/* ---- the example ----------------------------------------------------------------------------- */

Test(scenario, example_is_read)
{
    g_autoptr(CmkDiagnostics) diagnostics = reading_of_file(EXAMPLE);
    CmkScenario *scenario = reading_good(diagnostics);
    cr_assert_str_eq(scenario->name, "permission-revoked");
    cr_assert(g_str_has_prefix(scenario->summary, "The role on the key is removed"));
    cr_assert_eq(scenario->shows->len, 6);
    cr_assert_str_eq(g_ptr_array_index(scenario->shows, 4), "BK-22");
    cr_assert_eq(scenario->end - scenario->start, 60 * CMK_DAY_US);
    cr_assert_eq(scenario->seed, 1);
    cr_assert_eq(scenario->plan->len, 4);
    cr_assert_str_eq(reading_planned(scenario, 0)->text, "role.revoke: id-backup on kv-prod");
    cr_assert_str_eq(reading_planned(scenario, 0)->id, "revoke");
    cr_assert_eq(reading_planned(scenario, 0)->kind, CMK_PLAN_FAULT);
    cr_assert_eq(reading_planned(scenario, 0)->op, CMK_OP_ROLE_REMOVE);
    cr_assert_eq(reading_planned(scenario, 0)->args.actor, CMK_ACTOR_FAULT);
    cr_assert_eq(reading_planned(scenario, 1)->expect_status, CMK_STATUS_OF(MISSING_PERMISSION));
    cr_assert_eq(reading_planned(scenario, 2)->remedies, 1);
    cr_assert_eq(reading_planned(scenario, 2)->expect_status, -1);
    cr_assert_eq(reading_planned(scenario, 3)->expect_status, CMK_STATUS_OK);
    cr_assert_eq(scenario->expectations->len, 7);
    cr_assert_eq(reading_expectation(scenario, 4)->kind, CMK_EXPECT_EVENTUALLY);
    cr_assert_eq(reading_expectation(scenario, 4)->from.plan, 3);
    cr_assert_eq(reading_expectation(scenario, 4)->within_us, 2 * CMK_DAY_US);
    cr_assert_str_eq(reading_expectation(scenario, 4)->text,
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
    g_autoptr(CmkDiagnostics) diagnostics = reading_of_file(EXAMPLE);
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 7, diagnostics);
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
    g_autoptr(CmkDiagnostics) diagnostics = reading_of_file(EXAMPLE);
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim with = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    CmkSim without = reading_build(scenario, CMK_VARIANT_WITHOUT_FAULTS, 1, diagnostics);
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
    const CmkDigest small = reading_digest(SMALL, CMK_VARIANT_AS_WRITTEN, 1);
    cr_assert(cmk_digest_equal(small, reading_digest(SMALL, CMK_VARIANT_AS_WRITTEN, 1)));
    cr_assert(cmk_digest_equal(
                  small, reading_digest("# a comment\n" SMALL "\n\n", CMK_VARIANT_AS_WRITTEN, 1)),
              "comments and empty lines are not part of it");
    cr_assert_not(cmk_digest_equal(small, reading_digest(SMALL, CMK_VARIANT_AS_WRITTEN, 2)),
                  "seed");
    cr_assert_not(cmk_digest_equal(small, reading_digest(SMALL, CMK_VARIANT_WITHOUT_FAULTS, 1)),
                  "variant");
    cr_assert_not(cmk_digest_equal(small, reading_digest(SMALL "settings: {retries: 4}\n",
                                                         CMK_VARIANT_AS_WRITTEN, 1)),
                  "settings");
}

/* ---- the head -------------------------------------------------------------------------------- */

Test(scenario, settings_override_the_profile)
{
    g_autoptr(CmkDiagnostics) diagnostics =
        reading_of(SMALL "profile: realistic\ntags: [a, b]\nseed: 0x2a\n"
                         "settings: {rotation_poll: 2h, retries: 3, require_same_region: true}\n");
    CmkScenario *scenario = reading_good(diagnostics);
    cr_assert_eq(scenario->knobs[CMK_KNOB_ROLE_PROPAGATION], 600 * CMK_SECOND_US);
    cr_assert_eq(scenario->knobs[CMK_KNOB_ROTATION_POLL], 2 * CMK_HOUR_US);
    cr_assert_eq(scenario->knobs[CMK_KNOB_RETRIES], 3);
    cr_assert_eq(scenario->knobs[CMK_KNOB_REQUIRE_SAME_REGION], 1);
    cr_assert_eq(scenario->tags->len, 2);
    cr_assert_eq(scenario->seed, 42);
    /* Propagation takes ten minutes, and is completed before the start all the same. */
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
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
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(system_world);
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
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
         "      schedules: [R/2025-03-03T03:00:00+05:30/P1W, R/2025-03-03T12:00:00+05:30/P1W]\n"
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
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(text->str);
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
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
    cr_assert_eq(reading_planned(scenario, 0)->args.num[0], CMK_TAG_WEEKLY);
    const CmkBackupVault *vault = cmk_backup_vault(sim.world, (CmkBackupVaultId){1});
    cr_assert_eq(vault->soft_delete, CMK_SOFT_DELETE_ALWAYS_ON);
    cr_assert_eq(vault->soft_delete_days, 60);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* BK-11: days and times become bits and minutes. */
Test(scenario, rules_go_by_the_calendar)
{
    g_autoptr(GString) text = g_string_new(long_policy);
    (void)g_string_replace(text, "priority: 7}",
                           "takes_at: {days_of_week: [monday, sunday], weeks_of_month: [first, "
                           "last], days_of_month: [1, 31, last], months: [march], times: "
                           "[\"02:00\", \"23:59\"]}}",
                           0);
    (void)g_string_replace(text, "archive: on_expiry, archive_keep: P9Y", "priority: 1", 0);
    (void)g_string_replace(text, "{vault: P7D}", "{vault: default}", 0);
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(text->str);
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    const CmkPolicy *policy = cmk_policy(sim.world, (CmkPolicyId){1});
    const CmkRetention *rule = &policy->retention[CMK_TAG_WEEKLY];
    cr_expect_eq(rule->criterion, CMK_CRITERION_CALENDAR);
    cr_expect_eq(rule->calendar.days_of_week, 1U << 0 | 1U << 6);
    cr_expect_eq(rule->calendar.weeks_of_month, 1U << 0 | 1U << 4);
    cr_expect_eq(rule->calendar.days_of_month, 1U << 0 | 1U << 1 | 1U << 31);
    cr_expect_eq(rule->calendar.months, 1U << 2);
    cr_expect_eq(rule->calendar.time_count, 2);
    cr_expect_eq(rule->calendar.minutes[0], 120);
    cr_expect_eq(rule->calendar.minutes[1], 1439);
    const CmkPeriod *usual = &policy->retention[CMK_TAG_DEFAULT].vault;
    cr_expect(usual->months == 0 && usual->us == 0 && policy->has_vault, "that of the datasource");
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* What comes to life in the run: the policy as the world describes it, the instance as the step. */
Test(scenario, instances_and_policies_may_come_later)
{
    static const char later[] =
        "        - {name: disk, exists: false}\n" GRANT "timeline:\n"
        "  - {at: +1d, do: backup_policy.create, with: {policy: disk-4h}}\n"
        "  - {at: +2d, do: instance.protect, with: {instance: disk, datasource: AzureDisk, size: "
        "3 GiB, daily_change: 4%, policy: disk-4h, sample: 5 KiB}}\n"
        "  - {at: +3d, do: backup.restore, with: {instance: disk, point: +2d9h}}\n";
    static const char world[] =
        HEAD "world:\n" KEY_VAULT IDENTITY POLICY
             "    - {name: disk-4h, exists: false, datastores: {operational: P2D}, schedule: "
             "R/2025-03-03T00:00:00Z/PT4H}\n" VAULT;
    g_autofree char *text = g_strconcat(world, later, NULL);
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(text);
    CmkScenario *scenario = reading_good(diagnostics);
    cr_assert_eq(reading_planned(scenario, 2)->args.num[0], scenario->start + 57 * CMK_HOUR_US);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    const CmkInstance *disk = cmk_instance(sim.world, (CmkInstanceId){2});
    const CmkPolicy *policy = cmk_policy(sim.world, (CmkPolicyId){2});
    cr_assert_eq(disk->state, CMK_INSTANCE_ABSENT);
    cr_assert_eq(policy->state, CMK_POLICY_ABSENT);
    cr_assert_eq(cmk_policy(sim.world, (CmkPolicyId){1})->state, CMK_POLICY_ACTIVE);
    cr_assert_eq(cmk_engine_run(&sim, scenario->end, NULL, NULL), CMK_ENGINE_REACHED);
    cr_assert_eq(disk->state, CMK_INSTANCE_PROTECTED);
    cr_assert_eq(policy->state, CMK_POLICY_ACTIVE);
    cr_assert_eq(disk->datasource, cmk_datasource_find("AzureDisk"));
    cr_assert_eq(disk->size_bytes, INT64_C(3) << 30);
    cr_assert_eq(disk->daily_change_ppm, 40000);
    cr_assert_eq(disk->sample_bytes, 5 * 1024);
    cr_assert_geq(cmk_queue(sim.world, (CmkQueueId){disk->first_queue})->point_count, 11,
                  "every 4 hours, kept for two days");
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* BK-24, BK-11: of snapshots every four hours the vault gets the first of each day. */
Test(scenario, the_vault_gets_copies_of_the_backups_whose_rule_says_so)
{
    g_autoptr(GString) text = g_string_new(
        HEAD
        "world:\n" KEY_VAULT IDENTITY "  policies:\n"
        "    - {name: daily, datastores: {operational: P7D}, schedule: "
        "R/2025-03-03T02:00:00Z/PT4H, retention: [{tag: daily, keep: {vault: P30D}}]}\n" VAULT GRANT
        "  fleets: [{count: 300, name: \"bv-{n}\", like: bv-prod}]\n");
    (void)g_string_replace(text, "AzureBlob", "AzureKubernetesService", 0);
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(text->str);
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    const CmkTime end = scenario->start + 4 * CMK_DAY_US;
    cr_assert_eq(cmk_engine_run(&sim, end, NULL, NULL), CMK_ENGINE_REACHED);
    uint32_t points[CMK_STORE_VAULT + 1] = {0};
    uint32_t row = cmk_instance(sim.world, (CmkInstanceId){1})->first_queue;
    while (row != 0) {
        const CmkQueue *queue = cmk_queue(sim.world, (CmkQueueId){row});
        points[queue->store] = queue->point_count;
        row = queue->next_of_instance;
    }
    cr_assert_eq(points[CMK_STORE_OPERATIONAL], 24);
    cr_assert_eq(points[CMK_STORE_VAULT], 4);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

Test(scenario, fleet_of_vaults_like_one)
{
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(
        SMALL
        "  fleets: [{count: 200, name: \"bv-{n}-x\", like: bv-prod, vary: {schedule: {uniform: "
        "24h}}}]\n"
        "timeline:\n"
        "  - {at: +1d, do: backup.restore, with: {instance: bv-007-x/media, point: oldest}}\n"
        "  - {at: +2d, fault: identity.detach, target: {vault: bv-200-x, identity: "
        "id-backup}}\n");
    CmkScenario *scenario = reading_good(diagnostics);
    cr_assert_eq(cmk_scenario_find(scenario, "backup_vault", "bv-007-x"), 8);
    cr_assert_eq(cmk_scenario_find(scenario, "instance", "bv-007-x/media"), 8);
    cr_assert_eq(cmk_scenario_find(scenario, "instance", "media"), 1);
    cr_assert_eq(reading_planned(scenario, 0)->args.ref[CMK_REF_INSTANCE], 8);
    cr_assert_eq(reading_planned(scenario, 0)->args.ref[CMK_REF_BACKUP_VAULT], 8);
    cr_assert_eq(reading_planned(scenario, 0)->args.num[0], CMK_POINT_OLDEST);
    cr_assert_eq(reading_planned(scenario, 1)->args.ref[CMK_REF_BACKUP_VAULT], 201);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    CmkSim other = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 2, diagnostics);
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
/* ROT-3: each vault on the key takes its new version up, whichever of them has left it before. */
Test(scenario, a_vault_that_leaves_a_key_leaves_the_others_on_it)
{
    static const char *const leavers[] = {"bv-prod", "bv-1", "bv-2"};
    for (uint32_t leaver = 1; leaver <= CMK_ARRAY_LEN(leavers); leaver++) {
        g_autofree char *text = g_strconcat(
            HEAD "world:\n"
                 "  key_vaults: [{name: kv-prod, region: West Europe, "
                 "purge_protection: true, keys: [{name: kek}, {name: other}]}]\n" //
            IDENTITY POLICY VAULT GRANT "  fleets: [{count: 2, name: \"bv-{n}\", like: bv-prod}]\n"
                 "timeline:\n"
                 "  - {at: +1d, do: backup_vault.update_encryption, with: {key: "
                 "kv-prod/other, vault: ",
            leavers[leaver - 1], "}}\n  - {at: +2d, do: key.rotate, with: {key: kv-prod/kek}}\n",
            NULL);
        g_autoptr(CmkDiagnostics) diagnostics = reading_of(text);
        CmkScenario *scenario = reading_good(diagnostics);
        CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
        (void)cmk_engine_run(&sim, scenario->start + 3 * CMK_DAY_US, NULL, NULL);
        for (uint32_t i = 1; i <= CMK_ARRAY_LEN(leavers); i++) {
            const CmkBackupVault *vault = cmk_backup_vault(sim.world, (CmkBackupVaultId){i});
            const CmkVersionId active = {vault->active_version};
            const uint32_t wanted = i == leaver ? 1 : 2;
            cr_expect_eq(cmk_version(sim.world, active)->number, wanted, "%s left, %s uses %u",
                         leavers[leaver - 1], leavers[i - 1],
                         cmk_version(sim.world, active)->number);
        }
        cmk_world_free(sim.world);
        cmk_scenario_free(scenario);
    }
}

Test(scenario, fleet_with_system_identities)
{
    g_autofree char *text = g_strconcat(system_world,
                                        "  fleets: [{count: 3, name: \"sys-{n}\", like: bv-sys}, "
                                        "{count: 2, name: \"plain-{n}\", like: bv-plain}]\n",
                                        NULL);
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(text);
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
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
        reading_of(SMALL "timeline: [{at: +8d, fault: key.disable, target: kv-prod/kek}]\n");
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    cr_assert_eq(cmk_engine_run(&sim, scenario->end, NULL, NULL), CMK_ENGINE_REACHED);
    cr_assert_null(sim.exhausted);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* ---- the timeline ---------------------------------------------------------------------------- */

Test(scenario, timeline_is_put_in_order)
{
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(
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
    CmkScenario *scenario = reading_good(diagnostics);
    cr_assert_eq(scenario->plan->len, 6);
    cr_assert_str_eq(reading_planned(scenario, 0)->id, "slow");
    cr_assert_str_eq(reading_planned(scenario, 1)->id, "first");
    cr_assert_eq(reading_planned(scenario, 1)->args.ref[CMK_REF_KEY], 1);
    cr_assert_eq(reading_planned(scenario, 1)->args.ref[CMK_REF_KEY_VAULT], 1);
    cr_assert_eq(reading_planned(scenario, 2)->time, scenario->start + 3 * CMK_DAY_US);
    cr_assert_eq(reading_planned(scenario, 3)->kind, CMK_PLAN_FAULT_END);
    cr_assert_eq(reading_planned(scenario, 3)->of, 1);
    cr_assert_eq(reading_planned(scenario, 3)->op, CMK_OP_KEY_VAULT_UNTHROTTLE);
    cr_assert_str_eq(reading_planned(scenario, 3)->text, "end of keyvault.throttle: kv-prod");
    cr_assert_str_eq(reading_planned(scenario, 4)->id, "late");
    cr_assert_eq(reading_planned(scenario, 4)->remedies, 1);
    cr_assert_eq(reading_planned(scenario, 5)->of, 3);
    cr_assert_eq(reading_expectation(scenario, 0)->from.plan, 4);
    cr_assert_eq(reading_expectation(scenario, 0)->until.plan, 5);
    cr_assert_eq(reading_expectation(scenario, 1)->from.time, scenario->start + 2 * CMK_DAY_US);
    cr_assert_eq(reading_expectation(scenario, 1)->until.time, scenario->end);
    cr_assert_eq(reading_expectation(scenario, 2)->from.plan, 1);
    cr_assert_str_eq(reading_expectation(scenario, 2)->text,
                     "eventually within 0s after fault.slow.start: cost.total > 0 USD");
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
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
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(text);
    CmkScenario *scenario = reading_good(diagnostics);
    cr_assert_eq(scenario->plan->len, 12);
    const CmkPlanned *assign = reading_planned(scenario, 1);
    cr_assert_eq(assign->op, CMK_OP_ROLE_ASSIGN);
    cr_assert_eq(assign->args.ref[CMK_REF_IDENTITY], 1);
    cr_assert_eq(assign->args.ref[CMK_REF_KEY], 1);
    const CmkPlanned *set = reading_planned(scenario, 3);
    cr_assert_eq(set->op, CMK_OP_ACCESS_POLICY_SET);
    cr_assert_eq(set->args.ref[CMK_REF_BACKUP_VAULT], 1);
    const CmkPlanned *expire = reading_planned(scenario, 4);
    cr_assert_eq(expire->args.num[1], expire->time);
    cr_assert_eq(expire->args.num[CMK_NUM_VERSION], 1);
    cr_assert_eq(reading_planned(scenario, 5)->args.num[CMK_NUM_VERSION], 1);
    cr_assert_eq(reading_planned(scenario, 7)->op, CMK_OP_REGION_RETURN);
    cr_assert_eq(reading_planned(scenario, 9)->op, CMK_OP_SYSTEM_IDENTITY_ENABLE);
    cr_assert_eq(reading_planned(scenario, 11)->op, CMK_OP_KEY_RECOVER);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    cr_assert_eq(cmk_engine_run(&sim, scenario->end, NULL, NULL), CMK_ENGINE_REACHED);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
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
        reading_of(HEAD "world:\n" KEYS POLICY IDENTITY VAULT GRANT KEY_STEPS);
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
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

/* KV-12: what expires can be made to last again. */
Test(scenario, an_expiry_is_taken_away)
{
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(
        SMALL "timeline:\n"
              "  - {at: +1d, do: key.update, with: {key: KV-Prod/KEK, expires: +5d}}\n"
              "  - {at: +2d, do: key.update, with: {key: kv-prod/kek, expires: never}}\n");
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    (void)cmk_engine_run(&sim, scenario->start + CMK_DAY_US, NULL, NULL);
    cr_assert_eq(newest(sim.world, 1)->expires, scenario->start + 5 * CMK_DAY_US,
                 "names of key vaults and keys are the same in any case");
    (void)cmk_engine_run(&sim, scenario->end, NULL, NULL);
    cr_assert_eq(newest(sim.world, 1)->expires, CMK_TIME_MAX);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* KV-24: the name that a backup was taken under, in any case. */
Test(scenario, a_key_comes_back_under_its_name_in_any_case)
{
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(
        HEAD "world:\n" KEY_VAULT
             "    - {name: kv-two, region: West Europe, keys: [{name: KEK, exists: false}, "
             "{name: kekx, exists: false}]}\n" IDENTITY POLICY VAULT GRANT "timeline:\n"
             "  - {at: +1d, do: key.backup, with: {key: kv-prod/kek}}\n"
             "  - {at: +2d, do: key.restore, with: {key: kv-two/KEK, of: kv-prod/kek}}\n"
             "  - {at: +2d, do: key.restore, with: {key: kv-two/kekx, of: kv-prod/kek}}\n");
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    (void)cmk_engine_run(&sim, scenario->end, NULL, NULL);
    cr_assert_eq(cmk_key(sim.world, (CmkKeyId){2})->state, CMK_KEY_ACTIVE);
    cr_assert_eq(cmk_key(sim.world, (CmkKeyId){3})->state, CMK_KEY_ABSENT);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

/* AC-6: in the world and in a step. */
Test(scenario, all_is_every_key_permission)
{
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(
        HEAD
        "world:\n  key_vaults:\n"
        "    - {name: kv-prod, region: West Europe, purge_protection: true, keys: [{name: kek}],"
        " permission_model: access_policy,"
        " access_policies: [{principal: id-backup, permissions: [all]}]}\n"
        "  users: [{name: alice}]\n" IDENTITY POLICY VAULT "timeline:\n"
        "  - {at: +1d, do: access_policy.set, with: {principal: alice, key_vault: kv-prod, "
        "permissions: [get, all]}}\n");
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    (void)cmk_engine_run(&sim, scenario->end, NULL, NULL);
    for (uint32_t i = 1; i <= 2; i++) {
        cr_assert_eq(cmk_access_policy(sim.world, (CmkAccessPolicyId){i})->permissions,
                     CMK_PERMISSION_KEYS_ALL);
    }
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}

Test(scenario, readers_see_the_set_up)
{
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(SMALL);
    CmkScenario *scenario = reading_good(diagnostics);
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
        g_autoptr(CmkDiagnostics) diagnostics = reading_of(text);
        CmkScenario *scenario = reading_good(diagnostics);
        CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
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
    g_autoptr(CmkDiagnostics) diagnostics = reading_of(
        SMALL "timeline:\n"
              "  - {at: +1d, id: long, fault: region.outage, target: westeurope, for: 4d}\n"
              "  - {at: +2d, id: short, fault: region.outage, target: westeurope, for: 1d}\n");
    CmkScenario *scenario = reading_good(diagnostics);
    CmkSim sim = reading_build(scenario, CMK_VARIANT_AS_WRITTEN, 1, diagnostics);
    const CmkRegionId region = cmk_region_find("westeurope");
    (void)cmk_engine_run(&sim, scenario->start + 4 * CMK_DAY_US, NULL, NULL);
    cr_expect_eq(cmk_region(sim.world, region)->state, CMK_REGION_FAILED_OVER);
    (void)cmk_engine_run(&sim, scenario->start + 6 * CMK_DAY_US, NULL, NULL);
    cr_expect_eq(cmk_region(sim.world, region)->state, CMK_REGION_UP);
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
}
