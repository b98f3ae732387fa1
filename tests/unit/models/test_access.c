/* Who may do what with a key: permission models, roles and scopes, propagation (section 3). */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

#include "models/access.h"
#include "tests/unit/models/estate.h"

static Estate *make(const EstateOptions *options)
{
    Estate *estate = estate_new(options);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

/* Asks for the key as a job would. */
static CmkStatus ask(Estate *estate, CmkOpId request)
{
    const CmkArgs args = estate_args(estate, request);
    return cmk_would_apply(&estate->sim, &args).status;
}

static void expect_rights(Estate *estate, bool may_get, bool may_wrap, bool may_unwrap,
                          const char *what)
{
    cr_assert_eq(ask(estate, CMK_OP_KEY_GET) == CMK_STATUS_OK, may_get, "%s: get", what);
    cr_assert_eq(ask(estate, CMK_OP_KEY_WRAP) == CMK_STATUS_OK, may_wrap, "%s: wrap", what);
    cr_assert_eq(ask(estate, CMK_OP_KEY_UNWRAP) == CMK_STATUS_OK, may_unwrap, "%s: unwrap", what);
}

/* AC-10, OQ-14: both a grant and a removal act after exactly 600 s. */
Test(access, grants_and_removals_take_600_s_to_act)
{
    Estate *estate = make(&(EstateOptions){.profile = cmk_profile_find("realistic")});
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    estate_run(estate, 599 * CMK_SECOND_US);
    expect_rights(estate, true, true, true, "removed 599 s ago");
    estate_run(estate, CMK_SECOND_US - 1);
    expect_rights(estate, true, true, true, "removed 600 s ago but for a microsecond");
    estate_run(estate, 1);
    expect_rights(estate, false, false, false, "removed 600 s ago");
    estate_run(estate, CMK_SECOND_US);
    expect_rights(estate, false, false, false, "removed 601 s ago");
    const CmkArgs get = estate_args(estate, CMK_OP_KEY_GET);
    cr_assert_eq(cmk_would_apply(&estate->sim, &get).seq,
                 estate_last(estate, CMK_OP_ROLE_REMOVE)->seq, "the remover is to blame");

    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    estate_run(estate, 599 * CMK_SECOND_US);
    expect_rights(estate, false, false, false, "given 599 s ago");
    estate_run(estate, CMK_SECOND_US);
    expect_rights(estate, true, true, true, "given 600 s ago");
    estate_run(estate, CMK_SECOND_US);
    expect_rights(estate, true, true, true, "given 601 s ago");
    estate_free(estate);
}

/* What was given and taken away again before it acted never acts. */
Test(access, a_grant_taken_back_before_it_acts_never_does)
{
    Estate *estate = make(&(EstateOptions){.profile = cmk_profile_find("realistic")});
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    estate_run(estate, CMK_HOUR_US);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    estate_run(estate, 10 * CMK_SECOND_US);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    estate_rewind(estate);
    for (int i = 0; i < 20; i++) {
        expect_rights(estate, false, false, false, "never acted");
        estate_run(estate, CMK_MINUTE_US);
    }
    cr_assert_eq(estate_count(estate, CMK_OP_ROLE_PROPAGATE), 0, "nothing is on its way");
    cr_assert_eq(estate_try(estate, CMK_OP_ROLE_REMOVE).guard, CMK_GUARD_ASSIGNMENT_EXISTS);
    /* Given again while a removal is on its way: the new assignment is another one. */
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    estate_run(estate, CMK_HOUR_US);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    for (int i = 0; i < 20; i++) {
        expect_rights(estate, true, true, true, "one is going, one is coming");
        estate_run(estate, CMK_MINUTE_US);
    }
    estate_free(estate);
}

/* AC-14: access policies act at once, also in the realistic profile. */
Test(access, policies_act_at_once)
{
    const struct {
        const char *name;
        int64_t permissions;
        bool get, wrap, unwrap;
    } cases[] = {
        {"nothing", 0, false, false, false},
        {"list", CMK_PERMISSION_LIST, false, false, false},
        {"get", CMK_PERMISSION_GET, true, false, false},
        {"wrap", CMK_PERMISSION_WRAP, false, true, false},
        {"unwrap", CMK_PERMISSION_UNWRAP, false, false, true},
        {"get and wrap", CMK_PERMISSION_GET | CMK_PERMISSION_WRAP, true, true, false},
        {"all", 15, true, true, true},
    };
    Estate *estate =
        make(&(EstateOptions){.uses_policies = true, .profile = cmk_profile_find("realistic")});
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        CmkArgs args = estate_args(estate, CMK_OP_ACCESS_POLICY_SET);
        args.num[0] = cases[i].permissions;
        (void)estate_must_apply(estate, args);
        expect_rights(estate, cases[i].get, cases[i].wrap, cases[i].unwrap, cases[i].name);
    }
    (void)estate_must(estate, CMK_OP_ACCESS_POLICY_REMOVE);
    expect_rights(estate, false, false, false, "removed");
    cr_assert_eq(ask(estate, CMK_OP_KEY_GET), CMK_STATUS_OF(ACCESS_DENIED));
    (void)estate_must(estate, CMK_OP_ACCESS_POLICY_SET);
    expect_rights(estate, true, true, true, "set again");
    estate_free(estate);
}

/* AC-R1 to AC-R10, AC-16. */
Test(access, each_role_permits_what_it_should)
{
    const struct {
        const char *role;
        const char *guid;
        bool get, wrap, unwrap;
    } cases[] = {
        {"Key Vault Administrator", "00482a5a-887f-4fb3-b363-3b7fe8e74483", true, true, true},
        {"Key Vault Crypto Officer", "14b46e9e-c2b7-41b4-b07b-48a6ebf60603", true, true, true},
        {"Key Vault Crypto Service Encryption User", "e147488a-f6f5-4113-8e2d-b22465e65bf6", true,
         true, true},
        {"Key Vault Crypto User", "12338af0-0e69-4776-bea7-57ae8d297424", true, true, true},
        {"Key Vault Crypto Service Release User", "08bbd89e-9f13-488c-ac41-acfcb10c90ab", false,
         false, false},
        {"Key Vault Reader", "21090545-7ca7-4776-b22c-e363652d74d2", true, true, false},
        {"Key Vault Purge Operator", "a68e7c17-0ab2-4c09-9a58-125dae29748c", false, false, false},
        {"Key Vault Contributor", "f25e0fa2-a7c8-4377-a976-54943a77a395", false, false, false},
        {"Key Vault Data Access Administrator", "8b54135c-b56d-4d72-a534-26097cfdc8d8", false,
         false, false},
        {"Key Vault Secrets User", "4633458b-17de-408a-b874-0445c86b69e6", false, false, false},
    };
    uint32_t count = 0;
    const CmkRoleFacts *facts = cmk_role_facts(&count);
    cr_assert_geq(count, CMK_ARRAY_LEN(cases) + 1); /* those that manage resources come behind */
    for (uint32_t i = CMK_ARRAY_LEN(cases) + 1; i < count; i++) {
        cr_assert(facts[i].kind == CMK_ROLE_LOCAL ||
                  (cmk_role_permissions(i) & CMK_PERMISSION_KEYS_ALL) == 0);
    }
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make(NULL);
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        CmkArgs args = estate_args(estate, CMK_OP_ROLE_ASSIGN);
        args.num[0] = cmk_role_find(cases[i].role);
        cr_assert_gt(args.num[0], 0, "%s", cases[i].role);
        cr_assert_eq(cmk_role_find(cases[i].guid), (uint32_t)args.num[0]);
        (void)estate_must_apply(estate, args);
        expect_rights(estate, cases[i].get, cases[i].wrap, cases[i].unwrap, cases[i].role);
        estate_free(estate);
    }
    cr_assert_eq(cmk_role_find("Key Vault"), 0);
}

/* AC-9: an assignment is about one scope, and is removed at exactly that scope. */
Test(access, scopes_do_not_leak)
{
    Estate *estate = make(NULL);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    CmkArgs args = estate_args(estate, CMK_OP_ROLE_ASSIGN);
    args.ref[CMK_REF_KEY] = ESTATE_OTHER_KEY;
    (void)estate_must_apply(estate, args);
    expect_rights(estate, false, false, false, "another key of the vault");
    args.ref[CMK_REF_KEY] = ESTATE_KEY;
    (void)estate_must_apply(estate, args);
    expect_rights(estate, true, true, true, "this key");
    args = estate_args(estate, CMK_OP_ROLE_REMOVE);
    cr_assert_eq(estate_apply(estate, &args).guard, CMK_GUARD_ASSIGNMENT_EXISTS,
                 "there is none at the key vault");
    args.ref[CMK_REF_KEY] = ESTATE_KEY;
    args.num[0] = cmk_role_find("Key Vault Reader");
    cr_assert_eq(estate_apply(estate, &args).guard, CMK_GUARD_ASSIGNMENT_EXISTS,
                 "none of this role");
    args.num[0] = 0;
    (void)estate_must_apply(estate, args);
    expect_rights(estate, false, false, false, "removed again");
    /* Somebody else's rights are not ours. */
    args = estate_args(estate, CMK_OP_ROLE_ASSIGN);
    args.ref[CMK_REF_IDENTITY] = ESTATE_OTHER_IDENTITY;
    args.num[0] = cmk_role_find("Key Vault Crypto Officer");
    (void)estate_must_apply(estate, args);
    expect_rights(estate, false, false, false, "the other identity's");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* Removing takes all assignments at the scope, of all roles or of one. */
Test(access, removal_takes_all_of_a_scope_or_one_role)
{
    Estate *estate = make(NULL);
    CmkArgs reader = estate_args(estate, CMK_OP_ROLE_ASSIGN);
    reader.num[0] = cmk_role_find("Key Vault Reader");
    (void)estate_must_apply(estate, reader);
    CmkArgs remove = estate_args(estate, CMK_OP_ROLE_REMOVE);
    remove.num[0] = cmk_role_find("Key Vault Crypto Service Encryption User");
    (void)estate_must_apply(estate, remove);
    expect_rights(estate, true, true, false, "still a reader");
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    cr_assert_eq(estate_try(estate, CMK_OP_ROLE_ASSIGN).status,
                 CMK_STATUS_OF(ROLE_ASSIGNMENT_EXISTS), "the same once more");
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    expect_rights(estate, false, false, false, "nothing left");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* AC-15, MI-5, MI-6, MI-7: rights belong to the principal, not to the name. */
Test(access, rights_go_with_the_principal)
{
    Estate *estate = make(NULL);
    const uint32_t first = estate_vault(estate)->principal;
    (void)estate_must(estate, CMK_OP_IDENTITY_DETACH);
    (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
    expect_rights(estate, true, true, true, "detached and attached again (MI-6)");
    (void)estate_must(estate, CMK_OP_IDENTITY_DELETE);
    (void)estate_must(estate, CMK_OP_IDENTITY_CREATE);
    (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
    const CmkIdentity *identity = cmk_identity(estate->sim.world, (CmkIdentityId){ESTATE_IDENTITY});
    cr_assert_neq(identity->principal, first);
    cr_assert_eq(cmk_principal(estate->sim.world, (CmkPrincipalId){first})->is_alive, 0);
    uint64_t blame = 0;
    cr_assert_not(cmk_access_is_granted(estate->sim.world, (CmkPrincipalId){identity->principal},
                                        (CmkKeyVaultId){ESTATE_KV}, (CmkKeyId){ESTATE_KEY},
                                        CMK_PERMISSION_GET, &blame));
    cr_assert_eq(blame, estate_last(estate, CMK_OP_IDENTITY_CREATE)->seq);
    estate_free(estate);
}

static void expect_guard(Estate *estate, CmkOpId request, CmkGuardId guard, const char *what)
{
    const CmkArgs args = estate_args(estate, request);
    const CmkOutcome outcome = cmk_would_apply(&estate->sim, &args);
    cr_assert_eq(outcome.guard, guard, "%s: %s", what, estate_guard_name(estate, outcome.guard));
}

/* Gives alice a role at a scope, or at the key vault. */
static void give_alice(Estate *estate, const char *role, uint32_t scope)
{
    CmkArgs args = estate_args(estate, CMK_OP_ROLE_ASSIGN);
    args.ref[CMK_REF_GRANTEE] = ESTATE_ALICE;
    args.ref[CMK_REF_SCOPE] = scope;
    args.num[0] = cmk_role_find(role);
    (void)estate_must_apply(estate, args);
}

static CmkOutcome ask_as_alice(Estate *estate, CmkOpId op)
{
    CmkArgs args = estate_args(estate, op);
    args.ref[CMK_REF_ACTOR] = ESTATE_ALICE;
    return cmk_would_apply(&estate->sim, &args);
}

/* AC-9: each scope covers what lies in it and nothing beside it. */
Test(access, wider_scopes_cover_what_lies_in_them)
{
    const struct {
        uint32_t scope;
        bool covers;
    } cases[] = {{ESTATE_MANAGEMENT_GROUP, true},
                 {ESTATE_SUBSCRIPTION, true},
                 {ESTATE_RESOURCE_GROUP, true},
                 {CMK_SCOPE_DEFAULT_SUBSCRIPTION, false},
                 {CMK_SCOPE_DEFAULT_RESOURCE_GROUP, false}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make(NULL);
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        CmkArgs args = estate_args(estate, CMK_OP_ROLE_ASSIGN);
        args.ref[CMK_REF_SCOPE] = cases[i].scope;
        (void)estate_must_apply(estate, args);
        expect_rights(estate, cases[i].covers, cases[i].covers, cases[i].covers, "scope");
        args.op = CMK_OP_ROLE_REMOVE;
        (void)estate_must_apply(estate, args);
        expect_rights(estate, false, false, false, "removed at the scope");
        estate_free(estate);
    }
}

/* AC-11: at a management group it takes hours, at a subscription minutes. */
Test(access, management_groups_propagate_slowly)
{
    Estate *estate = make(&(EstateOptions){.profile = cmk_profile_find("realistic")});
    give_alice(estate, "Key Vault Crypto Officer", ESTATE_MANAGEMENT_GROUP);
    estate_run(estate, 3 * CMK_HOUR_US - 1);
    cr_assert_eq(ask_as_alice(estate, CMK_OP_KEY_ROTATE).guard, CMK_GUARD_ROLE_LETS_ACTOR);
    estate_run(estate, 1);
    cr_assert_eq(ask_as_alice(estate, CMK_OP_KEY_ROTATE).status, CMK_STATUS_OK);
    estate_free(estate);
}

/* AC-12, OQ-11: members renew their tokens at multiples of the lifetime after they were made. */
Test(access, changes_of_groups_act_with_the_next_token)
{
    Estate *estate = make(&(EstateOptions){.profile = cmk_profile_find("realistic")});
    CmkArgs grant = estate_args(estate, CMK_OP_ROLE_ASSIGN);
    grant.ref[CMK_REF_GRANTEE] = ESTATE_GROUP;
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    (void)estate_must_apply(estate, grant);
    estate_run(estate, CMK_HOUR_US);
    expect_rights(estate, false, false, false, "nobody is in the group");
    (void)estate_must(estate, CMK_OP_GROUP_ADD_MEMBER);
    const CmkTime made_at =
        cmk_principal(estate->sim.world, (CmkPrincipalId){estate_vault(estate)->principal})
            ->made_at;
    CmkTime renewal = made_at;
    while (renewal <= cmk_world_now(estate->sim.world)) {
        renewal += CMK_DAY_US;
    }
    estate_run_until(estate, renewal - 1);
    expect_rights(estate, false, false, false, "the old token");
    estate_run(estate, 1);
    expect_rights(estate, true, true, true, "the next token");
    (void)estate_must(estate, CMK_OP_GROUP_REMOVE_MEMBER);
    estate_run(estate, CMK_DAY_US - 1);
    expect_rights(estate, true, true, true, "out of the group, but not by the token");
    /* In again before it acted: it never was out. */
    (void)estate_must(estate, CMK_OP_GROUP_ADD_MEMBER);
    for (int i = 0; i < 25; i++) {
        expect_rights(estate, true, true, true, "never out");
        estate_run(estate, CMK_HOUR_US);
    }
    (void)estate_must(estate, CMK_OP_GROUP_REMOVE_MEMBER);
    estate_run(estate, CMK_DAY_US);
    expect_rights(estate, false, false, false, "out");
    const CmkArgs get = estate_args(estate, CMK_OP_KEY_GET);
    cr_assert_eq(cmk_would_apply(&estate->sim, &get).seq,
                 estate_last(estate, CMK_OP_GROUP_REMOVE_MEMBER)->seq, "who took it out");
    estate_free(estate);
}

/* AC-6, AC-21: what a person needs for each operation on keys: this permission, and no other. */
Test(access, each_operation_on_keys_takes_its_own_permission)
{
    static const struct {
        CmkOpId op;
        uint32_t permission;
    } cases[] = {
        {CMK_OP_KEY_CREATE, CMK_PERMISSION_CREATE},
        {CMK_OP_KEY_ROTATE, CMK_PERMISSION_ROTATE},
        {CMK_OP_KEY_UPDATE, CMK_PERMISSION_UPDATE},
        {CMK_OP_KEY_DELETE, CMK_PERMISSION_DELETE},
        {CMK_OP_KEY_RECOVER, CMK_PERMISSION_RECOVER},
        {CMK_OP_KEY_PURGE, CMK_PERMISSION_PURGE},
        {CMK_OP_KEY_BACKUP, CMK_PERMISSION_BACKUP},
        {CMK_OP_KEY_RESTORE, CMK_PERMISSION_RESTORE},
        {CMK_OP_KEY_SET_ROTATION_POLICY, CMK_PERMISSION_SET_ROTATION_POLICY},
        {CMK_OP_KEY_LIST, CMK_PERMISSION_LIST},
        {CMK_OP_KEY_ENCRYPT, CMK_PERMISSION_ENCRYPT},
        {CMK_OP_KEY_DECRYPT, CMK_PERMISSION_DECRYPT},
        {CMK_OP_KEY_SIGN, CMK_PERMISSION_SIGN},
        {CMK_OP_KEY_VERIFY, CMK_PERMISSION_VERIFY},
    };
    Estate *estate = make(&(EstateOptions){.uses_policies = true});
    CmkArgs set = estate_args(estate, CMK_OP_ACCESS_POLICY_SET);
    set.ref[CMK_REF_GRANTEE] = ESTATE_ALICE;
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        const char *name = estate->sim.model->operations[cases[i].op]->name;
        CmkArgs args = estate_args(estate, cases[i].op);
        args.ref[CMK_REF_ACTOR] = ESTATE_ALICE;
        set.num[0] = CMK_PERMISSION_KEYS_ALL & ~cases[i].permission;
        (void)estate_must_apply(estate, set);
        cr_expect_eq(cmk_would_apply(&estate->sim, &args).guard, CMK_GUARD_POLICY_LETS_ACTOR,
                     "%s with all but its own", name);
        set.num[0] = cases[i].permission;
        (void)estate_must_apply(estate, set);
        cr_expect_neq(cmk_would_apply(&estate->sim, &args).guard, CMK_GUARD_POLICY_LETS_ACTOR,
                      "%s with its own alone", name);
    }
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* AC-19, SD-7, SD-8: managing a key vault is not using its keys, and who can let itself in. */
Test(access, contributors_get_into_vaults_with_policies_only)
{
    for (int uses_policies = 0; uses_policies <= 1; uses_policies++) {
        Estate *estate = make(&(EstateOptions){.uses_policies = uses_policies});
        give_alice(estate, "Contributor", ESTATE_SUBSCRIPTION);
        cr_assert_neq(ask_as_alice(estate, CMK_OP_KEY_ROTATE).status, CMK_STATUS_OK);
        cr_assert_eq(ask_as_alice(estate, CMK_OP_ROLE_ASSIGN).guard, CMK_GUARD_ACTOR_MAY_MANAGE);
        cr_assert_eq(ask_as_alice(estate, CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL).guard,
                     CMK_GUARD_ACTOR_MAY_ASSIGN_ROLES);
        CmkArgs args = estate_args(estate, CMK_OP_ACCESS_POLICY_SET);
        args.ref[CMK_REF_ACTOR] = ESTATE_ALICE;
        args.ref[CMK_REF_GRANTEE] = ESTATE_ALICE;
        args.num[0] = CMK_PERMISSION_KEYS_ALL;
        const bool is_set = estate_apply(estate, &args).status == CMK_STATUS_OK;
        cr_assert_eq(is_set, uses_policies == 1);
        cr_assert_eq(ask_as_alice(estate, CMK_OP_KEY_ROTATE).status == CMK_STATUS_OK,
                     uses_policies == 1);
        estate_free(estate);
    }
    const CmkPlace nowhere = {.scope = {0}};
    Estate *estate = make(NULL);
    uint64_t blame = 0;
    cr_assert_not(cmk_access_roles_let(estate->sim.world, (CmkPrincipalId){ESTATE_ALICE}, nowhere,
                                       CMK_PERMISSION_GROUP_WRITE, &blame));
    cr_assert_eq(cmk_role_permissions(cmk_role_find("Key Vault Contributor")) &
                     CMK_PERMISSION_KEY_VAULT_PURGE,
                 0);
    cr_assert_neq(cmk_role_permissions(cmk_role_find("Key Vault Purge Operator")) &
                      CMK_PERMISSION_KEY_VAULT_PURGE,
                  0);
    estate_free(estate);
}

/* AC-5: the 1025th access policy is refused, unless one goes or it is for a principal that has one.
 */
Test(access, a_key_vault_takes_1024_access_policies)
{
    Estate *estate = make(&(EstateOptions){.uses_policies = true, .is_not_self_checking = true});
    const CmkKeyVault *vault = cmk_key_vault(estate->sim.world, (CmkKeyVaultId){ESTATE_KV});
    CmkArgs create = estate_args(estate, CMK_OP_IDENTITY_CREATE);
    create.ref[CMK_REF_IDENTITY] = ESTATE_ABSENT_IDENTITY;
    CmkArgs set = estate_args(estate, CMK_OP_ACCESS_POLICY_SET);
    set.ref[CMK_REF_IDENTITY] = ESTATE_ABSENT_IDENTITY;
    while (vault->access_policy_count < 1024) { /* those of the dead stay */
        (void)estate_must_apply(estate, create);
        (void)estate_must_apply(estate, set);
        create.op = CMK_OP_IDENTITY_DELETE;
        (void)estate_must_apply(estate, create);
        create.op = CMK_OP_IDENTITY_CREATE;
        cr_assert_str_eq(estate->trouble, "");
    }
    (void)estate_must_apply(estate, create);
    cr_assert_eq(estate_apply(estate, &set).guard, CMK_GUARD_ACCESS_POLICIES_HAVE_ROOM);
    (void)estate_must(estate, CMK_OP_ACCESS_POLICY_SET); /* it has one */
    cr_assert_eq(vault->access_policy_count, 1024);
    (void)estate_must(estate, CMK_OP_ACCESS_POLICY_REMOVE);
    cr_assert_eq(vault->access_policy_count, 1023);
    (void)estate_must_apply(estate, set);
    cr_assert_eq(vault->access_policy_count, 1024);
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* AC-2, AC-18: what a switch of the model voids comes back with it; a template brings all back. */
Test(access, models_and_templates)
{
    Estate *estate = make(&(EstateOptions){.uses_policies = true});
    CmkArgs model = estate_args(estate, CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL);
    (void)estate_must_apply(estate, model);
    expect_guard(estate, CMK_OP_KEY_GET, CMK_GUARD_ROLE_LETS_GET, "policies are void");
    const CmkArgs get = estate_args(estate, CMK_OP_KEY_GET);
    cr_assert_eq(cmk_would_apply(&estate->sim, &get).seq,
                 estate_last(estate, CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL)->seq);
    model.num[0] = CMK_PERMISSIONS_POLICY;
    (void)estate_must_apply(estate, model);
    expect_rights(estate, true, true, true, "policies count again");
    CmkArgs set = estate_args(estate, CMK_OP_ACCESS_POLICY_SET);
    set.ref[CMK_REF_GRANTEE] = ESTATE_ALICE;
    set.num[0] = CMK_PERMISSION_KEYS_ALL;
    (void)estate_must_apply(estate, set);
    cr_assert_eq(ask_as_alice(estate, CMK_OP_KEY_ROTATE).status, CMK_STATUS_OK);
    (void)estate_must(estate, CMK_OP_ACCESS_POLICY_REMOVE);
    (void)estate_must(estate, CMK_OP_KEY_VAULT_REDEPLOY_TEMPLATE);
    expect_rights(estate, true, true, true, "as in the template");
    cr_assert_eq(ask_as_alice(estate, CMK_OP_KEY_ROTATE).guard, CMK_GUARD_POLICY_LETS_ACTOR);
    estate_free(estate);
}

/* MI-13: identities and assignments of the old tenant are void; what is made anew works. */
Test(access, a_moved_subscription_leaves_its_identities_behind)
{
    Estate *estate = make(NULL);
    give_alice(estate, "Key Vault Crypto Officer", ESTATE_MANAGEMENT_GROUP);
    (void)estate_must(estate, CMK_OP_SUBSCRIPTION_MOVE_TENANT);
    expect_guard(estate, CMK_OP_KEY_GET, CMK_GUARD_CALLER_IS_KNOWN, "moved");
    cr_assert_eq(ask(estate, CMK_OP_KEY_GET), CMK_STATUS_OF(UNAUTHORIZED));
    cr_assert_eq(ask_as_alice(estate, CMK_OP_KEY_ROTATE).guard, CMK_GUARD_ROLE_LETS_ACTOR,
                 "the management group stayed behind");
    (void)estate_must(estate, CMK_OP_IDENTITY_DELETE);
    (void)estate_must(estate, CMK_OP_IDENTITY_CREATE);
    (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    estate_run(estate, CMK_MINUTE_US);
    expect_rights(estate, true, true, true, "made anew");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* MI-12: the identity's region may be down; only the key vault's matters. */
Test(access, an_outage_of_the_identitys_region_does_not_matter)
{
    Estate *estate = make(NULL);
    (void)estate_must(estate, CMK_OP_IDENTITY_DELETE);
    CmkArgs create = estate_args(estate, CMK_OP_IDENTITY_CREATE);
    create.ref[CMK_REF_REGION] = cmk_region_find("italynorth").i;
    (void)estate_must_apply(estate, create);
    (void)estate_must(estate, CMK_OP_IDENTITY_ATTACH);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    (void)estate_must(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
    estate_run(estate, CMK_MINUTE_US);
    CmkArgs lose = estate_args(estate, CMK_OP_REGION_LOSE);
    lose.ref[CMK_REF_REGION] = cmk_region_find("italynorth").i;
    (void)estate_must_apply(estate, lose);
    expect_rights(estate, true, true, true, "the identity's region is lost");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* AC-15, AC-20: what a deleted identity had is still there and still counts. */
Test(access, assignments_outlive_their_principal)
{
    Estate *estate = make(NULL);
    const CmkScope *scope = cmk_scope(estate->sim.world, (CmkScopeId){ESTATE_SUBSCRIPTION});
    const uint32_t before = scope->assignment_count;
    (void)estate_must(estate, CMK_OP_IDENTITY_DELETE);
    cr_assert_eq(scope->assignment_count, before);
    const CmkKeyVault *vault = cmk_key_vault(estate->sim.world, (CmkKeyVaultId){ESTATE_KV});
    uint32_t listed = 0;
    for (uint32_t row = vault->first_assignment; row != 0;) {
        const CmkAssignment *assignment = cmk_assignment(estate->sim.world, (CmkAssignmentId){row});
        listed++;
        row = assignment->next_of_key_vault;
    }
    cr_assert_eq(listed, before);
    /* Each identity has one at either key vault: those of the deleted one are orphaned. */
    cr_assert_eq(cmk_assignments_orphaned(estate->sim.world), 2);
    /* The others' principals stay behind with the tenant, what lay in the subscription is void. */
    (void)estate_must(estate, CMK_OP_SUBSCRIPTION_MOVE_TENANT);
    cr_assert_eq(cmk_assignments_orphaned(estate->sim.world), 3);
    estate_free(estate);
}

/* However many there are: no assignment at the scope is left, and the subscription counts none. */
Test(access, role_remove_takes_them_all)
{
    Estate *estate = make(NULL);
    const CmkScope *scope = cmk_scope(estate->sim.world, (CmkScopeId){ESTATE_SUBSCRIPTION});
    const uint32_t before = scope->assignment_count;
    CmkArgs assign = estate_args(estate, CMK_OP_ROLE_ASSIGN);
    const int64_t first_role = assign.num[0];
    uint32_t roles = 0;
    uint32_t given = 0;
    const CmkRoleFacts *facts = cmk_role_facts(&roles);
    for (assign.num[0] = 1; assign.num[0] < roles; assign.num[0]++) {
        if (assign.num[0] != first_role && facts[assign.num[0]].kind != CMK_ROLE_LOCAL) {
            (void)estate_must_apply(estate, assign);
            given++;
        }
    }
    cr_assert_eq(scope->assignment_count, before + given);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    cr_assert_eq(scope->assignment_count, before - 1);
    expect_rights(estate, false, false, false, "all are gone");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* AC-15: those of all who ever had the name go, those of who has it now stay. */
Test(access, orphaned_assignments_can_be_removed)
{
    Estate *estate = make(NULL);
    const uint32_t at_spare = 1; /* at the other key vault */
    for (uint32_t i = 0; i < 3; i++) {
        (void)estate_must(estate, CMK_OP_IDENTITY_DELETE);
        (void)estate_must(estate, CMK_OP_IDENTITY_CREATE);
        (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    }
    cr_assert_eq(cmk_assignments_orphaned(estate->sim.world), 3 + at_spare);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE_ORPHANED);
    cr_assert_eq(cmk_assignments_orphaned(estate->sim.world), at_spare);
    cr_assert_eq(estate_try(estate, CMK_OP_ROLE_REMOVE).status, CMK_STATUS_OK, "the last one's");
    cr_assert_str_eq(estate->trouble, "");
    estate_free(estate);
}

/* Gives what each refusal asks for, until it is not the person any more who is in the way. Gives
 * how often that was. */
static uint32_t let_person(Estate *estate, const CmkArgs *args)
{
    uint32_t given = 0;
    CmkGuardId guard = cmk_would_apply(&estate->sim, args).guard;
    while (guard != CMK_GUARD_NONE &&
           estate->sim.model->guards[guard]->status == CMK_STATUS_OF(AUTHORIZATION_FAILED)) {
        const CmkRepair *repair = &estate->sim.model->guards[guard]->repairs[0];
        CmkArgs give = {.op = repair->op, .actor = CMK_ACTOR_STEP};
        cr_assert(repair->op == CMK_OP_ROLE_ASSIGN && repair->bind(estate->sim.world, args, &give),
                  "%s: no way out", estate->sim.model->operations[args->op]->name);
        (void)estate_must_apply(estate, give);
        given++;
        const CmkGuardId next = cmk_would_apply(&estate->sim, args).guard;
        cr_assert(next != guard, "%s: in vain", estate->sim.model->operations[args->op]->name);
        guard = next;
    }
    return given;
}

/* What local roles of Managed HSMs allow, besides keys and roles. */
#define INSIDE_HSMS                                                                                \
    (CMK_PERMISSION_SECURITY_DOMAIN | CMK_PERMISSION_HSM_BACKUP | CMK_PERMISSION_HSM_RESTORE)

/* Whatever a person is refused for want of a role, somebody can give that role. */
Test(access, each_refused_person_can_be_let)
{
    uint32_t given = 0;
    for (uint32_t op = 1; op < CMK_OP__COUNT; op++) {
        const CmkPermissions of_data =
            CMK_PERMISSION_KEYS_ALL | CMK_PERMISSION_SECRETS_ALL | INSIDE_HSMS;
        if ((cmk_azure_model()->operations[op]->permission & ~of_data) == 0)
            continue;
        Estate *estate = make(NULL);
        CmkArgs args = estate_args(estate, (CmkOpId)op);
        args.ref[CMK_REF_ACTOR] = ESTATE_NOBODY;
        const uint32_t now = let_person(estate, &args);
        cr_assert_gt(now, 0, "%s", cmk_azure_model()->operations[op]->name);
        given += now;
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
    cr_assert_gt(given, 40, "%u", given);
}

/* OQ-31: with another identity on the same key, the new one needs get, wrap and unwrap, and the old
 * one nothing. */
Test(access, a_change_of_identity_asks_the_new_one_only)
{
    const struct {
        const char *role;
        bool is_enough;
    } cases[] = {{"Key Vault Crypto Service Encryption User", true}, {"Key Vault Reader", false}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make(NULL);
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE); /* the old one has nothing now */
        CmkArgs args = estate_args(estate, CMK_OP_ROLE_REMOVE);
        args.ref[CMK_REF_IDENTITY] = ESTATE_OTHER_IDENTITY;
        (void)estate_must_apply(estate, args);
        args.op = CMK_OP_ROLE_ASSIGN;
        args.num[0] = cmk_role_find(cases[i].role);
        (void)estate_must_apply(estate, args);
        CmkArgs update = estate_args(estate, CMK_OP_BACKUP_VAULT_UPDATE_ENCRYPTION);
        update.ref[CMK_REF_IDENTITY] = ESTATE_OTHER_IDENTITY;
        update.ref[CMK_REF_KEY] = 0; /* as it is */
        update.ref[CMK_REF_KEY_VAULT] = 0;
        (void)estate_must_apply(estate, update);
        estate_run(estate, CMK_MINUTE_US);
        const bool is_changed = estate_vault(estate)->identity == ESTATE_OTHER_IDENTITY;
        cr_assert_eq(is_changed, cases[i].is_enough, "%s", cases[i].role);
        cr_assert_str_eq(estate->trouble, "");
        estate_free(estate);
    }
}

/* ---- whom operations ask about --------------------------------------------------------------- */

/* Those that no person asks for, and why nobody is asked whether they may. */
static const struct {
    CmkOpId op;
    const char *reason;
} asks_nobody[] = {
#define TIME "time that passes"
#define SERVICE "Backup at work, or a later part of what somebody asked for"
#define WORLD "what goes wrong in the world, or gets well again"
    {CMK_OP_SIMULATION_OPEN, TIME},
    {CMK_OP_KEY_SETTLE, TIME},
    {CMK_OP_KEY_ROTATE_IF_DUE, TIME},
    {CMK_OP_KEY_NOTIFY_NEAR_EXPIRY, TIME},
    {CMK_OP_ROLE_PROPAGATE, TIME},
    {CMK_OP_MEMBERSHIP_ACT, TIME},
    {CMK_OP_INSTANCE_END_CHARGE, TIME},
    {CMK_OP_POINT_DROP_COPY, TIME},
    {CMK_OP_INSTANCE_PURGE, TIME},
    {CMK_OP_POINT_PURGE, TIME},
    {CMK_OP_BACKUP_VAULT_PURGE_DELETED, TIME},
    {CMK_OP_INSTANCE_FAIL_CONFIGURATION, TIME},
    {CMK_OP_INSTANCE_SETTLE, TIME},
    {CMK_OP_INSTANCE_CONFIGURE, SERVICE},
    {CMK_OP_BACKUP_ACCEPT_KEY, SERVICE},
    {CMK_OP_BACKUP_VAULT_VANISH, SERVICE},
    {CMK_OP_BACKUP_VAULT_ARRIVE, SERVICE},
    {CMK_OP_ENCRYPTION_VALIDATE, SERVICE},
    {CMK_OP_ENCRYPTION_COMMIT, SERVICE},
    {CMK_OP_ENCRYPTION_RESTORE, SERVICE},
    {CMK_OP_ROTATION_START, SERVICE},
    {CMK_OP_ROTATION_COMMIT, SERVICE},
    {CMK_OP_BACKUP_START, SERVICE},
    {CMK_OP_BACKUP_COMMIT, SERVICE},
    {CMK_OP_POINT_REHYDRATE, SERVICE},
    {CMK_OP_RESTORE_COMMIT, SERVICE},
    {CMK_OP_TIERING_START, SERVICE},
    {CMK_OP_POINT_TIER, SERVICE},
    {CMK_OP_EXPIRY_START, SERVICE},
    {CMK_OP_POINT_EXPIRE, SERVICE},
    {CMK_OP_POINT_OVERDUE, SERVICE},
    {CMK_OP_TASK_WAIT, SERVICE},
    {CMK_OP_TASK_RETRY, SERVICE},
    {CMK_OP_TASK_FAIL, SERVICE},
    {CMK_OP_TASK_FINISH, SERVICE},
    {CMK_OP_KEY_VAULT_THROTTLE, WORLD},
    {CMK_OP_KEY_VAULT_UNTHROTTLE, WORLD},
    {CMK_OP_REGION_LOSE, WORLD},
    {CMK_OP_REGION_BEGIN_FAILOVER, WORLD},
    {CMK_OP_REGION_COMPLETE_FAILOVER, WORLD},
    {CMK_OP_REGION_RETURN, WORLD},
    {CMK_OP_REGION_COMPLETE_FAILBACK, WORLD},
    {CMK_OP_REGION_LOSE_ZONE, WORLD},
    {CMK_OP_REGION_RETURN_ZONE, WORLD},
    {CMK_OP_SERVICE_FAIL, WORLD},
    {CMK_OP_SERVICE_RECOVER, WORLD},
    {CMK_OP_MANAGED_HSM_LOSE_DOMAIN_KEYS, WORLD},
};

static const char *reason_of(CmkOpId op)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(asks_nobody); i++) {
        if (asks_nobody[i].op == op) {
            return asks_nobody[i].reason;
        }
    }
    return NULL;
}

static bool asks(const CmkOperation *operation, CmkGuardId guard)
{
    uint32_t i = 0;
    while (operation->guards[i] != CMK_GUARD_NONE && operation->guards[i] != guard) {
        i++;
    }
    return operation->guards[i] == guard;
}

/* On the management plane that comes first, whatever else is wrong; with keys and secrets both
 * permission models are asked, and with keys the local roles of Managed HSMs. Whoever makes
 * key.get, wrap and unwrap and secret.get is an identity, whose own guards ask. */
Test(access, operations_say_which_right_they_take)
{
    const CmkModel *model = cmk_azure_model();
    for (uint32_t op = 1; op < model->operation_count; op++) {
        const CmkOperation *operation = model->operations[op];
        const uint64_t of_data = CMK_PERMISSION_KEYS_ALL | CMK_PERMISSION_SECRETS_ALL;
        const bool is_on_key = (operation->permission & of_data) != 0;
        const bool is_of_identity = op == CMK_OP_KEY_GET || op == CMK_OP_KEY_WRAP ||
                                    op == CMK_OP_KEY_UNWRAP || op == CMK_OP_SECRET_GET;
        const bool has_right = operation->permission != 0;
        cr_expect_neq(has_right, reason_of((CmkOpId)op) != NULL,
                      "%s: takes a right, or has a reason for taking none", operation->name);
        cr_expect(has_right || operation->az == NULL, "%s: people ask for it", operation->name);
        cr_expect_eq(has_right, operation->action != NULL, "%s: the right has a name",
                     operation->name);
        const bool is_in_hsm = (operation->permission & INSIDE_HSMS) != 0;
        cr_expect_eq(has_right && !is_on_key && !is_in_hsm,
                     operation->guards[0] == CMK_GUARD_ACTOR_MAY_MANAGE,
                     "%s: it is asked for first", operation->name);
        const bool is_on_secret = (operation->permission & CMK_PERMISSION_SECRETS_ALL) != 0;
        cr_expect_eq((is_on_key && !is_on_secret && !is_of_identity) || is_in_hsm,
                     asks(operation, CMK_GUARD_LOCAL_ROLE_LETS_ACTOR), "%s: local roles are asked",
                     operation->name);
        cr_expect_eq(is_on_key && !is_of_identity, asks(operation, CMK_GUARD_ROLE_LETS_ACTOR),
                     "%s: roles are asked", operation->name);
        cr_expect_eq(is_on_key && !is_of_identity, asks(operation, CMK_GUARD_POLICY_LETS_ACTOR),
                     "%s: access policies are asked", operation->name);
    }
}
