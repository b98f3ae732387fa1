/*
 * One server, one queue, Poisson arrivals, exponential service: a model whose answer is known in
 * closed form. Its handlers write their rows directly, without operations.
 */
#ifndef CMK_TESTS_TOY_MM1_H
#define CMK_TESTS_TOY_MM1_H

#include "sim/engine.h"

enum {
    MM1_TABLE_SERVER = CMK_TABLE_FIRST_OF_MODEL, /* one row */
    MM1_TABLE_RING, /* row i: when the customer whose number is i modulo its size came */
    MM1_TABLE__COUNT
};

#define MM1_RING_SIZE UINT64_C(4096)

typedef struct Mm1Server {
    int64_t mean_between_us;
    int64_t mean_service_us;
    uint64_t arrived; /* customers so far, which is also the number of draws */
    uint64_t departed;
    int64_t in_system_us; /* summed over those who have left */
} Mm1Server;

extern const CmkModel mm1_model;

/* A server with its first arrival set. */
CmkWorld *mm1_new(uint64_t seed, int64_t mean_between_us, int64_t mean_service_us);

const Mm1Server *mm1_server(const CmkWorld *world);

#endif
