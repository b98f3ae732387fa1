#include "models/hsm_capacity.h"

#include "models/key.h"
#include "models/key_store.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/rows.h"

/* ---- the table of section 4 ------------------------------------------------------------------ */

typedef enum Column {
    RSA_2048,
    RSA_3072,
    RSA_4096,
    AES_128,
    AES_192,
    AES_256,
    EC_256,
    EC_384,
    EC_521,
    COLUMN__COUNT
} Column;

/* Operations in a second, by the permission that they take. Where the table has none for a kind of
 * key, the operation is none of it, or the rate is that of wrapping and unwrapping (AES, assumed).
 */
static const struct {
    uint32_t permissions;
    uint32_t rates[COLUMN__COUNT];
} rows[] = {
    {CMK_PERMISSION_WRAP, {2200, 1900, 1900, 2100, 2100, 2100, 1100, 1100, 1100}},
    {CMK_PERMISSION_UNWRAP, {1100, 360, 160, 1800, 1900, 2200, 1100, 1100, 1100}},
    {CMK_PERMISSION_ENCRYPT, {2800, 2700, 2300, 2100, 2100, 2100, 1100, 1100, 1100}},
    {CMK_PERMISSION_DECRYPT, {1100, 360, 160, 1800, 1900, 2200, 1100, 1100, 1100}},
    {CMK_PERMISSION_SIGN, {900, 340, 150, 1100, 1100, 1100, 330, 160, 200}},
    {CMK_PERMISSION_VERIFY, {3400, 3400, 3700, 1100, 1100, 1100, 130, 82, 28}},
    {CMK_PERMISSION_CREATE | CMK_PERMISSION_IMPORT | CMK_PERMISSION_ROTATE,
     {1, 1, 1, 1, 1, 1, 1, 1, 1}},
    {CMK_PERMISSION_DELETE | CMK_PERMISSION_PURGE | CMK_PERMISSION_BACKUP | CMK_PERMISSION_RESTORE,
     {10, 10, 10, 10, 10, 10, 10, 10, 10}},
};

/* What reads, and what the table does not name (assumed). */
#define RATE_OF_GET 1100

static Column column_of(CmkKeyShape shape)
{
    if (cmk_key_type_is_rsa(shape.type)) {
        return shape.size_bits == 4096 ? RSA_4096 : shape.size_bits == 3072 ? RSA_3072 : RSA_2048;
    }
    if (cmk_key_type_is_ec(shape.type)) {
        return shape.size_bits == 521 ? EC_521 : shape.size_bits == 384 ? EC_384 : EC_256;
    }
    return shape.size_bits == 256 ? AES_256 : shape.size_bits == 192 ? AES_192 : AES_128;
}

uint32_t cmk_managed_hsm_rate(const CmkWorld *world, const CmkArgs *args)
{
    const CmkPermissions asked = cmk_azure_model()->operations[args->op]->permission;
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        if ((rows[i].permissions & asked) != 0) {
            return rows[i].rates[column_of(cmk_key_shape_of(world, args))];
        }
    }
    return RATE_OF_GET;
}

/* ---- the queue ------------------------------------------------------------------------------- */

/* A moment, to the part of a microsecond. */
typedef struct Moment {
    CmkTime us;
    int64_t parts; /* below CMK_HSM_PARTS */
} Moment;

/* When the work that is there now will be done: at once if there is none. */
static Moment done_at(const CmkWorld *world, CmkManagedHsmId id)
{
    const CmkManagedHsmMeter *meter = cmk_managed_hsm_meter(world, id);
    const CmkTime now = cmk_world_now(world);
    return meter->busy_until >= now ? (Moment){meter->busy_until, meter->busy_parts}
                                    : (Moment){now, 0};
}

/* When this request, last in the queue, would be done. */
static Moment answered_at(const CmkWorld *world, const CmkArgs *args)
{
    Moment moment = done_at(world, (CmkManagedHsmId){args->ref[CMK_REF_MANAGED_HSM]});
    const int64_t rate =
        (int64_t)cmk_managed_hsm_rate(world, args) * cmk_knob(world, CMK_KNOB_HSM_PARTITIONS);
    CMK_ASSERT(CMK_HSM_PARTS % rate == 0);
    moment.us += CMK_SECOND_US / rate;
    moment.parts += CMK_SECOND_US % rate * (CMK_HSM_PARTS / rate);
    moment.us += moment.parts / CMK_HSM_PARTS;
    moment.parts %= CMK_HSM_PARTS;
    return moment;
}

static int64_t from_now(const CmkWorld *world, Moment moment)
{
    return moment.us + (moment.parts > 0) - cmk_world_now(world);
}

int64_t cmk_managed_hsm_wait(const CmkWorld *world, const CmkArgs *args)
{
    return cmk_is_request(world, args) ? from_now(world, answered_at(world, args)) : 0;
}

int64_t cmk_managed_hsm_backlog(const CmkWorld *world, CmkManagedHsmId id)
{
    return from_now(world, done_at(world, id));
}

static bool managed_hsm_has_capacity(const CmkWorld *world, const CmkArgs *args,
                                     uint64_t *ret_blame)
{
    (void)ret_blame; /* it is the work of many */
    return !cmk_is_about_hsm(args) ||
           cmk_managed_hsm_wait(world, args) <= cmk_knob(world, CMK_KNOB_HSM_PATIENCE);
}

const CmkGuard cmk_guard_managed_hsm_has_capacity = {
    .name = "managed-hsm-has-capacity",
    .holds = managed_hsm_has_capacity,
    .status = CMK_STATUS_OF(MANAGED_HSM_BUSY),
    .rule = "HSM-23 HSM-27 THR-8",
    .text = "The Managed HSM comes to the request before its client loses patience."};

/* What a guard refused before it got there is seen by nobody; the rest is answered with an error at
 * once, which takes no time worth counting (assumed). */
static bool is_sent(CmkGuardId guard)
{
    return guard != CMK_GUARD_SYSTEM_IDENTITY_IS_ON &&
           guard != CMK_GUARD_USER_IDENTITY_IS_ATTACHED && guard != CMK_GUARD_MANAGED_HSM_EXISTS;
}

void cmk_managed_hsm_count_request(CmkSim *sim, const CmkArgs *args, CmkGuardId guard)
{
    if (!cmk_is_request(sim->world, args) || !is_sent(guard)) {
        return;
    }
    CmkManagedHsmMeter *meter =
        cmk_managed_hsm_meter_mut(sim, (CmkManagedHsmId){args->ref[CMK_REF_MANAGED_HSM]});
    if (guard != CMK_GUARD_NONE) {
        meter->refused++;
        return;
    }
    const Moment moment = answered_at(sim->world, args);
    const int64_t wait_us = from_now(sim->world, moment);
    meter->requests++;
    meter->busy_until = moment.us;
    meter->busy_parts = moment.parts;
    meter->longest_us = wait_us > meter->longest_us ? wait_us : meter->longest_us;
}
