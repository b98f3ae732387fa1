#include "models/envelope.h"

#include <string.h>

#include <openssl/crypto.h>

#include "models/ciphertext_ring.h"
#include "models/crypto.h"
#include "models/data_key.h"
#include "models/id_map.h"
#include "models/point_cipher.h"
#include "models/sample.h"
#include "models/wrapping_key.h"

#define NONE CMK_ID_MAP_NONE
#define TAG_BYTES CMK_CRYPTO_TAG_BYTES
#define WRAPPED_MAX CMK_CRYPTO_WRAPPED_MAX

_Static_assert(NONE == CMK_CRYPTO_NO_KEY, "one kind of none");
_Static_assert(NONE == CMK_CIPHERTEXT_RING_NONE, "one kind of none");
_Static_assert(CMK_ENVELOPE_NONCE_BYTES == CMK_CRYPTO_NONCE_BYTES, "as users know it");
_Static_assert(CMK_ENVELOPE_TAG_BYTES == CMK_CRYPTO_TAG_BYTES, "as users know it");
_Static_assert(CMK_ENVELOPE_WRAPPED_BYTES_MAX == CMK_CRYPTO_WRAPPED_MAX, "as users know it");

typedef struct Point {
    uint64_t sample_id;
    uint32_t place; /* of the ciphertext in the ring, NONE: not kept; also chains the free rows */
    CmkSealedPoint sealed;
} Point;
_Static_assert(sizeof(Point) == 48, "the one table that grows with the fleet");

struct CmkEnvelope {
    CmkEnvelopeOptions options;
    CmkCrypto crypto;
    CmkWrappingKeys *wrapping_keys;
    CmkDataKeys *data_keys;
    CmkSampleMaker samples;
    CmkPointCipher cipher;
    CmkCiphertextRing ring;
    Point *points;
    uint32_t points_count;
    uint32_t points_capacity;
    uint32_t points_free;
    CmkIdMap point_rows;
    CmkDigest digest;
};

static CmkEnvelopeResult fail(CmkEnvelope *envelope, CmkEnvelopeResult result, const char *what)
{
    return cmk_crypto_fail(&envelope->crypto, result, what);
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

/* Everything that can fail for want of memory or of an algorithm. */
static bool acquire(CmkEnvelope *envelope)
{
    CmkCrypto *crypto = &envelope->crypto;
    if (!cmk_crypto_init(crypto, envelope->options.seed)) {
        return false;
    }
    envelope->wrapping_keys = cmk_wrapping_keys_new(crypto);
    if (envelope->wrapping_keys == NULL) {
        return false;
    }
    envelope->data_keys = cmk_data_keys_new(crypto, envelope->wrapping_keys);
    return envelope->data_keys != NULL &&
           cmk_point_cipher_init(&envelope->cipher, crypto, envelope->data_keys) &&
           cmk_ciphertext_ring_init(&envelope->ring, envelope->options.memory_bytes);
}

CmkEnvelope *cmk_envelope_new(const CmkEnvelopeOptions *options,
                              char ret_error[CMK_ENVELOPE_ERROR_SIZE])
{
    CMK_ASSERT(options != NULL);
    CMK_ASSERT((unsigned)options->mode < CMK_CRYPTO_MODE__COUNT);
    CMK_ASSERT((unsigned)options->key_maker < CMK_KEY_MAKER__COUNT);
    CmkEnvelope *envelope = OPENSSL_zalloc(sizeof *envelope);
    if (envelope != NULL) {
        envelope->options = *options;
        envelope->points_free = NONE;
    }
    if (envelope == NULL || !acquire(envelope)) {
        if (ret_error != NULL) {
            cmk_crypto_describe(CMK_ENVELOPE_LIBRARY_ERROR, "OpenSSL or memory", ret_error);
        }
        cmk_envelope_free(envelope);
        return NULL;
    }
    cmk_sample_maker_init(&envelope->samples, &envelope->crypto);
    return envelope;
}

void cmk_envelope_free(CmkEnvelope *envelope)
{
    if (envelope == NULL) {
        return;
    }
    cmk_point_cipher_clear(&envelope->cipher);
    cmk_data_keys_free(envelope->data_keys);
    cmk_wrapping_keys_free(envelope->wrapping_keys);
    cmk_sample_maker_clear(&envelope->samples);
    cmk_ciphertext_ring_clear(&envelope->ring);
    cmk_id_map_clear(&envelope->point_rows);
    OPENSSL_free(envelope->points);
    cmk_crypto_clear(&envelope->crypto);
    OPENSSL_free(envelope);
}

const char *cmk_envelope_error(const CmkEnvelope *envelope)
{
    CMK_ASSERT(envelope != NULL);
    return envelope->crypto.error;
}

/* ---- what was really done -------------------------------------------------------------------- */

CmkEnvelopeCounters cmk_envelope_counters(CmkEnvelope *envelope)
{
    CMK_ASSERT(envelope != NULL);
    const CmkWrappingKeysCounters wrapping = cmk_wrapping_keys_counters(envelope->wrapping_keys);
    return (CmkEnvelopeCounters){.keys_used = wrapping.keys_used,
                                 .keys_made = wrapping.keys_made,
                                 .wraps = wrapping.wraps,
                                 .unwraps = wrapping.unwraps,
                                 .stand_in_wraps = wrapping.stand_in_wraps,
                                 .stand_in_unwraps = wrapping.stand_in_unwraps,
                                 .encryptions = envelope->cipher.encryptions,
                                 .decryptions = envelope->cipher.decryptions};
}

CmkDigest cmk_envelope_digest(const CmkEnvelope *envelope)
{
    CMK_ASSERT(envelope != NULL);
    return envelope->digest;
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

/* ---- key versions ---------------------------------------------------------------------------- */

/* In CMK_CRYPTO_SAMPLE the first so many are real, and others as the seed decides. */
static CmkWrappingKeyKind choose_kind(const CmkEnvelope *envelope, uint32_t version_id)
{
    const CmkEnvelopeOptions *options = &envelope->options;
    if (options->mode == CMK_CRYPTO_ALL ||
        cmk_wrapping_keys_count(envelope->wrapping_keys) < options->sample_first) {
        return CMK_WRAPPING_KEY_RSA;
    }
    if (options->sample_every == 0) {
        return CMK_WRAPPING_KEY_STAND_IN;
    }
    uint64_t hash =
        cmk_crypto_mix(options->seed ^ cmk_crypto_mix(version_id + UINT64_C(0x9e3779b97f4a7c15)));
    return hash % options->sample_every == 0 ? CMK_WRAPPING_KEY_RSA : CMK_WRAPPING_KEY_STAND_IN;
}

CmkEnvelopeResult cmk_envelope_key_create(CmkEnvelope *envelope, uint32_t version_id, uint32_t bits)
{
    CMK_ASSERT(envelope != NULL);
    const CmkWrappingKeyKind kind = choose_kind(envelope, version_id);
    CmkEnvelopeResult result =
        cmk_wrapping_keys_create(envelope->wrapping_keys, kind, version_id, bits);
    if (result == CMK_ENVELOPE_OK && kind == CMK_WRAPPING_KEY_RSA &&
        envelope->options.key_maker == CMK_KEY_MAKER_BACKGROUND) {
        cmk_wrapping_keys_work_ahead(envelope->wrapping_keys);
    }
    return result;
}

CmkEnvelopeResult cmk_envelope_key_purge(CmkEnvelope *envelope, uint32_t version_id)
{
    CMK_ASSERT(envelope != NULL);
    const uint32_t row = cmk_wrapping_keys_find(envelope->wrapping_keys, version_id);
    if (row == NONE) {
        return fail(envelope, CMK_ENVELOPE_UNKNOWN, "key version to purge");
    }
    if (cmk_wrapping_keys_is_purged(envelope->wrapping_keys, row)) {
        return fail(envelope, CMK_ENVELOPE_KEY_GONE, "purged before");
    }
    cmk_wrapping_keys_purge(envelope->wrapping_keys, row);
    cmk_data_keys_close_all_of(envelope->data_keys, row);
    return CMK_ENVELOPE_OK;
}

/* ---- data keys ------------------------------------------------------------------------------- */

CmkEnvelopeResult cmk_envelope_dek_create(CmkEnvelope *envelope, uint32_t dek_id)
{
    CMK_ASSERT(envelope != NULL);
    return cmk_data_keys_create(envelope->data_keys, dek_id);
}

bool cmk_envelope_knows_dek(const CmkEnvelope *envelope, uint32_t dek_id)
{
    CMK_ASSERT(envelope != NULL);
    return cmk_data_keys_find(envelope->data_keys, dek_id) != NONE;
}

bool cmk_envelope_is_openable(const CmkEnvelope *envelope, uint32_t dek_id)
{
    CMK_ASSERT(envelope != NULL);
    const uint32_t row = cmk_data_keys_find(envelope->data_keys, dek_id);
    return row != NONE && cmk_data_keys_is_openable(envelope->data_keys, row);
}

CmkEnvelopeResult cmk_envelope_wrap(CmkEnvelope *envelope, uint32_t dek_id, uint32_t version_id)
{
    CMK_ASSERT(envelope != NULL);
    uint32_t row = NONE;
    CmkEnvelopeResult result = cmk_data_keys_wrap(envelope->data_keys, dek_id, version_id, &row);
    if (result == CMK_ENVELOPE_OK && row != NONE) {
        const CmkBlob blob = cmk_data_keys_blob(envelope->data_keys, row);
        const uint32_t ids[2] = {dek_id, version_id};
        fold(envelope, DIGEST_WRAP, ids, blob.bytes, blob.size_bytes);
    }
    return result;
}

CmkEnvelopeResult cmk_envelope_unwrap(CmkEnvelope *envelope, uint32_t dek_id, uint32_t version_id)
{
    CMK_ASSERT(envelope != NULL);
    CmkOpenDataKey key;
    return cmk_data_keys_open(envelope->data_keys, dek_id, version_id, &key);
}

CmkEnvelopeResult cmk_envelope_rewrap(CmkEnvelope *envelope, uint32_t dek_id,
                                      uint32_t old_version_id, uint32_t new_version_id)
{
    CmkEnvelopeResult result = cmk_envelope_unwrap(envelope, dek_id, old_version_id);
    return result == CMK_ENVELOPE_OK ? cmk_envelope_wrap(envelope, dek_id, new_version_id) : result;
}

CmkEnvelopeResult cmk_envelope_drop_wrap(CmkEnvelope *envelope, uint32_t dek_id,
                                         uint32_t version_id)
{
    CMK_ASSERT(envelope != NULL);
    uint32_t row = NONE;
    CmkEnvelopeResult result =
        cmk_data_keys_find_blob(envelope->data_keys, dek_id, version_id, &row);
    if (result != CMK_ENVELOPE_OK) {
        return fail(envelope, result, "wrap to drop");
    }
    cmk_data_keys_drop_blob(envelope->data_keys, row);
    return CMK_ENVELOPE_OK;
}

void cmk_envelope_keep_wraps(CmkEnvelope *envelope, uint32_t dek_id, uint32_t version_id,
                             uint32_t other_version_id)
{
    CMK_ASSERT(envelope != NULL);
    const uint32_t row = cmk_data_keys_find(envelope->data_keys, dek_id);
    if (row != NONE) {
        cmk_data_keys_keep_blobs(envelope->data_keys, row, version_id, other_version_id);
    }
}

/* ---- samples --------------------------------------------------------------------------------- */

/* Room for a sample and what becomes of it. */
static bool scratch_reserve(CmkEnvelope *envelope, size_t size_bytes)
{
    return cmk_sample_maker_reserve(&envelope->samples, size_bytes) &&
           cmk_point_cipher_reserve(&envelope->cipher, size_bytes);
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
    Point *points = cmk_crypto_reserve(envelope->points, envelope->points_count,
                                       &envelope->points_capacity, sizeof *envelope->points);
    if (points == NULL) {
        return NONE;
    }
    envelope->points = points;
    return envelope->points_count;
}

/* Puts the point into the reserved row. */
static void point_add(CmkEnvelope *envelope, uint32_t row, const Point *point)
{
    if (row == envelope->points_free) {
        envelope->points_free = envelope->points[row].place;
    } else {
        CMK_ASSERT(row == envelope->points_count);
        envelope->points_count++;
    }
    envelope->points[row] = *point;
    cmk_id_map_add(&envelope->point_rows, point->sealed.point_id, 0, row);
}

/* A place for ciphertext, for which the oldest makes way; NONE when it will never fit. */
static uint32_t take_place(CmkEnvelope *envelope, uint32_t row, uint32_t size_bytes)
{
    uint32_t place = NONE;
    if (cmk_ciphertext_ring_can_hold(&envelope->ring, size_bytes)) {
        while (!cmk_ciphertext_ring_take(&envelope->ring, row, size_bytes, &place)) {
            const uint32_t owner = cmk_ciphertext_ring_let_oldest_go(&envelope->ring);
            if (owner != NONE) {
                envelope->points[owner].place = NONE;
            }
        }
    }
    return place;
}

/* The ciphertext that is kept at the place, NULL: none. */
static unsigned char *kept_bytes(const CmkEnvelope *envelope, uint32_t place)
{
    return place == NONE ? NULL : cmk_ciphertext_ring_bytes(&envelope->ring, place);
}

CmkEnvelopeResult cmk_envelope_backup(CmkEnvelope *envelope, const CmkEnvelopeBackup *backup)
{
    CMK_ASSERT(envelope != NULL);
    CMK_ASSERT(backup->size_bytes > 0 && backup->size_bytes <= CMK_ENVELOPE_SAMPLE_BYTES_MAX);
    CMK_ASSERT((unsigned)backup->layers < CMK_ENCRYPTION_LAYERS__COUNT);
    CmkOpenDataKey key;
    CmkEnvelopeResult result =
        cmk_data_keys_open(envelope->data_keys, backup->dek_id, backup->version_id, &key);
    if (result != CMK_ENVELOPE_OK) {
        return result;
    }
    const uint32_t row = point_reserve(envelope);
    if (row == NONE || !scratch_reserve(envelope, backup->size_bytes)) {
        return cmk_crypto_fail_memory(&envelope->crypto);
    }
    Point point = {
        .sample_id = backup->sample_id,
        .sealed = {.point_id = backup->point_id,
                   .dek_row = key.dek_row,
                   .size_bytes = backup->size_bytes,
                   .has_platform_layer = backup->layers == CMK_LAYERS_DATA_KEY_AND_PLATFORM}};
    CmkSealedPoint *sealed = &point.sealed;
    result = cmk_data_keys_take_nonce(envelope->data_keys, key.dek_row, &sealed->nonce_number);
    if (result != CMK_ENVELOPE_OK) {
        return result;
    }
    const unsigned char *sample =
        cmk_sample_make(&envelope->samples, point.sample_id, sealed->size_bytes);
    point.place = take_place(envelope, row, cmk_point_cipher_stored_bytes(sealed));
    if (cmk_point_cipher_seal(&envelope->cipher, sealed, key, sample,
                              kept_bytes(envelope, point.place), sealed->tag) == NULL) {
        if (point.place != NONE) {
            cmk_ciphertext_ring_disown(&envelope->ring, point.place);
        }
        return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "encryption");
    }
    point_add(envelope, row, &point);
    const uint32_t ids[2] = {backup->point_id, backup->dek_id};
    fold(envelope, DIGEST_POINT, ids, sealed->tag, TAG_BYTES);
    return CMK_ENVELOPE_OK;
}

/* What is stored of the point: kept, or encrypted again, which must give the tag that was kept. */
static CmkEnvelopeResult find_stored(CmkEnvelope *envelope, const Point *point, CmkOpenDataKey key,
                                     const unsigned char *sample, const unsigned char **ret_stored)
{
    const unsigned char *stored = kept_bytes(envelope, point->place);
    if (stored == NULL) {
        unsigned char tag[TAG_BYTES];
        stored = cmk_point_cipher_seal(&envelope->cipher, &point->sealed, key, sample, NULL, tag);
        if (stored == NULL) {
            return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "encryption of the sample again");
        }
        if (CRYPTO_memcmp(tag, point->sealed.tag, TAG_BYTES) != 0) {
            return fail(envelope, CMK_ENVELOPE_AUTH_FAILED, "the sample has another tag");
        }
    }
    *ret_stored = stored;
    return CMK_ENVELOPE_OK;
}

static CmkEnvelopeResult compare(CmkEnvelope *envelope, const unsigned char *sample,
                                 const unsigned char *plain, size_t size_bytes)
{
    unsigned char expected[CMK_CRYPTO_HASH_BYTES];
    unsigned char actual[CMK_CRYPTO_HASH_BYTES];
    if (!cmk_crypto_sha256(&envelope->crypto, sample, size_bytes, expected) ||
        !cmk_crypto_sha256(&envelope->crypto, plain, size_bytes, actual)) {
        return fail(envelope, CMK_ENVELOPE_LIBRARY_ERROR, "SHA-256 of a sample");
    }
    if (CRYPTO_memcmp(expected, actual, CMK_CRYPTO_HASH_BYTES) != 0) {
        return fail(envelope, CMK_ENVELOPE_MISMATCH, "SHA-256 of the restored bytes");
    }
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
    CmkOpenDataKey key;
    CmkEnvelopeResult result = cmk_data_keys_open(
        envelope->data_keys, cmk_data_keys_id(envelope->data_keys, point->sealed.dek_row),
        version_id, &key);
    if (result != CMK_ENVELOPE_OK) {
        return result;
    }
    const uint32_t size_bytes = point->sealed.size_bytes;
    if (!scratch_reserve(envelope, size_bytes)) {
        return cmk_crypto_fail_memory(&envelope->crypto);
    }
    const unsigned char *sample = cmk_sample_make(&envelope->samples, point->sample_id, size_bytes);
    const unsigned char *stored = NULL;
    result = find_stored(envelope, point, key, sample, &stored);
    if (result != CMK_ENVELOPE_OK) {
        return result;
    }
    const unsigned char *plain = NULL;
    result = cmk_point_cipher_unseal(&envelope->cipher, &point->sealed, key, stored, &plain);
    return result == CMK_ENVELOPE_OK ? compare(envelope, sample, plain, size_bytes) : result;
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
        cmk_ciphertext_ring_disown(&envelope->ring, point->place);
    }
    cmk_id_map_remove(&envelope->point_rows, point_id, 0);
    *point = (Point){.place = envelope->points_free};
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
    CmkEnvelopeResult result =
        cmk_data_keys_find_blob(envelope->data_keys, dek_id, version_id, &row);
    if (result == CMK_ENVELOPE_OK) {
        const CmkBlob blob = cmk_data_keys_blob(envelope->data_keys, row);
        memcpy(ret_wrapped, blob.bytes, blob.size_bytes);
        *ret_size_bytes = blob.size_bytes;
    }
    return result;
}

CmkEnvelopeResult cmk_envelope_replace_wrapped(CmkEnvelope *envelope, uint32_t dek_id,
                                               uint32_t version_id, const unsigned char *wrapped,
                                               uint32_t size_bytes)
{
    CMK_ASSERT(envelope != NULL);
    uint32_t row = NONE;
    CmkEnvelopeResult result =
        cmk_data_keys_find_blob(envelope->data_keys, dek_id, version_id, &row);
    if (result != CMK_ENVELOPE_OK) {
        return fail(envelope, result, "wrap to replace");
    }
    const CmkBlob blob = {.bytes = wrapped, .size_bytes = size_bytes};
    cmk_data_keys_replace_blob(envelope->data_keys, row, blob);
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
    *ret_stored = (CmkEnvelopeStored){.size_bytes = cmk_point_cipher_stored_bytes(&point->sealed),
                                      .bytes = kept_bytes(envelope, point->place)};
    cmk_point_cipher_nonce(&envelope->cipher, &point->sealed, ret_stored->nonce);
    memcpy(ret_stored->tag, point->sealed.tag, TAG_BYTES);
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
    unsigned char *kept = kept_bytes(envelope, point->place);
    if (kept != NULL && offset_bytes < cmk_point_cipher_stored_bytes(&point->sealed)) {
        kept[offset_bytes] ^= mask;
    } else {
        point->sealed.tag[offset_bytes % TAG_BYTES] ^= mask;
    }
    return CMK_ENVELOPE_OK;
}
