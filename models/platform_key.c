#include "models/platform_key.h"

#include <openssl/crypto.h>

struct CmkPlatformKey {
    CmkCrypto *crypto;
    CmkGcm gcm; /* keyed_for: 0 */
    unsigned char bytes[CMK_CRYPTO_KEY_BYTES];
    unsigned char nonce_base[CMK_CRYPTO_NONCE_BYTES];
};

CmkPlatformKey *cmk_platform_key_new(CmkCrypto *crypto)
{
    CmkPlatformKey *key = OPENSSL_zalloc(sizeof *key);
    if (key == NULL) {
        return NULL;
    }
    key->crypto = crypto;
    if (!cmk_gcm_init(&key->gcm)) {
        cmk_platform_key_free(key);
        return NULL;
    }
    cmk_crypto_draw(crypto, CMK_RANDOM_PLATFORM_KEY, 0, key->bytes, sizeof key->bytes);
    cmk_crypto_draw(crypto, CMK_RANDOM_PLATFORM_KEY, 1, key->nonce_base, sizeof key->nonce_base);
    return key;
}

void cmk_platform_key_free(CmkPlatformKey *key)
{
    if (key != NULL) {
        cmk_gcm_clear(&key->gcm);
        OPENSSL_clear_free(key, sizeof *key);
    }
}

void cmk_platform_key_nonce(const CmkPlatformKey *key, uint32_t dek_id, uint32_t number,
                            unsigned char ret_nonce[CMK_CRYPTO_NONCE_BYTES])
{
    cmk_gcm_nonce(key->nonce_base, dek_id, number, ret_nonce);
}

bool cmk_platform_key_encrypt(CmkPlatformKey *key, const CmkGcmCall *call)
{
    return cmk_gcm_encrypt(key->crypto, &key->gcm, (CmkGcmKey){.bytes = key->bytes}, call);
}

CmkEnvelopeResult cmk_platform_key_decrypt(CmkPlatformKey *key, const CmkGcmCall *call)
{
    return cmk_gcm_decrypt(key->crypto, &key->gcm, (CmkGcmKey){.bytes = key->bytes}, call);
}
