/*
 * What the envelope costs over the bare EVP calls that it cannot do without.
 */
#ifndef CMK_TESTS_BENCH_ENVELOPE_H
#define CMK_TESTS_BENCH_ENVELOPE_H

#include <stdio.h>

/* Writes a Markdown table of CPU times and ratios, medians of interleaved rounds; about 4 s. */
void bench_envelope(FILE *out);

#endif
