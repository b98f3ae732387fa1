/* Expectations: their kinds, moments and texts. What a condition means is for those who judge. */
#include <string.h>

#include "scenarios/estate.h"

typedef struct Expecting {
    CmkScenario *scenario;
    CmkDiagnostics *diagnostics;
} Expecting;

/* ---- moments --------------------------------------------------------------------------------- */

/* The planned item with this id, as index + 1; 0 if there is none. */
static uint32_t plan_of(const CmkScenario *scenario, const char *id)
{
    for (guint i = 0; i < scenario->plan->len; i++) {
        const CmkPlanned *planned = &g_array_index(scenario->plan, CmkPlanned, i);
        if (planned->id != NULL && strcmp(planned->id, id) == 0) {
            return i + 1;
        }
    }
    return 0;
}

/* The end of the fault that is planned at index `fault` - 1; 0 if it has none. */
static uint32_t end_of(const CmkScenario *scenario, uint32_t fault)
{
    for (guint i = fault; i < scenario->plan->len; i++) {
        const CmkPlanned *planned = &g_array_index(scenario->plan, CmkPlanned, i);
        if (planned->kind == CMK_PLAN_FAULT_END && planned->of == fault) {
            return i + 1;
        }
    }
    return 0;
}

static void hint_ids(const Expecting *expecting, const char *id, bool is_fault)
{
    const GArray *plan = expecting->scenario->plan;
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    for (guint i = 0; i < plan->len; i++) {
        const CmkPlanned *planned = &g_array_index(plan, CmkPlanned, i);
        if (planned->id != NULL && is_fault == (planned->kind == CMK_PLAN_FAULT)) {
            g_ptr_array_add(candidates, planned->id);
        }
    }
    cmk_diagnostics_hint_word(expecting->diagnostics, id, (const char *const *)candidates->pdata,
                              candidates->len);
    if (candidates->len == 0) {
        cmk_diagnostics_hint(expecting->diagnostics, "give the %s an `id` in the timeline",
                             is_fault ? "fault" : "step");
    }
}

static bool find_planned(const Expecting *expecting, const CmkNode *node, const char *id,
                         bool is_fault, uint32_t *ret_plan)
{
    const uint32_t found = plan_of(expecting->scenario, id);
    const CmkPlanned *planned =
        found == 0 ? NULL : &g_array_index(expecting->scenario->plan, CmkPlanned, found - 1);
    if (planned == NULL || is_fault != (planned->kind == CMK_PLAN_FAULT)) {
        cmk_diagnostics_error(expecting->diagnostics, cmk_node_position(node),
                              "no %s of the timeline has the id `%s`", is_fault ? "fault" : "step",
                              id);
        hint_ids(expecting, id, is_fault);
        return false;
    }
    *ret_plan = found;
    return true;
}

static bool read_fault_moment(const Expecting *expecting, const CmkNode *node, CmkMoment *ret)
{
    const char *text = cmk_node_text(node) + strlen("fault.");
    const char *dot = strrchr(text, '.');
    const bool is_start = dot != NULL && strcmp(dot, ".start") == 0;
    const bool is_end = dot != NULL && strcmp(dot, ".end") == 0;
    if (!is_start && !is_end) {
        cmk_diagnostics_error(
            expecting->diagnostics, cmk_node_position(node),
            "`%s` does not say whether the start or the end of the fault is meant",
            cmk_node_text(node));
        cmk_diagnostics_hint(expecting->diagnostics, "write fault.ID.start or fault.ID.end");
        return false;
    }
    g_autofree char *id = g_strndup(text, (gsize)(dot - text));
    uint32_t plan = 0;
    if (!find_planned(expecting, node, id, true, &plan)) {
        return false;
    }
    const uint32_t end = is_end ? end_of(expecting->scenario, plan) : plan;
    if (end == 0) {
        cmk_diagnostics_error(expecting->diagnostics, cmk_node_position(node),
                              "the fault `%s` has no end", id);
        cmk_diagnostics_hint(expecting->diagnostics,
                             "give it `for`, or write step.ID for the step that remedies it");
        return false;
    }
    *ret = (CmkMoment){.plan = end, .time = CMK_TIME_MAX};
    return true;
}

static bool check_in_run(const Expecting *expecting, const CmkNode *node, CmkTime time)
{
    const CmkScenario *scenario = expecting->scenario;
    if (time >= scenario->start && time <= scenario->end) {
        return true;
    }
    const bool is_early = time < scenario->start;
    char moment[CMK_TIME_TEXT_SIZE];
    cmk_time_format(is_early ? scenario->start : scenario->end, moment);
    cmk_diagnostics_error(
        expecting->diagnostics, cmk_node_position(node), "`%s` is %s %s", cmk_node_text(node),
        is_early ? "before the start, which is" : "after the horizon, which ends at", moment);
    if (!is_early) {
        cmk_diagnostics_hint(expecting->diagnostics, "give a longer `horizon`");
    }
    return false;
}

static bool read_moment(const Expecting *expecting, const CmkNode *node, CmkMoment *ret)
{
    const char *text = cmk_node_text(node);
    if (g_str_has_prefix(text, "fault.")) {
        return read_fault_moment(expecting, node, ret);
    }
    if (g_str_has_prefix(text, "step.")) {
        uint32_t plan = 0;
        if (!find_planned(expecting, node, text + strlen("step."), false, &plan)) {
            return false;
        }
        *ret = (CmkMoment){.plan = plan, .time = CMK_TIME_MAX};
        return true;
    }
    CmkTime time = 0;
    char message[CMK_MESSAGE_SIZE];
    if (!cmk_instant_parse(text, expecting->scenario->start, &time, message)) {
        cmk_diagnostics_error(expecting->diagnostics, cmk_node_position(node),
                              "`%s` is neither a moment of the timeline nor an instant", text);
        cmk_diagnostics_hint(expecting->diagnostics,
                             "write step.ID, fault.ID.start, fault.ID.end, or +3d2h");
        return false;
    }
    *ret = (CmkMoment){.time = time};
    return check_in_run(expecting, node, time);
}

/* ---- kinds ----------------------------------------------------------------------------------- */

/* The text of a node with every run of white space as one blank. */
static void append_folded(GString *text, const CmkNode *node)
{
    bool is_blank = false;
    for (const char *c = cmk_node_text(node); *c != '\0'; c++) {
        if (g_ascii_isspace(*c)) {
            is_blank = true;
            continue;
        }
        if (is_blank) {
            g_string_append_c(text, ' ');
        }
        is_blank = false;
        g_string_append_c(text, *c);
    }
}

static bool read_always(const Expecting *expecting, const CmkAlwaysItem *item, CmkExpectation *ret,
                        GString *text)
{
    ret->kind = CMK_EXPECT_ALWAYS;
    ret->condition = item->that;
    ret->from.time = expecting->scenario->start;
    ret->until.time = expecting->scenario->end;
    g_string_append(text, "always");
    bool is_right = true;
    if (item->from != NULL) {
        is_right &= read_moment(expecting, item->from, &ret->from);
        g_string_append_printf(text, " from %s", cmk_node_text(item->from));
    }
    if (item->until != NULL) {
        is_right &= read_moment(expecting, item->until, &ret->until);
        g_string_append_printf(text, " until %s", cmk_node_text(item->until));
    }
    return is_right;
}

static bool read_at(const Expecting *expecting, const CmkAtItem *item, CmkExpectation *ret,
                    GString *text)
{
    const CmkNode *time = cmk_node_get(item->node, "time");
    ret->kind = CMK_EXPECT_AT;
    ret->condition = item->that;
    ret->from = (CmkMoment){.time = item->time};
    g_string_append_printf(text, "at %s", cmk_node_text(time));
    return check_in_run(expecting, time, item->time);
}

static bool read_eventually(const Expecting *expecting, const CmkEventuallyItem *item,
                            CmkExpectation *ret, GString *text)
{
    ret->kind = CMK_EXPECT_EVENTUALLY;
    ret->condition = item->that;
    ret->within_us = item->within_us;
    g_string_append_printf(text, "eventually within %s after %s",
                           cmk_node_text(cmk_node_get(item->node, "within")),
                           cmk_node_text(item->after));
    return read_moment(expecting, item->after, &ret->from);
}

/* Whether what the tables ask for could be read; if not, that was reported. */
static bool is_complete(const CmkExpectItem *item)
{
    if (item->always.node != NULL) {
        return item->always.that != NULL;
    }
    if (item->at.node != NULL) {
        return item->at.that != NULL && item->at.time != 0;
    }
    if (item->eventually.node != NULL) {
        return item->eventually.that != NULL && item->eventually.after != NULL;
    }
    return item->never != NULL || item->final != NULL;
}

static bool read_one(const Expecting *expecting, const CmkExpectItem *item)
{
    CmkExpectation expectation = {.from = {.time = CMK_TIME_MAX}, .until = {.time = CMK_TIME_MAX}};
    g_autoptr(GString) text = g_string_new(NULL);
    bool is_right = true;
    if (item->node == NULL) {
        return false; /* no map, which was reported */
    }
    if (cmk_node_count(item->node) != 1) {
        cmk_diagnostics_error(expecting->diagnostics, cmk_node_position(item->node),
                              "an expectation says one of always, never, final, at and eventually");
        cmk_diagnostics_hint(expecting->diagnostics,
                             "begin each expectation with a `- ` of its own");
        return false;
    }
    if (!is_complete(item)) {
        return false;
    }
    if (item->always.node != NULL) {
        is_right = read_always(expecting, &item->always, &expectation, text);
    } else if (item->at.node != NULL) {
        is_right = read_at(expecting, &item->at, &expectation, text);
    } else if (item->eventually.node != NULL) {
        is_right = read_eventually(expecting, &item->eventually, &expectation, text);
    } else {
        const bool is_never = item->never != NULL;
        expectation.kind = is_never ? CMK_EXPECT_NEVER : CMK_EXPECT_FINAL;
        expectation.condition = is_never ? item->never : item->final;
        g_string_append(text, is_never ? "never" : "final");
    }
    g_string_append(text, ": ");
    append_folded(text, expectation.condition);
    expectation.text = g_string_free(g_steal_pointer(&text), FALSE);
    g_array_append_val(expecting->scenario->expectations, expectation);
    return is_right;
}

bool cmk_expectations_read(CmkScenario *scenario, CmkDiagnostics *diagnostics)
{
    const Expecting expecting = {.scenario = scenario, .diagnostics = diagnostics};
    const GArray *items = scenario->estate->file.expect;
    bool is_right = true;
    for (guint i = 0; items != NULL && i < items->len; i++) {
        is_right &= read_one(&expecting, &g_array_index(items, CmkExpectItem, i));
    }
    return is_right;
}
