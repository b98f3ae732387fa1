#include "models/sample.h"

#include <openssl/crypto.h>

#define BLOCK_BYTES CMK_SAMPLE_BLOCK_BYTES
#define BLOCK_WORDS CMK_SAMPLE_BLOCK_WORDS
#define BLOCK_LANES 4

void cmk_sample_maker_init(CmkSampleMaker *maker, const CmkCrypto *crypto)
{
    *maker = (CmkSampleMaker){0};
    cmk_crypto_draw(crypto, CMK_RANDOM_SAMPLE, 0, maker->template_words,
                    sizeof maker->template_words);
    cmk_crypto_draw(crypto, CMK_RANDOM_SAMPLE, 1, &maker->salt, sizeof maker->salt);
}

void cmk_sample_maker_clear(CmkSampleMaker *maker)
{
    OPENSSL_free(maker->words);
    *maker = (CmkSampleMaker){0};
}

bool cmk_sample_maker_reserve(CmkSampleMaker *maker, size_t size_bytes)
{
    if (size_bytes <= maker->size_bytes) {
        return true;
    }
    const size_t whole = (size_bytes + BLOCK_BYTES - 1) / BLOCK_BYTES * BLOCK_BYTES;
    OPENSSL_free(maker->words);
    maker->words = OPENSSL_malloc(whole);
    maker->size_bytes = maker->words == NULL ? 0 : whole;
    return maker->words != NULL;
}

/* Each block is the template with words of its own mixed in. */
const unsigned char *cmk_sample_make(CmkSampleMaker *maker, uint64_t sample_id, size_t size_bytes)
{
    CMK_ASSERT(size_bytes <= maker->size_bytes);
    const uint64_t *restrict from = maker->template_words;
    uint64_t state = cmk_crypto_mix(sample_id ^ maker->salt);
    for (size_t block = 0; block * BLOCK_BYTES < size_bytes; block++) {
        uint64_t *restrict to = maker->words + block * BLOCK_WORDS;
        uint64_t lane[BLOCK_LANES] = {0};
        for (size_t i = 0; i < BLOCK_LANES; i++) {
            state += UINT64_C(0x9e3779b97f4a7c15);
            lane[i] = cmk_crypto_mix(state);
        }
        for (size_t i = 0; i < BLOCK_WORDS; i += BLOCK_LANES) {
            to[i] = from[i] ^ lane[0];
            to[i + 1] = from[i + 1] ^ lane[1];
            to[i + 2] = from[i + 2] ^ lane[2];
            to[i + 3] = from[i + 3] ^ lane[3];
        }
    }
    return (const unsigned char *)maker->words;
}
