#!/bin/sh
# run.sh NNCC: the gradient of a multilayer perceptron against plain loops.
. "$(dirname "$0")/../lib.sh"
"$nncc" "$bench/mlp/mlp.nn" --cpu=native -o "$work/mlp.o" &&
    gcc -O3 -march=native -ffast-math -c "$bench/mlp/loops.c" -o "$work/loops.o" &&
    gcc -O2 -I"$work" "$bench/mlp/main.c" "$work/loops.o" "$work/mlp.o" -o "$work/mlp" -lm &&
    "$work/mlp"
