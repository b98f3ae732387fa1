/*
 * Reading a condition: the parser's place in the text, its tokens, and what goes wrong. For the
 * files analysis/condition*.c only.
 */
#ifndef CMK_ANALYSIS_CONDITION_PARSER_H
#define CMK_ANALYSIS_CONDITION_PARSER_H

#include "analysis/condition.h"

typedef enum CmkTokenKind {
    CMK_TOKEN_END,
    CMK_TOKEN_WORD,
    CMK_TOKEN_QUOTED,
    CMK_TOKEN_OPEN,
    CMK_TOKEN_CLOSE,
    CMK_TOKEN_COMMA,
    CMK_TOKEN_ASSIGN,
    CMK_TOKEN_RELATION,
    CMK_TOKEN_BAD
} CmkTokenKind;

typedef struct CmkToken {
    CmkTokenKind kind;
    CmkRelation relation;
    size_t start; /* bytes of the text */
    size_t end;
} CmkToken;

typedef struct CmkParser {
    const CmkConditionContext *context;
    const CmkNode *scalar;
    const char *text;
    CmkToken token; /* the one to be looked at */
    bool is_stuck;  /* what follows cannot be read any more */
    bool has_error;
    CmkCondition *condition;
} CmkParser;

/* ---- condition_token.c ----------------------------------------------------------------------- */

CmkPosition cmk_parser_place(const CmkParser *parser, size_t offset);

/* For mistakes after which reading can go on. */
#define CMK_PARSER_REPORT(parser, offset, ...)                                                     \
    do {                                                                                           \
        cmk_diagnostics_error((parser)->context->diagnostics, cmk_parser_place(parser, offset),    \
                              __VA_ARGS__);                                                        \
        (parser)->has_error = true;                                                                \
    } while (0)

#define CMK_PARSER_HINT(parser, ...)                                                               \
    cmk_diagnostics_hint((parser)->context->diagnostics, __VA_ARGS__)

void cmk_parser_hint_word(const CmkParser *parser, const char *word, const char *const *words,
                          size_t count);

/* The token that begins at or after a byte of the text; on to the next one. */
CmkToken cmk_token_at(const char *text, size_t start);
void cmk_parser_advance(CmkParser *parser);

/* Bytes of the text; the second one on one line. Free with g_free(). */
char *cmk_parser_text(const CmkParser *parser, size_t start, size_t end);
char *cmk_parser_line(const CmkParser *parser, size_t start, size_t end);
char *cmk_parser_token_text(const CmkParser *parser);

bool cmk_parser_is_at_word(const CmkParser *parser, const char *word);
bool cmk_parser_is_at_keyword(const CmkParser *parser);

/* Something else stands where `wanted` should: nothing more can be read. */
void cmk_parser_expected(CmkParser *parser, const char *wanted);

/* ---- condition_value.c ----------------------------------------------------------------------- */

/* Reads one side of a test: a path, a measure of a set, a word or a quantity. */
void cmk_parser_read_value(CmkParser *parser);

/* Gives a literal the type of the other side and reports what cannot be compared. */
void cmk_parser_check_test(CmkParser *parser, CmkOperand *left, CmkOperand *right,
                           CmkRelation relation, size_t relation_at);

const char *cmk_relation_text(CmkRelation relation);

#endif
