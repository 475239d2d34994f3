#!/bin/sh
# run.sh NNCC [ROUNDS]: models of some hundred scalars, for one state and for
# many, against hand-written C and CasADi's (which is there where PYTHON has it).
work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
at=$(dirname "$0")
model() { # NAME OPTION…: the program beside it
    name=$1
    shift
    "$nncc" "$at/../workloads/$name.nn" --real=f64 --cpu=native "$@" -o "$work/$name.o" &&
        gcc -O2 -I"$work" "$at/$name.c" "$work/peer.o" "$work/$name.o" -o "$work/$name" -lm &&
        "$work/$name" $rounds
}
nncc=$1 rounds=$2
gcc -O3 -march=native -ffast-math -c "$at/ba_peer.c" -o "$work/peer.o" && model ba
"${PYTHON:-python3}" "$at/pendulum.py" "$work/peer.c" 2>/dev/null || exit 0
gcc -O3 -march=native -c "$work/peer.c" -o "$work/peer.o" && model pendulum --dim=n=7
