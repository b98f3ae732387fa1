#define _POSIX_C_SOURCE 200809L

#include "tests/unit/models/envelope_kit.h"

#include <stdio.h>
#include <time.h>

#include "models/rsa_prime.h"

CmkEnvelope *kit_envelope(CmkEnvelopeOptions options)
{
    char error[CMK_ENVELOPE_ERROR_SIZE] = "";
    CmkEnvelope *envelope = cmk_envelope_new(&options, error);
    cr_assert_not_null(envelope, "%s", error);
    return envelope;
}

CmkEnvelopeOptions kit_quick_options(uint64_t seed)
{
    CmkEnvelopeOptions options = cmk_envelope_options(seed);
    options.mode = CMK_CRYPTO_SAMPLE;
    options.sample_first = 0;
    options.sample_every = 0;
    return options;
}

CmkEnvelopeBackup kit_backup(uint32_t point_id, uint32_t dek_id, uint32_t version_id,
                             uint32_t size_bytes)
{
    return (CmkEnvelopeBackup){.point_id = point_id,
                               .dek_id = dek_id,
                               .version_id = version_id,
                               .size_bytes = size_bytes,
                               .sample_id = point_id * UINT64_C(1000003)};
}

EVP_PKEY *kit_key(CmkRandomSource *source, uint64_t seed, uint32_t version_id, uint32_t bits,
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

void kit_hex(const unsigned char *bytes, size_t size, char *ret_text)
{
    for (size_t i = 0; i < size; i++) {
        (void)snprintf(ret_text + 2 * i, 3, "%02x", bytes[i]);
    }
}

void kit_pause_ms(long milliseconds)
{
    (void)nanosleep(
        &(struct timespec){.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000},
        NULL);
}

double kit_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}
