/* Managed HSMs, by hand: the queue, the second region, the security domain, the bill (section 4).
 */
#include <criterion/criterion.h>

#include "models/hsm_capacity.h"
#include "models/key.h"
#include "models/managed_hsm.h"
#include "models/sealer.h"
#include "tests/unit/models/estate.h"

#define HSM                                                                                        \
    (CmkManagedHsmId)                                                                              \
    {                                                                                              \
        ESTATE_HSM                                                                                 \
    }

static Estate *make(EstateOptions options)
{
    options.uses_hsm = true;
    Estate *estate = estate_new(&options);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

static const CmkManagedHsmMeter *meter(const Estate *estate)
{
    return cmk_managed_hsm_meter(estate->sim.world, HSM);
}

/* Work for so long, whoever asked for it. */
static void keep_busy(Estate *estate, int64_t us)
{
    CmkManagedHsmMeter *row =
        cmk_world_row_mut(estate->sim.world, CMK_TABLE_MANAGED_HSM_METER, ESTATE_HSM);
    row->busy_until = cmk_world_now(estate->sim.world) + us;
    row->busy_parts = 0;
}

/* ---- the queue (THR-8, HSM-27) --------------------------------------------------------------- */

static CmkArgs about(Estate *estate, CmkOpId op, uint32_t type, uint32_t bits)
{
    CmkArgs args = estate_args(estate, op);
    CmkVersion *version =
        cmk_world_row_mut(estate->sim.world, CMK_TABLE_VERSION, args.ref[CMK_REF_VERSION]);
    version->type = type;
    version->size_bits = bits;
    return args;
}

/* The table of section 4, one partition. */
Test(managed_hsm, rates_are_those_of_the_rules)
{
    const struct {
        CmkOpId op;
        uint32_t rsa[3]; /* 2048, 3072, 4096 */
        uint32_t aes[3]; /* 128, 192, 256; 0: not in the table */
        uint32_t ec[3];  /* 256, 384, 521 */
    } table[] = {
        {CMK_OP_KEY_GET, {1100, 1100, 1100}, {1100, 1100, 1100}, {1100, 1100, 1100}},
        {CMK_OP_KEY_WRAP, {2200, 1900, 1900}, {2100, 2100, 2100}, {0, 0, 0}},
        {CMK_OP_KEY_UNWRAP, {1100, 360, 160}, {1800, 1900, 2200}, {0, 0, 0}},
        {CMK_OP_KEY_WRAP_DATA, {2200, 1900, 1900}, {2100, 2100, 2100}, {0, 0, 0}},
        {CMK_OP_KEY_ENCRYPT, {2800, 2700, 2300}, {0, 0, 0}, {0, 0, 0}},
        {CMK_OP_KEY_DECRYPT, {1100, 360, 160}, {0, 0, 0}, {0, 0, 0}},
        {CMK_OP_KEY_SIGN, {900, 340, 150}, {0, 0, 0}, {330, 160, 200}},
        {CMK_OP_KEY_VERIFY, {3400, 3400, 3700}, {0, 0, 0}, {130, 82, 28}},
        {CMK_OP_KEY_ROTATE, {1, 1, 1}, {1, 1, 1}, {1, 1, 1}},
        {CMK_OP_KEY_DELETE, {10, 10, 10}, {10, 10, 10}, {10, 10, 10}},
        {CMK_OP_KEY_PURGE, {10, 10, 10}, {10, 10, 10}, {10, 10, 10}},
        {CMK_OP_KEY_BACKUP, {10, 10, 10}, {10, 10, 10}, {10, 10, 10}},
    };
    static const uint32_t bits[3][3] = {{2048, 3072, 4096}, {128, 192, 256}, {256, 384, 521}};
    static const uint32_t types[] = {CMK_KEY_RSA_HSM, CMK_KEY_OCT_HSM, CMK_KEY_EC_HSM};
    Estate *estate = make((EstateOptions){.is_not_self_checking = true});
    for (size_t i = 0; i < CMK_ARRAY_LEN(table); i++) {
        const uint32_t *rates[] = {table[i].rsa, table[i].aes, table[i].ec};
        for (uint32_t j = 0; j < 9; j++) {
            const uint32_t rate = rates[j / 3][j % 3];
            const CmkArgs args = about(estate, table[i].op, types[j / 3], bits[j / 3][j % 3]);
            if (rate != 0) {
                cr_expect_eq(cmk_managed_hsm_rate(estate->sim.world, &args), rate, "%zu %u", i, j);
            }
        }
    }
    estate_free(estate);
}

/* With two partitions a get takes 1/2200 s, which is 454 6/11 us: after 11 of them the queue is
 * 5000 us long, not a part of one longer. Unwrapping with 3072 bits takes 1/720 s. */
Test(managed_hsm, the_queue_is_exact)
{
    Estate *estate = make((EstateOptions){0});
    const CmkTime now = cmk_world_now(estate->sim.world);
    static const int64_t gets[] = {455, 910, 1364, 1819, 2273, 2728, 3182, 3637, 4091, 4546, 5000};
    for (size_t i = 0; i < CMK_ARRAY_LEN(gets); i++) {
        const CmkArgs args = estate_args(estate, CMK_OP_KEY_GET);
        cr_assert_eq(cmk_managed_hsm_wait(estate->sim.world, &args), gets[i]);
        (void)estate_must_apply(estate, args);
        cr_assert_eq(cmk_managed_hsm_backlog(estate->sim.world, HSM), gets[i]);
    }
    cr_assert_eq(meter(estate)->busy_until, now + 5000);
    cr_assert_eq(meter(estate)->busy_parts, 0);
    CmkArgs unwrap = estate_args(estate, CMK_OP_KEY_UNWRAP_DATA);
    unwrap.ref[CMK_REF_KEY] = ESTATE_OTHER_HSM_KEY;
    unwrap.ref[CMK_REF_VERSION] = 0;
    for (int i = 0; i < 9; i++) {
        (void)estate_must_apply(estate, unwrap);
    }
    cr_assert_eq(cmk_managed_hsm_backlog(estate->sim.world, HSM), 17500); /* and 9/720 s */
    cr_assert_eq(meter(estate)->requests, 20);
    cr_assert_eq(meter(estate)->longest_us, 17500);
    estate_run(estate, 17000);
    cr_assert_eq(cmk_managed_hsm_backlog(estate->sim.world, HSM), 500);
    estate_run(estate, 1000); /* idle time is not saved up */
    cr_assert_eq(cmk_managed_hsm_backlog(estate->sim.world, HSM), 0);
    const CmkArgs args = estate_args(estate, CMK_OP_KEY_GET);
    cr_assert_eq(cmk_managed_hsm_wait(estate->sim.world, &args), 455);
    estate_free(estate);
}

/* What is refused takes no place, and a request is let in up to the last microsecond. */
Test(managed_hsm, patience_ends_at_its_microsecond)
{
    Estate *estate = make((EstateOptions){0});
    keep_busy(estate, 30 * CMK_SECOND_US - 454);
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_GET).guard, CMK_GUARD_MANAGED_HSM_HAS_CAPACITY);
    cr_assert_eq(meter(estate)->refused, 1);
    cr_assert_eq(meter(estate)->requests, 0);
    keep_busy(estate, 30 * CMK_SECOND_US - 455);
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_GET).guard, CMK_GUARD_NONE);
    cr_assert_eq(cmk_managed_hsm_backlog(estate->sim.world, HSM), 30 * CMK_SECOND_US);
    estate_free(estate);
}

/* The backup of 02:00 asks twice when it starts and twice when it ends. */
Test(managed_hsm, a_job_waits_for_its_answers)
{
    Estate *estate = make((EstateOptions){0});
    estate_run_until(estate, ESTATE_START + 2 * CMK_HOUR_US - 1);
    keep_busy(estate, 5 * CMK_SECOND_US);
    estate_rewind(estate);
    estate_run(estate, CMK_HOUR_US);
    const CmkRecord *wait = estate_nth(estate, CMK_OP_TASK_WAIT, 0);
    cr_assert_not_null(wait);
    cr_assert_eq(wait->args.cause_seq, estate_nth(estate, CMK_OP_KEY_GET, 0)->seq);
    cr_assert_eq(wait->args.num[1], wait->time + 5 * CMK_SECOND_US - 1 + 455);
    cr_assert_eq(estate_nth(estate, CMK_OP_KEY_UNWRAP, 0)->time, wait->args.num[1]);
    /* Then there is nothing to wait for that anybody could tell. */
    cr_assert_eq(estate_count(estate, CMK_OP_TASK_WAIT), 2);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    cr_assert_eq(estate_count(estate, CMK_OP_TASK_RETRY), 0);
    estate_free(estate);
}

/* An HSM that is too busy is passing trouble: tried again after 1, 2, 4 and 8 s (OQ-25). */
Test(managed_hsm, a_job_comes_again_when_the_queue_is_too_long)
{
    Estate *estate = make((EstateOptions){0});
    estate_run_until(estate, ESTATE_START + 2 * CMK_HOUR_US - 1);
    keep_busy(estate, 40 * CMK_SECOND_US);
    estate_rewind(estate);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_count(estate, CMK_OP_TASK_RETRY), 4);
    cr_assert_eq(meter(estate)->refused, 4);
    cr_assert_eq(estate_count(estate, CMK_OP_BACKUP_COMMIT), 1);
    estate_free(estate);
}

/* ---- the second region (HSM-16, HSM-17) ------------------------------------------------------ */

static const CmkKey *key_of(const Estate *estate)
{
    return cmk_key(estate->sim.world, (CmkKeyId){ESTATE_HSM_KEY});
}

static uint32_t number_of(const Estate *estate, uint32_t version)
{
    return cmk_version(estate->sim.world, (CmkVersionId){version})->number;
}

/* A key with two versions in two regions, of which the second was made so long ago. */
static Estate *make_double(int64_t ago_us)
{
    Estate *estate = make((EstateOptions){.profile = cmk_profile_find("realistic"),
                                          .knobs = {[CMK_KNOB_REPLICATION_LAG] = 1}}); /* none */
    (void)estate_must(estate, CMK_OP_MANAGED_HSM_EXTEND);
    estate_run(estate, 30 * CMK_MINUTE_US);
    (void)estate_must(estate, CMK_OP_KEY_SET_ROTATION_POLICY);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    CmkArgs update = estate_args(estate, CMK_OP_KEY_UPDATE);
    update.num[0] = CMK_SAYS_FALSE; /* of the first version */
    (void)estate_must_apply(estate, update);
    (void)estate_must_apply(estate, update); /* what was before both counts */
    estate_run(estate, ago_us);
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

Test(managed_hsm, the_second_region_lacks_what_is_younger_than_six_minutes)
{
    Estate *estate = make_double(360 * CMK_SECOND_US - 1);
    const uint32_t first = estate_vault(estate)->active_version;
    cr_assert_eq(number_of(estate, key_of(estate)->current_version), 1);
    cr_assert_eq(cmk_version(estate->sim.world, (CmkVersionId){first})->is_enabled, 1);
    CmkArgs show = estate_args(estate, CMK_OP_KEY_SHOW);
    show.ref[CMK_REF_VERSION] = first + 2; /* that of the other key is in between */
    cr_assert_eq(estate_apply(estate, &show).guard, CMK_GUARD_VERSION_EXISTS);
    (void)estate_must(estate, CMK_OP_REGION_RETURN);
    cr_assert_eq(number_of(estate, key_of(estate)->current_version), 2);
    cr_assert_eq(cmk_version(estate->sim.world, (CmkVersionId){first})->is_enabled, 0);
    cr_assert_eq(estate_apply(estate, &show).guard, CMK_GUARD_NONE);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);

    estate = make_double(360 * CMK_SECOND_US);
    cr_assert_eq(number_of(estate, key_of(estate)->current_version), 2);
    cr_assert_eq(cmk_version(estate->sim.world, (CmkVersionId){first})->is_enabled, 0);
    estate_free(estate);
}

/* What is written while the first region is away stays, and what it alone had stands beside it. */
Test(managed_hsm, both_regions_are_one_again)
{
    Estate *estate = make_double(CMK_MINUTE_US);
    const uint32_t first = estate_vault(estate)->active_version;
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    CmkArgs update = estate_args(estate, CMK_OP_KEY_UPDATE);
    update.num[1] = ESTATE_START + 90 * CMK_DAY_US;
    (void)estate_must_apply(estate, update);
    cr_assert_eq(number_of(estate, key_of(estate)->current_version), 3);
    estate_run(estate, CMK_HOUR_US);
    (void)estate_must(estate, CMK_OP_REGION_RETURN);
    uint32_t row = key_of(estate)->current_version;
    for (uint32_t number = 3; number > 0; number--) {
        cr_assert_eq(number_of(estate, row), number);
        cr_assert_eq(cmk_version(estate->sim.world, (CmkVersionId){row})->missing_by, 0);
        row = cmk_version(estate->sim.world, (CmkVersionId){row})->previous;
    }
    cr_assert_eq(row, 0);
    const CmkVersion *version = cmk_version(estate->sim.world, (CmkVersionId){first});
    cr_assert(version->is_enabled == 1 && version->expires == update.num[1], "the later write");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* A key that was deleted in the last minutes is there for the second region, and deleted again for
 * the first; one that was made is there twice, and the later one stays. */
Test(managed_hsm, keys_come_and_go_with_the_region)
{
    Estate *estate = make((EstateOptions){.profile = cmk_profile_find("realistic")});
    (void)estate_must(estate, CMK_OP_MANAGED_HSM_EXTEND);
    estate_run(estate, CMK_HOUR_US);
    CmkArgs create = estate_args(estate, CMK_OP_KEY_CREATE);
    create.ref[CMK_REF_KEY] = ESTATE_ABSENT_HSM_KEY;
    const uint32_t lost = estate_must_apply(estate, create);
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    estate_run(estate, CMK_MINUTE_US);
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    const CmkKey *made = cmk_key(estate->sim.world, (CmkKeyId){ESTATE_ABSENT_HSM_KEY});
    cr_assert_eq(key_of(estate)->state, CMK_KEY_ACTIVE);
    cr_assert_eq(made->state, CMK_KEY_ABSENT);
    const uint32_t kept = estate_must_apply(estate, create);
    (void)estate_must(estate, CMK_OP_REGION_RETURN);
    cr_assert_eq(key_of(estate)->state, CMK_KEY_DELETED);
    cr_assert(made->state == CMK_KEY_ACTIVE && made->current_version == kept);
    cr_assert_eq(cmk_version(estate->sim.world, (CmkVersionId){lost})->is_purged, 1);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* ---- the security domain (HSM-4, HSM-15) ----------------------------------------------------- */

typedef struct Sealed {
    Estate *estate;
    CmkSealer sealer;
} Sealed;

static void open_sealed(Sealed *sealed, EstateOptions options)
{
    char error[CMK_ENVELOPE_ERROR_SIZE] = "";
    CmkEnvelopeOptions envelope = cmk_envelope_options(ESTATE_SEED);
    envelope.key_maker = CMK_KEY_MAKER_CALLER; /* only those that are needed */
    *sealed = (Sealed){.sealer.envelope = cmk_envelope_new(&envelope, error)};
    cr_assert_not_null(sealed->sealer.envelope, "%s", error);
    options.uses_hsm = true;
    const CmkReader reader = cmk_sealer_reader(&sealed->sealer);
    sealed->estate = estate_new_read(&options, &reader, 1);
    cr_assert_str_eq(sealed->estate->trouble, "");
}

static void close_sealed(Sealed *sealed)
{
    cr_assert_str_eq(sealed->sealer.disagreement, "");
    cmk_envelope_free(sealed->sealer.envelope);
    estate_free(sealed->estate);
}

static void expect_points(Sealed *sealed, uint32_t restored, uint32_t refused, uint32_t lost)
{
    const CmkRestoreCounts check =
        cmk_sealer_check_all(&sealed->sealer, cmk_azure_model(), sealed->estate->sim.world);
    cr_expect(check.proven == restored && check.refused == refused && check.lost == lost &&
                  check.mismatch == 0,
              "%u %u %u %u", check.proven, check.refused, check.lost, check.mismatch);
}

/* After the purge of the HSM its backup holds the keys, until nobody can open it any more. */
Test(managed_hsm, what_a_backup_holds_is_lost_with_the_quorum)
{
    Sealed sealed;
    open_sealed(&sealed, (EstateOptions){0});
    estate_run(sealed.estate, CMK_DAY_US);
    expect_points(&sealed, 1, 0, 0);
    (void)estate_must(sealed.estate, CMK_OP_MANAGED_HSM_BACKUP);
    (void)estate_must(sealed.estate, CMK_OP_MANAGED_HSM_DELETE);
    estate_run(sealed.estate, 91 * CMK_DAY_US);
    expect_points(&sealed, 0, 1, 0);
    (void)estate_must(sealed.estate, CMK_OP_MANAGED_HSM_LOSE_DOMAIN_KEYS); /* 2 of 3 are left */
    expect_points(&sealed, 0, 1, 0);
    (void)estate_must(sealed.estate, CMK_OP_MANAGED_HSM_LOSE_DOMAIN_KEYS);
    expect_points(&sealed, 0, 0, 1);
    close_sealed(&sealed);
}

/* Likewise, but another HSM has the private keys too: as long as it is there nothing is lost. */
Test(managed_hsm, a_rebuilt_hsm_has_the_private_keys)
{
    Sealed sealed;
    open_sealed(&sealed, (EstateOptions){.knobs = {[CMK_KNOB_RESTORED_KEY_REPLACES_OLD] = 2}});
    estate_run(sealed.estate, CMK_DAY_US);
    (void)estate_must(sealed.estate, CMK_OP_MANAGED_HSM_BACKUP);
    (void)estate_must(sealed.estate, CMK_OP_MANAGED_HSM_RESTORE);
    (void)estate_must(sealed.estate, CMK_OP_MANAGED_HSM_DELETE);
    estate_run(sealed.estate, 91 * CMK_DAY_US);
    CmkArgs lose = estate_args(sealed.estate, CMK_OP_MANAGED_HSM_LOSE_DOMAIN_KEYS);
    lose.num[0] = 3;
    (void)estate_must_apply(sealed.estate, lose);
    expect_points(&sealed, 0, 1, 0);
    CmkArgs update = estate_args(sealed.estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    update.ref[CMK_REF_MANAGED_HSM] = ESTATE_NEW_HSM;
    update.ref[CMK_REF_KEY] = ESTATE_NEW_HSM_KEY;
    update.ref[CMK_REF_VERSION] = 0;
    (void)estate_must_apply(sealed.estate, update);
    estate_run(sealed.estate, CMK_MINUTE_US);
    cr_assert_eq(estate_vault(sealed.estate)->key, ESTATE_NEW_HSM_KEY);
    expect_points(&sealed, 1, 0, 0);
    close_sealed(&sealed);
}

/* BV-37: without that the old key is asked, whose HSM is gone. */
Test(managed_hsm, the_old_address_is_asked)
{
    Estate *estate = make((EstateOptions){0});
    (void)estate_must(estate, CMK_OP_MANAGED_HSM_BACKUP);
    (void)estate_must(estate, CMK_OP_MANAGED_HSM_RESTORE);
    (void)estate_must(estate, CMK_OP_MANAGED_HSM_DELETE);
    CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    update.ref[CMK_REF_MANAGED_HSM] = ESTATE_NEW_HSM;
    update.ref[CMK_REF_KEY] = ESTATE_NEW_HSM_KEY;
    update.ref[CMK_REF_VERSION] = 0;
    (void)estate_must_apply(estate, update);
    estate_run(estate, CMK_MINUTE_US);
    cr_assert_eq(estate_vault(estate)->key, ESTATE_HSM_KEY);
    cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->args.num[0],
                 CMK_STATUS_OF(AUTH_FAILURE_ON_CURRENT_KEY));
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* ---- the rest -------------------------------------------------------------------------------- */

/* HSM-1, HSM-15: the same key at another address. */
Test(managed_hsm, keys_have_addresses_of_their_own)
{
    Estate *estate = make((EstateOptions){0});
    char uri[CMK_KEY_URI_SIZE];
    cmk_key_uri_format(estate->sim.world, (CmkKeyId){ESTATE_HSM_KEY}, (CmkVersionId){0}, uri);
    cr_assert_str_eq(uri, "https://hsm.managedhsm.azure.net/keys/hsm-key");
    estate_free(estate);
}

static int64_t cost_of(const Estate *estate)
{
    CmkPriceBook book;
    CmkCostItem items[128];
    cmk_price_book_init(&book);
    const uint32_t count = cmk_cost_items(estate->sim.world, &book, items, 128);
    cr_assert_leq(count, 128);
    for (uint32_t i = 0; i < count; i++) {
        if (items[i].managed_hsm == ESTATE_HSM) {
            cr_assert_str_eq(items[i].meter, "managed_hsm");
            return items[i].nanos;
        }
    }
    return 0;
}

/* 4.85 USD an hour, twice with a second region, and no less when deleted (COST-16, 18, 24). */
Test(managed_hsm, what_it_costs_by_hand)
{
    const int64_t hour = INT64_C(4850000000);
    Estate *estate = make((EstateOptions){0});
    estate_run(estate, 10 * CMK_HOUR_US);
    cr_assert_eq(cost_of(estate), 10 * hour);
    (void)estate_must(estate, CMK_OP_MANAGED_HSM_EXTEND);
    estate_run(estate, 10 * CMK_HOUR_US);
    cr_assert_eq(cost_of(estate), 30 * hour);
    (void)estate_must(estate, CMK_OP_MANAGED_HSM_RETRACT);
    (void)estate_must(estate, CMK_OP_MANAGED_HSM_DELETE);
    estate_run(estate, 10 * CMK_HOUR_US);
    cr_assert_eq(cost_of(estate), 40 * hour);
    estate_run(estate, 100 * CMK_DAY_US); /* it is purged after 90 of them */
    cr_assert_eq(cost_of(estate), (30 + 90 * 24) * hour);
    estate_free(estate);
}

/* BV-31: settings with a key in a Managed HSM heal like any others. */
Test(managed_hsm, settings_restore_themselves)
{
    Estate *estate = make((EstateOptions){0});
    (void)estate_must(estate, CMK_OP_IDENTITY_DETACH);
    cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_INCONSISTENT);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
    estate_run(estate, 2 * CMK_HOUR_US);
    cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_INCONSISTENT);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    estate_run(estate, 2 * CMK_HOUR_US);
    cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED);
    estate_free(estate);
}

/* ROT-13: Backup looks for newer versions in an HSM too; rotations are free there (HSM-21). */
Test(managed_hsm, a_policy_rotates_and_backup_follows)
{
    Estate *estate = make((EstateOptions){0});
    CmkArgs set = estate_args(estate, CMK_OP_KEY_SET_ROTATION_POLICY);
    set.num[0] = 28 * CMK_DAY_US;
    (void)estate_must_apply(estate, set);
    estate_run(estate, 28 * CMK_DAY_US);
    cr_assert_eq(number_of(estate, key_of(estate)->current_version), 2);
    cr_assert_eq(estate_vault(estate)->active_version, key_of(estate)->current_version);
    cr_assert_eq(cmk_key_vault_meter(estate->sim.world, (CmkKeyVaultId){0})->rotations, 0);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}
