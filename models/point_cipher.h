/*
 * From the plaintext of a recovery point to what is stored of it, and back: one layer under its
 * data key, and with infrastructure encryption a second one under the platform's key. The inner tag
 * then is part of what the outer layer covers. The additional data of both is the point's id.
 *
 * Must not know: key bytes, what is kept of the ciphertext.
 */
#ifndef CMK_MODELS_POINT_CIPHER_H
#define CMK_MODELS_POINT_CIPHER_H

#include "models/crypto.h"
#include "models/data_key.h"
#include "models/platform_key.h"

/* What is always kept of a point; enough to encrypt the same plaintext to the same bytes again. */
typedef struct CmkSealedPoint {
    uint32_t point_id;
    uint32_t dek_row;
    uint32_t nonce_number; /* of the data key */
    uint32_t size_bytes;   /* of the plaintext */
    uint32_t has_platform_layer;
    unsigned char tag[CMK_CRYPTO_TAG_BYTES]; /* the outermost */
} CmkSealedPoint;

typedef struct CmkPointCipher {
    CmkDataKeys *data_keys;       /* borrowed */
    CmkPlatformKey *platform_key; /* owned */
    unsigned char *inner;         /* one layer's ciphertext or plaintext on its way to the next */
    unsigned char *outer;
    size_t scratch_bytes;
    uint64_t encryptions; /* each layer counted */
    uint64_t decryptions;
} CmkPointCipher;

/* False when memory is out; to be cleared all the same. */
bool cmk_point_cipher_init(CmkPointCipher *cipher, CmkCrypto *crypto, CmkDataKeys *data_keys);

/* Accepts what is all 0. */
void cmk_point_cipher_clear(CmkPointCipher *cipher);

/* Room for points of this size; it only grows, what is in it does not survive. False when memory is
 * out. */
bool cmk_point_cipher_reserve(CmkPointCipher *cipher, size_t size_bytes);

/* Bytes of what is stored: with two layers also the inner tag. */
uint32_t cmk_point_cipher_stored_bytes(const CmkSealedPoint *point);

/* The nonce of the outermost layer. */
void cmk_point_cipher_nonce(const CmkPointCipher *cipher, const CmkSealedPoint *point,
                            unsigned char ret_nonce[CMK_CRYPTO_NONCE_BYTES]);

/* Encrypts, into `stored` or, where it is NULL, into scratch; the bytes, NULL when OpenSSL fails.
 * The tag goes to `ret_tag` and not into the point. O(size). */
unsigned char *cmk_point_cipher_seal(CmkPointCipher *cipher, const CmkSealedPoint *point,
                                     CmkOpenDataKey key, const unsigned char *plain,
                                     unsigned char *stored,
                                     unsigned char ret_tag[CMK_CRYPTO_TAG_BYTES]);

/* Decrypts what is stored; the plaintext is scratch. AUTH_FAILED, LIBRARY_ERROR. O(size). */
CmkEnvelopeResult cmk_point_cipher_unseal(CmkPointCipher *cipher, const CmkSealedPoint *point,
                                          CmkOpenDataKey key, const unsigned char *stored,
                                          const unsigned char **ret_plain);

#endif
