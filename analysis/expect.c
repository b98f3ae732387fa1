#include "analysis/expect.h"

#include <string.h>

#include "analysis/condition.h"
#include "models/key.h"

/* What a condition depends on: a bit per table of the world, and these. */
#define READS_SETS_SHIFT 48
#define READS_SET(kind) (UINT64_C(1) << (READS_SETS_SHIFT + (kind)))
#define READS_FAULTS (UINT64_C(1) << 56)
#define READS_END (UINT64_C(1) << 57)
_Static_assert(CMK_TABLE__COUNT <= READS_SETS_SHIFT, "tables and sets have bits of their own");
_Static_assert(READS_SETS_SHIFT + (int)CMK_SET__COUNT <= 56, "sets and faults as well");

typedef enum Phase {
    PHASE_WAITS, /* for the begin of its window */
    PHASE_WATCHES,
    PHASE_DECIDED
} Phase;

typedef struct Watch {
    const CmkExpectation *expectation;
    CmkCondition *condition;
    uint64_t reads;
    bool wanted; /* what the condition should be: false for never */
    Phase phase;
    CmkTime from;       /* begin of the window, the instant of `at`, CMK_TIME_MAX: at once */
    CmkTime until;      /* last moment of the window, CMK_TIME_MAX: the end */
    uint32_t from_plan; /* begins with this planned thing, 0: with the instant */
    uint32_t until_plan;
    int64_t *values; /* of the operands, after the last record */
    bool holds;
    CmkExpectResult result;
    char *explained;
} Watch;

struct CmkExpect {
    const CmkScenario *scenario;
    CmkNameIndex *names;
    CmkSets *sets;
    CmkConsequences *consequences;
    Watch *watches;
    uint32_t watch_count;
    uint64_t reads;        /* of all watches that are not decided */
    CmkTime next_turn;     /* up to then no window begins or ends, but by what was planned */
    uint64_t seq;          /* the last record */
    const CmkModel *model; /* NULL before the start */
    const CmkFinalValues *final;
    bool is_finished;
    GPtrArray *results; /* of CmkExpectResult */
    GPtrArray *vacuous; /* of char * */
    GPtrArray *texts;   /* what the results point to */
};

/* ---- reading --------------------------------------------------------------------------------- */

static uint64_t reads_of_operand(const CmkOperand *operand, const CmkSets *sets)
{
    switch (operand->kind) {
    case CMK_OPERAND_LITERAL:
        return 0;
    case CMK_OPERAND_FIELD:
        return operand->field->reads;
    case CMK_OPERAND_SET:
        return READS_SET(cmk_sets_kind(sets, operand->set));
    case CMK_OPERAND_FAULT_ACTIVE:
    case CMK_OPERAND_TIME_TO_RECOVER:
        return READS_FAULTS;
    case CMK_OPERAND_COST:
    case CMK_OPERAND_RESTORE_CHECK:
        return READS_END;
    case CMK_OPERAND__COUNT:
        break;
    }
    CMK_ASSERT(false);
    return 0;
}

static CmkTime time_of(const CmkScenario *scenario, const CmkMoment *moment)
{
    if (moment->plan == 0)
        return moment->time;
    CMK_ASSERT(moment->plan <= scenario->plan->len);
    return g_array_index(scenario->plan, CmkPlanned, moment->plan - 1).time;
}

static CmkTime add_saturating(CmkTime time, int64_t us)
{
    CmkTime sum = 0;
    return __builtin_add_overflow(time, us, &sum) ? CMK_TIME_MAX : sum;
}

static void fill_window(Watch *watch, const CmkScenario *scenario)
{
    const CmkExpectation *expectation = watch->expectation;
    watch->from = time_of(scenario, &expectation->from);
    watch->from_plan = expectation->from.plan;
    watch->until = time_of(scenario, &expectation->until);
    watch->until_plan = expectation->until.plan;
    switch (expectation->kind) {
    case CMK_EXPECT_ALWAYS:
        break;
    case CMK_EXPECT_NEVER:
        watch->wanted = false;
        break;
    case CMK_EXPECT_FINAL:
        watch->from = CMK_TIME_MAX;
        break;
    case CMK_EXPECT_AT:
        watch->until = watch->from;
        break;
    case CMK_EXPECT_EVENTUALLY:
        watch->until = add_saturating(watch->from, expectation->within_us);
        break;
    }
}

/* A window that is over before it begins, or begins when the run is over, watches nothing. */
static bool check_window(const Watch *watch, const CmkScenario *scenario,
                         CmkDiagnostics *diagnostics)
{
    const CmkTime from = watch->from == CMK_TIME_MAX ? scenario->start : watch->from;
    const char *problem = NULL;
    if (watch->expectation->kind == CMK_EXPECT_FINAL)
        return true;
    if (watch->until < from)
        problem = "its window ends before it begins";
    else if (from > scenario->end)
        problem = "its moment is after the end of the run";
    else if (watch->until < scenario->start)
        problem = "its moment is before the start of the run";
    if (problem == NULL)
        return true;
    cmk_diagnostics_error(diagnostics, cmk_node_position(watch->expectation->condition),
                          "this can never be evaluated: %s", problem);
    return false;
}

static bool read_watch(CmkExpect *expect, Watch *watch, const CmkExpectation *expectation,
                       CmkDiagnostics *diagnostics)
{
    const CmkConditionContext context = {.scenario = expect->scenario,
                                         .names = expect->names,
                                         .sets = expect->sets,
                                         .diagnostics = diagnostics,
                                         .expectation = expectation->kind};
    watch->expectation = expectation;
    watch->wanted = true;
    watch->result = (CmkExpectResult){.text = expectation->text,
                                      .verdict = CMK_VERDICT_UNDECIDED,
                                      .at = cmk_node_position(expectation->condition)};
    fill_window(watch, expect->scenario);
    const bool is_possible = check_window(watch, expect->scenario, diagnostics);
    watch->condition = cmk_condition_parse(&context, expectation->condition);
    if (watch->condition == NULL || !is_possible)
        return false;
    watch->values = g_new0(int64_t, watch->condition->operand_count);
    for (uint32_t i = 0; i < watch->condition->operand_count; i++)
        watch->reads |= reads_of_operand(&watch->condition->operands[i], expect->sets);
    return true;
}

CmkExpect *cmk_expect_new(const CmkScenario *scenario, CmkDiagnostics *diagnostics)
{
    CmkExpect *expect = g_new0(CmkExpect, 1);
    bool is_right = true;
    expect->scenario = scenario;
    expect->names = cmk_name_index_new(scenario);
    expect->sets = cmk_sets_new();
    expect->consequences = cmk_consequences_new(scenario);
    expect->results = g_ptr_array_new_with_free_func(g_free);
    expect->vacuous = g_ptr_array_new_with_free_func(g_free);
    expect->texts = g_ptr_array_new_with_free_func(g_free);
    expect->watch_count = scenario->expectations->len;
    expect->watches = g_new0(Watch, expect->watch_count + 1);
    for (uint32_t i = 0; i < expect->watch_count; i++)
        is_right &=
            read_watch(expect, &expect->watches[i],
                       &g_array_index(scenario->expectations, CmkExpectation, i), diagnostics);
    if (!is_right) {
        cmk_expect_free(expect);
        return NULL;
    }
    return expect;
}

void cmk_expect_free(CmkExpect *expect)
{
    if (expect == NULL)
        return;
    for (uint32_t i = 0; i < expect->watch_count; i++) {
        cmk_condition_free(expect->watches[i].condition);
        g_free(expect->watches[i].values);
        g_free(expect->watches[i].explained);
    }
    g_free(expect->watches);
    g_ptr_array_unref(expect->results);
    g_ptr_array_unref(expect->vacuous);
    g_ptr_array_unref(expect->texts);
    cmk_consequences_free(expect->consequences);
    cmk_sets_free(expect->sets);
    cmk_name_index_free(expect->names);
    g_free(expect);
}

/* ---- values ---------------------------------------------------------------------------------- */

static int64_t cost_of(const CmkFinalValues *final, const char *meter)
{
    int64_t nanos = 0;
    if (strcmp(meter, "total") == 0)
        return final->cost.total_nanos;
    if (strcmp(meter, "overdue") == 0)
        return final->cost.overdue_nanos;
    if (strcmp(meter, "net") == 0)
        return final->has_net ? final->net_nanos : CMK_VALUE_NONE;
    for (uint32_t i = 0; i < final->item_count; i++) {
        CMK_ASSERT(g_strv_contains(cmk_cost_meters(), final->items[i].meter));
        if (strcmp(final->items[i].meter, meter) == 0)
            nanos += final->items[i].nanos;
    }
    return nanos;
}

/* Versions come and go: which row has the number is known at each moment only. */
static uint32_t row_of(const CmkWorld *world, const CmkOperand *operand)
{
    return operand->version == 0
               ? operand->row
               : cmk_key_version_numbered(world, (CmkKeyId){operand->row}, operand->version).i;
}

static int64_t value_of(const CmkExpect *expect, const CmkWorld *world, const CmkOperand *operand)
{
    const CmkFinalValues *final = expect->final;
    switch (operand->kind) {
    case CMK_OPERAND_LITERAL:
        return operand->value;
    case CMK_OPERAND_FIELD:
        return operand->field->get(world, row_of(world, operand));
    case CMK_OPERAND_FAULT_ACTIVE:
        return cmk_consequences_fate(expect->consequences, operand->row)->is_active;
    case CMK_OPERAND_SET:
        return cmk_sets_value(expect->sets, operand->set, operand->all, operand->measure);
    case CMK_OPERAND_COST:
        return final == NULL ? CMK_VALUE_NONE : cost_of(final, operand->name);
    case CMK_OPERAND_RESTORE_CHECK:
        return final == NULL || final->restore_check == CMK_RESTORE_CHECK_NONE
                   ? CMK_VALUE_NONE
                   : (int64_t) final->restore_check;
    case CMK_OPERAND_TIME_TO_RECOVER: {
        const int64_t us = cmk_consequences_time_to_recover(expect->consequences, operand->row);
        return us < 0 ? CMK_VALUE_NONE : us;
    }
    case CMK_OPERAND__COUNT:
        break;
    }
    CMK_ASSERT(false);
    return CMK_VALUE_NONE;
}

static void take_values(const CmkExpect *expect, const CmkWorld *world, Watch *watch)
{
    for (uint32_t i = 0; i < watch->condition->operand_count; i++)
        watch->values[i] = value_of(expect, world, &watch->condition->operands[i]);
    watch->holds = cmk_condition_holds(watch->condition, watch->values);
}

/* ---- deciding -------------------------------------------------------------------------------- */

/* A moment of the run: after a record, and before the next one. */
typedef struct Moment {
    CmkTime time;
    uint64_t seq;
} Moment;

static void decide(const CmkExpect *expect, Watch *watch, CmkVerdict verdict, Moment moment)
{
    CMK_ASSERT(watch->phase != PHASE_DECIDED);
    watch->phase = PHASE_DECIDED;
    watch->result.verdict = verdict;
    watch->result.time = moment.time;
    watch->result.seq = moment.seq;
    if (verdict != CMK_VERDICT_VIOLATED)
        return;
    GString *values = g_string_new(NULL);
    cmk_condition_explain(watch->condition, watch->values, watch->wanted, expect->names, values);
    watch->explained = g_string_free(values, FALSE);
    watch->result.values = watch->explained;
}

static bool is_final(const Watch *watch)
{
    return watch->expectation->kind == CMK_EXPECT_FINAL;
}

/* The state that the watch knows was there at a moment within its window. */
static void look(const CmkExpect *expect, Watch *watch, Moment moment)
{
    switch (watch->expectation->kind) {
    case CMK_EXPECT_ALWAYS:
    case CMK_EXPECT_NEVER:
        if (watch->holds != watch->wanted)
            decide(expect, watch, CMK_VERDICT_VIOLATED, moment);
        return;
    case CMK_EXPECT_EVENTUALLY:
        if (watch->holds)
            decide(expect, watch, CMK_VERDICT_HELD, moment);
        return;
    case CMK_EXPECT_AT:
    case CMK_EXPECT_FINAL:
        return;
    }
}

/* The window is over, and the state that the watch knows was the last in it. */
static void close_window(const CmkExpect *expect, Watch *watch, Moment moment)
{
    const CmkExpectationKind kind = watch->expectation->kind;
    bool is_held = true; /* always and never: nothing has been seen against it */
    if (kind == CMK_EXPECT_AT)
        is_held = watch->holds;
    else if (kind == CMK_EXPECT_EVENTUALLY)
        is_held = false;
    decide(expect, watch, is_held ? CMK_VERDICT_HELD : CMK_VERDICT_VIOLATED, moment);
}

/* Before what happens at `now` is taken in: windows that have begun or ended since the last record,
 * or that begin or end with the planned thing that was `asked` for just now. */
static void turn(const CmkExpect *expect, Watch *watch, CmkTime now, uint32_t asked)
{
    if (watch->phase == PHASE_WAITS && now > watch->from) {
        watch->phase = PHASE_WATCHES;
        look(expect, watch, (Moment){watch->from, expect->seq});
    } else if (watch->phase == PHASE_WAITS &&
               (watch->from_plan == 0 ? now == watch->from : asked == watch->from_plan)) {
        watch->phase = PHASE_WATCHES;
    }
    if (watch->phase == PHASE_WATCHES && watch->until != CMK_TIME_MAX &&
        (now > watch->until || (asked != 0 && asked == watch->until_plan)))
        close_window(expect, watch, (Moment){watch->until, expect->seq});
}

/* What the next records have to be looked at for. */
static void plan_turns(CmkExpect *expect)
{
    expect->reads = 0;
    expect->next_turn = CMK_TIME_MAX;
    for (uint32_t i = 0; i < expect->watch_count; i++) {
        const Watch *watch = &expect->watches[i];
        if (watch->phase == PHASE_DECIDED || is_final(watch))
            continue;
        const CmkTime next = watch->phase == PHASE_WAITS ? watch->from - 1 : watch->until;
        expect->next_turn = MIN(expect->next_turn, next);
        expect->reads |= watch->reads;
    }
}

/* ---- records --------------------------------------------------------------------------------- */

static uint64_t changes_of(const CmkExpect *expect, const CmkWorld *world, const CmkRecord *record,
                           const CmkMeaning *meaning)
{
    const CmkOperation *operation = expect->model->operations[record->args.op];
    uint64_t changes = record->status == CMK_STATUS_OK ? operation->writes : 0;
    if (operation->account != NULL)
        changes |= cmk_world_scratch_tables(world);
    if (meaning->is_changed)
        changes |= READS_FAULTS;
    return changes | (uint64_t)cmk_sets_read(expect->sets, world, record, meaning->cause)
                         << READS_SETS_SHIFT;
}

static void read_record(void *self, const CmkWorld *world, const CmkRecord *record)
{
    CmkExpect *expect = self;
    if (expect->model == NULL || expect->is_finished)
        return;
    const CmkMeaning meaning = cmk_consequences_read(expect->consequences, world, record);
    const uint64_t changes = changes_of(expect, world, record, &meaning);
    const bool is_turn = record->time > expect->next_turn || meaning.asked != 0;
    const bool is_idle = !is_turn && (changes & expect->reads) == 0;
    for (uint32_t i = 0; i < expect->watch_count && !is_idle; i++) {
        Watch *watch = &expect->watches[i];
        if (watch->phase == PHASE_DECIDED || is_final(watch))
            continue;
        if (is_turn)
            turn(expect, watch, record->time, meaning.asked);
        if (watch->phase == PHASE_DECIDED)
            continue;
        if ((changes & watch->reads) != 0)
            take_values(expect, world, watch);
        if (watch->phase == PHASE_WATCHES)
            look(expect, watch, (Moment){record->time, record->seq});
    }
    expect->seq = record->seq;
    if (!is_idle)
        plan_turns(expect);
}

CmkReader cmk_expect_reader(CmkExpect *expect)
{
    return (CmkReader){.read = read_record, .self = expect};
}

void cmk_expect_bind(CmkExpect *expect, const CmkModel *model, const CmkWorld *world)
{
    CMK_ASSERT(expect->model == NULL);
    CMK_ASSERT(model != NULL);
    const CmkTime now = cmk_world_now(world);
    expect->model = model;
    cmk_consequences_bind(expect->consequences, model);
    cmk_sets_bind(expect->sets, model, world);
    for (uint32_t i = 0; i < expect->watch_count; i++) {
        Watch *watch = &expect->watches[i];
        if (is_final(watch))
            continue;
        take_values(expect, world, watch);
        if (watch->from_plan == 0 && (watch->from == CMK_TIME_MAX || watch->from <= now)) {
            watch->phase = PHASE_WATCHES;
            look(expect, watch, (Moment){now, 0});
        }
    }
    plan_turns(expect);
}

/* ---- the end --------------------------------------------------------------------------------- */

/* What the run's end decides, at `now`, when all that happens then has happened. */
static void finish_watch(CmkExpect *expect, const CmkWorld *world, Watch *watch)
{
    const Moment moment = {cmk_world_now(world), expect->seq};
    const bool is_over = moment.time >= expect->scenario->end;
    const CmkExpectationKind kind = watch->expectation->kind;
    if (watch->phase != PHASE_DECIDED && !is_final(watch))
        turn(expect, watch, add_saturating(moment.time, 1), 0);
    if (watch->phase == PHASE_DECIDED)
        return;
    CmkVerdict verdict = CMK_VERDICT_UNDECIDED;
    if (is_final(watch) && is_over) {
        take_values(expect, world, watch);
        verdict = watch->holds ? CMK_VERDICT_HELD : CMK_VERDICT_VIOLATED;
    } else if ((kind == CMK_EXPECT_ALWAYS || kind == CMK_EXPECT_NEVER) && is_over &&
               watch->phase == PHASE_WATCHES) {
        verdict = CMK_VERDICT_HELD;
    }
    decide(expect, watch, verdict, moment);
}

static const char *keep_text(CmkExpect *expect, GString *text)
{
    char *kept = g_string_free(text, FALSE);
    g_ptr_array_add(expect->texts, kept);
    return kept;
}

/* "ok", "UserError...", "Forbidden/ForbiddenByRbac". */
static void append_status(const CmkExpect *expect, CmkStatus status, GString *out)
{
    const CmkStatusRow *row = &expect->model->statuses[status];
    g_string_append(out, status == CMK_STATUS_OK ? "ok" : row->code);
    if (row->inner != NULL)
        g_string_append_printf(out, "/%s", row->inner);
}

/* Several rows of the status table share a code, and who wrote the code means any of them. */
static bool is_expected(const CmkExpect *expect, const CmkPlanned *planned, CmkStatus status)
{
    const CmkStatusRow *statuses = expect->model->statuses;
    const CmkNode *given =
        planned->node == NULL ? NULL : cmk_node_get(planned->node, "expect_status");
    const char *code = statuses[planned->expect_status].code;
    if (status == (CmkStatus)planned->expect_status)
        return true;
    return given != NULL && strcmp(cmk_node_text(given), code) == 0 &&
           strcmp(statuses[status].code, code) == 0;
}

static void finish_step(CmkExpect *expect, uint32_t plan)
{
    const CmkPlanned *planned = &g_array_index(expect->scenario->plan, CmkPlanned, plan - 1);
    const CmkFate *fate = cmk_consequences_fate(expect->consequences, plan);
    CmkExpectResult *result = g_new0(CmkExpectResult, 1);
    GString *text = g_string_new("step at ");
    cmk_offset_format(planned->time, expect->scenario->start, text);
    g_string_append_printf(text, " %s: expected ", planned->what);
    append_status(expect, (CmkStatus)planned->expect_status, text);
    result->verdict = CMK_VERDICT_UNDECIDED;
    result->time = fate->is_ended ? fate->ended_at : planned->time;
    result->seq = fate->is_ended ? fate->ended_seq : fate->asked_seq;
    if (!fate->is_asked) {
        g_string_append(text, ", was never asked for");
    } else if (!fate->is_ended) {
        g_string_append(text, ", the job has not ended");
    } else if (is_expected(expect, planned, fate->status)) {
        result->verdict = CMK_VERDICT_HELD;
    } else {
        result->verdict = CMK_VERDICT_VIOLATED;
        g_string_append(text, ", got ");
        append_status(expect, fate->status, text);
    }
    if (planned->node != NULL)
        result->at = cmk_node_position(planned->node);
    result->text = keep_text(expect, text);
    g_ptr_array_add(expect->results, result);
}

static void add_vacuous(CmkExpect *expect, uint32_t plan)
{
    const CmkPlanned *planned = &g_array_index(expect->scenario->plan, CmkPlanned, plan - 1);
    const CmkFate *fate = cmk_consequences_fate(expect->consequences, plan);
    GString *text = g_string_new(planned->kind == CMK_PLAN_FAULT ? "the fault " : "the step ");
    if (planned->id != NULL)
        g_string_append_printf(text, "`%s`, ", planned->id);
    g_string_append_printf(text, "%s at ", planned->what);
    cmk_offset_format(planned->time, expect->scenario->start, text);
    g_string_append_c(text, ',');
    if (!fate->is_asked) {
        g_string_append(text,
                        planned->kind == CMK_PLAN_FAULT ? " never began" : " was never asked for");
    } else if (fate->status != CMK_STATUS_OK) {
        g_string_append(text, " could do nothing: ");
        append_status(expect, fate->status, text);
    } else {
        g_string_append(text, " never met an operation: nothing was refused because of it");
    }
    g_ptr_array_add(expect->vacuous, g_string_free(text, FALSE));
}

void cmk_expect_finish(CmkExpect *expect, const CmkWorld *world, const CmkFinalValues *final)
{
    CMK_ASSERT(expect->model != NULL);
    CMK_ASSERT(!expect->is_finished);
    const GArray *plan = expect->scenario->plan;
    expect->is_finished = true;
    expect->final = final;
    cmk_sets_finish(expect->sets, world);
    for (uint32_t i = 0; i < expect->watch_count; i++) {
        finish_watch(expect, world, &expect->watches[i]);
        CmkExpectResult *result = g_new(CmkExpectResult, 1);
        *result = expect->watches[i].result;
        g_ptr_array_add(expect->results, result);
    }
    for (uint32_t i = 1; i <= plan->len; i++) {
        const CmkPlanned *planned = &g_array_index(plan, CmkPlanned, i - 1);
        if (planned->kind == CMK_PLAN_STEP && planned->expect_status >= 0)
            finish_step(expect, i);
        if (planned->kind != CMK_PLAN_FAULT_END &&
            !cmk_consequences_fate(expect->consequences, i)->has_met)
            add_vacuous(expect, i);
    }
    expect->final = NULL;
}

uint32_t cmk_expect_count(const CmkExpect *expect)
{
    return expect->results->len;
}

const CmkExpectResult *cmk_expect_result(const CmkExpect *expect, uint32_t index)
{
    CMK_ASSERT(index < expect->results->len);
    return g_ptr_array_index(expect->results, index);
}

uint32_t cmk_expect_vacuous_count(const CmkExpect *expect)
{
    return expect->vacuous->len;
}

const char *cmk_expect_vacuous(const CmkExpect *expect, uint32_t index)
{
    CMK_ASSERT(index < expect->vacuous->len);
    return g_ptr_array_index(expect->vacuous, index);
}

CmkVerdict cmk_expect_verdict(const CmkExpect *expect)
{
    CMK_ASSERT(expect->is_finished);
    CmkVerdict verdict = expect->results->len == 0 ? CMK_VERDICT_UNCHECKED : CMK_VERDICT_HELD;
    if (expect->vacuous->len > 0)
        verdict = CMK_VERDICT_UNDECIDED;
    for (guint i = 0; i < expect->results->len; i++) {
        const CmkVerdict one = cmk_expect_result(expect, i)->verdict;
        if (one == CMK_VERDICT_VIOLATED)
            return one;
        if (one == CMK_VERDICT_UNDECIDED)
            verdict = one;
    }
    return verdict;
}

const CmkConsequences *cmk_expect_consequences(const CmkExpect *expect)
{
    return expect->consequences;
}
