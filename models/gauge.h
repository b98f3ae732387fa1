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

/* From the last statement, or else the scenario's start, to now. */
CmkIntegral cmk_gauge_integral(const CmkWorld *world, CmkBackupVaultId vault, CmkGaugeKind kind);

/* When the account that is open now began: with the last statement, or the scenario. */
CmkTime cmk_gauge_account_start(const CmkWorld *world, CmkBackupVaultId vault);

/* Of a statement. */
CmkIntegral cmk_statement_integral(const CmkStatement *statement, CmkGaugeKind kind);

/* All statements of the vault and what came after them: from the scenario's start to now. */
CmkIntegral cmk_gauge_total(const CmkWorld *world, CmkBackupVaultId vault, CmkGaugeKind kind);

#endif
