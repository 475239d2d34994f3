#!/bin/sh
# mutants.sh BUILD [EVERY [FILE...]]: are conditions tested from both sides?
#
# Weakens the guards of rules, identities and passes over loops one at a time
# (every EVERY-th of them), and looks whether a test notices. A mutant that none
# notices is printed, and is a failure unless mutants.txt names it as one that
# changes no value. Takes some ten seconds a mutant; not part of `make test`.
build=$1 every=${2:-1}
[ $# -gt 1 ] && shift
shift
cd "$(dirname "$0")/.." || exit 2
[ $# -gt 0 ] || set -- src/simplify/rules.c src/graph/merge.c src/graph/prune.c src/graph/ops/*.c
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT INT TERM
suites="near simplify eval graph binders strided batch diff region diff_loops check"
llvm=${LLVM_CONFIG:-llvm-config-19}
# shellcheck disable=SC2046
libs="$($llvm --ldflags --libs) -ljansson -lz -lpthread -ldl -lm"

# What the suite NAME consists of besides the library.
parts() {
    case $1 in
    near | simplify | eval | graph | batch | diff) echo "tests/unit/test_$1.c" ;;
    *) make -n -W "tests/unit/test_$1.c" B="$build" V=1 "$build/test_$1" |
        grep -o 'tests/unit/[a-z_]*\.c' | sort -u ;;
    esac
}

# Objects of the suites, once.
for s in $suites; do
    mkdir -p "$work/$s"
    for c in $(parts "$s"); do
        cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -Isrc -Iruntime -I"$build" -c "$c" \
            -o "$work/$s/$(basename "$c" .c).o" || exit 2
    done
done

# Does a suite with the library of $work notice? Says which.
noticed() {
    for s in $suites; do
        # shellcheck disable=SC2086,SC2046
        cc "$work/$s"/*.o "$work/libnncc.a" "$build/libnn.a" -o "$work/test" $libs \
            $(pkg-config --libs check) || return 0
        CK_DEFAULT_TIMEOUT=60 timeout 300 "$work/test" >"$work/log" 2>&1 || {
            by=test_$s
            return 0
        }
    done
    # shellcheck disable=SC2086
    cc "$build"/tests/fuzz/diff.o "$build"/tests/fuzz/judge.o "$build"/tests/fuzz/program.o \
        "$build"/tests/unit/kernel_sim.o "$work/libnncc.a" "$build/libnn.a" -o "$work/test" $libs || return 0
    by=fuzz-diff
    ! timeout 600 "$work/test" 100 >"$work/log" 2>&1
}

pass=0 fail=0 all=0
for f in "$@"; do
    n=$(awk -v pick=0 -f tests/mutants.awk "$f")
    k=0
    while [ $k -lt "$n" ]; do
        k=$((k + 1)) all=$((all + 1))
        [ $((all % every)) = 0 ] || continue
        awk -v pick=$k -f tests/mutants.awk "$f" >"$work/mutant.c" 2>"$work/what"
        cc -std=c11 -D_POSIX_C_SOURCE=200809L -O1 -w -Isrc -Iruntime -I"$build" -I"$(dirname "$f")" \
            -c "$work/mutant.c" -o "$work/$(basename "$f" .c).o" 2>/dev/null || continue
        cp "$build/libnncc.a" "$work/libnncc.a"
        ar r "$work/libnncc.a" "$work/$(basename "$f" .c).o" 2>/dev/null
        what="$f: $(sed 's/^line [0-9]*: *//' "$work/what")"
        if grep -qxF "$what" tests/mutants.txt 2>/dev/null; then
            pass=$((pass + 1))
        elif noticed; then
            pass=$((pass + 1))
        else
            echo "nothing notices  $f, $(cat "$work/what")"
            fail=$((fail + 1))
        fi
    done
done
echo "mutants: $pass passed, $fail failed"
[ "$fail" = 0 ]
