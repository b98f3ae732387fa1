/* The life cycle of a key and of the key vault that it is in: every event in every state that can
 * be reached, with purge protection and without (SD-5, SD-6, SD-9, SD-12, SD-13, SD-22). */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "models/key.h"
#include "tests/unit/models/estate.h"

/* "A" active, "D" deleted, "P" purged; then the key: "a" active, "g" being deleted, "d" deleted,
 * "r" being recovered, "b" purged with its name still blocked, "f" purged. */
typedef struct State {
    char vault;
    char key;
} State;

typedef enum Event {
    CREATE,
    DELETE,
    RECOVER,
    PURGE,
    USE,
    VAULT_DELETE,
    VAULT_RECOVER,
    VAULT_PURGE,
    VAULT_CREATE,
    FIVE_SECONDS,
    RETENTION, /* all of it, and a day */
    EVENT__COUNT
} Event;

static const struct {
    const char *name;
    CmkOpId op;
    int64_t wait_us;
} events[EVENT__COUNT] = {
    [CREATE] = {"key.create", CMK_OP_KEY_CREATE, 0},
    [DELETE] = {"key.delete", CMK_OP_KEY_DELETE, 0},
    [RECOVER] = {"key.recover", CMK_OP_KEY_RECOVER, 0},
    [PURGE] = {"key.purge", CMK_OP_KEY_PURGE, 0},
    [USE] = {"key.encrypt", CMK_OP_KEY_ENCRYPT, 0},
    [VAULT_DELETE] = {"key_vault.delete", CMK_OP_KEY_VAULT_DELETE, 0},
    [VAULT_RECOVER] = {"key_vault.recover", CMK_OP_KEY_VAULT_RECOVER, 0},
    [VAULT_PURGE] = {"key_vault.purge", CMK_OP_KEY_VAULT_PURGE, 0},
    [VAULT_CREATE] = {"key_vault.create", CMK_OP_KEY_VAULT_CREATE, 0},
    [FIVE_SECONDS] = {"5 s", CMK_OP_NONE, 5 * CMK_SECOND_US},
    [RETENTION] = {"91 d", CMK_OP_NONE, 91 * CMK_DAY_US},
};

/* What is let through, and where it leads. Time that passes is always let through, and leaves what
 * is not written here as it is. `+`: not with purge protection (SD-9). */
static const struct {
    const char *from;
    Event event;
    const char *to;
} table[] = {
    {"Aa", CREATE, "Aa"},        {"Aa", DELETE, "Ag"},        {"Aa", USE, "Aa"},
    {"Aa", VAULT_DELETE, "Da"},  {"Ag", VAULT_DELETE, "Dg"},  {"Ag", FIVE_SECONDS, "Ad"},
    {"Ag", RETENTION, "Af"},     {"Ad", RECOVER, "Ar"},       {"Ad", PURGE, "Ab+"},
    {"Ad", VAULT_DELETE, "Dd"},  {"Ad", RETENTION, "Af"},     {"Ar", VAULT_DELETE, "Dr"},
    {"Ar", FIVE_SECONDS, "Aa"},  {"Ar", RETENTION, "Aa"},     {"Ab", VAULT_DELETE, "Db"},
    {"Ab", FIVE_SECONDS, "Af"},  {"Ab", RETENTION, "Af"},     {"Af", CREATE, "Aa"},
    {"Af", VAULT_DELETE, "Df"},  {"Da", VAULT_RECOVER, "Aa"}, {"Da", VAULT_PURGE, "Pf+"},
    {"Da", RETENTION, "Pf"},     {"Dg", VAULT_RECOVER, "Ag"}, {"Dg", VAULT_PURGE, "Pf+"},
    {"Dg", FIVE_SECONDS, "Dd"},  {"Dg", RETENTION, "Pf"},     {"Dd", VAULT_RECOVER, "Ad"},
    {"Dd", VAULT_PURGE, "Pf+"},  {"Dd", RETENTION, "Pf"},     {"Dr", VAULT_RECOVER, "Ar"},
    {"Dr", VAULT_PURGE, "Pf+"},  {"Dr", FIVE_SECONDS, "Da"},  {"Dr", RETENTION, "Pf"},
    {"Db", VAULT_RECOVER, "Ab"}, {"Db", VAULT_PURGE, "Pf+"},  {"Db", FIVE_SECONDS, "Df"},
    {"Db", RETENTION, "Pf"},     {"Df", VAULT_RECOVER, "Af"}, {"Df", VAULT_PURGE, "Pf+"},
    {"Df", RETENTION, "Pf"},     {"Pf", VAULT_CREATE, "Af"},
};

/* The answer to what is not let through. */
static CmkStatus refusal(State state, Event event)
{
    const bool is_of_vault = event >= VAULT_DELETE;
    if (event == VAULT_CREATE) {
        return CMK_STATUS_OF(ALREADY_EXISTS);
    }
    if (is_of_vault) {
        const bool is_protected = event == VAULT_PURGE && state.vault == 'D';
        return is_protected ? CMK_STATUS_OF(METHOD_NOT_ALLOWED) : CMK_STATUS_OF(VAULT_NOT_FOUND);
    }
    if (state.vault != 'A') {
        return CMK_STATUS_OF(VAULT_NOT_FOUND); /* SD-19 */
    }
    if (state.key == 'g' || (state.key == 'b' && event == CREATE)) {
        return CMK_STATUS_OF(KEY_IS_BEING_DELETED);
    }
    if (state.key == 'r') {
        return CMK_STATUS_OF(KEY_IS_BEING_RECOVERED);
    }
    if (state.key == 'd' && event == CREATE) {
        return CMK_STATUS_OF(KEY_IS_DELETED_BUT_RECOVERABLE);
    }
    return state.key == 'd' && event == PURGE ? CMK_STATUS_OF(PURGE_REFUSED)
                                              : CMK_STATUS_OF(KEY_NOT_FOUND);
}

static CmkStatus expected(State state, Event event, bool is_protected, State *ret_to)
{
    const char from[] = {state.vault, state.key, '\0'};
    *ret_to = state;
    for (size_t i = 0; i < CMK_ARRAY_LEN(table); i++) {
        const bool is_let = !is_protected || table[i].to[2] != '+';
        if (table[i].event == event && strcmp(table[i].from, from) == 0 && is_let) {
            *ret_to = (State){table[i].to[0], table[i].to[1]};
            return CMK_STATUS_OK;
        }
    }
    return events[event].op == CMK_OP_NONE ? CMK_STATUS_OK : refusal(state, event);
}

static State state_of(const CmkWorld *world)
{
    static const char vault_letters[] = "-ADP";
    static const char key_letters[] = "-adfgr";
    const CmkKey *key = cmk_key(world, (CmkKeyId){ESTATE_KEY});
    State state = {vault_letters[cmk_key_vault(world, (CmkKeyVaultId){ESTATE_KV})->state],
                   key_letters[key->state]};
    if (state.key == 'f' && cmk_world_now(world) < key->name_free_at) {
        state.key = 'b';
    }
    return state;
}

static CmkStatus let_happen(Estate *estate, Event event, bool is_protected)
{
    if (events[event].op == CMK_OP_NONE) {
        estate_run(estate, events[event].wait_us);
        return CMK_STATUS_OK;
    }
    CmkArgs args = estate_args(estate, events[event].op);
    args.ref[CMK_REF_VERSION] = 0;
    if (event == VAULT_CREATE && !is_protected) {
        args.num[4] = CMK_SAYS_FALSE; /* soft delete alone */
    }
    return estate_apply(estate, &args).status;
}

#define STATES_MAX 32

/* Breadth first; one world stands for each state. Gives the number of states. */
static uint32_t walk(bool is_protected)
{
    const EstateOptions options = {.has_no_cmk = true,
                                   .has_no_purge_protection = !is_protected,
                                   .knobs = {[CMK_KNOB_KEY_DELETING] = 5 * CMK_SECOND_US + 1,
                                             [CMK_KNOB_KEY_RECOVERING] = 5 * CMK_SECOND_US + 1,
                                             [CMK_KNOB_NAME_RELEASE] = 5 * CMK_SECOND_US + 1}};
    Estate *estate = estate_new(&options);
    CmkWorld *first = estate->sim.world;
    CmkWorld *worlds[STATES_MAX] = {cmk_world_clone(first)};
    State states[STATES_MAX] = {{'A', 'a'}};
    uint32_t count = 1;
    for (uint32_t i = 0; i < count; i++) {
        for (Event event = CREATE; event < EVENT__COUNT; event++) {
            State to;
            const CmkStatus status = expected(states[i], event, is_protected, &to);
            estate->sim.world = cmk_world_clone(worlds[i]);
            const CmkStatus got = let_happen(estate, event, is_protected);
            const State state = state_of(estate->sim.world);
            cr_expect_eq(got, status, "%c%c, %s, protected %d: %s", states[i].vault, states[i].key,
                         events[event].name, is_protected, estate_status_name(estate, got));
            cr_expect(state.vault == to.vault && state.key == to.key,
                      "%c%c, %s, protected %d: to %c%c instead of %c%c", states[i].vault,
                      states[i].key, events[event].name, is_protected, state.vault, state.key,
                      to.vault, to.key);
            uint32_t k = 0;
            while (k < count && (states[k].vault != state.vault || states[k].key != state.key)) {
                k++;
            }
            if (k == count) {
                cr_assert_lt(count, STATES_MAX);
                states[count] = state;
                worlds[count++] = cmk_world_clone(estate->sim.world);
            }
            cmk_world_free(estate->sim.world);
        }
    }
    for (uint32_t i = 0; i < count; i++) {
        cmk_world_free(worlds[i]);
    }
    estate->sim.world = first;
    estate_free(estate);
    return count;
}

Test(key_life, every_event_in_every_state)
{
    cr_expect_eq(walk(false), 13, "six states of the key in two of the key vault, and purged");
    cr_expect_eq(walk(true), 11, "nobody purges a key before its time: no name is blocked then");
}

/* SD-6: the date of a deleted key cannot be moved, not by deleting its key vault either; an outage
 * of the region is made up for, also while that is deleted. */
Test(key_life, a_purge_does_not_wait_for_its_key_vault)
{
    for (int is_lost = 0; is_lost <= 1; is_lost++) {
        Estate *estate = estate_new(NULL);
        const CmkKey *key = cmk_key(estate->sim.world, (CmkKeyId){ESTATE_KEY});
        (void)estate_must(estate, CMK_OP_KEY_DELETE);
        estate_run(estate, 60 * CMK_DAY_US);
        (void)estate_must(estate, CMK_OP_KEY_VAULT_DELETE);
        estate_run_until(estate, key->purge_at - 1);
        cr_assert_eq(key->state, CMK_KEY_DELETED);
        if (is_lost == 1) {
            (void)estate_must(estate, CMK_OP_REGION_LOSE);
            estate_run(estate, CMK_DAY_US);
            cr_assert_eq(key->state, CMK_KEY_DELETED);
            (void)estate_must(estate, CMK_OP_REGION_RETURN);
            estate_run(estate, 2 * CMK_HOUR_US);
        }
        estate_run(estate, 1);
        cr_assert_eq(key->state, CMK_KEY_PURGED);
        cr_assert_eq(cmk_key_vault(estate->sim.world, (CmkKeyVaultId){ESTATE_KV})->state,
                     CMK_KEY_VAULT_DELETED);
        if (is_lost == 0) {
            cr_assert_eq(estate_count(estate, CMK_OP_KEY_PURGE), 1);
        }
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* SD-11, SD-12: a recovered key is as it was, after the seconds that both ways take. */
Test(key_life, recovery_brings_back_all_as_it_was)
{
    Estate *estate = estate_new(&(EstateOptions){.profile = cmk_profile_find("realistic")});
    CmkArgs update = estate_args(estate, CMK_OP_KEY_UPDATE);
    update.num[1] = ESTATE_START + 100 * CMK_DAY_US;
    update.num[3] = CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP;
    (void)estate_must_apply(estate, update);
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    const CmkVersionId newer = {
        cmk_key(estate->sim.world, (CmkKeyId){ESTATE_KEY})->current_version};
    CmkArgs disable = estate_args(estate, CMK_OP_KEY_UPDATE);
    disable.ref[CMK_REF_VERSION] = newer.i;
    disable.num[0] = CMK_SAYS_FALSE;
    (void)estate_must_apply(estate, disable);
    const CmkVersion first = *cmk_version(estate->sim.world, (CmkVersionId){1});
    const CmkVersion second = *cmk_version(estate->sim.world, newer);
    cr_assert_eq(first.key_ops, CMK_PERMISSION_WRAP | CMK_PERMISSION_UNWRAP);
    cr_assert_eq(second.is_enabled, 0);
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_GET).status, CMK_STATUS_OF(KEY_IS_BEING_DELETED));
    estate_run(estate, 5 * CMK_SECOND_US);
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_GET).status, CMK_STATUS_OF(KEY_NOT_FOUND));
    (void)estate_must(estate, CMK_OP_KEY_RECOVER);
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_GET).status, CMK_STATUS_OF(KEY_IS_BEING_RECOVERED));
    estate_run(estate, 5 * CMK_SECOND_US);
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_GET).status, CMK_STATUS_OK);
    cr_assert_eq(memcmp(&first, cmk_version(estate->sim.world, (CmkVersionId){1}), sizeof(first)),
                 0);
    cr_assert_eq(memcmp(&second, cmk_version(estate->sim.world, newer), sizeof(second)), 0);
    cr_assert_eq(cmk_key(estate->sim.world, (CmkKeyId){ESTATE_KEY})->version_count, 2);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* SD-15: of role assignments, those at the key vault and its keys are lost, others are not. */
Test(key_life, a_deleted_key_vault_loses_its_role_assignments)
{
    Estate *estate = estate_new(NULL);
    CmkArgs assign = estate_args(estate, CMK_OP_ROLE_ASSIGN);
    assign.ref[CMK_REF_KEY] = ESTATE_KEY;
    const uint32_t at_key = estate_must_apply(estate, assign);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_DELETE);
    const uint64_t seq = estate_last(estate, CMK_OP_KEY_VAULT_DELETE)->seq;
    const CmkWorld *world = estate->sim.world;
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_ASSIGNMENT); i++) {
        const CmkAssignment *assignment = cmk_assignment(world, (CmkAssignmentId){i});
        const bool is_lost = assignment->state == CMK_ASSIGNMENT_REMOVED;
        cr_assert_eq(is_lost, assignment->key_vault == ESTATE_KV, "assignment %u", i);
        cr_assert(!is_lost || assignment->changed_by == seq);
    }
    cr_assert_eq(cmk_assignment(world, (CmkAssignmentId){at_key})->state, CMK_ASSIGNMENT_REMOVED);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_RECOVER);
    /* OQ-32: a job says that rights are missing; whoever asks why is led to the deletion. */
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_GET).guard, CMK_GUARD_ROLE_LETS_GET);
    cr_assert_eq(estate_last(estate, CMK_OP_KEY_GET)->blame_seq, seq);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    cr_assert_eq(estate_try(estate, CMK_OP_KEY_GET).status, CMK_STATUS_OK);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* SD-6: with its key vault a key is gone, and all that only it could open is lost (OQ-29). */
Test(key_life, a_purged_key_vault_takes_its_keys_along)
{
    Estate *estate = estate_new(NULL);
    estate_run(estate, CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_DELETE);
    estate_run(estate, 90 * CMK_DAY_US - 1);
    cr_assert_not(cmk_point_is_lost(estate->sim.world, (CmkPointId){1}));
    estate_run(estate, 1);
    const CmkRecord *purge = estate_last(estate, CMK_OP_KEY_VAULT_PURGE);
    cr_assert_eq(purge->status, CMK_STATUS_OK);
    cr_assert_eq(purge->args.actor, CMK_ACTOR_PLATFORM);
    cr_assert(cmk_point_is_lost(estate->sim.world, (CmkPointId){1}));
    for (uint32_t i = 1; i <= cmk_world_count(estate->sim.world, CMK_TABLE_VERSION); i++) {
        const CmkVersion *version = cmk_version(estate->sim.world, (CmkVersionId){i});
        cr_assert_eq(version->is_purged, version->key != ESTATE_SPARE_KEY, "version %u", i);
    }
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* BV-31, SD-17: settings do not restore themselves on a key whose key vault is deleted, though the
 * access policy is still there. */
Test(key_life, settings_wait_for_their_key_vault)
{
    Estate *estate = estate_new(&(EstateOptions){.uses_policies = true});
    (void)estate_must(estate, CMK_OP_IDENTITY_DETACH);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_DELETE);
    (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
    estate_run(estate, 3 * CMK_HOUR_US);
    cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_INCONSISTENT);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_RECOVER);
    estate_run(estate, CMK_HOUR_US);
    cr_assert_eq(estate_vault(estate)->encryption, CMK_ENCRYPTION_ENABLED);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* KV-24: the same identifiers, in the same key vault and in another one. */
Test(key_life, brings_versions_back_with_their_identifiers)
{
    Estate *estate = estate_new(NULL);
    const CmkWorld *world = estate->sim.world;
    const uint32_t first = cmk_key(world, (CmkKeyId){ESTATE_KEY})->current_version;
    (void)estate_must(estate, CMK_OP_KEY_ROTATE);
    const uint32_t second = cmk_key(world, (CmkKeyId){ESTATE_KEY})->current_version;
    (void)estate_must(estate, CMK_OP_KEY_BACKUP);
    CmkArgs create = estate_args(estate, CMK_OP_KEY_VAULT_CREATE);
    create.ref[CMK_REF_KEY_VAULT] = ESTATE_ABSENT_KV;
    (void)estate_must_apply(estate, create);
    CmkArgs restore = estate_args(estate, CMK_OP_KEY_RESTORE);
    restore.ref[CMK_REF_KEY_VAULT] = ESTATE_ABSENT_KV;
    restore.ref[CMK_REF_KEY] = ESTATE_TWIN_KEY;
    restore.num[0] = ESTATE_KEY;
    (void)estate_must_apply(estate, restore);
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    estate_run(estate, 90 * CMK_DAY_US);
    (void)estate_must(estate, CMK_OP_KEY_RESTORE);
    cr_assert_str_eq(estate->trouble, "");
    cr_assert_eq(cmk_key(world, (CmkKeyId){ESTATE_KEY})->current_version, second);
    const CmkKey *twin = cmk_key(world, (CmkKeyId){ESTATE_TWIN_KEY});
    const uint32_t kept[] = {second, first};
    uint32_t copy = twin->current_version;
    cr_assert_eq(twin->version_count, 2);
    for (uint32_t i = 0; i < 2; i++) {
        char texts[2][CMK_VERSION_TEXT_SIZE];
        cmk_version_format(world, (CmkVersionId){kept[i]}, texts[0]);
        cmk_version_format(world, (CmkVersionId){copy}, texts[1]);
        cr_assert_neq(copy, kept[i]);
        cr_assert_str_eq(texts[0], texts[1]);
        copy = cmk_version(world, (CmkVersionId){copy})->previous;
    }
    cr_assert_eq(copy, 0);
    estate_free(estate);
}
