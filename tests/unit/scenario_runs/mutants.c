#include "tests/unit/scenario_runs/mutants.h"

#include <inttypes.h>

#include "models/mutate.h"

/* ---- the mutant that lives ------------------------------------------------------------------- */

static struct {
    CmkModel model;
    CmkTime start;
    const CmkGuard *guards[CMK_GUARD__COUNT];
    const CmkOperation *operations[CMK_OP__COUNT];
    CmkEventRow events[CMK_EVENT__COUNT];
    CmkGuard guard;
    CmkOperation operation;
    const CmkGuard *guard_as_it_was;
    const CmkOperation *operation_as_it_was;
    void (*handle_as_it_was)(CmkSim *sim, const CmkTimer *timer);
} alive;

static bool has_begun(const CmkWorld *world)
{
    return cmk_world_now(world) >= alive.start;
}

static bool always_holds(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return has_begun(world) || alive.guard_as_it_was->holds(world, args, ret_blame);
}

static bool never_holds(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return !has_begun(world) && alive.guard_as_it_was->holds(world, args, ret_blame);
}

/* Gives the row that the effect would have given: it works on a clone, which is thrown away. */
static uint32_t does_nothing(CmkSim *sim, const CmkArgs *args)
{
    if (!has_begun(sim->world)) {
        return alive.operation_as_it_was->effect(sim, args);
    }
    CmkSim elsewhere = *sim;
    elsewhere.world = cmk_world_clone(sim->world);
    CMK_ASSERT(elsewhere.world != NULL);
    const uint32_t row = alive.operation_as_it_was->effect(&elsewhere, args);
    cmk_world_free(elsewhere.world);
    return row;
}

/* The vault that the operation is about, or all of them if it is about none. */
static uint32_t spoils(CmkSim *sim, const CmkArgs *args)
{
    const uint32_t row = alive.operation_as_it_was->effect(sim, args);
    const uint32_t about = args->ref[CMK_REF_BACKUP_VAULT];
    const uint32_t count = cmk_world_count(sim->world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t i = 1; i <= count && has_begun(sim->world); i++) {
        if (about == 0 || about == i) {
            cmk_encryption_break(sim, (CmkBackupVaultId){i});
        }
    }
    return row;
}

static void ignores(CmkSim *sim, const CmkTimer *timer)
{
    if (!has_begun(sim->world)) {
        alive.handle_as_it_was(sim, timer);
    }
}

/* ---- making it ------------------------------------------------------------------------------- */

static void replace_guard(uint32_t row, bool (*holds)(const CmkWorld *world, const CmkArgs *args,
                                                      uint64_t *ret_blame))
{
    alive.guard_as_it_was = alive.guards[row];
    alive.guard = *alive.guards[row];
    alive.guard.holds = holds;
    alive.guards[row] = &alive.guard;
}

static void replace_effect(uint32_t row, uint32_t (*effect)(CmkSim *sim, const CmkArgs *args))
{
    alive.operation_as_it_was = alive.operations[row];
    alive.operation = *alive.operations[row];
    alive.operation.effect = effect;
    alive.operations[row] = &alive.operation;
}

const CmkModel *mutant_model(const Mutant *mutant, CmkScenario *scenario)
{
    const CmkModel *model = cmk_azure_model();
    alive.model = *model;
    alive.start = scenario->start;
    for (uint32_t i = 0; i < model->guard_count; i++) {
        alive.guards[i] = model->guards[i];
    }
    for (uint32_t i = 0; i < model->operation_count; i++) {
        alive.operations[i] = model->operations[i];
    }
    for (uint32_t i = 0; i < model->event_count; i++) {
        alive.events[i] = model->events[i];
    }
    alive.model.guards = alive.guards;
    alive.model.operations = alive.operations;
    alive.model.events = alive.events;
    switch (mutant->kind) {
    case MUTANT_GUARD_HOLDS:
        replace_guard(mutant->row, always_holds);
        break;
    case MUTANT_GUARD_REFUSES:
        replace_guard(mutant->row, never_holds);
        break;
    case MUTANT_EFFECT_DROPPED:
        replace_effect(mutant->row, does_nothing);
        break;
    case MUTANT_EFFECT_SPOILS:
        replace_effect(mutant->row, spoils);
        alive.operation.writes |= CMK_BIT(BACKUP_VAULT); /* readers go by what it declares */
        break;
    case MUTANT_TIMER_IGNORED:
        alive.handle_as_it_was = alive.events[mutant->row].handle;
        alive.events[mutant->row].handle = ignores;
        break;
    case MUTANT_KNOB:
        scenario->knobs[mutant->row] = mutant->value;
        break;
    }
    return &alive.model;
}

/* ---- which there are ------------------------------------------------------------------------- */

static void add(GArray *mutants, MutantKind kind, uint32_t row, int64_t value)
{
    const Mutant mutant = {.kind = kind, .row = row, .value = value};
    g_array_append_val(mutants, mutant);
}

static void add_knob(GArray *mutants, const CmkKnob *knob, uint32_t row, int64_t right)
{
    int64_t tried[CMK_PROFILES_MAX + 3] = {right, knob->min, knob->max};
    guint count = 3;
    for (guint i = 0; i < CMK_PROFILES_MAX; i++) {
        tried[count++] = knob->values[i];
    }
    for (guint i = 1; i < count; i++) {
        bool is_new = true;
        for (guint k = 0; k < i; k++) {
            is_new = is_new && tried[k] != tried[i];
        }
        if (is_new) {
            add(mutants, MUTANT_KNOB, row, tried[i]);
        }
    }
}

GArray *mutants_list(const CmkScenario *scenario)
{
    const CmkModel *model = cmk_azure_model();
    GArray *mutants = g_array_new(FALSE, TRUE, sizeof(Mutant));
    for (uint32_t i = 1; i < model->guard_count; i++) {
        add(mutants, MUTANT_GUARD_HOLDS, i, 0);
    }
    /* The first operation is the simulator's own: it says when the scenario begins. */
    for (uint32_t i = CMK_OP_SIMULATION_OPEN + 1; i < model->operation_count; i++) {
        add(mutants, MUTANT_EFFECT_DROPPED, i, 0);
        add(mutants, MUTANT_EFFECT_SPOILS, i, 0);
    }
    for (uint32_t i = 0; i < model->knob_count; i++) {
        add_knob(mutants, &model->knobs[i], i, scenario->knobs[i]);
    }
    for (uint32_t i = 0; i < model->event_count; i++) {
        add(mutants, MUTANT_TIMER_IGNORED, i, 0);
    }
    for (uint32_t i = 1; i < model->guard_count; i++) {
        add(mutants, MUTANT_GUARD_REFUSES, i, 0);
    }
    return mutants;
}

static char *knob_name(const CmkKnob *knob, int64_t value)
{
    if (g_str_equal(knob->type, "duration")) {
        return g_strdup_printf("option %s is %" PRId64 " s", knob->name, value / CMK_SECOND_US);
    }
    return g_strdup_printf("option %s is %" PRId64, knob->name, value);
}

char *mutant_name(const Mutant *mutant)
{
    const CmkModel *model = cmk_azure_model();
    switch (mutant->kind) {
    case MUTANT_GUARD_HOLDS:
        return g_strdup_printf("guard %s always holds", model->guards[mutant->row]->name);
    case MUTANT_GUARD_REFUSES:
        return g_strdup_printf("guard %s never holds", model->guards[mutant->row]->name);
    case MUTANT_EFFECT_DROPPED:
        return g_strdup_printf("operation %s does nothing", model->operations[mutant->row]->name);
    case MUTANT_EFFECT_SPOILS:
        return g_strdup_printf("operation %s makes encryption settings Inconsistent",
                               model->operations[mutant->row]->name);
    case MUTANT_TIMER_IGNORED:
        return g_strdup_printf("timers of kind %s are ignored", model->events[mutant->row].name);
    case MUTANT_KNOB:
        return knob_name(&model->knobs[mutant->row], mutant->value);
    }
    return NULL;
}
