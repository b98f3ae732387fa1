#include "models/point_cipher.h"

#include <openssl/crypto.h>

#define NONCE_BYTES CMK_CRYPTO_NONCE_BYTES
#define TAG_BYTES CMK_CRYPTO_TAG_BYTES
/* Room grows by whole ones of these. */
#define SCRATCH_BLOCK_BYTES 4096

bool cmk_point_cipher_init(CmkPointCipher *cipher, CmkCrypto *crypto, CmkDataKeys *data_keys)
{
    *cipher =
        (CmkPointCipher){.data_keys = data_keys, .platform_key = cmk_platform_key_new(crypto)};
    return cipher->platform_key != NULL;
}

void cmk_point_cipher_clear(CmkPointCipher *cipher)
{
    cmk_platform_key_free(cipher->platform_key);
    OPENSSL_free(cipher->inner);
    OPENSSL_free(cipher->outer);
    *cipher = (CmkPointCipher){0};
}

bool cmk_point_cipher_reserve(CmkPointCipher *cipher, size_t size_bytes)
{
    if (size_bytes + TAG_BYTES <= cipher->scratch_bytes) {
        return true;
    }
    const size_t blocks = (size_bytes + TAG_BYTES + SCRATCH_BLOCK_BYTES - 1) / SCRATCH_BLOCK_BYTES;
    OPENSSL_free(cipher->inner);
    OPENSSL_free(cipher->outer);
    cipher->inner = OPENSSL_malloc(blocks * SCRATCH_BLOCK_BYTES);
    cipher->outer = OPENSSL_malloc(blocks * SCRATCH_BLOCK_BYTES);
    bool is_good = cipher->inner != NULL && cipher->outer != NULL;
    cipher->scratch_bytes = is_good ? blocks * SCRATCH_BLOCK_BYTES : 0;
    return is_good;
}

uint32_t cmk_point_cipher_stored_bytes(const CmkSealedPoint *point)
{
    return point->size_bytes + (point->has_platform_layer ? TAG_BYTES : 0);
}

static void inner_nonce(const CmkPointCipher *cipher, const CmkSealedPoint *point,
                        unsigned char ret_nonce[NONCE_BYTES])
{
    cmk_data_keys_nonce(cipher->data_keys, point->dek_row, point->nonce_number, ret_nonce);
}

static void outer_nonce(const CmkPointCipher *cipher, const CmkSealedPoint *point,
                        unsigned char ret_nonce[NONCE_BYTES])
{
    const uint32_t dek_id = cmk_data_keys_id(cipher->data_keys, point->dek_row);
    cmk_platform_key_nonce(cipher->platform_key, dek_id, point->nonce_number, ret_nonce);
}

void cmk_point_cipher_nonce(const CmkPointCipher *cipher, const CmkSealedPoint *point,
                            unsigned char ret_nonce[NONCE_BYTES])
{
    if (point->has_platform_layer) {
        outer_nonce(cipher, point, ret_nonce);
    } else {
        inner_nonce(cipher, point, ret_nonce);
    }
}

static CmkGcmCall inner_call(const CmkSealedPoint *point, const unsigned char *nonce)
{
    return (CmkGcmCall){.added = point->point_id, .nonce = nonce, .in_bytes = point->size_bytes};
}

static CmkGcmCall outer_call(const CmkSealedPoint *point, const unsigned char *nonce)
{
    return (CmkGcmCall){
        .added = point->point_id, .nonce = nonce, .in_bytes = cmk_point_cipher_stored_bytes(point)};
}

unsigned char *cmk_point_cipher_seal(CmkPointCipher *cipher, const CmkSealedPoint *point,
                                     CmkOpenDataKey key, const unsigned char *plain,
                                     unsigned char *stored, unsigned char ret_tag[TAG_BYTES])
{
    CMK_ASSERT(point->size_bytes + TAG_BYTES <= cipher->scratch_bytes);
    unsigned char *ret_stored = stored == NULL ? cipher->outer : stored;
    unsigned char nonce[NONCE_BYTES];
    inner_nonce(cipher, point, nonce);
    CmkGcmCall call = inner_call(point, nonce);
    call.in = plain;
    call.out = point->has_platform_layer ? cipher->inner : ret_stored;
    call.ret_tag = point->has_platform_layer ? cipher->inner + point->size_bytes : ret_tag;
    if (!cmk_data_keys_encrypt(cipher->data_keys, key, &call)) {
        return NULL;
    }
    cipher->encryptions++;
    if (!point->has_platform_layer) {
        return ret_stored;
    }
    outer_nonce(cipher, point, nonce);
    call = outer_call(point, nonce);
    call.in = cipher->inner;
    call.out = ret_stored;
    call.ret_tag = ret_tag;
    if (!cmk_platform_key_encrypt(cipher->platform_key, &call)) {
        return NULL;
    }
    cipher->encryptions++;
    return ret_stored;
}

CmkEnvelopeResult cmk_point_cipher_unseal(CmkPointCipher *cipher, const CmkSealedPoint *point,
                                          CmkOpenDataKey key, const unsigned char *stored,
                                          const unsigned char **ret_plain)
{
    CMK_ASSERT(point->size_bytes + TAG_BYTES <= cipher->scratch_bytes);
    unsigned char nonce[NONCE_BYTES];
    if (point->has_platform_layer) {
        outer_nonce(cipher, point, nonce);
        CmkGcmCall call = outer_call(point, nonce);
        call.in = stored;
        call.out = cipher->inner;
        call.tag = point->tag;
        cipher->decryptions++;
        CmkEnvelopeResult result = cmk_platform_key_decrypt(cipher->platform_key, &call);
        if (result != CMK_ENVELOPE_OK) {
            return result;
        }
    }
    inner_nonce(cipher, point, nonce);
    CmkGcmCall call = inner_call(point, nonce);
    call.in = point->has_platform_layer ? cipher->inner : stored;
    call.out = point->has_platform_layer ? cipher->outer : cipher->inner;
    call.tag = point->has_platform_layer ? cipher->inner + point->size_bytes : point->tag;
    *ret_plain = call.out;
    cipher->decryptions++;
    return cmk_data_keys_decrypt(cipher->data_keys, key, &call);
}
