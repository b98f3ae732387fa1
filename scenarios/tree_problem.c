#include "scenarios/tree_problem.h"

#include <string.h>

#include <glib.h>

#include "sim/base.h"

typedef struct Advice {
    const char *problem; /* a part of libyaml's problem */
    const char *context; /* a part of libyaml's context */
    const char *message; /* said instead of the problem; NULL to keep libyaml's words */
    const char *note;    /* said of the place where the context began */
    const char *hint;
} Advice;

/* The first row that fits counts. The texts on the left are libyaml's (scanner.c and parser.c of
 * 0.2.5). */
static const Advice advices[] = {
    {"unexpected end of stream", "quoted scalar", "a quoted text is not closed",
     "the text begins here", "close it with the same kind of quote"},
    {"unexpected document indicator", "quoted scalar", "a quoted text is not closed",
     "the text begins here", "close it with the same kind of quote"},
    {"unknown escape character", "", "there is no such escape in double quotes", NULL,
     "write \\\\ for a backslash, or use single quotes"},
    {"did not find expected hexdecimal number", "",
     "an escape lacks digits: \\x takes 2, \\u takes 4, \\U takes 8 hexadecimal digits", NULL,
     NULL},
    {"invalid Unicode character escape code", "", "the escape does not stand for a character", NULL,
     NULL},
    {"expected ',' or ']'", "", "a comma or ] is missing", "the list begins here", NULL},
    {"expected ',' or '}'", "", "a comma or } is missing", "the map begins here", NULL},
    {"did not find expected node content", "", "a key, a value or a closing bracket is missing",
     NULL, NULL},
    {"did not find expected '-' indicator", "", "this line does not belong to the list above it",
     "the list begins here", "items of a list start with - in the same column"},
    {"did not find expected key", "block mapping", "this line does not belong to the map above it",
     "the map begins here", "keys of a map start in the same column"},
    {"could not find expected ':'", "", "a key without a colon", "the key is here",
     "write `key: value`"},
    {"mapping values are not allowed", "", "a colon where no key can be", NULL,
     "indent keys of one map alike; put a text that contains `: ` in quotes"},
    {"block sequence entries are not allowed", "", "a list cannot begin here", NULL,
     "put the first - on a line of its own"},
    {"block collection entry", "", "a list cannot begin here", NULL,
     "put the first - on a line of its own"},
    {"tab character that violates indentation", "", "a tab cannot indent", NULL, "use spaces"},
    {"tab character where an indentation space", "", "a tab cannot indent", NULL, "use spaces"},
    {"did not find expected <document start>", "", "text after the end of the document", NULL,
     "one file holds one document, indented alike"},
    {"incompatible YAML document", "", "the version of YAML is not 1.1 or 1.2", NULL,
     "leave the %YAML line out"},
    {"undefined tag handle", "", "tags (!) are not accepted", NULL,
     "put a text that begins with ! in quotes"},
};

static const Advice *find_advice(const char *problem, const char *context)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(advices); i++)
        if (strstr(problem, advices[i].problem) != NULL &&
            strstr(context, advices[i].context) != NULL)
            return &advices[i];
    return NULL;
}

CmkPosition cmk_tree_position(yaml_mark_t mark)
{
    CMK_ASSERT(mark.line < UINT32_MAX);
    CMK_ASSERT(mark.column < UINT32_MAX);
    return (CmkPosition){.line = (uint32_t)mark.line + 1, .column = (uint32_t)mark.column + 1};
}

/* The character at a mark; 0 at the end of the text. */
static char character_at(const CmkDiagnostics *diagnostics, CmkPosition at)
{
    size_t size = 0;
    const char *text = cmk_diagnostics_text(diagnostics, &size);
    CmkPosition here = {.line = 1, .column = 1};
    for (size_t i = 0; i < size; i++) {
        const bool is_tail = ((unsigned char)text[i] & 0xC0) == 0x80;
        if (!is_tail && here.line == at.line && here.column == at.column)
            return text[i];
        if (text[i] == '\n')
            here = (CmkPosition){.line = here.line + 1, .column = 1};
        else if (!is_tail)
            here.column++;
    }
    return '\0';
}

/* "found character that cannot start any token": mostly a tab. */
static void report_bad_start(CmkDiagnostics *diagnostics, CmkPosition at)
{
    const char c = character_at(diagnostics, at);
    if (c == '\t') {
        cmk_diagnostics_error(diagnostics, at, "a tab cannot indent");
        cmk_diagnostics_hint(diagnostics, "use spaces");
        return;
    }
    cmk_diagnostics_error(diagnostics, at, "a text cannot begin with `%c`", c);
    cmk_diagnostics_hint(diagnostics, "put it in quotes");
}

/* libyaml spreads its reasons over four fields; which of them are set depends on the layer that
 * failed. */
void cmk_tree_report_problem(const yaml_parser_t *parser, CmkDiagnostics *diagnostics)
{
    const char *problem = parser->problem == NULL ? "not YAML" : parser->problem;
    const char *context = parser->context == NULL ? "" : parser->context;
    if (parser->error == YAML_MEMORY_ERROR) {
        cmk_diagnostics_error(diagnostics, cmk_tree_position(parser->mark), "out of memory");
        return;
    }
    if (parser->error ==
        YAML_READER_ERROR) { /* has no mark; cmk_tree_check_text() leaves none to happen */
        size_t size = 0;
        cmk_diagnostics_text(diagnostics, &size);
        const size_t offset = MIN(parser->problem_offset, size);
        cmk_diagnostics_error(diagnostics, cmk_diagnostics_position(diagnostics, offset), "%s",
                              problem);
        return;
    }
    const CmkPosition at = cmk_tree_position(parser->problem_mark);
    if (strstr(problem, "cannot start any token") != NULL) {
        report_bad_start(diagnostics, at);
        return;
    }
    const Advice *advice = find_advice(problem, context);
    if (advice == NULL) {
        cmk_diagnostics_error(diagnostics, at, "%s", problem);
        if (context[0] != '\0')
            cmk_diagnostics_note(diagnostics, cmk_tree_position(parser->context_mark),
                                 "%s that begins here", context);
        return;
    }
    cmk_diagnostics_error(diagnostics, at, "%s",
                          advice->message != NULL ? advice->message : problem);
    if (advice->note != NULL && context[0] != '\0')
        cmk_diagnostics_note(diagnostics, cmk_tree_position(parser->context_mark), "%s",
                             advice->note);
    if (advice->hint != NULL)
        cmk_diagnostics_hint(diagnostics, "%s", advice->hint);
}
