#!/bin/bash
# Charts: pictures that are there and whole, and what is said where there can be none.
# shellcheck source=tests/e2e/common disable=SC1091,SC2016,SC2034,SC2154
. tests/e2e/common

db=$work/run.db
run run "$sample" --db "$db" -q
check "a run to draw" eval 'ended 0 && [ -s "$db" ]'

# --- Without gnuplot: it need not be installed for anything but charts.
mkdir "$work/empty"
PATH=$work/empty run chart outcomes "$db" -o "$work/x.svg"
check "without gnuplot: exit 69, said so" eval 'refused 69 gnuplot && [ ! -e "$work/x.svg" ]'
PATH=$work/empty run run "$sample" --db "$work/other.db" -q
check "without gnuplot: a run succeeds" eval 'ended 0 && [ -s "$work/other.db" ]'

# --- With it
if command -v gnuplot >/dev/null; then
    run chart outcomes "$db" -o "$work/x.svg"
    check "an SVG" eval 'ended 0 && silent && [ ! -s "$work/err" ] && grep -q "<svg" "$work/x.svg" && tail -n 2 "$work/x.svg" | grep -q "</svg>"'
    check "it names the scenario" grep -q permission-revoked "$work/x.svg"
    run chart outcomes "$db" -o "$work/x.png"
    check "a PNG" eval 'ended 0 && silent && [ "$(head -c 8 "$work/x.png" | od -An -tx1 | tr -d " \n")" = 89504e470d0a1a0a ]'
    run chart requests "$db" -o "$work/requests.svg"
    check "an SVG of the requests" eval 'ended 0 && silent && grep -q "limit (100 %)" "$work/requests.svg"'
    run chart outcomes "$db" -o "$work/x.svg"
    cp "$work/x.svg" "$work/before.svg"
    run chart outcomes "$db" --output "$work/x.svg"
    check "the same picture again" cmp -s "$work/before.svg" "$work/x.svg"
    run chart outcomes "$db" -o "$work/it's a \"chart\" \$x \`y\`.svg"
    check "names with blanks and quotes" eval 'ended 0 && [ -s "$work/it'\''s a \"chart\" \$x \`y\`.svg" ]'
    for path in /proc/x.svg "$db/x.svg"; do
        run chart outcomes "$db" -o "$path"
        check "a picture that cannot be written: ${path/"$work"/DIR}" refused 74 "$path"
    done
    run chart outcomes "$db" -o "$work/no/where/x.svg"
    check "directories that are missing are made" eval 'ended 0 && [ -s "$work/no/where/x.svg" ]'
    printf '#!/bin/sh\nexit 3\n' >"$work/empty/gnuplot"
    chmod +x "$work/empty/gnuplot"
    PATH=$work/empty run chart outcomes "$db" -o "$work/x.svg"
    check "a gnuplot that fails leaves the older picture" eval 'ended 74 && silent && [ -s "$work/err" ] && no_crash && cmp -s "$work/before.svg" "$work/x.svg"'
else
    for name in "an SVG" "it names the scenario" "a PNG" "an SVG of the requests" "the same picture again" "names with blanks and quotes" \
        "a picture that cannot be written: /proc/x.svg" "a picture that cannot be written: DIR/run.db/x.svg" \
        "directories that are missing are made" "a gnuplot that fails leaves the older picture"; do
        skip "$name" "gnuplot is not installed"
    done
fi

# --- Pictures of what cannot be drawn
for name in x x.pdf x.svg.gz ''; do
    run chart outcomes "$db" -o "$work/$name"
    check "a name that ends neither in .svg nor .png: '$name'" eval 'ended 2 && silent && told .svg && no_crash'
done
run chart outcomes "$db" -o "$work/a.b/x.gif"
check "a name for a picture that can be drawn" refused 2 "for instance $work/a.b/x.svg"
run chart outcomes "$work/none.db" -o "$work/n.svg"
check "a database that is not there" eval 'refused 74 none.db && told "cmksim run SCENARIO" && [ ! -e "$work/none.db" ]'
run chart outcomes "$work" -o "$work/n.svg"
check "a database that is a directory" refused 74 "$work"
run chart outcomes "$sample" -o "$work/n.svg"
check "a database that is a scenario" eval 'ended 3 && silent && told "$sample" && no_crash'
: >"$work/nothing.db"
run chart outcomes "$work/nothing.db" -o "$work/n.svg"
check "a database that is an empty file" refused 3 nothing.db
size=$(stat -c %s "$db")
head -c $((size / 2)) "$db" >"$work/half.db"
run chart outcomes "$work/half.db" -o "$work/n.svg"
check "half a database" eval '{ ended 74 || ended 3; } && silent && told half.db && no_crash'
cp "$db" "$work/holes.db"
for page in 2 3 5 9 12 20; do
    head -c 4096 /dev/zero | tr '\0' '\377' | dd of="$work/holes.db" bs=4096 seek="$page" conv=notrunc status=none
done
run chart outcomes "$work/holes.db" -o "$work/n.svg"
check "a damaged database" eval '{ ended 74 || ended 3; } && silent && told holes.db && no_crash'
if can_sql; then
    sql "$work/foreign.db" 'create table t (x); insert into t values (1)' >/dev/null
    run chart outcomes "$work/foreign.db" -o "$work/n.svg"
    check "somebody else's database" refused 3 foreign.db
    cp "$db" "$work/newer.db"
    sql "$work/newer.db" 'pragma user_version = 1000' >/dev/null
    run chart outcomes "$work/newer.db" -o "$work/n.svg"
    check "a database of a newer version" eval 'refused 3 newer.db && told newer'
else
    skip "somebody else's database" "neither sqlite3 nor python3 is installed"
    skip "a database of a newer version" "neither sqlite3 nor python3 is installed"
fi
check "none of these left a picture" [ ! -e "$work/n.svg" ]
finish
