/*
 * Reading gauges: levels and their exact integrals over time.
 */
#ifndef CMK_MODELS_GAUGE_H
#define CMK_MODELS_GAUGE_H

#include "models/entities.h"

/* Level x microseconds: 2^50 bytes over a century needs 102 bits. */
__extension__ typedef unsigned __int128 CmkIntegral;

/* Bytes or instances, now. */
int64_t cmk_gauge_level(const CmkWorld *world, CmkBackupVaultId vault, CmkGaugeKind kind);

/* From the scenario's start to now. */
CmkIntegral cmk_gauge_integral(const CmkWorld *world, CmkBackupVaultId vault, CmkGaugeKind kind);

#endif
