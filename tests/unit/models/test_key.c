/* Keys and versions: table 1.1, soft delete and purge, throttling windows (sections 1, 2, 8). */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

#include "models/key_vault.h"
#include "tests/unit/models/estate.h"

static Estate *make(const EstateOptions *options)
{
    Estate *estate = estate_new(options);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

static CmkOutcome ask(Estate *estate, CmkOpId request, int64_t is_job)
{
    CmkArgs args = estate_args(estate, request);
    args.num[0] = is_job;
    return cmk_would_apply(&estate->sim, &args);
}

/* ---- table 1.1 ------------------------------------------------------------------------------- */

#define PAST (ESTATE_START - CMK_HOUR_US)
#define FUTURE (ESTATE_START + 900 * CMK_DAY_US)

typedef struct KeyState {
    const char *name;
    int64_t enabled, expires, not_before; /* as key.update takes them */
    CmkOpId then;                         /* key.delete, key.purge or none */
    CmkStatus get, wrap, unwrap;
    CmkStatus job_unwrap; /* OQ-6: Backup wants the window where Key Vault would unwrap */
} KeyState;

static const KeyState states[] = {
    {"enabled, in window", 0, 0, 0, 0, CMK_STATUS_OK, CMK_STATUS_OK, CMK_STATUS_OK, CMK_STATUS_OK},
    {"enabled, expired", 0, PAST, 0, 0, CMK_STATUS_OK, CMK_STATUS_OF(KEY_EXPIRED), CMK_STATUS_OK,
     CMK_STATUS_OF(KEY_EXPIRED)},
    {"enabled, not yet valid", 0, 0, FUTURE, 0, CMK_STATUS_OK, CMK_STATUS_OF(KEY_NOT_YET_VALID),
     CMK_STATUS_OK, CMK_STATUS_OF(KEY_NOT_YET_VALID)},
    {"disabled", 1, 0, 0, 0, CMK_STATUS_OK, CMK_STATUS_OF(KEY_DISABLED),
     CMK_STATUS_OF(KEY_DISABLED), CMK_STATUS_OF(KEY_DISABLED)},
    {"disabled, expired (KV-34)", 1, PAST, 0, 0, CMK_STATUS_OK, CMK_STATUS_OF(KEY_DISABLED),
     CMK_STATUS_OF(KEY_DISABLED), CMK_STATUS_OF(KEY_DISABLED)},
    {"disabled, not yet valid", 1, 0, FUTURE, 0, CMK_STATUS_OK, CMK_STATUS_OF(KEY_DISABLED),
     CMK_STATUS_OF(KEY_DISABLED), CMK_STATUS_OF(KEY_DISABLED)},
    {"soft-deleted", 0, 0, 0, CMK_OP_KEY_DELETE, CMK_STATUS_OF(KEY_NOT_FOUND),
     CMK_STATUS_OF(KEY_NOT_FOUND), CMK_STATUS_OF(KEY_NOT_FOUND), CMK_STATUS_OF(KEY_NOT_FOUND)},
    {"disabled, expired, soft-deleted", 1, PAST, 0, CMK_OP_KEY_DELETE, CMK_STATUS_OF(KEY_NOT_FOUND),
     CMK_STATUS_OF(KEY_NOT_FOUND), CMK_STATUS_OF(KEY_NOT_FOUND), CMK_STATUS_OF(KEY_NOT_FOUND)},
    {"purged", 0, 0, 0, CMK_OP_KEY_PURGE, CMK_STATUS_OF(KEY_NOT_FOUND),
     CMK_STATUS_OF(KEY_NOT_FOUND), CMK_STATUS_OF(KEY_NOT_FOUND), CMK_STATUS_OF(KEY_NOT_FOUND)},
};

static void bring_into(Estate *estate, const KeyState *state)
{
    CmkArgs args = estate_args(estate, CMK_OP_KEY_UPDATE);
    args.num[0] = state->enabled;
    args.num[1] = state->expires;
    args.num[2] = state->not_before;
    (void)estate_must_apply(estate, args);
    if (state->then != CMK_OP_NONE) {
        (void)estate_must(estate, CMK_OP_KEY_DELETE);
    }
    if (state->then == CMK_OP_KEY_PURGE) {
        (void)estate_must(estate, CMK_OP_KEY_PURGE);
    }
    cr_assert_str_eq(estate->trouble, "", "%s: %s", state->name, estate->trouble);
}

/* Where the key vault would unwrap it is the window that Backup minds, and nothing else. */
static CmkStatus accepted(const KeyState *state)
{
    return state->unwrap == CMK_STATUS_OK     ? state->job_unwrap
           : state->expires == PAST           ? CMK_STATUS_OF(KEY_EXPIRED)
           : state->not_before > ESTATE_START ? CMK_STATUS_OF(KEY_NOT_YET_VALID)
                                              : CMK_STATUS_OK;
}

Test(key, answers_by_state_are_those_of_table_1_1)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(states); i++) {
        const KeyState *state = &states[i];
        Estate *estate =
            make(&(EstateOptions){.has_no_purge_protection = true, .has_no_cmk = true});
        bring_into(estate, state);
        const struct {
            CmkOpId op;
            int64_t is_job;
            CmkStatus status;
        } asked[] = {{CMK_OP_KEY_GET, 1, state->get},
                     {CMK_OP_KEY_GET, 0, state->get},
                     {CMK_OP_KEY_WRAP, 1, state->wrap},
                     {CMK_OP_KEY_WRAP, 0, state->wrap},
                     {CMK_OP_KEY_UNWRAP, 0, state->unwrap},
                     {CMK_OP_KEY_UNWRAP, 1, state->unwrap},
                     {CMK_OP_BACKUP_ACCEPT_KEY, 1, accepted(state)}};
        for (size_t k = 0; k < CMK_ARRAY_LEN(asked); k++) {
            CmkArgs args = estate_args(estate, asked[k].op);
            args.num[0] = asked[k].is_job;
            args.ref[CMK_REF_VERSION] = 1;
            args.ref[CMK_REF_PRINCIPAL] =
                cmk_identity(estate->sim.world, (CmkIdentityId){ESTATE_IDENTITY})->principal;
            const CmkStatus got = cmk_would_apply(&estate->sim, &args).status;
            cr_assert_eq(got, asked[k].status, "%s: %s (job %d): %s", state->name,
                         estate->sim.model->operations[asked[k].op]->name, (int)asked[k].is_job,
                         estate_status_name(estate, got));
        }
        estate_free(estate);
    }
}

/* KV-13: nbf <= now < exp, at the microsecond. KV-19: attributes change in any state but deleted.
 */
Test(key, the_window_is_closed_at_its_start_and_open_at_its_end)
{
    Estate *estate = make(NULL);
    CmkArgs args = estate_args(estate, CMK_OP_KEY_UPDATE);
    args.num[1] = ESTATE_START + 10 * CMK_SECOND_US;
    args.num[2] = ESTATE_START + 5 * CMK_SECOND_US;
    (void)estate_must_apply(estate, args);
    const struct {
        int64_t at;
        CmkStatus wrap;
    } moments[] = {{4999999, CMK_STATUS_OF(KEY_NOT_YET_VALID)},
                   {5000000, CMK_STATUS_OK},
                   {9999999, CMK_STATUS_OK},
                   {10000000, CMK_STATUS_OF(KEY_EXPIRED)}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(moments); i++) {
        estate_run_until(estate, ESTATE_START + moments[i].at);
        cr_assert_eq(ask(estate, CMK_OP_KEY_WRAP, 1).status, moments[i].wrap, "+%" PRId64 " us",
                     moments[i].at);
    }
    args.num[0] = 1;
    (void)estate_must_apply(estate, args); /* expired: may be changed */
    args.num[0] = 2;
    (void)estate_must_apply(estate, args); /* disabled: too */
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    cr_assert_eq(estate_apply(estate, &args).guard, CMK_GUARD_KEY_EXISTS);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* The knobs that open questions leave: OQ-6, OQ-7. */
Test(key, knobs_for_expired_and_disabled_versions)
{
    EstateOptions options = {0};
    options.knobs[CMK_KNOB_EXPIRED_KEY_RESTORE] = 2;
    options.knobs[CMK_KNOB_DISABLED_ALLOWS_PUBLIC_OPS] = 2;
    Estate *estate = make(&options);
    CmkArgs args = estate_args(estate, CMK_OP_KEY_UPDATE);
    args.num[1] = PAST;
    (void)estate_must_apply(estate, args);
    cr_assert_eq(ask(estate, CMK_OP_BACKUP_ACCEPT_KEY, 1).status, CMK_STATUS_OK, "OQ-6");
    cr_assert_eq(ask(estate, CMK_OP_KEY_UNWRAP, 1).status, CMK_STATUS_OK);
    cr_assert_eq(ask(estate, CMK_OP_KEY_WRAP, 1).status, CMK_STATUS_OF(KEY_EXPIRED));
    args.num[0] = 1;
    args.num[1] = CMK_TIME_MAX;
    (void)estate_must_apply(estate, args);
    cr_assert_eq(ask(estate, CMK_OP_KEY_WRAP, 1).status, CMK_STATUS_OK, "OQ-7");
    cr_assert_eq(ask(estate, CMK_OP_KEY_UNWRAP, 1).status, CMK_STATUS_OF(KEY_DISABLED));
    estate_free(estate);
}

/* ---- soft delete and purge ------------------------------------------------------------------- */

static const CmkKey *key_of(const Estate *estate)
{
    return cmk_key(estate->sim.world, (CmkKeyId){ESTATE_KEY});
}

/* SD-5, SD-6, SD-9, SD-10, SD-11, KVE-9, KVE-11. */
Test(key, a_deleted_key_can_be_recovered_until_its_purge_date)
{
    Estate *estate = make(NULL);
    CmkArgs set = estate_args(estate, CMK_OP_KEY_UPDATE);
    set.num[1] = FUTURE;
    (void)estate_must_apply(estate, set);
    const CmkVersion before = *cmk_version(estate->sim.world, (CmkVersionId){1});

    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    cr_assert_eq(key_of(estate)->purge_at, ESTATE_START + 90 * CMK_DAY_US);
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_DELETE).status, CMK_STATUS_OF(KEY_NOT_FOUND));
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_ROTATE).status, CMK_STATUS_OF(KEY_NOT_FOUND));
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_CREATE).status,
                 CMK_STATUS_OF(KEY_IS_DELETED_BUT_RECOVERABLE));
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_PURGE).status, CMK_STATUS_OF(PURGE_REFUSED));
    estate_run(estate, 90 * CMK_DAY_US - 1);
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_PURGE).status, CMK_STATUS_OF(PURGE_REFUSED));
    (void)estate_must(estate, CMK_OP_KEY_RECOVER);
    cr_assert_eq(memcmp(&before, cmk_version(estate->sim.world, (CmkVersionId){1}), sizeof(before)),
                 0, "all attributes as they were");
    cr_assert_eq(ask(estate, CMK_OP_KEY_UNWRAP, 1).status, CMK_STATUS_OK);
    estate_rewind(estate);
    estate_run(estate, 2 * CMK_DAY_US);
    cr_assert_eq(key_of(estate)->state, CMK_KEY_ACTIVE);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_PURGE), 0, "the old purge timer does nothing");

    (void)estate_must(estate, CMK_OP_KEY_DELETE); /* the date counts from this deletion */
    const CmkTime purge_at = key_of(estate)->purge_at;
    cr_assert_eq(purge_at, cmk_world_now(estate->sim.world) + 90 * CMK_DAY_US);
    estate_run_until(estate, purge_at - 1);
    cr_assert_eq(key_of(estate)->state, CMK_KEY_DELETED);
    estate_run(estate, 1);
    cr_assert_eq(key_of(estate)->state, CMK_KEY_PURGED);
    const CmkRecord *purge = estate_last(estate, CMK_OP_KEY_PURGE);
    cr_assert_eq(purge->status, CMK_STATUS_OK);
    cr_assert_eq(purge->args.actor, CMK_ACTOR_PLATFORM);
    cr_assert_eq(purge->args.cause_seq, estate_last(estate, CMK_OP_KEY_DELETE)->seq);
    cr_assert_eq(cmk_version(estate->sim.world, (CmkVersionId){1})->is_purged, 1);
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_RECOVER).status, CMK_STATUS_OF(KEY_NOT_FOUND));
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* OQ-29, KV-10: a key made anew under the old name opens nothing of the old one. */
Test(key, a_new_key_of_the_same_name_is_another_key)
{
    Estate *estate = make(NULL);
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    estate_run(estate, 90 * CMK_DAY_US); /* purged by itself */
    (void)estate_must(estate, CMK_OP_KEY_CREATE);
    cr_assert_eq(key_of(estate)->version_count, 1);
    const CmkVersionId version = {key_of(estate)->current_version};
    cr_assert_eq(cmk_version(estate->sim.world, version)->previous, 0);
    cr_assert_eq(ask(estate, CMK_OP_KEY_GET, 1).guard, CMK_GUARD_VERSION_EXISTS);
    cr_assert(cmk_point_is_lost(estate->sim.world, (CmkPointId){1}));
    CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    for (uint32_t key = ESTATE_KEY; key <= ESTATE_OTHER_KEY; key++) {
        update.ref[CMK_REF_KEY] = key;
        estate_rewind(estate);
        (void)estate_must_apply(estate, update);
        estate_run(estate, CMK_MINUTE_US);
        cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->args.num[0],
                     CMK_STATUS_OF(AUTH_FAILURE_ON_CURRENT_KEY), "the vault is stuck (BV-37)");
        cr_assert_eq(estate_last(estate, CMK_OP_KEY_GET)->args.ref[CMK_REF_VERSION], 1);
    }
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_DELETE).status, CMK_STATUS_OK);
    estate_free(estate);
}

/* A key vault without soft delete keeps nothing. */
Test(key, without_soft_delete_a_deleted_key_is_gone_at_once)
{
    Estate *estate = make(&(EstateOptions){
        .has_no_cmk = true, .has_no_soft_delete = true, .has_no_purge_protection = true});
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    estate_run(estate, 0);
    cr_assert_eq(key_of(estate)->state, CMK_KEY_PURGED);
    estate_free(estate);
}

/* The date comes while the region is down: the service purges when it can (PURGE_RETRY_US). */
Test(key, a_purge_that_an_outage_stops_comes_later)
{
    Estate *estate = make(NULL);
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    estate_run(estate, 89 * CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    estate_run(estate, 2 * CMK_DAY_US); /* failed over: read-only, no purge (REL-9) */
    cr_assert_eq(key_of(estate)->state, CMK_KEY_DELETED);
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_PURGE)->status, CMK_STATUS_OF(KEY_VAULT_READ_ONLY));
    (void)estate_must(estate, CMK_OP_REGION_RETURN);
    estate_run(estate, 2 * CMK_HOUR_US);
    cr_assert_eq(key_of(estate)->state, CMK_KEY_PURGED);
    estate_free(estate);
}

/* KV-10, KV-25: versions chain, the newest is current, purging takes all. */
Test(key, versions_form_a_chain)
{
    Estate *estate = make(&(EstateOptions){.has_no_purge_protection = true, .has_no_cmk = true});
    for (int i = 2; i <= 5; i++) {
        const uint32_t version =
            estate_must(estate, i % 2 == 0 ? CMK_OP_KEY_ROTATE : CMK_OP_KEY_CREATE);
        cr_assert_eq(cmk_version(estate->sim.world, (CmkVersionId){version})->number, (uint32_t)i);
        cr_assert_eq(key_of(estate)->current_version, version);
    }
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    (void)estate_must(estate, CMK_OP_KEY_PURGE);
    uint32_t purged = 0;
    for (uint32_t i = 1; i <= cmk_world_count(estate->sim.world, CMK_TABLE_VERSION); i++) {
        const CmkVersion *version = cmk_version(estate->sim.world, (CmkVersionId){i});
        cr_assert_eq(version->is_purged, version->key == ESTATE_KEY, "version %u", i);
        purged += version->is_purged;
    }
    cr_assert_eq(purged, 5);
    estate_free(estate);
}

/* ---- throttling ------------------------------------------------------------------------------ */

/* THR-1: requests of each kind in one window of 10 s. */
Test(key, windows_hold_what_the_limits_say)
{
    const struct {
        CmkKeyType type;
        uint32_t bits;
        uint32_t limit;
    } cases[] = {{CMK_KEY_RSA, 2048, 4000},          {CMK_KEY_RSA, 3072, 1000},
                 {CMK_KEY_RSA, 4096, 500},           {CMK_KEY_RSA_HSM, 2048, 2000},
                 {CMK_KEY_RSA_HSM, 3072, 500},       {CMK_KEY_RSA_HSM, 4096, 250},
                 {CMK_KEY_EC, CMK_CURVE_P256, 4000}, {CMK_KEY_EC_HSM, CMK_CURVE_P384, 2000}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make(&(EstateOptions){.sku = CMK_SKU_PREMIUM,
                                               .other_key_type = cases[i].type,
                                               .other_key_bits = cases[i].bits,
                                               .is_not_self_checking = true});
        CmkArgs args = estate_args(estate, CMK_OP_KEY_GET);
        args.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
        args.ref[CMK_REF_VERSION] = 2;
        estate_run(estate, 9 * CMK_SECOND_US); /* windows are aligned (THR-7) */
        for (int window = 0; window < 2; window++) {
            uint32_t answered = 0;
            while (answered <= cases[i].limit &&
                   estate_apply(estate, &args).status == CMK_STATUS_OK) {
                answered++;
            }
            cr_assert_eq(answered, cases[i].limit, "type %u, %u bits: %u", cases[i].type,
                         cases[i].bits, answered);
            cr_assert_eq(estate_apply(estate, &args).guard, CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED);
            estate_run(estate, CMK_SECOND_US); /* the next window begins */
        }
        const CmkKeyVaultMeter *meter =
            cmk_key_vault_meter(estate->sim.world, (CmkKeyVaultId){ESTATE_KV});
        cr_assert_eq(meter->requests_2048 + meter->requests_other, 2 * cases[i].limit, "THR-5");
        cr_assert_eq(meter->refused, 4);
        estate_free(estate);
    }
}

/* THR-1: secrets are made 300 times in a window at most, and whatever else is done with them takes
 * as little as what is done with a small key. */
Test(key, secrets_have_limits_of_their_own)
{
    const struct {
        CmkOpId op;
        uint32_t limit;
    } cases[] = {{CMK_OP_SECRET_SET, 300}, {CMK_OP_SECRET_UPDATE, 4000}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make(&(EstateOptions){.is_not_self_checking = true});
        (void)estate_must(estate, CMK_OP_SECRET_SET);
        estate_run(estate, CMK_WINDOW_US);
        const CmkArgs args = estate_args(estate, cases[i].op);
        uint32_t answered = 0;
        while (estate_apply(estate, &args).status == CMK_STATUS_OK) {
            answered++;
            cr_assert_leq(answered, cases[i].limit);
        }
        cr_assert_eq(answered, cases[i].limit, "%u", answered);
        cr_assert_eq(estate_apply(estate, &args).guard, CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED);
        estate_free(estate);
    }
}

/* THR-2: the reference case, 248 on RSA-4096-HSM and 16 on RSA-2048-HSM fill a window exactly. */
Test(key, windows_add_up_by_weight)
{
    Estate *estate = make(&(EstateOptions){
        .sku = CMK_SKU_PREMIUM, .other_key_type = CMK_KEY_RSA_HSM, .other_key_bits = 4096});
    CmkArgs create = estate_args(estate, CMK_OP_KEY_CREATE);
    create.ref[CMK_REF_KEY] = ESTATE_ABSENT_KEY;
    create.num[0] = CMK_KEY_RSA_HSM;
    const uint32_t version = estate_must_apply(estate, create);
    estate_run(estate, 10 * CMK_SECOND_US); /* what the creation took is given back */
    CmkArgs large = estate_args(estate, CMK_OP_KEY_GET);
    large.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    large.ref[CMK_REF_VERSION] = 2;
    CmkArgs small = estate_args(estate, CMK_OP_KEY_GET);
    small.ref[CMK_REF_KEY] = ESTATE_ABSENT_KEY;
    small.ref[CMK_REF_VERSION] = version;
    for (int i = 0; i < 248; i++) {
        (void)estate_must_apply(estate, large);
    }
    for (int i = 0; i < 16; i++) {
        (void)estate_must_apply(estate, small);
    }
    cr_assert_str_eq(estate->trouble, "");
    cr_assert_eq(estate_apply(estate, &small).status, CMK_STATUS_OF(THROTTLED));
    /* The other key vault has a window of its own. */
    CmkArgs elsewhere = estate_args(estate, CMK_OP_KEY_GET);
    elsewhere.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    elsewhere.ref[CMK_REF_KEY] = ESTATE_SPARE_KEY;
    elsewhere.ref[CMK_REF_VERSION] = 3;
    cr_assert_eq(estate_apply(estate, &elsewhere).status, CMK_STATUS_OK);
    estate_free(estate);
}
