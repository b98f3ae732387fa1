/* Reading a scenario file: the parts in their order, and what no table can say. */
#include "scenarios/scenario.h"

#include <string.h>

#include "scenarios/estate.h"

/* ---- made and freed -------------------------------------------------------------------------- */

static void clear_planned(gpointer data)
{
    CmkPlanned *planned = data;
    g_free(planned->id);
    g_free(planned->what);
    g_free(planned->text);
}

static void clear_expectation(gpointer data)
{
    CmkExpectation *expectation = data;
    g_free(expectation->text);
}

static CmkScenario *scenario_new(const char *path)
{
    CmkScenario *scenario = g_new0(CmkScenario, 1);
    scenario->path = g_strdup(path);
    scenario->shows = g_ptr_array_new_with_free_func(g_free);
    scenario->tags = g_ptr_array_new_with_free_func(g_free);
    scenario->plan = g_array_new(FALSE, TRUE, sizeof(CmkPlanned));
    g_array_set_clear_func(scenario->plan, clear_planned);
    scenario->expectations = g_array_new(FALSE, TRUE, sizeof(CmkExpectation));
    g_array_set_clear_func(scenario->expectations, clear_expectation);
    scenario->named = g_array_new(FALSE, TRUE, sizeof(CmkNamed));
    scenario->canonical = g_string_new(NULL);
    scenario->estate = g_new0(CmkEstate, 1);
    scenario->estate->fleets = g_array_new(FALSE, TRUE, sizeof(CmkFleet));
    scenario->estate->strings = g_string_chunk_new(4096);
    return scenario;
}

static void estate_free(CmkEstate *estate)
{
    cmk_fields_clear(cmk_language_fields(), &estate->file);
    for (uint32_t kind = 0; kind < CMK_NAMED__COUNT; kind++) {
        if (estate->by_name[kind] != NULL) {
            g_hash_table_unref(estate->by_name[kind]);
        }
    }
    g_array_unref(estate->fleets);
    g_string_chunk_free(estate->strings);
    g_free(estate);
}

void cmk_scenario_free(CmkScenario *scenario)
{
    if (scenario == NULL) {
        return;
    }
    estate_free(scenario->estate);
    g_free(scenario->path);
    g_free(scenario->name);
    g_free(scenario->summary);
    g_ptr_array_unref(scenario->shows);
    g_ptr_array_unref(scenario->tags);
    g_array_unref(scenario->plan);
    g_array_unref(scenario->expectations);
    g_array_unref(scenario->named);
    (void)g_string_free(scenario->canonical, TRUE);
    cmk_tree_free(scenario->tree);
    g_free(scenario);
}

/* ---- the head -------------------------------------------------------------------------------- */

/* The version comes first, since it says how to read all the rest. */
static bool check_version(const CmkNode *root, CmkDiagnostics *diagnostics)
{
    const CmkNode *first = cmk_node_first(root);
    const CmkNode *version = cmk_node_get(root, "cmksim");
    int64_t number = 0;
    char message[CMK_MESSAGE_SIZE];
    if (version == NULL || version != first) {
        cmk_diagnostics_error(
            diagnostics, version == NULL ? cmk_node_position(root) : cmk_node_key_position(version),
            version == NULL ? "the key `cmksim` is missing" : "`cmksim` must be the first key");
        cmk_diagnostics_hint(diagnostics, "begin the file with `cmksim: %d`", CMK_LANGUAGE_VERSION);
        return false;
    }
    if (cmk_node_kind(version) == CMK_NODE_SCALAR &&
        cmk_integer_parse(cmk_node_text(version), CMK_LANGUAGE_VERSION, CMK_LANGUAGE_VERSION,
                          &number, message)) {
        return true;
    }
    cmk_diagnostics_error(diagnostics, cmk_node_position(version),
                          "this program reads version %d of the language", CMK_LANGUAGE_VERSION);
    cmk_diagnostics_hint(diagnostics, "write `cmksim: %d`", CMK_LANGUAGE_VERSION);
    return false;
}

/* What "+3d" counts from; a stand-in while `start` itself cannot be read. */
static CmkTime start_of(const CmkNode *root)
{
    const CmkNode *start = cmk_node_get(root, "start");
    CmkTime time = 0;
    char message[CMK_MESSAGE_SIZE];
    const bool is_read = start != NULL && cmk_node_kind(start) == CMK_NODE_SCALAR &&
                         cmk_instant_parse(cmk_node_text(start), 0, &time, message);
    return is_read ? time : CMK_SCENARIO_SETUP_US;
}

/* Start and end of the scenario; the end is far away while the horizon cannot be read. */
static bool take_times(CmkScenario *scenario, CmkDiagnostics *diagnostics)
{
    const CmkFileItem *file = &scenario->estate->file;
    const CmkNode *start = cmk_node_get(file->node, "start");
    const bool is_known = file->start != 0 && (file->horizon.us != 0 || file->horizon.months != 0);
    scenario->start = file->start;
    scenario->end = CMK_TIME_MAX;
    if (!is_known) {
        return false;
    }
    scenario->end = cmk_time_add_period(file->start, file->horizon, 1);
    if (cmk_node_text(start)[0] == '+') {
        cmk_diagnostics_error(diagnostics, cmk_node_position(start),
                              "the start must be an instant of its own, not one counted from it");
        cmk_diagnostics_hint(diagnostics, "write for instance 2025-03-03T00:00:00Z");
        return false;
    }
    if (file->start < CMK_SCENARIO_SETUP_US) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(start),
                              "the start must leave 30 days after 1970-01-01 for the set-up");
        return false;
    }
    CmkTime latest = 0;
    CMK_ASSERT(cmk_time_parse("2200-12-31T23:59:59Z", &latest));
    if (scenario->end > latest) {
        const CmkNode *horizon = cmk_node_get(file->node, "horizon");
        cmk_diagnostics_error(diagnostics, cmk_node_position(horizon),
                              "the scenario would end after the year %d", CMK_YEAR_MAX);
        cmk_diagnostics_hint(diagnostics, "give a shorter `horizon`");
        return false;
    }
    return true;
}

static void take_head(CmkScenario *scenario)
{
    const CmkFileItem *file = &scenario->estate->file;
    uint32_t rule_count = 0;
    const CmkRule *rules = cmk_rules(&rule_count);
    scenario->name = g_strdup(file->name == NULL ? "" : cmk_node_text(file->name));
    scenario->summary = g_strdup(file->summary == NULL ? "" : cmk_node_text(file->summary));
    scenario->seed = file->seed;
    scenario->profile = (int32_t)file->profile;
    for (guint i = 0; file->tags != NULL && i < file->tags->len; i++) {
        const CmkNode *tag = g_array_index(file->tags, const CmkNode *, i);
        g_ptr_array_add(scenario->tags, g_strdup(tag == NULL ? "" : cmk_node_text(tag)));
    }
    for (guint i = 0; file->shows != NULL && i < file->shows->len; i++) {
        const uint32_t rule = g_array_index(file->shows, uint32_t, i);
        CMK_ASSERT(rule < rule_count);
        g_ptr_array_add(scenario->shows, g_strdup(rules[rule].id));
    }
}

/* ---- settings -------------------------------------------------------------------------------- */

static bool read_setting(const CmkReading *reading, const CmkKnob *knob, const CmkNode *value,
                         int64_t *ret)
{
    CmkField field = {.name = knob->name,
                      .doc = knob->text,
                      .type = CMK_FIELD_INTEGER,
                      .min = knob->min,
                      .max = knob->max};
    if (strcmp(knob->type, "duration") == 0) {
        field.type = CMK_FIELD_DURATION;
    } else if (strcmp(knob->type, "boolean") == 0) {
        bool is_true = false;
        field.type = CMK_FIELD_BOOLEAN;
        const bool is_right = cmk_field_read(reading, &field, value, &is_true);
        *ret = is_true;
        return is_right;
    }
    return cmk_field_read(reading, &field, value, ret);
}

static bool read_settings(CmkScenario *scenario, CmkDiagnostics *diagnostics)
{
    const CmkModel *model = cmk_azure_model();
    const CmkReading reading = {.diagnostics = diagnostics, .start = scenario->start};
    const CmkNode *settings = scenario->estate->file.settings;
    for (uint32_t i = 0; i < model->knob_count; i++) {
        scenario->knobs[i] = model->knobs[i].values[scenario->profile];
    }
    if (settings == NULL) {
        return true;
    }
    if (!cmk_node_expect(diagnostics, settings, CMK_NODE_MAP, "`settings`")) {
        return false;
    }
    bool is_right = true;
    for (const CmkNode *value = cmk_node_first(settings); value != NULL;
         value = cmk_node_next(value)) {
        const int32_t knob = cmk_knob_find(cmk_node_key(value));
        if (knob < 0) {
            cmk_vocabulary_miss(diagnostics, cmk_node_key_position(value), cmk_node_key(value),
                                &cmk_vocabulary_knobs);
            is_right = false;
            continue;
        }
        is_right &= read_setting(&reading, &model->knobs[knob], value, &scenario->knobs[knob]);
    }
    return is_right;
}

/* ---- what no table can say about the world --------------------------------------------------- */

static bool is_ec(const CmkKeyItem *key)
{
    return key->type == CMK_KEY_EC || key->type == CMK_KEY_EC_HSM;
}

/* Of a name under which nothing lives little else can be said: what is in `allowed`, up to NULL. */
static bool check_name_only(const CmkNode *node, const char *what, CmkOpId creates,
                            const char *const allowed[], CmkDiagnostics *diagnostics)
{
    for (const CmkNode *value = cmk_node_first(node); value != NULL; value = cmk_node_next(value)) {
        const char *name = cmk_node_key(value);
        uint32_t i = 0;
        while (allowed[i] != NULL && strcmp(allowed[i], name) != 0) {
            i++;
        }
        if (allowed[i] == NULL) {
            cmk_diagnostics_error(diagnostics, cmk_node_key_position(value),
                                  "a %s that does not exist has no `%s`", what, name);
            cmk_diagnostics_hint(diagnostics, "say it in the step that creates the %s: do: %s",
                                 what, cmk_azure_model()->operations[creates]->name);
            return false;
        }
    }
    return true;
}

/* EC keys have a curve, the others a size (KV-2). */
static bool check_measure(const CmkKeyItem *key, CmkDiagnostics *diagnostics)
{
    const char *wrong = is_ec(key) ? "size" : "curve";
    const CmkNode *value = cmk_node_get(key->node, wrong);
    if (value == NULL) {
        return true;
    }
    cmk_diagnostics_error(diagnostics, cmk_node_key_position(value), "%s keys have no `%s` (KV-2)",
                          cmk_vocabulary_word(&cmk_vocabulary_key_types, key->type), wrong);
    cmk_diagnostics_hint(diagnostics, is_ec(key) ? "write `curve`: P-256, P-256K, P-384 or P-521"
                                                 : "write `size`, in bits");
    return false;
}

/* KV-2 */
static bool check_key(const CmkKeyItem *key, CmkDiagnostics *diagnostics)
{
    static const char *const of_a_name[] = {"name", "exists", NULL};
    if (!key->does_exist) {
        return check_name_only(key->node, "key", CMK_OP_KEY_CREATE, of_a_name, diagnostics);
    }
    if (!check_measure(key, diagnostics)) {
        return false;
    }
    if (key->size_bits == 0) {
        return true; /* the usual one */
    }
    static const int64_t rsa_sizes[] = {2048, 3072, 4096};
    static const int64_t oct_sizes[] = {128, 192, 256};
    const int64_t *sizes = key->type == CMK_KEY_OCT_HSM ? oct_sizes : rsa_sizes;
    if (key->size_bits == sizes[0] || key->size_bits == sizes[1] || key->size_bits == sizes[2]) {
        return true;
    }
    const CmkNode *size = cmk_node_get(key->node, "size");
    cmk_diagnostics_error(diagnostics, cmk_node_position(size),
                          "%s keys of %" G_GINT64_FORMAT " bits do not exist (KV-2)",
                          cmk_vocabulary_word(&cmk_vocabulary_key_types, key->type),
                          key->size_bits);
    cmk_diagnostics_hint(diagnostics,
                         "write %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT " or %" G_GINT64_FORMAT,
                         sizes[0], sizes[1], sizes[2]);
    return false;
}

/* Nor are there in a key vault that does not exist. */
static bool check_secret(const CmkKeyVaultItem *vault, const CmkSecretItem *secret,
                         CmkDiagnostics *diagnostics)
{
    static const char *const of_a_name[] = {"name", "exists", NULL};
    if (secret->node == NULL) {
        return false;
    }
    if (!secret->does_exist) {
        return check_name_only(secret->node, "secret", CMK_OP_SECRET_SET, of_a_name, diagnostics);
    }
    if (!vault->does_exist) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(secret->node),
                              "a key vault that does not exist has no secrets");
        cmk_diagnostics_hint(diagnostics, "add `exists: false` to the secret");
    }
    return vault->does_exist;
}

/* In a key vault or Managed HSM that does not exist there are no keys either; `what` it is. */
static bool check_keys(const GArray *keys, bool does_exist, const char *what,
                       CmkDiagnostics *diagnostics)
{
    bool is_right = true;
    for (guint i = 0; keys != NULL && i < keys->len; i++) {
        const CmkKeyItem *key = &g_array_index(keys, CmkKeyItem, i);
        is_right &= key->node != NULL && check_key(key, diagnostics);
        if (!does_exist && key->does_exist) {
            cmk_diagnostics_error(diagnostics, cmk_node_position(key->node),
                                  "a %s that does not exist has no keys", what);
            cmk_diagnostics_hint(diagnostics, "add `exists: false` to the key");
            is_right = false;
        }
    }
    return is_right;
}

/* Perimeters are for key vaults (HSM-22). */
static bool check_hsm_network(const CmkNode *network, CmkDiagnostics *diagnostics)
{
    const CmkNode *rules = network == NULL ? NULL : cmk_node_get(network, "perimeter_rules");
    if (rules == NULL) {
        return true;
    }
    cmk_diagnostics_error(diagnostics, cmk_node_key_position(rules),
                          "a Managed HSM has no `perimeter_rules`");
    cmk_diagnostics_hint(diagnostics, "leave it out: it is in no perimeter (HSM-22)");
    return false;
}

static bool check_managed_hsm(const CmkManagedHsmItem *hsm, CmkDiagnostics *diagnostics)
{
    static const char *const of_a_name[] = {"name", "exists", "resource_group", "keys", NULL};
    if (hsm->node == NULL) {
        return false; /* no map, which was reported */
    }
    bool is_right = true;
    if (!hsm->does_exist) {
        is_right = check_name_only(hsm->node, "Managed HSM", CMK_OP_MANAGED_HSM_CREATE, of_a_name,
                                   diagnostics);
    } else if (cmk_node_get(hsm->node, "region") == NULL) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(hsm->node),
                              "a Managed HSM needs `region`");
        cmk_diagnostics_hint(diagnostics, "add the Azure region, such as westeurope");
        is_right = false;
    }
    is_right &= check_hsm_network(hsm->network.node, diagnostics);
    return check_keys(hsm->keys, hsm->does_exist, "Managed HSM", diagnostics) && is_right;
}

static bool check_key_vault(const CmkKeyVaultItem *vault, CmkDiagnostics *diagnostics)
{
    static const char *const of_a_name[] = {"name", "exists",  "resource_group",
                                            "keys", "secrets", NULL};
    if (vault->node == NULL) {
        return false; /* no map, which was reported */
    }
    bool is_right = true;
    if (!vault->does_exist) {
        is_right = check_name_only(vault->node, "key vault", CMK_OP_KEY_VAULT_CREATE, of_a_name,
                                   diagnostics);
    } else if (cmk_node_get(vault->node, "region") == NULL) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(vault->node),
                              "a key vault needs `region`");
        cmk_diagnostics_hint(diagnostics, "add the Azure region, such as westeurope");
        is_right = false;
    }
    for (guint i = 0; vault->secrets != NULL && i < vault->secrets->len; i++) {
        is_right &=
            check_secret(vault, &g_array_index(vault->secrets, CmkSecretItem, i), diagnostics);
    }
    return check_keys(vault->keys, vault->does_exist, "key vault", diagnostics) && is_right;
}

/* The key of a row, which are counted in the order in which they are written down: first those of
 * key vaults. */
static const CmkKeyItem *key_of_row(const CmkWorldItem *world, uint32_t row)
{
    const guint vaults = world->key_vaults == NULL ? 0 : world->key_vaults->len;
    const guint hsms = world->managed_hsms == NULL ? 0 : world->managed_hsms->len;
    uint32_t first = 1;
    for (guint i = 0; i < vaults + hsms; i++) {
        const GArray *keys =
            i < vaults ? g_array_index(world->key_vaults, CmkKeyVaultItem, i).keys
                       : g_array_index(world->managed_hsms, CmkManagedHsmItem, i - vaults).keys;
        const guint count = keys == NULL ? 0 : keys->len;
        if (row < first + count) {
            return &g_array_index(keys, CmkKeyItem, row - first);
        }
        first += count;
    }
    CMK_ASSERT(false);
    return NULL;
}

static bool check_pinned_version(const CmkWorldItem *world, const CmkReference *key,
                                 CmkDiagnostics *diagnostics)
{
    const int64_t versions = key->row == 0 ? 0 : key_of_row(world, key->row)->versions;
    if (key->version <= versions || versions == 0) {
        return true; /* or no number, which was reported */
    }
    cmk_diagnostics_error(diagnostics, cmk_node_position(key->node),
                          versions == 1 ? "at the start the key has version 1 only"
                                        : "at the start the key has versions 1 to %" G_GINT64_FORMAT
                                          " only",
                          versions);
    cmk_diagnostics_hint(diagnostics, "leave the number out to use the current version, or say how "
                                      "many `versions` the key has");
    return false;
}

/* BV-21, BV-22: infrastructure encryption is for vaults whose settings begin with a user-assigned
 * identity, and only at creation. */
static bool check_encryption(const CmkWorldItem *world, const CmkEncryptionItem *encryption,
                             CmkDiagnostics *diagnostics)
{
    bool is_right = true;
    if (encryption->has_infrastructure && encryption->identity.kind == CMK_NAMED_SYSTEM) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(encryption->identity.node),
                              "infrastructure encryption begins with a user-assigned identity "
                              "(BV-20 BV-21 BV-22)");
        cmk_diagnostics_hint(diagnostics, "name one of the vault's `identities`");
        is_right = false;
    }
    return check_pinned_version(world, &encryption->key, diagnostics) && is_right;
}

static bool check_fleet(const CmkFleetItem *fleet, uint32_t written_out,
                        CmkDiagnostics *diagnostics)
{
    if (fleet->like.row <= written_out) {
        return true;
    }
    cmk_diagnostics_error(diagnostics, cmk_node_position(fleet->like.node),
                          "`%s` is itself a member of a fleet", cmk_node_text(fleet->like.node));
    cmk_diagnostics_hint(diagnostics, "name a Backup vault that is written out");
    return false;
}

/* All that an instance must have, which only its name must where it does not exist. */
static bool check_instance(const CmkInstanceItem *instance, CmkDiagnostics *diagnostics)
{
    static const char *const of_a_name[] = {"name", "exists", NULL};
    static const char *const needed[] = {"datasource", "size", "daily_change", "policy"};
    if (instance->node == NULL) {
        return false;
    }
    if (!instance->does_exist) {
        return check_name_only(instance->node, "backup instance", CMK_OP_INSTANCE_PROTECT,
                               of_a_name, diagnostics);
    }
    bool is_right = true;
    for (size_t i = 0; i < CMK_ARRAY_LEN(needed); i++) {
        if (cmk_node_get(instance->node, needed[i]) == NULL) {
            cmk_diagnostics_error(diagnostics, cmk_node_position(instance->node),
                                  "a backup instance needs the key `%s`", needed[i]);
            is_right = false;
        }
    }
    return is_right;
}

static bool check_backup_vault(const CmkWorldItem *world, const CmkBackupVaultItem *vault,
                               CmkDiagnostics *diagnostics)
{
    bool is_right = check_encryption(world, &vault->encryption, diagnostics);
    for (guint i = 0; vault->instances != NULL && i < vault->instances->len; i++) {
        is_right &=
            check_instance(&g_array_index(vault->instances, CmkInstanceItem, i), diagnostics);
    }
    return is_right;
}

/* In a world that is right so far. */
static bool check_uses_of_policies(const CmkWorldItem *world, CmkDiagnostics *diagnostics)
{
    bool is_right = true;
    for (guint i = 0; i < world->backup_vaults->len; i++) {
        const GArray *instances =
            g_array_index(world->backup_vaults, CmkBackupVaultItem, i).instances;
        for (guint j = 0; instances != NULL && j < instances->len; j++) {
            const CmkInstanceItem *instance = &g_array_index(instances, CmkInstanceItem, j);
            is_right &= !instance->does_exist ||
                        cmk_policy_check_use(&g_array_index(world->policies, CmkPolicyItem,
                                                            instance->policy.row - 1),
                                             instance, diagnostics);
        }
    }
    return is_right;
}

/* A subnet is known by its name, a range by its addresses. */
static bool check_network(const CmkNetworkItem *network, CmkDiagnostics *diagnostics)
{
    const CmkNode *range = network->node == NULL ? NULL : cmk_node_get(network->node, "range");
    if (network->node == NULL || (range == NULL) == (network->kind == CMK_NETWORK_SUBNET)) {
        return network->node != NULL;
    }
    if (range == NULL) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(network->node),
                              "a range of addresses needs `range`");
        cmk_diagnostics_hint(diagnostics, "add its IPv4 addresses, such as 203.0.113.0/24");
        return false;
    }
    cmk_diagnostics_error(diagnostics, cmk_node_key_position(range), "a subnet has no `range`");
    cmk_diagnostics_hint(
        diagnostics, "leave it out: a key vault lets a subnet in by its name, not its addresses");
    return false;
}

static bool check_world(CmkScenario *scenario, CmkDiagnostics *diagnostics)
{
    const CmkWorldItem *world = &scenario->estate->file.world;
    bool is_right = true;
    for (guint i = 0; world->networks != NULL && i < world->networks->len; i++) {
        is_right &= check_network(&g_array_index(world->networks, CmkNetworkItem, i), diagnostics);
    }
    for (guint i = 0; world->key_vaults != NULL && i < world->key_vaults->len; i++) {
        is_right &=
            check_key_vault(&g_array_index(world->key_vaults, CmkKeyVaultItem, i), diagnostics);
    }
    for (guint i = 0; world->managed_hsms != NULL && i < world->managed_hsms->len; i++) {
        is_right &= check_managed_hsm(&g_array_index(world->managed_hsms, CmkManagedHsmItem, i),
                                      diagnostics);
    }
    for (guint i = 0; world->policies != NULL && i < world->policies->len; i++) {
        is_right &=
            cmk_policy_check(&g_array_index(world->policies, CmkPolicyItem, i), diagnostics);
    }
    for (guint i = 0; world->backup_vaults != NULL && i < world->backup_vaults->len; i++) {
        const CmkBackupVaultItem *vault =
            &g_array_index(world->backup_vaults, CmkBackupVaultItem, i);
        is_right &= check_backup_vault(world, vault, diagnostics);
    }
    for (guint i = 0; world->fleets != NULL && i < world->fleets->len; i++) {
        is_right &=
            check_fleet(&g_array_index(world->fleets, CmkFleetItem, i),
                        world->backup_vaults == NULL ? 0 : world->backup_vaults->len, diagnostics);
    }
    return is_right;
}

static bool has_key(const CmkManagedHsmItem *hsm, const char *name)
{
    for (guint i = 0; hsm->keys != NULL && i < hsm->keys->len; i++) {
        const CmkNode *own = g_array_index(hsm->keys, CmkKeyItem, i).name;
        if (g_ascii_strcasecmp(cmk_node_text(own), name) == 0) {
            return true;
        }
    }
    return false;
}

/* What comes back in another HSM needs its names there, as everything that is made needs its own.
 */
static bool check_restores(const CmkScenario *scenario, CmkDiagnostics *diagnostics)
{
    const GArray *hsms = scenario->estate->file.world.managed_hsms;
    bool is_right = true;
    for (guint i = 0; i < scenario->plan->len; i++) {
        const CmkPlanned *planned = &g_array_index(scenario->plan, CmkPlanned, i);
        if (planned->op != CMK_OP_MANAGED_HSM_RESTORE) {
            continue;
        }
        const CmkManagedHsmItem *to =
            &g_array_index(hsms, CmkManagedHsmItem, planned->args.ref[CMK_REF_MANAGED_HSM] - 1);
        const CmkManagedHsmItem *of =
            &g_array_index(hsms, CmkManagedHsmItem, planned->args.num[0] - 1);
        for (guint j = 0; of->keys != NULL && j < of->keys->len; j++) {
            const char *name = cmk_node_text(g_array_index(of->keys, CmkKeyItem, j).name);
            if (!has_key(to, name)) {
                cmk_diagnostics_error(diagnostics, cmk_node_position(to->node),
                                      "the key `%s` of `%s` is restored here and has no name", name,
                                      cmk_node_text(of->name));
                cmk_diagnostics_hint(diagnostics, "add `{name: %s, exists: false}` to its `keys`",
                                     name);
                is_right = false;
            }
        }
    }
    return is_right;
}

/* ---- all together ---------------------------------------------------------------------------- */

/* Reads on after mistakes, so that a file with several is mended in one go; what could not be read
 * is passed over by the later parts. */
static bool read_parts(CmkScenario *scenario, CmkDiagnostics *diagnostics)
{
    const CmkNode *root = cmk_tree_root(scenario->tree);
    if (!cmk_node_expect(diagnostics, root, CMK_NODE_MAP, "a scenario") ||
        !check_version(root, diagnostics)) {
        return false;
    }
    const CmkReading reading = {.diagnostics = diagnostics, .start = start_of(root)};
    bool is_right = cmk_fields_read(&reading, cmk_language_fields(), root, &scenario->estate->file);
    is_right &= take_times(scenario, diagnostics);
    take_head(scenario);
    is_right &= read_settings(scenario, diagnostics);
    is_right &= cmk_prices_read(scenario, diagnostics);
    is_right &= cmk_names_collect(scenario, diagnostics);
    is_right &= check_world(scenario, diagnostics);
    is_right = is_right && check_uses_of_policies(&scenario->estate->file.world, diagnostics);
    const bool is_timeline_right = cmk_timeline_read(scenario, diagnostics);
    is_right = is_right && is_timeline_right && check_restores(scenario, diagnostics);
    /* Expectations speak of the ids in the timeline. */
    return is_timeline_right && cmk_expectations_read(scenario, diagnostics) && is_right;
}

CmkScenario *cmk_scenario_read(CmkDiagnostics *diagnostics)
{
    CmkTree *tree = cmk_tree_parse(diagnostics, NULL);
    if (tree == NULL) {
        return NULL;
    }
    CmkScenario *scenario = scenario_new(cmk_diagnostics_name(diagnostics));
    scenario->tree = tree;
    const size_t before = cmk_diagnostics_count(diagnostics);
    if (!read_parts(scenario, diagnostics)) {
        CMK_ASSERT(cmk_diagnostics_count(diagnostics) > before);
        cmk_scenario_free(scenario);
        return NULL;
    }
    CMK_ASSERT(cmk_diagnostics_count(diagnostics) == before);
    cmk_node_print(cmk_tree_root(tree), scenario->canonical);
    return scenario;
}
