/* The rules behind the model: a constant table in a fixed order, and looking one up. */
#include <string.h>

#include "models/model.h"

#define PROVENANCE_ARTICLE "article"
#define PROVENANCE_DOCUMENTED "documented"
#define PROVENANCE_INFERRED "inferred"
#define PROVENANCE_ASSUMED "assumed"

static const CmkRule rules[] = {
#define CMK_RULE(id_, provenance_, text_)                                                          \
    {.id = (id_), .provenance = PROVENANCE_##provenance_, .text = (text_)},
#define CMK_RULE_OUT(id_, provenance_, reason_, text_)                                             \
    {.id = (id_),                                                                                  \
     .provenance = PROVENANCE_##provenance_,                                                       \
     .out_of_scope = (reason_),                                                                    \
     .text = (text_)},
#include "models/rules.def"
#undef CMK_RULE
#undef CMK_RULE_OUT
};

/* Characters before the first digit: 3 of "BV-17", 4 of "BV-T5". */
static size_t family_length(const char *id, size_t length)
{
    size_t i = 0;
    while (i < length && (id[i] < '0' || id[i] > '9')) {
        i++;
    }
    return i;
}

static int compare_length(size_t a, size_t b)
{
    return (a > b) - (a < b);
}

/* By family, then by number: "BV-9" comes before "BV-10", "BV-42" before "BV-T1". Numbers have no
 * leading zeros, so the longer one is the larger one. */
static int compare(const char *a, size_t a_length, const char *b, size_t b_length)
{
    const size_t a_family = family_length(a, a_length);
    const size_t b_family = family_length(b, b_length);
    int order = memcmp(a, b, a_family < b_family ? a_family : b_family);
    if (order == 0) {
        order = compare_length(a_family, b_family);
    }
    if (order == 0) {
        order = compare_length(a_length, b_length);
    }
    return order != 0 ? order : memcmp(a + a_family, b + b_family, a_length - a_family);
}

const CmkRule *cmk_rule_find(const char *id, size_t length)
{
    CMK_ASSERT(id != NULL);
    size_t low = 0;
    size_t high = CMK_ARRAY_LEN(rules);
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        const CmkRule *rule = &rules[middle];
        const int order = compare(id, length, rule->id, strlen(rule->id));
        if (order == 0) {
            return rule;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}

const CmkRule *cmk_rules(uint32_t *ret_count)
{
    *ret_count = (uint32_t)CMK_ARRAY_LEN(rules);
    return rules;
}
