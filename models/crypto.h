/*
 * Arithmetic with OpenSSL: AES-256-GCM, RSA-OAEP-256 and SHA-256, in a library context that draws
 * from the streams of one seed and from nowhere else (models/random_stream.h).
 *
 * Keys are lent for a call. Only a CmkGcm or a CmkOaep holds on to one, the last it was used with,
 * so that the next use of the same key costs no new schedule: it belongs to the module that has the
 * key, which makes it forget.
 *
 * One thread calls; a second one may use streams, since it fails without words.
 *
 * Must not know: which keys there are, what they protect.
 */
#ifndef CMK_MODELS_CRYPTO_H
#define CMK_MODELS_CRYPTO_H

#include <openssl/types.h>

#include "models/envelope_result.h"
#include "models/random_stream.h"
#include "sim/base.h"

#define CMK_CRYPTO_KEY_BYTES 32 /* AES-256 */
#define CMK_CRYPTO_NONCE_BYTES 12
#define CMK_CRYPTO_TAG_BYTES 16
#define CMK_CRYPTO_HASH_BYTES 32     /* SHA-256 */
#define CMK_CRYPTO_WRAPPED_MAX 512   /* bytes of what RSA-4096 makes of a key */
#define CMK_CRYPTO_NO_KEY UINT32_MAX /* as the row of a key */

typedef struct CmkCrypto {
    uint64_t seed;
    CmkRandomSource *random;
    EVP_CIPHER *gcm;
    EVP_MD *sha256;
    EVP_MD_CTX *hash;
    char error[CMK_ENVELOPE_ERROR_SIZE]; /* of the last call that failed, "" before the first */
} CmkCrypto;

/* False when OpenSSL or memory fails; to be cleared all the same. */
bool cmk_crypto_init(CmkCrypto *crypto, uint64_t seed);

/* What was made with it must be gone. Accepts what is all 0. */
void cmk_crypto_clear(CmkCrypto *crypto);

/* ---- failures -------------------------------------------------------------------------------- */

/* Writes "result: what" and empties OpenSSL's error queue into the rest. */
void cmk_crypto_describe(CmkEnvelopeResult result, const char *what,
                         char ret_error[CMK_ENVELOPE_ERROR_SIZE]);

/* Remembers what went wrong; returns `result`, which is not OK. */
CmkEnvelopeResult cmk_crypto_fail(CmkCrypto *crypto, CmkEnvelopeResult result, const char *what);

CmkEnvelopeResult cmk_crypto_fail_memory(CmkCrypto *crypto);

/* `rows` with room for one more than `count`, or NULL: then the old rows are still good. What moves
 * leaves no copy behind. */
void *cmk_crypto_reserve(void *rows, uint32_t count, uint32_t *capacity, size_t row_bytes);

/* ---- randomness and hashes ------------------------------------------------------------------- */

/* Starts a stream from which the calling thread's OpenSSL draws until cmk_crypto_stream_end(),
 * which must follow even when this fails for want of memory. */
bool cmk_crypto_stream_begin(const CmkCrypto *crypto, CmkRandomStream *stream,
                             CmkRandomDomain domain, uint64_t entity, uint64_t operation);

void cmk_crypto_stream_end(const CmkCrypto *crypto, CmkRandomStream *stream);

/* Bytes straight from a stream, without OpenSSL. */
void cmk_crypto_draw(const CmkCrypto *crypto, CmkRandomDomain domain, uint64_t entity,
                     void *ret_bytes, size_t size_bytes);

/* A finalizer with full avalanche (splitmix64), for choices that are no secret. */
uint64_t cmk_crypto_mix(uint64_t value);

bool cmk_crypto_sha256(CmkCrypto *crypto, const void *bytes, size_t size_bytes,
                       unsigned char ret_hash[CMK_CRYPTO_HASH_BYTES]);

/* ---- AES-256-GCM ----------------------------------------------------------------------------- */

/* A context and whose key it has scheduled. */
typedef struct CmkGcm {
    EVP_CIPHER_CTX *ctx;
    uint32_t keyed_for; /* CMK_CRYPTO_NO_KEY: nobody's */
} CmkGcm;

/* A key, lent for a call. Rows tell the keys of one context apart. */
typedef struct CmkGcmKey {
    const unsigned char *bytes;
    uint32_t row;
} CmkGcmKey;

typedef struct CmkGcmCall {
    uint32_t added; /* additional data: 4 bytes, little-endian */
    const unsigned char *nonce;
    const void *in;
    size_t in_bytes;
    void *out;                /* as long as `in` */
    unsigned char *ret_tag;   /* encryption */
    const unsigned char *tag; /* decryption */
} CmkGcmCall;

/* False when memory is out; to be cleared all the same. */
bool cmk_gcm_init(CmkGcm *gcm);

void cmk_gcm_clear(CmkGcm *gcm);

/* Takes the key out of the context. */
void cmk_gcm_forget(CmkGcm *gcm);

/* False when OpenSSL fails. O(size). */
bool cmk_gcm_encrypt(const CmkCrypto *crypto, CmkGcm *gcm, CmkGcmKey key, const CmkGcmCall *call);

/* AUTH_FAILED when the tag does not fit, LIBRARY_ERROR. O(size). */
CmkEnvelopeResult cmk_gcm_decrypt(CmkCrypto *crypto, CmkGcm *gcm, CmkGcmKey key,
                                  const CmkGcmCall *call);

/* Like TLS 1.3 (RFC 8446, 5.3): a random start of each key's own, XOR a number that is never used
 * twice with the key. */
void cmk_gcm_nonce(const unsigned char base[CMK_CRYPTO_NONCE_BYTES], uint32_t high, uint32_t low,
                   unsigned char ret_nonce[CMK_CRYPTO_NONCE_BYTES]);

/* ---- RSA-OAEP-256 ---------------------------------------------------------------------------- */

/* A context and whose key it holds on to. */
typedef struct CmkOaep {
    EVP_PKEY_CTX *ctx;
    uint32_t keyed_for; /* CMK_CRYPTO_NO_KEY: no context */
} CmkOaep;

/* Sets the context up for a key. `init` is EVP_PKEY_encrypt_init or EVP_PKEY_decrypt_init. False
 * when OpenSSL fails; then it has no key. */
bool cmk_oaep_use(const CmkCrypto *crypto, CmkOaep *oaep, EVP_PKEY *key, uint32_t key_row,
                  int (*init)(EVP_PKEY_CTX *ctx));

/* Lets the key go. */
void cmk_oaep_forget(CmkOaep *oaep);

/* Wraps an AES key, drawing from the stream that the thread has selected. The number of bytes, 0:
 * failed. */
uint32_t cmk_oaep_wrap(const CmkOaep *oaep, const unsigned char plain[CMK_CRYPTO_KEY_BYTES],
                       unsigned char ret_wrapped[CMK_CRYPTO_WRAPPED_MAX]);

/* AUTH_FAILED, MISMATCH (not the length of an AES key), LIBRARY_ERROR. */
CmkEnvelopeResult cmk_oaep_unwrap(CmkCrypto *crypto, const CmkOaep *oaep,
                                  const unsigned char *wrapped, uint32_t wrapped_bytes,
                                  unsigned char ret_plain[CMK_CRYPTO_KEY_BYTES]);

#endif
