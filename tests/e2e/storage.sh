#!/bin/bash
# Where nothing can be written: exit code 74, a message that names the file, and nothing half-made.
# shellcheck source=tests/e2e/common disable=SC1091,SC2016,SC2034,SC2154
. tests/e2e/common

echo precious >"$work/file"
mkdir "$work/dir" "$work/db"
# For root too: below something that is no directory, and where nobody can make files.
for path in /dev/null/x.db /proc/x.db "$work/file/x.db" "$work/file/deep/x.db" "$work/dir"; do
    run run "$sample" --db "$path"
    check "cannot be written: ${path/"$work"/DIR}" eval 'refused 74 "$path"'
done
check "what is there is left alone" eval '[ "$(cat "$work/file")" = precious ] && holds_only "$work/dir"'
if [ "$(id -u)" -ne 0 ]; then
    chmod 555 "$work/dir"
    run run "$sample" --db "$work/dir/x.db"
    check "cannot be written: a directory without permission" refused 74 "$work/dir/x.db"
else
    skip "cannot be written: a directory without permission" "root may write anywhere"
fi
long=$(printf 'x%.0s' {1..300})
run run "$sample" --db "$work/db/$long.db"
check "a name that is too long" eval 'ended 74 && silent && no_crash && holds_only "$work/db"'
run run "$sample" --db ''
check "an empty name" refused 2 '--db needs the name of a file'
run run "$sample" --db -q
check "an option in place of a name" eval 'refused 2 "\`-q\` is none, or else written as ./-q" && [ ! -e ./-q ]'

# --- What is there is replaced only if it is an older database, or nothing.
cp "$sample" "$work/mine.yaml"
run run "$work/mine.yaml" --db "$work/mine.yaml"
check "a scenario is not replaced by its own database" eval 'refused 2 "$work/mine.yaml: is there and is not the database of a run" && same_file "$sample" "$work/mine.yaml"'
run run "$sample" --db /dev/null
check "a device is not replaced" eval 'refused 2 /dev/null && [ -c /dev/null ]'
: >"$work/empty.db"
run run "$sample" --db "$work/empty.db" -q
check "an empty file is" eval 'ended 0 && [ -s "$work/empty.db" ]'
cp "$work/empty.db" "$work/older.db"
run run "$scenarios/key-deleted.yaml" --db "$work/older.db" -q
check "an older database is" eval 'ended 0 && ! cmp -s "$work/empty.db" "$work/older.db"'
head -c 60 "$work/empty.db" >"$work/cut.db"
run run "$sample" --db "$work/cut.db" -q
check "what only begins like one is not" refused 2 "$work/cut.db"
cp "$work/empty.db" "$work/foreign.db"
printf 'X' | dd of="$work/foreign.db" bs=1 seek=68 conv=notrunc status=none
run run "$sample" --db "$work/foreign.db" -q
check "nor is another program's database" refused 2 "$work/foreign.db"

# --- A limit on the size of files, at every stage of the run: nothing fits, some, almost all.
run run "$sample" --db "$work/db/x.db" -q
blocks=$(($(stat -c %s "$work/db/x.db") / 1024))
rm "$work/db/x.db"
for limit in 0 1 8 64 $((blocks / 2)) $((blocks - 1)); do
    status=0
    (
        ulimit -f "$limit"
        exec "$program" run "$sample" --db "$work/db/x.db" 2>&1 >/dev/null
    ) 2>/dev/null </dev/null | cat >"$work/err"
    status=${PIPESTATUS[0]}
    : >"$work/out"
    check "a limit of $limit KiB of $blocks" eval 'refused 74 "$work/db/x.db" && holds_only "$work/db"'
done

# --- A full disk, if one may be made here: a small file system that goes when the program does.
cat >"$work/on-small-disk" <<'SCRIPT'
set -e
mount -t tmpfs -o size=128k none "$1"
head -c 100 "$4/empty.db" >"$1/x.db"
status=0
"$2" run "$3" --db "$1/x.db" >"$4/out" 2>"$4/err" </dev/null || status=$?
head -c 100 "$4/empty.db" | cmp -s - "$1/x.db"
[ "$(ls "$1")" = x.db ]
exit "$status"
SCRIPT
mkdir "$work/disk"
if unshare -rm sh -c "mount -t tmpfs none '$work/disk'" 2>/dev/null; then
    status=0
    unshare -rm sh "$work/on-small-disk" "$work/disk" "$program" "$sample" "$work" 2>"$work/sh" || status=$?
    check "a full disk; an older database stays" refused 74 "$work/disk/x.db"
else
    skip "a full disk; an older database stays" "no file system may be mounted here"
fi

# --- An older database is replaced by a run that succeeds, and by no other.
run run "$sample" --db "$work/db/x.db" -q
before=$(sha256sum <"$work/db/x.db")
run run tests/corpus/bad/unknown-region.yaml --db "$work/db/x.db"
check "an invalid scenario leaves an older database alone" eval 'ended 3 && [ "$(sha256sum <"$work/db/x.db")" = "$before" ]'
(
    ulimit -f 64
    exec "$program" run "$sample" --seed 2 --db "$work/db/x.db"
) >/dev/null 2>&1 </dev/null
check "a run that cannot be written does so too" eval '[ "$(sha256sum <"$work/db/x.db")" = "$before" ]'
run run "$sample" --seed 2 --db "$work/db/x.db" -q
check "a run that succeeds replaces it" eval 'ended 0 && [ "$(sha256sum <"$work/db/x.db")" != "$before" ] && holds_only "$work/db" x.db'
finish
