/* The canonical form of a tree. */
#include <string.h>

#include <glib.h>

#include "scenarios/tree.h"
#include "scenarios/tree_nodes.h"
#include "scenarios/tree_text.h"
#include "sim/base.h"

#define INDENT 2

static const char *skip_digits(const char *text)
{
    while (g_ascii_isdigit(*text))
        text++;
    return text;
}

/* Whether YAML's core schema reads a plain text as a number. */
static bool looks_like_number(const char *text)
{
    if (g_str_has_prefix(text, "0x"))
        return text[2] != '\0' && text[2 + strspn(text + 2, "0123456789abcdefABCDEF")] == '\0';
    if (g_str_has_prefix(text, "0o"))
        return text[2] != '\0' && text[2 + strspn(text + 2, "01234567")] == '\0';
    if (*text == '+' || *text == '-')
        text++;
    const char *end = skip_digits(text);
    bool has_digits = end != text;
    if (*end == '.') {
        const char *fraction = end + 1;
        end = skip_digits(fraction);
        has_digits = has_digits || end != fraction;
    }
    if (!has_digits)
        return g_ascii_strcasecmp(text, ".inf") == 0 || g_ascii_strcasecmp(text, ".nan") == 0;
    if (*end == 'e' || *end == 'E') {
        const char *exponent = end + 1;
        if (*exponent == '+' || *exponent == '-')
            exponent++;
        end = skip_digits(exponent);
        if (end == exponent)
            return false;
    }
    return *end == '\0';
}

/* Whether some YAML reader takes a plain text for something else than a text. */
static bool is_ambiguous(const char *text)
{
    static const char *const words[] = {"true", "false", "null", "~", "yes",
                                        "no",   "on",    "off",  "y", "n"};
    for (size_t i = 0; i < CMK_ARRAY_LEN(words); i++)
        if (g_ascii_strcasecmp(text, words[i]) == 0)
            return true;
    return looks_like_number(text);
}

/* Whether plain text reads back as the same text, as a key or as a value of block style. */
static bool is_plain_safe(const char *text)
{
    const size_t size = strlen(text);
    if (size == 0 || strchr("?:,[]{}#&*!|>'\"%@` ", text[0]) != NULL)
        return false;
    if (text[0] == '-' && (text[1] == ' ' || text[1] == '\0' || text[1] == '-'))
        return false;
    if (g_str_has_prefix(text, "...") || strstr(text, ": ") != NULL || strstr(text, " #") != NULL)
        return false;
    if (text[size - 1] == ' ' || text[size - 1] == ':')
        return false;
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < 0x20)
            return false;
    g_autofree gunichar *characters = g_utf8_to_ucs4_fast(text, -1, NULL);
    for (size_t i = 0; characters[i] != 0; i++)
        if (!cmk_tree_accepts(characters[i]))
            return false;
    return true;
}

static void print_quoted(const char *text, GString *out)
{
    g_autofree gunichar *characters = g_utf8_to_ucs4_fast(text, -1, NULL);
    g_string_append_c(out, '"');
    for (size_t i = 0; characters[i] != 0; i++) {
        const gunichar c = characters[i];
        if (c == '"' || c == '\\')
            g_string_append_printf(out, "\\%c", (char)c);
        else if (c == '\n')
            g_string_append(out, "\\n");
        else if (c == '\t')
            g_string_append(out, "\\t");
        else if (c != '\r' && cmk_tree_accepts(c))
            g_string_append_unichar(out, c);
        else
            g_string_append_printf(out, c <= 0xFF ? "\\x%02X" : "\\u%04X", c);
    }
    g_string_append_c(out, '"');
}

static void print_scalar(const CmkNode *scalar, GString *out)
{
    if (cmk_node_is_absent(scalar))
        return;
    if (is_plain_safe(scalar->text) && !(scalar->is_quoted && is_ambiguous(scalar->text)))
        g_string_append(out, scalar->text);
    else
        print_quoted(scalar->text, out);
}

static void print_indent(uint32_t level, GString *out)
{
    for (uint32_t i = 0; i < level * INDENT; i++)
        g_string_append_c(out, ' ');
}

/* Prints what stands before the node's own content: "key:" or "-". The first item of a list in a
 * list and the first entry of a map in a list stand on the line of the dash. */
static void print_lead(const CmkNode *node, const CmkNode *top, uint32_t level, GString *out)
{
    if (node == top)
        return;
    const CmkNode *parent = node->parent;
    const bool is_beside_dash =
        node == parent->first && parent != top && parent->parent->kind == CMK_NODE_SEQUENCE;
    if (is_beside_dash)
        g_string_append_c(out, ' ');
    else
        print_indent(level, out);
    if (parent->kind == CMK_NODE_SEQUENCE) {
        g_string_append_c(out, '-');
        return;
    }
    if (is_plain_safe(node->key))
        g_string_append(out, node->key);
    else
        print_quoted(node->key, out);
    g_string_append_c(out, ':');
}

/* Prints the lead of a node and, if it has no items, all of it. */
static void print_head(const CmkNode *node, const CmkNode *top, uint32_t level, GString *out)
{
    print_lead(node, top, level, out);
    if (node->first != NULL) {
        const bool is_item = node != top && node->parent->kind == CMK_NODE_SEQUENCE;
        if (node != top && !is_item)
            g_string_append_c(out, '\n');
        return;
    }
    if (node != top && !cmk_node_is_absent(node))
        g_string_append_c(out, ' ');
    if (node->kind == CMK_NODE_SCALAR)
        print_scalar(node, out);
    else
        g_string_append(out, node->kind == CMK_NODE_MAP ? "{}" : "[]");
    g_string_append_c(out, '\n');
}

void cmk_node_print(const CmkNode *node, GString *out)
{
    uint32_t level = 0; /* of the items of the node at hand's parent */
    const CmkNode *at = node;
    for (;;) { /* visits each node below `node` once, parents first */
        print_head(at, node, level, out);
        if (at->first != NULL) {
            level += at == node ? 0 : 1;
            at = at->first;
            continue;
        }
        while (at != node && at->next == NULL) {
            at = at->parent;
            level -= at == node ? 0 : 1;
        }
        if (at == node)
            return;
        at = at->next;
    }
}
