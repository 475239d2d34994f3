#!/bin/sh
# run.sh BUILD: what is timed, beside its target. Run it on an idle machine.
build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
nncc=$build/nncc
export NNCC_CACHE= # nothing is kept
row() { printf '%-46s %-34s %s\n' "$1" "$2" "$3"; }

# best-of-N wall time in ms of a command
best() {
    n=$1 least=
    shift
    while [ "$n" -gt 0 ]; do
        from=$(date +%s%N)
        "$@" >/dev/null || return
        to=$(date +%s%N)
        t=$(((to - from) / 10000))
        [ "$least" ] && [ "$least" -le "$t" ] || least=$t
        n=$((n - 1))
    done
    echo "$((least / 100)).$(printf %02d $((least % 100)))"
}

row what measured target

"$nncc" train examples/digits/digits.nn --data examples/digits/digits.csv.gz \
    --test 360 --epochs 50 >"$work/demo" 2>&1 || cat "$work/demo"
row 'digits: held-out accuracy' "$(sed -n 's/^test accuracy: //p' "$work/demo")" '>= 0.97'
row 'digits: training time' "$(sed -n 's/^training time: //p' "$work/demo")" '<= 5 s'

sh tests/bench/small/run.sh "$nncc"
sh tests/bench/states/run.sh "$nncc"

row 'digits.nn to digits.so' \
    "$(best 20 "$nncc" examples/digits/digits.nn -o "$work/digits.so") ms" '<= 150 ms'
row 'the same again' \
    "$(NNCC_CACHE="$work/cache" best 20 "$nncc" examples/digits/digits.nn -o "$work/digits.so") ms" '<= 50 ms'
sed 's/100/6400/g' examples/digits/digits.nn >"$work/wide.nn"
row 'the same, layers 64 times as wide' \
    "$(best 20 "$nncc" "$work/wide.nn" -o "$work/wide.so") ms" 'the same +- 20 %'
"$nncc" examples/digits/digits.nn --cpu=native -o "$work/one.so" &&
    strip "$work/one.so"
row 'stripped digits.so, one CPU level' \
    "$(($(wc -c <"$work/one.so") / 1024)) KiB" '<= 64 KiB'

# Statements that use tanh, one after another, and the gradient of all of them.
each=
for n in 100 500 5000; do
    awk -v n=$n 'BEGIN {
        print "fn f(x: real, w: real) -> real {\n  let a0 = x;"
        for (i = 1; i <= n; i++) printf "  let a%d = tanh(a%d * w + %d.5);\n", i, i - 1, i
        printf "  a%d\n}\nexport f, grad(f, w);\n", n }' >"$work/tanh.nn"
    each="$each $(best 3 "$nncc" "$work/tanh.nn" -o "$work/tanh.so") $n"
done
row '100, 500, 5,000 statements with tanh, each' "$(echo "$each" | awk '{
    printf "%.2f, %.2f, %.2f ms: %.2f, %.2f times", $1 / $2, $3 / $4, $5 / $6,
           $3 / $4 / ($1 / $2), $5 / $6 / ($1 / $2) }')" 'grows <= 1.3 times'
sh tests/bench/compile/run.sh "$nncc"

sh tests/bench/chain.sh 1000 >"$work/chain.nn"
row 'gradient of a product of 1,000, to .so' \
    "$(best 5 "$nncc" "$work/chain.nn" -o "$work/chain.so") ms" '<= 2000 ms'

for kind in scalars vectors products comprehensions loops nests branches fields \
    terms functions exports; do
    for n in 1000 8000; do
        awk -v kind=$kind -v n=$n -f tests/bench/shapes.awk >"$work/long.nn"
        ms=$(best 1 "$nncc" "$work/long.nn" -o "$work/long.so")
        row "$n $kind, to .so" "$ms ms, $(echo "$ms $n" | awk '{ print int(1e3 * $1 / $2) }') us each" \
            'each <= 1.5 times for 8 times as many'
    done
done
for n in 1000 10000 100000; do
    awk -v kind=scalars -v n=$n -f tests/bench/shapes.awk >"$work/long.nn"
    ms=$(best 1 "$nncc" "$work/long.nn" -o "$work/long.so")
    row "a chain of $n, to .so" "$ms ms, $(echo "$ms $n" | awk '{ print int(1e3 * $1 / $2) }') us each" \
        'each <= 1.5 times that of 1,000'
done

for steps in 10 10000; do
    sed "s/STEPS/$steps/g" tests/bench/lstm.nn >"$work/lstm.nn"
    row "LSTM and its gradient, $steps steps, to .so" \
        "$(best 10 "$nncc" "$work/lstm.nn" -o "$work/lstm.so") ms, $(wc -c <"$work/lstm.so") bytes" \
        'the same for 10 and 10,000'
done

for blocks in 12 48; do
    sed "s/BLOCKS = 12/BLOCKS = $blocks/" examples/gpt2/gpt2.nn >"$work/gpt2.nn"
    row "a step of GPT-2, $blocks blocks, to .so" \
        "$(best 5 "$nncc" "$work/gpt2.nn" -o "$work/gpt2.so") ms, $(wc -c <"$work/gpt2.so") bytes" \
        '<= 2000 ms; the same + 10 %'
done

for model in lstm gpt; do
    "$nncc" train examples/chars/$model.nn --text examples/chars/proverbs.txt \
        --batch 16 --epochs 1 >"$work/chars" 2>&1 || cat "$work/chars"
    row "chars/$model.nn: 64,000 characters" \
        "$(sed -n 's/^training time: //p' "$work/chars")" ''
done

"$nncc" tests/bench/mlp/mlp.nn --cpu=native -o "$work/mlp.o" &&
    gcc -O3 -march=native -ffast-math -c tests/bench/mlp/loops.c \
        -o "$work/loops.o" &&
    gcc -O2 -I"$work" tests/bench/mlp/main.c "$work/loops.o" "$work/mlp.o" \
        -o "$work/mlp" -lm &&
    row 'MLP 784-128-10 gradient, batch 128' "$("$work/mlp")" '>= 1.5 times'

threads() { # WHAT MODEL FUNCTION SIZE…
    "$nncc" "$2" --cpu=native -o "$work/threads.so" || return
    what=$1 f=$3
    shift 3
    row "2 threads against 1: $what" "$("$work/threads" "$work/threads.so" "$f" 2 "$@")" '>= 1.8'
}
gcc -O2 -Iruntime -Itests/bench tests/bench/threads/main.c "$build/libnn.a" -o "$work/threads" \
    -ljansson -llbfgs -lz -lm -lpthread -ldl && {
    threads 'MLP, batch 1024' tests/bench/mlp/mlp.nn loss_grad 1024
    threads 'conv net, batch 32' tests/bench/threads/conv.nn loss_grad 32
    threads 'gmm, n = 10,000' tests/bench/workloads/gmm.nn gradient 25 32 10000
}

"$nncc" tests/bench/sort/sort.nn --cpu=native -o "$work/sort.o" &&
    gcc -O2 -I"$work" tests/bench/sort/main.c "$work/sort.o" -o "$work/sorts" &&
    row 'sort of 1,000,000 f32' "$("$work/sorts")" '<= 3 times'

# Peers that are not there have no row.
peer() { # PROGRAM LIBRARY WHAT TARGET
    gcc -O2 -I"$work" "tests/bench/linalg/$1.c" "$work/linalg.o" "$2" -lm \
        -o "$work/$1" 2>/dev/null || return 0
    row "$3" "$(OPENBLAS_NUM_THREADS=1 "$work/$1")" "$4"
}
"$nncc" tests/bench/linalg/linalg.nn --real=f64 --cpu=native -o "$work/linalg.o" && {
    peer lapack -lopenblas 'factorisations, n = 200, 500' '<= 1.4; 2 for qr, eigh, svd'
    peer fftw -lfftw3 'Fourier transforms' '<= 2.5 times'
}

"$nncc" tests/bench/reduce/reduce.nn --cpu=native -o "$work/reduce.o" &&
    gcc -O2 -I"$work" tests/bench/reduce/main.c "$work/reduce.o" -o "$work/reduce" -lm &&
    "$work/reduce" | tr ';' '\n' | while read -r what; do
        row 'reductions' "$what" 'at most the number behind'
    done

sh tests/bench/loops/run.sh "$nncc"
sh tests/bench/conv/run.sh "$nncc"

echo
echo 'products of matrices: of the peak >= 88 %, from 128 up 90; of the best >= 1.05 in the mean, 0.9'
tests/bench/products/run.sh "$nncc"

echo
echo 'elementwise functions: SLEEF at the same accuracy >= 1.0'
sh tests/bench/functions/run.sh "$nncc"

python=${PYTHON:-python3}
"$python" -c 'import scipy.sparse' 2>/dev/null &&
    "$nncc" tests/bench/sparse/sparse.nn --real=f64 --cpu=native -o "$work/sparse.so" && {
    echo
    echo 'a matrix in compressed rows: SciPy >= 1 times'
    "$python" tests/bench/sparse/sparse.py "$work/sparse.so"
}
