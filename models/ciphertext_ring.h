/*
 * Ciphertext of the latest points, as much as a budget of memory allows: a ring in which the oldest
 * makes way for the newest. Each ciphertext lies in one piece; its owner is a row of the caller's.
 *
 * Must not know: points, keys, what the bytes are.
 */
#ifndef CMK_MODELS_CIPHERTEXT_RING_H
#define CMK_MODELS_CIPHERTEXT_RING_H

#include "sim/base.h"

#define CMK_CIPHERTEXT_RING_BYTES_MAX (UINT64_C(32) * 1024 * 1024 * 1024)
#define CMK_CIPHERTEXT_RING_NONE UINT32_MAX /* nobody, no place */

/* Used bytes run from tail to head, round the end. */
typedef struct CmkCiphertextRing {
    unsigned char *bytes; /* owned */
    size_t capacity;
    size_t head;
    size_t tail;
    size_t used;
} CmkCiphertextRing;

/* At most `memory_bytes`; with 0 it keeps nothing. False when memory is out. */
bool cmk_ciphertext_ring_init(CmkCiphertextRing *ring, uint64_t memory_bytes);

/* Accepts what is all 0. */
void cmk_ciphertext_ring_clear(CmkCiphertextRing *ring);

/* Whether so many bytes fit, once enough has made way. */
bool cmk_ciphertext_ring_can_hold(const CmkCiphertextRing *ring, size_t size_bytes);

/* Room for so many bytes, which it can hold. False while the oldest is in the way. */
bool cmk_ciphertext_ring_take(CmkCiphertextRing *ring, uint32_t owner, size_t size_bytes,
                              uint32_t *ret_place);

/* Lets the oldest ciphertext go; whose it was, or CMK_CIPHERTEXT_RING_NONE when it was disowned. */
uint32_t cmk_ciphertext_ring_let_oldest_go(CmkCiphertextRing *ring);

/* What is at the place; valid as long as its owner has it. */
unsigned char *cmk_ciphertext_ring_bytes(const CmkCiphertextRing *ring, uint32_t place);

/* The ciphertext belongs to nobody from now on; its room is free when its turn to go comes. */
void cmk_ciphertext_ring_disown(CmkCiphertextRing *ring, uint32_t place);

#endif
