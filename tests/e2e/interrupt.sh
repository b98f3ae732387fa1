#!/bin/bash
# A run that is cut short leaves nothing under the final name, and the next one is not disturbed.
# shellcheck source=tests/e2e/common disable=SC1091,SC2016,SC2034,SC2154
. tests/e2e/common

fleet=scenarios/capacity/fleet-smoke.yaml
mkdir "$work/db"

# start: the large fleet, and waits until it is in the middle of writing.
start() {
    "$program" run "$fleet" --crypto off --db "$work/db/x.db" >"$work/out" 2>"$work/err" </dev/null &
    pid=$!
    local tries=0
    while [ -z "$(find "$work/db" -name '*.tmp' -size +256k)" ] && [ "$tries" -lt 600 ]; do
        sleep 0.1
        tries=$((tries + 1))
    done
}

# stop SIGNAL: and waits for the end.
stop() {
    kill -s "$1" "$pid"
    status=0
    wait "$pid" 2>/dev/null || status=$?
}

start
check "the run has begun to write" [ -n "$(find "$work/db" -name '*.tmp')" ]
stop KILL
check "killed in the middle: nothing under the final name" eval 'ended 137 && silent && [ ! -e "$work/db/x.db" ]'
run run "$sample" --db "$work/db/x.db"
check "the next run succeeds and removes what was left" eval 'ended 0 && holds_only "$work/db" x.db'
rm "$work/db/x.db"

start
stop INT
check "interrupted: exit 130, nothing left" eval 'ended 130 && silent && told interrupted && holds_only "$work/db"'
run run "$sample" --db "$work/db/x.db" -q
cp "$work/db/x.db" "$work/older.db"
start
stop TERM
check "terminated: exit 143, an older file stays" eval 'ended 143 && silent && told interrupted && holds_only "$work/db" x.db && same_file "$work/older.db" "$work/db/x.db"'

# While the world is being set up, or at any other moment.
for delay in 0.02 0.1 0.3; do
    "$program" run "$fleet" --crypto off --check-determinism --db "$work/db/y.db" >"$work/out" 2>"$work/err" </dev/null &
    pid=$!
    sleep "$delay"
    stop TERM
    check "terminated after $delay s: nothing left" eval 'ended 143 && silent && holds_only "$work/db" x.db'
done
finish
