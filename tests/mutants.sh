#!/bin/sh
# mutants.sh [-j N] [--again | FILE... | NUMBER...]: are conditions tested from both sides?
#
# Weakens each guard of rules, identities and passes over loops and kernels (of
# these files, these numbers, or that nothing noticed the last time) and looks
# whether a test notices. One build has them all, see mutants.awk and mutants.c;
# a mutant is a run of those tests of a suite that reach its guard with a value
# that the weakening changes, up to the first failure: of the suite that noticed
# it before, then of the others, the quickest first. What crashes, hangs or takes
# memory without end is noticed. A mutant that none notices is printed, and is a
# failure unless mutants.txt names it.
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
    diff_loops diff_random eval extremes fmt formulas graph index kernel limits loops
    messages near near_random ops plain plans points products random region
    region_random roots show simplify slow small strided sums syntax systems view
    zeros"

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

# What became of a mutant.
result() {
    awk -F'\t' -v n="$2" -v by="$1" -v stamp="$(cat stamp)" '
        $1 == n { print by "\t" $2 ", " $4 ": " $5 "\t" stamp }' table >>results
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
if [ "$1" = --try ]; then # suite number
    NNCC_MUTANT=$3 NNCC_REACHED=$work/reach/$2 suite "$2" "$3"
    case $?/$2 in
    1/golden | 1/programs) ;;
    0/* | 1/*) exit 0 ;; # 1: tests were left out
    esac
    cd "$work" && rm -f "log/$3" && echo "$3" >>found && result "$2" "$3"
    exit 0
fi

[ "$1" = -j ] && jobs=$2 && shift 2
mkdir -p "$work/build" && cd "$work" || exit 2
touch results
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
    src/nest/*.c src/kernel/*.c); do
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

# Those to be tried, each with who noticed it before.
awk -F'\t' -v only=" $* " -v again="$again" -v stamp="$(cat stamp)" '
    FILENAME == "results" { before[$2] = $1; of[$2] = $3; next }
    FILENAME ~ /txt$/ { known[$0] = 1; next }
    {
        key = $2 ", " $4 ": " $5
        open = before[key] ~ /^(survives|unreached|)$/
    }
    key in known || (again && !open) { next }
    index(only, " " $1 " ") || ((only == "  " || index(only, " " $2 " ")) &&
        of[key] != stamp) { print $1, before[key] }
    ' results "$root/tests/mutants.txt" table >asked

# The quickest suites first; which tests reach what is looked for where it is
# asked for.
: >found
for s in $suites golden programs; do
    cat "reach/$s.time" 2>/dev/null || echo "0 $s"
done | sort -n >order
for pass in 1 2; do
    while read -r _ s; do
        awk -v s="$s" -v pass="$pass" 'FILENAME == "found" { found[$1] = 1; next }
            !($1 in found) && ($2 == s) == (pass == 1) { print $1 }' found asked >next
        [ -s next ] || continue
        sh "$root/tests/mutants.sh" --reach "$s" </dev/null || exit 2
        head -c 4096 "reach/$s" | od -An -v -tu1 -w1 | awk '
            FILENAME == "next" { wanted[$1]; next }
            $1 && (FNR - 1) in wanted { print FNR - 1 }' next - |
            xargs -r -P "$jobs" -n1 sh "$root/tests/mutants.sh" --try "$s" 2>log/killed
    done <order
done
for n in $(awk 'FILENAME == "found" { found[$1] = 1; next } !($1 in found) { print $1 }' found asked); do
    by=unreached
    for s in $suites golden programs; do
        [ "$(od -An -tu1 -j "$n" -N1 "reach/$s")" -eq 0 ] || by=survives
    done
    result "$by" "$n"
done
awk -F'\t' '
    FILENAME == "asked" { split($0, at, " "); asked[at[1]] = 1; next }
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
    }' asked results "$root/tests/mutants.txt" table
