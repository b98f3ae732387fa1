#include "models/rsa_prime.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#define PUBLIC_EXPONENT 65537
#define BITS_MAX 4096
#define PRIME_BYTES_MAX (BITS_MAX / 16)

/* Odd primes below 2^15 and a window of 8192 odd numbers: the window of a 2048-bit prime misses
 * with a chance of exp(-16384/1420), and then the search starts anew. */
#define SIEVE_LIMIT 32768
#define SMALL_PRIMES_MAX 3511
#define WINDOW 8192

/* FIPS 186-4, B.3.3: the two primes must differ within their first 100 bits. */
#define DIFFERING_BITS 100

typedef enum Verdict {
    VERDICT_FAILED,
    VERDICT_COMPOSITE,
    VERDICT_PRIME
} Verdict;

typedef struct Search {
    BN_CTX *ctx;
    BN_MONT_CTX *montgomery;
    BN_GENCB *callback;
    BIGNUM *scratch;
    BIGNUM *exponent;
    CmkRandomStream *primes;
    const atomic_bool *is_cancelled;
    uint32_t small_primes_count;
    uint16_t small_primes[SMALL_PRIMES_MAX];
    unsigned char is_composite[WINDOW]; /* of start + 2i */
    unsigned char start[PRIME_BYTES_MAX];
} Search;

static bool is_cancelled(const Search *search)
{
    return search->is_cancelled != NULL && atomic_load(search->is_cancelled);
}

/* OpenSSL asks between two rounds of the primality test whether to go on. */
static int go_on(int stage, int round, BN_GENCB *callback)
{
    (void)stage;
    (void)round;
    return !is_cancelled(BN_GENCB_get_arg(callback));
}

/* Eratosthenes on odd numbers; index i stands for 2i + 1. */
static void list_small_primes(Search *search)
{
    unsigned char is_composite[SIEVE_LIMIT / 2] = {0};
    for (uint32_t i = 1; i < SIEVE_LIMIT / 2; i++) {
        if (is_composite[i]) {
            continue;
        }
        uint32_t prime = 2 * i + 1;
        CMK_ASSERT(search->small_primes_count < SMALL_PRIMES_MAX);
        search->small_primes[search->small_primes_count++] = (uint16_t)prime;
        for (uint32_t multiple = i + prime; multiple < SIEVE_LIMIT / 2; multiple += prime) {
            is_composite[multiple] = 1;
        }
    }
}

static void search_free(Search *search)
{
    if (search == NULL) {
        return;
    }
    BN_clear_free(search->exponent);
    BN_clear_free(search->scratch);
    BN_GENCB_free(search->callback);
    BN_MONT_CTX_free(search->montgomery);
    BN_CTX_free(search->ctx);
    OPENSSL_clear_free(search, sizeof *search);
}

static Search *search_new(OSSL_LIB_CTX *library, CmkRandomStream *primes,
                          const atomic_bool *cancelled)
{
    Search *search = OPENSSL_zalloc(sizeof *search);
    if (search == NULL) {
        return NULL;
    }
    search->primes = primes;
    search->is_cancelled = cancelled;
    search->ctx = BN_CTX_new_ex(library);
    search->montgomery = BN_MONT_CTX_new();
    search->callback = BN_GENCB_new();
    search->scratch = BN_new();
    search->exponent = BN_new();
    if (search->ctx == NULL || search->montgomery == NULL || search->callback == NULL ||
        search->scratch == NULL || search->exponent == NULL) {
        search_free(search);
        return NULL;
    }
    BN_GENCB_set(search->callback, go_on, search);
    list_small_primes(search);
    return search;
}

/* Marks the window's multiples of small primes; false when OpenSSL fails. */
static bool sieve(Search *search, const BIGNUM *start)
{
    memset(search->is_composite, 0, sizeof search->is_composite);
    for (uint32_t i = 0; i < search->small_primes_count; i++) {
        uint32_t prime = search->small_primes[i];
        BN_ULONG rest = BN_mod_word(start, prime);
        if (rest == (BN_ULONG)-1) {
            return false;
        }
        /* start + 2k = 0 (mod prime): an even distance, so a prime is added to an odd one. */
        uint32_t distance = (prime - (uint32_t)rest) % prime;
        distance += (distance % 2) * prime;
        for (uint32_t k = distance / 2; k < WINDOW; k += prime) {
            search->is_composite[k] = 1;
        }
    }
    return true;
}

/* Fermat's test to the base 2 throws out nearly every composite at the price of one power;
 * the real test, with its 64 rounds, is for what passes. */
static Verdict judge(Search *search, const BIGNUM *candidate)
{
    if (is_cancelled(search)) {
        return VERDICT_FAILED;
    }
    BN_ULONG rest = BN_mod_word(candidate, PUBLIC_EXPONENT);
    if (rest == (BN_ULONG)-1) {
        return VERDICT_FAILED;
    }
    if (rest == 1) { /* the public exponent would have no inverse */
        return VERDICT_COMPOSITE;
    }
    if (BN_copy(search->exponent, candidate) == NULL || !BN_sub_word(search->exponent, 1) ||
        !BN_MONT_CTX_set(search->montgomery, candidate, search->ctx) ||
        !BN_mod_exp_mont_word(search->scratch, 2, search->exponent, candidate, search->ctx,
                              search->montgomery)) {
        return VERDICT_FAILED;
    }
    if (!BN_is_one(search->scratch)) {
        return VERDICT_COMPOSITE;
    }
    switch (BN_check_prime(candidate, search->ctx, search->callback)) {
    case 1:
        return VERDICT_PRIME;
    case 0:
        return VERDICT_COMPOSITE;
    default:
        return VERDICT_FAILED;
    }
}

/* The first good prime in the window that begins at `candidate`; composite: there is none. */
static Verdict search_window(Search *search, int bits, BIGNUM *candidate)
{
    if (!sieve(search, candidate)) {
        return VERDICT_FAILED;
    }
    uint32_t at = 0;
    for (uint32_t k = 0; k < WINDOW; k++) {
        if (search->is_composite[k]) {
            continue;
        }
        if (!BN_add_word(candidate, 2 * (BN_ULONG)(k - at))) {
            return VERDICT_FAILED;
        }
        at = k;
        if (BN_num_bits(candidate) != bits) {
            return VERDICT_COMPOSITE;
        }
        Verdict verdict = judge(search, candidate);
        if (verdict != VERDICT_COMPOSITE) {
            return verdict;
        }
    }
    return VERDICT_COMPOSITE;
}

/* A prime of `bits` whose two highest bits are set, far enough from `other` (may be NULL). Each
 * turn of the loop fails with a chance below 1e-5 unless the stream is broken. */
static bool find_prime(Search *search, int bits, const BIGNUM *other, BIGNUM *ret_prime)
{
    const int start_bytes = bits / 8;
    for (int attempt = 0; attempt < 64; attempt++) {
        cmk_random_stream_read(search->primes, search->start, (size_t)start_bytes);
        search->start[0] |= 0xc0; /* so that the product has exactly twice the bits */
        search->start[start_bytes - 1] |= 1;
        if (BN_bin2bn(search->start, start_bytes, ret_prime) == NULL) {
            return false;
        }
        Verdict verdict = search_window(search, bits, ret_prime);
        if (verdict == VERDICT_FAILED) {
            return false;
        }
        if (verdict == VERDICT_COMPOSITE) {
            continue;
        }
        if (other == NULL) {
            return true;
        }
        if (!BN_sub(search->scratch, ret_prime, other)) {
            return false;
        }
        if (BN_num_bits(search->scratch) > bits - DIFFERING_BITS) {
            return true;
        }
    }
    return false;
}

/* ---- from two primes to a key ---------------------------------------------------------------- */

typedef enum Number {
    NUMBER_N,
    NUMBER_E,
    NUMBER_D,
    NUMBER_P,
    NUMBER_Q,
    NUMBER_D_MOD_P,
    NUMBER_D_MOD_Q,
    NUMBER_Q_INVERSE,
    NUMBER_OF_KEY__COUNT,
    NUMBER_P_LESS_1 = NUMBER_OF_KEY__COUNT,
    NUMBER_Q_LESS_1,
    NUMBER_COMMON,
    NUMBER_ORDER,
    NUMBER__COUNT
} Number;

static bool derive(BIGNUM *const number[NUMBER__COUNT], BN_CTX *ctx)
{
    BIGNUM *p_less_1 = number[NUMBER_P_LESS_1];
    BIGNUM *q_less_1 = number[NUMBER_Q_LESS_1];
    BIGNUM *order = number[NUMBER_ORDER];
    BIGNUM *d = number[NUMBER_D];
    return BN_set_word(number[NUMBER_E], PUBLIC_EXPONENT) &&
           BN_mul(number[NUMBER_N], number[NUMBER_P], number[NUMBER_Q], ctx) &&
           BN_sub(p_less_1, number[NUMBER_P], BN_value_one()) &&
           BN_sub(q_less_1, number[NUMBER_Q], BN_value_one()) &&
           /* d is the inverse modulo the least common multiple (FIPS 186-4, B.3.1) */
           BN_gcd(number[NUMBER_COMMON], p_less_1, q_less_1, ctx) &&
           BN_mul(order, p_less_1, q_less_1, ctx) &&
           BN_div(order, NULL, order, number[NUMBER_COMMON], ctx) &&
           BN_mod_inverse(d, number[NUMBER_E], order, ctx) != NULL &&
           BN_mod(number[NUMBER_D_MOD_P], d, p_less_1, ctx) &&
           BN_mod(number[NUMBER_D_MOD_Q], d, q_less_1, ctx) &&
           BN_mod_inverse(number[NUMBER_Q_INVERSE], number[NUMBER_Q], number[NUMBER_P], ctx) !=
               NULL;
}

/* OSSL_PARAM_BLD would do the same, but its block is not wiped when it is freed. */
static EVP_PKEY *import(OSSL_LIB_CTX *library, BIGNUM *const number[NUMBER__COUNT])
{
    static const char *const names[NUMBER_OF_KEY__COUNT] = {
        [NUMBER_N] = OSSL_PKEY_PARAM_RSA_N,
        [NUMBER_E] = OSSL_PKEY_PARAM_RSA_E,
        [NUMBER_D] = OSSL_PKEY_PARAM_RSA_D,
        [NUMBER_P] = OSSL_PKEY_PARAM_RSA_FACTOR1,
        [NUMBER_Q] = OSSL_PKEY_PARAM_RSA_FACTOR2,
        [NUMBER_D_MOD_P] = OSSL_PKEY_PARAM_RSA_EXPONENT1,
        [NUMBER_D_MOD_Q] = OSSL_PKEY_PARAM_RSA_EXPONENT2,
        [NUMBER_Q_INVERSE] = OSSL_PKEY_PARAM_RSA_COEFFICIENT1,
    };
    unsigned char bytes[NUMBER_OF_KEY__COUNT][BITS_MAX / 8];
    OSSL_PARAM params[NUMBER_OF_KEY__COUNT + 1];
    bool is_good = true;
    for (size_t i = 0; i < NUMBER_OF_KEY__COUNT; i++) {
        int size = BN_num_bytes(number[i]);
        is_good = is_good && BN_bn2nativepad(number[i], bytes[i], size) == size;
        params[i] = OSSL_PARAM_construct_BN(names[i], bytes[i], (size_t)size);
    }
    params[NUMBER_OF_KEY__COUNT] = OSSL_PARAM_construct_end();

    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *ctx = is_good ? EVP_PKEY_CTX_new_from_name(library, "RSA", NULL) : NULL;
    if (ctx == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1) {
        key = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_cleanse(bytes, sizeof bytes);
    return key;
}

EVP_PKEY *cmk_rsa_key_new(OSSL_LIB_CTX *library, uint32_t bits, CmkRandomStream *primes,
                          const atomic_bool *is_cancelled_flag)
{
    CMK_ASSERT(bits == 2048 || bits == 3072 || bits == 4096);
    CMK_ASSERT(primes != NULL);
    const int prime_bits = (int)bits / 2;
    EVP_PKEY *key = NULL;
    BIGNUM *number[NUMBER__COUNT] = {NULL};
    bool is_good = true;
    for (size_t i = 0; i < NUMBER__COUNT; i++) {
        number[i] = BN_new();
        is_good = is_good && number[i] != NULL;
    }
    Search *search = is_good ? search_new(library, primes, is_cancelled_flag) : NULL;
    if (search != NULL && find_prime(search, prime_bits, NULL, number[NUMBER_P]) &&
        find_prime(search, prime_bits, number[NUMBER_P], number[NUMBER_Q])) {
        if (BN_cmp(number[NUMBER_P], number[NUMBER_Q]) < 0) {
            BN_swap(number[NUMBER_P], number[NUMBER_Q]);
        }
        if (derive(number, search->ctx)) {
            key = import(library, number);
        }
    }
    search_free(search);
    for (size_t i = 0; i < NUMBER__COUNT; i++) {
        BN_clear_free(number[i]);
    }
    return key;
}
