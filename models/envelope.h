/*
 * Envelope encryption with real cryptography: samples of backup data under AES-256-GCM data keys,
 * data keys wrapped with RSA-OAEP-256 by the key versions of vaults and HSMs (KV-21, KV-31,
 * BK-30 to BK-35). It stands beside the world and finds everything by the caller's ids.
 *
 * It knows nothing of permissions. Callers ask the guards first and then call; so permission is
 * always asked and arithmetic, whose results are remembered, is done once. What it does know is
 * whether the bytes can come back, which makes it an independent judge of the rules.
 *
 * Key bytes are kept in the four modules called after their keys and nowhere else: RSA keys
 * (rsa_keys.h), stand-ins for them (wrapping_key.h), data keys (data_key.h), the platform's key
 * (platform_key.h). Their tables are opaque; key bytes go from one to another, or as arguments to
 * crypto.h; the primes of an RSA key, and half of it, are in rsa_prime.h while it is made, and
 * wiped there. So when a key version is purged, everything that it had opened closes again: no
 * stream is drawn twice, and no other copy exists (the key schedule inside OpenSSL's context
 * included).
 *
 * Everything follows from the seed (models/random_stream.h): keys, blobs, ciphertext and the digest
 * over them are the same in every run with the same OpenSSL, whoever makes a key and however much
 * is remembered or kept.
 *
 * One thread calls, the one that made it; a second one, started here, makes keys ahead of need.
 *
 * Must not know: the world, permissions, time, the journal.
 */
#ifndef CMK_MODELS_ENVELOPE_H
#define CMK_MODELS_ENVELOPE_H

#include "models/envelope_result.h"
#include "sim/base.h"
#include "sim/hash.h"

#define CMK_ENVELOPE_SAMPLE_BYTES 4096        /* the usual sample */
#define CMK_ENVELOPE_SAMPLE_BYTES_MAX 1048576 /* the largest one */
#define CMK_ENVELOPE_MEMORY_BYTES (UINT64_C(64) * 1024 * 1024)
#define CMK_ENVELOPE_NONCE_BYTES 12
#define CMK_ENVELOPE_TAG_BYTES 16
#define CMK_ENVELOPE_WRAPPED_BYTES_MAX 512 /* RSA-4096 */

/* How much is computed. AES-GCM of samples always is. */
typedef enum CmkCryptoMode {
    CMK_CRYPTO_ALL,    /* every key version is an RSA key */
    CMK_CRYPTO_SAMPLE, /* some are, chosen by the seed; for the others an AES-256-GCM key stands in,
                          with which all calls behave the same */
    CMK_CRYPTO_MODE__COUNT
} CmkCryptoMode;

/* Who makes RSA keys. The digest does not depend on it. */
typedef enum CmkKeyMaker {
    CMK_KEY_MAKER_BACKGROUND, /* a thread, in the order of creation; the caller where it is ahead */
    CMK_KEY_MAKER_CALLER,     /* the call that first needs the key */
    CMK_KEY_MAKER__COUNT
} CmkKeyMaker;

typedef struct CmkEnvelopeOptions {
    uint64_t seed;
    CmkCryptoMode mode;
    CmkKeyMaker key_maker;
    uint32_t sample_first; /* CMK_CRYPTO_SAMPLE: so many first key versions are RSA keys, */
    uint32_t sample_every; /* and about one in so many of the others; 0: none of them */
    uint64_t memory_bytes; /* for ciphertext, up to 32 GiB; older ciphertext makes way for newer */
} CmkEnvelopeOptions;

/* Defaults: all, background, 8, 64, CMK_ENVELOPE_MEMORY_BYTES. */
CmkEnvelopeOptions cmk_envelope_options(uint64_t seed);

typedef struct CmkEnvelope CmkEnvelope;

/* NULL when OpenSSL or memory fails; `ret_error` (may be NULL) then says what. */
CmkEnvelope *cmk_envelope_new(const CmkEnvelopeOptions *options,
                              char ret_error[CMK_ENVELOPE_ERROR_SIZE]);

/* Stops the thread, within milliseconds, and wipes everything. Accepts NULL. */
void cmk_envelope_free(CmkEnvelope *envelope);

/* What went wrong in the last call that did not return OK (peeks aside), with OpenSSL's own words;
 * "" before the first. Valid until the next call. */
const char *cmk_envelope_error(const CmkEnvelope *envelope);

/* ---- key versions ---------------------------------------------------------------------------- */

/* Registers a new key version of 2048, 3072 or 4096 bits (KV-5); its key is made when there is time
 * or need. An id is never used twice, not even after a purge. LIBRARY_ERROR. */
CmkEnvelopeResult cmk_envelope_key_create(CmkEnvelope *envelope, uint32_t version_id,
                                          uint32_t bits);

/* Wipes the private key, also one that is being made right now, and every data key that it had
 * opened. Wrapped blobs stay, as they do in storage; nothing can open them any more. UNKNOWN,
 * KEY_GONE (already). O(data keys wrapped by it). */
CmkEnvelopeResult cmk_envelope_key_purge(CmkEnvelope *envelope, uint32_t version_id);

/* ---- data keys ------------------------------------------------------------------------------- */

/* Makes a new AES-256 data key. An id is never used twice. LIBRARY_ERROR. */
CmkEnvelopeResult cmk_envelope_dek_create(CmkEnvelope *envelope, uint32_t dek_id);

/* Whether there is such a data key, open or not. */
bool cmk_envelope_knows_dek(const CmkEnvelope *envelope, uint32_t dek_id);

/* Wraps the data key with the key version; remembered until dropped. The plaintext must be there:
 * fresh, or open through any key version. UNKNOWN, KEY_GONE, NOT_OPEN, LIBRARY_ERROR. */
CmkEnvelopeResult cmk_envelope_wrap(CmkEnvelope *envelope, uint32_t dek_id, uint32_t version_id);

/* Opens the data key with the key version: really decrypts the blob once and remembers the result.
 * UNKNOWN, KEY_GONE, NOT_WRAPPED, AUTH_FAILED, MISMATCH, LIBRARY_ERROR. */
CmkEnvelopeResult cmk_envelope_unwrap(CmkEnvelope *envelope, uint32_t dek_id, uint32_t version_id);

/* Unwraps with one key version and wraps with another (BK-34); both blobs are there afterwards.
 * The errors of both. */
CmkEnvelopeResult cmk_envelope_rewrap(CmkEnvelope *envelope, uint32_t dek_id,
                                      uint32_t old_version_id, uint32_t new_version_id);

/* Forgets the blob and what it had opened. UNKNOWN, NOT_WRAPPED. */
CmkEnvelopeResult cmk_envelope_drop_wrap(CmkEnvelope *envelope, uint32_t dek_id,
                                         uint32_t version_id);

/* Forgets all blobs of the data key, if there is one, but those of these two key versions, which
 * may be the same. O(blobs of the data key). */
void cmk_envelope_keep_wraps(CmkEnvelope *envelope, uint32_t dek_id, uint32_t version_id,
                             uint32_t other_version_id);

/* Whether bytes under this data key can still come back: its plaintext is there, or a blob whose
 * key version is not purged. */
bool cmk_envelope_is_openable(const CmkEnvelope *envelope, uint32_t dek_id);

/* ---- samples --------------------------------------------------------------------------------- */

typedef enum CmkEncryptionLayers {
    CMK_LAYERS_DATA_KEY,              /* AES-256-GCM under the data key */
    CMK_LAYERS_DATA_KEY_AND_PLATFORM, /* and once more under the platform's own key:
                                         infrastructure encryption */
    CMK_ENCRYPTION_LAYERS__COUNT
} CmkEncryptionLayers;

typedef struct CmkEnvelopeBackup {
    uint32_t point_id;   /* of the new recovery point; free again once dropped */
    uint32_t dek_id;     /* encrypted with this data key, */
    uint32_t version_id; /* opened by this key version */
    uint32_t size_bytes; /* of the sample, 1 to CMK_ENVELOPE_SAMPLE_BYTES_MAX */
    uint64_t sample_id;  /* decides what the sample says */
    CmkEncryptionLayers layers;
} CmkEnvelopeBackup;

/*
 * Makes the sample and encrypts it, with the point's id as additional data and a nonce that this
 * data key never used before. The ciphertext is kept as long as the memory lasts; nonce, tag and
 * ids are always kept. No memory is allocated but for growing tables.
 * UNKNOWN, KEY_GONE, NOT_WRAPPED, AUTH_FAILED, MISMATCH, LIBRARY_ERROR. O(size).
 */
CmkEnvelopeResult cmk_envelope_backup(CmkEnvelope *envelope, const CmkEnvelopeBackup *backup);

/*
 * Decrypts the point with its data key, opened by `version_id`, and compares SHA-256 with that of
 * the sample. Where the ciphertext is no longer kept the sample is encrypted again, and must give
 * the tag that was kept. Errors as above. O(size).
 */
CmkEnvelopeResult cmk_envelope_restore(CmkEnvelope *envelope, uint32_t point_id,
                                       uint32_t version_id);

/* Forgets the point. UNKNOWN. */
CmkEnvelopeResult cmk_envelope_point_drop(CmkEnvelope *envelope, uint32_t point_id);

/* ---- what was really done -------------------------------------------------------------------- */

typedef struct CmkEnvelopeCounters {
    uint64_t keys_used;      /* RSA keys that some call needed */
    uint64_t keys_made;      /* RSA keys made so far, also in vain: not reproducible */
    uint64_t wraps;          /* RSA-OAEP-256 */
    uint64_t unwraps;        /* RSA-OAEP-256 */
    uint64_t stand_in_wraps; /* AES-256-GCM instead (CMK_CRYPTO_SAMPLE) */
    uint64_t stand_in_unwraps;
    uint64_t encryptions; /* AES-256-GCM of samples, each layer counted */
    uint64_t decryptions;
} CmkEnvelopeCounters;

CmkEnvelopeCounters cmk_envelope_counters(CmkEnvelope *envelope);

/* The second digest: a 128-bit hash chain over wrapped blobs and tags in the order of the calls
 * that made them. Holds for one version of OpenSSL. */
CmkDigest cmk_envelope_digest(const CmkEnvelope *envelope);

/* ---- what an attacker who reads the storage has ---------------------------------------------- */

/* The wrapped blob; `ret_size_bytes` is at most CMK_ENVELOPE_WRAPPED_BYTES_MAX. UNKNOWN,
 * NOT_WRAPPED. */
CmkEnvelopeResult
cmk_envelope_peek_wrapped(const CmkEnvelope *envelope, uint32_t dek_id, uint32_t version_id,
                          unsigned char ret_wrapped[CMK_ENVELOPE_WRAPPED_BYTES_MAX],
                          uint32_t *ret_size_bytes);

/* Puts other bytes in place of the blob, and forgets what the old one had opened. UNKNOWN,
 * NOT_WRAPPED. The size must be that of the old blob. */
CmkEnvelopeResult cmk_envelope_replace_wrapped(CmkEnvelope *envelope, uint32_t dek_id,
                                               uint32_t version_id, const unsigned char *wrapped,
                                               uint32_t size_bytes);

/* What is stored of a recovery point. With two layers nonce and tag are the outer ones, and the
 * outer plaintext is the inner ciphertext followed by the inner tag. The additional data of both
 * layers is the point's id, 4 bytes, little-endian. */
typedef struct CmkEnvelopeStored {
    unsigned char nonce[CMK_ENVELOPE_NONCE_BYTES];
    unsigned char tag[CMK_ENVELOPE_TAG_BYTES];
    uint32_t size_bytes;        /* of the ciphertext, kept or not */
    const unsigned char *bytes; /* NULL: not kept; owned by the envelope, valid until the next call
                                   that is not a peek */
} CmkEnvelopeStored;

/* UNKNOWN. */
CmkEnvelopeResult cmk_envelope_peek_point(const CmkEnvelope *envelope, uint32_t point_id,
                                          CmkEnvelopeStored *ret_stored);

/* Flips the bits of `mask` in one byte of what is stored: of the ciphertext while it is kept and
 * the offset lies within, else of the tag, the offset taken modulo its size. UNKNOWN. */
CmkEnvelopeResult cmk_envelope_damage_point(CmkEnvelope *envelope, uint32_t point_id,
                                            uint32_t offset_bytes, uint8_t mask);

#endif
