/*
 * The YAML tree: what it holds and where, what it refuses and how it says so (each file of the
 * corpus of malformed files with its place and message), limits, and the canonical form.
 */
#include "scenarios/tree.h"

#include <string.h>

#include <criterion/criterion.h>

#include "sim/base.h"

#define CORPUS "tests/corpus/yaml-bad"
#define FILE_SIZE_MAX 1000000

static CmkDiagnostics *new_for(const char *text)
{
    g_autoptr(GBytes) bytes = g_bytes_new(text, strlen(text));
    return cmk_diagnostics_new("f.yaml", bytes);
}

/* The first error of a text, "line:column: message"; NULL if there is none. */
static char *first_error(const CmkDiagnostics *diagnostics)
{
    if (cmk_diagnostics_count(diagnostics) == 0)
        return NULL;
    const CmkDiagnostic *first = cmk_diagnostics_get(diagnostics, 0);
    return g_strdup_printf("%u:%u: %s", first->at.line, first->at.column, first->message);
}

/* The tree of a text that must be good. */
static CmkTree *parse_good(const char *text)
{
    g_autoptr(CmkDiagnostics) diagnostics = new_for(text);
    CmkTree *tree = cmk_tree_parse(diagnostics, NULL);
    g_autofree char *error = first_error(diagnostics);
    cr_assert_null(error, "%s", error);
    cr_assert_not_null(tree);
    return tree;
}

static char *canonical(const CmkNode *node)
{
    GString *out = g_string_new(NULL);
    cmk_node_print(node, out);
    return g_string_free(out, FALSE);
}

/* Appends every node with all that is known of it, one per line, positions only if asked for. */
typedef enum Detail {
    WITHOUT_POSITIONS,
    WITH_POSITIONS
} Detail;

static void dump(const CmkNode *node, Detail detail, uint32_t depth, GString *out)
{
    static const char *const kinds[] = {"scalar", "list", "map"};
    cr_assert_leq(depth, 64);
    const CmkNodeKind kind = cmk_node_kind(node);
    g_string_append_printf(out, "%*s%s", (int)depth, "", kinds[kind]);
    if (detail == WITH_POSITIONS)
        g_string_append_printf(out, " %u:%u", cmk_node_position(node).line,
                               cmk_node_position(node).column);
    if (cmk_node_key(node) != NULL)
        g_string_append_printf(out, " key=<%s>", cmk_node_key(node));
    if (cmk_node_key(node) != NULL && detail == WITH_POSITIONS)
        g_string_append_printf(out, "@%u:%u", cmk_node_key_position(node).line,
                               cmk_node_key_position(node).column);
    if (kind == CMK_NODE_SCALAR) {
        const char *text = cmk_node_text(node);
        g_string_append_printf(out, " <%s>%s", text, cmk_node_is_absent(node) ? " absent" : "");
        if (detail == WITH_POSITIONS)
            g_string_append(out, cmk_node_is_quoted(node) ? " quoted" : "");
    }
    g_string_append_c(out, '\n');
    uint32_t count = 0;
    const CmkNode *item = cmk_node_first(node);
    for (; item != NULL; item = cmk_node_next(item), count++) {
        cr_assert_eq(cmk_node_parent(item), node);
        dump(item, detail, depth + 1, out);
    }
    cr_assert_eq(count, cmk_node_count(node));
}

static char *dumped(const CmkTree *tree, Detail detail)
{
    GString *out = g_string_new(NULL);
    dump(cmk_tree_root(tree), detail, 0, out);
    return g_string_free(out, FALSE);
}

Test(tree, nodes_and_positions)
{
    g_autoptr(CmkTree) tree = parse_good("# comment\n"
                                         "name: \"kv\" # and more\n"
                                         "empty:\n"
                                         "'quoted': ''\n"
                                         "list:\n"
                                         "  - one\n"
                                         "  - {\xC3\xA4: [x, 'y'], b: 2}\n"
                                         "  -\n"
                                         "text: |\n"
                                         "  two\n"
                                         "  lines\n"
                                         "none: []\n");
    g_autofree char *text = dumped(tree, WITH_POSITIONS);
    cr_expect_str_eq(text,
                     "map 2:1\n"
                     " scalar 2:7 key=<name>@2:1 <kv> quoted\n"
                     " scalar 3:7 key=<empty>@3:1 <> absent\n"
                     " scalar 4:11 key=<quoted>@4:1 <> quoted\n"
                     " list 6:3 key=<list>@5:1\n"
                     "  scalar 6:5 <one>\n"
                     "  map 7:5\n"
                     "   list 7:9 key=<\xC3\xA4>@7:6\n"
                     "    scalar 7:10 <x>\n"
                     "    scalar 7:13 <y> quoted\n"
                     "   scalar 7:22 key=<b>@7:19 <2>\n"
                     "  scalar 8:4 <> absent\n"
                     " scalar 9:7 key=<text>@9:1 <two\nlines\n> quoted\n"
                     " list 12:7 key=<none>@12:1\n",
                     "%s", text);
    cr_expect_eq(cmk_tree_count(tree), 14);
    const CmkNode *root = cmk_tree_root(tree);
    cr_expect_null(cmk_node_parent(root));
    cr_expect_null(cmk_node_key(root));
    cr_expect_eq(cmk_node_key_position(root).line, 2);
    cr_expect_str_eq(cmk_node_kind_text(root), "a map");
    const CmkNode *list = cmk_node_get(root, "list");
    cr_expect_str_eq(cmk_node_kind_text(list), "a list");
    cr_expect_str_eq(cmk_node_kind_text(cmk_node_at(list, 0)), "a text");
    cr_expect_str_eq(cmk_node_text(cmk_node_at(list, 0)), "one");
    cr_expect_eq(cmk_node_count(cmk_node_at(list, 1)), 2);
    cr_expect(cmk_node_is_absent(cmk_node_at(list, 2)));
    cr_expect_null(cmk_node_at(list, 3));
    cr_expect_not(cmk_node_is_absent(list));
    cr_expect_null(cmk_node_get(root, "nam"));
    cr_expect_null(cmk_node_get(list, "one")); /* not a map */
}

/* Maps are looked up the same way below and above the size at which they get a hash table. */
Test(tree, lookup_in_maps_of_all_sizes)
{
    for (uint32_t size = 1; size <= 600; size = size < 12 ? size + 1 : size * 7) {
        g_autoptr(GString) text = g_string_new(NULL);
        for (uint32_t i = 0; i < size; i++)
            g_string_append_printf(text, "key-%u: %u\n", i, i * 3);
        g_autoptr(CmkTree) tree = parse_good(text->str);
        const CmkNode *entry = cmk_node_first(cmk_tree_root(tree));
        for (uint32_t i = 0; i < size; i++, entry = cmk_node_next(entry)) {
            g_autofree char *key = g_strdup_printf("key-%u", i);
            g_autofree char *value = g_strdup_printf("%u", i * 3);
            cr_assert_eq(cmk_node_get(cmk_tree_root(tree), key), entry, "size %u, %s", size, key);
            cr_assert_str_eq(cmk_node_text(entry), value);
        }
        cr_assert_null(entry);
        cr_assert_null(cmk_node_get(cmk_tree_root(tree), "key-"), "size %u", size);
        g_string_append_printf(text, "key-%u: again\n", size - 1);
        g_autoptr(CmkDiagnostics) diagnostics = new_for(text->str);
        cr_assert_null(cmk_tree_parse(diagnostics, NULL));
        g_autofree char *error = first_error(diagnostics);
        g_autofree char *expected =
            g_strdup_printf("%u:1: the key `key-%u` is given twice", size + 1, size - 1);
        cr_assert_str_eq(error, expected);
        cr_assert_eq(cmk_diagnostics_get(diagnostics, 0)->note_at.line, size);
    }
}

typedef struct BadRow {
    const char *file;
    const char *error; /* "line:column: message", or its beginning */
    CmkPosition note;  /* line 0: none */
    size_t count;      /* of errors */
} BadRow;

static const BadRow bad_rows[] = {
    {"after-end.yaml", "3:1: text after the end of the document", {0, 0}, 1},
    {"alias.yaml", "2:8: aliases are not accepted: `*first`", {0, 0}, 1},
    {"anchor.yaml", "1:7: anchors are not accepted: `&first`", {0, 0}, 2},
    {"bad-directive.yaml", "1:5: found unknown directive name", {1, 1}, 1},
    {"bad-escape-digits.yaml", "1:10: an escape lacks digits", {0, 0}, 1},
    {"bad-escape-surrogate.yaml", "1:10: the escape does not stand for", {0, 0}, 1},
    {"bad-escape.yaml", "1:9: there is no such escape in double quotes", {0, 0}, 1},
    {"bad-start.yaml", "1:7: a text cannot begin with `@`", {0, 0}, 1},
    {"bad-utf8.yaml", "2:6: the byte 0xE9 is not part of a UTF-8 text", {0, 0}, 1},
    {"bad-version.yaml", "1:1: the version of YAML is not 1.1 or 1.2", {0, 0}, 1},
    {"block-scalar-tab.yaml", "2:1: a tab cannot indent", {0, 0}, 1},
    {"bom-inside.yaml", "2:1: the character U+FEFF is not accepted", {0, 0}, 1},
    {"carriage-return.yaml", "1:8: a carriage return that does not end a line", {0, 0}, 1},
    {"colon-in-text.yaml", "1:8: a colon where no key can be", {0, 0}, 1},
    {"complex-key-map.yaml", "2:1: a key must be a word", {0, 0}, 1},
    {"complex-key.yaml", "1:3: a key must be a word", {0, 0}, 1},
    {"control-byte.yaml", "2:9: the character U+001B is not accepted", {0, 0}, 1},
    {"control-key.yaml", "1:1: a key holds a control character", {0, 0}, 1},
    {"deep-block.yaml", "65:65: nested deeper than 64 levels", {0, 0}, 1},
    {"deep-flow.yaml", "1:65: nested deeper than 64 levels", {0, 0}, 1},
    {"dup-key-many.yaml", "41:1: the key `key-17` is given twice", {18, 1}, 1},
    {"dup-key-quoted.yaml", "1:13: the key `a` is given twice", {1, 7}, 1},
    {"dup-key.yaml", "3:1: the key `name` is given twice", {1, 1}, 1},
    {"empty-key.yaml", "2:1: a key is empty", {0, 0}, 1},
    {"empty.yaml", "0:0: the file holds nothing", {0, 0}, 1},
    {"line-separator.yaml", "1:8: the character U+2028 is not accepted", {0, 0}, 1},
    {"list-on-line.yaml", "1:7: a list cannot begin here", {0, 0}, 1},
    {"long-key.yaml", "1:1: a key is longer than 256 bytes", {0, 0}, 1},
    {"many-errors.yaml", "1:5: anchors are not accepted: `&a0`", {0, 0}, 30},
    {"missing-key.yaml", "2:1: this line does not belong to the map above it", {1, 1}, 1},
    {"missing-key-flow.yaml", "2:7: a key, a value or a closing bracket is missing", {0, 0}, 1},
    {"no-colon.yaml", "3:1: a key without a colon", {2, 1}, 1},
    {"nul-byte.yaml", "2:9: there is a NUL byte", {0, 0}, 1},
    {"nul-escape.yaml", "1:7: a text holds a NUL character", {0, 0}, 1},
    {"only-comment.yaml", "0:0: the file holds nothing", {0, 0}, 1},
    {"only-marker.yaml", "0:0: the file holds nothing", {0, 0}, 1},
    {"overlong-utf8.yaml", "1:8: the byte 0xC0 is not part of a UTF-8 text", {0, 0}, 1},
    {"tab-indent.yaml", "2:1: a tab cannot indent", {0, 0}, 1},
    {"tag-handle.yaml", "1:7: tags (!) are not accepted", {0, 0}, 1},
    {"tag.yaml", "1:7: tags are not accepted: `tag:yaml.org,2002:python", {0, 0}, 2},
    {"two-documents.yaml", "2:1: a second document begins here", {0, 0}, 1},
    {"unclosed-list.yaml", "3:6: a comma or ] is missing", {2, 7}, 1},
    {"unclosed-map.yaml", "3:1: a comma or } is missing", {2, 6}, 1},
    {"unknown-block-header.yaml", "1:8: did not find expected comment or line", {1, 7}, 1},
    {"unterminated-quote.yaml", "4:1: a quoted text is not closed", {2, 8}, 1},
    {"unterminated-single.yaml", "3:1: a quoted text is not closed", {2, 8}, 1},
    {"utf16.yaml", "1:1: the byte 0xFF is not part of a UTF-8 text", {0, 0}, 1},
    {"wrong-indent-list.yaml", "3:2: this line does not belong to the map above", {1, 1}, 1},
    {"wrong-indent.yaml", "3:3: this line does not belong to the map above it", {1, 1}, 1},
};

static void check_bad_file(const BadRow *row)
{
    g_autofree char *path = g_build_filename(CORPUS, row->file, NULL);
    g_autoptr(CmkDiagnostics) diagnostics = cmk_diagnostics_open(path, FILE_SIZE_MAX, NULL);
    cr_assert_not_null(diagnostics, "%s: tests run from the root of the repository", path);
    g_autoptr(CmkTree) tree = cmk_tree_parse(diagnostics, NULL);
    cr_expect_null(tree, "%s", row->file);
    g_autofree char *error = first_error(diagnostics);
    cr_expect(error != NULL && g_str_has_prefix(error, row->error), "%s: %s", row->file, error);
    cr_expect_eq(cmk_diagnostics_count(diagnostics), row->count, "%s: %zu errors", row->file,
                 cmk_diagnostics_count(diagnostics));
    const CmkDiagnostic *first = cmk_diagnostics_get(diagnostics, 0);
    cr_expect(first->note_at.line == row->note.line && first->note_at.column == row->note.column,
              "%s: the note is at %u:%u", row->file, first->note_at.line, first->note_at.column);
    cr_expect_eq(first->note != NULL, row->note.line > 0, "%s", row->file);
    g_autoptr(GString) out = g_string_new(NULL);
    cmk_diagnostics_print(diagnostics, out);
    cr_expect(g_utf8_validate(out->str, (gssize)out->len, NULL), "%s", row->file);
}

Test(tree, refuses_the_corpus)
{
    g_autoptr(GDir) directory = g_dir_open(CORPUS, 0, NULL);
    cr_assert_not_null(directory, "tests run from the root of the repository");
    size_t count = 0;
    while (g_dir_read_name(directory) != NULL)
        count++;
    cr_expect_eq(count, CMK_ARRAY_LEN(bad_rows), "%zu files, %zu rows", count,
                 CMK_ARRAY_LEN(bad_rows));
    for (size_t i = 0; i < CMK_ARRAY_LEN(bad_rows); i++)
        check_bad_file(&bad_rows[i]);
}

typedef struct HintRow {
    const char *text;
    const char *hint;
} HintRow;

Test(tree, hints)
{
    static const HintRow rows[] = {
        {"a: b: c\n", "quotes"},
        {"a:\n\tb: c\n", "use spaces"},
        {"a: *b\n", "put a text that begins with * in quotes"},
        {"a: &b\n", "put a text that begins with & in quotes"},
        {"a: !b c\n", "put a text that begins with ! in quotes"},
        {"a: %b\n", "put it in quotes"},
        {"a: \"\\d\"\n", "single quotes"},
        {"a: 'b\n", "close it"},
        {"a: b\n---\n", "one document"},
        {"a: \x01\n", "\\u0001"},
        {"a: b\rc: d\n", "LF or CR LF"},
        {"a: \xFF\n", "save the file as UTF-8"},
        {"\xFF\xFE"
         "a",
         "looks like UTF-16"},
        {"\xFE\xFF"
         "a",
         "looks like UTF-16"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        g_autoptr(CmkDiagnostics) diagnostics = new_for(rows[i].text);
        cr_assert_null(cmk_tree_parse(diagnostics, NULL), "%s", rows[i].text);
        const char *hint = cmk_diagnostics_get(diagnostics, 0)->hint;
        cr_expect(hint != NULL && strstr(hint, rows[i].hint) != NULL, "%s: %s", rows[i].text, hint);
    }
}

/* Whether a text is accepted within limits. */
static bool is_within(const char *text, CmkTreeLimits limits)
{
    g_autoptr(CmkDiagnostics) diagnostics = new_for(text);
    g_autoptr(CmkTree) tree = cmk_tree_parse(diagnostics, &limits);
    cr_assert_eq(tree == NULL, cmk_diagnostics_count(diagnostics) > 0);
    return tree != NULL;
}

Test(tree, limits)
{
    const char *const text = "a: [b, {c: d}]\n"; /* 15 bytes, 5 nodes, depth 4 */
    const CmkTreeLimits enough = {.bytes_max = 15, .nodes_max = 5, .depth_max = 4};
    cr_expect(is_within(text, enough));
    CmkTreeLimits limits = enough;
    limits.bytes_max--;
    cr_expect_not(is_within(text, limits));
    limits = enough;
    limits.nodes_max--;
    cr_expect_not(is_within(text, limits));
    limits = enough;
    limits.depth_max--;
    cr_expect_not(is_within(text, limits));

    g_autofree char *key = g_strnfill(CMK_TREE_KEY_SIZE_MAX, 'k');
    g_autofree char *long_key = g_strconcat(key, ": v\n", NULL);
    g_autoptr(CmkTree) tree = parse_good(long_key);
    cr_expect_not_null(cmk_node_get(cmk_tree_root(tree), key));
    cmk_tree_free(NULL);
}

/* The time of these is bounded by the limits: each would take minutes or all memory otherwise. */
Test(tree, large_inputs, .timeout = 20)
{
    g_autofree char *open = g_strnfill(3000000, '[');
    const CmkTreeLimits limits = cmk_tree_limits_default();
    cr_expect_not(is_within(open, limits));
    g_autofree char *braces = g_strnfill(3000000, '{');
    cr_expect_not(is_within(braces, limits));
    g_autofree char *dashes = g_strnfill(3000000, '-');
    for (size_t i = 1; i < 3000000; i += 2)
        dashes[i] = ' ';
    cr_expect_not(is_within(dashes, limits));
    g_autofree char *word = g_strnfill(3000000, 'x');
    cr_expect(is_within(word, limits));
    g_autoptr(GString) wide = g_string_new("[");
    for (size_t i = 0; i < 100000; i++)
        g_string_append(wide, i % 100 == 99 ? "1,\n" : "1,");
    g_string_append(wide, "]");
    cr_expect(is_within(wide->str, limits));
    g_autoptr(GString) keys = g_string_new(NULL);
    for (size_t i = 0; i < 50000; i++)
        g_string_append_printf(keys, "k%zu:\n", i);
    cr_expect(is_within(keys->str, limits));
}

/* A collector with errors of its own does not spoil the reading of a good text. */
Test(tree, earlier_errors_do_not_count)
{
    g_autoptr(CmkDiagnostics) diagnostics = new_for("\xEF\xBB\xBF"
                                                    "a: b\r\nc: d\r\n");
    cmk_diagnostics_error(diagnostics, (CmkPosition){0, 0}, "earlier");
    g_autoptr(CmkTree) tree = cmk_tree_parse(diagnostics, NULL);
    cr_assert_not_null(tree);
    cr_expect_eq(cmk_diagnostics_count(diagnostics), 1);
    g_autofree char *text = dumped(tree, WITH_POSITIONS);
    cr_expect_str_eq(text, "map 1:1\n scalar 1:4 key=<a>@1:1 <b>\n scalar 2:4 key=<c>@2:1 <d>\n");
}

typedef struct CanonicalRow {
    const char *text;
    const char *canonical;
} CanonicalRow;

static const CanonicalRow canonical_rows[] = {
    {"b: 1\na: 2 # comment\n", "b: 1\na: 2\n"},
    {"{b: 1, a: [x, y]}\n", "b: 1\na:\n  - x\n  - y\n"},
    {"a:\n- x\n- y\n", "a:\n  - x\n  - y\n"},
    {"- name: a\n  list: [1, [2, 3], []]\n- {}\n- \n- x\n",
     "- name: a\n  list:\n    - 1\n    - - 2\n      - 3\n    - []\n- {}\n-\n- x\n"},
    {"- - - a\n    - b\n  - c\n", "- - - a\n    - b\n  - c\n"},
    {"- {a: {b: c, d: e}, f: g}\n", "- a:\n    b: c\n    d: e\n  f: g\n"},
    {"a: {b: {c: {}}}\nd: e\n", "a:\n  b:\n    c: {}\nd: e\n"},
    {"a: 'v'\nb: \"w\"\nc: x\nd: 'y'\ne: y\n", "a: v\nb: w\nc: x\nd: \"y\"\ne: y\n"},
    {"a: '1'\nb: 1\n", "a: \"1\"\nb: 1\n"},
    {"a: 'true'\nb: true\nc: 'No'\n", "a: \"true\"\nb: true\nc: \"No\"\n"},
    {"a: ''\nb:\nc: ~\nd: '~'\n", "a: \"\"\nb:\nc: ~\nd: \"~\"\n"},
    {"a: '7d'\nb: '1.5e3'\nc: '0x1F'\nd: '0x'\ne: '.5'\nf: '1e'\ng: '-.inf'\nh: '+'\n",
     "a: 7d\nb: \"1.5e3\"\nc: \"0x1F\"\nd: 0x\ne: \".5\"\nf: 1e\ng: \"-.inf\"\nh: +\n"},
    {"a: |\n  two\n  lines\nb: >\n  one\n  line\n", "a: \"two\\nlines\\n\"\nb: \"one line\\n\"\n"},
    {"a: plain\n  over two lines\n", "a: plain over two lines\n"},
    {"a: 'x: y'\nb: 'x #y'\nc: 'x:y#z'\nd: ' x'\ne: 'x '\nf: 'x:'\n",
     "a: \"x: y\"\nb: \"x #y\"\nc: x:y#z\nd: \" x\"\ne: \"x \"\nf: \"x:\"\n"},
    {"a: '- x'\nb: -x\nc: '-'\nd: '--- x'\ne: '...'\nf: -5\n",
     "a: \"- x\"\nb: -x\nc: \"-\"\nd: \"--- x\"\ne: \"...\"\nf: -5\n"},
    {"a: '*x'\nb: '&x'\nc: '!x'\nd: '@x'\ne: '%x'\nf: '[x'\ng: x, y] z}\n",
     "a: \"*x\"\nb: \"&x\"\nc: \"!x\"\nd: \"@x\"\ne: \"%x\"\nf: \"[x\"\ng: x, y] z}\n"},
    {"a: \"q\\\" b\\\\ t\\t r\\r e\\e n\\x85 s\\u2028 f\\uFEFF\"\n",
     "a: \"q\\\" b\\\\ t\\t r\\x0D e\\x1B n\\x85 s\\u2028 f\\uFEFF\"\n"},
    {"a: \"\\u00e4\\U0001F600\"\n", "a: \xC3\xA4\xF0\x9F\x98\x80\n"},
    {"'x: y': 1\n'1': 2\n\"true\": 3\n'-': 4\n", "\"x: y\": 1\n1: 2\ntrue: 3\n\"-\": 4\n"},
    {"--- # start\na: b\n...\n", "a: b\n"},
    {"text\n", "text\n"},
    {"'1'\n", "\"1\"\n"},
    {"[]\n", "[]\n"},
    {"[a]\n", "- a\n"},
};

Test(tree, canonical_form)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(canonical_rows); i++) {
        const CanonicalRow *row = &canonical_rows[i];
        g_autoptr(CmkTree) tree = parse_good(row->text);
        g_autofree char *once = canonical(cmk_tree_root(tree));
        cr_expect_str_eq(once, row->canonical, "got\n%s\nand not\n%s", once, row->canonical);
        g_autoptr(CmkTree) again = parse_good(once);
        g_autofree char *twice = canonical(cmk_tree_root(again));
        cr_expect_str_eq(twice, once, "printing is not stable:\n%s", once);
        g_autofree char *nodes = dumped(tree, WITHOUT_POSITIONS);
        g_autofree char *nodes_again = dumped(again, WITHOUT_POSITIONS);
        cr_expect_str_eq(nodes_again, nodes, "printing loses something:\n%s", once);
    }
}

/* A part of a tree is printed as if it were a tree of its own, wherever it stands. */
Test(tree, canonical_form_of_a_part)
{
    g_autoptr(CmkTree) tree = parse_good("a:\n  - {b: [c, {d: e}], f: g}\n  - h\nz: z\n");
    const CmkNode *list = cmk_node_get(cmk_tree_root(tree), "a");
    g_autofree char *list_text = canonical(list);
    cr_expect_str_eq(list_text, "- b:\n    - c\n    - d: e\n  f: g\n- h\n");
    g_autofree char *map_text = canonical(cmk_node_at(list, 0));
    cr_expect_str_eq(map_text, "b:\n  - c\n  - d: e\nf: g\n");
    g_autofree char *scalar_text = canonical(cmk_node_at(list, 1));
    cr_expect_str_eq(scalar_text, "h\n");
}

/* Random trees, printed and read back. The generator is a fixed one, so failures repeat. */
static uint32_t draw(uint64_t *state, uint32_t limit)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33) % limit;
}

static void add_random_text(uint64_t *state, GString *out)
{
    static const char *const parts[] = {
        "a",        "b",       " ", ":",   "#",     "-", "'",  "\\\"", "\\\\", "\\n",   "1",  ".",
        "[",        "}",       ",", "\\t", "\\x85", "~", "?",  "|",    ">",    "%",     "@",  "`",
        "\xC3\xA4", "\\u2028", "!", "&",   "*",     "=", "<<", "e",    "true", "\\x7F", "\\r"};
    g_string_append_c(out, '"');
    for (uint32_t length = draw(state, 5); length > 0; length--)
        g_string_append(out, parts[draw(state, CMK_ARRAY_LEN(parts))]);
    g_string_append_c(out, '"');
}

/* Flow style, all texts in double quotes. */
static void add_random_value(uint64_t *state, uint32_t depth, GString *out)
{
    const uint32_t kind = depth == 0 ? 0 : draw(state, 3);
    if (kind == 0) {
        add_random_text(state, out);
        return;
    }
    g_string_append(out, kind == 1 ? "[" : "{");
    const uint32_t count = draw(state, 4);
    for (uint32_t i = 0; i < count; i++) {
        if (kind == 2)
            g_string_append_printf(out, "k%u%s: ", i, draw(state, 2) == 0 ? ":x" : "");
        add_random_value(state, depth - 1, out);
        g_string_append(out, ",");
    }
    g_string_append(out, kind == 1 ? "]" : "}");
}

Test(tree, random_trees_survive_printing)
{
    uint64_t state = 20250303;
    for (uint32_t round = 0; round < 3000; round++) {
        g_autoptr(GString) text = g_string_new(NULL);
        add_random_value(&state, 1 + round % 5, text);
        g_autoptr(CmkTree) tree = parse_good(text->str);
        g_autofree char *once = canonical(cmk_tree_root(tree));
        g_autoptr(CmkTree) again = parse_good(once);
        g_autofree char *nodes = dumped(tree, WITHOUT_POSITIONS);
        g_autofree char *nodes_again = dumped(again, WITHOUT_POSITIONS);
        cr_assert_str_eq(nodes_again, nodes, "%s\n%s", text->str, once);
        g_autofree char *twice = canonical(cmk_tree_root(again));
        cr_assert_str_eq(twice, once);
    }
}
