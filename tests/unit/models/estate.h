/*
 * A small estate for tests of the model, built through operations like a scenario's: two key
 * vaults, three keys, two identities, one Backup vault with one protected instance; beside them one
 * name of each kind under which nothing lives, and people. Time begins 25 hours before the scenario
 * does, and schedules long before that.
 *
 * The handles are constants, so plans and tables can name them before there is a world.
 */
#ifndef CMK_TESTS_UNIT_MODELS_ESTATE_H
#define CMK_TESTS_UNIT_MODELS_ESTATE_H

#include "models/model.h"
#include "sim/engine.h"

/* Monday 2025-03-03T00:00:00Z */
#define ESTATE_START (INT64_C(1740960000) * CMK_SECOND_US)
#define ESTATE_SETUP (ESTATE_START - 25 * CMK_HOUR_US)
#define ESTATE_SEED 7
#define GB INT64_C(1000000000)

enum {
    ESTATE_KV = 1,   /* West Europe: where the key of the settings is */
    ESTATE_SPARE_KV, /* Italy North: no failover */
    ESTATE_ABSENT_KV,

    ESTATE_KEY = 1,    /* in ESTATE_KV, RSA 2048, of the settings */
    ESTATE_OTHER_KEY,  /* in ESTATE_KV, RSA 2048 unless the options say otherwise */
    ESTATE_SPARE_KEY,  /* in ESTATE_SPARE_KV, RSA 3072 */
    ESTATE_ABSENT_KEY, /* in ESTATE_KV */
    ESTATE_TWIN_KEY,   /* under the name of ESTATE_KEY, in ESTATE_ABSENT_KV: nothing lives there */
    ESTATE_SPARE_TWIN_KEY, /* likewise, in ESTATE_SPARE_KV */
    ESTATE_HSM_KEY,        /* in ESTATE_HSM, RSA-HSM 2048, of the settings if `uses_hsm` */
    ESTATE_OTHER_HSM_KEY,  /* in ESTATE_HSM, RSA-HSM 3072 */
    ESTATE_ABSENT_HSM_KEY, /* in ESTATE_HSM */
    ESTATE_NEW_HSM_KEY,    /* under the name of ESTATE_HSM_KEY, in ESTATE_NEW_HSM: nothing */

    /* These are there with `uses_hsm` only. */
    ESTATE_HSM = 1,    /* West Europe, active */
    ESTATE_NEW_HSM,    /* West Europe, not activated */
    ESTATE_ABSENT_HSM, /* and three more names */

    ESTATE_SECRET = 1, /* in ESTATE_KV; nothing is there */

    ESTATE_RESOURCE_GUARD = 1, /* excludes nothing; no vault is tied to either */
    ESTATE_LENIENT_GUARD,      /* excludes all that can be */

    ESTATE_IDENTITY = 1,   /* attached; of the settings unless they use the system's */
    ESTATE_OTHER_IDENTITY, /* attached, with rights on ESTATE_KV */
    ESTATE_LOOSE_IDENTITY, /* exists, not attached */
    ESTATE_ABSENT_IDENTITY,

    ESTATE_VAULT = 1,
    ESTATE_ABSENT_VAULT,

    ESTATE_MANAGEMENT_GROUP = CMK_SCOPE__FIRST_DECLARED,
    ESTATE_SUBSCRIPTION,   /* in ESTATE_MANAGEMENT_GROUP */
    ESTATE_RESOURCE_GROUP, /* in ESTATE_SUBSCRIPTION: of all resources but ESTATE_SPARE_KV */
    ESTATE_GUARD_GROUP,    /* of resource guards, in another subscription */

    ESTATE_NOBODY = 1, /* a user, without any rights as the others are */
    ESTATE_ALICE,
    ESTATE_GROUP, /* without members */

    ESTATE_INSTANCE = 1,      /* protected from the start */
    ESTATE_IDLE_INSTANCE,     /* in ESTATE_VAULT, not protected */
    ESTATE_HOMELESS_INSTANCE, /* in ESTATE_ABSENT_VAULT */

    ESTATE_OTHER_GROUP = 2, /* a resource group to move to; nobody looks into it */

    ESTATE_OFFICE = 1,   /* 203.0.113.0/24 */
    ESTATE_DESK,         /* 203.0.113.17/32 */
    ESTATE_HOME,         /* 192.168.0.0/16, private */
    ESTATE_SUBNET,       /* of a virtual network, as is the next */
    ESTATE_OTHER_SUBNET, /* nobody is anywhere, as long as a test does not say so */

    ESTATE_POLICY = 1,
    ESTATE_ARCHIVE_POLICY,   /* has an archive, which only databases do */
    ESTATE_SNAPSHOT_POLICY,  /* has the operational store only */
    ESTATE_SHORT_POLICY,     /* as the first, with one day of retention less */
    ESTATE_ABSENT_POLICY,    /* has all stores, but nobody has created it */
    ESTATE_CONTINUOUS_POLICY /* has the operational store only, and no schedule: for blobs */
};

/* What ESTATE_SPARE_KV is for is up to the test; all else is as above. */
typedef struct EstateOptions {
    const CmkModel *model; /* NULL: the model */
    bool uses_policies;    /* permission model of both key vaults: access policies, not roles */
    bool uses_hsm;         /* the settings use a key in a Managed HSM */
    bool uses_system;      /* the settings use the system-assigned identity */
    bool has_no_cmk;       /* the settings stay Disabled */
    bool is_pinned;        /* the key URI names version 1 */
    bool is_not_opened;    /* simulation.open is left to the test */
    bool has_no_soft_delete;
    bool has_no_purge_protection; /* both: of ESTATE_KV and ESTATE_SPARE_KV */
    bool spare_has_no_soft_delete;
    bool spare_has_no_purge_protection; /* these: only of ESTATE_SPARE_KV */
    bool has_operational;               /* the policy keeps snapshots too */
    bool has_secret; /* the instance is a PostgreSQL server, whose credentials are ESTATE_SECRET */
    bool has_rules;  /* the policy keeps daily, weekly and monthly points longer */
    bool is_not_self_checking;
    uint32_t other_key_type;     /* CmkKeyType of ESTATE_OTHER_KEY */
    uint32_t other_key_bits;     /* or CmkCurve; 0: 2048 */
    uint32_t spare_key_type;     /* CmkKeyType of ESTATE_SPARE_KEY */
    uint32_t other_hsm_key_type; /* CmkKeyType of ESTATE_OTHER_HSM_KEY; 0: RSA-HSM, 3072 bits */
    uint32_t sku;                /* CmkSku */
    uint32_t redundancy;         /* CmkRedundancy */
    int32_t profile;
    const char *datasource;         /* NULL: AzureDataLakeStorage, incremental, vault tier only */
    int64_t size_bytes;             /* 0: 100 GB */
    int64_t daily_change_ppm;       /* 0: 2 % */
    int64_t schedule_us;            /* 0: daily; at 02:00 and then every so long, allowed or not */
    int64_t retention_days;         /* 0: 7 */
    int64_t archive_days;           /* 0: no archive */
    int64_t knobs[CMK_KNOB__COUNT]; /* value + 1 where it is to differ from the profile, else 0 */
    const CmkPlanRow *plan;         /* times from ESTATE_START on, in order */
    uint32_t plan_count;
} EstateOptions;

/* A journal reader that keeps every record. */
typedef struct Tape {
    CmkRecord *records;
    uint32_t count;
    uint32_t room;
} Tape;

typedef struct Estate {
    CmkSim sim;
    CmkJournal journal;
    Tape tape;
    char trouble[160]; /* "" unless an operation that had to succeed was refused */
} Estate;

/* Owned by the caller; aborts where memory fails. Accepts NULL options. What goes wrong (with a
 * broken model) is said in `trouble`. */
Estate *estate_new(const EstateOptions *options);
/* As above, with readers that are there from the first record on. */
Estate *estate_new_read(const EstateOptions *options, const CmkReader *readers, uint32_t count);
void estate_free(Estate *estate);

/* The point of ESTATE_INSTANCE that a restore with this choice (or moment) means now. */
CmkPointId estate_point(const Estate *estate, int64_t choice);

/* Arguments of `op` with each slot filled from the estate as it is now: identity, key and version
 * of the settings, newest point, the running job if there is one. */
CmkArgs estate_args(const Estate *estate, CmkOpId op);

/* Applies. `must` notes in `trouble` what is refused. */
CmkOutcome estate_apply(Estate *estate, const CmkArgs *args);
CmkOutcome estate_try(Estate *estate, CmkOpId op);
uint32_t estate_must(Estate *estate, CmkOpId op);
uint32_t estate_must_apply(Estate *estate, CmkArgs args);

/* Runs to `time`, or for so long. */
void estate_run_until(Estate *estate, CmkTime time);
void estate_run(Estate *estate, int64_t duration_us);

/* The last record of `op`, and the nth from 0 on; NULL if there is none. */
const CmkRecord *estate_last(const Estate *estate, CmkOpId op);
const CmkRecord *estate_nth(const Estate *estate, CmkOpId op, uint32_t n);
uint32_t estate_count(const Estate *estate, CmkOpId op);
void estate_rewind(Estate *estate); /* forgets the records so far */

const CmkBackupVault *estate_vault(const Estate *estate);
CmkReader tape_reader(Tape *tape);

/* For messages. */
const char *estate_status_name(const Estate *estate, CmkStatus status);
const char *estate_guard_name(const Estate *estate, CmkGuardId guard);

#endif
