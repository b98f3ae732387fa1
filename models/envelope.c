#define _POSIX_C_SOURCE 200809L

#include "models/envelope.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "models/id_map.h"
#include "models/random_stream.h"
#include "models/rsa_prime.h"

#define NONE CMK_ID_MAP_NONE
#define DEK_BYTES 32
#define CHECK_BYTES 16
#define SHA256_BYTES 32
#define WRAPPED_MAX CMK_ENVELOPE_WRAPPED_BYTES_MAX
#define NONCE_BYTES CMK_ENVELOPE_NONCE_BYTES
#define TAG_BYTES CMK_ENVELOPE_TAG_BYTES
/* What a stand-in key makes of a data key: nonce, ciphertext, tag. */
#define STAND_IN_BYTES (NONCE_BYTES + DEK_BYTES + TAG_BYTES)

/* Samples are made block by block from one template. */
#define BLOCK_BYTES 4096
#define BLOCK_WORDS (BLOCK_BYTES / 8)
#define BLOCK_LANES 4

/* Places in the ring are counted in these units, so that 32 bits reach far enough. */
#define RING_UNIT ((size_t)16)
#define RING_BYTES_MAX (UINT64_C(32) * 1024 * 1024 * 1024)

/* ---- what is stored -------------------------------------------------------------------------- */

typedef enum KeyState {
    KEY_WAITING,
    KEY_MAKING,
    KEY_READY,
    KEY_STATE__COUNT
} KeyState;

typedef enum KeyKind {
    KEY_RSA,
    KEY_STAND_IN,
    KEY_KIND__COUNT
} KeyKind;

/* The worker reads ids and bits, and reads and writes `state` and `rsa`, under the lock. Only the
 * caller's thread writes anything else, and it alone frees. */
typedef struct Version {
    uint32_t version_id;
    uint32_t bits;
    KeyKind kind;
    KeyState state;
    bool is_purged;
    bool is_used;
    uint32_t first_wrap;
    EVP_PKEY *rsa;
    unsigned char stand_in[DEK_BYTES];
} Version;

typedef struct Dek {
    uint32_t dek_id;
    uint32_t first_wrap;
    uint32_t wraps_made;
    uint32_t nonces_used;
    unsigned char nonce_base[NONCE_BYTES];
    /* First bytes of the key's SHA-256: tells whether an unwrapping gave the right key. Nobody
     * finds 256 random bits from their hash, so it may outlive the key. */
    unsigned char check[CHECK_BYTES];
    bool is_fresh;
    unsigned char fresh[DEK_BYTES]; /* the plaintext until the first wrap */
} Dek;

/* A data key wrapped by a key version, and what unwrapping it gave. */
typedef struct Wrap {
    uint32_t dek_row;
    uint32_t version_row;
    uint32_t next_of_dek; /* also chains the free rows */
    uint32_t next_of_version;
    uint32_t previous_of_version;
    uint32_t wrapped_bytes;
    unsigned char *wrapped;
    bool is_open;
    unsigned char plain[DEK_BYTES];
} Wrap;

typedef struct Point {
    uint32_t point_id;
    uint32_t dek_row;
    uint64_t sample_id;
    uint32_t size_bytes;
    uint32_t nonce_number; /* also chains the free rows */
    uint32_t place;        /* of the ciphertext in the ring, NONE: not kept */
    uint32_t layers;       /* CmkEncryptionLayers */
    unsigned char tag[TAG_BYTES];
} Point;
_Static_assert(sizeof(Point) == 48, "the one table that grows with the fleet");

/* Stands before each ciphertext in the ring, and over the unused bytes at its end. */
typedef struct RingHeader {
    uint32_t point_row; /* NONE: the point is gone, or never was */
    uint32_t spare;
    uint64_t span_bytes; /* with this header */
} RingHeader;
_Static_assert(sizeof(RingHeader) == RING_UNIT, "a header fits wherever anything is left");

/* Ciphertext of the latest points; used bytes run from tail to head, round the end. */
typedef struct Ring {
    unsigned char *bytes;
    size_t capacity;
    size_t head;
    size_t tail;
    size_t used;
} Ring;

/* A context for RSA-OAEP-256 and the version whose key it holds on to. */
typedef struct Oaep {
    EVP_PKEY_CTX *ctx;
    uint32_t version_row; /* NONE: no context */
} Oaep;

/* A context and whose key it has scheduled. */
typedef struct Cipher {
    EVP_CIPHER_CTX *ctx;
    uint32_t keyed_for; /* NONE: no key inside */
} Cipher;

struct CmkEnvelope {
    CmkEnvelopeOptions options;
    CmkRandomSource *random;
    EVP_CIPHER *gcm;
    EVP_MD *sha256;
    EVP_MD_CTX *hash;
    Oaep wrapping;
    Oaep unwrapping;
    Cipher data_cipher;     /* keyed_for: row of the wrap that opened the key */
    Cipher platform_cipher; /* keyed_for: 0 */
    unsigned char platform_key[DEK_BYTES];
    unsigned char platform_nonce_base[NONCE_BYTES];

    Version *versions;
    uint32_t versions_count;
    uint32_t versions_capacity;
    Dek *deks;
    uint32_t deks_count;
    uint32_t deks_capacity;
    Wrap *wraps;
    uint32_t wraps_count;
    uint32_t wraps_capacity;
    uint32_t wraps_free;
    Point *points;
    uint32_t points_count;
    uint32_t points_capacity;
    uint32_t points_free;
    CmkIdMap version_rows;
    CmkIdMap dek_rows;
    CmkIdMap wrap_rows; /* by data key and key version */
    CmkIdMap point_rows;
    Ring ring;

    uint64_t template_words[BLOCK_WORDS];
    uint64_t sample_salt;
    uint64_t *sample;
    unsigned char *inner; /* one layer's ciphertext or plaintext on its way to the next */
    unsigned char *outer;
    size_t scratch_bytes;

    CmkEnvelopeCounters counters; /* keys_made: under the lock */
    CmkDigest digest;
    char error[CMK_ENVELOPE_ERROR_SIZE];

    pthread_mutex_t lock;
    pthread_cond_t changed;
    pthread_t worker;
    bool has_worker;
    bool is_stopping;         /* under the lock */
    uint32_t worker_next;     /* under the lock: first row that the worker has not looked at */
    uint32_t worker_row;      /* under the lock: whose key it makes, NONE: nobody's */
    atomic_bool is_cancelled; /* that key is no longer wanted */
};

/* ---- errors ---------------------------------------------------------------------------------- */

const char *cmk_envelope_result_text(CmkEnvelopeResult result)
{
    static const char *const texts[CMK_ENVELOPE_RESULT__COUNT] = {
        [CMK_ENVELOPE_OK] = "ok",
        [CMK_ENVELOPE_UNKNOWN] = "unknown id",
        [CMK_ENVELOPE_KEY_GONE] = "key gone",
        [CMK_ENVELOPE_NOT_WRAPPED] = "not wrapped by this key version",
        [CMK_ENVELOPE_NOT_OPEN] = "data key not open",
        [CMK_ENVELOPE_AUTH_FAILED] = "authentication failed",
        [CMK_ENVELOPE_MISMATCH] = "decrypted to something else",
        [CMK_ENVELOPE_LIBRARY_ERROR] = "library error",
    };
    CMK_ASSERT((unsigned)result < CMK_ENVELOPE_RESULT__COUNT);
    CMK_ASSERT(texts[result] != NULL);
    return texts[result];
}

/* Writes "result: what" and empties OpenSSL's error queue into the rest. */
static void describe(char error[CMK_ENVELOPE_ERROR_SIZE], CmkEnvelopeResult result,
                     const char *what)
{
    int length =
        snprintf(error, CMK_ENVELOPE_ERROR_SIZE, "%s: %s", cmk_envelope_result_text(result), what);
    CMK_ASSERT(length > 0 && length < CMK_ENVELOPE_ERROR_SIZE);
    size_t used = (size_t)length;
    unsigned long code = ERR_get_error();
    while (code != 0) {
        char text[256];
        ERR_error_string_n(code, text, sizeof text);
        length = snprintf(error + used, CMK_ENVELOPE_ERROR_SIZE - used, "; %s", text);
        if (length < 0 || (size_t)length >= CMK_ENVELOPE_ERROR_SIZE - used) {
            ERR_clear_error();
            return;
        }
        used += (size_t)length;
        code = ERR_get_error();
    }
}

static CmkEnvelopeResult fail(CmkEnvelope *envelope, CmkEnvelopeResult result, const char *what)
{
    CMK_ASSERT(result != CMK_ENVELOPE_OK);
    describe(envelope->error, result, what);
    return result;
}

static CmkEnvelopeResult fail_memory(CmkEnvelope *envelope)
{
    return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "out of memory");
}

const char *cmk_envelope_error(const CmkEnvelope *envelope)
{
    CMK_ASSERT(envelope != NULL);
    return envelope->error;
}

/* ---- tables -----------------------------------------------------------------------------------
 */

/* `rows` with room for one more than `count`, or NULL: then the old rows are still good. What moves
 * leaves no copy behind. */
static void *table_reserve(void *rows, uint32_t count, uint32_t *capacity, size_t row_bytes)
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

/* Starts a stream from which the calling thread's OpenSSL draws until stream_end(). */
static bool stream_begin(CmkEnvelope *envelope, CmkRandomStream *stream, CmkRandomDomain domain,
                         uint64_t entity, uint64_t operation)
{
    cmk_random_stream_init(stream, envelope->options.seed, domain, entity, operation);
    return cmk_random_source_select(envelope->random, stream);
}

static void stream_end(CmkEnvelope *envelope, CmkRandomStream *stream)
{
    bool is_deselected = cmk_random_source_select(envelope->random, NULL);
    CMK_ASSERT(is_deselected);
    cmk_random_stream_clear(stream);
}

/* Bytes straight from a stream, without OpenSSL. */
static void draw(const CmkEnvelope *envelope, CmkRandomDomain domain, uint64_t entity,
                 void *ret_bytes, size_t size_bytes)
{
    CmkRandomStream stream;
    cmk_random_stream_init(&stream, envelope->options.seed, domain, entity, 0);
    cmk_random_stream_read(&stream, ret_bytes, size_bytes);
    cmk_random_stream_clear(&stream);
}

static bool sha256(CmkEnvelope *envelope, const void *bytes, size_t size_bytes,
                   unsigned char ret_hash[SHA256_BYTES])
{
    return EVP_DigestInit_ex2(envelope->hash, envelope->sha256, NULL) == 1 &&
           EVP_DigestUpdate(envelope->hash, bytes, size_bytes) == 1 &&
           EVP_DigestFinal_ex(envelope->hash, ret_hash, NULL) == 1;
}

static bool dek_check(CmkEnvelope *envelope, const unsigned char dek[DEK_BYTES],
                      unsigned char ret_check[CHECK_BYTES])
{
    unsigned char hash[SHA256_BYTES];
    bool is_good = sha256(envelope, dek, DEK_BYTES, hash);
    if (is_good) {
        memcpy(ret_check, hash, CHECK_BYTES);
    }
    OPENSSL_cleanse(hash, sizeof hash);
    return is_good;
}

typedef enum DigestKind {
    DIGEST_WRAP = 1,
    DIGEST_POINT = 2
} DigestKind;

/* Continues the second digest with public bytes. */
static void fold(CmkEnvelope *envelope, DigestKind kind, const uint32_t ids[2], const void *bytes,
                 size_t size_bytes)
{
    unsigned char record[4 * sizeof(uint32_t) + WRAPPED_MAX];
    const uint32_t head[4] = {(uint32_t)kind, ids[0], ids[1], (uint32_t)size_bytes};
    CMK_ASSERT(size_bytes <= WRAPPED_MAX);
    memcpy(record, head, sizeof head);
    memcpy(record + sizeof head, bytes, size_bytes);
    envelope->digest = cmk_digest_fold(envelope->digest, record, sizeof head + size_bytes);
}

CmkDigest cmk_envelope_digest(const CmkEnvelope *envelope)
{
    CMK_ASSERT(envelope != NULL);
    return envelope->digest;
}

/* ---- AES-256-GCM ----------------------------------------------------------------------------- */

typedef struct AeadCall {
    const unsigned char *key;
    uint32_t key_row; /* of the key, for Cipher.keyed_for */
    uint32_t point_id;
    const unsigned char *nonce;
    const void *in;
    size_t in_bytes;
    void *out;          /* as long as `in` */
    unsigned char *tag; /* written or checked */
} AeadCall;

/* Takes the key out of the context. */
static void cipher_forget(Cipher *cipher)
{
    if (cipher->keyed_for != NONE) {
        int is_reset = EVP_CIPHER_CTX_reset(cipher->ctx);
        CMK_ASSERT(is_reset == 1);
        cipher->keyed_for = NONE;
    }
}

static bool aead_run(CmkEnvelope *envelope, Cipher *cipher, const AeadCall *call, int is_encrypting)
{
    CMK_ASSERT(call->in_bytes <= INT32_MAX);
    CMK_ASSERT(call->key_row != NONE);
    unsigned char added[4];
    memcpy(added, &call->point_id, sizeof added);
    int length = 0;
    const EVP_CIPHER *algorithm = cipher->keyed_for == NONE ? envelope->gcm : NULL;
    const unsigned char *key = cipher->keyed_for == call->key_row ? NULL : call->key;
    cipher->keyed_for = call->key_row;
    if (EVP_CipherInit_ex2(cipher->ctx, algorithm, key, call->nonce, is_encrypting, NULL) == 1 &&
        EVP_CipherUpdate(cipher->ctx, NULL, &length, added, sizeof added) == 1 &&
        EVP_CipherUpdate(cipher->ctx, call->out, &length, call->in, (int)call->in_bytes) == 1 &&
        (size_t)length == call->in_bytes) {
        return true;
    }
    cipher_forget(cipher);
    return false;
}

static bool aead_encrypt(CmkEnvelope *envelope, Cipher *cipher, const AeadCall *call)
{
    unsigned char rest[TAG_BYTES];
    int length = 0;
    if (!aead_run(envelope, cipher, call, 1)) {
        return false;
    }
    if (EVP_CipherFinal_ex(cipher->ctx, rest, &length) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher->ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, call->tag) == 1) {
        return true;
    }
    cipher_forget(cipher);
    return false;
}

static CmkEnvelopeResult aead_decrypt(CmkEnvelope *envelope, Cipher *cipher, const AeadCall *call)
{
    unsigned char rest[TAG_BYTES];
    int length = 0;
    if (!aead_run(envelope, cipher, call, 0)) {
        return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "decryption");
    }
    if (EVP_CIPHER_CTX_ctrl(cipher->ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, call->tag) != 1) {
        cipher_forget(cipher);
        return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "tag");
    }
    if (EVP_CipherFinal_ex(cipher->ctx, rest, &length) != 1) {
        return fail(envelope, CMK_ENVELOPE_AUTH_FAILED, "the tag does not fit the ciphertext");
    }
    return CMK_ENVELOPE_OK;
}

/* ---- making keys, on either thread ----------------------------------------------------------- */

static EVP_PKEY *make_rsa(CmkEnvelope *envelope, uint32_t version_id, uint32_t bits,
                          const atomic_bool *is_cancelled)
{
    CmkRandomStream primes;
    CmkRandomStream witness;
    EVP_PKEY *key = NULL;
    cmk_random_stream_init(&primes, envelope->options.seed, CMK_RANDOM_KEY_PRIMES, version_id,
                           bits);
    if (stream_begin(envelope, &witness, CMK_RANDOM_KEY_WITNESS, version_id, bits)) {
        key = cmk_rsa_key_new(cmk_random_source_library(envelope->random), bits, &primes,
                              is_cancelled);
    }
    stream_end(envelope, &witness);
    cmk_random_stream_clear(&primes);
    return key;
}

/* The first row that is still without a key, NONE when there is no work. Under the lock. */
static uint32_t worker_find(CmkEnvelope *envelope)
{
    for (; envelope->worker_next < envelope->versions_count; envelope->worker_next++) {
        const Version *version = &envelope->versions[envelope->worker_next];
        if (version->kind == KEY_RSA && version->state == KEY_WAITING && !version->is_purged) {
            return envelope->worker_next++;
        }
    }
    return NONE;
}

/* Under the lock: puts the key in its row, or throws it away when the row was purged meanwhile. */
static void store_rsa(CmkEnvelope *envelope, uint32_t row, EVP_PKEY *key)
{
    Version *version = &envelope->versions[row];
    CMK_ASSERT(version->state == KEY_MAKING);
    CMK_ASSERT(version->rsa == NULL);
    version->state = KEY_WAITING;
    if (key == NULL) {
        return;
    }
    envelope->counters.keys_made++;
    if (version->is_purged || envelope->is_stopping) {
        EVP_PKEY_free(key); /* OpenSSL clears the private numbers */
        return;
    }
    version->rsa = key;
    version->state = KEY_READY;
}

static void *worker_main(void *argument)
{
    CmkEnvelope *envelope = argument;
    (void)pthread_mutex_lock(&envelope->lock);
    while (!envelope->is_stopping) {
        uint32_t row = worker_find(envelope);
        if (row == NONE) {
            (void)pthread_cond_wait(&envelope->changed, &envelope->lock);
            continue;
        }
        const uint32_t version_id = envelope->versions[row].version_id;
        const uint32_t bits = envelope->versions[row].bits;
        envelope->versions[row].state = KEY_MAKING;
        envelope->worker_row = row;
        atomic_store(&envelope->is_cancelled, false);
        (void)pthread_mutex_unlock(&envelope->lock);

        EVP_PKEY *key = make_rsa(envelope, version_id, bits, &envelope->is_cancelled);
        ERR_clear_error(); /* a failure shows when the caller tries the same */

        (void)pthread_mutex_lock(&envelope->lock);
        store_rsa(envelope, row, key);
        envelope->worker_row = NONE;
        (void)pthread_cond_broadcast(&envelope->changed);
    }
    (void)pthread_mutex_unlock(&envelope->lock);
    cmk_random_source_leave_thread(envelope->random);
    return NULL;
}

/* Starts the worker once. Without it, should the system refuse, callers make their keys. */
static void worker_start(CmkEnvelope *envelope)
{
    if (envelope->has_worker || envelope->options.key_maker != CMK_KEY_MAKER_BACKGROUND) {
        return;
    }
    sigset_t all;
    sigset_t before;
    (void)sigfillset(&all); /* signals are for the program's own threads */
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0) {
        return;
    }
    envelope->has_worker = pthread_create(&envelope->worker, NULL, worker_main, envelope) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void worker_stop(CmkEnvelope *envelope)
{
    if (!envelope->has_worker) {
        return;
    }
    (void)pthread_mutex_lock(&envelope->lock);
    envelope->is_stopping = true;
    atomic_store(&envelope->is_cancelled, true);
    (void)pthread_cond_broadcast(&envelope->changed);
    (void)pthread_mutex_unlock(&envelope->lock);
    (void)pthread_join(envelope->worker, NULL);
    envelope->has_worker = false;
}

/* The RSA key of the row: waits if the worker is at it, makes it if nobody is. NULL on failure. */
static EVP_PKEY *need_rsa(CmkEnvelope *envelope, uint32_t row)
{
    (void)pthread_mutex_lock(&envelope->lock);
    Version *version = &envelope->versions[row]; /* only this thread moves the table */
    CMK_ASSERT(version->kind == KEY_RSA);
    CMK_ASSERT(!version->is_purged);
    while (version->state == KEY_MAKING) {
        (void)pthread_cond_wait(&envelope->changed, &envelope->lock);
    }
    if (version->state == KEY_WAITING) {
        version->state = KEY_MAKING; /* the worker passes it over */
        (void)pthread_mutex_unlock(&envelope->lock);
        EVP_PKEY *key = make_rsa(envelope, version->version_id, version->bits, NULL);
        (void)pthread_mutex_lock(&envelope->lock);
        store_rsa(envelope, row, key);
    }
    EVP_PKEY *rsa = version->rsa;
    (void)pthread_mutex_unlock(&envelope->lock);
    if (rsa != NULL && !version->is_used) {
        version->is_used = true;
        envelope->counters.keys_used++;
    }
    return rsa;
}

/* ---- key versions ---------------------------------------------------------------------------- */

/* A finalizer with full avalanche (splitmix64). */
static uint64_t mix(uint64_t value)
{
    value = (value ^ (value >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ (value >> 27)) * UINT64_C(0x94d049bb133111eb);
    return value ^ (value >> 31);
}

static KeyKind choose_kind(const CmkEnvelope *envelope, uint32_t version_id)
{
    const CmkEnvelopeOptions *options = &envelope->options;
    if (options->mode == CMK_CRYPTO_ALL || envelope->versions_count < options->sample_first) {
        return KEY_RSA;
    }
    if (options->sample_every == 0) {
        return KEY_STAND_IN;
    }
    uint64_t hash = mix(options->seed ^ mix(version_id + UINT64_C(0x9e3779b97f4a7c15)));
    return hash % options->sample_every == 0 ? KEY_RSA : KEY_STAND_IN;
}

CmkEnvelopeResult cmk_envelope_key_create(CmkEnvelope *envelope, uint32_t version_id, uint32_t bits)
{
    CMK_ASSERT(envelope != NULL);
    CMK_ASSERT(bits == 2048 || bits == 3072 || bits == 4096); /* KV-5 */
    CMK_ASSERT(cmk_id_map_find(&envelope->version_rows, version_id, 0) == NONE);
    const uint32_t row = envelope->versions_count;
    Version version = {.version_id = version_id,
                       .bits = bits,
                       .kind = choose_kind(envelope, version_id),
                       .state = KEY_WAITING,
                       .first_wrap = NONE};
    (void)pthread_mutex_lock(&envelope->lock);
    Version *versions = table_reserve(envelope->versions, row, &envelope->versions_capacity,
                                      sizeof *envelope->versions);
    if (versions != NULL) {
        envelope->versions = versions;
    }
    (void)pthread_mutex_unlock(&envelope->lock);
    if (versions == NULL || !cmk_id_map_reserve(&envelope->version_rows)) {
        return fail_memory(envelope);
    }
    if (version.kind == KEY_STAND_IN) {
        draw(envelope, CMK_RANDOM_STAND_IN_KEY, version_id, version.stand_in, DEK_BYTES);
        version.state = KEY_READY;
    }
    cmk_id_map_add(&envelope->version_rows, version_id, 0, row);
    (void)pthread_mutex_lock(&envelope->lock);
    versions[row] = version;
    envelope->versions_count++;
    (void)pthread_cond_broadcast(&envelope->changed);
    (void)pthread_mutex_unlock(&envelope->lock);
    OPENSSL_cleanse(&version, sizeof version);
    if (versions[row].kind == KEY_RSA) {
        worker_start(envelope);
    }
    return CMK_ENVELOPE_OK;
}

/* Lets the key go. */
static void oaep_forget(Oaep *oaep)
{
    EVP_PKEY_CTX_free(oaep->ctx);
    *oaep = (Oaep){.version_row = NONE};
}

/* Closes the data key as far as this unwrapping had opened it. */
static void wrap_close(CmkEnvelope *envelope, uint32_t row)
{
    Wrap *wrap = &envelope->wraps[row];
    OPENSSL_cleanse(wrap->plain, sizeof wrap->plain);
    wrap->is_open = false;
    if (envelope->data_cipher.keyed_for == row) {
        cipher_forget(&envelope->data_cipher);
    }
}

CmkEnvelopeResult cmk_envelope_key_purge(CmkEnvelope *envelope, uint32_t version_id)
{
    CMK_ASSERT(envelope != NULL);
    const uint32_t row = cmk_id_map_find(&envelope->version_rows, version_id, 0);
    if (row == NONE) {
        return fail(envelope, CMK_ENVELOPE_UNKNOWN, "key version to purge");
    }
    Version *version = &envelope->versions[row];
    if (version->is_purged) {
        return fail(envelope, CMK_ENVELOPE_KEY_GONE, "purged before");
    }
    if (envelope->wrapping.version_row == row) {
        oaep_forget(&envelope->wrapping);
    }
    if (envelope->unwrapping.version_row == row) {
        oaep_forget(&envelope->unwrapping);
    }
    (void)pthread_mutex_lock(&envelope->lock);
    version->is_purged = true;
    if (envelope->worker_row == row) {
        atomic_store(&envelope->is_cancelled, true);
    }
    while (envelope->worker_row == row) { /* until its half-made numbers are wiped too */
        (void)pthread_cond_wait(&envelope->changed, &envelope->lock);
    }
    EVP_PKEY_free(version->rsa); /* the last reference: OpenSSL clears the private numbers */
    version->rsa = NULL;
    version->state = KEY_WAITING;
    OPENSSL_cleanse(version->stand_in, sizeof version->stand_in);
    (void)pthread_mutex_unlock(&envelope->lock);

    for (uint32_t i = version->first_wrap; i != NONE; i = envelope->wraps[i].next_of_version) {
        wrap_close(envelope, i);
    }
    return CMK_ENVELOPE_OK;
}

/* ---- wrapping and unwrapping, the arithmetic ------------------------------------------------- */

/* The context, set up anew only for another key version; NULL on failure. `init` is
 * EVP_PKEY_encrypt_init or EVP_PKEY_decrypt_init. No stream may be selected: a key may be made. */
static EVP_PKEY_CTX *oaep_for(CmkEnvelope *envelope, Oaep *oaep, uint32_t version_row,
                              int (*init)(EVP_PKEY_CTX *ctx))
{
    if (oaep->version_row == version_row) {
        return oaep->ctx;
    }
    oaep_forget(oaep);
    EVP_PKEY *key = need_rsa(envelope, version_row);
    if (key == NULL) {
        return NULL;
    }
    oaep->ctx = EVP_PKEY_CTX_new_from_pkey(cmk_random_source_library(envelope->random), key, NULL);
    if (oaep->ctx == NULL || init(oaep->ctx) != 1 ||
        EVP_PKEY_CTX_set_rsa_padding(oaep->ctx, RSA_PKCS1_OAEP_PADDING) != 1 ||
        EVP_PKEY_CTX_set_rsa_oaep_md(oaep->ctx, envelope->sha256) != 1 ||
        EVP_PKEY_CTX_set_rsa_mgf1_md(oaep->ctx, envelope->sha256) != 1) {
        oaep_forget(oaep);
        return NULL;
    }
    oaep->version_row = version_row;
    return oaep->ctx;
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

static CmkEnvelopeResult rsa_unwrap(CmkEnvelope *envelope, EVP_PKEY_CTX *ctx, const Wrap *wrap,
                                    unsigned char ret_plain[DEK_BYTES])
{
    unsigned char plain[WRAPPED_MAX];
    size_t size = sizeof plain;
    CmkEnvelopeResult result = CMK_ENVELOPE_OK;
    ERR_clear_error();
    if (EVP_PKEY_decrypt(ctx, plain, &size, wrap->wrapped, wrap->wrapped_bytes) != 1) {
        result =
            is_about_blob(ERR_peek_error()) ? CMK_ENVELOPE_AUTH_FAILED : CMK_ENVELOPE_LIBRARY_ERROR;
        result = fail(envelope, result, "unwrap");
    } else if (size != DEK_BYTES) {
        result = fail(envelope, CMK_ENVELOPE_MISMATCH, "the unwrapped key has another length");
    } else {
        memcpy(ret_plain, plain, DEK_BYTES);
    }
    OPENSSL_cleanse(plain, sizeof plain);
    return result;
}

/* A context of its own, so that the stand-in key is gone with it. */
static uint32_t stand_in_wrap(CmkEnvelope *envelope, const unsigned char key[DEK_BYTES],
                              const unsigned char plain[DEK_BYTES], CmkRandomStream *nonces,
                              unsigned char ret_wrapped[WRAPPED_MAX])
{
    cmk_random_stream_read(nonces, ret_wrapped, NONCE_BYTES);
    Cipher cipher = {.ctx = EVP_CIPHER_CTX_new(), .keyed_for = NONE};
    bool is_good = cipher.ctx != NULL &&
                   aead_encrypt(envelope, &cipher,
                                &(AeadCall){.key = key,
                                            .nonce = ret_wrapped,
                                            .in = plain,
                                            .in_bytes = DEK_BYTES,
                                            .out = ret_wrapped + NONCE_BYTES,
                                            .tag = ret_wrapped + NONCE_BYTES + DEK_BYTES});
    EVP_CIPHER_CTX_free(cipher.ctx);
    return is_good ? STAND_IN_BYTES : 0;
}

static CmkEnvelopeResult stand_in_unwrap(CmkEnvelope *envelope, const unsigned char key[DEK_BYTES],
                                         const Wrap *wrap, unsigned char ret_plain[DEK_BYTES])
{
    CMK_ASSERT(wrap->wrapped_bytes == STAND_IN_BYTES);
    Cipher cipher = {.ctx = EVP_CIPHER_CTX_new(), .keyed_for = NONE};
    if (cipher.ctx == NULL) {
        return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "unwrap");
    }
    CmkEnvelopeResult result =
        aead_decrypt(envelope, &cipher,
                     &(AeadCall){.key = key,
                                 .nonce = wrap->wrapped,
                                 .in = wrap->wrapped + NONCE_BYTES,
                                 .in_bytes = DEK_BYTES,
                                 .out = ret_plain,
                                 .tag = wrap->wrapped + NONCE_BYTES + DEK_BYTES});
    EVP_CIPHER_CTX_free(cipher.ctx);
    return result;
}

/* Wraps by whatever key the version has: RSA-OAEP-256 (KV-21), or the stand-in. The number of
 * bytes, 0: failed. */
static uint32_t compute_wrap(CmkEnvelope *envelope, const Dek *dek, uint32_t version_row,
                             const unsigned char plain[DEK_BYTES],
                             unsigned char ret_wrapped[WRAPPED_MAX])
{
    const Version *version = &envelope->versions[version_row];
    EVP_PKEY_CTX *ctx = NULL;
    if (version->kind == KEY_RSA) {
        ctx = oaep_for(envelope, &envelope->wrapping, version_row, EVP_PKEY_encrypt_init);
    }
    size_t size = 0;
    CmkRandomStream stream;
    /* By count and not by key version: wrapping again, after a drop, gives another blob. */
    if (stream_begin(envelope, &stream, CMK_RANDOM_WRAP, dek->dek_id, dek->wraps_made)) {
        if (version->kind == KEY_STAND_IN) {
            size = stand_in_wrap(envelope, version->stand_in, plain, &stream, ret_wrapped);
            envelope->counters.stand_in_wraps += size != 0;
        } else if (ctx != NULL) {
            size = WRAPPED_MAX;
            if (EVP_PKEY_encrypt(ctx, ret_wrapped, &size, plain, DEK_BYTES) != 1) {
                size = 0;
            }
            envelope->counters.wraps += size != 0;
        }
    }
    stream_end(envelope, &stream);
    return (uint32_t)size;
}

static CmkEnvelopeResult compute_unwrap(CmkEnvelope *envelope, const Wrap *wrap,
                                        unsigned char ret_plain[DEK_BYTES])
{
    const Version *version = &envelope->versions[wrap->version_row];
    if (version->kind == KEY_STAND_IN) {
        envelope->counters.stand_in_unwraps++;
        return stand_in_unwrap(envelope, version->stand_in, wrap, ret_plain);
    }
    EVP_PKEY_CTX *ctx =
        oaep_for(envelope, &envelope->unwrapping, wrap->version_row, EVP_PKEY_decrypt_init);
    if (ctx == NULL) {
        return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "unwrap");
    }
    /* Blinding draws at its first use and every 32 uses, per thread: how much is nobody's business,
     * since the results do not depend on it. */
    CmkRandomStream blinding;
    CmkEnvelopeResult result = CMK_ENVELOPE_LIBRARY_ERROR;
    if (stream_begin(envelope, &blinding, CMK_RANDOM_UNWRAP, wrap->dek_row, wrap->version_row)) {
        envelope->counters.unwraps++;
        result = rsa_unwrap(envelope, ctx, wrap, ret_plain);
    } else {
        result = fail_memory(envelope);
    }
    stream_end(envelope, &blinding);
    return result;
}

/* ---- data keys ------------------------------------------------------------------------------- */

CmkEnvelopeResult cmk_envelope_dek_create(CmkEnvelope *envelope, uint32_t dek_id)
{
    CMK_ASSERT(envelope != NULL);
    CMK_ASSERT(cmk_id_map_find(&envelope->dek_rows, dek_id, 0) == NONE);
    const uint32_t row = envelope->deks_count;
    Dek *deks =
        table_reserve(envelope->deks, row, &envelope->deks_capacity, sizeof *envelope->deks);
    if (deks == NULL) {
        return fail_memory(envelope);
    }
    envelope->deks = deks;
    if (!cmk_id_map_reserve(&envelope->dek_rows)) {
        return fail_memory(envelope);
    }
    unsigned char drawn[DEK_BYTES + NONCE_BYTES];
    Dek *dek = &deks[row];
    *dek = (Dek){.dek_id = dek_id, .first_wrap = NONE, .is_fresh = true};
    draw(envelope, CMK_RANDOM_DATA_KEY, dek_id, drawn, sizeof drawn);
    memcpy(dek->fresh, drawn, DEK_BYTES);
    memcpy(dek->nonce_base, drawn + DEK_BYTES, NONCE_BYTES);
    OPENSSL_cleanse(drawn, sizeof drawn);
    if (!dek_check(envelope, dek->fresh, dek->check)) {
        OPENSSL_cleanse(dek, sizeof *dek);
        return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "SHA-256 of a data key");
    }
    cmk_id_map_add(&envelope->dek_rows, dek_id, 0, row);
    envelope->deks_count++;
    return CMK_ENVELOPE_OK;
}

/* The rows of a data key and a key version; UNKNOWN, and KEY_GONE when the version is purged. */
static CmkEnvelopeResult find_rows(CmkEnvelope *envelope, uint32_t dek_id, uint32_t version_id,
                                   uint32_t *ret_dek_row, uint32_t *ret_version_row)
{
    const uint32_t dek_row = cmk_id_map_find(&envelope->dek_rows, dek_id, 0);
    const uint32_t version_row = cmk_id_map_find(&envelope->version_rows, version_id, 0);
    if (dek_row == NONE) {
        return fail(envelope, CMK_ENVELOPE_UNKNOWN, "data key");
    }
    if (version_row == NONE) {
        return fail(envelope, CMK_ENVELOPE_UNKNOWN, "key version");
    }
    if (envelope->versions[version_row].is_purged) {
        return fail(envelope, CMK_ENVELOPE_KEY_GONE, "the key version is purged");
    }
    *ret_dek_row = dek_row;
    *ret_version_row = version_row;
    return CMK_ENVELOPE_OK;
}

/* A row for one more wrap, not yet counted as used; NONE when memory is out. */
static uint32_t wrap_reserve(CmkEnvelope *envelope)
{
    if (!cmk_id_map_reserve(&envelope->wrap_rows)) {
        return NONE;
    }
    if (envelope->wraps_free != NONE) {
        return envelope->wraps_free;
    }
    Wrap *wraps = table_reserve(envelope->wraps, envelope->wraps_count, &envelope->wraps_capacity,
                                sizeof *envelope->wraps);
    if (wraps == NULL) {
        return NONE;
    }
    envelope->wraps = wraps;
    return envelope->wraps_count;
}

/* Puts a wrapped blob, whose bytes it takes over, into the reserved row. */
static void wrap_add(CmkEnvelope *envelope, uint32_t row, const Wrap *added)
{
    if (row == envelope->wraps_free) {
        envelope->wraps_free = envelope->wraps[row].next_of_dek;
    } else {
        CMK_ASSERT(row == envelope->wraps_count);
        envelope->wraps_count++;
    }
    Dek *dek = &envelope->deks[added->dek_row];
    Version *version = &envelope->versions[added->version_row];
    Wrap *wrap = &envelope->wraps[row];
    *wrap = *added;
    wrap->next_of_dek = dek->first_wrap;
    wrap->next_of_version = version->first_wrap;
    wrap->previous_of_version = NONE;
    if (version->first_wrap != NONE) {
        envelope->wraps[version->first_wrap].previous_of_version = row;
    }
    version->first_wrap = row;
    dek->first_wrap = row;
    dek->wraps_made++;
    cmk_id_map_add(&envelope->wrap_rows, dek->dek_id, version->version_id, row);
}

static CmkEnvelopeResult wrap_plain(CmkEnvelope *envelope, uint32_t dek_row, uint32_t version_row,
                                    const unsigned char plain[DEK_BYTES])
{
    unsigned char wrapped[WRAPPED_MAX];
    Dek *dek = &envelope->deks[dek_row];
    const uint32_t row = wrap_reserve(envelope);
    if (row == NONE) {
        return fail_memory(envelope);
    }
    const uint32_t size = compute_wrap(envelope, dek, version_row, plain, wrapped);
    if (size == 0) {
        return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "wrap");
    }
    unsigned char *kept = OPENSSL_memdup(wrapped, size);
    if (kept == NULL) {
        return fail_memory(envelope);
    }
    const uint32_t ids[2] = {dek->dek_id, envelope->versions[version_row].version_id};
    fold(envelope, DIGEST_WRAP, ids, kept, size);
    wrap_add(envelope, row,
             &(Wrap){.dek_row = dek_row,
                     .version_row = version_row,
                     .wrapped = kept,
                     .wrapped_bytes = size});
    OPENSSL_cleanse(dek->fresh, sizeof dek->fresh);
    dek->is_fresh = false;
    return CMK_ENVELOPE_OK;
}

/* Whether the data key has its plaintext here, and a copy of it. */
static bool copy_plain(const CmkEnvelope *envelope, const Dek *dek,
                       unsigned char ret_plain[DEK_BYTES])
{
    if (dek->is_fresh) {
        memcpy(ret_plain, dek->fresh, DEK_BYTES);
        return true;
    }
    for (uint32_t i = dek->first_wrap; i != NONE; i = envelope->wraps[i].next_of_dek) {
        if (envelope->wraps[i].is_open) {
            memcpy(ret_plain, envelope->wraps[i].plain, DEK_BYTES);
            return true;
        }
    }
    return false;
}

CmkEnvelopeResult cmk_envelope_wrap(CmkEnvelope *envelope, uint32_t dek_id, uint32_t version_id)
{
    CMK_ASSERT(envelope != NULL);
    uint32_t dek_row = NONE;
    uint32_t version_row = NONE;
    CmkEnvelopeResult result = find_rows(envelope, dek_id, version_id, &dek_row, &version_row);
    if (result != CMK_ENVELOPE_OK) {
        return result;
    }
    if (cmk_id_map_find(&envelope->wrap_rows, dek_id, version_id) != NONE) {
        return CMK_ENVELOPE_OK;
    }
    unsigned char plain[DEK_BYTES];
    if (copy_plain(envelope, &envelope->deks[dek_row], plain)) {
        result = wrap_plain(envelope, dek_row, version_row, plain);
        OPENSSL_cleanse(plain, sizeof plain);
        return result;
    }
    if (cmk_envelope_is_openable(envelope, dek_id)) {
        return fail(envelope, CMK_ENVELOPE_NOT_OPEN, "unwrap the data key first");
    }
    return fail(envelope, CMK_ENVELOPE_KEY_GONE, "nothing opens the data key any more");
}

/* Decrypts the blob and remembers what came out, if it is the right key. */
static CmkEnvelopeResult wrap_open(CmkEnvelope *envelope, uint32_t row)
{
    Wrap *wrap = &envelope->wraps[row];
    unsigned char plain[DEK_BYTES];
    unsigned char check[CHECK_BYTES];
    CmkEnvelopeResult result = compute_unwrap(envelope, wrap, plain);
    if (result == CMK_ENVELOPE_OK && !dek_check(envelope, plain, check)) {
        result = fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "SHA-256 of a data key");
    }
    if (result == CMK_ENVELOPE_OK &&
        CRYPTO_memcmp(check, envelope->deks[wrap->dek_row].check, CHECK_BYTES) != 0) {
        result = fail(envelope, CMK_ENVELOPE_MISMATCH, "the unwrapped key is another one");
    }
    if (result == CMK_ENVELOPE_OK) {
        memcpy(wrap->plain, plain, DEK_BYTES);
        wrap->is_open = true;
    }
    OPENSSL_cleanse(plain, sizeof plain);
    return result;
}

/* The row of the open wrap. The usual case, already open, costs one search. */
static CmkEnvelopeResult open_dek(CmkEnvelope *envelope, uint32_t dek_id, uint32_t version_id,
                                  uint32_t *ret_wrap_row)
{
    const uint32_t row = cmk_id_map_find(&envelope->wrap_rows, dek_id, version_id);
    if (row == NONE || !envelope->wraps[row].is_open) {
        uint32_t dek_row = NONE;
        uint32_t version_row = NONE;
        CmkEnvelopeResult result = find_rows(envelope, dek_id, version_id, &dek_row, &version_row);
        if (result != CMK_ENVELOPE_OK) {
            return result;
        }
        if (row == NONE) {
            return fail(envelope, CMK_ENVELOPE_NOT_WRAPPED, "no such wrapped data key");
        }
        result = wrap_open(envelope, row);
        if (result != CMK_ENVELOPE_OK) {
            return result;
        }
    }
    *ret_wrap_row = row;
    return CMK_ENVELOPE_OK;
}

CmkEnvelopeResult cmk_envelope_unwrap(CmkEnvelope *envelope, uint32_t dek_id, uint32_t version_id)
{
    CMK_ASSERT(envelope != NULL);
    uint32_t row = NONE;
    return open_dek(envelope, dek_id, version_id, &row);
}

CmkEnvelopeResult cmk_envelope_rewrap(CmkEnvelope *envelope, uint32_t dek_id,
                                      uint32_t old_version_id, uint32_t new_version_id)
{
    CmkEnvelopeResult result = cmk_envelope_unwrap(envelope, dek_id, old_version_id);
    return result == CMK_ENVELOPE_OK ? cmk_envelope_wrap(envelope, dek_id, new_version_id) : result;
}

/* The row of a wrap, whatever became of its key version. */
static CmkEnvelopeResult find_wrap(const CmkEnvelope *envelope, uint32_t dek_id,
                                   uint32_t version_id, uint32_t *ret_row)
{
    if (cmk_id_map_find(&envelope->dek_rows, dek_id, 0) == NONE ||
        cmk_id_map_find(&envelope->version_rows, version_id, 0) == NONE) {
        return CMK_ENVELOPE_UNKNOWN;
    }
    const uint32_t row = cmk_id_map_find(&envelope->wrap_rows, dek_id, version_id);
    if (row == NONE) {
        return CMK_ENVELOPE_NOT_WRAPPED;
    }
    *ret_row = row;
    return CMK_ENVELOPE_OK;
}

CmkEnvelopeResult cmk_envelope_drop_wrap(CmkEnvelope *envelope, uint32_t dek_id,
                                         uint32_t version_id)
{
    CMK_ASSERT(envelope != NULL);
    uint32_t row = NONE;
    CmkEnvelopeResult result = find_wrap(envelope, dek_id, version_id, &row);
    if (result != CMK_ENVELOPE_OK) {
        return fail(envelope, result, "wrap to drop");
    }
    wrap_close(envelope, row);
    Wrap *wrap = &envelope->wraps[row];
    uint32_t *link = &envelope->deks[wrap->dek_row].first_wrap;
    while (*link != row) { /* as long as the data key has key versions */
        CMK_ASSERT(*link != NONE);
        link = &envelope->wraps[*link].next_of_dek;
    }
    *link = wrap->next_of_dek;
    if (wrap->previous_of_version == NONE) {
        envelope->versions[wrap->version_row].first_wrap = wrap->next_of_version;
    } else {
        envelope->wraps[wrap->previous_of_version].next_of_version = wrap->next_of_version;
    }
    if (wrap->next_of_version != NONE) {
        envelope->wraps[wrap->next_of_version].previous_of_version = wrap->previous_of_version;
    }
    cmk_id_map_remove(&envelope->wrap_rows, dek_id, version_id);
    OPENSSL_free(wrap->wrapped);
    *wrap = (Wrap){.next_of_dek = envelope->wraps_free};
    envelope->wraps_free = row;
    return CMK_ENVELOPE_OK;
}

bool cmk_envelope_knows_dek(const CmkEnvelope *envelope, uint32_t dek_id)
{
    return cmk_id_map_find(&envelope->dek_rows, dek_id, 0) != NONE;
}

void cmk_envelope_keep_wraps(CmkEnvelope *envelope, uint32_t dek_id, uint32_t version_id,
                             uint32_t other_version_id)
{
    CMK_ASSERT(envelope != NULL);
    const uint32_t dek_row = cmk_id_map_find(&envelope->dek_rows, dek_id, 0);
    uint32_t row = dek_row != NONE ? envelope->deks[dek_row].first_wrap : NONE;
    while (row != NONE) {
        const Wrap *wrap = &envelope->wraps[row];
        const uint32_t wrapped_by = envelope->versions[wrap->version_row].version_id;
        row = wrap->next_of_dek;
        if (wrapped_by != version_id && wrapped_by != other_version_id) {
            (void)cmk_envelope_drop_wrap(envelope, dek_id, wrapped_by);
        }
    }
}

bool cmk_envelope_is_openable(const CmkEnvelope *envelope, uint32_t dek_id)
{
    CMK_ASSERT(envelope != NULL);
    const uint32_t row = cmk_id_map_find(&envelope->dek_rows, dek_id, 0);
    if (row == NONE) {
        return false;
    }
    const Dek *dek = &envelope->deks[row];
    bool is_openable = dek->is_fresh;
    for (uint32_t i = dek->first_wrap; i != NONE; i = envelope->wraps[i].next_of_dek) {
        const Wrap *wrap = &envelope->wraps[i];
        is_openable =
            is_openable || wrap->is_open || !envelope->versions[wrap->version_row].is_purged;
    }
    return is_openable;
}

/* ---- ring of ciphertext ---------------------------------------------------------------------- */

static RingHeader ring_header(const Ring *ring, size_t at)
{
    RingHeader header;
    CMK_ASSERT(at % RING_UNIT == 0 && at + sizeof header <= ring->capacity);
    memcpy(&header, ring->bytes + at, sizeof header);
    return header;
}

static void ring_write_header(Ring *ring, size_t at, uint32_t point_row, size_t span)
{
    RingHeader header = {.point_row = point_row, .span_bytes = span};
    memcpy(ring->bytes + at, &header, sizeof header);
}

/* Lets the oldest ciphertext go until `span` more bytes fit. */
static void ring_make_room(CmkEnvelope *envelope, size_t span)
{
    Ring *ring = &envelope->ring;
    CMK_ASSERT(span <= ring->capacity);
    while (ring->capacity - ring->used < span) {
        RingHeader header = ring_header(ring, ring->tail);
        if (header.point_row != NONE) {
            envelope->points[header.point_row].place = NONE;
        }
        ring->tail += header.span_bytes;
        ring->used -= header.span_bytes;
        CMK_ASSERT(ring->tail <= ring->capacity);
        if (ring->tail == ring->capacity) {
            ring->tail = 0;
        }
    }
}

/* Room for the ciphertext of a point in one piece; NONE when it will never fit. */
static uint32_t ring_take(CmkEnvelope *envelope, uint32_t point_row, size_t size_bytes)
{
    Ring *ring = &envelope->ring;
    const size_t span = sizeof(RingHeader) + (size_bytes + RING_UNIT - 1) / RING_UNIT * RING_UNIT;
    if (span > ring->capacity) {
        return NONE;
    }
    const size_t left = ring->capacity - ring->head;
    if (left < span) {
        ring_make_room(envelope, left);
        ring_write_header(ring, ring->head, NONE, left);
        ring->used += left;
        ring->head = 0;
    }
    ring_make_room(envelope, span);
    const size_t at = ring->head;
    ring_write_header(ring, at, point_row, span);
    ring->used += span;
    ring->head = at + span == ring->capacity ? 0 : at + span;
    return (uint32_t)(at / RING_UNIT);
}

static unsigned char *ring_bytes(const Ring *ring, uint32_t place)
{
    return ring->bytes + place * RING_UNIT + sizeof(RingHeader);
}

/* The ciphertext belongs to nobody from now on; its room is free when the tail gets there. */
static void ring_disown(Ring *ring, uint32_t place)
{
    const size_t at = place * RING_UNIT;
    ring_write_header(ring, at, NONE, ring_header(ring, at).span_bytes);
}

/* ---- samples --------------------------------------------------------------------------------- */

/* Buffers for a sample of this size; they only grow, their contents do not survive it. */
static bool scratch_reserve(CmkEnvelope *envelope, size_t size_bytes)
{
    if (size_bytes + TAG_BYTES <= envelope->scratch_bytes) {
        return true;
    }
    const size_t blocks = (size_bytes + TAG_BYTES + BLOCK_BYTES - 1) / BLOCK_BYTES;
    OPENSSL_free(envelope->sample);
    OPENSSL_free(envelope->inner);
    OPENSSL_free(envelope->outer);
    envelope->sample = OPENSSL_malloc(blocks * BLOCK_BYTES);
    envelope->inner = OPENSSL_malloc(blocks * BLOCK_BYTES);
    envelope->outer = OPENSSL_malloc(blocks * BLOCK_BYTES);
    bool is_good = envelope->sample != NULL && envelope->inner != NULL && envelope->outer != NULL;
    envelope->scratch_bytes = is_good ? blocks * BLOCK_BYTES : 0;
    return is_good;
}

/* A sample is no secret: it must differ from others, look random, and cost little. Each block is
 * the template with words of its own mixed in. */
static void make_sample(CmkEnvelope *envelope, uint64_t sample_id, size_t size_bytes)
{
    const uint64_t *restrict from = envelope->template_words;
    uint64_t state = mix(sample_id ^ envelope->sample_salt);
    for (size_t block = 0; block * BLOCK_BYTES < size_bytes; block++) {
        uint64_t *restrict to = envelope->sample + block * BLOCK_WORDS;
        uint64_t lane[BLOCK_LANES] = {0};
        for (size_t i = 0; i < BLOCK_LANES; i++) {
            state += UINT64_C(0x9e3779b97f4a7c15);
            lane[i] = mix(state);
        }
        for (size_t i = 0; i < BLOCK_WORDS; i += BLOCK_LANES) {
            to[i] = from[i] ^ lane[0];
            to[i + 1] = from[i + 1] ^ lane[1];
            to[i + 2] = from[i + 2] ^ lane[2];
            to[i + 3] = from[i + 3] ^ lane[3];
        }
    }
}

/* Like TLS 1.3 (RFC 8446, 5.3): a random start of each key's own, XOR a number that is never used
 * twice with the key. */
static void make_nonce(const unsigned char base[NONCE_BYTES], uint32_t high, uint32_t low,
                       unsigned char ret_nonce[NONCE_BYTES])
{
    uint32_t words[3];
    memcpy(words, base, sizeof words);
    words[1] ^= high;
    words[2] ^= low;
    memcpy(ret_nonce, words, sizeof words);
}

static void inner_nonce(const CmkEnvelope *envelope, const Point *point,
                        unsigned char ret_nonce[NONCE_BYTES])
{
    make_nonce(envelope->deks[point->dek_row].nonce_base, 0, point->nonce_number, ret_nonce);
}

/* Data keys never use a number twice, so the pair is new to the platform key. */
static void outer_nonce(const CmkEnvelope *envelope, const Point *point,
                        unsigned char ret_nonce[NONCE_BYTES])
{
    make_nonce(envelope->platform_nonce_base, envelope->deks[point->dek_row].dek_id,
               point->nonce_number, ret_nonce);
}

static bool has_platform_layer(const Point *point)
{
    return point->layers == CMK_LAYERS_DATA_KEY_AND_PLATFORM;
}

/* Bytes of what is stored: the outer layer also covers the inner tag. */
static uint32_t stored_bytes(const Point *point)
{
    return point->size_bytes + (has_platform_layer(point) ? TAG_BYTES : 0);
}

static AeadCall inner_call(const CmkEnvelope *envelope, const Point *point, uint32_t wrap_row,
                           const unsigned char *nonce)
{
    return (AeadCall){.key = envelope->wraps[wrap_row].plain,
                      .key_row = wrap_row,
                      .point_id = point->point_id,
                      .nonce = nonce,
                      .in_bytes = point->size_bytes};
}

static AeadCall outer_call(const CmkEnvelope *envelope, const Point *point,
                           const unsigned char *nonce)
{
    return (AeadCall){.key = envelope->platform_key,
                      .key_row = 0,
                      .point_id = point->point_id,
                      .nonce = nonce,
                      .in_bytes = stored_bytes(point)};
}

/* From envelope->sample to `ret_stored` and the tag that is kept. */
static bool seal(CmkEnvelope *envelope, const Point *point, uint32_t wrap_row,
                 unsigned char *ret_stored, unsigned char ret_tag[TAG_BYTES])
{
    const bool is_layered = has_platform_layer(point);
    unsigned char nonce[NONCE_BYTES];
    inner_nonce(envelope, point, nonce);
    AeadCall call = inner_call(envelope, point, wrap_row, nonce);
    call.in = envelope->sample;
    call.out = is_layered ? envelope->inner : ret_stored;
    call.tag = is_layered ? envelope->inner + point->size_bytes : ret_tag;
    if (!aead_encrypt(envelope, &envelope->data_cipher, &call)) {
        return false;
    }
    envelope->counters.encryptions++;
    if (!is_layered) {
        return true;
    }
    outer_nonce(envelope, point, nonce);
    call = outer_call(envelope, point, nonce);
    call.in = envelope->inner;
    call.out = ret_stored;
    call.tag = ret_tag;
    if (!aead_encrypt(envelope, &envelope->platform_cipher, &call)) {
        return false;
    }
    envelope->counters.encryptions++;
    return true;
}

/* From `stored` to plaintext, which is in one of the scratch buffers. */
static CmkEnvelopeResult unseal(CmkEnvelope *envelope, Point *point, uint32_t wrap_row,
                                const unsigned char *stored, const unsigned char **ret_plain)
{
    unsigned char nonce[NONCE_BYTES];
    const bool is_layered = has_platform_layer(point);
    if (is_layered) {
        outer_nonce(envelope, point, nonce);
        AeadCall call = outer_call(envelope, point, nonce);
        call.in = stored;
        call.out = envelope->inner;
        call.tag = point->tag;
        envelope->counters.decryptions++;
        CmkEnvelopeResult result = aead_decrypt(envelope, &envelope->platform_cipher, &call);
        if (result != CMK_ENVELOPE_OK) {
            return result;
        }
    }
    inner_nonce(envelope, point, nonce);
    AeadCall call = inner_call(envelope, point, wrap_row, nonce);
    call.in = is_layered ? envelope->inner : stored;
    call.out = is_layered ? envelope->outer : envelope->inner;
    call.tag = is_layered ? envelope->inner + point->size_bytes : point->tag;
    *ret_plain = call.out;
    envelope->counters.decryptions++;
    return aead_decrypt(envelope, &envelope->data_cipher, &call);
}

/* A row for one more point, not yet counted as used; NONE when memory is out. */
static uint32_t point_reserve(CmkEnvelope *envelope)
{
    if (!cmk_id_map_reserve(&envelope->point_rows)) {
        return NONE;
    }
    if (envelope->points_free != NONE) {
        return envelope->points_free;
    }
    Point *points = table_reserve(envelope->points, envelope->points_count,
                                  &envelope->points_capacity, sizeof *envelope->points);
    if (points == NULL) {
        return NONE;
    }
    envelope->points = points;
    return envelope->points_count;
}

CmkEnvelopeResult cmk_envelope_backup(CmkEnvelope *envelope, const CmkEnvelopeBackup *backup)
{
    CMK_ASSERT(envelope != NULL);
    CMK_ASSERT(backup->size_bytes > 0 && backup->size_bytes <= CMK_ENVELOPE_SAMPLE_BYTES_MAX);
    CMK_ASSERT((unsigned)backup->layers < CMK_ENCRYPTION_LAYERS__COUNT);
    uint32_t wrap_row = NONE;
    CmkEnvelopeResult result = open_dek(envelope, backup->dek_id, backup->version_id, &wrap_row);
    if (result != CMK_ENVELOPE_OK) {
        return result;
    }
    const uint32_t row = point_reserve(envelope);
    if (row == NONE || !scratch_reserve(envelope, backup->size_bytes)) {
        return fail_memory(envelope);
    }
    Dek *dek = &envelope->deks[envelope->wraps[wrap_row].dek_row];
    if (dek->nonces_used == UINT32_MAX) { /* SP 800-38D, 8.3 */
        return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "the data key has no nonces left");
    }
    Point point = {.point_id = backup->point_id,
                   .dek_row = envelope->wraps[wrap_row].dek_row,
                   .sample_id = backup->sample_id,
                   .size_bytes = backup->size_bytes,
                   .nonce_number = dek->nonces_used++,
                   .layers = (uint32_t)backup->layers};
    make_sample(envelope, point.sample_id, point.size_bytes);
    point.place = ring_take(envelope, row, stored_bytes(&point));
    unsigned char *stored =
        point.place == NONE ? envelope->outer : ring_bytes(&envelope->ring, point.place);
    if (!seal(envelope, &point, wrap_row, stored, point.tag)) {
        if (point.place != NONE) {
            ring_disown(&envelope->ring, point.place);
        }
        return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "encryption");
    }
    if (row == envelope->points_free) {
        envelope->points_free = envelope->points[row].nonce_number;
    } else {
        envelope->points_count++;
    }
    envelope->points[row] = point;
    cmk_id_map_add(&envelope->point_rows, point.point_id, 0, row);
    const uint32_t ids[2] = {point.point_id, backup->dek_id};
    fold(envelope, DIGEST_POINT, ids, point.tag, TAG_BYTES);
    return CMK_ENVELOPE_OK;
}

CmkEnvelopeResult cmk_envelope_restore(CmkEnvelope *envelope, uint32_t point_id,
                                       uint32_t version_id)
{
    CMK_ASSERT(envelope != NULL);
    const uint32_t row = cmk_id_map_find(&envelope->point_rows, point_id, 0);
    if (row == NONE) {
        return fail(envelope, CMK_ENVELOPE_UNKNOWN, "recovery point");
    }
    Point *point = &envelope->points[row];
    uint32_t wrap_row = NONE;
    CmkEnvelopeResult result =
        open_dek(envelope, envelope->deks[point->dek_row].dek_id, version_id, &wrap_row);
    if (result != CMK_ENVELOPE_OK) {
        return result;
    }
    if (!scratch_reserve(envelope, point->size_bytes)) {
        return fail_memory(envelope);
    }
    make_sample(envelope, point->sample_id, point->size_bytes);
    const unsigned char *stored = envelope->outer;
    if (point->place != NONE) {
        stored = ring_bytes(&envelope->ring, point->place);
    } else {
        unsigned char tag[TAG_BYTES];
        if (!seal(envelope, point, wrap_row, envelope->outer, tag)) {
            return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "encryption of the sample again");
        }
        if (CRYPTO_memcmp(tag, point->tag, TAG_BYTES) != 0) {
            return fail(envelope, CMK_ENVELOPE_AUTH_FAILED, "the sample has another tag");
        }
    }
    const unsigned char *plain = NULL;
    result = unseal(envelope, point, wrap_row, stored, &plain);
    if (result != CMK_ENVELOPE_OK) {
        return result;
    }
    unsigned char expected[SHA256_BYTES];
    unsigned char actual[SHA256_BYTES];
    if (!sha256(envelope, envelope->sample, point->size_bytes, expected) ||
        !sha256(envelope, plain, point->size_bytes, actual)) {
        return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "SHA-256 of a sample");
    }
    if (CRYPTO_memcmp(expected, actual, SHA256_BYTES) != 0) {
        return fail(envelope, CMK_ENVELOPE_MISMATCH, "SHA-256 of the restored bytes");
    }
    return CMK_ENVELOPE_OK;
}

CmkEnvelopeResult cmk_envelope_point_drop(CmkEnvelope *envelope, uint32_t point_id)
{
    CMK_ASSERT(envelope != NULL);
    const uint32_t row = cmk_id_map_find(&envelope->point_rows, point_id, 0);
    if (row == NONE) {
        return fail(envelope, CMK_ENVELOPE_UNKNOWN, "recovery point to drop");
    }
    Point *point = &envelope->points[row];
    if (point->place != NONE) {
        ring_disown(&envelope->ring, point->place);
    }
    cmk_id_map_remove(&envelope->point_rows, point_id, 0);
    *point = (Point){.nonce_number = envelope->points_free, .place = NONE};
    envelope->points_free = row;
    return CMK_ENVELOPE_OK;
}

/* ---- what an attacker has -------------------------------------------------------------------- */

CmkEnvelopeResult cmk_envelope_peek_wrapped(const CmkEnvelope *envelope, uint32_t dek_id,
                                            uint32_t version_id,
                                            unsigned char ret_wrapped[WRAPPED_MAX],
                                            uint32_t *ret_size_bytes)
{
    CMK_ASSERT(envelope != NULL);
    uint32_t row = NONE;
    CmkEnvelopeResult result = find_wrap(envelope, dek_id, version_id, &row);
    if (result == CMK_ENVELOPE_OK) {
        const Wrap *wrap = &envelope->wraps[row];
        memcpy(ret_wrapped, wrap->wrapped, wrap->wrapped_bytes);
        *ret_size_bytes = wrap->wrapped_bytes;
    }
    return result;
}

CmkEnvelopeResult cmk_envelope_replace_wrapped(CmkEnvelope *envelope, uint32_t dek_id,
                                               uint32_t version_id, const unsigned char *wrapped,
                                               uint32_t size_bytes)
{
    CMK_ASSERT(envelope != NULL);
    uint32_t row = NONE;
    CmkEnvelopeResult result = find_wrap(envelope, dek_id, version_id, &row);
    if (result != CMK_ENVELOPE_OK) {
        return fail(envelope, result, "wrap to replace");
    }
    CMK_ASSERT(size_bytes == envelope->wraps[row].wrapped_bytes);
    wrap_close(envelope, row);
    memcpy(envelope->wraps[row].wrapped, wrapped, size_bytes);
    return CMK_ENVELOPE_OK;
}

CmkEnvelopeResult cmk_envelope_peek_point(const CmkEnvelope *envelope, uint32_t point_id,
                                          CmkEnvelopeStored *ret_stored)
{
    CMK_ASSERT(envelope != NULL);
    const uint32_t row = cmk_id_map_find(&envelope->point_rows, point_id, 0);
    if (row == NONE) {
        return CMK_ENVELOPE_UNKNOWN;
    }
    const Point *point = &envelope->points[row];
    *ret_stored = (CmkEnvelopeStored){.size_bytes = stored_bytes(point)};
    if (has_platform_layer(point)) {
        outer_nonce(envelope, point, ret_stored->nonce);
    } else {
        inner_nonce(envelope, point, ret_stored->nonce);
    }
    memcpy(ret_stored->tag, point->tag, TAG_BYTES);
    ret_stored->bytes = point->place == NONE ? NULL : ring_bytes(&envelope->ring, point->place);
    return CMK_ENVELOPE_OK;
}

CmkEnvelopeResult cmk_envelope_damage_point(CmkEnvelope *envelope, uint32_t point_id,
                                            uint32_t offset_bytes, uint8_t mask)
{
    CMK_ASSERT(envelope != NULL);
    const uint32_t row = cmk_id_map_find(&envelope->point_rows, point_id, 0);
    if (row == NONE) {
        return fail(envelope, CMK_ENVELOPE_UNKNOWN, "recovery point to damage");
    }
    Point *point = &envelope->points[row];
    if (point->place != NONE && offset_bytes < stored_bytes(point)) {
        ring_bytes(&envelope->ring, point->place)[offset_bytes] ^= mask;
    } else {
        point->tag[offset_bytes % TAG_BYTES] ^= mask;
    }
    return CMK_ENVELOPE_OK;
}

/* ---- beginning and end ----------------------------------------------------------------------- */

CmkEnvelopeOptions cmk_envelope_options(uint64_t seed)
{
    return (CmkEnvelopeOptions){.seed = seed,
                                .mode = CMK_CRYPTO_ALL,
                                .key_maker = CMK_KEY_MAKER_BACKGROUND,
                                .sample_first = 8,
                                .sample_every = 64,
                                .memory_bytes = CMK_ENVELOPE_MEMORY_BYTES};
}

CmkEnvelopeCounters cmk_envelope_counters(CmkEnvelope *envelope)
{
    CMK_ASSERT(envelope != NULL);
    (void)pthread_mutex_lock(&envelope->lock);
    CmkEnvelopeCounters counters = envelope->counters;
    (void)pthread_mutex_unlock(&envelope->lock);
    return counters;
}

/* What the seed alone decides. */
static void draw_constants(CmkEnvelope *envelope)
{
    draw(envelope, CMK_RANDOM_PLATFORM_KEY, 0, envelope->platform_key, DEK_BYTES);
    draw(envelope, CMK_RANDOM_PLATFORM_KEY, 1, envelope->platform_nonce_base, NONCE_BYTES);
    draw(envelope, CMK_RANDOM_SAMPLE, 0, envelope->template_words, sizeof envelope->template_words);
    draw(envelope, CMK_RANDOM_SAMPLE, 1, &envelope->sample_salt, sizeof envelope->sample_salt);
}

/* Everything that can fail for want of memory or of an algorithm. */
static bool acquire(CmkEnvelope *envelope)
{
    envelope->random = cmk_random_source_new();
    if (envelope->random == NULL) {
        return false;
    }
    OSSL_LIB_CTX *library = cmk_random_source_library(envelope->random);
    envelope->gcm = EVP_CIPHER_fetch(library, "AES-256-GCM", NULL);
    envelope->sha256 = EVP_MD_fetch(library, "SHA256", NULL);
    envelope->hash = EVP_MD_CTX_new();
    envelope->data_cipher.ctx = EVP_CIPHER_CTX_new();
    envelope->platform_cipher.ctx = EVP_CIPHER_CTX_new();
    envelope->ring.capacity = (size_t)(envelope->options.memory_bytes / RING_UNIT * RING_UNIT);
    if (envelope->ring.capacity > 0) {
        envelope->ring.bytes = OPENSSL_malloc(envelope->ring.capacity);
    }
    return envelope->gcm != NULL && envelope->sha256 != NULL && envelope->hash != NULL &&
           envelope->data_cipher.ctx != NULL && envelope->platform_cipher.ctx != NULL &&
           (envelope->ring.capacity == 0 || envelope->ring.bytes != NULL);
}

static bool init_threads(CmkEnvelope *envelope)
{
    if (pthread_mutex_init(&envelope->lock, NULL) != 0) {
        return false;
    }
    if (pthread_cond_init(&envelope->changed, NULL) != 0) {
        (void)pthread_mutex_destroy(&envelope->lock);
        return false;
    }
    return true;
}

CmkEnvelope *cmk_envelope_new(const CmkEnvelopeOptions *options,
                              char ret_error[CMK_ENVELOPE_ERROR_SIZE])
{
    CMK_ASSERT(options != NULL);
    CMK_ASSERT((unsigned)options->mode < CMK_CRYPTO_MODE__COUNT);
    CMK_ASSERT((unsigned)options->key_maker < CMK_KEY_MAKER__COUNT);
    CMK_ASSERT(options->memory_bytes <= RING_BYTES_MAX);
    CmkEnvelope *envelope = OPENSSL_zalloc(sizeof *envelope);
    if (envelope != NULL && !init_threads(envelope)) {
        OPENSSL_free(envelope);
        envelope = NULL;
    }
    if (envelope != NULL) {
        envelope->options = *options;
        envelope->wrapping.version_row = NONE;
        envelope->unwrapping.version_row = NONE;
        envelope->data_cipher.keyed_for = NONE;
        envelope->platform_cipher.keyed_for = NONE;
        envelope->wraps_free = NONE;
        envelope->points_free = NONE;
        envelope->worker_row = NONE;
        atomic_init(&envelope->is_cancelled, false);
    }
    if (envelope == NULL || !acquire(envelope)) {
        if (ret_error != NULL) {
            describe(ret_error, CMK_ENVELOPE_LIBRARY_ERROR, "OpenSSL or memory");
        }
        cmk_envelope_free(envelope);
        return NULL;
    }
    draw_constants(envelope);
    return envelope;
}

void cmk_envelope_free(CmkEnvelope *envelope)
{
    if (envelope == NULL) {
        return;
    }
    worker_stop(envelope);
    oaep_forget(&envelope->wrapping);
    oaep_forget(&envelope->unwrapping);
    for (uint32_t i = 0; i < envelope->versions_count; i++) {
        EVP_PKEY_free(envelope->versions[i].rsa);
    }
    for (uint32_t i = 0; i < envelope->wraps_count; i++) {
        OPENSSL_free(envelope->wraps[i].wrapped);
    }
    OPENSSL_clear_free(envelope->versions, envelope->versions_capacity * sizeof(Version));
    OPENSSL_clear_free(envelope->deks, envelope->deks_capacity * sizeof(Dek));
    OPENSSL_clear_free(envelope->wraps, envelope->wraps_capacity * sizeof(Wrap));
    OPENSSL_free(envelope->points);
    cmk_id_map_clear(&envelope->version_rows);
    cmk_id_map_clear(&envelope->dek_rows);
    cmk_id_map_clear(&envelope->wrap_rows);
    cmk_id_map_clear(&envelope->point_rows);
    OPENSSL_free(envelope->ring.bytes);
    OPENSSL_free(envelope->sample);
    OPENSSL_free(envelope->inner);
    OPENSSL_free(envelope->outer);
    EVP_CIPHER_CTX_free(envelope->data_cipher.ctx);
    EVP_CIPHER_CTX_free(envelope->platform_cipher.ctx);
    EVP_MD_CTX_free(envelope->hash);
    EVP_CIPHER_free(envelope->gcm);
    EVP_MD_free(envelope->sha256);
    cmk_random_source_free(envelope->random);
    (void)pthread_cond_destroy(&envelope->changed);
    (void)pthread_mutex_destroy(&envelope->lock);
    OPENSSL_clear_free(envelope, sizeof *envelope);
}
