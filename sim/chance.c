#include "sim/chance.h"

__extension__ typedef unsigned __int128 Wide;

/* The finalizer of a 64-bit hash: each input bit changes each output bit with probability 1/2. */
static uint64_t mix(uint64_t x)
{
    x ^= x >> 32;
    x *= UINT64_C(0xe9846af9b1a615d);
    x ^= x >> 32;
    x *= UINT64_C(0xe9846af9b1a615d);
    x ^= x >> 28;
    return x;
}

uint64_t cmk_chance_bits(uint64_t seed, CmkStream stream, uint64_t n)
{
    const uint64_t golden = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t x = mix(seed + golden);
    x = mix(x ^ ((uint64_t)stream.purpose << 32 | stream.entity));
    return mix(x + golden * (n + 1));
}

uint64_t cmk_chance_below(uint64_t seed, CmkStream stream, uint64_t n, uint64_t bound)
{
    CMK_ASSERT(bound > 0);
    return (uint64_t)((Wide)cmk_chance_bits(seed, stream, n) * bound >> 64);
}

/* u = x * 2^(63 - shift) with x in [1, 2); x above sqrt(2) is halved, so that x is near 1 and
 * z = (x - 1) / (x + 1), at most 0.172, has few terms in ln x = 2 (z + z^3/3 + z^5/5 + ...). */
uint64_t cmk_minus_log_q32(uint64_t u)
{
    CMK_ASSERT(u != 0);
    const uint64_t one_q63 = UINT64_C(1) << 63;
    const uint64_t sqrt2_q63 = UINT64_C(13043817825332782212); /* sqrt(2) * 2^63 */
    const uint64_t ln2_q57 = UINT64_C(99893036290645747);      /* ln(2) * 2^57, rounded */
    const uint64_t shift = (uint64_t)__builtin_clzll(u);
    const uint64_t x_q63 = u << shift;
    /* All ones if x is halved, which nobody can predict, so no branch depends on it. x is then
     * x_q63 / 2^64, below 1, and z changes sign. */
    const uint64_t halved = 0 - (uint64_t)(x_q63 > sqrt2_q63);
    const uint64_t distance = ((x_q63 - one_q63) ^ halved) + (one_q63 & halved) - halved;
    const uint64_t sum = (x_q63 >> 32) + (UINT64_C(1) << 31) + (UINT64_C(1) << 31 & halved);
    const uint64_t z_q33 = (distance << 1) / sum;

    const uint64_t square = z_q33 * z_q33 >> 34; /* in units of 2^-32, as are the terms */
    uint64_t series = UINT64_C(390451572);       /* 1/11 */
    series = UINT64_C(477218588) + (square * series >> 32);  /* 1/9 */
    series = UINT64_C(613566757) + (square * series >> 32);  /* 1/7 */
    series = UINT64_C(858993459) + (square * series >> 32);  /* 1/5 */
    series = UINT64_C(1431655765) + (square * series >> 32); /* 1/3 */
    series = (UINT64_C(1) << 32) + (square * series >> 32);
    const uint64_t log_q57 = (z_q33 * series >> 32) << 25; /* 2 z series in units of 2^-32 */

    const uint64_t whole_q57 = (shift + 1 + halved) * ln2_q57;
    return (whole_q57 + ((0 - log_q57) ^ halved) - halved + (UINT64_C(1) << 24)) >> 25;
}

int64_t cmk_chance_exponential(uint64_t seed, CmkStream stream, uint64_t n, int64_t mean_us)
{
    CMK_ASSERT(mean_us >= 0 && mean_us < CMK_CHANCE_MEAN_MAX_US);
    const uint64_t u = cmk_chance_bits(seed, stream, n) | 1; /* never zero */
    return (int64_t)(((Wide)cmk_minus_log_q32(u) * (uint64_t)mean_us + (UINT64_C(1) << 31)) >> 32);
}
