#include "sim/hash.h"

#include <inttypes.h>
#include <stdio.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

CmkDigest cmk_digest_fold(CmkDigest digest, const void *data, size_t size_bytes)
{
    XXH128_hash_t hash = XXH3_128bits_withSeed(data, size_bytes, digest.low);
    /* The seed carries one half of the chain; the other half enters by an odd multiplier. */
    return (CmkDigest){.low = hash.low64 + digest.high * UINT64_C(0x9e3779b97f4a7c15),
                       .high = hash.high64 ^ digest.low};
}

bool cmk_digest_equal(CmkDigest a, CmkDigest b)
{
    return a.low == b.low && a.high == b.high;
}

void cmk_digest_format(CmkDigest digest, char ret_text[CMK_DIGEST_TEXT_SIZE])
{
    (void)snprintf(ret_text, CMK_DIGEST_TEXT_SIZE, "%016" PRIx64 "%016" PRIx64, digest.high,
                   digest.low);
}
