#define _GNU_SOURCE /* F_OFD_SETLK */
#include "analysis/store_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "analysis/store.h"

#define BATCH_ROWS 1024
#define BATCHES 16 /* filled, on their way, or free: about 2 MiB together */
#define BATCHES_PER_TRANSACTION 64
#define NAMING_TRIES_MAX 16
#define LOCKED_BYTE ((off_t)1 << 62) /* far from the bytes that SQLite locks */

typedef struct Batch {
    struct Batch *next;
    uint32_t table; /* CmkStoreTable */
    uint32_t count;
    _Alignas(16) unsigned char rows[]; /* BATCH_ROWS of the largest */
} Batch;

/* Where the virtual table `batch_NAME` takes its rows from. */
typedef struct Source {
    const CmkStoreTableShape *shape;
    const Batch *batch;
} Source;

struct CmkStoreWriter {
    char *path;
    char *directory;
    char *temporary; /* NULL: there is none */
    int fd;          /* of the temporary file, holds its lock; -1: none */
    bool has_thread;
    pthread_t thread;
    Batch *filling[CMK_STORE_TABLE__COUNT]; /* the filling thread's own */

    /* The writing thread's own. */
    sqlite3 *db;
    Source sources[CMK_STORE_TABLE__COUNT];
    sqlite3_stmt *inserts[CMK_STORE_TABLE__COUNT];
    uint32_t batches_in_transaction;
    CmkStoreFill fill;
    void *fill_self;

    /* Shared, under the mutex, except for the flag, which may be looked at any time. */
    pthread_mutex_t mutex;
    pthread_cond_t has_full;
    pthread_cond_t has_empty;
    Batch *full_first;
    Batch *full_last;
    Batch *empty;
    bool is_closing;
    char *reason; /* of the first failure */
    atomic_bool has_failed;
};

/* ---- failures -------------------------------------------------------------------------------- */

static void fail(CmkStoreWriter *writer, const char *reason)
{
    (void)pthread_mutex_lock(&writer->mutex);
    if (writer->reason == NULL) {
        writer->reason = g_strdup(reason);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    atomic_store(&writer->has_failed, true);
}

static void fail_errno(CmkStoreWriter *writer, const char *what, int code)
{
    g_autofree char *reason = g_strdup_printf("%s: %s", what, g_strerror(code));
    fail(writer, reason);
}

/* A limit on the size of files looks like a full disk to SQLite, or like a broken one. */
static bool is_at_size_limit(const CmkStoreWriter *writer)
{
    struct rlimit limit;
    struct stat file;
    return getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY &&
           fstat(writer->fd, &file) == 0 && (rlim_t)file.st_size + 65536 >= limit.rlim_cur;
}

static void fail_sqlite(CmkStoreWriter *writer, int code)
{
    const int system_code = writer->db == NULL ? 0 : sqlite3_system_errno(writer->db);
    const int kind = code & 0xff;
    g_autofree char *reason = NULL;
    if ((kind == SQLITE_FULL || kind == SQLITE_IOERR) && is_at_size_limit(writer)) {
        reason = g_strdup("the limit on the size of files is reached (see `ulimit -f`)");
    } else if (kind == SQLITE_FULL) {
        reason = g_strdup("no space is left on the device");
    } else if (system_code != 0) {
        reason = g_strdup(g_strerror(system_code));
    } else {
        reason = g_strdup(writer->db == NULL ? sqlite3_errstr(code) : sqlite3_errmsg(writer->db));
    }
    fail(writer, reason);
}

/* ---- the temporary file ---------------------------------------------------------------------- */

static bool lock(int fd)
{
    struct flock whole = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = LOCKED_BYTE, .l_len = 1};
    return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

/* Whether `name` is one that make_temporary() gives for a file called `base`. */
static bool is_temporary_of(const char *name, const char *base)
{
    if (!g_str_has_prefix(name, base) || !g_str_has_suffix(name, ".tmp")) {
        return false;
    }
    const char *rest = name + strlen(base);
    if (*rest++ != '.' || !g_ascii_isdigit(*rest)) {
        return false;
    }
    while (g_ascii_isdigit(*rest)) {
        rest++;
    }
    return *rest == '-' && strlen(rest) == strlen("-XXXXXX.tmp");
}

/* Removes what killed runs have left: temporary files that nobody holds a lock on. */
static void remove_stale(const CmkStoreWriter *writer)
{
    g_autofree char *base = g_path_get_basename(writer->path);
    g_autoptr(GDir) directory = g_dir_open(writer->directory, 0, NULL);
    const char *name = NULL;
    while (directory != NULL && (name = g_dir_read_name(directory)) != NULL) {
        if (!is_temporary_of(name, base)) {
            continue;
        }
        g_autofree char *path = g_build_filename(writer->directory, name, NULL);
        const int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
        if (fd >= 0) {
            if (lock(fd)) {
                (void)unlink(path);
            }
            (void)close(fd);
        }
    }
}

/* Between the making of a file and its lock, another run may have taken it for a stale one. */
static bool is_still_there(const char *path, int fd)
{
    struct stat by_name;
    struct stat by_fd;
    return stat(path, &by_name) == 0 && fstat(fd, &by_fd) == 0 && by_name.st_ino == by_fd.st_ino &&
           by_name.st_dev == by_fd.st_dev;
}

static bool make_temporary(CmkStoreWriter *writer)
{
    for (uint32_t i = 0; i < NAMING_TRIES_MAX; i++) {
        g_autofree char *name = g_strdup_printf("%s.%d-XXXXXX.tmp", writer->path, (int)getpid());
        const int fd = g_mkstemp_full(name, O_RDWR | O_CLOEXEC, 0666);
        if (fd < 0) {
            fail_errno(writer, "cannot make a file there", errno);
            return false;
        }
        if (lock(fd) && is_still_there(name, fd)) {
            writer->fd = fd;
            writer->temporary = g_steal_pointer(&name);
            return true;
        }
        (void)unlink(name);
        (void)close(fd);
    }
    fail(writer, "cannot lock a file there");
    return false;
}

static void remove_temporary(CmkStoreWriter *writer)
{
    if (writer->temporary != NULL) {
        (void)unlink(writer->temporary);
        g_clear_pointer(&writer->temporary, g_free);
    }
    if (writer->fd >= 0) {
        (void)close(writer->fd);
        writer->fd = -1;
    }
}

/* The name becomes durable with the directory that holds it; some file systems cannot do that. */
static int sync_directory(const char *path)
{
    const int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    const int code = fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
    (void)close(fd);
    return code;
}

static void name_file(CmkStoreWriter *writer)
{
    if (fsync(writer->fd) != 0) {
        fail_errno(writer, "cannot be written to the disk", errno);
        return;
    }
    if (rename(writer->temporary, writer->path) != 0) {
        fail_errno(writer, "cannot be given its name", errno);
        return;
    }
    g_clear_pointer(&writer->temporary, g_free);
    const int code = sync_directory(writer->directory);
    if (code != 0) {
        fail_errno(writer, "the directory cannot be written to the disk", code);
        (void)unlink(writer->path);
    }
}

/* ---- a batch as a virtual table -------------------------------------------------------------- */
/* INSERT INTO job SELECT * FROM batch_job: a statement per batch instead of one per row. */

typedef struct BatchTable {
    sqlite3_vtab base;
    const Source *source;
} BatchTable;

typedef struct BatchCursor {
    sqlite3_vtab_cursor base;
    const CmkStoreColumn *columns;
    const unsigned char *row;
    const unsigned char *end;
    size_t row_size;
} BatchCursor;

static int batch_connect(sqlite3 *db, void *data, int argc, const char *const *argv,
                         sqlite3_vtab **ret_table, char **ret_error)
{
    (void)argc;
    (void)argv;
    (void)ret_error;
    const Source *source = data;
    g_autoptr(GString) sql = g_string_new("CREATE TABLE x(");
    for (uint32_t i = 0; i < source->shape->column_count; i++) {
        g_string_append_printf(sql, "%sc%u INTEGER", i == 0 ? "" : ", ", i);
    }
    g_string_append_c(sql, ')');
    const int code = sqlite3_declare_vtab(db, sql->str);
    if (code == SQLITE_OK) {
        BatchTable *table = g_new0(BatchTable, 1);
        table->source = source;
        *ret_table = &table->base;
    }
    return code;
}

static int batch_disconnect(sqlite3_vtab *table)
{
    g_free(table);
    return SQLITE_OK;
}

static int batch_best_index(sqlite3_vtab *table, sqlite3_index_info *info)
{
    (void)table;
    info->estimatedRows = BATCH_ROWS;
    info->estimatedCost = BATCH_ROWS;
    return SQLITE_OK;
}

static int batch_open(sqlite3_vtab *table, sqlite3_vtab_cursor **ret_cursor)
{
    (void)table;
    BatchCursor *cursor = g_new0(BatchCursor, 1);
    *ret_cursor = &cursor->base;
    return SQLITE_OK;
}

static int batch_close(sqlite3_vtab_cursor *cursor)
{
    g_free(cursor);
    return SQLITE_OK;
}

static int batch_filter(sqlite3_vtab_cursor *base, int number, const char *text, int argc,
                        sqlite3_value **argv)
{
    (void)number;
    (void)text;
    (void)argc;
    (void)argv;
    BatchCursor *cursor = (BatchCursor *)base;
    const Source *source = ((const BatchTable *)base->pVtab)->source;
    cursor->columns = source->shape->columns;
    cursor->row_size = source->shape->row_size;
    cursor->row = source->batch->rows;
    cursor->end = cursor->row + cursor->row_size * source->batch->count;
    return SQLITE_OK;
}

static int batch_next(sqlite3_vtab_cursor *base)
{
    BatchCursor *cursor = (BatchCursor *)base;
    cursor->row += cursor->row_size;
    return SQLITE_OK;
}

static int batch_eof(sqlite3_vtab_cursor *base)
{
    const BatchCursor *cursor = (const BatchCursor *)base;
    return cursor->row == cursor->end;
}

static int64_t value_of(const unsigned char *cell, uint8_t size)
{
    if (size == sizeof(uint32_t)) {
        uint32_t value = 0;
        memcpy(&value, cell, sizeof(value));
        return value;
    }
    if (size == sizeof(uint16_t)) {
        uint16_t value = 0;
        memcpy(&value, cell, sizeof(value));
        return value;
    }
    int64_t value = 0;
    memcpy(&value, cell, sizeof(value));
    return value;
}

static int batch_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int number)
{
    const BatchCursor *cursor = (const BatchCursor *)base;
    const CmkStoreColumn *column = &cursor->columns[number];
    const int64_t value = value_of(cursor->row + column->offset, column->size);
    if ((column->null != CMK_STORE_NULL_IF_ZERO || value != 0) &&
        (column->null != CMK_STORE_NULL_IF_NEGATIVE || value >= 0)) {
        sqlite3_result_int64(context, value);
    }
    return SQLITE_OK;
}

static int batch_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret_rowid)
{
    const BatchCursor *cursor = (const BatchCursor *)base;
    *ret_rowid = (cursor->end - cursor->row) / (ptrdiff_t)cursor->row_size;
    return SQLITE_OK;
}

static const sqlite3_module batch_module = {
    .xConnect = batch_connect,
    .xDisconnect = batch_disconnect,
    .xBestIndex = batch_best_index,
    .xOpen = batch_open,
    .xClose = batch_close,
    .xFilter = batch_filter,
    .xNext = batch_next,
    .xEof = batch_eof,
    .xColumn = batch_column,
    .xRowid = batch_rowid,
};

/* ---- the writing thread ---------------------------------------------------------------------- */

static int prepare_insert(CmkStoreWriter *writer, CmkStoreTable table)
{
    const char *name = cmk_store_table_shape(table)->name;
    g_autofree char *module = g_strdup_printf("batch_%s", name);
    g_autofree char *sql = g_strdup_printf("INSERT INTO %s SELECT * FROM %s", name, module);
    writer->sources[table].shape = cmk_store_table_shape(table);
    int code = sqlite3_create_module(writer->db, module, &batch_module, &writer->sources[table]);
    if (code == SQLITE_OK) {
        code = sqlite3_prepare_v3(writer->db, sql, -1, SQLITE_PREPARE_PERSISTENT,
                                  &writer->inserts[table], NULL);
    }
    return code;
}

static int execute(CmkStoreWriter *writer, const char *sql)
{
    return sqlite3_exec(writer->db, sql, NULL, NULL, NULL);
}

static int prepare_database(CmkStoreWriter *writer)
{
    int code = sqlite3_open_v2(writer->temporary, &writer->db,
                               SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK) {
        code = execute(writer, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                               "PRAGMA locking_mode = EXCLUSIVE; PRAGMA temp_store = MEMORY;"
                               "PRAGMA encoding = 'UTF-8'; PRAGMA cache_size = -16384; BEGIN");
    }
    if (code == SQLITE_OK) {
        g_autofree char *sql = cmk_store_sql_create();
        code = execute(writer, sql);
    }
    for (uint32_t table = 0; code == SQLITE_OK && table < CMK_STORE_TABLE__COUNT; table++) {
        code = prepare_insert(writer, table);
    }
    return code;
}

/* The next full batch; NULL when there will be none any more. */
static Batch *take_full(CmkStoreWriter *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    while (writer->full_first == NULL && !writer->is_closing) {
        (void)pthread_cond_wait(&writer->has_full, &writer->mutex);
    }
    Batch *batch = writer->full_first;
    if (batch != NULL) {
        writer->full_first = batch->next;
        writer->full_last = batch->next == NULL ? NULL : writer->full_last;
    }
    (void)pthread_mutex_unlock(&writer->mutex);
    return batch;
}

static void give_back(CmkStoreWriter *writer, Batch *batch)
{
    (void)pthread_mutex_lock(&writer->mutex);
    batch->next = writer->empty;
    writer->empty = batch;
    (void)pthread_cond_signal(&writer->has_empty);
    (void)pthread_mutex_unlock(&writer->mutex);
}

static int write_batch(CmkStoreWriter *writer, const Batch *batch)
{
    sqlite3_stmt *insert = writer->inserts[batch->table];
    writer->sources[batch->table].batch = batch;
    int code = sqlite3_step(insert);
    (void)sqlite3_reset(insert);
    code = code == SQLITE_DONE ? SQLITE_OK : code;
    if (code == SQLITE_OK && ++writer->batches_in_transaction == BATCHES_PER_TRANSACTION) {
        writer->batches_in_transaction = 0;
        code = execute(writer, "COMMIT; BEGIN");
    }
    return code;
}

static int complete_database(CmkStoreWriter *writer)
{
    int code = writer->fill == NULL ? SQLITE_OK : writer->fill(writer->fill_self, writer->db);
    if (code == SQLITE_OK) {
        g_autofree char *sql = cmk_store_sql_complete();
        code = execute(writer, sql);
    }
    return code == SQLITE_OK ? execute(writer, "COMMIT") : code;
}

static void close_database(CmkStoreWriter *writer)
{
    for (uint32_t table = 0; table < CMK_STORE_TABLE__COUNT; table++) {
        (void)sqlite3_finalize(writer->inserts[table]);
    }
    const int code = sqlite3_close(writer->db);
    if (code != SQLITE_OK) {
        fail_sqlite(writer, code);
    }
    writer->db = NULL;
}

static void *write_all(void *data)
{
    CmkStoreWriter *writer = data;
    int code = prepare_database(writer);
    if (code != SQLITE_OK) {
        fail_sqlite(writer, code);
    }
    Batch *batch = NULL;
    while ((batch = take_full(writer)) != NULL) {
        code = atomic_load(&writer->has_failed) ? SQLITE_OK : write_batch(writer, batch);
        if (code != SQLITE_OK) {
            fail_sqlite(writer, code);
        }
        give_back(writer, batch);
    }
    if (!atomic_load(&writer->has_failed)) {
        code = complete_database(writer);
        if (code != SQLITE_OK) {
            fail_sqlite(writer, code);
        }
    }
    close_database(writer);
    return NULL;
}

/* ---- the filling thread ---------------------------------------------------------------------- */

static size_t row_size_max(void)
{
    size_t size = 0;
    for (uint32_t table = 0; table < CMK_STORE_TABLE__COUNT; table++) {
        size = MAX(size, cmk_store_table_shape(table)->row_size);
    }
    return size;
}

/* Signals are for the thread that simulates: a file that grows too large is an error here. */
static void start_thread(CmkStoreWriter *writer)
{
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    const int code = pthread_create(&writer->thread, NULL, write_all, writer);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    writer->has_thread = code == 0;
    if (code != 0) {
        fail_errno(writer, "cannot start a thread", code);
    }
}

CmkStoreWriter *cmk_store_writer_open(const char *path)
{
    CmkStoreWriter *writer = g_new0(CmkStoreWriter, 1);
    writer->path = g_strdup(path);
    writer->directory = g_path_get_dirname(path);
    writer->fd = -1;
    atomic_init(&writer->has_failed, false);
    (void)pthread_mutex_init(&writer->mutex, NULL);
    (void)pthread_cond_init(&writer->has_full, NULL);
    (void)pthread_cond_init(&writer->has_empty, NULL);
    for (uint32_t i = 0; i < BATCHES; i++) {
        Batch *batch = g_malloc(sizeof(Batch) + BATCH_ROWS * row_size_max());
        batch->next = writer->empty;
        writer->empty = batch;
    }
    if (g_mkdir_with_parents(writer->directory, 0777) != 0) {
        fail_errno(writer, "cannot make the directory", errno);
        return writer;
    }
    remove_stale(writer);
    if (make_temporary(writer)) {
        start_thread(writer);
    }
    return writer;
}

static void push_full(CmkStoreWriter *writer, Batch *batch)
{
    (void)pthread_mutex_lock(&writer->mutex);
    batch->next = NULL;
    if (writer->full_last == NULL) {
        writer->full_first = batch;
    } else {
        writer->full_last->next = batch;
    }
    writer->full_last = batch;
    (void)pthread_cond_signal(&writer->has_full);
    (void)pthread_mutex_unlock(&writer->mutex);
}

static Batch *take_empty(CmkStoreWriter *writer, CmkStoreTable table)
{
    (void)pthread_mutex_lock(&writer->mutex);
    while (writer->empty == NULL) {
        (void)pthread_cond_wait(&writer->has_empty, &writer->mutex);
    }
    Batch *batch = writer->empty;
    writer->empty = batch->next;
    (void)pthread_mutex_unlock(&writer->mutex);
    batch->next = NULL;
    batch->table = table;
    batch->count = 0;
    return batch;
}

void *cmk_store_writer_row(CmkStoreWriter *writer, CmkStoreTable table)
{
    if (atomic_load_explicit(&writer->has_failed, memory_order_relaxed)) {
        return NULL;
    }
    Batch *batch = writer->filling[table];
    if (batch == NULL || batch->count == BATCH_ROWS) {
        if (batch != NULL) {
            push_full(writer, batch);
        }
        batch = take_empty(writer, table);
        writer->filling[table] = batch;
    }
    return batch->rows + (size_t)cmk_store_table_shape(table)->row_size * batch->count++;
}

bool cmk_store_writer_has_failed(CmkStoreWriter *writer)
{
    return atomic_load(&writer->has_failed);
}

static void end_thread(CmkStoreWriter *writer)
{
    for (uint32_t table = 0; table < CMK_STORE_TABLE__COUNT; table++) {
        if (writer->filling[table] != NULL) {
            push_full(writer, writer->filling[table]);
            writer->filling[table] = NULL;
        }
    }
    (void)pthread_mutex_lock(&writer->mutex);
    writer->is_closing = true;
    (void)pthread_cond_signal(&writer->has_full);
    (void)pthread_mutex_unlock(&writer->mutex);
    if (writer->has_thread) {
        (void)pthread_join(writer->thread, NULL);
    }
}

static void free_batches(Batch *batch)
{
    while (batch != NULL) {
        Batch *next = batch->next;
        g_free(batch);
        batch = next;
    }
}

static void free_writer(CmkStoreWriter *writer)
{
    remove_temporary(writer);
    free_batches(writer->empty);
    free_batches(writer->full_first); /* where there was no thread */
    (void)pthread_cond_destroy(&writer->has_empty);
    (void)pthread_cond_destroy(&writer->has_full);
    (void)pthread_mutex_destroy(&writer->mutex);
    g_free(writer->reason);
    g_free(writer->directory);
    g_free(writer->path);
    g_free(writer);
}

bool cmk_store_writer_close(CmkStoreWriter *writer, CmkStoreFill fill, void *self, GError **error)
{
    writer->fill = fill;
    writer->fill_self = self;
    end_thread(writer);
    if (!cmk_store_writer_has_failed(writer)) {
        name_file(writer);
    }
    const bool is_good = !cmk_store_writer_has_failed(writer);
    if (!is_good) {
        g_set_error(error, CMK_STORE_ERROR, CMK_STORE_ERROR_WRITE, "%s: not written: %s",
                    writer->path, writer->reason);
    }
    free_writer(writer);
    return is_good;
}

void cmk_store_writer_abort(CmkStoreWriter *writer)
{
    fail(writer, "abandoned");
    end_thread(writer);
    free_writer(writer);
}
