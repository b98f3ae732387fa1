#include "analysis/answers.h"

#include "analysis/store.h"
#include "analysis/store_schema.h"

/* Columns of the query, in their order. */
enum {
    FAULT,
    DOES,
    KEY_STORE,
    KIND,
    JOB,
    REQUEST,
    ANSWER,
    CODE,
    GUARD,
    RULE,
    JOBS,
    SEEN
};

static const char query[] =
    "SELECT fault, fault_operation, key_store, kind, job, request,"
    " coalesce(http || ' ' || answer || coalesce('/' || inner_code, ''), 'nobody was asked'), "
    "code, guard, rule, jobs, seen"
    " FROM v_answers ORDER BY from_us, fault, kind, key_store, job, code, request, guard";

static const char *text_at(sqlite3_stmt *row, int column)
{
    return (const char *)sqlite3_column_text(row, column);
}

static CmkEntry *entry_of(sqlite3_stmt *row)
{
    const int64_t jobs = sqlite3_column_int64(row, JOBS);
    const int64_t seen = sqlite3_column_int64(row, SEEN);
    CmkEntry *entry = cmk_entry_new("answer", text_at(row, FAULT));
    cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "does", text_at(row, DOES));
    cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "key_store", text_at(row, KEY_STORE));
    cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "kind", text_at(row, KIND));
    cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "job", text_at(row, JOB));
    cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "request", text_at(row, REQUEST));
    cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "answer", text_at(row, ANSWER));
    cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "code", text_at(row, CODE));
    cmk_entry_add_text(entry, CMK_PROPERTY_DETAIL, "guard", text_at(row, GUARD));
    cmk_entry_add_words(entry, CMK_PROPERTY_DETAIL, "rules", text_at(row, RULE));
    cmk_entry_add_number(entry, CMK_PROPERTY_COLUMN, "jobs", jobs);
    cmk_entry_add_text(entry, CMK_PROPERTY_COLUMN, "seen",
                       seen == 0      ? "no"
                       : seen == jobs ? "yes"
                                      : "some");
    return entry;
}

GPtrArray *cmk_answers_read(const char *db_path, GError **error)
{
    g_autoptr(sqlite3) db = cmk_store_open_to_read(db_path, error);
    if (db == NULL) {
        return NULL;
    }
    g_autoptr(sqlite3_stmt) statement = cmk_store_prepare(db, query, error);
    if (statement == NULL) {
        return NULL;
    }
    g_autoptr(GPtrArray) entries = cmk_entries_new();
    GError *failure = NULL;
    while (cmk_store_step(statement, &failure)) {
        g_ptr_array_add(entries, entry_of(statement));
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return NULL;
    }
    return g_steal_pointer(&entries);
}
