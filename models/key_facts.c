/* What clients can read off a key: identifiers and the recovery level (sections 1 and 2). */
#include <inttypes.h>
#include <stdio.h>

#include "models/key.h"
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

/* KV-6 */
void cmk_key_uri_format(const CmkWorld *world, CmkKeyId id, CmkVersionId version,
                        char ret[CMK_KEY_URI_SIZE])
{
    CMK_ASSERT(id.i != 0);
    const CmkKey *key = cmk_key(world, id);
    const CmkKeyVault *vault = cmk_key_vault(world, (CmkKeyVaultId){key->key_vault});
    char text[CMK_VERSION_TEXT_SIZE] = "";
    if (version.i != 0) {
        cmk_version_format(world, version, text);
    }
    (void)snprintf(ret, CMK_KEY_URI_SIZE, "https://%.24s.vault.azure.net/keys/%.127s%s%s",
                   cmk_name(world, vault->name), cmk_name(world, key->name),
                   version.i == 0 ? "" : "/", text);
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
    const CmkKeyVaultId vault_id = {cmk_key(world, id)->key_vault};
    const CmkKeyVault *vault = cmk_key_vault(world, vault_id);
    const bool is_protected = vault->has_purge_protection != 0;
    if (vault->has_soft_delete == 0) {
        return CMK_RECOVERY_PURGEABLE;
    }
    if (vault->retention_days == USUAL_RETENTION_DAYS) {
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
    const CmkKeyVaultId vault_id = {cmk_key(world, id)->key_vault};
    const CmkKeyVault *vault = cmk_key_vault(world, vault_id);
    return vault->has_soft_delete != 0 ? vault->retention_days : 0;
}
