/* The price book and the bill (section 13). */
#include "models/gauge.h"
#include "models/model.h"

/* Rows of the price book. */
enum {
    PRICE_VAULT_LRS,
    PRICE_VAULT_ZRS,
    PRICE_VAULT_GRS,
    PRICE_ARCHIVE_LRS,
    PRICE_ARCHIVE_GRS,
    PRICE_SNAPSHOT,
    PRICE_INSTANCE,
    PRICE_KEY_OPERATIONS_2048,
    PRICE_KEY_OPERATIONS_OTHER,
    PRICE__COUNT
};

/* Nano-dollars. */
static const CmkPrice book[PRICE__COUNT] = {
    [PRICE_VAULT_LRS] = {"vault_tier_lrs", 22400000, "GB-month", "COST-1", "verified",
                         "vault tier, locally redundant"},
    [PRICE_VAULT_ZRS] = {"vault_tier_zrs", 28000000, "GB-month", "COST-2", "verified",
                         "vault tier, zone-redundant"},
    [PRICE_VAULT_GRS] = {"vault_tier_grs", 44800000, "GB-month", "COST-3", "verified",
                         "vault tier, geo-redundant"},
    [PRICE_ARCHIVE_LRS] = {"archive_tier_lrs", 2500000, "GB-month", "COST-6", "unverified",
                           "archive tier, locally or zone-redundant"},
    [PRICE_ARCHIVE_GRS] = {"archive_tier_grs", 5000000, "GB-month", "COST-6", "unverified",
                           "archive tier, geo-redundant"},
    [PRICE_SNAPSHOT] = {"snapshot", 50000000, "GB-month", "COST-10", "verified",
                        "snapshots of the operational tier"},
    [PRICE_INSTANCE] = {"instance", INT64_C(10000000000), "instance-month", "COST-9", "unverified",
                        "protected instance"},
    [PRICE_KEY_OPERATIONS_2048] = {"key_operations_2048", 30000000, "10,000 operations", "COST-11",
                                   "verified", "key operations on RSA 2048 keys"},
    [PRICE_KEY_OPERATIONS_OTHER] = {"key_operations_other", 150000000, "10,000 operations",
                                    "COST-12", "verified", "key operations on other keys"},
};

const CmkPrice *cmk_price_book(uint32_t *ret_count)
{
    *ret_count = PRICE__COUNT;
    return book;
}

const char *const *cmk_cost_meters(void)
{
    static const char *const meters[] = {"snapshots",
                                         "vault_tier",
                                         "archive_tier",
                                         "archive_early_deletion",
                                         "overdue_vault_tier",
                                         "overdue_archive_tier",
                                         "overdue_tiering",
                                         "instances",
                                         "key_operations",
                                         "rehydrated_copies",
                                         NULL};
    return meters;
}

#define MONTH_US ((CmkIntegral)730 * (uint64_t)CMK_HOUR_US) /* COST-25 */
#define GB ((CmkIntegral)1000000000)
#define MB_HOUR ((CmkIntegral)1000000 * (uint64_t)CMK_HOUR_US)

/* ---- one item -------------------------------------------------------------------------------- */

/* Where items go: they are counted always and written as far as there is room. */
typedef struct Bill {
    const CmkWorld *world;
    CmkCostItem *items;
    uint32_t max;
    uint32_t count;
} Bill;

static void put(Bill *bill, CmkCostItem item)
{
    if (item.quantity == 0 && item.nanos == 0) {
        return;
    }
    item.from = cmk_settings(bill->world, (CmkNameId){1})->start;
    item.to = cmk_world_now(bill->world);
    if (bill->count < bill->max) {
        bill->items[bill->count] = item;
    }
    bill->count++;
}

/* Money is rounded once for each item, to the nearest nano-dollar. */
static int64_t round_to_nanos(CmkIntegral amount, CmkIntegral unit)
{
    return (int64_t)((amount + unit / 2) / unit);
}

static CmkCostItem storage_item(const char *meter, CmkIntegral byte_us, int64_t nanos_per_gb_month)
{
    return (CmkCostItem){
        .meter = meter,
        .quantity = (int64_t)(byte_us / MB_HOUR),
        .unit = "MB-hour",
        /* Bytes x us x nanos may need more than 128 bits: bytes are scaled to kB first. */
        .nanos =
            round_to_nanos(byte_us / 1000 * (uint64_t)nanos_per_gb_month, GB / 1000 * MONTH_US)};
}

/* ---- what a Backup vault costs --------------------------------------------------------------- */

static int64_t vault_tier_nanos(const CmkBackupVault *vault)
{
    switch ((CmkRedundancy)vault->redundancy) {
    case CMK_REDUNDANCY_LOCAL:
        return book[PRICE_VAULT_LRS].nanos;
    case CMK_REDUNDANCY_ZONE:
        return book[PRICE_VAULT_ZRS].nanos;
    case CMK_REDUNDANCY_GEO:
        return book[PRICE_VAULT_GRS].nanos;
    }
    CMK_ASSERT(false);
    return 0;
}

static int64_t archive_tier_nanos(const CmkBackupVault *vault)
{
    return vault->redundancy == CMK_REDUNDANCY_GEO ? book[PRICE_ARCHIVE_GRS].nanos
                                                   : book[PRICE_ARCHIVE_LRS].nanos;
}

static void put_storage(Bill *bill, CmkBackupVaultId id, const char *meter, CmkGaugeKind kind,
                        int64_t nanos, bool is_overdue)
{
    CmkIntegral byte_us = cmk_gauge_integral(bill->world, id, kind);
    /* COST-19: deleted data is free at the end of its time. */
    if (kind == CMK_GAUGE_VAULT) {
        byte_us -= cmk_gauge_integral(bill->world, id, CMK_GAUGE_FREE_VAULT);
    } else if (kind == CMK_GAUGE_ARCHIVE) {
        byte_us -= cmk_gauge_integral(bill->world, id, CMK_GAUGE_FREE_ARCHIVE);
    }
    CmkCostItem item = storage_item(meter, byte_us, nanos);
    item.backup_vault = id.i;
    item.is_overdue = is_overdue;
    put(bill, item);
}

static void put_backup_vault(Bill *bill, CmkBackupVaultId id)
{
    const CmkBackupVault *vault = cmk_backup_vault(bill->world, id);
    const int64_t in_vault = vault_tier_nanos(vault);
    const int64_t in_archive = archive_tier_nanos(vault);
    put_storage(bill, id, "snapshots", CMK_GAUGE_OPERATIONAL, book[PRICE_SNAPSHOT].nanos, false);
    put_storage(bill, id, "vault_tier", CMK_GAUGE_VAULT, in_vault, false);
    put_storage(bill, id, "archive_tier", CMK_GAUGE_ARCHIVE, in_archive, false);
    put_storage(bill, id, "archive_early_deletion", CMK_GAUGE_EARLY_DELETION, in_archive, false);
    put_storage(bill, id, "rehydrated_copies", CMK_GAUGE_REHYDRATED, in_vault, false);
    /* Parts of the above: what is kept too long, and the difference that a missed move makes. */
    put_storage(bill, id, "overdue_vault_tier", CMK_GAUGE_OVERDUE_VAULT, in_vault, true);
    put_storage(bill, id, "overdue_archive_tier", CMK_GAUGE_OVERDUE_ARCHIVE, in_archive, true);
    put_storage(bill, id, "overdue_tiering", CMK_GAUGE_LATE_TIERING, in_vault - in_archive, true);
    const CmkIntegral instance_us = cmk_gauge_integral(bill->world, id, CMK_GAUGE_INSTANCES);
    put(bill, (CmkCostItem){.meter = "instances",
                            .backup_vault = id.i,
                            .quantity = (int64_t)(instance_us / (uint64_t)CMK_HOUR_US),
                            .unit = "instance-hour",
                            .nanos = round_to_nanos(
                                instance_us * (uint64_t)book[PRICE_INSTANCE].nanos, MONTH_US)});
}

#define ITEMS_OF_BACKUP_VAULT 9
#define ITEMS_OF_KEY_VAULT 2

/* ---- what a key vault costs ------------------------------------------------------------------ */

static void put_key_vault(Bill *bill, CmkKeyVaultId id)
{
    const CmkKeyVaultMeter *meter = cmk_key_vault_meter(bill->world, id);
    CmkCostItem item = {.meter = "key_operations", .key_vault = id.i, .unit = "request"};
    item.quantity = meter->requests_2048;
    item.nanos = meter->requests_2048 * (book[PRICE_KEY_OPERATIONS_2048].nanos / 10000);
    put(bill, item);
    item.quantity = meter->requests_other;
    item.nanos = meter->requests_other * (book[PRICE_KEY_OPERATIONS_OTHER].nanos / 10000);
    put(bill, item);
}

/* ---- the bill -------------------------------------------------------------------------------- */

uint32_t cmk_cost_items_max(const CmkWorld *world)
{
    return cmk_world_count(world, CMK_TABLE_BACKUP_VAULT) * ITEMS_OF_BACKUP_VAULT +
           cmk_world_count(world, CMK_TABLE_KEY_VAULT) * ITEMS_OF_KEY_VAULT;
}

uint32_t cmk_cost_items(const CmkWorld *world, CmkCostItem *ret_items, uint32_t max)
{
    Bill bill = {.world = world, .items = ret_items, .max = max};
    const uint32_t backup_vaults = cmk_world_count(world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t i = 1; i <= backup_vaults; i++) {
        put_backup_vault(&bill, (CmkBackupVaultId){i});
    }
    const uint32_t key_vaults = cmk_world_count(world, CMK_TABLE_KEY_VAULT);
    for (uint32_t i = 1; i <= key_vaults; i++) {
        put_key_vault(&bill, (CmkKeyVaultId){i});
    }
    return bill.count;
}

static void add_up(CmkCost *cost, const CmkCostItem *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        *(items[i].is_overdue ? &cost->overdue_nanos : &cost->total_nanos) += items[i].nanos;
    }
}

CmkCost cmk_cost(const CmkWorld *world)
{
    CmkCost cost = {0, 0};
    CmkCostItem items[ITEMS_OF_BACKUP_VAULT + ITEMS_OF_KEY_VAULT];
    const uint32_t backup_vaults = cmk_world_count(world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t i = 1; i <= backup_vaults; i++) {
        Bill bill = {.world = world, .items = items, .max = CMK_ARRAY_LEN(items)};
        put_backup_vault(&bill, (CmkBackupVaultId){i});
        add_up(&cost, items, bill.count);
    }
    const uint32_t key_vaults = cmk_world_count(world, CMK_TABLE_KEY_VAULT);
    for (uint32_t i = 1; i <= key_vaults; i++) {
        Bill bill = {.world = world, .items = items, .max = CMK_ARRAY_LEN(items)};
        put_key_vault(&bill, (CmkKeyVaultId){i});
        add_up(&cost, items, bill.count);
    }
    return cost;
}
