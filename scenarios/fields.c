#include "scenarios/fields.h"

#include <string.h>

/* The most candidates that a hint looks at, more than any vocabulary has. */
#define CANDIDATES_MAX 512

static const struct {
    const char *text;
    size_t size_bytes; /* of a value in a struct */
} types[] = {
    [CMK_FIELD_TEXT] = {"a text", sizeof(const CmkNode *)},
    [CMK_FIELD_NAME] = {"a name", sizeof(const CmkNode *)},
    [CMK_FIELD_WORD] = {"one of a few words", sizeof(uint32_t)},
    [CMK_FIELD_BOOLEAN] = {"true or false", sizeof(bool)},
    [CMK_FIELD_INTEGER] = {"a whole number", sizeof(int64_t)},
    [CMK_FIELD_SEED] = {"a seed, decimal or 0x and hexadecimal", sizeof(uint64_t)},
    [CMK_FIELD_DURATION] = {"a duration such as 36h", sizeof(int64_t)},
    [CMK_FIELD_PERIOD] = {"a duration such as P3M or 90d", sizeof(CmkPeriod)},
    [CMK_FIELD_RETENTION] = {"a retention such as P7D or P3M", sizeof(CmkPeriod)},
    [CMK_FIELD_INSTANT] = {"an instant such as 2025-03-03T00:00:00Z or +3d2h", sizeof(CmkTime)},
    [CMK_FIELD_SIZE] = {"a size such as 250 GiB", sizeof(int64_t)},
    [CMK_FIELD_SHARE] = {"a share such as 2%", sizeof(int64_t)},
    [CMK_FIELD_REPEAT] = {"a repeating interval such as R/2025-03-03T02:00:00+00:00/P1W",
                          sizeof(CmkRepeat)},
    [CMK_FIELD_RANGE] = {"a range of addresses such as 203.0.113.0/24", sizeof(CmkAddressRange)},
    [CMK_FIELD_REFERENCE] = {"a name given elsewhere in the file", sizeof(CmkReference)},
    [CMK_FIELD_NODE] = {"a map or a text", sizeof(const CmkNode *)},
    [CMK_FIELD_MAP] = {"a map", 0},
    [CMK_FIELD_LATER] = {"not part of this version of the language", 0},
};
_Static_assert(CMK_ARRAY_LEN(types) == CMK_FIELD_TYPE__COUNT, "each type has its row");

const char *cmk_field_type_text(CmkFieldType type)
{
    CMK_ASSERT(type < CMK_FIELD_TYPE__COUNT);
    return types[type].text;
}

size_t cmk_field_size(const CmkField *field)
{
    return field->type == CMK_FIELD_MAP ? field->fields->size_bytes : types[field->type].size_bytes;
}

bool cmk_node_expect(CmkDiagnostics *diagnostics, const CmkNode *node, CmkNodeKind kind,
                     const char *what)
{
    if (cmk_node_kind(node) == kind) {
        return true;
    }
    static const char *const words[] = {"a text", "a list", "a map"};
    static const char *const hints[] = {
        "write one value behind the colon",
        "write each item on a line of its own after `- `",
        "write `key: value` lines below it, indented alike",
    };
    _Static_assert(CMK_ARRAY_LEN(words) == CMK_NODE_KIND__COUNT, "each kind has its words");
    if (cmk_node_is_absent(node)) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(node), "%s has no value", what);
    } else {
        cmk_diagnostics_error(diagnostics, cmk_node_position(node), "%s must be %s, but is %s",
                              what, words[kind], cmk_node_kind_text(node));
    }
    cmk_diagnostics_hint(diagnostics, "%s", hints[kind]);
    return false;
}

bool cmk_vocabulary_find(const CmkVocabulary *vocabulary, const char *word, uint32_t *ret_value)
{
    if (vocabulary->words == NULL) {
        return vocabulary->find(word, ret_value);
    }
    for (uint32_t i = 0; vocabulary->words[i] != NULL; i++) {
        if (strcmp(vocabulary->words[i], word) == 0) {
            *ret_value = i;
            return true;
        }
    }
    return false;
}

const char *cmk_vocabulary_word(const CmkVocabulary *vocabulary, uint32_t index)
{
    if (vocabulary->words == NULL) {
        return vocabulary->word(index);
    }
    for (uint32_t i = 0; i < index; i++) {
        if (vocabulary->words[i] == NULL) {
            return NULL;
        }
    }
    return vocabulary->words[index];
}

void cmk_vocabulary_miss(CmkDiagnostics *diagnostics, CmkPosition at, const char *word,
                         const CmkVocabulary *vocabulary)
{
    cmk_diagnostics_error(diagnostics, at, "`%s` is not %s", word, vocabulary->what);
    const char *candidates[CANDIDATES_MAX];
    uint32_t count = 0;
    for (; count < CANDIDATES_MAX; count++) {
        candidates[count] = cmk_vocabulary_word(vocabulary, count);
        if (candidates[count] == NULL) {
            break;
        }
    }
    if (vocabulary->list != NULL && cmk_suggest(word, candidates, count) == NULL) {
        cmk_diagnostics_hint(diagnostics, "`%s` lists them", vocabulary->list);
    } else {
        cmk_diagnostics_hint_word(diagnostics, word, candidates, count);
    }
}

/* ---- single values --------------------------------------------------------------------------- */

static bool fail(const CmkReading *reading, const CmkNode *node, const char *message)
{
    cmk_diagnostics_error(reading->diagnostics, cmk_node_position(node), "%s", message);
    return false;
}

static bool read_name(const CmkReading *reading, const CmkField *field, const CmkNode *node)
{
    const char *text = cmk_node_text(node);
    const char *also = field->also == NULL ? "" : field->also;
    for (const char *c = text; *c != '\0'; c++) {
        if (!g_ascii_isalnum(*c) && strchr(also, *c) == NULL) {
            cmk_diagnostics_error(reading->diagnostics, cmk_node_position(node),
                                  "`%s` cannot be %s", text, field->doc);
            cmk_diagnostics_hint(reading->diagnostics, "use letters and digits%s%s",
                                 also[0] == '\0' ? "" : ", and any of ", also);
            return false;
        }
    }
    if (field->begins_plainly && text[0] != '\0' && !g_ascii_isalnum(text[0])) {
        cmk_diagnostics_error(reading->diagnostics, cmk_node_position(node), "`%s` cannot be %s",
                              text, field->doc);
        cmk_diagnostics_hint(reading->diagnostics, "begin with a letter or digit");
        return false;
    }
    const int64_t length = (int64_t)strlen(text);
    if (length >= field->min && length <= field->max) {
        return true;
    }
    cmk_diagnostics_error(reading->diagnostics, cmk_node_position(node),
                          "`%s` has %" G_GINT64_FORMAT " characters, but %s has %" G_GINT64_FORMAT
                          " to %" G_GINT64_FORMAT,
                          text, length, field->doc, field->min, field->max);
    return false;
}

/* The bound of a range as a user would write it. */
static void format_bound(const CmkField *field, int64_t value, char *buf, size_t size_bytes)
{
    if (field->type == CMK_FIELD_DURATION) {
        cmk_duration_format(value, buf, size_bytes);
    } else if (field->type == CMK_FIELD_SHARE) {
        g_snprintf(buf, (gulong)size_bytes, "%" G_GINT64_FORMAT "%%", value / 10000);
    } else {
        g_autofree char *text = g_format_size_full((guint64)value, G_FORMAT_SIZE_IEC_UNITS);
        g_strlcpy(buf, text, size_bytes);
    }
}

static bool is_in_range(const CmkReading *reading, const CmkField *field, const CmkNode *node,
                        int64_t value)
{
    if (field->max == 0 || (value >= field->min && value <= field->max)) {
        return true;
    }
    char min[CMK_DURATION_TEXT_SIZE];
    char max[CMK_DURATION_TEXT_SIZE];
    format_bound(field, field->min, min, sizeof(min));
    format_bound(field, field->max, max, sizeof(max));
    cmk_diagnostics_error(reading->diagnostics, cmk_node_position(node),
                          "`%s` of `%s` is not within %s to %s", cmk_node_text(node), field->name,
                          min, max);
    return false;
}

static bool read_word(const CmkReading *reading, const CmkField *field, const CmkNode *node,
                      const char *text, uint32_t *ret)
{
    const bool is_known = cmk_vocabulary_find(field->vocabulary, text, ret);
    if (!is_known) {
        cmk_vocabulary_miss(reading->diagnostics, cmk_node_position(node), text, field->vocabulary);
    }
    return is_known;
}

static bool read_number(const CmkReading *reading, const CmkField *field, const CmkNode *node,
                        const char *text, int64_t *ret)
{
    char message[CMK_MESSAGE_SIZE];
    bool is_read = false;
    if (field->type == CMK_FIELD_DURATION) {
        is_read = cmk_duration_parse(text, ret, message);
    } else if (field->type == CMK_FIELD_SIZE) {
        is_read = cmk_size_parse(text, ret, message);
    } else {
        is_read = cmk_share_parse(text, ret, message);
    }
    return is_read ? is_in_range(reading, field, node, *ret) : fail(reading, node, message);
}

static bool read_period(const char *text, CmkPeriod *ret, char message[CMK_MESSAGE_SIZE])
{
    CmkPeriod period;
    if (!cmk_period_parse(text, &period, message)) {
        return false;
    }
    if (period.months == 0 && period.us == 0) {
        g_snprintf(message, CMK_MESSAGE_SIZE, "`%s` is no time at all; write for instance P3M",
                   text);
        return false;
    }
    *ret = period;
    return true;
}

/* A value of one of the types that a message of the quantity parsers says all about. */
static bool read_quantity(const CmkReading *reading, const CmkField *field, const CmkNode *node,
                          const char *text, void *ret)
{
    char message[CMK_MESSAGE_SIZE];
    bool is_read = false;
    if (field->type == CMK_FIELD_BOOLEAN) {
        is_read = cmk_boolean_parse(text, ret, message);
    } else if (field->type == CMK_FIELD_INTEGER) {
        const bool has_range = field->max != 0;
        is_read = cmk_integer_parse(text, has_range ? field->min : INT64_MIN,
                                    has_range ? field->max : INT64_MAX, ret, message);
    } else if (field->type == CMK_FIELD_SEED) {
        is_read = cmk_seed_parse(text, ret, message);
    } else if (field->type == CMK_FIELD_PERIOD) {
        is_read = read_period(text, ret, message);
    } else if (field->type == CMK_FIELD_RETENTION) {
        is_read = cmk_retention_parse(text, ret, message);
    } else if (field->type == CMK_FIELD_INSTANT && text[0] == '-') {
        g_snprintf(message, sizeof(message),
                   "`%s` is before the start, from which moments are counted; write for instance "
                   "+3d2h",
                   text);
    } else if (field->type == CMK_FIELD_INSTANT) {
        is_read = cmk_instant_parse(text, reading->start, ret, message);
        if (is_read && field->min != 0 && *(const CmkTime *)ret < field->min) {
            g_snprintf(message, sizeof(message),
                       "`%s` is too early: time begins after 1970-01-01T00:00:00Z here", text);
            is_read = false;
        }
    } else if (field->type == CMK_FIELD_RANGE) {
        is_read = cmk_range_parse(text, ret, message);
    } else {
        is_read = cmk_repeat_parse(text, ret, message);
    }
    return is_read || fail(reading, node, message);
}

/* `text` is that of the node, or the fallback of a key that is absent. */
static bool read_text(const CmkReading *reading, const CmkField *field, const CmkNode *node,
                      const char *text, void *ret)
{
    switch (field->type) {
    case CMK_FIELD_NAME:
    case CMK_FIELD_TEXT:
        *(const CmkNode **)ret = node;
        return field->type == CMK_FIELD_TEXT || read_name(reading, field, node);
    case CMK_FIELD_REFERENCE:
        *(CmkReference *)ret = (CmkReference){.node = node};
        return true;
    case CMK_FIELD_WORD:
        return read_word(reading, field, node, text, ret);
    case CMK_FIELD_DURATION:
    case CMK_FIELD_SIZE:
    case CMK_FIELD_SHARE:
        return read_number(reading, field, node, text, ret);
    case CMK_FIELD_BOOLEAN:
    case CMK_FIELD_INTEGER:
    case CMK_FIELD_SEED:
    case CMK_FIELD_PERIOD:
    case CMK_FIELD_RETENTION:
    case CMK_FIELD_INSTANT:
    case CMK_FIELD_REPEAT:
    case CMK_FIELD_RANGE:
        return read_quantity(reading, field, node, text, ret);
    case CMK_FIELD_NODE:
    case CMK_FIELD_MAP:
    case CMK_FIELD_LATER:
    case CMK_FIELD_TYPE__COUNT:
        break;
    }
    CMK_ASSERT(false);
    return false;
}

static const CmkField *field_of(const CmkFields *fields, const char *name)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (strcmp(fields->rows[i].name, name) == 0) {
            return &fields->rows[i];
        }
    }
    return NULL;
}

/* What follows goes down into the tables within tables, which are constant and few levels deep. */
/* NOLINTBEGIN(misc-no-recursion) */

/* A mere text where a map may be: it stands for one of the map's keys. */
static bool read_shorthand(const CmkReading *reading, const CmkField *field, const CmkNode *node,
                           void *ret)
{
    const CmkField *inner = field_of(field->fields, field->shorthand);
    CMK_ASSERT(inner != NULL);
    *(const CmkNode **)ret = node;
    return cmk_field_read(reading, inner, node, (char *)ret + inner->offset);
}

bool cmk_field_read(const CmkReading *reading, const CmkField *field, const CmkNode *node,
                    void *ret)
{
    const bool is_item = cmk_node_key(node) == NULL && cmk_node_parent(node) != NULL;
    g_autofree char *what = g_strdup_printf("%s`%s`", is_item ? "an item of " : "", field->name);
    if (field->type == CMK_FIELD_NODE) {
        *(const CmkNode **)ret = node;
        return true;
    }
    if (field->type == CMK_FIELD_MAP) {
        if (field->shorthand != NULL && cmk_node_kind(node) == CMK_NODE_SCALAR &&
            !cmk_node_is_absent(node)) {
            return read_shorthand(reading, field, node, ret);
        }
        return cmk_node_expect(reading->diagnostics, node, CMK_NODE_MAP, what) &&
               cmk_fields_read(reading, field->fields, node, ret);
    }
    if (!cmk_node_expect(reading->diagnostics, node, CMK_NODE_SCALAR, what)) {
        return false;
    }
    const char *text = cmk_node_text(node);
    if (text[0] == '\0') {
        cmk_diagnostics_error(reading->diagnostics, cmk_node_position(node), "%s has no value",
                              what);
        cmk_diagnostics_hint(reading->diagnostics, "%s", field->doc);
        return false;
    }
    return read_text(reading, field, node, text, ret);
}

/* ---- maps ------------------------------------------------------------------------------------ */

static bool read_list(const CmkReading *reading, const CmkField *field, const CmkNode *node,
                      GArray **ret)
{
    g_autofree char *what = g_strdup_printf("`%s`", field->name);
    if (!cmk_node_expect(reading->diagnostics, node, CMK_NODE_SEQUENCE, what)) {
        return false;
    }
    if (cmk_node_count(node) < field->min_items) {
        cmk_diagnostics_error(reading->diagnostics, cmk_node_position(node), "%s is empty", what);
        cmk_diagnostics_hint(reading->diagnostics, "%s", field->doc);
        return false;
    }
    const size_t size = cmk_field_size(field);
    *ret = g_array_sized_new(FALSE, TRUE, (guint)size, cmk_node_count(node));
    bool is_right = true;
    guint i = 0;
    for (const CmkNode *item = cmk_node_first(node); item != NULL; item = cmk_node_next(item)) {
        g_array_set_size(*ret, i + 1);
        is_right &= cmk_field_read(reading, field, item, (*ret)->data + size * i);
        i++;
    }
    return is_right;
}

static bool report_unknown(const CmkReading *reading, const CmkFields *fields, const CmkNode *value)
{
    const char *key = cmk_node_key(value);
    cmk_diagnostics_error(reading->diagnostics, cmk_node_key_position(value), "%s has no key `%s`",
                          fields->what, key);
    const char *candidates[CANDIDATES_MAX];
    size_t count = 0;
    for (size_t i = 0; i < fields->count; i++) {
        if (fields->rows[i].type != CMK_FIELD_LATER) {
            candidates[count++] = fields->rows[i].name;
        }
    }
    cmk_diagnostics_hint_word(reading->diagnostics, key, candidates, count);
    return false;
}

static bool check_keys(const CmkReading *reading, const CmkFields *fields, const CmkNode *map)
{
    bool is_right = true;
    for (const CmkNode *value = cmk_node_first(map); value != NULL; value = cmk_node_next(value)) {
        const CmkField *field = field_of(fields, cmk_node_key(value));
        if (field == NULL) {
            is_right = report_unknown(reading, fields, value);
        } else if (field->type == CMK_FIELD_LATER) {
            cmk_diagnostics_error(reading->diagnostics, cmk_node_key_position(value),
                                  "`%s` is not part of this version of the language", field->name);
            cmk_diagnostics_hint(reading->diagnostics, "leave it out: it would hold %s",
                                 field->doc);
            is_right = false;
        }
    }
    return is_right;
}

bool cmk_node_has_slip(const CmkNode *map, const char *name, const CmkFields *fields)
{
    for (const CmkNode *value = cmk_node_first(map); value != NULL; value = cmk_node_next(value)) {
        const bool is_known = fields != NULL && field_of(fields, cmk_node_key(value)) != NULL;
        if (!is_known && cmk_suggest(cmk_node_key(value), &name, 1) != NULL) {
            return true;
        }
    }
    return false;
}

static bool read_absent(const CmkReading *reading, const CmkFields *fields, const CmkField *field,
                        const CmkNode *map, void *ret)
{
    if (field->is_required && cmk_node_has_slip(map, field->name, fields)) {
        return false; /* the key that was meant has its message */
    }
    if (field->is_required) {
        cmk_diagnostics_error(reading->diagnostics, cmk_node_position(map), "%s needs the key `%s`",
                              fields->what, field->name);
        cmk_diagnostics_hint(reading->diagnostics, "add `%s`: %s", field->name, field->doc);
        return false;
    }
    if (field->fallback != NULL) {
        return read_text(reading, field, map, field->fallback, ret);
    }
    return true;
}

bool cmk_fields_read(const CmkReading *reading, const CmkFields *fields, const CmkNode *map,
                     void *ret)
{
    *(const CmkNode **)ret = map;
    bool is_right = check_keys(reading, fields, map);
    for (size_t i = 0; i < fields->count; i++) {
        const CmkField *field = &fields->rows[i];
        void *member = (char *)ret + field->offset;
        const CmkNode *value = cmk_node_get(map, field->name);
        if (field->type == CMK_FIELD_LATER) {
            continue;
        }
        if (value == NULL) {
            is_right &= read_absent(reading, fields, field, map, member);
        } else if (field->is_list) {
            is_right &= read_list(reading, field, value, member);
        } else {
            is_right &= cmk_field_read(reading, field, value, member);
        }
    }
    return is_right;
}

void cmk_fields_clear(const CmkFields *fields, void *item)
{
    for (size_t i = 0; i < fields->count; i++) {
        const CmkField *field = &fields->rows[i];
        char *member = (char *)item + field->offset;
        if (!field->is_list) {
            if (field->type == CMK_FIELD_MAP) {
                cmk_fields_clear(field->fields, member);
            }
            continue;
        }
        GArray **list = (GArray **)(void *)member;
        if (*list == NULL) {
            continue;
        }
        for (guint j = 0; field->type == CMK_FIELD_MAP && j < (*list)->len; j++) {
            cmk_fields_clear(field->fields, (*list)->data + field->fields->size_bytes * j);
        }
        g_array_unref(*list);
        *list = NULL;
    }
}

typedef bool (*Visit)(void *self, const CmkField *field, CmkReference *reference);

static bool visit_value(const CmkField *field, void *value, Visit visit, void *self)
{
    if (field->type == CMK_FIELD_MAP) {
        return cmk_fields_visit(field->fields, value, visit, self);
    }
    CmkReference *reference = value;
    return reference->node == NULL || visit(self, field, reference);
}

bool cmk_fields_visit(const CmkFields *fields, void *item,
                      bool (*visit)(void *self, const CmkField *field, CmkReference *reference),
                      void *self)
{
    bool is_right = true;
    for (size_t i = 0; i < fields->count; i++) {
        const CmkField *field = &fields->rows[i];
        char *member = (char *)item + field->offset;
        if (field->type != CMK_FIELD_REFERENCE && field->type != CMK_FIELD_MAP) {
            continue;
        }
        if (!field->is_list) {
            is_right &= visit_value(field, member, visit, self);
            continue;
        }
        GArray *list = *(GArray **)(void *)member;
        for (guint j = 0; list != NULL && j < list->len; j++) {
            is_right &= visit_value(field, list->data + cmk_field_size(field) * j, visit, self);
        }
    }
    return is_right;
}

/* NOLINTEND(misc-no-recursion) */
