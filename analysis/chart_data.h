/*
 * What the charts show, taken from the views of a run's database.
 *
 * Must not know: gnuplot, pixels, colours.
 */
#ifndef CMK_ANALYSIS_CHART_DATA_H
#define CMK_ANALYSIS_CHART_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include <glib.h>

#include "sim/base.h"

#define CMK_CHART_VAULTS_MAX 12
#define CMK_CHART_FAULTS_MAX 8
#define CMK_CHART_BINS_MAX 120
#define CMK_CHART_LOADS_MAX 240

/* Jobs that ended in one bin of time. */
typedef struct CmkChartBin {
    int64_t completed;
    int64_t reported; /* failed, and listed for people to see */
    int64_t unseen;   /* failed, and shown nowhere */
} CmkChartBin;

/* Requests to key vaults in one bin of time. */
typedef struct CmkChartLoad {
    int64_t answered;
    int64_t throttled;
    int64_t refused;  /* for any other reason */
    int64_t peak_ppm; /* of what a key vault answers in its window: asked for in the busiest one */
} CmkChartLoad;

/* A stretch of time in a lane; cut to the time that is shown. */
typedef struct CmkChartSpan {
    CmkTime from;
    CmkTime to;
    uint32_t lane;
    uint32_t state;   /* CmkEncryption; 0 for a fault */
    uint32_t is_open; /* 1: it lasted when the run ended */
    uint32_t reserved;
} CmkChartSpan;

typedef struct CmkChartData {
    char *scenario;
    char *seed;
    char *digest;
    char *verdict;
    int64_t job_count;
    int64_t failed_count;
    int64_t silent_count;
    CmkTime start; /* what is shown */
    CmkTime end;
    CmkTime bin_us;
    CmkTime first_bin; /* where the first bin begins, not after start */
    uint32_t bin_count;
    CmkChartBin bins[CMK_CHART_BINS_MAX + 2];
    CmkChartLoad loads[CMK_CHART_LOADS_MAX + 2];
    GPtrArray *vaults; /* of char *: the lanes, at most CMK_CHART_VAULTS_MAX */
    GArray *states;    /* of CmkChartSpan */
    int64_t vault_count;
    GPtrArray *faults; /* of char *: the lanes, at most CMK_CHART_FAULTS_MAX */
    GArray *windows;   /* of CmkChartSpan; those of more faults are not there */
    int64_t fault_count;
} CmkChartData;

/* For the chart of outcomes, and for that of requests, which has loads in place of bins, and no
 * lanes of Backup vaults. NULL and CMK_STORE_ERROR if the database cannot be read. */
CmkChartData *cmk_chart_data_read(const char *db_path, GError **error);
CmkChartData *cmk_chart_data_read_loads(const char *db_path, GError **error);

/* Accepts NULL. */
void cmk_chart_data_free(CmkChartData *data);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CmkChartData, cmk_chart_data_free)

#endif
