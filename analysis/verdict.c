#include "analysis/verdict.h"

const char *cmk_verdict_word(CmkVerdict verdict)
{
    static const char *const words[CMK_VERDICT__COUNT] = {[CMK_VERDICT_HELD] = "held",
                                                          [CMK_VERDICT_VIOLATED] = "violated",
                                                          [CMK_VERDICT_UNDECIDED] = "undecided",
                                                          [CMK_VERDICT_UNCHECKED] = "unchecked"};
    return words[verdict];
}
