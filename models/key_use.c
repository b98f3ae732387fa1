#include "models/key_use.h"

#include "models/mutate.h"

#define IN_USE_US (30 * CMK_DAY_US) /* COST-13 */

/* How many versions of a key vault fall into each tier (COST-14). That the tiers are over one key
 * vault and not over a whole bill is assumed. */
static const uint32_t tier_sizes[CMK_HSM_KEYS__COUNT][CMK_HSM_KEY_TIERS] = {
    [CMK_HSM_KEYS_2048] = {UINT32_MAX, 0, 0, 0},
    [CMK_HSM_KEYS_OTHER] = {250, 1250, 2500, UINT32_MAX},
};

static CmkIntegral integral_of(const CmkKeyUse *use, uint32_t tier)
{
    return (CmkIntegral)use->integrals[tier][1] << 64 | use->integrals[tier][0];
}

static void advance(CmkKeyUse *use, CmkHsmKeys kind, CmkTime to)
{
    uint32_t left = use->count;
    for (uint32_t tier = 0; left > 0; tier++) {
        const uint32_t size = tier_sizes[kind][tier];
        const uint32_t count = left < size ? left : size;
        const CmkIntegral sum =
            integral_of(use, tier) + (CmkIntegral)count * (uint64_t)(to - use->since);
        use->integrals[tier][0] = (uint64_t)sum;
        use->integrals[tier][1] = (uint64_t)(sum >> 64);
        left -= count;
    }
    use->since = to;
}

/* Up to now: versions fall out of use at their moments. The rows of versions stay as they are. */
static void catch_up(const CmkWorld *world, CmkKeyUse *use, CmkHsmKeys kind)
{
    const CmkTime now = cmk_world_now(world);
    while (use->first != 0) {
        const CmkVersionUse *first = cmk_version_use(world, (CmkVersionId){use->first});
        if (first->last_use + IN_USE_US > now) {
            break;
        }
        advance(use, kind, first->last_use + IN_USE_US);
        use->count--;
        use->first = use->first == use->last ? 0 : first->next;
    }
    advance(use, kind, now);
}

static void unlink_version(CmkSim *sim, CmkKeyUse *use, uint32_t row)
{
    const CmkVersionUse *version = cmk_version_use(sim->world, (CmkVersionId){row});
    if (row == use->first) {
        use->first = row == use->last ? 0 : version->next;
    } else {
        cmk_version_use_mut(sim, (CmkVersionId){version->previous})->next = version->next;
    }
    if (row == use->last) {
        use->last = version->previous;
    } else {
        cmk_version_use_mut(sim, (CmkVersionId){version->next})->previous = version->previous;
    }
}

static void append_version(CmkSim *sim, CmkKeyUse *use, uint32_t row)
{
    CmkVersionUse *version = cmk_version_use_mut(sim, (CmkVersionId){row});
    version->next = 0;
    version->previous = use->first == 0 ? 0 : use->last;
    version->last_use = cmk_world_now(sim->world);
    if (use->first == 0) {
        use->first = row;
    } else {
        cmk_version_use_mut(sim, (CmkVersionId){use->last})->next = row;
    }
    use->last = row;
}

void cmk_key_use_note(CmkSim *sim, CmkVersionId version)
{
    const CmkVersion *of = cmk_version(sim->world, version);
    const CmkKey *key = cmk_key(sim->world, (CmkKeyId){of->key});
    if (of->type != CMK_KEY_RSA_HSM && of->type != CMK_KEY_EC_HSM) {
        return;
    }
    const CmkHsmKeys kind = of->type == CMK_KEY_RSA_HSM && of->size_bits == 2048
                                ? CMK_HSM_KEYS_2048
                                : CMK_HSM_KEYS_OTHER;
    if (cmk_world_count(sim->world, CMK_TABLE_VERSION_USE) < version.i) {
        cmk_world_set_count(sim->world, CMK_TABLE_VERSION_USE, version.i);
    }
    CmkKeyUse *use = &cmk_key_vault_meter_mut(sim, (CmkKeyVaultId){key->key_vault})->hsm_keys[kind];
    catch_up(sim->world, use, kind);
    const CmkTime last_use = cmk_version_use(sim->world, version)->last_use;
    if (last_use != 0 && last_use + IN_USE_US > cmk_world_now(sim->world)) {
        unlink_version(sim, use, version.i);
    } else {
        use->count++;
    }
    append_version(sim, use, version.i);
}

void cmk_key_use_read(const CmkWorld *world, CmkKeyVaultId key_vault, CmkHsmKeys kind,
                      CmkIntegral ret_integrals[CMK_HSM_KEY_TIERS])
{
    CmkKeyUse use = cmk_key_vault_meter(world, key_vault)->hsm_keys[kind];
    catch_up(world, &use, kind);
    for (uint32_t tier = 0; tier < CMK_HSM_KEY_TIERS; tier++) {
        ret_integrals[tier] = integral_of(&use, tier);
    }
}
