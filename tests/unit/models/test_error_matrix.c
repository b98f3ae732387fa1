/* The matrix ERR-M by what really happens: each condition is brought about in a world, and then
 * settings are updated, a backup, a restore, tiering and expiry run, and the vault is deleted. The
 * table below is section 11.2, cell by cell; a code is written as the rule of section 11.1 that
 * describes it. */
#include <criterion/criterion.h>

#include <string.h>

#include "models/error_map.h"
#include "tests/unit/models/estate.h"

#define OK "ok"         /* the condition does not hinder it */
#define SILENT "silent" /* it fails, and nobody is told */

/* Full copies into vault and archive, so that every kind of job has something to do. */
#define DATASOURCE "AzureDatabaseForPostgreSQLFlexibleServer"

typedef struct Step {
    CmkOpId op;
    int64_t num[3];   /* where 0 does not do */
    const char *role; /* NULL: the usual one */
} Step;

typedef struct Condition {
    const char *rule;
    const char *text;
    EstateOptions options;
    Step steps[3];
    int64_t days; /* that pass then */
    uint32_t key; /* to update the settings to; 0: the one they have */
    const char *settings;
    const char *job; /* backup and restore; NULL: the condition cannot arise later */
    const char *tiering;
    const char *expiry;
    const char *deletion;
} Condition;

#define GET_AND_WRAP (CMK_PERMISSION_GET | CMK_PERMISSION_WRAP)
#define GET_AND_UNWRAP (CMK_PERMISSION_GET | CMK_PERMISSION_UNWRAP)
#define POLICIES .options = {.uses_policies = true}
#define SYSTEM .options = {.uses_system = true}
#define ALL_OF(code) .job = (code), .tiering = SILENT, .expiry = SILENT, .deletion = "ERR-7"

static const Condition conditions[] = {
    {.rule = "ERR-M1",
     .text = "system-assigned identity off",
     SYSTEM,
     .steps = {{.op = CMK_OP_SYSTEM_IDENTITY_DISABLE}},
     .settings = "ERR-5",
     ALL_OF("ERR-1")},
    {.rule = "ERR-M2",
     .text = "user-assigned identity detached",
     .steps = {{.op = CMK_OP_IDENTITY_DETACH}},
     .settings = "ERR-6",
     ALL_OF("ERR-1")},
    {.rule = "ERR-M2",
     .text = "user-assigned identity deleted",
     .steps = {{.op = CMK_OP_IDENTITY_DELETE}},
     .settings = "ERR-6",
     ALL_OF("ERR-1")},
    {.rule = "ERR-M3",
     .text = "role removed",
     .steps = {{.op = CMK_OP_ROLE_REMOVE}},
     .settings = "ERR-2",
     ALL_OF("ERR-1")},
    {.rule = "ERR-M3",
     .text = "access policy removed",
     POLICIES,
     .steps = {{.op = CMK_OP_ACCESS_POLICY_REMOVE}},
     .settings = "ERR-2",
     ALL_OF("ERR-1")},
    {.rule = "ERR-M4",
     .text = "role that reads only",
     .steps = {{.op = CMK_OP_ROLE_REMOVE}, {.op = CMK_OP_ROLE_ASSIGN, .role = "Key Vault Reader"}},
     .settings = "ERR-1",
     ALL_OF("ERR-1")},
    {.rule = "ERR-M4",
     .text = "access policy without unwrap",
     POLICIES,
     .steps = {{.op = CMK_OP_ACCESS_POLICY_SET, .num = {GET_AND_WRAP}}},
     .settings = "ERR-1",
     ALL_OF("ERR-1")},
    /* Only an update and a move to the archive wrap (BK-30 to BK-35). */
    {.rule = "ERR-M4",
     .text = "access policy without wrap",
     POLICIES,
     .steps = {{.op = CMK_OP_ACCESS_POLICY_SET, .num = {GET_AND_UNWRAP}}},
     .settings = "ERR-1",
     .job = OK,
     .tiering = SILENT,
     .expiry = OK,
     .deletion = OK},
    {.rule = "ERR-M5",
     .text = "key vault deleted",
     .steps = {{.op = CMK_OP_KEY_VAULT_DELETE}},
     .settings = "ERR-2",
     ALL_OF("ERR-2")},
    {.rule = "ERR-M5",
     .text = "key vault purged",
     .steps = {{.op = CMK_OP_KEY_VAULT_DELETE}},
     .days = 91,
     .settings = "ERR-2",
     ALL_OF("ERR-2")},
    {.rule = "ERR-M6",
     .text = "key deleted",
     .steps = {{.op = CMK_OP_KEY_DELETE}},
     .settings = "ERR-2",
     ALL_OF("ERR-2")},
    {.rule = "ERR-M6",
     .text = "key purged",
     .steps = {{.op = CMK_OP_KEY_DELETE}},
     .days = 91,
     .settings = "ERR-2",
     ALL_OF("ERR-2")},
    {.rule = "ERR-M6",
     .text = "pinned version deleted",
     .options = {.is_pinned = true},
     .steps = {{.op = CMK_OP_KEY_DELETE}},
     .settings = "ERR-2",
     ALL_OF("ERR-2")},
    {.rule = "ERR-M7",
     .text = "firewall closed to a system-assigned identity",
     SYSTEM,
     .steps = {{.op = CMK_OP_KEY_VAULT_SET_NETWORK,
                .num = {0, CMK_DEFAULT_ACTION_DENY + 1, CMK_BYPASS_NONE + 1}}},
     .settings = "ERR-2",
     ALL_OF("ERR-2")},
    {.rule = "ERR-M7",
     .text = "no public access and no private link",
     SYSTEM,
     .steps = {{.op = CMK_OP_KEY_VAULT_SET_NETWORK,
                .num = {CMK_PUBLIC_ACCESS_DISABLED + 1, 0, CMK_BYPASS_NONE + 1}}},
     .settings = "ERR-2",
     ALL_OF("ERR-2")},
    /* With a user-assigned identity an update is refused before it looks for the key (9.4). */
    {.rule = "ERR-M7",
     .text = "firewall closed to a user-assigned identity",
     .steps = {{.op = CMK_OP_KEY_VAULT_SET_NETWORK}},
     .settings = "ERR-17",
     ALL_OF("ERR-2")},
    {.rule = "ERR-M8",
     .text = "elliptic-curve key",
     .options = {.spare_key_type = CMK_KEY_EC},
     .key = ESTATE_SPARE_KEY,
     .settings = "ERR-1"},
    {.rule = "ERR-M9",
     .text = "version disabled",
     .steps = {{.op = CMK_OP_KEY_UPDATE, .num = {1}}},
     .settings = "ERR-2",
     ALL_OF("ERR-2")},
    {.rule = "ERR-M10",
     .text = "version expired",
     .steps = {{.op = CMK_OP_KEY_UPDATE, .num = {0, ESTATE_START}}},
     .settings = "ERR-2",
     ALL_OF("ERR-2")},
    {.rule = "ERR-M10",
     .text = "version not yet valid",
     .steps = {{.op = CMK_OP_KEY_UPDATE, .num = {0, 0, ESTATE_START + 900 * CMK_DAY_US}}},
     .settings = "ERR-2",
     ALL_OF("ERR-2")},
    {.rule = "ERR-M11",
     .text = "key vault without soft delete",
     .options = {.spare_has_no_soft_delete = true, .spare_has_no_purge_protection = true},
     .key = ESTATE_SPARE_KEY,
     .settings = "ERR-3"},
    {.rule = "ERR-M11",
     .text = "key vault without purge protection",
     .options = {.spare_has_no_purge_protection = true},
     .key = ESTATE_SPARE_KEY,
     .settings = "ERR-4"},
    {.rule = "ERR-M12",
     .text = "region lost",
     .steps = {{.op = CMK_OP_REGION_LOSE}},
     .settings = "ERR-12",
     ALL_OF("ERR-12")},
    {.rule = "ERR-M12",
     .text = "throttled for long",
     .steps = {{.op = CMK_OP_KEY_VAULT_THROTTLE}},
     .settings = "ERR-12",
     ALL_OF("ERR-12")},
    {.rule = "ERR-M13",
     .text = "subscription moved to another tenant",
     .steps = {{.op = CMK_OP_SUBSCRIPTION_MOVE_TENANT}},
     .settings = "ERR-2",
     ALL_OF("ERR-1")},
    {.rule = "ERR-M13",
     .text = "system-assigned identity made anew",
     SYSTEM,
     .steps = {{.op = CMK_OP_SYSTEM_IDENTITY_DISABLE}, {.op = CMK_OP_SYSTEM_IDENTITY_ENABLE}},
     .settings = "ERR-2",
     ALL_OF("ERR-1")},
};

/* ---- what becomes of a job ------------------------------------------------------------------- */

/* Listens for the end of the first task of one kind. */
typedef struct Ear {
    CmkTaskKind kind;
    bool has_failed;
    bool has_ended;
    CmkStatus status;
} Ear;

static void listen(void *self, const CmkWorld *world, const CmkRecord *record)
{
    Ear *ear = self;
    const CmkTask *task = cmk_task(world, (CmkTaskId){record->args.ref[CMK_REF_TASK]});
    if (record->status != CMK_STATUS_OK || ear->has_ended || task->kind != (uint32_t)ear->kind) {
        return;
    }
    ear->has_failed = record->args.op == CMK_OP_TASK_FAIL;
    ear->has_ended = ear->has_failed || record->args.op == CMK_OP_TASK_FINISH ||
                     record->args.op == CMK_OP_BACKUP_COMMIT ||
                     record->args.op == CMK_OP_RESTORE_COMMIT ||
                     record->args.op == CMK_OP_BACKUP_VAULT_VANISH ||
                     record->args.op == CMK_OP_ENCRYPTION_COMMIT;
    ear->status = ear->has_failed ? (CmkStatus)record->args.num[0] : CMK_STATUS_OK;
}

/* "ERR-2" of UserErrorCMKKeyVaultAuthFailure; the name of a status that section 11.1 lacks. */
static const char *rule_of(CmkStatus status)
{
    const CmkErrorFacts *facts = cmk_error_facts(status);
    return facts != NULL ? facts->rule : cmk_azure_model()->statuses[status].name;
}

/* A world at 05:00, before the day's maintenance: one point is due to expire or to be moved. */
static Estate *make(const Condition *condition, CmkTaskKind kind, Ear *ear)
{
    EstateOptions options = condition->options;
    options.datasource = DATASOURCE;
    options.retention_days = kind == CMK_TASK_TIERING ? 400 : 1;
    options.archive_days = kind == CMK_TASK_TIERING ? 1 : 0;
    Estate *estate = estate_new_read(&options, &(CmkReader){listen, ear}, 1);
    estate_run(estate, CMK_DAY_US + 5 * CMK_HOUR_US);
    for (size_t i = 0; i < CMK_ARRAY_LEN(condition->steps) && condition->steps[i].op != 0; i++) {
        const Step *step = &condition->steps[i];
        CmkArgs args = estate_args(estate, step->op);
        for (size_t k = 0; k < CMK_ARRAY_LEN(step->num); k++) {
            args.num[k] = step->num[k] != 0 ? step->num[k] : args.num[k];
        }
        args.num[0] = step->role != NULL ? cmk_role_find(step->role) : args.num[0];
        (void)estate_must_apply(estate, args);
    }
    estate_run(estate, condition->days * CMK_DAY_US);
    cr_assert_str_eq(estate->trouble, "", "%s: %s", condition->text, estate->trouble);
    *ear = (Ear){.kind = kind};
    return estate;
}

/* Asks, waits for the job, and says what became of it. */
static const char *end_of(Estate *estate, const Ear *ear, CmkArgs args)
{
    estate_rewind(estate);
    const CmkOutcome outcome = estate_apply(estate, &args);
    if (outcome.status != CMK_STATUS_OK) {
        return rule_of(outcome.status);
    }
    estate_run(estate, CMK_HOUR_US + CMK_MINUTE_US); /* a restore takes an hour */
    if (!ear->has_ended) {
        return "it goes on";
    }
    if (ear->has_failed && !cmk_task_facts(ear->kind)->is_seen) {
        return SILENT;
    }
    return ear->has_failed ? rule_of(ear->status) : OK;
}

static void expect(const Condition *condition, const char *what, const char *got, const char *want)
{
    cr_expect_str_eq(got, want, "%s (%s), %s: %s instead of %s", condition->rule, condition->text,
                     what, got, want);
}

/* ---- one column each ------------------------------------------------------------------------- */

/* Passing trouble makes the settings Inconsistent (BV-27), refusals leave them alone (BV-28). */
Test(error_matrix, of_an_update_of_the_settings)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(conditions); i++) {
        const Condition *condition = &conditions[i];
        Ear ear = {0};
        Estate *estate = make(condition, CMK_TASK_SETTINGS, &ear);
        const uint32_t before = estate_vault(estate)->encryption;
        CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        args.ref[CMK_REF_KEY] = condition->key != 0 ? condition->key : args.ref[CMK_REF_KEY];
        expect(condition, "settings", end_of(estate, &ear, args), condition->settings);
        const bool is_passing = strcmp(condition->rule, "ERR-M12") == 0;
        cr_expect_eq(estate_vault(estate)->encryption,
                     is_passing ? CMK_ENCRYPTION_INCONSISTENT : before, "%s (%s): state",
                     condition->rule, condition->text);
        estate_free(estate);
    }
}

Test(error_matrix, of_a_backup_and_of_a_restore)
{
    const struct {
        CmkOpId op;
        CmkTaskKind kind;
        const char *name;
    } jobs[] = {{CMK_OP_BACKUP_RUN, CMK_TASK_BACKUP_ON_DEMAND, "backup on demand"},
                {CMK_OP_BACKUP_START, CMK_TASK_BACKUP, "backup"},
                {CMK_OP_BACKUP_RESTORE, CMK_TASK_RESTORE, "restore"}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(conditions); i++) {
        for (size_t k = 0; k < CMK_ARRAY_LEN(jobs) && conditions[i].job != NULL; k++) {
            Ear ear = {0};
            Estate *estate = make(&conditions[i], jobs[k].kind, &ear);
            const CmkArgs args = estate_args(estate, jobs[k].op);
            expect(&conditions[i], jobs[k].name, end_of(estate, &ear, args), conditions[i].job);
            cr_expect_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT) +
                             estate_count(estate, CMK_OP_RESTORE_COMMIT),
                         strcmp(conditions[i].job, OK) == 0, "%s (%s), %s", conditions[i].rule,
                         conditions[i].text, jobs[k].name);
            estate_free(estate);
        }
    }
}

/* What fails in silence leaves its points where they are. */
Test(error_matrix, of_tiering_and_of_expiry)
{
    const struct {
        CmkOpId op;
        CmkTaskKind kind;
        CmkOpId each;
    } works[] = {{CMK_OP_TIERING_START, CMK_TASK_TIERING, CMK_OP_POINT_TIER},
                 {CMK_OP_EXPIRY_START, CMK_TASK_EXPIRY, CMK_OP_POINT_EXPIRE}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(conditions); i++) {
        for (size_t k = 0; k < CMK_ARRAY_LEN(works) && conditions[i].job != NULL; k++) {
            Ear ear = {0};
            Estate *estate = make(&conditions[i], works[k].kind, &ear);
            const CmkArgs args = estate_args(estate, works[k].op);
            const bool is_tiering = works[k].kind == CMK_TASK_TIERING;
            const char *want = is_tiering ? conditions[i].tiering : conditions[i].expiry;
            const char *what = is_tiering ? "tiering" : "expiry";
            expect(&conditions[i], what, end_of(estate, &ear, args), want);
            cr_expect_eq(estate_count(estate, works[k].each) > 0, strcmp(want, OK) == 0,
                         "%s (%s), %s", conditions[i].rule, conditions[i].text, what);
            estate_free(estate);
        }
    }
}

/* The vault is emptied first, which takes no key. */
Test(error_matrix, of_the_deletion_of_the_vault)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(conditions); i++) {
        if (conditions[i].deletion == NULL) {
            continue;
        }
        Ear ear = {0};
        Estate *estate = make(&conditions[i], CMK_TASK_DELETION, &ear);
        CmkArgs args = estate_args(estate, CMK_OP_BACKUP_VAULT_SET_SOFT_DELETE);
        args.num[0] = 1; /* off */
        (void)estate_must_apply(estate, args);
        (void)estate_must(estate, CMK_OP_INSTANCE_DELETE);
        estate_run(estate, CMK_SECOND_US);
        (void)estate_must(estate, CMK_OP_BACKUP_POLICY_DELETE);
        cr_expect_str_eq(estate->trouble, "", "%s: %s", conditions[i].text, estate->trouble);
        args = estate_args(estate, CMK_OP_BACKUP_VAULT_DELETE);
        expect(&conditions[i], "deletion", end_of(estate, &ear, args), conditions[i].deletion);
        estate_free(estate);
    }
}
