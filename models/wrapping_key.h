/*
 * Key versions of vaults and HSMs, as far as they wrap: what turns a data key into a blob and back
 * (KV-21, KV-31). Most are RSA keys; for some an AES-256-GCM key may stand in, with which all calls
 * behave the same.
 *
 * Rows are numbered in the order of creation and stay, purged ones too: then without a key.
 *
 * Must not know: which data keys there are, where blobs are kept.
 */
#ifndef CMK_MODELS_WRAPPING_KEY_H
#define CMK_MODELS_WRAPPING_KEY_H

#include "models/crypto.h"

typedef enum CmkWrappingKeyKind {
    CMK_WRAPPING_KEY_RSA,
    CMK_WRAPPING_KEY_STAND_IN,
    CMK_WRAPPING_KEY_KIND__COUNT
} CmkWrappingKeyKind;

typedef struct CmkWrappingKeys CmkWrappingKeys;

/* `crypto` is borrowed and outlives the table. NULL when memory is out. */
CmkWrappingKeys *cmk_wrapping_keys_new(CmkCrypto *crypto);

/* Wipes everything. Accepts NULL. */
void cmk_wrapping_keys_free(CmkWrappingKeys *keys);

/* Registers a new key version of 2048, 3072 or 4096 bits (KV-5). An id is never used twice.
 * LIBRARY_ERROR. */
CmkEnvelopeResult cmk_wrapping_keys_create(CmkWrappingKeys *keys, CmkWrappingKeyKind kind,
                                           uint32_t version_id, uint32_t bits);

/* From now on a thread makes RSA keys ahead of need. */
void cmk_wrapping_keys_work_ahead(CmkWrappingKeys *keys);

uint32_t cmk_wrapping_keys_count(const CmkWrappingKeys *keys);

/* The row, or CMK_CRYPTO_NO_KEY. */
uint32_t cmk_wrapping_keys_find(const CmkWrappingKeys *keys, uint32_t version_id);

uint32_t cmk_wrapping_keys_id(const CmkWrappingKeys *keys, uint32_t row);

bool cmk_wrapping_keys_is_purged(const CmkWrappingKeys *keys, uint32_t row);

/* Wipes the key, for good. */
void cmk_wrapping_keys_purge(CmkWrappingKeys *keys, uint32_t row);

/* Wraps a data key. It draws from the stream of (`dek_id`, `wraps_made`): by count and not by key
 * version, so that wrapping again after a drop gives another blob. The number of bytes, 0: failed.
 */
uint32_t cmk_wrapping_keys_wrap(CmkWrappingKeys *keys, uint32_t row, uint32_t dek_id,
                                uint32_t wraps_made,
                                const unsigned char plain[CMK_CRYPTO_KEY_BYTES],
                                unsigned char ret_wrapped[CMK_CRYPTO_WRAPPED_MAX]);

/* Opens a blob. AUTH_FAILED, MISMATCH, LIBRARY_ERROR. */
CmkEnvelopeResult cmk_wrapping_keys_unwrap(CmkWrappingKeys *keys, uint32_t row, uint32_t dek_id,
                                           const unsigned char *wrapped, uint32_t wrapped_bytes,
                                           unsigned char ret_plain[CMK_CRYPTO_KEY_BYTES]);

typedef struct CmkWrappingKeysCounters {
    uint64_t keys_used; /* as of CmkRsaKeysCounters */
    uint64_t keys_made;
    uint64_t wraps;
    uint64_t unwraps;
    uint64_t stand_in_wraps;
    uint64_t stand_in_unwraps;
} CmkWrappingKeysCounters;

CmkWrappingKeysCounters cmk_wrapping_keys_counters(const CmkWrappingKeys *keys);

#endif
