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
