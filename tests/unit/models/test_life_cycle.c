/* The small life cycle of encryption settings, enumerated: every event in every state that events
 * can lead to, compared with what BV-T5 to BV-T15 say, written here a second time without looking
 * at guards. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/access.h"
#include "tests/unit/models/estate.h"

typedef enum Event {
    UPDATE_SAME, /* the first time: key and identity of the estate */
    UPDATE_KEY,  /* to the other of two keys */
    UPDATE_TO_SYSTEM,
    UPDATE_TO_USER,
    UPDATE_BOTH,
    TURN_OFF,
    ASK_FOR_INCONSISTENT,
    DETACH,
    ATTACH,
    SYSTEM_ON,
    SYSTEM_OFF,
    TAKE_RIGHTS,
    GIVE_RIGHTS,
    GIVE_SYSTEM_RIGHTS,
    THROTTLE,
    UNTHROTTLE,
    DISABLE_KEY,
    ENABLE_KEY,
    DELETE_KEY,
    RECOVER_KEY,
    WAIT_FOR_PURGE,
    ROTATE_KEY,
    EVENT__COUNT
} Event;

static const char *const event_names[] = {
    "update same", "update key",    "update to system", "update to user",
    "update both", "turn off",      "ask Inconsistent", "detach",
    "attach",      "system on",     "system off",       "take rights",
    "give rights", "system rights", "throttle",         "unthrottle",
    "disable key", "enable key",    "delete key",       "recover key",
    "purge",       "rotate"};
_Static_assert(sizeof(event_names) / sizeof(event_names[0]) == EVENT__COUNT, "each has a name");

/* What of a world matters to the settings; bytes, so that two can be compared. */
typedef struct State {
    uint8_t encryption;
    uint8_t key;
    uint8_t uses_system;
    uint8_t is_broken_by_identity;
    uint8_t is_attached;
    uint8_t has_rights;
    uint8_t is_system_on;
    uint8_t is_system_bound;
    uint8_t has_system_rights;
    uint8_t is_throttled;
    uint8_t key_state;
    uint8_t is_active_usable; /* the version that the data key is wrapped with */
    uint8_t is_newest_usable; /* of ESTATE_KEY */
    uint8_t is_behind;        /* the newest version of the key in use is another one */
} State;

static uint32_t other_of(uint32_t key)
{
    return key == ESTATE_KEY ? ESTATE_OTHER_KEY : ESTATE_KEY;
}

static bool has_all_rights(const CmkWorld *world, uint32_t principal)
{
    uint64_t blame = 0;
    return principal != 0 &&
           cmk_access_is_granted(world, (CmkPrincipalId){principal}, (CmkKeyVaultId){ESTATE_KV},
                                 (CmkKeyId){ESTATE_KEY}, CMK_PERMISSION_UNWRAP, &blame);
}

static bool is_usable(const CmkWorld *world, uint32_t version)
{
    const CmkVersion *row = cmk_version(world, (CmkVersionId){version});
    return row->is_enabled != 0 && row->is_purged == 0 &&
           cmk_key(world, (CmkKeyId){row->key})->state == CMK_KEY_ACTIVE;
}

static State state_of(const CmkWorld *world)
{
    const CmkBackupVault *vault = cmk_backup_vault(world, (CmkBackupVaultId){ESTATE_VAULT});
    const CmkKey *key = cmk_key(world, (CmkKeyId){ESTATE_KEY});
    bool is_attached = false;
    for (uint32_t row = vault->first_attachment; row != 0;) {
        const CmkAttachment *attachment = cmk_attachment(world, (CmkAttachmentId){row});
        is_attached |= attachment->identity == ESTATE_IDENTITY && attachment->is_attached != 0;
        row = attachment->next_of_vault;
    }
    const CmkIdentity *identity = cmk_identity(world, (CmkIdentityId){ESTATE_IDENTITY});
    return (State){.encryption = (uint8_t)vault->encryption,
                   .key = (uint8_t)vault->key,
                   .uses_system = vault->key != 0 && vault->identity == 0,
                   .is_broken_by_identity = (uint8_t)vault->is_broken_by_identity,
                   .is_attached = is_attached,
                   .has_rights = has_all_rights(world, identity->principal),
                   .is_system_on = vault->system_principal != 0,
                   .is_system_bound =
                       vault->system_principal != 0 && vault->principal == vault->system_principal,
                   .has_system_rights = has_all_rights(world, vault->system_principal),
                   .is_throttled = cmk_key_vault(world, (CmkKeyVaultId){ESTATE_KV})->taken_ppm != 0,
                   .key_state = (uint8_t)key->state,
                   .is_active_usable = is_usable(world, vault->active_version),
                   .is_newest_usable = is_usable(world, key->current_version),
                   .is_behind =
                       vault->key != 0 && cmk_key(world, (CmkKeyId){vault->key})->current_version !=
                                              vault->active_version};
}

/* ---- doing it -------------------------------------------------------------------------------- */

static const CmkOpId op_of[EVENT__COUNT] = {
    [UPDATE_SAME] = CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION,
    [UPDATE_KEY] = CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION,
    [UPDATE_TO_SYSTEM] = CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION,
    [UPDATE_TO_USER] = CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION,
    [UPDATE_BOTH] = CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION,
    [TURN_OFF] = CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION,
    [ASK_FOR_INCONSISTENT] = CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION,
    [DETACH] = CMK_OP_IDENTITY_DETACH,
    [ATTACH] = CMK_OP_IDENTITY_ATTACH,
    [SYSTEM_ON] = CMK_OP_SYSTEM_IDENTITY_ENABLE,
    [SYSTEM_OFF] = CMK_OP_SYSTEM_IDENTITY_DISABLE,
    [TAKE_RIGHTS] = CMK_OP_ROLE_REMOVE,
    [GIVE_RIGHTS] = CMK_OP_ROLE_ASSIGN,
    [GIVE_SYSTEM_RIGHTS] = CMK_OP_ROLE_ASSIGN,
    [THROTTLE] = CMK_OP_KEY_VAULT_THROTTLE,
    [UNTHROTTLE] = CMK_OP_KEY_VAULT_UNTHROTTLE,
    [DISABLE_KEY] = CMK_OP_KEY_UPDATE,
    [ENABLE_KEY] = CMK_OP_KEY_UPDATE,
    [DELETE_KEY] = CMK_OP_KEY_DELETE,
    [RECOVER_KEY] = CMK_OP_KEY_RECOVER,
    [ROTATE_KEY] = CMK_OP_KEY_ROTATE,
};

static CmkArgs args_of(const CmkWorld *world, Event event, const State *state)
{
    CmkArgs args = {.op = op_of[event],
                    .actor = CMK_ACTOR_STEP,
                    .ref = {[CMK_REF_BACKUP_VAULT] = ESTATE_VAULT,
                            [CMK_REF_KEY_VAULT] = ESTATE_KV,
                            [CMK_REF_KEY] = ESTATE_KEY,
                            [CMK_REF_IDENTITY] = ESTATE_IDENTITY}};
    const bool is_update = args.op == CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION;
    const bool to_system = event == UPDATE_TO_SYSTEM ||
                           (event == UPDATE_BOTH ? !state->uses_system : state->uses_system);
    if (is_update) {
        const uint32_t key = state->key == 0 ? ESTATE_KEY : state->key;
        args.ref[CMK_REF_KEY] = event == UPDATE_KEY || event == UPDATE_BOTH ? other_of(key) : key;
        args.num[CMK_NUM_SYSTEM] = event != UPDATE_TO_USER && to_system;
        args.num[0] = event == TURN_OFF               ? CMK_SAYS_FALSE
                      : event == ASK_FOR_INCONSISTENT ? CMK_SAYS_INCONSISTENT
                                                      : 0;
    } else if (args.op == CMK_OP_KEY_UPDATE) {
        args.ref[CMK_REF_VERSION] = cmk_key(world, (CmkKeyId){ESTATE_KEY})->current_version;
        args.num[0] = event == DISABLE_KEY ? CMK_SAYS_FALSE : CMK_SAYS_TRUE;
    } else if (args.op == CMK_OP_ROLE_ASSIGN || args.op == CMK_OP_ROLE_REMOVE) {
        args.ref[CMK_REF_KEY] = 0;
        args.ref[CMK_REF_IDENTITY] = event == GIVE_SYSTEM_RIGHTS ? 0 : ESTATE_IDENTITY;
        args.num[0] =
            event == TAKE_RIGHTS ? 0 : cmk_role_find("Key Vault Crypto Service Encryption User");
    }
    return args;
}

/* The event, and an hour and a minute for all that follows from it by itself. */
static void take_place(CmkWorld *world, Event event, const State *state)
{
    CmkSim sim = {.model = cmk_azure_model(), .world = world};
    int64_t wait_us = CMK_HOUR_US + CMK_MINUTE_US;
    if (event == WAIT_FOR_PURGE) {
        wait_us += state->key_state == CMK_KEY_DELETED ? 90 * CMK_DAY_US : 0;
    } else {
        const CmkArgs args = args_of(world, event, state);
        (void)cmk_apply(&sim, &args);
    }
    const CmkEngineEnd end = cmk_engine_run(&sim, cmk_world_now(world) + wait_us, NULL, NULL);
    cr_assert_eq(end, CMK_ENGINE_REACHED);
}

/* ---- what BV-T says -------------------------------------------------------------------------- */

typedef struct Expected {
    CmkEncryption to;
    const char *rule; /* NULL: nothing is said, so nothing changes */
} Expected;

static Expected stays(const State *s, const char *rule)
{
    return (Expected){(CmkEncryption)s->encryption, rule};
}

static Expected of_update(const State *s, Event event)
{
    const bool is_first = s->key == 0;
    const bool to_system = event == UPDATE_TO_SYSTEM ||
                           (event != UPDATE_TO_USER && event != UPDATE_BOTH && s->uses_system) ||
                           (event == UPDATE_BOTH && !s->uses_system);
    const uint32_t now = is_first ? ESTATE_KEY : s->key;
    const uint32_t key = event == UPDATE_KEY || event == UPDATE_BOTH ? other_of(now) : now;
    const bool changes_key = !is_first && key != s->key;
    if (event == UPDATE_BOTH && !is_first) {
        return stays(s, "BV-T9");
    }
    if (to_system ? !s->is_system_on : !s->is_attached) {
        return stays(s, "BV-28");
    }
    if (s->is_throttled) {
        return (Expected){CMK_ENCRYPTION_INCONSISTENT, "BV-T14"};
    }
    const bool has_rights = to_system ? s->has_system_rights : s->has_rights;
    const bool keeps_version = !is_first && !changes_key && s->is_active_usable; /* BV-T8, BV-33 */
    const bool is_key_usable = keeps_version || key != ESTATE_KEY || s->is_newest_usable;
    const bool is_rewrapped = !is_first && (changes_key || s->is_behind);
    if (!has_rights || !is_key_usable || (is_rewrapped && !s->is_active_usable)) {
        return stays(s, is_first ? "BV-T6" : "BV-28");
    }
    const char *rule = is_first ? "BV-T5"
                       : s->encryption == CMK_ENCRYPTION_INCONSISTENT
                           ? s->uses_system ? "BV-T13" : "BV-T15"
                       : changes_key                                  ? "BV-T7"
                       : event == UPDATE_TO_SYSTEM && !s->uses_system ? "BV-T8"
                       : event == UPDATE_TO_USER && s->uses_system    ? "BV-T8"
                                                                      : "BV-33";
    return (Expected){CMK_ENCRYPTION_ENABLED, rule};
}

static Expected of_event(const State *s, Event event)
{
    const bool is_enabled = s->encryption == CMK_ENCRYPTION_ENABLED;
    if (event < TURN_OFF) {
        return of_update(s, event);
    }
    if (event == TURN_OFF || event == ASK_FOR_INCONSISTENT) {
        return stays(s, event == TURN_OFF ? "BV-T10" : "BV-T16");
    }
    const bool loses = (event == DETACH && s->is_attached && !s->uses_system) ||
                       (event == SYSTEM_OFF && s->is_system_on && s->uses_system);
    return is_enabled && loses ? (Expected){CMK_ENCRYPTION_INCONSISTENT, "BV-T11"} : stays(s, NULL);
}

/* BV-T12 from the state that the event has left: `after` has waited already. */
static bool heals(const State *before, const State *after)
{
    return before->encryption == CMK_ENCRYPTION_INCONSISTENT && before->is_broken_by_identity &&
           !before->uses_system && after->is_attached && after->has_rights &&
           after->is_active_usable;
}

/* ---- everywhere ------------------------------------------------------------------------------ */

#define STATES_MAX 20000

typedef struct Walk {
    State *states;
    CmkWorld **worlds;
    uint32_t count;
    uint32_t transitions;
    uint32_t met[EVENT__COUNT][3][3];
    char rules[256];
} Walk;

static void discover(Walk *walk, const State *state, CmkWorld *world)
{
    for (uint32_t i = 0; i < walk->count; i++) {
        if (memcmp(&walk->states[i], state, sizeof(*state)) == 0) {
            cmk_world_free(world);
            return;
        }
    }
    cr_assert_lt(walk->count, STATES_MAX, "there is no end to the states");
    walk->states[walk->count] = *state;
    walk->worlds[walk->count++] = world;
}

static void note_rule(Walk *walk, const char *rule)
{
    char word[16];
    (void)snprintf(word, sizeof(word), "%s ", rule);
    if (strstr(walk->rules, word) == NULL && strlen(walk->rules) + 16 < sizeof(walk->rules)) {
        strcat(walk->rules, word);
    }
}

static void try_event(Walk *walk, uint32_t from, Event event)
{
    static const char *const names[] = {"Disabled", "Enabled", "Inconsistent"};
    const State before = walk->states[from];
    CmkWorld *world = cmk_world_clone(walk->worlds[from]);
    take_place(world, event, &before);
    const State after = state_of(world);
    Expected expected = of_event(&before, event);
    if (expected.to == CMK_ENCRYPTION_INCONSISTENT && expected.rule == NULL &&
        heals(&before, &after)) {
        expected = (Expected){CMK_ENCRYPTION_ENABLED, "BV-T12"};
    }
    cr_assert_eq(after.encryption, expected.to,
                 "%s --%s--> %s instead of %s (%s): attached %d, rights %d, usable %d %d, key %d, "
                 "system %d %d %d, behind %d, by identity %d, throttled %d",
                 names[before.encryption], event_names[event], names[after.encryption],
                 names[expected.to], expected.rule == NULL ? "-" : expected.rule,
                 before.is_attached, before.has_rights, before.is_active_usable,
                 before.is_newest_usable, before.key, before.uses_system, before.is_system_on,
                 before.has_system_rights, before.is_behind, before.is_broken_by_identity,
                 before.is_throttled);
    if (expected.rule != NULL) {
        note_rule(walk, expected.rule);
    }
    walk->met[event][before.encryption][after.encryption]++;
    walk->transitions++;
    discover(walk, &after, world);
}

static void walk_all(const bool is_left_out[EVENT__COUNT], const char *const rules[])
{
    Estate *estate = estate_new(&(EstateOptions){.has_no_cmk = true, .is_not_self_checking = true});
    cr_assert_str_eq(estate->trouble, "");
    Walk *walk = calloc(1, sizeof(*walk));
    walk->states = calloc(STATES_MAX, sizeof(*walk->states));
    walk->worlds = calloc(STATES_MAX, sizeof(CmkWorld *));
    const State first = state_of(estate->sim.world);
    discover(walk, &first, cmk_world_clone(estate->sim.world));
    for (uint32_t i = 0; i < walk->count; i++) {
        for (Event event = 0; event < EVENT__COUNT; event++) {
            if (!is_left_out[event]) {
                try_event(walk, i, event);
            }
        }
        cmk_world_free(walk->worlds[i]);
    }
    for (uint32_t i = 0; rules[i] != NULL; i++) {
        cr_expect_not_null(strstr(walk->rules, rules[i]), "%s was never met: %s", rules[i],
                           walk->rules);
    }
    for (Event event = 0; event < EVENT__COUNT; event++) {
        cr_expect_eq(walk->met[event][CMK_ENCRYPTION_ENABLED][CMK_ENCRYPTION_DISABLED], 0);
        cr_expect_eq(walk->met[event][CMK_ENCRYPTION_INCONSISTENT][CMK_ENCRYPTION_DISABLED], 0);
    }
    (void)fprintf(stderr, "life cycle: %u states, %u transitions\n", walk->count,
                  walk->transitions);
    free(walk->states);
    free(walk->worlds);
    free(walk);
    estate_free(estate);
}

/* With a user-assigned identity and everything that can befall it and the key. */
Test(life_cycle, with_a_user_assigned_identity_is_the_table)
{
    walk_all((const bool[EVENT__COUNT]){[UPDATE_TO_SYSTEM] = true,
                                        [SYSTEM_ON] = true,
                                        [SYSTEM_OFF] = true,
                                        [GIVE_SYSTEM_RIGHTS] = true},
             (const char *const[]){"BV-T5 ", "BV-T6 ", "BV-T7 ", "BV-T9 ", "BV-T10 ", "BV-T11 ",
                                   "BV-T12 ", "BV-T14 ", "BV-T15 ", "BV-T16 ", "BV-28 ", "BV-33 ",
                                   NULL});
}

/* From a user-assigned identity to the system-assigned one and back. */
Test(life_cycle, with_a_system_assigned_identity_is_the_table)
{
    walk_all((const bool[EVENT__COUNT]){[TAKE_RIGHTS] = true,
                                        [GIVE_RIGHTS] = true,
                                        [DELETE_KEY] = true,
                                        [RECOVER_KEY] = true,
                                        [WAIT_FOR_PURGE] = true,
                                        [ROTATE_KEY] = true},
             (const char *const[]){"BV-T5 ", "BV-T7 ", "BV-T8 ", "BV-T9 ", "BV-T10 ", "BV-T11 ",
                                   "BV-T12 ", "BV-T13 ", "BV-T14 ", "BV-T15 ", "BV-T16 ", NULL});
}
