#include <criterion/criterion.h>
#include <inttypes.h>
#include <string.h>

#include "sim/chance.h"
#include "tests/toy/bank.h"
#include "tests/unit/sim/abort.h"

/* Account 1 holds 100, account 2 is empty, account 3 is closed. Records 1 to 5. */
static CmkSim small_bank(const CmkModel *model)
{
    CmkSim sim = {.model = model, .world = bank_new(8, 100, 1), .is_self_checking = true};
    const CmkArgs script[] = {
        bank_open(100, CMK_HOUR_US),      bank_open(5, CMK_HOUR_US),
        bank_open(5, CMK_HOUR_US),        bank_pay(BANK_OP_WITHDRAW, 2, 5),
        bank_pay(BANK_OP_WITHDRAW, 3, 5), bank_pay(BANK_OP_CLOSE, 3, 0),
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(script); i++) {
        const CmkOutcome outcome = cmk_apply(&sim, &script[i]);
        CMK_ASSERT(outcome.status == CMK_STATUS_OK);
        CMK_ASSERT(outcome.seq == i + 1);
    }
    return sim;
}

typedef struct Case {
    const char *name;
    CmkArgs args;
    CmkStatus status;
    CmkGuardId guard;
    uint64_t blame;
    int64_t balance_1; /* afterwards */
} Case;

#define CASE_COUNT 16

/* In operations with several guards that do not hold, the first in the list decides, and a guard
 * that holds leaves no blame behind. */
static void cases_fill(Case cases[CASE_COUNT])
{
    enum {
        PAY_IN = BANK_OP_DEPOSIT,
        PAY_OUT = BANK_OP_WITHDRAW
    };
    const Case all[CASE_COUNT] = {
        {"deposit", bank_pay(PAY_IN, 1, 1), CMK_STATUS_OK, CMK_GUARD_NONE, 0, 101},
        {"withdraw all", bank_pay(PAY_OUT, 1, 100), CMK_STATUS_OK, CMK_GUARD_NONE, 0, 0},
        {"withdraw more", bank_pay(PAY_OUT, 1, 101), BANK_STATUS_NO_FUNDS, BANK_GUARD_FUNDS_SUFFICE,
         1, 100},
        {"transfer", bank_transfer(1, 2, 40), CMK_STATUS_OK, CMK_GUARD_NONE, 0, 60},
        {"from an empty one", bank_transfer(2, 1, 40), BANK_STATUS_NO_FUNDS,
         BANK_GUARD_FUNDS_SUFFICE, 4, 100},
        {"from row 0", bank_transfer(0, 1, 1), BANK_STATUS_NO_ACCOUNT, BANK_GUARD_ACCOUNT_EXISTS, 0,
         100},
        {"from row 4", bank_transfer(4, 1, 1), BANK_STATUS_NO_ACCOUNT, BANK_GUARD_ACCOUNT_EXISTS, 0,
         100},
        {"to a closed one", bank_transfer(1, 3, 1), BANK_STATUS_BAD_TARGET, BANK_GUARD_TARGET_OPEN,
         6, 100},
        {"to itself", bank_transfer(1, 1, 1), BANK_STATUS_BAD_TARGET, BANK_GUARD_TARGET_DIFFERS, 0,
         100},
        {"nothing", bank_transfer(1, 2, 0), BANK_STATUS_BAD_AMOUNT, BANK_GUARD_AMOUNT_POSITIVE, 0,
         100},
        {"close a full one", bank_pay(BANK_OP_CLOSE, 1, 0), BANK_STATUS_NOT_EMPTY,
         BANK_GUARD_IS_EMPTY, 1, 100},
        {"close an empty one", bank_pay(BANK_OP_CLOSE, 2, 0), CMK_STATUS_OK, CMK_GUARD_NONE, 0,
         100},
        {"close again", bank_pay(BANK_OP_CLOSE, 3, 0), BANK_STATUS_CLOSED, BANK_GUARD_ACCOUNT_OPEN,
         6, 100},
        {"closed, to itself, negative", bank_transfer(3, 3, -1), BANK_STATUS_CLOSED,
         BANK_GUARD_ACCOUNT_OPEN, 6, 100},
        {"to itself, nothing", bank_transfer(1, 1, 0), BANK_STATUS_BAD_TARGET,
         BANK_GUARD_TARGET_DIFFERS, 0, 100},
        {"open with nothing", bank_open(0, 1), BANK_STATUS_BAD_AMOUNT, BANK_GUARD_AMOUNT_POSITIVE,
         0, 100},
    };
    memcpy(cases, all, sizeof(all));
}

typedef struct Note {
    uint32_t reader;
    CmkRecord record;
    CmkDigest digest;
    uint64_t next_seq;
} Note;

typedef struct Notes {
    Note notes[8];
    uint32_t count;
} Notes;

typedef struct NoteTaker {
    Notes *notes;
    uint32_t number;
} NoteTaker;

static void take_note(void *self, const CmkWorld *world, const CmkRecord *record)
{
    const NoteTaker *taker = self;
    Notes *notes = taker->notes;
    CMK_ASSERT(notes->count < CMK_ARRAY_LEN(notes->notes));
    notes->notes[notes->count++] = (Note){.reader = taker->number,
                                          .record = *record,
                                          .digest = cmk_world_digest(world),
                                          .next_seq = cmk_world_next_seq(world)};
}

static void check_record(const Case *one, const CmkRecord *record)
{
    cr_assert_eq(record->seq, 7, "%s", one->name);
    cr_assert_eq(record->time, 500);
    cr_assert_eq(record->status, one->status, "%s", one->name);
    cr_assert_eq(record->guard, one->guard, "%s", one->name);
    cr_assert_eq(record->blame_seq, one->blame, "%s: blamed %" PRIu64, one->name,
                 record->blame_seq);
    cr_assert_eq(memcmp(&record->args, &one->args, sizeof(one->args)), 0, "%s", one->name);
    const bool has_result = one->status == CMK_STATUS_OK && one->args.op == BANK_OP_TRANSFER;
    cr_assert_eq(record->result, has_result ? one->args.ref[1] : 0, "%s", one->name);
}

Test(apply, decides_records_and_tells)
{
    Case cases[CASE_COUNT];
    cases_fill(cases);
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        const Case *one = &cases[i];
        Notes notes = {.count = 0};
        NoteTaker takers[] = {{&notes, 1}, {&notes, 2}, {&notes, 3}};
        CmkJournal journal = {.count = 0};
        for (size_t t = 0; t < CMK_ARRAY_LEN(takers); t++) {
            cmk_journal_add(&journal, (CmkReader){.read = take_note, .self = &takers[t]});
        }
        CmkSim sim = small_bank(&bank_model);
        sim.journal = &journal;
        cmk_world_set_now(sim.world, 500);
        CmkWorld *before = cmk_world_clone(sim.world);
        const BankRequest requests_before = bank_requests(sim.world, one->args.op);

        const CmkOutcome would = cmk_would_apply(&sim, &one->args);
        cr_assert(cmk_world_equal(before, sim.world, NULL), "%s: asking changes nothing",
                  one->name);
        const CmkOutcome outcome = cmk_apply(&sim, &one->args);
        cr_assert_eq(outcome.status, one->status, "%s: %u", one->name, outcome.status);
        cr_assert_eq(outcome.guard, one->guard, "%s", one->name);
        cr_assert_eq(outcome.seq, 7, "%s", one->name);
        cr_assert_eq(would.status, outcome.status, "%s: foretold", one->name);
        cr_assert_eq(would.guard, outcome.guard, "%s: foretold", one->name);
        cr_assert_eq(would.seq, one->blame, "%s: foretold", one->name);

        const uint64_t differing = cmk_world_differing_tables(before, sim.world);
        const uint64_t scratch = UINT64_C(1) << BANK_TABLE_REQUEST;
        if (one->status != CMK_STATUS_OK) {
            cr_assert_eq(differing, scratch, "%s: a refusal changes nothing else", one->name);
        } else {
            cr_assert_eq(differing & ~(bank_model.operations[one->args.op]->writes | scratch), 0);
            cr_assert_neq(differing & ~scratch, 0);
        }
        const BankRequest requests = bank_requests(sim.world, one->args.op);
        const bool is_granted = one->status == CMK_STATUS_OK;
        cr_assert_eq(requests.granted, requests_before.granted + (is_granted ? 1 : 0));
        cr_assert_eq(requests.refused, requests_before.refused + (is_granted ? 0 : 1));
        cr_assert_eq(bank_account(sim.world, 1)->balance, one->balance_1, "%s", one->name);

        cr_assert_eq(notes.count, CMK_ARRAY_LEN(takers));
        for (uint32_t n = 0; n < notes.count; n++) {
            cr_assert_eq(notes.notes[n].reader, n + 1, "readers come in order");
            cr_assert_eq(notes.notes[n].next_seq, 8, "and see the world afterwards");
            check_record(one, &notes.notes[n].record);
        }
        const CmkDigest digest =
            cmk_digest_fold(cmk_world_digest(before), &notes.notes[0].record, sizeof(CmkRecord));
        cr_assert(cmk_digest_equal(cmk_world_digest(sim.world), digest));
        cr_assert(cmk_digest_equal(notes.notes[0].digest, digest));
        cmk_world_free(before);
        cmk_world_free(sim.world);
    }
}

Test(apply, foretells_on_random_requests)
{
    CmkSim sim = {.model = &bank_model, .world = bank_new(20, 4000, 3), .is_self_checking = true};
    bank_populate(&sim, 10);
    uint32_t refused = 0;
    for (uint64_t i = 0; i < 5000; i++) {
        const CmkStream stream = {9, 9};
        CmkArgs args = {
            .op = (CmkOpId)(BANK_OP_DEPOSIT + cmk_chance_below(3, stream, 4 * i, 4)),
            .ref = {(uint32_t)cmk_chance_below(3, stream, 4 * i + 1, 12),
                    (uint32_t)cmk_chance_below(3, stream, 4 * i + 2, 12)},
            .num = {(int64_t)cmk_chance_below(3, stream, 4 * i + 3, 2000) - 20},
        };
        const CmkOutcome would = cmk_would_apply(&sim, &args);
        const CmkOutcome outcome = cmk_apply(&sim, &args);
        cr_assert_eq(would.status, outcome.status, "request %" PRIu64, i);
        cr_assert_eq(would.guard, outcome.guard, "request %" PRIu64, i);
        refused += outcome.status != CMK_STATUS_OK ? 1 : 0;
    }
    cr_assert(refused > 500 && refused < 4500, "%u refused", refused);
    cmk_world_free(sim.world);
}

/* ---- limits ---------------------------------------------------------------------------------- */

Test(apply, ends_cleanly_at_a_limit)
{
    CmkSim sim = {.model = &bank_model, .world = bank_new(3, 100, 1), .is_self_checking = true};
    const CmkArgs open = bank_open(10, CMK_HOUR_US);
    const CmkArgs deposit = bank_pay(BANK_OP_DEPOSIT, 1, 1);
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_eq(cmk_apply(&sim, &open).status, CMK_STATUS_OK);
    }
    cr_assert_eq(cmk_apply(&sim, &deposit).status, CMK_STATUS_OK,
                 "a table that is exactly full can be written");
    cr_assert_null(sim.exhausted);

    const CmkOutcome last = cmk_apply(&sim, &open);
    cr_assert_eq(last.status, CMK_STATUS_OK);
    cr_assert_str_eq(sim.exhausted, "accounts", "the table that was too small is named");

    CmkWorld *before = cmk_world_clone(sim.world);
    const CmkArgs requests[] = {open, deposit, bank_transfer(1, 1, 0)};
    for (size_t i = 0; i < CMK_ARRAY_LEN(requests); i++) {
        cr_assert_eq(cmk_would_apply(&sim, &requests[i]).status, CMK_STATUS_LIMIT_REACHED);
        sim.exhausted = NULL;
        const CmkOutcome outcome = cmk_apply(&sim, &requests[i]);
        cr_assert_eq(outcome.status, CMK_STATUS_LIMIT_REACHED);
        cr_assert_eq(outcome.seq, 0, "no record");
        cr_assert_str_eq(sim.exhausted, "accounts");
        cr_assert(cmk_world_equal(before, sim.world, NULL));
    }
    cmk_world_free(before);
    cmk_world_free(sim.world);

    /* The table of timers ends a run in the same way. */
    CmkSim timers = {.model = &bank_model, .world = bank_new(9, 2, 1)};
    for (uint32_t i = 0; i < 3; i++) {
        cr_assert_null(timers.exhausted);
        cr_assert_eq(cmk_apply(&timers, &open).status, CMK_STATUS_OK);
    }
    cr_assert_str_eq(timers.exhausted, "timers");
    cr_assert_eq(cmk_apply(&timers, &open).status, CMK_STATUS_LIMIT_REACHED);
    cmk_world_free(timers.world);
}

/* ---- mutants --------------------------------------------------------------------------------- */

/* A copy of the bank's model, whose rows can be changed. */
typedef struct Mutant {
    CmkModel model;
    CmkOperation operation_rows[BANK_OP__COUNT];
    CmkGuard guard_rows[BANK_GUARD__COUNT];
    const CmkOperation *operations[BANK_OP__COUNT];
    const CmkGuard *guards[BANK_GUARD__COUNT];
} Mutant;

static void mutant_init(Mutant *mutant)
{
    memset(mutant, 0, sizeof(*mutant));
    for (uint32_t i = 1; i < BANK_OP__COUNT; i++) {
        mutant->operation_rows[i] = *bank_model.operations[i];
        mutant->operations[i] = &mutant->operation_rows[i];
    }
    for (uint32_t i = 1; i < BANK_GUARD__COUNT; i++) {
        mutant->guard_rows[i] = *bank_model.guards[i];
        mutant->guards[i] = &mutant->guard_rows[i];
    }
    mutant->model = bank_model;
    mutant->model.operations = mutant->operations;
    mutant->model.guards = mutant->guards;
}

static bool never_holds(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)args;
    *ret_blame = 4711;
    return false;
}

static bool always_holds(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)args;
    *ret_blame = 4711; /* must not reach the record */
    return true;
}

static uint32_t do_nothing(CmkSim *sim, const CmkArgs *args)
{
    (void)sim;
    (void)args;
    return 0;
}

/* All that a model answers: for each case a small bank, to which it and then all are applied. */
typedef struct Answers {
    CmkOutcome outcomes[CASE_COUNT * (1 + CASE_COUNT)];
    CmkDigest digest;
} Answers;

static Answers ask_all(const CmkModel *model)
{
    Case cases[CASE_COUNT];
    cases_fill(cases);
    Answers answers;
    memset(&answers, 0, sizeof(answers));
    CmkOutcome *outcome = answers.outcomes;
    for (size_t first = 0; first < CASE_COUNT; first++) {
        CmkSim sim = small_bank(&bank_model);
        sim.model = model;
        *outcome++ = cmk_apply(&sim, &cases[first].args);
        for (size_t i = 0; i < CASE_COUNT; i++) {
            *outcome++ = cmk_apply(&sim, &cases[i].args);
        }
        const CmkDigest digest = cmk_world_digest(sim.world);
        answers.digest = cmk_digest_fold(answers.digest, &digest, sizeof(digest));
        cmk_world_free(sim.world);
    }
    return answers;
}

static uint32_t decisions_that_differ(const Answers *a, const Answers *b)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(a->outcomes); i++) {
        const CmkOutcome *one = &a->outcomes[i], *other = &b->outcomes[i];
        count += one->status != other->status || one->guard != other->guard ? 1 : 0;
    }
    return count;
}

/* Whether the mutant's decisions and digest are others than the model's. */
static bool is_noticed(const Mutant *mutant)
{
    const Answers right = ask_all(&bank_model), wrong = ask_all(&mutant->model);
    return decisions_that_differ(&right, &wrong) > 0 &&
           !cmk_digest_equal(right.digest, wrong.digest);
}

Test(apply, every_mutant_is_noticed)
{
    Mutant mutant;
    mutant_init(&mutant);
    const Answers right = ask_all(&bank_model), copied = ask_all(&mutant.model);
    cr_assert_eq(memcmp(&right, &copied, sizeof(right)), 0, "a copy is no mutant");

    for (uint32_t i = 1; i < BANK_GUARD__COUNT; i++) {
        mutant_init(&mutant);
        mutant.guard_rows[i].holds = never_holds;
        cr_assert(is_noticed(&mutant), "guard %s never holds", bank_model.guards[i]->name);
    }
    mutant_init(&mutant);
    mutant.guard_rows[BANK_GUARD_AMOUNT_POSITIVE].holds = always_holds;
    cr_assert(is_noticed(&mutant), "guard amount_positive always holds");

    /* Neighbours of the longest list swapped: other answers to requests that are doubly wrong. */
    const uint32_t swapped[] = {1, 3};
    for (size_t i = 0; i < CMK_ARRAY_LEN(swapped); i++) {
        mutant_init(&mutant);
        CmkGuardId *guards = &mutant.operation_rows[BANK_OP_TRANSFER].guards[swapped[i]];
        const CmkGuardId kept = guards[0];
        guards[0] = guards[1];
        guards[1] = kept;
        cr_assert(is_noticed(&mutant), "guards %u and %u of transfer swapped", swapped[i],
                  swapped[i] + 1);
    }

    for (uint32_t i = BANK_OP_DEPOSIT; i <= BANK_OP_CLOSE; i++) {
        mutant_init(&mutant);
        mutant.operation_rows[i].effect = do_nothing;
        cr_assert(is_noticed(&mutant), "effect of %s dropped", bank_model.operations[i]->name);
    }
}

Test(apply, guards_that_hold_leave_no_blame)
{
    Mutant mutant;
    mutant_init(&mutant);
    mutant.guard_rows[BANK_GUARD_ACCOUNT_EXISTS].holds = always_holds;
    CmkOperation *deposit = &mutant.operation_rows[BANK_OP_DEPOSIT];
    deposit->guards[1] = BANK_GUARD_AMOUNT_POSITIVE;
    deposit->guards[2] = CMK_GUARD_NONE;
    CmkSim sim = small_bank(&bank_model);
    sim.model = &mutant.model;
    const CmkArgs nothing = bank_pay(BANK_OP_DEPOSIT, 1, 0);
    const CmkOutcome would = cmk_would_apply(&sim, &nothing);
    cr_assert_eq(would.guard, BANK_GUARD_AMOUNT_POSITIVE);
    cr_assert_eq(would.seq, 0);
    cmk_world_free(sim.world);
}

/* ---- the self-check and the assertions ------------------------------------------------------- */

static uint32_t write_the_ledger(CmkSim *sim, const CmkArgs *args)
{
    (void)args;
    (void)cmk_world_row_mut(sim->world, BANK_TABLE_LEDGER, 1);
    return 0;
}

static uint32_t remember_something(CmkSim *sim, const CmkArgs *args)
{
    static int64_t calls; /* what an effect must not have */
    calls++;
    BankAccount *account = cmk_world_row_mut(sim->world, BANK_TABLE_ACCOUNT, args->ref[0]);
    account->draws += (uint64_t)calls;
    return 0;
}

static uint32_t give_another_result(CmkSim *sim, const CmkArgs *args)
{
    static uint32_t calls;
    (void)sim;
    (void)args;
    return ++calls;
}

static uint32_t make_money(CmkSim *sim, const CmkArgs *args)
{
    BankAccount *account = cmk_world_row_mut(sim->world, BANK_TABLE_ACCOUNT, args->ref[0]);
    account->balance += 1000000;
    return 0;
}

static uint32_t move_the_clock(CmkSim *sim, const CmkArgs *args)
{
    (void)args;
    cmk_world_set_now(sim->world, cmk_world_now(sim->world) + 1);
    return 0;
}

static uint32_t apply_another(CmkSim *sim, const CmkArgs *args)
{
    (void)args;
    const CmkArgs deposit = bank_pay(BANK_OP_DEPOSIT, 1, 1);
    (void)cmk_apply(sim, &deposit);
    return 0;
}

static void account_into_the_ledger(CmkSim *sim, const CmkArgs *args, CmkGuardId guard)
{
    (void)args;
    (void)guard;
    (void)cmk_world_row_mut(sim->world, BANK_TABLE_LEDGER, 1);
}

/* Writes behind the back of the accessors. */
static bool meddle_while_asking(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)args;
    (void)ret_blame;
    union {
        const void *reads;
        BankLedger *writes;
    } ledger = {.reads = cmk_world_row(world, BANK_TABLE_LEDGER, 1)};
    ledger.writes->money++;
    return false;
}

static bool change_its_mind(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    static uint32_t calls;
    (void)world;
    (void)args;
    (void)ret_blame;
    return ++calls % 2 == 0;
}

static void apply_while_reading(void *self, const CmkWorld *world, const CmkRecord *record)
{
    (void)world;
    (void)record;
    (void)apply_another(self, NULL);
}

/* One transfer of 10 from account 1 to account 2 in a bank with this effect and this guard. */
static void transfer_with(uint32_t (*effect)(CmkSim *sim, const CmkArgs *args),
                          bool (*holds)(const CmkWorld *, const CmkArgs *, uint64_t *))
{
    Mutant mutant;
    mutant_init(&mutant);
    if (effect != NULL) {
        mutant.operation_rows[BANK_OP_TRANSFER].effect = effect;
    }
    if (holds != NULL) {
        mutant.guard_rows[BANK_GUARD_ACCOUNT_EXISTS].holds = holds;
    }
    CmkSim sim = small_bank(&bank_model);
    sim.model = &mutant.model;
    const CmkArgs args = bank_transfer(1, 2, 10);
    (void)cmk_apply(&sim, &args);
}

static void abort_on_undeclared(void)
{
    transfer_with(write_the_ledger, NULL);
}

static void abort_on_hidden_state(void)
{
    transfer_with(remember_something, NULL);
}

static void abort_on_hidden_result(void)
{
    transfer_with(give_another_result, NULL);
}

static void abort_on_invariant(void)
{
    transfer_with(make_money, NULL);
}

static void abort_on_clock(void)
{
    transfer_with(move_the_clock, NULL);
}

static void abort_on_nesting(void)
{
    transfer_with(apply_another, NULL);
}

static void abort_on_meddling_guard(void)
{
    transfer_with(NULL, meddle_while_asking);
}

static void abort_on_moody_guard(void)
{
    transfer_with(NULL, change_its_mind);
}

static void abort_on_accounting(void)
{
    Mutant mutant;
    mutant_init(&mutant);
    mutant.operation_rows[BANK_OP_DEPOSIT].account = account_into_the_ledger;
    CmkSim sim = small_bank(&bank_model);
    sim.model = &mutant.model;
    const CmkArgs granted = bank_pay(BANK_OP_DEPOSIT, 1, 10);
    const CmkArgs refused = bank_pay(BANK_OP_DEPOSIT, 1, 0);
    (void)cmk_apply(&sim, &granted); /* which declares the ledger */
    (void)cmk_apply(&sim, &refused);
}

static void abort_on_reader_that_applies(void)
{
    CmkSim sim = small_bank(&bank_model);
    CmkJournal journal = {.count = 0};
    cmk_journal_add(&journal, (CmkReader){.read = apply_while_reading, .self = &sim});
    sim.journal = &journal;
    const CmkArgs args = bank_transfer(1, 2, 10);
    (void)cmk_apply(&sim, &args);
}

static void abort_on_unknown_operation(void)
{
    CmkSim sim = small_bank(&bank_model);
    const CmkArgs args = {.op = BANK_OP__COUNT};
    (void)cmk_apply(&sim, &args);
}

static void abort_on_no_operation(void)
{
    CmkSim sim = small_bank(&bank_model);
    const CmkArgs args = {.op = CMK_OP_NONE};
    (void)cmk_would_apply(&sim, &args);
}

static void abort_on_too_many_readers(void)
{
    CmkJournal journal = {.count = 0};
    for (uint32_t i = 0; i <= CMK_READERS_MAX; i++) {
        cmk_journal_add(&journal, (CmkReader){.read = take_note});
    }
}

Test(apply, catches_breaches)
{
    const AbortCase cases[] = {
        {"undeclared table", "transfer: wrote a table it may not write: ledger",
         abort_on_undeclared},
        {"hidden state", "the same arguments gave another world: accounts", abort_on_hidden_state},
        {"hidden result", "the same arguments gave another world: digest", abort_on_hidden_result},
        {"invariant", "an invariant does not hold: the accounts do not add up", abort_on_invariant},
        {"clock", "moved the clock", abort_on_clock},
        {"guard that writes", "wrote a table it may not write: ledger", abort_on_meddling_guard},
        {"guard that remembers", "the same arguments gave another world", abort_on_moody_guard},
        {"account of a refusal", "deposit: wrote a table it may not write: ledger",
         abort_on_accounting},
        {"nesting", "!sim->is_applying", abort_on_nesting},
        {"reader that applies", "!sim->is_applying", abort_on_reader_that_applies},
        {"unknown operation", "operation_count", abort_on_unknown_operation},
        {"no operation", "CMK_OP_NONE", abort_on_no_operation},
        {"too many readers", "CMK_READERS_MAX", abort_on_too_many_readers},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        cr_assert(aborts_as_told(&cases[i]), "%s", cases[i].name);
    }
}

/* A large world is checked once in a while only, and still is. */
static void abort_in_a_large_world(void)
{
    CmkSim sim = {.model = &bank_model, .world = bank_new(50000, 50000, 1)};
    bank_populate(&sim, 30000);
    CMK_ASSERT(cmk_world_used_bytes(sim.world) > (size_t)1 << 20);
    Mutant mutant;
    mutant_init(&mutant);
    mutant.operation_rows[BANK_OP_TRANSFER].effect = write_the_ledger;
    sim.model = &mutant.model;
    sim.is_self_checking = true;
    const CmkArgs args = bank_transfer(1, 2, 10);
    for (uint32_t i = 0; i < 1024; i++) {
        (void)cmk_apply(&sim, &args);
    }
}

Test(apply, checks_large_worlds_now_and_then)
{
    const AbortCase one = {"large world", "wrote a table it may not write: ledger",
                           abort_in_a_large_world};
    cr_assert(aborts_as_told(&one));
}
