/*
 * RSA keys from a stream. OpenSSL's own generation takes the slow path of FIPS 186-4 and draws an
 * amount that changes between its releases; this search is three to four times faster, and the key
 * depends on the stream and on nothing else.
 *
 * The private numbers are wiped on every path; only the EVP_PKEY has them afterwards.
 */
#ifndef CMK_MODELS_RSA_PRIME_H
#define CMK_MODELS_RSA_PRIME_H

#include <stdatomic.h>

#include <openssl/types.h>

#include "models/random_stream.h"

/*
 * A key pair of `bits` (2048, 3072, 4096: KV-5) with the public exponent 65537, made in `library`
 * from the coming bytes of `primes`. The primality test draws its bases from the stream that the
 * thread has selected; they do not influence the key.
 *
 * NULL when OpenSSL fails, or soon after another thread has set `is_cancelled` (may be NULL).
 */
EVP_PKEY *cmk_rsa_key_new(OSSL_LIB_CTX *library, uint32_t bits, CmkRandomStream *primes,
                          const atomic_bool *is_cancelled);

#endif
