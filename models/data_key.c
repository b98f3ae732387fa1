#include "models/data_key.h"

#include <string.h>

#include <openssl/crypto.h>

#include "models/id_map.h"

#define NONE CMK_CRYPTO_NO_KEY
#define KEY_BYTES CMK_CRYPTO_KEY_BYTES
#define NONCE_BYTES CMK_CRYPTO_NONCE_BYTES
#define CHECK_BYTES 16

_Static_assert(CMK_CRYPTO_NO_KEY == CMK_ID_MAP_NONE, "what is not found is no key");

typedef struct Dek {
    uint32_t dek_id;
    uint32_t first_blob;
    uint32_t wraps_made;
    uint32_t nonces_used;
    unsigned char nonce_base[NONCE_BYTES];
    /* First bytes of the key's SHA-256: tells whether an unwrapping gave the right key. Nobody
     * finds 256 random bits from their hash, so it may outlive the key. */
    unsigned char check[CHECK_BYTES];
    bool is_fresh;
    unsigned char fresh[KEY_BYTES]; /* the plaintext until the first wrap */
} Dek;

/* A data key wrapped by a key version, and what unwrapping it gave. */
typedef struct Blob {
    uint32_t dek_row;
    uint32_t version_row;
    uint32_t next_of_dek; /* also chains the free rows */
    uint32_t next_of_version;
    uint32_t previous_of_version;
    uint32_t size_bytes;
    unsigned char *bytes;
    bool is_open;
    unsigned char plain[KEY_BYTES];
} Blob;

struct CmkDataKeys {
    CmkCrypto *crypto;
    CmkWrappingKeys *wrapping_keys;
    CmkGcm gcm; /* keyed_for: row of the blob that opened the key */
    Dek *deks;
    uint32_t deks_count;
    uint32_t deks_capacity;
    Blob *blobs;
    uint32_t blobs_count;
    uint32_t blobs_capacity;
    uint32_t blobs_free;
    uint32_t *first_blobs; /* by row of the key version, as far as any has wrapped */
    uint32_t first_blobs_capacity;
    CmkIdMap dek_rows;
    CmkIdMap blob_rows; /* by data key and key version */
};

static CmkEnvelopeResult fail(CmkDataKeys *keys, CmkEnvelopeResult result, const char *what)
{
    return cmk_crypto_fail(keys->crypto, result, what);
}

CmkDataKeys *cmk_data_keys_new(CmkCrypto *crypto, CmkWrappingKeys *wrapping_keys)
{
    CmkDataKeys *keys = OPENSSL_zalloc(sizeof *keys);
    if (keys == NULL) {
        return NULL;
    }
    keys->crypto = crypto;
    keys->wrapping_keys = wrapping_keys;
    keys->blobs_free = NONE;
    if (!cmk_gcm_init(&keys->gcm)) {
        cmk_data_keys_free(keys);
        return NULL;
    }
    return keys;
}

void cmk_data_keys_free(CmkDataKeys *keys)
{
    if (keys == NULL) {
        return;
    }
    for (uint32_t i = 0; i < keys->blobs_count; i++) {
        OPENSSL_free(keys->blobs[i].bytes);
    }
    OPENSSL_clear_free(keys->deks, keys->deks_capacity * sizeof *keys->deks);
    OPENSSL_clear_free(keys->blobs, keys->blobs_capacity * sizeof *keys->blobs);
    OPENSSL_free(keys->first_blobs);
    cmk_id_map_clear(&keys->dek_rows);
    cmk_id_map_clear(&keys->blob_rows);
    cmk_gcm_clear(&keys->gcm);
    OPENSSL_free(keys);
}

/* ---- data keys ------------------------------------------------------------------------------- */

static CmkEnvelopeResult compute_check(CmkDataKeys *keys, const unsigned char dek[KEY_BYTES],
                                       unsigned char ret_check[CHECK_BYTES])
{
    unsigned char hash[CMK_CRYPTO_HASH_BYTES];
    bool is_good = cmk_crypto_sha256(keys->crypto, dek, KEY_BYTES, hash);
    if (is_good) {
        memcpy(ret_check, hash, CHECK_BYTES);
    }
    OPENSSL_cleanse(hash, sizeof hash);
    return is_good ? CMK_ENVELOPE_OK
                   : fail(keys, CMK_ENVELOPE_LIBRARY_ERROR, "SHA-256 of a data key");
}

CmkEnvelopeResult cmk_data_keys_create(CmkDataKeys *keys, uint32_t dek_id)
{
    CMK_ASSERT(cmk_data_keys_find(keys, dek_id) == NONE);
    const uint32_t row = keys->deks_count;
    Dek *deks = cmk_crypto_reserve(keys->deks, row, &keys->deks_capacity, sizeof *keys->deks);
    if (deks == NULL) {
        return cmk_crypto_fail_memory(keys->crypto);
    }
    keys->deks = deks;
    if (!cmk_id_map_reserve(&keys->dek_rows)) {
        return cmk_crypto_fail_memory(keys->crypto);
    }
    unsigned char drawn[KEY_BYTES + NONCE_BYTES];
    Dek *dek = &deks[row];
    *dek = (Dek){.dek_id = dek_id, .first_blob = NONE, .is_fresh = true};
    cmk_crypto_draw(keys->crypto, CMK_RANDOM_DATA_KEY, dek_id, drawn, sizeof drawn);
    memcpy(dek->fresh, drawn, KEY_BYTES);
    memcpy(dek->nonce_base, drawn + KEY_BYTES, NONCE_BYTES);
    OPENSSL_cleanse(drawn, sizeof drawn);
    CmkEnvelopeResult result = compute_check(keys, dek->fresh, dek->check);
    if (result != CMK_ENVELOPE_OK) {
        OPENSSL_cleanse(dek, sizeof *dek);
        return result;
    }
    cmk_id_map_add(&keys->dek_rows, dek_id, 0, row);
    keys->deks_count++;
    return CMK_ENVELOPE_OK;
}

uint32_t cmk_data_keys_find(const CmkDataKeys *keys, uint32_t dek_id)
{
    return cmk_id_map_find(&keys->dek_rows, dek_id, 0);
}

uint32_t cmk_data_keys_id(const CmkDataKeys *keys, uint32_t dek_row)
{
    CMK_ASSERT(dek_row < keys->deks_count);
    return keys->deks[dek_row].dek_id;
}

bool cmk_data_keys_is_openable(const CmkDataKeys *keys, uint32_t dek_row)
{
    CMK_ASSERT(dek_row < keys->deks_count);
    const Dek *dek = &keys->deks[dek_row];
    bool is_openable = dek->is_fresh;
    for (uint32_t i = dek->first_blob; i != NONE; i = keys->blobs[i].next_of_dek) {
        const Blob *blob = &keys->blobs[i];
        is_openable = is_openable || blob->is_open ||
                      !cmk_wrapping_keys_is_purged(keys->wrapping_keys, blob->version_row);
    }
    return is_openable;
}

/* Whether the data key has its plaintext here, and a copy of it. */
static bool copy_plain(const CmkDataKeys *keys, const Dek *dek, unsigned char ret_plain[KEY_BYTES])
{
    if (dek->is_fresh) {
        memcpy(ret_plain, dek->fresh, KEY_BYTES);
        return true;
    }
    for (uint32_t i = dek->first_blob; i != NONE; i = keys->blobs[i].next_of_dek) {
        if (keys->blobs[i].is_open) {
            memcpy(ret_plain, keys->blobs[i].plain, KEY_BYTES);
            return true;
        }
    }
    return false;
}

/* ---- blobs ----------------------------------------------------------------------------------- */

CmkBlob cmk_data_keys_blob(const CmkDataKeys *keys, uint32_t blob_row)
{
    CMK_ASSERT(blob_row < keys->blobs_count);
    const Blob *blob = &keys->blobs[blob_row];
    return (CmkBlob){.bytes = blob->bytes, .size_bytes = blob->size_bytes};
}

CmkEnvelopeResult cmk_data_keys_find_blob(const CmkDataKeys *keys, uint32_t dek_id,
                                          uint32_t version_id, uint32_t *ret_blob_row)
{
    if (cmk_data_keys_find(keys, dek_id) == NONE ||
        cmk_wrapping_keys_find(keys->wrapping_keys, version_id) == NONE) {
        return CMK_ENVELOPE_UNKNOWN;
    }
    const uint32_t row = cmk_id_map_find(&keys->blob_rows, dek_id, version_id);
    if (row == NONE) {
        return CMK_ENVELOPE_NOT_WRAPPED;
    }
    *ret_blob_row = row;
    return CMK_ENVELOPE_OK;
}

/* False when memory is out. */
static bool reserve_first_blob(CmkDataKeys *keys, uint32_t version_row)
{
    while (version_row >= keys->first_blobs_capacity) {
        const uint32_t filled = keys->first_blobs_capacity;
        uint32_t *first_blobs = cmk_crypto_reserve(
            keys->first_blobs, filled, &keys->first_blobs_capacity, sizeof *keys->first_blobs);
        if (first_blobs == NULL) {
            return false;
        }
        keys->first_blobs = first_blobs;
        for (uint32_t i = filled; i < keys->first_blobs_capacity; i++) {
            first_blobs[i] = NONE;
        }
    }
    return true;
}

/* A row for one more blob, of this key version, not yet counted as used; NONE when memory is out.
 */
static uint32_t blob_reserve(CmkDataKeys *keys, uint32_t version_row)
{
    if (!cmk_id_map_reserve(&keys->blob_rows) || !reserve_first_blob(keys, version_row)) {
        return NONE;
    }
    if (keys->blobs_free != NONE) {
        return keys->blobs_free;
    }
    Blob *blobs = cmk_crypto_reserve(keys->blobs, keys->blobs_count, &keys->blobs_capacity,
                                     sizeof *keys->blobs);
    if (blobs == NULL) {
        return NONE;
    }
    keys->blobs = blobs;
    return keys->blobs_count;
}

/* Puts a blob, whose bytes it takes over, into the reserved row. */
static void blob_add(CmkDataKeys *keys, uint32_t row, const Blob *added)
{
    if (row == keys->blobs_free) {
        keys->blobs_free = keys->blobs[row].next_of_dek;
    } else {
        CMK_ASSERT(row == keys->blobs_count);
        keys->blobs_count++;
    }
    Dek *dek = &keys->deks[added->dek_row];
    uint32_t *first_of_version = &keys->first_blobs[added->version_row];
    Blob *blob = &keys->blobs[row];
    *blob = *added;
    blob->next_of_dek = dek->first_blob;
    blob->next_of_version = *first_of_version;
    blob->previous_of_version = NONE;
    if (*first_of_version != NONE) {
        keys->blobs[*first_of_version].previous_of_version = row;
    }
    *first_of_version = row;
    dek->first_blob = row;
    dek->wraps_made++;
    cmk_id_map_add(&keys->blob_rows, dek->dek_id,
                   cmk_wrapping_keys_id(keys->wrapping_keys, added->version_row), row);
}

/* Closes the data key as far as this unwrapping had opened it. */
static void blob_close(CmkDataKeys *keys, uint32_t row)
{
    Blob *blob = &keys->blobs[row];
    OPENSSL_cleanse(blob->plain, sizeof blob->plain);
    blob->is_open = false;
    if (keys->gcm.keyed_for == row) {
        cmk_gcm_forget(&keys->gcm);
    }
}

void cmk_data_keys_close_all_of(CmkDataKeys *keys, uint32_t version_row)
{
    uint32_t row = version_row < keys->first_blobs_capacity ? keys->first_blobs[version_row] : NONE;
    for (; row != NONE; row = keys->blobs[row].next_of_version) {
        blob_close(keys, row);
    }
}

void cmk_data_keys_drop_blob(CmkDataKeys *keys, uint32_t blob_row)
{
    CMK_ASSERT(blob_row < keys->blobs_count);
    blob_close(keys, blob_row);
    Blob *blob = &keys->blobs[blob_row];
    uint32_t *link = &keys->deks[blob->dek_row].first_blob;
    while (*link != blob_row) { /* as long as the data key has key versions */
        CMK_ASSERT(*link != NONE);
        link = &keys->blobs[*link].next_of_dek;
    }
    *link = blob->next_of_dek;
    if (blob->previous_of_version == NONE) {
        keys->first_blobs[blob->version_row] = blob->next_of_version;
    } else {
        keys->blobs[blob->previous_of_version].next_of_version = blob->next_of_version;
    }
    if (blob->next_of_version != NONE) {
        keys->blobs[blob->next_of_version].previous_of_version = blob->previous_of_version;
    }
    cmk_id_map_remove(&keys->blob_rows, keys->deks[blob->dek_row].dek_id,
                      cmk_wrapping_keys_id(keys->wrapping_keys, blob->version_row));
    OPENSSL_free(blob->bytes);
    *blob = (Blob){.next_of_dek = keys->blobs_free};
    keys->blobs_free = blob_row;
}

void cmk_data_keys_keep_blobs(CmkDataKeys *keys, uint32_t dek_row, uint32_t version_id,
                              uint32_t other_version_id)
{
    CMK_ASSERT(dek_row < keys->deks_count);
    uint32_t row = keys->deks[dek_row].first_blob;
    while (row != NONE) {
        const Blob *blob = &keys->blobs[row];
        const uint32_t next = blob->next_of_dek;
        const uint32_t wrapped_by = cmk_wrapping_keys_id(keys->wrapping_keys, blob->version_row);
        if (wrapped_by != version_id && wrapped_by != other_version_id) {
            cmk_data_keys_drop_blob(keys, row);
        }
        row = next;
    }
}

void cmk_data_keys_replace_blob(CmkDataKeys *keys, uint32_t blob_row, CmkBlob blob)
{
    CMK_ASSERT(blob_row < keys->blobs_count);
    CMK_ASSERT(blob.size_bytes == keys->blobs[blob_row].size_bytes);
    blob_close(keys, blob_row);
    memcpy(keys->blobs[blob_row].bytes, blob.bytes, blob.size_bytes);
}

/* ---- wrapping and opening -------------------------------------------------------------------- */

/* The rows of a data key and a key version; UNKNOWN, and KEY_GONE when the version is purged. */
static CmkEnvelopeResult find_rows(CmkDataKeys *keys, uint32_t dek_id, uint32_t version_id,
                                   uint32_t *ret_dek_row, uint32_t *ret_version_row)
{
    const uint32_t dek_row = cmk_data_keys_find(keys, dek_id);
    const uint32_t version_row = cmk_wrapping_keys_find(keys->wrapping_keys, version_id);
    if (dek_row == NONE) {
        return fail(keys, CMK_ENVELOPE_UNKNOWN, "data key");
    }
    if (version_row == NONE) {
        return fail(keys, CMK_ENVELOPE_UNKNOWN, "key version");
    }
    if (cmk_wrapping_keys_is_purged(keys->wrapping_keys, version_row)) {
        return fail(keys, CMK_ENVELOPE_KEY_GONE, "the key version is purged");
    }
    *ret_dek_row = dek_row;
    *ret_version_row = version_row;
    return CMK_ENVELOPE_OK;
}

static CmkEnvelopeResult wrap_plain(CmkDataKeys *keys, uint32_t dek_row, uint32_t version_row,
                                    const unsigned char plain[KEY_BYTES], uint32_t *ret_blob_row)
{
    unsigned char wrapped[CMK_CRYPTO_WRAPPED_MAX];
    Dek *dek = &keys->deks[dek_row];
    const uint32_t row = blob_reserve(keys, version_row);
    if (row == NONE) {
        return cmk_crypto_fail_memory(keys->crypto);
    }
    const uint32_t size = cmk_wrapping_keys_wrap(keys->wrapping_keys, version_row, dek->dek_id,
                                                 dek->wraps_made, plain, wrapped);
    if (size == 0) {
        return fail(keys, CMK_ENVELOPE_LIBRARY_ERROR, "wrap");
    }
    unsigned char *kept = OPENSSL_memdup(wrapped, size);
    if (kept == NULL) {
        return cmk_crypto_fail_memory(keys->crypto);
    }
    blob_add(
        keys, row,
        &(Blob){.dek_row = dek_row, .version_row = version_row, .bytes = kept, .size_bytes = size});
    OPENSSL_cleanse(dek->fresh, sizeof dek->fresh);
    dek->is_fresh = false;
    *ret_blob_row = row;
    return CMK_ENVELOPE_OK;
}

CmkEnvelopeResult cmk_data_keys_wrap(CmkDataKeys *keys, uint32_t dek_id, uint32_t version_id,
                                     uint32_t *ret_new_blob)
{
    uint32_t dek_row = NONE;
    uint32_t version_row = NONE;
    CmkEnvelopeResult result = find_rows(keys, dek_id, version_id, &dek_row, &version_row);
    if (result != CMK_ENVELOPE_OK) {
        return result;
    }
    if (cmk_id_map_find(&keys->blob_rows, dek_id, version_id) != NONE) {
        *ret_new_blob = NONE;
        return CMK_ENVELOPE_OK;
    }
    unsigned char plain[KEY_BYTES];
    if (copy_plain(keys, &keys->deks[dek_row], plain)) {
        result = wrap_plain(keys, dek_row, version_row, plain, ret_new_blob);
        OPENSSL_cleanse(plain, sizeof plain);
        return result;
    }
    if (cmk_data_keys_is_openable(keys, dek_row)) {
        return fail(keys, CMK_ENVELOPE_NOT_OPEN, "unwrap the data key first");
    }
    return fail(keys, CMK_ENVELOPE_KEY_GONE, "nothing opens the data key any more");
}

/* Decrypts the blob and remembers what came out, if it is the right key. */
static CmkEnvelopeResult blob_open(CmkDataKeys *keys, uint32_t row)
{
    Blob *blob = &keys->blobs[row];
    const Dek *dek = &keys->deks[blob->dek_row];
    unsigned char plain[KEY_BYTES];
    unsigned char check[CHECK_BYTES];
    CmkEnvelopeResult result = cmk_wrapping_keys_unwrap(
        keys->wrapping_keys, blob->version_row, dek->dek_id, blob->bytes, blob->size_bytes, plain);
    if (result == CMK_ENVELOPE_OK) {
        result = compute_check(keys, plain, check);
    }
    if (result == CMK_ENVELOPE_OK && CRYPTO_memcmp(check, dek->check, CHECK_BYTES) != 0) {
        result = fail(keys, CMK_ENVELOPE_MISMATCH, "the unwrapped key is another one");
    }
    if (result == CMK_ENVELOPE_OK) {
        memcpy(blob->plain, plain, KEY_BYTES);
        blob->is_open = true;
    }
    OPENSSL_cleanse(plain, sizeof plain);
    return result;
}

/* The usual case, already open, costs one search. */
CmkEnvelopeResult cmk_data_keys_open(CmkDataKeys *keys, uint32_t dek_id, uint32_t version_id,
                                     CmkOpenDataKey *ret_open)
{
    const uint32_t row = cmk_id_map_find(&keys->blob_rows, dek_id, version_id);
    if (row == NONE || !keys->blobs[row].is_open) {
        uint32_t dek_row = NONE;
        uint32_t version_row = NONE;
        CmkEnvelopeResult result = find_rows(keys, dek_id, version_id, &dek_row, &version_row);
        if (result != CMK_ENVELOPE_OK) {
            return result;
        }
        if (row == NONE) {
            return fail(keys, CMK_ENVELOPE_NOT_WRAPPED, "no such wrapped data key");
        }
        result = blob_open(keys, row);
        if (result != CMK_ENVELOPE_OK) {
            return result;
        }
    }
    *ret_open = (CmkOpenDataKey){.dek_row = keys->blobs[row].dek_row, .blob_row = row};
    return CMK_ENVELOPE_OK;
}

/* ---- using an open data key ------------------------------------------------------------------ */

CmkEnvelopeResult cmk_data_keys_take_nonce(CmkDataKeys *keys, uint32_t dek_row,
                                           uint32_t *ret_number)
{
    CMK_ASSERT(dek_row < keys->deks_count);
    Dek *dek = &keys->deks[dek_row];
    if (dek->nonces_used == UINT32_MAX) { /* SP 800-38D, 8.3 */
        return fail(keys, CMK_ENVELOPE_LIBRARY_ERROR, "the data key has no nonces left");
    }
    *ret_number = dek->nonces_used++;
    return CMK_ENVELOPE_OK;
}

void cmk_data_keys_nonce(const CmkDataKeys *keys, uint32_t dek_row, uint32_t number,
                         unsigned char ret_nonce[NONCE_BYTES])
{
    CMK_ASSERT(dek_row < keys->deks_count);
    cmk_gcm_nonce(keys->deks[dek_row].nonce_base, 0, number, ret_nonce);
}

static CmkGcmKey key_of(const CmkDataKeys *keys, CmkOpenDataKey open)
{
    CMK_ASSERT(open.blob_row < keys->blobs_count);
    const Blob *blob = &keys->blobs[open.blob_row];
    CMK_ASSERT(blob->is_open && blob->dek_row == open.dek_row);
    return (CmkGcmKey){.bytes = blob->plain, .row = open.blob_row};
}

bool cmk_data_keys_encrypt(CmkDataKeys *keys, CmkOpenDataKey open, const CmkGcmCall *call)
{
    return cmk_gcm_encrypt(keys->crypto, &keys->gcm, key_of(keys, open), call);
}

CmkEnvelopeResult cmk_data_keys_decrypt(CmkDataKeys *keys, CmkOpenDataKey open,
                                        const CmkGcmCall *call)
{
    return cmk_gcm_decrypt(keys->crypto, &keys->gcm, key_of(keys, open), call);
}
