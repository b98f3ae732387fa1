#include "models/crypto.h"

#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#define TAG_BYTES CMK_CRYPTO_TAG_BYTES

bool cmk_crypto_init(CmkCrypto *crypto, uint64_t seed)
{
    *crypto = (CmkCrypto){.seed = seed, .random = cmk_random_source_new()};
    if (crypto->random == NULL) {
        return false;
    }
    OSSL_LIB_CTX *library = cmk_random_source_library(crypto->random);
    crypto->gcm = EVP_CIPHER_fetch(library, "AES-256-GCM", NULL);
    crypto->sha256 = EVP_MD_fetch(library, "SHA256", NULL);
    crypto->hash = EVP_MD_CTX_new();
    return crypto->gcm != NULL && crypto->sha256 != NULL && crypto->hash != NULL;
}

void cmk_crypto_clear(CmkCrypto *crypto)
{
    EVP_MD_CTX_free(crypto->hash);
    EVP_CIPHER_free(crypto->gcm);
    EVP_MD_free(crypto->sha256);
    cmk_random_source_free(crypto->random);
    *crypto = (CmkCrypto){0};
}

/* ---- failures -------------------------------------------------------------------------------- */

void cmk_crypto_describe(CmkEnvelopeResult result, const char *what,
                         char ret_error[CMK_ENVELOPE_ERROR_SIZE])
{
    int length = snprintf(ret_error, CMK_ENVELOPE_ERROR_SIZE, "%s: %s",
                          cmk_envelope_result_text(result), what);
    CMK_ASSERT(length > 0 && length < CMK_ENVELOPE_ERROR_SIZE);
    size_t used = (size_t)length;
    unsigned long code = ERR_get_error();
    while (code != 0) {
        char text[256];
        ERR_error_string_n(code, text, sizeof text);
        length = snprintf(ret_error + used, CMK_ENVELOPE_ERROR_SIZE - used, "; %s", text);
        if (length < 0 || (size_t)length >= CMK_ENVELOPE_ERROR_SIZE - used) {
            ERR_clear_error();
            return;
        }
        used += (size_t)length;
        code = ERR_get_error();
    }
}

CmkEnvelopeResult cmk_crypto_fail(CmkCrypto *crypto, CmkEnvelopeResult result, const char *what)
{
    CMK_ASSERT(result != CMK_ENVELOPE_OK);
    cmk_crypto_describe(result, what, crypto->error);
    return result;
}

CmkEnvelopeResult cmk_crypto_fail_memory(CmkCrypto *crypto)
{
    return cmk_crypto_fail(crypto, CMK_ENVELOPE_LIBRARY_ERROR, "out of memory");
}

void *cmk_crypto_reserve(void *rows, uint32_t count, uint32_t *capacity, size_t row_bytes)
{
    if (count < *capacity) {
        return rows;
    }
    uint32_t larger = *capacity == 0 ? 16 : *capacity * 2;
    CMK_ASSERT(larger > *capacity);
    void *moved = OPENSSL_clear_realloc(rows, *capacity * row_bytes, larger * row_bytes);
    if (moved != NULL) {
        *capacity = larger;
    }
    return moved;
}

/* ---- randomness and hashes ------------------------------------------------------------------- */

bool cmk_crypto_stream_begin(const CmkCrypto *crypto, CmkRandomStream *stream,
                             CmkRandomDomain domain, uint64_t entity, uint64_t operation)
{
    cmk_random_stream_init(stream, crypto->seed, domain, entity, operation);
    return cmk_random_source_select(crypto->random, stream);
}

void cmk_crypto_stream_end(const CmkCrypto *crypto, CmkRandomStream *stream)
{
    bool is_deselected = cmk_random_source_select(crypto->random, NULL);
    CMK_ASSERT(is_deselected);
    cmk_random_stream_clear(stream);
}

void cmk_crypto_draw(const CmkCrypto *crypto, CmkRandomDomain domain, uint64_t entity,
                     void *ret_bytes, size_t size_bytes)
{
    CmkRandomStream stream;
    cmk_random_stream_init(&stream, crypto->seed, domain, entity, 0);
    cmk_random_stream_read(&stream, ret_bytes, size_bytes);
    cmk_random_stream_clear(&stream);
}

uint64_t cmk_crypto_mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

bool cmk_crypto_sha256(CmkCrypto *crypto, const void *bytes, size_t size_bytes,
                       unsigned char ret_hash[CMK_CRYPTO_HASH_BYTES])
{
    return EVP_DigestInit_ex2(crypto->hash, crypto->sha256, NULL) == 1 &&
           EVP_DigestUpdate(crypto->hash, bytes, size_bytes) == 1 &&
           EVP_DigestFinal_ex(crypto->hash, ret_hash, NULL) == 1;
}

/* ---- AES-256-GCM ----------------------------------------------------------------------------- */

bool cmk_gcm_init(CmkGcm *gcm)
{
    *gcm = (CmkGcm){.ctx = EVP_CIPHER_CTX_new(), .keyed_for = CMK_CRYPTO_NO_KEY};
    return gcm->ctx != NULL;
}

void cmk_gcm_clear(CmkGcm *gcm)
{
    EVP_CIPHER_CTX_free(gcm->ctx);
    *gcm = (CmkGcm){.keyed_for = CMK_CRYPTO_NO_KEY};
}

void cmk_gcm_forget(CmkGcm *gcm)
{
    if (gcm->keyed_for != CMK_CRYPTO_NO_KEY) {
        int is_reset = EVP_CIPHER_CTX_reset(gcm->ctx);
        CMK_ASSERT(is_reset == 1);
        gcm->keyed_for = CMK_CRYPTO_NO_KEY;
    }
}

static bool gcm_run(const CmkCrypto *crypto, CmkGcm *gcm, CmkGcmKey key, const CmkGcmCall *call,
                    int is_encrypting)
{
    CMK_ASSERT(call->in_bytes <= INT32_MAX);
    CMK_ASSERT(key.row != CMK_CRYPTO_NO_KEY);
    unsigned char added[4];
    memcpy(added, &call->added, sizeof added);
    int length = 0;
    const EVP_CIPHER *algorithm = gcm->keyed_for == CMK_CRYPTO_NO_KEY ? crypto->gcm : NULL;
    const unsigned char *new_key = gcm->keyed_for == key.row ? NULL : key.bytes;
    gcm->keyed_for = key.row;
    if (EVP_CipherInit_ex2(gcm->ctx, algorithm, new_key, call->nonce, is_encrypting, NULL) == 1 &&
        EVP_CipherUpdate(gcm->ctx, NULL, &length, added, sizeof added) == 1 &&
        EVP_CipherUpdate(gcm->ctx, call->out, &length, call->in, (int)call->in_bytes) == 1 &&
        (size_t)length == call->in_bytes) {
        return true;
    }
    cmk_gcm_forget(gcm);
    return false;
}

bool cmk_gcm_encrypt(const CmkCrypto *crypto, CmkGcm *gcm, CmkGcmKey key, const CmkGcmCall *call)
{
    unsigned char rest[TAG_BYTES];
    int length = 0;
    if (!gcm_run(crypto, gcm, key, call, 1)) {
        return false;
    }
    if (EVP_CipherFinal_ex(gcm->ctx, rest, &length) == 1 &&
        EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, call->ret_tag) == 1) {
        return true;
    }
    cmk_gcm_forget(gcm);
    return false;
}

CmkEnvelopeResult cmk_gcm_decrypt(CmkCrypto *crypto, CmkGcm *gcm, CmkGcmKey key,
                                  const CmkGcmCall *call)
{
    unsigned char rest[TAG_BYTES];
    unsigned char tag[TAG_BYTES]; /* OpenSSL only reads it, and wants to be able to write */
    int length = 0;
    memcpy(tag, call->tag, TAG_BYTES);
    if (!gcm_run(crypto, gcm, key, call, 0)) {
        return cmk_crypto_fail(crypto, CMK_ENVELOPE_LIBRARY_ERROR, "decryption");
    }
    if (EVP_CIPHER_CTX_ctrl(gcm->ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) != 1) {
        cmk_gcm_forget(gcm);
        return cmk_crypto_fail(crypto, CMK_ENVELOPE_LIBRARY_ERROR, "tag");
    }
    if (EVP_CipherFinal_ex(gcm->ctx, rest, &length) != 1) {
        return cmk_crypto_fail(crypto, CMK_ENVELOPE_AUTH_FAILED,
                               "the tag does not fit the ciphertext");
    }
    return CMK_ENVELOPE_OK;
}

void cmk_gcm_nonce(const unsigned char base[CMK_CRYPTO_NONCE_BYTES], uint32_t high, uint32_t low,
                   unsigned char ret_nonce[CMK_CRYPTO_NONCE_BYTES])
{
    uint32_t words[3];
    memcpy(words, base, sizeof words);
    words[1] ^= high;
    words[2] ^= low;
    memcpy(ret_nonce, words, sizeof words);
}

/* ---- RSA-OAEP-256 ---------------------------------------------------------------------------- */

bool cmk_oaep_use(const CmkCrypto *crypto, CmkOaep *oaep, EVP_PKEY *key, uint32_t key_row,
                  int (*init)(EVP_PKEY_CTX *ctx))
{
    cmk_oaep_forget(oaep);
    oaep->ctx = EVP_PKEY_CTX_new_from_pkey(cmk_random_source_library(crypto->random), key, NULL);
    if (oaep->ctx == NULL || init(oaep->ctx) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(oaep->ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md(oaep->ctx, crypto->sha256) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md(oaep->ctx, crypto->sha256) != 1) {
        cmk_oaep_forget(oaep);
        return false;
    }
    oaep->keyed_for = key_row;
    return true;
}

void cmk_oaep_forget(CmkOaep *oaep)
{
    EVP_PKEY_CTX_free(oaep->ctx);
    *oaep = (CmkOaep){.keyed_for = CMK_CRYPTO_NO_KEY};
}

uint32_t cmk_oaep_wrap(const CmkOaep *oaep, const unsigned char plain[CMK_CRYPTO_KEY_BYTES],
                       unsigned char ret_wrapped[CMK_CRYPTO_WRAPPED_MAX])
{
    size_t size = CMK_CRYPTO_WRAPPED_MAX;
    if (EVP_PKEY_encrypt(oaep->ctx, ret_wrapped, &size, plain, CMK_CRYPTO_KEY_BYTES) != 1) {
        return 0;
    }
    return (uint32_t)size;
}

/* Whether the error, the first in the queue, says that the blob is wrong rather than that the
 * library is in trouble. */
static bool is_about_blob(unsigned long code)
{
    const int reason = ERR_GET_REASON(code);
    return ERR_GET_LIB(code) == ERR_LIB_RSA &&
           (reason == RSA_R_OAEP_DECODING_ERROR || reason == RSA_R_DATA_TOO_LARGE_FOR_MODULUS ||
            reason == RSA_R_PADDING_CHECK_FAILED);
}

CmkEnvelopeResult cmk_oaep_unwrap(CmkCrypto *crypto, const CmkOaep *oaep,
                                  const unsigned char *wrapped, uint32_t wrapped_bytes,
                                  unsigned char ret_plain[CMK_CRYPTO_KEY_BYTES])
{
    unsigned char plain[CMK_CRYPTO_WRAPPED_MAX];
    size_t size = sizeof plain;
    CmkEnvelopeResult result = CMK_ENVELOPE_OK;
    ERR_clear_error();
    if (EVP_PKEY_decrypt(oaep->ctx, plain, &size, wrapped, wrapped_bytes) != 1) {
        result =
            is_about_blob(ERR_peek_error()) ? CMK_ENVELOPE_AUTH_FAILED : CMK_ENVELOPE_LIBRARY_ERROR;
        result = cmk_crypto_fail(crypto, result, "unwrap");
    } else if (size != CMK_CRYPTO_KEY_BYTES) {
        result =
            cmk_crypto_fail(crypto, CMK_ENVELOPE_MISMATCH, "the unwrapped key has another length");
    } else {
        memcpy(ret_plain, plain, CMK_CRYPTO_KEY_BYTES);
    }
    OPENSSL_cleanse(plain, sizeof plain);
    return result;
}
