#include "sim/apply.h"

#include <stdio.h>
#include <stdlib.h>

/* Up to this size a world is copied for each self-check; larger ones are checked now and then. */
#define SELF_CHECK_EACH_BYTES ((size_t)1 << 20)
#define SELF_CHECK_SAMPLE 1024

static const CmkOperation *operation_of(const CmkModel *model, const CmkArgs *args)
{
    CMK_ASSERT(args->op != CMK_OP_NONE && args->op < model->operation_count);
    return model->operations[args->op];
}

/* Of several guards that do not hold, the first one decides (OQ-20). */
static CmkGuardId first_refusal(const CmkModel *model, const CmkOperation *operation,
                                const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    for (uint32_t i = 0; i < CMK_GUARDS_MAX && operation->guards[i] != CMK_GUARD_NONE; i++) {
        const CmkGuardId guard = operation->guards[i];
        CMK_ASSERT(guard < model->guard_count);
        if (!model->guards[guard]->holds(world, args, ret_blame)) {
            return guard;
        }
        *ret_blame = 0;
    }
    return CMK_GUARD_NONE;
}

CmkOutcome cmk_would_apply(const CmkSim *sim, const CmkArgs *args)
{
    if (cmk_world_overfull_table(sim->world) != NULL) {
        return (CmkOutcome){.status = CMK_STATUS_LIMIT_REACHED};
    }
    uint64_t blame = 0;
    const CmkGuardId guard =
        first_refusal(sim->model, operation_of(sim->model, args), sim->world, args, &blame);
    return (CmkOutcome){.status = guard == CMK_GUARD_NONE ? CMK_STATUS_OK
                                                          : sim->model->guards[guard]->status,
                        .guard = guard,
                        .seq = blame};
}

_Noreturn static void breach(const CmkOperation *operation, const char *what, const char *detail)
{
    (void)fprintf(stderr, "cmksim: self-check: operation %s: %s%s%s\n", operation->name, what,
                  detail == NULL ? "" : ": ", detail == NULL ? "" : detail);
    abort();
}

static bool is_checked_now(const CmkSim *sim)
{
    return sim->is_self_checking && (cmk_world_used_bytes(sim->world) <= SELF_CHECK_EACH_BYTES ||
                                     cmk_world_next_seq(sim->world) % SELF_CHECK_SAMPLE == 0);
}

/* Guards, then the effect; fills in the record, which is not yet committed. */
static void decide(CmkSim *sim, const CmkOperation *operation, const CmkArgs *args,
                   CmkRecord *record)
{
    /* Field by field, which is faster than clearing all of it first. */
    record->seq = cmk_world_next_seq(sim->world);
    record->time = cmk_world_now(sim->world);
    record->blame_seq = 0;
    record->status = CMK_STATUS_OK;
    record->result = 0;
    record->args = *args;
    cmk_world_clear_written(sim->world);
    record->guard = first_refusal(sim->model, operation, sim->world, args, &record->blame_seq);
    if (record->guard == CMK_GUARD_NONE) {
        record->result = operation->effect(sim, args);
    } else {
        record->status = sim->model->guards[record->guard]->status;
    }
    if (operation->account != NULL) {
        operation->account(sim, args, record->guard);
    }
}

/* Only declared tables written, by the marks that writing leaves and by their bytes; a refusal
 * leaves all but scratch tables alone. `before` is the world as it was. */
static void check_writes(const CmkSim *sim, const CmkOperation *operation, const CmkWorld *before,
                         CmkGuardId guard)
{
    const uint64_t scratch = cmk_world_scratch_tables(sim->world);
    const uint64_t allowed = guard == CMK_GUARD_NONE ? operation->writes | scratch : scratch;
    const uint64_t written =
        cmk_world_written(sim->world) | cmk_world_differing_tables(before, sim->world);
    const uint64_t undeclared = written & ~allowed;
    if (undeclared != 0) {
        breach(operation, "wrote a table it may not write",
               cmk_world_table_name(sim->world, (uint32_t)__builtin_ctzll(undeclared)));
    }
    if (cmk_world_now(before) != cmk_world_now(sim->world)) {
        breach(operation, "moved the clock", NULL);
    }
}

/* The arguments again on the world as it was before must give the same bytes, and what must always
 * hold must hold. */
static void check_after(const CmkSim *sim, const CmkOperation *operation, const CmkArgs *args,
                        CmkWorld *before)
{
    CmkSim again = {.model = sim->model, .world = before, .is_applying = true};
    CmkRecord record;
    decide(&again, operation, args, &record);
    cmk_world_commit_record(before, &record, sizeof(record));
    const char *differs = NULL;
    if (!cmk_world_equal(before, sim->world, &differs)) {
        breach(operation, "the same arguments gave another world",
               differs == NULL ? "digest" : differs);
    }
    const char *broken = sim->model->invariant == NULL ? NULL : sim->model->invariant(sim->world);
    if (broken != NULL) {
        breach(operation, "an invariant does not hold", broken);
    }
}

static void tell(const CmkSim *sim, const CmkRecord *record)
{
    for (uint32_t i = 0; sim->journal != NULL && i < sim->journal->count; i++) {
        const CmkReader *reader = &sim->journal->readers[i];
        reader->read(reader->self, sim->world, record);
    }
}

CmkOutcome cmk_apply(CmkSim *sim, const CmkArgs *args)
{
    CMK_ASSERT(!sim->is_applying);
    const CmkOperation *operation = operation_of(sim->model, args);
    sim->exhausted = cmk_world_overfull_table(sim->world);
    if (sim->exhausted != NULL) {
        return (CmkOutcome){.status = CMK_STATUS_LIMIT_REACHED};
    }
    CmkWorld *before = is_checked_now(sim) ? cmk_world_clone(sim->world) : NULL;
    CmkRecord record;
    sim->is_applying = true;
    decide(sim, operation, args, &record);
    if (before != NULL) {
        check_writes(sim, operation, before, record.guard);
    }
    cmk_world_commit_record(sim->world, &record, sizeof(record));
    if (before != NULL) {
        check_after(sim, operation, args, before);
        cmk_world_free(before);
    }
    sim->exhausted = cmk_world_overfull_table(sim->world);
    tell(sim, &record);
    sim->is_applying = false;
    return (CmkOutcome){
        .status = record.status, .guard = record.guard, .result = record.result, .seq = record.seq};
}
