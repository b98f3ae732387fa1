/* The envelope when OpenSSL is out of memory. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "models/envelope.h"
#include "tests/unit/models/envelope_kit.h"

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

/* OpenSSL 3.0 loses parts of a library context that it could not complete, and names in a complete
 * one that it could not look up. */
static CmkEnvelope *new_unwatched(CmkEnvelopeOptions options, char error[CMK_ENVELOPE_ERROR_SIZE])
{
    if (__lsan_disable != NULL) {
        __lsan_disable();
    }
    CmkEnvelope *envelope = cmk_envelope_new(&options, error);
    if (__lsan_enable != NULL) {
        __lsan_enable();
    }
    return envelope;
}

/* Every step once. OpenSSL may do without some things, but whatever stops a step must be said. */
static bool tell_short_of_memory(CmkEnvelope *envelope, uint32_t id)
{
    CmkEnvelopeBackup backup = kit_backup(id, id, id, 5000);
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

Test(envelope_memory, every_allocation_fails_once)
{
    cr_assert(has_allocator);
    for (uint32_t is_rsa = 0; is_rsa < 2; is_rsa++) {
        CmkEnvelopeOptions options = kit_quick_options(6);
        options.key_maker = CMK_KEY_MAKER_CALLER;
        options.memory_bytes = 0;
        options.sample_first = is_rsa;
        bool is_through = false;
        size_t failures = 0;
        /* With RSA most belong to the search for primes: ever fewer of them will do. */
        for (long n = 0; n < 100000 && !is_through; n += is_rsa ? 1 + n / 16 : 1) {
            char error[CMK_ENVELOPE_ERROR_SIZE] = "";
            CmkEnvelope *envelope = new_unwatched(options, error);
            cr_assert_not_null(envelope, "%s", error);
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
        allocations_left = n;
        CmkEnvelope *envelope = new_unwatched(kit_quick_options(6), error);
        is_through = allocations_left >= 0;
        allocations_left = -1;
        cr_expect((envelope == NULL) == (strncmp(error, "library error: ", 15) == 0));
        failures += envelope == NULL;
        cmk_envelope_free(envelope);
    }
    cr_expect(is_through && failures > 20, "%zu failures", failures);
}
