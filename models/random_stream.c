#define _POSIX_C_SOURCE 200809L

#include "models/random_stream.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include <openssl/core_dispatch.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/provider.h>
#include <openssl/rand.h>

#define GENERATOR_NAME "CMK-STREAM"
#define PROVIDER_NAME "cmkstream"
#define GENERATOR_STRENGTH_BITS 256

/* ---- streams --------------------------------------------------------------------------------- */

#define CHACHA_DOUBLE_ROUNDS 10

static inline uint32_t rotate_left(uint32_t value, unsigned bits)
{
    return (value << bits) | (value >> (32 - bits));
}

static inline void quarter_round(uint32_t x[16], size_t a, size_t b, size_t c, size_t d)
{
    x[a] += x[b];
    x[d] = rotate_left(x[d] ^ x[a], 16);
    x[c] += x[d];
    x[b] = rotate_left(x[b] ^ x[c], 12);
    x[a] += x[b];
    x[d] = rotate_left(x[d] ^ x[a], 8);
    x[c] += x[d];
    x[b] = rotate_left(x[b] ^ x[c], 7);
}

/* One block of ChaCha20 (RFC 8439, 2.3) and the block number moved on. */
static void next_block(CmkRandomStream *stream)
{
    uint32_t x[16];
    memcpy(x, stream->input, sizeof x);
    for (int i = 0; i < CHACHA_DOUBLE_ROUNDS; i++) {
        quarter_round(x, 0, 4, 8, 12);
        quarter_round(x, 1, 5, 9, 13);
        quarter_round(x, 2, 6, 10, 14);
        quarter_round(x, 3, 7, 11, 15);
        quarter_round(x, 0, 5, 10, 15);
        quarter_round(x, 1, 6, 11, 12);
        quarter_round(x, 2, 7, 8, 13);
        quarter_round(x, 3, 4, 9, 14);
    }
    for (size_t i = 0; i < CMK_ARRAY_LEN(x); i++) {
        x[i] += stream->input[i];
    }
    memcpy(stream->block, x, sizeof x);
    OPENSSL_cleanse(x, sizeof x);
    stream->block_used = 0;
    stream->input[12]++;
    if (stream->input[12] == 0) {
        stream->input[13]++;
    }
}

void cmk_random_stream_init(CmkRandomStream *stream, uint64_t seed, CmkRandomDomain domain,
                            uint64_t entity, uint64_t operation)
{
    CMK_ASSERT(stream != NULL);
    CMK_ASSERT((unsigned)domain < CMK_RANDOM__COUNT);
    static const uint32_t constants[4] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574};
    uint64_t key[4] = {seed, (uint64_t)domain, entity, operation};
    *stream = (CmkRandomStream){.block_used = sizeof stream->block};
    memcpy(stream->input, constants, sizeof constants);
    memcpy(stream->input + CMK_ARRAY_LEN(constants), key, sizeof key);
}

void cmk_random_stream_read(CmkRandomStream *stream, void *ret_bytes, size_t size_bytes)
{
    CMK_ASSERT(stream != NULL);
    CMK_ASSERT(ret_bytes != NULL || size_bytes == 0);
    unsigned char *to = ret_bytes;
    while (size_bytes > 0) {
        if (stream->block_used == sizeof stream->block) {
            next_block(stream);
        }
        size_t part = sizeof stream->block - stream->block_used;
        if (part > size_bytes) {
            part = size_bytes;
        }
        memcpy(to, stream->block + stream->block_used, part);
        stream->block_used += (uint32_t)part;
        to += part;
        size_bytes -= part;
    }
}

void cmk_random_stream_clear(CmkRandomStream *stream)
{
    CMK_ASSERT(stream != NULL);
    OPENSSL_cleanse(stream, sizeof *stream);
    /* A cleared stream is an all-zero key: reading from it would look random. */
    stream->block_used = sizeof stream->block;
}

/* ---- the provider ---------------------------------------------------------------------------- */

/* Belongs to the provider: each thread's selected stream, under a key instead of in a global. */
typedef struct Selection {
    pthread_key_t key;
} Selection;

/* One EVP_RAND instance. OpenSSL makes a public and a private one per thread and one more as their
 * parent; all of them read the calling thread's selected stream. */
typedef struct Generator {
    const Selection *selection;
    int state;
} Generator;

static void *generator_new(void *provider, void *parent, const OSSL_DISPATCH *parent_calls)
{
    (void)parent;
    (void)parent_calls;
    Generator *generator = OPENSSL_zalloc(sizeof *generator);
    if (generator != NULL) {
        generator->selection = provider;
        generator->state = EVP_RAND_STATE_UNINITIALISED;
    }
    return generator;
}

static void generator_free(void *instance)
{
    OPENSSL_free(instance);
}

static int generator_instantiate(void *instance, unsigned strength, int prediction_resistance,
                                 const unsigned char *text, size_t text_size,
                                 const OSSL_PARAM *params)
{
    (void)strength;
    (void)prediction_resistance;
    (void)text;
    (void)text_size;
    (void)params;
    ((Generator *)instance)->state = EVP_RAND_STATE_READY;
    return 1;
}

static int generator_uninstantiate(void *instance)
{
    ((Generator *)instance)->state = EVP_RAND_STATE_UNINITIALISED;
    return 1;
}

/* OpenSSL decides what its parameters are. NOLINTNEXTLINE(readability-function-size) */
static int generator_generate(void *instance, unsigned char *ret_bytes, size_t size_bytes,
                              unsigned strength, int prediction_resistance,
                              const unsigned char *added, size_t added_size)
{
    (void)strength;
    (void)prediction_resistance;
    (void)added;
    (void)added_size;
    CmkRandomStream *stream = pthread_getspecific(((const Generator *)instance)->selection->key);
    if (stream == NULL) {
        return 0;
    }
    cmk_random_stream_read(stream, ret_bytes, size_bytes);
    return 1;
}

/* Streams are separate by construction: entropy from elsewhere is neither wanted nor used. */
static int generator_reseed(void *instance, int prediction_resistance, const unsigned char *entropy,
                            size_t entropy_size, const unsigned char *added, size_t added_size)
{
    (void)instance;
    (void)prediction_resistance;
    (void)entropy;
    (void)entropy_size;
    (void)added;
    (void)added_size;
    return 1;
}

/* Nothing is shared between threads, but OpenSSL insists on locks for the parent instance. */
static int generator_lock(void *instance)
{
    (void)instance;
    return 1;
}

static void generator_unlock(void *instance)
{
    (void)instance;
}

static int generator_get_params(void *instance, OSSL_PARAM params[])
{
    OSSL_PARAM *state = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STATE);
    OSSL_PARAM *strength = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_STRENGTH);
    OSSL_PARAM *request_max = OSSL_PARAM_locate(params, OSSL_RAND_PARAM_MAX_REQUEST);
    if (state != NULL && !OSSL_PARAM_set_int(state, ((const Generator *)instance)->state)) {
        return 0;
    }
    if (strength != NULL && !OSSL_PARAM_set_uint(strength, GENERATOR_STRENGTH_BITS)) {
        return 0;
    }
    return request_max == NULL || OSSL_PARAM_set_size_t(request_max, INT_MAX);
}

static const OSSL_PARAM *generator_gettable_params(void *instance, void *provider)
{
    (void)instance;
    (void)provider;
    static const OSSL_PARAM gettable[] = {
        OSSL_PARAM_int(OSSL_RAND_PARAM_STATE, NULL),
        OSSL_PARAM_uint(OSSL_RAND_PARAM_STRENGTH, NULL),
        OSSL_PARAM_size_t(OSSL_RAND_PARAM_MAX_REQUEST, NULL),
        OSSL_PARAM_END,
    };
    return gettable;
}

typedef void (*AnyFunction)(void);

static const OSSL_DISPATCH generator_functions[] = {
    {OSSL_FUNC_RAND_NEWCTX, (AnyFunction)generator_new},
    {OSSL_FUNC_RAND_FREECTX, (AnyFunction)generator_free},
    {OSSL_FUNC_RAND_INSTANTIATE, (AnyFunction)generator_instantiate},
    {OSSL_FUNC_RAND_UNINSTANTIATE, (AnyFunction)generator_uninstantiate},
    {OSSL_FUNC_RAND_GENERATE, (AnyFunction)generator_generate},
    {OSSL_FUNC_RAND_RESEED, (AnyFunction)generator_reseed},
    {OSSL_FUNC_RAND_ENABLE_LOCKING, (AnyFunction)generator_lock},
    {OSSL_FUNC_RAND_LOCK, (AnyFunction)generator_lock},
    {OSSL_FUNC_RAND_UNLOCK, (AnyFunction)generator_unlock},
    {OSSL_FUNC_RAND_GET_CTX_PARAMS, (AnyFunction)generator_get_params},
    {OSSL_FUNC_RAND_GETTABLE_CTX_PARAMS, (AnyFunction)generator_gettable_params},
    {0, NULL},
};

static const OSSL_ALGORITHM *provider_query(void *provider, int operation, int *ret_no_cache)
{
    (void)provider;
    static const OSSL_ALGORITHM generators[] = {
        {GENERATOR_NAME, "provider=" PROVIDER_NAME, generator_functions, NULL},
        {NULL, NULL, NULL, NULL},
    };
    *ret_no_cache = 0;
    return operation == OSSL_OP_RAND ? generators : NULL;
}

static void provider_teardown(void *provider)
{
    Selection *selection = provider;
    (void)pthread_key_delete(selection->key);
    OPENSSL_free(selection);
}

static int provider_init(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *core_functions,
                         const OSSL_DISPATCH **ret_functions, void **ret_provider)
{
    (void)core;
    (void)core_functions;
    static const OSSL_DISPATCH functions[] = {
        {OSSL_FUNC_PROVIDER_QUERY_OPERATION, (AnyFunction)provider_query},
        {OSSL_FUNC_PROVIDER_TEARDOWN, (AnyFunction)provider_teardown},
        {0, NULL},
    };
    Selection *selection = OPENSSL_zalloc(sizeof *selection);
    if (selection == NULL) {
        return 0;
    }
    if (pthread_key_create(&selection->key, NULL) != 0) {
        OPENSSL_free(selection);
        return 0;
    }
    *ret_functions = functions;
    *ret_provider = selection;
    return 1;
}

/* ---- the source ------------------------------------------------------------------------------ */

struct CmkRandomSource {
    OSSL_LIB_CTX *library;
    OSSL_PROVIDER *algorithms;
    OSSL_PROVIDER *streams;
    const Selection *selection; /* owned by the provider */
};

CmkRandomSource *cmk_random_source_new(void)
{
    CmkRandomSource *source = OPENSSL_zalloc(sizeof *source);
    if (source == NULL) {
        return NULL;
    }
    source->library = OSSL_LIB_CTX_new();
    if (source->library != NULL &&
        OSSL_PROVIDER_add_builtin(source->library, PROVIDER_NAME, provider_init) == 1) {
        source->algorithms = OSSL_PROVIDER_load(source->library, "default");
        source->streams = OSSL_PROVIDER_load(source->library, PROVIDER_NAME);
    }
    /* The kind of generator can be chosen only before the first draw. */
    if (source->algorithms == NULL || source->streams == NULL ||
        RAND_set_DRBG_type(source->library, GENERATOR_NAME, NULL, NULL, NULL) != 1) {
        cmk_random_source_free(source);
        return NULL;
    }
    source->selection = OSSL_PROVIDER_get0_provider_ctx(source->streams);
    CMK_ASSERT(source->selection != NULL);
    return source;
}

void cmk_random_source_free(CmkRandomSource *source)
{
    if (source == NULL) {
        return;
    }
    if (source->library != NULL) {
        cmk_random_source_leave_thread(source);
    }
    if (source->streams != NULL) {
        (void)OSSL_PROVIDER_unload(source->streams);
    }
    if (source->algorithms != NULL) {
        (void)OSSL_PROVIDER_unload(source->algorithms);
    }
    OSSL_LIB_CTX_free(source->library);
    OPENSSL_free(source);
}

OSSL_LIB_CTX *cmk_random_source_library(const CmkRandomSource *source)
{
    CMK_ASSERT(source != NULL);
    return source->library;
}

bool cmk_random_source_select(CmkRandomSource *source, CmkRandomStream *stream)
{
    CMK_ASSERT(source != NULL);
    return pthread_setspecific(source->selection->key, stream) == 0;
}

void cmk_random_source_leave_thread(CmkRandomSource *source)
{
    CMK_ASSERT(source != NULL);
    OPENSSL_thread_stop_ex(source->library);
}
