#include "analysis/coverage.h"

#include "sim/base.h"

static const CmkShown shown[] = {
#define CMK_SHOWN(rule_, by_, table_, row_, why_)                                                  \
    {.rule = (rule_), .table = (table_), .row = (row_), .why = (why_), .by = CMK_SHOWN_BY_##by_},
#include "analysis/coverage.def"
#undef CMK_SHOWN
    {0} /* so that it is never empty */
};

const CmkShown *cmk_coverage(uint32_t *ret_count)
{
    *ret_count = (uint32_t)CMK_ARRAY_LEN(shown) - 1;
    return shown;
}
