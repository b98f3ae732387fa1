/*
 * The chart of outcomes. The script is what is compared, not the picture: fonts differ between
 * machines. tests/unit/analysis/chart_outcomes.gnuplot is the script of one database; where it
 * should change, run the tests with CMK_UPDATE_GOLDEN=1 and look at the difference.
 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include <glib/gstdio.h>
#include <sqlite3.h>

#include "analysis/chart.h"
#include "tests/unit/analysis/sample_run.h"

#define GOLDEN "tests/unit/analysis/chart_outcomes.gnuplot"
#define DAY(n) (SAMPLE_START + (n)*CMK_DAY_US)
#define WIDTH 1000.0

static void tell(const SampleStory *story)
{
    g_autoptr(GError) error = NULL;
    cr_assert(sample_tell(story, &error), "%s", error == NULL ? "" : error->message);
}

static GString *script_of(const char *path, CmkChartFormat format)
{
    g_autoptr(GError) error = NULL;
    GString *script = g_string_new(NULL);
    cr_assert(cmk_chart_outcomes_script(path, format, script, &error), "%s",
              error == NULL ? "" : error->message);
    return script;
}

/* ---- one script, whole ----------------------------------------------------------------------- */

Test(chart, script_is_as_before)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    const SampleStory story = {
        .path = path,
        .name = "two faults in ten days",
        .length = 10 * CMK_DAY_US,
        .vaults = 3,
        .backup_every = 8 * CMK_HOUR_US,
        .faults = {{"revoke", DAY(2), DAY(5), 1}, {"never mended", DAY(8), -1, 3}}};
    tell(&story);
    g_autoptr(GString) script = script_of(path, CMK_CHART_SVG);
    if (getenv("CMK_UPDATE_GOLDEN") != NULL) {
        cr_assert(g_file_set_contents(GOLDEN, script->str, -1, NULL));
    }
    g_autofree char *golden = NULL;
    cr_assert(g_file_get_contents(GOLDEN, &golden, NULL, NULL));
    g_auto(GStrv) expected = g_strsplit(golden, "\n", -1);
    g_auto(GStrv) found = g_strsplit(script->str, "\n", -1);
    for (size_t i = 0; expected[i] != NULL || found[i] != NULL; i++) {
        cr_assert(g_strcmp0(expected[i], found[i]) == 0,
                  "line %zu:\n  found:    %s\n  expected: %s", i + 1,
                  found[i] == NULL ? "the end" : found[i],
                  expected[i] == NULL ? "the end" : expected[i]);
    }
    sample_remove(directory);
}

/* ---- requests -------------------------------------------------------------------------------- */

/* Puts what was asked of a key vault into a finished database. */
static void put_load(sqlite3 *db, CmkTime minute, int answered, int throttled, int refused, int ppm)
{
    g_autofree char *sql = g_strdup_printf("INSERT INTO request_minute VALUES (%" G_GINT64_FORMAT
                                           ", 1, %d, %d, %d, %d)",
                                           minute, answered, throttled, refused, ppm);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
}

static char *requests_of(const char *path, CmkTime length)
{
    const SampleStory story = {
        .path = path, .name = "requests", .length = length, .backup_every = length};
    tell(&story);
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    put_load(db, SAMPLE_START, 10, 200, 3, 2500000);
    put_load(db, SAMPLE_START + CMK_MINUTE_US, 5, 0, 0, 40000);
    put_load(db, SAMPLE_START + length, 7, 0, 0, 50000);
    cr_assert_eq(sqlite3_close(db), SQLITE_OK);
    g_autoptr(GError) error = NULL;
    GString *script = g_string_new(NULL);
    cr_assert(cmk_chart_requests_script(path, CMK_CHART_SVG, script, &error), "%s",
              error == NULL ? "" : error->message);
    return g_string_free(script, FALSE);
}

/* One row of data for each bin: middle, refused, and throttled, all, peak in %. What happens in the
 * last instant is in the last bin; sums and maxima over minutes where bins are longer. */
Test(chart, bins_of_requests_are_as_fine_as_the_run_is_short)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    const struct {
        CmkTime length;
        const char *title;
        const char *rows[3];
    } cases[] = {
        {2 * CMK_HOUR_US,
         "requests per minute",
         {"\n1740960030 3 203 213 250\n", "\n1740960090 0 0 5 4\n", "\n1740967170 0 0 7 5\n"}},
        {30 * CMK_HOUR_US,
         "requests per 10 minutes",
         {"\n1740960300 3 203 218 250\n", "\n1740960900 0 0 0 0\n", "\n1741067700 0 0 7 5\n"}},
        {9 * CMK_DAY_US,
         "requests per hour",
         {"\n1740961800 3 203 218 250\n", "\n1740965400 0 0 0 0\n", "\n1741735800 0 0 7 5\n"}},
        {200 * CMK_DAY_US, "requests per day", {"\n1741003200 3 203 218 250\n", "", ""}},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        g_autofree char *script = requests_of(path, cases[i].length);
        cr_expect_not_null(strstr(script, cases[i].title), "case %zu", i);
        for (size_t k = 0; k < CMK_ARRAY_LEN(cases[i].rows); k++) {
            cr_expect_not_null(strstr(script, cases[i].rows[k]), "case %zu, row %zu:\n%.900s", i, k,
                               script);
        }
        cr_expect_not_null(strstr(script, "n = 225 requests to key vaults: 22 answered, 200"
                                          " throttled, 3 refused"));
        cr_expect_not_null(strstr(script, "limit (100 %)"));
    }
    sample_remove(directory);
}

/* ---- pictures -------------------------------------------------------------------------------- */

static void ignore_element(GMarkupParseContext *context, const char *name, const char **attributes,
                           const char **values, gpointer data, GError **error)
{
    (void)context;
    (void)attributes;
    (void)values;
    (void)error;
    *(bool *)data = *(bool *)data || strcmp(name, "svg") == 0;
}

static void check_svg(const char *path)
{
    g_autofree char *text = NULL;
    g_autoptr(GError) error = NULL;
    cr_assert(g_file_get_contents(path, &text, NULL, NULL));
    const GMarkupParser parser = {.start_element = ignore_element};
    bool has_svg = false;
    GMarkupParseContext *context =
        g_markup_parse_context_new(&parser, (GMarkupParseFlags)0, &has_svg, NULL);
    const bool is_good = g_markup_parse_context_parse(context, text, -1, &error) &&
                         g_markup_parse_context_end_parse(context, &error);
    cr_expect(is_good && has_svg, "%s", error == NULL ? "no svg" : error->message);
    g_markup_parse_context_free(context);
}

/* Width and height from the head of a PNG. */
static void check_png(const char *path)
{
    g_autofree char *bytes = NULL;
    gsize size = 0;
    cr_assert(g_file_get_contents(path, &bytes, &size, NULL));
    cr_assert(size > 24 && memcmp(bytes, "\x89PNG", 4) == 0);
    guint32 head[2];
    memcpy(head, bytes + 16, sizeof(head));
    cr_expect_eq(GUINT32_FROM_BE(head[0]), 2000);
    cr_expect_geq(GUINT32_FROM_BE(head[1]), 1280);
}

/* Names that would be code, break a line or an XML file, if they got through. */
static const char *const evil_names[] = {
    "`touch hit`", "a'b''c\\", "two\nlines", "100% %d %s", "<b>&\"\"", "$x @y {/*9 z}_^",
};

Test(chart, draws_any_database)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    g_autofree char *svg = g_build_filename(directory, "new", "chart.SVG", NULL);
    g_autofree char *png = g_build_filename(directory, "chart.png", NULL);
    SampleStory stories[] = {
        {.name = "no vaults, no jobs, no faults", .length = CMK_DAY_US, .backup_every = CMK_DAY_US},
        {.name = "no time at all", .vaults = 1, .backup_every = CMK_DAY_US},
        {.name = "more vaults and faults than there are lanes",
         .length = 400 * CMK_DAY_US,
         .vaults = 20,
         .backup_every = 5 * CMK_DAY_US,
         .faults = {{"a", DAY(1), DAY(2), 1},
                    {"b", DAY(1), DAY(2), 2},
                    {"c", DAY(3), -1, 3},
                    {"d", DAY(1), DAY(200), 4},
                    {"e", DAY(399), -1, 5},
                    {"f", DAY(9), DAY(10), 6}}},
        {.name = "`touch hit`'; system('touch hit')\n\xff",
         .length = 9 * CMK_DAY_US,
         .vaults = 2,
         .backup_every = 6 * CMK_HOUR_US},
    };
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(evil_names); i++) {
        stories[3].faults[i] = (SampleFault){evil_names[i], DAY(i), DAY(i) + CMK_DAY_US, 1 + i % 2};
    }
    for (size_t i = 0; i < CMK_ARRAY_LEN(stories); i++) {
        stories[i].path = path;
        tell(&stories[i]);
        g_autoptr(GError) error = NULL;
        cr_expect(cmk_chart_outcomes(path, svg, &error), "%s: %s", stories[i].name,
                  error == NULL ? "" : error->message);
        cr_expect(cmk_chart_outcomes(path, png, &error), "%s: %s", stories[i].name,
                  error == NULL ? "" : error->message);
        check_svg(svg);
        check_png(png);
        cr_expect(cmk_chart_requests(path, svg, &error), "%s: %s", stories[i].name,
                  error == NULL ? "" : error->message);
        cr_expect(cmk_chart_requests(path, png, &error), "%s: %s", stories[i].name,
                  error == NULL ? "" : error->message);
        check_svg(svg);
        check_png(png);
    }
    cr_expect_not(g_file_test("hit", G_FILE_TEST_EXISTS));
    cr_expect_eq(sample_count_files(directory), 3);
    sample_remove(directory);
}

Test(chart, says_why_there_is_none)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    g_autofree char *other = g_build_filename(directory, "other.db", NULL);
    g_autofree char *out = g_build_filename(directory, "chart.svg", NULL);
    g_autofree char *pdf = g_build_filename(directory, "chart.pdf", NULL);
    const SampleStory story = {
        .path = path, .name = "x", .length = CMK_DAY_US, .vaults = 1, .backup_every = CMK_HOUR_US};
    tell(&story);
    cr_assert(g_file_set_contents(other, "not a database", -1, NULL));
    const struct {
        const char *program;
        const char *db;
        const char *out;
        GQuark domain;
        int code;
        const char *text;
    } cases[] = {
        {"/nowhere/gnuplot", path, out, CMK_CHART_ERROR, CMK_CHART_ERROR_MISSING,
         "no chart: the program /nowhere/gnuplot is not there (Debian: gnuplot-nox)"},
        {"/bin/false", path, out, CMK_CHART_ERROR, CMK_CHART_ERROR_FAILED, "refused the script"},
        {NULL, path, pdf, CMK_CHART_ERROR, CMK_CHART_ERROR_FORMAT, "a chart is an .svg or a .png"},
        {NULL, path, "/proc/none/chart.svg", CMK_CHART_ERROR, CMK_CHART_ERROR_SYSTEM, "/proc/none"},
        {NULL, other, out, CMK_STORE_ERROR, CMK_STORE_ERROR_FOREIGN, "is not an SQLite database"},
        {NULL, "/nowhere.db", out, CMK_STORE_ERROR, CMK_STORE_ERROR_READ, "No such file"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        g_autoptr(GError) error = NULL;
        cr_expect_not(cmk_chart_outcomes_by(cases[i].program, cases[i].db, cases[i].out, &error));
        cr_assert(g_error_matches(error, cases[i].domain, cases[i].code), "case %zu: %s", i,
                  error == NULL ? "no error" : error->message);
        cr_expect(strstr(error->message, cases[i].text) != NULL, "%s", error->message);
    }
    cr_expect_eq(sample_count_files(directory), 2);
    sample_remove(directory);
}

/* ---- nothing runs into anything -------------------------------------------------------------- */

typedef struct Box {
    double left;
    double right;
    double y;
} Box;

/* The names above the bars, as the script places them. */
static size_t read_boxes(const GString *script, Box boxes[], size_t max)
{
    size_t count = 0;
    g_auto(GStrv) lines = g_strsplit(script->str, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        const char *place = strstr(*line, "' at screen ");
        if (!g_str_has_prefix(*line, "set label '") || !g_str_has_suffix(*line, " boxed") ||
            place == NULL || count == max) {
            continue;
        }
        const char *name = *line + strlen("set label '");
        const double width = 6.9 * (double)g_utf8_strlen(name, place - name);
        char *rest = NULL;
        boxes[count].left = WIDTH * g_ascii_strtod(place + strlen("' at screen "), &rest);
        boxes[count].right = boxes[count].left + width;
        boxes[count].y = 640 * g_ascii_strtod(rest + strlen(", screen "), NULL);
        count++;
    }
    return count;
}

Test(chart, names_of_faults_do_not_overlap)
{
    static const char *const names[] = {"x", "revoke", "detach-user-identity",
                                        "a name that is much longer than anybody needs"};
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    for (uint32_t seed = 0; seed < 60; seed++) {
        GRand *random = g_rand_new_with_seed(seed);
        SampleStory story = {.path = path,
                             .name = "labels",
                             .length = 30 * CMK_DAY_US,
                             .vaults = 1,
                             .backup_every = CMK_DAY_US};
        const uint32_t count = 1 + seed % 4;
        for (uint32_t i = 0; i < count; i++) {
            const int32_t day = g_rand_int_range(random, 0, 30);
            story.faults[i] = (SampleFault){names[g_rand_int_range(random, 0, 4)], DAY(day),
                                            DAY(day + g_rand_int_range(random, 1, 8)), 0};
        }
        g_rand_free(random);
        tell(&story);
        g_autoptr(GString) script = script_of(path, CMK_CHART_SVG);
        Box boxes[8];
        const size_t found = read_boxes(script, boxes, CMK_ARRAY_LEN(boxes));
        cr_assert_eq(found, count, "seed %u: %zu names", seed, found);
        for (size_t i = 0; i < found; i++) {
            cr_expect(boxes[i].right <= WIDTH && boxes[i].left >= 0, "seed %u", seed);
            for (size_t j = 0; j < i; j++) {
                const bool is_apart = boxes[i].right < boxes[j].left ||
                                      boxes[j].right < boxes[i].left ||
                                      boxes[i].y - boxes[j].y > 12 || boxes[j].y - boxes[i].y > 12;
                cr_expect(is_apart, "seed %u: names %zu and %zu", seed, i, j);
            }
        }
    }
    sample_remove(directory);
}

/* The tics of the lowest panel: between two and fifteen, far enough apart for their labels. */
static void check_tics(const GString *script, CmkTime length)
{
    const char *at = g_strrstr(script->str, "set xtics nomirror (");
    cr_assert_not_null(at);
    at += strlen("set xtics nomirror (");
    g_autofree char *list = g_strndup(at, strcspn(at, ")"));
    g_auto(GStrv) tics = g_strsplit(list, ", ", -1);
    const guint count = g_strv_length(tics);
    cr_expect(count >= 2 && count <= 15, "%" G_GINT64_FORMAT " s: %u tics: %s",
              length / CMK_SECOND_US, count, list);
    double previous = -1e18;
    for (char **tic = tics; *tic != NULL; tic++) {
        const char *place = strrchr(*tic, '"');
        cr_assert_not_null(place, "%s", *tic);
        const double time = g_ascii_strtod(place + 1, NULL);
        const double pixels = (time - previous) * 890 / ((double)length / CMK_SECOND_US);
        cr_expect(pixels > 50, "%" G_GINT64_FORMAT " s: %s", length / CMK_SECOND_US, list);
        previous = time;
    }
}

Test(chart, any_length_of_time_has_readable_tics)
{
    static const CmkTime hours[] = {2,    5,    23,   24,   47,    49,    72,
                                    95,   96,   97,   240,  500,   720,   1440,
                                    2880, 2881, 4000, 8760, 17520, 43800, 200000};
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    for (size_t i = 0; i < CMK_ARRAY_LEN(hours); i++) {
        const CmkTime length = hours[i] * CMK_HOUR_US;
        const SampleStory story = {
            .path = path, .name = "tics", .length = length, .vaults = 1, .backup_every = length};
        tell(&story);
        g_autoptr(GString) script = script_of(path, CMK_CHART_SVG);
        check_tics(script, length);
        const char *block = strstr(script->str, "$JOBS << EOD\n");
        cr_assert_not_null(block);
        uint32_t bins = 0;
        for (const char *at = block + strlen("$JOBS << EOD\n"); !g_str_has_prefix(at, "EOD");
             at = strchr(at, '\n') + 1) {
            bins++;
        }
        cr_expect(bins >= 1 && bins <= 122, "%u bins", bins);
    }
    sample_remove(directory);
}
