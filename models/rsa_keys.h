/*
 * RSA private keys, made when there is time or need: a second thread, if it was asked for, makes
 * them in the order in which they were added; a caller that needs one before its turn makes it
 * itself. The key is the same either way (models/rsa_prime.h).
 *
 * A private key is in its row and nowhere else, and a purge wipes it there, also one that is being
 * made right now. One thread calls, the one that made the table.
 *
 * Must not know: what is done with the keys.
 */
#ifndef CMK_MODELS_RSA_KEYS_H
#define CMK_MODELS_RSA_KEYS_H

#include <openssl/types.h>

#include "models/crypto.h"

typedef struct CmkRsaKeys CmkRsaKeys;

/* `crypto` is borrowed and outlives the table. NULL when memory is out. */
CmkRsaKeys *cmk_rsa_keys_new(const CmkCrypto *crypto);

/* Stops the thread, within milliseconds, and wipes everything. Accepts NULL. */
void cmk_rsa_keys_free(CmkRsaKeys *keys);

/* The row of a key that is still to be made, of 2048, 3072 or 4096 bits; CMK_CRYPTO_NO_KEY when
 * memory is out. The key follows from the seed, `version_id` and `bits`. */
uint32_t cmk_rsa_keys_add(CmkRsaKeys *keys, uint32_t version_id, uint32_t bits);

/* Starts the second thread, unless it is there. Without it, should the system refuse, callers make
 * their keys. */
void cmk_rsa_keys_work_ahead(CmkRsaKeys *keys);

/* The key: waits if the thread is at it, makes it if nobody is. Owned by the row, valid until it is
 * purged. NULL on failure. No stream may be selected. */
EVP_PKEY *cmk_rsa_keys_need(CmkRsaKeys *keys, uint32_t row);

/* Wipes the key, for good. Whoever holds on to it lets go before. */
void cmk_rsa_keys_purge(CmkRsaKeys *keys, uint32_t row);

typedef struct CmkRsaKeysCounters {
    uint64_t used; /* keys that some call needed */
    uint64_t made; /* keys made so far, also in vain: not reproducible */
} CmkRsaKeysCounters;

CmkRsaKeysCounters cmk_rsa_keys_counters(CmkRsaKeys *keys);

#endif
