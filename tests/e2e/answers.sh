#!/bin/bash
# What the stores of keys answered under each fault, as a table and as JSON.
# shellcheck source=tests/e2e/common disable=SC1091,SC2016,SC2034,SC2154
. tests/e2e/common

db=$work/run.db
run run "$sample" --db "$db" -q
check "a run to ask about" eval 'ended 0 && [ -s "$db" ]'

run answers "$db"
check "a line for each fault, kind of job and answer" eval \
    'ended 0 && printed "revoke " && printed "403 Forbidden/ForbiddenByRbac" && printed "kv-prod"'
check "what nobody sees is told apart" eval 'grep -q "expiry .* no$" "$work/out" && grep -q "backup .* yes$" "$work/out"'

run answers "$db" --json
check "JSON names guard and rules" eval \
    'ended 0 && printed "\"guard\" : \"role-lets-get\"" && printed "KVE-3"'

run run "$scenarios/../hsm/same-ten-faults.yaml" --db "$work/ten.db" -q
run answers "$work/ten.db"
check "a Managed HSM answers in its own way" eval \
    'ended 0 && grep -q "hsm-prod .*managed_hsm .*403 Forbidden  " "$work/out" && grep -q "kv-prod .*key_vault .*ForbiddenByRbac" "$work/out"'

run answers
check "without a database: exit 2" refused 2 "give one database"
run answers "$work/nothing.db"
check "a database that is not there: exit 74, with the next step" eval 'refused 74 "nothing.db" && told "cmksim run"'
printf 'no database' >"$work/odd.db"
run answers "$work/odd.db"
check "a file that is no database" eval '! ended 0 && told "odd.db"'

finish
