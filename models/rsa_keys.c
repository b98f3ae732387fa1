#define _POSIX_C_SOURCE 200809L

#include "models/rsa_keys.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "models/rsa_prime.h"

#define NONE CMK_CRYPTO_NO_KEY

typedef enum KeyState {
    KEY_WAITING,
    KEY_MAKING,
    KEY_READY,
    KEY_STATE__COUNT
} KeyState;

/* The worker reads ids and bits, and reads and writes `state` and `rsa`, under the lock. Only the
 * caller's thread writes anything else, and it alone frees. */
typedef struct RsaKey {
    uint32_t version_id;
    uint32_t bits;
    KeyState state;
    bool is_purged;
    bool is_used;
    EVP_PKEY *rsa;
} RsaKey;

struct CmkRsaKeys {
    const CmkCrypto *crypto;
    RsaKey *rows;
    uint32_t count;
    uint32_t capacity;
    CmkRsaKeysCounters counters; /* made: under the lock */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t worker;
    bool has_worker;
    bool is_stopping;         /* under the lock */
    uint32_t worker_next;     /* under the lock: first row that the worker has not looked at */
    uint32_t worker_row;      /* under the lock: whose key it makes, NONE: nobody's */
    atomic_bool is_cancelled; /* that key is no longer wanted */
};

/* ---- making keys, on either thread ----------------------------------------------------------- */

static EVP_PKEY *make_rsa(const CmkCrypto *crypto, uint32_t version_id, uint32_t bits,
                          const atomic_bool *is_cancelled)
{
    CmkRandomStream primes;
    CmkRandomStream witness;
    EVP_PKEY *key = NULL;
    cmk_random_stream_init(&primes, crypto->seed, CMK_RANDOM_KEY_PRIMES, version_id, bits);
    if (cmk_crypto_stream_begin(crypto, &witness, CMK_RANDOM_KEY_WITNESS, version_id, bits)) {
        key =
            cmk_rsa_key_new(cmk_random_source_library(crypto->random), bits, &primes, is_cancelled);
    }
    cmk_crypto_stream_end(crypto, &witness);
    cmk_random_stream_clear(&primes);
    return key;
}

/* Under the lock: puts the key in its row, or throws it away when the row was purged meanwhile. */
static void store_rsa(CmkRsaKeys *keys, uint32_t row, EVP_PKEY *rsa)
{
    RsaKey *key = &keys->rows[row];
    CMK_ASSERT(key->state == KEY_MAKING);
    CMK_ASSERT(key->rsa == NULL);
    key->state = KEY_WAITING;
    if (rsa == NULL) {
        return;
    }
    keys->counters.made++;
    if (key->is_purged || keys->is_stopping) {
        EVP_PKEY_free(rsa); /* OpenSSL clears the private numbers */
        return;
    }
    key->rsa = rsa;
    key->state = KEY_READY;
}

/* ---- the worker ------------------------------------------------------------------------------ */

/* The first row that is still without a key, NONE when there is no work. Under the lock. */
static uint32_t worker_find(CmkRsaKeys *keys)
{
    for (; keys->worker_next < keys->count; keys->worker_next++) {
        const RsaKey *key = &keys->rows[keys->worker_next];
        if (key->state == KEY_WAITING && !key->is_purged) {
            return keys->worker_next++;
        }
    }
    return NONE;
}

static void *worker_main(void *argument)
{
    CmkRsaKeys *keys = argument;
    (void)pthread_mutex_lock(&keys->lock);
    while (!keys->is_stopping) {
        uint32_t row = worker_find(keys);
        if (row == NONE) {
            (void)pthread_cond_wait(&keys->changed, &keys->lock);
            continue;
        }
        const uint32_t version_id = keys->rows[row].version_id;
        const uint32_t bits = keys->rows[row].bits;
        keys->rows[row].state = KEY_MAKING;
        keys->worker_row = row;
        atomic_store(&keys->is_cancelled, false);
        (void)pthread_mutex_unlock(&keys->lock);

        EVP_PKEY *rsa = make_rsa(keys->crypto, version_id, bits, &keys->is_cancelled);
        ERR_clear_error(); /* a failure shows when the caller tries the same */

        (void)pthread_mutex_lock(&keys->lock);
        store_rsa(keys, row, rsa);
        keys->worker_row = NONE;
        (void)pthread_cond_broadcast(&keys->changed);
    }
    (void)pthread_mutex_unlock(&keys->lock);
    cmk_random_source_leave_thread(keys->crypto->random);
    return NULL;
}

void cmk_rsa_keys_work_ahead(CmkRsaKeys *keys)
{
    if (keys->has_worker) {
        return;
    }
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all); /* signals are for the program's own threads */
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) {
        return;
    }
    keys->has_worker = pthread_create(&keys->worker, NULL, worker_main, keys) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void worker_stop(CmkRsaKeys *keys)
{
    if (!keys->has_worker) {
        return;
    }
    (void)pthread_mutex_lock(&keys->lock);
    keys->is_stopping = true;
    atomic_store(&keys->is_cancelled, true);
    (void)pthread_cond_broadcast(&keys->changed);
    (void)pthread_mutex_unlock(&keys->lock);
    (void)pthread_join(keys->worker, NULL);
    keys->has_worker = false;
}

/* ---- the table ------------------------------------------------------------------------------- */

static bool init_threads(CmkRsaKeys *keys)
{
    if (pthread_mutex_init(&keys->lock, NULL) != 0) {
        return false;
    }
    if (pthread_cond_init(&keys->changed, NULL) != 0) {
        (void)pthread_mutex_destroy(&keys->lock);
        return false;
    }
    return true;
}

CmkRsaKeys *cmk_rsa_keys_new(const CmkCrypto *crypto)
{
    CmkRsaKeys *keys = OPENSSL_zalloc(sizeof *keys);
    if (keys == NULL || !init_threads(keys)) {
        OPENSSL_free(keys);
        return NULL;
    }
    keys->crypto = crypto;
    keys->worker_row = NONE;
    atomic_init(&keys->is_cancelled, false);
    return keys;
}

void cmk_rsa_keys_free(CmkRsaKeys *keys)
{
    if (keys == NULL) {
        return;
    }
    worker_stop(keys);
    for (uint32_t i = 0; i < keys->count; i++) {
        EVP_PKEY_free(keys->rows[i].rsa);
    }
    OPENSSL_clear_free(keys->rows, keys->capacity * sizeof *keys->rows);
    (void)pthread_cond_destroy(&keys->changed);
    (void)pthread_mutex_destroy(&keys->lock);
    OPENSSL_free(keys);
}

uint32_t cmk_rsa_keys_add(CmkRsaKeys *keys, uint32_t version_id, uint32_t bits)
{
    CMK_ASSERT(bits == 2048 || bits == 3072 || bits == 4096); /* KV-5 */
    uint32_t row = NONE;
    (void)pthread_mutex_lock(&keys->lock);
    RsaKey *rows = cmk_crypto_reserve(keys->rows, keys->count, &keys->capacity, sizeof *keys->rows);
    if (rows != NULL) {
        keys->rows = rows;
        row = keys->count++;
        rows[row] = (RsaKey){.version_id = version_id, .bits = bits, .state = KEY_WAITING};
        (void)pthread_cond_broadcast(&keys->changed);
    }
    (void)pthread_mutex_unlock(&keys->lock);
    return row;
}

EVP_PKEY *cmk_rsa_keys_need(CmkRsaKeys *keys, uint32_t row)
{
    CMK_ASSERT(row < keys->count);
    (void)pthread_mutex_lock(&keys->lock);
    RsaKey *key = &keys->rows[row]; /* only this thread moves the table */
    CMK_ASSERT(!key->is_purged);
    while (key->state == KEY_MAKING) {
        (void)pthread_cond_wait(&keys->changed, &keys->lock);
    }
    if (key->state == KEY_WAITING) {
        key->state = KEY_MAKING; /* the worker passes it over */
        (void)pthread_mutex_unlock(&keys->lock);
        EVP_PKEY *made = make_rsa(keys->crypto, key->version_id, key->bits, NULL);
        (void)pthread_mutex_lock(&keys->lock);
        store_rsa(keys, row, made);
    }
    EVP_PKEY *rsa = key->rsa;
    (void)pthread_mutex_unlock(&keys->lock);
    if (rsa != NULL && !key->is_used) {
        key->is_used = true;
        keys->counters.used++;
    }
    return rsa;
}

void cmk_rsa_keys_purge(CmkRsaKeys *keys, uint32_t row)
{
    CMK_ASSERT(row < keys->count);
    RsaKey *key = &keys->rows[row];
    (void)pthread_mutex_lock(&keys->lock);
    key->is_purged = true;
    if (keys->worker_row == row) {
        atomic_store(&keys->is_cancelled, true);
    }
    while (keys->worker_row == row) { /* until its half-made numbers are wiped too */
        (void)pthread_cond_wait(&keys->changed, &keys->lock);
    }
    EVP_PKEY_free(key->rsa); /* the last reference: OpenSSL clears the private numbers */
    key->rsa = NULL;
    key->state = KEY_WAITING;
    (void)pthread_mutex_unlock(&keys->lock);
}

CmkRsaKeysCounters cmk_rsa_keys_counters(CmkRsaKeys *keys)
{
    (void)pthread_mutex_lock(&keys->lock);
    CmkRsaKeysCounters counters = keys->counters;
    (void)pthread_mutex_unlock(&keys->lock);
    return counters;
}
