/*
 * Chance without state: every draw is a function of (seed, stream, n). A stream is a purpose and an
 * entity, n counts within it, so adding a fault or a vault shifts nobody else's numbers and two
 * runs can be paired. Integer arithmetic only: the last bit of a libm function differs between
 * CPUs.
 */
#ifndef CMK_SIM_CHANCE_H
#define CMK_SIM_CHANCE_H

#include "sim/base.h"

typedef struct CmkStream {
    uint32_t purpose; /* the model's own enumeration */
    uint32_t entity;
} CmkStream;

/* 64 uniform bits. */
uint64_t cmk_chance_bits(uint64_t seed, CmkStream stream, uint64_t n);

/* Uniform in [0, bound), without bias worth mentioning (bound << 2^64); bound > 0. */
uint64_t cmk_chance_below(uint64_t seed, CmkStream stream, uint64_t n, uint64_t bound);

/* Means below 4566 years: a draw, at most 44.4 times its mean, then fits CmkTime. */
#define CMK_CHANCE_MEAN_MAX_US (INT64_C(1) << 57)

/* Exponential with the given mean in [0, CMK_CHANCE_MEAN_MAX_US), rounded to whole microseconds.
 * Inverse distribution function on one uniform number. */
int64_t cmk_chance_exponential(uint64_t seed, CmkStream stream, uint64_t n, int64_t mean_us);

/* -ln(u / 2^64) in units of 2^-32, for u > 0: absolute error below 2^-30. */
uint64_t cmk_minus_log_q32(uint64_t u);

#endif
