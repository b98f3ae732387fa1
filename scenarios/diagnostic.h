/*
 * What is wrong with one input file, said so that a person can mend it: file:line:column, one
 * sentence, the line itself, a caret under the place, where else to look, and what to do next.
 *
 * A collector owns the text of its file and keeps the first CMK_DIAGNOSTICS_MAX errors. Lines end
 * at LF (CR LF counts as one end); columns count characters, not bytes; both start at 1. A byte
 * order mark at the start of the text is removed. What is printed is always valid UTF-8 without
 * control characters, whatever the file holds, so a file cannot play tricks on a terminal.
 *
 * Must not know: YAML, operations, or any other meaning of the text.
 */
#ifndef CMK_SCENARIOS_DIAGNOSTIC_H
#define CMK_SCENARIOS_DIAGNOSTIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <glib.h>

/* Errors that are kept; of the rest only the number is known. */
#define CMK_DIAGNOSTICS_MAX 20

/* A place in the text; line 0 means the file as a whole, column 0 the line as a whole. */
typedef struct CmkPosition {
    uint32_t line;
    uint32_t column;
} CmkPosition;

/* One error. The strings are owned by the collector; note and hint may be NULL. */
typedef struct CmkDiagnostic {
    CmkPosition at;
    char *message;
    CmkPosition note_at;
    char *note; /* a second place that matters, for instance where a key was given first */
    char *hint; /* what to do next */
} CmkDiagnostic;

typedef struct CmkDiagnostics CmkDiagnostics;

/* A collector for the text of a file. name: as the user wrote it, copied. text: a reference is
 * kept. Free with cmk_diagnostics_free(). */
CmkDiagnostics *cmk_diagnostics_new(const char *name, GBytes *text);

/* A collector for the file at path, read whole. Returns NULL and sets error (G_FILE_ERROR) if it
 * cannot be read or is larger than size_max_bytes; no more than that is read. */
CmkDiagnostics *cmk_diagnostics_open(const char *path, size_t size_max_bytes, GError **error);

/* Accepts NULL. */
void cmk_diagnostics_free(CmkDiagnostics *diagnostics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmkDiagnostics, cmk_diagnostics_free)

/* The name of the file as it appears in messages: valid UTF-8, hidden characters spelled out. */
const char *cmk_diagnostics_name(const CmkDiagnostics *diagnostics);

/* The text without byte order mark; not NUL-terminated. Valid as long as the collector. */
const char *cmk_diagnostics_text(const CmkDiagnostics *diagnostics, size_t *ret_size_bytes);

/* The place of a byte of the text. offset: at most the size of the text. O(offset). */
CmkPosition cmk_diagnostics_position(const CmkDiagnostics *diagnostics, size_t offset);

/* Adds an error. Of more than CMK_DIAGNOSTICS_MAX only the number is kept. */
void cmk_diagnostics_error(CmkDiagnostics *diagnostics, CmkPosition at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Gives the error added last a second place. Replaces an earlier note. */
void cmk_diagnostics_note(CmkDiagnostics *diagnostics, CmkPosition at, const char *format, ...)
    G_GNUC_PRINTF(3, 4);

/* Gives the error added last a next step. Replaces an earlier hint. */
void cmk_diagnostics_hint(CmkDiagnostics *diagnostics, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* Gives the error added last the hint "did you mean `x`?" if a candidate is near word, else the
 * list of all candidates if there are at most 12; otherwise no hint. */
void cmk_diagnostics_hint_word(CmkDiagnostics *diagnostics, const char *word,
                               const char *const *candidates, size_t count);

/* How many errors were added, those not kept included. */
size_t cmk_diagnostics_count(const CmkDiagnostics *diagnostics);

/* How many errors were kept. */
size_t cmk_diagnostics_kept(const CmkDiagnostics *diagnostics);

/* A kept error, in the order of adding. index: below cmk_diagnostics_kept(). */
const CmkDiagnostic *cmk_diagnostics_get(const CmkDiagnostics *diagnostics, size_t index);

/* Appends all kept errors, and "NAME: and N more errors" if some were not kept. */
void cmk_diagnostics_print(const CmkDiagnostics *diagnostics, GString *out);

/* As cmk_diagnostics_print(), to a stream; returns false if writing failed. */
bool cmk_diagnostics_write(const CmkDiagnostics *diagnostics, FILE *stream);

/*
 * The candidate that word was most likely meant to be, or NULL if none is near. Near is at most one
 * slip (a letter more, less, changed, or two neighbours swapped) per three letters and at most
 * three; case and the difference between - and _ do not count. The first of equally near ones wins.
 * If none is, the only candidate that begins with a word of at least four letters was meant.
 * Words longer than 64 bytes are near nothing. O(count * length^2).
 */
const char *cmk_suggest(const char *word, const char *const *candidates, size_t count);

#endif
