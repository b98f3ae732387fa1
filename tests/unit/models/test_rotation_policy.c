/* Rotation policies: when a key vault gives a key a new version by itself (ROT-9 to ROT-12). */
#include <criterion/criterion.h>

#include "tests/unit/models/estate.h"

/* The estate's keys are made as early as that. */
#define AGE (ESTATE_START - ESTATE_SETUP)

typedef struct Policy {
    int64_t rotate_after, rotate_before_expiry, expiry, notify_before_expiry,
        notify_after; /* days */
} Policy;

static Estate *make(Policy policy)
{
    Estate *estate = estate_new(NULL);
    CmkArgs args = estate_args(estate, CMK_OP_KEY_SET_ROTATION_POLICY);
    args.num[0] = policy.rotate_after * CMK_DAY_US;
    args.num[1] = policy.rotate_before_expiry * CMK_DAY_US;
    args.num[2] = policy.expiry * CMK_DAY_US;
    args.num[3] = policy.notify_before_expiry * CMK_DAY_US;
    args.num[5] = policy.notify_after * CMK_DAY_US;
    (void)estate_must_apply(estate, args);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

static const CmkVersion *current(const Estate *estate)
{
    const CmkKey *key = cmk_key(estate->sim.world, (CmkKeyId){ESTATE_KEY});
    return cmk_version(estate->sim.world, (CmkVersionId){key->current_version});
}

static uint32_t rotations(const Estate *estate)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < estate->tape.count; i++) {
        count += estate->tape.records[i].args.op == CMK_OP_KEY_ROTATE_IF_DUE &&
                 estate->tape.records[i].status == CMK_STATUS_OK;
    }
    return count;
}

Test(rotation_policy, replaces_versions_by_their_age)
{
    Estate *estate = make((Policy){.rotate_after = 90});
    estate_run(estate, 90 * CMK_DAY_US - AGE - 1);
    cr_assert_eq(current(estate)->number, 1);
    estate_run(estate, 1);
    cr_assert_eq(current(estate)->number, 2);
    const CmkRecord *rotation = estate_last(estate, CMK_OP_KEY_ROTATE_IF_DUE);
    cr_assert_eq(rotation->args.actor, CMK_ACTOR_PLATFORM);
    cr_assert_eq(rotation->args.cause_seq,
                 estate_last(estate, CMK_OP_KEY_SET_ROTATION_POLICY)->seq);
    estate_run(estate, 2 * CMK_HOUR_US); /* ROT-3, ROT-13: Backup takes it up at its next poll */
    cr_assert_eq(estate_vault(estate)->active_version, rotation->result);
    estate_run(estate, 180 * CMK_DAY_US);
    cr_assert_eq(current(estate)->number, 4);
    cr_assert_eq(cmk_key_vault_meter(estate->sim.world, (CmkKeyVaultId){ESTATE_KV})->rotations, 3,
                 "ROT-12: each costs");
    estate_free(estate);
}

/* ROT-10: the present version never gets an expiry from the policy; those rotated in do, by hand as
 * well. */
Test(rotation_policy, gives_an_expiry_to_what_it_rotates_in)
{
    Estate *estate = make((Policy){.rotate_before_expiry = 30, .expiry = 100});
    cr_assert_eq(current(estate)->expires, CMK_TIME_MAX);
    estate_run(estate, 200 * CMK_DAY_US);
    cr_assert_eq(rotations(estate), 0, "what does not expire is not due before its expiry");
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    const CmkTime created = cmk_world_now(estate->sim.world);
    cr_assert_eq(current(estate)->expires, created + 100 * CMK_DAY_US);
    estate_run_until(estate, created + 70 * CMK_DAY_US - 1);
    cr_assert_eq(rotations(estate), 0);
    estate_run(estate, 1);
    cr_assert_eq(rotations(estate), 1);
    cr_assert_eq(current(estate)->expires, created + 170 * CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_CREATE);
    cr_assert_eq(current(estate)->expires, CMK_TIME_MAX,
                 "a version that is created is not rotated");
    estate_free(estate);
}

/* ROT-9: people are told once of each expiry, and again if it moves. */
Test(rotation_policy, tells_people_of_an_expiry)
{
    Estate *estate = make((Policy){.expiry = 30, .notify_before_expiry = 10});
    CmkArgs update = estate_args(estate, CMK_OP_KEY_UPDATE);
    update.num[1] = ESTATE_START + 40 * CMK_DAY_US;
    (void)estate_must_apply(estate, update);
    estate_run_until(estate, ESTATE_START + 30 * CMK_DAY_US - 1);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_NOTIFY_NEAR_EXPIRY), 0);
    estate_run(estate, 1);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_NOTIFY_NEAR_EXPIRY), 1);
    CmkArgs enable = estate_args(estate, CMK_OP_KEY_UPDATE);
    enable.num[0] = CMK_SAYS_TRUE;
    (void)estate_must_apply(estate, enable);
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_NOTIFY_NEAR_EXPIRY), 1);
    update.num[1] = ESTATE_START + 60 * CMK_DAY_US;
    (void)estate_must_apply(estate, update);
    estate_run(estate, 30 * CMK_DAY_US);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_NOTIFY_NEAR_EXPIRY), 2);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* ROT-9: or at an age, whether they expire or not; each version once. */
Test(rotation_policy, tells_people_of_an_age)
{
    Estate *estate = make((Policy){.notify_after = 20});
    cr_assert_eq(cmk_key_vault_meter(estate->sim.world, (CmkKeyVaultId){ESTATE_KV})->requests_other,
                 0, "setting it is a request on an RSA 2048 key");
    estate_run(estate, 20 * CMK_DAY_US - AGE - 1);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_NOTIFY_NEAR_EXPIRY), 0);
    estate_run(estate, 1);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_NOTIFY_NEAR_EXPIRY), 1);
    estate_run(estate, 30 * CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    estate_run(estate, 20 * CMK_DAY_US - 1);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_NOTIFY_NEAR_EXPIRY), 1);
    estate_run(estate, 1);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_NOTIFY_NEAR_EXPIRY), 2);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* ROT-9: of its own expiry too, if the policy gives none. */
Test(rotation_policy, tells_people_of_an_expiry_that_somebody_set)
{
    Estate *estate = make((Policy){.notify_before_expiry = 10});
    CmkArgs update = estate_args(estate, CMK_OP_KEY_UPDATE);
    update.num[1] = ESTATE_START + 40 * CMK_DAY_US;
    (void)estate_must_apply(estate, update);
    estate_run_until(estate, ESTATE_START + 30 * CMK_DAY_US - 1);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_NOTIFY_NEAR_EXPIRY), 0);
    estate_run(estate, 1);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_NOTIFY_NEAR_EXPIRY), 1);
    estate_free(estate);
}

/* What is rotated in keeps what the version before permitted (KV-20). */
Test(rotation_policy, keeps_what_the_key_permits)
{
    Estate *estate = make((Policy){.rotate_after = 7});
    CmkArgs update = estate_args(estate, CMK_OP_KEY_UPDATE);
    update.num[3] = CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP;
    (void)estate_must_apply(estate, update);
    estate_run(estate, 7 * CMK_DAY_US);
    cr_assert_eq(current(estate)->number, 2);
    cr_assert_eq(current(estate)->key_ops, CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP);
    estate_free(estate);
}

/* A later policy takes the place of the earlier; an empty one ends it. */
Test(rotation_policy, is_replaced_as_a_whole)
{
    Estate *estate = make((Policy){.rotate_after = 7});
    CmkArgs args = estate_args(estate, CMK_OP_KEY_SET_ROTATION_POLICY);
    args.num[0] = 20 * CMK_DAY_US;
    (void)estate_must_apply(estate, args);
    estate_run(estate, 15 * CMK_DAY_US);
    cr_assert_eq(rotations(estate), 0);
    estate_run(estate, 10 * CMK_DAY_US);
    cr_assert_eq(rotations(estate), 1);
    args.num[0] = 0;
    (void)estate_must_apply(estate, args);
    estate_run(estate, 60 * CMK_DAY_US);
    cr_assert_eq(rotations(estate), 1);
    estate_free(estate);
}

/* REL-9: no rotation while the key vault is read-only; it is made up for afterwards. Nor of a
 * deleted key, or in a deleted key vault. */
Test(rotation_policy, waits_for_what_is_in_its_way)
{
    const struct {
        CmkOpId stop, go_on;
    } cases[] = {{CMK_OP_REGION_LOSE, CMK_OP_REGION_RETURN},
                 {CMK_OP_KEY_DELETE, CMK_OP_KEY_RECOVER},
                 {CMK_OP_KEY_VAULT_DELETE, CMK_OP_KEY_VAULT_RECOVER}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make((Policy){.rotate_after = 14});
        estate_run(estate, CMK_DAY_US);
        (void)estate_must(estate, cases[i].stop);
        estate_run(estate, 20 * CMK_DAY_US);
        cr_assert_eq(rotations(estate), 0, "case %zu", i);
        (void)estate_must(estate, cases[i].go_on);
        estate_run(estate, 2 * CMK_HOUR_US);
        cr_assert_eq(rotations(estate), 1, "case %zu", i);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}
