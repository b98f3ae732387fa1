/*
 * The store: what a database holds, that equal runs give equal contents, and that a failure leaves
 * nothing behind and says why.
 */
#define _GNU_SOURCE
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <glib/gstdio.h>

#include "analysis/store_schema.h"
#include "tests/unit/analysis/sample_run.h"

#define NOBODY 65534
#define DAY(n) (SAMPLE_START + (n)*CMK_DAY_US)

/* All rows of a query as text: cells with |, rows with a line feed between them. */
static char *query(const char *path, const char *sql)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(sqlite3) db = cmk_store_open_to_read(path, &error);
    cr_assert_not_null(db, "%s", error == NULL ? "" : error->message);
    g_autoptr(sqlite3_stmt) statement = cmk_store_prepare(db, sql, &error);
    cr_assert_not_null(statement, "%s: %s", sql, error == NULL ? "" : error->message);
    GString *text = g_string_new(NULL);
    while (cmk_store_step(statement, &error)) {
        for (int i = 0; i < sqlite3_column_count(statement); i++) {
            const unsigned char *cell = sqlite3_column_text(statement, i);
            g_string_append_printf(text, "%s%s",
                                   i > 0           ? "|"
                                   : text->len > 0 ? "\n"
                                                   : "",
                                   cell == NULL ? "" : (const char *)cell);
        }
    }
    cr_assert_null(error, "%s", error == NULL ? "" : error->message);
    return g_string_free(text, FALSE);
}

typedef struct QueryCase {
    const char *sql;
    const char *expected;
} QueryCase;

static void check_queries(const char *path, const QueryCase *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        g_autofree char *found = query(path, cases[i].sql);
        cr_expect_str_eq(found, cases[i].expected, "%s\n  gives:    %s\n  expected: %s",
                         cases[i].sql, found, cases[i].expected);
    }
}

/* Three days, three vaults, a fault on the second day that hits vaults 1 and 3. */
static SampleStory small_story(const char *path)
{
    return (SampleStory){.path = path,
                         .name = "small",
                         .length = 3 * CMK_DAY_US,
                         .vaults = 3,
                         .backup_every = 12 * CMK_HOUR_US,
                         .faults = {{"revoke", DAY(1), DAY(2), 1}}};
}

static void tell(const SampleStory *story)
{
    g_autoptr(GError) error = NULL;
    cr_assert(sample_tell(story, &error), "%s", error == NULL ? "" : error->message);
}

Test(store, holds_what_happened)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "new", "deep", "run.db", NULL);
    const SampleStory story = small_story(path);
    tell(&story);
    const QueryCase cases[] = {
        {"SELECT scenario, seed, version, crypto_mode, journal_level, start, horizon, \"end\","
         " verdict, reason, digest, crypto_digest IS NULL, cost_nanos, overdue_nanos,"
         " baseline_nanos, net_nanos, currency FROM v_run",
         "small|18446744073709551615|0.0.0-test|all|changes|2025-03-03T00:00:00Z"
         "|2025-03-06T00:00:00Z|2025-03-06T00:00:00Z|violated"
         "|one of two expectations does not hold|" SAMPLE_DIGEST "|1|5030|1000|5100|-70|USD"},
        /* A backup of each vault every 12 hours, an expiry of each every day. */
        {"SELECT job_count, failed_job_count, silent_failure_count FROM v_run", "27|6|2"},
        {"SELECT operation, status, seen, count(*) FROM v_job GROUP BY 1, 2, 3 ORDER BY 1, 2",
         "backup|completed|listed|14\nbackup|failed|listed|4\n"
         "expiry|completed|nobody|7\nexpiry|failed|nobody|2"},
        {"SELECT sum(count) FROM v_jobs_by_hour", "27"},
        {"SELECT operation, instance, policy, datastore, started, ended, duration_us, bytes, point,"
         " code FROM v_job ORDER BY id LIMIT 1",
         "backup|db-1|daily|vault|2025-03-03T00:00:00Z|2025-03-03T00:00:00Z|0|1073741824|1|"},
        {"SELECT count(*) FROM v_failed_jobs WHERE code ="
         " 'UserErrorCMKMissingMangedIdentityPermissionOnKeyVault' AND rule LIKE '%KVE-3%'",
         "6"},
        /* What the service says about a failure, with the key vault's answer inside (ERR-23). */
        {"SELECT DISTINCT message FROM v_job WHERE status = 'failed'",
         "UserErrorCMKMissingMangedIdentityPermissionOnKeyVault: the Backup vault's identity may"
         " not use the key. The key vault answered: 403 Forbidden, inner code ForbiddenByRbac,"
         " action Microsoft.KeyVault/vaults/keys/unwrap/action, resource"
         " https://kv-prod.vault.azure.net/keys/backup-kek (key URI). Give the identity of the"
         " encryption settings get, wrap and unwrap on an RSA key, then repeat the operation."},
        {"SELECT DISTINCT state, \"to\", duration_us FROM v_instance_states",
         "ProtectionConfigured||345600000000"},
        {"SELECT count(message), count(DISTINCT message), count(target) FROM v_failed_jobs",
         "6|1|6"},
        /* BK-16, BK-17, BK-19 */
        {"SELECT DISTINCT operation, shown_as, is_user_triggered, target, is_user_error,"
         " is_retryable, recommended_action LIKE 'Give%' FROM v_job ORDER BY 1, 4",
         "backup|ScheduledBackup|0||||\nbackup|ScheduledBackup|0|identity|1|0|1\n"
         "expiry||0||||\nexpiry||0|identity|1|0|1"},
        {"SELECT name, shown_as, is_user_triggered FROM task_kind WHERE is_user_triggered",
         "restore|Restore|1\nsettings||1\non_demand|OnDemandBackup|1\ndeletion||1"},
        {"SELECT DISTINCT operation, backup_vault FROM v_silent_failures ORDER BY 2",
         "expiry|bv-1\nexpiry|bv-3"},
        {"SELECT DISTINCT refused_operation, refused_status, key, guard, blamed_operation, blamed,"
         " blamed_actor, blamed_step FROM v_why",
         "key.unwrap|FORBIDDEN_BY_RBAC|kv-prod/backup-kek|role-lets-unwrap|role.remove"
         "|2025-03-04T00:00:00Z|fault|revoke"},
        {"SELECT backup_vault, state, \"from\", \"to\", duration_us / 3600000000 FROM"
         " v_state_intervals ORDER BY 1, from_us",
         "bv-1|Enabled|2025-03-02T00:00:00Z|2025-03-04T00:00:00Z|48\n"
         "bv-1|Inconsistent|2025-03-04T00:00:00Z|2025-03-05T00:00:00Z|24\n"
         "bv-1|Enabled|2025-03-05T00:00:00Z||24\n"
         "bv-2|Enabled|2025-03-02T00:00:00Z||96\nbv-3|Enabled|2025-03-02T00:00:00Z||96"},
        {"SELECT fault, \"from\", \"to\", operation, ended_with, ended_by_operation"
         " FROM v_fault_windows",
         "revoke|2025-03-04T00:00:00Z|2025-03-05T00:00:00Z|role.remove|mend-1|role.assign"},
        {"SELECT operation, status, sum(count), count(*) FROM v_requests GROUP BY 1, 2",
         "key.unwrap|FORBIDDEN_BY_RBAC|4|2\nkey.unwrap|OK|14|6"},
        {"SELECT meter, backup_vault, key_vault, is_overdue, quantity, unit, nanos FROM v_cost"
         " WHERE is_overdue OR key_vault IS NOT NULL ORDER BY id",
         "overdue_vault_tier|bv-1||1|200|MB-hours|1000\nkey_operations||kv-prod|0|3|requests|30"},
        /* What is overdue is a part of the bill, not on top of it. */
        {"SELECT * FROM v_cost_by_vault", "bv-1|5000|1000|USD"},
        {"SELECT verdict, violated, detail FROM v_expectations ORDER BY id",
         "held||\nviolated|2025-03-03T01:00:00Z|it was Inconsistent"},
        {"SELECT DISTINCT entity.name FROM entity JOIN entity_kind AS k ON k.id = kind WHERE"
         " k.name IN ('key', 'version', 'principal', 'step') ORDER BY kind, entity.id",
         "kv-prod/backup-kek\nkv-prod/backup-kek/1\nkv-prod/backup-kek/2\nid-backup (principal 1)\n"
         "alice\nrevoke\nmend-1"},
        {"SELECT principal, role, scope_kind, scope, state, is_orphaned, changed_by FROM"
         " v_role_assignments ORDER BY id",
         "id-backup (principal 1)|Key Vault Crypto Service Encryption User|key|kv-prod/backup-kek"
         "|Active|1|1\n"
         "alice|Owner|scope|default resource group|Removing|0|2\n"
         "id-backup (principal 1)|Key Vault Reader|key_vault|kv-prod|Removed|0|3"},
        {"SELECT * FROM v_backup_policies", "bv-1|daily|4"},
        {"SELECT backup_vault, region, deleted, scheduled_purge, changed_by FROM"
         " v_deleted_backup_vaults",
         "bv-1|westeurope|2025-03-03T00:00:00Z|2025-03-17T00:00:00Z|5"},
        {"SELECT seq, time, actor, operation, status, backup_vault FROM v_journal LIMIT 1",
         "1|2025-03-02T00:00:00Z|setup|backup_vault.create|OK|bv-1"},
        {"SELECT (SELECT count(*) FROM operation) > 40, (SELECT count(*) FROM guard) > 40,"
         " (SELECT count(*) FROM status) > 30, (SELECT count(*) FROM rule) > 0",
         "1|1|1|1"},
    };
    check_queries(path, cases, CMK_ARRAY_LEN(cases));
    sample_remove(directory);
}

Test(store, equal_runs_have_equal_contents)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *first = g_build_filename(directory, "first.db", NULL);
    g_autofree char *second = g_build_filename(directory, "second.db", NULL);
    SampleStory story = small_story(first);
    tell(&story);
    story.path = second;
    tell(&story);
    g_autofree char *digest = cmk_store_contents_digest(first, NULL);
    g_autofree char *same = cmk_store_contents_digest(second, NULL);
    cr_assert_not_null(digest);
    cr_expect_str_eq(digest, same);
    g_autofree char *changes = query(first, "SELECT count(*) FROM v_journal");
    g_autofree char *records = query(first, "SELECT record_count FROM v_run");

    story.level = CMK_STORE_LEVEL_FULL;
    tell(&story);
    g_autofree char *full = cmk_store_contents_digest(second, NULL);
    cr_expect_str_neq(digest, full);
    g_autofree char *all = query(second, "SELECT count(*) FROM v_journal");
    cr_expect_str_eq(all, records, "everything is kept at level full");
    /* 14 granted requests are not among the changes. */
    cr_expect_eq(g_ascii_strtoll(records, NULL, 10) - 14, g_ascii_strtoll(changes, NULL, 10));

    story = small_story(second);
    story.faults[0].end += CMK_HOUR_US;
    tell(&story);
    g_autofree char *other = cmk_store_contents_digest(second, NULL);
    cr_expect_str_neq(digest, other, "one moment is another");
    sample_remove(directory);
}

/* Faults that end by themselves, that do not take, that come again; states changed in passing. */
Test(store, follows_faults_and_states)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    SampleStory story = small_story(path);
    story.faults[1] = (SampleFault){.name = "refused", .begin = DAY(1), .end = DAY(2)};
    story.faults[2] = (SampleFault){.name = "lasting", .begin = DAY(1), .end = -1};
    SampleRun run = sample_begin(&story);
    CmkPlanRow *end = cmk_world_row_mut(run.world, CMK_TABLE_PLAN, 2);
    end->kind = CMK_PLAN_FAULT_END;
    end->of = 1;
    for (uint32_t vault = 1; vault <= 3; vault++) {
        CmkBackupVault *row = cmk_world_row_mut(run.world, CMK_TABLE_BACKUP_VAULT, vault);
        row->state = CMK_BACKUP_VAULT_ACTIVE;
        row->encryption = CMK_ENCRYPTION_ENABLED;
    }
    const CmkTime setup = SAMPLE_START - CMK_HOUR_US;
    (void)sample_job(&run, CMK_TASK_SETTINGS, 1, setup, setup, 0);
    (void)sample_job(&run, CMK_TASK_BACKUP, 1, setup, SAMPLE_START, 0);
    CmkRecord fault = {.args = {.op = CMK_OP_ROLE_REMOVE, .actor = CMK_ACTOR_FAULT, .origin = 1}};
    (void)sample_record(&run, DAY(0), fault);
    (void)sample_record(&run, DAY(0) + 1, fault); /* already on */
    CmkRecord its_end = fault;
    its_end.args.origin = 2;
    (void)sample_record(&run, DAY(0) + 2, its_end);
    (void)sample_record(&run, DAY(0) + 3, fault); /* comes again */
    its_end.status = CMK_STATUS_OF(CONFLICT);
    its_end.guard = CMK_GUARD_NAME_IS_FREE;
    (void)sample_record(&run, DAY(0) + 4, its_end); /* refused: goes on */
    CmkRecord refused = fault;
    refused.status = CMK_STATUS_OF(NOT_FOUND);
    refused.guard = CMK_GUARD_IDENTITY_EXISTS;
    refused.args.origin = 3;
    (void)sample_record(&run, DAY(1), refused);
    CmkRecord consequence = fault;
    consequence.args.actor = CMK_ACTOR_PLATFORM;
    consequence.args.origin = 5;
    (void)sample_record(&run, DAY(1), consequence); /* not the fault itself */
    CmkRecord lasting = fault;
    lasting.args.origin = 5;
    (void)sample_record(&run, DAY(1) + 1, lasting);
    /* An operation that names no vault changes two of them. */
    for (uint32_t vault = 2; vault <= 3; vault++) {
        CmkBackupVault *row = cmk_world_row_mut(run.world, CMK_TABLE_BACKUP_VAULT, vault);
        row->encryption = CMK_ENCRYPTION_INCONSISTENT;
    }
    CmkRecord gone = {.args = {.op = CMK_OP_IDENTITY_DELETE, .actor = CMK_ACTOR_STEP}};
    gone.args.ref[CMK_REF_ACTOR] = gone.args.ref[CMK_REF_GRANTEE] = 1;
    gone.args.ref[CMK_REF_SCOPE] = CMK_SCOPE_DEFAULT_SUBSCRIPTION;
    (void)sample_record(&run, DAY(2), gone);
    g_autoptr(GError) error = NULL;
    cr_assert(sample_finish(&run, &error), "%s", error == NULL ? "" : error->message);
    const QueryCase cases[] = {
        {"SELECT operation, is_setup FROM v_job ORDER BY id", "settings|1\nbackup|0"},
        {"SELECT job_count, (SELECT sum(count) FROM v_jobs_by_hour) FROM v_run", "1|1"},
        {"SELECT fault, from_us - 1740960000000000, to_us - 1740960000000000 FROM v_fault_windows"
         " ORDER BY from_us",
         "revoke|0|2\nrevoke|3|\nlasting|86400000001|"},
        {"SELECT backup_vault, state, from_us, to_us FROM v_state_intervals ORDER BY 1, 3",
         "bv-1|Enabled|1740956400000000|\n"
         "bv-2|Enabled|1740956400000000|1741132800000000\n"
         "bv-2|Inconsistent|1741132800000000|\n"
         "bv-3|Enabled|1740956400000000|1741132800000000\n"
         "bv-3|Inconsistent|1741132800000000|"},
        {"SELECT operation, asked_by, grantee, directory_group, scope FROM v_journal"
         " WHERE asked_by IS NOT NULL",
         "identity.delete|alice|alice||default subscription"},
    };
    check_queries(path, cases, CMK_ARRAY_LEN(cases));
    sample_remove(directory);
}

/* More keys in an hour than the table of counters holds at first, and the same again in other
 * orders: nothing of an hour may be left in the next. */
Test(store, counts_requests_by_the_hour)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    const SampleStory story = small_story(path);
    SampleRun run = sample_begin(&story);
    static const uint32_t strides[] = {1, 7, 2999}; /* prime to 3000 */
    for (uint32_t hour = 0; hour < 3; hour++) {
        for (uint32_t i = 0; i < 9000; i++) {
            CmkRecord request = {.args = {.op = i % 2 == 0 ? CMK_OP_KEY_GET : CMK_OP_KEY_WRAP}};
            /* Scattered, so that they collide. */
            request.args.ref[CMK_REF_KEY] =
                1 + (i * strides[hour] % 3000 * UINT32_C(2654435761) >> 8);
            request.status = i % 5 == 0 ? CMK_STATUS_OF(THROTTLED) : CMK_STATUS_OK;
            request.guard = i % 5 == 0 ? CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED : CMK_GUARD_NONE;
            (void)sample_record(&run, SAMPLE_START + hour * CMK_HOUR_US + i, request);
        }
    }
    g_autoptr(GError) error = NULL;
    cr_assert(sample_finish(&run, &error), "%s", error == NULL ? "" : error->message);
    const QueryCase cases[] = {
        {"SELECT sum(count), count(*), count(DISTINCT key), count(DISTINCT hour_us), min(count),"
         " max(count) FROM request_hour",
         "27000|9000|3000|3|3|3"},
        {"SELECT max(n) FROM (SELECT count(*) AS n FROM request_hour GROUP BY hour_us, key, op,"
         " status)",
         "1"},
        {"SELECT operation, status, sum(count) FROM v_requests GROUP BY 1, 2",
         "key.get|OK|10800\nkey.get|THROTTLED|2700\nkey.wrap|OK|10800\nkey.wrap|THROTTLED|2700"},
    };
    check_queries(path, cases, CMK_ARRAY_LEN(cases));
    sample_remove(directory);
}

/* By hand: two windows in the first minute, of which the second asks for more though part of it is
 * throttled, with a neighbour in the last minute; what is turned away fills no window. A request on
 * RSA 2048 is a part in 4000 of a window. */
Test(store, counts_requests_by_the_minute)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    const SampleStory story = small_story(path);
    SampleRun run = sample_begin(&story);
    const struct {
        CmkTime at;
        uint32_t count;
        CmkGuardId guard;
        uint32_t taken_ppm;
    } bursts[] = {{0, 400, CMK_GUARD_NONE, 0},
                  {9 * CMK_SECOND_US, 400, CMK_GUARD_ROLE_LETS_GET, 0},
                  {10 * CMK_SECOND_US, 1000, CMK_GUARD_NONE, 0},
                  {11 * CMK_SECOND_US, 7000, CMK_GUARD_KEY_VAULT_IS_NOT_THROTTLED, 0},
                  {12 * CMK_SECOND_US, 50, CMK_GUARD_FIREWALL_LETS_BACKUP_IN, 0},
                  {13 * CMK_SECOND_US, 60, CMK_GUARD_KEY_VAULT_EXISTS, 0},
                  {2 * CMK_MINUTE_US, 400, CMK_GUARD_NONE, 500000}};
    CmkSettings *settings = cmk_world_row_mut(run.world, CMK_TABLE_SETTINGS, 1);
    CmkRecord request = {.args = {.op = CMK_OP_KEY_GET}};
    request.args.ref[CMK_REF_BACKUP_VAULT] = 1;
    request.args.ref[CMK_REF_KEY_VAULT] = 1;
    request.args.ref[CMK_REF_KEY] = 1;
    (void)sample_record(&run, SAMPLE_START, request); /* of the set-up */
    settings->opened_by = 1;
    for (size_t i = 0; i < CMK_ARRAY_LEN(bursts); i++) {
        CmkKeyVault *vault = cmk_world_row_mut(run.world, CMK_TABLE_KEY_VAULT, 1);
        vault->taken_ppm = bursts[i].taken_ppm;
        request.guard = bursts[i].guard;
        request.status =
            bursts[i].guard == CMK_GUARD_NONE ? CMK_STATUS_OK : CMK_STATUS_OF(CONFLICT);
        for (uint32_t k = 0; k < bursts[i].count; k++) {
            (void)sample_record(&run, SAMPLE_START + bursts[i].at, request);
        }
    }
    g_autoptr(GError) error = NULL;
    cr_assert(sample_finish(&run, &error), "%s", error == NULL ? "" : error->message);
    const QueryCase cases[] = {
        {"SELECT minute, key_vault, answered, throttled, refused, peak_ppm FROM v_request_load",
         "2025-03-03T00:00:00Z|kv-prod|1400|7000|450|2000000\n"
         "2025-03-03T00:02:00Z|kv-prod|400|0|0|600000"},
    };
    check_queries(path, cases, CMK_ARRAY_LEN(cases));
    sample_remove(directory);
}

/* ---- whole or not there ---------------------------------------------------------------------- */

static void feed_jobs(SampleRun *run, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const CmkTime now = SAMPLE_START + (CmkTime)i * CMK_SECOND_US;
        (void)sample_job(run, CMK_TASK_BACKUP, 1 + i % 3, now, now, 0);
    }
}

Test(store, is_whole_or_not_there)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    const SampleStory story = small_story(path);
    const pid_t child = fork();
    if (child == 0) {
        SampleRun run = sample_begin(&story);
        feed_jobs(&run, 100000);
        (void)raise(SIGKILL);
    }
    int status = 0;
    cr_assert_eq(waitpid(child, &status, 0), child);
    cr_expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    cr_expect_not(g_file_test(path, G_FILE_TEST_EXISTS));
    cr_expect_eq(sample_count_files(directory), 1, "the killed run's temporary file");

    /* Two at once: each removes what the killed run has left, and leaves the other alone. */
    SampleRun first = sample_begin(&story);
    SampleRun second = sample_begin(&story);
    cr_expect_eq(sample_count_files(directory), 2);
    feed_jobs(&first, 3000);
    feed_jobs(&second, 5000);
    g_autoptr(GError) error = NULL;
    cr_expect(sample_finish(&second, &error), "%s", error == NULL ? "" : error->message);
    cr_expect_eq(sample_count_files(directory), 2);
    cr_expect(sample_finish(&first, &error), "%s", error == NULL ? "" : error->message);
    cr_expect_eq(sample_count_files(directory), 1);
    g_autofree char *jobs = query(path, "SELECT job_count FROM v_run");
    cr_expect_str_eq(jobs, "3000", "the last to finish stays");

    /* Given up: the older one stays. */
    SampleRun third = sample_begin(&story);
    feed_jobs(&third, 50000);
    cmk_store_abandon(third.store);
    cmk_world_free(third.world);
    cmk_store_abandon(NULL);
    cr_expect_eq(sample_count_files(directory), 1);
    g_autofree char *still = query(path, "SELECT job_count FROM v_run");
    cr_expect_str_eq(still, "3000");
    sample_remove(directory);
}

/* ---- failures -------------------------------------------------------------------------------- */

typedef struct FailureCase {
    const char *name;
    const char *file;   /* below the directory of the test */
    rlim_t size_limit;  /* 0: none */
    const char *reason; /* part of the message */
    bool is_nobody;     /* without the rights of root, in a directory that may not be written */
    bool is_early;      /* known as soon as the store is opened */
} FailureCase;

/* Than the whole file: all rows fit, what is written at the end does not. */
#define ONE_PAGE_LESS ((rlim_t)-1)
#define FAILING_JOBS 30000

static const FailureCase failures[] = {
    {"no right to write", "closed/run.db", 0, "Permission denied", true, true},
    {"no right to make a directory", "closed/new/run.db", 0, "Permission denied", true, true},
    {"a file where a directory should be", "file/run.db", 0, "Not a directory", false, true},
    {"a directory of that name", "closed", 0, "Is a directory", false, false},
    {"size limit of nothing", "run.db", 1, "limit on the size of files", false, false},
    {"size limit in the middle", "run.db", 1 << 20, "limit on the size of files", false, false},
    {"size limit at the end", "run.db", ONE_PAGE_LESS, "limit on the size of files", false, false},
};

/* In a process of its own; what the store says goes to `fd`. */
static void fail_in_child(const FailureCase *failure, const char *path, rlim_t whole_size, int fd)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    if (failure->is_nobody && getuid() == 0 && setuid(NOBODY) != 0) {
        _exit(3);
    }
    if (failure->size_limit != 0) {
        const rlim_t size =
            failure->size_limit == ONE_PAGE_LESS ? whole_size - 4096 : failure->size_limit;
        const struct rlimit limit = {size, size};
        if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
            _exit(3);
        }
    }
    const SampleStory story = small_story(path);
    SampleRun run = sample_begin(&story);
    const bool is_early = cmk_store_has_failed(run.store);
    feed_jobs(&run, FAILING_JOBS);
    g_autoptr(GError) error = NULL;
    if (sample_finish(&run, &error) || error == NULL || error->domain != CMK_STORE_ERROR ||
        error->code != CMK_STORE_ERROR_WRITE || is_early != failure->is_early) {
        _exit(2);
    }
    const size_t length = strlen(error->message);
    _exit(write(fd, error->message, length) == (ssize_t)length ? 0 : 3);
}

static rlim_t size_of_whole_run(const char *directory)
{
    g_autofree char *path = g_build_filename(directory, "whole.db", NULL);
    const SampleStory story = small_story(path);
    SampleRun run = sample_begin(&story);
    feed_jobs(&run, FAILING_JOBS);
    cr_assert(sample_finish(&run, NULL));
    GStatBuf file;
    cr_assert_eq(g_stat(path, &file), 0);
    cr_assert_eq(g_unlink(path), 0);
    return (rlim_t)file.st_size;
}

Test(store, says_why_it_failed)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *closed = g_build_filename(directory, "closed", NULL);
    g_autofree char *file = g_build_filename(directory, "file", NULL);
    cr_assert_eq(g_mkdir(closed, 0555), 0);
    cr_assert_eq(g_chmod(directory, 0755), 0);
    cr_assert(g_file_set_contents(file, "x", 1, NULL));
    const rlim_t whole_size = size_of_whole_run(directory);
    for (size_t i = 0; i < CMK_ARRAY_LEN(failures); i++) {
        g_autofree char *path = g_build_filename(directory, failures[i].file, NULL);
        int ends[2];
        cr_assert_eq(pipe2(ends, O_CLOEXEC), 0);
        const pid_t child = fork();
        if (child == 0) {
            fail_in_child(&failures[i], path, whole_size, ends[1]);
        }
        (void)close(ends[1]);
        char message[1024] = "";
        const ssize_t length = read(ends[0], message, sizeof(message) - 1);
        (void)close(ends[0]);
        int status = 0;
        cr_assert_eq(waitpid(child, &status, 0), child);
        cr_expect(status == 0 && length > 0, "%s: status %#x", failures[i].name, (unsigned)status);
        cr_expect(g_str_has_prefix(message, path) && strstr(message, failures[i].reason) != NULL,
                  "%s: %s", failures[i].name, message);
        cr_expect_eq(sample_count_files(directory), 2, "%s: a file is left", failures[i].name);
        cr_expect_eq(sample_count_files(closed), 0, "%s: a file is left", failures[i].name);
    }
    sample_remove(directory);
}

static void set_pragma(const char *path, const char *sql)
{
    sqlite3 *db = NULL;
    cr_assert_eq(sqlite3_open(path, &db), SQLITE_OK);
    cr_assert_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
    (void)sqlite3_close(db);
}

Test(store, refuses_foreign_databases)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    const SampleStory story = small_story(path);
    const struct {
        const char *pragma;
        int code;
        const char *text;
    } cases[] = {
        {"PRAGMA application_id = 7", CMK_STORE_ERROR_FOREIGN, "not that of a cmksim run"},
        {"PRAGMA user_version = 2", CMK_STORE_ERROR_NEWER, "format 2, this cmksim reads format 1"},
        {NULL, CMK_STORE_ERROR_FOREIGN, "is not an SQLite database"},
    };
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        tell(&story);
        if (cases[i].pragma != NULL) {
            set_pragma(path, cases[i].pragma);
        } else {
            g_autofree char *noise = g_strnfill(9000, 'x');
            cr_assert(g_file_set_contents(path, noise, -1, NULL));
        }
        g_autoptr(GError) error = NULL;
        g_autoptr(sqlite3) db = cmk_store_open_to_read(path, &error);
        cr_assert_null(db);
        cr_expect(g_error_matches(error, CMK_STORE_ERROR, cases[i].code), "%s", error->message);
        cr_expect(strstr(error->message, cases[i].text) != NULL &&
                      g_str_has_prefix(error->message, path),
                  "%s", error->message);
    }
    g_autoptr(GError) error = NULL;
    cr_expect_null(cmk_store_open_to_read("/nowhere/run.db", &error));
    cr_expect(g_error_matches(error, CMK_STORE_ERROR, CMK_STORE_ERROR_READ));
    cr_expect(strstr(error->message, "No such file") != NULL, "%s", error->message);

    /* Cut short: an error, not a crash and not a digest. */
    tell(&story);
    g_clear_error(&error);
    cr_assert_eq(truncate(path, 3 * 4096), 0);
    cr_expect_null(cmk_store_contents_digest(path, &error));
    cr_expect(error != NULL && error->domain == CMK_STORE_ERROR);
    sample_remove(directory);
}

/* ---- the documented views -------------------------------------------------------------------- */

/* docs/database.md has a heading `### v_name` for each view, and below it a table whose rows begin
 * with `| column |`, in the order of the view. */
static char *documented_columns(const char *text, const char *view)
{
    GString *columns = g_string_new(NULL);
    g_autofree char *heading = g_strdup_printf("\n### %s\n", view);
    const char *at = strstr(text, heading);
    const char *end = at == NULL ? NULL : strstr(at + strlen(heading), "\n### ");
    g_auto(GStrv) lines = g_strsplit(at == NULL ? "" : at + strlen(heading), "\n", -1);
    const ptrdiff_t length = end == NULL ? PTRDIFF_MAX : end - at;
    ptrdiff_t seen = (ptrdiff_t)strlen(heading);
    for (char **line = lines; *line != NULL && seen < length; line++) {
        seen += (ptrdiff_t)strlen(*line) + 1;
        if (g_str_has_prefix(*line, "| `")) {
            g_autofree char *name = g_strndup(*line + 3, strcspn(*line + 3, "`"));
            g_string_append_printf(columns, "%s%s", columns->len > 0 ? "\n" : "", name);
        }
    }
    return g_string_free(columns, FALSE);
}

Test(store, views_are_documented)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    const SampleStory story = small_story(path);
    tell(&story);
    g_autofree char *text = NULL;
    cr_assert(g_file_get_contents("docs/database.md", &text, NULL, NULL));
    g_autofree char *names =
        query(path, "SELECT name FROM sqlite_schema WHERE type = 'view' ORDER BY name");
    g_auto(GStrv) views = g_strsplit(names, "\n", -1);
    cr_expect_eq(g_strv_length(views), 21);
    for (char **view = views; *view != NULL; view++) {
        g_autofree char *sql = g_strdup_printf("SELECT name FROM pragma_table_info('%s')", *view);
        g_autofree char *columns = query(path, sql);
        g_autofree char *documented = documented_columns(text, *view);
        cr_expect_str_eq(documented, columns, "docs/database.md, %s:\n%s\nthe view has:\n%s", *view,
                         documented, columns);
        g_autofree char *all = g_strdup_printf("SELECT count(*) FROM (SELECT * FROM %s)", *view);
        g_autofree char *count = query(path, all);
        cr_expect_str_neq(count, "0", "%s has no rows", *view);
    }
    sample_remove(directory);
}

/* Printed, not asserted: machines differ. */
Test(store, is_fast_enough_to_print)
{
    g_autofree char *directory = sample_directory();
    g_autofree char *path = g_build_filename(directory, "run.db", NULL);
    const SampleStory story = small_story(path);
    SampleRun run = sample_begin(&story);
    const uint32_t count = 1000000;
    const int64_t begin = g_get_monotonic_time();
    feed_jobs(&run, count);
    const int64_t fed = g_get_monotonic_time();
    g_autoptr(GError) error = NULL;
    cr_assert(sample_finish(&run, &error), "%s", error == NULL ? "" : error->message);
    const int64_t end = g_get_monotonic_time();
    g_printerr("%u jobs, 2 rows each: fed in %.2f s, finished in %.2f s, %.0f k rows/s\n", count,
               (double)(fed - begin) / 1e6, (double)(end - begin) / 1e6,
               2e3 * count / (double)(end - begin));
    g_autofree char *jobs = query(path, "SELECT count(*), sum(bytes) > 0 FROM v_job");
    cr_expect_str_eq(jobs, "1000000|1");
    sample_remove(directory);
}
