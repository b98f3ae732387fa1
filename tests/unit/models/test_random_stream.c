/* Random streams (models/random_stream.h), with known answers. */
#include <criterion/criterion.h>

#include <pthread.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#include "models/random_stream.h"
#include "tests/unit/models/envelope_kit.h"

/* RFC 8439, A.1: test vectors 1, 2 and 3 (the counter of block n is n). */
static const struct {
    uint64_t operation;
    uint32_t block;
    const char *keystream;
} rfc_blocks[] = {
    {0, 0,
     "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7"
     "da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586"},
    {0, 1,
     "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed"
     "29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f"},
    {UINT64_C(1) << 56, 1,
     "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a"
     "8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0"},
};

static void *draw_on_thread(void *argument)
{
    CmkRandomSource *source = argument;
    unsigned char byte;
    bool has_drawn = RAND_bytes_ex(cmk_random_source_library(source), &byte, 1, 0) > 0;
    ERR_clear_error();
    cmk_random_source_leave_thread(source);
    return has_drawn ? source : NULL;
}

Test(random_stream, streams)
{
    char text[129];
    unsigned char bytes[192];
    CmkRandomStream stream;
    for (size_t i = 0; i < CMK_ARRAY_LEN(rfc_blocks); i++) {
        cmk_random_stream_init(&stream, 0, CMK_RANDOM_TEST, 0, rfc_blocks[i].operation);
        cmk_random_stream_read(&stream, bytes, sizeof bytes);
        kit_hex(bytes + 64 * (size_t)rfc_blocks[i].block, 64, text);
        cr_expect_str_eq(text, rfc_blocks[i].keystream, "vector %zu", i);
    }
    /* Pieces of any length are the same stream. */
    unsigned char pieces[192];
    cmk_random_stream_init(&stream, 1, CMK_RANDOM_TEST, 2, 3);
    cmk_random_stream_read(&stream, bytes, sizeof bytes);
    cmk_random_stream_init(&stream, 1, CMK_RANDOM_TEST, 2, 3);
    for (size_t at = 0, piece = 1; at < sizeof pieces; at += piece, piece = piece % 70 + 1) {
        piece = piece < sizeof pieces - at ? piece : sizeof pieces - at;
        cmk_random_stream_read(&stream, pieces + at, piece);
    }
    cr_expect_arr_eq(pieces, bytes, sizeof bytes);
    /* Each of the four parts of the key matters. */
    const uint64_t keys[4][3] = {{2, 2, 3}, {1, 3, 3}, {1, 2, 4}, {1, 2, 3}};
    for (size_t i = 0; i < 4; i++) {
        CmkRandomDomain domain = i == 3 ? CMK_RANDOM_SAMPLE : CMK_RANDOM_TEST;
        cmk_random_stream_init(&stream, keys[i][0], domain, keys[i][1], keys[i][2]);
        cmk_random_stream_read(&stream, pieces, 32);
        cr_expect_arr_neq(pieces, bytes, 32, "key %zu", i);
    }

    /* OpenSSL gets exactly the stream's bytes, and nothing without one. */
    CmkRandomSource *source = cmk_random_source_new();
    cr_assert_not_null(source);
    OSSL_LIB_CTX *library = cmk_random_source_library(source);
    unsigned char drawn[48];
    cr_expect(RAND_bytes_ex(library, drawn, 1, 0) <= 0, "a draw without a stream");
    cmk_random_stream_init(&stream, 1, CMK_RANDOM_TEST, 2, 3);
    cr_assert(cmk_random_source_select(source, &stream));
    cr_assert_eq(RAND_bytes_ex(library, drawn, 16, 0), 1);
    cr_assert_eq(RAND_priv_bytes_ex(library, drawn + 16, 32, 256), 1);
    cr_expect_arr_eq(drawn, bytes, sizeof drawn);
    pthread_t thread;
    void *has_drawn = NULL;
    cr_assert_eq(pthread_create(&thread, NULL, draw_on_thread, source), 0);
    cr_assert_eq(pthread_join(thread, &has_drawn), 0);
    cr_expect_null(has_drawn, "a selection is of one thread only");
    cr_assert(cmk_random_source_select(source, NULL));
    cr_expect(RAND_priv_bytes_ex(library, drawn, 1, 0) <= 0, "a draw after the stream's end");
    ERR_clear_error();
    cmk_random_source_free(source);
    cmk_random_source_free(NULL);
}
