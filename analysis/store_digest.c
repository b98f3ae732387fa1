/* The contents of a database as one number: see cmk_store_contents_digest() in analysis/store.h. */
#include "analysis/store.h"
#include "analysis/store_schema.h"

static void digest_cell(GChecksum *sum, sqlite3_stmt *statement, int column)
{
    const int type = sqlite3_column_type(statement, column);
    const guint8 type_byte = (guint8)type;
    g_checksum_update(sum, &type_byte, 1);
    if (type == SQLITE_INTEGER) {
        const int64_t value = sqlite3_column_int64(statement, column);
        g_checksum_update(sum, (const guint8 *)&value, sizeof(value));
    } else if (type != SQLITE_NULL) {
        const guint8 *bytes = sqlite3_column_blob(statement, column);
        const int64_t size = sqlite3_column_bytes(statement, column);
        g_checksum_update(sum, (const guint8 *)&size, sizeof(size));
        g_checksum_update(sum, bytes, (gssize)size);
    }
}

static bool digest_query(GChecksum *sum, sqlite3 *db, const char *sql, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = cmk_store_prepare(db, sql, error);
    GError *failure = NULL;
    while (statement != NULL && cmk_store_step(statement, &failure)) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            digest_cell(sum, statement, i);
        }
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    return statement != NULL;
}

/* SELECT * with all columns as sort keys. */
static char *sorted_query(sqlite3 *db, const char *table, GError **error)
{
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_printf(sql, "SELECT * FROM \"%s\"", table);
    g_autoptr(sqlite3_stmt) statement = cmk_store_prepare(db, sql->str, error);
    if (statement == NULL) {
        return NULL;
    }
    for (int i = 1; i <= sqlite3_column_count(statement); i++) {
        g_string_append_printf(sql, "%s %d", i == 1 ? " ORDER BY" : ",", i);
    }
    return g_strdup(sql->str);
}

char *cmk_store_contents_digest(const char *path, GError **error)
{
    g_autoptr(sqlite3) db = cmk_store_open_to_read(path, error);
    if (db == NULL) {
        return NULL;
    }
    g_autoptr(GChecksum) sum = g_checksum_new(G_CHECKSUM_SHA256);
    g_autoptr(sqlite3_stmt) tables = cmk_store_prepare(
        db, "SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name", error);
    bool is_good = tables != NULL &&
                   digest_query(sum, db, "SELECT sql FROM sqlite_schema ORDER BY name", error);
    GError *failure = NULL;
    while (is_good && cmk_store_step(tables, &failure)) {
        g_autofree char *sql =
            sorted_query(db, (const char *)sqlite3_column_text(tables, 0), error);
        is_good = sql != NULL && digest_query(sum, db, sql, error);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        is_good = false;
    }
    return is_good ? g_strdup(g_checksum_get_string(sum)) : NULL;
}
