/*
 * Data keys of AES-256 and their wrapped blobs (BK-30 to BK-35): which key versions wrap a data
 * key, and which of the blobs are open, that is, whose unwrapping is remembered.
 *
 * The plaintext of a data key exists only
 *   - from its creation to its first wrap, or
 *   - as the remembered unwrapping of one blob by one key version,
 * and, as long as that, in the key schedule of the cipher. Nobody gets to see it: who has opened a
 * data key encrypts and decrypts here.
 *
 * Must not know: what is encrypted, and where that is kept.
 */
#ifndef CMK_MODELS_DATA_KEY_H
#define CMK_MODELS_DATA_KEY_H

#include "models/crypto.h"
#include "models/wrapping_key.h"

typedef struct CmkDataKeys CmkDataKeys;

/* What is lent is borrowed and outlives the table. NULL when memory is out. */
CmkDataKeys *cmk_data_keys_new(CmkCrypto *crypto, CmkWrappingKeys *wrapping_keys);

/* Wipes everything. Accepts NULL. */
void cmk_data_keys_free(CmkDataKeys *keys);

/* Makes a new data key. An id is never used twice. LIBRARY_ERROR. */
CmkEnvelopeResult cmk_data_keys_create(CmkDataKeys *keys, uint32_t dek_id);

/* The row, or CMK_CRYPTO_NO_KEY. */
uint32_t cmk_data_keys_find(const CmkDataKeys *keys, uint32_t dek_id);

uint32_t cmk_data_keys_id(const CmkDataKeys *keys, uint32_t dek_row);

/* Whether its plaintext is there, or a blob whose key version is not purged. */
bool cmk_data_keys_is_openable(const CmkDataKeys *keys, uint32_t dek_row);

/* ---- wrapping -------------------------------------------------------------------------------- */

/* Wraps the data key with the key version; `ret_new_blob` is the row of the blob that was made,
 * CMK_CRYPTO_NO_KEY when it was there before. UNKNOWN, KEY_GONE, NOT_OPEN, LIBRARY_ERROR. */
CmkEnvelopeResult cmk_data_keys_wrap(CmkDataKeys *keys, uint32_t dek_id, uint32_t version_id,
                                     uint32_t *ret_new_blob);

/* A data key that is open, and the blob which opened it. Valid until the blob is closed. */
typedef struct CmkOpenDataKey {
    uint32_t dek_row;
    uint32_t blob_row;
} CmkOpenDataKey;

/* Opens the data key with the key version: really decrypts the blob once and remembers the result.
 * UNKNOWN, KEY_GONE, NOT_WRAPPED, AUTH_FAILED, MISMATCH, LIBRARY_ERROR. */
CmkEnvelopeResult cmk_data_keys_open(CmkDataKeys *keys, uint32_t dek_id, uint32_t version_id,
                                     CmkOpenDataKey *ret_open);

/* Forgets what the key version of this row had opened. O(data keys wrapped by it). */
void cmk_data_keys_close_all_of(CmkDataKeys *keys, uint32_t version_row);

/* ---- blobs ----------------------------------------------------------------------------------- */

typedef struct CmkBlob {
    const unsigned char *bytes; /* owned by the table, valid until the blob is dropped */
    uint32_t size_bytes;
} CmkBlob;

CmkBlob cmk_data_keys_blob(const CmkDataKeys *keys, uint32_t blob_row);

/* The row of a blob, whatever became of its key version. UNKNOWN, NOT_WRAPPED: without words. */
CmkEnvelopeResult cmk_data_keys_find_blob(const CmkDataKeys *keys, uint32_t dek_id,
                                          uint32_t version_id, uint32_t *ret_blob_row);

/* Forgets the blob and what it had opened. */
void cmk_data_keys_drop_blob(CmkDataKeys *keys, uint32_t blob_row);

/* Forgets all blobs of the data key but those of these two key versions, which may be the same.
 * O(blobs of the data key). */
void cmk_data_keys_keep_blobs(CmkDataKeys *keys, uint32_t dek_row, uint32_t version_id,
                              uint32_t other_version_id);

/* Puts other bytes in place of the blob, as many, and forgets what the old ones had opened. */
void cmk_data_keys_replace_blob(CmkDataKeys *keys, uint32_t blob_row, CmkBlob blob);

/* ---- using an open data key ------------------------------------------------------------------ */

/* A number that this data key never gave before. LIBRARY_ERROR when none is left. */
CmkEnvelopeResult cmk_data_keys_take_nonce(CmkDataKeys *keys, uint32_t dek_row,
                                           uint32_t *ret_number);

/* The nonce of that number. */
void cmk_data_keys_nonce(const CmkDataKeys *keys, uint32_t dek_row, uint32_t number,
                         unsigned char ret_nonce[CMK_CRYPTO_NONCE_BYTES]);

/* As cmk_gcm_encrypt() and cmk_gcm_decrypt(). */
bool cmk_data_keys_encrypt(CmkDataKeys *keys, CmkOpenDataKey open, const CmkGcmCall *call);

CmkEnvelopeResult cmk_data_keys_decrypt(CmkDataKeys *keys, CmkOpenDataKey open,
                                        const CmkGcmCall *call);

#endif
