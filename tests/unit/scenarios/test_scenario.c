/*
 * Malformed scenario files: what is said about each file of the corpus; and the tables from which
 * files are read.
 */
#include "scenarios/scenario.h"

#include <string.h>

#include <criterion/criterion.h>

#include "scenarios/language.h"
#include "tests/unit/scenarios/reading.h"

#define CORPUS "tests/corpus/bad"

/* ---- mistakes -------------------------------------------------------------------------------- */

/* A file that the rules refuse leaves no world behind. */
Test(scenario, refused_world_is_gone)
{
    g_autoptr(CmkDiagnostics) diagnostics =
        reading_of_file(CORPUS "/rules-purge-protection-off.yaml");
    CmkScenario *scenario = reading_good(diagnostics);
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
        g_autofree char *said = reading_complaints(texts[i]);
        cr_assert_str_neq(said, "", "text %zu", i);
    }
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
    {"absent-instance-with-size",
     {25, 40},
     1,
     "a backup instance that does not exist has no `size`",
     "say it in the step that creates the backup instance: do: instance."},
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
    {"comment-only", {0, 0}, 1, "the file holds nothing", "write `key: value` lines into it"},
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
    {"expectation-after-horizon",
     {32, 16},
     1,
     "`+600d` is after the horizon, which ends at",
     "give a longer `horizon`"},
    {"instance-misspelt",
     {29, 52},
     1,
     "there is no backup instance called `medai`",
     "did you mean `media`?"},
    {"instant-without-plus",
     {29, 10},
     1,
     "`5d` is a length of time; write +5d to count from the start",
     NULL},
    {"role-unlike-any",
     {27, 36},
     2,
     "`Backup Vault Reader` is not a role of the model",
     "`cmksim list roles` lists them"},
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
     "this world is too large: it needs room for 2191521979 recovery points, and there is room "
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
    {"instance-without-datasource",
     {25, 11},
     1,
     "a backup instance needs the key `datasource`",
     NULL},
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
    {"policy-without-schedule-of-a-disk",
     {24, 89},
     1,
     "AzureDisk is backed up by a schedule only (BK-D1)",
     "add `schedule` to the policy"},
    {"protect-unknown-datasource",
     {29, 73},
     1,
     "`AzureBlobs` is not a datasource of the model",
     "did you mean `AzureBlob`?"},
    {"restore-of-an-unknown-point",
     {29, 66},
     1,
     "`newest` is not a choice of a recovery point",
     "possible are `latest`, `oldest`"},
    {"restore-to-no-moment",
     {29, 66},
     1,
     "`2025-03-04` is not an instant: the time of day is missing",
     NULL},
    {"retention-in-hours",
     {16, 27},
     1,
     "`48h` is no retention: that is given in days, weeks, months",
     NULL},
    {"retention-rule-of-a-time-of-25-hours",
     {18, 63},
     1,
     "`25:00` is not a time of the day",
     "possible is `02:00`"},
    {"retention-rule-of-many-times",
     {18, 62},
     1,
     "a rule has at most 7 times",
     "leave `times` out to take them all"},
    {"retention-rule-of-no-day",
     {18, 54},
     1,
     "`takes_at` says no day and no time",
     "write for instance {days_of_week: [sunday]}"},
    {"retention-rule-of-two-criteria",
     {18, 74},
     1,
     "a rule has `takes` or `takes_at`, not both",
     "leave one of the two out"},
    {"rules-absent-policy",
     {26, 11},
     1,
     "the rules refuse this world (BK-4): ResourceNotFound",
     "this must hold: The policy is there."},
    {"schedule-daily-of-a-database",
     {25, 101},
     1,
     "AzureDatabaseForMySQL is not backed up by such a schedule (BK-D6)",
     "let the policy's schedules end in P1W"},
    {"schedule-hourly-of-blobs",
     {25, 89},
     1,
     "AzureBlob is not backed up by such a schedule (BK-D2)",
     "let the policy's schedules end in P1D or P1W"},
    {"schedule-of-continuous-backups",
     {25, 89},
     1,
     "AzureBlob is backed up all the time in its operational store",
     "leave `schedule` out of the policy"},
    {"schedule-of-every-hour",
     {25, 89},
     1,
     "AzureDisk is not backed up by such a schedule (BK-D1)",
     "PT4H, PT6H, PT8H, PT12H or P1D"},
    {"scope-in-wrong-kind",
     {8, 49},
     1,
     "a resource group lies in a subscription, but `mg-corp` is a management group",
     "name a subscription"},
    {"store-of-a-database",
     {25, 101},
     1,
     "AzureDatabaseForMySQL has no operational store (BK-D6)",
     "leave `operational` out of the policy"},
    {"store-of-a-disk",
     {25, 89},
     1,
     "AzureDisk is not kept in the vault (BK-D1)",
     "leave `vault` out of the policy"},
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
     {26, 89},
     1,
     "AzureBlob has no archive (BK-D2)",
     "leave the archive out of the policy"},
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
     "did you mean `Key Vault Crypto Service Encryption User`?"},
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
    g_autoptr(CmkDiagnostics) diagnostics = reading_of_file(path);
    CmkScenario *scenario = cmk_scenario_read(diagnostics);
    CmkSim sim = {.model = cmk_azure_model()};
    const bool is_built = scenario != NULL && cmk_scenario_build(scenario, CMK_VARIANT_AS_WRITTEN,
                                                                 1, &sim, diagnostics);
    cr_assert_not(is_built, "%s is accepted", path);
    cr_assert_null(sim.world, "%s leaves a world", path);
    g_autofree char *text = reading_messages(diagnostics);
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
