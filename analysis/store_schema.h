/*
 * What a run's database looks like: application ID and schema version, its tables and views, and
 * how the rows of the large tables lie in memory on their way to the file.
 *
 * The views (docs/database.md) are the public interface and the only thing that readers other than
 * the store may select from; the tables behind them may change with the schema version.
 *
 * Must not know: threads, journals, or where rows come from.
 */
#ifndef CMK_ANALYSIS_STORE_SCHEMA_H
#define CMK_ANALYSIS_STORE_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <glib.h>
#include <sqlite3.h>

#include "sim/tables.h"

/* PRAGMA application_id: "CMKS". */
#define CMK_STORE_APPLICATION_ID 0x434d4b53

/* PRAGMA user_version: the layout of the tables. The first is open until the first release. */
#define CMK_STORE_SCHEMA_VERSION 1

/* Amounts of money are billionths of this. */
#define CMK_STORE_CURRENCY "USD"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3, sqlite3_close)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(sqlite3_stmt, sqlite3_finalize)

/* ---- the large tables ------------------------------------------------------------------------ */

/* Those that grow with the run. Their rows are plain structs, filled by the thread that simulates
 * and read by the thread that writes. */
typedef enum CmkStoreTable {
    CMK_STORE_TABLE_JOURNAL, /* CmkRecord */
    CMK_STORE_TABLE_JOB,
    CMK_STORE_TABLE_JOB_HOUR,
    CMK_STORE_TABLE_REQUEST_HOUR,
    CMK_STORE_TABLE_REQUEST_MINUTE,
    CMK_STORE_TABLE_STATE_INTERVAL,
    CMK_STORE_TABLE_FAULT_WINDOW,
    CMK_STORE_TABLE__COUNT
} CmkStoreTable;

/* Codes of the lookup table job_status. */
enum {
    CMK_STORE_JOB_COMPLETED = 1,
    CMK_STORE_JOB_FAILED = 2,
    CMK_STORE_JOB_CANCELLED = 3,
    CMK_STORE_JOB_IN_PROGRESS = 4, /* when the run ended */
    CMK_STORE_JOB_COMPLETED_WITH_WARNINGS = 5
};

/* A job. `id` is the sequence number of the record that ended it; those that were under way when
 * the run ended have no `ended`, and are numbered on from the last record. */
typedef struct CmkStoreJob {
    uint64_t id;
    CmkTime started;
    CmkTime ended;
    uint64_t started_by;
    uint64_t refused_seq; /* 0: none */
    CmkTime restored_to;  /* restore: the moment whose data comes back; 0 of any other job */
    int64_t bytes;        /* negative: not known */
    uint32_t kind;        /* CmkTaskKind */
    uint32_t status;
    uint32_t code; /* CmkStatus, 0 if it completed */
    uint32_t backup_vault;
    uint32_t instance;
    uint32_t policy;    /* of the instance when the job ended (BK-16), 0: none */
    uint32_t datastore; /* code of the lookup table, 0: none */
    uint32_t point;
    uint32_t origin;
    uint32_t retries;
    uint32_t is_seen;
    uint32_t reserved;
} CmkStoreJob;

typedef struct CmkStoreJobHour {
    CmkTime hour;
    uint32_t kind;
    uint32_t status;
    uint32_t is_seen;
    uint32_t count;
} CmkStoreJobHour;

typedef struct CmkStoreRequestHour {
    CmkTime hour;
    uint32_t key;
    uint32_t op;
    uint32_t status;
    uint32_t count;
} CmkStoreRequestHour;

/* What was asked of a key vault in a minute in which anything was, and how much of what it can
 * answer in a window of throttling was asked for in the busiest one that began in this minute. */
typedef struct CmkStoreRequestMinute {
    CmkTime minute;
    uint32_t key_vault;
    uint32_t answered;
    uint32_t throttled;
    uint32_t refused;  /* for any other reason */
    uint32_t peak_ppm; /* of a window, a noisy neighbour's share included */
    uint32_t reserved;
} CmkStoreRequestMinute;

typedef struct CmkStoreStateInterval {
    CmkTime from;
    CmkTime to; /* negative: still so when the run ended */
    uint64_t from_seq;
    uint64_t to_seq;
    uint32_t
        kind; /* CMK_STORE_ENTITY_*: BACKUP_VAULT, REGION, KEY_VAULT, MANAGED_HSM or INSTANCE */
    uint32_t entity;
    uint32_t state; /* CmkEncryption, CmkRegionState, CmkStoreService or CmkInstanceState */
    uint32_t reserved;
} CmkStoreStateInterval;

/* What a key vault or Managed HSM answers: code of the lookup table key_vault_state. */
typedef enum CmkStoreService {
    CMK_STORE_SERVICE_AVAILABLE,
    CMK_STORE_SERVICE_READ_ONLY,
    CMK_STORE_SERVICE_UNREACHABLE
} CmkStoreService;

typedef struct CmkStoreFaultWindow {
    CmkTime from;
    CmkTime to; /* negative: never ended */
    uint64_t from_seq;
    uint64_t to_seq;
    uint32_t plan;
    uint32_t reserved;
} CmkStoreFaultWindow;

/* Which value of a field is stored as NULL. */
typedef enum CmkStoreNull {
    CMK_STORE_NULL_NEVER,
    CMK_STORE_NULL_IF_ZERO,
    CMK_STORE_NULL_IF_NEGATIVE
} CmkStoreNull;

/* One column: where its value lies in the row. All are INTEGER. */
typedef struct CmkStoreColumn {
    const char *name;
    uint16_t offset;
    uint8_t size; /* bytes: 2 or 4 (unsigned), 8 (signed) */
    uint8_t null; /* CmkStoreNull */
} CmkStoreColumn;

typedef struct CmkStoreTableShape {
    const char *name;
    const char *primary_key; /* column, NULL if there is none */
    const CmkStoreColumn *columns;
    uint32_t column_count;
    uint32_t row_size;
} CmkStoreTableShape;

const CmkStoreTableShape *cmk_store_table_shape(CmkStoreTable table);

/* Kinds of entities, as stored. Macros, since they also stand in the text of views. */
#define CMK_STORE_ENTITY_REGION 1
#define CMK_STORE_ENTITY_KEY_VAULT 2
#define CMK_STORE_ENTITY_KEY 3
#define CMK_STORE_ENTITY_VERSION 4
#define CMK_STORE_ENTITY_IDENTITY 5
#define CMK_STORE_ENTITY_PRINCIPAL 6
#define CMK_STORE_ENTITY_BACKUP_VAULT 7
#define CMK_STORE_ENTITY_INSTANCE 8
#define CMK_STORE_ENTITY_POLICY 9
#define CMK_STORE_ENTITY_STEP 10
#define CMK_STORE_ENTITY_SCOPE 11
#define CMK_STORE_ENTITY_PERSON 12
#define CMK_STORE_ENTITY_MANAGED_HSM 13
#define CMK_STORE_ENTITY_SECRET 14
#define CMK_STORE_ENTITY_NETWORK 15
#define CMK_STORE_ENTITY_RESOURCE_GUARD 16

/* Small lookup tables whose words stand nowhere else: table, code, word. */
typedef struct CmkStoreWord {
    const char *table;
    int64_t code;
    const char *word;
} CmkStoreWord;

const CmkStoreWord *cmk_store_words(uint32_t *ret_count);

/* The code of `word` in the lookup table `table`; 0 if there is none. O(words). */
uint32_t cmk_store_code(const char *table, const char *word);

/* ---- SQL ------------------------------------------------------------------------------------- */

/* Everything a fresh database needs before its first row. */
char *cmk_store_sql_create(void);

/* Indexes, views, and the marks that make it a complete database: after the last row. */
char *cmk_store_sql_complete(void);

/* The SQL expression that prints the microseconds of column `us` as an instant. */
#define CMK_STORE_SQL_INSTANT(us)                                                                  \
    "strftime('%Y-%m-%dT%H:%M:%S', (" us ") / 1000000, 'unixepoch')"                               \
    " || CASE WHEN (" us ") % 1000000 THEN printf('.%06d', (" us ") % 1000000) ELSE '' END || 'Z'"

/* ---- reading --------------------------------------------------------------------------------- */

/* Opens a finished database for reading. NULL and CMK_STORE_ERROR if it is not there, is not a
 * run's database, or was made by a newer version. Close with sqlite3_close(). */
sqlite3 *cmk_store_open_to_read(const char *path, GError **error);

/* Prepares one statement; NULL and CMK_STORE_ERROR_READ on failure. */
sqlite3_stmt *cmk_store_prepare(sqlite3 *db, const char *sql, GError **error);

/* Steps to the next row: false at the end, and on failure, which alone sets `error`. */
bool cmk_store_step(sqlite3_stmt *statement, GError **error);

#endif
