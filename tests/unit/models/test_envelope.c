/* Envelope encryption (models/envelope.h): what each call does and refuses, the digest, damage, and
 * what is kept of the ciphertext. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

#include <openssl/crypto.h>

#include "models/envelope.h"
#include "tests/unit/models/envelope_kit.h"

Test(envelope, round_trips)
{
    static const uint32_t sizes[] = {1, 15, 16, 17, 4095, 4096, 4097, 65536, 1048576};
    static const uint32_t bits[] = {2048, 3072, 4096};
    static const uint32_t wrapped_bytes[] = {256, 384, 512};
    CmkEnvelope *envelope = kit_envelope(cmk_envelope_options(5));
    uint32_t point_id = 0;
    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t version_id = 100 + i;
        const uint32_t dek_id = 200 + i;
        unsigned char wrapped[CMK_ENVELOPE_WRAPPED_BYTES_MAX];
        uint32_t size = 0;
        expect(cmk_envelope_key_create(envelope, version_id, bits[i]), OK);
        expect(cmk_envelope_dek_create(envelope, dek_id), OK);
        expect(cmk_envelope_wrap(envelope, dek_id, version_id), OK);
        expect(cmk_envelope_wrap(envelope, dek_id, version_id), OK);
        expect(cmk_envelope_unwrap(envelope, dek_id, version_id), OK);
        expect(cmk_envelope_unwrap(envelope, dek_id, version_id), OK);
        expect(cmk_envelope_peek_wrapped(envelope, dek_id, version_id, wrapped, &size), OK);
        cr_expect_eq(size, wrapped_bytes[i]);
        for (size_t j = 0; j < CMK_ARRAY_LEN(sizes); j++) {
            for (int layers = 0; layers < CMK_ENCRYPTION_LAYERS__COUNT; layers++) {
                CmkEnvelopeBackup backup = kit_backup(point_id, dek_id, version_id, sizes[j]);
                backup.layers = (CmkEncryptionLayers)layers;
                expect(cmk_envelope_backup(envelope, &backup), OK);
                expect(cmk_envelope_restore(envelope, point_id, version_id), OK);
                point_id++;
            }
        }
    }
    /* Again when all else was done in between. */
    for (uint32_t i = 0; i < point_id; i++) {
        expect(cmk_envelope_restore(envelope, i, 100 + i / (point_id / 3)), OK);
    }
    CmkEnvelopeCounters counters = cmk_envelope_counters(envelope);
    cr_expect_eq(counters.wraps, 3, "remembered");
    cr_expect_eq(counters.unwraps, 3, "remembered");
    cr_expect_eq(counters.keys_used, 3);
    cr_expect_eq(counters.keys_made, 3);
    cr_expect_eq(counters.stand_in_wraps + counters.stand_in_unwraps, 0);
    cr_expect_eq(counters.encryptions, 3 * CMK_ARRAY_LEN(sizes) * 3);
    cr_expect_eq(counters.decryptions, 2 * 3 * CMK_ARRAY_LEN(sizes) * 3);
    cmk_envelope_free(envelope);
    cmk_envelope_free(NULL);
}

/* What each call says to ids it cannot serve, and that it says so in words. */
Test(envelope, refusals)
{
    CmkEnvelope *envelope = kit_envelope(kit_quick_options(1));
    cr_expect_str_empty(cmk_envelope_error(envelope));
    expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
    expect(cmk_envelope_key_create(envelope, 2, 2048), OK);
    expect(cmk_envelope_key_create(envelope, 3, 2048), OK);
    expect(cmk_envelope_dek_create(envelope, 1), OK);
    unsigned char wrapped[CMK_ENVELOPE_WRAPPED_BYTES_MAX];
    uint32_t size = 77;
    CmkEnvelopeStored stored;

    expect(cmk_envelope_wrap(envelope, 9, 1), CMK_ENVELOPE_UNKNOWN);
    cr_expect_str_eq(cmk_envelope_error(envelope), "unknown id: data key");
    expect(cmk_envelope_wrap(envelope, 1, 9), CMK_ENVELOPE_UNKNOWN);
    cr_expect_str_eq(cmk_envelope_error(envelope), "unknown id: key version");
    expect(cmk_envelope_unwrap(envelope, 9, 1), CMK_ENVELOPE_UNKNOWN);
    expect(cmk_envelope_key_purge(envelope, 9), CMK_ENVELOPE_UNKNOWN);
    expect(cmk_envelope_drop_wrap(envelope, 9, 1), CMK_ENVELOPE_UNKNOWN);
    expect(cmk_envelope_restore(envelope, 1, 1), CMK_ENVELOPE_UNKNOWN);
    expect(cmk_envelope_point_drop(envelope, 1), CMK_ENVELOPE_UNKNOWN);
    expect(cmk_envelope_damage_point(envelope, 1, 0, 1), CMK_ENVELOPE_UNKNOWN);
    expect(cmk_envelope_peek_point(envelope, 1, &stored), CMK_ENVELOPE_UNKNOWN);
    expect(cmk_envelope_peek_wrapped(envelope, 1, 9, wrapped, &size), CMK_ENVELOPE_UNKNOWN);
    expect(cmk_envelope_peek_wrapped(envelope, 1, 1, wrapped, &size), CMK_ENVELOPE_NOT_WRAPPED);
    cr_expect_eq(size, 77, "outputs are untouched on failure");
    expect(cmk_envelope_unwrap(envelope, 1, 1), CMK_ENVELOPE_NOT_WRAPPED);
    expect(cmk_envelope_drop_wrap(envelope, 1, 1), CMK_ENVELOPE_NOT_WRAPPED);
    CmkEnvelopeBackup backup = kit_backup(1, 1, 1, 100);
    expect(cmk_envelope_backup(envelope, &backup), CMK_ENVELOPE_NOT_WRAPPED);

    expect(cmk_envelope_wrap(envelope, 1, 1), OK);
    expect(cmk_envelope_wrap(envelope, 1, 2), CMK_ENVELOPE_NOT_OPEN);
    expect(cmk_envelope_rewrap(envelope, 1, 3, 2), CMK_ENVELOPE_NOT_WRAPPED);
    expect(cmk_envelope_rewrap(envelope, 1, 1, 2), OK);
    expect(cmk_envelope_backup(envelope, &backup), OK);
    expect(cmk_envelope_restore(envelope, 1, 2), OK);
    expect(cmk_envelope_restore(envelope, 1, 3), CMK_ENVELOPE_NOT_WRAPPED);
    /* A dropped wrap opens nothing; the other one still does. */
    expect(cmk_envelope_drop_wrap(envelope, 1, 1), OK);
    expect(cmk_envelope_restore(envelope, 1, 1), CMK_ENVELOPE_NOT_WRAPPED);
    expect(cmk_envelope_restore(envelope, 1, 2), OK);
    /* With the last one dropped the data key is lost, though no key was purged. */
    cr_expect(cmk_envelope_is_openable(envelope, 1));
    expect(cmk_envelope_drop_wrap(envelope, 1, 2), OK);
    cr_expect_not(cmk_envelope_is_openable(envelope, 1));
    cr_expect_not(cmk_envelope_is_openable(envelope, 9));
    expect(cmk_envelope_wrap(envelope, 1, 3), CMK_ENVELOPE_KEY_GONE);
    cmk_envelope_free(envelope);
}

/* ---- the second digest ----------------------------------------------------------------------- */

typedef struct Story {
    CmkEnvelopeOptions options;
    long pause_ms; /* before keys are needed, so that the worker is ahead */
    bool has_extra_unwraps;
} Story;

static CmkDigest tell(const Story *story)
{
    CmkEnvelope *envelope = kit_envelope(story->options);
    expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
    expect(cmk_envelope_key_create(envelope, 2, 2048), OK);
    if (story->pause_ms > 0) {
        const double end = kit_seconds() + 5;
        while (cmk_envelope_counters(envelope).keys_made < 2 && kit_seconds() < end) {
            kit_pause_ms(story->pause_ms);
        }
        cr_assert_eq(cmk_envelope_counters(envelope).keys_made, 2, "made in the background");
    }
    for (uint32_t dek_id = 0; dek_id < 40; dek_id++) { /* more than one period of blinding */
        expect(cmk_envelope_dek_create(envelope, dek_id), OK);
        expect(cmk_envelope_wrap(envelope, dek_id, 1), OK);
        if (dek_id < 3 || story->has_extra_unwraps) {
            expect(cmk_envelope_unwrap(envelope, dek_id, 1), OK);
        }
    }
    expect(cmk_envelope_rewrap(envelope, 0, 1, 2), OK);
    for (uint32_t point_id = 0; point_id < 30; point_id++) {
        CmkEnvelopeBackup backup = kit_backup(point_id, point_id % 3, 1, 100 + 999 * point_id);
        backup.layers = (CmkEncryptionLayers)(point_id % 2);
        expect(cmk_envelope_backup(envelope, &backup), OK);
        if (story->has_extra_unwraps) {
            expect(cmk_envelope_restore(envelope, point_id, 1), OK);
        }
    }
    expect(cmk_envelope_key_purge(envelope, 1), OK);
    expect(cmk_envelope_restore(envelope, 0, 2), OK);
    const CmkDigest digest = cmk_envelope_digest(envelope);
    cmk_envelope_free(envelope);
    return digest;
}

/* Seed 42 with OpenSSL 3.0. */
#define GOLDEN_DIGEST "74d3bde025fc5987dce98616782671ba"

Test(envelope, digest)
{
    const Story first = {.options = cmk_envelope_options(42)};
    const CmkDigest digest = tell(&first);
    Story stories[6] = {first, first, first, first, first, first};
    stories[1].options.key_maker = CMK_KEY_MAKER_CALLER;
    stories[2].pause_ms = 5;
    stories[3].has_extra_unwraps = true;
    stories[4].options.memory_bytes = 0;
    stories[5].options.memory_bytes = 40000;
    stories[5].has_extra_unwraps = true;
    for (size_t i = 0; i < CMK_ARRAY_LEN(stories); i++) {
        cr_expect(cmk_digest_equal(tell(&stories[i]), digest), "story %zu", i);
    }
    Story otherwise = first;
    otherwise.options.seed = 43;
    cr_expect(!cmk_digest_equal(tell(&otherwise), digest), "another seed");
    otherwise = first;
    otherwise.options.mode = CMK_CRYPTO_SAMPLE;
    otherwise.options.sample_first = 1;
    otherwise.options.sample_every = 0;
    cr_expect(!cmk_digest_equal(tell(&otherwise), digest), "another mode");
    if (OPENSSL_version_major() == 3 && OPENSSL_version_minor() == 0) {
        char text[CMK_DIGEST_TEXT_SIZE];
        cmk_digest_format(digest, text);
        cr_expect_str_eq(text, GOLDEN_DIGEST, "%s", text);
    }
}

/* Which versions are real in sample mode follows from the seed; all behave the same. */
Test(envelope, sample_mode)
{
    CmkEnvelopeOptions options = cmk_envelope_options(3);
    options.mode = CMK_CRYPTO_SAMPLE;
    options.sample_first = 1;
    options.sample_every = 16;
    options.key_maker = CMK_KEY_MAKER_CALLER;
    uint64_t rsa_wraps[3];
    for (size_t run = 0; run < 3; run++) {
        options.seed = run == 2 ? 4 : 3;
        CmkEnvelope *envelope = kit_envelope(options);
        uint64_t is_rsa = 0;
        for (uint32_t i = 0; i < 48; i++) {
            unsigned char wrapped[CMK_ENVELOPE_WRAPPED_BYTES_MAX];
            uint32_t size = 0;
            expect(cmk_envelope_key_create(envelope, i, 2048), OK);
            expect(cmk_envelope_dek_create(envelope, i), OK);
            expect(cmk_envelope_wrap(envelope, i, i), OK);
            expect(cmk_envelope_unwrap(envelope, i, i), OK);
            expect(cmk_envelope_peek_wrapped(envelope, i, i, wrapped, &size), OK);
            cr_assert(size == 256 || size == 60);
            is_rsa |= (uint64_t)(size == 256) << i;
        }
        CmkEnvelopeCounters counters = cmk_envelope_counters(envelope);
        const uint64_t rsa = (uint64_t)__builtin_popcountll(is_rsa);
        cr_expect(rsa >= 2 && rsa < 16, "%" PRIu64, rsa);
        cr_expect_eq(is_rsa & 1, 1, "the first one is real");
        cr_expect_eq(counters.wraps, rsa);
        cr_expect_eq(counters.unwraps, rsa);
        cr_expect_eq(counters.stand_in_wraps, 48 - rsa);
        cr_expect_eq(counters.stand_in_unwraps, 48 - rsa);
        rsa_wraps[run] = is_rsa;
        cmk_envelope_free(envelope);
    }
    cr_expect_eq(rsa_wraps[0], rsa_wraps[1]);
    cr_expect_neq(rsa_wraps[0], rsa_wraps[2]);
}

/* ---- damage ---------------------------------------------------------------------------------- */

Test(envelope, damage)
{
    /* Any flipped bit of ciphertext or tag is found, kept or not, one layer or two. */
    for (int i = 0; i < 4; i++) {
        CmkEnvelopeOptions options = kit_quick_options(8);
        options.memory_bytes = i % 2 == 0 ? 0 : CMK_ENVELOPE_MEMORY_BYTES;
        CmkEnvelope *envelope = kit_envelope(options);
        expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
        expect(cmk_envelope_dek_create(envelope, 1), OK);
        expect(cmk_envelope_wrap(envelope, 1, 1), OK);
        CmkEnvelopeBackup backup = kit_backup(1, 1, 1, 100);
        backup.layers = (CmkEncryptionLayers)(i / 2);
        expect(cmk_envelope_backup(envelope, &backup), OK);
        for (uint32_t offset = 0; offset < 140; offset++) {
            const uint8_t mask = (uint8_t)(1U << (offset % 8));
            expect(cmk_envelope_damage_point(envelope, 1, offset, mask), OK);
            expect(cmk_envelope_restore(envelope, 1, 1), CMK_ENVELOPE_AUTH_FAILED);
            expect(cmk_envelope_damage_point(envelope, 1, offset, mask), OK);
            expect(cmk_envelope_restore(envelope, 1, 1), OK);
        }
        cmk_envelope_free(envelope);
    }
    /* Wrapped blobs, of both kinds of key: a flipped bit, a value above the modulus, and the blob
     * of another data key. */
    for (uint32_t is_rsa = 0; is_rsa < 2; is_rsa++) {
        CmkEnvelopeOptions options = kit_quick_options(8);
        options.sample_first = is_rsa;
        CmkEnvelope *envelope = kit_envelope(options);
        unsigned char wrapped[2][CMK_ENVELOPE_WRAPPED_BYTES_MAX];
        uint32_t size = 0;
        expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
        for (uint32_t dek_id = 0; dek_id < 2; dek_id++) {
            expect(cmk_envelope_dek_create(envelope, dek_id), OK);
            expect(cmk_envelope_wrap(envelope, dek_id, 1), OK);
            expect(cmk_envelope_peek_wrapped(envelope, dek_id, 1, wrapped[dek_id], &size), OK);
        }
        cr_expect_eq(size, is_rsa ? 256 : 60);
        expect(cmk_envelope_unwrap(envelope, 0, 1), OK);
        for (uint32_t offset = 0; offset < size; offset += 7) {
            unsigned char damaged[CMK_ENVELOPE_WRAPPED_BYTES_MAX];
            memcpy(damaged, wrapped[0], size);
            damaged[offset] ^= 0x10;
            expect(cmk_envelope_replace_wrapped(envelope, 0, 1, damaged, size), OK);
            expect(cmk_envelope_unwrap(envelope, 0, 1), CMK_ENVELOPE_AUTH_FAILED);
            memset(damaged, 0xff, size);
            expect(cmk_envelope_replace_wrapped(envelope, 0, 1, damaged, size), OK);
            expect(cmk_envelope_unwrap(envelope, 0, 1), CMK_ENVELOPE_AUTH_FAILED);
        }
        expect(cmk_envelope_replace_wrapped(envelope, 0, 1, wrapped[1], size), OK);
        expect(cmk_envelope_unwrap(envelope, 0, 1), CMK_ENVELOPE_MISMATCH);
        expect(cmk_envelope_replace_wrapped(envelope, 0, 1, wrapped[0], size), OK);
        expect(cmk_envelope_unwrap(envelope, 0, 1), OK);
        expect(cmk_envelope_replace_wrapped(envelope, 0, 2, wrapped[0], size),
               CMK_ENVELOPE_UNKNOWN);
        cmk_envelope_free(envelope);
    }
}

/* ---- what is kept ---------------------------------------------------------------------------- */

/* Which points keep their ciphertext: the latest, within the memory, and the others restore too. */
Test(envelope, memory_budget)
{
    CmkEnvelopeOptions options = kit_quick_options(2);
    options.memory_bytes = 10 * (4096 + 16);
    CmkEnvelope *envelope = kit_envelope(options);
    expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
    expect(cmk_envelope_dek_create(envelope, 1), OK);
    expect(cmk_envelope_wrap(envelope, 1, 1), OK);
    for (uint32_t point_id = 0; point_id < 25; point_id++) {
        CmkEnvelopeBackup backup = kit_backup(point_id, 1, 1, 4096);
        expect(cmk_envelope_backup(envelope, &backup), OK);
    }
    CmkEnvelopeBackup large = kit_backup(25, 1, 1, 65536);
    expect(cmk_envelope_backup(envelope, &large), OK);
    unsigned char nonces[26][CMK_ENVELOPE_NONCE_BYTES];
    CmkEnvelopeCounters before = cmk_envelope_counters(envelope);
    for (uint32_t point_id = 0; point_id < 26; point_id++) {
        CmkEnvelopeStored stored;
        expect(cmk_envelope_peek_point(envelope, point_id, &stored), OK);
        cr_expect_eq(stored.bytes != NULL, point_id >= 15 && point_id < 25, "point %u", point_id);
        cr_expect_eq(stored.size_bytes, point_id == 25 ? 65536 : 4096);
        expect(cmk_envelope_restore(envelope, point_id, 1), OK);
        memcpy(nonces[point_id], stored.nonce, sizeof nonces[0]);
        for (uint32_t i = 0; i < point_id; i++) {
            cr_expect_arr_neq(nonces[i], nonces[point_id], sizeof nonces[0], "a nonce used twice");
        }
    }
    CmkEnvelopeCounters after = cmk_envelope_counters(envelope);
    cr_expect_eq(after.encryptions - before.encryptions, 16, "only what was not kept");
    cr_expect_eq(after.decryptions - before.decryptions, 26);
    /* Ids come back after a drop, with another sample and another nonce. */
    for (uint32_t point_id = 0; point_id < 26; point_id++) {
        expect(cmk_envelope_point_drop(envelope, point_id), OK);
        expect(cmk_envelope_restore(envelope, point_id, 1), CMK_ENVELOPE_UNKNOWN);
        CmkEnvelopeBackup backup = kit_backup(point_id, 1, 1, 5000);
        backup.sample_id = point_id;
        expect(cmk_envelope_backup(envelope, &backup), OK);
        CmkEnvelopeStored stored;
        expect(cmk_envelope_peek_point(envelope, point_id, &stored), OK);
        cr_expect_arr_neq(nonces[point_id], stored.nonce, sizeof nonces[0]);
        expect(cmk_envelope_restore(envelope, point_id, 1), OK);
    }
    cmk_envelope_free(envelope);
}

/* A dropped point gives its row to another, not its place: that one goes when its own turn comes.
 */
Test(envelope, memory_of_dropped_points)
{
    CmkEnvelopeOptions options = kit_quick_options(2);
    options.memory_bytes = 4 * (4096 + 16);
    CmkEnvelope *envelope = kit_envelope(options);
    expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
    expect(cmk_envelope_dek_create(envelope, 1), OK);
    expect(cmk_envelope_wrap(envelope, 1, 1), OK);
    for (uint32_t point_id = 0; point_id < 9; point_id++) {
        CmkEnvelopeStored stored;
        CmkEnvelopeBackup backup = kit_backup(point_id, 1, 1, 4096);
        expect(cmk_envelope_backup(envelope, &backup), OK);
        if (point_id == 3) {
            expect(cmk_envelope_point_drop(envelope, 3), OK); /* point 4 gets the row */
        }
        if (point_id >= 4) {
            expect(cmk_envelope_peek_point(envelope, 4, &stored), OK);
            cr_expect_eq(stored.bytes != NULL, point_id < 8, "after point %u", point_id);
        }
    }
    cmk_envelope_free(envelope);
}
