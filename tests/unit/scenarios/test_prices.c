/*
 * Price books as files: what is read and written, what is said of bad ones, and what a scenario
 * does with them.
 */
#include "scenarios/prices.h"

#include <string.h>

#include <criterion/criterion.h>
#include <glib/gstdio.h>

#include "scenarios/scenario.h"

#define CORPUS "tests/corpus/bad-prices"
#define FILE_SIZE_MAX 100000
#define HEAD "cmksim_prices: 1\nname: contract\ndate: 2026-01-01\ncurrency: USD\nprices:\n"

static CmkDiagnostics *collector(const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    return cmk_diagnostics_new("prices.yaml", bytes);
}

static CmkPriceBook read_good(const char *text)
{
    g_autoptr(CmkDiagnostics) diagnostics = collector(text);
    CmkPriceBook book;
    const bool is_right = cmk_price_book_read(diagnostics, &book);
    g_autoptr(GString) printed = g_string_new(NULL);
    cmk_diagnostics_print(diagnostics, printed);
    cr_assert(is_right, "%s", printed->str);
    return book;
}

static char *formatted(const CmkPriceBook *book)
{
    GString *text = g_string_new(NULL);
    cmk_price_book_format(book, text);
    return g_string_free(text, FALSE);
}

Test(prices, lines_that_are_left_out_keep_their_default)
{
    const CmkPriceBook book = read_good(HEAD "  vault_tier_grs: 0.05 USD/GB-month\n"
                                             "  snapshot@westus: 0.1 USD/GB-month\n"
                                             "  vault_tier_lrs@uksouth: 0 USD/GB-month\n");
    const CmkRegionId none = {0};
    cr_assert_str_eq(book.name, "contract");
    cr_assert_str_eq(book.date, "2026-01-01");
    cr_assert_eq(cmk_price_of(&book, CMK_PRICE_VAULT_GRS, none), 50000000);
    cr_assert_eq(cmk_price_of(&book, CMK_PRICE_VAULT_GRS, cmk_region_find("uksouth")), 50000000,
                 "what the book says of all regions goes before what is built in for one");
    cr_assert_eq(cmk_price_of(&book, CMK_PRICE_VAULT_ZRS, cmk_region_find("uksouth")), 35000000);
    cr_assert_eq(cmk_price_of(&book, CMK_PRICE_VAULT_LRS, cmk_region_find("uksouth")), 0);
    cr_assert_eq(cmk_price_of(&book, CMK_PRICE_VAULT_LRS, none), 22400000);
    cr_assert_eq(cmk_price_of(&book, CMK_PRICE_SNAPSHOT, cmk_region_find("westus")), 100000000);
    cr_assert_eq(cmk_price_of(&book, CMK_PRICE_SNAPSHOT, cmk_region_find("eastus")), 50000000);
}

/* Whichever comes first in the file. */
Test(prices, a_region_of_the_book_goes_before_all_regions)
{
    static const char *const books[] = {HEAD "  vault_tier_lrs: 0.05 USD/GB-month\n"
                                             "  vault_tier_lrs@uksouth: 0.028 USD/GB-month\n",
                                        HEAD "  vault_tier_lrs@uksouth: 0.028 USD/GB-month\n"
                                             "  vault_tier_lrs: 0.05 USD/GB-month\n"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(books); i++) {
        const CmkPriceBook book = read_good(books[i]);
        cr_assert_eq(cmk_price_of(&book, CMK_PRICE_VAULT_LRS, cmk_region_find("uksouth")), 28000000,
                     "book %zu", i);
        cr_assert_eq(cmk_price_of(&book, CMK_PRICE_VAULT_LRS, cmk_region_find("westus")), 50000000,
                     "book %zu", i);
    }
}

/* What is printed as a template reads back as the same book, by default and when it is changed. */
Test(prices, what_is_written_reads_back)
{
    CmkPriceBook book;
    cmk_price_book_init(&book);
    for (int is_changed = 0; is_changed < 2; is_changed++) {
        if (is_changed) {
            (void)g_strlcpy(book.date, "2026-02", sizeof(book.date));
            (void)g_strlcpy(book.name, "changed", sizeof(book.name));
            cr_assert(cmk_price_book_set(&book, CMK_PRICE_HSM_KEY_4, (CmkRegionId){5}, 1));
            cr_assert(cmk_price_book_set(&book, CMK_PRICE_SNAPSHOT, (CmkRegionId){0},
                                         CMK_PRICE_NANOS_MAX));
        }
        g_autofree char *text = formatted(&book);
        const CmkPriceBook again = read_good(text);
        cr_assert_eq(memcmp(&book, &again, sizeof(book)), 0, "%s", text);
        const char *is_marked = strstr(text, "COST-10");
        cr_assert_eq(is_marked == NULL, is_changed == 1, "a price of one's own has no source");
    }
}

static const struct {
    const char *name;
    CmkPosition at;
    const char *says;
    const char *hints;
} bad_books[] = {
    {"list-of-prices", {5, 3}, "`prices` must be a map", NULL},
    {"many", {5, 3}, "`vault_tier_gsr`", "did you mean `vault_tier_grs`?"},
    {"negative", {5, 19}, "-1 USD", NULL},
    {"no-unit", {5, 19}, "does not say per what", NULL},
    {"no-version", {1, 1}, "needs the key `cmksim_prices`", NULL},
    {"other-currency", {3, 11}, "`EUR`", NULL},
    {"other-version", {1, 16}, "2", NULL},
    {"too-dear", {5, 19}, "a price may be at most 1000 USD", NULL},
    {"unknown-price", {5, 3}, "`vault_tier_gsr`", "did you mean `vault_tier_grs`?"},
    {"unknown-region", {5, 3}, "`westeuropa`", "did you mean `westeurope`?"},
    {"wrong-currency", {5, 19}, "this price is in USD/GB-month, not in EUR/GB-month", "convert it"},
    {"wrong-unit", {5, 19}, "this price is in USD/GB-month, not in USD/GiB-month", "convert it"},
};

Test(prices, bad_books_are_told_where_and_why)
{
    for (size_t i = 0; i < G_N_ELEMENTS(bad_books); i++) {
        g_autofree char *path = g_strdup_printf("%s/%s.yaml", CORPUS, bad_books[i].name);
        g_autoptr(CmkDiagnostics) diagnostics = cmk_diagnostics_open(path, FILE_SIZE_MAX, NULL);
        cr_assert_not_null(diagnostics, "%s", path);
        CmkPriceBook book = {.count = 7};
        cr_assert_not(cmk_price_book_read(diagnostics, &book), "%s is accepted", path);
        cr_assert_eq(book.count, 7, "%s: the book is left alone", path);
        g_autoptr(GString) text = g_string_new(NULL);
        cmk_diagnostics_print(diagnostics, text);
        const CmkDiagnostic *first = cmk_diagnostics_get(diagnostics, 0);
        cr_expect_eq(first->at.line, bad_books[i].at.line, "%s", text->str);
        cr_expect_eq(first->at.column, bad_books[i].at.column, "%s", text->str);
        cr_expect_not_null(strstr(first->message, bad_books[i].says), "%s", text->str);
        if (bad_books[i].hints != NULL) {
            cr_assert_not_null(first->hint, "%s", text->str);
            cr_expect_not_null(strstr(first->hint, bad_books[i].hints), "%s", text->str);
        }
    }
    g_autoptr(GDir) directory = g_dir_open(CORPUS, 0, NULL);
    cr_assert_not_null(directory);
    size_t found = 0;
    while (g_dir_read_name(directory) != NULL) {
        found++;
    }
    cr_assert_eq(found, G_N_ELEMENTS(bad_books), "each file is in the table");
}

/* ---- in a scenario --------------------------------------------------------------------------- */

#define SCENARIO                                                                                   \
    "cmksim: 1\nname: small\nstart: 2025-03-03T00:00:00Z\nhorizon: 30d\n%s"                        \
    "world:\n"                                                                                     \
    "  policies:\n"                                                                                \
    "    - {name: daily, datastores: {vault: P7D}, schedule: R/2025-03-03T03:00:00+00:00/P1D}\n"   \
    "  backup_vaults:\n"                                                                           \
    "    - {name: bv, region: westeurope, redundancy: geo, cross_region_restore: true}\n"

static CmkDigest digest_with(const char *path, const char *prices, CmkPriceBook *ret_book)
{
    g_autofree char *text = g_strdup_printf(SCENARIO, prices);
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    g_autoptr(CmkDiagnostics) diagnostics = cmk_diagnostics_new(path, bytes);
    CmkScenario *scenario = cmk_scenario_read(diagnostics);
    CmkSim sim = {.model = cmk_azure_model()};
    const bool is_built = scenario != NULL && cmk_scenario_build(scenario, CMK_VARIANT_AS_WRITTEN,
                                                                 1, &sim, diagnostics);
    g_autoptr(GString) printed = g_string_new(NULL);
    cmk_diagnostics_print(diagnostics, printed);
    cr_assert(is_built, "%s", printed->str);
    cr_assert_eq(cmk_backup_vault(sim.world, (CmkBackupVaultId){1})->has_cross_region_restore, 1);
    const CmkDigest digest = cmk_world_digest(sim.world);
    *ret_book = scenario->prices;
    cmk_world_free(sim.world);
    cmk_scenario_free(scenario);
    return digest;
}

/* The file is looked for beside the scenario, and what is in it belongs to the digest. */
Test(prices, belong_to_the_scenario_and_its_digest)
{
    g_autofree char *directory = g_dir_make_tmp("prices-XXXXXX", NULL);
    cr_assert_not_null(directory);
    g_autofree char *path = g_build_filename(directory, "own.yaml", NULL);
    g_autofree char *scenario = g_build_filename(directory, "scenario.yaml", NULL);
    CmkDigest digests[2];
    CmkPriceBook book;
    for (int i = 0; i < 2; i++) {
        const char *text = i == 0 ? HEAD "  snapshot: 0.05 USD/GB-month\n"
                                  : HEAD "  snapshot: 0.06 USD/GB-month\n";
        cr_assert(g_file_set_contents(path, text, -1, NULL));
        digests[i] = digest_with(scenario, "prices: own.yaml\n", &book);
        cr_assert_eq(cmk_price_of(&book, CMK_PRICE_SNAPSHOT, (CmkRegionId){0}),
                     i == 0 ? 50000000 : 60000000);
    }
    cr_assert_not(cmk_digest_equal(digests[0], digests[1]));
    (void)g_unlink(path);
    (void)g_rmdir(directory);
    (void)digest_with("f.yaml", "prices: default\n", &book);
    cr_assert_str_eq(book.name, "default");
    (void)digest_with("f.yaml", "", &book);
    cr_assert_str_eq(book.name, "default");
}
