#!/bin/bash
# The command line itself: help, version, and what is said to those who use it wrongly.
# shellcheck source=tests/e2e/common disable=SC1091,SC2016,SC2034,SC2154
. tests/e2e/common

for option in --help -h help; do
    run "$option"
    check "cmksim $option explains" eval 'ended 0 && printed "Usage: cmksim COMMAND" && printed "Exit codes:" && printed "  chart " && printed "  list " && printed "  explain "'
done
for command in run chart list explain; do
    run "$command" --help
    check "cmksim $command --help explains" eval 'ended 0 && printed "Usage:" && printed "cmksim $command" && printed "Example: cmksim $command"'
done
run run -h
check "cmksim run -h explains too" eval 'ended 0 && printed "--check-determinism" && printed "--crypto"'
run --version
check "cmksim --version names version and build" eval 'ended 0 && grep -qxE "cmksim [0-9]+\.[0-9]+\.[0-9]+ \(.+\)" "$work/out"'
run
check "no command: help, exit 2" eval 'ended 2 && grep -qF "Usage: cmksim" "$work/out" "$work/err"'

run rnu x.yaml
check "an unknown command near another" refused 2 'unknown command `rnu`, did you mean `run`?'
run version
check "an option without its dashes" refused 2 'did you mean `--version`?'
run scenarios/x.yaml
check "a scenario without a command" refused 2 '`cmksim run scenarios/x.yaml`'
run --json run "$sample"
check "an option before the command" refused 2 'the command comes before its options'
run help chart
check "cmksim help COMMAND explains it" eval 'ended 0 && printed "cmksim chart" && printed "Kinds:"'
run frobnicate
check "an unknown command near none" refused 2 'unknown command `frobnicate`'
run run --frobnicate "$sample"
check "an unknown option" refused 2 '--frobnicate'
run run
check "no scenario file" refused 2 'give a scenario file'
run run "$sample" "$sample"
check "two scenario files" refused 2 'not several'
run run --crypto some "$sample"
check "a word that --crypto does not know" refused 2 'all, sample, off'
run run --journal some "$sample"
check "a word that --journal does not know" refused 2 'changes, full'
run run --seed
check "an option without its value" refused 2 '--seed'
run run -qZ "$sample"
check "an unknown short option" refused 2 '-qZ'
for seed in '' -1 +1 1.5 seven 0x 0xg 18446744073709551616 '7 ' 1_000; do
    run run --seed "$seed" --db "$work/x.db" "$sample"
    check "--seed '$seed' is no seed" eval 'ended 2 && silent && [ -s "$work/err" ] && no_crash && [ ! -e "$work/x.db" ]'
done
CMKSIM_SEED=seven run run --db "$work/x.db" "$sample"
check "CMKSIM_SEED=seven is no seed" eval 'ended 2 && silent && told seven && [ ! -e "$work/x.db" ]'
run run --db "$work/x.db" -- --frobnicate
check "-- ends the options" eval 'ended 3 && silent && told "--frobnicate"'

run chart
check "chart of nothing" refused 2 'cmksim chart --help'
run chart outcomes "$work/x.db"
check "chart without -o" refused 2 'cmksim chart --help'
run chart pie "$work/x.db" -o "$work/x.svg"
check "a kind of chart that there is not" refused 2 'outcomes'

run run "$work/none.yaml"
check "a scenario file that is not there" eval 'ended 3 && silent && told none.yaml && told "Name one scenario file, for instance"'
for path in permision-revoked nowhere/permission-revoked.yaml; do
    run run "$path"
    check "a scenario file near another: $path" eval 'refused 3 "$path" && told "did you mean \`scenarios/troubleshooting/permission-revoked.yaml\`?"'
done
run run scenarios
check "a directory of scenarios names some" eval 'refused 3 "scenarios: Is a directory" && told "scenarios/capacity/fleet-smoke.yaml"'
run run tests/e2e
check "a directory without scenarios" refused 3 'There is no scenario file in it.'
run run "$work"
check "a scenario file that is a directory" eval 'ended 3 && silent && told "$work" && no_crash'
run run /dev/null
check "a scenario file without end or beginning" eval 'ended 3 && silent && told /dev/null && no_crash'
timeout 20 "$program" run /dev/zero >"$work/out" 2>"$work/err"
status=$?
check "a scenario file without end" eval 'ended 3 && silent && told /dev/zero && no_crash'

for stream in '>&-' '>/dev/full'; do
    for line in --help --version 'run --help' "run -q --db '$work/x.db' '$sample'"; do
        status=0
        eval "'$program' $line $stream 2>'$work/err'" || status=$?
        : >"$work/out"
        check "output that cannot be written: cmksim ${line%% --db*} $stream" eval 'ended 74 && told "standard output" && no_crash'
    done
done
finish
