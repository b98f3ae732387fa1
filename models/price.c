/* The bill (section 13). */
#include "models/gauge.h"
#include "models/key_use.h"
#include "models/managed_hsm.h"
#include "models/model.h"

/* None is for a customer-managed key as such (BV-25): what it costs are requests to the key vault.
 */
const char *const *cmk_cost_meters(void)
{
    static const char *const meters[] = {"snapshots",
                                         "vault_tier",
                                         "archive_tier",
                                         "archive_early_deletion",
                                         "overdue_snapshots",
                                         "overdue_vault_tier",
                                         "overdue_archive_tier",
                                         "overdue_tiering",
                                         "instances",
                                         "key_operations",
                                         "hsm_keys",
                                         "key_rotations",
                                         "rehydrated_copies",
                                         "managed_hsm",
                                         NULL};
    return meters;
}

#define MONTH_US ((CmkIntegral)730 * (uint64_t)CMK_HOUR_US) /* COST-25 */
#define GB ((CmkIntegral)1000000000)
#define MB_HOUR ((CmkIntegral)1000000 * (uint64_t)CMK_HOUR_US)

/* ---- one item -------------------------------------------------------------------------------- */

/* Where items go: they are counted and added up always and written as far as there is room. */
typedef struct Bill {
    const CmkWorld *world;
    const CmkPriceBook *book;
    CmkCostItem *items;
    uint32_t max;
    uint32_t count;
    CmkTime from; /* of the items to come */
    CmkTime to;
    CmkCost sums;
} Bill;

static void put(Bill *bill, CmkCostItem item)
{
    if (item.quantity == 0 && item.nanos == 0) {
        return;
    }
    item.from = bill->from;
    item.to = bill->to;
    *(item.is_overdue ? &bill->sums.overdue_nanos : &bill->sums.total_nanos) += item.nanos;
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

/* What one Backup vault was measured at while its terms were the same. */
typedef struct Account {
    Bill *bill;
    CmkBackupVaultId vault;
    const CmkStatement *closed; /* NULL: what came after the last statement */
    uint32_t region;
    uint32_t redundancy;
    bool has_cross_region_restore;
} Account;

static CmkIntegral measured(const Account *account, CmkGaugeKind kind)
{
    return account->closed != NULL ? cmk_statement_integral(account->closed, kind)
                                   : cmk_gauge_integral(account->bill->world, account->vault, kind);
}

/* What is paid for: deleted data is free at the end of its time (COST-19). */
static CmkIntegral charged(const Account *account, CmkGaugeKind kind, CmkGaugeKind free)
{
    return measured(account, kind) - measured(account, free);
}

static CmkPriceId vault_tier_of(const Account *account)
{
    if (account->has_cross_region_restore) {
        return CMK_PRICE_VAULT_RAGRS; /* COST-4 */
    }
    switch ((CmkRedundancy)account->redundancy) {
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

static void put_storage(const Account *account, CmkCostItem about, CmkIntegral byte_us,
                        int64_t nanos)
{
    CmkCostItem item = storage_item(about.meter, byte_us, nanos);
    item.backup_vault = account->vault.i;
    item.is_overdue = about.is_overdue;
    put(account->bill, item);
}

static void put_gauge(const Account *account, CmkCostItem about, CmkGaugeKind kind, int64_t nanos)
{
    put_storage(account, about, measured(account, kind), nanos);
}

static void put_instances(const Account *account, int64_t nanos)
{
    const CmkIntegral instance_us = measured(account, CMK_GAUGE_INSTANCES);
    put(account->bill,
        (CmkCostItem){.meter = "instances",
                      .backup_vault = account->vault.i,
                      .quantity = (int64_t)(instance_us / (uint64_t)CMK_HOUR_US),
                      .unit = "instance-hour",
                      .nanos = round_to_nanos(instance_us * (uint64_t)nanos, MONTH_US)});
}

static void put_account(const Account *account)
{
    Bill *bill = account->bill;
    bill->from = account->closed != NULL ? account->closed->from
                                         : cmk_gauge_account_start(bill->world, account->vault);
    bill->to = account->closed != NULL ? account->closed->to : cmk_world_now(bill->world);
    const CmkPriceId archive =
        account->redundancy == CMK_REDUNDANCY_GEO ? CMK_PRICE_ARCHIVE_GRS : CMK_PRICE_ARCHIVE_LRS;
    const int64_t in_archive = price_in(bill, archive, account->region);
    const int64_t in_vault = price_in(bill, vault_tier_of(account), account->region);
    put_gauge(account, (CmkCostItem){.meter = "snapshots"}, CMK_GAUGE_OPERATIONAL,
              price_in(bill, CMK_PRICE_SNAPSHOT, account->region));
    put_storage(account, (CmkCostItem){.meter = "vault_tier"},
                charged(account, CMK_GAUGE_VAULT, CMK_GAUGE_FREE_VAULT), in_vault);
    put_storage(account, (CmkCostItem){.meter = "archive_tier"},
                charged(account, CMK_GAUGE_ARCHIVE, CMK_GAUGE_FREE_ARCHIVE), in_archive);
    put_gauge(account, (CmkCostItem){.meter = "rehydrated_copies"}, CMK_GAUGE_REHYDRATED, in_vault);
    put_gauge(account, (CmkCostItem){.meter = "archive_early_deletion"}, CMK_GAUGE_EARLY_DELETION,
              in_archive);
    /* Parts of the above: what is kept too long, and the difference that a missed move makes; a
     * move to an archive that is dearer than the vault tier is not missed. */
    put_gauge(account, (CmkCostItem){.meter = "overdue_snapshots", .is_overdue = true},
              CMK_GAUGE_OVERDUE_SNAPSHOTS, price_in(bill, CMK_PRICE_SNAPSHOT, account->region));
    put_gauge(account, (CmkCostItem){.meter = "overdue_vault_tier", .is_overdue = true},
              CMK_GAUGE_OVERDUE_VAULT, in_vault);
    put_gauge(account, (CmkCostItem){.meter = "overdue_archive_tier", .is_overdue = true},
              CMK_GAUGE_OVERDUE_ARCHIVE, in_archive);
    put_gauge(account, (CmkCostItem){.meter = "overdue_tiering", .is_overdue = true},
              CMK_GAUGE_LATE_TIERING, in_vault > in_archive ? in_vault - in_archive : 0);
    put_instances(account, price_in(bill, CMK_PRICE_INSTANCE, account->region));
}

/* The oldest account first. */
static void put_closed(Bill *bill, CmkBackupVaultId id)
{
    const uint32_t last = cmk_backup_vault(bill->world, id)->last_statement;
    uint32_t done = 0; /* all up to this one */
    while (done != last) {
        uint32_t row = last;
        while (cmk_statement(bill->world, (CmkStatementId){row})->next_of_vault != done) {
            row = cmk_statement(bill->world, (CmkStatementId){row})->next_of_vault;
        }
        const CmkStatement *closed = cmk_statement(bill->world, (CmkStatementId){row});
        put_account(&(Account){.bill = bill,
                               .vault = id,
                               .closed = closed,
                               .region = closed->region,
                               .redundancy = closed->redundancy,
                               .has_cross_region_restore = closed->has_cross_region_restore != 0});
        done = row;
    }
}

static void put_backup_vault(Bill *bill, CmkBackupVaultId id)
{
    const CmkBackupVault *vault = cmk_backup_vault(bill->world, id);
    put_closed(bill, id);
    put_account(&(Account){.bill = bill,
                           .vault = id,
                           .region = vault->region,
                           .redundancy = vault->redundancy,
                           .has_cross_region_restore = vault->has_cross_region_restore != 0});
}

#define ITEMS_OF_ACCOUNT 9
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

/* ---- what a Managed HSM costs ---------------------------------------------------------------- */

/* As long as it is there, deleted or not, and twice with a second region; requests and rotations
 * are free (HSM-12, HSM-18, HSM-21). */
static void put_managed_hsm(Bill *bill, CmkManagedHsmId id)
{
    const CmkIntegral region_us = cmk_managed_hsm_billed(bill->world, id);
    const uint64_t nanos =
        (uint64_t)price_in(bill, CMK_PRICE_MANAGED_HSM, cmk_managed_hsm(bill->world, id)->region);
    put(bill, (CmkCostItem){.meter = "managed_hsm",
                            .managed_hsm = id.i,
                            .quantity = (int64_t)(region_us / (uint64_t)CMK_HOUR_US),
                            .unit = "HSM-hour",
                            .nanos = round_to_nanos(region_us * nanos, (uint64_t)CMK_HOUR_US)});
}

/* ---- the bill -------------------------------------------------------------------------------- */

static void put_all(Bill *bill)
{
    const uint32_t backup_vaults = cmk_world_count(bill->world, CMK_TABLE_BACKUP_VAULT);
    for (uint32_t i = 1; i <= backup_vaults; i++) {
        put_backup_vault(bill, (CmkBackupVaultId){i});
    }
    const CmkTime start = cmk_settings(bill->world, (CmkNameId){1})->start;
    const uint32_t key_vaults = cmk_world_count(bill->world, CMK_TABLE_KEY_VAULT);
    for (uint32_t i = 1; i <= key_vaults; i++) {
        bill->from = start;
        bill->to = cmk_world_now(bill->world);
        put_key_vault(bill, (CmkKeyVaultId){i});
    }
    for (uint32_t i = 1; i <= cmk_world_count(bill->world, CMK_TABLE_MANAGED_HSM); i++) {
        bill->from = start;
        bill->to = cmk_world_now(bill->world);
        put_managed_hsm(bill, (CmkManagedHsmId){i});
    }
}

uint32_t cmk_cost_items_max(const CmkWorld *world)
{
    const uint32_t accounts = cmk_world_count(world, CMK_TABLE_BACKUP_VAULT) +
                              cmk_world_count(world, CMK_TABLE_STATEMENT);
    return accounts * ITEMS_OF_ACCOUNT +
           cmk_world_count(world, CMK_TABLE_KEY_VAULT) * ITEMS_OF_KEY_VAULT +
           cmk_world_count(world, CMK_TABLE_MANAGED_HSM);
}

uint32_t cmk_cost_items(const CmkWorld *world, const CmkPriceBook *book, CmkCostItem *ret_items,
                        uint32_t max)
{
    Bill bill = {.world = world, .book = book, .items = ret_items, .max = max};
    put_all(&bill);
    return bill.count;
}

CmkCost cmk_cost(const CmkWorld *world, const CmkPriceBook *book)
{
    Bill bill = {.world = world, .book = book};
    put_all(&bill);
    return bill.sums;
}
