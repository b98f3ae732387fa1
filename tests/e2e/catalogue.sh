#!/bin/bash
# What the model knows, as list and explain say it: known values, filters, JSON, pages, mistakes.
# shellcheck source=tests/e2e/common disable=SC1091,SC2016,SC2034,SC2154
. tests/e2e/common

kinds=(rules ops guards errors statuses roles regions datasources knobs prices faults profiles)

# lines: how many entries a list has: all lines but the headings.
lines() { tail -n +2 "$work/out" | wc -l; }

# line START...: there is a line with these words first, whatever the blanks between them.
line() { sed 's/  */ /g' "$work/out" | grep -qF -- "$*"; }

# parses: stdout is one JSON object, by whatever reads JSON here.
if python3 -c '' 2>/dev/null; then
    parses() { python3 -c 'import json, sys
d = json.load(open(sys.argv[1]), object_pairs_hook=lambda p: p)
def ordered(x):
    if isinstance(x, list) and x and isinstance(x[0], tuple):
        k = [a for a, _ in x]
        return k == sorted(k) and all(ordered(v) for _, v in x)
    return all(ordered(v) for v in x) if isinstance(x, list) else True
sys.exit(not (ordered(d) and dict(d)["schema_version"] == 1 and len(dict(d)["entries"]) > 0))' "$work/out"; }
else
    parses() { [ "$(head -c 1 "$work/out")" = '{' ] && [ "$(tail -c 2 "$work/out" | head -c 1)" = '}' ] && printed '"schema_version" : 1'; }
fi

# --- Lists
for kind in "${kinds[@]}"; do
    run list "$kind"
    check "list $kind: headings and entries" eval 'ended 0 && [ ! -s "$work/err" ] && head -n 1 "$work/out" | grep -q "^NAME" && [ "$(lines)" -gt 2 ]'
    run list "$kind" --json
    check "list $kind --json: one object, keys in order" eval 'ended 0 && [ ! -s "$work/err" ] && parses'
    "$program" list "$kind" --markdown >"$work/page" 2>/dev/null
    check "docs/reference/$kind.md is up to date (else run: make docs)" same_file "$work/page" "docs/reference/$kind.md"
done
run list roles
check "a role with its GUID" line Key Vault Crypto Service Encryption User e147488a-f6f5-4113-8e2d-b22465e65bf6
run list regions
check "a region with its pair" line westeurope West Europe northeurope yes yes
check "a region without one" line italynorth Italy North none yes no
run list prices
check "a price" line vault_tier_grs 0.0448 GB-month all verified COST-3
run list knobs
check "a knob with its value in each profile" line role_propagation 0 s 10 min 0 s 10 min documented
run list statuses
check "a status with number and HTTP" line KEY_DISABLED 13 403 Forbidden
run list datasources
check "a datasource with its stores" line AzureDatabaseForMySQL vault archive weekly P3M whole yes

# --- Filters
run list rules SD
check "rules of one family" eval 'ended 0 && line SD-9 && ! line BV-1 && [ "$(lines)" -eq 22 ]'
run list ops key
check "operations on keys, not on key vaults" eval 'ended 0 && line key.unwrap && ! line key_vault.create'
run list rules BV-T AC-R
check "two families" eval 'ended 0 && line BV-T1 && line AC-R10 && ! line BV-1\ '
run list rules --stage 'out of scope'
check "rules at one stage" eval 'ended 0 && line THR-4 && ! grep -q modelled "$work/out"'
run list rules --where provenance=assumed KVE
check "rules by provenance" eval 'ended 0 && line KVE-18 assumed && ! line KVE-1\ '
run list ops --where guards=key-exists
check "operations that ask a guard" eval 'ended 0 && line key.unwrap && ! line key.create'
run list ops --where step=yes
check "operations that a step can do" eval 'ended 0 && line key.rotate && ! line point.expire && ! line "key.unwrap "'
run list rules --coverage
check "coverage counts" eval 'ended 0 && printed "shown by a row: " && printed "shown coarsely: " && printed "shown by name only: " && printed "out of scope: "'
run list rules --coverage --json
check "coverage as JSON" eval 'ended 0 && parses && printed "\"modelled_and_not_shown\""'

# --- A price book to edit
run list prices --template
cp "$work/out" "$work/my-prices.yaml"
check "a template of a price book" eval 'ended 0 && printed "cmksim_prices: 1" && printed "vault_tier_grs: 0.0448 USD/GB-month  # "'
mkdir -p "$work/own"
sed 's/^prices: .*//; s/^start:/prices: ..\/my-prices.yaml\nstart:/' "$sample" >"$work/own/usual.yaml"
total() { sed -n 's/^  total *\([0-9.]*\) USD.*/\1/p' "$work/out"; }
run run "$sample" --db "$work/builtin.db"
usual=$(total)
run run "$work/own/usual.yaml" --db "$work/own.db"
check "the template as it is changes no price" eval 'ended 0 && [ -n "$usual" ] && [ "$usual" = "$(total)" ]'
sed -i 's/^  vault_tier_lrs: .*/  vault_tier_lrs: 10 USD\/GB-month/; s/^  vault_tier_grs: .*/  vault_tier_grs: 10 USD\/GB-month/; s/^  vault_tier_zrs: .*/  vault_tier_zrs: 10 USD\/GB-month/' "$work/my-prices.yaml"
run run "$work/own/usual.yaml" --db "$work/own.db"
check "an edited template changes the bill" eval 'ended 0 && [ -n "$(total)" ] && [ "$usual" != "$(total)" ]'

# --- Explanations
run explain UserErrorCMKKeyVaultAuthFailure
check "an error: ways, guards, remedies, rules" eval 'ended 0 && printed "encryption settings; backup and restore jobs" && printed "key-vault-exists" && printed "recover the deleted key (key.recover)" && printed "ERR-M6 - provenance: assumed; text:" && printed "nobody sees"'
check "an error: whose it is, whether a retry may help, advice" eval 'printed "is user error: yes" && printed "is retryable: no" && printed "currentKey - recommended action: "'
run explain CloudServiceRetryableError
check "an error of deletions: what the key vault may have refused" eval 'ended 0 && printed "is retryable: yes" && printed "when: deletion of the Backup vault" && printed "key-exists"'
run explain UserErrorCMKKeyVaultAuthFailure --json
check "an error as JSON" eval 'ended 0 && parses && printed "\"causes\"" && printed "\"remedies\""'
run explain BV-29
check "a rule: provenance, text, who cites it" eval 'ended 0 && printed "provenance: article" && printed "source: the vendor" && printed "stage: modelled" && printed "operation identity.detach" && printed "shown"'
run explain key.unwrap
check "an operation: parameters, guards with status, rules" eval 'ended 0 && printed "parameters:" && printed "version-is-enabled" && printed KEY_DISABLED && printed KVE-19 && printed Microsoft.KeyVault/vaults/keys/unwrap/action'
check "guards are in order" eval '[ "$(grep -n "key-vault-exists -" "$work/out" | cut -d: -f1)" -lt "$(grep -n " version-is-enabled -" "$work/out" | cut -d: -f1)" ]'
run explain key.delete
check "a name that two kinds share" eval 'ended 0 && printed "key.delete (operation)" && printed "key.delete (fault)"'
run explain 'West Europe' role_propagation 21090545-7ca7-4776-b22c-e363652d74d2 version-is-enabled AzureDisk slow vault_tier_lrs KEY_DISABLED
check "names of every other kind" eval 'ended 0 && printed "(region)" && printed "(knob)" && printed "(role)" && printed "(guard)" && printed "(datasource)" && printed "(profile)" && printed "(price)" && printed "(status)"'
run explain bv-29
check "whatever the case of letters" eval 'ended 0 && printed "BV-29 (rule)"'
run explain AC-R10 --json
check "a rule as JSON" eval 'ended 0 && parses && [ "$(field name)" = AC-R10 ]'

# --- Mistakes
run list
check "nothing to list" refused 2 'say what to list'
run list rulez
check "a list near another" refused 2 'did you mean `rules`?'
run list scenarios
check "a list that there is not" eval 'refused 2 "no list of \`scenarios\`" && told "there are: rules, ops, guards"'
run list Operations
check "a list by its title" refused 2 'did you mean `ops`?'
run list ops BV-29
check "a prefix of another list" refused 2 'try `cmksim list rules BV-29`'
run list rules --where provenance=guessed
check "a value that there is not" refused 2 'there are: documented, inferred, article, assumed'
run list ops --where guards=key-exist
check "a value near another" refused 2 'did you mean `key-exists`?'
run list rules --where provenance=article --where 'stage=out of scope'
check "conditions that nothing meets" eval 'ended 0 && silent && [ ! -s "$work/err" ]'
run list rules SX
check "a prefix of nothing" refused 2 'none of the rules begins with `SX`'
run list rules --stage soon
check "a stage that there is not" refused 2 'modelled, later, out of scope'
run list ops --stage later
check "a stage of what has none" refused 2 'no property `stage`'
run list rules --where provenance
check "a condition without a value" refused 2 'has no `=`'
run list rules --where colour=red
check "a property that there is not" eval 'refused 2 "no property \`colour\`" && told "they have: provenance, stage"'
run list ops --coverage
check "coverage of what is no rule" refused 2 'list rules --coverage'
run list rules --json --markdown
check "two forms at once" refused 2 'exclude each other'
run list ops --template
check "a template of what has no price" refused 2 'list prices --template'
run list prices --template --json
check "a template in two forms" refused 2 'list prices --template'
run list prices --frobnicate
check "an option that there is not" eval 'refused 2 frobnicate && told "cmksim list --help"'
run list rules ''
check "an empty prefix" refused 2 'none of the rules begins with ``'
run explain ''
check "an empty name" refused 2 'nothing is called ``'
run explain
check "nothing to explain" refused 2 'say what to explain'
run explain UserErrorCMKKeyVaultAuthFailur
check "a code near another" refused 2 'did you mean `UserErrorCMKKeyVaultAuthFailure`?'
run explain BV-999
check "a rule that there is not" eval 'refused 2 "did you mean \`BV-9\`?" && told "cmksim list rules BV"'
run explain BV
check "a family of rules" refused 2 'try `cmksim list rules BV`'
run explain keydisabled
check "an inner code" eval 'ended 0 && printed "KEY_DISABLED (status)"'
run explain BV-29 frobnicate
check "one name of two is unknown: no result" refused 2 'nothing is called `frobnicate`'
run explain key.unwarp --json
check "a mistake prints no JSON" refused 2 'did you mean `key.unwrap`?'
run list errors User
check "codes that begin with a word" eval 'ended 0 && line UserErrorCMKKeyVaultAuthFailure && ! line Forbidden'
"$program" list rules 2>"$work/err" | head -n 1 >"$work/out"
check "whoever reads has seen enough: no complaint" eval '[ -s "$work/out" ] && [ ! -s "$work/err" ]'
if [ -e /dev/full ]; then
    status=0
    "$program" list rules >/dev/full 2>"$work/err" || status=$?
    check "a list that cannot be written" eval 'ended 74 && told "cannot write"'
else
    skip "a list that cannot be written" "there is no /dev/full"
fi
finish
