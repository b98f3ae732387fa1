/* Places and tokens of a condition. */
#include "analysis/condition_parser.h"

#include <string.h>

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

CmkPosition cmk_parser_place(const CmkParser *parser, size_t offset)
{
    return cmk_condition_position(parser->context->diagnostics, parser->scalar, offset);
}

void cmk_parser_hint_word(const CmkParser *parser, const char *word, const char *const *words,
                          size_t count)
{
    cmk_diagnostics_hint_word(parser->context->diagnostics, word, words, count);
}

/* ---- tokens ---------------------------------------------------------------------------------- */

static bool is_of_word(char c)
{
    return c != '\0' && !is_blank(c) && strchr("(),=<>!\"'", c) == NULL;
}

static CmkToken read_relation(const char *text, size_t start)
{
    CmkToken token = {.kind = CMK_TOKEN_RELATION, .start = start, .end = start + 1};
    const bool has_equals = text[start + 1] == '=';
    token.end += has_equals ? 1 : 0;
    switch (text[start]) {
    case '=':
        token.kind = has_equals ? CMK_TOKEN_RELATION : CMK_TOKEN_ASSIGN;
        token.relation = CMK_RELATION_EQUAL;
        break;
    case '!':
        token.kind = has_equals ? CMK_TOKEN_RELATION : CMK_TOKEN_BAD;
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

static CmkToken read_quoted(const char *text, size_t start)
{
    const char *end = strchr(text + start + 1, text[start]);
    if (end == NULL)
        return (CmkToken){.kind = CMK_TOKEN_BAD, .start = start, .end = start + 1};
    return (CmkToken){.kind = CMK_TOKEN_QUOTED, .start = start, .end = (size_t)(end - text) + 1};
}

CmkToken cmk_token_at(const char *text, size_t start)
{
    while (is_blank(text[start]))
        start++;
    CmkToken token = {.start = start, .end = start + 1};
    switch (text[start]) {
    case '\0':
        token.end = start;
        return token;
    case '(':
        token.kind = CMK_TOKEN_OPEN;
        return token;
    case ')':
        token.kind = CMK_TOKEN_CLOSE;
        return token;
    case ',':
        token.kind = CMK_TOKEN_COMMA;
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
        token.kind = CMK_TOKEN_WORD;
        while (is_of_word(text[token.end]))
            token.end++;
        return token;
    }
}

void cmk_parser_advance(CmkParser *parser)
{
    parser->token = cmk_token_at(parser->text, parser->token.end);
}

char *cmk_parser_text(const CmkParser *parser, size_t start, size_t end)
{
    return g_strndup(parser->text + start, end - start);
}

/* As cmk_parser_text(), on one line. */
char *cmk_parser_line(const CmkParser *parser, size_t start, size_t end)
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

char *cmk_parser_token_text(const CmkParser *parser)
{
    return cmk_parser_text(parser, parser->token.start, parser->token.end);
}

bool cmk_parser_is_at_word(const CmkParser *parser, const char *word)
{
    const CmkToken *token = &parser->token;
    return token->kind == CMK_TOKEN_WORD && strlen(word) == token->end - token->start &&
           strncmp(parser->text + token->start, word, strlen(word)) == 0;
}

bool cmk_parser_is_at_keyword(const CmkParser *parser)
{
    return cmk_parser_is_at_word(parser, "and") || cmk_parser_is_at_word(parser, "or") ||
           cmk_parser_is_at_word(parser, "not");
}

/* Something else stands where `wanted` should: nothing more can be read. */
void cmk_parser_expected(CmkParser *parser, const char *wanted)
{
    g_autofree char *found = cmk_parser_token_text(parser);
    if (parser->is_stuck)
        return;
    parser->is_stuck = true;
    if (parser->token.kind == CMK_TOKEN_END)
        CMK_PARSER_REPORT(parser, parser->token.start, "the condition ends where %s should stand",
                          wanted);
    else if (parser->token.kind == CMK_TOKEN_BAD && found[0] != '!')
        CMK_PARSER_REPORT(parser, parser->token.start, "a quoted text is not closed");
    else
        CMK_PARSER_REPORT(parser, parser->token.start, "there is `%s` where %s should stand", found,
                          wanted);
}
