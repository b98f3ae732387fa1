#!/bin/bash
# The scenarios as a person runs them, and what the command says when something does not hold.
# shellcheck source=tests/e2e/common disable=SC1091,SC2016,SC2034,SC2154
. tests/e2e/common

for file in "$scenarios"/*.yaml; do
    name=$(basename "$file" .yaml)
    run run "$file" --db "$work/$name.db" --check-determinism --self-check
    check "$name holds, twice the same" eval 'ended 0 && printed "HELD" && [ -s "$work/$name.db" ] && ! grep -qvE "^cmksim: [0-9]+ %" "$work/err"'
    check "$name: the summary names what people want to know" eval '(for text in "What was done" "What failed" "Cost" "overdue" "Digest" "Repeat: cmksim run $file --seed" "This is a model"; do printed "$text" || exit 1; done)'
done
run run "$sample" --db "$work/silent.db"
check "what nobody is told stands apart" eval 'printed "What failed WITH NO ERROR SHOWN TO ANYBODY"'
run run "$sample" -q --db "$work/q.db"
check "-q says one line" eval 'ended 0 && [ "$(wc -l <"$work/out")" -eq 1 ] && printed "permission-revoked: held"'
run run "$sample" -v --db "$work/q.db"
check "-v says more, on stderr" eval 'ended 0 && told "expectations, seed 1"'

# --- An expectation that does not hold: exit 1, and the command that repeats it is the last line.
mkdir "$work/elsewhere"
cd "$work/elsewhere" || exit 1
violated="$work/elsewhere/it's a \"bad\" \$(file) & more.yaml"
sed 's/encryption == Enabled/encryption == Disabled/' "$sample" >"$violated"
run run "$violated"
check "a violated expectation" eval 'ended 1 && printed "VIOLATED" && printed "VIOLATED  always: backup_vault.bv-prod.encryption == Disabled" && [ -s out/permission-revoked.db ]'
repeat=$(tail -n 1 "$work/err")
check "the command that repeats it is the last line" eval '[[ $repeat == "repeat: cmksim run "*" --seed 1" ]]'
cmksim() { run "$@"; }
rm -rf out
eval "${repeat#repeat: }"
check "and it does, whatever the name of the file" eval 'ended 1 && printed "VIOLATED" && [ "$(tail -n 1 "$work/err")" = "$repeat" ]'
run run "$violated" --seed 99
check "it names the seed that was used" eval 'ended 1 && [[ $(tail -n 1 "$work/err") == *" --seed 99" ]]'
run run "$violated" --seed random
seed=$(sed -n '$s/.* --seed //p' "$work/err")
check "--seed random tells the seed" eval 'ended 1 && [[ $seed =~ ^[0-9]+$ ]]'
digest() { sed -n 's/^Digest \([0-9a-f]*\).*/\1/p' "$work/out"; }
first=$(digest)
run run "$violated" --seed "$seed"
check "and it gives the same run again" eval '[ -n "$first" ] && [ "$(digest)" = "$first" ]'
run run "$violated" --json -q
check "a violated expectation in JSON" eval 'ended 1 && printed "\"code\" : 1" && printed "\"verdict\" : \"violated\"" && [ "$(tail -n 1 "$work/err")" = "$repeat" ]'

# --- A fault that meets nothing: the run says nothing about anything.
awk '{ print } /id: revoke,/ { print "  - {at: +25d, id: again, fault: role.revoke, target: {principal: id-backup, scope: kv-prod}}" }' \
    "$sample" >vacuous.yaml
run run vacuous.yaml
check "a fault that meets nothing: undecided" eval 'ended 4 && printed "UNDECIDED" && printed again'
check "with the command that repeats it" eval '[ "$(tail -n 1 "$work/err")" = "repeat: cmksim run vacuous.yaml --seed 1" ]'
sed 's/encryption == Enabled/encryption == Disabled/' vacuous.yaml >both.yaml
run run both.yaml
check "violated counts more than vacuous" ended 1

# --- Files by any name, from anywhere.
cp "$sample" "été $(printf 'a\tb').yaml"
run run "./été $(printf 'a\tb').yaml" --db "spaces and 'quotes' \"é\".db"
check "names with blanks, quotes, tabs, other letters" eval 'ended 0 && [ -s "spaces and '\''quotes'\'' \"é\".db" ]'
cp "$sample" ./-dash.yaml
run run -- -dash.yaml
check "a name that begins with a dash" ended 0
rm -rf deep
run run "$sample" --db deep/er/x.db
check "directories that are missing are made" eval 'ended 0 && [ -s deep/er/x.db ]'
cp "$sample" crlf.yaml && sed -i 's/$/\r/' crlf.yaml
run run crlf.yaml --json
crlf=$(field digest)
run run "$sample" --json
check "lines that end as on Windows" eval '[ -n "$crlf" ] && [ "$crlf" = "$(field digest)" ]'
run run "$sample" --json --db x.db <&-
check "without a standard input" eval 'ended 0 && [ -n "$(field digest)" ]'
finish
