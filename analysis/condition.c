#include "analysis/condition.h"

#include <string.h>

#include "analysis/expect.h"

const char *const cmk_words_restore_check[] = {"ok", "refused", "lost", "mismatch", NULL};
_Static_assert(CMK_ARRAY_LEN(cmk_words_restore_check) == CMK_RESTORE_CHECK__COUNT,
               "each result but none has a word");

/* What `cost.` may be followed by beside a meter of the bill. */
static const char *const cost_totals[] = {"total", "overdue", "net", NULL};

static const char *const relation_texts[CMK_RELATION__COUNT] = {"==", "!=", "<", "<=", ">", ">="};
/* The relation that holds when the other does not. */
static const CmkRelation opposites[CMK_RELATION__COUNT] = {
    CMK_RELATION_NOT_EQUAL, CMK_RELATION_EQUAL,         CMK_RELATION_GREATER_OR_EQUAL,
    CMK_RELATION_GREATER,   CMK_RELATION_LESS_OR_EQUAL, CMK_RELATION_LESS};

/* The relation that says the same with its sides changed. */
static const CmkRelation mirrored[CMK_RELATION__COUNT] = {
    CMK_RELATION_EQUAL,   CMK_RELATION_NOT_EQUAL,
    CMK_RELATION_GREATER, CMK_RELATION_GREATER_OR_EQUAL,
    CMK_RELATION_LESS,    CMK_RELATION_LESS_OR_EQUAL};

typedef enum TokenKind {
    TOKEN_END,
    TOKEN_WORD,
    TOKEN_QUOTED,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_COMMA,
    TOKEN_ASSIGN,
    TOKEN_RELATION,
    TOKEN_BAD
} TokenKind;

typedef struct Token {
    TokenKind kind;
    CmkRelation relation;
    size_t start; /* bytes of the text */
    size_t end;
} Token;

/* What stands before its right side, from what binds least to what binds most. */
typedef enum Waiting {
    WAITING_NONE,
    WAITING_CLOSE, /* a parenthesis that is open */
    WAITING_OR,
    WAITING_AND,
    WAITING_NOT
} Waiting;

/* In each parenthesis one of each can wait, and one term before each of them. */
#define WAITING_MAX (4 * (CMK_CONDITION_DEPTH_MAX + 1))

typedef struct Parser {
    const CmkConditionContext *context;
    const CmkNode *scalar;
    const char *text;
    Token token;    /* the one to be looked at */
    uint32_t depth; /* parentheses that are open */
    Waiting waiting[WAITING_MAX];
    uint32_t waiting_count;
    uint32_t open_terms[WAITING_MAX]; /* not yet joined */
    uint32_t open_count;
    bool is_stuck; /* what follows cannot be read any more */
    bool has_error;
    CmkCondition *condition;
} Parser;

/* ---- places ---------------------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* The byte of the file at a place, or its size. */
static size_t byte_of(const CmkDiagnostics *diagnostics, CmkPosition at)
{
    size_t size = 0;
    const char *text = cmk_diagnostics_text(diagnostics, &size);
    size_t offset = 0;
    for (uint32_t line = 1; line < at.line && offset < size; line++) {
        const char *end = memchr(text + offset, '\n', size - offset);
        offset = end == NULL ? size : (size_t)(end - text) + 1;
    }
    for (uint32_t column = 1; column < at.column && offset < size; column++) {
        offset++;
        while (offset < size && ((unsigned char)text[offset] & 0xC0) == 0x80)
            offset++;
    }
    return offset;
}

/* How many bytes of the file an escape in double quotes takes; 0 if it stands for nothing. */
static size_t escape_size(const char *source, size_t left)
{
    if (left < 2)
        return 0;
    switch (source[1]) {
    case 'x':
        return 4;
    case 'u':
        return 6;
    case 'U':
        return 10;
    default:
        return 2;
    }
}

static size_t character_size(const char *text)
{
    size_t size = 1;
    while (((unsigned char)text[size] & 0xC0) == 0x80)
        size++;
    return size;
}

/* Walks along the scalar's text and the file side by side, which differ in quotes, escapes and
 * folded lines only. */
CmkPosition cmk_condition_position(const CmkDiagnostics *diagnostics, const CmkNode *scalar,
                                   size_t offset)
{
    const CmkPosition node_at = cmk_node_position(scalar);
    size_t size = 0;
    const char *source = cmk_diagnostics_text(diagnostics, &size);
    const char *text = cmk_node_text(scalar);
    size_t at = byte_of(diagnostics, node_at);
    char quote = '\0';
    if (cmk_node_is_quoted(scalar) && at < size)
        quote = source[at];
    if (quote == '\'' || quote == '"') {
        at++;
    } else if (quote == '|' || quote == '>') {
        while (at < size && source[at] != '\n')
            at++;
    }
    size_t i = 0;
    while (at < size && (i < offset || (text[i] != '\0' && is_blank(source[at])))) {
        const bool is_doubled = quote == '\'' && source[at] == '\'';
        if (i < offset && quote == '"' && source[at] == '\\') {
            const size_t step = escape_size(source + at, size - at);
            i += step == 0 || source[at + 1] == '\n' ? 0 : character_size(text + i);
            at += MAX(step, 1);
        } else if (is_blank(source[at])) {
            if (i >= offset && is_blank(text[i]))
                break;
            i += is_blank(text[i]) ? 1 : 0;
            at++;
        } else if (source[at] == text[i]) {
            at += is_doubled ? 2 : 1;
            i++;
        } else {
            return node_at;
        }
    }
    return i > offset || at > size ? node_at : cmk_diagnostics_position(diagnostics, at);
}

static CmkPosition place(const Parser *parser, size_t offset)
{
    return cmk_condition_position(parser->context->diagnostics, parser->scalar, offset);
}

/* For mistakes after which reading can go on. */
#define REPORT(parser, offset, ...)                                                                \
    do {                                                                                           \
        cmk_diagnostics_error((parser)->context->diagnostics, place(parser, offset), __VA_ARGS__); \
        (parser)->has_error = true;                                                                \
    } while (0)

#define HINT(parser, ...) cmk_diagnostics_hint((parser)->context->diagnostics, __VA_ARGS__)

static void hint_word(const Parser *parser, const char *word, const char *const *words,
                      size_t count)
{
    cmk_diagnostics_hint_word(parser->context->diagnostics, word, words, count);
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static bool is_of_word(char c)
{
    return c != '\0' && !is_blank(c) && strchr("(),=<>!\"'", c) == NULL;
}

static Token read_relation(const char *text, size_t start)
{
    Token token = {.kind = TOKEN_RELATION, .start = start, .end = start + 1};
    const bool has_equals = text[start + 1] == '=';
    token.end += has_equals ? 1 : 0;
    switch (text[start]) {
    case '=':
        token.kind = has_equals ? TOKEN_RELATION : TOKEN_ASSIGN;
        token.relation = CMK_RELATION_EQUAL;
        break;
    case '!':
        token.kind = has_equals ? TOKEN_RELATION : TOKEN_BAD;
        token.relation = CMK_RELATION_NOT_EQUAL;
        break;
    case '<':
        token.relation = has_equals ? CMK_RELATION_LESS_OR_EQUAL : CMK_RELATION_LESS;
        break;
    default:
        token.relation = has_equals ? CMK_RELATION_GREATER_OR_EQUAL : CMK_RELATION_GREATER;
        break;
    }
    return token;
}

static Token read_quoted(const char *text, size_t start)
{
    const char *end = strchr(text + start + 1, text[start]);
    if (end == NULL)
        return (Token){.kind = TOKEN_BAD, .start = start, .end = start + 1};
    return (Token){.kind = TOKEN_QUOTED, .start = start, .end = (size_t)(end - text) + 1};
}

static Token token_at(const char *text, size_t start)
{
    while (is_blank(text[start]))
        start++;
    Token token = {.start = start, .end = start + 1};
    switch (text[start]) {
    case '\0':
        token.end = start;
        return token;
    case '(':
        token.kind = TOKEN_OPEN;
        return token;
    case ')':
        token.kind = TOKEN_CLOSE;
        return token;
    case ',':
        token.kind = TOKEN_COMMA;
        return token;
    case '=':
    case '!':
    case '<':
    case '>':
        return read_relation(text, start);
    case '"':
    case '\'':
        return read_quoted(text, start);
    default:
        token.kind = TOKEN_WORD;
        while (is_of_word(text[token.end]))
            token.end++;
        return token;
    }
}

static void advance(Parser *parser)
{
    parser->token = token_at(parser->text, parser->token.end);
}

static char *text_between(const Parser *parser, size_t start, size_t end)
{
    return g_strndup(parser->text + start, end - start);
}

/* As text_between(), on one line. */
static char *line_between(const Parser *parser, size_t start, size_t end)
{
    GString *line = g_string_new(NULL);
    for (size_t i = start; i < end; i++) {
        const char c = parser->text[i];
        if (!is_blank(c))
            g_string_append_c(line, c);
        else if (line->len > 0 && line->str[line->len - 1] != ' ')
            g_string_append_c(line, ' ');
    }
    return g_string_free(line, FALSE);
}

static char *token_text(const Parser *parser)
{
    return text_between(parser, parser->token.start, parser->token.end);
}

static bool is_word(const Parser *parser, const char *word)
{
    const Token *token = &parser->token;
    return token->kind == TOKEN_WORD && strlen(word) == token->end - token->start &&
           strncmp(parser->text + token->start, word, strlen(word)) == 0;
}

static bool is_keyword(const Parser *parser)
{
    return is_word(parser, "and") || is_word(parser, "or") || is_word(parser, "not");
}

/* Something else stands where `wanted` should: nothing more can be read. */
static void expected(Parser *parser, const char *wanted)
{
    g_autofree char *found = token_text(parser);
    if (parser->is_stuck)
        return;
    parser->is_stuck = true;
    if (parser->token.kind == TOKEN_END)
        REPORT(parser, parser->token.start, "the condition ends where %s should stand", wanted);
    else if (parser->token.kind == TOKEN_BAD && found[0] != '!')
        REPORT(parser, parser->token.start, "a quoted text is not closed");
    else
        REPORT(parser, parser->token.start, "there is `%s` where %s should stand", found, wanted);
}

/* ---- values: literals ------------------------------------------------------------------------ */

static CmkOperand *new_operand(Parser *parser, CmkOperandKind kind, size_t offset)
{
    CmkCondition *condition = parser->condition;
    CMK_ASSERT(condition->operand_count < CMK_ARRAY_LEN(condition->operands));
    CmkOperand *operand = &condition->operands[condition->operand_count++];
    *operand = (CmkOperand){.kind = kind, .offset = offset};
    return operand;
}

/* A literal has its value once it is known what it is compared with. */
static void parse_quoted(Parser *parser)
{
    const Token token = parser->token;
    CmkOperand *operand = new_operand(parser, CMK_OPERAND_LITERAL, token.start);
    operand->name = text_between(parser, token.start + 1, token.end - 1);
    operand->text = token_text(parser);
    advance(parser);
}

static bool begins_a_number(const char *text)
{
    return g_ascii_isdigit(text[0]) || text[0] == '-' || text[0] == '+';
}

/* A word, or a number with its unit, which may stand behind a blank: `250 GiB`. */
static void parse_literal(Parser *parser)
{
    const size_t start = parser->token.start;
    size_t end = parser->token.end;
    const bool is_number = begins_a_number(parser->text + start);
    CmkOperand *operand = new_operand(parser, CMK_OPERAND_LITERAL, start);
    advance(parser);
    while (is_number && parser->token.kind == TOKEN_WORD && !is_keyword(parser)) {
        end = parser->token.end;
        advance(parser);
    }
    operand->name = text_between(parser, start, end);
    operand->text = line_between(parser, start, end);
}

/* ---- values: paths --------------------------------------------------------------------------- */

static const char *const path_heads[] = {
    "backup_vault",    "key_vault",     "key",  "identity", "region", "instance", "fault", "cost",
    "time_to_recover", "restore_check", "jobs", "points",   "vaults", "requests"};

static CmkType plain(CmkValueKind kind)
{
    return (CmkType){.kind = kind};
}

/* Finds what bears a name; reports it if nothing does. */
static bool find_name(Parser *parser, const char *kind, const char *name, size_t offset,
                      uint32_t *ret_row)
{
    const CmkNameIndex *names = parser->context->names;
    if (cmk_name_index_find(names, kind, name, ret_row))
        return true;
    size_t count = 0;
    g_autofree const char **list = cmk_name_index_list(names, kind, &count);
    REPORT(parser, offset, "there is no %s `%s` in this scenario", cmk_name_index_kind_text(kind),
           name);
    hint_word(parser, name, list, count);
    return false;
}

/* As find_name(), for what must be an entity and not "none". */
static bool find_entity(Parser *parser, const char *kind, const char *name, size_t offset,
                        uint32_t *ret_row)
{
    uint32_t row = CMK_NAME_NONE;
    if (name[0] != '\0' && !find_name(parser, kind, name, offset, &row))
        return false;
    if (row == CMK_NAME_NONE || row == CMK_NAME_SYSTEM) {
        REPORT(parser, offset, "there is no %s `%s` in this scenario",
               cmk_name_index_kind_text(kind), name);
        return false;
    }
    *ret_row = row;
    return true;
}

/* kind.NAME.field; the name may have dots of its own. */
static void parse_field(Parser *parser, CmkOperand *operand, const CmkStateKind *kind)
{
    const char *path = operand->text;
    const char *name = path + strlen(kind->name) + 1;
    const char *dot = strrchr(name, '.');
    if (dot == NULL) {
        REPORT(parser, operand->offset, "`%s` lacks a field: %s.NAME.FIELD", path, kind->name);
        HINT(parser, "a field of it is, for instance, `%s`", kind->fields[0].name);
        return;
    }
    g_autofree char *entity = g_strndup(name, (gsize)(dot - name));
    const size_t name_at = operand->offset + (size_t)(name - path);
    const bool is_found = find_entity(parser, kind->name, entity, name_at, &operand->row);
    operand->field = cmk_state_field_find(kind, dot + 1);
    if (operand->field == NULL) {
        g_autofree const char **list = cmk_state_field_list(kind);
        REPORT(parser, operand->offset + (size_t)(dot + 1 - path), "a %s has no field `%s`",
               cmk_name_index_kind_text(kind->name), dot + 1);
        hint_word(parser, dot + 1, list, kind->count);
    } else if (is_found) {
        operand->kind = CMK_OPERAND_FIELD;
        operand->type = operand->field->type;
    }
}

/* fault.ID.active */
static void parse_fault(Parser *parser, CmkOperand *operand)
{
    const char *id = operand->text + strlen("fault.");
    const char *dot = strrchr(id, '.');
    if (dot == NULL || strcmp(dot, ".active") != 0) {
        const size_t at = dot == NULL ? 0 : (size_t)(dot + 1 - operand->text);
        REPORT(parser, operand->offset + at, "of a fault one can ask for `fault.ID.active` only");
        return;
    }
    g_autofree char *name = g_strndup(id, (gsize)(dot - id));
    if (find_entity(parser, "fault", name, operand->offset + strlen("fault."), &operand->row)) {
        operand->kind = CMK_OPERAND_FAULT_ACTIVE;
        operand->type = plain(CMK_VALUE_BOOLEAN);
    }
}

static void check_moment(Parser *parser, const CmkOperand *operand)
{
    if (parser->context->expectation == CMK_EXPECT_FINAL)
        return;
    REPORT(parser, operand->offset, "`%s` is known at the end of the run only", operand->text);
    HINT(parser, "use it in `final:`");
}

static void hint_meter(Parser *parser, const char *meter)
{
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (const char *const *total = cost_totals; *total != NULL; total++) {
        g_ptr_array_add(words, (gpointer)(uintptr_t)*total);
    }
    for (const char *const *name = cmk_cost_meters(); *name != NULL; name++) {
        g_ptr_array_add(words, (gpointer)(uintptr_t)*name);
    }
    hint_word(parser, meter, (const char *const *)words->pdata, words->len);
}

static void parse_cost(Parser *parser, CmkOperand *operand)
{
    const char *meter = operand->text + strlen("cost.");
    if (!g_strv_contains(cost_totals, meter) && !g_strv_contains(cmk_cost_meters(), meter)) {
        REPORT(parser, operand->offset + strlen("cost."), "there is no meter `%s`", meter);
        hint_meter(parser, meter);
        return;
    }
    check_moment(parser, operand);
    operand->kind = CMK_OPERAND_COST;
    operand->type = plain(CMK_VALUE_MONEY);
    operand->name = g_strdup(meter);
}

static void parse_time_to_recover(Parser *parser, CmkOperand *operand)
{
    const size_t head = strlen("time_to_recover.");
    if (!find_entity(parser, "fault", operand->text + head, operand->offset + head, &operand->row))
        return;
    if (parser->context->expectation == CMK_EXPECT_ALWAYS) {
        REPORT(parser, operand->offset,
               "before the recovery there is no time to recover, so this "
               "cannot hold always");
        HINT(parser, "use it in `final:`, `at:`, `eventually:` or `never:`");
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
static void parse_path(Parser *parser)
{
    const size_t start = parser->token.start;
    CmkOperand *operand = new_operand(parser, CMK_OPERAND_LITERAL, start);
    operand->text = token_text(parser);
    advance(parser);
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
        REPORT(parser, start, "a set has its filters in parentheses, even if there are none");
        HINT(parser, "write `%s()%s`", head, operand->text + length);
    } else {
        REPORT(parser, start, "there is nothing called `%s` to ask about", head);
        hint_word(parser, head, path_heads, CMK_ARRAY_LEN(path_heads));
    }
}

/* ---- values: sets ---------------------------------------------------------------------------- */

static bool status_code_is(const CmkStatusRow *row, const char *word)
{
    return strcmp(row->name, word) == 0 || (row->code != NULL && strcmp(row->code, word) == 0) ||
           (row->inner != NULL && strcmp(row->inner, word) == 0);
}

static void report_code(Parser *parser, const char *word, size_t offset)
{
    const CmkModel *model = cmk_azure_model();
    const char *codes[CMK_STATUS__COUNT];
    for (uint32_t i = 0; i < CMK_STATUS__COUNT; i++)
        codes[i] = model->statuses[i].code;
    REPORT(parser, offset, "there is no status code `%s`", word);
    hint_word(parser, word, codes, CMK_STATUS__COUNT);
}

/* All rows of the status table that a word means: several requests share a code. */
static bool find_codes(Parser *parser, const char *word, size_t offset, int64_t *ret_mask)
{
    const CmkModel *model = cmk_azure_model();
    uint64_t mask = 0;
    for (uint32_t i = 0; i < model->status_count; i++) {
        if (status_code_is(&model->statuses[i], word))
            mask |= UINT64_C(1) << i;
    }
    if (mask == 0) {
        report_code(parser, word, offset);
        return false;
    }
    *ret_mask = (int64_t)mask;
    return true;
}

/* Reads the text of a value that is to be of a type; `whose` says what needs it. */
static bool read_value(Parser *parser, const CmkType *type, const char *whose, const char *text,
                       size_t offset, int64_t *ret_value)
{
    char message[CMK_VALUE_MESSAGE_SIZE];
    if (type->kind == CMK_VALUE_CODES)
        return find_codes(parser, text, offset, ret_value);
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
        REPORT(parser, offset, "`%s` cannot be compared with `%s`", whose, text);
        hint_word(parser, text, type->words, cmk_words_count(type->words));
    } else {
        REPORT(parser, offset, "`%s` is %s and cannot be compared with `%s`", whose,
               cmk_type_text(type), text);
        HINT(parser, "%s", message);
    }
    return false;
}

static void report_filter(Parser *parser, const CmkSetRow *row, const char *name)
{
    const char *names[CMK_SET_FILTERS_MAX];
    for (size_t i = 0; i < row->filter_count; i++)
        names[i] = row->filters[i].name;
    REPORT(parser, parser->token.start, "%s cannot be filtered by `%s`", row->name, name);
    hint_word(parser, name, names, row->filter_count);
}

static const CmkFilterRow *find_filter(Parser *parser, const CmkSetRow *row, uint32_t *ret_index)
{
    g_autofree char *name = token_text(parser);
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
static void add_filter(Parser *parser, CmkFilter *filters, uint32_t *count, CmkFilter filter,
                       const CmkFilterRow *row, size_t offset)
{
    uint32_t at = 0;
    while (at < *count && filters[at].index < filter.index)
        at++;
    if (at < *count && filters[at].index == filter.index) {
        REPORT(parser, offset, "the filter `%s` is given twice", row->name);
        return;
    }
    for (uint32_t i = *count; i > at; i--)
        filters[i] = filters[i - 1];
    filters[at] = filter;
    (*count)++;
}

/* name = value */
static void parse_filter(Parser *parser, const CmkSetRow *row, CmkFilter *filters, uint32_t *count)
{
    CmkFilter filter = {0};
    const size_t name_at = parser->token.start;
    if (parser->token.kind != TOKEN_WORD) {
        expected(parser, "a filter");
        return;
    }
    const CmkFilterRow *found = find_filter(parser, row, &filter.index);
    advance(parser);
    if (parser->token.kind != TOKEN_ASSIGN) {
        expected(parser, "`=`");
        HINT(parser, "a filter is written `name = value`");
        return;
    }
    advance(parser);
    const size_t value_at = parser->token.start;
    if (parser->token.kind != TOKEN_WORD && parser->token.kind != TOKEN_QUOTED) {
        expected(parser, "the value of a filter");
        return;
    }
    const bool is_quoted = parser->token.kind == TOKEN_QUOTED;
    g_autofree char *value =
        is_quoted ? text_between(parser, value_at + 1, parser->token.end - 1) : token_text(parser);
    advance(parser);
    if (found == NULL ||
        !read_value(parser, &found->type, found->name, value, value_at, &filter.value))
        return;
    add_filter(parser, filters, count, filter, found, name_at);
    if (found->is_final_only && parser->context->expectation != CMK_EXPECT_FINAL) {
        REPORT(parser, name_at, "`%s` is known at the end of the run only", found->name);
        HINT(parser, "use it in `final:`");
    }
}

/* .count and the like, right behind the parenthesis. */
static bool parse_measure(Parser *parser, const CmkSetRow *row, CmkMeasure *ret_measure)
{
    g_autofree char *word = token_text(parser);
    if (parser->token.kind != TOKEN_WORD || word[0] != '.') {
        expected(parser, "a measure such as `.count`");
        return false;
    }
    const size_t at = parser->token.start + 1;
    advance(parser);
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
    REPORT(parser, at, "%s have no measure `%s`", row->name, word + 1);
    hint_word(parser, word + 1, offered, count);
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
static void take_set(Parser *parser, CmkOperand *operand, CmkSetKind kind, CmkMeasure measure,
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

static void parse_filters(Parser *parser, const CmkSetRow *row, CmkFilter *filters, uint32_t *count)
{
    advance(parser); /* the parenthesis */
    if (parser->token.kind == TOKEN_CLOSE) {
        advance(parser);
        return;
    }
    while (!parser->is_stuck) {
        parse_filter(parser, row, filters, count);
        if (parser->token.kind == TOKEN_CLOSE) {
            advance(parser);
            return;
        }
        if (parser->token.kind != TOKEN_COMMA) {
            expected(parser, "`,` or `)`");
            return;
        }
        advance(parser);
    }
}

/* set ( filters ) . measure */
static void parse_set(Parser *parser)
{
    const size_t start = parser->token.start;
    g_autofree char *name = token_text(parser);
    CmkSetKind kind = CMK_SET_JOBS;
    CmkMeasure measure = CMK_MEASURE_COUNT;
    CmkFilter filters[CMK_SET_FILTERS_MAX];
    uint32_t count = 0;
    const CmkSetRow *row = find_set(name, &kind);
    CmkOperand *operand = new_operand(parser, CMK_OPERAND_LITERAL, start);
    if (row == NULL) {
        static const char *const set_names[] = {"jobs", "points", "vaults", "requests"};
        parser->is_stuck = true;
        REPORT(parser, start, "there is no set `%s`", name);
        hint_word(parser, name, set_names, CMK_ARRAY_LEN(set_names));
        return;
    }
    const bool had_error = parser->has_error;
    parser->has_error = false;
    advance(parser);
    parse_filters(parser, row, filters, &count);
    const size_t end = parser->token.end;
    if (!parser->is_stuck && parse_measure(parser, row, &measure) && !parser->has_error)
        take_set(parser, operand, kind, measure, filters, count);
    operand->text = line_between(parser, start, end);
    parser->has_error |= had_error;
}

static bool is_path(const Parser *parser)
{
    const Token *token = &parser->token;
    return memchr(parser->text + token->start, '.', token->end - token->start) != NULL ||
           is_word(parser, "restore_check");
}

static void parse_value(Parser *parser)
{
    const bool is_number = begins_a_number(parser->text + parser->token.start);
    if (parser->token.kind == TOKEN_QUOTED) {
        parse_quoted(parser);
    } else if (parser->token.kind != TOKEN_WORD || is_keyword(parser)) {
        expected(parser, "something to compare");
    } else if (!is_number && token_at(parser->text, parser->token.end).kind == TOKEN_OPEN) {
        parse_set(parser);
    } else if (!is_number && is_path(parser)) {
        parse_path(parser);
    } else {
        parse_literal(parser);
    }
}

/* ---- tests and terms ------------------------------------------------------------------------- */

/* Gives a literal the type and value of what it is compared with. */
static void type_literal(Parser *parser, CmkOperand *literal, const CmkOperand *other)
{
    literal->type = other->type;
    (void)read_value(parser, &other->type, other->text, literal->name, literal->offset,
                     &literal->value);
}

static void check_test(Parser *parser, CmkOperand *left, CmkOperand *right, CmkRelation relation,
                       size_t relation_at)
{
    const bool is_left_literal = left->kind == CMK_OPERAND_LITERAL;
    const bool is_right_literal = right->kind == CMK_OPERAND_LITERAL;
    const char *sign = relation_texts[relation];
    if (is_left_literal && is_right_literal) {
        REPORT(parser, left->offset, "neither `%s` nor `%s` is something that a run could change",
               left->text, right->text);
        if (cmk_suggest(left->name, path_heads, CMK_ARRAY_LEN(path_heads)) != NULL)
            hint_word(parser, left->name, path_heads, CMK_ARRAY_LEN(path_heads));
        else
            HINT(parser, "name something, such as `jobs(status = failed).count`");
        return;
    }
    if (is_left_literal)
        type_literal(parser, left, right);
    else if (is_right_literal)
        type_literal(parser, right, left);
    else if (!cmk_type_equal(&left->type, &right->type))
        REPORT(parser, relation_at, "`%s` is %s, but `%s` is %s: they cannot be compared",
               left->text, cmk_type_text(&left->type), right->text, cmk_type_text(&right->type));
    if (!parser->has_error && relation >= CMK_RELATION_LESS && !cmk_type_is_ordered(&left->type)) {
        const CmkOperand *named = is_left_literal ? right : left;
        REPORT(parser, relation_at, "`%s` has no order, so `%s` says nothing", named->text, sign);
        HINT(parser, "use == or !=");
    }
}

static uint32_t new_term(Parser *parser, CmkTermKind kind, uint32_t left, uint32_t right)
{
    CmkCondition *condition = parser->condition;
    if (condition->term_count == CMK_ARRAY_LEN(condition->terms)) {
        if (!parser->is_stuck)
            REPORT(parser, parser->token.start, "the condition is too long");
        parser->is_stuck = true;
        return 0;
    }
    condition->terms[condition->term_count] = (CmkTerm){.kind = kind, .left = left, .right = right};
    return condition->term_count++;
}

/* value relation value */
static uint32_t parse_test(Parser *parser)
{
    CmkCondition *condition = parser->condition;
    const uint32_t first = condition->operand_count;
    if (first + 2 > CMK_ARRAY_LEN(condition->operands)) {
        parser->is_stuck = true;
        REPORT(parser, parser->token.start, "a condition has at most %d tests",
               CMK_CONDITION_TESTS_MAX);
        return 0;
    }
    const bool had_error = parser->has_error;
    parser->has_error = false;
    parse_value(parser);
    const size_t relation_at = parser->token.start;
    const CmkRelation relation = parser->token.relation;
    if (!parser->is_stuck && parser->token.kind != TOKEN_RELATION) {
        const bool is_assign = parser->token.kind == TOKEN_ASSIGN;
        expected(parser, "a comparison such as `==`");
        if (is_assign)
            HINT(parser, "write == to compare");
    }
    if (!parser->is_stuck) {
        advance(parser);
        parse_value(parser);
    }
    if (!parser->has_error)
        check_test(parser, &condition->operands[first], &condition->operands[first + 1], relation,
                   relation_at);
    parser->has_error |= had_error;
    if (parser->is_stuck)
        return 0;
    const uint32_t term = new_term(parser, CMK_TERM_TEST, first, first + 1);
    if (!parser->is_stuck)
        condition->terms[term].relation = relation;
    return term;
}

/* ---- joining tests: a stack of what waits for its right side --------------------------------- */

static void push(Parser *parser, Waiting waiting)
{
    CMK_ASSERT(parser->waiting_count < CMK_ARRAY_LEN(parser->waiting));
    parser->waiting[parser->waiting_count++] = waiting;
}

static Waiting top(const Parser *parser)
{
    return parser->waiting_count == 0 ? WAITING_NONE : parser->waiting[parser->waiting_count - 1];
}

static uint32_t pop_term(Parser *parser)
{
    CMK_ASSERT(parser->open_count > 0);
    return parser->open_terms[--parser->open_count];
}

static void push_term(Parser *parser, uint32_t term)
{
    CMK_ASSERT(parser->open_count < CMK_ARRAY_LEN(parser->open_terms));
    parser->open_terms[parser->open_count++] = term;
}

/* Joins what waits on top, as long as it binds at least as strongly as `weakest`. */
static void join(Parser *parser, Waiting weakest)
{
    while (!parser->is_stuck && top(parser) >= weakest) {
        const Waiting waiting = parser->waiting[--parser->waiting_count];
        const uint32_t right = pop_term(parser);
        if (waiting == WAITING_NOT)
            push_term(parser, new_term(parser, CMK_TERM_NOT, right, right));
        else
            push_term(parser, new_term(parser, waiting == WAITING_AND ? CMK_TERM_AND : CMK_TERM_OR,
                                       pop_term(parser), right));
    }
}

static void open_parenthesis(Parser *parser)
{
    if (parser->depth == CMK_CONDITION_DEPTH_MAX) {
        parser->is_stuck = true;
        REPORT(parser, parser->token.start, "parentheses are more than %d deep",
               CMK_CONDITION_DEPTH_MAX);
        return;
    }
    parser->depth++;
    push(parser, WAITING_CLOSE);
    advance(parser);
}

/* ["not"] ( test | "(" ) and so on, up to and including a test */
static void parse_item(Parser *parser)
{
    bool is_begun = true;
    while (is_begun && !parser->is_stuck) {
        if (is_word(parser, "not")) {
            push(parser, WAITING_NOT);
            advance(parser);
        }
        is_begun = parser->token.kind == TOKEN_OPEN;
        if (is_begun)
            open_parenthesis(parser);
    }
    if (!parser->is_stuck)
        push_term(parser, parse_test(parser));
}

static void close_parentheses(Parser *parser)
{
    join(parser, WAITING_NOT);
    while (!parser->is_stuck && parser->token.kind == TOKEN_CLOSE && parser->depth > 0) {
        join(parser, WAITING_OR);
        CMK_ASSERT(parser->is_stuck || top(parser) == WAITING_CLOSE);
        parser->waiting_count--;
        parser->depth--;
        advance(parser);
        join(parser, WAITING_NOT);
    }
}

static void parse_all(Parser *parser)
{
    while (!parser->is_stuck) {
        parse_item(parser);
        close_parentheses(parser);
        if (parser->is_stuck)
            return;
        const bool is_and = is_word(parser, "and");
        if (!is_and && !is_word(parser, "or"))
            break;
        join(parser, is_and ? WAITING_AND : WAITING_OR);
        push(parser, is_and ? WAITING_AND : WAITING_OR);
        advance(parser);
    }
    if (parser->token.kind != TOKEN_END || parser->depth > 0)
        expected(parser, parser->depth > 0 ? "`and`, `or` or `)`" : "`and`, `or` or the end");
    join(parser, WAITING_OR);
}

CmkCondition *cmk_condition_parse(const CmkConditionContext *context, const CmkNode *scalar)
{
    CMK_ASSERT(cmk_node_kind(scalar) == CMK_NODE_SCALAR);
    Parser parser = {.context = context, .scalar = scalar, .text = cmk_node_text(scalar)};
    parser.condition = g_new0(CmkCondition, 1);
    parser.token = token_at(parser.text, 0);
    parse_all(&parser);
    if (parser.has_error) {
        cmk_condition_free(parser.condition);
        return NULL;
    }
    return parser.condition;
}

void cmk_condition_free(CmkCondition *condition)
{
    if (condition == NULL)
        return;
    for (uint32_t i = 0; i < condition->operand_count; i++) {
        g_free(condition->operands[i].name);
        g_free(condition->operands[i].text);
    }
    g_free(condition);
}

/* ---- asking ---------------------------------------------------------------------------------- */

static bool compares(CmkRelation relation, int64_t left, int64_t right)
{
    switch (relation) {
    case CMK_RELATION_EQUAL:
        return left == right;
    case CMK_RELATION_NOT_EQUAL:
        return left != right;
    case CMK_RELATION_LESS:
        return left < right;
    case CMK_RELATION_LESS_OR_EQUAL:
        return left <= right;
    case CMK_RELATION_GREATER:
        return left > right;
    case CMK_RELATION_GREATER_OR_EQUAL:
        return left >= right;
    case CMK_RELATION__COUNT:
        break;
    }
    CMK_ASSERT(false);
    return false;
}

static void evaluate(const CmkCondition *condition, const int64_t *values,
                     bool ret_holds[CMK_CONDITION_TERMS_MAX])
{
    for (uint32_t i = 0; i < condition->term_count; i++) {
        const CmkTerm *term = &condition->terms[i];
        switch (term->kind) {
        case CMK_TERM_TEST:
            ret_holds[i] = values[term->left] != CMK_VALUE_NONE &&
                           values[term->right] != CMK_VALUE_NONE &&
                           compares(term->relation, values[term->left], values[term->right]);
            break;
        case CMK_TERM_NOT:
            ret_holds[i] = !ret_holds[term->left];
            break;
        case CMK_TERM_AND:
            ret_holds[i] = ret_holds[term->left] && ret_holds[term->right];
            break;
        case CMK_TERM_OR:
            ret_holds[i] = ret_holds[term->left] || ret_holds[term->right];
            break;
        }
    }
}

bool cmk_condition_holds(const CmkCondition *condition, const int64_t *values)
{
    bool holds[CMK_CONDITION_TERMS_MAX];
    CMK_ASSERT(condition->term_count > 0);
    evaluate(condition, values, holds);
    return holds[condition->term_count - 1];
}

static void format_value(const CmkOperand *operand, int64_t value, const CmkNameIndex *names,
                         GString *out)
{
    if (operand->type.kind == CMK_VALUE_NAME && value != CMK_VALUE_NONE)
        g_string_append(out, cmk_name_index_text(names, operand->type.names, (uint32_t)value));
    else
        cmk_value_format(&operand->type, value, out);
}

static void explain_test(const CmkCondition *condition, const CmkTerm *term, const int64_t *values,
                         bool wanted, const CmkNameIndex *names, GString *out)
{
    const CmkRelation relation = wanted ? term->relation : opposites[term->relation];
    const CmkOperand *left = &condition->operands[term->left];
    const CmkOperand *right = &condition->operands[term->right];
    const bool is_left_named = left->kind != CMK_OPERAND_LITERAL;
    const bool is_right_named = right->kind != CMK_OPERAND_LITERAL;
    if (out->len > 0)
        g_string_append(out, "; ");
    if (is_left_named) {
        g_string_append_printf(out, "%s was ", left->text);
        format_value(left, values[term->left], names, out);
    }
    if (is_right_named) {
        g_string_append_printf(out, "%s%s was ", is_left_named ? ", " : "", right->text);
        format_value(right, values[term->right], names, out);
    }
    if (is_left_named && is_right_named)
        g_string_append_printf(out, ", needed %s %s %s", left->text, relation_texts[relation],
                               right->text);
    else if (is_left_named)
        g_string_append_printf(out, ", needed %s %s", relation_texts[relation], right->text);
    else
        g_string_append_printf(out, ", needed %s %s", relation_texts[mirrored[relation]],
                               left->text);
}

/* From the whole down to the tests: what must change for the whole to be as wanted. */
void cmk_condition_explain(const CmkCondition *condition, const int64_t *values, bool wanted,
                           const CmkNameIndex *names, GString *out)
{
    bool holds[CMK_CONDITION_TERMS_MAX];
    bool is_blamed[CMK_CONDITION_TERMS_MAX] = {false};
    bool wants[CMK_CONDITION_TERMS_MAX] = {false};
    CMK_ASSERT(condition->term_count > 0);
    evaluate(condition, values, holds);
    is_blamed[condition->term_count - 1] = true;
    wants[condition->term_count - 1] = wanted;
    for (uint32_t i = condition->term_count; i-- > 0;) {
        const CmkTerm *term = &condition->terms[i];
        if (!is_blamed[i] || holds[i] == wants[i] || term->kind == CMK_TERM_TEST)
            continue;
        const bool is_not = term->kind == CMK_TERM_NOT;
        is_blamed[term->left] = true;
        wants[term->left] = is_not ? !wants[i] : wants[i];
        if (!is_not) {
            is_blamed[term->right] = true;
            wants[term->right] = wants[i];
        }
    }
    for (uint32_t i = 0; i < condition->term_count; i++) {
        if (condition->terms[i].kind == CMK_TERM_TEST && is_blamed[i] && holds[i] != wants[i])
            explain_test(condition, &condition->terms[i], values, wants[i], names, out);
    }
}
