#!/bin/sh
# run.sh NNCC: whole trainings beside the same in a loop of JAX's and PyTorch's, one thread:
# a transformer on characters, networks on Fashion-MNIST (Debian's
# dataset-fashion-mnist), and what of such a training is not the model's step. PYTHON names an interpreter that has them; a peer that is not there
# is left out.
nncc=$1 here=$(dirname "$0")
clothes=${CLOTHES:-/usr/share/datasets/fashion-mnist}
python=${PYTHON:-python3}
row() { printf '%-46s %-34s %s\n' "$1" "$2" "$3"; }

# The number behind a name in what nncc printed.
number() { echo "$out" | sed -n "s/^$1: \([0-9.]*\).*/\1/p"; }
beside() { echo "$1 $2" | awk '{ printf "%.2f s / %.2f s: %.2f", $2, $1, $2 / $1 }'; }
one() { if command -v taskset >/dev/null; then taskset -c 0 "$@"; else "$@"; fi; }
text=$here/../../../examples/chars/proverbs.txt
if "$python" -c "import torch" 2>/dev/null; then
    for seed in 0 1 2; do
        out=$(one "$nncc" train "$here/../../../examples/chars/gpt.nn" --text "$text" \
            --batch 8 --epochs 10 --schedule cosine --warmup 50 --seed $seed) || exit 1
        theirs=$(one "$python" "$here/gpt.py" "$text" $seed) || exit 1
        echo "$(number 'training time') $(number 'test bits') $theirs"
    done | awk -v form='%-46s %-34s %s\n' '
        { ours += $1; bits += $2; theirs += $3; same += $4 }
        END {
            printf form, "transformer on characters: bits, 3 seeds",
                sprintf("%.3f, torch %.3f", bits / NR, same / NR), "within 2 %, or less"
            printf form, "transformer on characters, 10 passes",
                sprintf("%.2f s / %.2f s: %.2f", theirs / NR, ours / NR, theirs / ours),
                "> 1 times" }'
fi

[ -f "$clothes/train-images-idx3-ubyte.gz" ] || {
    row 'MLP 784-256-10, clothes' 'not measured' 'apt-get install dataset-fashion-mnist'
    exit 0
}
out=$(one "$nncc" train "$here/mlp.nn" --data "$clothes/train-images-idx3-ubyte.gz" \
    --labels "$clothes/train-labels-idx1-ubyte.gz" --scale 1/255 --batch 32 --epochs 10 \
    --schedule cosine --eval-steps 18750 \
    --test-data "$clothes/t10k-images-idx3-ubyte.gz" \
    --test-labels "$clothes/t10k-labels-idx1-ubyte.gz") || exit 1
row 'MLP 784-256-10, clothes: test accuracy' "$(number 'test accuracy')" '>= 0.885'
for peer in jax torch; do
    "$python" -c "import $peer" 2>/dev/null || continue
    theirs=$(one "$python" "$here/mlp.py" $peer "$clothes") || exit 1
    row "MLP 784-256-10, 10 passes, beside $peer" \
        "$(beside "$(number 'training time')" "$theirs")" '> 1 times'
done

work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
build=$(dirname "$nncc")
"$nncc" "$here/mlp.nn" -o "$work/mlp.so" &&
    gcc -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -I"$here/../../../runtime" "$here/share.c" "$build/libnn.a" \
        -ljansson -llbfgs -lz -lm -lpthread -ldl -o "$work/share" &&
    row "libnn's own share of a step, batch 32" \
        "$(one "$work/share" "$work/mlp.so" "$clothes/train-images-idx3-ubyte.gz" \
            "$clothes/train-labels-idx1-ubyte.gz")" '<= 5 %'

out=$(one "$nncc" train "$here/../../../examples/fashion/fashion.nn" \
    --data "$clothes/train-images-idx3-ubyte.gz" --labels "$clothes/train-labels-idx1-ubyte.gz" \
    --test-data "$clothes/t10k-images-idx3-ubyte.gz" --test-labels "$clothes/t10k-labels-idx1-ubyte.gz" \
    --scale 1/255 --epochs 15 --batch 64 --schedule cosine) || exit 1
row 'convolutional network, clothes: test accuracy' "$(number 'test accuracy')" '>= 0.91'
