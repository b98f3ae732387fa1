/*
 * How much a fleet costs: bytes for each vault, requests and jobs for each second.
 */
#ifndef CMK_TESTS_BENCH_FLEET_H
#define CMK_TESTS_BENCH_FLEET_H

#include <stdio.h>

/* Prints a Markdown table. Runs scenarios/capacity/fleet-smoke.yaml, so from the repository's
 * root. */
void bench_fleet(FILE *out);

#endif
