#!/bin/sh
# shown.sh BUILD COUNT: what `nncc diff --nn` prints of random programs compiles,
# to the same numbers. Programs that known-shown.txt has are left out.
build=$(cd "$1" && pwd) || exit 2
count=$2
cd "$(dirname "$0")" || exit 2
known=$(pwd)/known-shown.txt
. ../limits.sh
ulimit -t 20
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
cd "$work" || exit 2
pass=0 fail=0
at="x=1.25 y=-0.75 v=[0.5,1.75,-1.5] w=[2.25,-0.25,1] k=2 p=[2,0,1] c=true"

# Are the numbers of two lines near each other; those that are none are not.
near() {
    for f in "$1" "$2"; do
        sed 's/"[a-z_0-9]*"://g; s/"//g' "$f" | tr -c 'a-z0-9.+\n-' ' ' >"$f.numbers"
    done
    paste -d '\n' "$1.numbers" "$2.numbers" | awk '
        function size(v) { return v < 0 ? -v : v }
        NR == 1 { n = split($0, want) }
        NR == 2 { if (NF != n) exit 1
                  for (i = 1; i <= n; i++)
                      if (want[i] !~ /nan|inf/ &&
                          !(size($i - want[i]) <= 1e-8 * (1 + size(want[i])))) exit 1 }'
}

run() { "$build/nncc" run --real=f64 "$@" $at; }

seed=0
while [ $seed -lt "$count" ]; do
    seed=$((seed + 1))
    ! grep -q "^$seed " "$known" || continue
    "$build/fuzz-diff" print $seed >p.nn
    rm -f want got d.nn
    if "$build/nncc" diff --nn --real=f64 p.nn f -o d.nn 2>err &&
        run p.nn 'value_and_grad(f, x, y, v, w)' >want 2>err &&
        run d.nn f_grad >got 2>err && near want got; then
        pass=$((pass + 1))
        continue
    fi
    fail=$((fail + 1))
    echo "program $seed is wrong:"
    cat p.nn err
    cat want d.nn got 2>/dev/null
done
echo "shown: $pass passed, $fail failed"
[ "$fail" = 0 ]
