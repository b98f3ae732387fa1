/* Fleets: many Backup vaults like one that is written out. */
#include <string.h>

#include "scenarios/estate.h"

/* BV-1 */
#define VAULT_NAME_MIN 2
#define VAULT_NAME_MAX 50

char *cmk_fleet_member_name(const CmkFleet *fleet, uint32_t i)
{
    const char *pattern = cmk_node_text(fleet->item->name);
    const char *place = strstr(pattern, "{n}");
    CMK_ASSERT(place != NULL);
    /* Numbers have leading zeros, so that names sort like numbers. */
    return g_strdup_printf("%.*s%0*" G_GUINT32_FORMAT "%s", (int)(place - pattern), pattern,
                           (int)fleet->digits, i + 1, place + 3);
}

static uint32_t digits_of(uint32_t number)
{
    uint32_t digits = 1;
    while (number >= 10) {
        number /= 10;
        digits++;
    }
    return digits;
}

static bool is_pattern(const CmkFleetItem *item, CmkDiagnostics *diagnostics)
{
    const char *pattern = cmk_node_text(item->name);
    const char *place = strstr(pattern, "{n}");
    bool is_right = place != NULL && strstr(place + 3, "{n}") == NULL;
    for (const char *c = pattern; is_right && *c != '\0'; c++) {
        c += c == place ? 3 : 0;
        is_right = *c == '\0' || g_ascii_isalnum(*c) || *c == '-';
        if (*c == '\0') {
            break;
        }
    }
    if (!is_right) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(item->name),
                              "`%s` cannot be the names of a fleet's vaults", pattern);
        cmk_diagnostics_hint(diagnostics, "use letters, digits and -, and {n} once: \"bv-{n}\"");
    }
    return is_right;
}

static bool is_length_right(const CmkFleet *fleet, CmkDiagnostics *diagnostics)
{
    g_autofree char *name = cmk_fleet_member_name(fleet, fleet->count - 1);
    const size_t length = strlen(name);
    if (length >= VAULT_NAME_MIN && length <= VAULT_NAME_MAX) {
        return true;
    }
    cmk_diagnostics_error(diagnostics, cmk_node_position(fleet->item->name),
                          "`%s` has %zu characters, but the name of a Backup vault has %d to %d",
                          name, length, VAULT_NAME_MIN, VAULT_NAME_MAX);
    return false;
}

/* Names one member and its instances; false if the vault's name is taken. */
static bool name_member(CmkScenario *scenario, CmkDiagnostics *diagnostics, const CmkFleet *fleet,
                        uint32_t i)
{
    g_autofree char *name = cmk_fleet_member_name(fleet, i);
    const uint32_t vault = fleet->first_vault + i;
    const CmkNamed *earlier =
        cmk_names_add(scenario, CMK_NAMED_BACKUP_VAULT, &(CmkNamed){.name = name, .row = vault});
    if (earlier != NULL) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(fleet->item->name),
                              "a second Backup vault is called `%s`", name);
        if (earlier->node != NULL) {
            cmk_diagnostics_note(diagnostics, cmk_node_position(earlier->node),
                                 "the first one is here");
        }
        cmk_diagnostics_hint(diagnostics, "give the vaults of this fleet another pattern of names");
        return false;
    }
    for (uint32_t j = 0; j < fleet->instance_count; j++) {
        const CmkInstanceItem *instance =
            &g_array_index(fleet->like->instances, CmkInstanceItem, j);
        g_autofree char *path = g_strconcat(name, "/", cmk_node_text(instance->name), NULL);
        const uint32_t row = fleet->first_instance + i * fleet->instance_count + j;
        (void)cmk_names_add(scenario, CMK_NAMED_INSTANCE,
                            &(CmkNamed){.name = path, .row = row, .owner = vault});
    }
    return true;
}

/* The written-out vault that a fleet is like; NULL if there is none, which is reported later. */
static const CmkBackupVaultItem *find_like(const CmkScenario *scenario, const CmkFleetItem *item)
{
    const GArray *vaults = scenario->estate->file.world.backup_vaults;
    const uint32_t row =
        item->like.node == NULL
            ? 0
            : cmk_scenario_find(scenario, "backup_vault", cmk_node_text(item->like.node));
    return row == 0 || row > vaults->len ? NULL
                                         : &g_array_index(vaults, CmkBackupVaultItem, row - 1);
}

/* Whether everything is there that a fleet is made from. */
static bool is_complete(const CmkFleetItem *item, const CmkBackupVaultItem *like)
{
    if (item->name == NULL || item->count == 0 || like == NULL) {
        return false;
    }
    for (guint i = 0; like->instances != NULL && i < like->instances->len; i++) {
        if (g_array_index(like->instances, CmkInstanceItem, i).name == NULL) {
            return false;
        }
    }
    return true;
}

static bool collect(CmkScenario *scenario, CmkDiagnostics *diagnostics, const CmkFleetItem *item)
{
    CmkEstate *estate = scenario->estate;
    const CmkBackupVaultItem *like = find_like(scenario, item);
    if (!is_complete(item, like)) {
        return true; /* what is missing has its own message */
    }
    CMK_ASSERT(like != NULL);
    if (!is_pattern(item, diagnostics)) {
        return false;
    }
    CmkFleet fleet = {
        .item = item,
        .like = like,
        .like_row = cmk_scenario_find(scenario, "backup_vault", cmk_node_text(item->like.node)),
        .count = (uint32_t)item->count,
        .first_vault = estate->rows[CMK_NAMED_BACKUP_VAULT] + 1,
        .first_instance = estate->rows[CMK_NAMED_INSTANCE] + 1,
        .digits = digits_of((uint32_t)item->count)};
    fleet.instance_count = fleet.like->instances == NULL ? 0 : fleet.like->instances->len;
    if (!is_length_right(&fleet, diagnostics)) {
        return false;
    }
    const uint64_t instances =
        (uint64_t)fleet.count * fleet.instance_count + estate->rows[CMK_NAMED_INSTANCE];
    if (instances > INT32_MAX) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(item->node),
                              "this makes %" G_GUINT64_FORMAT " backup instances, too many",
                              instances);
        return false;
    }
    estate->rows[CMK_NAMED_BACKUP_VAULT] += fleet.count;
    estate->rows[CMK_NAMED_INSTANCE] = (uint32_t)instances;
    g_array_append_val(estate->fleets, fleet);
    for (uint32_t i = 0; i < fleet.count; i++) {
        if (!name_member(scenario, diagnostics, &fleet, i)) {
            return false;
        }
    }
    return true;
}

bool cmk_fleets_collect(CmkScenario *scenario, CmkDiagnostics *diagnostics)
{
    const GArray *fleets = scenario->estate->file.world.fleets;
    bool is_right = true;
    for (guint i = 0; fleets != NULL && i < fleets->len; i++) {
        is_right &= collect(scenario, diagnostics, &g_array_index(fleets, CmkFleetItem, i));
    }
    return is_right;
}
