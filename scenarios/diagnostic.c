#include "scenarios/diagnostic.h"

#include <errno.h>
#include <string.h>

#include <glib/gstdio.h>

#include "sim/base.h"

#define WORD_SIZE_MAX 64
#define SLIPS_MAX 3
#define LISTED_CANDIDATES_MAX 20
/* Of a longer line only the part around the caret is shown, in characters. */
#define SHOWN_BEFORE_MAX 60
#define SHOWN_MAX 120
#define REPLACEMENT 0xFFFD

struct CmkDiagnostics {
    char *name;
    GBytes *text;
    GArray *kept; /* of CmkDiagnostic */
    size_t count;
};

static void clear_diagnostic(gpointer data)
{
    CmkDiagnostic *diagnostic = data;
    g_free(diagnostic->message);
    g_free(diagnostic->note);
    g_free(diagnostic->hint);
}

/* A character that would not show as itself on a terminal. */
static bool is_hidden(gunichar c)
{
    const GUnicodeType type = g_unichar_type(c);
    return type == G_UNICODE_CONTROL || type == G_UNICODE_LINE_SEPARATOR ||
           type == G_UNICODE_PARAGRAPH_SEPARATOR || type == G_UNICODE_SURROGATE ||
           type == G_UNICODE_FORMAT; /* among them those that reverse the direction of writing */
}

/* A copy of a message on one line, hidden characters written as <U+001B>. */
static char *clean_message(char *message)
{
    g_autofree char *owned = message;
    g_autofree char *valid = g_utf8_make_valid(owned, -1);
    GString *clean = g_string_new(NULL);
    for (char *p = valid; *p != '\0'; p = g_utf8_next_char(p)) {
        const gunichar c = g_utf8_get_char(p);
        if (is_hidden(c))
            g_string_append_printf(clean, "<U+%04X>", c);
        else
            g_string_append_unichar(clean, c);
    }
    return g_string_free(clean, FALSE);
}

CmkDiagnostics *cmk_diagnostics_new(const char *name, GBytes *text)
{
    static const char byte_order_mark[] = "\xEF\xBB\xBF";
    const size_t mark_size = sizeof(byte_order_mark) - 1;
    CMK_ASSERT(name != NULL);
    CMK_ASSERT(text != NULL);
    CmkDiagnostics *diagnostics = g_new0(CmkDiagnostics, 1);
    size_t size = 0;
    const char *data = g_bytes_get_data(text, &size);
    if (size >= mark_size && memcmp(data, byte_order_mark, mark_size) == 0)
        diagnostics->text = g_bytes_new_from_bytes(text, mark_size, size - mark_size);
    else
        diagnostics->text = g_bytes_ref(text);
    diagnostics->name = clean_message(g_strdup(name));
    diagnostics->kept = g_array_new(FALSE, TRUE, sizeof(CmkDiagnostic));
    g_array_set_clear_func(diagnostics->kept, clear_diagnostic);
    return diagnostics;
}

/* Reads a stream to its end; NULL and error if that fails or there is too much. */
static GBytes *read_stream(FILE *stream, const char *path, size_t size_max_bytes, GError **error)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();
    guint8 chunk[16384];
    size_t size;
    while ((size = fread(chunk, 1, sizeof(chunk), stream)) > 0) {
        if (size > size_max_bytes - bytes->len) {
            g_set_error(error, G_FILE_ERROR, G_FILE_ERROR_FAILED, "%s: larger than %zu bytes", path,
                        size_max_bytes);
            return NULL;
        }
        g_byte_array_append(bytes, chunk, (guint)size);
    }
    if (ferror(stream)) {
        const int number = errno;
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(number), "%s: %s", path,
                    g_strerror(number));
        return NULL;
    }
    return g_byte_array_free_to_bytes(g_steal_pointer(&bytes));
}

CmkDiagnostics *cmk_diagnostics_open(const char *path, size_t size_max_bytes, GError **error)
{
    CMK_ASSERT(path != NULL);
    CMK_ASSERT(size_max_bytes <= G_MAXINT); /* GByteArray counts in 32 bits */
    FILE *stream = g_fopen(path, "rb");
    if (stream == NULL) {
        const int number = errno;
        g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(number), "%s: %s", path,
                    g_strerror(number));
        return NULL;
    }
    g_autoptr(GBytes) text = read_stream(stream, path, size_max_bytes, error);
    (void)fclose(stream); /* was only read from */
    return text == NULL ? NULL : cmk_diagnostics_new(path, text);
}

void cmk_diagnostics_free(CmkDiagnostics *diagnostics)
{
    if (diagnostics == NULL)
        return;
    g_array_unref(diagnostics->kept);
    g_bytes_unref(diagnostics->text);
    g_free(diagnostics->name);
    g_free(diagnostics);
}

const char *cmk_diagnostics_name(const CmkDiagnostics *diagnostics)
{
    return diagnostics->name;
}

const char *cmk_diagnostics_text(const CmkDiagnostics *diagnostics, size_t *ret_size_bytes)
{
    const char *data = g_bytes_get_data(diagnostics->text, ret_size_bytes);
    return data == NULL ? "" : data;
}

CmkPosition cmk_diagnostics_position(const CmkDiagnostics *diagnostics, size_t offset)
{
    size_t size = 0;
    const char *text = cmk_diagnostics_text(diagnostics, &size);
    CMK_ASSERT(offset <= size);
    CmkPosition at = {.line = 1, .column = 1};
    for (size_t i = 0; i < offset; i++) {
        if (text[i] == '\n')
            at = (CmkPosition){.line = at.line + 1, .column = 1};
        else if (((unsigned char)text[i] & 0xC0) != 0x80) /* not the tail of a character */
            at.column++;
    }
    return at;
}

void cmk_diagnostics_error(CmkDiagnostics *diagnostics, CmkPosition at, const char *format, ...)
{
    diagnostics->count++;
    if (diagnostics->count > CMK_DIAGNOSTICS_MAX)
        return;
    va_list arguments;
    va_start(arguments, format);
    const CmkDiagnostic diagnostic = {
        .at = at,
        .message = clean_message(g_strdup_vprintf(format, arguments)),
    };
    va_end(arguments);
    g_array_append_val(diagnostics->kept, diagnostic);
}

/* The error added last, or NULL if it was not kept. */
static CmkDiagnostic *last_kept(const CmkDiagnostics *diagnostics)
{
    CMK_ASSERT(diagnostics->count > 0);
    if (diagnostics->count > CMK_DIAGNOSTICS_MAX)
        return NULL;
    CMK_ASSERT(diagnostics->kept->len == diagnostics->count);
    return &g_array_index(diagnostics->kept, CmkDiagnostic, diagnostics->kept->len - 1);
}

void cmk_diagnostics_note(CmkDiagnostics *diagnostics, CmkPosition at, const char *format, ...)
{
    CmkDiagnostic *diagnostic = last_kept(diagnostics);
    if (diagnostic == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_free(diagnostic->note);
    diagnostic->note = clean_message(g_strdup_vprintf(format, arguments));
    diagnostic->note_at = at;
    va_end(arguments);
}

void cmk_diagnostics_hint(CmkDiagnostics *diagnostics, const char *format, ...)
{
    CmkDiagnostic *diagnostic = last_kept(diagnostics);
    if (diagnostic == NULL)
        return;
    va_list arguments;
    va_start(arguments, format);
    g_free(diagnostic->hint);
    diagnostic->hint = clean_message(g_strdup_vprintf(format, arguments));
    va_end(arguments);
}

void cmk_diagnostics_hint_word(CmkDiagnostics *diagnostics, const char *word,
                               const char *const *candidates, size_t count)
{
    const char *near = cmk_suggest(word, candidates, count);
    if (near != NULL) {
        cmk_diagnostics_hint(diagnostics, "did you mean `%s`?", near);
        return;
    }
    if (count == 0 || count > LISTED_CANDIDATES_MAX)
        return;
    g_autoptr(GString) list = g_string_new(NULL);
    for (size_t i = 0; i < count; i++)
        g_string_append_printf(list, "%s`%s`", i == 0 ? "" : ", ", candidates[i]);
    cmk_diagnostics_hint(diagnostics, "%s %s", count == 1 ? "possible is" : "possible are",
                         list->str);
}

size_t cmk_diagnostics_count(const CmkDiagnostics *diagnostics)
{
    return diagnostics->count;
}

size_t cmk_diagnostics_kept(const CmkDiagnostics *diagnostics)
{
    return diagnostics->kept->len;
}

const CmkDiagnostic *cmk_diagnostics_get(const CmkDiagnostics *diagnostics, size_t index)
{
    CMK_ASSERT(index < diagnostics->kept->len);
    return &g_array_index(diagnostics->kept, CmkDiagnostic, (guint)index);
}

/* Line number `line` without its end; NULL if the text has fewer lines. */
static const char *find_line(const CmkDiagnostics *diagnostics, uint32_t line, size_t *ret_size)
{
    size_t size = 0;
    const char *start = cmk_diagnostics_text(diagnostics, &size);
    const char *const text_end = start + size;
    for (uint32_t i = 1; i < line; i++) {
        const char *end = memchr(start, '\n', (size_t)(text_end - start));
        if (end == NULL)
            return NULL;
        start = end + 1;
    }
    const char *end = memchr(start, '\n', (size_t)(text_end - start));
    if (end == NULL)
        end = text_end;
    if (end > start && end[-1] == '\r')
        end--;
    *ret_size = (size_t)(end - start);
    return start;
}

/* The character at text; a byte that is not UTF-8 or does not show is one replacement character,
 * and a tail byte on its own counts to the character before it, as in cmk_diagnostics_position().
 */
static gunichar read_character(const char *text, size_t size, size_t *ret_size)
{
    const gunichar c = g_utf8_get_char_validated(text, (gssize)size);
    const bool is_valid = c != (gunichar)-1 && c != (gunichar)-2 && c != 0;
    size_t used = is_valid ? (size_t)g_unichar_to_utf8(c, NULL) : 1;
    while (!is_valid && used < size && ((unsigned char)text[used] & 0xC0) == 0x80)
        used++;
    *ret_size = used;
    return is_valid && (c == '\t' || !is_hidden(c)) ? c : REPLACEMENT;
}

/* Appends to `below` what takes as much room on the screen as c. Tabs stay tabs. */
static void append_room(GString *below, gunichar c)
{
    if (c == '\t')
        g_string_append_c(below, '\t');
    else if (g_unichar_iswide(c))
        g_string_append(below, "  ");
    else if (!g_unichar_iszerowidth(c))
        g_string_append_c(below, ' ');
}

/* Appends the line and, if the column is known, a caret under it. Nothing for an empty line. */
static void print_line(const CmkDiagnostics *diagnostics, CmkPosition at, GString *out)
{
    size_t size = 0;
    const char *line = at.line == 0 ? NULL : find_line(diagnostics, at.line, &size);
    if (line == NULL || size == 0)
        return;
    const uint32_t first = at.column > SHOWN_BEFORE_MAX ? at.column - SHOWN_BEFORE_MAX : 1;
    g_autoptr(GString) below = g_string_new("  ");
    g_string_append(out, "  ");
    if (first > 1) {
        g_string_append(out, "...");
        g_string_append(below, "   ");
    }
    uint32_t column = 1;
    for (size_t i = 0, used = 0; i < size; i += used, column++) {
        const gunichar c = read_character(line + i, size - i, &used);
        if (column < first)
            continue;
        if (column - first >= SHOWN_MAX) {
            g_string_append(out, "...");
            break;
        }
        g_string_append_unichar(out, c);
        if (column < at.column)
            append_room(below, c);
    }
    g_string_append_c(out, '\n');
    if (at.column > 0)
        g_string_append_printf(out, "%s^\n", below->str);
}

/* Appends "file:line:column: kind: message" and the line. */
static void print_place(const CmkDiagnostics *diagnostics, CmkPosition at, const char *kind,
                        const char *message, GString *out)
{
    g_string_append(out, diagnostics->name);
    if (at.line > 0)
        g_string_append_printf(out, ":%" G_GUINT32_FORMAT, at.line);
    if (at.line > 0 && at.column > 0)
        g_string_append_printf(out, ":%" G_GUINT32_FORMAT, at.column);
    g_string_append_printf(out, ": %s: %s\n", kind, message);
    print_line(diagnostics, at, out);
}

void cmk_diagnostics_print(const CmkDiagnostics *diagnostics, GString *out)
{
    const size_t kept = cmk_diagnostics_kept(diagnostics);
    CMK_ASSERT(kept <= CMK_DIAGNOSTICS_MAX);
    for (size_t i = 0; i < kept; i++) {
        const CmkDiagnostic *diagnostic = cmk_diagnostics_get(diagnostics, i);
        print_place(diagnostics, diagnostic->at, "error", diagnostic->message, out);
        if (diagnostic->note != NULL)
            print_place(diagnostics, diagnostic->note_at, "note", diagnostic->note, out);
        if (diagnostic->hint != NULL)
            g_string_append_printf(out, "  hint: %s\n", diagnostic->hint);
    }
    const size_t more = diagnostics->count - kept;
    if (more > 0)
        g_string_append_printf(out, "%s: and %zu more error%s\n", diagnostics->name, more,
                               more == 1 ? "" : "s");
}

bool cmk_diagnostics_write(const CmkDiagnostics *diagnostics, FILE *stream)
{
    g_autoptr(GString) out = g_string_new(NULL);
    cmk_diagnostics_print(diagnostics, out);
    return fwrite(out->str, 1, out->len, stream) == out->len && fflush(stream) == 0;
}

/* Lower case, and - for _, so these differences do not count as slips. */
static char fold(char c)
{
    return (char)(c == '_' ? '-' : g_ascii_tolower(c));
}

/*
 * Slips between two words of at most WORD_SIZE_MAX bytes: the Damerau-Levenshtein distance in the
 * form where no part of the word is edited twice ("optimal string alignment").
 */
static size_t count_slips(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][WORD_SIZE_MAX + 1];
    CMK_ASSERT(a_size <= WORD_SIZE_MAX);
    CMK_ASSERT(b_size <= WORD_SIZE_MAX);
    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            const bool is_same = fold(a[i - 1]) == fold(b[j - 1]);
            size_t slips = above[j - 1] + (is_same ? 0 : 1);
            slips = MIN(slips, above[j] + 1);
            slips = MIN(slips, row[j - 1] + 1);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]))
                slips = MIN(slips, two_above[j - 2] + 1);
            row[j] = slips;
        }
    }
    return rows[a_size % 3][b_size];
}

#define BEGINNING_SIZE_MIN 4

/* The candidate that begins with the word; NULL if there is none, or more than one. */
static const char *only_beginning(const char *word, const char *const *candidates, size_t count)
{
    const char *only = NULL;
    for (size_t i = 0; i < count; i++) {
        if (g_ascii_strncasecmp(candidates[i], word, strlen(word)) == 0) {
            if (only != NULL)
                return NULL;
            only = candidates[i];
        }
    }
    return only;
}

const char *cmk_suggest(const char *word, const char *const *candidates, size_t count)
{
    CMK_ASSERT(word != NULL);
    CMK_ASSERT(candidates != NULL || count == 0);
    const size_t word_size = strlen(word);
    if (word_size > WORD_SIZE_MAX)
        return NULL;
    const char *best = NULL;
    size_t best_slips = SLIPS_MAX + 1;
    for (size_t i = 0; i < count; i++) {
        const size_t size = strlen(candidates[i]);
        if (size > WORD_SIZE_MAX)
            continue;
        const size_t slips = count_slips(word, word_size, candidates[i], size);
        const size_t allowed = MAX(word_size, size) / 3;
        if (slips < best_slips && slips <= allowed) {
            best = candidates[i];
            best_slips = slips;
        }
    }
    if (best == NULL && word_size >= BEGINNING_SIZE_MIN)
        return only_beginning(word, candidates, count);
    return best;
}
