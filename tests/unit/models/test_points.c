/* Recovery points: how large they are, when they go, what stays too long, and that no byte is made
 * or lost on the way (section 10). Backups are at 02:00 and take half an hour, maintenance is at
 * 06:00. */
#include <criterion/criterion.h>

#include <inttypes.h>
#include <string.h>

#include "models/gauge.h"
#include "models/plan.h"
#include "models/points.h"
#include "tests/unit/models/random_plan.h"

#define SIZE (144 * GB)
#define CHANGE 10000 /* 1 % a day: 1 MB a minute, so that nothing is rounded */
#define DAILY (SIZE / 100)
#define FULL_DATASOURCE "AzureDatabaseForMySQL"

static Estate *make(EstateOptions options)
{
    options.size_bytes = SIZE;
    options.daily_change_ppm = CHANGE;
    Estate *estate = estate_new(&options);
    cr_assert_str_eq(estate->trouble, "");
    return estate;
}

static int64_t level(const Estate *estate, CmkGaugeKind kind)
{
    return cmk_gauge_level(estate->sim.world, (CmkBackupVaultId){ESTATE_VAULT}, kind);
}

/* Byte-hours since the start of the scenario; must come out even. */
static int64_t byte_hours(const Estate *estate, CmkGaugeKind kind)
{
    const CmkIntegral integral =
        cmk_gauge_integral(estate->sim.world, (CmkBackupVaultId){ESTATE_VAULT}, kind);
    cr_assert_eq((int64_t)(integral % (uint64_t)CMK_HOUR_US), 0);
    return (int64_t)(integral / (uint64_t)CMK_HOUR_US);
}

static void run_to(Estate *estate, int64_t day, int64_t hour)
{
    estate_run_until(estate, ESTATE_START + day * CMK_DAY_US + hour * CMK_HOUR_US);
}

/* BK-7: a whole copy first, then what has changed; or a whole copy each time. */
Test(points, sizes_and_expiry_by_hand)
{
    const struct {
        const char *datasource;
        int64_t first, next;
    } kinds[] = {{"AzureDataLakeStorage", SIZE, DAILY}, {FULL_DATASOURCE, SIZE, SIZE}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds); i++) {
        const char *name = kinds[i].datasource;
        Estate *estate = make((EstateOptions){.datasource = name, .retention_days = 3});
        run_to(estate, 0, 2);
        cr_assert_eq(level(estate, CMK_GAUGE_VAULT), 0, "%s", name);
        for (int64_t day = 0; day < 3; day++) {
            run_to(estate, day, 3);
            cr_assert_eq(level(estate, CMK_GAUGE_VAULT), kinds[i].first + day * kinds[i].next,
                         "%s, day %" PRId64, name, day);
        }
        /* From now on each day one point more at 02:30 and one less at 06:00. */
        for (int64_t day = 3; day < 20; day++) {
            run_to(estate, day, 5);
            cr_assert_eq(level(estate, CMK_GAUGE_VAULT), kinds[i].first + 3 * kinds[i].next,
                         "%s, day %" PRId64, name, day);
            run_to(estate, day, 6);
            cr_assert_eq(level(estate, CMK_GAUGE_VAULT), kinds[i].first + 2 * kinds[i].next,
                         "%s, day %" PRId64, name, day);
            /* The oldest that is left stands for the whole copy. */
            const CmkPointId oldest = estate_point(estate, CMK_POINT_OLDEST);
            cr_assert_eq(cmk_point(estate->sim.world, oldest)->bytes, kinds[i].first);
            cr_assert_eq(cmk_queue(estate->sim.world, (CmkQueueId){1})->point_count, 3);
        }
        /* 3.5 h on the first day, 24 h each on the next two, ... : the whole copy all the time. */
        cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), 0);
        cr_assert_eq(byte_hours(estate, CMK_GAUGE_OVERDUE_VAULT), 0);
        cr_assert_leq(cmk_world_count(estate->sim.world, CMK_TABLE_POINT), 4, "rows are recycled");
        estate_free(estate);
    }
}

/* A point is due at its very moment; maintenance that comes a microsecond before leaves it. */
Test(points, expiry_is_due_at_its_moment)
{
    Estate *estate = make((EstateOptions){.retention_days = 1});
    run_to(estate, 1, 1);
    const CmkQueueId queue = {1};
    const CmkTime expires = cmk_point_expires(estate->sim.world, (CmkPointId){1});
    cr_assert_eq(expires, ESTATE_START + 26 * CMK_HOUR_US, "from the backup's start (BK-8)");
    cr_assert_eq(estate_count(estate, CMK_OP_EXPIRY_START), 0);
    run_to(estate, 2, 0);
    cr_assert_eq(estate_count(estate, CMK_OP_EXPIRY_START), 1);
    cr_assert_eq(cmk_queue(estate->sim.world, queue)->point_count, 1);
    estate_free(estate);
}

/* BK-24, BK-32: after two days to the archive, after four gone. */
Test(points, tiering_by_hand)
{
    Estate *estate = make(
        (EstateOptions){.datasource = FULL_DATASOURCE, .archive_days = 2, .retention_days = 4});
    estate_rewind(estate);
    run_to(estate, 2, 5);
    cr_assert_eq(level(estate, CMK_GAUGE_VAULT), 3 * SIZE);
    run_to(estate, 2, 6);
    cr_assert_eq(level(estate, CMK_GAUGE_VAULT), 2 * SIZE);
    cr_assert_eq(level(estate, CMK_GAUGE_ARCHIVE), SIZE);
    cr_assert_eq(estate_count(estate, CMK_OP_KEY_WRAP), 1, "tiering wraps (BK-32)");
    run_to(estate, 10, 6);
    cr_assert_eq(level(estate, CMK_GAUGE_VAULT), 2 * SIZE);
    cr_assert_eq(level(estate, CMK_GAUGE_ARCHIVE), 2 * SIZE);
    cr_assert_eq(estate_count(estate, CMK_OP_POINT_TIER), 9);
    cr_assert_eq(estate_count(estate, CMK_OP_POINT_EXPIRE), 7);
    /* One copy for 24 h from 06:00 on day 2, two from 06:00 on day 3 on. */
    cr_assert_eq(byte_hours(estate, CMK_GAUGE_ARCHIVE), SIZE * (24 + 7 * 48));
    /* COST-21: each is in the archive for two days of 180. */
    cr_assert_eq(byte_hours(estate, CMK_GAUGE_EARLY_DELETION), SIZE * 24 * (180 - 2) * 7);
    cr_assert_eq(level(estate, CMK_GAUGE_LATE_TIERING), 0);
    estate_free(estate);
}

/* COST-21: at 180 days there is nothing to charge any more. */
Test(points, early_deletion_ends_at_180_days)
{
    const struct {
        int64_t retention_days;
        int64_t short_days;
    } cases[] = {{180, 1}, {181, 0}, {182, 0}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make((EstateOptions){.datasource = FULL_DATASOURCE,
                                              .archive_days = 1,
                                              .retention_days = cases[i].retention_days,
                                              .is_not_self_checking = true});
        run_to(estate, cases[i].retention_days, 7);
        cr_assert_eq(estate_count(estate, CMK_OP_POINT_EXPIRE), 1);
        cr_assert_eq(byte_hours(estate, CMK_GAUGE_EARLY_DELETION), SIZE * 24 * cases[i].short_days,
                     "%" PRId64 " days", cases[i].retention_days);
        estate_free(estate);
    }
}

/* BK-22, COST-22: access is lost on day 3 at 12:00 and comes back on day 7 at 00:00. The points of
 * days 1, 2 and 3 should have gone on days 4, 5 and 6 and go on day 7. */
Test(points, what_is_overdue_by_hand)
{
    const struct {
        const char *datasource;
        int64_t freed; /* by each expiry */
        int64_t last;  /* by that of the last point */
    } kinds[] = {{FULL_DATASOURCE, SIZE, SIZE}, {"AzureDataLakeStorage", DAILY, SIZE + 0}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(kinds); i++) {
        Estate *estate =
            make((EstateOptions){.datasource = kinds[i].datasource, .retention_days = 3});
        run_to(estate, 3, 12);
        (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        run_to(estate, 4, 7);
        cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), kinds[i].freed);
        run_to(estate, 5, 7);
        cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), 2 * kinds[i].freed);
        run_to(estate, 6, 7);
        /* The youngest has nothing after it to hand its copy to: all its bytes are too many. */
        const int64_t youngest = i == 0 ? SIZE : DAILY;
        cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), 2 * kinds[i].freed + youngest);
        run_to(estate, 7, 0);
        (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
        run_to(estate, 7, 7);
        cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), 0);
        cr_assert_eq(byte_hours(estate, CMK_GAUGE_OVERDUE_VAULT),
                     24 * (3 * kinds[i].freed + 2 * kinds[i].freed + youngest));
        cr_assert_eq(estate_count(estate, CMK_OP_POINT_OVERDUE), 3, "each is named once");
        /* The backup of day 7 alone is left: 4 days of change for the increment. */
        cr_assert_eq(level(estate, CMK_GAUGE_VAULT), SIZE);
        estate_free(estate);
    }
}

/* A missed move to the archive costs the difference, until the point should be gone altogether. */
Test(points, late_tiering_by_hand)
{
    Estate *estate = make(
        (EstateOptions){.datasource = FULL_DATASOURCE, .archive_days = 2, .retention_days = 4});
    run_to(estate, 1, 12);
    (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
    run_to(estate, 3, 12); /* the points of days 0 and 1 should be in the archive */
    cr_assert_eq(level(estate, CMK_GAUGE_LATE_TIERING), 2 * SIZE);
    run_to(estate, 4, 12); /* that of day 0 should be gone */
    cr_assert_eq(level(estate, CMK_GAUGE_LATE_TIERING), SIZE);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), SIZE);
    (void)estate_must(estate, CMK_OP_ROLE_ASSIGN);
    run_to(estate, 5, 12);
    cr_assert_eq(level(estate, CMK_GAUGE_LATE_TIERING), 0);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), 0);
    /* Day 0: 06:00 of day 2 to 06:00 of day 4. Day 1: day 3 to day 5, and then it is gone. */
    cr_assert_eq(byte_hours(estate, CMK_GAUGE_LATE_TIERING), SIZE * (48 + 48));
    cr_assert_eq(byte_hours(estate, CMK_GAUGE_OVERDUE_VAULT), SIZE * 24);
    run_to(estate, 7, 12); /* and the next one, of day 5, is moved on its day */
    cr_assert_eq(level(estate, CMK_GAUGE_ARCHIVE), SIZE);
    estate_free(estate);
}

/* BK-26, BK-29: 15 h until a point is back from the archive, then the restore, which asks twice. */
Test(points, restores_from_each_tier)
{
    Estate *estate = make(
        (EstateOptions){.datasource = FULL_DATASOURCE, .archive_days = 1, .retention_days = 30});
    run_to(estate, 3, 8);
    const struct {
        CmkPointChoice choice;
        CmkTier tier;
        int64_t hours;
    } cases[] = {{CMK_POINT_LATEST, CMK_TIER_VAULT, 1},
                 {CMK_POINT_OLDEST, CMK_TIER_ARCHIVE, 16},
                 {CMK_POINT_LATEST_ARCHIVE, CMK_TIER_ARCHIVE, 16}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        estate_rewind(estate);
        CmkArgs args = estate_args(estate, CMK_OP_BACKUP_RESTORE);
        const CmkPointId point = estate_point(estate, cases[i].choice);
        cr_assert_eq(cmk_point(estate->sim.world, point)->tier, cases[i].tier);
        args.ref[CMK_REF_POINT] = point.i;
        (void)estate_must_apply(estate, args);
        const CmkTime start = cmk_world_now(estate->sim.world);
        estate_run(estate, 17 * CMK_HOUR_US);
        const CmkRecord *commit = estate_last(estate, CMK_OP_RESTORE_COMMIT);
        cr_assert_eq(commit->time - start, cases[i].hours * CMK_HOUR_US, "case %zu", i);
        cr_assert_eq(commit->result, point.i);
    }
    cr_assert_eq(estate_point(estate, CMK_POINT_LATEST_OPERATIONAL).i, 0);
    const CmkArgs of_idle = {.op = CMK_OP_BACKUP_RESTORE,
                             .ref = {[CMK_REF_INSTANCE] = ESTATE_IDLE_INSTANCE},
                             .num = {CMK_POINT_OLDEST}};
    cr_assert_eq(cmk_plan_choose_point(estate->sim.world, &of_idle).i, 0);
    estate_free(estate);
}

/* An instance with snapshots has two queues, and a choice is among both. */
Test(points, choices_are_among_all_queues)
{
    Estate *estate = make((EstateOptions){
        .datasource = "AzureKubernetesService", .has_operational = true, .retention_days = 10});
    run_to(estate, 5, 12);
    const struct {
        CmkPointChoice choice;
        CmkTier tier;
        int64_t day;
    } cases[] = {{CMK_POINT_OLDEST, CMK_TIER_VAULT, 0},
                 {CMK_POINT_LATEST_OPERATIONAL, CMK_TIER_OPERATIONAL, 5}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        const CmkPointId id = estate_point(estate, cases[i].choice);
        const CmkPoint *point = cmk_point(estate->sim.world, id);
        cr_assert_eq(point->tier, cases[i].tier, "case %zu", i);
        cr_assert_eq(point->created, ESTATE_START + cases[i].day * CMK_DAY_US + 2 * CMK_HOUR_US,
                     "case %zu", i);
    }
    /* Snapshots last two days, whatever the key does (BV-17, BK-36). */
    cr_assert_eq(level(estate, CMK_GAUGE_OPERATIONAL), SIZE + DAILY);
    (void)estate_must(estate, CMK_OP_KEY_DELETE);
    run_to(estate, 9, 12);
    cr_assert_eq(level(estate, CMK_GAUGE_OPERATIONAL), SIZE + DAILY);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), 0);
    estate_free(estate);
}

/* Where no key is in the way Backup itself may be: snapshots that it does not remove cost on as
 * what they are, until it works again. */
Test(points, overdue_snapshots_are_told_from_overdue_points_in_the_vault)
{
    Estate *estate = make((EstateOptions){
        .datasource = "AzureKubernetesService", .has_operational = true, .retention_days = 30});
    run_to(estate, 5, 12);
    (void)estate_must(estate, CMK_OP_SERVICE_FAIL);
    run_to(estate, 7, 12);
    cr_assert_gt(level(estate, CMK_GAUGE_OVERDUE_SNAPSHOTS), 0);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), 0);
    (void)estate_must(estate, CMK_OP_SERVICE_RECOVER);
    run_to(estate, 8, 12);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_SNAPSHOTS), 0);
    estate_free(estate);
}

/* A point that expires while it is on its way back is not restored, nor is the one that has taken
 * over its row. */
Test(points, a_restore_does_not_confuse_points)
{
    Estate *estate = make((EstateOptions){.retention_days = 1});
    run_to(estate, 1, 5);
    estate_run(estate, CMK_MINUTE_US);
    CmkArgs args = estate_args(estate, CMK_OP_BACKUP_RESTORE);
    args.ref[CMK_REF_POINT] = 1; /* of day 0, to be removed at 06:00 */
    (void)estate_must_apply(estate, args);
    run_to(estate, 1, 7);
    cr_assert_eq(estate_last(estate, CMK_OP_RESTORE_COMMIT)->guard, CMK_GUARD_POINT_EXISTS);
    cr_assert_eq(estate_last(estate, CMK_OP_TASK_FAIL)->args.num[0],
                 CMK_STATUS_OF(POINT_NOT_FOUND));
    estate_free(estate);
}

/* ---- no byte is made or lost ----------------------------------------------------------------- */

#define TIERS (CMK_TIER_ARCHIVE + 1)

/* What became of the bytes of one tier. */
typedef struct Ledger {
    int64_t stored; /* by its points, as they are now */
    int64_t written;
    int64_t expired;
    int64_t purged;
    int64_t moved; /* to another tier, less what came from there */
} Ledger;

typedef struct Conservation {
    uint64_t seed;
    Ledger tiers[TIERS];
    uint32_t overdue; /* how often anything was */
} Conservation;

static int64_t sum_of_points(const CmkWorld *world, bool (*counts)(const CmkPoint *point),
                             bool is_overdue_bytes)
{
    int64_t sum = 0;
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_POINT); i++) {
        const CmkPoint *point = cmk_point(world, (CmkPointId){i});
        if (point->is_live && counts(point)) {
            sum += is_overdue_bytes ? point->overdue_bytes : point->bytes;
        }
    }
    return sum;
}

static int64_t level_of_all(const CmkWorld *world, CmkGaugeKind kind)
{
    int64_t sum = 0;
    for (uint32_t i = 1; i <= cmk_world_count(world, CMK_TABLE_BACKUP_VAULT); i++) {
        sum += cmk_gauge_level(world, (CmkBackupVaultId){i}, kind);
    }
    return sum;
}

static bool is_operational(const CmkPoint *point)
{
    return point->tier == CMK_TIER_OPERATIONAL;
}

static bool is_in_vault(const CmkPoint *point)
{
    return point->tier == CMK_TIER_VAULT;
}

static bool is_in_archive(const CmkPoint *point)
{
    return point->tier == CMK_TIER_ARCHIVE;
}

static bool is_overdue_in_vault(const CmkPoint *point)
{
    return point->is_expiry_overdue && point->tier == CMK_TIER_VAULT;
}

static bool is_overdue_snapshot(const CmkPoint *point)
{
    return point->is_expiry_overdue && point->tier == CMK_TIER_OPERATIONAL;
}

static bool is_overdue_in_archive(const CmkPoint *point)
{
    return point->is_expiry_overdue && point->tier == CMK_TIER_ARCHIVE;
}

static bool is_late(const CmkPoint *point)
{
    return point->is_tiering_overdue;
}

/* Enters what a record has changed: a backup adds to its tier what its point holds, removals take
 * away, and what moves is added elsewhere. Nothing else touches a byte. */
static void enter(Conservation *conservation, const CmkWorld *world, const CmkRecord *record,
                  const int64_t change[TIERS])
{
    const CmkOpId op = record->status == CMK_STATUS_OK ? record->args.op : CMK_OP_NONE;
    const bool is_backup = op == CMK_OP_BACKUP_COMMIT;
    const bool is_expiry = op == CMK_OP_POINT_EXPIRE;
    const bool is_purge = op == CMK_OP_POINT_PURGE;
    const bool is_move = op == CMK_OP_POINT_TIER;
    const int64_t sum = change[0] + change[1] + change[2];
    if (!is_backup && !is_expiry && !is_purge && !is_move) {
        cr_assert(change[0] == 0 && change[1] == 0 && change[2] == 0,
                  "seed %" PRIu64 ", record %" PRIu64, conservation->seed, record->seq);
        return;
    }
    const CmkPoint *point = cmk_point(world, (CmkPointId){record->result});
    Ledger *ledger = &conservation->tiers[point->tier];
    if (is_backup) {
        cr_assert_eq(change[point->tier], point->bytes);
        cr_assert_eq(sum, point->bytes);
        ledger->written += sum;
        return;
    }
    cr_assert(is_move ? sum == 0 && change[CMK_TIER_ARCHIVE] == point->bytes : sum <= 0);
    ledger->expired -= is_expiry ? sum : 0;
    ledger->purged -= is_purge ? sum : 0;
    for (uint32_t tier = 0; tier < TIERS; tier++) {
        const int64_t gone = tier == point->tier ? sum : 0;
        conservation->tiers[tier].moved -= change[tier] - gone;
    }
}

static void read_bytes(void *self, const CmkWorld *world, const CmkRecord *record)
{
    static const struct {
        bool (*counts)(const CmkPoint *point);
        CmkGaugeKind gauge;
    } tiers[TIERS] = {[CMK_TIER_OPERATIONAL] = {is_operational, CMK_GAUGE_OPERATIONAL},
                      [CMK_TIER_VAULT] = {is_in_vault, CMK_GAUGE_VAULT},
                      [CMK_TIER_ARCHIVE] = {is_in_archive, CMK_GAUGE_ARCHIVE}};
    Conservation *conservation = self;
    int64_t change[TIERS];
    for (uint32_t tier = 0; tier < TIERS; tier++) {
        const int64_t stored = sum_of_points(world, tiers[tier].counts, false);
        change[tier] = stored - conservation->tiers[tier].stored;
        conservation->tiers[tier].stored = stored;
        cr_assert_eq(level_of_all(world, tiers[tier].gauge), stored,
                     "seed %" PRIu64 ", record %" PRIu64 ", tier %u", conservation->seed,
                     record->seq, tier);
    }
    enter(conservation, world, record, change);
    const int64_t overdue = level_of_all(world, CMK_GAUGE_OVERDUE_VAULT);
    cr_assert_eq(overdue, sum_of_points(world, is_overdue_in_vault, true));
    cr_assert_eq(level_of_all(world, CMK_GAUGE_OVERDUE_SNAPSHOTS),
                 sum_of_points(world, is_overdue_snapshot, true));
    cr_assert_eq(level_of_all(world, CMK_GAUGE_OVERDUE_ARCHIVE),
                 sum_of_points(world, is_overdue_in_archive, true));
    cr_assert_eq(level_of_all(world, CMK_GAUGE_LATE_TIERING), sum_of_points(world, is_late, false));
    conservation->overdue += overdue != 0;
}

/* Of each tier: stored = written - expired - purged - moved; and each of them does happen. */
Test(points, no_byte_is_made_or_lost)
{
    uint32_t overdue = 0;
    uint32_t purged = 0;
    uint32_t archived = 0;
    for (uint64_t seed = 1; seed <= 240; seed++) {
        CmkPlanRow rows[RANDOM_PLAN_ROWS];
        EstateOptions options = random_plan(seed, rows);
        options.is_not_self_checking = true;
        Conservation conservation = {.seed = seed};
        Estate *estate = estate_new_read(&options, &(CmkReader){read_bytes, &conservation}, 1);
        estate_run(estate, (RANDOM_PLAN_DAYS + 8) * CMK_DAY_US);
        int64_t moved = 0;
        for (uint32_t tier = 0; tier < TIERS; tier++) {
            const Ledger *ledger = &conservation.tiers[tier];
            cr_assert_eq(ledger->stored,
                         ledger->written - ledger->expired - ledger->purged - ledger->moved,
                         "seed %" PRIu64 ", tier %u", seed, tier);
            moved += ledger->moved;
            purged += ledger->purged > 0;
        }
        cr_assert_eq(moved, 0, "what leaves one tier comes into another");
        archived += conservation.tiers[CMK_TIER_ARCHIVE].moved < 0;
        overdue += conservation.overdue > 0;
        estate_free(estate);
    }
    cr_assert_gt(overdue, 5, "hardly any run had overdue points: %u", overdue);
    cr_assert_gt(archived, 5, "hardly any run moved points: %u", archived);
    cr_assert_gt(purged, 0, "no run purged points");
}

/* A point whose expiry is overdue may still be moved: what it costs too much moves with it. */
Test(points, an_overdue_point_that_is_moved_stays_overdue)
{
    Estate *estate = make((EstateOptions){.datasource = FULL_DATASOURCE, .archive_days = 5});
    run_to(estate, 1, 0);
    (void)estate_must(estate, CMK_OP_POINT_OVERDUE);
    (void)estate_must(estate, CMK_OP_POINT_TIER);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_VAULT), 0);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_ARCHIVE), SIZE);
    (void)estate_must(estate, CMK_OP_POINT_EXPIRE);
    cr_assert_eq(level(estate, CMK_GAUGE_OVERDUE_ARCHIVE), 0);
    estate_free(estate);
}

/* OQ-24, BK-31: the key is asked before anything is brought back from the archive, so that a
 * refusal comes at once and costs nothing; and again at the commit. */
Test(points, a_restore_from_the_archive_asks_for_the_key_first)
{
    const struct {
        int64_t revoked_after_us, failed_after_us;
        uint32_t copies;
    } cases[] = {{0, 0, 0}, {CMK_HOUR_US, 16 * CMK_HOUR_US, 1}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make((EstateOptions){
            .datasource = FULL_DATASOURCE, .archive_days = 1, .retention_days = 30});
        run_to(estate, 3, 7); /* no backup or maintenance comes until all is over */
        const CmkTime start = cmk_world_now(estate->sim.world);
        if (cases[i].revoked_after_us == 0) {
            (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
            estate_run(estate, CMK_HOUR_US);
        }
        const CmkTime asked = cmk_world_now(estate->sim.world);
        CmkArgs args = estate_args(estate, CMK_OP_BACKUP_RESTORE);
        args.ref[CMK_REF_POINT] = estate_point(estate, CMK_POINT_OLDEST).i;
        (void)estate_must_apply(estate, args);
        if (cases[i].revoked_after_us != 0) {
            estate_run_until(estate, start + cases[i].revoked_after_us);
            (void)estate_must(estate, CMK_OP_ROLE_REMOVE);
        }
        estate_run(estate, 17 * CMK_HOUR_US);
        const CmkRecord *end = estate_last(estate, CMK_OP_TASK_FAIL);
        cr_assert_not_null(end, "case %zu", i);
        cr_assert_eq(end->time - asked, cases[i].failed_after_us, "case %zu", i);
        cr_assert_eq(estate_count(estate, CMK_OP_POINT_REHYDRATE), cases[i].copies, "case %zu", i);
        cr_assert_eq(estate_count(estate, CMK_OP_RESTORE_COMMIT), 0, "case %zu", i);
        estate_free(estate);
    }
}

/* BK-26, BK-29: 15 h or 1 h, then the restore of an hour; the copy stays for a week, and is paid
 * for, so that a second restore in that time waits for nothing. */
Test(points, an_archived_point_comes_back_and_stays_for_a_while)
{
    const struct {
        CmkRehydration priority;
        int64_t hours;
    } cases[] = {{CMK_REHYDRATION_STANDARD, 16}, {CMK_REHYDRATION_HIGH, 2}};
    for (size_t i = 0; i < CMK_ARRAY_LEN(cases); i++) {
        Estate *estate = make((EstateOptions){
            .datasource = FULL_DATASOURCE, .archive_days = 1, .retention_days = 30});
        run_to(estate, 3, 0);
        CmkArgs args = estate_args(estate, CMK_OP_BACKUP_RESTORE);
        args.ref[CMK_REF_POINT] = 1;
        args.num[1] = cases[i].priority;
        const int64_t days[] = {3, 5, 20};
        const int64_t hours[] = {cases[i].hours, 1, cases[i].hours};
        for (uint32_t n = 0; n < CMK_ARRAY_LEN(days); n++) {
            run_to(estate, days[n], 0);
            (void)estate_must_apply(estate, args);
            run_to(estate, days[n], 23);
            const CmkRecord *record = estate_nth(estate, CMK_OP_RESTORE_COMMIT, n);
            cr_assert_not_null(record);
            cr_assert_eq(record->time, ESTATE_START + days[n] * CMK_DAY_US + hours[n] * CMK_HOUR_US,
                         "%zu, restore %u", i, n);
        }
        /* The first copy had its week, the last one has been there since its rehydration. */
        cr_assert_eq(byte_hours(estate, CMK_GAUGE_REHYDRATED),
                     (7 * 24 + 23 - (cases[i].hours - 1)) * SIZE);
        cr_assert_eq(level(estate, CMK_GAUGE_REHYDRATED), SIZE);
        run_to(estate, 40, 0); /* the point expires with its copy, or after it */
        cr_assert_eq(level(estate, CMK_GAUGE_REHYDRATED), 0);
        estate_free(estate);
    }
}
