/*
 * Where OpenSSL's random numbers come from: ChaCha20 streams that are keyed by
 * (seed, domain, entity, operation), offered to a private library context as its only generator.
 *
 * Before each operation that draws, the calling thread selects a stream; what the operation draws
 * then depends on neither thread, nor order, nor what other operations drew. With no stream
 * selected a draw fails, so stray randomness is an error and never a wrong answer.
 *
 * Must not know: what the numbers are for.
 */
#ifndef CMK_MODELS_RANDOM_STREAM_H
#define CMK_MODELS_RANDOM_STREAM_H

#include <openssl/types.h>

#include "sim/base.h"

/* What a stream is for. The numbers are part of every key and ciphertext: never change one. */
typedef enum CmkRandomDomain {
    CMK_RANDOM_TEST,         /* tests and benchmarks; all-zero keys have published streams */
    CMK_RANDOM_KEY_PRIMES,   /* entity: key version, operation: bits */
    CMK_RANDOM_KEY_WITNESS,  /* throw-away: bases of the primality test */
    CMK_RANDOM_STAND_IN_KEY, /* entity: key version */
    CMK_RANDOM_DATA_KEY,     /* entity: data key; the 32 bytes of the key come first */
    CMK_RANDOM_WRAP,         /* entity: data key, operation: how many times it was wrapped before */
    CMK_RANDOM_UNWRAP,       /* throw-away: blinding */
    CMK_RANDOM_PLATFORM_KEY,
    CMK_RANDOM_SAMPLE,
    CMK_RANDOM__COUNT
} CmkRandomDomain;

/* A position in one stream; plain data, wiped with cmk_random_stream_clear(). */
typedef struct CmkRandomStream {
    uint32_t input[16]; /* constants, key, block number, zero nonce */
    unsigned char block[64];
    uint32_t block_used; /* bytes of `block` already handed out */
} CmkRandomStream;

/* The beginning of the stream (seed, domain, entity, operation). */
void cmk_random_stream_init(CmkRandomStream *stream, uint64_t seed, CmkRandomDomain domain,
                            uint64_t entity, uint64_t operation);

/* The next `size_bytes` bytes of the stream; O(size). */
void cmk_random_stream_read(CmkRandomStream *stream, void *ret_bytes, size_t size_bytes);

/* Wipes the stream: whoever knows it knows what it gave. */
void cmk_random_stream_clear(CmkRandomStream *stream);

/* An OpenSSL library context that draws from streams only. */
typedef struct CmkRandomSource CmkRandomSource;

/* NULL when OpenSSL fails; its error queue then says why. Takes one pthread key for its lifetime.
 */
CmkRandomSource *cmk_random_source_new(void);

/* Accepts NULL. Everything made in the library context must be gone, and every other thread that
 * drew from it must have called cmk_random_source_leave_thread(). */
void cmk_random_source_free(CmkRandomSource *source);

/* The library context, owned by the source. */
OSSL_LIB_CTX *cmk_random_source_library(const CmkRandomSource *source);

/* From now on the calling thread draws from `stream` (borrowed), from NULL not at all. False when
 * the thread has no memory left to remember it. */
bool cmk_random_source_select(CmkRandomSource *source, CmkRandomStream *stream);

/* Gives back what OpenSSL keeps for the calling thread; the last thing a thread does. */
void cmk_random_source_leave_thread(CmkRandomSource *source);

#endif
