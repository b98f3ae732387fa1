/* Requests to the data plane of key vaults: table 1.1 for every type of key, read-only mode, and
 * what is counted (sections 1, 6, 8). */
#include <criterion/criterion.h>

#include <string.h>

#include "models/key.h"
#include "models/key_vault.h"
#include "tests/unit/models/estate.h"

static Estate *make(const EstateOptions *options)
{
    Estate *estate = estate_new(options);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

/* ---- table 1.1 for every type of key --------------------------------------------------------- */

/* Columns of the table. */
typedef enum Column {
    READS,
    MAKES,  /* wrap, encrypt, sign */
    UNDOES, /* unwrap, decrypt, verify */
    COLUMN__COUNT
} Column;

#define RSA (1 << CMK_KEY_RSA | 1 << CMK_KEY_RSA_HSM)
#define EC (1 << CMK_KEY_EC | 1 << CMK_KEY_EC_HSM)
#define OCT (1 << CMK_KEY_OCT_HSM)

static const struct {
    CmkOpId op;
    Column column;
    int types;      /* that it can be done with: KV-21, KV-22 */
    bool is_public; /* the public key could do it (OQ-7) */
} requests[] = {
    {CMK_OP_KEY_GET, READS, RSA | EC | OCT, false}, {CMK_OP_KEY_WRAP, MAKES, RSA | OCT, true},
    {CMK_OP_KEY_ENCRYPT, MAKES, RSA | OCT, true},   {CMK_OP_KEY_SIGN, MAKES, RSA | EC, false},
    {CMK_OP_KEY_UNWRAP, UNDOES, RSA | OCT, false},  {CMK_OP_KEY_DECRYPT, UNDOES, RSA | OCT, false},
    {CMK_OP_KEY_VERIFY, UNDOES, RSA | EC, true},
};

#define PAST (ESTATE_START - CMK_HOUR_US)
#define FUTURE (ESTATE_START + 900 * CMK_DAY_US)
#define GONE CMK_STATUS_OF(KEY_NOT_FOUND)
#define OFF CMK_STATUS_OF(KEY_DISABLED)

static const struct {
    const char *name;
    int64_t enabled, expires, not_before; /* as key.update takes them */
    CmkOpId then[2];
    CmkStatus answers[COLUMN__COUNT];
    bool is_there;
} states[] = {
    {"enabled", 0, 0, 0, {0}, {0, 0, 0}, true},
    {"expired", 0, PAST, 0, {0}, {0, CMK_STATUS_OF(KEY_EXPIRED), 0}, true},
    {"not yet valid", 0, 0, FUTURE, {0}, {0, CMK_STATUS_OF(KEY_NOT_YET_VALID), 0}, true},
    {"disabled", 1, 0, 0, {0}, {0, OFF, OFF}, true},
    {"disabled, expired", 1, PAST, 0, {0}, {0, OFF, OFF}, true},
    {"disabled, not yet valid", 1, 0, FUTURE, {0}, {0, OFF, OFF}, true},
    {"deleted", 0, 0, 0, {CMK_OP_KEY_DELETE}, {GONE, GONE, GONE}, false},
    {"purged", 0, 0, 0, {CMK_OP_KEY_DELETE, CMK_OP_KEY_PURGE}, {GONE, GONE, GONE}, false},
};

static CmkArgs about_spare_key(const Estate *estate, CmkOpId op)
{
    CmkArgs args = estate_args(estate, op);
    args.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    args.ref[CMK_REF_KEY] = ESTATE_SPARE_KEY;
    args.ref[CMK_REF_VERSION] = 3;
    args.ref[CMK_REF_PRINCIPAL] =
        cmk_identity(estate->sim.world, (CmkIdentityId){ESTATE_IDENTITY})->principal;
    args.num[0] = 0; /* not for a job: as the key vault answers */
    return args;
}

static void check_state(uint32_t type, size_t state, bool allows_public)
{
    Estate *estate = make(
        &(EstateOptions){.has_no_cmk = true,
                         .has_no_purge_protection = true,
                         .sku = CMK_SKU_PREMIUM,
                         .spare_key_type = type,
                         .knobs = {[CMK_KNOB_DISABLED_ALLOWS_PUBLIC_OPS] = allows_public ? 2 : 0}});
    CmkArgs update = about_spare_key(estate, CMK_OP_KEY_UPDATE);
    update.num[0] = states[state].enabled;
    update.num[1] = states[state].expires;
    update.num[2] = states[state].not_before;
    (void)estate_must_apply(estate, update);
    for (int i = 0; i < 2 && states[state].then[i] != CMK_OP_NONE; i++) {
        (void)estate_must_apply(estate, about_spare_key(estate, states[state].then[i]));
    }
    cr_assert_str_eq(estate->trouble, "");
    for (size_t i = 0; i < CMK_ARRAY_LEN(requests); i++) {
        const CmkArgs args = about_spare_key(estate, requests[i].op);
        const CmkStatus got = cmk_would_apply(&estate->sim, &args).status;
        CmkStatus wanted = states[state].answers[requests[i].column];
        if (allows_public && requests[i].is_public && wanted == OFF) {
            const CmkStatus late = requests[i].column == MAKES && states[state].expires == PAST
                                       ? CMK_STATUS_OF(KEY_EXPIRED)
                                   : requests[i].column == MAKES && states[state].not_before != 0
                                       ? CMK_STATUS_OF(KEY_NOT_YET_VALID)
                                       : CMK_STATUS_OK;
            wanted = late;
        }
        if (states[state].is_there && (requests[i].types >> type & 1) == 0) {
            wanted = CMK_STATUS_OF(BAD_PARAMETER);
        }
        cr_expect_eq(got, wanted, "type %u, %s, %s: %s", type, states[state].name,
                     estate->sim.model->operations[requests[i].op]->name,
                     estate_status_name(estate, got));
    }
    estate_free(estate);
}

Test(key_requests, answers_are_those_of_table_1_1_for_every_type)
{
    for (uint32_t type = 0; type < CMK_KEY_TYPE__COUNT; type++) {
        for (size_t state = 0; state < CMK_ARRAY_LEN(states); state++) {
            check_state(type, state, false);
            check_state(type, state, true);
        }
    }
}

/* KV-4, KV-5: whatever a key can do, Backup takes RSA keys only. */
Test(key_requests, backup_takes_no_symmetric_key)
{
    Estate *estate =
        make(&(EstateOptions){.sku = CMK_SKU_PREMIUM, .spare_key_type = CMK_KEY_OCT_HSM});
    CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    update.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    update.ref[CMK_REF_KEY] = ESTATE_SPARE_KEY;
    (void)estate_must_apply(estate, update);
    estate_run(estate, CMK_MINUTE_US);
    cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->args.num[0],
                 CMK_STATUS_OF(MISSING_PERMISSION));
    cr_assert_eq(estate_last(estate, CMK_OP_ENCRYPTION_VALIDATE)->guard, CMK_GUARD_KEY_IS_RSA);
    estate_free(estate);
}

/* ---- read-only mode -------------------------------------------------------------------------- */

/* REL-7: what the pair of a lost region answers; all else that is asked of keys is refused. */
Test(key_requests, read_only_mode_lets_through_what_changes_nothing)
{
    static const CmkOpId allowed[] = {
        CMK_OP_KEY_LIST_DELETED, CMK_OP_KEY_GET_DELETED, CMK_OP_KEY_SHOW,   CMK_OP_KEY_WRAP_DATA,
        CMK_OP_KEY_UNWRAP_DATA,  CMK_OP_KEY_RELEASE,     CMK_OP_KEY_LIST,   CMK_OP_KEY_GET,
        CMK_OP_KEY_ENCRYPT,      CMK_OP_KEY_DECRYPT,     CMK_OP_KEY_WRAP,   CMK_OP_KEY_UNWRAP,
        CMK_OP_KEY_VERIFY,       CMK_OP_KEY_SIGN,        CMK_OP_KEY_BACKUP, CMK_OP_SECRET_GET};
    const CmkModel *model = cmk_azure_model();
    uint32_t asked = 0;
    for (CmkOpId op = 1; op < model->operation_count; op++) {
        const char *action = model->operations[op]->action;
        if (action == NULL || strncmp(action, "Microsoft.KeyVault/", 19) != 0 ||
            strncmp(model->operations[op]->name, "managed_hsm.", 12) == 0 || /* no key vaults */
            op == CMK_OP_KEY_VAULT_CREATE) { /* another key vault in another region */
            continue;
        }
        bool is_allowed = false;
        for (size_t i = 0; i < CMK_ARRAY_LEN(allowed); i++) {
            is_allowed |= allowed[i] == op;
        }
        Estate *estate = make(&(EstateOptions){
            .uses_policies = strncmp(model->operations[op]->name, "access_policy", 13) == 0,
            .has_secret = op == CMK_OP_SECRET_GET});
        if (op == CMK_OP_KEY_VAULT_RECOVER || op == CMK_OP_KEY_VAULT_PURGE) {
            (void)estate_must(estate, CMK_OP_KEY_VAULT_DELETE);
        }
        if (op == CMK_OP_KEY_GET_DELETED) {
            (void)estate_must(estate, CMK_OP_KEY_DELETE);
        }
        (void)estate_must(estate, CMK_OP_REGION_LOSE);
        estate_run(estate, 5 * CMK_HOUR_US);
        const CmkStatus got = estate_try(estate, op).status;
        cr_expect_eq(got, is_allowed ? CMK_STATUS_OK : CMK_STATUS_OF(KEY_VAULT_READ_ONLY), "%s: %s",
                     model->operations[op]->name, estate_status_name(estate, got));
        estate_free(estate);
        asked++;
    }
    cr_expect_geq(asked, 20);
}

/* ---- what is counted ------------------------------------------------------------------------- */

static CmkKeyVaultMeter meter_of(const Estate *estate)
{
    return *cmk_key_vault_meter(estate->sim.world, (CmkKeyVaultId){ESTATE_KV});
}

static int64_t billed(const Estate *estate)
{
    return meter_of(estate).requests_2048 + meter_of(estate).requests_other;
}

/* THR-1: creations have limits of their own, a hundredth of the others and less. */
Test(key_requests, creations_fill_a_window_sooner)
{
    const struct {
        CmkOpId op;
        CmkKeyType type;
        uint32_t limit;
    } cases[] = {{CMK_OP_KEY_CREATE, CMK_KEY_RSA, 20},
                 {CMK_OP_KEY_CREATE, CMK_KEY_EC_HSM, 10},
                 {CMK_OP_KEY_ROTATE, CMK_KEY_RSA, 20},
                 {CMK_OP_KEY_RELEASE, CMK_KEY_RSA, 20}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make(&(EstateOptions){.sku = CMK_SKU_PREMIUM, .has_no_cmk = true});
        CmkArgs args = estate_args(estate, cases[i].op);
        args.num[0] = args.op == CMK_OP_KEY_CREATE ? (int64_t)cases[i].type : 0;
        args.num[1] = 0;
        uint32_t answered = 0;
        while (answered < 100 && estate_apply(estate, &args).status == CMK_STATUS_OK) {
            answered++;
        }
        cr_expect_eq(answered, cases[i].limit, "case %zu: %u", i, answered);
        cr_expect_eq(estate_apply(estate, &args).status, CMK_STATUS_OF(THROTTLED));
        estate_free(estate);
    }
}

/* COST-23: each request that reaches authorisation is counted once, whoever asks for what. */
Test(key_requests, each_is_billed_once)
{
    static const CmkOpId asked[] = {
        CMK_OP_KEY_GET,         CMK_OP_KEY_LIST,        CMK_OP_KEY_ENCRYPT,
        CMK_OP_KEY_DECRYPT,     CMK_OP_KEY_SIGN,        CMK_OP_KEY_VERIFY,
        CMK_OP_KEY_ROTATE,      CMK_OP_KEY_UPDATE,      CMK_OP_KEY_CREATE,
        CMK_OP_KEY_DELETE,      CMK_OP_KEY_DELETE,      CMK_OP_KEY_GET,
        CMK_OP_KEY_RECOVER,     CMK_OP_KEY_PURGE,       CMK_OP_KEY_SHOW,
        CMK_OP_KEY_WRAP_DATA,   CMK_OP_KEY_UNWRAP_DATA, CMK_OP_KEY_RELEASE,
        CMK_OP_KEY_GET_DELETED, CMK_OP_KEY_LIST_DELETED};
    Estate *estate = make(NULL);
    for (size_t i = 0; i < CMK_ARRAY_LEN(asked); i++) {
        const int64_t before = billed(estate);
        (void)estate_try(estate, asked[i]);
        cr_expect_eq(billed(estate), before + 1, "%s",
                     estate->sim.model->operations[asked[i]]->name);
    }
    const CmkKeyVaultMeter before = meter_of(estate);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE); /* a fault, not a request */
    (void)estate_try(estate, CMK_OP_KEY_ROTATE);          /* turned away: THR-5 */
    cr_expect_eq(billed(estate), before.requests_2048 + before.requests_other);
    cr_expect_eq(meter_of(estate).window_used, before.window_used);
    cr_expect_eq(meter_of(estate).refused, before.refused + 1);
    estate_free(estate);
}

/* Puts the estate before one request that is throttled and has no right, either or both. */
static void ask_once(Estate *estate, bool is_throttled, bool is_without_rights)
{
    if (is_without_rights) {
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    }
    if (is_throttled) {
        (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE);
    }
    (void)estate_try(estate, CMK_OP_KEY_GET);
}

/* OQ-20: what is looked at first also says what is billed, and what takes room in the window. */
Test(key_requests, rights_can_be_looked_at_before_the_window)
{
    const struct {
        bool is_rights_first, is_throttled, is_without_rights;
        CmkGuardId guard;
        bool is_billed, takes_room;
    } cases[] = {{false, true, true, CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED, false, false},
                 {false, true, false, CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED, false, false},
                 {false, false, true, CMK_GUARD_ROLE_LETS_GET, true, true},
                 {true, true, true, CMK_GUARD_ROLE_LETS_GET, true, false},
                 {true, true, false, CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED, true, false},
                 {true, false, true, CMK_GUARD_ROLE_LETS_GET, true, false},
                 {true, false, false, CMK_GUARD_NONE, true, true}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        EstateOptions options = {0};
        options.knobs[CMK_KNOB_THROTTLING_AFTER_AUTHORISATION] = cases[i].is_rights_first + 1;
        Estate *estate = make(&options);
        const CmkKeyVaultMeter before = meter_of(estate);
        ask_once(estate, cases[i].is_throttled, cases[i].is_without_rights);
        const CmkKeyVaultMeter after = meter_of(estate);
        cr_expect_eq(estate_last(estate, CMK_OP_KEY_GET)->guard, cases[i].guard, "case %zu", i);
        cr_expect_eq(after.requests_2048 - before.requests_2048, cases[i].is_billed, "case %zu", i);
        cr_expect_eq(after.window_used > before.window_used, cases[i].takes_room, "case %zu", i);
        cr_expect_eq(after.refused - before.refused, cases[i].guard != CMK_GUARD_NONE);
        estate_free(estate);
    }
}

/* Every request that can be throttled, whoever makes it, can also be looked at for rights first. */
Test(key_requests, the_window_stands_right_before_the_rights)
{
    const CmkModel *model = cmk_azure_model();
    uint32_t throttled = 0;
    for (uint32_t op = 1; op < model->operation_count; op++) {
        const CmkGuardId *guards = model->operations[op]->guards;
        for (uint32_t i = 0; i < CMK_GUARDS_MAX && guards[i] != CMK_GUARD_NONE; i++) {
            if (guards[i] == CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED) {
                throttled++;
                cr_expect_eq(model->guards[guards[i + 1]]->status, CMK_STATUS_OF(FORBIDDEN_BY_RBAC),
                             "%s", model->operations[op]->name);
                cr_expect_eq(model->guards[guards[i + 2]]->status, CMK_STATUS_OF(ACCESS_DENIED),
                             "%s", model->operations[op]->name);
            }
        }
    }
    cr_assert_eq(throttled, 29);
}

/* SD-6: what the key vault does by itself is no request, and no noisy neighbour stops it. */
Test(key_requests, the_key_vault_does_not_ask_itself)
{
    Estate *estate = make(&(EstateOptions){.has_no_cmk = true});
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE);
    const int64_t before = billed(estate);
    estate_run(estate, 91 * CMK_DAY_US);
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_PURGE)->status, CMK_STATUS_OK);
    cr_assert_eq(billed(estate), before);
    estate_free(estate);
}

/* ---- what clients read off a key ------------------------------------------------------------- */

Test(key_requests, recovery_levels_tell_the_protection)
{
    const struct {
        bool has_no_soft_delete, has_no_purge_protection;
        int64_t days;
        const char *text;
        uint32_t recoverable_days;
    } cases[] = {{true, true, 90, "Purgeable", 0},
                 {false, true, 90, "Recoverable+Purgeable", 90},
                 {false, false, 90, "Recoverable", 90},
                 {false, true, 89, "CustomizedRecoverable+Purgeable", 89},
                 {false, false, 7, "CustomizedRecoverable", 7}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make(&(EstateOptions){.has_no_cmk = true});
        const CmkKeyId key = {ESTATE_ABSENT_KEY};
        CmkKey *row = cmk_world_row_mut(estate->sim.world, CMK_TABLE_KEY, key.i);
        row->key_vault = ESTATE_ABSENT_KV;
        CmkArgs create = estate_args(estate, CMK_OP_KEY_VAULT_CREATE);
        create.ref[CMK_REF_KEY_VAULT] = ESTATE_ABSENT_KV;
        create.num[4] = cases[i].has_no_purge_protection ? CMK_SAYS_FALSE : CMK_SAYS_TRUE;
        create.num[2] = cases[i].days;
        (void)estate_must_apply(estate, create);
        if (cases[i].has_no_soft_delete) {
            CmkKeyVault *vault =
                cmk_world_row_mut(estate->sim.world, CMK_TABLE_KEY_VAULT, ESTATE_ABSENT_KV);
            vault->has_soft_delete = 0; /* an old one: SD-2 */
        }
        const CmkRecoveryLevel level = cmk_key_recovery_level(estate->sim.world, key);
        cr_expect_str_eq(cmk_recovery_level_text(level), cases[i].text);
        cr_expect_eq(cmk_recovery_level_has_soft_delete(level), !cases[i].has_no_soft_delete);
        cr_expect_eq(cmk_recovery_level_has_purge_protection(level),
                     !cases[i].has_no_purge_protection);
        cr_expect_eq(cmk_key_recoverable_days(estate->sim.world, key), cases[i].recoverable_days);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* KV-6, KV-7 */
Test(key_requests, identifiers_are_those_of_the_service)
{
    Estate *estate = make(NULL);
    const CmkWorld *world = estate->sim.world;
    char uri[CMK_KEY_URI_SIZE];
    char version[CMK_VERSION_TEXT_SIZE];
    char other[CMK_VERSION_TEXT_SIZE];
    cmk_key_uri_format(world, (CmkKeyId){ESTATE_KEY}, (CmkVersionId){0}, uri);
    cr_assert_str_eq(uri, "https://kv.vault.azure.net/keys/key");
    cmk_version_format(world, (CmkVersionId){1}, version);
    cmk_version_format(world, (CmkVersionId){2}, other);
    cr_assert_eq(strlen(version), 32);
    cr_assert_eq(strspn(version, "0123456789abcdef"), 32);
    cr_assert_str_neq(version, other);
    cmk_key_uri_format(world, (CmkKeyId){ESTATE_KEY}, (CmkVersionId){1}, uri);
    cr_assert_eq(strncmp(uri, "https://kv.vault.azure.net/keys/key/", 36), 0);
    cr_assert_str_eq(uri + 36, version);
    cmk_version_format(world, (CmkVersionId){1}, other);
    cr_assert_str_eq(version, other, "the same row, the same name");
    estate_free(estate);
}

static bool is_in_log(const char *name)
{
    const CmkModel *model = cmk_azure_model();
    for (uint32_t i = 1; i < model->operation_count; i++) {
        const char *audit = model->operations[i]->audit;
        if (audit != NULL && strcmp(audit, name) == 0) {
            return true;
        }
    }
    return false;
}

/* KV-32 */
Test(key_requests, the_log_has_the_names_of_the_service)
{
    static const char *const names[] = {
        "KeyGet",      "KeyWrap",      "KeyUnwrap", "KeyCreate",      "KeyDelete",
        "KeyRecover",  "KeyPurge",     "KeyRotate", "KeyRotateIfDue", "KeyUpdate",
        "VaultDelete", "VaultRecover", "VaultPatch"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(names); i++) {
        cr_expect(is_in_log(names[i]), "no operation is logged as %s", names[i]);
    }
    cr_expect_str_eq(cmk_azure_model()->operations[CMK_OP_KEY_WRAP]->audit, "KeyWrap");
    cr_expect_str_eq(cmk_azure_model()->operations[CMK_OP_KEY_UNWRAP]->audit, "KeyUnwrap");
}
