/* The two sides of a test: literals, paths and measures of sets, with every name checked. */
#include "analysis/condition_parser.h"

#include <string.h>

#include "analysis/expect.h"
#include "scenarios/quantity.h"

static const char *const relation_texts[CMK_RELATION__COUNT] = {"==", "!=", "<", "<=", ">", ">="};

const char *cmk_relation_text(CmkRelation relation)
{
    return relation_texts[relation];
}

/* What `cost.` may be followed by beside a meter of the bill. */
static const char *const cost_totals[] = {"total", "overdue", "net", NULL};

/* ---- values: literals ------------------------------------------------------------------------ */

static CmkOperand *new_operand(CmkParser *parser, CmkOperandKind kind, size_t offset)
{
    CmkCondition *condition = parser->condition;
    CMK_ASSERT(condition->operand_count < CMK_ARRAY_LEN(condition->operands));
    CmkOperand *operand = &condition->operands[condition->operand_count++];
    *operand = (CmkOperand){.kind = kind, .offset = offset};
    return operand;
}

/* A literal has its value once it is known what it is compared with. */
static void parse_quoted(CmkParser *parser)
{
    const CmkToken token = parser->token;
    CmkOperand *operand = new_operand(parser, CMK_OPERAND_LITERAL, token.start);
    operand->name = cmk_parser_text(parser, token.start + 1, token.end - 1);
    operand->text = cmk_parser_token_text(parser);
    cmk_parser_advance(parser);
}

static bool begins_a_number(const char *text)
{
    return g_ascii_isdigit(text[0]) || text[0] == '-' || text[0] == '+';
}

/* A word, or a number with its unit, which may stand behind a blank: `250 GiB`. */
static void parse_literal(CmkParser *parser)
{
    const size_t start = parser->token.start;
    size_t end = parser->token.end;
    const bool is_number = begins_a_number(parser->text + start);
    CmkOperand *operand = new_operand(parser, CMK_OPERAND_LITERAL, start);
    cmk_parser_advance(parser);
    while (is_number && parser->token.kind == CMK_TOKEN_WORD && !cmk_parser_is_at_keyword(parser)) {
        end = parser->token.end;
        cmk_parser_advance(parser);
    }
    operand->name = cmk_parser_text(parser, start, end);
    operand->text = cmk_parser_line(parser, start, end);
}

/* ---- values: paths --------------------------------------------------------------------------- */

static const char *const path_heads[] = {
    "backup_vault",  "key_vault", "managed_hsm", "key",    "identity",
    "region",        "instance",  "fault",       "cost",   "time_to_recover",
    "restore_check", "jobs",      "points",      "vaults", "requests"};

static CmkType plain(CmkValueKind kind)
{
    return (CmkType){.kind = kind};
}

/* Finds what bears a name; reports it if nothing does. */
static bool find_name(CmkParser *parser, const char *kind, const char *name, size_t offset,
                      uint32_t *ret_row)
{
    const CmkNameIndex *names = parser->context->names;
    if (cmk_name_index_find(names, kind, name, ret_row))
        return true;
    size_t count = 0;
    g_autofree const char **list = cmk_name_index_list(names, kind, &count);
    CMK_PARSER_REPORT(parser, offset, "there is no %s `%s` in this scenario",
                      cmk_name_index_kind_text(kind), name);
    cmk_parser_hint_word(parser, name, list, count);
    return false;
}

/* As find_name(), for what must be an entity and not "none". */
static bool find_entity(CmkParser *parser, const char *kind, const char *name, size_t offset,
                        uint32_t *ret_row)
{
    uint32_t row = CMK_NAME_NONE;
    if (name[0] != '\0' && !find_name(parser, kind, name, offset, &row))
        return false;
    if (row == CMK_NAME_NONE || row == CMK_NAME_SYSTEM) {
        CMK_PARSER_REPORT(parser, offset, "there is no %s `%s` in this scenario",
                          cmk_name_index_kind_text(kind), name);
        return false;
    }
    *ret_row = row;
    return true;
}

/* Cuts "vault/key/2" down to the key, if there is a number. */
static bool cut_version(char *name, uint32_t *ret_version)
{
    char *first = strchr(name, '/');
    char *second = first == NULL ? NULL : strchr(first + 1, '/');
    int64_t number = 0;
    char message[CMK_MESSAGE_SIZE];
    if (second == NULL || !cmk_integer_parse(second + 1, 1, INT32_MAX, &number, message))
        return false;
    *second = '\0';
    *ret_version = (uint32_t)number;
    return true;
}

/* kind.NAME.field; the name may have dots of its own. */
static void parse_field(CmkParser *parser, CmkOperand *operand, const CmkStateKind *kind)
{
    const char *path = operand->text;
    const char *name = path + strlen(kind->name) + 1;
    const char *dot = strrchr(name, '.');
    if (dot == NULL) {
        CMK_PARSER_REPORT(parser, operand->offset, "`%s` lacks a field: %s.NAME.FIELD", path,
                          kind->name);
        CMK_PARSER_HINT(parser, "a field of it is, for instance, `%s`", kind->fields[0].name);
        return;
    }
    g_autofree char *entity = g_strndup(name, (gsize)(dot - name));
    if (strcmp(kind->name, "key") == 0 && cut_version(entity, &operand->version))
        kind = cmk_state_kind_of_versions();
    const size_t name_at = operand->offset + (size_t)(name - path);
    const bool is_found = find_entity(parser, kind->name, entity, name_at, &operand->row);
    operand->field = cmk_state_field_find(kind, dot + 1);
    if (operand->field == NULL) {
        g_autofree const char **list = cmk_state_field_list(kind);
        CMK_PARSER_REPORT(parser, operand->offset + (size_t)(dot + 1 - path),
                          "a %s has no field `%s`", cmk_name_index_kind_text(kind->name), dot + 1);
        cmk_parser_hint_word(parser, dot + 1, list, kind->count);
    } else if (is_found) {
        operand->kind = CMK_OPERAND_FIELD;
        operand->type = operand->field->type;
    }
}

/* fault.ID.active */
static void parse_fault(CmkParser *parser, CmkOperand *operand)
{
    const char *id = operand->text + strlen("fault.");
    const char *dot = strrchr(id, '.');
    if (dot == NULL || strcmp(dot, ".active") != 0) {
        const size_t at = dot == NULL ? 0 : (size_t)(dot + 1 - operand->text);
        CMK_PARSER_REPORT(parser, operand->offset + at,
                          "of a fault one can ask for `fault.ID.active` only");
        return;
    }
    g_autofree char *name = g_strndup(id, (gsize)(dot - id));
    if (find_entity(parser, "fault", name, operand->offset + strlen("fault."), &operand->row)) {
        operand->kind = CMK_OPERAND_FAULT_ACTIVE;
        operand->type = plain(CMK_VALUE_BOOLEAN);
    }
}

static void check_moment(CmkParser *parser, const CmkOperand *operand)
{
    if (parser->context->expectation == CMK_EXPECT_FINAL)
        return;
    CMK_PARSER_REPORT(parser, operand->offset, "`%s` is known at the end of the run only",
                      operand->text);
    CMK_PARSER_HINT(parser, "use it in `final:`");
}

static void hint_meter(CmkParser *parser, const char *meter)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (const char *const *total = cost_totals; *total != NULL; total++) {
        g_ptr_array_add(words, (gpointer)(uintptr_t)*total);
    }
    for (const char *const *name = cmk_cost_meters(); *name != NULL; name++) {
        g_ptr_array_add(words, (gpointer)(uintptr_t)*name);
    }
    cmk_parser_hint_word(parser, meter, (const char *const *)words->pdata, words->len);
}

static void parse_cost(CmkParser *parser, CmkOperand *operand)
{
    const char *meter = operand->text + strlen("cost.");
    if (!g_strv_contains(cost_totals, meter) && !g_strv_contains(cmk_cost_meters(), meter)) {
        CMK_PARSER_REPORT(parser, operand->offset + strlen("cost."), "there is no meter `%s`",
                          meter);
        hint_meter(parser, meter);
        return;
    }
    check_moment(parser, operand);
    operand->kind = CMK_OPERAND_COST;
    operand->type = plain(CMK_VALUE_MONEY);
    operand->name = g_strdup(meter);
}

static void parse_time_to_recover(CmkParser *parser, CmkOperand *operand)
{
    const size_t head = strlen("time_to_recover.");
    if (!find_entity(parser, "fault", operand->text + head, operand->offset + head, &operand->row))
        return;
    if (parser->context->expectation == CMK_EXPECT_ALWAYS) {
        CMK_PARSER_REPORT(parser, operand->offset,
                          "before the recovery there is no time to recover, so this "
                          "cannot hold always");
        CMK_PARSER_HINT(parser, "use it in `final:`, `at:`, `eventually:` or `never:`");
    }
    operand->kind = CMK_OPERAND_TIME_TO_RECOVER;
    operand->type = plain(CMK_VALUE_DURATION);
}

static const CmkSetRow *find_set(const char *name, CmkSetKind *ret_kind)
{
    const CmkSetRow *rows = cmk_set_rows();
    for (uint32_t i = 0; i < CMK_SET__COUNT; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            *ret_kind = (CmkSetKind)i;
            return &rows[i];
        }
    }
    return NULL;
}

/* A word with a dot in it: it stays a literal, which is an error, if it cannot be resolved. */
static void parse_path(CmkParser *parser)
{
    const size_t start = parser->token.start;
    CmkOperand *operand = new_operand(parser, CMK_OPERAND_LITERAL, start);
    operand->text = cmk_parser_token_text(parser);
    cmk_parser_advance(parser);
    const char *dot = strchr(operand->text, '.');
    const size_t length = dot == NULL ? strlen(operand->text) : (size_t)(dot - operand->text);
    g_autofree char *head = g_strndup(operand->text, length);
    const CmkStateKind *kind = cmk_state_kind_find(head, length);
    CmkSetKind set = CMK_SET_JOBS;
    if (strcmp(operand->text, "restore_check") == 0) {
        check_moment(parser, operand);
        operand->kind = CMK_OPERAND_RESTORE_CHECK;
        operand->type = (CmkType){.kind = CMK_VALUE_WORD, .words = cmk_words_restore_check};
    } else if (kind != NULL) {
        parse_field(parser, operand, kind);
    } else if (strcmp(head, "fault") == 0) {
        parse_fault(parser, operand);
    } else if (strcmp(head, "cost") == 0) {
        parse_cost(parser, operand);
    } else if (strcmp(head, "time_to_recover") == 0) {
        parse_time_to_recover(parser, operand);
    } else if (find_set(head, &set) != NULL) {
        CMK_PARSER_REPORT(parser, start,
                          "a set has its filters in parentheses, even if there are none");
        CMK_PARSER_HINT(parser, "write `%s()%s`", head, operand->text + length);
    } else {
        CMK_PARSER_REPORT(parser, start, "there is nothing called `%s` to ask about", head);
        cmk_parser_hint_word(parser, head, path_heads, CMK_ARRAY_LEN(path_heads));
    }
}

/* ---- values: sets ---------------------------------------------------------------------------- */

static bool status_code_is(const CmkStatusRow *row, const char *word)
{
    return strcmp(row->name, word) == 0 || (row->code != NULL && strcmp(row->code, word) == 0) ||
           (row->inner != NULL && strcmp(row->inner, word) == 0);
}

static void report_code(CmkParser *parser, const char *word, size_t offset)
{
    const CmkModel *model = cmk_azure_model();
    const char *codes[CMK_STATUS__COUNT];
    for (uint32_t i = 0; i < CMK_STATUS__COUNT; i++)
        codes[i] = model->statuses[i].code;
    CMK_PARSER_REPORT(parser, offset, "there is no status code `%s`", word);
    cmk_parser_hint_word(parser, word, codes, CMK_STATUS__COUNT);
}

/* All rows of the status table that a word means: several requests share a code. */
static bool find_codes(CmkParser *parser, const char *word, size_t offset, CmkStatusSet *ret_codes)
{
    const CmkModel *model = cmk_azure_model();
    CmkStatusSet codes = {0};
    for (uint32_t i = 0; i < model->status_count; i++) {
        if (status_code_is(&model->statuses[i], word))
            cmk_status_set_add(&codes, (CmkStatus)i);
    }
    if (cmk_status_set_is_empty(&codes)) {
        report_code(parser, word, offset);
        return false;
    }
    *ret_codes = codes;
    return true;
}

/* Reads the text of a value that is to be of a type; `whose` says what needs it. */
static bool read_value(CmkParser *parser, const CmkType *type, const char *whose, const char *text,
                       size_t offset, int64_t *ret_value)
{
    char message[CMK_VALUE_MESSAGE_SIZE];
    if (type->kind == CMK_VALUE_NAME) {
        uint32_t row = 0;
        if (!find_name(parser, type->names, text, offset, &row))
            return false;
        *ret_value = row;
        return true;
    }
    if (cmk_value_parse(type, text, parser->context->scenario->start, ret_value, message))
        return true;
    if (type->kind == CMK_VALUE_WORD) {
        CMK_PARSER_REPORT(parser, offset, "`%s` cannot be compared with `%s`", whose, text);
        cmk_parser_hint_word(parser, text, type->words, cmk_words_count(type->words));
    } else {
        CMK_PARSER_REPORT(parser, offset, "`%s` is %s and cannot be compared with `%s`", whose,
                          cmk_type_text(type), text);
        CMK_PARSER_HINT(parser, "%s", message);
    }
    return false;
}

static void report_filter(CmkParser *parser, const CmkSetRow *row, const char *name)
{
    const char *names[CMK_SET_FILTERS_MAX];
    for (size_t i = 0; i < row->filter_count; i++)
        names[i] = row->filters[i].name;
    CMK_PARSER_REPORT(parser, parser->token.start, "%s cannot be filtered by `%s`", row->name,
                      name);
    cmk_parser_hint_word(parser, name, names, row->filter_count);
}

static const CmkFilterRow *find_filter(CmkParser *parser, const CmkSetRow *row, uint32_t *ret_index)
{
    g_autofree char *name = cmk_parser_token_text(parser);
    for (uint32_t i = 0; i < row->filter_count; i++) {
        if (strcmp(name, row->filters[i].name) == 0) {
            *ret_index = i;
            return &row->filters[i];
        }
    }
    report_filter(parser, row, name);
    return NULL;
}

/* Puts a filter where it belongs in the order of the table. */
static void add_filter(CmkParser *parser, CmkFilter *filters, uint32_t *count, CmkFilter filter,
                       const CmkFilterRow *row, size_t offset)
{
    uint32_t at = 0;
    while (at < *count && filters[at].index < filter.index)
        at++;
    if (at < *count && filters[at].index == filter.index) {
        CMK_PARSER_REPORT(parser, offset, "the filter `%s` is given twice", row->name);
        return;
    }
    for (uint32_t i = *count; i > at; i--)
        filters[i] = filters[i - 1];
    filters[at] = filter;
    (*count)++;
}

/* What a filter is to be, of the kind that its row says. */
static bool read_filter(CmkParser *parser, const CmkFilterRow *row, const char *text, size_t offset,
                        CmkFilter *filter)
{
    if (row->type.kind == CMK_VALUE_CODES)
        return find_codes(parser, text, offset, &filter->codes);
    return read_value(parser, &row->type, row->name, text, offset, &filter->value);
}

/* name = value */
static void parse_filter(CmkParser *parser, const CmkSetRow *row, CmkFilter *filters,
                         uint32_t *count)
{
    CmkFilter filter = {0};
    const size_t name_at = parser->token.start;
    if (parser->token.kind != CMK_TOKEN_WORD) {
        cmk_parser_expected(parser, "a filter");
        return;
    }
    const CmkFilterRow *found = find_filter(parser, row, &filter.index);
    cmk_parser_advance(parser);
    if (parser->token.kind != CMK_TOKEN_ASSIGN) {
        cmk_parser_expected(parser, "`=`");
        CMK_PARSER_HINT(parser, "a filter is written `name = value`");
        return;
    }
    cmk_parser_advance(parser);
    const size_t value_at = parser->token.start;
    if (parser->token.kind != CMK_TOKEN_WORD && parser->token.kind != CMK_TOKEN_QUOTED) {
        cmk_parser_expected(parser, "the value of a filter");
        return;
    }
    const bool is_quoted = parser->token.kind == CMK_TOKEN_QUOTED;
    g_autofree char *value = is_quoted
                                 ? cmk_parser_text(parser, value_at + 1, parser->token.end - 1)
                                 : cmk_parser_token_text(parser);
    cmk_parser_advance(parser);
    if (found == NULL || !read_filter(parser, found, value, value_at, &filter))
        return;
    add_filter(parser, filters, count, filter, found, name_at);
    if (found->is_final_only && parser->context->expectation != CMK_EXPECT_FINAL) {
        CMK_PARSER_REPORT(parser, name_at, "`%s` is known at the end of the run only", found->name);
        CMK_PARSER_HINT(parser, "use it in `final:`");
    }
}

/* .count and the like, right behind the parenthesis. */
static bool parse_measure(CmkParser *parser, const CmkSetRow *row, CmkMeasure *ret_measure)
{
    g_autofree char *word = cmk_parser_token_text(parser);
    if (parser->token.kind != CMK_TOKEN_WORD || word[0] != '.') {
        cmk_parser_expected(parser, "a measure such as `.count`");
        return false;
    }
    const size_t at = parser->token.start + 1;
    cmk_parser_advance(parser);
    const char *offered[CMK_MEASURE__COUNT];
    size_t count = 0;
    for (uint32_t i = 0; i < CMK_MEASURE__COUNT; i++) {
        if ((row->measures >> i & 1) == 0)
            continue;
        offered[count++] = cmk_words_measure[i];
        if (strcmp(word + 1, cmk_words_measure[i]) == 0) {
            *ret_measure = (CmkMeasure)i;
            return true;
        }
    }
    CMK_PARSER_REPORT(parser, at, "%s have no measure `%s`", row->name, word + 1);
    cmk_parser_hint_word(parser, word + 1, offered, count);
    return false;
}

static CmkType type_of_measure(CmkMeasure measure)
{
    switch (measure) {
    case CMK_MEASURE_COUNT:
        return plain(CMK_VALUE_INTEGER);
    case CMK_MEASURE_SHARE:
        return plain(CMK_VALUE_SHARE);
    case CMK_MEASURE_BYTES:
        return plain(CMK_VALUE_SIZE);
    case CMK_MEASURE_FIRST:
    case CMK_MEASURE_LAST:
        return plain(CMK_VALUE_INSTANT);
    case CMK_MEASURE__COUNT:
        break;
    }
    CMK_ASSERT(false);
    return plain(CMK_VALUE_INTEGER);
}

/* With filters that are right, the set; it is needed in no other case. */
static void take_set(CmkParser *parser, CmkOperand *operand, CmkSetKind kind, CmkMeasure measure,
                     const CmkFilter *filters, uint32_t count)
{
    CmkSets *sets = parser->context->sets;
    operand->kind = CMK_OPERAND_SET;
    operand->type = type_of_measure(measure);
    operand->measure = measure;
    operand->set = cmk_sets_add(sets, kind, filters, count);
    operand->all = operand->set;
    if (measure == CMK_MEASURE_SHARE)
        operand->all = cmk_sets_add(sets, kind, NULL, 0);
    if (measure == CMK_MEASURE_BYTES)
        cmk_sets_want_bytes(sets, operand->set);
}

static void parse_filters(CmkParser *parser, const CmkSetRow *row, CmkFilter *filters,
                          uint32_t *count)
{
    cmk_parser_advance(parser); /* the parenthesis */
    if (parser->token.kind == CMK_TOKEN_CLOSE) {
        cmk_parser_advance(parser);
        return;
    }
    while (!parser->is_stuck) {
        parse_filter(parser, row, filters, count);
        if (parser->token.kind == CMK_TOKEN_CLOSE) {
            cmk_parser_advance(parser);
            return;
        }
        if (parser->token.kind != CMK_TOKEN_COMMA) {
            cmk_parser_expected(parser, "`,` or `)`");
            return;
        }
        cmk_parser_advance(parser);
    }
}

/* set ( filters ) . measure */
static void parse_set(CmkParser *parser)
{
    const size_t start = parser->token.start;
    g_autofree char *name = cmk_parser_token_text(parser);
    CmkSetKind kind = CMK_SET_JOBS;
    CmkMeasure measure = CMK_MEASURE_COUNT;
    CmkFilter filters[CMK_SET_FILTERS_MAX];
    uint32_t count = 0;
    const CmkSetRow *row = find_set(name, &kind);
    CmkOperand *operand = new_operand(parser, CMK_OPERAND_LITERAL, start);
    if (row == NULL) {
        static const char *const set_names[] = {"jobs", "points", "vaults", "requests"};
        parser->is_stuck = true;
        CMK_PARSER_REPORT(parser, start, "there is no set `%s`", name);
        cmk_parser_hint_word(parser, name, set_names, CMK_ARRAY_LEN(set_names));
        return;
    }
    const bool had_error = parser->has_error;
    parser->has_error = false;
    cmk_parser_advance(parser);
    parse_filters(parser, row, filters, &count);
    const size_t end = parser->token.end;
    if (!parser->is_stuck && parse_measure(parser, row, &measure) && !parser->has_error)
        take_set(parser, operand, kind, measure, filters, count);
    operand->text = cmk_parser_line(parser, start, end);
    parser->has_error |= had_error;
}

static bool is_path(const CmkParser *parser)
{
    const CmkToken *token = &parser->token;
    return memchr(parser->text + token->start, '.', token->end - token->start) != NULL ||
           cmk_parser_is_at_word(parser, "restore_check");
}

void cmk_parser_read_value(CmkParser *parser)
{
    const bool is_number = begins_a_number(parser->text + parser->token.start);
    if (parser->token.kind == CMK_TOKEN_QUOTED) {
        parse_quoted(parser);
    } else if (parser->token.kind != CMK_TOKEN_WORD || cmk_parser_is_at_keyword(parser)) {
        cmk_parser_expected(parser, "something to compare");
    } else if (!is_number && cmk_token_at(parser->text, parser->token.end).kind == CMK_TOKEN_OPEN) {
        parse_set(parser);
    } else if (!is_number && is_path(parser)) {
        parse_path(parser);
    } else {
        parse_literal(parser);
    }
}

/* ---- the two sides together ------------------------------------------------------------------ */

/* Gives a literal the type and value of what it is compared with. */
static void type_literal(CmkParser *parser, CmkOperand *literal, const CmkOperand *other)
{
    literal->type = other->type;
    (void)read_value(parser, &other->type, other->text, literal->name, literal->offset,
                     &literal->value);
}

void cmk_parser_check_test(CmkParser *parser, CmkOperand *left, CmkOperand *right,
                           CmkRelation relation, size_t relation_at)
{
    const bool is_left_literal = left->kind == CMK_OPERAND_LITERAL;
    const bool is_right_literal = right->kind == CMK_OPERAND_LITERAL;
    const char *sign = cmk_relation_text(relation);
    if (is_left_literal && is_right_literal) {
        CMK_PARSER_REPORT(parser, left->offset,
                          "neither `%s` nor `%s` is something that a run could change", left->text,
                          right->text);
        if (cmk_suggest(left->name, path_heads, CMK_ARRAY_LEN(path_heads)) != NULL)
            cmk_parser_hint_word(parser, left->name, path_heads, CMK_ARRAY_LEN(path_heads));
        else
            CMK_PARSER_HINT(parser, "name something, such as `jobs(status = failed).count`");
        return;
    }
    if (is_left_literal)
        type_literal(parser, left, right);
    else if (is_right_literal)
        type_literal(parser, right, left);
    else if (!cmk_type_equal(&left->type, &right->type))
        CMK_PARSER_REPORT(parser, relation_at,
                          "`%s` is %s, but `%s` is %s: they cannot be compared", left->text,
                          cmk_type_text(&left->type), right->text, cmk_type_text(&right->type));
    if (!parser->has_error && relation >= CMK_RELATION_LESS && !cmk_type_is_ordered(&left->type)) {
        const CmkOperand *named = is_left_literal ? right : left;
        CMK_PARSER_REPORT(parser, relation_at, "`%s` has no order, so `%s` says nothing",
                          named->text, sign);
        CMK_PARSER_HINT(parser, "use == or !=");
    }
}
