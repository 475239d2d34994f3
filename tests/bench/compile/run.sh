#!/bin/sh
# run.sh NNCC: from a model to machine code beside JAX's compiler, in processor
# time, the least of several. PYTHON: one that has JAX.
nncc=$1
python=${PYTHON:-python3}
here=$(dirname "$0")
top=$here/../../..
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
export NNCC_CACHE= # nothing is kept
cc -O1 -D_DEFAULT_SOURCE "$here/../cpu.c" -o "$work/cpu" || exit 2
for model in lstm gmm ba gpt2; do
    file=$here/../workloads/$model.nn
    [ -f "$file" ] || file=$top/examples/gpt2/$model.nn
    ours=$(for _ in 1 2 3 4 5 6 7; do
        "$work/cpu" "$nncc" "$file" -o "$work/$model.so"
    done | sort -n | head -1)
    theirs=not
    "$python" -c 'import jax' 2>/dev/null && theirs=$("$python" "$here/peers.py" $model)
    echo "$model $ours $theirs" | awk '{
        peer = $3 == "not" ? "JAX is not there" : sprintf("JAX %d ms, %.1f times", $3, 1000 * $3 / $2)
        printf "%-46s %-34s %s\n", $1 " to .so", sprintf("%.0f ms; %s", $2 / 1000, peer), ">= 5 times JAX"
    }'
done
