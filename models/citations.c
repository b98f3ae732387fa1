#include "models/citations.h"

#include <string.h>

#include "models/error_map.h"

/* Rules that no row of a table cites, since they shape the code itself or what may be written in a
 * scenario: where that is. */
static const struct {
    const char *ids;
    const char *file;
} in_code[] = {
    {"BK-34 BV-T14", "models/task.c"},    {"BK-6 BK-14", "scenarios/policy.c"},
    {"BV-17", "models/sealer.c"},         {"BV-15 REL-14 REL-17", "models/region.c"},
    {"BK-16", "analysis/store_schema.c"}, {"BK-19 ERR-22 ERR-23 ERR-24", "models/error_map.c"},
    {"BV-30", "models/repairs.h"},        {"COST-23 KVE-21 THR-5", "models/key_vault.c"},
    {"BV-25 COST-25", "models/price.c"},  {"MI-12", "models/identity.c"},
    {"KV-7", "models/key_facts.c"},       {"KV-8 MI-20", "scenarios/language_world.c"},
    {"KV-32", "models/request.c"},        {"SD-21", "models/key_use.h"},
};

typedef struct Visit {
    CmkVisitCitation visit;
    void *self;
} Visit;

/* Each ID of a list separated by blanks. */
static void visit_list(const Visit *visit, const char *kind, const char *name, const char *ids)
{
    const CmkCitation citation = {.kind = kind, .name = name};
    while (ids != NULL && *ids != '\0') {
        const size_t length = strcspn(ids, " ");
        visit->visit(visit->self, &citation, ids, length);
        ids += length;
        ids += *ids == ' ';
    }
}

static void visit_model(const Visit *visit, const CmkModel *model)
{
    for (uint32_t i = 1; i < model->operation_count; i++) {
        visit_list(visit, "operation", model->operations[i]->name, model->operations[i]->rules);
    }
    for (uint32_t i = 1; i < model->guard_count; i++) {
        visit_list(visit, "guard", model->guards[i]->name, model->guards[i]->rule);
    }
    for (uint32_t i = 0; i < model->status_count; i++) {
        visit_list(visit, "status", model->statuses[i].name, model->statuses[i].rule);
    }
    for (uint32_t i = 0; i < model->knob_count; i++) {
        visit_list(visit, "knob", model->knobs[i].name, model->knobs[i].rule);
    }
}

static void visit_facts(const Visit *visit, const CmkModel *model)
{
    uint32_t count = 0;
    const CmkRoleFacts *roles = cmk_role_facts(&count);
    for (uint32_t i = 1; i < count; i++) {
        visit_list(visit, "role", roles[i].name, roles[i].rule);
    }
    const CmkDatasourceFacts *datasources = cmk_datasource_facts(&count);
    for (uint32_t i = 1; i < count; i++) {
        visit_list(visit, "datasource", datasources[i].name, datasources[i].rule);
    }
    for (int kind = 0; kind < CMK_TASK__COUNT; kind++) {
        const CmkTaskFacts *facts = cmk_task_facts((CmkTaskKind)kind);
        visit_list(visit, "job", facts->name, facts->rule);
    }
    const CmkPrice *prices = cmk_price_book(&count);
    for (uint32_t i = 0; i < count; i++) {
        visit_list(visit, "price", prices[i].id, prices[i].rule);
    }
    const CmkErrorRow *errors = cmk_error_rows(&count);
    for (uint32_t i = 0; i < count; i++) {
        visit_list(visit, "error", model->guards[errors[i].guard]->name, errors[i].rule);
    }
    const CmkErrorFacts *facts = cmk_errors(&count);
    for (uint32_t i = 0; i < count; i++) {
        visit_list(visit, "error", model->statuses[facts[i].status].code, facts[i].rule);
    }
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(in_code); i++) {
        visit_list(visit, "code", in_code[i].file, in_code[i].ids);
    }
}

void cmk_citations_visit(const CmkModel *model, CmkVisitCitation visit, void *self)
{
    const Visit visiting = {.visit = visit, .self = self};
    visit_model(&visiting, model);
    visit_facts(&visiting, model);
}

/* ---- of one rule ----------------------------------------------------------------------------- */

typedef struct Search {
    const char *id;
    size_t length;
    CmkCitation *found;
    uint32_t max;
    uint32_t count;
} Search;

static void compare(void *self, const CmkCitation *citation, const char *id, size_t length)
{
    Search *search = self;
    if (length != search->length || memcmp(id, search->id, length) != 0) {
        return;
    }
    if (search->count < search->max) {
        search->found[search->count] = *citation;
    }
    search->count++;
}

uint32_t cmk_rule_citations(const CmkModel *model, const CmkRule *rule, CmkCitation *ret_citations,
                            uint32_t max)
{
    Search search = {
        .id = rule->id, .length = strlen(rule->id), .found = ret_citations, .max = max};
    cmk_citations_visit(model, compare, &search);
    return search.count;
}

const char *cmk_rule_stage(const CmkModel *model, const CmkRule *rule)
{
    if (rule->out_of_scope != NULL) {
        return "out of scope";
    }
    return cmk_rule_citations(model, rule, NULL, 0) > 0 ? "modelled" : "later";
}
