#!/bin/bash
# Malformed scenario files: exit code 3, where and what is wrong, and nothing left behind.
# shellcheck source=tests/e2e/common disable=SC1091,SC2016,SC2034,SC2154
. tests/e2e/common

mkdir "$work/db"
# The place is file:line:column, or the file alone if it holds nothing.
says_where() {
    grep -qE "^${1//./\\.}:[1-9][0-9]*:[1-9][0-9]*: error: ..." "$work/err" \
        || grep -qxF "$1: error: the file holds nothing" "$work/err"
}
is_refused() { ended 3 && silent && no_crash && says_where "$1" && holds_only "$work/db"; }

count=0
for file in tests/corpus/bad/*.yaml tests/corpus/yaml-bad/*.yaml; do
    run run "$file" --db "$work/db/x.db"
    check "refused: ${file#tests/corpus/}" is_refused "$file"
    count=$((count + 1))
done
check "there are at least thirty of them" [ "$count" -ge 30 ]

# With --json stdout is for one object, and there is none.
run run tests/corpus/bad/unknown-region.yaml --json --db "$work/db/x.db"
check "refused with --json too" is_refused tests/corpus/bad/unknown-region.yaml
run run tests/corpus/bad/more-than-twenty.yaml --db "$work/db/x.db"
check "twenty mistakes are told, the rest counted" eval '[ "$(grep -c "error: " "$work/err")" -eq 20 ] && grep -qE "and [0-9]+ more error" "$work/err"'
finish
