/* RSA keys from a stream (models/rsa_prime.h), with known answers. */
#include <criterion/criterion.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>

#include "models/random_stream.h"
#include "models/rsa_prime.h"
#include "tests/unit/models/envelope_kit.h"

static void modulus_hash(EVP_PKEY *key, uint32_t bits, char ret_text[65])
{
    unsigned char bytes[512];
    unsigned char hash[32];
    BIGNUM *modulus = NULL;
    cr_assert_eq(EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &modulus), 1);
    cr_assert_eq(BN_num_bits(modulus), (int)bits);
    int size = BN_bn2bin(modulus, bytes);
    cr_assert_eq(EVP_Digest(bytes, (size_t)size, hash, NULL, EVP_sha256(), NULL), 1);
    kit_hex(hash, sizeof hash, ret_text);
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

Test(rsa_prime, keys)
{
    char text[65];
    CmkRandomSource *source = cmk_random_source_new();
    cr_assert_not_null(source);
    for (size_t i = 0; i < CMK_ARRAY_LEN(golden_keys); i++) {
        const uint32_t bits = golden_keys[i].bits;
        EVP_PKEY *key = kit_key(source, 42, 7, bits, 1);
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
        EVP_PKEY *key = kit_key(source, 42, 7, 2048, witness);
        modulus_hash(key, 2048, text);
        cr_expect_str_eq(text, golden_keys[0].modulus_sha256);
        EVP_PKEY_free(key);
    }
    /* The factors are far apart, the larger one first, and no key comes after a cancellation. */
    for (uint32_t version_id = 1; version_id <= 4; version_id++) {
        BIGNUM *p = NULL;
        BIGNUM *q = NULL;
        EVP_PKEY *key = kit_key(source, 1, version_id, 2048, 1);
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
