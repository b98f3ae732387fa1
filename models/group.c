/* Groups: who is in them, and from when on tokens say so (AC-12, OQ-11). */
#include "models/access.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/rows.h"

uint32_t cmk_membership_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_membership(world, (CmkMembershipId){row})->epoch;
}

/* The row of the member and group that the arguments name; {0} if it never was in it. O(groups of
 * the member). */
static CmkMembershipId membership_of(const CmkWorld *world, const CmkArgs *args)
{
    uint32_t row = cmk_principal(world, cmk_access_caller(world, args))->first_membership;
    while (row != 0) {
        const CmkMembership *membership = cmk_membership(world, (CmkMembershipId){row});
        if (membership->group == args->ref[CMK_REF_GROUP]) {
            break;
        }
        row = membership->next_of_principal;
    }
    return (CmkMembershipId){row};
}

/* ---- guards ---------------------------------------------------------------------------------- */

/* By what the directory says, whatever tokens still say. */
static bool member_is_in_group(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkMembershipId id = membership_of(world, args);
    const CmkMembership *membership = cmk_membership(world, id);
    *ret_blame = membership->changed_by;
    return id.i != 0 && (membership->state == CMK_MEMBERSHIP_JOINING ||
                         membership->state == CMK_MEMBERSHIP_ACTIVE);
}

const CmkGuard cmk_guard_member_is_in_group = {.name = "member-is-in-group",
                                               .holds = member_is_in_group,
                                               .status = CMK_STATUS_OF(NOT_FOUND),
                                               .rule = "AC-12",
                                               .text = "The group has this member."};

static bool member_is_new(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return !member_is_in_group(world, args, ret_blame);
}

const CmkGuard cmk_guard_member_is_new = {.name = "member-is-new",
                                          .holds = member_is_new,
                                          .status = CMK_STATUS_OF(CONFLICT),
                                          .rule = "AC-12",
                                          .text = "The group does not have this member yet."};

/* ---- operations ------------------------------------------------------------------------------ */

/* A change acts when the member gets its next token; one that takes back another that does not act
 * yet leaves everything as it was. */
static void change(CmkSim *sim, const CmkArgs *args, CmkMembershipId id,
                   CmkMembershipState on_its_way)
{
    CmkMembership *membership = cmk_membership_mut(sim, id);
    const CmkPrincipalId principal = {membership->principal};
    const CmkTime acts_at = cmk_principal_token_end(sim->world, principal);
    const bool is_joining = on_its_way == CMK_MEMBERSHIP_JOINING;
    const CmkMembershipState end = is_joining ? CMK_MEMBERSHIP_ACTIVE : CMK_MEMBERSHIP_ENDED;
    const CmkMembershipState opposite =
        is_joining ? CMK_MEMBERSHIP_LEAVING : CMK_MEMBERSHIP_JOINING;
    /* The world was set up long ago: all tokens know of it. */
    const bool is_at_once = membership->state == opposite || acts_at == cmk_world_now(sim->world) ||
                            !cmk_is_open(sim->world);
    membership->state = is_at_once ? end : on_its_way;
    membership->epoch++;
    membership->changed_by = cmk_this_seq(sim);
    if (!is_at_once) {
        (void)cmk_engine_set_timer(sim, acts_at, CMK_EVENT_MEMBERSHIP, id.i, args);
    }
}

static uint32_t group_add_member(CmkSim *sim, const CmkArgs *args)
{
    CmkMembershipId id = membership_of(sim->world, args);
    if (id.i == 0) {
        const CmkPrincipalId principal_id = cmk_access_caller(sim->world, args);
        CmkPrincipal *principal = cmk_principal_mut(sim, principal_id);
        id = (CmkMembershipId){cmk_world_row_add(sim->world, CMK_TABLE_MEMBERSHIP)};
        *cmk_membership_mut(sim, id) =
            (CmkMembership){.principal = principal_id.i,
                            .group = args->ref[CMK_REF_GROUP],
                            .state = CMK_MEMBERSHIP_ENDED,
                            .next_of_principal = principal->first_membership};
        principal->first_membership = id.i;
    }
    change(sim, args, id, CMK_MEMBERSHIP_JOINING);
    return id.i;
}

const CmkOperation cmk_op_group_add_member = {
    .name = "group.add_member",
    .permission = CMK_PERMISSION_GROUP_WRITE,
    .text = "A user or identity joins a group; what the group may do comes with its next token.",
    .params = {{"group", CMK_PARAM_GROUP, 0, 1, CMK_REF_GROUP},
               {"member", CMK_PARAM_MEMBER, 0, 1, CMK_REF_IDENTITY}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_PRINCIPAL_EXISTS,
               CMK_GUARD_PRINCIPAL_IS_OF_THE_TENANT, CMK_GUARD_MEMBER_IS_NEW},
    .writes = CMK_BIT(PRINCIPAL) | CMK_BIT(MEMBERSHIP) | CMK_BIT_TIMERS,
    .effect = group_add_member,
    .rules = "AC-12 MI-9 MI-13 OQ-11",
    .action = "microsoft.directory/groups/members/update",
    .az = "az ad group member add",
};

static uint32_t group_remove_member(CmkSim *sim, const CmkArgs *args)
{
    const CmkMembershipId id = membership_of(sim->world, args);
    change(sim, args, id, CMK_MEMBERSHIP_LEAVING);
    return id.i;
}

const CmkOperation cmk_op_group_remove_member = {
    .name = "group.remove_member",
    .permission = CMK_PERMISSION_GROUP_WRITE,
    .text = "A user or identity leaves a group; its token says otherwise until the next one.",
    .params = {{"group", CMK_PARAM_GROUP, 0, 1, CMK_REF_GROUP},
               {"member", CMK_PARAM_MEMBER, 0, 1, CMK_REF_IDENTITY}},
    .guards = {CMK_GUARD_ACTOR_MAY_MANAGE, CMK_GUARD_PRINCIPAL_EXISTS,
               CMK_GUARD_MEMBER_IS_IN_GROUP},
    .writes = CMK_BIT(MEMBERSHIP) | CMK_BIT_TIMERS,
    .effect = group_remove_member,
    .rules = "AC-12 MI-9 OQ-11",
    .action = "microsoft.directory/groups/members/update",
    .az = "az ad group member remove",
};

static uint32_t membership_act(CmkSim *sim, const CmkArgs *args)
{
    const CmkMembershipId id = {(uint32_t)args->num[0]};
    CmkMembership *membership = cmk_membership_mut(sim, id);
    membership->epoch++;
    if (membership->state == CMK_MEMBERSHIP_JOINING) {
        membership->state = CMK_MEMBERSHIP_ACTIVE;
        membership->changed_by = cmk_this_seq(sim);
    } else {
        membership->state = CMK_MEMBERSHIP_ENDED; /* by whoever took the member out */
    }
    return id.i;
}

const CmkOperation cmk_op_membership_act = {
    .name = "membership.act",
    .text = "A member has a new token, which says what groups it is in now.",
    .params = {{"membership", CMK_PARAM_INTEGER, 1, 1, 0}},
    .writes = CMK_BIT(MEMBERSHIP),
    .effect = membership_act,
    .rules = "AC-12 MI-9 OQ-11",
};

void cmk_on_membership(CmkSim *sim, const CmkTimer *timer)
{
    CmkArgs args = cmk_args_of_timer(CMK_OP_MEMBERSHIP_ACT, timer);
    args.num[0] = timer->subject;
    (void)cmk_apply(sim, &args);
}
