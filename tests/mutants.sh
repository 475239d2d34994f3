#!/bin/sh
# mutants.sh BUILD [EVERY [FILE...]]: are conditions tested from both sides?
#
# Weakens the guards of rules, identities and passes over loops one at a time
# (every EVERY-th of them) in a copy of the project, and looks whether a test
# notices. A mutant that none notices is printed, and is a failure unless
# mutants.txt names it as one that changes no value. Takes some ten seconds a
# mutant; not part of `make test`.
build=$1 every=${2:-1}
[ $# -gt 1 ] && shift
shift
cd "$(dirname "$0")/.." || exit 2
[ $# -gt 0 ] || set -- src/simplify/rules.c src/graph/merge.c src/graph/prune.c src/graph/ops/*.c
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT INT TERM
cp -a Makefile grammar src runtime tests examples "$work" && mkdir "$work/build" &&
    cp -a "$build"/. "$work/build" || exit 2
cd "$work" || exit 2
suites="near simplify eval graph ops binders strided batch diff zeros region diff_loops check"
make="make -s WARN=-w"

# Does a test notice? What cannot be built is noticed, too.
noticed() {
    for s in $suites; do
        $make "build/test_$s" >log 2>&1 && timeout 300 "build/test_$s" >log 2>&1 || return 0
    done
    ! { $make build/fuzz-diff >log 2>&1 &&
        timeout 600 build/fuzz-diff 100 1 tests/fuzz/known.txt >log 2>&1; }
}

pass=0 fail=0 all=0
for f; do
    cp -p "$f" original
    n=$(awk -v pick=0 -f tests/mutants.awk original)
    k=0
    while [ $k -lt "$n" ]; do
        k=$((k + 1)) all=$((all + 1))
        [ $((all % every)) = 0 ] || continue
        awk -v pick=$k -f tests/mutants.awk original >"$f" 2>what
        if grep -qxF "$f: $(sed 's/^line [0-9]*: *//' what)" tests/mutants.txt 2>/dev/null || noticed; then
            pass=$((pass + 1))
        else
            echo "nothing notices  $f, $(cat what)"
            fail=$((fail + 1))
        fi
    done
    cp original "$f"
done
echo "mutants: $pass passed, $fail failed"
[ "$fail" = 0 ]
