/* Purges of keys, and an attacker who reads the storage with bare OpenSSL. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "models/envelope.h"
#include "models/random_stream.h"
#include "tests/unit/models/envelope_kit.h"

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

Test(envelope_purge, purge)
{
    const uint64_t seed = 11;
    unsigned char wrapped[2][CMK_ENVELOPE_WRAPPED_BYTES_MAX];
    unsigned char dek[32];
    unsigned char inner[4096 + 16];
    unsigned char plain[4096 + 16];
    unsigned char ciphertext[4096 + 16];
    uint32_t size = 0;
    CmkEnvelopeStored stored;
    CmkEnvelope *envelope = kit_envelope(cmk_envelope_options(seed));
    expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
    expect(cmk_envelope_key_create(envelope, 2, 2048), OK);
    for (uint32_t dek_id = 1; dek_id <= 2; dek_id++) { /* 1: one way in, 2: two of them */
        expect(cmk_envelope_dek_create(envelope, dek_id), OK);
        expect(cmk_envelope_wrap(envelope, dek_id, 1), OK);
        CmkEnvelopeBackup backup = kit_backup(dek_id, dek_id, 1, 4096);
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
    EVP_PKEY *right = kit_key(source, seed, 1, 2048, 1);
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
    CmkEnvelopeBackup late = kit_backup(3, 1, 1, 4096);
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
    EVP_PKEY *other_version = kit_key(source, seed, 2, 2048, 1);
    EVP_PKEY *other_seed = kit_key(source, seed + 1, 1, 2048, 1);
    cr_expect_not(attack_with(source, other_version, wrapped[1], size, dek));
    cr_expect_not(attack_with(source, other_seed, wrapped[1], size, dek));
    cmk_random_source_select(source, NULL);
    EVP_PKEY_free(right);
    EVP_PKEY_free(other_version);
    EVP_PKEY_free(other_seed);

    /* Infrastructure encryption: the data key alone does not open the point. */
    CmkRandomStream stream;
    unsigned char platform_key[32];
    CmkEnvelopeBackup layered = kit_backup(4, 2, 2, 4096);
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
Test(envelope_purge, while_keys_are_made)
{
    CmkEnvelope *envelope = kit_envelope(cmk_envelope_options(12));
    for (uint32_t version_id = 0; version_id < 4; version_id++) {
        expect(cmk_envelope_key_create(envelope, version_id, 4096), OK);
    }
    expect(cmk_envelope_key_create(envelope, 4, 2048), OK);
    expect(cmk_envelope_dek_create(envelope, 0), OK);
    for (uint32_t version_id = 0; version_id < 4; version_id++) {
        kit_pause_ms(version_id * 10);
        const double start = kit_seconds();
        expect(cmk_envelope_key_purge(envelope, version_id), OK);
        cr_expect(kit_seconds() - start < 1.0, "it waits for no whole key");
        expect(cmk_envelope_wrap(envelope, 0, version_id), CMK_ENVELOPE_KEY_GONE);
    }
    cr_expect(cmk_envelope_is_openable(envelope, 0), "fresh");
    expect(cmk_envelope_wrap(envelope, 0, 4), OK);
    expect(cmk_envelope_unwrap(envelope, 0, 4), OK);
    CmkEnvelopeCounters counters = cmk_envelope_counters(envelope);
    cr_expect_eq(counters.keys_used, 1);
    cr_expect(counters.keys_made <= 2, "given up: %" PRIu64, counters.keys_made);
    expect(cmk_envelope_key_create(envelope, 5, 4096), OK);
    kit_pause_ms(20);
    const double start = kit_seconds();
    cmk_envelope_free(envelope);
    cr_expect(kit_seconds() - start < 1.0, "the end waits for no whole key");
}
