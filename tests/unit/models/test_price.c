/* The price book and the bill (section 13), by hand. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "models/gauge.h"
#include "models/key_use.h"
#include "models/mutate.h"
#include "sim/chance.h"
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
        {"managed_hsm", NULL, "hour", INT64_C(4850000000), "COST-16", "verified"},
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

/* COST-4: from the moment on at which cross-region restore is enabled the vault tier is dearer,
 * what is overdue and what is late with it; what was stored before is not. */
Test(price, cross_region_restore_costs_from_its_moment_on)
{
    Estate *estate = estate_new(&(EstateOptions){.datasource = "AzureDatabaseForMySQL",
                                                 .redundancy = CMK_REDUNDANCY_GEO,
                                                 .schedule_us = 30 * CMK_DAY_US,
                                                 .archive_days = 20,
                                                 .retention_days = 25});
    estate_run(estate, 62 * CMK_HOUR_US + 30 * CMK_MINUTE_US); /* 100 GB from 02:30 on: 60 h */
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE);
    estate_run(estate, 40 * CMK_HOUR_US);
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE); /* no more than */
    estate_run(estate, 40 * CMK_HOUR_US);                                       /* once */
    CmkCostItem items[MAX_ITEMS];
    const uint32_t count = items_of(estate, items, MAX_ITEMS);
    int64_t nanos[2] = {0, 0};
    int64_t quantity = 0;
    uint32_t found = 0;
    for (uint32_t i = 0; i < count; i++) {
        if (strcmp(items[i].meter, "vault_tier") == 0) {
            cr_assert_lt(found, 2);
            nanos[found++] = items[i].nanos;
            quantity += items[i].quantity;
        }
    }
    cr_assert_eq(nanos[0], storage_nanos(100 * 60, 44800000));
    cr_assert_eq(nanos[1], storage_nanos(100 * 80, 56900000));
    cr_assert_eq(quantity, 100 * 140 * 1000);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* A move that is late costs the difference to the archive at the price of the time. */
Test(price, late_tiering_under_cross_region_restore)
{
    Estate *estate = estate_new(&(EstateOptions){.datasource = "AzureDatabaseForMySQL",
                                                 .redundancy = CMK_REDUNDANCY_GEO,
                                                 .schedule_us = 30 * CMK_DAY_US,
                                                 .archive_days = 1,
                                                 .retention_days = 25});
    estate_run(estate, 4 * CMK_HOUR_US);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    estate_run(estate, 50 * CMK_HOUR_US); /* overdue since the 30th hour: 24 h */
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE);
    estate_run(estate, 10 * CMK_HOUR_US);
    cr_assert_eq(cost_of(estate).overdue_nanos, storage_nanos(100 * 24, 44800000 - 5000000) +
                                                    storage_nanos(100 * 10, 56900000 - 5000000));
    estate_free(estate);
}

/* The price of the vault's region counts, where there is one; a dearer archive makes nothing
 * negative. */
Test(price, the_book_that_is_given_counts)
{
    Estate *estate = estate_new(&(EstateOptions){.datasource = "AzureDatabaseForMySQL",
                                                 .archive_days = 1,
                                                 .schedule_us = 30 * CMK_DAY_US,
                                                 .retention_days = 25});
    estate_run(estate, 4 * CMK_HOUR_US);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    estate_run(estate, 60 * CMK_HOUR_US);
    CmkPriceBook book;
    cmk_price_book_init(&book);
    const int64_t usual = cmk_cost(estate->sim.world, &book).total_nanos;
    cr_assert(cmk_price_book_set(&book, CMK_PRICE_VAULT_LRS, cmk_region_find("westus"), 1));
    cr_assert_eq(cmk_cost(estate->sim.world, &book).total_nanos, usual);
    cr_assert(cmk_price_book_set(&book, CMK_PRICE_VAULT_LRS, cmk_region_find("westeurope"),
                                 22400000 + 730));
    cr_assert_eq(cmk_cost(estate->sim.world, &book).total_nanos, usual + 6150); /* 61.5 h, 100 GB */
    cr_assert(
        cmk_price_book_set(&book, CMK_PRICE_ARCHIVE_LRS, (CmkRegionId){0}, CMK_PRICE_NANOS_MAX));
    cr_assert_eq(cmk_cost(estate->sim.world, &book).overdue_nanos, 0);
    estate_free(estate);
}

/* COST-15 */
Test(price, rotations_by_a_policy_are_billed)
{
    Estate *estate = estate_new(NULL);
    CmkKeyVaultMeter *meter =
        cmk_world_row_mut(estate->sim.world, CMK_TABLE_KEY_VAULT_METER, ESTATE_SPARE_KV);
    meter->rotations = 3;
    CmkCostItem items[MAX_ITEMS];
    const CmkCostItem *item = find(items, items_of(estate, items, MAX_ITEMS), "key_rotations");
    cr_assert_not_null(item);
    cr_assert_eq(item->key_vault, ESTATE_SPARE_KV);
    cr_assert_eq(item->quantity, 3);
    cr_assert_eq(item->nanos, INT64_C(3000000000));
    estate_free(estate);
}

/* ---- HSM-protected keys ---------------------------------------------------------------------- */

/* An HSM-protected key beside the one of the settings, which only the test uses. */
static Estate *make_hsm(uint32_t bits)
{
    return estate_new(&(EstateOptions){.sku = CMK_SKU_PREMIUM,
                                       .has_no_cmk = true,
                                       .other_key_type = CMK_KEY_RSA_HSM,
                                       .other_key_bits = bits});
}

static void use_other_key(Estate *estate, uint32_t version)
{
    CmkArgs args = estate_args(estate, CMK_OP_KEY_UNWRAP);
    args.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    args.ref[CMK_REF_VERSION] = version;
    args.ref[CMK_REF_PRINCIPAL] =
        cmk_identity(estate->sim.world, (CmkIdentityId){ESTATE_IDENTITY})->principal;
    (void)estate_must_apply(estate, args);
    cr_assert_str_eq(estate->trouble, "");
}

static int64_t hsm_nanos(const Estate *estate, int64_t *ret_hours)
{
    CmkCostItem items[MAX_ITEMS];
    const CmkCostItem *item = find(items, items_of(estate, items, MAX_ITEMS), "hsm_keys");
    *ret_hours = item == NULL ? 0 : item->quantity;
    return item == NULL ? 0 : item->nanos;
}

/* COST-13, COST-14, SD-21: billed from the first use until 30 days after the last, deleted or not;
 * not before, and not in between two times of use that lie further apart. */
Test(price, hsm_keys_are_billed_while_they_are_in_use)
{
    const struct {
        uint32_t bits;
        int64_t nanos;
    } cases[] = {{2048, 1000000000}, {3072, INT64_C(5000000000)}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make_hsm(cases[i].bits);
        const uint32_t version =
            cmk_key(estate->sim.world, (CmkKeyId){ESTATE_OTHER_KEY})->current_version;
        int64_t hours = 0;
        estate_run(estate, CMK_DAY_US);
        cr_assert_eq(hsm_nanos(estate, &hours), 0, "not used yet");
        use_other_key(estate, version);
        estate_run(estate, 10 * CMK_DAY_US);
        use_other_key(estate, version);
        CmkArgs drop = estate_args(estate, CMK_OP_KEY_DELETE);
        drop.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
        (void)estate_must_apply(estate, drop);
        estate_run(estate, 5 * CMK_DAY_US);
        cr_assert_eq(hsm_nanos(estate, &hours), (15 * 24 * cases[i].nanos + 365) / 730);
        cr_assert_eq(hours, 15 * 24);
        estate_run(estate, 50 * CMK_DAY_US); /* 30 of the 55 days since the last use */
        (void)hsm_nanos(estate, &hours);
        cr_assert_eq(hours, 40 * 24);
        drop.op = CMK_OP_KEY_RECOVER;
        (void)estate_must_apply(estate, drop);
        use_other_key(estate, version);
        estate_run(estate, 2 * CMK_DAY_US);
        cr_assert_eq(hsm_nanos(estate, &hours), (42 * 24 * cases[i].nanos + 365) / 730);
        estate_free(estate);
    }
}

/* Keys that are not HSM-protected are never in use in this sense, nor is what is refused a use. */
Test(price, other_keys_and_refused_requests_are_no_use)
{
    Estate *estate = make_hsm(2048);
    int64_t hours = 0;
    CmkArgs args = estate_args(estate, CMK_OP_KEY_GET);
    args.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    args.ref[CMK_REF_VERSION] =
        cmk_key(estate->sim.world, (CmkKeyId){ESTATE_OTHER_KEY})->current_version;
    cr_assert_neq(estate_apply(estate, &args).status, CMK_STATUS_OK); /* nobody's principal */
    estate_run(estate, CMK_DAY_US);
    cr_assert_eq(hsm_nanos(estate, &hours), 0);
    estate_free(estate);
    estate = estate_new(NULL);
    estate_run(estate, CMK_DAY_US); /* a backup with the software key */
    cr_assert_eq(hsm_nanos(estate, &hours), 0);
    estate_free(estate);
}

#define MANY 300u /* more than one tier */

/* A key vault with MANY versions of an HSM-protected key of 4096 bits, open since `start`. */
static CmkWorld *world_of_versions(void)
{
    CmkLimits limits = {.timers = 8};
    for (uint32_t table = 0; table < CMK_TABLE__COUNT; table++) {
        limits.rows[table] = MANY + 8;
    }
    const int64_t knobs[CMK_KNOB__COUNT] = {0};
    CmkWorld *world =
        cmk_azure_world_new(&limits, 1, ESTATE_START - CMK_DAY_US, ESTATE_START, knobs);
    cr_assert_not_null(world);
    const CmkKeyVaultId vault = cmk_declare_key_vault(world, "kv");
    const CmkKeyId key = cmk_declare_key(world, vault, "key");
    for (uint32_t i = 1; i <= MANY; i++) {
        cr_assert_eq(cmk_world_row_add(world, CMK_TABLE_VERSION), i);
        CmkVersion *row = cmk_world_row_mut(world, CMK_TABLE_VERSION, i);
        row->key = key.i;
        row->type = CMK_KEY_RSA_HSM;
        row->size_bits = 4096;
    }
    cmk_world_set_now(world, ESTATE_START);
    return world;
}

/* The list in the order of last use against counting every hour which versions are in use. */
Test(price, versions_in_use_are_counted_exactly)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        CmkSim sim = {.model = cmk_azure_model(), .world = world_of_versions()};
        const CmkStream stream = {1, 0};
        CmkTime last_use[MANY + 1] = {0};
        CmkIntegral sums[2] = {0, 0};
        uint64_t n = 0;
        for (uint32_t hour = 0; hour < 24 * 150; hour++) {
            /* Busy at first, then hardly at all, so that all but a few fall out of use. */
            const uint32_t uses = hour < 24 * 60 ? 1 : cmk_chance_below(seed, stream, n++, 40) == 0;
            for (uint32_t i = 0; i < uses; i++) {
                const uint32_t version = 1 + (uint32_t)cmk_chance_below(seed, stream, n++, MANY);
                cmk_key_use_note(&sim, (CmkVersionId){version});
                last_use[version] = cmk_world_now(sim.world);
            }
            uint32_t count = 0;
            for (uint32_t i = 1; i <= MANY; i++) {
                count +=
                    last_use[i] != 0 && cmk_world_now(sim.world) < last_use[i] + 30 * CMK_DAY_US;
            }
            sums[0] += (CmkIntegral)(count < 250 ? count : 250) * (uint64_t)CMK_HOUR_US;
            sums[1] += (CmkIntegral)(count < 250 ? 0 : count - 250) * (uint64_t)CMK_HOUR_US;
            cmk_world_set_now(sim.world, cmk_world_now(sim.world) + CMK_HOUR_US);
            CmkIntegral read[CMK_HSM_KEY_TIERS];
            cmk_key_use_read(sim.world, (CmkKeyVaultId){1}, CMK_HSM_KEYS_OTHER, read);
            cr_assert(read[0] == sums[0] && read[1] == sums[1] && read[2] == 0,
                      "seed %" PRIu64 ", hour %u", seed, hour);
        }
        cr_assert(sums[1] > 0, "the second tier is reached");
        cmk_world_free(sim.world);
    }
}

/* ---- conservation ---------------------------------------------------------------------------- */

/* A journal reader that adds levels up by itself, from one record to the next. */
typedef struct Naive {
    CmkTime until;
    int64_t levels[CMK_GAUGE__COUNT];
    CmkIntegral sums[CMK_GAUGE__COUNT];
    bool has_new_terms; /* the price of what is stored has changed */
} Naive;

static void add_up_until(Naive *naive, CmkTime now)
{
    for (uint32_t kind = 0; kind < CMK_GAUGE__COUNT; kind++) {
        naive->sums[kind] +=
            (CmkIntegral)(uint64_t)naive->levels[kind] * (uint64_t)(now - naive->until);
    }
    naive->until = now;
}

/* What early deletion is charged for (COST-21), which is no level over time. */
static CmkIntegral short_of_180_days(const CmkWorld *world, const CmkRecord *record)
{
    const CmkPointId id = {record->args.ref[CMK_REF_POINT]};
    const CmkPoint *point = cmk_point(world, id);
    const int64_t stayed = record->time - point->archived_at;
    const bool is_removed =
        (record->args.op == CMK_OP_POINT_EXPIRE || record->args.op == CMK_OP_POINT_PURGE) &&
        record->status == CMK_STATUS_OK;
    const bool is_early = is_removed && cmk_point_vault(world, id).i == ESTATE_VAULT &&
                          point->tier == CMK_TIER_ARCHIVE && stayed < 180 * CMK_DAY_US;
    return is_early ? (CmkIntegral)(uint64_t)point->bytes * (uint64_t)(180 * CMK_DAY_US - stayed)
                    : 0;
}

static void read_naively(void *self, const CmkWorld *world, const CmkRecord *record)
{
    Naive *naive = self;
    if (record->time < ESTATE_START) {
        naive->until = ESTATE_START;
    } else {
        add_up_until(naive, record->time);
    }
    naive->sums[CMK_GAUGE_EARLY_DELETION] += short_of_180_days(world, record);
    if (record->args.op == CMK_OP_BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE &&
        record->status == CMK_STATUS_OK && naive->sums[CMK_GAUGE_VAULT] > 0) {
        naive->has_new_terms = true;
    }
    for (uint32_t kind = 0; kind < CMK_GAUGE__COUNT; kind++) {
        naive->levels[kind] =
            cmk_gauge_level(world, (CmkBackupVaultId){ESTATE_VAULT}, (CmkGaugeKind)kind);
    }
}

static bool is_checked(uint32_t kind)
{
    return kind != CMK_GAUGE_REHYDRATED; /* an integral that no level stands for */
}

/* Whatever happens, each interval is counted once: the integrals are those of the journal. */
Test(price, integrals_are_those_of_the_journal)
{
    bool has_new_terms = false;
    for (uint64_t seed = 1; seed <= 60; seed++) {
        CmkPlanRow rows[RANDOM_PLAN_ROWS];
        Naive naive = {.until = ESTATE_START};
        EstateOptions options = random_plan(seed, rows);
        options.is_not_self_checking = true;
        const CmkReader reader = {.read = read_naively, .self = &naive};
        Estate *estate = estate_new_read(&options, &reader, 1);
        for (int day = 0; day < RANDOM_PLAN_DAYS; day++) {
            estate_run(estate, CMK_DAY_US);
            add_up_until(&naive, cmk_world_now(estate->sim.world));
            for (uint32_t kind = 0; kind < CMK_GAUGE__COUNT; kind++) {
                const CmkIntegral integral = cmk_gauge_total(
                    estate->sim.world, (CmkBackupVaultId){ESTATE_VAULT}, (CmkGaugeKind)kind);
                cr_assert(!is_checked(kind) || integral == naive.sums[kind],
                          "seed %" PRIu64 ", day %d, gauge %u", seed, day, kind);
            }
        }
        has_new_terms |= naive.has_new_terms;
        estate_free(estate);
    }
    cr_assert(has_new_terms,
              "some run enables cross-region restore on a vault that holds something");
}

static int64_t nanos_of(const CmkCostItem *items, uint32_t count, const char *meter)
{
    int64_t sum = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += strcmp(items[i].meter, meter) == 0 ? items[i].nanos : 0;
    }
    return sum;
}

/* A bill that is split at any moment adds up: what is charged up to it and what its levels cost
 * from then on is the whole, but for one rounding of each item. */
Test(price, bills_split_at_a_moment_add_up)
{
    Estate *estate = estate_new(&(EstateOptions){.has_operational = true,
                                                 .datasource = "AzureKubernetesService",
                                                 .schedule_us = 30 * CMK_DAY_US});
    estate_run(estate, 3 * CMK_HOUR_US); /* one point in each tier, and nothing happens any more */
    CmkCostItem items[MAX_ITEMS];
    int64_t before[2];
    uint32_t count = items_of(estate, items, MAX_ITEMS);
    before[0] = nanos_of(items, count, "snapshots");
    before[1] = nanos_of(items, count, "vault_tier");
    for (int64_t part = 1; part <= 20; part++) {
        const int64_t us = part * 7777777;
        estate_run(estate, us);
        count = items_of(estate, items, MAX_ITEMS);
        const int64_t now[2] = {nanos_of(items, count, "snapshots"),
                                nanos_of(items, count, "vault_tier")};
        const int64_t month_us = 730 * CMK_HOUR_US;
        const CmkIntegral each[2] = {(CmkIntegral)(100 * us) * 50000000,
                                     (CmkIntegral)(100 * us) * 22400000};
        for (int i = 0; i < 2; i++) {
            const int64_t charged = (int64_t)(each[i] / (uint64_t)month_us);
            const int64_t off = now[i] - before[i] - charged;
            cr_assert(off >= -1 && off <= 1, "part %" PRId64 ": off by %" PRId64, part, off);
            before[i] = now[i];
        }
    }
    estate_free(estate);
}

/* BV-25: with a customer-managed key the bill has the requests to the key vault on top, and nothing
 * else. */
Test(price, a_customer_managed_key_costs_its_requests_only)
{
    CmkCostItem with[MAX_ITEMS];
    CmkCostItem without[MAX_ITEMS];
    Estate *estate = estate_new(NULL);
    estate_run(estate, 5 * CMK_DAY_US);
    const uint32_t with_count = items_of(estate, with, MAX_ITEMS);
    estate_free(estate);
    estate = estate_new(&(EstateOptions){.has_no_cmk = true});
    estate_run(estate, 5 * CMK_DAY_US);
    const uint32_t without_count = items_of(estate, without, MAX_ITEMS);
    estate_free(estate);
    cr_assert_not_null(find(with, with_count, "key_operations"));
    cr_assert_null(find(without, without_count, "key_operations"));
    cr_assert_eq(with_count, without_count + 1);
    for (uint32_t i = 0; i < without_count; i++) {
        const CmkCostItem *same = find(with, with_count, without[i].meter);
        cr_assert_not_null(same, "%s", without[i].meter);
        cr_assert_eq(same->quantity, without[i].quantity, "%s", without[i].meter);
        cr_assert_eq(same->nanos, without[i].nanos, "%s", without[i].meter);
    }
}
