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
    (void)cmk_role_facts(&count);
    cr_assert_geq(count, CMK_ARRAY_LEN(cases) + 1); /* those that manage resources come behind */
    for (uint32_t i = CMK_ARRAY_LEN(cases) + 1; i < count; i++) {
        cr_assert_eq(cmk_role_permissions(i) & CMK_PERMISSION_KEYS_ALL, 0);
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
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN); /* the same once more */
    CmkArgs remove = estate_args(estate, CMK_OP_ROLE_REMOVE);
    remove.num[0] = cmk_role_find("Key Vault Crypto Service Encryption User");
    (void)estate_must_apply(estate, remove);
    expect_rights(estate, true, true, false, "still a reader");
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
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
