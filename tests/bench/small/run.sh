#!/bin/sh
# run.sh NNCC [ROUNDS]: small systems in great number, against loops by hand.
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
at=$(dirname "$0")
"$1" "$at/small.nn" --cpu=native -o "$work/small.o" &&
    gcc -O3 -march=native -ffast-math -c "$at/peers.c" -o "$work/peers.o" &&
    gcc -O2 -I"$work" "$at/main.c" "$work/peers.o" "$work/small.o" \
        -o "$work/small" -lm && "$work/small" $2
