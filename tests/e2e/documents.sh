#!/bin/bash
# What docs/scenarios.md shows is what the program takes: its whole example runs, and it names the
# operations that a step can do, all of them and no others.
# shellcheck source=tests/e2e/common disable=SC1091,SC2016,SC2034,SC2154
. tests/e2e/common

page=docs/scenarios.md

# --- The example: the first block with a world of its own
awk '/^```yaml$/ { block = ""; inside = 1; next }
     /^```$/ && inside { inside = 0; if (block ~ /\n  backup_vaults:\n/) { printf "%s", block; exit } }
     inside { block = block $0 "\n" }' "$page" >"$work/first-try.yaml"
run run "$work/first-try.yaml" --db "$work/x.db"
check "the example runs and holds" eval 'ended 0 && printed "first-try: HELD - all 2 expectations hold"'

# --- The table of operations
sed -n '/^### Steps/,/^A restore takes/p' "$page" | grep '^| ' | grep -o '`[a-z_]*\.[a-z_]*`' | tr -d '`' \
    | sort >"$work/documented"
run list ops --where step=yes
tail -n +2 "$work/out" | cut -d' ' -f1 | sort >"$work/steps"
check "the table has each operation of steps once, and no other" same_file "$work/documented" "$work/steps"

# --- Links
missing=
while read -r link; do
    [ -f "docs/$link" ] || missing="$missing $link"
done < <(grep -o '](reference/[a-z]*\.md' "$page" | cut -d'(' -f2)
check "the pages that it links to are there" eval '[ -z "$missing" ]'
finish
