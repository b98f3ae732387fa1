#include "models/ciphertext_ring.h"

#include <string.h>

#include <openssl/crypto.h>

/* Places are counted in these units, so that 32 bits reach far enough. */
#define UNIT_BYTES ((size_t)16)
#define NONE CMK_CIPHERTEXT_RING_NONE

/* Stands before each ciphertext, and over the unused bytes at the end of the ring. */
typedef struct Header {
    uint32_t owner; /* NONE: it is gone, or never was */
    uint32_t spare;
    uint64_t span_bytes; /* with this header */
} Header;
_Static_assert(sizeof(Header) == UNIT_BYTES, "a header fits wherever anything is left");

bool cmk_ciphertext_ring_init(CmkCiphertextRing *ring, uint64_t memory_bytes)
{
    CMK_ASSERT(memory_bytes <= CMK_CIPHERTEXT_RING_BYTES_MAX);
    *ring = (CmkCiphertextRing){.capacity = (size_t)(memory_bytes / UNIT_BYTES * UNIT_BYTES)};
    if (ring->capacity > 0) {
        ring->bytes = OPENSSL_malloc(ring->capacity);
    }
    return ring->capacity == 0 || ring->bytes != NULL;
}

void cmk_ciphertext_ring_clear(CmkCiphertextRing *ring)
{
    OPENSSL_free(ring->bytes);
    *ring = (CmkCiphertextRing){0};
}

static Header read_header(const CmkCiphertextRing *ring, size_t at)
{
    Header header;
    CMK_ASSERT(at % UNIT_BYTES == 0 && at + sizeof header <= ring->capacity);
    memcpy(&header, ring->bytes + at, sizeof header);
    return header;
}

/* Takes a span at the head, for which there is room. */
static size_t push(CmkCiphertextRing *ring, uint32_t owner, size_t span_bytes)
{
    const size_t at = ring->head;
    const Header header = {.owner = owner, .span_bytes = span_bytes};
    memcpy(ring->bytes + at, &header, sizeof header);
    ring->used += span_bytes;
    ring->head = at + span_bytes == ring->capacity ? 0 : at + span_bytes;
    return at;
}

static size_t span_of(size_t size_bytes)
{
    return sizeof(Header) + (size_bytes + UNIT_BYTES - 1) / UNIT_BYTES * UNIT_BYTES;
}

bool cmk_ciphertext_ring_can_hold(const CmkCiphertextRing *ring, size_t size_bytes)
{
    return span_of(size_bytes) <= ring->capacity;
}

bool cmk_ciphertext_ring_take(CmkCiphertextRing *ring, uint32_t owner, size_t size_bytes,
                              uint32_t *ret_place)
{
    CMK_ASSERT(owner != NONE);
    CMK_ASSERT(cmk_ciphertext_ring_can_hold(ring, size_bytes));
    const size_t span = span_of(size_bytes);
    const size_t left = ring->capacity - ring->head;
    if (left < span && ring->capacity - ring->used >= left) {
        (void)push(ring, NONE, left); /* in one piece: from the beginning again */
    }
    if (ring->capacity - ring->head < span || ring->capacity - ring->used < span) {
        return false;
    }
    *ret_place = (uint32_t)(push(ring, owner, span) / UNIT_BYTES);
    return true;
}

uint32_t cmk_ciphertext_ring_let_oldest_go(CmkCiphertextRing *ring)
{
    CMK_ASSERT(ring->used > 0);
    const Header header = read_header(ring, ring->tail);
    ring->tail += header.span_bytes;
    ring->used -= header.span_bytes;
    CMK_ASSERT(ring->tail <= ring->capacity);
    if (ring->tail == ring->capacity) {
        ring->tail = 0;
    }
    return header.owner;
}

unsigned char *cmk_ciphertext_ring_bytes(const CmkCiphertextRing *ring, uint32_t place)
{
    return ring->bytes + place * UNIT_BYTES + sizeof(Header);
}

void cmk_ciphertext_ring_disown(CmkCiphertextRing *ring, uint32_t place)
{
    const size_t at = place * UNIT_BYTES;
    Header header = read_header(ring, at);
    header.owner = NONE;
    memcpy(ring->bytes + at, &header, sizeof header);
}
