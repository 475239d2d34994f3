#!/bin/sh
# run.sh NNCC: small systems in great number, against loops by hand.
. "$(dirname "$0")/../lib.sh"
"$nncc" "$bench/small/small.nn" --cpu=native -o "$work/small.o"
gcc -O3 -march=native -ffast-math -c "$bench/small/peers.c" -o "$work/peers.o"
gcc -O2 -I"$work" "$bench/small/main.c" "$work/peers.o" "$work/small.o" -o "$work/small" -lm
"$work/small"
compare '3 x 3 matrices, triangles, calls' "$bench/small/small.py"
