/* Facts that are no part of CmkModel, broken as mutant.h says. The linker sends those who ask for
 * them here instead (--wrap, see the Makefile). */
#include <string.h>

#include "tests/unit/models/mutant.h"

#define PRICES_MAX 64

const CmkPrice *__real_cmk_price_book(uint32_t *ret_count);
const CmkPrice *__wrap_cmk_price_book(uint32_t *ret_count);
const CmkPrice *__real_cmk_price_built_in(CmkPriceId price, CmkRegionId region);
const CmkPrice *__wrap_cmk_price_built_in(CmkPriceId price, CmkRegionId region);
void __real_cmk_price_book_init(CmkPriceBook *book);
void __wrap_cmk_price_book_init(CmkPriceBook *book);
const CmkTaskFacts *__real_cmk_task_facts(CmkTaskKind kind);
const CmkTaskFacts *__wrap_cmk_task_facts(CmkTaskKind kind);

/* One of them costs twice as much. */
const CmkPrice *__wrap_cmk_price_book(uint32_t *ret_count)
{
    static CmkPrice prices[PRICES_MAX];
    const CmkPrice *real = __real_cmk_price_book(ret_count);
    const char *name = mutant_name("price");
    if (name == NULL) {
        return real;
    }
    CMK_ASSERT(*ret_count <= PRICES_MAX);
    memcpy(prices, real, *ret_count * sizeof(*prices));
    for (uint32_t i = 0; i < *ret_count; i++) {
        prices[i].nanos *= strcmp(prices[i].id, name) == 0 ? 2 : 1;
    }
    return prices;
}

/* The same line of that book. */
const CmkPrice *__wrap_cmk_price_built_in(CmkPriceId price, CmkRegionId region)
{
    uint32_t count = 0;
    const CmkPrice *line = __real_cmk_price_built_in(price, region);
    const CmkPrice *first = __real_cmk_price_book(&count);
    return line == NULL ? NULL : &__wrap_cmk_price_book(&count)[line - first];
}

void __wrap_cmk_price_book_init(CmkPriceBook *book)
{
    uint32_t count = 0;
    const CmkPrice *prices = __wrap_cmk_price_book(&count);
    __real_cmk_price_book_init(book);
    for (uint32_t i = 0; i < count; i++) {
        const CmkRegionId region =
            cmk_region_find(prices[i].region == NULL ? "" : prices[i].region);
        const bool has_room = cmk_price_book_set(book, prices[i].price, region, prices[i].nanos);
        CMK_ASSERT(has_room);
    }
}

/* Who sees the job is the other way round. */
const CmkTaskFacts *__wrap_cmk_task_facts(CmkTaskKind kind)
{
    static CmkTaskFacts facts[CMK_TASK__COUNT];
    const char *name = mutant_name("job");
    const CmkTaskFacts *real = __real_cmk_task_facts(kind);
    if (name == NULL || strcmp(real->name, name) != 0) {
        return real;
    }
    facts[kind] = *real;
    facts[kind].is_seen = !real->is_seen;
    return &facts[kind];
}
