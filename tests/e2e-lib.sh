# e2e-lib.sh: what the cases of e2e/ share; they source it.
set -e
. "$ROOT/tests/limits.sh"
# What a C program needs that uses libnn.
libnn="-I$ROOT/runtime $BUILD/libnn.a -ljansson -llbfgs -lzip -lz -lm -lpthread -ldl"
case $NNCC in
*/san/*) libnn="-fsanitize=address,undefined $libnn" ;;
esac

# runs_here CPU: may code for this CPU be run? If not, that is told.
runs_here() {
    [ -x ./runs_here ] ||
        $CC -o runs_here "$ROOT"/tests/unit/runs_here.c "$ROOT"/tests/unit/harness.c
    ./runs_here "$1" || {
        echo "skipped: code for $1"
        return 1
    }
}

fail() {
    echo "FAILED: $*"
    exit 1
}

# refuse STATUS PATTERN COMMAND…: the command ends with that status, prints a
# message that matches (extended regular expression) and leaves no new file.
refuse() {
    want=$1 pattern=$2
    shift 2
    ls -A >before.list 2>/dev/null
    touch after.list
    ls -A >before.list
    set +e
    "$@" >out.txt 2>err.txt </dev/null
    got=$?
    set -e
    [ "$got" = "$want" ] || {
        head -c 2000 err.txt
        fail "status $got, expected $want: $*"
    }
    grep -Eq "$pattern" err.txt || {
        head -c 2000 err.txt
        fail "no message like '$pattern': $*"
    }
    ls -A >after.list
    cmp -s before.list after.list ||
        [ "$(diff before.list after.list | grep '^>' |
            grep -v 'out.txt$\|err.txt$')" = '' ] || fail "left behind: $*"
}

# accept COMMAND…: ends with status 0.
accept() {
    "$@" >out.txt 2>err.txt </dev/null || {
        head -c 2000 err.txt
        fail "status $?: $*"
    }
}

# is EXPECTED ARGUMENT…: what `nncc run m.nn ARGUMENT…` prints.
is() {
    want=$1
    shift
    accept "$NNCC" run m.nn "$@"
    [ "$(cat out.txt)" = "$want" ] || fail "$(cat out.txt), expected $want: $*"
}

# near EXPECTED ARGUMENT…: the same in doubles, numbers within 1e-9 of what is
# expected, or relatively so.
near() {
    want=$1
    shift
    accept "$NNCC" run --real=f64 m.nn "$@"
    { echo "$want" && cat out.txt; } | sed 's/[][{}:,"]/ /g' | awk '
        function number(s) { return s ~ /^[-+.0-9]+(e[-+0-9]+)?$/ }
        function off(a, b) { return a < b ? b - a : a - b }
        NR == 1 { n = split($0, want) }
        NR == 2 && NF != n { exit 1 }
        NR == 2 { for (i = 1; i <= n; i++) {
            close_by = off(want[i], $i) <= 1e-9 * (1 + off(want[i], 0))
            both = number(want[i]) && number($i)
            if (both ? !close_by : want[i] != $i) exit 1 } }' ||
        fail "$(cat out.txt), expected $want: $*"
}
