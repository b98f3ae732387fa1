/* How faults end: on the target they had, with what was there, and the last of several only. */
#include <criterion/criterion.h>

#include "sim/engine.h"
#include "tests/unit/scenarios/reading.h"

#define TIMELINE SMALL "timeline:\n"

typedef struct Run {
    CmkDiagnostics *diagnostics;
    CmkScenario *scenario;
    CmkSim sim;
} Run;

static Run begin(const char *text)
{
    Run run = {.diagnostics = reading_of(text)};
    run.scenario = reading_good(run.diagnostics);
    run.sim = reading_build(run.scenario, CMK_VARIANT_AS_WRITTEN, 1, run.diagnostics);
    return run;
}

static void end(Run *run)
{
    cmk_world_free(run->sim.world);
    cmk_scenario_free(run->scenario);
    cmk_diagnostics_free(run->diagnostics);
}

static void run_to(Run *run, int64_t hours)
{
    cr_assert_eq(cmk_engine_run(&run->sim, run->scenario->start + hours * CMK_HOUR_US, NULL, NULL),
                 CMK_ENGINE_REACHED);
}

/* A version of the only key, by its number. */
static const CmkVersion *version(const Run *run, uint32_t number)
{
    uint32_t row = cmk_key(run->sim.world, (CmkKeyId){1})->current_version;
    while (cmk_version(run->sim.world, (CmkVersionId){row})->number != number) {
        row = cmk_version(run->sim.world, (CmkVersionId){row})->previous;
        cr_assert_neq(row, 0);
    }
    return cmk_version(run->sim.world, (CmkVersionId){row});
}

/* OQ-35: of one moment a fault comes before a step, and its end does, wherever the file has them.
 */
Test(fault_ends, faults_of_a_moment_come_before_its_steps)
{
    static const char fault[] =
        "  - {at: +1d, id: f, fault: key.disable, target: kv-prod/kek, for: 1d}\n";
    static const char at_start[] =
        "  - {at: +1d, do: key.update, with: {key: kv-prod/kek/1, enabled: true}}\n";
    static const char at_end[] =
        "  - {at: +2d, do: key.update, with: {key: kv-prod/kek/1, enabled: false}}\n";
    const struct {
        const char *first, *second;
        int64_t hours;
        uint32_t is_enabled;
    } files[] = {{fault, at_start, 25, 1},
                 {at_start, fault, 25, 1},
                 {fault, at_end, 49, 0},
                 {at_end, fault, 49, 0}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(files); i++) {
        g_autofree char *text = g_strconcat(TIMELINE, files[i].first, files[i].second, NULL);
        Run run = begin(text);
        run_to(&run, files[i].hours);
        cr_expect_eq(version(&run, 1)->is_enabled, files[i].is_enabled, "%zu", i);
        end(&run);
    }
}

/* ---- the version (KV-16, ROT-14) ------------------------------------------------------------- */

/* Whether the fault names the version or means the one that is current when it acts: its end is
 * about the same one, however the key was rotated meanwhile. */
Test(fault_ends, act_on_the_version_of_the_fault)
{
    static const char *const targets[] = {"kv-prod/kek/1", "kv-prod/kek"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(targets); i++) {
        g_autofree char *text = g_strconcat(
            TIMELINE "  - {at: +1d, fault: key.disable, target: ", targets[i],
            ", for: 1d}\n"
            "  - {at: +25h, do: key.rotate, with: kv-prod/kek}\n"
            "  - {at: +26h, do: key.update, with: {key: kv-prod/kek/2, enabled: false}}\n",
            NULL);
        Run run = begin(text);
        run_to(&run, 47);
        cr_assert_eq(version(&run, 1)->is_enabled, 0, "%s", targets[i]);
        run_to(&run, 49);
        cr_assert_eq(version(&run, 1)->is_enabled, 1, "%s", targets[i]);
        cr_assert_eq(version(&run, 2)->is_enabled, 0, "%s: not the fault's", targets[i]);
        end(&run);
    }
}

/* ---- what was there -------------------------------------------------------------------------- */

Test(fault_ends, give_back_the_expiry_that_was_there)
{
    Run run = begin(TIMELINE "  - {at: +12h, do: key.update, with: {key: kv-prod/kek, expires: "
                             "+20d}}\n"
                             "  - {at: +1d, fault: key.expire, target: kv-prod/kek, for: 1d}\n"
                             "  - {at: +1d1h, do: key.rotate, with: kv-prod/kek}\n");
    run_to(&run, 47);
    cr_assert_eq(version(&run, 1)->expires, run.scenario->start + CMK_DAY_US);
    run_to(&run, 49);
    cr_assert_eq(version(&run, 1)->expires, run.scenario->start + 20 * CMK_DAY_US);
    cr_assert_eq(version(&run, 1)->is_enabled, 1);
    cr_assert_eq(version(&run, 2)->expires, CMK_TIME_MAX);
    end(&run);
}

Test(fault_ends, leave_disabled_what_was_disabled)
{
    Run run = begin(TIMELINE "  - {at: +12h, do: key.update, with: {key: kv-prod/kek, enabled: "
                             "false}}\n"
                             "  - {at: +1d, fault: key.disable, target: kv-prod/kek, for: 1d}\n");
    run_to(&run, 49);
    cr_assert_eq(version(&run, 1)->is_enabled, 0);
    end(&run);
}

/* What the world says at the start may have changed by then. */
Test(fault_ends, give_back_the_role_that_was_there)
{
    Run run = begin(TIMELINE
                    "  - {at: +1h, do: role.assign, with: {principal: id-backup, role: Key Vault "
                    "Crypto User, scope: kv-prod}}\n"
                    "  - {at: +2h, do: role.remove, with: {principal: id-backup, role: " ROLE
                    ", scope: kv-prod}}\n"
                    "  - {at: +1d, fault: role.revoke, target: {principal: id-backup, scope: "
                    "kv-prod}, for: 1d}\n");
    run_to(&run, 49);
    const CmkPrincipalId principal = {cmk_identity(run.sim.world, (CmkIdentityId){1})->principal};
    const CmkAssignmentId last = {cmk_principal(run.sim.world, principal)->first_assignment};
    cr_assert_eq(cmk_assignment_state(run.sim.world, last), CMK_ASSIGNMENT_ACTIVE);
    cr_assert_eq(cmk_assignment(run.sim.world, last)->role, cmk_role_find("Key Vault Crypto User"));
    end(&run);
}

/* How many roles the identity has at the key vault now, `role` among them or else -1. */
static int64_t roles_with(const Run *run, const char *role)
{
    const CmkPrincipalId principal = {cmk_identity(run->sim.world, (CmkIdentityId){1})->principal};
    uint32_t row = cmk_principal(run->sim.world, principal)->first_assignment;
    int64_t roles = 0;
    bool has_it = false;
    while (row != 0) {
        const CmkAssignmentId id = {row};
        const CmkAssignment *assignment = cmk_assignment(run->sim.world, id);
        if (cmk_assignment_state(run->sim.world, id) == CMK_ASSIGNMENT_ACTIVE) {
            roles++;
            has_it |= assignment->role == cmk_role_find(role);
        }
        row = assignment->next_of_principal;
    }
    return has_it ? roles : -1;
}

/* That of the world and two that came later, of which a role at another scope is none; also where
 * somebody has given one of them back meanwhile. */
Test(fault_ends, give_back_all_the_roles_that_were_there)
{
    static const char *const meanwhile[] = {
        "", "  - {at: +30h, do: role.assign, with: {principal: id-backup, role: " ROLE
            ", scope: kv-prod}}\n"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(meanwhile); i++) {
        g_autofree char *text = g_strconcat(
            TIMELINE "  - {at: +1h, do: role.assign, with: {principal: id-backup, role: Key Vault "
                     "Crypto User, scope: kv-prod}}\n"
                     "  - {at: +2h, do: role.assign, with: {principal: id-backup, role: Key Vault "
                     "Reader, scope: kv-prod}}\n"
                     "  - {at: +1d, fault: role.revoke, target: {principal: id-backup, scope: "
                     "kv-prod}, for: 1d}\n",
            meanwhile[i], NULL);
        Run run = begin(text);
        run_to(&run, 23);
        cr_assert_eq(roles_with(&run, ROLE), 3);
        run_to(&run, 47);
        cr_assert_eq(roles_with(&run, ROLE), i == 0 ? -1 : 1);
        run_to(&run, 49);
        cr_expect_eq(roles_with(&run, ROLE), 3);
        cr_expect_eq(roles_with(&run, "Key Vault Crypto User"), 3);
        cr_expect_eq(roles_with(&run, "Key Vault Reader"), 3);
        end(&run);
    }
}

/* A role that the world does not know of when it is read. */
Test(fault_ends, give_back_the_one_role_that_they_name)
{
    Run run = begin(TIMELINE
                    "  - {at: +1h, do: role.assign, with: {principal: id-backup, role: Key Vault "
                    "Crypto User, scope: kv-prod}}\n"
                    "  - {at: +1d, fault: role.revoke, target: {principal: id-backup, role: Key "
                    "Vault Crypto User, scope: kv-prod}, for: 1d}\n");
    run_to(&run, 47);
    cr_assert_eq(roles_with(&run, ROLE), 1);
    run_to(&run, 49);
    cr_assert_eq(roles_with(&run, "Key Vault Crypto User"), 2);
    end(&run);
}

/* ---- several on one target ------------------------------------------------------------------- */

/* Hours of the ends: as long as one of them lasts, none ends; a fault on another target or of
 * another kind is not waited for. */
static const struct {
    const char *name;
    const char *timeline;
    int64_t until_hour;
} overlaps[] = {
    {"one after the other",
     "  - {at: +1d, fault: key.disable, target: kv-prod/kek, for: 2d}\n"
     "  - {at: +2d, fault: key.disable, target: kv-prod/kek/1, for: 2d}\n",
     96},
    {"one within the other",
     "  - {at: +1d, fault: key.disable, target: kv-prod/kek, for: 3d}\n"
     "  - {at: +2d, fault: key.disable, target: kv-prod/kek, for: 1d}\n",
     96},
    {"both end together",
     "  - {at: +1d, fault: key.disable, target: kv-prod/kek, for: 2d}\n"
     "  - {at: +2d, fault: key.disable, target: kv-prod/kek, for: 1d}\n",
     72},
    {"three in a chain",
     "  - {at: +1d, fault: key.disable, target: kv-prod/kek, for: 30h}\n"
     "  - {at: +2d, fault: key.disable, target: kv-prod/kek, for: 30h}\n"
     "  - {at: +3d, fault: key.disable, target: kv-prod/kek, for: 30h}\n",
     102},
    {"one that does not end",
     "  - {at: +1d, fault: key.disable, target: kv-prod/kek, for: 1d}\n"
     "  - {at: +1d6h, fault: key.disable, target: kv-prod/kek}\n",
     0},
    {"one that does not end is remedied",
     "  - {at: +1d, fault: key.disable, target: kv-prod/kek, for: 3d}\n"
     "  - {at: +1d6h, id: second, fault: key.disable, target: kv-prod/kek}\n"
     "  - {at: +2d, do: key.update, with: {key: kv-prod/kek, expires: +29d}, remedies: second}\n",
     96},
    {"another kind",
     "  - {at: +1d, fault: key.disable, target: kv-prod/kek, for: 1d}\n"
     "  - {at: +1d6h, fault: key.expire, target: kv-prod/kek, for: 3d}\n",
     48},
};

Test(fault_ends, last_of_several_gives_back)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(overlaps); i++) {
        g_autofree char *text = g_strconcat(TIMELINE, overlaps[i].timeline, NULL);
        Run run = begin(text);
        const int64_t until = overlaps[i].until_hour != 0 ? overlaps[i].until_hour : 24 * 20;
        for (int64_t hour = 30; hour < until; hour += 6) {
            run_to(&run, hour);
            cr_assert_eq(version(&run, 1)->is_enabled, 0, "%s: after %d h", overlaps[i].name,
                         (int)hour);
        }
        run_to(&run, until + 1);
        cr_assert_eq(version(&run, 1)->is_enabled, overlaps[i].until_hour != 0, "%s",
                     overlaps[i].name);
        end(&run);
    }
}

/* They say nothing of a value, so that the end of the first would be noticed at once. */
Test(fault_ends, last_of_several_is_waited_for_by_every_kind)
{
    static const char *const faults[] = {"keyvault.throttle, target: kv-prod",
                                         "service.fail, target: {vault: bv-prod}"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(faults); i++) {
        g_autofree char *text =
            g_strconcat(TIMELINE "  - {at: +1d, fault: ", faults[i],
                        ", for: 2d}\n  - {at: +2d, fault: ", faults[i], ", for: 2d}\n", NULL);
        Run run = begin(text);
        const CmkKeyVault *key_vault = cmk_key_vault(run.sim.world, (CmkKeyVaultId){1});
        const CmkBackupVault *vault = cmk_backup_vault(run.sim.world, (CmkBackupVaultId){1});
        run_to(&run, 95);
        cr_assert_eq((key_vault->taken_ppm != 0) + vault->is_service_failing, 1, "%s", faults[i]);
        run_to(&run, 97);
        cr_assert_eq((key_vault->taken_ppm != 0) + vault->is_service_failing, 0, "%s", faults[i]);
        end(&run);
    }
}

/* ---- networks, neighbours -------------------------------------------------------------------- */

#define OF_NETWORKS                                                                                \
    HEAD                                                                                           \
        "world:\n  networks: [{name: snet, kind: subnet}]\n" KEY_VAULT IDENTITY POLICY VAULT GRANT \
        "timeline:\n"

static const CmkRuleSet *rules_of(const Run *run)
{
    return cmk_rule_set(run->sim.world, (CmkRuleSetId){1});
}

/* Each gives back what it took, and leaves alone what others have changed meanwhile. */
Test(fault_ends, network_settings_come_back_one_by_one)
{
    Run run = begin(
        OF_NETWORKS
        "  - {at: +12h, do: key_vault.set_network, with: {key_vault: kv-prod, bypass: none}}\n"
        "  - {at: +1d, fault: network.deny, target: kv-prod, for: 1d}\n"
        "  - {at: +30h, fault: network.deny, target: kv-prod, for: 1d}\n"
        "  - {at: +36h, fault: network.disable_public_access, target: kv-prod, for: 2d}\n");
    run_to(&run, 47);
    cr_expect_eq(rules_of(&run)->default_action, CMK_DEFAULT_ACTION_DENY);
    cr_expect_eq(rules_of(&run)->public_access, CMK_PUBLIC_ACCESS_DISABLED);
    run_to(&run, 53);
    cr_expect_eq(rules_of(&run)->default_action, CMK_DEFAULT_ACTION_DENY, "the second lasts");
    run_to(&run, 55);
    cr_expect_eq(rules_of(&run)->default_action, CMK_DEFAULT_ACTION_ALLOW);
    cr_expect_eq(rules_of(&run)->public_access, CMK_PUBLIC_ACCESS_DISABLED);
    run_to(&run, 85);
    cr_expect_eq(rules_of(&run)->public_access, CMK_PUBLIC_ACCESS_ENABLED);
    cr_expect_eq(rules_of(&run)->bypass, CMK_BYPASS_NONE);
    end(&run);
}

Test(fault_ends, a_private_endpoint_comes_back_as_it_was)
{
    for (int approved = 0; approved <= 1; approved++) {
        g_autofree char *text = g_strconcat(
            OF_NETWORKS "  - {at: +1h, do: key_vault.connect_private_endpoint, with: {key_vault: "
                        "kv-prod, network: snet, approved: ",
            approved != 0 ? "true" : "false",
            "}}\n  - {at: +1d, fault: network.break_private_endpoint, target: {key_vault: kv-prod,"
            " network: snet}, for: 1d}\n",
            NULL);
        Run run = begin(text);
        const CmkPrivateEndpointId id = {1};
        run_to(&run, 36);
        cr_expect_eq(cmk_private_endpoint(run.sim.world, id)->state, CMK_ENDPOINT_DISCONNECTED);
        run_to(&run, 49);
        cr_expect_eq(cmk_private_endpoint(run.sim.world, id)->state,
                     approved != 0 ? CMK_ENDPOINT_APPROVED : CMK_ENDPOINT_PENDING);
        end(&run);
    }
}

/* Of two neighbours the later one says how much is taken, and the last one to leave ends it. */
Test(fault_ends, a_neighbour_takes_a_share)
{
    Run run = begin(
        TIMELINE "  - {at: +1d, fault: keyvault.throttle, target: {key_vault: kv-prod, share: 30%},"
                 " for: 2d}\n"
                 "  - {at: +2d, fault: keyvault.throttle, target: {key_vault: kv-prod, share: 60%},"
                 " for: 2d}\n");
    const CmkKeyVault *key_vault = cmk_key_vault(run.sim.world, (CmkKeyVaultId){1});
    run_to(&run, 25);
    cr_expect_eq(key_vault->taken_ppm, 300000);
    run_to(&run, 73);
    cr_expect_eq(key_vault->taken_ppm, 600000);
    run_to(&run, 97);
    cr_expect_eq(key_vault->taken_ppm, 0);
    end(&run);
}

/* ---- the world at the start ------------------------------------------------------------------ */

static uint32_t pinned_number(const CmkWorld *world, uint32_t vault)
{
    const CmkBackupVault *row = cmk_backup_vault(world, (CmkBackupVaultId){vault});
    cr_assert_eq(row->encryption, CMK_ENCRYPTION_ENABLED);
    return cmk_version(world, (CmkVersionId){row->pinned_version})->number;
}

/* ROT-1, BV-20: a user-assigned identity opens the pinned version when the vault is made, for each
 * member of a fleet too; while the key has newer versions. */
Test(versions, settings_are_pinned_from_the_start)
{
    g_auto(GStrv) around = g_strsplit(SMALL, "{name: kek}", 2);
    g_autofree char *keys = g_strjoinv("{name: kek, versions: 3}", around);
    g_auto(GStrv) parts = g_strsplit(keys, "key: kv-prod/kek,", 2);
    for (uint32_t number = 1; number <= 3; number++) {
        g_autofree char *key = g_strdup_printf("key: kv-prod/kek/%u,", number);
        g_autofree char *world = g_strjoinv(key, parts);
        g_autofree char *text =
            g_strconcat(world, "  fleets: [{count: 2, name: \"bv-{n}\", like: bv-prod}]\n", NULL);
        Run run = begin(text);
        cr_assert_eq(cmk_key(run.sim.world, (CmkKeyId){1})->version_count, 3);
        cr_assert_eq(version(&run, 3)->previous, 2);
        for (uint32_t vault = 1; vault <= 3; vault++) {
            cr_assert_eq(pinned_number(run.sim.world, vault), number, "vault %u", vault);
        }
        end(&run);
    }
}

/* What is said of a key holds for each of its versions. */
Test(versions, are_all_alike)
{
    g_auto(GStrv) around = g_strsplit(SMALL, "{name: kek}", 2);
    g_autofree char *text = g_strjoinv("{name: kek, versions: 2, expires: +9d}", around);
    Run run = begin(text);
    for (uint32_t number = 1; number <= 2; number++) {
        cr_assert_eq(version(&run, number)->expires, run.scenario->start + 9 * CMK_DAY_US);
    }
    cr_assert_eq(cmk_backup_vault(run.sim.world, (CmkBackupVaultId){1})->pinned_version, 0);
    end(&run);
}

/* A fault that somebody remedied is over: its end overwrites nothing that people did since. */
Test(fault_ends, do_nothing_once_the_fault_is_remedied)
{
    Run run = begin(
        TIMELINE "  - {at: +1d, id: f, fault: key.disable, target: kv-prod/kek, for: 9d}\n"
                 "  - {at: +2d, do: key.update, with: {key: kv-prod/kek, enabled: true}, remedies: "
                 "f}\n"
                 "  - {at: +5d, do: key.update, with: {key: kv-prod/kek, enabled: false}}\n");
    run_to(&run, 11 * 24);
    cr_assert_eq(version(&run, 1)->is_enabled, 0);
    end(&run);
}

/* Errors of Backup in a region and everywhere are two faults: the end of one leaves the other. */
Test(fault_ends, tell_a_region_from_everywhere)
{
    Run run = begin(TIMELINE
                    "  - {at: +1d, fault: service.fail, target: {region: westeurope}, for: 10d}\n"
                    "  - {at: +2d, fault: service.fail, for: 1d}\n");
    const CmkRegionId region = cmk_region_find("westeurope");
    run_to(&run, 4 * 24);
    cr_assert_eq(cmk_region(run.sim.world, region)->is_service_failing, 1);
    cr_assert_eq(cmk_settings(run.sim.world, (CmkNameId){1})->is_service_failing, 0);
    run_to(&run, 12 * 24);
    cr_assert_eq(cmk_region(run.sim.world, region)->is_service_failing, 0);
    end(&run);
}
