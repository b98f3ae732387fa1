/* The ring of ciphertext (models/ciphertext_ring.h), against a plain list of what is kept. */
#include "models/ciphertext_ring.h"

#include <criterion/criterion.h>

#include <string.h>

#include "sim/chance.h"

#define OWNERS 3000

typedef struct Kept {
    uint32_t place;
    uint32_t size_bytes;
    bool is_kept;
} Kept;

static unsigned char fill_of(uint32_t owner)
{
    return (unsigned char)(owner * 7 + 1);
}

/* Whether the bytes are still as the owner wrote them. */
static void expect_untouched(const CmkCiphertextRing *ring, const Kept *kept, uint32_t owner)
{
    const unsigned char *bytes = cmk_ciphertext_ring_bytes(ring, kept->place);
    for (uint32_t i = 0; i < kept->size_bytes; i++) {
        cr_assert_eq(bytes[i], fill_of(owner), "byte %u of owner %u", i, owner);
    }
}

Test(ciphertext_ring, oldest_makes_way_and_nothing_else_changes)
{
    CmkCiphertextRing ring;
    cr_assert(cmk_ciphertext_ring_init(&ring, 1000 + 7)); /* not a whole number of units */
    cr_assert_not(cmk_ciphertext_ring_can_hold(&ring, 1000));
    static Kept kept[OWNERS];
    uint32_t oldest = 0; /* nobody before is kept */
    for (uint32_t owner = 0; owner < OWNERS; owner++) {
        const uint64_t dice = cmk_chance_bits(20250303, (CmkStream){1, 0}, owner);
        const uint32_t size_bytes = 1 + (uint32_t)(dice % (dice % 8 == 0 ? 900 : 200));
        cr_assert(cmk_ciphertext_ring_can_hold(&ring, size_bytes));
        uint32_t place = 0;
        while (!cmk_ciphertext_ring_take(&ring, owner, size_bytes, &place)) {
            const uint32_t gone = cmk_ciphertext_ring_let_oldest_go(&ring);
            if (gone == CMK_CIPHERTEXT_RING_NONE) {
                continue; /* disowned, or the unused end */
            }
            while (!kept[oldest].is_kept) {
                oldest++;
            }
            cr_assert_eq(gone, oldest, "in the order in which they came");
            kept[gone].is_kept = false;
        }
        kept[owner] = (Kept){.place = place, .size_bytes = size_bytes, .is_kept = true};
        memset(cmk_ciphertext_ring_bytes(&ring, place), fill_of(owner), size_bytes);
        const uint32_t other = owner - (uint32_t)(dice >> 40) % (owner < 6 ? owner + 1 : 6);
        if (kept[other].is_kept && (dice >> 32) % 4 == 0) {
            cmk_ciphertext_ring_disown(&ring, kept[other].place);
            kept[other].is_kept = false;
        }
        for (uint32_t i = oldest; i <= owner; i++) {
            if (kept[i].is_kept) {
                expect_untouched(&ring, &kept[i], i);
            }
        }
    }
    cmk_ciphertext_ring_clear(&ring);
}

Test(ciphertext_ring, all_of_it_is_used)
{
    CmkCiphertextRing ring;
    cr_assert(cmk_ciphertext_ring_init(&ring, 0));
    cr_assert_not(cmk_ciphertext_ring_can_hold(&ring, 1));
    cmk_ciphertext_ring_clear(&ring);
    /* Each takes 16 bytes more than it has, to the next multiple of 16. */
    cr_assert(cmk_ciphertext_ring_init(&ring, 10 * (64 + 16)));
    uint32_t place = 0;
    for (uint32_t owner = 0; owner < 10; owner++) {
        cr_assert(cmk_ciphertext_ring_take(&ring, owner, 49 + owner, &place));
    }
    cr_assert_not(cmk_ciphertext_ring_take(&ring, 10, 1, &place));
    cr_assert_eq(cmk_ciphertext_ring_let_oldest_go(&ring), 0);
    cr_assert(cmk_ciphertext_ring_take(&ring, 10, 64, &place), "in the room of the first");
    cr_assert_eq(place, 0);
    cmk_ciphertext_ring_clear(&ring);
}
