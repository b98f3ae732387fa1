/*
 * What every file of the engine and the models may rely on: fixed-width time, assertions that stay
 * on in every build, and the assumptions about the machine that records and worlds are made of.
 *
 * Must not know: anything of Azure, files, threads or the environment.
 */
#ifndef CMK_SIM_BASE_H
#define CMK_SIM_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Records are hashed as little-endian bytes; on another machine the digest would differ. */
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "cmksim needs a little-endian machine");

/* Virtual time: microseconds since 1970-01-01T00:00:00Z, UTC, never negative in a world. */
typedef int64_t CmkTime;

#define CMK_MILLISECOND_US ((int64_t)1000)
#define CMK_SECOND_US ((int64_t)1000000)
#define CMK_MINUTE_US (60 * CMK_SECOND_US)
#define CMK_HOUR_US (60 * CMK_MINUTE_US)
#define CMK_DAY_US (24 * CMK_HOUR_US)
#define CMK_TIME_MAX INT64_MAX

#define CMK_ARRAY_LEN(array) (sizeof(array) / sizeof((array)[0]))

/* An assertion is for mistakes of the program, never for input or for refusals of the cloud. */
#define CMK_ASSERT(condition) ((condition) ? (void)0 : cmk_panic(__FILE__, __LINE__, #condition))

/* Says what broke on stderr and aborts; the command line turns the abort into exit code 70. */
_Noreturn void cmk_panic(const char *file, int line, const char *what);

#endif
