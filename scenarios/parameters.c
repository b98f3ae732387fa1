/* Parameters of operations, read through the operation's own table: nothing here knows what any
 * operation means. */
#include <string.h>

#include "faults/catalogue.h"
#include "models/envelope.h"
#include "scenarios/estate.h"

/* Index i stands for CmkPointChoice i + 1. */
static const char *const point_words[] = {"latest",       "oldest",         "latest_operational",
                                          "latest_vault", "latest_archive", NULL};
static const CmkVocabulary points = {.what = "a choice of a recovery point", .words = point_words};
_Static_assert(CMK_POINT_LATEST == 1 && CMK_POINT_OLDEST == 2 &&
                   CMK_POINT_LATEST_OPERATIONAL == 3 && CMK_POINT_LATEST_VAULT == 4 &&
                   CMK_POINT_LATEST_ARCHIVE == 5 && CMK_ARRAY_LEN(point_words) == CMK_POINT__COUNT,
               "word i stands for choice i + 1");

static const char *const rehydration_words[] = {"standard", "high", NULL};
static const CmkVocabulary rehydrations = {.what = "a priority", .words = rehydration_words};
_Static_assert(CMK_REHYDRATION_STANDARD == 0 && CMK_REHYDRATION_HIGH == 1, "word i stands for i");

/* Index i stands for CmkPrincipalType i + 1. */
static const char *const principal_words[] = {"User", "Group", "ServicePrincipal", NULL};
static const CmkVocabulary principal_types = {.what = "a type of principal",
                                              .words = principal_words};
_Static_assert(CMK_PRINCIPAL_USER == 1 && CMK_ARRAY_LEN(principal_words) == CMK_PRINCIPAL__COUNT,
               "word i stands for type i + 1");

typedef struct Target {
    const CmkScenario *scenario;
    const char *what; /* the operation or fault as the user named it */
    CmkReading reading;
    CmkArgs *args;
    GString *text;
} Target;

static const CmkOperation *operation_of(const CmkArgs *args)
{
    return cmk_azure_model()->operations[args->op];
}

void cmk_parameters_set(CmkArgs *args, const char *name, int64_t value)
{
    const CmkParam *param = cmk_fault_param(cmk_azure_model(), args->op, name);
    CMK_ASSERT(param != NULL);
    if (param->is_num != 0) {
        args->num[param->slot] = value;
    } else {
        args->ref[param->slot] = (uint32_t)value;
    }
}

void cmk_parameters_put(const CmkReference *reference, CmkArgs *args)
{
    switch ((CmkNamedKind)reference->kind) {
    case CMK_NAMED_KEY_VAULT:
        args->ref[CMK_REF_KEY_VAULT] = reference->row;
        return;
    case CMK_NAMED_KEY:
        args->ref[CMK_REF_KEY] = reference->row;
        args->ref[CMK_REF_KEY_VAULT] = reference->owner;
        /* Who applies the operation looks up the number when the moment has come. */
        if (reference->version != 0) {
            args->num[CMK_NUM_VERSION] = reference->version;
        }
        return;
    case CMK_NAMED_MANAGED_HSM:
        args->ref[CMK_REF_MANAGED_HSM] = reference->row;
        return;
    case CMK_NAMED_HSM_KEYS:
        args->ref[CMK_REF_MANAGED_HSM] = reference->row;
        args->num[CMK_NUM_ALL_KEYS] = 1;
        return;
    case CMK_NAMED_HSM_KEY:
        args->ref[CMK_REF_KEY] = reference->row;
        args->ref[CMK_REF_MANAGED_HSM] = reference->owner;
        if (reference->version != 0) {
            args->num[CMK_NUM_VERSION] = reference->version;
        }
        return;
    case CMK_NAMED_IDENTITY:
        args->ref[CMK_REF_IDENTITY] = reference->row;
        return;
    case CMK_NAMED_POLICY:
        args->ref[CMK_REF_POLICY] = reference->row;
        return;
    case CMK_NAMED_BACKUP_VAULT:
        args->ref[CMK_REF_BACKUP_VAULT] = reference->row;
        return;
    case CMK_NAMED_INSTANCE:
        args->ref[CMK_REF_INSTANCE] = reference->row;
        args->ref[CMK_REF_BACKUP_VAULT] = reference->owner;
        return;
    case CMK_NAMED_RESOURCE_GROUP:
    case CMK_NAMED_SUBSCRIPTION:
    case CMK_NAMED_MANAGEMENT_GROUP:
        args->ref[CMK_REF_SCOPE] = reference->row;
        return;
    case CMK_NAMED_USER:
    case CMK_NAMED_GROUP:
        args->ref[CMK_REF_GRANTEE] = reference->row;
        return;
    case CMK_NAMED_SECRET:
        args->ref[CMK_REF_SECRET] = reference->row;
        args->ref[CMK_REF_KEY_VAULT] = reference->owner;
        return;
    case CMK_NAMED_RESOURCE_GUARD:
        args->ref[CMK_REF_RESOURCE_GUARD] = reference->row;
        return;
    case CMK_NAMED_NETWORK:
        args->ref[CMK_REF_NETWORK] = reference->row;
        return;
    case CMK_NAMED_SYSTEM:
        args->num[CMK_NUM_SYSTEM] = 1;
        return;
    case CMK_NAMED_NONE:
    case CMK_NAMED__COUNT:
        break;
    }
    CMK_ASSERT(false);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void add_text(Target *target, const CmkParam *param, const CmkNode *value)
{
    g_string_append(target->text, target->text->len == 0 ? "" : ", ");
    if (param->type == CMK_PARAM_SCOPE && target->text->len > 0) {
        g_string_truncate(target->text, target->text->len - 2);
        g_string_append(target->text, " on ");
    }
    const bool is_thing =
        param->type == CMK_PARAM_SECRET || param->type == CMK_PARAM_RESOURCE_GUARD;
    if (param->type >= CMK_PARAM_BOOLEAN && !is_thing) {
        g_string_append_printf(target->text, "%s ", param->name);
    }
    if (cmk_node_kind(value) == CMK_NODE_SCALAR) {
        g_string_append(target->text, cmk_node_text(value));
        return;
    }
    for (const CmkNode *item = cmk_node_first(value); item != NULL; item = cmk_node_next(item)) {
        g_string_append_printf(target->text, "%s%s", item == cmk_node_first(value) ? "" : "+",
                               cmk_node_kind(item) == CMK_NODE_SCALAR ? cmk_node_text(item) : "");
    }
}

static bool read_reference(Target *target, const CmkField *field, const CmkParam *param,
                           const CmkNode *value)
{
    CmkReference reference = {0};
    if (!cmk_field_read(&target->reading, field, value, &reference) ||
        !cmk_names_resolve(target->scenario, target->reading.diagnostics, param->type,
                           &reference)) {
        return false;
    }
    if (param->type == CMK_PARAM_GROUP) {
        target->args->ref[param->slot] = reference.row; /* it is given nothing itself */
    } else if (param->type == CMK_PARAM_KEY_SOURCE || param->type == CMK_PARAM_HSM_SOURCE) {
        target->args->num[param->slot] = reference.row; /* nothing happens to it */
    } else {
        cmk_parameters_put(&reference, target->args);
    }
    return true;
}

static bool read_permissions(Target *target, const CmkField *field, const CmkNode *value,
                             int64_t *ret)
{
    g_autofree char *what = g_strdup_printf("`%s`", field->name);
    if (!cmk_node_expect(target->reading.diagnostics, value, CMK_NODE_SEQUENCE, what)) {
        return false;
    }
    if (cmk_node_count(value) == 0) { /* none is not "no limit", nor the end of a policy */
        cmk_diagnostics_error(target->reading.diagnostics, cmk_node_position(value),
                              "`%s` is empty", field->name);
        cmk_diagnostics_hint(target->reading.diagnostics,
                             "name at least one; what is left out stays as it is");
        return false;
    }
    bool is_right = true;
    *ret = 0;
    for (const CmkNode *item = cmk_node_first(value); item != NULL; item = cmk_node_next(item)) {
        uint32_t word = 0;
        is_right &= cmk_field_read(&target->reading, field, item, &word);
        *ret |= (int64_t)cmk_permission_bits(word);
    }
    return is_right;
}

static bool read_word(Target *target, const CmkField *field, const CmkNode *value, int64_t *ret)
{
    uint32_t word = 0;
    const bool is_right = cmk_field_read(&target->reading, field, value, &word);
    *ret = word;
    return is_right;
}

static bool read_boolean(Target *target, const CmkField *field, const CmkNode *value, int64_t *ret)
{
    bool is_true = false;
    const bool is_right = cmk_field_read(&target->reading, field, value, &is_true);
    *ret = is_true ? CMK_SAYS_TRUE : CMK_SAYS_FALSE;
    return is_right;
}

/* The words of a parameter that is one of them, by its type. */
static const CmkVocabulary *const vocabulary_of[] = {
    [CMK_PARAM_POINT] = &points,
    [CMK_PARAM_ROLE] = &cmk_vocabulary_roles,
    [CMK_PARAM_REGION] = &cmk_vocabulary_regions,
    [CMK_PARAM_TAG] = &cmk_vocabulary_tags,
    [CMK_PARAM_REHYDRATION] = &rehydrations,
    [CMK_PARAM_PRINCIPAL_TYPE] = &principal_types,
    [CMK_PARAM_SOFT_DELETE] = &cmk_vocabulary_soft_delete,
    [CMK_PARAM_PERMISSIONS] = &cmk_vocabulary_permissions,
    [CMK_PARAM_PERMISSION_MODEL] = &cmk_vocabulary_permission_models,
    [CMK_PARAM_KEY_OPS] = &cmk_vocabulary_key_ops,
    [CMK_PARAM_KEY_TYPE] = &cmk_vocabulary_key_types,
    [CMK_PARAM_KEY_CURVE] = &cmk_vocabulary_curves,
    [CMK_PARAM_REDUNDANCY] = &cmk_vocabulary_redundancies,
    [CMK_PARAM_ENCRYPTION] = &cmk_vocabulary_encryption,
    [CMK_PARAM_IMMUTABILITY] = &cmk_vocabulary_immutability,
    [CMK_PARAM_CROSS_SUBSCRIPTION] = &cmk_vocabulary_cross_subscription,
    [CMK_PARAM_SKU] = &cmk_vocabulary_skus,
    [CMK_PARAM_PUBLIC_ACCESS] = &cmk_vocabulary_public_access,
    [CMK_PARAM_DEFAULT_ACTION] = &cmk_vocabulary_default_actions,
    [CMK_PARAM_BYPASS] = &cmk_vocabulary_bypasses,
    [CMK_PARAM_DATASOURCE] = &cmk_vocabulary_datasources,
};

/* A word, or a moment: "+" from the start on, or a date. */
static bool is_moment(const CmkParam *param, const CmkNode *value)
{
    const char *text = cmk_node_kind(value) == CMK_NODE_SCALAR ? cmk_node_text(value) : "";
    return param->type == CMK_PARAM_POINT &&
           (g_ascii_isdigit(text[0]) || text[0] == '+' || text[0] == '-');
}

/* A parameter of the model as a field of the language. */
static CmkField field_of(const CmkParam *param)
{
    CmkField field = {.name = param->name, .doc = param->name, .type = CMK_FIELD_REFERENCE};
    if (param->type < CMK_ARRAY_LEN(vocabulary_of) && vocabulary_of[param->type] != NULL) {
        field.type = CMK_FIELD_WORD;
        field.vocabulary = vocabulary_of[param->type];
        return field;
    }
    switch (param->type) {
    case CMK_PARAM_DURATION:
        field.type = CMK_FIELD_DURATION;
        field.min = 1;
        field.max = CMK_DAY_US * 366 * 100;
        break;
    case CMK_PARAM_BOOLEAN:
        field.type = CMK_FIELD_BOOLEAN;
        break;
    case CMK_PARAM_SIZE:
    case CMK_PARAM_SAMPLE:
        field.type = CMK_FIELD_SIZE;
        field.min = 1;
        field.max = param->type == CMK_PARAM_SIZE ? CMK_INSTANCE_BYTES_MAX
                                                  : (int64_t)CMK_ENVELOPE_SAMPLE_BYTES_MAX;
        break;
    case CMK_PARAM_SHARE:
        field.type = CMK_FIELD_SHARE;
        field.min = param->is_required != 0 ? 0 : 1; /* else 0 stands for none */
        field.max = CMK_SHARE_ALL;
        break;
    case CMK_PARAM_INSTANT:
    case CMK_PARAM_EXPIRY:
        field.min = 1; /* 0 stands for none */
        field.type = CMK_FIELD_INSTANT;
        break;
    case CMK_PARAM_INTEGER:
    case CMK_PARAM_VERSION:
        field.type = CMK_FIELD_INTEGER;
        field.min = 1;
        field.max = INT32_MAX;
        break;
    default:
        break;
    }
    return field;
}

static bool is_never(const CmkParam *param, const CmkNode *value)
{
    return param->type == CMK_PARAM_EXPIRY && cmk_node_kind(value) == CMK_NODE_SCALAR &&
           strcmp(cmk_node_text(value), "never") == 0;
}

/* What the first of the words of a parameter stands for. */
static int64_t first_value(const CmkParam *param)
{
    switch (param->type) {
    case CMK_PARAM_POINT:
        return CMK_POINT_LATEST;
    case CMK_PARAM_ENCRYPTION:
        return CMK_SAYS_FALSE;
    case CMK_PARAM_PRINCIPAL_TYPE:
        return CMK_PRINCIPAL_USER;
    case CMK_PARAM_PUBLIC_ACCESS:
    case CMK_PARAM_DEFAULT_ACTION:
    case CMK_PARAM_BYPASS:
        return 1; /* 0 stands for none */
    default:
        return 0;
    }
}

static bool read_value(Target *target, const CmkParam *param, const CmkNode *value)
{
    CmkField field = field_of(param);
    if (is_moment(param, value)) {
        field.type = CMK_FIELD_INSTANT;
        field.min = CMK_POINT__COUNT;
    }
    add_text(target, param, value);
    int64_t number = 0;
    bool is_right = false;
    if (field.type == CMK_FIELD_REFERENCE) {
        return read_reference(target, &field, param, value);
    }
    if (param->type == CMK_PARAM_PERMISSIONS || param->type == CMK_PARAM_KEY_OPS) {
        is_right = read_permissions(target, &field, value, &number);
    } else if (field.type == CMK_FIELD_WORD) {
        is_right = read_word(target, &field, value, &number);
        number += first_value(param);
    } else if (field.type == CMK_FIELD_BOOLEAN) {
        is_right = read_boolean(target, &field, value, &number);
    } else if (is_never(param, value)) {
        is_right = true;
        number = CMK_TIME_MAX;
    } else {
        is_right = cmk_field_read(&target->reading, &field, value, &number);
    }
    if (is_right) {
        cmk_parameters_set(target->args, param->name, number);
    }
    return is_right;
}

static void report_missing(const Target *target, const CmkNode *at, const CmkParam *param)
{
    const CmkField field = field_of(param);
    const char *key = cmk_node_key(at);
    cmk_diagnostics_error(target->reading.diagnostics, cmk_node_position(at), "%s needs `%s`",
                          target->what, param->name);
    cmk_diagnostics_hint(target->reading.diagnostics, "add %s%s%s`%s`: %s",
                         key == NULL ? "" : "to `", key == NULL ? "" : key, key == NULL ? "" : "` ",
                         param->name, cmk_field_type_text(field.type));
}

static bool report_unknown(const Target *target, const CmkNode *value)
{
    const CmkOperation *operation = operation_of(target->args);
    const char *names[CMK_PARAMS_MAX];
    size_t count = 0;
    while (count < CMK_PARAMS_MAX && operation->params[count].name != NULL) {
        names[count] = operation->params[count].name;
        count++;
    }
    cmk_diagnostics_error(target->reading.diagnostics, cmk_node_key_position(value),
                          "%s has no parameter `%s`", target->what, cmk_node_key(value));
    if (strcmp(cmk_node_key(value), "as") == 0) {
        cmk_diagnostics_hint(target->reading.diagnostics,
                             "write `as` beside `do`: who asks is not part of what is asked for");
        return false;
    }
    cmk_diagnostics_hint_word(target->reading.diagnostics, cmk_node_key(value), names, count);
    return false;
}

/* Two words for one thing, of which only one can be meant: `size` and `curve`. */
static bool is_said_before(const Target *target, const CmkNode *map, const CmkNode *value,
                           const CmkParam *param)
{
    const CmkNode *earlier = cmk_node_first(map);
    for (; earlier != value; earlier = cmk_node_next(earlier)) {
        const CmkParam *other =
            cmk_fault_param(cmk_azure_model(), target->args->op, cmk_node_key(earlier));
        if (other != NULL && param->is_num != 0 && other->is_num != 0 &&
            other->slot == param->slot) {
            break;
        }
    }
    if (earlier == value) {
        return false;
    }
    cmk_diagnostics_error(target->reading.diagnostics, cmk_node_key_position(value),
                          "`%s` and `%s` cannot both be said", cmk_node_key(earlier),
                          cmk_node_key(value));
    cmk_diagnostics_hint(target->reading.diagnostics, "leave one of them out");
    return true;
}

static bool read_map(Target *target, const CmkNode *map)
{
    const CmkOperation *operation = operation_of(target->args);
    bool is_right = true;
    for (const CmkNode *value = cmk_node_first(map); value != NULL; value = cmk_node_next(value)) {
        const CmkParam *param =
            cmk_fault_param(cmk_azure_model(), target->args->op, cmk_node_key(value));
        is_right &= param == NULL ? report_unknown(target, value)
                                  : !is_said_before(target, map, value, param) &&
                                        read_value(target, param, value);
    }
    for (uint32_t i = 0; i < CMK_PARAMS_MAX && operation->params[i].name != NULL; i++) {
        const CmkParam *param = &operation->params[i];
        if (param->is_required == 0 || cmk_node_get(map, param->name) != NULL) {
            continue;
        }
        if (is_right || !cmk_node_has_slip(map, param->name, NULL)) {
            report_missing(target, map, param);
        }
        is_right = false;
    }
    return is_right;
}

/* The only required parameter; NULL if there are several, or none. */
static const CmkParam *only_required(const CmkOperation *operation)
{
    const CmkParam *only = NULL;
    for (uint32_t i = 0; i < CMK_PARAMS_MAX && operation->params[i].name != NULL; i++) {
        if (operation->params[i].is_required != 0) {
            if (only != NULL) {
                return NULL;
            }
            only = &operation->params[i];
        }
    }
    return only;
}

bool cmk_parameters_read(const CmkScenario *scenario, CmkDiagnostics *diagnostics,
                         const CmkNode *item, const CmkNode *node, CmkArgs *args, GString *text)
{
    Target target = {.scenario = scenario,
                     .reading = {.diagnostics = diagnostics, .start = scenario->start},
                     .args = args,
                     .text = text};
    const CmkNode *fault = cmk_node_get(item, "fault");
    target.what = cmk_node_text(fault != NULL ? fault : cmk_node_get(item, "do"));
    const CmkOperation *operation = operation_of(args);
    if (node == NULL) {
        for (uint32_t i = 0; i < CMK_PARAMS_MAX && operation->params[i].name != NULL; i++) {
            if (operation->params[i].is_required != 0) {
                report_missing(&target, item, &operation->params[i]);
                return false;
            }
        }
        return true;
    }
    const CmkParam *only = only_required(operation);
    if (cmk_node_kind(node) == CMK_NODE_SCALAR && !cmk_node_is_absent(node) && only != NULL) {
        return read_value(&target, only, node);
    }
    g_autofree char *what = g_strdup_printf("`%s`", cmk_node_key(node));
    return cmk_node_expect(diagnostics, node, CMK_NODE_MAP, what) && read_map(&target, node);
}
