/* No key bytes in memory.
 *
 * The strongest form of "gone": no writable page of this process holds the bytes, be it in a freed
 * block, a stack or a key schedule. The patterns are kept masked, so that they are not found
 * themselves, and computed in a child, so that the computation leaves no traces here. */
#define _POSIX_C_SOURCE 200809L

#include <criterion/criterion.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>

#include "models/envelope.h"
#include "models/random_stream.h"
#include "tests/unit/models/envelope_kit.h"

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
        EVP_PKEY *key = kit_key(cmk_random_source_new(), seed, 1, 2048, 1);
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

/* How often each pattern is in the writable memory of this process, beside the chunk that it is
 * read through: reading the chunk into itself would make copies of what lies before it. */
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
        const uintptr_t own = (uintptr_t)chunk;
        uintptr_t at = from;
        while (at < to) {
            if (at >= own && at < own + CHUNK_BYTES) {
                at = own + CHUNK_BYTES;
                continue;
            }
            const uintptr_t end = at < own && own < to ? own : to;
            const size_t size = end - at < CHUNK_BYTES ? end - at : CHUNK_BYTES;
            ssize_t got = pread(fileno(memory), chunk, size, (off_t)at);
            for (size_t i = 0; i < PATTERN__COUNT && got >= PATTERN_BYTES; i++) {
                ret_found[i] += count_in(chunk, (size_t)got, masked[i]);
            }
            memset(chunk, 0, CHUNK_BYTES);
            at += size == end - at ? size : size - PATTERN_BYTES + 1;
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
    CmkEnvelope *envelope = kit_envelope(options);
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
    CmkEnvelopeBackup backup = kit_backup(1, 1, 1, 100);
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
    CmkEnvelope *envelope = kit_envelope(options);
    expect(cmk_envelope_key_create(envelope, 1, 2048), OK);
    expect(cmk_envelope_dek_create(envelope, 2), OK);
    expect(cmk_envelope_wrap(envelope, 2, 1), OK);
    expect(cmk_envelope_key_purge(envelope, 1), OK);
    expect_in_memory(masked, 0, false, "made and purged");
    cmk_envelope_free(envelope);
}

Test(envelope_traces, no_key_bytes_left)
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
