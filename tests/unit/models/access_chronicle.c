#include "tests/unit/models/access_chronicle.h"

/* ---- who is meant ---------------------------------------------------------------------------- */

static uint32_t principal_of(const Chronicle *self, const CmkWorld *world, const CmkArgs *args)
{
    if (args->ref[CMK_REF_GRANTEE] != 0) {
        return cmk_person(world, (CmkPersonId){args->ref[CMK_REF_GRANTEE]})->principal;
    }
    return args->ref[CMK_REF_IDENTITY] != 0
               ? self->principal_of[args->ref[CMK_REF_IDENTITY]]
               : self->system_principal[args->ref[CMK_REF_BACKUP_VAULT]];
}

/* ---- writing down ---------------------------------------------------------------------------- */

static void begin(Chronicle *self, const CmkWorld *world)
{
    CMK_ASSERT(cmk_world_count(world, CMK_TABLE_SCOPE) < CHRONICLE_THINGS_MAX);
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_SCOPE); i++) {
        self->parent[i] = cmk_scope(world, (CmkScopeId){i})->parent;
    }
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_PERSON); i++) {
        const CmkPerson *person = cmk_person(world, (CmkPersonId){i});
        self->lives[person->principal] =
            (Life){.made_at = cmk_world_now(world), .deleted_at = CMK_TIME_MAX};
    }
}

static bool is_on_keys(const CmkArgs *args)
{
    return args->ref[CMK_REF_MANAGED_HSM] != 0 &&
           (args->ref[CMK_REF_KEY] != 0 || args->num[CMK_NUM_ALL_KEYS] != 0);
}

static void give_role(Chronicle *self, const CmkWorld *world, const CmkRecord *record)
{
    const CmkArgs *args = &record->args;
    const bool is_at_scope = args->ref[CMK_REF_SCOPE] != 0;
    CMK_ASSERT(self->grant_count < CHRONICLE_LINES_MAX);
    self->grants[self->grant_count++] =
        (Grant){.principal = principal_of(self, world, args),
                .role = (uint32_t)args->num[0],
                .scope = args->ref[CMK_REF_SCOPE],
                .key_vault = is_at_scope ? 0 : args->ref[CMK_REF_KEY_VAULT],
                .managed_hsm = is_at_scope ? 0 : args->ref[CMK_REF_MANAGED_HSM],
                .is_on_keys = is_on_keys(args),
                .key = is_at_scope ? 0 : args->ref[CMK_REF_KEY],
                .seq = record->seq,
                .given_at = record->time,
                .taken_at = CMK_TIME_MAX};
}

/* Exactly there, and all roles where none is named (AC-9). */
static void take_role(Chronicle *self, const CmkWorld *world, const CmkRecord *record)
{
    const CmkArgs *args = &record->args;
    const uint32_t principal = principal_of(self, world, args);
    const bool is_at_scope = args->ref[CMK_REF_SCOPE] != 0;
    for (uint32_t i = 0; i < self->grant_count; i++) {
        Grant *grant = &self->grants[i];
        const bool is_there =
            is_at_scope
                ? grant->scope == args->ref[CMK_REF_SCOPE]
                : grant->scope == 0 && grant->key_vault == args->ref[CMK_REF_KEY_VAULT] &&
                      grant->managed_hsm == args->ref[CMK_REF_MANAGED_HSM] &&
                      grant->is_on_keys == is_on_keys(args) && grant->key == args->ref[CMK_REF_KEY];
        if (grant->principal == principal && is_there && !grant->is_lost &&
            grant->taken_at == CMK_TIME_MAX &&
            (args->num[0] == 0 || grant->role == (uint32_t)args->num[0])) {
            grant->taken_at = record->time;
        }
    }
}

static void lose_roles(Chronicle *self, uint32_t key_vault)
{
    for (uint32_t i = 0; i < self->grant_count; i++) {
        self->grants[i].is_lost |= self->grants[i].key_vault == key_vault;
    }
}

static void pass(Chronicle *self, const CmkWorld *world, const CmkRecord *record)
{
    CMK_ASSERT(self->passage_count < CHRONICLE_LINES_MAX);
    self->passages[self->passage_count++] =
        (Passage){.principal = principal_of(self, world, &record->args),
                  .group = record->args.ref[CMK_REF_GROUP],
                  .is_in = record->args.op == CMK_OP_GROUP_ADD_MEMBER,
                  .at = cmk_is_open(world) ? record->time : 0};
}

static void permit(Chronicle *self, const CmkWorld *world, const CmkArgs *args,
                   uint64_t permissions)
{
    const uint32_t principal = principal_of(self, world, args);
    const uint32_t key_vault = args->ref[CMK_REF_KEY_VAULT];
    uint32_t i = 0;
    while (i < self->permit_count &&
           (self->permits[i].principal != principal || self->permits[i].key_vault != key_vault)) {
        i++;
    }
    CMK_ASSERT(i < CHRONICLE_LINES_MAX);
    self->permit_count += i == self->permit_count;
    self->permits[i].principal = principal;
    self->permits[i].key_vault = key_vault;
    self->permits[i].permissions = permissions;
    if (!cmk_is_open(world)) {
        self->permits[i].of_template = permissions;
    }
}

/* AC-18 */
static void redeploy(Chronicle *self, uint32_t key_vault)
{
    for (uint32_t i = 0; i < self->permit_count; i++) {
        if (self->permits[i].key_vault == key_vault) {
            self->permits[i].permissions = self->permits[i].of_template;
        }
    }
}

static void attach(Chronicle *self, const CmkArgs *args, uint32_t is_there)
{
    const uint32_t vault = args->ref[CMK_REF_BACKUP_VAULT];
    const uint32_t identity = args->ref[CMK_REF_IDENTITY];
    uint32_t i = 0;
    while (i < self->attached_count &&
           (self->attached[i].backup_vault != vault || self->attached[i].identity != identity)) {
        i++;
    }
    CMK_ASSERT(i < CHRONICLE_LINES_MAX);
    self->attached_count += i == self->attached_count;
    self->attached[i] = (Attached){vault, identity, is_there, 0};
}

static void make(Chronicle *self, const CmkRecord *record, uint32_t identity, uint32_t vault)
{
    CMK_ASSERT(record->result < CHRONICLE_PRINCIPALS_MAX);
    self->lives[record->result] = (Life){.seq = record->seq,
                                         .made_at = record->time,
                                         .deleted_at = CMK_TIME_MAX,
                                         .identity = identity,
                                         .backup_vault = vault};
}

static void delete_identity(Chronicle *self, const CmkRecord *record)
{
    const uint32_t identity = record->args.ref[CMK_REF_IDENTITY];
    self->lives[self->principal_of[identity]].deleted_at = record->time;
    self->principal_of[identity] = 0;
    for (uint32_t i = 0; i < self->attached_count; i++) {
        Attached *attached = &self->attached[i];
        if (attached->identity == identity && attached->is_there) {
            *attached = (Attached){attached->backup_vault, identity, 0, 1};
        }
    }
}

static void move(Chronicle *self, const CmkRecord *record)
{
    CMK_ASSERT(self->move_count < CHRONICLE_LINES_MAX);
    self->moves[self->move_count++] =
        (Move){.subscription = record->args.ref[CMK_REF_SCOPE], .seq = record->seq};
}

/* ---- reading --------------------------------------------------------------------------------- */

static void read_principal(Chronicle *self, const CmkRecord *record)
{
    const CmkArgs *args = &record->args;
    const uint32_t vault = args->ref[CMK_REF_BACKUP_VAULT];
    switch (args->op) {
    case CMK_OP_IDENTITY_CREATE:
        make(self, record, args->ref[CMK_REF_IDENTITY], 0);
        self->principal_of[args->ref[CMK_REF_IDENTITY]] = record->result;
        break;
    case CMK_OP_IDENTITY_DELETE:
        delete_identity(self, record);
        break;
    case CMK_OP_IDENTITY_ATTACH:
    case CMK_OP_IDENTITY_DETACH:
        attach(self, args, args->op == CMK_OP_IDENTITY_ATTACH);
        break;
    case CMK_OP_SYSTEM_IDENTITY_ENABLE:
        make(self, record, 0, vault);
        self->system_principal[vault] = record->result;
        break;
    case CMK_OP_SYSTEM_IDENTITY_DISABLE:
        self->lives[self->system_principal[vault]].deleted_at = record->time;
        self->system_principal[vault] = 0;
        break;
    default:
        break;
    }
}

static void read_record(void *state, const CmkWorld *world, const CmkRecord *record)
{
    Chronicle *self = state;
    const CmkArgs *args = &record->args;
    if (record->seq == 1) {
        begin(self, world);
    }
    if (record->status != CMK_STATUS_OK) {
        return;
    }
    switch (args->op) {
    case CMK_OP_ROLE_ASSIGN:
        give_role(self, world, record);
        break;
    case CMK_OP_ROLE_REMOVE:
        take_role(self, world, record);
        break;
    case CMK_OP_GROUP_ADD_MEMBER:
    case CMK_OP_GROUP_REMOVE_MEMBER:
        pass(self, world, record);
        break;
    case CMK_OP_ACCESS_POLICY_SET:
    case CMK_OP_ACCESS_POLICY_REMOVE:
        permit(self, world, args,
               args->op == CMK_OP_ACCESS_POLICY_SET ? (uint64_t)args->num[0] : 0);
        break;
    case CMK_OP_KEY_VAULT_REDEPLOY_TEMPLATE:
        redeploy(self, args->ref[CMK_REF_KEY_VAULT]);
        break;
    case CMK_OP_KEY_VAULT_CREATE:
    case CMK_OP_KEY_VAULT_SET_PERMISSION_MODEL:
        self->uses_policies[args->ref[CMK_REF_KEY_VAULT]] = args->num[0] == CMK_PERMISSIONS_POLICY;
        break;
    case CMK_OP_KEY_VAULT_DELETE:
        lose_roles(self, args->ref[CMK_REF_KEY_VAULT]);
        break;
    case CMK_OP_SUBSCRIPTION_MOVE_TENANT:
        move(self, record);
        break;
    default:
        read_principal(self, record);
    }
}

CmkReader chronicle_reader(Chronicle *chronicle)
{
    return (CmkReader){read_record, chronicle};
}
