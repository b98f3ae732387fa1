/*
 * Tests that stand in for rows (elsewhere.tbl), and what makes them fail.
 */
#ifndef CMK_TESTS_TABLES_NAMED_TESTS_H
#define CMK_TESTS_TABLES_NAMED_TESTS_H

#include "tests/tables/tables.h"

#define NAMED_TESTS_MAX 256
#define SENTENCE_BYTES 160
#define CITATIONS_MAX 256

/* How its line of analysis/coverage.def begins: rule, how it is shown, test. */
#define NAMED_TEST_HEAD "CMK_SHOWN(\"%s\", %s, \"elsewhere.tbl\", \"%s\", \""

typedef struct NamedTest {
    char text[LINE_MAX_BYTES]; /* cut into what follows */
    const CmkRule *rule;
    const char *name;   /* suite/name, or a file */
    const char *reason; /* why no row shows it */
} NamedTest;

typedef struct NamedTests {
    NamedTest list[NAMED_TESTS_MAX];
    uint32_t count;
} NamedTests;

void read_named_tests(NamedTests *ret);

/* Breaks what cites the rule until the test fails. Gives how that shows the rule, as coverage.def
 * says it, and what was broken, "" if nothing makes it fail. */
const char *break_named_test(const NamedTest *test, char ret_sentence[SENTENCE_BYTES]);
/* The same, as coverage.def has it; NULL if it has not. */
const char *recorded_break(const char *coverage, const NamedTest *test,
                           char ret_sentence[SENTENCE_BYTES]);

/* analysis/coverage.def as it stands. Free it. */
char *read_coverage(void);

#endif
