#include "analysis/execution.h"

#include <inttypes.h>

/* ---- the trace ------------------------------------------------------------------------------- */

static void read_trace(void *self, const CmkWorld *world, const CmkRecord *record)
{
    CmkExecution *execution = self;
    const uint64_t low = cmk_world_digest(world).low;
    const GArray *compared = execution->options.compared;
    const guint index = execution->trace->len;
    if (compared != NULL && execution->difference.seq == 0 &&
        (index >= compared->len || g_array_index(compared, uint64_t, index) != low)) {
        execution->difference = *record;
    }
    g_array_append_val(execution->trace, low);
}

char *cmk_execution_describe(const CmkModel *model, const CmkRecord *record)
{
    char time[CMK_TIME_TEXT_SIZE];
    cmk_time_format(record->time, time);
    return g_strdup_printf("record %" PRIu64 " at %s: %s -> %s", record->seq, time,
                           model->operations[record->args.op]->name,
                           model->statuses[record->status].name);
}

/* ---- running --------------------------------------------------------------------------------- */

static void end_with(CmkExecution *execution, CmkExecutionEnd end, const char *what)
{
    execution->end = end;
    execution->what = g_strdup(what);
}

static bool start_crypto(CmkExecution *execution)
{
    CmkEnvelopeOptions options = cmk_envelope_options(execution->options.seed);
    options.mode = execution->options.crypto;
    char error[CMK_ENVELOPE_ERROR_SIZE] = "";
    execution->envelope = cmk_envelope_new(&options, error);
    execution->sealer.envelope = execution->envelope;
    if (execution->envelope == NULL) {
        end_with(execution, CMK_EXECUTION_NO_RESOURCES, error);
    }
    return execution->envelope != NULL;
}

/* The sealer is first: what it finds out concerns all others. */
static void add_readers(CmkExecution *execution)
{
    const CmkExecutionOptions *options = &execution->options;
    CmkJournal *journal = &execution->journal;
    if (execution->envelope != NULL) {
        cmk_journal_add(journal, cmk_sealer_reader(&execution->sealer));
    }
    if (options->has_story) {
        execution->story = cmk_story_new(execution->scenario, execution->sim.model);
        cmk_journal_add(journal, cmk_story_reader(execution->story));
    }
    if (options->expect != NULL) {
        cmk_journal_add(journal, cmk_expect_reader(options->expect));
    }
    if (options->store != NULL) {
        cmk_journal_add(journal, cmk_store_reader(options->store));
    }
    if (options->is_traced) {
        execution->trace = g_array_new(FALSE, FALSE, sizeof(uint64_t));
        cmk_journal_add(journal, (CmkReader){.read = read_trace, .self = execution});
    }
}

static bool must_stop(void *self)
{
    const CmkExecution *execution = self;
    return execution->sealer.disagreement[0] != '\0' ||
           (execution->options.must_stop != NULL &&
            execution->options.must_stop(execution->options.self, execution->sim.world));
}

static void run_to_the_end(CmkExecution *execution)
{
    /* The horizon itself is not part of the run: sixty days are sixty midnights. */
    const CmkEngineEnd end =
        cmk_engine_run(&execution->sim, execution->scenario->end - 1, must_stop, execution);
    if (end == CMK_ENGINE_REACHED) {
        cmk_world_set_now(execution->sim.world, execution->scenario->end);
    }
    if (execution->sealer.disagreement[0] != '\0') {
        end_with(execution, CMK_EXECUTION_DISAGREEMENT, execution->sealer.disagreement);
    } else if (end == CMK_ENGINE_LIMIT) {
        end_with(execution, CMK_EXECUTION_LIMIT, execution->sim.exhausted);
    } else if (end == CMK_ENGINE_STOPPED) {
        end_with(execution, CMK_EXECUTION_STOPPED, NULL);
    }
}

CmkExecution *cmk_execution_run(const CmkScenario *scenario, const CmkExecutionOptions *options,
                                CmkDiagnostics *diagnostics)
{
    CmkExecution *execution = g_new0(CmkExecution, 1);
    execution->options = *options;
    execution->scenario = scenario;
    execution->sim.model = options->model != NULL ? options->model : cmk_azure_model();
    execution->sim.is_self_checking = options->is_self_checking;
    if (options->has_crypto && !start_crypto(execution)) {
        return execution;
    }
    add_readers(execution);
    execution->sim.journal = &execution->journal;
    if (!cmk_scenario_build(scenario, options->variant, options->seed, &execution->sim,
                            diagnostics)) {
        end_with(execution, CMK_EXECUTION_INVALID, NULL);
        return execution;
    }
    if (options->expect != NULL) {
        cmk_expect_bind(options->expect, execution->sim.model, execution->sim.world);
    }
    run_to_the_end(execution);
    return execution;
}

void cmk_execution_free(CmkExecution *execution)
{
    if (execution == NULL) {
        return;
    }
    cmk_story_free(execution->story);
    cmk_envelope_free(execution->envelope);
    cmk_world_free(execution->sim.world);
    if (execution->trace != NULL) {
        g_array_unref(execution->trace);
    }
    g_free(execution->what);
    g_free(execution);
}

CmkDigest cmk_execution_digest(const CmkExecution *execution)
{
    return cmk_world_digest(execution->sim.world);
}

bool cmk_execution_crypto_digest(const CmkExecution *execution, CmkDigest *ret_digest)
{
    if (execution->envelope == NULL) {
        return false;
    }
    *ret_digest = cmk_envelope_digest(execution->envelope);
    return true;
}
