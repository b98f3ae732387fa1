/*
 * A bank on the engine: a model small enough to see through, with everything a model can have.
 * Accounts are opened, paid into and closed by operations with guards; a scratch table counts the
 * requests; timers about accounts draw what happens next.
 */
#ifndef CMK_TESTS_TOY_BANK_H
#define CMK_TESTS_TOY_BANK_H

#include "sim/engine.h"

enum {
    BANK_TABLE_ACCOUNT = CMK_TABLE_FIRST_OF_MODEL,
    BANK_TABLE_LEDGER,  /* row 1: the money of the whole bank */
    BANK_TABLE_REQUEST, /* scratch; row = operation: how often it was asked for */
    BANK_TABLE__COUNT
};

enum {
    BANK_OP_OPEN = 1, /* num[0]: first deposit, num[1]: first activity after so many us; a row */
    BANK_OP_DEPOSIT,  /* ref[0]: account, num[0]: amount */
    BANK_OP_WITHDRAW, /* the same */
    BANK_OP_TRANSFER, /* from ref[0] to ref[1], num[0]: amount */
    BANK_OP_CLOSE,    /* ref[0] */
    BANK_OP_PLAN,     /* ref[0]: its next activity num[0] us from now, instead of the planned one;
                         num[1]: draws it has made so far */
    BANK_OP__COUNT
};

enum {
    BANK_GUARD_ACCOUNT_EXISTS = 1,
    BANK_GUARD_ACCOUNT_OPEN,
    BANK_GUARD_TARGET_OPEN,
    BANK_GUARD_TARGET_DIFFERS,
    BANK_GUARD_AMOUNT_POSITIVE,
    BANK_GUARD_FUNDS_SUFFICE,
    BANK_GUARD_IS_EMPTY,
    BANK_GUARD__COUNT
};

enum {
    BANK_STATUS_NO_ACCOUNT = CMK_STATUS_FIRST_OF_MODEL,
    BANK_STATUS_CLOSED,
    BANK_STATUS_BAD_TARGET,
    BANK_STATUS_BAD_AMOUNT,
    BANK_STATUS_NO_FUNDS,
    BANK_STATUS_NOT_EMPTY,
    BANK_STATUS__COUNT
};

enum {
    BANK_EVENT_ACTIVITY, /* of an account: does something by chance and plans the next one */
    BANK_EVENT__COUNT
};

typedef struct BankAccount {
    int64_t balance;
    uint64_t changed_by; /* record that last changed balance or state */
    uint64_t draws;      /* random numbers used so far */
    uint32_t is_open;
    uint32_t epoch; /* closing an account makes its timers stale */
    CmkTimerId activity;
} BankAccount;
_Static_assert(sizeof(BankAccount) == 40, "an account has no padding");

typedef struct BankLedger {
    int64_t money;
} BankLedger;

typedef struct BankRequest {
    uint64_t granted;
    uint64_t refused;
} BankRequest;

extern const CmkModel bank_model;

/* An empty bank. Cancelled timers keep their rows until they are due, so an account may need
 * several at a time. */
CmkWorld *bank_new(uint32_t accounts_max, uint32_t timers_max, uint64_t seed);

const BankAccount *bank_account(const CmkWorld *world, uint32_t account);
int64_t bank_money(const CmkWorld *world);
BankRequest bank_requests(const CmkWorld *world, CmkOpId op);

CmkArgs bank_open(int64_t amount, int64_t first_activity_us);
CmkArgs bank_pay(CmkOpId op, uint32_t account, int64_t amount);
CmkArgs bank_transfer(uint32_t from, uint32_t to, int64_t amount);

/* Opens `count` accounts with 1000 each that become active by chance, the first ones at once. */
void bank_populate(CmkSim *sim, uint32_t count);

#endif
