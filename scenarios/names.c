/* The names in the world section: their rows, and what references to them stand for. */
#include <string.h>

#include "scenarios/estate.h"

/* Names that a hint is chosen from, at most. */
#define CANDIDATES_MAX 512

/* Stands in by_name for a short name that several instances have. */
#define AMBIGUOUS UINT32_MAX

static const struct {
    const char *kind;
    const char *text;    /* for messages */
    CmkNamedKind row_of; /* the kind in whose table its rows are, CMK_NAMED_NONE: its own */
} kinds[CMK_NAMED__COUNT] = {
    [CMK_NAMED_NONE] = {"", "", CMK_NAMED_NONE},
    [CMK_NAMED_KEY_VAULT] = {"key_vault", "key vault", CMK_NAMED_NONE},
    [CMK_NAMED_KEY] = {"key", "key", CMK_NAMED_NONE},
    [CMK_NAMED_MANAGED_HSM] = {"managed_hsm", "Managed HSM", CMK_NAMED_NONE},
    [CMK_NAMED_HSM_KEYS] = {"", "scope in a Managed HSM", CMK_NAMED_MANAGED_HSM},
    [CMK_NAMED_HSM_KEY] = {"key", "key", CMK_NAMED_KEY},
    [CMK_NAMED_IDENTITY] = {"identity", "identity", CMK_NAMED_NONE},
    [CMK_NAMED_POLICY] = {"policy", "policy", CMK_NAMED_NONE},
    [CMK_NAMED_BACKUP_VAULT] = {"backup_vault", "Backup vault", CMK_NAMED_NONE},
    [CMK_NAMED_INSTANCE] = {"instance", "backup instance", CMK_NAMED_NONE},
    [CMK_NAMED_RESOURCE_GROUP] = {"resource_group", "resource group", CMK_NAMED_NONE},
    [CMK_NAMED_SUBSCRIPTION] = {"subscription", "subscription", CMK_NAMED_RESOURCE_GROUP},
    [CMK_NAMED_MANAGEMENT_GROUP] = {"management_group", "management group",
                                    CMK_NAMED_RESOURCE_GROUP},
    [CMK_NAMED_USER] = {"user", "user", CMK_NAMED_NONE},
    [CMK_NAMED_GROUP] = {"group", "group", CMK_NAMED_USER},
    [CMK_NAMED_SECRET] = {"secret", "secret", CMK_NAMED_NONE},
    [CMK_NAMED_RESOURCE_GUARD] = {"resource_guard", "resource guard", CMK_NAMED_NONE},
    [CMK_NAMED_NETWORK] = {"network", "network", CMK_NAMED_NONE},
    [CMK_NAMED_SYSTEM] = {"", "system-assigned identity", CMK_NAMED_NONE},
};

const char *cmk_named_kind_text(CmkNamedKind kind)
{
    CMK_ASSERT(kind < CMK_NAMED__COUNT);
    return kinds[kind].kind;
}

static uint32_t index_of(const CmkScenario *scenario, CmkNamedKind kind, const char *name)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(scenario->estate->by_name[kind], name));
}

static const CmkNamed *entry_of(const CmkScenario *scenario, CmkNamedKind kind, const char *name)
{
    const uint32_t index = index_of(scenario, kind, name);
    return index == 0 || index == AMBIGUOUS ? NULL
                                            : &g_array_index(scenario->named, CmkNamed, index - 1);
}

uint32_t cmk_scenario_find(const CmkScenario *scenario, const char *kind, const char *name)
{
    for (uint32_t i = CMK_NAMED_KEY_VAULT; i < CMK_NAMED_SYSTEM; i++) {
        if (strcmp(kinds[i].kind, kind) == 0) {
            const CmkNamed *entry = entry_of(scenario, (CmkNamedKind)i, name);
            if (entry != NULL) {
                return entry->row;
            }
        }
    }
    return 0;
}

const CmkNamed *cmk_names_add(CmkScenario *scenario, CmkNamedKind kind, const CmkNamed *entry)
{
    CmkEstate *estate = scenario->estate;
    const CmkNamed *earlier = entry_of(scenario, kind, entry->name);
    if (earlier != NULL) {
        return earlier;
    }
    char *name = g_string_chunk_insert(estate->strings, entry->name);
    CmkNamed copy = *entry;
    copy.kind = kinds[kind].kind;
    copy.name = name;
    g_array_append_val(scenario->named, copy);
    g_hash_table_insert(estate->by_name[kind], name, GUINT_TO_POINTER(scenario->named->len));
    return NULL;
}

/* Names that are part of an address, those of key vaults and HSMs and of the keys and secrets in
 * them, are the same in any case. */
static guint hash_without_case(gconstpointer name)
{
    g_autofree char *lower = g_ascii_strdown(name, -1);
    return g_str_hash(lower);
}

static gboolean is_same_without_case(gconstpointer a, gconstpointer b)
{
    return g_ascii_strcasecmp(a, b) == 0;
}

static GHashTable *names_of_kind(uint32_t kind)
{
    const bool is_in_address =
        (kind >= CMK_NAMED_KEY_VAULT && kind <= CMK_NAMED_HSM_KEY) || kind == CMK_NAMED_SECRET;
    return is_in_address ? g_hash_table_new(hash_without_case, is_same_without_case)
                         : g_hash_table_new(g_str_hash, g_str_equal);
}

/* ---- giving rows ----------------------------------------------------------------------------- */

typedef struct Collecting {
    CmkScenario *scenario;
    CmkDiagnostics *diagnostics;
    bool is_right;
} Collecting;

/* The next row of its kind; the row is taken even if the name is. */
static void add(Collecting *collecting, CmkNamedKind kind, const char *name, const CmkNode *node,
                uint32_t owner)
{
    const CmkNamedKind counts_as = kinds[kind].row_of != CMK_NAMED_NONE ? kinds[kind].row_of : kind;
    const CmkNamed entry = {.name = name,
                            .row = ++collecting->scenario->estate->rows[counts_as],
                            .owner = owner,
                            .node = node};
    const CmkNamed *earlier = cmk_names_add(collecting->scenario, kind, &entry);
    if (earlier != NULL) {
        cmk_diagnostics_error(collecting->diagnostics, cmk_node_position(node),
                              "a second %s is called `%s`", kinds[kind].text, cmk_node_text(node));
        cmk_diagnostics_note(collecting->diagnostics, cmk_node_position(earlier->node),
                             "the first one is here");
        cmk_diagnostics_hint(collecting->diagnostics, "give it another name");
        collecting->is_right = false;
    }
}

/* An item without a readable name: what refers to it cannot be found. */
static void miss_name(Collecting *collecting, CmkNamedKind kind)
{
    uint32_t *incomplete = &collecting->scenario->estate->incomplete;
    *incomplete |= 1U << kind;
    if (kind == CMK_NAMED_KEY_VAULT) {
        *incomplete |= 1U << CMK_NAMED_KEY | 1U << CMK_NAMED_SECRET;
    } else if (kind == CMK_NAMED_MANAGED_HSM) {
        *incomplete |= 1U << CMK_NAMED_HSM_KEY | 1U << CMK_NAMED_HSM_KEYS;
    } else if (kind == CMK_NAMED_BACKUP_VAULT) {
        *incomplete |= 1U << CMK_NAMED_INSTANCE;
    } else if (kind == CMK_NAMED_RESOURCE_GROUP) {
        *incomplete |= 1U << CMK_NAMED_SUBSCRIPTION | 1U << CMK_NAMED_MANAGEMENT_GROUP;
    }
}

/* "vault/thing" */
static char *path_of(const CmkNode *vault, const CmkNode *thing)
{
    return g_strconcat(cmk_node_text(vault), "/", cmk_node_text(thing), NULL);
}

static void add_secrets(Collecting *collecting, const CmkKeyVaultItem *vault, uint32_t row)
{
    if (vault->secrets == NULL && cmk_node_get(vault->node, "secrets") != NULL) {
        miss_name(collecting, CMK_NAMED_SECRET);
    }
    for (guint i = 0; vault->secrets != NULL && i < vault->secrets->len; i++) {
        const CmkSecretItem *secret = &g_array_index(vault->secrets, CmkSecretItem, i);
        if (secret->name == NULL) {
            miss_name(collecting, CMK_NAMED_SECRET);
            continue;
        }
        g_autofree char *path = path_of(vault->name, secret->name);
        add(collecting, CMK_NAMED_SECRET, path, secret->name, row);
    }
}

static void add_key_vaults(Collecting *collecting, const GArray *vaults)
{
    for (guint i = 0; vaults != NULL && i < vaults->len; i++) {
        const CmkKeyVaultItem *vault = &g_array_index(vaults, CmkKeyVaultItem, i);
        if (vault->name == NULL) {
            miss_name(collecting, CMK_NAMED_KEY_VAULT);
            continue;
        }
        if (vault->keys == NULL && cmk_node_get(vault->node, "keys") != NULL) {
            miss_name(collecting, CMK_NAMED_KEY);
        }
        add(collecting, CMK_NAMED_KEY_VAULT, cmk_node_text(vault->name), vault->name, 0);
        for (guint j = 0; vault->keys != NULL && j < vault->keys->len; j++) {
            const CmkKeyItem *key = &g_array_index(vault->keys, CmkKeyItem, j);
            if (key->name == NULL) {
                miss_name(collecting, CMK_NAMED_KEY);
                continue;
            }
            g_autofree char *path = path_of(vault->name, key->name);
            add(collecting, CMK_NAMED_KEY, path, key->name, i + 1);
        }
        add_secrets(collecting, vault, i + 1);
    }
}

/* The scopes of local roles inside an HSM: "hsm/keys" for all its keys; a key is hsm/NAME, and as
 * in Azure hsm/keys/NAME. */
static void add_keys_of_hsm(Collecting *collecting, const CmkManagedHsmItem *hsm, uint32_t row)
{
    CmkScenario *scenario = collecting->scenario;
    g_autofree char *keys = g_strconcat(cmk_node_text(hsm->name), "/keys", NULL);
    const CmkNamed all = {.name = keys, .row = row, .node = hsm->name};
    (void)cmk_names_add(scenario, CMK_NAMED_HSM_KEYS, &all);
    for (guint i = 0; hsm->keys != NULL && i < hsm->keys->len; i++) {
        const CmkKeyItem *key = &g_array_index(hsm->keys, CmkKeyItem, i);
        if (key->name == NULL) {
            miss_name(collecting, CMK_NAMED_HSM_KEY);
            continue;
        }
        g_autofree char *path = path_of(hsm->name, key->name);
        add(collecting, CMK_NAMED_HSM_KEY, path, key->name, row);
        g_autofree char *full = g_strconcat(keys, "/", cmk_node_text(key->name), NULL);
        g_hash_table_insert(scenario->estate->by_name[CMK_NAMED_HSM_KEY],
                            g_string_chunk_insert(scenario->estate->strings, full),
                            GUINT_TO_POINTER(index_of(scenario, CMK_NAMED_HSM_KEY, path)));
    }
}

/* Behind the key vaults, so that their keys have the rows behind those of key vaults. */
static void add_managed_hsms(Collecting *collecting, const GArray *hsms)
{
    for (guint i = 0; hsms != NULL && i < hsms->len; i++) {
        const CmkManagedHsmItem *hsm = &g_array_index(hsms, CmkManagedHsmItem, i);
        if (hsm->name == NULL) {
            miss_name(collecting, CMK_NAMED_MANAGED_HSM);
            continue;
        }
        if (hsm->keys == NULL && cmk_node_get(hsm->node, "keys") != NULL) {
            miss_name(collecting, CMK_NAMED_HSM_KEY);
        }
        add(collecting, CMK_NAMED_MANAGED_HSM, cmk_node_text(hsm->name), hsm->name, 0);
        add_keys_of_hsm(collecting, hsm, i + 1);
    }
}

/* An instance is known as vault/instance, and as instance alone while no other is called so. */
static void add_short_name(CmkScenario *scenario, const char *name)
{
    GHashTable *table = scenario->estate->by_name[CMK_NAMED_INSTANCE];
    const bool is_taken = g_hash_table_contains(table, name);
    g_hash_table_insert(table, g_string_chunk_insert(scenario->estate->strings, name),
                        GUINT_TO_POINTER(is_taken ? AMBIGUOUS : scenario->named->len));
}

static void add_backup_vaults(Collecting *collecting, const GArray *vaults)
{
    for (guint i = 0; vaults != NULL && i < vaults->len; i++) {
        const CmkBackupVaultItem *vault = &g_array_index(vaults, CmkBackupVaultItem, i);
        if (vault->name == NULL) {
            miss_name(collecting, CMK_NAMED_BACKUP_VAULT);
            continue;
        }
        if (vault->instances == NULL && cmk_node_get(vault->node, "instances") != NULL) {
            miss_name(collecting, CMK_NAMED_INSTANCE);
        }
        add(collecting, CMK_NAMED_BACKUP_VAULT, cmk_node_text(vault->name), vault->name, 0);
        for (guint j = 0; vault->instances != NULL && j < vault->instances->len; j++) {
            const CmkInstanceItem *instance = &g_array_index(vault->instances, CmkInstanceItem, j);
            if (instance->name == NULL) {
                miss_name(collecting, CMK_NAMED_INSTANCE);
                continue;
            }
            g_autofree char *path = path_of(vault->name, instance->name);
            const guint before = collecting->scenario->named->len;
            add(collecting, CMK_NAMED_INSTANCE, path, instance->name, i + 1);
            if (collecting->scenario->named->len > before) {
                add_short_name(collecting->scenario, cmk_node_text(instance->name));
            }
        }
    }
}

/* ---- references ------------------------------------------------------------------------------ */

/* Which kinds of names a type of parameter takes: bit per CmkNamedKind. */
static uint32_t kinds_of(uint32_t accepts)
{
    switch (accepts) {
    case CMK_PARAM_KEY_VAULT:
        return 1U << CMK_NAMED_KEY_VAULT;
    case CMK_PARAM_KEY:
    case CMK_PARAM_KEY_SOURCE:
    case CMK_PARAM_KEY_TARGET:
        return 1U << CMK_NAMED_KEY | 1U << CMK_NAMED_HSM_KEY;
    case CMK_PARAM_MANAGED_HSM:
    case CMK_PARAM_HSM_SOURCE:
        return 1U << CMK_NAMED_MANAGED_HSM;
    case CMK_PARAM_KEY_STORE:
        return 1U << CMK_NAMED_KEY_VAULT | 1U << CMK_NAMED_MANAGED_HSM;
    case CMK_PARAM_SCOPE:
        return 1U << CMK_NAMED_MANAGED_HSM | 1U << CMK_NAMED_HSM_KEYS | 1U << CMK_NAMED_HSM_KEY |
               1U << CMK_NAMED_KEY_VAULT | 1U << CMK_NAMED_KEY | 1U << CMK_NAMED_RESOURCE_GROUP |
               1U << CMK_NAMED_SUBSCRIPTION | 1U << CMK_NAMED_MANAGEMENT_GROUP;
    case CMK_PARAM_CONTAINER:
        return 1U << CMK_NAMED_SUBSCRIPTION | 1U << CMK_NAMED_MANAGEMENT_GROUP;
    case CMK_PARAM_SUBSCRIPTION:
        return 1U << CMK_NAMED_SUBSCRIPTION;
    case CMK_PARAM_RESOURCE_GROUP:
        return 1U << CMK_NAMED_RESOURCE_GROUP;
    case CMK_PARAM_USER:
        return 1U << CMK_NAMED_USER;
    case CMK_PARAM_GROUP:
        return 1U << CMK_NAMED_GROUP;
    case CMK_PARAM_MEMBER:
        return 1U << CMK_NAMED_IDENTITY | 1U << CMK_NAMED_BACKUP_VAULT | 1U << CMK_NAMED_USER;
    case CMK_PARAM_IDENTITY:
        return 1U << CMK_NAMED_IDENTITY;
    case CMK_PARAM_CALLER:
        return 1U << CMK_NAMED_IDENTITY | 1U << CMK_NAMED_BACKUP_VAULT | 1U << CMK_NAMED_USER |
               1U << CMK_NAMED_GROUP;
    case CMK_PARAM_USER_OR_SYSTEM:
        return 1U << CMK_NAMED_IDENTITY | 1U << CMK_NAMED_SYSTEM;
    case CMK_PARAM_BACKUP_VAULT:
        return 1U << CMK_NAMED_BACKUP_VAULT;
    case CMK_PARAM_INSTANCE:
        return 1U << CMK_NAMED_INSTANCE;
    case CMK_PARAM_POLICY:
        return 1U << CMK_NAMED_POLICY;
    case CMK_PARAM_SECRET:
        return 1U << CMK_NAMED_SECRET;
    case CMK_PARAM_RESOURCE_GUARD:
        return 1U << CMK_NAMED_RESOURCE_GUARD;
    case CMK_PARAM_NETWORK:
        return 1U << CMK_NAMED_NETWORK;
    case CMK_PARAM_NETWORK_OR_SUBSCRIPTION:
        return 1U << CMK_NAMED_NETWORK | 1U << CMK_NAMED_SUBSCRIPTION;
    default:
        CMK_ASSERT(false);
        return 0;
    }
}

static void hint_names(const CmkScenario *scenario, CmkDiagnostics *diagnostics, uint32_t accepted,
                       const char *name)
{
    const char *candidates[CANDIDATES_MAX] = {NULL};
    size_t count = 0;
    for (guint i = 0; i < scenario->named->len && count < CANDIDATES_MAX; i++) {
        const CmkNamed *entry = &g_array_index(scenario->named, CmkNamed, i);
        for (uint32_t kind = CMK_NAMED_KEY_VAULT; kind < CMK_NAMED_SYSTEM; kind++) {
            if ((accepted >> kind & 1) != 0 && entry->kind == kinds[kind].kind) {
                candidates[count++] = entry->name;
            }
        }
    }
    if ((accepted >> CMK_NAMED_SYSTEM & 1) != 0 && count < CANDIDATES_MAX) {
        candidates[count++] = "system";
    }
    cmk_diagnostics_hint_word(diagnostics, name, candidates, count);
    const char *tails[CANDIDATES_MAX] = {NULL}; /* an instance goes by its own name too */
    for (size_t i = 0; i < count; i++) {
        const char *slash = strrchr(candidates[i], '/');
        tails[i] = slash == NULL ? candidates[i] : slash + 1;
    }
    const char *near = cmk_suggest(name, tails, count);
    if (near != NULL && cmk_suggest(name, candidates, count) == NULL) {
        cmk_diagnostics_hint(diagnostics, "did you mean `%s`?", near);
    }
    if (count == 0) {
        cmk_diagnostics_hint(diagnostics, "the world has none yet: add it to `world`");
    }
}

/* "there is no identity or Backup vault called `x`" */
static bool miss(const CmkScenario *scenario, CmkDiagnostics *diagnostics, uint32_t accepted,
                 const CmkReference *reference)
{
    const char *name = cmk_node_text(reference->node);
    const char *slash = strchr(name, '/');
    if ((accepted & scenario->estate->incomplete) != 0) {
        return false; /* it may be what could not be read, which has its message */
    }
    if (slash == name) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(reference->node),
                              "`%s` is a path, not a name", name);
        cmk_diagnostics_hint(diagnostics, "write the name that it has in `world`, a key as "
                                          "vault/key");
        return false;
    }
    const uint32_t in_stores =
        1U << CMK_NAMED_KEY | 1U << CMK_NAMED_HSM_KEY | 1U << CMK_NAMED_SECRET;
    if ((accepted & in_stores) != 0 && slash != NULL) {
        g_autofree char *vault = g_strndup(name, (gsize)(slash - name));
        if (entry_of(scenario, CMK_NAMED_KEY_VAULT, vault) == NULL &&
            entry_of(scenario, CMK_NAMED_MANAGED_HSM, vault) == NULL) {
            cmk_diagnostics_error(diagnostics, cmk_node_position(reference->node),
                                  "there is no key vault called `%s`", vault);
            hint_names(scenario, diagnostics, 1U << CMK_NAMED_KEY_VAULT, vault);
            return false;
        }
    }
    g_autoptr(GString) what = g_string_new(NULL);
    for (uint32_t kind = CMK_NAMED_KEY_VAULT; kind < CMK_NAMED_SYSTEM; kind++) {
        if ((accepted >> kind & 1) != 0 && kind != CMK_NAMED_HSM_KEYS &&
            kind != CMK_NAMED_HSM_KEY) {
            const bool is_last = accepted >> (kind + 1) == 0 ||
                                 accepted >> (kind + 1) == 1U << (CMK_NAMED_SYSTEM - kind - 1);
            const char *between = what->len == 0 ? "" : is_last ? " or " : ", ";
            g_string_append_printf(what, "%s%s", between, kinds[kind].text);
        }
    }
    cmk_diagnostics_error(diagnostics, cmk_node_position(reference->node),
                          "there is no %s called `%s`", what->str, name);
    if ((accepted & ~in_stores) == 0 && slash == NULL) {
        const char *kind =
            kinds[accepted == 1U << CMK_NAMED_SECRET ? CMK_NAMED_SECRET : CMK_NAMED_KEY].text;
        cmk_diagnostics_hint(diagnostics, "name a %s as vault/%s", kind, kind);
        return false;
    }
    hint_names(scenario, diagnostics, accepted, name);
    return false;
}

/* Cuts "vault/key/2" into the key's path and the number of the version. */
static char *cut_version(const char *text, uint32_t *ret_version)
{
    const char *first = strchr(text, '/');
    const char *second = first == NULL ? NULL : strchr(first + 1, '/');
    int64_t number = 0;
    char message[CMK_MESSAGE_SIZE];
    if (second == NULL || !cmk_integer_parse(second + 1, 1, INT32_MAX, &number, message)) {
        return g_strdup(text);
    }
    *ret_version = (uint32_t)number;
    return g_strndup(text, (gsize)(second - text));
}

/* "an identity", "a group" */
static const char *article_of(uint32_t kind)
{
    return strchr("aeio", kinds[kind].text[0]) != NULL ? "an" : "a";
}

bool cmk_names_resolve(const CmkScenario *scenario, CmkDiagnostics *diagnostics, uint32_t accepts,
                       CmkReference *reference)
{
    const char *text = cmk_node_text(reference->node);
    const uint32_t accepted = kinds_of(accepts);
    uint32_t version = 0;
    g_autofree char *name =
        accepts == CMK_PARAM_KEY_TARGET ? cut_version(text, &version) : g_strdup(text);
    if ((accepted >> CMK_NAMED_SYSTEM & 1) != 0 && strcmp(name, "system") == 0) {
        reference->kind = CMK_NAMED_SYSTEM;
        return true;
    }
    const CmkNamed *found = NULL;
    for (uint32_t kind = CMK_NAMED_KEY_VAULT; kind < CMK_NAMED_SYSTEM; kind++) {
        const CmkNamed *entry =
            (accepted >> kind & 1) == 0 ? NULL : entry_of(scenario, (CmkNamedKind)kind, name);
        if (entry != NULL && found != NULL) {
            cmk_diagnostics_error(diagnostics, cmk_node_position(reference->node),
                                  "both %s %s and %s %s are called `%s`",
                                  article_of(reference->kind), kinds[reference->kind].text,
                                  article_of(kind), kinds[kind].text, name);
            cmk_diagnostics_hint(diagnostics, "rename one of them");
            return false;
        }
        if (entry != NULL) {
            found = entry;
            *reference = (CmkReference){.node = reference->node,
                                        .kind = kind,
                                        .row = entry->row,
                                        .owner = entry->owner,
                                        .version = version};
        }
    }
    if (found != NULL) {
        return true;
    }
    if (accepts == CMK_PARAM_INSTANCE && index_of(scenario, CMK_NAMED_INSTANCE, name) != 0) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(reference->node),
                              "several backup instances are called `%s`", name);
        cmk_diagnostics_hint(diagnostics, "say which one as vault/%s", name);
        return false;
    }
    return miss(scenario, diagnostics, accepted, reference);
}

static bool resolve(void *self, const CmkField *field, CmkReference *reference)
{
    Collecting *collecting = self;
    return cmk_names_resolve(collecting->scenario, collecting->diagnostics, field->accepts,
                             reference);
}

/* Lists of names that could not be read as a whole; single items are noticed when added. */
static void note_incomplete(Collecting *collecting, const CmkWorldItem *world)
{
    static const struct {
        const char *key;
        CmkNamedKind kind;
    } lists[] = {{"key_vaults", CMK_NAMED_KEY_VAULT},
                 {"identities", CMK_NAMED_IDENTITY},
                 {"managed_hsms", CMK_NAMED_MANAGED_HSM},
                 {"policies", CMK_NAMED_POLICY},
                 {"backup_vaults", CMK_NAMED_BACKUP_VAULT},
                 {"scopes", CMK_NAMED_RESOURCE_GROUP},
                 {"users", CMK_NAMED_USER},
                 {"groups", CMK_NAMED_GROUP},
                 {"networks", CMK_NAMED_NETWORK},
                 {"resource_guards", CMK_NAMED_RESOURCE_GUARD}};
    const GArray *read[] = {world->key_vaults,     world->identities,    world->managed_hsms,
                            world->policies,       world->backup_vaults, world->scopes,
                            world->users,          world->groups,        world->networks,
                            world->resource_guards};
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(lists); i++) {
        if (read[i] == NULL &&
            (world->node == NULL || cmk_node_get(world->node, lists[i].key) != NULL)) {
            miss_name(collecting, lists[i].kind);
        }
    }
}

static CmkNamedKind kind_of_scope(uint32_t kind)
{
    switch ((CmkScopeKind)kind) {
    case CMK_SCOPE_MANAGEMENT_GROUP:
        return CMK_NAMED_MANAGEMENT_GROUP;
    case CMK_SCOPE_SUBSCRIPTION:
        return CMK_NAMED_SUBSCRIPTION;
    case CMK_SCOPE_RESOURCE_GROUP:
        break;
    }
    return CMK_NAMED_RESOURCE_GROUP;
}

static void add_scopes(Collecting *collecting, const GArray *scopes)
{
    /* Those that resources lie in which say nothing else come first. */
    collecting->scenario->estate->rows[CMK_NAMED_RESOURCE_GROUP] = CMK_SCOPE__FIRST_DECLARED - 1;
    for (guint i = 0; scopes != NULL && i < scopes->len; i++) {
        const CmkScopeItem *scope = &g_array_index(scopes, CmkScopeItem, i);
        if (scope->name != NULL) {
            add(collecting, kind_of_scope(scope->kind), cmk_node_text(scope->name), scope->name, 0);
        } else {
            miss_name(collecting, CMK_NAMED_RESOURCE_GROUP);
        }
    }
}

static void add_networks(Collecting *collecting, const GArray *networks)
{
    for (guint i = 0; networks != NULL && i < networks->len; i++) {
        const CmkNode *name = g_array_index(networks, CmkNetworkItem, i).name;
        if (name != NULL) {
            add(collecting, CMK_NAMED_NETWORK, cmk_node_text(name), name, 0);
        } else {
            miss_name(collecting, CMK_NAMED_NETWORK);
        }
    }
}

static void add_person(Collecting *collecting, CmkNamedKind kind, const CmkNode *name)
{
    if (name != NULL) {
        add(collecting, kind, cmk_node_text(name), name, 0);
    } else {
        miss_name(collecting, kind);
    }
}

static void add_people(Collecting *collecting, const CmkWorldItem *world)
{
    for (guint i = 0; world->users != NULL && i < world->users->len; i++) {
        add_person(collecting, CMK_NAMED_USER, g_array_index(world->users, CmkUserItem, i).name);
    }
    for (guint i = 0; world->groups != NULL && i < world->groups->len; i++) {
        add_person(collecting, CMK_NAMED_GROUP, g_array_index(world->groups, CmkGroupItem, i).name);
    }
}

/* Whether a scope lies in itself: only management groups can. */
static bool is_in_circle(const GArray *scopes, uint32_t row)
{
    uint32_t outer = row;
    for (guint steps = 0; steps <= scopes->len && outer != 0; steps++) {
        outer = g_array_index(scopes, CmkScopeItem, outer - CMK_SCOPE__FIRST_DECLARED).in.row;
        if (outer == row) {
            return true;
        }
    }
    return false;
}

static bool check_scope(const Collecting *collecting, const GArray *scopes, guint i)
{
    const CmkScopeItem *scope = &g_array_index(scopes, CmkScopeItem, i);
    const CmkNode *node = scope->in.node;
    if (node == NULL || scope->in.row == 0) {
        return true;
    }
    const CmkNamedKind wanted = scope->kind == CMK_SCOPE_RESOURCE_GROUP
                                    ? CMK_NAMED_SUBSCRIPTION
                                    : CMK_NAMED_MANAGEMENT_GROUP;
    if (scope->in.kind != wanted) {
        const CmkNamedKind kind = kind_of_scope(scope->kind);
        cmk_diagnostics_error(collecting->diagnostics, cmk_node_position(node),
                              "a %s lies in a %s, but `%s` is a %s", kinds[kind].text,
                              kinds[wanted].text, cmk_node_text(node), kinds[scope->in.kind].text);
        cmk_diagnostics_hint(collecting->diagnostics, "name a %s, or leave `in` out",
                             kinds[wanted].text);
        return false;
    }
    if (is_in_circle(scopes, CMK_SCOPE__FIRST_DECLARED + i)) {
        cmk_diagnostics_error(collecting->diagnostics, cmk_node_position(node),
                              "`%s` lies in itself", cmk_node_text(scope->name));
        cmk_diagnostics_hint(collecting->diagnostics, "leave `in` out of the outermost one");
        return false;
    }
    return true;
}

static bool check_scopes(const Collecting *collecting, const GArray *scopes)
{
    bool is_right = true;
    for (guint i = 0; scopes != NULL && i < scopes->len; i++) {
        is_right &= check_scope(collecting, scopes, i);
    }
    return is_right;
}

static void add_named(Collecting *collecting, const CmkWorldItem *world)
{
    note_incomplete(collecting, world);
    add_scopes(collecting, world->scopes);
    add_people(collecting, world);
    add_networks(collecting, world->networks);
    add_key_vaults(collecting, world->key_vaults);
    add_managed_hsms(collecting, world->managed_hsms);
    for (guint i = 0; world->identities != NULL && i < world->identities->len; i++) {
        const CmkNode *name = g_array_index(world->identities, CmkIdentityItem, i).name;
        if (name != NULL) {
            add(collecting, CMK_NAMED_IDENTITY, cmk_node_text(name), name, 0);
        } else {
            miss_name(collecting, CMK_NAMED_IDENTITY);
        }
    }
    for (guint i = 0; world->policies != NULL && i < world->policies->len; i++) {
        const CmkNode *name = g_array_index(world->policies, CmkPolicyItem, i).name;
        if (name != NULL) {
            add(collecting, CMK_NAMED_POLICY, cmk_node_text(name), name, 0);
        } else {
            miss_name(collecting, CMK_NAMED_POLICY);
        }
    }
    for (guint i = 0; world->resource_guards != NULL && i < world->resource_guards->len; i++) {
        const CmkNode *name = g_array_index(world->resource_guards, CmkResourceGuardItem, i).name;
        if (name != NULL) {
            add(collecting, CMK_NAMED_RESOURCE_GUARD, cmk_node_text(name), name, 0);
        } else {
            miss_name(collecting, CMK_NAMED_RESOURCE_GUARD);
        }
    }
    add_backup_vaults(collecting, world->backup_vaults);
}

bool cmk_names_collect(CmkScenario *scenario, CmkDiagnostics *diagnostics)
{
    Collecting collecting = {.scenario = scenario, .diagnostics = diagnostics, .is_right = true};
    CmkEstate *estate = scenario->estate;
    for (uint32_t kind = 0; kind < CMK_NAMED__COUNT; kind++) {
        estate->by_name[kind] = names_of_kind(kind);
    }
    add_named(&collecting, &estate->file.world);
    /* Members of fleets have names too, so they come before references are resolved. */
    const bool are_fleets_right = cmk_fleets_collect(scenario, diagnostics);
    const bool are_resolved =
        cmk_fields_visit(cmk_language_fields(), &estate->file, resolve, &collecting);
    /* With a name or a reference missing, rows would be others. */
    return collecting.is_right && are_fleets_right && are_resolved &&
           check_scopes(&collecting, estate->file.world.scopes);
}
