#define _POSIX_C_SOURCE 200809L

#include "tests/bench/bench_envelope.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "models/envelope.h"
#include "models/random_stream.h"
#include "models/rsa_prime.h"

#define ROUNDS 7
#define WRAPS_PER_ROUND 1000
#define UNWRAPS_PER_ROUND 40
#define AES_BYTES_PER_ROUND (UINT32_C(128) << 20)
#define KEYS 9
#define OUR_KEY 1

/* Both sides of one round; everything that is not measured is ready before. */
typedef struct Bench {
    CmkEnvelope *envelope;      /* keeps all ciphertext that it can */
    CmkEnvelope *envelope_bare; /* keeps none */
    CmkRandomSource *source;
    CmkRandomStream stream;
    EVP_PKEY *key;
    EVP_CIPHER *gcm;
    EVP_CIPHER_CTX *cipher;
    EVP_PKEY_CTX *wrap;
    EVP_PKEY_CTX *unwrap;
    uint32_t next_dek;
    uint32_t next_unwrap;
    uint32_t size_bytes;
    unsigned char wrapped[512];
    size_t wrapped_bytes;
    unsigned char plain[CMK_ENVELOPE_SAMPLE_BYTES_MAX];
    unsigned char ciphertext[CMK_ENVELOPE_SAMPLE_BYTES_MAX];
} Bench;

static double cpu_seconds(void)
{
    struct timespec now;
    CMK_ASSERT(clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now) == 0);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof *values, compare);
    return values[count / 2];
}

/* ---- bare EVP -------------------------------------------------------------------------------- */

static void bare_wrap(Bench *bench)
{
    for (int i = 0; i < WRAPS_PER_ROUND; i++) {
        bench->wrapped_bytes = sizeof bench->wrapped;
        int is_good =
            EVP_PKEY_encrypt(bench->wrap, bench->wrapped, &bench->wrapped_bytes, bench->plain, 32);
        CMK_ASSERT(is_good == 1);
    }
}

static void bare_unwrap(Bench *bench)
{
    for (int i = 0; i < UNWRAPS_PER_ROUND; i++) {
        unsigned char dek[512];
        size_t size = sizeof dek;
        int is_good =
            EVP_PKEY_decrypt(bench->unwrap, dek, &size, bench->wrapped, bench->wrapped_bytes);
        CMK_ASSERT(is_good == 1 && size == 32);
    }
}

/* The same calls as ours: a key and a nonce each time, additional data, tag. */
static void bare_encrypt(Bench *bench)
{
    const uint32_t count = AES_BYTES_PER_ROUND / bench->size_bytes;
    for (uint32_t i = 0; i < count; i++) {
        unsigned char tag[16];
        unsigned char nonce[12] = {0};
        int length = 0;
        memcpy(nonce, &i, sizeof i);
        int is_good =
            EVP_EncryptInit_ex2(bench->cipher, NULL, bench->plain + i % 64, nonce, NULL) == 1 &&
            EVP_EncryptUpdate(bench->cipher, NULL, &length, nonce, 4) == 1 &&
            EVP_EncryptUpdate(bench->cipher, bench->ciphertext, &length, bench->plain,
                              (int)bench->size_bytes) == 1 &&
            EVP_EncryptFinal_ex(bench->cipher, tag, &length) == 1 &&
            EVP_CIPHER_CTX_ctrl(bench->cipher, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1;
        CMK_ASSERT(is_good);
    }
}

/* ---- the envelope ---------------------------------------------------------------------------- */

static void our_wrap(Bench *bench)
{
    for (int i = 0; i < WRAPS_PER_ROUND; i++) {
        CmkEnvelopeResult result = cmk_envelope_wrap(bench->envelope, bench->next_dek++, OUR_KEY);
        CMK_ASSERT(result == CMK_ENVELOPE_OK);
    }
}

static void our_unwrap(Bench *bench)
{
    for (int i = 0; i < UNWRAPS_PER_ROUND; i++) {
        CmkEnvelopeResult result =
            cmk_envelope_unwrap(bench->envelope, bench->next_unwrap++, OUR_KEY);
        CMK_ASSERT(result == CMK_ENVELOPE_OK);
    }
}

static void our_remembered_unwrap(Bench *bench)
{
    for (int i = 0; i < WRAPS_PER_ROUND; i++) {
        CmkEnvelopeResult result = cmk_envelope_unwrap(bench->envelope, (uint32_t)i % 32, OUR_KEY);
        CMK_ASSERT(result == CMK_ENVELOPE_OK);
    }
}

/* As a fleet does it: another data key each time, and a point that is dropped later on. */
static void encrypt_with(CmkEnvelope *envelope, uint32_t size_bytes)
{
    const uint32_t count = AES_BYTES_PER_ROUND / size_bytes;
    for (uint32_t i = 0; i < count; i++) {
        CmkEnvelopeBackup backup = {.point_id = i,
                                    .dek_id = i % 32,
                                    .version_id = OUR_KEY,
                                    .sample_id = i,
                                    .size_bytes = size_bytes};
        CmkEnvelopeResult result = cmk_envelope_backup(envelope, &backup);
        CMK_ASSERT(result == CMK_ENVELOPE_OK);
    }
}

static void our_encrypt(Bench *bench)
{
    encrypt_with(bench->envelope_bare, bench->size_bytes);
}

static void our_encrypt_and_keep(Bench *bench)
{
    encrypt_with(bench->envelope, bench->size_bytes);
}

static void drop_points(Bench *bench)
{
    CmkEnvelope *const envelopes[2] = {bench->envelope, bench->envelope_bare};
    for (size_t i = 0; i < CMK_ARRAY_LEN(envelopes); i++) {
        uint32_t point_id = 0;
        while (cmk_envelope_point_drop(envelopes[i], point_id) == CMK_ENVELOPE_OK) {
            point_id++;
        }
    }
}

/* ---- the table ------------------------------------------------------------------------------- */

typedef struct Row {
    const char *name;
    void (*ours)(Bench *bench);
    void (*bare)(Bench *bench); /* NULL: nothing to compare with */
    uint32_t size_bytes;        /* 0: no samples */
    uint32_t count;
} Row;

static const Row rows[] = {
    {"wrap RSA-2048", our_wrap, bare_wrap, 0, WRAPS_PER_ROUND},
    {"unwrap RSA-2048", our_unwrap, bare_unwrap, 0, UNWRAPS_PER_ROUND},
    {"unwrap, remembered", our_remembered_unwrap, NULL, 0, WRAPS_PER_ROUND},
    {"backup 4 KiB, none kept", our_encrypt, bare_encrypt, 4096, AES_BYTES_PER_ROUND / 4096},
    {"backup 4 KiB, kept", our_encrypt_and_keep, bare_encrypt, 4096, AES_BYTES_PER_ROUND / 4096},
    {"backup 64 KiB, none kept", our_encrypt, bare_encrypt, 65536, AES_BYTES_PER_ROUND / 65536},
    {"backup 64 KiB, kept", our_encrypt_and_keep, bare_encrypt, 65536, AES_BYTES_PER_ROUND / 65536},
};

static double time_one(void (*run)(Bench *bench), Bench *bench, uint32_t count)
{
    const double start = cpu_seconds();
    run(bench);
    return (cpu_seconds() - start) * 1e6 / count;
}

static void print_row(FILE *out, Bench *bench, const Row *row)
{
    double ours[ROUNDS];
    double bare[ROUNDS] = {0};
    double ratio[ROUNDS] = {0};
    bench->size_bytes = row->size_bytes;
    for (int i = -1; i < ROUNDS; i++) { /* the first one warms up */
        double bare_us = row->bare == NULL ? 0 : time_one(row->bare, bench, row->count);
        double ours_us = time_one(row->ours, bench, row->count);
        if (row->size_bytes > 0) {
            drop_points(bench);
        }
        if (i >= 0) {
            ours[i] = ours_us;
            bare[i] = bare_us;
            ratio[i] = row->bare == NULL ? 0 : ours_us / bare_us;
        }
    }
    if (row->bare == NULL) {
        (void)fprintf(out, "| %s | %.3f us | | |\n", row->name, median(ours, ROUNDS));
        return;
    }
    (void)fprintf(out, "| %s | %.2f us | %.2f us | %.2f |\n", row->name, median(ours, ROUNDS),
                  median(bare, ROUNDS), median(ratio, ROUNDS));
}

static void print_keys(FILE *out, Bench *bench)
{
    double milliseconds[KEYS];
    for (size_t i = 0; i < KEYS; i++) {
        CmkRandomStream primes;
        cmk_random_stream_init(&primes, 99, CMK_RANDOM_TEST, i, 2048);
        const double start = cpu_seconds();
        EVP_PKEY *key =
            cmk_rsa_key_new(cmk_random_source_library(bench->source), 2048, &primes, NULL);
        milliseconds[i] = (cpu_seconds() - start) * 1e3;
        CMK_ASSERT(key != NULL);
        EVP_PKEY_free(key);
    }
    (void)fprintf(out, "| %s | %.1f ms | | |\n", "make an RSA-2048 key",
                  median(milliseconds, KEYS));
}

static EVP_PKEY_CTX *new_oaep(Bench *bench, int (*init)(EVP_PKEY_CTX *ctx))
{
    EVP_PKEY_CTX *ctx =
        EVP_PKEY_CTX_new_from_pkey(cmk_random_source_library(bench->source), bench->key, NULL);
    CMK_ASSERT(ctx != NULL);
    int is_good = init(ctx) == 1 &&
                  EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
                  EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 &&
                  EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) == 1;
    CMK_ASSERT(is_good);
    return ctx;
}

static CmkEnvelope *new_envelope(uint64_t memory_bytes, uint32_t deks, uint32_t wrapped)
{
    CmkEnvelopeOptions options = cmk_envelope_options(1);
    options.key_maker = CMK_KEY_MAKER_CALLER;
    options.memory_bytes = memory_bytes;
    CmkEnvelope *envelope = cmk_envelope_new(&options, NULL);
    CMK_ASSERT(envelope != NULL);
    CmkEnvelopeResult result = cmk_envelope_key_create(envelope, OUR_KEY, 2048);
    for (uint32_t i = 0; i < deks && result == CMK_ENVELOPE_OK; i++) {
        result = cmk_envelope_dek_create(envelope, i);
        if (result == CMK_ENVELOPE_OK && i < wrapped) {
            result = cmk_envelope_wrap(envelope, i, OUR_KEY);
        }
        if (result == CMK_ENVELOPE_OK && i < 32) {
            result = cmk_envelope_unwrap(envelope, i, OUR_KEY);
        }
    }
    CMK_ASSERT(result == CMK_ENVELOPE_OK);
    return envelope;
}

void bench_envelope(FILE *out)
{
    Bench *bench = calloc(1, sizeof *bench);
    CMK_ASSERT(bench != NULL);
    const uint32_t wraps = 32 + WRAPS_PER_ROUND * (ROUNDS + 1);
    bench->envelope = new_envelope(CMK_ENVELOPE_MEMORY_BYTES, wraps, 32);
    bench->envelope_bare = new_envelope(0, 32, 32);
    bench->next_dek = 32;
    bench->next_unwrap = 32;
    bench->source = cmk_random_source_new();
    CMK_ASSERT(bench->source != NULL);
    cmk_random_stream_init(&bench->stream, 1, CMK_RANDOM_TEST, 0, 0);
    bool is_selected = cmk_random_source_select(bench->source, &bench->stream);
    CMK_ASSERT(is_selected);
    CmkRandomStream primes;
    cmk_random_stream_init(&primes, 1, CMK_RANDOM_KEY_PRIMES, OUR_KEY, 2048);
    OSSL_LIB_CTX *library = cmk_random_source_library(bench->source);
    bench->key = cmk_rsa_key_new(library, 2048, &primes, NULL);
    bench->gcm = EVP_CIPHER_fetch(library, "AES-256-GCM", NULL);
    bench->cipher = EVP_CIPHER_CTX_new();
    CMK_ASSERT(bench->key != NULL && bench->gcm != NULL && bench->cipher != NULL);
    int is_good = EVP_EncryptInit_ex2(bench->cipher, bench->gcm, NULL, NULL, NULL);
    CMK_ASSERT(is_good == 1);
    bench->wrap = new_oaep(bench, EVP_PKEY_encrypt_init);
    bench->unwrap = new_oaep(bench, EVP_PKEY_decrypt_init);
    cmk_random_stream_read(&bench->stream, bench->plain, sizeof bench->plain);

    (void)fprintf(out, "| envelope, CPU per call | ours | bare EVP | ratio |\n"
                       "| --- | --- | --- | --- |\n");
    for (size_t i = 0; i < CMK_ARRAY_LEN(rows); i++) {
        print_row(out, bench, &rows[i]);
    }
    print_keys(out, bench);

    EVP_PKEY_CTX_free(bench->wrap);
    EVP_PKEY_CTX_free(bench->unwrap);
    EVP_CIPHER_CTX_free(bench->cipher);
    EVP_CIPHER_free(bench->gcm);
    EVP_PKEY_free(bench->key);
    cmk_random_source_free(bench->source);
    cmk_envelope_free(bench->envelope_bare);
    cmk_envelope_free(bench->envelope);
    free(bench);
}
