/* Envelope encryption, its random source and its keys (models/envelope.h, random_stream.h,
 * rsa_prime.h), with known answers, a naive model, and an attacker who reads the storage. */
#define _POSIX_C_SOURCE 200809L

#include <criterion/criterion.h>

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>

#include "models/envelope.h"
#include "models/random_stream.h"
#include "models/rsa_prime.h"

#define OK CMK_ENVELOPE_OK

#define expect(call, wanted)                                                                       \
    do {                                                                                           \
        CmkEnvelopeResult got_ = (call);                                                           \
        cr_assert(got_ == (wanted), "%s: %s, expected %s", #call, cmk_envelope_result_text(got_),  \
                  cmk_envelope_result_text(wanted));                                               \
    } while (0)

static CmkEnvelope *make(CmkEnvelopeOptions options)
{
    char error[CMK_ENVELOPE_ERROR_SIZE] = "";
    CmkEnvelope *envelope = cmk_envelope_new(&options, error);
    cr_assert_not_null(envelope, "%s", error);
    return envelope;
}

/* No RSA at all: for tests of the rest. */
static CmkEnvelopeOptions quick_options(uint64_t seed)
{
    CmkEnvelopeOptions options = cmk_envelope_options(seed);
    options.mode = CMK_CRYPTO_SAMPLE;
    options.sample_first = 0;
    options.sample_every = 0;
    return options;
}

static CmkEnvelopeBackup backup_of(uint32_t point_id, uint32_t dek_id, uint32_t version_id,
                                   uint32_t size_bytes)
{
    return (CmkEnvelopeBackup){.point_id = point_id,
                               .dek_id = dek_id,
                               .version_id = version_id,
                               .size_bytes = size_bytes,
                               .sample_id = point_id * UINT64_C(1000003)};
}

static void hex(const unsigned char *bytes, size_t size, char *ret_text)
{
    for (size_t i = 0; i < size; i++) {
        (void)snprintf(ret_text + 2 * i, 3, "%02x", bytes[i]);
    }
}

static void pause_ms(long milliseconds)
{
    (void)nanosleep(
        &(struct timespec){.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000},
        NULL);
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- random streams -------------------------------------------------------------------------- */

/* RFC 8439, A.1: test vectors 1, 2 and 3 (the counter of block n is n). */
static const struct {
    uint64_t operation;
    uint32_t block;
    const char *keystream;
} rfc_blocks[] = {
    {0, 0,
     "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
     "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
    {0, 1,
     "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
     "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
    {UINT64_C(1) << 56, 1,
     "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
     "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0"},
};

static void *draw_on_thread(void *argument)
{
    CmkRandomSource *source = argument;
    unsigned char byte;
    bool has_drawn = RAND_bytes_ex(cmk_random_source_library(source), &byte, 1, 0) > 0;
    ERR_clear_error();
    cmk_random_source_leave_thread(source);
    return has_drawn ? source : NULL;
}

Test(envelope, random_streams)
{
    char text[129];
    unsigned char bytes[192];
    CmkRandomStream stream;
    for (size_t i = 0; i < CMK_ARRAY_LEN(rfc_blocks); i++) {
        cmk_random_stream_init(&stream, 0, CMK_RANDOM_TEST, 0, rfc_blocks[i].operation);
        cmk_random_stream_read(&stream, bytes, sizeof bytes);
        hex(bytes + 64 * (size_t)rfc_blocks[i].block, 64, text);
        cr_expect_str_eq(text, rfc_blocks[i].keystream, "vector %zu", i);
    }
    /* Pieces of any length are the same stream. */
    unsigned char pieces[192];
    cmk_random_stream_init(&stream, 1, CMK_RANDOM_TEST, 2, 3);
    cmk_random_stream_read(&stream, bytes, sizeof bytes);
    cmk_random_stream_init(&stream, 1, CMK_RANDOM_TEST, 2, 3);
    for (size_t at = 0, piece = 1; at < sizeof pieces; at += piece, piece = piece % 70 + 1) {
        piece = piece < sizeof pieces - at ? piece : sizeof pieces - at;
        cmk_random_stream_read(&stream, pieces + at, piece);
    }
    cr_expect_arr_eq(pieces, bytes, sizeof bytes);
    /* Each of the four parts of the key matters. */
    const uint64_t keys[4][3] = {{2, 2, 3}, {1, 3, 3}, {1, 2, 4}, {1, 2, 3}};
    for (size_t i = 0; i < 4; i++) {
        CmkRandomDomain domain = i == 3 ? CMK_RANDOM_SAMPLE : CMK_RANDOM_TEST;
        cmk_random_stream_init(&stream, keys[i][0], domain, keys[i][1], keys[i][2]);
        cmk_random_stream_read(&stream, pieces, 32);
        cr_expect_arr_neq(pieces, bytes, 32, "key %zu", i);
    }

    /* OpenSSL gets exactly the stream's bytes, and nothing without one. */
    CmkRandomSource *source = cmk_random_source_new();
    cr_assert_not_null(source);
    OSSL_LIB_CTX *library = cmk_random_source_library(source);
    unsigned char drawn[48];
    cr_expect(RAND_bytes_ex(library, drawn, 1, 0) <= 0, "a draw without a stream");
    cmk_random_stream_init(&stream, 1, CMK_RANDOM_TEST, 2, 3);
    cr_assert(cmk_random_source_select(source, &stream));
    cr_assert_eq(RAND_bytes_ex(library, drawn, 16, 0), 1);
    cr_assert_eq(RAND_priv_bytes_ex(library, drawn + 16, 32, 256), 1);
    cr_expect_arr_eq(drawn, bytes, sizeof drawn);
    pthread_t thread;
    void *has_drawn = NULL;
    cr_assert_eq(pthread_create(&thread, NULL, draw_on_thread, source), 0);
    cr_assert_eq(pthread_join(thread, &has_drawn), 0);
    cr_expect_null(has_drawn, "a selection is of one thread only");
    cr_assert(cmk_random_source_select(source, NULL));
    cr_expect(RAND_priv_bytes_ex(library, drawn, 1, 0) <= 0, "a draw after the stream's end");
    ERR_clear_error();
    cmk_random_source_free(source);
    cmk_random_source_free(NULL);
}

/* ---- keys ------------------------------------------------------------------------------------ */

/* The key of the envelope for a version, from public knowledge: the seed. */
static EVP_PKEY *key_of(CmkRandomSource *source, uint64_t seed, uint32_t version_id, uint32_t bits,
                        uint64_t witness_id)
{
    CmkRandomStream primes;
    CmkRandomStream witness;
    cmk_random_stream_init(&primes, seed, CMK_RANDOM_KEY_PRIMES, version_id, bits);
    cmk_random_stream_init(&witness, seed, CMK_RANDOM_TEST, witness_id, 0);
    cr_assert(cmk_random_source_select(source, &witness));
    EVP_PKEY *key = cmk_rsa_key_new(cmk_random_source_library(source), bits, &primes, NULL);
    cr_assert(cmk_random_source_select(source, NULL));
    cr_assert_not_null(key);
    return key;
}

static void modulus_hash(EVP_PKEY *key, uint32_t bits, char ret_text[65])
{
    unsigned char bytes[512];
    unsigned char hash[32];
    BIGNUM *modulus = NULL;
    cr_assert_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus), 1);
    cr_assert_eq(BN_num_bits(modulus), (int)bits);
    int size = BN_bn2bin(modulus, bytes);
    cr_assert_eq(EVP_Digest(bytes, (size_t)size, hash, NULL, EVP_sha256(), NULL), 1);
    hex(hash, sizeof hash, ret_text);
    BN_free(modulus);
}

/* SHA-256 of the modulus of version 7 of seed 42. The first was found by two programs. */
static const struct {
    uint32_t bits;
    const char *modulus_sha256;
} golden_keys[] = {
    {2048, "683e0ee729c06133f68a46f1a6847ca8a47e987e8014822a132c244d7b5c03ca"},
    {3072, "e5967a2c1500d510af53871cfaa71e1bd182e88c22ace7ea67c8dd8028562677"},
    {4096, "0be766b0bad3f8cee02c4c05ede9d45052ec5e1f21d488f66286bccdd12377c3"},
};

Test(envelope, rsa_keys)
{
    char text[65];
    CmkRandomSource *source = cmk_random_source_new();
    cr_assert_not_null(source);
    for (size_t i = 0; i < CMK_ARRAY_LEN(golden_keys); i++) {
        const uint32_t bits = golden_keys[i].bits;
        EVP_PKEY *key = key_of(source, 42, 7, bits, 1);
        modulus_hash(key, bits, text);
        cr_expect_str_eq(text, golden_keys[i].modulus_sha256, "RSA-%u: %s", bits, text);
        CmkRandomStream stream;
        cmk_random_stream_init(&stream, 0, CMK_RANDOM_TEST, 0, 0);
        cr_assert(cmk_random_source_select(source, &stream));
        EVP_PKEY_CTX *ctx =
            EVP_PKEY_CTX_new_from_pkey(cmk_random_source_library(source), key, NULL);
        cr_expect_eq(EVP_PKEY_check(ctx), 1, "RSA-%u", bits);
        EVP_PKEY_CTX_free(ctx);
        cr_assert(cmk_random_source_select(source, NULL));
        EVP_PKEY_free(key);
    }
    /* What OpenSSL draws for its own purposes has no influence. */
    for (uint64_t witness = 2; witness < 5; witness++) {
        EVP_PKEY *key = key_of(source, 42, 7, 2048, witness);
        modulus_hash(key, 2048, text);
        cr_expect_str_eq(text, golden_keys[0].modulus_sha256);
        EVP_PKEY_free(key);
    }
    /* The factors are far apart, the larger one first, and no key comes after a cancellation. */
    for (uint32_t version_id = 1; version_id <= 4; version_id++) {
        BIGNUM *p = NULL;
        BIGNUM *q = NULL;
        EVP_PKEY *key = key_of(source, 1, version_id, 2048, 1);
        cr_assert_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR1, &p), 1);
        cr_assert_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_FACTOR2, &q), 1);
        cr_expect(BN_num_bits(p) == 1024 && BN_num_bits(q) == 1024 && BN_cmp(p, q) > 0);
        cr_assert_eq(BN_sub(p, p, q), 1);
        cr_expect(BN_num_bits(p) > 1024 - 100);
        BN_free(p);
        BN_free(q);
        EVP_PKEY_free(key);
    }
    atomic_bool is_cancelled = true;
    CmkRandomStream primes;
    cmk_random_stream_init(&primes, 1, CMK_RANDOM_KEY_PRIMES, 1, 2048);
    cr_expect_null(
        cmk_rsa_key_new(cmk_random_source_library(source), 2048, &primes, &is_cancelled));
    ERR_clear_error();
    cmk_random_source_free(source);
}

/* ---- the attacker: bare OpenSSL on what storage holds ------------------------------------------
 */

/* What RSA-OAEP-256 makes of the blob; false when it does not open. */
static bool attack_wrapped(EVP_PKEY *key, const unsigned char *wrapped, size_t size,
                           unsigned char ret_dek[32])
{
    unsigned char plain[512];
    size_t plain_size = sizeof plain;
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    cr_assert_eq(EVP_PKEY_decrypt_init(ctx), 1);
    cr_assert_eq(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
    cr_assert_eq(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()), 1);
    cr_assert_eq(EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()), 1);
    bool is_open = EVP_PKEY_decrypt(ctx, plain, &plain_size, wrapped, size) == 1;
    EVP_PKEY_CTX_free(ctx);
    ERR_clear_error();
    if (is_open) {
        cr_assert_eq(plain_size, (size_t)32);
        memcpy(ret_dek, plain, 32);
    }
    return is_open;
}

/* The same through the library context of our keys, whose blinding must draw from a stream. */
static bool attack_with(CmkRandomSource *source, EVP_PKEY *key, const unsigned char *wrapped,
                        size_t size, unsigned char ret_dek[32])
{
    CmkRandomStream stream;
    cmk_random_stream_init(&stream, 0, CMK_RANDOM_TEST, 1, 1);
    cr_assert(cmk_random_source_select(source, &stream));
    bool is_open = attack_wrapped(key, wrapped, size, ret_dek);
    cr_assert(cmk_random_source_select(source, NULL));
    return is_open;
}

/* AES-256-GCM by the book; false when the tag does not fit. */
static bool attack_ciphertext(const unsigned char key[32], const unsigned char nonce[12],
                              const unsigned char tag[16], uint32_t point_id,
                              const unsigned char *bytes, uint32_t size, unsigned char *ret_plain)
{
    int length = 0;
    unsigned char tag_copy[16];
    const unsigned char added[4] = {(unsigned char)point_id, (unsigned char)(point_id >> 8),
                                    (unsigned char)(point_id >> 16),
                                    (unsigned char)(point_id >> 24)};
    memcpy(tag_copy, tag, sizeof tag_copy);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    cr_assert_eq(EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), key, nonce, NULL), 1);
    cr_assert_eq(EVP_DecryptUpdate(ctx, NULL, &length, added, sizeof added), 1);
    cr_assert_eq(EVP_DecryptUpdate(ctx, ret_plain, &length, bytes, (int)size), 1);
    cr_assert_eq(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, tag_copy), 1);
    bool is_open = EVP_DecryptFinal_ex(ctx, ret_plain + length, &length) == 1;
    EVP_CIPHER_CTX_free(ctx);
    return is_open;
}

/* ---- round trips -------------------------------------------------------------------------------
 */

Test(envelope, round_trips)
{
    static const uint32_t sizes[] = {1, 15, 16, 17, 4095, 4096, 4097, 65536, 1048576};
    static const uint32_t wrapped_bytes[] = {256, 384, 512};
    CmkEnvelope *envelope = make(cmk_envelope_options(5));
    uint32_t point_id = 0;
    for (uint32_t i = 0; i < 3; i++) {
        const uint32_t version_id = 100 + i;
        const uint32_t dek_id = 200 + i;
        unsigned char wrapped[CMK_ENVELOPE_WRAPPED_BYTES_MAX];
        uint32_t size = 0;
        expect(cmk_envelope_key_create(envelope, version_id, golden_keys[i].bits), OK);
        expect(cmk_envelope_dek_create(envelope, dek_id), OK);
        expect(cmk_envelope_wrap(envelope, dek_id, version_id), OK);
        expect(cmk_envelope_wrap(envelope, dek_id, version_id), OK);
        expect(cmk_envelope_unwrap(envelope, dek_id, version_id), OK);
        expect(cmk_envelope_unwrap(envelope, dek_id, version_id), OK);
        expect(cmk_envelope_peek_wrapped(envelope, dek_id, version_id, wrapped, &size), OK);
        cr_expect_eq(size, wrapped_bytes[i]);
        for (size_t j = 0; j < CMK_ARRAY_LEN(sizes); j++) {
            for (int layers = 0; layers < CMK_ENCRYPTION_LAYERS__COUNT; layers++) {
                CmkEnvelopeBackup backup = backup_of(point_id, dek_id, version_id, sizes[j]);
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
    CmkEnvelope *envelope = make(quick_options(1));
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
    CmkEnvelopeBackup backup = backup_of(1, 1, 1, 100);
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

/* ---- the second digest -------------------------------------------------------------------------
 */

typedef struct Story {
    CmkEnvelopeOptions options;
    long pause_ms; /* before keys are needed, so that the worker is ahead */
    bool has_extra_unwraps;
} Story;

static CmkDigest tell(const Story *story)
{
    CmkEnvelope *envelope = make(story->options);
    expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
    expect(cmk_envelope_key_create(envelope, 2, 2048), OK);
    if (story->pause_ms > 0) {
        const double end = seconds() + 5;
        while (cmk_envelope_counters(envelope).keys_made < 2 && seconds() < end) {
            pause_ms(story->pause_ms);
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
        CmkEnvelopeBackup backup = backup_of(point_id, point_id % 3, 1, 100 + 999 * point_id);
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
        CmkEnvelope *envelope = make(options);
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

/* ---- damage ------------------------------------------------------------------------------------
 */

Test(envelope, damage)
{
    /* Any flipped bit of ciphertext or tag is found, kept or not, one layer or two. */
    for (int i = 0; i < 4; i++) {
        CmkEnvelopeOptions options = quick_options(8);
        options.memory_bytes = i % 2 == 0 ? 0 : CMK_ENVELOPE_MEMORY_BYTES;
        CmkEnvelope *envelope = make(options);
        expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
        expect(cmk_envelope_dek_create(envelope, 1), OK);
        expect(cmk_envelope_wrap(envelope, 1, 1), OK);
        CmkEnvelopeBackup backup = backup_of(1, 1, 1, 100);
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
        CmkEnvelopeOptions options = quick_options(8);
        options.sample_first = is_rsa;
        CmkEnvelope *envelope = make(options);
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

/* ---- purge -------------------------------------------------------------------------------------
 */

Test(envelope, purge)
{
    const uint64_t seed = 11;
    unsigned char wrapped[2][CMK_ENVELOPE_WRAPPED_BYTES_MAX];
    unsigned char dek[32];
    unsigned char inner[4096 + 16];
    unsigned char plain[4096 + 16];
    unsigned char ciphertext[4096 + 16];
    uint32_t size = 0;
    CmkEnvelopeStored stored;
    CmkEnvelope *envelope = make(cmk_envelope_options(seed));
    expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
    expect(cmk_envelope_key_create(envelope, 2, 2048), OK);
    for (uint32_t dek_id = 1; dek_id <= 2; dek_id++) { /* 1: one way in, 2: two of them */
        expect(cmk_envelope_dek_create(envelope, dek_id), OK);
        expect(cmk_envelope_wrap(envelope, dek_id, 1), OK);
        CmkEnvelopeBackup backup = backup_of(dek_id, dek_id, 1, 4096);
        expect(cmk_envelope_backup(envelope, &backup), OK);
    }
    expect(cmk_envelope_rewrap(envelope, 2, 1, 2), OK);
    expect(cmk_envelope_peek_wrapped(envelope, 1, 1, wrapped[0], &size), OK);
    expect(cmk_envelope_peek_point(envelope, 1, &stored), OK);
    cr_assert_not_null(stored.bytes);
    cr_assert_eq(stored.size_bytes, 4096);
    memcpy(ciphertext, stored.bytes, stored.size_bytes);

    /* The attack works while there is a key: this one, made again from the seed. */
    CmkRandomSource *source = cmk_random_source_new();
    cr_assert_not_null(source);
    EVP_PKEY *right = key_of(source, seed, 1, 2048, 1);
    cr_assert(attack_with(source, right, wrapped[0], size, dek));
    cr_expect(attack_ciphertext(dek, stored.nonce, stored.tag, 1, ciphertext, 4096, plain));
    cr_expect_not(attack_ciphertext(dek, stored.nonce, stored.tag, 2, ciphertext, 4096, plain),
                  "bound to its point");

    expect(cmk_envelope_key_purge(envelope, 1), OK);
    expect(cmk_envelope_key_purge(envelope, 1), CMK_ENVELOPE_KEY_GONE);
    expect(cmk_envelope_unwrap(envelope, 1, 1), CMK_ENVELOPE_KEY_GONE);
    expect(cmk_envelope_wrap(envelope, 1, 1), CMK_ENVELOPE_KEY_GONE);
    expect(cmk_envelope_wrap(envelope, 1, 2), CMK_ENVELOPE_KEY_GONE);
    expect(cmk_envelope_rewrap(envelope, 1, 1, 2), CMK_ENVELOPE_KEY_GONE);
    expect(cmk_envelope_restore(envelope, 1, 1), CMK_ENVELOPE_KEY_GONE);
    expect(cmk_envelope_restore(envelope, 1, 2), CMK_ENVELOPE_NOT_WRAPPED);
    CmkEnvelopeBackup late = backup_of(3, 1, 1, 4096);
    expect(cmk_envelope_backup(envelope, &late), CMK_ENVELOPE_KEY_GONE);
    cr_expect_not(cmk_envelope_is_openable(envelope, 1));
    cr_expect(cmk_envelope_is_openable(envelope, 2));
    expect(cmk_envelope_restore(envelope, 2, 1), CMK_ENVELOPE_KEY_GONE);
    expect(cmk_envelope_restore(envelope, 2, 2), OK);

    /* Storage still has the same blob and the same bytes, and no other key opens them. */
    expect(cmk_envelope_peek_wrapped(envelope, 1, 1, wrapped[1], &size), OK);
    cr_expect_arr_eq(wrapped[0], wrapped[1], size);
    expect(cmk_envelope_peek_point(envelope, 1, &stored), OK);
    cr_expect_arr_eq(stored.bytes, ciphertext, 4096);
    EVP_PKEY *other_version = key_of(source, seed, 2, 2048, 1);
    EVP_PKEY *other_seed = key_of(source, seed + 1, 1, 2048, 1);
    cr_expect_not(attack_with(source, other_version, wrapped[1], size, dek));
    cr_expect_not(attack_with(source, other_seed, wrapped[1], size, dek));
    cmk_random_source_select(source, NULL);
    EVP_PKEY_free(right);
    EVP_PKEY_free(other_version);
    EVP_PKEY_free(other_seed);

    /* Infrastructure encryption: the data key alone does not open the point. */
    CmkRandomStream stream;
    unsigned char platform_key[32];
    CmkEnvelopeBackup layered = backup_of(4, 2, 2, 4096);
    layered.layers = CMK_LAYERS_DATA_KEY_AND_PLATFORM;
    expect(cmk_envelope_backup(envelope, &layered), OK);
    expect(cmk_envelope_peek_point(envelope, 4, &stored), OK);
    cr_assert_eq(stored.size_bytes, 4096 + 16);
    cmk_random_stream_init(&stream, seed, CMK_RANDOM_DATA_KEY, 2, 0);
    cmk_random_stream_read(&stream, dek, sizeof dek);
    cmk_random_stream_init(&stream, seed, CMK_RANDOM_PLATFORM_KEY, 0, 0);
    cmk_random_stream_read(&stream, platform_key, sizeof platform_key);
    cr_expect_not(attack_ciphertext(dek, stored.nonce, stored.tag, 4, stored.bytes, 4112, inner));
    cr_assert(
        attack_ciphertext(platform_key, stored.nonce, stored.tag, 4, stored.bytes, 4112, inner));
    /* The second number of data key 2: the base from its stream, XOR 1 in the last word. */
    unsigned char drawn[32 + 12];
    cmk_random_stream_init(&stream, seed, CMK_RANDOM_DATA_KEY, 2, 0);
    cmk_random_stream_read(&stream, drawn, sizeof drawn);
    drawn[32 + 8] ^= 1;
    cr_expect(attack_ciphertext(dek, drawn + 32, inner + 4096, 4, inner, 4096, plain));

    /* Without the last key nothing is left. */
    expect(cmk_envelope_key_purge(envelope, 2), OK);
    expect(cmk_envelope_restore(envelope, 4, 2), CMK_ENVELOPE_KEY_GONE);
    cr_expect_not(cmk_envelope_is_openable(envelope, 2));
    cmk_random_source_free(source);
    cmk_envelope_free(envelope);
}

/* Purges of keys that wait for the worker or are in the making, and an end in the middle. */
Test(envelope, purge_while_made)
{
    CmkEnvelope *envelope = make(cmk_envelope_options(12));
    for (uint32_t version_id = 0; version_id < 4; version_id++) {
        expect(cmk_envelope_key_create(envelope, version_id, 4096), OK);
    }
    expect(cmk_envelope_key_create(envelope, 4, 2048), OK);
    expect(cmk_envelope_dek_create(envelope, 0), OK);
    for (uint32_t version_id = 0; version_id < 4; version_id++) {
        pause_ms(version_id * 10);
        const double start = seconds();
        expect(cmk_envelope_key_purge(envelope, version_id), OK);
        cr_expect(seconds() - start < 1.0, "it waits for no whole key");
        expect(cmk_envelope_wrap(envelope, 0, version_id), CMK_ENVELOPE_KEY_GONE);
    }
    cr_expect(cmk_envelope_is_openable(envelope, 0), "fresh");
    expect(cmk_envelope_wrap(envelope, 0, 4), OK);
    expect(cmk_envelope_unwrap(envelope, 0, 4), OK);
    CmkEnvelopeCounters counters = cmk_envelope_counters(envelope);
    cr_expect_eq(counters.keys_used, 1);
    cr_expect(counters.keys_made <= 2, "given up: %" PRIu64, counters.keys_made);
    expect(cmk_envelope_key_create(envelope, 5, 4096), OK);
    pause_ms(20);
    const double start = seconds();
    cmk_envelope_free(envelope);
    cr_expect(seconds() - start < 1.0, "the end waits for no whole key");
}

/* ---- no key bytes in memory ---------------------------------------------------------------------
 *
 * The strongest form of "gone": no writable page of this process holds the bytes, be it in a freed
 * block, a stack or a key schedule. The patterns are kept masked, so that they are not found
 * themselves, and computed in a child, so that the computation leaves no traces here. */

#define PATTERN_BYTES 32
#define MASK 0x5a

/* As numbers lie in memory, and as they come from the stream when the search starts. */
typedef enum Pattern {
    PATTERN_DEK,
    PATTERN_P,
    PATTERN_Q,
    PATTERN_D,
    PATTERN_P_START,
    PATTERN_Q_START,
    PATTERN__COUNT
} Pattern;

static const char *const pattern_names[PATTERN__COUNT] = {"data key", "p",          "q",
                                                          "d",        "start of p", "start of q"};

/* A piece out of the middle of the number, little-endian or big-endian. */
static void mask_number(EVP_PKEY *key, const char *name, bool is_little_endian,
                        unsigned char ret_masked[PATTERN_BYTES])
{
    BIGNUM *number = NULL;
    unsigned char bytes[512];
    cr_assert_eq(EVP_PKEY_get_bn_param(key, name, &number), 1);
    int size = is_little_endian ? BN_bn2lebinpad(number, bytes, sizeof bytes)
                                : BN_bn2binpad(number, bytes, sizeof bytes);
    cr_assert_eq(size, (int)sizeof bytes);
    /* A prime of 128 bytes: past those that the search has changed, in either order. */
    const size_t from = is_little_endian ? 40 : sizeof bytes - 128 + 40;
    for (size_t i = 0; i < PATTERN_BYTES; i++) {
        ret_masked[i] = bytes[from + i] ^ MASK;
    }
    BN_clear_free(number);
}

static void compute_patterns(uint64_t seed, unsigned char ret_masked[PATTERN__COUNT][PATTERN_BYTES])
{
    int ends[2];
    cr_assert_eq(pipe(ends), 0);
    pid_t child = fork();
    cr_assert_geq(child, 0);
    if (child == 0) {
        unsigned char masked[PATTERN__COUNT][PATTERN_BYTES];
        CmkRandomStream stream;
        cmk_random_stream_init(&stream, seed, CMK_RANDOM_DATA_KEY, 1, 0);
        cmk_random_stream_read(&stream, masked[PATTERN_DEK], PATTERN_BYTES);
        for (size_t i = 0; i < PATTERN_BYTES; i++) {
            masked[PATTERN_DEK][i] ^= MASK;
        }
        EVP_PKEY *key = key_of(cmk_random_source_new(), seed, 1, 2048, 1);
        mask_number(key, OSSL_PKEY_PARAM_RSA_FACTOR1, true, masked[PATTERN_P]);
        mask_number(key, OSSL_PKEY_PARAM_RSA_FACTOR2, true, masked[PATTERN_Q]);
        mask_number(key, OSSL_PKEY_PARAM_RSA_D, true, masked[PATTERN_D]);
        mask_number(key, OSSL_PKEY_PARAM_RSA_FACTOR1, false, masked[PATTERN_P_START]);
        mask_number(key, OSSL_PKEY_PARAM_RSA_FACTOR2, false, masked[PATTERN_Q_START]);
        _exit(write(ends[1], masked, sizeof masked) == (ssize_t)sizeof masked ? 0 : 1);
    }
    (void)close(ends[1]);
    cr_assert_eq(read(ends[0], ret_masked, PATTERN__COUNT * PATTERN_BYTES),
                 PATTERN__COUNT * PATTERN_BYTES);
    (void)close(ends[0]);
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_assert_eq(status, 0);
}

static size_t count_in(const unsigned char *bytes, size_t size, const unsigned char *masked)
{
    size_t found = 0;
    const unsigned char *at = bytes;
    while (at + PATTERN_BYTES <= bytes + size) {
        at = memchr(at, masked[0] ^ MASK, size - PATTERN_BYTES + 1 - (size_t)(at - bytes));
        if (at == NULL) {
            break;
        }
        size_t same = 1;
        while (same < PATTERN_BYTES && at[same] == (masked[same] ^ MASK)) {
            same++;
        }
        found += same == PATTERN_BYTES;
        at++;
    }
    return found;
}

#define CHUNK_BYTES ((size_t)1 << 20)

/* How often each pattern is in the writable memory of this process. */
static void scan_memory(unsigned char masked[PATTERN__COUNT][PATTERN_BYTES],
                        size_t ret_found[PATTERN__COUNT])
{
    unsigned char *chunk = malloc(CHUNK_BYTES);
    FILE *maps = fopen("/proc/self/maps", "r");
    FILE *memory = fopen("/proc/self/mem", "r");
    char line[512];
    cr_assert(chunk != NULL && maps != NULL && memory != NULL);
    memset(ret_found, 0, PATTERN__COUNT * sizeof ret_found[0]);
    while (fgets(line, sizeof line, maps) != NULL) {
        uintptr_t from = 0;
        uintptr_t to = 0;
        char rights[5] = "";
        if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s", &from, &to, rights) != 3 ||
            strncmp(rights, "rw", 2) != 0 || to - from > ((size_t)256 << 20)) {
            continue; /* the sanitizers' shadow is larger, and no memory of the program */
        }
        for (uintptr_t at = from; at < to; at += CHUNK_BYTES - PATTERN_BYTES + 1) {
            size_t size = to - at < CHUNK_BYTES ? to - at : CHUNK_BYTES;
            if (at < (uintptr_t)chunk + CHUNK_BYTES && (uintptr_t)chunk < at + size) {
                memset(chunk, 0, CHUNK_BYTES);
            }
            ssize_t got = pread(fileno(memory), chunk, size, (off_t)at);
            for (size_t i = 0; i < PATTERN__COUNT && got >= PATTERN_BYTES; i++) {
                ret_found[i] += count_in(chunk, (size_t)got, masked[i]);
            }
            memset(chunk, 0, CHUNK_BYTES);
        }
    }
    (void)fclose(memory);
    (void)fclose(maps);
    free(chunk);
}

/* So many copies of the data key, and the private numbers there or not. */
static void expect_in_memory(unsigned char masked[PATTERN__COUNT][PATTERN_BYTES], size_t deks,
                             bool has_numbers, const char *when)
{
    size_t found[PATTERN__COUNT];
    if (masked == NULL) {
        return;
    }
    scan_memory(masked, found);
    cr_expect_eq(found[PATTERN_DEK], deks, "%s: %zu times the data key, not %zu", when,
                 found[PATTERN_DEK], deks);
    for (size_t i = PATTERN_P; i < PATTERN__COUNT; i++) {
        bool is_wanted = has_numbers && i < PATTERN_P_START;
        cr_expect((found[i] > 0) == is_wanted, "%s: %s is found %zu times", when, pattern_names[i],
                  found[i]);
    }
}

/* A story in which every kind of key byte is used; scans in between if there are patterns. */
static void use_and_lose(CmkEnvelopeOptions options, bool has_purge,
                         unsigned char masked[PATTERN__COUNT][PATTERN_BYTES])
{
    const bool is_callers = options.key_maker == CMK_KEY_MAKER_CALLER;
    void *held[40] = {NULL};
    CmkEnvelope *envelope = make(options);
    expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
    expect(cmk_envelope_dek_create(envelope, 1), OK);
    if (is_callers) {
        expect_in_memory(masked, 1, false, "created");
    }
    for (uint32_t dek_id = 2; dek_id < 40; dek_id++) { /* the table moves */
        expect(cmk_envelope_dek_create(envelope, dek_id), OK);
        held[dek_id] = malloc(4096); /* in the way of growing where it stands */
    }
    if (is_callers) {
        expect_in_memory(masked, 1, false, "moved");
    }
    expect(cmk_envelope_wrap(envelope, 1, 1), OK);
    expect_in_memory(masked, 0, true, "wrapped");
    expect(cmk_envelope_unwrap(envelope, 1, 1), OK);
    expect_in_memory(masked, 1, true, "unwrapped");
    CmkEnvelopeBackup backup = backup_of(1, 1, 1, 100);
    expect(cmk_envelope_backup(envelope, &backup), OK);
    expect_in_memory(masked, 2, true, "remembered, and in the key schedule");
    for (uint32_t dek_id = 2; dek_id < 40; dek_id++) {
        expect(cmk_envelope_wrap(envelope, dek_id, 1), OK);
    }
    expect(cmk_envelope_restore(envelope, 1, 1), OK);
    expect_in_memory(masked, 2, true, "moved again");
    if (has_purge) {
        expect(cmk_envelope_key_purge(envelope, 1), OK);
        expect_in_memory(masked, 0, false, "after the purge");
    }
    cmk_envelope_free(envelope);
    for (size_t i = 0; i < CMK_ARRAY_LEN(held); i++) {
        free(held[i]);
    }
    expect_in_memory(masked, 0, false, "after the end");
}

/* The key is purged as soon as it is made: before much else can overwrite what was forgotten. */
static void make_and_purge(CmkEnvelopeOptions options,
                           unsigned char masked[PATTERN__COUNT][PATTERN_BYTES])
{
    CmkEnvelope *envelope = make(options);
    expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
    expect(cmk_envelope_dek_create(envelope, 2), OK);
    expect(cmk_envelope_wrap(envelope, 2, 1), OK);
    expect(cmk_envelope_key_purge(envelope, 1), OK);
    expect_in_memory(masked, 0, false, "made and purged");
    cmk_envelope_free(envelope);
}

Test(envelope, no_key_bytes_left)
{
    const uint64_t seed = 77;
    unsigned char masked[PATTERN__COUNT][PATTERN_BYTES];
    compute_patterns(seed, masked);
    expect_in_memory(masked, 0, false, "before");
    for (int maker = CMK_KEY_MAKER__COUNT - 1; maker >= 0; maker--) {
        CmkEnvelopeOptions options = cmk_envelope_options(seed + 1);
        options.key_maker = (CmkKeyMaker)maker;
        /* The dynamic linker saves vector registers on the stack, with whatever is in them, when it
         * binds a function at its first call: let it do so with another seed. */
        use_and_lose(options, true, NULL);
        options.seed = seed;
        use_and_lose(options, true, masked);
        use_and_lose(options, false, masked);
        make_and_purge(options, masked);
    }
}

/* ---- a naive model -----------------------------------------------------------------------------
 */

#define VERSIONS 12
#define DEKS 20
#define POINTS 60

typedef struct Naive {
    bool is_created[VERSIONS];
    bool is_purged[VERSIONS];
    bool is_dek[DEKS];
    bool is_fresh[DEKS];
    bool is_wrapped[DEKS][VERSIONS];
    bool is_open[DEKS][VERSIONS];
    bool is_point[POINTS];
    uint32_t dek_of[POINTS];
} Naive;

static CmkEnvelopeResult naive_open(Naive *naive, uint32_t dek, uint32_t version)
{
    if (!naive->is_dek[dek] || !naive->is_created[version]) {
        return CMK_ENVELOPE_UNKNOWN;
    }
    if (naive->is_purged[version]) {
        return CMK_ENVELOPE_KEY_GONE;
    }
    if (!naive->is_wrapped[dek][version]) {
        return CMK_ENVELOPE_NOT_WRAPPED;
    }
    naive->is_open[dek][version] = true;
    return OK;
}

static bool naive_is_openable(const Naive *naive, uint32_t dek)
{
    bool is_openable = naive->is_fresh[dek];
    for (uint32_t i = 0; i < VERSIONS; i++) {
        is_openable = is_openable || (naive->is_wrapped[dek][i] && !naive->is_purged[i]);
    }
    return is_openable;
}

static CmkEnvelopeResult naive_wrap(Naive *naive, uint32_t dek, uint32_t version)
{
    if (!naive->is_dek[dek] || !naive->is_created[version]) {
        return CMK_ENVELOPE_UNKNOWN;
    }
    if (naive->is_purged[version]) {
        return CMK_ENVELOPE_KEY_GONE;
    }
    if (naive->is_wrapped[dek][version]) {
        return OK;
    }
    bool has_plain = naive->is_fresh[dek];
    for (uint32_t i = 0; i < VERSIONS; i++) {
        has_plain = has_plain || naive->is_open[dek][i];
    }
    if (!has_plain) {
        return naive_is_openable(naive, dek) ? CMK_ENVELOPE_NOT_OPEN : CMK_ENVELOPE_KEY_GONE;
    }
    naive->is_wrapped[dek][version] = true;
    naive->is_fresh[dek] = false;
    return OK;
}

static CmkEnvelopeResult naive_drop(Naive *naive, uint32_t dek, uint32_t version)
{
    if (!naive->is_dek[dek] || !naive->is_created[version]) {
        return CMK_ENVELOPE_UNKNOWN;
    }
    if (!naive->is_wrapped[dek][version]) {
        return CMK_ENVELOPE_NOT_WRAPPED;
    }
    naive->is_wrapped[dek][version] = false;
    naive->is_open[dek][version] = false;
    return OK;
}

static CmkEnvelopeResult naive_purge(Naive *naive, uint32_t version)
{
    if (!naive->is_created[version]) {
        return CMK_ENVELOPE_UNKNOWN;
    }
    if (naive->is_purged[version]) {
        return CMK_ENVELOPE_KEY_GONE;
    }
    naive->is_purged[version] = true;
    for (uint32_t i = 0; i < DEKS; i++) {
        naive->is_open[i][version] = false;
    }
    return OK;
}

/* Ids as a caller's may be: far apart, the first of them 0. */
static uint32_t spread(uint32_t index)
{
    return index * UINT32_C(0x9e3779b1);
}

typedef struct Step {
    uint32_t kind;
    uint32_t dek;
    uint32_t version;
    uint32_t other;
    uint32_t point;
    uint32_t size;
} Step;

static void try_keys(CmkEnvelope *envelope, Naive *naive, const Step *step)
{
    const uint32_t dek_id = spread(step->dek);
    const uint32_t version_id = spread(step->version);
    if (step->kind == 0 && !naive->is_created[step->version]) {
        expect(cmk_envelope_key_create(envelope, version_id, 2048), OK);
        naive->is_created[step->version] = true;
    } else if (step->kind == 1 && step->size % 4 == 0) {
        expect(cmk_envelope_key_purge(envelope, version_id), naive_purge(naive, step->version));
    } else if (step->kind == 2 && !naive->is_dek[step->dek]) {
        expect(cmk_envelope_dek_create(envelope, dek_id), OK);
        naive->is_dek[step->dek] = true;
        naive->is_fresh[step->dek] = true;
    } else if (step->kind == 3) {
        expect(cmk_envelope_wrap(envelope, dek_id, version_id),
               naive_wrap(naive, step->dek, step->version));
    } else if (step->kind == 4) {
        expect(cmk_envelope_unwrap(envelope, dek_id, version_id),
               naive_open(naive, step->dek, step->version));
    } else if (step->kind == 5) {
        CmkEnvelopeResult wanted = naive_open(naive, step->dek, step->version);
        wanted = wanted == OK ? naive_wrap(naive, step->dek, step->other) : wanted;
        expect(cmk_envelope_rewrap(envelope, dek_id, version_id, spread(step->other)), wanted);
    } else if (step->kind == 6) {
        expect(cmk_envelope_drop_wrap(envelope, dek_id, version_id),
               naive_drop(naive, step->dek, step->version));
    }
    cr_assert_eq(cmk_envelope_is_openable(envelope, dek_id),
                 naive->is_dek[step->dek] && naive_is_openable(naive, step->dek));
}

static void try_points(CmkEnvelope *envelope, Naive *naive, const Step *step)
{
    const uint32_t point_id = spread(step->point);
    bool *is_point = &naive->is_point[step->point];
    if (step->kind < 10 && !*is_point) {
        CmkEnvelopeBackup backup =
            backup_of(point_id, spread(step->dek), spread(step->version), step->size);
        backup.layers = (CmkEncryptionLayers)(step->size % 2);
        CmkEnvelopeResult wanted = naive_open(naive, step->dek, step->version);
        expect(cmk_envelope_backup(envelope, &backup), wanted);
        *is_point = wanted == OK;
        naive->dek_of[step->point] = step->dek;
    } else if (step->kind < 14) {
        expect(cmk_envelope_restore(envelope, point_id, spread(step->version)),
               *is_point ? naive_open(naive, naive->dek_of[step->point], step->version)
                         : CMK_ENVELOPE_UNKNOWN);
    } else {
        expect(cmk_envelope_point_drop(envelope, point_id), *is_point ? OK : CMK_ENVELOPE_UNKNOWN);
        *is_point = false;
    }
}

/* Random calls against the model, with memory for all ciphertext, for some, and for none. */
Test(envelope, naive_model)
{
    static const uint64_t memories[] = {0, 16, 10000, 65536, 100000, 1 << 20};
    for (uint64_t round = 0; round < 60; round++) {
        Naive naive = {0};
        CmkRandomStream stream;
        CmkEnvelopeOptions options = quick_options(round);
        options.memory_bytes = memories[round % CMK_ARRAY_LEN(memories)];
        CmkEnvelope *envelope = make(options);
        cmk_random_stream_init(&stream, round, CMK_RANDOM_TEST, 9, 9);
        for (size_t i = 0; i < 1000; i++) {
            uint32_t drawn[6];
            cmk_random_stream_read(&stream, drawn, sizeof drawn);
            Step step = {.kind = drawn[0] % 16,
                         .dek = drawn[1] % DEKS,
                         .version = drawn[2] % VERSIONS,
                         .other = drawn[3] % VERSIONS,
                         .point = drawn[4] % POINTS,
                         .size = 1 + drawn[5] % (drawn[5] % 8 == 0 ? 20000 : 3000)};
            if (step.kind < 7) {
                try_keys(envelope, &naive, &step);
            } else {
                try_points(envelope, &naive, &step);
            }
        }
        cmk_envelope_free(envelope);
    }
}

/* Which points keep their ciphertext: the latest, within the memory, and the others restore too. */
Test(envelope, memory_budget)
{
    CmkEnvelopeOptions options = quick_options(2);
    options.memory_bytes = 10 * (4096 + 16);
    CmkEnvelope *envelope = make(options);
    expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
    expect(cmk_envelope_dek_create(envelope, 1), OK);
    expect(cmk_envelope_wrap(envelope, 1, 1), OK);
    for (uint32_t point_id = 0; point_id < 25; point_id++) {
        CmkEnvelopeBackup backup = backup_of(point_id, 1, 1, 4096);
        expect(cmk_envelope_backup(envelope, &backup), OK);
    }
    CmkEnvelopeBackup large = backup_of(25, 1, 1, 65536);
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
        CmkEnvelopeBackup backup = backup_of(point_id, 1, 1, 5000);
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
    CmkEnvelopeOptions options = quick_options(2);
    options.memory_bytes = 4 * (4096 + 16);
    CmkEnvelope *envelope = make(options);
    expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
    expect(cmk_envelope_dek_create(envelope, 1), OK);
    expect(cmk_envelope_wrap(envelope, 1, 1), OK);
    for (uint32_t point_id = 0; point_id < 9; point_id++) {
        CmkEnvelopeStored stored;
        CmkEnvelopeBackup backup = backup_of(point_id, 1, 1, 4096);
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

/* ---- OpenSSL out of memory ---------------------------------------------------------------------
 */

/* So many allocations succeed before one fails, after which all succeed; negative: no failure is
 * due. Touched by one thread at a time: no test that sets it lets the worker run. */
static long allocations_left = -1;
static bool has_allocator;

static bool is_failure_due(void)
{
    if (allocations_left < 0) {
        return false;
    }
    allocations_left--;
    return allocations_left < 0;
}

static void *counting_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_failure_due() ? NULL : malloc(size);
}

static void *counting_realloc(void *block, size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return is_failure_due() ? NULL : realloc(block, size);
}

static void counting_free(void *block, const char *file, int line)
{
    (void)file;
    (void)line;
    free(block);
}

/* OpenSSL takes them only before its first allocation. */
__attribute__((constructor)) static void install_allocator(void)
{
    has_allocator = CRYPTO_set_mem_functions(counting_malloc, counting_realloc, counting_free) == 1;
}

/* In a sanitizer build: not to count what is allocated in between as leaked. */
extern void __lsan_disable(void) __attribute__((weak));
extern void __lsan_enable(void) __attribute__((weak));

/* OpenSSL 3.0 loses parts of a library context that it could not complete. */
static CmkEnvelope *new_short_of_memory(long allocations, char error[CMK_ENVELOPE_ERROR_SIZE],
                                        bool *ret_is_through)
{
    CmkEnvelopeOptions options = quick_options(6);
    if (__lsan_disable != NULL) {
        __lsan_disable();
    }
    allocations_left = allocations;
    CmkEnvelope *envelope = cmk_envelope_new(&options, error);
    *ret_is_through = allocations_left >= 0;
    allocations_left = -1;
    if (__lsan_enable != NULL) {
        __lsan_enable();
    }
    return envelope;
}

/* Every step once. OpenSSL may do without some things, but whatever stops a step must be said. */
static bool tell_short_of_memory(CmkEnvelope *envelope, uint32_t id)
{
    CmkEnvelopeBackup backup = backup_of(id, id, id, 5000);
    backup.layers = CMK_LAYERS_DATA_KEY_AND_PLATFORM;
    CmkEnvelopeResult result = cmk_envelope_key_create(envelope, id, 2048);
    result = result == OK ? cmk_envelope_dek_create(envelope, id) : result;
    result = result == OK ? cmk_envelope_wrap(envelope, id, id) : result;
    result = result == OK ? cmk_envelope_unwrap(envelope, id, id) : result;
    result = result == OK ? cmk_envelope_backup(envelope, &backup) : result;
    result = result == OK ? cmk_envelope_restore(envelope, id, id) : result;
    cr_expect(result == OK || (result == CMK_ENVELOPE_LIBRARY_ERROR &&
                               strncmp(cmk_envelope_error(envelope), "library error: ", 15) == 0),
              "%s", cmk_envelope_error(envelope));
    return result == OK;
}

Test(envelope, every_allocation_fails_once)
{
    cr_assert(has_allocator);
    for (uint32_t is_rsa = 0; is_rsa < 2; is_rsa++) {
        CmkEnvelopeOptions options = quick_options(6);
        options.key_maker = CMK_KEY_MAKER_CALLER;
        options.memory_bytes = 0;
        options.sample_first = is_rsa;
        bool is_through = false;
        size_t failures = 0;
        /* With RSA most belong to the search for primes: ever fewer of them will do. */
        for (long n = 0; n < 100000 && !is_through; n += is_rsa ? 1 + n / 16 : 1) {
            CmkEnvelope *envelope = make(options);
            allocations_left = n;
            failures += !tell_short_of_memory(envelope, 0);
            is_through = allocations_left >= 0;
            allocations_left = -1;
            cr_expect(tell_short_of_memory(envelope, 1), "after failure %ld: %s", n,
                      cmk_envelope_error(envelope));
            cmk_envelope_free(envelope);
        }
        cr_expect(is_through && failures > 20, "%zu failures", failures);
    }
    bool is_through = false;
    size_t failures = 0;
    for (long n = 0; n < 100000 && !is_through; n += 1 + n / 32) {
        char error[CMK_ENVELOPE_ERROR_SIZE] = "";
        CmkEnvelope *envelope = new_short_of_memory(n, error, &is_through);
        cr_expect((envelope == NULL) == (strncmp(error, "library error: ", 15) == 0));
        failures += envelope == NULL;
        cmk_envelope_free(envelope);
    }
    cr_expect(is_through && failures > 20, "%zu failures", failures);
}
