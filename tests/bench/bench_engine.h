/*
 * What the engine costs: the agenda beside bare heaps, a queue as events beside the same queue in a
 * straight line, and one operation. All that is compared runs in turns, and what counts are ratios
 * of the medians of CPU time.
 */
#ifndef CMK_TESTS_BENCH_BENCH_ENGINE_H
#define CMK_TESTS_BENCH_BENCH_ENGINE_H

#include <stdio.h>

/* Writes Markdown tables. */
void bench_engine(FILE *out);

#endif
