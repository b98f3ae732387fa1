/* Regions: pairs, outage, failover of the key vaults in them, and the way back (section 6). */
#include "models/region.h"
#include "models/model.h"
#include "models/mutate.h"
#include "models/replica.h"
#include "models/rows.h"

#define ZONES true
#define NO_ZONES false
#define FAILOVER true
#define NO_FAILOVER false
#define RESTRICTED true
#define OPEN false

/* Region table of section 6; element 0 stands for none. Four pairs go one way (REL-17). A Backup
 * vault with a customer-managed key can be in any of them (BV-15); whether its key survives an
 * outage depends on the region of the key vault alone, so that is what to choose with care
 * (REL-14). */
static const CmkRegionFacts regions[] = {
    {NULL, NULL, NULL, NO_ZONES, NO_FAILOVER, OPEN},
    {"australiacentral", "Australia Central", "australiacentral2", NO_ZONES, FAILOVER, OPEN},
    {"australiacentral2", "Australia Central 2", "australiacentral", NO_ZONES, FAILOVER,
     RESTRICTED},
    {"australiaeast", "Australia East", "australiasoutheast", ZONES, FAILOVER, OPEN},
    {"australiasoutheast", "Australia Southeast", "australiaeast", NO_ZONES, FAILOVER, OPEN},
    {"brazilsouth", "Brazil South", "southcentralus", ZONES, NO_FAILOVER, OPEN},
    {"brazilsoutheast", "Brazil Southeast", "brazilsouth", NO_ZONES, NO_FAILOVER, RESTRICTED},
    {"canadacentral", "Canada Central", "canadaeast", ZONES, FAILOVER, OPEN},
    {"canadaeast", "Canada East", "canadacentral", NO_ZONES, FAILOVER, OPEN},
    {"centralindia", "Central India", "southindia", ZONES, FAILOVER, OPEN},
    {"southindia", "South India", "centralindia", NO_ZONES, FAILOVER, OPEN},
    {"centralus", "Central US", "eastus2", ZONES, FAILOVER, OPEN},
    {"eastus2", "East US 2", "centralus", ZONES, FAILOVER, OPEN},
    {"eastasia", "East Asia", "southeastasia", ZONES, FAILOVER, OPEN},
    {"southeastasia", "Southeast Asia", "eastasia", ZONES, FAILOVER, OPEN},
    {"eastus", "East US", "westus", ZONES, FAILOVER, OPEN},
    {"westus", "West US", "eastus", NO_ZONES, FAILOVER, OPEN},
    {"francecentral", "France Central", "francesouth", ZONES, FAILOVER, OPEN},
    {"francesouth", "France South", "francecentral", NO_ZONES, FAILOVER, RESTRICTED},
    {"germanywestcentral", "Germany West Central", "germanynorth", ZONES, FAILOVER, OPEN},
    {"germanynorth", "Germany North", "germanywestcentral", NO_ZONES, FAILOVER, RESTRICTED},
    {"japaneast", "Japan East", "japanwest", ZONES, FAILOVER, OPEN},
    {"japanwest", "Japan West", "japaneast", ZONES, FAILOVER, OPEN},
    {"koreacentral", "Korea Central", "koreasouth", ZONES, FAILOVER, OPEN},
    {"koreasouth", "Korea South", "koreacentral", NO_ZONES, FAILOVER, RESTRICTED},
    {"northcentralus", "North Central US", "southcentralus", NO_ZONES, FAILOVER, OPEN},
    {"southcentralus", "South Central US", "northcentralus", ZONES, FAILOVER, OPEN},
    {"northeurope", "North Europe", "westeurope", ZONES, FAILOVER, OPEN},
    {"westeurope", "West Europe", "northeurope", ZONES, FAILOVER, OPEN},
    {"norwayeast", "Norway East", "norwaywest", ZONES, FAILOVER, OPEN},
    {"norwaywest", "Norway West", "norwayeast", NO_ZONES, FAILOVER, RESTRICTED},
    {"southafricanorth", "South Africa North", "southafricawest", ZONES, FAILOVER, OPEN},
    {"southafricawest", "South Africa West", "southafricanorth", NO_ZONES, FAILOVER, RESTRICTED},
    {"swedencentral", "Sweden Central", "swedensouth", ZONES, FAILOVER, OPEN},
    {"swedensouth", "Sweden South", "swedencentral", NO_ZONES, FAILOVER, RESTRICTED},
    {"switzerlandnorth", "Switzerland North", "switzerlandwest", ZONES, FAILOVER, OPEN},
    {"switzerlandwest", "Switzerland West", "switzerlandnorth", NO_ZONES, FAILOVER, RESTRICTED},
    {"uaenorth", "UAE North", "uaecentral", ZONES, FAILOVER, OPEN},
    {"uaecentral", "UAE Central", "uaenorth", NO_ZONES, FAILOVER, RESTRICTED},
    {"uksouth", "UK South", "ukwest", ZONES, FAILOVER, OPEN},
    {"ukwest", "UK West", "uksouth", NO_ZONES, FAILOVER, OPEN},
    {"westcentralus", "West Central US", "westus2", NO_ZONES, FAILOVER, OPEN},
    {"westus2", "West US 2", "westcentralus", ZONES, FAILOVER, OPEN},
    {"westus3", "West US 3", "eastus", ZONES, NO_FAILOVER, OPEN},
    {"westindia", "West India", "southindia", NO_ZONES, FAILOVER, OPEN},
    {"israelcentral", "Israel Central", NULL, ZONES, NO_FAILOVER, OPEN},
    {"italynorth", "Italy North", NULL, ZONES, NO_FAILOVER, OPEN},
    {"mexicocentral", "Mexico Central", NULL, ZONES, NO_FAILOVER, OPEN},
    {"newzealandnorth", "New Zealand North", NULL, ZONES, NO_FAILOVER, OPEN},
    {"polandcentral", "Poland Central", NULL, ZONES, NO_FAILOVER, OPEN},
    {"qatarcentral", "Qatar Central", NULL, ZONES, NO_FAILOVER, OPEN},
    {"spaincentral", "Spain Central", NULL, ZONES, NO_FAILOVER, OPEN},
    {"indonesiacentral", "Indonesia Central", NULL, ZONES, NO_FAILOVER, OPEN},
};

const CmkRegionFacts *cmk_region_facts(uint32_t *ret_count)
{
    *ret_count = (uint32_t)CMK_ARRAY_LEN(regions);
    return regions;
}

CmkRegionId cmk_region_find(const char *name)
{
    for (uint32_t i = 1; i < CMK_ARRAY_LEN(regions); i++) {
        if (cmk_is_same_name(regions[i].name, name)) {
            return (CmkRegionId){i};
        }
    }
    return (CmkRegionId){0};
}

/* ---- what an outage means for a key vault ---------------------------------------------------- */

bool cmk_region_answers(const CmkWorld *world, CmkRegionId id)
{
    switch ((CmkRegionState)cmk_region(world, id)->state) {
    case CMK_REGION_UP:
    case CMK_REGION_FAILING_BACK:
        return true;
    case CMK_REGION_FAILED_OVER: /* the pair answers, if it is there itself */
        return !cmk_region_is_down(world, cmk_region_pair(world, id));
    case CMK_REGION_LOST:
    case CMK_REGION_FAILING_OVER:
        return false;
    case CMK_REGION__COUNT:
        break;
    }
    CMK_ASSERT(false);
    return false;
}

bool cmk_region_is_up(const CmkWorld *world, CmkRegionId region)
{
    return cmk_region(world, region)->state == CMK_REGION_UP;
}

uint64_t cmk_region_blame(const CmkWorld *world, CmkRegionId region)
{
    const CmkRegion *own = cmk_region(world, region);
    const CmkRegion *pair = cmk_region(world, cmk_region_pair(world, region));
    return own->state == CMK_REGION_FAILED_OVER && pair->changed_by > own->changed_by
               ? pair->changed_by
               : own->changed_by;
}

bool cmk_region_is_writable(const CmkWorld *world, CmkRegionId id)
{
    const CmkRegion *region = cmk_region(world, id);
    return region->state == CMK_REGION_UP && cmk_world_now(world) >= region->writes_from;
}

bool cmk_region_links_work(const CmkWorld *world, CmkRegionId id)
{
    const CmkRegion *region = cmk_region(world, id);
    return region->state != CMK_REGION_FAILED_OVER || cmk_world_now(world) >= region->links_from;
}

bool cmk_region_is_down(const CmkWorld *world, CmkRegionId id)
{
    const uint32_t state = cmk_region(world, id)->state;
    return state != CMK_REGION_UP && state != CMK_REGION_FAILING_BACK;
}

CmkRegionId cmk_region_pair(const CmkWorld *world, CmkRegionId id)
{
    return (CmkRegionId){cmk_region(world, id)->pair};
}

uint32_t cmk_region_epoch(const CmkWorld *world, uint32_t row)
{
    return cmk_region(world, (CmkRegionId){row})->epoch;
}

/* ---- guards ---------------------------------------------------------------------------------- */

static bool region_is_up(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkRegion *region = cmk_region(world, (CmkRegionId){args->ref[CMK_REF_REGION]});
    *ret_blame = region->changed_by;
    return region->state == CMK_REGION_UP || region->state == CMK_REGION_FAILING_BACK;
}

const CmkGuard cmk_guard_region_is_up = {.name = "region-is-up",
                                         .holds = region_is_up,
                                         .status = CMK_STATUS_OF(CONFLICT),
                                         .rule = "REL-4",
                                         .text = "The region is up."};

static bool region_is_down(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkRegionId id = {args->ref[CMK_REF_REGION]};
    *ret_blame = cmk_region(world, id)->changed_by;
    return cmk_region_is_down(world, id);
}

const CmkGuard cmk_guard_region_is_down = {.name = "region-is-down",
                                           .holds = region_is_down,
                                           .status = CMK_STATUS_OF(CONFLICT),
                                           .rule = "REL-12",
                                           .text = "The region is lost."};

static bool region_has_zones(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    (void)world;
    (void)ret_blame;
    return regions[args->ref[CMK_REF_REGION]].has_zones;
}

const CmkGuard cmk_guard_region_has_zones = {.name = "region-has-zones",
                                             .holds = region_has_zones,
                                             .status = CMK_STATUS_OF(REGION_HAS_NO_ZONES),
                                             .rule = "REL-3",
                                             .text = "The region has availability zones."};

static bool zone_is_lost(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    const CmkRegion *region = cmk_region(world, (CmkRegionId){args->ref[CMK_REF_REGION]});
    *ret_blame = region->zone_by;
    return region->is_zone_lost != 0;
}

const CmkGuard cmk_guard_zone_is_lost = {.name = "zone-is-lost",
                                         .holds = zone_is_lost,
                                         .status = CMK_STATUS_OF(CONFLICT),
                                         .rule = "REL-3",
                                         .text = "The region has lost a zone."};

static bool zones_are_all_there(const CmkWorld *world, const CmkArgs *args, uint64_t *ret_blame)
{
    return !zone_is_lost(world, args, ret_blame);
}

const CmkGuard cmk_guard_zones_are_all_there = {.name = "zones-are-all-there",
                                                .holds = zones_are_all_there,
                                                .status = CMK_STATUS_OF(CONFLICT),
                                                .rule = "REL-3",
                                                .text = "The region has lost none of its zones."};

/* ---- operations ------------------------------------------------------------------------------ */

static CmkRegion *move_to(CmkSim *sim, const CmkArgs *args, CmkRegionState state)
{
    CmkRegion *region = cmk_region_mut(sim, (CmkRegionId){args->ref[CMK_REF_REGION]});
    region->state = state;
    region->epoch++;
    region->changed_by = cmk_this_seq(sim);
    return region;
}

/* What a failover shows otherwise, and a failback as it was. */
#define REPLICATED                                                                                 \
    (CMK_BIT(KEY_VAULT) | CMK_BIT(KEY) | CMK_BIT(VERSION) | CMK_BIT(ACCESS_POLICY) |               \
     CMK_BIT(RULE_SET) | CMK_BIT(NETWORK_RULE))
/* What the second region of a Managed HSM shows otherwise, at once. */
#define REPLICATED_HSMS (CMK_BIT(MANAGED_HSM) | CMK_BIT(KEY) | CMK_BIT(VERSION))

static void expect_next(CmkSim *sim, const CmkArgs *args, CmkKnobId delay)
{
    (void)cmk_engine_set_timer(sim, cmk_world_now(sim->world) + cmk_knob(sim->world, delay),
                               CMK_EVENT_REGION, args->ref[CMK_REF_REGION], args);
}

static uint32_t region_lose(CmkSim *sim, const CmkArgs *args)
{
    move_to(sim, args, CMK_REGION_LOST)->lost_at = cmk_world_now(sim->world);
    if (regions[args->ref[CMK_REF_REGION]].has_key_vault_failover) {
        expect_next(sim, args, CMK_KNOB_FAILOVER_DECISION);
    }
    cmk_replica_show_second(sim, (CmkRegionId){args->ref[CMK_REF_REGION]});
    return args->ref[CMK_REF_REGION];
}

const CmkOperation cmk_op_region_lose = {
    .name = "region.lose",
    .text = "A region is lost; its key vaults answer nothing until somebody decides to fail over.",
    .params = {{"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION}},
    .guards = {CMK_GUARD_REGION_IS_UP},
    .writes = CMK_BIT(REGION) | REPLICATED_HSMS | CMK_BIT_TIMERS,
    .effect = region_lose,
    .rules = "REL-2 REL-4 KVE-18 HSM-15 HSM-16 HSM-17",
};

static uint32_t region_begin_failover(CmkSim *sim, const CmkArgs *args)
{
    (void)move_to(sim, args, CMK_REGION_FAILING_OVER);
    expect_next(sim, args, CMK_KNOB_FAILOVER_DURATION);
    return args->ref[CMK_REF_REGION];
}

const CmkOperation cmk_op_region_begin_failover = {
    .name = "region.begin_failover",
    .text = "The provider fails the key vaults of a lost region over to its pair.",
    .params = {{"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION}},
    .guards = {CMK_GUARD_REGION_IS_DOWN},
    .writes = CMK_BIT(REGION) | CMK_BIT_TIMERS,
    .effect = region_begin_failover,
    .rules = "REL-4 REL-5 REL-6",
};

static uint32_t region_complete_failover(CmkSim *sim, const CmkArgs *args)
{
    move_to(sim, args, CMK_REGION_FAILED_OVER)->links_from =
        cmk_world_now(sim->world) + cmk_knob(sim->world, CMK_KNOB_PRIVATE_LINK_FAILOVER);
    cmk_replica_show_pair(sim, (CmkRegionId){args->ref[CMK_REF_REGION]});
    return args->ref[CMK_REF_REGION];
}

const CmkOperation cmk_op_region_complete_failover = {
    .name = "region.complete_failover",
    .text = "The pair answers for the lost region's key vaults, read-only and without the last "
            "writes.",
    .params = {{"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION}},
    .guards = {CMK_GUARD_REGION_IS_DOWN},
    .writes = CMK_BIT(REGION) | REPLICATED,
    .effect = region_complete_failover,
    .rules = "REL-1 REL-7 REL-8 REL-9 REL-11 REL-13",
};

static uint32_t region_return(CmkSim *sim, const CmkArgs *args)
{
    const CmkRegionId id = {args->ref[CMK_REF_REGION]};
    if (cmk_region(sim->world, id)->state == CMK_REGION_FAILED_OVER) {
        (void)move_to(sim, args, CMK_REGION_FAILING_BACK);
        expect_next(sim, args, CMK_KNOB_FAILBACK_DURATION);
    } else {
        (void)move_to(sim, args, CMK_REGION_UP);
    }
    cmk_replica_show_first(sim, id);
    return id.i;
}

const CmkOperation cmk_op_region_return = {
    .name = "region.return",
    .text = "A lost region comes back; after a failover its key vaults fail back by themselves.",
    .params = {{"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION}},
    .guards = {CMK_GUARD_REGION_IS_DOWN},
    .writes = CMK_BIT(REGION) | REPLICATED_HSMS | CMK_BIT_TIMERS,
    .effect = region_return,
    .rules = "REL-12",
};

static uint32_t region_complete_failback(CmkSim *sim, const CmkArgs *args)
{
    (void)move_to(sim, args, CMK_REGION_UP);
    cmk_replica_show_own(sim, (CmkRegionId){args->ref[CMK_REF_REGION]});
    return args->ref[CMK_REF_REGION];
}

const CmkOperation cmk_op_region_complete_failback = {
    .name = "region.complete_failback",
    .text = "The region's key vaults take every kind of request again.",
    .params = {{"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION}},
    .writes = CMK_BIT(REGION) | REPLICATED,
    .effect = region_complete_failback,
    .rules = "REL-12 OQ-33",
};

static CmkRegion *set_zone_lost(CmkSim *sim, const CmkArgs *args, uint32_t is_lost)
{
    CmkRegion *region = cmk_region_mut(sim, (CmkRegionId){args->ref[CMK_REF_REGION]});
    region->is_zone_lost = is_lost;
    region->zone_by = cmk_this_seq(sim);
    return region;
}

static uint32_t region_lose_zone(CmkSim *sim, const CmkArgs *args)
{
    set_zone_lost(sim, args, 1)->writes_from =
        cmk_world_now(sim->world) + cmk_knob(sim->world, CMK_KNOB_ZONE_WRITE_PAUSE);
    return args->ref[CMK_REF_REGION];
}

const CmkOperation cmk_op_region_lose_zone = {
    .name = "region.lose_zone",
    .text = "A region loses one of its zones; its key vaults take no writes for a moment.",
    .params = {{"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION}},
    .guards = {CMK_GUARD_REGION_HAS_ZONES, CMK_GUARD_REGION_IS_UP, CMK_GUARD_ZONES_ARE_ALL_THERE},
    .writes = CMK_BIT(REGION),
    .effect = region_lose_zone,
    .rules = "REL-3",
};

static uint32_t region_return_zone(CmkSim *sim, const CmkArgs *args)
{
    (void)set_zone_lost(sim, args, 0);
    return args->ref[CMK_REF_REGION];
}

const CmkOperation cmk_op_region_return_zone = {
    .name = "region.return_zone",
    .text = "The lost zone of a region comes back.",
    .params = {{"region", CMK_PARAM_REGION, 0, 1, CMK_REF_REGION}},
    .guards = {CMK_GUARD_ZONE_IS_LOST},
    .writes = CMK_BIT(REGION),
    .effect = region_return_zone,
    .rules = "REL-3",
};

void cmk_on_region(CmkSim *sim, const CmkTimer *timer)
{
    CmkArgs args = cmk_args_of_timer(CMK_OP_NONE, timer);
    args.ref[CMK_REF_REGION] = timer->subject;
    switch ((CmkRegionState)cmk_region(sim->world, (CmkRegionId){timer->subject})->state) {
    case CMK_REGION_LOST:
        args.op = CMK_OP_REGION_BEGIN_FAILOVER;
        break;
    case CMK_REGION_FAILING_OVER:
        args.op = CMK_OP_REGION_COMPLETE_FAILOVER;
        break;
    case CMK_REGION_FAILING_BACK:
        args.op = CMK_OP_REGION_COMPLETE_FAILBACK;
        break;
    case CMK_REGION_UP:
    case CMK_REGION_FAILED_OVER:
    case CMK_REGION__COUNT:
        CMK_ASSERT(false); /* no timer is pending in these states */
    }
    (void)cmk_apply(sim, &args);
}
