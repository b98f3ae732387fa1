/* The envelope against a naive model of it: random calls, with memory for all ciphertext, for some,
 * and for none. */
#include <criterion/criterion.h>

#include "models/envelope.h"
#include "models/random_stream.h"
#include "tests/unit/models/envelope_kit.h"

#define VERSIONS 12
#define DEKS 20
#define POINTS 60
#define KEEP_WRAPS 16 /* the last kind of step */

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

static void naive_keep(Naive *naive, uint32_t dek, uint32_t version, uint32_t other)
{
    for (uint32_t i = 0; i < VERSIONS; i++) {
        naive->is_wrapped[dek][i] = naive->is_wrapped[dek][i] && (i == version || i == other);
        naive->is_open[dek][i] = naive->is_open[dek][i] && (i == version || i == other);
    }
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
    } else if (step->kind == KEEP_WRAPS) {
        cmk_envelope_keep_wraps(envelope, dek_id, version_id, spread(step->other));
        naive_keep(naive, step->dek, step->version, step->other);
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
            kit_backup(point_id, spread(step->dek), spread(step->version), step->size);
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

Test(envelope_naive, random_calls)
{
    static const uint64_t memories[] = {0, 16, 10000, 65536, 100000, 1 << 20};
    for (uint64_t round = 0; round < 60; round++) {
        Naive naive = {0};
        CmkRandomStream stream;
        CmkEnvelopeOptions options = kit_quick_options(round);
        options.memory_bytes = memories[round % CMK_ARRAY_LEN(memories)];
        CmkEnvelope *envelope = kit_envelope(options);
        cmk_random_stream_init(&stream, round, CMK_RANDOM_TEST, 9, 9);
        for (size_t i = 0; i < 1000; i++) {
            uint32_t drawn[6];
            cmk_random_stream_read(&stream, drawn, sizeof drawn);
            Step step = {.kind = drawn[0] % (KEEP_WRAPS + 1),
                         .dek = drawn[1] % DEKS,
                         .version = drawn[2] % VERSIONS,
                         .other = drawn[3] % VERSIONS,
                         .point = drawn[4] % POINTS,
                         .size = 1 + drawn[5] % (drawn[5] % 8 == 0 ? 20000 : 3000)};
            if (step.kind < 7 || step.kind == KEEP_WRAPS) {
                try_keys(envelope, &naive, &step);
            } else {
                try_points(envelope, &naive, &step);
            }
        }
        cmk_envelope_free(envelope);
    }
}
