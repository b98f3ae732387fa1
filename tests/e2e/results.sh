#!/bin/bash
# What a run gives to programs: JSON, digests, the database; and the options that change it.
# shellcheck source=tests/e2e/common disable=SC1091,SC2016,SC2034,SC2154
. tests/e2e/common

for file in "$scenarios"/*.yaml; do
    name=$(basename "$file" .yaml)
    run run "$file" --json --db "$work/x.db"
    cp "$work/out" "$work/first"
    check "$name: --json, and nothing beside it" eval 'ended 0 && [ ! -s "$work/err" ] && [ "$(head -n 1 "$work/out")" = "{" ]'
    run run "$file" --json --db "$work/x.db"
    check "$name: the same bytes again" same_file "$work/first" "$work/out"
    run run "$file" --json --db "$work/x.db"
    golden=$(awk -v path="$file" '$1 == path { print $3 }' tests/goldens.txt)
    check "$name: the digest is the golden one" same "$golden" "$(field digest)"
done
if command -v python3 >/dev/null; then
    check "the JSON is one, with sorted keys" python3 - "$work/first" <<'PYTHON'
import json, sys
def pairs(items):
    keys = [key for key, _ in items]
    assert keys == sorted(set(keys)), keys
    return dict(items)
text = open(sys.argv[1], encoding="utf-8").read()
result = json.loads(text, object_pairs_hook=pairs)
assert text.endswith("}\n") and result["exit"]["code"] == 0 and result["expectations"], result
assert all(one["verdict"] == "held" for one in result["expectations"])
PYTHON
else
    skip "the JSON is one, with sorted keys" "python3 is not installed"
fi

# --- The summary that a person reads
run run "$sample" --db "$work/x.db"
says() { grep -qF -- "$1" "$work/out"; }
check "it names the instances whose jobs failed" says "of bv-prod/media: 7, bv-prod/orders-db: 1"
check "it names what failed with nobody told" says "What failed WITH NO ERROR SHOWN TO ANYBODY"
check "it names the fault to blame" says "because of: revoke (role.revoke: id-backup on kv-prod)"
check "it counts what was really decrypted" grep -qE "[0-9]+ decrypted and compared, [0-9]+ not under the key" "$work/out"

run run "$scenarios/vault-deletion.yaml" --db "$work/x.db"
check "it tells the deletion of a vault as no change of its settings" eval 'says "Disabled -> Enabled" && ! says "-> Disabled"'

cat >"$work/steps.yaml" <<'YAML'
cmksim: 1
name: blamed-step
start: 2025-03-03T00:00:00Z
horizon: 20d
world:
  key_vaults:
    - name: kv-prod
      region: westeurope
      permission_model: rbac
      purge_protection: true
      keys: [{name: kek, type: RSA, size: 2048}]
  identities: [{name: id-backup, region: westeurope}]
  policies:
    - {name: daily, datastores: {vault: P7D}, schedule: R/2025-03-03T03:00:00+00:00/P1D}
  backup_vaults:
    - name: bv-prod
      region: westeurope
      redundancy: local
      identities: [id-backup]
      encryption: {key: kv-prod/kek, identity: id-backup}
      instances:
        - {name: media, datasource: AzureBlob, size: 10 GiB, daily_change: 1%, policy: daily}
  grants:
    - {principal: id-backup, role: Key Vault Crypto Service Encryption User, scope: kv-prod}
timeline:
  - {at: +5d, id: mistake, do: role.remove, with: {principal: id-backup, scope: kv-prod}}
  - {at: +6d, do: key.rotate, with: {key: kv-prod/kek}}
YAML
run run "$work/steps.yaml" --db "$work/x.db"
check "it names the step to blame" says "because of: the step at +5 d, mistake, role.remove: id-backup on kv-prod"
check "it says why nobody sees an expiry fail" says "expiry jobs, UserErrorCMKMissingMangedIdentityPermissionOnKeyVault [BK-20 article"
check "and that a rotation is not shown for another reason" says "rotation jobs, UserErrorCMKMissingMangedIdentityPermissionOnKeyVault [ROT-14 assumed]"
check "it counts the translation of errors among the assumptions" grep -q "^  ERR-M3 " "$work/out"
check "but not what did not come up" eval '! grep -q "^  ERR-M12 " "$work/out"'
check "it counts the knobs that bear on it, with their values" eval 'grep -qE "^and on [0-9]+ knobs whose value is assumed" "$work/out" && says "backup_duration: 30 min" && says "expired_key_restore: false"'
check "but not those that do not" eval '! says failover_decision && ! grep -q "^  OQ-33 " "$work/out"'
check "a scenario that expects nothing is unchecked" eval 'ended 0 && says "blamed-step: UNCHECKED - the scenario expects nothing"'
sed 's/^horizon:/settings: {failover_decision: 6h}\nhorizon:/' "$work/steps.yaml" >"$work/knob.yaml"
run run "$work/knob.yaml" --db "$work/x.db"
check "a knob that the scenario sets is meant to bear on it" eval 'says "failover_decision: 6 h" && grep -q "^  OQ-33 " "$work/out"'
sed -e 's/^horizon:/settings: {restore_duration: 6d}\nhorizon:/' -e '/mistake/d' -e '/key.rotate/d' \
    -e 's/^timeline:/timeline:\n  - {at: +6d, do: backup.restore, with: {instance: media, point: oldest}}/' \
    "$work/steps.yaml" >"$work/expired.yaml"
run run "$work/expired.yaml" --db "$work/x.db"
check "it says who answered where no key vault did" eval 'says "(Azure answers 404 " && ! says "( answers"'
check "and what to do where no operation repairs it" says "to do: Take another point"
run run "$work/steps.yaml" --db "$work/x.db" --json
check "the JSON blames the step too" printed '"because_of" : "mistake"'
check "and has the knobs" eval 'printed "\"backup_duration\" : \"30 min\"" && printed "\"verdict\" : \"unchecked\""'
run run "$work/steps.yaml" --db "$work/x.db" -q
check "-q says unchecked too" eval 'ended 0 && printed "blamed-step: unchecked"'

# The first backup takes until the second is due, which therefore is passed over; and so on.
sed -e 's/^horizon: 20d/horizon: 4d\nsettings: {backup_duration: 30h}/' -e '/mistake/d' -e '/key.rotate/d' \
    -e 's/^timeline:/timeline: []/' "$work/steps.yaml" >"$work/long.yaml"
run run "$work/long.yaml" --db "$work/x.db"
check "it says which backups never began, and why" says "  2 scheduled backups did not start; must hold: No other backup of the instance to this store is under way. [BK-18 "
run run "$work/long.yaml" --db "$work/x.db" --json
check "the JSON does so too" eval 'tr -d " \n" <"$work/out" | grep -qF "\"not_started\":[{\"count\":2,\"guard\":\"no-backup-is-under-way\"}]"'

# Protection that is asked for while the service fails, and which no list of jobs shows.
sed -e 's/^horizon: 20d/horizon: 2d\nsettings: {protection_duration: 5min}/' -e '/mistake/d' -e '/key.rotate/d' \
    -e 's/^      instances:/&\n        - {name: new, exists: false}/' \
    -e 's/^timeline:/&\n  - {at: +1d, id: s, fault: service.fail, target: {vault: bv-prod}, for: 1h}\n  - {at: +1d, do: instance.protect, with: {instance: new, datasource: AzureBlob, size: 1 GiB, daily_change: 1%, policy: daily}}/' \
    "$work/steps.yaml" >"$work/unprotected.yaml"
run run "$work/unprotected.yaml" --db "$work/x.db"
check "it says which protection could not be configured, and why" says "  1 instance could not be configured for protection, which it shows; must hold: The Backup service meets no internal error"
check "which the fault has met" eval '! says "never met an operation"'
run run "$work/unprotected.yaml" --db "$work/x.db" --json
check "and so does the JSON" eval 'tr -d " \n" <"$work/out" | grep -qF "\"not_configured\":[{\"count\":1,\"guard\":\"backup-service-works\"}]"'

sed 's/^horizon: 4d/horizon: 3d/' "$work/long.yaml" >"$work/short.yaml"
run run "$work/short.yaml" --db "$work/x.db"
check "it says what was under way at the end" says "job was still in progress at the end."
sed 's/^timeline: \[\]/timeline: [{at: +60h, do: instance.delete, with: {instance: media}}]/' "$work/long.yaml" >"$work/cancelled.yaml"
run run "$work/cancelled.yaml" --db "$work/x.db"
check "a job of an instance that is deleted is cancelled, not failed" eval 'says "1 backup job was cancelled, since the instance was deleted [BK-18]" && ! says "SimErrorJobCancelled"'

# A passing trouble at its start: the backup is tried again, and completes with warnings.
sed -e '/mistake/d' -e '/key.rotate/d' "$work/steps.yaml" >"$work/warned.yaml"
cat >>"$work/warned.yaml" <<'YAML'
  - {at: +2d3h, id: busy, fault: keyvault.throttle, target: kv-prod, for: 2s}
expect:
  - final: jobs(operation = backup, status = completed).count == 20
  - final: jobs(status = completed_with_warnings, seen = portal).count == 1
  - final: jobs(status = completed_with_warnings, datastore = vault).bytes > 1 MiB
YAML
run run "$work/warned.yaml" --db "$work/warned.db"
check "a job that was tried again has completed, with warnings" eval 'ended 0 && says "20 completed, of which 1 with warnings [BK-18]"'
run run "$work/warned.yaml" --db "$work/x.db" --json
check "the JSON counts it in both" eval 'tr -d " \n" <"$work/out" | grep -qF "\"completed\":20,\"completed_with_warnings\":1,\"failed\":0"'

name="a chart counts it as completed"
if command -v gnuplot >/dev/null; then
    run chart outcomes "$work/warned.db" -o "$work/x.svg"
    check "$name" grep -q "n = 32 jobs: 32 completed, 0 failed" "$work/x.svg"
else
    skip "$name" "gnuplot is not installed"
fi

# What a deleted identity had is counted until somebody removes it.
sed -e '/mistake/d' -e '/key.rotate/d' "$work/steps.yaml" >"$work/orphans.yaml"
echo '  - {at: +5d, do: identity.delete, with: {identity: id-backup}}' >>"$work/orphans.yaml"
run run "$work/orphans.yaml" --db "$work/x.db" --json
check "it counts role assignments of principals that are gone" printed '"orphaned_assignments" : 1'
run run "$work/orphans.yaml" --db "$work/x.db"
check "and tells people of them" says "1 role assignment is of a principal that is gone [AC-15]"
echo '  - {at: +6d, do: role.remove_orphaned, with: {principal: id-backup, scope: kv-prod}, expect_status: ok}' >>"$work/orphans.yaml"
run run "$work/orphans.yaml" --db "$work/x.db" --json
check "which somebody can remove" eval 'ended 0 && printed "\"orphaned_assignments\" : 0"'

# An internal error of Backup everywhere breaks an update that meets it.
sed -e '/mistake/d' -e '/key.rotate/d' "$work/steps.yaml" >"$work/service.yaml"
cat >>"$work/service.yaml" <<'YAML'
  - {at: +5d, id: broken, fault: service.fail, for: 1h}
  - {at: +5d, do: backup_vault.update_encryption, with: {vault: bv-prod}, expect_status: CloudServiceRetryableError}
expect:
  - final: backup_vault.bv-prod.encryption == Inconsistent
YAML
run run "$work/service.yaml" --db "$work/x.db"
check "an internal error of Backup breaks settings, and is to blame" eval 'ended 0 && says "because of: broken (service.fail)"'

run run "$scenarios/key-deleted.yaml" --db "$work/x.db"
check "it says when a repair no longer helps, and only then" eval 'says "at +39 d: nothing would have helped any more" &&
    [ "$(grep -c "nothing would have helped any more" "$work/out")" -eq 2 ]'
run run "$scenarios/regional-failover.yaml" --db "$work/x.db"
check "moments are told to the second" says "+10 d 4 h 5 min region northeurope: the pair answers"

# --- Seeds
digest_with() {
    run run "$sample" --json --crypto off --db "$work/x.db" "$@"
    field digest
}
plain=$(digest_with)
seven=$(digest_with --seed 7)
check "another seed gives another digest" eval '[ -n "$seven" ] && [ "$seven" != "$plain" ]'
check "hexadecimal is the same seed" same "$(digest_with --seed 0x7)" "$seven"
check "-s is --seed" same "$(digest_with -s 7)" "$seven"
check "the largest seed" same "$(digest_with --seed 18446744073709551615)" "$(digest_with --seed 0xffffffffffffffff)"
check "CMKSIM_SEED is a seed" same "$(CMKSIM_SEED=7 digest_with)" "$seven"
check "--seed counts more than CMKSIM_SEED" same "$(CMKSIM_SEED=8 digest_with --seed 7)" "$seven"
sed 's/^start:/seed: 7\nstart:/' "$sample" >"$work/seven.yaml"
run run "$work/seven.yaml" --db "$work/x.db"
check "the scenario's own seed is used" printed "$work/seven.yaml --seed 7"
CMKSIM_SEED=8 run run "$work/seven.yaml" --db "$work/x.db"
check "CMKSIM_SEED counts more than the scenario's" printed "$work/seven.yaml --seed 8"

# --- How much is really computed
for mode in all sample off; do
    run run "$sample" --json --crypto "$mode" --db "$work/x.db"
    check "--crypto $mode: the same records" same "$(field digest)" "$plain"
    check "--crypto $mode is in the result" [ "$(field mode)" = "$mode" ]
    encryptions=$(sed -n 's/^ *"encryptions" : \([0-9]*\).*/\1/p' "$work/out")
    if [ "$mode" = off ]; then
        check "--crypto off computes nothing" eval '[ "$encryptions" -eq 0 ] && printed "\"crypto_digest\" : null"'
    else
        check "--crypto $mode computes" eval '[ "$encryptions" -gt 0 ] && [ -n "$(field crypto_digest)" ]'
    fi
done
run run "$sample" --json --db "$work/x.db"
check "all is the default" [ "$(field mode)" = all ]

# --- The database
run run "$sample" --db "$work/changes.db"
run run "$sample" --db "$work/full.db" --journal full
check "there are two databases" eval '[ -s "$work/changes.db" ] && [ -s "$work/full.db" ]'
if can_sql; then
    changes=$(sql "$work/changes.db" 'select count(*) from journal')
    full=$(sql "$work/full.db" 'select count(*) from journal')
    records=$(awk '$1 ~ /permission-revoked/ { print $4 }' tests/goldens.txt)
    check "--journal full keeps every record, changes fewer" eval '[ "$full" -eq "$records" ] && [ "$changes" -lt "$full" ] && [ "$changes" -gt 0 ]'
    check "no check of the database complains" same ok "$(sql "$work/full.db" 'pragma integrity_check')"
    check "it knows the run" [ "$(sql "$work/full.db" 'select scenario, seed, digest from v_run')" = "permission-revoked|1|$plain" ]
    check "what failed silently is in a view" [ "$(sql "$work/changes.db" "select count(*) > 0 from v_silent_failures where seen = 'nobody'")" = 1 ]
    check "no job that failed is without a reason" [ "$(sql "$work/changes.db" 'select count(*) from v_failed_jobs where must_hold is null')" = 0 ]
    check "a job that completed with warnings has its own word" [ "$(sql "$work/warned.db" "select started, retries, code is null from v_job where status = 'completed_with_warnings'")" = "2025-03-05T03:00:00Z|2|1" ]
    check "instances whose backups fail show an error meanwhile" [ "$(sql "$work/changes.db" "select state, \"from\", \"to\" from v_instance_states where instance = 'media' limit 1 offset 1")" = "ProtectionError|2025-03-23T03:00:00Z|2025-03-30T03:30:00Z" ]
else
    for name in "--journal full keeps every record, changes fewer" "no check of the database complains" \
        "it knows the run" "what failed silently is in a view" "no job that failed is without a reason" \
        "a job that completed with warnings has its own word" "instances whose backups fail show an error meanwhile"; do
        skip "$name" "neither sqlite3 nor python3 is installed"
    done
fi
run run "$sample" --db "$work/again.db" --journal full
check "the same run gives the same file" same_file "$work/full.db" "$work/again.db"

# --- Large fleets, for which tests/unit/scenario_runs has no time
for fleet in scenarios/capacity/*.yaml; do
    run run "$fleet" --json -q --crypto sample --db "$work/fleet.db"
    golden=$(awk -v path="$fleet" '$1 == path { print $3 }' tests/goldens.txt)
    check "a large fleet: $(basename "$fleet" .yaml)" eval 'ended 0 && same "$golden" "$(field digest)"'
done
finish
