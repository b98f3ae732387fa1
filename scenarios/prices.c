#include "scenarios/prices.h"

#include <string.h>

#include "scenarios/estate.h"
#include "scenarios/quantity.h"

#define FORMAT_VERSION 1
/* More than a book with all lines there can be. */
#define FILE_SIZE_MAX ((size_t)1 << 20)
#define NANOS_PER_ONE INT64_C(1000000000)

/* ---- the language of the file ---------------------------------------------------------------- */

typedef struct BookItem {
    const CmkNode *node;
    int64_t version;
    const CmkNode *name;
    const CmkNode *date;
    uint32_t currency;
    uint32_t reserved;
    const CmkNode *prices;
} BookItem;

static const char *const currency_words[] = {"USD", NULL};
static const CmkVocabulary currencies = {.what = "a currency of the model",
                                         .words = currency_words};

static const CmkField book_rows[] = {
    {.name = "cmksim_prices",
     .doc = "the version of the format of price books, 1",
     .type = CMK_FIELD_INTEGER,
     .is_required = true,
     .offset = offsetof(BookItem, version),
     .min = FORMAT_VERSION,
     .max = FORMAT_VERSION},
    {.name = "name",
     .doc = "the name of the price book",
     .type = CMK_FIELD_NAME,
     .is_required = true,
     .offset = offsetof(BookItem, name),
     .min = 1,
     .max = CMK_PRICE_BOOK_NAME_SIZE - 1,
     .also = "-_"},
    {.name = "date",
     .doc = "when these prices held: 2026-01-01",
     .type = CMK_FIELD_NAME,
     .offset = offsetof(BookItem, date),
     .min = 1,
     .max = CMK_PRICE_BOOK_DATE_SIZE - 1,
     .also = "-"},
    {.name = "currency",
     .doc = "the currency of all prices, USD",
     .type = CMK_FIELD_WORD,
     .is_required = true,
     .offset = offsetof(BookItem, currency),
     .vocabulary = &currencies},
    {.name = "prices",
     .doc = "the prices that are not as by default: vault_tier_grs: 0.0448 USD/GB-month",
     .type = CMK_FIELD_NODE,
     .is_required = true,
     .offset = offsetof(BookItem, prices)},
};
static CMK_FIELDS(book_fields, BookItem, "a price book", book_rows);

static bool price_find(const char *word, uint32_t *ret_value)
{
    const CmkPriceId price = cmk_price_find(word, strlen(word));
    if (price != CMK_PRICE__COUNT) {
        *ret_value = price;
    }
    return price != CMK_PRICE__COUNT;
}

static const char *price_word(uint32_t index)
{
    uint32_t count = 0;
    const CmkPrice *lines = cmk_price_book(&count);
    return index < CMK_PRICE__COUNT ? lines[index].id : NULL;
}

static const CmkVocabulary prices = {
    .what = "a price of the model", .find = price_find, .word = price_word};

/* ---- reading --------------------------------------------------------------------------------- */

/* "vault_tier_grs" or "vault_tier_grs@uksouth". */
static bool read_key(CmkDiagnostics *diagnostics, const CmkNode *value, CmkPriceLine *ret)
{
    const char *key = cmk_node_key(value);
    const char *at = strchr(key, '@');
    g_autofree char *id = at == NULL ? g_strdup(key) : g_strndup(key, (gsize)(at - key));
    if (!cmk_vocabulary_find(&prices, id, &ret->price)) {
        cmk_vocabulary_miss(diagnostics, cmk_node_key_position(value), id, &prices);
        return false;
    }
    if (at != NULL && !cmk_vocabulary_find(&cmk_vocabulary_regions, at + 1, &ret->region)) {
        cmk_vocabulary_miss(diagnostics, cmk_node_key_position(value), at + 1,
                            &cmk_vocabulary_regions);
        return false;
    }
    return true;
}

static bool read_amount(CmkDiagnostics *diagnostics, const CmkNode *value, CmkPriceLine *ret)
{
    uint32_t count = 0;
    const char *unit = cmk_price_book(&count)[ret->price].unit;
    CmkUnitPrice price;
    char message[CMK_MESSAGE_SIZE];
    if (!cmk_node_expect(diagnostics, value, CMK_NODE_SCALAR, "a price")) {
        return false;
    }
    if (!cmk_price_parse(cmk_node_text(value), &price, message)) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(value), "%s", message);
        return false;
    }
    if (strcmp(price.money.currency, currency_words[0]) != 0 || strcmp(price.unit, unit) != 0) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(value),
                              "this price is in %s/%s, not in %s/%s", currency_words[0], unit,
                              price.money.currency, price.unit);
        cmk_diagnostics_hint(diagnostics, "convert it: the unit of a price is fixed");
        return false;
    }
    if (price.money.nanos > CMK_PRICE_NANOS_MAX) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(value),
                              "a price may be at most %" G_GINT64_FORMAT " %s",
                              CMK_PRICE_NANOS_MAX / NANOS_PER_ONE, currency_words[0]);
        return false;
    }
    ret->nanos = price.money.nanos;
    return true;
}

typedef enum WhichLines {
    OF_ALL_REGIONS,
    OF_ONE_REGION
} WhichLines;

static WhichLines which(const CmkNode *value)
{
    return strchr(cmk_node_key(value), '@') == NULL ? OF_ALL_REGIONS : OF_ONE_REGION;
}

static bool read_lines(CmkDiagnostics *diagnostics, const CmkNode *map, WhichLines wanted,
                       CmkPriceBook *book)
{
    bool is_right = true;
    for (const CmkNode *value = cmk_node_first(map); value != NULL; value = cmk_node_next(value)) {
        CmkPriceLine line = {.price = 0};
        if (which(value) != wanted) {
            continue;
        }
        if (!read_key(diagnostics, value, &line) || !read_amount(diagnostics, value, &line)) {
            is_right = false;
            continue;
        }
        if (wanted == OF_ALL_REGIONS) {
            cmk_price_book_forget_regions(book, (CmkPriceId)line.price);
        }
        if (!cmk_price_book_set(book, (CmkPriceId)line.price, (CmkRegionId){line.region},
                                line.nanos)) {
            cmk_diagnostics_error(diagnostics, cmk_node_key_position(value),
                                  "a price book has at most %d lines", CMK_PRICE_LINES_MAX);
            return false;
        }
    }
    return is_right;
}

/* What a book says of all regions goes before what is built in for single ones, and after what it
 * says of these itself, in whatever order it does. */
static bool read_prices(CmkDiagnostics *diagnostics, const CmkNode *map, CmkPriceBook *book)
{
    if (!cmk_node_expect(diagnostics, map, CMK_NODE_MAP, "`prices`")) {
        return false;
    }
    const bool is_right = read_lines(diagnostics, map, OF_ALL_REGIONS, book);
    return read_lines(diagnostics, map, OF_ONE_REGION, book) && is_right;
}

bool cmk_price_book_read(CmkDiagnostics *diagnostics, CmkPriceBook *ret_book)
{
    g_autoptr(CmkTree) tree = cmk_tree_parse(diagnostics, NULL);
    if (tree == NULL) {
        return false;
    }
    const CmkReading reading = {.diagnostics = diagnostics};
    BookItem item = {.node = NULL};
    const CmkNode *root = cmk_tree_root(tree);
    CmkPriceBook book;
    cmk_price_book_init(&book);
    bool is_right = cmk_node_expect(diagnostics, root, CMK_NODE_MAP, "a price book") &&
                    cmk_fields_read(&reading, &book_fields, root, &item);
    is_right = (item.prices == NULL || read_prices(diagnostics, item.prices, &book)) && is_right;
    if (is_right) {
        (void)g_strlcpy(book.name, cmk_node_text(item.name), sizeof(book.name));
        (void)g_strlcpy(book.date, item.date == NULL ? "" : cmk_node_text(item.date),
                        sizeof(book.date));
        *ret_book = book;
    }
    cmk_fields_clear(&book_fields, &item);
    return is_right;
}

/* ---- writing --------------------------------------------------------------------------------- */

/* "0.0448", "10". */
static void append_amount(GString *out, int64_t nanos)
{
    g_string_append_printf(out, "%" G_GINT64_FORMAT, nanos / NANOS_PER_ONE);
    if (nanos % NANOS_PER_ONE != 0) {
        g_string_append_printf(out, ".%09" G_GINT64_FORMAT, nanos % NANOS_PER_ONE);
        while (out->str[out->len - 1] == '0') {
            (void)g_string_truncate(out, out->len - 1);
        }
    }
}

static void append_line(GString *out, const CmkPriceLine *line)
{
    uint32_t count = 0;
    const CmkPrice *facts = &cmk_price_book(&count)[line->price];
    const CmkPrice *usual =
        cmk_price_built_in((CmkPriceId)line->price, (CmkRegionId){line->region});
    g_string_append_printf(out, "  %s", facts->id);
    if (line->region != 0) {
        g_string_append_printf(out, "@%s", cmk_region_facts(&count)[line->region].name);
    }
    g_string_append(out, ": ");
    append_amount(out, line->nanos);
    g_string_append_printf(out, " USD/%s", facts->unit);
    if (usual != NULL && usual->nanos == line->nanos) {
        g_string_append_printf(out, "  # %s; %s, %s, %s%s%s", usual->text, usual->rule,
                               usual->status, usual->source, usual->date[0] == '\0' ? "" : ", ",
                               usual->date);
    }
    g_string_append_c(out, '\n');
}

void cmk_price_book_format(const CmkPriceBook *book, GString *out)
{
    g_string_append_printf(out, "cmksim_prices: %d\nname: %s\n", FORMAT_VERSION, book->name);
    if (book->date[0] != '\0') {
        g_string_append_printf(out, "date: %s\n", book->date);
    }
    g_string_append_printf(out, "currency: %s\nprices:\n", currency_words[0]);
    for (uint32_t i = 0; i < book->count; i++) {
        append_line(out, &book->lines[i]);
    }
}

/* ---- of a scenario --------------------------------------------------------------------------- */

/* What is wrong with the other file is told at the place in this one that names it. */
static void report(CmkDiagnostics *diagnostics, const CmkNode *node, const CmkDiagnostics *of_book)
{
    for (size_t i = 0; i < cmk_diagnostics_kept(of_book); i++) {
        const CmkDiagnostic *one = cmk_diagnostics_get(of_book, i);
        cmk_diagnostics_error(diagnostics, cmk_node_position(node), "%s:%u:%u: %s",
                              cmk_diagnostics_name(of_book), one->at.line, one->at.column,
                              one->message);
        if (one->hint != NULL) {
            cmk_diagnostics_hint(diagnostics, "%s", one->hint);
        }
    }
}

/* Whoever writes the prices themselves there is told where they go. */
static bool names_a_book(CmkDiagnostics *diagnostics, const CmkNode *node)
{
    const bool is_text = cmk_node_expect(diagnostics, node, CMK_NODE_SCALAR, "`prices`");
    if (is_text && cmk_node_text(node)[0] != '\0') {
        return true;
    }
    if (is_text) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(node), "`prices` has no value");
    }
    cmk_diagnostics_hint(diagnostics,
                         "prices stand in a file of their own, which is named here: `cmksim list "
                         "prices --template` prints one to begin with");
    return false;
}

bool cmk_prices_read(CmkScenario *scenario, CmkDiagnostics *diagnostics)
{
    const CmkNode *node = scenario->estate->file.prices;
    cmk_price_book_init(&scenario->prices);
    if (node != NULL && !names_a_book(diagnostics, node)) {
        return false;
    }
    if (node == NULL || strcmp(cmk_node_text(node), "default") == 0) {
        return true;
    }
    g_autofree char *directory = g_path_get_dirname(cmk_diagnostics_name(diagnostics));
    g_autofree char *path = g_path_is_absolute(cmk_node_text(node))
                                ? g_strdup(cmk_node_text(node))
                                : g_build_filename(directory, cmk_node_text(node), NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(CmkDiagnostics) of_book = cmk_diagnostics_open(path, FILE_SIZE_MAX, &error);
    if (of_book == NULL) {
        cmk_diagnostics_error(diagnostics, cmk_node_position(node),
                              "the price book cannot be read: %s", error->message);
        cmk_diagnostics_hint(diagnostics,
                             "write `default`, or a path relative to this file; "
                             "`cmksim list prices --template` prints a book to begin with");
        return false;
    }
    const bool is_right = cmk_price_book_read(of_book, &scenario->prices);
    report(diagnostics, node, of_book);
    return is_right;
}
