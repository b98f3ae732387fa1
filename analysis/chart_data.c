#include "analysis/chart_data.h"

#include <string.h>

#include "analysis/store.h"
#include "analysis/store_schema.h"
#include "models/entities.h"

/* Runs shorter than this are shown by the hour. */
#define HOURS_BELOW (4 * CMK_DAY_US)
#define DAY_BINS_MAX 120

/* What a database says is bounded, so that arithmetic with it cannot overflow: the year 38500. */
#define TIME_MAX ((CmkTime)1 << 60)
#define COUNT_MAX ((int64_t)1 << 40)

/* Reads all rows of one query with one function. */
typedef void (*ReadRow)(CmkChartData *data, sqlite3_stmt *row);

static char *column_text(sqlite3_stmt *row, int column)
{
    const unsigned char *text = sqlite3_column_text(row, column);
    return g_strdup(text == NULL ? "" : (const char *)text);
}

static bool read_all(CmkChartData *data, sqlite3_stmt *statement, ReadRow read, GError **error)
{
    GError *failure = NULL;
    while (statement != NULL && cmk_store_step(statement, &failure)) {
        read(data, statement);
    }
    if (failure != NULL) {
        g_propagate_error(error, failure);
        return false;
    }
    return statement != NULL;
}

static bool read_query(CmkChartData *data, sqlite3 *db, const char *sql, ReadRow read,
                       GError **error)
{
    g_autoptr(sqlite3_stmt) statement = cmk_store_prepare(db, sql, error);
    return read_all(data, statement, read, error);
}

/* ---- the run and its bins -------------------------------------------------------------------- */

static void align_bins(CmkChartData *data, CmkTime most)
{
    const CmkTime aligned_to = MIN(data->bin_us, CMK_DAY_US);
    data->first_bin = data->start - data->start % aligned_to;
    const CmkTime bins = (data->end - data->first_bin + data->bin_us - 1) / data->bin_us;
    data->bin_count = (uint32_t)CLAMP(bins, 1, most);
}

static void choose_bins(CmkChartData *data)
{
    const CmkTime length = data->end - data->start;
    const CmkTime week_us = 7 * CMK_DAY_US;
    if (length < HOURS_BELOW) {
        data->bin_us = CMK_HOUR_US;
    } else if (length <= DAY_BINS_MAX * CMK_DAY_US) {
        data->bin_us = CMK_DAY_US;
    } else {
        const CmkTime weeks =
            (length + week_us * CMK_CHART_BINS_MAX - 1) / (week_us * CMK_CHART_BINS_MAX);
        data->bin_us = weeks * week_us;
    }
    align_bins(data, CMK_ARRAY_LEN(data->bins));
}

/* Loads are kept by the minute, so theirs can be finer: the first of these that fits, else as many
 * weeks as it takes. */
static void choose_load_bins(CmkChartData *data)
{
    static const CmkTime sizes[] = {CMK_MINUTE_US, 10 * CMK_MINUTE_US, CMK_HOUR_US, CMK_DAY_US,
                                    7 * CMK_DAY_US};
    const CmkTime length = data->end - data->start;
    const CmkTime week_us = 7 * CMK_DAY_US;
    const CmkTime weeks = length / (week_us * CMK_CHART_LOADS_MAX) + 1;
    data->bin_us = weeks * week_us;
    for (size_t i = CMK_ARRAY_LEN(sizes); i-- > 0;) {
        data->bin_us = length / sizes[i] <= CMK_CHART_LOADS_MAX ? sizes[i] : data->bin_us;
    }
    align_bins(data, CMK_ARRAY_LEN(data->loads));
}

static void read_run(CmkChartData *data, sqlite3_stmt *row)
{
    data->scenario = column_text(row, 0);
    data->seed = column_text(row, 1);
    data->digest = column_text(row, 2);
    data->verdict = column_text(row, 3);
    data->start = CLAMP(sqlite3_column_int64(row, 4), 0, TIME_MAX);
    data->end = CLAMP(sqlite3_column_int64(row, 5), 0, TIME_MAX);
    data->job_count = sqlite3_column_int64(row, 6);
    data->failed_count = sqlite3_column_int64(row, 7);
    data->silent_count = sqlite3_column_int64(row, 8);
    if (data->end < data->start + CMK_HOUR_US) {
        data->end = data->start + CMK_HOUR_US; /* a run that ended before it began */
    }
    choose_bins(data);
}

static void read_load(CmkChartData *data, sqlite3_stmt *row)
{
    const CmkTime minute = CLAMP(sqlite3_column_int64(row, 0), 0, TIME_MAX);
    if (minute + CMK_MINUTE_US <= data->start || minute > data->end) {
        return;
    }
    const CmkTime index = MAX(minute - data->first_bin, 0) / data->bin_us;
    CmkChartLoad *load = &data->loads[MIN(index, (CmkTime)data->bin_count - 1)];
    load->answered += CLAMP(sqlite3_column_int64(row, 1), 0, COUNT_MAX);
    load->throttled += CLAMP(sqlite3_column_int64(row, 2), 0, COUNT_MAX);
    load->refused += CLAMP(sqlite3_column_int64(row, 3), 0, COUNT_MAX);
    load->peak_ppm = MAX(load->peak_ppm, CLAMP(sqlite3_column_int64(row, 4), 0, COUNT_MAX));
}

/* A job that ends in the last instant counts in the last bin; what ended before is set-up. */
static void read_jobs(CmkChartData *data, sqlite3_stmt *row)
{
    const CmkTime hour = CLAMP(sqlite3_column_int64(row, 0), 0, TIME_MAX);
    const int64_t count = CLAMP(sqlite3_column_int64(row, 3), 0, COUNT_MAX);
    if (hour + CMK_HOUR_US <= data->start || hour > data->end) {
        return;
    }
    const CmkTime index = MAX(hour - data->first_bin, 0) / data->bin_us;
    CmkChartBin *bin = &data->bins[MIN(index, (CmkTime)data->bin_count - 1)];
    const bool has_failed = strcmp((const char *)sqlite3_column_text(row, 1), "failed") == 0;
    int64_t *sum = !has_failed                         ? &bin->completed
                   : sqlite3_column_int64(row, 2) == 1 ? &bin->reported
                                                       : &bin->unseen;
    *sum += count;
}

/* ---- lanes ----------------------------------------------------------------------------------- */

static void add_span(const CmkChartData *data, GArray *spans, CmkChartSpan span)
{
    span.from = MAX(span.from, data->start);
    span.to = MIN(span.to, data->end);
    if (span.from <= span.to && span.to >= data->start && span.from < data->end) {
        g_array_append_val(spans, span);
    }
}

static void read_vault(CmkChartData *data, sqlite3_stmt *row)
{
    g_ptr_array_add(data->vaults, column_text(row, 0));
}

static void read_vault_count(CmkChartData *data, sqlite3_stmt *row)
{
    data->vault_count = sqlite3_column_int64(row, 0);
}

/* Columns 0 and 1 of a row: from_us, and to_us or NULL. */
static CmkChartSpan read_span(const CmkChartData *data, sqlite3_stmt *row)
{
    const bool is_open = sqlite3_column_type(row, 1) == SQLITE_NULL;
    return (CmkChartSpan){.from = sqlite3_column_int64(row, 0),
                          .to = is_open ? data->end : sqlite3_column_int64(row, 1),
                          .is_open = is_open};
}

static void read_state(CmkChartData *data, sqlite3_stmt *row)
{
    g_autofree char *state = column_text(row, 2);
    CmkChartSpan span = read_span(data, row);
    span.state = cmk_store_code("encryption_state", state);
    span.lane = (uint32_t)sqlite3_column_int64(row, 3);
    add_span(data, data->states, span);
}

static bool read_states(CmkChartData *data, sqlite3 *db, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = cmk_store_prepare(
        db,
        "SELECT from_us, to_us, state, ?2 FROM v_state_intervals WHERE backup_vault = ?1"
        " ORDER BY from_us, from_seq",
        error);
    bool is_good = statement != NULL;
    for (guint lane = 0; is_good && lane < data->vaults->len; lane++) {
        const char *vault = g_ptr_array_index(data->vaults, lane);
        (void)sqlite3_reset(statement);
        (void)sqlite3_bind_text(statement, 1, vault, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(statement, 2, lane);
        is_good = read_all(data, statement, read_state, error);
    }
    return is_good;
}

static void read_window(CmkChartData *data, sqlite3_stmt *row)
{
    g_autofree char *fault = column_text(row, 2);
    CmkChartSpan span = read_span(data, row);
    guint lane = data->faults->len;
    if (!g_ptr_array_find_with_equal_func(data->faults, fault, g_str_equal, &lane)) {
        if (data->faults->len == CMK_CHART_FAULTS_MAX) {
            return;
        }
        g_ptr_array_add(data->faults, g_steal_pointer(&fault));
    }
    span.lane = lane;
    add_span(data, data->windows, span);
}

static void read_fault_count(CmkChartData *data, sqlite3_stmt *row)
{
    data->fault_count = sqlite3_column_int64(row, 0);
}

/* The run itself, and its faults: what all charts show. */
static bool read_frame(CmkChartData *data, sqlite3 *db, GError **error)
{
    return read_query(data, db,
                      "SELECT scenario, seed, digest, verdict, start_us, end_us, job_count,"
                      " failed_job_count, silent_failure_count FROM v_run",
                      read_run, error) &&
           read_query(data, db,
                      "SELECT from_us, to_us, fault FROM v_fault_windows"
                      " ORDER BY from_us, from_seq",
                      read_window, error) &&
           read_query(data, db, "SELECT count(DISTINCT fault) FROM v_fault_windows",
                      read_fault_count, error);
}

static bool read_outcomes(CmkChartData *data, sqlite3 *db, GError **error)
{
    return read_frame(data, db, error) &&
           read_query(data, db,
                      "SELECT hour_us, status, is_seen, sum(count) FROM v_jobs_by_hour"
                      " WHERE status IN ('completed', 'completed_with_warnings', 'failed')"
                      " GROUP BY hour_us, status, is_seen ORDER BY hour_us",
                      read_jobs, error) &&
           /* Of many vaults, those that were in trouble for longest; shown in order of creation. */
           read_query(data, db,
                      "SELECT backup_vault FROM (SELECT backup_vault, min(from_seq) AS first"
                      " FROM v_state_intervals GROUP BY backup_vault ORDER BY"
                      " sum(CASE state WHEN 'Inconsistent' THEN duration_us ELSE 0 END) DESC,"
                      " count(*) DESC, first, backup_vault"
                      " LIMIT " G_STRINGIFY(CMK_CHART_VAULTS_MAX) ") ORDER BY first, backup_vault",
                      read_vault, error) &&
           read_query(data, db, "SELECT count(DISTINCT backup_vault) FROM v_state_intervals",
                      read_vault_count, error) &&
           read_states(data, db, error);
}

static bool read_loads(CmkChartData *data, sqlite3 *db, GError **error)
{
    if (!read_frame(data, db, error)) {
        return false;
    }
    choose_load_bins(data);
    return read_query(data, db,
                      "SELECT minute_us, sum(answered), sum(throttled), sum(refused),"
                      " max(peak_ppm) FROM v_request_load GROUP BY minute_us ORDER BY minute_us",
                      read_load, error);
}

static CmkChartData *chart_data_new(void)
{
    CmkChartData *data = g_new0(CmkChartData, 1);
    data->bin_us = CMK_DAY_US;
    data->vaults = g_ptr_array_new_with_free_func(g_free);
    data->faults = g_ptr_array_new_with_free_func(g_free);
    data->states = g_array_new(FALSE, FALSE, sizeof(CmkChartSpan));
    data->windows = g_array_new(FALSE, FALSE, sizeof(CmkChartSpan));
    return data;
}

static CmkChartData *read_with(const char *db_path,
                               bool (*read)(CmkChartData *data, sqlite3 *db, GError **error),
                               GError **error)
{
    g_autoptr(sqlite3) db = cmk_store_open_to_read(db_path, error);
    if (db == NULL) {
        return NULL;
    }
    CmkChartData *data = chart_data_new();
    bool is_good = read(data, db, error);
    if (!is_good) {
        g_prefix_error(error, "%s: ", db_path);
    } else if (data->scenario == NULL) {
        g_set_error(error, CMK_STORE_ERROR, CMK_STORE_ERROR_READ, "%s: has no run in it", db_path);
        is_good = false;
    }
    if (!is_good) {
        cmk_chart_data_free(data);
        return NULL;
    }
    return data;
}

CmkChartData *cmk_chart_data_read(const char *db_path, GError **error)
{
    return read_with(db_path, read_outcomes, error);
}

CmkChartData *cmk_chart_data_read_loads(const char *db_path, GError **error)
{
    return read_with(db_path, read_loads, error);
}

void cmk_chart_data_free(CmkChartData *data)
{
    if (data == NULL) {
        return;
    }
    g_ptr_array_unref(data->vaults);
    g_ptr_array_unref(data->faults);
    g_array_unref(data->states);
    g_array_unref(data->windows);
    g_free(data->scenario);
    g_free(data->seed);
    g_free(data->digest);
    g_free(data->verdict);
    g_free(data);
}
