#include "tests/toy/bank.h"

#include "sim/chance.h"

#define STREAM_ACTIVITY 1
#define STREAM_OPENING 2

/* ---- rows ------------------------------------------------------------------------------------ */

const BankAccount *bank_account(const CmkWorld *world, uint32_t account)
{
    return cmk_world_row(world, BANK_TABLE_ACCOUNT, account);
}

static BankAccount *account_mut(CmkSim *sim, uint32_t account)
{
    return cmk_world_row_mut(sim->world, BANK_TABLE_ACCOUNT, account);
}

int64_t bank_money(const CmkWorld *world)
{
    const BankLedger *ledger = cmk_world_row(world, BANK_TABLE_LEDGER, 1);
    return ledger->money;
}

static void add_money(CmkSim *sim, int64_t amount)
{
    BankLedger *ledger = cmk_world_row_mut(sim->world, BANK_TABLE_LEDGER, 1);
    ledger->money += amount;
}

BankRequest bank_requests(const CmkWorld *world, CmkOpId op)
{
    const BankRequest *request = cmk_world_row(world, BANK_TABLE_REQUEST, op);
    return *request;
}

/* ---- guards ---------------------------------------------------------------------------------- */

static bool account_exists(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)ret_blame;
    return args->ref[0] != 0 && args->ref[0] <= cmk_world_count(world, BANK_TABLE_ACCOUNT);
}

static bool account_open(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const BankAccount *account = bank_account(world, args->ref[0]);
    *ret_blame = account->changed_by;
    return account->is_open != 0;
}

static bool target_open(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const uint32_t row = args->ref[1];
    if (row == 0 || row > cmk_world_count(world, BANK_TABLE_ACCOUNT)) {
        return false;
    }
    *ret_blame = bank_account(world, row)->changed_by;
    return bank_account(world, row)->is_open != 0;
}

static bool target_differs(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return args->ref[0] != args->ref[1];
}

static bool amount_positive(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return args->num[0] > 0;
}

static bool funds_suffice(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = bank_account(world, args->ref[0])->changed_by;
    return bank_account(world, args->ref[0])->balance >= args->num[0];
}

static bool is_empty(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    *ret_blame = bank_account(world, args->ref[0])->changed_by;
    return bank_account(world, args->ref[0])->balance == 0;
}

#define GUARD(function, row_status, sentence)                                                      \
    &(const CmkGuard)                                                                              \
    {                                                                                              \
        .name = #function, .holds = (function), .status = (row_status), .text = (sentence)         \
    }

static const CmkGuard *const guards[BANK_GUARD__COUNT] = {
    [BANK_GUARD_ACCOUNT_EXISTS] =
        GUARD(account_exists, BANK_STATUS_NO_ACCOUNT, "the account exists"),
    [BANK_GUARD_ACCOUNT_OPEN] = GUARD(account_open, BANK_STATUS_CLOSED, "the account is open"),
    [BANK_GUARD_TARGET_OPEN] = GUARD(target_open, BANK_STATUS_BAD_TARGET, "the target is open"),
    [BANK_GUARD_TARGET_DIFFERS] =
        GUARD(target_differs, BANK_STATUS_BAD_TARGET, "the target is another account"),
    [BANK_GUARD_AMOUNT_POSITIVE] =
        GUARD(amount_positive, BANK_STATUS_BAD_AMOUNT, "the amount is positive"),
    [BANK_GUARD_FUNDS_SUFFICE] =
        GUARD(funds_suffice, BANK_STATUS_NO_FUNDS, "the account holds the amount"),
    [BANK_GUARD_IS_EMPTY] = GUARD(is_empty, BANK_STATUS_NOT_EMPTY, "the account is empty"),
};

/* ---- effects --------------------------------------------------------------------------------- */

static void credit(CmkSim *sim, uint32_t row, int64_t amount)
{
    BankAccount *account = account_mut(sim, row);
    account->balance += amount;
    account->changed_by = cmk_world_next_seq(sim->world);
}

static uint32_t do_open(CmkSim *sim, const CmkArgs *args)
{
    const uint32_t row = cmk_world_row_add(sim->world, BANK_TABLE_ACCOUNT);
    account_mut(sim, row)->is_open = 1;
    credit(sim, row, args->num[0]);
    add_money(sim, args->num[0]);
    const CmkTime at = cmk_world_now(sim->world) + args->num[1];
    account_mut(sim, row)->activity = cmk_engine_set_timer(sim, at, BANK_EVENT_ACTIVITY, row, args);
    return row;
}

static uint32_t do_deposit(CmkSim *sim, const CmkArgs *args)
{
    credit(sim, args->ref[0], args->num[0]);
    add_money(sim, args->num[0]);
    return 0;
}

static uint32_t do_withdraw(CmkSim *sim, const CmkArgs *args)
{
    credit(sim, args->ref[0], -args->num[0]);
    add_money(sim, -args->num[0]);
    return 0;
}

static uint32_t do_transfer(CmkSim *sim, const CmkArgs *args)
{
    credit(sim, args->ref[0], -args->num[0]);
    credit(sim, args->ref[1], args->num[0]);
    return args->ref[1];
}

static uint32_t do_close(CmkSim *sim, const CmkArgs *args)
{
    BankAccount *account = account_mut(sim, args->ref[0]);
    account->is_open = 0;
    account->epoch++;
    account->changed_by = cmk_world_next_seq(sim->world);
    return 0;
}

static uint32_t do_plan(CmkSim *sim, const CmkArgs *args)
{
    BankAccount *account = account_mut(sim, args->ref[0]);
    (void)cmk_agenda_cancel(sim->world, account->activity);
    const CmkTime at = cmk_world_now(sim->world) + args->num[0];
    account->activity = cmk_engine_set_timer(sim, at, BANK_EVENT_ACTIVITY, args->ref[0], args);
    account->draws = (uint64_t)args->num[1];
    return 0;
}

static void count_request(CmkSim *sim, const CmkArgs *args, CmkGuardId guard)
{
    BankRequest *request = cmk_world_row_mut(sim->world, BANK_TABLE_REQUEST, args->op);
    if (guard == CMK_GUARD_NONE) {
        request->granted++;
    } else {
        request->refused++;
    }
}

#define BIT(table) (UINT64_C(1) << (table))
#define WRITES_TIMERS (BIT(CMK_TABLE_AGENDA_HEAP) | BIT(CMK_TABLE_TIMER))

static const CmkOperation op_open = {
    .name = "open",
    .guards = {BANK_GUARD_AMOUNT_POSITIVE},
    .writes = BIT(BANK_TABLE_ACCOUNT) | BIT(BANK_TABLE_LEDGER) | WRITES_TIMERS,
    .effect = do_open,
    .account = count_request,
};
static const CmkOperation op_deposit = {
    .name = "deposit",
    .guards = {BANK_GUARD_ACCOUNT_EXISTS, BANK_GUARD_ACCOUNT_OPEN, BANK_GUARD_AMOUNT_POSITIVE},
    .writes = BIT(BANK_TABLE_ACCOUNT) | BIT(BANK_TABLE_LEDGER),
    .effect = do_deposit,
    .account = count_request,
};
static const CmkOperation op_withdraw = {
    .name = "withdraw",
    .guards = {BANK_GUARD_ACCOUNT_EXISTS, BANK_GUARD_ACCOUNT_OPEN, BANK_GUARD_AMOUNT_POSITIVE,
               BANK_GUARD_FUNDS_SUFFICE},
    .writes = BIT(BANK_TABLE_ACCOUNT) | BIT(BANK_TABLE_LEDGER),
    .effect = do_withdraw,
    .account = count_request,
};
static const CmkOperation op_transfer = {
    .name = "transfer",
    .guards = {BANK_GUARD_ACCOUNT_EXISTS, BANK_GUARD_ACCOUNT_OPEN, BANK_GUARD_TARGET_OPEN,
               BANK_GUARD_TARGET_DIFFERS, BANK_GUARD_AMOUNT_POSITIVE, BANK_GUARD_FUNDS_SUFFICE},
    .writes = BIT(BANK_TABLE_ACCOUNT),
    .effect = do_transfer,
    .account = count_request,
};
static const CmkOperation op_close = {
    .name = "close",
    .guards = {BANK_GUARD_ACCOUNT_EXISTS, BANK_GUARD_ACCOUNT_OPEN, BANK_GUARD_IS_EMPTY},
    .writes = BIT(BANK_TABLE_ACCOUNT),
    .effect = do_close,
    .account = count_request,
};
static const CmkOperation op_plan = {
    .name = "plan",
    .guards = {BANK_GUARD_ACCOUNT_EXISTS, BANK_GUARD_ACCOUNT_OPEN},
    .writes = BIT(BANK_TABLE_ACCOUNT) | WRITES_TIMERS,
    .effect = do_plan,
};

static const CmkOperation *const operations[BANK_OP__COUNT] = {
    [BANK_OP_OPEN] = &op_open,         [BANK_OP_DEPOSIT] = &op_deposit,
    [BANK_OP_WITHDRAW] = &op_withdraw, [BANK_OP_TRANSFER] = &op_transfer,
    [BANK_OP_CLOSE] = &op_close,       [BANK_OP_PLAN] = &op_plan,
};

/* ---- what happens by itself ------------------------------------------------------------------ */

static uint32_t epoch_of_account(const CmkWorld *world, uint32_t account)
{
    return bank_account(world, account)->epoch;
}

/* Draws one request and the time of the next; whole milliseconds, so that ties are the norm. */
static void act(CmkSim *sim, const CmkTimer *timer)
{
    const uint64_t seed = cmk_world_seed(sim->world);
    const CmkStream stream = {STREAM_ACTIVITY, timer->subject};
    uint64_t draws = bank_account(sim->world, timer->subject)->draws;
    const CmkOpId ops[] = {BANK_OP_DEPOSIT,  BANK_OP_DEPOSIT,  BANK_OP_WITHDRAW,
                           BANK_OP_TRANSFER, BANK_OP_TRANSFER, BANK_OP_CLOSE};

    CmkArgs args =
        cmk_args_of_timer(ops[cmk_chance_below(seed, stream, draws++, CMK_ARRAY_LEN(ops))], timer);
    args.ref[0] = timer->subject;
    if (args.op == BANK_OP_TRANSFER) {
        const uint32_t count = cmk_world_count(sim->world, BANK_TABLE_ACCOUNT);
        args.ref[1] = 1 + (uint32_t)cmk_chance_below(seed, stream, draws++, count);
    }
    if (args.op != BANK_OP_CLOSE) {
        args.num[0] = 100 * (int64_t)cmk_chance_below(seed, stream, draws++, 8);
    }
    if (args.op == BANK_OP_WITHDRAW && args.num[0] >= 400) { /* takes all there is */
        args.num[0] = bank_account(sim->world, timer->subject)->balance;
    }
    (void)cmk_apply(sim, &args);

    CmkArgs plan = cmk_args_of_timer(BANK_OP_PLAN, timer);
    plan.ref[0] = timer->subject;
    const int64_t delay = cmk_chance_exponential(seed, stream, draws++, 3 * CMK_SECOND_US);
    plan.num[0] = delay / CMK_MILLISECOND_US * CMK_MILLISECOND_US;
    plan.num[1] = (int64_t)draws;
    (void)cmk_apply(sim, &plan);
    if (draws % 4 == 0) { /* changes its mind: the timer just set is cancelled */
        plan.num[0] += CMK_SECOND_US;
        (void)cmk_apply(sim, &plan);
    }
}

static const CmkEventRow events[BANK_EVENT__COUNT] = {
    [BANK_EVENT_ACTIVITY] = {.name = "activity",
                             .class_of_ties = 3,
                             .epoch_of = epoch_of_account,
                             .handle = act},
};

static const CmkStatusRow statuses[BANK_STATUS__COUNT] = {
    [CMK_STATUS_OK] = {.name = "OK"},
    [CMK_STATUS_LIMIT_REACHED] = {.name = "LIMIT_REACHED"},
    [BANK_STATUS_NO_ACCOUNT] = {.name = "NO_ACCOUNT"},
    [BANK_STATUS_CLOSED] = {.name = "CLOSED"},
    [BANK_STATUS_BAD_TARGET] = {.name = "BAD_TARGET"},
    [BANK_STATUS_BAD_AMOUNT] = {.name = "BAD_AMOUNT"},
    [BANK_STATUS_NO_FUNDS] = {.name = "NO_FUNDS"},
    [BANK_STATUS_NOT_EMPTY] = {.name = "NOT_EMPTY"},
};

static const char *broken_invariant(const CmkWorld *world)
{
    int64_t sum = 0;
    for (uint32_t i = 1; i <= cmk_world_count(world, BANK_TABLE_ACCOUNT); i++) {
        const BankAccount *account = bank_account(world, i);
        if (account->balance < 0) {
            return "an account is overdrawn";
        }
        if (account->is_open == 0 && account->balance != 0) {
            return "a closed account holds money";
        }
        sum += account->balance;
    }
    return sum == bank_money(world) ? NULL : "the accounts do not add up to the ledger";
}

const CmkModel bank_model = {
    .operations = operations,
    .guards = guards,
    .statuses = statuses,
    .events = events,
    .operation_count = BANK_OP__COUNT,
    .guard_count = BANK_GUARD__COUNT,
    .status_count = BANK_STATUS__COUNT,
    .event_count = BANK_EVENT__COUNT,
    .invariant = broken_invariant,
};

/* ---- worlds and arguments -------------------------------------------------------------------- */

CmkWorld *bank_new(uint32_t accounts_max, uint32_t timers_max, uint64_t seed)
{
    const CmkTableSpec specs[BANK_TABLE__COUNT] = {
        [CMK_TABLE_AGENDA_HEAP] = cmk_agenda_heap_spec(timers_max),
        [CMK_TABLE_TIMER] = cmk_agenda_timer_spec(timers_max),
        [BANK_TABLE_ACCOUNT] = {.name = "accounts",
                                .row_size = sizeof(BankAccount),
                                .limit = accounts_max},
        [BANK_TABLE_LEDGER] = {.name = "ledger", .row_size = sizeof(BankLedger), .limit = 1},
        [BANK_TABLE_REQUEST] = {.name = "requests",
                                .row_size = sizeof(BankRequest),
                                .limit = BANK_OP__COUNT - 1,
                                .is_scratch = 1},
    };
    CmkWorld *world = cmk_world_new(specs, BANK_TABLE__COUNT, seed);
    CMK_ASSERT(world != NULL);
    (void)cmk_world_row_add(world, BANK_TABLE_LEDGER);
    for (uint32_t op = 1; op < BANK_OP__COUNT; op++) {
        (void)cmk_world_row_add(world, BANK_TABLE_REQUEST);
    }
    return world;
}

CmkArgs bank_open(int64_t amount, int64_t first_activity_us)
{
    return (CmkArgs){
        .op = BANK_OP_OPEN, .actor = CMK_ACTOR_STEP, .num = {amount, first_activity_us}};
}

CmkArgs bank_pay(CmkOpId op, uint32_t account, int64_t amount)
{
    return (CmkArgs){.op = op, .actor = CMK_ACTOR_STEP, .ref = {account}, .num = {amount}};
}

CmkArgs bank_transfer(uint32_t from, uint32_t to, int64_t amount)
{
    return (CmkArgs){
        .op = BANK_OP_TRANSFER, .actor = CMK_ACTOR_STEP, .ref = {from, to}, .num = {amount}};
}

void bank_populate(CmkSim *sim, uint32_t count)
{
    const uint64_t seed = cmk_world_seed(sim->world);
    for (uint32_t i = 0; i < count; i++) {
        const int64_t first_s =
            (int64_t)cmk_chance_below(seed, (CmkStream){STREAM_OPENING, i}, 0, 4);
        const CmkArgs args = bank_open(1000, first_s * CMK_SECOND_US);
        const CmkOutcome outcome = cmk_apply(sim, &args);
        CMK_ASSERT(outcome.status == CMK_STATUS_OK);
    }
}
