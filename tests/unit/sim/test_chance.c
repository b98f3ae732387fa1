#include <criterion/criterion.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "sim/chance.h"
#include "tests/unit/sim/abort.h"

/* Worked out by another program (integers of any length, logarithm with 60 decimal digits). */
typedef struct Golden {
    uint64_t seed;
    CmkStream stream;
    uint64_t n;
    uint64_t bits;
    uint64_t below_1000003;
    int64_t exponential_1s_us; /* before the error that cmk_minus_log_q32() may have */
} Golden;

static const Golden golden[] = {
    {0, {0, 0}, 0, UINT64_C(0xb1f9e44cec2d6f57), 695221, 363528},
    {1, {0, 0}, 0, UINT64_C(0x875f3069acff0ff6), 528797, 637152},
    {1, {0, 0}, 1, UINT64_C(0xe0fe9e9a1ca48c3b), 878887, 129101},
    {1, {0, 1}, 0, UINT64_C(0xd785ff593ee2c594), 841890, 172108},
    {1, {1, 0}, 0, UINT64_C(0xdd50daf4052d5952), 864517, 145587},
    {42, {7, 123456}, 1000000, UINT64_C(0x114c053dab8e6eea), 67566, 2694647},
    {UINT64_MAX,
     {UINT32_MAX, UINT32_MAX},
     UINT64_MAX,
     UINT64_C(0x9f8b977dcd82b24c),
     623225,
     472850},
    {UINT64_C(0x9e3779b97f4a7c15),
     {3, 9},
     UINT64_C(1) << 40,
     UINT64_C(0xcde72d019c6ea850),
     804311,
     217772},
    /* The one place of its stream where all bits are zero: a logarithm away from infinity. */
    {1, {0, 0}, UINT64_C(4036556438163336708), 0, 0, 44361420},
};

Test(chance, golden_values)
{
    for (size_t i = 0; i < CMK_ARRAY_LEN(golden); i++) {
        const Golden *g = &golden[i];
        cr_assert_eq(cmk_chance_bits(g->seed, g->stream, g->n), g->bits, "row %zu", i);
        cr_assert_eq(cmk_chance_below(g->seed, g->stream, g->n, 1000003), g->below_1000003,
                     "row %zu", i);
        cr_assert_eq(cmk_chance_exponential(g->seed, g->stream, g->n, CMK_SECOND_US),
                     g->exponential_1s_us, "row %zu", i);
        cr_assert_eq(cmk_chance_below(g->seed, g->stream, g->n, 1), 0);
        cr_assert_eq(cmk_chance_exponential(g->seed, g->stream, g->n, 0), 0);
    }
}

/* Deviation of chi-square from its expectation, in standard deviations. */
static double chi_square_sigmas(const uint32_t *counts, uint32_t cells, uint32_t draws)
{
    const double expected = (double)draws / cells;
    double chi_square = 0;
    for (uint32_t i = 0; i < cells; i++) {
        const double off = (double)counts[i] - expected;
        chi_square += off * off / expected;
    }
    return (chi_square - (cells - 1)) / sqrt(2.0 * (cells - 1));
}

/* The draw number i of a way of going from one number to the next. */
typedef uint64_t Walk(uint64_t i);

static uint64_t along_n(uint64_t i)
{
    return cmk_chance_bits(1, (CmkStream){1, 1}, i);
}

static uint64_t along_entities(uint64_t i)
{
    return cmk_chance_bits(1, (CmkStream){1, (uint32_t)i}, 0);
}

static uint64_t along_purposes(uint64_t i)
{
    return cmk_chance_bits(1, (CmkStream){(uint32_t)i, 1}, 0);
}

static uint64_t along_seeds(uint64_t i)
{
    return cmk_chance_bits(i, (CmkStream){1, 1}, 0);
}

static uint64_t along_multiples_of_golden(uint64_t i)
{
    return cmk_chance_bits(i * UINT64_C(0x9e3779b97f4a7c15), (CmkStream){1, 1}, 0);
}

static uint64_t along_the_diagonal(uint64_t i)
{
    return cmk_chance_bits(i, (CmkStream){(uint32_t)i, (uint32_t)i}, i);
}

/* Draws of a small fleet in the order in which a run may ask for them. */
static uint64_t across_entities(uint64_t i)
{
    return cmk_chance_bits(1, (CmkStream){3, (uint32_t)(i % 100)}, i / 100);
}

static const struct {
    const char *name;
    Walk *walk;
} walks[] = {{"n", along_n},
             {"entities", along_entities},
             {"purposes", along_purposes},
             {"seeds", along_seeds},
             {"multiples of the golden ratio as seeds", along_multiples_of_golden},
             {"the diagonal", along_the_diagonal},
             {"entities, then n", across_entities}};

enum {
    DRAWS = 1 << 18,
    BYTES = 256,
    SIGMAS_MAX = 5
};

/* Each bit is set half of the time, each of the eight bytes takes each value equally often. */
Test(chance, is_uniform)
{
    for (size_t w = 0; w < CMK_ARRAY_LEN(walks); w++) {
        static uint32_t bits[64], bytes[8][BYTES];
        memset(bits, 0, sizeof(bits));
        memset(bytes, 0, sizeof(bytes));
        for (uint64_t i = 0; i < DRAWS; i++) {
            const uint64_t x = walks[w].walk(i);
            for (uint32_t b = 0; b < 64; b++) {
                bits[b] += (uint32_t)(x >> b & 1);
            }
            for (uint32_t b = 0; b < 8; b++) {
                bytes[b][x >> 8 * b & 0xff]++;
            }
        }
        for (uint32_t b = 0; b < 64; b++) {
            const double sigmas = ((double)bits[b] - DRAWS / 2.0) / sqrt(DRAWS / 4.0);
            cr_assert_lt(fabs(sigmas), SIGMAS_MAX, "along %s: bit %u off by %.1f sigma",
                         walks[w].name, b, sigmas);
        }
        for (uint32_t b = 0; b < 8; b++) {
            const double sigmas = chi_square_sigmas(bytes[b], BYTES, DRAWS);
            cr_assert_lt(fabs(sigmas), SIGMAS_MAX, "along %s: byte %u off by %.1f sigma",
                         walks[w].name, b, sigmas);
        }
    }
}

/* What neighbours have in common: pairs of their high and low four bits, and differing bits. */
Test(chance, neighbours_are_independent)
{
    for (size_t w = 0; w < CMK_ARRAY_LEN(walks); w++) {
        for (uint64_t distance = 1; distance <= 128; distance *= 2) {
            static uint32_t high[BYTES], low[BYTES], crossed[BYTES];
            memset(high, 0, sizeof(high));
            memset(low, 0, sizeof(low));
            memset(crossed, 0, sizeof(crossed));
            uint64_t differing = 0;
            for (uint64_t i = 0; i < DRAWS / 4; i++) {
                const uint64_t x = walks[w].walk(i), y = walks[w].walk(i + distance);
                high[x >> 60 << 4 | y >> 60]++;
                low[(x & 15) << 4 | (y & 15)]++;
                crossed[x >> 60 << 4 | (y & 15)]++;
                differing += (uint64_t)__builtin_popcountll(x ^ y);
            }
            const double sigmas[] = {
                chi_square_sigmas(high, BYTES, DRAWS / 4),
                chi_square_sigmas(low, BYTES, DRAWS / 4),
                chi_square_sigmas(crossed, BYTES, DRAWS / 4),
                ((double)differing - 8.0 * DRAWS) / sqrt(4.0 * DRAWS),
            };
            for (size_t s = 0; s < CMK_ARRAY_LEN(sigmas); s++) {
                cr_assert_lt(fabs(sigmas[s]), SIGMAS_MAX,
                             "along %s, distance %" PRIu64 ": measure %zu off by %.1f sigma",
                             walks[w].name, distance, s, sigmas[s]);
            }
        }
    }
}

/* A draw has no memory: whoever else draws, and in which order, a stream's numbers are its own. */
Test(chance, another_stream_changes_nobodys_numbers)
{
    enum {
        STREAMS = 20,
        LENGTH = 50
    };
    uint64_t alone[STREAMS][LENGTH];
    for (uint32_t s = 0; s < STREAMS; s++) {
        for (uint64_t n = 0; n < LENGTH; n++) {
            alone[s][n] = cmk_chance_bits(5, (CmkStream){2, s}, n);
        }
    }
    for (uint64_t n = LENGTH; n-- > 0;) {
        for (uint32_t s = 0; s < STREAMS; s++) {
            (void)cmk_chance_bits(5, (CmkStream){2, STREAMS + s}, n);
            (void)cmk_chance_exponential(5, (CmkStream){3, s}, n, 1000);
            cr_assert_eq(cmk_chance_bits(5, (CmkStream){2, s}, n), alone[s][n]);
        }
    }
    for (uint32_t s = 1; s < STREAMS; s++) {
        for (uint64_t n = 0; n < LENGTH; n++) {
            cr_assert_neq(alone[s][n], alone[s - 1][n]);
        }
    }
}

Test(chance, below_stays_below)
{
    const uint64_t bounds[] = {1, 2, 3, 7, 100, 1 << 20, UINT64_C(1) << 63, UINT64_MAX};
    for (size_t b = 0; b < CMK_ARRAY_LEN(bounds); b++) {
        uint64_t least = UINT64_MAX, most = 0;
        for (uint64_t n = 0; n < 5000; n++) {
            const uint64_t x = cmk_chance_below(3, (CmkStream){4, 5}, n, bounds[b]);
            cr_assert_lt(x, bounds[b]);
            least = x < least ? x : least;
            most = x > most ? x : most;
        }
        cr_assert_leq(least, bounds[b] / 1000, "both ends are reached");
        cr_assert_geq(most, bounds[b] - 1 - bounds[b] / 1000);
    }
}

static double error_of_log(uint64_t u)
{
    const long double exact = 64 * 0.693147180559945309417232121458L - logl((long double)u);
    return (double)((long double)cmk_minus_log_q32(u) / 4294967296.0L - exact);
}

static void check_log(uint64_t u)
{
    const double bound = 1.0 / (1 << 30);
    const double error = error_of_log(u);
    cr_assert_lt(fabs(error), bound, "u = %" PRIu64 ": error %g", u, error);
}

Test(chance, logarithm_is_exact_enough)
{
    cr_assert_eq(cmk_minus_log_q32(UINT64_MAX), 0);
    cr_assert_eq(cmk_minus_log_q32(UINT64_C(1) << 63), 2977044472, "ln 2 * 2^32, rounded");
    /* Around every power of two, and around where the series changes its argument. */
    const uint64_t sqrt2_q63 = UINT64_C(13043817825332782212);
    for (uint32_t shift = 0; shift < 64; shift++) {
        const uint64_t power = UINT64_C(1) << shift;
        const uint64_t root = sqrt2_q63 >> (63 - shift);
        for (uint64_t off = 0; off < 3; off++) {
            check_log(power + off);
            check_log(root + off);
            if (power > off) {
                check_log(power - off);
            }
            if (root > off) {
                check_log(root - off);
            }
        }
    }
    check_log(UINT64_MAX);
    check_log(UINT64_MAX - 1);
    for (uint64_t n = 0; n < 300000; n++) {
        const uint64_t u = cmk_chance_bits(8, (CmkStream){6, 1}, n);
        check_log((u >> (n % 60)) | 1);
        /* evenly over one octave */
        check_log((UINT64_C(1) << 63) + n * (UINT64_C(1) << 63) / 300000);
    }
}

Test(chance, exponential_has_its_moments)
{
    const int64_t means_us[] = {1000, CMK_SECOND_US, 30 * CMK_DAY_US, CMK_CHANCE_MEAN_MAX_US - 1};
    enum {
        COUNT = 400000,
        CLASSES = 50
    };
    for (size_t m = 0; m < CMK_ARRAY_LEN(means_us); m++) {
        const double mean = (double)means_us[m];
        double sum = 0, squares = 0;
        static uint32_t classes[CLASSES];
        memset(classes, 0, sizeof(classes));
        for (uint64_t n = 0; n < COUNT; n++) {
            const int64_t draw =
                cmk_chance_exponential(11, (CmkStream){9, (uint32_t)m}, n, means_us[m]);
            cr_assert_geq(draw, 0);
            const double x = (double)draw / mean;
            sum += x;
            squares += (x - 1) * (x - 1);
            /* classes of equal probability */
            const uint32_t class_of_x = (uint32_t)(-expm1(-x) * CLASSES);
            classes[class_of_x < CLASSES ? class_of_x : CLASSES - 1]++;
        }
        /* standard deviations of the two estimates: 1 / sqrt(n) and sqrt(8 / n) */
        cr_assert_lt(fabs(sum / COUNT - 1), 4 / sqrt(COUNT), "mean %g", mean);
        cr_assert_lt(fabs(squares / COUNT - 1), 4 * sqrt(8.0 / COUNT), "mean %g", mean);
        cr_assert_lt(fabs(chi_square_sigmas(classes, CLASSES, COUNT)), SIGMAS_MAX, "mean %g", mean);
    }
}

static void abort_on_nothing_below(void)
{
    (void)cmk_chance_below(1, (CmkStream){0, 0}, 0, 0);
}

static void abort_on_log_of_zero(void)
{
    (void)cmk_minus_log_q32(0);
}

static void abort_on_negative_mean(void)
{
    (void)cmk_chance_exponential(1, (CmkStream){0, 0}, 0, -1);
}

static void abort_on_too_large_a_mean(void)
{
    (void)cmk_chance_exponential(1, (CmkStream){0, 0}, 0, CMK_CHANCE_MEAN_MAX_US);
}

Test(chance, asserts)
{
    const AbortCase cases[] = {
        {"below 0", "bound > 0", abort_on_nothing_below},
        {"log of 0", "u != 0", abort_on_log_of_zero},
        {"negative mean", "mean_us >= 0", abort_on_negative_mean},
        {"large mean", "CMK_CHANCE_MEAN_MAX_US", abort_on_too_large_a_mean},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        cr_assert(aborts_as_told(&cases[i]), "%s", cases[i].name);
    }
}
