#!/bin/sh
# run.sh NNCC: from a model to machine code: beside an older build (BASE, or the one that
# `make bench-peers` makes), beside JAX's compiler, and how it grows.
. "$(dirname "$0")/../lib.sh"
cd "$top"
base=${BASE:-build/peers/base/build/nncc}
cc -O1 -D_DEFAULT_SOURCE tests/bench/cpu.c -o "$work/cpu"

# The least processor time in ms of so many runs of a command.
least() {
    n=$1
    shift
    while [ "$n" -gt 0 ]; do
        "$work/cpu" "$@" || return
        n=$((n - 1))
    done | sort -n | awk 'NR == 1 { printf "%.2f", $1 / 1000 }'
}
ms() { row "$1" '' "$3 ms" '' "<= $2 ms" ''; }
ms 'digits.nn to digits.so' 150 "$(least 20 "$nncc" examples/digits/digits.nn -o "$work/digits.so")"
ms 'the same again' 50 \
    "$(NNCC_CACHE="$work/cache" least 20 "$nncc" examples/digits/digits.nn -o "$work/digits.so")"
sh tests/bench/chain.sh 1000 >"$work/chain.nn"
ms 'gradient of a product of 1,000, to .so' 2000 "$(least 5 "$nncc" "$work/chain.nn" -o "$work/chain.so")"

# Processor time of two commands that take turns, 20 times: a row.
beside() { # WHAT PEER TARGET COMPILER COMPILER PROGRAM PROGRAM
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        "$work/cpu" "$4" "$6" -o "$work/ours.so"
        "$work/cpu" "$5" "$7" -o "$work/theirs.so"
    done | awk -f tests/bench/turns.awk -v what="$1" -v peer="$2" -v target="$3"
}
sed 's/100/6400/g' examples/digits/digits.nn >"$work/wide.nn"
beside 'digits.nn with layers 64 times as wide, to .so' 'as narrow as they are' '<= 1.2' \
    "$nncc" "$nncc" "$work/wide.nn" examples/digits/digits.nn
for steps in 10 10000; do
    sed "s/STEPS/$steps/g" tests/bench/lstm.nn >"$work/lstm$steps.nn"
done
beside 'LSTM and its gradient, 10,000 steps, to .so' '10 steps' '<= 1.1' \
    "$nncc" "$nncc" "$work/lstm10000.nn" "$work/lstm10.nn"
row 'the bytes of that' '10 steps' "$(ratio "$(wc -c <"$work/ours.so")" "$(wc -c <"$work/theirs.so")")" '' '<= 1.01' ''
sed "s/BLOCKS = 12/BLOCKS = 48/" examples/gpt2/gpt2.nn >"$work/gpt48.nn"
beside 'a step of GPT-2, 48 blocks, to .so' '12 blocks' '<= 1.1' \
    "$nncc" "$nncc" "$work/gpt48.nn" examples/gpt2/gpt2.nn
row 'the bytes of that' '12 blocks' "$(ratio "$(wc -c <"$work/ours.so")" "$(wc -c <"$work/theirs.so")")" '' '<= 1.1' ''

if [ -x "$base" ]; then
    older() { beside "$1, to .so" 'the build of ca886f1' "$2" "$nncc" "$base" "$3" "$3"; }
    older digits.nn '>= 2.8' examples/digits/digits.nn
    older 'a step of GPT-2' '>= 2' examples/gpt2/gpt2.nn
    older 'LSTM and its gradient' '>= 2' "$work/lstm10000.nn"
else
    without 'programs to .so' 'the build of ca886f1' '>= 2' 'no build of ca886f1'
fi

for model in lstm gmm ba gpt2; do
    file=tests/bench/workloads/$model.nn
    [ -f "$file" ] || file=examples/gpt2/$model.nn
    if ! has jax; then
        without "$model to .so" 'JAX' '>= 5' 'no JAX'
        continue
    fi
    ours=$(for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
        "$work/cpu" "$nncc" "$file" -o "$work/$model.so"
    done | sort -n)
    "$python" tests/bench/compile/peers.py $model >"$work/theirs"
    read -r peer version best median <"$work/theirs"
    echo "$ours" | awk -v what="$model to .so" -v best="$best" -v median="$median" -v peer="$peer $version" '
        { us[NR] = $1 }
        END { printf "%s\t%s\t%.3g\t%.3g\t>= 5\t%.3g ms : %.3g ms\n", what, peer, 1000 * best / us[1],
              1000 * median / us[int(NR / 2) + 1], us[1] / 1000, best }'
done

# Statements that use tanh, one after another, and the gradient of all of them.
before=
for n in 100 500 5000; do
    awk -v n=$n 'BEGIN {
        print "fn f(x: real, w: real) -> real {\n  let a0 = x;"
        for (i = 1; i <= n; i++) printf "  let a%d = tanh(a%d * w + %d.5);\n", i, i - 1, i
        printf "  a%d\n}\nexport f, grad(f, w);\n", n }' >"$work/tanh.nn"
    each=$(ratio "$(least 3 "$nncc" "$work/tanh.nn" -o "$work/tanh.so")" $n)
    [ ! "$before" ] || row "$n statements with tanh, each" "$less of them" \
        "$(ratio "$each" "$before")" '' '<= 1.3' "$each ms : $before ms"
    before=$each less=$n
done

# Long programs: what N statements of a kind take, each, beside those of fewer.
long() { # KIND N…
    kind=$1 before=
    shift
    for n; do
        awk -v kind="$kind" -v n="$n" -f tests/bench/shapes.awk >"$work/long.nn"
        each=$(ratio "$(least 1 "$nncc" "$work/long.nn" -o "$work/long.so") * 1000" "$n")
        [ ! "$before" ] || row "$n $kind to .so, each" "$less of them" \
            "$(ratio "$each" "$before")" '' '<= 1.5' "$each us : $before us"
        [ "$before" ] || before=$each less=$n
    done
}
for kind in vectors products comprehensions loops nests branches fields terms functions exports; do
    long $kind 1000 8000
done
long scalars 1000 8000 10000 100000
