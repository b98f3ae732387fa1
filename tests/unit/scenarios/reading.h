/*
 * Scenario files in tests: how their texts are read, what is said about them, and a small world to
 * vary.
 */
#ifndef CMK_TESTS_UNIT_SCENARIOS_READING_H
#define CMK_TESTS_UNIT_SCENARIOS_READING_H

#include "scenarios/scenario.h"

#define HEAD "cmksim: 1\nname: small\nstart: 2025-03-03T00:00:00Z\nhorizon: 30d\n"
#define KEY_VAULT                                                                                  \
    "  key_vaults:\n"                                                                              \
    "    - {name: kv-prod, region: West Europe, purge_protection: true, keys: [{name: kek}]}\n"
#define POLICY                                                                                     \
    "  policies:\n"                                                                                \
    "    - name: daily\n"                                                                          \
    "      datastores: {vault: P7D}\n"                                                             \
    "      schedule: R/2025-03-03T03:00:00+00:00/P1D\n"
#define IDENTITY "  identities: [{name: id-backup, region: westeurope}]\n"
#define VAULT                                                                                      \
    "  backup_vaults:\n"                                                                           \
    "    - name: bv-prod\n"                                                                        \
    "      region: westeurope\n"                                                                   \
    "      redundancy: geo\n"                                                                      \
    "      identities: [id-backup]\n"                                                              \
    "      encryption: {key: kv-prod/kek, identity: id-backup}\n"                                  \
    "      instances:\n"                                                                           \
    "        - {name: media, datasource: AzureBlob, size: 8 GiB, daily_change: 1%, policy: "       \
    "daily}\n"
#define ROLE "Key Vault Crypto Service Encryption User"
#define GRANT "  grants: [{principal: id-backup, role: " ROLE ", scope: kv-prod}]\n"
#define SMALL HEAD "world:\n" KEY_VAULT IDENTITY POLICY VAULT GRANT

/* Whoever reads a text, or the file at a path, and what it has complained about so far. */
CmkDiagnostics *reading_of(const char *text);
CmkDiagnostics *reading_of_file(const char *path);
char *reading_messages(const CmkDiagnostics *diagnostics);

/* A scenario that must be good. */
CmkScenario *reading_good(CmkDiagnostics *diagnostics);

/* A world that the rules must let through. */
CmkSim reading_build(const CmkScenario *scenario, CmkVariant variant, uint64_t seed,
                     CmkDiagnostics *diagnostics);

/* The digest of the world at the start; 0 for a world that cannot be made. */
CmkDigest reading_digest(const char *text, CmkVariant variant, uint64_t seed);

/* The messages about a text, one line each: "line:column: message | hint". */
char *reading_complaints(const char *text);

const CmkPlanned *reading_planned(const CmkScenario *scenario, guint index);
const CmkExpectation *reading_expectation(const CmkScenario *scenario, guint index);

#endif
