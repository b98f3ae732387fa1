/* What a person sees of an error: place, line, caret, second place, hint; and the spelling helper.
 */
#include "scenarios/diagnostic.h"

#include <string.h>

#include <criterion/criterion.h>
#include <glib/gstdio.h>

#include "sim/base.h"

static CmkDiagnostics *new_for(const char *text, size_t size)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, size);
    return cmk_diagnostics_new("f.yaml", bytes);
}

static char *printed(const CmkDiagnostics *diagnostics)
{
    GString *out = g_string_new(NULL);
    cmk_diagnostics_print(diagnostics, out);
    return g_string_free(out, FALSE);
}

typedef struct PrintRow {
    const char *text;
    CmkPosition at;
    const char *expected; /* after "f.yaml" */
} PrintRow;

#define X60 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X59 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define S60 "                                                            "

static const PrintRow print_rows[] = {
    {"name: a\n", {1, 7}, ":1:7: error: bad\n  name: a\n        ^\n"},
    {"name: a", {1, 8}, ":1:8: error: bad\n  name: a\n         ^\n"},
    {"one\ntwo\nthree\n", {2, 1}, ":2:1: error: bad\n  two\n  ^\n"},
    {"one\r\ntwo\r\n", {2, 3}, ":2:3: error: bad\n  two\n    ^\n"},
    {"one\r\ntwo\r\n", {1, 1}, ":1:1: error: bad\n  one\n  ^\n"},
    {"a\n\n", {2, 1}, ":2:1: error: bad\n"}, /* nothing to show */
    {"a\n", {9, 1}, ":9:1: error: bad\n"},   /* beyond the text */
    {"", {1, 1}, ":1:1: error: bad\n"},
    {"a\n", {0, 0}, ": error: bad\n"},            /* the whole file */
    {"abc\n", {1, 0}, ":1: error: bad\n  abc\n"}, /* the whole line */
    {"\ta:\tb\n", {1, 5}, ":1:5: error: bad\n  \ta:\tb\n  \t  \t^\n"},
    {"\xC3\xA4\xC3\xB6: b\n", {1, 5}, ":1:5: error: bad\n  \xC3\xA4\xC3\xB6: b\n      ^\n"},
    {"\xE6\x97\xA5: b\n", {1, 4}, ":1:4: error: bad\n  \xE6\x97\xA5: b\n      ^\n"}, /* wide */
    {"e\xCC\x81: b\n", {1, 5}, ":1:5: error: bad\n  e\xCC\x81: b\n     ^\n"}, /* combining accent */
    {"\xEF\xBB\xBF"
     "a: b\n",
     {1, 4},
     ":1:4: error: bad\n  a: b\n     ^\n"}, /* byte order mark */
    {"a\xFF"
     "b: c\n",
     {1, 3},
     ":1:3: error: bad\n  a\xEF\xBF\xBD"
     "b: c\n    ^\n"},
    {"a\xE2\x82: c\n", {1, 3}, ":1:3: error: bad\n  a\xEF\xBF\xBD: c\n    ^\n"},
    {"a\x1B[2J: c\n", {1, 3}, ":1:3: error: bad\n  a\xEF\xBF\xBD[2J: c\n    ^\n"},
    {"a\xE2\x80\xAE"
     "b\n",
     {1, 3},
     ":1:3: error: bad\n  a\xEF\xBF\xBD"
     "b\n    ^\n"}, /* RLO */
    {X60 X60 "\n", {1, 1}, ":1:1: error: bad\n  " X60 X60 "\n  ^\n"},
    {X60 X60 "y\n", {1, 1}, ":1:1: error: bad\n  " X60 X60 "...\n  ^\n"},
    {X60 "y" X60 "z\n", {1, 61}, ":1:61: error: bad\n  " X60 "y" X59 "...\n  " S60 "^\n"},
    {"z" X60 "y" X60 "z\n", {1, 62}, ":1:62: error: bad\n  ..." X60 "y" X59 "...\n     " S60 "^\n"},
};

Test(diagnostic, prints_place_line_and_caret)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(print_rows); i++) {
        const PrintRow *row = &print_rows[i];
        g_autoptr(CmkDiagnostics) diagnostics = new_for(row->text, strlen(row->text));
        cmk_diagnostics_error(diagnostics, row->at, "bad");
        g_autofree char *text = printed(diagnostics);
        g_autofree char *expected = g_strconcat("f.yaml", row->expected, NULL);
        cr_expect_str_eq(text, expected, "row %zu: got\n%sand not\n%s", i, text, expected);
        cr_expect(g_utf8_validate(text, -1, NULL), "row %zu", i);
    }
}

Test(diagnostic, note_and_hint)
{
    g_autoptr(CmkDiagnostics) diagnostics = new_for("a: 1\nb: 2\na: 3\n", 15);
    cmk_diagnostics_error(diagnostics, (CmkPosition){3, 1}, "the key `%s` is given twice", "a");
    cmk_diagnostics_note(diagnostics, (CmkPosition){2, 1}, "replaced");
    cmk_diagnostics_note(diagnostics, (CmkPosition){1, 1}, "first %s", "here");
    cmk_diagnostics_hint(diagnostics, "replaced");
    cmk_diagnostics_hint(diagnostics, "drop %d", 1);
    cmk_diagnostics_error(diagnostics, (CmkPosition){2, 4}, "second");
    g_autofree char *text = printed(diagnostics);
    cr_expect_str_eq(text, "f.yaml:3:1: error: the key `a` is given twice\n  a: 3\n  ^\n"
                           "f.yaml:1:1: note: first here\n  a: 1\n  ^\n"
                           "  hint: drop 1\n"
                           "f.yaml:2:4: error: second\n  b: 2\n     ^\n");
    const CmkDiagnostic *first = cmk_diagnostics_get(diagnostics, 0);
    cr_expect_eq(first->at.line, 3);
    cr_expect_eq(first->note_at.line, 1);
    cr_expect_str_eq(first->hint, "drop 1");
    cr_expect_null(cmk_diagnostics_get(diagnostics, 1)->hint);
}

/* Nothing that comes from a file reaches the terminal as it is. */
Test(diagnostic, messages_are_clean)
{
    g_autoptr(GBytes) bytes = g_bytes_new_static("", 0);
    g_autoptr(CmkDiagnostics) diagnostics = cmk_diagnostics_new("x\x1B.yaml", bytes);
    cmk_diagnostics_error(diagnostics, (CmkPosition){0, 0}, "%s", "a\nb\x1B[m\xFF");
    g_autofree char *text = printed(diagnostics);
    cr_expect_str_eq(text, "x<U+001B>.yaml: error: a<U+000A>b<U+001B>[m\xEF\xBF\xBD\n");
}

Test(diagnostic, keeps_twenty)
{
    static const char *const ends[] = {"", "f.yaml: and 1 more error\n",
                                       "f.yaml: and 2 more errors\n"};
    for (size_t more = 0; more < CMK_ARRAY_LEN(ends); more++) {
        g_autoptr(CmkDiagnostics) diagnostics = new_for("a\n", 2);
        for (size_t i = 0; i < CMK_DIAGNOSTICS_MAX + more; i++) {
            cmk_diagnostics_error(diagnostics, (CmkPosition){0, 0}, "no. %zu", i);
            cmk_diagnostics_note(diagnostics, (CmkPosition){0, 0}, "note %zu", i);
            cmk_diagnostics_hint(diagnostics, "hint %zu", i);
        }
        cr_expect_eq(cmk_diagnostics_count(diagnostics), CMK_DIAGNOSTICS_MAX + more);
        cr_expect_eq(cmk_diagnostics_kept(diagnostics), CMK_DIAGNOSTICS_MAX);
        g_autofree char *text = printed(diagnostics);
        g_autofree char *last = g_strconcat("f.yaml: error: no. 19\nf.yaml: note: note 19\n"
                                            "  hint: hint 19\n",
                                            ends[more], NULL);
        cr_expect(g_str_has_suffix(text, last), "%s", text);
    }
}

Test(diagnostic, position_of_a_byte)
{
    static const char text[] = "\xEF\xBB\xBF"
                               "a\xC3\xA4:\r\n\tb\n";
    static const CmkPosition expected[] = {{1, 1}, {1, 2}, {1, 3}, {1, 3}, {1, 4},
                                           {1, 5}, {2, 1}, {2, 2}, {2, 3}, {3, 1}};
    g_autoptr(CmkDiagnostics) diagnostics = new_for(text, sizeof(text) - 1);
    size_t size = 0;
    cr_expect_eq(cmk_diagnostics_text(diagnostics, &size)[0], 'a');
    cr_assert_eq(size, CMK_ARRAY_LEN(expected) - 1);
    for (size_t i = 0; i <= size; i++) {
        const CmkPosition at = cmk_diagnostics_position(diagnostics, i);
        if (i == 2) /* inside a character: counts as behind its first byte */
            continue;
        cr_expect(at.line == expected[i].line && at.column == expected[i].column,
                  "byte %zu is at %u:%u", i, at.line, at.column);
    }
}

Test(diagnostic, open)
{
    g_autoptr(GError) error = NULL;
    cr_expect_null(cmk_diagnostics_open("tests/corpus/no-such-file", 100, &error));
    cr_assert_not_null(error);
    cr_expect(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_NOENT), "%s", error->message);
    cr_expect_not_null(strstr(error->message, "tests/corpus/no-such-file"));
    g_clear_error(&error);
    cr_expect_null(cmk_diagnostics_open("tests", 100, &error)); /* a directory */
    cr_expect(g_error_matches(error, G_FILE_ERROR, G_FILE_ERROR_ISDIR), "%s", error->message);
    g_clear_error(&error);
    cr_expect_null(cmk_diagnostics_open("/dev/zero", 100000, &error)); /* has no end */
    cr_assert_not_null(error);
    cr_expect_not_null(strstr(error->message, "larger than 100000 bytes"));
    g_clear_error(&error);

    g_autofree char *path = NULL;
    const gint file = g_file_open_tmp("cmksim-XXXXXX", &path, &error);
    cr_assert_geq(file, 0);
    g_close(file, NULL);
    for (size_t size = 0; size <= 101; size++) {
        char content[101];
        memset(content, 'x', sizeof(content));
        cr_assert(g_file_set_contents(path, content, (gssize)size, NULL));
        g_autoptr(CmkDiagnostics) diagnostics = cmk_diagnostics_open(path, 100, &error);
        cr_expect_eq(diagnostics != NULL, size <= 100, "size %zu", size);
        if (diagnostics != NULL) {
            size_t read = 0;
            cmk_diagnostics_text(diagnostics, &read);
            cr_expect_eq(read, size);
            cr_expect_str_eq(cmk_diagnostics_name(diagnostics), path);
        }
        g_clear_error(&error);
    }
    cr_expect_eq(g_unlink(path), 0);
    cmk_diagnostics_free(NULL);
}

typedef struct SuggestRow {
    const char *word;
    const char *expected; /* NULL: nothing near */
} SuggestRow;

Test(diagnostic, suggest)
{
    static const char *const candidates[] = {
        "purge_protection",      "permission_model", "name", "region", "key", "keys", "do",
        "soft_delete_retention", "purge_scheduled"};
    static const SuggestRow rows[] = {
        {"purge_protection", "purge_protection"},
        {"purge_protectoin", "purge_protection"}, /* two neighbours swapped is one slip */
        {"purgeprotection", "purge_protection"},
        {"purge-protection", "purge_protection"},
        {"PurgeProtection", "purge_protection"},
        {"purge_protections", "purge_protection"},
        {"purg_protecton", "purge_protection"},
        {"pourge_protectiom", "purge_protection"},
        {"burge_brodection", "purge_protection"}, /* three slips */
        {"burge_brodectiom", NULL},               /* four */
        {"Name", "name"},
        {"nmae", "name"},
        {"nane", "name"},
        {"naem", "name"},
        {"mane", NULL}, /* two slips in four letters: a and m are not neighbours of the swap */
        {"regoin", "region"},
        {"region", "region"},
        {"kye", "key"},
        {"keyz", "key"}, /* the first of equally near ones */
        {"DO", "do"},
        {"od", NULL}, /* too short for a slip */
        {"", NULL},
        {"xyz", NULL},
        {"soft_delete", "soft_delete_retention"}, /* the only one that begins so */
        {"Perm", "permission_model"},
        {"purge", NULL}, /* two begin so */
        {"per", NULL},   /* too short to say anything */
        {"protection", NULL},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        const char *found = cmk_suggest(rows[i].word, candidates, CMK_ARRAY_LEN(candidates));
        if (rows[i].expected == NULL)
            cr_expect_null(found, "`%s`: %s", rows[i].word, found);
        else
            cr_expect(found != NULL && strcmp(found, rows[i].expected) == 0, "`%s`: %s",
                      rows[i].word, found == NULL ? "nothing" : found);
    }
    cr_expect_null(cmk_suggest("name", NULL, 0));
    char words[2][66];
    for (size_t size = 63; size <= 65; size++) { /* the longest that are compared: 64 */
        memset(words, 'x', sizeof(words));
        words[0][size] = words[1][size] = '\0';
        words[0][0] = 'y';
        const char *const one[] = {words[1]};
        cr_expect_eq(cmk_suggest(words[0], one, 1), size <= 64 ? words[1] : NULL, "%zu", size);
    }
}

Test(diagnostic, hint_word)
{
    static const char *const words[] = {"rbac", "access-policy"};
    static const char *const many[21] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k",
                                         "l", "m", "n", "o", "p", "q", "r", "s", "t", "u"};
    g_autoptr(CmkDiagnostics) diagnostics = new_for("", 0);
    const CmkPosition at = {0, 0};
    cmk_diagnostics_error(diagnostics, at, "0");
    cmk_diagnostics_hint_word(diagnostics, "access_polcy", words, 2);
    cmk_diagnostics_error(diagnostics, at, "1");
    cmk_diagnostics_hint_word(diagnostics, "something", words, 2);
    cmk_diagnostics_error(diagnostics, at, "2");
    cmk_diagnostics_hint_word(diagnostics, "something", words, 1);
    cmk_diagnostics_error(diagnostics, at, "3");
    cmk_diagnostics_hint_word(diagnostics, "something", words, 0);
    cmk_diagnostics_error(diagnostics, at, "4");
    cmk_diagnostics_hint_word(diagnostics, "something", many, 21);
    cmk_diagnostics_error(diagnostics, at, "5");
    cmk_diagnostics_hint_word(diagnostics, "something", many, 20);
    static const char *const hints[] = {
        "did you mean `access-policy`?",
        "possible are `rbac`, `access-policy`",
        "possible is `rbac`",
        NULL,
        NULL,
        "possible are `a`, `b`, `c`, `d`, `e`, `f`, `g`, `h`, `i`, `j`, `k`, `l`, `m`, `n`, `o`, "
        "`p`, `q`, `r`, `s`, `t`"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(hints); i++) {
        const char *hint = cmk_diagnostics_get(diagnostics, i)->hint;
        cr_expect_eq(g_strcmp0(hint, hints[i]), 0, "%zu: %s", i, hint);
    }
}
