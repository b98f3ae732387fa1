/*
 * The names of everything that has a row in a table of the model. A row stands beside the functions
 * it names, as a constant called like its ID: CMK_OP_KEY_GET is `cmk_op_key_get` in
 * models/request.c. A missing row does not link; a missing knob, status or task kind does not
 * compile.
 */
#ifndef CMK_MODELS_IDS_H
#define CMK_MODELS_IDS_H

#include "sim/tables.h"

/* clang-format off: tables, one row a line */

/* Operations: what can happen. */
#define CMK_OPERATIONS(X)                                                                          \
    X(SIMULATION_OPEN, simulation_open)                                                            \
    X(KEY_VAULT_CREATE, key_vault_create)                                                          \
    X(KEY_VAULT_SET_PERMISSION_MODEL, key_vault_set_permission_model)                              \
    X(KEY_VAULT_REDEPLOY_TEMPLATE, key_vault_redeploy_template)                                    \
    X(KEY_VAULT_THROTTLE, key_vault_throttle)                                                      \
    X(KEY_VAULT_UNTHROTTLE, key_vault_unthrottle)                                                  \
    X(KEY_VAULT_SET_SOFT_DELETE, key_vault_set_soft_delete)                                        \
    X(KEY_VAULT_SET_PURGE_PROTECTION, key_vault_set_purge_protection)                              \
    X(KEY_VAULT_DELETE, key_vault_delete)                                                          \
    X(KEY_VAULT_RECOVER, key_vault_recover)                                                        \
    X(KEY_VAULT_PURGE, key_vault_purge)                                                            \
    X(KEY_VAULT_SET_NETWORK, key_vault_set_network)                                                \
    X(KEY_VAULT_ADD_NETWORK_RULE, key_vault_add_network_rule)                                      \
    X(KEY_VAULT_REMOVE_NETWORK_RULE, key_vault_remove_network_rule)                                \
    X(KEY_VAULT_ADD_PERIMETER_RULE, key_vault_add_perimeter_rule)                                  \
    X(KEY_VAULT_REMOVE_PERIMETER_RULE, key_vault_remove_perimeter_rule)                            \
    X(KEY_VAULT_CONNECT_PRIVATE_ENDPOINT, key_vault_connect_private_endpoint)                      \
    X(KEY_VAULT_APPROVE_PRIVATE_ENDPOINT, key_vault_approve_private_endpoint)                      \
    X(KEY_VAULT_REJECT_PRIVATE_ENDPOINT, key_vault_reject_private_endpoint)                        \
    X(KEY_VAULT_DISCONNECT_PRIVATE_ENDPOINT, key_vault_disconnect_private_endpoint)                \
    X(MANAGED_HSM_CREATE, managed_hsm_create)                                                      \
    X(MANAGED_HSM_ACTIVATE, managed_hsm_activate)                                                  \
    X(MANAGED_HSM_SET_PURGE_PROTECTION, managed_hsm_set_purge_protection)                          \
    X(MANAGED_HSM_EXTEND, managed_hsm_extend)                                                      \
    X(MANAGED_HSM_RETRACT, managed_hsm_retract)                                                    \
    X(MANAGED_HSM_DELETE, managed_hsm_delete)                                                      \
    X(MANAGED_HSM_RECOVER, managed_hsm_recover)                                                    \
    X(MANAGED_HSM_PURGE, managed_hsm_purge)                                                        \
    X(MANAGED_HSM_LOSE_DOMAIN_KEYS, managed_hsm_lose_domain_keys)                                  \
    X(MANAGED_HSM_BACKUP, managed_hsm_backup)                                                      \
    X(MANAGED_HSM_RESTORE, managed_hsm_restore)                                                    \
    X(MANAGED_HSM_SET_NETWORK, managed_hsm_set_network)                                            \
    X(MANAGED_HSM_ADD_NETWORK_RULE, managed_hsm_add_network_rule)                                  \
    X(MANAGED_HSM_REMOVE_NETWORK_RULE, managed_hsm_remove_network_rule)                            \
    X(MANAGED_HSM_CONNECT_PRIVATE_ENDPOINT, managed_hsm_connect_private_endpoint)                  \
    X(MANAGED_HSM_APPROVE_PRIVATE_ENDPOINT, managed_hsm_approve_private_endpoint)                  \
    X(MANAGED_HSM_REJECT_PRIVATE_ENDPOINT, managed_hsm_reject_private_endpoint)                    \
    X(MANAGED_HSM_DISCONNECT_PRIVATE_ENDPOINT, managed_hsm_disconnect_private_endpoint)            \
    X(KEY_CREATE, key_create)                                                                      \
    X(KEY_IMPORT, key_import)                                                                      \
    X(KEY_ROTATE, key_rotate)                                                                      \
    X(KEY_UPDATE, key_update)                                                                      \
    X(KEY_DELETE, key_delete)                                                                      \
    X(KEY_RECOVER, key_recover)                                                                    \
    X(KEY_PURGE, key_purge)                                                                        \
    X(KEY_SETTLE, key_settle)                                                                      \
    X(KEY_BACKUP, key_backup)                                                                      \
    X(KEY_RESTORE, key_restore)                                                                    \
    X(KEY_SET_ROTATION_POLICY, key_set_rotation_policy)                                            \
    X(KEY_ROTATE_IF_DUE, key_rotate_if_due)                                                        \
    X(KEY_NOTIFY_NEAR_EXPIRY, key_notify_near_expiry)                                              \
    X(KEY_GET, key_get)                                                                            \
    X(KEY_WRAP, key_wrap)                                                                          \
    X(KEY_UNWRAP, key_unwrap)                                                                      \
    X(KEY_LIST, key_list)                                                                          \
    X(KEY_LIST_DELETED, key_list_deleted)                                                          \
    X(KEY_GET_DELETED, key_get_deleted)                                                            \
    X(KEY_SHOW, key_show)                                                                          \
    X(KEY_WRAP_DATA, key_wrap_data)                                                                \
    X(KEY_UNWRAP_DATA, key_unwrap_data)                                                            \
    X(KEY_RELEASE, key_release)                                                                    \
    X(KEY_ENCRYPT, key_encrypt)                                                                    \
    X(KEY_DECRYPT, key_decrypt)                                                                    \
    X(KEY_SIGN, key_sign)                                                                          \
    X(KEY_VERIFY, key_verify)                                                                      \
    X(BACKUP_ACCEPT_KEY, backup_accept_key)                                                        \
    X(SECRET_SET, secret_set)                                                                      \
    X(SECRET_UPDATE, secret_update)                                                                \
    X(SECRET_DELETE, secret_delete)                                                                \
    X(SECRET_RECOVER, secret_recover)                                                              \
    X(SECRET_GET, secret_get)                                                                      \
    X(ROLE_ASSIGN, role_assign)                                                                    \
    X(ROLE_REMOVE, role_remove)                                                                    \
    X(ROLE_REMOVE_ORPHANED, role_remove_orphaned)                                                  \
    X(ROLE_PROPAGATE, role_propagate)                                                              \
    X(ACCESS_POLICY_SET, access_policy_set)                                                        \
    X(ACCESS_POLICY_REMOVE, access_policy_remove)                                                  \
    X(ACCESS_POLICY_REMOVE_ORPHANED, access_policy_remove_orphaned)                                \
    X(GROUP_ADD_MEMBER, group_add_member)                                                          \
    X(GROUP_REMOVE_MEMBER, group_remove_member)                                                    \
    X(MEMBERSHIP_ACT, membership_act)                                                              \
    X(SUBSCRIPTION_MOVE_TENANT, subscription_move_tenant)                                          \
    X(IDENTITY_CREATE, identity_create)                                                            \
    X(IDENTITY_DELETE, identity_delete)                                                            \
    X(IDENTITY_ATTACH, identity_attach)                                                            \
    X(IDENTITY_DETACH, identity_detach)                                                            \
    X(SYSTEM_IDENTITY_ENABLE, system_identity_enable)                                              \
    X(SYSTEM_IDENTITY_DISABLE, system_identity_disable)                                            \
    X(REGION_LOSE, region_lose)                                                                    \
    X(REGION_BEGIN_FAILOVER, region_begin_failover)                                                \
    X(REGION_COMPLETE_FAILOVER, region_complete_failover)                                          \
    X(REGION_RETURN, region_return)                                                                \
    X(REGION_COMPLETE_FAILBACK, region_complete_failback)                                          \
    X(REGION_LOSE_ZONE, region_lose_zone)                                                          \
    X(REGION_RETURN_ZONE, region_return_zone)                                                      \
    X(SERVICE_FAIL, service_fail)                                                                  \
    X(SERVICE_RECOVER, service_recover)                                                            \
    X(BACKUP_VAULT_CREATE, backup_vault_create)                                                    \
    X(BACKUP_VAULT_ENABLE_CROSS_REGION_RESTORE, backup_vault_enable_cross_region_restore)          \
    X(BACKUP_VAULT_DELETE, backup_vault_delete)                                                    \
    X(BACKUP_VAULT_VANISH, backup_vault_vanish)                                                    \
    X(BACKUP_VAULT_LIST_DELETED, backup_vault_list_deleted)                                        \
    X(BACKUP_VAULT_GET_DELETED, backup_vault_get_deleted)                                          \
    X(BACKUP_VAULT_PURGE_DELETED, backup_vault_purge_deleted)                                      \
    X(BACKUP_VAULT_MOVE, backup_vault_move)                                                        \
    X(BACKUP_VAULT_ARRIVE, backup_vault_arrive)                                                    \
    X(BACKUP_VAULT_SET_REDUNDANCY, backup_vault_set_redundancy)                                    \
    X(BACKUP_VAULT_UPDATE_ENCRYPTION, backup_vault_update_encryption)                              \
    X(BACKUP_VAULT_ADD_PRIVATE_ENDPOINT, backup_vault_add_private_endpoint)                        \
    X(BACKUP_VAULT_REMOVE_PRIVATE_ENDPOINT, backup_vault_remove_private_endpoint)                  \
    X(ENCRYPTION_VALIDATE, encryption_validate)                                                    \
    X(ENCRYPTION_COMMIT, encryption_commit)                                                        \
    X(ENCRYPTION_RESTORE, encryption_restore)                                                      \
    X(ROTATION_START, rotation_start)                                                              \
    X(ROTATION_COMMIT, rotation_commit)                                                            \
    X(BACKUP_POLICY_CREATE, backup_policy_create)                                                  \
    X(BACKUP_POLICY_DELETE, backup_policy_delete)                                                  \
    X(INSTANCE_PROTECT, instance_protect)                                                          \
    X(INSTANCE_CONFIGURE, instance_configure)                                                      \
    X(INSTANCE_FAIL_CONFIGURATION, instance_fail_configuration)                                    \
    X(INSTANCE_SETTLE, instance_settle)                                                            \
    X(INSTANCE_SUSPEND_BACKUPS, instance_suspend_backups)                                          \
    X(INSTANCE_STOP_PROTECTION, instance_stop_protection)                                          \
    X(INSTANCE_RESUME_PROTECTION, instance_resume_protection)                                      \
    X(INSTANCE_CHANGE_POLICY, instance_change_policy)                                              \
    X(INSTANCE_DELETE, instance_delete)                                                            \
    X(INSTANCE_UNDELETE, instance_undelete)                                                        \
    X(INSTANCE_END_CHARGE, instance_end_charge)                                                    \
    X(INSTANCE_PURGE, instance_purge)                                                              \
    X(BACKUP_VAULT_SET_SOFT_DELETE, backup_vault_set_soft_delete)                                  \
    X(BACKUP_VAULT_SET_IMMUTABILITY, backup_vault_set_immutability)                                \
    X(BACKUP_VAULT_SET_CROSS_SUBSCRIPTION_RESTORE, backup_vault_set_cross_subscription_restore)    \
    X(BACKUP_VAULT_SET_RESOURCE_GUARD, backup_vault_set_resource_guard)                            \
    X(BACKUP_VAULT_REMOVE_RESOURCE_GUARD, backup_vault_remove_resource_guard)                      \
    X(BACKUP_START, backup_start)                                                                  \
    X(BACKUP_RUN, backup_run)                                                                      \
    X(BACKUP_COMMIT, backup_commit)                                                                \
    X(BACKUP_RESTORE, backup_restore)                                                              \
    X(BACKUP_RESTORE_IN_PAIR, backup_restore_in_pair)                                              \
    X(POINT_REHYDRATE, point_rehydrate)                                                            \
    X(POINT_DROP_COPY, point_drop_copy)                                                            \
    X(RESTORE_COMMIT, restore_commit)                                                              \
    X(TIERING_START, tiering_start)                                                                \
    X(POINT_TIER, point_tier)                                                                      \
    X(EXPIRY_START, expiry_start)                                                                  \
    X(POINT_EXPIRE, point_expire)                                                                  \
    X(POINT_PURGE, point_purge)                                                                    \
    X(POINT_OVERDUE, point_overdue)                                                                \
    X(TASK_WAIT, task_wait)                                                                        \
    X(TASK_RETRY, task_retry)                                                                      \
    X(TASK_FAIL, task_fail)                                                                        \
    X(TASK_FINISH, task_finish)

/* Guards: what must hold before something may happen. */
#define CMK_GUARDS(X)                                                                              \
    X(NAME_IS_FREE, name_is_free)                                                                  \
    X(RETENTION_IS_IN_RANGE, retention_is_in_range)                                                \
    X(PURGE_PROTECTION_COMES_WITH_SOFT_DELETE, purge_protection_comes_with_soft_delete)            \
    X(NEW_KEY_VAULT_HAS_SOFT_DELETE, new_key_vault_has_soft_delete)                                \
    X(KEY_VAULT_EXISTS, key_vault_exists)                                                          \
    X(KEY_VAULT_LETS_PURGE, key_vault_lets_purge)                                                  \
    X(KEY_VAULT_IS_REACHABLE, key_vault_is_reachable)                                              \
    X(KEY_VAULT_IS_WRITABLE, key_vault_is_writable)                                                \
    X(KEY_VAULT_IS_NOT_THROTTLED, key_vault_is_not_throttled)                                      \
    X(KEY_VAULT_IS_DELETED, key_vault_is_deleted)                                                  \
    X(KEY_VAULT_PURGE_IS_ALLOWED, key_vault_purge_is_allowed)                                      \
    X(SOFT_DELETE_STAYS_ON, soft_delete_stays_on)                                                  \
    X(RETENTION_STAYS, retention_stays)                                                            \
    X(KEY_VAULT_HAS_SOFT_DELETE, key_vault_has_soft_delete)                                        \
    X(PURGE_PROTECTION_STAYS_ON, purge_protection_stays_on)                                        \
    X(MANAGED_HSM_EXISTS, managed_hsm_exists)                                                      \
    X(MANAGED_HSM_LETS_PURGE, managed_hsm_lets_purge)                                              \
    X(MANAGED_HSM_IS_REACHABLE, managed_hsm_is_reachable)                                          \
    X(MANAGED_HSM_IS_ACTIVATED, managed_hsm_is_activated)                                          \
    X(MANAGED_HSM_HAS_CAPACITY, managed_hsm_has_capacity)                                          \
    X(LOCAL_ROLE_LETS_GET, local_role_lets_get)                                                    \
    X(LOCAL_ROLE_LETS_WRAP, local_role_lets_wrap)                                                  \
    X(LOCAL_ROLE_LETS_UNWRAP, local_role_lets_unwrap)                                              \
    X(LOCAL_ROLE_LETS_ACTOR, local_role_lets_actor)                                                \
    X(HSM_OFFERS_KEY_TYPE, hsm_offers_key_type)                                                    \
    X(HSM_HAS_ROOM_FOR_KEY, hsm_has_room_for_key)                                                  \
    X(HSM_HAS_ROOM_FOR_VERSION, hsm_has_room_for_version)                                          \
    X(HSM_KEY_HAS_POLICY, hsm_key_has_policy)                                                      \
    X(HSM_POLICY_IS_POSSIBLE, hsm_policy_is_possible)                                              \
    X(MANAGED_HSM_NAME_IS_FREE, managed_hsm_name_is_free)                                          \
    X(REGION_HAS_ROOM_FOR_HSM, region_has_room_for_hsm)                                            \
    X(MANAGED_HSM_REGION_IS_UP, managed_hsm_region_is_up)                                          \
    X(MANAGED_HSM_IS_DELETED, managed_hsm_is_deleted)                                              \
    X(MANAGED_HSM_PURGE_IS_ALLOWED, managed_hsm_purge_is_allowed)                                  \
    X(MANAGED_HSM_HAS_NO_SECOND_REGION, managed_hsm_has_no_second_region)                          \
    X(MANAGED_HSM_HAS_SECOND_REGION, managed_hsm_has_second_region)                                \
    X(REGION_CAN_BE_SECOND, region_can_be_second)                                                  \
    X(MANAGED_HSM_IS_NEW, managed_hsm_is_new)                                                      \
    X(MANAGED_HSM_TAKES_BACKUP, managed_hsm_takes_backup)                                          \
    X(SECURITY_DOMAIN_IS_POSSIBLE, security_domain_is_possible)                                    \
    X(SECURITY_DOMAIN_EXISTS, security_domain_exists)                                              \
    X(HSM_BACKUP_EXISTS, hsm_backup_exists)                                                        \
    X(SECURITY_DOMAIN_HAS_QUORUM, security_domain_has_quorum)                                      \
    X(ROLE_FITS_SCOPE, role_fits_scope)                                                            \
    X(LOCAL_ASSIGNMENTS_HAVE_ROOM, local_assignments_have_room)                                    \
    X(KEY_TYPE_FITS_SKU, key_type_fits_sku)                                                        \
    X(KEY_NAME_IS_FREE, key_name_is_free)                                                          \
    X(KEY_NAME_IS_RELEASED, key_name_is_released)                                                  \
    X(KEY_OPS_FIT_TYPE, key_ops_fit_type)                                                          \
    X(VALIDITY_IS_POSSIBLE, validity_is_possible)                                                  \
    X(KEY_IS_NOT_BEING_DELETED, key_is_not_being_deleted)                                          \
    X(KEY_IS_NOT_BEING_RECOVERED, key_is_not_being_recovered)                                      \
    X(KEY_EXISTS, key_exists)                                                                      \
    X(VERSION_EXISTS, version_exists)                                                              \
    X(KEY_IS_DELETED, key_is_deleted)                                                              \
    X(PURGE_IS_ALLOWED, purge_is_allowed)                                                          \
    X(KEY_FITS_INTO_BACKUP, key_fits_into_backup)                                                  \
    X(KEY_IS_ABSENT, key_is_absent)                                                                \
    X(KEY_BACKUP_EXISTS, key_backup_exists)                                                        \
    X(KEY_BACKUP_HAS_THE_NAME, key_backup_has_the_name)                                            \
    X(KEY_BACKUP_IS_FROM_HERE, key_backup_is_from_here)                                            \
    X(ROTATION_POLICY_IS_POSSIBLE, rotation_policy_is_possible)                                    \
    X(SYSTEM_IDENTITY_IS_ON, system_identity_is_on)                                                \
    X(USER_IDENTITY_IS_ATTACHED, user_identity_is_attached)                                        \
    X(CALLER_IS_KNOWN, caller_is_known)                                                            \
    X(ROLE_LETS_GET, role_lets_get)                                                                \
    X(POLICY_LETS_GET, policy_lets_get)                                                            \
    X(ROLE_LETS_WRAP, role_lets_wrap)                                                              \
    X(POLICY_LETS_WRAP, policy_lets_wrap)                                                          \
    X(ROLE_LETS_UNWRAP, role_lets_unwrap)                                                          \
    X(POLICY_LETS_UNWRAP, policy_lets_unwrap)                                                      \
    X(OLD_VERSION_IS_ENABLED, old_version_is_enabled)                                              \
    X(VERSION_IS_ENABLED, version_is_enabled)                                                      \
    X(VERSION_IS_ENABLED_FOR_PUBLIC_OPS, version_is_enabled_for_public_ops)                        \
    X(VERSION_HAS_NOT_EXPIRED, version_has_not_expired)                                            \
    X(VERSION_IS_YET_VALID, version_is_yet_valid)                                                  \
    X(BACKUP_FINDS_IT_NOT_EXPIRED, backup_finds_it_not_expired)                                    \
    X(KEY_TYPE_CAN_DO_THIS, key_type_can_do_this)                                                  \
    X(KEY_OPS_INCLUDE_THIS, key_ops_include_this)                                                  \
    X(KEY_VAULT_USES_POLICIES, key_vault_uses_policies)                                            \
    X(PRINCIPAL_EXISTS, principal_exists)                                                          \
    X(PRINCIPAL_IS_OF_THE_TENANT, principal_is_of_the_tenant)                                      \
    X(ASSIGNMENT_IS_NEW, assignment_is_new)                                                        \
    X(ASSIGNMENT_EXISTS, assignment_exists)                                                        \
    X(ORPHANED_ASSIGNMENT_EXISTS, orphaned_assignment_exists)                                      \
    X(ACCESS_POLICY_EXISTS, access_policy_exists)                                                  \
    X(ORPHANED_ACCESS_POLICY_EXISTS, orphaned_access_policy_exists)                                \
    X(IDENTITY_EXISTS, identity_exists)                                                            \
    X(IDENTITY_IS_ABSENT, identity_is_absent)                                                      \
    X(IDENTITY_IS_ATTACHED, identity_is_attached)                                                  \
    X(IDENTITY_IS_NOT_ATTACHED, identity_is_not_attached)                                          \
    X(SYSTEM_IDENTITY_IS_OFF, system_identity_is_off)                                              \
    X(SYSTEM_IDENTITY_TO_DISABLE_IS_ON, system_identity_to_disable_is_on)                          \
    X(REGION_IS_UP, region_is_up)                                                                  \
    X(REGION_IS_DOWN, region_is_down)                                                              \
    X(REGION_HAS_ZONES, region_has_zones)                                                          \
    X(ZONES_ARE_ALL_THERE, zones_are_all_there)                                                    \
    X(ZONE_IS_LOST, zone_is_lost)                                                                  \
    X(BACKUP_VAULT_IS_REACHABLE, backup_vault_is_reachable)                                        \
    X(BACKUP_SERVICE_WORKS, backup_service_works)                                                  \
    X(CROSS_REGION_RESTORE_IS_OFFERED, cross_region_restore_is_offered)                            \
    X(CROSS_REGION_RESTORE_IS_ON, cross_region_restore_is_on)                                      \
    X(CROSS_REGION_RESTORE_IS_KEPT, cross_region_restore_is_kept)                                  \
    X(POINT_IS_READABLE_IN_PAIR, point_is_readable_in_pair)                                        \
    X(BACKUP_VAULT_IS_ABSENT, backup_vault_is_absent)                                              \
    X(BACKUP_VAULT_EXISTS, backup_vault_exists)                                                    \
    X(BACKUP_VAULT_IS_NOT_MOVING, backup_vault_is_not_moving)                                      \
    X(BACKUP_VAULT_IS_NOT_BEING_DELETED, backup_vault_is_not_being_deleted)                        \
    X(BACKUP_VAULT_IS_MOVING, backup_vault_is_moving)                                              \
    X(BACKUP_VAULT_IS_EMPTY, backup_vault_is_empty)                                                \
    X(POLICIES_ARE_DELETED, policies_are_deleted)                                                  \
    X(DELETED_VAULT_IS_LISTED, deleted_vault_is_listed)                                            \
    X(NOTHING_IS_PROTECTED, nothing_is_protected)                                                  \
    X(RESOURCE_GROUP_IS_ANOTHER, resource_group_is_another)                                        \
    X(BACKUP_VAULT_HAS_PLATFORM_KEYS, backup_vault_has_platform_keys)                              \
    X(IDENTITIES_ARE_OF_THE_TENANT, identities_are_of_the_tenant)                                  \
    X(INFRASTRUCTURE_HAS_A_KEY, infrastructure_has_a_key)                                          \
    X(CREATION_IDENTITY_IS_USER_ASSIGNED, creation_identity_is_user_assigned)                      \
    X(CREATION_IDENTITY_EXISTS, creation_identity_exists)                                          \
    X(ENCRYPTION_IS_NOT_TURNED_OFF, encryption_is_not_turned_off)                                  \
    X(INCONSISTENT_IS_NOT_ASKED_FOR, inconsistent_is_not_asked_for)                                \
    X(INFRASTRUCTURE_STAYS, infrastructure_stays)                                                  \
    X(KEY_OR_IDENTITY_CHANGES_ALONE, key_or_identity_changes_alone)                                \
    X(TARGET_SYSTEM_IDENTITY_IS_ON, target_system_identity_is_on)                                  \
    X(TARGET_USER_IDENTITY_IS_ATTACHED, target_user_identity_is_attached)                          \
    X(SETTINGS_HAVE_A_KEY, settings_have_a_key)                                                    \
    X(REGIONS_MATCH, regions_match)                                                                \
    X(KEY_IS_RSA, key_is_rsa)                                                                      \
    X(SOFT_DELETE_IS_ON, soft_delete_is_on)                                                        \
    X(PURGE_PROTECTION_IS_ON, purge_protection_is_on)                                              \
    X(TARGET_VERSION_IS_USABLE, target_version_is_usable)                                          \
    X(DATA_KEYS_ARE_REWRAPPED_WHOLLY, data_keys_are_rewrapped_wholly)                              \
    X(TARGET_IDENTITY_IS_THERE, target_identity_is_there)                                          \
    X(ENCRYPTION_CAN_BE_RESTORED, encryption_can_be_restored)                                      \
    X(NEWER_VERSION_IS_USABLE, newer_version_is_usable)                                            \
    X(TAKE_UP_IS_STILL_DUE, take_up_is_still_due)                                                  \
    X(INSTANCE_IS_ABSENT, instance_is_absent)                                                      \
    X(POLICY_IS_ABSENT, policy_is_absent)                                                          \
    X(POLICY_EXISTS, policy_exists)                                                                \
    X(VAULT_OF_POLICY_EXISTS, vault_of_policy_exists)                                              \
    X(POLICY_IS_IN_VAULT, policy_is_in_vault)                                                      \
    X(POLICY_IS_NOT_IN_USE, policy_is_not_in_use)                                                  \
    X(DATASOURCE_FITS_POLICY, datasource_fits_policy)                                              \
    X(INSTANCE_IS_PROTECTED, instance_is_protected)                                                \
    X(INSTANCE_IS_ACTIVE, instance_is_active)                                                      \
    X(INSTANCE_IS_HALTED, instance_is_halted)                                                      \
    X(INSTANCE_IS_KEPT, instance_is_kept)                                                          \
    X(INSTANCE_IS_SOFT_DELETED, instance_is_soft_deleted)                                          \
    X(POLICY_HAS_THE_SAME_STORES, policy_has_the_same_stores)                                      \
    X(SOFT_DELETE_IS_NOT_FINAL, soft_delete_is_not_final)                                          \
    X(SOFT_DELETE_IS_IN_RANGE, soft_delete_is_in_range)                                            \
    X(NO_BACKUP_IS_UNDER_WAY, no_backup_is_under_way)                                              \
    X(STORE_KEEPS_SINGLE_POINTS, store_keeps_single_points)                                        \
    X(POLICY_HAS_THE_RETENTION_RULE, policy_has_the_retention_rule)                                \
    X(MOMENT_IS_COVERED, moment_is_covered)                                                        \
    X(POINT_EXISTS, point_exists)                                                                  \
    X(POINT_IS_NOT_ABANDONED, point_is_not_abandoned)                                              \
    X(TASK_IS_RUNNING, task_is_running)                                                            \
    X(KEY_SIZE_IS_OFFERED, key_size_is_offered)                                                    \
    X(BACKUP_FINDS_IT_YET_VALID, backup_finds_it_yet_valid)                                        \
    X(SETTINGS_ARE_NOT_BEING_UPDATED, settings_are_not_being_updated)                              \
    X(ROLE_LETS_ACTOR, role_lets_actor)                                                            \
    X(POLICY_LETS_ACTOR, policy_lets_actor)                                                        \
    X(ACTOR_MAY_MANAGE, actor_may_manage)                                                          \
    X(ACTOR_MAY_ASSIGN_ROLES, actor_may_assign_roles)                                              \
    X(ACTOR_MAY_ASSIGN_IDENTITY, actor_may_assign_identity)                                        \
    X(ACTOR_MAY_WRITE_THERE, actor_may_write_there)                                                \
    X(SCOPE_EXISTS, scope_exists)                                                                  \
    X(PRINCIPAL_IS_IN_DIRECTORY, principal_is_in_directory)                                        \
    X(ASSIGNMENTS_HAVE_ROOM, assignments_have_room)                                                \
    X(ACCESS_POLICIES_HAVE_ROOM, access_policies_have_room)                                        \
    X(MEMBER_IS_NEW, member_is_new)                                                                \
    X(MEMBER_IS_IN_GROUP, member_is_in_group)                                                      \
    X(SECRET_IS_NOT_DELETED, secret_is_not_deleted)                                                \
    X(SECRET_EXISTS, secret_exists)                                                                \
    X(SECRET_IS_DELETED, secret_is_deleted)                                                        \
    X(SECRET_IS_ENABLED, secret_is_enabled)                                                        \
    X(ROLE_LETS_READ_SECRET, role_lets_read_secret)                                                \
    X(POLICY_LETS_READ_SECRET, policy_lets_read_secret)                                            \
    X(SECRET_FITS_DATASOURCE, secret_fits_datasource)                                              \
    X(IMMUTABILITY_IS_NOT_LOCKED, immutability_is_not_locked)                                      \
    X(NO_POINT_IS_IMMUTABLE, no_point_is_immutable)                                                \
    X(RETENTION_IS_NOT_REDUCED, retention_is_not_reduced)                                          \
    X(CROSS_SUBSCRIPTION_RESTORE_IS_ON, cross_subscription_restore_is_on)                          \
    X(CROSS_SUBSCRIPTION_RESTORE_IS_NOT_FINAL, cross_subscription_restore_is_not_final)            \
    X(ACTOR_MAY_READ_RESOURCE_GUARD, actor_may_read_resource_guard)                                \
    X(RESOURCE_GUARD_IS_SET, resource_guard_is_set)                                                \
    X(RESOURCE_GUARD_IS_NOT_SET, resource_guard_is_not_set)                                        \
    X(RESOURCE_GUARD_CONSENTS, resource_guard_consents)                                            \
    X(CONNECTION_LETS_BACKUP_IN, connection_lets_backup_in)                                        \
    X(FIREWALL_LETS_BACKUP_IN, firewall_lets_backup_in)                                            \
    X(MANAGED_HSM_KNOWS_NO_PERIMETER, managed_hsm_knows_no_perimeter)                              \
    X(CONNECTION_LETS_ACTOR_IN, connection_lets_actor_in)                                          \
    X(FIREWALL_LETS_ACTOR_IN, firewall_lets_actor_in)                                              \
    X(USER_IDENTITY_MEETS_OPEN_KEY_VAULT, user_identity_meets_open_key_vault)                      \
    X(USER_IDENTITY_MEETS_NO_PRIVATE_ENDPOINT, user_identity_meets_no_private_endpoint)            \
    X(NETWORK_RULE_IS_NEW, network_rule_is_new)                                                    \
    X(NETWORK_RULE_EXISTS, network_rule_exists)                                                    \
    X(NETWORK_RANGE_IS_PUBLIC, network_range_is_public)                                            \
    X(NETWORK_RULES_HAVE_ROOM, network_rules_have_room)                                            \
    X(NETWORK_IS_A_SUBNET, network_is_a_subnet)                                                    \
    X(PRIVATE_ENDPOINT_IS_NEW, private_endpoint_is_new)                                            \
    X(PRIVATE_ENDPOINT_EXISTS, private_endpoint_exists)                                            \
    X(PRIVATE_ENDPOINTS_HAVE_ROOM, private_endpoints_have_room)                                    \
    X(SETTINGS_USE_NO_USER_IDENTITY, settings_use_no_user_identity)

/* Statuses: how an operation can end. Numbers are stable. The last column is the text for people.
 */
#define CMK_STATUSES(X)                                                                            \
    X(OK, 0, 200, "OK", NULL, "", "done")                                                          \
    X(LIMIT_REACHED, 1, 0, "SimErrorLimitReached", NULL, "", "the simulated world is full")        \
    X(UNAUTHORIZED, 10, 401, "Unauthorized", NULL, "KVE-1",                                        \
      "the caller's principal is gone or of another tenant, so no token for it is valid")          \
    X(ACCESS_DENIED, 11, 403, "Forbidden", "AccessDenied", "KVE-2",                                \
      "no access policy gives the caller this permission")                                         \
    X(FORBIDDEN_BY_RBAC, 12, 403, "Forbidden", "ForbiddenByRbac", "KVE-3",                         \
      "no role assignment gives the caller this data action")                                      \
    X(KEY_DISABLED, 13, 403, "Forbidden", "KeyDisabled", "KVE-6", "the key version is disabled")   \
    X(KEY_EXPIRED, 14, 403, "Forbidden", "KeyExpired", "KVE-7", "the key version has expired")     \
    X(KEY_NOT_YET_VALID, 15, 403, "Forbidden", "KeyNotYetValid", "KVE-7",                          \
      "the key version is not yet valid")                                                          \
    X(KEY_OPERATION_FORBIDDEN, 16, 403, "Forbidden", "KeyOperationForbidden", "KVE-8",             \
      "the key does not permit this operation")                                                    \
    X(PURGE_REFUSED, 17, 403, "Forbidden", NULL, "KVE-9",                                          \
      "purge protection keeps the deleted key until its retention ends")                           \
    X(KEY_NOT_FOUND, 18, 404, "KeyNotFound", NULL, "KVE-10",                                       \
      "the key or this version of it does not exist, or is deleted and may be recovered")          \
    X(VAULT_NOT_FOUND, 19, 404, "VaultNotFound", NULL, "SD-19",                                    \
      "the key vault does not exist or is deleted")                                                \
    X(KEY_IS_DELETED_BUT_RECOVERABLE, 20, 409, "Conflict", "ObjectIsDeletedButRecoverable",        \
      "KVE-11", "a deleted key still holds this name until it is recovered or purged")             \
    X(KEY_IS_BEING_DELETED, 120, 409, "Conflict", "ObjectIsBeingDeleted", "KVE-12",                \
      "the key is being deleted, or its name is not free again yet")                               \
    X(KEY_IS_BEING_RECOVERED, 121, 409, "Conflict", "ObjectIsBeingRecovered", "KVE-13",            \
      "the key is being recovered")                                                                \
    X(METHOD_NOT_ALLOWED, 122, 405, "MethodNotAllowed", NULL, "KVE-16",                            \
      "purge protection keeps the key vault or HSM until its retention ends")                      \
    X(THROTTLED, 21, 429, "Throttled", NULL, "KVE-14",                                             \
      "the key vault answers no more requests in this window: VaultRequestTypeLimitReached")       \
    X(BAD_PARAMETER, 22, 400, "BadParameter", NULL, "KVE-15",                                      \
      "a value in the request is not allowed, or not for a key of this type")                      \
    X(ALREADY_EXISTS, 23, 409, "VaultAlreadyExists", NULL, "KVE-17",                               \
      "a key vault has this name, or a deleted one still holds it")                                \
    X(SERVICE_UNAVAILABLE, 24, 503, "ServiceUnavailable", NULL, "KVE-18",                          \
      "the region of the key vault does not answer")                                               \
    X(KEY_VAULT_READ_ONLY, 25, 403, "SimErrorKeyVaultReadOnly", NULL, "REL-7",                     \
      "the key vault is read-only now")                                                            \
    X(NOT_FOUND, 26, 404, "ResourceNotFound", NULL, "",                                            \
      "what the operation is about does not exist")                                                \
    X(CONFLICT, 27, 409, "Conflict", NULL, "", "what the operation is about is in another state")  \
    X(WRONG_PERMISSION_MODEL, 28, 400, "SimErrorWrongPermissionModel", NULL, "AC-17",              \
      "the key vault uses the other permission model")                                             \
    X(SYSTEM_IDENTITY_OFF, 29, 0, "SimErrorSystemIdentityOff", NULL, "ERR-M1",                     \
      "the system-assigned identity is switched off")                                              \
    X(USER_IDENTITY_NOT_ATTACHED, 30, 0, "SimErrorUserIdentityNotAttached", NULL, "ERR-M2",        \
      "the user-assigned identity is not attached to the Backup vault, or is deleted")             \
    X(MISSING_PERMISSION, 50, 0, "UserErrorCMKMissingMangedIdentityPermissionOnKeyVault", NULL,    \
      "ERR-1", "the Backup vault's identity may not use the key")                                  \
    X(AUTH_FAILURE, 51, 0, "UserErrorCMKKeyVaultAuthFailure", NULL, "ERR-2",                       \
      "the key or key vault cannot be used or reached with the given settings")                    \
    X(SOFT_DELETE_NOT_ENABLED, 52, 0, "UserErrorCMKSoftDeleteNotEnabledOnKeyVault", NULL, "ERR-3", \
      "the key vault has no soft delete")                                                          \
    X(PURGE_PROTECTION_NOT_ENABLED, 53, 0, "UserErrorCMKPurgeProtectionNotEnabledOnKeyVault",      \
      NULL, "ERR-4", "the key vault has no purge protection")                                      \
    X(SYSTEM_IDENTITY_NOT_ENABLED, 54, 0, "UserErrorSystemIdentityNotEnabledWithVault", NULL,      \
      "ERR-5", "the Backup vault has no system-assigned identity")                                 \
    X(USER_IDENTITY_NOT_FOUND, 55, 0, "UserErrorUserIdentityNotFoundOrNotAssociatedWithVault",     \
      NULL, "ERR-6", "the user-assigned identity is not attached to the Backup vault")             \
    X(RETRYABLE, 56, 0, "CloudServiceRetryableError", NULL, "ERR-12",                              \
      "a passing trouble outlasted all retries")                                                   \
    X(NOT_REVERSIBLE, 57, 0, "SimErrorCMKNotReversible", NULL, "ERR-14",                           \
      "customer-managed keys cannot be switched off again")                                        \
    X(KEY_AND_IDENTITY_TOGETHER, 58, 0, "SimErrorCMKKeyAndIdentityInOneRequest", NULL, "ERR-15",   \
      "key and identity cannot change in one request")                                             \
    X(POLICY_DOES_NOT_FIT, 59, 0, "SimErrorPolicyDoesNotFitDatasource", NULL, "BK-1",              \
      "the datasource has no such store, or is not backed up by such a schedule")                  \
    X(REGION_MISMATCH, 60, 0, "SimErrorCMKRegionMismatch", NULL, "OQ-12",                          \
      "key vault and Backup vault are in different regions")                                       \
    X(ENCRYPTION_STAYS_INCONSISTENT, 61, 0, "SimErrorCMKStaysInconsistent", NULL, "BV-31",         \
      "the encryption settings cannot restore themselves yet")                                     \
    X(SYSTEM_IDENTITY_AT_CREATION, 140, 0, "SimErrorCMKSystemIdentityAtCreation", NULL, "ERR-16",  \
      "a Backup vault is created with a key and without a user-assigned identity")                 \
    X(INFRASTRUCTURE_NEEDS_KEY, 141, 0, "SimErrorInfrastructureEncryptionNeedsKey", NULL, "BV-21", \
      "infrastructure encryption is asked for without a customer-managed key")                     \
    X(BACKUP_VAULT_NOT_EMPTY, 142, 0, "SimErrorBackupVaultNotEmpty", NULL, "ERR-10",               \
      "the Backup vault still holds instances, recovery points or policies")                       \
    X(DELETION_FAILED, 143, 0, "CloudServiceRetryableError", NULL, "ERR-7",                        \
      "the Backup vault cannot be deleted while its encryption settings are broken")               \
    X(VAULT_MOVE_NOT_SUPPORTED, 144, 0, "SimErrorCMKVaultMoveNotSupported", NULL, "ERR-13",        \
      "a Backup vault with a customer-managed key cannot move")                                    \
    X(VAULT_IS_MOVING, 145, 0, "UserErrorBackupVaultResourceMoveInProgress", NULL, "BV-14 ERR-19", \
      "the Backup vault is being moved")                                                           \
    X(CROSS_TENANT_MOVE, 146, 0, "UserErrorCrossTenantMSIMoveNotSupported", NULL, "ERR-9",         \
      "an identity of the old tenant is attached to the Backup vault")                             \
    X(REDUNDANCY_LOCKED, 147, 0, "SimErrorRedundancyLocked", NULL, "BV-3",                         \
      "the redundancy of a Backup vault that protects something cannot change")                    \
    X(MISSING_PERMISSION_ON_CURRENT_KEY, 148, 0,                                                   \
      "UserErrorCMKMissingMangedIdentityPermissionOnKeyVault", NULL, "ERR-18",                     \
      "the identity may not open the current key, which this change needs")                        \
    X(AUTH_FAILURE_ON_CURRENT_KEY, 149, 0, "UserErrorCMKKeyVaultAuthFailure", NULL, "ERR-18",      \
      "the current key cannot be used or reached, which this change needs")                        \
    X(GENERIC_DATABASE_ERROR, 150, 0, "SimErrorGenericDatabaseError", NULL, "ERR-8",               \
      "the database job failed; the message does not speak of the key")                            \
    X(AUTHORIZATION_FAILED, 31, 403, "AuthorizationFailed", NULL, "AC-21",                         \
      "the caller has no role that lets it do this to the resource")                               \
    X(REGION_HAS_NO_ZONES, 180, 0, "SimErrorRegionHasNoZones", NULL, "REL-3",                      \
      "the region has no availability zones")                                                      \
    X(BACKUP_VAULT_UNREACHABLE, 181, 503, "SimErrorBackupVaultUnreachable", NULL, "OQ-34",         \
      "the region of the Backup vault does not answer")                                            \
    X(SERVICE_FAILS, 201, 0, "SimErrorBackupServiceFails", NULL, "ERR-12",                         \
      "the Backup service met an internal error")                                                  \
    X(CROSS_REGION_RESTORE_NOT_OFFERED, 182, 0, "SimErrorCrossRegionRestoreNotOffered", NULL,      \
      "BV-4", "cross-region restore is for geo-redundant vaults in paired regions")                \
    X(CROSS_REGION_RESTORE_OFF, 183, 0, "SimErrorCrossRegionRestoreOff", NULL, "BV-4",             \
      "cross-region restore is not enabled on the Backup vault")                                   \
    X(CROSS_REGION_RESTORE_IS_FINAL, 178, 0, "SimErrorCrossRegionRestoreIsFinal", NULL, "BV-4",    \
      "cross-region restore stays enabled, and only geo-redundant vaults have it")                 \
    X(POINT_ARCHIVED, 184, 0, "SimErrorArchivedPointInPair", NULL, "BK-27",                        \
      "an archived point can be restored in the pair only while its own region is lost")           \
    X(PRINCIPAL_NOT_FOUND, 100, 400, "PrincipalNotFound", NULL, "MI-18",                           \
      "this part of the directory does not know the principal yet")                                \
    X(PRINCIPAL_OF_ANOTHER_TENANT, 200, 400, "PrincipalNotFound", NULL, "MI-13",                   \
      "the principal is of another tenant, whose directory does not know it")                      \
    X(ROLE_ASSIGNMENTS_FULL, 101, 400, "RoleAssignmentLimitExceeded", NULL, "AC-20",               \
      "the subscription or management group has no room for another role assignment")              \
    X(ROLE_ASSIGNMENT_EXISTS, 176, 409, "RoleAssignmentExists", NULL, "AC-9",                      \
      "the principal has this role at exactly this scope already")                                 \
    X(ACCESS_POLICIES_FULL, 102, 400, "SimErrorTooManyAccessPolicies", NULL, "AC-5",               \
      "the key vault has no room for another access policy")                                       \
    X(POINT_NOT_FOUND, 62, 404, "SimErrorRecoveryPointNotFound", NULL, "",                         \
      "there is no such recovery point")                                                           \
    X(JOB_CANCELLED, 202, 0, "SimErrorJobCancelled", NULL, "BK-18",                                \
      "the instance was deleted while the job was under way")                                      \
    X(MOMENT_NOT_COVERED, 170, 0, "SimErrorNoRecoveryPointForMoment", NULL, "BK-3",                \
      "nothing is kept that goes back to this moment")                                             \
    X(BACKUP_IS_CONTINUOUS, 171, 0, "SimErrorBackupIsContinuous", NULL, "BK-D2",                   \
      "what is backed up all the time has no single backups")                                      \
    X(MANAGED_HSM_NOT_FOUND, 240, 404, "SimErrorManagedHsmNotFound", NULL, "HSM-10",               \
      "the Managed HSM does not exist or is deleted")                                              \
    X(MANAGED_HSM_NOT_ACTIVATED, 241, 403, "SimErrorManagedHsmNotActivated", NULL, "HSM-3",        \
      "the Managed HSM has not been activated by downloading its security domain")                 \
    X(MANAGED_HSM_UNREACHABLE, 242, 503, "ServiceUnavailable", NULL, "HSM-15",                     \
      "no region of the Managed HSM answers")                                                      \
    X(MANAGED_HSM_BUSY, 243, 503, "ServiceUnavailable", NULL, "THR-8",                             \
      "the Managed HSM has more to do than the client has patience for")                           \
    X(FORBIDDEN_BY_LOCAL_RBAC, 244, 403, "Forbidden", NULL, "HSM-7",                               \
      "no local role assignment of the Managed HSM gives the caller this data action")             \
    X(SECURITY_DOMAIN_LOST, 245, 0, "SimErrorSecurityDomainLost", NULL, "HSM-4",                   \
      "fewer people have keys to the security domain than it takes to open it")                    \
    X(MANAGED_HSM_FULL, 246, 400, "SimErrorManagedHsmLimit", NULL, "HSM-20",                       \
      "the Managed HSM, the key or the region has no room for another one")                        \
    X(MANAGED_HSM_EXISTS_ALREADY, 247, 409, "SimErrorManagedHsmAlreadyExists", NULL, "HSM-13",     \
      "a Managed HSM has this name, or a deleted one still holds it")                              \
    X(SOFT_DELETE_IS_FINAL, 160, 400, "SimErrorSoftDeleteIsAlwaysOn", NULL, "BV-6",                \
      "soft delete that is always on cannot be changed back, nor shortened")                       \
    X(SECRET_NOT_FOUND, 220, 404, "SecretNotFound", NULL, "KVE-10",                                \
      "the secret does not exist, or is deleted and may be recovered")                             \
    X(SECRET_DISABLED, 221, 403, "Forbidden", "SecretDisabled", "KV-18 KVE-6",                     \
      "the secret is disabled")                                                                    \
    X(INVALID_SECRET, 222, 0, "UserErrorInvalidSecret", NULL, "SEC-1",                             \
      "the secret with the credentials of the database cannot be read")                            \
    X(INVALID_SECRET_STORE, 223, 0, "UserErrorInvalidSecretStore", NULL, "SEC-1",                  \
      "the key vault with the credentials of the database does not exist or cannot be reached")    \
    X(MISSING_PERMISSIONS_ON_SECRET_STORE, 224, 0, "UserErrorMissingPermissionsOnSecretStore",     \
      NULL, "SEC-1", "the Backup vault's identity may not read the credentials of the database")   \
    X(IMMUTABILITY_LOCKED, 225, 400, "SimErrorImmutabilityIsLocked", NULL, "BV-9",                 \
      "immutability that is locked cannot be changed any more")                                    \
    X(VAULT_IS_IMMUTABLE, 226, 400, "SimErrorVaultIsImmutable", NULL, "BV-9 IMM-1",                \
      "in an immutable vault no recovery point goes before it expires")                            \
    X(CROSS_SUBSCRIPTION_RESTORE_OFF, 227, 400, "SimErrorCrossSubscriptionRestoreOff", NULL,       \
      "BV-5", "the Backup vault lets no restore go to another subscription")                       \
    X(CROSS_SUBSCRIPTION_RESTORE_IS_FINAL, 228, 400, "SimErrorCrossSubscriptionRestoreIsFinal",    \
      NULL, "BV-5", "restores to other subscriptions are forbidden for good")                      \
    X(RESOURCE_GUARD_REFUSES, 229, 403, "LinkedAuthorizationFailed", NULL, "MUA-7",                \
      "the caller has no role on the resource guard that lets it do this to the Backup vault")     \
    X(FORBIDDEN_BY_FIREWALL, 230, 403, "Forbidden", "ForbiddenByFirewall", "KVE-4",                \
      "the caller's network is not let in, and the caller is no trusted service")                  \
    X(FORBIDDEN_BY_CONNECTION, 231, 403, "Forbidden", "ForbiddenByConnection", "KVE-5",            \
      "there is no public access, and the caller comes by no approved private link")               \
    X(USER_IDENTITY_NETWORK_RESTRICTED, 232, 0, "SimErrorCMKUserIdentityNetworkRestricted", NULL,  \
      "ERR-17",                                                                                    \
      "a user-assigned identity goes neither with a key vault that is limited to networks nor "    \
      "with private endpoints of the Backup vault")

/* Kinds of timers; the number orders events of the same moment (OQ-35). Those of one number come in
 * the order in which they were set, steps first: the timeline was there before everything. */
#define CMK_EVENTS(X)                                                                              \
    X(FAULT, fault, 0)                                                                             \
    X(REGION, region, 0)                                                                           \
    X(STEP, step, 1)                                                                               \
    X(ARRIVAL, arrival, 1)                                                                         \
    X(PROPAGATION, propagation, 1)                                                                 \
    X(MEMBERSHIP, membership, 1)                                                                   \
    X(HEALING, healing, 1)                                                                         \
    X(KEY_SETTLE, key_settle, 2)                                                                   \
    X(KEY_PURGE, key_purge, 2)                                                                     \
    X(KEY_VAULT_PURGE, key_vault_purge, 2)                                                         \
    X(MANAGED_HSM_PURGE, managed_hsm_purge, 2)                                                     \
    X(KEY_ROTATION, key_rotation, 2)                                                               \
    X(KEY_NEAR_EXPIRY, key_near_expiry, 2)                                                         \
    X(ROTATION_POLL, rotation_poll, 3)                                                             \
    X(DELETED_VAULT, deleted_vault, 2)                                                             \
    X(INSTANCE_SETTLE, instance_settle, 2)                                                         \
    X(INSTANCE, instance, 2)                                                                       \
    X(SCHEDULE, schedule, 4)                                                                       \
    X(TASK, task, 4)                                                                               \
    X(MAINTENANCE, maintenance, 5)                                                                 \
    X(COPY, copy, 5)

/* Modelling options: name, type, values in the profiles instant, realistic, cached and slow, range,
 * rule, provenance of the default, text. */
#define CMK_KNOBS(X)                                                                               \
    X(ROLE_PROPAGATION, "role_propagation", "duration", 0, 600 * CMK_SECOND_US, 0,                 \
      600 * CMK_SECOND_US, 0, CMK_DAY_US, "AC-10 OQ-14", "documented",                             \
      "how long a role assignment or its removal takes to act")                                    \
    X(MANAGEMENT_GROUP_PROPAGATION, "management_group_propagation", "duration", 0,                 \
      3 * CMK_HOUR_US, 0, 3 * CMK_HOUR_US, 0, 7 * CMK_DAY_US, "AC-11 OQ-14", "assumed",            \
      "how long a role for keys that is assigned at a management group, or its removal, takes "    \
      "to act")                                                                                    \
    X(TOKEN_LIFETIME, "token_lifetime", "duration", 0, 24 * CMK_HOUR_US, 0, 24 * CMK_HOUR_US, 0,   \
      7 * CMK_DAY_US, "AC-12 MI-8 MI-9 OQ-11", "documented",                                       \
      "how long a token lives: changes of groups act with the next one, and a deleted identity "   \
      "keeps its last one; 0: nobody holds tokens")                                                \
    X(DIRECTORY_REPLICATION, "directory_replication", "duration", 0, 60 * CMK_SECOND_US, 0,        \
      60 * CMK_SECOND_US, 0, CMK_DAY_US, "MI-18", "assumed",                                       \
      "how long a new principal is unknown to those who assign roles")                             \
    X(ROLE_ASSIGNMENT_LIMIT, "role_assignment_limit", "integer", 4000, 4000, 4000, 4000, 0,        \
      1000000, "AC-20", "documented",                                                              \
      "role assignments that a subscription takes, a management group an eighth; 0: any number")   \
    X(FAILOVER_DECISION, "failover_decision", "duration", 4 * CMK_HOUR_US, 4 * CMK_HOUR_US,        \
      4 * CMK_HOUR_US, 12 * CMK_HOUR_US, 0, 30 * CMK_DAY_US, "REL-4 REL-6 OQ-33", "assumed",       \
      "how long it takes until a lost region is failed over")                                      \
    X(FAILOVER_DURATION, "failover_duration", "duration", 5 * CMK_MINUTE_US, 5 * CMK_MINUTE_US,    \
      5 * CMK_MINUTE_US, 5 * CMK_MINUTE_US, 0, CMK_DAY_US, "REL-5 OQ-33", "assumed",               \
      "how long requests fail while the failover runs")                                            \
    X(FAILBACK_DURATION, "failback_duration", "duration", 5 * CMK_MINUTE_US, 5 * CMK_MINUTE_US,    \
      5 * CMK_MINUTE_US, 5 * CMK_MINUTE_US, 0, CMK_DAY_US, "REL-12 OQ-33", "assumed",              \
      "how long the key vaults of a region stay read-only after it has come back")                 \
    X(ZONE_WRITE_PAUSE, "zone_write_pause", "duration", 60 * CMK_SECOND_US, 60 * CMK_SECOND_US,    \
      60 * CMK_SECOND_US, 60 * CMK_SECOND_US, 0, CMK_DAY_US, "REL-3", "assumed",                   \
      "how long key vaults take no writes after their region has lost a zone")                     \
    X(REPLICATION_LAG, "replication_lag", "duration", 0, 5 * CMK_MINUTE_US, 0, 5 * CMK_MINUTE_US,  \
      0, CMK_DAY_US, "REL-1 REL-13", "assumed",                                                    \
      "how far the pair of a region is behind what is written to key vaults; writes to one thing " \
      "that follow one another within it are missing together")                                    \
    X(ROTATION_POLL, "rotation_poll", "duration", CMK_HOUR_US, CMK_HOUR_US, CMK_HOUR_US,           \
      24 * CMK_HOUR_US, CMK_MINUTE_US, 30 * CMK_DAY_US, "ROT-4 ROT-5 ROT-13 OQ-9", "assumed",      \
      "how often a Backup vault looks for a newer version of a versionless key; a look that "      \
      "finds "                                                                                     \
      "none is no request in the bill, and each that cannot take one up is a job that fails")      \
    X(OLD_VERSION_NEEDED_UNTIL_BACKUP, "old_version_needed_until_backup", "boolean", 1, 1, 1, 1,   \
      0, 1, "ROT-6", "assumed",                                                                    \
      "whether after a take-up backups to the vault tier also unwrap with the version that was "   \
      "left, until the first of them ends well; restores, tiering and expiry do not need it")      \
    X(HEALING_INTERVAL, "healing_interval", "duration", CMK_HOUR_US, CMK_HOUR_US, CMK_HOUR_US,     \
      CMK_HOUR_US, CMK_MINUTE_US, 30 * CMK_DAY_US, "OQ-5", "assumed",                              \
      "how often an Inconsistent vault with its user-assigned identity attached tries to restore " \
      "itself")                                                                                    \
    X(RECREATED_IDENTITY_NEEDS_UPDATE, "recreated_identity_needs_update", "boolean", 0, 0, 0, 0,   \
      0, 1, "OQ-4 BV-31", "assumed",                                                               \
      "whether a user-assigned identity that was deleted and made again under its name repairs "   \
      "the settings only by an update of them, and never by its rights alone")                     \
    X(MAINTENANCE_INTERVAL, "maintenance_interval", "duration", CMK_DAY_US, CMK_DAY_US,            \
      CMK_DAY_US, CMK_DAY_US, CMK_HOUR_US, 30 * CMK_DAY_US, "OQ-26 BK-22", "assumed",              \
      "how often expired points are removed and due points moved to the archive")                  \
    X(BACKUP_DURATION, "backup_duration", "duration", 30 * CMK_MINUTE_US, 30 * CMK_MINUTE_US,      \
      30 * CMK_MINUTE_US, 2 * CMK_HOUR_US, 0, 7 * CMK_DAY_US, "OQ-24", "assumed",                  \
      "how long a backup job runs between its two looks at the key")                               \
    X(RESTORE_DURATION, "restore_duration", "duration", CMK_HOUR_US, CMK_HOUR_US, CMK_HOUR_US,     \
      4 * CMK_HOUR_US, 0, 7 * CMK_DAY_US, "OQ-24", "assumed",                                      \
      "how long a restore job runs between its two looks at the key")                              \
    X(COMMIT_TOUCHES_KEY, "commit_touches_key", "boolean", 1, 1, 1, 1, 0, 1, "OQ-24", "assumed",   \
      "whether a backup or restore job asks for the key once more at its end, and not only at "    \
      "its "                                                                                       \
      "start")                                                                                     \
    X(REHYDRATION, "rehydration", "duration", 15 * CMK_HOUR_US, 15 * CMK_HOUR_US,                  \
      15 * CMK_HOUR_US, 15 * CMK_HOUR_US, 0, 30 * CMK_DAY_US, "BK-26 BK-29", "assumed",            \
      "how long a point takes to come back from the archive before it can be restored")            \
    X(REHYDRATION_HIGH, "rehydration_high", "duration", CMK_HOUR_US, CMK_HOUR_US, CMK_HOUR_US,     \
      CMK_HOUR_US, 0, 30 * CMK_DAY_US, "BK-29", "assumed",                                         \
      "how long that takes with high priority")                                                    \
    X(REHYDRATION_KEPT, "rehydration_kept", "duration", 7 * CMK_DAY_US, 7 * CMK_DAY_US,            \
      7 * CMK_DAY_US, 7 * CMK_DAY_US, 0, 180 * CMK_DAY_US, "BK-26", "assumed",                     \
      "how long the copy that has come back from the archive stays in the vault tier")             \
    X(RETRIES, "retries", "integer", 5, 5, 5, 5, 0, 16, "OQ-25 THR-6", "assumed",                  \
      "how many times a passing trouble is tried again, after 1, 2, 4, 8, 16 ... seconds")         \
    X(PROTECTION_DURATION, "protection_duration", "duration", 0, CMK_MINUTE_US, 0,                 \
      5 * CMK_MINUTE_US, 0, CMK_DAY_US, "BK-23", "assumed",                                        \
      "how long an instance is being configured before its first backup can begin, and how long "  \
      "a change of its policy and its deletion are shown as under way")                            \
    X(FAILED_BACKUPS_TO_PROTECTION_ERROR, "failed_backups_to_protection_error", "integer", 1, 1,   \
      1, 1, 0, 1000, "BK-23", "assumed",                                                           \
      "after how many failed backups in a row to one store an instance shows an error, until one " \
      "to that store completes; 0: never")                                                         \
    X(RETRIED_JOBS_WARN, "retried_jobs_warn", "boolean", 1, 1, 1, 1, 0, 1, "BK-18", "assumed",     \
      "whether a job that had to try a step again and then completes does so with warnings")       \
    X(DISABLED_ALLOWS_PUBLIC_OPS, "disabled_allows_public_ops", "boolean", 0, 0, 0, 0, 0, 1,       \
      "OQ-7 KV-17", "assumed",                                                                     \
      "whether a disabled key version still wraps, encrypts and verifies")                         \
    X(READ_LETS_WRAP, "read_lets_wrap", "boolean", 1, 1, 1, 1, 0, 1, "OQ-8 AC-16", "documented",   \
      "whether a role that reads an asymmetric key may also wrap, encrypt and verify with it")     \
    X(CLOCK_LEEWAY, "clock_leeway", "duration", 0, 0, 0, 0, 0, CMK_HOUR_US, "KV-15 OQ-36",         \
      "assumed", "how much a key vault forgives a clock around the validity of a key version")     \
    X(KEY_DELETING, "key_deleting", "duration", 0, 5 * CMK_SECOND_US, 5 * CMK_SECOND_US,           \
      5 * CMK_SECOND_US, 0, CMK_HOUR_US, "SD-12 SD-14", "assumed",                                 \
      "how long the deletion of a key takes, while requests get a conflict")                       \
    X(KEY_RECOVERING, "key_recovering", "duration", 0, 5 * CMK_SECOND_US, 5 * CMK_SECOND_US,       \
      5 * CMK_SECOND_US, 0, CMK_HOUR_US, "SD-12 SD-14", "assumed",                                 \
      "how long the recovery of a key takes, while requests get a conflict")                       \
    X(NAME_RELEASE, "name_release", "duration", 0, 5 * CMK_SECOND_US, 5 * CMK_SECOND_US,           \
      5 * CMK_SECOND_US, 0, CMK_HOUR_US, "SD-13 SD-14", "assumed",                                 \
      "how long the name of a purged key stays blocked")                                           \
    X(EXPIRED_KEY_RESTORE, "expired_key_restore", "boolean", 0, 0, 0, 0, 0, 1, "OQ-6", "assumed",  \
      "whether Backup goes on with a key version outside its validity where Key Vault would "      \
      "unwrap")                                                                                    \
    X(DEK_CACHE, "dek_cache", "duration", 0, 0, CMK_HOUR_US, 0, 0, CMK_DAY_US, "OQ-10 HSM-25",     \
      "assumed",                                                                                   \
      "how long Backup goes on with a data key that it has had unwrapped, without asking again")   \
    X(DEK_PER_POINT, "dek_per_point", "boolean", 0, 0, 0, 0, 0, 1, "OQ-28 BK-30", "assumed",       \
      "whether each backup to the vault tier makes a data key of its own, which the key has to "   \
      "wrap and whoever needs the point to unwrap")                                                \
    X(LOST_RIGHTS_BREAK_SETTINGS, "lost_rights_break_settings", "boolean", 0, 0, 0, 0, 0, 1,       \
      "OQ-3 BV-32", "assumed",                                                                     \
      "whether a job that is refused for want of rights makes the settings Inconsistent")          \
    X(INTERRUPTED_REWRAP_STOPS_JOBS, "interrupted_rewrap_stops_jobs", "boolean", 0, 0, 0, 0, 0, 1, \
      "OQ-27", "assumed",                                                                          \
      "whether an update or take-up that ends after it has re-wrapped a part of the data keys "    \
      "leaves a vault whose jobs are refused until it is repeated")                                \
    X(IDENTITY_CHANGE_TESTS_OLD_IDENTITY, "identity_change_tests_old_identity", "boolean", 0, 0,   \
      0, 0, 0, 1, "OQ-31", "assumed",                                                              \
      "whether settings go over to another identity only while the one before it still has get "   \
      "and unwrap on the key")                                                                     \
    X(ENABLING_WRAPS_OLD_POINTS, "enabling_wraps_old_points", "boolean", 1, 1, 1, 1, 0, 1,         \
      "OQ-15 BV-T5", "assumed",                                                                    \
      "whether points made before customer-managed keys were switched on need the key too")        \
    X(LOST_KEY_CAN_BE_REPLACED, "lost_key_can_be_replaced", "boolean", 0, 0, 0, 0, 0, 1,           \
      "OQ-29 OQ-30", "assumed",                                                                    \
      "whether new settings may name another key although the old one is purged")                  \
    X(RECOVERED_VAULT_KEEPS_ASSIGNMENTS, "recovered_vault_keeps_assignments", "boolean", 0, 0, 0,  \
      0, 0, 1, "OQ-32 SD-15 SD-16", "documented",                                                  \
      "whether a key vault that was deleted comes back with the role assignments at it")           \
    X(REFUSED_UPDATE_BREAKS_SETTINGS, "refused_update_breaks_settings", "boolean", 0, 0, 0, 0, 0,  \
      1, "OQ-13 BV-28", "assumed",                                                                 \
      "whether an update of the encryption settings that a check refuses leaves them "             \
      "Inconsistent, as one does that meets a passing trouble")                                    \
    X(FAILED_CREATION_LEAVES_VAULT, "failed_creation_leaves_vault", "boolean", 0, 0, 0, 0, 0, 1,   \
      "OQ-16 BV-T4", "assumed",                                                                    \
      "whether a Backup vault that could not be given its key stays, without a key")               \
    X(SETTINGS_FAIL_LIKE_JOBS, "settings_fail_like_jobs", "boolean", 0, 0, 0, 0, 0, 1, "OQ-1",     \
      "assumed",                                                                                   \
      "whether an update of the encryption settings ends with the code that a job would")          \
    X(EMPTY_VAULT_DELETION_NEEDS_KEY, "empty_vault_deletion_needs_key", "boolean", 1, 1, 1, 1, 0,  \
      1, "OQ-21", "assumed",                                                                       \
      "whether a Backup vault with a customer-managed key can be deleted only with its key")       \
    X(DELETED_VAULT_KEPT, "deleted_vault_kept", "duration", 14 * CMK_DAY_US, 14 * CMK_DAY_US,      \
      14 * CMK_DAY_US, 14 * CMK_DAY_US, 0, 180 * CMK_DAY_US, "BV-11", "assumed",                   \
      "how long a deleted Backup vault is listed until it is purged; 0: older interfaces, which "  \
      "list none")                                                                                 \
    X(VAULT_MOVE_DURATION, "vault_move_duration", "duration", CMK_HOUR_US, CMK_HOUR_US,            \
      CMK_HOUR_US, 4 * CMK_HOUR_US, 0, 7 * CMK_DAY_US, "BV-13 BV-14", "assumed",                   \
      "how long a Backup vault is on its way to another resource group")                           \
    X(PG_GENERIC_ERROR, "pg_generic_error", "boolean", 0, 0, 0, 0, 0, 1, "OQ-22 ERR-8", "assumed", \
      "whether PostgreSQL jobs without rights fail with an error that names no key")               \
    X(ARTICLE_LITERAL_SWAP, "article_literal_swap", "boolean", 0, 0, 0, 0, 0, 1, "OQ-2",           \
      "assumed",                                                                                   \
      "whether the codes for soft delete and purge protection change places, as in the article")   \
    X(HSM_REPLICATION, "hsm_replication", "duration", 0, 360 * CMK_SECOND_US, 0,                   \
      360 * CMK_SECOND_US, 0, CMK_DAY_US, "HSM-17 OQ-14", "documented",                            \
      "how long a write to a Managed HSM in two regions takes to be in both; its local roles act " \
      "then")                                                                                      \
    X(HSM_EXTENSION, "hsm_extension", "duration", 30 * CMK_MINUTE_US, 30 * CMK_MINUTE_US,          \
      30 * CMK_MINUTE_US, 30 * CMK_MINUTE_US, 0, CMK_DAY_US, "HSM-17", "documented",               \
      "how long it takes until the second region of a Managed HSM answers")                        \
    X(HSM_PARTITIONS, "hsm_partitions", "integer", 2, 2, 2, 1, 1, 3, "HSM-23 THR-8", "assumed",    \
      "how many partitions of a Managed HSM share the work: 3 are there, 1 is guaranteed")         \
    X(HSM_PATIENCE, "hsm_patience", "duration", 30 * CMK_SECOND_US, 30 * CMK_SECOND_US,            \
      30 * CMK_SECOND_US, 30 * CMK_SECOND_US, 0, CMK_HOUR_US, "THR-8", "assumed",                  \
      "how long clients wait for the answer of a Managed HSM before they give up")                 \
    X(RESTORED_KEY_REPLACES_OLD, "restored_key_replaces_old", "boolean", 0, 0, 0, 0, 0, 1,         \
      "HSM-15 BV-37", "assumed",                                                                   \
      "whether an update of the settings to a key with the same private key opens by it what the " \
      "old key closed, and does not ask for that one")                                             \
    X(REQUIRE_SAME_REGION, "require_same_region", "boolean", 0, 0, 0, 0, 0, 1, "OQ-12", "assumed", \
      "whether key vault and Backup vault must be in one region")                                  \
    X(THROTTLING_AFTER_AUTHORISATION, "throttling_after_authorisation", "boolean", 0, 0, 0, 0, 0,  \
      1, "OQ-20", "assumed",                                                                       \
      "whether a key vault looks at the rights of a request before it throttles it; then a "       \
      "request without rights takes no room in the window, and a throttled one is billed")         \
    X(TIES_BY_KIND, "ties_by_kind", "boolean", 1, 1, 1, 1, 0, 1, "OQ-35", "assumed",               \
      "whether events of one moment go by kind; otherwise the timeline comes first, its faults "   \
      "before its steps, and the rest in the order in which it was set in motion")                 \
    X(MONTHS_BY_CALENDAR, "months_by_calendar", "boolean", 1, 1, 1, 1, 0, 1, "OQ-36", "assumed",   \
      "whether months and years of a retention are those of the calendar; otherwise each twelve "  \
      "months have 365 days, written as a year or as P12M, and each month beyond them 30")         \
    X(OUTAGE_HITS_BACKUP_VAULTS, "outage_hits_backup_vaults", "boolean", 0, 0, 0, 0, 0, 1,         \
      "OQ-34", "assumed",                                                                          \
      "whether the loss of a region also stops the jobs of Backup vaults there")                   \
    X(IMMUTABILITY_KEEPS_RETENTION, "immutability_keeps_retention", "boolean", 1, 1, 1, 1, 0, 1,   \
      "IMM-1", "assumed",                                                                          \
      "whether an immutable vault refuses a policy that keeps the points of an instance for less " \
      "time")                                                                                      \
    X(DISABLED_SECRET_IS_FORBIDDEN, "disabled_secret_is_forbidden", "boolean", 0, 0, 0, 0, 0, 1,   \
      "SEC-2", "assumed",                                                                          \
      "whether jobs whose secret is disabled fail with the code for missing rights, as the key "   \
      "vault's answer suggests, and not with that for a secret that is not there")                 \
    X(HSM_NEEDS_PURGE_PROTECTION, "hsm_needs_purge_protection", "boolean", 1, 1, 1, 1, 0, 1,       \
      "OQ-23", "assumed",                                                                          \
      "whether settings refuse a Managed HSM without purge protection, as they refuse such a key " \
      "vault; soft delete every HSM has")                                                          \
    X(BYPASS_COVERS_BACKUP, "bypass_covers_backup", "boolean", 1, 1, 1, 1, 0, 1, "OQ-17",          \
      "assumed",                                                                                   \
      "whether the bypass for trusted services lets Backup open keys with system-assigned "        \
      "identities")                                                                                \
    X(CLOSED_COUNTS_AS_LIMITED, "closed_counts_as_limited", "boolean", 1, 1, 1, 1, 0, 1, "OQ-18",  \
      "assumed",                                                                                   \
      "whether a key vault without public access counts as limited to certain networks, so that "  \
      "no user-assigned identity opens it, even by a private endpoint")                            \
    X(LATE_LIMIT_BREAKS_SETTINGS, "late_limit_breaks_settings", "boolean", 0, 0, 0, 0, 0, 1,       \
      "OQ-19", "assumed",                                                                          \
      "whether settings with a user-assigned identity become Inconsistent when their key vault "   \
      "is limited to certain networks")                                                            \
    X(PRIVATE_LINK_FAILOVER, "private_link_failover", "duration", 20 * CMK_MINUTE_US,              \
      20 * CMK_MINUTE_US, 20 * CMK_MINUTE_US, 20 * CMK_MINUTE_US, 0, CMK_DAY_US, "REL-11 OQ-33",   \
      "documented", "how long private links to key vaults do not work after a failover")

/* clang-format on */

enum {
    CMK_OP__NONE,
#define X(id, name) CMK_OP_##id,
    CMK_OPERATIONS(X)
#undef X
    CMK_OP__COUNT
};

enum {
    CMK_GUARD__NONE,
#define X(id, name) CMK_GUARD_##id,
    CMK_GUARDS(X)
#undef X
    CMK_GUARD__COUNT
};

/* Rows of the status table; CMK_STATUS_OK and CMK_STATUS_LIMIT_REACHED come from the engine. */
enum {
#define X(id, number, http, code, inner, rule, text) CMK_STATUS_ROW_##id,
    CMK_STATUSES(X)
#undef X
    CMK_STATUS__COUNT
};

enum {
#define X(id, name, class_of_ties) CMK_EVENT_##id,
    CMK_EVENTS(X)
#undef X
    CMK_EVENT__COUNT
};

typedef enum CmkKnobId {
#define X(id, ...) CMK_KNOB_##id,
    CMK_KNOBS(X)
#undef X
    CMK_KNOB__COUNT
} CmkKnobId;

#define CMK_STATUS_OF(id) ((CmkStatus)CMK_STATUS_ROW_##id)

#endif
