/*
 * What the tests of the cryptography share: envelopes, backups, time, and keys made again from
 * public knowledge, the seed.
 */
#ifndef CMK_TESTS_UNIT_MODELS_ENVELOPE_KIT_H
#define CMK_TESTS_UNIT_MODELS_ENVELOPE_KIT_H

#include <criterion/criterion.h>

#include <openssl/types.h>

#include "models/envelope.h"
#include "models/random_stream.h"

#define OK CMK_ENVELOPE_OK

#define expect(call, wanted)                                                                       \
    do {                                                                                           \
        CmkEnvelopeResult got_ = (call);                                                           \
        cr_assert(got_ == (wanted), "%s: %s, expected %s", #call, cmk_envelope_result_text(got_),  \
                  cmk_envelope_result_text(wanted));                                               \
    } while (0)

CmkEnvelope *kit_envelope(CmkEnvelopeOptions options);

/* No RSA at all: for tests of the rest. */
CmkEnvelopeOptions kit_quick_options(uint64_t seed);

CmkEnvelopeBackup kit_backup(uint32_t point_id, uint32_t dek_id, uint32_t version_id,
                             uint32_t size_bytes);

/* The key of the envelope for a version, made again; `witness_id` must not matter. */
EVP_PKEY *kit_key(CmkRandomSource *source, uint64_t seed, uint32_t version_id, uint32_t bits,
                  uint64_t witness_id);

void kit_hex(const unsigned char *bytes, size_t size, char *ret_text);

void kit_pause_ms(long milliseconds);

/* By a clock that only goes forward. */
double kit_seconds(void);

#endif
