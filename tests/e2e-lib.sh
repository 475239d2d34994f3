# e2e-lib.sh: what the cases of e2e/ share; they source it.
set -e
. "$ROOT/tests/limits.sh"
# What a C program needs that uses libnn.
libnn="-I$ROOT/runtime $BUILD/libnn.a -ljansson -llbfgs -lz -lm -lpthread -ldl"
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

# is EXPECTED ARGUMENT…: what `nncc run m.nn ARGUMENT…` prints. Asked are all of
# one m.nn at once, unless an option is given: when another one is asked, and at
# the end.
is() { ask is "$@"; }

# near EXPECTED ARGUMENT…: the same in doubles, numbers within 1e-9 of what is
# expected, or relatively so.
near() { ask near "$@"; }

ask() { # is|near EXPECTED ARGUMENT…
    case "$*" in *' --'*) alone=1 ;; *) alone= ;; esac
    [ ! "$alone" ] && cmp -s m.nn asked.nn || { answer && cp m.nn asked.nn; }
    kind=$1
    printf '%s\n' "$2" >>asked.$kind.want
    shift 2
    printf '%s\n' "$*" | tr '\n' ' ' >>asked.$kind.what
    echo >>asked.$kind.what
    for word; do
        case $word in
        *\'*) printf '%s\n' "$word" | sed "s/'/'\\\\''/g; 1s/^/'/; \$s/\$/'/" ;;
        *) printf "'%s'\n" "$word" ;;
        esac
    done | tr '\n' ' ' >>asked.$kind
    [ ! "$alone" ] || answer
}

answer() {
    [ ! -f asked.is ] || answer_all is
    [ ! -f asked.near ] || answer_all near --real=f64
}

answer_all() { # is|near OPTION…
    kind=$1
    shift
    status=0
    eval "\"\$NNCC\" run asked.nn $* $(cat asked.$kind)" >asked.got 2>asked.err </dev/null || status=$?
    # What does not match, or has no answer.
    paste -d'\n' asked.$kind.want asked.got asked.$kind.what | awk -v kind=$kind '
        function off(a, b) { return a < b ? b - a : a - b }
        function number(s) { return s ~ /^[-+.0-9]+(e[-+0-9]+)?$/ }
        function differ(want, got,    w, g, n, i) {
            if (kind == "is") return want != got
            gsub(/[][{}:,"]/, " ", want); gsub(/[][{}:,"]/, " ", got)
            n = split(want, w)
            if (split(got, g) != n) return 1
            for (i = 1; i <= n; i++)
                if (w[i] != g[i] && !(number(w[i]) && number(g[i]) &&
                                      off(w[i], g[i]) <= 1e-9 * (1 + off(w[i], 0))))
                    return 1
            return 0
        }
        NR % 3 == 1 { want = $0 }
        NR % 3 == 2 { got = $0 }
        NR % 3 == 0 && differ(want, got) { print got ", expected " want ": " $0; exit }' >asked.off
    [ $status = 0 ] && [ ! -s asked.off ] || {
        head -c 2000 asked.err
        fail "$(cat asked.off)"
    }
    rm asked.$kind asked.$kind.want asked.$kind.what
}

trap '[ $? != 0 ] || answer' EXIT
