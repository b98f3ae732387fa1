/* The bill (section 13). */
#include "models/gauge.h"
#include "models/key_use.h"
#include "models/model.h"

/* None is for a customer-managed key as such (BV-25): what it costs are requests to the key vault.
 */
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
                                         "hsm_keys",
                                         "key_rotations",
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
    const CmkPriceBook *book;
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

static int64_t price_in(const Bill *bill, CmkPriceId price, uint32_t region)
{
    return cmk_price_of(bill->book, price, (CmkRegionId){region});
}

static CmkPriceId vault_tier_of(const CmkBackupVault *vault)
{
    switch ((CmkRedundancy)vault->redundancy) {
    case CMK_REDUNDANCY_LOCAL:
        return CMK_PRICE_VAULT_LRS;
    case CMK_REDUNDANCY_ZONE:
        return CMK_PRICE_VAULT_ZRS;
    case CMK_REDUNDANCY_GEO:
        return CMK_PRICE_VAULT_GRS;
    }
    CMK_ASSERT(false);
    return CMK_PRICE_VAULT_LRS;
}

static void put_storage(Bill *bill, CmkBackupVaultId id, CmkCostItem about, CmkIntegral byte_us,
                        int64_t nanos)
{
    CmkCostItem item = storage_item(about.meter, byte_us, nanos);
    item.backup_vault = id.i;
    item.is_overdue = about.is_overdue;
    put(bill, item);
}

static void put_gauge(Bill *bill, CmkBackupVaultId id, CmkCostItem about, CmkGaugeKind kind,
                      int64_t nanos)
{
    put_storage(bill, id, about, cmk_gauge_integral(bill->world, id, kind), nanos);
}

/* What is paid for: deleted data is free at the end of its time (COST-19). `free` is `kind` itself
 * where nothing is. */
static CmkIntegral charged(const Bill *bill, CmkBackupVaultId id, CmkGaugeKind kind,
                           CmkGaugeKind free)
{
    const CmkIntegral all = cmk_gauge_integral(bill->world, id, kind);
    return free == kind ? all : all - cmk_gauge_integral(bill->world, id, free);
}

/* What lies in the vault tier: at one price, or where cross-region restore was enabled at the price
 * before and the one since (COST-4). `less` is taken off either. */
static void put_vault_tier(Bill *bill, CmkBackupVaultId id, CmkCostItem about, CmkGaugeKind kind,
                           int64_t less)
{
    static const CmkGaugeKind cheap_of[] = {[CMK_GAUGE_VAULT] = CMK_GAUGE_CHEAP_VAULT,
                                            [CMK_GAUGE_OVERDUE_VAULT] =
                                                CMK_GAUGE_CHEAP_OVERDUE_VAULT,
                                            [CMK_GAUGE_LATE_TIERING] = CMK_GAUGE_CHEAP_LATE_TIERING,
                                            [CMK_GAUGE_REHYDRATED] = CMK_GAUGE_CHEAP_REHYDRATED};
    const CmkBackupVault *vault = cmk_backup_vault(bill->world, id);
    const CmkIntegral all =
        charged(bill, id, kind, kind == CMK_GAUGE_VAULT ? CMK_GAUGE_FREE_VAULT : kind);
    const CmkIntegral cheap =
        vault->has_cross_region_restore != 0
            ? charged(bill, id, cheap_of[kind],
                      kind == CMK_GAUGE_VAULT ? CMK_GAUGE_CHEAP_FREE_VAULT : cheap_of[kind])
            : all;
    const int64_t before = price_in(bill, vault_tier_of(vault), vault->region) - less;
    const int64_t since = price_in(bill, CMK_PRICE_VAULT_RAGRS, vault->region) - less;
    /* A move to an archive that is dearer than the vault tier is not missed. */
    put_storage(bill, id, about, cheap, before > 0 ? before : 0);
    put_storage(bill, id, about, all - cheap, since > 0 ? since : 0);
}

static void put_instances(Bill *bill, CmkBackupVaultId id, int64_t nanos)
{
    const CmkIntegral instance_us = cmk_gauge_integral(bill->world, id, CMK_GAUGE_INSTANCES);
    put(bill, (CmkCostItem){.meter = "instances",
                            .backup_vault = id.i,
                            .quantity = (int64_t)(instance_us / (uint64_t)CMK_HOUR_US),
                            .unit = "instance-hour",
                            .nanos = round_to_nanos(instance_us * (uint64_t)nanos, MONTH_US)});
}

static void put_backup_vault(Bill *bill, CmkBackupVaultId id)
{
    const CmkBackupVault *vault = cmk_backup_vault(bill->world, id);
    const int64_t in_archive = price_in(
        bill,
        vault->redundancy == CMK_REDUNDANCY_GEO ? CMK_PRICE_ARCHIVE_GRS : CMK_PRICE_ARCHIVE_LRS,
        vault->region);
    put_gauge(bill, id, (CmkCostItem){.meter = "snapshots"}, CMK_GAUGE_OPERATIONAL,
              price_in(bill, CMK_PRICE_SNAPSHOT, vault->region));
    put_vault_tier(bill, id, (CmkCostItem){.meter = "vault_tier"}, CMK_GAUGE_VAULT, 0);
    put_storage(bill, id, (CmkCostItem){.meter = "archive_tier"},
                charged(bill, id, CMK_GAUGE_ARCHIVE, CMK_GAUGE_FREE_ARCHIVE), in_archive);
    put_vault_tier(bill, id, (CmkCostItem){.meter = "rehydrated_copies"}, CMK_GAUGE_REHYDRATED, 0);
    put_gauge(bill, id, (CmkCostItem){.meter = "archive_early_deletion"}, CMK_GAUGE_EARLY_DELETION,
              in_archive);
    /* Parts of the above: what is kept too long, and the difference that a missed move makes. */
    put_vault_tier(bill, id, (CmkCostItem){.meter = "overdue_vault_tier", .is_overdue = true},
                   CMK_GAUGE_OVERDUE_VAULT, 0);
    put_gauge(bill, id, (CmkCostItem){.meter = "overdue_archive_tier", .is_overdue = true},
              CMK_GAUGE_OVERDUE_ARCHIVE, in_archive);
    put_vault_tier(bill, id, (CmkCostItem){.meter = "overdue_tiering", .is_overdue = true},
                   CMK_GAUGE_LATE_TIERING, in_archive);
    put_instances(bill, id, price_in(bill, CMK_PRICE_INSTANCE, vault->region));
}

#define ITEMS_OF_BACKUP_VAULT 13
#define ITEMS_OF_KEY_VAULT (3 + 1 + CMK_HSM_KEY_TIERS)

/* ---- what a key vault costs ------------------------------------------------------------------ */

static void put_requests(Bill *bill, CmkKeyVaultId id, CmkPriceId price, int64_t requests)
{
    const uint32_t region = cmk_key_vault(bill->world, id)->region;
    const CmkIntegral nanos =
        (CmkIntegral)(uint64_t)requests * (uint64_t)price_in(bill, price, region);
    put(bill, (CmkCostItem){.meter = "key_operations",
                            .key_vault = id.i,
                            .quantity = requests,
                            .unit = "request",
                            .nanos = round_to_nanos(nanos, 10000)});
}

/* COST-13, COST-14: `prices` follow one another, one for each tier. */
static void put_hsm_keys(Bill *bill, CmkKeyVaultId id, CmkHsmKeys kind, CmkPriceId prices)
{
    const uint32_t region = cmk_key_vault(bill->world, id)->region;
    CmkIntegral version_us[CMK_HSM_KEY_TIERS];
    cmk_key_use_read(bill->world, id, kind, version_us);
    for (uint32_t tier = 0; tier < CMK_HSM_KEY_TIERS && version_us[tier] > 0; tier++) {
        const int64_t nanos = price_in(bill, (CmkPriceId)(prices + tier), region);
        put(bill,
            (CmkCostItem){.meter = "hsm_keys",
                          .key_vault = id.i,
                          .quantity = (int64_t)(version_us[tier] / (uint64_t)CMK_HOUR_US),
                          .unit = "version-hour",
                          .nanos = round_to_nanos(version_us[tier] * (uint64_t)nanos, MONTH_US)});
    }
}

static void put_key_vault(Bill *bill, CmkKeyVaultId id)
{
    const CmkKeyVaultMeter *meter = cmk_key_vault_meter(bill->world, id);
    const uint32_t region = cmk_key_vault(bill->world, id)->region;
    put_requests(bill, id, CMK_PRICE_KEY_OPERATIONS_2048, meter->requests_2048);
    put_requests(bill, id, CMK_PRICE_KEY_OPERATIONS_OTHER, meter->requests_other);
    put_hsm_keys(bill, id, CMK_HSM_KEYS_2048, CMK_PRICE_HSM_KEY_2048);
    put_hsm_keys(bill, id, CMK_HSM_KEYS_OTHER, CMK_PRICE_HSM_KEY_1);
    put(bill,
        (CmkCostItem){.meter = "key_rotations", /* COST-15 */
                      .key_vault = id.i,
                      .quantity = meter->rotations,
                      .unit = "rotation",
                      .nanos = meter->rotations * price_in(bill, CMK_PRICE_KEY_ROTATION, region)});
}

/* ---- the bill -------------------------------------------------------------------------------- */

uint32_t cmk_cost_items_max(const CmkWorld *world)
{
    return cmk_world_count(world, CMK_TABLE_BACKUP_VAULT) * ITEMS_OF_BACKUP_VAULT +
           cmk_world_count(world, CMK_TABLE_KEY_VAULT) * ITEMS_OF_KEY_VAULT;
}

uint32_t cmk_cost_items(const CmkWorld *world, const CmkPriceBook *book, CmkCostItem *ret_items,
                        uint32_t max)
{
    Bill bill = {.world = world, .book = book, .items = ret_items, .max = max};
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

CmkCost cmk_cost(const CmkWorld *world, const CmkPriceBook *book)
{
    CmkCost cost = {0, 0};
    CmkCostItem items[ITEMS_OF_BACKUP_VAULT + ITEMS_OF_KEY_VAULT];
    const uint32_t backup_vaults = cmk_world_count(world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t i = 1; i <= backup_vaults; i++) {
        Bill bill = {.world = world, .book = book, .items = items, .max = CMK_ARRAY_LEN(items)};
        put_backup_vault(&bill, (CmkBackupVaultId){i});
        add_up(&cost, items, bill.count);
    }
    const uint32_t key_vaults = cmk_world_count(world, CMK_TABLE_KEY_VAULT);
    for (uint32_t i = 1; i <= key_vaults; i++) {
        Bill bill = {.world = world, .book = book, .items = items, .max = CMK_ARRAY_LEN(items)};
        put_key_vault(&bill, (CmkKeyVaultId){i});
        add_up(&cost, items, bill.count);
    }
    return cost;
}
