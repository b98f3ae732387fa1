/* What clients can read off a key: identifiers and the recovery level (sections 1 and 2). */
#include <inttypes.h>
#include <stdio.h>

#include "models/key.h"
#include "models/key_store.h"
#include "sim/chance.h"

/* Purpose of the draws that version identifiers consist of. */
#define CHANCE_VERSION 0x4b56

/* KV-7 */
void cmk_version_format(const CmkWorld *world, CmkVersionId id, char ret[CMK_VERSION_TEXT_SIZE])
{
    CMK_ASSERT(id.i != 0);
    const CmkStream stream = {.purpose = CHANCE_VERSION,
                              .entity = cmk_version_original(world, id).i};
    const uint64_t seed = cmk_world_seed(world);
    (void)snprintf(ret, CMK_VERSION_TEXT_SIZE, "%016" PRIx64 "%016" PRIx64,
                   cmk_chance_bits(seed, stream, 0), cmk_chance_bits(seed, stream, 1));
}

/* KV-6, HSM-1 */
void cmk_key_uri_format(const CmkWorld *world, CmkKeyId id, CmkVersionId version,
                        char ret[CMK_KEY_URI_SIZE])
{
    CMK_ASSERT(id.i != 0);
    const CmkKey *key = cmk_key(world, id);
    const CmkKeyStore store = cmk_key_store_of(world, id);
    char text[CMK_VERSION_TEXT_SIZE] = "";
    if (version.i != 0) {
        cmk_version_format(world, version, text);
    }
    (void)snprintf(ret, CMK_KEY_URI_SIZE, "https://%.24s.%s.azure.net/keys/%.127s%s%s",
                   cmk_name(world, store.name), store.managed_hsm.i != 0 ? "managedhsm" : "vault",
                   cmk_name(world, key->name), version.i == 0 ? "" : "/", text);
}

bool cmk_version_has_begun(const CmkWorld *world, const CmkVersion *version)
{
    return version->not_before <= cmk_world_now(world) + cmk_knob(world, CMK_KNOB_CLOCK_LEEWAY);
}

bool cmk_version_has_not_ended(const CmkWorld *world, const CmkVersion *version)
{
    return cmk_world_now(world) - cmk_knob(world, CMK_KNOB_CLOCK_LEEWAY) < version->expires;
}

/* KV-28: the usual retention has levels of its own. */
#define USUAL_RETENTION_DAYS 90

static const struct {
    const char *text;
    bool has_soft_delete;
    bool has_purge_protection;
} levels[CMK_RECOVERY__COUNT] = {
    [CMK_RECOVERY_PURGEABLE] = {"Purgeable", false, false},
    [CMK_RECOVERY_RECOVERABLE_PURGEABLE] = {"Recoverable+Purgeable", true, false},
    [CMK_RECOVERY_RECOVERABLE] = {"Recoverable", true, true},
    [CMK_RECOVERY_CUSTOMIZED_RECOVERABLE_PURGEABLE] = {"CustomizedRecoverable+Purgeable", true,
                                                       false},
    [CMK_RECOVERY_CUSTOMIZED_RECOVERABLE] = {"CustomizedRecoverable", true, true},
};

CmkRecoveryLevel cmk_key_recovery_level(const CmkWorld *world, CmkKeyId id)
{
    const CmkKeyStore store = cmk_key_store_of(world, id);
    const bool is_protected = store.has_purge_protection;
    if (!store.has_soft_delete) {
        return CMK_RECOVERY_PURGEABLE;
    }
    if (store.retention_days == USUAL_RETENTION_DAYS) {
        return is_protected ? CMK_RECOVERY_RECOVERABLE : CMK_RECOVERY_RECOVERABLE_PURGEABLE;
    }
    return is_protected ? CMK_RECOVERY_CUSTOMIZED_RECOVERABLE
                        : CMK_RECOVERY_CUSTOMIZED_RECOVERABLE_PURGEABLE;
}

const char *cmk_recovery_level_text(CmkRecoveryLevel level)
{
    CMK_ASSERT(level < CMK_RECOVERY__COUNT);
    return levels[level].text;
}

bool cmk_recovery_level_has_soft_delete(CmkRecoveryLevel level)
{
    CMK_ASSERT(level < CMK_RECOVERY__COUNT);
    return levels[level].has_soft_delete;
}

bool cmk_recovery_level_has_purge_protection(CmkRecoveryLevel level)
{
    CMK_ASSERT(level < CMK_RECOVERY__COUNT);
    return levels[level].has_purge_protection;
}

uint32_t cmk_key_recoverable_days(const CmkWorld *world, CmkKeyId id)
{
    const CmkKeyStore store = cmk_key_store_of(world, id);
    return store.has_soft_delete ? store.retention_days : 0;
}
