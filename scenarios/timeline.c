/* The timeline: steps and faults become planned operations, in the order of their times. */
#include <string.h>

#include "faults/catalogue.h"
#include "scenarios/estate.h"

/* A planned operation before the timeline is in order. */
typedef struct Draft {
    CmkPlanned planned;
    const CmkNode *remedies; /* id of a fault */
    uint32_t order;          /* of drafts; an end comes right after its start */
    uint32_t start;          /* end of a fault: order of its start + 1 */
} Draft;

typedef struct Drafting {
    CmkScenario *scenario;
    CmkDiagnostics *diagnostics;
    GArray *drafts; /* of Draft */
} Drafting;

static bool fail(const Drafting *drafting, const CmkNode *node, const char *message,
                 const char *hint)
{
    cmk_diagnostics_error(drafting->diagnostics, cmk_node_position(node), "%s", message);
    cmk_diagnostics_hint(drafting->diagnostics, "%s", hint);
    return false;
}

/* ---- what goes with what --------------------------------------------------------------------- */

/* Keys that are for steps only, or for faults only. */
static bool check_shape(const Drafting *drafting, const CmkTimelineItem *item)
{
    if (item->node == NULL) {
        return false; /* no map, which was reported */
    }
    const bool has_operation = cmk_node_get(item->node, "do") != NULL;
    const bool has_fault = cmk_node_get(item->node, "fault") != NULL;
    if (has_operation == has_fault) {
        return fail(drafting, item->node,
                    !has_fault ? "this item says neither `do` nor `fault`"
                               : "this item says both `do` and `fault`",
                    "write one of them: `do` for what a person does, `fault` for what goes wrong");
    }
    bool is_right = item->operation != NULL || item->fault != NULL;
    if (item->fault == NULL && item->target != NULL) {
        is_right = fail(drafting, item->target, "`target` is for faults",
                        "write the parameters of the operation under `with`");
    }
    if (item->fault == NULL && item->for_us != 0) {
        is_right = fail(drafting, cmk_node_get(item->node, "for"), "`for` is for faults",
                        "add a second step that undoes this one");
    }
    if (item->fault != NULL && item->with != NULL) {
        is_right = fail(drafting, item->with, "`with` is for steps",
                        "write what the fault hits under `target`");
    }
    if (item->fault != NULL && item->remedies != NULL) {
        is_right = fail(drafting, item->remedies, "a fault cannot remedy another",
                        "`remedies` is for steps; how long a fault lasts is said by `for`");
    }
    if (item->fault != NULL && item->expect_status != NULL) {
        is_right =
            fail(drafting, item->expect_status, "`expect_status` is for steps", "leave it out");
    }
    if (item->fault != NULL && item->as.node != NULL) {
        is_right = fail(drafting, item->as.node, "`as` is for steps",
                        "leave it out: nobody is asked whether a fault may happen");
    }
    return is_right;
}

/* Who asks, if the operation takes any right at all. */
static bool read_actor(const Drafting *drafting, const CmkTimelineItem *item, CmkArgs *args)
{
    args->ref[CMK_REF_ACTOR] = item->as.row;
    if (item->as.node == NULL || cmk_azure_model()->operations[args->op]->permission != 0) {
        return true;
    }
    cmk_diagnostics_error(drafting->diagnostics, cmk_node_position(item->as.node),
                          "%s asks nobody for rights, so `as` would do nothing",
                          cmk_node_text(item->operation));
    cmk_diagnostics_hint(drafting->diagnostics, "leave it out");
    return false;
}

static bool check_time(const Drafting *drafting, const CmkTimelineItem *item)
{
    const CmkScenario *scenario = drafting->scenario;
    const CmkNode *at = cmk_node_get(item->node, "at");
    char moment[CMK_TIME_TEXT_SIZE];
    if (item->at == 0) {
        return false; /* it could not be read */
    }
    if (item->at < scenario->start) {
        cmk_time_format(scenario->start, moment);
        cmk_diagnostics_error(drafting->diagnostics, cmk_node_position(at),
                              "`%s` is before the start, which is %s", cmk_node_text(at), moment);
        cmk_diagnostics_hint(drafting->diagnostics, "what was before belongs into `world`");
        return false;
    }
    if (item->at > scenario->end) {
        cmk_time_format(scenario->end, moment);
        cmk_diagnostics_error(drafting->diagnostics, cmk_node_position(at),
                              "`%s` is after the horizon, which ends at %s", cmk_node_text(at),
                              moment);
        cmk_diagnostics_hint(drafting->diagnostics, "give a longer `horizon`");
        return false;
    }
    return true;
}

/* ---- the end of a fault ---------------------------------------------------------------------- */

/* What the end gives back is found when the fault acts: models/revert.h. */
static bool add_end(Drafting *drafting, const CmkTimelineItem *item, const CmkFault *fault,
                    const Draft *start)
{
    if (fault->end == CMK_OP_NONE) {
        cmk_diagnostics_error(drafting->diagnostics,
                              cmk_node_position(cmk_node_get(item->node, "for")),
                              "%s does not end by itself: %s", fault->name, fault->endless);
        cmk_diagnostics_hint(drafting->diagnostics, "leave `for` out");
        return false;
    }
    Draft end = {.order = start->order + 1, .start = start->order + 1};
    end.planned.kind = CMK_PLAN_FAULT_END;
    end.planned.time = item->at + item->for_us;
    end.planned.op = fault->end;
    end.planned.expect_status = -1;
    end.planned.node = item->node;
    end.planned.args = start->planned.args;
    end.planned.args.op = fault->end;
    memset(end.planned.args.num, 0, CMK_NUM_VERSION * sizeof(end.planned.args.num[0]));
    end.planned.what = g_strdup(start->planned.what);
    end.planned.text = g_strconcat("end of ", start->planned.text, NULL);
    g_array_append_val(drafting->drafts, end);
    return true;
}

/* ---- items ----------------------------------------------------------------------------------- */

static bool read_status(const Drafting *drafting, const CmkTimelineItem *item, int32_t *ret_status)
{
    *ret_status = -1;
    if (item->expect_status == NULL) {
        return true;
    }
    uint32_t status = 0;
    const char *word = cmk_node_text(item->expect_status);
    if (!cmk_vocabulary_find(&cmk_vocabulary_statuses, word, &status)) {
        cmk_vocabulary_miss(drafting->diagnostics, cmk_node_position(item->expect_status), word,
                            &cmk_vocabulary_statuses);
        return false;
    }
    *ret_status = (int32_t)status;
    return true;
}

/* The operation or fault by its name. */
static bool find_what(const Drafting *drafting, const CmkTimelineItem *item,
                      const CmkFault **ret_fault, CmkOpId *ret_op)
{
    const CmkNode *node = item->fault != NULL ? item->fault : item->operation;
    const CmkVocabulary *vocabulary =
        item->fault != NULL ? &cmk_vocabulary_faults : &cmk_vocabulary_operations;
    const CmkVocabulary *other =
        item->fault != NULL ? &cmk_vocabulary_operations : &cmk_vocabulary_faults;
    uint32_t value = 0;
    if (cmk_vocabulary_find(vocabulary, cmk_node_text(node), &value)) {
        *ret_fault = item->fault != NULL ? cmk_fault_find(cmk_node_text(node)) : NULL;
        *ret_op = item->fault != NULL ? (*ret_fault)->op : (CmkOpId)value;
        return true;
    }
    cmk_vocabulary_miss(drafting->diagnostics, cmk_node_position(node), cmk_node_text(node),
                        vocabulary);
    if (cmk_vocabulary_find(other, cmk_node_text(node), &value)) {
        cmk_diagnostics_hint(drafting->diagnostics, "it is %s: write it behind `%s:`", other->what,
                             item->fault != NULL ? "do" : "fault");
    }
    return false;
}

static bool draft_item(Drafting *drafting, const CmkTimelineItem *item)
{
    const CmkFault *fault = NULL;
    Draft draft = {.order = 2 * drafting->drafts->len};
    CmkPlanned *planned = &draft.planned;
    if (!check_shape(drafting, item) || !find_what(drafting, item, &fault, &planned->op)) {
        return false;
    }
    const CmkNode *what = fault != NULL ? item->fault : item->operation;
    const CmkNode *values = fault != NULL ? item->target : item->with;
    planned->kind = fault != NULL ? CMK_PLAN_FAULT : CMK_PLAN_STEP;
    planned->time = item->at;
    planned->node = item->node;
    planned->args =
        (CmkArgs){.op = planned->op, .actor = fault != NULL ? CMK_ACTOR_FAULT : CMK_ACTOR_STEP};
    draft.remedies = item->remedies;
    g_autoptr(GString) text = g_string_new(NULL);
    bool is_right = check_time(drafting, item);
    is_right &= read_status(drafting, item, &planned->expect_status);
    is_right &= read_actor(drafting, item, &planned->args);
    is_right &= cmk_parameters_read(drafting->scenario, drafting->diagnostics, item->node, values,
                                    &planned->args, text);
    if (!is_right) {
        return false;
    }
    if (fault != NULL) {
        cmk_fault_give(cmk_azure_model(), &fault->given, item->at, &planned->args);
    }
    planned->id = item->id == NULL ? NULL : g_strdup(cmk_node_text(item->id));
    planned->what = g_strdup(cmk_node_text(what));
    if (item->as.node != NULL) {
        g_string_append_printf(text, " (asked for by %s)", cmk_node_text(item->as.node));
    }
    planned->text = g_strconcat(planned->what, text->len == 0 ? "" : ": ", text->str, NULL);
    g_array_append_val(drafting->drafts, draft);
    return item->for_us == 0 || add_end(drafting, item, fault, &draft);
}

/* ---- order and ids --------------------------------------------------------------------------- */

/* Faults of one moment come before its steps, and so do the ends of faults (OQ-35). */
static gint compare(gconstpointer a, gconstpointer b)
{
    const Draft *left = a;
    const Draft *right = b;
    if (left->planned.time != right->planned.time) {
        return left->planned.time < right->planned.time ? -1 : 1;
    }
    const bool is_left_step = left->planned.kind == CMK_PLAN_STEP;
    const bool is_right_step = right->planned.kind == CMK_PLAN_STEP;
    if (is_left_step != is_right_step) {
        return is_left_step ? 1 : -1;
    }
    return left->order < right->order ? -1 : left->order > right->order;
}

static bool check_ids(const Drafting *drafting, GHashTable *ids)
{
    bool is_right = true;
    for (guint i = 0; i < drafting->drafts->len; i++) {
        CmkPlanned *planned = &g_array_index(drafting->drafts, Draft, i).planned;
        if (planned->id == NULL) {
            continue;
        }
        const guint earlier = GPOINTER_TO_UINT(g_hash_table_lookup(ids, planned->id));
        if (earlier != 0) {
            const Draft *first = &g_array_index(drafting->drafts, Draft, earlier - 1);
            cmk_diagnostics_error(drafting->diagnostics,
                                  cmk_node_position(cmk_node_get(planned->node, "id")),
                                  "a second item has the id `%s`", planned->id);
            cmk_diagnostics_note(drafting->diagnostics,
                                 cmk_node_position(cmk_node_get(first->planned.node, "id")),
                                 "the other one is here");
            is_right = false;
        }
        g_hash_table_insert(ids, planned->id, GUINT_TO_POINTER(i + 1));
    }
    return is_right;
}

static void hint_fault_ids(const Drafting *drafting, const char *id)
{
    g_autoptr(GPtrArray) candidates = g_ptr_array_new();
    for (guint i = 0; i < drafting->drafts->len; i++) {
        const CmkPlanned *planned = &g_array_index(drafting->drafts, Draft, i).planned;
        if (planned->kind == CMK_PLAN_FAULT && planned->id != NULL) {
            g_ptr_array_add(candidates, planned->id);
        }
    }
    cmk_diagnostics_hint_word(drafting->diagnostics, id, (const char *const *)candidates->pdata,
                              candidates->len);
    if (candidates->len == 0) {
        cmk_diagnostics_hint(drafting->diagnostics, "give the fault an `id`");
    }
}

static bool link_remedy(const Drafting *drafting, GHashTable *ids, Draft *draft)
{
    const char *id = cmk_node_text(draft->remedies);
    const CmkPosition at = cmk_node_position(draft->remedies);
    const guint found = GPOINTER_TO_UINT(g_hash_table_lookup(ids, id));
    if (found == 0) {
        cmk_diagnostics_error(drafting->diagnostics, at, "no fault has the id `%s`", id);
        hint_fault_ids(drafting, id);
        return false;
    }
    const Draft *fault = &g_array_index(drafting->drafts, Draft, found - 1);
    if (fault->planned.kind != CMK_PLAN_FAULT) {
        cmk_diagnostics_error(drafting->diagnostics, at, "`%s` is a step, not a fault", id);
        hint_fault_ids(drafting, id);
        return false;
    }
    if (fault->planned.time > draft->planned.time) {
        cmk_diagnostics_error(drafting->diagnostics, at,
                              "the fault `%s` comes only after this step", id);
        cmk_diagnostics_note(drafting->diagnostics, cmk_node_position(fault->planned.node),
                             "the fault is here");
        return false;
    }
    draft->planned.remedies = found;
    return true;
}

static bool link_drafts(Drafting *drafting)
{
    g_array_sort(drafting->drafts, compare);
    g_autoptr(GHashTable) ids = g_hash_table_new(g_str_hash, g_str_equal);
    g_autoptr(GHashTable) starts = g_hash_table_new(NULL, NULL);
    const bool are_ids_right = check_ids(drafting, ids);
    bool is_right = are_ids_right;
    for (guint i = 0; i < drafting->drafts->len; i++) {
        Draft *draft = &g_array_index(drafting->drafts, Draft, i);
        g_hash_table_insert(starts, GUINT_TO_POINTER(draft->order), GUINT_TO_POINTER(i + 1));
        if (draft->remedies != NULL && are_ids_right) {
            is_right &= link_remedy(drafting, ids, draft);
        }
        if (draft->start != 0) {
            draft->planned.of =
                GPOINTER_TO_UINT(g_hash_table_lookup(starts, GUINT_TO_POINTER(draft->start - 1)));
        }
    }
    return is_right;
}

bool cmk_timeline_read(CmkScenario *scenario, CmkDiagnostics *diagnostics)
{
    const GArray *items = scenario->estate->file.timeline;
    g_autoptr(GArray) drafts = g_array_new(FALSE, TRUE, sizeof(Draft));
    Drafting drafting = {.scenario = scenario, .diagnostics = diagnostics, .drafts = drafts};
    bool is_right = true;
    for (guint i = 0; items != NULL && i < items->len; i++) {
        is_right &= draft_item(&drafting, &g_array_index(items, CmkTimelineItem, i));
    }
    /* With an item missing, ids that other items speak of would be missing too. */
    if (is_right) {
        is_right = link_drafts(&drafting);
    }
    for (guint i = 0; i < drafts->len; i++) {
        g_array_append_val(scenario->plan, g_array_index(drafts, Draft, i).planned);
    }
    return is_right;
}
