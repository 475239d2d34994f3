#!/bin/sh
# tune.sh BUILD: where another schedule of a kernel is faster by more than 5 % than
# the one that was chosen, on this machine. Exits 1 if there is one. ROWS=PATTERN:
# only the rows that grep finds by it.
build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")/../.." || exit 2
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
export NNCC_CACHE= # nothing is kept
found=0

# row MODEL ARGUMENT…: functions and sizes, as nncc bench has them.
row() {
    echo "$*" | grep -q "${ROWS:-.}" || return
    echo "$*"
    "$build/nncc" bench "$@" --tune --time 0.05 >"$work/out" 2>&1 ||
        { head -3 "$work/out" && found=1; }
    sed -n 's/^  faster  */    /p' "$work/out" >"$work/faster"
    [ ! -s "$work/faster" ] || { cat "$work/faster" && found=1; }
}

for b in 1 32 256; do
    row examples/digits/digits.nn step --dim b=$b
    row tests/bench/mlp/mlp.nn loss_grad --dim b=$b
done
row tests/bench/networks/conv.nn d_loss --dim b=32
row examples/chars/lstm.nn step --dim b=16
row examples/chars/gpt.nn step --dim b=16
for n in 64 500; do
    row tests/bench/products/products.nn nn nt tn --dim b=$n --dim n=$n --dim m=$n
done
row tests/bench/products/products.nn nn nt --dim b=1 --dim n=784 --dim m=128
row tests/bench/workloads/kmeans.nn cost gradient --dim n=10000 --dim k=20 --dim d=10
row tests/bench/workloads/gmm.nn gmm gradient --dim n=1000 --dim k=25 --dim d=10 --dim e=45
row tests/bench/workloads/lse.nn lse gradient --dim n=100000
row tests/bench/workloads/llsq.nn llsq gradient n=10000 --dim m=8
exit $found
