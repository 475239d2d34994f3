#!/bin/sh
# mutants.sh [-j N] [--again | FILE... | NUMBER...]: are conditions tested from both sides?
#
# Weakens each guard of rules, identities and passes over loops and kernels (of
# these files, these numbers, or that nothing noticed the last time) and looks
# whether a test notices. One build has
# them all, see mutants.awk and mutants.c; a mutant is a run of those tests that
# reach its guard with a value that the weakening changes, first the suite that
# noticed it before, then the quickest ones, up to the first failure. What
# crashes, hangs or takes memory without end is noticed. A mutant that none
# notices is printed, and is a failure unless mutants.txt names it.
#
# Not part of `make test`. The build stays in build/mutants, and what became of
# each mutant in build/mutants/results as soon as it is known: a run that was
# stopped goes on where it was, and what was tried since sources and tests
# changed is not tried again, but where it is asked for by number. The last line
# counts all guards; it ends with how many failed: those that nothing notices,
# those that were never tried, and names in mutants.txt that no guard has.
root=$(cd "$(dirname "$0")/.." && pwd) || exit 2
work=$root/build/mutants jobs=2
suites="accuracy alike batch binders bound check closed copies costs diff
    diff_loops diff_random eval extremes fmt graph index kernel limits loops
    messages near near_random ops plain plans points products random region
    region_random show simplify small strided sums syntax view zeros"

# Runs a suite, of Check but for the last two; what it prints goes to a file.
suite() {
    (
        cd "$work" && ulimit -c 0 && ulimit -v 6000000 && ulimit -t 30
        case $1 in
        golden) tests/golden.sh build/nncc ;;
        programs) build/fuzz-diff 100 1 tests/fuzz/known.txt ;;
        *) CK_FORK=no "build/test_$1" ;;
        esac
    ) >"$work/log/$2" 2>&1
}

if [ "$1" = --reach ]; then # which guards a suite reaches, and its time
    of=$work/reach/$2
    [ ! -e "$of.time" ] || [ "$(find "$work/build" "$work/tests" \( -name "test_$2" -o \
        -name "$2" -o -name identities.txt -o -name nncc -o -name fuzz-diff \) -newer "$of.time" \
        -print -quit)" ] || exit 0
    rm -f "$of.time"
    cp "$work/zero" "$of"
    NNCC_REACHED=$of suite "$2" "$2" || { echo "$2 fails" && exit 255; }
    times >"$of.times" # of the shell, of what it ran
    awk -v s="$2" 'NR == 2 { split($1 "m" $2, t, /[ms]+/); print t[1] * 60 + t[2] + t[3] * 60 + t[4], s }' \
        "$of.times" >"$of.time"
    exit 0
fi
if [ "$1" = --try ]; then # number suite...
    n=$2 by=
    shift 2
    for s; do
        NNCC_MUTANT=$n NNCC_REACHED=$work/reach/$s suite "$s" "$n"
        case $?/$s in
        0/*) continue ;;
        1/golden | 1/programs) ;;
        1/*) continue ;; # tests were left out
        esac
        by=$s && break
    done
    [ $# -gt 0 ] || by=unreached
    cd "$work" && rm -f "log/$n" && awk -F'\t' -v n="$n" -v by="${by:-survives}" \
        -v stamp="$(cat stamp)" '
        $1 == n { print by "\t" $2 ", " $4 ": " $5 "\t" stamp }' table >>results
    exit 0
fi

[ "$1" = -j ] && jobs=$2 && shift 2
mkdir -p "$work/build" && cd "$work" || exit 2
touch results plan
again=
[ "$1" = --again ] && shift && again=yes
rm -rf log && mkdir -p reach log && : >table && head -c 1052672 /dev/zero >zero
cp -aru "$root"/Makefile "$root"/grammar "$root"/src "$root"/runtime "$root"/tests \
    "$root"/examples "$root"/docs . || exit 2
find src tests -type f | while read -r f; do [ -e "$root/$f" ] || rm "$f"; done
cp -au tests/mutants.c src/base/

# Only what changed is written again, and built: each file's guards begin at a
# multiple of 32, so that those of others mostly keep their numbers.
for f in $(cd "$root" && echo src/simplify/*.c src/graph/*.c src/graph/ops/*.c \
    src/kernel/*.c); do
    first=$(awk 'END { print int($1 / 32) * 32 + 32 }' table)
    awk -v file="$f" -v first="$first" -v table=part -f tests/mutants.awk "$root/$f" \
        >rewritten || exit 2
    cmp -s rewritten "$f" || cp rewritten "$f"
    [ ! -e part ] || { cat part >>table && rm part; }
done
# shellcheck disable=SC2086
make -s -j"$jobs" WARN=-w CFLAGS=-O1 \
    CHECK_LIBS="$(pkg-config --libs check) -Wl,--wrap=_ck_assert_failed,--wrap=tcase_fn_start" \
    build/nncc build/fuzz-diff $(printf 'build/test_%s ' $suites) >log/make 2>&1 ||
    { tail log/make && exit 2; }

# What tests would do again is what was built, of what.
find src tests -type f ! -name 'mutants.*' | LC_ALL=C sort | xargs cat | cksum >stamp

# What each suite reaches, and from that the plan: number, suites.
# shellcheck disable=SC2086
printf '%s\n' $suites golden programs |
    xargs -P "$jobs" -I{} sh "$root/tests/mutants.sh" --reach {} || exit 2
sort -n reach/*.time | while read -r _ s; do
    head -c 4096 "reach/$s" | od -An -v -tu1 -w1 | awk -v s="$s" '$1 { print NR - 1, s }'
done | awk -F'\t' -v only=" $* " -v again="$again" -v stamp="$(cat stamp)" '
    FILENAME == "-" {
        split($0, at, " ")
        reaches[at[1], at[2]] = 1
        by[at[1]] = by[at[1]] " " at[2]
        next
    }
    FILENAME == "results" { before[$2] = $1; of[$2] = $3; next }
    FILENAME ~ /txt$/ { known[$0] = 1; next }
    {
        key = $2 ", " $4 ": " $5
        open = before[key] ~ /^(survives|unreached|)$/
    }
    key in known || (again && !open) { next }
    index(only, " " $1 " ") || ((only == "  " || index(only, " " $2 " ")) &&
        (of[key] != stamp)) {
        first = ($1, before[key]) in reaches ? " " before[key] : ""
        print $1 first by[$1]
    }' - results "$root/tests/mutants.txt" table >plan

xargs -r -P "$jobs" -L1 sh "$root/tests/mutants.sh" --try <plan 2>log/killed || exit 2
awk -F'\t' '
    FILENAME == "plan" { split($0, at, " "); asked[at[1]] = 1; next }
    FILENAME == "results" { by[$2] = $1; next }
    FILENAME ~ /txt$/ { if (/^[^#]/) known[$0] = 1; next }
    { key = $2 ", " $4 ": " $5; exists[key] = 1; all++ }
    key in known { same++; next }
    !(key in by) { never++; next }
    by[key] != "survives" && by[key] != "unreached" { good++; next }
    { open++ }
    $1 in asked {
        printf "nothing %s %s:%d (%d), %s: %s\n",
            by[key] == "survives" ? "notices" : "reaches", $2, $3, $1, $4, $5
    }
    END {
        for (key in known)
            if (!(key in exists)) { print "no such guard: " key; gone++ }
        printf "mutants: %d guards, %d noticed, %d change no value, %d open, %d never tried: %d failed\n",
            all, good, same, open, never, open + never + gone
        exit open + never + gone > 0
    }' plan results "$root/tests/mutants.txt" table
