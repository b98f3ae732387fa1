/*
 * How a call to the envelope, or to what it is made of, ended: one list for all of it, so that a
 * result goes up unchanged from where it was found out.
 *
 * Must not know: OpenSSL, keys, points.
 */
#ifndef CMK_MODELS_ENVELOPE_RESULT_H
#define CMK_MODELS_ENVELOPE_RESULT_H

#include "sim/base.h"

#define CMK_ENVELOPE_ERROR_SIZE 512

/* Everything but OK leaves no trace except in cmk_envelope_error(). */
typedef enum CmkEnvelopeResult {
    CMK_ENVELOPE_OK,
    CMK_ENVELOPE_UNKNOWN,       /* no such key version, data key or recovery point */
    CMK_ENVELOPE_KEY_GONE,      /* the key version was purged, or it was the last way in */
    CMK_ENVELOPE_NOT_WRAPPED,   /* the data key is not wrapped by this key version */
    CMK_ENVELOPE_NOT_OPEN,      /* to wrap a data key once more it must be unwrapped first */
    CMK_ENVELOPE_AUTH_FAILED,   /* ciphertext, tag or wrapped blob are not what was written */
    CMK_ENVELOPE_MISMATCH,      /* decryption worked and gave something else */
    CMK_ENVELOPE_LIBRARY_ERROR, /* OpenSSL or memory; cmk_envelope_error() says what */
    CMK_ENVELOPE_RESULT__COUNT
} CmkEnvelopeResult;

/* A short text such as "key gone", never NULL. */
const char *cmk_envelope_result_text(CmkEnvelopeResult result);

#endif
