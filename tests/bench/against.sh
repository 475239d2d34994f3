#!/bin/sh
# against.sh BUILD NNCC: what this build's nncc and another one, and what they
# make, take: processor time, the least of several runs that take turns, so that
# it means something on a busy machine too. Exits 1 where a row is slower by more
# than SLACK per cent (3).
#
# COUNT=1: instructions instead, counted once, of code for x86-64-v3 (needs
# valgrind, and half an hour). ROWS=PATTERN: only the rows that grep finds by it.
build=$(cd "$1" && pwd) || exit 2
other=$(cd "$(dirname "$2")" && pwd)/$(basename "$2") || exit 2
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
mkdir "$work/new" "$work/old"
export NNCC_CACHE= # nothing is kept
slack=${SLACK:-3} slower=0 count=${COUNT:-0} rows=${ROWS:-.} cpu=
[ "$count" = 0 ] || cpu=--cpu=x86-64-v3 # what valgrind knows
cc -O1 -D_DEFAULT_SOURCE tests/bench/cpu.c -o "$work/cpu" || exit 2

# What a command takes: microseconds of processor time, or instructions.
taken() {
    [ "$count" != 0 ] || {
        "$work/cpu" "$@"
        return
    }
    valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null \
        --log-file="$work/log" "$@" >/dev/null &&
        awk '/I +refs:/ { gsub(",", ""); print $NF }' "$work/log"
}

# pair WHAT TIMES COMMAND…: NNCC in the command is either compiler, DIR a folder
# for its files.
pair() {
    what=$1 times=$2 new= old=
    shift 2
    echo "$what" | grep -q "$rows" || return
    [ "$count" = 0 ] || times=1
    while [ "$times" -gt 0 ]; do
        for side in new old; do
            nncc=$build/nncc
            [ $side = new ] || nncc=$other
            t=$(eval "taken $(echo "$*" |
                sed "s|NNCC|'$nncc'|g; s|DIR|$work/$side|g")" 2>"$work/err") || t=
            [ "$t" ] || {
                printf '%-40s %s: does not run\n' "$what" $side
                head -2 "$work/err"
                [ $side = old ] || slower=$((slower + 1))
                return
            }
            eval "least=\$$side"
            [ "$least" ] && [ "$least" -le "$t" ] || eval "$side=$t"
        done
        times=$((times - 1))
    done
    worse=$((100 * new > (100 + slack) * old))
    slower=$((slower + worse))
    echo "$new $old" | awk -v what="$what" -v worse=$worse -v count="$count" '{
        by = count ? 1e6 : 1e3
        unit = count ? "M " : "ms"
        printf "%-40s %9.2f %s %9.2f %s  %.3f%s\n", what, $1 / by, unit,
               $2 / by, unit, $1 / $2, worse ? "  slower" : "" }'
}

digits=examples/digits/digits
# As older compilers understand them, who have no library of distributions.
for model in lstm gpt; do
    sed '/^use distributions/d; s/categorical(/drawn(/' "examples/chars/$model.nn" >"$work/$model.nn"
    echo 'fn drawn(k: key, z: real[n]) -> int = argmax(z - log(-log(uniform(k, [n]))));' \
        >>"$work/$model.nn"
done
printf '%-40s %12s %12s  %s\n' what 'this one' 'other' 'ratio'
[ "$count" != 0 ] || {
    pair 'digits: compile and train' 7 NNCC train $digits.nn --data $digits.csv.gz --test 360 --epochs 30
    for model in lstm gpt; do
        pair "chars/$model: compile and train" 3 NNCC train "$work/$model.nn" \
            --text examples/chars/proverbs.txt --batch 16 --epochs 1
    done
}
sed 's/STEPS/1000/g' tests/bench/lstm.nn >"$work/plain.nn"
pair 'digits.nn to .so' 15 NNCC $digits.nn -o DIR/digits.so
pair 'GPT-2 to .so' 3 NNCC examples/gpt2/gpt2.nn -o DIR/gpt2.so
pair 'LSTM and its gradient to .so' 7 NNCC "$work/plain.nn" -o DIR/lstm.so
# Once more, with what each may have kept.
export NNCC_CACHE="$work/cache"
pair 'digits.nn to .so again' 15 NNCC $digits.nn -o DIR/digits.so
pair 'GPT-2 to .so again' 4 NNCC examples/gpt2/gpt2.nn -o DIR/gpt2.so
pair 'LSTM and its gradient to .so again' 7 NNCC "$work/plain.nn" -o DIR/lstm.so
export NNCC_CACHE=
sh tests/bench/chain.sh 1000 >"$work/chain.nn"
pair 'gradient of a product of 1,000 to .so' 5 NNCC "$work/chain.nn" -o DIR/chain.so
for kind in scalars vectors products comprehensions loops nests branches fields \
    terms functions exports; do
    awk -v kind=$kind -v n=200 -f tests/bench/shapes.awk >"$work/$kind.nn"
    pair "200 $kind to .so" 3 NNCC "$work/$kind.nn" -o DIR/long.so
done

# make_both NAME MODEL…: models and the C files of NAME to a program, with either.
make_both() {
    name=$1
    shift
    for side in new old; do
        nncc=$build/nncc
        [ $side = new ] || nncc=$other
        for model; do
            # shellcheck disable=SC2086
            "$nncc" "$model.nn" $cpu -o "$work/$side/$(basename "$model").o"
        done
        (cd "$work/$side" &&
            cc -O2 -w -I. "$top/tests/bench/$name"/*.c \
                $(for model; do echo "$(basename "$model").o"; done) -o "$name" -lm) 2>/dev/null || echo "$name: cannot be made of what the $side one gives"
    done
}
top=$PWD
make_both step $digits "$work/lstm" "$work/gpt"
steps=5
[ "$count" = 0 ] || steps=1
for model in "digits $((steps * 200))" "lstm $steps" "gpt $steps"; do
    pair "steps: $model" 7 DIR/step $model
done
make_both kernels tests/bench/kernels/kernels
for shape in 'total 1 10' 'total 1 1000' 'total 1000 1000' 'product 1 10' \
    'product 1 1000' 'product 1000 1000' 'columns 10 100' 'columns 32 64' \
    'columns 100 100' 'columns 10000 10' 'rows 100 10' 'rows 100 100' \
    'rows 10 10000' 'soft 100 10' 'soft 100 100' 'logs 100 10' 'logs 10 1000' \
    'spread 100 10' 'spread 100 100' 'gram 64 32' 'gram 1000 64' \
    'gram 10000 64' 'outer 64 64' 'outer 200 1000' \
    'through 1024 1024'; do
    pair "kernel: $shape" 7 DIR/kernels $shape
done
make_both reduce tests/bench/reduce/reduce
pair 'reductions as one writes them' 5 env ROUNDS=100 DIR/reduce
make_both mlp tests/bench/mlp/mlp
pair 'MLP gradient, and loops in C' 5 env ROUNDS=100 DIR/mlp
echo "$slower rows are slower by more than $slack %"
[ $slower = 0 ]
