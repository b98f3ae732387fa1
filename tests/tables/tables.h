/*
 * Rows of the tables, the worlds that they ask about, and variants of the model to ask in.
 */
#ifndef CMK_TESTS_TABLES_TABLES_H
#define CMK_TESTS_TABLES_TABLES_H

#include <stdio.h>

#include "tests/unit/models/estate.h"
#include "tests/unit/models/mutant.h"

#define ROWS_MAX 4096
#define LINE_MAX_BYTES 512
#define COLUMNS 6

typedef struct Row {
    char file[32];
    uint32_t line;
    char text[LINE_MAX_BYTES]; /* cut into the columns below */
    char *column[COLUMNS];     /* operation, arguments, world, guard, status; rules, NULL if none */
    CmkOpId op;
    CmkGuardId guard;
    CmkStatus status;
    /* The question, once its world is built. */
    Estate *estate;
    CmkArgs args;
    bool is_estate_sound; /* what comes before the row's own steps could be built */
} Row;

typedef struct Table {
    Row rows[ROWS_MAX];
    uint32_t count;
} Table;

/* A model, or a world, that is broken in one place. */
typedef struct Variant {
    const CmkModel *model;
    bool is_in_steps;    /* the model builds only what the row's own words ask for */
    bool is_estate_part; /* an estate that cannot be built for the row's words is noticed too */
    int32_t knob;        /* that has another value; -1: none */
    int64_t knob_value;
    uint32_t role; /* that is another one wherever it is assigned; 0: none */
    uint32_t other_role;
    uint32_t datasource; /* that is another one; 0: none */
    uint32_t other_datasource;
} Variant;

/* All rows. Free with free(). */
Table *read_all(void);

/* NULL when the world and the question are there, else what is wrong. */
const char *build(Row *row, const Variant *variant);
void build_all(Table *table);
void free_worlds(Table *table);

/* Asks in the row's world; changes nothing. */
bool is_as_expected(const Row *row, const CmkModel *model);

FILE *open_table(const char *file);
/* Cuts a line into `min` to `max` columns, the rest NULL; false for comments and empty lines. */
bool cut(char *text, char *columns[], uint32_t min, uint32_t max, const char *file, uint32_t line);

/* Whether one of `count` rows ends otherwise when its world is built so, in a process of its own,
 * which may die of it. */
bool is_noticed_when_built(Row *rows, uint32_t count, const Variant *variant);

#endif
