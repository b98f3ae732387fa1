/*
 * Samples of backup data. A sample is no secret: it must differ from others, look random, and cost
 * little. What it says follows from the seed and its id, so it can be made again.
 *
 * Must not know: keys, points.
 */
#ifndef CMK_MODELS_SAMPLE_H
#define CMK_MODELS_SAMPLE_H

#include "models/crypto.h"

/* Samples are made block by block from one template. */
#define CMK_SAMPLE_BLOCK_BYTES 4096
#define CMK_SAMPLE_BLOCK_WORDS (CMK_SAMPLE_BLOCK_BYTES / 8)

/* The maker, and room for the sample that it made last. */
typedef struct CmkSampleMaker {
    uint64_t template_words[CMK_SAMPLE_BLOCK_WORDS];
    uint64_t salt;
    uint64_t *words; /* owned */
    size_t size_bytes;
} CmkSampleMaker;

void cmk_sample_maker_init(CmkSampleMaker *maker, const CmkCrypto *crypto);

/* Accepts what is all 0. */
void cmk_sample_maker_clear(CmkSampleMaker *maker);

/* Room for a sample of this size; it only grows. False when memory is out. */
bool cmk_sample_maker_reserve(CmkSampleMaker *maker, size_t size_bytes);

/* The sample, for which there is room; valid until the next call. O(size). */
const unsigned char *cmk_sample_make(CmkSampleMaker *maker, uint64_t sample_id, size_t size_bytes);

#endif
