/*
 * Every scenario file holds, checked in every way there is, and gives the records it gave before.
 *
 * UPDATE_GOLDENS=1 in the environment writes tests/goldens.txt anew: look at the difference, and
 * say in the commit why it is right.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "tests/unit/scenario_runs/runs.h"

static bool is_capacity(const char *path)
{
    return g_str_has_prefix(path, CAPACITY);
}

/* Runs with self-check and cryptography; of a large fleet, one after the other takes too long. */
static Run *run_checked(const char *path, uint64_t seed)
{
    Run *run = run_new(path);
    cr_assert_not_null(run, "%s cannot be read", path);
    const CmkExecutionOptions options = {.seed = seed == 0 ? run->scenario->seed : seed,
                                         .has_crypto = true,
                                         .crypto =
                                             is_capacity(path) ? CMK_CRYPTO_SAMPLE : CMK_CRYPTO_ALL,
                                         .is_self_checking = !is_capacity(path)};
    cr_assert(run_finish(run, options), "%s", path);
    return run;
}

static void assert_held(const Run *run)
{
    for (uint32_t i = 0; i < cmk_expect_count(run->expect); i++) {
        const CmkExpectResult *result = cmk_expect_result(run->expect, i);
        cr_expect_eq(result->verdict, CMK_VERDICT_HELD, "%s:%u: %s is %s: %s", run->scenario->path,
                     result->at.line, result->text,
                     result->verdict == CMK_VERDICT_VIOLATED ? "violated" : "undecided",
                     result->values == NULL ? "" : result->values);
    }
    for (uint32_t i = 0; i < cmk_expect_vacuous_count(run->expect); i++) {
        cr_expect_fail("%s: %s", run->scenario->path, cmk_expect_vacuous(run->expect, i));
    }
    cr_expect_gt(cmk_expect_count(run->expect), 0, "%s expects nothing", run->scenario->path);
    cr_expect_eq(cmk_expect_verdict(run->expect), CMK_VERDICT_HELD);
}

static void update(void)
{
    g_autoptr(GPtrArray) files = scenario_files();
    g_autoptr(GString) text =
        g_string_new("# What each scenario file gives: file, seed, digest of the records, number "
                     "of records.\n# UPDATE_GOLDENS=1 make test writes this file anew.\n");
    for (guint i = 0; i < files->len; i++) {
        const char *path = g_ptr_array_index(files, i);
        g_autoptr(Run) run = run_checked(path, 0);
        char digest[CMK_DIGEST_TEXT_SIZE];
        cmk_digest_format(cmk_execution_digest(run->execution), digest);
        g_string_append_printf(text, "%s %" PRIu64 " %s %" PRIu64 "\n", path,
                               run->execution->options.seed, digest, run_records(run));
    }
    cr_assert(g_file_set_contents(GOLDENS, text->str, -1, NULL));
}

Test(scenario_runs, each_file_has_a_golden)
{
    if (g_getenv("UPDATE_GOLDENS") != NULL) {
        update();
    }
    g_autoptr(GPtrArray) files = scenario_files();
    g_autoptr(GArray) goldens = goldens_read();
    cr_expect_gt(files->len, 0);
    for (guint i = 0; i < MAX(files->len, goldens->len); i++) {
        const char *file = i < files->len ? g_ptr_array_index(files, i) : "nothing";
        const char *golden = i < goldens->len ? g_array_index(goldens, Golden, i).path : "nothing";
        cr_assert_str_eq(file, golden,
                         "there is the file %s where %s lists %s; UPDATE_GOLDENS=1 writes it anew",
                         file, GOLDENS, golden);
    }
}

Test(scenario_runs, each_holds_and_gives_its_golden)
{
    g_autoptr(GArray) goldens = goldens_read();
    for (guint i = 0; i < goldens->len; i++) {
        const Golden *golden = &g_array_index(goldens, Golden, i);
        if (is_capacity(golden->path) || g_getenv("UPDATE_GOLDENS") != NULL) {
            continue;
        }
        g_autoptr(Run) run = run_checked(golden->path, golden->seed);
        char digest[CMK_DIGEST_TEXT_SIZE];
        cmk_digest_format(cmk_execution_digest(run->execution), digest);
        assert_held(run);
        cr_expect_str_eq(digest, golden->digest, "%s: digest %s, golden %s", golden->path, digest,
                         golden->digest);
        cr_expect_eq(run_records(run), golden->records, "%s: %" PRIu64 " records, golden %" PRIu64,
                     golden->path, run_records(run), golden->records);
    }
}

/* Not only with the seed of the file: what a scenario claims is no accident of one seed. */
Test(scenario_runs, each_holds_with_other_seeds)
{
    static const uint64_t seeds[] = {2, 77, UINT64_MAX};
    g_autoptr(GArray) goldens = goldens_read();
    for (guint i = 0; i < goldens->len; i++) {
        const Golden *golden = &g_array_index(goldens, Golden, i);
        for (guint k = 0; k < G_N_ELEMENTS(seeds) && !is_capacity(golden->path); k++) {
            g_autoptr(Run) run = run_new(golden->path);
            cr_assert_not_null(run);
            cr_assert(run_finish(run, (CmkExecutionOptions){.seed = seeds[k]}));
            char digest[CMK_DIGEST_TEXT_SIZE];
            cmk_digest_format(cmk_execution_digest(run->execution), digest);
            assert_held(run);
            cr_expect_str_neq(digest, golden->digest, "%s: seed %" PRIu64 " changes nothing",
                              golden->path, seeds[k]);
        }
    }
}
