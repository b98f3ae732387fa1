#include "models/wrapping_key.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "models/id_map.h"
#include "models/rsa_keys.h"

#define NONE CMK_CRYPTO_NO_KEY
#define KEY_BYTES CMK_CRYPTO_KEY_BYTES
#define NONCE_BYTES CMK_CRYPTO_NONCE_BYTES
#define WRAPPED_MAX CMK_CRYPTO_WRAPPED_MAX
/* What a stand-in key makes of a data key: nonce, ciphertext, tag. */
#define STAND_IN_BYTES (NONCE_BYTES + KEY_BYTES + CMK_CRYPTO_TAG_BYTES)

_Static_assert(CMK_CRYPTO_NO_KEY == CMK_ID_MAP_NONE, "what is not found is no key");

typedef struct Version {
    uint32_t version_id;
    CmkWrappingKeyKind kind;
    bool is_purged;
    uint32_t rsa_row; /* NONE: a stand-in */
    unsigned char stand_in[KEY_BYTES];
} Version;

struct CmkWrappingKeys {
    CmkCrypto *crypto;
    CmkRsaKeys *rsa_keys;
    CmkOaep wrapping; /* keyed_for: row of the version */
    CmkOaep unwrapping;
    Version *versions;
    uint32_t count;
    uint32_t capacity;
    CmkIdMap rows;
    CmkWrappingKeysCounters counters; /* without those of the RSA keys */
};

/* ---- the table ------------------------------------------------------------------------------- */

CmkWrappingKeys *cmk_wrapping_keys_new(CmkCrypto *crypto)
{
    CmkWrappingKeys *keys = OPENSSL_zalloc(sizeof *keys);
    if (keys == NULL) {
        return NULL;
    }
    keys->crypto = crypto;
    keys->wrapping.keyed_for = NONE;
    keys->unwrapping.keyed_for = NONE;
    keys->rsa_keys = cmk_rsa_keys_new(crypto);
    if (keys->rsa_keys == NULL) {
        cmk_wrapping_keys_free(keys);
        return NULL;
    }
    return keys;
}

void cmk_wrapping_keys_free(CmkWrappingKeys *keys)
{
    if (keys == NULL) {
        return;
    }
    cmk_oaep_forget(&keys->wrapping);
    cmk_oaep_forget(&keys->unwrapping);
    cmk_rsa_keys_free(keys->rsa_keys);
    OPENSSL_clear_free(keys->versions, keys->capacity * sizeof *keys->versions);
    cmk_id_map_clear(&keys->rows);
    OPENSSL_free(keys);
}

CmkEnvelopeResult cmk_wrapping_keys_create(CmkWrappingKeys *keys, CmkWrappingKeyKind kind,
                                           uint32_t version_id, uint32_t bits)
{
    CMK_ASSERT((unsigned)kind < CMK_WRAPPING_KEY_KIND__COUNT);
    CMK_ASSERT(bits == 2048 || bits == 3072 || bits == 4096); /* KV-5 */
    CMK_ASSERT(cmk_wrapping_keys_find(keys, version_id) == NONE);
    Version *versions =
        cmk_crypto_reserve(keys->versions, keys->count, &keys->capacity, sizeof *keys->versions);
    if (versions == NULL) {
        return cmk_crypto_fail_memory(keys->crypto);
    }
    keys->versions = versions;
    if (!cmk_id_map_reserve(&keys->rows)) {
        return cmk_crypto_fail_memory(keys->crypto);
    }
    Version *version = &versions[keys->count];
    *version = (Version){.version_id = version_id, .kind = kind, .rsa_row = NONE};
    if (kind == CMK_WRAPPING_KEY_STAND_IN) {
        cmk_crypto_draw(keys->crypto, CMK_RANDOM_STAND_IN_KEY, version_id, version->stand_in,
                        KEY_BYTES);
    } else {
        version->rsa_row = cmk_rsa_keys_add(keys->rsa_keys, version_id, bits);
        if (version->rsa_row == NONE) {
            return cmk_crypto_fail_memory(keys->crypto);
        }
    }
    cmk_id_map_add(&keys->rows, version_id, 0, keys->count);
    keys->count++;
    return CMK_ENVELOPE_OK;
}

void cmk_wrapping_keys_work_ahead(CmkWrappingKeys *keys)
{
    cmk_rsa_keys_work_ahead(keys->rsa_keys);
}

uint32_t cmk_wrapping_keys_count(const CmkWrappingKeys *keys)
{
    return keys->count;
}

uint32_t cmk_wrapping_keys_find(const CmkWrappingKeys *keys, uint32_t version_id)
{
    return cmk_id_map_find(&keys->rows, version_id, 0);
}

uint32_t cmk_wrapping_keys_id(const CmkWrappingKeys *keys, uint32_t row)
{
    CMK_ASSERT(row < keys->count);
    return keys->versions[row].version_id;
}

bool cmk_wrapping_keys_is_purged(const CmkWrappingKeys *keys, uint32_t row)
{
    CMK_ASSERT(row < keys->count);
    return keys->versions[row].is_purged;
}

void cmk_wrapping_keys_purge(CmkWrappingKeys *keys, uint32_t row)
{
    CMK_ASSERT(row < keys->count);
    Version *version = &keys->versions[row];
    if (keys->wrapping.keyed_for == row) {
        cmk_oaep_forget(&keys->wrapping);
    }
    if (keys->unwrapping.keyed_for == row) {
        cmk_oaep_forget(&keys->unwrapping);
    }
    if (version->kind == CMK_WRAPPING_KEY_RSA) {
        cmk_rsa_keys_purge(keys->rsa_keys, version->rsa_row);
    }
    OPENSSL_cleanse(version->stand_in, sizeof version->stand_in);
    version->is_purged = true;
}

CmkWrappingKeysCounters cmk_wrapping_keys_counters(const CmkWrappingKeys *keys)
{
    CmkWrappingKeysCounters counters = keys->counters;
    const CmkRsaKeysCounters rsa = cmk_rsa_keys_counters(keys->rsa_keys);
    counters.keys_used = rsa.used;
    counters.keys_made = rsa.made;
    return counters;
}

/* ---- with an RSA key ------------------------------------------------------------------------- */

/* Whether the context holds on to the key of the row now; it is set up anew only for another one.
 * No stream may be selected: a key may be made. */
static bool use_rsa(CmkWrappingKeys *keys, CmkOaep *oaep, uint32_t row,
                    int (*init)(EVP_PKEY_CTX *ctx))
{
    if (oaep->keyed_for == row) {
        return true;
    }
    EVP_PKEY *rsa = cmk_rsa_keys_need(keys->rsa_keys, keys->versions[row].rsa_row);
    return rsa != NULL && cmk_oaep_use(keys->crypto, oaep, rsa, row, init);
}

static uint32_t rsa_wrap(CmkWrappingKeys *keys, const unsigned char plain[KEY_BYTES],
                         unsigned char ret_wrapped[WRAPPED_MAX])
{
    const uint32_t size = cmk_oaep_wrap(&keys->wrapping, plain, ret_wrapped);
    keys->counters.wraps += size != 0;
    return size;
}

static CmkEnvelopeResult rsa_unwrap(CmkWrappingKeys *keys, uint32_t row, uint32_t dek_id,
                                    const unsigned char *wrapped, uint32_t wrapped_bytes,
                                    unsigned char ret_plain[KEY_BYTES])
{
    if (!use_rsa(keys, &keys->unwrapping, row, EVP_PKEY_decrypt_init)) {
        return cmk_crypto_fail(keys->crypto, CMK_ENVELOPE_LIBRARY_ERROR, "unwrap");
    }
    /* Blinding draws at its first use and every 32 uses, per thread: how much is nobody's business,
     * since the results do not depend on it. */
    CmkRandomStream blinding;
    CmkEnvelopeResult result = CMK_ENVELOPE_LIBRARY_ERROR;
    if (cmk_crypto_stream_begin(keys->crypto, &blinding, CMK_RANDOM_UNWRAP, dek_id, row)) {
        keys->counters.unwraps++;
        result =
            cmk_oaep_unwrap(keys->crypto, &keys->unwrapping, wrapped, wrapped_bytes, ret_plain);
    } else {
        result = cmk_crypto_fail_memory(keys->crypto);
    }
    cmk_crypto_stream_end(keys->crypto, &blinding);
    return result;
}

/* ---- with a stand-in ------------------------------------------------------------------------- */

/* A context of its own, so that the stand-in key is gone with it. */
static uint32_t stand_in_wrap(CmkWrappingKeys *keys, const Version *version,
                              const unsigned char plain[KEY_BYTES], CmkRandomStream *nonces,
                              unsigned char ret_wrapped[WRAPPED_MAX])
{
    cmk_random_stream_read(nonces, ret_wrapped, NONCE_BYTES);
    CmkGcm gcm;
    bool is_good = cmk_gcm_init(&gcm) &&
                   cmk_gcm_encrypt(keys->crypto, &gcm, (CmkGcmKey){.bytes = version->stand_in},
                                   &(CmkGcmCall){.nonce = ret_wrapped,
                                                 .in = plain,
                                                 .in_bytes = KEY_BYTES,
                                                 .out = ret_wrapped + NONCE_BYTES,
                                                 .ret_tag = ret_wrapped + NONCE_BYTES + KEY_BYTES});
    cmk_gcm_clear(&gcm);
    keys->counters.stand_in_wraps += is_good;
    return is_good ? STAND_IN_BYTES : 0;
}

static CmkEnvelopeResult stand_in_unwrap(CmkWrappingKeys *keys, const Version *version,
                                         const unsigned char *wrapped, uint32_t wrapped_bytes,
                                         unsigned char ret_plain[KEY_BYTES])
{
    CMK_ASSERT(wrapped_bytes == STAND_IN_BYTES);
    keys->counters.stand_in_unwraps++;
    CmkGcm gcm;
    if (!cmk_gcm_init(&gcm)) {
        return cmk_crypto_fail(keys->crypto, CMK_ENVELOPE_LIBRARY_ERROR, "unwrap");
    }
    CmkEnvelopeResult result =
        cmk_gcm_decrypt(keys->crypto, &gcm, (CmkGcmKey){.bytes = version->stand_in},
                        &(CmkGcmCall){.nonce = wrapped,
                                      .in = wrapped + NONCE_BYTES,
                                      .in_bytes = KEY_BYTES,
                                      .out = ret_plain,
                                      .tag = wrapped + NONCE_BYTES + KEY_BYTES});
    cmk_gcm_clear(&gcm);
    return result;
}

/* ---- with whatever key the version has ------------------------------------------------------- */

uint32_t cmk_wrapping_keys_wrap(CmkWrappingKeys *keys, uint32_t row, uint32_t dek_id,
                                uint32_t wraps_made, const unsigned char plain[KEY_BYTES],
                                unsigned char ret_wrapped[WRAPPED_MAX])
{
    CMK_ASSERT(!cmk_wrapping_keys_is_purged(keys, row));
    const Version *version = &keys->versions[row];
    const bool is_stand_in = version->kind == CMK_WRAPPING_KEY_STAND_IN;
    if (!is_stand_in && !use_rsa(keys, &keys->wrapping, row, EVP_PKEY_encrypt_init)) {
        return 0;
    }
    uint32_t size = 0;
    CmkRandomStream stream;
    if (cmk_crypto_stream_begin(keys->crypto, &stream, CMK_RANDOM_WRAP, dek_id, wraps_made)) {
        size = is_stand_in ? stand_in_wrap(keys, version, plain, &stream, ret_wrapped)
                           : rsa_wrap(keys, plain, ret_wrapped);
    }
    cmk_crypto_stream_end(keys->crypto, &stream);
    return size;
}

CmkEnvelopeResult cmk_wrapping_keys_unwrap(CmkWrappingKeys *keys, uint32_t row, uint32_t dek_id,
                                           const unsigned char *wrapped, uint32_t wrapped_bytes,
                                           unsigned char ret_plain[KEY_BYTES])
{
    CMK_ASSERT(!cmk_wrapping_keys_is_purged(keys, row));
    const Version *version = &keys->versions[row];
    return version->kind == CMK_WRAPPING_KEY_STAND_IN
               ? stand_in_unwrap(keys, version, wrapped, wrapped_bytes, ret_plain)
               : rsa_unwrap(keys, row, dek_id, wrapped, wrapped_bytes, ret_plain);
}
