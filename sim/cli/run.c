/* cmksim run FILE */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "analysis/execution.h"
#include "analysis/result.h"
#include "scenarios/quantity.h"
#include "sim/cli/cli.h"

#define FILE_BYTES_MAX ((size_t)64 << 20)
/* Above this many key versions real RSA for all of them takes too long to be the default. */
#define KEYS_FOR_ALL 500
#define PROGRESS_AFTER_US ((gint64)2 * G_USEC_PER_SEC)
#define PROGRESS_EVERY_US ((gint64)G_USEC_PER_SEC / 10)

/* ---- options --------------------------------------------------------------------------------- */

typedef struct Options {
    char *path;
    char *seed_text;
    char *db;
    char *crypto;
    char *journal;
    gboolean json;
    gboolean check_determinism;
    gboolean self_check;
    gboolean quiet;
    gboolean verbose;
} Options;

static void clear_options(Options *options)
{
    g_free(options->path);
    g_free(options->seed_text);
    g_free(options->db);
    g_free(options->crypto);
    g_free(options->journal);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Options, clear_options)

static bool is_one_of(const char *option, const char *value, const char *const *words)
{
    if (value == NULL || g_strv_contains(words, value)) {
        return true;
    }
    g_autofree char *list = g_strjoinv(", ", (char **)(uintptr_t)words);
    cmk_cli_error("--%s takes one of: %s; `%s` is none of them", option, list, value);
    return false;
}

static int parse_options(Options *options, int argc, char **argv)
{
    static const char *const cryptos[] = {"all", "sample", "off", NULL};
    static const char *const journals[] = {"changes", "full", NULL};
    GOptionEntry entries[] = {
        {"seed", 's', 0, G_OPTION_ARG_STRING, &options->seed_text,
         "decimal, 0x..., or `random`; else CMKSIM_SEED, the scenario's, or 1", "N"},
        {"db", 0, 0, G_OPTION_ARG_FILENAME, &options->db, "the database (default out/NAME.db)",
         "FILE"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options->json,
         "print one JSON object instead of the summary", NULL},
        {"check-determinism", 0, 0, G_OPTION_ARG_NONE, &options->check_determinism,
         "run twice; exit 5 and name the first record that differs", NULL},
        {"self-check", 0, 0, G_OPTION_ARG_NONE, &options->self_check,
         "check every operation against what it declares (slow)", NULL},
        {"crypto", 0, 0, G_OPTION_ARG_STRING, &options->crypto,
         "how much is really computed (default: all; sample above 500 keys)", "all|sample|off"},
        {"journal", 0, 0, G_OPTION_ARG_STRING, &options->journal,
         "what the database keeps (default: changes; full: every key request too)", "changes|full"},
        {"quiet", 'q', 0, G_OPTION_ARG_NONE, &options->quiet, "print the verdict only, no progress",
         NULL},
        {"verbose", 'v', 0, G_OPTION_ARG_NONE, &options->verbose, "say more about the run", NULL},
        G_OPTION_ENTRY_NULL};
    const int parsed =
        cmk_cli_parse("FILE", "Runs a scenario and says what happened, what failed and why.",
                      "Example: cmksim run scenarios/troubleshooting/permission-revoked.yaml",
                      entries, &argc, &argv);
    if (parsed != CMK_CLI_GO_ON) {
        return parsed;
    }
    if (!is_one_of("crypto", options->crypto, cryptos) ||
        !is_one_of("journal", options->journal, journals) ||
        !cmk_cli_is_file_name("--db", options->db)) {
        return CMK_EXIT_USAGE;
    }
    if (argc != 2) {
        cmk_cli_error(argc < 2 ? "give a scenario file\nTry `cmksim run --help`."
                               : "give one scenario file, not several\nTry `cmksim run --help`.");
        return CMK_EXIT_USAGE;
    }
    options->path = g_strdup(argv[1]);
    return CMK_CLI_GO_ON;
}

/* --seed, else CMKSIM_SEED, else the scenario's own. */
static bool find_seed(const Options *options, const CmkScenario *scenario, uint64_t *ret_seed)
{
    const char *text = options->seed_text;
    text = text == NULL ? g_getenv("CMKSIM_SEED") : text;
    if (text == NULL) {
        *ret_seed = scenario->seed;
        return true;
    }
    if (strcmp(text, "random") == 0) {
        return getrandom(ret_seed, sizeof(*ret_seed), 0) == (ssize_t)sizeof(*ret_seed);
    }
    char message[CMK_MESSAGE_SIZE];
    if (!cmk_seed_parse(text, ret_seed, message)) {
        cmk_cli_error("%s", message);
        return false;
    }
    return true;
}

/* ---- the state of the command ---------------------------------------------------------------- */

typedef struct Run {
    Options *options;
    CmkScenario *scenario;
    CmkDiagnostics *diagnostics;
    CmkExpect *expect;
    uint64_t seed;
    const char *crypto_mode;
    char *db_path;
    char *repeat;
    CmkExecution *execution;
    bool has_baseline;
    CmkCost baseline;
    gint64 began;
    gint64 last_progress;
    unsigned ticks;
    int last_tenth;
} Run;

static void clear_run(Run *run)
{
    cmk_execution_free(run->execution);
    cmk_expect_free(run->expect);
    cmk_scenario_free(run->scenario);
    cmk_diagnostics_free(run->diagnostics);
    g_free(run->db_path);
    g_free(run->repeat);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Run, clear_run)

/* ---- progress -------------------------------------------------------------------------------- */

static void show_progress(Run *run, CmkTime now)
{
    const CmkTime start = run->scenario->start;
    const int percent = (int)((now - start) * 100 / (run->scenario->end - start));
    if (isatty(STDERR_FILENO)) {
        (void)fprintf(stderr, "\rcmksim: %3d %%", percent);
    } else if (percent / 10 > run->last_tenth) {
        run->last_tenth = percent / 10;
        (void)fprintf(stderr, "cmksim: %d %%\n", run->last_tenth * 10);
    }
}

static bool must_stop(void *self, const CmkWorld *world)
{
    Run *run = self;
    if (++run->ticks % 1024 != 0) {
        return false;
    }
    const gint64 now = g_get_monotonic_time();
    if (!run->options->quiet && now - run->began > PROGRESS_AFTER_US &&
        now - run->last_progress > PROGRESS_EVERY_US) {
        run->last_progress = now;
        show_progress(run, cmk_world_now(world));
    }
    return cmk_cli_interrupted() != 0;
}

static void end_progress(const Run *run)
{
    if (run->last_progress != 0 && isatty(STDERR_FILENO)) {
        (void)fprintf(stderr, "\r                \r");
    }
}

/* ---- executing ------------------------------------------------------------------------------- */

static CmkExecutionOptions execution_options(Run *run, CmkVariant variant)
{
    return (CmkExecutionOptions){.seed = run->seed,
                                 .variant = variant,
                                 .is_self_checking = run->options->self_check != FALSE,
                                 .must_stop = must_stop,
                                 .self = run};
}

static void set_crypto(const Run *run, CmkExecutionOptions *options)
{
    options->has_crypto = strcmp(run->crypto_mode, "off") != 0;
    options->crypto = strcmp(run->crypto_mode, "sample") == 0 ? CMK_CRYPTO_SAMPLE : CMK_CRYPTO_ALL;
}

/* The exit code for a run that did not come to its end; tells why. */
static int failed_to_end(const Run *run, const CmkExecution *execution)
{
    switch (execution->end) {
    case CMK_EXECUTION_INVALID:
        (void)cmk_diagnostics_write(run->diagnostics, stderr);
        return CMK_EXIT_INVALID;
    case CMK_EXECUTION_LIMIT:
        cmk_cli_error("the simulated world has no room for more %s; shorten the horizon or the "
                      "fleet",
                      execution->what);
        return CMK_EXIT_UNDECIDED;
    case CMK_EXECUTION_DISAGREEMENT:
        cmk_cli_error("internal error: %s", execution->what);
        return CMK_EXIT_INTERNAL;
    case CMK_EXECUTION_STOPPED:
        cmk_cli_error("interrupted, nothing was written");
        return cmk_cli_interrupted();
    case CMK_EXECUTION_NO_RESOURCES:
        cmk_cli_error("cannot start: %s", execution->what);
        return CMK_EXIT_INTERNAL;
    case CMK_EXECUTION_DONE:
        break;
    }
    return CMK_EXIT_OK;
}

static bool has_faults(const CmkScenario *scenario)
{
    for (guint i = 0; i < scenario->plan->len; i++) {
        const CmkPlanned *item = &g_array_index(scenario->plan, CmkPlanned, i);
        if (item->kind == CMK_PLAN_FAULT || item->remedies != 0) {
            return true;
        }
    }
    return false;
}

/* What the same run costs without the faults and the steps that remedy them. */
static int run_baseline(Run *run)
{
    run->has_baseline = has_faults(run->scenario);
    if (!run->has_baseline) {
        return CMK_EXIT_OK;
    }
    CmkExecutionOptions options = execution_options(run, CMK_VARIANT_WITHOUT_FAULTS);
    options.is_self_checking = false;
    g_autoptr(CmkExecution) baseline = cmk_execution_run(run->scenario, &options, run->diagnostics);
    if (baseline->end == CMK_EXECUTION_DONE) {
        run->baseline = cmk_cost(baseline->sim.world, &run->scenario->prices);
    }
    return failed_to_end(run, baseline);
}

/* Runs once more and finds the first record that differs. */
static int check_determinism(Run *run)
{
    CmkExecutionOptions options = execution_options(run, CMK_VARIANT_AS_WRITTEN);
    set_crypto(run, &options);
    options.is_traced = true;
    options.compared = run->execution->trace;
    g_autoptr(CmkExecution) again = cmk_execution_run(run->scenario, &options, run->diagnostics);
    if (again->end != CMK_EXECUTION_DONE) {
        return failed_to_end(run, again);
    }
    CmkDigest first = {0, 0};
    CmkDigest second = {0, 0};
    (void)cmk_execution_crypto_digest(run->execution, &first);
    (void)cmk_execution_crypto_digest(again, &second);
    const bool is_same_crypto = cmk_digest_equal(first, second);
    if (cmk_digest_equal(cmk_execution_digest(run->execution), cmk_execution_digest(again))) {
        if (!is_same_crypto) {
            cmk_cli_error("two runs agree in all records and differ in the ciphertext");
        }
        return is_same_crypto ? CMK_EXIT_OK : CMK_EXIT_MISMATCH;
    }
    if (again->difference.seq == 0) {
        cmk_cli_error("two runs with the same seed differ: the second has %u records, the first %u",
                      again->trace->len, run->execution->trace->len);
        return CMK_EXIT_MISMATCH;
    }
    g_autofree char *record = cmk_execution_describe(again->sim.model, &again->difference);
    cmk_cli_error("two runs with the same seed differ; the first record of the second run that "
                  "differs is %s",
                  record);
    return CMK_EXIT_MISMATCH;
}

/* ---- results --------------------------------------------------------------------------------- */

static GArray *claims_of(const CmkExpect *expect)
{
    GArray *claims = g_array_new(FALSE, TRUE, sizeof(CmkClaim));
    for (uint32_t i = 0; i < cmk_expect_count(expect); i++) {
        const CmkExpectResult *result = cmk_expect_result(expect, i);
        const bool is_violated = result->verdict == CMK_VERDICT_VIOLATED;
        const CmkClaim claim = {.text = result->text,
                                .verdict = result->verdict,
                                .violated_at = is_violated ? result->time : -1,
                                .detail = result->values};
        g_array_append_val(claims, claim);
    }
    return claims;
}

static char *reason_of(const CmkExpect *expect, CmkVerdict verdict)
{
    uint32_t violated = 0;
    const uint32_t count = cmk_expect_count(expect);
    for (uint32_t i = 0; i < count; i++) {
        violated += cmk_expect_result(expect, i)->verdict == CMK_VERDICT_VIOLATED;
    }
    if (verdict == CMK_VERDICT_VIOLATED) {
        return g_strdup_printf("%u of %u expectations %s violated", violated, count,
                               violated == 1 ? "is" : "are");
    }
    if (verdict == CMK_VERDICT_UNDECIDED) {
        return cmk_expect_vacuous_count(expect) > 0
                   ? g_strdup(cmk_expect_vacuous(expect, 0))
                   : g_strdup("the run ended before all expectations were decided");
    }
    if (verdict == CMK_VERDICT_UNCHECKED) {
        return g_strdup("the scenario expects nothing, so nothing was checked");
    }
    return count == 1 ? g_strdup("the one expectation holds")
                      : g_strdup_printf("all %u expectations hold", count);
}

static CmkRestoreCheck worst_of(const CmkRestoreCounts *counts)
{
    if (counts->mismatch > 0) {
        return CMK_RESTORE_CHECK_MISMATCH;
    }
    if (counts->lost > 0) {
        return CMK_RESTORE_CHECK_LOST;
    }
    return counts->refused > 0 ? CMK_RESTORE_CHECK_REFUSED : CMK_RESTORE_CHECK_OK;
}

static void finish_expectations(Run *run, CmkResult *result, const GArray *items)
{
    const CmkFinalValues final = {.restore_check = worst_of(&result->restore_check),
                                  .cost = result->cost,
                                  .has_net = true,
                                  .net_nanos = cmk_result_net_nanos(result),
                                  .items = (const CmkCostItem *)(const void *)items->data,
                                  .item_count = items->len};
    cmk_expect_finish(run->expect, run->execution->sim.world, &final);
    result->verdict = cmk_expect_verdict(run->expect);
    static const int codes[CMK_VERDICT__COUNT] = {[CMK_VERDICT_HELD] = CMK_EXIT_OK,
                                                  [CMK_VERDICT_VIOLATED] = CMK_EXIT_VIOLATED,
                                                  [CMK_VERDICT_UNDECIDED] = CMK_EXIT_UNDECIDED,
                                                  [CMK_VERDICT_UNCHECKED] = CMK_EXIT_OK};
    result->exit_code = codes[result->verdict];
}

static bool finish_store(const Run *run, const CmkResult *result, const GArray *items,
                         CmkRunStore *store)
{
    g_autoptr(GArray) expectations = g_array_new(FALSE, TRUE, sizeof(CmkStoreExpectation));
    for (guint i = 0; i < result->claims->len; i++) {
        const CmkClaim *claim = &g_array_index(result->claims, CmkClaim, i);
        const CmkStoreExpectation row = {.text = claim->text,
                                         .verdict = claim->verdict,
                                         .violated_at = claim->violated_at,
                                         .detail = claim->detail};
        g_array_append_val(expectations, row);
    }
    const CmkStoreResult stored = {
        .world = run->execution->sim.world,
        .verdict = result->verdict,
        .reason = result->reason,
        .digest = result->digest,
        .crypto_digest = result->crypto_digest,
        .cost = result->cost,
        .has_baseline = result->has_baseline,
        .baseline_nanos = result->baseline.total_nanos,
        .prices = &run->scenario->prices,
        .cost_items = (const CmkCostItem *)(const void *)items->data,
        .cost_item_count = items->len,
        .expectations = (const CmkStoreExpectation *)(const void *)expectations->data,
        .expectation_count = expectations->len};
    g_autoptr(GError) error = NULL;
    if (!cmk_store_finish(store, &stored, &error)) {
        cmk_cli_error("%s", error->message);
        return false;
    }
    return true;
}

static GArray *cost_items_of(const CmkWorld *world, const CmkPriceBook *book)
{
    GArray *items = g_array_new(FALSE, TRUE, sizeof(CmkCostItem));
    const uint32_t max = cmk_cost_items_max(world);
    g_array_set_size(items, max);
    const uint32_t count = cmk_cost_items(world, book, (CmkCostItem *)(void *)items->data, max);
    g_array_set_size(items, count);
    return items;
}

static bool print_result(const Run *run, const CmkResult *result)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (run->options->json) {
        cmk_result_print_json(result, text);
    } else if (run->options->quiet) {
        g_string_append_printf(text, "%s: %s - %s\n", run->scenario->name,
                               cmk_verdict_word(result->verdict), result->reason);
    } else {
        cmk_result_print(result, text);
    }
    return cmk_cli_print(text->str);
}

/* ---- the command ----------------------------------------------------------------------------- */

/* Last on stderr where somebody will want to see it again. */
static void print_repeat(const Run *run, int exit_code)
{
    const bool is_wanted = exit_code == CMK_EXIT_VIOLATED || exit_code == CMK_EXIT_UNDECIDED ||
                           exit_code == CMK_EXIT_MISMATCH || exit_code == CMK_EXIT_INTERNAL;
    if (is_wanted && run->repeat != NULL) {
        (void)fprintf(stderr, "repeat: %s\n", run->repeat);
    }
}

/* What --verbose adds: how large the run was, and how long it took on this machine. */
static void print_size(const Run *run)
{
    const CmkWorld *world = run->execution->sim.world;
    const double seconds = (double)(g_get_monotonic_time() - run->began) / G_USEC_PER_SEC;
    (void)fprintf(stderr,
                  "cmksim: %" PRIu64 " records, world of %zu KiB, %u timers pending, %.2f s\n",
                  run->execution->story->records, cmk_world_used_bytes(world) / 1024,
                  cmk_agenda_count(world), seconds);
}

static int report(Run *run, CmkRunStore **store)
{
    const CmkExecution *execution = run->execution;
    const CmkWorld *world = execution->sim.world;
    char digest[CMK_DIGEST_TEXT_SIZE];
    char crypto_digest[CMK_DIGEST_TEXT_SIZE];
    CmkDigest crypto = {0, 0};
    const bool has_crypto = cmk_execution_crypto_digest(execution, &crypto);
    cmk_digest_format(cmk_execution_digest(execution), digest);
    cmk_digest_format(crypto, crypto_digest);
    CmkSealer sealer = execution->sealer;
    CmkResult result = {.scenario = run->scenario,
                        .world = world,
                        .story = execution->story,
                        .seed = run->seed,
                        .restore_check = cmk_sealer_check_all(has_crypto ? &sealer : NULL,
                                                              execution->sim.model, world),
                        .cost = cmk_cost(world, &run->scenario->prices),
                        .has_baseline = run->has_baseline,
                        .baseline = run->baseline,
                        .crypto_mode = run->crypto_mode,
                        .digest = digest,
                        .crypto_digest = has_crypto ? crypto_digest : NULL,
                        .repeat = run->repeat,
                        .db_path = run->db_path};
    if (has_crypto) {
        result.crypto = cmk_envelope_counters(execution->envelope);
    }
    if (result.restore_check.mismatch > 0) {
        cmk_cli_error("internal error: rules and arithmetic disagree about %u recovery points",
                      result.restore_check.mismatch);
        return CMK_EXIT_INTERNAL;
    }
    g_autoptr(GArray) items = cost_items_of(world, &run->scenario->prices);
    finish_expectations(run, &result, items);
    g_autoptr(GArray) claims = claims_of(run->expect);
    g_autofree char *reason = reason_of(run->expect, result.verdict);
    result.claims = claims;
    result.reason = reason;
    if (!finish_store(run, &result, items, g_steal_pointer(store))) {
        return CMK_EXIT_IO;
    }
    if (run->options->verbose) {
        print_size(run);
    }
    return print_result(run, &result) ? result.exit_code : CMK_EXIT_IO;
}

static int execute(Run *run)
{
    const bool is_full =
        run->options->journal != NULL && strcmp(run->options->journal, "full") == 0;
    const CmkStoreRun about = {.model = cmk_azure_model(),
                               .scenario_name = run->scenario->name,
                               .scenario_text = run->scenario->canonical->str,
                               .version = cmk_cli_version(),
                               .crypto_mode = run->crypto_mode,
                               .seed = run->seed,
                               .start = run->scenario->start,
                               .horizon = run->scenario->end,
                               .level = is_full ? CMK_STORE_LEVEL_FULL : CMK_STORE_LEVEL_CHANGES};
    g_autoptr(CmkRunStore) store = cmk_store_open(run->db_path, &about);
    if (cmk_store_has_failed(store)) {
        const CmkStoreResult nothing = {.world = NULL};
        g_autoptr(GError) error = NULL;
        (void)cmk_store_finish(g_steal_pointer(&store), &nothing, &error);
        cmk_cli_error("%s", error == NULL ? "the database cannot be written" : error->message);
        return CMK_EXIT_IO;
    }
    CmkExecutionOptions options = execution_options(run, CMK_VARIANT_AS_WRITTEN);
    set_crypto(run, &options);
    options.expect = run->expect;
    options.store = store;
    options.has_story = true;
    options.is_traced = run->options->check_determinism != FALSE;
    run->execution = cmk_execution_run(run->scenario, &options, run->diagnostics);
    if (run->execution->end != CMK_EXECUTION_DONE) {
        return failed_to_end(run, run->execution);
    }
    int exit_code = CMK_EXIT_OK;
    if (run->options->check_determinism) {
        exit_code = check_determinism(run);
    }
    end_progress(run);
    return exit_code != CMK_EXIT_OK ? exit_code : report(run, &store);
}

static int read_scenario(Run *run)
{
    g_autoptr(GError) error = NULL;
    run->diagnostics = cmk_diagnostics_open(run->options->path, FILE_BYTES_MAX, &error);
    if (run->diagnostics == NULL) {
        g_autofree char *hint = cmk_cli_scenario_hint(run->options->path);
        cmk_cli_error("%s%s%s", error->message, hint == NULL ? "" : "\n", hint == NULL ? "" : hint);
        return CMK_EXIT_INVALID;
    }
    run->scenario = cmk_scenario_read(run->diagnostics);
    if (run->scenario != NULL) {
        run->expect = cmk_expect_new(run->scenario, run->diagnostics);
    }
    if (run->expect == NULL) {
        (void)cmk_diagnostics_write(run->diagnostics, stderr);
        return CMK_EXIT_INVALID;
    }
    return CMK_EXIT_OK;
}

static uint32_t count_keys(const CmkScenario *scenario)
{
    uint32_t count = 0;
    for (guint i = 0; i < scenario->named->len; i++) {
        const CmkNamed *named = &g_array_index(scenario->named, CmkNamed, i);
        count += strcmp(named->kind, "key") == 0;
    }
    return count;
}

static bool prepare(Run *run)
{
    if (!find_seed(run->options, run->scenario, &run->seed)) {
        return false;
    }
    run->crypto_mode = run->options->crypto;
    if (run->crypto_mode == NULL) {
        run->crypto_mode = count_keys(run->scenario) > KEYS_FOR_ALL ? "sample" : "all";
    }
    run->db_path = run->options->db != NULL ? g_strdup(run->options->db)
                                            : g_strdup_printf("out/%s.db", run->scenario->name);
    if (!cmk_store_may_replace(run->db_path)) {
        cmk_cli_error("%s: is there and is not the database of a run, so it is not replaced\n"
                      "Give another name with --db.",
                      run->db_path);
        return false;
    }
    g_autofree char *quoted = g_shell_quote(run->options->path);
    const char *path = strpbrk(run->options->path, " '\"\\$`*?[]{}()<>|&;#~!\t\n") == NULL
                           ? run->options->path
                           : quoted;
    run->repeat = g_strdup_printf("cmksim run %s --seed %" PRIu64 "%s%s%s%s", path, run->seed,
                                  run->options->crypto == NULL ? "" : " --crypto ",
                                  run->options->crypto == NULL ? "" : run->options->crypto,
                                  run->options->self_check ? " --self-check" : "",
                                  run->options->check_determinism ? " --check-determinism" : "");
    cmk_cli_set_repeat(run->repeat);
    if (run->options->verbose) {
        (void)fprintf(stderr, "cmksim: %u planned, %u expectations, seed %" PRIu64 ", crypto %s\n",
                      run->scenario->plan->len, run->scenario->expectations->len, run->seed,
                      run->crypto_mode);
    }
    return true;
}

int cmk_command_run(int argc, char **argv)
{
    g_auto(Options) options = {0};
    const int parsed = parse_options(&options, argc, argv);
    if (parsed != CMK_CLI_GO_ON) {
        return parsed;
    }
    g_auto(Run) run = {.options = &options, .began = g_get_monotonic_time()};
    int exit_code = read_scenario(&run);
    if (exit_code != CMK_EXIT_OK) {
        return exit_code;
    }
    if (!prepare(&run)) {
        return CMK_EXIT_USAGE;
    }
    cmk_cli_catch_interrupts();
    exit_code = run_baseline(&run);
    if (exit_code == CMK_EXIT_OK) {
        exit_code = execute(&run);
    }
    print_repeat(&run, exit_code);
    return exit_code;
}
