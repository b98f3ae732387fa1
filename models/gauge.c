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

void cmk_gauge_note(CmkSim *sim, CmkBackupVaultId vault, CmkGaugeKind from, CmkGaugeKind to)
{
    set_integral(cmk_gauge_mut(sim, row_of(vault, to)),
                 cmk_gauge_integral(sim->world, vault, from));
}

int64_t cmk_gauge_level(const CmkWorld *world, CmkBackupVaultId vault, CmkGaugeKind kind)
{
    return cmk_gauge(world, row_of(vault, kind))->level;
}

CmkIntegral cmk_gauge_integral(const CmkWorld *world, CmkBackupVaultId vault, CmkGaugeKind kind)
{
    return integral_until_now(world, cmk_gauge(world, row_of(vault, kind)));
}
