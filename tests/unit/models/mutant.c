#include "tests/unit/models/mutant.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "models/error_map.h"

/* ---- looking things up ----------------------------------------------------------------------- */

CmkGuardId find_guard(const char *name)
{
    const CmkModel *model = cmk_azure_model();
    for (uint32_t i = 1; i < model->guard_count; i++) {
        if (strcmp(model->guards[i]->name, name) == 0) {
            return (CmkGuardId)i;
        }
    }
    return CMK_GUARD_NONE;
}

uint32_t guards_of(const CmkOperation *operation)
{
    uint32_t count = 0;
    while (operation->guards[count] != CMK_GUARD_NONE) {
        count++;
    }
    return count;
}

/* Its place in the list of the operation; how many there are if it is not in it. */
static uint32_t find_in_list(const CmkOperation *operation, CmkGuardId guard)
{
    uint32_t i = 0;
    while (operation->guards[i] != CMK_GUARD_NONE && operation->guards[i] != guard) {
        i++;
    }
    return i;
}

static void add_value(int64_t value, int64_t *values, uint32_t *count)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (values[i] == value) {
            return;
        }
    }
    values[(*count)++] = value;
}

uint32_t knob_values(const CmkKnob *knob, int64_t ret_values[KNOB_VALUES_MAX])
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < CMK_PROFILES_MAX; i++) {
        add_value(knob->values[i], ret_values, &count);
    }
    add_value(knob->min, ret_values, &count);
    add_value(knob->max, ret_values, &count);
    return count;
}

/* ---- breaking one thing ---------------------------------------------------------------------- */

void mutant_init(Mutant *mutant)
{
    mutant->model = *cmk_azure_model();
    memcpy(mutant->operations, mutant->model.operations, sizeof(mutant->operations));
    memcpy(mutant->guards, mutant->model.guards, sizeof(mutant->guards));
    mutant->model.operations = mutant->operations;
    mutant->model.guards = mutant->guards;
}

/* Gives its list of guards, to change. */
static CmkGuardId *change_operation(Mutant *mutant, CmkOpId op)
{
    mutant->changed[op] = *mutant->operations[op];
    mutant->operations[op] = &mutant->changed[op];
    return mutant->changed[op].guards;
}

void mutant_set_guard(Mutant *mutant, CmkGuardId guard,
                      bool (*holds)(const CmkWorld *, const CmkArgs *, uint64_t *))
{
    mutant_init(mutant);
    mutant->guard = *mutant->guards[guard];
    mutant->guard.holds = holds;
    mutant->guards[guard] = &mutant->guard;
}

void mutant_drop_guard(Mutant *mutant, CmkOpId op, uint32_t index)
{
    mutant_init(mutant);
    CmkGuardId *guards = change_operation(mutant, op);
    memmove(&guards[index], &guards[index + 1],
            (guards_of(mutant->operations[op]) - index) * sizeof(CmkGuardId));
}

void mutant_swap_guards(Mutant *mutant, CmkOpId op, uint32_t index)
{
    mutant_init(mutant);
    CmkGuardId *guards = change_operation(mutant, op);
    const CmkGuardId first = guards[index];
    guards[index] = guards[index + 1];
    guards[index + 1] = first;
}

/* After all the others. */
static void add_guard(Mutant *mutant, CmkOpId op, CmkGuardId guard)
{
    mutant_init(mutant);
    const uint32_t count = guards_of(mutant->operations[op]);
    CMK_ASSERT(count + 1 < CMK_GUARDS_MAX);
    change_operation(mutant, op)[count] = guard;
}

static uint32_t does_nothing(CmkSim *sim, const CmkArgs *args)
{
    (void)sim;
    (void)args;
    return 0;
}

void mutant_drop_effect(Mutant *mutant, CmkOpId op)
{
    mutant_init(mutant);
    (void)change_operation(mutant, op);
    mutant->changed[op].effect = does_nothing;
}

bool holds_always(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)args;
    (void)ret_blame;
    return true;
}

bool holds_never(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)args;
    (void)ret_blame;
    return false;
}

/* ---- by sentences ---------------------------------------------------------------------------- */

static bool break_guard(Mutant *mutant, const char *name, const char *how)
{
    const CmkGuardId guard = find_guard(name);
    const bool is_always = strcmp(how, "always holds") == 0;
    if (guard == CMK_GUARD_NONE || (!is_always && strcmp(how, "never holds") != 0)) {
        return false;
    }
    mutant_set_guard(mutant, guard, is_always ? holds_always : holds_never);
    return true;
}

static bool break_operation(Mutant *mutant, const char *name, const char *how)
{
    const CmkOpId op = cmk_operation_find(name);
    char guard_name[64] = "";
    if (op == CMK_OP_NONE) {
        return false;
    }
    if (strcmp(how, "does nothing") == 0) {
        mutant_drop_effect(mutant, op);
        return true;
    }
    const CmkOperation *operation = cmk_azure_model()->operations[op];
    const bool is_more = sscanf(how, "asks %63s too", guard_name) == 1;
    const bool is_less = sscanf(how, "does not ask %63s", guard_name) == 1;
    const CmkGuardId guard = find_guard(guard_name);
    const uint32_t index = find_in_list(operation, guard);
    const bool is_asked = index < guards_of(operation);
    if (guard == CMK_GUARD_NONE || is_more == is_asked || is_less != is_asked) {
        return false;
    }
    if (is_less) {
        mutant_drop_guard(mutant, op, index);
    } else {
        add_guard(mutant, op, guard);
    }
    return true;
}

/* Whoever ends with a status of this name or code says something else. */
static bool break_status(Mutant *mutant, const char *name)
{
    bool is_broken = false;
    mutant_init(mutant);
    memcpy(mutant->statuses, mutant->model.statuses, sizeof(mutant->statuses));
    mutant->model.statuses = mutant->statuses;
    for (uint32_t i = 0; i < CMK_STATUS__COUNT; i++) {
        CmkStatusRow *row = &mutant->statuses[i];
        if (row->name != NULL && (strcmp(row->name, name) == 0 || strcmp(row->code, name) == 0)) {
            row->name = row->code = "AnotherOne";
            is_broken = true;
        }
    }
    return is_broken;
}

/* Has another code than `guard` for jobs and for settings, and no operation asks both. */
static bool can_stand_in(CmkGuardId other, CmkGuardId guard)
{
    const CmkModel *model = cmk_azure_model();
    const CmkErrorRow *one = cmk_error_find(guard);
    const CmkErrorRow *two = cmk_error_find(other);
    if (two == NULL || one->job == two->job || one->settings == two->settings) {
        return false;
    }
    for (uint32_t op = 1; op < model->operation_count; op++) {
        const CmkOperation *operation = model->operations[op];
        const uint32_t count = guards_of(operation);
        if (find_in_list(operation, guard) < count && find_in_list(operation, other) < count) {
            return false;
        }
    }
    return true;
}

/* Of a code, see above. Of a guard: it refuses as before, and under its name, but in the place of
 * another one, so that what follows for a job is that one's code. */
static bool break_error(Mutant *mutant, const char *name)
{
    const CmkGuardId guard = find_guard(name);
    if (guard == CMK_GUARD_NONE) {
        return break_status(mutant, name);
    }
    if (cmk_error_find(guard) == NULL) {
        return false;
    }
    CmkGuardId other = 1;
    while (other < CMK_GUARD__COUNT && !can_stand_in(other, guard)) {
        other++;
    }
    if (other == CMK_GUARD__COUNT) {
        return false;
    }
    mutant_init(mutant);
    mutant->guards[other] = mutant->guards[guard];
    for (CmkOpId op = 1; op < mutant->model.operation_count; op++) {
        const uint32_t index = find_in_list(mutant->operations[op], guard);
        if (index < guards_of(mutant->operations[op])) {
            change_operation(mutant, op)[index] = other;
        }
    }
    return true;
}

/* In all profiles. */
static bool break_knob(Mutant *mutant, const char *name, const char *how)
{
    const int32_t knob = cmk_knob_find(name);
    int64_t value = 0;
    if (knob < 0 || sscanf(how, "is %" SCNd64, &value) != 1) {
        return false;
    }
    mutant_init(mutant);
    memcpy(mutant->knobs, mutant->model.knobs, sizeof(mutant->knobs));
    mutant->model.knobs = mutant->knobs;
    for (uint32_t i = 0; i < CMK_PROFILES_MAX; i++) {
        mutant->knobs[knob].values[i] = value;
    }
    return true;
}

/* "guard", its name, and the rest. */
typedef struct Sentence {
    char kind[16];
    char name[64];
    char how[96];
} Sentence;

static bool parse(const char *text, Sentence *ret)
{
    return text != NULL && sscanf(text, "%15s %63s %95[^\n]", ret->kind, ret->name, ret->how) == 3;
}

bool mutant_make(Mutant *mutant, const char *sentence)
{
    Sentence parts;
    if (!parse(sentence, &parts)) {
        return false;
    }
    if (strcmp(parts.kind, "guard") == 0) {
        return break_guard(mutant, parts.name, parts.how);
    }
    if (strcmp(parts.kind, "operation") == 0) {
        return break_operation(mutant, parts.name, parts.how);
    }
    if (strcmp(parts.kind, "knob") == 0) {
        return break_knob(mutant, parts.name, parts.how);
    }
    if (strcmp(parts.kind, "status") == 0) {
        return break_status(mutant, parts.name);
    }
    if (strcmp(parts.kind, "model") == 0) {
        mutant_init(mutant);
        return true;
    }
    return strcmp(parts.kind, "error") == 0 && break_error(mutant, parts.name);
}

/* ---- of the environment ---------------------------------------------------------------------- */

const CmkModel *mutant_of_environment(void)
{
    static Mutant mutant;
    static bool is_made;
    const char *sentence = getenv(MUTANT_VARIABLE);
    if (!is_made && !(is_made = mutant_make(&mutant, sentence))) {
        return NULL;
    }
    return &mutant.model;
}

const char *mutant_name(const char *kind)
{
    static Sentence parts;
    const bool is_meant = parse(getenv(MUTANT_VARIABLE), &parts) && strcmp(parts.kind, kind) == 0;
    return is_meant ? parts.name : NULL;
}
