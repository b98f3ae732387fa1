#include "models/envelope_result.h"

const char *cmk_envelope_result_text(CmkEnvelopeResult result)
{
    static const char *const texts[CMK_ENVELOPE_RESULT__COUNT] = {
        [CMK_ENVELOPE_OK] = "ok",
        [CMK_ENVELOPE_UNKNOWN] = "unknown id",
        [CMK_ENVELOPE_KEY_GONE] = "key gone",
        [CMK_ENVELOPE_NOT_WRAPPED] = "not wrapped by this key version",
        [CMK_ENVELOPE_NOT_OPEN] = "data key not open",
        [CMK_ENVELOPE_AUTH_FAILED] = "authentication failed",
        [CMK_ENVELOPE_MISMATCH] = "decrypted to something else",
        [CMK_ENVELOPE_LIBRARY_ERROR] = "library error",
    };
    CMK_ASSERT((unsigned)result < CMK_ENVELOPE_RESULT__COUNT);
    CMK_ASSERT(texts[result] != NULL);
    return texts[result];
}
