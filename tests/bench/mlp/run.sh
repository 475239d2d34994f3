#!/bin/sh
# run.sh NNCC: the gradient of a multilayer perceptron against plain loops.
. "$(dirname "$0")/../lib.sh"
"$nncc" "$bench/mlp/mlp.nn" --cpu=native -o "$work/mlp.o"
gcc -O3 -march=native -ffast-math -c "$bench/mlp/loops.c" -o "$work/loops.o"
gcc -O2 -I"$work" "$bench/mlp/main.c" "$work/loops.o" "$work/mlp.o" -o "$work/mlp" -lm
"$work/mlp"

if links -ldnnl; then
    "$nncc" "$bench/networks/mlp.nn" --name=net --cpu=native -o "$work/net.o"
    gcc -O3 -march=native -ffast-math -I"$work" "$bench/networks/step.c" "$work/net.o" -o "$work/step" -ldnnl -lm
    "$work/step"
else
    without 'MLP 784-128-10, step' 'C, oneDNN' '>= 1' 'no libdnnl-dev'
fi
