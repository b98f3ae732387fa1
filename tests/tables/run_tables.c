/* Runs the tables of this directory (README.md says how they are written) against the model, and
 * against copies of it that are broken in one place each. Started in the root of the sources. */
#include "tests/tables/tables.h"

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- words ----------------------------------------------------------------------------------- */

static const char *const ref_names[CMK_REFS] = {[CMK_REF_BACKUP_VAULT] = "vault",
                                                [CMK_REF_INSTANCE] = "instance",
                                                [CMK_REF_QUEUE] = "queue",
                                                [CMK_REF_POINT] = "point",
                                                [CMK_REF_TASK] = "task",
                                                [CMK_REF_KEY_VAULT] = "kv",
                                                [CMK_REF_KEY] = "key",
                                                [CMK_REF_VERSION] = "version",
                                                [CMK_REF_IDENTITY] = "identity",
                                                [CMK_REF_PRINCIPAL] = "principal",
                                                [CMK_REF_REGION] = "region",
                                                [CMK_REF_POLICY] = "policy",
                                                [CMK_REF_SCOPE] = "scope",
                                                [CMK_REF_GRANTEE] = "grantee",
                                                [CMK_REF_GROUP] = "group",
                                                [CMK_REF_ACTOR] = "actor",
                                                [CMK_REF_MANAGED_HSM] = "hsm",
                                                [CMK_REF_SECRET] = "secret",
                                                [CMK_REF_NETWORK] = "network",
                                                [CMK_REF_RESOURCE_GUARD] = "guard"};

static const struct {
    uint32_t slot;
    uint32_t value;
    const char *name;
} values[] = {
    {CMK_REF_BACKUP_VAULT, ESTATE_ABSENT_VAULT, "absent"},
    {CMK_REF_INSTANCE, ESTATE_IDLE_INSTANCE, "idle"},
    {CMK_REF_INSTANCE, ESTATE_HOMELESS_INSTANCE, "homeless"},
    {CMK_REF_KEY_VAULT, ESTATE_SPARE_KV, "spare"},
    {CMK_REF_KEY_VAULT, ESTATE_ABSENT_KV, "absent"},
    {CMK_REF_KEY, ESTATE_KEY, "key"},
    {CMK_REF_KEY, ESTATE_OTHER_KEY, "other"},
    {CMK_REF_KEY, ESTATE_SPARE_KEY, "spare"},
    {CMK_REF_KEY, ESTATE_TWIN_KEY, "twin"},
    {CMK_REF_KEY, ESTATE_SPARE_TWIN_KEY, "spare-twin"},
    {CMK_REF_KEY, ESTATE_ABSENT_KEY, "absent"},
    {CMK_REF_KEY, ESTATE_HSM_KEY, "hsm"},
    {CMK_REF_KEY, ESTATE_OTHER_HSM_KEY, "hsm-other"},
    {CMK_REF_KEY, ESTATE_ABSENT_HSM_KEY, "hsm-absent"},
    {CMK_REF_KEY, ESTATE_NEW_HSM_KEY, "hsm-new"},
    {CMK_REF_MANAGED_HSM, ESTATE_HSM, "hsm"},
    {CMK_REF_MANAGED_HSM, ESTATE_NEW_HSM, "new"},
    {CMK_REF_MANAGED_HSM, ESTATE_ABSENT_HSM, "absent"},
    {CMK_REF_IDENTITY, ESTATE_OTHER_IDENTITY, "other"},
    {CMK_REF_IDENTITY, ESTATE_LOOSE_IDENTITY, "loose"},
    {CMK_REF_IDENTITY, ESTATE_ABSENT_IDENTITY, "absent"},
    {CMK_REF_POLICY, ESTATE_ARCHIVE_POLICY, "archive"},
    {CMK_REF_POLICY, ESTATE_SNAPSHOT_POLICY, "snapshots"},
    {CMK_REF_POLICY, ESTATE_ABSENT_POLICY, "absent"},
    {CMK_REF_POLICY, ESTATE_CONTINUOUS_POLICY, "continuous"},
    {CMK_REF_SCOPE, ESTATE_MANAGEMENT_GROUP, "mg"},
    {CMK_REF_SCOPE, ESTATE_SUBSCRIPTION, "sub"},
    {CMK_REF_SCOPE, ESTATE_RESOURCE_GROUP, "rg"},
    {CMK_REF_SCOPE, ESTATE_GUARD_GROUP, "guards"},
    {CMK_REF_SECRET, ESTATE_SECRET, "secret"},
    {CMK_REF_RESOURCE_GUARD, ESTATE_LENIENT_GUARD, "lenient"},
    {CMK_REF_GRANTEE, ESTATE_ALICE, "alice"},
    {CMK_REF_GRANTEE, ESTATE_GROUP, "group"},
    {CMK_REF_NETWORK, ESTATE_OFFICE, "office"},
    {CMK_REF_NETWORK, ESTATE_DESK, "desk"},
    {CMK_REF_NETWORK, ESTATE_HOME, "home"},
    {CMK_REF_NETWORK, ESTATE_SUBNET, "subnet"},
    {CMK_REF_NETWORK, ESTATE_OTHER_SUBNET, "other-subnet"},
    {CMK_REF_ACTOR, ESTATE_NOBODY, "nobody"},
    {CMK_REF_ACTOR, ESTATE_ALICE, "alice"},
};

static const struct {
    const char *name;
    const char *role;
} role_names[] = {{"administrator", "Key Vault Administrator"},
                  {"admin", "Key Vault Administrator"},
                  {"encryption", "Key Vault Crypto Service Encryption User"},
                  {"crypto-user", "Key Vault Crypto User"},
                  {"release", "Key Vault Crypto Service Release User"},
                  {"reader", "Key Vault Reader"},
                  {"secrets", "Key Vault Secrets User"},
                  {"officer", "Key Vault Crypto Officer"},
                  {"purger", "Key Vault Purge Operator"},
                  {"kv-contributor", "Key Vault Contributor"},
                  {"hsm-contributor", "Managed HSM contributor"},
                  {"hsm-admin", "Managed HSM Administrator"},
                  {"hsm-officer", "Managed HSM Crypto Officer"},
                  {"hsm-user", "Managed HSM Crypto User"},
                  {"hsm-policy", "Managed HSM Policy Administrator"},
                  {"hsm-auditor", "Managed HSM Crypto Auditor"},
                  {"hsm-encryption", "Managed HSM Crypto Service Encryption User"},
                  {"hsm-release", "Managed HSM Crypto Service Release User"},
                  {"hsm-backup", "Managed HSM Backup"},
                  {"hsm-restore", "Managed HSM Restore"},
                  {"data-access", "Key Vault Data Access Administrator"},
                  {"owner", "Owner"},
                  {"contributor", "Contributor"},
                  {"access", "User Access Administrator"},
                  {"identity-contributor", "Managed Identity Contributor"},
                  {"identity-operator", "Managed Identity Operator"},
                  {"backup-contributor", "Backup Contributor"},
                  {"backup-operator", "Backup Operator"},
                  {"groups", "Groups Administrator"},
                  {"plain-reader", "Reader"},
                  {"mua-admin", "Backup MUA Admin"},
                  {"mua-operator", "Backup MUA Operator"}};

/* How the estate is built. */
static bool set_option(EstateOptions *options, const char *word)
{
    const struct {
        const char *name;
        bool *is_set;
    } words[] = {
        {"policies", &options->uses_policies},
        {"hsm", &options->uses_hsm},
        {"system", &options->uses_system},
        {"no-cmk", &options->has_no_cmk},
        {"pinned", &options->is_pinned},
        {"not-opened", &options->is_not_opened},
        {"snapshots", &options->has_operational},
        {"no-purge-protection", &options->has_no_purge_protection},
        {"no-spare-soft-delete", &options->spare_has_no_soft_delete},
        {"no-spare-purge-protection", &options->spare_has_no_purge_protection},
    };
    const struct {
        const char *name;
        CmkKnobId knob;
        uint32_t reserved;
        int64_t value;
    } knobs[] = {{"same-region", CMK_KNOB_REQUIRE_SAME_REGION, 0, 1},
                 {"disabled-wraps", CMK_KNOB_DISABLED_ALLOWS_PUBLIC_OPS, 0, 1},
                 {"reading-is-reading", CMK_KNOB_READ_LETS_WRAP, 0, 0},
                 {"expired-restores", CMK_KNOB_EXPIRED_KEY_RESTORE, 0, 1},
                 {"outage-stops-backup", CMK_KNOB_OUTAGE_HITS_BACKUP_VAULTS, 0, 1},
                 {"tokens", CMK_KNOB_TOKEN_LIFETIME, 0, CMK_DAY_US},
                 {"slow-directory", CMK_KNOB_DIRECTORY_REPLICATION, 0, CMK_MINUTE_US},
                 /* What the estate itself has in its subscription; then none fit at the top. */
                 {"few-assignments", CMK_KNOB_ROLE_ASSIGNMENT_LIMIT, 0, 3},
                 {"some-assignments", CMK_KNOB_ROLE_ASSIGNMENT_LIMIT, 0, 8},
                 {"keeps-assignments", CMK_KNOB_RECOVERED_VAULT_KEEPS_ASSIGNMENTS, 0, 1},
                 {"refusals-break", CMK_KNOB_REFUSED_UPDATE_BREAKS_SETTINGS, 0, 1},
                 {"leaves-vault", CMK_KNOB_FAILED_CREATION_LEAVES_VAULT, 0, 1},
                 {"replaceable", CMK_KNOB_LOST_KEY_CAN_BE_REPLACED, 0, 1},
                 {"forgets-old-version", CMK_KNOB_OLD_VERSION_NEEDED_UNTIL_BACKUP, 0, 0},
                 {"new-identity-needs-update", CMK_KNOB_RECREATED_IDENTITY_NEEDS_UPDATE, 0, 1},
                 {"half-stops-jobs", CMK_KNOB_INTERRUPTED_REWRAP_STOPS_JOBS, 0, 1},
                 {"asks-old-identity", CMK_KNOB_IDENTITY_CHANGE_TESTS_OLD_IDENTITY, 0, 1},
                 {"keys-of-points", CMK_KNOB_DEK_PER_POINT, 0, 1},
                 {"asks-once", CMK_KNOB_COMMIT_TOUCHES_KEY, 0, 0},
                 {"unlisted", CMK_KNOB_DELETED_VAULT_KEPT, 0, 0},
                 {"deletes-without-key", CMK_KNOB_EMPTY_VAULT_DELETION_NEEDS_KEY, 0, 0},
                 {"rights-first", CMK_KNOB_THROTTLING_AFTER_AUTHORISATION, 0, 1},
                 {"leeway", CMK_KNOB_CLOCK_LEEWAY, 0, CMK_HOUR_US},
                 {"no-trust", CMK_KNOB_BYPASS_COVERS_BACKUP, 0, 0},
                 {"spared-hsm", CMK_KNOB_HSM_NEEDS_PURGE_PROTECTION, 0, 0},
                 {"denial-limits", CMK_KNOB_CLOSED_COUNTS_AS_LIMITED, 0, 0},
                 {"limits-break", CMK_KNOB_LATE_LIMIT_BREAKS_SETTINGS, 0, 1},
                 {"slow-keys", CMK_KNOB_KEY_DELETING, 0, 5 * CMK_SECOND_US},
                 {"slow-keys", CMK_KNOB_KEY_RECOVERING, 0, 5 * CMK_SECOND_US},
                 {"slow-keys", CMK_KNOB_NAME_RELEASE, 0, 5 * CMK_SECOND_US},
                 {"slow-protection", CMK_KNOB_PROTECTION_DURATION, 0, CMK_MINUTE_US},
                 {"policies-shorten", CMK_KNOB_IMMUTABILITY_KEEPS_RETENTION, 0, 0},
                 {"impatient", CMK_KNOB_HSM_PATIENCE, 0, 0},
                 {"hasty", CMK_KNOB_HSM_PATIENCE, 0, CMK_SECOND_US / 2},
                 {"replaces-old", CMK_KNOB_RESTORED_KEY_REPLACES_OLD, 0, 1},
                 {"failover-at-once", CMK_KNOB_FAILOVER_DECISION, 0, 0},
                 {"failover-at-once", CMK_KNOB_FAILOVER_DURATION, 0, 0}};
    bool is_knob = false;
    for (size_t i = 0; i < CMK_ARRAY_LEN(words); i++) {
        if (strcmp(words[i].name, word) == 0) {
            return *words[i].is_set = true;
        }
    }
    for (size_t i = 0; i < CMK_ARRAY_LEN(knobs); i++) {
        if (strcmp(knobs[i].name, word) == 0) {
            options->knobs[knobs[i].knob] = knobs[i].value + 1;
            is_knob = true;
        }
    }
    if (is_knob) {
        return true;
    }
    if (strcmp(word, "premium") == 0) {
        options->sku = CMK_SKU_PREMIUM;
    } else if (strcmp(word, "geo") == 0) {
        options->redundancy = CMK_REDUNDANCY_GEO;
    } else if (strcmp(word, "archive") == 0) {
        options->datasource = "AzureDatabaseForMySQL";
        options->retention_days = 30;
        options->archive_days = 1;
    } else if (strcmp(word, "ec") == 0) {
        options->spare_key_type = CMK_KEY_EC;
    } else if (strcmp(word, "hsm-ec") == 0) {
        options->uses_hsm = true;
        options->other_hsm_key_type = CMK_KEY_EC_HSM;
    } else if (strcmp(word, "oct") == 0) {
        options->spare_key_type = CMK_KEY_OCT_HSM;
    } else if (cmk_profile_find(word) >= 0) {
        options->profile = cmk_profile_find(word);
    } else {
        return false;
    }
    return true;
}

/* "+2h", "-1d", "+20s": microseconds. */
static bool parse_duration(const char *text, int64_t *ret_us)
{
    char *end = NULL;
    const int64_t count = strtoll(text, &end, 10);
    const int64_t unit = *end == 's'   ? CMK_SECOND_US
                         : *end == 'm' ? CMK_MINUTE_US
                         : *end == 'h' ? CMK_HOUR_US
                         : *end == 'd' ? CMK_DAY_US
                                       : 0;
    *ret_us = count * unit;
    return unit != 0 && end[1] == '\0' && (text[0] == '+' || text[0] == '-');
}

static bool parse_value(uint32_t slot, const char *text, int64_t *ret)
{
    char *end = NULL;
    *ret = strtoll(text, &end, 10);
    if (*end == '\0' && end != text) {
        return true;
    }
    if (parse_duration(text, ret)) {
        *ret += ESTATE_START;
        return true;
    }
    for (size_t i = 0; i < CMK_ARRAY_LEN(values); i++) {
        if (values[i].slot == slot && strcmp(values[i].name, text) == 0) {
            *ret = values[i].value;
            return true;
        }
    }
    *ret = slot == CMK_REF_REGION ? cmk_region_find(text).i : 0;
    for (size_t i = 0; i < CMK_ARRAY_LEN(role_names); i++) {
        *ret = strcmp(role_names[i].name, text) == 0 ? cmk_role_find(role_names[i].role) : *ret;
    }
    return *ret != 0 || strcmp(text, "none") == 0;
}

/* "name=value,name=value" or "-" over the estate's usual arguments. */
static bool parse_args(const Estate *estate, CmkOpId op, const char *text, CmkArgs *ret)
{
    char buf[LINE_MAX_BYTES];
    *ret = estate_args(estate, op);
    (void)snprintf(buf, sizeof(buf), "%s", text);
    char *rest = NULL;
    for (char *word = strtok_r(buf, ",", &rest); word != NULL && strcmp(buf, "-") != 0;
         word = strtok_r(NULL, ",", &rest)) {
        char *equals = strchr(word, '=');
        uint32_t slot = 0;
        int64_t value = 0;
        if (equals == NULL) {
            return false;
        }
        *equals = '\0';
        while (slot < CMK_REFS && strcmp(ref_names[slot], word) != 0) {
            slot++;
        }
        if (!parse_value(slot, equals + 1, &value)) {
            return false;
        }
        if (slot < CMK_REFS) {
            ret->ref[slot] = (uint32_t)value;
        } else if (word[0] == 'n' && word[1] >= '0' && word[1] < '0' + CMK_NUMS) {
            ret->num[word[1] - '0'] = value;
        } else {
            return false;
        }
    }
    return true;
}

/* ---- building one world ---------------------------------------------------------------------- */

/* As many as a key vault takes, which would take as many principals (AC-5). */
static void fill_policies(Estate *estate)
{
    CmkKeyVault *vault = cmk_world_row_mut(estate->sim.world, CMK_TABLE_KEY_VAULT, ESTATE_KV);
    vault->access_policy_count = 1024;
}

/* One more than a backup holds, without as many rotations (KV-24). */
static void fill_versions(Estate *estate)
{
    CmkKey *key = cmk_world_row_mut(estate->sim.world, CMK_TABLE_KEY, ESTATE_KEY);
    key->version_count = CMK_KEY_BACKUP_VERSIONS_MAX + 1;
}

/* As many as a firewall or a key vault takes, without as many networks (NET-4, NET-13). */
static void fill_rule_set(Estate *estate)
{
    CmkRuleSet *set = cmk_world_row_mut(estate->sim.world, CMK_TABLE_RULE_SET, ESTATE_KV);
    set->rule_counts[CMK_NETWORK_ADDRESS_RANGE] = 1000;
    set->rule_counts[CMK_NETWORK_SUBNET] = 200;
    set->private_endpoint_count = 64;
}

static CmkManagedHsm *hsm_of(Estate *estate)
{
    return cmk_world_row_mut(estate->sim.world, CMK_TABLE_MANAGED_HSM, ESTATE_HSM);
}

/* As many as a Managed HSM takes (HSM-22, NET-13). */
static void fill_hsm_rule_set(Estate *estate)
{
    CmkRuleSet *set =
        cmk_world_row_mut(estate->sim.world, CMK_TABLE_RULE_SET, hsm_of(estate)->rule_set);
    set->rule_counts[CMK_NETWORK_ADDRESS_RANGE] = 10;
    set->private_endpoint_count = 64;
}

static void fill_hsm(Estate *estate)
{
    hsm_of(estate)->key_count = 5000;
}

static void fill_hsm_key(Estate *estate)
{
    CmkKey *key = cmk_world_row_mut(estate->sim.world, CMK_TABLE_KEY, ESTATE_HSM_KEY);
    key->version_count = 100;
}

/* As many assignments as the Managed HSM takes at `/`, or one of its keys (HSM-20). */
static void add_roles(Estate *estate, uint32_t key, uint32_t count)
{
    CmkWorld *world = estate->sim.world;
    CmkManagedHsm *hsm = hsm_of(estate);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t row = cmk_world_row_add(world, CMK_TABLE_ASSIGNMENT);
        CmkAssignment *assignment = cmk_world_row_mut(world, CMK_TABLE_ASSIGNMENT, row);
        *assignment = (CmkAssignment){.role = cmk_role_find("Managed HSM Crypto Auditor"),
                                      .managed_hsm = ESTATE_HSM,
                                      .key = key,
                                      .is_on_keys = key != 0,
                                      .state = CMK_ASSIGNMENT_ACTIVE,
                                      .next_of_key_vault = hsm->first_assignment};
        hsm->first_assignment = row;
    }
}

static void fill_roles(Estate *estate)
{
    add_roles(estate, 0, 50);
}

static void fill_key_roles(Estate *estate)
{
    add_roles(estate, ESTATE_HSM_KEY, 10);
}

/* Words that change the world past all operations; false for any other. */
static bool change_by_hand(Estate *estate, const char *word)
{
    static const struct {
        const char *word;
        uint32_t network;
    } places[] = {{"alice-at-desk", ESTATE_DESK},
                  {"alice-at-home", ESTATE_HOME},
                  {"alice-in-subnet", ESTATE_SUBNET}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(places); i++) {
        if (strcmp(places[i].word, word) == 0) {
            CmkPerson *alice = cmk_world_row_mut(estate->sim.world, CMK_TABLE_PERSON, ESTATE_ALICE);
            alice->network = places[i].network;
            return true;
        }
    }
    static const struct {
        const char *word;
        void (*change)(Estate *estate);
    } others[] = {{"full-policies", fill_policies}, {"many-versions", fill_versions},
                  {"full-network", fill_rule_set},  {"full-hsm-network", fill_hsm_rule_set},
                  {"full-hsm", fill_hsm},           {"full-key", fill_hsm_key},
                  {"full-roles", fill_roles},       {"full-key-roles", fill_key_roles}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(others); i++) {
        if (strcmp(others[i].word, word) == 0) {
            others[i].change(estate);
            return true;
        }
    }
    return false;
}

/* "+2h", "key.delete" or "key.update(n0=1)". */
static bool take_step(Estate *estate, const char *word)
{
    int64_t duration_us = 0;
    if (change_by_hand(estate, word)) {
        return true;
    }
    if (parse_duration(word, &duration_us)) {
        estate_run(estate, duration_us);
        return true;
    }
    char buf[LINE_MAX_BYTES];
    (void)snprintf(buf, sizeof(buf), "%s", word);
    char *open = strchr(buf, '(');
    if (open != NULL) {
        *open = '\0';
        open[strcspn(open + 1, ")") + 1] = '\0';
    }
    CmkArgs args;
    const CmkOpId op = cmk_operation_find(buf);
    if (op == CMK_OP_NONE || !parse_args(estate, op, open != NULL ? open + 1 : "-", &args)) {
        return false;
    }
    (void)estate_must_apply(estate, args);
    return true;
}

/* What the variant changes in a world that is built: who has the role, what the instances are. */
static void change_world(const Variant *variant, Row *row)
{
    CmkWorld *world = row->estate->sim.world;
    for (uint32_t i = 1; variant->role != 0 && i <= cmk_world_count(world, CMK_TABLE_ASSIGNMENT);
         i++) {
        CmkAssignment *assignment = cmk_world_row_mut(world, CMK_TABLE_ASSIGNMENT, i);
        if (assignment->role == variant->role) {
            assignment->role = variant->other_role;
        }
    }
    for (uint32_t i = 1;
         variant->datasource != 0 && i <= cmk_world_count(world, CMK_TABLE_INSTANCE); i++) {
        CmkInstance *instance = cmk_world_row_mut(world, CMK_TABLE_INSTANCE, i);
        if (instance->datasource == variant->datasource) {
            instance->datasource = variant->other_datasource;
        }
    }
    if (row->op == CMK_OP_INSTANCE_PROTECT && variant->datasource != 0 &&
        row->args.num[0] == variant->datasource) {
        row->args.num[0] = variant->other_datasource;
    }
}

/* Checking each operation against what it declares takes most of the time: once is enough. */
static bool is_broken(const Variant *variant)
{
    return variant->model != cmk_azure_model() || variant->knob >= 0 || variant->role != 0 ||
           variant->datasource != 0;
}

const char *build(Row *row, const Variant *variant)
{
    const CmkModel *model = cmk_azure_model();
    EstateOptions options = {.model = variant->is_in_steps ? model : variant->model};
    char buf[LINE_MAX_BYTES];
    char *rest = NULL;
    (void)snprintf(buf, sizeof(buf), "%s", row->column[2]);
    char *word = strcmp(buf, "-") == 0 ? NULL : strtok_r(buf, " ", &rest);
    while (word != NULL && set_option(&options, word)) {
        word = strtok_r(NULL, " ", &rest);
    }
    if (options.has_operational) {
        options.datasource = "AzureKubernetesService";
    }
    if (variant->knob >= 0) {
        options.knobs[variant->knob] = variant->knob_value + 1;
    }
    options.is_not_self_checking = is_broken(variant);
    row->estate = estate_new(&options);
    row->is_estate_sound = row->estate->trouble[0] == '\0';
    row->estate->sim.model = variant->model;
    row->estate->sim.is_self_checking = !is_broken(variant);
    for (; word != NULL && row->estate->trouble[0] == '\0'; word = strtok_r(NULL, " ", &rest)) {
        if (!take_step(row->estate, word)) {
            return "the world has a word that means nothing";
        }
    }
    if (row->estate->trouble[0] != '\0') {
        return row->estate->trouble;
    }
    if (!parse_args(row->estate, row->op, row->column[1], &row->args)) {
        return "an argument means nothing";
    }
    change_world(variant, row);
    return NULL;
}

bool is_as_expected(const Row *row, const CmkModel *model)
{
    const CmkSim sim = {.model = model, .world = row->estate->sim.world};
    const CmkOutcome outcome = cmk_would_apply(&sim, &row->args);
    return outcome.guard == row->guard && outcome.status == row->status;
}

/* ---- reading the files ----------------------------------------------------------------------- */

static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    size_t length = strlen(text);
    while (length > 0 && strchr(" \t\n", text[length - 1]) != NULL) {
        text[--length] = '\0';
    }
    return text;
}

/* Cuts a line into `min` to `max` columns, the rest NULL; false for comments and empty lines. */
bool cut(char *text, char *columns[], uint32_t min, uint32_t max, const char *file, uint32_t line)
{
    text = trimmed(text);
    if (text[0] == '\0' || text[0] == '#') {
        return false;
    }
    uint32_t count = 0;
    memset(columns, 0, max * sizeof(columns[0]));
    for (char *bar = text; bar != NULL && count < max; count++) {
        bar = strchr(text, '|');
        if (bar != NULL) {
            *bar = '\0';
        }
        columns[count] = trimmed(text);
        cr_assert(bar == NULL || count + 1 < max, "%s:%u: too many columns", file, line);
        text = bar + 1;
    }
    cr_assert_geq(count, min, "%s:%u: %u columns are wanted", file, line, min);
    return true;
}

FILE *open_table(const char *file)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "tests/tables/%s", file);
    FILE *stream = fopen(path, "r");
    cr_assert_not_null(stream, "%s: start me in the root of the sources", path);
    return stream;
}

static void read_table(Table *table, const char *file)
{
    FILE *stream = open_table(file);
    for (uint32_t line = 1; table->count < ROWS_MAX; line++) {
        Row *row = &table->rows[table->count];
        if (fgets(row->text, sizeof(row->text), stream) == NULL) {
            break;
        }
        if (!cut(row->text, row->column, COLUMNS - 1, COLUMNS, file, line)) {
            continue;
        }
        (void)snprintf(row->file, sizeof(row->file), "%s", file);
        row->line = line;
        row->op = cmk_operation_find(row->column[0]);
        row->guard = find_guard(row->column[3]);
        const int32_t status = cmk_status_find(row->column[4]);
        cr_assert(row->op != CMK_OP_NONE && status >= 0 &&
                      (row->guard != CMK_GUARD_NONE || strcmp(row->column[3], "ok") == 0),
                  "%s:%u: no such operation, guard or status", file, line);
        row->status = (CmkStatus)status;
        table->count++;
    }
    cr_assert_lt(table->count, ROWS_MAX, "too many rows");
    (void)fclose(stream);
}

Table *read_all(void)
{
    static const char *const files[] = {"request.tbl",    "key.tbl",    "access.tbl", "vault.tbl",
                                        "protection.tbl", "region.tbl", "person.tbl", "data.tbl",
                                        "hsm.tbl",        "network.tbl"};
    Table *table = calloc(1, sizeof(*table));
    cr_assert_not_null(table);
    for (size_t i = 0; i < CMK_ARRAY_LEN(files); i++) {
        read_table(table, files[i]);
    }
    return table;
}

void free_worlds(Table *table)
{
    for (uint32_t i = 0; i < table->count; i++) {
        estate_free(table->rows[i].estate);
        table->rows[i].estate = NULL;
    }
}

void build_all(Table *table)
{
    const Variant unbroken = {.model = cmk_azure_model(), .knob = -1};
    uint32_t failed = 0;
    for (uint32_t i = 0; i < table->count; i++) {
        Row *row = &table->rows[i];
        const char *trouble = build(row, &unbroken);
        failed += trouble != NULL;
        cr_expect_null(trouble, "%s:%u: %s: %s", row->file, row->line, row->column[0], trouble);
    }
    cr_assert_eq(failed, 0);
}

/* ---- the tables against the model ------------------------------------------------------------ */

Test(tables, each_row_ends_as_it_says)
{
    Table *table = read_all();
    build_all(table);
    for (uint32_t i = 0; i < table->count; i++) {
        Row *row = &table->rows[i];
        const CmkOutcome outcome = estate_apply(row->estate, &row->args);
        cr_expect(outcome.guard == row->guard && outcome.status == row->status,
                  "%s:%u: %s | %s | %s: %s %s instead of %s %s", row->file, row->line,
                  row->column[0], row->column[1], row->column[2],
                  estate_guard_name(row->estate, outcome.guard),
                  estate_status_name(row->estate, outcome.status), row->column[3], row->column[4]);
    }
    free_worlds(table);
    free(table);
}

/* Each pair has a row or a reason, and no reason stands where there is a row. */
Test(tables, each_pair_of_operation_and_guard_has_its_row)
{
    const CmkModel *model = cmk_azure_model();
    Table *table = read_all();
    static bool has_row[CMK_OP__COUNT][CMK_GUARD__COUNT];
    static bool is_excused[CMK_OP__COUNT][CMK_GUARD__COUNT];
    for (uint32_t i = 0; i < table->count; i++) {
        has_row[table->rows[i].op][table->rows[i].guard] = true;
    }
    char text[LINE_MAX_BYTES];
    char *column[3];
    FILE *stream = open_table("unreachable.tbl");
    for (uint32_t line = 1; fgets(text, sizeof(text), stream) != NULL; line++) {
        if (cut(text, column, 3, 3, "unreachable.tbl", line)) {
            const CmkOpId op = cmk_operation_find(column[0]);
            const CmkGuardId guard = find_guard(column[1]);
            cr_assert(op != CMK_OP_NONE && guard != CMK_GUARD_NONE && column[2][0] != '\0',
                      "unreachable.tbl:%u", line);
            is_excused[op][guard] = true;
        }
    }
    (void)fclose(stream);
    uint32_t pairs = 0;
    for (uint32_t op = 1; op < model->operation_count; op++) {
        const CmkOperation *operation = model->operations[op];
        cr_expect(has_row[op][CMK_GUARD_NONE], "%s has no row that ends well", operation->name);
        for (uint32_t i = 0; i < guards_of(operation); i++, pairs++) {
            const CmkGuardId guard = operation->guards[i];
            cr_expect(has_row[op][guard] != is_excused[op][guard],
                      "%s, %s: no row and no reason, or both", operation->name,
                      model->guards[guard]->name);
        }
    }
    cr_expect_geq(pairs, 100, "%u pairs", pairs);
    free(table);
}
