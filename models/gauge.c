/* Levels and their exact integrals over time, from which cost is computed. */
#include "models/gauge.h"

#include "models/mutate.h"

static CmkBackupVaultId row_of(CmkBackupVaultId vault, CmkGaugeKind kind)
{
    return (CmkBackupVaultId){(vault.i - 1) * CMK_GAUGE__COUNT + kind + 1};
}

static CmkIntegral integral_of(const CmkGauge *gauge)
{
    return (CmkIntegral)gauge->integral_high << 64 | gauge->integral_low;
}

static void set_integral(CmkGauge *gauge, CmkIntegral integral)
{
    gauge->integral_low = (uint64_t)integral;
    gauge->integral_high = (uint64_t)(integral >> 64);
}

/* The integral up to now. What lay there while the world was being set up is not counted. */
static CmkIntegral integral_until_now(const CmkWorld *world, const CmkGauge *gauge)
{
    const CmkTime start = cmk_settings(world, (CmkNameId){1})->start;
    const CmkTime since = gauge->since > start ? gauge->since : start;
    const CmkTime now = cmk_world_now(world);
    return integral_of(gauge) +
           (now > since ? (CmkIntegral)(uint64_t)gauge->level * (uint64_t)(now - since) : 0);
}

void cmk_gauge_add(CmkSim *sim, CmkBackupVaultId vault, CmkGaugeKind kind, int64_t delta)
{
    CmkGauge *gauge = cmk_gauge_mut(sim, row_of(vault, kind));
    set_integral(gauge, integral_until_now(sim->world, gauge));
    gauge->since = cmk_world_now(sim->world);
    gauge->level += delta;
    CMK_ASSERT(gauge->level >= 0);
}

void cmk_gauge_charge(CmkSim *sim, CmkBackupVaultId vault, CmkGaugeKind kind, int64_t level,
                      int64_t duration_us)
{
    CMK_ASSERT(level >= 0 && duration_us >= 0);
    CmkGauge *gauge = cmk_gauge_mut(sim, row_of(vault, kind));
    set_integral(gauge, integral_of(gauge) + (CmkIntegral)(uint64_t)level * (uint64_t)duration_us);
}

CmkTime cmk_gauge_account_start(const CmkWorld *world, CmkBackupVaultId vault)
{
    const uint32_t row = cmk_backup_vault(world, vault)->last_statement;
    return row != 0 ? cmk_statement(world, (CmkStatementId){row})->to
                    : cmk_settings(world, (CmkNameId){1})->start;
}

void cmk_gauge_close_account(CmkSim *sim, CmkBackupVaultId id)
{
    if (!cmk_is_open(sim->world)) {
        return; /* nothing is measured while the world is set up */
    }
    CmkBackupVault *vault = cmk_backup_vault_mut(sim, id);
    const CmkStatementId statement_id = {cmk_world_row_add(sim->world, CMK_TABLE_STATEMENT)};
    CmkStatement *statement = cmk_statement_mut(sim, statement_id);
    statement->region = vault->region;
    statement->redundancy = vault->redundancy;
    statement->has_cross_region_restore = vault->has_cross_region_restore;
    statement->from = cmk_gauge_account_start(sim->world, id);
    statement->to = cmk_world_now(sim->world);
    statement->next_of_vault = vault->last_statement;
    vault->last_statement = statement_id.i;
    for (uint32_t kind = 0; kind < CMK_GAUGE__COUNT; kind++) {
        CmkGauge *gauge = cmk_gauge_mut(sim, row_of(id, (CmkGaugeKind)kind));
        set_integral(gauge, integral_until_now(sim->world, gauge));
        statement->integrals[kind][0] = gauge->integral_low;
        statement->integrals[kind][1] = gauge->integral_high;
        set_integral(gauge, 0);
        gauge->since = cmk_world_now(sim->world);
    }
}

CmkIntegral cmk_statement_integral(const CmkStatement *statement, CmkGaugeKind kind)
{
    return (CmkIntegral)statement->integrals[kind][1] << 64 | statement->integrals[kind][0];
}

CmkIntegral cmk_gauge_total(const CmkWorld *world, CmkBackupVaultId vault, CmkGaugeKind kind)
{
    CmkIntegral total = cmk_gauge_integral(world, vault, kind);
    uint32_t row = cmk_backup_vault(world, vault)->last_statement;
    while (row != 0) {
        const CmkStatement *statement = cmk_statement(world, (CmkStatementId){row});
        total += cmk_statement_integral(statement, kind);
        row = statement->next_of_vault;
    }
    return total;
}

int64_t cmk_gauge_level(const CmkWorld *world, CmkBackupVaultId vault, CmkGaugeKind kind)
{
    return cmk_gauge(world, row_of(vault, kind))->level;
}

CmkIntegral cmk_gauge_integral(const CmkWorld *world, CmkBackupVaultId vault, CmkGaugeKind kind)
{
    return integral_until_now(world, cmk_gauge(world, row_of(vault, kind)));
}
