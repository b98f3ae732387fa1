/* The price book and the bill (section 13), by hand. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/gauge.h"
#include "tests/unit/models/random_plan.h"

static const CmkCostItem *find(const CmkCostItem *items, uint32_t count, const char *meter)
{
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(items[i].meter, meter) == 0) {
            return &items[i];
        }
    }
    return NULL;
}

static uint32_t items_of(const Estate *estate, CmkCostItem *items, uint32_t max)
{
    CmkPriceBook book;
    cmk_price_book_init(&book);
    return cmk_cost_items(estate->sim.world, &book, items, max);
}

static CmkCost cost_of(const Estate *estate)
{
    CmkPriceBook book;
    cmk_price_book_init(&book);
    return cmk_cost(estate->sim.world, &book);
}

/* Nano-dollars of so many GB over so many hours, at a price for a month of 730 h (COST-25). */
static int64_t storage_nanos(int64_t gb_hours, int64_t price_nanos)
{
    return (gb_hours * price_nanos + 365) / 730;
}

/* COST-1 to COST-6, COST-9 to COST-15. */
Test(price, the_book_is_that_of_the_rules)
{
    const struct {
        const char *id;
        const char *region;
        const char *unit;
        int64_t nanos;
        const char *rule;
        const char *status;
    } documented[] = {
        {"vault_tier_lrs", NULL, "GB-month", 22400000, "COST-1", "verified"},
        {"vault_tier_zrs", NULL, "GB-month", 28000000, "COST-2", "verified"},
        {"vault_tier_grs", NULL, "GB-month", 44800000, "COST-3", "verified"},
        {"vault_tier_ragrs", NULL, "GB-month", 56900000, "COST-4", "verified"},
        {"archive_tier_lrs", NULL, "GB-month", 2500000, "COST-6", "unverified"},
        {"archive_tier_grs", NULL, "GB-month", 5000000, "COST-6", "unverified"},
        {"snapshot", NULL, "GB-month", 50000000, "COST-10", "verified"},
        {"instance", NULL, "instance-month", INT64_C(10000000000), "COST-9", "unverified"},
        {"key_operations_2048", NULL, "10000-operations", 30000000, "COST-11", "verified"},
        {"key_operations_other", NULL, "10000-operations", 150000000, "COST-12", "verified"},
        {"hsm_key_2048", NULL, "version-month", 1000000000, "COST-13", "verified"},
        {"hsm_key_first_250", NULL, "version-month", INT64_C(5000000000), "COST-14", "verified"},
        {"hsm_key_next_1250", NULL, "version-month", INT64_C(2500000000), "COST-14", "verified"},
        {"hsm_key_next_2500", NULL, "version-month", 900000000, "COST-14", "verified"},
        {"hsm_key_over_4000", NULL, "version-month", 400000000, "COST-14", "verified"},
        {"key_rotation", NULL, "rotation", 1000000000, "COST-15", "verified"},
        {"vault_tier_lrs", "uksouth", "GB-month", 28000000, "COST-5", "verified"},
        {"vault_tier_zrs", "uksouth", "GB-month", 35000000, "COST-5", "verified"},
        {"vault_tier_grs", "uksouth", "GB-month", 56000000, "COST-5", "verified"},
        {"vault_tier_ragrs", "uksouth", "GB-month", 71100000, "COST-5", "verified"},
    };
    uint32_t count = 0;
    const CmkPrice *prices = cmk_price_book(&count);
    CmkPriceBook book;
    cmk_price_book_init(&book);
    cr_assert_eq(count, CMK_ARRAY_LEN(documented));
    cr_assert_eq(book.count, count);
    for (uint32_t i = 0; i < count; i++) {
        const char *id = documented[i].id;
        const CmkRegionId region =
            cmk_region_find(documented[i].region == NULL ? "" : documented[i].region);
        const CmkPriceId price = cmk_price_find(id, strlen(id));
        cr_assert_str_eq(prices[i].id, id);
        cr_assert_eq(prices[i].price, price, "%s", id);
        cr_assert_eq(prices[i].nanos, documented[i].nanos, "%s", id);
        cr_assert_str_eq(prices[i].unit, documented[i].unit, "%s", id);
        cr_assert_str_eq(prices[i].rule, documented[i].rule);
        cr_assert_str_eq(prices[i].status, documented[i].status);
        cr_assert_eq(prices[i].region == NULL, documented[i].region == NULL, "%s", id);
        cr_assert_eq(cmk_price_built_in(price, region), &prices[i], "%s", id);
        cr_assert_eq(cmk_price_of(&book, price, region), documented[i].nanos, "%s", id);
    }
    cr_assert_eq(cmk_price_find("vault_tier", 10), CMK_PRICE__COUNT);
}

/* A price of a region is for that one only; more lines than there is room for are refused. */
Test(price, a_book_holds_prices_of_regions)
{
    CmkPriceBook book;
    cmk_price_book_init(&book);
    const CmkRegionId west = cmk_region_find("westus");
    const CmkRegionId east = cmk_region_find("eastus");
    cr_assert(cmk_price_book_set(&book, CMK_PRICE_SNAPSHOT, west, 7));
    cr_assert_eq(cmk_price_of(&book, CMK_PRICE_SNAPSHOT, west), 7);
    cr_assert_eq(cmk_price_of(&book, CMK_PRICE_SNAPSHOT, east), 50000000);
    cr_assert(cmk_price_book_set(&book, CMK_PRICE_SNAPSHOT, (CmkRegionId){0}, 8));
    cr_assert_eq(cmk_price_of(&book, CMK_PRICE_SNAPSHOT, west), 7);
    cr_assert_eq(cmk_price_of(&book, CMK_PRICE_SNAPSHOT, east), 8);
    uint32_t regions = 0;
    (void)cmk_region_facts(&regions);
    uint32_t added = 0;
    for (uint32_t price = 0; price < CMK_PRICE__COUNT; price++) {
        for (uint32_t i = 1; i < regions; i++) {
            added += cmk_price_book_set(&book, (CmkPriceId)price, (CmkRegionId){i}, 1);
        }
    }
    cr_assert_eq(book.count, CMK_PRICE_LINES_MAX);
    cr_assert_lt(added, CMK_PRICE__COUNT * (regions - 1));
}

#define MAX_ITEMS 64

/* 100 GB each day from 02:30 on, kept; 10 days of a database in each redundancy. */
Test(price, storage_and_instances_by_hand)
{
    const struct {
        CmkRedundancy redundancy;
        int64_t vault, archive;
    } cases[] = {{CMK_REDUNDANCY_LOCAL, 22400000, 2500000},
                 {CMK_REDUNDANCY_ZONE, 28000000, 2500000},
                 {CMK_REDUNDANCY_GEO, 44800000, 5000000}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = estate_new(&(EstateOptions){.redundancy = cases[i].redundancy,
                                                     .datasource = "AzureDatabaseForMySQL",
                                                     .retention_days = 30,
                                                     .archive_days = 4});
        estate_run(estate, 10 * CMK_DAY_US);
        CmkCostItem items[MAX_ITEMS];
        const uint32_t count = items_of(estate, items, MAX_ITEMS);
        /* Point d: in the vault from 02:30 of day d to 06:00 of day d + 4, else to the end. */
        int64_t vault_half_hours = 0;
        int64_t archive_half_hours = 0;
        for (int64_t day = 0; day < 10; day++) {
            const bool is_moved = day + 4 < 10;
            const int64_t until = is_moved ? (day + 4) * 48 + 12 : 480;
            vault_half_hours += until - (day * 48 + 5);
            archive_half_hours += is_moved ? 480 - until : 0;
        }
        const CmkCostItem *vault = find(items, count, "vault_tier");
        const CmkCostItem *archive = find(items, count, "archive_tier");
        const CmkCostItem *instances = find(items, count, "instances");
        cr_assert(vault != NULL && archive != NULL && instances != NULL);
        cr_assert_eq(vault->nanos, storage_nanos(vault_half_hours * 50, cases[i].vault));
        cr_assert_eq(vault->quantity, vault_half_hours * 50 * 1000); /* MB-hours */
        cr_assert_eq(archive->nanos, storage_nanos(archive_half_hours * 50, cases[i].archive));
        cr_assert_eq(instances->quantity, 240, "billed from the scenario's start");
        cr_assert_eq(instances->nanos, (240 * INT64_C(10000000000) + 365) / 730);
        cr_assert_null(find(items, count, "snapshots"), "items of nothing are left out");
        cr_assert_null(find(items, count, "overdue_vault_tier"));
        cr_assert_eq(cost_of(estate).overdue_nanos, 0);
        for (uint32_t k = 0; k < count; k++) {
            cr_assert_eq(items[k].from, ESTATE_START);
            cr_assert_eq(items[k].to, ESTATE_START + 10 * CMK_DAY_US);
        }
        estate_free(estate);
    }
}

/* COST-11, COST-12, COST-23: requests are billed from authorisation on, by kind of key. */
Test(price, key_operations_by_hand)
{
    Estate *estate = estate_new(NULL);
    CmkCostItem items[MAX_ITEMS];
    cr_assert_null(find(items, items_of(estate, items, MAX_ITEMS), "key_operations"),
                   "the set-up is not billed");
    estate_run(estate, CMK_DAY_US); /* a backup: 4 */
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    (void)estate_try(estate, CMK_OP_KEY_GET); /* refused by authorisation: 1 */
    (void)estate_must(estate, CMK_OP_KEY_VAULT_THROTTLE);
    (void)estate_try(estate, CMK_OP_KEY_GET); /* THR-5 */
    (void)estate_must(estate, CMK_OP_REGION_LOSE);
    (void)estate_try(estate, CMK_OP_KEY_GET); /* nobody there */
    CmkArgs spare = estate_args(estate, CMK_OP_KEY_UNWRAP);
    spare.ref[CMK_REF_KEY_VAULT] = ESTATE_SPARE_KV;
    spare.ref[CMK_REF_KEY] = ESTATE_SPARE_KEY; /* 3072 bits */
    spare.ref[CMK_REF_VERSION] = 3;
    (void)estate_must_apply(estate, spare);
    const uint32_t count = items_of(estate, items, MAX_ITEMS);
    int64_t small = 0;
    int64_t large = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(items[i].meter, "key_operations") == 0) {
            *(items[i].key_vault == ESTATE_KV ? &small : &large) += items[i].nanos;
        }
    }
    cr_assert_eq(small, 5 * 3000, "%" PRId64, small);
    cr_assert_eq(large, 15000, "%" PRId64, large);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* The case of the points tests: 144 GB too many for 3 + 2 + 1 days. */
Test(price, overdue_by_hand)
{
    Estate *estate = estate_new(&(EstateOptions){.datasource = "AzureDatabaseForMySQL",
                                                 .size_bytes = 144 * GB,
                                                 .redundancy = CMK_REDUNDANCY_GEO,
                                                 .retention_days = 3});
    estate_run(estate, 84 * CMK_HOUR_US);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    estate_run(estate, 84 * CMK_HOUR_US);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    estate_run(estate, CMK_DAY_US);
    CmkCostItem items[MAX_ITEMS];
    const uint32_t count = items_of(estate, items, MAX_ITEMS);
    const CmkCostItem *overdue = find(items, count, "overdue_vault_tier");
    cr_assert_not_null(overdue);
    cr_assert(overdue->is_overdue);
    cr_assert_eq(overdue->nanos, storage_nanos(144 * 6 * 24, 44800000));
    cr_assert_eq(cost_of(estate).overdue_nanos, overdue->nanos);
    estate_free(estate);
}

/* A move to the archive that comes two days late costs the difference of the tiers. */
Test(price, late_tiering_by_hand)
{
    Estate *estate = estate_new(&(EstateOptions){.datasource = "AzureDatabaseForMySQL",
                                                 .size_bytes = 144 * GB,
                                                 .archive_days = 1,
                                                 .retention_days = 20});
    estate_run(estate, 4 * CMK_HOUR_US); /* one point, due at 06:00 of the next day */
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    estate_run(estate, 74 * CMK_HOUR_US - CMK_SECOND_US);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    estate_run(estate, CMK_HOUR_US);
    CmkCostItem items[MAX_ITEMS];
    const uint32_t count = items_of(estate, items, MAX_ITEMS);
    const CmkCostItem *late = find(items, count, "overdue_tiering");
    cr_assert_not_null(late);
    cr_assert_eq(late->nanos, storage_nanos(144 * 48, 22400000 - 2500000));
    cr_assert_eq(cost_of(estate).overdue_nanos, late->nanos);
    estate_free(estate);
}

/* Whatever happens: totals are sums of items, overdue is a part of the whole and never negative. */
Test(price, totals_are_sums_of_items)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        CmkPlanRow rows[RANDOM_PLAN_ROWS];
        EstateOptions options = random_plan(seed, rows);
        options.is_not_self_checking = true;
        Estate *estate = estate_new(&options);
        for (int day = 0; day < RANDOM_PLAN_DAYS; day++) {
            estate_run(estate, CMK_DAY_US);
            CmkCostItem items[MAX_ITEMS];
            const uint32_t count = items_of(estate, items, MAX_ITEMS);
            cr_assert_leq(count, cmk_cost_items_max(estate->sim.world));
            cr_assert_leq(count, MAX_ITEMS);
            int64_t sums[2] = {0, 0};
            for (uint32_t i = 0; i < count; i++) {
                cr_assert_geq(items[i].nanos, 0, "seed %" PRIu64, seed);
                sums[items[i].is_overdue] += items[i].nanos;
            }
            const CmkCost cost = cost_of(estate);
            cr_assert_eq(cost.total_nanos, sums[0], "seed %" PRIu64, seed);
            cr_assert_eq(cost.overdue_nanos, sums[1], "seed %" PRIu64, seed);
            cr_assert_leq(cost.overdue_nanos, cost.total_nanos, "seed %" PRIu64, seed);
            /* Fewer are written than there are when there is no room. */
            cr_assert_eq(items_of(estate, items, 0), count);
        }
        estate_free(estate);
    }
}
