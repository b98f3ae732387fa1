#include "sim/base.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void cmk_panic(const char *file, int line, const char *what)
{
    (void)fprintf(stderr, "cmksim: internal error: %s:%d: %s\n", file, line, what);
    abort();
}
