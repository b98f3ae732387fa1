/* Broken copies of the model: each guard, each pair of neighbours, each effect, each knob. `make
 * mutate` runs this alone and prints the report. */
#include "tests/tables/tables.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- trying them ----------------------------------------------------------------------------- */

/* Guards only: the worlds are those of the model, so asking is enough. */
static bool is_noticed(const Table *table, const Mutant *mutant)
{
    for (uint32_t i = 0; i < table->count; i++) {
        if (!is_as_expected(&table->rows[i], &mutant->model)) {
            return true;
        }
    }
    return false;
}

static bool is_one_noticed(Row *row, const Variant *variant)
{
    row->estate = NULL;
    if (build(row, variant) != NULL) {
        return row->is_estate_sound || variant->is_estate_part;
    }
    return !is_as_expected(row, variant->model);
}

bool is_noticed_when_built(Row *rows, uint32_t count, const Variant *variant)
{
    (void)fflush(NULL);
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        bool is_seen = false;
        if (freopen("/dev/null", "w", stderr) == NULL) {
            _exit(2);
        }
        for (uint32_t i = 0; i < count && !is_seen; i++) {
            is_seen = is_one_noticed(&rows[i], variant);
        }
        _exit(is_seen);
    }
    int status = 0;
    (void)waitpid(child, &status, 0);
    cr_assert(!WIFEXITED(status) || WEXITSTATUS(status) != 2, "/dev/null does not open");
    return !WIFEXITED(status) || WEXITSTATUS(status) != 0;
}

/* What nobody notices, as survivors.tbl writes it: "swap | key.get | a b". */
typedef struct Survivor {
    char text[128];
    char reason[256]; /* of survivors.tbl; "" if it has none */
} Survivor;

/* How many models are broken in one way, and how many of these are noticed. */
typedef struct Count {
    const char *change;
    uint32_t tried;
    uint32_t noticed;
} Count;

typedef struct Survivors {
    Survivor list[512];
    uint32_t count;
    Count counts[8];
} Survivors;

static Count *count_of(Survivors *survivors, const char *change)
{
    uint32_t i = 0;
    while (survivors->counts[i].change != NULL &&
           strcmp(survivors->counts[i].change, change) != 0) {
        i++;
        cr_assert_lt(i, CMK_ARRAY_LEN(survivors->counts));
    }
    survivors->counts[i].change = change;
    return &survivors->counts[i];
}

static void judge(Survivors *survivors, bool is_seen, const char *change, const char *operation,
                  const char *guards)
{
    Count *count = count_of(survivors, change);
    count->tried++;
    if (is_seen) {
        count->noticed++;
        return;
    }
    cr_assert_lt(survivors->count, CMK_ARRAY_LEN(survivors->list), "too many survivors");
    (void)snprintf(survivors->list[survivors->count].text, sizeof(survivors->list[0].text),
                   "%s | %s | %s", change, operation, guards);
    survivors->count++;
}

static void try_guards(const Table *table, Survivors *survivors)
{
    const CmkModel *model = cmk_azure_model();
    for (CmkGuardId i = 1; i < model->guard_count; i++) {
        Mutant mutant;
        mutant_set_guard(&mutant, i, holds_always);
        judge(survivors, is_noticed(table, &mutant), "always", "-", model->guards[i]->name);
        mutant_set_guard(&mutant, i, holds_never);
        judge(survivors, is_noticed(table, &mutant), "never", "-", model->guards[i]->name);
    }
}

static void try_lists(const Table *table, Survivors *survivors)
{
    const CmkModel *model = cmk_azure_model();
    for (CmkOpId op = 1; op < model->operation_count; op++) {
        const CmkOperation *operation = model->operations[op];
        const uint32_t count = guards_of(operation);
        for (uint32_t i = 0; i < count; i++) {
            Mutant mutant;
            const char *first = model->guards[operation->guards[i]]->name;
            mutant_drop_guard(&mutant, op, i);
            judge(survivors, is_noticed(table, &mutant), "drop", operation->name, first);
            if (i + 1 == count) {
                break;
            }
            char both[96];
            (void)snprintf(both, sizeof(both), "%s %s", first,
                           model->guards[operation->guards[i + 1]]->name);
            mutant_swap_guards(&mutant, op, i);
            judge(survivors, is_noticed(table, &mutant), "swap", operation->name, both);
        }
    }
}

static void try_effects(Table *table, Survivors *survivors)
{
    const CmkModel *model = cmk_azure_model();
    for (CmkOpId op = 1; op < model->operation_count; op++) {
        Mutant mutant;
        mutant_drop_effect(&mutant, op);
        const Variant variant = {.model = &mutant.model, .knob = -1, .is_estate_part = true};
        judge(survivors, is_noticed_when_built(table->rows, table->count, &variant), "no effect",
              model->operations[op]->name, "-");
    }
}

static void try_knobs(Table *table, Survivors *survivors)
{
    const CmkModel *model = cmk_azure_model();
    for (uint32_t i = 0; i < model->knob_count; i++) {
        int64_t values[KNOB_VALUES_MAX];
        const uint32_t count = knob_values(&model->knobs[i], values);
        bool is_seen = false;
        for (uint32_t j = 0; j < count && !is_seen; j++) {
            const Variant variant = {.model = model, .knob = (int32_t)i, .knob_value = values[j]};
            is_seen = is_noticed_when_built(table->rows, table->count, &variant);
        }
        judge(survivors, is_seen, "other value", model->knobs[i].name, "-");
    }
}

/* Strikes off what survivors.tbl knows; what it knows and did not survive is out of date. */
static void excuse(Survivors *survivors)
{
    char text[LINE_MAX_BYTES];
    char line_text[LINE_MAX_BYTES];
    char *column[4];
    FILE *stream = open_table("survivors.tbl");
    for (uint32_t line = 1; fgets(text, sizeof(text), stream) != NULL; line++) {
        if (!cut(text, column, 4, 4, "survivors.tbl", line)) {
            continue;
        }
        (void)snprintf(line_text, sizeof(line_text), "%s | %s | %s", column[0], column[1],
                       column[2]);
        uint32_t i = 0;
        while (i < survivors->count && strcmp(survivors->list[i].text, line_text) != 0) {
            i++;
        }
        cr_expect(i < survivors->count && column[3][0] != '\0',
                  "survivors.tbl:%u: it is noticed after all, or has no reason", line);
        if (i < survivors->count) {
            (void)snprintf(survivors->list[i].reason, sizeof(survivors->list[i].reason), "%s",
                           column[3]);
        }
    }
    (void)fclose(stream);
}

static void report(const Survivors *survivors)
{
    uint32_t tried = 0;
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(survivors->counts); i++) {
        tried += survivors->counts[i].tried;
    }
    if (getenv("CMKSIM_REPORT") != NULL) {
        (void)fprintf(stderr, "%-12s %6s %8s %8s\n", "broken by", "tried", "noticed", "survive");
        for (const Count *count = survivors->counts; count->change != NULL; count++) {
            (void)fprintf(stderr, "%-12s %6u %8u %8u\n", count->change, count->tried,
                          count->noticed, count->tried - count->noticed);
        }
        for (uint32_t i = 0; i < survivors->count; i++) {
            const Survivor *survivor = &survivors->list[i];
            (void)fprintf(stderr, "survives: %s\n    %s\n", survivor->text,
                          survivor->reason[0] == '\0' ? "NO REASON: write a row that notices it"
                                                      : survivor->reason);
        }
    }
    (void)fprintf(stderr, "tables: %u broken models, all noticed but %u (survivors.tbl)\n", tried,
                  survivors->count);
}

Test(tables, each_broken_model_is_noticed)
{
    Table *table = read_all();
    Survivors *survivors = calloc(1, sizeof(*survivors));
    cr_assert_not_null(survivors);
    build_all(table);
    try_guards(table, survivors);
    try_lists(table, survivors);
    free_worlds(table);
    try_effects(table, survivors);
    try_knobs(table, survivors);
    excuse(survivors);
    for (uint32_t i = 0; i < survivors->count; i++) {
        cr_expect_neq(survivors->list[i].reason[0], '\0', "nobody notices: %s",
                      survivors->list[i].text);
    }
    report(survivors);
    free(survivors);
    free(table);
}
