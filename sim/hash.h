/*
 * The 128-bit hash chain behind the digest of a run: each record is hashed together with the digest
 * before it, so two runs agree in the digest only if they agree in every record and in their order.
 * xxHash gives the same value on every CPU and with every compiler.
 */
#ifndef CMK_SIM_HASH_H
#define CMK_SIM_HASH_H

#include "sim/base.h"

typedef struct CmkDigest {
    uint64_t low;
    uint64_t high;
} CmkDigest;

/* Length of a printed digest with its closing zero. */
#define CMK_DIGEST_TEXT_SIZE 33

/* The chain `digest` continued by `size_bytes` bytes at `data`. */
CmkDigest cmk_digest_fold(CmkDigest digest, const void *data, size_t size_bytes);

bool cmk_digest_equal(CmkDigest a, CmkDigest b);

/* 32 lower-case hexadecimal digits, high half first. */
void cmk_digest_format(CmkDigest digest, char ret_text[CMK_DIGEST_TEXT_SIZE]);

#endif
