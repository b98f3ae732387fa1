#include "analysis/store_schema.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "analysis/store.h"
#include "analysis/verdict.h"
#include "models/entities.h"

/* ---- the large tables ------------------------------------------------------------------------ */

#define CELL(type, field, column, null_rule)                                                       \
    {                                                                                              \
        .name = (column), .offset = offsetof(type, field), .size = sizeof(((type *)NULL)->field),  \
        .null = CMK_STORE_NULL_##null_rule                                                         \
    }
#define REF(slot, column) CELL(CmkRecord, args.ref[CMK_REF_##slot], column, IF_ZERO)

static const CmkStoreColumn journal_columns[] = {
    CELL(CmkRecord, seq, "seq", NEVER),
    CELL(CmkRecord, time, "t_us", NEVER),
    CELL(CmkRecord, args.cause_seq, "cause_seq", IF_ZERO),
    CELL(CmkRecord, args.op, "op", NEVER),
    CELL(CmkRecord, status, "status", NEVER),
    CELL(CmkRecord, guard, "guard", IF_ZERO),
    CELL(CmkRecord, blame_seq, "blame_seq", IF_ZERO),
    CELL(CmkRecord, args.actor, "actor", NEVER),
    CELL(CmkRecord, args.origin, "origin", IF_ZERO),
    CELL(CmkRecord, result, "result", IF_ZERO),
    REF(BACKUP_VAULT, "backup_vault"),
    REF(INSTANCE, "instance"),
    REF(QUEUE, "queue"),
    REF(POINT, "point"),
    REF(TASK, "task"),
    REF(KEY_VAULT, "key_vault"),
    REF(KEY, "key"),
    REF(VERSION, "version"),
    REF(IDENTITY, "identity"),
    REF(PRINCIPAL, "principal"),
    REF(REGION, "region"),
    REF(POLICY, "policy"),
    REF(SCOPE, "scope"),
    REF(GRANTEE, "grantee"),
    REF(GROUP, "directory_group"),
    REF(ACTOR, "asked_by"),
    REF(MANAGED_HSM, "managed_hsm"),
    REF(SECRET, "secret"),
    REF(NETWORK, "network"),
    REF(RESOURCE_GUARD, "resource_guard"),
    CELL(CmkRecord, args.num[0], "number_0", NEVER),
    CELL(CmkRecord, args.num[1], "number_1", NEVER),
    CELL(CmkRecord, args.num[2], "number_2", NEVER),
    CELL(CmkRecord, args.num[3], "number_3", NEVER),
    CELL(CmkRecord, args.num[4], "number_4", NEVER),
    CELL(CmkRecord, args.num[5], "number_5", NEVER),
};
_Static_assert(CMK_ARRAY_LEN(journal_columns) == 10 + CMK_REFS + CMK_NUMS, "each slot is stored");

static const CmkStoreColumn job_columns[] = {
    CELL(CmkStoreJob, id, "id", NEVER),
    CELL(CmkStoreJob, kind, "kind", NEVER),
    CELL(CmkStoreJob, status, "status", NEVER),
    CELL(CmkStoreJob, code, "code", IF_ZERO),
    CELL(CmkStoreJob, refused_seq, "refused_seq", IF_ZERO),
    CELL(CmkStoreJob, backup_vault, "backup_vault", IF_ZERO),
    CELL(CmkStoreJob, instance, "instance", IF_ZERO),
    CELL(CmkStoreJob, policy, "policy", IF_ZERO),
    CELL(CmkStoreJob, datastore, "datastore", IF_ZERO),
    CELL(CmkStoreJob, started, "started_us", NEVER),
    CELL(CmkStoreJob, ended, "ended_us", IF_ZERO),
    CELL(CmkStoreJob, is_seen, "is_seen", NEVER),
    CELL(CmkStoreJob, started_by, "started_by", IF_ZERO),
    CELL(CmkStoreJob, origin, "origin", IF_ZERO),
    CELL(CmkStoreJob, retries, "retries", NEVER),
    CELL(CmkStoreJob, point, "point", IF_ZERO),
    CELL(CmkStoreJob, restored_to, "restored_to_us", IF_ZERO),
    CELL(CmkStoreJob, bytes, "bytes", IF_NEGATIVE),
};

static const CmkStoreColumn job_hour_columns[] = {
    CELL(CmkStoreJobHour, hour, "hour_us", NEVER),
    CELL(CmkStoreJobHour, kind, "kind", NEVER),
    CELL(CmkStoreJobHour, status, "status", NEVER),
    CELL(CmkStoreJobHour, is_seen, "is_seen", NEVER),
    CELL(CmkStoreJobHour, count, "count", NEVER),
};

static const CmkStoreColumn request_hour_columns[] = {
    CELL(CmkStoreRequestHour, hour, "hour_us", NEVER),
    CELL(CmkStoreRequestHour, key, "key", IF_ZERO),
    CELL(CmkStoreRequestHour, op, "op", NEVER),
    CELL(CmkStoreRequestHour, status, "status", NEVER),
    CELL(CmkStoreRequestHour, count, "count", NEVER),
};

static const CmkStoreColumn request_minute_columns[] = {
    CELL(CmkStoreRequestMinute, minute, "minute_us", NEVER),
    CELL(CmkStoreRequestMinute, key_vault, "key_vault", NEVER),
    CELL(CmkStoreRequestMinute, answered, "answered", NEVER),
    CELL(CmkStoreRequestMinute, throttled, "throttled", NEVER),
    CELL(CmkStoreRequestMinute, refused, "refused", NEVER),
    CELL(CmkStoreRequestMinute, peak_ppm, "peak_ppm", NEVER),
};

static const CmkStoreColumn state_interval_columns[] = {
    CELL(CmkStoreStateInterval, kind, "kind", NEVER),
    CELL(CmkStoreStateInterval, entity, "entity", NEVER),
    CELL(CmkStoreStateInterval, state, "state", NEVER),
    CELL(CmkStoreStateInterval, from, "from_us", NEVER),
    CELL(CmkStoreStateInterval, to, "to_us", IF_NEGATIVE),
    CELL(CmkStoreStateInterval, from_seq, "from_seq", IF_ZERO),
    CELL(CmkStoreStateInterval, to_seq, "to_seq", IF_ZERO),
};

static const CmkStoreColumn fault_window_columns[] = {
    CELL(CmkStoreFaultWindow, plan, "step", NEVER),
    CELL(CmkStoreFaultWindow, from, "from_us", NEVER),
    CELL(CmkStoreFaultWindow, to, "to_us", IF_NEGATIVE),
    CELL(CmkStoreFaultWindow, from_seq, "from_seq", IF_ZERO),
    CELL(CmkStoreFaultWindow, to_seq, "to_seq", IF_ZERO),
};

#define SHAPE(type, array, table_name, key)                                                        \
    {                                                                                              \
        .name = (table_name), .primary_key = (key), .columns = (array),                            \
        .column_count = CMK_ARRAY_LEN(array), .row_size = sizeof(type)                             \
    }

static const CmkStoreTableShape shapes[CMK_STORE_TABLE__COUNT] = {
    [CMK_STORE_TABLE_JOURNAL] = SHAPE(CmkRecord, journal_columns, "journal", "seq"),
    [CMK_STORE_TABLE_JOB] = SHAPE(CmkStoreJob, job_columns, "job", "id"),
    [CMK_STORE_TABLE_JOB_HOUR] = SHAPE(CmkStoreJobHour, job_hour_columns, "job_hour", NULL),
    [CMK_STORE_TABLE_REQUEST_HOUR] =
        SHAPE(CmkStoreRequestHour, request_hour_columns, "request_hour", NULL),
    [CMK_STORE_TABLE_REQUEST_MINUTE] =
        SHAPE(CmkStoreRequestMinute, request_minute_columns, "request_minute", NULL),
    [CMK_STORE_TABLE_STATE_INTERVAL] =
        SHAPE(CmkStoreStateInterval, state_interval_columns, "state_interval", NULL),
    [CMK_STORE_TABLE_FAULT_WINDOW] =
        SHAPE(CmkStoreFaultWindow, fault_window_columns, "fault_window", NULL),
};

const CmkStoreTableShape *cmk_store_table_shape(CmkStoreTable table)
{
    CMK_ASSERT(table < CMK_STORE_TABLE__COUNT);
    return &shapes[table];
}

/* ---- words ----------------------------------------------------------------------------------- */

#define INSTANCE_STATE_ROW(id, name) {"instance_state", CMK_INSTANCE_##id, (name)},

/* Words of one table stand together. */
static const CmkStoreWord words[] = {
    {"actor", CMK_ACTOR_PLATFORM, "platform"},
    {"actor", CMK_ACTOR_SETUP, "setup"},
    {"actor", CMK_ACTOR_STEP, "step"},
    {"actor", CMK_ACTOR_FAULT, "fault"},
    {"job_status", CMK_STORE_JOB_COMPLETED, "completed"},
    {"job_status", CMK_STORE_JOB_FAILED, "failed"},
    {"job_status", CMK_STORE_JOB_CANCELLED, "cancelled"},
    {"job_status", CMK_STORE_JOB_IN_PROGRESS, "in_progress"},
    {"job_status", CMK_STORE_JOB_COMPLETED_WITH_WARNINGS, "completed_with_warnings"},
    {"datastore", 1, "operational"},
    {"datastore", 2, "vault"},
    {"datastore", 3, "archive"},
    {"encryption_state", CMK_ENCRYPTION_DISABLED, "Disabled"},
    {"encryption_state", CMK_ENCRYPTION_ENABLED, "Enabled"},
    {"encryption_state", CMK_ENCRYPTION_INCONSISTENT, "Inconsistent"},
    {"region_state", CMK_REGION_UP, "Up"},
    {"region_state", CMK_REGION_LOST, "Lost"},
    {"region_state", CMK_REGION_FAILING_OVER, "FailingOver"},
    {"region_state", CMK_REGION_FAILED_OVER, "FailedOver"},
    {"region_state", CMK_REGION_FAILING_BACK, "FailingBack"},
    {"key_vault_state", CMK_STORE_SERVICE_AVAILABLE, "Available"},
    {"key_vault_state", CMK_STORE_SERVICE_READ_ONLY, "ReadOnly"},
    {"key_vault_state", CMK_STORE_SERVICE_UNREACHABLE, "Unreachable"},
    /* clang-format off */
    CMK_INSTANCE_STATES(INSTANCE_STATE_ROW)
    /* clang-format on */
    {"assignment_state", CMK_ASSIGNMENT_GRANTING, "Granting"},
    {"assignment_state", CMK_ASSIGNMENT_ACTIVE, "Active"},
    {"assignment_state", CMK_ASSIGNMENT_REMOVING, "Removing"},
    {"assignment_state", CMK_ASSIGNMENT_REMOVED, "Removed"},
    {"journal_level", CMK_STORE_LEVEL_CHANGES, "changes"},
    {"journal_level", CMK_STORE_LEVEL_FULL, "full"},
    {"verdict", CMK_VERDICT_HELD, "held"},
    {"verdict", CMK_VERDICT_VIOLATED, "violated"},
    {"verdict", CMK_VERDICT_UNDECIDED, "undecided"},
    {"verdict", CMK_VERDICT_UNCHECKED, "unchecked"},
    {"entity_kind", CMK_STORE_ENTITY_REGION, "region"},
    {"entity_kind", CMK_STORE_ENTITY_KEY_VAULT, "key_vault"},
    {"entity_kind", CMK_STORE_ENTITY_KEY, "key"},
    {"entity_kind", CMK_STORE_ENTITY_VERSION, "version"},
    {"entity_kind", CMK_STORE_ENTITY_IDENTITY, "identity"},
    {"entity_kind", CMK_STORE_ENTITY_PRINCIPAL, "principal"},
    {"entity_kind", CMK_STORE_ENTITY_BACKUP_VAULT, "backup_vault"},
    {"entity_kind", CMK_STORE_ENTITY_INSTANCE, "instance"},
    {"entity_kind", CMK_STORE_ENTITY_POLICY, "policy"},
    {"entity_kind", CMK_STORE_ENTITY_STEP, "step"},
    {"entity_kind", CMK_STORE_ENTITY_SCOPE, "scope"},
    {"entity_kind", CMK_STORE_ENTITY_PERSON, "person"},
    {"entity_kind", CMK_STORE_ENTITY_MANAGED_HSM, "managed_hsm"},
    {"entity_kind", CMK_STORE_ENTITY_SECRET, "secret"},
    {"entity_kind", CMK_STORE_ENTITY_NETWORK, "network"},
    {"entity_kind", CMK_STORE_ENTITY_RESOURCE_GUARD, "resource_guard"},
};
_Static_assert(CMK_ACTOR__COUNT == 4 && CMK_VERDICT__COUNT == 4, "each code has its word");

const CmkStoreWord *cmk_store_words(uint32_t *ret_count)
{
    *ret_count = CMK_ARRAY_LEN(words);
    return words;
}

uint32_t cmk_store_code(const char *table, const char *word)
{
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(words); i++) {
        if (strcmp(words[i].word, word) == 0 && strcmp(words[i].table, table) == 0) {
            return (uint32_t)words[i].code;
        }
    }
    return 0;
}

/* ---- the small tables ------------------------------------------------------------------------ */

/* SQL reads best as it was broken into lines by hand, here and below. */
/* clang-format off */
static const char small_tables[] =
    "CREATE TABLE run(id INTEGER PRIMARY KEY CHECK (id = 1), scenario_name TEXT NOT NULL,"
    " scenario_text TEXT NOT NULL, seed TEXT NOT NULL, version TEXT NOT NULL,"
    " crypto_mode TEXT NOT NULL, journal_level INTEGER NOT NULL, start_us INTEGER NOT NULL,"
    " horizon_us INTEGER NOT NULL, end_us INTEGER NOT NULL, verdict INTEGER NOT NULL,"
    " reason TEXT NOT NULL, digest TEXT NOT NULL, crypto_digest TEXT,"
    " record_count INTEGER NOT NULL, job_count INTEGER NOT NULL,"
    " failed_job_count INTEGER NOT NULL, silent_failure_count INTEGER NOT NULL,"
    " cost_nanos INTEGER NOT NULL, overdue_nanos INTEGER NOT NULL, baseline_nanos INTEGER,"
    " currency TEXT NOT NULL) STRICT;"
    "CREATE TABLE operation(id INTEGER PRIMARY KEY, name TEXT NOT NULL, text TEXT NOT NULL,"
    " rules TEXT, action TEXT, audit TEXT) STRICT;"
    "CREATE TABLE guard(id INTEGER PRIMARY KEY, name TEXT NOT NULL, status INTEGER NOT NULL,"
    " rule TEXT, text TEXT NOT NULL) STRICT;"
    "CREATE TABLE status(id INTEGER PRIMARY KEY, number INTEGER NOT NULL, name TEXT NOT NULL,"
    " code TEXT NOT NULL, inner_code TEXT, http INTEGER, rule TEXT, text TEXT NOT NULL) STRICT;"
    "CREATE TABLE task_kind(id INTEGER PRIMARY KEY, name TEXT NOT NULL, verb TEXT NOT NULL,"
    " is_seen INTEGER NOT NULL, rule TEXT, shown_as TEXT, is_user_triggered INTEGER NOT NULL)"
    " STRICT;"
    "CREATE TABLE error(status INTEGER PRIMARY KEY, target TEXT NOT NULL,"
    " is_user_error INTEGER NOT NULL, is_retryable INTEGER NOT NULL,"
    " recommended_action TEXT NOT NULL, rule TEXT NOT NULL) STRICT;"
    "CREATE TABLE message(code INTEGER NOT NULL, op INTEGER, status INTEGER, \"key\" INTEGER,"
    " text TEXT NOT NULL) STRICT;"
    "CREATE TABLE rule(id TEXT PRIMARY KEY, provenance TEXT NOT NULL, stage TEXT NOT NULL,"
    " text TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE entity(kind INTEGER NOT NULL, id INTEGER NOT NULL, name TEXT NOT NULL,"
    " parent_kind INTEGER, parent INTEGER, PRIMARY KEY (kind, id)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE role_assignment(id INTEGER PRIMARY KEY, principal INTEGER NOT NULL,"
    " role TEXT NOT NULL, scope_kind INTEGER NOT NULL, scope INTEGER NOT NULL,"
    " state INTEGER NOT NULL, is_orphaned INTEGER NOT NULL, changed_by INTEGER) STRICT;"
    "CREATE TABLE vault_policy(backup_vault INTEGER NOT NULL, policy INTEGER NOT NULL,"
    " changed_by INTEGER NOT NULL, PRIMARY KEY (backup_vault, policy)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE deleted_vault(backup_vault INTEGER PRIMARY KEY, region INTEGER NOT NULL,"
    " deleted_us INTEGER NOT NULL, scheduled_purge_us INTEGER NOT NULL,"
    " changed_by INTEGER NOT NULL) STRICT;"
    "CREATE TABLE cost_item(id INTEGER PRIMARY KEY, meter TEXT NOT NULL, backup_vault INTEGER,"
    " key_vault INTEGER, managed_hsm INTEGER, is_overdue INTEGER NOT NULL,"
    " from_us INTEGER NOT NULL,"
    " to_us INTEGER NOT NULL, quantity INTEGER NOT NULL, unit TEXT NOT NULL,"
    " nanos INTEGER NOT NULL) STRICT;"
    "CREATE TABLE price(id TEXT NOT NULL, region TEXT, nanos INTEGER NOT NULL, unit TEXT NOT NULL,"
    " rule TEXT NOT NULL, provenance TEXT NOT NULL, source TEXT) STRICT;"
    "CREATE TABLE expectation_result(id INTEGER PRIMARY KEY, text TEXT NOT NULL,"
    " verdict INTEGER NOT NULL, violated_us INTEGER, detail TEXT) STRICT;";
/* clang-format on */

static void append_large_table(GString *sql, const CmkStoreTableShape *shape)
{
    g_string_append_printf(sql, "CREATE TABLE %s(", shape->name);
    for (uint32_t i = 0; i < shape->column_count; i++) {
        const CmkStoreColumn *column = &shape->columns[i];
        const bool is_key = g_strcmp0(column->name, shape->primary_key) == 0;
        g_string_append_printf(sql, "%s\"%s\" INTEGER%s", i == 0 ? "" : ", ", column->name,
                               is_key                                 ? " PRIMARY KEY"
                               : column->null == CMK_STORE_NULL_NEVER ? " NOT NULL"
                                                                      : "");
    }
    g_string_append(sql, ") STRICT;");
}

char *cmk_store_sql_create(void)
{
    GString *sql = g_string_new(small_tables);
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(words); i++) {
        if (i == 0 || strcmp(words[i].table, words[i - 1].table) != 0) {
            g_string_append_printf(
                sql, "CREATE TABLE %s(id INTEGER PRIMARY KEY, name TEXT NOT NULL) STRICT;",
                words[i].table);
        }
    }
    for (uint32_t table = 0; table < CMK_STORE_TABLE__COUNT; table++) {
        append_large_table(sql, &shapes[table]);
    }
    return g_string_free(sql, FALSE);
}

/* ---- views ----------------------------------------------------------------------------------- */

#define INSTANT(us) CMK_STORE_SQL_INSTANT(us)
#define JOIN_ENTITY(alias, kind_id, column)                                                        \
    " LEFT JOIN entity AS " alias " ON " alias ".kind = " G_STRINGIFY(kind_id) " AND " alias       \
                                                                               ".id = " column
#define JOIN_VAULT(alias, column) JOIN_ENTITY(alias, CMK_STORE_ENTITY_BACKUP_VAULT, column)
#define JOIN_INSTANCE(alias, column) JOIN_ENTITY(alias, CMK_STORE_ENTITY_INSTANCE, column)
#define JOIN_KEY_VAULT(alias, column) JOIN_ENTITY(alias, CMK_STORE_ENTITY_KEY_VAULT, column)
#define JOIN_HSM(alias, column) JOIN_ENTITY(alias, CMK_STORE_ENTITY_MANAGED_HSM, column)
#define JOIN_KEY(alias, column) JOIN_ENTITY(alias, CMK_STORE_ENTITY_KEY, column)
#define JOIN_STEP(alias, column) JOIN_ENTITY(alias, CMK_STORE_ENTITY_STEP, column)
/* What the service says about the failed job `j`: its message in view of the refused request `r`,
 * and what it says about the code in general. */
#define ERROR_DETAILS                                                                              \
    " m.text AS message, e.target AS target, e.is_user_error, e.is_retryable,"                     \
    " e.recommended_action"
#define JOIN_ERROR_DETAILS                                                                         \
    " LEFT JOIN journal AS r ON r.seq = j.refused_seq LEFT JOIN message AS m ON m.code = j.code"   \
    " AND m.op IS r.op AND m.status IS r.status AND m.\"key\" IS r.\"key\""                        \
    " LEFT JOIN error AS e ON e.status = j.code"
#define JOIN_ID(table, alias, column) " LEFT JOIN " table " AS " alias " ON " alias ".id = " column

/* v_job has what the service's list of jobs shows of each (BK-16), and what nobody sees.
 *
 * A view in two pieces, since a compiler need not take strings as long as the longest. */
typedef struct View {
    const char *name;
    const char *columns;
    const char *from;
} View;

/* clang-format off */
static const View views[] = {
    {"v_run",
     "scenario_name AS scenario, seed, version, crypto_mode, l.name AS journal_level,"
     " " INSTANT("start_us") " AS start, " INSTANT("horizon_us") " AS horizon,"
     " " INSTANT("end_us") " AS \"end\", start_us, horizon_us, end_us, v.name AS verdict, reason,"
     " digest, crypto_digest, record_count, job_count, failed_job_count, silent_failure_count,"
     " cost_nanos, overdue_nanos, baseline_nanos, cost_nanos - baseline_nanos AS net_nanos,"
     " currency, scenario_text",
     "run JOIN verdict AS v ON v.id = run.verdict"
     " JOIN journal_level AS l ON l.id = run.journal_level"},
    {"v_expectations",
     "e.id, e.text, v.name AS verdict, " INSTANT("e.violated_us") " AS violated, e.violated_us,"
     " e.detail",
     "expectation_result AS e JOIN verdict AS v ON v.id = e.verdict"},
    {"v_job",
     "j.id, k.name AS operation, k.shown_as, k.is_user_triggered, s.name AS status,"
     " c.code AS code, c.text AS code_text," ERROR_DETAILS ", b.name AS backup_vault, i.name AS instance, p.name AS policy,"
     " d.name AS datastore,"
     " " INSTANT("j.started_us") " AS started, " INSTANT("j.ended_us") " AS ended,"
     " j.started_us, j.ended_us, j.ended_us - j.started_us AS duration_us,"
     " j.ended_us IS NOT NULL AND j.ended_us < run.start_us AS is_setup, j.is_seen,"
     " CASE j.is_seen WHEN 1 THEN 'listed' ELSE 'nobody' END AS seen, j.retries, j.point,"
     " " INSTANT("j.restored_to_us") " AS restored_to, j.restored_to_us, j.bytes,"
     " o.name AS origin, j.started_by,"
     " CASE WHEN j.ended_us IS NOT NULL THEN j.id END AS ended_by, j.refused_seq",
     "job AS j JOIN run JOIN task_kind AS k ON k.id = j.kind"
     " JOIN job_status AS s ON s.id = j.status"
     JOIN_ID("status", "c", "j.code") JOIN_ID("datastore", "d", "j.datastore")
     JOIN_VAULT("b", "j.backup_vault") JOIN_INSTANCE("i", "j.instance")
     JOIN_ENTITY("p", CMK_STORE_ENTITY_POLICY, "j.policy")
     JOIN_STEP("o", "j.origin") JOIN_ERROR_DETAILS},
    {"v_failed_jobs",
     "j.id, k.name AS operation, c.code AS code, c.text AS code_text," ERROR_DETAILS ","
     " b.name AS backup_vault, i.name AS instance, d.name AS datastore, " INSTANT("j.started_us") " AS started,"
     " " INSTANT("j.ended_us") " AS ended, j.started_us, j.ended_us, j.is_seen,"
     " CASE j.is_seen WHEN 1 THEN 'listed' ELSE 'nobody' END AS seen, g.text AS must_hold,"
     " g.rule AS rule, o.name AS origin, j.refused_seq",
     "job AS j JOIN task_kind AS k ON k.id = j.kind"
     JOIN_ID("status", "c", "j.code") JOIN_ID("datastore", "d", "j.datastore")
     JOIN_VAULT("b", "j.backup_vault") JOIN_INSTANCE("i", "j.instance") JOIN_STEP("o", "j.origin")
     JOIN_ERROR_DETAILS JOIN_ID("guard", "g", "r.guard")
     " WHERE j.status = 2"},
    {"v_silent_failures", "*", "v_failed_jobs WHERE is_seen = 0"},
    {"v_jobs_by_hour",
     INSTANT("h.hour_us") " AS hour, h.hour_us, k.name AS operation, s.name AS status, h.is_seen,"
     " h.count",
     "job_hour AS h JOIN task_kind AS k ON k.id = h.kind JOIN job_status AS s ON s.id = h.status"},
    {"v_journal",
     "j.seq, " INSTANT("j.t_us") " AS time, j.t_us, a.name AS actor, op.name AS operation,"
     " op.audit AS audit, s.name AS status, s.code AS code, g.name AS guard, g.text AS must_hold, g.rule AS rule,"
     " j.cause_seq, j.blame_seq, o.name AS origin, b.name AS backup_vault, i.name AS instance,"
     " kv.name AS key_vault, hs.name AS managed_hsm, ky.name AS key, kn.name AS version,"
     " id.name AS identity,"
     " pr.name AS principal, re.name AS region, po.name AS policy, sc.name AS scope,"
     " ge.name AS grantee, dg.name AS directory_group, who.name AS asked_by, sec.name AS secret,"
     " nw.name AS network, rg.name AS resource_guard, j.queue, j.point, j.task,"
     " j.result, j.number_0, j.number_1, j.number_2, j.number_3",
     "journal AS j JOIN actor AS a ON a.id = j.actor JOIN operation AS op ON op.id = j.op"
     " JOIN status AS s ON s.id = j.status" JOIN_ID("guard", "g", "j.guard")
     JOIN_STEP("o", "j.origin") JOIN_VAULT("b", "j.backup_vault") JOIN_INSTANCE("i", "j.instance")
     JOIN_KEY_VAULT("kv", "j.key_vault") JOIN_HSM("hs", "j.managed_hsm") JOIN_KEY("ky", "j.key")
     JOIN_ENTITY("kn", CMK_STORE_ENTITY_VERSION, "j.version")
     JOIN_ENTITY("id", CMK_STORE_ENTITY_IDENTITY, "j.identity")
     JOIN_ENTITY("pr", CMK_STORE_ENTITY_PRINCIPAL, "j.principal")
     JOIN_ENTITY("re", CMK_STORE_ENTITY_REGION, "j.region")
     JOIN_ENTITY("po", CMK_STORE_ENTITY_POLICY, "j.policy")
     JOIN_ENTITY("sc", CMK_STORE_ENTITY_SCOPE, "j.scope")
     JOIN_ENTITY("ge", CMK_STORE_ENTITY_PERSON, "j.grantee")
     JOIN_ENTITY("dg", CMK_STORE_ENTITY_PERSON, "j.directory_group")
     JOIN_ENTITY("who", CMK_STORE_ENTITY_PERSON, "j.asked_by")
     JOIN_ENTITY("sec", CMK_STORE_ENTITY_SECRET, "j.secret")
     JOIN_ENTITY("nw", CMK_STORE_ENTITY_NETWORK, "j.network")
     JOIN_ENTITY("rg", CMK_STORE_ENTITY_RESOURCE_GUARD, "j.resource_guard")},
    {"v_role_assignments",
     "a.id, p.name AS principal, a.role, k.name AS scope_kind, e.name AS scope, s.name AS state,"
     " a.is_orphaned, a.changed_by",
     "role_assignment AS a JOIN assignment_state AS s ON s.id = a.state"
     " JOIN entity_kind AS k ON k.id = a.scope_kind"
     " JOIN entity AS e ON e.kind = a.scope_kind AND e.id = a.scope"
     JOIN_ENTITY("p", CMK_STORE_ENTITY_PRINCIPAL, "a.principal")},
    {"v_backup_policies",
     "b.name AS backup_vault, p.name AS policy, t.changed_by",
     "vault_policy AS t" JOIN_VAULT("b", "t.backup_vault")
     JOIN_ENTITY("p", CMK_STORE_ENTITY_POLICY, "t.policy")},
    {"v_deleted_backup_vaults",
     "b.name AS backup_vault, r.name AS region, " INSTANT("t.deleted_us") " AS deleted,"
     " " INSTANT("t.scheduled_purge_us") " AS scheduled_purge, t.deleted_us,"
     " t.scheduled_purge_us, t.changed_by",
     "deleted_vault AS t" JOIN_VAULT("b", "t.backup_vault")
     JOIN_ENTITY("r", CMK_STORE_ENTITY_REGION, "t.region")},
    {"v_state_intervals",
     "b.name AS backup_vault, s.name AS state, " INSTANT("t.from_us") " AS \"from\","
     " " INSTANT("t.to_us") " AS \"to\", t.from_us, t.to_us,"
     " coalesce(t.to_us, run.end_us) - t.from_us AS duration_us, t.from_seq, t.to_seq",
     "state_interval AS t JOIN run JOIN encryption_state AS s ON s.id = t.state"
     JOIN_VAULT("b", "t.entity") " WHERE t.kind = b.kind"},
    {"v_service_states",
     "k.name AS kind, e.name AS name, coalesce(r.name, v.name) AS state,"
     " " INSTANT("t.from_us") " AS \"from\", " INSTANT("t.to_us") " AS \"to\", t.from_us, t.to_us,"
     " coalesce(t.to_us, run.end_us) - t.from_us AS duration_us, t.from_seq, t.to_seq",
     "state_interval AS t JOIN run JOIN entity_kind AS k ON k.id = t.kind"
     " JOIN entity AS e ON e.kind = t.kind AND e.id = t.entity"
     " LEFT JOIN region_state AS r ON r.id = t.state AND k.name = 'region'"
     " LEFT JOIN key_vault_state AS v ON v.id = t.state"
     " AND k.name IN ('key_vault', 'managed_hsm')"
     " WHERE k.name IN ('region', 'key_vault', 'managed_hsm')"},
    {"v_instance_states",
     "b.name AS backup_vault, i.name AS instance, s.name AS state,"
     " " INSTANT("t.from_us") " AS \"from\", " INSTANT("t.to_us") " AS \"to\", t.from_us, t.to_us,"
     " coalesce(t.to_us, run.end_us) - t.from_us AS duration_us, t.from_seq, t.to_seq",
     "state_interval AS t JOIN run JOIN instance_state AS s ON s.id = t.state"
     JOIN_INSTANCE("i", "t.entity") JOIN_VAULT("b", "i.parent") " WHERE t.kind = i.kind"},
    {"v_fault_windows",
     "f.name AS fault, " INSTANT("w.from_us") " AS \"from\", " INSTANT("w.to_us") " AS \"to\","
     " w.from_us, w.to_us, coalesce(w.to_us, run.end_us) - w.from_us AS duration_us,"
     " fo.name AS operation, e.name AS ended_with, eo.name AS ended_by_operation, w.from_seq,"
     " w.to_seq",
     "fault_window AS w JOIN run" JOIN_STEP("f", "w.step")
     " LEFT JOIN journal AS fj ON fj.seq = w.from_seq" JOIN_ID("operation", "fo", "fj.op")
     " LEFT JOIN journal AS ej ON ej.seq = w.to_seq" JOIN_ID("operation", "eo", "ej.op")
     JOIN_STEP("e", "ej.origin")},
    {"v_cost",
     "c.id, c.meter, b.name AS backup_vault, k.name AS key_vault, h.name AS managed_hsm,"
     " c.is_overdue,"
     " " INSTANT("c.from_us") " AS \"from\", " INSTANT("c.to_us") " AS \"to\", c.from_us, c.to_us,"
     " c.quantity, c.unit, c.nanos, run.currency",
     "cost_item AS c JOIN run" JOIN_VAULT("b", "c.backup_vault")
     JOIN_KEY_VAULT("k", "c.key_vault") JOIN_HSM("h", "c.managed_hsm")},
    {"v_prices",
     "p.id, p.region, p.nanos, p.unit, p.rule, p.provenance, p.source, run.currency",
     "price AS p JOIN run"},
    {"v_cost_by_vault",
     "b.name AS backup_vault, sum(CASE c.is_overdue WHEN 0 THEN c.nanos ELSE 0 END) AS nanos,"
     " sum(CASE c.is_overdue WHEN 1 THEN c.nanos ELSE 0 END) AS overdue_nanos, run.currency",
     "cost_item AS c JOIN run" JOIN_VAULT("b", "c.backup_vault")
     " WHERE c.backup_vault IS NOT NULL GROUP BY c.backup_vault"},
    {"v_requests",
     INSTANT("r.hour_us") " AS hour, r.hour_us, kv.name AS key_vault, hs.name AS managed_hsm,"
     " ky.name AS key, op.name AS operation, s.name AS status, s.code AS code, r.count",
     "request_hour AS r JOIN operation AS op ON op.id = r.op JOIN status AS s ON s.id = r.status"
     JOIN_KEY("ky", "r.key")
     JOIN_KEY_VAULT("kv", "ky.parent") " AND kv.kind = ky.parent_kind"
     JOIN_HSM("hs", "ky.parent") " AND hs.kind = ky.parent_kind"},
    {"v_request_load",
     INSTANT("r.minute_us") " AS minute, r.minute_us, kv.name AS key_vault, r.answered,"
     " r.throttled, r.refused, r.peak_ppm",
     "request_minute AS r" JOIN_KEY_VAULT("kv", "r.key_vault")},
    {"v_answers",
     "f.name AS fault, fo.name AS fault_operation, " INSTANT("w.from_us") " AS \"from\","
     " w.from_us, coalesce(h.name, kv.name) AS key_store,"
     " CASE WHEN h.name IS NOT NULL THEN 'managed_hsm'"
     " WHEN kv.name IS NOT NULL THEN 'key_vault' END AS kind,"
     " k.name AS job, ro.name AS request, rs.http, rs.code AS answer, rs.inner_code,"
     " c.code AS code, g.name AS guard, g.rule AS rule, count(*) AS jobs, sum(j.is_seen) AS seen",
     "fault_window AS w" JOIN_STEP("f", "w.step")
     " JOIN journal AS fj ON fj.seq = w.from_seq JOIN operation AS fo ON fo.id = fj.op"
     " JOIN journal AS bj ON bj.origin = w.step AND bj.seq >= w.from_seq"
     " AND (w.to_seq IS NULL OR bj.seq <= w.to_seq)"
     " JOIN journal AS r ON r.blame_seq = bj.seq JOIN job AS j ON j.refused_seq = r.seq"
     " JOIN task_kind AS k ON k.id = j.kind JOIN operation AS ro ON ro.id = r.op"
     " JOIN status AS rs ON rs.id = r.status" JOIN_ID("status", "c", "j.code")
     JOIN_ID("guard", "g", "r.guard") JOIN_KEY_VAULT("kv", "r.key_vault")
     JOIN_HSM("h", "r.managed_hsm")
     " WHERE j.status = 2 GROUP BY w.step, w.from_seq, r.key_vault, r.managed_hsm, j.kind, r.op,"
     " r.status, r.guard, j.code"},
    {"v_why",
     "j.id AS job, k.name AS operation, b.name AS backup_vault, i.name AS instance,"
     " " INSTANT("j.ended_us") " AS ended, j.ended_us, c.code AS code, c.text AS code_text,"
     " j.is_seen, j.refused_seq, ro.name AS refused_operation, " INSTANT("r.t_us") " AS refused,"
     " r.t_us AS refused_us, rs.name AS refused_status, ky.name AS key, g.name AS guard,"
     " g.text AS must_hold, g.rule AS rule, r.blame_seq, bo.name AS blamed_operation,"
     " bo.text AS blamed_text, " INSTANT("bj.t_us") " AS blamed, bj.t_us AS blamed_us,"
     " ba.name AS blamed_actor, bs.name AS blamed_step",
     "job AS j JOIN task_kind AS k ON k.id = j.kind" JOIN_ID("status", "c", "j.code")
     JOIN_VAULT("b", "j.backup_vault") JOIN_INSTANCE("i", "j.instance")
     " LEFT JOIN journal AS r ON r.seq = j.refused_seq" JOIN_ID("operation", "ro", "r.op")
     JOIN_ID("status", "rs", "r.status") JOIN_ID("guard", "g", "r.guard") JOIN_KEY("ky", "r.key")
     " LEFT JOIN journal AS bj ON bj.seq = r.blame_seq" JOIN_ID("operation", "bo", "bj.op")
     JOIN_ID("actor", "ba", "bj.actor") JOIN_STEP("bs", "bj.origin") " WHERE j.status = 2"},
};
/* clang-format on */

char *cmk_store_sql_complete(void)
{
    GString *sql = g_string_new(
        "CREATE INDEX job_failed ON job(ended_us) WHERE status = 2;"
        "CREATE INDEX journal_refused ON journal(blame_seq) WHERE blame_seq IS NOT NULL;"
        "CREATE INDEX state_interval_of_entity ON state_interval(kind, entity, from_us);");
    for (uint32_t i = 0; i < CMK_ARRAY_LEN(views); i++) {
        g_string_append_printf(sql, "CREATE VIEW %s AS SELECT %s FROM %s;", views[i].name,
                               views[i].columns, views[i].from);
    }
    g_string_append_printf(sql, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                           CMK_STORE_APPLICATION_ID, CMK_STORE_SCHEMA_VERSION);
    return g_string_free(sql, FALSE);
}

/* ---- reading --------------------------------------------------------------------------------- */

static bool read_pragma(sqlite3 *db, const char *sql, int64_t *ret_value, GError **error)
{
    g_autoptr(sqlite3_stmt) statement = cmk_store_prepare(db, sql, error);
    GError *failure = NULL;
    if (statement == NULL || !cmk_store_step(statement, &failure)) {
        if (failure != NULL) {
            g_propagate_error(error, failure);
        }
        return false;
    }
    *ret_value = sqlite3_column_int64(statement, 0);
    return true;
}

static bool is_run(sqlite3 *db, const char *path, GError **error)
{
    int64_t application_id = 0;
    int64_t version = 0;
    if (!read_pragma(db, "PRAGMA application_id", &application_id, error) ||
        !read_pragma(db, "PRAGMA user_version", &version, error)) {
        g_prefix_error(error, "%s: ", path);
        return false;
    }
    if (application_id != CMK_STORE_APPLICATION_ID) {
        g_set_error(error, CMK_STORE_ERROR, CMK_STORE_ERROR_FOREIGN,
                    "%s: is an SQLite database, but not that of a cmksim run", path);
        return false;
    }
    if (version != CMK_STORE_SCHEMA_VERSION) {
        g_set_error(error, CMK_STORE_ERROR, CMK_STORE_ERROR_NEWER,
                    "%s: has database format %" G_GINT64_FORMAT
                    ", this cmksim reads format %d: use the version that made it",
                    path, version, CMK_STORE_SCHEMA_VERSION);
        return false;
    }
    return true;
}

sqlite3 *cmk_store_open_to_read(const char *path, GError **error)
{
    g_autoptr(sqlite3) db = NULL;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        const int code = db == NULL ? 0 : sqlite3_system_errno(db);
        g_set_error(error, CMK_STORE_ERROR, CMK_STORE_ERROR_READ, "%s: cannot be opened: %s", path,
                    code == 0 ? sqlite3_errmsg(db) : g_strerror(code));
        return NULL;
    }
    GError *failure = NULL;
    if (!is_run(db, path, &failure)) {
        if (sqlite3_errcode(db) == SQLITE_NOTADB) {
            g_clear_error(&failure);
            g_set_error(error, CMK_STORE_ERROR, CMK_STORE_ERROR_FOREIGN,
                        "%s: is not an SQLite database", path);
        } else {
            g_propagate_error(error, failure);
        }
        return NULL;
    }
    return g_steal_pointer(&db);
}

sqlite3_stmt *cmk_store_prepare(sqlite3 *db, const char *sql, GError **error)
{
    sqlite3_stmt *statement = NULL;
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK) {
        g_set_error(error, CMK_STORE_ERROR, CMK_STORE_ERROR_READ, "cannot be read: %s",
                    sqlite3_errmsg(db));
        return NULL;
    }
    return statement;
}

bool cmk_store_step(sqlite3_stmt *statement, GError **error)
{
    const int code = sqlite3_step(statement);
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        g_set_error(error, CMK_STORE_ERROR, CMK_STORE_ERROR_READ, "cannot be read: %s",
                    sqlite3_errmsg(sqlite3_db_handle(statement)));
    }
    return code == SQLITE_ROW;
}

/* ---- what may be replaced -------------------------------------------------------------------- */

/* Of a file of SQLite: how it begins, and where its application's number is. */
#define MAGIC "SQLite format 3"
#define APPLICATION_ID_OFFSET 68
#define HEAD_SIZE 100

bool cmk_store_may_replace(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0 || S_ISDIR(about.st_mode)) {
        return true; /* writing there says what is wrong, if anything is */
    }
    if (about.st_size == 0) { /* so has a device */
        return S_ISREG(about.st_mode);
    }
    uint8_t head[HEAD_SIZE] = {0};
    FILE *stream = fopen(path, "rb");
    const size_t size = stream == NULL ? 0 : fread(head, 1, sizeof(head), stream);
    if (stream != NULL) {
        (void)fclose(stream); /* was only read from */
    }
    const uint8_t *id = &head[APPLICATION_ID_OFFSET];
    const uint32_t application_id =
        (uint32_t)id[0] << 24 | (uint32_t)id[1] << 16 | (uint32_t)id[2] << 8 | (uint32_t)id[3];
    return size == sizeof(head) && memcmp(head, MAGIC, sizeof(MAGIC)) == 0 &&
           application_id == CMK_STORE_APPLICATION_ID;
}
