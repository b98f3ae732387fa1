/*
 * An expectation that cannot fail says nothing. Each scenario for troubleshooting, or of Managed
 * HSMs, is run with the model broken in one place after the other, and each of its expectations has
 * to be violated by at least one of these mutants. A mutant that ends in an assertion, or does not
 * end, was noticed, but not by an expectation, so it does not count.
 *
 * The table expectation -> mutant goes to expectations/NAME.txt beside the directory of the tests.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include "tests/unit/scenario_runs/mutants.h"
#include "tests/unit/scenario_runs/runs.h"

#define TROUBLESHOOTING "scenarios/troubleshooting/"
#define NETWORK "scenarios/network/"
#define HSMS "scenarios/hsm/"
#define CPU_SECONDS_MAX 20
#define EXPECTATIONS_MAX 64

/* How one mutant ended. */
typedef enum Fate {
    FATE_VIOLATED, /* some expectation says so */
    FATE_HELD,     /* nothing noticed it */
    FATE_ELSEWISE, /* undecided, vacuous, or did not come to its end */
    FATE_CRASHED   /* assertion, time limit */
} Fate;

typedef struct Outcome {
    Fate fate;
    char verdicts[EXPECTATIONS_MAX]; /* CmkVerdict of each */
    uint32_t violated;
} Outcome;

/* Of sanitized builds; a mutant may do anything, and what they say of it is no report of a bug. */
extern void __sanitizer_set_report_path(const char *path) __attribute__((weak));

/* ---- one mutant, in a process of its own ----------------------------------------------------- */

_Noreturn static void be_mutant(Run *run, const Mutant *mutant, uint64_t seed, int to)
{
    const struct rlimit limit = {CPU_SECONDS_MAX, CPU_SECONDS_MAX};
    const struct rlimit no_core = {0, 0};
    (void)setrlimit(RLIMIT_CPU, &limit);
    (void)setrlimit(RLIMIT_CORE, &no_core);
    static const int fatal[] = {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL};
    for (guint i = 0; i < G_N_ELEMENTS(fatal); i++) {
        (void)signal(fatal[i], SIG_DFL);
    }
    const int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    (void)dup2(nowhere, STDERR_FILENO);
    if (__sanitizer_set_report_path != NULL) {
        __sanitizer_set_report_path("/dev/null");
    }
    const CmkExecutionOptions options = {.model = mutant_model(mutant, run->scenario),
                                         .seed = seed};
    if (!run_finish(run, options)) {
        _exit(1);
    }
    char verdicts[EXPECTATIONS_MAX] = {0};
    for (uint32_t i = 0; i < cmk_expect_count(run->expect); i++) {
        verdicts[i] = (char)cmk_expect_result(run->expect, i)->verdict;
    }
    const ssize_t written = write(to, verdicts, sizeof(verdicts));
    const bool is_held = cmk_expect_verdict(run->expect) == CMK_VERDICT_HELD;
    _exit(written != (ssize_t)sizeof(verdicts) ? 1 : is_held ? 0 : 2);
}

static Outcome try_mutant(Run *run, const Mutant *mutant, uint64_t seed, uint32_t expectations)
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    const pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        be_mutant(run, mutant, seed, ends[1]);
    }
    (void)close(ends[1]);
    Outcome outcome = {.fate = FATE_ELSEWISE};
    const ssize_t got = read(ends[0], outcome.verdicts, sizeof(outcome.verdicts));
    (void)close(ends[0]);
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    if (got != (ssize_t)sizeof(outcome.verdicts)) {
        const bool has_ended = WIFEXITED(status) && WEXITSTATUS(status) == 1;
        outcome.fate = has_ended ? FATE_ELSEWISE : FATE_CRASHED;
        return outcome;
    }
    for (uint32_t i = 0; i < expectations; i++) {
        outcome.violated += outcome.verdicts[i] == CMK_VERDICT_VIOLATED;
    }
    outcome.fate = outcome.violated > 0       ? FATE_VIOLATED
                   : WEXITSTATUS(status) == 0 ? FATE_HELD
                                              : FATE_ELSEWISE;
    return outcome;
}

/* ---- the texts of the expectations ----------------------------------------------------------- */

/* They are complete when a run has been decided, so the model as it is runs once. */
static GPtrArray *texts_of(const Golden *golden)
{
    GPtrArray *texts = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(Run) run = run_new(golden->path);
    cr_assert_not_null(run);
    cr_assert(run_finish(run, (CmkExecutionOptions){.seed = golden->seed}));
    for (uint32_t i = 0; i < cmk_expect_count(run->expect); i++) {
        g_ptr_array_add(texts, g_strdup(cmk_expect_result(run->expect, i)->text));
    }
    cr_assert_leq(texts->len, EXPECTATIONS_MAX);
    return texts;
}

/* ---- the table ------------------------------------------------------------------------------- */

/* Mutants that stop everything of a kind say less than those that bend one rule. */
static uint32_t bluntness(const Mutant *mutant)
{
    return mutant->kind == MUTANT_GUARD_REFUSES || mutant->kind == MUTANT_TIMER_IGNORED;
}

/* The mutant that violates this expectation and the fewest others, -1 if there is none. */
static int best_for(const GArray *mutants, const GArray *outcomes, uint32_t expectation,
                    uint32_t *ret_count)
{
    int best = -1;
    uint32_t fewest = UINT32_MAX;
    *ret_count = 0;
    for (guint i = 0; i < outcomes->len; i++) {
        const Outcome *outcome = &g_array_index(outcomes, Outcome, i);
        if (outcome->fate != FATE_VIOLATED ||
            outcome->verdicts[expectation] != CMK_VERDICT_VIOLATED) {
            continue;
        }
        ++*ret_count;
        const uint32_t weight =
            outcome->violated + bluntness(&g_array_index(mutants, Mutant, i)) * EXPECTATIONS_MAX;
        if (weight < fewest) {
            fewest = weight;
            best = (int)i;
        }
    }
    return best;
}

static void append_fates(GString *table, const GArray *mutants, const GArray *outcomes)
{
    static const char *const words[] = {[FATE_VIOLATED] = "violated an expectation",
                                        [FATE_HELD] = "went unnoticed",
                                        [FATE_ELSEWISE] = "undecided or ended early",
                                        [FATE_CRASHED] = "ended in an assertion or did not end"};
    for (guint fate = 0; fate < G_N_ELEMENTS(words); fate++) {
        g_autoptr(GString) names = g_string_new(NULL);
        guint count = 0;
        for (guint i = 0; i < mutants->len; i++) {
            if (g_array_index(outcomes, Outcome, i).fate == (Fate)fate) {
                g_autofree char *name = mutant_name(&g_array_index(mutants, Mutant, i));
                g_string_append_printf(names, "    %s\n", name);
                count++;
            }
        }
        g_string_append_printf(table, "  %u mutants %s\n%s", count, words[fate],
                               fate == FATE_VIOLATED ? "" : names->str);
    }
}

static void save(const char *name, const GString *table)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *tests = g_path_get_dirname(program == NULL ? "." : program);
    g_autofree char *build = g_path_get_dirname(tests);
    g_autofree char *directory = g_build_filename(build, "expectations", NULL);
    g_autofree char *path = g_strdup_printf("%s/%s.txt", directory, name);
    (void)g_mkdir_with_parents(directory, 0777);
    cr_expect(g_file_set_contents(path, table->str, -1, NULL), "%s cannot be written", path);
}

ParameterizedTestParameters(scenario_runs, each_expectation_can_fail)
{
    g_autoptr(GArray) goldens = goldens_read();
    Golden *chosen = cr_malloc(sizeof(Golden) * MAX(goldens->len, 1));
    size_t count = 0;
    for (guint i = 0; i < goldens->len; i++) {
        const Golden *golden = &g_array_index(goldens, Golden, i);
        if (g_str_has_prefix(golden->path, TROUBLESHOOTING) ||
            g_str_has_prefix(golden->path, NETWORK) || g_str_has_prefix(golden->path, HSMS)) {
            chosen[count++] = *golden;
        }
    }
    return cr_make_param_array(Golden, chosen, count);
}

ParameterizedTest(Golden *golden, scenario_runs, each_expectation_can_fail)
{
    g_autoptr(Run) run = run_new(golden->path);
    cr_assert_not_null(run);
    g_autoptr(GPtrArray) texts = texts_of(golden);
    g_autoptr(GArray) mutants = mutants_list(run->scenario);
    g_autoptr(GArray) outcomes = g_array_new(FALSE, TRUE, sizeof(Outcome));
    for (guint i = 0; i < mutants->len; i++) {
        const Outcome outcome =
            try_mutant(run, &g_array_index(mutants, Mutant, i), golden->seed, texts->len);
        g_array_append_val(outcomes, outcome);
    }
    g_autoptr(GString) table = g_string_new(NULL);
    g_string_append_printf(table,
                           "%s: expectation -> mutant that violates it and fewest others "
                           "(how many violate it)\n",
                           run->scenario->name);
    for (uint32_t i = 0; i < texts->len; i++) {
        const char *text = g_ptr_array_index(texts, i);
        uint32_t count = 0;
        const int best = best_for(mutants, outcomes, i, &count);
        cr_expect_geq(best, 0, "%s: no mutant violates: %s", golden->path, text);
        g_autofree char *name =
            best < 0 ? g_strdup("NONE") : mutant_name(&g_array_index(mutants, Mutant, (guint)best));
        g_string_append_printf(table, "  %s\n      -> %s (%u)\n", text, name, count);
    }
    append_fates(table, mutants, outcomes);
    save(run->scenario->name, table);
}
