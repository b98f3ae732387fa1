/* The words that stand for rows of the model's and the faults' tables. */
#include <string.h>

#include "faults/catalogue.h"
#include "scenarios/language.h"

static bool region_find(const char *word, uint32_t *ret_value)
{
    const uint32_t row = cmk_region_find(word).i;
    if (row != 0) {
        *ret_value = row;
    }
    return row != 0;
}

static const char *region_word(uint32_t index)
{
    uint32_t count = 0;
    const CmkRegionFacts *facts = cmk_region_facts(&count);
    return index + 1 < count ? facts[index + 1].name : NULL;
}

const CmkVocabulary cmk_vocabulary_regions = {.what = "a region of the model",
                                              .find = region_find,
                                              .word = region_word,
                                              .list = "cmksim list regions"};

static bool role_find(const char *word, uint32_t *ret_value)
{
    const uint32_t row = cmk_role_find(word);
    if (row != 0) {
        *ret_value = row;
    }
    return row != 0;
}

static const char *role_word(uint32_t index)
{
    uint32_t count = 0;
    const CmkRoleFacts *facts = cmk_role_facts(&count);
    return index + 1 < count ? facts[index + 1].name : NULL;
}

const CmkVocabulary cmk_vocabulary_roles = {.what = "a role of the model",
                                            .find = role_find,
                                            .word = role_word,
                                            .list = "cmksim list roles"};

static bool datasource_find(const char *word, uint32_t *ret_value)
{
    const uint32_t row = cmk_datasource_find(word);
    if (row != 0) {
        *ret_value = row;
    }
    return row != 0;
}

static const char *datasource_word(uint32_t index)
{
    uint32_t count = 0;
    const CmkDatasourceFacts *facts = cmk_datasource_facts(&count);
    return index + 1 < count ? facts[index + 1].name : NULL;
}

const CmkVocabulary cmk_vocabulary_datasources = {
    .what = "a datasource of the model", .find = datasource_find, .word = datasource_word};

static bool rule_find(const char *word, uint32_t *ret_value)
{
    uint32_t count = 0;
    const CmkRule *rules = cmk_rules(&count);
    const CmkRule *rule = cmk_rule_find(word, strlen(word));
    if (rule != NULL) {
        *ret_value = (uint32_t)(rule - rules);
    }
    return rule != NULL;
}

static const char *rule_word(uint32_t index)
{
    uint32_t count = 0;
    const CmkRule *rules = cmk_rules(&count);
    return index < count ? rules[index].id : NULL;
}

const CmkVocabulary cmk_vocabulary_rules = {.what = "a rule of the model",
                                            .find = rule_find,
                                            .word = rule_word,
                                            .list = "cmksim list rules"};

#define X(name) #name,
static const char *const profile_words[] = {CMK_PROFILES(X) NULL};
#undef X
const CmkVocabulary cmk_vocabulary_profiles = {.what = "a profile", .words = profile_words};

static bool knob_find(const char *word, uint32_t *ret_value)
{
    const int32_t knob = cmk_knob_find(word);
    if (knob >= 0) {
        *ret_value = (uint32_t)knob;
    }
    return knob >= 0;
}

static const char *knob_word(uint32_t index)
{
    const CmkModel *model = cmk_azure_model();
    return index < model->knob_count ? model->knobs[index].name : NULL;
}

const CmkVocabulary cmk_vocabulary_knobs = {
    .what = "a setting", .find = knob_find, .word = knob_word, .list = "cmksim list knobs"};

/* Whether a fault lowers to the operation or ends with it. */
static bool is_of_faults(CmkOpId op)
{
    uint32_t count = 0;
    const CmkFault *faults = cmk_faults(&count);
    for (uint32_t i = 0; i < count; i++) {
        if (faults[i].op == op || faults[i].end == op) {
            return true;
        }
    }
    return false;
}

/* A step is what a person can do: there is a command line for it, or a fault that does or undoes
 * it. What needs a bare number is for the set-up and the service alone. */
static bool is_for_steps(CmkOpId op)
{
    const CmkOperation *operation = cmk_azure_model()->operations[op];
    for (uint32_t i = 0; i < CMK_PARAMS_MAX && operation->params[i].name != NULL; i++) {
        if (operation->params[i].is_required != 0 &&
            operation->params[i].type == CMK_PARAM_INTEGER) {
            return false;
        }
    }
    return operation->params[0].name != NULL && (operation->az != NULL || is_of_faults(op));
}

static bool operation_find(const char *word, uint32_t *ret_value)
{
    const CmkOpId op = cmk_operation_find(word);
    const bool is_found = op != CMK_OP_NONE && is_for_steps(op);
    if (is_found) {
        *ret_value = op;
    }
    return is_found;
}

static const char *operation_word(uint32_t index)
{
    const CmkModel *model = cmk_azure_model();
    uint32_t left = index;
    for (CmkOpId op = 1; op < model->operation_count; op++) {
        if (is_for_steps(op) && left-- == 0) {
            return model->operations[op]->name;
        }
    }
    return NULL;
}

const CmkVocabulary cmk_vocabulary_operations = {.what = "an operation that a step can do",
                                                 .find = operation_find,
                                                 .word = operation_word,
                                                 .list = "cmksim list ops --where step=yes"};

static bool fault_find(const char *word, uint32_t *ret_value)
{
    uint32_t count = 0;
    const CmkFault *faults = cmk_faults(&count);
    const CmkFault *fault = cmk_fault_find(word);
    if (fault != NULL) {
        *ret_value = (uint32_t)(fault - faults);
    }
    return fault != NULL;
}

static const char *fault_word(uint32_t index)
{
    uint32_t count = 0;
    const CmkFault *faults = cmk_faults(&count);
    return index < count ? faults[index].name : NULL;
}

const CmkVocabulary cmk_vocabulary_faults = {
    .what = "a fault of the catalogue", .find = fault_find, .word = fault_word};

static bool status_find(const char *word, uint32_t *ret_value)
{
    const int32_t status = cmk_status_find(word);
    if (status >= 0) {
        *ret_value = (uint32_t)status;
    }
    return status >= 0;
}

/* "ok" first, then codes. Codes that several statuses share are given by their stable names too. */
static const char *status_word(uint32_t index)
{
    const CmkModel *model = cmk_azure_model();
    if (index == 0) {
        return "ok";
    }
    if (index < model->status_count) {
        return model->statuses[index].code;
    }
    index -= model->status_count;
    return index < model->status_count ? model->statuses[index].name : NULL;
}

const CmkVocabulary cmk_vocabulary_statuses = {.what = "a status that an operation can end with",
                                               .find = status_find,
                                               .word = status_word,
                                               .list = "cmksim list statuses"};

static const char *const permission_model_words[] = {"rbac", "access_policy", NULL};
_Static_assert(CMK_PERMISSIONS_RBAC == 0 && CMK_PERMISSIONS_POLICY == 1, "word i stands for i");
const CmkVocabulary cmk_vocabulary_permission_models = {.what = "a permission model",
                                                        .words = permission_model_words};

static const char *const permission_words[] = {"get",
                                               "wrapKey",
                                               "unwrapKey",
                                               "list",
                                               "create",
                                               "import",
                                               "update",
                                               "delete",
                                               "recover",
                                               "purge",
                                               "backup",
                                               "restore",
                                               "rotate",
                                               "getrotationpolicy",
                                               "setrotationpolicy",
                                               "encrypt",
                                               "decrypt",
                                               "sign",
                                               "verify",
                                               "release",
                                               "all",
                                               "secrets/get",
                                               "secrets/set",
                                               "secrets/delete",
                                               "secrets/recover",
                                               NULL};
#define WORD_ALL 20
#define WORDS_OF_SECRETS 4
_Static_assert(CMK_PERMISSION_GET == 1 << 0 && CMK_PERMISSION_WRAP == 1 << 1 &&
                   CMK_PERMISSION_UNWRAP == 1 << 2 && CMK_PERMISSION_LIST == 1 << 3 &&
                   CMK_PERMISSION_RELEASE == 1 << 19 &&
                   CMK_ARRAY_LEN(permission_words) == WORD_ALL + 2 + WORDS_OF_SECRETS,
               "word i stands for bit i, up to the one for all that is done with keys");
_Static_assert(CMK_PERMISSION_SECRET_RECOVER == CMK_PERMISSION_SECRET_GET << (WORDS_OF_SECRETS - 1),
               "the words that follow stand for what is done with secrets, in order");
const CmkVocabulary cmk_vocabulary_permissions = {.what = "a permission of access policies",
                                                  .words = permission_words};

uint64_t cmk_permission_bits(uint32_t word)
{
    if (word > WORD_ALL) {
        return CMK_PERMISSION_SECRET_GET << (word - WORD_ALL - 1);
    }
    return word == WORD_ALL ? (uint64_t)CMK_PERMISSION_KEYS_ALL : UINT64_C(1) << word;
}

static bool key_op_find(const char *word, uint32_t *ret_value)
{
    uint32_t bit = 0;
    const bool is_found = cmk_vocabulary_find(&cmk_vocabulary_permissions, word, &bit) &&
                          (CMK_KEY_OPS_ALL >> bit & 1) != 0;
    if (is_found) {
        *ret_value = bit;
    }
    return is_found;
}

static const char *key_op_word(uint32_t index)
{
    for (uint32_t bit = 0; permission_words[bit] != NULL; bit++) {
        if ((CMK_KEY_OPS_ALL >> bit & 1) != 0 && index-- == 0) {
            return permission_words[bit];
        }
    }
    return NULL;
}

const CmkVocabulary cmk_vocabulary_key_ops = {
    .what = "an operation of keys", .find = key_op_find, .word = key_op_word};

static const char *const key_type_words[] = {"RSA", "RSA-HSM", "EC", "EC-HSM", "oct-HSM", NULL};
_Static_assert(CMK_KEY_RSA == 0 && CMK_KEY_RSA_HSM == 1 && CMK_KEY_EC == 2 && CMK_KEY_EC_HSM == 3 &&
                   CMK_KEY_OCT_HSM == 4 && CMK_ARRAY_LEN(key_type_words) == CMK_KEY_TYPE__COUNT + 1,
               "word i stands for type i");
const CmkVocabulary cmk_vocabulary_key_types = {.what = "a type of key", .words = key_type_words};

static const char *const curve_words[] = {"P-256", "P-256K", "P-384", "P-521"};
_Static_assert(CMK_CURVE_P256 == 1 && CMK_CURVE_P521 == 4 &&
                   CMK_ARRAY_LEN(curve_words) + 1 == CMK_CURVE__COUNT,
               "word i stands for curve i + 1");

static bool curve_find(const char *word, uint32_t *ret_value)
{
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(curve_words); i++) {
        if (strcmp(curve_words[i], word) == 0) {
            *ret_value = i + 1;
            return true;
        }
    }
    return false;
}

static const char *curve_word(uint32_t index)
{
    return index < CMK_ARRAY_LEN(curve_words) ? curve_words[index] : NULL;
}

const CmkVocabulary cmk_vocabulary_curves = {
    .what = "an elliptic curve", .find = curve_find, .word = curve_word};
static const char *const redundancy_words[] = {"local", "zone", "geo", NULL};
_Static_assert(CMK_REDUNDANCY_LOCAL == 0 && CMK_REDUNDANCY_ZONE == 1 && CMK_REDUNDANCY_GEO == 2,
               "word i stands for i");
const CmkVocabulary cmk_vocabulary_redundancies = {.what = "a redundancy",
                                                   .words = redundancy_words};

static const char *const encryption_words[] = {"Disabled", "Enabled", "Inconsistent", NULL};
_Static_assert(CMK_SAYS_FALSE == 1 && CMK_SAYS_TRUE == 2 && CMK_SAYS_INCONSISTENT == 3,
               "word i stands for i + 1");
static const char *const cross_subscription_words[] = {"Enabled", "Disabled", "PermanentlyDisabled",
                                                       NULL};
_Static_assert(CMK_CROSS_SUBSCRIPTION_ENABLED == 0 &&
                   CMK_CROSS_SUBSCRIPTION_PERMANENTLY_DISABLED == 2,
               "word i stands for i");
const CmkVocabulary cmk_vocabulary_cross_subscription = {
    .what = "a setting of cross-subscription restore", .words = cross_subscription_words};

static const char *const immutability_words[] = {"Disabled", "Unlocked", "Locked", NULL};
_Static_assert(CMK_IMMUTABILITY_DISABLED == 0 && CMK_IMMUTABILITY_LOCKED == 2,
               "word i stands for i");
const CmkVocabulary cmk_vocabulary_immutability = {.what = "a state of immutability",
                                                   .words = immutability_words};

static const CmkOpId excludable[] = {
#define X(id) CMK_OP_##id,
    CMK_EXCLUDABLE_OPERATIONS(X)
#undef X
};

static const char *excludable_word(uint32_t index)
{
    return index < CMK_ARRAY_LEN(excludable)
               ? cmk_azure_model()->operations[excludable[index]]->name
               : NULL;
}

static bool excludable_find(const char *word, uint32_t *ret_value)
{
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(excludable); i++) {
        if (strcmp(excludable_word(i), word) == 0) {
            *ret_value = i;
            return true;
        }
    }
    return false;
}

const CmkVocabulary cmk_vocabulary_excludable = {
    .what = "an operation that a resource guard can exclude",
    .find = excludable_find,
    .word = excludable_word};

const CmkVocabulary cmk_vocabulary_encryption = {.what = "a state of the encryption settings",
                                                 .words = encryption_words};
