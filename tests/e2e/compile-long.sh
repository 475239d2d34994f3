# compile-long.sh: what a program takes to compile grows with its length and no
# faster. The limit is twice the target of 1.5: for busy machines.
. "$ROOT/tests/e2e-lib.sh"

# Sets ms: the CPU time of all commands so far.
spent() {
    times >times.txt
    ms=$(awk 'NR == 2 { gsub(/[ms]/, " "); print int(1000 * ($1 * 60 + $2 + $3 * 60 + $4)) }' times.txt)
}

# Sets ms: what it takes to compile n of a kind.
taken() {
    awk -v kind="$1" -v n="$2" -f "$ROOT/tests/bench/shapes.awk" >long.nn
    spent && before=$ms
    accept "$NNCC" long.nn -o long.so
    spent && ms=$((ms - before))
}

# linear KIND N: 8 N take at most 24 times as long as N. What every program
# takes, however short, counts for neither.
linear() {
    taken "$1" 1 && empty=$ms
    taken "$1" "$2" && short=$((ms - empty))
    taken "$1" $((8 * $2)) && long=$((ms - empty))
    [ "$short" -ge 40 ] || short=40
    [ "$long" -le $((24 * short)) ] ||
        fail "$1: $2 take $short ms, $((8 * $2)) take $long ms"
    echo "$1 $2: $short ms, $((8 * $2)): $long ms"
}

linear scalars 500
linear vectors 100
linear products 200
linear comprehensions 100
linear loops 100
linear nests 100
linear branches 100
linear fields 200
linear terms 200
linear functions 200
linear exports 25

# chain FIRST STEP LAST: 40 lines in which each value is read twice by the next.
chain() {
    printf '%s\n' "$1"
    awk -v step="$2" 'BEGIN {
        for (i = 2; i < 42; i++) {
            line = step
            gsub(/NEW/, "k" i, line); gsub(/OLD/, "k" i - 1, line); gsub(/BEFORE/, "k" i - 2, line)
            print line
        }
    }'
    printf '%s\n' "$3"
}

# What is looked through is looked at once, however often it is read: places in
# ragged rows, and those that no data decide.
chain 'fn f(v: real[m], b: int[n], e: int[n]) -> real[n] = [i < n | {
  let k0 = b[i]; let k1 = b[i] + e[i];' '  let NEW = OLD + BEFORE;' \
    '  sum(k < m | if k < e[i] - b[i] { v[k41 + k] } else { 0.0 }) }];
export f;' >places.nn
accept timeout 20 "$NNCC" places.nn -o long.so
chain 'fn f(x: real[n]) -> real[n] = {
  let k1 = [i < n | i];' '  let NEW = OLD * OLD % 1009 + OLD;' \
    '  [i | x[k41[i] % n]] };
export f;' >gathered.nn
accept timeout 20 "$NNCC" gathered.nn --explain
grep -q 'x is read element by element' out.txt || fail "$(cat out.txt)"
