/*
 * The platform's own key, under which infrastructure encryption puts a second layer around what a
 * data key encrypted. It follows from the seed, is never wrapped and never lost.
 *
 * Must not know: data keys, points.
 */
#ifndef CMK_MODELS_PLATFORM_KEY_H
#define CMK_MODELS_PLATFORM_KEY_H

#include "models/crypto.h"

typedef struct CmkPlatformKey CmkPlatformKey;

/* `crypto` is borrowed and outlives the key. NULL when memory is out. */
CmkPlatformKey *cmk_platform_key_new(CmkCrypto *crypto);

/* Accepts NULL. */
void cmk_platform_key_free(CmkPlatformKey *key);

/* The nonce that belongs to a number of a data key: data keys never use a number twice, so the pair
 * is new to the platform key. */
void cmk_platform_key_nonce(const CmkPlatformKey *key, uint32_t dek_id, uint32_t number,
                            unsigned char ret_nonce[CMK_CRYPTO_NONCE_BYTES]);

/* As cmk_gcm_encrypt() and cmk_gcm_decrypt(). */
bool cmk_platform_key_encrypt(CmkPlatformKey *key, const CmkGcmCall *call);

CmkEnvelopeResult cmk_platform_key_decrypt(CmkPlatformKey *key, const CmkGcmCall *call);

#endif
