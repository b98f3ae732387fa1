/* Tests that stand in for rows: which there are (elsewhere.tbl), and which broken model makes each
 * of them fail. A test of tests/unit/models is started anew with each of the models that are broken
 * in what cites the rule (tests/unit/models/mutant.h); of the other tests we know but the name. */
#define _GNU_SOURCE
#include "tests/tables/named_tests.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "models/citations.h"

/* ---- which there are ------------------------------------------------------------------------- */

/* Whether a line of the file begins with the text and goes on as a test's head does. */
static bool has_head(const char *path, const char *text)
{
    const size_t length = strlen(text);
    char line[LINE_MAX_BYTES];
    bool is_found = false;
    FILE *source = fopen(path, "r");
    while (source != NULL && !is_found && fgets(line, sizeof(line), source) != NULL) {
        is_found = strncmp(line, text, length) == 0 && strchr("),", line[length]) != NULL;
    }
    if (source != NULL) {
        (void)fclose(source);
    }
    return is_found;
}

/* In a file of the directory, or of one in it. */
static bool has_head_within(const char *directory, const char *text, uint32_t depth)
{
    DIR *stream = opendir(directory);
    bool is_found = false;
    for (struct dirent *entry = stream == NULL ? NULL : readdir(stream); entry != NULL && !is_found;
         entry = readdir(stream)) {
        char path[512];
        (void)snprintf(path, sizeof(path), "%s/%s", directory, entry->d_name);
        is_found = entry->d_name[0] != '.' &&
                   (depth > 0 ? has_head_within(path, text, depth - 1) : has_head(path, text));
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
    return is_found;
}

/* "price/each_item_is_billed": Test(price, each_item_is_billed) in a unit test; or a file. */
static bool test_exists(const char *name, const char *within)
{
    const size_t suite = strcspn(name, "/");
    char text[160];
    if (strchr(name, '.') != NULL) {
        FILE *file = fopen(name, "r");
        return file != NULL && fclose(file) == 0;
    }
    (void)snprintf(text, sizeof(text), "Test(%.*s, %s", (int)suite, name,
                   name[suite] == '\0' ? "" : name + suite + 1);
    return has_head_within(within, text, strcmp(within, "tests/unit") == 0);
}

void read_named_tests(NamedTests *ret)
{
    FILE *stream = open_table("elsewhere.tbl");
    ret->count = 0;
    for (uint32_t line = 1; ret->count < NAMED_TESTS_MAX; line++) {
        NamedTest *test = &ret->list[ret->count];
        char *column[3];
        if (fgets(test->text, sizeof(test->text), stream) == NULL) {
            break;
        }
        if (cut(test->text, column, 3, 3, "elsewhere.tbl", line)) {
            test->rule = cmk_rule_find(column[0], strlen(column[0]));
            test->name = column[1];
            test->reason = column[2];
            cr_assert(test->rule != NULL && test_exists(test->name, "tests/unit") &&
                          test->reason[0] != '\0',
                      "elsewhere.tbl:%u: no such rule, no such test, or no reason", line);
            ret->count++;
        }
    }
    cr_assert_lt(ret->count, NAMED_TESTS_MAX);
    (void)fclose(stream);
}

/* ---- starting one ---------------------------------------------------------------------------- */

typedef enum Ending {
    PASSES,
    FAILS,
    UNFIT /* no estate, or it died or never ended: it did not come to say what is wrong */
} Ending;

/* The test of models alone, with a model that is broken so. Nothing else of our environment: the
 * test runner that we are in, or a sanitizer, may have told itself something there. */
static Ending run(const char *test, const char *sentence)
{
    char directory[512] = "";
    char *command = NULL;
    char line[512];
    int tested = 0;
    int passing = 0;
    int crashing = 0;
    bool is_unfit = false;
    cr_assert_gt(readlink("/proc/self/exe", directory, sizeof(directory) - 1), 0);
    *strrchr(directory, '/') = '\0';
    const int length =
        asprintf(&command,
                 "env -i PATH=\"$PATH\" LC_ALL=C.UTF-8 '%s=%s' timeout 120 '%s/models' -j1 "
                 "--timeout 60 --filter '%s' 2>&1",
                 MUTANT_VARIABLE, sentence, directory, test);
    cr_assert_gt(length, 0);
    FILE *output = popen(command, "r");
    cr_assert_not_null(output);
    while (fgets(line, sizeof(line), output) != NULL) {
        (void)sscanf(line,
                     "[====] Synthesis: Tested: %d | Passing: %d | Failing: %*d | Crashing: %d",
                     &tested, &passing, &crashing);
        is_unfit = is_unfit || strstr(line, MUTANT_UNFIT) != NULL;
    }
    (void)pclose(output);
    cr_assert_eq(tested, 1, "this did not run one test: %s", command);
    free(command);
    return passing == 1 ? PASSES : is_unfit || crashing != 0 ? UNFIT : FAILS;
}

/* ---- what could make it fail ----------------------------------------------------------------- */

typedef struct Sentences {
    char (*list)[SENTENCE_BYTES];
    uint32_t count;
    uint32_t fine; /* so many are fine, the rest is coarse */
} Sentences;

/* If there is such a model. */
static void add(Sentences *sentences, const char *kind, const char *name, const char *how)
{
    static Mutant mutant;
    char text[SENTENCE_BYTES];
    (void)snprintf(text, sizeof(text), "%s %s %s", kind, name, how);
    if (strcmp(kind, "price") == 0 || strcmp(kind, "job") == 0 || mutant_make(&mutant, text)) {
        sentences->list = realloc(sentences->list, (sentences->count + 1) * SENTENCE_BYTES);
        cr_assert_not_null(sentences->list);
        memcpy(sentences->list[sentences->count++], text, sizeof(text));
    }
}

static void add_knob(Sentences *sentences, const char *name)
{
    int64_t values[KNOB_VALUES_MAX];
    const uint32_t count = knob_values(&cmk_azure_model()->knobs[cmk_knob_find(name)], values);
    for (uint32_t i = 0; i < count; i++) {
        char how[32];
        (void)snprintf(how, sizeof(how), "is %" PRId64, values[i]);
        add(sentences, "knob", name, how);
    }
}

static void add_guards_of(Sentences *sentences, const char *name)
{
    const CmkModel *model = cmk_azure_model();
    const CmkOperation *operation = model->operations[cmk_operation_find(name)];
    for (uint32_t i = 0; i < guards_of(operation); i++) {
        char how[96];
        (void)snprintf(how, sizeof(how), "does not ask %s",
                       model->guards[operation->guards[i]]->name);
        add(sentences, "operation", name, how);
    }
}

static void add_fine(Sentences *sentences, const CmkCitation *citation)
{
    if (strcmp(citation->kind, "guard") == 0) {
        add(sentences, "guard", citation->name, "always holds");
        add(sentences, "guard", citation->name, "never holds");
    } else if (strcmp(citation->kind, "knob") == 0) {
        add_knob(sentences, citation->name);
    } else if (strcmp(citation->kind, "operation") == 0) {
        add_guards_of(sentences, citation->name);
    } else { /* a role, a datasource or code: none */
        add(sentences, citation->kind, citation->name, "is another one");
    }
}

/* All that could break what cites the rule, the finest first. Free the list. */
static Sentences sentences_of(const CmkRule *rule)
{
    CmkCitation citations[CITATIONS_MAX];
    Sentences sentences = {0};
    const uint32_t count = cmk_rule_citations(cmk_azure_model(), rule, citations, CITATIONS_MAX);
    cr_assert_leq(count, CITATIONS_MAX, "%s", rule->id);
    for (uint32_t i = 0; i < count; i++) {
        add_fine(&sentences, &citations[i]);
    }
    sentences.fine = sentences.count;
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(citations[i].kind, "operation") == 0) {
            add(&sentences, "operation", citations[i].name, "does nothing");
        }
    }
    return sentences;
}

/* ---- finding it, and seeing it again --------------------------------------------------------- */

const char *break_named_test(const NamedTest *test, char ret_sentence[SENTENCE_BYTES])
{
    ret_sentence[0] = '\0';
    if (!test_exists(test->name, "tests/unit/models")) {
        return "TEST_UNBROKEN";
    }
    Sentences sentences = sentences_of(test->rule);
    uint32_t i = 0;
    while (i < sentences.count && run(test->name, sentences.list[i]) != FAILS) {
        i++;
    }
    const char *how = i < sentences.fine    ? "TEST"
                      : i < sentences.count ? "TEST_COARSELY"
                                            : "TEST_UNBROKEN";
    if (i < sentences.count) {
        memcpy(ret_sentence, sentences.list[i], SENTENCE_BYTES);
    }
    free(sentences.list);
    return how;
}

const char *recorded_break(const char *coverage, const NamedTest *test,
                           char ret_sentence[SENTENCE_BYTES])
{
    static const char *const by[] = {"TEST", "TEST_COARSELY", "TEST_UNBROKEN"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(by); i++) {
        char head[LINE_MAX_BYTES];
        const int length =
            snprintf(head, sizeof(head), NAMED_TEST_HEAD, test->rule->id, by[i], test->name);
        const char *line = strstr(coverage, head);
        if (line != NULL) {
            const char *why = line + length;
            const size_t end = strcspn(why, "(\"\n");
            const bool has_sentence = why[end] == '(' && strcmp(by[i], "TEST_UNBROKEN") != 0;
            (void)snprintf(ret_sentence, SENTENCE_BYTES, "%.*s", has_sentence ? (int)end - 1 : 0,
                           why);
            return by[i];
        }
    }
    ret_sentence[0] = '\0';
    return NULL;
}

/* A sentence that copies what this one breaks, and leaves it whole. */
static const char *whole_of(const char *sentence)
{
    return strncmp(sentence, "price ", 6) == 0 ? "price none is another one"
           : strncmp(sentence, "job ", 4) == 0 ? "job none is another one"
                                               : "model itself is a copy";
}

typedef struct Recorded {
    const NamedTest *test;
    char sentence[SENTENCE_BYTES];
} Recorded;

/* It is not the copying that the last one notices; once for each test is enough. */
static void expect_sound(const Recorded *list, uint32_t last)
{
    const char *name = list[last].test->name;
    const char *whole = whole_of(list[last].sentence);
    for (uint32_t i = 0; i < last; i++) {
        if (strcmp(list[i].test->name, name) == 0 && whole_of(list[i].sentence) == whole) {
            return;
        }
    }
    cr_expect_eq(run(name, whole), PASSES, "%s fails though nothing is broken (%s)", name, whole);
}

static void expect_broken(const NamedTest *test, const char *how, const char *sentence)
{
    Sentences sentences = sentences_of(test->rule);
    const bool is_fine = strcmp(how, "TEST") == 0;
    const uint32_t end = is_fine ? sentences.fine : sentences.count;
    uint32_t i = is_fine ? 0 : sentences.fine;
    while (i < end && strcmp(sentences.list[i], sentence) != 0) {
        i++;
    }
    cr_expect_lt(i, end, "%s, %s: `%s` does not break what cites the rule, run `make coverage`",
                 test->rule->id, test->name, sentence);
    cr_expect_eq(run(test->name, sentence), FAILS, "%s does not notice that %s (%s)", test->name,
                 sentence, test->rule->id);
    free(sentences.list);
}

/* What coverage.def says of them. That no sentence breaks one is looked for by `make coverage`. */
Test(coverage, named_tests_fail_when_what_they_show_is_broken)
{
    static NamedTests tests;
    static Recorded list[NAMED_TESTS_MAX];
    char *coverage = read_coverage();
    read_named_tests(&tests);
    uint32_t count = 0;
    for (uint32_t i = 0; i < tests.count; i++) {
        Recorded *one = &list[count];
        one->test = &tests.list[i];
        const char *how = recorded_break(coverage, one->test, one->sentence);
        if (one->sentence[0] != '\0') {
            expect_broken(one->test, how, one->sentence);
            expect_sound(list, count++);
        }
    }
    cr_expect_gt(count, 0);
    free(coverage);
}
