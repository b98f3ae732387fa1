#include "analysis/condition_parser.h"

#include <string.h>

#include "analysis/expect.h"

const char *const cmk_words_restore_check[] = {"ok", "refused", "lost", "mismatch", NULL};
_Static_assert(CMK_ARRAY_LEN(cmk_words_restore_check) == CMK_RESTORE_CHECK__COUNT,
               "each result but none has a word");

/* The relation that holds when the other does not. */
static const CmkRelation opposites[CMK_RELATION__COUNT] = {
    CMK_RELATION_NOT_EQUAL, CMK_RELATION_EQUAL,         CMK_RELATION_GREATER_OR_EQUAL,
    CMK_RELATION_GREATER,   CMK_RELATION_LESS_OR_EQUAL, CMK_RELATION_LESS};

/* The relation that says the same with its sides changed. */
static const CmkRelation mirrored[CMK_RELATION__COUNT] = {
    CMK_RELATION_EQUAL,   CMK_RELATION_NOT_EQUAL,
    CMK_RELATION_GREATER, CMK_RELATION_GREATER_OR_EQUAL,
    CMK_RELATION_LESS,    CMK_RELATION_LESS_OR_EQUAL};

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

/* A parser and what it has read but not yet joined. */
typedef struct Joining {
    CmkParser parser;
    Waiting waiting[WAITING_MAX];
    uint32_t waiting_count;
    uint32_t open_terms[WAITING_MAX];
    uint32_t open_count;
    uint32_t depth; /* parentheses that are open */
} Joining;

/* ---- tests and terms ------------------------------------------------------------------------- */

static uint32_t new_term(CmkParser *parser, CmkTermKind kind, uint32_t left, uint32_t right)
{
    CmkCondition *condition = parser->condition;
    if (condition->term_count == CMK_ARRAY_LEN(condition->terms)) {
        if (!parser->is_stuck)
            CMK_PARSER_REPORT(parser, parser->token.start, "the condition is too long");
        parser->is_stuck = true;
        return 0;
    }
    condition->terms[condition->term_count] = (CmkTerm){.kind = kind, .left = left, .right = right};
    return condition->term_count++;
}

/* value relation value */
static uint32_t parse_test(CmkParser *parser)
{
    CmkCondition *condition = parser->condition;
    const uint32_t first = condition->operand_count;
    if (first + 2 > CMK_ARRAY_LEN(condition->operands)) {
        parser->is_stuck = true;
        CMK_PARSER_REPORT(parser, parser->token.start, "a condition has at most %d tests",
                          CMK_CONDITION_TESTS_MAX);
        return 0;
    }
    const bool had_error = parser->has_error;
    parser->has_error = false;
    cmk_parser_read_value(parser);
    const size_t relation_at = parser->token.start;
    const CmkRelation relation = parser->token.relation;
    if (!parser->is_stuck && parser->token.kind != CMK_TOKEN_RELATION) {
        const bool is_assign = parser->token.kind == CMK_TOKEN_ASSIGN;
        cmk_parser_expected(parser, "a comparison such as `==`");
        if (is_assign)
            CMK_PARSER_HINT(parser, "write == to compare");
    }
    if (!parser->is_stuck) {
        cmk_parser_advance(parser);
        cmk_parser_read_value(parser);
    }
    if (!parser->has_error)
        cmk_parser_check_test(parser, &condition->operands[first], &condition->operands[first + 1],
                              relation, relation_at);
    parser->has_error |= had_error;
    if (parser->is_stuck)
        return 0;
    const uint32_t term = new_term(parser, CMK_TERM_TEST, first, first + 1);
    if (!parser->is_stuck)
        condition->terms[term].relation = relation;
    return term;
}

/* ---- joining tests: a stack of what waits for its right side --------------------------------- */

static void push(Joining *joining, Waiting waiting)
{
    CMK_ASSERT(joining->waiting_count < CMK_ARRAY_LEN(joining->waiting));
    joining->waiting[joining->waiting_count++] = waiting;
}

static Waiting top(const Joining *joining)
{
    return joining->waiting_count == 0 ? WAITING_NONE
                                       : joining->waiting[joining->waiting_count - 1];
}

static uint32_t pop_term(Joining *joining)
{
    CMK_ASSERT(joining->open_count > 0);
    return joining->open_terms[--joining->open_count];
}

static void push_term(Joining *joining, uint32_t term)
{
    CMK_ASSERT(joining->open_count < CMK_ARRAY_LEN(joining->open_terms));
    joining->open_terms[joining->open_count++] = term;
}

/* Joins what waits on top, as long as it binds at least as strongly as `weakest`. */
static void join(Joining *joining, Waiting weakest)
{
    while (!joining->parser.is_stuck && top(joining) >= weakest) {
        const Waiting waiting = joining->waiting[--joining->waiting_count];
        const uint32_t right = pop_term(joining);
        if (waiting == WAITING_NOT)
            push_term(joining, new_term(&joining->parser, CMK_TERM_NOT, right, right));
        else
            push_term(joining, new_term(&joining->parser,
                                        waiting == WAITING_AND ? CMK_TERM_AND : CMK_TERM_OR,
                                        pop_term(joining), right));
    }
}

static void open_parenthesis(Joining *joining)
{
    if (joining->depth == CMK_CONDITION_DEPTH_MAX) {
        joining->parser.is_stuck = true;
        CMK_PARSER_REPORT(&joining->parser, joining->parser.token.start,
                          "parentheses are more than %d deep", CMK_CONDITION_DEPTH_MAX);
        return;
    }
    joining->depth++;
    push(joining, WAITING_CLOSE);
    cmk_parser_advance(&joining->parser);
}

/* ["not"] ( test | "(" ) and so on, up to and including a test */
static void parse_item(Joining *joining)
{
    bool is_begun = true;
    while (is_begun && !joining->parser.is_stuck) {
        if (cmk_parser_is_at_word(&joining->parser, "not")) {
            push(joining, WAITING_NOT);
            cmk_parser_advance(&joining->parser);
        }
        is_begun = joining->parser.token.kind == CMK_TOKEN_OPEN;
        if (is_begun)
            open_parenthesis(joining);
    }
    if (!joining->parser.is_stuck)
        push_term(joining, parse_test(&joining->parser));
}

static void close_parentheses(Joining *joining)
{
    join(joining, WAITING_NOT);
    while (!joining->parser.is_stuck && joining->parser.token.kind == CMK_TOKEN_CLOSE &&
           joining->depth > 0) {
        join(joining, WAITING_OR);
        CMK_ASSERT(joining->parser.is_stuck || top(joining) == WAITING_CLOSE);
        joining->waiting_count--;
        joining->depth--;
        cmk_parser_advance(&joining->parser);
        join(joining, WAITING_NOT);
    }
}

static void parse_all(Joining *joining)
{
    while (!joining->parser.is_stuck) {
        parse_item(joining);
        close_parentheses(joining);
        if (joining->parser.is_stuck)
            return;
        const bool is_and = cmk_parser_is_at_word(&joining->parser, "and");
        if (!is_and && !cmk_parser_is_at_word(&joining->parser, "or"))
            break;
        join(joining, is_and ? WAITING_AND : WAITING_OR);
        push(joining, is_and ? WAITING_AND : WAITING_OR);
        cmk_parser_advance(&joining->parser);
    }
    if (joining->parser.token.kind != CMK_TOKEN_END || joining->depth > 0)
        cmk_parser_expected(&joining->parser,
                            joining->depth > 0 ? "`and`, `or` or `)`" : "`and`, `or` or the end");
    join(joining, WAITING_OR);
}

CmkCondition *cmk_condition_parse(const CmkConditionContext *context, const CmkNode *scalar)
{
    CMK_ASSERT(cmk_node_kind(scalar) == CMK_NODE_SCALAR);
    g_autofree CmkCondition *condition = g_new0(CmkCondition, 1);
    Joining joining = {.parser = {.context = context,
                                  .scalar = scalar,
                                  .text = cmk_node_text(scalar),
                                  .condition = condition}};
    cmk_parser_advance(&joining.parser);
    parse_all(&joining);
    if (joining.parser.has_error) {
        cmk_condition_free(g_steal_pointer(&condition));
        return NULL;
    }
    return g_steal_pointer(&condition);
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
        g_string_append_printf(out, ", needed %s %s %s", left->text, cmk_relation_text(relation),
                               right->text);
    else if (is_left_named)
        g_string_append_printf(out, ", needed %s %s", cmk_relation_text(relation), right->text);
    else
        g_string_append_printf(out, ", needed %s %s", cmk_relation_text(mirrored[relation]),
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
