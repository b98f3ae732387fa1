/*
 * The rows of operations, guards and event handlers, each defined beside the functions it names.
 */
#ifndef CMK_MODELS_ROWS_H
#define CMK_MODELS_ROWS_H

#include "models/ids.h"

#define X(id, name) extern const CmkOperation cmk_op_##name;
CMK_OPERATIONS(X)
#undef X

#define X(id, name) extern const CmkGuard cmk_guard_##name;
CMK_GUARDS(X)
#undef X

#define X(id, name, class_of_ties) void cmk_on_##name(CmkSim *sim, const CmkTimer *timer);
CMK_EVENTS(X)
#undef X

/* Epochs of the rows that timers are about. */
uint32_t cmk_region_epoch(const CmkWorld *world, uint32_t row);
uint32_t cmk_assignment_epoch(const CmkWorld *world, uint32_t row);
uint32_t cmk_membership_epoch(const CmkWorld *world, uint32_t row);
uint32_t cmk_key_epoch(const CmkWorld *world, uint32_t row);
uint32_t cmk_healing_epoch(const CmkWorld *world, uint32_t row);
uint32_t cmk_backup_vault_epoch(const CmkWorld *world, uint32_t row);
uint32_t cmk_deleted_vault_epoch(const CmkWorld *world, uint32_t row);
uint32_t cmk_poll_epoch(const CmkWorld *world, uint32_t row);
uint32_t cmk_key_vault_epoch(const CmkWorld *world, uint32_t row);
uint32_t cmk_managed_hsm_epoch(const CmkWorld *world, uint32_t row);
uint32_t cmk_key_rotation_epoch(const CmkWorld *world, uint32_t row);
uint32_t cmk_instance_epoch(const CmkWorld *world, uint32_t row);
uint32_t cmk_schedule_epoch(const CmkWorld *world, uint32_t row);

#endif
