#!/bin/sh
# run.sh NNCC: whole trainings beside the same in a loop of JAX's and PyTorch's: a
# transformer on characters, networks on Fashion-MNIST (Debian's dataset-fashion-mnist), and
# what of such a training is not the model's step.
. "$(dirname "$0")/../lib.sh"
here=$bench/loops
clothes=${CLOTHES:-/usr/share/datasets/fashion-mnist}
text=$top/examples/chars/proverbs.txt

# The number behind a name in what nncc printed.
number() { echo "$out" | sed -n "s/^$1: \([0-9.]*\).*/\1/p"; }
if has torch; then
    for seed in 0 1 2; do
        out=$(one "$nncc" train "$top/examples/chars/gpt.nn" --text "$text" \
            --batch 8 --epochs 10 --schedule cosine --warmup 50 --seed $seed)
        theirs=$(one "$python" "$here/gpt.py" "$text" $seed)
        echo "$(number 'training time') $(number 'test bits') $theirs"
    done | awk -v form='%s\t%s\t%.3g\t\t%s\t%.3g %s : %.3g %s\n' '
        { ours += $1; bits += $2; theirs += $3; same += $4; version = $5 }
        END {
            printf form, "transformer on characters: bits, 3 seeds", "torch " version,
                bits / same, "<= 1.02", bits / NR, "", same / NR, ""
            printf form, "transformer on characters, 10 passes", "torch " version,
                theirs / ours, ">= 1", ours / NR, "s", theirs / NR, "s" }'
else
    without 'transformer on characters' torch '>= 1' 'no torch'
fi

[ -f "$clothes/train-images-idx3-ubyte.gz" ] || {
    without 'trainings on clothes' '' '>= 1' 'no dataset-fashion-mnist'
    exit 0
}
out=$(one "$nncc" train "$here/mlp.nn" --data "$clothes/train-images-idx3-ubyte.gz" \
    --labels "$clothes/train-labels-idx1-ubyte.gz" --scale 1/255 --batch 32 --epochs 10 \
    --schedule cosine --eval-steps 18750 \
    --test-data "$clothes/t10k-images-idx3-ubyte.gz" \
    --test-labels "$clothes/t10k-labels-idx1-ubyte.gz")
row 'MLP 784-256-10, clothes: test accuracy' '' "$(number 'test accuracy')" '' '>= 0.885' ''
for peer in jax torch; do
    what='MLP 784-256-10, clothes, 10 passes'
    has $peer || {
        without "$what" $peer '>= 1' "no $peer"
        continue
    }
    one "$python" "$here/mlp.py" $peer "$clothes" >"$work/theirs"
    read -r version took _ <"$work/theirs"
    row "$what" "$peer $version" "$(ratio "$took" "$(number 'training time')")" '' '>= 1' \
        "$(number 'training time') s : $took s"
done

build=$(dirname "$nncc")
"$nncc" "$here/mlp.nn" -o "$work/mlp.so"
gcc -std=c11 -D_POSIX_C_SOURCE=200809L -O2 -I"$top/runtime" "$here/share.c" "$build/libnn.a" \
    -ljansson -llbfgs -lz -lm -lpthread -ldl -o "$work/share"
row "libnn's own share of a step, batch 32" '' \
    "$(one "$work/share" "$work/mlp.so" "$clothes/train-images-idx3-ubyte.gz" \
        "$clothes/train-labels-idx1-ubyte.gz")" '' '<= 5 %' ''

out=$(one "$nncc" train "$top/examples/fashion/fashion.nn" \
    --data "$clothes/train-images-idx3-ubyte.gz" --labels "$clothes/train-labels-idx1-ubyte.gz" \
    --test-data "$clothes/t10k-images-idx3-ubyte.gz" --test-labels "$clothes/t10k-labels-idx1-ubyte.gz" \
    --scale 1/255 --epochs 15 --batch 64 --schedule cosine)
row 'convolutional network, clothes: test accuracy' '' "$(number 'test accuracy')" '' '>= 0.91' ''
