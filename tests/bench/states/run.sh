#!/bin/sh
# run.sh NNCC: models of some hundred scalars, for one state and for many, against
# hand-written C and CasADi's.
. "$(dirname "$0")/../lib.sh"
model() { # NAME OPTION…: the program beside it
    name=$1
    shift
    "$nncc" "$bench/workloads/$name.nn" --real=f64 --cpu=native "$@" -o "$work/$name.o"
    gcc -O2 -I"$work" -DCASADI="\"$casadi\"" "$bench/states/$name.c" "$work/peer.o" "$work/$name.o" \
        -o "$work/$name" -lm
    "$work/$name"
}
gcc -O3 -march=native -ffast-math -c "$bench/states/ba_peer.c" -o "$work/peer.o"
model ba
if casadi=$("$python" "$bench/states/pendulum.py" "$work/peer.c" 2>/dev/null); then
    gcc -O3 -march=native -c "$work/peer.c" -o "$work/peer.o"
    model pendulum --dim=n=7
else
    without 'pendulum chain' 'CasADi' '>= 1.2' 'no CasADi'
fi
compare "MLP 4-64-64-4, product of 1,000" "$bench/states/mlp.py"
